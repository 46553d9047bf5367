/* SPDX-License-Identifier: ISC */
/* Walks crashd's whole ring. Decides nothing and changes nothing. */
#include "services/crashd/internal.h"

#include <stddef.h>

static bool record_agrees(const struct crashd *crashd, uint64_t id)
{
    const struct crashd_record *record = &crashd->records[crashd_place(id)];
    const struct crashd_report_request *report = &record->report;
    return report->number > record->lost_count && report->process_id != 0 && report->role != 0 &&
           report->reason >= END_KILLED && report->reason <= END_REASON_LAST &&
           record->ticks <= crashd->caller.now_ticks;
}

/* Numbers and ticks ascend, and a number says how many were lost before it. */
static bool follows(const struct crashd_record *before, const struct crashd_record *record)
{
    return record->ticks >= before->ticks &&
           record->report.number - before->report.number == record->lost_count + 1;
}

const char *crashd_check(const struct crashd *crashd)
{
    uint64_t first_id = crashd_first_id(crashd);
    for (uint64_t id = first_id; id <= crashd->last_id; id++) {
        if (!record_agrees(crashd, id))
            return "L1";
        if (id != first_id &&
            !follows(&crashd->records[crashd_place(id - 1)], &crashd->records[crashd_place(id)]))
            return "L1";
    }
    return NULL;
}

/* In the order of the ids: where records lie follows from it. */
void crashd_visit_fields(const struct crashd *crashd, void (*visit)(void *context, uint64_t value),
                         void *context)
{
    visit(context, crashd->last_id);
    visit(context, crashd->caller.now_ticks);
    for (uint64_t id = crashd_first_id(crashd); id <= crashd->last_id; id++) {
        const struct crashd_record *record = &crashd->records[crashd_place(id)];
        visit(context, record->ticks);
        visit(context, record->lost_count);
        visit(context, record->report.number);
        visit(context, record->report.process_id);
        visit(context, (uint64_t)record->report.role << 32 | record->report.reason);
        visit(context, record->report.code);
        visit(context, record->report.fault_va);
        visit(context, record->report.ended_ticks);
    }
}
