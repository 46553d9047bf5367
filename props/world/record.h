/* SPDX-License-Identifier: ISC */
/* The record of a run on the metal (abi/machine_record.h): its events in the form of the world's
 * own, and its inputs, which a run of the world can be fed with. Inputs have a text form, one a
 * line, in the order in which they came, that people can edit:
 *
 *   p3 17 timer 42     before process 3's 17th entry into the kernel the clock became 42
 *   p3 17 preempt      ... and it was preempted
 *   p3 17 line 4       ... and line 4 interrupted it
 *   p3 17 port 1013 96 in that entry the kernel read 96 from a port,
 *   p3 17 pci 2048 1   or from a register of PCI configuration space
 *   idle timer 43      while nobody could run the clock became 43
 *   idle line 4        ... and line 4 interrupted
 *   memory 23946       first line: the core was given that many pages */
#ifndef BASALT_PROPS_WORLD_RECORD_H
#define BASALT_PROPS_WORLD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "abi/machine_record.h"
#include "props/world/events.h"

struct inputs {
    struct machine_record *rows; /* of the kinds that are inputs */
    size_t count;
    uint64_t memory_pages; /* that the machine had; 0: not stated */
};

/* Reads a whole record: events into `events` (already started), inputs into a new list that
 * inputs_release frees. False, with one line on standard error, when the bytes are no record. */
bool record_read(const uint8_t *bytes, size_t size_bytes, struct events *events,
                 struct inputs *inputs);

/* The text form; inputs_read is false, with one line on standard error, for anything else. */
void inputs_write(const struct inputs *inputs, FILE *file);
bool inputs_read(FILE *file, struct inputs *inputs);
void inputs_release(struct inputs *inputs);

#endif
