/* SPDX-License-Identifier: ISC */
/* How often each operation of the abi's tables was accepted and refused in a run: by the service whose
 * table it is, as its caller learned it. A nonsense request that another service refuses does not
 * count, and neither does one that never arrived. */
#ifndef BASALT_PROPS_WORLD_OPERATIONS_H
#define BASALT_PROPS_WORLD_OPERATIONS_H

#include <stdint.h>
#include <stdio.h>

#include "abi/message.h"

/* Forgets what was counted. */
void operations_start(void);

/* A CALL came back with an answer. `service`: of which program it is, or "kernel"; "" when that had not
 * begun to run, as when it is asked for READY. Any program may answer what every service answers: the
 * start envelope, and what only the kernel may send. */
void operations_answered(const char *service, const struct message *answer);

/* A message arrived: of what the kernel sends, that is acceptance. A process that ended by EXIT had
 * that accepted, of which its caller never hears. */
void operations_received(const struct message *message);

/* One line for each LIVE operation, "<service>.<name> <accepted> <refused>[ <status>...]", the
 * statuses of its refusals in the order of their numbers. */
void operations_print(FILE *file);

#endif
