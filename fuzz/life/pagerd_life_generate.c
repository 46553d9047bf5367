/* SPDX-License-Identifier: ISC */
/* Draws messages for pagerd's life: most are right in the state that the model is in. Decides
 * nothing about what is right: the model does. */
#include "fuzz/life/pagerd_life.h"

#include "abi/roles.h"
#include "abi/text/generate.h"
#include "props/base/rows.h"

static uint64_t pick_token(struct choices *choices)
{
    uint64_t which = choices_below(choices, (uint64_t)model.process_count + 1);
    return which < model.process_count ? model.processes[which].token : choices_below(choices, 12);
}

static uint64_t pick_va(struct choices *choices, const struct model_pagerd_process *process)
{
    static const uint64_t odd[] = {0,          PAGE_BYTES - 1, USER_VA_END, UINT64_C(1) << 63,
                                   UINT64_MAX, USER_VA_FIRST};
    uint64_t which = choices_below(choices, process != NULL ? process->area_count + 1 : 1);
    if (process == NULL || which == process->area_count)
        return odd[choices_below(choices, sizeof odd / sizeof odd[0])];
    const struct pagerd_area *area = &process->areas[which];
    uint64_t pages = area->memory_bytes / PAGE_BYTES + 2;
    uint64_t near = pages < 5 ? pages : 5;
    uint64_t page = choices_below(choices, pages > PAGERD_BLOCK_PAGES ? pages : near);
    return area->va + page * PAGE_BYTES + choices_below(choices, PAGE_BYTES);
}

/* Reads the page behind the one that the process got last. */
static void walk_on(const struct model_pagerd_process *process, struct event_fault_request *fault)
{
    fault->va = process->got_last + PAGE_BYTES;
    fault->access = FAULT_READ;
    fault->present = 0;
}

void draw_fault(struct choices *choices, struct life_draft *draft)
{
    struct event_fault_request *fault = (void *)draft->body;
    draft->badge = BADGE_KERNEL;
    const struct model_pagerd_process *process = NULL;
    fault->token = pick_token(choices);
    fault->access = (uint32_t)choices_below(choices, 3);
    if (model.fill_count != 0 && choices_below(choices, 4) == 3) { /* where one waits already */
        const struct model_pagerd_fill *fill =
            &model.fills[choices_below(choices, model.fill_count)];
        fault->token = fill->token;
        fault->va = fill->page;
        return;
    }
    for (unsigned i = 0; i < model.process_count; i++)
        if (model.processes[i].token == fault->token)
            process = &model.processes[i];
    fault->va = pick_va(choices, process);
    uint64_t rest = choices_below(choices, 16);
    fault->present = rest % 8 == 7;
    if (rest >= 8 && process != NULL && process->got_last != 0)
        walk_on(process, fault);
}

enum { DATA_PAGES_APART = 16 };

/* A sound area behind `va`; where it ends. */
static uint64_t make_area(struct choices *choices, uint64_t va, uint64_t image_offset,
                          struct pagerd_area *area)
{
    static const struct {
        uint32_t kind;
        uint32_t rights;
    } sorts[] = {
        {AREA_SEGMENT, RIGHT_READ | RIGHT_WRITE},
        {AREA_WINDOW, RIGHT_READ | RIGHT_WRITE},
        {AREA_SEGMENT, RIGHT_READ | RIGHT_EXECUTE},
        {AREA_GUARD, 0},
        {AREA_SEGMENT, RIGHT_READ},
        {AREA_WINDOW, RIGHT_READ},
    };
    uint64_t sort = choices_below(choices, sizeof sorts / sizeof sorts[0]);
    uint64_t pages = 1 + choices_below(choices, 4);
    uint64_t cut = choices_below(choices, 3) * 1000;
    area->kind = sorts[sort].kind;
    area->rights = sorts[sort].rights;
    area->va = va + choices_below(choices, 2) * PAGE_BYTES;
    area->memory_bytes = pages * PAGE_BYTES - cut;
    if (area->kind == AREA_SEGMENT) {
        uint64_t some = choices_below(choices, 3) * PAGE_BYTES + choices_below(choices, PAGE_BYTES);
        bool whole = (area->rights & RIGHT_EXECUTE) != 0 || some > area->memory_bytes;
        area->file_bytes = whole ? area->memory_bytes : some;
        uint64_t place = choices_below(choices, 16);
        uint64_t first = place < 12 ? 0 : (place - 11) * 500; /* on the first page */
        area->file_offset = image_offset + place % 4 * PAGE_BYTES + first;
        if (area->file_bytes > area->memory_bytes - first)
            area->file_bytes = area->memory_bytes - first;
    }
    return area->va + pages * PAGE_BYTES;
}

