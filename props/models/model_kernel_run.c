/* SPDX-License-Identifier: ISC */
/* Who runs, as kernel.h states it (K7), by searching: the band of a process is the highest own band
 * of all that wait for it, directly or through others, and who is next is the lowest turn of the
 * highest band. */
#include "props/models/model_kernel.h"

/* Whom a process waits for, so that its band is lent; MODEL_NONE: nobody. */
static uint32_t waits_for(const struct model_kernel *model, uint32_t process)
{
    const struct model_kernel_process *waiter = &model->processes[process];
    if (waiter->life == MODEL_LIFE_SENDS && waiter->waits_on != MODEL_DRIVER)
        return waiter->waits_on;
    if (waiter->life == MODEL_LIFE_SENDS)
        return model->endpoints[MODEL_DRIVER].live ? (uint32_t)MODEL_NONE : model->drainer;
    if (waiter->life == MODEL_LIFE_ENDING && waiter->aborted)
        return waiter->aborter;
    if (waiter->life == MODEL_LIFE_CALLS && model->processes[waiter->holder].client == process)
        return waiter->holder;
    return MODEL_NONE;
}

static bool waits_through(const struct model_kernel *model, uint32_t waiter, uint32_t process)
{
    for (uint32_t i = 0; i < MODEL_PROCESS_LIMIT && waiter != MODEL_NONE; i++) {
        if (waiter == process)
            return true;
        waiter = waits_for(model, waiter);
    }
    return false;
}

uint32_t model_band(const struct model_kernel *model, uint32_t process)
{
    uint32_t band = BAND_LAST;
    for (uint32_t i = 0; i < model->process_count; i++) {
        const struct model_kernel_process *other = &model->processes[i];
        if (other->life != MODEL_LIFE_FREE && other->band < band &&
            waits_through(model, i, process))
            band = other->band;
    }
    return band;
}

uint32_t model_payer(const struct model_kernel *model)
{
    uint32_t payer = model->current;
    while (payer != MODEL_NONE && model->processes[payer].client != MODEL_NONE)
        payer = model->processes[payer].client;
    return payer;
}

uint32_t model_next(const struct model_kernel *model)
{
    uint32_t next = MODEL_NONE;
    for (uint32_t i = 0; i < model->run.count; i++) {
        uint32_t index = model->run.items[i];
        const struct model_kernel_process *process = &model->processes[index];
        const struct model_kernel_process *best = &model->processes[next == MODEL_NONE ? 0 : next];
        if (next == MODEL_NONE || process->runs_in < best->runs_in ||
            (process->runs_in == best->runs_in && process->turn < best->turn))
            next = index;
    }
    return next;
}

/* Only where its own band is asked: not while a server above it runs and others wait there. */
bool model_turn_can_end(const struct model_kernel *model)
{
    if (model->current == MODEL_NONE)
        return true;
    uint32_t band = model_band(model, model_payer(model));
    bool others = false;
    for (uint32_t i = 0; i < model->run.count; i++)
        others = others || model_band(model, model->run.items[i]) == band;
    return !others || model_band(model, model->current) == band;
}

void model_run_first(struct model_kernel *model, uint32_t process)
{
    if (model_at(model, process)->life != MODEL_LIFE_ENDING)
        model_at(model, process)->life = MODEL_LIFE_RUNS;
    model_at(model, process)->runs_in = model_band(model, process);
    model_at(model, process)->turn = --model->turn_first;
    model_queue_add(&model->run, process);
}

void model_run_last(struct model_kernel *model, uint32_t process)
{
    model_run_first(model, process);
    model_at(model, process)->turn = ++model->turn_last;
}

/* Who is ready and runs in another band now stands last there. */
void model_bands_settle(struct model_kernel *model)
{
    for (uint32_t i = 0; i < model->run.count; i++) {
        struct model_kernel_process *process = model_at(model, model->run.items[i]);
        uint32_t band = model_band(model, model->run.items[i]);
        if (band == process->runs_in)
            continue;
        process->runs_in = band;
        process->turn = ++model->turn_last;
    }
}

void model_client_leave(struct model_kernel *model, uint32_t server)
{
    model_at(model, server)->client = MODEL_NONE;
    model_bands_settle(model);
}
