/* SPDX-License-Identifier: ISC */
/* What is told of each process that was killed: a record to crashd, and a line to logd. Decides when
 * procd looks for the two, when it gives one up, and what is lost. Makes at most one call of a peer
 * in a turn, with a short deadline: who does not answer costs procd that much and no more. */
#include "services/procd/internal.h"

#include <string.h>

#include "abi/process.h"
#include "services/lib/call_crashd.h"
#include "services/lib/call_logd.h"
#include "services/lib/discovery.h"
#include "services/lib/log_line.h"

/* --- what happened ---------------------------------------------------------------------------- */

/* Pushes out nobody's but those of who has most. */
uint64_t procd_evidence_add(struct procd *procd, const struct procd_killed *killed)
{
    struct procd_evidence *evidence = &procd->evidence;
    UNIT_ASSERT(killed->reason != END_NONE && killed->reason != END_EXITED);
    struct procd_killed *kept =
        &evidence->killed[fair_ring_take(&evidence->ring, killed->owner_id)];
    *kept = *killed;
    kept->number = ++evidence->killed_count;
    return kept->number;
}

static const struct procd_killed *kept_at(const struct procd_evidence *evidence, uint32_t age)
{
    return &evidence->killed[fair_ring_place(&evidence->ring, age)];
}

/* The last number of which everybody was told. */
static uint64_t told_to_all(const struct procd_evidence *evidence)
{
    uint64_t told = UINT64_MAX;
    for (uint32_t i = 0; i < PROCD_WITNESS_COUNT; i++) {
        if (evidence->witnesses[i].told_number < told)
            told = evidence->witnesses[i].told_number;
    }
    return told;
}

/* What both were told is kept no longer. */
static void forget_told(struct procd_evidence *evidence)
{
    while (evidence->ring.count != 0 && kept_at(evidence, 0)->number <= told_to_all(evidence))
        fair_ring_drop_oldest(&evidence->ring);
}

bool procd_evidence_stands(const struct procd *procd, uint64_t number)
{
    const struct procd_witness *crashd = &procd->evidence.witnesses[PROCD_WITNESS_CRASHD];
    return crashd->told_number >= number || crashd->tried_number >= number;
}

enum status procd_bind_named(struct procd *procd, struct procd_request *request)
{
    if (!procd->foundation_bound || procd->evidence.has_named)
        return STATUS_BUSY;
    enum status status = kernel_drop_local_cap(&procd->caller, SLOT_PEER_NAMED); /* a dead one */
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    status =
        kernel_move_local_cap(&procd->caller, request->body.bind_named.named_slot, SLOT_PEER_NAMED);
    procd->evidence.has_named = status == STATUS_OK;
    return status;
}

/* --- who is told ------------------------------------------------------------------------------ */

static const struct {
    uint32_t role;
    uint32_t slot;
} peers[PROCD_WITNESS_COUNT] = {
    [PROCD_WITNESS_CRASHD] = {ROLE_CRASHD, SLOT_PEER_CRASHD},
    [PROCD_WITNESS_LOGD] = {ROLE_LOGD, SLOT_PEER_LOGD},
};

static bool has_news(const struct procd *procd, const struct procd_witness *witness)
{
    return witness->told_number < procd->evidence.killed_count;
}

/* It is tried again in time; one that was not there, soon, when there is more to tell, because somebody
 * may wait for that to have another life. */
static uint64_t due_ticks(const struct procd *procd, const struct procd_witness *witness)
{
    return witness->tried_number < procd->evidence.killed_count ? witness->news_ticks
                                                                : witness->retry_ticks;
}

uint64_t procd_evidence_next_ticks(const struct procd *procd)
{
    uint64_t next_ticks = DEADLINE_NEVER;
    if (!procd->evidence.has_named)
        return next_ticks;
    for (uint32_t i = 0; i < PROCD_WITNESS_COUNT; i++) {
        const struct procd_witness *witness = &procd->evidence.witnesses[i];
        if (has_news(procd, witness) && due_ticks(procd, witness) < next_ticks)
            next_ticks = due_ticks(procd, witness);
    }
    return next_ticks;
}

