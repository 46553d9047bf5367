/* SPDX-License-Identifier: ISC */
/* What the files of pagerd share. Nothing outside this folder includes it. */
#ifndef BASALT_SERVICES_PAGERD_INTERNAL_H
#define BASALT_SERVICES_PAGERD_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/pagerd/pagerd.h"

/* --- pagerd.c, registrations.c: one function for each LIVE row of the table ------------------ */

#define SERVICE       pagerd
#define SERVICE_TABLE "services/pagerd/served.def"
#include "services/lib/unfold.h"

struct pagerd_request {
    struct service_request common;
    union pagerd_body body;
    union pagerd_reply reply;
};

/* --- lists.c: doubly linked lists of entry numbers ------------------------------------------- */

enum pagerd_list_kind {
    LIST_FILLS,   /* of a registration: fills by `sibling` */
    LIST_WAITERS, /* of a fill: waiters by `link` */
    LIST_READY,   /* registrations by `ready` */
    LIST_PARKED   /* fills by `parked` */
};

/* The link of an entry in a kind of list. */
const struct pagerd_link *pagerd_link(const struct pagerd *pagerd, enum pagerd_list_kind kind,
                                      uint32_t entry);
void pagerd_list_append(struct pagerd *pagerd, enum pagerd_list_kind kind, struct pagerd_list *list,
                        uint32_t entry);
/* The entry must be in the list. */
void pagerd_list_remove(struct pagerd *pagerd, enum pagerd_list_kind kind, struct pagerd_list *list,
                        uint32_t entry);

/* --- policy.c: pure decisions ---------------------------------------------------------------- */

/* How a page comes to be. */
enum pagerd_backing {
    BACKING_ANONYMOUS, /* demand-zero */
    BACKING_IMAGE,     /* the image's own page, shared */
    BACKING_COPY       /* a private frame with bytes of the image, zero after them */
};

struct pagerd_supply {
    enum pagerd_backing backing;
    uint32_t rights;
    uint64_t va;
    uint64_t image_offset; /* IMAGE, COPY: of the page's first byte; page aligned */
    uint32_t copy_bytes;   /* COPY: 1 to PAGE_BYTES */
};

enum pagerd_verdict { VERDICT_END, VERDICT_RESOLVED, VERDICT_FILL };

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

/* How the page at `va` (inside the area, page aligned) is made. */
struct pagerd_supply pagerd_plan_supply(const struct pagerd_area *area, uint64_t va);

/* Whether a page more would pass the limit; shared pages never do. */
bool pagerd_over_limit(const struct pagerd_registration *registration, enum pagerd_backing backing);

uint64_t pagerd_area_pages(const struct pagerd_area *area);

/* --- peers.c: calls -------------------------------------------------------------------------- */

/* Each returns the peer's status; what failed half way was undone. */
enum status pagerd_adopt_vspace(struct pagerd *pagerd,
                                const struct pagerd_register_process_request *request,
                                uint32_t account_slot, uint32_t *vspace_cap_slot);
enum status pagerd_release_vspace(struct pagerd *pagerd, uint32_t vspace_cap_slot);

/* Maps one page. BUSY: one is there already. EXHAUSTED: no memory or no table entry now. */
enum status pagerd_supply_page(struct pagerd *pagerd, uint32_t vspace_cap_slot,
                               uint32_t account_slot, const struct pagerd_supply *supply);

/* --- registrations.c ------------------------------------------------------------------------- */

/* Entry number of the live registration with that token; 0: none. */
uint32_t pagerd_find(const struct pagerd *pagerd, uint64_t token);

/* Where the account capability of an entry lies. */
uint32_t pagerd_account_slot(uint32_t registration);

/* --- fills.c --------------------------------------------------------------------------------- */

/* Takes a fault of `registration` that VERDICT_FILL was ruled for: joins or opens a fill and keeps
 * the reply slot, which is one of the reply slots and free. */
void pagerd_take_fault(struct pagerd *pagerd, uint32_t registration, uint32_t area, uint64_t va,
                       uint32_t reply_slot, uint64_t request_id);

/* The open fill of a page of a registration; 0: none. */
uint32_t pagerd_find_fill(const struct pagerd *pagerd, uint32_t registration, uint64_t va);

/* Gives turns to queued fills, at most PAGERD_RUN_FILLS. */
void pagerd_run_queued(struct pagerd *pagerd);

/* Queues a parked fill. */
void pagerd_requeue(struct pagerd *pagerd, uint32_t fill);

/* Ends an open fill as CANCELLED, its faulters with the reason. */
void pagerd_cancel(struct pagerd *pagerd, uint32_t fill, enum end_reason reason);

#endif
