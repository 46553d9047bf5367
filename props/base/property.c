/* SPDX-License-Identifier: ISC */
/* Reports a property or a unit's assertion that does not hold, then aborts. No function stands on
 * the stack at abort() whose name says nothing (property.h). */
#include "props/base/property.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/assert.h"
#include "props/base/endings.h"
#include "props/base/oracle.h"
#include "props/base/trace.h"

static const char *const names[PROPERTY_COUNT + 1] = {
#define PROPERTY_FAMILY(letter, title)
#define PROPERTY_ROW(id, sentence) [PROPERTY_##id] = #id,
#include "props/properties.def"
#undef PROPERTY_ROW
    [PROPERTY_COUNT] = "of no row",
};

static void (*context)(void);
static const uint16_t *context_operation;

void property_context(void (*say)(void), const uint16_t *operation)
{
    context = say;
    context_operation = operation;
}

static void report_begin(void)
{
    oracle_again();
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

/* All is said: what the reporting function calls itself. */
static ending report_end(void)
{
    if (!trace_enabled())
        fprintf(stderr, "readable trace: ./basalt show FILE-OF-THE-INPUT\n");
    fflush(stderr);
    return ending_during(context_operation == NULL ? 0 : *context_operation);
}

static void report_name(enum property id, const char *detail)
{
    report_begin();
    fprintf(stderr, "property %s%s%s does not hold: ", names[id], detail[0] != '\0' ? "-" : "",
            detail);
}

static ending report_failed(enum property id, const char *detail, const char *condition,
                            const char *file, int line)
{
    report_name(id, detail);
    fprintf(stderr, "%s (%s:%d)\n", condition, file, line);
    return report_end();
}

static ending report_unequal(enum property id, const char *detail, const char *left_text,
                             unsigned long long left, const char *right_text,
                             unsigned long long right, const char *file, int line)
{
    report_name(id, detail);
    fprintf(stderr, "%s = %llu (0x%llx), %s = %llu (0x%llx) (%s:%d)\n", left_text, left, left,
            right_text, right, right, file, line);
    return report_end();
}

#define PROPERTY_ROW(id, sentence)                                                                 \
    ENDING_FRAME PROPERTY_FAILS(property_##id##_fails)                                             \
    {                                                                                              \
        report_failed(PROPERTY_##id, detail, condition, file, line)();                             \
    }                                                                                              \
    ENDING_FRAME PROPERTY_DIFFERS(property_##id##_differs)                                         \
    {                                                                                              \
        report_unequal(PROPERTY_##id, detail, left_text, left, right_text, right, file, line)();   \
    }
#include "props/properties.def"
__attribute__((noreturn)) static PROPERTY_FAILS(property_COUNT_fails);
__attribute__((noreturn)) static PROPERTY_DIFFERS(property_COUNT_differs);
PROPERTY_ROW(COUNT, "a unit named an id that has no row")
#undef PROPERTY_ROW

#define PROPERTY_ROW(id, sentence) [PROPERTY_##id] = property_##id##_fails,
PROPERTY_FAILS((*const property_fails_of[PROPERTY_COUNT + 1])) = {
#include "props/properties.def"
    PROPERTY_ROW(COUNT, "")};
#undef PROPERTY_ROW

#define PROPERTY_ROW(id, sentence) [PROPERTY_##id] = property_##id##_differs,
PROPERTY_DIFFERS((*const property_differs_of[PROPERTY_COUNT + 1])) = {
#include "props/properties.def"
    PROPERTY_ROW(COUNT, "")};
#undef PROPERTY_ROW
#undef PROPERTY_FAMILY

void harness_failed(const char *condition, const char *file, int line)
{
    report_begin();
    fprintf(stderr, "harness does not hold: %s (%s:%d)\n", condition, file, line);
    report_end()();
}

void unit_assert_failed(const char *condition, const char *file, int line)
{
    oracle_again();
    fflush(stdout);
    fprintf(stderr, "assertion does not hold: %s (%s:%d)\n", condition, file, line);
    report_end()();
}