static uint64_t deadline(uint64_t now_ticks)
{
    return deadline_after(now_ticks, PROCD_WITNESS_TICKS);
}

/* It is looked for again, and not before its time. `is_away`: named does not know it. */
static void give_up(struct procd *procd, struct procd_witness *witness, bool is_away,
                    uint64_t now_ticks)
{
    witness->is_found = false;
    witness->tried_number = procd->evidence.killed_count;
    witness->retry_ticks = deadline_after(now_ticks, PROCD_WITNESS_RETRY_TICKS);
    witness->news_ticks =
        is_away ? deadline_after(now_ticks, PROCD_WITNESS_AWAY_TICKS) : witness->retry_ticks;
}

/* named is dead: nobody is found any more, until there is another end of it. What is refused here is
 * dropped then. */
static void lose_named(struct procd *procd)
{
    (void)kernel_drop_local_cap(&procd->caller, SLOT_PEER_NAMED);
    procd->evidence.has_named = false;
}

static void find(struct procd *procd, uint32_t which, uint64_t now_ticks)
{
    struct procd_witness *witness = &procd->evidence.witnesses[which];
    enum status status = kernel_drop_local_cap(&procd->caller, peers[which].slot);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        give_up(procd, witness, false, now_ticks); /* a dead end is left: nobody is looked up */
        return;
    }
    status = discovery_look_up(&procd->caller, peers[which].role, peers[which].slot,
                               deadline(now_ticks));
    bool was_answered = caller_was_answered(&procd->caller);
    witness->is_found = status == STATUS_OK;
    if (witness->is_found)
        return;
    give_up(procd, witness, status == STATUS_NOT_FOUND && was_answered, now_ticks);
    if (status == STATUS_PEER_DIED || (status == STATUS_NOT_FOUND && !was_answered))
        lose_named(procd);
}

static enum status report(struct procd *procd, const struct procd_killed *killed,
                          uint64_t now_ticks)
{
    struct crashd_report_request request = {
        .number = killed->number,
        .process_id = killed->process_id,
        .owner_id = killed->owner_id,
        .role = killed->role,
        .reason = killed->reason,
        .code = killed->code,
        .fault_va = killed->fault_va,
        .ended_ticks = killed->ended_ticks,
    };
    struct crashd_report_reply reply;
    return crashd_call_report(&procd->caller, SLOT_PEER_CRASHD, NO_WINDOW, deadline(now_ticks),
                              &request, &reply);
}

/* "killed 3: phase0-exit:FAULT_GUARD": a number that is left out is an end that was lost. */
static enum status say(struct procd *procd, const struct procd_killed *killed, uint64_t now_ticks)
{
    struct log_line line = {.count = 0};
    struct logd_append_request request = {.severity = LOG_SEVERITY_WARNING};
    struct logd_append_reply reply;
    log_line_add(&line, "killed ");
    log_line_add_number(&line, killed->number);
    log_line_add(&line, ": ");
    log_line_add(&line, role_find(killed->role)->image);
    log_line_add_end(&line, killed->reason, killed->code);
    request.count = line.count;
    memcpy(request.text, line.text, line.count);
    return logd_call_append(&procd->caller, SLOT_PEER_LOGD, NO_WINDOW, deadline(now_ticks),
                            &request, &reply);
}

/* The one that was told and refused, for whatever reason, will refuse again: what it was told is lost
 * to it, and its next number says so. INTERNAL is an answer that makes no sense; that and what the
 * kernel says is a transport failure: it may be back later. */
static bool is_answer(const struct procd *procd, enum status status)
{
    return caller_was_answered(&procd->caller) && status != STATUS_INTERNAL;
}

/* The oldest that it was not told of, of those that are kept: the youngest end of all is. */
static const struct procd_killed *next_for(const struct procd_evidence *evidence,
                                           const struct procd_witness *witness)
{
    uint32_t age = 0;
    while (kept_at(evidence, age)->number <= witness->told_number)
        age++;
    return kept_at(evidence, age);
}

