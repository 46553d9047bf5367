/* SPDX-License-Identifier: ISC */
/* The daemon imagefsd: its one state, all zero at first, and its entry point. */
#include "abi/address_space.h"
#include "services/ramfsd/ramfsd.h"
#include "services/runtime/entry_code.h"

static struct ramfsd state;

__attribute__((used)) void imagefsd_image_main(uint64_t archive_bytes);

HELPER_ENTRY("imagefsd", imagefsd_image_main);

void imagefsd_image_main(uint64_t archive_bytes)
{
    imagefsd_run(&state, (void *)HEAP_WINDOW_VA, (const uint8_t *)DATA_VA, archive_bytes);
}
