/* SPDX-License-Identifier: ISC */
/* The files of loaderd's stand-in for vfsd: programs that are made here, and what is none, one of each
 * kind. Knows nothing of who reads them. */
#include <string.h>

#include "abi/roles.h"
#include "props/base/property.h"
#include "props/stand_ins/peers_of_loaderd_inside.h"

enum {
    LOAD = 1,
    NOTE = 4,
    TLS = 7,
    READ = 4,
    WRITE = 2,
    EXECUTE = 1,
    ROW_LIMIT = 16,
    BASE = 0x400000,
    ENTRY_AT = 0x40 /* behind the beginning of the first segment */
};

/* A program header; of those of type LOAD the first is where the entry is. */
struct row {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t va;
    uint64_t file_bytes;
    uint64_t memory_bytes;
};

#define CODE(offset, va, bytes)                                                                    \
    {                                                                                              \
        LOAD, READ | EXECUTE, offset, va, bytes, bytes                                             \
    }
#define CONSTANTS(offset, va, bytes)                                                               \
    {                                                                                              \
        LOAD, READ, offset, va, bytes, bytes                                                       \
    }
#define DATA(offset, va, bytes, more)                                                              \
    {                                                                                              \
        LOAD, READ | WRITE, offset, va, bytes, (bytes) + (more)                                    \
    }

static const struct program {
    struct row rows[ROW_LIMIT];
    uint32_t count;
} small = {{CODE(0x100, BASE + 0x100, 300)}, 1},
  three = {{CODE(0x1000, BASE + 0x1000, 3000), CONSTANTS(0x1C00, BASE + 0x2C00, 900),
            DATA(0x2000, BASE + 0x4000, 1700, 9000)},
           3},
  eight = {{{NOTE, READ, 0x3C0, 0, 16, 16},
            {NOTE, READ, 0x3D0, 0, 16, 16},
            {NOTE, READ, 0x3E0, 0, 16, 16},
            {NOTE, READ, 0x3C0, 0, 16, 16},
            {NOTE, READ, 0x3C0, 0, 16, 16},
            {NOTE, READ, 0x3C0, 0, 16, 16},
            {NOTE, READ, 0x3C0, 0, 16, 16},
            {NOTE, READ, 0x3C0, 0, 16, 16},
            CODE(0x400, BASE + 0x400, 832),
            CONSTANTS(0x800, BASE + 0x1800, 833),
            DATA(0xC00, BASE + 0x2C00, 1, 0),
            DATA(0, BASE + 0x4000, 0, 4096),
            DATA(0x1001, BASE + 0x5001, 831, 1),
            CONSTANTS(0x1400, BASE + 0x6400, 1),
            DATA(0x1400, BASE + 0x7400, 1664, 0),
            CODE(0x1C00, BASE + 0x8C00, 100)},
           16},
  lengthy = {{CODE(0x1000, BASE + 0x1000, 20000), DATA(0x6000, BASE + 0x8000, 10000, 100)}, 2},
  shared = {{CODE(0x200, BASE + 0x200, 1500), CONSTANTS(0x200, BASE + 0x1200, 1400)}, 2},
  large = {{CODE(0x1000, BASE + 0x1000, 3000), DATA(0x2000, BASE + 0x3000, 100, 1000 << 12)}, 2},
  thread = {{CODE(0x200, BASE + 0x200, 100), {TLS, READ, 0x200, BASE + 0x200, 8, 8}}, 2},
  writable = {{{LOAD, READ | WRITE | EXECUTE, 0x200, BASE + 0x200, 100, 100}}, 1},
  repeated = {{CODE(0x1000, BASE + 0x1000, 3 << 20), CONSTANTS(0x1000, 0x40001000, 3 << 20)}, 2};

static void put(uint8_t *at, uint64_t value, uint32_t bytes)
{
    memcpy(at, &value, bytes);
}

