/* SPDX-License-Identifier: ISC */
/* Unfolds the table SERVICE_TABLE into one typed stub for each row, <peer>_call_<operation>: a
 * caller_call() whose request and reply have the row's types. No include guard on purpose. */
#include "services/lib/caller.h"

#include "abi/messages/nofields.h"
#undef OPERATION
#define OPERATION(S, prefix, name, NAME, id, allowed, state, why)                                  \
    static inline enum status prefix##_call_##name(                                                \
        struct caller *caller, uint32_t slot, struct window window, uint64_t deadline_ticks,       \
        const struct prefix##_##name##_request *request, struct prefix##_##name##_reply *reply)    \
    {                                                                                              \
        return caller_call(caller, slot, window, deadline_ticks, &prefix##_##name##_request_type,  \
                           request, reply);                                                        \
    }
#include SERVICE_TABLE
#include "abi/messages/undef.h"
#undef SERVICE_TABLE
