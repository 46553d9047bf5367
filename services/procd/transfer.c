/* SPDX-License-Identifier: ISC */
/* Programs that are no modules of the image: loaderd sends the bytes, and what runs in the end is
 * what it said at first. Decides what a transfer may be, which page comes next, and when it is over;
 * a process to be is made, ended and given back as all others are, and nobody is told of it before
 * it runs.
 *
 * A transfer has one page in hand: a frame of the account of the process to be, in
 * PROCD_SLOT_FRAME. When its last byte has come, pagerd maps it, and procd can reach it no more. So
 * the digest of the bytes that were written is that of the pages (P6). */
#include "services/procd/internal.h"

#include <string.h>

#include "abi/address_space.h"
#include "abi/formats/cursor.h"
#include "services/lib/call_memd.h"
#include "services/lib/call_pagerd.h"

static uint32_t slot(const struct procd *procd, uint32_t which)
{
    return procd_slot(procd->transfer.entry - 1, which);
}

static struct procd_process *process_to_be(struct procd *procd)
{
    return &procd->processes[procd->transfer.entry - 1];
}

/* --- the plan --------------------------------------------------------------------------------- */

/* A segment alone, by the rules of a file's (abi/formats/elf_plan.h): procd trusts nobody's plan. */
static enum status plan_segment(const struct procd_loader_segment *asked,
                                struct elf_segment *segment)
{
    uint32_t both = RIGHT_WRITE | RIGHT_EXECUTE;
    bool writable = (asked->rights & RIGHT_WRITE) != 0;
    if ((asked->rights & RIGHT_READ) == 0)
        return STATUS_INVALID_ARGUMENT;
    if ((asked->rights & both) == both)
        return STATUS_WRITE_AND_EXECUTE; /* V2 */
    if (asked->file_bytes > asked->memory_bytes ||
        (!writable && asked->file_bytes != asked->memory_bytes))
        return STATUS_INVALID_ARGUMENT;
    if (!range_within(asked->va, asked->memory_bytes, USER_VA_END))
        return STATUS_OUT_OF_RANGE; /* V5 */
    uint32_t first_bytes = asked->va % PAGE_BYTES;
    *segment = (struct elf_segment){
        .va = asked->va - first_bytes,
        .pages = (first_bytes + asked->memory_bytes - 1) / PAGE_BYTES + 1,
        .file_bytes = asked->file_bytes,
        .memory_bytes = asked->memory_bytes,
        .first_bytes = first_bytes,
        .rights = (uint16_t)asked->rights,
    };
    return STATUS_OK;
}

static uint64_t segment_end(const struct elf_segment *segment)
{
    return segment->va + segment->pages * PAGE_BYTES;
}

/* Each on pages of its own, since a page has one set of rights. */
static enum status plan_segments(const struct procd_begin_loader_image_transfer_request *asked,
                                 struct elf_plan *plan)
{
    for (uint32_t i = 0; i < asked->segment_count; i++) {
        struct elf_segment *segment = &plan->segments[i];
        enum status status = plan_segment(&asked->segments[i], segment);
        if (status != STATUS_OK)
            return status;
        if (i != 0 && asked->segments[i].va < asked->segments[i - 1].va)
            return STATUS_BAD_ORDER;
        if (i != 0 && segment->va < segment_end(segment - 1))
            return STATUS_OVERLAP;
    }
    plan->segment_count = asked->segment_count;
    return STATUS_OK;
}

static bool entry_is_code(const struct procd_begin_loader_image_transfer_request *asked)
{
    for (uint32_t i = 0; i < asked->segment_count; i++) {
        const struct procd_loader_segment *segment = &asked->segments[i];
        if ((segment->rights & RIGHT_EXECUTE) != 0 && asked->entry_va >= segment->va &&
            asked->entry_va - segment->va < segment->file_bytes)
            return true;
    }
    return false;
}

static enum status plan_transfer(const struct procd_begin_loader_image_transfer_request *asked,
                                 struct elf_plan *plan)
{
    uint64_t total_bytes = 0;
    memset(plan, 0, sizeof *plan);
    enum status status = plan_segments(asked, plan);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < asked->segment_count; i++)
        total_bytes += asked->segments[i].file_bytes; /* each is bounded by its row */
    if (total_bytes != asked->image_bytes)
        return STATUS_BAD_LENGTH;
    if (!entry_is_code(asked))
        return STATUS_INVALID_ARGUMENT;
    plan->entry = asked->entry_va;
    plan->va_first = plan->segments[0].va;
    plan->va_end = segment_end(&plan->segments[plan->segment_count - 1]);
    return STATUS_OK;
}

