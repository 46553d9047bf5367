/* SPDX-License-Identifier: ISC */
/* A life of vfsd: mounts are seeded and sealed; clients open, read, write, list, make, move and
 * remove what they may and what they may not, by paths with links across mounts; providers refuse,
 * are slow or silent, die and come again, and lie; calls fail. After every message: status, reply,
 * effects on every tree and each call are the model's (F7, F8), a refusal changed nothing (E1),
 * nothing that is read-only was asked to change (F9), and nobody waited for longer than is stated
 * (F10). At the end every client begins anew, and nothing is open. */
#include "fuzz/life/vfsd_life.h"

#include <string.h>

const char harness_name[] = "vfsd_life";
MARKS(15, 5);

/* Calls of one message: two walks through all links, each name a LOOKUP, or a provider found again
 * (E8). */
enum { CALLS_MAX = MODEL_VFSD_CALLS, FAIL_LIMIT = 64, FAIL_EACH = 8, SLOW_LIMIT = 6000 };

enum action {
    ACTION_BOOT,
    ACTION_FAIL,
    ACTION_LOST,
    ACTION_SLOW,
    ACTION_LIE,
    ACTION_DIE,
    ACTION_AGAIN,
    ACTION_TIME,
    ACTION_GONE,
    ACTION_FILL,
    ACTION_COUNT
};
static const struct life_action actions[] = {
    [ACTION_BOOT] = {"boot", 1}, /* n: what is mounted; first step only */
    [ACTION_FAIL] = {"fail", 2}, /* index status: that call of the next message */
    [ACTION_LOST] = {"lost",
                     1}, /* index: a peer does what that call asks, and its answer is lost */
    [ACTION_SLOW] = {"slow", 1},   /* n: each call of the next message takes so many ticks */
    [ACTION_LIE] = {"lie", 2},     /* index what: that answer of the next message is a lie */
    [ACTION_DIE] = {"die", 1},     /* n: a provider ends */
    [ACTION_AGAIN] = {"again", 1}, /* n: and is there again, if it had ended; n + 3: read-only */
    [ACTION_TIME] = {"time", 1},   /* n: so many ticks pass */
    [ACTION_GONE] = {"gone", 0},   /* the next client gives up before it is answered */
    [ACTION_FILL] = {"fill", 2},   /* role n: it opens "/" n times, or until it is refused */
    [ACTION_COUNT] = {NULL, 0},
};

static const struct life_operation operations[] = {
    {OP_VFSD_ATTACH, 1, life_draw_nothing, NULL, NULL},
    {OP_VFSD_OPEN, 14, draw_open, NULL, compare_reply},
    {OP_VFSD_CLOSE, 3, draw_handle, NULL, NULL},
    {OP_VFSD_READ, 4, draw_read, NULL, compare_reply},
    {OP_VFSD_WRITE, 5, draw_write, NULL, compare_reply},
    {OP_VFSD_READDIR, 4, draw_readdir, NULL, compare_reply},
    {OP_VFSD_STAT_HANDLE, 2, draw_handle, NULL, compare_reply},
    {OP_VFSD_STAT, 4, draw_stat, NULL, compare_reply},
    {OP_VFSD_MKDIR, 4, draw_mkdir, NULL, NULL},
    {OP_VFSD_UNLINK, 4, draw_path, NULL, NULL},
    {OP_VFSD_RMDIR, 4, draw_path, NULL, NULL},
    {OP_VFSD_RENAME, 7, draw_two, NULL, NULL},
    {OP_VFSD_TRUNCATE, 2, draw_truncate, NULL, NULL},
    {OP_VFSD_SYMLINK, 5, draw_symlink, NULL, NULL},
    {OP_VFSD_READLINK, 2, draw_path, NULL, compare_reply},
    {OP_VFSD_LINK, 1, draw_two, NULL, NULL},
    {OP_VFSD_SET_METADATA, 5, draw_set_metadata, NULL, NULL},
    {OP_VFSD_SEED_MOUNT, 2, draw_seed_mount, NULL, NULL},
    {OP_VFSD_SEAL, 1, draw_seal, NULL, compare_reply},
    {0, 0, NULL, NULL, NULL},
};

