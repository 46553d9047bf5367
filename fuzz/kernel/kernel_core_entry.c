/* SPDX-License-Identifier: ISC */
/* One function for each entry of the kernel core: done on the core, then on the model, then
 * compared. Nothing here chooses anything. */
#include "fuzz/kernel/kernel_core.h"

#include <stdio.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/event.h"
#include "abi/messages/kernel.h"
#include "abi/text/generate.h"
#include "fuzz/harness.h"
#include "props/base/rates.h"

struct kernel core;
struct model_kernel core_model;

static uint64_t request_count;

/* The kernel's digest after the last entry that was looked at in full; the core's own walks cost
 * more than an entry, so that rows of entries that the harness itself makes are looked at in full
 * now and then only. */
enum { QUIET_STRIDE = 8, PIECES_MAX = 4000 };
static bool in_pieces;
static bool quiet;
static uint32_t quiet_count;
static bool looks; /* the entry that is going on is looked at in full */
static bool digest_known;
static uint64_t digest_before;
static uint64_t flushes_before;
static uint32_t request_first_slot;

void core_look_whole(void)
{
    if (digest_known)
        return;
    core_check(true);
    if (oracle_deferred())
        return;
    digest_before = kernel_digest(&core);
    digest_known = true;
}

/* --- boot ------------------------------------------------------------------------------------- */

static void machine_make(void)
{
    static bool made;
    static uint8_t image[MODEL_CODE_PAGES * PAGE_BYTES];
    if (made) {
        host_reset();
        return;
    }
    made = true;
    for (uint32_t i = 0; i < sizeof image; i++)
        image[i] = model_image_byte(i);
    host_init(4 << 20);
    host_load_image(image, sizeof image);
}

void core_boot(uint32_t pages, uint32_t root_budget, uint32_t work_max)
{
    machine_make();
    struct kernel_boot_info info = host_boot_info_limited(pages);
    info.root_budget_pages = root_budget;
    info.work_max = work_max;
    in_pieces = work_max != CORE_WORK_WHOLE;
    core_work_reset();
    enum status status = kernel_boot_bare(&core, &info);
    PROPERTY_EQUAL(K12, "boot", status, STATUS_OK);
    PROPERTY(K16, "unasked", !core.lives_reported);
    core.lives_reported = true;
    uint32_t launch = pages / 2; /* as kernel.h says of a small memory */
    quiet = false;
    model_kernel_reset(&core_model, pages - launch, launch, root_budget);
    core_model.processes[0].seen = true;
    request_count = 0;
    core_learn();
    digest_known = false;
    if (oracle_deferred())
        core_check(false);
    else
        core_look_whole();
}

/* --- before and after an entry --- */

static uint32_t state_before; /* of the current process: for marks */

static uint32_t state_of_current(void)
{
    const struct model_kernel_process *process = &core_model.processes[core_model.current];
    return (core_model.current != 0 ? 1u : 0) | (process->callers.count != 0 ? 2u : 0) |
           (core_model.run.count != 0 ? 4u : 0);
}

/* The entry that is going on, for the report of a property that fails in it. */
static struct {
    const char *what;
    uint32_t process;
    uint32_t slot;
    uint16_t operation;
    bool answered; /* both sides have given a result */
    unsigned predicted;
    unsigned got;
} current;

static const char *result_name(unsigned result)
{
    return result == CORE_WAITS ? "no result" : status_name(result);
}

/* "entry: process 2 CALL slot 18 kernel.retype predicted OK, got BUSY" */
static void report_entry(void)
{
    const struct operation *row = operation_find(SERVICE_KERNEL, current.operation);
    fprintf(stderr, "entry: process %d %s", (int)current.process, current.what);
    if (current.slot != SLOT_NULL)
        fprintf(stderr, " slot %u", current.slot);
    if (row != NULL)
        fprintf(stderr, " kernel.%s", row->name);
    if (current.answered)
        fprintf(stderr, " predicted %s, got %s", result_name(current.predicted),
                result_name(current.got));
    fputc('\n', stderr);
}

/* Whether the entry that begins is looked at in full. Where oracles are deferred, its E1 needs the
 * digest before it. */
static bool entry_looks(void)
{
    if (!oracle_deferred())
        return !quiet || ++quiet_count % QUIET_STRIDE == 0;
    bool due = oracle_step();
    if (due && !digest_known)
        digest_before = kernel_digest(&core);
    digest_known = due;
    return due;
}

static uint64_t entries; /* since the program began */

