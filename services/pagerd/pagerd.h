/* SPDX-License-Identifier: ISC */
/* pagerd: what backs a page. This header is the contract; it can be read alone. The messages are in
 * abi/messages/pagerd.def and event.def.
 *
 * procd registers each process with its areas; the kernel sends pagerd the faults of those
 * processes, and pagerd answers each exactly once (G1): RESOLVED when the page is there,
 * END(reason) when it can never be. It owns no memory and no address space: memd hands out frames
 * on the account that the process registered, vspaced maps them, the kernel copies bytes. pagerd
 * itself never faults.
 *
 * A message ends what was kept for its reply slot: the faulter that waited there was killed, since
 * the kernel gives a slot again only when its caller waits no more (K10). A fill whose faulters are
 * all gone is cancelled.
 *
 * Every message then, in this order; a refusal changes nothing else (E1):
 * - INVALID_ARGUMENT: not an operation of pagerd
 * - INVALID_ARGUMENT, BAD_VERSION: it does not decode
 * - DENIED: FAULT from anyone but the kernel, anything else from a badge other than 0
 *
 * REGISTER_PROCESS. The first rule that is broken decides; areas are judged one after the other,
 * each by its rights, its place, its kind, and its order:
 * - BUSY: the token is registered
 * - INVALID_ARGUMENT: the range of the image or of the data leaves the 2^32 - 1 pages an image can
 *   have
 * - INVALID_ARGUMENT: no READ, but for guards; WRITE_AND_EXECUTE: both of them (V2)
 * - OUT_OF_RANGE: it leaves [USER_VA_FIRST, USER_VA_END); an area covers whole pages (V5), 2^32 - 1
 *   at most
 * - segments: INVALID_ARGUMENT: file_offset within its page and file_bytes are together above
 *   memory_bytes, or an executable one has a page without file bytes; OUT_OF_RANGE: its file bytes lie
 *   neither in [image_offset, image_offset + image_bytes) nor in [data_offset, data_offset +
 *   data_bytes) (G4)
 * - windows, guards and what is loaded: INVALID_ARGUMENT: file fields are not zero, a window is
 *   executable, a guard has rights, or more than PAGERD_GUARD_PAGES_MAX pages
 * - BAD_ORDER: it begins before the area in front of it; OVERLAP: inside it
 * - EXHAUSTED: PAGERD_REGISTRATION_LIMIT processes are registered or are still being left (E6)
 * - what vspaced answers to REGISTER_VSPACE, which reserves region_limit regions, and GUARD; what
 *   was done is undone (E4). An undo that vspaced refuses is repeated, as after an UNREGISTER.
 *
 * What is behind a page. Of a segment, with file bytes in it: the image's own page when the segment
 * is read-only and the file bytes fill the page, else a private copy with zeros around them: what
 * lies next to them in the image is another segment's or another file's (G4). Any other page of a segment or window is
 * demand-zero; so is one of an area LOADED that was not given, but there is none behind it when the area is
 * executable. `page_limit` bounds the private and demand-zero pages.
 *
 * Neighbours. With the image's own page come its neighbours: those pages of its block, of
 * PAGERD_BLOCK_PAGES addresses and aligned to them, that are the image's own and of the same
 * segment, all in one request. They cost the process nothing: the image's pages count against no
 * limit, one region holds them all, and the block lies below one page table. A refusal of the block
 * is nobody's: the page is asked for alone then, and so it is by a fill that has waited. Which pages
 * come together is a question of the areas and the address alone (E3).
 *
 * A demand-zero page comes with neighbours when its process was registered with FAULT_AROUND and the
 * page lies right behind the page of its own that the process got last: it walks upwards, and is
 * likely to touch the next ones as well. They are the next ones of the area that lie below the same
 * page table, so many that PAGERD_WALK_PAGES come together, and never more than the page limit
 * leaves. They are pages like any other: they count against the page limit and against what is
 * guaranteed to the account, which pays for them. Page limit and guarantee of such a process are
 * therefore about the pages that it is given, touched or not: one that touches the last page got and
 * the next, and then every fourth, gets four for each. Of a process without the flag every page comes
 * alone, and both are about the pages that it touches (M9).
 *
 * Which neighbours are asked for is a question of the process's own earlier faults. Whether they
 * come is a question of others as well: a request that is refused, because the pool or an account
 * above has not so many or a page is in the way, is made for the page alone, and so it is by a fill
 * that has waited, for memory or for an answer. By the number of its faults, and of the pages that
 * count, such a process may therefore learn that others use much.
 *
 * FAULT. Answered at once:
 * - END(FAULT_BACKING): nobody registered the token
 * - END(FAULT_NULL_PAGE), END(FAULT_OUTSIDE), END(FAULT_GUARD): by the address (G3)
 * - END(FAULT_READ_DENIED, FAULT_WRITE_DENIED, FAULT_EXECUTE_DENIED): by the area's rights (G3), or
 *   by the page's: `present` says that a page is there without the right, which no fill can add
 * - END(FAULT_BACKING): the page is code that was not given (AREA_LOADED)
 * - END(FAULT_BACKING): the process was told RESOLVED of this page and this access because vspaced
 *   said that it is there, and faults there again at once (G7)
 * - END(FAULT_PAGE_LIMIT): no fill of the page is open, and it would be one page too many
 * Otherwise it joins the open fill of its page, or opens one. Fault ids count from 1; one that
 * joins has the id of the fill, one of an unknown token has none (G6). INTERNAL: the message did
 * not come with one of the reply slots, which the kernel never does.
 *
 * A fill is in one of these states:
 * - QUEUED: it waits for its turn. Turns go round the processes, one fill per turn, at most
 *   PAGERD_RUN_FILLS per message or tick, so that nobody's faults starve another's (G5)
 * - MAPPING: pagerd is asking memd, the kernel and vspaced for the page
 * - WAITING_FRAME, "parked": one of them was EXHAUSTED, or did not answer in time the first time,
 *   which is counted for the page and for the question whether it is there
 * - WOKEN: parked before, it is tried again
 * - DONE: its faulters were told, in order of arrival: RESOLVED when it was mapped, or when vspaced
 *   answered BUSY and says that the page is there with what they asked for (what was fetched for it
 *   goes back, G2); END(FAULT_PAGE_LIMIT) when the process's own limit was reached (OVER_LIMIT);
 *   END(FAULT_BUDGET) when its kernel memory is used up (OVER_BUDGET); END(FAULT_MEMORY) when it is
 *   still EXHAUSTED PAGERD_WAIT_TICKS after it was first parked, which memd answers only to who is
 *   above its guarantee (M9); END(FAULT_BACKING) for every other failure
 * - CANCELLED: its faulters were told END, because the process was unregistered or by
 *   RESOLVE_FAULT; or none is left to be told
 *
 * Parked fills are tried in the order in which they were first parked, and before every new one:
 * all of them when something may have come back (UNREGISTER_PROCESS, a frame that pagerd gave back,
 * RESOLVE_FAULT) and every PAGERD_RETRY_TICKS; the first one whenever a new fill is about to run,
 * and as long as it succeeds the next (G5). A wake that comes while they are tried begins anew when
 * all were, and when new fills have had PAGERD_RUN_FILLS turns: neither starves the other.
 *
 * A space that is lost. vspaced sweeps the spaces of dead processes, also of one that is not
 * unregistered yet, and gives their slots to the next ones. A registration whose slot a later one
 * got has no space any more: its open fills are CANCELLED with END(FAULT_BACKING), a page in doubt
 * and an owed frame are its account's business, later faults are END(FAULT_BACKING), and the slot is
 * never named for it again (G2).
 *
 * UNREGISTER_PROCESS. Every open fill of the process is cancelled with END(FAULT_BACKING), vspaced
 * is told, the account's capability dropped, and the process forgotten. What was refused or not
 * answered is repeated every PAGERD_RETRY_TICKS, and the entry used again when all is done. A slot
 * of vspaced's that a later registration got is a successor's and never named again for the old one
 * (G2). parked_count: how many fills wait for memory afterwards; whoever makes some come back says
 * so by RESOLVE_FAULT.
 * - NOT_FOUND: the token is not registered
 *
 * RESOLVE_FAULT, of the parked or woken fill with that id, or with 0 of all, in the order in which
 * they were first parked: RETRY wakes them, END cancels them with the reason. resumed_count: how
 * many.
 * - INVALID_ARGUMENT: RETRY with a reason; END with one below FAULT_OUTSIDE
 * - NOT_FOUND: no parked or woken fill has the id
 *
 * GIVE_PAGE: the frame is the process's page at va from now on, in the area's rights, and counts against
 * the page limit. Its id is that of the account's books; the frame stays the giver's to take back, after
 * an UNREGISTER_PROCESS (K2).
 * - NOT_FOUND: the token is not registered, or its space is lost
 * - OUT_OF_RANGE: va lies in no area LOADED
 * - EXHAUSTED, TIMED_OUT, INTERNAL: what its last page left open is open still
 * - OVER_LIMIT: it would be one page too many
 * - what vspaced answers to MAP_FRAMES; BUSY: a page is there. TIMED_OUT: it may come yet, and is in
 *   doubt as below
 *
 * QUERY_FAULTS: counters of one process.
 * - NOT_FOUND: the token is not registered
 *
 * A page of the process's own (private or demand-zero) that vspaced was asked for and did not
 * answer in time is in doubt: it may be there. Before the process gets another one, and every
 * PAGERD_RETRY_TICKS, vspaced is asked (QUERY_REGION): one that is there counts, with the neighbours
 * that were asked for with it, and their fills ask for nothing more; of one that is not, the frame goes back to memd, and not before
 * (K2). So does, at the same times, a frame that memd did not take back.
 *
 * A message without a reply slot is ignored. Calls: vspaced, and memd through the account's
 * capability, with PAGERD_PEER_TICKS to answer from the latest clock that the kernel told, a call
 * that timed out included (P12); kernel control. */
