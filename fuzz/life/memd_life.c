/* SPDX-License-Identifier: ISC */
/* A life of memd: administrators, account holders and strangers send messages, calls fail, clients
 * build things from their untypeds and give up before they are answered. After every message:
 * status, reply and effects are the model's (M4 to M7), the books are the kernel's (M1), a refusal
 * changed nothing (E1, E4). What the tree of accounts promises is asked of the kernel's pools: all
 * that is guaranteed is there (M8), and nobody below its guarantee was refused (M9). */
#include "fuzz/life/memd_life.h"

#include <string.h>

#include "abi/roles.h"

const char harness_name[] = "memd_life";
MARKS(16, 13);

enum { BOOT_COUNT = 4, FAIL_LIMIT = 128 };

enum action {
    ACTION_BOOT,
    ACTION_FAIL,
    ACTION_BUILD,
    ACTION_UNBUILD,
    ACTION_SHUT,
    ACTION_GONE,
    ACTION_COUNT
};
static const struct life_action actions[] = {
    [ACTION_BOOT] = {"boot", 1},       /* n: which memory the machine has; first step only */
    [ACTION_FAIL] = {"fail", 2},       /* index status: that call of the next message; twice: two */
    [ACTION_BUILD] = {"build", 1},     /* n: something is made from the n-th untyped */
    [ACTION_UNBUILD] = {"unbuild", 1}, /* n: and given back */
    [ACTION_SHUT] = {"shut", 0},       /* the next client has no room for capabilities */
    [ACTION_GONE] = {"gone", 0},       /* the next client gives up before it is answered */
    [ACTION_COUNT] = {NULL, 0},
};

static const struct life_operation operations[] = {
    {OP_MEMD_OPEN_ACCOUNT, 1, draw_open_account, learn_account, NULL},
    {OP_MEMD_CLOSE_ACCOUNT, 1, draw_close_account, NULL, compare_close_account},
    {OP_MEMD_ALLOC_FRAMES, 4, draw_alloc_frames, learn_frames, NULL},
    {OP_MEMD_FREE_FRAMES, 2, draw_free_frames, NULL, NULL},
    {OP_MEMD_ALLOC_UNTYPED, 2, draw_alloc_untyped, learn_untyped, NULL},
    {OP_MEMD_FREE_UNTYPED, 2, draw_free_untyped, NULL, NULL},
    {OP_MEMD_QUERY_ACCOUNT, 1, life_draw_nothing, NULL, compare_query_account},
    {OP_MEMD_QUERY_MEMORY, 1, draw_query_memory, NULL, compare_query_memory},
    {OP_MEMD_LIST_ACCOUNTS, 1, draw_list_accounts, NULL, compare_list_accounts},
    {0, 0, NULL, NULL, NULL},
};

const struct life_language memd_life_language = {SERVICE_MEMD, actions, operations};

/* Small tables, so that their ends are near. */
enum { TABLE_LIMIT = 512 };
static struct memd_holding frame_table[TABLE_LIMIT];

struct memd memd;
struct model_memd model;
struct memd_life life;

/* memd calls nobody: it is the lowest of the rank (E5). */
static const struct stand_in_peers nobody = {.strict = true};

/* --- start --- */

/* Empties the places that the last input used. */
static void memd_reset(void)
{
    memset(memd.accounts, 0, memd.account_places.used_count * sizeof memd.accounts[0]);
    memset(memd.key_nodes, 0, (memd.account_places.used_count + 1) * sizeof memd.key_nodes[0]);
    memset(frame_table, 0, memd.frame_places.used_count * sizeof frame_table[0]);
    memset(memd.untypeds, 0, memd.untyped_places.used_count * sizeof memd.untypeds[0]);
    memset(&memd, 0, offsetof(struct memd, accounts));
}

static void source_add(struct envelope *envelope, uint32_t index, uint64_t pages)
{
    uint32_t slot = SLOT_UNTYPED_BASE + index;
    life.source_objects[index] = stand_in_untyped_add(pages);
    stand_in_put(slot, stand_in_cap_to(OBJECT_UNTYPED, life.source_objects[index]));
    model_memd_add_source(&model, pages);
    envelope->entries[envelope->entry_count++] = (struct envelope_entry){
        .slot = slot, .object_type = OBJECT_UNTYPED, .rights = RIGHT_CONTROL};
}

static void boot(uint64_t which)
{
    static const uint64_t sizes[BOOT_COUNT][3] = {
        {100, 300, 20}, {66, 0, 0}, {60, 3, 5}, {900, 0, 0}};
    /* One page of table has 170 records, two have 341: of the third machine more than its pages, of
     * the last one less. */
    static const uint64_t memory_pages[BOOT_COUNT] = {420, 66, 68, 341};
    static const uint64_t frame_limits[BOOT_COUNT] = {512, 170, 170, 341};
    struct envelope envelope = {.role = ROLE_MEMD};
    stand_in_put(SLOT_KERNEL_MEM_ENDPOINT, stand_in_cap_to(OBJECT_KERNEL_MEMORY, 0));
    for (uint32_t i = 0; i < 3 && sizes[which % BOOT_COUNT][i] != 0; i++)
        source_add(&envelope, i, sizes[which % BOOT_COUNT][i]);
    envelope.memory_pages = (uint32_t)memory_pages[which % BOOT_COUNT];
    PROPERTY_EQUAL(M1, memd_init(&memd, &envelope, frame_table), STATUS_OK);
    life.frame_limit = model.frame_limit = frame_limits[which % BOOT_COUNT];
    life_now.startup_slots = stand_in_slot_count();
}

