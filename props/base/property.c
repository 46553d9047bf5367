/* SPDX-License-Identifier: ISC */
/* Reports a property or a unit's assertion that does not hold, then aborts. */
#include "props/base/property.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/assert.h"
#include "props/base/trace.h"

static const char *const names[PROPERTY_COUNT] = {
#define PROPERTY_FAMILY(letter, title)
#define PROPERTY_ROW(id, sentence) [PROPERTY_##id] = #id,
#include "props/properties.def"
#undef PROPERTY_ROW
#undef PROPERTY_FAMILY
};

static void (*context)(void);

void property_context(void (*say)(void))
{
    context = say;
}

static void report_begin(void)
{
    fflush(stdout);
    if (context != NULL)
        context();
}

enum property property_find(const char *name)
{
    unsigned id = 0;
    while (id < PROPERTY_COUNT && strcmp(names[id], name) != 0)
        id++;
    return (enum property)id;
}

__attribute__((noreturn)) static void report_end(void)
{
    if (!trace_enabled())
        fprintf(stderr, "readable trace: ./basalt show FILE-OF-THE-INPUT\n");
    fflush(stderr);
    abort();
}

static void report_name(enum property id, const char *detail)
{
    report_begin();
    fprintf(stderr, "property %s%s%s does not hold: ", names[id], detail[0] != '\0' ? "-" : "",
            detail);
}

void property_failed(enum property id, const char *detail, const char *condition, const char *file,
                     int line)
{
    report_name(id, detail);
    fprintf(stderr, "%s (%s:%d)\n", condition, file, line);
    report_end();
}

void property_unequal(enum property id, const char *detail, const char *left_text,
                      unsigned long long left, const char *right_text, unsigned long long right,
                      const char *file, int line)
{
    report_name(id, detail);
    fprintf(stderr, "%s = %llu (0x%llx), %s = %llu (0x%llx) (%s:%d)\n", left_text, left, left,
            right_text, right, right, file, line);
    report_end();
}

void harness_failed(const char *condition, const char *file, int line)
{
    report_begin();
    fprintf(stderr, "harness does not hold: %s (%s:%d)\n", condition, file, line);
    report_end();
}

void unit_assert_failed(const char *condition, const char *file, int line)
{
    fflush(stdout);
    fprintf(stderr, "assertion does not hold: %s (%s:%d)\n", condition, file, line);
    report_end();
}
