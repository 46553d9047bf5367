/* SPDX-License-Identifier: ISC */
/* Reads and writes corpus folders. Decides nothing about what is in them. */
#include "fuzz/engine/corpus.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "props/base/input_limits.h"
#include "fuzz/harness.h"

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

static void *grow(void *old, size_t bytes)
{
    void *grown = realloc(old, bytes);
    if (grown == NULL)
        fail("out of memory");
    return grown;
}

static char *text_of(const char *format, const char *first, const char *second)
{
    size_t bytes = strlen(format) + strlen(first) + strlen(second) + 1;
    char *text = grow(NULL, bytes);
    snprintf(text, bytes, "%s%s%s", first, format, second);
    return text;
}

char *file_read(const char *path, size_t *size_bytes)
{
    struct stat state; /* asked first: to open a FIFO is to wait for its writer */
    if (stat(path, &state) != 0)
        fail("%s: %s", path, strerror(errno));
    if (!S_ISREG(state.st_mode))
        fail("%s: not a regular file", path);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail("%s: %s", path, strerror(errno));
    char *bytes = grow(NULL, FILE_BYTES_MAX + 1);
    *size_bytes = fread(bytes, 1, FILE_BYTES_MAX + 1, file);
    if (*size_bytes > FILE_BYTES_MAX)
        fail("%s: more than %d bytes", path, (int)FILE_BYTES_MAX);
    fclose(file);
    bytes[*size_bytes] = 0;
    return grow(bytes, *size_bytes + 1);
}

static bool ends_with(const char *text, const char *end)
{
    size_t text_length = strlen(text);
    size_t end_length = strlen(end);
    return text_length >= end_length && strcmp(text + text_length - end_length, end) == 0;
}

struct input input_read(const char *path, const char *name)
{
    struct input input = {.name = text_of("", name, ""), .path = text_of("", path, "")};
    char *bytes = file_read(path, &input.size_bytes);
    input.is_trace = ends_with(name, ".trace");
    if (!input.is_trace) {
        if (input.size_bytes > INPUT_BYTES_MAX)
            fail("%s: %zu bytes; an input has at most %d", path, input.size_bytes, INPUT_BYTES_MAX);
        input.bytes = (uint8_t *)bytes;
        return input;
    }
    if (harness_assemble == NULL)
        fail("%s: harness %s takes no .trace files", path, harness_name);
    char problem[256] = "empty";
    input.bytes = grow(NULL, INPUT_BYTES_MAX);
    input.size_bytes = harness_assemble(bytes, input.size_bytes, input.bytes, INPUT_BYTES_MAX,
                                        problem, sizeof problem);
    free(bytes);
    if (input.size_bytes == 0)
        fail("%s: %s", path, problem);
    input.bytes = grow(input.bytes, input.size_bytes);
    return input;
}

static int compare_inputs(const void *left, const void *right)
{
    return strcmp(((const struct input *)left)->name, ((const struct input *)right)->name);
}

/* Notes that lie among the inputs would become golden inputs at the next bless. */
static void refuse_note(const char *folder, const char *name)
{
    if (strncmp(name, "README", 6) == 0 ||
        (strchr(name, '.') != NULL && !ends_with(name, ".trace")))
        fail("%s/%s: not an input: those are called *.trace or have no dot in their name", folder,
             name);
}

static bool is_input_name(const char *name)
{
    return name[0] != '.' && strcmp(name, "DIGESTS") != 0 && strcmp(name, "FLOORS") != 0 &&
           strcmp(name, "README.md") != 0;
}

static struct input *input_find(struct corpus *corpus, const char *name)
{
    struct input key = {.name = (char *)(uintptr_t)name};
    if (corpus->count == 0)
        return NULL;
    return bsearch(&key, corpus->inputs, corpus->count, sizeof key, compare_inputs);
}

/* The next line of *text without its newline, or null at the end; steps over it. */
static char *next_line(char **text)
{
    if (**text == 0)
        return NULL;
    char *line = *text;
    char *end = strchr(line, '\n');
    *text = end == NULL ? line + strlen(line) : end + 1;
    if (end != NULL)
        *end = 0;
    return line;
}

