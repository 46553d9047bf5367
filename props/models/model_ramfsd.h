/* SPDX-License-Identifier: ISC */
/* What ramfsd must answer, written from its contract (services/ramfsd/ramfsd.h) with a list of all
 * nodes and a list of all pages, which are searched and counted from their beginning. It predicts
 * status, reply and effects of every message, numbers of nodes included. */
#ifndef BASALT_PROPS_MODELS_MODEL_RAMFSD_H
#define BASALT_PROPS_MODELS_MODEL_RAMFSD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/ramfsd.h"
#include "props/models/model.h"

enum { MODEL_RAMFSD_LIMIT = 128 }; /* of pages, and of nodes */

struct model_ramfsd_node {
    uint64_t number; /* 0: nothing is here */
    uint64_t account;
    struct ramfsd_stat_reply is; /* its attributes; number and link_count are filled in */
    uint64_t directory;          /* number; 0: the root, or unlinked */
    uint32_t opens;
    const uint8_t *data; /* of an archive: its bytes, which lie nowhere else */
    uint32_t name_count;
    uint8_t name[RAMFSD_NAME_BYTES];
};

struct model_ramfsd_page {
    uint64_t node; /* number; 0: nothing is here */
    uint64_t account;
    uint64_t begin; /* of its bytes in the node */
    uint8_t bytes[PAGE_BYTES];
};

struct model_ramfsd {
    uint32_t limit; /* of pages, and of nodes */
    uint32_t open_limit;
    bool archive;       /* nothing of it changes */
    bool read_only;     /* ATTACH says so, of a tree that could change */
    bool has_immutable; /* some node of it is IMMUTABLE, or was */
    uint64_t now_ticks; /* the latest that ramfsd was told */
    uint32_t used;      /* places that ever had a node */
    uint32_t free_count;
    uint32_t free[MODEL_RAMFSD_LIMIT]; /* of those, the one that became free last at the end */
    uint64_t lives[MODEL_RAMFSD_LIMIT + 1];
    struct model_ramfsd_node nodes[MODEL_RAMFSD_LIMIT + 1]; /* by place */
    uint32_t pages_used;                                    /* places that ever had a page */
    struct model_ramfsd_page pages[MODEL_RAMFSD_LIMIT];
};

struct model_ramfsd_answer {
    enum status status;
    bool changed; /* the state may differ from before */
    union {
        struct ramfsd_attach_reply attach;
        struct ramfsd_stat_reply attributes;
        struct ramfsd_read_reply read;
        struct ramfsd_write_reply write;
        struct ramfsd_readlink_reply readlink;
        struct ramfsd_readdir_reply readdir;
    } reply;
};

/* An empty tree with so many pages and nodes. */
void model_ramfsd_reset(struct model_ramfsd *model, uint32_t limit, uint32_t open_limit);

/* The same as another one, at the cost of what the two have used. */
void model_ramfsd_copy(struct model_ramfsd *model, const struct model_ramfsd *from);

/* An entry of an archive, its path canonical; bytes of a file, or the target of a link. */
struct model_ramfsd_entry {
    const char *path;
    uint32_t kind;
    uint32_t mode;
    const uint8_t *bytes;
    uint32_t count;
};

/* The tree of an archive that is one. */
void model_ramfsd_reset_archive(struct model_ramfsd *model, uint32_t limit, uint32_t open_limit,
                                const struct model_ramfsd_entry *entries, uint32_t count);

/* The answer to a delivered request (header.badge is the sender), received at `now_ticks`, and its
 * effects on the model. */
struct model_ramfsd_answer model_ramfsd_step(struct model_ramfsd *model,
                                             const struct message *request, uint64_t now_ticks);

/* The node of a number; null: there is none. */
struct model_ramfsd_node *model_ramfsd_find(struct model_ramfsd *model, uint64_t number);

/* How many pages, or nodes but the root, an account has; or with `any` all together have. */
uint32_t model_ramfsd_pages_of(const struct model_ramfsd *model, uint64_t account, bool any);
uint32_t model_ramfsd_nodes_of(const struct model_ramfsd *model, uint64_t account, bool any);

#endif
