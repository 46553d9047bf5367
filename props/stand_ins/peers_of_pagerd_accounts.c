/* SPDX-License-Identifier: ISC */
/* See peers_of_pagerd_accounts.h. What pagerd could never ask of correct peers is stated as a property. */
#include "props/stand_ins/peers_of_pagerd_accounts.h"

#include <stddef.h>
#include <string.h>

#include "props/stand_ins/peers_of_pagerd.h"
#include "props/base/property.h"
#include "services/pagerd/pagerd.h"

enum {
    SPACES = 1100,
    PAGES_OF_SPACE_NORMAL = 40, /* so that vspaced's table is full at times */
    FRAMES = 128,
    WINDOW_SLOTS = SLOT_RECEIVE_COUNT,
    SPACE_SLOT_BASE = 5000,
    IMAGE_RIGHTS = RIGHT_READ | RIGHT_EXECUTE | RIGHT_MAP | RIGHT_TRANSFER
};

static struct held window[WINDOW_SLOTS];
static struct held accounts_held[PAGERD_REGISTRATION_LIMIT];
static unsigned accounts_held_used;

static uint64_t free_pages;
static uint64_t account_limit[STANDIN_ACCOUNTS];
static uint64_t account_held[STANDIN_ACCOUNTS];
static struct frame frames[FRAMES];
static unsigned frames_used;
static uint32_t last_frame_id;

static uint32_t space_objects[SPACES]; /* 0: not registered; apart, to be quick to walk */
static struct space spaces[SPACES];
static unsigned spaces_used;
static unsigned page_capacity;

void books_reset(void)
{
    memset(window, 0, sizeof window);
    memset(accounts_held, 0, accounts_held_used * sizeof accounts_held[0]);
    memset(account_held, 0, sizeof account_held);
    memset(frames, 0, frames_used * sizeof frames[0]);
    for (unsigned i = 0; i < spaces_used; i++)
        space_objects[i] = 0;
    accounts_held_used = 0;
    frames_used = 0;
    spaces_used = 0;
    last_frame_id = 0;
    free_pages = 8;
    page_capacity = PAGES_OF_SPACE_NORMAL;
    for (unsigned i = 0; i < STANDIN_ACCOUNTS; i++)
        account_limit[i] = 5;
}

void books_calm(void)
{
    free_pages = 1000;
    page_capacity = PAGES_OF_SPACE;
    for (unsigned i = 0; i < STANDIN_ACCOUNTS; i++)
        account_limit[i] = 1000;
}

void standin_free_pages(uint64_t pages)
{
    free_pages = pages % (STANDIN_PAGES_OF_MEMORY + 1);
}

void standin_account_limit(uint64_t account, uint64_t pages)
{
    account_limit[account % STANDIN_ACCOUNTS] = pages % (STANDIN_PAGES_OF_MEMORY + 1);
}

/* --- pagerd's cspace ------------------------------------------------------------------------- */

/* The place that a slot names, of those that pagerd may fill and empty; null for others. */
struct held *books_place(uint32_t slot)
{
    if (slot >= SLOT_RECEIVE_BASE && slot < SLOT_RECEIVE_BASE + WINDOW_SLOTS)
        return &window[slot - SLOT_RECEIVE_BASE];
    if (slot < SLOT_DYNAMIC_BASE || slot >= SLOT_DYNAMIC_BASE + PAGERD_REGISTRATION_LIMIT)
        return NULL;
    if (slot - SLOT_DYNAMIC_BASE >= accounts_held_used)
        accounts_held_used = slot - SLOT_DYNAMIC_BASE + 1;
    return &accounts_held[slot - SLOT_DYNAMIC_BASE];
}

struct held books_held(uint32_t slot)
{
    if (slot == SLOT_IMAGE)
        return (struct held){OBJECT_IMAGE, IMAGE_RIGHTS, 1};
    const struct held *place = books_place(slot);
    return place != NULL ? *place : (struct held){0};
}

uint32_t standin_object(uint32_t slot)
{
    return books_held(slot).object;
}

/* --- memd ------------------------------------------------------------------------------------ */

static bool account_take(uint32_t account)
{
    unsigned row = account % STANDIN_ACCOUNTS;
    if (free_pages == 0 || account_held[row] >= account_limit[row])
        return false;
    free_pages--;
    account_held[row]++;
    return true;
}

static void account_give(uint32_t account)
{
    free_pages++;
    account_held[account % STANDIN_ACCOUNTS]--;
}

