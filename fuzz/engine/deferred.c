/* SPDX-License-Identifier: ISC */
/* Runs each input twice, or three times. Judges nothing but whether it did the same. */
#include "fuzz/engine/deferred.h"

#include <stdio.h>
#include <string.h>

#include "fuzz/harness.h"

static size_t marks_bytes(void)
{
    return (size_t)1 << mark_table.bits;
}

static uint64_t run_once(const struct input *input, unsigned stride,
                         uint64_t (*run)(const struct input *input))
{
    memset(mark_counters, 0, marks_bytes());
    oracle_defer(stride);
    return run(input);
}

/* What is different; null: nothing. Where inputs have no steps no look is digested, so that not to
 * defer at all must give the same as well. */
static const char *difference(const struct input *input, uint64_t (*run)(const struct input *input))
{
    static uint8_t marks[1 << MARK_BITS_MAX];
    static const unsigned strides[] = {ORACLE_STRIDE, 0};
    unsigned others = &harness_has_steps != NULL ? 1 : 2;
    uint64_t digest = run_once(input, 1, run);
    memcpy(marks, mark_counters, marks_bytes());
    for (unsigned i = 0; i < others; i++) {
        if (run_once(input, strides[i], run) != digest)
            return "its digest";
        if (memcmp(marks, mark_counters, marks_bytes()) != 0)
            return "its marks";
    }
    return NULL;
}

int deferred_replay(const struct corpus *corpus, uint64_t (*run)(const struct input *input))
{
    unsigned different = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        const char *what = difference(&corpus->inputs[i], run);
        if (what == NULL)
            continue;
        printf("%s: does something else when oracles are deferred: %s\n", corpus->inputs[i].path,
               what);
        different++;
    }
    printf("%s: %zu inputs, oracles deferred, %u different\n", harness_name, corpus->count,
           different);
    return different == 0 ? 0 : 1;
}
