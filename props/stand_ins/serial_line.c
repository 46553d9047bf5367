/* SPDX-License-Identifier: ISC */
/* See serial_line.h. */
#include "props/stand_ins/serial_line.h"

#include <string.h>

#include "abi/roles.h"
#include "props/stand_ins/stand_in_objects.h"

enum status serial_line_write(struct serial_line *line,
                              const struct drv_serial_write_request *request,
                              struct drv_serial_write_reply *reply)
{
    if (line->busy)
        return STATUS_BUSY;
    reply->taken_count = request->count < line->takes ? request->count : line->takes;
    for (uint32_t i = 0; i < reply->taken_count; i++) {
        line->out_last = request->bytes[i];
        line->out_sum = stand_in_mix(line->out_sum ^ request->bytes[i]);
        line->out_count++;
    }
    return STATUS_OK;
}

enum status serial_line_read(struct serial_line *line, struct drv_serial_read_reply *reply)
{
    if (line->busy)
        return STATUS_BUSY;
    reply->lost_count = line->lost_count;
    reply->count = line->coming_count < SERIAL_BYTES_MAX ? line->coming_count : SERIAL_BYTES_MAX;
    for (uint32_t i = 0; i < reply->count; i++)
        reply->bytes[i] = line->coming_first++;
    line->coming_count -= reply->count;
    return STATUS_OK;
}

enum status serial_line_log(const struct serial_line *line, uint64_t cursor,
                            struct logd_read_reply *reply)
{
    uint64_t id = cursor < line->first_id ? line->first_id : cursor;
    if (id >= line->next_id)
        return STATUS_NOT_FOUND;
    reply->record_id = id;
    reply->missed_count = id - cursor;
    reply->ticks = id * 1000;
    reply->role = id % 2 != 0 ? ROLE_PROCD : ROLE_DEVICED;
    reply->severity = (uint32_t)(id % (LOG_SEVERITY_LAST + 1));
    reply->count = 1 + (uint32_t)(id * 37 % LOG_LINE_BYTES_MAX);
    memset(reply->text, 'a' + (int)(id % 26), reply->count);
    return STATUS_OK;
}

void serial_line_append(struct serial_line *line)
{
    line->next_id++;
    if (line->next_id - line->first_id > SERIAL_LINE_RECORDS)
        line->first_id++;
}
