/* SPDX-License-Identifier: ISC */
/* timed's operations. Decides when a wait is over, and nothing else; reads the clock that the kernel
 * has, and sets none. */
#include "services/timed/timed.h"

#include <stddef.h>
#include <string.h>

#include "services/lib/discovery.h"
#include "services/timed/internal.h"

/* --- clocks ---------------------------------------------------------------------------------- */

/* The kernel's clock, and never an earlier one than was told before. */
static enum status now(struct timed *timed, uint64_t *now_ticks)
{
    enum status status =
        kernel_read_monotonic_clock(&timed->caller, SLOT_KERNEL_TIME_ENDPOINT, now_ticks);
    if (status == STATUS_OK)
        caller_see_clock(&timed->caller, *now_ticks);
    *now_ticks = timed->caller.now_ticks;
    return status;
}

enum status timed_now_monotonic(struct timed *timed, struct timed_request *request)
{
    return now(timed, &request->reply.now_monotonic.now_ticks);
}

enum status timed_now_wall(struct timed *timed, struct timed_request *request)
{
    uint64_t now_ticks;
    enum status status = now(timed, &now_ticks);
    request->reply.now_wall = (struct timed_now_wall_reply){
        .epoch_seconds = now_ticks / TICKS_PER_SECOND,
        .second_ticks = (uint32_t)(now_ticks % TICKS_PER_SECOND),
    };
    return status;
}

/* --- waits ----------------------------------------------------------------------------------- */

static uint32_t place_of(uint32_t reply_slot)
{
    UNIT_ASSERT(reply_slot >= SLOT_REPLY_BASE && reply_slot - SLOT_REPLY_BASE < TIMED_WAIT_LIMIT);
    return reply_slot - SLOT_REPLY_BASE;
}

/* A reply slot that comes with a call has nobody behind it who waits (K10). */
static void forget(struct timed *timed, uint32_t reply_slot)
{
    if (reply_slot == SLOT_NULL)
        return;
    uint32_t place = place_of(reply_slot);
    if (timed->waits[place].order != 0)
        timed_wait_remove(timed, place);
}

enum status timed_wait_until(struct timed *timed, struct timed_request *request)
{
    struct service_request *common = &request->common;
    uint64_t deadline_ticks = request->body.wait_until.deadline_ticks;
    request->reply.wait_until.now_ticks = timed->caller.now_ticks;
    if (deadline_ticks <= timed->caller.now_ticks)
        return STATUS_OK;
    timed_wait_add(timed, place_of(common->info->reply_slot), deadline_ticks, common->request_id);
    common->handled = HANDLED_LATER;
    return STATUS_OK;
}

/* A caller that is gone needs no answer. */
static void answer(struct timed *timed, uint32_t place)
{
    struct timed_wait_until_reply reply = {.now_ticks = timed->caller.now_ticks};
    struct message *message = caller_message(&timed->caller);
    uint64_t request_id = timed->waits[place].request_id;
    timed_wait_remove(timed, place);
    if (message_encode(&timed_wait_until_reply_type, &reply, message) != STATUS_OK)
        message_refuse(message, STATUS_INTERNAL);
    message->header.operation = OP_TIMED_WAIT_UNTIL;
    message->header.request_id = request_id;
    (void)sys_reply(SLOT_REPLY_BASE + place, message);
}

void timed_tick(struct timed *timed, uint64_t now_ticks)
{
    caller_see_clock(&timed->caller, now_ticks);
    for (uint32_t i = 0; i < TIMED_TURN_ANSWERS; i++) {
        if (timed->wait_count == 0 || timed_next_deadline(timed) > timed->caller.now_ticks)
            return; /* W1: never early */
        answer(timed, timed_wait_first(timed));
    }
}

/* --- one message ----------------------------------------------------------------------------- */

#define SERVICE       timed
#define SERVICE_TABLE "abi/messages/timed.def"
#include "services/lib/unfold_rows.h"

static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct timed_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    return badge != 0 && badge <= ROLE_ID_MAX ? FROM_CLIENT : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled timed_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct timed *timed = state;
    struct timed_request request; /* the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &timed->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    forget(timed, info->reply_slot);
    return service_dispatch(&table, timed, &request.common);
}

/* --- start ----------------------------------------------------------------------------------- */

/* What is ready can be found. */
static enum status timed_prepare(void *state, const struct envelope *start)
{
    (void)start;
    struct timed *timed = state;
    return discovery_register(&timed->caller, ROLE_TIMED);
}

static const char *unsound(const void *state)
{
    return timed_check(state);
}

void timed_run(struct timed *timed)
{
    struct envelope envelope;
    struct receive_info info;
    memset(&info, 0, sizeof info);
    enum status status =
        service_start(&timed->caller, ROLE_TIMED, &envelope, timed_prepare, unsound, timed);
    while (service_goes_on(status)) {
        status = service_turn(&timed->caller, SLOT_SERVICE_ENDPOINT, timed_next_deadline(timed),
                              timed_handle, timed, &info);
        if (service_goes_on(status))
            timed_tick(timed, info.now_ticks);
    }
    kernel_exit(&timed->caller, status);
}
