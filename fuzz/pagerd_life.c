/* SPDX-License-Identifier: ISC */
/* Lives of pagerd: messages of procd and of the kernel, against the model, over the stand-in for
 * the kernel, memd and vspaced (pagerd_standin.h). After every step the replies, calls and answers
 * are the model's, in order; pagerd_check holds; a refusal left the state as it was; nothing
 * leaked. At the end everything that waits is answered once memory is there, and every process can
 * be forgotten.
 *
 * The result of a FAULT, for traces and marks: OK (resolved), RETRY (its faulter waits), PAGE_FAULT
 * (its process ends). In a literal the number in a capability field names the object: the vspace,
 * or the account. Actions:
 *
 *   @time TICKS           time passes, then pagerd ticks
 *   @wake                 sleeps until pagerd's own deadline, then it ticks
 *   @memory PAGES         pages that memd has free
 *   @limit ACCOUNT PAGES  what the account may hold
 *   @fail K STATUS N LATE the K-th call from now and N - 1 after it fail; LATE: only the answer is
 * lost
 *   @gone I               the I-th waiting faulter dies
 *   @crowd N              N processes with one window each register (once a life); more than CROWD_MAX
 *                         only in a .trace: a full table is too slow to fuzz */
#include <string.h>

#include "abi/codec.h"
#include "abi/generate.h"
#include "fuzz/harness.h"
#include "fuzz/pagerd_standin.h"
#include "props/life.h"
#include "props/model_pagerd.h"
#include "services/pagerd/pagerd.h"

const char harness_name[] = "pagerd_life";
const int harness_has_steps = 1;

enum {
    STEPS_MAX = 400,
    CROWD_TOKEN = 1000,
    CROWD_MAX = 20,
    TIME_MAX = 1 << 20,
    ACTION_TIME = 0,
    ACTION_WAKE,
    ACTION_MEMORY,
    ACTION_LIMIT,
    ACTION_FAIL,
    ACTION_GONE,
    ACTION_CROWD
};

static const struct life_action actions[] = {
    {"time", 1}, {"wake", 0}, {"memory", 1}, {"limit", 2},
    {"fail", 4}, {"gone", 1}, {"crowd", 1},  {NULL, 0},
};

static const struct life_language language = {SERVICE_PAGERD, actions};

static struct pagerd pagerd;
static struct model_pagerd model;

struct life {
    uint64_t now;
    uint64_t request_id;
    bool crowded;
};

size_t harness_assemble(const char *text, size_t text_bytes, uint8_t *bytes, size_t limit_bytes,
                        char *problem, size_t problem_bytes)
{
    return life_assemble(&language, text, text_bytes, bytes, limit_bytes, problem, problem_bytes);
}

/* --- what must hold after every step
 * ---------------------------------------------------------------- */

static void check_all(void)
{
    PROPERTY("G1-check", pagerd_check(&pagerd));
    PROPERTY_EQUAL("G5-deadline", pagerd_next_deadline(&pagerd), model_pagerd_deadline(&model));
    standin_check(&model);
}

/* What an operation depends on. */
static unsigned state_number(void)
{
    unsigned state = model.process_count != 0;
    for (unsigned i = 0; i < model.fill_count; i++)
        state |= model.fills[i].parked ? 2u : 4u;
    return state | (model.process_count == MODEL_PAGERD_PROCESSES ? 8u : 0u);
}

static void mark_ending(uint32_t reason)
{
    static const char *const names[] = {
        [END_FAULT_OUTSIDE] = "pagerd: ended outside",
        [END_FAULT_NULL_PAGE] = "pagerd: ended on the null page",
        [END_FAULT_GUARD] = "pagerd: ended on a guard",
        [END_FAULT_READ_DENIED] = "pagerd: ended reading",
        [END_FAULT_WRITE_DENIED] = "pagerd: ended writing",
        [END_FAULT_EXECUTE_DENIED] = "pagerd: ended executing",
        [END_FAULT_PAGE_LIMIT] = "pagerd: ended at the page limit",
        [END_FAULT_BACKING] = "pagerd: ended without backing",
    };
    if (reason >= END_FAULT_OUTSIDE && reason <= END_FAULT_BACKING)
        mark_name(names[reason]);
}

static void mark_answers(void)
{
    struct pagerd_log log = standin_log();
    for (unsigned i = 0; i < log.count; i++)
        if (log.events[i].act == ACT_ANSWER)
            mark_ending((uint32_t)log.events[i].what[3]);
}

