/* SPDX-License-Identifier: ISC */
/* Counts steps and runs an input again. Knows nothing of what is looked at. */
#include "props/base/oracle.h"

#include <stdio.h>

#include "props/base/digest.h"

static unsigned stride_wanted;

static struct {
    const uint8_t *bytes;
    size_t size_bytes;
    int (*run)(const uint8_t *bytes, size_t size_bytes);
    unsigned stride;
    unsigned steps_left; /* to the next look */
    bool due;
    bool skipped; /* some step was not looked at */
    bool again;   /* it runs again: it has failed once */
} input = {.due = true};

void oracle_defer(unsigned stride)
{
    stride_wanted = stride;
}

void oracle_begin(const uint8_t *bytes, size_t size_bytes,
                  int (*run)(const uint8_t *bytes, size_t size_bytes))
{
    input.bytes = bytes;
    input.size_bytes = size_bytes;
    input.run = run;
    input.stride = input.again ? 0 : stride_wanted;
    input.steps_left = input.stride;
    input.due = input.stride <= 1;
    input.skipped = false;
}

bool oracle_step(void)
{
    if (input.stride <= 1)
        return true;
    input.due = --input.steps_left == 0;
    input.skipped |= !input.due;
    if (input.due)
        input.steps_left = input.stride;
    return input.due;
}

bool oracle_due(void)
{
    return input.due;
}

void oracle_look(void)
{
    input.due = true;
}

bool oracle_deferred(void)
{
    return input.stride != 0;
}

void oracle_again(void)
{
    if (!input.skipped || input.again)
        return;
    input.again = true;
    fflush(stdout);
    fprintf(stderr, "a check fails; the input runs again with every check on\n");
    input.run(input.bytes, input.size_bytes);
    fprintf(stderr, "with every check on nothing fails; what failed before:\n");
}

void digest_looked(uint64_t value)
{
    if (input.stride == 0)
        digest_u64(value);
}
