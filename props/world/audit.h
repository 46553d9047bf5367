/* SPDX-License-Identifier: ISC */
/* The audit of authority (R1, R4), over the world's last run at READY: the role table, rootd's plan and the
 * kernel's cspaces are the same, slot by slot, nobody reaches what the table does not state, and each line of
 * interrupts goes to whom it states (D3). What the table says is read from abi/roles.def; what a service holds
 * besides, because its work is made of it, is written out by hand in audit.c. */
#ifndef BASALT_PROPS_WORLD_AUDIT_H
#define BASALT_PROPS_WORLD_AUDIT_H

#include <stdint.h>
#include <stdio.h>

/* One line for each finding, "<role> slot <n>: <what>", "<role> line <n>: <what>", or
 * "<role> reaches <type>: ..."; how many. */
unsigned audit_findings(FILE *out);

/* For each process its capabilities, one a line, with the row's reason, and what it reaches by asking and by
 * being handed something. */
void audit_print(FILE *out);

/* The same as a graph in the DOT language: who asks whom, who holds which kernel control, and whom the kernel
 * tells of which line. */
void audit_dot(FILE *out);

#endif
