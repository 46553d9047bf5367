/* SPDX-License-Identifier: ISC */
/* What the files of pagerd share. Nothing outside this folder includes it. */
#ifndef BASALT_SERVICES_PAGERD_INTERNAL_H
#define BASALT_SERVICES_PAGERD_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/pagerd/lists.h"
#include "services/pagerd/pagerd.h"

/* --- pagerd.c, registrations.c, given.c: one function for each LIVE row of the table ------------------ */

#define SERVICE       pagerd
#define SERVICE_TABLE "services/pagerd/served.def"
#include "services/lib/unfold.h"

struct pagerd_request {
    struct service_request common;
    union pagerd_body body;
    union pagerd_reply reply;
};

/* --- policy.c: pure decisions ---------------------------------------------------------------- */

/* How a page comes to be. */
enum pagerd_backing {
    BACKING_ANONYMOUS, /* demand-zero */
    BACKING_IMAGE,     /* the image's own page, shared */
    BACKING_COPY       /* a private frame with bytes of the image, zero after them (G4) */
};

struct pagerd_supply {
    enum pagerd_backing backing;
    uint32_t rights;
    uint64_t va;
    uint64_t image_offset; /* IMAGE: of the page's first byte; COPY: of the first one copied */
    uint32_t copy_at;      /* COPY: so far behind the page's first byte */
    uint32_t copy_bytes;   /* COPY: 1 to PAGE_BYTES */
    uint32_t block_pages;  /* that come together: this one, and its neighbours */
    uint32_t block_before; /* IMAGE: so many of them in front of this one */
};

enum pagerd_verdict { VERDICT_END, VERDICT_FILL };

struct pagerd_ruling {
    enum pagerd_verdict verdict;
    enum end_reason reason; /* END */
    uint32_t area;          /* FILL: index */
};

/* Whether a registration may be made as asked; see REGISTER_PROCESS in pagerd.h. */
enum status pagerd_judge_registration(const struct pagerd_register_process_request *request);

/* What becomes of a fault, but for open fills and the page limit. */
struct pagerd_ruling pagerd_judge_fault(const struct pagerd_registration *registration,
                                        const struct event_fault_request *fault);

/* The right that an access needs. */
uint32_t pagerd_right_of(enum fault_access access);

/* How the page at `va` (inside the place, page aligned) is made. */
struct pagerd_supply pagerd_plan_supply(const struct pagerd_place *place, uint64_t va);

/* The neighbours of a demand-zero page that lies behind the one that came last; of one that is not
 * over the limit. */
void pagerd_plan_walk(const struct pagerd_registration *registration, uint32_t area_index,
                      struct pagerd_supply *supply);

/* The page alone. */
static inline void pagerd_leave_neighbours(struct pagerd_supply *supply)
{
    supply->block_pages = 1;
    supply->block_before = 0;
}

/* Whether a page more would pass the limit; shared pages never do. */
bool pagerd_over_limit(const struct pagerd_registration *registration, enum pagerd_backing backing);

uint64_t pagerd_area_pages(const struct pagerd_area *area);

/* An area that was judged to be sound, kept; and again the area, of whole pages. */
struct pagerd_place pagerd_place_of(const struct pagerd_area *area);
struct pagerd_area pagerd_area_at(const struct pagerd_place *place);

/* --- peers.c: calls -------------------------------------------------------------------------- */

/* Each returns the peer's status; what failed half way was undone. The first is given a slot of 0; one
 * that is not 0 afterwards, with an error, means that the space is still registered. */
enum status pagerd_adopt_vspace(struct pagerd *pagerd,
                                const struct pagerd_register_process_request *request,
                                uint32_t account_slot, uint32_t *vspace_cap_slot);
/* True when the space is registered no more. */
bool pagerd_release_vspace(struct pagerd *pagerd, uint32_t vspace_cap_slot);

