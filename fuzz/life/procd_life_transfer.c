/* SPDX-License-Identifier: ISC */
/* Programs that are sent: what is drawn of them, and what the pages of one must be. The bytes of a
 * drawn program are a pattern of their offset, so that who draws its beginning knows its digest. */
#include "fuzz/life/procd_life.h"

#include <string.h>

#include "abi/formats/sha256.h"
#include "abi/roles.h"

enum { DRAWN_SEGMENTS = 3, DRAWN_BYTES_MAX = 1 << 13, RIGHT_CODE = RIGHT_READ | RIGHT_EXECUTE };

/* --- what is drawn ---------------------------------------------------------------------------- */

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(stand_in_mix(offset / 3) >> 8);
}

static void draw_sender(struct choices *choices, struct life_draft *draft)
{
    uint64_t which = choices_below(choices, 4);
    draft->on = 0;
    for (uint32_t i = 0; i < model.count; i++) {
        const struct model_procd_process *process = &model.processes[i];
        if (process->role == ROLE_LOADERD && model_procd_lives(process) && which-- == 0)
            draft->badge = process->id << 16 | ROLE_LOADERD;
    }
}

/* One behind the other, each on pages of its own; the first one is code. */
static uint64_t draw_segments(struct choices *choices,
                              struct procd_begin_loader_image_transfer_request *request)
{
    uint64_t total_bytes = 0;
    uint64_t page_va = 0x400000;
    request->segment_count = 1 + (uint32_t)choices_below(choices, DRAWN_SEGMENTS);
    for (uint32_t i = 0; i < request->segment_count; i++) {
        struct procd_loader_segment *segment = &request->segments[i];
        uint64_t shape = choices_below(choices, 16);
        segment->va = page_va + (shape % 4 == 0 ? 0 : PAGE_BYTES - shape % 4 * 8);
        segment->file_bytes = 1 + choices_u8(choices) * (shape < 8 ? 1u : 9u);
        segment->memory_bytes = segment->file_bytes + (i == 0 ? 0 : shape / 4 * 1500);
        segment->rights = i == 0           ? RIGHT_CODE
                          : shape / 4 == 0 ? RIGHT_READ
                                           : RIGHT_READ | RIGHT_WRITE;
        page_va = (segment->va + segment->memory_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        total_bytes += segment->file_bytes;
    }
    return total_bytes;
}

/* One field of one segment is something else. */
static void break_segment(struct choices *choices, struct procd_loader_segment *segment)
{
    static const uint64_t odd[] = {1, PAGE_BYTES, USER_VA_END - PAGE_BYTES, 0x401000};
    uint64_t value = odd[choices_below(choices, sizeof odd / sizeof odd[0])];
    switch (choices_below(choices, 4)) {
    case 0:
        segment->va = value < PAGE_BYTES ? PAGE_BYTES : value;
        return;
    case 1:
        segment->memory_bytes = value;
        return;
    case 2:
        segment->file_bytes = choices_u8(choices);
        return;
    default:
        segment->rights = (uint32_t)choices_below(choices, 8) * RIGHT_READ;
        return;
    }
}

void draw_begin(struct choices *choices, struct life_draft *draft)
{
    static uint8_t bytes[DRAWN_BYTES_MAX];
    struct procd_begin_loader_image_transfer_request request;
    memset(&request, 0, sizeof request);
    draw_sender(choices, draft);
    request.image_bytes = draw_segments(choices, &request);
    request.entry_va = request.segments[0].va + choices_below(choices, 2);
    HARNESS(request.image_bytes <= sizeof bytes);
    for (uint64_t i = 0; i < request.image_bytes; i++)
        bytes[i] = byte_at(i);
    sha256_of(bytes, request.image_bytes, (uint8_t *)request.digest);
    uint64_t wrong = choices_below(choices, 16);
    if (wrong == 12)
        request.page_limit = (uint32_t)request.image_bytes; /* below its role's, or above */
    if (wrong == 13)
        request.digest[choices_below(choices, 4)] ^= 1;
    if (wrong == 14)
        request.image_bytes++;
    if (wrong == 15)
        break_segment(choices, &request.segments[choices_below(choices, request.segment_count)]);
    memcpy(draft->body, &request, sizeof request);
}

static uint64_t draw_transfer(struct choices *choices, struct life_draft *draft)
{
    draw_sender(choices, draft);
    return choices_below(choices, 8) == 7 ? choices_u16(choices) : model.transfer.last_id;
}

void draw_chunk(struct choices *choices, struct life_draft *draft)
{
    const struct model_procd_transfer *transfer = &model.transfer;
    struct procd_send_loader_image_chunk_request request;
    memset(&request, 0, sizeof request);
    request.transfer_id = draw_transfer(choices, draft);
    request.offset_bytes = transfer->received;
    uint64_t left = transfer->image_bytes - transfer->received;
    uint64_t size = choices_below(choices, 4);
    request.count = size == 0 ? 1 + choices_u8(choices) : PROCD_CHUNK_BYTES_MAX;
    uint64_t wrong = choices_below(choices, 16);
    if (wrong < 14 && request.count > left)
        request.count = left == 0 ? 1 : (uint32_t)left;
    if (wrong == 15)
        request.offset_bytes = choices_u16(choices);
    for (uint32_t i = 0; i < request.count; i++)
        request.bytes[i] = byte_at(request.offset_bytes + i);
    memcpy(draft->body, &request, sizeof request);
}

void draw_transferred(struct choices *choices, struct life_draft *draft)
{
    draft->body[0] = draw_transfer(choices, draft);
}

/* --- what is told ----------------------------------------------------------------------------- */

void compare_transfer(void)
{
    uint64_t told;
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 0);
    PROPERTY_EQUAL(E2, "length", life.reply->message.header.body_bytes, sizeof told);
    memcpy(&told, life.body, sizeof told);
    PROPERTY_EQUAL(P6, "told", told, life.predicted->id);
}

