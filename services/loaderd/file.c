/* SPDX-License-Identifier: ISC */
/* The file of the launch in hand: the calls to vfsd. Decides what of a file may be run, and whether it
 * is still the one that was opened (X1); believes no more of an answer than its row allows. */
#include <stddef.h>
#include <string.h>

#include "services/lib/call_vfsd.h"
#include "services/loaderd/internal.h"

enum { EXECUTE_BY_OWNER = 0100, EXECUTE_BY_OTHERS = 0001 };

static uint64_t file_deadline(const struct loaderd *loaderd)
{
    return caller_deadline(&loaderd->caller, LOADERD_FILE_TICKS);
}

/* Of a handle that vfsd gave: that it knows none is no answer. */
static enum status handle_status(const struct loaderd *loaderd, enum status status)
{
    if (status == STATUS_NOT_FOUND && caller_was_answered(&loaderd->caller))
        return STATUS_INTERNAL;
    return loaderd_peer_status(loaderd, status);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* By the rule by which vfsd lets it be read: loaderd owns it, or is one of the others. */
static bool may_execute(const struct vfsd_open_reply *file)
{
    uint32_t bit = file->owner == ROLE_LOADERD ? EXECUTE_BY_OWNER : EXECUTE_BY_OTHERS;
    return (file->mode & bit) != 0;
}

static enum status judge(const struct vfsd_open_reply *file)
{
    if (file->kind != FILE_KIND_FILE)
        return STATUS_IS_DIRECTORY;
    if (!may_execute(file))
        return STATUS_DENIED;
    if (file->size_bytes == 0)
        return STATUS_TRUNCATED;
    return file->size_bytes <= PROCD_LOADER_IMAGE_BYTES_MAX ? STATUS_OK : STATUS_OVER_LIMIT;
}

/* What is open after an answer that did not come, or means nothing, only ATTACH ends. */
enum status loaderd_file_open(struct loaderd *loaderd, const struct loaderd_launch *launch)
{
    struct loaderd_work *work = &loaderd->work;
    struct vfsd_open_request request = {.flags = VFSD_OPEN_READ, .count = launch->path_count};
    struct vfsd_open_reply file;
    memcpy(request.path, launch->path, launch->path_count);
    enum status status = vfsd_call_open(&loaderd->caller, SLOT_PEER_VFSD, NO_WINDOW,
                                        file_deadline(loaderd), &request, &file);
    if (status != STATUS_OK) {
        if (status == STATUS_INTERNAL || !caller_was_answered(&loaderd->caller))
            work->owes |= LOADERD_OWES_ATTACH;
        return loaderd_peer_status(loaderd, status);
    }
    work->owes |= LOADERD_OWES_HANDLE;
    work->handle = file.handle;
    work->file_id = file.file_id;
    work->size_bytes = file.size_bytes;
    work->version = file.version;
    return judge(&file);
}

enum status loaderd_file_same(struct loaderd *loaderd)
{
    const struct loaderd_work *work = &loaderd->work;
    struct vfsd_stat_handle_request request = {.handle = work->handle};
    struct vfsd_stat_handle_reply file;
    enum status status = vfsd_call_stat_handle(&loaderd->caller, SLOT_PEER_VFSD, NO_WINDOW,
                                               file_deadline(loaderd), &request, &file);
    if (status != STATUS_OK)
        return handle_status(loaderd, status);
    bool same = file.file_id == work->file_id && file.size_bytes == work->size_bytes &&
                file.version == work->version && file.kind == FILE_KIND_FILE;
    return same ? STATUS_OK : STATUS_CHANGED;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Exactly `count` bytes: a file that has fewer is not the one that was opened. */
static enum status read(struct loaderd *loaderd, uint64_t offset_bytes, uint32_t count,
                        struct vfsd_read_reply *piece)
{
    struct vfsd_read_request request = {
        .handle = loaderd->work.handle, .offset_bytes = offset_bytes, .count = count};
    enum status status = vfsd_call_read(&loaderd->caller, SLOT_PEER_VFSD, NO_WINDOW,
                                        file_deadline(loaderd), &request, piece);
    if (status != STATUS_OK)
        return handle_status(loaderd, status);
    if (piece->count > count)
        return STATUS_INTERNAL;
    return piece->count == count ? STATUS_OK : STATUS_CHANGED;
}

static uint32_t smaller_of(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

/* The first bytes of the file: one piece, and as many more as its headers are longer. */
static enum status view_read(struct loaderd *loaderd, uint8_t view[ELF_VIEW_BYTES],
                             uint32_t *view_bytes)
{
    struct vfsd_read_reply piece;
    uint32_t first = smaller_of(loaderd->work.size_bytes, LOADERD_PIECE_BYTES);
    enum status status = read(loaderd, 0, first, &piece);
    if (status != STATUS_OK)
        return status;
    memcpy(view, piece.bytes, first);
    *view_bytes = first;
    uint32_t wanted = smaller_of(loaderd->work.size_bytes, elf_plan_view_bytes(view, first));
    if (wanted <= first)
        return STATUS_OK;
    status = read(loaderd, first, wanted - first, &piece);
    if (status != STATUS_OK)
        return status;
    memcpy(view + first, piece.bytes, wanted - first);
    *view_bytes = wanted;
    return STATUS_OK;
}

_Static_assert((int)ELF_VIEW_BYTES <= 2 * (int)LOADERD_PIECE_BYTES, "two pieces show all headers");

enum status loaderd_file_plan(struct loaderd *loaderd)
{
    struct loaderd_work *work = &loaderd->work;
    uint8_t view[ELF_VIEW_BYTES];
    uint32_t view_bytes;
    enum status status = view_read(loaderd, view, &view_bytes);
    if (status == STATUS_OK)
        status = elf_plan_parse(view, view_bytes, work->size_bytes, &work->plan);
    if (status != STATUS_OK)
        return status;
    work->image_bytes = 0;
    for (uint32_t i = 0; i < work->plan.segment_count; i++)
        work->image_bytes += work->plan.segments[i].file_bytes; /* each no more than the file has */
    UNIT_ASSERT(work->image_bytes != 0);                        /* the entry lies in some of them */
    return work->image_bytes <= PROCD_LOADER_IMAGE_BYTES_MAX ? STATUS_OK : STATUS_OVER_LIMIT;
}

enum status loaderd_file_piece(struct loaderd *loaderd, struct vfsd_read_reply *piece)
{
    struct loaderd_work *work = &loaderd->work;
    struct loaderd_pass *pass = &work->pass;
    while (pass->segment < work->plan.segment_count) {
        const struct elf_segment *segment = &work->plan.segments[pass->segment];
        uint64_t left = segment->file_bytes - pass->segment_bytes;
        if (left != 0) {
            uint32_t count = smaller_of(left, LOADERD_PIECE_BYTES);
            enum status status =
                read(loaderd, segment->file_offset + pass->segment_bytes, count, piece);
            pass->segment_bytes += count;
            pass->all_bytes += count;
            return status;
        }
        pass->segment++;
        pass->segment_bytes = 0;
    }
    piece->count = 0;
    return STATUS_OK;
}

/* --- closing ---------------------------------------------------------------------------------- */

enum status loaderd_file_close(struct loaderd *loaderd)
{
    struct vfsd_close_request request = {.handle = loaderd->work.handle};
    return vfsd_call_close(&loaderd->caller, SLOT_PEER_VFSD, NO_WINDOW, file_deadline(loaderd),
                           &request, NULL);
}

enum status loaderd_file_attach(struct loaderd *loaderd)
{
    static const struct vfsd_attach_request nothing;
    return vfsd_call_attach(&loaderd->caller, SLOT_PEER_VFSD, NO_WINDOW, file_deadline(loaderd),
                            &nothing, NULL);
}
