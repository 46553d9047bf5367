/* SPDX-License-Identifier: ISC */
/* One function for each operation of the message tables; all of them abort, and nothing else. */
#include "props/base/endings.h"

#include <stddef.h>
#include <stdlib.h>

/* The id keeps compilers and linkers from making one function of all that do the same. */
#include "abi/messages/nofields.h"
#undef OPERATION
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)                           \
    ENDING_FRAME static void during_##service##_##name(void)                                       \
    {                                                                                              \
        volatile unsigned operation = (id);                                                        \
        (void)operation;                                                                           \
        abort();                                                                                   \
    }
#include "abi/messages/all.def"

#undef OPERATION
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)                           \
    {(id), during_##service##_##name},
static const struct {
    uint16_t operation;
    ending end;
} endings[] = {
#include "abi/messages/all.def"
};
#include "abi/messages/undef.h"

ending ending_during(uint16_t operation)
{
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (endings[i].operation == operation)
            return endings[i].end;
    return abort;
}
