/* SPDX-License-Identifier: ISC */
/* Kernel control: what a CALL on a KERNEL_* capability does. The rows are abi/messages/kernel.def;
 * this is the verdict of each, as header.status of the reply (the transport status is OK). A
 * refusal has no body and changes nothing (E1).
 *
 * Asked in this order, first answer wins:
 * - DENIED: no such operation; its row does not name the kind that was called; CAP_COPY and
 *   QUERY_CAP always
 * - UNSUPPORTED: rows in state UNSUPPORTED
 * - INVALID_ARGUMENT: the body does not decode by its row
 * - then what the operation asks
 * Where it names a slot, "needs X" means: NOT_FOUND when the slot is empty or its capability dead,
 * INVALID_ARGUMENT for another type, DENIED without the right. "fillable" slots are 1 to
 * SLOT_LIMIT - 1 without the reply slots (OUT_OF_RANGE otherwise). A slot is empty or not; a dead
 * capability still fills it. OVER_BUDGET: the budget of the process whose cspace or page tables
 * grow is used up.
 *
 * - CREATE_STAGED_PROCESS: untyped_slot needs UNTYPED+CONTROL; event_slot needs ENDPOINT+RECEIVE;
 *   DENIED: a band above the caller's own (K7); BUSY: the window of the CALL has fewer than 4
 *   slots; EXHAUSTED: process table, or the pool has not budget_pages available. Slots of the
 *   window, in order: PROCESS, VSPACE, ENDPOINT, GRANT.
 * - START_PROCESS: process_slot needs PROCESS+CONTROL; INVALID_ARGUMENT: not staged, or no
 *   REGISTER_PAGER yet. The process stands first in the run queue of its band; registers: argument
 *   in arguments[0].
 * - ABORT_STAGED_PROCESS: needs PROCESS+CONTROL; INVALID_ARGUMENT: not staged.
 * - KILL_PROCESS: needs PROCESS+CONTROL; INVALID_ARGUMENT: staged; NOT_FOUND: has ended.
 * - RETIRE_PROCESS: needs PROCESS+CONTROL; BUSY: has not ended, or another is tearing it down. One
 *   that is still ending is torn down first, and no event tells of it.
 * - REGISTER_PAGER: needs PROCESS+CONTROL; INVALID_ARGUMENT: not staged; pager_slot, when not 0,
 *   needs ENDPOINT+SEND. May be repeated until START. The token and BADGE_KERNEL are what the
 *   pager sees: whoever holds this kind and SEND to a pager can make it see any token.
 * - MAP_FRAME: INVALID_ARGUMENT: rights without READ; WRITE_AND_EXECUTE: both in rights;
 *   vspace_slot needs VSPACE+MAP; frame_slot needs FRAME or IMAGE, with MAP and every right asked
 *   for; OUT_OF_RANGE: pages outside the object (a frame is page 0 alone) or addresses outside
 *   [USER_VA_FIRST, USER_VA_END); DENIED: by KERNEL_PROCESS and the process is not staged;
 *   WRITE_AND_EXECUTE: against the frame's use (V2); BUSY: a page is present in the range (K4);
 *   OVER_BUDGET: tables.
 * - GIVE_FRAMES: rights as in MAP_FRAME; vspace_slot needs VSPACE+MAP; INVALID_ARGUMENT: slots
 *   behind the last one; each slot needs FRAME, with MAP and every right asked for; then as
 *   MAP_FRAME, and the slots are empty: the frames live by their mappings.
 * - UNMAP_FRAME: vspace_slot needs VSPACE+MAP; OUT_OF_RANGE; NOT_FOUND: a page of the range is
 *   absent.
 * - PROTECT_FRAME: rights as in MAP_FRAME; needs VSPACE+MAP; OUT_OF_RANGE; NOT_FOUND as in
 *   UNMAP_FRAME; DENIED: a page was not mapped with every right asked for.
 * - CAP_COPY_ATTENUATED: grant_slot needs GRANT+CONTROL; source_slot: NOT_FOUND (empty or dead);
 *   DENIED: no TRANSFER, or a GRANT, REPLY or KERNEL_SELF; INVALID_ARGUMENT: rights 0; DENIED:
 *   rights beyond the source's, or a badge for anything other than an unbadged ENDPOINT;
 *   OUT_OF_RANGE: target_slot not in [3, SLOT_STARTUP_LAST] or SLOT_LEGACY; BUSY: it is not empty;
 *   OVER_BUDGET: cspace of the child. badge 0 keeps the source's badge.
 * - QUERY_LOCAL_CAP: EXACT: INVALID_ARGUMENT for slot 0, NOT_FOUND for an empty one; NEXT:
 *   NOT_FOUND when nothing follows. A dead capability has rights 0. object and generation (low 32
 *   bits) are the kernel's for UNTYPED, VSPACE, ENDPOINT, PROCESS, GRANT, 0 for the others (no
 *   physical addresses); badge is 0 for REPLY; size_pages: UNTYPED: pages available to RETYPE;
 *   FRAME: 1; IMAGE: its pages.
 * - DROP_LOCAL_CAP: NOT_FOUND: empty. A live reply capability: its caller gets PEER_DIED. The last
 *   capability to a frame without mappings, an untyped with nothing out, or a process that is
 *   staged or has been reported ended: the object goes back. (A staged process whose only
 *   capability lies in its own cspace, or in that of one that it controls, has none that could be
 *   dropped: it stays.)
 * - MOVE_LOCAL_CAP: NOT_FOUND: source empty; DENIED: source is a REPLY or KERNEL_SELF; target
 *   fillable; BUSY: target not empty; OVER_BUDGET: cspace.
 * - EXIT: always granted, no reply. rootd's: machine_halt(code).
 * - READ_MONOTONIC_CLOCK: always granted.
 * - RETYPE: untyped_slot needs UNTYPED+CONTROL; INVALID_ARGUMENT: more than
 *   KERNEL_RETYPE_FRAMES_MAX frames; targets fillable (count of them for FRAME, one for UNTYPED);
 *   BUSY: one is not empty; OVER_LIMIT: an untyped of one that KERNEL_UNTYPED_DEPTH_MAX others lie
 *   above; EXHAUSTED: pages available in the pool, untyped table; OVER_BUDGET:
 *   cspace. New
 *   capabilities have every right of their type.
 * - DESTROY: NOT_FOUND (empty or dead); INVALID_ARGUMENT: neither UNTYPED nor FRAME; DENIED: no
 *   CONTROL; UNTYPED: BUSY: frames, children or budgets out; DENIED: one that boot made. The slot
 *   named is emptied, all other capabilities to the object are dead.
 * - FRAME_READ: frame_slot needs FRAME or IMAGE with READ; OUT_OF_RANGE: bytes outside the object.
 * - FRAME_WRITE: frame_slot needs FRAME+WRITE; OUT_OF_RANGE; WRITE_AND_EXECUTE: the frame is CODE.
 * - FRAME_COPY: source_slot needs FRAME or IMAGE with READ; target_slot needs FRAME+WRITE;
 *   OUT_OF_RANGE: source, then target; WRITE_AND_EXECUTE: the target is CODE.
 * - IOPORT_READ8, IOPORT_WRITE8: DENIED: the port is not one of the kind's (COM1: 0x3F8 to 0x3FF;
 *   I8042: 0x60, 0x64). IOPORT_WRITE8, BUSY: a byte to send (port 0x3F8) that the line does not take
 *   now. COM1 is the log's own port: neither begins a line within the other's, the log goes first, and
 *   a line left open for 500 ticks is ended by who comes next (K15). That port is never the divisor's.
 *   Whoever holds COM1 or I8042 can stop the machine.
 * - LOG_WRITE: always granted.
 * - READ_PCI_CONFIG_DWORD: INVALID_ARGUMENT: offset_bytes is not a multiple of 4. All ones where there
 *   is no such function.
 * - BIND_INTERRUPT: DENIED: the line is 0 or 2; endpoint_slot, when not 0, needs ENDPOINT+SEND;
 *   DENIED: the drivers' endpoint. What the line had for another endpoint, delivered or not, is
 *   forgotten, and it is masked. With endpoint_slot 0, and when its endpoint dies, it is masked and
 *   bound to nobody.
 * - ACK_INTERRUPT: NOT_FOUND: no interrupt of the line was delivered since it was bound, or since
 *   the last ACK_INTERRUPT.
 * - MASK_INTERRUPT: NOT_FOUND: the line is bound to nobody. An interrupt that came before is
 *   delivered.
 * - COPY_STARTUP: both slots need PROCESS+CONTROL, the source first; INVALID_ARGUMENT: one of them
 *   is not staged. The live capabilities of the source in slots 3 to SLOT_STARTUP_LAST come into the
 *   same slots of the target, with rights and badges as they are, whether they have TRANSFER or not:
 *   whoever controls both processes may give one what the other has, and gets none of it itself.
 *   Slot by slot: OVER_LIMIT: KERNEL_COPY_CAPS_MAX lie below; BUSY: the target's is not empty. Then
 *   OVER_BUDGET: cspace of the target.
 * - READ_PROCESS_SLOT: needs PROCESS+CONTROL; NOT_FOUND: has ended. Slots lie in leaves of
 *   CSPACE_LEAF_CAPS: the first occupied one from `slot` on in its leaf, as QUERY_LOCAL_CAP tells of
 *   one's own, and of a live VSPACE, ENDPOINT, PROCESS or GRANT the token with which its process was
 *   made (0: rootd's, and of the drivers' endpoint). With object_type 0 there is none, and `slot` is
 *   where to go on: the next leaf's first, or SLOT_LIMIT: nothing is above.
 */
