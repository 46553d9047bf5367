/* SPDX-License-Identifier: ISC */
/* Compares what procd did with what its model says, through the books of the stand-in. */
#include "fuzz/life/procd_life.h"

#include <string.h>

#include "abi/address_space.h"
#include "abi/messages/kernel.h"
#include "abi/messages/memd.h"
#include "abi/messages/pagerd.h"
#include "abi/process.h"
#include "abi/roles.h"

static void add_field(void *context, uint64_t value)
{
    digest_add_u64(context, value);
}

uint64_t procd_life_digest(void)
{
    struct digest digest = digest_start();
    procd_visit_fields(&procd, add_field, &digest);
    return digest.value;
}

/* --- slots --- */

static uint32_t first_slot(uint64_t id)
{
    return PROCD_SLOT_PROCESS_BASE + PROCD_SLOTS_OF_PROCESS * ((uint32_t)(id & 0xFFFF) - 1);
}

/* The first half of a process's slots is for its life, the second for its mould, but for the last
 * two. */
enum { LIFE_SLOTS = PROCD_SLOT_MOULD, MOULD_SLOTS = PROCD_SLOT_NOTICE - PROCD_SLOT_MOULD };
enum { NOTICE_SLOTS = 2 };

static uint32_t notice_slot(uint64_t id)
{
    return first_slot(id) + PROCD_SLOT_NOTICE;
}

static uint32_t slots_filled(uint32_t first, uint32_t count)
{
    uint32_t filled = 0;
    for (uint32_t i = 0; i < count; i++)
        filled += stand_in_at(first + i).object_type != OBJECT_NONE;
    return filled;
}

static bool is_slot_refused(uint32_t first, uint32_t count)
{
    bool refused = false;
    for (uint32_t i = 0; i < count; i++)
        refused |= peers_of_procd_refuses(SERVICE_KERNEL, OP_KERNEL_DROP_LOCAL_CAP, first + i);
    return refused;
}

/* --- replies --- */

static void check_body(const void *expected, size_t bytes)
{
    PROPERTY_EQUAL(E2, "length", life.reply->message.header.body_bytes, bytes);
    PROPERTY(P1, "reply", memcmp(life.body, expected, bytes) == 0);
}

static void check_alias(void)
{
    PROPERTY_EQUAL(K1, "alias", life.reply->caps[0].object_type, OBJECT_ENDPOINT);
    PROPERTY_EQUAL(K1, "alias", life.reply->caps[0].rights, RIGHT_SEND | RIGHT_TRANSFER);
}

void compare_create(void)
{
    struct procd_create_staged_process_reply expected = {.process_id = life.predicted->id};
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 2);
    check_alias();
    PROPERTY_EQUAL(K1, "grant", life.reply->caps[1].object_type, OBJECT_GRANT);
    PROPERTY_EQUAL(K1, "grant", life.reply->caps[1].rights, RIGHT_CONTROL);
    check_body(&expected, sizeof expected);
}

void compare_spawn_service(void)
{
    struct procd_spawn_service_reply expected = {.process_id = life.predicted->id};
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 1);
    check_alias();
    check_body(&expected, sizeof expected);
}

void compare_spawn(void)
{
    struct procd_spawn_reply expected = {.process_id = life.predicted->id};
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 0);
    check_body(&expected, sizeof expected);
}

void compare_wait(void)
{
    const struct model_procd_reply *predicted = life.predicted;
    struct procd_wait_process_event_reply expected = {predicted->id,    predicted->reason,
                                                      predicted->code,  predicted->fault_va,
                                                      predicted->state, predicted->lives};
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 0);
    check_body(&expected, sizeof expected);
}

void compare_query(void)
{
    const struct model_procd_reply *predicted = life.predicted;
    struct procd_query_process_reply expected = {
        predicted->role, predicted->state, predicted->reason, predicted->code, predicted->lives, 0};
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 0);
    check_body(&expected, sizeof expected);
}

void compare_policy(void)
{
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 0);
    check_body(&life.predicted->policy, sizeof life.predicted->policy);
}

void compare_list(void)
{
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 0);
    check_body(&life.predicted->inspected.process, sizeof life.predicted->inspected.process);
}

void compare_slot(void)
{
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 0);
    check_body(&life.predicted->inspected.slot, sizeof life.predicted->inspected.slot);
}

