/* SPDX-License-Identifier: ISC */
/* The daemon irqd: its one state, all zero at first, and its entry point. */
#include "services/irqd/irqd.h"
#include "services/runtime/entry_code.h"

static struct irqd state;

__attribute__((used)) void irqd_image_main(void);

HELPER_ENTRY("irqd", irqd_image_main);

void irqd_image_main(void)
{
    irqd_run(&state);
}
