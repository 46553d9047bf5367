/* SPDX-License-Identifier: ISC */
/* A fault of rootd (README.md): procd cannot make a service: rootd names a module of one byte. */
#include "services/rootd/launch.h"

enum status __real_launch_child(struct rootd *rootd, uint32_t launch);
enum status __wrap_launch_child(struct rootd *rootd, uint32_t launch);

enum status __wrap_launch_child(struct rootd *rootd, uint32_t launch)
{
    if (rootd->plan.launches[launch].role == ROLE_TEST_SERVICE)
        rootd->intake.entries[rootd->plan.launches[launch].entry].size_bytes = 1;
    return __real_launch_child(rootd, launch);
}
