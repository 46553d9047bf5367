/* SPDX-License-Identifier: ISC */
/* Decides when rootd is held up. Changes nothing of the run. */
#include "props/world/pause.h"

#include <stdbool.h>
#include <string.h>

#include "abi/messages/kernel.h"

static const struct world_pause *pause; /* null: none, or none any more */
static uint32_t started_index;          /* of the process of its program; KERNEL_NONE: none yet */
static uint64_t started_generation;

void pause_set(const struct world_pause *next)
{
    pause = next;
    started_index = KERNEL_NONE;
}

void pause_started(const struct kernel *kernel, uint32_t index, const char *program)
{
    if (pause == NULL || strcmp(program, pause->program) != 0)
        return;
    started_index = index;
    started_generation = kernel->processes[index].generation;
}

static bool is_over(const struct kernel *kernel)
{
    const struct process *process = kernel_process(kernel, started_index);
    return process == NULL || kernel->processes[started_index].generation != started_generation ||
           process->life == LIFE_ENDED || process->life == LIFE_ENDING;
}

const struct world_pause *pause_due(const struct kernel *kernel, uint32_t index, uint32_t slot,
                                    const struct message *message)
{
    const struct world_pause *due = pause;
    if (pause == NULL || started_index == KERNEL_NONE || index != KERNEL_ROOT_PROCESS ||
        kernel_slot(kernel, index, slot)->object_type == OBJECT_ENDPOINT)
        return NULL;
    if (message->header.operation != OP_KERNEL_LOG_WRITE && !is_over(kernel))
        return NULL;
    pause = NULL;
    return due;
}
