/* SPDX-License-Identifier: ISC */
/* Generated pages are what the tables say, and dictionaries are what the engines read. Runs at the
 * root of the tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "props/base/testing.h"
#include "props/tools/tables.h"

/* What a function prints, as text. */
static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL)
        exit(1);
    print(out);
    if (fclose(out) != 0)
        exit(1);
    return text;
}

static char *file_text(const char *path)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static int page_is_current(const char *path, void (*print)(FILE *out))
{
    char *wanted = printed(print);
    const char *committed = file_text(path);
    int current = committed != NULL && strcmp(wanted, committed) == 0;
    free(wanted);
    return current;
}

/* Lines are comments or name="word" with a word that is not empty. */
static int dictionary_is_right(void (*print)(FILE *out))
{
    char *text = printed(print);
    unsigned words = 0;
    unsigned wrong = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (line[0] == '#')
            continue;
        char *quote = strstr(line, "=\"");
        size_t length = strlen(line);
        if (quote == NULL || line[length - 1] != '"' || length - (size_t)(quote - line) < 4)
            wrong++;
        words++;
    }
    free(text);
    return words > 100 && wrong == 0;
}

int main(int count, char **arguments)
{
    (void)count;
    expect(page_is_current("abi/REFERENCE.md", tables_reference),
           "abi/REFERENCE.md is not what the tables say: ./basalt reference");
    expect(page_is_current("props/PROPERTIES.md", tables_properties),
           "props/PROPERTIES.md is not what properties.def says: ./basalt reference");
    expect(dictionary_is_right(tables_dictionary), "dictionary");
    expect(dictionary_is_right(tables_text_dictionary), "text dictionary");
    return tests_end(arguments[0]);
}
