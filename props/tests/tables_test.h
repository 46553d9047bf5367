/* SPDX-License-Identifier: ISC */
/* The parts of tables_test. */
#ifndef BASALT_PROPS_TESTS_TABLES_TEST_H
#define BASALT_PROPS_TESTS_TABLES_TEST_H

void test_masks(void);

#endif
