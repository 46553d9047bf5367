/* SPDX-License-Identifier: ISC */
/* Status codes as an enum and their names; status.def is the one source. */
#ifndef BASALT_ABI_STATUS_H
#define BASALT_ABI_STATUS_H

enum status {
#define STATUS(name, value, meaning) STATUS_##name = (value),
#include "abi/status.def"
#undef STATUS
};

enum {
    STATUS_COUNT = 0
#define STATUS(name, value, meaning) +1
#include "abi/status.def"
#undef STATUS
};

/* Name of a status without its prefix, for logs and traces; "UNKNOWN" for a number outside the
 * table. The result is a constant string. */
const char *status_name(unsigned status);

/* The sentence that status.def gives for a status; "" for a number outside the table. */
const char *status_meaning(unsigned status);

#endif