const struct life_language vfsd_life_language = {SERVICE_VFSD, actions, operations};

struct vfsd vfsd;
struct model_vfsd model;
struct vfsd_life life;

/* The trees as the model has them. */
static struct model_ramfsd copies[MODEL_VFSD_TREES];

/* --- one message --- */

unsigned vfsd_life_exchange(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    const struct model_vfsd_call *calls;
    uint64_t begin_ticks = stand_in_now();
    life_any_caps(request, caps);
    life.operation = request->header.operation;
    peers_vfsd_message_begin();
    unsigned status = life_deliver(&life_service, request, caps);
    (void)life_failures();
    vfsd_life_check_calls();
    uint32_t call_count = peers_vfsd_calls(&calls);
    life.answer = model_vfsd_step(&model, request, begin_ticks, calls, call_count);
    vfsd_life_check_time(begin_ticks);
    unsigned predicted = life_now.loses != STATUS_OK ? (unsigned)LIFE_LOST : life.answer.status;
    life_predicted(predicted, status);
    vfsd_life_check_status(status, predicted);
    life_compare(&life_service, request, status);
    peers_vfsd_lie(0, PEERS_LIE_COUNT);
    return status;
}

static bool is_without_session(void)
{
    for (uint32_t i = 0; i < model.mount_count; i++)
        if (model.mounts[i].session == 0)
            return true;
    return false;
}

/* What happened on the way. */
static void mark_calls(void)
{
    const struct model_vfsd_call *calls;
    uint32_t count = peers_vfsd_calls(&calls);
    uint16_t id = life.operation;
    uint32_t links = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct model_vfsd_call *call = &calls[i];
        links += call->what == CALL_ASK && call->operation == OP_RAMFSD_READLINK;
        MARK_IF("vfsd: a provider is found again",
                id != OP_VFSD_SEED_MOUNT && call->operation == OP_RAMFSD_ATTACH &&
                    call->what == CALL_ASK && call->status == STATUS_OK);
        MARK_IF("vfsd: a file that was made is removed again",
                id == OP_VFSD_OPEN && call->operation == OP_RAMFSD_UNLINK &&
                    call->what == CALL_ASK);
        MARK_IF("vfsd: an answer is lost", call->did && call->status == STATUS_TIMED_OUT);
        if (call->lied)
            mark_triple("a lie to vfsd", 0, call->operation, life.answer.status);
    }
    MARK_IF("vfsd: several links are followed", links > 2 && life.answer.status == STATUS_OK);
}

static void mark_pauses(unsigned status)
{
    const struct model_vfsd_call *calls;
    bool let_be = status == STATUS_TIMED_OUT && peers_vfsd_calls(&calls) == 0;
    MARK_IF("vfsd: nobody is asked during a pause", let_be);
    MARK_IF("vfsd: a mount is tried after its pause in vain",
            model.tried && status == STATUS_TIMED_OUT);
    MARK_IF("vfsd: a mount is tried after its pause and serves",
            model.tried && status == STATUS_OK);
    for (uint32_t i = 0; i < model.mount_count; i++)
        MARK_IF("vfsd: a pause is as long as it may be",
                model.mounts[i].pause_ticks == VFSD_PAUSE_TICKS_MAX);
}

static void mark(const struct message *request, unsigned state, unsigned status)
{
    uint16_t id = request->header.operation;
    mark_triple("vfsd", state, operation_find(SERVICE_VFSD, id) != NULL ? id : 0, status);
    mark_calls();
    MARK_IF("vfsd: a client has all its handles",
            model_vfsd_handles_of(&model, ROLE_PHASE0_PROBE, false) == VFSD_CLIENT_HANDLE_LIMIT);
    MARK_IF("vfsd: all handles are taken",
            model_vfsd_handles_of(&model, 0, true) == VFSD_HANDLE_LIMIT);
    MARK_IF("vfsd: a mount has no session", is_without_session());
    mark_pauses(status);
}

