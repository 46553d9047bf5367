/* SPDX-License-Identifier: ISC */
/* The x86-64 machine's own parts, shared between its files. */
#ifndef BASALT_KERNEL_X86_64_X86_H
#define BASALT_KERNEL_X86_64_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/machine_record.h"
#include "kernel/core/kernel.h"
#include "kernel/machine/meter.h"
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
_Static_assert(RECORD_REGISTERS == PROCESS_MACHINE_OFFSET, "entry.S agrees");
_Static_assert(RECORD_RESULT == offsetof(struct process, result), "entry.S agrees");
_Static_assert(RECORD_VSPACE_PAGE == offsetof(struct process, vspace_page), "entry.S agrees");
_Static_assert(KERNEL_PAYER == offsetof(struct kernel, payer), "entry.S agrees");
_Static_assert(NUMBER_CALL == SYSCALL_CALL, "entry.S agrees");
_Static_assert(NUMBER_REPLY_RECV == SYSCALL_REPLY_RECV, "entry.S agrees");

/* Segment selectors; zero in a new process. */
struct selectors {
    uint32_t ds, es, fs, gs;
};

/* What FXSAVE writes. */
struct vector_state {
    uint16_t control;
    uint8_t others[22];
    uint32_t mxcsr;
    uint8_t rest[484];
} __attribute__((aligned(16)));
_Static_assert(sizeof(struct vector_state) == 512, "layout of the processor");
_Static_assert(offsetof(struct vector_state, mxcsr) == 24, "layout of the processor");

/* The machine's part of a process's record page; zero when the process is new. */
struct machine_area {
    struct registers registers; /* first, so that entry.S finds them */
    struct selectors selectors; /* while another process runs */
    uint64_t allowed_va;        /* of its last fault, when the tables allowed that access; else 0 */
    uint64_t allowed_rip;
    int64_t slice_cycles; /* slice.c's: what is left */
    struct {
        uint64_t entry_count;
        uint32_t slot;
        uint8_t number;
        bool syscall_open;
    } record;                    /* record.c's */
    bool vectors_made;           /* vectors holds something */
    struct vector_state vectors; /* of a process with PROCESS_USES_SSE, while another one runs */
};
_Static_assert(PROCESS_MACHINE_OFFSET % 16 == 0, "vectors are aligned");
_Static_assert(offsetof(struct machine_area, registers) == 0, "entry.S agrees");
_Static_assert(sizeof(struct machine_area) <= PAGE_BYTES - PROCESS_MACHINE_OFFSET, "fits");

/* What memory_map.c found out about the machine. */
struct machine_memory {
    uint64_t left_out_pages;  /* free memory that is not used */
    const char *command_line; /* zero-terminated; what is longer is cut (machine/start.h) */
    struct kernel_boot_info boot_info;
};

extern struct kernel kernel;

/* The record of a process that exists. */
static inline struct process *process_record(uint16_t index)
{
    return machine_page(kernel.processes[index].record_page);
}

static inline struct machine_area *machine_area_of(struct process *process)
{
    return (struct machine_area *)(void *)((uint8_t *)process + PROCESS_MACHINE_OFFSET);
}

/* --- serial.c: COM1 behind a ring; whoever writes never waits for the line */
void serial_init(void);
void serial_write(const void *bytes, size_t count);
void serial_text(const char *text);
void serial_number(uint64_t value);     /* 0x and 16 digits */
void serial_drain(void);                /* as much as the line takes now */
bool serial_waits(void);                /* there is something that the line has not taken */
bool serial_driver_write(uint8_t byte); /* false: not now */
void serial_flush(void);                /* before the end: waits, with a bound */

/* --- cpu.c: descriptor tables, system call registers, protection features */
void cpu_init(void);
void cpu_gate_set(unsigned vector, uint64_t entry);
uint64_t cpu_random(void); /* for the stack guard; not for secrets */
uint64_t msr_read(uint32_t msr);
void msr_write(uint32_t msr, uint64_t value);
void cpuid(uint32_t leaf, uint32_t registers[4]);

/* Registers of machine checks: how many banks there are, and for each its control, status and
 * address. */
