/* SPDX-License-Identifier: ISC */
/* Plans one failure before each step of a life (fuzz/engine/fail_each.h), by what struct life_service
 * says. A harness that links this file has an action whose first two arguments are call and status. */
#include "fuzz/life/life_service.h"

size_t harness_plan_failure(uint64_t call, unsigned way, uint8_t *bytes)
{
    const struct life_service *service = &life_service;
    if (call >= service->fail_limit || way >= HARNESS_FAILURES ||
        service->fail_ways[way] == STATUS_OK)
        return 0;
    return life_fail_step(service->fail_action, call, service->fail_ways[way], 1, false, bytes);
}
