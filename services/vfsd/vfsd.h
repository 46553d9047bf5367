/* SPDX-License-Identifier: ISC */
/* vfsd: the file namespace. The contract of the service, readable alone; the messages are in
 * abi/messages/vfsd.def. What providers of files do is in services/ramfsd/ramfsd.h.
 *
 * Mounts. The administrator says which source of which provider lies at which path, then seals;
 * from then on no mount comes or goes, and clients are served. A provider has one mount, and a path
 * one. "/" is one of them. A path belongs to the mount with the longest path on the way there: what
 * the provider below it has under that name is covered, and need not be there at all; the
 * directories above it must be. READDIR shows what the provider has: a mount point is listed when
 * there is an entry below it, as that entry. A mount is read-only when its seed says so, or its
 * source: nothing is changed through it, though a provider may note when it was read (F9). A mount
 * point, and a directory above one, is not removed, renamed or replaced, nor made where it is
 * missing: what is above the mounts is there before them (F9).
 *
 * Paths (abi/formats/path.h) are walked by name, one LOOKUP for each, from the root of "/" on. A
 * symbolic link on the way is followed, one at the end unless the message says NO_FOLLOW; UNLINK,
 * RMDIR, RENAME, MKDIR, SYMLINK, READLINK and an EXCLUSIVE OPEN never follow the last one. Its
 * target goes on from the directory that it lies in, or from "/", with ".." as one directory up,
 * never above "/" (F7). At most VFSD_LINK_LIMIT links are followed, what is left to be walked has
 * at most VFSD_WALK_BYTES_MAX bytes, and the path without links at most FILE_PATH_BYTES_MAX.
 *
 * Who may. A client is a role, by its badge, and owns what it makes. The owner's bits of a mode
 * count for the owner, the others' bits for everybody else; those of groups mean nothing. A
 * directory on the way needs x, one whose entries change w as well; OPEN needs r, w, or both; what
 * is open stays so. In a directory whose mode has 01000, entries are removed, renamed and replaced
 * by their owner or the directory's alone. Only the owner changes metadata, and may give it all to
 * another role (F7).
 *
 * Handles. OPEN gives a handle, VFSD_CLIENT_HANDLE_LIMIT at most to one client. It is that client's
 * alone, its number is never another one's, and it means the same file or directory whatever
 * becomes of its name, until CLOSE or the client's next ATTACH (F8). Who pays for what is written
 * is the client that writes it.
 *
 * file_id is (mount << VFSD_NODE_BITS | the provider's number of the node), mounts counted from 1
 * in the order of their seeds; never 0. Two paths mean the same file when their file_id is the
 * same.
 *
 * Providers are found by named when they are mounted, and attached. What looks at something has
 * VFSD_CALL_TICKS for the whole message, whomever it asks, and finding a provider
 * DISCOVERY_CALL_TICKS of the same time; what then may change something (an OPEN and a CLOSE as
 * well) has VFSD_CALL_TICKS more when others were asked before. So no message takes longer than
 * twice that, and once more when it tries a mount after its pause, other than ATTACH, which takes
 * VFSD_CALL_TICKS for each mount at most. A provider that dies, has not answered when it alone had
 * such a time, or answers what its contract does not allow (a number that is none, more bytes than
 * were asked for, a cursor that does not grow, a status that does not fit), ends its session: the
 * client is told so, and the next message that needs the mount finds the provider again and
 * attaches anew, which closes whatever was open there.
 * Handles of the session before answer PEER_DIED until they are closed. Others notice nothing
 * (F10): who was looked at when another had taken the time keeps its session, and TIMED_OUT is the
 * message's alone.
 *
 * Pauses. vfsd serves one message at a time, so that who does not answer keeps everybody. A mount
 * whose provider was not found in time, or did not answer in time, whoever had taken it, is paused
 * (F11): a path that comes to it is TIMED_OUT at once, and nobody is asked. The pause is
 * VFSD_PAUSE_TICKS, twice the last one when that was over less than VFSD_PAUSE_TICKS_MAX ago, and
 * at most VFSD_PAUSE_TICKS_MAX. When it is over, the next message with such a path asks again, and
 * what is asked first has VFSD_CALL_TICKS of its own, so that its provider alone is to blame; any
 * answer, and to be found dead as well, ends the pause. A message tries one mount so, and is
 * TIMED_OUT at another. Handles are asked as before: whoever they wait for in vain loses the
 * session, and with it all its handles.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1), but for PEER_DIED,
 * TIMED_OUT and INTERNAL, after which nobody knows what the provider did.
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender that the row does not allow: badge 0 is the administrator, a badge that can be
 *   a role id is that client
 * - BUSY: a client's, before SEAL
 *
 * SEED_MOUNT:
 * - DENIED: after SEAL
 * - INVALID_ARGUMENT: the source leaves no bytes for the path
 * - BAD_TEXT, OUT_OF_RANGE: no path
 * - DUPLICATE: the path has a mount, or the provider
 * - EXHAUSTED: VFSD_MOUNT_LIMIT mounts
 * - NOT_FOUND: named does not give the provider, or that has no such source
 * - PEER_DIED, TIMED_OUT, INTERNAL: the provider
 *
 * SEAL: NOT_FOUND: "/" has no mount. Again: OK, changes nothing. The reply counts the mounts.
 *
 * ATTACH: never refused; all handles of the client are closed.
 *
 * Messages with two strings (RENAME, LINK, SYMLINK):
 * - INVALID_ARGUMENT: the first leaves no bytes for the second
 *
 * Messages with a path, and with two for each of them in turn:
 * - BAD_TEXT, OUT_OF_RANGE: no path; SYMLINK, first: no target
 * then, walking:
 * - TIMED_OUT: a mount is paused
 * - PEER_DIED, TIMED_OUT, INTERNAL: a provider; INTERNAL: the root of a mount is no directory
 * - DENIED: a directory on the way has no x for the client
 * - OUT_OF_RANGE: longer than above
 * - NOT_FOUND: no such entry on the way; LINK_LOOP: too many links; NOT_DIRECTORY: on the way
 *
 * OPEN, before the path:
 * - INVALID_ARGUMENT: neither READ nor WRITE; EXCLUSIVE without CREATE; TRUNCATE without WRITE;
 *   DIRECTORY with WRITE or CREATE
 * and before the walk:
 * - OVER_LIMIT: the client's handles; EXHAUSTED: all handles
 * then, when there is nothing under the path:
 * - NOT_FOUND: without CREATE
 * - BUSY: above a mount point
 * - READ_ONLY: the mount; DENIED: the directory's w
 * - DENIED, OVER_LIMIT, EXHAUSTED: as the provider refuses an entry
 * else
 * - DUPLICATE: EXCLUSIVE
 * - LINK_LOOP: a link, which NO_FOLLOW leaves
 * - IS_DIRECTORY, NOT_DIRECTORY: not what DIRECTORY says
 * - READ_ONLY: WRITE, the mount
 * - DENIED: r, w
 * and then
 * - EXHAUSTED: as the provider refuses an open; a file that was made for it is removed again
 * - DENIED: as the provider refuses TRUNCATE
 *
 * STAT: NOT_FOUND.   READLINK: NOT_FOUND; INVALID_ARGUMENT: no link.
 *
 * UNLINK, RMDIR, MKDIR, SYMLINK, RENAME (of both its paths, the first one's entry first):
 * - NOT_FOUND, of UNLINK, RMDIR and RENAME's first; DUPLICATE, of MKDIR and SYMLINK
 * - BUSY: a mount point, or above one
 * - UNSUPPORTED: RENAME from one mount to another
 * - READ_ONLY: the mount
 * - DENIED: the directory's w; of what goes or is replaced, 01000
 * - what the provider refuses: DENIED, IS_DIRECTORY, NOT_DIRECTORY, NOT_EMPTY, INVALID_ARGUMENT,
 *   OVER_LIMIT, EXHAUSTED
 *
 * LINK: UNSUPPORTED: always, when both are paths; nothing is asked of anybody.
 *
 * SET_METADATA, before the path: INVALID_ARGUMENT: the mask names OWNER, which is no role; then
 * - NOT_FOUND
 * - READ_ONLY: the mount
 * - DENIED: the client does not own it; or as the provider refuses
 *
 * Messages with a handle:
 * - NOT_FOUND: not a handle of this client, or not any more
 * then, but for CLOSE, which is never refused otherwise:
 * - IS_DIRECTORY: READ, WRITE, TRUNCATE; NOT_DIRECTORY: READDIR
 * - DENIED: it was not opened for that
 * - PEER_DIED: its session is over
 * - PEER_DIED, TIMED_OUT, INTERNAL: the provider
 * - WRITE, TRUNCATE: DENIED, OUT_OF_RANGE, OVER_LIMIT, EXHAUSTED: as the provider refuses it */
