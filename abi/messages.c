/* SPDX-License-Identifier: ISC */
/* The table of all operations of all services, and finding a row in it. Decides nothing. */
#include "abi/messages.h"

#include <stddef.h>

#include "abi/assert.h"
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
        .request_fields = prefix##_##op##_request_fields,                                          \
        .reply_fields = prefix##_##op##_reply_fields,                                              \
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
static const struct operation *find(uint16_t id)
{
    const struct operation *found = NULL;
    switch (id) {
#include "abi/messages/all.def"
    default:
        break;
    }
    return found;
}
#include "abi/messages/undef.h"

const struct operation *operation_find(enum service_id service, uint16_t id)
{
    const struct operation *found = find(id);
    return found != NULL && found->service == service ? found : NULL;
}

const struct message_field *message_fields(const struct message_type *type)
{
    const struct operation *operation = find(type->operation);
    UNIT_ASSERT(operation != NULL); /* every type is that of a row */
    return type == operation->request ? operation->request_fields : operation->reply_fields;
}