/* --- messages
 * ------------------------------------------------------------------------------------------- */

/* The same message for the model, decoded if it can be. */
static struct model_pagerd_message model_message(const struct message *message,
                                                 const struct receive_info *info)
{
    struct model_pagerd_message told = {
        .operation = message->header.operation,
        .badge = info->badge,
        .slot = info->reply_slot,
        .request_id = message->header.request_id,
    };
    const struct operation *operation = operation_find(SERVICE_PAGERD, told.operation);
    if (operation == NULL)
        operation =
            told.operation == OP_EVENT_FAULT ? operation_find(SERVICE_EVENT, OP_EVENT_FAULT) : NULL;
    if (operation != NULL)
        told.decoded = message_decode(operation->request, message, &told.body);
    if (told.operation == OP_PAGERD_REGISTER_PROCESS && told.decoded == STATUS_OK) {
        told.vspace = standin_object(told.body.reg.vspace_slot);
        told.account = standin_object(told.body.reg.account_slot);
    }
    return told;
}

/* How a fault went: the answer that its slot got by itself. */
static enum status fault_result(uint32_t reply_slot)
{
    struct pagerd_log log = standin_log();
    for (unsigned i = 0; i < log.count; i++)
        if (log.events[i].act == ACT_ANSWER && log.events[i].what[0] == reply_slot)
            return log.events[i].what[2] == FAULT_RESOLVED ? STATUS_OK : STATUS_PAGE_FAULT;
    return STATUS_RETRY;
}

/* The reply is the model's, byte by byte. */
static enum status check_reply(const struct message *message, const struct model_pagerd_reply *want,
                               uint64_t request_id)
{
    const struct operation *operation = operation_find(SERVICE_PAGERD, message->header.operation);
    if (operation == NULL)
        operation = operation_find(SERVICE_EVENT, message->header.operation);
    PROPERTY_EQUAL("G1-status", message->header.status, want->status);
    PROPERTY_EQUAL("E5-request-id", message->header.request_id, request_id);
    PROPERTY("E5-caps", message->header.cap_count == 0);
    if (want->status != STATUS_OK) {
        PROPERTY_EQUAL("E1-bare", message->header.body_bytes, 0);
        return want->status;
    }
    PROPERTY("E5-row", operation != NULL);
    PROPERTY_EQUAL("E5-length", message->header.body_bytes, operation->reply->max_bytes);
    PROPERTY("G1-body", memcmp(message->body, &want->body, message->header.body_bytes) == 0);
    digest_bytes(message->body, message->header.body_bytes);
    if (message->header.operation != OP_EVENT_FAULT)
        return STATUS_OK;
    mark_ending(want->body.fault.reason);
    return want->body.fault.verdict == FAULT_RESOLVED ? STATUS_OK : STATUS_PAGE_FAULT;
}

/* Delivers one message as the loop would and follows the model. `sent` names objects in its
 * capability fields; the sender is header.badge. */
static enum status send(struct life *life, const struct message *sent, bool thorough)
{
    static struct message message;
    struct receive_info info = {
        .badge = sent->header.badge,
        .now_ticks = life->now,
        .endpoint_slot = SLOT_SERVICE_ENDPOINT,
        .reply_slot = standin_caller(),
        .cap_count = sent->header.cap_count,
        .window_slot = SLOT_RECEIVE_BASE,
    };
    if (info.reply_slot == 0)
        return STATUS_EXHAUSTED; /* the kernel would not let pagerd receive */
    message = *sent;
    message.header.request_id = ++life->request_id;
    standin_deliver(&message);
    standin_log_clear();
    struct model_pagerd_message told = model_message(&message, &info);
    unsigned state = state_number();
    uint64_t before = thorough ? pagerd_digest(&pagerd) : 0;
    enum handled handled = pagerd_handle(&pagerd, &message, &info);
    struct pagerd_log log = standin_log();
    struct model_pagerd_reply want = model_pagerd_handle(&model, life->now, &told, &log);
    PROPERTY_EQUAL("G1-handled", handled == HANDLED_LATER, want.later);
    enum status result =
        want.later ? fault_result(info.reply_slot) : check_reply(&message, &want, life->request_id);
    if (handled == HANDLED_REPLY)
        standin_replied(info.reply_slot);
    standin_drop_window();
    mark_answers();
    mark_triple("pagerd", state, sent->header.operation, result);
    digest_u64(result);
    if (!thorough)
        return result;
    if (!want.later && want.status != STATUS_OK)
        PROPERTY_EQUAL("E1-refusal", pagerd_digest(&pagerd), before);
    check_all();
    return result;
}

