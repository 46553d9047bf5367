/* SPDX-License-Identifier: ISC */
/* The tree: nodes, and which of them lies where under which name, in two orders. Makes no decision
 * that a message could hear of; never touches the bytes of a file. */
#include <stddef.h>
#include <string.h>

#include "services/ramfsd/internal.h"

enum { PLACE_MASK = (1 << RAMFSD_PLACE_BITS) - 1 };

uint32_t ramfsd_take_place(struct ramfsd_table *table, uint32_t next_of_first_free)
{
    UNIT_ASSERT(table->count < table->limit);
    table->count++;
    if (table->first_free == 0)
        return ++table->used;
    uint32_t place = table->first_free;
    table->first_free = next_of_first_free;
    return place;
}

uint64_t ramfsd_number(const struct ramfsd *ramfsd, uint32_t place)
{
    return ramfsd->node[place].generation << RAMFSD_PLACE_BITS | place;
}

enum status ramfsd_find(const struct ramfsd *ramfsd, uint64_t number, uint32_t *place)
{
    uint32_t at = (uint32_t)(number & PLACE_MASK);
    bool found = at != 0 && at <= ramfsd->nodes.used && ramfsd->node[at].is_used != 0 &&
                 ramfsd->node[at].generation == number >> RAMFSD_PLACE_BITS; /* F2 */
    *place = found ? at : 0;
    return found ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status ramfsd_find_directory(const struct ramfsd *ramfsd, uint64_t number, uint32_t *place)
{
    enum status status = ramfsd_find(ramfsd, number, place);
    if (status == STATUS_OK && ramfsd->node[*place].kind != FILE_KIND_DIRECTORY)
        status = STATUS_NOT_DIRECTORY;
    return status;
}

bool ramfsd_is_linked(const struct ramfsd *ramfsd, uint32_t place)
{
    return place == RAMFSD_ROOT_PLACE || ramfsd->node[place].parent != 0;
}

/* --- the order of names ----------------------------------------------------------------------- */

/* Below 0, 0 or above 0: as a node lies before, at or behind (directory, name). */
static int compare(const struct ramfsd_node *node, uint32_t directory, struct ramfsd_name name)
{
    uint32_t shorter = node->name_count < name.count ? node->name_count : name.count;
    if (node->parent != directory)
        return node->parent < directory ? -1 : 1;
    int order = memcmp(node->name, name.bytes, shorter);
    if (order != 0)
        return order;
    return node->name_count < name.count ? -1 : node->name_count > name.count;
}

uint32_t ramfsd_order_place(const struct ramfsd *ramfsd, uint32_t directory,
                            struct ramfsd_name name)
{
    uint32_t low = 0;
    uint32_t high = ramfsd->order_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(&ramfsd->node[ramfsd->order[middle]], directory, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t ramfsd_entry(const struct ramfsd *ramfsd, uint32_t directory, struct ramfsd_name name)
{
    uint32_t at = ramfsd_order_place(ramfsd, directory, name);
    if (at == ramfsd->order_count)
        return 0;
    uint32_t place = ramfsd->order[at];
    return compare(&ramfsd->node[place], directory, name) == 0 ? place : 0;
}

/* --- the order of places ---------------------------------------------------------------------- */

/* Complemented, so that the next place is the floor. */
static uint64_t child_key(uint32_t directory, uint32_t place)
{
    return (uint64_t)directory << 32 | (uint32_t)~place;
}

uint32_t ramfsd_entry_from(const struct ramfsd *ramfsd, uint32_t directory, uint64_t from)
{
    if (from > PLACE_MASK)
        return 0;
    uint64_t key = child_key(directory, (uint32_t)from);
    uint32_t place = index_floor(ramfsd->child_root, ramfsd->child_index, key);
    return place != 0 && ramfsd->node[place].parent == directory ? place : 0;
}

bool ramfsd_is_below(const struct ramfsd *ramfsd, uint32_t directory, uint32_t place)
{
    while (directory != 0 && directory != place)
        directory = ramfsd->node[directory].parent;
    return directory == place;
}

/* --- changes ---------------------------------------------------------------------------------- */

void ramfsd_changed(struct ramfsd *ramfsd, uint32_t place)
{
    ramfsd->node[place].version++;
    ramfsd->node[place].modified_ticks = ramfsd->caller.now_ticks;
}

uint32_t ramfsd_node_add(struct ramfsd *ramfsd, uint64_t account, uint32_t kind, uint32_t mode)
{
    struct ramfsd_table *table = &ramfsd->nodes;
    uint32_t place = ramfsd_take_place(table, ramfsd->node[table->first_free].next_free);
    struct ramfsd_node *node = &ramfsd->node[place];
    uint64_t now_ticks = ramfsd->archive == NULL ? ramfsd->caller.now_ticks : 0;
    *node = (struct ramfsd_node){
        .generation = node->generation + 1, /* F2 */
        .owner = account,
        .version = 1,
        .created_ticks = now_ticks,
        .accessed_ticks = now_ticks,
        .modified_ticks = now_ticks,
        .is_used = 1,
        .kind = kind,
        .mode = mode,
    };
    if (place != RAMFSD_ROOT_PLACE && ramfsd->archive == NULL)
        node->account = ramfsd_account_charge(ramfsd, account, 0, 1);
    return place;
}

void ramfsd_link(struct ramfsd *ramfsd, uint32_t place, uint32_t directory, struct ramfsd_name name)
{
    uint32_t at = ramfsd_order_place(ramfsd, directory, name);
    struct ramfsd_node *node = &ramfsd->node[place];
    UNIT_ASSERT(node->parent == 0 && place != RAMFSD_ROOT_PLACE);
    memmove(&ramfsd->order[at + 1], &ramfsd->order[at],
            (ramfsd->order_count - at) * sizeof ramfsd->order[0]);
    ramfsd->order[at] = place;
    ramfsd->order_count++;
    node->parent = directory;
    node->name_count = name.count;
    memset(node->name, 0, sizeof node->name);
    memcpy(node->name, name.bytes, name.count);
    index_add(&ramfsd->child_root, ramfsd->child_index, place, child_key(directory, place));
    ramfsd->node[directory].size_bytes++;
}

void ramfsd_unlink_node(struct ramfsd *ramfsd, uint32_t place)
{
    struct ramfsd_node *node = &ramfsd->node[place];
    struct ramfsd_name name = {node->name, node->name_count};
    uint32_t at = ramfsd_order_place(ramfsd, node->parent, name);
    UNIT_ASSERT(node->parent != 0 && ramfsd->order[at] == place);
    ramfsd->order_count--;
    memmove(&ramfsd->order[at], &ramfsd->order[at + 1],
            (ramfsd->order_count - at) * sizeof ramfsd->order[0]);
    index_remove(&ramfsd->child_root, ramfsd->child_index, place);
    ramfsd->node[node->parent].size_bytes--;
    node->parent = 0;
    node->name_count = 0;
    memset(node->name, 0, sizeof node->name);
}

void ramfsd_node_release(struct ramfsd *ramfsd, uint32_t place)
{
    struct ramfsd_node *node = &ramfsd->node[place];
    UNIT_ASSERT(!ramfsd_is_linked(ramfsd, place) && node->open_count == 0);
    ramfsd_pages_cut(ramfsd, place, 0);
    ramfsd_account_return(ramfsd, node->account, 0, 1);
    *node = (struct ramfsd_node){
        .generation = node->generation,
        .next_free = ramfsd->nodes.first_free,
    };
    ramfsd->nodes.first_free = place;
    ramfsd->nodes.count--;
}
