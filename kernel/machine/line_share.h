/* SPDX-License-Identifier: ISC */
/* Who may send the next byte to the serial port, which the log and the driver of COM1 share: a line
 * that one of them has begun is ended before the other begins one, and the log goes first (K15). A
 * line that is open for LINE_SHARE_TICKS is ended by who comes next: neither waits for ever. */
#ifndef BASALT_KERNEL_MACHINE_LINE_SHARE_H
#define BASALT_KERNEL_MACHINE_LINE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* More than the longest line of the log takes at 9,600 baud. */
enum { LINE_SHARE_TICKS = 500 };

enum line_user { LINE_USER_NONE, LINE_USER_LOG, LINE_USER_DRIVER };

/* All zero: a line begins. */
struct line_share {
    uint64_t open_ticks; /* when the open line began */
    enum line_user open; /* whose line has begun and not ended */
};

enum line_answer {
    LINE_FREE, /* send the byte */
    LINE_CUT,  /* send a newline first: the other's line is left open */
    LINE_WAIT  /* not now */
};

/* Whether `user` may send its next byte at `now_ticks`. log_waits: the log has bytes to send. */
enum line_answer line_share_ask(const struct line_share *share, enum line_user user, bool log_waits,
                                uint64_t now_ticks);

/* It sent a byte. */
void line_share_sent(struct line_share *share, enum line_user user, uint8_t byte,
                     uint64_t now_ticks);

#endif
