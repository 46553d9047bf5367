/* SPDX-License-Identifier: ISC */
/* Files for service_adversary: what an honest peer of vfsd or of loaderd would say of them, and paths
 * that meet. */
#ifndef BASALT_FUZZ_ADVERSARY_FILES_H
#define BASALT_FUZZ_ADVERSARY_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/message.h"
#include "props/base/choices.h"

/* Gives a request to vfsd paths of one letter or two. */
void adversary_path_briefly(struct choices *choices, uint16_t operation, void *body);

/* The answer of vfsd to loaderd; of a provider to vfsd. False: it is not asked about a file. */
bool adversary_answer_file(struct message *message);
bool adversary_answer_provider(struct choices *choices, struct message *message);

#endif
