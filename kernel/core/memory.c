/* SPDX-License-Identifier: ISC */
/* Kernel memory of processes: every page of a record, cspace, page table or message page is drawn
 * from the budget that was set aside when the process was made (K5). Decides when a budget is used
 * up; never takes a page from anybody else. */
#include "kernel/core/internal.h"

static uint32_t draw(struct kernel *kernel, uint32_t untyped, uint16_t index, enum page_kind kind)
{
    uint32_t page = pool_draw(kernel, untyped);
    struct page_record *record = machine_page_record(page);
    record->kind = (uint8_t)kind;
    record->process = index;
    kernel->untypeds[untyped].drawn_pages++;
    return page;
}

uint32_t memory_draw(struct kernel *kernel, struct process *process, enum page_kind kind)
{
    if (memory_left(process) == 0)
        return 0;
    process->drawn_pages++;
    return draw(kernel, process->untyped, process->index, kind);
}

uint32_t memory_draw_record(struct kernel *kernel, uint32_t untyped, uint16_t index)
{
    return draw(kernel, untyped, index, PAGE_PROCESS);
}

void memory_return(struct kernel *kernel, struct process *process, uint32_t page, bool zeroed)
{
    struct page_record *record = machine_page_record(page);
    record->process = 0;
    record->mapping_count = 0;
    record->entry_lines = 0;
    kernel->untypeds[process->untyped].drawn_pages--;
    process->drawn_pages--;
    pool_give(kernel, page, zeroed);
}