/* Maps a page with its neighbours, or alone when that is refused: the block in `supply` is then what
 * was asked for last. BUSY: one is there already. EXHAUSTED: nothing left now. OVER_LIMIT,
 * OVER_BUDGET: the process's own. TIMED_OUT: it may come yet. Of copies, `owed_frame` is then a frame
 * that could not go back, or with TIMED_OUT must not before it is known whether it was mapped. */
enum status pagerd_supply_page(struct pagerd *pagerd, uint32_t vspace_cap_slot,
                               uint32_t account_slot, struct pagerd_supply *supply,
                               uint32_t *owed_frame);

/* Maps a frame that was given, with these rights: vspaced's answer. TIMED_OUT: it may come yet. */
enum status pagerd_map_given(struct pagerd *pagerd, uint32_t vspace_cap_slot, uint32_t rights,
                             const struct pagerd_give_page_request *given);

/* Offers a frame back to memd; true when it is the account's no more. */
bool pagerd_return_frame(struct pagerd *pagerd, uint32_t account_slot, uint32_t frame_id);

/* Asks vspaced's books whether a page is there: OK, with its rights, NOT_FOUND, or no answer. */
enum status pagerd_ask_page(struct pagerd *pagerd, uint32_t vspace_cap_slot, uint64_t va,
                            uint32_t *rights);

/* --- registrations.c ------------------------------------------------------------------------- */

/* Entry number of the live registration with that token; 0: none. */
uint32_t pagerd_find(const struct pagerd *pagerd, uint64_t token);

/* Where the account capability of an entry lies. */
uint32_t pagerd_account_slot(uint32_t registration);

/* A registration owes something more; it is tried PAGERD_RETRY_TICKS from now, or with the others.
 */
void pagerd_owe(struct pagerd *pagerd, uint32_t registration, uint32_t what);

/* Settles what the last page of a process left open: whether the one in doubt is there, and a frame
 * that goes back. OK: nothing is open any more. EXHAUSTED: memd does not take the frame. TIMED_OUT,
 * INTERNAL: vspaced did not say. */
enum status pagerd_settle_page(struct pagerd *pagerd, uint32_t registration);

/* Follows doubt_va and owed_frame of a registration: something is open now, or nothing any more. */
void pagerd_note_open_page(struct pagerd *pagerd, uint32_t registration);

/* Tries to settle what is owed, when it is time to: PAGERD_RUN_FILLS registrations at most. */
void pagerd_settle_due(struct pagerd *pagerd);

/* --- fills.c --------------------------------------------------------------------------------- */

/* A fault that VERDICT_FILL was ruled for. */
struct pagerd_faulter {
    uint32_t registration;
    uint32_t area;
    uint64_t va; /* of the page */
    uint32_t right;
    uint32_t reply_slot; /* one of the reply slots, and free */
    uint64_t request_id;
};

/* Joins or opens a fill and keeps the reply slot. */
void pagerd_take_fault(struct pagerd *pagerd, const struct pagerd_faulter *faulter);

/* The open fill of a page of a registration; 0: none. */
uint32_t pagerd_find_fill(const struct pagerd *pagerd, uint32_t registration, uint64_t va);

/* So many pages of the process's own, from `va` on, are there: they count, and whoever waits for one
 * of them need not ask for it. */
void pagerd_count_pages(struct pagerd *pagerd, uint32_t owner, uint64_t va, uint32_t pages);

/* Gives turns to woken and queued fills, at most PAGERD_RUN_FILLS. */
void pagerd_run_queued(struct pagerd *pagerd);

/* Something may have come back: all the parked are tried again. */
void pagerd_wake(struct pagerd *pagerd);

/* Wakes a parked fill. */
void pagerd_wake_one(struct pagerd *pagerd, uint32_t fill);

/* Ends an open fill as CANCELLED, its faulters with the reason. */
void pagerd_cancel(struct pagerd *pagerd, uint32_t fill, enum end_reason reason);

/* The slot came with another message, so that its faulter waits no more (K10). A fill that nobody
 * waits for is cancelled. */
void pagerd_forget_waiter(struct pagerd *pagerd, uint32_t reply_slot);

#endif