#ifndef BASALT_SERVICES_PAGERD_PAGERD_H
#define BASALT_SERVICES_PAGERD_PAGERD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/event.h"
#include "abi/messages/pagerd.h"
#include "services/lib/index.h"
#include "services/lib/service.h"

enum {
    PAGERD_FILL_LIMIT = 1024, /* fills in flight; at most one per process, so it cannot be short */
    PAGERD_REGISTRATION_LIMIT = PROCESS_LIMIT,
    PAGERD_WAITER_LIMIT = SLOT_REPLY_COUNT, /* each faulter waits on a reply slot */
    PAGERD_GUARD_PAGES_MAX = VSPACED_MAP_PAGES_MAX,
    PAGERD_BLOCK_PAGES = 16,  /* of the image that come together; a power of two */
    PAGERD_WALK_PAGES = 4,    /* demand-zero ones that do: what memd gives in one message */
    PAGERD_TABLE_PAGES = 512, /* addresses below one page table, aligned to them */
    PAGERD_RUN_FILLS = 8,     /* fills run for one message or tick: bounds the time of both */
    PAGERD_RETRY_TICKS = 100, /* often enough to be unnoticed, rare next to a fill's own cost */
    PAGERD_WAIT_TICKS = 60 * TICKS_PER_SECOND, /* nobody waits for ever for what is nobody's */
    /* Longest that a peer may take: vspaced gives memd half of it, so that its own answer comes. */
    PAGERD_PEER_TICKS = 20 * TICKS_PER_SECOND,
    PAGERD_SCRATCH_SLOT = SLOT_RECEIVE_BASE + MESSAGE_CAP_LIMIT, /* a frame on its way to vspaced */
};

