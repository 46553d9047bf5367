/* SPDX-License-Identifier: ISC */
/* A stand-in for the kernel and for the client, behind sys_call, sys_recv and sys_reply, for life
 * harnesses of memd and vspaced. It keeps books of its own (slots, untypeds, frames, mappings), so
 * that a service's books can be compared with what the kernel would answer (M1, V1), and it fails
 * the k-th call on demand (E4). It is honest: services/lib meets the lying one in fuzz/adversary.
 */
#ifndef BASALT_PROPS_STAND_INS_STAND_IN_KERNEL_H
#define BASALT_PROPS_STAND_INS_STAND_IN_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages.h"
#include "abi/system.h"

enum {
    STAND_IN_UNTYPED_LIMIT = 1024,
    STAND_IN_FRAME_LIMIT = 1024,
    STAND_IN_MAPPING_LIMIT = 32768,
    STAND_IN_VSPACE_LIMIT = 16,
    STAND_IN_IMAGE_PAGES = 64
};

struct stand_in_cap {
    uint32_t object_type; /* OBJECT_NONE: an empty slot */
    uint32_t rights;
    uint32_t object;
    uint32_t generation;
    uint64_t badge;
};

enum stand_in_use { FRAME_FRESH, FRAME_DATA, FRAME_CODE };

struct stand_in_frame {
    bool live;
    uint32_t generation;
    uint32_t untyped;
    uint32_t use; /* enum stand_in_use */
    uint32_t mapping_count;
    bool zero; /* reads as zero: nobody had it since it was made */
};

struct stand_in_untyped {
    bool live;
    uint32_t generation;
    uint32_t parent; /* object; itself for a root */
    uint64_t total_pages;
    uint64_t free_pages;
};

/* A page of an address space. */
struct stand_in_mapping {
    bool live;
    uint32_t vspace;
    uint64_t page;
    bool image;
    uint32_t object; /* frame, or page of the image */
    uint32_t rights;
    uint32_t rights_mapped;
};

/* Empties everything that the last input used. */
void stand_in_begin(void);

/* --- objects and slots --- */
uint32_t stand_in_untyped_add(uint64_t pages); /* a root; its object */
uint32_t stand_in_frame_add(uint32_t untyped, bool *made);
void stand_in_frame_destroy(uint32_t frame);
void stand_in_frame_dirty(uint32_t frame);     /* somebody wrote to it */
uint32_t stand_in_vspace_add(void);            /* a new vspace, or a new generation of a dead one */
void stand_in_vspace_destroy(uint32_t vspace); /* unmaps all its pages */
bool stand_in_vspace_live(uint32_t vspace);
uint32_t stand_in_vspace_generation(uint32_t vspace);
void stand_in_put(uint32_t slot, struct stand_in_cap cap);
struct stand_in_cap stand_in_at(uint32_t slot);
/* A capability to a live object, with all its rights. */
struct stand_in_cap stand_in_cap_to(uint32_t object_type, uint32_t object);
bool stand_in_cap_live(const struct stand_in_cap *cap);

/* Something is made from a child untyped, or what was made is given back: DESTROY is BUSY between.
 */
void stand_in_untyped_use(uint32_t untyped, bool used);

/* --- books --- */
const struct stand_in_untyped *stand_in_untyped(uint32_t object);
const struct stand_in_frame *stand_in_frame(uint32_t object);
uint32_t stand_in_frame_count(void); /* live ones */
uint32_t stand_in_mapping_count(uint32_t vspace);
const struct stand_in_mapping *stand_in_mapping(uint32_t vspace, uint64_t page); /* null: none */
uint32_t stand_in_slot_count_below(uint32_t limit);
uint32_t stand_in_slot_count(void);    /* occupied slots */
uint64_t stand_in_mix(uint64_t value); /* a bijection that spreads every bit */
uint64_t stand_in_digest(void);        /* of all books, for before = after */

/* --- one message --- */

/* The next message that RECV gives; its capability fields are filled by `caps`, one for each
 * descriptor in order (null: none come). `window_open` says whether the client has room for the
 * capabilities of the reply. */
void stand_in_deliver(const struct message *message, const struct stand_in_cap *caps,
                      bool window_open);

/* Fails one call of the next message: the `index`-th, from 0, with a status; the second call of
 * this function adds a second failure. Every call counts, until the reply is sent. */
void stand_in_fail(uint64_t index, enum status status);

/* Which of the failures happened in this message, in order of time, and after how many calls. */
struct stand_in_failures {
    uint32_t count;
    enum status status;    /* of the first */
    uint64_t calls_before; /* the first */
};
struct stand_in_failures stand_in_failures(void);

/* What the client got: the reply as delivered (descriptors with type and rights), and what the
 * capabilities are. Null: no reply was sent. */
const struct message *stand_in_reply(void);
const struct stand_in_cap *stand_in_reply_caps(void);
uint64_t stand_in_call_count(void);              /* calls made for this message */
uint64_t stand_in_denied_count(void);            /* calls refused for want of rights, likewise */
uint64_t stand_in_write_and_execute_count(void); /* MAP_FRAMEs refused so, for this message */

/* Who answers a CALL on an endpoint: the harness. Turns the request into the reply; `caps` are
 * those that the reply's capability fields deliver, in order. False: nobody is there. */
bool stand_in_peer(const struct stand_in_cap *endpoint, struct message *message,
                   struct stand_in_cap *caps);

#endif
