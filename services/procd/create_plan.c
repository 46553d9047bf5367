/* SPDX-License-Identifier: ISC */
/* Whether a process may be made, where, and of what: the questions that come before the first
 * effect. Reads the image, and changes nothing. */
#include "services/procd/internal.h"

#include <string.h>

#include "abi/address_space.h"
#include "abi/formats/cursor.h"
#include "abi/process.h"

static enum status decide_foundation(const struct procd *procd, uint32_t role)
{
    uint32_t which;
    if (procd->foundation_bound || !procd_is_foundation(role, &which))
        return STATUS_DENIED;
    return procd->foundation_entries[which] != 0 ? STATUS_BUSY : STATUS_OK;
}

/* Which kinds of roles a client may have made is in its own row; none of a more urgent band than
 * its own: the kernel compares with procd's band, which is above all of them (K7). */
static bool may_make(const struct procd *procd, uint32_t owner, const struct role *row)
{
    if (owner == 0)
        return true;
    const struct role *maker = role_find(procd->processes[owner - 1].role);
    return maker != NULL && (maker->makes & 1u << row->kind) != 0 &&
           role_band(row) >= role_band(maker);
}

/* The image's bytes are the administrator's to give, and to those alone that the table names. */
static enum status decide_data(const struct procd_sender *sender, const struct procd_wish *wish,
                               const struct role *row)
{
    bool is_named = wish->data_offset != 0 || wish->data_bytes != 0;
    bool has_row = role_data(row->id) != NULL;
    if (is_named && sender->owner != 0)
        return STATUS_DENIED;
    return is_named == has_row && has_row == (wish->data_bytes != 0) ? STATUS_OK
                                                                     : STATUS_INVALID_ARGUMENT;
}

static enum status decide_role(const struct procd *procd, const struct procd_sender *sender,
                               const struct procd_wish *wish, const struct role *row)
{
    unsigned row_count = 0;
    if (row == NULL)
        return STATUS_NOT_FOUND;
    bool right_door = (row->kind == ROLE_KIND_DRIVER) == sender->is_driver_endpoint; /* P7 */
    bool right_way = (row->id == ROLE_LOADED_PROGRAM) == (wish->loaded != NULL);     /* P6 */
    if (!right_door || !right_way || !may_make(procd, sender->owner, row))
        return STATUS_DENIED;
    if (row->kind == ROLE_KIND_FOUNDATION) {
        enum status status = decide_foundation(procd, row->id);
        if (status != STATUS_OK)
            return status;
    } else if (!procd->foundation_bound || !procd_table_foundation_runs(procd)) {
        return STATUS_BUSY;
    }
    if (wish->starts && role_intake(row->id, &row_count) != NULL)
        return STATUS_INVALID_ARGUMENT; /* it would start without what it needs */
    enum status status = decide_data(sender, wish, row);
    if (status != STATUS_OK)
        return status;
    return role_limits_check(row, &wish->limits);
}

/* pagerd wants areas in ascending order; wherever the program lies, they are none in front of it,
 * between, or behind it. */
static void add_area(struct pagerd_register_process_request *backing, struct pagerd_area area)
{
    UNIT_ASSERT(backing->area_count < PAGERD_AREA_LIMIT);
    uint32_t place = backing->area_count++;
    for (; place != 0 && backing->areas[place - 1].va > area.va; place--)
        backing->areas[place] = backing->areas[place - 1];
    backing->areas[place] = area;
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

/* For who brings none, right below the guard of the heap; below it is nothing. */
static void add_stack(struct pagerd_register_process_request *backing)
{
    add_area(backing, (struct pagerd_area){
                          .kind = AREA_WINDOW,
                          .rights = RIGHT_READ | RIGHT_WRITE,
                          .va = STACK_VA,
                          .memory_bytes = STACK_RESERVE_BYTES,
                      });
}

/* A module that is nobody's program. What its bytes leave of the last page reads as zero. */
static void add_data(struct pagerd_register_process_request *backing)
{
    if (backing->data_bytes == 0)
        return;
    add_area(backing, (struct pagerd_area){
                          .kind = AREA_SEGMENT,
                          .rights = RIGHT_READ,
                          .va = DATA_VA,
                          .memory_bytes = backing->data_bytes,
                          .file_offset = backing->data_offset,
                          .file_bytes = backing->data_bytes,
                      });
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
        .memory_bytes =
            writable ? segment->pages * PAGE_BYTES : segment->first_bytes + segment->memory_bytes,
        .file_offset = segment->file_bytes == 0 ? 0 : image_offset + segment->file_offset,
        .file_bytes = segment->file_bytes,
    };
}

