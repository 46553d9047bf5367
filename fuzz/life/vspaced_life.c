/* SPDX-License-Identifier: ISC */
/* A life of vspaced: pagerd registers address spaces and maps, unmaps, protects; calls fail, frames
 * are destroyed behind its back, processes die. After every message: status and effects are the
 * model's (V1 to V6), a refusal or an undone failure changed nothing (E1, E4).
 *
 * In a literal message the badge of a descriptor says which: VSPACE n, ENDPOINT (account) n, FRAME
 * (of the pool) n. */
#include "fuzz/life/vspaced_life.h"

#include <string.h>

#include "abi/roles.h"
#include "services/vspaced/pages.h"

const char harness_name[] = "vspaced_life";
MARKS(15, 0);

enum { FAIL_LIMIT = 256 };

static const struct life_action actions[] = {
    /* index status late: that call of the next message fails; late: memd does what was asked */
    [ACTION_FAIL] = {"fail", 3},
    [ACTION_DESTROY] = {"destroy", 1}, /* n: the n-th frame of the pool goes away */
    [ACTION_DIE] = {"die",
                    1}, /* n: a process ends, its vspace with it; a new one takes its place */
    [ACTION_POOL] = {"pool", 1}, /* n: the n-th frame of the pool is made, when it is not there */
    [ACTION_COUNT] = {NULL, 0},
};

static const struct life_operation operations[] = {
    {OP_VSPACED_REGISTER_VSPACE, 2, draw_register_vspace, learn_slot, NULL},
    {OP_VSPACED_UNREGISTER_VSPACE, 1, draw_unregister_vspace, NULL, NULL},
    {OP_VSPACED_MAP_ANONYMOUS, 3, draw_map_anonymous, learn_frames, NULL},
    {OP_VSPACED_MAP_FRAMES, 3, draw_map_frames, NULL, NULL},
    {OP_VSPACED_UNMAP, 2, draw_unmap, NULL, NULL},
    {OP_VSPACED_PROTECT, 2, draw_protect, NULL, NULL},
    {OP_VSPACED_GUARD, 1, draw_guard, NULL, NULL},
    {OP_VSPACED_QUERY_REGION, 2, draw_query_region, NULL, compare_region},
    {0, 0, NULL, NULL, NULL},
};

const struct life_language vspaced_life_language = {SERVICE_VSPACED, actions, operations};

struct vspaced vspaced;
struct model_vspaced model;
struct vspaced_life life;

/* --- start ----------------------------------------------------------------------------------- */

/* The tables of a small machine, so that the end of both is near. */
enum {
    MACHINE_PAGES = 1024,
    TABLE_BYTES = ROLE_TABLE_FIXED_VSPACED + MACHINE_PAGES * ROLE_TABLE_BYTES_VSPACED
};
static uint64_t table[TABLE_BYTES / sizeof(uint64_t)];

/* Empties the places that the last input used. */
static void vspaced_reset(void)
{
    size_t pages = vspaced.page_places.used_count;
    size_t regions = vspaced.region_places.used_count;
    size_t spaces = vspaced.space_places.used_count;
    for (size_t i = 0; i < pages; i++)
        vspaced.pages_by_frame[vspaced.pages[i].frame_id % vspaced.page_limit] = 0;
    memset(vspaced.spaces, 0, spaces * sizeof vspaced.spaces[0]);
    memset(vspaced.space_nodes, 0, (spaces + 1) * sizeof vspaced.space_nodes[0]);
    if (vspaced.regions != NULL) {
        memset(vspaced.pages, 0, pages * sizeof vspaced.pages[0]);
        memset(vspaced.page_nodes, 0, (pages + 1) * sizeof vspaced.page_nodes[0]);
        memset(vspaced.regions, 0, regions * sizeof vspaced.regions[0]);
        memset(vspaced.region_nodes, 0, (regions + 1) * sizeof vspaced.region_nodes[0]);
    }
    memset(&vspaced, 0, offsetof(struct vspaced, spaces));
    vspaced_init(&vspaced, MACHINE_PAGES, table);
    HARNESS(vspaced.region_limit == MODEL_VSPACED_REGIONS);
}

static void vspace_make(void)
{
    uint32_t number = model_vspaced_vspace(&model);
    life.vspace_objects[number] = stand_in_vspace_add();
    life.vspace_generations[number] = stand_in_vspace_generation(life.vspace_objects[number]);
}

