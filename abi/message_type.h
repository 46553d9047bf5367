/* SPDX-License-Identifier: ISC */
/* What a row of a message table becomes: the check that the codec calls, the descriptors that print,
 * parse and draw messages, and the table of all operations. Names no message; those are in
 * abi/messages/<service>.h. */
#ifndef BASALT_ABI_MESSAGE_TYPE_H
#define BASALT_ABI_MESSAGE_TYPE_H

#include <stdint.h>

enum service_id {
    SERVICE_KERNEL,
    SERVICE_EVENT,
    SERVICE_STARTUP,
    SERVICE_MEMD,
    SERVICE_VSPACED,
    SERVICE_PAGERD,
    SERVICE_PROCD,
    SERVICE_NAMED,
    SERVICE_LOGD,
    SERVICE_TIMED,
    SERVICE_CRASHD,
    SERVICE_DEVICED,
    SERVICE_IRQD,
    SERVICE_DRV_SERIAL,
    SERVICE_SERIALD,
    SERVICE_RAMFSD,
    SERVICE_VFSD,
    SERVICE_LOADERD,
    SERVICE_COUNT
};

/* Who may send an operation of a service. */
enum {
    FROM_ADMIN = 1u << 0,      /* badge 0: the unbadged capability */
    FROM_KERNEL = 1u << 1,     /* BADGE_KERNEL */
    FROM_ACCOUNT = 1u << 2,    /* memd: a badge that is an open account */
    FROM_PAGERD = 1u << 3,     /* badge ROLE_PAGERD */
    FROM_LOADERD = 1u << 4,    /* badge ROLE_LOADERD */
    FROM_CLIENT = 1u << 5,     /* any other badge that is a role id */
    FROM_BOOTSTRAP = 1u << 6,  /* procd: received on the bootstrap endpoint */
    FROM_DRIVER = 1u << 7,     /* procd: received on the driver endpoint */
    FROM_TESTER = 1u << 8,     /* badge ROLE_TESTER or ROLE_ATTACKS */
    FROM_READER = 1u << 9,     /* a role with a row READS_LOG (logd), READS_CRASHES (crashd) */
    FROM_PROCD = 1u << 10,     /* badge ROLE_PROCD */
    FROM_INSPECTOR = 1u << 11, /* a role with a row INSPECTS (procd, memd) */
    FROM_ENDPOINTS = FROM_BOOTSTRAP | FROM_DRIVER
};

enum operation_state { OPERATION_LIVE, OPERATION_DENIED, OPERATION_UNSUPPORTED };

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

struct message;
struct message_type;

struct message_field {
    const char *name;
    uint8_t kind;        /* enum field_kind; FIELD_END ends the list */
    uint8_t width_bytes; /* 1, 4 or 8; of a ROWS field: unused */
    uint16_t limit;
    uint16_t entry_count; /* 1: a scalar; more: an array of them; 0: END, BYTES, ROWS */
    uint64_t low;
    uint64_t high;
    const struct message_row *row; /* of a ROWS field; else null */
};

/* What a ROWS field repeats. */
struct message_row {
    const char *name;
    const struct message_field *fields; /* in wire order, ended by FIELD_END */
    uint16_t max_bytes;                 /* size of the struct */
};

/* How long a body is, and how many capabilities it names. */
struct message_extent {
    uint16_t body_bytes;
    uint16_t cap_count;
};

/* Of both, when a field is outside its constraint: more than a header can say. */
enum { MESSAGE_WRONG = UINT16_MAX };

/* Checks the body that begins at `from`, copies as much of it as there is to `to` (null: it is read
 * where it lies), and says how much that was; MESSAGE_WRONG, and nothing is written, when a field is not allowed. All bytes of the
 * struct can be read from there, whatever the body's length is: the caller compares. `delivered` or
 * null: the message whose descriptors the capability fields must fit. `encoded` or null: the
 * message that gets a descriptor for each of them. */
typedef struct message_extent
message_take(const void *from, void *to, const struct message *delivered, struct message *encoded);

/* What encodes and decodes a message. It names no field, so that a program that only speaks carries
 * no descriptors: message_fields() finds those. */
struct message_type {
    uint16_t operation; /* id */
    uint16_t max_bytes; /* size of the struct */
    message_take *take;
    const struct message_type *reply; /* of a request; else null */
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
    const struct message_field *request_fields; /* in wire order, ended by FIELD_END */
    const struct message_field *reply_fields;
    const char *why;
};

/* An array's entry as a field of its own. Those after the first may be 0, whatever the first must
 * be: 0 is "nothing here". A scalar is its own entry 0. */
static inline struct message_field message_field_entry(const struct message_field *field,
                                                       unsigned entry)
{
    struct message_field one = *field;
    one.entry_count = 1;
    if (entry != 0 && field->kind == FIELD_CAP)
        one.limit = 1;
    else if (entry != 0)
        one.low = 0;
    return one;
}

/* All operations, in table order. */
extern const struct operation operation_table[];
extern const unsigned operation_count;

/* The row of an operation; null when the service has none with that id. Ids are unique over all
 * services. */
const struct operation *operation_find(enum service_id service, uint16_t id);

/* The fields of a message, in wire order, ended by FIELD_END. */
const struct message_field *message_fields(const struct message_type *type);

#endif
