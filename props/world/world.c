/* SPDX-License-Identifier: ISC */
/* The world's processes: a seat each, with a stack and the state of its program. Decides who runs
 * only as the kernel says; gives processes no way out other than the four system calls and
 * faults. */
#include "props/world/world.h"

#include <stdlib.h>
#include <string.h>

#include "abi/address_space.h"
#include "abi/formats/boot_image.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "abi/user_memory.h"
#include "kernel/core/kernel.h"
#include "kernel/host/host.h"
#include "props/world/devices.h"
#include "props/world/fiber.h"
#include "props/world/operations.h"
#include "props/world/programs.h"
#include "services/lib/kernel_calls.h"
#include "services/runtime/entry.h"

enum { VECTOR_INVALID_OPCODE = 6 };

/* Where a process runs. A seat is a new one when the kernel's generation of the index moved on. */
struct seat {
    struct fiber fiber;
    uint64_t generation;
    uint64_t entry_count; /* into the kernel, since the process started */
    const char *program;  /* null: none, or not started yet */
    void *state;
    bool taken;
};

static struct kernel kernel;
static struct events events;
static struct fiber main_fiber;
static struct seat seats[PROCESS_LIMIT];
static uint32_t seat_high;          /* seats [0, seat_high) were used */
static const struct inputs *inputs; /* null: none are fed */
static size_t inputs_used;
static bool diverged;
static struct injection *injection; /* null: nothing is made to fail */
static const uint8_t *image_bytes;  /* of the run, for the layout of modules */
static size_t image_size_bytes;

struct kernel *world_kernel(void)
{
    return &kernel;
}

/* --- one process ---------------------------------------------------------------------------- */

static uint32_t current(void)
{
    return kernel.current;
}

/* After an entry: goes on at once when the kernel resumes this process, otherwise lets the world's
 * loop run who is next; returns when this process is resumed. Never returns once it has ended. */
static void yield_unless_current(uint32_t self)
{
    if (kernel.current != self || kernel.halted ||
        kernel_process(&kernel, self)->resume == RESUME_WORK)
        fiber_switch(&seats[self].fiber, &main_fiber);
}

static size_t message_bytes(const struct message *message)
{
    size_t body = message->header.body_bytes;
    return offsetof(struct message, body) +
           (body < MESSAGE_BODY_BYTES_MAX ? body : MESSAGE_BODY_BYTES_MAX);
}

/* The next input when it comes before this entry of this process (RECORD_NOBODY: while idle), or, a
 * read of a device, in it. */
static const struct machine_record *input_take(uint32_t process, uint64_t entry, bool is_read)
{
    if (inputs == NULL || inputs_used == inputs->count)
        return NULL;
    const struct machine_record *row = &inputs->rows[inputs_used];
    if (row->process != process || row->entry != entry || (row->kind == RECORD_READ) != is_read)
        return NULL;
    inputs_used++;
    return row;
}

/* What interrupted on the metal does here. A line that is not open could not have: this run is not
 * that one. */
static void input_do(const struct machine_record *row)
{
    if (row->kind == RECORD_TIMER)
        kernel_timer(&kernel, row->value);
    else if (row->kind == RECORD_PREEMPT)
        kernel_preempt(&kernel);
    else if (row->kind == RECORD_INTERRUPT && row->value < INTERRUPT_LINE_COUNT &&
             host_line_is_open((uint32_t)row->value))
        host_interrupt(&kernel, (uint32_t)row->value);
    else
        diverged = true;
}

/* An interruption of the running process; returns when it is resumed. */
static void input_happen(uint32_t self, const struct machine_record *row)
{
    input_do(row);
    yield_unless_current(self);
}

/* What the kernel reads from a device in the entry that goes on is what it read there on the metal. */
static uint32_t input_read(enum machine_read_kind kind, uint32_t address)
{
    const struct machine_record *row = input_take(current(), seats[current()].entry_count, true);
    if (row != NULL && row->number == kind && row->slot == address)
        return (uint32_t)row->value;
    diverged = true;
    return 0;
}

/* Counts an entry of the running process and lets the inputs before it happen: processes share no
 * memory, so an interruption at any point since the last entry is the same as one here. */