#ifndef BASALT_SERVICES_VFSD_VFSD_H
#define BASALT_SERVICES_VFSD_VFSD_H

#include "abi/messages/vfsd.h"
#include "services/lib/service.h"

enum {
    VFSD_MOUNT_LIMIT = 16, /* as many as a boot config says */
    VFSD_HANDLE_LIMIT = 512,
    VFSD_CLIENT_HANDLE_LIMIT = 32,
    VFSD_LINK_LIMIT = 16,
    VFSD_WALK_BYTES_MAX = 1024,
    VFSD_CALL_TICKS = 5000, /* a provider calls nobody; and nobody waits for longer than this */
    VFSD_PAUSE_TICKS = VFSD_CALL_TICKS, /* who waits in vain keeps others half of the time, */
    VFSD_PAUSE_TICKS_MAX = 8 * VFSD_PAUSE_TICKS, /* and in the end a ninth */

    VFSD_NODE_BITS = 56,         /* of a file_id; the mount is above */
    VFSD_HANDLE_PLACE_BITS = 16, /* of a handle; the rest counts those that were made */

    VFSD_SPAN_OF_NOBODY = VFSD_MOUNT_LIMIT,
    VFSD_SPAN_OF_SEVERAL,

    /* Directories of a path without links: the root, and one for each two bytes. */
    VFSD_DEPTH_LIMIT = FILE_PATH_BYTES_MAX / 2 + 1
};

