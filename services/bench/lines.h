/* SPDX-License-Identifier: ISC */
/* What a program that measures says on the log, for `./basalt bench` to read:
 *
 *   BENCH:<name>:<minimum>:<median>:<p90>     a row; cycles, unless the program's page says otherwise
 *   BENCH:END                                 every row was printed
 *   BENCH:FAILED:<name>:<status>              what is measured did not work; nothing more follows */
#ifndef BASALT_SERVICES_BENCH_LINES_H
#define BASALT_SERVICES_BENCH_LINES_H

#include "services/bench/bench.h"
#include "services/lib/log_line.h"

/* The line of a row. */
void bench_line_row(struct caller *caller, const char *name, const struct figure *figure);

/* The last line; failed: the row that could not be measured, null when all could. */
void bench_line_end(struct caller *caller, const char *failed, enum status cause);

#endif
