/* SPDX-License-Identifier: ISC */
/* Counts tests and names those that fail. */
#include "props/base/testing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static unsigned passed_count;
static unsigned failed_count;

void expect(bool holds, const char *what)
{
    expect_of("", what, holds);
}

void expect_of(const char *subject, const char *what, bool holds)
{
    if (holds) {
        passed_count++;
        return;
    }
    failed_count++;
    printf("FAILED %s%s%s\n", subject, subject[0] != '\0' ? ": " : "", what);
}

void expect_equal(uint64_t found, uint64_t wanted, const char *what)
{
    expect(found == wanted, what);
    if (found != wanted)
        printf("       found %" PRIu64 ", wanted %" PRIu64 "\n", found, wanted);
}

int tests_end(const char *program)
{
    const char *slash = strrchr(program, '/');
    printf("%s: %u passed, %u failed\n", slash != NULL ? slash + 1 : program, passed_count,
           failed_count);
    return failed_count == 0 ? 0 : 1;
}
