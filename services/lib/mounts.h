/* SPDX-License-Identifier: ISC */
/* How vfsd learns what is mounted where: the calls to vfsd, by the mount rows of the boot config. */
#ifndef BASALT_SERVICES_LIB_MOUNTS_H
#define BASALT_SERVICES_LIB_MOUNTS_H

#include "abi/formats/boot_config.h"
#include "services/lib/caller.h"

/* Tells vfsd the rows in their order, but for those whose bit is set in `left_out`, and seals it.
 * `vfsd_slot` holds an administrator's end. Errors: vfsd's (vfsd.h; NOT_FOUND: nothing is mounted at
 * "/", or a provider is not there), or of a call; INTERNAL when vfsd has another number of mounts
 * than it was told. */
enum status mounts_seed(struct caller *caller, uint32_t vfsd_slot,
                        const struct boot_config_mount *rows, uint32_t count, uint64_t left_out,
                        uint64_t deadline_ticks);

#endif
