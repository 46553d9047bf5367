/* SPDX-License-Identifier: ISC */
/* A property that is false (T1): "a sum is never below its first term", in 8 bits. The random
 * runner must refute it. */
#include "fuzz/harness.h"

const char harness_name[] = "canary_property";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    uint8_t first = choices_u8(&choices);
    uint8_t second = choices_u8(&choices);
    uint8_t sum = (uint8_t)(first + second);
    TRACE("canary %u + %u = %u", first, second, sum);
    digest_u64(sum);
    PROPERTY(T1, "canary-property", sum >= first);
    return 0;
}
