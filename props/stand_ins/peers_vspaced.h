/* SPDX-License-Identifier: ISC */
/* vspaced as a peer: address spaces with guards, whose anonymous pages memd's books pay for. What a
 * caller could never ask of the real one is stated as a property. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_VSPACED_H
#define BASALT_PROPS_STAND_INS_PEERS_VSPACED_H

#include "props/stand_ins/peers_memd.h"

/* No space is registered. After peers_memd_begin. */
void peers_vspaced_begin(void);

/* The spaces of an account that were unregistered die: their pages go back. */
void peers_vspaced_end_left(uint32_t account);

/* The process at a slot of vspaced's is dead: its space is forgotten, and its slot goes to the next
 * REGISTER_VSPACE. One that got such a slot and was not told is dead as well: whoever asked for it
 * makes no process. */
void peers_vspaced_sweep(uint32_t slot);
void peers_vspaced_unheard(uint32_t slot);
bool peers_vspaced_knows(uint32_t slot);

/* How many pages of the space, of those that are not the image's, a caller has asked for and must
 * believe to be there. Who is told of faults on a page that is there asks for it again, and cannot
 * tell which of its calls was carried out when the answer to the second is lost: the page counts
 * twice then, and the neighbours that it asked for with it count although they never came. */
uint32_t peers_vspaced_frame_count(uint32_t slot);
void peers_vspaced_asked_again(uint32_t slot, uint32_t pages);

/* Of the space at a slot of vspaced's: a page as the kernel has it, null when it is not there;
 * somebody takes rights of it; what is left of its process's budget. */
const struct stand_in_mapping *peers_vspaced_page(uint32_t slot, uint64_t va);
void peers_vspaced_protect(uint32_t slot, uint64_t va, uint32_t rights);
void peers_vspaced_budget_set(uint32_t slot, uint32_t pages);

/* Answers REGISTER_VSPACE, UNREGISTER_VSPACE, GUARD, QUERY_REGION, MAP_ANONYMOUS, and MAP_FRAMES
 * of one frame or pages of the image. The badge of a vspace capability tells spaces apart, that of a frame is its id; `account_of` says
 * which account of memd's is behind an endpoint. */
enum status peers_vspaced_answer(struct stand_in_call *call,
                                 uint32_t (*account_of)(const struct stand_in_cap *endpoint));

#endif
