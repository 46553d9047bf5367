/* SPDX-License-Identifier: ISC */
/* Handles in the model of vfsd: OPEN, and what is asked of what is open. */
#include <string.h>

#include "abi/formats/path.h"
#include "props/base/property.h"
#include "props/models/model_vfsd_inside.h"

enum { PLACE_BITS = 16, NODE_BITS = 56 };

static const enum status no_refusal[] = {STATUS_OK};
static const enum status of_opens[] = {STATUS_EXHAUSTED, STATUS_OK};
static const enum status of_unlink[] = {STATUS_DENIED, STATUS_IS_DIRECTORY, STATUS_OK};
static const enum status of_writes[] = {STATUS_DENIED, STATUS_OUT_OF_RANGE, STATUS_OVER_LIMIT,
                                        STATUS_EXHAUSTED, STATUS_OK};
static const enum status of_truncate[] = {STATUS_DENIED, STATUS_OUT_OF_RANGE, STATUS_OK};
static const enum status of_cut_off[] = {STATUS_DENIED, STATUS_OK}; /* 0 is never too much */

/* --- handles --- */

uint32_t model_vfsd_handles_of(const struct model_vfsd *model, uint32_t client, bool any)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->handles_used; i++)
        count += model->handles[i].number != 0 && (any || model->handles[i].client == client);
    return count;
}

static struct model_vfsd_handle *handle_of(struct model_vfsd *model, uint32_t client,
                                           uint64_t number)
{
    for (uint32_t i = 0; i < model->handles_used; i++)
        if (number != 0 && model->handles[i].number == number && model->handles[i].client == client)
            return &model->handles[i];
    return NULL;
}

static uint64_t handle_new(struct model_vfsd *model, uint32_t client, uint32_t mount, uint64_t node,
                           uint32_t flags)
{
    uint32_t place = 0;
    while (place < model->handles_used && model->handles[place].number != 0)
        place++;
    HARNESS(place < MODEL_VFSD_HANDLES);
    model->handles_used += place == model->handles_used;
    uint64_t number = ++model->last_handle << PLACE_BITS | place;
    model->handles[place] = (struct model_vfsd_handle){
        number, model->mounts[mount].session, node, client, mount, flags};
    model->changed = true;
    return number;
}

static bool lives(const struct model_vfsd *model, const struct model_vfsd_handle *handle)
{
    return model->mounts[handle->mount].session == handle->session;
}

/* Nobody cares what becomes of the provider's CLOSE. */
static void close_handle(struct model_vfsd *model, struct model_vfsd_handle *handle)
{
    struct ramfsd_close_request close = {.node = handle->node};
    struct model_ramfsd_answer answer;
    if (lives(model, handle))
        (void)model_vfsd_ask(model, handle->mount, &ramfsd_close_request_type, &close, no_refusal,
                             &answer);
    memset(handle, 0, sizeof *handle);
    model->changed = true;
}

enum status model_vfsd_attach(struct model_vfsd *model, uint32_t client)
{
    for (uint32_t mount = 0; mount < model->mount_count; mount++)
        for (uint32_t i = 0; i < model->handles_used; i++)
            if (model->handles[i].number != 0 && model->handles[i].client == client &&
                model->handles[i].mount == mount)
                close_handle(model, &model->handles[i]);
    return STATUS_OK;
}

/* What a handle may be used for, before its provider is asked. */
static enum status usable(const struct model_vfsd *model, const struct model_vfsd_handle *handle,
                          bool directory, uint32_t right)
{
    bool is_directory = (handle->flags & VFSD_OPEN_DIRECTORY) != 0;
    if (is_directory != directory)
        return is_directory ? STATUS_IS_DIRECTORY : STATUS_NOT_DIRECTORY;
    if ((handle->flags & right) == 0)
        return STATUS_DENIED;
    return lives(model, handle) ? STATUS_OK : STATUS_PEER_DIED;
}

static enum status read_from(struct model_vfsd *model, const struct model_vfsd_handle *handle,
                             const struct vfsd_read_request *body, struct model_vfsd_answer *answer)
{
    struct ramfsd_read_request read = {
        .node = handle->node, .offset_bytes = body->offset_bytes, .count = body->count};
    struct model_ramfsd_answer told;
    enum status status = usable(model, handle, false, VFSD_OPEN_READ);
    if (status == STATUS_OK)
        status = model_vfsd_ask(model, handle->mount, &ramfsd_read_request_type, &read, no_refusal,
                                &told);
    if (status != STATUS_OK)
        return status;
    answer->reply.read.count = told.reply.read.count;
    memcpy(answer->reply.read.bytes, told.reply.read.bytes, told.reply.read.count);
    return STATUS_OK;
}

