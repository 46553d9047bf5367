/* SPDX-License-Identifier: ISC */
/* See phase4_files.h. Decides nothing: paths and texts become requests, and answers are compared. */
#include "services/probes/phase4_files.h"

#include <string.h>

static uint64_t soon(const struct files *files)
{
    return caller_deadline(&files->caller, FILES_CALL_TICKS);
}

static uint32_t length_of(const char *text)
{
    uint32_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

/* Copies a text, and says how long it is. */
static uint32_t put(uint8_t *bytes, const char *text)
{
    uint32_t length = length_of(text);
    memcpy(bytes, text, length);
    return length;
}

/* The request that is made next. */
static void begin(struct files *files)
{
    memset(&files->request, 0, sizeof files->request);
}

/* --- handles ---------------------------------------------------------------------------------- */

enum status files_attach(struct files *files)
{
    static const struct vfsd_attach_request nothing;
    return vfsd_call_attach(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files), &nothing, NULL);
}

/* The attributes begin behind the handle. */
enum status files_open(struct files *files, const char *path, uint32_t flags, uint64_t *handle)
{
    begin(files);
    files->request.open.flags = flags;
    files->request.open.mode = FILES_MODE;
    files->request.open.count = put(files->request.open.path, path);
    enum status status = vfsd_call_open(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files),
                                        &files->request.open, &files->reply.open);
    *handle = files->reply.open.handle;
    memcpy(&files->is, (const uint8_t *)&files->reply.open + sizeof *handle, sizeof files->is);
    return status;
}

_Static_assert(sizeof(struct vfsd_open_reply) == sizeof(uint64_t) + sizeof(struct vfsd_stat_reply),
               "a handle, and the same attributes");

enum status files_close(struct files *files, uint64_t handle)
{
    struct vfsd_close_request request = {handle};
    return vfsd_call_close(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files), &request, NULL);
}

enum status files_read(struct files *files, uint64_t handle, uint64_t offset_bytes, uint32_t count)
{
    begin(files);
    files->request.read.handle = handle;
    files->request.read.offset_bytes = offset_bytes;
    files->request.read.count = count;
    return vfsd_call_read(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files),
                          &files->request.read, &files->reply.read);
}

enum status files_write(struct files *files, uint64_t handle, uint64_t offset_bytes,
                        const char *text)
{
    begin(files);
    files->request.write.handle = handle;
    files->request.write.offset_bytes = offset_bytes;
    files->request.write.count = put(files->request.write.bytes, text);
    return vfsd_call_write(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files),
                           &files->request.write, &files->reply.write);
}

enum status files_truncate(struct files *files, uint64_t handle, uint64_t size_bytes)
{
    struct vfsd_truncate_request request = {handle, size_bytes};
    return vfsd_call_truncate(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files), &request,
                              NULL);
}

enum status files_readdir(struct files *files, uint64_t handle, uint64_t cursor)
{
    struct vfsd_readdir_request request = {handle, cursor};
    return vfsd_call_readdir(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files), &request,
                             &files->reply.readdir);
}

enum status files_stat_handle(struct files *files, uint64_t handle)
{
    struct vfsd_stat_handle_request request = {handle};
    _Static_assert(sizeof(struct vfsd_stat_handle_reply) == sizeof files->is, "the same");
    return vfsd_call_stat_handle(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files), &request,
                                 (struct vfsd_stat_handle_reply *)(void *)&files->is);
}

/* --- paths ------------------------------------------------------------------------------------ */

enum status files_stat(struct files *files, const char *path, uint32_t flags)
{
    begin(files);
    files->request.stat.flags = flags;
    files->request.stat.count = put(files->request.stat.path, path);
    return vfsd_call_stat(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files),
                          &files->request.stat, &files->is);
}

enum status files_mkdir(struct files *files, const char *path)
{
    begin(files);
    files->request.mkdir.mode = 0755;
    files->request.mkdir.count = put(files->request.mkdir.path, path);
    return vfsd_call_mkdir(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files),
                           &files->request.mkdir, NULL);
}

enum status files_unlink(struct files *files, const char *path)
{
    begin(files);
    files->request.unlink.count = put(files->request.unlink.path, path);
    return vfsd_call_unlink(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files),
                            &files->request.unlink, NULL);
}

enum status files_rmdir(struct files *files, const char *path)
{
    begin(files);
    files->request.rmdir.count = put(files->request.rmdir.path, path);
    return vfsd_call_rmdir(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files),
                           &files->request.rmdir, NULL);
}

enum status files_readlink(struct files *files, const char *path)
{
    begin(files);
    files->request.readlink.count = put(files->request.readlink.path, path);
    return vfsd_call_readlink(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files),
                              &files->request.readlink, &files->reply.readlink);
}

enum status files_rename(struct files *files, const char *from, const char *to)
{
    begin(files);
    struct vfsd_rename_request *request = &files->request.rename;
    request->from_count = put(request->paths, from);
    request->count = request->from_count + put(request->paths + request->from_count, to);
    return vfsd_call_rename(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files), request, NULL);
}

