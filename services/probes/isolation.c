/* SPDX-License-Identifier: ISC */
/* phase0-isolation-a and -b: one address, two processes, two pages. They differ only in the value
 * that they are given. */
#include "abi/address_space.h"
#include "abi/slots.h"
#include "abi/system.h"
#include "abi/user_memory.h"
#include "services/probes/probes.h"

/* How long the other may take to store its value: it needs a few faults. */
enum { ISOLATION_WAIT_TICKS = 50 };

/* Waits on the helper's own endpoint, which nobody sends to. The first RECV only tells the time. */
static void let_others_run(void)
{
    struct message message = {.header = {.version = MESSAGE_VERSION}};
    struct receive_info info = {0};
    (void)sys_recv(SLOT_SERVICE_ENDPOINT, &message, DEADLINE_POLL, &info);
    message.header = (struct message_header){.version = MESSAGE_VERSION};
    (void)sys_recv(SLOT_SERVICE_ENDPOINT, &message, info.now_ticks + ISOLATION_WAIT_TICKS, &info);
}

/* Stores the value, lets the other store its own at the same address, returns what is there. */
static uint32_t isolation_main(uint64_t value)
{
    user_store64(HEAP_WINDOW_VA, value);
    let_others_run();
    return (uint32_t)user_load64(HEAP_WINDOW_VA);
}

uint32_t phase0_isolation_a_main(uint64_t argument)
{
    return isolation_main(argument);
}

uint32_t phase0_isolation_b_main(uint64_t argument)
{
    return isolation_main(argument);
}
