/* SPDX-License-Identifier: ISC */
/* The part of procd's model that looks at a module: whether it can be a process of a role, and what
 * pagerd must be told of its address space. */
#include "abi/messages/pagerd.h"
#include "props/models/model_procd_internal.h"

#include <string.h>

#include "abi/address_space.h"
#include "abi/roles.h"
#include "props/base/property.h"

/* Whether the regions of the image are within the role's share: those that the pages of its own
 * make, one for each guard, and one for every other page that is the file's alone. */
static bool regions_fit(const struct role *role, const struct elf_plan *plan, uint64_t data_bytes)
{
    uint64_t guarantee = (uint64_t)role->budget_pages + role->guarantee_pages;
    uint64_t runs = role->id >= ROLE_EXTENSION_BASE ? 3 : 1; /* guards, whose stack ever it is */
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        uint64_t whole_pages =
            (plan->segments[i].first_bytes + plan->segments[i].file_bytes) / PAGE_BYTES;
        if ((plan->segments[i].rights & RIGHT_WRITE) == 0)
            runs += whole_pages / 2 + whole_pages % 2;
    }
    runs += (data_bytes / PAGE_BYTES + 1) / 2;
    if (role->kind == ROLE_KIND_FOUNDATION) /* it has none of them */
        return true;
    return role->page_limit + (runs > 32 ? runs : 32) <= 2 * guarantee + 32;
}

const struct role *model_procd_row(uint32_t role)
{
    static const struct role *rows[ROLE_ID_MAX + 1];
    HARNESS(role <= ROLE_ID_MAX);
    if (rows[role] == NULL)
        rows[role] = role_find(role);
    return rows[role];
}

struct role model_procd_role(uint32_t role, const struct process_limits *limits)
{
    struct role lowered = *model_procd_row(role);
    if (limits->page_limit != 0)
        lowered.page_limit = limits->page_limit;
    if (lowered.guarantee_pages > lowered.page_limit)
        lowered.guarantee_pages = lowered.page_limit;
    if (limits->budget_pages != 0)
        lowered.budget_pages = limits->budget_pages;
    if (limits->child_limit != 0)
        lowered.child_limit = limits->child_limit;
    if (limits->child_pages != 0)
        lowered.child_pages = limits->child_pages;
    return lowered;
}

enum status model_procd_limits(const struct role *role, const struct process_limits *limits)
{
    if (limits->budget_pages > 0 && limits->budget_pages < 16)
        return STATUS_INVALID_ARGUMENT;
    if (limits->page_limit > role->page_limit || limits->budget_pages > role->budget_pages ||
        limits->child_limit > role->child_limit || limits->child_pages > role->child_pages)
        return STATUS_OVER_LIMIT;
    if (role->kind == ROLE_KIND_FOUNDATION) /* it has what it needs */
        return limits->budget_pages != 0 ? STATUS_OVER_LIMIT : STATUS_OK;
    const struct role lowered = model_procd_role(role->id, limits);
    uint64_t guarantee = (uint64_t)lowered.budget_pages + lowered.guarantee_pages;
    return lowered.page_limit > 2 * guarantee ? STATUS_OVER_LIMIT : STATUS_OK;
}

enum status model_procd_plan(const struct model_procd *model, const struct role *role,
                             const struct model_procd_files *files, struct elf_plan *plan)
{
    uint64_t offset_bytes = files->offset;
    uint64_t size_bytes = files->bytes;
    uint8_t view[FRAME_TRANSFER_BYTES_MAX]; /* no file here has more headers */
    uint32_t count = size_bytes < sizeof view ? (uint32_t)size_bytes : (uint32_t)sizeof view;
    memset(plan, 0, sizeof *plan);
    if (offset_bytes > UINT64_MAX - size_bytes)
        return STATUS_OUT_OF_RANGE;
    enum status status = model->image_read(offset_bytes, count, view);
    if (status == STATUS_OK)
        status = elf_plan_parse(view, count, size_bytes, plan);
    if (status == STATUS_OK)
        status = model_procd_space(role, plan);
    if (status != STATUS_OK)
        return status;
    uint64_t end_va = plan->va_end + (plan->stack_top != 0 ? PAGE_BYTES : 0);
    uint64_t data_pages = (files->data_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    if (data_pages != 0 && end_va > DATA_VA && plan->va_first < DATA_VA + data_pages * PAGE_BYTES)
        return STATUS_OVERLAP;
    return regions_fit(role, plan, files->data_bytes) ? STATUS_OK : STATUS_OVER_LIMIT;
}

enum status model_procd_space(const struct role *role, const struct elf_plan *plan)
{
    bool brings_stack = plan->stack_top != 0;
    if (role->id <= ROLE_PROCD && !brings_stack)
        return STATUS_INVALID_ARGUMENT;
    uint64_t end_va = plan->va_end + (brings_stack ? PAGE_BYTES : 0); /* with its guard */
    if (end_va > USER_VA_END)
        return STATUS_OUT_OF_RANGE;
    uint64_t tables_end =
        SERVICE_TABLE_VA + role_table_pages(role->id, MODEL_PROCD_MEMORY_PAGES) * PAGE_BYTES;
    if (tables_end != SERVICE_TABLE_VA && plan->va_end > SERVICE_TABLE_VA &&
        plan->va_first < tables_end)
        return STATUS_OVERLAP;
    uint64_t stack_zone = brings_stack ? 0 : 65536; /* the stack that it is given */
    bool below = end_va <= HEAP_ZONE_VA - stack_zone;
    bool above = plan->va_first >= HEAP_ZONE_VA + HEAP_ZONE_BYTES;
    return role->id > ROLE_PROCD && !below && !above ? STATUS_OVERLAP : STATUS_OK;
}

uint64_t model_procd_budget(uint32_t role)
{
    return role_find(role)->budget_pages + role_table_budget_pages(role, MODEL_PROCD_MEMORY_PAGES);
}

bool model_procd_shares(const struct elf_segment *segment, uint64_t page)
{
    uint64_t first = segment->va + segment->first_bytes;
    uint64_t page_va = segment->va + page * PAGE_BYTES;
    return (segment->rights & RIGHT_WRITE) == 0 && page_va >= first &&
           page_va + PAGE_BYTES <= first + segment->file_bytes;
}

/* Pages of the bootstrap untyped: its tables, and all that are not the image's. */
uint32_t model_procd_private_pages(const struct role *role, const struct elf_plan *plan)
{
    uint64_t pages = role_table_pages(role->id, MODEL_PROCD_MEMORY_PAGES);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        for (uint64_t page = 0; page < segment->pages; page++)
            pages += !model_procd_shares(segment, page);
    }
    return pages > UINT32_MAX ? UINT32_MAX : (uint32_t)pages;
}

