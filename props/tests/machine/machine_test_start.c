/* SPDX-License-Identifier: ISC */
/* What a loader says, at the edges: the last byte in view, the last page below the limit, the pages beside
 * an image. The harness kernel_start says the same of any bytes; here each edge is stated from both
 * sides. */
#include "kernel/machine/start.h"

#include <stdlib.h>
#include <string.h>

#include "abi/limits.h"
#include "props/base/testing.h"
#include "props/tests/machine/machine_test.h"

#define PAGES(count) ((uint64_t)(count)*PAGE_BYTES)

enum { VIEW_BYTES = 1024, INFO_AT = 64, INFO_BYTES = 56, MODULE_AT = 128, MODULE_BYTES = 32 };
enum { ROWS_AT = 256, ROW_BYTES = 24, ROW_LIMIT = 8, LIMIT_PAGES = 1024, RAM = 1, RESERVED = 2 };

struct row {
    uint64_t addr, bytes;
    uint32_t type;
};

/* What the loader says; a table lies elsewhere when a test has it so. */
static struct {
    uint64_t info_at, rows_at, module_at, line_at;
    struct row rows[ROW_LIMIT];
    uint32_t row_count;
    uint32_t image_count;
    uint64_t image_addr, image_bytes;
    const char *line; /* written without its zero */
} said;

static struct start start;

static void put(uint8_t *view, uint64_t at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        if (at + i < VIEW_BYTES) /* what the loader writes there is not in view */
            view[at + i] = (uint8_t)(value >> 8 * i);
    }
}

static void begin(void)
{
    memset(&said, 0, sizeof said);
    said.info_at = INFO_AT;
    said.rows_at = ROWS_AT;
    said.module_at = MODULE_AT;
    said.line = "";
    said.rows[0] = (struct row){0, PAGES(600), RAM};
    said.row_count = 1;
    said.image_count = 1;
    said.image_addr = PAGES(300);
    said.image_bytes = PAGES(2);
}

/* Reads what was said, in a view that ends with its allocation; the kernel has pages 400 to 499. */
static bool read(void)
{
    const struct span kernel = {PAGES(400), PAGES(500)};
    uint8_t *view = calloc(1, VIEW_BYTES);
    if (view == NULL)
        abort();
    put(view, said.info_at, START_INFO_MAGIC, 4);
    put(view, said.info_at + 4, 1, 4);
    put(view, said.info_at + 12, said.image_count, 4);
    put(view, said.info_at + 16, said.module_at, 8);
    put(view, said.info_at + 24, said.line_at, 8);
    put(view, said.info_at + 40, said.rows_at, 8);
    put(view, said.info_at + 48, said.row_count, 4);
    put(view, said.module_at, said.image_addr, 8);
    put(view, said.module_at + 8, said.image_bytes, 8);
    for (uint32_t i = 0; i < said.row_count; i++) {
        put(view, said.rows_at + i * ROW_BYTES, said.rows[i].addr, 8);
        put(view, said.rows_at + i * ROW_BYTES + 8, said.rows[i].bytes, 8);
        put(view, said.rows_at + i * ROW_BYTES + 16, said.rows[i].type, 4);
    }
    for (size_t i = 0; said.line[i] != 0; i++)
        put(view, said.line_at + i, (uint8_t)said.line[i], 1);
    bool accepted = start_read(&(struct start_view){view, VIEW_BYTES}, said.info_at, &kernel,
                               PAGES(LIMIT_PAGES), &start);
    free(view);
    return accepted;
}

/* --- tables ------------------------------------------------------------------------------------ */

static void test_tables(void)
{
    static const struct {
        const char *name;
        uint64_t *at;
        uint64_t bytes;
    } tables[] = {{"the start info", &said.info_at, INFO_BYTES},
                  {"the module", &said.module_at, MODULE_BYTES},
                  {"the rows", &said.rows_at, ROW_BYTES}};
    for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        begin();
        *tables[i].at = VIEW_BYTES - tables[i].bytes;
        expect_of(tables[i].name, "the last bytes in view are read", read());
        ++*tables[i].at;
        expect_of(tables[i].name, "and not one byte behind them", !read());
    }
    said.row_count = 0;
    said.rows_at = VIEW_BYTES;
    said.image_bytes = 0;
    expect(read() && start.free.count == 0, "no rows, where the view ends");
    said.rows_at++;
    expect(!read(), "but not behind it");
    begin();
    said.image_count = 0;
    said.module_at = VIEW_BYTES;
    expect(read() && start.image_bytes == 0, "without an image nobody looks for its table");
}

/* --- the command line --------------------------------------------------------------------------- */

