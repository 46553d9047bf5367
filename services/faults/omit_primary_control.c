/* SPDX-License-Identifier: ISC */
/* A fault of rootd (README.md): a service with a primary control slot does not get what its envelope
 * says is there. test-apart stands for probed, whose fault this is by its published name: it is in
 * the image of the graph, and has such a slot as well. */
#include "services/rootd/plan.h"

enum status __real_plan_make(const struct rootd_intake *intake, struct rootd_plan *out);
enum status __wrap_plan_make(const struct rootd_intake *intake, struct rootd_plan *out);

enum status __wrap_plan_make(const struct rootd_intake *intake, struct rootd_plan *out)
{
    enum status status = __real_plan_make(intake, out);
    for (uint32_t i = 0; i < out->launch_count; i++) {
        if (out->launches[i].role == ROLE_TEST_APART)
            out->launches[i].install_count--; /* its only row */
    }
    return status;
}
