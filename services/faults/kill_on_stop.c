/* SPDX-License-Identifier: ISC */
/* A fault of procd (README.md): STOP_PROCESS of a service that runs is no order, but an end as of a wild access,
 * which nobody has ordered: its policy says what comes. */
#include "services/procd/internal.h"

enum status __real_procd_stop_process(struct procd *procd, struct procd_request *request);
enum status __wrap_procd_stop_process(struct procd *procd, struct procd_request *request);

enum status __wrap_procd_stop_process(struct procd *procd, struct procd_request *request)
{
    const struct procd_stop_process_request *body = &request->body.stop_process;
    uint32_t index;
    enum status status = procd_table_find_live(procd, body->process_id, &index);
    if (status != STATUS_OK || procd->processes[index].life != PROCD_LIFE_RUNNING ||
        role_find(procd->processes[index].role)->kind == ROLE_KIND_EXTENSION)
        return __real_procd_stop_process(procd, request);
    struct kernel_retire_process_reply record;
    (void)kernel_kill_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                              procd_slot(index, PROCD_SLOT_PROCESS), body->code);
    status = procd_retire(procd, index, &record);
    if (status != STATUS_OK)
        return status;
    procd_paid(&procd->processes[index], PROCD_OWES_RETIRE);
    record.reason = END_FAULT_OUTSIDE;
    procd_end_of_life(procd, index, false, &record);
    return STATUS_OK;
}
