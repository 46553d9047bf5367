/* SPDX-License-Identifier: ISC */
/* Archives for ramfsd's life: one that it serves, and those that are no tree. Written here by the
 * offsets of their headers, once more than abi/formats/archive.c. */
#include <stdio.h>
#include <string.h>

#include "fuzz/life/ramfsd_life.h"

enum { BLOCK = 512, ARCHIVE_LIMIT = 40 * BLOCK, LONG_FILE = 9000, FAULT_LIMIT = 4 };

static uint8_t archive[ARCHIVE_LIMIT];
static uint8_t long_file[LONG_FILE];

/* --- a writer --- */

static void octal(uint8_t *field, unsigned width, uint64_t value)
{
    for (unsigned i = width - 1; i-- > 0; value /= 8)
        field[i] = (uint8_t)('0' + value % 8);
    field[width - 1] = 0;
}

static size_t write_entry(size_t at, const struct model_ramfsd_entry *entry)
{
    static const char types[] = {
        [FILE_KIND_FILE] = '0', [FILE_KIND_DIRECTORY] = '5', [FILE_KIND_SYMLINK] = '2'};
    uint8_t *header = archive + at;
    bool file = entry->kind == FILE_KIND_FILE;
    uint64_t sum = 0;
    memset(header, 0, BLOCK);
    bool root = entry->path[1] == '\0';
    snprintf((char *)header, 100, ".%s%s", entry->path,
             entry->kind == FILE_KIND_DIRECTORY && !root ? "/" : "");
    octal(header + 100, 8, entry->mode);
    octal(header + 124, 12, file ? entry->count : 0);
    octal(header + 136, 12, 1000000000);
    header[156] = (uint8_t)types[entry->kind];
    if (entry->kind == FILE_KIND_SYMLINK)
        memcpy(header + 157, entry->bytes, entry->count);
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    memset(header + 148, ' ', 8);
    for (unsigned i = 0; i < BLOCK; i++)
        sum += header[i];
    octal(header + 148, 7, sum);
    at += BLOCK;
    if (!file)
        return at;
    size_t padded = (entry->count + BLOCK - 1) / BLOCK * BLOCK;
    memset(archive + at, 0, padded);
    if (entry->count != 0)
        memcpy(archive + at, entry->bytes, entry->count);
    return at + padded;
}

static size_t write_archive(const struct model_ramfsd_entry *entries, uint32_t count)
{
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++)
        at = write_entry(at, &entries[i]);
    memset(archive + at, 0, 2 * (size_t)BLOCK);
    return at + 2 * (size_t)BLOCK;
}

/* --- what is no tree --- */

#define DIRECTORY(path)                                                                            \
    {                                                                                              \
        path, FILE_KIND_DIRECTORY, 0755, NULL, 0                                                   \
    }
#define TEXT(path, text)                                                                           \
    {                                                                                              \
        path, FILE_KIND_FILE, 0644, (const uint8_t *)(text), sizeof(text) - 1                      \
    }
#define SYMBOLIC(path, target)                                                                     \
    {                                                                                              \
        path, FILE_KIND_SYMLINK, 0777, (const uint8_t *)(target), sizeof(target) - 1               \
    }

static const struct {
    struct model_ramfsd_entry entries[FAULT_LIMIT];
    uint32_t count;
    enum status status;
} faults[] = {
    {{DIRECTORY("/a"), TEXT("/b/c", "x")}, 2, STATUS_NOT_FOUND},
    {{TEXT("/a/b", "x"), DIRECTORY("/a")}, 2, STATUS_NOT_FOUND},
    {{TEXT("/a", "x"), TEXT("/a/b", "x")}, 2, STATUS_NOT_DIRECTORY},
    {{SYMBOLIC("/a", "/"), TEXT("/a/b", "x")}, 2, STATUS_NOT_DIRECTORY},
    {{TEXT("/a", "x"), DIRECTORY("/a")}, 2, STATUS_DUPLICATE},
    {{TEXT("/a", "x"), TEXT("/b", "x"), TEXT("/c", "x"), TEXT("/d", "x")}, 4, STATUS_EXHAUSTED},
    {{TEXT("/a", "x"), TEXT("/b", "x"), TEXT("/c", "x")}, 3, STATUS_OK},
};

/* Each in a memory for four nodes, of which the root is one. */
static void refuse_faults(void)
{
    static _Alignas(PAGE_BYTES) uint8_t few[RAMFSD_BYTES_ONCE + 4 * RAMFSD_BYTES_PER_PAGE];
    static struct ramfsd scratch;
    for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        memset(few, 0, sizeof few);
        memset(&scratch, 0, sizeof scratch);
        size_t bytes = write_archive(faults[i].entries, faults[i].count);
        PROPERTY_EQUAL(F2, "archive",
                       ramfsd_init_archive(&scratch, few, sizeof few, 1, archive, bytes),
                       faults[i].status);
        memset(few, 0, sizeof few);
        memset(&scratch, 0, sizeof scratch);
        PROPERTY_EQUAL(F2, "archive",
                       ramfsd_init_archive(&scratch, few, sizeof few, 1, archive, bytes - 1),
                       i == 6 ? STATUS_TRUNCATED : faults[i].status);
    }
}

/* --- the one that is served --- */

static const struct model_ramfsd_entry served[] = {
    {"/", FILE_KIND_DIRECTORY, 0700, NULL, 0},
    DIRECTORY("/bin"),
    {"/bin/sh", FILE_KIND_FILE, 0755, long_file, LONG_FILE},
    DIRECTORY("/etc"),
    TEXT("/etc/motd", "welcome\n"),
    TEXT("/etc/empty", ""),
    SYMBOLIC("/etc/link", "../bin/sh"),
    DIRECTORY("/bin/more"),
    {"/bin/more/x", FILE_KIND_FILE, 0600, long_file, 513},
};

void ramfsd_life_boot_archive(void *memory, uint64_t memory_bytes, uint32_t limit,
                              uint32_t open_limit)
{
    enum { COUNT = sizeof served / sizeof served[0] };
    for (unsigned i = 0; i < LONG_FILE; i++)
        long_file[i] = (uint8_t)(i % 251);
    refuse_faults();
    size_t bytes = write_archive(served, COUNT);
    ramfsd.caller.now_ticks = 5000; /* it was told the time when it was started */
    PROPERTY_EQUAL(F2, "archive",
                   ramfsd_init_archive(&ramfsd, memory, memory_bytes, open_limit, archive, bytes),
                   STATUS_OK);
    model_ramfsd_reset_archive(&model, limit, open_limit, served, COUNT);
    model.now_ticks = 5000;
}
