/* SPDX-License-Identifier: ISC */
/* Prints what follows from the tables of abi/ and of props/properties.def. */
#include <string.h>

#include "props/tools/tables.h"

static const struct {
    const char *name;
    void (*print)(FILE *out);
} outputs[] = {
    {"dictionary", tables_dictionary}, {"text-dictionary", tables_text_dictionary},
    {"reference", tables_reference},   {"roles", tables_roles},
    {"authority", tables_authority},   {"properties", tables_properties},
};

int main(int argument_count, char **arguments)
{
    for (size_t i = 0; argument_count == 2 && i < sizeof outputs / sizeof outputs[0]; i++) {
        if (strcmp(arguments[1], outputs[i].name) == 0) {
            outputs[i].print(stdout);
            return fflush(stdout) == 0 ? 0 : 1;
        }
    }
    fprintf(stderr,
            "usage: abi_tables dictionary | text-dictionary | reference | roles | authority |"
            " properties\n");
    return 2;
}
