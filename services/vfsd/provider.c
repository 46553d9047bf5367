/* SPDX-License-Identifier: ISC */
/* Calls to providers. Decides what of an answer is believed: its row has been decoded, and here it
 * is held against what was asked (F10). Whoever does not answer, or not as its contract says, loses
 * its session; no call waits longer than the message may, and who was late is let be for a while
 * (F11). */
#include <stddef.h>
#include <string.h>

#include "services/lib/call_ramfsd.h"
#include "services/lib/discovery.h"
#include "services/vfsd/internal.h"

/* --- answers ---------------------------------------------------------------------------------- */

/* A set of statuses that a provider may refuse with. */
#define MAY(status) (UINT64_C(1) << STATUS_##status)
_Static_assert(STATUS_COUNT <= 64, "a set of statuses fits a word");

#define MAY_NOTHING    UINT64_C(0)
#define MAY_MAKE_ENTRY (MAY(DENIED) | MAY(OVER_LIMIT) | MAY(EXHAUSTED))
#define MAY_TAKE_ENTRY (MAY(DENIED) | MAY(IS_DIRECTORY) | MAY(NOT_DIRECTORY) | MAY(NOT_EMPTY))

static enum status session_over(struct vfsd *vfsd, uint32_t mount, enum status status)
{
    vfsd->mounts[mount].session = 0;
    return status;
}

enum status vfsd_provider_lied(struct vfsd *vfsd, uint32_t mount)
{
    return session_over(vfsd, mount, STATUS_INTERNAL);
}

/* --- time -------------------------------------------------------------------------------------
 *
 * Nobody tells the clock between RECV and a call that timed out: what is known is who was asked
 * since. */

void vfsd_time_begin(struct vfsd *vfsd)
{
    vfsd->span_count = 1;
    vfsd->span_of = VFSD_SPAN_OF_NOBODY;
    vfsd->has_tried = 0;
}

static uint64_t deadline(const struct vfsd *vfsd)
{
    return caller_deadline(&vfsd->caller, vfsd->span_count * (uint64_t)VFSD_CALL_TICKS);
}

/* Of a call that leaves the provider as it was: providers share the span. */
static uint64_t to_look(struct vfsd *vfsd, uint32_t mount)
{
    if (vfsd->span_of == VFSD_SPAN_OF_NOBODY)
        vfsd->span_of = mount;
    else if (vfsd->span_of != mount)
        vfsd->span_of = VFSD_SPAN_OF_SEVERAL;
    return deadline(vfsd);
}

/* The provider has a whole span for what comes next, whatever time others took. */
static void span_begin(struct vfsd *vfsd, uint32_t mount)
{
    if (vfsd->span_of != VFSD_SPAN_OF_NOBODY && vfsd->span_of != mount)
        vfsd->span_count++;
    vfsd->span_of = mount;
}

/* Of one that may change something (F10). */
static uint64_t to_change(struct vfsd *vfsd, uint32_t mount)
{
    span_begin(vfsd, mount);
    return deadline(vfsd);
}

/* --- pauses ----------------------------------------------------------------------------------- */

/* The mount was waited for in vain until now. What was asked between is no sign that all is well:
 * who answers one question and not the next is late again soon (F11). */
static void pause_begin(struct vfsd *vfsd, uint32_t index)
{
    struct vfsd_mount *mount = &vfsd->mounts[index];
    uint64_t now_ticks = vfsd->caller.now_ticks;
    bool is_again = mount->pause_ticks != 0 &&
                    now_ticks < deadline_after(mount->again_ticks, VFSD_PAUSE_TICKS_MAX);
    uint64_t ticks = is_again ? 2 * mount->pause_ticks : VFSD_PAUSE_TICKS;
    mount->pause_ticks = ticks < VFSD_PAUSE_TICKS_MAX ? ticks : VFSD_PAUSE_TICKS_MAX;
    mount->again_ticks = deadline_after(now_ticks, mount->pause_ticks);
    mount->is_paused = 1;
}

