/* SPDX-License-Identifier: ISC */
/* Compares what procd did with what its model says, through the books of the stand-in. */
#include "fuzz/life/procd_life_check.h"

#include <string.h>

#include "abi/roles.h"
#include "fuzz/harness.h"
#include "props/stand_ins/peers_of_procd.h"

static void digest_process(struct digest *digest, const struct procd_process *process)
{
    digest_add_u64(digest, process->generation);
    digest_add_u64(digest, process->owner);
    digest_add_u64(digest, process->entry_va);
    digest_add_u64(digest, process->stack_top_va);
    digest_add_u64(digest, process->fault_va);
    digest_add_u64(digest, (uint64_t)process->role << 32 | process->account_id);
    digest_add_u64(digest, (uint64_t)process->reason << 32 | process->code);
    digest_add_u64(digest, (uint64_t)process->next_ended << 32 | (uint32_t)process->life << 8 |
                               process->owes);
}

uint64_t ledger_digest(const struct procd *state)
{
    struct digest digest = digest_start();
    digest_add_u64(&digest, (uint64_t)state->foundation_bound << 1 | state->exiting);
    digest_add_u64(&digest, (uint64_t)state->used_count << 32 | state->live_count);
    digest_add_u64(&digest, (uint64_t)state->ended_first << 32 | state->ended_last);
    for (uint32_t i = 0; i < PROCD_FOUNDATION_COUNT; i++)
        digest_add_u64(&digest, state->foundation_entries[i]);
    for (uint32_t i = 0; i < state->waiter_count; i++) {
        const struct procd_waiter *waiter = &state->waiters[i];
        digest_add_u64(&digest, waiter->process_id);
        digest_add_u64(&digest, waiter->deadline_ticks);
        digest_add_u64(&digest, waiter->request_id);
        digest_add_u64(&digest, waiter->badge);
        digest_add_u64(&digest, waiter->reply_slot);
    }
    for (uint32_t i = 0; i < state->used_count; i++)
        digest_process(&digest, &state->processes[i]);
    return digest.value;
}

/* --- replies -------------------------------------------------------------------------------- */

static void check_caps(const struct stand_in_reply *reply)
{
    const struct message_header *header = &reply->message.header;
    bool ok = header->status == STATUS_OK;
    bool staged = ok && header->operation == OP_PROCD_CREATE_STAGED_PROCESS;
    bool service = ok && header->operation == OP_PROCD_SPAWN_SERVICE;
    PROPERTY_EQUAL(K1, "caps", header->cap_count, staged ? 2u : service ? 1u : 0u);
    if (staged || service) {
        PROPERTY_EQUAL(K1, "alias", reply->caps[0].object_type, OBJECT_ENDPOINT);
        PROPERTY_EQUAL(K1, "alias", reply->caps[0].rights, RIGHT_SEND | RIGHT_TRANSFER);
    }
    if (staged) {
        PROPERTY_EQUAL(K1, "grant", reply->caps[1].object_type, OBJECT_GRANT);
        PROPERTY_EQUAL(K1, "grant", reply->caps[1].rights, RIGHT_CONTROL);
    }
}

/* Slots in bodies are zero here: their numbers are procd's own affair. */
static void check_body(const uint8_t *body, size_t body_bytes, const struct model_answer *answer)
{
    struct procd_wait_process_event_reply wait = {answer->id, answer->reason, answer->code,
                                                  answer->fault_va};
    struct procd_query_process_reply query = {answer->role, answer->state, answer->reason,
                                              answer->code};
    struct procd_create_staged_process_reply made = {.process_id = answer->id};
    const void *expected = &made;
    size_t bytes = 0;
    switch (answer->operation) {
    case OP_PROCD_CREATE_STAGED_PROCESS:
    case OP_PROCD_SPAWN_SERVICE:
        bytes = sizeof made;
        break;
    case OP_PROCD_SPAWN:
        bytes = sizeof made.process_id;
        break;
    case OP_PROCD_WAIT_PROCESS_EVENT:
        expected = &wait;
        bytes = sizeof wait;
        break;
    case OP_PROCD_QUERY_PROCESS:
        expected = &query;
        bytes = sizeof query;
        break;
    default:
        break;
    }
    PROPERTY_EQUAL(E2, "length", body_bytes, bytes);
    PROPERTY(P1, "reply", memcmp(body, expected, bytes) == 0);
}

