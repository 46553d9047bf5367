/* SPDX-License-Identifier: ISC */
/* Whether marks share counters (MARKS of props/base/marks.h). */
#ifndef BASALT_FUZZ_ENGINE_COUNTERS_H
#define BASALT_FUZZ_ENGINE_COUNTERS_H

/* How many of the recorded marks have the counter of one before them; each is printed, and in the
 * end the numbers with which none has. */
unsigned counters_compare(void);

#endif
