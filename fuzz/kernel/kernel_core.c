/* SPDX-License-Identifier: ISC */
/* Lives of the kernel core against its model: processes of one bare system call kernel control,
 * call each other, fault, end, and time passes. After every entry the whole visible state is the
 * model's; at the end everything is ended and every pool is as it was (K5). In a life that begins
 * with `pieces` an entry may do a few steps only, and others come between two pieces of one work
 * (K8). */
#include "fuzz/harness.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/kernel.h"
#include "fuzz/kernel/kernel_core.h"

const char harness_name[] = "kernel_core";
MARKS(16, 11);
const int harness_has_steps = 1;

enum {
    STEP_LIMIT = 160,
    CLEANUP_LIMIT = 2000,
    WORK_MAX_COUNT = 29 /* values of work_max, from KERNEL_WORK_MIN on */
};
#define TIME_STEP_MAX (UINT64_C(1) << 41)

static const struct life_action actions[] = {
    [ACTION_LIMIT] = {"limit", 2},
    [ACTION_WINDOW] = {"window", 2},
    [ACTION_ATTACH] = {"attach", 4},
    [ACTION_CALL] = {"call", 4},
    [ACTION_RECV] = {"recv", 2},
    [ACTION_REPLY] = {"reply", 4},
    [ACTION_FAULT] = {"fault", 3},
    [ACTION_EXCEPTION] = {"exception", 2},
    [ACTION_TIME] = {"time", 1},
    [ACTION_PREEMPT] = {"preempt", 0},
    [ACTION_RUN] = {"run", 1},
    [ACTION_CHILD] = {"child", 2},
    [ACTION_SYSCALL] = {"syscall", 3},
    [ACTION_STORE] = {"store", 2},
    [ACTION_PIECES] = {"pieces", 1},
    [ACTION_WORK] = {"work", 1},
    [ACTION_REPLY_RECV] = {"reply_recv", 4},
    [ACTION_INTERRUPT] = {"interrupt", 1},
    [ACTION_COUNT] = {NULL, 0},
};
static const struct life_language language = {.service = SERVICE_KERNEL, .actions = actions};

size_t harness_assemble(const char *text, size_t text_bytes, uint8_t *bytes, size_t limit_bytes,
                        char *problem, size_t problem_bytes)
{
    return core_assemble(&language, text, text_bytes, bytes, limit_bytes, problem, problem_bytes);
}

/* What ACTION_WINDOW and ACTION_ATTACH laid ready. */
static struct message pending;

static void pending_use(struct message *message)
{
    message->header.window_slot = pending.header.window_slot;
    message->header.window_count = pending.header.window_count;
    message->header.cap_count = pending.header.cap_count;
    memcpy(message->caps, pending.caps, sizeof message->caps);
    for (uint32_t i = 0; i < pending.header.cap_count; i++)
        memcpy(message->body + 4 * i, pending.body + 4 * i, 4);
    memset(&pending, 0, sizeof pending);
}

static void attach(const struct life_step *step)
{
    uint32_t index = pending.header.cap_count;
    uint32_t slot = (uint32_t)step->arguments[0];
    if (index == MESSAGE_CAP_LIMIT)
        return;
    pending.header.cap_count++;
    memcpy(pending.body + 4 * index, &slot, sizeof slot);
    pending.caps[index] = (struct message_cap){
        .field_offset = (uint16_t)(4 * index),
        .rights = (uint16_t)step->arguments[1],
        .mode = (uint8_t)step->arguments[2],
        .flags = step->arguments[3] != 0 ? TRANSFER_SET_BADGE : 0,
        .badge = step->arguments[3],
    };
}

/* A message of `operation` whose body begins with `body`, or with the slots that were attached. */
static void compose(uint64_t operation, uint64_t status, uint64_t body)
{
    struct message message;
    memset(&message, 0, sizeof message);
    message.header.version = MESSAGE_VERSION;
    message.header.operation = (uint16_t)operation;
    message.header.status = (uint32_t)status;
    message.header.body_bytes =
        pending.header.cap_count > 2 ? 16 : (uint16_t)(status == STATUS_OK ? 8 : 0);
    memcpy(message.body, &body, sizeof body);
    pending_use(&message);
    core_compose(&message);
}

/* From 1 << 32 on, statuses count from the end of the table, so that they stay outside it. */
static uint64_t status_of(uint64_t argument)
{
    return argument >> 32 == 0 ? argument : STATUS_COUNT + (argument & UINT32_MAX);
}

