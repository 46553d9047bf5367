/* SPDX-License-Identifier: ISC */
/* What clients and readers may ask of logd. Limits of its ring: services/logd/logd.h. Unfolded from
 * abi/messages/logd.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_LOGD_H
#define BASALT_ABI_MESSAGES_LOGD_H

#include "abi/limits.h"
#include "abi/roles.h"

/* What its sender says of a line. logd keeps it and decides nothing by it. */
enum log_severity {
    LOG_SEVERITY_ERROR,
    LOG_SEVERITY_WARNING,
    LOG_SEVERITY_NOTICE,
    LOG_SEVERITY_DETAIL,
    LOG_SEVERITY_LAST = LOG_SEVERITY_DETAIL
};

#define MESSAGES_TABLE "abi/messages/logd.def"
#include "abi/messages/unfold.h"

#endif