/* --- begin and end ---------------------------------------------------------------------------- */

static void renew(struct procd *procd)
{
    procd->transfer.deadline_ticks = deadline_after(procd->now_ticks, PROCD_TRANSFER_TICKS);
}

static void open_transfer(struct procd *procd, uint32_t index,
                          const struct procd_begin_loader_image_transfer_request *asked)
{
    struct procd_transfer *transfer = &procd->transfer;
    transfer->entry = index + 1;
    transfer->image_bytes = asked->image_bytes;
    transfer->segment_count = asked->segment_count;
    memcpy(transfer->digest, asked->digest, sizeof transfer->digest);
    memcpy(transfer->segments, asked->segments, asked->segment_count * sizeof asked->segments[0]);
    sha256_init(&transfer->sum);
    renew(procd);
}

void procd_transfer_forget(struct procd *procd, uint32_t index)
{
    if (procd->transfer.entry == index + 1)
        memset(&procd->transfer, 0, sizeof procd->transfer);
}

/* Everything goes back, as after an ABORT: nothing of it ever ran (P2). */
static void drop(struct procd *procd)
{
    procd_end(procd, procd->transfer.entry - 1, END_KILLED, 0, 0);
    UNIT_ASSERT(procd->transfer.entry == 0);
}

bool procd_transfer_step(struct procd *procd)
{
    if (procd->transfer.entry == 0 || procd->transfer.deadline_ticks > procd->now_ticks)
        return false;
    drop(procd);
    return true;
}

uint64_t procd_transfer_next_ticks(const struct procd *procd)
{
    return procd->transfer.entry == 0 ? DEADLINE_NEVER : procd->transfer.deadline_ticks;
}

/* The sender's own open transfer. */
static enum status find(struct procd *procd, const struct procd_sender *sender, uint64_t id)
{
    uint32_t entry = procd->transfer.entry;
    if (entry == 0 || procd_table_id(procd, entry - 1) != id ||
        procd->processes[entry - 1].owner != sender->owner) /* P10 */
        return STATUS_NOT_FOUND;
    return STATUS_OK;
}

enum status procd_begin_loader_image_transfer(struct procd *procd, struct procd_request *request)
{
    const struct procd_begin_loader_image_transfer_request *body =
        &request->body.begin_loader_image_transfer;
    struct elf_plan plan;
    struct procd_wish wish = {
        .role = ROLE_LOADED_PROGRAM, .limits = {.page_limit = body->page_limit}, .loaded = &plan};
    struct procd_making making;
    if (procd->transfer.entry != 0) {
        bool own = process_to_be(procd)->owner == request->sender.owner;
        return own ? STATUS_BUSY : STATUS_EXHAUSTED; /* E6 */
    }
    enum status status = plan_transfer(body, &plan);
    if (status == STATUS_OK)
        status = procd_make(procd, &request->sender, &wish, 1u << PROCD_SLOT_ACCOUNT, &making);
    if (status != STATUS_OK)
        return status;
    request->reply.begin_loader_image_transfer =
        (struct procd_begin_loader_image_transfer_reply){.transfer_id = making.id};
    status = procd_deliver(procd, &making, request);
    if (making.delivered)
        open_transfer(procd, making.index, body);
    return status;
}