bool vfsd_provider_try(struct vfsd *vfsd, uint32_t index)
{
    const struct vfsd_mount *mount = &vfsd->mounts[index];
    if (mount->is_paused == 0)
        return true;
    if (vfsd->has_tried != 0 || vfsd->caller.now_ticks < mount->again_ticks)
        return false;
    vfsd->has_tried = 1;
    span_begin(vfsd, index);
    return true;
}

/* No answer in time. Who was only looked at, with time that others had a part of, is not to blame:
 * that costs the message alone (F10). */
static enum status too_late(struct vfsd *vfsd, uint32_t mount)
{
    bool had_all = vfsd->span_of == mount;
    vfsd_time_begin(vfsd); /* the deadline is the clock now */
    pause_begin(vfsd, mount);
    return had_all ? session_over(vfsd, mount, STATUS_TIMED_OUT) : STATUS_TIMED_OUT;
}

/* --- what is believed ------------------------------------------------------------------------- */

/* What became of the last call. */
static enum status judge(struct vfsd *vfsd, uint32_t mount, enum status status, uint64_t refusals)
{
    bool answered = caller_was_answered(&vfsd->caller);
    if (!answered && status == STATUS_TIMED_OUT)
        return too_late(vfsd, mount);
    vfsd->mounts[mount].is_paused = 0;
    if (status == STATUS_OK)
        return STATUS_OK;
    if (!answered)
        return session_over(vfsd, mount, STATUS_PEER_DIED);
    if ((uint32_t)status < STATUS_COUNT && (refusals >> status & 1) != 0)
        return status;
    return vfsd_provider_lied(vfsd, mount);
}

/* One that a file_id has room for, and that is there. */
static bool is_number(uint64_t number)
{
    return number != 0 && number >> VFSD_NODE_BITS == 0;
}

static struct vfsd_text text_max(struct vfsd_text name)
{
    UNIT_ASSERT(name.count >= 1 && name.count <= FILE_NAME_BYTES_MAX); /* F1 */
    return name;
}

/* Attributes, of the four replies that are the same. */
static enum status take_node(struct vfsd *vfsd, uint32_t mount, const void *reply,
                             struct vfsd_node *node)
{
    node->mount = mount;
    memcpy(&node->is, reply, sizeof node->is);
    return is_number(node->is.node) ? STATUS_OK : vfsd_provider_lied(vfsd, mount);
}

/* --- sessions --------------------------------------------------------------------------------- */

static enum status attach(struct vfsd *vfsd, uint32_t index)
{
    struct vfsd_mount *mount = &vfsd->mounts[index];
    struct ramfsd_attach_request request = {.count = mount->source_count};
    struct ramfsd_attach_reply reply;
    memcpy(request.source, mount->source, mount->source_count);
    enum status status = ramfsd_call_attach(&vfsd->caller, VFSD_PROVIDER_SLOT(index), NO_WINDOW,
                                            to_look(vfsd, index), &request, &reply);
    status = judge(vfsd, index, status, MAY(NOT_FOUND));
    if (status != STATUS_OK)
        return status;
    if (!is_number(reply.root_node))
        return vfsd_provider_lied(vfsd, index);
    mount->root_node = reply.root_node;
    mount->source_read_only = reply.read_only;
    mount->session = ++vfsd->last_session;
    return STATUS_OK;
}

enum status vfsd_provider_begin(struct vfsd *vfsd, uint32_t mount)
{
    if (vfsd->mounts[mount].session != 0)
        return STATUS_OK;
    enum status status =
        discovery_find(&vfsd->caller, vfsd->mounts[mount].provider_role, VFSD_PROVIDER_SLOT(mount));
    if (status == STATUS_OK)
        return attach(vfsd, mount);
    if (status == STATUS_TIMED_OUT) {
        pause_begin(vfsd, mount);
        return STATUS_TIMED_OUT;
    }
    vfsd->mounts[mount].is_paused = 0; /* it costs nobody any time to be told so */
    return STATUS_NOT_FOUND;
}

/* --- nodes ------------------------------------------------------------------------------------ */

