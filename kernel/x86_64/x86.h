/* SPDX-License-Identifier: ISC */
/* The x86-64 machine's own parts, shared between its files. */
#ifndef BASALT_KERNEL_X86_64_X86_H
#define BASALT_KERNEL_X86_64_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/machine_record.h"
#include "kernel/core/kernel.h"
#include "kernel/x86_64/layout.h"

/* User registers of a process that does not run; at the machine's part of its record page. */
struct registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rsp, rflags;
};
_Static_assert(offsetof(struct registers, rdi) == REGISTERS_RDI, "entry.S agrees");
_Static_assert(offsetof(struct registers, r15) == REGISTERS_R15, "entry.S agrees");
_Static_assert(offsetof(struct registers, rip) == REGISTERS_RIP, "entry.S agrees");
_Static_assert(offsetof(struct registers, rflags) == REGISTERS_RFLAGS, "entry.S agrees");

/* What memory_map.c found out about the machine. */
struct machine_memory {
    uint64_t direct_map_bytes; /* physical memory that the direct map covers */
    uint32_t record_count;     /* page records, for pages [0, record_count) */
    const char *command_line;  /* zero-terminated; never null */
    struct kernel_boot_info boot_info;
};

extern struct kernel kernel;

/* --- serial.c */
void serial_init(void);
void serial_write(const void *bytes, size_t count);
void serial_text(const char *text);

/* --- cpu.c: descriptor tables, system call registers, protection features */
void cpu_init(void);
uint64_t cpu_cycles(void);
uint64_t cpu_random(void); /* for the stack guard; not for secrets */

/* --- timer.c: the tick, TICKS_PER_SECOND a second */
enum { TIMER_VECTOR = 32, SPURIOUS_VECTOR = 39 };
void timer_init(void);
void timer_acknowledge(void);

/* --- memory_map.c: reads the start info, maps all memory, places page records. False: not
 * enough. */
bool memory_map_init(uint64_t start_info_addr, struct machine_memory *memory);
void memory_map_records(struct page_record *records, uint32_t count);

/* --- record.c: writes a run down when the command line asks for it. The two that every entry
 * passes are asked for only then: if (recording). */
extern bool recording;
void record_init(const char *command_line);
void record_log_clock(uint64_t start_cycles); /* before a line of the log */
void record_memory(const struct kernel_boot_info *info);
void record_timer(uint64_t now_ticks); /* before the core is told */
void record_preempt(void);
void record_syscall_entry(uint32_t number, uint32_t slot);
void record_fault_entry(uint64_t va, enum fault_access access);
void record_resume(const struct process *process);

/* Ends QEMU by isa-debug-exit (port 0xF4); without that device, stops the processor for ever. */
__attribute__((noreturn)) void machine_stop(uint32_t code);

/* What machine_stop is given besides rootd's exit code (0 to 63). QEMU's exit status is 2 * code
 * + 1. */
enum { STOP_REFUSED = 1, STOP_PANIC = 64 };

/* --- instructions */
static inline void port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void port_write32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t port_read8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void *physical(uint64_t address)
{
    return (void *)(uintptr_t)(DIRECT_MAP_BASE + address);
}

#endif
