/* SPDX-License-Identifier: ISC */
/* The model's view of areas: which registrations are sound, what an address may be used for, what a
 * page is made of. Numbers are wide enough not to wrap. */
#include "props/models/model_pagerd_areas.h"

#include <stddef.h>

#include "props/base/marks.h"

typedef unsigned __int128 wide;

enum { PAGE = PAGE_BYTES };

static wide pages_of(uint64_t bytes)
{
    return ((wide)bytes + PAGE - 1) / PAGE;
}

static enum status segment_status(const struct pagerd_register_process_request *request,
                                  const struct pagerd_area *area)
{
    wide needed = (wide)area->file_bytes + area->file_offset % PAGE;
    if (needed > area->memory_bytes)
        return STATUS_INVALID_ARGUMENT;
    wide filled = area->file_bytes == 0 ? 0 : (needed + PAGE - 1) / PAGE;
    if ((area->rights & RIGHT_EXECUTE) && filled < pages_of(area->memory_bytes))
        return STATUS_INVALID_ARGUMENT;
    wide file_end = (wide)area->file_offset + area->file_bytes;
    wide image_end = (wide)request->image_offset + request->image_bytes;
    wide data_end = (wide)request->data_offset + request->data_bytes;
    bool of_image = area->file_offset >= request->image_offset && file_end <= image_end;
    bool of_data = area->file_offset >= request->data_offset && file_end <= data_end;
    return area->file_bytes == 0 || of_image || of_data ? STATUS_OK : STATUS_OUT_OF_RANGE;
}

static enum status area_status(const struct pagerd_register_process_request *request,
                               const struct pagerd_area *area)
{
    wide end = area->va + pages_of(area->memory_bytes) * PAGE;
    if (area->kind == AREA_GUARD ? 0 : !(area->rights & RIGHT_READ))
        return STATUS_INVALID_ARGUMENT;
    if ((area->rights & RIGHT_WRITE) && (area->rights & RIGHT_EXECUTE))
        return STATUS_WRITE_AND_EXECUTE;
    if (area->va < USER_VA_FIRST || end > USER_VA_END || pages_of(area->memory_bytes) >> 32 != 0)
        return STATUS_OUT_OF_RANGE;
    if (area->kind == AREA_SEGMENT)
        return segment_status(request, area);
    if (area->file_offset != 0 || area->file_bytes != 0)
        return STATUS_INVALID_ARGUMENT;
    if (area->kind == AREA_LOADED)
        return STATUS_OK;
    if (area->kind == AREA_WINDOW)
        return area->rights & RIGHT_EXECUTE ? STATUS_INVALID_ARGUMENT : STATUS_OK;
    return area->rights == 0 && pages_of(area->memory_bytes) <= 512 ? STATUS_OK
                                                                    : STATUS_INVALID_ARGUMENT;
}

enum status model_areas_status(const struct pagerd_register_process_request *request)
{
    wide image_end = (wide)request->image_offset + request->image_bytes;
    wide data_end = (wide)request->data_offset + request->data_bytes;
    if (image_end > (wide)UINT32_MAX * PAGE || data_end > (wide)UINT32_MAX * PAGE)
        return STATUS_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < request->area_count; i++) {
        const struct pagerd_area *area = &request->areas[i];
        enum status status = area_status(request, area);
        if (status != STATUS_OK)
            return status;
        if (i == 0)
            continue;
        if (area->va < area[-1].va)
            return STATUS_BAD_ORDER;
        if (area->va < area[-1].va + pages_of(area[-1].memory_bytes) * PAGE)
            return STATUS_OVERLAP;
    }
    return STATUS_OK;
}

const struct pagerd_area *model_area_of(const struct model_pagerd_process *process, uint64_t va)
{
    for (uint32_t i = 0; i < process->area_count; i++) {
        const struct pagerd_area *area = &process->areas[i];
        if (va >= area->va && va < area->va + pages_of(area->memory_bytes) * PAGE)
            return area;
    }
    return NULL;
}

uint64_t model_file_byte_first(const struct pagerd_area *area, uint64_t page)
{
    return page == area->va ? area->file_offset % PAGE : 0;
}

uint64_t model_file_offset_in(const struct pagerd_area *area, uint64_t page)
{
    uint64_t of_page = area->file_offset / PAGE * PAGE + (page - area->va);
    return of_page + model_file_byte_first(area, page);
}

/* Bytes of the file that lie in the page. */
uint64_t model_file_bytes_in(const struct pagerd_area *area, uint64_t page)
{
    uint64_t end_of_file = area->file_offset + area->file_bytes;
    uint64_t offset = model_file_offset_in(area, page);
    uint64_t room = PAGE - model_file_byte_first(area, page);
    if (area->kind != AREA_SEGMENT || area->file_bytes == 0 || offset >= end_of_file)
        return 0;
    return end_of_file - offset > room ? room : end_of_file - offset;
}

/* A page of the file alone, which nobody can write to. */
bool model_is_shared(const struct pagerd_area *area, uint64_t page)
{
    return model_file_bytes_in(area, page) == PAGE && (area->rights & RIGHT_WRITE) == 0;
}

uint32_t model_right(uint32_t access)
{
    static const uint32_t needed[] = {RIGHT_READ, RIGHT_WRITE, RIGHT_EXECUTE};
    return needed[access];
}

/* The reason that the fault ends its process at once; NONE: it does not. */
enum end_reason model_forbidden(const struct model_pagerd_process *process,
                                const struct event_fault_request *fault)
{
    static const enum end_reason denied[] = {END_FAULT_READ_DENIED, END_FAULT_WRITE_DENIED,
                                             END_FAULT_EXECUTE_DENIED};
    if (process == NULL)
        return END_FAULT_BACKING;
    if (fault->va < PAGE)
        return END_FAULT_NULL_PAGE;
    const struct pagerd_area *area = model_area_of(process, fault->va);
    if (area == NULL)
        return END_FAULT_OUTSIDE;
    if (area->kind == AREA_GUARD)
        return END_FAULT_GUARD;
    bool allowed = (area->rights & model_right(fault->access)) != 0;
    /* a page that is there without the right gets it from nobody */
    if (!allowed || fault->present != 0)
        return denied[fault->access];
    /* nor does a program get code that nobody gave it */
    bool is_code = area->kind == AREA_LOADED && (area->rights & RIGHT_EXECUTE) != 0;
    return MARK_IF("pagerd: code that was not given", is_code) ? END_FAULT_BACKING : END_NONE;
}
