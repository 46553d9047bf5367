/* SPDX-License-Identifier: ISC */
/* services/lib/image_loader: each page of a child has the bytes of its own place in the file, and
 * whatever call fails, no frame is left to whoever builds. */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages.h"
#include "props/base/testing.h"
#include "props/tests/service/service_test.h"
#include "services/lib/image_loader.h"

enum {
    FIRST_VA = 0x400000,
    MODULE_OFFSET = 0x5000,
    FILE_OFFSET = 0x2000,
    FILE_PAGES = 9, /* whole ones; the next one has LAST_BYTES */
    LAST_BYTES = 100,
    PAGES = 14,
    SCRATCH = 80,
    NO_FILE = -1
};

/* The kernel of one child: frames at the scratch slots, pages at their addresses. */
static struct {
    bool made[IMAGE_SCRATCH_SLOTS];
    int file_page[IMAGE_SCRATCH_SLOTS]; /* of the segment, whose bytes were copied there */
    uint32_t bytes[IMAGE_SCRATCH_SLOTS];
    bool mapped[PAGES];
    int mapped_file_page[PAGES];
    uint32_t mapped_bytes[PAGES];
    uint64_t shared_first_page; /* of the image: what MAP_FRAME took, at FIRST_VA */
    uint32_t shared_pages;
    uint32_t rights;
    unsigned calls;
    unsigned failing; /* this call is refused, counted from 1; 0: none */
    bool wrong;
} child;

static void retype(const uint8_t *body)
{
    struct kernel_retype_request request;
    memcpy(&request, body, sizeof request);
    child.wrong |= request.target_slot != SCRATCH || request.count > IMAGE_SCRATCH_SLOTS;
    for (uint32_t i = 0; i < request.count && !child.wrong; i++) {
        child.wrong |= child.made[i];
        child.made[i] = true;
        child.file_page[i] = NO_FILE;
        child.bytes[i] = 0;
    }
}

static void copy(const uint8_t *body)
{
    struct kernel_frame_copy_request request;
    memcpy(&request, body, sizeof request);
    uint32_t i = request.target_slot - SCRATCH;
    uint64_t offset = request.source_offset_bytes - MODULE_OFFSET - FILE_OFFSET;
    child.wrong |= i >= IMAGE_SCRATCH_SLOTS || !child.made[i] || offset % PAGE_BYTES != 0 ||
                   request.target_offset_bytes != 0;
    if (child.wrong)
        return;
    child.file_page[i] = (int)(offset / PAGE_BYTES);
    child.bytes[i] = request.count;
}

static void give(const uint8_t *body)
{
    struct kernel_give_frames_request request;
    memcpy(&request, body, sizeof request);
    uint64_t first = (request.va - FIRST_VA) / PAGE_BYTES;
    child.wrong |= request.frame_slot != SCRATCH || request.count > IMAGE_SCRATCH_SLOTS ||
                   first + request.count > PAGES || request.rights != child.rights;
    for (uint32_t i = 0; i < request.count && !child.wrong; i++) {
        child.wrong |= !child.made[i] || child.mapped[first + i];
        child.made[i] = false;
        child.mapped[first + i] = true;
        child.mapped_file_page[first + i] = child.file_page[i];
        child.mapped_bytes[first + i] = child.bytes[i];
    }
}

static void map(const uint8_t *body)
{
    struct kernel_map_frame_request request;
    memcpy(&request, body, sizeof request);
    child.wrong |= request.va != FIRST_VA || request.rights != child.rights;
    child.shared_first_page = request.frame_page;
    child.shared_pages = request.page_count;
}

static void drop(uint32_t slot)
{
    child.wrong |= slot - SCRATCH >= IMAGE_SCRATCH_SLOTS || !child.made[slot - SCRATCH];
    if (!child.wrong)
        child.made[slot - SCRATCH] = false;
}

static void answer(struct message *message)
{
    bool refused = ++child.calls == child.failing;
    if (!refused) {
        switch (message->header.operation) {
        case OP_KERNEL_RETYPE:
            retype(message->body);
            break;
        case OP_KERNEL_FRAME_COPY:
            copy(message->body);
            break;
        case OP_KERNEL_GIVE_FRAMES:
            give(message->body);
            break;
        case OP_KERNEL_MAP_FRAME:
            map(message->body);
            break;
        default:
            child.wrong = true;
        }
    }
    message_refuse(message, refused ? STATUS_EXHAUSTED : STATUS_OK);
}

