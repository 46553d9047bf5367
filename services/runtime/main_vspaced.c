/* SPDX-License-Identifier: ISC */
/* The daemon vspaced: its one state, all zero at first, and its entry point. */
#include "abi/address_space.h"
#include "services/vspaced/vspaced.h"
#include "services/runtime/entry_code.h"

static struct vspaced state;

__attribute__((used)) void vspaced_image_main(void);

SERVICE_ENTRY("vspaced", vspaced_image_main);

void vspaced_image_main(void)
{
    vspaced_run(&state, (void *)SERVICE_TABLE_VA); /* where procd built it */
}
