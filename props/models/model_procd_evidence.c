/* SPDX-License-Identifier: ISC */
/* What procd says of killed processes: a list of all, and how far each listener is. */
#include "props/models/model_fair.h"
#include "props/models/model_procd_internal.h"

#include <string.h>

enum { AGAIN_TICKS = 1000, AGAIN_AWAY_TICKS = 10 };

static const uint32_t listeners[2] = {ROLE_CRASHD, ROLE_LOGD};

static void goes(struct model_procd_evidence *evidence, uint32_t place)
{
    uint32_t behind = --evidence->kept_count - place;
    memmove(&evidence->kept[place], &evidence->kept[place + 1], behind * sizeof evidence->kept[0]);
    memmove(&evidence->kept_owners[place], &evidence->kept_owners[place + 1],
            behind * sizeof evidence->kept_owners[0]);
}

static void make_room(struct model_procd_evidence *evidence)
{
    if (evidence->kept_count == MODEL_PROCD_KEPT)
        goes(evidence, model_fair_goes(evidence->kept_owners, evidence->kept_count));
}

void model_procd_killed(struct model_procd *model, const struct model_procd_process *process)
{
    struct model_procd_evidence *evidence = &model->evidence;
    HARNESS(evidence->count < MODEL_PROCD_KILLED);
    make_room(evidence);
    evidence->killed[evidence->count++] = (struct model_procd_killed){
        .id = process->id,
        .owner = process->owner,
        .fault_va = process->fault_va,
        .ticks = model->now_ticks,
        .role = process->role,
        .reason = process->reason,
        .code = process->code,
    };
    evidence->kept_owners[evidence->kept_count] = process->owner;
    evidence->kept[evidence->kept_count++] = evidence->count;
}

/* When it is tried again: soon, if it was not there and there is more to tell since. */
static uint64_t again_ticks(const struct model_procd *model, const struct model_procd_told *told)
{
    return told->tried < model->evidence.count ? told->news_ticks : told->retry_ticks;
}

uint64_t model_procd_word_ticks(const struct model_procd *model)
{
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < 2 && model->evidence.named; i++) {
        const struct model_procd_told *told = &model->evidence.told[i];
        if (told->count < model->evidence.count && again_ticks(model, told) < next)
            next = again_ticks(model, told);
    }
    return next;
}

/* P9: crashd has it, or could not be told when that was tried, or nobody is there to tell. */
bool model_procd_word_stands(const struct model_procd *model, uint64_t number)
{
    const struct model_procd_told *crashd = &model->evidence.told[0];
    return crashd->count >= number || crashd->tried >= number ||
           model_procd_word_ticks(model) == UINT64_MAX;
}

struct model_procd_word model_procd_word(const struct model_procd *model, uint64_t now_ticks)
{
    const struct model_procd_evidence *evidence = &model->evidence;
    struct model_procd_word word = {0};
    if (model->exited || model_procd_word_ticks(model) > now_ticks)
        return word;
    for (unsigned i = 0; i < 2 && word.role == 0; i++) {
        const struct model_procd_told *told = &evidence->told[i];
        if (told->count == evidence->count || again_ticks(model, told) > now_ticks)
            continue;
        word.role = told->found ? listeners[i] : (uint32_t)ROLE_NAMED;
        word.looked_up = told->found ? 0 : listeners[i];
        uint32_t place = 0;
        while (evidence->kept[place] <= told->count)
            place++;
        word.number = evidence->kept[place];
        word.killed = &evidence->killed[word.number - 1];
    }
    return word;
}

void model_procd_heard(struct model_procd *model, const struct model_procd_word *word,
                       enum status status, bool answered, uint64_t now_ticks)
{
    uint32_t about = word->looked_up != 0 ? word->looked_up : word->role;
    struct model_procd_told *told = &model->evidence.told[about == ROLE_LOGD];
    bool looked = word->looked_up != 0;
    if (looked)
        told->found = status == STATUS_OK;
    else if (answered && status != STATUS_INTERNAL) /* a refusal is an answer */
        told->count = word->number;
    else
        told->found = false;
    const struct model_procd_told *both = model->evidence.told;
    while (model->evidence.kept_count != 0 && model->evidence.kept[0] <= both[0].count &&
           model->evidence.kept[0] <= both[1].count)
        goes(&model->evidence, 0);
    if (told->found)
        return;
    bool dead = status == STATUS_PEER_DIED || (status == STATUS_NOT_FOUND && !answered);
    if (looked && dead)
        model->evidence.named = false;
    told->retry_ticks = now_ticks + AGAIN_TICKS;
    bool away = looked && status == STATUS_NOT_FOUND && answered;
    told->news_ticks = now_ticks + (away ? AGAIN_AWAY_TICKS : AGAIN_TICKS);
    told->tried = model->evidence.count;
}