/* The body of a reply with zeros for slots. */
static void copy_body(const struct stand_in_reply *reply, uint8_t *body)
{
    memcpy(body, reply->message.body, reply->message.header.body_bytes);
    for (uint32_t i = 0; i < reply->message.header.cap_count; i++)
        memset(body + reply->message.caps[i].field_offset, 0, sizeof(uint32_t));
}

void ledger_check_replies(const struct model_procd *model)
{
    uint8_t body[MESSAGE_BODY_BYTES_MAX];
    for (uint32_t i = 0; i < stand_in_reply_count() && i < model->answer_count; i++) {
        const struct stand_in_reply *reply = stand_in_reply_at(i);
        const struct message_header *header = &reply->message.header;
        const struct model_answer *answer = &model->answers[i];
        PROPERTY_EQUAL(E5, "whose", header->request_id, answer->request_id);
        PROPERTY_EQUAL(E5, "operation", header->operation, answer->operation);
        PROPERTY_EQUAL(P1, "status", header->status, answer->status);
        check_caps(reply);
        copy_body(reply, body);
        if (header->status == STATUS_OK)
            check_body(body, header->body_bytes, answer);
        else
            PROPERTY_EQUAL(E2, "refusal", header->body_bytes, 0);
        digest_u64(header->request_id);
        digest_u64(header->status);
        digest_bytes(body, header->body_bytes);
    }
    PROPERTY_EQUAL(E5, "answers", stand_in_reply_count(), model->answer_count);
}

/* --- books ------------------------------------------------------------------------------------ */

static void check_process(const struct model_process *process)
{
    uint32_t slot = PROCD_SLOT_PROCESS_BASE + (uint32_t)(process->id & 0xFFFF) - 1;
    struct stand_in_cap cap = stand_in_at(slot);
    if (process->life == MODEL_ENDED) {
        return;
    }
    PROPERTY(P2, "cap", cap.object_type == OBJECT_PROCESS);
    const struct stand_in_process *real = stand_in_process(cap.object);
    enum stand_in_life life = process->life == MODEL_STAGED ? STAND_IN_STAGED
                              : process->died               ? STAND_IN_ENDED
                                                            : STAND_IN_RUNNING;
    PROPERTY_EQUAL(K3, "token", real->token, process->id);
    PROPERTY_EQUAL(P2, "life", real->life, life);
    if (process->life == MODEL_RUNNING)
        PROPERTY_EQUAL(P1, "argument", real->argument, process->argument);
}

static uint64_t bootstrap_free_pages(void)
{
    return stand_in_untyped(peers_of_procd_bootstrap())->free_pages;
}

/* After a critical death: of all that procd made, nothing is left that could run. */
static void check_exited(void)
{
    uint32_t code;
    PROPERTY(P8, "exit", stand_in_exited(&code));
    PROPERTY_EQUAL(P8, "code", code, PROCD_EXIT_CRITICAL);
    PROPERTY_EQUAL(P8, "alone", stand_in_process_count(), 0);
    PROPERTY_EQUAL(P8, "bootstrap", bootstrap_free_pages(), PEERS_PROCD_BOOTSTRAP_PAGES);
}

static void check_sound(const struct procd *state)
{
    const char *problem = procd_check(state);
    if (problem != NULL)
        TRACE("procd_check: %s", problem);
    PROPERTY(E9, "procd", problem == NULL);
}

