/* SPDX-License-Identifier: ISC */
/* The line: whose bytes go out when, through a driver that may die, and the log that is read for it.
 * Decides where a line ends that its owner left open. */
#include <string.h>

#include "abi/roles.h"
#include "abi/slots.h"
#include "services/lib/call_drv_serial.h"
#include "services/lib/call_logd.h"
#include "services/lib/discovery.h"
#include "services/seriald/internal.h"

/* --- the driver ------------------------------------------------------------------------------- */

static enum status find_driver(struct seriald *seriald)
{
    if (seriald->has_driver)
        return STATUS_OK;
    enum status status = discovery_find(&seriald->caller, ROLE_DRV_SERIAL, SLOT_PEER_DRV_SERIAL);
    seriald->has_driver = status == STATUS_OK;
    return status;
}

/* After a call to it: one that did not answer is not believed to live. */
static void judge_driver(struct seriald *seriald)
{
    if (caller_was_answered(&seriald->caller))
        return;
    seriald->has_driver = false;
    seriald->lost_count += seriald->lost_last;
    seriald->lost_last = 0;
}

static void note_open(struct seriald *seriald, uint32_t role)
{
    seriald->open_ticks = seriald->caller.now_ticks;
    if (seriald->open_role != role)
        seriald->hold_ticks = seriald->caller.now_ticks;
    seriald->open_role = role;
}

/* One call. What went out of a call without an answer nobody knows: the line counts as open. */
static enum status send_once(struct seriald *seriald, uint32_t role, const uint8_t *bytes,
                             uint32_t count, uint32_t *taken_count)
{
    struct drv_serial_write_request request = {.count = count};
    struct drv_serial_write_reply reply = {0};
    struct caller *caller = &seriald->caller;
    memcpy(request.bytes, bytes, count);
    *taken_count = 0;
    enum status status = find_driver(seriald);
    if (status != STATUS_OK)
        return status;
    status = drv_serial_call_write(caller, SLOT_PEER_DRV_SERIAL, NO_WINDOW,
                                   caller_deadline(caller, SERIALD_CALL_TICKS), &request, &reply);
    judge_driver(seriald);
    if (status == STATUS_OK && reply.taken_count > count)
        status = STATUS_INTERNAL;
    if (status == STATUS_OK)
        *taken_count = reply.taken_count;
    bool sent = *taken_count != 0;
    bool unknown = status != STATUS_OK && status != STATUS_BUSY && status != STATUS_NOT_FOUND;
    if (!sent && !unknown)
        return status;
    note_open(seriald, sent && bytes[*taken_count - 1] == '\n' ? ROLE_NONE : role);
    return status;
}

/* A driver that was found dead got nothing: its successor may be there already. */
static enum status send(struct seriald *seriald, uint32_t role, const uint8_t *bytes,
                        uint32_t count, uint32_t *taken_count)
{
    bool had_driver = seriald->has_driver;
    enum status status = send_once(seriald, role, bytes, count, taken_count);
    if (status == STATUS_NOT_FOUND && had_driver && !seriald->has_driver)
        status = send_once(seriald, role, bytes, count, taken_count);
    return status;
}

enum status seriald_line_put(struct seriald *seriald, uint32_t role, const uint8_t *bytes,
                             uint32_t count, uint32_t *taken_count)
{
    static const uint8_t newline = '\n';
    *taken_count = 0;
    bool begins = seriald->open_role != role || role == ROLE_LOGD;
    if (seriald->open_role != ROLE_NONE && begins) {
        enum status status = send(seriald, seriald->open_role, &newline, 1, taken_count);
        bool ended = status == STATUS_OK && *taken_count == 1;
        *taken_count = 0;
        if (!ended)
            return status;
    }
    return send(seriald, role, bytes, count, taken_count);
}

void seriald_line_take(struct seriald *seriald, uint64_t wait_ticks)
{
    struct drv_serial_read_request request = {.wait_ticks = wait_ticks};
    struct drv_serial_read_reply reply;
    struct caller *caller = &seriald->caller;
    UNIT_ASSERT(seriald->kept_count == 0);
    seriald->read_ticks = deadline_after(caller->now_ticks, SERIALD_SLICE_TICKS);
    if (find_driver(seriald) != STATUS_OK)
        return;
    enum status status =
        drv_serial_call_read(caller, SLOT_PEER_DRV_SERIAL, NO_WINDOW,
                             caller_deadline(caller, SERIALD_CALL_TICKS), &request, &reply);
    judge_driver(seriald);
    if (status != STATUS_OK)
        return;
    seriald->read_ticks = caller->now_ticks; /* it has waited */
    seriald->lost_last = reply.lost_count;
    seriald->kept_count = reply.count;
    memcpy(seriald->kept, reply.bytes, reply.count);
}