static enum status write_to(struct model_vfsd *model, const struct model_vfsd_handle *handle,
                            const struct vfsd_write_request *body, struct model_vfsd_answer *answer)
{
    struct ramfsd_write_request write = {.node = handle->node,
                                         .account = handle->client,
                                         .offset_bytes = body->offset_bytes,
                                         .count = body->count};
    struct model_ramfsd_answer told;
    memcpy(write.bytes, body->bytes, body->count);
    enum status status = usable(model, handle, false, VFSD_OPEN_WRITE);
    if (status == STATUS_OK)
        status = model_vfsd_ask(model, handle->mount, &ramfsd_write_request_type, &write, of_writes,
                                &told);
    if (status == STATUS_OK)
        answer->reply.write.size_bytes = told.reply.write.size_bytes;
    return status;
}

static enum status truncate_to(struct model_vfsd *model, const struct model_vfsd_handle *handle,
                               const struct vfsd_truncate_request *body)
{
    struct ramfsd_truncate_request truncate = {.node = handle->node,
                                               .size_bytes = body->size_bytes};
    struct model_ramfsd_answer told;
    enum status status = usable(model, handle, false, VFSD_OPEN_WRITE);
    if (status == STATUS_OK)
        status = model_vfsd_ask(model, handle->mount, &ramfsd_truncate_request_type, &truncate,
                                body->size_bytes != 0 ? of_truncate : of_cut_off, &told);
    return status;
}

static enum status list(struct model_vfsd *model, const struct model_vfsd_handle *handle,
                        const struct vfsd_readdir_request *body, struct model_vfsd_answer *answer)
{
    struct ramfsd_readdir_request readdir = {.directory_node = handle->node,
                                             .cursor = body->cursor};
    struct model_ramfsd_answer told;
    enum status status = usable(model, handle, true, VFSD_OPEN_READ);
    if (status == STATUS_OK)
        status = model_vfsd_ask(model, handle->mount, &ramfsd_readdir_request_type, &readdir,
                                no_refusal, &told);
    if (status != STATUS_OK || told.reply.readdir.node == 0)
        return status;
    answer->reply.readdir = (struct vfsd_readdir_reply){
        .file_id = (uint64_t)(handle->mount + 1) << NODE_BITS | told.reply.readdir.node,
        .next_cursor = told.reply.readdir.next_cursor,
        .kind = told.reply.readdir.kind,
        .count = told.reply.readdir.count,
    };
    memcpy(answer->reply.readdir.name, told.reply.readdir.name, told.reply.readdir.count);
    return STATUS_OK;
}

static enum status stat_handle(struct model_vfsd *model, const struct model_vfsd_handle *handle,
                               struct model_vfsd_answer *answer)
{
    struct ramfsd_stat_request stat = {.node = handle->node};
    struct model_ramfsd_answer told;
    if (!lives(model, handle))
        return STATUS_PEER_DIED;
    enum status status =
        model_vfsd_ask(model, handle->mount, &ramfsd_stat_request_type, &stat, no_refusal, &told);
    if (status == STATUS_OK)
        answer->reply.attributes =
            model_vfsd_attributes(model, handle->mount, &told.reply.attributes);
    return status;
}

enum status model_vfsd_on_handle(struct model_vfsd *model, uint32_t client, uint16_t operation,
                                 const union model_vfsd_body *body,
                                 struct model_vfsd_answer *answer)
{
    struct model_vfsd_handle *handle = handle_of(model, client, body->handle.handle);
    if (handle == NULL)
        return STATUS_NOT_FOUND;
    if (operation == OP_VFSD_READ)
        return read_from(model, handle, &body->read, answer);
    if (operation == OP_VFSD_WRITE)
        return write_to(model, handle, &body->write, answer);
    if (operation == OP_VFSD_TRUNCATE)
        return truncate_to(model, handle, &body->truncate);
    if (operation == OP_VFSD_READDIR)
        return list(model, handle, &body->readdir, answer);
    if (operation == OP_VFSD_STAT_HANDLE)
        return stat_handle(model, handle, answer);
    close_handle(model, handle);
    return STATUS_OK;
}

/* --- OPEN --- */

static bool flags_fit(uint32_t flags)
{
    if ((flags & (VFSD_OPEN_READ | VFSD_OPEN_WRITE)) == 0)
        return false;
    if ((flags & VFSD_OPEN_EXCLUSIVE) != 0 && (flags & VFSD_OPEN_CREATE) == 0)
        return false;
    if ((flags & VFSD_OPEN_TRUNCATE) != 0 && (flags & VFSD_OPEN_WRITE) == 0)
        return false;
    return (flags & VFSD_OPEN_DIRECTORY) == 0 ||
           (flags & (VFSD_OPEN_WRITE | VFSD_OPEN_CREATE)) == 0;
}

