/* SPDX-License-Identifier: ISC */
/* OPEN. Decides, from the flags and what there is, what is made, cut off or refused; whatever fails
 * on the way takes back what was done before it. */
#include <stddef.h>
#include <string.h>

#include "services/vfsd/internal.h"

static enum status flags_check(uint32_t flags)
{
    bool directory = (flags & VFSD_OPEN_DIRECTORY) != 0;
    bool writes = (flags & VFSD_OPEN_WRITE) != 0;
    bool creates = (flags & VFSD_OPEN_CREATE) != 0;
    bool wrong = (flags & (VFSD_OPEN_READ | VFSD_OPEN_WRITE)) == 0 ||
                 ((flags & VFSD_OPEN_EXCLUSIVE) != 0 && !creates) ||
                 ((flags & VFSD_OPEN_TRUNCATE) != 0 && !writes) ||
                 (directory && (writes || creates));
    return wrong ? STATUS_INVALID_ARGUMENT : STATUS_OK;
}

/* Whether what is there may be opened so. */
static enum status existing_decide(const struct vfsd *vfsd, uint32_t client, uint32_t flags,
                                   const struct vfsd_node *node)
{
    bool directory = node->is.kind == FILE_KIND_DIRECTORY;
    bool writes = (flags & VFSD_OPEN_WRITE) != 0;
    uint32_t bits =
        ((flags & VFSD_OPEN_READ) != 0 ? VFSD_MODE_READ : 0u) | (writes ? VFSD_MODE_WRITE : 0u);
    if ((flags & VFSD_OPEN_EXCLUSIVE) != 0)
        return STATUS_DUPLICATE;
    if (node->is.kind == FILE_KIND_SYMLINK)
        return STATUS_LINK_LOOP;
    if (directory != ((flags & VFSD_OPEN_DIRECTORY) != 0))
        return directory ? STATUS_IS_DIRECTORY : STATUS_NOT_DIRECTORY;
    if (writes && vfsd_mount_read_only(vfsd, node->mount))
        return STATUS_READ_ONLY; /* F9 */
    return vfsd_may(client, node->is.owner, node->is.mode, bits) ? STATUS_OK : STATUS_DENIED;
}

/* Cuts it off, and looks at what it is then. */
static enum status cut_off(struct vfsd *vfsd, struct vfsd_node *node)
{
    enum status status = vfsd_provider_truncate(vfsd, node->mount, node->is.node, 0);
    return status == STATUS_OK
               ? vfsd_provider_stat(vfsd, node->mount, node->is.node, FILE_KIND_FILE, node)
               : status;
}

static enum status open_existing(struct vfsd *vfsd, uint32_t client, uint32_t flags,
                                 struct vfsd_node *node)
{
    enum status status = existing_decide(vfsd, client, flags, node);
    if (status == STATUS_OK)
        status = vfsd_provider_open(vfsd, node->mount, node->is.node);
    if (status != STATUS_OK || (flags & VFSD_OPEN_TRUNCATE) == 0)
        return status;
    uint64_t number = node->is.node;
    uint64_t session = vfsd->mounts[node->mount].session;
    status = cut_off(vfsd, node);
    if (status != STATUS_OK && vfsd->mounts[node->mount].session == session)
        (void)vfsd_provider_close(vfsd, node->mount, number);
    return status;
}

static enum status create_decide(const struct vfsd *vfsd, uint32_t client, uint32_t flags,
                                 const struct vfsd_place *place)
{
    const struct vfsd_step *directory = &place->directory;
    if ((flags & VFSD_OPEN_CREATE) == 0)
        return STATUS_NOT_FOUND;
    if (place->is_mount_point)
        return STATUS_BUSY; /* F9 */
    if (vfsd_mount_read_only(vfsd, directory->mount))
        return STATUS_READ_ONLY; /* F9 */
    return vfsd_may(client, directory->owner, directory->mode, VFSD_MODE_WRITE) ? STATUS_OK
                                                                                : STATUS_DENIED;
}

/* Who cannot open what it made has not made it. */
static enum status open_new(struct vfsd *vfsd, uint32_t client,
                            const struct vfsd_open_request *body, struct vfsd_place *place)
{
    const struct vfsd_step *directory = &place->directory;
    struct vfsd_text name = {place->name, place->name_count};
    struct ramfsd_create_request create = {
        .directory_node = directory->node,
        .account = client,
        .kind = FILE_KIND_FILE,
        .mode = body->mode,
        .count = name.count,
    };
    memcpy(create.name, name.bytes, name.count);
    enum status status = create_decide(vfsd, client, body->flags, place);
    if (status == STATUS_OK)
        status = vfsd_provider_create(vfsd, directory->mount, &create, &place->node);
    if (status != STATUS_OK)
        return status;
    status = vfsd_provider_open(vfsd, directory->mount, place->node.is.node);
    if (status == STATUS_EXHAUSTED) {
        enum status undone = vfsd_provider_unlink(vfsd, directory->mount, directory->node, name);
        if (undone == STATUS_OK)
            return status;
        return vfsd_provider_lied(vfsd, directory->mount);
    }
    return status;
}

enum status vfsd_open(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_open_request *body = &request->body.open;
    struct vfsd_text path = {body->path, body->count};
    bool follows = (body->flags & (VFSD_NO_FOLLOW | VFSD_OPEN_EXCLUSIVE)) == 0;
    struct vfsd_place place;
    struct vfsd_stat_reply attributes;
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    if (status == STATUS_OK)
        status = flags_check(body->flags);
    if (status == STATUS_OK)
        status = path_check(path.bytes, path.count);
    if (status == STATUS_OK)
        status = vfsd_handle_admits(vfsd, client);
    if (status == STATUS_OK)
        status = vfsd_walk_path(vfsd, client, path, follows, &place);
    if (status == STATUS_OK)
        status = place.exists ? open_existing(vfsd, client, body->flags, &place.node)
                              : open_new(vfsd, client, body, &place);
    if (status != STATUS_OK)
        return status;
    vfsd_attributes(vfsd, &place.node, &attributes);
    request->reply.open.handle = vfsd_handle_add(vfsd, client, &place.node, body->flags);
    memcpy(&request->reply.open.file_id, &attributes, sizeof attributes);
    return STATUS_OK;
}
