/* SPDX-License-Identifier: ISC */
/* The checks after each message of vspaced's life. */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/vspaced.h"
#include "abi/roles.h"
#include "fuzz/life/vspaced_life.h"
#include "services/vspaced/pages.h"
#include "services/vspaced/regions.h"

/* Where the address lies in every request that has one. */
enum { VA_OFFSET = 8 };
_Static_assert(offsetof(struct vspaced_map_anonymous_request, va) == VA_OFFSET, "where va lies");
_Static_assert(offsetof(struct vspaced_map_frames_request, va) == VA_OFFSET, "where va lies");
_Static_assert(offsetof(struct vspaced_unmap_request, va) == VA_OFFSET, "where va lies");
_Static_assert(offsetof(struct vspaced_protect_request, va) == VA_OFFSET, "where va lies");
_Static_assert(offsetof(struct vspaced_guard_request, va) == VA_OFFSET, "where va lies");
_Static_assert(offsetof(struct vspaced_query_region_request, va) == VA_OFFSET, "where va lies");

/* --- one page -------------------------------------------------------------------------------- */

static void check_kernel_page(uint32_t vspace, uint64_t page)
{
    const struct model_vspaced_page *expected = model_vspaced_page(&model, vspace, page);
    const struct stand_in_mapping *found = NULL;
    if (model.vspaces[vspace].alive)
        found = stand_in_mapping(life.vspace_objects[vspace], page);
    bool present = expected != NULL && expected->in_kernel;
    PROPERTY_EQUAL(V1, found != NULL, present);
    if (!present)
        return;
    PROPERTY_EQUAL(V1, found->rights, expected->kernel_rights);
    PROPERTY_EQUAL(V1, found->image, expected->kernel_image);
    PROPERTY_EQUAL(V1, found->object, expected->kernel_object);
    PROPERTY(V2, (found->rights & RIGHT_WRITE) == 0 || (found->rights & RIGHT_EXECUTE) == 0);
    PROPERTY(V5, page != 0 && page < USER_VA_END >> PAGE_SHIFT);
}

static void check_books_page(uint32_t vspace, uint64_t page)
{
    const struct model_vspaced_page *expected = model_vspaced_page(&model, vspace, page);
    uint32_t space = (model.vspaces[vspace].slot - VSPACED_SLOT_BASE) / 2;
    vspaced_link link = 0;
    if (model.vspaces[vspace].registered)
        link = vspaced_region_at(&vspaced, space, page);
    bool present = expected != NULL && expected->in_books;
    PROPERTY_EQUAL(V1, link != 0, present);
    if (!present)
        return;
    const struct vspaced_piece *piece = &vspaced.regions[link - 1].piece;
    PROPERTY_EQUAL(V4, piece->kind, expected->kind);
    PROPERTY_EQUAL(V4, piece->rights, expected->rights);
    PROPERTY_EQUAL(V4, piece->rights_mapped, expected->rights_mapped);
    PROPERTY_EQUAL(V1, vspaced_page_frame(&vspaced, space, page), expected->frame_id);
    if (piece->kind == REGION_IMAGE)
        PROPERTY_EQUAL(V4, piece->image_page + (page - piece->first_page), expected->image_page);
}

/* --- everything ------------------------------------------------------------------------------ */

static void check_slots(void)
{
    uint32_t held = life_now.startup_slots;
    for (uint32_t i = 0; i < model.vspace_count; i++) {
        const struct model_vspaced_vspace *vspace = &model.vspaces[i];
        if (!vspace->registered)
            continue;
        held += vspace->account_held ? 2 : 1;
        struct stand_in_cap cap = stand_in_at(vspace->slot);
        PROPERTY_EQUAL(V6, cap.object_type, OBJECT_VSPACE);
        PROPERTY_EQUAL(V6, cap.object, life.vspace_objects[i]);
        PROPERTY_EQUAL(V6, cap.generation, life.vspace_generations[i]);
    }
    uint32_t window = (uint32_t)__builtin_popcount(model.window_filled);
    PROPERTY_EQUAL(E4, stand_in_slot_count(), held + window);
    PROPERTY_EQUAL(E4, stand_in_slot_count_below(SLOT_DYNAMIC_BASE),
                   life_now.startup_slots + window);
}

/* Every space has as many regions as its pages make, and no more than are set aside for it (E6). */
static void check_regions(void)
{
    for (uint32_t i = 0; i < model.vspace_count; i++) {
        const struct model_vspaced_vspace *vspace = &model.vspaces[i];
        if (!vspace->registered)
            continue;
        const struct vspaced_space *space = &vspaced.spaces[(vspace->slot - VSPACED_SLOT_BASE) / 2];
        PROPERTY_EQUAL(E6, "regions", space->region_count, model_vspaced_regions(&model, i));
        PROPERTY(E6, "limit", space->region_count <= vspace->region_limit);
    }
}

static void check_whole(void)
{
    life_check(vspaced_check(&vspaced));
    for (uint32_t i = 0; i < PEERS_VSPACED_ACCOUNTS; i++)
        PROPERTY_EQUAL(E4, peers_account_held(i), model.account_held[i]);
    check_slots();
    check_regions();
}

/* What the last message was about; when it is due, everything. */
void vspaced_life_check(void)
{
    const struct model_vspaced_answer *answer = &life.answer;
    if (oracle_due())
        check_whole();
    if (answer->vspace == MODEL_VSPACED_VSPACE_LIMIT ||
        answer->page_count > VSPACED_MAP_PAGES_MAX || answer->first_page == 0)
        return;
    for (uint64_t i = 0; i < answer->page_count + 2; i++) {
        check_kernel_page(answer->vspace, answer->first_page - 1 + i);
        check_books_page(answer->vspace, answer->first_page - 1 + i);
    }
}

