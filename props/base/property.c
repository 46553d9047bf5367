/* SPDX-License-Identifier: ISC */
/* Reports a property that does not hold, then aborts. */
#include "props/base/property.h"

#include <stdio.h>
#include <stdlib.h>

#include "props/base/trace.h"

static const char *origin;

void property_origin(const char *reproduce)
{
    origin = reproduce;
}

__attribute__((noreturn)) static void report_end(void)
{
    fflush(stdout);
    if (!trace_enabled())
        fprintf(stderr, "readable trace: %s\n",
                origin ? origin : "./basalt show FILE-OF-THE-INPUT");
    fflush(stderr);
    abort();
}

void property_failed(const char *id, const char *condition, const char *file, int line)
{
    fflush(stdout);
    fprintf(stderr, "property %s does not hold: %s (%s:%d)\n", id, condition, file, line);
    report_end();
}

void property_unequal(const char *id, const char *left_text, unsigned long long left,
                      const char *right_text, unsigned long long right, const char *file, int line)
{
    fflush(stdout);
    fprintf(stderr, "property %s does not hold: %s = %llu (0x%llx), %s = %llu (0x%llx) (%s:%d)\n",
            id, left_text, left, left, right_text, right, right, file, line);
    report_end();
}
