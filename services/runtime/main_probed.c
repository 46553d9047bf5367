/* SPDX-License-Identifier: ISC */
/* The daemon probed: its one state, all zero at first, and its entry point. */
#include "services/probed/probed.h"
#include "services/runtime/entry_code.h"

static struct probed state;

__attribute__((used)) void probed_image_main(void);

HELPER_ENTRY("probed", probed_image_main);

void probed_image_main(void)
{
    probed_run(&state);
}
