/* SPDX-License-Identifier: ISC */
/* The metal behind machine.h, and what happens at each entry: the core decides, this file
 * resumes. */
#include "kernel/x86_64/x86.h"

#include <string.h>

#include "abi/assert.h"

enum {
    VECTOR_NMI = 2,
    VECTOR_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
    FAULT_CODE_WRITE = 1u << 1,
    FAULT_CODE_EXECUTE = 1u << 4,
    TIME_SLICE_TICKS = 10,
    PORT_DEBUG_EXIT = 0xF4 /* (published) */
};
#define USER_FLAGS_START UINT64_C(0x202) /* interrupts on */

struct kernel kernel;
struct registers *current_registers; /* where entry.S saves who runs */

extern uint64_t kernel_top_table[512];
extern uint8_t kernel_stack_top[];

static struct page_record *page_records;
static uint32_t page_record_count;
static uint64_t loaded_table; /* physical address in CR3 */
static uint64_t start_cycles; /* of the processor when the kernel was entered */
static uint64_t tick_count;
static uint64_t slice_end;

uintptr_t __stack_chk_guard;
__attribute__((noreturn)) void __stack_chk_fail(void);
__attribute__((noreturn)) void machine_start(uint64_t start_info_addr);
void machine_syscall(uint32_t number, uint32_t slot, uint64_t deadline_ticks);
void machine_trap(uint64_t vector, uint64_t error);
void machine_kernel_trap(uint64_t vector, uint64_t error, uint64_t rip);
__attribute__((noreturn)) void machine_resume(void);
__attribute__((noreturn)) void resume_result(const struct registers *registers, uint64_t result);
__attribute__((noreturn)) void resume_exact(const struct registers *registers);

/* --- machine.h --- */

void memory_map_records(struct page_record *records, uint32_t count)
{
    page_records = records;
    page_record_count = count;
}

void *machine_page(uint32_t page)
{
    return physical((uint64_t)page * PAGE_BYTES);
}