/* Of a program whose pages are given: whole pages, and nothing of the image. */
static struct pagerd_area loaded_area_of(const struct elf_segment *segment)
{
    return (struct pagerd_area){
        .kind = AREA_LOADED,
        .rights = segment->rights,
        .va = segment->va,
        .memory_bytes = segment->pages * PAGE_BYTES,
    };
}

/* As many pages of the image's own as it can have at most. */
static uint64_t shared_pages_max(const struct pagerd_area *area)
{
    return (area->file_offset % PAGE_BYTES + area->file_bytes) / PAGE_BYTES;
}

/* Regions at vspaced that guards and shared pages of the image can make: of a run of pages every
 * other one, until those between are touched as well. */
static uint64_t shared_regions(const struct pagerd_register_process_request *backing)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < backing->area_count; i++) {
        const struct pagerd_area *area = &backing->areas[i];
        if (area->kind == AREA_GUARD)
            count++;
        else if (area->kind == AREA_SEGMENT && (area->rights & RIGHT_WRITE) == 0)
            count += (shared_pages_max(area) + 1) / 2;
    }
    return count;
}

/* A region for each page of its own, and for what it shares: its pages run out first (E6). Never
 * more than the role's share: what is above it is guaranteed to others. vspaced keeps nothing for
 * the foundation. */
static enum status plan_regions(const struct role *row,
                                struct pagerd_register_process_request *backing)
{
    uint64_t shared = shared_regions(backing);
    if (shared < PROCESS_SHARED_REGIONS)
        shared = PROCESS_SHARED_REGIONS;
    if (row->kind == ROLE_KIND_FOUNDATION)
        return STATUS_OK;
    if (backing->page_limit + shared > role_region_limit(row))
        return STATUS_OVER_LIMIT;
    backing->region_limit = backing->page_limit + (uint32_t)shared;
    return STATUS_OK;
}

_Static_assert(PAGERD_SEGMENT_LIMIT + 1 + 3 + 1 <= PAGERD_AREA_LIMIT,
               "segments, a stack or its guard, heap and its guards, and data fit a registration");

/* Whether what is fixed in the address space is free: of the foundation the tables, of all others
 * the heap, the stack of who brings none, and data. */
static enum status judge_space(const struct procd *procd, const struct procd_making *making)
{
    const struct elf_plan *plan = &making->plan;
    bool has_stack = plan->stack_top != 0;
    uint64_t table_bytes = role_table_pages(making->row.id, procd->memory_pages) * PAGE_BYTES;
    if (making->row.kind == ROLE_KIND_FOUNDATION && !has_stack)
        return STATUS_INVALID_ARGUMENT; /* it lives before anybody could give it one */
    if (has_stack && plan->stack_top > USER_VA_END - GUARD_BYTES)
        return STATUS_OUT_OF_RANGE;
    if (range_overlaps(plan->va_first, plan->va_end - plan->va_first, SERVICE_TABLE_VA,
                       table_bytes))
        return STATUS_OVERLAP;
    uint64_t zone_va = has_stack ? HEAP_ZONE_VA : STACK_VA;
    uint64_t end = has_stack ? plan->va_end + GUARD_BYTES : plan->va_end;
    if (making->row.kind != ROLE_KIND_FOUNDATION &&
        range_overlaps(plan->va_first, end - plan->va_first, zone_va,
                       HEAP_ZONE_VA + HEAP_ZONE_BYTES - zone_va))
        return STATUS_OVERLAP;
    if (making->process.data_bytes != 0 &&
        range_overlaps(plan->va_first, end - plan->va_first, DATA_VA, making->process.data_bytes))
        return STATUS_OVERLAP; /* the program ends with a page, so that this is about whole ones */
    return STATUS_OK;
}