static uint32_t refused_drop;

static enum status build_segment(const struct elf_segment *segment, unsigned failing)
{
    struct caller caller = {0};
    static const struct image_module module = {
        .kernel_slot = 50, .image_slot = 51, .offset_bytes = MODULE_OFFSET, .size_bytes = 0x100000};
    static const struct image_target target = {
        .vspace_slot = 52, .untyped_slot = 53, .scratch_slot = SCRATCH};
    struct elf_plan plan = {.segment_count = 1};
    plan.segments[0] = *segment;
    fresh();
    memset(&child, 0, sizeof child);
    child.failing = failing;
    child.rights = segment->rights;
    seam.make_reply = answer;
    seam.refused_drop = refused_drop;
    enum status status = image_build(&caller, &module, &target, &plan);
    for (unsigned i = 0; i < seam.drop_count; i++)
        drop(seam.dropped[i]);
    return status;
}

static enum status build(unsigned failing)
{
    static const struct elf_segment segment = {.va = FIRST_VA,
                                               .file_offset = FILE_OFFSET,
                                               .file_bytes = FILE_PAGES * PAGE_BYTES + LAST_BYTES,
                                               .memory_bytes = PAGES * PAGE_BYTES,
                                               .pages = PAGES,
                                               .rights = RIGHT_READ | RIGHT_WRITE};
    return build_segment(&segment, failing);
}

/* Two whole pages, which are the image's own, and a tail, which is a copy. */
static bool tail_is_private(void)
{
    static const struct elf_segment segment = {.va = FIRST_VA,
                                               .file_offset = FILE_OFFSET,
                                               .file_bytes = 2 * PAGE_BYTES + LAST_BYTES,
                                               .memory_bytes = 2 * PAGE_BYTES + LAST_BYTES,
                                               .pages = 3,
                                               .rights = RIGHT_READ};
    return build_segment(&segment, 0) == STATUS_OK && !child.wrong && child.shared_pages == 2 &&
           child.shared_first_page == (MODULE_OFFSET + FILE_OFFSET) / PAGE_BYTES &&
           child.mapped[2] && child.mapped_file_page[2] == 2 && child.mapped_bytes[2] == LAST_BYTES;
}

static bool nothing_left(void)
{
    bool left = false;
    for (unsigned i = 0; i < IMAGE_SCRATCH_SLOTS; i++)
        left |= child.made[i];
    return !left && !child.wrong;
}

static bool page_is_right(int page)
{
    int file_page = page <= FILE_PAGES ? page : NO_FILE;
    uint32_t bytes = page < FILE_PAGES ? PAGE_BYTES : page == FILE_PAGES ? LAST_BYTES : 0;
    return child.mapped[page] && child.mapped_file_page[page] == file_page &&
           child.mapped_bytes[page] == bytes;
}

void test_image(void)
{
    bool all = build(0) == STATUS_OK;
    for (int page = 0; page < PAGES; page++)
        all &= page_is_right(page);
    expect_of("image_build", "each page has the bytes of its place in the file", all);
    expect_of("image_build", "its frames live by their mappings alone", nothing_left());
    expect_of("image_build", "the tail of a read-only segment is its own", tail_is_private());
    refused_drop = SCRATCH + 1;
    bool first_error = build(2) == STATUS_EXHAUSTED; /* a FRAME_COPY, and then that drop */
    expect_of("image_build", "a drop that is refused as well hides no error, leaves no other frame",
              first_error && !child.wrong && !child.made[0] && child.made[1] && !child.made[2] &&
                  !child.made[3]);
    refused_drop = SLOT_NULL;
    (void)build(0);
    unsigned calls = child.calls;
    bool refused = true, tidy = true;
    for (unsigned failing = 1; failing <= calls; failing++) {
        refused &= build(failing) == STATUS_EXHAUSTED && child.calls == failing;
        tidy &= nothing_left();
    }
    expect_of("image_build", "the first call that is refused is the last", calls > 0 && refused);
    expect_of("image_build", "whichever is refused, no frame is left", tidy);
}
