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

static void check_caps(const struct standin_reply *reply)
{
    bool ok = reply->status == STATUS_OK;
    bool staged = ok && reply->operation == OP_PROCD_CREATE_STAGED_PROCESS;
    bool service = ok && reply->operation == OP_PROCD_SPAWN_SERVICE;
    PROPERTY_EQUAL(K1, "caps", reply->cap_count, staged ? 2u : service ? 1u : 0u);
    if (staged || service) {
        PROPERTY_EQUAL(K1, "alias", reply->types[0], OBJECT_ENDPOINT);
        PROPERTY_EQUAL(K1, "alias", reply->rights[0], RIGHT_SEND | RIGHT_TRANSFER);
    }
    if (staged) {
        PROPERTY_EQUAL(K1, "grant", reply->types[1], OBJECT_GRANT);
        PROPERTY_EQUAL(K1, "grant", reply->rights[1], RIGHT_CONTROL);
    }
}

/* Slots in bodies are zero here: their numbers are procd's own affair. */
static void check_body(const struct standin_reply *reply, const struct model_answer *answer)
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
    PROPERTY_EQUAL(E2, "length", reply->body_bytes, bytes);
    PROPERTY(P1, "reply", memcmp(reply->body, expected, bytes) == 0);
}

void ledger_check_replies(const struct model_procd *model)
{
    for (uint32_t i = 0; i < standin.reply_count && i < model->answer_count; i++) {
        const struct standin_reply *reply = &standin.replies[i];
        const struct model_answer *answer = &model->answers[i];
        PROPERTY_EQUAL(E5, "whose", reply->request_id, answer->request_id);
        PROPERTY_EQUAL(E5, "operation", reply->operation, answer->operation);
        PROPERTY_EQUAL(P1, "status", reply->status, answer->status);
        check_caps(reply);
        if (reply->status == STATUS_OK)
            check_body(reply, answer);
        else
            PROPERTY_EQUAL(E2, "refusal", reply->body_bytes, 0);
        digest_u64(reply->request_id);
        digest_u64(reply->status);
        digest_bytes(reply->body, reply->body_bytes);
    }
    PROPERTY_EQUAL(E5, "answers", standin.reply_count, model->answer_count);
}

/* --- books ------------------------------------------------------------------------------------ */

static void check_process(const struct model_process *process)
{
    uint32_t slot = PROCD_SLOT_PROCESS_BASE + (uint32_t)(process->id & 0xFFFF) - 1;
    const struct standin_cap *cap = &standin.caps[slot];
    if (process->life == MODEL_ENDED) {
        return;
    }
    PROPERTY(P2, "cap", cap->type == OBJECT_PROCESS);
    const struct standin_process *real = &standin.processes[cap->object - 1];
    enum standin_life life = process->life == MODEL_STAGED ? KERNEL_STAGED
                             : process->died               ? KERNEL_ENDED
                                                           : KERNEL_RUNNING;
    PROPERTY_EQUAL(K3, "token", real->token, process->id);
    PROPERTY_EQUAL(P2, "life", real->life, life);
    if (process->life == MODEL_RUNNING)
        PROPERTY_EQUAL(P1, "argument", real->argument, process->argument);
}

/* After a critical death: of all that procd made, nothing is left that could run. */
static void check_exited(void)
{
    PROPERTY_EQUAL(P8, "code", standin.exit_code, PROCD_EXIT_CRITICAL);
    PROPERTY_EQUAL(P8, "alone", standin.process_count, 0);
    PROPERTY_EQUAL(P8, "bootstrap", standin.bootstrap_free_pages, STANDIN_BOOTSTRAP_PAGES);
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
    PROPERTY_EQUAL(P8, "exit", standin.exited, model->exited);
    PROPERTY_EQUAL(E5, "kept", standin.reply_open_count, model->waiter_count);
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
    PROPERTY_EQUAL(P5, "processes", standin.process_count, live);
    PROPERTY_EQUAL(P5, "accounts", standin.account_count, paged);
    PROPERTY_EQUAL(P5, "registrations", standin.registration_count, paged);
    PROPERTY_EQUAL(P5, "memory", standin.memory_free_pages, model->memory_free_pages);
    PROPERTY_EQUAL(P5, "bootstrap", standin.bootstrap_free_pages, model->bootstrap_free_pages);
    PROPERTY_EQUAL(P5, "slots", standin.slot_count, (model->bound ? 7u : 6u) + live);
    if (model->bound) {
        PROPERTY_EQUAL(P7, "bound", standin.caps[SLOT_BOOTSTRAP_UNTYPED].type, OBJECT_NONE);
        PROPERTY_EQUAL(P7, "bound", standin.caps[SLOT_PEER_MEMD].object, PEER_MEMD);
        PROPERTY_EQUAL(P7, "bound", standin.caps[SLOT_PEER_PAGERD].object, PEER_PAGERD);
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
        content = standin_copied(process->image_offset + segment->file_offset + offset,
                                 left < PAGE_BYTES ? (uint32_t)left : PAGE_BYTES);
    }
    return standin_private_page(segment->va + offset, segment->rights, content);
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
                       : standin_image_page(segment->va + page * PAGE_BYTES, segment->rights,
                                            first + page);
    }
    return sum;
}

static void check_backing(const struct model_process *process, const struct elf_plan *plan,
                          const struct standin_process *real)
{
    struct pagerd_register_process_request expected;
    struct pagerd_register_process_request backing = real->backing;
    model_procd_backing(process, plan, &expected);
    backing.vspace_slot = backing.account_slot = 0;
    PROPERTY_EQUAL(G4, "areas", backing.area_count, expected.area_count);
    PROPERTY(G4, "backing", memcmp(&backing, &expected, sizeof expected) == 0);
}

void ledger_check_made(const struct model_process *process, const struct model_luck *luck)
{
    struct elf_plan plan;
    const struct standin_process *real = standin_find(process->id);
    const struct role *role = role_find(process->role);
    bool foundation = role->kind == ROLE_KIND_FOUNDATION;
    PROPERTY(P2, "made", real != NULL);
    PROPERTY(P2, "plan",
             model_procd_plan(luck, process->role, process->image_offset, process->image_bytes,
                              &plan) == STATUS_OK);
    PROPERTY_EQUAL(K5, "budget", real->budget_pages, role->budget_pages);
    PROPERTY_EQUAL(K5, "payer", real->from_bootstrap, foundation);
    PROPERTY(P2, "pager", real->pager_declared && real->has_pager == !foundation);
    PROPERTY_EQUAL(P2, "registered", real->registered, !foundation);
    if (process->life == MODEL_RUNNING) {
        PROPERTY_EQUAL(P2, "entry", real->entry_va, plan.entry);
        PROPERTY_EQUAL(P2, "stack", real->stack_top_va, plan.stack_top);
    }
    if (foundation) {
        PROPERTY_EQUAL(P2, "pages", real->map_sum, expected_map_sum(process, &plan));
        return;
    }
    PROPERTY_EQUAL(P2, "pages", real->map_sum, 0);
    PROPERTY_EQUAL(P2, "limit", standin.accounts[real->account - 1].limit_pages,
                   role->account_pages);
    check_backing(process, &plan, real);
}