/* What is there may be opened so. */
static enum status open_refusal(const struct model_vfsd *model, uint32_t client, uint32_t flags,
                                const struct model_vfsd_place *place)
{
    bool writes = (flags & VFSD_OPEN_WRITE) != 0;
    uint32_t bits = ((flags & VFSD_OPEN_READ) != 0 ? 4u : 0) | (writes ? 2u : 0);
    if ((flags & VFSD_OPEN_EXCLUSIVE) != 0)
        return STATUS_DUPLICATE;
    if (place->node.kind == FILE_KIND_SYMLINK)
        return STATUS_LINK_LOOP;
    if (place->node.kind == FILE_KIND_DIRECTORY && (flags & VFSD_OPEN_DIRECTORY) == 0)
        return STATUS_IS_DIRECTORY;
    if (place->node.kind != FILE_KIND_DIRECTORY && (flags & VFSD_OPEN_DIRECTORY) != 0)
        return STATUS_NOT_DIRECTORY;
    if (writes && model_vfsd_read_only(model, place->node_mount))
        return STATUS_READ_ONLY;
    return model_vfsd_permits(client, &place->node, bits) ? STATUS_OK : STATUS_DENIED;
}

static enum status open_node(struct model_vfsd *model, const struct model_vfsd_place *place)
{
    struct ramfsd_open_request open = {.node = place->node.node};
    struct model_ramfsd_answer told;
    return model_vfsd_ask(model, place->node_mount, &ramfsd_open_request_type, &open, of_opens,
                          &told);
}

static enum status open_old(struct model_vfsd *model, uint32_t client, uint32_t flags,
                            struct model_vfsd_place *place)
{
    uint64_t number = place->node.node;
    uint32_t mount = place->node_mount;
    struct model_ramfsd_answer told;
    enum status status = open_refusal(model, client, flags, place);
    if (status == STATUS_OK)
        status = open_node(model, place);
    if (status != STATUS_OK || (flags & VFSD_OPEN_TRUNCATE) == 0)
        return status;
    struct ramfsd_truncate_request truncate = {.node = number};
    struct ramfsd_stat_request stat = {.node = number};
    status =
        model_vfsd_ask(model, mount, &ramfsd_truncate_request_type, &truncate, of_cut_off, &told);
    if (status == STATUS_OK) {
        status = model_vfsd_ask(model, mount, &ramfsd_stat_request_type, &stat, no_refusal, &told);
        place->node = told.reply.attributes;
    }
    if (status == STATUS_OK || model->mounts[mount].session == 0)
        return status;
    struct ramfsd_close_request close = {.node = number};
    (void)model_vfsd_ask(model, mount, &ramfsd_close_request_type, &close, no_refusal, &told);
    return status;
}

static enum status open_new(struct model_vfsd *model, uint32_t client,
                            const struct vfsd_open_request *body, struct model_vfsd_place *place)
{
    if ((body->flags & VFSD_OPEN_CREATE) == 0)
        return STATUS_NOT_FOUND;
    if (model_vfsd_is_kept(model, place))
        return STATUS_BUSY;
    enum status status = model_vfsd_create(model, client, FILE_KIND_FILE, body->mode, place);
    if (status != STATUS_OK)
        return status;
    status = open_node(model, place);
    if (status != STATUS_EXHAUSTED)
        return status;
    if (model_vfsd_remove(model, &ramfsd_unlink_request_type, place, of_unlink) == STATUS_OK)
        return status;
    model->changed = model->changed || model->mounts[place->mount].session != 0;
    model->mounts[place->mount].session = 0; /* it breaks its contract, or is gone */
    return STATUS_INTERNAL;
}

enum status model_vfsd_open(struct model_vfsd *model, uint32_t client,
                            const struct vfsd_open_request *body, struct model_vfsd_answer *answer)
{
    struct model_vfsd_text path = {body->path, body->count};
    bool follows = (body->flags & (VFSD_NO_FOLLOW | VFSD_OPEN_EXCLUSIVE)) == 0;
    struct model_vfsd_place place;
    if (!flags_fit(body->flags))
        return STATUS_INVALID_ARGUMENT;
    enum status status = path_check(path.bytes, path.count);
    if (status != STATUS_OK)
        return status;
    if (model_vfsd_handles_of(model, client, false) == MODEL_VFSD_CLIENT_HANDLES)
        return STATUS_OVER_LIMIT;
    if (model_vfsd_handles_of(model, 0, true) == MODEL_VFSD_HANDLES)
        return STATUS_EXHAUSTED;
    status = model_vfsd_walk(model, client, path, follows, &place);
    if (status != STATUS_OK)
        return status;
    status = place.exists ? open_old(model, client, body->flags, &place)
                          : open_new(model, client, body, &place);
    if (status != STATUS_OK)
        return status;
    struct vfsd_stat_reply is = model_vfsd_attributes(model, place.node_mount, &place.node);
    answer->reply.open.handle =
        handle_new(model, client, place.node_mount, place.node.node, body->flags);
    memcpy(&answer->reply.open.file_id, &is, sizeof is);
    return STATUS_OK;
}
