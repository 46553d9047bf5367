/* SPDX-License-Identifier: ISC */
/* The daemon deviced: its one state, all zero at first, and its entry point. */
#include "services/deviced/deviced.h"
#include "services/runtime/entry_code.h"

static struct deviced state;

__attribute__((used)) void deviced_image_main(void);

HELPER_ENTRY("deviced", deviced_image_main);

void deviced_image_main(void)
{
    deviced_run(&state);
}
