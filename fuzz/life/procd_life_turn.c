/* SPDX-License-Identifier: ISC */
/* One turn of procd against its model: what comes, if anything; what procd does; whether that is
 * what the model says. */
#include "fuzz/life/procd_life.h"

#include <stdio.h>
#include <string.h>

#include "abi/profile.h"
#include "abi/roles.h"
#include "abi/text/generate.h"

/* Calls of one turn that are not the sweep's: a request's own, and those that undo it. */
enum { REQUEST_CALLS_MAX = 80 }; /* those of a chunk: four for each of sixteen pages, and its end */

/* Turns from an offer that was refused to the next one, as often as the driver endpoint is looked
 * at. */
enum { RETRY_TURNS = PROCD_RETRY_TICKS / PROCD_POLL_TICKS + 1 };

/* --- one turn of procd ---------------------------------------------------------------------- */

static void mark_late_bound(uint32_t slot, bool held)
{
    MARK_IF("procd: a dead end of a late-bound peer is left", !held && !stand_in_slot_empty(slot));
}

void procd_life_mark_books(void)
{
    for (uint32_t i = 0; i < model.stirring_count; i++) {
        const struct model_procd_process *process = model_procd_stirring(&model, i);
        MARK_IF("procd: a mould that was not made holds pages",
                process->mould_dirty &&
                    (model_procd_lives(process) || process->life == MODEL_PROCD_RESTING) &&
                    peers_account_pages(process->id | PEERS_PROCD_MOULD) != 0);
    }
    mark_late_bound(SLOT_PEER_NAMED, model.evidence.named);
    mark_late_bound(SLOT_PEER_CRASHD, model.evidence.told[0].found);
    mark_late_bound(SLOT_PEER_LOGD, model.evidence.told[1].found);
}

static void check_step(void)
{
    procd_life_check_replies();
    if (life.looks || model.exited)
        procd_life_check_books();
    else if (!life.books_wait)
        procd_life_mark_books();
}

/* A turn begins. */
static void begin(void)
{
    life.looks = oracle_step() && !life.books_wait;
}

/* Ends to come, and what is owed: a step of the sweep is for the one or the other. */
static uint32_t left(void)
{
    uint32_t work = procd_life_work();
    return work == 0 ? 0 : work + procd_life_debts();
}

/* P10: what is left gets less in every turn, by one at each step of the sweep: by one at least.
 * What a turn adds is known when it is over. */
static void check_work(uint32_t left_before, uint32_t added)
{
    uint32_t done = peers_of_procd_refused() == 0 ? 1 : 0;
    PROPERTY(P10, "turns",
             left() + done <= left_before || procd_life_work() == 0 || added != 0 || model.exited);
    if (model.bound && !model.exited) /* the end of the system ends all at once (P8) */
        PROPERTY(P10, "bounded",
                 peers_of_procd_calls() <=
                     MODEL_PROCD_STEPS * PROCD_STEP_CALLS + REQUEST_CALLS_MAX);
}

static void take_turn(void)
{
    uint64_t deadline = model_procd_next_ticks(&model, life.turn_ticks);
    enum status status = procd_turn(&procd, &life.turn_ticks);
    PROPERTY_EQUAL(P1, "turn", status, STATUS_OK);
    caller_flush(&procd.caller);
    peers_of_procd_turn_over();
    uint64_t taken_ticks = stand_in_now() - life.turn_ticks;
    PROPERTY(P12, "turn", taken_ticks <= PEERS_PROCD_TURN_TICKS);
    MARK_IF("procd: a turn took longer than a message may",
            taken_ticks > PEERS_PROCD_PATIENCE_TICKS);
    PROPERTY_EQUAL(P7, "deadline", peers_of_procd_deadline(), deadline);
    PROPERTY(E5, "delivered",
             !stand_in_delivery_pending() || peers_of_procd_lost() || stand_in_exited(NULL));
}

