/* SPDX-License-Identifier: ISC */
/* The part of procd's model that is about notices: who is called, with what, how often. What a
 * client answers it is told. */
#include "props/models/model_procd_internal.h"

enum { NOTICE_TRIES = 8, NOTICE_AGAIN_TICKS = 100, NOTICE_PAUSE_TICKS = 10, NOTICE_PLACE = 0xFFFF };

void model_procd_notices_add(struct model_procd *model, const struct model_procd_process *record)
{
    struct model_procd_process *client = model_procd_entry(model, record->owner);
    if (record->owner == 0 || client == NULL || client->notice == 0)
        return;
    if (client->notice_of == 0)
        client->notice_ticks = model->now_ticks;
    client->notice_of = record->id;
    model_procd_stirs(model, client);
    client->notice_count = 0;
}

void model_procd_notices_told(struct model_procd *model, uint64_t who, uint64_t id)
{
    struct model_procd_process *client = model_procd_entry(model, who);
    if (who != 0 && client != NULL && client->notice_of == id)
        client->notice_of = 0;
}

/* The one whose time comes first; of two, that of the lower place. */
static const struct model_procd_process *next_client(const struct model_procd *model)
{
    const struct model_procd_process *next = NULL;
    for (uint32_t i = 0; i < model->stirring_count; i++) {
        const struct model_procd_process *client = model_procd_stirring(model, i);
        if (!model_procd_lives(client) || client->notice_of == 0)
            continue;
        if (next == NULL || client->notice_ticks < next->notice_ticks ||
            (client->notice_ticks == next->notice_ticks &&
             (client->id & NOTICE_PLACE) < (next->id & NOTICE_PLACE)))
            next = client;
    }
    return next;
}

uint64_t model_procd_notice_ticks(const struct model_procd *model)
{
    const struct model_procd_process *next = next_client(model);
    if (next == NULL)
        return UINT64_MAX;
    return next->notice_ticks > model->notice_pause_ticks ? next->notice_ticks
                                                          : model->notice_pause_ticks;
}

struct model_procd_notice model_procd_notice(const struct model_procd *model, uint64_t now_ticks)
{
    const struct model_procd_process *next = next_client(model);
    if (model->exited || model_procd_notice_ticks(model) > now_ticks || next == NULL)
        return (struct model_procd_notice){0};
    return (struct model_procd_notice){next->id, next->notice, next->notice_of};
}

void model_procd_notice_heard(struct model_procd *model, const struct model_procd_notice *notice,
                              enum status status, uint64_t now_ticks)
{
    struct model_procd_process *client = model_procd_entry(model, notice->client);
    model->notice_pause_ticks = now_ticks + NOTICE_PAUSE_TICKS;
    client->notice_ticks = now_ticks + NOTICE_AGAIN_TICKS;
    client->notice_count++;
    if (status != STATUS_TIMED_OUT || client->notice_count == NOTICE_TRIES)
        client->notice_of = 0;
    if (status != STATUS_TIMED_OUT && status != STATUS_OK)
        client->notice = 0;
}
