/* SPDX-License-Identifier: ISC */
/* What deviced must answer and do, written from its contract (services/deviced/deviced.h). The calls
 * that it makes are replayed: the model says which one comes next, and what its outcome, which is the
 * environment's, means for the driver that it was made for. */
#ifndef BASALT_PROPS_MODELS_MODEL_DEVICED_H
#define BASALT_PROPS_MODELS_MODEL_DEVICED_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/message.h"
#include "abi/messages/deviced.h"
#include "props/models/model.h"

enum { MODEL_DEVICED_LIMIT = 64 };

enum model_deviced_what {
    CALL_CREATE,
    CALL_INSTALL,
    CALL_POLICY,
    CALL_START,
    CALL_ASK,
    CALL_STOP,
    CALL_QUERY,
    CALL_DROP,
    CALL_MOVE,
    CALL_LOG_WRITE,
    CALL_LOOKUP,
    CALL_APPEND
};

struct model_deviced_call {
    enum model_deviced_what what;
    enum status status;
    uint64_t deadline_ticks;
    uint64_t process_id; /* CREATE: of what was made; START, STOP, QUERY: of whom */
    uint64_t image_offset;
    uint64_t image_bytes;
    uint32_t page_limit;
    uint32_t budget_pages;
    uint64_t ready_ticks; /* POLICY */
    uint32_t role;        /* CREATE */
    uint32_t slot;        /* DROP; to which: MOVE; of the driver: INSTALL */
    bool right;           /* ASK: READY, as the driver's role and rows say */
    bool dead;            /* ASK: nobody was there to answer */
    bool said;            /* ASK: TIMED_OUT is what the driver says itself */
};

struct model_deviced_calls {
    const struct model_deviced_call *calls;
    uint32_t count;
};

/* What is to be done for a driver: nothing, or the next step of its launch, or giving back. */
enum model_deviced_duty { DUTY_NONE, DUTY_MAKE, DUTY_RUN, DUTY_ASK, DUTY_RETURN };

struct model_deviced_driver {
    uint32_t role;
    uint64_t image_offset;
    uint64_t image_bytes;
    uint32_t page_limit;
    uint32_t budget_pages;
    uint64_t ready_ticks;
    enum driver_state state;
    enum model_deviced_duty duty;
    bool has_process; /* that was not given back */
    bool has_end;
    bool has_grant;
    bool has_named; /* an end of named, from its binding on */
    uint64_t process_id;
    uint64_t give_up_ticks;
    uint64_t slice_ticks;
    uint64_t not_before_ticks;
    enum status cause;
    uint32_t reason;
    uint32_t code;
    bool rests; /* procd says that it is between two lives */
};

struct model_deviced {
    uint64_t now_ticks; /* the latest that deviced was told */
    bool validates;     /* its envelope named a profile */
    bool sealed;
    bool finds_log; /* the last line was taken */
    bool holds_log; /* it has an end of logd, be it of no use */
    uint32_t turn;  /* whose work is done next, if there is some */
    uint32_t count;
    struct model_deviced_driver drivers[MODEL_DEVICED_LIMIT];
};

struct model_deviced_answer {
    enum status status;
    bool changed;
    struct deviced_read_driver_reply read;
    uint32_t binding_count;
};

void model_deviced_reset(struct model_deviced *model, bool validates);

/* One message, received at `now_ticks`, in which deviced made the calls. */
struct model_deviced_answer model_deviced_step(struct model_deviced *model,
                                               const struct message *request, uint64_t now_ticks,
                                               struct model_deviced_calls calls);

/* One deviced_tick at `now_ticks`. `outcome`: how a driver that procd was asked about has ended. */
void model_deviced_tick(struct model_deviced *model, uint64_t now_ticks,
                        struct model_deviced_calls calls);

/* A driver has ended: what procd will say of it. */
void model_deviced_ended(struct model_deviced *model, uint64_t process_id, uint32_t reason,
                         uint32_t code);

/* A driver is between two lives, or is not any more. */
void model_deviced_rests(struct model_deviced *model, uint64_t process_id, bool rests);

/* When a tick has something to do: DEADLINE_POLL, at once; DEADLINE_NEVER, when something comes. */
uint64_t model_deviced_next(const struct model_deviced *model);

#endif
