/* SPDX-License-Identifier: ISC */
/* The peers of deviced: procd behind its drivers' endpoint, named, logd, and the drivers themselves. They
 * keep their contracts; how a driver answers its envelope is the harness's choice. Each call that
 * deviced makes is written down, with what came of it, for the model to replay. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_DEVICED_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_DEVICED_H

#include "props/models/model_deviced.h"
#include "props/stand_ins/stand_in_kernel.h"

/* What a driver makes of its envelope. */
enum peers_driver {
    PEERS_DRIVER_RIGHT,
    PEERS_DRIVER_SLOW,       /* not before it was asked a few times */
    PEERS_DRIVER_NEVER,      /* it lives and says nothing */
    PEERS_DRIVER_OTHER_ROLE, /* READY for a role that it is not */
    PEERS_DRIVER_ONE_MORE,   /* READY, having checked one capability more than there are */
    PEERS_DRIVER_REFUSES,
    PEERS_DRIVER_DIES,      /* meanwhile */
    PEERS_DRIVER_SAYS_LATE, /* at once, that something was not there in time */
    PEERS_DRIVER_COUNT
};

/* The kernel's stand-in with what deviced holds at start. */
void peers_of_deviced_begin(void);

/* Drivers that are made from now on answer so. */
void peers_driver_behave(enum peers_driver manner);
/* logd: 0, not registered; 1, there; 2, it does not answer. */
void peers_deviced_log(uint64_t how);
/* The n-th driver that runs ends by itself; its number, 0: none runs. */
uint64_t peers_driver_end(uint64_t n, uint32_t reason, uint32_t code);
/* The n-th that has a policy is between two lives, or is not any more; its number, 0: none has. */
uint64_t peers_driver_rest(uint64_t n, bool rests);
/* procd forgets those that have ended. */
void peers_drivers_forget(void);
/* Drivers that are staged or run. */
uint32_t peers_driver_count(void);
bool peers_driver_lives(uint64_t process_id);

/* The calls since stand_in_message_begin, oldest first; empties the list. */
struct model_deviced_calls peers_deviced_calls(void);

#endif
