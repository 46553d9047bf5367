/* SPDX-License-Identifier: ISC */
/* Runs each input with an empty record of marks and prints what it recorded. Judges nothing. */
#include "fuzz/engine/marks_each.h"

#include <stdio.h>

#include "fuzz/harness.h"

static void print_mark(const char *name, uint64_t hash, void *context)
{
    (void)hash;
    (void)context;
    printf("mark %s\n", name);
}

int marks_each(const struct corpus *corpus, uint64_t (*run)(const struct input *input))
{
    for (size_t i = 0; i < corpus->count; i++) {
        marks_forget();
        marks_record(true);
        run(&corpus->inputs[i]);
        marks_record(false);
        printf("input %s\n", corpus->inputs[i].name);
        marks_visit(print_mark, NULL);
        fflush(stdout);
    }
    return 0;
}
