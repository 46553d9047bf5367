/* SPDX-License-Identifier: ISC */
/* The launch in hand, step by step, and what is owed of it. Decides what comes next and what goes back
 * when something fails (X2); never tells procd to COMMIT what was not found the same before and after
 * (X1). */
#include <stddef.h>
#include <string.h>

#include "services/lib/call_procd.h"
#include "services/loaderd/internal.h"

enum status loaderd_peer_status(const struct loaderd *loaderd, enum status status)
{
    bool kernels = status == STATUS_NOT_FOUND && !caller_was_answered(&loaderd->caller);
    return kernels ? STATUS_PEER_DIED : status;
}

static uint64_t procd_deadline(const struct loaderd *loaderd)
{
    return caller_deadline(&loaderd->caller, PROCD_CALL_TICKS);
}

/* Of an open transfer: that procd knows none any more means that it waited for too long. */
static enum status transfer_status(const struct loaderd *loaderd, enum status status)
{
    if (status == STATUS_NOT_FOUND && caller_was_answered(&loaderd->caller))
        return STATUS_TIMED_OUT;
    return loaderd_peer_status(loaderd, status);
}

/* --- giving back ------------------------------------------------------------------------------ */

static enum status abort_transfer(struct loaderd *loaderd)
{
    struct procd_abort_loader_image_transfer_request request = {.transfer_id =
                                                                    loaderd->work.transfer_id};
    return procd_call_abort_loader_image_transfer(&loaderd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                  procd_deadline(loaderd), &request, NULL);
}

static enum status stop_process(struct loaderd *loaderd)
{
    struct procd_stop_process_request request = {.process_id = loaderd->work.process_id,
                                                 .code = LOADERD_EXIT_UNHEARD};
    return procd_call_stop_process(&loaderd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                   procd_deadline(loaderd), &request, NULL);
}

/* Everything that is owed, in this order; the first that is refused ends it. What is not there any
 * more is given back. */
static enum status settle(struct loaderd *loaderd)
{
    static enum status (*const ways[])(struct loaderd *) = {
        abort_transfer,      /* LOADERD_OWES_TRANSFER */
        stop_process,        /* LOADERD_OWES_PROCESS */
        loaderd_file_close,  /* LOADERD_OWES_HANDLE */
        loaderd_file_attach, /* LOADERD_OWES_ATTACH */
    };
    struct loaderd_work *work = &loaderd->work;
    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if ((work->owes & 1u << i) == 0)
            continue;
        enum status status = ways[i](loaderd);
        bool answered = caller_was_answered(&loaderd->caller);
        if (status != STATUS_OK && !(status == STATUS_NOT_FOUND && answered)) {
            work->retry_ticks = caller_deadline(&loaderd->caller, LOADERD_RETRY_TICKS);
            return loaderd_peer_status(loaderd, status);
        }
        work->owes &= ~(1u << i);
    }
    work->retry_ticks = 0;
    return STATUS_OK;
}

/* The launch is over, well or not. What is owed goes back before its client hears of that, unless that
 * was refused just now; a program that nobody hears of is stopped. */
static void finish(struct loaderd *loaderd, enum status status)
{
    struct loaderd_work *work = &loaderd->work;
    struct loaderd_client *client = &loaderd->clients[work->client];
    struct loaderd_launch launch = client->launch;
    struct loaderd_launch_path_reply reply = {.process_id = work->process_id};
    memset(&client->launch, 0, sizeof client->launch);
    work->stage = LOADERD_IDLE;
    loaderd->next_client = (work->client + 1) % LOADERD_CLIENT_LIMIT;
    if (work->retry_ticks <= loaderd->caller.now_ticks)
        (void)settle(loaderd);
    enum status heard = loaderd_answer(loaderd, launch.reply_slot, launch.request_id,
                                       OP_LOADERD_LAUNCH_PATH, status, &reply);
    if (status == STATUS_OK && heard == STATUS_OK)
        loaderd_program_add(loaderd, client, work->process_id, work->pages);
    if (status == STATUS_OK && heard != STATUS_OK) {
        work->owes |= LOADERD_OWES_PROCESS;
        (void)settle(loaderd);
    }
    loaderd_client_leave(client);
}

/* --- steps ------------------------------------------------------------------------------------ */

