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
    making->process.owes |= owes;
}

static void owe_no_more(struct procd_making *making, uint32_t owes)
{
    making->process.owes &= ~owes;
}

/* --- perform ---------------------------------------------------------------------------------- */

/* Takes back everything, in the order in which a death does. What is refused stays owed. */
static void undo(struct procd *procd, struct procd_making *making)
{
    struct procd_process *process = &making->process;
    if (procd_release(procd, making->index, making->id, process, PROCD_OWES_LIFE) !=
            PROCD_RELEASED &&
        !procd->peer_lost)
        procd_table_commit_owing(procd, making->index, process);
}

/* What is made of a life and of its mould alike: an account, and from it the kernel memory of a
 * staged process. */
struct part {
    uint64_t id; /* token of the process, key of the account */
    uint64_t guarantee_pages;
    uint64_t limit_pages;
    uint32_t budget_pages;
    uint32_t untyped_slot;
    uint32_t first; /* PROCD_SLOT_... of its PROCESS; the others follow in the same order */
    uint32_t owes_account;
    uint32_t owes_abort;
};

static struct part part_of_life(const struct procd_making *making)
{
    return (struct part){
        .id = making->id,
        .guarantee_pages = role_account_guarantee(&making->row),
        .limit_pages = role_account_limit(&making->row),
        .budget_pages = making->row.budget_pages,
        .untyped_slot = slot(making, PROCD_SLOT_UNTYPED),
        .first = PROCD_SLOT_PROCESS,
        .owes_account = PROCD_OWES_ACCOUNT,
        .owes_abort = PROCD_OWES_ABORT,
    };
}

static struct part part_of_mould(const struct procd_making *making)
{
    return (struct part){
        .id = making->id | PROCD_MOULD_ID,
        .guarantee_pages = PROCD_MOULD_PAGES,
        .limit_pages = PROCD_MOULD_PAGES,
        .budget_pages = PROCD_MOULD_PAGES,
        .untyped_slot = slot(making, PROCD_SLOT_MOULD_UNTYPED),
        .first = PROCD_SLOT_MOULD,
        .owes_account = PROCD_OWES_MOULD_ACCOUNT,
        .owes_abort = PROCD_OWES_MOULD_ABORT,
    };
}

/* Its key is the part's id: closing it by that is right whatever became of the answer. */
static enum status open_account(struct procd *procd, struct procd_making *making,
                                const struct part *part)
{
    struct memd_open_account_request request = {
        .key = part->id,
        .parent_key = procd_owner_id(procd, making->process.owner),
        .guarantee_pages = part->guarantee_pages,
        .limit_pages = part->limit_pages,
    };
    struct memd_open_account_reply reply;
    uint32_t account = part->first + PROCD_SLOT_ACCOUNT;
    owe(making, part->owes_account | 1u << account);
    return procd_peer_heard(procd,
                            memd_call_open_account(&procd->caller, SLOT_PEER_MEMD,
                                                   (struct window){slot(making, account), 1},
                                                   procd_peer_deadline(procd), &request, &reply));
}

/* Closing the account returns the untyped too, so that its id need not be kept. */
static enum status draw_budget(struct procd *procd, struct procd_making *making,
                               const struct part *part)
{
    struct memd_alloc_untyped_request request = {.pages = part->budget_pages};
    struct memd_alloc_untyped_reply reply;
    owe(making, 1u << (part->first + PROCD_SLOT_UNTYPED));
    return procd_peer_heard(procd,
                            memd_call_alloc_untyped(&procd->caller,
                                                    slot(making, part->first + PROCD_SLOT_ACCOUNT),
                                                    (struct window){part->untyped_slot, 1},
                                                    procd_peer_deadline(procd), &request, &reply));
}

static enum status make_process(struct procd *procd, struct procd_making *making,
                                const struct part *part)
{
    struct kernel_create_staged_process_request request = {
        .untyped_slot = part->untyped_slot,
        .budget_pages = part->budget_pages,
        .event_slot = SLOT_SERVICE_ENDPOINT,
        .band = role_band(&making->row),
        .flags = role_flags(&making->row),
        .token = part->id,
    };
    struct kernel_create_staged_process_reply reply;
    uint32_t first_slot = slot(making, part->first);
    owe(making, 0xFu << part->first);
    enum status status =
        kernel_create_staged_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request,
                                     (struct window){first_slot, 4}, &reply);
    if (status != STATUS_OK)
        return status;
    owe(making, part->owes_abort);
    bool in_order = reply.process_slot == first_slot &&
                    reply.vspace_slot == first_slot + PROCD_SLOT_VSPACE &&
                    reply.endpoint_slot == first_slot + PROCD_SLOT_ENDPOINT &&
                    reply.grant_slot == first_slot + PROCD_SLOT_GRANT;
    return in_order ? STATUS_OK : STATUS_INTERNAL;
}

