/* SPDX-License-Identifier: ISC */
/* Walks all of loaderd's clients, programs and the launch in hand: could each stand where it stands.
 * Decides nothing and changes nothing. */
#include <stddef.h>

#include "services/loaderd/internal.h"

/* --- clients and programs --------------------------------------------------------------------- */

/* How often a number occurs among all programs. */
static uint32_t count_of(const struct loaderd *loaderd, uint64_t process_id)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT * LOADERD_PLACES; i++) {
        const struct loaderd_program *program =
            &loaderd->clients[i / LOADERD_PLACES].programs[i % LOADERD_PLACES];
        count += program->life != LOADERD_LIFE_NONE && program->process_id == process_id;
    }
    return count;
}

static bool program_is_sound(const struct loaderd *loaderd, const struct loaderd_program *program)
{
    if (program->life == LOADERD_LIFE_NONE)
        return program->process_id == 0 && program->order == 0 && program->pages == 0 &&
               !program->is_asked && !program->is_open;
    bool ended = program->life == LOADERD_LIFE_ENDED;
    return program->life <= LOADERD_LIFE_ENDED && program->process_id != 0 && program->order != 0 &&
           program->order <= loaderd->last_order && ended == (program->reason != END_NONE) &&
           !(ended && (program->is_asked || program->is_open)) &&
           count_of(loaderd, program->process_id) == 1;
}

/* Somebody waits for one that runs (X3). */
static bool wait_is_sound(const struct loaderd_client *client)
{
    const struct loaderd_wait *wait = &client->wait;
    for (uint32_t i = 0; i < LOADERD_PLACES; i++) {
        if (client->programs[i].process_id == wait->process_id)
            return wait->process_id == 0 || (client->programs[i].life == LOADERD_LIFE_RUNNING &&
                                             wait->reply_slot != SLOT_NULL);
    }
    return wait->process_id == 0;
}

static const char *check_client(const struct loaderd *loaderd, uint32_t index)
{
    const struct loaderd_client *client = &loaderd->clients[index];
    bool has_any = client->launch.path_count != 0 || client->wait.process_id != 0;
    for (uint32_t i = 0; i < LOADERD_PLACES; i++) {
        if (!program_is_sound(loaderd, &client->programs[i]))
            return "X3";
        has_any = has_any || client->programs[i].life != LOADERD_LIFE_NONE;
    }
    if (!wait_is_sound(client))
        return "X3";
    if (!loaderd_client_has_room(client, 0))
        return "X5";
    for (uint32_t i = 0; i < index; i++) {
        if (client->role != ROLE_NONE && loaderd->clients[i].role == client->role)
            return "X4";
    }
    return has_any == (client->role != ROLE_NONE) &&
                   client->launch.path_count <= FILE_PATH_BYTES_MAX
               ? NULL
               : "X4";
}

/* --- the launch in hand ----------------------------------------------------------------------- */

/* A transfer is open from BEGIN to COMMIT, a handle from OPEN on, and nothing else is owed meanwhile
 * (X2). */
static bool work_is_sound(const struct loaderd *loaderd)
{
    const struct loaderd_work *work = &loaderd->work;
    bool sends = work->stage == LOADERD_READ_AGAIN || work->stage == LOADERD_COMMIT;
    if (work->stage > LOADERD_COMMIT || work->client >= LOADERD_CLIENT_LIMIT ||
        (work->owes & ~(uint32_t)LOADERD_OWES_ALL) != 0)
        return false;
    if (work->stage == LOADERD_IDLE)
        return true;
    return loaderd->clients[work->client].launch.path_count != 0 && work->stage != LOADERD_OPEN &&
           work->owes == (sends ? LOADERD_OWES_HANDLE | LOADERD_OWES_TRANSFER
                                : (uint32_t)LOADERD_OWES_HANDLE);
}

/* What was gone over of the segments is no more than they have (X1). */
static bool pass_is_sound(const struct loaderd_work *work)
{
    const struct loaderd_pass *pass = &work->pass;
    if (work->stage <= LOADERD_READ_HEADERS)
        return true;
    return work->plan.segment_count <= ELF_SEGMENT_LIMIT &&
           pass->segment <= work->plan.segment_count && pass->all_bytes <= work->image_bytes &&
           pass->segment_bytes <= pass->all_bytes &&
           work->image_bytes <= PROCD_LOADER_IMAGE_BYTES_MAX;
}

const char *loaderd_check(const struct loaderd *loaderd)
{
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        const char *broken = check_client(loaderd, i);
        if (broken != NULL)
            return broken;
    }
    if (!work_is_sound(loaderd))
        return "X2";
    return pass_is_sound(&loaderd->work) ? NULL : "X1";
}

/* --- fields ----------------------------------------------------------------------------------- */

static void visit_client(const struct loaderd_client *client,
                         void (*visit)(void *context, uint64_t value), void *context)
{
    visit(context, (uint64_t)client->role << 32 | client->launch.path_count);
    visit(context, (uint64_t)client->launch.reply_slot << 32 | client->wait.reply_slot);
    visit(context, client->launch.request_id);
    for (uint32_t i = 0; i < client->launch.path_count; i++)
        visit(context, client->launch.path[i]);
    visit(context, client->wait.process_id);
    visit(context, client->wait.deadline_ticks);
    for (uint32_t i = 0; i < LOADERD_PLACES; i++) {
        const struct loaderd_program *program = &client->programs[i];
        if (program->life == LOADERD_LIFE_NONE)
            continue;
        visit(context, program->process_id);
        visit(context, program->order);
        visit(context, program->fault_va);
        visit(context, (uint64_t)program->reason << 32 | program->code);
        visit(context, program->pages);
        visit(context, (uint64_t)program->life << 32 | (uint64_t)program->is_open << 1 |
                           (uint64_t)program->is_asked);
    }
}

void loaderd_visit_fields(const struct loaderd *loaderd,
                          void (*visit)(void *context, uint64_t value), void *context)
{
    const struct loaderd_work *work = &loaderd->work;
    visit(context, loaderd->caller.now_ticks);
    visit(context, loaderd->last_order);
    visit(context, loaderd->look_ticks);
    visit(context, (uint64_t)loaderd->next_client << 32 | loaderd->next_look);
    visit(context, (uint64_t)work->stage << 32 | work->owes);
    visit(context, work->retry_ticks);
    if (work->stage != LOADERD_IDLE) {
        visit(context, work->client);
        visit(context, work->pass.all_bytes);
    }
    if ((work->owes & LOADERD_OWES_TRANSFER) != 0)
        visit(context, work->transfer_id);
    if ((work->owes & LOADERD_OWES_HANDLE) != 0)
        visit(context, work->handle);
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++)
        visit_client(&loaderd->clients[i], visit, context);
}
