/* SPDX-License-Identifier: ISC */
/* Unfolds the table SERVICE_TABLE of the service SERVICE, for one of its .c files: `rows`, for its
 * struct service_table. Ends SERVICE and SERVICE_TABLE. No include guard on purpose. */
#define UNFOLD_PASTE_AGAIN(a, b) a##b
#define UNFOLD_PASTE(a, b)       UNFOLD_PASTE_AGAIN(a, b)
#define UNFOLD_NAME(suffix)      UNFOLD_PASTE(SERVICE, suffix)

_Static_assert(offsetof(struct UNFOLD_NAME(_request), common) == 0, "it begins the request");

#include "abi/messages/nofields.h"
#undef OPERATION
#define UNFOLD_LIVE(name)                                                                          \
    static enum status perform_##name(void *service, void *request)                                \
    {                                                                                              \
        return UNFOLD_NAME(_##name)(service, request);                                             \
    }
#define UNFOLD_DENIED(name)
#define UNFOLD_UNSUPPORTED(name)
#define OPERATION(S, prefix, name, NAME, op_id, who, op_state, why) UNFOLD_##op_state(name)
#include SERVICE_TABLE
#undef OPERATION
#undef UNFOLD_LIVE
#undef UNFOLD_DENIED
#undef UNFOLD_UNSUPPORTED

#define UNFOLD_LIVE(name)        perform_##name
#define UNFOLD_DENIED(name)      NULL
#define UNFOLD_UNSUPPORTED(name) NULL
#define OPERATION(S, prefix, name, NAME, op_id, who, op_state, why)                                \
    {                                                                                              \
        .id = (op_id),                                                                             \
        .state = OPERATION_##op_state,                                                             \
        .allowed = (who),                                                                          \
        .request = &prefix##_##name##_request_type,                                                \
        .perform = UNFOLD_##op_state(name),                                                        \
    },
static const struct service_row rows[] = {
#include SERVICE_TABLE
};
#include "abi/messages/undef.h"

#undef UNFOLD_LIVE
#undef UNFOLD_DENIED
#undef UNFOLD_UNSUPPORTED
#undef UNFOLD_NAME
#undef UNFOLD_PASTE
#undef UNFOLD_PASTE_AGAIN
#undef SERVICE
#undef SERVICE_TABLE
