/* SPDX-License-Identifier: ISC */
/* The first state of the model: rootd as kernel_boot_bare leaves it, by the words of kernel.h. */
#include "props/models/model_kernel.h"

#include <string.h>

static void boot_cap(struct model_kernel *model, uint32_t slot, enum object_type type,
                     uint32_t object)
{
    model_cap_put(model, 0,
                  (struct model_cap){slot, (uint8_t)type, object_type_rights(type), object, 0});
}

static void boot_slots(struct model_kernel *model)
{
    boot_cap(model, SLOT_SELF, OBJECT_KERNEL_SELF, 0);
    boot_cap(model, SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, 0);
    boot_cap(model, SLOT_IMAGE, OBJECT_IMAGE, 0);
    boot_cap(model, SLOT_UNTYPED_BASE, OBJECT_UNTYPED, 0);
    boot_cap(model, SLOT_UNTYPED_BASE + 1, OBJECT_UNTYPED, 1);
    boot_cap(model, SLOT_PROCD_DRIVER_ENDPOINT, OBJECT_ENDPOINT, MODEL_DRIVER);
    boot_cap(model, SLOT_KERNEL_TIME_ENDPOINT, OBJECT_KERNEL_TIME, 0);
    boot_cap(model, SLOT_KERNEL_IRQ_ENDPOINT, OBJECT_KERNEL_IRQ, 0);
    boot_cap(model, SLOT_KERNEL_HOTPLUG_ENDPOINT, OBJECT_KERNEL_HOTPLUG, 0);
    boot_cap(model, SLOT_KERNEL_PCI_CONFIG_ENDPOINT, OBJECT_KERNEL_PCI_CONFIG, 0);
    boot_cap(model, SLOT_KERNEL_CONSOLE_ENDPOINT, OBJECT_KERNEL_CONSOLE, 0);
    boot_cap(model, SLOT_KERNEL_COM1_ENDPOINT, OBJECT_KERNEL_COM1, 0);
    boot_cap(model, SLOT_KERNEL_MEM_ENDPOINT, OBJECT_KERNEL_MEMORY, 0);
    boot_cap(model, SLOT_KERNEL_VSPACE_ENDPOINT, OBJECT_KERNEL_VSPACE, 0);
    boot_cap(model, SLOT_KERNEL_PAGER_ENDPOINT, OBJECT_KERNEL_PAGER, 0);
    boot_cap(model, SLOT_KERNEL_LOG_ENDPOINT, OBJECT_KERNEL_LOG, 0);
    boot_cap(model, SLOT_KERNEL_PROCESS_ENDPOINT, OBJECT_KERNEL_PROCESS, 0);
    boot_cap(model, SLOT_KERNEL_CHILD_POPULATE_ENDPOINT, OBJECT_KERNEL_CHILD_POPULATE, 0);
    boot_cap(model, SLOT_KERNEL_ACPI_ENDPOINT, OBJECT_KERNEL_ACPI, 0);
    boot_cap(model, SLOT_KERNEL_I8042_ENDPOINT, OBJECT_KERNEL_I8042, 0);
}

/* Clears what the last life used. */
static void tables_clear(struct model_kernel *model)
{
    memset(model->processes, 0, model->process_count * sizeof model->processes[0]);
    memset(model->endpoints, 0, sizeof model->endpoints);
    memset(model->pools, 0, sizeof model->pools);
    memset(model->frames, 0, model->frame_count * sizeof model->frames[0]);
    memset(model->data, 0, model->data_count * sizeof model->data[0]);
    model->run.count = 0;
    model->turn_first = 0;
    model->turn_last = 0;
    model->now = 0;
    model->halted = false;
    model->halt_code = 0;
    model->call_count = 0;
    model->log_count = 0;
    model->data_count = 0;
    model->frame_count = 0;
}

void model_kernel_reset(struct model_kernel *model, uint32_t bulk_pages, uint32_t launch_pages,
                        uint32_t root_budget)
{
    tables_clear(model);
    model->current = 0;
    model->process_count = 1;
    model->pool_count = 2;
    model->pools[0] = (struct model_pool){.live = true, .parent = MODEL_NONE, .total = bulk_pages};
    model->pools[1] =
        (struct model_pool){.live = true, .parent = MODEL_NONE, .total = launch_pages};
    model->pools[1].budgets = root_budget;
    model->endpoints[0].live = true;
    model->endpoints[MODEL_DRIVER].live = true;
    struct model_kernel_process *root = model_at(model, 0);
    root->life = MODEL_LIFE_RUNS;
    root->pool = 1;
    root->budget_pages = root_budget;
    root->event_endpoint = MODEL_NONE;
    root->pager = MODEL_NONE;
    root->client = MODEL_NONE;
    for (uint32_t line = 0; line < INTERRUPT_LINE_COUNT; line++)
        model->lines[line] = (struct model_line){.endpoint = MODEL_NONE, .masked = true};
    boot_slots(model);
}

bool model_kernel_has_room(const struct model_kernel *model)
{
    for (uint32_t i = 0; i < model->process_count; i++) {
        const struct model_kernel_process *process = &model->processes[i];
        if (process->cap_count + MODEL_STEP_CAPS > MODEL_CAP_LIMIT ||
            process->map_count + MODEL_CODE_PAGES > MODEL_MAP_LIMIT)
            return false;
    }
    return model->process_count < MODEL_PROCESS_LIMIT && model->pool_count < MODEL_POOL_LIMIT &&
           model->frame_count + MODEL_STEP_CAPS <= MODEL_FRAME_LIMIT &&
           model->data_count < MODEL_DATA_LIMIT;
}

static bool waits_with_deadline(const struct model_kernel_process *process)
{
    bool waits = process->life == MODEL_LIFE_SENDS || process->life == MODEL_LIFE_RECEIVES ||
                 process->life == MODEL_LIFE_CALLS;
    return waits && !process->faults && process->deadline != DEADLINE_NEVER;
}

uint32_t model_deadlines(const struct model_kernel *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->process_count; i++)
        count += waits_with_deadline(&model->processes[i]);
    return count;
}

uint64_t model_next_deadline(const struct model_kernel *model)
{
    uint64_t next = DEADLINE_NEVER;
    for (uint32_t i = 0; i < model->process_count; i++) {
        const struct model_kernel_process *process = &model->processes[i];
        if (waits_with_deadline(process) && process->deadline < next)
            next = process->deadline;
    }
    return next;
}
