/* SPDX-License-Identifier: ISC */
/* The heap window of ramfsd and imagefsd, and which of its pages, and of the archive's, they touched
 * before they served. */
#ifndef BASALT_FUZZ_ADVERSARY_SERVICES_MEMORY_H
#define BASALT_FUZZ_ADVERSARY_SERVICES_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "services/ramfsd/ramfsd.h"

extern uint8_t services_memory[RAMFSD_MEMORY_BYTES];

/* Nothing was touched. */
void services_memory_begin(void);

/* A page that was not touched, of the memory from a page on or of the archive; null: there is none. */
const char *services_memory_untouched(uint32_t from_page, size_t archive_bytes);

/* A daemon, and what it has used of the memory, is zero again. */
void services_memory_end(struct ramfsd *ramfsd);

#endif
