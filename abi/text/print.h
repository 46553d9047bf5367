/* SPDX-License-Identifier: ISC */
/* Messages as text, one line each, for traces and reports. abi/text/trace_parse.h reads exactly
 * this text back: print then parse gives the same message (E2).
 *
 *   memd.alloc_frames count=3 reserved0=0
 *   memd.alloc_frames:reply .request_id=7 .status=EXHAUSTED
 *   pagerd.register_process token=5 vspace_slot=64:VSPACE:0x44 ... areas=[{kind=0,rights=0x18,...}]
 *   procd.send_loader_image_chunk ... count=2 bytes=beef
 *   memd.#0x999 .body=00ff .caps=[0:FRAME:0x78]
 *
 * First the service and the operation; ":reply" for a reply; an operation without a row is "#" and
 * its number. Then what of the header is not zero, with a leading dot: .version (when it is not 1),
 * .request_id, .badge, .status (a name of abi/status.def, or a number outside the table),
 * .window=slot:count. Then every field of the row in wire order: flags and addresses in hex, other
 * numbers in decimal below a million and in hex from there on; bytes in hex; rows in braces.
 *
 * A field that names a capability shows slot:TYPE:rights of its descriptor, and :mode:flags:badge
 * :reserved behind when one of these is not zero; without a descriptor the slot alone. TYPE is a
 * name of abi/capability.def, or "#" and a number.
 *
 * A message whose body is not laid out as its row says, or whose descriptors do not lie at
 * capability fields in field order, shows .body=bytes .caps=[offset:TYPE:rights...] instead of
 * fields. A refusal without body shows neither. Values outside their constraint print like any. */
#ifndef BASALT_ABI_TEXT_PRINT_H
#define BASALT_ABI_TEXT_PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/message.h"
#include "abi/message_type.h"

/* Room enough for every message, the final zero included. */
enum { MESSAGE_TEXT_BYTES_MAX = 4096 };

/* Prints one message of a service into text[0, limit), zero-terminated, without a newline. Returns
 * the bytes written, the final zero not counted; 0 and an empty text when it does not fit, or when
 * the header declares more body bytes or descriptors than a message has. limit is at least 1. */
size_t message_print(enum service_id service, bool reply, const struct message *message, char *text,
                     size_t limit_bytes);

/* The name of a service as it stands before the dot; "unknown" outside the enumeration. */
const char *service_name(enum service_id service);

#endif
