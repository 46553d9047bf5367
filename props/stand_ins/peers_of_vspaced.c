/* SPDX-License-Identifier: ISC */
/* See peers_of_vspaced.h. */
#include "props/stand_ins/peers_of_vspaced.h"

#include "abi/messages/memd.h"
#include "abi/roles.h"
#include "props/base/property.h"

enum { IMAGE_PAGES = 64 };

static enum status answer(struct stand_in_call *call)
{
    PROPERTY_EQUAL(E5, "rank", call->through.object, ROLE_MEMD);
    return peers_memd_answer((uint32_t)call->through.badge - 1, call);
}

/* Nothing is asked of memd that could not be sent any more. */
static void asked(const struct stand_in_call *call)
{
    bool control = call->through.object_type != OBJECT_ENDPOINT;
    PROPERTY(P12, "deadline",
             control ||
                 (call->deadline_ticks > stand_in_now() && call->deadline_ticks != DEADLINE_NEVER));
}

static void answered(const struct stand_in_call *call, enum status status)
{
    (void)status;
    if (call->lost && call->operation->id == OP_MEMD_ALLOC_FRAMES)
        peers_frames_undelivered(call);
}

/* Emptying the receive window is the loop's business (window_test). */
static bool may_fail(const struct stand_in_call *call)
{
    const struct kernel_drop_local_cap_request *drop = call->request;
    return call->operation->service != SERVICE_KERNEL ||
           call->operation->id != OP_KERNEL_DROP_LOCAL_CAP || drop->slot < SLOT_RECEIVE_BASE ||
           drop->slot >= SLOT_RECEIVE_BASE + MESSAGE_CAP_LIMIT;
}

static const struct stand_in_peers peers = {
    .strict = true,
    .may_fail = may_fail,
    .timed = true,
    .image_pages = IMAGE_PAGES,
    .asked = asked,
    .answered = answered,
    .answer = answer,
};

void peers_of_vspaced_begin(void)
{
    static const uint64_t limits[PEERS_VSPACED_ACCOUNTS] = {650, 12, 0};
    stand_in_begin(&peers);
    peers_memd_begin(PEERS_VSPACED_POOL_PAGES);
    for (uint32_t i = 0; i < PEERS_VSPACED_ACCOUNTS; i++)
        (void)peers_account_open(limits[i]);
}