/* A refusal, or a reply that says only OK. */
static void compare_bare(void)
{
    PROPERTY_EQUAL(E2, "bare", life.reply->message.header.body_bytes, 0);
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 0);
}

/* The endpoint that was there before is owed no more, unless the kernel refused to drop it. */
void compare_notice(void)
{
    uint64_t id = life.predicted->id;
    uint32_t owes = procd.processes[(id & 0xFFFF) - 1].owes & PROCD_OWES_NOTICE;
    PROPERTY(P5, "notice-owed",
             __builtin_popcount(owes) == 1 || is_slot_refused(notice_slot(id), NOTICE_SLOTS));
    compare_bare();
}

static void check_reply(void)
{
    const struct message *reply = &life.reply->message;
    const struct life_operation *row =
        life_operation_of(&procd_life_language, life.predicted->operation);
    PROPERTY_EQUAL(E5, "whose", reply->header.request_id, life.predicted->request_id);
    PROPERTY_EQUAL(E5, "operation", reply->header.operation, life.predicted->operation);
    PROPERTY_EQUAL(P1, "status", reply->header.status, life.predicted->status);
    memcpy(life.body, reply->body, reply->header.body_bytes);
    for (uint32_t i = 0; i < reply->header.cap_count; i++) /* slots are procd's own affair */
        memset(life.body + reply->caps[i].field_offset, 0, sizeof(uint32_t));
    if (reply->header.status == STATUS_OK && row->compare != NULL)
        row->compare();
    else
        compare_bare();
    digest_u64(reply->header.request_id);
    digest_u64(reply->header.status);
    digest_bytes(life.body, reply->header.body_bytes);
}

void procd_life_check_replies(void)
{
    if (life.lost)
        return;
    for (uint32_t i = 0; i < stand_in_reply_count() && i < model.reply_count; i++) {
        life.reply = stand_in_reply_at(i);
        life.predicted = &model.replies[i];
        check_reply();
    }
    PROPERTY_EQUAL(E5, "answers", stand_in_reply_count(), model.reply_count);
}

/* --- what is left --- */

/* What was refused to be taken back stays owed although it is not there: procd cannot know that. Of
 * an account that is there the messages tell. */
static bool is_account_refused(uint64_t key)
{
    return peers_account_closes(key) == 0 &&
           peers_of_procd_refuses(SERVICE_MEMD, OP_MEMD_CLOSE_ACCOUNT, key);
}

struct model_procd_left procd_life_left(uint64_t id)
{
    uint32_t object;
    uint32_t slot = first_slot(id);
    bool registered = peers_registration_find(id) != NULL;
    bool refused = is_account_refused(id) ||
                   peers_of_procd_refuses(SERVICE_PAGERD, OP_PAGERD_UNREGISTER_PROCESS, id);
    struct model_procd_left left = {
        .in_kernel = stand_in_process_find(id, &object),
        .closes = peers_account_closes(id),
    };
    left.with_peer = registered || left.closes != 0 || refused;
    left.in_slots = left.in_kernel || slots_filled(slot, LIFE_SLOTS) != 0 ||
                    is_slot_refused(slot, LIFE_SLOTS) ||
                    slots_filled(notice_slot(id), NOTICE_SLOTS) != 0 ||
                    is_slot_refused(notice_slot(id), NOTICE_SLOTS);
    left.other = left.in_slots || registered || refused;
    slot += LIFE_SLOTS;
    left.mould.in_kernel = stand_in_process_find(id | PEERS_PROCD_MOULD, &object);
    left.mould.closes = peers_account_closes(id | PEERS_PROCD_MOULD);
    left.mould.with_peer = left.mould.closes != 0 || is_account_refused(id | PEERS_PROCD_MOULD);
    left.mould.in_slots = left.mould.in_kernel || slots_filled(slot, MOULD_SLOTS) != 0 ||
                          is_slot_refused(slot, MOULD_SLOTS);
    return left;
}

/* Below a process that has ended, or one itself. */
static bool is_doomed(const struct model_procd_process *process)
{
    while (process != NULL && process->life != MODEL_PROCD_ENDING)
        process = process->owner == 0 ? NULL : model_procd_find(&model, process->owner);
    return process != NULL;
}

