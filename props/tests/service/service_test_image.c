/* SPDX-License-Identifier: ISC */
/* services/lib/image_loader: all program headers are read, whichever of them a first read shows;
 * each page of a child has the bytes of its own place in the file, and whatever call fails, no frame
 * is left to whoever builds. */
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
    uint64_t shared_va;         /* where MAP_FRAME put it: */
    uint64_t shared_first_page; /* of the image */
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
    child.wrong |= i >= IMAGE_SCRATCH_SLOTS || !child.made[i] ||
                   offset % PAGE_BYTES != request.target_offset_bytes;
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
    child.wrong |= request.rights != child.rights;
    child.shared_va = request.va;
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
           child.shared_va == FIRST_VA &&
           child.shared_first_page == (MODULE_OFFSET + FILE_OFFSET) / PAGE_BYTES &&
           child.mapped[2] && child.mapped_file_page[2] == 2 && child.mapped_bytes[2] == LAST_BYTES;
}

/* The same of a segment that begins FIRST_BYTES into its first page: that one is a copy as well. */
static bool head_is_private(void)
{
    enum { FIRST_BYTES = 48 };
    static const struct elf_segment segment = {.va = FIRST_VA,
                                               .first_bytes = FIRST_BYTES,
                                               .file_offset = FILE_OFFSET + FIRST_BYTES,
                                               .file_bytes = 3 * PAGE_BYTES - FIRST_BYTES,
                                               .memory_bytes = 3 * PAGE_BYTES - FIRST_BYTES,
                                               .pages = 3,
                                               .rights = RIGHT_READ};
    return build_segment(&segment, 0) == STATUS_OK && !child.wrong && child.shared_pages == 2 &&
           child.shared_va == FIRST_VA + PAGE_BYTES &&
           child.shared_first_page == (MODULE_OFFSET + FILE_OFFSET) / PAGE_BYTES + 1 &&
           child.mapped[0] && child.mapped_file_page[0] == 0 &&
           child.mapped_bytes[0] == PAGE_BYTES - FIRST_BYTES;
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

/* --- the headers -------------------------------------------------------------------------- */

/* The module that FRAME_READ shows. */
static struct {
    uint8_t bytes[2 * ELF_VIEW_BYTES];
    uint32_t size_bytes;
    unsigned calls;
    unsigned failing; /* as of the child */
    bool wrong;
} file;

static void put(uint32_t at, uint64_t value, uint32_t width_bytes)
{
    for (uint32_t i = 0; i < width_bytes; i++)
        file.bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_segment(uint32_t index, uint32_t flags, uint64_t va, uint64_t file_bytes,
                        uint64_t memory_bytes)
{
    uint32_t at = ELF_HEADER_BYTES + index * ELF_PROGRAM_HEADER_BYTES;
    put(at, 1, 4); /* PT_LOAD */
    put(at + 4, flags, 4);
    put(at + 16, va, 8);
    put(at + 32, file_bytes, 8);
    put(at + 40, memory_bytes, 8);
    put(at + 48, PAGE_BYTES, 8);
}

/* A program whose last two headers are its code and its variables; all others are of no type. It
 * has `after_bytes` bytes behind its headers. */
static void put_program(uint32_t header_count, uint32_t after_bytes)
{
    static const uint8_t ident[] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    memset(&file, 0, sizeof file);
    memcpy(file.bytes, ident, sizeof ident);
    put(16, 2, 2);  /* ET_EXEC */
    put(18, 62, 2); /* x86-64 */
    put(20, 1, 4);
    put(24, FIRST_VA, 8);
    put(32, ELF_HEADER_BYTES, 8);
    put(52, ELF_HEADER_BYTES, 2);
    put(54, ELF_PROGRAM_HEADER_BYTES, 2);
    put(56, header_count, 2);
    put_segment(header_count - 2, 5, FIRST_VA, ELF_HEADER_BYTES, ELF_HEADER_BYTES);
    put_segment(header_count - 1, 6, FIRST_VA + PAGE_BYTES, 0, 3 * PAGE_BYTES);
    file.size_bytes = ELF_HEADER_BYTES + header_count * ELF_PROGRAM_HEADER_BYTES + after_bytes;
}

static void answer_read(struct message *message)
{
    struct kernel_frame_read_request request;
    struct kernel_frame_read_reply reply = {.count = 0};
    memcpy(&request, message->body, sizeof request);
    uint64_t at = request.offset_bytes - MODULE_OFFSET;
    file.wrong |= message->header.operation != OP_KERNEL_FRAME_READ || request.frame_slot != 51 ||
                  at > file.size_bytes || request.count > file.size_bytes - at;
    if (++file.calls == file.failing || file.wrong) {
        message_refuse(message, STATUS_EXHAUSTED);
        return;
    }
    reply.count = request.count;
    memcpy(reply.bytes, file.bytes + at, request.count);
    (void)message_encode(&kernel_frame_read_reply_type, &reply, message);
}

static enum status plan(unsigned failing, struct elf_plan *out)
{
    struct caller caller = {0};
    struct image_module module = {.kernel_slot = 50,
                                  .image_slot = 51,
                                  .offset_bytes = MODULE_OFFSET,
                                  .size_bytes = file.size_bytes};
    fresh();
    seam.make_reply = answer_read;
    file.calls = 0;
    file.failing = failing;
    memset(out, 0xA5, sizeof *out);
    return image_plan(&caller, &module, out);
}

/* Whether the program is planned, all of it, in so many reads, and a refusal of any of them is told
 * and leaves no plan. */
static bool is_planned_in(unsigned reads)
{
    static const struct elf_plan none;
    struct elf_plan found;
    bool right = plan(0, &found) == STATUS_OK && file.calls == reads && !file.wrong &&
                 found.segment_count == 2 && found.entry == FIRST_VA &&
                 found.segments[0].file_bytes == ELF_HEADER_BYTES &&
                 found.segments[1].va == FIRST_VA + PAGE_BYTES && found.segments[1].pages == 3;
    for (unsigned failing = 1; failing <= reads; failing++)
        right &= plan(failing, &found) == STATUS_EXHAUSTED && file.calls == failing &&
                 memcmp(&found, &none, sizeof none) == 0;
    return right;
}

static void test_plan(void)
{
    enum { ONE_READ = (FRAME_TRANSFER_BYTES_MAX - ELF_HEADER_BYTES) / ELF_PROGRAM_HEADER_BYTES };
    struct elf_plan none;
    put_program(2, 0);
    expect_of("image_plan", "a file that is shorter than a read", is_planned_in(1));
    put_program(ONE_READ, ELF_VIEW_BYTES);
    expect_of("image_plan", "as many headers as one read shows", is_planned_in(1));
    put_program(ONE_READ + 1, 0);
    expect_of("image_plan", "one more, with which the file ends", is_planned_in(2));
    put_program(ELF_PROGRAM_HEADER_LIMIT, ELF_VIEW_BYTES);
    expect_of("image_plan", "as many headers as there may be", is_planned_in(2));
    file.size_bytes = FRAME_TRANSFER_BYTES_MAX;
    expect_of("image_plan", "a file that ends with the first read",
              plan(0, &none) == STATUS_TRUNCATED && file.calls == 1 && !file.wrong);
    memset(file.bytes, 0x5A, sizeof file.bytes);
    file.size_bytes = sizeof file.bytes;
    expect_of("image_plan", "nothing more is read of what is no ELF file",
              plan(0, &none) == STATUS_BAD_MAGIC && file.calls == 1);
}

void test_image(void)
{
    test_plan();
    bool all = build(0) == STATUS_OK;
    for (int page = 0; page < PAGES; page++)
        all &= page_is_right(page);
    expect_of("image_build", "each page has the bytes of its place in the file", all);
    expect_of("image_build", "its frames live by their mappings alone", nothing_left());
    expect_of("image_build", "the tail of a read-only segment is its own", tail_is_private());
    expect_of("image_build", "and so is its head", head_is_private());
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
