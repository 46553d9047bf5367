/* SPDX-License-Identifier: ISC */
/* One failure in a run of the world: the call that is made to fail, and how. The world asks at each
 * call of a process; here is decided whether it is the one. */
#ifndef BASALT_PROPS_WORLD_INJECTION_H
#define BASALT_PROPS_WORLD_INJECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/message.h"
#include "abi/message_type.h"
#include "abi/status.h"

/* What becomes of a call. All but the first two are for calls to other services, and those that
 * need a deadline for calls that have one. */
enum fate {
    FATE_MADE,
    FATE_REFUSED,   /* not carried out; its answer is a bare refusal */
    FATE_TIMED_OUT, /* not carried out; its time passes */
    FATE_LOST,      /* carried out; its time passes, and the answer is thrown away */
    FATE_LATE,      /* who receives it is not done with it before its time has passed */
    FATE_UNHEARD,   /* who receives it answers nothing any more, nor receives */
    FATE_KILLS,     /* who receives it ends */
    FATE_COUNT
};

/* "refused", "timed-out", ... */
const char *fate_name(enum fate fate);

struct injection {
    const char *program; /* whose calls are counted: a name of props/world/programs.c */
    uint64_t number;     /* it happens to this call, from 0, or the next one that its fate is for */
    enum fate fate;
    enum status status; /* FATE_REFUSED: the refusal */
    /* What became of it; zero before a run. */
    uint64_t count;                    /* calls that were counted */
    uint64_t happened_at;              /* number of the call */
    const struct operation *operation; /* of the call; null: there was no such call */
    uint64_t request_id;               /* of a message that does something to who receives it */
    uint64_t late_ticks;               /* FATE_LATE: when its time has passed */
    const char *victim; /* FATE_UNHEARD, FATE_KILLS: who received it; null: nobody did */
};

/* The fate of the call that a process of `program` (may be null) is about to make. `injection` may
 * be null. */
enum fate injection_fate(struct injection *injection, const char *program,
                         const struct message *message, uint64_t deadline_ticks);

/* What the message does to the process of `program` that received it. */
enum fate injection_received(struct injection *injection, const char *program,
                             const struct message *message);

#endif
