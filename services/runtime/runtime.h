/* SPDX-License-Identifier: ISC */
/* What the main functions of the image share. Nothing of this is linked on the host. */
#ifndef BASALT_SERVICES_RUNTIME_RUNTIME_H
#define BASALT_SERVICES_RUNTIME_RUNTIME_H

#include <stdint.h>

/* Runs a helper's main and ends the process with its result. */
__attribute__((noreturn)) void helper_start(uint32_t (*helper)(uint64_t argument),
                                            uint64_t argument);

#endif
