/* SPDX-License-Identifier: ISC */
/* What memd's files share: the request in hand, and the books: accounts (accounts.c), and the
 * frames and untypeds they hold (books.c). The books change numbers and lists only, make no call
 * and cannot fail: the caller has decided, which the assertions keep. What an account is asked or
 * charged takes time in proportion to its depth, the source searches at most SLOT_UNTYPED_COUNT
 * steps, the index of keys at most as many as a key has bits; everything else is constant. */
#ifndef BASALT_SERVICES_MEMD_INTERNAL_H
#define BASALT_SERVICES_MEMD_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/memd/memd.h"

/* --- memd.c: one function for each LIVE row of the table --- */
#define SERVICE       memd
#define SERVICE_TABLE "abi/messages/memd.def"
#include "services/lib/unfold.h"

struct memd_request {
    struct service_request common;
    uint32_t account_index; /* of the sender, for rows that an account may send */
    union memd_body body;
    union memd_reply reply;
};

/* --- accounts.c --- */

uint64_t memd_account_badge(const struct memd *memd, uint32_t account_index);

/* Link of the account that a badge names, none of those that are closing or dead; of a key, those
 * that are being closed included. 0: none. */
memd_link memd_account_by_badge(const struct memd *memd, uint64_t badge);
memd_link memd_account_by_key(const struct memd *memd, uint64_t key);

/* The account or one above it is being closed. */
bool memd_account_is_dead(const struct memd *memd, uint32_t account_index);

bool memd_account_room(const struct memd *memd);

/* Whether claims may rise by so many pages in an account (0: at the top alone) and all above it:
 * OK, OVER_LIMIT, EXHAUSTED. */
enum status memd_claim_decide(const struct memd *memd, memd_link account, uint64_t pages);

/* Whether the account may take so many pages (M4, M8, M9): OK, OVER_LIMIT, EXHAUSTED. */
enum status memd_pages_decide(const struct memd *memd, uint32_t account_index, uint64_t pages);

/* Opens an account below `parent` (0: at the top): memd_claim_decide allows the guarantee. */
uint32_t memd_account_open(struct memd *memd, const struct memd_open_account_request *request,
                           memd_link parent);
/* Removes an account that holds nothing and has none below it. */
void memd_account_remove(struct memd *memd, uint32_t account_index);

/* The account holds so many pages more, or less: claims and sums of all above follow. */
void memd_account_charge(struct memd *memd, uint32_t account_index, uint64_t pages);
void memd_account_discharge(struct memd *memd, uint32_t account_index, uint64_t pages);

/* --- books.c: what is left --- */
uint64_t memd_pages_left(const struct memd *memd); /* taken by nobody, the reserve included */
bool memd_untyped_room(const struct memd *memd);
/* The first source with `pages` pages left; source_count when there is none. */
uint32_t memd_source_with(const struct memd *memd, uint64_t pages);
uint64_t memd_source_left(const struct memd *memd, uint32_t source_index);

/* --- books.c: holdings --- */

/* The id of the holding in a place; of a free place, that of the next one there. */
uint32_t memd_frame_id(const struct memd *memd, uint32_t frame_index);
uint32_t memd_untyped_id(const struct memd *memd, uint32_t untyped_index);

/* Link of the holding of that account that an id names; 0: none. */
memd_link memd_frame_of(const struct memd *memd, uint32_t account_index, uint32_t frame_id);
memd_link memd_untyped_of(const struct memd *memd, uint32_t account_index, uint32_t untyped_id);

/* The index of the n-th frame place that would be taken next, for n from 0 on, without taking any:
 * start with *link = 0 and *fresh = 0. */
uint32_t memd_frame_peek(const struct memd *memd, memd_link *link, uint32_t *fresh);
/* Takes the frame place that would be taken next. Returns its index. */
uint32_t memd_frame_take(struct memd *memd, uint32_t account_index, uint32_t source_index);
void memd_frame_give(struct memd *memd, uint32_t frame_index);

uint32_t memd_untyped_peek(const struct memd *memd);
uint32_t memd_untyped_take(struct memd *memd, uint32_t account_index, uint32_t source_index,
                           uint32_t pages);
void memd_untyped_give(struct memd *memd, uint32_t untyped_index);

#endif
