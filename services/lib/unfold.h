/* SPDX-License-Identifier: ISC */
/* Unfolds the table SERVICE_TABLE of the service SERVICE, for its internal.h: any request body and
 * any reply as unions, and the prototype of each LIVE row. Ends SERVICE and SERVICE_TABLE. No
 * include guard on purpose. */
#define UNFOLD_PASTE_AGAIN(a, b) a##b
#define UNFOLD_PASTE(a, b)       UNFOLD_PASTE_AGAIN(a, b)
#define UNFOLD_NAME(suffix)      UNFOLD_PASTE(SERVICE, suffix)

#include "abi/messages/nofields.h"
#undef OPERATION
#define OPERATION(S, prefix, name, NAME, id, allowed, state, why)                                  \
    struct prefix##_##name##_request name;
union UNFOLD_NAME(_body) {
#include SERVICE_TABLE
};
#undef OPERATION
#define OPERATION(S, prefix, name, NAME, id, allowed, state, why)                                  \
    struct prefix##_##name##_reply name;
union UNFOLD_NAME(_reply) {
#include SERVICE_TABLE
};
#undef OPERATION

struct UNFOLD_NAME(_request);
#define UNFOLD_LIVE(name)                                                                          \
    enum status UNFOLD_NAME(_##name)(struct SERVICE *, struct UNFOLD_NAME(_request) *);
#define UNFOLD_DENIED(name)
#define UNFOLD_UNSUPPORTED(name)
#define OPERATION(S, prefix, name, NAME, id, allowed, state, why) UNFOLD_##state(name)
#include SERVICE_TABLE
#include "abi/messages/undef.h"

#undef UNFOLD_LIVE
#undef UNFOLD_DENIED
#undef UNFOLD_UNSUPPORTED
#undef UNFOLD_NAME
#undef UNFOLD_PASTE
#undef UNFOLD_PASTE_AGAIN
#undef SERVICE
#undef SERVICE_TABLE
