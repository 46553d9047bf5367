/* SPDX-License-Identifier: ISC */
/* The program attack-child: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void attack_child_image_main(uint64_t argument);

HELPER_ENTRY("attack-child", attack_child_image_main);

void attack_child_image_main(uint64_t argument)
{
    helper_start(attack_child_main, argument);
}
