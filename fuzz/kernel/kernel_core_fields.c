/* SPDX-License-Identifier: ISC */
/* Values for the fields of kernel-control requests and slots for messages, drawn from choices:
 * mostly what means something to the current process, sometimes nonsense. Looks at the model,
 * predicts nothing. */
#include "fuzz/kernel/kernel_core_fields.h"

#include <string.h>

#include "abi/messages/kernel.h"
#include "abi/text/generate.h"
#include "fuzz/kernel/kernel_core.h"
#include "props/base/rows.h"

enum { VA_BASE = 0x10000000 };

/* --- slots ------------------------------------------------------------------------------------ */

static uint32_t fitting_count(uint32_t type_mask, uint16_t rights)
{
    const struct model_kernel_process *process = &core_model.processes[core_model.current];
    uint32_t count = 0;
    for (uint32_t i = 0; i < process->cap_count; i++)
        count += (type_mask >> process->caps[i].type & 1) != 0 &&
                 (process->caps[i].rights & rights) == rights;
    return count;
}

uint32_t core_slot_of(uint32_t type_mask, uint16_t rights, uint32_t skip)
{
    const struct model_kernel_process *process = &core_model.processes[core_model.current];
    for (uint32_t i = 0; i < process->cap_count; i++) {
        const struct model_cap *cap = &process->caps[i];
        if ((type_mask >> cap->type & 1) != 0 && (cap->rights & rights) == rights && skip-- == 0)
            return cap->slot;
    }
    return 0;
}

uint32_t core_hostile_slot(struct choices *choices)
{
    static const uint32_t slots[] = {SLOT_NULL,
                                     3,
                                     SLOT_LEGACY,
                                     SLOT_REPLY_BASE,
                                     SLOT_REPLY_BASE - 1,
                                     SLOT_REPLY_BASE + SLOT_REPLY_COUNT - 1,
                                     SLOT_REPLY_BASE + SLOT_REPLY_COUNT,
                                     SLOT_LIMIT - 1,
                                     SLOT_LIMIT,
                                     UINT32_MAX};
    uint64_t pick = choices_below(choices, sizeof slots / sizeof slots[0] + 2);
    if (pick < sizeof slots / sizeof slots[0])
        return slots[pick];
    return (uint32_t)choices_below(choices, 128);
}

/* Mostly a slot that fits, sometimes any occupied one, seldom nonsense. */
uint32_t core_pick_slot(struct choices *choices, uint32_t type_mask, uint16_t rights)
{
    uint64_t how = choices_below(choices, 16);
    if (how == 15)
        return core_hostile_slot(choices);
    if (how == 14) {
        type_mask = UINT32_MAX;
        rights = 0;
    }
    uint32_t count = fitting_count(type_mask, how == 13 ? 0 : rights);
    if (count == 0)
        return core_hostile_slot(choices);
    return core_slot_of(type_mask, how == 13 ? 0 : rights, (uint32_t)choices_below(choices, count));
}

uint32_t core_empty(uint32_t from, uint32_t count)
{
    while (!model_range_empty(&core_model, core_model.current, from, count))
        from++;
    return from;
}

uint32_t core_pick_empty(struct choices *choices, uint32_t count)
{
    static const uint32_t bases[] = {SLOT_RECEIVE_BASE, SLOT_RECEIVE_BASE, 4220, SLOT_LIMIT - 4};
    uint64_t how = choices_below(choices, 16);
    if (how == 15)
        return core_hostile_slot(choices);
    uint32_t base = bases[choices_below(choices, 4)];
    return how == 14 ? base : core_empty(base, count);
}

/* --- fields of kernel-control requests --- */

static bool is_field(const struct message_field *field, const char *name)
{
    return strcmp(field->name, name) == 0;
}

uint64_t core_pick_va(struct choices *choices)
{
    static const uint64_t vas[] = {VA_BASE + 0x1FF000,
                                   VA_BASE + 0x200000,
                                   USER_VA_FIRST,
                                   USER_VA_END - PAGE_BYTES,
                                   USER_VA_END,
                                   0,
                                   UINT64_C(0x00007F8000000000) - PAGE_BYTES,
                                   UINT64_C(0xFFFF800000000000),
                                   UINT64_MAX - PAGE_BYTES + 1};
    uint64_t how = choices_below(choices, 24);
    if (how < sizeof vas / sizeof vas[0])
        return vas[how];
    return VA_BASE + how % 6 * PAGE_BYTES;
}