enum status vfsd_provider_lookup(struct vfsd *vfsd, uint32_t mount, uint64_t directory,
                                 struct vfsd_text name, struct vfsd_node *node)
{
    struct ramfsd_lookup_request request = {.directory_node = directory,
                                            .count = text_max(name).count};
    struct ramfsd_lookup_reply reply;
    memcpy(request.name, name.bytes, name.count);
    enum status status = ramfsd_call_lookup(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                            to_look(vfsd, mount), &request, &reply);
    status = judge(vfsd, mount, status, MAY(NOT_FOUND));
    return status == STATUS_OK ? take_node(vfsd, mount, &reply, node) : status;
}

enum status vfsd_provider_stat(struct vfsd *vfsd, uint32_t mount, uint64_t number,
                               enum file_kind kind, struct vfsd_node *node)
{
    struct ramfsd_stat_request request = {.node = number};
    struct ramfsd_stat_reply reply;
    enum status status = ramfsd_call_stat(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                          to_look(vfsd, mount), &request, &reply);
    status = judge(vfsd, mount, status, MAY_NOTHING);
    if (status == STATUS_OK)
        status = take_node(vfsd, mount, &reply, node);
    if (status == STATUS_OK && (reply.node != number || reply.kind != kind))
        status = vfsd_provider_lied(vfsd, mount);
    return status;
}

enum status vfsd_provider_open(struct vfsd *vfsd, uint32_t mount, uint64_t number)
{
    struct ramfsd_open_request request = {.node = number};
    enum status status = ramfsd_call_open(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                          to_change(vfsd, mount), &request, NULL);
    return judge(vfsd, mount, status, MAY(EXHAUSTED));
}

enum status vfsd_provider_close(struct vfsd *vfsd, uint32_t mount, uint64_t number)
{
    struct ramfsd_close_request request = {.node = number};
    enum status status = ramfsd_call_close(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                           to_change(vfsd, mount), &request, NULL);
    return judge(vfsd, mount, status, MAY_NOTHING);
}

enum status vfsd_provider_set_metadata(struct vfsd *vfsd, uint32_t mount,
                                       const struct ramfsd_set_metadata_request *request)
{
    enum status status = ramfsd_call_set_metadata(&vfsd->caller, VFSD_PROVIDER_SLOT(mount),
                                                  NO_WINDOW, to_change(vfsd, mount), request, NULL);
    return judge(vfsd, mount, status, MAY(DENIED));
}

/* --- bytes ------------------------------------------------------------------------------------ */

enum status vfsd_provider_read(struct vfsd *vfsd, uint32_t mount,
                               const struct ramfsd_read_request *request,
                               struct ramfsd_read_reply *reply)
{
    enum status status = ramfsd_call_read(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                          to_look(vfsd, mount), request, reply);
    status = judge(vfsd, mount, status, MAY_NOTHING);
    if (status == STATUS_OK && reply->count > request->count)
        status = vfsd_provider_lied(vfsd, mount);
    return status;
}

enum status vfsd_provider_write(struct vfsd *vfsd, uint32_t mount,
                                const struct ramfsd_write_request *request, uint64_t *size_bytes)
{
    struct ramfsd_write_reply reply;
    uint64_t end;
    bool wraps = __builtin_add_overflow(request->offset_bytes, request->count, &end);
    enum status status = ramfsd_call_write(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                           to_change(vfsd, mount), request, &reply);
    status = judge(vfsd, mount, status,
                   MAY(DENIED) | MAY(OUT_OF_RANGE) | MAY(OVER_LIMIT) | MAY(EXHAUSTED));
    if (status != STATUS_OK)
        return status;
    if (wraps || (request->count != 0 && reply.size_bytes < end))
        return vfsd_provider_lied(vfsd, mount);
    *size_bytes = reply.size_bytes;
    return STATUS_OK;
}

enum status vfsd_provider_truncate(struct vfsd *vfsd, uint32_t mount, uint64_t number,
                                   uint64_t size_bytes)
{
    struct ramfsd_truncate_request request = {.node = number, .size_bytes = size_bytes};
    uint64_t too_large = size_bytes != 0 ? MAY(OUT_OF_RANGE) : MAY_NOTHING;
    enum status status = ramfsd_call_truncate(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                              to_change(vfsd, mount), &request, NULL);
    return judge(vfsd, mount, status, MAY(DENIED) | too_large);
}

