/* SPDX-License-Identifier: ISC */
/* By which kinds of capability each kernel operation may be reached, written by hand a second time:
 * what the table of the abi gives away by mistake is seen here. An operation that is not listed may
 * be reached by none. */
#include "abi/capability.h"
#include "abi/messages.h"
#include "props/models/model_kernel.h"

uint32_t model_kernel_kinds(uint16_t operation)
{
    switch (operation) {
    /* Processes are made, started and ended by holders of process control. */
    case OP_KERNEL_CREATE_STAGED_PROCESS:
    case OP_KERNEL_START_PROCESS:
    case OP_KERNEL_ABORT_STAGED_PROCESS:
    case OP_KERNEL_KILL_PROCESS:
    case OP_KERNEL_RETIRE_PROCESS:
    case OP_KERNEL_REGISTER_PAGER:
    case OP_KERNEL_QUERY_CAP:
    case OP_KERNEL_COPY_STARTUP:
    case OP_KERNEL_READ_PROCESS_SLOT:
        return KIND(PROCESS);
    /* Installing needs a kind of its own, which only makers of processes have. */
    case OP_KERNEL_CAP_COPY_ATTENUATED:
        return KIND(CHILD_POPULATE);
    case OP_KERNEL_CAP_COPY:
        return KIND(CHILD_POPULATE) | KIND(PROCESS);
    /* Address spaces are vspaced's; a process that is still staged is mapped by its maker. */
    case OP_KERNEL_MAP_FRAME:
    case OP_KERNEL_GIVE_FRAMES:
        return KIND(VSPACE) | KIND(PROCESS);
    case OP_KERNEL_UNMAP_FRAME:
    case OP_KERNEL_PROTECT_FRAME:
        return KIND(VSPACE);
    /* Memory is memd's, and its maker's before memd exists. */
    case OP_KERNEL_RETYPE:
    case OP_KERNEL_DESTROY:
        return KIND(MEMORY) | KIND(PROCESS);
    /* Bytes of frames, also for the pager that fills pages. */
    case OP_KERNEL_FRAME_READ:
    case OP_KERNEL_FRAME_WRITE:
    case OP_KERNEL_FRAME_COPY:
        return KIND(MEMORY) | KIND(PROCESS) | KIND(PAGER);
    /* Everybody's own slots and end. */
    case OP_KERNEL_QUERY_LOCAL_CAP:
    case OP_KERNEL_DROP_LOCAL_CAP:
    case OP_KERNEL_MOVE_LOCAL_CAP:
    case OP_KERNEL_EXIT:
        return KIND(SELF);
    /* One device or one fact each. */
    case OP_KERNEL_READ_MONOTONIC_CLOCK:
        return KIND(TIME);
    case OP_KERNEL_LOG_WRITE:
        return KIND(LOG);
    case OP_KERNEL_IOPORT_READ8:
    case OP_KERNEL_IOPORT_WRITE8:
        return KIND(COM1) | KIND(I8042);
    case OP_KERNEL_BIND_INTERRUPT:
    case OP_KERNEL_ACK_INTERRUPT:
    case OP_KERNEL_MASK_INTERRUPT:
        return KIND(IRQ);
    case OP_KERNEL_READ_PCI_CONFIG_DWORD:
        return KIND(PCI_CONFIG);
    case OP_KERNEL_READ_PLATFORM_CAPS:
        return KIND(ACPI);
    case OP_KERNEL_WAIT_HOTPLUG_EVENT:
        return KIND(HOTPLUG);
    default:
        return 0;
    }
}