/* --- the log ---------------------------------------------------------------------------------- */

/* A line that is being written. */
struct line {
    uint32_t count;
    uint8_t bytes[SERIAL_BYTES_MAX];
};

static void put_text(struct line *line, const char *text)
{
    for (; *text != '\0' && line->count < sizeof line->bytes; text++)
        line->bytes[line->count++] = (uint8_t)*text;
}

static void put_number(struct line *line, uint64_t number)
{
    char digits[21];
    unsigned at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put_text(line, &digits[at]);
}

/* logd has seen to it that the text is printable. */
static void put_record(struct line *line, const struct logd_read_reply *record)
{
    static const char *const severities[] = {"error:", "warning:", "notice:", "detail:"};
    const struct role *role = role_find(record->role);
    line->count = 0;
    if (record->missed_count != 0) {
        put_text(line, "LOG:MISSED:");
        put_number(line, record->missed_count);
        put_text(line, "\n");
    }
    put_text(line, "LOG:");
    put_number(line, record->ticks);
    put_text(line, ":");
    put_text(line, role == NULL ? "?" : role->image);
    put_text(line, ":");
    put_text(line, severities[record->severity]);
    for (uint32_t i = 0; i < record->count; i++)
        line->bytes[line->count++] = record->text[i];
    put_text(line, "\n");
}

_Static_assert((int)SERIAL_BYTES_MAX > (int)LOG_LINE_BYTES_MAX + 160, "a record is one message");

static bool find_log(struct seriald *seriald)
{
    if (seriald->log_cursor == 0 &&
        discovery_find(&seriald->caller, ROLE_LOGD, SLOT_PEER_LOGD) == STATUS_OK)
        seriald->log_cursor = 1;
    return seriald->log_cursor != 0;
}

/* The record at the cursor goes out. False: it is not time for another one. */
static bool log_one(struct seriald *seriald)
{
    struct logd_read_request request = {.cursor = seriald->log_cursor};
    struct logd_read_reply record;
    struct line line;
    uint32_t taken_count;
    struct caller *caller = &seriald->caller;
    enum status status =
        logd_call_read(caller, SLOT_PEER_LOGD, NO_WINDOW,
                       caller_deadline(caller, SERIALD_PEEK_TICKS), &request, &record);
    if (!caller_was_answered(caller) && status != STATUS_TIMED_OUT)
        seriald->log_cursor = 0; /* a new one counts from 1 */
    if (status != STATUS_OK) {
        bool at_end = status == STATUS_NOT_FOUND && seriald->log_cursor != 0;
        seriald->log_ticks =
            caller_deadline(caller, at_end ? SERIALD_LOG_TICKS : SERIALD_RETRY_TICKS);
        return false;
    }
    put_record(&line, &record);
    status = seriald_line_put(seriald, ROLE_LOGD, line.bytes, line.count, &taken_count);
    if (status != STATUS_OK || taken_count != line.count) {
        seriald->log_ticks = caller_deadline(caller, SERIALD_RETRY_TICKS);
        return false;
    }
    seriald->log_cursor = record.record_id + 1; /* S4 */
    return true;
}

void seriald_line_log(struct seriald *seriald)
{
    struct caller *caller = &seriald->caller;
    if (caller->now_ticks < seriald->log_ticks)
        return;
    bool open = seriald->open_role != ROLE_NONE && seriald->open_role != ROLE_LOGD;
    uint64_t patience_ticks = deadline_after(seriald->open_ticks, SERIALD_LINE_TICKS);
    uint64_t hold_ticks = deadline_after(seriald->hold_ticks, SERIALD_HOLD_TICKS);
    if (open && caller->now_ticks < patience_ticks && caller->now_ticks < hold_ticks) {
        seriald->log_ticks = caller_deadline(caller, SERIALD_LOG_TICKS);
        return;
    }
    if (!find_log(seriald)) {
        seriald->log_ticks = caller_deadline(caller, SERIALD_RETRY_TICKS);
        return;
    }
    for (unsigned i = 0; i < SERIALD_LOG_LINES && log_one(seriald); i++)
        ;
}
