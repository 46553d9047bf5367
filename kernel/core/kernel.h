/* SPDX-License-Identifier: ISC */
/* The capability kernel core: state and entries. Pure: its only ways out are machine.h, mem* and
 * abi/. All state is struct kernel, which the caller owns, and the pages and page records that
 * the machine gave at boot; there are indices in it and no pointers.
 *
 * How a machine uses it
 *   1. kernel_boot (or kernel_boot_bare in a harness).
 *   2. While !kernel->halted: when kernel->current is KERNEL_IDLE, wait until
 *      kernel_next_deadline() or an interrupt and call kernel_timer; otherwise resume that process
 *      as its record's `resume` says until it enters the kernel, and call one entry for it:
 *        kernel_syscall                it executed a transport syscall
 *        kernel_fault                  it touched a page that is not there or not allowed
 *        kernel_exception              any other exception
 *        kernel_timer, kernel_preempt  it was interrupted
 *        kernel_interrupt              it was interrupted by a line
 *        kernel_work                   its `resume` is RESUME_WORK: it does not run yet
 *   After every entry kernel->current is the process to resume. Entries never fail and never block.
 *
 * How long an entry takes: at most KERNEL_WORK_MAX steps of work that grows with what processes
 * built, and then to the end of the step that it is in, which may change the band of each process of
 * one chain of waiting ones (kernel_work_limit). What is left then is the current process's: it is
 * resumed by kernel_work, and between two of these the machine takes interrupts and preempts as
 * between any two entries (K8).
 *
 * Who gets the processor: the first of the highest band that has one, always (K7): 0 is the
 * highest. There is a run queue for each band, and the current process is in none.
 *   - A process that wakes, is started, or gives way to a higher band stands first in its queue.
 *     One that is ready when its band rises or falls goes to the end of its new queue.
 *   - When the slice of kernel->payer is used up, kernel_preempt sends the current process to the end
 *     of its queue. A machine fills the slice then and at no other time, so between two turns of one
 *     process each other one of its band has one slice at most, however it sleeps. While the current
 *     process runs in a higher band than the payer, as a server does, and others wait in the payer's,
 *     that turn cannot end (kernel_turn_can_end): the debt stays, and who comes back to that band on
 *     the payer's time goes to its end at once.
 *   - CALL to a waiting receiver and a fault to a waiting pager switch to the receiver at once, and
 *     REPLY to the caller that was answered, unless the replier's own band is higher. After
 *     REPLY_RECV that caller stands first in its queue, and is next when nobody waits for the
 *     replier.
 *   - A process runs in the highest of its own band, that of the client it works for (whose message
 *     it received last, until it replies to it or receives again), those of the callers that queue
 *     at its endpoint, and that of a process that it aborts or retires piece by piece; and these
 *     run in the highest of theirs, and so on. Who tells those that wait at the dead driver
 *     endpoint runs in the highest of their bands. kernel->payer is the last client of that chain,
 *     or the current process itself: whoever asked pays. */
#ifndef BASALT_KERNEL_CORE_KERNEL_H
#define BASALT_KERNEL_CORE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/capability.h"
#include "abi/limits.h"
#include "abi/message.h"
#include "abi/process.h"
#include "abi/slots.h"
#include "abi/status.h"
#include "abi/system.h"
#include "kernel/core/machine.h"
#include "kernel/core/objects.h"

