/* SPDX-License-Identifier: ISC */
/* kernel/machine/line_share between a log and a driver that send what the input says, one byte after
 * the other, judged by what went over the wire: whose bytes a line has, and for how long it has been
 * open (K15). */
#include <string.h>

#include "fuzz/kernel/kernel_machine.h"
#include "kernel/machine/line_share.h"

enum { LINE_STEPS = 300 };

/* What the wire says of its last line. */
static struct {
    struct line_share share;
    uint64_t now_ticks;
    uint64_t log_bytes; /* wait to be sent */
    enum line_user writer;
    uint64_t begun_ticks;
} wire;

static void put(enum line_user user, uint8_t byte)
{
    line_share_sent(&wire.share, user, byte, wire.now_ticks);
    if (wire.writer == LINE_USER_NONE)
        wire.begun_ticks = wire.now_ticks;
    wire.writer = byte == '\n' ? LINE_USER_NONE : user;
}

static enum line_answer ask(enum line_user user)
{
    enum line_answer answer =
        line_share_ask(&wire.share, user, wire.log_bytes != 0, wire.now_ticks);
    bool other = wire.writer != LINE_USER_NONE && wire.writer != user;
    bool old = other && wire.now_ticks - wire.begun_ticks >= LINE_SHARE_TICKS;
    bool first = user == LINE_USER_DRIVER && wire.log_bytes != 0 && wire.writer != user;
    PROPERTY(K15, "mixed", answer != LINE_FREE || !other);
    PROPERTY(K15, "cut-early", answer != LINE_CUT || old);
    PROPERTY(K15, "order", answer == LINE_WAIT || !first);
    PROPERTY(K15, "needless", answer != LINE_WAIT || first || (other && !old));
    MARK_IF("kernel_machine: the driver waits for the log", first);
    MARK_IF("kernel_machine: a writer waits for the other's line", answer == LINE_WAIT && !first);
    MARK_IF("kernel_machine: the log cuts the driver's line",
            answer == LINE_CUT && user == LINE_USER_LOG);
    MARK_IF("kernel_machine: the driver cuts the log's line",
            answer == LINE_CUT && user == LINE_USER_DRIVER);
    return answer;
}

static void step(struct choices *choices)
{
    enum line_user user = choices_flag(choices) ? LINE_USER_DRIVER : LINE_USER_LOG;
    uint8_t byte = choices_flag(choices) ? '\n' : 'a';
    if (user == LINE_USER_LOG && wire.log_bytes == 0)
        wire.log_bytes = choices_between(choices, 1, 4);
    enum line_answer answer = ask(user);
    TRACE("%s, %u bytes of the log wait: %u", user == LINE_USER_LOG ? "log" : "driver",
          (unsigned)wire.log_bytes, (unsigned)answer);
    digest_u64(answer);
    if (answer == LINE_WAIT)
        return;
    if (answer == LINE_CUT)
        put(user, '\n');
    put(user, byte);
    wire.log_bytes -= user == LINE_USER_LOG;
}

void machine_line(struct choices *choices)
{
    memset(&wire, 0, sizeof wire);
    for (unsigned i = 0; i < LINE_STEPS && !choices_empty(choices); i++) {
        wire.now_ticks += choices_below(choices, 4) == 0 ? choices_below(choices, 600) : 0;
        step(choices);
    }
}