_Static_assert(PAGERD_AREA_LIMIT >= PAGERD_SEGMENT_LIMIT + PAGERD_WINDOW_LIMIT, "areas fit");
_Static_assert((uint32_t)PAGERD_FILL_LIMIT >= (uint32_t)PAGERD_WAITER_LIMIT,
               "every open fill has a faulter, so fills cannot be short");
_Static_assert((int)PAGERD_BLOCK_PAGES <= (int)VSPACED_MAP_PAGES_MAX, "one request has a block");
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
    REGISTRATION_LEAVING /* unregistered; something of it is still to be given up */
};

/* What pagerd owes for a registration: something that was refused, and is repeated. */
enum {
    PAGERD_OWES_SPACE = 1,   /* UNREGISTER_VSPACE */
    PAGERD_OWES_ACCOUNT = 2, /* the DROP of the account's capability */
    PAGERD_OWES_PAGE = 4     /* QUERY_REGION of doubt_va, FREE_FRAMES of owed_frame */
};

/* An area, as small as it can be kept: there is one for each of all registrations that may be. */
struct pagerd_place {
    uint64_t va; /* page aligned */
    uint32_t page_count;
    uint32_t image_page; /* that the file bytes begin on; 0 when there are none */
    uint32_t file_bytes;
    uint16_t first_bytes; /* in front of them on the first page */
    uint8_t kind;         /* enum area_kind */
    uint8_t rights;
};

