/* SPDX-License-Identifier: ISC */
/* Reports of what becomes of processes, in lines of the published marker. Decides what a line says,
 * never whether there are any: that is the boot image's profile (K16). Who asked for the change is
 * not told of it, and nothing else changes. A line is not counted as work (K8): an entry takes longer
 * by it, in that image alone. */
#include "kernel/core/internal.h"

enum { LINE_BYTES = 96 };

struct line {
    char bytes[LINE_BYTES];
    size_t count;
};

static void add_text(struct line *line, const char *text)
{
    for (; *text != '\0'; text++) {
        KERNEL_ASSERT(line->count < LINE_BYTES);
        line->bytes[line->count++] = *text;
    }
}

/* As services write numbers into the log: ":0x2a". */
static void add_number(struct line *line, uint64_t number)
{
    char text[] = {':', '0', 'x', '\0', '\0'};
    uint32_t shift = 60;
    while (shift != 0 && number >> shift == 0)
        shift -= 4;
    text[3] = "0123456789abcdef"[number >> shift & 15];
    add_text(line, text);
    while (shift != 0) {
        shift -= 4;
        text[0] = "0123456789abcdef"[number >> shift & 15];
        text[1] = '\0';
        add_text(line, text);
    }
}

void life_report_write(const struct process *process, enum life_report report)
{
    static const char *const names[] = {"STAGED", "STARTED", "ENDED", "GONE"};
    struct line line = {.count = 0};
    add_text(&line, "ERIX_KERNEL:PROCD_DEBUG:");
    add_text(&line, names[report]);
    add_number(&line, process->event_token);
    if (report == LIFE_REPORT_ENDED) {
        add_text(&line, ":");
        add_text(&line, end_reason_name(process->end_reason));
        add_number(&line, process->end_code);
    }
    add_text(&line, "\n");
    machine_log(line.bytes, line.count); /* whole, as the log's ring loses lines */
}