/* What a restart met, and what a child said. */
static struct model_procd_again again(void)
{
    struct peers_restarts restarts = peers_of_procd_restarts();
    struct peers_asked asked = peers_of_procd_asked();
    return (struct model_procd_again){
        .unread_count = restarts.unread_count,
        .unmade = restarts.unmade,
        .answered = asked.token != 0,
        .answer = asked.status,
    };
}

/* Who is asked for READY is whom the model asks, with the envelope of its role. */
static void check_asked(void)
{
    struct peers_asked asked = peers_of_procd_asked();
    const struct model_procd_process *process = model_procd_find(&model, asked.token);
    unsigned row_count = 0;
    PROPERTY_EQUAL(P4, "asked", asked.token, model.asked_id);
    MARK_IF("procd: another life", model.restarted != 0);
    if (process == NULL || asked.envelope.role == ROLE_NONE)
        return;
    (void)role_intake(process->role, &row_count);
    PROPERTY_EQUAL(P4, "envelope", asked.envelope.role, process->role);
    PROPERTY_EQUAL(P4, "envelope", asked.envelope.entry_count, row_count + 1);
    PROPERTY_EQUAL(P4, "envelope", asked.envelope.ready_ticks, process->policy.ready_ticks);
    PROPERTY_EQUAL(P4, "envelope", asked.envelope.validation_profile, VALIDATION_PROFILE_GRAPH);
    MARK_IF("procd: a new life is READY", asked.status == STATUS_OK);
    MARK_IF("procd: a new life is not READY yet", asked.status == STATUS_TIMED_OUT);
    MARK_IF("procd: a new life is refused",
            asked.status != STATUS_OK && asked.status != STATUS_TIMED_OUT);
}

/* Whoever wants to be called, and is to be, is called with the youngest end. Whether anybody is. */
static bool follow_notice(const struct model_procd_turn *turn)
{
    const struct peers_notice_call *call = peers_notice_call();
    struct model_procd_notice notice = {0};
    if (model.asked_id == 0 && (!turn->on_driver || turn->message == NULL))
        notice = model_procd_notice(&model, turn->driver_ticks);
    PROPERTY_EQUAL(P9, "noticed", call->count, notice.client != 0);
    if (notice.client == 0)
        return false;
    PROPERTY_EQUAL(P9, "endpoint", call->object, notice.object);
    PROPERTY_EQUAL(P9, "ended", call->ended, notice.ended);
    digest_u64(notice.client);
    digest_u64(notice.ended);
    const struct model_procd_process *client = model_procd_find(&model, notice.client);
    mark_triple("procd notice", client->notice_count, OP_EVENT_PROCESS_ENDED, call->status);
    model_procd_notice_heard(&model, &notice, call->status, turn->driver_ticks);
    return true;
}

/* A line says which end it is, and of whom and why. */
static void check_line(const struct logd_append_request *line, const struct model_procd_word *word)
{
    char expected[LOG_LINE_BYTES_MAX];
    const struct model_procd_killed *killed = word->killed;
    int length =
        snprintf(expected, sizeof expected, "killed %llu: %s:%s", (unsigned long long)word->number,
                 role_find(killed->role)->image, end_reason_name(killed->reason));
    if (killed->reason == END_KILLED)
        length +=
            snprintf(expected + length, sizeof expected - (size_t)length, ":0x%x", killed->code);
    PROPERTY_EQUAL(P9, "line", line->count, (uint64_t)length);
    PROPERTY(P9, "line", memcmp(line->text, expected, line->count) == 0);
}