static void entry_begin(uint32_t self)
{
    uint64_t entry = ++seats[self].entry_count;
    const struct machine_record *row;
    while ((row = input_take(self, entry, false)) != NULL)
        input_happen(self, row);
    if (inputs == NULL && devices_interrupt(&kernel))
        yield_unless_current(self);
}

struct message *sys_message(void)
{
    return kernel_message(&kernel, current());
}

/* To the page or from it, unless the message lies there. */
static void message_copy(struct message *target, const struct message *source)
{
    if (target != source)
        memcpy(target, source, message_bytes(source));
}

static enum status enter(uint32_t number, uint32_t slot, uint64_t deadline_ticks,
                         uint32_t reply_slot)
{
    uint32_t self = current();
    entry_begin(self);
    kernel_syscall(&kernel, number, slot, deadline_ticks, reply_slot);
    yield_unless_current(self);
    return (enum status)kernel_process(&kernel, self)->result;
}

/* The program that answers CALLs of a slot; null when nobody does. */
static const char *program_behind(uint32_t self, uint32_t slot)
{
    const struct capability *cap = kernel_slot(&kernel, self, slot);
    if (cap == NULL || cap->object_type == OBJECT_NONE)
        return NULL;
    if (cap->object_type != OBJECT_ENDPOINT)
        return "kernel";
    return cap->object == KERNEL_DRIVER_ENDPOINT ? "procd" : seats[cap->object].program;
}

static enum status call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    uint32_t self = current();
    const char *program = program_behind(self, slot);
    struct message *page = kernel_message(&kernel, self);
    message_copy(page, message);
    enum status status = enter(SYSCALL_CALL, slot, deadline_ticks, 0);
    bool delivered = status == STATUS_OK;
    if (delivered)
        message_copy(message, page);
    events_syscall(&events, self, SYSCALL_CALL, slot, status, delivered ? message : NULL);
    if (delivered)
        operations_answered(program != NULL ? program : "", message);
    return status;
}

/* --- what is made to fail (injection.h) --- */

/* The clock goes on while `self` runs, and others get a turn. */
static void time_pass(uint32_t self, uint64_t until_ticks)
{
    if (until_ticks > kernel.now_ticks)
        kernel_timer(&kernel, until_ticks);
    if (kernel.current == self)
        kernel_preempt(&kernel);
    yield_unless_current(self);
}

/* An answer that came with so many capabilities is thrown away; it may lie in the page. */
static void answer_lose(uint32_t cap_count, uint32_t window_slot)
{
    struct caller caller = {0};
    for (uint32_t i = 0; i < cap_count; i++)
        (void)kernel_drop_local_cap(&caller, window_slot + i);
}

/* Nobody receives the calls that rootd makes meanwhile: each ends with its time. Its message may lie in the
 * page. */
static void pause_now(uint32_t self, const struct world_pause *pause)
{
    static struct message kept;
    uint64_t ticks;
    kept = *kernel_message(&kernel, self);
    while ((ticks = pause->look()) != 0) {
        kernel_message(&kernel, self)->header = (struct message_header){.version = MESSAGE_VERSION};
        (void)enter(SYSCALL_CALL, SLOT_SERVICE_ENDPOINT, kernel.now_ticks + ticks, 0);
    }
    *kernel_message(&kernel, self) = kept;
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    uint32_t self = current();
    const struct world_pause *pause = pause_due(&kernel, self, slot, message);
    if (pause != NULL)
        pause_now(self, pause);
    uint32_t window_slot = message->header.window_slot;
    enum fate fate = injection_fate(injection, seats[self].program, message, deadline_ticks);
    if (fate == FATE_REFUSED) {
        message_refuse(message, injection->status);
        return STATUS_OK;
    }
    if (fate == FATE_TIMED_OUT) {
        time_pass(self, deadline_ticks);
        return STATUS_TIMED_OUT;
    }
    enum status status = call(slot, message, deadline_ticks);
    if (fate != FATE_LOST || status != STATUS_OK)
        return status;
    answer_lose(message->header.cap_count, window_slot);
    time_pass(self, deadline_ticks);
    return STATUS_TIMED_OUT;
}