struct page_record *machine_page_record(uint32_t page)
{
    return &page_records[page];
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

void machine_flush(uint32_t root_page, uint64_t va)
{
    /* Other address spaces are flushed by being loaded: there are no global user pages. */
    if ((uint64_t)root_page * PAGE_BYTES == loaded_table)
        __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* Loads the kernel's own tables: nobody's lower half. */
static void table_load_own(void)
{
    loaded_table = (uintptr_t)kernel_top_table - KERNEL_BASE;
    __asm__ volatile("movq %0, %%cr3" : : "r"(loaded_table) : "memory");
}

void machine_vspace_destroy(uint32_t root_page)
{
    if ((uint64_t)root_page * PAGE_BYTES == loaded_table)
        table_load_own();
}

void machine_log(const void *bytes, size_t count)
{
    record_log_clock(start_cycles);
    serial_write(bytes, count);
}

uint8_t machine_port_read8(uint16_t port)
{
    return port_read8(port);
}

void machine_port_write8(uint16_t port, uint8_t value)
{
    port_write8(port, value);
}

void machine_stop(uint32_t code)
{
    port_write32(PORT_DEBUG_EXIT, code);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void machine_halt(uint32_t code)
{
    machine_stop(code < STOP_PANIC ? code : STOP_PANIC - 1);
}

static void number_write(uint64_t value)
{
    char text[18] = "0x";
    for (int i = 0; i < 16; i++)
        text[2 + i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    serial_write(text, sizeof text);
}

void machine_panic(const char *what, const char *file, int line)
{
    serial_text("BASALT_KERNEL:PANIC:");
    serial_text(what);
    serial_text(" at ");
    serial_text(file);
    serial_text(":");
    number_write((uint64_t)line);
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

__attribute__((noinline)) static void recorded_syscall(uint32_t number, uint32_t slot,
                                                       uint64_t deadline_ticks)
{
    record_syscall_entry(number, slot);
    kernel_syscall(&kernel, number, slot, deadline_ticks);
}

void machine_syscall(uint32_t number, uint32_t slot, uint64_t deadline_ticks)
{
    if (recording)
        recorded_syscall(number, slot, deadline_ticks);
    else
        kernel_syscall(&kernel, number, slot, deadline_ticks);
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

static void tick(void)
{
    timer_acknowledge();
    tick_count++;
    record_timer(tick_count);
    kernel_timer(&kernel, tick_count);
}

void machine_trap(uint64_t vector, uint64_t error)
{
    if (vector == VECTOR_PAGE_FAULT) {
        uint64_t va;
        __asm__ volatile("movq %%cr2, %0" : "=r"(va));
        record_fault_entry(va, access_of(error));
        kernel_fault(&kernel, va, access_of(error), current_registers->rip);
        return;
    }
    if (vector == VECTOR_NMI)
        machine_panic("non-maskable interrupt", __FILE__, __LINE__); /* no process raises one */
    if (vector < TIMER_VECTOR) {
        kernel_exception(&kernel, (uint32_t)vector, current_registers->rip);
        return;
    }
    /* An interrupted process goes on with all its registers, whatever it entered for before. */
    kernel_process(&kernel, kernel.current)->resume = RESUME_EXACT;
    if (vector == TIMER_VECTOR)
        tick();
    if (!is_canonical(current_registers->rip)) {
        /* It jumped there, and the interrupt came before the fetch: to resume it would be a fault
         * in the kernel (K6). */
        kernel_exception(&kernel, VECTOR_PROTECTION, current_registers->rip);
        return;
    }
    if (tick_count >= slice_end) {
        slice_end = tick_count + TIME_SLICE_TICKS;
        record_preempt();
        kernel_preempt(&kernel);
    }
}

void machine_kernel_trap(uint64_t vector, uint64_t error, uint64_t rip)
{
    if (vector == TIMER_VECTOR && kernel.current == KERNEL_IDLE) {
        tick();
        return;
    }
    if (vector == SPURIOUS_VECTOR)
        return;
    uint64_t va;
    __asm__ volatile("movq %%cr2, %0" : "=r"(va));
    serial_text("BASALT_KERNEL:TRAP:vector ");
    number_write(vector);
    serial_text(" error ");
    number_write(error);
    serial_text(" rip ");
    number_write(rip);
    serial_text(" cr2 ");
    number_write(va);
    serial_text("\n");
    machine_panic("trap in the kernel", __FILE__, __LINE__);
}

/* --- the way out
 * ------------------------------------------------------------------------------------ */

static void table_load(uint32_t page)
{
    uint64_t table = (uint64_t)page * PAGE_BYTES;
    if (table == loaded_table)
        return;
    loaded_table = table;
    __asm__ volatile("movq %0, %%cr3" : : "r"(table) : "memory");
    /* Selectors have no meaning here, but they would tell the next process of the last one. */
    __asm__ volatile("movl %0, %%ds\n\tmovl %0, %%es\n\tmovl %0, %%fs\n\tmovl %0, %%gs" : : "r"(0));
}

/* Nobody can run: waits for the timer on the kernel's own tables, so that the tables of a process
 * that ends meanwhile are not the loaded ones. machine_kernel_trap does not come back here. */
static _Noreturn void idle(void)
{
    table_load_own();
    for (;;)
        __asm__ volatile("sti; hlt; cli" : : : "memory");
}

void machine_resume(void)
{
    if (kernel.current == KERNEL_IDLE)
        idle();
    struct process *process = kernel_process(&kernel, kernel.current);
    current_registers = (void *)((uint8_t *)process + PROCESS_MACHINE_OFFSET);
    table_load(process->vspace_page);
    if (recording)
        record_resume(process);
    switch ((enum resume_kind)process->resume) {
    case RESUME_RESULT:
        resume_result(current_registers, process->result);
    case RESUME_START:
        *current_registers = (struct registers){
            .rdi = process->start.arguments[0],
            .rsi = process->start.arguments[1],
            .rdx = process->start.arguments[2],
            .rip = process->start.entry_va,
            .rsp = process->start.stack_top_va,
            .rflags = USER_FLAGS_START,
        };
        process->resume = RESUME_EXACT;
        resume_exact(current_registers);
    case RESUME_EXACT:
        resume_exact(current_registers);
    }
    machine_panic("no way to resume", __FILE__, __LINE__);
}

__attribute__((noreturn, no_stack_protector)) void machine_start(uint64_t start_info_addr)
{
    static struct machine_memory memory;
    start_cycles = cpu_cycles();
    serial_init();
    __stack_chk_guard = cpu_random();
    if (!memory_map_init(start_info_addr, &memory)) {
        serial_text("BASALT_KERNEL:MACHINE_REFUSED:MEMORY\n");
        machine_stop(STOP_REFUSED);
    }
    cpu_init();
    record_init(memory.command_line);
    record_memory(&memory.boot_info);
    if (kernel_boot(&kernel, &memory.boot_info) != STATUS_OK)
        machine_stop(STOP_REFUSED);
    timer_init();
    slice_end = TIME_SLICE_TICKS;
    machine_resume();
}
