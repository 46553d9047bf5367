/* SPDX-License-Identifier: ISC */
/* The kernel's stand-in: what stands behind the four calls of abi/system.h while one service runs
 * alone. It keeps books of its own (slots, untypeds, frames, address spaces, processes, reply
 * capabilities), so that a service's books can be compared with what the kernel would say (M1, V1),
 * and it fails the k-th call on demand (E4). It is honest; services/lib meets a kernel that lies in
 * fuzz/adversary. `struct stand_in_peers` names the peers of the service.
 *
 * There is one of it in a process, since the seam has no context. The parts: stand_in_kernel.c is
 * the call, stand_in_control.c the operations of kernel control, stand_in_slots.c,
 * stand_in_objects.c, stand_in_mappings.c, stand_in_processes.c and stand_in_lines.c the books, stand_in_replies.c
 * receiving and replying, stand_in_system.c three functions of the seam, and
 * reply_recv.c the fourth, which is two of them. */
#ifndef BASALT_PROPS_STAND_INS_STAND_IN_KERNEL_H
#define BASALT_PROPS_STAND_INS_STAND_IN_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/kernel.h"
#include "abi/status.h"
#include "abi/system.h"
#include "props/stand_ins/stand_in_objects.h"

/* --- what a harness links below its service --------------------------------------------------- */

/* A call that the service made. */
struct stand_in_call {
    struct stand_in_cap through;       /* the capability that was called */
    const struct operation *operation; /* null: an endpoint whose protocol only its peer knows */
    struct message *message;           /* the request as its receiver gets it */
    const void *request;               /* its body, decoded by the row */
    void *reply;                       /* zeroed; the peer that answers fills it in */
    struct stand_in_cap sent[MESSAGE_CAP_LIMIT]; /* what came with the request, in order */
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT]; /* what goes with the reply, in order */
    uint32_t window_slot;
    uint32_t window_count;
    uint64_t deadline_ticks;
    bool failed;  /* by the plan: nothing was done */
    bool lost;    /* by the plan: it was done, and the answer never came */
    bool unheard; /* nobody heard it, by the peer or the plan, and its status is the kernel's */
    bool said;    /* by the peer, that it refuses: its status is its own, whichever it is */
};

/* Who is around the service. A function that is null is not wanted. */
struct stand_in_peers {
    bool strict; /* what the service should not have asked for breaks E10; false: it is refused */

    bool
        timed; /* a call takes the time that it is given, and none is sent whose deadline is past */

    /* The device behind COM1's ports; whether it takes a byte (BUSY otherwise). */
    uint32_t (*port_read)(uint32_t port);
    bool (*port_write)(uint32_t port, uint32_t value);

    /* The boot image behind every IMAGE capability. */
    uint32_t image_pages;
    enum status (*image_read)(uint64_t offset_bytes, uint32_t count, void *bytes);

    /* What a register of PCI configuration space reads as. */
    uint32_t (*pci_read)(uint32_t bus, uint32_t device, uint32_t function, uint32_t offset_bytes);

    /* Whether the plan may fail this call; calls that may not are not counted. Null: all may. */
    bool (*may_fail)(const struct stand_in_call *call);

    /* Told of each call before it does anything, and after it, with its outcome. */
    void (*asked)(const struct stand_in_call *call);
    void (*answered)(const struct stand_in_call *call, enum status status);

    /* Answers a call on an endpoint, at once: OK fills in `reply` and `caps`, or, where the row is
     * null, makes `message` the reply. Null: the service may call nobody (E5). */
    enum status (*answer)(struct stand_in_call *call);

    /* Told of each RECV, and of each reply that was sent or refused. */
    void (*receives)(uint32_t slot, uint64_t deadline_ticks);
    void (*replied)(uint32_t reply_slot, const struct message *message, enum status status);
};

/* Empties everything that the last input used. `peers` must stay valid until the next time. */
void stand_in_begin(const struct stand_in_peers *peers);

/* Three functions of the seam, whoever stands before them: stand_in_system.c, or a harness that
 * lies or fails by itself. */
enum status stand_in_call(uint32_t slot, struct message *message, uint64_t deadline_ticks);
enum status stand_in_receive(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                             struct receive_info *info);
enum status stand_in_answer(uint32_t reply_slot, struct message *message);

/* --- the plan of failures --------------------------------------------------------------------- */

struct stand_in_failure {
    uint64_t after_calls; /* so many calls succeed first */
    uint64_t times;       /* then so many fail */
    enum status status;
    bool late;      /* a peer does what was asked, and only its answer is lost (TIMED_OUT) */
    uint64_t ticks; /* not 0: a peer does what was asked, and takes so long for it */
    bool said;      /* a peer refuses with the status in an answer, be it TIMED_OUT or PEER_DIED */
    bool unheard;   /* the kernel refuses a call to a peer with the status, whichever it is */
    bool until_reply; /* the plan ends when the current message is answered, or done with */
};

