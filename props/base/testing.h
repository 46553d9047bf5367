/* SPDX-License-Identifier: ISC */
/* What test programs count. A test that fails is named on a line `FAILED ...` and the program goes
 * on; its last line is `<program>: N passed, M failed`. */
#ifndef BASALT_PROPS_BASE_TESTING_H
#define BASALT_PROPS_BASE_TESTING_H

#include <stdbool.h>
#include <stdint.h>

/* One test; `what` names it. */
void expect(bool holds, const char *what);

/* The same for one of many things that are tested alike, or with a detail. */
void expect_of(const char *subject, const char *what, bool holds);

/* Two numbers, both of which are printed when they differ. */
void expect_equal(uint64_t found, uint64_t wanted, const char *what);

/* A condition that names itself. */
#define EXPECT(condition)          EXPECT_AT(condition, __LINE__)
#define EXPECT_AT(condition, at)   EXPECT_TEXT(condition, at)
#define EXPECT_TEXT(condition, at) expect(condition, __FILE__ ":" #at ": " #condition)

/* Prints the last line. program: argv[0]. Returns what main returns: 0, or 1 when one failed. */
int tests_end(const char *program);

#endif
