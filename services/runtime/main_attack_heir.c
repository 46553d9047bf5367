/* SPDX-License-Identifier: ISC */
/* The program attack-heir: its entry point. It does what attack-client does. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void attack_heir_image_main(uint64_t argument);

HELPER_ENTRY("attack-heir", attack_heir_image_main);

void attack_heir_image_main(uint64_t argument)
{
    helper_start(attack_client_main, argument);
}
