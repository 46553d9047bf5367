/* SPDX-License-Identifier: ISC */
/* phase0-stock: a program as a stock compiler driver links it, without a linker script of ours. Its
 * segments begin and end inside pages, several lie on one page of its file, and it brings no stack.
 * It reads its own program headers and decides whether its memory is what they say (G4). */
#include <stdbool.h>

#include "abi/address_space.h"
#include "abi/user_memory.h"
#include "services/probes/expectations.h"
#include "services/probes/layout.h"
#include "services/probes/probes.h"

enum { HEADER_BYTES = 64, ROW_BYTES = 56, TYPE_LOAD = 1, FLAG_WRITE = 2, ROWS_MAX = 16 };

/* One program header: what is asked of it. */
struct row {
    uint32_t type;
    uint32_t flags;
    uint64_t va;
    uint64_t file_end_va;
    uint64_t end_va;
};

static struct row read_row(uint64_t index)
{
    uint64_t at = STOCK_IMAGE_VA + HEADER_BYTES + index * ROW_BYTES;
    uint64_t first = user_load64(at);
    uint64_t va = user_load64(at + 16);
    return (struct row){
        .type = (uint32_t)first,
        .flags = (uint32_t)(first >> 32),
        .va = va,
        .file_end_va = va + user_load64(at + 32),
        .end_va = va + user_load64(at + 40),
    };
}

static uint64_t page_of(uint64_t va)
{
    return va & ~(uint64_t)(PAGE_BYTES - 1);
}

/* Whether every whole word of [first, end) is zero. */
static bool is_zero(uint64_t first, uint64_t end)
{
    for (uint64_t va = (first + 7) & ~UINT64_C(7); va + 8 <= end; va += 8) {
        if (user_load64(va) != 0)
            return false;
    }
    return true;
}

/* Whether the segment's file bytes hold the stated words, one after the other. */
static bool holds_words(const struct row *row)
{
    uint64_t va = (row->va + 7) & ~UINT64_C(7);
    uint64_t bytes = STOCK_WORDS * 8;
    while (va + bytes <= row->file_end_va && user_load64(va) != STOCK_WORD(0))
        va += 8;
    for (uint64_t i = 0; i < STOCK_WORDS; i++) {
        if (va + bytes > row->file_end_va || user_load64(va + i * 8) != STOCK_WORD(i))
            return false;
    }
    return true;
}

/* The loader's: fresh below what the entry code touched. */
static bool stack_works(void)
{
    if (!is_zero(STACK_VA, STACK_VA + PAGE_BYTES))
        return false;
    user_store64(STACK_VA, STOCK_WORD(1));
    return user_load64(STACK_VA) == STOCK_WORD(1);
}

uint32_t phase0_stock_main(uint64_t argument)
{
    uint64_t count = user_load64(STOCK_IMAGE_VA + 56) & UINT16_MAX;
    bool found = false;
    if ((uint32_t)user_load64(STOCK_IMAGE_VA) != STOCK_MAGIC || count > ROWS_MAX)
        return STOCK_FAILED_HEADER;
    for (uint64_t i = 0; i < count; i++) {
        struct row row = read_row(i);
        if (row.type != TYPE_LOAD || row.va == row.end_va)
            continue;
        if (!is_zero(page_of(row.va), row.va))
            return STOCK_FAILED_HEAD;
        /* what this unit's variables are is its own business: it has none */
        if (!is_zero(row.file_end_va, page_of(row.end_va + PAGE_BYTES - 1)))
            return STOCK_FAILED_TAIL;
        found = found || ((row.flags & FLAG_WRITE) != 0 && holds_words(&row));
    }
    if (!found)
        return STOCK_FAILED_DATA;
    return stack_works() ? (uint32_t)argument : STOCK_FAILED_STACK;
}
