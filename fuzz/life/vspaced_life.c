/* SPDX-License-Identifier: ISC */
/* A life of vspaced: pagerd registers address spaces and maps, unmaps, protects; calls fail, frames
 * are destroyed behind its back, processes die. After every message: status and effects are the
 * model's (V1 to V6), a refusal or an undone failure changed nothing (E1, E4).
 *
 * Actions: @fail INDEX STATUS (that call of the next message fails), @destroy N (the N-th frame of
 * the pool goes away), @die N (a process ends: its vspace with it; a new one takes its place). In a
 * literal message the badge of a descriptor says which: VSPACE n, ENDPOINT (account) n, FRAME (of
 * the pool) n. */
#include "fuzz/life/vspaced_life.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/text/generate.h"
#include "props/life/life.h"
#include "services/vspaced/pages.h"

const char harness_name[] = "vspaced_life";
const int harness_has_steps = 1;

enum action { ACTION_FAIL, ACTION_DESTROY, ACTION_DIE, ACTION_POOL, ACTION_COUNT };
static const struct life_action actions[] = {
    [ACTION_FAIL] = {"fail", 2},       /* index status: that call of the next message fails */
    [ACTION_DESTROY] = {"destroy", 1}, /* n: the n-th frame of the pool goes away */
    [ACTION_DIE] = {"die",
                    1}, /* n: a process ends, its vspace with it; a new one takes its place */
    [ACTION_POOL] = {"pool", 1}, /* n: the n-th frame of the pool is made, when it is not there */
    [ACTION_COUNT] = {NULL, 0},
};
static const struct life_language language = {.service = SERVICE_VSPACED, .actions = actions};

struct vspaced vspaced;
struct model_vspaced model;
struct vspaced_life life;

/* --- start ----------------------------------------------------------------------------------- */

/* Empties the places that the last input used. */
static void vspaced_reset(void)
{
    for (uint32_t i = 0; i < vspaced.page_places.used_count; i++) {
        const struct vspaced_page *page = &vspaced.pages[i];
        vspaced.page_buckets[vspaced_page_bucket(page->key)] = 0;
        vspaced.page_id_buckets[vspaced_page_id_bucket(page->frame_id)] = 0;
    }
    memset(vspaced.pages, 0, vspaced.page_places.used_count * sizeof vspaced.pages[0]);
    memset(vspaced.regions, 0, vspaced.region_places.used_count * sizeof vspaced.regions[0]);
    memset(vspaced.spaces, 0, vspaced.space_places.used_count * sizeof vspaced.spaces[0]);
    memset(vspaced.space_buckets, 0, sizeof vspaced.space_buckets);
    memset(&vspaced, 0, offsetof(struct vspaced, spaces));
}

static void vspace_make(void)
{
    uint32_t number = model_vspaced_vspace(&model);
    life.vspace_objects[number] = stand_in_vspace_add();
    life.vspace_generations[number] = stand_in_vspace_generation(life.vspace_objects[number]);
}

/* The n-th frame of the pool, made anew when it went away. */
static struct pool_frame *pool_frame(uint64_t n)
{
    uint32_t index = (uint32_t)(n % POOL_FRAME_COUNT);
    struct pool_frame *frame = &life.frames[index];
    uint32_t account = index % 4 < PEERS_VSPACED_ACCOUNTS ? index % 4 : PEERS_NOBODY;
    if (frame->made)
        return frame;
    frame->made = peers_frame_take(account, &frame->object, &frame->frame_id);
    if (!frame->made && account != PEERS_NOBODY)
        frame->made = peers_frame_take(PEERS_NOBODY, &frame->object, &frame->frame_id);
    if (frame->made)
        model_vspaced_frame_made(&model, frame->object, frame->frame_id, account);
    return frame;
}

static void life_begin(void)
{
    vspaced_reset();
    peers_of_vspaced_begin();
    stand_in_clock_set(1000);
    model_vspaced_begin(&model);
    memset(&life, 0, sizeof life);
    for (uint32_t i = 0; i < PEERS_VSPACED_ACCOUNTS; i++)
        model.account_limit[i] = (uint32_t)peers_account_limit(i);
    model.pool_left = PEERS_VSPACED_POOL_PAGES;
    for (uint32_t i = 0; i < VSPACE_START_COUNT; i++)
        vspace_make();
    stand_in_put(SLOT_SELF, stand_in_cap_to(OBJECT_KERNEL_SELF, 0));
    stand_in_put(SLOT_SERVICE_ENDPOINT, stand_in_cap_to(OBJECT_ENDPOINT, ROLE_VSPACED));
    stand_in_put(SLOT_KERNEL_VSPACE_ENDPOINT, stand_in_cap_to(OBJECT_KERNEL_VSPACE, 0));
    life.startup_slots = stand_in_slot_count();
}

