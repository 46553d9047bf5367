/* SPDX-License-Identifier: ISC */
/* Attacks on what processes share: memory, regions, records, places. An attacker is a client of
 * procd like any other, with no more than its role's row and a send right, and asks only for what
 * it may have. Its children hold nothing. tester starts both kinds and says who was harmed. */
#ifndef BASALT_SERVICES_PROBES_ATTACKS_H
#define BASALT_SERVICES_PROBES_ATTACKS_H

#include <stdint.h>

#include "abi/limits.h"

/* What a client does: the low byte of its argument. */
enum attack {
    ATTACK_ORPHANS = 1, /* starts as many children as it can get, and ends before they do */
    ATTACK_RECORDS,     /* makes so many processes end that procd cannot remember all of them */
    ATTACK_REGIONS,     /* children that touch every second page */
    ATTACK_MEMORY,      /* stages all it can get, then has each of those take what is left */
    ATTACK_FRAMES,      /* children that touch all pages that they may */
    ATTACK_BURY,        /* stages all it can get, and ends */
    ATTACK_IDENTITY,    /* a child under the role of another client */
    ATTACK_HEIR,        /* that other client: stages all it can get, and waits */
    ATTACK_COUNT
};

/* What a child does: its argument. */
enum attack_child {
    CHILD_SLEEPS = 1,
    CHILD_EXITS,   /* with CHILD_OK */
    CHILD_SPARSE,  /* touches CHILD_PAGES pages of its heap, every second one, and sleeps */
    CHILD_DENSE,   /* touches CHILD_PAGES pages of its heap, and sleeps */
    CHILD_TOUCHES, /* touches CHILD_FEW_PAGES, which its guarantee covers, and exits with CHILD_OK */
    CHILD_WINDOWS  /* has its kernel memory used up for empty windows, then touches a page */
};

enum {
    CHILD_OK = 0x600D,
    ATTACK_REFUSED = 0x0FF, /* of a client that got no child: it is none, or nothing is left */
    CHILD_STOPPED = 0x5919, /* that tester stops one with */
    CHILD_SURVIVED = 0xBAD, /* the last touch of CHILD_WINDOWS must be its end */
    CHILD_PAGES = 150,
    CHILD_FEW_PAGES = 16, /* of four times as many its guarantee would be used up */
    ATTACK_RECORD_COUNT = PROCESS_LIMIT + 8
};

/* The argument of a client: what it does, and the program of its children. */
static inline uint64_t attack_argument(enum attack attack, uint64_t image_offset,
                                       uint64_t image_bytes)
{
    return (uint64_t)attack | image_offset / PAGE_BYTES << 8 | image_bytes << 32;
}

static inline enum attack attack_of(uint64_t argument)
{
    return (enum attack)(argument & 0xFF);
}

static inline uint64_t attack_image_offset(uint64_t argument)
{
    return (argument >> 8 & 0xFFFFFF) * PAGE_BYTES;
}

static inline uint64_t attack_image_bytes(uint64_t argument)
{
    return argument >> 32;
}

#endif