enum {
    KERNEL_IDLE = 0xFFFF, /* kernel->current: nobody can run */
    KERNEL_NONE = 0xFFFF, /* an index field of struct kernel or struct process that names nothing */
    KERNEL_PAGE_LIMIT =
        1 << 23, /* page numbers: a mapping's name (page * TABLE_ENTRIES + entry) fits 32 bits */
    TABLE_ENTRIES = 512,                     /* of a page table, at every level */
    TABLE_USER_ENTRIES = 256,                /* of a root table: the lower half */
    LEAF_BYTES = TABLE_ENTRIES * PAGE_BYTES, /* what a leaf table covers */
    KERNEL_PAGE_RANGE_LIMIT = 64,
    KERNEL_ROOT_PROCESS = 0,                   /* rootd's index */
    KERNEL_DRIVER_ENDPOINT = PROCESS_LIMIT,    /* endpoint id of the one endpoint no process owns */
    KERNEL_ENDPOINT_COUNT = PROCESS_LIMIT + 1, /* the others: id = index of the owner */
    KERNEL_INTERRUPT_NAME = PROCESS_LIMIT, /* of line 0 in a queue of events; the others follow */
    KERNEL_RETYPE_FRAMES_MAX = 64,
    KERNEL_COPY_CAPS_MAX = 128,    /* of one COPY_STARTUP */
    KERNEL_WORK_MAX = 160,         /* steps of an entry: of some 250 instructions each */
    KERNEL_WORK_STEP_MAX = 16,     /* steps that may be counted after the last one was due */
    KERNEL_LOANS_PER_STEP = 4,     /* processes of a chain that a change is followed along */
    KERNEL_WORK_MIN = 12,          /* of work_max: finding a table and taking one entry out of it is
                                      one piece, or the piece comes again for ever */
    KERNEL_TIMER_WAKES_MAX = 32,   /* processes that one kernel_timer wakes */
    KERNEL_RECENT_DEADLINES = 4,   /* kept beside the heap: calls are rarely nested deeper */
    KERNEL_UNTYPED_DEPTH_MAX = 32, /* pools above one: so many can go back with the last page */
    KERNEL_STOCK_COUNT = 2,        /* of boot: the bulk of the memory, and rootd's */
    KERNEL_HALT_ROOT_FAULT = 125,  /* machine_halt codes besides what rootd gives to EXIT */

    /* A cspace: its root names the leaves of the first slots itself; each entry after those names a
     * directory, a page of leaf numbers. Slots that most processes use cost one table, and the
     * tables of a service that keeps a slot for each page of the machine still fit. */
    CSPACE_LEAF_CAPS = PAGE_BYTES / 32,
    CSPACE_LEAF_COUNT = SLOT_LIMIT / CSPACE_LEAF_CAPS,
    CSPACE_REPLY_LEAF = SLOT_REPLY_BASE / CSPACE_LEAF_CAPS, /* of the first reply slots */
    REPLY_WORD_SLOTS = 64,
    CSPACE_DIRECT_LEAVES = 512,
    CSPACE_DIRECT_SLOTS = CSPACE_DIRECT_LEAVES * CSPACE_LEAF_CAPS,
    CSPACE_DIRECTORY_LEAVES = PAGE_BYTES / 4,
    CSPACE_DIRECTORY_COUNT =
        (CSPACE_LEAF_COUNT - CSPACE_DIRECT_LEAVES + CSPACE_DIRECTORY_LEAVES - 1) /
        CSPACE_DIRECTORY_LEAVES,
    PROCESS_RECORD_BYTES = 1024,   /* of its page the core uses these, */
    PROCESS_MACHINE_OFFSET = 2048, /* and the machine [this, PAGE_BYTES) for saved registers */
    KERNEL_PROCESS_PAGES = 9       /* of the budget, gone at creation: record, cspace root and leaf,
                                      message page, vspace root, 3 tables, links */
};

_Static_assert(SLOT_REPLY_BASE % CSPACE_LEAF_CAPS == 0, "a leaf begins with the first reply slot");

/* First and last of a queue of process indices; KERNEL_NONE in both when empty. */
struct process_queue {
    uint16_t first;
    uint16_t last;
};

/* The queues that a process can be in at the same time. */
enum process_queue_kind {
    QUEUE_WAITING, /* the queue that `life` names */
    QUEUE_EVENTS,  /* events or delivered of its event endpoint; lines stand there as well, by the
                      names from KERNEL_INTERRUPT_NAME on */
    QUEUE_KIND_COUNT
};

/* Neighbours in a queue; KERNEL_NONE at its ends, and of who is in none. */
struct process_links {
    uint16_t next;
    uint16_t previous;
};

