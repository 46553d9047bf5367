/* SPDX-License-Identifier: ISC */
/* An ordered index: a set of 64-bit keys, each the name of one place of the owner's table.
 *
 * It is a crit-bit tree: every branch tests one bit, the highest in which the keys below it differ,
 * so that a walk takes at most as many steps as a key has bits that differ at all, and about the
 * logarithm of the keys when these are spread. Nothing is hashed, nothing drawn by chance: a
 * client that chooses the keys cannot make it degenerate, and the same keys give the same tree in
 * whatever order they came (E3).
 *
 * The owner keeps the nodes, one for each place and one unused at 0, and the root. Both are valid
 * when all zero. Places count from 1; 0 means none. */
#ifndef BASALT_SERVICES_LIB_INDEX_H
#define BASALT_SERVICES_LIB_INDEX_H

#include <stdbool.h>
#include <stdint.h>

/* The key of a place, and a branch of the tree that has nothing to do with it: n keys need n - 1
 * branches, which lie in the nodes of n - 1 of them. */
struct index_node {
    uint64_t key;
    uint32_t below[2]; /* links: on the tested bit's 0 and 1 */
};

enum { INDEX_PLACE_LIMIT = 1 << 24 }; /* places are below this */

/* The place of a key; 0: it is not there. */
uint32_t index_find(uint32_t root, const struct index_node *nodes, uint64_t key);

/* The place of the greatest key that is not above `key`; 0: there is none. */
uint32_t index_floor(uint32_t root, const struct index_node *nodes, uint64_t key);

/* Adds a key that is not there, for a place that is not in the index. Cannot fail. */
void index_add(uint32_t *root, struct index_node *nodes, uint32_t place, uint64_t key);

/* Removes a place that is in the index; its node is all zero afterwards. Cannot fail. */
void index_remove(uint32_t *root, struct index_node *nodes, uint32_t place);

/* Whether a root and its nodes are a tree of `count` places, each at most `place_last`. Ends
 * whatever the links say. */
bool index_check(uint32_t root, const struct index_node *nodes, uint32_t count,
                 uint32_t place_last);

#endif
