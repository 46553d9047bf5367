/* SPDX-License-Identifier: ISC */
/* The daemon ramfsd: its one state, all zero at first, and its entry point. */
#include "abi/address_space.h"
#include "services/ramfsd/ramfsd.h"
#include "services/runtime/entry_code.h"

static struct ramfsd state;

__attribute__((used)) void ramfsd_image_main(void);

HELPER_ENTRY("ramfsd", ramfsd_image_main);

void ramfsd_image_main(void)
{
    ramfsd_run(&state, (void *)HEAP_WINDOW_VA);
}
