/* SPDX-License-Identifier: ISC */
/* One message to vfsd, and its start. Decides who may ask; what is asked is in the files that
 * internal.h names. */
#include "services/vfsd/vfsd.h"

#include <stddef.h>

#include "services/lib/discovery.h"
#include "services/vfsd/internal.h"

/* --- what a node is --------------------------------------------------------------------------- */

_Static_assert(sizeof(struct vfsd_stat_reply) == sizeof(struct vfsd_stat_handle_reply) &&
                   sizeof(struct vfsd_open_reply) ==
                       offsetof(struct vfsd_open_reply, file_id) + sizeof(struct vfsd_stat_reply),
               "all three are the attributes, that of OPEN behind the handle");
_Static_assert(VFSD_MOUNT_LIMIT < 1 << (64 - VFSD_NODE_BITS), "a file_id has room for a mount");
_Static_assert(VFSD_HANDLE_LIMIT <= 1 << VFSD_HANDLE_PLACE_BITS, "a handle for its place");
_Static_assert((uint32_t)FILE_PATH_BYTES_MAX <= (uint32_t)VFSD_WALK_BYTES_MAX,
               "a path can be walked");

uint64_t vfsd_file_id(uint32_t mount, uint64_t node)
{
    return (uint64_t)(mount + 1) << VFSD_NODE_BITS | node;
}

void vfsd_attributes(const struct vfsd *vfsd, const struct vfsd_node *node,
                     struct vfsd_stat_reply *reply)
{
    *reply = (struct vfsd_stat_reply){
        .file_id = vfsd_file_id(node->mount, node->is.node),
        .size_bytes = node->is.size_bytes,
        .version = node->is.version,
        .owner = node->is.owner,
        .created_ticks = node->is.created_ticks,
        .accessed_ticks = node->is.accessed_ticks,
        .modified_ticks = node->is.modified_ticks,
        .kind = node->is.kind,
        .mode = node->is.mode,
        .flags = node->is.flags,
        .read_only = vfsd_mount_read_only(vfsd, node->mount),
    };
}

/* --- one message ------------------------------------------------------------------------------ */

#define SERVICE       vfsd
#define SERVICE_TABLE "abi/messages/vfsd.def"
#include "services/lib/unfold_rows.h"

static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct vfsd_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    if (badge == 0)
        return FROM_ADMIN;
    return badge <= ROLE_ID_MAX ? FROM_CLIENT : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled vfsd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct vfsd *vfsd = state;
    struct vfsd_request request; /* body and reply are large: the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &vfsd->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    vfsd_time_begin(vfsd);
    return service_dispatch(&table, vfsd, &request.common);
}

/* --- start ------------------------------------------------------------------------------------ */

/* What is ready can be found. */
static enum status vfsd_prepare(void *state, const struct envelope *start)
{
    (void)start;
    struct vfsd *vfsd = state;
    return discovery_register(&vfsd->caller, ROLE_VFSD);
}

static const char *unsound(const void *state)
{
    return vfsd_check(state);
}

void vfsd_run(struct vfsd *vfsd)
{
    struct envelope envelope;
    enum status status =
        service_start(&vfsd->caller, ROLE_VFSD, &envelope, vfsd_prepare, unsound, vfsd);
    service_serve(&vfsd->caller, status, vfsd_handle, vfsd);
}
