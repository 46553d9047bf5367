/* SPDX-License-Identifier: ISC */
/* memd as a peer: accounts with limits over one pool of pages, frames by ids that count up and
 * never come back, one untyped for an account. Which account a call comes from, the harness
 * says. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_MEMD_H
#define BASALT_PROPS_STAND_INS_PEERS_MEMD_H

#include "props/stand_ins/stand_in_kernel.h"

enum {
    PEERS_ACCOUNT_LIMIT = STAND_IN_PROCESS_LIMIT,
    PEERS_FRAME_ID_LIMIT = 65536,
    PEERS_NOBODY = PEERS_ACCOUNT_LIMIT /* the account of frames that are nobody's */
};

/* No account is open; the pool has so many pages. After stand_in_begin. */
void peers_memd_begin(uint64_t pool_pages);
uint64_t peers_pool_free_pages(void);
void peers_pool_free_pages_set(uint64_t pages); /* whatever is out meanwhile */

uint32_t peers_account_open(uint64_t limit_pages); /* the lowest closed one */
void peers_account_limit_set(uint32_t account, uint64_t limit_pages);
uint64_t peers_account_limit(uint32_t account);
uint64_t peers_account_guarantee(uint32_t account);
uint64_t peers_account_key(uint32_t account); /* that OPEN_ACCOUNT gave; 0: none did */
uint64_t peers_account_held(uint32_t account);
uint32_t peers_account_count(void);                          /* open ones */
bool peers_account_pays(uint32_t account, uint32_t untyped); /* the untyped is its own */
/* What an account holder calls memd by: to send, badged account + 1. */
struct stand_in_cap peers_account_cap(uint32_t account);

/* A frame taken for an account (PEERS_NOBODY: for nobody; id 0). False: there is none for it. */
bool peers_frame_take(uint32_t account, uint32_t *object, uint32_t *frame_id);
/* The id under which an account holds a frame; 0: none does. */
uint32_t peers_frame_id(uint32_t object, uint32_t *account);
/* Takes a frame away from its holder, as CLOSE_ACCOUNT would. */
void peers_frame_revoke(uint32_t object);
/* The frame of an id and whose it is; false: no account holds it. */
bool peers_frame_find(uint32_t frame_id, uint32_t *object, uint32_t *account);
/* Its holder has passed it on, and answers for what it is used for. */
void peers_frame_give(uint32_t frame_id);
bool peers_frame_is_given(uint32_t frame_id);
/* Ids given out so far: 1 to this. */
uint32_t peers_frame_id_last(void);

/* The answer to an ALLOC_FRAMES found nobody: what was made for it goes back. */
void peers_frames_undelivered(const struct stand_in_call *call);

/* A page that is counted on an account without a name there: OK, OVER_LIMIT, EXHAUSTED. */
enum status peers_page_take(uint32_t account, uint32_t *object);
void peers_page_give(uint32_t account, uint32_t object);

/* OPEN_ACCOUNT and CLOSE_ACCOUNT, and what account holders ask: ALLOC_FRAMES, FREE_FRAMES,
 * ALLOC_UNTYPED. Anything else breaks E5. */
enum status peers_memd_administer(struct stand_in_call *call);
enum status peers_memd_answer(uint32_t account, struct stand_in_call *call);

#endif
