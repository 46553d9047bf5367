/* SPDX-License-Identifier: ISC */
/* What a process holds whose peers deliver capabilities that nobody asked for: the book of the slots
 * that messages have filled, kept as the kernel would, whatever the process believes. A part of the
 * adversary, which asks it at each call, receive and reply. */
#ifndef BASALT_PROPS_STAND_INS_ADVERSARY_HELD_H
#define BASALT_PROPS_STAND_INS_ADVERSARY_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/message_type.h"
#include "abi/status.h"

void adversary_held_begin(void);

/* A CALL is made, with its window as the header says. False: a slot of the window is filled, because
 * the kernel would not empty it when it was asked to: BUSY. What a reply delivered that was not taken
 * for an answer must be dropped before anything else is done (E4), and a window must be empty as far
 * as the process can have emptied it (E10). */
bool adversary_held_call(const struct message *message);

/* How the call ended. `message` is what the process finds: `taken`: for an answer, by its row and
 * request id; otherwise all that it delivered is to be dropped. */
void adversary_held_answered(enum status status, const struct message *message, bool taken);

/* RECV and what it delivered; the window as adversary_held_call. */
bool adversary_held_receive(uint32_t window_slot, uint32_t window_count);
void adversary_held_delivered(uint32_t window_slot, uint32_t count);

/* A reply, before it is sent, and that it was taken: what it moved is gone. */
void adversary_held_reply(const struct message *message);
void adversary_held_replied(void);

/* Slots that are filled, lowest first from `slot` on, without those that the kernel refused to empty;
 * 0: none. */
uint32_t adversary_held_next(uint32_t slot);
bool adversary_held(uint32_t slot);

#endif
