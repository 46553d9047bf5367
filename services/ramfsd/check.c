/* SPDX-License-Identifier: ISC */
/* Walks ramfsd's whole state: is it a tree in both orders, are pages and accounts what nodes say,
 * and is what must be zero zero. Decides nothing and changes nothing. */
#include <stddef.h>
#include <string.h>

#include "services/ramfsd/internal.h"

static bool is_zero(const uint8_t *bytes, uint64_t count)
{
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, (size_t)count - 1) == 0);
}

static bool table_agrees(const struct ramfsd_table *table)
{
    return table->used <= table->limit && table->count <= table->used &&
           table->first_free <= table->used &&
           (table->first_free != 0) == (table->count < table->used);
}

/* --- F2: the tree ----------------------------------------------------------------------------- */

/* A node with a name is found by it, lies below the root, and is its directory's. */
static bool link_agrees(const struct ramfsd *ramfsd, uint32_t place)
{
    const struct ramfsd_node *node = &ramfsd->node[place];
    struct ramfsd_name name = {node->name, node->name_count};
    uint32_t steps = 0;
    for (uint32_t at = place; at != RAMFSD_ROOT_PLACE; at = ramfsd->node[at].parent)
        if (at == 0 || at > ramfsd->nodes.used || steps++ > ramfsd->nodes.used)
            return false;
    const struct ramfsd_node *parent = &ramfsd->node[node->parent];
    return parent->is_used != 0 && parent->kind == FILE_KIND_DIRECTORY &&
           path_check_name(node->name, node->name_count) == STATUS_OK &&
           is_zero(node->name + node->name_count, sizeof node->name - node->name_count) &&
           ramfsd_entry(ramfsd, node->parent, name) == place &&
           ramfsd_entry_from(ramfsd, node->parent, place) == place;
}

static uint32_t entries_of(const struct ramfsd *ramfsd, uint32_t directory)
{
    uint32_t count = 0;
    for (uint32_t at = ramfsd_entry_from(ramfsd, directory, 0);
         at != 0 && count <= ramfsd->nodes.used;
         at = ramfsd_entry_from(ramfsd, directory, (uint64_t)at + 1))
        count++;
    return count;
}

/* An archive's bytes lie in it. */
static bool data_agrees(const struct ramfsd *ramfsd, const struct ramfsd_node *node)
{
    return ramfsd->archive == NULL || node->kind == FILE_KIND_DIRECTORY ||
           (node->data_at <= ramfsd->archive_bytes &&
            node->size_bytes <= ramfsd->archive_bytes - node->data_at);
}

static bool node_agrees(const struct ramfsd *ramfsd, uint32_t place)
{
    const struct ramfsd_node *node = &ramfsd->node[place];
    bool paid = place == RAMFSD_ROOT_PLACE || ramfsd->archive != NULL
                    ? node->account == 0
                    : node->account != 0 && node->account <= ramfsd->accounts.used;
    if (node->kind > FILE_KIND_LAST || !data_agrees(ramfsd, node) ||
        node->open_count > ramfsd->open_limit || !paid)
        return false;
    if (!ramfsd_is_linked(ramfsd, place) && node->open_count == 0)
        return false;
    if (node->kind == FILE_KIND_DIRECTORY &&
        (node->page_count != 0 || node->size_bytes != entries_of(ramfsd, place)))
        return false;
    return node->parent == 0 || link_agrees(ramfsd, place);
}

static bool tree_agrees(const struct ramfsd *ramfsd)
{
    uint32_t count = 0;
    uint32_t named = 0;
    if (!table_agrees(&ramfsd->nodes) || ramfsd->node[RAMFSD_ROOT_PLACE].is_used == 0)
        return false;
    for (uint32_t place = 1; place <= ramfsd->nodes.used; place++) {
        if (ramfsd->node[place].is_used == 0)
            continue;
        if (!node_agrees(ramfsd, place))
            return false;
        count++;
        named += ramfsd->node[place].parent != 0;
    }
    return count == ramfsd->nodes.count && named == ramfsd->order_count &&
           index_check(ramfsd->child_root, ramfsd->child_index, named, ramfsd->nodes.used);
}

/* --- F3: bytes -------------------------------------------------------------------------------- */

/* A page lies in its file, and is zero behind the file's end; a free one is zero. */
static bool page_agrees(const struct ramfsd *ramfsd, uint32_t page)
{
    const uint8_t *bytes = ramfsd->page_bytes + (uint64_t)(page - 1) * PAGE_BYTES;
    if (ramfsd->page[page].account == 0)
        return is_zero(bytes, PAGE_BYTES);
    uint64_t place = ramfsd->page_index[page].key >> 32;
    uint64_t begin = (ramfsd->page_index[page].key & UINT32_MAX) << PAGE_SHIFT;
    if (place == 0 || place > ramfsd->nodes.used ||
        ramfsd->page[page].account > ramfsd->accounts.used)
        return false;
    const struct ramfsd_node *node = &ramfsd->node[place];
    if (node->is_used == 0 || node->kind == FILE_KIND_DIRECTORY || begin >= node->size_bytes)
        return false;
    uint64_t inside = node->size_bytes - begin;
    return inside >= PAGE_BYTES || is_zero(bytes + inside, PAGE_BYTES - inside);
}

