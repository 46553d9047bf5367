/* SPDX-License-Identifier: ISC */
/* The serial port that the log and a driver share: in what went out, each line is of one of them, each
 * one's bytes are in order, and who has something to say is heard in the end (K15). */
#include <string.h>

#include "kernel/machine/line_share.h"
#include "props/base/testing.h"
#include "props/tests/machine/machine_test.h"

enum {
    STEPS = 200000,
    LOG_PAUSE = 60,
    LOG_BYTES_MAX = 100,
    PATIENCE_TICKS = LINE_SHARE_TICKS + 64
};

static struct {
    struct line_share share;
    uint64_t now_ticks;
    enum line_user writer; /* of the line that is going out, by its bytes */
    uint64_t waits_since[3];
    uint64_t log_bytes; /* that it has to send */
    uint64_t cuts;
    uint64_t waits;
} state;

/* A byte goes out: what a reader of the line can tell of it. */
static bool goes_out(enum line_user user, uint8_t byte)
{
    bool alone = state.writer == LINE_USER_NONE || state.writer == user;
    state.writer = byte == '\n' ? LINE_USER_NONE : user;
    return alone;
}

/* What a sender does that has a byte. False: a line is mixed, or it waits for too long. */
static bool step(enum line_user user, uint8_t byte)
{
    bool log_waits = state.log_bytes != 0;
    bool kept = true;
    uint64_t *since = &state.waits_since[user];
    switch (line_share_ask(&state.share, user, log_waits, state.now_ticks)) {
    case LINE_WAIT:
        state.waits++;
        if (user == LINE_USER_DRIVER && log_waits)
            *since = 0; /* it is the log that must get on */
        else if (*since == 0)
            *since = state.now_ticks;
        return *since == 0 || state.now_ticks - *since < PATIENCE_TICKS;
    case LINE_CUT:
        state.cuts++;
        kept = state.writer != LINE_USER_NONE && state.writer != user;
        state.writer = LINE_USER_NONE;
        break;
    case LINE_FREE:
        break;
    }
    *since = 0;
    state.log_bytes -= user == LINE_USER_LOG;
    line_share_sent(&state.share, user, byte, state.now_ticks);
    return goes_out(user, byte) && kept;
}

/* `ends`: one byte of so many ends a line; 0: none ever does. */
static void play(const char *name, uint64_t log_ends, uint64_t driver_ends, uint64_t tick_parts)
{
    bool kept = true;
    memset(&state, 0, sizeof state);
    state.now_ticks = 1;
    for (unsigned i = 0; i < STEPS; i++) {
        enum line_user user = random_below(2) == 0 ? LINE_USER_LOG : LINE_USER_DRIVER;
        uint64_t ends = user == LINE_USER_LOG ? log_ends : driver_ends;
        uint8_t byte = ends != 0 && random_below(ends) == 0 ? '\n' : 'x';
        if (state.log_bytes == 0 && random_below(LOG_PAUSE) == 0)
            state.log_bytes = 1 + random_below(LOG_BYTES_MAX);
        if (user == LINE_USER_DRIVER || state.log_bytes != 0)
            kept = step(user, byte) && kept;
        state.now_ticks += random_below(tick_parts) == 0;
    }
    expect_of(name, "each line has one writer, and nobody waits for ever (K15)", kept);
    expect_of(name, "somebody had to wait", state.waits != 0);
}

static void cases(void)
{
    struct line_share share = {0};
    expect_equal(line_share_ask(&share, LINE_USER_DRIVER, true, 9), LINE_WAIT,
                 "the log goes first");
    expect_equal(line_share_ask(&share, LINE_USER_DRIVER, false, 9), LINE_FREE, "else it begins");
    line_share_sent(&share, LINE_USER_DRIVER, 'a', 9);
    expect_equal(line_share_ask(&share, LINE_USER_DRIVER, true, 9), LINE_FREE,
                 "ends what it began");
    expect_equal(line_share_ask(&share, LINE_USER_LOG, true, 9 + LINE_SHARE_TICKS - 1), LINE_WAIT,
                 "the log waits for the line's end");
    expect_equal(line_share_ask(&share, LINE_USER_LOG, true, 9 + LINE_SHARE_TICKS), LINE_CUT,
                 "and no longer than that");
    line_share_sent(&share, LINE_USER_DRIVER, '\n', 9);
    expect_equal(line_share_ask(&share, LINE_USER_LOG, true, 9), LINE_FREE, "the line has ended");
}

void machine_test_line(void)
{
    cases();
    play("usual lines", 40, 40, 8);
    play("a driver that ends no line", 40, 0, 1);
    expect(state.cuts != 0, "it was cut");
    play("a log that ends none", 0, 40, 1);
    expect(state.cuts != 0, "it was cut");
    play("neither does", 0, 0, 1);
}
