/* SPDX-License-Identifier: ISC */
/* What passes between a process and the kernel itself, by short ways and by long ones: requests of
 * kernel control, and, from a fault to the pager and back, faults. Which of them is good is drawn;
 * what a good one does is kernel_core's business. */
#include "fuzz/kernel/kernel_short.h"

#include <string.h>

#include "abi/messages/event.h"

enum {
    SLOT_PLAY = 300, /* what RETYPE makes */
    PLAY_SLOTS = 4,
    SLOT_FAR_OWN = SLOT_PEERS + SLOT_FAR + PROCESSES + 1,
    FAULT_VA = 0x400000 /* pages are mapped from here on, in one area and in the next */
};

/* --- slots ------------------------------------------------------------------------------------ */

static bool is_far(uint32_t index)
{
    return index % 2 != 0;
}

void short_fill_far(const struct drive_child *children, uint32_t index)
{
    uint32_t grant = children[index].grant;
    uint32_t rights = RIGHT_SEND | RIGHT_TRANSFER;
    uint32_t far = SLOT_PEERS + SLOT_FAR;
    if (!is_far(index))
        return;
    drive_install(grant, SLOT_SERVICE_ENDPOINT, far, rights, index);
    for (uint32_t peer = 1; peer < PROCESSES; peer++) {
        if (peer != index)
            drive_install(grant, children[peer].endpoint, far + peer, rights, 10 * index);
    }
    drive_install(grant, SLOT_PROCD_DRIVER_ENDPOINT, far + PROCESSES,
                  index == 3 ? rights | RIGHT_RECEIVE : rights, 0);
}

/* Its own endpoint's capability moves there when it is first asked for; the message stays. */
static void own_move(uint32_t index)
{
    struct message kept;
    struct message *message = kernel_message(&drive_kernel, index);
    const struct capability *own = kernel_slot(&drive_kernel, index, SLOT_SERVICE_ENDPOINT);
    if (own->object_type == OBJECT_NONE)
        return;
    memcpy(&kept, message, sizeof kept);
    CONTROL(SLOT_SELF, MOVE_LOCAL_CAP,
            (struct kernel_move_local_cap_request){SLOT_SERVICE_ENDPOINT, SLOT_FAR_OWN});
    memcpy(message, &kept, sizeof kept);
}

uint32_t short_slot(uint32_t index, uint32_t slot)
{
    if (!is_far(index))
        return slot;
    if (slot == SLOT_SERVICE_ENDPOINT) {
        own_move(index);
        return SLOT_FAR_OWN;
    }
    return slot >= SLOT_PEERS && slot <= SLOT_PEERS + PROCESSES ? slot + SLOT_FAR : slot;
}

/* --- kernel control --------------------------------------------------------------------------- */

static uint32_t draw_play(struct choices *choices)
{
    return SLOT_PLAY + (uint32_t)choices_below(choices, PLAY_SLOTS);
}

/* A request that fits its slot more often than not; where to call it. */
static uint32_t memory_request(struct choices *choices, struct message *message)
{
    uint32_t pool = drive_kernel.current == 0 ? (uint32_t)BULK : (uint32_t)SLOT_OBJECTS;
    uint64_t how = choices_below(choices, 4);
    if (how < 2) {
        struct kernel_retype_request request = {
            pool, choices_below(choices, 8) == 0 ? OBJECT_UNTYPED : OBJECT_FRAME,
            1 + (uint32_t)choices_below(choices, 2), draw_play(choices)};
        (void)message_encode(&kernel_retype_request_type, &request, message);
    } else {
        struct kernel_destroy_request request = {draw_play(choices)};
        (void)message_encode(&kernel_destroy_request_type, &request, message);
    }
    return MEM;
}

static uint64_t draw_va(struct choices *choices)
{
    return FAULT_VA + PAGE_BYTES * choices_below(choices, 3) +
           LEAF_BYTES * choices_below(choices, 2);
}

