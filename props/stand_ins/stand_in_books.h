/* SPDX-License-Identifier: ISC */
/* What the parts of the kernel's stand-in share, for them alone. */
#ifndef BASALT_PROPS_STAND_INS_STAND_IN_BOOKS_H
#define BASALT_PROPS_STAND_INS_STAND_IN_BOOKS_H

#include <stddef.h>

#include "abi/slots.h"
#include "props/stand_ins/stand_in_kernel.h"

/* Each empties what the last input used. */
void stand_in_slots_begin(void);
void stand_in_objects_begin(void);
void stand_in_mappings_begin(void);
void stand_in_processes_begin(void);
void stand_in_lines_begin(void);
void stand_in_replies_begin(const struct stand_in_peers *peers);
void stand_in_control_begin(const struct stand_in_peers *peers);

/* What is held, densely, and for each slot its place there + 1; 0: it is empty. */
struct stand_in_held {
    uint32_t slot;
    struct stand_in_cap cap;
};
extern struct stand_in_held stand_in_held[STAND_IN_HELD_LIMIT];
extern uint32_t stand_in_place_of[SLOT_LIMIT];

/* Null: the slot is empty, or none. */
static inline const struct stand_in_cap *stand_in_cap_in(uint32_t slot)
{
    bool occupied = slot < SLOT_LIMIT && stand_in_place_of[slot] != 0;
    return occupied ? &stand_in_held[stand_in_place_of[slot] - 1].cap : NULL;
}

/* Order-independent sums of each book. */
uint64_t stand_in_objects_digest(void);
uint64_t stand_in_mappings_digest(void);
uint64_t stand_in_lines_digest(void);

/* One operation of kernel control, whose row and capability were checked. */
enum status stand_in_control(struct stand_in_call *call);

/* Those of them that are about lines of interrupts. */
enum status stand_in_bind(struct stand_in_call *call);
enum status stand_in_ack(struct stand_in_call *call);
enum status stand_in_mask(struct stand_in_call *call);

/* A capability of a type with rights: NOT_FOUND, INVALID_ARGUMENT, DENIED. */
enum status stand_in_get(uint32_t slot, uint32_t type, uint32_t rights, struct stand_in_cap *cap);
/* The same of one that is at hand; null: NOT_FOUND. */
enum status stand_in_look(const struct stand_in_cap *cap, uint32_t type, uint32_t rights);

/* What a descriptor of the service gives away: the capability in the slot that its field names,
 * narrowed. NOT_FOUND; DENIED: no right to give it, or to set its badge. */
enum status stand_in_give(const struct message *message, const struct message_cap *descriptor,
                          struct stand_in_cap *cap);

/* The service holds one more capability of the object, or one fewer, and what nobody holds or maps
 * any more goes back. */
void stand_in_cap_counted(const struct stand_in_cap *cap, bool held);

/* A frame is mapped once more, or once less. */
void stand_in_frame_mapped(uint32_t frame, uint32_t rights);
void stand_in_frame_unmapped(uint32_t frame);
void stand_in_frame_unmap_all(uint32_t frame);
bool stand_in_use_allows(uint32_t frame, uint32_t rights);

bool stand_in_vspace_is(uint32_t object, uint32_t generation);
bool stand_in_process_is(uint32_t object, uint32_t generation);

/* Messages that came, since the program began. */
uint64_t stand_in_delivered_total(void);

/* A new message begins. */
void stand_in_failures_begin(void);

#endif