static struct pagerd_area *next_area(struct pagerd_register_process_request *out, uint32_t kind,
                                     uint64_t va, uint64_t bytes)
{
    struct pagerd_area *area = &out->areas[out->area_count++];
    area->kind = kind;
    area->va = va;
    area->memory_bytes = bytes;
    return area;
}

static void heap_areas(struct pagerd_register_process_request *out, bool gives_stack)
{
    if (gives_stack)
        next_area(out, AREA_WINDOW, HEAP_WINDOW_VA - 17 * PAGE_BYTES, 16 * PAGE_BYTES)->rights =
            8 | 16;
    next_area(out, AREA_GUARD, HEAP_WINDOW_VA - PAGE_BYTES, PAGE_BYTES);
    next_area(out, AREA_WINDOW, HEAP_WINDOW_VA, HEAP_WINDOW_BYTES)->rights = 8 | 16;
    next_area(out, AREA_GUARD, HEAP_WINDOW_VA + HEAP_WINDOW_BYTES, PAGE_BYTES);
}

_Static_assert((RIGHT_READ | RIGHT_WRITE) == (8 | 16), "a heap is readable and writable");

/* In front of a program that lies behind it. */
static void data_area(struct pagerd_register_process_request *out)
{
    struct pagerd_area area = {AREA_SEGMENT,    RIGHT_READ,       DATA_VA,
                               out->data_bytes, out->data_offset, out->data_bytes};
    uint32_t before = 0;
    while (before < out->area_count && out->areas[before].va < DATA_VA)
        before++;
    memmove(&out->areas[before + 1], &out->areas[before], (out->area_count - before) * sizeof area);
    out->areas[before] = area;
    out->area_count++;
}

/* Runs of pages that are the file's alone, when every other one is touched, and guards. */
static uint64_t runs_of(const struct pagerd_register_process_request *told)
{
    uint64_t runs = 0;
    for (uint32_t i = 0; i < told->area_count; i++) {
        const struct pagerd_area *area = &told->areas[i];
        uint64_t whole_pages = (area->file_offset % PAGE_BYTES + area->file_bytes) / PAGE_BYTES;
        if (area->kind == AREA_GUARD)
            runs += 1;
        if (area->kind == AREA_SEGMENT && (area->rights & RIGHT_WRITE) == 0)
            runs += whole_pages / 2 + whole_pages % 2;
    }
    return runs;
}

void model_procd_backing(const struct model_procd_process *process, const struct elf_plan *plan,
                         struct pagerd_register_process_request *out)
{
    const struct role role = model_procd_role(process->role, &process->limits);
    bool heap = process->role > ROLE_PROCD; /* everybody but the foundation */
    memset(out, 0, sizeof *out);
    out->token = process->id;
    out->image_offset = process->image_offset;
    out->image_bytes = process->image_bytes;
    out->data_offset = process->data_offset;
    out->data_bytes = process->data_bytes;
    out->page_limit = role.page_limit;
    out->flags = role_faults_around(&role) ? REGISTER_FAULT_AROUND : 0;
    if (heap && plan->va_first > HEAP_WINDOW_VA)
        heap_areas(out, plan->stack_top == 0);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        if (process->loaded) {
            next_area(out, AREA_LOADED, segment->va, segment->pages * PAGE_BYTES)->rights =
                segment->rights;
            continue;
        }
        bool whole_pages = (segment->rights & RIGHT_WRITE) != 0;
        struct pagerd_area *area =
            next_area(out, AREA_SEGMENT, segment->va,
                      whole_pages ? segment->pages * PAGE_BYTES
                                  : segment->first_bytes + segment->memory_bytes);
        area->rights = segment->rights;
        area->file_bytes = segment->file_bytes;
        if (segment->file_bytes != 0)
            area->file_offset = process->image_offset + segment->file_offset;
    }
    if (plan->stack_top != 0)
        next_area(out, AREA_GUARD, plan->stack_top, PAGE_BYTES);
    if (heap && plan->va_first < HEAP_WINDOW_VA)
        heap_areas(out, plan->stack_top == 0);
    if (process->data_bytes != 0)
        data_area(out);
    uint64_t runs = runs_of(out);
    out->region_limit = role.page_limit + (runs > 32 ? (uint32_t)runs : 32);
}
