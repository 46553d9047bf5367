/* SPDX-License-Identifier: ISC */
/* A line for the kernel's log, in the making. */
#ifndef BASALT_SERVICES_LIB_LOG_LINE_H
#define BASALT_SERVICES_LIB_LOG_LINE_H

#include "services/lib/kernel_calls.h"

/* All zero: an empty line. Text past its end is cut; the newline always fits. */
struct log_line {
    char text[LOG_LINE_BYTES_MAX];
    uint32_t count;
};

void log_line_add(struct log_line *line, const char *text);

void log_line_add_number(struct log_line *line, uint64_t value);

/* ":<reason>" of an ended process and, of EXIT and KILL, ":" and the code in hexadecimal. */
void log_line_add_end(struct log_line *line, uint32_t reason, uint32_t code);

/* Writes the line to a KERNEL_LOG capability. A log that does not take it changes nothing else. */
void log_line_send(struct log_line *line, struct caller *caller, uint32_t log_slot);

#endif
