/* SPDX-License-Identifier: ISC */
/* The program phase2-irq-client: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void phase2_irq_client_image_main(uint64_t argument);

HELPER_ENTRY("phase2-irq-client", phase2_irq_client_image_main);

void phase2_irq_client_image_main(uint64_t argument)
{
    helper_start(phase2_irq_client_main, argument);
}
