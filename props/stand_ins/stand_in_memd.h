/* SPDX-License-Identifier: ISC */
/* A stand-in for memd, for vspaced's harness: accounts with a limit, over one pool of frames. Its
 * endpoint capabilities carry the account as badge: account n is badge n + 1. */
#ifndef BASALT_PROPS_STAND_INS_STAND_IN_MEMD_H
#define BASALT_PROPS_STAND_INS_STAND_IN_MEMD_H

#include "props/stand_ins/stand_in_kernel.h"

enum { STAND_IN_ACCOUNT_COUNT = 3, STAND_IN_ID_LIMIT = 65536, STAND_IN_POOL_PAGES = 600 };

void stand_in_memd_begin(void);

/* Limits of the accounts: one that has room, one that soon has none, one that never had. */
uint32_t stand_in_account_limit(uint32_t account);
uint32_t stand_in_account_held(uint32_t account);
struct stand_in_cap stand_in_account_cap(uint32_t account);

/* A frame taken for an account (STAND_IN_ACCOUNT_COUNT: for nobody; id 0), not by vspaced. False:
 * there is none for it. */
bool stand_in_frame_take(uint32_t account, uint32_t *object, uint32_t *frame_id);

/* The id under which an account holds a frame; 0: none does. */
uint32_t stand_in_id_of(uint32_t object, uint32_t *account);

/* Takes a frame away from whoever has it, as CLOSE_ACCOUNT would. */
void stand_in_frame_revoke(uint32_t object);

/* ALLOC_FRAMES and FREE_FRAMES. */
void stand_in_memd_answer(uint64_t badge, struct message *message, struct stand_in_cap *caps);

#endif