static bool pages_agree(const struct ramfsd *ramfsd)
{
    uint32_t count = 0;
    uint32_t of_nodes = 0;
    if (!table_agrees(&ramfsd->pages))
        return false;
    for (uint32_t page = 1; page <= ramfsd->pages.used; page++) {
        if (!page_agrees(ramfsd, page))
            return false;
        count += ramfsd->page[page].account != 0;
    }
    for (uint32_t place = 1; place <= ramfsd->nodes.used; place++)
        of_nodes += ramfsd->node[place].page_count;
    return count == ramfsd->pages.count && count == of_nodes &&
           index_check(ramfsd->page_root, ramfsd->page_index, count, ramfsd->pages.used);
}

/* --- F4: accounts ----------------------------------------------------------------------------- */

static bool account_agrees(const struct ramfsd *ramfsd, uint32_t account)
{
    uint32_t pages = 0;
    uint32_t nodes = 0;
    for (uint32_t page = 1; page <= ramfsd->pages.used; page++)
        pages += ramfsd->page[page].account == account;
    for (uint32_t place = 1; place <= ramfsd->nodes.used; place++)
        nodes += ramfsd->node[place].account == account;
    return pages == ramfsd->account[account].page_count &&
           nodes == ramfsd->account[account].node_count && pages <= ramfsd->pages.limit / 2 &&
           nodes <= ramfsd->nodes.limit / 2;
}

static bool accounts_agree(const struct ramfsd *ramfsd)
{
    uint32_t count = 0;
    if (!table_agrees(&ramfsd->accounts))
        return false;
    for (uint32_t account = 1; account <= ramfsd->accounts.used; account++) {
        if (!account_agrees(ramfsd, account))
            return false;
        count +=
            ramfsd->account[account].page_count != 0 || ramfsd->account[account].node_count != 0;
    }
    return count == ramfsd->accounts.count &&
           index_check(ramfsd->account_root, ramfsd->account_index, count, ramfsd->accounts.used);
}

const char *ramfsd_check(const struct ramfsd *ramfsd)
{
    if (!tree_agrees(ramfsd))
        return "F2";
    if (!pages_agree(ramfsd))
        return "F3";
    return accounts_agree(ramfsd) ? NULL : "F4";
}

/* --- fields ----------------------------------------------------------------------------------- */

static void visit_bytes(const uint8_t *bytes, uint64_t count,
                        void (*visit)(void *context, uint64_t value), void *context)
{
    for (uint64_t at = 0; at < count; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof word); /* zeros behind the end */
        if (word == 0)
            continue;
        visit(context, at);
        visit(context, word);
    }
}

static void visit_node(const struct ramfsd *ramfsd, uint32_t place,
                       void (*visit)(void *context, uint64_t value), void *context)
{
    const struct ramfsd_node *node = &ramfsd->node[place];
    visit(context, ramfsd_number(ramfsd, place));
    visit(context, (uint64_t)node->is_used << 32 | node->kind);
    visit(context, (uint64_t)node->mode << 32 | node->flags);
    visit(context, (uint64_t)node->parent << 32 | node->open_count);
    visit(context, ramfsd->account_index[node->account].key);
    visit(context, node->owner);
    visit(context, node->size_bytes);
    visit(context, node->version);
    visit(context, node->created_ticks);
    visit(context, node->accessed_ticks);
    visit(context, node->modified_ticks);
    visit_bytes(node->name, node->name_count, visit, context);
}

void ramfsd_visit_fields(const struct ramfsd *ramfsd, void (*visit)(void *context, uint64_t value),
                         void *context)
{
    visit(context, (uint64_t)ramfsd->nodes.count << 32 | ramfsd->nodes.first_free);
    visit(context, (uint64_t)ramfsd->pages.count << 32 | ramfsd->accounts.count);
    visit(context, ramfsd->caller.now_ticks);
    for (uint32_t place = 1; place <= ramfsd->nodes.used; place++)
        visit_node(ramfsd, place, visit, context);
    for (uint32_t page = 1; page <= ramfsd->pages.used; page++) {
        uint32_t account = ramfsd->page[page].account;
        visit(context, (uint64_t)page << 32 | (account != 0));
        if (account == 0)
            continue;
        visit(context, ramfsd->account_index[account].key);
        visit(context, ramfsd->page_index[page].key);
        visit_bytes(ramfsd->page_bytes + (uint64_t)(page - 1) * PAGE_BYTES, PAGE_BYTES, visit,
                    context);
    }
}
