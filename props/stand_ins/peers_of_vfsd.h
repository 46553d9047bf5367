/* SPDX-License-Identifier: ISC */
/* The peers of vfsd: named, and three providers, whose trees are models of ramfsd: an archive, a
 * tree that has files and room, and one that has neither. They keep their contract until they are
 * told to lie, and live until they are told to die. Each call that vfsd makes is written down, with
 * what came of it, for the model to replay. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_VFSD_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_VFSD_H

#include "props/models/model_vfsd.h"
#include "props/stand_ins/stand_in_kernel.h"

/* What an answer says that its contract does not allow; of a reply that has no such field: nothing
 * comes of it. */
enum peers_lie {
    PEERS_LIE_NO_NODE,      /* node 0, with a name where there is one */
    PEERS_LIE_WIDE_NODE,    /* one that no file_id has room for */
    PEERS_LIE_OTHER_NODE,   /* STAT: another one than was asked for */
    PEERS_LIE_KIND,         /* STAT, CREATE: another kind than it must be */
    PEERS_LIE_NO_KIND,      /* one that there is not */
    PEERS_LIE_MANY_BYTES,   /* READ: a byte more than was asked for */
    PEERS_LIE_SHORT_FILE,   /* WRITE: the file ends before what was written */
    PEERS_LIE_STILL_CURSOR, /* READDIR: the next entry is this one */
    PEERS_LIE_NAME,         /* READDIR: what is no name */
    PEERS_LIE_TARGET,       /* READLINK: what is no target */
    PEERS_LIE_SHORT_BODY,   /* a byte is missing */
    PEERS_LIE_COUNT
};

/* The kernel's stand-in with what vfsd holds at start; providers live, trees are as at first, and
 * so are the copies for the model. */
void peers_of_vfsd_begin(struct model_ramfsd *const copies[MODEL_VFSD_TREES]);

/* A tree as at first. */
void peers_vfsd_plant(struct model_ramfsd *tree, uint32_t which);

/* A provider's process ends: named forgets it. */
void peers_vfsd_end(uint32_t tree);
/* It is there again, as another process; a volatile tree is as at first. */
void peers_vfsd_again(uint32_t tree, bool read_only);
bool peers_vfsd_lives(uint32_t tree);

/* The call to a provider that comes after `calls` others, of the next message alone, is answered
 * with a lie. */
void peers_vfsd_lie(uint64_t calls, enum peers_lie lie);

const struct model_ramfsd *peers_vfsd_tree(uint32_t tree);

/* A message is about to come: no call was made yet. Then those that were, oldest first. */
void peers_vfsd_message_begin(void);
uint32_t peers_vfsd_calls(const struct model_vfsd_call **calls);

#endif
