/* SPDX-License-Identifier: ISC */
/* vspaced as a peer: address spaces with guards, whose anonymous pages memd's books pay for. What a
 * caller could never ask of the real one is stated as a property. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_VSPACED_H
#define BASALT_PROPS_STAND_INS_PEERS_VSPACED_H

#include "props/stand_ins/peers_memd.h"

/* No space is registered; each holds `page_limit` pages. After peers_memd_begin. */
void peers_vspaced_begin(uint32_t page_limit);
void peers_vspaced_page_limit_set(uint32_t page_limit);

/* Answers REGISTER_VSPACE, UNREGISTER_VSPACE, GUARD, MAP_ANONYMOUS and MAP_FRAMES of one page. The
 * badge of a vspace capability tells spaces apart, that of a frame is its id; `account_of` says
 * which account of memd's is behind an endpoint. */
enum status peers_vspaced_answer(struct stand_in_call *call,
                                 uint32_t (*account_of)(const struct stand_in_cap *endpoint));

#endif