static void tell(struct procd *procd, uint32_t which, uint64_t now_ticks)
{
    struct procd_witness *witness = &procd->evidence.witnesses[which];
    const struct procd_killed *killed = next_for(&procd->evidence, witness);
    enum status status = which == PROCD_WITNESS_CRASHD ? report(procd, killed, now_ticks)
                                                       : say(procd, killed, now_ticks);
    if (is_answer(procd, status)) {
        witness->told_number = killed->number;
        forget_told(&procd->evidence);
        return;
    }
    /* Before it is tried again; what is refused is dropped before it is found anew. */
    (void)kernel_drop_local_cap(&procd->caller, peers[which].slot);
    give_up(procd, witness, false, now_ticks);
}

/* Evidence before lines. */
void procd_evidence_step(struct procd *procd, uint64_t now_ticks)
{
    if (procd_evidence_next_ticks(procd) > now_ticks)
        return;
    for (uint32_t i = 0; i < PROCD_WITNESS_COUNT; i++) {
        const struct procd_witness *witness = &procd->evidence.witnesses[i];
        if (!has_news(procd, witness) || due_ticks(procd, witness) > now_ticks)
            continue;
        if (witness->is_found)
            tell(procd, i, now_ticks);
        else
            find(procd, i, now_ticks);
        return;
    }
}

/* --- the check -------------------------------------------------------------------------------- */

static bool makes_sense(const struct procd_killed *killed)
{
    return killed->process_id != 0 && killed->reason >= END_KILLED &&
           killed->reason <= END_REASON_LAST && role_find(killed->role) != NULL;
}

/* Numbers ascend, and the last one is there until everybody was told of it. */
static const char *check_kept(const struct procd_evidence *evidence)
{
    uint64_t last = 0;
    for (uint32_t age = 0; age < evidence->ring.count; age++) {
        const struct procd_killed *killed = kept_at(evidence, age);
        if (!makes_sense(killed) || killed->number <= last)
            return "what is kept of a killed process makes no sense";
        if (killed->number <= told_to_all(evidence))
            return "what everybody was told of is kept";
        last = killed->number;
    }
    for (uint32_t i = 0; i < PROCD_WITNESS_COUNT; i++) {
        const struct procd_witness *witness = &evidence->witnesses[i];
        if (witness->told_number > evidence->killed_count ||
            witness->tried_number > evidence->killed_count)
            return "somebody was told of an end that has not come";
        if (witness->told_number < evidence->killed_count && last != evidence->killed_count)
            return "the youngest end is not kept";
    }
    return NULL;
}

const char *procd_evidence_check(const struct procd *procd)
{
    const char *problem = fair_ring_check(&procd->evidence.ring);
    return problem != NULL ? problem : check_kept(&procd->evidence);
}

void procd_evidence_visit_fields(const struct procd *procd,
                                 void (*visit)(void *context, uint64_t value), void *context)
{
    const struct procd_evidence *evidence = &procd->evidence;
    if (evidence->killed_count == 0 && !evidence->has_named)
        return;
    visit(context, evidence->killed_count);
    visit(context, evidence->has_named);
    for (uint32_t i = 0; i < PROCD_WITNESS_COUNT; i++) {
        visit(context, evidence->witnesses[i].told_number);
        visit(context, evidence->witnesses[i].tried_number);
        visit(context, evidence->witnesses[i].retry_ticks);
        visit(context, evidence->witnesses[i].news_ticks);
        visit(context, evidence->witnesses[i].is_found);
    }
    for (uint32_t age = 0; age < evidence->ring.count; age++) {
        const struct procd_killed *killed = kept_at(evidence, age);
        visit(context, killed->number);
        visit(context, killed->process_id);
        visit(context, killed->owner_id);
        visit(context, (uint64_t)killed->role << 32 | killed->reason);
        visit(context, killed->code);
        visit(context, killed->fault_va);
        visit(context, killed->ended_ticks);
    }
}
