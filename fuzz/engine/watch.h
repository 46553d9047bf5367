/* SPDX-License-Identifier: ISC */
/* Watches the input that runs: one that kills the process, or takes too long, is named on stderr and
 * kept. Of the replayer alone; an engine watches its own. */
#ifndef BASALT_FUZZ_ENGINE_WATCH_H
#define BASALT_FUZZ_ENGINE_WATCH_H

#include "fuzz/engine/corpus.h"

/* From here on deaths are seen: signals, or what sanitizers call at the end of a report. */
void watch_for_death(void);

/* The input runs now, and has its seconds; and no more. */
void watch_begin(const struct input *input);
void watch_end(void);

/* Seconds of this process's own time that an input may take (at least 2): INPUT_SECONDS_MAX unless
 * told otherwise. On a busy machine nobody hangs who waits for a turn; a harness waits for nothing
 * else, and who runs this program has a limit of its own. */
void watch_allow(unsigned seconds);

/* Where an input is kept that kills the process and comes from no file. */
void watch_keep(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
