/* SPDX-License-Identifier: ISC */
/* A kernel and peers that say anything: the calls of abi/system.h answered from the fuzz input. One
 * unit against it must keep its own promises whatever it is told: every call bounded, every request
 * well formed, request ids increasing, each received call answered at most once, no state outside
 * its tables (the sanitizers watch), its own invariants after every turn. */
#ifndef BASALT_PROPS_STAND_INS_ADVERSARY_H
#define BASALT_PROPS_STAND_INS_ADVERSARY_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/message_type.h"
#include "abi/system.h"
#include "props/base/choices.h"

enum { ADVERSARY_CALL_LIMIT = 20000 /* calls of one input; more is a unit that never ends */ };

/* What a harness may add, so that an honest world is as likely as a lying one. Each function is
 * optional; it draws from the choices, fills `message` and returns true, or returns false and
 * leaves the message to the adversary. */
struct adversary_plan {
    enum service_id service; /* whose requests sys_recv makes up */

    /* The honest reply to a CALL on `slot`. In: the request. Out: the reply as delivered: header
     * status, body, descriptors; capability fields and window are the adversary's. */
    bool (*answer)(struct choices *choices, uint32_t slot, struct message *message);

    /* A request worth receiving, header.badge included. */
    bool (*request)(struct choices *choices, uint32_t endpoint_slot, struct message *message);

    /* Sees every reply that the unit sends; `honest` when its last request was the harness's and
     * every answer since then was too: then the harness can say what the reply must be. */
    void (*replied)(const struct message *message, bool honest);

    /* Sees every CALL, whoever answers it and how. */
    void (*asked)(const struct message *message);

    /* Peers deliver capabilities that nobody asked for: too many or too few, of other types, in refusals,
     * in answers to something else. What is held is booked (props/stand_ins/adversary_held.h): at
     * each receive all of it lies in a start-up slot or where `names` says that the service knows
     * it. */
    bool windows;
    bool (*names)(uint32_t slot);

    /* Answers a CALL before anything is drawn for it, and makes what RECV finds, which is nothing when it has no
     * version; false: the adversary
     * does. For a beginning that is not drawn. */
    bool (*scripted_call)(uint32_t slot, struct message *message);
    bool (*scripted_receive)(uint32_t slot, struct message *message);

    /* Sees each RECV, before anything is drawn for it, and how one has ended that gave no message. */
    void (*receives)(uint32_t slot, uint64_t deadline_ticks);
    void (*received_nothing)(enum status status, uint64_t now_ticks);

    /* The endpoint is gone after so many receives; 0: at the end of the input. */
    uint64_t receives_max;

    /* RECV is EXHAUSTED while so many calls wait for their answers; 0: never for that. */
    uint64_t reply_slots;

    /* RECV is the kernel's own: nobody waits for ever in vain, but rarely no reply slot is free, and
     * what the kernel says itself needs no answer, unless it is a fault. */
    bool receives_truly;

    /* So many calls in one input are one that never ends; 0: ADVERSARY_CALL_LIMIT. */
    uint64_t calls_max;

    /* A client: it calls no peer without a deadline, and nobody sends it anything. */
    bool is_client;
};

/* Starts an input. `choices` and `plan` must stay valid until the input ends. */
void adversary_begin(struct choices *choices, const struct adversary_plan *plan);

/* Calls received whose reply is still owed. */
unsigned adversary_owed_count(void);

/* Times that each way out was taken since adversary_begin(). */
struct adversary_counts {
    uint64_t calls;
    uint64_t receives;
    uint64_t replies;
};
struct adversary_counts adversary_counts(void);

#endif
