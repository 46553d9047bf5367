/* SPDX-License-Identifier: ISC */
/* phase0-fault-kill: makes the forbidden access that its argument names (expectations.h). Each ends
 * it with a typed reason, and nobody else with it (G3, K5). */
#include "abi/user_memory.h"
#include "services/probes/expectations.h"
#include "services/probes/layout.h"
#include "services/probes/probes.h"

/* Execution of data that is there: a word of data is loaded first, so that the page is mapped and
 * the refusal is about the right, not about the page. */
static void execute_data(void)
{
    if (user_load64(PROBE_DATA_VA) != 0)
        user_exec(PROBE_DATA_VA);
}

uint32_t phase0_fault_kill_main(uint64_t argument)
{
    switch (argument) {
    case FAULT_KILL_WILD_WRITE:
        user_store64(PROBE_WILD_VA, 1);
        break;
    case FAULT_KILL_CODE_WRITE:
        user_store64(HELPER_TEXT_VA, 0);
        break;
    case FAULT_KILL_DATA_EXEC:
        execute_data();
        break;
    case FAULT_KILL_NULL:
        (void)user_load64(PROBE_NULL_VA);
        break;
    case FAULT_KILL_GUARD:
        user_store64(PROBE_GUARD_VA, 1);
        break;
    default:
        break;
    }
    return FAULT_KILL_SURVIVED;
}
