/* SPDX-License-Identifier: ISC */
/* How a process ends in which something does not hold: below a function that is named after the
 * operation that was going on. */
#ifndef BASALT_PROPS_BASE_ENDINGS_H
#define BASALT_PROPS_BASE_ENDINGS_H

#include <stdint.h>

typedef void (*ending)(void) __attribute__((noreturn));

/* Of a function that shall stand on the stack under its own name. */
#define ENDING_FRAME __attribute__((noinline, cold, noreturn))

/* Aborts in during_<service>_<operation>(), by the id of the row; abort() itself for other ids. */
ending ending_during(uint16_t operation);

#endif
