/* SPDX-License-Identifier: ISC */
/* Another life for what has ended (P4): the policy, when there is a next life, and whether that is
 * READY. Decides nothing about how a process is made (create.c) or what an end takes with it
 * (ending.c), or whose turn it is (pace.c); never waits for a child for longer than a tick. */
#include "services/procd/internal.h"

#include <string.h>

#include "abi/process.h"
#include "services/lib/call_startup.h"
#include "services/lib/launch_envelope.h"

enum { START_TICKS = 1 };

/* --- the policy ------------------------------------------------------------------------------- */

/* What a client asks for costs everybody something: it is bounded in each window, and each delay. */
static bool is_affordable(const struct procd_set_restart_policy_request *policy)
{
    return policy->policy == RESTART_NEVER ||
           (policy->base_delay_ticks >= RESTART_CLIENT_DELAY_TICKS_MIN &&
            policy->delay_cap_ticks >= RESTART_CLIENT_DELAY_TICKS_MIN &&
            policy->window_ticks >= RESTART_CLIENT_WINDOW_TICKS_MIN &&
            policy->budget_count <= RESTART_CLIENT_BUDGET_MAX);
}

enum status procd_set_restart_policy(struct procd *procd, struct procd_request *request)
{
    const struct procd_set_restart_policy_request *body = &request->body.set_restart_policy;
    uint32_t index;
    uint32_t which;
    enum status found = procd_table_find(procd, &request->sender, body->process_id, &index);
    if (found != STATUS_OK)
        return found;
    struct procd_process *process = &procd->processes[index];
    if (process->life == PROCD_LIFE_RUNNING || process->life == PROCD_LIFE_RESTING)
        return STATUS_BUSY;
    if (process->life != PROCD_LIFE_STAGED)
        return STATUS_NOT_FOUND;
    bool is_client = request->sender.owner != 0;
    if ((body->critical != 0 && is_client) || procd_is_foundation(process->role, &which))
        return STATUS_DENIED;
    if (is_client && !is_affordable(body))
        return STATUS_OVER_LIMIT;
    process->policy = (struct procd_policy){
        .base_delay_ticks = body->base_delay_ticks,
        .delay_cap_ticks = body->delay_cap_ticks,
        .stable_after_ticks = body->stable_after_ticks,
        .window_ticks = body->window_ticks,
        .ready_ticks = body->ready_ticks,
        .policy = body->policy,
        .budget_count = body->budget_count,
        .critical = body->critical != 0,
    };
    return STATUS_OK;
}

enum status procd_get_restart_policy(struct procd *procd, struct procd_request *request)
{
    uint32_t index;
    uint32_t which;
    enum status found = procd_table_find(procd, &request->sender,
                                         request->body.get_restart_policy.process_id, &index);
    if (found != STATUS_OK)
        return found;
    const struct procd_process *process = &procd->processes[index];
    const struct procd_policy *policy = &process->policy;
    request->reply.get_restart_policy = (struct procd_get_restart_policy_reply){
        .policy = policy->policy,
        .critical = policy->critical || procd_is_foundation(process->role, &which),
        .base_delay_ticks = policy->base_delay_ticks,
        .delay_cap_ticks = policy->delay_cap_ticks,
        .stable_after_ticks = policy->stable_after_ticks,
        .window_ticks = policy->window_ticks,
        .ready_ticks = policy->ready_ticks,
        .budget_count = policy->budget_count,
        .used_count = process->lives.used_count,
    };
    return STATUS_OK;
}

/* --- whether and when ------------------------------------------------------------------------- */

/* KILLED is procd's own doing, on somebody's order; a life that was not READY is told apart. */
static bool is_covered(const struct procd_policy *policy, uint32_t reason)
{
    if (reason == END_KILLED || policy->policy == RESTART_NEVER)
        return false;
    return reason != END_EXITED || policy->policy == RESTART_ALWAYS;
}