static void reset(void)
{
    memd_reset();
    model_memd_reset(&model, 0);
    memset(&life, 0, sizeof life);
    life_begin(&nobody, ROLE_MEMD);
}

/* --- one message --- */

/* What went wrong while memd worked on the message. */
static struct model_failure failure_of_step(void)
{
    struct model_failure failure = life_failures();
    const struct stand_in_reply *lost = stand_in_reply_lost();
    if (lost == NULL || lost->message.header.cap_count == 0)
        failure.reply = STATUS_OK;
    return failure;
}

static void learn(const struct message *request, unsigned status)
{
    const struct life_operation *row =
        life_operation_of(&memd_life_language, request->header.operation);
    bool opened = request->header.operation == OP_MEMD_OPEN_ACCOUNT && life.answer.changed;
    if (life.answer.stuck_count != 0)
        memd_life_learn_stuck(request->header.badge);
    if ((status == STATUS_OK || opened) && row->learn != NULL)
        row->learn();
}

static void mark(const struct message *request, unsigned state, unsigned status)
{
    uint16_t id = request->header.operation;
    mark_triple("memd", state, operation_find(SERVICE_MEMD, id) != NULL ? id : 0, status);
    MARK_IF("memd: a frame stays charged because nobody could destroy it",
            life.answer.stuck_count != 0);
    MARK_IF("memd: a close stopped half way",
            life.answer.changed && status != STATUS_OK && id == OP_MEMD_CLOSE_ACCOUNT);
    MARK_IF("memd: a close that is to be repeated", life.answer.close.left_accounts != 0);
    MARK_IF("memd: the last page is out", model_memd_left(&model) == 0);
    MARK_IF("memd: all that is left is guaranteed",
            model_memd_left(&model) == model_memd_reserve(&model));
}

static enum status send(struct message *request)
{
    static struct memd_life_names names;
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    unsigned state = memd_life_state(request);
    uint64_t before = life_digest_before();
    memd_life_names_before(&names);
    life_any_caps(request, caps);
    unsigned status = life_deliver(&life_service, request, caps);
    struct model_failure failure = failure_of_step();
    if (failure.count == 0 && (status == STATUS_OVER_LIMIT || status == STATUS_EXHAUSTED))
        memd_life_refused(request);
    life.answer = model_memd_step(&model, request, &failure);
    unsigned predicted =
        life_now.loses == STATUS_NOT_FOUND ? (unsigned)LIFE_LOST : life.answer.status;
    life_predicted(predicted, status);
    PROPERTY_EQUAL(M6, status, predicted);
    life_digest_after(before, life.answer.changed);
    learn(request, status);
    life_compare(&life_service, request, status);
    memd_life_names_after(&names);
    memd_life_check();
    mark(request, state | (failure.count != 0 ? 64u : 0), status);
    life_now.loses = STATUS_OK;
    life_digest_answer(status);
    return status == LIFE_LOST ? life.answer.status : (enum status)status;
}

/* --- actions --- */

static void use(uint64_t which, bool busy)
{
    for (uint32_t i = 0; i < model.holding_count; i++) {
        struct model_memd_holding *holding = &model.holdings[i];
        if (!holding->untyped || which-- != 0)
            continue;
        holding->busy = busy;
        stand_in_untyped_free_set(holding->object,
                                  stand_in_untyped(holding->object)->total_pages - busy);
    }
}

static void act(const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    switch ((enum action)step->action) {
    case ACTION_BOOT:
        return;
    case ACTION_FAIL:
        life_plan_failure(step, FAIL_LIMIT);
        return;
    case ACTION_BUILD:
        use(argument, true);
        return;
    case ACTION_UNBUILD:
        use(argument, false);
        return;
    case ACTION_SHUT:
        life_now.loses = STATUS_BUSY;
        return;
    case ACTION_GONE:
        life_now.loses = STATUS_NOT_FOUND;
        return;
    case ACTION_COUNT:
        return;
    }
}

const struct life_service life_service = {
    .language = &memd_life_language,
    .caller = &memd.caller,
    .state = &memd,
    .handle = memd_handle,
    .calls_max = UINT64_MAX,
    .reset = reset,
    .boot = boot,
    .generate = memd_life_generate,
    .send = send,
    .act = act,
    .look = memd_life_check,
    .digest = memd_life_digest,
    .fail_action = ACTION_FAIL,
    .fail_limit = FAIL_LIMIT,
    .fail_ways = {STATUS_EXHAUSTED, STATUS_BUSY},
};
