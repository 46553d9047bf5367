/* SPDX-License-Identifier: ISC */
/* The operations on paths other than OPEN. Decides who may change which entry; what a directory
 * then does with it is its provider's business. */
#include <stddef.h>
#include <string.h>

#include "services/vfsd/internal.h"

/* --- what is there ---------------------------------------------------------------------------- */

enum status vfsd_stat(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_stat_request *body = &request->body.stat;
    struct vfsd_text path = {body->path, body->count};
    struct vfsd_place place;
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    if (status == STATUS_OK)
        status =
            vfsd_walk_existing(vfsd, client, path, (body->flags & VFSD_NO_FOLLOW) == 0, &place);
    if (status == STATUS_OK)
        vfsd_attributes(vfsd, &place.node, &request->reply.stat);
    return status;
}

enum status vfsd_readlink(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_readlink_request *body = &request->body.readlink;
    struct vfsd_readlink_reply *reply = &request->reply.readlink;
    struct vfsd_text path = {body->path, body->count};
    struct vfsd_place place;
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    if (status == STATUS_OK)
        status = vfsd_walk_existing(vfsd, client, path, false, &place);
    if (status != STATUS_OK)
        return status;
    if (place.node.is.kind != FILE_KIND_SYMLINK)
        return STATUS_INVALID_ARGUMENT;
    return vfsd_provider_readlink(vfsd, place.node.mount, place.node.is.node, reply->target,
                                  &reply->count);
}

/* --- who may change what ---------------------------------------------------------------------- */

/* Whether the client may change entries of the directory. */
static enum status directory_decide(const struct vfsd *vfsd, uint32_t client,
                                    const struct vfsd_place *place)
{
    const struct vfsd_step *directory = &place->directory;
    if (vfsd_mount_read_only(vfsd, directory->mount))
        return STATUS_READ_ONLY; /* F9 */
    return vfsd_may(client, directory->owner, directory->mode, VFSD_MODE_WRITE) ? STATUS_OK
                                                                                : STATUS_DENIED;
}

/* Whether what is there may be taken away by the client, where others have files as well. */
static enum status sticky_decide(uint32_t client, const struct vfsd_place *place)
{
    const struct vfsd_step *directory = &place->directory;
    bool sticky = (directory->mode & VFSD_MODE_STICKY) != 0;
    bool owns = client == directory->owner || client == place->node.is.owner;
    return sticky && place->exists && !owns ? STATUS_DENIED : STATUS_OK;
}

/* --- what comes ------------------------------------------------------------------------------- */

/* A path under which there is nothing, in a directory that may get an entry. Where a directory above
 * a mount point is missing, nobody puts one of their own or a link: whose it is says who comes to the
 * mount, and a link means another path. */
static enum status place_new(struct vfsd *vfsd, uint32_t client, struct vfsd_text path,
                             struct vfsd_place *place)
{
    enum status status = vfsd_walk_path(vfsd, client, path, false, place);
    if (status == STATUS_OK && place->exists)
        return STATUS_DUPLICATE;
    if (status == STATUS_OK && place->is_mount_point)
        return STATUS_BUSY; /* F9 */
    return status == STATUS_OK ? directory_decide(vfsd, client, place) : status;
}

enum status vfsd_mkdir(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_mkdir_request *body = &request->body.mkdir;
    struct vfsd_text path = {body->path, body->count};
    struct vfsd_place place;
    struct vfsd_node made;
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    if (status == STATUS_OK)
        status = place_new(vfsd, client, path, &place);
    if (status != STATUS_OK)
        return status;
    struct ramfsd_create_request create = {
        .directory_node = place.directory.node,
        .account = client,
        .kind = FILE_KIND_DIRECTORY,
        .mode = body->mode,
        .count = place.name_count,
    };
    memcpy(create.name, place.name, place.name_count);
    return vfsd_provider_create(vfsd, place.directory.mount, &create, &made);
}

/* Two strings of a message: the first one's bytes, then the second one's. */
static enum status two_texts(const uint8_t *bytes, uint32_t first_count, uint32_t count,
                             struct vfsd_text *first, struct vfsd_text *second)
{
    if (count <= first_count)
        return STATUS_INVALID_ARGUMENT;
    *first = (struct vfsd_text){bytes, first_count};
    *second = (struct vfsd_text){bytes + first_count, count - first_count};
    return STATUS_OK;
}

static enum status symlink_make(struct vfsd *vfsd, uint32_t client, const struct vfsd_place *place,
                                struct vfsd_text target)
{
    struct ramfsd_symlink_request request = {
        .directory_node = place->directory.node,
        .account = client,
        .name_count = place->name_count,
        .count = place->name_count + target.count,
    };
    memcpy(request.name_and_target, place->name, place->name_count);
    memcpy(request.name_and_target + place->name_count, target.bytes, target.count);
    return vfsd_provider_symlink(vfsd, place->directory.mount, &request);
}

enum status vfsd_symlink(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_symlink_request *body = &request->body.symlink;
    struct vfsd_text path;
    struct vfsd_text target;
    struct vfsd_place place;
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    if (status == STATUS_OK)
        status = two_texts(body->path_and_target, body->path_count, body->count, &path, &target);
    if (status == STATUS_OK)
        status = path_check_target(target.bytes, target.count);
    if (status == STATUS_OK)
        status = place_new(vfsd, client, path, &place);
    return status == STATUS_OK ? symlink_make(vfsd, client, &place, target) : status;
}

