/* SPDX-License-Identifier: ISC */
/* The event trace of a system run and its digest. An event is what a process learns or does at the
 * seam: the return of a system call with the message it brought, or a fault. Process indices, slots
 * and bodies count; physical addresses, times and instruction addresses do not: fields named object
 * (a frame's is its page), instruction_va or *_ticks are left out, so that two machines of
 * different speed agree (E3). */
#ifndef BASALT_PROPS_WORLD_EVENTS_H
#define BASALT_PROPS_WORLD_EVENTS_H

#include <stdint.h>
#include <stdio.h>

#include "abi/message.h"
#include "abi/process.h"
#include "abi/status.h"
#include "props/base/digest.h"

struct events {
    struct digest digest;
    uint64_t count;
    FILE *text; /* null: no text */
};

/* An empty trace; `text` (may be null) receives one line an event. */
void events_start(struct events *events, FILE *text);

/* A system call of process `process` came back. `message`: what lies in its message buffer when
 * status is OK and the call delivers one, otherwise null. */
void events_syscall(struct events *events, uint32_t process, unsigned number, uint32_t slot,
                    enum status status, const struct message *message);

/* Process `process` touched `va` and could not. */
void events_fault(struct events *events, uint32_t process, uint64_t va, enum fault_access access);

#endif