/* What crashd and logd were told is what the model says, and nobody was told anything else (P9). */
static void follow_word(const struct model_procd_turn *turn)
{
    const struct peers_witness_call *call = peers_witness_call();
    bool driver_comes = turn->on_driver && turn->message != NULL;
    struct model_procd_word word = {0};
    if (!follow_notice(turn) && !driver_comes && model.asked_id == 0)
        word = model_procd_word(&model, turn->driver_ticks);
    if (call->uncleared != 0) {
        PROPERTY_EQUAL(P9, "cleared", word.looked_up, call->uncleared);
        PROPERTY_EQUAL(P9, "cleared", call->count, 0);
        model_procd_heard(&model, &word, STATUS_BUSY, true, turn->driver_ticks);
        MARK_IF("procd: what lay in the slot of a listener stayed there", true);
        return;
    }
    PROPERTY_EQUAL(P9, "whom", call->count == 0 ? 0 : call->role, word.role);
    if (word.role == 0)
        return;
    PROPERTY_EQUAL(P9, "lookup", call->looked_up, word.looked_up);
    if (word.role == ROLE_CRASHD) {
        PROPERTY_EQUAL(P9, call->report.number, word.number);
        PROPERTY_EQUAL(P9, call->report.process_id, word.killed->id);
        PROPERTY_EQUAL(P9, call->report.owner_id, word.killed->owner);
        PROPERTY_EQUAL(P9, call->report.role, word.killed->role);
        PROPERTY_EQUAL(P9, call->report.reason, word.killed->reason);
        PROPERTY_EQUAL(P9, call->report.code, word.killed->code);
        PROPERTY_EQUAL(P9, call->report.fault_va, word.killed->fault_va);
        PROPERTY_EQUAL(P9, call->report.ended_ticks, word.killed->ticks);
    }
    if (word.role == ROLE_LOGD)
        check_line(&call->line, &word);
    digest_u64((uint64_t)word.role << 32 | word.looked_up);
    digest_u64(word.number);
    mark_triple("procd says", word.looked_up, (uint16_t)word.role, call->status);
    MARK_IF("procd: an end was lost to a listener",
            word.looked_up == 0 &&
                word.number > 1 + model.evidence.told[word.role == ROLE_LOGD].count);
    model_procd_heard(&model, &word, call->status, call->answered, turn->driver_ticks);
    MARK_IF("procd: named is dead", word.looked_up != 0 && !model.evidence.named);
}

/* What became of it, by the model; of a system that ended for want of a peer nothing is asked. */
static void follow(struct model_procd_turn *turn)
{
    life_met_failures(stand_in_failures().count);
    turn->now_ticks = life.turn_ticks;
    turn->driver_ticks = peers_of_procd_driver_ticks();
    turn->reply_slot = stand_in_delivered_slot();
    turn->object = peers_notice_last();
    turn->again = again();
    if (peers_of_procd_lost()) {
        model.exited = life.lost = true;
        PROPERTY(P12, "dead", stand_in_exited(NULL));
        life.answer = (struct model_procd_answer){.lost = true};
        MARK_IF("procd: a peer counts as dead", true);
        return;
    }
    life.answer = model_procd_turn(&model, turn);
    follow_word(turn);
    check_asked();
}

/* What a request is about. */
static enum peers_work work_of(const struct message *message)
{
    switch (message->header.operation) {
    case OP_PROCD_SPAWN:
    case OP_PROCD_SPAWN_SERVICE:
    case OP_PROCD_CREATE_STAGED_PROCESS:
    case OP_PROCD_START_STAGED_PROCESS:
        return PEERS_MAKING;
    case OP_PROCD_BEGIN_LOADER_IMAGE_TRANSFER:
    case OP_PROCD_SEND_LOADER_IMAGE_CHUNK:
    case OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER:
        return PEERS_SENDING;
    case OP_PROCD_ABORT_STAGED_PROCESS:
    case OP_PROCD_STOP_PROCESS:
        return PEERS_ENDING;
    case OP_PROCD_UPDATE_FOUNDATION_ENDPOINTS:
    case OP_PROCD_BIND_NAMED:
        return PEERS_BINDING;
    case OP_PROCD_READ_SLOT:
        return PEERS_READING;
    case OP_PROCD_SET_NOTICE:
        return PEERS_NOTICING;
    default:
        return PEERS_NOTHING;
    }
}

