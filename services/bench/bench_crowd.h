/* SPDX-License-Identifier: ISC */
/* What the others are beside whom bench-growth measures: a process that waits, or one with many
 * regions. */
#ifndef BASALT_SERVICES_BENCH_BENCH_CROWD_H
#define BASALT_SERVICES_BENCH_BENCH_CROWD_H

#include <stdint.h>

enum crowd_run {
    CROWD_WAIT = 0,    /* one open wait with a far deadline, for ever */
    CROWD_REGIONS = 1, /* registers a space at vspaced, and makes regions in it when it is called */
};

/* What CROWD_REGIONS finds in its slots. */
enum {
    CROWD_SLOT_VSPACED = 64, /* with pagerd's badge */
    CROWD_SLOT_VSPACE,
    CROWD_SLOT_ACCOUNT,
};

/* It is called with the number of regions that the space is to have; the answer is what one more
 * costs it, the mean of the last ones. */
struct crowd_message {
    uint64_t count;
};

enum { CROWD_REGIONS_MAX = 60000 };

uint32_t bench_crowd_main(uint64_t argument);

#endif
