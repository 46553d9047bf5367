/* SPDX-License-Identifier: ISC */
/* See peers_vspaced.h. */
#include "props/stand_ins/peers_vspaced.h"

#include <string.h>

#include "abi/messages/vspaced.h"
#include "props/base/property.h"

enum {
    SPACE_LIMIT = 1100,
    GUARD_LIMIT = 8,
    PAGE_LIMIT = 1024,
    REGION_LIMIT = 8192, /* of all spaces together */
    SLOT_BASE = 5000,
    BUCKET_COUNT = 4096
};

struct space {
    uint32_t account;
    uint32_t vspace; /* its pages */
    uint32_t region_limit;
    uint32_t asked_again; /* see peers_vspaced_asked_again */
    uint32_t merged;      /* pages that share the region of another one */
    bool swept;           /* since the life began: who had it may not know that it is gone */
    uint32_t guard_count;
    struct {
        uint64_t va;
        uint64_t pages;
    } guards[GUARD_LIMIT];
};

static uint64_t space_names[SPACE_LIMIT];  /* badge; 0: not registered */
static uint16_t name_counts[BUCKET_COUNT]; /* so that most names need no walk to be found new */
static struct space spaces[SPACE_LIMIT];
static uint32_t space_high;
static uint32_t space_low; /* no place below is free */
static uint32_t regions_reserved;

/* Unregistered, their pages still there. */
static struct {
    uint32_t account;
    uint32_t vspace;
} left[SPACE_LIMIT];
static uint32_t left_count;

void peers_vspaced_begin(void)
{
    for (uint32_t i = 0; i < space_high; i++)
        name_counts[space_names[i] % BUCKET_COUNT] = 0;
    memset(space_names, 0, space_high * sizeof space_names[0]);
    space_high = space_low = regions_reserved = left_count = 0;
}

/* The space behind vspaced's slot, which must have been one. */
static struct space *space_at(uint32_t slot)
{
    uint32_t index = slot - SLOT_BASE;
    PROPERTY(V6, slot >= SLOT_BASE && index < space_high);
    return &spaces[index];
}

static bool is_registered(const struct space *space)
{
    return space_names[space - spaces] != 0;
}

static enum status register_vspace(uint64_t name, uint32_t account, uint32_t region_limit,
                                   struct vspaced_register_vspace_reply *reply)
{
    for (uint32_t i = 0; i < space_high && name_counts[name % BUCKET_COUNT] != 0; i++)
        if (space_names[i] == name)
            return STATUS_BUSY;
    while (space_low < space_high && space_names[space_low] != 0)
        space_low++;
    uint32_t place = space_low;
    if (place == SPACE_LIMIT || region_limit > REGION_LIMIT - regions_reserved)
        return STATUS_EXHAUSTED;
    regions_reserved += region_limit;
    if (place == space_high)
        spaces[space_high++].swept = false;
    space_names[place] = name;
    name_counts[name % BUCKET_COUNT]++;
    spaces[place].account = account;
    spaces[place].region_limit = region_limit;
    spaces[place].vspace = stand_in_vspace_add();
    spaces[place].guard_count = spaces[place].asked_again = spaces[place].merged = 0;
    reply->vspace_cap_slot = SLOT_BASE + place;
    return STATUS_OK;
}

static void forget(struct space *space)
{
    uint32_t place = (uint32_t)(space - spaces);
    name_counts[space_names[place] % BUCKET_COUNT]--;
    space_names[place] = 0;
    space_low = place < space_low ? place : space_low;
    regions_reserved -= space->region_limit;
}

/* Its pages stay charged to the account until that is closed. */
static enum status unregister_vspace(struct space *space)
{
    if (!is_registered(space))
        return STATUS_NOT_FOUND;
    forget(space);
    if (stand_in_mapping_count(space->vspace) == 0) {
        stand_in_vspace_destroy(space->vspace);
        return STATUS_OK;
    }
    HARNESS(left_count < SPACE_LIMIT);
    left[left_count].account = space->account;
    left[left_count++].vspace = space->vspace;
    return STATUS_OK;
}

