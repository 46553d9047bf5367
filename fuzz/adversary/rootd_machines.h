/* SPDX-License-Identifier: ISC */
/* The machines that rootd_intake boots before the input changes them. */
#ifndef BASALT_FUZZ_ADVERSARY_ROOTD_MACHINES_H
#define BASALT_FUZZ_ADVERSARY_ROOTD_MACHINES_H

#include "props/base/choices.h"

/* Begins the machine that a byte of the input stands for, and draws how its services behave. */
void rootd_machine_draw(struct choices *choices, uint8_t which);

#endif
