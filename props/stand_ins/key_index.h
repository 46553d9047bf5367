/* SPDX-License-Identifier: ISC */
/* Finds entries of a table by a key: chains of places, by a hash of the keys. Who clears it pays for
 * what is in it. */
#ifndef BASALT_PROPS_STAND_INS_KEY_INDEX_H
#define BASALT_PROPS_STAND_INS_KEY_INDEX_H

#include "props/stand_ins/stand_in_objects.h"

enum { KEY_INDEX_PLACES = STAND_IN_PROCESS_LIMIT, KEY_INDEX_CHAINS = 2048 };

/* All zeros: empty. */
struct key_index {
    uint16_t first[KEY_INDEX_CHAINS]; /* place + 1; 0: none */
    uint16_t next[KEY_INDEX_PLACES];
    uint64_t keys[KEY_INDEX_PLACES];
};

static inline uint16_t *key_index_chain(struct key_index *index, uint64_t key)
{
    return &index->first[stand_in_mix(key) % KEY_INDEX_CHAINS];
}

/* The lowest place with the key; KEY_INDEX_PLACES: there is none. */
static inline uint32_t key_index_find(const struct key_index *index, uint64_t key)
{
    uint32_t found = KEY_INDEX_PLACES;
    uint32_t link = index->first[stand_in_mix(key) % KEY_INDEX_CHAINS];
    for (; link != 0; link = index->next[link - 1])
        if (index->keys[link - 1] == key && link - 1 < found)
            found = link - 1;
    return found;
}

/* A place that is not in it. */
static inline void key_index_add(struct key_index *index, uint64_t key, uint32_t place)
{
    uint16_t *chain = key_index_chain(index, key);
    index->keys[place] = key;
    index->next[place] = *chain;
    *chain = (uint16_t)(place + 1);
}

/* One that is. */
static inline void key_index_remove(struct key_index *index, uint32_t place)
{
    uint16_t *link = key_index_chain(index, index->keys[place]);
    while (*link != place + 1)
        link = &index->next[*link - 1];
    *link = index->next[place];
}

/* Empties it; no place from `count` on was ever in it. What is in a chain leads to it. */
static inline void key_index_clear(struct key_index *index, uint32_t count)
{
    for (uint32_t place = 0; place < count; place++)
        *key_index_chain(index, index->keys[place]) = 0;
}

#endif
