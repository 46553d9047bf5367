/* SPDX-License-Identifier: ISC */
/* What a loader says of the machine, as bytes: start info, rows of memory, the image's module, a
 * command line, each anywhere in a view that ends where its allocation does. The model reads the
 * bytes by their published offsets and knows each page: it says whether the start is refused, which
 * pages are free, and what is left out; nothing that somebody has is ever given away. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/codec/codec.h"
#include "kernel/core/kernel.h"
#include "kernel/machine/start.h"

const char harness_name[] = "kernel_start";
MARKS(12, 0);

enum {
    MODEL_PAGES = 4096,
    VIEW_LIMIT = 3 * PAGE_BYTES,
    ROW_BYTES = 24,
    INFO_BYTES = 56,
    MODULE_BYTES = 32,
    SURE_ROWS = 120, /* each row makes one span more at most: so many always have room */
    TAKES = 3
};

static struct {
    uint8_t bytes[VIEW_LIMIT];
    uint64_t size_bytes;
    uint64_t info_addr;
    struct span kernel;
    uint64_t limit_pages;
} given;

/* What the model says of it. */
static struct {
    bool accepted;
    bool sure;                 /* there is room for each span */
    bool has_ram[MODEL_PAGES]; /* of a row of RAM, whatever others say */
    bool is_ram[MODEL_PAGES];  /* and of no other row */
    bool is_free[MODEL_PAGES];
    uint64_t left_out_bytes;
    uint64_t image_addr, image_bytes;
    char line[START_LINE_BYTES];
} model;

/* --- the bytes -------------------------------------------------------------------------------- */

/* An address in the view, at its end, or anywhere. */
static uint64_t draw_addr(struct choices *choices, uint64_t usual, uint64_t bytes)
{
    switch (choices_below(choices, 16)) {
    case 12: /* the last that is in view */
        return given.size_bytes - bytes;
    case 13:
        return given.size_bytes - bytes + 1;
    case 14:
        return choices_below(choices, VIEW_LIMIT);
    case 15:
        return UINT64_MAX - choices_below(choices, 64);
    default:
        return usual;
    }
}

static uint64_t draw_odd(struct choices *choices)
{
    return choices_below(choices, 4) == 3 ? choices_below(choices, PAGE_BYTES) : 0;
}

static uint64_t draw_row_bytes(struct choices *choices, uint64_t addr)
{
    switch (choices_below(choices, 8)) {
    case 0:
        return choices_below(choices, MODEL_PAGES) * PAGE_BYTES;
    case 1: /* past the last address, or not */
        return UINT64_MAX - addr - 1 + choices_below(choices, 4);
    case 2:
        return choices_u64(choices);
    default:
        return choices_below(choices, 64) * PAGE_BYTES + draw_odd(choices);
    }
}

static void row_write(uint64_t addr, uint64_t bytes, uint64_t type, uint64_t index)
{
    uint8_t *row = given.bytes + 1024 + index * ROW_BYTES;
    codec_store(row, addr, 8);
    codec_store(row + 8, bytes, 8);
    codec_store(row + 16, type, 4);
}

/* Rows in any order, over each other, with holes, some of no length; or every second page of a part
 * of the memory. How many. */
static uint64_t rows_draw(struct choices *choices)
{
    static const uint8_t types[] = {1, 1, 1, 1, 2, 2, 3, 0};
    uint64_t room = (VIEW_LIMIT - 1024) / ROW_BYTES;
    if (choices_below(choices, 8) == 7) {
        uint64_t count = choices_below(choices, room + 1), first = choices_below(choices, 2048);
        uint64_t stride = choices_between(choices, 1, 6), length = choices_between(choices, 1, 5);
        for (uint64_t i = 0; i < count; i++)
            row_write((first + stride * i) * PAGE_BYTES, length * PAGE_BYTES, 1, i);
        return count;
    }
    uint64_t count = choices_below(choices, 24);
    row_write(0, MODEL_PAGES / 2 * PAGE_BYTES, 1, 0); /* as much as all choices 0 have */
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t addr = choices_below(choices, MODEL_PAGES + 64) * PAGE_BYTES + draw_odd(choices);
        if (choices_below(choices, 32) == 31)
            addr = UINT64_MAX - choices_below(choices, 3 * PAGE_BYTES);
        uint64_t type = types[choices_below(choices, sizeof types)];
        row_write(addr, draw_row_bytes(choices, addr), type, i);
    }
    return choices_flag(choices) ? count : count + 1;
}