/* --- what goes -------------------------------------------------------------------------------- */

/* A path whose entry may be taken away. */
static enum status place_gone(struct vfsd *vfsd, const struct vfsd_request *request,
                              struct vfsd_text path, struct vfsd_place *place)
{
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    if (status == STATUS_OK)
        status = vfsd_walk_existing(vfsd, client, path, false, place);
    if (status == STATUS_OK && place->is_mount_point)
        status = STATUS_BUSY; /* F9 */
    if (status == STATUS_OK)
        status = directory_decide(vfsd, client, place);
    return status == STATUS_OK ? sticky_decide(client, place) : status;
}

enum status vfsd_unlink(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_unlink_request *body = &request->body.unlink;
    struct vfsd_text path = {body->path, body->count};
    struct vfsd_place place;
    enum status status = place_gone(vfsd, request, path, &place);
    if (status != STATUS_OK)
        return status;
    struct vfsd_text name = {place.name, place.name_count};
    return vfsd_provider_unlink(vfsd, place.directory.mount, place.directory.node, name);
}

enum status vfsd_rmdir(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_rmdir_request *body = &request->body.rmdir;
    struct vfsd_text path = {body->path, body->count};
    struct vfsd_place place;
    enum status status = place_gone(vfsd, request, path, &place);
    if (status != STATUS_OK)
        return status;
    struct vfsd_text name = {place.name, place.name_count};
    return vfsd_provider_rmdir(vfsd, place.directory.mount, place.directory.node, name);
}

/* --- what moves ------------------------------------------------------------------------------- */

/* Both places are walked. */
static enum status move_decide(const struct vfsd *vfsd, uint32_t client,
                               const struct vfsd_place *from, const struct vfsd_place *to)
{
    if (from->is_mount_point || to->is_mount_point)
        return STATUS_BUSY; /* F9 */
    if (from->directory.mount != to->directory.mount)
        return STATUS_UNSUPPORTED;
    enum status status = directory_decide(vfsd, client, from);
    if (status == STATUS_OK)
        status = directory_decide(vfsd, client, to);
    if (status == STATUS_OK)
        status = sticky_decide(client, from);
    return status == STATUS_OK ? sticky_decide(client, to) : status;
}

static enum status move(struct vfsd *vfsd, const struct vfsd_place *from,
                        const struct vfsd_place *to)
{
    struct ramfsd_rename_request request = {
        .from_directory = from->directory.node,
        .to_directory = to->directory.node,
        .from_count = from->name_count,
        .count = from->name_count + to->name_count,
    };
    memcpy(request.names, from->name, from->name_count);
    memcpy(request.names + from->name_count, to->name, to->name_count);
    return vfsd_provider_rename(vfsd, from->directory.mount, &request);
}

enum status vfsd_rename(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_rename_request *body = &request->body.rename;
    struct vfsd_text from_path;
    struct vfsd_text to_path;
    struct vfsd_place from;
    struct vfsd_place to;
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    if (status == STATUS_OK)
        status = two_texts(body->paths, body->from_count, body->count, &from_path, &to_path);
    if (status == STATUS_OK)
        status = vfsd_walk_existing(vfsd, client, from_path, false, &from);
    if (status == STATUS_OK)
        status = vfsd_walk_path(vfsd, client, to_path, false, &to);
    if (status == STATUS_OK)
        status = move_decide(vfsd, client, &from, &to);
    return status == STATUS_OK ? move(vfsd, &from, &to) : status;
}

enum status vfsd_link(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_link_request *body = &request->body.link;
    struct vfsd_text from;
    struct vfsd_text to;
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    if (status == STATUS_OK)
        status = two_texts(body->paths, body->from_count, body->count, &from, &to);
    if (status == STATUS_OK)
        status = path_check(from.bytes, from.count);
    if (status == STATUS_OK)
        status = path_check(to.bytes, to.count);
    return status == STATUS_OK ? STATUS_UNSUPPORTED : status;
}

/* --- metadata --------------------------------------------------------------------------------- */

static bool gives_to_nobody(const struct vfsd_set_metadata_request *body)
{
    return (body->mask & FILE_METADATA_OWNER) != 0 &&
           (body->owner == 0 || body->owner > ROLE_ID_MAX);
}

enum status vfsd_set_metadata(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_set_metadata_request *body = &request->body.set_metadata;
    struct vfsd_text path = {body->path, body->count};
    bool follows = (body->flags & VFSD_NO_FOLLOW) == 0;
    struct vfsd_place place;
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    if (status == STATUS_OK && gives_to_nobody(body))
        status = STATUS_INVALID_ARGUMENT;
    if (status == STATUS_OK)
        status = vfsd_walk_existing(vfsd, client, path, follows, &place);
    if (status != STATUS_OK)
        return status;
    if (vfsd_mount_read_only(vfsd, place.node.mount))
        return STATUS_READ_ONLY; /* F9 */
    if (place.node.is.owner != client)
        return STATUS_DENIED; /* F7 */
    struct ramfsd_set_metadata_request change = {
        .node = place.node.is.node,
        .mask = body->mask,
        .mode = body->mode,
        .flags = body->file_flags,
        .owner = body->owner,
        .accessed_ticks = body->accessed_ticks,
        .modified_ticks = body->modified_ticks,
    };
    return vfsd_provider_set_metadata(vfsd, place.node.mount, &change);
}