struct rates_counts rates_counts(void)
{
    return (struct rates_counts){.given = entries};
}

static void entry_begin(const char *what)
{
    entries++;
    looks = entry_looks();
    memset(&current, 0, sizeof current);
    current.what = what;
    current.process = core_model.current;
    property_context(report_entry, &current.operation);
    flushes_before = host_flush_count();
    for (uint32_t i = 0; i < core_model.process_count; i++) {
        const struct model_kernel_process *process = &core_model.processes[i];
        const struct process *real = kernel_process(&core, process->real_index);
        bool live = process->life != MODEL_LIFE_FREE && real != NULL;
        core_model.luck.left[i] = live ? real->budget_pages - real->drawn_pages : 0;
    }
    core_model.luck.over_budget = false;
    core_model.luck.over_budget_verdict = false;
    core_keep_lives();
    core_mark_others();
    state_before = core_model.current == MODEL_NONE ? 8 : state_of_current();
}

static void entry_end(void)
{
    MARK_IF("kernel: event delivered", core_model.events_delivered != 0);
    MARK_IF("kernel: queued call refused at delivery", core_model.refused_at_delivery != 0);
    PROPERTY(K2, "flush", host_flush_count() - flushes_before >= core_model.translations_lost);
    core_learn();
    core_check(looks);
    digest_u64(core.current);
    digest_known = looks && !oracle_deferred(); /* else the next entry is not looked at */
    if (!digest_known)
        return;
    digest_before = kernel_digest(&core);
    digest_looked(digest_before);
}

void core_quiet(bool on)
{
    quiet = on;
    quiet_count = 0;
    if (!on && !oracle_deferred())
        core_look_whole();
}

/* What the entry left to do, unless it is to be done in pieces. */
static void work_finish(void)
{
    PROPERTY(K8, core.work_done <= kernel_work_limit(&core));
    for (uint32_t i = 0; !in_pieces && core_works(); i++) {
        PROPERTY(K8, "ends", i < PIECES_MAX);
        core_piece();
        const char *wrong = quiet || !looks ? NULL : kernel_check(&core);
        if (wrong != NULL)
            property_K13_fails("", wrong, __FILE__, __LINE__);
    }
}

void core_work(void)
{
    if (!core_works())
        return;
    entry_begin("WORK");
    model_kernel_begin(&core_model);
    core_piece();
    entry_end();
}

void core_work_all(void)
{
    for (uint32_t i = 0; core_works(); i++) {
        PROPERTY(K8, "ends", i < PIECES_MAX);
        core_work();
    }
}