enum {
    MSR_CHECK_BANKS = 0x179,
    MSR_CHECK_CONTROL = 0x17B,
    MSR_CHECK_BANK0 = 0x400, /* control; status, address follow; four registers to a bank */
    CHECK_BANK_COUNT = 0xFF,
    CHECK_HAS_CONTROL = 0x100
};

/* --- timer.c: what the time is, and an interrupt when it is that */
enum { TIMER_VECTOR = 32, SPURIOUS_VECTOR = 63, TIMER_LINE = 0 };
/* Measures the counters and sees the timer interrupt; the clock starts at 0. False: it does not, or
 * nothing counts. */
bool timer_init(void);
uint64_t timer_now(void);         /* ticks, from the processor's counter */
uint64_t timer_tick_cycles(void); /* of that counter in one tick */
void timer_acknowledge(void);
/* One interrupt at tick `ticks` or, when that is far away, before it. */
void timer_arm(uint64_t ticks);

/* --- lines.c: the 8259s; machine_line_open is there as well. Line i interrupts by TIMER_VECTOR + i */
enum { LINE_NONE = INTERRUPT_LINE_COUNT };
void lines_init(void); /* all closed */
void lines_end(uint32_t line);
/* What has interrupted by a vector, closed and ended; LINE_NONE: nothing, after all. And what would
 * interrupt if interrupts were on. */
uint32_t lines_take(uint64_t vector);
uint32_t lines_poll(void);

/* --- memory_map.c: reads the start info, maps all memory, places page records. False: not
 * enough. */
bool memory_map_init(uint64_t start_info_addr, struct machine_memory *memory);

/* --- switch.c: what belongs to the process that runs besides its registers. entry.S exchanges what
 * is usual by itself: the table, when there is nothing else on either side. */
extern struct process *switch_loaded; /* whose address space it is, and who runs; null: nobody's */
extern bool switch_kept;              /* some process has had selectors or vectors */
void switch_to(struct process *process);
void switch_to_nobody(void); /* the kernel's own tables: nobody's lower half */

/* Lets the kernel itself use vector registers (true), while there is no process yet, and takes that
 * back (false). They are clean at the beginning and at the end. */
void vectors_use(bool used);

/* --- slice.c: whose time it is, and how much of it is left (machine/meter.h) */
enum { SLICE_ASK_AGAIN = KERNEL_IDLE - 1 };
extern uint16_t slice_asked; /* the payer that was asked last, or SLICE_ASK_AGAIN: a turn is owed */
void slice_begin(struct machine_area *area); /* of a new process */
/* Time is kernel.payer's from here on. True: its slice is used up, and slice_ends_turn is to be
 * asked; true from that: kernel_preempt is due. */
bool slice_is_used_up(void);
bool slice_ends_turn(void);
/* Both, before anybody runs on, when there is something to ask. */
static inline bool slice_is_over(void)
{
    return kernel.payer != slice_asked && slice_is_used_up() && slice_ends_turn();
}

/* --- report.c: lines of the log about what the processor says */
void report_root_end(void);
void report_left_out(uint64_t pages);
void report_nmi(void); /* those that came since the last time */
void report_trap(uint64_t vector, uint64_t error, uint64_t rip);

/* --- record.c: writes a run down when the command line asks for it. The three that entries pass are
 * asked for only then: if (recording). */
extern bool recording;
void record_init(const char *command_line);
void record_log_clock(uint64_t start_cycles); /* before a line of the log */
void record_memory(const struct kernel_boot_info *info);
void record_timer(uint64_t now_ticks); /* before the core is told */
void record_preempt(void);
void record_interrupt(uint32_t line);
void record_read(enum machine_read_kind kind, uint32_t address, uint32_t value); /* in an entry */
void record_syscall_entry(uint32_t number, uint32_t slot);
void record_work_entry(void);
void record_fault_entry(uint64_t va, enum fault_access access);
void record_resume(const struct process *process);

/* Ends QEMU by isa-debug-exit (port 0xF4), after the log; without that device, stops the processor
 * for ever. */
__attribute__((noreturn)) void machine_stop(uint32_t code);

/* --- instructions */
static inline uint64_t cpu_cycles(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline void port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void port_write32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint32_t port_read32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
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
