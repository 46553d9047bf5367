/* SPDX-License-Identifier: ISC */
/* What the files of procd's model share. */
#ifndef BASALT_PROPS_MODELS_MODEL_PROCD_INTERNAL_H
#define BASALT_PROPS_MODELS_MODEL_PROCD_INTERNAL_H

#include "props/models/model_procd.h"

/* --- model_procd_life.c --- */

struct model_procd_process *model_procd_entry(struct model_procd *model, uint64_t id);
bool model_procd_lives(const struct model_procd_process *process);
bool model_procd_is_foundation(uint32_t role);
bool model_procd_role_lives(const struct model_procd *model, uint64_t role, bool running);
bool model_procd_foundation_runs(const struct model_procd *model);
bool model_procd_others_live(const struct model_procd *model);
struct model_procd_reply *model_procd_answer_add(struct model_procd *model, uint64_t request_id,
                                                 uint16_t operation, enum status status);
void model_procd_answer_record(struct model_procd_reply *out,
                               const struct model_procd_process *process);
void model_procd_drop_waits(struct model_procd *model, bool gone, uint64_t now_ticks);
void model_procd_end(struct model_procd *model, struct model_procd_process *process,
                     uint32_t reason, uint32_t code, uint64_t fault_va);
void model_procd_bury(struct model_procd *model, uint32_t role);

#endif
