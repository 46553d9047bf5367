/* SPDX-License-Identifier: ISC */
/* Sees that each mark that the corpus reaches has a counter of its own, so that an engine sees it.
 * Looks for better numbers; who writes them into the harness is the reader. */
#include "fuzz/engine/counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/engine/corpus.h"
#include "fuzz/harness.h"

enum { SALTS = 1 << 18 };

struct known {
    const char **names;
    uint64_t *hashes;
    unsigned count;
};

static void collect(const char *name, uint64_t hash, void *context)
{
    struct known *known = context;
    known->names[known->count] = name;
    known->hashes[known->count++] = hash;
}

/* Of each counter the last mark that was found to have it, with the search that found it: so that
 * nothing is emptied between two searches. */
static struct {
    uint32_t search;
    uint32_t mark;
} owners[1 << MARK_BITS_MAX];
static uint32_t searches;

/* The first mark from `from` on whose counter one before it has, with that one; the count: none. */
static unsigned next_shared(const struct known *known, struct mark_table table, unsigned from,
                            unsigned *with)
{
    for (unsigned i = from; i < known->count; i++) {
        unsigned counter = mark_counter(known->hashes[i], table);
        if (owners[counter].search == searches) {
            *with = owners[counter].mark;
            return i;
        }
        owners[counter].search = searches;
        owners[counter].mark = i;
    }
    return known->count;
}

static bool shares_none(const struct known *known, struct mark_table table)
{
    unsigned with;
    searches++;
    return next_shared(known, table, 0, &with) == known->count;
}

/* The smallest salt that is good, for as few counters as there are one. */
static void print_better(const struct known *known)
{
    for (unsigned bits = mark_table.bits; bits <= MARK_BITS_MAX; bits++)
        for (uint32_t salt = 0; salt < SALTS; salt++)
            if (shares_none(known, (struct mark_table){bits, salt})) {
                printf("%s: each mark has a counter of its own with MARKS(%u, %" PRIu32 "); "
                       "beside harness_name\n",
                       harness_name, bits, salt);
                return;
            }
    printf("%s: too many marks for %u counters\n", harness_name, 1u << MARK_BITS_MAX);
}

unsigned counters_compare(void)
{
    struct known known = {.names = calloc(marks_count() + 1, sizeof known.names[0]),
                          .hashes = calloc(marks_count() + 1, sizeof known.hashes[0])};
    if (known.names == NULL || known.hashes == NULL)
        fail("out of memory");
    marks_visit(collect, &known);
    unsigned shared = 0;
    unsigned with = 0;
    searches++;
    for (unsigned i = 0; (i = next_shared(&known, mark_table, i, &with)) < known.count; i++) {
        printf("%s: \"%s\" has the counter of \"%s\"\n", harness_name, known.names[i],
               known.names[with]);
        shared++;
    }
    if (shared != 0)
        print_better(&known);
    free(known.names);
    free(known.hashes);
    return shared;
}