/* One tick at least, so that no turn sees the end of a life and the beginning of the next. */
static uint64_t delay_of(const struct procd_policy *policy, uint32_t doublings)
{
    uint64_t delay_ticks = policy->base_delay_ticks;
    for (uint32_t i = 0; i < doublings && delay_ticks < policy->delay_cap_ticks; i++)
        delay_ticks = delay_ticks > UINT64_MAX / 2 ? UINT64_MAX : 2 * delay_ticks;
    if (delay_ticks > policy->delay_cap_ticks)
        delay_ticks = policy->delay_cap_ticks;
    return delay_ticks == 0 ? 1 : delay_ticks;
}

/* Delays count up to this: another doubling changes none. */
enum { DOUBLINGS_MAX = 64 };

bool procd_restart_decide(struct procd *procd, uint32_t index, bool not_ready, uint32_t reason)
{
    struct procd_process *process = &procd->processes[index];
    const struct procd_policy *policy = &process->policy;
    struct procd_lives *lives = &process->lives;
    if (policy->policy == RESTART_NEVER || (!not_ready && !is_covered(policy, reason)))
        return false;
    if (lives->used_count == 0 ||
        procd->now_ticks - lives->window_began_ticks >= policy->window_ticks) {
        lives->window_began_ticks = procd->now_ticks;
        lives->used_count = 0;
    }
    bool was_ready = process->life == PROCD_LIFE_RUNNING && !lives->is_asked;
    if (was_ready && procd->now_ticks - lives->ready_at_ticks >= policy->stable_after_ticks)
        lives->unstable_count = 0;
    lives->is_parked = lives->used_count >= policy->budget_count;
    if (lives->is_parked)
        return false;
    lives->used_count++;
    lives->delay_ticks = delay_of(policy, lives->unstable_count);
    lives->unstable_count += lives->unstable_count < DOUBLINGS_MAX;
    return true;
}

/* --- the next life ---------------------------------------------------------------------------- */

/* An attempt that failed is an end like another. What the last life ended with stays its reason. */
static void rest_again(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    if (procd_restart_decide(procd, index, true, process->reason)) {
        procd_table_rest_on(procd, index);
        return;
    }
    if (process->policy.critical)
        procd->peer_lost = true; /* P8 */
    else
        procd_end(procd, index, process->reason, process->code, process->fault_va);
}

/* What could not be done yet. */
static void ask_later(struct procd *procd, uint32_t index)
{
    procd_deadline_set(&procd->timers, index, deadline_after(procd->now_ticks, PROCD_ASK_TICKS));
}

static void begin_life(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    struct procd_lives *lives = &process->lives;
    process->life = PROCD_LIFE_RUNNING;
    process->reason = END_NONE;
    process->code = 0;
    process->fault_va = 0;
    lives->life_count++;
    lives->ready_at_ticks = procd->now_ticks;
    lives->is_asked = process->policy.ready_ticks != 0;
    if (!lives->is_asked)
        return;
    lives->until_ticks = deadline_after(procd->now_ticks, process->policy.ready_ticks);
    ask_later(procd, index);
}

static void restart(struct procd *procd, uint32_t index)
{
    enum status status = procd_create_again(procd, index);
    if (procd->peer_lost)
        return;
    if (status == STATUS_OK)
        begin_life(procd, index);
    else
        rest_again(procd, index);
}

/* --- READY ------------------------------------------------------------------------------------ */