/* Of a line of so many bytes whose zero is at `zero_at`, or would be, so many are read. */
static void line_is(const char *what, size_t count, uint64_t zero_at, size_t wanted)
{
    char text[2 * START_LINE_BYTES] = "", found[2 * START_LINE_BYTES] = "";
    memset(text, 'x', count);
    memset(found, 'x', wanted);
    begin();
    said.line = text;
    said.line_at = zero_at - count;
    expect_of(what, "it is no reason to refuse", read());
    expect_equal(strlen(start.line), wanted, what);
    expect_of(what, "its bytes", strcmp(start.line, found) == 0);
}

static void test_line(void)
{
    enum { LAST = VIEW_BYTES - 1, LONGEST = START_LINE_BYTES - 1 };
    line_is("a line whose zero is the last byte in view", 6, LAST, 6);
    line_is("a line whose zero is behind the view", 6, VIEW_BYTES, 0);
    line_is("a zero that is the last byte in view", 0, LAST, 0);
    line_is("a line behind the view", 0, VIEW_BYTES, 0);
    line_is("the longest line", LONGEST, LAST - 1, LONGEST);
    line_is("the longest line, whose zero is the last byte in view", LONGEST, LAST, LONGEST);
    line_is("the longest line, whose zero is behind the view", LONGEST, VIEW_BYTES, 0);
    line_is("a line that is cut", LONGEST + 1, LAST, LONGEST);
    line_is("a line that is cut, whose zero is behind the view", LONGEST + 1, VIEW_BYTES, LONGEST);
    begin();
    said.info_at = 0; /* its magic number would be the line */
    expect(read() && start.line[0] == 0, "no line at address 0");
}

/* --- memory ------------------------------------------------------------------------------------- */

static void ram_is(const char *what, uint64_t first, uint64_t end, uint64_t left_out)
{
    begin();
    said.rows[1] = (struct row){first, end - first, RAM};
    said.row_count = 2;
    expect_of(what, "it is read", read());
    uint64_t usable = end < PAGES(LIMIT_PAGES) ? end : PAGES(LIMIT_PAGES);
    expect_equal(span_end(&start.free), first < usable ? usable : PAGES(600), what);
    expect_equal(start.free.left_out_bytes, left_out, "what the limit leaves out");
}

static void test_limit(void)
{
    uint64_t limit = PAGES(LIMIT_PAGES);
    ram_is("RAM that ends a page before the limit", PAGES(700), limit - PAGE_BYTES, 0);
    ram_is("RAM that ends with the limit", PAGES(700), limit, 0);
    ram_is("RAM that ends a page behind the limit", PAGES(700), limit + PAGE_BYTES, PAGE_BYTES);
    ram_is("the last page below the limit", limit - PAGE_BYTES, limit, 0);
    ram_is("the first page behind it", limit, limit + PAGE_BYTES, PAGE_BYTES);
    ram_is("pages far behind it", limit + PAGES(5), limit + PAGES(7), PAGES(2));
}

/* A taken span may end where it must end at the latest. */
static void test_take(void)
{
    struct span_list list;
    span_list_init(&list, PAGES(LIMIT_PAGES));
    span_add(&list, PAGES(20), PAGES(10));
    expect_equal(span_take(&list, PAGES(4), PAGES(24) - 1), 0,
                 "not over the end that is asked for");
    expect_equal(span_take(&list, PAGES(4), PAGES(24)), PAGES(20), "but up to it");
    expect_equal(span_take(&list, PAGES(7), UINT64_MAX), 0, "not more than a span has");
    expect_equal(span_take(&list, PAGES(6), UINT64_MAX), PAGES(24), "but all of it");
    expect_equal(list.count, 0, "and then there is none");
}

/* --- the image ----------------------------------------------------------------------------------- */

/* RAM is pages 0 to 619, by two rows, 640 to 699 and a part of page 700, and all from 800 on; of pages
 * 650 and 660 somebody else has a byte or the last one, and 670 whole; what a row of no bytes says
 * of 680 is nothing. */
static const struct row ram[] = {
    {PAGES(600), PAGES(20), RAM},       {PAGES(0), PAGES(600), RAM},
    {PAGES(640), PAGES(60) + 100, RAM}, {PAGES(650) + 7, 1, RESERVED},
    {PAGES(661) - 1, 1, RESERVED},      {PAGES(670), PAGES(1), RESERVED},
    {PAGES(680) + 9, 0, RESERVED},      {PAGES(800), UINT64_MAX / 2, RAM},
};

