/* SPDX-License-Identifier: ISC */
/* Names of status codes. Decides nothing. */
#include "abi/status.h"

const char *status_name(unsigned status)
{
    switch (status) {
#define STATUS(name, value, meaning)                                                               \
    case (value):                                                                                  \
        return #name;
#include "abi/status.def"
#undef STATUS
    }
    return "UNKNOWN";
}

const char *status_meaning(unsigned status)
{
    switch (status) {
#define STATUS(name, value, meaning)                                                               \
    case (value):                                                                                  \
        return meaning;
#include "abi/status.def"
#undef STATUS
    }
    return "";
}
