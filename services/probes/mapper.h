/* SPDX-License-Identifier: ISC */
/* test-mapper: what it does with its argument, and how it ends. test-operator (services/tester) starts
 * it and compares. */
#ifndef BASALT_SERVICES_PROBES_MAPPER_H
#define BASALT_SERVICES_PROBES_MAPPER_H

#include "abi/slots.h"

enum mapper_does {
    MAPPER_EXITS = 1, /* with MAPPER_OK */
    MAPPER_SLEEPS,
    MAPPER_STARTS,  /* waits for its start envelope, as services do, and denies what else comes */
    MAPPER_TOUCHES, /* MAPPER_PAGES pages of its heap: some come out of no guarantee */
    MAPPER_RUNS_OUT, /* touches as many as the boot config lets it have, its own beside: fewer than its role's */
    MAPPER_MAPS /* asks vspaced and the kernel for what they grant and for what they refuse */
};

enum {
    MAPPER_OK = 0x600D, /* all answers were those stated; else the number of the first other one */
    MAPPER_STOPPED = 0x5919, /* that it is stopped with */
    MAPPER_PAGES = 96,
    MAPPER_LOWERED_PAGES = 128, /* its limit in its image (linker/units.ninja) */
    MAPPER_BUDGET_PAGES = 48,   /* kernel memory of the process that it maps for */
    MAPPER_UNTYPED_PAGES = 64,  /* of which that is taken */
    MAPPER_LIMIT_PAGES = 96     /* that the account that pays may have besides */
};

/* What its launcher installs for MAPPER_MAPS: vspaced in SLOT_PEER_VSPACED with pagerd's badge, kernel
 * control over processes in its own slot, and */
enum {
    MAPPER_SLOT_ACCOUNT = SLOT_PEER_MEMD,        /* SEND, TRANSFER */
    MAPPER_SLOT_UNTYPED = SLOT_BOOTSTRAP_UNTYPED /* CONTROL; MAPPER_UNTYPED_PAGES */
};

#endif