/* Somewhere in memory; around the kernel; around the limit. */
static void module_draw(struct choices *choices, uint8_t *module)
{
    uint64_t addr = choices_below(choices, MODEL_PAGES) * PAGE_BYTES;
    uint64_t bytes = choices_below(choices, 40) * PAGE_BYTES + draw_odd(choices);
    switch (choices_below(choices, 12)) {
    case 6: /* touches the kernel, or overlaps it by one byte */
        addr = given.kernel.end - (choices_flag(choices) ? PAGE_BYTES : 0);
        break;
    case 7:
        bytes = choices_below(choices, 2);
        addr = given.kernel.first - choices_between(choices, 1, 8) * PAGE_BYTES;
        bytes += given.kernel.first - addr;
        break;
    case 8:
        bytes = given.limit_pages * PAGE_BYTES - addr + choices_below(choices, 2);
        break;
    case 9:
        addr += choices_below(choices, PAGE_BYTES);
        break;
    case 10:
        bytes = UINT64_MAX - addr - 1 + choices_below(choices, 4);
        break;
    case 11:
        addr = choices_u64(choices);
        break;
    default:
        break;
    }
    codec_store(module, addr, 8);
    codec_store(module + 8, bytes, 8);
}

static void line_draw(struct choices *choices, uint64_t at)
{
    static const char words[] = "record clock ";
    uint64_t count = choices_below(choices, 2 * START_LINE_BYTES);
    for (uint64_t i = 0; i < count && at + i < given.size_bytes; i++)
        given.bytes[at + i] = (uint8_t)words[i % (sizeof words - 1)];
}

static void info_write(struct choices *choices, uint8_t *info)
{
    static const uint32_t versions[] = {1, 1, 1, 2, 0, UINT32_MAX};
    uint64_t row_count = rows_draw(choices);
    uint64_t map_addr = draw_addr(choices, 1024, row_count * ROW_BYTES);
    uint64_t line_addr = draw_addr(choices, 256, 1 + choices_below(choices, 8));
    uint64_t modules_addr = draw_addr(choices, 128, MODULE_BYTES);
    module_draw(choices, given.bytes + 128);
    if (line_addr != 0 && line_addr < given.size_bytes)
        line_draw(choices, line_addr);
    if (choices_below(choices, 32) == 31)
        row_count = choices_u32(choices);
    codec_store(info, choices_below(choices, 32) == 31 ? choices_u32(choices) : 0x336EC578u, 4);
    codec_store(info + 4, versions[choices_below(choices, 32) % 6], 4);
    codec_store(info + 12, choices_below(choices, 8) == 7 ? 0 : 1, 4);
    codec_store(info + 16, modules_addr, 8);
    codec_store(info + 24, choices_below(choices, 8) == 7 ? 0 : line_addr, 8);
    codec_store(info + 40, map_addr, 8);
    codec_store(info + 48, row_count, 4);
}

static void draw(struct choices *choices)
{
    static const uint64_t sizes[] = {VIEW_LIMIT, 2 * PAGE_BYTES, 1024 + 4 * ROW_BYTES, 200, 56, 0};
    static const uint64_t limits[] = {MODEL_PAGES, 2048, 300, 1000};
    memset(&given, 0, sizeof given);
    given.size_bytes = sizes[choices_below(choices, 32) % 8 % 6];
    given.limit_pages = limits[choices_below(choices, 4)];
    given.kernel.first = choices_between(choices, 256, 700) * PAGE_BYTES;
    given.kernel.end = given.kernel.first + choices_between(choices, 1, 200) * PAGE_BYTES;
    if (choices_below(choices, 16) == 15) { /* all of it as the input has it */
        given.size_bytes = codec_raw(choices, given.bytes, VIEW_LIMIT);
        return;
    }
    uint8_t info[INFO_BYTES];
    memset(info, 0, sizeof info);
    info_write(choices, info);
    given.info_addr = draw_addr(choices, 64, INFO_BYTES);
    if (given.info_addr < VIEW_LIMIT - INFO_BYTES)
        memcpy(given.bytes + given.info_addr, info, INFO_BYTES);
    size_t size_bytes = VIEW_LIMIT;
    if (choices_below(choices, 4) == 3)
        codec_edit(choices, given.bytes, &size_bytes, VIEW_LIMIT);
}

