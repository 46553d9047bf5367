/* SPDX-License-Identifier: ISC */
/* Walks crashd's whole ring. Decides nothing and changes nothing. */
#include "services/crashd/internal.h"

#include <stddef.h>

static bool record_agrees(const struct crashd *crashd, const struct crashd_record *record)
{
    const struct crashd_report_request *report = &record->report;
    return record->report_id != 0 && report->number > record->lost_count &&
           report->process_id != 0 && report->role != 0 && report->reason >= END_KILLED &&
           report->reason <= END_REASON_LAST && record->ticks <= crashd->caller.now_ticks;
}

/* Ids, numbers and ticks ascend. A number says how many were lost since the report before it, and of
 * what is not kept any more each had one. */
static bool follows(const struct crashd_record *before, const struct crashd_record *record)
{
    uint64_t between = record->report_id - before->report_id - 1;
    uint64_t numbers = record->report.number - before->report.number - 1;
    bool ascends = record->report_id > before->report_id &&
                   record->report.number > before->report.number && record->ticks >= before->ticks;
    return ascends && record->lost_count <= numbers && between <= numbers - record->lost_count &&
           (between != 0 || numbers == record->lost_count);
}

const char *crashd_check(const struct crashd *crashd)
{
    if (fair_ring_check(&crashd->ring) != NULL)
        return "L1";
    for (uint32_t age = 0; age < crashd->ring.count; age++) {
        if (!record_agrees(crashd, crashd_kept(crashd, age)))
            return "L1";
        if (age != 0 && !follows(crashd_kept(crashd, age - 1), crashd_kept(crashd, age)))
            return "L1";
        if (crashd->ring.shares[crashd->ring.share_of[fair_ring_place(&crashd->ring, age)]].owner !=
            crashd_kept(crashd, age)->report.owner_id)
            return "L1";
    }
    return crashd->ring.count == 0 || crashd_youngest(crashd)->report_id == crashd->last_id ? NULL
                                                                                            : "L1";
}

/* By age: where records lie cannot be seen. */
void crashd_visit_fields(const struct crashd *crashd, void (*visit)(void *context, uint64_t value),
                         void *context)
{
    visit(context, crashd->last_id);
    visit(context, crashd->caller.now_ticks);
    for (uint32_t age = 0; age < crashd->ring.count; age++) {
        const struct crashd_record *record = crashd_kept(crashd, age);
        visit(context, record->report_id);
        visit(context, record->ticks);
        visit(context, record->lost_count);
        visit(context, record->report.number);
        visit(context, record->report.process_id);
        visit(context, record->report.owner_id);
        visit(context, (uint64_t)record->report.role << 32 | record->report.reason);
        visit(context, record->report.code);
        visit(context, record->report.fault_va);
        visit(context, record->report.ended_ticks);
    }
}
