/* SPDX-License-Identifier: ISC */
/* Descriptor tables, the registers of SYSCALL, and the protection features that the processor
 * has. */
#include "kernel/x86_64/x86.h"

enum {
    MSR_EFER = 0xC0000080,
    MSR_STAR = 0xC0000081,
    MSR_LSTAR = 0xC0000082,
    MSR_SFMASK = 0xC0000084,
    VECTOR_COUNT = 64,
    GATE_INTERRUPT = 0x8E /* present, privilege 0 */
};

#define CR4_MCE  (1u << 6)
#define CR4_UMIP (1u << 11)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)

/* RFLAGS that SYSCALL clears: interrupts, direction, traps, alignment checks, i/o privilege,
 * nesting. */
#define SYSCALL_FLAGS_MASK UINT64_C(0x47700)

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t stack_table;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "layout of the processor");

struct task_segment {
    uint32_t reserved0;
    uint64_t stacks[3];
    uint64_t reserved1;
    uint64_t stack_table[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t port_map_offset;
} __attribute__((packed));
_Static_assert(sizeof(struct task_segment) == 104, "layout of the processor");

extern const uint64_t trap_stubs[VECTOR_COUNT];
extern uint8_t kernel_stack_top[];
extern uint8_t fault_stack_top[], nmi_stack_top[], check_stack_top[];
void syscall_entry(void);
void syscall_entry_watched(void);
void nmi_entry(void);
void check_entry(void);

static struct task_segment task;
static struct gate gates[VECTOR_COUNT];
static uint64_t segments[7] = {
    0,
    UINT64_C(0x00AF9A000000FFFF), /* kernel code */
    UINT64_C(0x00CF92000000FFFF), /* kernel data */
    UINT64_C(0x00CFF2000000FFFF), /* user data */
    UINT64_C(0x00AFFA000000FFFF), /* user code */
};

uint64_t msr_read(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

void msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

void cpuid(uint32_t leaf, uint32_t registers[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(registers[0]), "=b"(registers[1]), "=c"(registers[2]),
                       "=d"(registers[3])
                     : "a"(leaf), "c"(0));
}

static void segments_load(void)
{
    uint64_t base = (uintptr_t)&task;
    segments[5] = (sizeof task - 1) | (base & 0xFFFFFF) << 16 | UINT64_C(0x89) << 40 |
                  (base >> 24 & 0xFF) << 56;
    segments[6] = base >> 32;
    task.stacks[0] = (uintptr_t)kernel_stack_top;
    task.stack_table[STACK_TABLE_FAULT - 1] = (uintptr_t)fault_stack_top;
    task.stack_table[STACK_TABLE_NMI - 1] = (uintptr_t)nmi_stack_top;
    task.stack_table[STACK_TABLE_CHECK - 1] = (uintptr_t)check_stack_top;
    task.port_map_offset = sizeof task; /* no port is open to ring 3 */
    struct table_pointer pointer = {sizeof segments - 1, (uintptr_t)segments};
    __asm__ volatile("lgdt %0" : : "m"(pointer));
    __asm__ volatile("ltr %w0" : : "r"(SELECTOR_TASK));
    /* A processor starts with a local table at address 0, which the pages of a process reach: a
     * call gate there would be a way into ring 0. There is none. */
    __asm__ volatile("lldt %w0" : : "r"(0));
}

void cpu_gate_set(unsigned vector, uint64_t entry)
{
    gates[vector] = (struct gate){
        .offset_low = (uint16_t)entry,
        .selector = SELECTOR_KERNEL_CODE,
        .type = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(entry >> 16),
        .offset_high = (uint32_t)(entry >> 32),
    };
}

static void gates_load(void)
{
    enum { VECTOR_NMI = 2, VECTOR_DOUBLE_FAULT = 8, VECTOR_CHECK = 18 };
    for (unsigned i = 0; i < VECTOR_COUNT; i++)
        cpu_gate_set(i, trap_stubs[i]);
    cpu_gate_set(VECTOR_NMI, (uintptr_t)nmi_entry);
    cpu_gate_set(VECTOR_CHECK, (uintptr_t)check_entry);
    gates[VECTOR_NMI].stack_table = STACK_TABLE_NMI;
    gates[VECTOR_CHECK].stack_table = STACK_TABLE_CHECK;
    gates[VECTOR_DOUBLE_FAULT].stack_table = STACK_TABLE_FAULT;
    struct table_pointer pointer = {sizeof gates - 1, (uintptr_t)gates};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

/* A failure of the hardware is vector 18 from here on, not a reset without a word. */
static void checks_enable(void)
{
    uint32_t registers[4];
    uint64_t cr4;
    cpuid(1, registers);
    if ((registers[3] & 1u << 7) == 0)
        return;
    if ((registers[3] & 1u << 14) != 0) {
        uint64_t banks = msr_read(MSR_CHECK_BANKS);
        if ((banks & CHECK_HAS_CONTROL) != 0)
            msr_write(MSR_CHECK_CONTROL, UINT64_MAX);
        /* Bank 0 is as firmware set it: older processors reserve that to it. */
        for (uint32_t i = 1; i < (banks & CHECK_BANK_COUNT); i++)
            msr_write(MSR_CHECK_BANK0 + 4 * i, UINT64_MAX);
    }
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | CR4_MCE));
}

static void features_enable(void)
{
    uint32_t registers[4];
    uint64_t cr4;
    cpuid(0, registers);
    if (registers[0] < 7)
        return;
    cpuid(7, registers);
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    if ((registers[1] & 1u << 7) != 0)
        cr4 |= CR4_SMEP;
    if ((registers[1] & 1u << 20) != 0)
        cr4 |= CR4_SMAP; /* the core reaches user pages through the direct map alone (K6) */
    if ((registers[2] & 1u << 2) != 0)
        cr4 |= CR4_UMIP;
    __asm__ volatile("movq %0, %%cr4" : : "r"(cr4));
}

void cpu_init(void)
{
    segments_load();
    gates_load();
    msr_write(MSR_STAR,
              (uint64_t)(SELECTOR_USER_DATA - 8) << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
    msr_write(MSR_LSTAR, (uintptr_t)(recording ? syscall_entry_watched : syscall_entry));
    msr_write(MSR_SFMASK, SYSCALL_FLAGS_MASK);
    checks_enable();
    features_enable();
}

uint64_t cpu_random(void)
{
    uint32_t registers[4];
    uint64_t value;
    cpuid(1, registers);
    value = cpu_cycles() * UINT64_C(0x9E3779B97F4A7C15);
    if ((registers[2] & 1u << 30) != 0) {
        uint64_t hardware;
        bool valid;
        __asm__ volatile("rdrand %0" : "=r"(hardware), "=@ccc"(valid));
        value ^= valid ? hardware : 0;
    }
    return value;
}
