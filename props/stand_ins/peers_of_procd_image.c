/* SPDX-License-Identifier: ISC */
/* The boot image of procd's life harness: modules good and bad. Only headers have bytes; everything
 * else of the image reads as zero, and where a page came from is told apart by its number. */
#include <string.h>

#include "abi/address_space.h"
#include "abi/formats/cursor.h"
#include "abi/formats/elf_plan.h"
#include "props/stand_ins/peers_of_procd.h"

enum {
    PAGE = PAGE_BYTES,
    FLAG_X = 1,
    FLAG_W = 2,
    FLAG_R = 4,
    LOADS = ELF_SEGMENT_LIMIT + 1,
    TYPE_LOAD = 1,
    TYPE_STACK = 0x6474E551, /* PT_GNU_STACK */
    STOCK = 10, /* the file without a stack; the last segment of any other ends with it */
    IMAGE_PAGES = 1024
};

#define TABLES_MAX (UINT64_C(1) << 32) /* abi/address_space.h: data begins behind it */

struct load {
    uint32_t flags;
    uint64_t offset, va, file_bytes, memory_bytes;
};

struct file {
    uint64_t entry;
    struct load loads[LOADS];
};

/* In the order of peers_modules. */
static const struct file files[PEERS_PROCD_MODULES] = {
    {0x400010,
     {{FLAG_R | FLAG_X, PAGE, 0x400000, 0x800, 0x800},
      {FLAG_R | FLAG_W, 2 * PAGE, 0x402000, 0x300, 0x1800}}},
    {0x400010,
     {{FLAG_R | FLAG_X, PAGE, 0x400000, 601 * PAGE, 601 * PAGE},
      {FLAG_R, 602 * PAGE, 0x800000, 0x100, 0x100},
      {FLAG_R | FLAG_W, 603 * PAGE, 0x900000, 0x1001, 0x3000}}}, /* an odd number of shared pages */
    {0, {{0}}},                                                  /* no ELF file */
    {0x400010,
     {{FLAG_R | FLAG_X, PAGE, 0x400000, 0x10 + 1, 0x10 + 1},
      {FLAG_R, 2 * PAGE, 0x401000, 1, 1},
      {FLAG_R, 3 * PAGE, 0x402000, 1, 1},
      {FLAG_R, 4 * PAGE, 0x403000, 1, 1},
      {FLAG_R, 4 * PAGE, 0x404000, 1, 1},
      {FLAG_R, 4 * PAGE, 0x405000, 1, 1},
      {FLAG_R, 4 * PAGE, 0x406000, 1, 1},
      {FLAG_R, 4 * PAGE, 0x407000, 1, 1},
      {FLAG_R | FLAG_W, 0, 0x408000, 0, 1}}}, /* more segments than a plan takes */
    {HEAP_WINDOW_VA,
     {{FLAG_R | FLAG_X, PAGE, HEAP_WINDOW_VA, PAGE, PAGE},
      {FLAG_R | FLAG_W, 0, HEAP_WINDOW_VA + PAGE, 0, PAGE}}}, /* where a heap would be */
    {0x400000,
     {{FLAG_R | FLAG_X, PAGE, 0x400000, PAGE, PAGE},
      {FLAG_R | FLAG_W, 0, USER_VA_END - PAGE, 0, PAGE}}}, /* no room for the stack's guard */
    {2 * HEAP_WINDOW_VA,
     {{FLAG_R | FLAG_X, 0xE00, 2 * HEAP_WINDOW_VA - 0x200, 0x2100, 0x2100},
      {FLAG_R | FLAG_W, 0x1F00, 3 * HEAP_WINDOW_VA - 0x100, 0x200, 2 * PAGE}}},
    /* above the heap, and no segment begins on a page */
    {0, {{0}}}, /* cut short */
    {0x400000,
     {{FLAG_R | FLAG_X, PAGE, 0x400000, 58 * PAGE, 58 * PAGE},
      {FLAG_R | FLAG_W, 0, 0x600000, 0, PAGE}}}, /* all the regions that a helper may have */
    {0x400000,
     {{FLAG_R | FLAG_X, PAGE, 0x400000, 59 * PAGE, 59 * PAGE},
      {FLAG_R | FLAG_W, 0, 0x600000, 0, PAGE}}}, /* one more */
    {0x401230,
     {{FLAG_R, 0, 0x400000, 0x1F8, 0x1F8},
      {FLAG_R | FLAG_X, 0x1F8, 0x4011F8, 0x2210, 0x2210},
      {FLAG_R | FLAG_W, 0x2408, 0x404408, 0x40, 0x1000},
      {FLAG_R | FLAG_W, 0x2448, 0x406448, 0x30, 0x2000}}}, /* STOCK: as stock linkers write it */
    {0x400010,
     {{FLAG_R | FLAG_X, PAGE, 0x400000, 0x10 + 1, 0x10 + 1},
      {FLAG_R, 2 * PAGE, 0x401000, 1, 1},
      {FLAG_R, 3 * PAGE, 0x402000, 1, 1},
      {FLAG_R, 4 * PAGE, 0x403000, 1, 1},
      {FLAG_R, 4 * PAGE, 0x404000, 1, 1},
      {FLAG_R, 4 * PAGE, 0x405000, 1, 1},
      {FLAG_R, 4 * PAGE, 0x406000, 1, 1},
      {FLAG_R | FLAG_W, 0, 0x408000, 0, 1}}}, /* as many segments as a file may have */
    {DATA_VA + 2 * PAGE,
     {{FLAG_R | FLAG_X, PAGE, DATA_VA + 2 * PAGE, PAGE, PAGE},
      {FLAG_R | FLAG_W, 0, DATA_VA + 3 * PAGE, 0, PAGE}}}, /* behind two pages of data */
    {SERVICE_TABLE_VA - PAGE,
     {{FLAG_R | FLAG_X, PAGE, SERVICE_TABLE_VA - PAGE, PAGE, PAGE},
      {FLAG_R | FLAG_W, 0, SERVICE_TABLE_VA, 0, PAGE}}}, /* its last page is where tables begin */
    {SERVICE_TABLE_VA + TABLES_MAX,
     {{FLAG_R | FLAG_X, PAGE, SERVICE_TABLE_VA + TABLES_MAX, PAGE, PAGE},
      {FLAG_R | FLAG_W, 0, SERVICE_TABLE_VA + TABLES_MAX + PAGE, 0, PAGE}}}, /* above all tables */
};