struct endpoint {
    uint64_t generation;            /* as that of its owner */
    struct process_queue senders;   /* LIFE_SENDING, in order of arrival: calls and faults */
    struct process_queue receivers; /* LIFE_RECEIVING; never both non-empty */
    struct process_queue events;    /* LIFE_ENDED, event not delivered yet, and lines that
                                       interrupt; by event links */
    struct process_queue delivered; /* LIFE_ENDED, event delivered, not retired, and the other lines
                                       that are bound here; by event links */
    bool live;
};

/* Where an interrupt of a line is. The machine keeps a line open that is bound, not masked, and idle. */
enum interrupt_state {
    INTERRUPT_IDLE,
    INTERRUPT_PENDING,  /* in `events` of the endpoint */
    INTERRUPT_DELIVERED /* until it is acknowledged */
};

struct interrupt {
    struct process_links links; /* of a line that is bound: in a queue of its endpoint */
    uint32_t endpoint;          /* endpoint id; KERNEL_NONE: bound to nobody */
    uint64_t token;
    bool masked;
    uint8_t state; /* enum interrupt_state */
};

_Static_assert(offsetof(struct endpoint, receivers) ==
                   offsetof(struct endpoint, senders) + sizeof(struct process_queue),
               "asked for at once");

/* Where a process is. Exactly one queue holds a process that waits. */
enum process_life {
    LIFE_FREE = 0,
    LIFE_STAGED,
    LIFE_READY,     /* in the run queue of its band */
    LIFE_CURRENT,   /* kernel->current */
    LIFE_SENDING,   /* in senders of `endpoint`: CALL, or a fault, not received yet */
    LIFE_RECEIVING, /* in receivers of `endpoint` */
    LIFE_CALLING,   /* in callers of `holder`: received, waits for the reply */
    LIFE_ENDING,    /* torn down by who aborts or retires it: in no queue */
    LIFE_ENDED      /* its terminal record waits for RETIRE_PROCESS */
};

/* A process that has ended stays in the run queue, and tears itself down when it is its turn. */
enum ending_kind {
    ENDING_NONE,
    ENDING_TERMINAL, /* tear down, then report the end */
    ENDING_ABORT     /* tear down, free */
};

/* What an entry left to do. */
enum work_kind {
    WORK_NONE,
    WORK_ABORT,   /* tear down the process with index `object` */
    WORK_DESTROY, /* unmap and free the frame on page `object` */
    WORK_UNMAP,   /* remove `count` pages from va `at` on of process `object`, `generation` */
    WORK_SCAN,    /* look for an occupied slot from `at` on: the request is asked again */
    WORK_RECEIVE, /* RECV on slot `object` with deadline `at` once more */
    WORK_DRIVER   /* tell all who wait at the driver endpoint that it is gone */
};

struct work {
    uint32_t kind; /* enum work_kind */
    uint32_t object;
    uint64_t generation;
    uint64_t at;
    uint32_t count;
};

/* How a machine resumes a process. */
enum resume_kind {
    RESUME_START,  /* first time: registers from start */
    RESUME_RESULT, /* back from a syscall: the result is `result` */
    RESUME_EXACT,  /* registers as they were: interrupted, or the fault was resolved */
    RESUME_WORK    /* not yet: kernel_work goes on with its work, or with its end */
};

/* Registers of a first resume (SysV: rdi, rsi, rdx). All others are zero. */
struct start_context {
    uint64_t entry_va;
    uint64_t stack_top_va;
    uint64_t arguments[3];
};

struct fault_record {
    uint64_t va;
    uint64_t instruction_va;
    uint32_t access;  /* enum fault_access */
    uint32_t present; /* 1: a page is mapped there, without the right; 0: none */
};

