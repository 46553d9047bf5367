/* SPDX-License-Identifier: ISC */
/* What the files of the model of vfsd share. */
#ifndef BASALT_PROPS_MODELS_MODEL_VFSD_INSIDE_H
#define BASALT_PROPS_MODELS_MODEL_VFSD_INSIDE_H

#include "props/models/model_vfsd.h"

/* --- model_vfsd_calls.c --- */

/* Whether a call, or that there is none, is what the contract says. */
void model_vfsd_call_is(const struct model_vfsd *model, bool right);

/* vfsd knows what time it is. */
void model_vfsd_clock(struct model_vfsd *model, uint64_t now_ticks);

/* Whether a path is refused at a mount that did not answer; when not, and it had been so, it is
 * tried. */
bool model_vfsd_is_let_be(struct model_vfsd *model, uint32_t mount);

/* A mount has a session, or gets one. NOT_FOUND: its provider is not to be had. */
enum status model_vfsd_begin(struct model_vfsd *model, uint32_t mount);

/* The slot of a mount's provider is emptied. */
void model_vfsd_drop(struct model_vfsd *model, uint32_t mount);

/* One call to a mount's provider: what vfsd makes of its answer. `refusals`: what it may refuse
 * with, ended by OK. */
enum status model_vfsd_ask(struct model_vfsd *model, uint32_t mount,
                           const struct message_type *type, const void *body,
                           const enum status *refusals, struct model_ramfsd_answer *answer);

/* --- model_vfsd_walk.c --- */

struct model_vfsd_text {
    const uint8_t *bytes;
    uint32_t count;
};

/* What a path means. */
struct model_vfsd_place {
    uint8_t path[FILE_PATH_BYTES_MAX]; /* without links */
    uint32_t path_count;               /* 0: "/" */
    bool ends_at_name;
    uint32_t mount; /* of the directory that it lies in */
    struct ramfsd_stat_reply directory;
    uint32_t name_from; /* of its last name, in path */
    bool exists;
    uint32_t node_mount;
    struct ramfsd_stat_reply node;
};

enum status model_vfsd_walk(struct model_vfsd *model, uint32_t client, struct model_vfsd_text path,
                            bool follows, struct model_vfsd_place *place);

bool model_vfsd_permits(uint32_t client, const struct ramfsd_stat_reply *node, uint32_t bits);
uint32_t model_vfsd_mount_of(const struct model_vfsd *model, const uint8_t *path, uint32_t count);
bool model_vfsd_read_only(const struct model_vfsd *model, uint32_t mount);

/* --- model_vfsd.c --- */

union model_vfsd_body {
    struct vfsd_open_request open;
    struct vfsd_close_request handle; /* of all that begin with one */
    struct vfsd_read_request read;
    struct vfsd_write_request write;
    struct vfsd_readdir_request readdir;
    struct vfsd_truncate_request truncate;
    struct vfsd_stat_request stat; /* MKDIR: mode in place of flags; UNLINK, ...: a reserved word */
    struct vfsd_rename_request two; /* SYMLINK and LINK, too */
    struct vfsd_set_metadata_request set_metadata;
    struct vfsd_seed_mount_request seed;
};

struct vfsd_stat_reply model_vfsd_attributes(const struct model_vfsd *model, uint32_t mount,
                                             const struct ramfsd_stat_reply *node);

/* --- model_vfsd_handles.c --- */

enum status model_vfsd_attach(struct model_vfsd *model, uint32_t client);
enum status model_vfsd_open(struct model_vfsd *model, uint32_t client,
                            const struct vfsd_open_request *body, struct model_vfsd_answer *answer);
enum status model_vfsd_on_handle(struct model_vfsd *model, uint32_t client, uint16_t operation,
                                 const union model_vfsd_body *body,
                                 struct model_vfsd_answer *answer);

/* --- model_vfsd_entries.c --- */

/* Whether a path is a mount's or above one. */
bool model_vfsd_is_kept(const struct model_vfsd *model, const struct model_vfsd_place *place);

/* An entry that is not there; one that is taken away. */
enum status model_vfsd_create(struct model_vfsd *model, uint32_t client, uint32_t kind,
                              uint32_t mode, struct model_vfsd_place *place);
enum status model_vfsd_remove(struct model_vfsd *model, const struct message_type *type,
                              const struct model_vfsd_place *place, const enum status *refusals);

/* The operations. */
enum status model_vfsd_take_away(struct model_vfsd *model, uint32_t client, uint16_t operation,
                                 struct model_vfsd_text path);
enum status model_vfsd_make_directory(struct model_vfsd *model, uint32_t client, uint32_t mode,
                                      struct model_vfsd_text path);
enum status model_vfsd_on_two(struct model_vfsd *model, uint32_t client, uint16_t operation,
                              const struct vfsd_rename_request *body);
enum status model_vfsd_set_metadata(struct model_vfsd *model, uint32_t client,
                                    const struct vfsd_set_metadata_request *body);
enum status model_vfsd_look_at(struct model_vfsd *model, uint32_t client,
                               struct model_vfsd_text path, bool follows,
                               struct model_vfsd_answer *answer);
enum status model_vfsd_read_link(struct model_vfsd *model, uint32_t client,
                                 struct model_vfsd_text path, struct model_vfsd_answer *answer);

#endif
