/* SPDX-License-Identifier: ISC */
/* The book of filled slots. Decides nothing of what peers do; an operation of kernel control has its
 * effect when its answer says so to the process, so that both believe the same. */
#include "props/stand_ins/adversary_held.h"

#include <string.h>

#include "abi/messages/kernel.h"
#include "abi/slots.h"
#include "props/base/marks.h"
#include "props/base/property.h"

enum { ENTRY_LIMIT = 512 };

/* A filled slot. */
struct entry {
    uint32_t slot;
    bool due;   /* to be dropped before anything else */
    bool stuck; /* the kernel was asked to empty it and would not, */
    bool known; /* by the service itself, which has to remember that */
};

static struct {
    struct entry entries[ENTRY_LIMIT];
    unsigned count;
    unsigned due_count;

    /* Of the call or reply that is under way. */
    uint32_t window_slot;
    uint32_t window_count;
    uint16_t operation;
    uint32_t body[5]; /* slots that kernel control names, and how many */
    uint32_t moved[MESSAGE_CAP_LIMIT];
    unsigned moved_count;
} held;

void adversary_held_begin(void)
{
    memset(&held, 0, sizeof held);
}

static struct entry *find(uint32_t slot)
{
    for (unsigned i = 0; i < held.count; i++) {
        if (held.entries[i].slot == slot)
            return &held.entries[i];
    }
    return NULL;
}

bool adversary_held(uint32_t slot)
{
    return find(slot) != NULL;
}

static void fill(uint32_t slot, bool due)
{
    HARNESS(find(slot) == NULL && held.count < ENTRY_LIMIT);
    held.entries[held.count++] = (struct entry){.slot = slot, .due = due};
    held.due_count += due;
}

static void empty(uint32_t slot)
{
    struct entry *entry = find(slot);
    if (entry == NULL)
        return;
    held.due_count -= entry->due;
    *entry = held.entries[--held.count];
}

uint32_t adversary_held_next(uint32_t slot)
{
    uint32_t next = 0;
    for (unsigned i = 0; i < held.count; i++) {
        const struct entry *entry = &held.entries[i];
        if (entry->slot >= slot && !entry->stuck && (next == 0 || entry->slot < next))
            next = entry->slot;
    }
    return next;
}

/* Whether a window is empty; what fills it is not the process's fault. */
static bool window_is_empty(uint32_t slot, uint32_t count, bool receives)
{
    bool is_empty = true;
    for (uint32_t i = 0; i < count && i < MESSAGE_CAP_LIMIT; i++) {
        const struct entry *entry = find(slot + i);
        PROPERTY(E10, "window-empty", entry == NULL || entry->stuck);
        PROPERTY(E10, "window-known", entry == NULL || !entry->known || receives);
        is_empty = is_empty && entry == NULL;
    }
    return is_empty;
}

static void moves_read(const struct message *message)
{
    held.moved_count = 0;
    for (uint32_t i = 0; i < message->header.cap_count && i < MESSAGE_CAP_LIMIT; i++) {
        uint32_t slot;
        const struct message_cap *cap = &message->caps[i];
        if (cap->mode != TRANSFER_MOVE || cap->field_offset + sizeof slot > MESSAGE_BODY_BYTES_MAX)
            continue;
        memcpy(&slot, message->body + cap->field_offset, sizeof slot);
        held.moved[held.moved_count++] = slot;
    }
}

static void moves_make(void)
{
    for (unsigned i = 0; i < held.moved_count; i++)
        empty(held.moved[i]);
}

bool adversary_held_call(const struct message *message)
{
    held.window_slot = message->header.window_slot;
    held.window_count = message->header.window_count;
    held.operation = message->header.operation;
    memcpy(held.body, message->body, sizeof held.body);
    moves_read(message);
    if (held.due_count != 0) {
        const struct entry *entry = find(held.body[0]);
        PROPERTY(E4, "dropped-first",
                 held.operation == OP_KERNEL_DROP_LOCAL_CAP && entry != NULL && entry->due);
    }
    return window_is_empty(held.window_slot, held.window_count, false);
}

/* DROP: NOT_FOUND is as good as OK, and what was refused stays, on the kernel's account. */
static void drop_answered(enum status status, const struct message *message, bool taken)
{
    bool was_due;
    bool is_gone = status == STATUS_OK && (taken || message->header.status == STATUS_NOT_FOUND);
    struct entry *entry = find(held.body[0]);
    if (entry == NULL)
        return;
    was_due = entry->due;
    held.due_count -= was_due;
    entry->due = false;
    entry->stuck = true;
    entry->known = !was_due;
    MARK_IF("adversary: what is in a window stays there", !is_gone && status != STATUS_NOT_FOUND);
    if (is_gone || status == STATUS_NOT_FOUND)
        empty(held.body[0]);
}

static void control_taken(void)
{
    switch (held.operation) {
    case OP_KERNEL_MOVE_LOCAL_CAP:
        if (find(held.body[0]) == NULL || held.body[0] == held.body[1])
            break;
        empty(held.body[0]);
        empty(held.body[1]); /* of which the kernel said that it was empty */
        fill(held.body[1], false);
        break;
    case OP_KERNEL_DESTROY:
        empty(held.body[0]);
        break;
    case OP_KERNEL_GIVE_FRAMES: /* vspace, first frame, address, count */
        for (uint32_t i = 0; i < held.body[4]; i++)
            empty(held.body[1] + i);
        break;
    default:
        break;
    }
}

void adversary_held_answered(enum status status, const struct message *message, bool taken)
{
    uint32_t count = status == STATUS_OK ? message->header.cap_count : 0;
    bool sent = status == STATUS_OK || status == STATUS_TIMED_OUT || status == STATUS_PEER_DIED;
    if (sent)
        moves_make();
    if (held.operation == OP_KERNEL_DROP_LOCAL_CAP)
        drop_answered(status, message, taken);
    else if (status == STATUS_OK && taken)
        control_taken();
    for (uint32_t i = 0; i < count && i < held.window_count; i++)
        fill(held.window_slot + i, !taken);
    if (count == 0)
        return;
    bool refused = message->header.status != STATUS_OK;
    mark_operation(taken     ? "windows: kept"
                   : refused ? "windows: refused"
                             : "windows: not believed",
                   held.operation, STATUS_OK);
}

bool adversary_held_receive(uint32_t window_slot, uint32_t window_count)
{
    PROPERTY(E4, "dropped-first", held.due_count == 0);
    return window_is_empty(window_slot, window_count, true);
}

void adversary_held_delivered(uint32_t window_slot, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        fill(window_slot + i, false);
}

void adversary_held_reply(const struct message *message)
{
    moves_read(message);
}

void adversary_held_replied(void)
{
    moves_make();
}