/* rootd must be able to wake up again: it never waits for ever. */
static uint64_t deadline_of(uint64_t ticks)
{
    uint64_t far = UINT64_C(1) << 40;
    return core_model.current == 0 && ticks > far ? far : ticks;
}

static void run_until(uint64_t process)
{
    for (uint32_t i = 0; i < MODEL_PROCESS_LIMIT && core_model.current != process; i++)
        core_preempt();
}

/* --- steps ------------------------------------------------------------------------------------ */

static void act_message(const struct life_step *step)
{
    const uint64_t *arguments = step->arguments;
    uint32_t slot = (uint32_t)arguments[0];
    if (core_model.current == MODEL_NONE || core.halted)
        return;
    if (step->action == ACTION_CALL) {
        compose(arguments[2], STATUS_OK, arguments[3]);
        core_syscall(SYSCALL_CALL, slot, deadline_of(arguments[1]), 0);
    } else if (step->action == ACTION_RECV) {
        compose(0, STATUS_OK, 0);
        core_syscall(SYSCALL_RECV, slot, deadline_of(arguments[1]), 0);
    } else if (step->action == ACTION_REPLY_RECV) {
        compose(0x101, status_of(arguments[3]), 0);
        core_syscall(SYSCALL_REPLY_RECV, (uint32_t)arguments[1], deadline_of(arguments[2]), slot);
    } else {
        compose(arguments[1], status_of(arguments[2]), arguments[3]);
        core_syscall(SYSCALL_REPLY, slot, 0, 0);
    }
}

static void act_syscall(const struct life_step *step)
{
    if (core_model.current != MODEL_NONE)
        core_syscall((uint32_t)step->arguments[0], (uint32_t)step->arguments[1],
                     deadline_of(step->arguments[2]), SLOT_NULL);
}

/* What no process does while it has other work. */
static bool is_of_process(enum core_action action)
{
    return action == ACTION_CALL || action == ACTION_RECV || action == ACTION_REPLY ||
           action == ACTION_REPLY_RECV || action == ACTION_FAULT || action == ACTION_EXCEPTION ||
           action == ACTION_CHILD || action == ACTION_SYSCALL || action == ACTION_STORE;
}

static void run_action(const struct life_step *step)
{
    const uint64_t *arguments = step->arguments;
    life_print_action(&language, step);
    if (is_of_process((enum core_action)step->action))
        core_work_all();
    switch ((enum core_action)step->action) {
    case ACTION_LIMIT:
    case ACTION_PIECES:
        return; /* too late */
    case ACTION_WORK:
        for (uint64_t i = 0; i < 1 + arguments[0] % 16; i++)
            core_work();
        return;
    case ACTION_WINDOW:
        pending.header.window_slot = (uint32_t)arguments[0];
        pending.header.window_count = (uint8_t)arguments[1];
        return;
    case ACTION_ATTACH:
        attach(step);
        return;
    case ACTION_CALL:
    case ACTION_RECV:
    case ACTION_REPLY:
    case ACTION_REPLY_RECV:
        act_message(step);
        return;
    case ACTION_FAULT:
        core_fault(arguments[0], (uint32_t)arguments[1], arguments[2]);
        return;
    case ACTION_EXCEPTION:
        core_exception((uint32_t)arguments[0], arguments[1]);
        return;
    case ACTION_TIME:
        core_timer(core_model.now + arguments[0] % TIME_STEP_MAX);
        return;
    case ACTION_PREEMPT:
        core_preempt();
        return;
    case ACTION_RUN:
        run_until(arguments[0]);
        return;
    case ACTION_CHILD:
        core_child((uint32_t)arguments[0], (uint32_t)arguments[1]);
        return;
    case ACTION_SYSCALL:
        act_syscall(step);
        return;
    case ACTION_STORE:
        core_user_write(arguments[0], (uint8_t)arguments[1]);
        return;
    case ACTION_INTERRUPT:
        core_interrupt((uint32_t)(arguments[0] % INTERRUPT_LINE_COUNT));
        return;
    case ACTION_COUNT:
        return;
    }
}

/* A literal request. on=0: to the caller's slot of a fitting kind; below 64: to the on-th of
 * rootd's start-up endpoints; otherwise to that slot. */
