/* SPDX-License-Identifier: ISC */
/* Programs that are started from files: they hold SELF and their endpoint, and nothing says what they
 * are but their bytes. What is expected of each is in expectations.h. */
#include "abi/slots.h"
#include "abi/user_memory.h"
#include "services/lib/kernel_calls.h"
#include "services/probes/expectations.h"
#include "services/probes/probes.h"

uint32_t loaded_hello_main(uint64_t argument)
{
    (void)argument;
    return LOADED_HELLO;
}

/* What it holds: each capability in turn, from the first slot on. */
uint32_t loaded_look_main(uint64_t argument)
{
    static const struct {
        uint32_t slot;
        uint32_t object_type;
    } wanted[] = {{SLOT_SELF, OBJECT_KERNEL_SELF}, {SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT}};
    struct caller caller = {0};
    struct kernel_query_local_cap_reply held;
    uint32_t slot = SLOT_SELF;
    for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (kernel_query_local_cap(&caller, slot, QUERY_NEXT, &held) != STATUS_OK ||
            held.slot != wanted[i].slot || held.object_type != wanted[i].object_type)
            return LOADED_LACKS;
        slot = held.slot + 1;
    }
    if (kernel_query_local_cap(&caller, slot, QUERY_NEXT, &held) != STATUS_NOT_FOUND)
        return LOADED_HOLDS_MORE;
    return argument == 0 ? LOADED_LOOK : LOADED_ARGUMENT; /* nobody could have said anything */
}

/* Until it is stopped: nobody has its endpoint. */
uint32_t loaded_linger_main(uint64_t argument)
{
    struct receive_info info;
    (void)argument;
    for (;;) {
        sys_message()->header = (struct message_header){.version = MESSAGE_VERSION};
        if (sys_recv(SLOT_SERVICE_ENDPOINT, sys_message(), DEADLINE_NEVER, &info) != STATUS_OK)
            return LOADED_HEARD;
    }
}

/* A write to where it has nothing. */
uint32_t loaded_fault_main(uint64_t argument)
{
    (void)argument;
    user_store64(LOADED_FAULT_VA, 1);
    return LOADED_NO_FAULT;
}