/* An address that some process has mapped. */
uint64_t core_pick_mapped(struct choices *choices)
{
    uint64_t process = choices_below(choices, core_model.process_count);
    const struct model_kernel_process *owner = &core_model.processes[process];
    if (owner->map_count == 0)
        return core_pick_va(choices);
    return owner->maps[choices_below(choices, owner->map_count)].va;
}

static uint64_t pick_target(struct choices *choices, uint16_t operation)
{
    static const uint32_t installs[] = {3,
                                        5,
                                        16,
                                        17,
                                        32,
                                        33,
                                        4,
                                        2,
                                        SLOT_STARTUP_LAST,
                                        SLOT_STARTUP_LAST + 1,
                                        SLOT_KERNEL_MEM_ENDPOINT,
                                        SLOT_KERNEL_VSPACE_ENDPOINT,
                                        SLOT_PROCD_DRIVER_ENDPOINT};
    if (operation == OP_KERNEL_CAP_COPY_ATTENUATED)
        return installs[choices_below(choices, sizeof installs / sizeof installs[0])];
    if (operation == OP_KERNEL_FRAME_COPY)
        return core_pick_slot(choices, 1u << OBJECT_FRAME, RIGHT_WRITE);
    return core_pick_empty(choices, 1);
}

static uint32_t pick_source(struct choices *choices, uint16_t operation)
{
    if (operation == OP_KERNEL_FRAME_COPY)
        return core_pick_slot(choices, 1u << OBJECT_FRAME | 1u << OBJECT_IMAGE, RIGHT_READ);
    if (operation == OP_KERNEL_CAP_COPY_ATTENUATED)
        return core_pick_slot(choices, CORE_TRANSFERABLE, RIGHT_TRANSFER);
    /* What lives need is seldom moved away. */
    return core_pick_slot(choices, 1u << OBJECT_FRAME | 1u << OBJECT_PROCESS | 1u << OBJECT_VSPACE,
                          0);
}

static uint32_t pick_own(struct choices *choices, uint16_t operation)
{
    uint32_t made = 1u << OBJECT_FRAME | 1u << OBJECT_UNTYPED;
    if (operation == OP_KERNEL_DESTROY)
        return core_pick_slot(choices, made, RIGHT_CONTROL);
    if (operation == OP_KERNEL_DROP_LOCAL_CAP)
        return core_pick_slot(choices,
                              1u << OBJECT_FRAME | 1u << OBJECT_PROCESS | 1u << OBJECT_VSPACE |
                                  1u << OBJECT_GRANT | 1u << OBJECT_REPLY | 1u << OBJECT_UNTYPED,
                              0);
    return core_pick_slot(choices, UINT32_MAX, 0);
}

static uint64_t pick_rights(struct choices *choices, uint16_t operation, const uint8_t *body)
{
    static const uint16_t mappings[] = {RIGHT_READ, RIGHT_READ | RIGHT_WRITE,
                                        RIGHT_READ | RIGHT_EXECUTE, RIGHTS_MAPPING, RIGHT_WRITE};
    if (operation != OP_KERNEL_CAP_COPY_ATTENUATED)
        return mappings[choices_below(choices, 5)];
    uint32_t source;
    memcpy(&source, body + sizeof source, sizeof source);
    const struct model_cap *cap = model_cap_find(&core_model, core_model.current, source);
    uint16_t rights = cap != NULL ? cap->rights : RIGHTS_ALL;
    return choices_flag(choices) ? rights & choices_u8(choices) : rights;
}

