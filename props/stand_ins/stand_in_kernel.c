/* SPDX-License-Identifier: ISC */
/* The stand-in's slots and calls: what a CALL on kernel control does, how capabilities travel, and
 * the failure that was asked for. Objects are in stand_in_objects.c. */
#include "props/stand_ins/stand_in_kernel.h"

#include <string.h>

#include "abi/codec.h"
#include "props/stand_ins/stand_in_objects.h"
#include "props/base/property.h"

enum { TOUCHED_LIMIT = 4096, FAILURE_LIMIT = 2 };

static struct stand_in_cap slots[SLOT_LIMIT];
static uint32_t touched[TOUCHED_LIMIT]; /* slots filled since the input began */
static uint32_t touched_count;
static bool is_touched[SLOT_LIMIT];

static struct {
    struct message message; /* to deliver */
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    bool pending;
    bool window_open;
    bool replied;
    struct message reply;
    struct stand_in_cap reply_caps[MESSAGE_CAP_LIMIT];
    uint64_t calls;
    struct {
        uint64_t index;
        enum status status;
    } planned[FAILURE_LIMIT]; /* calls to fail */
    uint32_t planned_count;
    struct stand_in_failures failures;
    uint64_t write_and_execute;
    uint64_t denied;
} turn;

/* --- slots ----------------------------------------------------------------------------------- */

void stand_in_put(uint32_t slot, struct stand_in_cap cap)
{
    if (!is_touched[slot]) {
        HARNESS(touched_count < TOUCHED_LIMIT);
        is_touched[slot] = true;
        touched[touched_count++] = slot;
    }
    slots[slot] = cap;
}

struct stand_in_cap stand_in_at(uint32_t slot)
{
    return slot < SLOT_LIMIT ? slots[slot] : (struct stand_in_cap){0};
}

uint32_t stand_in_slot_count_below(uint32_t limit)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < touched_count; i++)
        count += touched[i] < limit && slots[touched[i]].object_type != OBJECT_NONE;
    return count;
}

uint32_t stand_in_slot_count(void)
{
    return stand_in_slot_count_below(SLOT_LIMIT);
}

static bool slot_empty(uint32_t slot)
{
    return slot != SLOT_NULL && slot < SLOT_LIMIT && slots[slot].object_type == OBJECT_NONE;
}

static bool slots_empty(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!slot_empty(first + i))
            return false;
    return true;
}

/* A live capability of a type with rights. */
static enum status slot_get(uint32_t slot, uint32_t type, uint32_t rights, struct stand_in_cap *cap)
{
    *cap = stand_in_at(slot);
    if (!stand_in_cap_live(cap))
        return STATUS_NOT_FOUND;
    if (cap->object_type != type)
        return STATUS_INVALID_ARGUMENT;
    return (cap->rights & rights) == rights ? STATUS_OK : STATUS_DENIED;
}

void stand_in_begin(void)
{
    for (uint32_t i = 0; i < touched_count; i++) {
        slots[touched[i]] = (struct stand_in_cap){0};
        is_touched[touched[i]] = false;
    }
    touched_count = 0;
    memset(&turn, 0, sizeof turn);
    stand_in_objects_begin();
}

/* A sum over slots, so that the order in which they were touched does not matter. */
uint64_t stand_in_digest(void)
{
    uint64_t sum = stand_in_objects_digest();
    for (uint32_t i = 0; i < touched_count; i++) {
        const struct stand_in_cap *cap = &slots[touched[i]];
        uint64_t value = (uint64_t)touched[i] << 32 | cap->object_type << 16 | cap->rights;
        value = stand_in_mix(value) ^ ((uint64_t)cap->object << 32 | cap->generation);
        if (cap->object_type != OBJECT_NONE)
            sum += stand_in_mix(value) ^ cap->badge;
    }
    return sum;
}

/* --- operations of kernel control ------------------------------------------------------------ */