uint32_t procd_life_work(void)
{
    uint32_t work = 0;
    if (!model_procd_ends(&model))
        return 0;
    for (uint32_t i = 0; i < model.count; i++) {
        const struct model_procd_process *process = &model.processes[i];
        bool ends = model_procd_lives(process) || process->life == MODEL_PROCD_RESTING;
        uint32_t closes = process->closes + process->mould_closes;
        if ((ends || process->life == MODEL_PROCD_ENDING) && is_doomed(process))
            work += ends + (closes == 0 ? 1 : closes);
    }
    return work;
}

uint32_t procd_life_debts(void)
{
    uint32_t offers = 0;
    for (uint32_t i = 0; i < model.stirring_count; i++) {
        const struct model_procd_process *process = model_procd_stirring(&model, i);
        if (!process->owes)
            continue;
        struct model_procd_left left = procd_life_left(process->id);
        uint32_t closes = left.closes + left.mould.closes;
        offers += closes == 0 ? 1 : closes;
    }
    return offers;
}

/* --- books --- */

static void check_process(const struct model_procd_process *process)
{
    struct stand_in_cap cap = stand_in_at(first_slot(process->id));
    PROPERTY(P2, "cap", cap.object_type == OBJECT_PROCESS);
    const struct stand_in_process *real = stand_in_process(cap.object);
    enum stand_in_life expected = process->life == MODEL_PROCD_STAGED ? STAND_IN_STAGED
                                  : process->died                     ? STAND_IN_ENDED
                                                                      : STAND_IN_RUNNING;
    PROPERTY_EQUAL(K3, "token", real->token, process->id);
    PROPERTY_EQUAL(P2, "life", real->life, expected);
    PROPERTY_EQUAL(P4, "holds", real->installed_count, process->holds);
    if (process->life == MODEL_PROCD_RUNNING)
        PROPERTY_EQUAL(P1, "argument", real->argument, process->argument);
}

/* A mould never runs, and holds what every life of its process holds when it starts. */
static void check_mould(const struct model_procd_process *process)
{
    struct stand_in_cap cap = stand_in_at(first_slot(process->id) + LIFE_SLOTS);
    PROPERTY(P4, "mould", cap.object_type == OBJECT_PROCESS);
    const struct stand_in_process *real = stand_in_process(cap.object);
    PROPERTY_EQUAL(P4, "mould", real->token, process->id | PEERS_PROCD_MOULD);
    PROPERTY_EQUAL(P4, "mould", real->life, STAND_IN_STAGED);
    PROPERTY_EQUAL(P4, "mould", real->installed_count, process->holds);
    PROPERTY_EQUAL(P4, "mould", peers_account_parent(process->id | PEERS_PROCD_MOULD),
                   process->owner);
}

/* P10: who has an owner has one that lives, or is about to go with it. */
static void check_owner(const struct model_procd_process *process)
{
    const struct model_procd_process *owner = model_procd_find(&model, process->owner);
    PROPERTY(P10, "orphan",
             process->owner == 0 || (owner != NULL && (model_procd_lives(owner) ||
                                                       owner->life == MODEL_PROCD_ENDING)));
}

static uint64_t bootstrap_free_pages(void)
{
    return stand_in_untyped(peers_of_procd_bootstrap())->free_pages;
}

/* After a critical death: of all that procd made, nothing is left but what the kernel did not take
 * back. */
static void check_exited(void)
{
    uint32_t code;
    PROPERTY(P8, "exit", stand_in_exited(&code));
    PROPERTY_EQUAL(P8, "code", code, PROCD_EXIT_CRITICAL);
    PROPERTY_EQUAL(P8, "alone", stand_in_process_count(), peers_of_procd_unreleased());
    MARK_IF("procd: the end of the system left what the kernel refused",
            stand_in_process_count() != 0);
}

static void check_sound(void)
{
    const char *problem = procd_check(&procd);
    if (problem != NULL)
        TRACE("procd_check: %s", problem);
    PROPERTY(E9, "procd", problem == NULL);
}

/* How many of each the stand-ins must have: those of what lives, and what was refused. */
struct ledger {
    uint32_t processes, accounts, registrations, slots;
    uint64_t pages;
};

enum { MOULD_PAGES = 16 };

