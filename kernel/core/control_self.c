/* SPDX-License-Identifier: ISC */
/* Kernel control of one's own slots and life, and the small kinds: clock, log, ports. Questions in
 * the order of control.h, then changes that cannot fail. */
#include "kernel/core/control.h"

/* --- the caller's slots ----------------------------------------------------------------------- */

static uint64_t capability_pages(const struct kernel *kernel, const struct capability *cap)
{
    if (cap->object_type == OBJECT_UNTYPED)
        return kernel_untyped_available(&kernel->untypeds[cap->object]);
    if (cap->object_type == OBJECT_IMAGE)
        return kernel->image_pages;
    return cap->object_type == OBJECT_FRAME ? 1 : 0;
}

enum status control_query_local_cap(struct control *control)
{
    const struct kernel_query_local_cap_request *request =
        &control->request->kernel_query_local_cap;
    uint32_t slot = request->slot;
    if (request->mode == QUERY_NEXT) {
        bool found;
        struct work *work = &control->caller->work;
        slot = cspace_scan(control->kernel, control->caller,
                           work->kind == WORK_SCAN ? (uint32_t)work->at : slot, &found);
        if (!found) { /* the request is read again, so that nothing is written over it */
            work_leave(control->caller, (struct work){.kind = WORK_SCAN, .at = slot});
            return STATUS_OK;
        }
        work->kind = WORK_NONE;
    } else if (slot == SLOT_NULL) {
        return STATUS_INVALID_ARGUMENT;
    }
    const struct capability *cap = cspace_find(control->caller, slot);
    if (cap == NULL || cap->object_type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    bool live = kernel_capability_live(control->kernel, cap);
    control->reply->kernel_query_local_cap = (struct kernel_query_local_cap_reply){
        .slot = slot,
        .object_type = cap->object_type,
        .rights = live ? cap->rights : 0,
        .object = capability_is_public(cap) ? cap->object : 0,
        .generation = capability_is_public(cap) ? (uint32_t)cap->generation : 0,
        .badge = cap->object_type == OBJECT_REPLY ? 0 : cap->badge,
        .size_pages = live ? capability_pages(control->kernel, cap) : 0,
    };
    return STATUS_OK;
}

enum status control_drop_local_cap(struct control *control)
{
    uint32_t slot = control->request->kernel_drop_local_cap.slot;
    struct capability *cap = cspace_find(control->caller, slot);
    if (cap == NULL || cap->object_type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    if (cap->object_type == OBJECT_REPLY)
        wait_lost(control->kernel, process_at(control->kernel, cap->object)); /* E5 */
    else
        capability_drop(control->kernel, cap);
    return STATUS_OK;
}

enum status control_move_local_cap(struct control *control)
{
    const struct kernel_move_local_cap_request *request = &control->request->kernel_move_local_cap;
    struct capability *source = cspace_find(control->caller, request->source_slot);
    if (source == NULL || source->object_type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    if (source->object_type == OBJECT_REPLY || source->object_type == OBJECT_KERNEL_SELF)
        return STATUS_DENIED;
    if (!cspace_range_fillable(request->target_slot, 1))
        return STATUS_OUT_OF_RANGE;
    if (!cspace_range_empty(control->caller, request->target_slot, 1))
        return STATUS_BUSY;
    enum status status = cspace_reserve(control->kernel, control->caller, request->target_slot, 1);
    if (status == STATUS_OK)
        capability_move(cspace_find(control->caller, request->target_slot), source);
    return status;
}

enum status control_exit(struct control *control)
{
    process_end(control->kernel, control->caller, END_EXITED, control->request->kernel_exit.code,
                0);
    return STATUS_OK;
}

/* --- small kinds ------------------------------------------------------------------------------ */

enum status control_read_monotonic_clock(struct control *control)
{
    control->reply->kernel_read_monotonic_clock.now_ticks = control->kernel->now_ticks;
    return STATUS_OK;
}

enum status control_log_write(struct control *control)
{
    const struct kernel_log_write_request *request = &control->request->kernel_log_write;
    machine_log(request->bytes, request->count);
    return STATUS_OK;
}

static bool port_allowed(enum object_type kind, uint32_t port)
{
    if (kind == OBJECT_KERNEL_COM1)
        return port >= PORT_COM1 && port <= PORT_COM1 + 7;
    return port == 0x60 || port == 0x64;
}

enum status control_ioport_read8(struct control *control)
{
    uint32_t port = control->request->kernel_ioport_read8.port;
    if (!port_allowed(control->kind, port))
        return STATUS_DENIED;
    control->reply->kernel_ioport_read8.value = machine_port_read8((uint16_t)port);
    return STATUS_OK;
}

enum status control_read_pci_config_dword(struct control *control)
{
    const struct kernel_read_pci_config_dword_request *request =
        &control->request->kernel_read_pci_config_dword;
    if (request->offset_bytes % sizeof(uint32_t) != 0)
        return STATUS_INVALID_ARGUMENT;
    uint32_t address =
        request->bus << 16 | request->device << 11 | request->function << 8 | request->offset_bytes;
    control->reply->kernel_read_pci_config_dword.value = machine_pci_read32(address);
    return STATUS_OK;
}

enum status control_ioport_write8(struct control *control)
{
    const struct kernel_ioport_write8_request *request = &control->request->kernel_ioport_write8;
    if (!port_allowed(control->kind, request->port))
        return STATUS_DENIED;
    bool taken = machine_port_write8((uint16_t)request->port, (uint8_t)request->value);
    return taken ? STATUS_OK : STATUS_BUSY;
}
