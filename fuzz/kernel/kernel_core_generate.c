/* SPDX-License-Identifier: ISC */
/* Steps drawn from choices: requests and messages that mostly mean something to the current
 * process, and some that mean nothing. Looks at the model to find slots that hold what is needed;
 * predicts nothing. */
#include <string.h>

#include "abi/messages/event.h"
#include "abi/messages/kernel.h"
#include "abi/text/generate.h"
#include "fuzz/harness.h"
#include "fuzz/kernel/kernel_core.h"
#include "fuzz/kernel/kernel_core_fields.h"
#include "props/base/rows.h"

enum { DEADLINE_FAR = 1 << 30, FREQUENT_FROM = 0xB0, STATUS_DRAWN = 3, STATUS_EDGE = 0xF0 };

/* --- requests --------------------------------------------------------------------------------- */

/* A row by its id, or, from FREQUENT_FROM on, one of those that lives are made of. */
static const struct operation *pick_row(struct choices *choices)
{
    static const uint16_t frequent[] = {
        OP_KERNEL_RETYPE,        OP_KERNEL_MAP_FRAME,       OP_KERNEL_CAP_COPY_ATTENUATED,
        OP_KERNEL_UNMAP_FRAME,   OP_KERNEL_DROP_LOCAL_CAP,  OP_KERNEL_FRAME_WRITE,
        OP_KERNEL_FRAME_READ,    OP_KERNEL_PROTECT_FRAME,   OP_KERNEL_DESTROY,
        OP_KERNEL_FRAME_COPY,    OP_KERNEL_QUERY_LOCAL_CAP, OP_KERNEL_KILL_PROCESS,
        OP_KERNEL_RETIRE_PROCESS};
    enum { FREQUENT_COUNT = sizeof frequent / sizeof frequent[0] };
    size_t from = choices->offset_bytes;
    uint8_t number = choices_u8(choices);
    const struct operation *row = operation_near_in(SERVICE_KERNEL, number);
    if (number == 0) /* no id: what a life without choices does */
        row = operation_find(SERVICE_KERNEL, frequent[0]);
    if (number >= FREQUENT_FROM)
        row = operation_find(SERVICE_KERNEL, frequent[(number - FREQUENT_FROM) % FREQUENT_COUNT]);
    choices_settle(choices, from, row->id);
    return row;
}

static void request_step(struct choices *choices)
{
    union {
        uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
        uint64_t align;
    } body;
    const struct operation *row = pick_row(choices);
    /* rootd's end is the end of the life: seldom. */
    if (row->id == OP_KERNEL_EXIT && core_model.current == 0 && choices_below(choices, 32) != 31)
        return;
    memset(&body, 0, sizeof body);
    core_request_fill(choices, row, body.bytes);
    uint32_t slot = core_slot_of(row->allowed, RIGHT_CONTROL, 0);
    if (slot == 0 || choices_below(choices, 24) == 23)
        slot = core_pick_slot(choices, 0xFFFF0000u, 0);
    uint32_t window = row->id == OP_KERNEL_CREATE_STAGED_PROCESS ? core_pick_empty(choices, 4) : 0;
    struct core_entry entry = core_request(slot, row->id, body.bytes, window);
    core_enter(&entry);
}

/* --- messages --------------------------------------------------------------------------------- */

static void attach(struct choices *choices, struct message *message)
{
    uint32_t index = message->header.cap_count++;
    uint32_t slot = core_pick_slot(choices, CORE_TRANSFERABLE, RIGHT_TRANSFER);
    uint64_t how = choices_below(choices, 16);
    struct message_cap *cap = &message->caps[index];
    memcpy(message->body + 4 * index, &slot, sizeof slot);
    cap->field_offset = (uint16_t)(4 * index);
    cap->rights =
        (how & 3) == 3 ? (uint16_t)(RIGHTS_ALL ^ 1u << choices_below(choices, 8)) : RIGHTS_ALL;
    cap->mode = how >= 10 ? TRANSFER_MOVE : TRANSFER_COPY;
    if (how == 4 || how == 5) {
        memcpy(message->body + 4 * index, &(uint32_t){SLOT_SERVICE_ENDPOINT}, 4);
        cap->flags = TRANSFER_SET_BADGE;
        cap->badge = 1 + choices_below(choices, 4);
    }
    if (how == 14) { /* a grant moves, and does not copy */
        slot = core_slot_of(1u << OBJECT_GRANT, 0, 0);
        memcpy(message->body + 4 * index, &slot, sizeof slot);
        cap->mode = (uint8_t)choices_below(choices, 2);
    }
}

