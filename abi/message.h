/* SPDX-License-Identifier: ISC */
/* The IPC message: 1024 bytes (published), a fixed header, four capability descriptors, a body.
 *
 *   0         32                 96                                    1024
 *   | header  | 4 descriptors    | body: body_bytes of at most 928     |
 *
 * The kernel's SEND/RECV/REPLY path reads header and descriptors only, and copies the bytes that
 * they declare; body fields are the business of abi/codec.h. All numbers are little-endian, as is
 * the one machine this project runs on, so the structs below are the wire layout. */
#ifndef BASALT_ABI_MESSAGE_H
#define BASALT_ABI_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

enum {
    MESSAGE_VERSION = 1,
    MESSAGE_BYTES = 1024, /* (published) */
    MESSAGE_HEADER_BYTES = 32,
    MESSAGE_CAP_LIMIT = 4,
    MESSAGE_CAP_BYTES = 16,
    MESSAGE_BODY_BYTES_MAX = 928
};

enum transfer_mode { TRANSFER_COPY = 0, TRANSFER_MOVE = 1 };
enum { TRANSFER_SET_BADGE = 1u << 0 }; /* flags of a descriptor */

/* The badge of messages that the kernel itself sends; no descriptor can set it. */
#define BADGE_KERNEL UINT64_MAX

struct message_header {
    uint16_t version;     /* MESSAGE_VERSION */
    uint16_t operation;   /* id of the operation's row */
    uint16_t body_bytes;  /* 0 to MESSAGE_BODY_BYTES_MAX */
    uint8_t cap_count;    /* descriptors in use, 0 to MESSAGE_CAP_LIMIT */
    uint8_t window_count; /* sender's own: empty slots for received capabilities; delivered as 0 */
    uint32_t window_slot; /* sender's own: first of them; delivered as 0 */
    uint32_t status;      /* enum status; replies only, 0 in requests */
    uint64_t request_id;  /* chosen by the client, increasing; a reply repeats it */
    uint64_t badge;       /* written by the kernel; 0 in what a process sends */
};

struct message_cap {
    uint16_t field_offset; /* where in the body the u32 slot field lies; a multiple of 4 */
    uint16_t rights;       /* sent: mask; delivered: the rights really given */
    uint8_t mode;          /* enum transfer_mode; delivered as 0 */
    uint8_t flags;         /* TRANSFER_SET_BADGE or 0; delivered as 0 */
    uint8_t object_type;   /* sent as 0; delivered: what arrived */
    uint8_t reserved;      /* 0 */
    uint64_t badge;        /* with TRANSFER_SET_BADGE: 1 to BADGE_KERNEL - 1; delivered as 0 */
};

struct message {
    struct message_header header;
    struct message_cap caps[MESSAGE_CAP_LIMIT];
    uint8_t body[MESSAGE_BODY_BYTES_MAX];
};

_Static_assert(sizeof(struct message_header) == MESSAGE_HEADER_BYTES, "wire layout");
_Static_assert(sizeof(struct message_cap) == MESSAGE_CAP_BYTES, "wire layout");
_Static_assert(offsetof(struct message, body) == 96, "wire layout");
_Static_assert(sizeof(struct message) == MESSAGE_BYTES, "published size");

/* Where the second part of a process's message page starts: the kernel writes struct receive_info
 * (abi/system.h) there when a RECV returns. */
enum { MESSAGE_PAGE_INFO_OFFSET = 1024 };

#endif
