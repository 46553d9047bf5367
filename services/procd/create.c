/* SPDX-License-Identifier: ISC */
/* Making a process. Decides whether it may be made and what of; pays for it from memd, or from the
 * bootstrap untyped before memd exists. Nothing of a process is in the table before its creator was
 * told: until then every failure undoes what was done (E4, P2). */
#include "services/procd/internal.h"

#include <string.h>

#include "abi/address_space.h"
#include "abi/formats/cursor.h"
#include "abi/process.h"
#include "abi/roles.h"
#include "services/lib/call_memd.h"
#include "services/lib/call_pagerd.h"
#include "services/lib/image_loader.h"

/* What the three ways of making a process ask for. */
struct wish {
    uint32_t role;
    uint64_t image_offset;
    uint64_t image_bytes;
    uint64_t argument;
    bool starts; /* SPAWN and SPAWN_SERVICE: start at once, nothing to install */
};

/* A process in the making. */
struct making {
    const struct role *row;
    uint64_t id;
    uint32_t index;
    uint32_t filled; /* bit i: PROCD_SLOT_CHILD + i holds a capability */
    bool has_process;
    bool is_placed; /* PROCESS lies at its own slot, not in the window */
    bool runs;
    struct image_module module;
    struct elf_plan plan;
    struct pagerd_register_process_request backing;
    struct procd_process process;
};

static uint32_t bit_of(uint32_t slot)
{
    UNIT_ASSERT(slot >= PROCD_SLOT_CHILD && slot <= PROCD_SLOT_PAGE);
    return 1u << (slot - PROCD_SLOT_CHILD);
}

/* --- decide: no effect except reading the image --------------------------------------------- */

static enum status decide_foundation(const struct procd *procd, const struct procd_sender *sender,
                                     uint32_t role)
{
    uint32_t which;
    if (sender->badge != 0 || procd->foundation_bound || !procd_is_foundation(role, &which))
        return STATUS_DENIED;
    return procd->foundation_entries[which] != 0 ? STATUS_BUSY : STATUS_OK;
}

static enum status decide_role(const struct procd *procd, const struct procd_sender *sender,
                               const struct wish *wish, const struct role *row)
{
    unsigned row_count = 0;
    if (row == NULL)
        return STATUS_NOT_FOUND;
    if ((row->kind == ROLE_KIND_DRIVER) != sender->is_driver_endpoint)
        return STATUS_DENIED;                                        /* P7 */
    const struct role *creator = role_find((uint32_t)sender->badge); /* null: the administrator */
    if (creator != NULL && creator->kind == ROLE_KIND_EXTENSION && row->kind != ROLE_KIND_EXTENSION)
        return STATUS_DENIED; /* tests make tests */
    if (row->kind == ROLE_KIND_FOUNDATION) {
        enum status status = decide_foundation(procd, sender, row->id);
        if (status != STATUS_OK)
            return status;
    } else if (!procd->foundation_bound || !procd_table_foundation_runs(procd)) {
        return STATUS_BUSY;
    }
    if (wish->starts && role_intake(row->id, &row_count) != NULL)
        return STATUS_INVALID_ARGUMENT; /* it would start without what it needs */
    return STATUS_OK;
}

static void add_area(struct pagerd_register_process_request *backing, struct pagerd_area area)
{
    UNIT_ASSERT(backing->area_count < PAGERD_AREA_LIMIT);
    UNIT_ASSERT(backing->area_count == 0 || area.va >= backing->areas[backing->area_count - 1].va);
    backing->areas[backing->area_count++] = area;
}

static void add_guard(struct pagerd_register_process_request *backing, uint64_t va)
{
    add_area(backing,
             (struct pagerd_area){.kind = AREA_GUARD, .va = va, .memory_bytes = GUARD_BYTES});
}

static void add_heap(struct pagerd_register_process_request *backing)
{
    add_guard(backing, HEAP_ZONE_VA);
    add_area(backing, (struct pagerd_area){
                          .kind = AREA_WINDOW,
                          .rights = RIGHT_READ | RIGHT_WRITE,
                          .va = HEAP_WINDOW_VA,
                          .memory_bytes = HEAP_WINDOW_BYTES,
                      });
    add_guard(backing, HEAP_WINDOW_VA + HEAP_WINDOW_BYTES);
}

/* A segment's area covers whole pages where the process may write: the stack ends with its last
 * page. */
