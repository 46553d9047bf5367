/* SPDX-License-Identifier: ISC */
/* A life of memd: administrators, account holders and strangers send messages, calls fail, clients
 * build things from their untypeds. After every message: status, reply and effects are the model's
 * (M4, M6, M7), the books are the kernel's (M1), a refusal changed nothing (E1, E4).
 *
 * Actions, see the table: @boot N (which memory the machine has; first step only), @fail INDEX
 * STATUS (that call of the next message fails; twice: two calls), @build N / @unbuild N (make the
 * N-th untyped busy, or idle), @shut (the next client has no room for capabilities). */
#include "fuzz/life/memd_life.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/text/generate.h"
#include "props/life/life.h"

const char harness_name[] = "memd_life";
const int harness_has_steps = 1;

enum { BOOT_COUNT = 4 };

enum { ACTION_BOOT, ACTION_FAIL, ACTION_BUILD, ACTION_UNBUILD, ACTION_SHUT };
static const struct life_action actions[] = {{"boot", 1},    {"fail", 2}, {"build", 1},
                                             {"unbuild", 1}, {"shut", 0}, {NULL, 0}};
static const struct life_language language = {SERVICE_MEMD, actions};

struct memd memd;
struct model_memd model;
struct memd_life life;

/* memd calls nobody: it is the lowest of the rank (E5). */
static const struct stand_in_peers nobody = {.strict = true};

/* --- start ----------------------------------------------------------------------------------- */

/* Empties the places that the last input used. */
static void memd_reset(void)
{
    memset(memd.accounts, 0, memd.account_places.used_count * sizeof memd.accounts[0]);
    memset(memd.frames, 0, memd.frame_places.used_count * sizeof memd.frames[0]);
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
    struct envelope envelope = {.role = ROLE_MEMD};
    stand_in_put(SLOT_SELF, stand_in_cap_to(OBJECT_KERNEL_SELF, 0));
    stand_in_put(SLOT_SERVICE_ENDPOINT, stand_in_cap_to(OBJECT_ENDPOINT, ROLE_MEMD));
    stand_in_put(SLOT_KERNEL_MEM_ENDPOINT, stand_in_cap_to(OBJECT_KERNEL_MEMORY, 0));
    for (uint32_t i = 0; i < 3 && sizes[which % BOOT_COUNT][i] != 0; i++)
        source_add(&envelope, i, sizes[which % BOOT_COUNT][i]);
    PROPERTY_EQUAL(M1, memd_init(&memd, &envelope), STATUS_OK);
    life.startup_slots = stand_in_slot_count();
    life.booted = true;
}

static void life_begin(void)
{
    memd_reset();
    stand_in_begin(&nobody);
    stand_in_clock_set(1000);
    model_memd_begin(&model);
    memset(&life, 0, sizeof life);
}

/* --- after each message ---------------------------------------------------------------------- */

static void check_reply_numbers(uint16_t operation, const struct model_memd_answer *answer)
{
    struct memd_close_account_reply closed;
    struct memd_query_account_reply account;
    struct memd_query_memory_reply memory;
    const struct message *reply = stand_in_reply();
    if (operation == OP_MEMD_CLOSE_ACCOUNT) {
        PROPERTY_EQUAL(E5, reply_decode(&memd_close_account_reply_type, reply, &closed), STATUS_OK);
        PROPERTY_EQUAL(M5, closed.released_pages, answer->released_pages);
    } else if (operation == OP_MEMD_QUERY_ACCOUNT) {
        PROPERTY_EQUAL(E5, reply_decode(&memd_query_account_reply_type, reply, &account),
                       STATUS_OK);
        PROPERTY(M1, memcmp(&account, &answer->account, sizeof account) == 0);
    } else if (operation == OP_MEMD_QUERY_MEMORY) {
        PROPERTY_EQUAL(E5, reply_decode(&memd_query_memory_reply_type, reply, &memory), STATUS_OK);
        PROPERTY(M1, memcmp(&memory, &answer->memory, sizeof memory) == 0);
        PROPERTY_EQUAL(M1, memory.total_pages,
                       memory.free_pages + memory.reserve_pages + memory.handed_out_pages);
    }
}