static void break_area(struct choices *choices, struct pagerd_area *area)
{
    static const uint64_t odd[] = {
        0, 1, PAGE_BYTES, USER_VA_END - PAGE_BYTES, UINT64_MAX, UINT64_MAX - PAGE_BYTES + 1};
    uint64_t value = odd[choices_below(choices, sizeof odd / sizeof odd[0])];
    switch (choices_below(choices, 6)) {
    case 0:
        area->kind = (uint32_t)choices_below(choices, 4);
        break;
    case 1:
        area->rights = (uint32_t)choices_below(choices, 8) * RIGHT_READ;
        break;
    case 2:
        area->va = value;
        break;
    case 3:
        area->memory_bytes = value;
        break;
    case 4:
        area->file_offset = value;
        break;
    default:
        area->file_bytes = value;
        break;
    }
}

/* Makes the last area longer than a block of neighbours, and the image with it. */
static void stretch(struct choices *choices, struct pagerd_register_process_request *request)
{
    struct pagerd_area *area = &request->areas[request->area_count - 1];
    uint64_t more = (PAGERD_BLOCK_PAGES + choices_below(choices, 32)) * PAGE_BYTES;
    area->memory_bytes += more;
    area->file_bytes += area->file_bytes != 0 ? more : 0;
    request->image_bytes += more;
    request->page_limit += PAGERD_BLOCK_PAGES;
}

/* The last area's bytes are of another module, which may be too short for them. */
static void take_from_data(struct pagerd_register_process_request *request)
{
    struct pagerd_area *area = &request->areas[request->area_count - 1];
    request->data_offset = request->image_offset + DATA_PAGES_APART * PAGE_BYTES;
    request->data_bytes = (request->token % 4 == 0 ? 1 : 8) * PAGE_BYTES;
    if (area->file_bytes != 0)
        area->file_offset += DATA_PAGES_APART * PAGE_BYTES;
}

/* Some of its segments are those of a program that is no module. */
static void load(struct choices *choices, struct pagerd_register_process_request *request)
{
    uint64_t which = choices_below(choices, 32);
    for (uint32_t i = 0; i < request->area_count; i++) {
        struct pagerd_area *area = &request->areas[i];
        if ((which & UINT64_C(1) << i) == 0 || area->kind != AREA_SEGMENT)
            continue;
        area->kind = AREA_LOADED;
        area->file_offset = area->file_bytes = 0;
    }
}

void draw_register(struct choices *choices, struct life_draft *draft)
{
    struct pagerd_register_process_request *request = (void *)draft->body;
    uint64_t start = choices_below(choices, 8);
    uint64_t va = PAGE_BYTES * (1 + start % 4);
    if (start >= 4) /* where one page table ends */
        va += (PAGERD_TABLE_PAGES - PAGERD_BLOCK_PAGES) * PAGE_BYTES;
    request->token = choices_below(choices, 12);
    request->vspace_slot = 1 + (uint32_t)choices_below(choices, 12);
    request->account_slot = 1 + (uint32_t)choices_below(choices, 4);
    request->image_offset = PAGE_BYTES * choices_below(choices, 3);
    request->image_bytes = 8 * PAGE_BYTES - choices_below(choices, 2) * 100;
    request->page_limit = (uint32_t)choices_below(choices, 12);
    request->area_count = 1 + (uint32_t)choices_below(choices, 5);
    for (uint32_t i = 0; i < request->area_count; i++)
        va = make_area(choices, va, request->image_offset, &request->areas[i]);
    if (choices_below(choices, 6) == 5)
        break_area(choices, &request->areas[choices_below(choices, request->area_count)]);
    request->region_limit = 64 - (uint32_t)choices_below(choices, 65);
    uint64_t rest = choices_below(choices, 8);
    request->flags = rest < 4 ? REGISTER_FAULT_AROUND : 0;
    if (rest % 4 == 3)
        stretch(choices, request);
    if (rest == 5)
        take_from_data(request);
    load(choices, request);
}

