/* SPDX-License-Identifier: ISC */
/* The model of loaderd's launches: each call of a launch in its place, with the fields that the file's
 * headers and what came before make it have (X1), and what goes back (X2). */
#include <string.h>

#include "abi/roles.h"
#include "abi/system.h"
#include "props/base/marks.h"
#include "props/models/model_loaderd_inside.h"

/* Of the contract. */
enum { RETRY_AFTER = 100, PIECES_OF_TURN = 8, PIECE = 832, EXIT_UNHEARD = 0x6C6F6100 };
enum { LARGEST = 4 << 20 };

/* --- giving back --- */

/* Refused things stay owed; the first that is ends it. */
static bool is_taken(struct model_loaderd_replay *replay, const struct model_loaderd_call *call,
                     bool *owes, enum status *status)
{
    bool taken = call->status == STATUS_OK || (call->status == STATUS_NOT_FOUND && call->answered);
    *owes = !taken;
    if (!taken) {
        replay->model->not_before_ticks = replay->model->now_ticks + RETRY_AFTER;
        *status = model_loaderd_outcome(call);
    }
    return taken;
}

static enum status give_back(struct model_loaderd_replay *replay)
{
    struct model_loaderd *model = replay->model;
    enum status status = STATUS_OK;
    if (model->owes_transfer) {
        const struct model_loaderd_call *call =
            model_loaderd_next_call(replay, OP_PROCD_ABORT_LOADER_IMAGE_TRANSFER);
        PROPERTY_EQUAL(X2, call->asked.abort.transfer_id, model->transfer_id);
        if (!is_taken(replay, call, &model->owes_transfer, &status))
            return status;
    }
    if (model->owes_process) {
        const struct model_loaderd_call *call =
            model_loaderd_next_call(replay, OP_PROCD_STOP_PROCESS);
        PROPERTY_EQUAL(X2, call->asked.stop.process_id, model->process_id);
        PROPERTY_EQUAL(X2, call->asked.stop.code, EXIT_UNHEARD);
        if (!is_taken(replay, call, &model->owes_process, &status))
            return status;
    }
    if (model->owes_handle) {
        const struct model_loaderd_call *call = model_loaderd_next_call(replay, OP_VFSD_CLOSE);
        PROPERTY_EQUAL(X2, call->asked.close.handle, model->handle);
        if (!is_taken(replay, call, &model->owes_handle, &status))
            return status;
    }
    if (model->owes_attach) {
        const struct model_loaderd_call *call = model_loaderd_next_call(replay, OP_VFSD_ATTACH);
        if (!is_taken(replay, call, &model->owes_attach, &status))
            return status;
    }
    model->not_before_ticks = 0;
    return status;
}

/* --- the file --- */

/* Of what was open a moment ago nobody says that it is not there. */
static enum status of_handle(const struct model_loaderd_call *call)
{
    if (call->status == STATUS_NOT_FOUND && call->answered)
        return STATUS_INTERNAL;
    return model_loaderd_outcome(call);
}

static enum status of_transfer(const struct model_loaderd_call *call)
{
    if (call->status == STATUS_NOT_FOUND && call->answered)
        return STATUS_TIMED_OUT;
    return model_loaderd_outcome(call);
}

