/* SPDX-License-Identifier: ISC */
/* The model of vfsd: what is asked of paths. */
#include <string.h>

#include "abi/formats/path.h"
#include "abi/roles.h"
#include "props/models/model_vfsd_inside.h"

enum { MAY_WRITE = 2, STICKY = 01000 };

static const enum status no_refusal[] = {STATUS_OK};
static const enum status of_entries[] = {STATUS_DENIED, STATUS_OVER_LIMIT, STATUS_EXHAUSTED,
                                         STATUS_OK};
static const enum status of_unlink[] = {STATUS_DENIED, STATUS_IS_DIRECTORY, STATUS_OK};
static const enum status of_rmdir[] = {STATUS_DENIED, STATUS_NOT_DIRECTORY, STATUS_NOT_EMPTY,
                                       STATUS_OK};
static const enum status of_rename[] = {STATUS_DENIED,           STATUS_IS_DIRECTORY,
                                        STATUS_NOT_EMPTY,        STATUS_NOT_DIRECTORY,
                                        STATUS_INVALID_ARGUMENT, STATUS_OK};
static const enum status of_metadata[] = {STATUS_DENIED, STATUS_OK};

/* Whether a path is a mount's or above one. */
bool model_vfsd_is_kept(const struct model_vfsd *model, const struct model_vfsd_place *place)
{
    for (uint32_t i = 0; i < model->mount_count; i++) {
        const struct model_vfsd_mount *mount = &model->mounts[i];
        uint32_t count = place->path_count;
        if (count <= mount->path_count && memcmp(mount->path, place->path, count) == 0 &&
            (count == mount->path_count || mount->path[count] == '/'))
            return true;
    }
    return false;
}

/* --- what lies in a directory --- */

static struct model_vfsd_text name_of(const struct model_vfsd_place *place)
{
    return (struct model_vfsd_text){place->path + place->name_from,
                                    place->path_count - place->name_from};
}

/* Whether entries of a place's directory may change. */
static enum status entry_refusal(const struct model_vfsd *model, uint32_t client,
                                 const struct model_vfsd_place *place)
{
    if (model_vfsd_read_only(model, place->mount))
        return STATUS_READ_ONLY;
    return model_vfsd_permits(client, &place->directory, MAY_WRITE) ? STATUS_OK : STATUS_DENIED;
}

enum status model_vfsd_create(struct model_vfsd *model, uint32_t client, uint32_t kind,
                              uint32_t mode, struct model_vfsd_place *place)
{
    struct model_vfsd_text name = name_of(place);
    struct ramfsd_create_request create = {.directory_node = place->directory.node,
                                           .account = client,
                                           .kind = kind,
                                           .mode = mode,
                                           .count = name.count};
    struct model_ramfsd_answer told;
    memcpy(create.name, name.bytes, name.count);
    enum status status = entry_refusal(model, client, place);
    if (status == STATUS_OK)
        status = model_vfsd_ask(model, place->mount, &ramfsd_create_request_type, &create,
                                of_entries, &told);
    place->node_mount = place->mount;
    if (status == STATUS_OK)
        place->node = told.reply.attributes;
    return status;
}

enum status model_vfsd_remove(struct model_vfsd *model, const struct message_type *type,
                              const struct model_vfsd_place *place, const enum status *refusals)
{
    struct model_vfsd_text name = name_of(place);
    struct ramfsd_unlink_request unlink = {.directory_node = place->directory.node,
                                           .count = name.count};
    struct model_ramfsd_answer told;
    memcpy(unlink.name, name.bytes, name.count);
    return model_vfsd_ask(model, place->mount, type, &unlink, refusals, &told);
}

/* --- entries --- */

static enum status walk_to(struct model_vfsd *model, uint32_t client, struct model_vfsd_text path,
                           bool follows, struct model_vfsd_place *place)
{
    enum status status = model_vfsd_walk(model, client, path, follows, place);
    return status == STATUS_OK && !place->exists ? STATUS_NOT_FOUND : status;
}

