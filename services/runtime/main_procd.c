/* SPDX-License-Identifier: ISC */
/* The daemon procd: its one state, all zero at first, and its entry point. */
#include "services/procd/procd.h"
#include "services/runtime/entry_code.h"

static struct procd state;

__attribute__((used)) void procd_image_main(void);

SERVICE_ENTRY("procd", procd_image_main);

void procd_image_main(void)
{
    procd_run(&state);
}