static enum status open_file(struct model_loaderd_replay *replay)
{
    struct model_loaderd *model = replay->model;
    const struct model_loaderd_seat *seat = &model->seats[model->seat];
    enum status status = give_back(replay);
    if (status != STATUS_OK)
        return status;
    const struct model_loaderd_call *call = model_loaderd_next_call(replay, OP_VFSD_OPEN);
    PROPERTY_EQUAL(X1, "flags", call->asked.open.flags, VFSD_OPEN_READ);
    PROPERTY_EQUAL(X1, "path", call->asked.open.count, seat->path_count);
    PROPERTY(X4, "turn", memcmp(call->asked.open.path, seat->path, seat->path_count) == 0);
    if (call->status != STATUS_OK) {
        model->owes_attach = !call->answered || call->status == STATUS_INTERNAL;
        return model_loaderd_outcome(call);
    }
    model->file = call->told.open;
    model->handle = model->file.handle;
    model->owes_handle = true;
    model->step = STEP_LOOK;
    if (model->file.kind != FILE_KIND_FILE)
        return STATUS_IS_DIRECTORY;
    if ((model->file.mode & (model->file.owner == ROLE_LOADERD ? 0100 : 0001)) == 0)
        return STATUS_DENIED;
    if (model->file.size_bytes == 0)
        return STATUS_TRUNCATED;
    return model->file.size_bytes > LARGEST ? STATUS_OVER_LIMIT : STATUS_OK;
}

