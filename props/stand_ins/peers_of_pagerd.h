/* SPDX-License-Identifier: ISC */
/* The peers of pagerd, memd and vspaced, and a log of what pagerd did, with numbers of objects in
 * place of slots: of a vspace and an account the one that the harness gave them, of a frame its id.
 * Each capability of pagerd's carries its number as badge. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_PAGERD_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_PAGERD_H

#include <stdbool.h>
#include <stdint.h>

#include "props/models/model_pagerd.h"

enum { PEERS_PAGERD_CALLER_LIMIT = 100 };

/* Begins the kernel's stand-in and the peers, with little memory. */
void peers_of_pagerd_begin(void);

/* --- the environment -------------------------------------------------------------------------- */

void peers_of_pagerd_memory(uint64_t pages);
void peers_of_pagerd_limit(uint64_t account, uint64_t pages);
/* The account of processes that are left is closed: their pages come back. */
void peers_of_pagerd_close(uint64_t account);
/* A process is dead, and vspaced forgets its space: memory that pagerd may owe for it included. */
void peers_of_pagerd_sweep(uint64_t space, uint64_t owed_frame);
/* The messages tell an old clock from now on, or a right one: an old one makes deadlines past. */
void peers_of_pagerd_clock_lies(bool lies);
/* No more failures, memory and room for all. */
void peers_of_pagerd_calm(void);

/* --- messages to pagerd ----------------------------------------------------------------------- */

/* Puts what the descriptors name into the receive window: a capability to the object whose number
 * stands in the field, which becomes the slot. */
void peers_of_pagerd_deliver(struct message *message);
/* Whether it is a GIVE_PAGE with a frame. */
bool peers_of_pagerd_gives(const struct message *message);
/* Of such a one: the frame of the account that was given before under this id, or another one of the
 * account's, whose id is written into the message. False: there is none. */
bool peers_of_pagerd_give(struct message *message, uint64_t account);
/* The loop drops what was left in the window. */
void peers_of_pagerd_window_drop(void);
/* The number of a capability in pagerd's cspace; 0: none. */
uint32_t peers_of_pagerd_number(uint32_t slot);

/* --- what happened ---------------------------------------------------------------------------- */

/* The log since peers_of_pagerd_step_begin. */
struct pagerd_log peers_of_pagerd_log(void);
void peers_of_pagerd_step_begin(void);

/* States E4: every frame is mapped, or owed by pagerd; pagerd holds one account capability for each
 * registered process and for each that is left and owes its drop, and nothing in the scratch slot but a
 * frame that it could not drop. */
void peers_of_pagerd_check(const struct model_pagerd *model);

#endif