/* The n-th frame of the pool, made anew when it went away. */
struct vspaced_life_frame *vspaced_life_frame(uint64_t n)
{
    uint32_t index = (uint32_t)(n % POOL_FRAME_COUNT);
    struct vspaced_life_frame *frame = &life.frames[index];
    uint32_t account = index % 4 < PEERS_VSPACED_ACCOUNTS ? index % 4 : PEERS_NOBODY;
    if (frame->made)
        return frame;
    life_now.digest_known = false;
    frame->made = peers_frame_take(account, &frame->object, &frame->frame_id);
    if (!frame->made && account != PEERS_NOBODY)
        frame->made = peers_frame_take(PEERS_NOBODY, &frame->object, &frame->frame_id);
    if (frame->made)
        model_vspaced_frame_made(&model, frame->object, frame->frame_id, account);
    return frame;
}

static void reset(void)
{
    vspaced_reset();
    peers_of_vspaced_begin();
    life_begin(NULL, ROLE_VSPACED);
    model_vspaced_reset(&model);
    memset(&life, 0, sizeof life);
    for (uint32_t i = 0; i < PEERS_VSPACED_ACCOUNTS; i++)
        model.account_limit[i] = (uint32_t)peers_account_limit(i);
    model.pool_left = PEERS_VSPACED_POOL_PAGES;
    for (uint32_t i = 0; i < VSPACE_START_COUNT; i++)
        vspace_make();
    stand_in_put(SLOT_KERNEL_VSPACE_ENDPOINT, stand_in_cap_to(OBJECT_KERNEL_VSPACE, 0));
    life_now.startup_slots = stand_in_slot_count();
}

/* --- one message --- */

/* The capability that a descriptor asks for; the badge says which. */
static struct stand_in_cap pick_cap(const struct message_cap *descriptor,
                                    struct model_vspaced_request *request)
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
        const struct vspaced_life_frame *frame = vspaced_life_frame(descriptor->badge);
        request->frame_object = frame->object;
        cap = stand_in_cap_to(OBJECT_FRAME, request->frame_object);
        if (!frame->made) /* all frames are others': what comes is none */
            cap = peers_account_cap(0);
    }
    cap.rights &= rights;
    request->cap_type = cap.object_type;
    request->cap_rights = cap.rights;
    return cap;
}

/* Frames of the pool that somebody destroyed. */
static void pool_look(void)
{
    for (uint32_t i = 0; i < POOL_FRAME_COUNT; i++) {
        uint32_t account;
        struct vspaced_life_frame *frame = &life.frames[i];
        bool gone =
            !stand_in_frame(frame->object)->live ||
            (frame->frame_id != 0 && peers_frame_id(frame->object, &account) != frame->frame_id);
        frame->made &= !gone;
    }
}

/* The capabilities of a request, with the slots at which vspaced will find them; *asked is the
 * request as the model sees it. */
static void pick_caps(struct message *request, struct stand_in_cap *caps,
                      struct model_vspaced_request *asked)
{
    for (uint32_t i = 0; i < request->header.cap_count; i++) {
        caps[i] = pick_cap(&request->caps[i], asked);
    }
    life_place_caps(request, caps);
}

/* Nobody waits long behind another's message (E8). The loop drops what the message brought. */
static void check_calls(uint16_t operation)
{
    uint64_t most =
        operation == OP_VSPACED_REGISTER_VSPACE ? VSPACED_REGISTER_CALLS_MAX : VSPACED_CALLS_MAX;
    PROPERTY(E8, "calls", stand_in_call_count() <= most + MESSAGE_CAP_LIMIT);
}

/* Delivers a request as the loop would. A planned failure may also meet what empties the window: the
 * model of vspaced knows of those. */
static enum status deliver(struct message *request, const struct stand_in_cap *caps)
{
    struct receive_info info;
    life_bring(request, caps);
    PROPERTY_EQUAL(E5,
                   service_turn(&vspaced.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER,
                                vspaced_handle, &vspaced, &info),
                   STATUS_OK);
    caller_flush(&vspaced.caller);
    check_calls(request->header.operation);
    PROPERTY(E5, stand_in_reply() != NULL);
    PROPERTY(E5, stand_in_reply()->header.request_id == request->header.request_id);
    return (enum status)stand_in_reply()->header.status;
}

