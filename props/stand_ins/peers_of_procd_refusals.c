/* SPDX-License-Identifier: ISC */
/* What was refused to be taken back from procd when it was offered last: the last word on each. */
#include "abi/message_type.h"
#include "abi/messages/kernel.h"
#include "props/base/property.h"
#include "props/stand_ins/peers_of_procd.h"

enum { REFUSALS = 4096 };
static struct refusal {
    const struct operation *operation;
    uint64_t name;
} refusals[REFUSALS];
static uint32_t refusal_count;

static uint32_t find(enum service_id service, uint16_t operation, uint64_t name)
{
    uint32_t at = 0;
    while (at < refusal_count &&
           (refusals[at].operation->service != service || refusals[at].operation->id != operation ||
            refusals[at].name != name))
        at++;
    return at;
}

bool peers_of_procd_refuses(enum service_id service, uint16_t operation, uint64_t name)
{
    return find(service, operation, name) != refusal_count;
}

uint32_t peers_of_procd_unreleased(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < refusal_count; i++) {
        const struct operation *operation = refusals[i].operation;
        count += operation->service == SERVICE_KERNEL && operation->id == OP_KERNEL_RETIRE_PROCESS;
    }
    return count;
}

void peers_refusals_note(const struct operation *operation, uint64_t name, bool refused)
{
    uint32_t at = find(operation->service, operation->id, name);
    if (at != refusal_count)
        refusals[at] = refusals[--refusal_count];
    HARNESS(refusal_count < REFUSALS);
    if (refused)
        refusals[refusal_count++] = (struct refusal){operation, name};
}

void peers_refusals_begin(void)
{
    refusal_count = 0;
}
