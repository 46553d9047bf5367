/* SPDX-License-Identifier: ISC */
/* memd: who may hold how much memory. The contract of the service, readable alone; the messages are
 * in abi/messages/memd.def.
 *
 * memd holds the machine's untyped memory: the UNTYPED slots that its start envelope names, its
 * sources. It retypes from these alone (M2), first fit in slot order: a frame comes from the first
 * source that has a page left, an untyped from the first source that has all its pages. Master
 * capabilities lie from SLOT_DYNAMIC_BASE on, after every start-up slot; clients get copies without
 * CONTROL (frames), so that memd alone destroys.
 *
 * Names. An account is a badge, generation << 32 | index + 1, generation at least 1: never 0, never
 * a role id, never BADGE_KERNEL. Its account_id is generation << 11 | index, a frame's id is
 * generation << 16 | index, an untyped's generation << 11 | index. Every id and badge dies when its
 * object is given back: a later object in the same place has the next generation (M3). The place of
 * an account whose generations are used up is never used again; frame generations start over after
 * 65535 uses of one place (untyped ones after 2^21 - 1), and then a stale id can at worst name a
 * newer frame of the same account.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender that the row does not allow: badge 0 is an administrator, the badge of an open
 *   account is that account, ROLE_TESTER may ask for the book (QUERY_MEMORY)
 *
 * OPEN_ACCOUNT:
 * - EXHAUSTED: MEMD_ACCOUNT_LIMIT accounts are open. The limit promises nothing: it is a bound, no
 *   page is set aside.
 *
 * CLOSE_ACCOUNT: gives everything back, untyped memory first, the newest first; frames are
 * destroyed everywhere and unmapped by that (M5).
 * - NOT_FOUND: not an open account
 * - BUSY: one of its untypeds still has something made from it; the account is then as before, but
 *   for untypeds newer than that one, which were given back
 *
 * ALLOC_FRAMES: all or nothing (M4). Frames read as zero: the kernel zeroes at retype.
 * - EXHAUSTED: above the account's limit; fewer free pages than asked (NORMAL accounts never get
 *   the last MEMD_RESERVE_PAGES, M7); no record left (the last MEMD_RESERVE_PAGES of
 *   MEMD_FRAME_LIMIT are for RESERVE accounts)
 *
 * FREE_FRAMES: all or nothing. For each id in order:
 * - NOT_FOUND: not a frame of this account; DUPLICATE: named twice
 *
 * ALLOC_UNTYPED:
 * - EXHAUSTED: limit and reserve as for frames; no single source with that many pages; or
 *   MEMD_UNTYPED_LIMIT are out
 *
 * FREE_UNTYPED:
 * - NOT_FOUND: not an untyped of this account; BUSY: something made from it lives (the kernel says)
 *
 * QUERY_ACCOUNT, QUERY_MEMORY: never refused.
 *
 * When the kernel refuses what the books allow, its status is the reply. An ALLOC is undone then:
 * what was made is destroyed again (were that refused too, the frame stays charged to the account
 * until the account is closed). A DESTROY cannot be undone: what a FREE (from its last id to its
 * first) or a CLOSE destroyed before the refusal is given back in the books too, the rest stays.
 *
 * Replies that cannot be delivered. A client that leaves no room for an ALLOC's capabilities gets
 * BUSY from the receive loop; what was allocated stays charged until its account is closed. An
 * administrator that leaves no room for OPEN_ACCOUNT's capability loses one account of no pages for
 * ever; administrators are procd and rootd, whose windows are fixed. */
#ifndef BASALT_SERVICES_MEMD_MEMD_H
#define BASALT_SERVICES_MEMD_MEMD_H

#include "abi/messages/memd.h"
#include "services/lib/service.h"

enum {
    MEMD_ACCOUNT_LIMIT = 2048, /* accounts open at one time */
    MEMD_UNTYPED_LIMIT = 2048, /* untyped objects handed out at one time; frames: abi/limits.h */

    /* Pages, and frame records, that NORMAL accounts cannot have: 64 pages are one fill for each of
     * 64 faulting processes while clients hold everything else. */
    MEMD_RESERVE_PAGES = 64,