static void add_mould(struct ledger *ledger, const struct model_procd_process *process)
{
    struct model_procd_left left = procd_life_left(process->id);
    ledger->slots += slots_filled(first_slot(process->id) + LIFE_SLOTS, MOULD_SLOTS);
    ledger->processes += left.mould.in_kernel;
    ledger->accounts += left.mould.closes != 0;
    if (process->mould_dirty) { /* not made: its account has all of its pages, or has none yet */
        uint64_t pages = peers_account_pages(process->id | PEERS_PROCD_MOULD);
        PROPERTY(P5, "mould", pages == 0 || pages == MOULD_PAGES);
        ledger->pages += pages;
        return;
    }
    PROPERTY_EQUAL(P4, "mould", left.mould.in_slots, process->mould_closes != 0);
    if (process->mould_closes == 0)
        return;
    check_mould(process);
    ledger->pages += MOULD_PAGES;
}

/* The endpoint of its notices, and such as were refused to be dropped. */
static uint32_t notice_slots(const struct model_procd_process *process)
{
    uint32_t slot = notice_slot(process->id);
    uint32_t filled = slots_filled(slot, NOTICE_SLOTS);
    bool there = process->notice == 0 || stand_in_at(slot).object == process->notice ||
                 stand_in_at(slot + 1).object == process->notice;
    PROPERTY(P9, "notice", there);
    PROPERTY(P5, "notice", filled == (process->notice != 0) || is_slot_refused(slot, NOTICE_SLOTS));
    return filled;
}

/* Of what lives its PROCESS is kept, and until it is READY its endpoint, which may be refused then. */
static void add_slots(struct ledger *ledger, const struct model_procd_process *process)
{
    uint32_t filled = slots_filled(first_slot(process->id), LIFE_SLOTS);
    bool refused = is_slot_refused(first_slot(process->id), LIFE_SLOTS);
    uint32_t own = process->transfer ? 2u + process->in_hand : 1u + process->asked;
    PROPERTY(P5, "slots", filled == own || (filled == 2 && refused));
    ledger->slots += filled + notice_slots(process);
}

static void add_live(struct ledger *ledger, const struct model_procd_process *process)
{
    const struct role lowered = model_procd_role(process->role, &process->limits);
    const struct role *role = &lowered;
    bool paged = role->kind != ROLE_KIND_FOUNDATION;
    check_process(process);
    check_owner(process);
    ledger->processes++;
    ledger->accounts += paged;
    ledger->registrations += paged;
    ledger->pages += paged ? role->budget_pages : 0;
    ledger->pages += process->frames;
    if (paged)
        PROPERTY_EQUAL(P12, "parent", peers_account_parent(process->id), process->owner);
    add_slots(ledger, process);
    add_mould(ledger, process);
    const struct peers_registration *registration = peers_registration_find(process->id);
    if (registration == NULL)
        return;
    /* of whichever life */
    PROPERTY_EQUAL(G4, "limit", registration->backing.page_limit, role->page_limit);
    PROPERTY_EQUAL(G4, "data", registration->backing.data_offset, process->data_offset);
    PROPERTY_EQUAL(G4, "data", registration->backing.data_bytes, process->data_bytes);
}

/* What whoever waits will be told, early or late, and whether it is time. */
static void check_record(const struct model_procd_process *process)
{
    const struct procd_process *kept = &procd.processes[(process->id & 0xFFFF) - 1];
    PROPERTY_EQUAL(P3, "ended", kept->life == PROCD_LIFE_ENDED, process->life == MODEL_PROCD_ENDED);
    PROPERTY_EQUAL(P3, "reason", kept->reason, process->reason);
    PROPERTY_EQUAL(P3, "code", kept->code, process->code);
    PROPERTY_EQUAL(P3, "fault-va", kept->fault_va, process->fault_va);
}

static void add_left(struct ledger *ledger, const struct model_procd_process *process)
{
    struct model_procd_left left = procd_life_left(process->id);
    if (!process->died && process->life != MODEL_PROCD_OWED)
        check_record(process);
    ledger->processes += left.in_kernel;
    ledger->slots += slots_filled(first_slot(process->id), LIFE_SLOTS);
    ledger->slots += slots_filled(notice_slot(process->id), NOTICE_SLOTS);
    ledger->accounts += left.closes != 0;
    ledger->registrations += peers_registration_find(process->id) != NULL;
    if (process->life == MODEL_PROCD_RESTING) {
        PROPERTY_EQUAL(P4, "rests", model_procd_life_is_left(&left), process->owes);
        add_mould(ledger, process);
        return;
    }
    ledger->slots += slots_filled(first_slot(process->id) + LIFE_SLOTS, MOULD_SLOTS);
    ledger->processes += left.mould.in_kernel;
    ledger->accounts += left.mould.closes != 0;
}

