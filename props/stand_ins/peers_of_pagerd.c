/* SPDX-License-Identifier: ISC */
/* See peers_of_pagerd.h. What pagerd itself could do wrong towards its peers is stated here as a
 * property; what an environment may do to it is a result. */
#include "props/stand_ins/peers_of_pagerd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/system.h"
#include "props/stand_ins/peers_of_pagerd_accounts.h"
#include "props/base/digest.h"
#include "props/base/marks.h"
#include "props/base/property.h"
#include "props/base/trace.h"
#include "services/pagerd/pagerd.h"

enum { EVENTS = 4096 };

static struct {
    bool waits;
    bool gone;
} callers[STANDIN_REPLY_SLOTS];

static uint64_t fail_in;
static uint64_t fail_times;
static enum status fail_status;
static bool fail_late;

static struct pagerd_event events[EVENTS];
static unsigned event_count;

void standin_reset(void)
{
    books_reset();
    memset(callers, 0, sizeof callers);
    event_count = 0;
    fail_times = 0;
}

/* --- the environment ------------------------------------------------------------------------- */

void standin_fail(uint64_t k, enum status status, uint64_t times, bool late)
{
    fail_in = k;
    fail_status = status;
    fail_times = times;
    fail_late = late;
}

void standin_calm(void)
{
    fail_times = 0;
    books_calm();
}

unsigned standin_waiting(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < STANDIN_REPLY_SLOTS; i++)
        count += callers[i].waits;
    return count;
}

bool standin_caller_gone(uint64_t which)
{
    unsigned waiting = standin_waiting();
    if (waiting == 0)
        return false;
    which %= waiting;
    for (unsigned i = 0; i < STANDIN_REPLY_SLOTS; i++) {
        if (callers[i].waits && which-- == 0) {
            callers[i].gone = true;
            return true;
        }
    }
    return false;
}

/* --- messages to pagerd ---------------------------------------------------------------------- */

void standin_deliver(struct message *message)
{
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        struct message_cap *cap = &message->caps[i];
        uint32_t slot = SLOT_RECEIVE_BASE + i;
        uint32_t object = 0;
        memcpy(&object, message->body + cap->field_offset, sizeof object);
        memcpy(message->body + cap->field_offset, &slot, sizeof slot);
        *books_place(slot) = (struct held){(enum object_type)cap->object_type, cap->rights,
                                           object != 0 ? object : 1};
        cap->badge = 0;
    }
}

void standin_drop_window(void)
{
    for (uint32_t i = 0; i < MESSAGE_CAP_LIMIT; i++)
        *books_place(SLOT_RECEIVE_BASE + i) = (struct held){0};
}

bool standin_caller_waits(uint32_t reply_slot)
{
    uint32_t index = reply_slot - SLOT_REPLY_BASE;
    return reply_slot >= SLOT_REPLY_BASE && index < STANDIN_REPLY_SLOTS && callers[index].waits;
}

uint32_t standin_caller(void)
{
    for (uint32_t i = 0; i < STANDIN_REPLY_SLOTS; i++) {
        if (!callers[i].waits) {
            callers[i].waits = true;
            callers[i].gone = false;
            return SLOT_REPLY_BASE + i;
        }
    }
    return 0;
}

void standin_replied(uint32_t reply_slot)
{
    callers[reply_slot - SLOT_REPLY_BASE].waits = false;
}

/* --- the log --------------------------------------------------------------------------------- */

struct pagerd_log standin_log(void)
{
    return (struct pagerd_log){.events = events, .count = event_count};
}

void standin_log_clear(void)
{
    event_count = 0;
}

/* Comments of the trace: what pagerd did. */
static void show(const struct pagerd_event *event)
{
    static const char *const names[] = {
        [ACT_REGISTER_VSPACE] = "register_vspace",
        [ACT_UNREGISTER_VSPACE] = "unregister_vspace",
        [ACT_GUARD] = "guard",
        [ACT_MAP_ANONYMOUS] = "map_anonymous",
        [ACT_MAP_IMAGE] = "map_image",
        [ACT_MAP_FRAME] = "map_frame",
        [ACT_ALLOC_FRAMES] = "alloc_frames",
        [ACT_FREE_FRAMES] = "free_frames",
        [ACT_FRAME_COPY] = "frame_copy",
        [ACT_KEEP_ACCOUNT] = "keep_account",
        [ACT_DROP_ACCOUNT] = "drop_account",
        [ACT_DROP_FRAME] = "drop_frame",
        [ACT_ANSWER] = "answer",
    };
    if (event->act == ACT_ANSWER)
        TRACE("#   answers slot %u: %s %s", (unsigned)event->what[0],
              event->what[2] == FAULT_RESOLVED ? "RESOLVED" : "END",
              end_reason_name((unsigned)event->what[3]));
    else
        TRACE("#   %s 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx: %s", names[event->act],
              (unsigned long long)event->what[0], (unsigned long long)event->what[1],
              (unsigned long long)event->what[2], (unsigned long long)event->what[3],
              (unsigned long long)event->what[4], status_name(event->result));
}