static const struct image {
    const char *what;
    uint64_t addr, bytes;
    bool accepted;
} images[] = {
    {"up to the kernel", PAGES(390), PAGES(10), true},
    {"over its first byte", PAGES(390), PAGES(10) + 1, false},
    {"behind the kernel", PAGES(500), PAGES(1), true},
    {"over its last page", PAGES(499), PAGES(1), false},
    {"around the kernel", PAGES(390), PAGES(200), false},
    {"up to the limit", PAGES(1000), PAGES(24), true},
    {"a byte beyond the limit", PAGES(1000), PAGES(24) + 1, false},
    {"of nothing, at the limit", PAGES(1024), 0, true},
    {"of nothing, behind the limit", PAGES(1025), 0, false},
    {"around the last address", PAGES(1000), UINT64_MAX, false},
    {"inside a page", PAGES(300) + 8, 100, false},
    {"in page 0", 0, 1, false},
    {"of nothing, in page 0", 0, 0, true},
    {"behind page 0", PAGES(1), PAGES(1), true},
    {"over two rows that touch", PAGES(590), PAGES(30), true},
    {"up to a hole, but for a byte", PAGES(610), PAGES(10) - 1, true},
    {"a byte into a hole", PAGES(610), PAGES(10) + 1, false},
    {"in a hole", PAGES(625), PAGES(1), false},
    {"out of a hole", PAGES(639), PAGES(2), false},
    {"over a hole", PAGES(610), PAGES(34), false},
    {"up to a byte that is reserved", PAGES(640), PAGES(10), true},
    {"a byte into its page", PAGES(640), PAGES(10) + 1, false},
    {"behind its page", PAGES(651), PAGES(9), true},
    {"beginning with its page", PAGES(650), PAGES(1), false},
    {"into a page whose last byte is reserved", PAGES(655), PAGES(5) + 1, false},
    {"behind a page whose last byte is reserved", PAGES(661), PAGES(3), true},
    {"up to a page that is reserved", PAGES(669), PAGES(1), true},
    {"behind a page that is reserved", PAGES(671), PAGES(1), true},
    {"of nothing, in a page that is reserved", PAGES(670), 0, true},
    {"over a row of no bytes", PAGES(679), PAGES(3), true},
    {"on the last whole page of RAM", PAGES(699), PAGES(1), true},
    {"on a page that is RAM in part", PAGES(700), 100, false},
};

static void test_images(void)
{
    for (unsigned i = 0; i < sizeof images / sizeof images[0]; i++) {
        const struct image *image = &images[i];
        begin();
        memcpy(said.rows, ram, sizeof ram);
        said.row_count = sizeof ram / sizeof ram[0];
        said.image_addr = image->addr;
        said.image_bytes = image->bytes;
        bool accepted = read();
        expect_of(image->what,
                  image->accepted ? "an image may lie there" : "no image may lie there",
                  accepted == image->accepted);
        if (!accepted)
            continue;
        expect_equal(start.image_addr, image->addr, "where it lies");
        expect_equal(start.image_bytes, image->bytes, "and how long it is");
        for (uint32_t k = 0; k < start.free.count; k++)
            expect_of(image->what, "its pages are not free",
                      start.free.spans[k].first >= image->addr + image->bytes ||
                          start.free.spans[k].end <= image->addr);
    }
}

/* A row for each page, the last page first, and an image on the first: whoever follows all RAM from it
 * on through such rows needs as many rounds as there are pages, and does not come to an end here. */
static void test_many_rows(void)
{
    enum { ROWS = 1 << 20 };
    const struct span kernel = {PAGES(400), PAGES(500)};
    const uint64_t at = PAGES(600), bytes = ROWS_AT + (uint64_t)ROWS * ROW_BYTES;
    uint64_t info[] = {
        START_INFO_MAGIC | UINT64_C(1) << 32, UINT64_C(1) << 32, MODULE_AT, 0, 0, ROWS_AT, ROWS};
    uint64_t module[] = {at, 1, 0, 0};
    uint8_t *view = calloc(1, bytes);
    if (view == NULL)
        abort();
    memcpy(view + INFO_AT, info, sizeof info);
    memcpy(view + MODULE_AT, module, sizeof module);
    for (uint64_t i = 0; i < ROWS; i++) {
        uint64_t row[] = {at + PAGES(ROWS - 1 - i), PAGE_BYTES, RAM};
        memcpy(view + ROWS_AT + i * ROW_BYTES, row, sizeof row);
    }
    bool accepted =
        start_read(&(struct start_view){view, bytes}, INFO_AT, &kernel, at + PAGES(ROWS), &start);
    expect_of("an image", "lies in RAM of very many rows", accepted);
    expect_equal(start.free.count, 1, "which are one span");
    free(view);
}

void machine_test_start(void)
{
    test_tables();
    test_line();
    test_limit();
    test_take();
    test_images();
    test_many_rows();
}
