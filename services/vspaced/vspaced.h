/* SPDX-License-Identifier: ISC */
/* vspaced: what may be mapped where. The contract of the service, readable alone; the messages are
 * in abi/messages/vspaced.def.
 *
 * vspaced keeps, for every registered address space (a space), which pages are mapped and how. A
 * page is anonymous (a frame that vspaced took from the registered memd account), a frame (the
 * caller's), a page of the boot image, or a guard (nothing, and nothing may come there). A region
 * is the longest run of pages that agree in kind, in rights and in the rights they were mapped
 * with, and that are, for image pages, consecutive in the image: QUERY_REGION answers with that
 * run, however it came about.
 *
 * Only pagerd is served. The space is named by its vspace_cap_slot alone, the slot of vspaced's
 * cspace that REGISTER_VSPACE answered; reserved0 must be zero and selects nothing (V6). A vspace
 * is recognised by its object and generation, so that it is registered at most once.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: not from pagerd's badge
 * - NOT_FOUND: no space is registered at the vspace_cap_slot
 * - OUT_OF_RANGE: the range leaves [USER_VA_FIRST, USER_VA_END) or wraps (V3, V5); QUERY_REGION has
 *   an address alone and answers NOT_FOUND outside
 * - INVALID_ARGUMENT: rights without READ; WRITE_AND_EXECUTE: rights with both (V2)
 *
 * REGISTER_VSPACE sets region_limit regions aside for the space, so that no page of it waits for
 * another's:
 * - NOT_FOUND: the vspace is gone
 * - BUSY: this vspace is registered; EXHAUSTED: VSPACED_VSPACE_LIMIT spaces are, or what is set
 *   aside would be more than the table has. Before this is said, spaces whose vspace is dead are
 *   swept, until there is room: the kernel is asked about VSPACED_SWEEP_SPACES at most, by their
 *   slots, from where the last such request stopped, round and round. So many refusals later none
 *   is left that was dead at the first (E8).
 *
 * UNREGISTER_VSPACE: its pages stay mapped until the vspace dies, its frames stay charged until the
 * account is closed.
 *
 * MAP_ANONYMOUS:
 * - BUSY: a page of the range is mapped or a guard
 * - OVER_LIMIT: the space would have one region too many; EXHAUSTED: no page record left
 * - then memd's refusal: EXHAUSTED (no frame now), OVER_LIMIT (the account's), NOT_FOUND (the
 *   account is gone), TIMED_OUT, PEER_DIED; INTERNAL for any other; EXHAUSTED: a frame that the
 *   kernel does not let vspaced drop is in the way of new ones
 * - then the kernel's (OVER_BUDGET: no page table left for the process)
 *
 * MAP_FRAMES:
 * - INVALID_ARGUMENT: a frame with page_count other than 1 or frame_page other than 0; image pages
 *   with a frame_id
 * - DENIED: rights that the capability does not have
 * - BUSY: a page of the range is mapped or a guard; DUPLICATE: frame_id is mapped already
 * - OVER_LIMIT, EXHAUSTED: as MAP_ANONYMOUS, before memd; then the kernel's refusal (OUT_OF_RANGE:
 *   beyond the image; WRITE_AND_EXECUTE: a frame that was mapped writable is to be executable, or
 *   the other way round; BUSY: a page from before an UNREGISTER_VSPACE is there)
 *
 * UNMAP:
 * - NOT_FOUND: a page of the range is not mapped, guards included
 * - OVER_LIMIT: it would split a region, and the space may have no more; then the kernel's refusal
 *   (NOT_FOUND: a frame of the range was destroyed behind vspaced's back)
 *
 * PROTECT:
 * - NOT_FOUND: as UNMAP; DENIED: rights that a page was not mapped with; OVER_LIMIT: as UNMAP
 *
 * GUARD:
 * - BUSY: a page of the range is mapped or a guard; OVER_LIMIT: as MAP_ANONYMOUS
 *
 * QUERY_REGION:
 * - NOT_FOUND: no region holds the address
 *
 * Whole request or nothing (V3): MAP_ANONYMOUS unmaps and gives back what it had done when a later
 * call fails, and answers with that call's status. UNMAP is done once the kernel unmapped: should
 * memd then not take the frames back, the answer is INTERNAL, and the pages are gone all the same.
 * A frame that memd did not take back is kept and offered again, oldest first, by the next requests
 * that need memd, until memd takes it or its account is given up (E4). UNREGISTER_VSPACE that fails
 * with the kernel's status leaves the space registered, without its account when that was dropped
 * already; it can be repeated.
 *
 * W^X over time (V2). A page of a space never gets rights beyond those it was mapped with, and
 * these are never both. A frame with a frame_id belongs to the account's books, is mapped once, and
 * is destroyed at UNMAP. Which frame a capability without an id names is not vspaced's to know:
 * there the kernel, which keeps every frame's use, refuses with the same status.
 *
 * Calls: kernel control, and memd through the account capability. The frames of one MAP_ANONYMOUS,
 * what is given back, and what is offered again have VSPACED_MEMD_TICKS each, from the latest clock
 * that the kernel told, a call that timed out included (P12).
 */
