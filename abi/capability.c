/* SPDX-License-Identifier: ISC */
/* Names and rights of object types. Decides nothing. */
#include "abi/capability.h"

uint16_t object_type_rights(unsigned type)
{
    switch (type) {
#define OBJECT_TYPE(name, value, rights, what)                                                     \
    case (value):                                                                                  \
        return (uint16_t)(rights);
#include "abi/capability.def"
#undef OBJECT_TYPE
    }
    return 0;
}

const char *object_type_name(unsigned type)
{
    switch (type) {
#define OBJECT_TYPE(name, value, rights, what)                                                     \
    case (value):                                                                                  \
        return #name;
#include "abi/capability.def"
#undef OBJECT_TYPE
    }
    return "UNKNOWN";
}
