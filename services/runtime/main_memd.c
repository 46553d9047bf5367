/* SPDX-License-Identifier: ISC */
/* The daemon memd: its one state, all zero at first, and its entry point. */
#include "abi/address_space.h"
#include "services/memd/memd.h"
#include "services/runtime/entry_code.h"

static struct memd state;

__attribute__((used)) void memd_image_main(void);

SERVICE_ENTRY("memd", memd_image_main);

void memd_image_main(void)
{
    memd_run(&state, (void *)SERVICE_TABLE_VA); /* where procd built it */
}