/* What the injected message does to whoever has just received it. */
static void received_fate(uint32_t self, enum fate fate)
{
    if (fate == FATE_LATE)
        time_pass(self, injection->late_ticks + 1);
    if (fate == FATE_KILLS) {
        kernel_end_process(&kernel, self);
        fiber_switch(&seats[self].fiber, &main_fiber);
    }
    while (fate == FATE_UNHEARD) { /* nobody else receives on its endpoint: it waits for ever */
        kernel_message(&kernel, self)->header = (struct message_header){.version = MESSAGE_VERSION};
        (void)enter(SYSCALL_CALL, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, 0);
    }
}

/* The rest of RECV and REPLY_RECV, whose message lies in the page. */
static enum status receive(uint32_t number, uint32_t slot, struct message *message,
                           uint64_t deadline_ticks, uint32_t reply_slot, struct receive_info *info)
{
    uint32_t self = current();
    const struct message *page = kernel_message(&kernel, self);
    enum status status = enter(number, slot, deadline_ticks, reply_slot);
    bool delivered = status == STATUS_OK;
    if (delivered)
        message_copy(message, page);
    if (delivered || status == STATUS_RETRY || status == STATUS_TIMED_OUT)
        *info = *kernel_receive_info(&kernel, self);
    events_syscall(&events, self, number, slot, status, delivered ? message : NULL);
    if (delivered)
        operations_received(message);
    if (delivered)
        received_fate(self, injection_received(injection, seats[self].program, message));
    return status;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    kernel_message(&kernel, current())->header = message->header;
    return receive(SYSCALL_RECV, slot, message, deadline_ticks, 0, info);
}

enum status sys_reply_recv(uint32_t reply_slot, struct message *message, uint32_t slot,
                           uint64_t deadline_ticks, struct receive_info *info)
{
    message_copy(kernel_message(&kernel, current()), message);
    return receive(SYSCALL_REPLY_RECV, slot, message, deadline_ticks, reply_slot, info);
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    uint32_t self = current();
    message_copy(kernel_message(&kernel, self), message);
    enum status status = enter(SYSCALL_REPLY, reply_slot, 0, 0);
    events_syscall(&events, self, SYSCALL_REPLY, reply_slot, status, NULL);
    return status;
}

/* The host's address of `va` in the running process, after as many faults as it takes. */
static void *user_access(uint64_t va, enum fault_access access)
{
    for (;;) {
        uint32_t self = current();
        void *bytes = host_user_translate(&kernel, self, va, access);
        if (bytes != NULL)
            return bytes;
        entry_begin(self);
        events_fault(&events, self, va, access);
        kernel_fault(&kernel, va, access, 0);
        yield_unless_current(self);
    }
}

uint64_t user_load64(uint64_t addr)
{
    uint64_t value;
    memcpy(&value, user_access(addr, FAULT_READ), sizeof value);
    return value;
}

void user_store64(uint64_t addr, uint64_t value)
{
    memcpy(user_access(addr, FAULT_WRITE), &value, sizeof value);
}

void user_exec(uint64_t addr)
{
    user_access(addr, FAULT_EXECUTE);
}

/* The timer interrupts here. With inputs fed, those that the metal had at this point do; a process
 * that has none left would spin for ever, so this run is not that one. */
void user_spin(void)
{
    uint32_t self = current();
    if (inputs == NULL) {
        kernel_timer(&kernel, kernel.now_ticks + 1);
        if (kernel.current == self)
            kernel_preempt(&kernel);
        if (kernel.now_ticks > WORLD_TICKS_MAX) /* nobody else ever runs: the run is over */
            fiber_switch(&seats[self].fiber, &main_fiber);
        yield_unless_current(self);
        return;
    }
    const struct machine_record *row = input_take(self, seats[self].entry_count + 1, false);
    diverged = row == NULL;
    if (diverged)
        fiber_switch(&seats[self].fiber, &main_fiber);
    else
        input_happen(self, row);
}

/* --- starting a process --- */

