/* SPDX-License-Identifier: ISC */
/* Capabilities in messages. Decides which capability may travel with which rights; all of a message
 * is checked before anything moves. Rights only shrink (K1): what arrives is the source's rights
 * under the descriptor's mask. */
#include "kernel/core/cspace.h"

static uint32_t body_slot(const struct message *message, const struct message_cap *cap)
{
    uint32_t slot;
    __builtin_memcpy(&slot, message->body + cap->field_offset, sizeof slot); /* one load */
    return slot;
}

/* --- shape: the message alone --- */

static bool badge_shape(const struct message_cap *cap)
{
    if (cap->flags == TRANSFER_SET_BADGE)
        return cap->badge != 0 && cap->badge != BADGE_KERNEL;
    return cap->flags == 0 && cap->badge == 0;
}

static bool cap_shape(const struct message *message, const struct message_cap *cap)
{
    if (cap->field_offset % sizeof(uint32_t) != 0 ||
        cap->field_offset + sizeof(uint32_t) > message->header.body_bytes)
        return false;
    uint32_t slot = body_slot(message, cap);
    return slot != SLOT_NULL && slot < SLOT_LIMIT && cap->mode <= TRANSFER_MOVE &&
           (cap->rights & ~RIGHTS_ALL) == 0 && cap->object_type == 0 && cap->reserved == 0 &&
           badge_shape(cap);
}

/* One field has one descriptor; a slot that moves is named once. */
static bool caps_distinct(const struct message *message, uint32_t i, uint32_t k)
{
    const struct message_cap *a = &message->caps[i];
    const struct message_cap *b = &message->caps[k];
    if (a->field_offset == b->field_offset)
        return false;
    bool moves = a->mode == TRANSFER_MOVE || b->mode == TRANSFER_MOVE;
    return !moves || body_slot(message, a) != body_slot(message, b);
}

enum status message_shape(const struct message *message)
{
    const struct message_header *header = &message->header;
    if (header->version != MESSAGE_VERSION || header->body_bytes > MESSAGE_BODY_BYTES_MAX ||
        header->cap_count > MESSAGE_CAP_LIMIT)
        return STATUS_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < header->cap_count; i++) {
        if (!cap_shape(message, &message->caps[i]))
            return STATUS_INVALID_ARGUMENT;
        for (uint32_t k = 0; k < i; k++) {
            if (!caps_distinct(message, i, k))
                return STATUS_INVALID_ARGUMENT;
        }
    }
    return STATUS_OK;
}

/* --- authority -------------------------------------------------------------------------------- */

static bool badge_settable(const struct capability *source)
{
    return source->object_type == OBJECT_ENDPOINT && source->badge == 0 &&
           (source->rights & RIGHT_RECEIVE) != 0;
}

static enum status cap_allowed(const struct kernel *kernel, const struct process *sender,
                               const struct message *message, const struct message_cap *cap)
{
    const struct capability *source = cspace_find(sender, body_slot(message, cap));
    if (source == NULL || !kernel_capability_live(kernel, source))
        return STATUS_NOT_FOUND;
    if ((source->rights & RIGHT_TRANSFER) == 0 || source->object_type == OBJECT_REPLY ||
        source->object_type == OBJECT_KERNEL_SELF)
        return STATUS_DENIED;
    if (source->object_type == OBJECT_GRANT && cap->mode != TRANSFER_MOVE)
        return STATUS_DENIED;
    if (cap->flags == TRANSFER_SET_BADGE && !badge_settable(source))
        return STATUS_DENIED;
    return (source->rights & cap->rights) != 0 ? STATUS_OK : STATUS_DENIED;
}

enum status transfer_allowed(const struct kernel *kernel, const struct process *sender,
                             const struct process *receiver)
{
    const struct message *message = message_of(sender);
    if (message->header.cap_count > receiver->window_count)
        return STATUS_BUSY;
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        enum status status = cap_allowed(kernel, sender, message, &message->caps[i]);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* --- delivery, which cannot fail --- */

/* A move keeps the counts: the count that cspace_put adds is taken back. */
static void source_forget(struct kernel *kernel, struct capability *source)
{
    if (source->object_type == OBJECT_FRAME)
        machine_page_record(source->object)->cap_count--;
    else if (source->object_type == OBJECT_UNTYPED)
        kernel->untypeds[source->object].cap_count--;
    else if (source->object_type == OBJECT_PROCESS)
        process_at(kernel, source->object)->cap_count--;
    else if (capability_receives_drivers(source))
        driver_receiver_gone(kernel);
    *source = (struct capability){0};
}

static void cap_deliver(struct kernel *kernel, struct process *sender, struct process *receiver,
                        uint32_t index)
{
    const struct message_cap *cap = &message_of(sender)->caps[index];
    struct message *target = message_of(receiver);
    struct capability *source = cspace_find(sender, body_slot(message_of(sender), cap));
    struct capability given = *source;
    uint32_t slot = receiver->window_slot + index;
    given.rights = source->rights & cap->rights; /* K1 */
    if (cap->flags == TRANSFER_SET_BADGE)
        given.badge = cap->badge;
    cspace_put(kernel, receiver, slot, given);
    if (cap->mode == TRANSFER_MOVE)
        source_forget(kernel, source);
    __builtin_memcpy(target->body + cap->field_offset, &slot, sizeof slot);
    target->caps[index] = (struct message_cap){
        .field_offset = cap->field_offset,
        .rights = given.rights,
        .object_type = given.object_type,
    };
}

void transfer_perform(struct kernel *kernel, struct process *sender, struct process *receiver)
{
    for (uint32_t i = 0; i < message_of(sender)->header.cap_count; i++)
        cap_deliver(kernel, sender, receiver, i);
}