void ledger_check_books(const struct procd *state, const struct model_procd *model)
{
    check_sound(state);
    PROPERTY_EQUAL(P8, "exit", stand_in_exited(NULL), model->exited);
    PROPERTY_EQUAL(E5, "kept", stand_in_reply_open_count(), model->waiter_count);
    if (model->exited) {
        check_exited();
        return;
    }
    uint32_t live = 0;
    uint32_t paged = 0;
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_process *process = &model->processes[i];
        check_process(process);
        live += process->life != MODEL_ENDED;
        paged +=
            process->life != MODEL_ENDED && role_find(process->role)->kind != ROLE_KIND_FOUNDATION;
    }
    PROPERTY_EQUAL(P5, "processes", stand_in_process_count(), live);
    PROPERTY_EQUAL(P5, "accounts", peers_account_count(), paged);
    PROPERTY_EQUAL(P5, "registrations", peers_registration_count(), paged);
    PROPERTY_EQUAL(P5, "memory", peers_pool_free_pages(), model->memory_free_pages);
    PROPERTY_EQUAL(P5, "bootstrap", bootstrap_free_pages(), model->bootstrap_free_pages);
    PROPERTY_EQUAL(P5, "slots", stand_in_slot_count(),
                   PEERS_PROCD_START_SLOTS + (model->bound ? 1u : 0u) + live);
    if (model->bound) {
        PROPERTY_EQUAL(P7, "bound", stand_in_at(SLOT_BOOTSTRAP_UNTYPED).object_type, OBJECT_NONE);
        PROPERTY_EQUAL(P7, "bound", stand_in_at(SLOT_PEER_MEMD).object, ROLE_MEMD);
        PROPERTY_EQUAL(P7, "bound", stand_in_at(SLOT_PEER_PAGERD).object, ROLE_PAGERD);
    }
}

/* --- a process that was just made ------------------------------------------------------------- */

static uint64_t private_sum(const struct model_process *process, const struct elf_segment *segment,
                            uint64_t page)
{
    uint64_t offset = page * PAGE_BYTES;
    uint64_t content = 0;
    if (offset < segment->file_bytes) {
        uint64_t left = segment->file_bytes - offset;
        content = stand_in_content(process->image_offset + segment->file_offset + offset,
                                   left < PAGE_BYTES ? (uint32_t)left : PAGE_BYTES);
    }
    return stand_in_page_sum(segment->va + offset, segment->rights, false, content);
}

static uint64_t expected_map_sum(const struct model_process *process, const struct elf_plan *plan)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        uint64_t first = (process->image_offset + segment->file_offset) / PAGE_BYTES;
        for (uint64_t page = 0; page < segment->pages; page++)
            sum += (segment->rights & RIGHT_WRITE) != 0
                       ? private_sum(process, segment, page)
                       : stand_in_page_sum(segment->va + page * PAGE_BYTES, segment->rights, true,
                                           first + page);
    }
    return sum;
}

static void check_backing(const struct model_process *process, const struct elf_plan *plan,
                          const struct peers_registration *registration)
{
    struct pagerd_register_process_request expected;
    struct pagerd_register_process_request backing = registration->backing;
    model_procd_backing(process, plan, &expected);
    backing.vspace_slot = backing.account_slot = 0;
    PROPERTY_EQUAL(G4, "areas", backing.area_count, expected.area_count);
    PROPERTY(G4, "backing", memcmp(&backing, &expected, sizeof expected) == 0);
}

void ledger_check_made(const struct model_process *process, const struct model_luck *luck)
{
    struct elf_plan plan;
    const struct role *role = role_find(process->role);
    bool foundation = role->kind == ROLE_KIND_FOUNDATION;
    uint32_t object;
    PROPERTY(P2, "made", stand_in_process_find(process->id, &object));
    const struct stand_in_process *real = stand_in_process(object);
    const struct peers_registration *registration = peers_registration_find(process->id);
    PROPERTY(P2, "plan",
             model_procd_plan(luck, process->role, process->image_offset, process->image_bytes,
                              &plan) == STATUS_OK);
    PROPERTY_EQUAL(K5, "budget", real->budget_pages, role->budget_pages);
    PROPERTY_EQUAL(K5, "payer", real->untyped == peers_of_procd_bootstrap(), foundation);
    PROPERTY(P2, "pager", real->pager_declared && real->has_pager == !foundation);
    PROPERTY_EQUAL(P2, "registered", registration != NULL, !foundation);
    if (process->life == MODEL_RUNNING) {
        PROPERTY_EQUAL(P2, "entry", real->entry_va, plan.entry);
        PROPERTY_EQUAL(P2, "stack", real->stack_top_va, plan.stack_top);
    }
    if (foundation) {
        PROPERTY_EQUAL(P2, "pages", stand_in_vspace_sum(real->vspace),
                       expected_map_sum(process, &plan));
        return;
    }
    PROPERTY_EQUAL(P2, "pages", stand_in_mapping_count(real->vspace), 0);
    PROPERTY_EQUAL(P2, "limit", peers_account_limit(registration->account), role->account_pages);
    check_backing(process, &plan, registration);
}