_Static_assert(RIGHTS_MAPPING <= UINT8_MAX && sizeof(struct pagerd_place) == 24, "a small place");

struct pagerd_registration {
    uint64_t token;
    uint64_t image_offset; /* the range of the boot image that may back its pages (G4) */
    uint64_t image_bytes;
    uint64_t data_offset; /* another one, of a module that is not its program */
    uint64_t data_bytes;
    uint64_t last_fault_id;
    uint64_t fault_count;
    uint64_t resolved_count;
    uint32_t state;           /* enum pagerd_registration_state */
    uint32_t vspace_cap_slot; /* vspaced's name for its address space; 0: it is lost */
    uint32_t page_limit;
    uint32_t page_count;   /* private and demand-zero pages that were mapped */
    uint32_t queued_count; /* its fills in QUEUED */
    uint32_t area_count;
    uint32_t next_free;
    uint32_t owes;       /* PAGERD_OWES_* */
    uint32_t owed_frame; /* that memd has not taken back; the one for doubt_va, if there is one */
    uint32_t unproved_rights; /* of unproved_va: what it was told to have without a mapping (G7) */
    uint64_t doubt_va;        /* a page that vspaced has not said to be there or not; 0: none */
    uint64_t walk_va;         /* behind the pages of its own that came last; 0: none came */
    uint32_t doubt_pages;     /* so many from doubt_va on, all there or none */
    uint32_t flags;           /* enum register_flags */
    uint64_t unproved_va;     /* the page; 0: its last answer was no such RESOLVED */
    struct pagerd_list fills; /* open ones, oldest first */
    struct pagerd_link ready; /* among those with queued fills, in order of their turns */
    struct pagerd_link owing; /* among those that owe something */
    struct pagerd_place places[PAGERD_AREA_LIMIT]; /* areas, ascending */
};

enum pagerd_fill_state {
    FILL_FREE,
    FILL_QUEUED,
    FILL_WAITING_FRAME,
    FILL_WOKEN,
    FILL_MAPPING,
    FILL_DONE,
    FILL_CANCELLED
};

