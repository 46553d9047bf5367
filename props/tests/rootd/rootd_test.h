/* SPDX-License-Identifier: ISC */
/* What the files of rootd's test program share. */
#ifndef BASALT_PROPS_TESTS_ROOTD_ROOTD_TEST_H
#define BASALT_PROPS_TESTS_ROOTD_ROOTD_TEST_H

#include "props/base/testing.h"
#include "props/stand_ins/peers_of_rootd.h"

extern struct rootd rootd;

/* A machine that has just started rootd; no call fails. */
void fresh(uint32_t profile);

/* Handoff, intake and plan on the machine as it is. */
enum rootd_status prepare(void);

/* A fresh machine whose services are optional, or not. */
void fresh_graph(uint32_t profile, bool optional);

/* The whole boot. */
enum rootd_status run(void);

/* The same, which must end so, with nothing changed. */
void expect_prepare(enum rootd_status status, enum status cause, const char *what);

void test_plan(void);
void test_config(void);
void test_graph(void);

#endif