static void run_literal(const struct life_step *step)
{
    struct message message = step->message;
    const struct operation *row = operation_find(SERVICE_KERNEL, message.header.operation);
    core_work_all();
    if (core_model.current == MODEL_NONE || core.halted)
        return;
    message.header.version = MESSAGE_VERSION;
    message.header.badge = 0;
    for (uint32_t i = 0; i < MESSAGE_CAP_LIMIT; i++)
        message.caps[i].object_type = message.caps[i].mode = message.caps[i].flags = 0;
    if (pending.header.window_count != 0 || pending.header.cap_count != 0)
        pending_use(&message);
    uint32_t slot = step->on < 64 ? SLOT_PROCD_DRIVER_ENDPOINT + 16 * step->on : step->on;
    if (step->on == 0 && row != NULL)
        slot = core_slot_of(row->allowed, RIGHT_CONTROL, 0);
    life_print_request(&language, &step->message, step->on);
    core_compose(&message);
    unsigned result = core_syscall(SYSCALL_CALL, slot != 0 ? slot : SLOT_SELF, DEADLINE_POLL, 0);
    enum status status = result < CORE_WAITS ? (enum status)result : STATUS_OK;
    life_print_result(status);
    life_expect(step, status);
}

void core_act(enum core_action action, uint64_t first, uint64_t second, uint64_t third)
{
    struct life_step step = {
        .kind = LIFE_ACTION, .action = action, .arguments = {first, second, third}};
    run_action(&step);
}

void core_enter(const struct core_entry *entry)
{
    static const uint32_t numbers[] = {[ENTRY_CALL] = SYSCALL_CALL,
                                       [ENTRY_RECV] = SYSCALL_RECV,
                                       [ENTRY_REPLY] = SYSCALL_REPLY,
                                       [ENTRY_REPLY_RECV] = SYSCALL_REPLY_RECV};
    if (entry->kind != ENTRY_CLOCK)
        core_work_all();
    if (entry->kind != ENTRY_CLOCK && (core_model.current == MODEL_NONE || core.halted))
        return;
    core_entry_print(entry);
    if (entry->kind == ENTRY_CLOCK) {
        uint64_t last = core_model.now + TIME_STEP_MAX;
        core_timer(entry->number < last ? entry->number : last);
        return;
    }
    core_compose(&entry->message);
    core_syscall(numbers[entry->kind], entry->slot, deadline_of(entry->number), entry->reply_slot);
}

/* --- the end of a life --- */

/* Others are ready: those of its band get a turn, those below only while it waits. False: it cannot
 * wait. */
static bool root_gives_way(void)
{
    core_preempt();
    if (core_model.current != 0)
        return true;
    struct message message = {.header.version = MESSAGE_VERSION};
    core_compose(&message);
    unsigned result = core_syscall(SYSCALL_RECV, SLOT_SERVICE_ENDPOINT, core_model.now + 1, 0);
    return result == STATUS_OK || result == CORE_WAITS;
}

/* Everyone except rootd ends, until rootd runs: the only processes that wait for ever are those
 * that nobody can reach. */
static void root_alone(void)
{
    for (uint32_t i = 0; i < CLEANUP_LIMIT && !core.halted; i++) {
        if (core_model.current == 0 && core_model.run.count == 0)
            return;
        if (core_model.current == MODEL_NONE)
            core_timer(model_next_deadline(&core_model));
        else if (core_model.current != 0)
            core_exception(14, i);
        else if (!root_gives_way())
            return;
    }
}

/* One capability of rootd that is worth acting on; false: none is left. */
static bool root_gives_back(void)
{
    const struct model_kernel_process *root = &core_model.processes[0];
    for (uint32_t i = 0; i < root->cap_count; i++) {
        const struct model_cap *cap = &root->caps[i];
        uint32_t slot = cap->slot;
        enum model_kernel_life life =
            core_model.processes[cap->object < MODEL_PROCESS_LIMIT ? cap->object : 0].life;
        bool process = cap->type == OBJECT_PROCESS && model_cap_live(&core_model, cap) &&
                       (cap->rights & RIGHT_CONTROL) != 0;
        if (process && life == MODEL_LIFE_ENDED) {
            core_control(0, OP_KERNEL_RETIRE_PROCESS, &slot, 0);
        } else if (process && life != MODEL_LIFE_STAGED) {
            struct kernel_kill_process_request request = {slot, 9};
            core_control(0, OP_KERNEL_KILL_PROCESS, &request, 0);
        }
        bool boot = slot <= SLOT_SERVICE_ENDPOINT ||
                    (cap->type == OBJECT_UNTYPED && cap->object < 2) ||
                    cap->type >= OBJECT_KERNEL_SELF || cap->type == OBJECT_IMAGE;
        if (boot)
            continue;
        return core_control(0, OP_KERNEL_DROP_LOCAL_CAP, &slot, 0) == STATUS_OK;
    }
    return false;
}

