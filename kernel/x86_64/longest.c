/* SPDX-License-Identifier: ISC */
/* How long interrupts were not possible. Never shipped: build/image/kernel-longest.elf is the very
 * objects of kernel.elf with this file between them (the linker's --wrap). An interval begins where
 * the kernel is entered and where it looks at the clock, and ends where it next looks at the clock,
 * goes back to a process, or waits: what became due meanwhile had to wait for so long. Each line of
 * the log begins with the longest interval since the line before, in cycles of the counter, which
 * under QEMU's -icount shift=0 are instructions. What entry.S does before and after is not seen. */
#include "kernel/x86_64/x86.h"

static uint64_t begun_cycles; /* 0: interrupts are possible */
static uint64_t longest_cycles;

static void interval_begin(void)
{
    begun_cycles = cpu_cycles();
}

static void interval_end(void)
{
    uint64_t cycles = begun_cycles == 0 ? 0 : cpu_cycles() - begun_cycles;
    if (cycles > longest_cycles)
        longest_cycles = cycles;
    begun_cycles = 0;
}

/* --- ways in --- */

/* All of them by way of what is measured. */
__asm__(".globl __wrap_syscall_entry\n__wrap_syscall_entry: jmp syscall_entry_watched");

void __real_machine_syscall(uint32_t number, uint32_t slot, uint64_t deadline_ticks,
                            uint32_t reply_slot);
void __wrap_machine_syscall(uint32_t number, uint32_t slot, uint64_t deadline_ticks,
                            uint32_t reply_slot);
void __wrap_machine_syscall(uint32_t number, uint32_t slot, uint64_t deadline_ticks,
                            uint32_t reply_slot)
{
    interval_begin();
    __real_machine_syscall(number, slot, deadline_ticks, reply_slot);
}

struct process *__real_machine_trap(uint64_t vector, uint64_t error);
struct process *__wrap_machine_trap(uint64_t vector, uint64_t error);
struct process *__wrap_machine_trap(uint64_t vector, uint64_t error)
{
    interval_begin();
    (void)__real_machine_trap(vector, error);
    return NULL; /* by the way out that is measured */
}

void __real_machine_kernel_trap(uint64_t vector, uint64_t error, uint64_t rip);
void __wrap_machine_kernel_trap(uint64_t vector, uint64_t error, uint64_t rip);
void __wrap_machine_kernel_trap(uint64_t vector, uint64_t error, uint64_t rip)
{
    interval_begin();
    __real_machine_kernel_trap(vector, error, rip);
}

/* --- looks at the clock, and ways out --- */

uint64_t __real_timer_now(void);
uint64_t __wrap_timer_now(void);
uint64_t __wrap_timer_now(void)
{
    uint64_t ticks = __real_timer_now();
    interval_end();
    interval_begin();
    return ticks;
}

__attribute__((noreturn)) void __real_resume_result(const struct process *process);
__attribute__((noreturn)) void __wrap_resume_result(const struct process *process);
void __wrap_resume_result(const struct process *process)
{
    interval_end();
    __real_resume_result(process);
}

__attribute__((noreturn)) void __real_resume_exact(const struct registers *registers);
__attribute__((noreturn)) void __wrap_resume_exact(const struct registers *registers);
void __wrap_resume_exact(const struct registers *registers)
{
    interval_end();
    __real_resume_exact(registers);
}

void __real_switch_to_nobody(void);
void __wrap_switch_to_nobody(void);
void __wrap_switch_to_nobody(void)
{
    __real_switch_to_nobody();
    interval_end();
}

/* --- the log --- */

static void log_decimal(uint64_t value)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    serial_write(digits + first, sizeof digits - first);
}

/* In place of the shipped kernel's clock; what this costs is in no interval. */
void __wrap_record_log_clock(uint64_t start_cycles);
void __wrap_record_log_clock(uint64_t start_cycles)
{
    bool inside = begun_cycles != 0;
    (void)start_cycles;
    interval_end();
    serial_text("[longest ");
    log_decimal(longest_cycles);
    serial_text("] ");
    longest_cycles = 0;
    if (inside)
        interval_begin();
}