void vspaced_life_check_all(void)
{
    uint32_t kernel_count[MODEL_VSPACED_VSPACE_LIMIT] = {0};
    uint64_t books_count = 0;
    uint64_t region_pages = 0;
    for (uint32_t i = 0; i < model.page_high; i++) {
        const struct model_vspaced_page *page = &model.pages[i];
        kernel_count[page->vspace] += page->in_kernel;
        books_count += page->in_books;
        check_kernel_page(page->vspace, page->page);
        check_books_page(page->vspace, page->page);
    }
    for (uint32_t i = 0; i < model.vspace_count; i++)
        if (model.vspaces[i].alive)
            PROPERTY_EQUAL(V1, stand_in_mapping_count(life.vspace_objects[i]), kernel_count[i]);
    for (uint32_t i = 0; i < vspaced.region_places.used_count; i++)
        region_pages += vspaced.regions[i].piece.page_count;
    PROPERTY_EQUAL(V1, region_pages, books_count);
}

/* --- what a message told --------------------------------------------------------------------- */

void learn_slot(void)
{
    uint32_t vspace = life.answer.vspace;
    struct vspaced_register_vspace_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&vspaced_register_vspace_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    PROPERTY(V6, reply.vspace_cap_slot >= SLOT_DYNAMIC_BASE);
    for (uint32_t i = 0; i < model.vspace_count; i++)
        PROPERTY(V6, i == vspace || !model.vspaces[i].registered ||
                         model.vspaces[i].slot != reply.vspace_cap_slot);
    model.vspaces[vspace].slot = reply.vspace_cap_slot;
    struct stand_in_cap account = stand_in_at(reply.vspace_cap_slot + 1);
    PROPERTY_EQUAL(V6, account.badge, model.vspaces[vspace].account + 1);
}

/* The frames of new anonymous pages: zeroed, each on one page, on the registered account. */
void learn_frames(void)
{
    const struct model_vspaced_answer *answer = &life.answer;
    for (uint64_t i = 0; i < answer->page_count; i++) {
        struct model_vspaced_page *page =
            model_vspaced_page(&model, answer->vspace, answer->first_page + i);
        const struct stand_in_mapping *found =
            stand_in_mapping(life.vspace_objects[answer->vspace], page->page);
        uint32_t account;
        PROPERTY(V1, found != NULL && !found->image);
        const struct stand_in_frame *frame = stand_in_frame(found->object);
        uint32_t id = peers_frame_id(found->object, &account);
        PROPERTY(K2, frame->content == 0 && frame->mapping_count == 1);
        PROPERTY(M1, id != 0 && account == model.vspaces[answer->vspace].account);
        stand_in_frame_dirty(found->object);
        model_vspaced_frame_made(&model, found->object, id, account);
        page->kernel_object = found->object;
        page->kernel_unknown = false;
        page->frame_id = id;
    }
}

void compare_region(void)
{
    struct vspaced_query_region_reply region;
    PROPERTY_EQUAL(E5, reply_decode(&vspaced_query_region_reply_type, stand_in_reply(), &region),
                   STATUS_OK);
    PROPERTY_EQUAL(V4, region.va, life.answer.region.va);
    PROPERTY_EQUAL(V4, region.page_count, life.answer.region.page_count);
    PROPERTY_EQUAL(V4, region.rights, life.answer.region.rights);
    PROPERTY_EQUAL(V4, region.kind, life.answer.region.kind);
}

void learn_owed(void)
{
    for (uint32_t i = 0; i < model.owed_count; i++) {
        uint32_t id = model.owed[i].frame_id;
        uint32_t object;
        uint32_t account;
        bool known = id < model.id_high && model.ids[id].live;
        if (!known && peers_frame_find(id, &object, &account))
            model_vspaced_frame_made(&model, object, id, account);
    }
}

/* --- digests and marks ----------------------------------------------------------------------- */

uint64_t vspaced_life_digest(void)
{
    uint64_t sum = 0;
    vspaced_visit_fields(&vspaced, life_digest_visit, &sum);
    life_digest_visit(&sum, stand_in_digest());
    for (uint32_t i = 0; i < PEERS_VSPACED_ACCOUNTS; i++)
        life_digest_visit(&sum, peers_account_held(i));
    return sum;
}

/* The page of an address; 0: the request has none. */
static uint64_t request_page(const struct message *request)
{
    uint64_t va = 0;
    switch (request->header.operation) {
    case OP_VSPACED_MAP_ANONYMOUS:
    case OP_VSPACED_MAP_FRAMES:
    case OP_VSPACED_UNMAP:
    case OP_VSPACED_PROTECT:
    case OP_VSPACED_GUARD:
    case OP_VSPACED_QUERY_REGION:
        memcpy(&va, request->body + VA_OFFSET, sizeof va);
        break;
    }
    return va >> PAGE_SHIFT;
}

/* Every request but REGISTER begins with vspace_cap_slot. */
unsigned vspaced_life_state(const struct message *request)
{
    uint32_t slot;
    memcpy(&slot, request->body, sizeof slot);
    unsigned state = request->header.badge == ROLE_PAGERD ? 1 : 0;
    for (uint32_t i = 0; i < model.vspace_count; i++) {
        if (!model.vspaces[i].registered || model.vspaces[i].slot != slot)
            continue;
        const struct model_vspaced_page *page =
            model_vspaced_page(&model, i, request_page(request));
        bool usual = model.vspaces[i].alive && model.vspaces[i].account_held;
        state |= usual ? 2u : 4u;
        if (page != NULL && page->in_books)
            state |= 8u | page->kind << 4;
    }
    return state;
}
