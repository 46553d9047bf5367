/* SPDX-License-Identifier: ISC */
/* The programs that the world can run: the name an image carries, and the unit behind it. */
#ifndef BASALT_PROPS_WORLD_PROGRAMS_H
#define BASALT_PROPS_WORLD_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct program {
    const char *name;
    size_t state_bytes;  /* zeroed memory that `run` gets; 0 for a helper */
    uint32_t table_role; /* whose tables it gets as well (abi/tables.def); 0: none */
    void (*run)(void *state, void *table); /* a service */
    uint32_t (*helper)(uint64_t argument); /* or a helper: its result is its exit code */
};

/* The program of that name; null when there is none. */
const struct program *program_find(const char *name);

/* Whether its pages come by faults: of the foundation all are there. */
bool program_is_paged(const char *name);

#endif