static void note(struct pagerd_event event)
{
    show(&event);
    PROPERTY(E8, "log", event_count < EVENTS);
    events[event_count++] = event;
    digest_u64(event.act);
    for (unsigned i = 0; i < 5; i++)
        digest_u64(event.what[i]);
    digest_u64((uint64_t)event.result << 32 | event.out);
}

/* --- calls ----------------------------------------------------------------------------------- */

union any_request {
    struct kernel_drop_local_cap_request drop;
    struct kernel_move_local_cap_request move;
    struct kernel_frame_copy_request copy;
    struct memd_alloc_frames_request alloc;
    struct memd_free_frames_request free;
    struct vspaced_register_vspace_request adopt;
    struct vspaced_unregister_vspace_request release;
    struct vspaced_guard_request guard;
    struct vspaced_map_anonymous_request anonymous;
    struct vspaced_map_frames_request map;
    uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
};

union any_reply {
    struct memd_alloc_frames_reply alloc;
    struct vspaced_register_vspace_reply adopt;
    uint64_t nothing;
};

struct call {
    struct held through;
    const struct operation *operation;
    struct window window;
    union any_request request;
    union any_reply reply;
    struct pagerd_event event;
};

static void says(struct pagerd_event *event, enum pagerd_act act, uint64_t a, uint64_t b,
                 uint64_t c, uint64_t d, uint64_t e)
{
    *event = (struct pagerd_event){.act = act, .what = {a, b, c, d, e}};
}

/* What the call means, said with objects. Nothing happens yet. */
static void describe(struct call *call)
{
    const union any_request *request = &call->request;
    struct pagerd_event *event = &call->event;
    struct held frame = books_held(request->map.frame_slot);
    switch (call->operation->id) {
    case OP_KERNEL_DROP_LOCAL_CAP: {
        struct held held = books_held(request->drop.slot);
        says(event, held.type == OBJECT_ENDPOINT ? ACT_DROP_ACCOUNT : ACT_DROP_FRAME, held.object,
             0, 0, 0, 0);
        break;
    }
    case OP_KERNEL_MOVE_LOCAL_CAP:
        says(event, ACT_KEEP_ACCOUNT, standin_object(request->move.source_slot), 0, 0, 0, 0);
        break;
    case OP_KERNEL_FRAME_COPY:
        PROPERTY(G4, "source", books_held(request->copy.source_slot).type == OBJECT_IMAGE);
        says(event, ACT_FRAME_COPY, request->copy.source_offset_bytes,
             standin_object(request->copy.target_slot), request->copy.target_offset_bytes,
             request->copy.count, 0);
        break;
    case OP_MEMD_ALLOC_FRAMES:
        says(event, ACT_ALLOC_FRAMES, call->through.object, request->alloc.count, 0, 0, 0);
        break;
    case OP_MEMD_FREE_FRAMES:
        says(event, ACT_FREE_FRAMES, call->through.object, request->free.count,
             request->free.frame_ids[0].frame_id, 0, 0);
        break;
    case OP_VSPACED_REGISTER_VSPACE:
        says(event, ACT_REGISTER_VSPACE, standin_object(request->adopt.vspace_slot),
             standin_object(request->adopt.account_slot), 0, 0, 0);
        break;
    case OP_VSPACED_UNREGISTER_VSPACE:
        says(event, ACT_UNREGISTER_VSPACE, request->release.vspace_cap_slot, 0, 0, 0, 0);
        break;
    case OP_VSPACED_GUARD:
        says(event, ACT_GUARD, request->guard.vspace_cap_slot, request->guard.va,
             request->guard.page_count, 0, 0);
        break;
    case OP_VSPACED_MAP_ANONYMOUS:
        says(event, ACT_MAP_ANONYMOUS, request->anonymous.vspace_cap_slot, request->anonymous.va,
             request->anonymous.rights, request->anonymous.page_count, 0);
        break;
    case OP_VSPACED_MAP_FRAMES:
        if (frame.type == OBJECT_IMAGE)
            says(event, ACT_MAP_IMAGE, request->map.vspace_cap_slot, request->map.va,
                 request->map.rights, request->map.page_count, request->map.frame_page);
        else
            says(event, ACT_MAP_FRAME, request->map.vspace_cap_slot, request->map.va,
                 request->map.rights, request->map.page_count, request->map.frame_id);
        break;
    default:
        PROPERTY(E5, "operation", false);
    }
}

