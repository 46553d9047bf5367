/* SPDX-License-Identifier: ISC */
/* The daemon seriald: its one state, all zero at first, and its entry point. */
#include "services/seriald/seriald.h"
#include "services/runtime/entry_code.h"

static struct seriald state;

__attribute__((used)) void seriald_image_main(void);

HELPER_ENTRY("seriald", seriald_image_main);

void seriald_image_main(void)
{
    seriald_run(&state);
}