/* What the request itself must get, as a result. */
static unsigned own_result(void)
{
    return life.answer.later ? LIFE_LATER : life.answer.lost ? LIFE_LOST : life.answer.status;
}

/* What it did get. */
static unsigned got_result(uint64_t request_id)
{
    for (uint32_t i = 0; i < stand_in_reply_count(); i++) {
        const struct message_header *header = &stand_in_reply_at(i)->message.header;
        if (header->request_id == request_id)
            return header->status;
    }
    return stand_in_reply_was_lost() || life.lost ? LIFE_LOST : LIFE_LATER;
}

/* Who waits for a turn, and for whose. */
static void mark_due(void)
{
    uint32_t due = 0;
    uint64_t owner = 0;
    bool several = false;
    for (uint32_t i = 0; i < model.stirring_count && !model.exited; i++) {
        const struct model_procd_process *process = model_procd_stirring(&model, i);
        several |= process->due && due != 0 && process->owner != owner;
        owner = process->due ? process->owner : owner;
        due += process->due;
    }
    MARK_IF("procd: children of one owner wait for its turn", due > 1 && !several);
    MARK_IF("procd: children of several owners wait for a turn", several);
}

void procd_life_mark_paths(unsigned result, uint32_t answers)
{
    bool failed = peers_of_procd_failure().count != 0;
    MARK_IF("procd: undone after a failed effect", failed);
    MARK_IF("procd: undone after a lost reply", stand_in_reply_was_lost());
    MARK_IF("procd: one end wakes several waiters", answers > 2);
    MARK_IF("procd: a record made room", result == STATUS_OK && model.count == PROCD_PROCESS_LIMIT);
    MARK_IF("procd: a release was refused", peers_of_procd_refused() != 0);
    MARK_IF("procd: parked fills are tried again", peers_of_procd_woken() != 0);
    MARK_IF("procd: something is left to do", model_procd_works(&model));
    mark_due();
}

const struct operation *procd_life_row(uint16_t id)
{
    return operation_find(SERVICE_PROCD, id);
}

/* No effect fails any more, and no reply is lost. */
void procd_life_calm(void)
{
    stand_in_fail_never();
    peers_of_procd_garble(false);
    life.losing = STATUS_OK;
    stand_in_lose_reply(life.losing);
}

/* Delivers a request, lets procd take its turn, and follows the model. */
static unsigned deliver(const struct message *message, bool on_driver)
{
    uint64_t named = 0;
    memcpy(&named, message->body, sizeof named);
    stand_in_message_begin();
    peers_of_procd_turn(work_of(message), named, message->header.request_id);
    peers_of_procd_deliver(on_driver ? SLOT_PROCD_DRIVER_ENDPOINT : SLOT_SERVICE_ENDPOINT, message);
    uint32_t left_before = left();
    take_turn();
    struct peers_failure failure = peers_of_procd_failure();
    struct model_procd_turn turn = {
        .message = stand_in_delivered(),
        .on_driver = on_driver,
        .failure =
            {
                .count = failure.count,
                .status = failure.status,
                .operation = failure.operation,
                .reply = stand_in_reply_was_lost() ? life.losing : STATUS_OK,
            },
    };
    procd_life_calm();
    follow(&turn);
    life_predicted(own_result(), got_result(message->header.request_id));
    check_work(left_before, procd_life_work());
    return own_result();
}

static void mark(const struct message *message, unsigned state, unsigned result)
{
    uint16_t id = message->header.operation;
    mark_triple(result == LIFE_LATER  ? "procd kept"
                : result == LIFE_LOST ? "procd lost"
                                      : "procd",
                state, procd_life_row(id) != NULL ? id : 0, life.answer.status);
    procd_life_mark_paths(result, model.reply_count);
}

