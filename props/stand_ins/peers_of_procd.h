/* SPDX-License-Identifier: ISC */
/* The peers of procd: memd and pagerd, the modules of a boot image, and the ends of its processes.
 * What procd may never ask of its kernel is a property (P1, P2), what it may is a status. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_PROCD_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_PROCD_H

#include "abi/messages/pagerd.h"
#include "props/stand_ins/peers_memd.h"

enum {
    PEERS_PROCD_BOOTSTRAP_PAGES = 8192,
    PEERS_PROCD_MEMORY_PAGES = 80000,
    PEERS_PROCD_START_SLOTS = 6,
    PEERS_PROCD_MODULES = 8
};

/* Begins the kernel's stand-in and the peers, in the state in which procd finds its peers when its
 * start-up check has passed. */
void peers_of_procd_begin(void);

uint32_t peers_of_procd_bootstrap(void); /* object of the bootstrap untyped */

/* Ending a process cannot fail but where it is what the request asks for. */
void peers_of_procd_ends_can_fail(bool abort, bool kill);

/* Puts a request at an endpoint of procd's; its capability descriptors become capabilities. */
void peers_of_procd_deliver(uint32_t endpoint_slot, const struct message *message);
/* Puts the terminal event of a process at the bootstrap endpoint. */
void peers_of_procd_deliver_event(uint64_t token);
/* The deadline of the last RECV on the bootstrap endpoint. */
uint64_t peers_of_procd_deadline(void);

/* What pagerd was told of a process. */
struct peers_registration {
    uint64_t token; /* 0: none */
    uint32_t process;
    uint32_t account;
    struct pagerd_register_process_request backing;
};
const struct peers_registration *peers_registration_find(uint64_t token); /* null: none */
uint32_t peers_registration_count(void);

/* Modules of the image. Each starts at its own page. */
struct peers_module {
    uint64_t offset_bytes;
    uint64_t size_bytes;
};
extern const struct peers_module peers_modules[PEERS_PROCD_MODULES];
/* Bytes of the boot image; the status that FRAME_READ gives. */
enum status peers_image_read(uint64_t offset_bytes, uint32_t count, void *bytes);

#endif
