/* SPDX-License-Identifier: ISC */
/* What rates are of, since the program began: messages that the unit under test was given, or entries
 * of the kernel, and calls that it made. Whoever stands behind the seam defines this; a harness
 * without messages has none. */
#ifndef BASALT_PROPS_BASE_RATES_H
#define BASALT_PROPS_BASE_RATES_H

#include <stdint.h>

struct rates_counts {
    uint64_t given, called;
};

struct rates_counts rates_counts(void);

#endif
