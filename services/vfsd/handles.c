/* SPDX-License-Identifier: ISC */
/* Handles, and the operations on them. Decides whose a handle is and what it may; the node behind
 * it is open at its provider as long as the session is the one that it was opened in (F8). */
#include <stddef.h>
#include <string.h>

#include "services/vfsd/internal.h"

/* --- the table -------------------------------------------------------------------------------- */

enum status vfsd_client(const struct vfsd *vfsd, const struct vfsd_request *request,
                        uint32_t *client)
{
    *client = (uint32_t)request->common.info->badge;
    return vfsd->is_sealed != 0 ? STATUS_OK : STATUS_BUSY;
}

enum status vfsd_handle_admits(const struct vfsd *vfsd, uint32_t client)
{
    uint32_t own = 0;
    uint32_t used = 0;
    for (uint32_t i = 0; i < VFSD_HANDLE_LIMIT; i++) {
        const struct vfsd_handle *handle = &vfsd->handles[i];
        used += handle->number != 0;
        own += handle->number != 0 && handle->client == client;
    }
    if (own == VFSD_CLIENT_HANDLE_LIMIT)
        return STATUS_OVER_LIMIT;
    return used < VFSD_HANDLE_LIMIT ? STATUS_OK : STATUS_EXHAUSTED;
}

uint64_t vfsd_handle_add(struct vfsd *vfsd, uint32_t client, const struct vfsd_node *node,
                         uint32_t flags)
{
    uint32_t place = 0;
    while (place < VFSD_HANDLE_LIMIT && vfsd->handles[place].number != 0)
        place++;
    UNIT_ASSERT(place < VFSD_HANDLE_LIMIT); /* it was admitted */
    uint64_t number = ++vfsd->last_handle << VFSD_HANDLE_PLACE_BITS | place;
    vfsd->handles[place] = (struct vfsd_handle){
        .number = number,
        .session = vfsd->mounts[node->mount].session,
        .node = node->is.node,
        .client = client,
        .mount = node->mount,
        .flags = flags & (VFSD_OPEN_READ | VFSD_OPEN_WRITE | VFSD_OPEN_DIRECTORY),
    };
    return number;
}

/* A handle of the client that sent the message. */
static enum status find(struct vfsd *vfsd, const struct vfsd_request *request, uint64_t number,
                        struct vfsd_handle **handle)
{
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    if (status != STATUS_OK)
        return status;
    uint64_t place = number & ((1u << VFSD_HANDLE_PLACE_BITS) - 1);
    if (number == 0 || place >= VFSD_HANDLE_LIMIT)
        return STATUS_NOT_FOUND;
    *handle = &vfsd->handles[place];
    bool own = (*handle)->number == number && (*handle)->client == client;
    return own ? STATUS_OK : STATUS_NOT_FOUND; /* F8 */
}

static bool is_of_session(const struct vfsd *vfsd, const struct vfsd_handle *handle)
{
    return handle->session == vfsd->mounts[handle->mount].session;
}

/* And it is a file, or a directory, that may be used so. */
static enum status find_usable(struct vfsd *vfsd, const struct vfsd_request *request,
                               uint64_t number, uint32_t flags, struct vfsd_handle **handle)
{
    enum status status = find(vfsd, request, number, handle);
    if (status != STATUS_OK)
        return status;
    uint32_t has = (*handle)->flags;
    if (((has ^ flags) & VFSD_OPEN_DIRECTORY) != 0)
        return (has & VFSD_OPEN_DIRECTORY) != 0 ? STATUS_IS_DIRECTORY : STATUS_NOT_DIRECTORY;
    if ((has & flags) != flags)
        return STATUS_DENIED; /* F8 */
    return is_of_session(vfsd, *handle) ? STATUS_OK : STATUS_PEER_DIED;
}

/* The handle is gone whatever the provider says: a session that fails here closes it, too. */
static void close_handle(struct vfsd *vfsd, struct vfsd_handle *handle)
{
    if (is_of_session(vfsd, handle))
        (void)vfsd_provider_close(vfsd, handle->mount, handle->node);
    memset(handle, 0, sizeof *handle);
}

/* --- operations ------------------------------------------------------------------------------- */

static void close_all(struct vfsd *vfsd, uint32_t client, uint32_t mount)
{
    for (uint32_t i = 0; i < VFSD_HANDLE_LIMIT; i++) {
        const struct vfsd_handle *handle = &vfsd->handles[i];
        if (handle->number != 0 && handle->client == client && handle->mount == mount)
            close_handle(vfsd, &vfsd->handles[i]);
    }
}

