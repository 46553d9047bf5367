/* SPDX-License-Identifier: ISC */
/* The daemon named: its one state, all zero at first, and its entry point. */
#include "services/named/named.h"
#include "services/runtime/entry_code.h"

static struct named state;

__attribute__((used)) void named_image_main(void);

HELPER_ENTRY("named", named_image_main);

void named_image_main(void)
{
    named_run(&state);
}
