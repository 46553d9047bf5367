/* SPDX-License-Identifier: ISC */
/* What vfsd must answer, written from its contract (services/vfsd/vfsd.h): a namespace of trees, of
 * which it has copies of its own, with paths as text that are looked up from the beginning each
 * time. It predicts status, reply and effects of every message, and each call that vfsd makes; what
 * became of those it is told. */
#ifndef BASALT_PROPS_MODELS_MODEL_VFSD_H
#define BASALT_PROPS_MODELS_MODEL_VFSD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/vfsd.h"
#include "props/models/model.h"
#include "props/models/model_ramfsd.h"

enum {
    MODEL_VFSD_TREES = 3,
    MODEL_VFSD_MOUNTS = 16,
    MODEL_VFSD_HANDLES = 512,
    MODEL_VFSD_CLIENT_HANDLES = 32,
    MODEL_VFSD_LINKS = 16,
    MODEL_VFSD_WALK_BYTES = 1024,
    MODEL_VFSD_CALL_TICKS = 5000,
    MODEL_VFSD_PAUSE_FIRST = 5000,
    MODEL_VFSD_PAUSE_LAST = 40000,
    MODEL_VFSD_CALLS = 16384
};

/* A call that vfsd made, and what became of it. */
enum model_vfsd_what { CALL_DROP, CALL_FIND, CALL_ASK };
struct model_vfsd_call {
    enum model_vfsd_what what;
    uint32_t tree;      /* of FIND and ASK */
    uint32_t slot;      /* of DROP */
    uint16_t operation; /* of ASK */
    uint64_t node;      /* of ASK: the one that it names first; ATTACH: 0 */
    uint64_t now_ticks; /* when it was made */
    uint64_t deadline_ticks;
    enum status status; /* as vfsd got it */
    bool answered;      /* by the peer; otherwise the kernel said so */
    bool did;           /* the provider did what was asked, be its answer lost or wrong */
    bool lied;          /* it was answered with what the contract does not allow */
};

struct model_vfsd_mount {
    uint32_t tree; /* MODEL_VFSD_TREES: a role that is no provider */
    uint32_t role;
    bool seeded_read_only;
    bool source_read_only;
    uint64_t session; /* 0: none */
    uint64_t root;
    bool paused;          /* paths that come to it are refused until `again` */
    uint64_t again;       /* end of the last pause */
    uint32_t pause_ticks; /* its length; 0: there was none */
    uint32_t source_count;
    uint8_t source[RAMFSD_SOURCE_BYTES_MAX];
    uint32_t path_count; /* 0: "/" */
    uint8_t path[FILE_PATH_BYTES_MAX];
};

struct model_vfsd_handle {
    uint64_t number; /* 0: none */
    uint64_t session;
    uint64_t node;
    uint32_t client;
    uint32_t mount;
    uint32_t flags;
};

struct model_vfsd {
    bool sealed;
    uint32_t mount_count;
    uint64_t last_session;
    uint64_t last_handle;
    bool held[MODEL_VFSD_MOUNTS + 1]; /* the end of a mount's provider; the last one: never */
    struct model_vfsd_mount mounts[MODEL_VFSD_MOUNTS + 1];
    uint32_t handles_used; /* places that ever had a handle */
    struct model_vfsd_handle handles[MODEL_VFSD_HANDLES];
    struct model_ramfsd *trees[MODEL_VFSD_TREES]; /* as the providers should have them */
    /* Of the message in hand. */
    const struct model_vfsd_call *calls;
    uint32_t call_count;
    uint32_t call_at;
    uint64_t clock_ticks; /* that vfsd knows */
    uint32_t times;       /* of VFSD_CALL_TICKS since then */
    uint32_t last;        /* mount that was asked last */
    bool asked;           /* since then: somebody, */
    bool shared;          /* and in the last of those times others than `last` as well */
    bool tried;           /* a mount after its pause */
    bool changed;
    bool about_handles;
};

struct model_vfsd_answer {
    enum status status;
    bool changed; /* vfsd's state may differ from before */
    union {
        struct vfsd_open_reply open;
        struct vfsd_read_reply read;
        struct vfsd_write_reply write;
        struct vfsd_readdir_reply readdir;
        struct vfsd_stat_reply attributes;
        struct vfsd_readlink_reply readlink;
        struct vfsd_seal_reply seal;
    } reply;
};

/* The roles of the providers. */
uint32_t model_vfsd_role(uint32_t tree);

/* Empty again; the trees are those given, and whose they are. */
void model_vfsd_reset(struct model_vfsd *model, struct model_ramfsd *const trees[MODEL_VFSD_TREES]);

/* The answer to a delivered request (header.badge is the sender), and its effects. `calls`: those
 * that vfsd made meanwhile, after it came at `now_ticks`; a call other than the contract says, one too many and one too few break
 * a property. */
struct model_vfsd_answer model_vfsd_step(struct model_vfsd *model, const struct message *request,
                                         uint64_t now_ticks, const struct model_vfsd_call *calls,
                                         uint32_t call_count);

/* Whether something of a tree may be changed through its mount, if it has one. `attached`: with the
 * message in hand, so that what its source was before does not count. */
bool model_vfsd_may_change(const struct model_vfsd *model, uint32_t tree, bool attached);

uint32_t model_vfsd_handles_of(const struct model_vfsd *model, uint32_t client, bool any);

#endif
