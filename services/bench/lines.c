/* SPDX-License-Identifier: ISC */
/* The lines of programs that measure. */
#include "services/bench/lines.h"

#include <stddef.h>

void bench_line_row(struct caller *caller, const char *name, const struct figure *figure)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "BENCH:");
    log_line_add(&line, name);
    for (unsigned i = 0; i < STATISTIC_COUNT; i++) {
        log_line_add(&line, ":");
        log_line_add_number(&line, figure->of[i]);
    }
    log_line_send(&line, caller, SLOT_KERNEL_LOG_ENDPOINT);
}

void bench_line_end(struct caller *caller, const char *failed, enum status cause)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, failed == NULL ? "BENCH:END" : "BENCH:FAILED:");
    if (failed != NULL) {
        log_line_add(&line, failed);
        log_line_add(&line, ":");
        log_line_add(&line, status_name(cause));
    }
    log_line_send(&line, caller, SLOT_KERNEL_LOG_ENDPOINT);
}