static enum status op_query(const struct kernel_query_local_cap_request *request,
                            struct kernel_query_local_cap_reply *reply)
{
    struct stand_in_cap cap = stand_in_at(request->slot);
    if (request->mode != QUERY_EXACT || cap.object_type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    bool named = cap.object_type != OBJECT_FRAME; /* which page a frame is, nobody learns */
    *reply = (struct kernel_query_local_cap_reply){
        .slot = request->slot,
        .object_type = cap.object_type,
        .rights = stand_in_cap_live(&cap) ? cap.rights : 0,
        .object = named ? cap.object : 0,
        .generation = named ? cap.generation : 0,
        .badge = cap.badge,
    };
    if (cap.object_type == OBJECT_UNTYPED)
        reply->size_pages = stand_in_untyped(cap.object)->free_pages;
    return STATUS_OK;
}

static enum status op_drop(uint32_t slot)
{
    if (slot_empty(slot))
        return STATUS_NOT_FOUND;
    stand_in_put(slot, (struct stand_in_cap){0});
    return STATUS_OK;
}

static enum status op_move(const struct kernel_move_local_cap_request *request)
{
    if (slot_empty(request->source_slot))
        return STATUS_NOT_FOUND;
    if (!slot_empty(request->target_slot))
        return STATUS_BUSY;
    stand_in_put(request->target_slot, stand_in_at(request->source_slot));
    stand_in_put(request->source_slot, (struct stand_in_cap){0});
    return STATUS_OK;
}

static enum status op_retype(const struct kernel_retype_request *request)
{
    struct stand_in_cap cap;
    uint32_t slot_count = request->object_type == OBJECT_FRAME ? request->count : 1;
    enum status status = slot_get(request->untyped_slot, OBJECT_UNTYPED, RIGHT_CONTROL, &cap);
    if (status != STATUS_OK)
        return status;
    if (!slots_empty(request->target_slot, slot_count))
        return STATUS_BUSY;
    if (request->object_type == OBJECT_UNTYPED) {
        uint32_t child;
        status = stand_in_untyped_split(cap.object, request->count, &child);
        if (status == STATUS_OK)
            stand_in_put(request->target_slot, stand_in_cap_to(OBJECT_UNTYPED, child));
        return status;
    }
    if (stand_in_untyped(cap.object)->free_pages < request->count ||
        stand_in_frame_count() + request->count > STAND_IN_FRAME_LIMIT)
        return STATUS_EXHAUSTED;
    for (uint32_t i = 0; i < request->count; i++) {
        bool made;
        uint32_t frame = stand_in_frame_add(cap.object, &made);
        stand_in_put(request->target_slot + i, stand_in_cap_to(OBJECT_FRAME, frame));
    }
    return STATUS_OK;
}

static enum status op_destroy(uint32_t slot)
{
    struct stand_in_cap cap = stand_in_at(slot);
    if (!stand_in_cap_live(&cap))
        return STATUS_NOT_FOUND;
    if ((cap.rights & RIGHT_CONTROL) == 0)
        return STATUS_DENIED;
    enum status status = STATUS_OK;
    if (cap.object_type == OBJECT_FRAME)
        stand_in_frame_destroy(cap.object);
    else if (cap.object_type == OBJECT_UNTYPED)
        status = stand_in_untyped_join(cap.object);
    else
        status = STATUS_INVALID_ARGUMENT;
    if (status == STATUS_OK)
        stand_in_put(slot, (struct stand_in_cap){0});
    return status;
}

static enum status op_map(const struct kernel_map_frame_request *request)
{
    struct stand_in_cap vspace;
    struct stand_in_cap frame = stand_in_at(request->frame_slot);
    enum status status = slot_get(request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP, &vspace);
    if (status != STATUS_OK)
        return status;
    if (!stand_in_cap_live(&frame))
        return STATUS_NOT_FOUND;
    if (frame.object_type != OBJECT_FRAME && frame.object_type != OBJECT_IMAGE)
        return STATUS_INVALID_ARGUMENT;
    if (((request->rights | RIGHT_MAP) & ~frame.rights) != 0)
        return STATUS_DENIED;
    status = stand_in_map(vspace.object, &frame, request);
    turn.write_and_execute += status == STATUS_WRITE_AND_EXECUTE;
    return status;
}

static enum status op_unmap(const struct kernel_unmap_frame_request *request)
{
    struct stand_in_cap vspace;
    enum status status = slot_get(request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP, &vspace);
    if (status != STATUS_OK)
        return status;
    return stand_in_unmap(vspace.object, request->va >> PAGE_SHIFT, request->page_count);
}

static enum status op_protect(const struct kernel_protect_frame_request *request)
{
    struct stand_in_cap vspace;
    enum status status = slot_get(request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP, &vspace);
    if (status != STATUS_OK)
        return status;
    return stand_in_protect(vspace.object, request->va >> PAGE_SHIFT, request->page_count,
                            request->rights);
}

union kernel_request {
    struct kernel_query_local_cap_request query;
    struct kernel_drop_local_cap_request drop;
    struct kernel_move_local_cap_request move;
    struct kernel_retype_request retype;
    struct kernel_destroy_request destroy;
    struct kernel_map_frame_request map;
    struct kernel_unmap_frame_request unmap;
    struct kernel_protect_frame_request protect;
    uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
};

static enum status kernel_carry_out(uint16_t id, const union kernel_request *request,
                                    struct kernel_query_local_cap_reply *reply)
{
    switch (id) {
    case OP_KERNEL_QUERY_LOCAL_CAP:
        return op_query(&request->query, reply);
    case OP_KERNEL_DROP_LOCAL_CAP:
        return op_drop(request->drop.slot);
    case OP_KERNEL_MOVE_LOCAL_CAP:
        return op_move(&request->move);
    case OP_KERNEL_RETYPE:
        return op_retype(&request->retype);
    case OP_KERNEL_DESTROY:
        return op_destroy(request->destroy.slot);
    case OP_KERNEL_MAP_FRAME:
        return op_map(&request->map);
    case OP_KERNEL_UNMAP_FRAME:
        return op_unmap(&request->unmap);
    case OP_KERNEL_PROTECT_FRAME:
        return op_protect(&request->protect);
    default:
        return STATUS_UNSUPPORTED; /* neither memd nor vspaced asks for it */
    }
}

static void kernel_control(const struct stand_in_cap *control, struct message *message)
{
    const struct operation *operation = operation_find(SERVICE_KERNEL, message->header.operation);
    union kernel_request request;
    struct kernel_query_local_cap_reply reply = {0};
    enum status status = STATUS_DENIED;
    if (operation != NULL && (operation->allowed & (1u << control->object_type)) != 0 &&
        (control->rights & RIGHT_CONTROL) != 0)
        status = message_decode(operation->request, message, &request);
    PROPERTY(E10, "asks", operation != NULL && status == STATUS_OK);
    status = kernel_carry_out(operation->id, &request, &reply);
    turn.denied += status == STATUS_DENIED;
    if (status == STATUS_OK)
        status = message_encode(operation->reply, &reply, message);
    if (status != STATUS_OK)
        message_refuse(message, status);
}

/* --- the three functions --------------------------------------------------------------------- */

/* Puts the capabilities of a delivered message into the receiver's window. */
static void caps_place(struct message *message, const struct stand_in_cap *caps, uint32_t slot)
{
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        struct message_cap *descriptor = &message->caps[i];
        struct stand_in_cap cap = caps[i];
        descriptor->object_type = (uint8_t)cap.object_type;
        descriptor->rights = (uint16_t)cap.rights;
        stand_in_put(slot + i, cap);
        uint32_t at = slot + i;
        memcpy(message->body + descriptor->field_offset, &at, sizeof at);
    }
}

