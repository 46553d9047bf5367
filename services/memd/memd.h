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
 * Accounts form a tree (M8). An administrator names an account by a key of its own choice and says
 * below which other one it lies. An account has a guarantee and a limit, both in pages, and claims
 *
 *     claim = max(guarantee, pages it holds itself) + the claims of the accounts directly below
 *
 * The one rule: no claim is above its account's limit, and the claims of the accounts at the top
 * are together at most the pages that memd has. An ALLOC or an OPEN is allowed when the rule holds
 * afterwards. What an account takes within its guarantee changes no claim: it is never refused for
 * want of memory (M9), and guarantees are never promised twice (M8). What is guaranteed and not yet
 * taken is the reserve (M7). memd has as many pages as its sources, but never more than it has
 * frame records: records cannot be used up before pages are.
 *
 * Names. An account's badge is generation << 32 | index + 1, generation at least 1: never 0, never
 * a role id, never BADGE_KERNEL. A frame's id is generation << MEMD_FRAME_INDEX_BITS | index, an
 * untyped's generation << MEMD_UNTYPED_INDEX_BITS | index. Every id and badge dies when its object
 * is given back: a later object in the same place has the next generation (M3). The place of an
 * account whose generations are used up is never used again; generations of frames and untypeds
 * start over after the last, and then a stale id can at worst name a newer object of the same
 * account.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender that the row does not allow: badge 0 is an administrator, the badge of an open
 *   account is that account, ROLE_TESTER and ROLE_ATTACKS may ask for the book (QUERY_MEMORY),
 *   roles with a row INSPECTS for that and for the accounts (LIST_ACCOUNTS)
 *
 * OPEN_ACCOUNT: asked again while the account is open, with the same parent, guarantee and limit,
 * it is OK and gives the same badge again: who lost the answer lost nothing.
 * - INVALID_ARGUMENT: the guarantee is above the limit
 * - BUSY: the account of that key is being closed
 * - DUPLICATE: it is open with another parent, guarantee or limit
 * - NOT_FOUND: the parent is not open
 * - OVER_LIMIT: the limit is above the parent's; the parent lies at depth MEMD_DEPTH_LIMIT; or the
 *   guarantee would bring a claim above a limit, the parent's or that of one above
 * - EXHAUSTED: the guarantee would bring the claims at the top above the pages that memd has; or
 *   MEMD_ACCOUNT_LIMIT accounts are open
 *
 * CLOSE_ACCOUNT: from the first message on the account is being closed: its badge and those of all
 * accounts below it are dead. Each message takes at most MEMD_CLOSE_STEPS steps: one holding given
 * back, or one account without any removed. Deepest accounts come first, untyped memory before
 * frames, the newest first; frames are destroyed everywhere and unmapped by that (M5). The reply
 * says how many pages this message gave back, and what is left: pages, and accounts, itself
 * included. The administrator repeats the message until left_accounts is 0.
 * - NOT_FOUND: not an open account, nor one that is being closed
 * - BUSY: one of the untypeds still has something made from it. What was given back before it
 *   stays so, and the account is being closed: repeat when that something is gone.
 *
 * ALLOC_FRAMES: all or nothing (M4). Frames read as zero: the kernel zeroes at retype.
 * - OVER_LIMIT: a claim would be above a limit, the account's or that of one above: only those
 *   whose accounts these are can make room
 * - EXHAUSTED: the claims at the top would be above the pages that memd has: others may make room
 *
 * FREE_FRAMES: all or nothing. For each id in order:
 * - NOT_FOUND: not a frame of this account; DUPLICATE: named twice
 *
 * ALLOC_UNTYPED:
 * - OVER_LIMIT: as for frames
 * - EXHAUSTED: as for frames; no single source with that many pages (where there is one source,
 *   never within a guarantee); or MEMD_UNTYPED_LIMIT are out
 *
 * FREE_UNTYPED:
 * - NOT_FOUND: not an untyped of this account; BUSY: something made from it lives (the kernel says)
 *
 * QUERY_ACCOUNT, QUERY_MEMORY: never refused.
 *
 * LIST_ACCOUNTS: the account with the lowest key that is not below the one asked for, also one that is
 * being closed.
 * - NOT_FOUND: there is none
 *
 * When the kernel refuses what the books allow, its status is the reply. An ALLOC is undone then:
 * what was made is destroyed again (were that refused too, the frame or untyped stays charged to
 * the account until the account is closed). A DESTROY cannot be undone: what a FREE (from its last
 * id to its first) or a CLOSE destroyed before the refusal is given back in the books too, the rest
 * stays; a CLOSE can be repeated.
 *
 * Replies that cannot be delivered. A client that leaves no room for an ALLOC's capabilities gets
 * BUSY; one that gave up gets nothing. Either way the ALLOC is undone like one that the kernel
 * refused: nobody would know what it gave. An OPEN whose answer is lost is asked again, or the key
 * is closed. */
#ifndef BASALT_SERVICES_MEMD_MEMD_H
#define BASALT_SERVICES_MEMD_MEMD_H

#include "abi/limits.h"
#include "abi/messages/memd.h"
#include "abi/roles.h"
#include "services/lib/index.h"
#include "services/lib/service.h"

enum {
    MEMD_ACCOUNT_LIMIT = 2048, /* accounts open at one time */
    MEMD_UNTYPED_LIMIT = 2048, /* untyped objects handed out at one time */