/* --- one message ----------------------------------------------------------------------------- */

/* The capability that a descriptor asks for; the badge says which. */
static struct stand_in_cap pick_cap(const struct message_cap *descriptor,
                                    struct model_request *request)
{
    struct stand_in_cap cap = stand_in_cap_to(descriptor->object_type, 0);
    uint32_t rights = descriptor->rights;
    if (descriptor->object_type == OBJECT_VSPACE) {
        request->vspace = (uint32_t)(descriptor->badge % model.vspace_count);
        cap.object = life.vspace_objects[request->vspace];
        cap.generation = life.vspace_generations[request->vspace];
    } else if (descriptor->object_type == OBJECT_ENDPOINT) {
        request->account = (uint32_t)(descriptor->badge % PEERS_VSPACED_ACCOUNTS);
        cap = peers_account_cap(request->account);
    } else if (descriptor->object_type == OBJECT_FRAME) {
        request->frame_object = pool_frame(descriptor->badge)->object;
        cap = stand_in_cap_to(OBJECT_FRAME, request->frame_object);
    }
    cap.rights &= rights;
    request->cap_type = descriptor->object_type;
    request->cap_rights = cap.rights;
    return cap;
}

/* Frames of the pool that somebody destroyed. */
static void pool_look(void)
{
    for (uint32_t i = 0; i < POOL_FRAME_COUNT; i++) {
        uint32_t account;
        struct pool_frame *frame = &life.frames[i];
        bool gone =
            !stand_in_frame(frame->object)->live ||
            (frame->frame_id != 0 && peers_frame_id(frame->object, &account) != frame->frame_id);
        frame->made &= !gone;
    }
}

static void check_answer(const struct message *request, const struct model_vspaced_answer *answer,
                         enum status status, uint64_t before)
{
    life_predicted(answer->status, status);
    PROPERTY_EQUAL(V1, status, answer->status);
    PROPERTY(E5, stand_in_reply()->header.request_id == request->header.request_id);
    if (status != STATUS_OK)
        PROPERTY(E1, stand_in_reply()->header.body_bytes == 0);
    if (!answer->changed)
        PROPERTY_EQUAL(E1, vspaced_life_digest(), before);
    PROPERTY_EQUAL(V2, stand_in_write_and_execute_count(), answer->kernel_refuses_use);
    vspaced_life_learn(request->header.operation, answer);
    vspaced_life_check(answer);
}

/* Sends a request and compares. False: a second failure hit the undoing of a first one, about which
 * the contract says nothing; the life ends. */
static bool send(struct message *request, enum status *status)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT] = {{0}};
    struct model_request asked = {.message = request};
    struct message message;
    struct receive_info info;
    memset(&message, 0, sizeof message);
    request->header.request_id = ++life.request_id;
    for (uint32_t i = 0; i < request->header.cap_count; i++) {
        caps[i] = pick_cap(&request->caps[i], &asked);
        uint32_t slot = SLOT_RECEIVE_BASE + i;
        memcpy(request->body + request->caps[i].field_offset, &slot, sizeof slot);
        request->caps[i].badge = 0;
        request->caps[i].rights = (uint16_t)caps[i].rights;
    }
    unsigned state = vspaced_life_state(request);
    uint64_t before = vspaced_life_digest();
    stand_in_message_begin();
    stand_in_deliver(SLOT_SERVICE_ENDPOINT, request, caps);
    PROPERTY_EQUAL(E5,
                   service_turn(&vspaced.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER,
                                vspaced_handle, &vspaced, &message, &info),
                   STATUS_OK);
    PROPERTY(E5, stand_in_reply() != NULL);
    *status = (enum status)stand_in_reply()->header.status;
    struct stand_in_failures failures = stand_in_failures();
    asked.failure_count = failures.count;
    asked.failure_status = failures.status;
    asked.failure_calls_before = failures.calls_before;
    life.failure_planned = false;
    struct model_vspaced_answer answer = model_vspaced_step(&model, &asked);
    if (MARK_IF("vspaced: undoing failed too", answer.undo_failed))
        return false;
    check_answer(request, &answer, *status, before);
    pool_look();
    bool known = operation_find(SERVICE_VSPACED, request->header.operation) != NULL;
    mark_triple("vspaced", state | (failures.count != 0 ? 64u : 0),
                known ? request->header.operation : 0, *status);
    MARK_IF("vspaced: pages gone, frames not taken back",
            answer.status == STATUS_INTERNAL && answer.changed);
    MARK_IF("vspaced: unregistered half way",
            answer.changed && answer.status != STATUS_OK &&
                request->header.operation == OP_VSPACED_UNREGISTER_VSPACE);
    MARK_IF("vspaced: data would have become code, or code data", answer.kernel_refuses_use);
    digest_u64(*status);
    digest_bytes(stand_in_reply()->body, stand_in_reply()->header.body_bytes);
    return true;
}

