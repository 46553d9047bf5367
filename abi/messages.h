/* SPDX-License-Identifier: ISC */
/* Every message of every protocol, as structs, operation ids and descriptors. The tables
 * abi/messages/<service>.def are the one source; this header only unfolds them.
 *
 * A table is a list of
 *
 *   OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)
 *     allowed: kernel control: mask of KIND(...), the kinds of capability that accept it;
 *              services: mask of FROM_..., who may send it and on which endpoint
 *     state:   LIVE; DENIED (always refused with DENIED, a reserved id); UNSUPPORTED (declared, its
 *              service answers UNSUPPORTED in this version)
 *   REQUEST(service_name) fields END_REQUEST(service_name)
 *   REPLY(service_name)   fields END_REPLY(service_name)
 *
 * Fields, in wire order. Structs have no padding, so offsets in struct and body are equal:
 *
 *   U32(name) U64(name)               any value
 *   U32_RANGE(name, low, high)        low <= value <= high; U64_RANGE the same
 *   U32_ENUM(name, last)              0 <= value <= last, an enumeration
 *   U32_FLAGS(name, mask)             no bit outside the mask
 *   VA(name)                          a page-aligned u64 address; its range is the service's
 * decision PAGE_OFFSET(name)                 a page-aligned u64 offset SLOT(name)
 * SLOT_OR_NONE(name)     a slot of the sender's cspace by number; nothing is transferred CAP(name,
 * types, rights)          a capability that is transferred: one of the types, with at least
 *   CAP_OR_NONE(...)                  these rights; OR_NONE: 0 is allowed and transfers nothing
 *   RESERVED32(name) U64_ZERO(name)   must be zero
 *   BYTES(name, max)                  last field: as many bytes as the u32 just before it says
 *   ROWS(name, row, max)              last field: as many rows as the u32 just before it says
 *
 * A message with status other than OK is a refusal: it has no body and no capabilities. */
#ifndef BASALT_ABI_MESSAGES_H
#define BASALT_ABI_MESSAGES_H

#include <stdint.h>

#include "abi/capability.h"
#include "abi/limits.h"
#include "abi/message.h"
#include "abi/process.h"
#include "abi/roles.h"
#include "abi/slots.h"

enum service_id {
    SERVICE_KERNEL,
    SERVICE_EVENT,
    SERVICE_STARTUP,
    SERVICE_MEMD,
    SERVICE_VSPACED,
    SERVICE_PAGERD,
    SERVICE_PROCD,
    SERVICE_COUNT
};

/* Who may send an operation of a service. */
enum {
    FROM_ADMIN = 1u << 0,     /* badge 0: the unbadged capability */
    FROM_KERNEL = 1u << 1,    /* BADGE_KERNEL */
    FROM_ACCOUNT = 1u << 2,   /* memd: a badge that is an open account */
    FROM_PAGERD = 1u << 3,    /* badge ROLE_PAGERD */
    FROM_LOADERD = 1u << 4,   /* badge ROLE_LOADERD */
    FROM_CLIENT = 1u << 5,    /* any other badge that is a role id */
    FROM_BOOTSTRAP = 1u << 6, /* procd: received on the bootstrap endpoint */
    FROM_DRIVER = 1u << 7     /* procd: received on the driver endpoint */
};

enum operation_state { OPERATION_LIVE, OPERATION_DENIED, OPERATION_UNSUPPORTED };

/* Small enumerations of messages that belong to no other header. */
enum query_mode { QUERY_EXACT = 0, QUERY_NEXT = 1, QUERY_MODE_LAST = 1 };
enum account_class {
    ACCOUNT_NORMAL = 0,
    ACCOUNT_RESERVE = 1, /* may draw on the reserve that normal accounts cannot touch (M7) */
    ACCOUNT_CLASS_LAST = 1
};
enum region_kind {
    REGION_ANONYMOUS = 0,
    REGION_FRAME = 1,
    REGION_IMAGE = 2,
    REGION_GUARD = 3,
    REGION_KIND_LAST = 3
};
enum area_kind { AREA_SEGMENT = 0, AREA_WINDOW = 1, AREA_GUARD = 2, AREA_KIND_LAST = 2 };
enum resolve_action { RESOLVE_RETRY = 0, RESOLVE_END = 1, RESOLVE_ACTION_LAST = 1 };
enum { RETYPE_COUNT_MAX = 1 << 20, PAGERD_AREA_LIMIT = 8, START_ENVELOPE_BYTES_MAX = 896 };

