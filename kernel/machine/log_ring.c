/* SPDX-License-Identifier: ISC */
/* The ring of the serial log. Decides which lines are lost: while there is no room, all. */
#include "kernel/machine/log_ring.h"

enum { NUMBER_DIGITS_MAX = 20 };

static void put(struct log_ring *ring, const void *bytes, size_t count)
{
    const uint8_t *next = bytes;
    for (size_t i = 0; i < count; i++)
        ring->bytes[(ring->first + ring->count++) % LOG_RING_BYTES] = next[i];
    if (count != 0)
        ring->line_open = next[count - 1] != '\n';
}

/* Says how much was lost as soon as half of the ring is free: less would make one such line for
 * each line that goes through. The rest of a line that was told as lost is no further loss. */
static void settle(struct log_ring *ring)
{
    static const char text[] = "BASALT_KERNEL:LOG_LOST:";
    char digits[NUMBER_DIGITS_MAX + 1];
    size_t at = sizeof digits;
    if (!ring->losing || ring->count > LOG_RING_BYTES / 2)
        return;
    uint64_t lines = ring->lost_lines;
    ring->losing = false;
    ring->lost_lines = 0;
    if (lines == 0)
        return;
    digits[--at] = '\n';
    do {
        digits[--at] = (char)('0' + lines % 10);
        lines /= 10;
    } while (lines != 0);
    if (ring->line_open)
        put(ring, "\n", 1);
    put(ring, text, sizeof text - 1);
    put(ring, &digits[at], sizeof digits - at);
}

/* A line counts once, when its first byte is lost. */
static void lose(struct log_ring *ring, const uint8_t *bytes, size_t count)
{
    ring->losing = true;
    for (size_t i = 0; i < count; i++) {
        ring->lost_lines += !ring->line_lost;
        ring->line_lost = bytes[i] != '\n';
    }
}

void log_ring_write(struct log_ring *ring, const void *bytes, size_t count)
{
    const uint8_t *next = bytes;
    settle(ring);
    if (ring->losing || count > LOG_RING_BYTES - ring->count) {
        lose(ring, next, count);
        return;
    }
    size_t skipped = 0; /* the rest of a line whose beginning is lost */
    while (ring->line_lost && skipped < count)
        ring->line_lost = next[skipped++] != '\n';
    put(ring, next + skipped, count - skipped);
}

bool log_ring_take(struct log_ring *ring, uint8_t *byte)
{
    settle(ring);
    if (ring->count == 0)
        return false;
    *byte = ring->bytes[ring->first];
    ring->first = (ring->first + 1) % LOG_RING_BYTES;
    ring->count--;
    return true;
}
