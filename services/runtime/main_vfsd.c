/* SPDX-License-Identifier: ISC */
/* The daemon vfsd: its one state, all zero at first, and its entry point. */
#include "services/vfsd/vfsd.h"
#include "services/runtime/entry_code.h"

static struct vfsd state;

__attribute__((used)) void vfsd_image_main(void);

HELPER_ENTRY("vfsd", vfsd_image_main);

void vfsd_image_main(void)
{
    vfsd_run(&state);
}
