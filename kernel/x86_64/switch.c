/* SPDX-License-Identifier: ISC */
/* What the processor holds of a process besides the registers that entry.S keeps: its address space
 * and its segment selectors. They are exchanged when another process goes on, and come back with
 * the process, so that nobody sees anything of the others, nor that it was interrupted. */
#include "kernel/x86_64/x86.h"

extern uint64_t kernel_top_table[512];

static uint64_t loaded_table;  /* physical address in CR3 */
static struct process *holder; /* whose selectors the processor holds; null: of one that is gone */

static void table_load(uint64_t table)
{
    if (table == loaded_table)
        return;
    loaded_table = table;
    __asm__ volatile("movq %0, %%cr3" : : "r"(table) : "memory");
}

static uint64_t selectors_read(void)
{
    uint64_t data, extra, f, g;
    __asm__ volatile("movl %%ds, %k0\n\tmovl %%es, %k1\n\tmovl %%fs, %k2\n\tmovl %%gs, %k3"
                     : "=r"(data), "=r"(extra), "=r"(f), "=r"(g));
    return data | extra << 16 | f << 32 | g << 48;
}

/* Any selector that a process could load can be loaded here. */
static void selectors_load(uint64_t selectors)
{
    __asm__ volatile("movl %k0, %%ds\n\tmovl %k1, %%es\n\tmovl %k2, %%fs\n\tmovl %k3, %%gs"
                     :
                     : "r"(selectors), "r"(selectors >> 16), "r"(selectors >> 32),
                       "r"(selectors >> 48));
}

void switch_to(struct process *process)
{
    table_load((uint64_t)process->vspace_page * PAGE_BYTES);
    if (process == holder)
        return;
    uint64_t held = selectors_read();
    uint64_t wanted = machine_area_of(process)->selectors;
    if (holder != NULL)
        machine_area_of(holder)->selectors = held;
    if (held != wanted)
        selectors_load(wanted);
    holder = process;
}

void switch_to_nobody(void)
{
    table_load((uintptr_t)kernel_top_table - KERNEL_BASE);
}

/* Comes before the process's record goes. */
void machine_vspace_destroy(uint32_t root_page)
{
    if (holder != NULL && holder->vspace_page == root_page)
        holder = NULL;
    if ((uint64_t)root_page * PAGE_BYTES == loaded_table)
        switch_to_nobody();
}

void machine_flush(uint32_t root_page, uint64_t va)
{
    /* Other address spaces are flushed by being loaded: there are no global user pages. */
    if ((uint64_t)root_page * PAGE_BYTES == loaded_table)
        __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}