/* One thing about the shape made wrong. */
static void spoil(struct choices *choices, struct message *message)
{
    struct message_cap *cap = &message->caps[choices_below(choices, MESSAGE_CAP_LIMIT)];
    switch (choices_below(choices, 13)) {
    case 0:
        message->header.version = choices_u8(choices);
        return;
    case 1:
        message->header.body_bytes = choices_u16(choices);
        return;
    case 2:
        message->header.cap_count = choices_u8(choices);
        return;
    case 3:
        message->header.window_count = choices_u8(choices);
        return;
    case 4:
        message->header.window_slot = core_hostile_slot(choices);
        message->header.window_count = (uint8_t)choices_below(choices, 5);
        return;
    case 5:
        cap->field_offset = (uint16_t)choices_below(choices, 960);
        return;
    case 6:
        cap->mode = (uint8_t)(1 + choices_below(choices, 3));
        return;
    case 7:
        cap->flags = choices_u8(choices);
        return;
    case 8:
        cap->rights = choices_u16(choices);
        return;
    case 9:
        cap->object_type = 1;
        return;
    case 10:
        cap->reserved = 1;
        return;
    case 11:
        cap->badge = choices_flag(choices) ? BADGE_KERNEL : 1;
        cap->flags = choices_flag(choices) ? TRANSFER_SET_BADGE : 0;
        return;
    default: /* one slot twice */
        message->caps[1] = message->caps[0];
        message->caps[1].field_offset = 4;
        memcpy(message->body + 4, message->body, 4);
        message->header.cap_count = 2;
    }
}

static void window_draw(struct choices *choices, struct message *message)
{
    uint64_t count = choices_below(choices, 8);
    message->header.window_count = (uint8_t)(count < 5 ? count : count < 7 ? 0 : 4);
    if (message->header.window_count != 0)
        message->header.window_slot = core_pick_empty(choices, message->header.window_count);
}

/* Mostly one of the first; from STATUS_EDGE on, one around the end of the table. */
static uint32_t draw_status(struct choices *choices)
{
    uint8_t number = choices_u8(choices);
    if (number < STATUS_EDGE)
        return number % STATUS_DRAWN;
    return number == UINT8_MAX ? UINT32_MAX : STATUS_COUNT + (number & 3u) - 2;
}

static void message_draw(struct choices *choices, struct message *message)
{
    memset(message, 0, sizeof *message);
    message->header.version = MESSAGE_VERSION;
    message->header.operation = (uint16_t)(0x100 + choices_below(choices, 4));
    message->header.body_bytes = (uint16_t)(16 + choices_below(choices, 8));
    message->header.status = draw_status(choices);
    choices_bytes(choices, message->body, choices_below(choices, 16));
    uint64_t caps = choices_below(choices, 10);
    for (uint64_t i = 0; i < caps && caps <= MESSAGE_CAP_LIMIT; i++)
        attach(choices, message);
    window_draw(choices, message);
    if (choices_below(choices, 12) == 11)
        spoil(choices, message);
}

static uint64_t pick_deadline(struct choices *choices)
{
    uint64_t how = choices_below(choices, 8);
    uint64_t never = core_model.current == 0 ? DEADLINE_FAR : DEADLINE_NEVER; /* can end the life */
    if (how < 4)
        return never;
    if (how == 4)
        return DEADLINE_POLL;
    return core_model.now + choices_below(choices, 8);
}

static void call_step(struct choices *choices)
{
    struct core_entry entry = {.kind = ENTRY_CALL};
    message_draw(choices, &entry.message);
    entry.slot = core_pick_slot(choices, 1u << OBJECT_ENDPOINT, RIGHT_SEND);
    entry.number = pick_deadline(choices);
    core_enter(&entry);
}