static enum status make_paid(struct procd *procd, struct procd_making *making,
                             const struct part *part)
{
    enum status status = open_account(procd, making, part);
    if (status == STATUS_OK)
        status = draw_budget(procd, making, part);
    return status == STATUS_OK ? make_process(procd, making, part) : status;
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
    uint64_t table_pages = role_table_pages(making->row.id, procd->memory_pages);
    struct part part = part_of_life(making);
    part.untyped_slot = SLOT_BOOTSTRAP_UNTYPED;
    part.budget_pages += (uint32_t)role_table_budget_pages(making->row.id, procd->memory_pages);
    enum status status = make_process(procd, making, &part);
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
    struct part part = part_of_life(making);
    enum status status = make_paid(procd, making, &part);
    if (status == STATUS_OK)
        status =
            kernel_register_pager(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                  slot(making, PROCD_SLOT_PROCESS), SLOT_PEER_PAGERD, making->id);
    if (status == STATUS_OK)
        status = register_backing(procd, making);
    return status;
}

static enum status start(struct procd *procd, struct procd_making *making)
{
    struct kernel_start_process_request request = {
        .process_slot = slot(making, PROCD_SLOT_PROCESS),
        .entry_va = making->process.entry_va,
        .stack_top_va = making->process.stack_top_va,
        .argument = making->process.argument,
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
static enum status drop_others(struct procd *procd, struct procd_making *making, uint32_t kept)
{
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

enum status procd_make(struct procd *procd, const struct procd_sender *sender,
                       const struct procd_wish *wish, uint32_t kept, struct procd_making *making)
{
    enum status status = procd_create_plan(procd, sender, wish, making);
    if (status != STATUS_OK)
        return status;
    UNIT_ASSERT(making->process.owes == 0);
    status = procd->foundation_bound ? build_paged(procd, making) : build_eagerly(procd, making);
    if (status == STATUS_OK && wish->starts)
        status = start(procd, making);
    if (status == STATUS_OK)
        status = drop_others(procd, making, 1u << PROCD_SLOT_PROCESS | kept);
    if (status != STATUS_OK)
        undo(procd, making);
    return status;
}

/* --- lives ------------------------------------------------------------------------------------ */

enum { BOTH_PROCESSES = 1u << PROCD_SLOT_PROCESS | 1u << PROCD_SLOT_MOULD };

/* What an earlier attempt left goes first. */
static enum status clear_mould(struct procd *procd, struct procd_making *making)
{
    if ((making->process.owes & PROCD_OWES_MOULD) == 0)
        return STATUS_OK;
    enum procd_release release =
        procd_release(procd, making->index, making->id, &making->process, PROCD_OWES_MOULD);
    return release == PROCD_RELEASED ? STATUS_OK : STATUS_BUSY;
}

enum status procd_mould_make(struct procd *procd, uint32_t index)
{
    struct procd_making making = {
        .row = *role_find(procd->processes[index].role),
        .id = procd_table_id(procd, index),
        .index = index,
        .process = procd->processes[index],
    };
    struct part part = part_of_mould(&making);
    enum status status = clear_mould(procd, &making);
    bool is_clear = status == STATUS_OK;
    if (is_clear)
        status = make_paid(procd, &making, &part);
    if (status == STATUS_OK)
        status =
            kernel_copy_startup(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                slot(&making, PROCD_SLOT_PROCESS), slot(&making, PROCD_SLOT_MOULD));
    if (status == STATUS_OK)
        status = drop_others(procd, &making, BOTH_PROCESSES | PROCD_OWES_NOTICE);
    if (status != STATUS_OK && is_clear)
        (void)procd_release(procd, index, making.id, &making.process, PROCD_OWES_MOULD);
    procd->processes[index].owes = making.process.owes;
    return status;
}

/* Who is asked for READY is asked through its ENDPOINT. */
static enum status make_again(struct procd *procd, struct procd_making *making)
{
    uint32_t asked = making->process.policy.ready_ticks != 0 ? 1u << PROCD_SLOT_ENDPOINT : 0;
    enum status status = build_paged(procd, making);
    if (status == STATUS_OK)
        status =
            kernel_copy_startup(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                slot(making, PROCD_SLOT_MOULD), slot(making, PROCD_SLOT_PROCESS));
    if (status == STATUS_OK)
        status = start(procd, making);
    if (status == STATUS_OK)
        status = drop_others(procd, making, BOTH_PROCESSES | asked);
    return status;
}

enum status procd_create_again(struct procd *procd, uint32_t index)
{
    struct procd_making making;
    enum status status = procd_create_plan_again(procd, index, &making);
    UNIT_ASSERT((making.process.owes & PROCD_OWES_LIFE) == 0);
    if (status == STATUS_OK)
        status = make_again(procd, &making);
    if (status != STATUS_OK)
        (void)procd_release(procd, index, making.id, &making.process, PROCD_OWES_LIFE);
    procd->processes[index].owes = making.process.owes;
    return status;
}

/* --- reply and commit --- */

enum { ENDPOINT_MOVES = 1u << PROCD_SLOT_ENDPOINT, GRANT_MOVES = 1u << PROCD_SLOT_GRANT };

/* What the reply carries is moved, so that the creator alone holds it. */
enum status procd_deliver(struct procd *procd, struct procd_making *making,
                          struct procd_request *request)
{
    struct service_request *common = &request->common;
    common->transfer = (struct message_cap){.mode = TRANSFER_MOVE};
    common->handled = HANDLED_LATER;
    enum status status = service_encode(common);
    if (status == STATUS_OK)
        status = sys_reply(common->info->reply_slot, common->message);
    if (status != STATUS_OK) {
        undo(procd, making);
        return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* its creator is gone */
    }
    owe_no_more(making, GRANT_MOVES | ENDPOINT_MOVES);
    procd_table_commit(procd, making->index, &making->process);
    making->delivered = true;
    return STATUS_OK;
}

enum status procd_create_staged_process(struct procd *procd, struct procd_request *request)
{
    const struct procd_create_staged_process_request *body = &request->body.create_staged_process;
    struct procd_wish wish = {
        .role = body->role,
        .image_offset = body->image_offset,
        .image_bytes = body->image_bytes,
        .data_offset = body->data_offset,
        .data_bytes = body->data_bytes,
        .limits = {.page_limit = body->page_limit,
                   .budget_pages = body->budget_pages,
                   .child_limit = body->child_limit,
                   .child_pages = body->child_pages},
    };
    struct procd_making making;
    enum status status =
        procd_make(procd, &request->sender, &wish, ENDPOINT_MOVES | GRANT_MOVES, &making);
    if (status != STATUS_OK)
        return status;
    request->reply.create_staged_process = (struct procd_create_staged_process_reply){
        .process_id = making.id,
        .endpoint_slot = procd_slot(making.index, PROCD_SLOT_ENDPOINT),
        .grant_slot = procd_slot(making.index, PROCD_SLOT_GRANT),
    };
    return procd_deliver(procd, &making, request);
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
    enum status status = procd_make(procd, &request->sender, &wish, 0, &making);
    if (status != STATUS_OK)
        return status;
    request->reply.spawn = (struct procd_spawn_reply){.process_id = making.id};
    return procd_deliver(procd, &making, request);
}

enum status procd_spawn_service(struct procd *procd, struct procd_request *request)
{
    const struct procd_spawn_service_request *body = &request->body.spawn_service;
    struct procd_wish wish = {
        .role = body->role,
        .image_offset = body->image_offset,
        .image_bytes = body->image_bytes,
        .argument = body->argument,
        .limits = {.page_limit = body->page_limit, .budget_pages = body->budget_pages},
        .starts = true,
    };
    struct procd_making making;
    enum status status = procd_make(procd, &request->sender, &wish, ENDPOINT_MOVES, &making);
    if (status != STATUS_OK)
        return status;
    request->reply.spawn_service = (struct procd_spawn_service_reply){
        .process_id = making.id,
        .endpoint_slot = procd_slot(making.index, PROCD_SLOT_ENDPOINT),
    };
    return procd_deliver(procd, &making, request);
}
