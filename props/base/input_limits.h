/* SPDX-License-Identifier: ISC */
/* What one input may take: the same for libFuzzer, AFL++ and the replayer, or what one of them
 * calls a failure would pass in another. fuzz/tool/engines.py reads the numbers from this file and
 * gives them to the engines. Engines count seconds by the clock, the replayer those of its own
 * time (fuzz/engine/watch.h). */
#ifndef BASALT_PROPS_BASE_INPUT_LIMITS_H
#define BASALT_PROPS_BASE_INPUT_LIMITS_H

enum {
    INPUT_SECONDS_MAX = 20, /* the slowest committed input takes milliseconds */
    INPUT_MEGABYTES_MAX = 3000,
    INPUT_BYTES_MAX = 16384,
};

/* From here on the process ends, with a line that says so, when it takes more than
 * INPUT_MEGABYTES_MAX. For programs that no engine watches: libFuzzer has its own limit. */
void memory_limit_hold(void);

#endif
