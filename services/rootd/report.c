/* SPDX-License-Identifier: ISC */
/* Names and lines. Decides only what a runtime image must not say. */
#include "services/rootd/report.h"

#include <string.h>

#include "abi/assert.h"
#include "abi/process.h"

const char *rootd_status_name(enum rootd_status status)
{
    switch (status) {
    case ROOTD_READY:
        return "READY";
    case ROOTD_HANDOFF_INVALID:
        return "HANDOFF_INVALID";
    case ROOTD_CONTRACT_INVALID:
        return "CONTRACT_INVALID";
    case ROOTD_INTERNAL_ERROR:
        return "INTERNAL_ERROR";
    case ROOTD_SERVICE_BOOTSTRAP_FAILED:
        return "SERVICE_BOOTSTRAP_FAILED";
    }
    return "UNKNOWN";
}

const char *rootd_stage_name(enum rootd_stage stage)
{
    switch (stage) {
    case STAGE_HANDOFF:
        return "HANDOFF";
    case STAGE_INTAKE:
        return "INTAKE";
    case STAGE_PLAN:
        return "PLAN";
    case STAGE_LAUNCH_PROCD:
        return "LAUNCH_PROCD";
    case STAGE_LAUNCH_MEMD:
        return "LAUNCH_MEMD";
    case STAGE_LAUNCH_VSPACED:
        return "LAUNCH_VSPACED";
    case STAGE_LAUNCH_PAGERD:
        return "LAUNCH_PAGERD";
    case STAGE_BIND:
        return "BIND";
    case STAGE_HELPERS:
        return "HELPERS";
    case STAGE_RESOURCES:
        return "RESOURCES";
    case STAGE_SHED:
        return "SHED";
    case STAGE_RUN:
        return "RUN";
    }
    return "UNKNOWN";
}

/* A line in the making: text past its end is cut, the newline always fits. */
struct line {
    char text[LOG_LINE_BYTES_MAX];
    uint32_t count;
};

static void add(struct line *line, const char *text)
{
    for (; *text != 0 && line->count < LOG_LINE_BYTES_MAX - 1; text++)
        line->text[line->count++] = *text;
}

static void add_hex(struct line *line, uint32_t value)
{
    char digit[2] = {0};
    int shift = 28;
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    add(line, "0x");
    for (; shift >= 0; shift -= 4) {
        digit[0] = "0123456789abcdef"[value >> shift & 15];
        add(line, digit);
    }
}

/* Only EXIT and KILL have a code. */
static void add_end(struct line *line, uint32_t reason, uint32_t code)
{
    add(line, ":");
    add(line, end_reason_name(reason));
    if (reason != END_EXITED && reason != END_KILLED)
        return;
    add(line, ":");
    add_hex(line, code);
}

static void send(struct rootd *state, struct line *line)
{
    UNIT_ASSERT(line->count < LOG_LINE_BYTES_MAX);
    line->text[line->count++] = '\n';
    (void)kernel_log_write(&state->caller, SLOT_KERNEL_LOG_ENDPOINT, line->text, line->count);
}

void report_status(struct rootd *state)
{
    struct line line = {.count = 0};
    add(&line, "ERIX_ROOTD:");
    add(&line, rootd_status_name(state->status));
    send(state, &line);
}

void report_stage(struct rootd *state, const char *name, const char *detail)
{
    if (state->intake.validation_profile == VALIDATION_PROFILE_NONE)
        return;
    struct line line = {.count = 0};
    add(&line, "ROOTD_STAGE:");
    add(&line, name);
    if (detail[0] != 0)
        add(&line, ":");
    add(&line, detail);
    send(state, &line);
}

void report_end(struct rootd *state, const char *name, bool as_stated, uint32_t reason,
                uint32_t code)
{
    if (state->intake.validation_profile == VALIDATION_PROFILE_NONE)
        return;
    struct line line = {.count = 0};
    add(&line, "ROOTD_STAGE:");
    add(&line, name);
    if (!as_stated)
        add(&line, ":UNEXPECTED");
    add_end(&line, reason, code);
    send(state, &line);
}

void report_failure(struct rootd *state)
{
    struct line line = {.count = 0};
    add(&line, "BASALT_ROOTD:FAILED:");
    add(&line, rootd_stage_name(state->stage));
    add(&line, ":");
    add(&line, status_name(state->cause));
    if (state->stage == STAGE_RUN && state->procd_reason != END_NONE)
        add_end(&line, state->procd_reason, state->procd_code);
    send(state, &line);
}
