/* SPDX-License-Identifier: ISC */
/* What procd's life harness compares after each step. */
#ifndef BASALT_FUZZ_LIFE_PROCD_LIFE_CHECK_H
#define BASALT_FUZZ_LIFE_PROCD_LIFE_CHECK_H

#include <stdint.h>

#include "props/models/model_procd.h"
#include "services/procd/procd.h"

/* Walks the fields of procd's state. The counter of its own request ids is left out: calls that
 * were undone have used it up (E1 is about everything else). */
uint64_t ledger_digest(const struct procd *state);

/* The replies that were sent are the predicted ones, in order (E5, P3). */
void ledger_check_replies(const struct model_procd *model);

/* Processes, accounts, registrations, pages and slots are the predicted ones (E4, P2, P5). */
void ledger_check_books(const struct procd *state, const struct model_procd *model);

/* A process that was just made is made of the right pages, with the right backing. */
void ledger_check_made(const struct model_process *process, const struct model_luck *luck);

#endif
