/* SPDX-License-Identifier: ISC */
/* test-ready: takes the start envelope of whatever it stands for, and answers otherwise than it
 * should, or not, or dies (R5). It checks nothing that it holds. */
#include "services/probes/ready.h"

#include "abi/codec.h"
#include "abi/formats/envelope.h"
#include "abi/messages/startup.h"
#include "abi/slots.h"
#include "abi/system.h"
#include "abi/user_memory.h"
#include "services/probes/expectations.h"
#include "services/probes/layout.h"
#include "services/probes/probes.h"

struct ready {
    struct message message;
    struct receive_info info;
    struct startup_start_service_request request;
    struct envelope envelope;
};

/* Time passes; whoever sends meanwhile hears nothing. */
static void sleep_until(struct ready *ready, uint64_t deadline_ticks)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        ready->message.header = (struct message_header){.version = MESSAGE_VERSION};
        status = sys_recv(SLOT_SERVICE_ENDPOINT, &ready->message, deadline_ticks, &ready->info);
    }
}

static bool take_envelope(struct ready *ready)
{
    ready->message.header = (struct message_header){.version = MESSAGE_VERSION};
    return sys_recv(SLOT_SERVICE_ENDPOINT, &ready->message, DEADLINE_NEVER, &ready->info) ==
               STATUS_OK &&
           message_decode(&startup_start_service_request_type, &ready->message, &ready->request) ==
               STATUS_OK &&
           envelope_parse(ready->request.envelope, ready->request.count, &ready->envelope) ==
               STATUS_OK;
}

/* False: nobody has heard it. */
static bool answer(struct ready *ready, uint32_t role, uint32_t cap_count, uint32_t reply_slot)
{
    struct startup_start_service_reply reply = {.role = role, .checked_cap_count = cap_count};
    uint64_t request_id = ready->message.header.request_id;
    if (message_encode(&startup_start_service_reply_type, &reply, &ready->message) != STATUS_OK)
        return false;
    ready->message.header.request_id = request_id;
    return sys_reply(reply_slot, &ready->message) == STATUS_OK;
}

uint32_t test_ready_main(uint64_t argument)
{
    struct ready ready = {.info = {0}};
    uint64_t mode = user_load64(PROBE_DATA_VA);
    (void)argument;
    if (!take_envelope(&ready))
        return FAULT_KILL_SURVIVED;
    uint32_t role = ready.envelope.role + (mode == READY_OTHER_ROLE);
    uint32_t cap_count = ready.envelope.entry_count + (mode == READY_OTHER_COUNT);
    uint32_t reply_slot = ready.info.reply_slot;
    uint64_t id = ready.message.header.request_id;
    if (mode == READY_LATE)
        sleep_until(&ready, ready.info.now_ticks + ready.envelope.ready_ticks + TICKS_PER_SECOND);
    if (mode == READY_FAULTS)
        user_store64(PROBE_WILD_VA, 1);
    ready.message.header.request_id = id;
    bool heard = mode == READY_NEVER || answer(&ready, role, cap_count, reply_slot);
    while (!heard && mode != READY_LATE) /* a launcher asks again, as every service is asked */
        heard = take_envelope(&ready) && answer(&ready, role, cap_count, ready.info.reply_slot);
    sleep_until(&ready,
                mode == READY_DIES ? ready.info.now_ticks + TICKS_PER_SECOND : DEADLINE_NEVER);
    user_store64(PROBE_WILD_VA, 1);
    return FAULT_KILL_SURVIVED;
}