static enum status send(struct message *request)
{
    uint64_t before = life_digest_before();
    unsigned state = (model.sealed ? 1u : 0) | (is_without_session() ? 2u : 0);
    unsigned status = vfsd_life_exchange(request);
    life_digest_after(before, life.answer.changed);
    life_digest_answer(status);
    vfsd_life_check();
    mark(request, state, status);
    life_now.loses = STATUS_OK;
    return status == LIFE_LOST ? life.answer.status : (enum status)status;
}

/* --- start --- */

struct seed {
    uint32_t tree;
    uint32_t flags;
    const char *source;
    const char *path;
};

static void seed(const struct seed *seeds, uint32_t count)
{
    struct message request;
    uint64_t nothing = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct vfsd_seed_mount_request body = {.provider_role = model_vfsd_role(seeds[i].tree),
                                               .flags = seeds[i].flags,
                                               .source_count = (uint32_t)strlen(seeds[i].source)};
        body.count = body.source_count + (uint32_t)strlen(seeds[i].path);
        memcpy(body.source_and_path, seeds[i].source, body.source_count);
        memcpy(body.source_and_path + body.source_count, seeds[i].path, strlen(seeds[i].path));
        life_request(&vfsd_seed_mount_request_type, &body, 0, &request);
        PROPERTY_EQUAL(F7, "seed", vfsd_life_exchange(&request), STATUS_OK);
    }
    life_request(&vfsd_seal_request_type, &nothing, 0, &request);
    PROPERTY_EQUAL(F7, "seal", vfsd_life_exchange(&request), STATUS_OK);
}

/* An archive with a volatile tree; one volatile tree in another; the same, read-only, over a
 * directory that is there; all three; nothing yet. */
static void boot(uint64_t which)
{
    static const struct seed archive[] = {{0, VFSD_MOUNT_READ_ONLY, "archive", "/"},
                                          {1, 0, "ram", "/tmp"}};
    static const struct seed volatile_one[] = {{1, 0, "ram", "/"}, {2, 0, "ram", "/a/b"}};
    static const struct seed read_only[] = {{1, VFSD_MOUNT_READ_ONLY, "ram", "/"},
                                            {2, 0, "ram", "/d"}};
    static const struct seed all[] = {
        {0, 0, "archive", "/"}, {2, 0, "ram", "/etc/shut"}, {1, 0, "ram", "/etc/shut/f"}};
    life_print_as_comments(true);
    switch (which % 5) {
    case 0:
        seed(archive, 2);
        break;
    case 1:
        seed(volatile_one, 2);
        break;
    case 2:
        seed(read_only, 2);
        break;
    case 3:
        seed(all, 3);
        break;
    default:
        break;
    }
    life_print_as_comments(false);
    vfsd_life_check();
}

/* All zeros again, at the cost of what was used; the model's handles have the same places. */
static void vfsd_reset(void)
{
    memset(vfsd.mounts, 0, vfsd.mount_count * sizeof vfsd.mounts[0]);
    memset(vfsd.handles, 0, model.handles_used * sizeof vfsd.handles[0]);
    memset(&vfsd.walk, 0, sizeof vfsd.walk);
    memset(&vfsd, 0, offsetof(struct vfsd, mounts));
    harness_check_zero(&vfsd, sizeof vfsd);
}

static void reset(void)
{
    static struct model_ramfsd *const trees[MODEL_VFSD_TREES] = {&copies[0], &copies[1],
                                                                 &copies[2]};
    vfsd_reset();
    memset(&life, 0, sizeof life);
    model_vfsd_reset(&model, trees);
    peers_of_vfsd_begin(trees);
    life_begin(NULL, ROLE_VFSD);
    stand_in_put(SLOT_PEER_NAMED, stand_in_cap_to(OBJECT_ENDPOINT, ROLE_NAMED));
    life_now.startup_slots = stand_in_slot_count();
}

