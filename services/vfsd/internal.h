/* SPDX-License-Identifier: ISC */
/* What vfsd's files share: the request in hand, what is believed of providers (provider.c), the
 * walk (walk.c), mounts (mounts.c) and handles (handles.c). */
#ifndef BASALT_SERVICES_VFSD_INTERNAL_H
#define BASALT_SERVICES_VFSD_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/vfsd/vfsd.h"

/* --- one function for each LIVE row: mounts.c SEED_MOUNT and SEAL, handles.c what has a handle,
 * open.c OPEN, entries.c the others, which have paths --- */
#define SERVICE       vfsd
#define SERVICE_TABLE "abi/messages/vfsd.def"
#include "services/lib/unfold.h"

struct vfsd_request {
    struct service_request common;
    union vfsd_body body;
    union vfsd_reply reply;
};

/* Bytes of a name, a path or a target. */
struct vfsd_text {
    const uint8_t *bytes;
    uint32_t count;
};

/* What a node of a mount is: attributes that were examined. */
struct vfsd_node {
    uint32_t mount;
    struct ramfsd_stat_reply is;
};

/* --- provider.c: each function is one call to the provider of a mount that has a session ---
 *
 * Result: OK; what the provider's contract lets it refuse; PEER_DIED or TIMED_OUT when it did not
 * answer, INTERNAL when it answered what its contract does not allow: then the session is over, but
 * for a TIMED_OUT of LOOKUP, STAT or READLINK when others had a part of the time. */

/* A message comes: all its time is there. */
void vfsd_time_begin(struct vfsd *vfsd);

/* Whether the mount may be asked: it is not paused, or no longer, and no other one was tried so by
 * this message; then what is asked next has time of its own (F11). */
bool vfsd_provider_try(struct vfsd *vfsd, uint32_t mount);

/* Finds the provider and begins a session, unless there is one. NOT_FOUND: named does not give it,
 * or it has no such source. */
enum status vfsd_provider_begin(struct vfsd *vfsd, uint32_t mount);

/* The provider broke its contract. */
enum status vfsd_provider_lied(struct vfsd *vfsd, uint32_t mount);

enum status vfsd_provider_lookup(struct vfsd *vfsd, uint32_t mount, uint64_t directory,
                                 struct vfsd_text name, struct vfsd_node *node);
/* Of a node whose kind is known. */
enum status vfsd_provider_stat(struct vfsd *vfsd, uint32_t mount, uint64_t number,
                               enum file_kind kind, struct vfsd_node *node);
enum status vfsd_provider_create(struct vfsd *vfsd, uint32_t mount,
                                 const struct ramfsd_create_request *request,
                                 struct vfsd_node *node);
enum status vfsd_provider_symlink(struct vfsd *vfsd, uint32_t mount,
                                  const struct ramfsd_symlink_request *request);
/* `target` has RAMFSD_TARGET_BYTES; it is one. */
enum status vfsd_provider_readlink(struct vfsd *vfsd, uint32_t mount, uint64_t number,
                                   uint8_t *target, uint32_t *count);
enum status vfsd_provider_unlink(struct vfsd *vfsd, uint32_t mount, uint64_t directory,
                                 struct vfsd_text name);
enum status vfsd_provider_rmdir(struct vfsd *vfsd, uint32_t mount, uint64_t directory,
                                struct vfsd_text name);
enum status vfsd_provider_rename(struct vfsd *vfsd, uint32_t mount,
                                 const struct ramfsd_rename_request *request);
enum status vfsd_provider_set_metadata(struct vfsd *vfsd, uint32_t mount,
                                       const struct ramfsd_set_metadata_request *request);
enum status vfsd_provider_open(struct vfsd *vfsd, uint32_t mount, uint64_t number);
enum status vfsd_provider_close(struct vfsd *vfsd, uint32_t mount, uint64_t number);
enum status vfsd_provider_read(struct vfsd *vfsd, uint32_t mount,
                               const struct ramfsd_read_request *request,
                               struct ramfsd_read_reply *reply);
enum status vfsd_provider_write(struct vfsd *vfsd, uint32_t mount,
                                const struct ramfsd_write_request *request, uint64_t *size_bytes);
enum status vfsd_provider_truncate(struct vfsd *vfsd, uint32_t mount, uint64_t number,
                                   uint64_t size_bytes);
enum status vfsd_provider_readdir(struct vfsd *vfsd, uint32_t mount,
                                  const struct ramfsd_readdir_request *request,
                                  struct ramfsd_readdir_reply *reply);

/* --- mounts.c --- */

/* The mount at exactly this path, without links; VFSD_MOUNT_LIMIT: none. "/" has no bytes. */
uint32_t vfsd_mount_at(const struct vfsd *vfsd, struct vfsd_text path);
/* Whether the path is a mount's, or a directory's above one (F9). */
bool vfsd_mount_is_below(const struct vfsd *vfsd, struct vfsd_text path);
bool vfsd_mount_read_only(const struct vfsd *vfsd, uint32_t mount);
/* A session for a client: TIMED_OUT while it is paused; one that named does not give is
 * PEER_DIED. */
enum status vfsd_mount_use(struct vfsd *vfsd, uint32_t mount);

/* --- walk.c --- */

enum { VFSD_MODE_READ = 4, VFSD_MODE_WRITE = 2, VFSD_MODE_ENTER = 1, VFSD_MODE_STICKY = 01000 };

/* Whether a mode has the bits for the client. */
bool vfsd_may(uint32_t client, uint64_t owner, uint32_t mode, uint32_t bits);

/* What a path means. */
struct vfsd_place {
    struct vfsd_step directory; /* that it lies in */
    bool has_name;              /* false: a directory that was reached otherwise: "/", or by ".." */
    bool is_mount_point;        /* or above one; always when it has no name */
    bool exists;
    uint32_t name_count;
    uint8_t name[RAMFSD_NAME_BYTES];
    struct vfsd_node node; /* when it exists */
};

/* Walks a path, for a client. Result: OK, also when there is nothing under the last name; the
 * contract's refusals of a path. */
enum status vfsd_walk_path(struct vfsd *vfsd, uint32_t client, struct vfsd_text path, bool follows,
                           struct vfsd_place *place);

/* The same of what must exist: NOT_FOUND. */
enum status vfsd_walk_existing(struct vfsd *vfsd, uint32_t client, struct vfsd_text path,
                               bool follows, struct vfsd_place *place);

/* --- handles.c --- */

/* A client's message: BUSY before SEAL. */
enum status vfsd_client(const struct vfsd *vfsd, const struct vfsd_request *request,
                        uint32_t *client);

/* Whether the client may have one more: OK, OVER_LIMIT, EXHAUSTED. */
enum status vfsd_handle_admits(const struct vfsd *vfsd, uint32_t client);
/* A handle of a node that is open at its provider; vfsd_handle_admits said OK. */
uint64_t vfsd_handle_add(struct vfsd *vfsd, uint32_t client, const struct vfsd_node *node,
                         uint32_t flags);

/* Attributes as a reply: that of STAT and STAT_HANDLE, and of OPEN behind its handle. */
void vfsd_attributes(const struct vfsd *vfsd, const struct vfsd_node *node,
                     struct vfsd_stat_reply *reply);
uint64_t vfsd_file_id(uint32_t mount, uint64_t node);

#endif