struct pagerd_fill {
    uint64_t id;
    uint64_t va;           /* of the page */
    uint64_t parked_ticks; /* when it was parked first */
    uint64_t park_id;      /* counts the fills that were parked, when they first were; 0: never */
    uint32_t timed_out;    /* a call for it did not come back in time, once */
    uint32_t books_late;   /* so did the question whether the page is there */
    uint32_t is_there;     /* vspaced said that the page is there: only its books are asked */
    uint32_t state;        /* enum pagerd_fill_state */
    uint32_t registration;
    uint32_t area;              /* index into the registration's places */
    uint32_t rights_asked;      /* by the accesses of its faulters */
    struct pagerd_list waiters; /* in order of arrival */
    struct pagerd_link sibling; /* in the registration's fills; next is also the free list */
    struct pagerd_link parked;  /* among the parked or the woken, in order of park_id */
};

/* The faulter behind reply slot SLOT_REPLY_BASE + its number - 1. */
struct pagerd_waiter {
    uint64_t request_id;
    uint32_t fill; /* 0: nobody waits on this slot */
    struct pagerd_link link;
};

/* All of pagerd. Valid when all zero. About 610 KiB. */
struct pagerd {
    struct caller caller;
    uint64_t last_fault_id;
    uint64_t last_park_id;
    uint64_t wake_ticks;         /* when all the parked are woken */
    uint64_t settle_ticks;       /* when what is owed is tried again */
    uint32_t registration_count; /* LIVE ones */
    uint32_t registration_used;  /* entries 1 to this were in use since the start */
    uint32_t registration_free;  /* first of the free entries among them */
    uint32_t fill_used;
    uint32_t fill_free;
    uint32_t waiter_used;
    uint32_t scratch_full;     /* the scratch slot could not be emptied the last time */
    uint32_t wake_pending;     /* all the parked are to be woken */
    uint32_t new_turns;        /* that new fills have before that */
    struct pagerd_list ready;  /* registrations with queued fills */
    struct pagerd_list parked; /* fills in WAITING_FRAME */
    struct pagerd_list woken;  /* fills in WOKEN */
    struct pagerd_list owing;  /* registrations that owe something */
    uint32_t tokens_root;      /* the index of the live registrations, by token */
    uint32_t spaces_root;      /* and of all that have a vspace_cap_slot, by that */
    struct pagerd_registration registrations[PAGERD_REGISTRATION_LIMIT + 1];
    struct index_node token_nodes[PAGERD_REGISTRATION_LIMIT + 1];
    struct index_node space_nodes[PAGERD_REGISTRATION_LIMIT + 1];
    struct pagerd_fill fills[PAGERD_FILL_LIMIT + 1];
    struct pagerd_waiter waiters[PAGERD_WAITER_LIMIT + 1];
};

/* Handles one received message. Administrators' operations and faults that are answered at once
 * come back as the reply (HANDLED_REPLY); faults that wait are answered by sys_reply, now or later
 * (HANDLED_LATER). An operation that is none of pagerd's is INVALID_ARGUMENT; the wrong sender
 * DENIED. */
enum handled pagerd_handle(void *state, struct message *message, const struct receive_info *info);

/* Does what is due at `now_ticks`: repeats what was refused, wakes parked fills and runs turns. */
void pagerd_tick(struct pagerd *pagerd, uint64_t now_ticks);

/* When pagerd_tick has something to do: DEADLINE_POLL at once, DEADLINE_NEVER when nothing
 * waits. */
uint64_t pagerd_next_deadline(const struct pagerd *pagerd);

/* Walks the whole state: every list, count, range and limit. Null when all of it holds, else one
 * line that says what does not. */
const char *pagerd_check(const struct pagerd *pagerd);

/* Calls `visit` with every field that refusals must leave alone, in a fixed order: all except
 * request ids and the clock. */
void pagerd_visit_fields(const struct pagerd *pagerd, void (*visit)(void *context, uint64_t value),
                         void *context);

/* Makes the state all zero again, at the cost of what was used of it. */
void pagerd_reset(struct pagerd *pagerd);

/* The daemon: start-up, then messages and due work for ever. Returns only when the transport fails,
 * after asking the kernel to end the process. */
void pagerd_run(struct pagerd *pagerd);

#endif