/* The name that the loaded image carries behind its entry point; "" when it carries none. */
static void image_name_read(uint64_t entry_va, char name[ENTRY_NAME_BYTES])
{
    char text[ENTRY_TAG_BYTES + ENTRY_NAME_BYTES] = {0};
    user_access(entry_va, FAULT_EXECUTE); /* the first instruction */
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = *(const char *)user_access(entry_va + ENTRY_TAG_OFFSET + i, FAULT_EXECUTE);
    name[0] = '\0';
    if (memcmp(text, ENTRY_TAG, ENTRY_TAG_BYTES) == 0)
        memcpy(name, text + ENTRY_TAG_BYTES, ENTRY_NAME_BYTES);
    name[ENTRY_NAME_BYTES - 1] = '\0';
}

const uint8_t *world_module(const char *name, uint64_t *size_bytes)
{
    static struct boot_image image;
    *size_bytes = 0;
    if (boot_image_parse(image_bytes, image_size_bytes, &image) != STATUS_OK)
        return NULL;
    int index = boot_image_find(&image, name);
    if (index < 0)
        return NULL;
    *size_bytes = image.sections[index].size_bytes;
    return image_bytes + image.sections[index].offset_bytes;
}

static void helper_run(const struct program *program, const struct start_context *start)
{
    struct caller caller = {0};
    world_image_touch(program->name, start->entry_va, start->stack_top_va);
    kernel_exit(&caller, program->helper(start->arguments[0]));
}

static void seat_main(void)
{
    fiber_started(&main_fiber);
    uint32_t self = current();
    struct start_context start = kernel_process(&kernel, self)->start;
    char name[ENTRY_NAME_BYTES];
    image_name_read(start.entry_va, name);
    const struct program *program = program_find(name);
    seats[self].program = program != NULL ? program->name : NULL;
    if (program != NULL)
        pause_started(&kernel, self, program->name);
    if (program != NULL && program->helper != NULL) {
        helper_run(program, &start);
    } else if (program != NULL) {
        free(seats[self].state);
        uint64_t table_pages = role_table_pages(program->table_role, kernel.page_count);
        uint8_t *memory = calloc(1, program->state_bytes + table_pages * PAGE_BYTES);
        if (memory == NULL)
            abort();
        seats[self].state = memory;
        if (program_is_paged(program->name))
            world_image_touch(program->name, start.entry_va, start.stack_top_va);
        program->run(memory, memory + program->state_bytes);
    }
    /* No such program, or it ran off its end: what a processor would say there. */
    kernel_exception(&kernel, VECTOR_INVALID_OPCODE, start.entry_va);
    fiber_switch(&seats[self].fiber, &main_fiber);
    abort();
}

/* The seat of who is at an index now. */
static struct seat *seat_take(uint32_t index)
{
    struct seat *seat = &seats[index];
    uint64_t generation = kernel.processes[index].generation;
    if (seat->taken && seat->generation == generation)
        return seat;
    if (fiber_prepare(&seat->fiber, seat_main) != 0)
        abort();
    seat->taken = true;
    seat->generation = generation;
    seat->entry_count = 0;
    seat->program = NULL;
    if (index >= seat_high)
        seat_high = index + 1;
    return seat;
}

/* A piece of what the current process has to do in the kernel is an entry of its own; the inputs
 * before it happen first, and may let somebody else go on. */
static void seat_work(uint32_t index)
{
    struct seat *seat = seat_take(index);
    const struct machine_record *row = input_take(index, seat->entry_count + 1, false);
    if (row != NULL) {
        input_do(row);
        return;
    }
    seat->entry_count++;
    kernel_work(&kernel);
}

static void seat_resume(uint32_t index)
{
    if (kernel_process(&kernel, index)->resume == RESUME_WORK)
        seat_work(index);
    else
        fiber_switch(&main_fiber, &seat_take(index)->fiber);
}

/* --- a run --- */

static void seats_clear(void)
{
    for (uint32_t i = 0; i < seat_high; i++) {
        free(seats[i].state);
        seats[i].state = NULL;
        seats[i].taken = false;
    }
    seat_high = 0;
}

const void *world_state(uint32_t index)
{
    return seats[index].state;
}

