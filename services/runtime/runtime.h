/* SPDX-License-Identifier: ISC */
/* What the main functions of the image share. Nothing of this is linked on the host. */
#ifndef BASALT_SERVICES_RUNTIME_RUNTIME_H
#define BASALT_SERVICES_RUNTIME_RUNTIME_H

#include <stdint.h>

/* Ends the process by EXIT on its SELF capability. Should the kernel refuse that, an invalid
 * instruction ends it. */
__attribute__((noreturn)) void runtime_exit(uint32_t code);

/* Runs a helper's main and ends the process with its result. */
__attribute__((noreturn)) void helper_start(uint32_t (*helper)(uint64_t argument),
                                            uint64_t argument);

#endif