    /* How deep accounts may lie below each other: what one message costs is in proportion to it.
     * Sixteen processes, each made by the one before. */
    MEMD_DEPTH_LIMIT = 16,

    /* Steps of one CLOSE_ACCOUNT, about as many kernel calls: the time of some 60 faults, in which
     * memd serves nobody else. */
    MEMD_CLOSE_STEPS = 64,

    MEMD_UNTYPED_SLOT_BASE = SLOT_DYNAMIC_BASE, /* untyped i: this + i; frames follow */
    MEMD_FRAME_SLOT_BASE = MEMD_UNTYPED_SLOT_BASE + MEMD_UNTYPED_LIMIT,

    /* Frames that can be out at one time, on any machine; of a smaller one, as many as its table
     * has records: one for each page. */
    MEMD_FRAME_LIMIT = MEMORY_PAGES_LIMIT,

    MEMD_FRAME_INDEX_BITS = 20,
    MEMD_FRAME_GENERATION_LAST = (1 << 12) - 1,
    MEMD_UNTYPED_INDEX_BITS = 11,
    MEMD_UNTYPED_GENERATION_LAST = (1 << 21) - 1,
    MEMD_ACCOUNT_GENERATION_LAST = INT32_MAX
};

_Static_assert(MEMD_UNTYPED_SLOT_BASE >= SLOT_STARTUP_LAST + 1, "M2: after the start-up slots");
_Static_assert(MEMD_FRAME_SLOT_BASE + MEMD_FRAME_LIMIT <= SLOT_LIMIT, "a slot for each page");
_Static_assert(MEMD_FRAME_LIMIT <= 1 << MEMD_FRAME_INDEX_BITS, "an id holds every index");
_Static_assert(MEMD_UNTYPED_LIMIT == 1 << MEMD_UNTYPED_INDEX_BITS, "an id holds every index");
_Static_assert(MEMD_FRAME_GENERATION_LAST == UINT32_MAX >> MEMD_FRAME_INDEX_BITS &&
                   MEMD_UNTYPED_GENERATION_LAST == UINT32_MAX >> MEMD_UNTYPED_INDEX_BITS,
               "an id holds every generation");
_Static_assert((int)PROCESS_LIMIT <= (int)MEMD_ACCOUNT_LIMIT &&
                   (int)PROCESS_LIMIT <= (int)MEMD_UNTYPED_LIMIT,
               "one account and one budget for each process: processes run out first");

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
    uint64_t key; /* 0: the place is free */
    uint64_t guarantee_pages;
    uint64_t limit_pages;
    uint64_t claim_pages; /* never above limit_pages (M4, M8) */
    uint64_t held_pages;  /* by itself: frames and untypeds */
    uint64_t untyped_pages;
    uint64_t tree_pages; /* held by itself and by all below */
    uint32_t tree_count; /* accounts: itself and all below */
    uint32_t generation; /* of the open account, or of the last one */
    uint32_t depth;      /* 1: at the top */
    uint32_t is_closing; /* it itself is; those below a closing one are dead as well */
    memd_link parent;    /* 0: at the top */
    memd_link first_child;
    memd_link next; /* of the parent's children, or of the free list */
    memd_link previous;
    memd_link first_frame;
    memd_link first_untyped;
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

_Static_assert(sizeof(struct memd_holding) == ROLE_TABLE_BYTES_MEMD,
               "the table has a record a page");

struct memd {
    struct caller caller;
    struct memd_source sources[SLOT_UNTYPED_COUNT]; /* ascending slots */
    uint32_t source_count;
    uint32_t key_root;      /* index of the accounts by key */
    uint64_t total_pages;   /* of the sources, at most one for each frame record */
    uint64_t taken_pages;   /* sum over accounts and sum over sources (M1) */
    uint64_t claimed_pages; /* sum of the claims at the top: never above total_pages (M8) */
    struct memd_places account_places;
    struct memd_places frame_places;
    struct memd_places untyped_places;
    /* One record for each page of the machine, in memory of its own (abi/tables.def): the only
     * pointer of the state, since the size is known at start alone. */
    struct memd_holding *frames;
    uint32_t frame_limit;
    uint32_t reserved0;
    struct memd_account accounts[MEMD_ACCOUNT_LIMIT];
    struct index_node key_nodes[MEMD_ACCOUNT_LIMIT + 1];
    struct memd_holding untypeds[MEMD_UNTYPED_LIMIT];
};

/* Takes the sources that the envelope names, with the sizes that the kernel tells, and the frame
 * table at `frame_table`: zeroed memory of role_table_pages(ROLE_MEMD, envelope->memory_pages)
 * pages. On a zero state, once. Errors: the kernel's; INTERNAL when the sizes cannot be (0 pages,
 * or a sum that wraps). On an error the state has no source and every ALLOC is refused. */
enum status memd_init(struct memd *memd, const struct envelope *envelope, void *frame_table);

/* A service_handler; `state` is a struct memd. Turns the message into its reply. */
enum handled memd_handle(void *state, struct message *message, const struct receive_info *info);

/* The first property of the books that does not hold ("M1", "M4", ...), or null when all do. Sums
 * every claim up from scratch; time linear in the places ever used. */
const char *memd_check(const struct memd *memd);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void memd_visit_fields(const struct memd *memd, void (*visit)(void *context, uint64_t value),
                       void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `memd` is zero,
 * `frame_table` is where the frame table will be when the envelope comes. */
void memd_run(struct memd *memd, void *frame_table);

#endif
