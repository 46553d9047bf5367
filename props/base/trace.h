/* SPDX-License-Identifier: ISC */
/* The readable trace of an input: printed only when somebody asked, and free of cost otherwise. */
#ifndef BASALT_PROPS_BASE_TRACE_H
#define BASALT_PROPS_BASE_TRACE_H

#include <stdbool.h>
#include <stdio.h>

extern bool trace_on;

void trace_enable(bool on);

/* Where the lines go from now on; null: standard output. */
void trace_into(FILE *stream);

static inline bool trace_enabled(void)
{
    return trace_on;
}

/* Whether the statuses that a .trace file expects are checked. Off for every other input: a fuzzer
 * mutates the steps before an expectation. */
extern bool trace_expects;

/* One line on standard output, or where trace_into() says; the newline is added. */
__attribute__((format(printf, 1, 2))) void trace_line(const char *format, ...);

/* Arguments are evaluated only when the trace is on. */
#define TRACE(...)                                                                                 \
    do {                                                                                           \
        if (trace_enabled())                                                                       \
            trace_line(__VA_ARGS__);                                                               \
    } while (0)

#endif
