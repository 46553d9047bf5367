/* SPDX-License-Identifier: ISC */
/* Places of records that many owners share. When all are taken, what goes is the oldest record of the
 * owner that holds most of them; of several such owners, that of the oldest record among theirs. So
 * whoever makes many records pushes out its own, and nobody else's before it holds no more than
 * they. */
#ifndef BASALT_SERVICES_LIB_FAIR_RING_H
#define BASALT_SERVICES_LIB_FAIR_RING_H

#include <stdbool.h>
#include <stdint.h>

enum { FAIR_RING_LIMIT = 256 };

/* All zero: nobody holds a record. Its order can be read; nothing of it is set elsewhere. */
struct fair_ring {
    uint32_t count;                 /* records that are held */
    uint32_t used_count;            /* places that were ever taken */
    uint8_t order[FAIR_RING_LIMIT]; /* places: of the records, the oldest first; then free ones */
    uint8_t share_of[FAIR_RING_LIMIT]; /* by place: whose record it is */
    struct fair_share {
        uint64_t owner;
        uint32_t count; /* 0: nobody's share */
    } shares[FAIR_RING_LIMIT];
};

/* The place of an owner's new record, the youngest from now on. Time linear in the places. */
uint32_t fair_ring_take(struct fair_ring *ring, uint64_t owner);

/* The oldest record goes; there is one. */
void fair_ring_drop_oldest(struct fair_ring *ring);

/* The place of a record by its age, 0: the oldest. */
uint32_t fair_ring_place(const struct fair_ring *ring, uint32_t age);

/* Null when it is consistent, else one line that says what is not. */
const char *fair_ring_check(const struct fair_ring *ring);

#endif
