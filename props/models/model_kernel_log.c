/* SPDX-License-Identifier: ISC */
/* What the model says is in the log: what its writers wrote, and a line for each turn of a life, as
 * K16 has it. */
#include <stdio.h>
#include <string.h>

#include "props/models/model_kernel.h"

void model_log(struct model_kernel *model, const void *bytes, uint32_t count)
{
    uint32_t room = MODEL_LOG_BYTES - model->log_count;
    uint32_t kept = count < room ? count : room;
    memcpy(model->log + model->log_count, bytes, kept);
    model->log_count += kept;
}

void model_log_life(struct model_kernel *model, uint32_t process, const char *what)
{
    const struct model_kernel_process *target = &model->processes[process];
    char line[160];
    int count = snprintf(line, sizeof line, "ERIX_KERNEL:PROCD_DEBUG:%s:0x%llx", what,
                         (unsigned long long)target->event_token);
    if (strcmp(what, "ENDED") == 0)
        count += snprintf(line + count, sizeof line - (size_t)count, ":%s:0x%x",
                          end_reason_name(target->end_reason), (unsigned)target->end_code);
    line[count++] = '\n';
    model_log(model, line, (uint32_t)count);
}
