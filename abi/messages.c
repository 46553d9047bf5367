/* SPDX-License-Identifier: ISC */
/* The table of all operations of all services, and finding a row in it. Decides nothing. */
#include "abi/messages.h"

#include <stddef.h>

#include "abi/roles.h"

/* --- the operation table ------------------------------------------------------------------------
 */
#include "abi/messages/nofields.h"
#undef OPERATION
#define OPERATION(SERVICE, prefix, op, NAME, op_id, who, op_state, reason)                         \
    {                                                                                              \
        .service = SERVICE_##SERVICE,                                                              \
        .id = (op_id),                                                                             \
        .state = OPERATION_##op_state,                                                             \
        .allowed = (who),                                                                          \
        .service_name = #prefix,                                                                   \
        .name = #op,                                                                               \
        .request = &prefix##_##op##_request_type,                                                  \
        .reply = &prefix##_##op##_reply_type,                                                      \
        .why = (reason),                                                                           \
    },
const struct operation operation_table[] = {
#include "abi/messages/all.def"
};
#include "abi/messages/undef.h"

const unsigned operation_count = sizeof operation_table / sizeof operation_table[0];

/* --- finding a row ------------------------------------------------------------------------------
 */
#include "abi/messages/nofields.h"
#undef OPERATION
#define OPERATION(SERVICE, prefix, op, NAME, op_id, who, op_state, reason) prefix##_##op##_index,
enum operation_index {
#include "abi/messages/all.def"
};
#undef OPERATION

/* One case a row, so that two rows of whatever services cannot have the same id. */
#define OPERATION(SERVICE, prefix, op, NAME, op_id, who, op_state, reason)                         \
    case (op_id):                                                                                  \
        found = &operation_table[prefix##_##op##_index];                                           \
        break;
const struct operation *operation_find(enum service_id service, uint16_t id)
{
    const struct operation *found = NULL;
    switch (id) {
#include "abi/messages/all.def"
    default:
        break;
    }
    return found != NULL && found->service == service ? found : NULL;
}
#include "abi/messages/undef.h"
