/* SPDX-License-Identifier: ISC */
/* test-spin: computes for ever. Whoever shares the processor with it must not notice (K5). */
#include "abi/user_memory.h"
#include "services/probes/probes.h"

__attribute__((noreturn)) uint32_t test_spin_main(uint64_t argument)
{
    (void)argument;
    for (;;)
        user_spin();
}