enum field_kind {
    FIELD_END = 0,
    FIELD_RANGE, /* low..high; from here to FIELD_ZERO: scalars */
    FIELD_ENUM,  /* 0..high */
    FIELD_FLAGS, /* subset of high */
    FIELD_PAGE,  /* multiple of PAGE_BYTES */
    FIELD_SLOT,  /* low..high, low 0 or 1 */
    FIELD_CAP,   /* low: mask of types, high: rights needed; limit 1: may be 0 */
    FIELD_ZERO,  /* zero */
    FIELD_BYTES, /* at most limit bytes; the u32 before says how many */
    FIELD_ROWS   /* at most limit rows of type row; the u32 before says how many */
};

struct message_type;

struct message_field {
    const char *name;
    uint8_t kind;        /* enum field_kind; FIELD_END ends the list */
    uint8_t width_bytes; /* 1, 4 or 8; of a ROWS field: unused */
    uint16_t limit;
    uint64_t low;
    uint64_t high;
    const struct message_type *row;
};

struct message_type {
    const char *name;                   /* service.operation */
    const struct message_field *fields; /* in wire order, ended by FIELD_END */
    uint16_t operation;                 /* id; 0 for a row type */
    uint16_t max_bytes;                 /* size of the struct */
};

struct operation {
    enum service_id service;
    uint16_t id;
    enum operation_state state;
    uint32_t allowed; /* mask of KIND() or FROM_ */
    const char *service_name;
    const char *name;
    const struct message_type *request;
    const struct message_type *reply;
    const char *why;
};

/* --- structs ------------------------------------------------------------------------------ */
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)
#define REQUEST(n) struct n##_request {
#define END_REQUEST(n)                                                                             \
    }                                                                                              \
    ;
#define REPLY(n) struct n##_reply {
#define END_REPLY(n)                                                                               \
    }                                                                                              \
    ;
#define ROW(n) struct n {
#define END_ROW(n)                                                                                 \
    }                                                                                              \
    ;
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
#define RESERVED32(n)            uint32_t n;
#define U64_ZERO(n)              uint64_t n;
#define BYTES(n, max)            uint8_t n[max];
#define ROWS(n, row, max)        struct row n[max];
#include "abi/messages/memd_rows.def"
#include "abi/messages/pagerd_rows.def"
#include "abi/messages/all.def"
#include "abi/messages/undef.h"

/* --- operation ids and descriptors ----------------------------------------------------------- */
#include "abi/messages/nofields.h"
#undef OPERATION
#undef REQUEST
#undef REPLY
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)                           \
    OP_##SERVICE##_##NAME = (id),
#define REQUEST(n)
#define REPLY(n)
enum operation_id {
#include "abi/messages/all.def"
};
#undef OPERATION
#undef REQUEST
#undef REPLY
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)
#define REQUEST(n) extern const struct message_type n##_request_type;
#define REPLY(n)   extern const struct message_type n##_reply_type;
#include "abi/messages/all.def"
#include "abi/messages/undef.h"

/* The row types that ROWS fields use. */
extern const struct message_type memd_frame_id_type;
extern const struct message_type pagerd_area_type;

/* All operations, in table order. */
extern const struct operation operation_table[];
extern const unsigned operation_count;

/* The row of an operation; null when the service has none with that id. Ids are unique over all
 * services. */
const struct operation *operation_find(enum service_id service, uint16_t id);

#endif
