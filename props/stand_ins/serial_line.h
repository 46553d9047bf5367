/* SPDX-License-Identifier: ISC */
/* What seriald has around it: a driver of a line and a logd, which die and are found again, and a line
 * that takes as much as it is told to. It has no memory but this struct, so that two of them in the
 * same state answer the same: one stands behind seriald, the other one in its model. */
#ifndef BASALT_PROPS_STAND_INS_SERIAL_LINE_H
#define BASALT_PROPS_STAND_INS_SERIAL_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/drv_serial.h"
#include "abi/messages/logd.h"
#include "abi/status.h"

enum { SERIAL_LINE_RECORDS = 64 };

struct serial_line {
    uint32_t driver_life; /* 0: there is none */
    uint32_t log_life;
    uint32_t life_count; /* drivers and logds so far */
    uint32_t takes;      /* bytes of a write that the line takes */
    bool busy;           /* somebody else asks the driver */
    uint64_t lost_count;
    uint32_t coming_count; /* bytes that have come, each one more than the one before */
    uint8_t coming_first;
    uint64_t first_id; /* of the records that logd has: [first_id, next_id) */
    uint64_t next_id;
    uint64_t out_count; /* what went out */
    uint64_t out_sum;
    uint8_t out_last;
};

/* The peers' answers to what seriald asks, as a driver and a logd in that state give them. */
enum status serial_line_write(struct serial_line *line,
                              const struct drv_serial_write_request *request,
                              struct drv_serial_write_reply *reply);
enum status serial_line_read(struct serial_line *line, struct drv_serial_read_reply *reply);
enum status serial_line_log(const struct serial_line *line, uint64_t cursor,
                            struct logd_read_reply *reply);
/* A record more; the oldest one goes when there are too many. */
void serial_line_append(struct serial_line *line);

#endif
