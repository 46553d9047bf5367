/* SPDX-License-Identifier: ISC */
/* The daemon pagerd: its one state, all zero at first, and its entry point. */
#include "services/pagerd/pagerd.h"
#include "services/runtime/entry_code.h"

static struct pagerd state;

__attribute__((used)) void pagerd_image_main(void);

SERVICE_ENTRY("pagerd", pagerd_image_main);

void pagerd_image_main(void)
{
    pagerd_run(&state);
}
