/* SPDX-License-Identifier: ISC */
/* A harness that does nothing: what an engine costs by itself. `./basalt bench` divides by it. */
#include "fuzz/harness.h"

const char harness_name[] = "empty";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    digest_u64(choices_left(&choices));
    return 0;
}
