/* SPDX-License-Identifier: ISC */
/* Files for harnesses whose peers lie: what an honest peer of vfsd or of loaderd would say of them,
 * paths and names that meet, and an archive. */
#ifndef BASALT_FUZZ_ADVERSARY_FILES_H
#define BASALT_FUZZ_ADVERSARY_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/message.h"
#include "props/base/choices.h"

/* Gives a request to vfsd paths of one letter or two. */
void adversary_path_briefly(struct choices *choices, uint16_t operation, void *body);

/* Gives a request to ramfsd nodes that it may know, names of one letter, and offsets in the first
 * pages. `node` and `other` are of nodes that it gave out. */
void adversary_node_briefly(struct choices *choices, uint16_t operation, uint64_t node,
                            uint64_t other, void *body);

/* A directory, a file in it and a link to that, as imagefsd finds them in the boot image. */
const uint8_t *adversary_archive(size_t *size_bytes);

/* The answer of vfsd to loaderd; of a provider to vfsd. False: it is not asked about a file. */
bool adversary_answer_file(struct message *message);
bool adversary_answer_provider(struct choices *choices, struct message *message);

#endif
