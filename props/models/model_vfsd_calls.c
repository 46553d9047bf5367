/* SPDX-License-Identifier: ISC */
/* What the model of vfsd says of calls: which one comes next, what is believed of its answer, and
 * when a session is over. */
#include <string.h>

#include "abi/roles.h"
#include "abi/slots.h"
#include "abi/text/generate.h"
#include "props/models/model_ramfsd_inside.h"
#include "props/models/model_vfsd_inside.h"

/* Another call than the contract says. */
void model_vfsd_call_is(const struct model_vfsd *model, bool right)
{
    if (model->about_handles)
        PROPERTY(F8, "call", right);
    PROPERTY(F7, "call", right);
}

/* The next call that vfsd made. */
static const struct model_vfsd_call *next(struct model_vfsd *model, enum model_vfsd_what what)
{
    model_vfsd_call_is(model, model->call_at < model->call_count);
    const struct model_vfsd_call *call = &model->calls[model->call_at++];
    model_vfsd_call_is(model, call->what == what);
    return call;
}

void model_vfsd_drop(struct model_vfsd *model, uint32_t mount)
{
    const struct model_vfsd_call *call = next(model, CALL_DROP);
    PROPERTY_EQUAL(F10, "slot", call->slot, SLOT_DYNAMIC_BASE + mount);
    if (call->status == STATUS_OK || call->status == STATUS_NOT_FOUND)
        PROPERTY_EQUAL(K1, "held", call->status == STATUS_OK, model->held[mount]);
    if (call->status == STATUS_OK)
        model->held[mount] = false;
}

static void over(struct model_vfsd *model, uint32_t mount)
{
    model->changed = model->changed || model->mounts[mount].session != 0;
    model->mounts[mount].session = 0;
}

static bool is_among(enum status status, const enum status *refusals)
{
    while (*refusals != STATUS_OK && *refusals != status)
        refusals++;
    return *refusals == status;
}

/* The kernel says so, or that there was no answer. */
static bool no_answer(const struct model_vfsd_call *call)
{
    return !call->answered && call->status != STATUS_OK;
}

void model_vfsd_clock(struct model_vfsd *model, uint64_t now_ticks)
{
    model->clock_ticks = now_ticks;
    model->times = 1;
    model->asked = false;
    model->shared = false;
}

/* --- pauses --- */

/* What a mount was asked, or named for it, was in vain: paths to it are refused for a while. */
static void pause(struct model_vfsd *model, uint32_t index)
{
    struct model_vfsd_mount *mount = &model->mounts[index];
    bool was_long_ago = model->clock_ticks - mount->again >= MODEL_VFSD_PAUSE_LAST &&
                        model->clock_ticks >= mount->again;
    if (mount->pause_ticks == 0 || was_long_ago)
        mount->pause_ticks = MODEL_VFSD_PAUSE_FIRST;
    else if (mount->pause_ticks < MODEL_VFSD_PAUSE_LAST)
        mount->pause_ticks *= 2;
    mount->again = model->clock_ticks + mount->pause_ticks;
    mount->paused = true;
    model->changed = true;
}

static void pause_over(struct model_vfsd *model, uint32_t mount)
{
    model->changed = model->changed || model->mounts[mount].paused;
    model->mounts[mount].paused = false;
}

bool model_vfsd_is_let_be(struct model_vfsd *model, uint32_t index)
{
    struct model_vfsd_mount *mount = &model->mounts[index];
    if (!mount->paused)
        return false;
    if (model->tried || model->clock_ticks < mount->again) {
        PROPERTY_EQUAL(F11, "asked", model->call_count, model->call_at);
        return true;
    }
    model->tried = true;
    if (model->asked && (model->shared || model->last != index))
        model->times++;
    model->asked = true;
    model->shared = false;
    model->last = index;
    return false;
}

/* --- asking --- */

/* By when the provider must have answered: those that are looked at share one time; who may change
 * something, after others were asked, gets one of its own. */
static uint64_t due(struct model_vfsd *model, uint32_t mount, uint16_t operation)
{
    bool others = model->asked && (model->shared || model->last != mount);
    if (others && (model_ramfsd_would_change(operation) || operation == OP_RAMFSD_OPEN ||
                   operation == OP_RAMFSD_CLOSE)) {
        model->times++;
        others = false;
    }
    model->shared = others;
    model->asked = true;
    model->last = mount;
    return model->clock_ticks + (uint64_t)model->times * MODEL_VFSD_CALL_TICKS;
}