/* The record of a process; lies at the start of its record page. */
struct process {
    uint16_t index;
    uint8_t life;   /* enum process_life */
    uint8_t resume; /* enum resume_kind */
    struct process_links links[QUEUE_KIND_COUNT];
    uint16_t holder;   /* LIFE_CALLING: who holds its reply capability */
    uint16_t lends_to; /* LIFE_SENDING, LIFE_CALLING: who runs in its band, if that is higher;
                          LIFE_ENDING: who tears it down piece by piece */
    uint16_t client;   /* LIFE_CALLING, lends to this one: it works for that process */
    uint16_t deadline_position; /* in kernel->deadlines, + 1; 0: no deadline */
    uint32_t result;            /* enum status of its last syscall */
    uint32_t window_slot;       /* of its CALL or RECV in progress; 0 without one */
    uint8_t window_count;
    uint8_t fault_pending; /* bool; LIFE_SENDING, LIFE_CALLING: a fault, not a call */
    bool pager_declared;
    bool event_delivered;
    uint64_t deadline_ticks;
    uint64_t badge;         /* LIFE_SENDING: of the capability that was called */
    uint64_t call_sequence; /* calls and faults ever received from its index: names a reply (K3) */
    uint32_t slot;          /* LIFE_RECEIVING: the slot received on */
    uint32_t reply_slot;    /* LIFE_RECEIVING: where the next reply capability goes;
                            LIFE_CALLING: where its holder has it */
    uint32_t endpoint;      /* LIFE_SENDING, LIFE_RECEIVING: endpoint id */
    uint8_t ending;         /* enum ending_kind */
    struct process_queue callers; /* LIFE_CALLING processes whose reply capability it holds */
    uint32_t reply_free_words;    /* bit i: something of reply_free[i] is free */
    uint64_t reply_free[SLOT_REPLY_COUNT / REPLY_WORD_SLOTS];

    uint32_t cspace_page; /* root: page numbers of leaves, then of directories; 0: none */
    uint32_t first_leaf;  /* what the root says of the leaf of the first slots, */
    uint32_t reply_leaf;  /* and of that of the first reply slots */
    uint32_t leaf_high;   /* leaves from this index on do not exist */
    uint32_t leaf_low;    /* ending: leaves below this index are gone */
    uint32_t vspace_page; /* root table */
    uint32_t message_page;
    uint32_t cap_count;    /* live PROCESS capabilities */
    uint32_t check_caps;   /* kernel_check's own; 0 outside of it */
    uint32_t mapped_pages; /* present leaf entries, its message page among them */
    uint32_t budget_pages;
    uint32_t drawn_pages; /* of the budget */
    uint16_t untyped;     /* that the budget comes from */
    uint32_t flags;       /* PROCESS_USES_SSE */

    uint8_t band; /* its own, as CREATE_STAGED_PROCESS gave it */
    /* 16 bits for each band: how many processes lend it, and one for its own. */
    uint64_t band_claims;
    uint64_t check_claims; /* kernel_check's own; 0 outside of it */

    bool pager_present; /* a pager endpoint was named */
    uint32_t pager_endpoint;
    uint64_t pager_generation;
    uint64_t pager_token;
    uint32_t event_endpoint;
    uint64_t event_generation;
    uint64_t event_token;
    struct fault_record fault;
    uint32_t end_reason; /* enum end_reason */
    uint32_t end_code;
    uint64_t end_fault_va;
    struct start_context start;
    struct work work;
    struct endpoint service; /* its own endpoint; id = index */
};
_Static_assert(sizeof(struct process) <= PROCESS_RECORD_BYTES, "fits its part of the page");

/* What outlives a process at its index. */
struct process_entry {
    uint64_t generation;    /* of the process there now, or of the next one */
    uint64_t call_sequence; /* of the one before, at its end */
    uint32_t record_page;   /* 0: free */
    uint16_t next_free;
};

struct page_range {
    uint32_t first_page;
    uint32_t page_count;
};

struct kernel {
    uint16_t current; /* process index to resume, or KERNEL_IDLE */
    bool halted;
    bool wakes_due;      /* kernel_timer left some whose deadline has passed */
    bool unsettled;      /* inside an entry: somebody else may have to run */
    bool lives_reported; /* the log tells of each process what becomes of it (K16) */
    uint16_t payer;      /* who pays for the time of the current process; KERNEL_IDLE with it */
    uint32_t halt_code;
    uint64_t now_ticks;