#ifndef BASALT_SERVICES_VSPACED_VSPACED_H
#define BASALT_SERVICES_VSPACED_VSPACED_H

#include "abi/messages/memd.h"
#include "abi/messages/vspaced.h"
#include "abi/roles.h"
#include "services/lib/index.h"
#include "services/lib/service.h"

enum {
    VSPACED_VSPACE_LIMIT = 1024, /* address spaces registered at one time */

    /* Regions of all of them together: so many for each page of the machine, and the shared ones.
     * A process may touch up to twice the pages that are set aside for it at memd, its kernel
     * memory included (props/tests/tables_test.c): so memory runs out before regions do. */
    VSPACED_PAGE_REGIONS = PROCESS_PAGE_REGIONS,
    VSPACED_SHARED_REGIONS = PROCESS_SHARED_REGIONS * PROCESS_LIMIT,

    VSPACED_SLOT_BASE =
        SLOT_DYNAMIC_BASE, /* space i: its vspace at this + 2i, its account after it */

    /* Frames arrive here, next to the window in which requests arrive. */
    VSPACED_FRAME_WINDOW_SLOT = SLOT_RECEIVE_BASE + MESSAGE_CAP_LIMIT,

    /* Longest that memd may take. Far above any real call: a deadline so that a capability to
     * something that never answers cannot stop vspaced for ever (E5). Three of them fit into what
     * pagerd waits for vspaced. */
    VSPACED_MEMD_TICKS = 5 * TICKS_PER_SECOND,

    VSPACED_OWED_TURNS = 4, /* frames that are offered again for one request */

    VSPACED_SWEEP_SPACES = 16, /* spaces that one REGISTER_VSPACE asks the kernel about */

    /* Calls that one message makes at most (E8). REGISTER_VSPACE: one for the new vspace, three for
     * each space that it sweeps, three to take the capabilities or give one back. MAP_ANONYMOUS
     * makes the most of the others: what is owed, the drops of what is in the window, then for each
     * batch memd and the kernel, and the undo of the last: its drops, the unmapping, and memd. */
    VSPACED_REGISTER_CALLS_MAX = 1 + 3 * VSPACED_SWEEP_SPACES + 3,
    VSPACED_CALLS_MAX = VSPACED_OWED_TURNS +
                        VSPACED_ANONYMOUS_PAGES_MAX / MEMD_ALLOC_FRAMES_MAX * 2 +
                        2 * MEMD_ALLOC_FRAMES_MAX + 2,

    VSPACED_REGION_SPARE = 2 /* two splits come before the merges that make up for them */
};

_Static_assert(VSPACED_SLOT_BASE + 2 * VSPACED_VSPACE_LIMIT <= SLOT_LIMIT, "slots suffice");

/* Links are index + 1; 0 means none, so that an all-zero state is an empty one. */
typedef uint32_t vspaced_link;

/* A table's places: those below `used_count` were used at least once, the free ones among them are
 * linked from `first_free`. */
struct vspaced_places {
    vspaced_link first_free;
    uint32_t used_count;
    uint32_t held_count;
};

struct vspaced_space {
    uint32_t is_registered;
    uint32_t object; /* of the vspace, as the kernel names it */
    uint32_t generation;
    uint32_t region_limit;     /* so many are set aside for it */
    uint32_t region_count;     /* so many it has */
    uint32_t regions_root;     /* the index of its regions, by first page */
    vspaced_link first_region; /* the list of them, by address */
    vspaced_link next_free;
};

