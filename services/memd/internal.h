/* SPDX-License-Identifier: ISC */
/* What memd's files share: the request in hand, and the books: accounts, and the frames and
 * untypeds they hold. The books change numbers and lists only, make no call and cannot fail: the
 * caller has decided, which the assertions keep. All their operations but the source searches (at
 * most SLOT_UNTYPED_COUNT steps) take constant time. */
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

/* --- names --- */
uint64_t memd_account_badge(const struct memd *memd, uint32_t account_index);
uint32_t memd_account_id(const struct memd *memd, uint32_t account_index);
uint32_t memd_frame_id(const struct memd *memd, uint32_t frame_index);
uint32_t memd_untyped_id(const struct memd *memd, uint32_t untyped_index);

/* Link of the open account, or of the holding of that account, that a name names; 0: none. */
memd_link memd_account_by_badge(const struct memd *memd, uint64_t badge);
memd_link memd_account_by_id(const struct memd *memd, uint32_t account_id);
memd_link memd_frame_of(const struct memd *memd, uint32_t account_index, uint32_t frame_id);
memd_link memd_untyped_of(const struct memd *memd, uint32_t account_index, uint32_t untyped_id);

/* --- what is left --- */
uint64_t memd_pages_left(const struct memd *memd); /* taken by nobody, the reserve included */
/* Pages that the account may take now: limit, reserve and memory, whichever is least. */
uint64_t memd_pages_allowed(const struct memd *memd, uint32_t account_index);
/* Frame records that the account may take now. */
uint32_t memd_frame_records_allowed(const struct memd *memd, uint32_t account_index);
bool memd_account_room(const struct memd *memd);
bool memd_untyped_room(const struct memd *memd);
/* The first source with `pages` pages left; source_count when there is none. */
uint32_t memd_source_with(const struct memd *memd, uint64_t pages);
uint64_t memd_source_left(const struct memd *memd, uint32_t source_index);

/* --- changes --- */
uint32_t memd_account_open(struct memd *memd, uint64_t limit_pages, uint32_t account_class);
void memd_account_close(struct memd *memd, uint32_t account_index); /* it holds nothing */

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