static void tick(struct life *life)
{
    standin_log_clear();
    pagerd_tick(&pagerd, life->now);
    struct pagerd_log log = standin_log();
    model_pagerd_tick(&model, life->now, &log);
    mark_answers();
    digest_u64(log.used);
    check_all();
}

/* --- generated messages
 * ---------------------------------------------------------------------------------- */

static uint64_t pick_token(struct choices *choices)
{
    uint64_t which = choices_below(choices, (uint64_t)model.process_count + 1);
    return which < model.process_count ? model.processes[which].token : choices_below(choices, 12);
}

static uint64_t pick_va(struct choices *choices, const struct model_pagerd_process *process)
{
    static const uint64_t odd[] = {0,          PAGE_BYTES - 1, USER_VA_END, UINT64_C(1) << 63,
                                   UINT64_MAX, USER_VA_FIRST};
    uint64_t which = choices_below(choices, process != NULL ? process->area_count + 1 : 1);
    if (process == NULL || which == process->area_count)
        return odd[choices_below(choices, sizeof odd / sizeof odd[0])];
    const struct pagerd_area *area = &process->areas[which];
    uint64_t pages = area->memory_bytes / PAGE_BYTES + 2;
    uint64_t page = choices_below(choices, pages < 5 ? pages : 5);
    return area->va + page * PAGE_BYTES + choices_below(choices, PAGE_BYTES);
}

static void make_fault(struct choices *choices, struct event_fault_request *fault)
{
    const struct model_pagerd_process *process = NULL;
    fault->token = pick_token(choices);
    for (unsigned i = 0; i < model.process_count; i++)
        if (model.processes[i].token == fault->token)
            process = &model.processes[i];
    fault->va = pick_va(choices, process);
    fault->access = (uint32_t)choices_below(choices, 3);
    fault->present = choices_below(choices, 8) == 7;
}

/* A sound area behind `va`; where it ends. */
static uint64_t make_area(struct choices *choices, uint64_t va, uint64_t image_offset,
                          struct pagerd_area *area)
{
    static const struct {
        uint32_t kind;
        uint32_t rights;
    } sorts[] = {
        {AREA_SEGMENT, RIGHT_READ | RIGHT_WRITE},
        {AREA_WINDOW, RIGHT_READ | RIGHT_WRITE},
        {AREA_SEGMENT, RIGHT_READ | RIGHT_EXECUTE},
        {AREA_GUARD, 0},
        {AREA_SEGMENT, RIGHT_READ},
        {AREA_WINDOW, RIGHT_READ},
    };
    uint64_t sort = choices_below(choices, sizeof sorts / sizeof sorts[0]);
    uint64_t pages = 1 + choices_below(choices, 4);
    uint64_t cut = choices_below(choices, 3) * 1000;
    area->kind = sorts[sort].kind;
    area->rights = sorts[sort].rights;
    area->va = va + choices_below(choices, 2) * PAGE_BYTES;
    area->memory_bytes = pages * PAGE_BYTES - cut;
    if (area->kind == AREA_SEGMENT) {
        uint64_t some = choices_below(choices, 3) * PAGE_BYTES + choices_below(choices, PAGE_BYTES);
        bool whole = (area->rights & RIGHT_EXECUTE) != 0 || some > area->memory_bytes;
        area->file_bytes = whole ? area->memory_bytes : some;
        area->file_offset = image_offset + choices_below(choices, 4) * PAGE_BYTES;
    }
    return area->va + pages * PAGE_BYTES;
}

static void break_area(struct choices *choices, struct pagerd_area *area)
{
    static const uint64_t odd[] = {
        0, 1, PAGE_BYTES, USER_VA_END - PAGE_BYTES, UINT64_MAX, UINT64_MAX - PAGE_BYTES + 1};
    uint64_t value = odd[choices_below(choices, sizeof odd / sizeof odd[0])];
    switch (choices_below(choices, 6)) {
    case 0:
        area->kind = (uint32_t)choices_below(choices, 4);
        break;
    case 1:
        area->rights = (uint32_t)choices_below(choices, 8) * RIGHT_READ;
        break;
    case 2:
        area->va = value;
        break;
    case 3:
        area->memory_bytes = value;
        break;
    case 4:
        area->file_offset = value;
        break;
    default:
        area->file_bytes = value;
        break;
    }
}