/* --- the model -------------------------------------------------------------------------------- */

static bool in_view(uint64_t addr, uint64_t bytes)
{
    return addr <= given.size_bytes && given.size_bytes - addr >= bytes;
}

/* Pages that [addr, addr + bytes) has whole, or touches; it ends at the last address at the latest. */
static void model_row(uint64_t addr, uint64_t bytes, bool is_ram)
{
    uint64_t end = bytes > UINT64_MAX - addr ? UINT64_MAX : addr + bytes;
    uint64_t first = addr / PAGE_BYTES, last = end / PAGE_BYTES; /* not in it */
    if (is_ram) {
        first += addr % PAGE_BYTES != 0;
    } else {
        last += end % PAGE_BYTES != 0;
        if (bytes == 0)
            return;
    }
    for (uint64_t page = first; page < last && page < given.limit_pages; page++)
        model.is_free[page] = is_ram;
    MARK_IF("kernel start: RAM that ends with the limit",
            is_ram && first < last && last == given.limit_pages);
    if (is_ram && first < given.limit_pages)
        first = given.limit_pages;
    if (is_ram && first < last)
        model.left_out_bytes += (last - first) * PAGE_BYTES;
}

static void model_line(uint64_t addr)
{
    uint64_t count = 0;
    while (addr != 0 && count < START_LINE_BYTES - 1 && in_view(addr, count + 1) &&
           given.bytes[addr + count] != 0)
        count++;
    MARK_IF("kernel start: a command line whose zero is the last byte in view",
            count != 0 && count < START_LINE_BYTES - 1 && addr + count + 1 == given.size_bytes);
    MARK_IF("kernel start: a command line whose zero is behind the view",
            count != 0 && addr + count == given.size_bytes);
    if (count != 0 && in_view(addr, count + 1))
        memcpy(model.line, given.bytes + addr, count);
}

static bool model_image(uint64_t addr, uint64_t bytes)
{
    MARK_IF("kernel start: an image around the last address",
            addr % PAGE_BYTES == 0 && bytes > UINT64_MAX - addr && addr + bytes < PAGE_BYTES);
    if (MARK_IF("kernel start: an image inside a page", addr % PAGE_BYTES != 0) ||
        MARK_IF("kernel start: an image in page 0", addr == 0 && bytes != 0) ||
        MARK_IF("kernel start: an image behind the last address", bytes > UINT64_MAX - addr) ||
        MARK_IF("kernel start: an image beyond the limit",
                addr + bytes > given.limit_pages * PAGE_BYTES))
        return false;
    if (addr < given.kernel.end && addr + bytes > given.kernel.first) {
        MARK("kernel start: an image over the kernel");
        MARK_IF("kernel start: an image over the first byte of the kernel",
                addr + bytes == given.kernel.first + 1);
        return false;
    }
    for (uint64_t page = addr / PAGE_BYTES; page * PAGE_BYTES < addr + bytes; page++) {
        MARK_IF("kernel start: an image where no row of RAM is", !model.has_ram[page]);
        MARK_IF("kernel start: an image over RAM of another row",
                model.has_ram[page] && !model.is_ram[page]);
        if (!model.is_ram[page])
            return false;
    }
    model.image_addr = addr;
    model.image_bytes = bytes;
    model_row(addr, bytes, false);
    return true;
}