static enum status open(struct loaderd *loaderd)
{
    struct loaderd_work *work = &loaderd->work;
    enum status status = settle(loaderd);
    if (status == STATUS_OK)
        status = loaderd_file_open(loaderd, &loaderd->clients[work->client].launch);
    work->stage = LOADERD_READ_HEADERS;
    return status;
}

/* The address space has fewer than a word counts. */
static uint64_t segment_pages(const struct elf_plan *plan)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < plan->segment_count; i++)
        pages += plan->segments[i].pages;
    return pages;
}

static enum status read_headers(struct loaderd *loaderd)
{
    struct loaderd_work *work = &loaderd->work;
    memset(&work->pass, 0, sizeof work->pass);
    sha256_init(&work->sha256);
    work->stage = LOADERD_READ_ONCE;
    enum status status = loaderd_file_plan(loaderd);
    if (status != STATUS_OK)
        return status;
    struct loaderd_size size = loaderd_program_size(segment_pages(&work->plan));
    work->page_limit = size.page_limit;
    work->pages = size.pages;
    return loaderd_client_has_room(&loaderd->clients[work->client], size.pages) ? STATUS_OK
                                                                                : STATUS_OVER_LIMIT;
}

static enum status read_once(struct loaderd *loaderd)
{
    struct loaderd_work *work = &loaderd->work;
    for (uint32_t i = 0; i < LOADERD_TURN_PIECES; i++) {
        struct vfsd_read_reply piece;
        enum status status = loaderd_file_piece(loaderd, &piece);
        if (status != STATUS_OK)
            return status;
        if (piece.count == 0) {
            uint8_t digest[SHA256_BYTES];
            sha256_final(&work->sha256, digest);
            memcpy(work->digest, digest, sizeof work->digest);
            work->stage = LOADERD_BEGIN;
            return STATUS_OK;
        }
        sha256_update(&work->sha256, piece.bytes, piece.count);
    }
    return STATUS_OK;
}

static void describe(const struct loaderd_work *work,
                     struct procd_begin_loader_image_transfer_request *request)
{
    memset(request, 0, sizeof *request);
    request->entry_va = work->plan.entry;
    request->image_bytes = work->image_bytes;
    request->page_limit = work->page_limit;
    memcpy(request->digest, work->digest, sizeof request->digest);
    request->segment_count = work->plan.segment_count;
    for (uint32_t i = 0; i < work->plan.segment_count; i++) {
        const struct elf_segment *segment = &work->plan.segments[i];
        request->segments[i].va = segment->va + segment->first_bytes;
        request->segments[i].memory_bytes = segment->memory_bytes;
        request->segments[i].file_bytes = segment->file_bytes;
        request->segments[i].rights = segment->rights;
    }
}

static enum status begin(struct loaderd *loaderd)
{
    struct loaderd_work *work = &loaderd->work;
    struct procd_begin_loader_image_transfer_request request;
    struct procd_begin_loader_image_transfer_reply reply;
    enum status status = loaderd_file_same(loaderd);
    if (status != STATUS_OK)
        return status;
    describe(work, &request);
    status = procd_call_begin_loader_image_transfer(&loaderd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                    procd_deadline(loaderd), &request, &reply);
    if (status != STATUS_OK)
        return loaderd_peer_status(loaderd, status);
    work->owes |= LOADERD_OWES_TRANSFER;
    work->transfer_id = reply.transfer_id;
    memset(&work->pass, 0, sizeof work->pass);
    work->stage = LOADERD_READ_AGAIN;
    return STATUS_OK;
}

/* The piece that the pass has just gone over. */
static enum status send(struct loaderd *loaderd, const struct vfsd_read_reply *piece)
{
    const struct loaderd_work *work = &loaderd->work;
    struct procd_send_loader_image_chunk_request request = {
        .transfer_id = work->transfer_id,
        .offset_bytes = work->pass.all_bytes - piece->count,
        .count = piece->count,
    };
    struct procd_send_loader_image_chunk_reply reply;
    memcpy(request.bytes, piece->bytes, piece->count);
    enum status status = procd_call_send_loader_image_chunk(
        &loaderd->caller, SLOT_PEER_PROCD, NO_WINDOW, procd_deadline(loaderd), &request, &reply);
    if (status != STATUS_OK)
        return transfer_status(loaderd, status);
    return reply.received_bytes == work->pass.all_bytes ? STATUS_OK : STATUS_INTERNAL;
}

