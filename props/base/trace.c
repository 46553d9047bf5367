/* SPDX-License-Identifier: ISC */
/* Prints trace lines. Never changes what a harness does. */
#include "props/base/trace.h"

#include <stdarg.h>

bool trace_on;
bool trace_expects;
static FILE *target;

void trace_enable(bool on)
{
    trace_on = on;
}

void trace_into(FILE *stream)
{
    target = stream;
}

void trace_line(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    FILE *stream = target != NULL ? target : stdout;
    vfprintf(stream, format, arguments);
    va_end(arguments);
    fputc('\n', stream);
    fflush(stream);
}
