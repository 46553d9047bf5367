/* SPDX-License-Identifier: ISC */
/* What lies where in the address space of a process that a pager backs. Code, data and stack lie
 * where the ELF file says; the rest is fixed here, so that procd registers it, pagerd backs it and
 * the probes find it.
 *
 *   ... segments | guard |          ... | guard | heap window | guard | ...
 *                ^ stack_top                    ^ HEAP_WINDOW_VA
 *
 * A program whose ELF file has no stack is given one:
 *
 *   ... segments |               ... | stack | guard | heap window | guard | ...
 *                                    ^ STACK_VA      ^ HEAP_WINDOW_VA
 *
 * The tables of a service that has a row in abi/tables.def lie at SERVICE_TABLE_VA, all there from
 * its start on.
 *
 * A module of the boot image that a role's DATA row names lies at DATA_VA, read-only.
 *
 * The heap window is anonymous and demand-zero. Every role but those of the foundation has one; how
 * much of it a process can really touch is bounded by its account. */
#ifndef BASALT_ABI_ADDRESS_SPACE_H
#define BASALT_ABI_ADDRESS_SPACE_H

#include <stdint.h>

#include "abi/limits.h"

#define HEAP_WINDOW_VA    UINT64_C(0x0000001000000000)
#define HEAP_WINDOW_BYTES (UINT64_C(1024) * PAGE_BYTES)
#define SERVICE_TABLE_VA  UINT64_C(0x0000002000000000)
#define DATA_VA           UINT64_C(0x0000003000000000)
#define GUARD_BYTES       UINT64_C(4096) /* of each guard: one page */

/* The heap window with the guard on either side. */
#define HEAP_ZONE_VA    (HEAP_WINDOW_VA - GUARD_BYTES)
#define HEAP_ZONE_BYTES (HEAP_WINDOW_BYTES + 2 * GUARD_BYTES)

/* The stack of who brings none: above it is the guard of the heap, below it what belongs to nobody,
 * as it is below a stack that the ELF file has. */
#define STACK_VA (HEAP_ZONE_VA - STACK_RESERVE_BYTES)

_Static_assert(GUARD_BYTES == PAGE_BYTES, "a guard is one page");
_Static_assert(SERVICE_TABLE_VA > HEAP_ZONE_VA + HEAP_ZONE_BYTES, "tables lie behind the heap");
_Static_assert(DATA_VA > SERVICE_TABLE_VA + (UINT64_C(1) << 32), "data lies behind the tables");
_Static_assert(DATA_VA + (UINT64_C(1) << 32) < USER_VA_END, "there is room for any module");
_Static_assert(HEAP_WINDOW_VA % PAGE_BYTES == 0, "windows are page aligned");

#endif
