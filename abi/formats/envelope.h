/* SPDX-License-Identifier: ISC */
/* RootServiceStartEnvelopeV1: what a service is told at its start (its role, and every slot that
 * was filled for it). It travels in the body of one message.
 *
 *   0  magic u64 "BASALTSE"        24 service_endpoint_slot u32   40 validation_profile u32
 *   8  major u16 = 1, minor u16=0  28 primary_control_slot u32    44 memory_pages u32
 *   12 total_bytes u32             32 slot_window_first u32       48 ready_ticks u64
 *   16 role u32, 20 entry_count    36 slot_window_last u32        56 entries, 16 bytes each:
 *      slot u32, object_type u16, rights u16, peer_role u32, reserved u32 = 0
 *
 * All numbers little-endian; there is no other version and no negotiation. */
#ifndef BASALT_ABI_FORMATS_ENVELOPE_H
#define BASALT_ABI_FORMATS_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/profile.h"
#include "abi/status.h"

#define ENVELOPE_MAGIC UINT64_C(0x4553544C41534142) /* "BASALTSE" */

enum {
    ENVELOPE_MAJOR = 1,
    ENVELOPE_MINOR = 0,
    ENVELOPE_HEADER_BYTES = 56,
    ENVELOPE_ENTRY_BYTES = 16,
    ENVELOPE_BYTES_MAX = ENVELOPE_HEADER_BYTES + ENVELOPE_ENTRY_LIMIT * ENVELOPE_ENTRY_BYTES
};

_Static_assert(ENVELOPE_BYTES_MAX <= 896, "an envelope fits one message body");

struct envelope_entry {
    uint32_t slot;
    uint16_t object_type; /* enum object_type */
    uint16_t rights;      /* exactly these, RIGHT_* */
    uint32_t peer_role;   /* role id of the service behind an endpoint; 0: none */
};

struct envelope {
    uint32_t role; /* never 0 */
    uint32_t entry_count;
    uint32_t service_endpoint_slot; /* an ENDPOINT entry with RIGHT_RECEIVE */
    uint32_t primary_control_slot;  /* a KERNEL_* entry, or 0: none */
    uint32_t slot_window_first;     /* both inclusive: every entry's slot lies in the window */
    uint32_t slot_window_last;
    uint32_t validation_profile; /* enum validation_profile */
    uint32_t memory_pages; /* that shared tables are made for (abi/tables.def); 0: none told */
    uint64_t ready_ticks;  /* ticks that READY may take; 0: no deadline stated */
    struct envelope_entry entries[ENVELOPE_ENTRY_LIMIT]; /* ascending slots */
};

/* Whether the struct keeps every rule of the format, in this order:
 * EXHAUSTED          more entries than ENVELOPE_ENTRY_LIMIT
 * INVALID_ARGUMENT   role 0; unknown profile; an empty window or one with slot 0; slot 4 named;
 *                    an object type that is not in the table, NONE or REPLY; no rights or rights
 *                    the type does not have; service endpoint or primary control slot is not an
 *                    entry of the right kind
 * OUT_OF_RANGE       memory_pages above MEMORY_PAGES_LIMIT; window reaches SLOT_LIMIT; an entry's
 *                    slot outside the window
 * DUPLICATE, BAD_ORDER  slots not strictly ascending */
enum status envelope_validate(const struct envelope *envelope);

/* Reads exactly `size` bytes. On OK *out is the whole envelope; on any error *out is all zero.
 * TRUNCATED (shorter than the header), BAD_MAGIC, BAD_VERSION, BAD_LENGTH (total_bytes, size and
 * entry_count do not agree), RESERVED_NOT_ZERO, and what envelope_validate says. */
enum status envelope_parse(const void *bytes, size_t size_bytes, struct envelope *out);

/* Writes the encoded form into [bytes, bytes + size); *written says how many bytes. Errors: what
 * envelope_validate says; EXHAUSTED (buffer too small). On an error nothing is written and
 * *written is 0. */
enum status envelope_encode(const struct envelope *envelope, void *bytes, size_t size_bytes,
                            size_t *written);

/* The entry for a slot, or null. */
const struct envelope_entry *envelope_find(const struct envelope *envelope, uint32_t slot);

#endif
