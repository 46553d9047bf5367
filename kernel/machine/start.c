/* SPDX-License-Identifier: ISC */
/* Reads the start info. Decides which memory is free: what the loader calls RAM, without all that
 * somebody else has; and which image is refused. Takes no address of a table on trust. */
#include "kernel/machine/start.h"

#include <string.h>

#include "abi/limits.h"

enum { MEMORY_RAM = 1 };

/* The published layout of Xen's hvm_start_info, version 1, and of what it points to. */
struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules_addr, command_line_addr, tables_addr, map_addr;
    uint32_t map_count, reserved;
};
struct start_module {
    uint64_t addr, bytes, command_line_addr, reserved;
};
struct start_memory {
    uint64_t addr, bytes;
    uint32_t type, reserved;
};

static bool view_has(const struct start_view *view, uint64_t addr, uint64_t bytes)
{
    return addr <= view->bytes && bytes <= view->bytes - addr;
}

static bool view_copy(const struct start_view *view, uint64_t addr, void *target, size_t bytes)
{
    if (!view_has(view, addr, bytes))
        return false;
    memcpy(target, view->memory + addr, bytes);
    return true;
}

static uint64_t page_up(uint64_t value)
{
    return (value + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

static struct start_memory row_read(const struct start_view *view, const struct start_info *info,
                                    uint32_t index)
{
    struct start_memory row;
    memcpy(&row, view->memory + info->map_addr + index * sizeof row, sizeof row);
    return row;
}

/* What is RAM, and then without what is anything else: rows may overlap. */
static bool memory_read(const struct start_view *view, const struct start_info *info,
                        struct span_list *list)
{
    if (!view_has(view, info->map_addr, (uint64_t)info->map_count * sizeof(struct start_memory)))
        return false;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < info->map_count; i++) {
            struct start_memory row = row_read(view, info, i);
            if (pass == 0 && row.type == MEMORY_RAM)
                span_add(list, row.addr, row.bytes);
            if (pass == 1 && row.type != MEMORY_RAM)
                span_remove(list, row.addr, row.bytes);
        }
    }
    return true;
}

/* Copied before any page is handed out, wherever a loader put it. */
static void line_read(const struct start_view *view, uint64_t addr, char line[START_LINE_BYTES])
{
    uint64_t count = 0;
    while (addr != 0 && count + 1 < START_LINE_BYTES && view_has(view, addr, count + 1) &&
           view->memory[addr + count] != '\0')
        count++;
    if (count != 0 && view_has(view, addr, count + 1))
        memcpy(line, view->memory + addr, count);
}

static uint64_t row_end(const struct start_memory *row)
{
    uint64_t end;
    return __builtin_add_overflow(row->addr, row->bytes, &end) ? UINT64_MAX : end;
}

/* Where the RAM ends that has the page at `at`, by whole pages of one row after the other, or some
 * place from `end` on; `at`: no row has it. Each round but the last reaches another page: of rows
 * that come the other way round there are no more rounds than pages before `end`. */
static uint64_t ram_end(const struct start_view *view, const struct start_info *info, uint64_t at,
                        uint64_t end)
{
    uint64_t before = UINT64_MAX;
    while (at < end && at != before) {
        before = at;
        for (uint32_t i = 0; i < info->map_count; i++) {
            struct start_memory row = row_read(view, info, i);
            uint64_t last = row_end(&row) & ~(uint64_t)(PAGE_BYTES - 1);
            if (row.type == MEMORY_RAM && row.addr <= at && last > at)
                at = last;
        }
    }
    return at;
}

/* Whether [first, end), whole pages, is RAM and nothing else: what lies elsewhere is a device's, or
 * the firmware's, which may write there, or nothing. */
static bool is_ram(const struct start_view *view, const struct start_info *info, uint64_t first,
                   uint64_t end)
{
    for (uint32_t i = 0; i < info->map_count; i++) {
        struct start_memory row = row_read(view, info, i);
        if (row.type != MEMORY_RAM && row.bytes != 0 && row.addr < end && row_end(&row) > first)
            return false;
    }
    return ram_end(view, info, first, end) >= end;
}

/* boot.S has asked the last of these, as far as 32 bits reach. Page 0 is mapped nowhere. */
static bool image_judge(const struct start_module *module, const struct span *kernel,
                        uint64_t limit)
{
    uint64_t end = module->addr + module->bytes;
    return module->addr % PAGE_BYTES == 0 && end >= module->addr && end <= limit &&
           (module->addr >= kernel->end || end <= kernel->first) &&
           (module->addr != 0 || module->bytes == 0);
}

bool start_read(const struct start_view *view, uint64_t addr, const struct span *kernel,
                uint64_t limit, struct start *out)
{
    struct start_info info;
    struct start_module module = {0};
    memset(out, 0, sizeof *out);
    span_list_init(&out->free, limit);
    if (!view_copy(view, addr, &info, sizeof info) || info.magic != START_INFO_MAGIC ||
        info.version < 1 || !memory_read(view, &info, &out->free))
        return false;
    span_remove(&out->free, 0, START_RESERVED_BYTES); /* the start info itself is there, mostly */
    span_remove(&out->free, kernel->first, kernel->end - kernel->first);
    line_read(view, info.command_line_addr, out->line);
    if (info.module_count > 0) {
        if (!view_copy(view, info.modules_addr, &module, sizeof module) ||
            !image_judge(&module, kernel, limit) ||
            (module.bytes != 0 &&
             !is_ram(view, &info, module.addr, page_up(module.addr + module.bytes))))
            return false;
        span_remove(&out->free, module.addr, module.bytes);
    }
    out->image_addr = module.addr;
    out->image_bytes = module.bytes;
    uint64_t image_end = module.addr + module.bytes, end = span_end(&out->free);
    out->memory_end = page_up(end > image_end ? end : image_end);
    return true;
}