static enum status do_move(const struct kernel_move_local_cap_request *request)
{
    struct held *source = books_place(request->source_slot);
    struct held *target = books_place(request->target_slot);
    if (source == NULL || target == NULL || source->type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    if (target->type != OBJECT_NONE)
        return STATUS_BUSY;
    *target = *source;
    *source = (struct held){0};
    return STATUS_OK;
}

static enum status do_drop(uint32_t slot)
{
    struct held *place = books_place(slot);
    if (place == NULL || place->type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    *place = (struct held){0};
    return STATUS_OK;
}

static enum status do_alloc(struct call *call)
{
    uint32_t account = call->through.object;
    struct held *target = books_place(call->window.first_slot);
    PROPERTY(E4, "window", call->window.count == 1 && target != NULL);
    if (target->type != OBJECT_NONE)
        return STATUS_BUSY;
    uint32_t id = books_frame_make(account);
    if (id == 0)
        return STATUS_EXHAUSTED;
    *target = (struct held){OBJECT_FRAME, RIGHTS_MAPPING | RIGHT_MAP | RIGHT_TRANSFER, id};
    call->reply.alloc.count = 1;
    call->reply.alloc.frame_id_0 = id;
    call->reply.alloc.frame_slot_0 = call->window.first_slot;
    call->event.out = id;
    return STATUS_OK;
}

static enum status do_free(const struct call *call)
{
    struct frame *frame = books_frame(call->request.free.frame_ids[0].frame_id);
    PROPERTY(M3, frame != NULL && frame->account == call->through.object);
    books_frame_destroy(frame);
    return STATUS_OK;
}

static enum status do_map(const struct vspaced_map_frames_request *request)
{
    struct space *space = books_space(request->vspace_cap_slot);
    struct held held = books_held(request->frame_slot);
    if (held.type == OBJECT_IMAGE) {
        PROPERTY(G4, "shared", (request->rights & RIGHT_WRITE) == 0 && request->frame_id == 0);
        return books_space_map(space, (struct page){.va = request->va});
    }
    struct frame *frame = books_frame(held.object);
    PROPERTY(G4, "frame", frame != NULL && request->frame_id == held.object);
    PROPERTY(G4, "private", frame->account == space->account && !frame->mapped);
    enum status status =
        books_space_map(space, (struct page){.va = request->va, .frame_id = frame->id});
    frame->mapped = status == STATUS_OK;
    return status;
}

static enum status do_copy(const struct kernel_frame_copy_request *request)
{
    struct held target = books_held(request->target_slot);
    const struct frame *frame = books_frame(target.object);
    PROPERTY(G4, "target", target.type == OBJECT_FRAME && frame != NULL && !frame->mapped);
    PROPERTY(G4, "copy", request->target_offset_bytes + request->count <= PAGE_BYTES);
    return STATUS_OK;
}

static enum status perform(struct call *call)
{
    const union any_request *request = &call->request;
    enum status status = STATUS_OK;
    uint32_t slot = 0;
    switch (call->operation->id) {
    case OP_KERNEL_DROP_LOCAL_CAP:
        return do_drop(request->drop.slot);
    case OP_KERNEL_MOVE_LOCAL_CAP:
        return do_move(&request->move);
    case OP_KERNEL_FRAME_COPY:
        return do_copy(&request->copy);
    case OP_MEMD_ALLOC_FRAMES:
        return do_alloc(call);
    case OP_MEMD_FREE_FRAMES:
        return do_free(call);
    case OP_VSPACED_REGISTER_VSPACE:
        status = books_space_register(standin_object(request->adopt.vspace_slot),
                                      standin_object(request->adopt.account_slot), &slot);
        call->reply.adopt.vspace_cap_slot = slot;
        call->event.out = slot;
        return status;
    case OP_VSPACED_UNREGISTER_VSPACE:
        return books_space_unregister(books_space(request->release.vspace_cap_slot));
    case OP_VSPACED_GUARD:
        return books_space_guard(books_space(request->guard.vspace_cap_slot), request->guard.va,
                                 request->guard.page_count);
    case OP_VSPACED_MAP_ANONYMOUS:
        return books_space_map(books_space(request->anonymous.vspace_cap_slot),
                               (struct page){.va = request->anonymous.va, .counted = true});
    case OP_VSPACED_MAP_FRAMES:
        return do_map(&request->map);
    default:
        return STATUS_DENIED;
    }
}

/* --- the seam -------------------------------------------------------------------------------- */

static enum service_id service_behind(uint32_t slot, struct held *through)
{
    *through = (struct held){0};
    if (slot == SLOT_SELF || slot == SLOT_KERNEL_PAGER_ENDPOINT)
        return SERVICE_KERNEL;
    if (slot == SLOT_PEER_VSPACED)
        return SERVICE_VSPACED;
    *through = books_held(slot);
    PROPERTY(E5, "slot", slot >= SLOT_DYNAMIC_BASE && through->type == OBJECT_ENDPOINT);
    return SERVICE_MEMD;
}

/* What the peer gets to see: types and rights of what pagerd really holds, never more (K1). */
static void transfer(struct message *message)
{
    for (unsigned i = 0; i < message->header.cap_count; i++) {
        struct message_cap *cap = &message->caps[i];
        uint32_t slot;
        memcpy(&slot, message->body + cap->field_offset, sizeof slot);
        struct held held = books_held(slot);
        PROPERTY(K1, held.type != OBJECT_NONE && (held.rights & RIGHT_TRANSFER) != 0 &&
                         cap->mode == TRANSFER_COPY && cap->flags == 0);
        cap->object_type = (uint8_t)held.type;
        cap->rights = (uint16_t)(cap->rights & held.rights);
    }
}

static bool failure_due(void)
{
    if (fail_times == 0 || fail_in-- != 0)
        return false;
    fail_in = 0;
    fail_times--;
    return true;
}

static enum status carry_out(struct call *call)
{
    bool fails = failure_due();
    bool is_drop = call->operation->id == OP_KERNEL_DROP_LOCAL_CAP;
    if (!fails)
        return perform(call);
    if (fail_late && call->operation->service != SERVICE_KERNEL) {
        enum status status = perform(call);
        struct held *target = books_place(call->window.first_slot);
        if (status != STATUS_OK)
            return status;
        if (call->operation->id == OP_MEMD_ALLOC_FRAMES) {
            books_frame(call->reply.alloc.frame_id_0)->excused = true;
            *target = (struct held){0};
        }
        call->event.out = 0;
        return STATUS_TIMED_OUT;
    }
    if (call->operation->id == OP_MEMD_FREE_FRAMES)
        books_frame(call->request.free.frame_ids[0].frame_id)->excused = true;
    return is_drop && fail_status == STATUS_NOT_FOUND ? STATUS_INTERNAL : fail_status;
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    static struct call call;
    uint64_t request_id = message->header.request_id;
    memset(&call.reply, 0, sizeof call.reply);
    call.window = (struct window){message->header.window_slot, message->header.window_count};
    enum service_id service = service_behind(slot, &call.through);
    call.operation = operation_find(service, message->header.operation);
    PROPERTY(E5, "operation", call.operation != NULL);
    PROPERTY(E5, "deadline", service == SERVICE_KERNEL || deadline_ticks - 1 < DEADLINE_NEVER - 1);
    transfer(message);
    PROPERTY_EQUAL(E2, message_decode(call.operation->request, message, &call.request), STATUS_OK);
    if (call.operation->id == OP_VSPACED_MAP_FRAMES)
        PROPERTY_EQUAL(K1, "least", message->caps[0].rights, RIGHT_MAP | call.request.map.rights);
    describe(&call);
    enum status status = carry_out(&call);
    call.event.result = status;
    note(call.event);
    if (status == STATUS_TIMED_OUT || status == STATUS_PEER_DIED)
        return status;
    if (status != STATUS_OK) {
        message_refuse(message, status);
        return STATUS_OK;
    }
    PROPERTY_EQUAL(E2, message_encode(call.operation->reply, &call.reply, message), STATUS_OK);
    message->header.request_id = request_id;
    for (unsigned i = 0; i < message->header.cap_count; i++)
        message->caps[i].object_type = OBJECT_FRAME;
    return STATUS_OK;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    (void)slot;
    (void)message;
    (void)deadline_ticks;
    (void)info;
    PROPERTY(E5, "receive", false); /* a handler never receives */
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    uint32_t index = reply_slot - SLOT_REPLY_BASE;
    struct event_fault_reply reply;
    PROPERTY(G1, "once", standin_caller_waits(reply_slot));
    PROPERTY_EQUAL(E2, reply_decode(&event_fault_reply_type, message, &reply), STATUS_OK);
    enum status status = callers[index].gone ? STATUS_NOT_FOUND : STATUS_OK;
    MARK_IF("pagerd: answer to one who is gone", status != STATUS_OK);
    callers[index].waits = false;
    struct pagerd_event event;
    says(&event, ACT_ANSWER, reply_slot, message->header.request_id, reply.verdict, reply.reason,
         0);
    note(event);
    return status;
}
