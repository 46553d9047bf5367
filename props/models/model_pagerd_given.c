/* SPDX-License-Identifier: ISC */
/* The model of pagerd: pages that are given. */
#include "props/models/model_pagerd_inside.h"

#include <stddef.h>

#include "props/base/marks.h"
#include "props/models/model_pagerd_areas.h"

/* Asks for the page of a frame that the process's maker has filled. */
static enum status give_in(struct model_pagerd *model, struct model_pagerd_process *process,
                           const struct pagerd_area *area,
                           const struct pagerd_give_page_request *request)
{
    if (MARK_IF("pagerd: given above the page limit", process->pages >= process->page_limit))
        return STATUS_OVER_LIMIT;
    enum status status = model_pagerd_expect(model, ACT_MAP_FRAME, process->space, request->va,
                                             area->rights, 1, request->frame_id)
                             .result;
    if (MARK_IF("pagerd: a given page is in doubt", status == STATUS_TIMED_OUT)) {
        process->doubt_page = request->va;
        process->doubt_pages = 1;
    }
    if (status == STATUS_OK)
        model_pagerd_came(model, process, request->va, 1);
    return status;
}

/* What the last page left open is settled first, whatever becomes of this one. */
enum status model_pagerd_give(struct model_pagerd *model,
                              const struct pagerd_give_page_request *request, bool *leaves)
{
    struct model_pagerd_process *process = model_pagerd_process(model, request->token);
    if (process == NULL)
        return STATUS_NOT_FOUND;
    const struct pagerd_area *area = model_area_of(process, request->va);
    if (area == NULL || area->kind != AREA_LOADED)
        return STATUS_OUT_OF_RANGE;
    if (MARK_IF("pagerd: given to one whose space is lost", process->space == 0))
        return STATUS_NOT_FOUND;
    *leaves = process->doubt_page != 0 || process->owed_frame != 0;
    enum status status = model_pagerd_settle_page(model, process);
    if (status == STATUS_OK)
        status = give_in(model, process, area, request);
    *leaves |= process->doubt_page != 0;
    model_pagerd_note_open_page(model, process);
    return status;
}