static void check_ledger(const struct ledger *ledger)
{
    PROPERTY_EQUAL(P5, "processes", stand_in_process_count(), ledger->processes);
    PROPERTY_EQUAL(P5, "accounts", peers_accounts_count(), ledger->accounts);
    PROPERTY_EQUAL(P5, "registrations", peers_registration_count(), ledger->registrations);
    PROPERTY_EQUAL(P5, "slots", stand_in_slot_count(),
                   PEERS_PROCD_START_SLOTS + (model.bound ? 1u : 0u) + peers_witness_slots() +
                       ledger->slots);
    if (model_procd_works(&model))
        return;
    PROPERTY_EQUAL(P5, "memory", peers_accounts_handed_out(), ledger->pages);
    PROPERTY_EQUAL(P5, "bootstrap", bootstrap_free_pages(), model_procd_bootstrap_free(&model));
}

/* An end of named, logd or crashd is there when procd counts on it, or its drop was refused. */
static void check_late_bound(uint32_t slot, bool held)
{
    bool filled = !stand_in_slot_empty(slot);
    PROPERTY(P9, "late-bound", filled == held || (filled && is_slot_refused(slot, 1)));
}

static uint32_t waiting_count(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model.wait_count; i++)
        count += !model.waits[i].gone;
    return count;
}

void procd_life_check_books(void)
{
    PROPERTY_EQUAL(P8, "exit", stand_in_exited(NULL), model.exited);
    if (model.exited) {
        check_exited();
        return;
    }
    procd_life_mark_books();
    HARNESS(model_procd_stirring_is_whole(&model));
    check_sound();
    PROPERTY_EQUAL(E5, "kept", stand_in_reply_open_count(), waiting_count());
    PROPERTY(P11, "entry", !model.starved);
    struct ledger ledger = {0};
    for (uint32_t i = 0; i < model.count; i++) {
        const struct model_procd_process *process = &model.processes[i];
        if (model_procd_lives(process))
            add_live(&ledger, process);
        else if (model_procd_is_left(process))
            add_left(&ledger, process);
    }
    check_ledger(&ledger);
    check_late_bound(SLOT_PEER_NAMED, model.evidence.named);
    check_late_bound(SLOT_PEER_CRASHD, model.evidence.told[0].found);
    check_late_bound(SLOT_PEER_LOGD, model.evidence.told[1].found);
    if (model.bound) {
        PROPERTY_EQUAL(P7, "bound", stand_in_at(SLOT_BOOTSTRAP_UNTYPED).object_type, OBJECT_NONE);
        PROPERTY_EQUAL(P7, "bound", stand_in_at(SLOT_PEER_MEMD).object, ROLE_MEMD);
        PROPERTY_EQUAL(P7, "bound", stand_in_at(SLOT_PEER_PAGERD).object, ROLE_PAGERD);
    }
}

/* --- a process that was just made --- */

static uint64_t private_sum(const struct model_procd_process *process,
                            const struct elf_segment *segment, uint64_t page)
{
    uint64_t page_va = segment->va + page * PAGE_BYTES;
    uint64_t first = segment->va + segment->first_bytes;
    uint64_t end = first + segment->file_bytes;
    uint64_t from = page_va > first ? page_va : first;
    uint64_t to = page_va + PAGE_BYTES < end ? page_va + PAGE_BYTES : end;
    uint64_t content = 0;
    if (from < to)
        content = stand_in_content(process->image_offset + segment->file_offset + (from - first),
                                   (uint32_t)(to - from)) +
                  (from - page_va);
    return stand_in_page_sum(page_va, segment->rights, false, content);
}