enum status procd_abort_loader_image_transfer(struct procd *procd, struct procd_request *request)
{
    enum status status =
        find(procd, &request->sender, request->body.abort_loader_image_transfer.transfer_id);
    if (status == STATUS_OK)
        drop(procd);
    return status;
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* Bytes that lie next to each other on one page. */
struct piece {
    uint64_t va;
    uint32_t bytes;
    uint32_t rights;
    bool ends_page; /* nothing more comes to that page */
};

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The next ones, `limit` at most. */
static struct piece piece_at(const struct procd_transfer *transfer, uint64_t offset_bytes,
                             uint64_t limit)
{
    const struct procd_loader_segment *segment = transfer->segments;
    UNIT_ASSERT(offset_bytes < transfer->image_bytes && limit != 0);
    while (offset_bytes >= segment->file_bytes)
        offset_bytes -= segment++->file_bytes;
    uint64_t va = segment->va + offset_bytes;
    uint64_t of_page = lesser(segment->file_bytes - offset_bytes, PAGE_BYTES - va % PAGE_BYTES);
    return (struct piece){
        .va = va,
        .bytes = (uint32_t)lesser(of_page, limit),
        .rights = segment->rights,
        .ends_page = of_page <= limit,
    };
}

/* A zeroed frame for the next page, which the account of the process to be pays for. */
static enum status take_frame(struct procd *procd)
{
    struct memd_alloc_frames_request request = {.count = 1};
    struct memd_alloc_frames_reply reply;
    process_to_be(procd)->owes |= 1u << PROCD_SLOT_FRAME;
    enum status status = procd_peer_heard(
        procd, memd_call_alloc_frames(&procd->caller, slot(procd, PROCD_SLOT_ACCOUNT),
                                      (struct window){slot(procd, PROCD_SLOT_FRAME), 1},
                                      procd_peer_deadline(procd), &request, &reply));
    procd->transfer.frame_id = reply.frame_ids[0];
    return status;
}

/* The page is whole: pagerd has it mapped with the segment's rights, and no others go with the frame
 * (K1). */
static enum status give_page(struct procd *procd, const struct piece *piece)
{
    const struct message_type *type = &pagerd_give_page_request_type;
    struct pagerd_give_page_request request = {
        .token = procd_table_id(procd, procd->transfer.entry - 1),
        .va = piece->va - piece->va % PAGE_BYTES,
        .frame_id = procd->transfer.frame_id,
        .frame_slot = slot(procd, PROCD_SLOT_FRAME),
    };
    struct message *message = caller_message(&procd->caller);
    enum status status = message_encode(type, &request, message);
    if (status != STATUS_OK)
        return status;
    message->caps[0].rights = (uint16_t)(RIGHT_MAP | RIGHT_TRANSFER | piece->rights);
    status =
        procd_peer_heard(procd, caller_call_message(&procd->caller, SLOT_PEER_PAGERD, NO_WINDOW,
                                                    procd_peer_deadline(procd), type, NULL));
    if (status != STATUS_OK)
        return status;
    status = kernel_drop_local_cap(&procd->caller, slot(procd, PROCD_SLOT_FRAME));
    if (status == STATUS_OK)
        procd_paid(process_to_be(procd), 1u << PROCD_SLOT_FRAME);
    procd->transfer.frame_id = 0;
    return status;
}

static enum status take_piece(struct procd *procd, const struct piece *piece, const uint8_t *bytes)
{
    enum status status = procd->transfer.frame_id == 0 ? take_frame(procd) : STATUS_OK;
    if (status == STATUS_OK)
        status = kernel_frame_write(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                    slot(procd, PROCD_SLOT_FRAME),
                                    (uint32_t)(piece->va % PAGE_BYTES), piece->bytes, bytes);
    if (status == STATUS_OK && piece->ends_page)
        status = give_page(procd, piece);
    return status;
}

static enum status take_bytes(struct procd *procd, const uint8_t *bytes, uint32_t count)
{
    struct procd_transfer *transfer = &procd->transfer;
    for (uint32_t taken = 0; taken < count;) {
        struct piece piece = piece_at(transfer, transfer->received_bytes + taken, count - taken);
        enum status status = take_piece(procd, &piece, bytes + taken);
        if (status != STATUS_OK)
            return status;
        taken += piece.bytes;
    }
    sha256_update(&transfer->sum, bytes, count);
    transfer->received_bytes += count;
    renew(procd);
    return STATUS_OK;
}

enum status procd_send_loader_image_chunk(struct procd *procd, struct procd_request *request)
{
    const struct procd_send_loader_image_chunk_request *body =
        &request->body.send_loader_image_chunk;
    struct procd_transfer *transfer = &procd->transfer;
    enum status status = find(procd, &request->sender, body->transfer_id);
    if (status != STATUS_OK)
        return status;
    if (body->offset_bytes != transfer->received_bytes)
        return STATUS_BAD_ORDER;
    if (body->count > transfer->image_bytes - transfer->received_bytes)
        return STATUS_OUT_OF_RANGE;
    status = take_bytes(procd, body->bytes, body->count);
    request->reply.send_loader_image_chunk.received_bytes = transfer->received_bytes;
    if (status != STATUS_OK)
        drop(procd);
    return status;
}

/* --- commit ----------------------------------------------------------------------------------- */

static bool digest_is_right(struct procd_transfer *transfer)
{
    uint8_t digest[SHA256_BYTES];
    _Static_assert(sizeof digest == sizeof transfer->digest,
                   "the digest of a message is the whole");
    sha256_final(&transfer->sum, digest);
    return memcmp(digest, transfer->digest, sizeof digest) == 0;
}

/* It runs, and procd keeps no way to its memory. */
static enum status start(struct procd *procd)
{
    struct procd_process *process = process_to_be(procd);
    struct kernel_start_process_request request = {
        .process_slot = slot(procd, PROCD_SLOT_PROCESS),
        .entry_va = process->entry_va,
        .stack_top_va = process->stack_top_va,
    };
    enum status status = kernel_drop_local_cap(&procd->caller, slot(procd, PROCD_SLOT_ACCOUNT));
    if (status != STATUS_OK)
        return status;
    procd_paid(process, 1u << PROCD_SLOT_ACCOUNT);
    status = kernel_start_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request);
    if (status == STATUS_OK)
        process->owes ^= PROCD_OWES_ABORT | PROCD_OWES_RETIRE;
    return status;
}