/* A time of its own is over without an answer: so is the session. */
static enum status timed_out(struct model_vfsd *model, uint32_t mount,
                             const struct model_vfsd_call *call)
{
    bool was_shared = model->shared;
    model_vfsd_clock(model, call->deadline_ticks);
    pause(model, mount);
    if (!was_shared)
        over(model, mount);
    return STATUS_TIMED_OUT;
}

enum status model_vfsd_ask(struct model_vfsd *model, uint32_t mount,
                           const struct message_type *type, const void *body,
                           const enum status *refusals, struct model_ramfsd_answer *answer)
{
    const struct model_vfsd_call *call = next(model, CALL_ASK);
    struct message request;
    uint64_t node = 0;
    generate_delivered(type, body, &request);
    request.header.badge = ROLE_VFSD;
    if (type->operation != OP_RAMFSD_ATTACH)
        memcpy(&node, request.body, sizeof node);
    PROPERTY_EQUAL(F10, "whom", call->tree, model->mounts[mount].tree);
    model_vfsd_call_is(model, call->operation == type->operation);
    PROPERTY_EQUAL(F7, "node", call->node, node);
    PROPERTY_EQUAL(F10, "due", call->deadline_ticks, due(model, mount, type->operation));
    memset(answer, 0, sizeof *answer);
    if (call->did)
        *answer = model_ramfsd_step(model->trees[call->tree], &request, call->now_ticks);
    if (call->did && call->answered && !call->lied)
        PROPERTY_EQUAL(F7, "tree", call->status, answer->status);
    if (!no_answer(call) || call->status != STATUS_TIMED_OUT)
        pause_over(model, mount);
    if (!no_answer(call) && !call->lied && call->status == STATUS_OK)
        return STATUS_OK;
    if (!no_answer(call) && !call->lied && is_among(call->status, refusals))
        return call->status;
    if (!call->lied && no_answer(call) && call->status == STATUS_TIMED_OUT)
        return timed_out(model, mount, call);
    over(model, mount);
    return call->lied || !no_answer(call) ? STATUS_INTERNAL : STATUS_PEER_DIED;
}

/* Found by named, in a slot that was emptied before. */
static enum status seek(struct model_vfsd *model, uint32_t mount)
{
    model_vfsd_drop(model, mount);
    const struct model_vfsd_call *dropped = &model->calls[model->call_at - 1];
    if (dropped->status != STATUS_OK && dropped->status != STATUS_NOT_FOUND)
        return dropped->status == STATUS_TIMED_OUT ? STATUS_TIMED_OUT : STATUS_NOT_FOUND;
    if (role_find(model->mounts[mount].role) == NULL)
        return STATUS_NOT_FOUND; /* it has no name to be found by */
    const struct model_vfsd_call *call = next(model, CALL_FIND);
    PROPERTY_EQUAL(F10, "whom", call->tree, model->mounts[mount].tree);
    if (call->status == STATUS_OK) {
        model->held[mount] = true;
        return STATUS_OK;
    }
    if (call->status == STATUS_TIMED_OUT)
        model->clock_ticks = call->deadline_ticks;
    return call->status == STATUS_TIMED_OUT ? STATUS_TIMED_OUT : STATUS_NOT_FOUND;
}

static enum status find(struct model_vfsd *model, uint32_t mount)
{
    enum status status = seek(model, mount);
    if (status == STATUS_TIMED_OUT)
        pause(model, mount);
    if (status == STATUS_NOT_FOUND)
        pause_over(model, mount);
    return status;
}

enum status model_vfsd_begin(struct model_vfsd *model, uint32_t index)
{
    static const enum status refusals[] = {STATUS_NOT_FOUND, STATUS_OK};
    struct model_vfsd_mount *mount = &model->mounts[index];
    struct ramfsd_attach_request attach = {.count = mount->source_count};
    struct model_ramfsd_answer answer;
    memcpy(attach.source, mount->source, mount->source_count);
    if (mount->session != 0)
        return STATUS_OK;
    enum status status = find(model, index);
    model->changed = true; /* an end came or went */
    if (status == STATUS_OK)
        status =
            model_vfsd_ask(model, index, &ramfsd_attach_request_type, &attach, refusals, &answer);
    if (status != STATUS_OK)
        return status;
    mount->root = answer.reply.attach.root_node;
    mount->source_read_only = answer.reply.attach.read_only != 0;
    mount->session = ++model->last_session;
    return STATUS_OK;
}
