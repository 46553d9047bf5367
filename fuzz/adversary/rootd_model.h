/* SPDX-License-Identifier: ISC */
/* What rootd must make of the machine of peers_of_rootd.h: whether it accepts what it was given, and
 * what comes out of the launch graph. */
#ifndef BASALT_FUZZ_ADVERSARY_ROOTD_MODEL_H
#define BASALT_FUZZ_ADVERSARY_ROOTD_MODEL_H

#include <stdbool.h>

#include "abi/formats/boot_config.h"
#include "abi/formats/handoff.h"

struct rootd_model {
    struct handoff handoff;
    struct boot_config config;
    uint64_t failed; /* entries that are passed over, or fail the boot: bits by their index */
    enum status
        causes[BOOT_CONFIG_ENTRY_LIMIT]; /* why; OK: it did not, or for one of several reasons */
    uint64_t
        not_mounted; /* mounts of what was passed over, by their index, when vfsd is told of any */
    bool vfsd_is_told;
    bool ready; /* no required one is among them, and procd answers */
};

extern struct rootd_model rootd_model;

/* Whether handoff, cspace, config and modules are as agreed; fills in handoff and config. */
bool rootd_model_accepts(uint32_t root_endpoint_slot);

/* What must have come out of an accepted boot among peers that do not lie: fills in failed, causes and
 * ready. After the boot: how often a service was asked for READY is what the peers saw. */
void rootd_model_predict(void);

#endif
