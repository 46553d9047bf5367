/* SPDX-License-Identifier: ISC */
/* Entries of a process as frames and as text. What a generated step comes to is printed as a line
 * that assembles to the same entry, whatever the message looks like:
 *
 *   call slot=18 deadline=poll kernel.retype untyped_slot=32 count=1 target_slot=2560
 *   recv slot=2 deadline=never kernel.#0x0 .window=2560:4 .body=
 *   reply slot=2820 deadline=0 kernel.#0x101 .status=DENIED .body=00
 *   reply_recv reply=2820 slot=2 deadline=never kernel.#0x101 .window=2560:4 .body=00
 *   call slot=17 deadline=9 .page=0100010110...
 *   clock 40
 *
 * The message as abi/text/print.h writes it, or, when it declares more than a message has or holds
 * more than it declares, its bytes in hex, without the zeros at its end. deadline: a number, `poll`
 * or `never`. A line of an entry states no result; what it got is printed below it, as a comment.
 * clock: the time becomes that number, which may lie before now. */
#ifndef BASALT_FUZZ_KERNEL_KERNEL_CORE_TEXT_H
#define BASALT_FUZZ_KERNEL_KERNEL_CORE_TEXT_H

#include "abi/message.h"
#include "props/base/choices.h"
#include "props/life/life.h"

/* Steps of this tag are entries; steps of the other four are generated. */
enum { CORE_TAG_ENTRY = 4 };

enum core_entry_kind {
    ENTRY_CALL,
    ENTRY_RECV,
    ENTRY_REPLY,
    ENTRY_CLOCK, /* the timer's, not a process's */
    ENTRY_REPLY_RECV,
    ENTRY_COUNT
};

struct core_entry {
    enum core_entry_kind kind;
    uint32_t slot;
    uint32_t reply_slot; /* of REPLY_RECV */
    uint64_t number;     /* deadline in ticks; the time */
    struct message message;
};

/* Any bytes give an entry. */
void core_entry_read(struct choices *payload, struct core_entry *entry);

/* Prints the line of an entry when the trace is on. */
void core_entry_print(const struct core_entry *entry);

/* harness_assemble() of this harness: lines of entries, and all lines of life_assemble(). */
size_t core_assemble(const struct life_language *language, const char *text, size_t text_bytes,
                     uint8_t *bytes, size_t limit_bytes, char *problem, size_t problem_bytes);

#endif