static uint32_t vspace_request(struct choices *choices, struct message *message)
{
    static const uint32_t rights[] = {RIGHT_READ, RIGHT_READ | RIGHT_WRITE,
                                      RIGHT_READ | RIGHT_EXECUTE, RIGHT_WRITE};
    uint32_t child = 1 + (uint32_t)choices_below(choices, PROCESSES - 1);
    uint32_t vspace = FREE_SLOT + 4 * child + 1;
    uint64_t va = draw_va(choices);
    uint32_t count = choices_below(choices, 4) == 0 ? TABLE_ENTRIES - 1 : 1;
    uint32_t right = rights[choices_below(choices, 4)];
    uint64_t how = choices_below(choices, 8);
    if (how < 4) {
        uint32_t source = how == 3 ? (uint32_t)SLOT_IMAGE : draw_play(choices);
        struct kernel_map_frame_request request = {vspace, source, va, 0, 1, right};
        (void)message_encode(&kernel_map_frame_request_type, &request, message);
    } else if (how < 7) {
        struct kernel_unmap_frame_request request = {vspace, count, va};
        (void)message_encode(&kernel_unmap_frame_request_type, &request, message);
    } else {
        struct kernel_protect_frame_request request = {vspace, 1, va, right, 0};
        (void)message_encode(&kernel_protect_frame_request_type, &request, message);
    }
    return VSP;
}

/* Where somebody waits for an answer, when anybody does, who learns now that there is none. */
static uint32_t draw_drop(struct choices *choices)
{
    const struct process *process = kernel_process(&drive_kernel, drive_kernel.current);
    if (process->client == KERNEL_NONE || choices_flag(choices))
        return draw_play(choices);
    return kernel_process(&drive_kernel, process->client)->reply_slot;
}

/* Of others' lives, and of its own. */
static uint32_t process_request(struct choices *choices, struct message *message)
{
    uint64_t how = choices_below(choices, 8);
    if (how == 0 && drive_kernel.current != 0) {
        struct kernel_exit_request request = {7};
        (void)message_encode(&kernel_exit_request_type, &request, message);
        return SLOT_SELF;
    }
    if (how == 1 && drive_kernel.current == 0) {
        uint32_t child = 1 + (uint32_t)choices_below(choices, PROCESSES - 1);
        struct kernel_kill_process_request request = {FREE_SLOT + 4 * child, 5};
        (void)message_encode(&kernel_kill_process_request_type, &request, message);
        return PRO;
    }
    if (how < 4) {
        struct kernel_drop_local_cap_request request = {draw_drop(choices)};
        (void)message_encode(&kernel_drop_local_cap_request_type, &request, message);
    } else {
        struct kernel_query_local_cap_request request = {draw_play(choices), QUERY_NEXT};
        (void)message_encode(&kernel_query_local_cap_request_type, &request, message);
    }
    return SLOT_SELF;
}

/* Something that is asked before the operation. */
static void disturb(struct choices *choices, struct message_header *header)
{
    switch (choices_below(choices, 6)) {
    case 0:
        header->version = 2;
        return;
    case 1:
        header->body_bytes = (uint16_t)(header->body_bytes + 4);
        return;
    case 2:
        header->body_bytes = MESSAGE_BODY_BYTES_MAX + 4;
        return;
    case 3:
        header->cap_count = 1;
        return;
    case 4:
        header->window_count = (uint8_t)(1 + choices_below(choices, 5));
        return;
    default:
        header->operation = (uint16_t)choices_below(choices, 64);
        return;
    }
}

static void control_step(struct choices *choices)
{
    struct kernel *kernel = &drive_kernel;
    struct process *caller = kernel_process(kernel, kernel->current);
    struct message *message = kernel_message(kernel, kernel->current);
    uint64_t how = choices_below(choices, 8);
    uint32_t slot = how < 4 && kernel->current == 0 ? vspace_request(choices, message)
                    : how < 6                       ? memory_request(choices, message)
                                                    : process_request(choices, message);
    message->header.window_slot = SLOT_PLAY + PLAY_SLOTS;
    if (choices_below(choices, 8) == 0)
        disturb(choices, &message->header);
    if (choices_below(choices, 16) == 0)
        slot = choices_flag(choices) ? draw_play(choices) : (uint32_t)SLOT_SELF;
    short_enter(SYSCALL_CALL, slot, short_deadline(choices), 0);
    bool current = caller->life == LIFE_CURRENT && kernel->current == caller->index;
    MARK_IF("short: kernel control, and another goes on", !current);
    MARK_IF("short: kernel control is refused",
            current && caller->resume == RESUME_RESULT && message->header.status != STATUS_OK);
    MARK_IF("short: kernel control is granted",
            current && caller->resume == RESUME_RESULT && message->header.status == STATUS_OK);
    MARK_IF("short: kernel control by the short way",
            current && caller->resume == RESUME_RESULT && short_is_over());
    MARK_IF("short: kernel control by the long way", current && !short_is_over());
}

