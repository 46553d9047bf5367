/* SPDX-License-Identifier: ISC */
/* What a program's entry code does before any C runs, by the plan of its module. Decides nothing but
 * the order, which is that of services/runtime/entry_code.h. */
#include "abi/formats/elf_plan.h"
#include "abi/user_memory.h"
#include "props/world/world.h"
#include "services/runtime/entry.h"

/* The plan by which the module of that name was loaded; no segments when there is none. */
static struct elf_plan module_plan(const char *name)
{
    struct elf_plan plan = {0};
    uint64_t size_bytes;
    const uint8_t *module = world_module(name, &size_bytes);
    if (module != NULL)
        elf_plan_parse(module, size_bytes, size_bytes, &plan);
    return plan;
}

static void segment_touch(const struct elf_segment *segment)
{
    for (uint64_t page = 0; page < segment->pages; page++)
        user_load64(segment->va + page * PAGE_BYTES);
}

/* As the helpers' entry code does (services/runtime/entry_code.h): reads every page upwards, of code
 * first, then of all else but the stack, whose first pages are written from the top down. */
void world_image_touch(const char *name, uint64_t stack_top_va)
{
    struct elf_plan plan = module_plan(name);
    uint32_t count = plan.segment_count - (plan.stack_top != 0);
    for (int is_code = 1; is_code >= 0; is_code--) {
        for (uint32_t i = 0; i < count; i++) {
            if (((plan.segments[i].rights & RIGHT_EXECUTE) != 0) == is_code)
                segment_touch(&plan.segments[i]);
        }
    }
    for (uint64_t page = 1; page <= HELPER_STACK_PAGES; page++)
        user_store64(stack_top_va - page * PAGE_BYTES, 0);
}