static struct pagerd_area area_of(const struct elf_segment *segment, uint64_t image_offset)
{
    bool writable = (segment->rights & RIGHT_WRITE) != 0;
    return (struct pagerd_area){
        .kind = AREA_SEGMENT,
        .rights = segment->rights,
        .va = segment->va,
        .memory_bytes = writable ? segment->pages * PAGE_BYTES : segment->memory_bytes,
        .file_offset = segment->file_bytes == 0 ? 0 : image_offset + segment->file_offset,
        .file_bytes = segment->file_bytes,
    };
}

_Static_assert(PAGERD_SEGMENT_LIMIT + 1 + 3 <= PAGERD_AREA_LIMIT,
               "segments, the stack's guard, heap and its guards fit a registration");

/* What pagerd is told of the address space. */
static enum status plan_backing(struct making *making)
{
    const struct elf_plan *plan = &making->plan;
    struct pagerd_register_process_request *backing = &making->backing;
    bool has_heap = making->row->kind == ROLE_KIND_EXTENSION;
    if (plan->segment_count > PAGERD_SEGMENT_LIMIT)
        return STATUS_EXHAUSTED;
    if (plan->stack_top > USER_VA_END - GUARD_BYTES)
        return STATUS_OUT_OF_RANGE;
    if (has_heap && range_overlaps(plan->va_first, plan->stack_top + GUARD_BYTES - plan->va_first,
                                   HEAP_ZONE_VA, HEAP_ZONE_BYTES))
        return STATUS_OVERLAP;
    backing->token = making->id;
    backing->image_offset = making->module.offset_bytes;
    backing->image_bytes = making->module.size_bytes;
    backing->page_limit = making->row->page_limit;
    bool heap_first = plan->va_first > HEAP_ZONE_VA; /* pagerd wants areas in ascending order */
    if (has_heap && heap_first)
        add_heap(backing);
    for (uint32_t i = 0; i < plan->segment_count; i++)
        add_area(backing, area_of(&plan->segments[i], making->module.offset_bytes));
    add_guard(backing, plan->stack_top);
    if (has_heap && !heap_first)
        add_heap(backing);
    return STATUS_OK;
}

static enum status decide(struct procd *procd, const struct procd_sender *sender,
                          const struct wish *wish, struct making *making)
{
    memset(making, 0, sizeof *making);
    making->row = role_find(wish->role);
    enum status status = decide_role(procd, sender, wish, making->row);
    if (status == STATUS_OK)
        status = procd_table_peek(procd, &making->index, &making->id);
    if (status != STATUS_OK)
        return status;
    making->module = (struct image_module){
        .kernel_slot = SLOT_KERNEL_PROCESS_ENDPOINT,
        .image_slot = SLOT_IMAGE,
        .offset_bytes = wish->image_offset,
        .size_bytes = wish->image_bytes,
    };
    status = image_plan(&procd->caller, &making->module, &making->plan);
    if (status == STATUS_OK)
        status = plan_backing(making);
    making->process = (struct procd_process){
        .owner = sender->badge,
        .entry_va = making->plan.entry,
        .stack_top_va = making->plan.stack_top,
        .role = wish->role,
        .life = PROCD_LIFE_STAGED,
    };
    return status;
}

/* --- perform ---------------------------------------------------------------------------------- */

static void drop_scratch(struct procd *procd, struct making *making, uint32_t slot)
{
    if ((making->filled & bit_of(slot)) == 0)
        return;
    (void)kernel_drop_local_cap(&procd->caller, slot);
    making->filled &= ~bit_of(slot);
}

static uint32_t process_slot(const struct making *making)
{
    UNIT_ASSERT(making->has_process);
    return making->is_placed ? PROCD_SLOT_PROCESS_BASE + making->index : PROCD_SLOT_CHILD;
}

/* Takes back everything, in the order in which a death does. */
static void undo(struct procd *procd, struct making *making)
{
    struct kernel_retire_process_reply record;
    if (making->runs) {
        (void)kernel_kill_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                  process_slot(making), 0);
        (void)kernel_retire_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                    process_slot(making), &record);
    } else if (making->has_process) {
        (void)kernel_abort_staged_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                          process_slot(making));
    }
    UNIT_ASSERT(making->has_process || (!making->runs && !making->is_placed));
    if (making->is_placed)
        (void)kernel_drop_local_cap(&procd->caller, process_slot(making));
    for (uint32_t slot = PROCD_SLOT_CHILD; slot <= PROCD_SLOT_PAGE; slot++)
        drop_scratch(procd, making, slot);
    procd_settle(procd, making->id, &making->process);
}

