/* SPDX-License-Identifier: ISC */
/* Making a process, as create_plan.c decided; pays for it from memd, or from the bootstrap untyped
 * before memd exists. Nothing of a process is in the table before its creator was told: until then
 * every failure undoes what was done (E4, P2). What is owed is written down before it is asked for,
 * so that an answer which is lost loses nothing (P12). */
#include "services/procd/internal.h"

#include <string.h>

#include "abi/address_space.h"

#include "services/lib/call_memd.h"
#include "services/lib/call_pagerd.h"
#include "services/lib/image_loader.h"

static uint32_t slot(const struct procd_making *making, uint32_t which)
{
    return procd_slot(making->index, which);
}

static void owe(struct procd_making *making, uint32_t owes)
{
    making->process.owes |= (uint16_t)owes;
}

static void owe_no_more(struct procd_making *making, uint32_t owes)
{
    making->process.owes &= (uint16_t)~owes;
}

/* --- perform ---------------------------------------------------------------------------------- */

/* Takes back everything, in the order in which a death does. What is refused stays owed. */
static void undo(struct procd *procd, struct procd_making *making)
{
    struct procd_process *process = &making->process;
    if (procd_release(procd, making->index, making->id, process) != PROCD_RELEASED &&
        !procd->peer_lost)
        procd_table_commit_owing(procd, making->index, process);
}

/* Its key is the process's id: closing it by that is right whatever became of the answer. */
static enum status open_account(struct procd *procd, struct procd_making *making)
{
    struct memd_open_account_request request = {
        .key = making->id,
        .parent_key = procd_owner_id(procd, making->process.owner),
        .guarantee_pages = role_account_guarantee(making->row),
        .limit_pages = role_account_limit(making->row),
    };
    struct memd_open_account_reply reply;
    owe(making, PROCD_OWES_ACCOUNT | 1u << PROCD_SLOT_ACCOUNT);
    return procd_peer_heard(
        procd, memd_call_open_account(&procd->caller, SLOT_PEER_MEMD,
                                      (struct window){slot(making, PROCD_SLOT_ACCOUNT), 1},
                                      procd_peer_deadline(procd), &request, &reply));
}

/* Closing the account returns the untyped too, so that its id need not be kept. */
static enum status draw_budget(struct procd *procd, struct procd_making *making)
{
    struct memd_alloc_untyped_request request = {.pages = making->row->budget_pages};
    struct memd_alloc_untyped_reply reply;
    owe(making, 1u << PROCD_SLOT_UNTYPED);
    return procd_peer_heard(
        procd, memd_call_alloc_untyped(&procd->caller, slot(making, PROCD_SLOT_ACCOUNT),
                                       (struct window){slot(making, PROCD_SLOT_UNTYPED), 1},
                                       procd_peer_deadline(procd), &request, &reply));
}

static enum status make_process(struct procd *procd, struct procd_making *making,
                                uint32_t untyped_slot)
{
    struct kernel_create_staged_process_request request = {
        .untyped_slot = untyped_slot,
        .budget_pages = making->row->budget_pages +
                        (uint32_t)role_table_budget_pages(making->row->id, procd->memory_pages),
        .event_slot = SLOT_SERVICE_ENDPOINT,
        .band = role_band(making->row),
        .flags = role_flags(making->row),
        .token = making->id,
    };
    struct kernel_create_staged_process_reply reply;
    owe(making, 1u << PROCD_SLOT_PROCESS | 1u << PROCD_SLOT_VSPACE | 1u << PROCD_SLOT_ENDPOINT |
                    1u << PROCD_SLOT_GRANT);
    enum status status =
        kernel_create_staged_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request,
                                     (struct window){slot(making, PROCD_SLOT_PROCESS), 4}, &reply);
    if (status != STATUS_OK)
        return status;
    owe(making, PROCD_OWES_ABORT);
    bool in_order = reply.process_slot == slot(making, PROCD_SLOT_PROCESS) &&
                    reply.vspace_slot == slot(making, PROCD_SLOT_VSPACE) &&
                    reply.endpoint_slot == slot(making, PROCD_SLOT_ENDPOINT) &&
                    reply.grant_slot == slot(making, PROCD_SLOT_GRANT);
    return in_order ? STATUS_OK : STATUS_INTERNAL;
}

/* Before memd and pagerd exist: every page is there from the start, those of the service's tables
 * included, and a fault ends the child. */