static void make_register(struct choices *choices, struct pagerd_register_process_request *request)
{
    uint64_t va = PAGE_BYTES * (1 + choices_below(choices, 4));
    request->token = choices_below(choices, 12);
    request->vspace_slot = 1 + (uint32_t)choices_below(choices, 12);
    request->account_slot = 1 + (uint32_t)choices_below(choices, 4);
    request->image_offset = PAGE_BYTES * choices_below(choices, 3);
    request->image_bytes = 8 * PAGE_BYTES - choices_below(choices, 2) * 100;
    request->page_limit = (uint32_t)choices_below(choices, 12);
    request->area_count = 1 + (uint32_t)choices_below(choices, 5);
    for (uint32_t i = 0; i < request->area_count; i++)
        va = make_area(choices, va, request->image_offset, &request->areas[i]);
    if (choices_below(choices, 6) == 5)
        break_area(choices, &request->areas[choices_below(choices, request->area_count)]);
}

static void make_resolve(struct choices *choices, struct pagerd_resolve_fault_request *request)
{
    uint64_t which = choices_below(choices, (uint64_t)model.fill_count + 2);
    request->fault_id = which < model.fill_count    ? model.fills[which].id
                        : which == model.fill_count ? 0
                                                    : choices_below(choices, 40);
    request->action = (uint32_t)choices_below(choices, 2);
    uint64_t reason = choices_below(choices, END_REASON_LAST + 1);
    bool fits = request->action == RESOLVE_END && reason >= END_FAULT_OUTSIDE;
    if (fits || choices_below(choices, 6) == 5)
        request->reason = (uint32_t)reason;
    else if (request->action == RESOLVE_END)
        request->reason = END_FAULT_BACKING;
}

static uint64_t draw(void *context, uint64_t limit)
{
    return choices_below(context, limit);
}

/* A message of any operation, by its row alone, with one field outside its constraint. */
static void make_violation(struct choices *choices, struct message *message)
{
    static const uint16_t ids[] = {OP_PAGERD_REGISTER_PROCESS, OP_PAGERD_UNREGISTER_PROCESS,
                                   OP_PAGERD_RESOLVE_FAULT, OP_PAGERD_QUERY_FAULTS, OP_EVENT_FAULT};
    uint16_t id = ids[choices_below(choices, sizeof ids / sizeof ids[0])];
    const struct operation *operation =
        operation_find(id == OP_EVENT_FAULT ? SERVICE_EVENT : SERVICE_PAGERD, id);
    struct generator generator = {.below = draw, .context = choices};
    uint64_t body[MESSAGE_BODY_BYTES_MAX / 8] = {0};
    generate_valid(&generator, operation->request, body);
    generate_violation(&generator, operation->request, body);
    generate_delivered(operation->request, body, message);
    message->header.badge = id == OP_EVENT_FAULT ? BADGE_KERNEL : 0;
}

/* One who may not, or asks what nobody answers. */
static void make_stranger(struct choices *choices, struct message *message)
{
    static const uint64_t badges[] = {ROLE_PROCD, BADGE_KERNEL, 0, BADGE_KERNEL - 1};
    make_violation(choices, message);
    message->header.badge = badges[choices_below(choices, sizeof badges / sizeof badges[0])];
    if (choices_below(choices, 4) == 3)
        message->header.operation = (uint16_t)choices_below(choices, UINT16_MAX + 1);
    if (choices_below(choices, 8) == 7)
        message->header.version = 2;
}

static void generate(struct choices *choices, struct message *message)
{
    union {
        struct event_fault_request fault;
        struct pagerd_register_process_request reg;
        struct pagerd_unregister_process_request unregister;
        struct pagerd_resolve_fault_request resolve;
        struct pagerd_query_faults_request query;
    } request = {0};
    const struct message_type *type = &event_fault_request_type;
    memset(&request, 0, sizeof request);
    unsigned kind = choices_u8(choices) % 20;
    if (kind >= 18) {
        kind == 18 ? make_violation(choices, message) : make_stranger(choices, message);
        return;
    }
    if (kind < 9) {
        make_fault(choices, &request.fault);
    } else if (kind < 12) {
        type = &pagerd_register_process_request_type;
        make_register(choices, &request.reg);
    } else if (kind < 14) {
        type = &pagerd_unregister_process_request_type;
        request.unregister.token = pick_token(choices);
    } else if (kind < 17) {
        type = &pagerd_resolve_fault_request_type;
        make_resolve(choices, &request.resolve);
    } else {
        type = &pagerd_query_faults_request_type;
        request.query.token = pick_token(choices);
    }
    generate_delivered(type, &request, message);
    message->header.badge = kind < 9 ? BADGE_KERNEL : 0;
}