static char *file_read_or_nothing(const char *folder, const char *name)
{
    char *path = text_of("/", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    fclose(file);
    size_t size_bytes;
    char *text = file_read(path, &size_bytes);
    free(path);
    return text;
}

static void read_digests(struct corpus *corpus)
{
    char *text = file_read_or_nothing(corpus->folder, "DIGESTS");
    for (char *line; text != NULL && (line = next_line(&text)) != NULL;) {
        char *space = strrchr(line, ' ');
        if (line[0] == '#' || space == NULL)
            continue;
        *space = 0;
        struct input *input = input_find(corpus, line);
        if (input == NULL) {
            corpus->gone_count++;
            continue;
        }
        input->has_stored = true;
        input->stored = strtoull(space + 1, NULL, 16);
    }
}

static void read_floors(struct corpus *corpus)
{
    char *text = file_read_or_nothing(corpus->folder, "FLOORS");
    for (char *line; text != NULL && (line = next_line(&text)) != NULL;) {
        if (line[0] == '#' || line[0] == 0)
            continue;
        corpus->floors = grow(corpus->floors, (corpus->floor_count + 1) * sizeof corpus->floors[0]);
        corpus->floors[corpus->floor_count++] = line;
    }
}

struct corpus corpus_read(const char *folder)
{
    struct corpus corpus = {.folder = folder};
    DIR *dir = opendir(folder);
    if (dir == NULL)
        fail("%s: %s", folder, strerror(errno));
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!is_input_name(entry->d_name))
            continue;
        refuse_note(folder, entry->d_name);
        char *path = text_of("/", folder, entry->d_name);
        corpus.inputs = grow(corpus.inputs, (corpus.count + 1) * sizeof corpus.inputs[0]);
        corpus.inputs[corpus.count++] = input_read(path, entry->d_name);
        free(path);
    }
    closedir(dir);
    if (corpus.count != 0)
        qsort(corpus.inputs, corpus.count, sizeof corpus.inputs[0], compare_inputs);
    read_digests(&corpus);
    read_floors(&corpus);
    return corpus;
}

/* A file that shall take another one's place. */
struct replacement {
    FILE *file;
    char *path;
    char *target;
};

static struct replacement replacement_open(const char *folder, const char *name)
{
    char *hidden = text_of(".", "", name);
    char *path = text_of("/", folder, hidden);
    struct replacement replacement = {NULL, text_of("", path, ".new"), text_of("/", folder, name)};
    free(hidden);
    free(path);
    replacement.file = fopen(replacement.path, "wb");
    if (replacement.file == NULL)
        fail("%s: %s", replacement.path, strerror(errno));
    return replacement;
}

/* Everything is on the disk, still under its own name. */
static void replacement_finish(struct replacement *replacement)
{
    if (fflush(replacement->file) != 0 || fsync(fileno(replacement->file)) != 0 ||
        fclose(replacement->file) != 0)
        fail("%s: %s", replacement->path, strerror(errno));
}

static void replacement_take_place(struct replacement *replacement)
{
    if (rename(replacement->path, replacement->target) != 0)
        fail("%s: %s", replacement->target, strerror(errno));
    free(replacement->path);
    free(replacement->target);
}

void corpus_write_blessing(const struct corpus *corpus, char **floors, size_t floor_count)
{
    struct replacement kept = replacement_open(corpus->folder, "FLOORS");
    struct replacement digests = replacement_open(corpus->folder, "DIGESTS");
    fprintf(kept.file, "# Marks that replay must reach: written by `./basalt bless %s`.\n",
            harness_name);
    for (size_t i = 0; i < floor_count; i++)
        fprintf(kept.file, "%s\n", floors[i]);
    fprintf(digests.file, "# What each input did: written by `./basalt bless %s` after a review.\n",
            harness_name);
    for (size_t i = 0; i < corpus->count; i++)
        fprintf(digests.file, "%s %016" PRIx64 "\n", corpus->inputs[i].name,
                corpus->inputs[i].forward);
    replacement_finish(&kept);
    replacement_finish(&digests);
    replacement_take_place(&kept);
    replacement_take_place(&digests);
}

void input_write(const struct corpus *corpus, const struct input *input)
{
    struct replacement written = replacement_open(corpus->folder, input->name);
    fwrite(input->bytes, 1, input->size_bytes, written.file);
    replacement_finish(&written);
    replacement_take_place(&written);
}