/* What went wrong while vspaced worked on the message. */
static struct model_failure failure_of_step(void)
{
    life.failure_planned = life.late = false;
    return life_failures();
}

static void learn(const struct message *request, enum status status)
{
    const struct life_operation *row =
        life_operation_of(&vspaced_life_language, request->header.operation);
    PROPERTY_EQUAL(V2, stand_in_write_and_execute_count(), life.answer.kernel_refuses_use);
    if (status == STATUS_OK && row->learn != NULL)
        row->learn();
}

static void mark(const struct message *request, unsigned state, enum status status)
{
    const struct model_vspaced_answer *answer = &life.answer;
    uint16_t id = request->header.operation;
    mark_triple("vspaced", state, operation_find(SERVICE_VSPACED, id) != NULL ? id : 0, status);
    MARK_IF("vspaced: pages gone, frames not taken back",
            answer->status == STATUS_INTERNAL && answer->changed);
    MARK_IF("vspaced: unregistered half way",
            answer->changed && answer->status != STATUS_OK && id == OP_VSPACED_UNREGISTER_VSPACE);
    MARK_IF("vspaced: data would have become code, or code data", answer->kernel_refuses_use);
}

/* Sends a request and compares. */
static enum status send(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT] = {{0}};
    struct model_vspaced_request asked = {
        .message = request, .late = life.late, .next_frame_id = peers_frame_id_last() + 1};
    pick_caps(request, caps, &asked);
    unsigned state = vspaced_life_state(request);
    uint64_t before = life_digest_before();
    enum status status = deliver(request, caps);
    struct model_failure failure = failure_of_step();
    life.answer = model_vspaced_step(&model, &asked, &failure);
    learn_owed();
    life_predicted(life.answer.status, status);
    PROPERTY_EQUAL(V3, status, life.answer.status);
    life_digest_after(before, life.answer.changed);
    learn(request, status);
    life_compare(&life_service, request, status);
    vspaced_life_check();
    pool_look();
    mark(request, state | (failure.count != 0 ? 64u : 0), status);
    life_digest_answer(status);
    return status;
}

/* --- actions --- */

static void destroy(uint64_t n)
{
    struct vspaced_life_frame *frame = &life.frames[n % POOL_FRAME_COUNT];
    if (!frame->made)
        return;
    peers_frame_revoke(frame->object);
    model_vspaced_frame_destroyed(&model, frame->object);
    frame->made = false;
}

static void die(uint64_t n)
{
    uint32_t number = (uint32_t)(n % model.vspace_count);
    if (!model.vspaces[number].alive || model.vspace_count == MODEL_VSPACED_VSPACE_LIMIT)
        return;
    stand_in_vspace_destroy(life.vspace_objects[number]);
    model_vspaced_vspace_died(&model, number);
    vspace_make();
}

static void plan_failure(uint64_t index, uint64_t status, uint64_t late)
{
    if (life.failure_planned)
        return;
    life.failure_planned = true;
    life.late = late % 2 != 0;
    stand_in_fail((struct stand_in_failure){
        .after_calls = index % FAIL_LIMIT,
        .times = 1,
        .status = life_failure(status),
        .late = life.late,
        .until_reply = true,
    });
}

static void act(const struct life_step *step)
{
    switch ((enum action)step->action) {
    case ACTION_FAIL:
        plan_failure(step->arguments[0], step->arguments[1], step->arguments[2]);
        return;
    case ACTION_DESTROY:
        destroy(step->arguments[0]);
        return;
    case ACTION_DIE:
        die(step->arguments[0]);
        return;
    case ACTION_POOL:
        vspaced_life_frame(step->arguments[0]);
        return;
    case ACTION_COUNT:
        return;
    }
}

/* deliver() asks for the calls of each operation. */
const struct life_service life_service = {
    .language = &vspaced_life_language,
    .caller = &vspaced.caller,
    .state = &vspaced,
    .handle = vspaced_handle,
    .calls_max = UINT64_MAX,
    .reset = reset,
    .generate = vspaced_life_generate,
    .send = send,
    .act = act,
    .finish = vspaced_life_check_all,
    .look = vspaced_life_check,
    .digest = vspaced_life_digest,
    .fail_action = ACTION_FAIL,
    .fail_limit = FAIL_LIMIT,
    .fail_ways = {STATUS_EXHAUSTED, STATUS_BUSY, STATUS_TIMED_OUT},
};