    struct process_queue ready[BAND_COUNT]; /* the run queues, of LIFE_READY by band */
    uint32_t work_done;                     /* steps of the last entry */
    uint32_t work_max; /* an entry does no more, but to the end of the step it is in */

    /* A heap of deadline_count - recent_count, and from PROCESS_LIMIT on the row of the recent ones,
     * the oldest first (deadline.c). */
    uint16_t deadlines[PROCESS_LIMIT + KERNEL_RECENT_DEADLINES];
    uint32_t deadline_count; /* of all */
    uint32_t recent_count;

    uint32_t process_high; /* entries [0, process_high) were used at some time */
    uint32_t process_count;
    uint16_t process_free; /* free entries below process_high, last freed first */
    uint32_t untyped_high;
    uint32_t untyped_count;
    uint16_t untyped_free;
    uint32_t image_first_page;
    uint32_t image_pages;
    uint32_t page_count; /* pages of all ranges, image excluded */
    uint32_t range_count;
    struct page_range ranges[KERNEL_PAGE_RANGE_LIMIT];
    struct page_stock stocks[KERNEL_STOCK_COUNT]; /* by index of the pool of boot */

    struct endpoint driver_endpoint; /* KERNEL_DRIVER_ENDPOINT */
    uint32_t driver_receivers;       /* capabilities to it with RECEIVE: with the last it dies */
    uint16_t driver_drainer;         /* of the dead one: who tells those that queue, and borrows */
    uint64_t driver_claims;          /* the bands of those that queue there, as band_claims */
    uint64_t check_driver_claims;    /* kernel_check's own; 0 outside of it */
    uint32_t check_receivers;        /* kernel_check's own; 0 outside of it */
    struct interrupt interrupts[INTERRUPT_LINE_COUNT];
    uint32_t check_lines; /* kernel_check's own; 0 outside of it */
    struct process_entry processes[PROCESS_LIMIT];
    struct untyped untypeds[KERNEL_UNTYPED_LIMIT];
};

/* What a machine has. Ranges are free memory, disjoint, without page 0; page records of all pages
 * named here are zero. The image lies in consecutive pages outside the ranges. */
struct kernel_boot_info {
    uint32_t range_count;
    struct page_range ranges[KERNEL_PAGE_RANGE_LIMIT];
    uint32_t image_first_page;
    uint64_t image_bytes;       /* 0: no image (kernel_boot_bare only) */
    uint32_t root_budget_pages; /* rootd's budget; 0: as its role row says */
    uint32_t work_max;          /* 0: KERNEL_WORK_MAX; harnesses try what pieces do with less, from
                                   KERNEL_WORK_MIN on */
};

/* Boots: checks and verifies the boot image, makes rootd (process KERNEL_ROOT_PROCESS) from its
 * module, fills its cspace, and makes it current. `kernel` may hold anything that all zero or an
 * earlier boot left (only what was used is cleared).
 *
 * Result: OK; or the image's refusal (any status of abi/formats/boot_image.h or
 * abi/formats/elf_plan.h, MISSING_MODULE without a module `rootd`, OVERLAP when it is linked over
 * the handoff, EXHAUSTED without memory for it). After a refusal
 * `BASALT_KERNEL:BOOT_IMAGE_REFUSED:<status>\n` was logged, no process exists, kernel->current is
 * KERNEL_IDLE, and kernel->halted is not set.
 *
 * rootd's cspace: SLOT_SELF; SLOT_SERVICE_ENDPOINT (SEND, RECEIVE, TRANSFER, as in every process);
 * SLOT_IMAGE (READ, EXECUTE, MAP, TRANSFER); SLOT_UNTYPED_BASE: the bulk of the memory, meant for
 * memd; SLOT_UNTYPED_BASE + 1: rootd's own pool, which its budget and pages come from
 * (KERNEL_LAUNCH_PAGES and the tables of abi/tables.def for all of the memory, but never more than
 * half of it); SLOT_PROCD_DRIVER_ENDPOINT (SEND, RECEIVE, TRANSFER); every kernel-control endpoint
 * at its SLOT_KERNEL_* (CONTROL, TRANSFER). Untypeds: CONTROL, TRANSFER. rootd starts with rdi =
 * HANDOFF_VA, rsi = bytes of the handoff, rdx = SLOT_SERVICE_ENDPOINT. Needs about 12 KiB of
 * stack. */
