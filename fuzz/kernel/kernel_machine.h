/* SPDX-License-Identifier: ISC */
/* The parts of the harness kernel_machine that are about time and the serial line. Each draws all that happens to one
 * unit, and resets what it touches. */
#ifndef BASALT_FUZZ_KERNEL_KERNEL_MACHINE_H
#define BASALT_FUZZ_KERNEL_KERNEL_MACHINE_H

#include "fuzz/harness.h"

void machine_scales(struct choices *choices);
void machine_meter(struct choices *choices);
void machine_rate(struct choices *choices);
void machine_turns(struct choices *choices);
void machine_line(struct choices *choices);

#endif