static void space_end(uint32_t account, uint32_t vspace)
{
    uint32_t frames[PAGE_LIMIT];
    uint32_t owner;
    uint32_t count = stand_in_vspace_frames(vspace, frames, PAGE_LIMIT);
    for (uint32_t i = 0; i < count; i++) {
        if (peers_frame_id(frames[i], &owner) != 0)
            peers_frame_revoke(frames[i]);
        else
            peers_page_give(account, frames[i]);
    }
    stand_in_vspace_destroy(vspace);
}

void peers_vspaced_sweep(uint32_t slot)
{
    struct space *space = space_at(slot);
    space->swept = true;
    if (!is_registered(space))
        return;
    forget(space);
    space_end(space->account, space->vspace);
}

void peers_vspaced_unheard(uint32_t slot)
{
    if (space_at(slot)->swept)
        peers_vspaced_sweep(slot);
}

bool peers_vspaced_knows(uint32_t slot)
{
    return is_registered(space_at(slot));
}

void peers_vspaced_end_left(uint32_t account)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < left_count; i++) {
        if (left[i].account == account)
            space_end(account, left[i].vspace);
        else
            left[kept++] = left[i];
    }
    left_count = kept;
}

static enum status guard(struct space *space, uint64_t va, uint64_t pages)
{
    PROPERTY(V5, is_registered(space) && space->guard_count < GUARD_LIMIT);
    if (space->guard_count == space->region_limit)
        return STATUS_OVER_LIMIT;
    space->guards[space->guard_count].va = va;
    space->guards[space->guard_count++].pages = pages;
    return STATUS_OK;
}

/* Whether so many pages more may come to `va`. What comes together is one region here. */
static enum status pages_allowed(const struct space *space, uint64_t va, uint32_t count)
{
    PROPERTY(G2, "space", is_registered(space) || space->swept);
    if (!is_registered(space))
        return STATUS_NOT_FOUND;
    uint64_t end = va + count * (uint64_t)PAGE_BYTES;
    for (uint32_t i = 0; i < space->guard_count; i++)
        PROPERTY(V5, end <= space->guards[i].va ||
                         va >= space->guards[i].va + space->guards[i].pages * PAGE_BYTES);
    for (uint64_t page = va; page < end; page += PAGE_BYTES)
        if (stand_in_mapping(space->vspace, page >> PAGE_SHIFT) != NULL)
            return STATUS_BUSY;
    uint32_t regions = space->guard_count + stand_in_mapping_count(space->vspace) - space->merged;
    return regions < space->region_limit ? STATUS_OK : STATUS_OVER_LIMIT;
}

static enum status query_region(const struct space *space, uint64_t va,
                                struct vspaced_query_region_reply *reply)
{
    PROPERTY(G2, "space", is_registered(space) || space->swept);
    if (!is_registered(space))
        return STATUS_NOT_FOUND;
    const struct stand_in_mapping *mapping = stand_in_mapping(space->vspace, va >> PAGE_SHIFT);
    if (mapping == NULL)
        return STATUS_NOT_FOUND;
    *reply = (struct vspaced_query_region_reply){
        .va = mapping->page << PAGE_SHIFT,
        .page_count = 1,
        .rights = mapping->rights,
        .kind = mapping->image ? REGION_IMAGE : REGION_ANONYMOUS,
    };
    return STATUS_OK;
}

/* --- what a harness sees and does to the pages ------------------------------------------------ */

const struct stand_in_mapping *peers_vspaced_page(uint32_t slot, uint64_t va)
{
    const struct space *space = space_at(slot);
    return is_registered(space) ? stand_in_mapping(space->vspace, va >> PAGE_SHIFT) : NULL;
}

uint32_t peers_vspaced_frame_count(uint32_t slot)
{
    const struct space *space = space_at(slot);
    return stand_in_mapped_frame_count(space->vspace) + space->asked_again;
}

void peers_vspaced_asked_again(uint32_t slot, uint32_t pages)
{
    space_at(slot)->asked_again += pages;
}

void peers_vspaced_protect(uint32_t slot, uint64_t va, uint32_t rights)
{
    const struct stand_in_mapping *mapping = peers_vspaced_page(slot, va);
    if (mapping != NULL)
        (void)stand_in_protect(mapping->vspace, mapping->page, 1, rights & mapping->rights_mapped);
}

void peers_vspaced_budget_set(uint32_t slot, uint32_t pages)
{
    stand_in_vspace_budget_set(space_at(slot)->vspace, pages);
}

/* --- mapping ---------------------------------------------------------------------------------- */

