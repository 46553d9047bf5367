/* SPDX-License-Identifier: ISC */
/* See services_memory.h. The accesses of abi/user_memory.h, at addresses of a process that there is not. */
#include "fuzz/adversary/services_memory.h"

#include <string.h>

#include "abi/address_space.h"
#include "abi/user_memory.h"
#include "fuzz/harness.h"

enum { MEMORY_PAGES = RAMFSD_MEMORY_BYTES / PAGE_BYTES, ARCHIVE_PAGES = 2 };

_Alignas(PAGE_BYTES) uint8_t services_memory[RAMFSD_MEMORY_BYTES];

static struct {
    bool heap[MEMORY_PAGES];
    bool archive[ARCHIVE_PAGES];
} touched;

void user_store64(uint64_t addr, uint64_t value)
{
    uint64_t page = (addr - HEAP_WINDOW_VA) / PAGE_BYTES;
    HARNESS(value == 0 && page < MEMORY_PAGES);
    touched.heap[page] = true;
}

uint64_t user_load64(uint64_t addr)
{
    uint64_t page = (addr - DATA_VA) / PAGE_BYTES;
    HARNESS(page < ARCHIVE_PAGES);
    touched.archive[page] = true;
    return 0;
}

void services_memory_begin(void)
{
    memset(&touched, 0, sizeof touched);
}

const char *services_memory_untouched(uint32_t from_page, size_t archive_bytes)
{
    for (uint32_t i = 0; i * PAGE_BYTES < archive_bytes; i++)
        if (!touched.archive[i])
            return "a page of its archive";
    for (uint32_t i = from_page; i < MEMORY_PAGES; i++)
        if (!touched.heap[i])
            return "a page of its memory";
    return NULL;
}

static void tables_empty(const struct ramfsd *ramfsd)
{
    uint32_t pages = ramfsd->pages.used + 1;
    uint32_t nodes = ramfsd->nodes.used + 1;
    uint32_t accounts = ramfsd->accounts.used + 1;
    memset(ramfsd->page_bytes, 0, (size_t)ramfsd->pages.used * PAGE_BYTES);
    memset(ramfsd->page, 0, pages * sizeof ramfsd->page[0]);
    memset(ramfsd->page_index, 0, pages * sizeof ramfsd->page_index[0]);
    memset(ramfsd->node, 0, nodes * sizeof ramfsd->node[0]);
    memset(ramfsd->child_index, 0, nodes * sizeof ramfsd->child_index[0]);
    memset(ramfsd->order, 0, nodes * sizeof ramfsd->order[0]);
    memset(ramfsd->account, 0, accounts * sizeof ramfsd->account[0]);
    memset(ramfsd->account_index, 0, accounts * sizeof ramfsd->account_index[0]);
}

void services_memory_end(struct ramfsd *ramfsd)
{
    if (ramfsd->page_bytes != NULL)
        tables_empty(ramfsd);
    memset(ramfsd, 0, sizeof *ramfsd);
}
