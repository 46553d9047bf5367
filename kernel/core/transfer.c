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

static enum status cap_allowed(const struct kernel *kernel, const struct capability *source,
                               const struct message_cap *cap)
{
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
                             const struct process *receiver, struct transfer *transfer)
{
    const struct message *message = message_of(sender);
    if (message->header.cap_count > receiver->window_count)
        return STATUS_BUSY;
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        const struct message_cap *cap = &message->caps[i];
        struct capability *source = cspace_find(sender, body_slot(message, cap));
        transfer->sources[i] = source;
        enum status status = cap_allowed(kernel, source, cap);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* --- delivery, which cannot fail --- */

/* A move keeps the counts, but for a right to receive from the drivers that does not come along. */
static void source_forget(struct kernel *kernel, struct capability *source,
                          const struct capability *given)
{
    bool lost = capability_receives_drivers(source) && !capability_receives_drivers(given);
    *source = (struct capability){0};
    if (lost)
        driver_receiver_gone(kernel);
}

static void cap_deliver(struct kernel *kernel, const struct message_cap *cap,
                        struct capability *source, const struct process *receiver, uint32_t index)
{
    struct message *target = message_of(receiver);
    uint32_t slot = receiver->window_slot + index;
    struct capability *given = cspace_find(receiver, slot);
    KERNEL_ASSERT(given != NULL && given->object_type == OBJECT_NONE);
    *given = *source;
    given->rights &= cap->rights; /* K1 */
    if (cap->flags == TRANSFER_SET_BADGE)
        given->badge = cap->badge;
    if (cap->mode == TRANSFER_MOVE)
        source_forget(kernel, source, given);
    else
        capability_counted(kernel, given, (enum object_type)given->object_type);
    __builtin_memcpy(target->body + cap->field_offset, &slot, sizeof slot);
    target->caps[index] = (struct message_cap){
        .field_offset = cap->field_offset,
        .rights = given->rights,
        .object_type = given->object_type,
    };
}

void transfer_perform(struct kernel *kernel, const struct process *sender, struct process *receiver,
                      const struct transfer *transfer)
{
    const struct message *message = message_of(sender);
    for (uint32_t i = 0; i < message->header.cap_count; i++)
        cap_deliver(kernel, &message->caps[i], transfer->sources[i], receiver, i);
}
