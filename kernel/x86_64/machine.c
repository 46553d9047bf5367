/* SPDX-License-Identifier: ISC */
/* The metal behind machine.h, and what happens at each entry: the core decides, this file
 * resumes. */
#include "kernel/x86_64/x86.h"

#include <string.h>

#include "abi/assert.h"

enum {
    VECTOR_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
    FAULT_CODE_PRESENT = 1u << 0,
    FAULT_CODE_WRITE = 1u << 1,
    FAULT_CODE_USER = 1u << 2,
    FAULT_CODE_RESERVED = 1u << 3, /* a reserved bit is set in a table */
    FAULT_CODE_EXECUTE = 1u << 4,
    GIVE_WAY_MAX = 4,      /* turns that may end before anybody runs */
    PORT_DEBUG_EXIT = 0xF4 /* (published) */
};
enum { PORT_PCI_ADDRESS = 0xCF8, PORT_PCI_DATA = 0xCFC };
#define PCI_ENABLED      (1u << 31)
#define USER_FLAGS_START UINT64_C(0x202) /* interrupts on */

struct kernel kernel;
uint8_t *machine_first_page = (uint8_t *)DIRECT_MAP_BASE;
struct page_record *machine_page_records;

extern uint64_t kernel_top_table[512];

static uint64_t start_cycles; /* of the processor when the kernel was entered; for the log */
static uint64_t tick_count;   /* what the clock said at the last interrupt */

uintptr_t __stack_chk_guard;
__attribute__((noreturn)) void __stack_chk_fail(void);
__attribute__((noreturn)) void machine_start(uint64_t start_info_addr);
void machine_syscall(uint32_t number, uint32_t slot, uint64_t deadline_ticks, uint32_t reply_slot);
struct process *machine_trap(uint64_t vector, uint64_t error);
void machine_kernel_trap(uint64_t vector, uint64_t error, uint64_t rip);
__attribute__((noreturn)) void machine_resume(void);
__attribute__((noreturn)) void resume_result(const struct process *process);
__attribute__((noreturn)) void resume_exact(const struct registers *registers);

/* --- machine.h --- */

void machine_page_begin(uint32_t page)
{
    (void)page;
}

void machine_page_zero(uint32_t page)
{
    uint64_t *words = machine_page(page);
    uint64_t count = PAGE_BYTES / sizeof *words;
    __asm__ volatile("rep stosq" : "+D"(words), "+c"(count) : "a"(0) : "memory");
}

void machine_vspace_init(uint32_t root_page)
{
    uint64_t *table = machine_page(root_page);
    memcpy(&table[256], &kernel_top_table[256], 256 * sizeof table[0]);
}

void machine_log(const void *bytes, size_t count)
{
    record_log_clock(start_cycles);
    serial_write(bytes, count);
}

uint8_t machine_port_read8(uint16_t port)
{
    uint8_t value = port_read8(port);
    record_read(READ_PORT, port, value);
    return value;
}

uint32_t machine_pci_read32(uint32_t address)
{
    port_write32(PORT_PCI_ADDRESS, PCI_ENABLED | address);
    uint32_t value = port_read32(PORT_PCI_DATA);
    record_read(READ_PCI, address, value);
    return value;
}

bool machine_port_write8(uint16_t port, uint8_t value)
{
    if (port != PORT_COM1) {
        port_write8(port, value);
        return true;
    }
    bool taken = serial_driver_write(value);
    record_read(READ_TAKEN, port, taken);
    return taken;
}

