/* SPDX-License-Identifier: ISC */
/* Unfolds MESSAGES_TABLE into structs, operation ids and the names of descriptors. Included by
 * abi/messages/<service>.h alone. No include guard on purpose. */
#include <stdint.h>

#include "abi/capability.h"
#include "abi/limits.h"
#include "abi/message.h"
#include "abi/message_type.h"

/* --- structs; the bytes of a message may be read as one */
/* clang-format off */
#define MESSAGE_BYTES_ALIAS      __attribute__((may_alias))
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)
#define REQUEST(n)               struct n##_request {
#define END_REQUEST(n)           } MESSAGE_BYTES_ALIAS;
#define REPLY(n)                 struct n##_reply {
#define END_REPLY(n)             } MESSAGE_BYTES_ALIAS;
#define ROW(n)                   struct n {
#define END_ROW(n)               } MESSAGE_BYTES_ALIAS;
#define U32(n)                   uint32_t n;
#define U64(n)                   uint64_t n;
#define U32_RANGE(n, l, h)       uint32_t n;
#define U64_RANGE(n, l, h)       uint64_t n;
#define U32_ENUM(n, last)        uint32_t n;
#define U32_FLAGS(n, mask)       uint32_t n;
#define VA(n)                    uint64_t n;
#define PAGE_OFFSET(n)           uint64_t n;
#define SLOT(n)                  uint32_t n;
#define SLOT_OR_NONE(n)          uint32_t n;
#define CAP(n, types, r)         uint32_t n;
#define CAP_OR_NONE(n, types, r) uint32_t n;
#define U32S(n, count, low)      uint32_t n[count];
#define U64S(n, count, low)      uint64_t n[count];
#define CAPS(n, count, types, r) uint32_t n[count];
#define RESERVED32(n)            uint32_t n;
#define U64_ZERO(n)              uint64_t n;
#define BYTES(n, max)            uint8_t n[max];
#define ROWS(n, row, max)        struct row n[max];
/* clang-format on */
#include MESSAGES_TABLE
#include "abi/messages/undef.h"
#undef MESSAGE_BYTES_ALIAS

/* --- operation ids */
#include "abi/messages/nofields.h"
#undef OPERATION
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)                           \
    OP_##SERVICE##_##NAME = (id),
enum {
#include MESSAGES_TABLE
};
#include "abi/messages/undef.h"

/* --- descriptors, which abi/messages/<service>.c defines */
#include "abi/messages/nofields.h"
#undef REQUEST
#undef REPLY
#undef ROW
#define REQUEST(n)                                                                                 \
    extern const struct message_type n##_request_type;                                             \
    extern const struct message_field n##_request_fields[];
#define REPLY(n)                                                                                   \
    extern const struct message_type n##_reply_type;                                               \
    extern const struct message_field n##_reply_fields[];
#define ROW(n) extern const struct message_row n##_row;
#include MESSAGES_TABLE
#include "abi/messages/undef.h"

#undef MESSAGES_TABLE
