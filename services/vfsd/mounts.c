/* SPDX-License-Identifier: ISC */
/* The table of mounts. Decides what may be mounted where, before SEAL, and which mount a path is
 * in. */
#include <stddef.h>
#include <string.h>

#include "services/vfsd/internal.h"

/* --- the table -------------------------------------------------------------------------------- */

static bool begins_with(const struct vfsd_mount *mount, struct vfsd_text path)
{
    return mount->path_count >= path.count &&
           (path.count == 0 || memcmp(mount->path, path.bytes, path.count) == 0);
}

uint32_t vfsd_mount_at(const struct vfsd *vfsd, struct vfsd_text path)
{
    for (uint32_t i = 0; i < vfsd->mount_count; i++) {
        if (vfsd->mounts[i].path_count == path.count && begins_with(&vfsd->mounts[i], path))
            return i;
    }
    return VFSD_MOUNT_LIMIT;
}

bool vfsd_mount_is_below(const struct vfsd *vfsd, struct vfsd_text path)
{
    for (uint32_t i = 0; i < vfsd->mount_count; i++) {
        const struct vfsd_mount *mount = &vfsd->mounts[i];
        if (begins_with(mount, path) &&
            (mount->path_count == path.count || mount->path[path.count] == '/'))
            return true; /* F9 */
    }
    return false;
}

bool vfsd_mount_read_only(const struct vfsd *vfsd, uint32_t mount)
{
    return vfsd->mounts[mount].seeded_read_only != 0 || vfsd->mounts[mount].source_read_only != 0;
}

enum status vfsd_mount_use(struct vfsd *vfsd, uint32_t mount)
{
    if (!vfsd_provider_try(vfsd, mount))
        return STATUS_TIMED_OUT; /* F11 */
    enum status status = vfsd_provider_begin(vfsd, mount);
    return status == STATUS_NOT_FOUND ? STATUS_PEER_DIED : status;
}

/* --- seeds ------------------------------------------------------------------------------------ */

/* The path of a seed as the table has it: "/" has no bytes. */
static struct vfsd_text seed_path(const struct vfsd_seed_mount_request *body)
{
    struct vfsd_text path = {body->source_and_path + body->source_count,
                             body->count - body->source_count};
    if (path.count == 1)
        path.count = 0;
    return path;
}

static bool is_provider(const struct vfsd *vfsd, uint32_t role)
{
    for (uint32_t i = 0; i < vfsd->mount_count; i++) {
        if (vfsd->mounts[i].provider_role == role)
            return true;
    }
    return false;
}

static enum status seed_decide(const struct vfsd *vfsd, const struct vfsd_seed_mount_request *body)
{
    if (vfsd->is_sealed != 0)
        return STATUS_DENIED;
    if (body->count <= body->source_count)
        return STATUS_INVALID_ARGUMENT;
    enum status status =
        path_check(body->source_and_path + body->source_count, body->count - body->source_count);
    if (status != STATUS_OK)
        return status;
    if (vfsd_mount_at(vfsd, seed_path(body)) != VFSD_MOUNT_LIMIT ||
        is_provider(vfsd, body->provider_role))
        return STATUS_DUPLICATE;
    return vfsd->mount_count < VFSD_MOUNT_LIMIT ? STATUS_OK : STATUS_EXHAUSTED;
}

/* The place behind the last mount is filled; it becomes one when its provider is there. */
enum status vfsd_seed_mount(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_seed_mount_request *body = &request->body.seed_mount;
    enum status status = seed_decide(vfsd, body);
    if (status != STATUS_OK)
        return status;
    uint32_t place = vfsd->mount_count;
    struct vfsd_mount *mount = &vfsd->mounts[place];
    struct vfsd_text path = seed_path(body);
    *mount = (struct vfsd_mount){
        .provider_role = body->provider_role,
        .seeded_read_only = body->flags & VFSD_MOUNT_READ_ONLY,
        .source_count = body->source_count,
        .path_count = path.count,
    };
    memcpy(mount->source, body->source_and_path, body->source_count);
    memcpy(mount->path, path.bytes, path.count);
    status = vfsd_provider_begin(vfsd, place);
    if (status == STATUS_OK) {
        vfsd->mount_count++;
        return STATUS_OK;
    }
    memset(mount, 0, sizeof *mount);
    (void)kernel_drop_local_cap(&vfsd->caller, VFSD_PROVIDER_SLOT(place));
    return status;
}

enum status vfsd_seal(struct vfsd *vfsd, struct vfsd_request *request)
{
    static const struct vfsd_text root = {NULL, 0};
    if (vfsd_mount_at(vfsd, root) == VFSD_MOUNT_LIMIT)
        return STATUS_NOT_FOUND;
    vfsd->is_sealed = 1;
    request->reply.seal.mount_count = vfsd->mount_count;
    return STATUS_OK;
}
