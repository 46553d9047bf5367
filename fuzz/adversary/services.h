/* SPDX-License-Identifier: ISC */
/* The services that have harnesses whose peers lie, one row each: its state, its loop, and the same
 * loop as turns that a harness takes one after the other. */
#ifndef BASALT_FUZZ_ADVERSARY_SERVICES_H
#define BASALT_FUZZ_ADVERSARY_SERVICES_H

#include "fuzz/harness.h"
#include "props/stand_ins/adversary.h"
#include "services/lib/service.h"

struct crashd;
struct logd;
struct memd;
struct named;
struct timed;
struct vfsd;
struct vspaced;

enum { SERVICES_MACHINE_PAGES = 128 };

struct subject {
    enum service_id service; /* SERVICE_COUNT: it serves nothing, and is asked anything */
    uint32_t role;
    uint32_t number; /* that a byte of the input names it by; 0: its role */
    size_t state_bytes;
    struct caller *caller;
    service_handler *handle;
    uint64_t (*next)(void); /* when it looks up without a message; null: never */
    void (*tick)(uint64_t now_ticks);
    void (*room)(void); /* what it does without a free reply slot; null: it ends */
    enum status (*turn)(uint64_t *now_ticks);             /* null: one message, and a tick */
    enum status (*prepare)(const struct envelope *start); /* before READY; null: nothing */
    void (*begin)(void); /* what it does between READY and its first turn; null: nothing */
    const char *(*untouched)(void); /* memory that its loop has not touched though it serves */
    uint64_t calls_max;             /* of one input; 0: the adversary's own limit */
    const char *(*wrong)(void);
    void (*digest)(void);         /* null: its messages show it */
    bool (*names)(uint32_t slot); /* whether its books say that a slot is filled; null: none is */
    uint32_t (*waiting)(void);    /* callers that it has not answered yet; null: none */
    void (*run)(void);
    void (*empty)(
        void); /* all zeros again, at the cost of what was used; null: all of it is short */
};

/* A service is named by its number, so that another row moves no input. */
const struct subject *services_choose(struct choices *choices);

/* --- services_reset.c: all zero again, at the cost of what was used --- */

void services_reset_memd(struct memd *memd);
void services_reset_vspaced(struct vspaced *vspaced);
void services_reset_named(struct named *named);
void services_reset_logd(struct logd *logd);
void services_reset_timed(struct timed *timed);
void services_reset_crashd(struct crashd *crashd);

/* Two mounts, whose providers are still to be found. */
void services_put_mounts(struct vfsd *vfsd);

/* --- services.c --- */

/* What it finds besides messages: imagefsd's archive is drawn, cut off or whole. */
void services_draw(const struct subject *subject, struct choices *choices);

/* Its state, as before the first message; to be called once before services_end. */
void services_reset(const struct subject *subject);
void services_end(const struct subject *subject);

/* The state is what `prepare` makes of an envelope that says little. */
void services_start(const struct subject *subject);

/* One turn; what comes after a receive that found nothing is done when `found` says so of its status. */
enum status services_turn(const struct subject *subject, uint64_t *now_ticks,
                          bool (*found)(enum status status));

/* E9, and that each slot that the books name is filled, when the adversary has a book of those. */
void services_check(const struct subject *subject, bool windows);

/* The honest half of an adversary's plan (services_requests.c). */
void services_requests_begin(enum service_id id, bool with_prelude);
void services_learn(const struct message *message, bool honest);
bool services_request(struct choices *choices, uint32_t endpoint_slot, struct message *message);
bool services_answer(struct choices *choices, uint32_t slot, struct message *message);

/* An honest beginning, which is not drawn, for services that get nowhere without one: for the adversary's
 * scripted_receive and scripted_call. False: it is over. */
bool services_prelude_receive(uint32_t slot, struct message *message);
bool services_prelude_call(struct message *message);

/* A valid answer, as a peer gives it that has nothing to say. */
void services_answer_plainly(struct message *message);

/* An input of the two harnesses that take turns. */
void services_adversary(struct choices *choices, bool windows);

#endif
