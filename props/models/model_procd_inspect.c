/* SPDX-License-Identifier: ISC */
/* What procd tells inspectors: of everybody, in the order of places, and what each holds. */
#include "props/models/model_procd_internal.h"

#include <stddef.h>

#include "abi/process.h"

enum { PLACE_MASK = 0xFFFF, LEAF_SLOTS = 128 };

static uint32_t state_of(const struct model_procd_process *process)
{
    if (process->life == MODEL_PROCD_STAGED)
        return PROCESS_STAGED;
    if (process->life == MODEL_PROCD_RESTING || process->follows || process->asked)
        return PROCESS_RESTARTING;
    if (process->life == MODEL_PROCD_RUNNING)
        return PROCESS_RUNNING;
    return process->parked ? PROCESS_PARKED : PROCESS_ENDED;
}

void model_procd_tell(struct model_procd_reply *out, const struct model_procd_process *process)
{
    out->role = process->role;
    out->state = state_of(process);
    out->lives = process->lives;
    if (!model_procd_lives(process)) {
        out->reason = process->reason;
        out->code = process->code;
    }
}

static bool is_listed(const struct model_procd_process *process)
{
    return process->life != MODEL_PROCD_FREE && process->life != MODEL_PROCD_OWED &&
           !process->transfer;
}

static enum status list(const struct model_procd *model, uint64_t from,
                        struct procd_list_processes_reply *told)
{
    const struct model_procd_process *found = NULL;
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_procd_process *process = &model->processes[i];
        uint64_t place = process->id & PLACE_MASK;
        if (is_listed(process) && place >= from &&
            (found == NULL || place < (found->id & PLACE_MASK)))
            found = process;
    }
    if (found == NULL)
        return STATUS_NOT_FOUND;
    struct model_procd_reply record = {0};
    model_procd_tell(&record, found);
    *told = (struct procd_list_processes_reply){
        .process_id = found->id,
        .owner_id = found->owner,
        .place = (uint32_t)(found->id & PLACE_MASK),
        .role = record.role,
        .state = record.state,
        .reason = record.reason,
        .code = record.code,
        .life_count = record.lives,
    };
    return STATUS_OK;
}

/* What lies in a slot, and whose process its token means. */
static void name(const struct model_procd *model, uint32_t slot, struct procd_read_slot_reply *told)
{
    uint32_t object, object_type;
    uint64_t token = model->behind(slot, &object, &object_type);
    told->slot = slot;
    told->object_type = object_type;
    told->rights = object_type_rights(object_type);
    if (object_type != OBJECT_ENDPOINT)
        return; /* whatever its number is, it is nobody's end */
    const struct model_procd_process *process = model_procd_find(model, token);
    if (process != NULL && model_procd_lives(process) && !process->transfer) {
        told->object_id = token;
        told->object_role = process->role;
    } else if (token == TOKEN_PROCD || object == PROCESS_LIMIT) {
        told->object_role = ROLE_PROCD;
    } else if (token == TOKEN_ROOTD) {
        told->object_role = ROLE_ROOTD;
    }
}

/* What was installed lies from SLOT_PEER_MEMD on, one slot after the other. */
static enum status read_slot(const struct model_procd *model,
                             const struct procd_read_slot_request *request,
                             struct procd_read_slot_reply *told)
{
    const struct model_procd_process *process = model_procd_find(model, request->process_id);
    if (process == NULL || !model_procd_lives(process) || process->died || process->transfer)
        return STATUS_NOT_FOUND;
    uint32_t slot = request->slot < SLOT_PEER_MEMD ? SLOT_PEER_MEMD : request->slot;
    uint32_t end = request->slot / LEAF_SLOTS * LEAF_SLOTS + LEAF_SLOTS;
    if (slot >= SLOT_PEER_MEMD + process->holds) {
        told->slot = end <= SLOT_STARTUP_LAST ? end : SLOT_LIMIT;
        return STATUS_OK;
    }
    name(model, slot, told);
    return STATUS_OK;
}

enum status model_procd_inspect(const struct model_procd *model, uint16_t operation,
                                const void *body, struct model_procd_inspected *told)
{
    const struct procd_list_processes_request *from = body;
    *told = (struct model_procd_inspected){0};
    return operation == OP_PROCD_LIST_PROCESSES ? list(model, from->place, &told->process)
                                                : read_slot(model, body, &told->slot);
}