/* Books = model = kernel. */
static void check_books(void)
{
    const char *broken = memd_check(&memd);
    if (broken != NULL)
        property_failed(property_find(broken), "books", "memd_check", __FILE__, __LINE__);
    uint32_t frames = model_memd_count(&model, false);
    uint32_t untypeds = model_memd_count(&model, true);
    PROPERTY_EQUAL(M1, stand_in_frame_count(), frames);
    PROPERTY_EQUAL(M1, memd.taken_pages, model_memd_taken(&model));
    for (uint32_t i = 0; i < model.source_count; i++)
        PROPERTY_EQUAL(M1, stand_in_untyped(life.source_objects[i])->free_pages,
                       model.total_pages[i] - model.taken_pages[i]);
    for (uint32_t i = 0; i < model.holding_count; i++) {
        const struct model_holding *holding = &model.holdings[i];
        bool live = holding->untyped ? stand_in_untyped(holding->object)->live
                                     : stand_in_frame(holding->object)->live;
        PROPERTY(M1, live);
    }
    PROPERTY_EQUAL(M2, stand_in_slot_count_below(SLOT_DYNAMIC_BASE), life.startup_slots);
    PROPERTY_EQUAL(M1, stand_in_slot_count(), life.startup_slots + frames + untypeds);
}

static void digest_visit(void *context, uint64_t value)
{
    uint64_t *sum = context;
    *sum = stand_in_mix(*sum ^ value);
}

static uint64_t state_digest(void)
{
    uint64_t sum = 0;
    memd_visit_fields(&memd, digest_visit, &sum);
    digest_visit(&sum, stand_in_digest());
    return sum;
}

/* What the operation met, for the marks. */
static unsigned met_state(const struct message *request)
{
    uint64_t badge = request->header.badge;
    memd_link link = memd_account_by_badge(&memd, badge);
    unsigned state = badge == 0 ? 0 : link != 0 ? 1 : badge > ROLE_ID_MAX ? 2 : 3;
    if (link != 0) {
        const struct memd_account *account = &memd.accounts[link - 1];
        uint64_t used = account->frame_pages + account->untyped_pages;
        state |= used != 0 ? 4u : 0;
        state |= account->limit_pages - used < MEMD_ALLOC_FRAMES_MAX ? 8u : 0;
        state |= account->account_class == ACCOUNT_RESERVE ? 16u : 0;
    }
    state |= memd_pages_left(&memd) <= MEMD_RESERVE_PAGES + 4 ? 32u : 0;
    return state;
}

static enum status send(struct message *request)
{
    static struct memd_life_names names;
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    struct message message;
    struct receive_info info;
    memset(&message, 0, sizeof message);
    request->header.request_id = ++life.request_id;
    for (uint32_t i = 0; i < request->header.cap_count; i++) {
        uint32_t slot = SLOT_RECEIVE_BASE + i;
        caps[i] = stand_in_cap_to(OBJECT_ENDPOINT, ROLE_PROCD); /* no row takes one */
        memcpy(request->body + request->caps[i].field_offset, &slot, sizeof slot);
        request->caps[i] = (struct message_cap){
            .field_offset = request->caps[i].field_offset,
            .rights = (uint16_t)caps[i].rights,
            .object_type = OBJECT_ENDPOINT,
        };
    }
    unsigned state = met_state(request);
    uint64_t before = state_digest();
    memd_life_names_before(&names);
    stand_in_message_begin();
    stand_in_lose_reply(life.window_closed ? STATUS_BUSY : STATUS_OK);
    stand_in_deliver(SLOT_SERVICE_ENDPOINT, request, caps);
    PROPERTY_EQUAL(E5,
                   service_turn(&memd.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, memd_handle,
                                &memd, &message, &info),
                   STATUS_OK);
    PROPERTY(E5, stand_in_reply() != NULL);
    enum status status = (enum status)stand_in_reply()->header.status;
    struct stand_in_failures failures = stand_in_failures();
    struct model_memd_failure failure = {failures.count, failures.status, failures.calls_before,
                                         life.window_closed};
    struct model_memd_answer answer = model_memd_step(&model, request, &failure);
    life_predicted(answer.status, status);
    PROPERTY_EQUAL(M6, status, answer.status);
    PROPERTY(E5, stand_in_reply()->header.request_id == request->header.request_id);
    if (!answer.changed)
        PROPERTY_EQUAL(E1, state_digest(), before);
    memd_life_learn(request, &answer);
    if (status == STATUS_OK)
        check_reply_numbers(request->header.operation, &answer);
    else
        PROPERTY(E1, stand_in_reply()->header.body_bytes == 0 &&
                         stand_in_reply()->header.cap_count == 0);
    memd_life_names_after(&names);
    check_books();
    bool known = operation_find(SERVICE_MEMD, request->header.operation) != NULL;
    mark_triple("memd", state | (failures.count != 0 ? 64u : 0),
                known ? request->header.operation : 0, status);
    MARK_IF("memd: a frame stays charged because nobody could destroy it", answer.stuck);
    MARK_IF("memd: a close stopped half way",
            answer.changed && status != STATUS_OK &&
                request->header.operation == OP_MEMD_CLOSE_ACCOUNT);
    MARK_IF("memd: the last page of the reserve is out", memd_pages_left(&memd) == 0);
    life.window_closed = false;
    digest_u64(status);
    digest_bytes(stand_in_reply()->body, stand_in_reply()->header.body_bytes);
    return status;
}

