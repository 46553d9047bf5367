/* SPDX-License-Identifier: ISC */
/* Kernel memory of processes: every page of a record, cspace, page table or message page is drawn
 * from the budget that was set aside when the process was made (K5). Decides when a budget is used
 * up; never takes a page from anybody else. */
#include "kernel/core/internal.h"

uint32_t memory_draw(struct kernel *kernel, struct process *process, enum page_kind kind)
{
    if (memory_left(process) == 0)
        return 0;
    uint32_t page = pool_draw(kernel, process->untyped);
    struct page_record *record = machine_page_record(page);
    record->kind = (uint8_t)kind;
    record->process = process->index;
    machine_page_zero(page);
    kernel->untypeds[process->untyped].drawn_pages++;
    process->drawn_pages++;
    return page;
}

void memory_return(struct kernel *kernel, struct process *process, uint32_t page)
{
    struct page_record *record = machine_page_record(page);
    record->process = 0;
    record->mapping_count = 0;
    kernel->untypeds[process->untyped].drawn_pages--;
    process->drawn_pages--;
    pool_give(kernel, page);
}
