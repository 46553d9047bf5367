/* SPDX-License-Identifier: ISC */
/* The pure half of pagerd: whether a registration is sound, what a fault deserves, how a page is
 * made. Reads its arguments, changes nothing, calls nobody. */
#include "services/pagerd/internal.h"

#include "abi/formats/cursor.h"

/* Image pages are named by 32-bit page numbers in MAP_FRAMES. */
#define IMAGE_END ((uint64_t)UINT32_MAX << PAGE_SHIFT)

uint64_t pagerd_area_pages(const struct pagerd_area *area)
{
    return (area->memory_bytes + PAGE_BYTES - 1) >> PAGE_SHIFT; /* at most USER_VA_END: no wrap */
}

struct pagerd_place pagerd_place_of(const struct pagerd_area *area)
{
    bool has_file = area->file_bytes != 0;
    UNIT_ASSERT(pagerd_area_pages(area) <= UINT32_MAX && area->file_bytes <= UINT32_MAX);
    return (struct pagerd_place){
        .va = area->va,
        .page_count = (uint32_t)pagerd_area_pages(area),
        .image_page = has_file ? (uint32_t)(area->file_offset >> PAGE_SHIFT) : 0,
        .file_bytes = (uint32_t)area->file_bytes,
        .first_bytes = has_file ? area->file_offset % PAGE_BYTES : 0,
        .kind = (uint8_t)area->kind,
        .rights = (uint8_t)area->rights,
    };
}

struct pagerd_area pagerd_area_at(const struct pagerd_place *place)
{
    return (struct pagerd_area){
        .kind = place->kind,
        .rights = place->rights,
        .va = place->va,
        .memory_bytes = (uint64_t)place->page_count << PAGE_SHIFT,
        .file_offset = ((uint64_t)place->image_page << PAGE_SHIFT) + place->first_bytes,
        .file_bytes = place->file_bytes,
    };
}

/* Of a segment whose file bytes lie within its memory. */
static uint64_t file_pages(const struct pagerd_area *area)
{
    if (area->file_bytes == 0)
        return 0;
    return (area->file_offset % PAGE_BYTES + area->file_bytes + PAGE_BYTES - 1) >> PAGE_SHIFT;
}

/* --- registrations --------------------------------------------------------------------------- */

/* Whether an area's file bytes lie within a range of the image that its process was registered with. */
static bool is_backed(const struct pagerd_area *area, uint64_t offset, uint64_t bytes)
{
    return area->file_offset >= offset &&
           range_within(area->file_offset - offset, area->file_bytes, bytes);
}

static enum status judge_segment(const struct pagerd_register_process_request *request,
                                 const struct pagerd_area *area)
{
    if (!range_within(area->file_offset % PAGE_BYTES, area->file_bytes, area->memory_bytes))
        return STATUS_INVALID_ARGUMENT;
    if ((area->rights & RIGHT_EXECUTE) != 0 && pagerd_area_pages(area) != file_pages(area))
        return STATUS_INVALID_ARGUMENT; /* demand-zero pages are never code */
    if (area->file_bytes == 0)
        return STATUS_OK;
    if (is_backed(area, request->image_offset, request->image_bytes) ||
        is_backed(area, request->data_offset, request->data_bytes))
        return STATUS_OK;
    return STATUS_OUT_OF_RANGE; /* G4 */
}

static enum status judge_kind(const struct pagerd_register_process_request *request,
                              const struct pagerd_area *area)
{
    bool no_file = area->file_offset == 0 && area->file_bytes == 0;
    switch ((enum area_kind)area->kind) {
    case AREA_GUARD:
        return area->rights == 0 && no_file && pagerd_area_pages(area) <= PAGERD_GUARD_PAGES_MAX
                   ? STATUS_OK
                   : STATUS_INVALID_ARGUMENT;
    case AREA_LOADED: /* code is given, never zero */
        return no_file ? STATUS_OK : STATUS_INVALID_ARGUMENT;
    case AREA_WINDOW:
        return no_file && (area->rights & RIGHT_EXECUTE) == 0 ? STATUS_OK : STATUS_INVALID_ARGUMENT;
    case AREA_SEGMENT:
        return judge_segment(request, area);
    }
    return STATUS_INVALID_ARGUMENT;
}