/* --- faults ----------------------------------------------------------------------------------- */

static uint64_t draw_fault_va(struct choices *choices)
{
    static const uint64_t others[] = {0x5000, MESSAGE_PAGE_VA, UINT64_C(1) << 47, UINT64_MAX};
    uint64_t how = choices_below(choices, 8);
    return (how < 4 ? others[how] : draw_va(choices)) + choices_below(choices, PAGE_BYTES);
}

/* Of the current process, by the way of this life. */
static void fault_step(struct choices *choices)
{
    struct kernel *kernel = &drive_kernel;
    struct process *process = kernel_process(kernel, kernel->current);
    uint64_t va = draw_fault_va(choices);
    enum fault_access access = (enum fault_access)choices_below(choices, FAULT_ACCESS_LAST + 2);
    short_begin();
    struct process *next = short_is_long() ? kernel_fault_long(kernel, process, va, access, va / 3)
                                           : kernel_fault(kernel, va, access, va / 3);
    short_next(next);
    bool sent = process->life == LIFE_CALLING;
    MARK_IF("short: a fault reaches its pager", sent && process->fault.present == 0);
    MARK_IF("short: a fault at a page that is there", sent && process->fault.present == 1);
    MARK_IF("short: a fault by the short way", sent && short_is_over());
    MARK_IF("short: a fault by the long way", sent && !short_is_over());
    MARK_IF("short: a fault that the tables allow",
            kernel->current == process->index && process->resume == RESUME_EXACT);
}

/* A verdict that lets the faulter go on, or one that does not quite. */
static void verdict_compose(struct choices *choices, struct message *message)
{
    struct event_fault_reply reply = {FAULT_RESOLVED, END_NONE};
    uint64_t how = choices_below(choices, 16);
    if (how == 0)
        reply = (struct event_fault_reply){FAULT_END, END_FAULT_OUTSIDE};
    (void)message_encode(&event_fault_reply_type, &reply, message);
    message->header.operation = OP_EVENT_FAULT;
    if (how == 1)
        message->body[choices_below(choices, sizeof reply)] = 1;
    else if (how == 2)
        message->header.status = STATUS_NOT_FOUND;
    else if (how == 3)
        message->header.operation++;
    else if (how < 6)
        disturb(choices, &message->header);
    message->header.window_slot = SLOT_PLAY + PLAY_SLOTS - 2; /* not always empty */
    if (how > 12)
        message->header.window_count = (uint8_t)(how - 12);
}

/* A pager answers the fault that it has, or begins to wait for one. */
static void pager_step(struct choices *choices)
{
    struct kernel *kernel = &drive_kernel;
    const struct process *pager = kernel_process(kernel, kernel->current);
    struct message *message = kernel_message(kernel, kernel->current);
    const struct process *faulter = kernel_process(kernel, pager->client);
    bool waits = faulter != NULL && faulter->fault_pending;
    if (waits)
        verdict_compose(choices, message);
    else
        (void)drive_compose(0, 0);
    uint32_t reply_slot = waits ? faulter->reply_slot : 0;
    uint64_t how = choices_below(choices, 8);
    if (waits && how == 0)
        short_enter(SYSCALL_REPLY, reply_slot, 0, 0);
    else
        short_enter(SYSCALL_REPLY_RECV, how == 1 ? (uint32_t)SLOT_PEERS : SLOT_SERVICE_ENDPOINT,
                    short_deadline(choices), reply_slot);
    bool answered = waits && faulter->life == LIFE_CURRENT && faulter->ending == ENDING_NONE;
    MARK_IF("short: a faulter goes on, and its pager waits",
            answered && pager->life == LIFE_RECEIVING);
    MARK_IF("short: a faulter's pager waits with a window",
            answered && pager->life == LIFE_RECEIVING && pager->window_count != 0);
    MARK_IF("short: a fault is answered by the short way",
            answered && pager->life == LIFE_RECEIVING && short_is_over());
}

bool short_kernel_step(struct choices *choices)
{
    uint64_t how = choices_below(choices, 8);
    if (how < 2)
        control_step(choices);
    else if (how < 4 && drive_kernel.current != 0)
        fault_step(choices);
    else if (how < 6)
        pager_step(choices);
    else
        return false;
    return true;
}
