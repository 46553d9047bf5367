/* SPDX-License-Identifier: ISC */
/* The step language of life harnesses. An input is a row of frames: tag u8, words u8, words * 4
 * bytes of payload; mutators drop, repeat, swap and insert whole frames (props/life/steps.h). The
 * tag picks one of three kinds:
 *
 *   generated   the payload is choices: the harness generates a message from them, mostly valid in
 *               the state the service is in; of tags from LIFE_TAG_KNOWN on by and of those who
 *               are there, mostly, where the harness asks life_avoids_strangers()
 *   literal     the payload is a message, as delivered: what a .trace line says
 *   action      the payload is a number and arguments: time passes, a peer dies, the next call
 *               fails, ... : the harness's own list
 *
 * A life is `.trace` text too, one step per line, assembled to frames by life_assemble():
 *
 *   # comment
 *   [on=N] memd.alloc_frames .badge=3 count=2 reserved0=0 [-> STATUS]
 *   -> STATUS
 *   @action argument ...
 *
 * (the message as abi/text/print.h writes it; on=N: which endpoint, 0 when left out; the status
 * that the message must get may stand on a line of its own below it). A harness prints every step
 * in that form, the message before it is sent and its result afterwards, so that what fuzzing found
 * can be kept as text and the step that fails is its last line. */
#ifndef BASALT_PROPS_LIFE_LIFE_H
#define BASALT_PROPS_LIFE_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/message.h"
#include "abi/message_type.h"
#include "abi/status.h"
#include "props/base/choices.h"

enum {
    LIFE_ARGUMENT_LIMIT = 4,
    LIFE_PAYLOAD_BYTES_MAX = 1020,
    LIFE_STEP_LIMIT = 400 /* steps of one life; what follows in the input is not taken */
};

/* A result that is no status: the answer comes later; it was sent, and lost on its way. */
enum { LIFE_LATER = STATUS_COUNT, LIFE_LOST };

enum life_kind { LIFE_GENERATED, LIFE_LITERAL, LIFE_ACTION };

/* One environment action of a harness; the list ends with a null name. */
struct life_action {
    const char *name;
    unsigned argument_count; /* at most LIFE_ARGUMENT_LIMIT */
};

/* A request that is being drawn. */
struct life_draft {
    const struct life_operation *row; /* by which it is drawn */
    uint16_t operation;
    uint32_t on; /* which of the service's endpoints */
    uint64_t badge;
    uint64_t body[MESSAGE_BODY_BYTES_MAX / 8]; /* the struct of the request */
    /* Of the capability fields that are not zero, in order: the badge says which object; type and
     * rights, when the type is not NONE, replace those of the row. */
    struct message_cap caps[MESSAGE_CAP_LIMIT];
};

/* All that a harness must know of an operation; the list ends with a row without a function. New
 * rows go to its end. A row may also draw requests of several operations: its own id is then 0. */
struct life_operation {
    uint16_t operation;
    uint8_t weight; /* how often it is drawn, in parts of the sum */
    void (*draw)(struct choices *choices, struct life_draft *draft); /* fills the body */
    void (*learn)(void);   /* names that a successful reply told; may be null */
    void (*compare)(void); /* what a successful reply states, with the model; may be null */
};

/* What a harness speaks. */
struct life_language {
    enum service_id service;
    const struct life_action *actions;
    const struct life_operation *operations; /* null: the harness draws in its own way */
};

struct life_step {
    enum life_kind kind;

    /* LIFE_GENERATED: the step's own choices; a mutation here leaves the other steps alone. The tag
     * is 0 to 4: a harness may read the choices in another way for some of them. */
    struct choices choices;
    uint32_t tag;

    /* LIFE_LITERAL: the message as the service shall see it, but for request id (the harness
     * counts) and capability slots: a nonzero capability field only says that a capability comes;
     * the harness puts one of the descriptor's type and rights into the receive window and writes
     * that slot into the field. Which object it names may be said with the descriptor's badge
     * (slot:TYPE:rights:0:0:badge in text), which the harness takes out before delivery. */
    struct message message;
    uint32_t on; /* which of the service's endpoints; 0 is the first */

