/* SPDX-License-Identifier: ISC */
/* Clients and their programs. Decides who has a place, and whose makes room; makes no call. What a
 * client has it takes from nobody else (X4). */
#include "services/loaderd/internal.h"

#include <stddef.h>
#include <string.h>

/* --- clients ---------------------------------------------------------------------------------- */

struct loaderd_client *loaderd_client_find(struct loaderd *loaderd, uint32_t role)
{
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        if (loaderd->clients[i].role == role)
            return &loaderd->clients[i];
    }
    return NULL;
}

static uint32_t count_of(const struct loaderd_client *client, enum loaderd_life life)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < LOADERD_PLACES; i++)
        count += client->programs[i].life == (uint8_t)life;
    return count;
}

/* Nothing of it runs, and nobody waits: all that there is are ends that were told, or never asked
 * for. */
static bool may_go(const struct loaderd_client *client)
{
    return client->launch.path_count == 0 && client->wait.process_id == 0 &&
           count_of(client, LOADERD_LIFE_RUNNING) == 0;
}

static uint64_t last_launch(const struct loaderd_client *client)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < LOADERD_PLACES; i++) {
        if (client->programs[i].order > last)
            last = client->programs[i].order;
    }
    return last;
}

/* The entry that a new client gets: a free one, or that of whoever launched nothing for longest;
 * LOADERD_CLIENT_LIMIT: there is none. */
static uint32_t entry_for_one_more(const struct loaderd *loaderd)
{
    uint32_t found = LOADERD_CLIENT_LIMIT;
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        const struct loaderd_client *client = &loaderd->clients[i];
        if (client->role == ROLE_NONE)
            return i;
        if (may_go(client) && (found == LOADERD_CLIENT_LIMIT ||
                               last_launch(client) < last_launch(&loaderd->clients[found])))
            found = i;
    }
    return found;
}

enum status loaderd_client_judge(const struct loaderd *loaderd, uint32_t role)
{
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        const struct loaderd_client *client = &loaderd->clients[i];
        if (client->role == role)
            return count_of(client, LOADERD_LIFE_RUNNING) < LOADERD_PLACES ? STATUS_OK
                                                                           : STATUS_OVER_LIMIT;
    }
    return entry_for_one_more(loaderd) < LOADERD_CLIENT_LIMIT ? STATUS_OK : STATUS_EXHAUSTED;
}

bool loaderd_is_full(const struct loaderd *loaderd)
{
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        if (count_of(&loaderd->clients[i], LOADERD_LIFE_RUNNING) == LOADERD_PLACES)
            return true;
    }
    return entry_for_one_more(loaderd) == LOADERD_CLIENT_LIMIT;
}

struct loaderd_client *loaderd_client_take(struct loaderd *loaderd, uint32_t role)
{
    struct loaderd_client *client = loaderd_client_find(loaderd, role);
    if (client != NULL)
        return client;
    uint32_t index = entry_for_one_more(loaderd);
    UNIT_ASSERT(index < LOADERD_CLIENT_LIMIT);
    client = &loaderd->clients[index];
    memset(client, 0, sizeof *client);
    client->role = role;
    return client;
}

void loaderd_client_leave(struct loaderd_client *client)
{
    if (may_go(client) && count_of(client, LOADERD_LIFE_NONE) == LOADERD_PLACES)
        memset(client, 0, sizeof *client);
}

/* --- programs --------------------------------------------------------------------------------- */

struct loaderd_program *loaderd_program_find(struct loaderd_client *client, uint64_t process_id)
{
    for (uint32_t i = 0; i < LOADERD_PLACES; i++) {
        struct loaderd_program *program = &client->programs[i];
        if (program->life != LOADERD_LIFE_NONE && program->process_id == process_id)
            return program;
    }
    return NULL;
}

bool loaderd_program_is_known(const struct loaderd *loaderd, uint64_t process_id)
{
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        for (uint32_t k = 0; k < LOADERD_PLACES; k++) {
            const struct loaderd_program *program = &loaderd->clients[i].programs[k];
            if (program->life != LOADERD_LIFE_NONE && program->process_id == process_id)
                return true;
        }
    }
    return false;
}

/* A free place, or that of the program that was launched first of those that have ended. There is
 * one, since who has none may not launch, and while it launches nothing else of it begins. */
static struct loaderd_program *place_for_one_more(struct loaderd_client *client)
{
    struct loaderd_program *found = NULL;
    for (uint32_t i = 0; i < LOADERD_PLACES; i++) {
        struct loaderd_program *program = &client->programs[i];
        if (program->life == LOADERD_LIFE_NONE)
            return program;
        if (program->life == LOADERD_LIFE_ENDED && (found == NULL || program->order < found->order))
            found = program;
    }
    UNIT_ASSERT(found != NULL);
    return found;
}

void loaderd_program_add(struct loaderd *loaderd, struct loaderd_client *client,
                         uint64_t process_id)
{
    *place_for_one_more(client) = (struct loaderd_program){
        .process_id = process_id,
        .order = ++loaderd->last_order,
        .life = LOADERD_LIFE_RUNNING,
    };
}
