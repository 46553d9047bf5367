/* SPDX-License-Identifier: ISC */
/* The log's ring against the lines that were written: each arrives whole and in order, or is
 * counted as lost. */
#include <stdio.h>
#include <string.h>

#include "kernel/machine/log_ring.h"
#include "props/base/testing.h"
#include "props/tests/machine/machine_test.h"

enum { LINES = 3000, LINE_BYTES_MAX = 900, OUT_BYTES = LINES * 1000 };

static struct {
    struct log_ring ring;
    char out[OUT_BYTES];
    size_t out_count;
} state;

static void start(void)
{
    memset(&state, 0, sizeof state);
}

static void drain(size_t count)
{
    uint8_t byte;
    for (; count > 0 && log_ring_take(&state.ring, &byte); count--)
        state.out[state.out_count++] = (char)byte;
    state.out[state.out_count] = '\0';
}

/* Line `number`, some bytes long, in one write or in three. */
static void write_line(unsigned number)
{
    char line[LINE_BYTES_MAX + 1];
    size_t count = 14 + random_below(LINE_BYTES_MAX - 14);
    snprintf(line, sizeof line, "line %u ", number);
    memset(line + strlen(line), '.', count - strlen(line) - 1);
    line[count - 2] = '!';
    line[count - 1] = '\n';
    if (random_below(2) == 0) {
        log_ring_write(&state.ring, line, count);
        return;
    }
    log_ring_write(&state.ring, line, 5);
    drain(random_below(200));
    log_ring_write(&state.ring, line + 5, 6);
    log_ring_write(&state.ring, line + 11, count - 11);
}

/* Every line of the output is the next one, whole; or the cut beginning of one; or the number of
 * those that are missing, a cut one included. */
static bool is_accounted_for(unsigned *losses)
{
    unsigned next = 0, found;
    bool cut = false;
    unsigned long long lost;
    for (char *line = strtok(state.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (sscanf(line, "BASALT_KERNEL:LOG_LOST:%llu", &lost) == 1) {
            next += (unsigned)lost;
            cut = false;
            ++*losses;
        } else if (cut) {
            return false; /* only the number may follow what was cut */
        } else if (sscanf(line, "line %u ", &found) == 1 && found == next &&
                   line[strlen(line) - 1] == '!') {
            next++;
        } else {
            cut = strncmp(line, "line ", strlen(line) < 5 ? strlen(line) : 5) == 0;
            if (!cut)
                return false;
        }
    }
    return next == LINES && !cut;
}

/* The line takes bytes at its own pace, sometimes none for long. */
static void test_pace(unsigned pace, bool loses)
{
    unsigned losses = 0;
    start();
    for (unsigned i = 0; i < LINES; i++) {
        write_line(i);
        if (!loses || i / 100 % 3 != 1)
            drain(random_below(pace));
    }
    drain(SIZE_MAX);
    expect(is_accounted_for(&losses), "every line arrives or is counted");
    expect(loses == (losses != 0), loses ? "a slow line loses some" : "a quick line loses none");
}

static void test_quiet(void)
{
    uint8_t byte;
    start();
    expect(!log_ring_take(&state.ring, &byte), "an empty ring has nothing");
    log_ring_write(&state.ring, "READY\n", 6);
    drain(SIZE_MAX);
    expect(strcmp(state.out, "READY\n") == 0, "what was written comes out");
    log_ring_write(&state.ring, "", 0);
    expect(!log_ring_take(&state.ring, &byte), "nothing written is nothing");
}

/* Lost at the very end: the number comes when there is room, without another line. */
static void test_last(void)
{
    char line[1000];
    start();
    memset(line, 'x', sizeof line);
    line[999] = '\n';
    for (unsigned i = 0; i < 20; i++)
        log_ring_write(&state.ring, line, sizeof line);
    drain(SIZE_MAX);
    expect_equal(state.out_count, 16 * 1000 + strlen("BASALT_KERNEL:LOG_LOST:4\n"),
                 "16 lines, and a number");
    expect(strstr(state.out, "\nBASALT_KERNEL:LOG_LOST:4\n") != NULL, "of those that are lost");
}

/* The rest of a line whose loss was told is lost as well: that is no other loss, and not told. */
static void test_rest(void)
{
    char line[LOG_RING_BYTES];
    start();
    memset(line, 'x', sizeof line);
    log_ring_write(&state.ring, line, sizeof line);
    log_ring_write(&state.ring, "y", 1);
    drain(sizeof line);
    log_ring_write(&state.ring, line, sizeof line);
    drain(SIZE_MAX);
    log_ring_write(&state.ring, "z\nREADY\n", 8);
    drain(SIZE_MAX);
    expect(strstr(state.out, "\nBASALT_KERNEL:LOG_LOST:1\nREADY\n") != NULL,
           "a line is told as lost once");
}

void machine_test_log(void)
{
    test_quiet();
    test_last();
    test_rest();
    test_pace(4000, true);
    test_pace(20000, false);
}