enum { KERNEL_LAUNCH_PAGES = 4608 };
enum status kernel_boot(struct kernel *kernel, const struct kernel_boot_info *info);

/* The same without image verification, program and handoff: process KERNEL_ROOT_PROCESS exists with
 * the same cspace (an IMAGE capability only when image_bytes is not 0) and is current. For
 * harnesses. OK, EXHAUSTED (less memory than rootd's budget needs). */
enum status kernel_boot_bare(struct kernel *kernel, const struct kernel_boot_info *info);

/* The current process executes syscall `number` (SYSCALL_*). Its message is at the start of its
 * message page (kernel_message); REPLY ignores `deadline_ticks`, and all but REPLY_RECV ignore
 * `reply_slot`. The transport status becomes its `result` at once or when it is resumed later;
 * another number gives INVALID_ARGUMENT. Returns who goes on, if that is a process that comes back
 * from a system call with its `result` (RESUME_RESULT), whichever process it is; null: as
 * kernel->current says.
 *
 * CALL on an endpoint, questions in this order:
 * - NOT_FOUND: no capability at slot (or no such slot), or it is dead
 * - INVALID_ARGUMENT: neither an endpoint nor kernel control
 * - DENIED: without SEND (endpoint) or CONTROL (kernel control)
 * - INVALID_ARGUMENT: header: version, body_bytes, cap_count, window_count above the limits; window
 *   not within [1, SLOT_LIMIT) or touching the reply slots; a descriptor of wrong shape (offset not
 *   a multiple of 4 or outside the body, field named twice, slot 0 or past the limit, mode, flags,
 *   rights bits, object_type or reserved not 0, badge with and without SET_BADGE; one slot named
 *   twice with a MOVE)
 * - BUSY: a slot of its own window is not empty
 * - OVER_BUDGET: its budget cannot hold the window's cspace leaves
 * - RETRY, TIMED_OUT: deadline is 0 (RETRY) or not after now: nothing was sent. A CALL to an
 *   endpoint cannot be answered without waiting.
 * - at delivery: BUSY (receiver's window smaller than cap_count), NOT_FOUND (an empty or dead
 *   source slot), DENIED (no TRANSFER; REPLY, KERNEL_SELF; GRANT with COPY; SET_BADGE without the
 *   right to; no right left after masking): the caller's message and slots are as before.
 *   Descriptors and window are fixed at CALL; delivery happens when a receiver takes the message.
 * - then: OK (reply in place of the message; header.badge 0), TIMED_OUT, PEER_DIED (the holder of
 *   the reply capability dropped it or ended, or the endpoint was destroyed while the call was
 *   queued). Windows count their slots in order; the i-th descriptor's capability arrives in
 *   slot + i.
 *
 * CALL on kernel control is answered at once, whatever the deadline; transport OK, and
 * header.status says how it went (kernel/core/control.h). Exception: EXIT gives no reply.
 *
 * RECV, in this order: NOT_FOUND, INVALID_ARGUMENT (not an endpoint), DENIED (no RECEIVE),
 * INVALID_ARGUMENT (window), BUSY, OVER_BUDGET (window), then an event if there is one, which needs
 * no reply slot; then EXHAUSTED (no reply slot free), OVER_BUDGET (its leaf), then calls and faults
 * in order of arrival. A queued call whose capabilities cannot be delivered completes with its own
 * error, and the next is tried. With none: RETRY (deadline 0), TIMED_OUT, or wait; NOT_FOUND when
 * the endpoint is destroyed meanwhile. Of header only window_slot and window_count are read. struct
 * receive_info is written with OK, RETRY and TIMED_OUT. A reply slot is emptied as soon as its
 * caller waits no more, and may come with the next call: who answers late forgets what it kept a
 * slot for when the slot arrives again (K10).
 *
 * REPLY: NOT_FOUND (nothing there or slot 0), INVALID_ARGUMENT (not a reply capability), NOT_FOUND
 * (the caller is gone or gave up: its slot is empty), INVALID_ARGUMENT (header or descriptors;
 * the answer to a fault is no event_fault reply, or one with a reason that no pager may give),
 * BUSY, NOT_FOUND, DENIED (delivery, as above): slot stays. OK: slot emptied. A refusal (operation
 * event_fault, a status, no body) as the answer to a fault ends the process with
 * END_FAULT_NO_PAGER.
 *
 * REPLY_RECV: what stands in `reply_slot` is answered as by REPLY, then RECV on `slot`, both with the
 * message that lies there: its window is the RECV's. An empty reply slot, or 0, is nobody to answer:
 * only the RECV is done. A reply that REPLY would refuse otherwise is the result, with nothing
 * changed and nothing received. When the RECV is refused the reply has gone out. Which of the two
 * was refused the reply slot says: it is filled until its caller is answered or gone, and a RECV
 * that gave no message fills none.
 * Who is answered stands first in the queue of its band, and this process goes on to receive: with
 * a message it runs on, if no higher band is ready; otherwise it waits, and the first of the highest
 * band goes on. */
