/* SPDX-License-Identifier: ISC */
/* What the processor holds of a process besides the registers that entry.S keeps: its address
 * space, its segment selectors and, for one that was made with PROCESS_USES_SSE, its vector
 * registers. They are exchanged when another process goes on, and come back with the process, so
 * that nobody sees anything of the others, nor that it was interrupted.
 *
 * Vector registers are exchanged at once and not at their first use: what stays in them can be
 * read by speculation, whatever the processor refuses. For the same reason they are clean while a
 * process runs that has none. The instructions are open only while one runs that has. */
#include "kernel/x86_64/x86.h"

#include <string.h>

#define CR0_MP         (UINT64_C(1) << 1)
#define CR0_EM         (UINT64_C(1) << 2)
#define CR0_NE         (UINT64_C(1) << 5)
#define CR4_OSFXSR     (UINT64_C(1) << 9)
#define CR4_OSXMMEXCPT (UINT64_C(1) << 10)

extern uint64_t kernel_top_table[512];

struct process *switch_loaded;
bool switch_kept;
static bool vectors_open; /* for who is loaded */

/* As after FNINIT, all exceptions masked, every register zero. */
static const struct vector_state clean = {.control = 0x37F, .mxcsr = 0x1F80};

static void table_load(uint64_t table)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(table) : "memory");
}

static struct selectors selectors_read(void)
{
    struct selectors read;
    __asm__ volatile("movl %%ds, %0\n\tmovl %%es, %1\n\tmovl %%fs, %2\n\tmovl %%gs, %3"
                     : "=r"(read.ds), "=r"(read.es), "=r"(read.fs), "=r"(read.gs));
    return read;
}

/* Any selector that a process could load can be loaded here. */
static void selectors_load(struct selectors selectors)
{
    __asm__ volatile("movl %0, %%ds\n\tmovl %1, %%es\n\tmovl %2, %%fs\n\tmovl %3, %%gs"
                     :
                     : "r"(selectors.ds), "r"(selectors.es), "r"(selectors.fs), "r"(selectors.gs));
}

static void vectors_allow(bool allowed)
{
    uint64_t cr0, cr4;
    __asm__ volatile("movq %%cr0, %0\n\tmovq %%cr4, %1" : "=r"(cr0), "=r"(cr4));
    if (allowed) {
        cr0 = (cr0 & ~CR0_EM) | CR0_MP | CR0_NE;
        cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    } else {
        cr0 |= CR0_EM;
        cr4 &= ~(CR4_OSFXSR | CR4_OSXMMEXCPT);
    }
    __asm__ volatile("movq %0, %%cr4\n\tmovq %1, %%cr0" : : "r"(cr4), "r"(cr0) : "memory");
    vectors_open = allowed;
}

/* FNINIT clears the addresses of the last x87 instruction, which some processors' FXRSTOR
 * leaves. */
static void vectors_load(const struct vector_state *state)
{
    __asm__ volatile("fninit\n\tfxrstorq %0" : : "m"(*state));
}

void vectors_use(bool used)
{
    if (used)
        vectors_allow(true);
    vectors_load(&clean);
    if (!used)
        vectors_allow(false);
}

/* From who is loaded, one of whom uses them, to a process or to nobody. */
static void vectors_exchange(struct process *process)
{
    bool wanted = process != NULL && (process->flags & PROCESS_USES_SSE) != 0;
    if (vectors_open)
        __asm__ volatile("fxsaveq %0" : "=m"(machine_area_of(switch_loaded)->vectors));
    if (!vectors_open)
        vectors_allow(true);
    if (wanted && !machine_area_of(process)->vectors_made) {
        memcpy(&machine_area_of(process)->vectors, &clean, sizeof clean);
        machine_area_of(process)->vectors_made = true;
    }
    vectors_load(wanted ? &machine_area_of(process)->vectors : &clean);
    if (!wanted)
        vectors_allow(false);
}

/* All that a process may have besides registers and tables. Nobody has nothing. */
__attribute__((noinline)) static void exchange(struct process *process, struct selectors held)
{
    static const struct selectors none;
    switch_kept = true;
    if (switch_loaded != NULL)
        machine_area_of(switch_loaded)->selectors = held;
    selectors_load(process != NULL ? machine_area_of(process)->selectors : none);
    if (vectors_open || (process != NULL && process->flags != 0))
        vectors_exchange(process);
}

/* From who is loaded to a process (null: to nobody) with these flags and that table. */
static inline void change(struct process *process, uint32_t flags, uint64_t table)
{
    table_load(table);
    struct selectors held = selectors_read();
    if ((held.ds | held.es | held.fs | held.gs | flags) != 0 || switch_kept)
        exchange(process, held); /* there is something to take along on one side */
    switch_loaded = process;
}

void switch_to(struct process *process)
{
    change(process, process->flags, (uint64_t)process->vspace_page * PAGE_BYTES);
}

/* At once, as between processes: nobody's record is needed later, when it may be gone. */
void switch_to_nobody(void)
{
    if (switch_loaded != NULL)
        change(NULL, 0, (uintptr_t)kernel_top_table - KERNEL_BASE);
}

static bool is_loaded(uint32_t root_page)
{
    return switch_loaded != NULL && switch_loaded->vspace_page == root_page;
}

/* Comes before the process's record goes. */
void machine_vspace_destroy(uint32_t root_page)
{
    if (is_loaded(root_page))
        switch_to_nobody();
}

void machine_flush(uint32_t root_page, uint64_t va)
{
    /* Other address spaces are flushed by being loaded: there are no global user pages. */
    if (is_loaded(root_page))
        __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}
