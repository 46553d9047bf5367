/* SPDX-License-Identifier: ISC */
/* The seam: the only four ways out of a service unit (transport syscalls 0x40 to 0x43).
 *
 * Whoever links a unit decides what stands behind them: services/runtime (the syscall instruction),
 * props/world (the kernel core in the same process) or fuzz/adversary (replies drawn from the fuzz
 * input). Deadlines are absolute ticks: 0 polls, DEADLINE_NEVER waits for ever. */
#ifndef BASALT_ABI_SYSTEM_H
#define BASALT_ABI_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/message.h"
#include "abi/status.h"

enum {
    SYSCALL_CALL = 0x40, /* the first three are published */
    SYSCALL_RECV = 0x41,
    SYSCALL_REPLY = 0x42,
    SYSCALL_REPLY_RECV = 0x43
};

#define DEADLINE_POLL  UINT64_C(0)
#define DEADLINE_NEVER UINT64_MAX

/* The deadline `ticks` from now. One that lies beyond the clock's end is the last tick before
 * DEADLINE_NEVER: a caller that asks for a deadline never waits for ever (E5). */
static inline uint64_t deadline_after(uint64_t now_ticks, uint64_t ticks)
{
    uint64_t deadline_ticks;
    bool wraps = __builtin_add_overflow(now_ticks, ticks, &deadline_ticks);
    return wraps || deadline_ticks == DEADLINE_NEVER ? DEADLINE_NEVER - 1 : deadline_ticks;
}

/* What a RECV learned besides the message. Slot 0 in reply_slot: nothing to answer (an event). */
struct receive_info {
    uint64_t badge;         /* of the capability the message came through; BADGE_KERNEL: kernel */
    uint64_t now_ticks;     /* the clock when RECV returned, also when it timed out */
    uint32_t endpoint_slot; /* the slot that was received on */
    uint32_t reply_slot;    /* SLOT_REPLY_BASE + i, or 0 */
    uint32_t cap_count;     /* capabilities that arrived, in descriptor order */
    uint32_t window_slot;   /* the first of them; the others follow */
};

/* The transport's own buffer, one for each process. A message that lies there is sent from there and
 * received into it without a copy. Every call, receive and reply overwrites it, also one whose
 * message lies elsewhere: what is still needed of a message is copied before the next of them. */
__attribute__((const)) struct message *sys_message(void);

/* Sends `message` to the endpoint or kernel-control capability at `slot` and waits for the one
 * reply, which replaces the message.
 *
 * In:  header.operation, body_bytes, cap_count, request_id, window_slot/count (for the reply's
 *      capabilities; 0/0 when none are expected); header.version must be MESSAGE_VERSION.
 * Out: the status of the transport: OK means a reply is in `message` (its own verdict is
 *      header.status, which this function does NOT fold in).
 * Errors: NOT_FOUND (no such capability, or the object is gone), DENIED (no right), BUSY (window
 * too small or not empty: nothing moved), INVALID_ARGUMENT (malformed header or descriptor),
 * TIMED_OUT, PEER_DIED. On an error `message` is unchanged but for TIMED_OUT and PEER_DIED, after
 * which capabilities that were sent are gone from the sender when mode was MOVE. */
enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks);

/* Receives the next message on the endpoint at `slot`. In: header.window_slot/count name the empty
 * slots for capabilities. A caller's reply capability comes to the lowest reply slot that was free
 * when RECV was called. Errors: TIMED_OUT (info->now_ticks is set), RETRY (a poll found nothing),
 * EXHAUSTED (no reply slot free), NOT_FOUND, DENIED, BUSY (a window slot is not empty),
 * INVALID_ARGUMENT. */
enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info);

/* Answers the call behind `reply_slot` and empties that slot. Never blocks. Errors: NOT_FOUND (the
 * caller gave up or is gone; the slot is emptied), BUSY (the caller's window is too small: nothing
 * moved, the slot stays), INVALID_ARGUMENT, DENIED (a descriptor asks for what the sender may not
 * give; slot stays). */
enum status sys_reply(uint32_t reply_slot, struct message *message);

/* sys_reply(reply_slot) and then sys_recv(slot) in one entry. In: the answer in `message`, and in its
 * header, where an answer needs none, the window to receive in. Out: as of sys_recv.
 *
 * OK, TIMED_OUT, RETRY: the answer is out, and this is what RECV found. A reply slot that is empty,
 * because its caller gave up, or SLOT_NULL is nobody to answer, and no error.
 * Any other status: nothing was received, `message` is unchanged, and one of the two was refused:
 * the answer, and then its caller still waits behind the slot, or the RECV after it, and then the
 * slot is empty. So whoever cares makes the two calls: sys_reply says what is wrong with the answer,
 * or NOT_FOUND because it is out; nothing is done twice, as no new call can have come to that slot
 * meanwhile. A status for each half would say no more than that, and the loop would make the same
 * two calls with it: the refused answer to replace it, the refused RECV to know what to do. */
enum status sys_reply_recv(uint32_t reply_slot, struct message *message, uint32_t slot,
                           uint64_t deadline_ticks, struct receive_info *info);

#endif