static enum status open_account(struct procd *procd, struct making *making)
{
    struct memd_open_account_request request = {
        .key = making->id,
        .guarantee_pages = role_account_guarantee(making->row),
        .limit_pages = role_account_limit(making->row),
    };
    struct memd_open_account_reply reply;
    enum status status = memd_call_open_account(&procd->caller, SLOT_PEER_MEMD,
                                                (struct window){PROCD_SLOT_ACCOUNT, 1},
                                                DEADLINE_NEVER, &request, &reply);
    if (status != STATUS_OK)
        return status;
    making->filled |= bit_of(PROCD_SLOT_ACCOUNT);
    making->process.owes |= PROCD_OWES_ACCOUNT;
    return STATUS_OK;
}

/* Closing the account returns the untyped too, so that its id need not be kept. */
static enum status draw_budget(struct procd *procd, struct making *making)
{
    struct memd_alloc_untyped_request request = {.pages = making->row->budget_pages};
    struct memd_alloc_untyped_reply reply;
    enum status status = memd_call_alloc_untyped(&procd->caller, PROCD_SLOT_ACCOUNT,
                                                 (struct window){PROCD_SLOT_UNTYPED, 1},
                                                 DEADLINE_NEVER, &request, &reply);
    if (status == STATUS_OK)
        making->filled |= bit_of(PROCD_SLOT_UNTYPED);
    return status;
}

static enum status make_process(struct procd *procd, struct making *making, uint32_t untyped_slot)
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
    enum status status =
        kernel_create_staged_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request,
                                     (struct window){PROCD_SLOT_CHILD, 4}, &reply);
    if (status != STATUS_OK)
        return status;
    making->filled |= bit_of(PROCD_SLOT_CHILD) | bit_of(PROCD_SLOT_CHILD_VSPACE) |
                      bit_of(PROCD_SLOT_CHILD_ENDPOINT) | bit_of(PROCD_SLOT_CHILD_GRANT);
    making->has_process = true;
    if (reply.process_slot != PROCD_SLOT_CHILD || reply.vspace_slot != PROCD_SLOT_CHILD_VSPACE ||
        reply.endpoint_slot != PROCD_SLOT_CHILD_ENDPOINT ||
        reply.grant_slot != PROCD_SLOT_CHILD_GRANT)
        return STATUS_INTERNAL;
    status = kernel_move_local_cap(&procd->caller, PROCD_SLOT_CHILD,
                                   PROCD_SLOT_PROCESS_BASE + making->index);
    if (status != STATUS_OK)
        return status;
    making->filled &= ~bit_of(PROCD_SLOT_CHILD);
    making->is_placed = true;
    return STATUS_OK;
}

/* Before memd and pagerd exist: every page is there from the start, those of the service's tables
 * included, and a fault ends the child. */
static enum status build_eagerly(struct procd *procd, struct making *making)
{
    struct image_target target = {
        .vspace_slot = PROCD_SLOT_CHILD_VSPACE,
        .untyped_slot = SLOT_BOOTSTRAP_UNTYPED,
        .scratch_slot = PROCD_SLOT_PAGE,
    };
    uint64_t table_pages = role_table_pages(making->row->id, procd->memory_pages);
    enum status status = make_process(procd, making, SLOT_BOOTSTRAP_UNTYPED);
    if (status == STATUS_OK)
        status = kernel_register_pager(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                       process_slot(making), SLOT_NULL, making->id);
    if (status == STATUS_OK)
        status = image_build(&procd->caller, &making->module, &target, &making->plan);
    if (status == STATUS_OK)
        status = image_map_zeroed(&procd->caller, &making->module, &target, SERVICE_TABLE_VA,
                                  table_pages);
    return status;
}

static enum status register_backing(struct procd *procd, struct making *making)
{
    struct pagerd_register_process_reply reply;
    making->backing.vspace_slot = PROCD_SLOT_CHILD_VSPACE;
    making->backing.account_slot = PROCD_SLOT_ACCOUNT;
    enum status status = pagerd_call_register_process(&procd->caller, SLOT_PEER_PAGERD, NO_WINDOW,
                                                      DEADLINE_NEVER, &making->backing, &reply);
    if (status == STATUS_OK)
        making->process.owes |= PROCD_OWES_PAGER;
    return status;
}