/* K5: when all processes are gone, every page is in the pools of boot again. */
static void check_conservation(void)
{
    if (core_model.halted || core.process_count != 1)
        return;
    /* Who dropped its own KERNEL_SELF can drop nothing more: then the pools are the model's, no
     * more. */
    if (core_slot_of(1u << OBJECT_KERNEL_SELF, RIGHT_CONTROL, 0) == 0)
        return;
    PROPERTY_EQUAL(K5, "frames-left", core.untypeds[0].frame_pages, 0);
    PROPERTY_EQUAL(K5, "back", kernel_untyped_available(&core.untypeds[0]),
                   core.untypeds[0].total_pages);
    PROPERTY_EQUAL(K5, "root", kernel_untyped_available(&core.untypeds[1]),
                   core.untypeds[1].total_pages -
                       kernel_process(&core, KERNEL_ROOT_PROCESS)->budget_pages);
    MARK("kernel: everything is back");
}

/* rootd itself is asked what it holds: the same, slot by slot. */
static void check_query(void)
{
    uint32_t slot = 1;
    uint32_t found = 0;
    while (!core.halted && core_slot_of(1u << OBJECT_KERNEL_SELF, RIGHT_CONTROL, 0) != 0) {
        struct kernel_query_local_cap_request request = {slot, QUERY_NEXT};
        struct kernel_query_local_cap_reply reply;
        if (core_control(0, OP_KERNEL_QUERY_LOCAL_CAP, &request, 0) != STATUS_OK) {
            PROPERTY_EQUAL(R1, "count", found, core_model.processes[0].cap_count);
            return;
        }
        memcpy(&reply, core_model.processes[0].page.body, sizeof reply);
        slot = reply.slot + 1;
        found++;
    }
}

static void finish(void)
{
    if (oracle_deferred())
        core_look_whole();
    core_quiet(true);
    core_work_whole();
    root_alone();
    if (core_model.current == 0)
        check_query();
    for (uint32_t i = 0; i < CLEANUP_LIMIT && core_model.current == 0 && root_gives_back(); i++)
        root_alone();
    core_quiet(false);
    core_look_whole();
    check_conservation();
}

/* --- one input -------------------------------------------------------------------------------- */

/* The steps of one entry, if that is what the first step says. */
static uint32_t boot_work_max(const struct life_step *first)
{
    if (first->kind != LIFE_ACTION || first->action != ACTION_PIECES)
        return CORE_WORK_WHOLE;
    return KERNEL_WORK_MIN + (uint32_t)(first->arguments[0] % WORK_MAX_COUNT);
}

static void boot(const struct life_step *first, uint32_t work_max)
{
    bool limited = first->kind == LIFE_ACTION && first->action == ACTION_LIMIT;
    uint64_t pages = limited ? 96 + first->arguments[0] % 417 : CORE_PAGES;
    uint64_t budget = limited ? 16 + first->arguments[1] % 25 : CORE_ROOT_BUDGET;
    memset(&pending, 0, sizeof pending);
    core_boot((uint32_t)pages, (uint32_t)budget, work_max);
}

static void run_step(struct life_step *step)
{
    struct core_entry entry;
    if (step->kind == LIFE_GENERATED && step->tag == CORE_TAG_ENTRY) {
        core_entry_read(&step->choices, &entry);
        core_enter(&entry);
    } else if (step->kind == LIFE_GENERATED)
        core_generated(&step->choices);
    else if (step->kind == LIFE_LITERAL)
        run_literal(step);
    else
        run_action(step);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    struct life_step step;
    bool more = life_next(&choices, &language, &step);
    uint32_t work_max = boot_work_max(&step);
    if (work_max != CORE_WORK_WHOLE) {
        life_print_action(&language, &step);
        more = life_next(&choices, &language, &step);
    }
    boot(&step, work_max);
    for (uint32_t i = 0; more && i < STEP_LIMIT; i++) {
        if (!model_kernel_has_room(&core_model))
            break;
        run_step(&step);
        more = life_next(&choices, &language, &step);
    }
    finish();
    digest_u64(kernel_digest(&core));
    digest_bytes(host_log(NULL), strlen(host_log(NULL)));
    return 0;
}