#ifndef BASALT_KERNEL_CORE_CONTROL_H
#define BASALT_KERNEL_CORE_CONTROL_H

#include "abi/messages/kernel.h"
#include "kernel/core/cspace.h"

/* Requests and replies, as large as the largest. */
union control_request {
#include "abi/messages/nofields.h"
#undef REQUEST
#define REQUEST(n) struct n##_request n;
#include "abi/messages/kernel.def"
#include "abi/messages/undef.h"
};

union control_reply {
#include "abi/messages/nofields.h"
#undef REPLY
#define REPLY(n) struct n##_reply n;
#include "abi/messages/kernel.def"
#include "abi/messages/undef.h"
};

/* One request in progress. Request and reply lie in the caller's message page, both at its body, and
 * are not copied: on one processor with interrupts off nobody else can write there in between. So an
 * operation reads what it needs of the request before it writes the first field of its reply, which
 * it does only when nothing can refuse it any more, and writes all of them. */
struct control {
    struct kernel *kernel;
    struct process *caller;
    enum object_type kind;
    const union control_request *request; /* its row's struct, checked */
    union control_reply *reply;
    uint32_t reply_bytes; /* preset to the size of the row's struct */
};

/* One function for each LIVE row: control_<operation>. On OK the reply is filled. */
#define CONTROL_LIVE(name) enum status control_##name(struct control *control);
#define CONTROL_DENIED(name)
#define CONTROL_UNSUPPORTED(name)
#include "abi/messages/nofields.h"
#undef OPERATION
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why) CONTROL_##state(name)
#include "abi/messages/kernel.def"
#include "abi/messages/undef.h"
#undef CONTROL_LIVE
#undef CONTROL_DENIED
#undef CONTROL_UNSUPPORTED

