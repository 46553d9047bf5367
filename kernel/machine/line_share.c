/* SPDX-License-Identifier: ISC */
/* The serial port between the log and a driver. Decides whose turn it is, byte by byte. */
#include "kernel/machine/line_share.h"

enum line_answer line_share_ask(const struct line_share *share, enum line_user user, bool log_waits,
                                uint64_t now_ticks)
{
    if (share->open == user)
        return LINE_FREE;
    if (user == LINE_USER_DRIVER && log_waits)
        return LINE_WAIT;
    if (share->open == LINE_USER_NONE)
        return LINE_FREE;
    return now_ticks < share->open_ticks + LINE_SHARE_TICKS ? LINE_WAIT : LINE_CUT;
}

void line_share_sent(struct line_share *share, enum line_user user, uint8_t byte,
                     uint64_t now_ticks)
{
    if (share->open != user)
        share->open_ticks = now_ticks;
    share->open = byte == '\n' ? LINE_USER_NONE : user;
}
