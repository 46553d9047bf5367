/* SPDX-License-Identifier: ISC */
/* What the two parts of loaderd's peers share: the files. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_LOADERD_INSIDE_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_LOADERD_INSIDE_H

#include "props/stand_ins/peers_of_loaderd.h"

enum { PEERS_HEAD_BYTES = 1024 };

/* A file: its first bytes lie here, all others are made of `seed`. */
struct peers_file_state {
    enum status refused; /* what OPEN says; OK: it is there */
    uint32_t kind;
    uint32_t mode;
    uint64_t owner;
    uint64_t file_id;
    uint64_t version;
    uint64_t size_bytes;
    uint64_t seed;
    uint32_t head_bytes;
    uint8_t head[PEERS_HEAD_BYTES];
};

/* Makes the file what is said, all but its number and version. */
void peers_file_make(struct peers_file_state *file, enum peers_file what, uint64_t seed);

/* Bytes of it, as many as it has. */
uint32_t peers_file_read(const struct peers_file_state *file, uint64_t offset, uint32_t count,
                         uint8_t *bytes);

/* The segments that a file with this beginning has, in procd's words, read from its program headers by
 * somebody else than elf_plan: how many, and its entry. */
uint32_t peers_file_segments(const uint8_t *head, uint32_t head_bytes,
                             struct procd_loader_segment rows[ELF_SEGMENT_LIMIT], uint64_t *entry);

#endif
