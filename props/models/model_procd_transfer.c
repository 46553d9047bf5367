/* SPDX-License-Identifier: ISC */
/* The part of procd's model that is about programs that are sent: what a transfer may be, which bytes
 * came, what becomes of it. It keeps every byte, and asks for the digest of them all at the end. */
#include "props/models/model_procd_internal.h"

#include <string.h>

#include "abi/address_space.h"
#include "abi/formats/sha256.h"
#include "props/base/marks.h"
#include "props/base/property.h"

enum { PAGE = PAGE_BYTES, TRANSFER_TICKS = 30000 };

typedef unsigned __int128 wide;

/* --- what may be sent ------------------------------------------------------------------------- */

static wide end_of(const struct procd_loader_segment *segment)
{
    return (wide)segment->va + segment->memory_bytes;
}

static enum status segment_status(const struct procd_loader_segment *segment)
{
    bool reads = (segment->rights & RIGHT_READ) != 0;
    bool writes = (segment->rights & RIGHT_WRITE) != 0;
    bool executes = (segment->rights & RIGHT_EXECUTE) != 0;
    if (!reads)
        return STATUS_INVALID_ARGUMENT;
    if (writes && executes)
        return STATUS_WRITE_AND_EXECUTE;
    if (writes ? segment->file_bytes > segment->memory_bytes
               : segment->file_bytes != segment->memory_bytes)
        return STATUS_INVALID_ARGUMENT;
    return end_of(segment) > USER_VA_END ? STATUS_OUT_OF_RANGE : STATUS_OK;
}

/* In order, no two on one page. */
static enum status order_status(const struct procd_loader_segment *first,
                                const struct procd_loader_segment *second)
{
    if (second->va < first->va)
        return STATUS_BAD_ORDER;
    return second->va / PAGE <= (uint64_t)(end_of(first) - 1) / PAGE ? STATUS_OVERLAP : STATUS_OK;
}

