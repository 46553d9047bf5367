/* SPDX-License-Identifier: ISC */
/* Free memory while a machine finds out what it has: a list of page-aligned spans, which are added,
 * cut and taken from. What has no room in the list is left out and counted, never dropped in
 * silence. */
#ifndef BASALT_KERNEL_MACHINE_SPAN_H
#define BASALT_KERNEL_MACHINE_SPAN_H

#include <stdbool.h>
#include <stdint.h>

enum { SPAN_LIMIT = 256 };

/* Bytes [first, end), both whole pages. */
struct span {
    uint64_t first;
    uint64_t end;
};

struct span_list {
    struct span spans[SPAN_LIMIT];
    uint32_t count;
    uint64_t limit;          /* memory from here on is not used */
    uint64_t left_out_bytes; /* whole pages that were free and are in no span */
};

/* An empty list of memory below `limit` (whole pages). */
void span_list_init(struct span_list *list, uint64_t limit);

/* Adds the whole pages of [first, first + bytes). Spans that it meets or touches become one with it:
 * none touches another one, and only what stands alone can find the list full. A range that runs
 * past the last address ends there. */
void span_add(struct span_list *list, uint64_t first, uint64_t bytes);

/* Takes every page that [first, first + bytes) touches out of the list. A range that runs past the
 * last address ends there. */
void span_remove(struct span_list *list, uint64_t first, uint64_t bytes);

/* Takes `bytes` (whole pages, not 0) from the first span that has them below `limit`. The address,
 * or 0: none has. */
uint64_t span_take(struct span_list *list, uint64_t bytes, uint64_t limit);

/* Sorts the spans and leaves out the smallest ones until `count` (not 0) are left. */
void span_settle(struct span_list *list, uint32_t count);

/* Where the last span ends; 0: there is none. */
uint64_t span_end(const struct span_list *list);

#endif
