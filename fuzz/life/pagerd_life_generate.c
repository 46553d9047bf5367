/* SPDX-License-Identifier: ISC */
/* See pagerd_life_generate.h. Decides nothing about what is right: the model does. */
#include "fuzz/life/pagerd_life_generate.h"

#include <string.h>

#include "abi/text/generate.h"

static uint64_t pick_token(const struct model_pagerd *model, struct choices *choices)
{
    uint64_t which = choices_below(choices, (uint64_t)model->process_count + 1);
    return which < model->process_count ? model->processes[which].token
                                        : choices_below(choices, 12);
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
    uint64_t page = choices_below(choices, pages < 5 ? pages : 5);
    return area->va + page * PAGE_BYTES + choices_below(choices, PAGE_BYTES);
}

static void make_fault(const struct model_pagerd *model, struct choices *choices,
                       struct event_fault_request *fault)
{
    const struct model_pagerd_process *process = NULL;
    fault->token = pick_token(model, choices);
    fault->access = (uint32_t)choices_below(choices, 3);
    if (model->fill_count != 0 && choices_below(choices, 4) == 3) { /* where one waits already */
        const struct model_pagerd_fill *fill =
            &model->fills[choices_below(choices, model->fill_count)];
        fault->token = fill->token;
        fault->va = fill->page;
        return;
    }
    for (unsigned i = 0; i < model->process_count; i++)
        if (model->processes[i].token == fault->token)
            process = &model->processes[i];
    fault->va = pick_va(choices, process);
    fault->present = choices_below(choices, 8) == 7;
}

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
        area->file_offset = image_offset + choices_below(choices, 4) * PAGE_BYTES;
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

static void make_register(struct choices *choices, struct pagerd_register_process_request *request)
{
    uint64_t va = PAGE_BYTES * (1 + choices_below(choices, 4));
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
}

static void make_resolve(const struct model_pagerd *model, struct choices *choices,
                         struct pagerd_resolve_fault_request *request)
{
    uint64_t which = choices_below(choices, (uint64_t)model->fill_count + 2);
    request->fault_id = which < model->fill_count    ? model->fills[which].id
                        : which == model->fill_count ? 0
                                                     : choices_below(choices, 40);
    request->action = (uint32_t)choices_below(choices, 2);
    uint64_t reason = choices_below(choices, END_REASON_LAST + 1);
    bool fits = request->action == RESOLVE_END && reason >= END_FAULT_OUTSIDE;
    if (fits || choices_below(choices, 6) == 5)
        request->reason = (uint32_t)reason;
    else if (request->action == RESOLVE_END)
        request->reason = END_FAULT_BACKING;
}

static uint64_t draw(void *context, uint64_t limit)
{
    return choices_below(context, limit);
}

/* A message of any operation, by its row alone, with one field outside its constraint. */
static void make_violation(struct choices *choices, struct message *message)
{
    static const uint16_t ids[] = {OP_PAGERD_REGISTER_PROCESS, OP_PAGERD_UNREGISTER_PROCESS,
                                   OP_PAGERD_RESOLVE_FAULT, OP_PAGERD_QUERY_FAULTS, OP_EVENT_FAULT};
    uint16_t id = ids[choices_below(choices, sizeof ids / sizeof ids[0])];
    const struct operation *operation =
        operation_find(id == OP_EVENT_FAULT ? SERVICE_EVENT : SERVICE_PAGERD, id);
    struct generator generator = {.below = draw, .context = choices};
    uint64_t body[MESSAGE_BODY_BYTES_MAX / 8] = {0};
    generate_valid(&generator, operation->request, body);
    generate_violation(&generator, operation->request, body);
    generate_delivered(operation->request, body, message);
    message->header.badge = id == OP_EVENT_FAULT ? BADGE_KERNEL : 0;
}

/* One who may not, or asks what nobody answers. */
static void make_stranger(struct choices *choices, struct message *message)
{
    static const uint64_t badges[] = {ROLE_PROCD, BADGE_KERNEL, 0, BADGE_KERNEL - 1};
    make_violation(choices, message);
    message->header.badge = badges[choices_below(choices, sizeof badges / sizeof badges[0])];
    if (choices_below(choices, 4) == 3)
        message->header.operation = (uint16_t)choices_below(choices, UINT16_MAX + 1);
    if (choices_below(choices, 8) == 7)
        message->header.version = 2;
}

void pagerd_generate(const struct model_pagerd *model, struct choices *choices,
                     struct message *message)
{
    union {
        struct event_fault_request fault;
        struct pagerd_register_process_request reg;
        struct pagerd_unregister_process_request unregister;
        struct pagerd_resolve_fault_request resolve;
        struct pagerd_query_faults_request query;
    } request = {0};
    const struct message_type *type = &event_fault_request_type;
    memset(&request, 0, sizeof request);
    unsigned kind = choices_u8(choices) % 20;
    if (kind >= 18) {
        kind == 18 ? make_violation(choices, message) : make_stranger(choices, message);
        return;
    }
    if (kind < 9) {
        make_fault(model, choices, &request.fault);
    } else if (kind < 12) {
        type = &pagerd_register_process_request_type;
        make_register(choices, &request.reg);
    } else if (kind < 14) {
        type = &pagerd_unregister_process_request_type;
        request.unregister.token = pick_token(model, choices);
    } else if (kind < 17) {
        type = &pagerd_resolve_fault_request_type;
        make_resolve(model, choices, &request.resolve);
    } else {
        type = &pagerd_query_faults_request_type;
        request.query.token = pick_token(model, choices);
    }
    generate_delivered(type, &request, message);
    message->header.badge = kind < 9 ? BADGE_KERNEL : 0;
}