static enum status judge_area(const struct pagerd_register_process_request *request,
                              const struct pagerd_area *area)
{
    uint32_t both = RIGHT_WRITE | RIGHT_EXECUTE;
    if (area->kind != AREA_GUARD && (area->rights & RIGHT_READ) == 0)
        return STATUS_INVALID_ARGUMENT;
    if ((area->rights & both) == both)
        return STATUS_WRITE_AND_EXECUTE; /* V2 */
    if (area->va < USER_VA_FIRST || pagerd_area_pages(area) > UINT32_MAX ||
        !range_within(area->va, pagerd_area_pages(area) << PAGE_SHIFT, USER_VA_END))
        return STATUS_OUT_OF_RANGE; /* V5 */
    return judge_kind(request, area);
}

/* Areas are judged to be in range before: their ends do not wrap. */
static enum status judge_order(const struct pagerd_area *area, const struct pagerd_area *next)
{
    if (next->va < area->va)
        return STATUS_BAD_ORDER;
    return next->va - area->va < pagerd_area_pages(area) << PAGE_SHIFT ? STATUS_OVERLAP : STATUS_OK;
}

enum status pagerd_judge_registration(const struct pagerd_register_process_request *request)
{
    if (!range_within(request->image_offset, request->image_bytes, IMAGE_END) ||
        !range_within(request->data_offset, request->data_bytes, IMAGE_END))
        return STATUS_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < request->area_count; i++) {
        enum status status = judge_area(request, &request->areas[i]);
        if (status == STATUS_OK && i != 0)
            status = judge_order(&request->areas[i - 1], &request->areas[i]);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* --- faults ---------------------------------------------------------------------------------- */

static struct pagerd_ruling end_with(enum end_reason reason)
{
    return (struct pagerd_ruling){.verdict = VERDICT_END, .reason = reason};
}

/* The area that an address lies in; area_count when none. */
static uint32_t area_of(const struct pagerd_registration *registration, uint64_t va)
{
    for (uint32_t i = 0; i < registration->area_count; i++) {
        const struct pagerd_place *place = &registration->places[i];
        if (va >= place->va && (va - place->va) >> PAGE_SHIFT < place->page_count)
            return i;
    }
    return registration->area_count;
}

uint32_t pagerd_right_of(enum fault_access access)
{
    switch (access) {
    case FAULT_READ:
        return RIGHT_READ;
    case FAULT_WRITE:
        return RIGHT_WRITE;
    case FAULT_EXECUTE:
        return RIGHT_EXECUTE;
    }
    return RIGHTS_MAPPING;
}

static enum end_reason denial(enum fault_access access)
{
    switch (access) {
    case FAULT_READ:
        return END_FAULT_READ_DENIED;
    case FAULT_WRITE:
        return END_FAULT_WRITE_DENIED;
    case FAULT_EXECUTE:
        return END_FAULT_EXECUTE_DENIED;
    }
    return END_FAULT_BACKING;
}

/* Whether the process was told that it has this page and this right, and nothing was mapped. */
static bool told_in_vain(const struct pagerd_registration *registration, uint64_t va,
                         uint32_t right)
{
    return registration->unproved_va != 0 &&
           registration->unproved_va == (va & ~(uint64_t)(PAGE_BYTES - 1)) &&
           (registration->unproved_rights & right) != 0;
}

struct pagerd_ruling pagerd_judge_fault(const struct pagerd_registration *registration,
                                        const struct event_fault_request *fault)
{
    if (fault->va < PAGE_BYTES)
        return end_with(END_FAULT_NULL_PAGE);
    uint32_t index = area_of(registration, fault->va);
    if (index == registration->area_count)
        return end_with(END_FAULT_OUTSIDE); /* G3 */
    const struct pagerd_place *place = &registration->places[index];
    if (place->kind == AREA_GUARD)
        return end_with(END_FAULT_GUARD);
    enum fault_access access = (enum fault_access)fault->access;
    uint32_t right = pagerd_right_of(access);
    if ((place->rights & right) != right)
        return end_with(denial(access)); /* G3 */
    if (fault->present != 0)
        return end_with(denial(access)); /* the page is there without the right (G7) */
    if (told_in_vain(registration, fault->va, right))
        return end_with(END_FAULT_BACKING); /* G7 */
    if (place->kind == AREA_LOADED && (place->rights & RIGHT_EXECUTE) != 0)
        return end_with(END_FAULT_BACKING); /* code that nobody gave */
    return (struct pagerd_ruling){.verdict = VERDICT_FILL, .area = index};
}

/* --- pages ----------------------------------------------------------------------------------- */

/* The neighbours of a page of the image: those of its block that the file bytes fill. */
static void plan_block(const struct pagerd_place *place, struct pagerd_supply *supply)
{
    uint64_t page = supply->va >> PAGE_SHIFT;
    uint64_t first_page = page & ~(uint64_t)(PAGERD_BLOCK_PAGES - 1);
    uint64_t end_page = first_page + PAGERD_BLOCK_PAGES;
    uint64_t place_page = place->va >> PAGE_SHIFT;
    uint64_t file_page = place_page + (place->first_bytes != 0); /* the first whole one: G4 */
    uint64_t file_end = (uint64_t)place->first_bytes + place->file_bytes;
    uint64_t file_end_page = place_page + (file_end >> PAGE_SHIFT); /* of whole ones: G4 */
    first_page = first_page < file_page ? file_page : first_page;
    end_page = end_page > file_end_page ? file_end_page : end_page;
    UNIT_ASSERT(first_page <= page && page < end_page);
    supply->block_pages = (uint32_t)(end_page - first_page);
    supply->block_before = (uint32_t)(page - first_page);
}

struct pagerd_supply pagerd_plan_supply(const struct pagerd_place *place, uint64_t va)
{
    struct pagerd_supply supply = {
        .backing = BACKING_ANONYMOUS, .rights = place->rights, .va = va, .block_pages = 1};
    uint64_t start = va - place->va; /* what the file has of the page, from the place's begin on */
    uint64_t end = start + PAGE_BYTES;
    uint64_t file_end = (uint64_t)place->first_bytes + place->file_bytes;
    UNIT_ASSERT(va % PAGE_BYTES == 0 && va >= place->va); /* G3 */
    UNIT_ASSERT(start >> PAGE_SHIFT < place->page_count);
    start = start < place->first_bytes ? place->first_bytes : start;
    end = end > file_end ? file_end : end;
    if (place->kind != AREA_SEGMENT || start >= end)
        return supply;
    bool own = (place->rights & RIGHT_WRITE) != 0 || end - start < PAGE_BYTES; /* G4 */
    supply.backing = own ? BACKING_COPY : BACKING_IMAGE;
    supply.image_offset = ((uint64_t)place->image_page << PAGE_SHIFT) + start;
    supply.copy_at = (uint32_t)(start % PAGE_BYTES);
    supply.copy_bytes = (uint32_t)(end - start); /* G4 */
    if (!own)
        plan_block(place, &supply);
    return supply;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Never more than the process may have: a neighbour is a page like any other. Nor below another
 * page table, which would be kernel memory for pages that nobody has touched. */
void pagerd_plan_walk(const struct pagerd_registration *registration, uint32_t area_index,
                      struct pagerd_supply *supply)
{
    const struct pagerd_place *place = &registration->places[area_index];
    if ((registration->flags & REGISTER_FAULT_AROUND) == 0 ||
        supply->backing != BACKING_ANONYMOUS || supply->va != registration->walk_va)
        return;
    uint64_t area_left = place->page_count - ((supply->va - place->va) >> PAGE_SHIFT);
    uint64_t table_left = PAGERD_TABLE_PAGES - (supply->va >> PAGE_SHIFT) % PAGERD_TABLE_PAGES;
    uint64_t pages = PAGERD_WALK_PAGES;
    pages = lesser(pages, area_left);
    pages = lesser(pages, table_left);
    pages = lesser(pages, registration->page_limit - registration->page_count);
    UNIT_ASSERT(pages != 0);
    supply->block_pages = (uint32_t)pages;
}

bool pagerd_over_limit(const struct pagerd_registration *registration, enum pagerd_backing backing)
{
    return backing != BACKING_IMAGE && registration->page_count >= registration->page_limit;
}