/* What all pages of a region have in common. */
struct vspaced_piece {
    uint64_t first_page; /* va / PAGE_BYTES */
    uint64_t page_count;
    uint64_t image_page; /* REGION_IMAGE: where first_page comes from; else 0 */
    uint32_t kind;       /* enum region_kind */
    uint16_t rights;
    uint16_t rights_mapped; /* what PROTECT can never exceed */
};

/* A piece in the index and in the list of its space. Neighbours that could be one region are
 * one. */
struct vspaced_region {
    struct vspaced_piece piece;
    vspaced_link previous;
    vspaced_link next; /* of the space, or of the free list */
};

/* A mapped page whose frame vspaced gives back at UNMAP; or a frame alone that memd has not taken
 * back. */
struct vspaced_page {
    uint32_t frame_id;      /* 0: free */
    vspaced_link next;      /* with the same low bits of frame_id, or of the free list */
    vspaced_link owed_next; /* owed: behind this one */
    uint32_t owed_space;    /* owed: index + 1 of the space whose account it is; 0: a page */
};

struct vspaced {
    struct caller caller;
    struct vspaced_places space_places;
    struct vspaced_places region_places;
    struct vspaced_places page_places;
    uint32_t spaces_root;      /* object << 32 | generation of a vspace */
    uint32_t pages_root;       /* space index << 48 | page */
    uint32_t regions_reserved; /* the sum of region_limit */
    uint32_t sweep_next;       /* the place behind the space that was asked about last */
    uint32_t window_filled;    /* bit i: slot i of the frame window may hold a frame */
    vspaced_link owed_first;   /* frames that memd has not taken back */
    vspaced_link owed_last;
    /* The tables that grow with the memory of the machine lie outside (abi/tables.def): the one
     * exception to "links are indices". */
    uint32_t region_limit; /* regions of all spaces together */
    uint32_t page_limit;   /* mapped pages with a frame_id, and owed frames: memd has no more */
    struct vspaced_region *regions;
    struct index_node *region_nodes;
    struct vspaced_page *pages;
    struct index_node *page_nodes;
    /* By the low bits of the frame id: a list of more than one takes ids that are not memd's, which
     * pagerd alone can send, or frames that were made one after the other in one place. */
    vspaced_link *pages_by_frame;
    struct vspaced_space spaces[VSPACED_VSPACE_LIMIT];
    struct index_node space_nodes[VSPACED_VSPACE_LIMIT + 1];
};

_Static_assert(ROLE_TABLE_BYTES_VSPACED == VSPACED_PAGE_REGIONS * (sizeof(struct vspaced_region) +
                                                                   sizeof(struct index_node)) +
                                               sizeof(struct vspaced_page) +
                                               sizeof(struct index_node) + sizeof(vspaced_link),
               "abi/tables.def: the regions and a frame for each page");
_Static_assert(ROLE_TABLE_FIXED_VSPACED >=
                   (VSPACED_SHARED_REGIONS + VSPACED_REGION_SPARE + 2) *
                       (sizeof(struct vspaced_region) + sizeof(struct index_node)),
               "abi/tables.def: the shared regions, the spare ones and the unused nodes");

/* Lays out the tables in `memory`, which is zero and has as many bytes as the row says for a
 * machine with so many pages. `vspaced` is zero. */
void vspaced_init(struct vspaced *vspaced, uint64_t memory_pages, void *memory);

/* A service_handler; `state` is a struct vspaced, all zero at first. Turns the message into its
 * reply. */
enum handled vspaced_handle(void *state, struct message *message, const struct receive_info *info);

/* The first property that does not hold ("V1", "V2", ...), or null when all do. Walks the whole
 * state in time linear in the places ever used. */
const char *vspaced_check(const struct vspaced *vspaced);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order: what
 * the tables hold and which place is used next, not how an index finds it. */
void vspaced_visit_fields(const struct vspaced *vspaced,
                          void (*visit)(void *context, uint64_t value), void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `vspaced` and
 * `memory`, of its tables, are zero. */
void vspaced_run(struct vspaced *vspaced, void *memory);

#endif