/* Something of a mould that could not be made was refused to be taken back, and is written down. */
static bool has_dirty_mould(void)
{
    for (uint32_t i = 0; i < model.stirring_count; i++) {
        if (model_procd_stirring(&model, i)->mould_dirty)
            return true;
    }
    return false;
}

/* Nothing but the request, lives and words can have changed anything in this turn. Whoever finds what
 * is left of a mould gives it back first, whatever comes of the request. */
static bool is_calm(uint32_t waits, bool worked, bool was_dirty)
{
    return !was_dirty && !life.books_wait && !worked && !model_procd_works(&model) &&
           model.reply_count == 1 && model.wait_count == waits && !has_dirty_mould();
}

/* Sums of the fields that the digest is made of, to be compared within a life. */
static uint64_t sum_of_state(void)
{
    uint64_t sum = 0;
    procd_visit_fields(&procd, digest_fold, &sum);
    return sum;
}

static uint64_t sum_of_entry(uint32_t index)
{
    uint64_t sum = 0;
    procd_visit_entry(&procd, index, digest_fold, &sum);
    return sum;
}

/* What was before a request, where anybody asks for it: where the state is looked at, or another life
 * may begin or be asked for READY. */
static struct kept {
    struct model_procd_process said;
    uint64_t digest;
} kept[PROCD_PROCESS_LIMIT];
static uint32_t kept_count;

static bool some_wait(void)
{
    for (uint32_t i = 0; i < model.stirring_count; i++) {
        const struct model_procd_process *process = model_procd_stirring(&model, i);
        if (process->timed || process->due)
            return true;
    }
    return false;
}

static void keep(void)
{
    kept_count = !life.books_wait && (life.looks || some_wait()) ? model.count : 0;
    for (uint32_t i = 0; i < kept_count; i++)
        kept[i] = (struct kept){model.processes[i], life.looks ? sum_of_entry(i) : 0};
}

/* Whether one that waited for its time, or for its turn, does no longer. */
static bool some_fell_due(void)
{
    for (uint32_t i = 0; i < kept_count; i++) {
        const struct model_procd_process *process = &model.processes[i];
        if (process->due != kept[i].said.due || process->next_ticks != kept[i].said.next_ticks)
            return true;
    }
    return false;
}

/* ... nor have lives and words. */
static bool is_quiet(void)
{
    const struct peers_witness_call *word = peers_witness_call();
    return word->count == 0 && word->uncleared == 0 && peers_notice_call()->count == 0 &&
           model.restarted == 0 && model.asked_id == 0 && !some_fell_due();
}

/* Whether a child of it waits for its owner's turn since, or does no longer. */
static bool has_child_that_fell_due(uint64_t id)
{
    for (uint32_t i = 0; i < kept_count; i++) {
        if (model.processes[i].owner == id && model.processes[i].due != kept[i].said.due)
            return true;
    }
    return false;
}

static bool is_over(const struct model_procd_process *process)
{
    return !model_procd_lives(process) && process->life != MODEL_PROCD_RESTING;
}

/* Whether a child of it came to its end for good, as one that is not READY when it is asked may. */
static bool has_child_that_ended(uint64_t id)
{
    for (uint32_t i = 0; i < kept_count; i++) {
        if (kept[i].said.owner == id && !is_over(&kept[i].said) && is_over(&model.processes[i]))
            return true;
    }
    return false;
}

/* Whom the turn's lives and words were not about is as before (E1). Those that are due are linked to
 * each other, and to their owner; so are all children of one. */
