/* SPDX-License-Identifier: ISC */
/* What the files of rootd's peers share: children, and the answers of named and
 * deviced (peers_of_rootd_services.c). */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_ROOTD_INSIDE_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_ROOTD_INSIDE_H

#include "props/stand_ins/peers_of_rootd.h"

enum status peers_reply_with(const struct message_type *type, const void *body,
                             struct message *message);
enum status peers_reply_empty(const struct message_type *type, struct message *message);

/* Fills in config and handoff of the machine, as of an image of the profile. */
void peers_describe(uint32_t profile);

/* The latest child of a role; PEERS_CHILD_LIMIT: none. */
uint32_t peers_number_of(uint32_t role);
bool peers_child_is(uint32_t number, enum stand_in_life life);
enum status peers_child_make(uint32_t role, uint32_t *number);
void peers_child_end(uint32_t number);
struct peers_manners peers_manners_of(uint32_t role);
/* R3: whoever its entry waits for is READY. */
void peers_check_needs(uint32_t role);
/* R3: what was passed on for a role is what the config that rootd read states; counts those that
 * have limits. */
void peers_check_limits(uint32_t role, struct process_limits limits);
/* R3: the same of the data that its row names, where that is known, and how many bytes it has. */
void peers_check_data(uint32_t role, const uint64_t *offset_bytes, uint64_t size_bytes);

/* Its launch is now; its time is that of its entry. */
void peers_child_begins(struct peers_child *child);

enum status peers_named_answer(struct stand_in_call *call);
enum status peers_deviced_answer(struct stand_in_call *call);
enum status peers_irqd_answer(struct stand_in_call *call);
enum status peers_vfsd_answer(struct stand_in_call *call);

#endif
