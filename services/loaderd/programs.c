/* SPDX-License-Identifier: ISC */
/* Clients and their programs. Decides who has a place, and whose makes room; makes no call. What a
 * client has it takes from nobody else (X4). */
#include "services/loaderd/internal.h"

#include <stddef.h>
#include <string.h>

/* --- memory ---------------------------------------------------------------------------------- */

enum { STACK_PAGES = STACK_RESERVE_BYTES / PAGE_BYTES };

/* Everybody's part of what loaderd may give away: shares add up to no more than memd lets it. */
static uint32_t share_pages(void)
{
    return role_find(ROLE_LOADERD)->child_pages / LOADERD_CLIENT_LIMIT;
}

struct loaderd_size loaderd_program_size(uint64_t segment_pages)
{
    const struct role *row = role_find(ROLE_LOADED_PROGRAM);
    uint64_t extra_pages = STACK_PAGES + LOADERD_HEAP_PAGES;
    bool is_large = segment_pages > row->page_limit - extra_pages;
    struct process_limits limits = {
        .page_limit = is_large ? row->page_limit : (uint32_t)(segment_pages + extra_pages)};
    const struct role lowered = role_lowered(row, &limits);
    return (struct loaderd_size){limits.page_limit, (uint32_t)role_account_limit(&lowered)};
}

bool loaderd_client_has_room(const struct loaderd_client *client, uint32_t pages)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < LOADERD_PLACES; i++) {
        if (client->programs[i].life == LOADERD_LIFE_RUNNING)
            used += client->programs[i].pages; /* no more than the share in all */
    }
    return used + pages <= share_pages(); /* X5 */
}

static bool has_room_for_smallest(const struct loaderd_client *client)
{
    return loaderd_client_has_room(client, loaderd_program_size(1).pages);
}

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
            return has_room_for_smallest(client) ? STATUS_OK : STATUS_OVER_LIMIT;
    }
    return entry_for_one_more(loaderd) < LOADERD_CLIENT_LIMIT ? STATUS_OK : STATUS_EXHAUSTED;
}

bool loaderd_is_full(const struct loaderd *loaderd)
{
    uint32_t any_pages = loaderd_program_size(UINT64_MAX).pages;
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        const struct loaderd_client *client = &loaderd->clients[i];
        if (client->role != ROLE_NONE && !loaderd_client_has_room(client, any_pages))
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
 * one, since a share has no room for so many that run (tables_test). */
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
                         uint64_t process_id, uint32_t pages)
{
    *place_for_one_more(client) = (struct loaderd_program){
        .process_id = process_id,
        .order = ++loaderd->last_order,
        .pages = pages,
        .life = LOADERD_LIFE_RUNNING,
    };
}