static enum status read_again(struct loaderd *loaderd)
{
    struct loaderd_work *work = &loaderd->work;
    for (uint32_t i = 0; i < LOADERD_TURN_PIECES; i++) {
        struct vfsd_read_reply piece;
        enum status status = loaderd_file_piece(loaderd, &piece);
        if (status == STATUS_OK && piece.count != 0)
            status = send(loaderd, &piece);
        if (status != STATUS_OK)
            return status;
        if (piece.count == 0) {
            work->stage = LOADERD_COMMIT;
            return STATUS_OK;
        }
    }
    return STATUS_OK;
}

/* The process has the transfer's number. Another one, which was not asked for, is stopped. */
static enum status commit(struct loaderd *loaderd)
{
    struct loaderd_work *work = &loaderd->work;
    struct procd_commit_loader_image_transfer_request request = {.transfer_id = work->transfer_id};
    struct procd_commit_loader_image_transfer_reply reply;
    enum status status = loaderd_file_same(loaderd);
    if (status != STATUS_OK)
        return status;
    status = procd_call_commit_loader_image_transfer(&loaderd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                     procd_deadline(loaderd), &request, &reply);
    if (status == STATUS_BAD_DIGEST)
        return STATUS_CHANGED;
    if (status == STATUS_TRUNCATED)
        return STATUS_INTERNAL; /* everything was sent */
    if (status != STATUS_OK)
        return transfer_status(loaderd, status);
    work->owes &= ~(uint32_t)LOADERD_OWES_TRANSFER;
    work->process_id = reply.process_id;
    if (loaderd_program_is_known(loaderd, reply.process_id))
        return STATUS_INTERNAL; /* somebody's, who keeps it */
    if (reply.process_id == work->transfer_id)
        return STATUS_OK;
    work->owes |= LOADERD_OWES_PROCESS;
    return STATUS_INTERNAL;
}

/* --- turns ------------------------------------------------------------------------------------ */

/* Clients in turns (X4); LOADERD_CLIENT_LIMIT: nobody wants anything. */
static uint32_t next_client(const struct loaderd *loaderd)
{
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        uint32_t index = (loaderd->next_client + i) % LOADERD_CLIENT_LIMIT;
        if (loaderd->clients[index].launch.path_count != 0)
            return index;
    }
    return LOADERD_CLIENT_LIMIT;
}

static enum status step(struct loaderd *loaderd)
{
    switch ((enum loaderd_stage)loaderd->work.stage) {
    case LOADERD_IDLE:
        break;
    case LOADERD_OPEN:
        return open(loaderd);
    case LOADERD_READ_HEADERS:
        return read_headers(loaderd);
    case LOADERD_READ_ONCE:
        return read_once(loaderd);
    case LOADERD_BEGIN:
        return begin(loaderd);
    case LOADERD_READ_AGAIN:
        return read_again(loaderd);
    case LOADERD_COMMIT:
        return commit(loaderd);
    }
    return STATUS_INTERNAL;
}

void loaderd_launch_tick(struct loaderd *loaderd)
{
    struct loaderd_work *work = &loaderd->work;
    if (work->stage == LOADERD_IDLE) {
        uint32_t index = next_client(loaderd);
        if (index == LOADERD_CLIENT_LIMIT) {
            if (work->owes != 0 && work->retry_ticks <= loaderd->caller.now_ticks)
                (void)settle(loaderd);
            return;
        }
        work->client = index;
        work->stage = LOADERD_OPEN;
    }
    bool commits = work->stage == LOADERD_COMMIT;
    bool gone = loaderd->clients[work->client].launch.reply_slot == SLOT_NULL;
    enum status status = gone ? STATUS_NOT_FOUND : step(loaderd);
    if (status != STATUS_OK || commits)
        finish(loaderd, status);
}

uint64_t loaderd_launch_next_ticks(const struct loaderd *loaderd)
{
    const struct loaderd_work *work = &loaderd->work;
    if (work->stage != LOADERD_IDLE || next_client(loaderd) != LOADERD_CLIENT_LIMIT)
        return DEADLINE_POLL;
    return work->owes == 0 ? DEADLINE_NEVER : work->retry_ticks;
}
