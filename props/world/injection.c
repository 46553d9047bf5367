/* SPDX-License-Identifier: ISC */
/* Which call fails, and whether it can fail in that way. Changes no message and no process. */
#include "props/world/injection.h"

#include <stddef.h>
#include <string.h>

#include "abi/messages/kernel.h"
#include "abi/messages/loaderd.h"
#include "abi/messages/memd.h"
#include "abi/messages/pagerd.h"
#include "abi/messages/procd.h"
#include "abi/messages/ramfsd.h"
#include "abi/messages/vfsd.h"
#include "abi/messages/vspaced.h"
#include "abi/system.h"

enum { PATIENCE_TICKS = 120 * TICKS_PER_SECOND }; /* late for a caller that waits for ever */

static const char *const fate_names[FATE_COUNT] = {
    [FATE_MADE] = "made",  [FATE_REFUSED] = "refused", [FATE_TIMED_OUT] = "timed-out",
    [FATE_LOST] = "lost",  [FATE_LATE] = "late",       [FATE_UNHEARD] = "unheard",
    [FATE_KILLS] = "kills"};

const char *fate_name(enum fate fate)
{
    return fate < FATE_COUNT ? fate_names[fate] : "unknown";
}

static const struct operation *operation_of(uint16_t id)
{
    for (unsigned i = 0; i < operation_count; i++) {
        if (operation_table[i].id == id)
            return &operation_table[i];
    }
    return NULL;
}

/* Operations that give something back, or wait for it: NOT_FOUND says of them that it is back already, which
 * would be a lie about what the caller holds. */
static bool is_release(uint16_t id)
{
    static const uint16_t releases[] = {OP_KERNEL_DROP_LOCAL_CAP,
                                        OP_KERNEL_DESTROY,
                                        OP_KERNEL_ABORT_STAGED_PROCESS,
                                        OP_KERNEL_KILL_PROCESS,
                                        OP_KERNEL_UNMAP_FRAME,
                                        OP_KERNEL_RETIRE_PROCESS,
                                        OP_MEMD_CLOSE_ACCOUNT,
                                        OP_MEMD_FREE_FRAMES,
                                        OP_MEMD_FREE_UNTYPED,
                                        OP_PAGERD_UNREGISTER_PROCESS,
                                        OP_VSPACED_UNMAP,
                                        OP_VSPACED_UNREGISTER_VSPACE,
                                        OP_PROCD_STOP_PROCESS,
                                        OP_PROCD_WAIT_PROCESS_EVENT,
                                        OP_PROCD_ABORT_STAGED_PROCESS,
                                        OP_PROCD_ABORT_LOADER_IMAGE_TRANSFER,
                                        OP_LOADERD_STOP_PROGRAM,
                                        OP_VFSD_CLOSE,
                                        OP_RAMFSD_CLOSE};
    for (unsigned i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        if (releases[i] == id)
            return true;
    }
    return false;
}

static bool can_happen(const struct injection *injection, const struct operation *operation,
                       uint64_t deadline_ticks)
{
    enum fate fate = injection->fate;
    if (fate == FATE_REFUSED)
        return operation->id != OP_KERNEL_EXIT &&
               (injection->status != STATUS_NOT_FOUND || !is_release(operation->id));
    if (operation->service == SERVICE_KERNEL)
        return false;
    return deadline_ticks != DEADLINE_NEVER || (fate != FATE_TIMED_OUT && fate != FATE_LOST);
}

enum fate injection_fate(struct injection *injection, const char *program,
                         const struct message *message, uint64_t deadline_ticks)
{
    if (injection == NULL || program == NULL || strcmp(program, injection->program) != 0)
        return FATE_MADE;
    uint64_t number = injection->count++;
    const struct operation *operation = operation_of(message->header.operation);
    if (injection->operation != NULL || number < injection->number || operation == NULL ||
        !can_happen(injection, operation, deadline_ticks))
        return FATE_MADE;
    injection->operation = operation;
    injection->happened_at = number;
    if (injection->fate <= FATE_LOST)
        return injection->fate;
    injection->request_id = message->header.request_id;
    injection->late_ticks = deadline_ticks != DEADLINE_NEVER ? deadline_ticks : PATIENCE_TICKS;
    return FATE_MADE;
}

enum fate injection_received(struct injection *injection, const char *program,
                             const struct message *message)
{
    if (injection == NULL || injection->request_id == 0 ||
        message->header.request_id != injection->request_id ||
        message->header.operation != injection->operation->id)
        return FATE_MADE;
    injection->request_id = 0;
    injection->victim = injection->fate == FATE_LATE ? NULL : program;
    return injection->fate;
}