void compare_chunk(void)
{
    uint64_t told;
    PROPERTY_EQUAL(K1, "caps", life.reply->message.header.cap_count, 0);
    PROPERTY_EQUAL(E2, "length", life.reply->message.header.body_bytes, sizeof told);
    memcpy(&told, life.body, sizeof told);
    PROPERTY_EQUAL(P6, "received", told, life.predicted->received);
}

/* --- pages ------------------------------------------------------------------------------------ */

void procd_life_plan(const struct model_procd_process *process, const struct role *role,
                     struct elf_plan *plan)
{
    const struct model_procd_files files = {process->image_offset, process->image_bytes,
                                            process->data_offset, process->data_bytes};
    enum status planned = process->loaded ? model_procd_loaded(&model.transfer.request, plan)
                                          : model_procd_plan(&model, role, &files, plan);
    PROPERTY_EQUAL(P2, "plan", planned, STATUS_OK);
}

/* Byte by byte: where each one that came lies, on the pages that were given so far. */
uint64_t procd_life_loaded_sum(const struct model_procd_process *process)
{
    const struct model_procd_transfer *transfer = &model.transfer;
    uint64_t sum = 0;
    uint64_t at = 0;
    if (!process->loaded)
        return 0;
    HARNESS(process->id == transfer->last_id);
    for (uint32_t i = 0; i < transfer->segment_count; i++) {
        const struct procd_loader_segment *segment = &transfer->segments[i];
        uint64_t end_va = segment->va + segment->file_bytes;
        for (uint64_t va = segment->va; va < end_va;) {
            uint64_t first = va % PAGE_BYTES;
            uint64_t left = end_va - va;
            uint64_t some = left < PAGE_BYTES - first ? left : PAGE_BYTES - first;
            uint64_t content =
                stand_in_content_of(transfer->bytes + at, (uint32_t)first, (uint32_t)some);
            if (at + some <= transfer->received)
                sum += stand_in_page_sum(va - first, segment->rights, false, content);
            at += some;
            va += some;
        }
    }
    return sum;
}