/* Sends the reply, after which it is a process as all others are. Nobody would know of one whose
 * maker was not told: that is undone. */
static enum status deliver(struct procd *procd, struct service_request *common)
{
    struct procd_process *process = process_to_be(procd);
    enum status status = service_encode(common);
    common->handled = HANDLED_LATER;
    if (status == STATUS_OK)
        status = sys_reply(common->info->reply_slot, common->message);
    if (status != STATUS_OK) {
        drop(procd);
        return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* its maker is gone */
    }
    process->lives.is_transfer = false;
    process->life = PROCD_LIFE_RUNNING;
    process->lives.life_count = 1;
    process->lives.ready_at_ticks = procd->now_ticks;
    procd_transfer_forget(procd, procd->transfer.entry - 1);
    return STATUS_OK;
}

enum status procd_commit_loader_image_transfer(struct procd *procd, struct procd_request *request)
{
    uint64_t id = request->body.commit_loader_image_transfer.transfer_id;
    enum status status = find(procd, &request->sender, id);
    if (status != STATUS_OK)
        return status;
    if (procd->transfer.received_bytes != procd->transfer.image_bytes)
        return STATUS_TRUNCATED;
    UNIT_ASSERT(procd->transfer.frame_id == 0);
    status = digest_is_right(&procd->transfer) ? start(procd) : STATUS_BAD_DIGEST; /* P6 */
    if (status != STATUS_OK) {
        drop(procd);
        return status;
    }
    request->reply.commit_loader_image_transfer =
        (struct procd_commit_loader_image_transfer_reply){.process_id = id};
    return deliver(procd, &request->common);
}

/* --- the check -------------------------------------------------------------------------------- */

static const char *check_open(const struct procd *procd)
{
    const struct procd_transfer *transfer = &procd->transfer;
    uint64_t total_bytes = 0;
    if (transfer->entry > procd->used_count ||
        !procd->processes[transfer->entry - 1].lives.is_transfer ||
        procd->processes[transfer->entry - 1].life != PROCD_LIFE_STAGED)
        return "a transfer is of something else";
    if (transfer->segment_count == 0 || transfer->segment_count > ELF_SEGMENT_LIMIT)
        return "a transfer has no segments, or too many";
    for (uint32_t i = 0; i < transfer->segment_count; i++)
        total_bytes += transfer->segments[i].file_bytes;
    if (total_bytes != transfer->image_bytes || transfer->received_bytes > total_bytes ||
        transfer->received_bytes != transfer->sum.total_bytes)
        return "the bytes of a transfer are miscounted";
    uint32_t frame = procd->processes[transfer->entry - 1].owes & 1u << PROCD_SLOT_FRAME;
    if ((frame != 0) != (transfer->frame_id != 0))
        return "a transfer has a frame without a name, or a name without a frame";
    return NULL;
}

const char *procd_transfer_check(const struct procd *procd)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < procd->used_count; i++)
        count +=
            procd->processes[i].lives.is_transfer && procd->processes[i].life == PROCD_LIFE_STAGED;
    if (count != (procd->transfer.entry != 0))
        return "a transfer is open that nobody knows of";
    return procd->transfer.entry == 0 ? NULL : check_open(procd);
}

void procd_transfer_visit_fields(const struct procd *procd,
                                 void (*visit)(void *context, uint64_t value), void *context)
{
    const struct procd_transfer *transfer = &procd->transfer;
    if (transfer->entry == 0)
        return;
    visit(context, (uint64_t)transfer->entry << 32 | transfer->segment_count);
    visit(context, transfer->image_bytes);
    visit(context, transfer->received_bytes);
    visit(context, transfer->deadline_ticks);
    visit(context, transfer->frame_id);
    for (uint32_t i = 0; i < 4; i++)
        visit(context, transfer->digest[i]);
    for (uint32_t i = 0; i < 8; i++)
        visit(context, transfer->sum.words[i]);
    for (uint32_t i = 0; i < transfer->segment_count; i++) {
        visit(context, transfer->segments[i].va);
        visit(context, transfer->segments[i].file_bytes);
        visit(context, transfer->segments[i].rights);
    }
}