void draw_resolve(struct choices *choices, struct life_draft *draft)
{
    struct pagerd_resolve_fault_request *request = (void *)draft->body;
    uint64_t which = choices_below(choices, (uint64_t)model.fill_count + 2);
    request->fault_id = which < model.fill_count    ? model.fills[which].id
                        : which == model.fill_count ? 0
                                                    : choices_below(choices, 40);
    request->action = (uint32_t)choices_below(choices, 2);
    uint64_t reason = choices_below(choices, END_REASON_LAST + 1);
    bool fits = request->action == RESOLVE_END && reason >= END_FAULT_OUTSIDE;
    if (fits || choices_below(choices, 6) == 5)
        request->reason = (uint32_t)reason;
    else if (request->action == RESOLVE_END)
        request->reason = END_FAULT_BACKING;
}

void draw_unregister(struct choices *choices, struct life_draft *draft)
{
    struct pagerd_unregister_process_request *request = (void *)draft->body;
    request->token = pick_token(choices);
}

void draw_query(struct choices *choices, struct life_draft *draft)
{
    struct pagerd_query_faults_request *request = (void *)draft->body;
    request->token = pick_token(choices);
}

/* A page of an area LOADED, mostly, and a frame that was given before now and then. */
void draw_give(struct choices *choices, struct life_draft *draft)
{
    struct pagerd_give_page_request *request = (void *)draft->body;
    request->token = pick_token(choices);
    request->frame_id = 1 + (uint32_t)choices_below(choices, 12);
    if (choices_below(choices, 4) != 3)
        request->frame_id = UINT32_MAX; /* a new one */
    request->frame_slot = 1;
    const struct model_pagerd_process *process = model_pagerd_process(&model, request->token);
    request->va = pick_va(choices, process) / PAGE_BYTES * PAGE_BYTES;
    for (uint32_t i = 0; process != NULL && i < process->area_count; i++)
        if (process->areas[i].kind == AREA_LOADED && choices_below(choices, 4) != 3)
            request->va = process->areas[i].va + choices_below(choices, 4) * PAGE_BYTES;
}

/* Whatever pagerd receives, by one byte: an operation of its own, or from FAULT_BYTE on a fault. */
static uint16_t any_operation(struct choices *choices)
{
    enum { FAULT_BYTE = 0x80 };
    size_t from = choices->offset_bytes;
    uint8_t byte = choices_u8(choices);
    bool fault = byte >= FAULT_BYTE;
    uint16_t id = fault ? OP_EVENT_FAULT : operation_near_in(SERVICE_PAGERD, byte)->id;
    choices_settle(choices, from, fault ? FAULT_BYTE : id % FAULT_BYTE);
    return id;
}

static uint64_t below(void *context, uint64_t limit)
{
    return choices_below(context, limit);
}

void draw_violation(struct choices *choices, struct life_draft *draft)
{
    struct generator generator = {.below = below, .context = choices};
    draft->operation = any_operation(choices);
    const struct operation *row = life_row_of(&pagerd_life_language, draft->operation);
    generate_valid(&generator, row->request, draft->body);
    generate_violation(&generator, row->request, draft->body);
    draft->badge = draft->operation == OP_EVENT_FAULT ? BADGE_KERNEL : 0;
}

void draw_stranger(struct choices *choices, struct life_draft *draft)
{
    static const uint64_t badges[] = {ROLE_PROCD, BADGE_KERNEL, 0, BADGE_KERNEL - 1};
    draw_violation(choices, draft);
    draft->badge = badges[choices_below(choices, sizeof badges / sizeof badges[0])];
}

void pagerd_life_generate(struct choices *choices, struct message *message)
{
    struct life_draft draft;
    life_draw_operation(&pagerd_life_language, choices, &draft);
    life_draw_body(&pagerd_life_language, choices, &draft);
    life_draft_message(&pagerd_life_language, &draft, message);
    if (draft.row->draw != draw_stranger)
        return;
    if (choices_below(choices, 4) == 3)
        message->header.operation = (uint16_t)choices_below(choices, UINT16_MAX + 1);
    if (choices_below(choices, 8) == 7)
        message->header.version = 2;
}
