/* SPDX-License-Identifier: ISC */
/* The daemon timed: its one state, all zero at first, and its entry point. */
#include "services/timed/timed.h"
#include "services/runtime/entry_code.h"

static struct timed state;

__attribute__((used)) void timed_image_main(void);

HELPER_ENTRY("timed", timed_image_main);

void timed_image_main(void)
{
    timed_run(&state);
}
