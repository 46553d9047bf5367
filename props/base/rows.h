/* SPDX-License-Identifier: ISC */
/* Rows of the abi's tables, chosen by input bytes. Tables grow, and an input must go on meaning
 * what it meant (T4): so bytes name a row by its wire id, never by its place in a table.
 *
 * A number that is no id means the nearest row at or above it, and past the last row the first one.
 * Numbers are taken modulo the power of two above the last id, so that most of them name something.
 * What a number that is no id means can change when a row is added. That is why every choice tells
 * choices_settle() the id that it came to: `./basalt bless` writes the ids into the inputs, and
 * replay refuses one that holds another number. */
#ifndef BASALT_PROPS_BASE_ROWS_H
#define BASALT_PROPS_BASE_ROWS_H

#include "abi/message_type.h"
#include "abi/roles.h"
#include "abi/status.h"
#include "abi/text/generate.h"
#include "props/base/choices.h"

/* The row that a number means, of all operations or of one service's. A service's number is the
 * distance to the block of 128 ids that its operations lie in. Never null: every service has
 * one. */
const struct operation *operation_near(uint32_t number);
const struct operation *operation_near_in(enum service_id service, uint32_t number);

/* Choices of a row: two bytes, an id; of one service: one byte, the id's low seven bits. */
const struct operation *choose_operation(struct choices *choices);
const struct operation *choose_operation_in(struct choices *choices, enum service_id service);

/* Two bytes: a role's id. */
const struct role *choose_role(struct choices *choices);

/* One byte: a type that has rights, which leaves out NONE. */
enum object_type choose_object_type(struct choices *choices);

/* One byte: a status other than OK. */
enum status choose_refusal(struct choices *choices);

/* One byte: a number of 0..last, where `last` may grow; or, from ROW_UNKNOWN on, one that no table
 * will ever hold. */
enum { ROW_UNKNOWN = 0x80 };
uint64_t choose_up_to(struct choices *choices, uint64_t last);
uint64_t choose_up_to_or_unknown(struct choices *choices, uint64_t last);

/* One of `ids`, by one byte: for a harness's own list of things that have ids. count is not 0. */
uint32_t choose_listed(struct choices *choices, const uint32_t *ids, unsigned count);

/* Draws the fields of messages from choices, without hints. */
struct generator choices_generator(struct choices *choices);

#endif
