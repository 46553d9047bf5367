/* SPDX-License-Identifier: ISC */
/* What inspectors are told: which processes there are, and what each holds. Decides nothing and changes
 * nothing; who may ask is in the rows of the table. */
#include "services/procd/internal.h"

#include "abi/process.h"

/* The first entry from a place on that is a process or a record; used_count: none. */
static uint32_t next_entry(const struct procd *procd, uint32_t place)
{
    uint32_t index = place == 0 ? 0 : place - 1;
    while (index < procd->used_count && (procd->processes[index].life == PROCD_LIFE_UNUSED ||
                                         procd->processes[index].life == PROCD_LIFE_OWING ||
                                         procd->processes[index].lives.is_transfer))
        index++;
    return index;
}

enum status procd_list_processes(struct procd *procd, struct procd_request *request)
{
    uint32_t index = next_entry(procd, request->body.list_processes.place);
    if (index >= procd->used_count)
        return STATUS_NOT_FOUND;
    const struct procd_process *process = &procd->processes[index];
    request->reply.list_processes = (struct procd_list_processes_reply){
        .process_id = procd_table_id(procd, index),
        .owner_id = procd_owner_id(procd, process->owner),
        .place = index + 1,
        .role = process->role,
        .state = procd_reported_state(process),
        .reason = process->reason,
        .code = process->code,
        .life_count = process->lives.life_count,
    };
    return STATUS_OK;
}

/* Whose process is behind what the kernel told: those that procd made by the tokens that procd chose,
 * and the two that it did not make. */
static void name_object(const struct procd *procd,
                        const struct kernel_read_process_slot_reply *read,
                        struct procd_read_slot_reply *reply)
{
    uint32_t index;
    bool of_process = read->object_type == OBJECT_VSPACE || read->object_type == OBJECT_ENDPOINT ||
                      read->object_type == OBJECT_PROCESS || read->object_type == OBJECT_GRANT;
    if (!of_process || read->rights == 0) /* a dead one names nobody (K3) */
        return;
    if (procd_table_find_live(procd, read->token, &index) == STATUS_OK) {
        reply->object_id = read->token;
        reply->object_role = procd->processes[index].role;
    } else if (read->token == TOKEN_PROCD || read->object == PROCESS_LIMIT) {
        reply->object_role = ROLE_PROCD; /* the last is the drivers' endpoint */
    } else if (read->token == TOKEN_ROOTD) {
        reply->object_role = ROLE_ROOTD;
    }
}

enum status procd_read_slot(struct procd *procd, struct procd_request *request)
{
    const struct procd_read_slot_request *body = &request->body.read_slot;
    struct kernel_read_process_slot_reply read;
    uint32_t index;
    if (procd_table_find_live(procd, body->process_id, &index) != STATUS_OK)
        return STATUS_NOT_FOUND;
    enum status status =
        kernel_read_process_slot(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                 procd_slot(index, PROCD_SLOT_PROCESS), body->slot, &read);
    if (status != STATUS_OK)
        return status;
    struct procd_read_slot_reply *reply = &request->reply.read_slot;
    *reply = (struct procd_read_slot_reply){
        .slot = read.slot,
        .object_type = read.object_type,
        .rights = read.rights,
        .badge = read.badge,
    };
    name_object(procd, &read, reply);
    return STATUS_OK;
}
