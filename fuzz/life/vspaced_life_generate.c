/* SPDX-License-Identifier: ISC */
/* Draws requests for vspaced's life: most name a registered vspace and a page in a few zones of it.
 * Decides nothing about what is right: the model does. */
#include "abi/roles.h"
#include "fuzz/life/vspaced_life.h"

/* Drawn before the operation's own fields. */
static uint32_t drawn_slot;
static uint64_t drawn_va;

static uint32_t some_slot(struct choices *choices)
{
    uint64_t which = choices_below(choices, model.vspace_count + 1);
    if (which == model.vspace_count && which != 0 && life_avoids_strangers(choices))
        which = choices_below(choices, model.vspace_count);
    if (which == model.vspace_count)
        return choices_u32(choices) % SLOT_LIMIT;
    for (uint32_t i = 0; i < model.vspace_count; i++) {
        uint32_t number = (uint32_t)(which + i) % model.vspace_count;
        if (model.vspaces[number].registered)
            return model.vspaces[number].slot;
    }
    return SLOT_DYNAMIC_BASE;
}

static uint64_t some_va(struct choices *choices)
{
    static const uint64_t zones[] = {16, 16, 16, 16, 40, 500, 0x7FFFFFFFF - 24, 0};
    uint64_t page = zones[choices_below(choices, 8)] + choices_below(choices, 32);
    if (page == 31)
        page = choices_u64(choices);
    return page << PAGE_SHIFT;
}

static uint32_t some_count(struct choices *choices, uint32_t most)
{
    uint64_t how = choices_below(choices, 16);
    uint64_t count = how < 8 ? how + 1 : how < 15 ? choices_between(choices, 1, 24) : most;
    return count < most ? (uint32_t)count : most;
}

static uint32_t some_rights(struct choices *choices)
{
    static const uint32_t rights[] = {
        RIGHT_READ | RIGHT_WRITE,   RIGHT_READ, RIGHT_READ | RIGHT_WRITE,
        RIGHT_READ | RIGHT_EXECUTE, RIGHT_READ, RIGHT_READ | RIGHT_EXECUTE};
    uint64_t which = choices_below(choices, 7);
    return which < 6 ? rights[which] : choices_u32(choices) & RIGHTS_MAPPING;
}

void draw_register_vspace(struct choices *choices, struct life_draft *draft)
{
    struct vspaced_register_vspace_request *body = (void *)draft->body;
    body->vspace_slot = 1;
    body->account_slot = 1;
    draft->caps[0].badge = choices_below(choices, model.vspace_count);
    draft->caps[1].badge = choices_below(choices, 4) % PEERS_VSPACED_ACCOUNTS;
    body->region_limit = 64 - (uint32_t)choices_below(choices, 65);
    if (choices_below(choices, 8) == 7)
        body->region_limit = MODEL_VSPACED_REGIONS - (uint32_t)choices_below(choices, 128);
}

void draw_unregister_vspace(struct choices *choices, struct life_draft *draft)
{
    struct vspaced_unregister_vspace_request *body = (void *)draft->body;
    (void)choices;
    body->vspace_cap_slot = drawn_slot;
}

void draw_map_anonymous(struct choices *choices, struct life_draft *draft)
{
    struct vspaced_map_anonymous_request *body = (void *)draft->body;
    *body = (struct vspaced_map_anonymous_request){
        .vspace_cap_slot = drawn_slot,
        .rights = some_rights(choices),
        .va = drawn_va,
        .page_count = some_count(choices, VSPACED_ANONYMOUS_PAGES_MAX),
    };
}

/* The frame of which a message will speak. The text of the life makes it by an action: what is
 * delivered in the end need not name it. */
static const struct vspaced_life_frame *pool_frame_named(uint64_t n)
{
    struct life_step step = {.kind = LIFE_ACTION, .action = ACTION_POOL, .arguments = {n}};
    if (!life.frames[n % POOL_FRAME_COUNT].made)
        life_print_action(&vspaced_life_language, &step);
    return vspaced_life_frame(n);
}

