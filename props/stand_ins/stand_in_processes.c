/* SPDX-License-Identifier: ISC */
/* Processes: staged, running, ended, and what was installed in them. The smallest free place is
 * used next. */
#include <string.h>

#include "abi/process.h"
#include "props/base/property.h"
#include "props/stand_ins/key_index.h"
#include "props/stand_ins/stand_in_books.h"

static struct stand_in_process processes[STAND_IN_PROCESS_LIMIT];
static struct key_index by_token; /* of those that are not free */
static struct stand_in_installed installed[STAND_IN_PROCESS_LIMIT][STAND_IN_INSTALLED_LIMIT];
static uint32_t process_of_vspace[STAND_IN_VSPACE_LIMIT];
static uint32_t process_high;
static uint32_t process_low; /* no place below is free */
static uint32_t process_count;

void stand_in_processes_begin(void)
{
    key_index_clear(&by_token, process_high);
    memset(processes, 0, process_high * sizeof processes[0]);
    process_high = process_low = process_count = 0;
}

struct stand_in_process *stand_in_process(uint32_t object)
{
    return &processes[object];
}

bool stand_in_process_is(uint32_t object, uint32_t generation)
{
    return object < STAND_IN_PROCESS_LIMIT && processes[object].life != STAND_IN_FREE &&
           processes[object].generation == generation;
}

uint32_t stand_in_process_of(uint32_t vspace)
{
    return process_of_vspace[vspace];
}

uint32_t stand_in_process_count(void)
{
    return process_count;
}

bool stand_in_process_find(uint64_t token, uint32_t *process)
{
    *process = key_index_find(&by_token, token);
    return *process != KEY_INDEX_PLACES;
}

enum status stand_in_process_add(uint32_t untyped, uint32_t budget_pages, uint64_t token,
                                 uint32_t *process)
{
    while (process_low < process_high && processes[process_low].life != STAND_IN_FREE)
        process_low++;
    if (process_low == STAND_IN_PROCESS_LIMIT || !stand_in_untyped_take(untyped, budget_pages))
        return STATUS_EXHAUSTED;
    *process = process_low;
    process_high += *process == process_high;
    processes[*process] = (struct stand_in_process){
        .life = STAND_IN_STAGED,
        .generation = processes[*process].generation,
        .vspace = stand_in_vspace_add(),
        .untyped = untyped,
        .budget_pages = budget_pages,
        .token = token,
    };
    key_index_add(&by_token, token, *process);
    process_of_vspace[processes[*process].vspace] = *process;
    process_count++;
    return STATUS_OK;
}

void stand_in_process_free(uint32_t process)
{
    struct stand_in_process *freed = &processes[process];
    key_index_remove(&by_token, process);
    stand_in_vspace_destroy(freed->vspace);
    stand_in_untyped_give(freed->untyped, freed->budget_pages);
    *freed = (struct stand_in_process){.generation = freed->generation + 1};
    process_low = process < process_low ? process : process_low;
    process_count--;
}

/* --- ends ------------------------------------------------------------------------------------- */

bool stand_in_process_end(uint64_t token, uint32_t reason, uint32_t code, uint64_t fault_va)
{
    uint32_t found;
    if (!stand_in_process_find(token, &found) || processes[found].life != STAND_IN_RUNNING)
        return false;
    struct stand_in_process *process = &processes[found];
    process->life = STAND_IN_ENDED;
    process->event_pending = true;
    process->reason = reason;
    process->code = code;
    process->fault_va = fault_va;
    return true;
}

bool stand_in_process_event(uint64_t token, struct event_process_terminated_request *event)
{
    uint32_t found;
    if (!stand_in_process_find(token, &found) || !processes[found].event_pending)
        return false;
    struct stand_in_process *process = &processes[found];
    process->event_pending = false;
    *event = (struct event_process_terminated_request){
        .token = token,
        .reason = process->reason,
        .code = process->code,
        .fault_va = process->fault_va,
    };
    return true;
}

/* --- what was installed ----------------------------------------------------------------------- */

enum status stand_in_install(uint32_t process, uint32_t slot, struct stand_in_cap cap)
{
    uint32_t *count = &processes[process].installed_count;
    if (*count == STAND_IN_INSTALLED_LIMIT)
        return STATUS_EXHAUSTED;
    installed[process][(*count)++] = (struct stand_in_installed){.slot = slot, .cap = cap};
    return STATUS_OK;
}

const struct stand_in_installed *stand_in_installed(uint32_t process, uint32_t i)
{
    HARNESS(i < processes[process].installed_count);
    return &installed[process][i];
}

uint64_t stand_in_token_behind(uint32_t slot, uint32_t *object, uint32_t *object_type)
{
    static const struct {
        uint64_t token;
        uint32_t object;
    } behind[] = {
        {1, 2}, {TOKEN_PROCD, 1},       {TOKEN_ROOTD, 0}, {0, PROCESS_LIMIT},
        {5, 6}, {UINT64_C(1) << 62, 7}, {4, 9},
    };
    unsigned which = slot % (sizeof behind / sizeof behind[0]);
    *object = behind[which].object;
    *object_type =
        slot % (2 * sizeof behind / sizeof behind[0]) == 10 ? OBJECT_UNTYPED : OBJECT_ENDPOINT;
    return behind[which].token;
}