struct process *kernel_syscall(struct kernel *kernel, uint32_t number, uint32_t slot,
                               uint64_t deadline_ticks, uint32_t reply_slot);

/* The same for a machine that knows the record of the current process and which of the two it is that
 * most entries are. Here and below, what a process gave comes first, in the order of its registers
 * (abi/system.h): a machine leaves it where it is. */
struct process *kernel_call(uint32_t slot, uint64_t deadline_ticks, struct kernel *kernel,
                            struct process *caller);
struct process *kernel_reply_receive(uint32_t slot, uint64_t deadline_ticks, uint32_t reply_slot,
                                     struct kernel *kernel, struct process *server);

/* The same as kernel_syscall, of a system that runs, without the short ways (short.c, control.c):
 * what they are compared with. */
struct process *kernel_syscall_long(uint32_t slot, uint64_t deadline_ticks, uint32_t reply_slot,
                                    struct kernel *kernel, struct process *process,
                                    uint32_t number);

/* The current process touched `va` (any number) with `access` at instruction_va. When its page
 * tables allow that access nothing happens (it is resumed and tries again). Otherwise its pager
 * gets event_fault; without a (live) pager it ends with END_FAULT_NO_PAGER. rootd's fault halts the
 * machine with KERNEL_HALT_ROOT_FAULT. Returns who goes on as kernel_syscall does. */
struct process *kernel_fault(struct kernel *kernel, uint64_t va, enum fault_access access,
                             uint64_t instruction_va);

/* The same for a machine that knows the record of the current process; and without the short way
 * (short_fault.c). */
struct process *kernel_page_fault(struct kernel *kernel, struct process *process, uint64_t va,
                                  enum fault_access access, uint64_t instruction_va);
struct process *kernel_fault_long(struct kernel *kernel, struct process *process, uint64_t va,
                                  enum fault_access access, uint64_t instruction_va);

/* The current process raised exception `vector`: it ends with END_FAULT_INSTRUCTION, code = vector,
 * fault_va = instruction_va. */
void kernel_exception(struct kernel *kernel, uint32_t vector, uint64_t instruction_va);

/* Ends a process that is in use, whichever, as an exception of its own would: END_FAULT_INSTRUCTION
 * with code 0 and no address. For worlds that try what a death does. */
void kernel_end_process(struct kernel *kernel, uint32_t index);

