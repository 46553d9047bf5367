/* SPDX-License-Identifier: ISC */
/* A harness that forgets to reset (T1): the second input sees what the first one left. Replaying
 * forward and in reverse must give different digests, and the replayer must say so. */
#include "fuzz/harness.h"

const char harness_name[] = "canary_leak";

static uint64_t never_reset;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    never_reset = never_reset * 31 + choices_u8(&choices);
    digest_u64(never_reset);
    return 0;
}
