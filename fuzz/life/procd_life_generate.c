/* SPDX-License-Identifier: ISC */
/* Draws requests for procd's life: most name what exists, some what does not, a few are broken.
 * Reads the model, changes nothing. */
#include "fuzz/life/procd_life.h"

#include <string.h>

#include "abi/limits.h"
#include "abi/text/generate.h"
#include "abi/roles.h"

/* Drawn before the operation's own fields. */
static const struct peers_module *drawn_module;

static uint64_t below(void *context, uint64_t limit)
{
    return choices_below(context, limit);
}

static uint64_t known_id(struct choices *choices)
{
    uint64_t picked = choices_below(choices, model.count + 1);
    return picked < model.count ? model.processes[picked].id : choices_u16(choices);
}

static uint32_t known_role(struct choices *choices)
{
    static const uint32_t roles[] = {
        ROLE_PHASE0_PROBE, ROLE_PHASE0_EXIT,  ROLE_NAMED,  ROLE_DEVICED,
        ROLE_DRV_PS2_KBD,  ROLE_DRV_I8042,    ROLE_TIMED,  ROLE_MEMD,
        ROLE_PAGERD,       ROLE_VSPACED,      ROLE_ROOTD,  ROLE_PROCD,
        ROLE_LOADERD,      ROLE_TEST_HOSTILE, ROLE_TESTER, ROLE_TEST_SPIN,
    };
    uint64_t picked = choices_below(choices, sizeof roles / sizeof roles[0] + 1);
    return picked < sizeof roles / sizeof roles[0] ? roles[picked] : choices_u16(choices);
}

/* Overwrites a field by name with something that means something here. */
static bool hint(void *context, const struct message_type *type, const struct message_field *field,
                 uint64_t *value)
{
    struct choices *choices = context;
    (void)type;
    if (strcmp(field->name, "process_id") == 0)
        *value = known_id(choices);
    else if (strcmp(field->name, "role") == 0)
        *value = known_role(choices);
    else if (strcmp(field->name, "deadline_ticks") == 0)
        *value = stand_in_now() + choices_u8(choices);
    else
        return false;
    return true;
}

/* A module, for a role, from the image slot when the request names one. */
static void draw_order(struct choices *choices, struct life_draft *draft, uint32_t image_slot)
{
    draft->body[0] = known_role(choices) | (uint64_t)image_slot << 32;
    draft->body[1] = drawn_module->offset_bytes;
    draft->body[2] = drawn_module->size_bytes;
}

/* Data for the role that has some, or for any; of SPAWN_SERVICE, an argument. */
static void draw_data(uint64_t drawn, struct life_draft *draft)
{
    if (drawn != 0)
        draft->body[0] = ROLE_IMAGEFSD;
    draft->body[3] = drawn * PAGE_BYTES;
    draft->body[4] = drawn % 2 == 0 ? drawn_module->size_bytes : 600 * PAGE_BYTES;
}

/* Now and then with fewer pages of its own than the role may have, or with more. */
void draw_making(struct choices *choices, struct life_draft *draft)
{
    uint64_t drawn = choices_u8(choices);
    draw_order(choices, draft, drawn < 192 ? 0 : (uint32_t)(drawn - 188) * 4);
    if (drawn >= 188 && drawn < 192)
        draw_data(drawn - 188, draft);
}

void draw_spawn(struct choices *choices, struct life_draft *draft)
{
    draw_order(choices, draft, SLOT_IMAGE);
}

void draw_named(struct choices *choices, struct life_draft *draft)
{
    draft->body[0] = known_id(choices);
}

void draw_wait(struct choices *choices, struct life_draft *draft)
{
    draft->body[0] = known_id(choices);
    draft->body[1] = stand_in_now() + choices_u8(choices);
}

/* What makes it dear enough for a client. */
static void pay(struct procd_set_restart_policy_request *request)
{
    request->base_delay_ticks += RESTART_CLIENT_DELAY_TICKS_MIN;
    request->delay_cap_ticks += RESTART_CLIENT_DELAY_TICKS_MIN;
    request->window_ticks += RESTART_CLIENT_WINDOW_TICKS_MIN;
}

/* Delays that a life of a few steps can meet. */
void draw_policy(struct choices *choices, struct life_draft *draft)
{
    struct procd_set_restart_policy_request request = {
        .process_id = known_id(choices),
        .policy = (uint32_t)choices_below(choices, RESTART_POLICY_LAST + 1),
        .critical = choices_below(choices, 16) == 1,
        .base_delay_ticks = choices_below(choices, 64),
        .delay_cap_ticks = choices_u8(choices),
        .stable_after_ticks = choices_u8(choices),
        .window_ticks = choices_u16(choices),
        .ready_ticks = choices_below(choices, 64),
        .budget_count = (uint32_t)choices_below(choices, 8),
    };
    if (draft->badge != 0 && request.stable_after_ticks % 4 != 0)
        pay(&request);
    memcpy(draft->body, &request, sizeof request);
}

static uint64_t badge_of(const struct model_procd_process *process)
{
    return process->id << 16 | process->role;
}

/* By an inspector, when there is one. */
static void draw_inspector(struct life_draft *draft)
{
    draft->on = 0;
    for (uint32_t i = 0; i < model.count; i++) {
        if (model.processes[i].role == ROLE_CONSOLE)
            draft->badge = badge_of(&model.processes[i]);
    }
}

void draw_list(struct choices *choices, struct life_draft *draft)
{
    draft->body[0] = choices_below(choices, 16);
    draw_inspector(draft);
}

void draw_slot(struct choices *choices, struct life_draft *draft)
{
    draft->body[0] = known_id(choices);
    draft->body[1] = choices_flag(choices) ? choices_below(choices, 64) : choices_u16(choices);
    draw_inspector(draft);
}

/* Mostly of one that may have made something. */
static const struct model_procd_process *draw_client(struct choices *choices)
{
    const struct model_procd_process *client =
        &model.processes[choices_below(choices, model.count)];
    for (uint32_t i = 0; i < model.count && role_find(client->role)->makes == 0; i++)
        client = &model.processes[i];
    return client;
}

/* By one that may make something. */
void draw_notice(struct choices *choices, struct life_draft *draft)
{
    if (model.count != 0)
        draft->badge = badge_of(draw_client(choices));
}

static uint64_t pick_badge(struct choices *choices)
{
    uint64_t picked = choices_below(choices, 8);
    if (picked < 3)
        return 0;
    if (picked < 6 && model.count != 0)
        return badge_of(draw_client(choices));
    if (picked == 6 && model.count != 0)
        return badge_of(&model.processes[choices_below(choices, model.count)]);
    return choices_flag(choices) ? choices_u16(choices) : 0;
}

void procd_life_generate(struct choices *choices, struct life_draft *draft)
{
    struct generator generator = {.below = below, .hint = hint, .context = choices};
    life_draw_operation(&procd_life_language, choices, draft);
    const struct operation *row = operation_find(SERVICE_PROCD, draft->operation);
    draft->badge = pick_badge(choices);
    draft->on = choices_below(choices, 4) == 1;
    uint64_t how = choices_below(choices, 16);
    generate_valid(&generator, row->request, draft->body);
    if (how < 12) {
        /* Most requests name what exists; without this almost every one would be refused at once. */
        bool first = choices_flag(choices);
        drawn_module = &peers_modules[first ? 0 : choices_below(choices, PEERS_PROCD_DRAWN)];
        if (draft->row->draw != NULL)
            draft->row->draw(choices, draft);
    }
    if (how == 15)
        generate_violation(&generator, row->request, draft->body);
}
