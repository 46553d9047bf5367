/* SPDX-License-Identifier: ISC */
/* clang-format off */
/* Every message of every protocol. The tables abi/messages/<service>.def are the one source;
 * abi/messages/<service>.h unfolds one of them into structs, operation ids and descriptors, and
 * this header includes all of those. A file that speaks one protocol includes that service's
 * header, so that a row of another service does not rebuild it.
 *
 * A table is a list of
 *
 *   OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)
 *     allowed   kernel control: mask of KIND(...), the kinds of capability that accept it;
 *               services: mask of FROM_..., who may send it and on which endpoint
 *     state     LIVE
 *               DENIED        always refused with DENIED, a reserved id
 *               UNSUPPORTED   declared; answered UNSUPPORTED in this version
 *   REQUEST(service_name) fields END_REQUEST(service_name)
 *   REPLY(service_name)   fields END_REPLY(service_name)
 *   ROW(service_row)      fields END_ROW(service_row)     before the message that repeats it
 *
 * Fields, in wire order. Structs have no padding, so offsets in struct and body are equal:
 *
 *   U32(name)  U64(name)              any value
 *   U32_RANGE(name, low, high)        low <= value <= high; U64_RANGE the same
 *   U32_ENUM(name, last)              0 <= value <= last, an enumeration
 *   U32_FLAGS(name, mask)             no bit outside the mask
 *   VA(name)                          a page-aligned u64 address; its range is the service's
 *                                     decision
 *   PAGE_OFFSET(name)                 a page-aligned u64 offset
 *   SLOT(name)                        a slot of the sender's cspace by number; nothing is
 *                                     transferred
 *   SLOT_OR_NONE(name)                the same, or 0
 *   CAP(name, types, rights)          a capability that is transferred: one of the types, with at
 *                                     least these rights
 *   CAP_OR_NONE(name, types, rights)  the same; 0 is allowed and transfers nothing
 *   U32S(name, n, low)                n values, low (0 or 1) <= value; any but the first may be 0
 *   U64S(name, n, low)                the same of u64
 *   CAPS(name, n, types, rights)      n capabilities as CAP; any but the first as CAP_OR_NONE
 *   RESERVED32(name)  U64_ZERO(name)  must be zero
 *   BYTES(name, max)                  last field: as many bytes as the u32 just before it says
 *   ROWS(name, row, max)              last field: as many rows as the u32 just before it says
 *
 * A message with status other than OK is a refusal: it has no body and no capabilities. */
/* clang-format on */
#ifndef BASALT_ABI_MESSAGES_H
#define BASALT_ABI_MESSAGES_H

#include "abi/messages/crashd.h"
#include "abi/messages/deviced.h"
#include "abi/messages/drv_serial.h"
#include "abi/messages/event.h"
#include "abi/messages/irqd.h"
#include "abi/messages/kernel.h"
#include "abi/messages/loaderd.h"
#include "abi/messages/logd.h"
#include "abi/messages/memd.h"
#include "abi/messages/named.h"
#include "abi/messages/pagerd.h"
#include "abi/messages/procd.h"
#include "abi/messages/ramfsd.h"
#include "abi/messages/seriald.h"
#include "abi/messages/startup.h"
#include "abi/messages/timed.h"
#include "abi/messages/vfsd.h"
#include "abi/messages/vspaced.h"

#endif