/* Which frame the pool gives is said by the badge; here the frame id that goes with it, mostly. */
void draw_map_frames(struct choices *choices, struct life_draft *draft)
{
    struct vspaced_map_frames_request *body = (void *)draft->body;
    struct message_cap *cap = &draft->caps[0];
    *body = (struct vspaced_map_frames_request){
        .vspace_cap_slot = some_slot(choices),
        .rights = some_rights(choices),
        .va = some_va(choices),
        .page_count = 1,
        .frame_slot = 1,
    };
    bool image = choices_below(choices, 3) == 0;
    cap->object_type = image ? OBJECT_IMAGE : OBJECT_FRAME;
    cap->rights = RIGHTS_ALL;
    if (choices_below(choices, 8) == 0)
        cap->rights = choices_u8(choices) | RIGHT_MAP;
    if (image) {
        body->frame_page = choices_below(choices, MODEL_VSPACED_IMAGE_PAGES + 2);
        body->page_count = some_count(choices, VSPACED_MAP_PAGES_MAX);
    } else {
        cap->badge = choices_below(choices, POOL_FRAME_COUNT);
        const struct vspaced_life_frame *frame = pool_frame_named(cap->badge);
        body->frame_id = choices_below(choices, 4) == 0 ? 0 : frame->frame_id;
    }
    uint64_t oddity = choices_below(choices, 16);
    if (oddity == 0)
        body->frame_id = choices_u32(choices) % 64;
    if (oddity == 1)
        body->page_count = some_count(choices, VSPACED_MAP_PAGES_MAX);
    if (oddity == 2)
        body->frame_page = 1;
}

void draw_unmap(struct choices *choices, struct life_draft *draft)
{
    struct vspaced_unmap_request *body = (void *)draft->body;
    *body = (struct vspaced_unmap_request){
        .vspace_cap_slot = drawn_slot,
        .page_count = some_count(choices, VSPACED_MAP_PAGES_MAX),
        .va = drawn_va,
    };
}

void draw_protect(struct choices *choices, struct life_draft *draft)
{
    struct vspaced_protect_request *body = (void *)draft->body;
    *body = (struct vspaced_protect_request){
        .vspace_cap_slot = drawn_slot,
        .page_count = some_count(choices, VSPACED_MAP_PAGES_MAX),
        .va = drawn_va,
        .rights = some_rights(choices),
    };
}

void draw_guard(struct choices *choices, struct life_draft *draft)
{
    struct vspaced_guard_request *body = (void *)draft->body;
    *body = (struct vspaced_guard_request){
        .vspace_cap_slot = drawn_slot,
        .page_count = some_count(choices, VSPACED_MAP_PAGES_MAX),
        .va = drawn_va,
    };
}

void draw_query_region(struct choices *choices, struct life_draft *draft)
{
    struct vspaced_query_region_request *body = (void *)draft->body;
    (void)choices;
    body->vspace_cap_slot = drawn_slot;
    body->va = drawn_va;
}

static bool has_vspace(void)
{
    for (uint32_t i = 0; i < model.vspace_count; i++)
        if (model.vspaces[i].registered)
            return true;
    return false;
}

void vspaced_life_generate(struct choices *choices, struct message *request)
{
    struct life_draft draft;
    life_draw_operation(&vspaced_life_language, choices, &draft);
    if (!has_vspace() && life_avoids_strangers(choices)) {
        draft.operation = OP_VSPACED_REGISTER_VSPACE;
        draft.row = life_operation_of(&vspaced_life_language, draft.operation);
    }
    uint64_t oddity = choices_below(choices, 24);
    if (oddity == 0 && life_avoids_strangers(choices))
        oddity = UINT64_MAX;
    drawn_slot = some_slot(choices);
    drawn_va = some_va(choices);
    life_draw_body(&vspaced_life_language, choices, &draft);
    draft.badge = oddity == 0 ? choices_u64(choices) : ROLE_PAGERD;
    life_draft_message(&vspaced_life_language, &draft, request);
    if (oddity == 1)
        request->body[choices_below(choices, 64)] ^= choices_u8(choices);
    if (oddity == 2)
        request->header.body_bytes = (uint16_t)choices_below(choices, 96);
    if (oddity == 3 && request->header.cap_count != 0)
        request->caps[0].object_type = (uint8_t)choices_below(choices, OBJECT_TYPE_LIMIT);
}
