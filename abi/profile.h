/* SPDX-License-Identifier: ISC */
/* Validation profiles: which checks of the system run after READY (boot config, start envelope).
 * `none` is published for runtime images, phase profile ids for integration images. Ours are `hostile`
 * and `attacks`: all of phase0, and programs that try to do harm; `graph`: services whose launches
 * are tested; and `console`: the runtime image and a shell on the serial line. */
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
    VALIDATION_PROFILE_LAST = VALIDATION_PROFILE_CONSOLE
};

/* True for a profile id of this version; every other number is refused by the parsers. */
static inline bool validation_profile_known(uint32_t profile)
{
    return profile <= VALIDATION_PROFILE_LAST;
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
