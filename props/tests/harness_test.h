/* SPDX-License-Identifier: ISC */
/* Parts of harness_test. */
#ifndef BASALT_PROPS_TESTS_HARNESS_TEST_H
#define BASALT_PROPS_TESTS_HARNESS_TEST_H

void harness_test_steps(void);

#endif