struct frame *books_frame(uint32_t id)
{
    for (unsigned i = 0; i < frames_used; i++)
        if (frames[i].id == id)
            return &frames[i];
    return NULL;
}

uint32_t books_frame_make(uint32_t account)
{
    struct frame *frame = books_frame(0);
    if (frame == NULL && frames_used < FRAMES)
        frame = &frames[frames_used++];
    if (frame == NULL || !account_take(account))
        return 0;
    *frame = (struct frame){.id = ++last_frame_id, .account = account};
    return frame->id;
}

/* Takes the page of the frame out of whatever space it is in. */
static void unmap_frame(uint32_t id)
{
    for (unsigned i = 0; i < spaces_used; i++)
        for (unsigned k = 0; space_objects[i] != 0 && k < spaces[i].page_count; k++)
            if (spaces[i].pages[k].frame_id == id)
                spaces[i].pages[k] = spaces[i].pages[--spaces[i].page_count];
}

void books_frame_destroy(struct frame *frame)
{
    if (frame->mapped)
        unmap_frame(frame->id);
    account_give(frame->account);
    *frame = (struct frame){0};
}

/* --- vspaced --------------------------------------------------------------------------------- */

struct space *books_space(uint32_t slot)
{
    uint32_t index = slot - SPACE_SLOT_BASE;
    PROPERTY(V6, slot >= SPACE_SLOT_BASE && index < spaces_used);
    return &spaces[index];
}

enum status books_space_register(uint32_t object, uint32_t account, uint32_t *slot)
{
    unsigned free_index = spaces_used;
    for (unsigned i = spaces_used; i-- > 0;) {
        if (space_objects[i] == object)
            return STATUS_BUSY;
        if (space_objects[i] == 0)
            free_index = i;
    }
    if (free_index == SPACES)
        return STATUS_EXHAUSTED;
    if (free_index == spaces_used)
        spaces_used++;
    struct space *space = &spaces[free_index];
    space_objects[free_index] = object;
    space->account = account;
    space->page_count = 0;
    space->guard_count = 0;
    *slot = SPACE_SLOT_BASE + free_index;
    return STATUS_OK;
}

/* The process dies with it here: its pages go back to the account. */
enum status books_space_unregister(struct space *space)
{
    if (space_objects[space - spaces] == 0)
        return STATUS_NOT_FOUND;
    space_objects[space - spaces] = 0;
    for (unsigned i = 0; i < space->page_count; i++) {
        if (space->pages[i].frame_id != 0)
            books_frame_destroy(books_frame(space->pages[i].frame_id));
        if (space->pages[i].counted)
            account_give(space->account);
    }
    return STATUS_OK;
}

enum status books_space_guard(struct space *space, uint64_t va, uint64_t pages)
{
    PROPERTY(V5, space_objects[space - spaces] != 0 && space->guard_count < GUARDS_OF_SPACE);
    space->guards[space->guard_count++] = (struct guard){va, pages};
    return STATUS_OK;
}

enum status books_space_map(struct space *space, struct page page)
{
    PROPERTY(G2, "space", space_objects[space - spaces] != 0);
    for (unsigned i = 0; i < space->guard_count; i++)
        PROPERTY(V5, page.va < space->guards[i].va ||
                         page.va >= space->guards[i].va + space->guards[i].pages * PAGE_BYTES);
    for (unsigned i = 0; i < space->page_count; i++)
        if (space->pages[i].va == page.va)
            return STATUS_BUSY;
    if (space->page_count >= page_capacity)
        return STATUS_EXHAUSTED;
    if (page.counted && !account_take(space->account))
        return STATUS_EXHAUSTED;
    space->pages[space->page_count++] = page;
    return STATUS_OK;
}

/* --- the check ------------------------------------------------------------------------------- */

void standin_check(const struct model_pagerd *model)
{
    unsigned accounts = 0;
    for (unsigned i = 0; i < accounts_held_used; i++)
        accounts += accounts_held[i].type != OBJECT_NONE;
    PROPERTY_EQUAL(E4, "accounts", accounts, model->process_count + model->lost);
    for (unsigned i = 0; i < frames_used; i++)
        PROPERTY(E4, "frame", frames[i].id == 0 || frames[i].mapped || frames[i].excused);
    for (unsigned i = MESSAGE_CAP_LIMIT; i < WINDOW_SLOTS; i++) {
        bool stuck = i == PAGERD_SCRATCH_SLOT - SLOT_RECEIVE_BASE && model->stuck_frame != 0;
        PROPERTY(E4, "scratch", (window[i].type != OBJECT_NONE) == stuck);
    }
}