/* --- steps
 * -------------------------------------------------------------------------------------------------
 */

static void crowd(struct life *life, uint64_t count)
{
    if (life->crowded)
        return;
    life->crowded = true;
    uint64_t most = trace_expects ? MODEL_PAGERD_PROCESSES : CROWD_MAX;
    for (uint64_t i = 0; i < count % (most + 1); i++) {
        struct pagerd_register_process_request request = {
            .token = CROWD_TOKEN + i,
            .vspace_slot = CROWD_TOKEN + (uint32_t)i,
            .account_slot = 1,
            .page_limit = 2,
            .area_count = 1,
            .areas = {{AREA_WINDOW, RIGHT_READ | RIGHT_WRITE, USER_VA_FIRST, PAGE_BYTES, 0, 0}},
        };
        struct message message;
        memset(&message, 0, sizeof message);
        generate_delivered(&pagerd_register_process_request_type, &request, &message);
        send(life, &message, false);
    }
    check_all();
}

static void act(struct life *life, const struct life_step *step)
{
    const uint64_t *arguments = step->arguments;
    switch (step->action) {
    case ACTION_TIME:
        life->now += arguments[0] % TIME_MAX;
        tick(life);
        break;
    case ACTION_WAKE:
        if (pagerd_next_deadline(&pagerd) == DEADLINE_NEVER)
            break;
        if (pagerd_next_deadline(&pagerd) > life->now)
            life->now = pagerd_next_deadline(&pagerd);
        tick(life);
        break;
    case ACTION_MEMORY:
        standin_free_pages(arguments[0]);
        break;
    case ACTION_LIMIT:
        standin_account_limit(arguments[0], arguments[1]);
        break;
    case ACTION_FAIL:
        standin_fail(arguments[0] % 16, (enum status)(1 + arguments[1] % (STATUS_COUNT - 1)),
                     arguments[2] % 5, arguments[3] % 2 != 0);
        break;
    case ACTION_GONE:
        standin_caller_gone(arguments[0]);
        break;
    default:
        crowd(life, arguments[0]);
        break;
    }
}

static void take_step(struct life *life, struct life_step *step)
{
    if (step->kind == LIFE_ACTION) {
        life_print_action(&language, step);
        act(life, step);
        return;
    }
    if (step->kind == LIFE_GENERATED)
        generate(&step->choices, &step->message);
    enum status result = send(life, &step->message, true);
    life_print(&language, &step->message, 0, result);
    life_expect(step, result);
}

/* Faults off and memory there: everything finishes (G5), and everything can be forgotten. */
static void finish(struct life *life)
{
    standin_calm();
    for (unsigned i = 0; i < 64 && pagerd_next_deadline(&pagerd) != DEADLINE_NEVER; i++) {
        if (pagerd_next_deadline(&pagerd) > life->now)
            life->now = pagerd_next_deadline(&pagerd);
        tick(life);
    }
    PROPERTY_EQUAL("G5-liveness", standin_waiting(), 0);
    while (model.process_count != 0) {
        struct pagerd_unregister_process_request request = {model.processes[0].token};
        struct message message;
        memset(&message, 0, sizeof message);
        generate_delivered(&pagerd_unregister_process_request_type, &request, &message);
        PROPERTY_EQUAL("E6-unregister", send(life, &message, false), STATUS_OK);
    }
    check_all();
    PROPERTY_EQUAL("E6-empty", pagerd.registration_count, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    static struct life_step step;
    struct choices input = harness_begin(bytes, size_bytes);
    struct life life = {0};
    pagerd_reset(&pagerd);
    model_pagerd_reset(&model);
    standin_reset();
    for (unsigned i = 0; i < STEPS_MAX && life_next(&input, &language, &step); i++)
        take_step(&life, &step);
    digest_u64(pagerd_digest(&pagerd));
    finish(&life);
    return 0;
}