    /* LIFE_ACTION */
    uint32_t action; /* index into the language's actions */
    uint64_t arguments[LIFE_ARGUMENT_LIMIT];

    bool expects; /* set for .trace files alone: `expected` was stated and must come true */
    enum status expected;
};

/* Takes the next step from the input; false at its end. Any bytes give steps. */
bool life_next(struct choices *input, const struct life_language *language, struct life_step *step);

/* Checks a stated expectation: PROPERTY "trace". Call it with each step's result. */
void life_expect(const struct life_step *step, enum status result);

/* A message is about to be delivered: prints its line when the trace is on, without the request id,
 * so that the line can go into a .trace file as it is. */
void life_print_request(const struct life_language *language, const struct message *request,
                        uint32_t on);

/* ... and what it got. */
void life_print_result(enum status result);

/* Both at once, for a harness that knows the message only when it is over. */
void life_print(const struct life_language *language, const struct message *request, uint32_t on,
                enum status result);

/* Prints an action line when the trace is on. Print the arguments as they were used: a .trace is
 * bound by fewer limits than fuzzing. */
void life_print_action(const struct life_language *language, const struct life_step *step);

/* Messages that an action or the end of a life sends are printed as comments meanwhile: the text
 * has them by the action's own line. */
void life_print_as_comments(bool on);

/* What the model said of the message that was printed last, and what it got: statuses, LIFE_LATER
 * or LIFE_LOST. The report of any property that fails from now on in this step says so by name:
 *
 *   step: memd.close_account predicted DENIED, got OK */
void life_predicted(unsigned predicted, unsigned got);

/* Assembles .trace text to frames; harness_assemble() calls it. Returns the bytes written; 0 with
 * one line in `problem` when the text is wrong or longer than the limit. */
size_t life_assemble(const struct life_language *language, const char *text, size_t text_bytes,
                     uint8_t *bytes, size_t limit_bytes, char *problem, size_t problem_bytes);

/* Draws which operation a request is of, by the weights of its row; two parts more are for any
 * operation of the service, which need not have a row in the harness. */
void life_draw_operation(const struct life_language *language, struct choices *choices,
                         struct life_draft *draft);

/* For requests without fields. */
void life_draw_nothing(struct choices *choices, struct life_draft *draft);

/* Draws its body: as its row says, or any valid one. */
void life_draw_body(const struct life_language *language, struct choices *choices,
                    struct life_draft *draft);

/* The message of a draft. */
void life_draft_message(const struct life_language *language, const struct life_draft *draft,
                        struct message *message);

/* The harness's row of an operation; one without functions when it has none. */
const struct life_operation *life_operation_of(const struct life_language *language,
                                               uint16_t operation);

/* The row of the abi for an operation that the service receives, be it of a protocol that several
 * share; null: there is none. */
const struct operation *life_row_of(const struct life_language *language, uint16_t operation);

/* The status that the argument of a @fail action names: a number of abi/status.def, from 1 on.
 * EXHAUSTED for others, so that a new status takes over only its own number. */
enum status life_failure(uint64_t argument);

/* The step of a @fail action, for harness_plan_failure(). Returns its bytes. */
size_t life_fail_step(uint32_t action, uint64_t call, enum status status, uint64_t times, bool late,
                      uint8_t *bytes);

/* Whether a planned failure happened in one step: the step-th from now on, from 1. A harness tells
 * each step that met failures. */
void life_watch(uint64_t step);
void life_met_failures(uint32_t count);
bool life_watch_failed(void);

/* Whether a drawn step names somebody or something that is there instead of the stranger that was
 * drawn: seven times of eight, in steps whose tag says so (LIFE_TAG_KNOWN). */
bool life_avoids_strangers(struct choices *choices);

/* Steps taken since the process started, for benchmarks. */
uint64_t life_step_count(void);

#endif
