/* SPDX-License-Identifier: ISC */
/* The page of all properties, from props/properties.def. */
#include "props/tools/tables.h"

#include <stdbool.h>

static void put_family(FILE *out, const char *letter, const char *title)
{
    fprintf(out, "\n## %s: %s\n\n", letter, title);
}

/* The sentence, in lines of at most 100 columns. */
static void put_row(FILE *out, const char *id, const char *sentence)
{
    int column = fprintf(out, "- **%s**", id);
    const char *word = sentence;
    while (*word != '\0') {
        int length = 0;
        while (word[length] != '\0' && word[length] != ' ')
            length++;
        column += 1 + length;
        bool fits = column <= 100;
        fprintf(out, "%s%.*s", fits ? " " : "\n  ", length, word);
        column = fits ? column : 2 + length;
        word += length + (word[length] == ' ');
    }
    fprintf(out, "\n");
}

void tables_properties(FILE *out)
{
    fprintf(out, "# Properties\n\nWritten by `./basalt reference` from `properties.def`; do not "
                 "edit. The code names the id of what it\nprotects, a harness or test checks it, "
                 "and a patch in `mutants/` breaks it. Missing numbers are\nreserved.\n");
#define PROPERTY_FAMILY(letter, title) put_family(out, #letter, title);
#define PROPERTY_ROW(id, sentence)     put_row(out, #id, sentence);
#include "props/properties.def"
#undef PROPERTY_ROW
#undef PROPERTY_FAMILY
}
