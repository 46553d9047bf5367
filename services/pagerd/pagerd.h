/* SPDX-License-Identifier: ISC */
/* pagerd: what backs a page. This header is the contract; it can be read alone.
 *
 * procd registers each process with its areas; the kernel sends pagerd the faults of those
 * processes and pagerd answers each exactly once (G1), RESOLVED or END(reason), when the page is
 * there or can never be. It owns no memory and no address space: memd hands out frames on the
 * account that the process registered, vspaced maps them, the kernel copies bytes. pagerd itself
 * never faults.
 *
 * REGISTER_PROCESS (badge 0). Refused, with nothing changed:
 *   BUSY               the token is registered
 *   EXHAUSTED          PAGERD_REGISTRATION_LIMIT processes are registered
 *   INVALID_ARGUMENT   the image range is not page aligned or leaves the image's 2^32 pages; an
 * area's rights or file fields do not fit its kind; a segment's file_offset is not page aligned or
 * file_bytes > memory_bytes; an executable segment has pages that no file byte lies in; a guard is
 * larger than PAGERD_GUARD_PAGES_MAX WRITE_AND_EXECUTE  an area would be both (V2) OUT_OF_RANGE an
 * area leaves [USER_VA_FIRST, USER_VA_END), or a segment's file bytes leave [image_offset,
 * image_offset + image_bytes) (G4) OVERLAP, BAD_ORDER areas are not ascending and disjoint; each
 * covers whole pages and what vspaced says to REGISTER_VSPACE and GUARD; what was done is undone.
 * The first area that is wrong decides, its rights first, then its place, its kind's rules, its
 * order. Area rights contain READ, but for guards, which have none. SEGMENT: pages with file bytes
 * in them are, read-only, the image's own pages; writable, private copies. A shared last page shows
 * what follows the file bytes in the image's page: the image builder pads segments and modules with
 * zeros to the page. Pages past the file bytes, and WINDOWs, are demand-zero and never executable.
 * `page_limit` bounds the private and demand-zero pages, not the shared ones.
 *
 * FAULT (from the kernel, BADGE_KERNEL). Answered at once: END(FAULT_NULL_PAGE),
 * END(FAULT_OUTSIDE), END(FAULT_GUARD), END(FAULT_READ/WRITE/EXECUTE_DENIED),
 * END(FAULT_PAGE_LIMIT), END(FAULT_BACKING) for a token nobody registered, RESOLVED for a page that
 * is there and allows the access (G2). Otherwise the fault joins the open fill of its page or opens
 * one. Fault ids count from 1 in order of opening; a fault that joins shares the id, one that is
 * answered at once has an id of its own, one of an unknown token has none (G6).
 *
 * A fill is
 *   QUEUED         waits for its turn. Turns go round the processes, one fill a turn, at most
 *                  PAGERD_TURN_FILLS a message or tick: nobody's faults starve another's (G5)
 *   MAPPING        pagerd is asking memd, the kernel and vspaced for it
 *   WAITING_FRAME  memd or vspaced answered EXHAUSTED; it is queued again by RESOLVE_FAULT(RETRY)
 * or after PAGERD_RETRY_TICKS. The first retry PAGERD_WAIT_TICKS after it was first parked is the
 * last one: then END(FAULT_BACKING) DONE           RESOLVED or END went to its faulters, in arrival
 * order CANCELLED      unregistered or ended by RESOLVE_FAULT: END went to its faulters A page that
 * is there already (BUSY from vspaced) is RESOLVED, and what was fetched for it goes back (G2). Any
 * other failure of a peer is END(FAULT_BACKING).
 *
 * UNREGISTER_PROCESS (badge 0): NOT_FOUND for an unknown token. Else every open fill of the process
 * is cancelled, its faulters get END(FAULT_BACKING), vspaced is told, the account's capability
 * dropped, and the process forgotten whatever vspaced answers: a slot of vspaced's whose state is
 * in doubt must not be used again, it may be a successor's by now (G2). Should the kernel refuse
 * the drop, the entry and its slot are set aside for good, so that nothing else can use them.
 *
 * RESOLVE_FAULT (badge 0), of the parked (WAITING_FRAME) fill with that id, 0: of all, oldest
 * first. RETRY (reason NONE) queues; END ends with the reason, one of those from FAULT_OUTSIDE on.
 * INVALID_ARGUMENT for another reason, NOT_FOUND for an id that is not parked. resumed_count: how
 * many fills left WAITING_FRAME by it.
 *
 * QUERY_FAULTS (badge 0): counters of one process; NOT_FOUND for an unknown token. */
#ifndef BASALT_SERVICES_PAGERD_PAGERD_H
#define BASALT_SERVICES_PAGERD_PAGERD_H

#include <stdbool.h>
#include <stdint.h>

#include "services/lib/service.h"

enum {
    PAGERD_REGISTRATION_LIMIT = PROCESS_LIMIT,
    PAGERD_WAITER_LIMIT = SLOT_REPLY_COUNT, /* a faulter waits on a reply slot each */
    PAGERD_BUCKET_COUNT = 256,              /* of the token index; a power of two */
    PAGERD_GUARD_PAGES_MAX = VSPACED_MAP_PAGES_MAX,
    PAGERD_TURN_FILLS = 8,    /* fills run for one message or tick: bounds the time of both */
    PAGERD_RETRY_TICKS = 100, /* often enough to be unnoticed, rare beside a fill's own cost */
    PAGERD_WAIT_TICKS = 60 * TICKS_PER_SECOND, /* nobody waits for memory for ever */
    /* Longest that a peer may take: vspaced gives memd half of it, so that its own answer comes. */
    PAGERD_PEER_TICKS = 20 * TICKS_PER_SECOND,
    PAGERD_SCRATCH_SLOT = SLOT_RECEIVE_BASE + MESSAGE_CAP_LIMIT, /* a frame on its way to vspaced */
};

