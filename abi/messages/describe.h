/* SPDX-License-Identifier: ISC */
/* Unfolds MESSAGES_TABLE into the descriptors that abi/messages/<service>.h declares. Included by
 * abi/messages/<service>.c alone. No include guard on purpose. */
#include <stdbool.h>
#include <stddef.h>

#include "abi/codec.h"
#include "abi/slots.h"

/* --- no struct has padding, so that an offset in the struct is the offset in the body */
/* clang-format off */
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)
#define REQUEST(n)     enum { n##_request_width = 0
#define END_REQUEST(n) };                                                                          \
    _Static_assert(sizeof(struct n##_request) == n##_request_width, "no padding");                 \
    _Static_assert(sizeof(struct n##_request) <= MESSAGE_BODY_BYTES_MAX, "fits a message");
#define REPLY(n)       enum { n##_reply_width = 0
#define END_REPLY(n)   };                                                                          \
    _Static_assert(sizeof(struct n##_reply) == n##_reply_width, "no padding");                     \
    _Static_assert(sizeof(struct n##_reply) <= MESSAGE_BODY_BYTES_MAX, "fits a message");
#define ROW(n)         enum { n##_width = 0
#define END_ROW(n)     };                                                                          \
    _Static_assert(sizeof(struct n) == n##_width, "no padding");
#define U32(n)                   +4
#define U64(n)                   +8
#define U32_RANGE(n, l, h)       +4
#define U64_RANGE(n, l, h)       +8
#define U32_ENUM(n, last)        +4
#define U32_FLAGS(n, mask)       +4
#define VA(n)                    +8
#define PAGE_OFFSET(n)           +8
#define SLOT(n)                  +4
#define SLOT_OR_NONE(n)          +4
#define CAP(n, types, r)         +4
#define CAP_OR_NONE(n, types, r) +4
#define U32S(n, count, low)      +4 * (count)
#define U64S(n, count, low)      +8 * (count)
#define CAPS(n, count, types, r) +4 * (count)
#define RESERVED32(n)            +4
#define U64_ZERO(n)              +8
#define BYTES(n, max)            +(max)
#define ROWS(n, row, max)        +(max) * (int)sizeof(struct row)
#include MESSAGES_TABLE
#include "abi/messages/undef.h"

/* --- no message has more capability fields than a message has descriptors */
#include "abi/messages/nofields.h"
#undef REQUEST
#undef END_REQUEST
#undef REPLY
#undef END_REPLY
#undef CAP
#undef CAP_OR_NONE
#undef CAPS
#define REQUEST(n)     enum { n##_request_cap_fields = 0
#define END_REQUEST(n) };                                                                          \
    _Static_assert((int)n##_request_cap_fields <= (int)MESSAGE_CAP_LIMIT, "a descriptor for each");
#define REPLY(n)       enum { n##_reply_cap_fields = 0
#define END_REPLY(n)   };                                                                          \
    _Static_assert((int)n##_reply_cap_fields <= (int)MESSAGE_CAP_LIMIT, "a descriptor for each");
#define CAP(n, types, r)         +1
#define CAP_OR_NONE(n, types, r) +1
#define CAPS(n, count, types, r) +(count)
/* clang-format on */
#include MESSAGES_TABLE
#include "abi/messages/undef.h"

#define TYPE(name) (1u << OBJECT_##name)
#include "abi/messages/check.h"

/* --- types and field lists */
/* clang-format off */
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)                           \
    enum { service##_##name##_id = (id) };
#define REQUEST(n)                                                                                 \
    const struct message_type n##_request_type = {                                                 \
        .operation = n##_id,                                                                       \
        .max_bytes = sizeof(struct n##_request),                                                   \
        .take = n##_request_take,                                                                  \
        .reply = &n##_reply_type,                                                                  \
    };                                                                                             \
    const struct message_field n##_request_fields[] = {
#define END_REQUEST(n) {0}};
#define REPLY(n)                                                                                   \
    const struct message_type n##_reply_type = {                                                   \
        .operation = n##_id,                                                                       \
        .max_bytes = sizeof(struct n##_reply),                                                     \
        .take = n##_reply_take,                                                                    \
    };                                                                                             \
    const struct message_field n##_reply_fields[] = {
#define END_REPLY(n)   {0}};
#define ROW(n)         static const struct message_field n##_fields[] = {
#define END_ROW(n)     {0}};                                                                       \
    const struct message_row n##_row = {                                                           \
        .name = #n,                                                                                \
        .fields = n##_fields,                                                                      \
        .max_bytes = sizeof(struct n),                                                             \
    };
#define ENTRIES(n, count, k, w, lim, l, h, r)                                                      \
    {.name = #n,                                                                                   \
     .kind = (k),                                                                                  \
     .width_bytes = (w),                                                                           \
     .limit = (lim),                                                                               \
     .entry_count = (count),                                                                       \
     .low = (l),                                                                                   \
     .high = (h),                                                                                  \
     .row = (r)},
#define FIELD(n, k, w, lim, l, h, r) ENTRIES(n, 1, k, w, lim, l, h, r)
#define U32(n)                   FIELD(n, FIELD_RANGE, 4, 0, 0, UINT32_MAX, NULL)
#define U64(n)                   FIELD(n, FIELD_RANGE, 8, 0, 0, UINT64_MAX, NULL)
#define U32_RANGE(n, l, h)       FIELD(n, FIELD_RANGE, 4, 0, l, h, NULL)
#define U64_RANGE(n, l, h)       FIELD(n, FIELD_RANGE, 8, 0, l, h, NULL)
#define U32_ENUM(n, last)        FIELD(n, FIELD_ENUM, 4, 0, 0, last, NULL)
#define U32_FLAGS(n, mask)       FIELD(n, FIELD_FLAGS, 4, 0, 0, mask, NULL)
#define VA(n)                    FIELD(n, FIELD_PAGE, 8, 0, 0, UINT64_MAX, NULL)
#define PAGE_OFFSET(n)           FIELD(n, FIELD_PAGE, 8, 0, 0, UINT64_MAX, NULL)
#define SLOT(n)                  FIELD(n, FIELD_SLOT, 4, 0, 1, SLOT_LIMIT - 1, NULL)
#define SLOT_OR_NONE(n)          FIELD(n, FIELD_SLOT, 4, 0, 0, SLOT_LIMIT - 1, NULL)
#define CAP(n, types, r)         FIELD(n, FIELD_CAP, 4, 0, types, r, NULL)
#define CAP_OR_NONE(n, types, r) FIELD(n, FIELD_CAP, 4, 1, types, r, NULL)
#define U32S(n, count, low)      ENTRIES(n, count, FIELD_RANGE, 4, 0, low, UINT32_MAX, NULL)
#define U64S(n, count, low)      ENTRIES(n, count, FIELD_RANGE, 8, 0, low, UINT64_MAX, NULL)
#define CAPS(n, count, types, r) ENTRIES(n, count, FIELD_CAP, 4, 0, types, r, NULL)
#define RESERVED32(n)            FIELD(n, FIELD_ZERO, 4, 0, 0, 0, NULL)
#define U64_ZERO(n)              FIELD(n, FIELD_ZERO, 8, 0, 0, 0, NULL)
#define BYTES(n, max)            ENTRIES(n, 0, FIELD_BYTES, 1, max, 0, 0, NULL)
#define ROWS(n, r, max)          ENTRIES(n, 0, FIELD_ROWS, 1, max, 0, 0, &r##_row)
/* clang-format on */
#include MESSAGES_TABLE
#include "abi/messages/undef.h"
#undef FIELD
#undef ENTRIES
#undef TYPE
#undef MESSAGES_TABLE
