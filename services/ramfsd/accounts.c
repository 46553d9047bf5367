/* SPDX-License-Identifier: ISC */
/* Who pays for pages and nodes. Decides what an account may have (F4); knows no file. */
#include "services/ramfsd/internal.h"

/* The share of one account: never more than is left free, which of one alone is half. */
static enum status admits(const struct ramfsd_table *table, uint32_t has, uint32_t more)
{
    if (more == 0)
        return STATUS_OK;
    if (has + more > table->limit / 2)
        return STATUS_OVER_LIMIT;
    return table->count + more + has + more > table->limit ? STATUS_EXHAUSTED : STATUS_OK;
}

enum status ramfsd_account_admits(const struct ramfsd *ramfsd, uint64_t id, uint32_t pages,
                                  uint32_t nodes)
{
    uint32_t place = index_find(ramfsd->account_root, ramfsd->account_index, id);
    struct ramfsd_account none = {0};
    const struct ramfsd_account *account = place != 0 ? &ramfsd->account[place] : &none;
    enum status status = admits(&ramfsd->nodes, account->node_count, nodes);
    return status != STATUS_OK ? status : admits(&ramfsd->pages, account->page_count, pages);
}

/* There is an account for each page and each node: none is left over when it is needed. */
uint32_t ramfsd_account_charge(struct ramfsd *ramfsd, uint64_t id, uint32_t pages, uint32_t nodes)
{
    struct ramfsd_table *table = &ramfsd->accounts;
    uint32_t place = index_find(ramfsd->account_root, ramfsd->account_index, id);
    if (place == 0) {
        place = ramfsd_take_place(table, ramfsd->account[table->first_free].next_free);
        ramfsd->account[place].next_free = 0;
        index_add(&ramfsd->account_root, ramfsd->account_index, place, id);
    }
    ramfsd->account[place].page_count += pages;
    ramfsd->account[place].node_count += nodes;
    return place;
}

void ramfsd_account_return(struct ramfsd *ramfsd, uint32_t account, uint32_t pages, uint32_t nodes)
{
    struct ramfsd_account *from = &ramfsd->account[account];
    UNIT_ASSERT(account != 0 && from->page_count >= pages && from->node_count >= nodes);
    from->page_count -= pages;
    from->node_count -= nodes;
    if (from->page_count != 0 || from->node_count != 0)
        return;
    index_remove(&ramfsd->account_root, ramfsd->account_index, account);
    from->next_free = ramfsd->accounts.first_free;
    ramfsd->accounts.first_free = account;
    ramfsd->accounts.count--;
}
