/* SPDX-License-Identifier: ISC */
/* phase0-exit: its argument is its exit code. */
#include "services/probes/probes.h"

uint32_t phase0_exit_main(uint64_t argument)
{
    return (uint32_t)argument;
}
