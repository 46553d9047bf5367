/* SPDX-License-Identifier: ISC */
/* A corpus folder in memory: its inputs by name, with the stored digests and floors. Host tool
 * code: it ends the program with a message when a file cannot be read. */
#ifndef BASALT_FUZZ_ENGINE_CORPUS_H
#define BASALT_FUZZ_ENGINE_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILE_BYTES_MAX = 1 << 20 /* of a text; an input has its limit in input_limits.h */ };

struct input {
    char *name; /* within the folder */
    char *path;
    uint8_t *bytes;
    size_t size_bytes;
    bool is_trace; /* assembled from text: its expected statuses are checked */
    bool has_stored;
    uint64_t stored;  /* digest in DIGESTS */
    uint64_t forward; /* digests of the two passes */
    uint64_t reverse;
    unsigned inexact; /* numbers in it that mean a row and are not its id (props/base/rows.h) */
};

struct corpus {
    const char *folder;
    struct input *inputs; /* sorted by name */
    size_t count;
    char **floors; /* lines of FLOORS */
    size_t floor_count;
    size_t gone_count; /* digests stored for inputs that are not there */
};

/* Reads a folder; inputs that end in .trace are assembled. Any other file in it whose name has a
 * dot or starts with README is taken for a mistake. */
struct corpus corpus_read(const char *folder);

/* Reads one input from a file. */
struct input input_read(const char *path, const char *name);

/* Writes FLOORS from `floors` and DIGESTS from the forward digests. Both are on the disk under
 * other names before either takes the old one's place, FLOORS first: a run that is stopped between
 * the two leaves digests that replay refuses, or that were the same before. */
void corpus_write_blessing(const struct corpus *corpus, char **floors, size_t floor_count);

/* Writes the input's bytes into its file, whole or not at all. */
void input_write(const struct corpus *corpus, const struct input *input);

/* The whole file, which must be a regular one of at most FILE_BYTES_MAX, with a zero behind it. */
char *file_read(const char *path, size_t *size_bytes);

/* Prints a message and ends the program with status 2. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

#endif
