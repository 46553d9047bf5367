/* SPDX-License-Identifier: ISC */
/* The daemon logd: its one state, all zero at first, and its entry point. */
#include "services/logd/logd.h"
#include "services/runtime/entry_code.h"

static struct logd state;

__attribute__((used)) void logd_image_main(void);

HELPER_ENTRY("logd", logd_image_main);

void logd_image_main(void)
{
    logd_run(&state);
}