/* Segments, and zeroed tables where the role has some. */
static uint64_t expected_map_sum(const struct model_procd_process *process,
                                 const struct elf_plan *plan)
{
    uint64_t sum = 0;
    uint64_t table_pages = role_table_pages(process->role, MODEL_PROCD_MEMORY_PAGES);
    for (uint64_t page = 0; page < table_pages; page++)
        sum += stand_in_page_sum(SERVICE_TABLE_VA + page * PAGE_BYTES, RIGHT_READ | RIGHT_WRITE,
                                 false, 0);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        uint64_t first = (process->image_offset + segment->file_offset) / PAGE_BYTES; /* image's */
        for (uint64_t page = 0; page < segment->pages; page++)
            sum += model_procd_shares(segment, page)
                       ? stand_in_page_sum(segment->va + page * PAGE_BYTES, segment->rights, true,
                                           first + page)
                       : private_sum(process, segment, page);
    }
    return sum;
}

static void check_backing(const struct model_procd_process *process, const struct elf_plan *plan,
                          const struct peers_registration *registration)
{
    struct pagerd_register_process_request expected;
    struct pagerd_register_process_request backing = registration->backing;
    model_procd_backing(process, plan, &expected);
    backing.vspace_slot = backing.account_slot = 0;
    PROPERTY_EQUAL(G4, "areas", backing.area_count, expected.area_count);
    PROPERTY(G4, "backing", memcmp(&backing, &expected, sizeof expected) == 0);
}

bool procd_life_lives(uint64_t id)
{
    const struct model_procd_process *process = model_procd_find(&model, id);
    return process != NULL && model_procd_lives(process);
}

void procd_life_check_made(uint64_t id)
{
    const struct model_procd_process *process = model_procd_find(&model, id);
    struct elf_plan plan;
    const struct role lowered = model_procd_role(process->role, &process->limits);
    const struct role *role = &lowered;
    bool foundation = role->kind == ROLE_KIND_FOUNDATION;
    uint32_t object;
    PROPERTY(P2, "made", stand_in_process_find(process->id, &object));
    const struct stand_in_process *real = stand_in_process(object);
    const struct peers_registration *registration = peers_registration_find(process->id);
    procd_life_plan(process, role, &plan);
    PROPERTY_EQUAL(K5, "budget", real->budget_pages,
                   foundation ? model_procd_budget(role->id) : role->budget_pages);
    PROPERTY_EQUAL(K5, "payer", real->untyped == peers_of_procd_bootstrap(), foundation);
    PROPERTY(P2, "pager", real->pager_declared && real->has_pager == !foundation);
    PROPERTY_EQUAL(P2, "registered", registration != NULL, !foundation);
    if (process->life == MODEL_PROCD_RUNNING) {
        PROPERTY_EQUAL(P2, "entry", real->entry_va, plan.entry);
        uint64_t given_va = HEAP_WINDOW_VA - PAGE_BYTES - (process->loaded ? 64 : 0);
        PROPERTY_EQUAL(P2, "stack", real->stack_top_va,
                       plan.stack_top != 0 ? plan.stack_top : given_va);
    }
    if (foundation) {
        PROPERTY_EQUAL(P2, "pages", stand_in_vspace_sum(real->vspace),
                       expected_map_sum(process, &plan));
        return;
    }
    PROPERTY_EQUAL(P6, "pages", stand_in_vspace_sum(real->vspace), procd_life_loaded_sum(process));
    PROPERTY(P2, "account", peers_account_is(registration->account, process->id, role));
    check_backing(process, &plan, registration);
}

/* --- marks --- */

static bool names_process(uint16_t operation)
{
    switch (operation) {
    case OP_PROCD_STOP_PROCESS:
    case OP_PROCD_START_STAGED_PROCESS:
    case OP_PROCD_ABORT_STAGED_PROCESS:
    case OP_PROCD_QUERY_PROCESS:
    case OP_PROCD_WAIT_PROCESS_EVENT:
        return true;
    }
    return false;
}

unsigned procd_life_state(const struct message *message)
{
    uint64_t id = 0;
    if (names_process(message->header.operation) && message->header.body_bytes >= sizeof id)
        memcpy(&id, message->body, sizeof id);
    const struct model_procd_process *process = model_procd_find(&model, id);
    unsigned state = model.bound ? 8 : 0;
    state |= message->header.badge == 0 ? 0 : 16;
    if (process == NULL)
        return state;
    return state | (unsigned)process->life | (process->died ? 4 : 0);
}
