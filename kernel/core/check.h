/* SPDX-License-Identifier: ISC */
/* The parts of kernel_check: each gives null, or the sentence that does not hold. */
#ifndef BASALT_KERNEL_CORE_CHECK_H
#define BASALT_KERNEL_CORE_CHECK_H

#include "kernel/core/cspace.h"
#include "kernel/core/vspace.h"

#define CHECK(condition, sentence)                                                                 \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return sentence;                                                                       \
    } while (0)

/* Pools, records and mappings; to be called after check_cspaces, which counts capabilities. */
const char *check_memory(struct kernel *kernel);
const char *check_cspaces(struct kernel *kernel);

#endif