static bool call_fails(enum status *transport, struct message *message)
{
    uint64_t index = turn.calls++;
    for (uint32_t i = 0; i < turn.planned_count; i++) {
        if (turn.planned[i].index != index || turn.replied)
            continue;
        enum status status = turn.planned[i].status;
        if (turn.failures.count++ == 0) {
            turn.failures.status = status;
            turn.failures.calls_before = index;
        }
        bool by_transport = status == STATUS_TIMED_OUT || status == STATUS_PEER_DIED;
        *transport = by_transport ? status : STATUS_OK;
        if (!by_transport)
            message_refuse(message, status);
        return true;
    }
    return false;
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    struct stand_in_cap cap = stand_in_at(slot);
    struct message_header header = message->header;
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT] = {{0}};
    enum status transport = STATUS_OK;
    (void)deadline_ticks;
    if (call_fails(&transport, message))
        return transport;
    if (!stand_in_cap_live(&cap))
        return STATUS_NOT_FOUND;
    if (cap.object_type >= OBJECT_KERNEL_SELF) {
        kernel_control(&cap, message);
        return STATUS_OK;
    }
    if (cap.object_type != OBJECT_ENDPOINT || (cap.rights & RIGHT_SEND) == 0)
        return STATUS_DENIED;
    if (!slots_empty(header.window_slot, header.window_count))
        return STATUS_BUSY;
    message->header.badge = cap.badge;
    if (!stand_in_peer(&cap, message, caps))
        return STATUS_NOT_FOUND;
    PROPERTY(E10, "window", message->header.cap_count <= header.window_count);
    caps_place(message, caps, header.window_slot);
    return STATUS_OK;
}