void machine_stop(uint32_t code)
{
    serial_flush();
    port_write32(PORT_DEBUG_EXIT, code);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void machine_halt(uint32_t code)
{
    if (code == KERNEL_HALT_ROOT_FAULT)
        report_root_end();
    machine_stop(code < STOP_PANIC ? code : STOP_PANIC - 1);
}

void machine_panic(const char *what, const char *file, int line)
{
    serial_text("BASALT_KERNEL:PANIC:");
    serial_text(what);
    serial_text(" at ");
    serial_text(file);
    serial_text(":");
    serial_number((uint64_t)line);
    serial_text("\n");
    machine_stop(STOP_PANIC);
}

/* Of a unit of abi/. */
void unit_assert_failed(const char *condition, const char *file, int line)
{
    machine_panic(condition, file, line);
}

void __stack_chk_fail(void)
{
    machine_panic("stack smashed", __FILE__, __LINE__);
}

/* --- entries --- */

/* The entry that entry.S takes only where it is recorded, or measured. */
void machine_syscall(uint32_t number, uint32_t slot, uint64_t deadline_ticks, uint32_t reply_slot)
{
    if (recording)
        record_syscall_entry(number, slot);
    kernel_syscall(&kernel, number, slot, deadline_ticks, reply_slot);
}

static enum fault_access access_of(uint64_t error)
{
    if ((error & FAULT_CODE_EXECUTE) != 0)
        return FAULT_EXECUTE;
    return (error & FAULT_CODE_WRITE) != 0 ? FAULT_WRITE : FAULT_READ;
}

static bool is_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static void clock_take(void)
{
    serial_drain();
    report_nmi();
    tick_count = timer_now();
    timer_arm(tick_count + 1);
}

static void tick_take(void)
{
    timer_acknowledge();
    clock_take();
}

static void tick_tell(void)
{
    record_timer(tick_count);
    kernel_timer(&kernel, tick_count);
    if (kernel.wakes_due)
        timer_arm(tick_count); /* the others, at once */
}

/* No pager can help: the processor's own access for the process was refused as the kernel's, or the
 * tables are such that it does not read them. */
static bool is_beyond_help(uint64_t error)
{
    return (error & FAULT_CODE_RESERVED) != 0 ||
           (error & (FAULT_CODE_PRESENT | FAULT_CODE_USER)) == FAULT_CODE_PRESENT;
}

/* When the tables allow the access, the core has it tried again. The same one, at the same
 * instruction, with no other entry in between, was tried already, and more of it would not help. */
static struct process *page_fault(uint64_t error)
{
    uint64_t va;
    __asm__ volatile("movq %%cr2, %0" : "=r"(va));
    struct process *process = switch_loaded;
    struct machine_area *area = machine_area_of(process);
    uint64_t rip = area->registers.rip;
    bool tried =
        area->allowed_va == va && area->allowed_rip == rip && process->resume == RESUME_EXACT;
    area->allowed_va = 0; /* nobody has a page there */
    if (is_beyond_help(error)) {
        kernel_exception(&kernel, VECTOR_PAGE_FAULT, rip);
        return NULL;
    }
    if (recording)
        record_fault_entry(va, access_of(error));
    struct process *next = kernel_page_fault(&kernel, process, va, access_of(error), rip);
    if (next != NULL && !recording)
        return next; /* its pager has it */
    if (kernel.current != process->index || process->resume != RESUME_EXACT)
        return NULL; /* so it has, or it is ending */
    if (tried)
        kernel_exception(&kernel, VECTOR_PAGE_FAULT, rip);
    area->allowed_va = va;
    area->allowed_rip = rip;
    return NULL;
}

/* The turn of who is to run on is over: the next in its band goes first. Nothing else changes for
 * it: it goes on later as it would now. One that never ran has its first slice yet to get. */
__attribute__((noinline)) static void give_way(void)
{
    struct process *process = process_record(kernel.current);
    uint8_t resume = process->resume;
    if (resume == RESUME_START)
        return;
    if (recording)
        record_resume(process); /* what it entered for is done */
    record_preempt();
    kernel_preempt(&kernel);
    process->resume = resume;
}

/* An interrupted process goes on with all its registers, whatever it entered for before. When the
 * time woke somebody of a higher band, the process has given way already, and is asked for its turn
 * when it goes on (current_find). */
static void interrupted(bool is_tick)
{
    struct process *process = process_record(kernel.current);
    if (process->resume != RESUME_WORK)
        process->resume = RESUME_EXACT;
    if (!is_tick)
        return;
    tick_tell();
    if (!slice_is_used_up())
        return;
    (void)slice_ends_turn(); /* when it is owed, a server gives way to its own band all the same */
    give_way();
}

/* The core is told of a line; how who runs goes on is not changed by that, and what it entered for is
 * done. */
static void line_tell(uint32_t line)
{
    struct process *process = NULL;
    uint8_t resume = RESUME_EXACT;
    if (line == LINE_NONE)
        return;
    if (kernel.current != KERNEL_IDLE) {
        process = process_record(kernel.current);
        resume = process->resume;
        if (recording)
            record_resume(process);
    }
    record_interrupt(line);
    kernel_interrupt(&kernel, line);
    if (process != NULL)
        process->resume = resume;
}

/* Who goes on, back from its system call; null: machine_resume finds out what is to be done. */
struct process *machine_trap(uint64_t vector, uint64_t error)
{
    if (vector == VECTOR_PAGE_FAULT)
        return page_fault(error);
    uint64_t rip = machine_area_of(switch_loaded)->registers.rip;
    if (vector < TIMER_VECTOR) {
        kernel_exception(&kernel, (uint32_t)vector, rip);
        return NULL;
    }
    uint32_t line = LINE_NONE;
    if (vector == TIMER_VECTOR)
        tick_take();
    else
        line = lines_take(vector);
    if (is_canonical(rip))
        interrupted(vector == TIMER_VECTOR);
    else /* it jumped there, and the interrupt came before the fetch: to resume it would be a fault
            in the kernel (K6) */
        kernel_exception(&kernel, VECTOR_PROTECTION, rip);
    line_tell(line);
    return NULL;
}

void machine_kernel_trap(uint64_t vector, uint64_t error, uint64_t rip)
{
    if (vector == TIMER_VECTOR && kernel.current == KERNEL_IDLE) {
        tick_take();
        tick_tell();
        return;
    }
    uint32_t line = vector > TIMER_VECTOR ? lines_take(vector) : LINE_NONE;
    if (line != LINE_NONE && kernel.current == KERNEL_IDLE) {
        clock_take(); /* nobody looked at it since everybody waits */
        tick_tell();
        line_tell(line);
        return;
    }
    if (vector > TIMER_VECTOR && line == LINE_NONE)
        return; /* of the APIC or an 8259, and nobody's */
    report_trap(vector, error, rip);
    machine_panic("trap in the kernel", __FILE__, __LINE__);
}

/* --- the way out ------------------------------------------------------------------------------ */

/* The next look at the clock while nobody can run: at the first deadline, or soon when the log's
 * line has not taken all yet. */
static void idle_arm(void)
{
    uint64_t ticks = kernel_next_deadline(&kernel);
    if (serial_waits() && ticks > tick_count + 1)
        ticks = tick_count + 1;
    timer_arm(ticks);
}

/* Nobody can run: waits for the timer on the kernel's own tables, so that the tables of a process
 * that ends meanwhile are not the loaded ones. machine_kernel_trap does not come back here; a
 * non-maskable interrupt does. */
static _Noreturn void idle(void)
{
    switch_to_nobody();
    for (;;) {
        serial_drain();
        report_nmi();
        idle_arm();
        __asm__ volatile("sti; hlt; cli" : : : "memory");
    }
}

/* Whether the current process has something to do in the kernel before it runs on. */
static bool works(void)
{
    return kernel.current != KERNEL_IDLE && process_record(kernel.current)->resume == RESUME_WORK;
}

/* That, piece by piece; before each one the clock, as if it had been interrupted (K8). Who is to run
 * then is interrupted when it does. */
__attribute__((noinline)) static void work(void)
{
    while (works()) {
        if (timer_now() != tick_count) {
            tick_take();
            interrupted(true);
        }
        line_tell(lines_poll());
        if (!works())
            return; /* it gave way */
        record_work_entry();
        kernel_work(&kernel);
        if (slice_is_over())
            give_way();
    }
}

/* Who runs on. Debts are small, since nobody begins to run with one: a few turns are enough. */
static inline struct process *current_find(void)
{
    for (unsigned i = 0; slice_is_over() && i < GIVE_WAY_MAX; i++)
        give_way();
    if (kernel.current == KERNEL_IDLE)
        idle();
    return process_record(kernel.current);
}

void machine_resume(void)
{
    struct process *process = current_find();
    while (process->resume == RESUME_WORK) {
        work();
        process = current_find();
    }
    struct registers *registers = &machine_area_of(process)->registers;
    if (process != switch_loaded)
        switch_to(process);
    if (recording)
        record_resume(process);
    switch ((enum resume_kind)process->resume) {
    case RESUME_RESULT:
        resume_result(process);
    case RESUME_START:
        *registers = (struct registers){
            .rdi = process->start.arguments[0],
            .rsi = process->start.arguments[1],
            .rdx = process->start.arguments[2],
            .rip = process->start.entry_va,
            .rsp = process->start.stack_top_va,
            .rflags = USER_FLAGS_START,
        };
        process->resume = RESUME_EXACT;
        slice_begin(machine_area_of(process));
        resume_exact(registers);
    case RESUME_EXACT:
        resume_exact(registers);
    case RESUME_WORK:
        break; /* done above */
    }
    machine_panic("no way to resume", __FILE__, __LINE__);
}

static _Noreturn void refuse(const char *why)
{
    serial_text("BASALT_KERNEL:MACHINE_REFUSED:");
    serial_text(why);
    serial_text("\n");
    machine_stop(STOP_REFUSED);
}

__attribute__((noreturn, no_stack_protector)) void machine_start(uint64_t start_info_addr)
{
    static struct machine_memory memory;
    start_cycles = cpu_cycles();
    serial_init();
    __stack_chk_guard = cpu_random();
    if (!memory_map_init(start_info_addr, &memory))
        refuse("MEMORY");
    record_init(memory.command_line);
    cpu_init();
    record_memory(&memory.boot_info);
    report_left_out(memory.left_out_pages);
    vectors_use(true); /* digests of the boot image: abi/formats/sha256_lanes.h */
    enum status status = kernel_boot(&kernel, &memory.boot_info);
    vectors_use(false);
    if (status != STATUS_OK)
        machine_stop(STOP_REFUSED);
    uint64_t before = cpu_cycles();
    if (!timer_init())
        refuse("TIMER");
    start_cycles += cpu_cycles() - before; /* mostly slept, so no instructions */
    machine_resume();
}
