/* SPDX-License-Identifier: ISC */
/* The serial log between who writes and a line that takes its time: a ring of bytes. What has no
 * room is dropped line by line and counted, and when half of the ring is free again the count goes
 * in as a line of its own, BASALT_KERNEL:LOG_LOST:<n>. So whoever writes waits for nobody (K9). */
#ifndef BASALT_KERNEL_MACHINE_LOG_RING_H
#define BASALT_KERNEL_MACHINE_LOG_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_RING_BYTES = 16384 };

/* All zero: empty. */
struct log_ring {
    uint8_t bytes[LOG_RING_BYTES];
    uint32_t first; /* the oldest byte's place */
    uint32_t count; /* bytes in the ring */
    uint64_t lost_lines;
    bool losing;    /* there was no room, and half of the ring has not been free since */
    bool line_lost; /* the line that is being written is lost */
    bool line_open; /* the last byte in the ring is within a line */
};

/* Writes all of the bytes, or loses their lines. */
void log_ring_write(struct log_ring *ring, const void *bytes, size_t count);

/* Takes the oldest byte; false: the ring is empty. */
bool log_ring_take(struct log_ring *ring, uint8_t *byte);

#endif
