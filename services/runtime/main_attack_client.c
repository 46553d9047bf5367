/* SPDX-License-Identifier: ISC */
/* The program attack-client: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void attack_client_image_main(uint64_t argument);

HELPER_ENTRY("attack-client", attack_client_image_main);

void attack_client_image_main(uint64_t argument)
{
    helper_start(attack_client_main, argument);
}
