/* SPDX-License-Identifier: ISC */
/* What a program's entry code does before any C runs, by the plan of its module. Decides nothing but
 * the order, which is that of services/runtime/entry_code.h. */
#include "abi/formats/elf_plan.h"
#include "abi/user_memory.h"
#include "props/world/world.h"
#include "services/probes/layout.h"
#include "services/runtime/entry.h"

enum { HEADER_COUNT_AT = 56, STOCK_CODE_BYTES = 1 << 20 /* far below where our scripts begin */ };

/* The plan of a program that no module is of: it came from a file, and reads its headers itself, which
 * lie where stock linkers begin a program. */
static struct elf_plan loaded_plan(void)
{
    union {
        uint64_t words[ELF_VIEW_BYTES / sizeof(uint64_t)];
        uint8_t bytes[ELF_VIEW_BYTES];
    } view;
    struct elf_plan plan = {0};
    uint64_t count = user_load64(STOCK_IMAGE_VA + HEADER_COUNT_AT) & UINT16_MAX;
    size_t view_bytes = ELF_HEADER_BYTES + count * ELF_PROGRAM_HEADER_BYTES;
    if (count > ELF_PROGRAM_HEADER_LIMIT)
        return plan;
    for (uint64_t at = 0; at < view_bytes; at += sizeof(uint64_t))
        view.words[at / sizeof(uint64_t)] = user_load64(STOCK_IMAGE_VA + at);
    elf_plan_parse(view.bytes, view_bytes, UINT32_MAX, &plan);
    return plan;
}

/* The plan by which the program of that name was loaded; no segments of one that a test has put in the
 * place of another. */
static struct elf_plan program_plan(const char *name, uint64_t entry_va)
{
    struct elf_plan plan = {0};
    uint64_t size_bytes;
    const uint8_t *module = world_module(name, &size_bytes);
    bool is_stock = entry_va >= STOCK_IMAGE_VA && entry_va < STOCK_IMAGE_VA + STOCK_CODE_BYTES;
    if (module != NULL)
        elf_plan_parse(module, size_bytes, size_bytes, &plan);
    else if (is_stock)
        plan = loaded_plan();
    return plan;
}

static void segment_touch(const struct elf_segment *segment)
{
    for (uint64_t page = 0; page < segment->pages; page++)
        user_load64(segment->va + page * PAGE_BYTES);
}

/* As the helpers' entry code does (services/runtime/entry_code.h): reads every page upwards, of code
 * first, then of all else but the stack, whose first pages are written from the top down. A stack
 * pointer that is not at the end of a page leaves one above them, which the first call writes. */
void world_image_touch(const char *name, uint64_t entry_va, uint64_t stack_top_va)
{
    struct elf_plan plan = program_plan(name, entry_va);
    uint32_t count = plan.segment_count - (plan.stack_top != 0);
    for (int is_code = 1; is_code >= 0; is_code--) {
        for (uint32_t i = 0; i < count; i++) {
            if (((plan.segments[i].rights & RIGHT_EXECUTE) != 0) == is_code)
                segment_touch(&plan.segments[i]);
        }
    }
    for (uint64_t page = 1; page <= HELPER_STACK_PAGES; page++)
        user_store64(stack_top_va - page * PAGE_BYTES, 0);
    user_store64(stack_top_va - sizeof(uint64_t), 0); /* where its first call comes back to */
}
