/* SPDX-License-Identifier: ISC */
/* The bytes of files: where they lie in an archive, or which page of memory is which page of which
 * node. Decides nothing but what a hole reads as; every page that is free is zero (F3). */
#include <stddef.h>
#include <string.h>

#include "services/ramfsd/internal.h"

enum { PAGE_NUMBER_BITS = 32 };

/* One page of a node, and what of it is meant. */
struct piece {
    uint64_t page_number;
    uint32_t from; /* in the page */
    uint32_t count;
};

static struct piece piece_at(uint64_t offset_bytes, uint32_t count)
{
    uint32_t from = (uint32_t)(offset_bytes % PAGE_BYTES);
    uint32_t room = PAGE_BYTES - from;
    return (struct piece){offset_bytes >> PAGE_SHIFT, from, count < room ? count : room};
}

static uint64_t key_of(uint32_t place, uint64_t page_number)
{
    return (uint64_t)place << PAGE_NUMBER_BITS | page_number;
}

static uint32_t page_find(const struct ramfsd *ramfsd, uint32_t place, uint64_t page_number)
{
    return index_find(ramfsd->page_root, ramfsd->page_index, key_of(place, page_number));
}

static uint8_t *bytes_of(const struct ramfsd *ramfsd, uint32_t page)
{
    return ramfsd->page_bytes + (uint64_t)(page - 1) * PAGE_BYTES;
}

static uint32_t page_add(struct ramfsd *ramfsd, uint32_t place, uint64_t account,
                         uint64_t page_number)
{
    struct ramfsd_table *table = &ramfsd->pages;
    uint32_t page = ramfsd_take_place(table, ramfsd->page[table->first_free].next_free);
    ramfsd->page[page] =
        (struct ramfsd_page){.account = ramfsd_account_charge(ramfsd, account, 1, 0)};
    index_add(&ramfsd->page_root, ramfsd->page_index, page, key_of(place, page_number));
    ramfsd->node[place].page_count++;
    return page;
}

static void page_release(struct ramfsd *ramfsd, uint32_t place, uint32_t page)
{
    memset(bytes_of(ramfsd, page), 0, PAGE_BYTES);
    index_remove(&ramfsd->page_root, ramfsd->page_index, page);
    ramfsd_account_return(ramfsd, ramfsd->page[page].account, 1, 0);
    ramfsd->page[page] = (struct ramfsd_page){.next_free = ramfsd->pages.first_free};
    ramfsd->pages.first_free = page;
    ramfsd->pages.count--;
    ramfsd->node[place].page_count--;
}

/* --- for all nodes --------------------------------------------------------------------------- */

uint32_t ramfsd_pages_missing(const struct ramfsd *ramfsd, uint32_t place, uint64_t offset_bytes,
                              uint32_t count)
{
    uint32_t missing = 0;
    while (count != 0) {
        struct piece piece = piece_at(offset_bytes, count);
        missing += page_find(ramfsd, place, piece.page_number) == 0;
        offset_bytes += piece.count;
        count -= piece.count;
    }
    return missing;
}

void ramfsd_pages_read(const struct ramfsd *ramfsd, uint32_t place, uint64_t offset_bytes,
                       uint8_t *bytes, uint32_t count)
{
    if (ramfsd->archive != NULL) {
        memcpy(bytes, ramfsd->archive + ramfsd->node[place].data_at + offset_bytes, count);
        return;
    }
    while (count != 0) {
        struct piece piece = piece_at(offset_bytes, count);
        uint32_t page = page_find(ramfsd, place, piece.page_number);
        if (page != 0)
            memcpy(bytes, bytes_of(ramfsd, page) + piece.from, piece.count);
        else
            memset(bytes, 0, piece.count);
        bytes += piece.count;
        offset_bytes += piece.count;
        count -= piece.count;
    }
}

void ramfsd_pages_write(struct ramfsd *ramfsd, uint32_t place, uint64_t account,
                        uint64_t offset_bytes, const uint8_t *bytes, uint32_t count)
{
    while (count != 0) {
        struct piece piece = piece_at(offset_bytes, count);
        uint32_t page = page_find(ramfsd, place, piece.page_number);
        if (page == 0)
            page = page_add(ramfsd, place, account, piece.page_number);
        memcpy(bytes_of(ramfsd, page) + piece.from, bytes, piece.count);
        bytes += piece.count;
        offset_bytes += piece.count;
        count -= piece.count;
    }
}

void ramfsd_pages_cut(struct ramfsd *ramfsd, uint32_t place, uint64_t size_bytes)
{
    uint64_t first_gone = (size_bytes + PAGE_BYTES - 1) >> PAGE_SHIFT;
    uint32_t kept = (uint32_t)(size_bytes % PAGE_BYTES);
    uint64_t last = key_of(place, UINT32_MAX);
    while (ramfsd->node[place].page_count != 0) {
        uint32_t page = index_floor(ramfsd->page_root, ramfsd->page_index, last);
        UNIT_ASSERT(page != 0 && ramfsd->page_index[page].key >> PAGE_NUMBER_BITS == place);
        if (ramfsd->page_index[page].key < key_of(place, first_gone))
            break;
        page_release(ramfsd, place, page);
    }
    uint32_t page = kept == 0 ? 0 : page_find(ramfsd, place, size_bytes >> PAGE_SHIFT);
    if (page != 0)
        memset(bytes_of(ramfsd, page) + kept, 0, PAGE_BYTES - kept);
}
