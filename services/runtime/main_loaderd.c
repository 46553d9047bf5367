/* SPDX-License-Identifier: ISC */
/* The daemon loaderd: its one state, all zero at first, and its entry point. */
#include "services/loaderd/loaderd.h"
#include "services/runtime/entry_code.h"

static struct loaderd state;

__attribute__((used)) void loaderd_image_main(void);

HELPER_ENTRY("loaderd", loaderd_image_main);

void loaderd_image_main(void)
{
    loaderd_run(&state);
}
