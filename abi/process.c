/* SPDX-License-Identifier: ISC */
/* Names of end reasons. Decides nothing. */
#include "abi/process.h"

const char *end_reason_name(unsigned reason)
{
    switch (reason) {
#define END_REASON(name, value, meaning)                                                           \
    case (value):                                                                                  \
        return #name;
#include "abi/end_reasons.def"
#undef END_REASON
    }
    return "UNKNOWN";
}