static enum status sent_status(const struct procd_begin_loader_image_transfer_request *request)
{
    wide bytes = 0;
    bool entry = false;
    for (uint32_t i = 0; i < request->segment_count; i++) {
        const struct procd_loader_segment *segment = &request->segments[i];
        enum status status = segment_status(segment);
        if (status == STATUS_OK && i != 0)
            status = order_status(segment - 1, segment);
        if (status != STATUS_OK)
            return status;
        bytes += segment->file_bytes;
        entry |= (segment->rights & RIGHT_EXECUTE) != 0 && request->entry_va >= segment->va &&
                 request->entry_va < segment->va + segment->file_bytes;
    }
    if (bytes != request->image_bytes)
        return STATUS_BAD_LENGTH;
    return entry ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

enum status model_procd_loaded(const struct procd_begin_loader_image_transfer_request *request,
                               struct elf_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    enum status status = sent_status(request);
    for (uint32_t i = 0; i < request->segment_count && status == STATUS_OK; i++) {
        const struct procd_loader_segment *segment = &request->segments[i];
        uint64_t end_page = (uint64_t)(end_of(segment) + PAGE - 1) / PAGE;
        plan->segments[i].va = segment->va / PAGE * PAGE;
        plan->segments[i].pages = end_page - segment->va / PAGE;
        plan->segments[i].rights = (uint16_t)segment->rights;
        plan->va_end = end_page * PAGE;
    }
    plan->segment_count = request->segment_count;
    plan->va_first = plan->segments[0].va;
    plan->entry = request->entry_va;
    return status;
}

/* --- the open transfer ------------------------------------------------------------------------ */

/* Frames that so many bytes have taken, and whether the last one of them is in procd's hand. */
static uint32_t frames_of(const struct model_procd_transfer *transfer, bool *in_hand)
{
    uint64_t left = transfer->received;
    uint32_t frames = 0;
    *in_hand = false;
    for (uint32_t i = 0; i < transfer->segment_count && left != 0; i++) {
        const struct procd_loader_segment *segment = &transfer->segments[i];
        uint64_t some = left < segment->file_bytes ? left : segment->file_bytes;
        left -= some;
        if (some == 0)
            continue;
        frames += (uint32_t)((segment->va + some - 1) / PAGE - segment->va / PAGE + 1);
        *in_hand = some != segment->file_bytes && (segment->va + some) % PAGE != 0;
    }
    return frames;
}

static struct model_procd_process *process_to_be(struct model_procd *model)
{
    return model_procd_entry(model, model->transfer.id);
}

/* Its process is one no more. */
void model_procd_transfer_over(struct model_procd *model, const struct model_procd_process *process)
{
    if (process->transfer && process->id == model->transfer.id)
        model->transfer.id = 0;
}

/* Whether memd or pagerd were called. */
static bool drop(struct model_procd *model)
{
    return model_procd_end(model, process_to_be(model), END_KILLED, 0, 0);
}

bool model_procd_transfer_step(struct model_procd *model, bool *called)
{
    bool due = model->transfer.id != 0 && model->transfer.until_ticks <= model->now_ticks;
    *called = due && drop(model);
    MARK_IF("procd: a transfer timed out", due);
    return due;
}

static bool is_mine(const struct ask *ask, uint64_t id)
{
    struct model_procd_process *process =
        ask->model->transfer.id == 0 ? NULL : process_to_be(ask->model);
    return process != NULL && process->id == id && process->owner == ask->who;
}

/* --- requests --------------------------------------------------------------------------------- */

static void begin(const struct ask *ask,
                  const struct procd_begin_loader_image_transfer_request *request)
{
    struct model_procd_transfer *transfer = &ask->model->transfer;
    enum status status = STATUS_OK;
    if (transfer->id != 0)
        status = process_to_be(ask->model)->owner == ask->who ? STATUS_BUSY : STATUS_EXHAUSTED;
    struct elf_plan plan;
    if (status == STATUS_OK)
        status = model_procd_loaded(request, &plan);
    if (status != STATUS_OK) {
        model_procd_reply(ask, status);
        return;
    }
    uint64_t id = model_procd_make(
        ask, &(struct model_procd_order){.role = ROLE_LOADED_PROGRAM,
                                         .limits = {.page_limit = request->page_limit},
                                         .loaded = request});
    if (id == 0)
        return;
    transfer->id = transfer->last_id = id;
    transfer->image_bytes = request->image_bytes;
    transfer->received = 0;
    transfer->until_ticks = ask->now_ticks + TRANSFER_TICKS;
    transfer->request = *request;
    transfer->segment_count = request->segment_count;
    memcpy(transfer->segments, request->segments, sizeof transfer->segments);
}

static void chunk(const struct ask *ask,
                  const struct procd_send_loader_image_chunk_request *request)
{
    struct model_procd_transfer *transfer = &ask->model->transfer;
    const struct model_procd_failure *failure = &ask->turn->failure;
    enum status status = STATUS_OK;
    if (!is_mine(ask, request->transfer_id))
        status = STATUS_NOT_FOUND;
    else if (request->offset_bytes != transfer->received)
        status = STATUS_BAD_ORDER;
    else if (request->offset_bytes + request->count > transfer->image_bytes)
        status = STATUS_OUT_OF_RANGE;
    bool fails = status == STATUS_OK && failure->count != 0;
    if (MARK_IF("procd: a chunk fails", fails)) {
        status = failure->status;
        (void)drop(ask->model);
    } else if (status == STATUS_OK) {
        HARNESS(transfer->received + request->count <= sizeof transfer->bytes);
        memcpy(transfer->bytes + transfer->received, request->bytes, request->count);
        transfer->received += request->count;
        transfer->until_ticks = ask->now_ticks + TRANSFER_TICKS;
        struct model_procd_process *process = process_to_be(ask->model);
        process->frames = frames_of(transfer, &process->in_hand);
    }
    struct model_procd_reply *out = model_procd_reply(ask, status);
    if (out != NULL)
        out->received = status == STATUS_OK ? transfer->received : 0;
}

static bool has_digest(const struct model_procd_transfer *transfer)
{
    uint64_t digest[4];
    sha256_of(transfer->bytes, transfer->received, (uint8_t *)digest);
    return memcmp(digest, transfer->request.digest, sizeof digest) == 0;
}

/* What cannot be told is undone, whoever would have heard of it. */
static void commit(const struct ask *ask, uint64_t id)
{
    struct model_procd_transfer *transfer = &ask->model->transfer;
    const struct model_procd_failure *failure = &ask->turn->failure;
    enum status status = STATUS_OK;
    if (!is_mine(ask, id)) {
        model_procd_reply(ask, STATUS_NOT_FOUND);
        return;
    }
    if (transfer->received != transfer->image_bytes) {
        model_procd_reply(ask, STATUS_TRUNCATED);
        return;
    }
    if (!has_digest(transfer))
        status = STATUS_BAD_DIGEST;
    else if (failure->count != 0)
        status = failure->status;
    else if (failure->reply != STATUS_OK)
        status = failure->reply;
    struct model_procd_reply *out = model_procd_reply(ask, status);
    struct model_procd_process *process = process_to_be(ask->model);
    if (MARK_IF("procd: a commit ends its transfer", status != STATUS_OK)) {
        (void)drop(ask->model);
        return;
    }
    process->life = MODEL_PROCD_RUNNING;
    process->transfer = process->secret = false;
    process->lives = 1;
    process->ready_since = ask->now_ticks;
    transfer->id = 0;
    out->id = id;
}

static void abort_transfer(const struct ask *ask, uint64_t id)
{
    bool mine = is_mine(ask, id);
    if (mine)
        (void)drop(ask->model);
    model_procd_reply(ask, mine ? STATUS_OK : STATUS_NOT_FOUND);
}

void model_procd_transfer(const struct ask *ask, const void *body)
{
    const struct procd_commit_loader_image_transfer_request *by_id = body;
    uint16_t id = ask->message->header.operation;
    switch (id) {
    case OP_PROCD_BEGIN_LOADER_IMAGE_TRANSFER:
        begin(ask, body);
        return;
    case OP_PROCD_SEND_LOADER_IMAGE_CHUNK:
        chunk(ask, body);
        return;
    case OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER:
        commit(ask, by_id->transfer_id);
        return;
    case OP_PROCD_ABORT_LOADER_IMAGE_TRANSFER:
        abort_transfer(ask, by_id->transfer_id);
        return;
    }
    MODEL_KNOWS_NOT(id);
}