    MEMD_FRAME_SLOT_BASE = SLOT_DYNAMIC_BASE, /* frame i: this + i */
    MEMD_UNTYPED_SLOT_BASE = MEMD_FRAME_SLOT_BASE + MEMD_FRAME_LIMIT,

    MEMD_FRAME_INDEX_BITS = 16,
    MEMD_FRAME_GENERATION_LAST = 0xFFFF,
    MEMD_ACCOUNT_INDEX_BITS = 11,
    MEMD_UNTYPED_INDEX_BITS = 11,
    MEMD_GENERATION_LAST = (1 << 21) - 1 /* of accounts and untypeds */
};

_Static_assert(MEMD_FRAME_SLOT_BASE >= SLOT_STARTUP_LAST + 1, "M2: after the start-up slots");
_Static_assert(MEMD_UNTYPED_SLOT_BASE + MEMD_UNTYPED_LIMIT <= SLOT_LIMIT, "slots suffice");
_Static_assert(MEMD_FRAME_LIMIT == 1 << MEMD_FRAME_INDEX_BITS, "an id holds every index");
_Static_assert(MEMD_ACCOUNT_LIMIT == 1 << MEMD_ACCOUNT_INDEX_BITS, "an id holds every index");
_Static_assert(MEMD_UNTYPED_LIMIT == 1 << MEMD_UNTYPED_INDEX_BITS, "an id holds every index");

/* Links are index + 1, so that 0 means none and an all-zero state is an empty one. */
typedef uint32_t memd_link;

/* A table's places: those below `used_count` were used at least once, the free ones among them are
 * linked from `first_free`. */
struct memd_places {
    memd_link first_free;
    uint32_t used_count;
    uint32_t held_count;
};

struct memd_source {
    uint32_t slot;
    uint32_t reserved0;
    uint64_t total_pages;
    uint64_t taken_pages; /* never above total_pages */
};

struct memd_account {
    uint64_t limit_pages;
    uint32_t generation; /* of the open account, or of the last one */
    uint32_t account_class;
    uint32_t frame_pages; /* held, one for each frame */
    uint32_t untyped_count;
    uint64_t untyped_pages; /* frame_pages + untyped_pages never above limit_pages (M4) */
    memd_link first_frame;
    memd_link first_untyped;
    memd_link next_free;
    uint32_t is_open;
};

/* A frame or an untyped: a thing that an account holds. */
struct memd_holding {
    uint32_t generation;
    memd_link account; /* 0: free */
    memd_link next;    /* of the account's list, or of the free list */
    memd_link previous;
    uint32_t source; /* index */
    uint32_t pages;
};

struct memd {
    struct caller caller;
    struct memd_source sources[SLOT_UNTYPED_COUNT]; /* ascending slots */
    uint32_t source_count;
    uint32_t reserved0;
    uint64_t total_pages;
    uint64_t taken_pages; /* sum over accounts and sum over sources (M1) */
    struct memd_places account_places;
    struct memd_places frame_places;
    struct memd_places untyped_places;
    struct memd_account accounts[MEMD_ACCOUNT_LIMIT];
    struct memd_holding frames[MEMD_FRAME_LIMIT];
    struct memd_holding untypeds[MEMD_UNTYPED_LIMIT];
};

/* Takes the sources that the envelope names, with the sizes that the kernel tells. On a zero state,
 * once. Errors: the kernel's; INTERNAL when the sizes cannot be (0 pages, or a sum that wraps). On
 * an error the state has no source and every ALLOC is refused. */
enum status memd_init(struct memd *memd, const struct envelope *envelope);

/* A service_handler; `state` is a struct memd. Turns the message into its reply. */
enum handled memd_handle(void *state, struct message *message, const struct receive_info *info);

/* The first property of the books that does not hold ("M1", "M4", ...), or null when all do. Walks
 * the whole state in time linear in the places ever used. */
const char *memd_check(const struct memd *memd);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void memd_visit_fields(const struct memd *memd, void (*visit)(void *context, uint64_t value),
                       void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `memd` is zero. */
void memd_run(struct memd *memd);

#endif