static enum status build_eagerly(struct procd *procd, struct procd_making *making)
{
    struct image_target target = {
        .vspace_slot = slot(making, PROCD_SLOT_VSPACE),
        .untyped_slot = SLOT_BOOTSTRAP_UNTYPED,
        .scratch_slot = slot(making, PROCD_SLOT_PAGES),
    };
    uint64_t table_pages = role_table_pages(making->row->id, procd->memory_pages);
    enum status status = make_process(procd, making, SLOT_BOOTSTRAP_UNTYPED);
    if (status == STATUS_OK)
        status = kernel_register_pager(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                       slot(making, PROCD_SLOT_PROCESS), SLOT_NULL, making->id);
    if (status != STATUS_OK)
        return status;
    owe(making, PROCD_OWES_PAGES);
    status = image_build(&procd->caller, &making->module, &target, &making->plan);
    if (status == STATUS_OK)
        status = image_map_zeroed(&procd->caller, &making->module, &target, SERVICE_TABLE_VA,
                                  table_pages);
    if (status == STATUS_OK)
        owe_no_more(making, PROCD_OWES_PAGES);
    return status;
}

static enum status register_backing(struct procd *procd, struct procd_making *making)
{
    struct pagerd_register_process_reply reply;
    making->backing.vspace_slot = slot(making, PROCD_SLOT_VSPACE);
    making->backing.account_slot = slot(making, PROCD_SLOT_ACCOUNT);
    owe(making, PROCD_OWES_PAGER);
    return procd_peer_heard(
        procd, pagerd_call_register_process(&procd->caller, SLOT_PEER_PAGERD, NO_WINDOW,
                                            procd_peer_deadline(procd), &making->backing, &reply));
}

/* Everything from memd, pages by pagerd when they are touched. */
static enum status build_paged(struct procd *procd, struct procd_making *making)
{
    enum status status = open_account(procd, making);
    if (status == STATUS_OK)
        status = draw_budget(procd, making);
    if (status == STATUS_OK)
        status = make_process(procd, making, slot(making, PROCD_SLOT_UNTYPED));
    if (status == STATUS_OK)
        status =
            kernel_register_pager(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                  slot(making, PROCD_SLOT_PROCESS), SLOT_PEER_PAGERD, making->id);
    if (status == STATUS_OK)
        status = register_backing(procd, making);
    return status;
}

static enum status start(struct procd *procd, struct procd_making *making, uint64_t argument)
{
    struct kernel_start_process_request request = {
        .process_slot = slot(making, PROCD_SLOT_PROCESS),
        .entry_va = making->process.entry_va,
        .stack_top_va = making->process.stack_top_va,
        .argument = argument,
    };
    enum status status =
        kernel_start_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request);
    if (status == STATUS_OK) {
        owe_no_more(making, PROCD_OWES_ABORT);
        owe(making, PROCD_OWES_RETIRE);
        making->process.life = PROCD_LIFE_RUNNING;
    }
    return status;
}

/* procd keeps no way into the child: of its capabilities only PROCESS stays, and what the reply
 * moves on. */
static enum status drop_others(struct procd *procd, struct procd_making *making, uint32_t moved)
{
    uint32_t kept = 1u << PROCD_SLOT_PROCESS | moved;
    for (uint32_t which = 0; which < PROCD_SLOT_COUNT; which++) {
        if ((making->process.owes & 1u << which) == 0 || (kept & 1u << which) != 0)
            continue;
        enum status status = kernel_drop_local_cap(&procd->caller, slot(making, which));
        if (status != STATUS_OK)
            return status;
        owe_no_more(making, 1u << which);
    }
    return STATUS_OK;
}

/* Makes the process; on an error nothing of it is left. `moved`: bits of the slots that its
 * creator gets. */
static enum status make(struct procd *procd, const struct procd_sender *sender,
                        const struct procd_wish *wish, uint32_t moved, struct procd_making *making)
{
    enum status status = procd_create_plan(procd, sender, wish, making);
    if (status != STATUS_OK)
        return status;
    UNIT_ASSERT(making->process.owes == 0);
    status = procd->foundation_bound ? build_paged(procd, making) : build_eagerly(procd, making);
    if (status == STATUS_OK && wish->starts)
        status = start(procd, making, wish->argument);
    if (status == STATUS_OK)
        status = drop_others(procd, making, moved);
    if (status != STATUS_OK)
        undo(procd, making);
    return status;
}

