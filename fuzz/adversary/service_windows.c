/* SPDX-License-Identifier: ISC */
/* The same services against peers that deliver capabilities which nobody asked for, and fewer or other
 * ones than their rows say, with requests, answers and refusals. The book of what the service holds is
 * kept beside it: what comes with an answer that is none is dropped before anything else, a window is
 * empty when it is offered again, and after each message the service holds what its own books name
 * and nothing more: no capability leaks, and none of its own goes with those that it drops. */
#include "fuzz/adversary/services.h"

const char harness_name[] = "service_windows";
MARKS(16, 18);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    services_adversary(&choices, true);
    return 0;
}