const char *world_program(uint32_t index)
{
    return seats[index].taken ? seats[index].program : NULL;
}

void world_release(void)
{
    for (uint32_t i = 0; i < PROCESS_LIMIT; i++)
        fiber_release(&seats[i].fiber);
    seats_clear();
}

static bool ready_reported(void)
{
    return strstr(host_log(NULL), "ERIX_ROOTD:READY\n") != NULL;
}

/* A system that stays is ready when rootd says so and receives, which it does for nothing else: who
 * holds KERNEL_LOG could write the same line while rootd waits for an answer. */
static bool ready_serves(void)
{
    const struct process *root = kernel_process(&kernel, KERNEL_ROOT_PROCESS);
    return root != NULL && root->life == LIFE_RECEIVING && ready_reported();
}

/* Everybody waits, and inputs are fed: the next one must be the clock's, or a line's. */
static bool idle_fed(void)
{
    const struct machine_record *row = input_take(RECORD_NOBODY, 0, false);
    diverged = row == NULL && inputs_used != inputs->count;
    if (row != NULL)
        input_do(row);
    return row != NULL;
}

/* Everybody waits: time passes to the next deadline. False when the run is over. */
static bool idle(void)
{
    if (inputs != NULL)
        return idle_fed();
    uint64_t deadline = kernel_next_deadline(&kernel);
    if (devices_interrupt(&kernel))
        return true;
    if (ready_serves() || deadline == DEADLINE_NEVER || deadline > WORLD_TICKS_MAX)
        return false;
    kernel_timer(&kernel, deadline);
    return true;
}

static enum world_end end_of_run(void)
{
    if (diverged || (inputs != NULL && inputs_used != inputs->count))
        return WORLD_DIVERGED;
    if (kernel.halted)
        return kernel.halt_code == 0 && ready_reported() ? WORLD_READY : WORLD_FAILED;
    return ready_serves() ? WORLD_READY : WORLD_STUCK;
}

static struct world_result result_of_run(void)
{
    return (struct world_result){
        .end = end_of_run(),
        .halt_code = kernel.halted ? kernel.halt_code : 0,
        .event_digest = events.digest.value,
        .event_count = events.count,
        .ticks = kernel.now_ticks,
        .inputs_used = inputs_used,
        .log = host_log(NULL),
    };
}

static struct world_result run_on(void)
{
    while (!kernel.halted && !diverged && events.count < WORLD_EVENTS_MAX &&
           kernel.now_ticks <= WORLD_TICKS_MAX) {
        if (kernel.current != KERNEL_IDLE)
            seat_resume(kernel.current);
        else if (!idle())
            break;
    }
    return result_of_run();
}

struct world_result world_run(const struct world_options *options)
{
    static size_t memory_bytes;
    size_t wanted = options->memory_bytes == 0 ? WORLD_MEMORY_BYTES_DEFAULT : options->memory_bytes;
    uint64_t pages = options->inputs == NULL ? 0 : options->inputs->memory_pages;
    if (pages != 0)
        wanted = (pages + 1) * PAGE_BYTES + options->image_bytes + PAGE_BYTES;
    if (memory_bytes != wanted)
        host_init(wanted);
    memory_bytes = wanted;
    host_load_image(options->image, options->image_bytes);
    image_bytes = options->image;
    image_size_bytes = options->image_bytes;
    seats_clear();
    events_start(&events, options->events);
    operations_start();
    inputs = options->inputs;
    inputs_used = 0;
    diverged = false;
    injection = options->injection;
    pause_set(options->pause);
    struct kernel_boot_info info =
        pages == 0 ? host_boot_info() : host_boot_info_limited((uint32_t)pages);
    devices_begin();
    if (inputs != NULL)
        host_on_read(input_read);
    enum status refused = kernel_boot(&kernel, &info);
    if (refused != STATUS_OK)
        return (struct world_result){
            .end = WORLD_REFUSED, .refused = refused, .log = host_log(NULL)};
    return run_on();
}

struct world_result world_end_process(uint32_t index)
{
    kernel_end_process(&kernel, index);
    return run_on();
}
