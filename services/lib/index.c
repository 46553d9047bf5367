/* SPDX-License-Identifier: ISC */
/* The crit-bit tree of index.h. Knows keys and places; never what they stand for. */
#include "services/lib/index.h"

#include <stddef.h>

#include "abi/assert.h"

/* A link: 0 is nothing; a key is its place << 8; a branch is the place of its node << 8, the bit
 * that it tests, and BRANCH. */
enum { LINK_BRANCH = 0x80, LINK_BIT = 0x3F, LINK_PLACE_SHIFT = 8 };

static uint32_t place_of(uint32_t link)
{
    return link >> LINK_PLACE_SHIFT;
}

static bool is_branch(uint32_t link)
{
    return (link & LINK_BRANCH) != 0;
}

static unsigned bit_of(uint32_t link)
{
    return link & LINK_BIT;
}

/* Which way a key goes at a branch. */
static unsigned side_of(uint32_t branch, uint64_t key)
{
    return key >> bit_of(branch) & 1;
}

/* Follows the key to the end; what is there need not be equal to it. */
static uint32_t walk(uint32_t link, const struct index_node *nodes, uint64_t key)
{
    while (is_branch(link))
        link = nodes[place_of(link)].below[side_of(link, key)];
    return place_of(link);
}

uint32_t index_find(uint32_t root, const struct index_node *nodes, uint64_t key)
{
    uint32_t place = walk(root, nodes, key);
    return place != 0 && nodes[place].key == key ? place : 0;
}

/* The highest bit in which two keys differ; they do. */
static unsigned bit_apart(uint64_t left, uint64_t right)
{
    UNIT_ASSERT(left != right);
    return 63 - (unsigned)__builtin_clzll(left ^ right);
}

/* The greatest key below a link. */
static uint32_t last_below(uint32_t link, const struct index_node *nodes)
{
    while (is_branch(link))
        link = nodes[place_of(link)].below[1];
    return place_of(link);
}

uint32_t index_floor(uint32_t root, const struct index_node *nodes, uint64_t key)
{
    uint32_t place = walk(root, nodes, key);
    if (place == 0 || nodes[place].key == key)
        return place;
    unsigned bit = bit_apart(nodes[place].key, key);
    uint32_t link = root;
    uint32_t lower = 0; /* the nearest part of the tree that is left of the walk */
    while (is_branch(link) && bit_of(link) > bit) {
        unsigned side = side_of(link, key);
        lower = side == 1 ? nodes[place_of(link)].below[0] : lower;
        link = nodes[place_of(link)].below[side];
    }
    /* All that hangs here differs from the key first in `bit`. */
    return last_below((key >> bit & 1) != 0 ? link : lower, nodes);
}

void index_add(uint32_t *root, struct index_node *nodes, uint32_t place, uint64_t key)
{
    UNIT_ASSERT(place != 0 && place < INDEX_PLACE_LIMIT);
    uint32_t leaf = place << LINK_PLACE_SHIFT;
    uint32_t near = walk(*root, nodes, key);
    nodes[place] = (struct index_node){.key = key};
    if (near == 0) {
        *root = leaf;
        return;
    }
    unsigned bit = bit_apart(nodes[near].key, key);
    uint32_t *at = root;
    while (is_branch(*at) && bit_of(*at) > bit)
        at = &nodes[place_of(*at)].below[side_of(*at, key)];
    unsigned side = key >> bit & 1;
    nodes[place].below[side] = leaf;
    nodes[place].below[1 - side] = *at;
    *at = leaf | LINK_BRANCH | bit;
}

void index_remove(uint32_t *root, struct index_node *nodes, uint32_t place)
{
    uint64_t key = nodes[place].key;
    uint32_t *at = root;       /* the link to what is looked at */
    uint32_t *parent = NULL;   /* the link to the branch above it */
    uint32_t *of_place = NULL; /* the link to the branch that lies in the node of `place` */
    while (is_branch(*at)) {
        if (place_of(*at) == place)
            of_place = at;
        parent = at;
        at = &nodes[place_of(*at)].below[side_of(*at, key)];
    }
    UNIT_ASSERT(place != 0 && place_of(*at) == place);
    uint32_t freed = 0; /* the node whose branch is not needed any more */
    if (parent != NULL) {
        uint32_t branch = *parent;
        freed = place_of(branch);
        *parent = nodes[freed].below[1 - side_of(branch, key)];
    } else {
        *root = 0;
    }
    /* The branch in the node of `place`, if it is another one, moves to the freed one: it is above
     * that one's key as well. */
    if (freed != place && of_place != NULL) {
        nodes[freed].below[0] = nodes[place].below[0];
        nodes[freed].below[1] = nodes[place].below[1];
        *of_place = freed << LINK_PLACE_SHIFT | (*of_place & (LINK_BRANCH | LINK_BIT));
    } else if (freed != 0 && freed != place) {
        nodes[freed].below[0] = 0;
        nodes[freed].below[1] = 0;
    }
    nodes[place] = (struct index_node){0};
}

/* --- the check ------------------------------------------------------------------------------- */

/* A walk over all keys in their order: the branches above, and the way that was taken at each. */
struct tour {
    uint32_t path[64];
    unsigned depth;
    uint64_t tested; /* the bits of the branches above */
    uint64_t taken;  /* those at which the walk went to the side of 1 */
};

/* Down to the first key below a link: its link; 0 when a branch cannot be where it is. */
static uint32_t tour_down(struct tour *tour, const struct index_node *nodes, uint32_t link,
                          uint32_t place_last)
{
    while (is_branch(link)) {
        unsigned bit = bit_of(link);
        bool lower = tour->depth == 0 || bit < bit_of(tour->path[tour->depth - 1]);
        if (!lower || place_of(link) == 0 || place_of(link) > place_last)
            return 0;
        tour->path[tour->depth++] = link;
        tour->tested |= UINT64_C(1) << bit;
        link = nodes[place_of(link)].below[0];
    }
    return link;
}

/* The branch at which the next key lies on the other side; 0 after the last key. */
static uint32_t tour_turn(struct tour *tour)
{
    while (tour->depth != 0) {
        uint32_t branch = tour->path[tour->depth - 1];
        uint64_t bit = UINT64_C(1) << bit_of(branch);
        if ((tour->taken & bit) == 0) {
            tour->taken |= bit;
            return branch;
        }
        tour->taken &= ~bit;
        tour->tested &= ~bit;
        tour->depth--;
    }
    return 0;
}

bool index_check(uint32_t root, const struct index_node *nodes, uint32_t count, uint32_t place_last)
{
    struct tour tour = {.depth = 0};
    uint32_t turn = 0;
    uint64_t last_key = 0;
    uint32_t link = root;
    for (uint32_t seen = 0; link != 0 && seen < count; seen++) {
        uint32_t place = place_of(tour_down(&tour, nodes, link, place_last));
        if (place == 0 || place > place_last || (nodes[place].key & tour.tested) != tour.taken)
            return false;
        uint64_t key = nodes[place].key;
        if (turn != 0 && (key <= last_key || bit_apart(key, last_key) != bit_of(turn)))
            return false;
        last_key = key;
        turn = tour_turn(&tour);
        link = turn == 0 ? 0 : nodes[place_of(turn)].below[1];
        if (turn == 0)
            return seen + 1 == count;
    }
    return link == 0 && count == 0;
}
