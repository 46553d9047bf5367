/* SPDX-License-Identifier: ISC */
/* Makes messages of any type from choices, and breaks them one field at a time. Values lean to the
 * boundaries of their constraint; hints give what only the caller knows (slots in use, ids handed
 * out, addresses mapped). The same choices give the same message. */
#ifndef BASALT_ABI_TEXT_GENERATE_H
#define BASALT_ABI_TEXT_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/message.h"
#include "abi/message_type.h"

/* Where choices come from. `below` gives a number in [0, limit), 0 when there are no more choices;
 * limit is at least 1. `hint` may be null; it stores a plausible value for a field and returns
 * true, or returns false. A hint is asked for about half of the fields that have a choice, and used
 * only when the constraint allows it. `up_to` chooses a number of an enumeration, in [0, last], so
 * that the choice stays what it is when the enumeration grows; null: `below` decides, and it does
 * not stay. */
struct generator {
    uint64_t (*below)(void *context, uint64_t limit);
    bool (*hint)(void *context, const struct message_type *type, const struct message_field *field,
                 uint64_t *value);
    void *context;
    uint64_t (*up_to)(void *context, uint64_t last);
};

/* Whether one scalar of this field may have the value; of a capability field, the slot number only.
 * Not for BYTES and ROWS. */
bool field_value_allowed(const struct message_field *field, uint64_t value);

/* Fills the struct `out` (type->max_bytes bytes) with values that message_encode accepts. Past the
 * choices every field is the lowest value it allows. */
void generate_valid(const struct generator *generator, const struct message_type *type, void *out);

/* Changes one scalar field of `out` to a value that its constraint refuses: low - 1, high + 1, the
 * width's maximum, a foreign flag, an unaligned address, a nonzero reserved field, more array
 * entries than allowed. Returns the field, or null when the type has no field that can be wrong
 * (and nothing was changed). */
const struct message_field *generate_violation(const struct generator *generator,
                                               const struct message_type *type, void *out);

/* Changes one scalar field of `out` to another value, often valid. Returns the field; null when the
 * type has none. */
const struct message_field *generate_mutation(const struct generator *generator,
                                              const struct message_type *type, void *out);

/* Lays the struct `in` out as a message that the kernel delivers, whatever its values: the body as
 * long as its count says (never past the struct), a descriptor of the first allowed type with the
 * rights needed for each nonzero capability field. Header: version, operation, body_bytes and
 * cap_count; everything else is zero. */
void generate_delivered(const struct message_type *type, const void *in, struct message *message);

#endif