/* A live capability at a slot of the caller, as cspace_get. */
__attribute__((always_inline)) static inline enum status
control_get(const struct control *control, uint32_t slot, enum object_type type, uint16_t rights,
            struct capability **out)
{
    return cspace_get(control->kernel, control->caller, slot, type, rights, out);
}

/* The same for a FRAME or IMAGE capability. */
static inline enum status control_get_memory(const struct control *control, uint32_t slot,
                                             uint32_t rights, const struct capability **out)
{
    const struct capability *cap = cspace_find(control->caller, slot);
    bool fits = cap != NULL && (cap->object_type == OBJECT_IMAGE ||
                                (cap->object_type == OBJECT_FRAME &&
                                 capability_is_live(control->kernel, cap, OBJECT_FRAME)));
    if (!fits)
        return capability_misfit(control->kernel, cap, OBJECT_FRAME);
    if ((cap->rights & rights) != rights)
        return STATUS_DENIED; /* K1 */
    *out = cap;
    return STATUS_OK;
}

/* The process that a live PROCESS, VSPACE or GRANT capability names. */
__attribute__((always_inline)) static inline enum status
control_get_process(const struct control *control, uint32_t slot, enum object_type type,
                    uint16_t rights, struct process **out)
{
    const struct capability *cap = cspace_find(control->caller, slot);
    bool fits = cap != NULL && cap->object_type == type;
    struct process *process = fits ? capability_process(control->kernel, cap, type) : NULL;
    if (process == NULL)
        return capability_misfit(control->kernel, cap, type);
    if ((cap->rights & rights) != rights)
        return STATUS_DENIED; /* K1 */
    *out = process;
    return STATUS_OK;
}

/* A process that the caller controls through `slot`. */
static inline enum status control_process(const struct control *control, uint32_t slot,
                                          struct process **out)
{
    return control_get_process(control, slot, OBJECT_PROCESS, RIGHT_CONTROL, out);
}

#endif
