/* SPDX-License-Identifier: ISC */
/* Prints what follows from the tables of abi/ and of props/properties.def. */
#include <string.h>

#include "props/tools/tables.h"

static const struct {
    const char *name;
    void (*print)(FILE *out);
} outputs[] = {
    {"reference", tables_reference},
    {"roles", tables_roles},
    {"authority", tables_authority},
    {"properties", tables_properties},
};

static const struct {
    const char *name;
    bool (*print)(FILE *out, unsigned part_count, char *const parts[]);
} dictionaries[] = {
    {"dictionary", tables_dictionary},
    {"text-dictionary", tables_text_dictionary},
};

int main(int argument_count, char **arguments)
{
    for (size_t i = 0; argument_count == 2 && i < sizeof outputs / sizeof outputs[0]; i++) {
        if (strcmp(arguments[1], outputs[i].name) == 0) {
            outputs[i].print(stdout);
            return fflush(stdout) == 0 ? 0 : 1;
        }
    }
    for (size_t i = 0; argument_count >= 2 && i < sizeof dictionaries / sizeof dictionaries[0];
         i++) {
        if (strcmp(arguments[1], dictionaries[i].name) == 0) {
            bool printed =
                dictionaries[i].print(stdout, (unsigned)argument_count - 2, arguments + 2);
            return printed && fflush(stdout) == 0 ? 0 : 1;
        }
    }
    fprintf(stderr, "usage: abi_tables reference | roles | authority | properties |"
                    " dictionary [PART...] | text-dictionary [names]\n");
    return 2;
}