static enum status map_pages(const struct space *space, const struct stand_in_cap *frame,
                             const struct vspaced_map_frames_request *request)
{
    struct kernel_map_frame_request map = {
        .va = request->va,
        .frame_page = request->frame_page,
        .page_count = request->page_count,
        .rights = request->rights,
    };
    return stand_in_map(space->vspace, frame, UINT32_MAX, &map);
}

static enum status map_zeroed(const struct space *space, uint64_t va, uint32_t rights,
                              uint32_t *object)
{
    enum status status = peers_page_take(space->account, object);
    if (status != STATUS_OK)
        return status;
    struct stand_in_cap frame = stand_in_cap_to(OBJECT_FRAME, *object);
    struct vspaced_map_frames_request map = {.va = va, .page_count = 1, .rights = rights};
    status = map_pages(space, &frame, &map);
    if (status != STATUS_OK)
        peers_page_give(space->account, *object);
    return status;
}

/* All of them or none. */
static enum status map_anonymous(struct space *space,
                                 const struct vspaced_map_anonymous_request *request)
{
    uint32_t objects[VSPACED_ANONYMOUS_PAGES_MAX];
    uint32_t mapped = 0;
    enum status status = pages_allowed(space, request->va, request->page_count);
    while (status == STATUS_OK && mapped < request->page_count) {
        status = map_zeroed(space, request->va + mapped * (uint64_t)PAGE_BYTES, request->rights,
                            &objects[mapped]);
        mapped += status == STATUS_OK;
    }
    if (status == STATUS_OK)
        space->merged += request->page_count - 1;
    while (status != STATUS_OK && mapped-- > 0) {
        HARNESS(stand_in_unmap(space->vspace, (request->va >> PAGE_SHIFT) + mapped, 1) ==
                STATUS_OK);
        peers_page_give(space->account, objects[mapped]);
    }
    return status;
}

static enum status map_frames(struct space *space, const struct stand_in_cap *frame,
                              const struct vspaced_map_frames_request *request)
{
    uint32_t object;
    uint32_t account;
    if (frame->object_type == OBJECT_IMAGE) {
        PROPERTY(G4, "shared", (request->rights & RIGHT_WRITE) == 0 && request->frame_id == 0);
    } else {
        PROPERTY(G4, "frame",
                 peers_frame_find(request->frame_id, &object, &account) && object == frame->object);
        PROPERTY(G4, "private",
                 (account == space->account || !is_registered(space)) &&
                     (stand_in_frame(frame->object)->mapping_count == 0 ||
                      peers_frame_is_given(request->frame_id)));
        if (stand_in_frame(frame->object)->mapping_count != 0)
            return STATUS_DUPLICATE;
    }
    enum status status = pages_allowed(space, request->va, request->page_count);
    if (status == STATUS_OK)
        status = map_pages(space, frame, request);
    space->merged += status == STATUS_OK ? request->page_count - 1 : 0;
    return status;
}

enum status peers_vspaced_answer(struct stand_in_call *call,
                                 uint32_t (*account_of)(const struct stand_in_cap *endpoint))
{
    const void *request = call->request;
    uint32_t slot; /* of every request but REGISTER_VSPACE, it is the first field */
    memcpy(&slot, request, sizeof slot);
    switch (call->operation->id) {
    case OP_VSPACED_REGISTER_VSPACE: {
        const struct vspaced_register_vspace_request *asked = request;
        return register_vspace(call->sent[0].badge, account_of(&call->sent[1]), asked->region_limit,
                               call->reply);
    }
    case OP_VSPACED_QUERY_REGION:
        return query_region(space_at(slot),
                            ((const struct vspaced_query_region_request *)request)->va,
                            call->reply);
    case OP_VSPACED_UNREGISTER_VSPACE:
        return unregister_vspace(space_at(slot));
    case OP_VSPACED_GUARD: {
        const struct vspaced_guard_request *guarded = request;
        return guard(space_at(slot), guarded->va, guarded->page_count);
    }
    case OP_VSPACED_MAP_ANONYMOUS:
        return map_anonymous(space_at(slot), request);
    case OP_VSPACED_MAP_FRAMES:
        return map_frames(space_at(slot), &call->sent[0], request);
    default:
        PROPERTY(E5, "operation", false);
    }
}