static void check_others(void)
{
    HARNESS(kept_count != 0 || model.count == 0 || (model.restarted == 0 && model.asked_id == 0));
    for (uint32_t i = 0; i < kept_count; i++) {
        bool same = memcmp(&kept[i].said, &model.processes[i], sizeof kept[i].said) == 0;
        const struct model_procd_process *process = &model.processes[i];
        if (life.looks && same && !process->due && !has_child_that_fell_due(process->id) &&
            !has_child_that_ended(process->id) && !has_child_that_ended(process->owner))
            PROPERTY_EQUAL(E1, "beside", sum_of_entry(i), kept[i].digest);
        MARK_IF("procd: a refusal beside a life that begins", same && model.restarted != 0);
        MARK_IF("procd: a refusal beside a call for READY", same && model.asked_id != 0);
    }
}

unsigned procd_life_send(struct message *message, bool on_driver)
{
    begin();
    unsigned state = procd_life_state(message);
    uint32_t waits = model.wait_count;
    bool worked = model_procd_works(&model);
    bool was_dirty = has_dirty_mould();
    uint64_t sent_id = model.transfer.id;
    if (message->header.badge == BADGE_KERNEL) /* nobody can mint it */
        message->header.badge = BADGE_KERNEL - 1;
    life_print_request(&procd_life_language, message, on_driver);
    message->header.request_id = ++life.request_id;
    uint64_t before = life.looks ? sum_of_state() : 0;
    keep();
    unsigned result = deliver(message, on_driver);
    life_print_result(life.answer.status);
    check_step();
    bool refused = result != STATUS_OK && result < STATUS_COUNT;
    bool sent = model.transfer.id != sent_id; /* no more: a refusal may end a transfer */
    if (refused && !sent && !model.exited && is_calm(waits, worked, was_dirty)) {
        check_others();
        if (life.looks && is_quiet())
            PROPERTY_EQUAL(E1, "refusal", sum_of_state(), before);
    }
    if (life.answer.made_id != 0 && !model.exited && procd_life_lives(life.answer.made_id))
        procd_life_check_made(life.answer.made_id);
    mark(message, state | (on_driver ? 32u : 0), result);
    return result;
}

/* A well-formed request of the administrator or a client. */
unsigned procd_life_ask(const struct operation *row, const void *body, uint64_t badge,
                        bool on_driver)
{
    struct message message;
    memset(&message, 0, sizeof message);
    generate_delivered(row->request, body, &message);
    message.header.badge = badge;
    return procd_life_send(&message, on_driver);
}

/* A turn in which nothing comes but time, or the end of a process. */
void procd_life_turn(uint64_t ended_id)
{
    begin();
    uint32_t left_before = left();
    uint64_t transfer_id = model.transfer.id;
    take_turn();
    procd_life_calm();
    follow(&(struct model_procd_turn){.ended_id = ended_id});
    bool timed_out =
        model.transfer.id != transfer_id; /* what was staged for it is to be given back */
    bool adds = ended_id != 0 || model.restarted != 0 || timed_out;
    check_work(left_before, adds ? procd_life_work() : 0);
    check_step();
}

void procd_life_idle(void)
{
    stand_in_message_begin();
    peers_of_procd_turn(PEERS_NOTHING, 0, 0);
    procd_life_turn(0);
    procd_life_mark_paths(STATUS_COUNT, model.reply_count + 1);
}

/* Until nothing is left to do, a step of it in each turn; each refused release is offered again in
 * time, in one of RETRY_TURNS turns. No time goes by in turns that tell crashd or logd what is kept. */
void procd_life_drain(void)
{
    procd_life_calm();
    peers_of_procd_slow(0);
    peers_of_procd_child(PEERS_CHILD_READY);
    uint32_t turns = procd_life_work() + RETRY_TURNS * procd_life_debts() + model.wait_count;
    turns += 2 * (model.evidence.kept_count + 1); /* to each of the two, and a lookup */
    for (uint32_t i = 0; i < model.stirring_count; i++)
        turns += model_procd_stirring(&model, i)->timed ? RETRY_TURNS : 0;
    for (uint32_t turn = 0; model_procd_works(&model) && !model.exited; turn++) {
        PROPERTY(P10, "drained", turn < turns);
        procd_life_idle();
    }
}