static void receive_step(struct choices *choices)
{
    struct core_entry entry = {.kind = ENTRY_RECV};
    window_draw(choices, &entry.message);
    entry.slot = core_pick_slot(choices, 1u << OBJECT_ENDPOINT, RIGHT_RECEIVE);
    entry.number = pick_deadline(choices);
    core_enter(&entry);
}

static void reply_step(struct choices *choices)
{
    struct core_entry entry = {.kind = ENTRY_REPLY};
    struct message *message = &entry.message;
    message_draw(choices, message);
    entry.slot = core_pick_slot(choices, 1u << OBJECT_REPLY, 0);
    const struct model_cap *cap = model_cap_find(&core_model, core_model.current, entry.slot);
    bool fault =
        cap != NULL && cap->type == OBJECT_REPLY && core_model.processes[cap->object].faults;
    if (message->header.status >= STATUS_DRAWN) {
        message->header.body_bytes = 0; /* a refusal by its shape */
        message->header.cap_count = 0;
    } else if (fault && choices_below(choices, 12) != 11) {
        uint64_t end = choices_below(choices, 4);
        struct event_fault_reply verdict = {
            end == 0 ? FAULT_RESOLVED : FAULT_END,
            end == 0 ? 0 : (uint32_t)choose_up_to_or_unknown(choices, END_REASON_LAST)};
        generate_delivered(&event_fault_reply_type, &verdict, message);
        message->header.status = STATUS_OK;
    }
    if (choices_flag(choices)) { /* and receives: the window was drawn with the message */
        entry.kind = ENTRY_REPLY_RECV;
        entry.reply_slot = entry.slot;
        entry.slot = core_pick_slot(choices, 1u << OBJECT_ENDPOINT, RIGHT_RECEIVE);
        entry.number = pick_deadline(choices);
    }
    core_enter(&entry);
}

static void fault_step(struct choices *choices)
{
    if (core_model.current == 0 && choices_below(choices, 32) != 31) {
        core_act(ACTION_STORE, core_pick_mapped(choices), 0x5A, 0);
        return; /* rootd's fault ends the life */
    }
    uint64_t va = choices_flag(choices) ? core_pick_va(choices) : core_pick_mapped(choices);
    if (choices_flag(choices)) {
        core_act(ACTION_STORE, va, choices_u8(choices), 0);
    } else if (choices_below(choices, 8) == 7) {
        core_act(ACTION_EXCEPTION, choices_below(choices, 32), va, 0);
    } else {
        uint64_t offset = choices_below(choices, 16);
        uint64_t access = choices_below(choices, 3);
        core_act(ACTION_FAULT, va + offset, access, choices_u16(choices));
    }
}

/* --- children --------------------------------------------------------------------------------- */

static void give(uint32_t grant, uint32_t source, uint32_t target, uint64_t badge)
{
    const struct model_cap *cap = model_cap_find(&core_model, core_model.current, source);
    if (cap == NULL)
        return;
    struct kernel_cap_copy_attenuated_request request = {grant, source, target, cap->rights, badge};
    core_control(0, OP_KERNEL_CAP_COPY_ATTENUATED, &request, 0);
}

static void populate(uint32_t grant, uint32_t window, uint32_t flags)
{
    struct kernel_cap_copy_attenuated_request door = {grant, SLOT_SERVICE_ENDPOINT, 16,
                                                      RIGHT_SEND | RIGHT_TRANSFER, window};
    core_control(0, OP_KERNEL_CAP_COPY_ATTENUATED, &door, 0);
    if ((flags & CHILD_KINDS) != 0) {
        give(grant, SLOT_KERNEL_MEM_ENDPOINT, SLOT_KERNEL_MEM_ENDPOINT, 0);
        give(grant, SLOT_KERNEL_VSPACE_ENDPOINT, SLOT_KERNEL_VSPACE_ENDPOINT, 0);
        give(grant, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_KERNEL_PROCESS_ENDPOINT, 0);
    }
    if ((flags & CHILD_POOL) != 0)
        give(grant, core_slot_of(1u << OBJECT_UNTYPED, RIGHT_TRANSFER, 0), SLOT_UNTYPED_BASE, 0);
    if ((flags & CHILD_SELF) != 0) {
        give(grant, window + 1, 18, 0);
        give(grant, SLOT_IMAGE, SLOT_IMAGE, 0);
    }
    if ((flags & CHILD_PEER) != 0)
        give(grant, window - 2, 17, 7); /* the endpoint of the child made before */
}