/* OK: it has said READY, for the role and as many capabilities as the envelope names. */
static enum status ask(struct procd *procd, uint32_t index)
{
    const struct role *role = role_find(procd->processes[index].role);
    struct launch_terms terms = {
        .validation_profile = procd->validation_profile,
        .ready_ticks = procd->processes[index].policy.ready_ticks,
    };
    struct envelope envelope;
    struct startup_start_service_request request;
    struct startup_start_service_reply reply;
    enum status status = launch_envelope_make(role, &terms, &envelope);
    if (status == STATUS_OK)
        status = launch_envelope_request(&envelope, &request);
    if (status == STATUS_OK)
        status = startup_call_start_service(
            &procd->caller, procd_slot(index, PROCD_SLOT_ENDPOINT), NO_WINDOW,
            deadline_after(procd->now_ticks, START_TICKS), &request, &reply);
    if (status != STATUS_OK)
        return status;
    bool ready = reply.role == role->id && reply.checked_cap_count == envelope.entry_count;
    return ready ? STATUS_OK : STATUS_INTERNAL;
}

/* What had ended before, by itself or by an order, has its own record, whatever KILL says of it. */
static void not_ready(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    struct kernel_retire_process_reply record = {.reason = END_KILLED,
                                                 .code = PROCD_EXIT_NOT_READY};
    enum status killed =
        kernel_kill_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                            procd_slot(index, PROCD_SLOT_PROCESS), PROCD_EXIT_NOT_READY);
    enum status retired = procd_retire(procd, index, &record);
    if (killed == STATUS_NOT_FOUND && retired != STATUS_OK) {
        ask_later(procd, index); /* its terminal event comes first, and says what it was */
        return;
    }
    if (retired == STATUS_OK)
        procd_paid(process, PROCD_OWES_RETIRE);
    bool by_this = killed != STATUS_NOT_FOUND && record.code == PROCD_EXIT_NOT_READY;
    procd_end_of_life(procd, index, by_this, &record);
}

/* Who is READY needs no end of its own here any more; a slot that is not given back goes with its
 * end. */
static void is_ready(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    process->lives.is_asked = false;
    process->lives.ready_at_ticks = procd->now_ticks;
    if (kernel_drop_local_cap(&procd->caller, procd_slot(index, PROCD_SLOT_ENDPOINT)) == STATUS_OK)
        procd_paid(process, 1u << PROCD_SLOT_ENDPOINT);
}

static void ask_for_ready(struct procd *procd, uint32_t index)
{
    const struct procd_lives *lives = &procd->processes[index].lives;
    enum status status = ask(procd, index);
    if (status == STATUS_OK)
        is_ready(procd, index);
    else if (status == STATUS_TIMED_OUT && procd->now_ticks < lives->until_ticks)
        ask_later(procd, index);
    else
        not_ready(procd, index);
}

/* P9: a record of what ended comes before what follows, as long as there is somebody to tell. */
static bool waits_for_evidence(const struct procd *procd, uint32_t index)
{
    return procd_evidence_next_ticks(procd) != DEADLINE_NEVER &&
           !procd_evidence_stands(procd, procd->processes[index].lives.killed_number);
}

/* Its time has come: what its owner's turn is waited for. */
static void falls_due(struct procd *procd, uint32_t index)
{
    procd_deadline_clear(&procd->timers, index);
    if (procd->processes[index].life == PROCD_LIFE_RESTING && waits_for_evidence(procd, index))
        ask_later(procd, index);
    else
        procd_pace_add(procd, index);
}

/* A call for READY that is due waits for a fresh clock. */
bool procd_restart_step(struct procd *procd)
{
    uint32_t index;
    if (procd_pace_due(procd, procd->now_ticks, &index) &&
        procd->processes[index].life == PROCD_LIFE_RESTING) {
        procd_pace_take(procd, index);
        restart(procd, index);
        return true;
    }
    if (!procd_deadline_due(&procd->timers, procd->now_ticks, &index))
        return false;
    falls_due(procd, index);
    return true;
}

bool procd_restart_ask(struct procd *procd, uint64_t now_ticks)
{
    uint32_t index;
    if (!procd_pace_due(procd, now_ticks, &index) ||
        procd->processes[index].life != PROCD_LIFE_RUNNING)
        return false;
    procd->now_ticks = procd->peer_ticks = now_ticks;
    procd_pace_take(procd, index);
    ask_for_ready(procd, index);
    return true;
}