static bool model_read(void)
{
    if (!in_view(given.info_addr, INFO_BYTES))
        return false;
    const uint8_t *info = given.bytes + given.info_addr;
    if (codec_u32(info) != 0x336EC578u || codec_u32(info + 4) == 0)
        return false;
    uint64_t map = codec_u64(info + 40), count = codec_u32(info + 48);
    if (!in_view(map, count * ROW_BYTES))
        return false;
    model.sure = count <= SURE_ROWS;
    for (unsigned ram = 2; ram-- > 0;) {
        for (uint64_t i = 0; i < count; i++) {
            const uint8_t *row = given.bytes + map + i * ROW_BYTES;
            if ((codec_u32(row + 16) == 1) == (ram != 0))
                model_row(codec_u64(row), codec_u64(row + 8), ram != 0);
        }
        memcpy(ram != 0 ? model.has_ram : model.is_ram, model.is_free, sizeof model.is_free);
    }
    model_row(0, 1 << 20, false);
    model_row(given.kernel.first, given.kernel.end - given.kernel.first, false);
    model_line(codec_u64(info + 24));
    uint64_t module = codec_u64(info + 16);
    return codec_u32(info + 12) == 0 ||
           (in_view(module, MODULE_BYTES) &&
            model_image(codec_u64(given.bytes + module), codec_u64(given.bytes + module + 8)));
}

/* --- comparing -------------------------------------------------------------------------------- */

/* Each span is of free pages, in none other; what is missing is counted. The model goes on with what
 * there is. */
static void check_spans(const struct span_list *list, bool complete)
{
    static bool named[MODEL_PAGES];
    uint64_t missing = 0;
    memset(named, 0, sizeof named);
    for (uint32_t i = 0; i < list->count; i++) {
        struct span span = list->spans[i];
        PROPERTY(K13, "whole-pages", (span.first | span.end) % PAGE_BYTES == 0);
        PROPERTY(K13, "below-limit",
                 span.first < span.end && span.end / PAGE_BYTES <= given.limit_pages);
        for (uint64_t page = span.first / PAGE_BYTES; page < span.end / PAGE_BYTES; page++) {
            PROPERTY(K13, "is-free", model.is_free[page]);
            PROPERTY(K13, "once", !named[page]);
            named[page] = true;
        }
        digest_u64(span.first);
        digest_u64(span.end);
    }
    for (uint64_t page = 0; page < MODEL_PAGES; page++)
        missing += model.is_free[page] && !named[page];
    PROPERTY(K13, "none-missing", missing == 0 || !complete);
    model.left_out_bytes += missing * PAGE_BYTES;
    if (model.sure)
        PROPERTY_EQUAL(K13, "left-out", list->left_out_bytes, model.left_out_bytes);
    else
        PROPERTY(K13, "left-out-counted", list->left_out_bytes >= model.left_out_bytes);
    memcpy(model.is_free, named, sizeof named);
}

static uint64_t model_end(void)
{
    uint64_t end = MODEL_PAGES;
    while (end > 0 && !model.is_free[end - 1])
        end--;
    uint64_t image_end = (model.image_addr + model.image_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    return (end > image_end ? end : image_end) * PAGE_BYTES;
}

/* As the machine takes pages for its tables before anybody else has one. */
static void take(struct choices *choices, struct span_list *list)
{
    uint64_t bytes = choices_between(choices, 1, 16) * PAGE_BYTES;
    uint64_t limit = choices_below(choices, MODEL_PAGES + 1) * PAGE_BYTES;
    bool is_there = false, is_last = false;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct span *span = &list->spans[i];
        bool has = span->end - span->first >= bytes && span->first + bytes <= limit;
        is_last |= !is_there && has && span->first + bytes == limit;
        is_there |= has;
    }
    uint64_t addr = span_take(list, bytes, limit);
    PROPERTY(K13, "taken-if-there-is", (addr != 0) == is_there);
    MARK_IF("kernel start: pages are taken up to the end that was asked for", is_last);
    if (addr != 0) {
        PROPERTY(K13, "taken-below", addr + bytes <= limit);
        for (uint64_t page = addr / PAGE_BYTES; page < (addr + bytes) / PAGE_BYTES; page++)
            PROPERTY(K13, "taken-free", model.is_free[page]);
        model_row(addr, bytes, false);
    }
    check_spans(list, true);
}