static uint64_t get(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

/* --- writing --- */

static void write_program(struct peers_file_state *file, const struct program *program)
{
    static const uint8_t ident[] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    uint64_t entry = 0;
    memcpy(file->head, ident, sizeof ident);
    file->head_bytes = 64 + 56 * program->count;
    HARNESS(file->head_bytes <= PEERS_HEAD_BYTES);
    for (uint32_t i = 0; i < program->count; i++) {
        const struct row *row = &program->rows[i];
        uint8_t *at = file->head + 64 + 56 * i;
        put(at, row->type, 4);
        put(at + 4, row->flags, 4);
        put(at + 8, row->offset, 8);
        put(at + 16, row->va, 8);
        put(at + 24, row->va, 8);
        put(at + 32, row->file_bytes, 8);
        put(at + 40, row->memory_bytes, 8);
        put(at + 48, 1, 8);
        if (row->type == LOAD && entry == 0)
            entry = row->va + ENTRY_AT;
        if (row->offset + row->file_bytes > file->size_bytes)
            file->size_bytes = row->offset + row->file_bytes;
    }
    put(file->head + 16, 2, 2);  /* ET_EXEC */
    put(file->head + 18, 62, 2); /* x86-64 */
    put(file->head + 20, 1, 4);
    put(file->head + 24, entry, 8);
    put(file->head + 32, 64, 8);
    put(file->head + 52, 64, 2);
    put(file->head + 54, 56, 2);
    put(file->head + 56, program->count, 2);
}

static const struct program *program_of(enum peers_file what)
{
    switch ((unsigned)what) {
    case PEERS_FILE_THREE:
        return &three;
    case PEERS_FILE_EIGHT:
        return &eight;
    case PEERS_FILE_LONG:
        return &lengthy;
    case PEERS_FILE_SHARED:
        return &shared;
    case PEERS_FILE_LARGEST:
        return &large;
    case PEERS_FILE_TLS:
        return &thread;
    case PEERS_FILE_WRITE_CODE:
        return &writable;
    case PEERS_FILE_REPEATED:
        return &repeated;
    default:
        return &small;
    }
}

/* What of it is not as of a good program. */
static void spoil(struct peers_file_state *file, enum peers_file what)
{
    if (what >= PEERS_FILE_REFUSED)
        file->refused = (enum status)(1 + (what - PEERS_FILE_REFUSED) % STATUS_CHANGED);
    if (what == PEERS_FILE_DYNAMIC)
        put(file->head + 16, 3, 2);
    if (what == PEERS_FILE_TEXT)
        memcpy(file->head, "#!/bin/sh -", 11);
    if (what == PEERS_FILE_CUT)
        file->size_bytes = 90;
    if (what == PEERS_FILE_EMPTY)
        file->size_bytes = 0;
    if (what == PEERS_FILE_LARGEST || what == PEERS_FILE_HUGE)
        file->size_bytes = PROCD_LOADER_IMAGE_BYTES_MAX + (what == PEERS_FILE_HUGE);
    if (what == PEERS_FILE_OWN || what == PEERS_FILE_OWN_NO_EXECUTE)
        file->owner = ROLE_LOADERD;
    if (what == PEERS_FILE_NO_EXECUTE || what == PEERS_FILE_OWN)
        file->mode = 0744;
    if (what == PEERS_FILE_OWN_NO_EXECUTE)
        file->mode = 0655;
    if (what == PEERS_FILE_DIRECTORY)
        file->kind = FILE_KIND_DIRECTORY;
    if (what == PEERS_FILE_LINK)
        file->kind = FILE_KIND_SYMLINK;
}

void peers_file_make(struct peers_file_state *file, enum peers_file what, uint64_t seed)
{
    *file = (struct peers_file_state){
        .file_id = file->file_id,
        .version = file->version,
        .kind = FILE_KIND_FILE,
        .mode = 0755,
        .owner = ROLE_VFSD,
        .seed = seed,
    };
    write_program(file, program_of(what));
    spoil(file, what);
}

/* --- reading --- */

#define FILE_STEP UINT64_C(0x9E3779B97F4A7C15)

uint32_t peers_file_read(const struct peers_file_state *file, uint64_t offset, uint32_t count,
                         uint8_t *bytes)
{
    if (offset >= file->size_bytes)
        return 0;
    if (count > file->size_bytes - offset)
        count = (uint32_t)(file->size_bytes - offset);
    uint64_t behind = offset < file->head_bytes ? file->head_bytes - offset : 0;
    uint32_t head = behind < count ? (uint32_t)behind : count;
    if (head != 0)
        memcpy(bytes, file->head + offset, head);
    uint64_t value = (file->seed + offset + head) * FILE_STEP; /* of a byte its highest bits */
    for (uint32_t i = head; i < count; i++, value += FILE_STEP)
        bytes[i] = (uint8_t)(value >> 56);
    return count;
}

uint32_t peers_file_segments(const uint8_t *head, uint32_t head_bytes,
                             struct procd_loader_segment rows[ELF_SEGMENT_LIMIT], uint64_t *entry)
{
    uint32_t count = 0;
    uint64_t headers = get(head + 56, 2);
    *entry = get(head + 24, 8);
    HARNESS(64 + 56 * headers <= head_bytes);
    for (uint64_t i = 0; i < headers; i++) {
        const uint8_t *at = head + 64 + 56 * i;
        uint64_t flags = get(at + 4, 4);
        if (get(at, 4) != LOAD || get(at + 40, 8) == 0)
            continue;
        HARNESS(count < ELF_SEGMENT_LIMIT);
        rows[count++] = (struct procd_loader_segment){
            .va = get(at + 16, 8),
            .memory_bytes = get(at + 40, 8),
            .file_bytes = get(at + 32, 8),
            .rights = ((flags & READ) != 0 ? RIGHT_READ : 0u) |
                      ((flags & WRITE) != 0 ? RIGHT_WRITE : 0u) |
                      ((flags & EXECUTE) != 0 ? RIGHT_EXECUTE : 0u),
        };
    }
    return count;
}
