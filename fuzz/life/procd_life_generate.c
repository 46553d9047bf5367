/* SPDX-License-Identifier: ISC */
/* Draws requests for procd's life harness: most name what exists, some what does not, a few are
 * broken. Reads the model, changes nothing. */
#include "fuzz/life/procd_life_generate.h"

#include <string.h>

#include "abi/text/generate.h"
#include "abi/roles.h"
#include "props/stand_ins/peers_of_procd.h"

struct drawing {
    struct choices *choices;
    const struct model_procd *model;
};

static uint64_t below(void *context, uint64_t limit)
{
    return choices_below(((struct drawing *)context)->choices, limit);
}

static uint64_t known_id(struct choices *choices, const struct model_procd *model)
{
    uint64_t picked = choices_below(choices, model->count + 1);
    return picked < model->count ? model->processes[picked].id : choices_u16(choices);
}

static uint32_t known_role(struct choices *choices)
{
    static const uint32_t roles[] = {
        ROLE_PHASE0_PROBE, ROLE_PHASE0_EXIT, ROLE_NAMED, ROLE_DEVICED,
        ROLE_DRV_PS2_KBD,  ROLE_DRV_I8042,   ROLE_TIMED, ROLE_MEMD,
        ROLE_PAGERD,       ROLE_VSPACED,     ROLE_ROOTD, ROLE_PROCD,
    };
    uint64_t picked = choices_below(choices, sizeof roles / sizeof roles[0] + 1);
    return picked < sizeof roles / sizeof roles[0] ? roles[picked] : choices_u16(choices);
}

/* Overwrites a field by name with something that means something here. */
static bool hint(void *context, const struct message_type *type, const struct message_field *field,
                 uint64_t *value)
{
    struct choices *choices = ((struct drawing *)context)->choices;
    const struct model_procd *model = ((struct drawing *)context)->model;
    (void)type;
    if (strcmp(field->name, "process_id") == 0)
        *value = known_id(choices, model);
    else if (strcmp(field->name, "role") == 0)
        *value = known_role(choices);
    else if (strcmp(field->name, "deadline_ticks") == 0)
        *value = stand_in_now() + choices_u8(choices);
    else
        return false;
    return true;
}

static uint16_t pick_operation(struct choices *choices)
{
    static const uint16_t often[] = {
        OP_PROCD_CREATE_STAGED_PROCESS,
        OP_PROCD_START_STAGED_PROCESS,
        OP_PROCD_ABORT_STAGED_PROCESS,
        OP_PROCD_STOP_PROCESS,
        OP_PROCD_WAIT_PROCESS_EVENT,
        OP_PROCD_QUERY_PROCESS,
        OP_PROCD_SPAWN,
        OP_PROCD_SPAWN_SERVICE,
    };
    uint64_t picked = choices_below(choices, 16);
    if (picked < 14)
        return often[picked % 8];
    return (uint16_t)(OP_PROCD_SPAWN + choices_below(choices, 18)); /* also one that is no row */
}

/* Most requests name what exists; without this almost every one would be refused at once. */
static void make_sensible(struct choices *choices, const struct model_procd *model,
                          uint16_t operation, uint64_t *words)
{
    const struct peers_module *module =
        &peers_modules[choices_flag(choices) ? 0 : choices_below(choices, PEERS_PROCD_MODULES)];
    switch (operation) {
    case OP_PROCD_CREATE_STAGED_PROCESS:
    case OP_PROCD_SPAWN:
    case OP_PROCD_SPAWN_SERVICE: {
        uint32_t first = known_role(choices);
        uint32_t second = operation == OP_PROCD_SPAWN ? SLOT_IMAGE : 0;
        words[0] = first | (uint64_t)second << 32;
        words[1] = module->offset_bytes;
        words[2] = module->size_bytes;
        return;
    }
    case OP_PROCD_START_STAGED_PROCESS:
    case OP_PROCD_ABORT_STAGED_PROCESS:
    case OP_PROCD_STOP_PROCESS:
    case OP_PROCD_QUERY_PROCESS:
        words[0] = known_id(choices, model);
        return;
    case OP_PROCD_WAIT_PROCESS_EVENT:
        words[0] = known_id(choices, model);
        words[1] = stand_in_now() + choices_u8(choices);
        return;
    default:
        return;
    }
}

static uint64_t pick_badge(struct choices *choices, const struct model_procd *model)
{
    uint64_t picked = choices_below(choices, 8);
    if (picked < 5)
        return 0;
    if (picked == 5 && model->count != 0)
        return model->processes[choices_below(choices, model->count)].role;
    return picked == 6 ? ROLE_DEVICED : choices_u16(choices);
}

bool procd_generate(struct choices *choices, const struct model_procd *model, struct generated *out)
{
    struct drawing drawing = {choices, model};
    struct generator generator = {.below = below, .hint = hint, .context = &drawing};
    memset(out, 0, sizeof *out);
    out->row = operation_find(SERVICE_PROCD, pick_operation(choices));
    out->badge = pick_badge(choices, model);
    out->on_driver = choices_below(choices, 4) == 1;
    if (out->row == NULL)
        return false;
    uint64_t how = choices_below(choices, 16);
    generate_valid(&generator, out->row->request, out->body);
    if (how < 12)
        make_sensible(choices, model, out->row->id, out->body);
    if (how == 15)
        generate_violation(&generator, out->row->request, out->body);
    return true;
}
