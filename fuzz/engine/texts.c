/* SPDX-License-Identifier: ISC */
/* Prints inputs and assembles what was printed. Judges by digest alone; a status that the text
 * states and the replay does not give is a property that fails. */
#include "fuzz/engine/texts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/harness.h"

/* The trace of an input, as a text of its own; free it. */
static char *text_of_input(const struct input *input, uint64_t (*run)(const struct input *input),
                           size_t *text_bytes, uint64_t *digest)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, text_bytes);
    if (stream == NULL)
        fail("out of memory");
    trace_into(stream);
    trace_enable(true);
    *digest = run(input);
    trace_enable(false);
    trace_into(NULL);
    fclose(stream);
    return text;
}

/* Whether the text of an input does what the input did. An input that does nothing has no text. */
static bool survives(const struct input *input, uint64_t (*run)(const struct input *input))
{
    static uint8_t bytes[FILE_BYTES_MAX];
    char problem[256] = "";
    size_t text_bytes;
    uint64_t digest;
    char *text = text_of_input(input, run, &text_bytes, &digest);
    struct input again = {
        .name = input->name, .path = input->path, .bytes = bytes, .is_trace = true};
    again.size_bytes =
        harness_assemble(text, text_bytes, bytes, sizeof bytes, problem, sizeof problem);
    free(text);
    if (problem[0] != '\0') {
        printf("%s: its text does not assemble: %s\n", input->path, problem);
        return false;
    }
    uint64_t replayed = run(&again);
    if (replayed != digest)
        printf("%s: digest %016" PRIx64 ", %016" PRIx64
               " as text; save the text (./basalt show) as a .trace and compare the two traces\n",
               input->path, digest, replayed);
    return replayed == digest;
}

int texts_replay(const struct corpus *corpus, uint64_t (*run)(const struct input *input))
{
    size_t count = 0;
    size_t lost = 0;
    if (harness_assemble == NULL)
        fail("%s: this harness has no text", harness_name);
    for (size_t i = 0; i < corpus->count; i++) {
        if (corpus->inputs[i].is_trace)
            continue;
        count++;
        lost += !survives(&corpus->inputs[i], run);
    }
    printf("%s: %zu inputs as text, %zu different\n", harness_name, count, lost);
    return lost == 0 ? 0 : 1;
}