/* Adds a failure to the plan, which holds two; more are ignored. Each counts every call. */
void stand_in_fail(struct stand_in_failure failure);
void stand_in_fail_never(void);        /* the plan is empty again */
void stand_in_fail_pause(bool paused); /* meanwhile calls neither fail nor count */

/* What became of the plan since stand_in_message_begin. */
struct stand_in_failures {
    uint32_t count;
    enum status status;    /* of the first */
    uint64_t calls_before; /* the first */
    uint32_t kept_slot;    /* what the last DESTROY that failed would have destroyed; 0: nothing */
};
struct stand_in_failures stand_in_failures(void);

/* The next answer to the message delivered last fails with the status when it carries capabilities
 * (NOT_FOUND: even when not, and its caller is gone). OK: none does. Holds until it is said
 * anew. */
void stand_in_lose_reply(enum status status);
bool stand_in_reply_was_lost(void);

/* --- messages to the service ------------------------------------------------------------------ */

/* Forgets replies and failures of the message before. */
void stand_in_message_begin(void);

/* The current message is answered, or its handler is done with it: what comes then (emptying the
 * window) is its loop's business. Ends the plans that last until_reply. */
void stand_in_message_answered(void);

/* The message that the next RECV on `slot` gives, with one capability for each descriptor in order;
 * an event carries none, and nobody waits for its answer. */
void stand_in_deliver(uint32_t slot, const struct message *message,
                      const struct stand_in_cap *caps);
void stand_in_deliver_event(uint32_t slot, const struct message *message);
void stand_in_delivered_otherwise(void); /* the harness gave one without RECV; it is counted */
bool stand_in_delivery_pending(void);
uint32_t stand_in_delivered_slot(void);         /* where the answer to the last one goes */
const struct message *stand_in_delivered(void); /* the last one, as the service saw it */

/* What delivery does with capabilities, for a harness that hands its message over by itself: puts
 * them into slots from `slot` on and writes type, rights and slots into the message. */
void stand_in_window_fill(struct message *message, const struct stand_in_cap *caps, uint32_t slot);

/* The clock that RECV tells. RECV moves it when it waits in vain. */
uint64_t stand_in_now(void);
void stand_in_clock_set(uint64_t ticks);

/* --- the reply book --------------------------------------------------------------------------- */

/* A caller waits: the lowest free reply slot; 0: `limit` of them wait already. */
uint32_t stand_in_reply_open(uint64_t request_id, uint32_t limit);
void stand_in_reply_close(uint32_t reply_slot);
bool stand_in_reply_is_open(uint32_t reply_slot);
uint32_t stand_in_reply_open_count(void);
/* The i-th of those who wait, lowest slot first; 0: there is none. */
uint32_t stand_in_reply_waiting(uint64_t i);
/* The caller waits no more. Its slot is empty at once: answering there says NOT_FOUND, and the next
 * caller may get it (K10). */
void stand_in_caller_gone(uint32_t reply_slot);
/* The same by its request. */
void stand_in_caller_left(uint64_t request_id);

/* A reply as its caller got it: descriptors with type and rights, capability fields as sent. Bytes
 * behind body_bytes mean nothing. */
struct stand_in_reply {
    uint32_t slot;
    struct message message;
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
};
uint32_t stand_in_reply_count(void); /* since stand_in_message_begin */
const struct stand_in_reply *stand_in_reply_at(uint32_t i);
/* The last one: its message (null: there is none), and its capabilities. */
const struct message *stand_in_reply(void);
const struct stand_in_cap *stand_in_reply_caps(void);
/* The reply that stand_in_lose_reply kept from its caller; null: none. */
const struct stand_in_reply *stand_in_reply_lost(void);

/* --- lines of interrupts ---------------------------------------------------------------------- */

struct stand_in_line {
    struct stand_in_cap endpoint; /* that it is bound to */
    uint64_t token;
    bool masked;
    bool told; /* of an interrupt that is not acknowledged */
};

/* A line's device interrupts: whether its endpoint is told. */
bool stand_in_interrupt(uint32_t line);
/* False: the line is bound to nobody who lives. */
bool stand_in_line(uint32_t line, struct stand_in_line *found);

/* --- what the service left behind ------------------------------------------------------------- */

bool stand_in_exited(uint32_t *code);            /* EXIT was called; `code` may be null */
uint64_t stand_in_call_count(void);              /* calls made for this message */
uint64_t stand_in_write_and_execute_count(void); /* MAP_FRAMEs refused so, for this message */
const char *stand_in_log(uint32_t *count);       /* what LOG_WRITE wrote, zero-terminated */

#endif