/* --- reply and commit --- */

enum { ENDPOINT_MOVES = 1u << PROCD_SLOT_ENDPOINT, GRANT_MOVES = 1u << PROCD_SLOT_GRANT };

/* By an end of named procd finds logd and crashd later. It is that of an administrator: procd has
 * made the endpoint, and named answers who holds one as it answers procd's role. What cannot be kept
 * stays in the slots of the process and goes with it. */
static enum status keep_named(struct procd *procd, struct procd_making *making)
{
    (void)kernel_drop_local_cap(&procd->caller, SLOT_PEER_NAMED);
    enum status status =
        kernel_move_local_cap(&procd->caller, slot(making, PROCD_SLOT_ENDPOINT), SLOT_PEER_NAMED);
    procd_evidence_named(procd, status == STATUS_OK ? making->id : 0);
    return status;
}

/* Sends the reply, which is filled in; what it carries is moved, so that the creator alone holds
 * it. */
static enum status deliver(struct procd *procd, struct procd_making *making,
                           struct procd_request *request)
{
    struct service_request *common = &request->common;
    common->transfer = (struct message_cap){.mode = TRANSFER_MOVE};
    common->handled = HANDLED_LATER;
    bool is_named = making->row->id == ROLE_NAMED && making->process.owner == 0;
    enum status status = service_encode(common);
    if (status == STATUS_OK && is_named)
        common->message->caps[0].mode = TRANSFER_COPY; /* procd keeps an end of it as well */
    if (status == STATUS_OK)
        status = sys_reply(common->info->reply_slot, common->message);
    if (status != STATUS_OK) {
        undo(procd, making);
        return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* its creator is gone */
    }
    owe_no_more(making, GRANT_MOVES);
    if (!is_named || keep_named(procd, making) == STATUS_OK)
        owe_no_more(making, ENDPOINT_MOVES);
    procd_table_commit(procd, making->index, &making->process);
    return STATUS_OK;
}

enum status procd_create_staged_process(struct procd *procd, struct procd_request *request)
{
    const struct procd_create_staged_process_request *body = &request->body.create_staged_process;
    struct procd_wish wish = {
        .role = body->role,
        .image_offset = body->image_offset,
        .image_bytes = body->image_bytes,
    };
    struct procd_making making;
    enum status status =
        make(procd, &request->sender, &wish, ENDPOINT_MOVES | GRANT_MOVES, &making);
    if (status != STATUS_OK)
        return status;
    request->reply.create_staged_process = (struct procd_create_staged_process_reply){
        .process_id = making.id,
        .endpoint_slot = procd_slot(making.index, PROCD_SLOT_ENDPOINT),
        .grant_slot = procd_slot(making.index, PROCD_SLOT_GRANT),
    };
    return deliver(procd, &making, request);
}

enum status procd_spawn(struct procd *procd, struct procd_request *request)
{
    const struct procd_spawn_request *body = &request->body.spawn;
    struct procd_wish wish = {
        .role = body->role,
        .image_offset = body->image_offset,
        .image_bytes = body->image_bytes,
        .argument = body->argument,
        .starts = true,
    };
    if (body->role < ROLE_EXTENSION_BASE)
        return STATUS_DENIED; /* P7: declared roles have typed requests */
    if (body->image_slot != SLOT_IMAGE)
        return STATUS_INVALID_ARGUMENT;
    struct procd_making making;
    enum status status = make(procd, &request->sender, &wish, 0, &making);
    if (status != STATUS_OK)
        return status;
    request->reply.spawn = (struct procd_spawn_reply){.process_id = making.id};
    return deliver(procd, &making, request);
}

enum status procd_spawn_service(struct procd *procd, struct procd_request *request)
{
    const struct procd_spawn_service_request *body = &request->body.spawn_service;
    struct procd_wish wish = {
        .role = body->role,
        .image_offset = body->image_offset,
        .image_bytes = body->image_bytes,
        .argument = body->argument,
        .starts = true,
    };
    struct procd_making making;
    enum status status = make(procd, &request->sender, &wish, ENDPOINT_MOVES, &making);
    if (status != STATUS_OK)
        return status;
    request->reply.spawn_service = (struct procd_spawn_service_reply){
        .process_id = making.id,
        .endpoint_slot = procd_slot(making.index, PROCD_SLOT_ENDPOINT),
    };
    return deliver(procd, &making, request);
}
