/* SPDX-License-Identifier: ISC */
/* The daemon crashd: its one state, all zero at first, and its entry point. */
#include "services/crashd/crashd.h"
#include "services/runtime/entry_code.h"

static struct crashd state;

__attribute__((used)) void crashd_image_main(void);

HELPER_ENTRY("crashd", crashd_image_main);

void crashd_image_main(void)
{
    crashd_run(&state);
}