/* --- actions --- */

static void fill(uint64_t role, uint64_t count)
{
    struct vfsd_open_request open = {
        .flags = VFSD_OPEN_READ | VFSD_OPEN_DIRECTORY, .count = 1, .path = "/"};
    struct message request;
    unsigned status = STATUS_OK;
    life_now.loses = STATUS_OK;
    stand_in_fail_never();
    peers_vfsd_lie(0, PEERS_LIE_COUNT);
    life_print_as_comments(true);
    for (uint64_t i = 0; i < count % 64 && status == STATUS_OK; i++) {
        life_request(&vfsd_open_request_type, &open, 1 + role % ROLE_ID_MAX, &request);
        status = vfsd_life_exchange(&request);
    }
    life_print_as_comments(false);
    vfsd_life_check();
}

/* The same on both sides. */
static void again(uint32_t tree, bool read_only)
{
    if (peers_vfsd_lives(tree))
        return;
    peers_vfsd_again(tree, read_only);
    peers_vfsd_plant(&copies[tree], tree);
    copies[tree].read_only = read_only;
}

static void act(const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    struct stand_in_failure failure = {.times = 1, .status = STATUS_TIMED_OUT, .until_reply = true};
    switch ((enum action)step->action) {
    case ACTION_BOOT:
        return;
    case ACTION_FAIL:
        life_plan_failure(step, FAIL_LIMIT);
        return;
    case ACTION_LOST:
        failure.after_calls = argument % FAIL_LIMIT;
        failure.late = true;
        stand_in_fail(failure);
        return;
    case ACTION_SLOW:
        failure.times = UINT64_MAX;
        failure.ticks = 1 + argument % SLOW_LIMIT;
        stand_in_fail(failure);
        return;
    case ACTION_LIE:
        peers_vfsd_lie(argument % FAIL_LIMIT,
                       (enum peers_lie)(step->arguments[1] % PEERS_LIE_COUNT));
        return;
    case ACTION_DIE:
        peers_vfsd_end((uint32_t)(argument % MODEL_VFSD_TREES));
        return;
    case ACTION_AGAIN:
        again((uint32_t)(argument % MODEL_VFSD_TREES), argument / MODEL_VFSD_TREES == 1);
        return;
    case ACTION_TIME:
        stand_in_clock_set(deadline_after(stand_in_now(), argument % 100000));
        return;
    case ACTION_GONE:
        life_now.loses = STATUS_NOT_FOUND;
        return;
    case ACTION_FILL:
        fill(argument, step->arguments[1]);
        return;
    case ACTION_COUNT:
        return;
    }
}

/* Every role that has something open begins anew. */
static void finish(void)
{
    uint64_t nothing = 0;
    struct message request;
    life_now.loses = STATUS_OK;
    stand_in_fail_never();
    peers_vfsd_lie(0, PEERS_LIE_COUNT);
    life_print_as_comments(true);
    for (uint32_t i = 0; model.sealed && i < VFSD_HANDLE_LIMIT; i++) {
        if (model.handles[i].number == 0)
            continue;
        life_request(&vfsd_attach_request_type, &nothing, model.handles[i].client, &request);
        PROPERTY_EQUAL(F8, "attach", vfsd_life_exchange(&request), STATUS_OK);
    }
    life_print_as_comments(false);
    vfsd_life_check();
    vfsd_life_check_closed();
}

const struct life_service life_service = {
    .language = &vfsd_life_language,
    .caller = &vfsd.caller,
    .state = &vfsd,
    .handle = vfsd_handle,
    .calls_max = CALLS_MAX,
    .reset = reset,
    .boot = boot,
    .generate = vfsd_life_generate,
    .send = send,
    .act = act,
    .finish = finish,
    .look = vfsd_life_check,
    .digest = vfsd_life_digest,
    .fail_action = ACTION_FAIL,
    .fail_limit = FAIL_EACH,
    .fail_ways = {STATUS_EXHAUSTED, STATUS_TIMED_OUT},
};