void core_work_whole(void)
{
    core_work_all();
    in_pieces = false;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* Behind the body a process has bytes of its own, which go to nobody. */
static void write_behind(struct message *message)
{
    enum { BEHIND = 16 };
    size_t from = message->header.body_bytes;
    if (from <= sizeof message->body - BEHIND)
        memset(message->body + from, (int)(0xA0 | (core.current & 0xF)), BEHIND);
}

void core_compose(const struct message *message)
{
    struct message *real = kernel_message(&core, core.current);
    *real = *message;
    write_behind(real);
    real->header.request_id = ++request_count;
    core_model.processes[core_model.current].page = *real;
}

/* What the caller was told by the real kernel, before the model is asked. */
static void luck_take(uint32_t index, uint32_t number, bool control)
{
    const struct process *process = kernel_process(&core, index);
    if (process == NULL || (process->life != LIFE_CURRENT && process->life != LIFE_READY) ||
        process->work.kind == WORK_SCAN)
        return;
    core_model.luck.over_budget = process->result == STATUS_OVER_BUDGET;
    core_model.luck.over_budget_verdict =
        number == SYSCALL_CALL && control && process->result == STATUS_OK &&
        kernel_message(&core, index)->header.status == STATUS_OVER_BUDGET;
    struct kernel_read_process_slot_reply read;
    core_model.luck.no_leaf_above =
        message_decode(&kernel_read_process_slot_reply_type, kernel_message(&core, index), &read) ==
            STATUS_OK &&
        read.slot == SLOT_LIMIT;
}

/* The result that the real kernel gave; CORE_WAITS: none yet. */
static unsigned result_of_core(uint32_t index, uint32_t number, bool control)
{
    const struct process *process = kernel_process(&core, index);
    if (process == NULL || (process->life != LIFE_CURRENT && process->life != LIFE_READY) ||
        process->work.kind == WORK_SCAN || process->work.kind == WORK_RECEIVE)
        return CORE_WAITS;
    return number == SYSCALL_CALL && control && process->result == STATUS_OK
               ? kernel_message(&core, index)->header.status
               : process->result;
}

static const char *syscall_name(uint32_t number)
{
    return number == SYSCALL_CALL         ? "CALL"
           : number == SYSCALL_RECV       ? "RECV"
           : number == SYSCALL_REPLY      ? "REPLY"
           : number == SYSCALL_REPLY_RECV ? "REPLY_RECV"
                                          : "syscall ?";
}

/* Paths worth reaching, by what was there before and is there now. */
static void mark_paths(uint32_t number, uint32_t slot, uint32_t slot_type, bool dead,
                       uint32_t caller, unsigned result)
{
    bool moved = core_model.current != MODEL_NONE && core_model.current != caller;
    enum model_kernel_life life = core_model.processes[caller].life;
    MARK_IF("kernel: direct switch to the receiver",
            number == SYSCALL_CALL && moved && life == MODEL_LIFE_CALLS);
    MARK_IF("kernel: reply switches to the caller", number == SYSCALL_REPLY && moved);
    bool caps = core_model.processes[caller].page.header.cap_count != 0;
    MARK_IF("kernel: capabilities arrive with a call",
            number == SYSCALL_CALL && moved && caps && life == MODEL_LIFE_CALLS);
    MARK_IF("kernel: capabilities arrive with a reply", number == SYSCALL_REPLY && moved && caps);
    MARK_IF("kernel: late reply finds nobody",
            number == SYSCALL_REPLY && slot - SLOT_REPLY_BASE < SLOT_REPLY_COUNT &&
                slot_type == OBJECT_NONE && result == STATUS_NOT_FOUND);
    MARK_IF("kernel: nobody can run", core_model.current == MODEL_NONE);
    MARK_IF("kernel: call through a dead capability", number == SYSCALL_CALL && dead &&
                                                          result == STATUS_NOT_FOUND &&
                                                          slot_type == OBJECT_ENDPOINT);
    MARK_IF("kernel: call ends its caller", life == MODEL_LIFE_FREE || life == MODEL_LIFE_ENDED);
    for (uint32_t i = 0; i < core_model.process_count; i++) {
        const struct model_kernel_process *process = &core_model.processes[i];
        MARK_IF("kernel: peer died", i != caller && process->life == MODEL_LIFE_RUNS &&
                                         process->result_known &&
                                         process->result == STATUS_PEER_DIED);
    }
}

/* REPLY_RECV: what became of both halves of it. `call_number` is of who waited behind the reply slot
 * before, 0: nobody did. */
static void mark_reply_receive(uint32_t caller, uint32_t reply_slot, uint64_t call_number,
                               unsigned result)
{
    const struct model_cap *cap = model_cap_find(&core_model, caller, reply_slot);
    bool stands = cap != NULL && cap->type == OBJECT_REPLY && cap->badge == call_number;
    bool out = call_number != 0 && !stands;
    bool receives = result == STATUS_OK || result == CORE_WAITS;
    MARK_IF("kernel: an answer, and its sender waits", out && result == CORE_WAITS);
    MARK_IF("kernel: an answer, and the next message", out && result == STATUS_OK);
    MARK_IF("kernel: an answer, and nothing is there yet", out && result == STATUS_RETRY);
    MARK_IF("kernel: an answer, and the RECV after it is refused",
            out && !receives && result != STATUS_RETRY && result != STATUS_TIMED_OUT);
    MARK_IF("kernel: a refused answer receives nothing", call_number != 0 && stands);
    MARK_IF("kernel: nobody to answer is a RECV", call_number == 0 && receives);
}

static void mark_memory(uint16_t operation)
{
    for (uint32_t i = 0; i < core_model.process_count; i++) {
        const struct model_kernel_process *process = &core_model.processes[i];
        if (process->map_count != 0 && operation == OP_KERNEL_MAP_FRAME)
            MARK_IF("kernel: image mapped",
                    process->maps[process->map_count - 1].frame == MODEL_NONE);
    }
    MARK_IF("kernel: a mapping lost rights or went", core_model.translations_lost != 0);
    MARK_IF("kernel: several mappings went at once", core_model.translations_lost > 1);
}

static void mark_control(uint16_t operation, uint32_t kind)
{
    const struct model_cap *grant =
        model_cap_find(&core_model, core_model.current, request_first_slot);
    MARK_IF("kernel: a dead grant installs nothing",
            operation == OP_KERNEL_CAP_COPY_ATTENUATED && grant != NULL &&
                grant->type == OBJECT_GRANT && core_model.verdict == STATUS_NOT_FOUND &&
                !model_cap_live(&core_model, grant));
    if (core_model.verdict == STATUS_OK)
        mark_memory(operation);
    const struct operation *row = operation_find(SERVICE_KERNEL, operation);
    mark_triple("kernel", state_before << 5 | kind, row != NULL ? operation : 0,
                core_model.verdict);
    MARK_IF("kernel: refused by W^X over time",
            core_model.verdict == STATUS_WRITE_AND_EXECUTE && operation != 0);
}

static void check_refusal(unsigned result)
{
    if (result != STATUS_OK && result < CORE_WAITS && !core_model.changed && digest_known)
        PROPERTY_EQUAL(E1, kernel_digest(&core), digest_before);
}

unsigned core_syscall(uint32_t number, uint32_t slot, uint64_t deadline, uint32_t reply_slot)
{
    if (core.current == KERNEL_IDLE || core.halted)
        return CORE_WAITS;
    uint32_t caller = core_model.current;
    uint32_t index = core.current;
    struct model_cap *cap = model_cap_find(&core_model, caller, slot);
    uint32_t type = cap != NULL ? cap->type : 0;
    bool dead = cap != NULL && !model_cap_live(&core_model, cap);
    const struct model_cap *reply = model_cap_find(&core_model, caller, reply_slot);
    uint64_t call_number = reply != NULL && reply->type == OBJECT_REPLY ? reply->badge : 0;
    uint16_t operation = core_model.processes[caller].page.header.operation;
    memcpy(&request_first_slot, core_model.processes[caller].page.body, 4);
    entry_begin(syscall_name(number));
    current.slot = slot;
    current.operation = number == SYSCALL_CALL && type >= OBJECT_KERNEL_SELF ? operation : 0;
    kernel_syscall(&core, number, slot, deadline, reply_slot);
    core_look();
    luck_take(index, number, type >= OBJECT_KERNEL_SELF);
    model_kernel_syscall(&core_model, number, slot, deadline, reply_slot);
    work_finish();
    current.got = result_of_core(index, number, type >= OBJECT_KERNEL_SELF);
    const struct model_kernel_process *process = &core_model.processes[caller];
    bool back = process->life == MODEL_LIFE_RUNS && process->work != MODEL_WORK_SCAN &&
                process->work != MODEL_WORK_RECEIVE;
    unsigned result = !back                                                ? CORE_WAITS
                      : core_model.control && process->result == STATUS_OK ? core_model.verdict
                                                                           : process->result;
    current.predicted = result;
    current.answered = true;
    if (!quiet)
        TRACE("# process %u %s slot %u deadline %llu: %s", caller, syscall_name(number), slot,
              (unsigned long long)deadline,
              current.got == CORE_WAITS ? "waits or ends" : status_name(current.got));
    check_refusal(result);
    digest_u64(result == CORE_WAITS ? CORE_WAITS_DIGEST : result);
    if (core_model.control && core_model.current != MODEL_NONE)
        mark_control(operation, type);
    else
        mark_triple(result == CORE_WAITS ? "kernel waits" : "kernel ipc",
                    state_before << 5 | (type < OBJECT_KERNEL_SELF ? type : 16),
                    number <= SYSCALL_REPLY_RECV && number >= SYSCALL_CALL ? number : 0,
                    result == CORE_WAITS ? STATUS_OK : result);
    mark_paths(number, slot, type, dead, caller, result);
    if (number == SYSCALL_REPLY_RECV)
        mark_reply_receive(caller, reply_slot, call_number, result);
    entry_end();
    return result;
}

void core_fault(uint64_t va, uint32_t access, uint64_t instruction_va)
{
    if (core.current == KERNEL_IDLE || core.halted)
        return;
    uint32_t process = core_model.current;
    access %= FAULT_ACCESS_LAST + 1;
    entry_begin("FAULT");
    kernel_fault(&core, va, (enum fault_access)access, instruction_va);
    core_look();
    model_kernel_fault(&core_model, va, access, instruction_va);
    work_finish();
    enum model_kernel_life life = core_model.processes[process].life;
    mark_triple("kernel fault", (unsigned)life, OP_EVENT_FAULT, STATUS_OK);
    MARK_IF("kernel: fault switches to the pager", life == MODEL_LIFE_CALLS);
    MARK_IF("kernel: fault queues at the pager", life == MODEL_LIFE_SENDS);
    MARK_IF("kernel: fault without a pager ends", life == MODEL_LIFE_ENDED);
    MARK_IF("kernel: access was allowed meanwhile", core_model.current == process);
    entry_end();
}

void core_exception(uint32_t vector, uint64_t instruction_va)
{
    if (core.current == KERNEL_IDLE || core.halted)
        return;
    entry_begin("EXCEPTION");
    kernel_exception(&core, vector, instruction_va);
    core_look();
    model_kernel_exception(&core_model, vector, instruction_va);
    work_finish();
    entry_end();
}

/* It stops waking only where it may, and says so. */
static void check_wakes(uint32_t woken)
{
    bool due = model_next_deadline(&core_model) <= core_model.now;
    PROPERTY_EQUAL(K8, "wakes", core.wakes_due, due);
    PROPERTY(K8, "stops",
             !due || woken == KERNEL_TIMER_WAKES_MAX || core.work_done >= core.work_max);
    MARK_IF("kernel: more deadlines pass than one entry wakes", due);
}

void core_timer(uint64_t now)
{
    uint64_t next = model_next_deadline(&core_model);
    uint32_t deadlines = core.deadline_count;
    entry_begin("TIMER");
    kernel_timer(&core, now);
    core_look();
    model_kernel_timer(&core_model, now);
    if (!core.halted)
        check_wakes(deadlines - core.deadline_count);
    work_finish();
    MARK_IF("kernel: a deadline passed", !core.halted && next <= core_model.now);
    MARK_IF("kernel: the clock does not go back", now < core_model.now);
    entry_end();
}

void core_preempt(void)
{
    entry_begin("PREEMPT");
    kernel_preempt(&core);
    core_look();
    model_kernel_preempt(&core_model);
    work_finish();
    entry_end();
}

/* A device cannot be heard through a closed line; a machine that tells the core of one all the same,
 * late, changes nothing. */
void core_interrupt(uint32_t line)
{
    bool open = host_line_is_open(line);
    entry_begin("INTERRUPT");
    host_interrupt(&core, line);
    core_look();
    model_kernel_interrupt(&core_model, line);
    work_finish();
    MARK_IF("kernel: an interrupt is received at once", core_model.lines[line].told && open);
    MARK_IF("kernel: an interrupt waits for who receives",
            core_model.lines[line].interrupts && open);
    MARK_IF("kernel: a closed line is not heard", !open);
    entry_end();
}

/* --- what processes do ------------------------------------------------------------------------ */

void core_user_write(uint64_t va, uint8_t value)
{
    if (core.current == KERNEL_IDLE || va >= USER_VA_END)
        return;
    const struct model_map *map = model_map_find(&core_model, core_model.current, va);
    uint8_t *byte = host_user_translate(&core, core.current, va, FAULT_WRITE);
    bool allowed = map != NULL && (map->rights & RIGHT_WRITE) != 0;
    PROPERTY_EQUAL(V1, "write", byte != NULL, allowed);
    if (byte == NULL || map == NULL)
        return;
    MARK("kernel: a process wrote its own page");
    *byte = value;
    model_frame_bytes(&core_model, map->frame)[va % PAGE_BYTES] = value;
}

/* The caller's capability of a kind that the operation names; its usual slot when it has none. */
static uint32_t control_slot(const struct operation *row)
{
    uint32_t slot = row != NULL ? core_slot_of(row->allowed, RIGHT_CONTROL, 0) : 0;
    return slot != 0 ? slot : SLOT_SELF;
}

struct core_entry core_request(uint32_t slot, uint16_t operation, const void *request,
                               uint32_t window_slot)
{
    const struct operation *row = operation_find(SERVICE_KERNEL, operation);
    struct core_entry entry = {.kind = ENTRY_CALL, .slot = slot != 0 ? slot : control_slot(row)};
    generate_delivered(row->request, request, &entry.message);
    entry.message.header.window_slot = window_slot;
    entry.message.header.window_count = window_slot != 0 ? 4 : 0;
    return entry;
}

unsigned core_control(uint32_t slot, uint16_t operation, const void *request, uint32_t window_slot)
{
    if (core.current == KERNEL_IDLE)
        return CORE_WAITS;
    struct core_entry entry = core_request(slot, operation, request, window_slot);
    core_compose(&entry.message);
    unsigned result = core_syscall(SYSCALL_CALL, entry.slot, DEADLINE_POLL, 0);
    core_work_all();
    return result;
}