/* Sets the clock (never backwards: an earlier time is ignored) and wakes with TIMED_OUT everyone
 * whose deadline is at or before it, in order of (deadline, process index), but
 * KERNEL_TIMER_WAKES_MAX at most, and none after as many steps as an entry may do: with more,
 * kernel->wakes_due, kernel_next_deadline() stays in the past, and the machine calls again soon.
 * Does not preempt. */
void kernel_timer(struct kernel *kernel, uint64_t now_ticks);

/* An interrupt of a line that the core keeps open came; the machine has closed the line. Its endpoint
 * gets event_interrupt: at once when somebody receives there, before all calls otherwise. The line
 * stays closed until ACK_INTERRUPT. Nothing for a line that the core keeps closed. Does not preempt,
 * and leaves to the machine how the current process goes on. */
void kernel_interrupt(struct kernel *kernel, uint32_t line);

/* Goes on with what the current process has to do before it runs on (RESUME_WORK): a piece of the
 * work that its last entry began, or of its own end. Others see the process as ended from the
 * beginning: its endpoint takes nothing, and who waits for it learns of it piece by piece. What a
 * caller began is finished even when it is ended meanwhile. */
void kernel_work(struct kernel *kernel);

/* Moves the current process to the end of the run queue of its band and takes the first one.
 * Nothing when nobody else of that band can run. */
void kernel_preempt(struct kernel *kernel);

/* Whether a turn of kernel->payer that is used up ends now: the current process runs in its band, or
 * nobody waits in it; true as well when nobody runs. */
bool kernel_turn_can_end(const struct kernel *kernel);

/* The earliest deadline of a waiting process; DEADLINE_NEVER: none. */
uint64_t kernel_next_deadline(const struct kernel *kernel);

/* --- what machines and harnesses look at ----------------------------------------------------- */

/* More steps than these no entry does (K8): those of one chain come after the last that was due. */
static inline uint32_t kernel_work_limit(const struct kernel *kernel)
{
    return kernel->work_max + KERNEL_WORK_STEP_MAX + kernel->process_high / KERNEL_LOANS_PER_STEP;
}

/* The record of a process that exists; null for a free index or a number out of range. */
struct process *kernel_process(const struct kernel *kernel, uint32_t index);

/* The message page of a process that is not free nor ended; null otherwise. */
struct message *kernel_message(const struct kernel *kernel, uint32_t index);
struct receive_info *kernel_receive_info(const struct kernel *kernel, uint32_t index);

/* The machine's part of the record page, PAGE_BYTES - PROCESS_MACHINE_OFFSET bytes; zero at
 * first. */
void *kernel_machine_area(const struct kernel *kernel, uint32_t index);

/* A slot of a live process (never null for slots below SLOT_LIMIT: empty ones give a capability
 * that is all zero); null otherwise. */
const struct capability *kernel_slot(const struct kernel *kernel, uint32_t index, uint32_t slot);

/* Whether a capability names an object that (still) exists. */
bool kernel_capability_live(const struct kernel *kernel, const struct capability *cap);

/* What is mapped at va in a process's address space: the page number, or 0; *rights (RIGHT_READ...)
 * is what the mapping allows, 0 when there is none. Any va, user or not. */
uint32_t kernel_translate(const struct kernel *kernel, uint32_t index, uint64_t va,
                          uint16_t *rights);

/* Pages of a pool that RETYPE can have now. */
uint32_t kernel_untyped_available(const struct untyped *untyped);

/* Walks the whole state: null when every invariant holds, else a constant sentence naming the one
 * that does not. The pages of each pool are conserved; kernel memory = budgets drawn; mapped pages
 * = sum over page tables = mapping lists (K4); live capabilities = counts; queues and their links;
 * the deadlines; no page both writable and executable nor against its use (V2); wait states
 * against queues. */
const char *kernel_check(struct kernel *kernel);

/* A digest of the logical state: capabilities, mappings, queues, pools, records. Equal before and
 * after a refused message (E1). Leaves out what a refusal may touch: message pages, results, and
 * which empty cspace leaves exist. Page numbers are in it, so it compares runs on equal machines
 * only. */
uint64_t kernel_digest(const struct kernel *kernel);

#endif