static void child_make(uint32_t flags, uint32_t budget)
{
    if (core.current == KERNEL_IDLE || core.halted)
        return;
    uint32_t window = core_empty(SLOT_RECEIVE_BASE, 4);
    uint32_t pool = core_slot_of(1u << OBJECT_UNTYPED, RIGHT_CONTROL, 1);
    if (pool == 0)
        pool = core_slot_of(1u << OBJECT_UNTYPED, RIGHT_CONTROL, 0);
    struct kernel_create_staged_process_request create = {
        .untyped_slot = pool,
        .budget_pages = budget,
        .event_slot = SLOT_SERVICE_ENDPOINT,
        .band = model_at(&core_model, core_model.current)->band,
        .token = core_model.process_count,
    };
    if (core_control(0, OP_KERNEL_CREATE_STAGED_PROCESS, &create, window) != STATUS_OK)
        return;
    populate(window + 3, window, flags);
    struct kernel_register_pager_request pager = {
        window, (flags & CHILD_PAGER) != 0 ? SLOT_SERVICE_ENDPOINT : 0, 1000 + window};
    core_control(0, OP_KERNEL_REGISTER_PAGER, &pager, 0);
    struct kernel_start_process_request start = {window, 0, 0x400000, 0x800000, window};
    if ((flags & CHILD_STARTED) != 0)
        core_control(0, OP_KERNEL_START_PROCESS, &start, 0);
}

void core_child(uint32_t flags, uint32_t budget)
{
    core_quiet(true);
    child_make(flags, budget);
    core_quiet(false);
}

/* --- one step --------------------------------------------------------------------------------- */

static void clock_step(struct choices *choices)
{
    uint64_t ahead = choices_below(choices, 9);
    struct core_entry entry = {.kind = ENTRY_CLOCK};
    entry.number = core_model.now + ahead - (core_model.now != 0);
    core_enter(&entry);
}

static bool lines_are_bound(void)
{
    for (uint32_t line = 0; line < INTERRUPT_LINE_COUNT; line++) {
        if (core_model.lines[line].endpoint != MODEL_NONE)
            return true;
    }
    return false;
}

/* Mostly of a line that is open, if one is. */
static void interrupt_step(struct choices *choices)
{
    uint32_t line = (uint32_t)choices_below(choices, INTERRUPT_LINE_COUNT);
    for (uint32_t i = 0; i < INTERRUPT_LINE_COUNT && !model_line_open(&core_model, line); i++)
        line = (line + 1) % INTERRUPT_LINE_COUNT;
    core_act(ACTION_INTERRUPT, line, 0, 0);
}

static void child_step(struct choices *choices)
{
    uint64_t flags = choices_u8(choices);
    core_act(ACTION_CHILD, flags, 16 + choices_below(choices, 16), 0);
}

/* The current process has work to do: a piece of it, or others come first. */
static void work_step(struct choices *choices)
{
    uint64_t how = choices_below(choices, 4);
    if (how == 0)
        core_act(ACTION_TIME, choices_below(choices, 16), 0, 0);
    else if (how == 1)
        core_act(ACTION_PREEMPT, 0, 0, 0);
    else
        core_act(ACTION_WORK, choices_below(choices, 4), 0, 0);
}

void core_generated(struct choices *choices)
{
    if (core_works() && !choices_flag(choices)) {
        work_step(choices);
        return;
    }
    uint64_t how = choices_below(choices, 32);
    if (core.current == KERNEL_IDLE)
        core_act(ACTION_TIME, choices_below(choices, 16), 0, 0);
    else if (how < 10)
        request_step(choices);
    else if (how < 16)
        call_step(choices);
    else if (how < 20)
        receive_step(choices);
    else if (how < 24)
        reply_step(choices);
    else if (how < 26)
        fault_step(choices);
    else if (how < 27) /* also back, which is ignored */
        clock_step(choices);
    else if (how < 30 && lines_are_bound())
        interrupt_step(choices);
    else if (how < 30)
        core_act(ACTION_PREEMPT, 0, 0, 0);
    else
        child_step(choices);
}