/* In a directory with 01000, only by the owner of either. */
static enum status sticky_refusal(uint32_t client, const struct model_vfsd_place *place)
{
    bool sticky = (place->directory.mode & STICKY) != 0 && place->exists;
    return sticky && place->directory.owner != client && place->node.owner != client ? STATUS_DENIED
                                                                                     : STATUS_OK;
}

enum status model_vfsd_take_away(struct model_vfsd *model, uint32_t client, uint16_t operation,
                                 struct model_vfsd_text path)
{
    struct model_vfsd_place place;
    enum status status = walk_to(model, client, path, false, &place);
    if (status == STATUS_OK && model_vfsd_is_kept(model, &place))
        status = STATUS_BUSY;
    if (status == STATUS_OK)
        status = entry_refusal(model, client, &place);
    if (status == STATUS_OK)
        status = sticky_refusal(client, &place);
    if (status != STATUS_OK)
        return status;
    return operation == OP_VFSD_UNLINK
               ? model_vfsd_remove(model, &ramfsd_unlink_request_type, &place, of_unlink)
               : model_vfsd_remove(model, &ramfsd_rmdir_request_type, &place, of_rmdir);
}

enum status model_vfsd_make_directory(struct model_vfsd *model, uint32_t client, uint32_t mode,
                                      struct model_vfsd_text path)
{
    struct model_vfsd_place place;
    enum status status = model_vfsd_walk(model, client, path, false, &place);
    if (status == STATUS_OK && place.exists)
        status = STATUS_DUPLICATE;
    if (status == STATUS_OK && model_vfsd_is_kept(model, &place))
        status = STATUS_BUSY;
    return status == STATUS_OK ? model_vfsd_create(model, client, FILE_KIND_DIRECTORY, mode, &place)
                               : status;
}

static enum status make_link(struct model_vfsd *model, uint32_t client, struct model_vfsd_text path,
                             struct model_vfsd_text target)
{
    struct model_vfsd_place place;
    struct model_ramfsd_answer told;
    enum status status = path_check_target(target.bytes, target.count);
    if (status == STATUS_OK)
        status = model_vfsd_walk(model, client, path, false, &place);
    if (status == STATUS_OK && place.exists)
        status = STATUS_DUPLICATE;
    if (status == STATUS_OK && model_vfsd_is_kept(model, &place))
        status = STATUS_BUSY;
    if (status == STATUS_OK)
        status = entry_refusal(model, client, &place);
    if (status != STATUS_OK)
        return status;
    struct model_vfsd_text name = name_of(&place);
    struct ramfsd_symlink_request symlink = {.directory_node = place.directory.node,
                                             .account = client,
                                             .name_count = name.count,
                                             .count = name.count + target.count};
    memcpy(symlink.name_and_target, name.bytes, name.count);
    memcpy(symlink.name_and_target + name.count, target.bytes, target.count);
    return model_vfsd_ask(model, place.mount, &ramfsd_symlink_request_type, &symlink, of_entries,
                          &told);
}

static enum status rename_to(struct model_vfsd *model, uint32_t client,
                             struct model_vfsd_text from_path, struct model_vfsd_text to_path)
{
    struct model_vfsd_place from;
    struct model_vfsd_place to;
    struct model_ramfsd_answer told;
    enum status status = walk_to(model, client, from_path, false, &from);
    if (status == STATUS_OK)
        status = model_vfsd_walk(model, client, to_path, false, &to);
    if (status == STATUS_OK && (model_vfsd_is_kept(model, &from) || model_vfsd_is_kept(model, &to)))
        status = STATUS_BUSY;
    if (status == STATUS_OK && from.mount != to.mount)
        status = STATUS_UNSUPPORTED;
    if (status == STATUS_OK)
        status = entry_refusal(model, client, &from);
    if (status == STATUS_OK)
        status = entry_refusal(model, client, &to);
    if (status == STATUS_OK)
        status = sticky_refusal(client, &from);
    if (status == STATUS_OK)
        status = sticky_refusal(client, &to);
    if (status != STATUS_OK)
        return status;
    struct model_vfsd_text old_name = name_of(&from);
    struct model_vfsd_text new_name = name_of(&to);
    struct ramfsd_rename_request rename = {.from_directory = from.directory.node,
                                           .to_directory = to.directory.node,
                                           .from_count = old_name.count,
                                           .count = old_name.count + new_name.count};
    memcpy(rename.names, old_name.bytes, old_name.count);
    memcpy(rename.names + old_name.count, new_name.bytes, new_name.count);
    return model_vfsd_ask(model, from.mount, &ramfsd_rename_request_type, &rename, of_rename,
                          &told);
}

