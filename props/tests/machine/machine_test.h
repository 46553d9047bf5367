/* SPDX-License-Identifier: ISC */
/* Parts of machine_test. */
#ifndef BASALT_PROPS_TESTS_MACHINE_TEST_H
#define BASALT_PROPS_TESTS_MACHINE_TEST_H

#include <stdint.h>

/* The same numbers in every run. */
uint64_t random_below(uint64_t limit);

void machine_test_spans(void);
void machine_test_log(void);
void machine_test_line(void);
void machine_test_meter(void);
void machine_test_rate(void);
void machine_test_start(void);

#endif
