/* SPDX-License-Identifier: ISC */
/* The peers of vspaced: memd, with an account that has room, one that soon has none, and one that
 * never had. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_VSPACED_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_VSPACED_H

#include "props/stand_ins/peers_memd.h"

enum { PEERS_VSPACED_ACCOUNTS = 3, PEERS_VSPACED_POOL_PAGES = 600 };

/* Begins the kernel's stand-in and its peers. */
void peers_of_vspaced_begin(void);

#endif
