/* SPDX-License-Identifier: ISC */
/* The books behind the stand-in for pagerd's peers: pagerd's cspace, memd's accounts and frames,
 * vspaced's spaces. Correct and small: whole limits, pages found by walking. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_PAGERD_ACCOUNTS_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_PAGERD_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/capability.h"
#include "abi/status.h"

enum { GUARDS_OF_SPACE = 8, PAGES_OF_SPACE = 256 };

struct held {
    enum object_type type;
    uint32_t rights;
    uint32_t object;
};

struct page {
    uint64_t va;
    uint32_t frame_id; /* 0: anonymous or the image's */
    bool counted;      /* vspaced took it from the account */
};

struct guard {
    uint64_t va;
    uint64_t pages;
};

struct space {
    uint32_t account;
    unsigned page_count;
    unsigned guard_count;
    struct page pages[PAGES_OF_SPACE];
    struct guard guards[GUARDS_OF_SPACE];
};

struct frame {
    uint32_t id; /* 0: none */
    uint32_t account;
    bool mapped;
    bool excused; /* an injected failure lost it */
};

/* Empty, with a little memory; and without needless limits. */
void books_reset(void);
void books_calm(void);

/* The place that a slot names, of those that pagerd may fill and empty; null for others. */
struct held *books_place(uint32_t slot);
/* What a slot holds; type NONE: nothing. */
struct held books_held(uint32_t slot);

/* A new frame of the account; 0: memory or limit is used up. */
uint32_t books_frame_make(uint32_t account);
struct frame *books_frame(uint32_t id);
/* Unmapped everywhere, and the page is the account's no more. */
void books_frame_destroy(struct frame *frame);

/* The space behind vspaced's slot, which must have been one. */
struct space *books_space(uint32_t slot);
enum status books_space_register(uint32_t object, uint32_t account, uint32_t *slot);
/* The process dies with it here: its pages go back to the account. */
enum status books_space_unregister(struct space *space);
enum status books_space_guard(struct space *space, uint64_t va, uint64_t pages);
enum status books_space_map(struct space *space, struct page page);

#endif