enum status model_vfsd_on_two(struct model_vfsd *model, uint32_t client, uint16_t operation,
                              const struct vfsd_rename_request *body)
{
    if (body->count <= body->from_count)
        return STATUS_INVALID_ARGUMENT;
    struct model_vfsd_text first = {body->paths, body->from_count};
    struct model_vfsd_text second = {body->paths + body->from_count,
                                     body->count - body->from_count};
    if (operation == OP_VFSD_RENAME)
        return rename_to(model, client, first, second);
    if (operation == OP_VFSD_SYMLINK)
        return make_link(model, client, first, second);
    enum status status = path_check(first.bytes, first.count);
    if (status == STATUS_OK)
        status = path_check(second.bytes, second.count);
    return status == STATUS_OK ? STATUS_UNSUPPORTED : status;
}

enum status model_vfsd_set_metadata(struct model_vfsd *model, uint32_t client,
                                    const struct vfsd_set_metadata_request *body)
{
    struct model_vfsd_text path = {body->path, body->count};
    struct model_vfsd_place place;
    struct model_ramfsd_answer told;
    if ((body->mask & FILE_METADATA_OWNER) != 0 && (body->owner == 0 || body->owner > ROLE_ID_MAX))
        return STATUS_INVALID_ARGUMENT;
    enum status status = walk_to(model, client, path, body->flags == 0, &place);
    if (status == STATUS_OK && model_vfsd_read_only(model, place.node_mount))
        status = STATUS_READ_ONLY;
    if (status == STATUS_OK && place.node.owner != client)
        status = STATUS_DENIED;
    if (status != STATUS_OK)
        return status;
    struct ramfsd_set_metadata_request set = {.node = place.node.node,
                                              .mask = body->mask,
                                              .mode = body->mode,
                                              .flags = body->file_flags,
                                              .owner = body->owner,
                                              .accessed_ticks = body->accessed_ticks,
                                              .modified_ticks = body->modified_ticks};
    return model_vfsd_ask(model, place.node_mount, &ramfsd_set_metadata_request_type, &set,
                          of_metadata, &told);
}

enum status model_vfsd_look_at(struct model_vfsd *model, uint32_t client,
                               struct model_vfsd_text path, bool follows,
                               struct model_vfsd_answer *answer)
{
    struct model_vfsd_place place;
    enum status status = walk_to(model, client, path, follows, &place);
    if (status == STATUS_OK)
        answer->reply.attributes = model_vfsd_attributes(model, place.node_mount, &place.node);
    return status;
}

enum status model_vfsd_read_link(struct model_vfsd *model, uint32_t client,
                                 struct model_vfsd_text path, struct model_vfsd_answer *answer)
{
    struct model_vfsd_place place;
    struct model_ramfsd_answer told;
    enum status status = walk_to(model, client, path, false, &place);
    if (status == STATUS_OK && place.node.kind != FILE_KIND_SYMLINK)
        status = STATUS_INVALID_ARGUMENT;
    if (status != STATUS_OK)
        return status;
    struct ramfsd_readlink_request readlink = {.node = place.node.node};
    status = model_vfsd_ask(model, place.node_mount, &ramfsd_readlink_request_type, &readlink,
                            no_refusal, &told);
    if (status != STATUS_OK)
        return status;
    answer->reply.readlink.count = told.reply.readlink.count;
    memcpy(answer->reply.readlink.target, told.reply.readlink.target, told.reply.readlink.count);
    return STATUS_OK;
}
