/* SPDX-License-Identifier: ISC */
/* Validation profiles: which checks of the system run after READY (boot config, start envelope).
 * `none` is published for runtime images, phase profile ids for integration images. Ours are `hostile`
 * and `attacks`: all of phase0, and programs that try to do harm; `graph`: services whose launches
 * are tested; `console`: the runtime image and a shell on the serial line; and `files`: file services and
 * a client of them. The five of phase 4 run programs from files. */
#ifndef BASALT_ABI_PROFILE_H
#define BASALT_ABI_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

enum validation_profile {
    VALIDATION_PROFILE_NONE = 0,
    VALIDATION_PROFILE_PHASE0 = 1,
    VALIDATION_PROFILE_HOSTILE = 2,
    VALIDATION_PROFILE_ATTACKS = 3,
    VALIDATION_PROFILE_GRAPH = 4,
    VALIDATION_PROFILE_CONSOLE = 5,
    VALIDATION_PROFILE_FILES = 6,
    VALIDATION_PROFILE_PHASE4_LOADER_CONTRACT = 7,
    VALIDATION_PROFILE_PHASE4_LOADER_FS_DISCOVERY = 8,
    VALIDATION_PROFILE_PHASE4_LOADER_MATERIALIZED_LAUNCH = 9,
    VALIDATION_PROFILE_PHASE4_LOADER_CLEANUP_AUTHORITY = 10,
    VALIDATION_PROFILE_PHASE4_LOADER_CLOSURE = 11,
    VALIDATION_PROFILE_LAST = VALIDATION_PROFILE_PHASE4_LOADER_CLOSURE
};

/* True for a profile id of this version; every other number is refused by the parsers. */
static inline bool validation_profile_known(uint32_t profile)
{
    return profile <= VALIDATION_PROFILE_LAST;
}

/* Whether it is one of those whose image runs programs from files. */
static inline bool validation_profile_loads(uint32_t profile)
{
    return profile >= VALIDATION_PROFILE_PHASE4_LOADER_CONTRACT &&
           profile <= VALIDATION_PROFILE_PHASE4_LOADER_CLOSURE;
}

/* Whether the kernel reports what becomes of each process (the published ERIX_KERNEL:PROCD_DEBUG, of
 * smoke images alone: ours is the image of profile phase0). */
static inline bool validation_profile_reports_lives(uint32_t profile)
{
    return profile == VALIDATION_PROFILE_PHASE0;
}

/* Whether the system goes on after READY; images of all other profiles end there. */
static inline bool validation_profile_stays(uint32_t profile)
{
    return profile == VALIDATION_PROFILE_NONE || profile == VALIDATION_PROFILE_CONSOLE;
}

#endif
