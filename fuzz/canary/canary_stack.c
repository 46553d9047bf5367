/* SPDX-License-Identifier: ISC */
/* Fails in each way that a harness can, during an operation that the input names: for the names on the
 * stack, which tell failures apart (props/base/property.h). */
#include <stddef.h>

#include "abi/assert.h"
#include "fuzz/harness.h"

const char harness_name[] = "canary_stack";

static uint16_t operation;

static void say_nothing(void)
{
}

static void fail(uint8_t way)
{
    switch (way) {
    case 0:
        PROPERTY(T1, "stack", way != 0);
        return;
    case 1:
        PROPERTY_EQUAL(T1, "stack", way, 0);
        return;
    case 2:
        property_fails_of[property_find("T2")]("stack", "way != 2", __FILE__, __LINE__);
        return;
    case 3:
        property_differs_of[property_find("?")]("stack", "way", way, "2", 2, __FILE__, __LINE__);
        return;
    case 4:
        HARNESS(way != 4);
        return;
    default:
        UNIT_ASSERT(way < 5);
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    if (size_bytes != 3)
        return 0;
    operation = choices_u16(&choices);
    property_context(say_nothing, &operation);
    fail(choices_u8(&choices));
    return 0;
}
