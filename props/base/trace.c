/* SPDX-License-Identifier: ISC */
/* Prints trace lines. Never changes what a harness does. */
#include "props/base/trace.h"

#include <stdarg.h>
#include <stdio.h>

bool trace_on;
bool trace_expects;

void trace_enable(bool on)
{
    trace_on = on;
}

void trace_line(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}