/* What pagerd is told of the address space. */
static enum status plan_backing(const struct procd *procd, struct procd_making *making)
{
    const struct elf_plan *plan = &making->plan;
    struct pagerd_register_process_request *backing = &making->backing;
    enum status status = judge_space(procd, making);
    if (status != STATUS_OK)
        return status;
    backing->token = making->id;
    backing->image_offset = making->module.offset_bytes;
    backing->image_bytes = making->module.size_bytes;
    backing->data_offset = making->process.data_offset;
    backing->data_bytes = making->process.data_bytes;
    backing->page_limit = making->row.page_limit;
    backing->flags = role_faults_around(&making->row) ? REGISTER_FAULT_AROUND : 0;
    for (uint32_t i = 0; i < plan->segment_count; i++)
        add_area(backing, making->process.lives.is_transfer
                              ? loaded_area_of(&plan->segments[i])
                              : area_of(&plan->segments[i], making->module.offset_bytes));
    if (plan->stack_top != 0)
        add_guard(backing, plan->stack_top);
    else
        add_stack(backing);
    if (making->row.kind != ROLE_KIND_FOUNDATION)
        add_heap(backing);
    add_data(backing);
    return plan_regions(&making->row, backing);
}

/* What the module is made of, and what pagerd is told. */
static enum status plan_module(struct procd *procd, struct procd_making *making)
{
    making->module = (struct image_module){
        .kernel_slot = SLOT_KERNEL_PROCESS_ENDPOINT,
        .image_slot = SLOT_IMAGE,
        .offset_bytes = making->process.image_offset,
        .size_bytes = making->process.image_bytes,
    };
    enum status status = image_plan(&procd->caller, &making->module, &making->plan);
    return status == STATUS_OK ? plan_backing(procd, making) : status;
}

/* A program whose bytes are to come begins as its system's do: above its stack pointer are the words
 * that say that it has no arguments, no environment and no auxiliary values, all zero. */
static enum status plan_loaded(const struct procd *procd, const struct elf_plan *plan,
                               struct procd_making *making)
{
    making->plan = *plan;
    making->process.entry_va = plan->entry;
    making->process.stack_top_va = STACK_VA + STACK_RESERVE_BYTES - PROCD_LOADED_START_BYTES;
    return plan_backing(procd, making);
}

enum status procd_create_plan(struct procd *procd, const struct procd_sender *sender,
                              const struct procd_wish *wish, struct procd_making *making)
{
    memset(making, 0, sizeof *making);
    const struct role *row = role_find(wish->role);
    enum status status = decide_role(procd, sender, wish, row);
    if (status != STATUS_OK)
        return status;
    making->row = role_lowered(row, &wish->limits);
    status = procd_table_peek(procd, sender->owner, &making->row, &making->index, &making->id);
    if (status != STATUS_OK)
        return status;
    making->process = (struct procd_process){
        .owner = sender->owner,
        .image_offset = wish->image_offset,
        .image_bytes = wish->image_bytes,
        .data_offset = wish->data_offset,
        .data_bytes = wish->data_bytes,
        .argument = wish->argument,
        .lives = {.ready_at_ticks = wish->starts ? procd->now_ticks : 0,
                  .life_count = wish->starts ? 1 : 0,
                  .is_transfer = wish->loaded != NULL},
        .role = wish->role,
        .limits = wish->limits,
        .life = PROCD_LIFE_STAGED,
    };
    if (wish->loaded != NULL)
        return plan_loaded(procd, wish->loaded, making);
    status = plan_module(procd, making);
    making->process.entry_va = making->plan.entry;
    making->process.stack_top_va =
        making->plan.stack_top != 0 ? making->plan.stack_top : STACK_VA + STACK_RESERVE_BYTES;
    return status;
}

enum status procd_create_plan_again(struct procd *procd, uint32_t index,
                                    struct procd_making *making)
{
    memset(making, 0, sizeof *making);
    making->process = procd->processes[index];
    making->row = role_lowered(role_find(making->process.role), &making->process.limits);
    making->index = index;
    making->id = procd_table_id(procd, index);
    return plan_module(procd, making);
}
