/* SPDX-License-Identifier: ISC */
/* The walk over the whole state of vfsd. Changes nothing. */
#include <stddef.h>
#include <string.h>

#include "services/vfsd/internal.h"

static bool mount_is_sound(const struct vfsd *vfsd, uint32_t index)
{
    const struct vfsd_mount *mount = &vfsd->mounts[index];
    struct vfsd_text path = {mount->path, mount->path_count};
    bool used = index < vfsd->mount_count;
    if (!used)
        return mount->provider_role == 0 && mount->session == 0;
    return mount->provider_role != 0 && mount->source_count != 0 &&
           mount->session <= vfsd->last_session && vfsd_mount_at(vfsd, path) == index &&
           (path.count == 0 || path_check(path.bytes, path.count) == STATUS_OK);
}

/* A pause is one of those that there may be (F11). */
static bool pause_is_sound(const struct vfsd_mount *mount)
{
    if (mount->pause_ticks == 0)
        return mount->is_paused == 0 && mount->again_ticks == 0;
    return mount->provider_role != 0 && mount->pause_ticks >= VFSD_PAUSE_TICKS &&
           mount->pause_ticks <= VFSD_PAUSE_TICKS_MAX && mount->again_ticks >= mount->pause_ticks;
}

static bool providers_are_apart(const struct vfsd *vfsd)
{
    for (uint32_t i = 0; i < vfsd->mount_count; i++) {
        for (uint32_t j = i + 1; j < vfsd->mount_count; j++) {
            if (vfsd->mounts[i].provider_role == vfsd->mounts[j].provider_role ||
                (vfsd->mounts[i].session != 0 &&
                 vfsd->mounts[i].session == vfsd->mounts[j].session))
                return false;
        }
    }
    return true;
}

static bool handle_is_sound(const struct vfsd *vfsd, uint32_t place)
{
    const struct vfsd_handle *handle = &vfsd->handles[place];
    uint64_t made = handle->number >> VFSD_HANDLE_PLACE_BITS;
    uint32_t rights = VFSD_OPEN_READ | VFSD_OPEN_WRITE;
    if (handle->number == 0)
        return handle->client == 0;
    return (handle->number & ((1u << VFSD_HANDLE_PLACE_BITS) - 1)) == place && made != 0 &&
           made <= vfsd->last_handle && handle->client != 0 && handle->client <= ROLE_ID_MAX &&
           handle->mount < vfsd->mount_count && handle->session != 0 &&
           handle->session <= vfsd->last_session && (handle->flags & rights) != 0;
}

/* Nobody has more than its share. Two numbers are two, since each names its place. */
static bool share_is_kept(const struct vfsd *vfsd, uint32_t place)
{
    uint32_t client = vfsd->handles[place].client;
    uint32_t own = 0;
    for (uint32_t i = place; i < VFSD_HANDLE_LIMIT; i++)
        own += vfsd->handles[i].client == client;
    return own <= VFSD_CLIENT_HANDLE_LIMIT;
}

const char *vfsd_check(const struct vfsd *vfsd)
{
    static const struct vfsd_text root = {NULL, 0};
    if (vfsd->mount_count > VFSD_MOUNT_LIMIT || !providers_are_apart(vfsd))
        return "F7";
    if (vfsd->is_sealed != 0 && vfsd_mount_at(vfsd, root) == VFSD_MOUNT_LIMIT)
        return "F7";
    for (uint32_t i = 0; i < VFSD_MOUNT_LIMIT; i++) {
        if (!mount_is_sound(vfsd, i))
            return "F7";
        if (!pause_is_sound(&vfsd->mounts[i]))
            return "F11";
    }
    for (uint32_t place = 0; place < VFSD_HANDLE_LIMIT; place++) {
        if (!handle_is_sound(vfsd, place))
            return "F8";
        if (vfsd->handles[place].number != 0 && !share_is_kept(vfsd, place))
            return "F8";
    }
    return NULL;
}

static void visit_mount(const struct vfsd_mount *mount,
                        void (*visit)(void *context, uint64_t value), void *context)
{
    visit(context, mount->session);
    visit(context, mount->session != 0 ? mount->root_node : 0);
    visit(context, mount->pause_ticks);
    visit(context, mount->again_ticks);
    visit(context, mount->is_paused);
    visit(context, mount->provider_role);
    visit(context, mount->seeded_read_only);
    visit(context, mount->session != 0 ? mount->source_read_only : 0);
    visit(context, mount->source_count);
    for (uint32_t i = 0; i < mount->source_count; i++)
        visit(context, mount->source[i]);
    visit(context, mount->path_count);
    for (uint32_t i = 0; i < mount->path_count; i++)
        visit(context, mount->path[i]);
}

void vfsd_visit_fields(const struct vfsd *vfsd, void (*visit)(void *context, uint64_t value),
                       void *context)
{
    visit(context, vfsd->caller.now_ticks);
    visit(context, vfsd->last_session);
    visit(context, vfsd->last_handle);
    visit(context, vfsd->is_sealed);
    visit(context, vfsd->mount_count);
    for (uint32_t i = 0; i < vfsd->mount_count; i++)
        visit_mount(&vfsd->mounts[i], visit, context);
    for (uint32_t i = 0; i < VFSD_HANDLE_LIMIT; i++) {
        const struct vfsd_handle *handle = &vfsd->handles[i];
        visit(context, handle->number);
        if (handle->number == 0)
            continue;
        visit(context, handle->session);
        visit(context, handle->node);
        visit(context, handle->client);
        visit(context, handle->mount);
        visit(context, handle->flags);
    }
}
