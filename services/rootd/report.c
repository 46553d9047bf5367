/* SPDX-License-Identifier: ISC */
/* Names and lines. Decides only what a runtime image must not say. */
#include "services/rootd/report.h"

#include "abi/process.h"
#include "services/lib/log_line.h"

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
    case STAGE_LAUNCH_SERVICE:
        return "LAUNCH_SERVICE";
    case STAGE_LAUNCH_PROGRAM:
        return "LAUNCH_PROGRAM";
    case STAGE_PROGRAM:
        return "PROGRAM";
    case STAGE_SHED:
        return "SHED";
    case STAGE_RUN:
        return "RUN";
    }
    return "UNKNOWN";
}

static void send(struct rootd *rootd, struct log_line *line)
{
    log_line_send(line, &rootd->caller, SLOT_KERNEL_LOG_ENDPOINT);
}

void report_status(struct rootd *rootd)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "ERIX_ROOTD:");
    log_line_add(&line, rootd_status_name(rootd->status));
    send(rootd, &line);
}

void report_stage(struct rootd *rootd, const char *name, const char *detail)
{
    if (rootd->intake.validation_profile == VALIDATION_PROFILE_NONE)
        return;
    struct log_line line = {.count = 0};
    log_line_add(&line, "ROOTD_STAGE:");
    log_line_add(&line, name);
    if (detail[0] != 0)
        log_line_add(&line, ":");
    log_line_add(&line, detail);
    send(rootd, &line);
}

void report_unexpected(struct rootd *rootd, const char *name, uint32_t reason, uint32_t code)
{
    if (rootd->intake.validation_profile == VALIDATION_PROFILE_NONE)
        return;
    struct log_line line = {.count = 0};
    log_line_add(&line, "ROOTD_STAGE:");
    log_line_add(&line, name);
    log_line_add(&line, ":UNEXPECTED");
    log_line_add_end(&line, reason, code);
    send(rootd, &line);
}

void report_passed_over(struct rootd *rootd, uint32_t role, enum status cause)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "BASALT_ROOTD:PASSED_OVER:");
    log_line_add(&line, role_find(role)->image);
    log_line_add(&line, ":");
    log_line_add(&line, status_name(cause));
    send(rootd, &line);
}

void report_not_mounted(struct rootd *rootd, const struct boot_config_mount *mount)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "BASALT_ROOTD:NOT_MOUNTED:");
    log_line_add(&line, mount->path);
    log_line_add(&line, ":");
    log_line_add(&line, role_find(mount->provider_role)->image);
    send(rootd, &line);
}

void report_failure(struct rootd *rootd)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "BASALT_ROOTD:FAILED:");
    log_line_add(&line, rootd_stage_name(rootd->stage));
    log_line_add(&line, ":");
    log_line_add(&line, status_name(rootd->cause));
    if (rootd->stage == STAGE_LAUNCH_SERVICE && rootd->failed_role != ROLE_NONE) {
        log_line_add(&line, ":");
        log_line_add(&line, role_find(rootd->failed_role)->image);
    }
    if (rootd->stage == STAGE_RUN && rootd->procd_reason != END_NONE)
        log_line_add_end(&line, rootd->procd_reason, rootd->procd_code);
    send(rootd, &line);
}