/* --- generated messages
 * ---------------------------------------------------------------------------- */

static uint32_t some_slot(struct choices *choices)
{
    uint64_t which = choices_below(choices, model.vspace_count + 1);
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

union body {
    struct vspaced_register_vspace_request register_vspace;
    struct vspaced_unregister_vspace_request unregister_vspace;
    struct vspaced_map_anonymous_request map_anonymous;
    struct vspaced_map_frames_request map_frames;
    struct vspaced_unmap_request unmap;
    struct vspaced_protect_request protect;
    struct vspaced_guard_request guard;
    struct vspaced_query_region_request query_region;
};

/* The frame of which a message will speak. The text of the life makes it by an action: what is
 * delivered in the end need not name it. */
static const struct pool_frame *pool_frame_named(uint64_t n)
{
    struct life_step step = {.kind = LIFE_ACTION, .action = ACTION_POOL, .arguments = {n}};
    if (!life.frames[n % POOL_FRAME_COUNT].made)
        life_print_action(&language, &step);
    return pool_frame(n);
}

/* Which frame the pool gives is said by the badge; here the frame id that goes with it, mostly. */
static void generate_map_frames(struct choices *choices, struct vspaced_map_frames_request *body,
                                struct message_cap *cap)
{
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
        body->frame_page = choices_below(choices, MODEL_IMAGE_PAGES + 2);
        body->page_count = some_count(choices, VSPACED_MAP_PAGES_MAX);
    } else {
        cap->badge = choices_below(choices, POOL_FRAME_COUNT);
        const struct pool_frame *frame = pool_frame_named(cap->badge);
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

static void generate_body(struct choices *choices, uint16_t id, union body *body,
                          struct message_cap *caps)
{
    uint32_t slot = some_slot(choices);
    uint64_t va = some_va(choices);
    if (id == OP_VSPACED_REGISTER_VSPACE) {
        body->register_vspace.vspace_slot = 1;
        body->register_vspace.account_slot = 1;
        caps[0].badge = choices_below(choices, model.vspace_count);
        caps[1].badge = choices_below(choices, 4) % PEERS_VSPACED_ACCOUNTS;
    } else if (id == OP_VSPACED_UNREGISTER_VSPACE) {
        body->unregister_vspace.vspace_cap_slot = slot;
    } else if (id == OP_VSPACED_MAP_ANONYMOUS) {
        body->map_anonymous = (struct vspaced_map_anonymous_request){
            .vspace_cap_slot = slot,
            .rights = some_rights(choices),
            .va = va,
            .page_count = some_count(choices, VSPACED_ANONYMOUS_PAGES_MAX),
        };
    } else if (id == OP_VSPACED_MAP_FRAMES) {
        generate_map_frames(choices, &body->map_frames, &caps[0]);
    } else if (id == OP_VSPACED_UNMAP || id == OP_VSPACED_GUARD) {
        body->unmap = (struct vspaced_unmap_request){
            .vspace_cap_slot = slot,
            .page_count = some_count(choices, VSPACED_MAP_PAGES_MAX),
            .va = va,
        };
    } else if (id == OP_VSPACED_PROTECT) {
        body->protect = (struct vspaced_protect_request){
            .vspace_cap_slot = slot,
            .page_count = some_count(choices, VSPACED_MAP_PAGES_MAX),
            .va = va,
            .rights = some_rights(choices),
        };
    } else {
        body->query_region.vspace_cap_slot = slot;
        body->query_region.va = va;
    }
}

_Static_assert(sizeof(struct vspaced_unmap_request) == sizeof(struct vspaced_guard_request),
               "one layout");

static void generate(struct choices *choices, struct message *request)
{
    static const uint8_t weights[] = {0, 0, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 7};
    struct message_cap caps[MESSAGE_CAP_LIMIT];
    union body body;
    memset(&body, 0, sizeof body);
    memset(caps, 0, sizeof caps);
    uint16_t id = (uint16_t)(OP_VSPACED_REGISTER_VSPACE + weights[choices_below(choices, 16)]);
    uint64_t oddity = choices_below(choices, 24);
    generate_body(choices, id, &body, caps);
    generate_delivered(operation_find(SERVICE_VSPACED, id)->request, &body, request);
    for (uint32_t i = 0; i < request->header.cap_count; i++) {
        if (caps[i].object_type != OBJECT_NONE) {
            request->caps[i].object_type = caps[i].object_type;
            request->caps[i].rights = caps[i].rights;
        }
        request->caps[i].badge = caps[i].badge;
    }
    request->header.badge = oddity == 0 ? choices_u64(choices) : ROLE_PAGERD;
    if (oddity == 1)
        request->body[choices_below(choices, 64)] ^= choices_u8(choices);
    if (oddity == 2)
        request->header.body_bytes = (uint16_t)choices_below(choices, 96);
    if (oddity == 3 && request->header.cap_count != 0)
        request->caps[0].object_type = (uint8_t)choices_below(choices, OBJECT_TYPE_LIMIT);
}

/* --- actions
 * --------------------------------------------------------------------------------------- */

static void destroy(uint64_t n)
{
    struct pool_frame *frame = &life.frames[n % POOL_FRAME_COUNT];
    if (!frame->made)
        return;
    peers_frame_revoke(frame->object);
    model_vspaced_frame_destroyed(&model, frame->object);
    frame->made = false;
}

static void die(uint64_t n)
{
    uint32_t number = (uint32_t)(n % model.vspace_count);
    if (!model.vspaces[number].alive || model.vspace_count == MODEL_VSPACE_LIMIT)
        return;
    stand_in_vspace_destroy(life.vspace_objects[number]);
    model_vspaced_vspace_died(&model, number);
    vspace_make();
}

static void act(const struct life_step *step)
{
    static const enum status failing[] = {
        STATUS_DENIED,   STATUS_BUSY,      STATUS_EXHAUSTED, STATUS_INVALID_ARGUMENT,
        STATUS_INTERNAL, STATUS_TIMED_OUT, STATUS_PEER_DIED, STATUS_UNSUPPORTED};
    life_print_action(&language, step);
    if (step->action == ACTION_DESTROY)
        destroy(step->arguments[0]);
    else if (step->action == ACTION_DIE)
        die(step->arguments[0]);
    else if (step->action == ACTION_POOL)
        pool_frame(step->arguments[0]);
    else if (!life.failure_planned)
        stand_in_fail((struct stand_in_failure){.after_calls = step->arguments[0] % 256,
                                                .times = 1,
                                                .status = failing[step->arguments[1] % 8],
                                                .until_reply = true});
    life.failure_planned |= step->action == ACTION_FAIL;
}

/* False: the life is over. */
static bool take(struct life_step *step)
{
    enum status status;
    if (step->kind == LIFE_ACTION) {
        act(step);
        return true;
    }
    struct message request = step->message;
    if (step->kind == LIFE_GENERATED)
        generate(&step->choices, &request);
    life_print_request(&language, &request, 0);
    if (!send(&request, &status))
        return false;
    life_print_result(status);
    life_expect(step, status);
    return true;
}

size_t harness_assemble(const char *text, size_t text_bytes, uint8_t *bytes, size_t limit_bytes,
                        char *problem, size_t problem_bytes)
{
    return life_assemble(&language, text, text_bytes, bytes, limit_bytes, problem, problem_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices input = harness_begin(bytes, size_bytes);
    struct life_step step;
    bool alive = true;
    life_begin();
    for (unsigned i = 0; i < LIFE_STEP_LIMIT && alive && life_next(&input, &language, &step); i++)
        alive = take(&step);
    if (alive)
        vspaced_life_check_all();
    digest_u64(vspaced_life_digest());
    return 0;
}