struct vfsd_mount {
    uint64_t session;     /* which of those that were ever begun; 0: none */
    uint64_t root_node;   /* of the session */
    uint64_t pause_ticks; /* of the last pause; 0: there was none */
    uint64_t again_ticks; /* when that is over, or was */
    uint32_t is_paused;
    uint32_t provider_role;
    uint32_t seeded_read_only;
    uint32_t source_read_only; /* of the session, or the last one */
    uint32_t source_count;
    uint32_t path_count; /* 0: "/" */
    uint8_t source[RAMFSD_SOURCE_BYTES_MAX];
    uint8_t path[FILE_PATH_BYTES_MAX];
};

struct vfsd_handle {
    uint64_t number; /* 0: free */
    uint64_t session;
    uint64_t node;
    uint32_t client;
    uint32_t mount; /* index */
    uint32_t flags; /* of VFSD_OPEN_BITS: READ, WRITE, DIRECTORY */
    uint32_t reserved0;
};

/* A directory that a walk went through. */
struct vfsd_step {
    uint64_t node;
    uint64_t owner;
    uint32_t mount;
    uint32_t mode;
    uint32_t path_count; /* of the path up to it, without links; 0: "/" */
    uint32_t reserved0;
};

/* The walk of the message in hand; nothing of it outlives the message. */
struct vfsd_walk {
    uint32_t client;
    uint32_t link_count;
    uint32_t depth; /* steps in use */
    uint32_t rest_count;
    uint32_t rest_at;
    struct vfsd_step steps[VFSD_DEPTH_LIMIT];
    uint8_t path[FILE_PATH_BYTES_MAX]; /* of the last step, without links, and of its entry */
    uint8_t rest[VFSD_WALK_BYTES_MAX]; /* what is still to be walked */
};

struct vfsd {
    struct caller caller;
    uint64_t last_session;
    uint64_t last_handle;
    uint32_t is_sealed;
    uint32_t mount_count;
    /* Of the message in hand: times of VFSD_CALL_TICKS since the clock was told, and whose the last
     * one is, a mount's or VFSD_SPAN_OF_... */
    uint32_t span_count;
    uint32_t span_of;
    uint32_t has_tried; /* a mount after its pause */
    uint32_t reserved0;
    struct vfsd_mount mounts[VFSD_MOUNT_LIMIT];
    struct vfsd_handle handles[VFSD_HANDLE_LIMIT];
    struct vfsd_walk walk;
};

/* Where the end of a mount's provider lies. */
#define VFSD_PROVIDER_SLOT(mount) ((uint32_t)SLOT_DYNAMIC_BASE + (mount))

/* A service_handler; `state` is a struct vfsd. Turns the message into its reply. */
enum handled vfsd_handle(void *state, struct message *message, const struct receive_info *info);

/* The first property of the tables that does not hold ("F8", ...), or null when all do. */
const char *vfsd_check(const struct vfsd *vfsd);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void vfsd_visit_fields(const struct vfsd *vfsd, void (*visit)(void *context, uint64_t value),
                       void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `vfsd` is zero. */
void vfsd_run(struct vfsd *vfsd);

#endif