/* One mount after the other, so that each has its time in one piece (F10). */
enum status vfsd_attach(struct vfsd *vfsd, struct vfsd_request *request)
{
    uint32_t client;
    enum status status = vfsd_client(vfsd, request, &client);
    for (uint32_t mount = 0; status == STATUS_OK && mount < vfsd->mount_count; mount++)
        close_all(vfsd, client, mount);
    return status;
}

enum status vfsd_close(struct vfsd *vfsd, struct vfsd_request *request)
{
    struct vfsd_handle *handle;
    enum status status = find(vfsd, request, request->body.close.handle, &handle);
    if (status == STATUS_OK)
        close_handle(vfsd, handle);
    return status;
}

enum status vfsd_read(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_read_request *body = &request->body.read;
    struct vfsd_handle *handle;
    struct ramfsd_read_reply reply;
    enum status status = find_usable(vfsd, request, body->handle, VFSD_OPEN_READ, &handle);
    if (status != STATUS_OK)
        return status;
    struct ramfsd_read_request read = {
        .node = handle->node, .offset_bytes = body->offset_bytes, .count = body->count};
    status = vfsd_provider_read(vfsd, handle->mount, &read, &reply);
    if (status != STATUS_OK)
        return status;
    request->reply.read.count = reply.count;
    memcpy(request->reply.read.bytes, reply.bytes, reply.count);
    return STATUS_OK;
}

enum status vfsd_write(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_write_request *body = &request->body.write;
    struct vfsd_handle *handle;
    enum status status = find_usable(vfsd, request, body->handle, VFSD_OPEN_WRITE, &handle);
    if (status != STATUS_OK)
        return status;
    struct ramfsd_write_request write = {
        .node = handle->node,
        .account = handle->client,
        .offset_bytes = body->offset_bytes,
        .count = body->count,
    };
    memcpy(write.bytes, body->bytes, body->count);
    return vfsd_provider_write(vfsd, handle->mount, &write, &request->reply.write.size_bytes);
}

enum status vfsd_truncate(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_truncate_request *body = &request->body.truncate;
    struct vfsd_handle *handle;
    enum status status = find_usable(vfsd, request, body->handle, VFSD_OPEN_WRITE, &handle);
    if (status != STATUS_OK)
        return status;
    return vfsd_provider_truncate(vfsd, handle->mount, handle->node, body->size_bytes);
}

enum status vfsd_readdir(struct vfsd *vfsd, struct vfsd_request *request)
{
    const struct vfsd_readdir_request *body = &request->body.readdir;
    struct vfsd_readdir_reply *reply = &request->reply.readdir;
    struct vfsd_handle *handle;
    struct ramfsd_readdir_reply entry;
    enum status status =
        find_usable(vfsd, request, body->handle, VFSD_OPEN_DIRECTORY | VFSD_OPEN_READ, &handle);
    if (status != STATUS_OK)
        return status;
    struct ramfsd_readdir_request next = {.directory_node = handle->node, .cursor = body->cursor};
    status = vfsd_provider_readdir(vfsd, handle->mount, &next, &entry);
    if (status != STATUS_OK || entry.node == 0)
        return status;
    reply->file_id = vfsd_file_id(handle->mount, entry.node);
    reply->next_cursor = entry.next_cursor;
    reply->kind = entry.kind;
    reply->count = entry.count;
    memcpy(reply->name, entry.name, entry.count);
    return STATUS_OK;
}

/* Its kind is what it was opened as: a node does not become another one. */
enum status vfsd_stat_handle(struct vfsd *vfsd, struct vfsd_request *request)
{
    struct vfsd_handle *handle;
    struct vfsd_node node;
    enum status status = find(vfsd, request, request->body.stat_handle.handle, &handle);
    if (status != STATUS_OK)
        return status;
    if (!is_of_session(vfsd, handle))
        return STATUS_PEER_DIED;
    bool directory = (handle->flags & VFSD_OPEN_DIRECTORY) != 0;
    status = vfsd_provider_stat(vfsd, handle->mount, handle->node,
                                directory ? FILE_KIND_DIRECTORY : FILE_KIND_FILE, &node);
    if (status == STATUS_OK)
        vfsd_attributes(vfsd, &node, &request->reply.stat);
    return status;
}