enum status files_symlink(struct files *files, const char *path, const char *target)
{
    begin(files);
    struct vfsd_symlink_request *request = &files->request.symlink;
    request->path_count = put(request->path_and_target, path);
    request->count =
        request->path_count + put(request->path_and_target + request->path_count, target);
    return vfsd_call_symlink(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files), request, NULL);
}

enum status files_link(struct files *files, const char *from, const char *to)
{
    begin(files);
    struct vfsd_link_request *request = &files->request.link;
    request->from_count = put(request->paths, from);
    request->count = request->from_count + put(request->paths + request->from_count, to);
    return vfsd_call_link(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files), request, NULL);
}

/* --- metadata --------------------------------------------------------------------------------- */

static enum status set(struct files *files, const char *path, uint32_t mask)
{
    struct vfsd_set_metadata_request *request = &files->request.set_metadata;
    request->mask = mask;
    request->count = put(request->path, path);
    return vfsd_call_set_metadata(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(files), request,
                                  NULL);
}

enum status files_set_mode(struct files *files, const char *path, uint32_t mode)
{
    begin(files);
    files->request.set_metadata.mode = mode;
    return set(files, path, FILE_METADATA_MODE);
}

enum status files_set_owner(struct files *files, const char *path, uint64_t owner)
{
    begin(files);
    files->request.set_metadata.owner = owner;
    return set(files, path, FILE_METADATA_OWNER);
}

enum status files_set_flags(struct files *files, const char *path, uint32_t file_flags)
{
    begin(files);
    files->request.set_metadata.file_flags = file_flags;
    return set(files, path, FILE_METADATA_FLAGS);
}

enum status files_set_times(struct files *files, const char *path, uint64_t accessed_ticks,
                            uint64_t modified_ticks)
{
    begin(files);
    files->request.set_metadata.accessed_ticks = accessed_ticks;
    files->request.set_metadata.modified_ticks = modified_ticks;
    return set(files, path, FILE_METADATA_ACCESSED | FILE_METADATA_MODIFIED);
}

/* --- several at once -------------------------------------------------------------------------- */

bool files_reads_first(struct files *files, uint64_t handle, uint64_t offset_bytes,
                       const char *text)
{
    uint32_t length = length_of(text);
    return files_read(files, handle, offset_bytes, length) == STATUS_OK &&
           files->reply.read.count == length && memcmp(files->reply.read.bytes, text, length) == 0;
}

bool files_reads(struct files *files, uint64_t handle, uint64_t offset_bytes, const char *text)
{
    uint32_t length = length_of(text);
    return files_read(files, handle, offset_bytes, FILE_TRANSFER_BYTES_MAX) == STATUS_OK &&
           files->reply.read.count == length && memcmp(files->reply.read.bytes, text, length) == 0;
}

bool files_is_zero(struct files *files, uint64_t handle, uint64_t offset_bytes, uint32_t count)
{
    if (files_read(files, handle, offset_bytes, count) != STATUS_OK ||
        files->reply.read.count != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (files->reply.read.bytes[i] != 0)
            return false;
    }
    return true;
}

bool files_holds(struct files *files, const char *path, const char *text)
{
    uint64_t handle;
    if (files_open(files, path, VFSD_OPEN_READ, &handle) != STATUS_OK)
        return false;
    bool same = files->is.size_bytes == length_of(text) && files_reads(files, handle, 0, text);
    return files_close(files, handle) == STATUS_OK && same;
}

bool files_leads_to(struct files *files, const char *path, const char *target)
{
    const struct vfsd_readlink_reply *reply = &files->reply.readlink;
    return files_readlink(files, path) == STATUS_OK && reply->count == length_of(target) &&
           memcmp(reply->target, target, reply->count) == 0;
}

uint32_t files_lists(struct files *files, const char *path, const char *name)
{
    const struct vfsd_readdir_reply *entry = &files->reply.readdir;
    uint32_t found = 0;
    uint64_t handle;
    uint64_t cursor = 0;
    files->listed = 0;
    if (files_open(files, path, VFSD_OPEN_READ | VFSD_OPEN_DIRECTORY, &handle) != STATUS_OK)
        return 0;
    while (files_readdir(files, handle, cursor) == STATUS_OK && entry->file_id != 0) {
        found += entry->count == length_of(name) && memcmp(entry->name, name, entry->count) == 0;
        files->listed++;
        cursor = entry->next_cursor;
    }
    return files_close(files, handle) == STATUS_OK ? found : 0;
}

enum status files_put(struct files *files, const char *path, const char *text)
{
    uint64_t handle;
    enum status status = files_open(files, path, VFSD_OPEN_WRITE | VFSD_OPEN_CREATE, &handle);
    if (status != STATUS_OK)
        return status;
    status = files_write(files, handle, 0, text);
    enum status closed = files_close(files, handle);
    return status == STATUS_OK ? closed : status;
}

uint64_t files_version(struct files *files, uint64_t handle)
{
    return files_stat_handle(files, handle) == STATUS_OK ? files->is.version : 0;
}