/* A slot by the name of its field; false: the field names no slot of a known kind. */
static bool hint_slot(struct choices *choices, uint16_t operation,
                      const struct message_field *field, uint64_t *value)
{
    if (is_field(field, "untyped_slot"))
        *value = core_pick_slot(choices, 1u << OBJECT_UNTYPED, RIGHT_CONTROL);
    else if (is_field(field, "event_slot"))
        *value = core_pick_slot(choices, 1u << OBJECT_ENDPOINT, RIGHT_RECEIVE);
    else if (is_field(field, "endpoint_slot"))
        *value = choices_below(choices, 4) == 0
                     ? 0
                     : core_pick_slot(choices, 1u << OBJECT_ENDPOINT, RIGHT_SEND);
    else if (strstr(field->name, "process_slot") != NULL)
        *value = core_pick_slot(choices, 1u << OBJECT_PROCESS, RIGHT_CONTROL);
    else if (is_field(field, "pager_slot"))
        *value = choices_below(choices, 3) == 0
                     ? 0
                     : core_pick_slot(choices, 1u << OBJECT_ENDPOINT, RIGHT_SEND);
    else if (is_field(field, "vspace_slot"))
        *value = core_pick_slot(choices, 1u << OBJECT_VSPACE, RIGHT_MAP);
    else if (is_field(field, "frame_slot"))
        *value = core_pick_slot(choices, 1u << OBJECT_FRAME | 1u << OBJECT_IMAGE, RIGHT_READ);
    else if (is_field(field, "grant_slot"))
        *value = core_pick_slot(choices, 1u << OBJECT_GRANT, RIGHT_CONTROL);
    else if (is_field(field, "source_slot"))
        *value = pick_source(choices, operation);
    else if (is_field(field, "target_slot"))
        *value = pick_target(choices, operation);
    else if (is_field(field, "slot"))
        *value = pick_own(choices, operation);
    else
        return false;
    return true;
}

static bool hint(struct choices *choices, uint16_t operation, const struct message_field *field,
                 const uint8_t *body, uint64_t *value)
{
    if (hint_slot(choices, operation, field, value))
        return true;
    if (is_field(field, "va"))
        *value = operation == OP_KERNEL_MAP_FRAME || operation == OP_KERNEL_GIVE_FRAMES
                     ? core_pick_va(choices)
                     : core_pick_mapped(choices);
    else if (is_field(field, "page_count"))
        *value = 1 + choices_below(choices, 8) % 5 % 4;
    else if (is_field(field, "line"))
        *value = choices_flag(choices) ? 4 : choices_below(choices, INTERRUPT_LINE_COUNT);
    else if (is_field(field, "frame_page"))
        *value = choices_below(choices, 8) % 5 % 4;
    else if (is_field(field, "rights"))
        *value = pick_rights(choices, operation, body);
    else if (is_field(field, "badge"))
        *value = choices_below(choices, 3);
    else if (is_field(field, "budget_pages"))
        *value = 16 + choices_below(choices, 8);
    else if (is_field(field, "count") && operation == OP_KERNEL_RETYPE)
        *value = 1 + choices_below(choices, 80) % 66;
    else if (is_field(field, "count") && operation == OP_KERNEL_GIVE_FRAMES)
        *value = 1 + choices_below(choices, 3);
    else if (is_field(field, "count"))
        *value = 1 + choices_below(choices, 32);
    else if (strstr(field->name, "offset_bytes") != NULL)
        *value = choices_below(choices, PAGE_BYTES + 16);
    else if (is_field(field, "port"))
        *value = choices_flag(choices) ? 0x3F6 + choices_below(choices, 12)
                                       : 0x5F + choices_below(choices, 7);
    else
        return false;
    return true;
}

void core_request_fill(struct choices *choices, const struct operation *row, uint8_t *body)
{
    struct generator generator = choices_generator(choices);
    generate_valid(&generator, row->request, body);
    size_t offset = 0;
    for (const struct message_field *field = row->request_fields; field->kind != FIELD_END;
         field++) {
        uint64_t value;
        if (field->kind == FIELD_BYTES || field->kind == FIELD_ROWS)
            break;
        if (choices_below(choices, 12) != 11 && hint(choices, row->id, field, body, &value))
            memcpy(body + offset, &value, field->width_bytes);
        offset += field->width_bytes;
    }
    if (choices_below(choices, 24) == 23)
        generate_violation(&generator, row->request, body);
}
