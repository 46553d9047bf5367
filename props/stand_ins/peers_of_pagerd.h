/* SPDX-License-Identifier: ISC */
/* A stand-in for everything below pagerd: sys_call and sys_reply answered by small, correct books
 * of the kernel (pagerd's own cspace, who waits on which reply slot), of memd (accounts and frames)
 * and of vspaced (pages and guards of each address space). It refuses what they would refuse, fails
 * on command, and logs what pagerd did, with objects in place of slots. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_PAGERD_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_PAGERD_H

#include <stdbool.h>
#include <stdint.h>

#include "props/models/model_pagerd.h"

enum { STANDIN_ACCOUNTS = 8, STANDIN_REPLY_SLOTS = 100, STANDIN_PAGES_OF_MEMORY = 64 };

void standin_reset(void);

/* --- the environment ------------------------------------------------------------------------- */

void standin_free_pages(uint64_t pages);
void standin_account_limit(uint64_t account, uint64_t pages);
/* The k-th call from now on (0: the next), and `times` - 1 after it, fail with the status; late:
 * the call is carried out and its answer lost. */
void standin_fail(uint64_t k, enum status status, uint64_t times, bool late);
/* No more failures, memory and room for all. */
void standin_calm(void);
/* The i-th of those who wait is gone: answering it says NOT_FOUND. False when nobody waits. */
bool standin_caller_gone(uint64_t i);

/* --- messages to pagerd ---------------------------------------------------------------------- */

/* Puts what the descriptors name into the receive window: a capability to the object whose number
 * stands in the field, which becomes the slot. */
void standin_deliver(struct message *message);
/* The object of a capability in pagerd's cspace; 0: none. */
uint32_t standin_object(uint32_t slot);
/* A free reply slot, now somebody's; 0: none free. */
uint32_t standin_caller(void);

/* Whether the caller behind a reply slot still waits for its answer. */
bool standin_caller_waits(uint32_t reply_slot);
/* The caller got its reply from the loop. */
void standin_replied(uint32_t reply_slot);
/* The loop drops what was left in the window. */
void standin_drop_window(void);

/* --- what happened --------------------------------------------------------------------------- */

/* The log since the last call of standin_log_clear. */
struct pagerd_log standin_log(void);
void standin_log_clear(void);
unsigned standin_waiting(void);

/* States E4: every frame is mapped or was lost by an injected failure; pagerd holds one account
 * capability for each registered process and lost place, and nothing in the scratch slot but a
 * frame that it could not drop. */
void standin_check(const struct model_pagerd *model);

#endif