/* Everything from memd, pages by pagerd when they are touched. */
static enum status build_paged(struct procd *procd, struct making *making)
{
    enum status status = open_account(procd, making);
    if (status == STATUS_OK)
        status = draw_budget(procd, making);
    if (status == STATUS_OK)
        status = make_process(procd, making, PROCD_SLOT_UNTYPED);
    if (status == STATUS_OK)
        status = kernel_register_pager(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                       process_slot(making), SLOT_PEER_PAGERD, making->id);
    if (status == STATUS_OK)
        status = register_backing(procd, making);
    return status;
}

static enum status start(struct procd *procd, struct making *making, uint64_t argument)
{
    struct kernel_start_process_request request = {
        .process_slot = process_slot(making),
        .entry_va = making->process.entry_va,
        .stack_top_va = making->process.stack_top_va,
        .argument = argument,
    };
    enum status status =
        kernel_start_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request);
    if (status == STATUS_OK) {
        making->runs = true;
        making->process.life = PROCD_LIFE_RUNNING;
    }
    return status;
}

/* Makes the process; on an error nothing of it is left. procd keeps no way into the child: of its
 * capabilities only PROCESS stays, and what the reply moves on. */
static enum status make(struct procd *procd, const struct procd_sender *sender,
                        const struct wish *wish, struct making *making)
{
    enum status status = decide(procd, sender, wish, making);
    if (status != STATUS_OK)
        return status;
    UNIT_ASSERT(making->filled == 0 && making->process.owes == 0);
    status = procd->foundation_bound ? build_paged(procd, making) : build_eagerly(procd, making);
    if (status == STATUS_OK && wish->starts)
        status = start(procd, making, wish->argument);
    if (status != STATUS_OK) {
        undo(procd, making);
        return status;
    }
    UNIT_ASSERT(making->has_process && making->is_placed);
    UNIT_ASSERT(making->runs == (making->process.life == PROCD_LIFE_RUNNING));
    drop_scratch(procd, making, PROCD_SLOT_CHILD_VSPACE);
    drop_scratch(procd, making, PROCD_SLOT_ACCOUNT);
    drop_scratch(procd, making, PROCD_SLOT_UNTYPED);
    return STATUS_OK;
}

/* --- reply and commit --- */

/* Sends the reply, which is filled in; what it carries is moved, so that the creator alone holds
 * it. */
static enum status deliver(struct procd *procd, struct making *making,
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
    UNIT_ASSERT(making->is_placed);
    procd_table_commit(procd, making->index, &making->process);
    return STATUS_OK;
}

enum status procd_create_staged_process(struct procd *procd, struct procd_request *request)
{
    const struct procd_create_staged_process_request *body = &request->body.create_staged_process;
    struct wish wish = {
        .role = body->role,
        .image_offset = body->image_offset,
        .image_bytes = body->image_bytes,
    };
    struct making making;
    enum status status = make(procd, &request->sender, &wish, &making);
    if (status != STATUS_OK)
        return status;
    request->reply.create_staged_process = (struct procd_create_staged_process_reply){
        .process_id = making.id,
        .endpoint_slot = PROCD_SLOT_CHILD_ENDPOINT,
        .grant_slot = PROCD_SLOT_CHILD_GRANT,
    };
    return deliver(procd, &making, request);
}

enum status procd_spawn(struct procd *procd, struct procd_request *request)
{
    const struct procd_spawn_request *body = &request->body.spawn;
    struct wish wish = {
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
    struct making making;
    enum status status = make(procd, &request->sender, &wish, &making);
    if (status != STATUS_OK)
        return status;
    drop_scratch(procd, &making, PROCD_SLOT_CHILD_ENDPOINT);
    drop_scratch(procd, &making, PROCD_SLOT_CHILD_GRANT);
    request->reply.spawn = (struct procd_spawn_reply){.process_id = making.id};
    return deliver(procd, &making, request);
}

enum status procd_spawn_service(struct procd *procd, struct procd_request *request)
{
    const struct procd_spawn_service_request *body = &request->body.spawn_service;
    struct wish wish = {
        .role = body->role,
        .image_offset = body->image_offset,
        .image_bytes = body->image_bytes,
        .argument = body->argument,
        .starts = true,
    };
    struct making making;
    enum status status = make(procd, &request->sender, &wish, &making);
    if (status != STATUS_OK)
        return status;
    drop_scratch(procd, &making, PROCD_SLOT_CHILD_GRANT);
    request->reply.spawn_service = (struct procd_spawn_service_reply){
        .process_id = making.id,
        .endpoint_slot = PROCD_SLOT_CHILD_ENDPOINT,
    };
    return deliver(procd, &making, request);
}