/* A link's target is one: nobody walks anything else. */
enum status vfsd_provider_readlink(struct vfsd *vfsd, uint32_t mount, uint64_t number,
                                   uint8_t *target, uint32_t *count)
{
    struct ramfsd_readlink_request request = {.node = number};
    struct ramfsd_readlink_reply reply;
    enum status status = ramfsd_call_readlink(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                              to_look(vfsd, mount), &request, &reply);
    status = judge(vfsd, mount, status, MAY_NOTHING);
    if (status != STATUS_OK)
        return status;
    if (path_check_target(reply.target, reply.count) != STATUS_OK)
        return vfsd_provider_lied(vfsd, mount);
    memcpy(target, reply.target, reply.count);
    *count = reply.count;
    return STATUS_OK;
}

/* An entry has a number and a name and is before the next one; the end has none of it. */
enum status vfsd_provider_readdir(struct vfsd *vfsd, uint32_t mount,
                                  const struct ramfsd_readdir_request *request,
                                  struct ramfsd_readdir_reply *reply)
{
    enum status status = ramfsd_call_readdir(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                             to_look(vfsd, mount), request, reply);
    status = judge(vfsd, mount, status, MAY_NOTHING);
    if (status != STATUS_OK)
        return status;
    bool right = reply->node == 0
                     ? reply->count == 0
                     : is_number(reply->node) && reply->next_cursor > request->cursor &&
                           path_check_name(reply->name, reply->count) == STATUS_OK;
    return right ? STATUS_OK : vfsd_provider_lied(vfsd, mount);
}

/* --- entries ---------------------------------------------------------------------------------- */

enum status vfsd_provider_create(struct vfsd *vfsd, uint32_t mount,
                                 const struct ramfsd_create_request *request,
                                 struct vfsd_node *node)
{
    struct ramfsd_create_reply reply;
    enum status status = ramfsd_call_create(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                            to_change(vfsd, mount), request, &reply);
    status = judge(vfsd, mount, status, MAY_MAKE_ENTRY);
    if (status == STATUS_OK)
        status = take_node(vfsd, mount, &reply, node);
    if (status == STATUS_OK && reply.kind != request->kind)
        status = vfsd_provider_lied(vfsd, mount);
    return status;
}

enum status vfsd_provider_symlink(struct vfsd *vfsd, uint32_t mount,
                                  const struct ramfsd_symlink_request *request)
{
    struct ramfsd_symlink_reply reply;
    enum status status = ramfsd_call_symlink(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                             to_change(vfsd, mount), request, &reply);
    return judge(vfsd, mount, status, MAY_MAKE_ENTRY);
}

enum status vfsd_provider_unlink(struct vfsd *vfsd, uint32_t mount, uint64_t directory,
                                 struct vfsd_text name)
{
    struct ramfsd_unlink_request request = {.directory_node = directory,
                                            .count = text_max(name).count};
    memcpy(request.name, name.bytes, name.count);
    enum status status = ramfsd_call_unlink(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                            to_change(vfsd, mount), &request, NULL);
    return judge(vfsd, mount, status, MAY(DENIED) | MAY(IS_DIRECTORY));
}

enum status vfsd_provider_rmdir(struct vfsd *vfsd, uint32_t mount, uint64_t directory,
                                struct vfsd_text name)
{
    struct ramfsd_rmdir_request request = {.directory_node = directory,
                                           .count = text_max(name).count};
    memcpy(request.name, name.bytes, name.count);
    enum status status = ramfsd_call_rmdir(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                           to_change(vfsd, mount), &request, NULL);
    return judge(vfsd, mount, status, MAY(DENIED) | MAY(NOT_DIRECTORY) | MAY(NOT_EMPTY));
}

enum status vfsd_provider_rename(struct vfsd *vfsd, uint32_t mount,
                                 const struct ramfsd_rename_request *request)
{
    enum status status = ramfsd_call_rename(&vfsd->caller, VFSD_PROVIDER_SLOT(mount), NO_WINDOW,
                                            to_change(vfsd, mount), request, NULL);
    return judge(vfsd, mount, status, MAY_TAKE_ENTRY | MAY(INVALID_ARGUMENT));
}