_Static_assert(PAGERD_AREA_LIMIT >= PAGERD_SEGMENT_LIMIT + PAGERD_WINDOW_LIMIT, "areas fit");
_Static_assert((uint32_t)PAGERD_FILL_LIMIT >= (uint32_t)PAGERD_WAITER_LIMIT,
               "every open fill has a faulter, so fills cannot be short");
_Static_assert((uint32_t)PAGERD_WAITER_LIMIT >= (uint32_t)PROCESS_LIMIT,
               "a process waits on one fault, so reply slots cannot be short");

/* Entries are numbered from 1, 0 is none; entry 0 of each table is unused. */
struct pagerd_link {
    uint32_t next;
    uint32_t previous;
};

struct pagerd_list {
    uint32_t first;
    uint32_t last;
    uint32_t count;
};

enum pagerd_registration_state {
    REGISTRATION_FREE,
    REGISTRATION_LIVE,
    REGISTRATION_LOST /* its account slot could not be emptied: set aside */
};

struct pagerd_registration {
    uint64_t token;
    uint64_t image_offset; /* the range of the boot image that may back its pages (G4) */
    uint64_t image_bytes;
    uint64_t last_fault_id;
    uint64_t fault_count;
    uint64_t resolved_count;
    uint32_t state;           /* enum pagerd_registration_state */
    uint32_t vspace_cap_slot; /* vspaced's name for its address space */
    uint32_t page_limit;
    uint32_t page_count;   /* private and demand-zero pages that were mapped */
    uint32_t queued_count; /* its fills in QUEUED */
    uint32_t area_count;
    uint32_t bucket_next;     /* the next entry of its bucket, or the next free entry */
    struct pagerd_list fills; /* open ones, oldest first */
    struct pagerd_link ready; /* among those with queued fills, in order of their turns */
    struct pagerd_area areas[PAGERD_AREA_LIMIT]; /* ascending */
};

enum pagerd_fill_state {
    FILL_FREE,
    FILL_QUEUED,
    FILL_WAITING_FRAME,
    FILL_MAPPING,
    FILL_DONE,
    FILL_CANCELLED
};

struct pagerd_fill {
    uint64_t id;
    uint64_t va;           /* of the page */
    uint64_t retry_ticks;  /* WAITING_FRAME: when it is queued again */
    uint64_t parked_ticks; /* when it was parked first */
    uint32_t parked_before;
    uint32_t state; /* enum pagerd_fill_state */
    uint32_t registration;
    uint32_t area;              /* index into the registration's areas */
    struct pagerd_list waiters; /* in order of arrival */
    struct pagerd_link sibling; /* in the registration's fills; next is also the free list */
    struct pagerd_link parked;  /* among the parked, in order of retry_ticks */
};

/* The faulter behind reply slot SLOT_REPLY_BASE + its number - 1. */
struct pagerd_waiter {
    uint64_t request_id;
    uint32_t fill; /* 0: nobody waits on this slot */
    struct pagerd_link link;
};

/* All of pagerd. Valid when all zero. About 560 KiB. */
struct pagerd {
    struct caller caller;
    uint64_t now_ticks; /* the latest clock it was told; never goes back */
    uint64_t last_fault_id;
    uint32_t registration_count; /* LIVE ones */
    uint32_t registration_used;  /* entries 1 to this were in use since the start */
    uint32_t registration_free;  /* first of the free entries among them */
    uint32_t fill_used;
    uint32_t fill_free;
    uint32_t waiter_used;
    uint32_t scratch_full;     /* the scratch slot could not be emptied the last time */
    struct pagerd_list ready;  /* registrations with queued fills */
    struct pagerd_list parked; /* fills in WAITING_FRAME */
    uint32_t buckets[PAGERD_BUCKET_COUNT];
    struct pagerd_registration registrations[PAGERD_REGISTRATION_LIMIT + 1];
    struct pagerd_fill fills[PAGERD_FILL_LIMIT + 1];
    struct pagerd_waiter waiters[PAGERD_WAITER_LIMIT + 1];
};

/* Handles one received message. Administrators' operations and faults that are answered at once
 * come back as the reply (HANDLED_REPLY); faults that wait are answered by sys_reply, now or later
 * (HANDLED_LATER). An operation that is none of pagerd's is INVALID_ARGUMENT; the wrong sender
 * DENIED. */
enum handled pagerd_handle(void *state, struct message *message, const struct receive_info *info);

/* Does what is due at `now_ticks`: queues parked fills whose retry has come and runs turns. */
void pagerd_tick(struct pagerd *pagerd, uint64_t now_ticks);

/* When pagerd_tick has something to do: DEADLINE_POLL at once, DEADLINE_NEVER when nothing waits.
 */
uint64_t pagerd_next_deadline(const struct pagerd *pagerd);

/* Walks the whole state: every list, count, range and limit. True when all of it holds. */
bool pagerd_check(const struct pagerd *pagerd);

/* A digest of the fields that refusals must leave alone: all but request ids and the clock. */
uint64_t pagerd_digest(const struct pagerd *pagerd);

/* Makes the state all zero again, at the cost of what was used of it. */
void pagerd_reset(struct pagerd *pagerd);

/* The daemon: start-up, then messages and due work for ever. Returns only when the transport fails,
 * after asking the kernel to end the process. */
void pagerd_run(struct pagerd *pagerd);

#endif
