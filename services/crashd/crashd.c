/* SPDX-License-Identifier: ISC */
/* crashd's operations. Decides who reports and who reads; makes no call. */
#include "services/crashd/crashd.h"

#include <stddef.h>

#include "services/crashd/internal.h"
#include "services/lib/discovery.h"

/* Sent again, it is there already: whoever lost the answer gets the same one (P12). */
enum status crashd_report(struct crashd *crashd, struct crashd_request *request)
{
    const struct crashd_report_request *body = &request->body.report;
    const struct crashd_record *youngest = crashd_youngest(crashd);
    uint64_t last_number = youngest == NULL ? 0 : youngest->report.number;
    if (body->number < last_number)
        return STATUS_BAD_ORDER;
    if (body->number > last_number) {
        UNIT_ASSERT(crashd->last_id != UINT64_MAX);
        crashd->records[fair_ring_take(&crashd->ring, body->owner_id)] = (struct crashd_record){
            .report_id = ++crashd->last_id,
            .ticks = crashd->caller.now_ticks, /* never goes back (L1) */
            .lost_count = body->number - last_number - 1,
            .report = *body,
        };
        youngest = crashd_youngest(crashd);
    }
    request->reply.report = (struct crashd_report_reply){
        .report_id = youngest->report_id,
        .ticks = youngest->ticks,
    };
    return STATUS_OK;
}

/* The first record from a report id on; null: none. */
static const struct crashd_record *first_from(const struct crashd *crashd, uint64_t id)
{
    for (uint32_t age = 0; age < crashd->ring.count; age++) {
        if (crashd_kept(crashd, age)->report_id >= id)
            return crashd_kept(crashd, age);
    }
    return NULL;
}

enum status crashd_read(struct crashd *crashd, struct crashd_request *request)
{
    uint64_t cursor = request->body.read.cursor;
    const struct crashd_record *record = first_from(crashd, cursor);
    if (record == NULL)
        return STATUS_NOT_FOUND;
    request->reply.read = (struct crashd_read_reply){
        .report_id = record->report_id,
        .missed_count = record->report_id - cursor, /* L1 */
        .lost_count = record->lost_count,
        .ticks = record->ticks,
        .number = record->report.number,
        .process_id = record->report.process_id,
        .owner_id = record->report.owner_id,
        .role = record->report.role,
        .reason = record->report.reason,
        .code = record->report.code,
        .fault_va = record->report.fault_va,
        .ended_ticks = record->report.ended_ticks,
    };
    return STATUS_OK;
}

/* --- one message ----------------------------------------------------------------------------- */

#define SERVICE       crashd
#define SERVICE_TABLE "abi/messages/crashd.def"
#include "services/lib/unfold_rows.h"

static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct crashd_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    if (badge == ROLE_PROCD)
        return FROM_PROCD;
    return badge <= ROLE_ID_MAX && role_reads_crashes((uint32_t)badge) ? FROM_READER : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled crashd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct crashd *crashd = state;
    struct crashd_request request; /* body and reply: the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &crashd->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    return service_dispatch(&table, crashd, &request.common);
}

/* --- start ----------------------------------------------------------------------------------- */

/* What is ready can be found. */
static enum status crashd_prepare(void *state, const struct envelope *start)
{
    (void)start;
    struct crashd *crashd = state;
    return discovery_register(&crashd->caller, ROLE_CRASHD);
}

static const char *unsound(const void *state)
{
    return crashd_check(state);
}

void crashd_run(struct crashd *crashd)
{
    struct envelope envelope;
    enum status status =
        service_start(&crashd->caller, ROLE_CRASHD, &envelope, crashd_prepare, unsound, crashd);
    service_serve(&crashd->caller, status, crashd_handle, crashd);
}
