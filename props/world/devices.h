/* SPDX-License-Identifier: ISC */
/* The devices of a world that is not fed with what a metal recorded: COM1 as far as interrupts go, and
 * a few functions of PCI configuration space. */
#ifndef BASALT_PROPS_WORLD_DEVICES_H
#define BASALT_PROPS_WORLD_DEVICES_H

#include <stdbool.h>

struct kernel;

/* As after a reset; the host's reads and writes go to them from now on. */
void devices_begin(void);

/* Whether a device has asked for its line, which is open: the kernel has heard of it then. Each asks
 * once for each time that it has something to tell. */
bool devices_interrupt(struct kernel *kernel);

#endif