/* What the core is given: in order, and the longest of them when there are too many. */
static void settle(struct span_list *list)
{
    uint32_t count = list->count;
    uint64_t shortest = UINT64_MAX, before = list->left_out_bytes, lost = 0, kept = 0;
    for (uint32_t i = 0; i < count; i++)
        lost += list->spans[i].end - list->spans[i].first;
    span_settle(list, KERNEL_PAGE_RANGE_LIMIT);
    PROPERTY_EQUAL(K13, "range-count", list->count,
                   count < KERNEL_PAGE_RANGE_LIMIT ? count : (uint32_t)KERNEL_PAGE_RANGE_LIMIT);
    for (uint32_t i = 0; i < list->count; i++) {
        struct span span = list->spans[i];
        PROPERTY(K13, "order", i == 0 || list->spans[i - 1].end < span.first);
        kept += span.end - span.first;
        if (span.end - span.first < shortest)
            shortest = span.end - span.first;
    }
    lost -= kept;
    MARK_IF("kernel start: more spans than ranges", lost != 0);
    PROPERTY_EQUAL(K13, "left-out-ranges", list->left_out_bytes, before + lost);
    PROPERTY(K13, "longest-kept", lost <= (uint64_t)(count - list->count) * shortest);
    check_spans(list, lost == 0);
}

static void mark_start(const struct start *start)
{
    MARK_IF("kernel start: no image", start->image_bytes == 0);
    MARK_IF("kernel start: the image is the last of the memory",
            start->image_bytes != 0 && span_end(&start->free) < start->memory_end);
    MARK_IF("kernel start: no memory is free", start->free.count == 0);
    MARK_IF("kernel start: memory beyond the limit", start->free.left_out_bytes != 0 && model.sure);
    MARK_IF("kernel start: more rows than spans", !model.sure);
    MARK_IF("kernel start: a command line", start->line[0] != '\0');
    MARK_IF("kernel start: a command line that is cut",
            strlen(start->line) == START_LINE_BYTES - 1);
    MARK_IF("kernel start: the image ends where the kernel begins",
            start->image_bytes != 0 &&
                start->image_addr + start->image_bytes == given.kernel.first);
    MARK_IF("kernel start: the image ends with the limit",
            start->image_bytes != 0 &&
                start->image_addr + start->image_bytes == given.limit_pages * PAGE_BYTES);
    MARK_IF("kernel start: the image begins where the kernel ends",
            start->image_bytes != 0 && start->image_addr == given.kernel.end);
}

static void check(struct choices *choices, struct start *start)
{
    PROPERTY_EQUAL(K13, "image", start->image_addr, model.image_addr);
    PROPERTY_EQUAL(K13, "image-bytes", start->image_bytes, model.image_bytes);
    PROPERTY(K11, "line", memcmp(start->line, model.line, sizeof model.line) == 0);
    check_spans(&start->free, model.sure);
    PROPERTY_EQUAL(K13, "end", start->memory_end, model_end());
    mark_start(start);
    for (unsigned i = 0; i < TAKES; i++)
        take(choices, &start->free);
    settle(&start->free);
    digest_bytes(start->line, strlen(start->line));
    digest_u64(start->memory_end);
    digest_u64(start->free.left_out_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    static struct start start;
    draw(&choices);
    memset(&model, 0, sizeof model);
    model.accepted = model_read();
    uint8_t *exact = codec_copy(given.bytes, given.size_bytes);
    struct start_view view = {exact, given.size_bytes};
    bool accepted =
        start_read(&view, given.info_addr, &given.kernel, given.limit_pages * PAGE_BYTES, &start);
    free(exact);
    TRACE("%llu bytes, start info at %#llx: %s, %u spans", (unsigned long long)given.size_bytes,
          (unsigned long long)given.info_addr, accepted ? "read" : "refused", start.free.count);
    PROPERTY_EQUAL(E1, "accepted", accepted, model.accepted);
    MARK_IF("kernel start: refused", !accepted);
    digest_u64(accepted);
    if (accepted)
        check(&choices, &start);
    return 0;
}
