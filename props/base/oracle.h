/* SPDX-License-Identifier: ISC */
/* Deferred oracles. To look at a whole state after each step costs far more than the step, and hardly
 * any step finds something. Engines therefore defer: they look at every n-th step and at the end of
 * the input. When anything fails in such a run, the input runs again with every check on, and it is
 * that run which reports, so that the step that fails is the first one that is wrong. Replayers
 * never defer: corpus, triage and what a campaign keeps are always looked at in full, which also
 * catches what is damaged and mended between two looks.
 *
 * Nothing that an input does may depend on it: who looks changes nothing, marks nothing, and gives
 * what it learned to digest_looked(). `--deferred` of the replayer compares. */
#ifndef BASALT_PROPS_BASE_ORACLE_H
#define BASALT_PROPS_BASE_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What engines defer by. */
enum { ORACLE_STRIDE = 32 };

/* From the next input on every stride-th step is looked at, and no digest of a look counts; 0, as
 * everything starts: every step, and they count. */
void oracle_defer(unsigned stride);

/* An input begins; `run` takes it again from the start. harness_begin() calls this. */
void oracle_begin(const uint8_t *bytes, size_t size_bytes,
                  int (*run)(const uint8_t *bytes, size_t size_bytes));

/* A step begins: whether it is looked at. */
bool oracle_step(void);

/* Whether the step that is going on is looked at. */
bool oracle_due(void);

/* Everything is looked at until the next step: for the end of an input, and where much happens in one
 * step. */
void oracle_look(void);

/* Whether this input's oracles are deferred. */
bool oracle_deferred(void);

/* For reports of failures, which call this first: does not return when the input fails again. When it
 * does not, what is said of the step is said of its end. Does nothing unless some
 * step was not looked at. */
void oracle_again(void);

/* A digest of what was looked at, for the digest of the input when none of them is deferred. */
void digest_looked(uint64_t value);

#endif