void stand_in_deliver(const struct message *message, const struct stand_in_cap *caps,
                      bool window_open)
{
    turn.message = *message;
    for (uint32_t i = 0; i < message->header.cap_count; i++)
        turn.caps[i] = caps[i];
    turn.pending = true;
    turn.window_open = window_open;
    turn.replied = false;
    turn.calls = 0;
    turn.failures = (struct stand_in_failures){0};
    turn.write_and_execute = 0;
    turn.denied = 0;
}

void stand_in_fail(uint64_t index, enum status status)
{
    if (turn.planned_count == FAILURE_LIMIT)
        return;
    turn.planned[turn.planned_count].index = index;
    turn.planned[turn.planned_count++].status = status;
}

struct stand_in_failures stand_in_failures(void)
{
    turn.planned_count = 0;
    return turn.failures;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    (void)deadline_ticks;
    uint32_t window_slot = message->header.window_slot;
    uint32_t window_count = message->header.window_count;
    PROPERTY(E1, slots_empty(window_slot, window_count)); /* nothing was left behind */
    if (!turn.pending)
        return STATUS_NOT_FOUND;
    turn.pending = false;
    *message = turn.message;
    *info = (struct receive_info){
        .badge = message->header.badge,
        .now_ticks = 1000,
        .endpoint_slot = slot,
        .reply_slot = SLOT_REPLY_BASE,
        .cap_count = message->header.cap_count,
        .window_slot = window_slot,
    };
    caps_place(message, turn.caps, window_slot);
    return STATUS_OK;
}

/* What a descriptor of the service's reply gives to the client. */
static enum status reply_cap(const struct message *message, const struct message_cap *descriptor,
                             struct stand_in_cap *cap)
{
    uint32_t slot;
    memcpy(&slot, message->body + descriptor->field_offset, sizeof slot);
    *cap = stand_in_at(slot);
    if (!stand_in_cap_live(cap))
        return STATUS_NOT_FOUND;
    if ((cap->rights & RIGHT_TRANSFER) == 0)
        return STATUS_DENIED;
    if ((descriptor->flags & TRANSFER_SET_BADGE) != 0) {
        if (cap->object_type != OBJECT_ENDPOINT || cap->badge != 0 ||
            (cap->rights & RIGHT_RECEIVE) == 0)
            return STATUS_DENIED;
        cap->badge = descriptor->badge;
    }
    cap->rights &= descriptor->rights;
    return STATUS_OK;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    PROPERTY(E5, reply_slot == SLOT_REPLY_BASE && !turn.replied);
    struct message delivered = *message;
    if (message->header.cap_count != 0 && !turn.window_open)
        return STATUS_BUSY;
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        enum status status = reply_cap(message, &message->caps[i], &turn.reply_caps[i]);
        PROPERTY(K1, "transfer", status == STATUS_OK); /* the service sends what it may */
        delivered.caps[i] = (struct message_cap){
            .field_offset = message->caps[i].field_offset,
            .rights = (uint16_t)turn.reply_caps[i].rights,
            .object_type = (uint8_t)turn.reply_caps[i].object_type,
        };
    }
    turn.reply = delivered;
    turn.replied = true;
    return STATUS_OK;
}

const struct message *stand_in_reply(void)
{
    return turn.replied ? &turn.reply : NULL;
}

const struct stand_in_cap *stand_in_reply_caps(void)
{
    return turn.reply_caps;
}

uint64_t stand_in_call_count(void)
{
    return turn.calls;
}

uint64_t stand_in_write_and_execute_count(void)
{
    return turn.write_and_execute;
}

uint64_t stand_in_denied_count(void)
{
    return turn.denied;
}
