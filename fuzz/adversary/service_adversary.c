/* SPDX-License-Identifier: ISC */
/* One service, chosen by the first byte, against a kernel and peers that say anything: refusals in
 * the middle of an operation, replies of the wrong shape, capabilities nobody asked for, time that
 * jumps. There is nothing to predict; what the service promises on its own must hold all the same:
 * its state is consistent after every turn, each call is answered at most once and in bounded work,
 * every request it makes is well formed. */
#include "fuzz/adversary/services.h"

const char harness_name[] = "service_adversary";
MARKS(16, 6);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    services_adversary(&choices, false);
    return 0;
}