/* --- generated messages
 * ---------------------------------------------------------------------------- */

static uint64_t some_badge(struct choices *choices)
{
    uint64_t which = choices_below(choices, model.account_count + 2);
    if (which < model.account_count)
        return model.accounts[which].badge; /* closed ones too: stale badges */
    return which == model.account_count ? ROLE_PAGERD : choices_u64(choices);
}

static uint32_t some_id(struct choices *choices, bool untyped)
{
    uint64_t how = choices_below(choices, 16);
    if (how == 0 && life.stale_count != 0)
        return (uint32_t)life.stale[choices_below(choices, life.stale_count) % STALE_LIMIT];
    if (how == 1)
        return choices_u32(choices) | 1;
    uint64_t skip = choices_below(choices, 64);
    uint32_t id = 1;
    for (uint32_t i = 0; i < model.holding_count; i++) {
        if (model.holdings[i].untyped != untyped || !model.holdings[i].named)
            continue;
        id = model.holdings[i].id;
        if (skip-- == 0)
            break;
    }
    return id;
}

/* The badge whose holding that is, so that most FREEs can be right. */
static uint64_t holder_of(uint32_t id, bool untyped)
{
    for (uint32_t i = 0; i < model.holding_count; i++)
        if (model.holdings[i].untyped == untyped && model.holdings[i].id == id)
            return model.accounts[model.holdings[i].account].badge;
    return 0;
}

static void generate_free_frames(struct choices *choices, struct memd_free_frames_request *request,
                                 uint64_t *badge)
{
    request->count = (uint32_t)choices_between(choices, 1, 6);
    request->frame_ids[0].frame_id = some_id(choices, false);
    *badge = holder_of(request->frame_ids[0].frame_id, false);
    uint64_t how = choices_below(choices, 8);
    for (uint32_t i = 1; i < request->count; i++)
        request->frame_ids[i].frame_id = some_id(choices, false);
    if (how == 0)
        return;
    /* Mostly: different frames of one account. */
    uint32_t count = 0;
    for (uint32_t i = 0; i < model.holding_count && count < request->count; i++)
        if (!model.holdings[i].untyped && model.accounts[model.holdings[i].account].badge == *badge)
            request->frame_ids[count++].frame_id = model.holdings[i].id;
    request->count = count == 0 ? 1 : count;
}

static uint64_t some_limit(struct choices *choices)
{
    static const uint64_t limits[] = {1000, 8, 0, 1, 3, 64, UINT64_MAX, UINT64_MAX - 1};
    uint64_t which = choices_below(choices, 9);
    return which < 8 ? limits[which] : choices_u64(choices);
}

