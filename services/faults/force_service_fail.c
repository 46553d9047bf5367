/* SPDX-License-Identifier: ISC */
/* A fault of rootd (README.md): rootd fails inside the handshake with a service: it was started, and has said READY. */
#include "services/rootd/launch.h"

enum status __real_launch_ask(struct rootd *rootd, uint32_t launch, uint64_t deadline_ticks);
enum status __wrap_launch_ask(struct rootd *rootd, uint32_t launch, uint64_t deadline_ticks);

enum status __wrap_launch_ask(struct rootd *rootd, uint32_t launch, uint64_t deadline_ticks)
{
    enum status status = __real_launch_ask(rootd, launch, deadline_ticks);
    return status == STATUS_OK && rootd->plan.launches[launch].role == ROLE_TEST_SERVICE
               ? STATUS_INTERNAL
               : status;
}
