/* SPDX-License-Identifier: ISC */
/* Unfolds MESSAGES_TABLE into code: for each message one function in a straight line that checks a
 * body, field by field, and copies it (message_take, abi/message_type.h). Included by
 * abi/messages/describe.h alone. No include guard on purpose.
 *
 * The bytes that are checked lie in a message or in the message's struct: both have one layout, and
 * the structs may alias the bytes of a message. */

/* --- descriptors that a message gets for the capability fields of its struct, in field order */
#include "abi/messages/nofields.h"
#undef REQUEST
#undef END_REQUEST
#undef REPLY
#undef END_REPLY
#undef CAP
#undef CAP_OR_NONE
#undef CAPS
/* clang-format off */
#define CAPS_BEGIN(n)                                                                              \
    static inline void n##_caps(const void *from, struct message_cap *caps)                        \
    {                                                                                              \
        typedef struct n self;                                                                     \
        const self *in = from;                                                                     \
        (void)in;                                                                                  \
        (void)caps;
#define REQUEST(n)     CAPS_BEGIN(n##_request)
#define END_REQUEST(n) }
#define REPLY(n)       CAPS_BEGIN(n##_reply)
#define END_REPLY(n)   }
#define CAP_ENCODE(slot, offset, r)                                                                \
    if ((slot) != 0)                                                                               \
        *caps++ = (struct message_cap){.field_offset = (uint16_t)(offset), .rights = (r),          \
                                       .mode = TRANSFER_COPY};
#define CAP(n, types, r)         CAP_ENCODE(in->n, offsetof(self, n), r)
#define CAP_OR_NONE(n, types, r) CAP_ENCODE(in->n, offsetof(self, n), r)
#define CAPS(n, count, types, r)                                                                   \
    for (unsigned entry = 0; entry < (count); entry++)                                             \
        CAP_ENCODE(in->n[entry], offsetof(self, n) + entry * sizeof(uint32_t), r)
#include MESSAGES_TABLE
#include "abi/messages/undef.h"
#undef CAPS_BEGIN
#undef CAP_ENCODE

/* --- checks. `value` is that of the last scalar: the count of BYTES and ROWS */
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)
#define TAKE_BEGIN(n)                                                                              \
    static struct message_extent n##_take(const void *from, void *to,                              \
                                          const struct message *delivered,                         \
                                          struct message *encoded)                                 \
    {                                                                                              \
        typedef struct n self;                                                                     \
        const struct message_extent wrong = {MESSAGE_WRONG, MESSAGE_WRONG};                        \
        const self *in = from;                                                                     \
        uint64_t value = 0;                                                                        \
        uint64_t bytes = sizeof(self);                                                             \
        uint16_t caps = 0;                                                                         \
        (void)wrong;                                                                               \
        (void)in;                                                                                  \
        (void)value;                                                                               \
        (void)delivered;
#define TAKE_END(n)                                                                                \
        if (to != NULL)                                                                            \
            __builtin_memcpy(to, from, bytes);                                                     \
        if (encoded != NULL)                                                                       \
            n##_caps(from, encoded->caps);                                                         \
        return (struct message_extent){(uint16_t)bytes, caps};                                     \
    }
#define REQUEST(n)     TAKE_BEGIN(n##_request)
#define END_REQUEST(n) TAKE_END(n##_request)
#define REPLY(n)       TAKE_BEGIN(n##_reply)
#define END_REPLY(n)   TAKE_END(n##_reply)
#define ROW(n)                                                                                     \
    static inline bool n##_allowed(const void *from)                                               \
    {                                                                                              \
        typedef struct n self;                                                                     \
        const bool wrong = false;                                                                  \
        const self *in = from;                                                                     \
        uint64_t value;
#define END_ROW(n)                                                                                 \
        return true;                                                                               \
    }
#define UNLESS(condition)                                                                          \
    if (!(condition))                                                                              \
        return wrong;
#define BETWEEN(l, h)            UNLESS(value - (uint64_t)(l) <= (uint64_t)(h) - (uint64_t)(l))
#define DELIVERED(offset, types, r)                                                                \
    UNLESS(delivered == NULL || message_cap_fits(delivered, caps, offset, types, r))               \
    caps++;
#define U32(n)                   value = in->n;
#define U64(n)                   value = in->n;
#define U32_RANGE(n, l, h)       value = in->n; BETWEEN(l, h)
#define U64_RANGE(n, l, h)       value = in->n; BETWEEN(l, h)
#define U32_ENUM(n, last)        value = in->n; UNLESS(value <= (last))
#define U32_FLAGS(n, mask)       value = in->n; UNLESS((value & ~(uint64_t)(mask)) == 0)
#define VA(n)                    value = in->n; UNLESS(value % PAGE_BYTES == 0)
#define PAGE_OFFSET(n)           value = in->n; UNLESS(value % PAGE_BYTES == 0)
#define SLOT(n)                  value = in->n; BETWEEN(1, SLOT_LIMIT - 1)
#define SLOT_OR_NONE(n)          value = in->n; UNLESS(value < SLOT_LIMIT)
#define CAP(n, types, r)                                                                           \
    value = in->n;                                                                                 \
    BETWEEN(1, SLOT_LIMIT - 1)                                                                     \
    DELIVERED(offsetof(self, n), types, r)
#define CAP_OR_NONE(n, types, r)                                                                   \
    value = in->n;                                                                                 \
    UNLESS(value < SLOT_LIMIT)                                                                     \
    if (value != 0) {                                                                              \
        DELIVERED(offsetof(self, n), types, r)                                                     \
    }
#define U32S(n, count, low)      value = in->n[0]; BETWEEN(low, UINT32_MAX) /* the others: any */
#define U64S(n, count, low)      value = in->n[0]; BETWEEN(low, UINT64_MAX)
#define CAPS(n, count, types, r)                                                                   \
    for (unsigned entry = 0; entry < (count); entry++) {                                           \
        UNLESS(in->n[entry] < SLOT_LIMIT && (in->n[entry] != 0 || entry != 0))                     \
        if (in->n[entry] != 0) {                                                                   \
            DELIVERED(offsetof(self, n) + entry * sizeof(uint32_t), types, r)                      \
        }                                                                                          \
    }
#define RESERVED32(n)            value = in->n; UNLESS(value == 0)
#define U64_ZERO(n)              value = in->n; UNLESS(value == 0)
#define BYTES(n, max)                                                                              \
    UNLESS(value <= (max))                                                                         \
    bytes = offsetof(self, n) + value;
#define ROWS(n, row, max)                                                                          \
    UNLESS(value <= (max))                                                                         \
    bytes = offsetof(self, n) + value * sizeof(struct row);                                        \
    for (uint64_t entry = 0; entry < value; entry++)                                               \
        UNLESS(row##_allowed(&in->n[entry]))
/* clang-format on */
#include MESSAGES_TABLE
#include "abi/messages/undef.h"
#undef TAKE_BEGIN
#undef TAKE_END
#undef UNLESS
#undef BETWEEN
#undef DELIVERED