const struct peers_module peers_modules[PEERS_PROCD_MODULES] = {
    {1 * PAGE, 2 * PAGE + 0x300}, {8 * PAGE, 605 * PAGE}, {640 * PAGE, 3 * PAGE},
    {648 * PAGE, 5 * PAGE},       {656 * PAGE, 2 * PAGE}, {664 * PAGE, 2 * PAGE},
    {672 * PAGE, 3 * PAGE},       {680 * PAGE, 40},       {688 * PAGE, 59 * PAGE},
    {752 * PAGE, 60 * PAGE},      {816 * PAGE, 3 * PAGE}, {824 * PAGE, 5 * PAGE},
    {832 * PAGE, 3 * PAGE},       {840 * PAGE, 2 * PAGE}, {848 * PAGE, 2 * PAGE},
};

static unsigned load_count(const struct file *file)
{
    unsigned count = 0;
    while (count < LOADS && file->loads[count].memory_bytes != 0)
        count++;
    return count;
}

static void write_file(const struct file *file, uint8_t *bytes, size_t size_bytes)
{
    static const uint8_t ident[16] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    struct writer writer = writer_over(bytes, size_bytes);
    write_bytes(&writer, ident, sizeof ident);
    write_u16(&writer, 2);  /* ET_EXEC */
    write_u16(&writer, 62); /* x86-64 */
    write_u32(&writer, 1);
    write_u64(&writer, file->entry);
    write_u64(&writer, ELF_HEADER_BYTES);
    write_zero(&writer, 8 + 4); /* sections, flags */
    write_u16(&writer, ELF_HEADER_BYTES);
    write_u16(&writer, ELF_PROGRAM_HEADER_BYTES);
    write_u16(&writer, (uint16_t)(load_count(file) + 1));
    write_zero(&writer, 6);
    for (unsigned i = 0; i <= load_count(file); i++) {
        static const struct load any = {FLAG_R | FLAG_W, 0, 0, 0, 0};
        bool is_stack = i == load_count(file);
        const struct load *load =
            is_stack && file == &files[STOCK] ? &any : &file->loads[i - is_stack];
        write_u32(&writer, is_stack ? TYPE_STACK : TYPE_LOAD);
        write_u32(&writer, load->flags);
        write_u64(&writer, load->offset);
        write_u64(&writer, load->va);
        write_u64(&writer, load->va);
        write_u64(&writer, load->file_bytes);
        write_u64(&writer, load->memory_bytes);
        write_u64(&writer, PAGE);
    }
}

enum { HEADERS_BYTES = ELF_HEADER_BYTES + (LOADS + 1) * ELF_PROGRAM_HEADER_BYTES };

/* The headers of all modules, written once and never changed. */
static const uint8_t *headers_of(unsigned module)
{
    static uint8_t headers[PEERS_PROCD_MODULES][HEADERS_BYTES];
    static bool written;
    for (unsigned i = 0; i < PEERS_PROCD_MODULES && !written; i++) {
        if (load_count(&files[i]) != 0)
            write_file(&files[i], headers[i], HEADERS_BYTES);
    }
    written = true;
    return headers[module];
}

static void read_module(unsigned module, uint64_t at, uint8_t *bytes, uint32_t count)
{
    if (at >= HEADERS_BYTES)
        return;
    uint64_t left = HEADERS_BYTES - at;
    memcpy(bytes, headers_of(module) + at, count < left ? count : left);
}

enum status peers_image_read(uint64_t offset_bytes, uint32_t count, void *bytes)
{
    memset(bytes, 0, count);
    if (!range_within(offset_bytes, count, (uint64_t)IMAGE_PAGES * PAGE))
        return STATUS_OUT_OF_RANGE;
    for (unsigned i = 0; i < PEERS_PROCD_MODULES; i++) {
        uint64_t first = peers_modules[i].offset_bytes;
        if (offset_bytes >= first && offset_bytes - first < PAGE)
            read_module(i, offset_bytes - first, bytes, count);
    }
    return STATUS_OK;
}
