/* SPDX-License-Identifier: ISC */
/* Object types and rights of capabilities; capability.def is the one source of the types. */
#ifndef BASALT_ABI_CAPABILITY_H
#define BASALT_ABI_CAPABILITY_H

#include <stdint.h>

/* Rights, a 16-bit mask. A right never comes back once it was masked away (K1). */
enum {
    RIGHT_SEND = 1u << 0,     /* CALL on an endpoint; answer through a reply capability */
    RIGHT_RECEIVE = 1u << 1,  /* RECV on an endpoint; name it as an event endpoint; set badges */
    RIGHT_TRANSFER = 1u << 2, /* send a copy in a message, or install one in a child */
    RIGHT_READ = 1u << 3,     /* map readable, FRAME_READ, source of FRAME_COPY */
    RIGHT_WRITE = 1u << 4,    /* map writable, FRAME_WRITE, target of FRAME_COPY */
    RIGHT_EXECUTE = 1u << 5,  /* map executable */
    RIGHT_MAP = 1u << 6,      /* a frame: may be mapped; a vspace: may be changed */
    RIGHT_CONTROL = 1u << 7,  /* retype from it, control it, use the kernel-control kind */
    RIGHTS_ALL = 0xFF
};

/* What every process holds on its own service endpoint (SLOT_SERVICE_ENDPOINT): it receives there,
 * and may hand out send capabilities to it, badged to tell its clients apart. */
#define RIGHTS_SERVICE_ENDPOINT (RIGHT_SEND | RIGHT_RECEIVE | RIGHT_TRANSFER)

/* Rights of a mapping: a subset of these three, READ always among them. */
#define RIGHTS_MAPPING (RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE)

enum object_type {
#define OBJECT_TYPE(name, value, rights, what) OBJECT_##name = (value),
#include "abi/capability.def"
#undef OBJECT_TYPE
    OBJECT_TYPE_LIMIT = 32 /* one more than the highest type; types fit a 32-bit mask */
};

/* Kinds that an operation row may name, as a mask over object types. */
#define KIND(name) (1u << OBJECT_KERNEL_##name)

/* Every right that has a meaning on a type; 0 for a number outside the table. */
uint16_t object_type_rights(unsigned type);

/* Name of a type without its prefix; "UNKNOWN" for a number outside the table. */
const char *object_type_name(unsigned type);

#endif
