/* SPDX-License-Identifier: ISC */
/* A harness that must fail (T1): when the engines cannot find this in seconds, or the replayer
 * passes the committed input that shows it, the machinery is blind and `test` says so. */
#include "fuzz/harness.h"

const char harness_name[] = "canary";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    unsigned depth = 0;
    while (depth < 4 && choices_u8(&choices) == (uint8_t) "bird"[depth])
        depth++;
    TRACE("canary depth %u", depth);
    digest_u64(depth);
    PROPERTY(T1, "canary", depth < 4);
    return 0;
}