static void generate(struct choices *choices, struct message *request)
{
    static const uint8_t weights[] = {0, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7};
    union {
        struct memd_open_account_request open;
        struct memd_close_account_request close;
        struct memd_alloc_frames_request alloc;
        struct memd_free_frames_request free_frames;
        struct memd_alloc_untyped_request alloc_untyped;
        struct memd_free_untyped_request free_untyped;
    } body;
    memset(&body, 0, sizeof body);
    uint16_t id = (uint16_t)(OP_MEMD_OPEN_ACCOUNT + weights[choices_below(choices, 14)]);
    uint64_t oddity = choices_below(choices, 16);
    uint64_t badge = some_badge(choices);
    if (id == OP_MEMD_OPEN_ACCOUNT) {
        body.open.limit_pages = some_limit(choices);
        body.open.account_class = choices_below(choices, 4) == 0 ? ACCOUNT_RESERVE : ACCOUNT_NORMAL;
        badge = 0;
    } else if (id == OP_MEMD_CLOSE_ACCOUNT) {
        uint64_t which = choices_below(choices, model.account_count + 1);
        body.close.account_id =
            which < model.account_count ? model.accounts[which].id : choices_u32(choices) | 1;
        badge = 0;
    } else if (id == OP_MEMD_ALLOC_FRAMES) {
        body.alloc.count = (uint32_t)choices_between(choices, 1, MEMD_ALLOC_FRAMES_MAX);
    } else if (id == OP_MEMD_FREE_FRAMES) {
        generate_free_frames(choices, &body.free_frames, &badge);
    } else if (id == OP_MEMD_ALLOC_UNTYPED) {
        body.alloc_untyped.pages = (uint32_t)choices_between(choices, 1, 80);
    } else if (id == OP_MEMD_FREE_UNTYPED) {
        body.free_untyped.untyped_id = some_id(choices, true);
        badge = holder_of(body.free_untyped.untyped_id, true);
    } else if (id == OP_MEMD_QUERY_MEMORY) {
        badge = 0;
    }
    generate_delivered(operation_find(SERVICE_MEMD, id)->request, &body, request);
    request->header.badge = oddity == 0 ? some_badge(choices) : badge;
    if (oddity == 1)
        request->body[choices_below(choices, MESSAGE_BODY_BYTES_MAX)] ^= choices_u8(choices);
    if (oddity == 2)
        request->header.body_bytes = (uint16_t)choices_below(choices, MESSAGE_BODY_BYTES_MAX + 1);
}

/* --- actions
 * --------------------------------------------------------------------------------------- */

static void act(const struct life_step *step)
{
    static const enum status failing[] = {
        STATUS_DENIED,   STATUS_BUSY,      STATUS_EXHAUSTED, STATUS_INVALID_ARGUMENT,
        STATUS_INTERNAL, STATUS_TIMED_OUT, STATUS_PEER_DIED, STATUS_UNSUPPORTED};
    uint64_t which = step->arguments[0];
    life_print_action(&language, step);
    switch (step->action) {
    case ACTION_FAIL:
        stand_in_fail((struct stand_in_failure){.after_calls = which % 128,
                                                .times = 1,
                                                .status = failing[step->arguments[1] % 8],
                                                .until_reply = true});
        break;
    case ACTION_BUILD:
    case ACTION_UNBUILD:
        for (uint32_t i = 0; i < model.holding_count; i++) {
            struct model_holding *holding = &model.holdings[i];
            if (!holding->untyped || which-- != 0)
                continue;
            holding->busy = step->action == ACTION_BUILD;
            stand_in_untyped_free_set(
                holding->object, stand_in_untyped(holding->object)->total_pages - holding->busy);
        }
        break;
    case ACTION_SHUT:
        life.window_closed = true;
        break;
    default:
        break;
    }
}

static void take(struct life_step *step)
{
    if (step->kind == LIFE_ACTION) {
        if (step->action == ACTION_BOOT && !life.booted) {
            life_print_action(&language, step);
            boot(step->arguments[0]);
        }
        if (life.booted)
            act(step);
        return;
    }
    if (!life.booted)
        boot(0);
    struct message request = step->message;
    if (step->kind == LIFE_GENERATED)
        generate(&step->choices, &request);
    life_print_request(&language, &request, 0);
    enum status status = send(&request);
    life_print_result(status);
    life_expect(step, status);
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
    life_begin();
    for (unsigned i = 0; i < LIFE_STEP_LIMIT && life_next(&input, &language, &step); i++)
        take(&step);
    digest_u64(state_digest());
    return 0;
}