static enum status read_bytes(struct model_loaderd_replay *replay, uint64_t offset, uint64_t count,
                              const uint8_t **bytes)
{
    const struct model_loaderd_call *call = model_loaderd_next_call(replay, OP_VFSD_READ);
    PROPERTY_EQUAL(X1, "handle", call->asked.read.handle, replay->model->handle);
    PROPERTY_EQUAL(X1, "offset", call->asked.read.offset_bytes, offset);
    PROPERTY_EQUAL(X1, "count", call->asked.read.count, count);
    *bytes = call->told.read.bytes;
    if (call->status != STATUS_OK)
        return of_handle(call);
    if (call->told.read.count > count)
        return STATUS_INTERNAL;
    return call->told.read.count < count ? STATUS_CHANGED : STATUS_OK;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static enum status look_at_headers(struct model_loaderd_replay *replay)
{
    struct model_loaderd *model = replay->model;
    uint8_t view[2 * PIECE];
    const uint8_t *bytes;
    uint64_t shown = least(PIECE, model->file.size_bytes);
    enum status status = read_bytes(replay, 0, shown, &bytes);
    if (status != STATUS_OK)
        return status;
    memcpy(view, bytes, shown);
    uint64_t wanted = least(elf_plan_view_bytes(view, shown), model->file.size_bytes);
    if (wanted > shown) {
        status = read_bytes(replay, shown, wanted - shown, &bytes);
        if (status != STATUS_OK)
            return status;
        memcpy(view + shown, bytes, wanted - shown);
        shown = wanted;
    }
    status = elf_plan_parse(view, shown, model->file.size_bytes, &model->plan);
    if (status != STATUS_OK)
        return status;
    model->image_bytes = 0;
    for (uint32_t i = 0; i < model->plan.segment_count; i++)
        model->image_bytes += model->plan.segments[i].file_bytes;
    model->segment = 0;
    model->done = model->all = 0;
    sha256_init(&model->sum);
    model->step = STEP_SUM;
    if (model->image_bytes > LARGEST)
        return STATUS_OVER_LIMIT;
    model->pages = MODEL_LOADERD_KERNEL + MODEL_LOADERD_EXTRA;
    for (uint32_t i = 0; i < model->plan.segment_count; i++)
        model->pages += model->plan.segments[i].pages;
    model->pages = least(model->pages, MODEL_LOADERD_LARGEST);
    uint64_t room = model_loaderd_room(model, model->seats[model->seat].role);
    return MARK_IF("loaderd: a share has no room for a program", model->pages > room)
               ? STATUS_OVER_LIMIT
               : STATUS_OK;
}

/* Where the next piece lies, and how long it is; false: there is none. */
static bool next_piece(struct model_loaderd *model, uint64_t *offset, uint64_t *count)
{
    while (model->segment < model->plan.segment_count) {
        const struct elf_segment *segment = &model->plan.segments[model->segment];
        *offset = segment->file_offset + model->done;
        *count = least(segment->file_bytes - model->done, PIECE);
        if (*count != 0)
            return true;
        model->segment++;
        model->done = 0;
    }
    return false;
}

static enum status sum_up(struct model_loaderd_replay *replay)
{
    struct model_loaderd *model = replay->model;
    for (uint32_t i = 0; i < PIECES_OF_TURN; i++) {
        uint64_t offset;
        uint64_t count;
        const uint8_t *bytes;
        if (!next_piece(model, &offset, &count)) {
            sha256_final(&model->sum, model->digest);
            model->step = STEP_BEGIN;
            return STATUS_OK;
        }
        enum status status = read_bytes(replay, offset, count, &bytes);
        if (status != STATUS_OK)
            return status;
        sha256_update(&model->sum, bytes, count);
        model->done += count;
    }
    return STATUS_OK;
}

static enum status is_same(struct model_loaderd_replay *replay)
{
    const struct model_loaderd *model = replay->model;
    const struct model_loaderd_call *call = model_loaderd_next_call(replay, OP_VFSD_STAT_HANDLE);
    PROPERTY_EQUAL(X1, call->asked.stat.handle, model->handle);
    if (call->status != STATUS_OK)
        return of_handle(call);
    const struct vfsd_stat_handle_reply *now = &call->told.stat;
    bool same = now->file_id == model->file.file_id && now->version == model->file.version &&
                now->size_bytes == model->file.size_bytes && now->kind == FILE_KIND_FILE;
    return same ? STATUS_OK : STATUS_CHANGED;
}

/* --- the transfer --- */

static enum status begin(struct model_loaderd_replay *replay)
{
    struct model_loaderd *model = replay->model;
    enum status status = is_same(replay);
    if (status != STATUS_OK)
        return status;
    const struct model_loaderd_call *call =
        model_loaderd_next_call(replay, OP_PROCD_BEGIN_LOADER_IMAGE_TRANSFER);
    const struct procd_begin_loader_image_transfer_request *asked = &call->asked.begin;
    PROPERTY_EQUAL(X1, "bytes", asked->image_bytes, model->image_bytes);
    PROPERTY(X1, "digest", memcmp(asked->digest, model->digest, SHA256_BYTES) == 0);
    PROPERTY_EQUAL(X1, "segments", asked->segment_count, model->plan.segment_count);
    PROPERTY_EQUAL(X5, "pages", asked->page_limit + (uint64_t)MODEL_LOADERD_KERNEL, model->pages);
    if (call->status != STATUS_OK)
        return model_loaderd_outcome(call);
    model->transfer_id = call->told.begin.transfer_id;
    model->owes_transfer = true;
    model->segment = 0;
    model->done = model->all = 0;
    model->step = STEP_SEND;
    return STATUS_OK;
}

static enum status send_pieces(struct model_loaderd_replay *replay)
{
    struct model_loaderd *model = replay->model;
    for (uint32_t i = 0; i < PIECES_OF_TURN; i++) {
        uint64_t offset;
        uint64_t count;
        const uint8_t *bytes;
        if (!next_piece(model, &offset, &count)) {
            model->step = STEP_COMMIT;
            return STATUS_OK;
        }
        enum status status = read_bytes(replay, offset, count, &bytes);
        if (status != STATUS_OK)
            return status;
        const struct model_loaderd_call *call =
            model_loaderd_next_call(replay, OP_PROCD_SEND_LOADER_IMAGE_CHUNK);
        PROPERTY_EQUAL(X1, "transfer", call->asked.chunk.transfer_id, model->transfer_id);
        PROPERTY_EQUAL(X1, "order", call->asked.chunk.offset_bytes, model->all);
        PROPERTY_EQUAL(X1, "count", call->asked.chunk.count, count);
        PROPERTY(X1, "bytes", memcmp(call->asked.chunk.bytes, bytes, count) == 0);
        if (call->status != STATUS_OK)
            return of_transfer(call);
        model->done += count;
        model->all += count;
        if (call->told.chunk.received_bytes != model->all)
            return STATUS_INTERNAL;
    }
    return STATUS_OK;
}

static bool is_anybodys(const struct model_loaderd *model, uint64_t id)
{
    for (uint32_t i = 0; i < model->programs_used; i++)
        if (model->programs[i].role != 0 && model->programs[i].id == id)
            return true;
    return false;
}

static enum status commit(struct model_loaderd_replay *replay)
{
    struct model_loaderd *model = replay->model;
    enum status status = is_same(replay);
    if (status != STATUS_OK)
        return status;
    const struct model_loaderd_call *call =
        model_loaderd_next_call(replay, OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER);
    PROPERTY_EQUAL(X1, "transfer", call->asked.commit.transfer_id, model->transfer_id);
    if (call->status == STATUS_BAD_DIGEST)
        return STATUS_CHANGED;
    if (call->status == STATUS_TRUNCATED)
        return STATUS_INTERNAL;
    if (call->status != STATUS_OK)
        return of_transfer(call);
    model->owes_transfer = false;
    model->process_id = call->told.commit.process_id;
    bool known = is_anybodys(model, model->process_id);
    bool right = model->process_id == model->transfer_id && !known;
    model->owes_process = !right && !known;
    return right ? STATUS_OK : STATUS_INTERNAL;
}

/* --- the end --- */

static void over(struct model_loaderd_replay *replay, enum status status)
{
    struct model_loaderd *model = replay->model;
    struct model_loaderd_seat *seat = &model->seats[model->seat];
    bool heard = !seat->launch_gone && !seat->launch_unheard;
    model->step = STEP_NONE;
    model->turn = (model->seat + 1) % MODEL_LOADERD_SEATS;
    seat->launches = false;
    if (model->not_before_ticks <= model->now_ticks)
        (void)give_back(replay);
    if (!seat->launch_gone) {
        struct model_loaderd_told *told = model_loaderd_tell(model);
        told->slot = seat->launch_slot;
        told->request_id = seat->launch_request;
        told->operation = OP_LOADERD_LAUNCH_PATH;
        told->status = status;
        told->process_id = model->process_id;
        told->gone = seat->launch_unheard;
    }
    seat->launch_gone = seat->launch_unheard = false;
    if (status == STATUS_OK && heard)
        model_loaderd_launched(model, seat->role, model->process_id, model->pages);
    if (status == STATUS_OK && !heard) {
        model->owes_process = true;
        (void)give_back(replay);
    }
    model_loaderd_leave(model, seat);
}

static enum status one_step(struct model_loaderd_replay *replay)
{
    switch (replay->model->step) {
    case STEP_NONE:
        break;
    case STEP_OPEN:
        return open_file(replay);
    case STEP_LOOK:
        return look_at_headers(replay);
    case STEP_SUM:
        return sum_up(replay);
    case STEP_BEGIN:
        return begin(replay);
    case STEP_SEND:
        return send_pieces(replay);
    case STEP_COMMIT:
        return commit(replay);
    }
    MODEL_KNOWS_NOT(step);
}

void model_loaderd_launch(struct model_loaderd_replay *replay)
{
    struct model_loaderd *model = replay->model;
    if (model->step == STEP_NONE) {
        uint32_t tried = 0;
        while (tried < MODEL_LOADERD_SEATS &&
               !model->seats[(model->turn + tried) % MODEL_LOADERD_SEATS].launches)
            tried++;
        bool owes =
            model->owes_transfer || model->owes_process || model->owes_handle || model->owes_attach;
        if (tried == MODEL_LOADERD_SEATS) {
            if (owes && model->not_before_ticks <= model->now_ticks)
                (void)give_back(replay);
            return;
        }
        model->seat = (model->turn + tried) % MODEL_LOADERD_SEATS;
        model->step = STEP_OPEN;
    }
    bool last = model->step == STEP_COMMIT;
    enum status status =
        model->seats[model->seat].launch_gone ? STATUS_NOT_FOUND : one_step(replay);
    if (status != STATUS_OK || last)
        over(replay, status);
}
