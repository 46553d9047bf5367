/* SPDX-License-Identifier: ISC */
/* What the lives of services have in common: an input's loop, the delivery of one message as the
 * service's own loop would do it, the digest before a message. A harness fills one struct
 * life_service, `life_service`, and keeps what is its own: what is drawn, what happens around the
 * service, what is compared with the model. */
#ifndef BASALT_FUZZ_LIFE_LIFE_SERVICE_H
#define BASALT_FUZZ_LIFE_LIFE_SERVICE_H

#include "abi/slots.h"
#include "fuzz/harness.h"
#include "props/life/life.h"
#include "props/models/model.h"
#include "props/stand_ins/stand_in_kernel.h"
#include "services/lib/service.h"

struct life_service {
    const struct life_language *language;
    struct caller *caller;
    void *state; /* the service, as its handler takes it */
    enum handled (*handle)(void *state, struct message *message, const struct receive_info *info);
    uint64_t calls_max; /* of one message, other than those that empty the window (E8) */

    void (*reset)(void); /* everything as before the first life; begins with life_begin() */
    /* Starts the service in the way that an input says: with the argument of its action "boot", the
     * first one, before anything else; or with 0. Null: reset does. */
    void (*boot)(uint64_t which);
    void (*generate)(struct choices *choices, struct message *request);
    /* Sends a request and compares; the answer, or of a client that gave up what it would have
     * heard, or of one that is answered later OK. */
    enum status (*send)(struct message *request);
    void (*act)(const struct life_step *step); /* any action but "boot" */
    void (*finish)(void);                      /* at the end of a life; may be null */
    void (*look)(void);       /* compares all that `send` compares when it is due; may be null */
    uint64_t (*digest)(void); /* of the service and of the kernel's books */

    /* For life_failures.c, which plans one failure before each step: the action that does, how many
     * calls of a step may fail, and the ways; OK is no way. */
    uint32_t fail_action;
    uint32_t fail_limit;
    enum status fail_ways[HARNESS_FAILURES];
};
extern const struct life_service life_service;

/* Of the life that is running. */
struct life_now {
    bool booted;
    enum status loses; /* the answer to the next message: BUSY (no room), NOT_FOUND (gave up) */
    uint64_t request_id;
    uint32_t startup_slots;
    bool digest_known; /* `digest` is that of now: nothing has happened since it was taken */
    uint64_t digest;
};
extern struct life_now life_now;

/* A kernel with nothing in it but the slots that every process has: SELF, and an endpoint of the
 * service with that role. No peers: the harness's own have begun it. */
void life_begin(const struct stand_in_peers *peers, uint32_t role);

/* Gives each capability of a request the slot at which the service will find it, and its descriptor
 * the type and rights of caps[i]. */
void life_place_caps(struct message *request, const struct stand_in_cap *caps);

/* The same with capabilities of one kind, for services whose rows take none: what their fields name
 * does not matter. */
void life_any_caps(struct message *request, struct stand_in_cap *caps);

/* A valid request of a harness's own: of that type, with that body and sender. */
void life_request(const struct message_type *type, const void *body, uint64_t badge,
                  struct message *request);

/* For marks: 0 is the administrator's badge, 1 a role's, 2 nobody's. */
unsigned life_sender_kind(const struct message *request);

/* A request is there for the next receive, with a request id of its own. */
void life_bring(struct message *request, const struct stand_in_cap *caps);

/* Brings a request and has the service take it in one turn: the status of its answer, or LIFE_LOST. */
unsigned life_deliver(const struct life_service *service, struct message *request,
                      const struct stand_in_cap *caps);

/* The handler of a turn that does not go by life_deliver. */
enum handled life_handle(const struct life_service *service, struct message *message,
                         const struct receive_info *info);

/* What went wrong while the service worked on the message. */
struct model_failure life_failures(void);

/* What the answer says is compared by the operation's row; a refusal says nothing (E1). */
void life_compare(const struct life_service *service, const struct message *request,
                  unsigned status);

/* The digest before a message that is looked at: that after the last one, when that was refused. Call
 * life_digest_after with whether the message changed anything (E1). */
uint64_t life_digest_before(void);
void life_digest_after(uint64_t before, bool changed);

/* Of an answer, for the input's digest: its status, and its body. */
void life_digest_answer(unsigned status);

/* For visitors of fields: mixes a value into the sum at `context`. */
void life_digest_visit(void *context, uint64_t value);

/* The name of a property that <service>_check found broken; null: none. */
void life_check(const char *broken);

/* Two of the ways in which a generated request is odd: 1 changes a byte of its body, 2 its size. */
void life_make_odd(struct choices *choices, uint64_t oddity, struct message *request);

/* A request of the language. Its sender is drawn by `badge`, and may be drawn anew with the body. One
 * in 20 is odd in each of the two ways; returns the oddity, of which all but 1 and 2 are the harness's. */
uint64_t life_generate(const struct life_language *language, struct choices *choices,
                       uint64_t (*badge)(struct choices *choices), struct message *request);

/* A client's badge: mostly one of `count` roles from `first_role` on, sometimes none, or no role's. */
uint64_t life_some_client(struct choices *choices, uint32_t first_role, uint64_t count);

/* The step of a @fail action: the call after `call` others fails, of one message alone. */
void life_plan_failure(const struct life_step *step, uint64_t call_limit);

/* The same of a service that makes its calls in turns: the next call that far, in whichever turn. */
void life_plan_turn_failure(const struct life_step *step, uint64_t call_limit);

/* The n-th of those who wait for an answer waits no more: the reply slot, or SLOT_NULL when nobody
 * waits. */
uint32_t life_gone(uint64_t n);

#endif
