/* SPDX-License-Identifier: ISC */
/* The kernel boots with an image, whatever the image is: the model says which refusal is logged, or
 * what rootd is given: capabilities, pages and what is on them, registers, handoff, and who pays for
 * which page. A refusal leaves nothing behind, and nobody ever writes to the image. */
#include <stdio.h>
#include <string.h>

#include "abi/formats/handoff.h"
#include "abi/slots.h"
#include "fuzz/kernel/kernel_boot.h"

const char harness_name[] = "kernel_boot";
MARKS(12, 1);

static struct kernel kernel; /* of all inputs: a boot finds what the last one left */
static struct boot_bytes image;
static struct boot_expected expected;

static bool page_in_ranges(const struct kernel_boot_info *info, uint32_t page)
{
    for (uint32_t i = 0; i < info->range_count; i++) {
        if (page - info->ranges[i].first_page < info->ranges[i].page_count)
            return true;
    }
    return false;
}

/* --- what holds after every boot -------------------------------------------------------------- */

/* Every page that has a byte of the image is booked, however much of the last one is the image's:
 * what else is on it must not be handed out either. */
static void check_booked(const struct kernel_boot_info *info)
{
    uint32_t booked = 0;
    for (size_t at = 0; at < image.size_bytes; at += PAGE_BYTES)
        booked += machine_page_record(info->image_first_page + (uint32_t)(at / PAGE_BYTES))->kind ==
                  PAGE_IMAGE;
    PROPERTY_EQUAL(K13, "image-booked", booked, expected.image_pages);
    PROPERTY_EQUAL(K13, "image-pages", kernel.image_pages, expected.image_pages);
    MARK_IF("kernel boot: the last page of the image is not full",
            image.size_bytes % PAGE_BYTES != 0);
}

/* Pages around the ranges are nobody's, and the image is as it was. */
static void check_machine(const struct kernel_boot_info *info)
{
    static const struct page_record untouched;
    for (uint32_t i = 0; i < info->range_count; i++) {
        const struct page_range *range = &info->ranges[i];
        uint32_t around[] = {range->first_page - 1, range->first_page + range->page_count};
        for (unsigned k = 0; k < 2; k++) {
            if (around[k] < info->image_first_page && !page_in_ranges(info, around[k]))
                PROPERTY(K13, "beside-ranges",
                         memcmp(machine_page_record(around[k]), &untouched, sizeof untouched) == 0);
        }
    }
    check_booked(info);
    const uint8_t *loaded = machine_page(info->image_first_page);
    PROPERTY(V2, "image",
             image.size_bytes == 0 || memcmp(loaded, image.bytes, image.size_bytes) == 0);
    const char *wrong = kernel_check(&kernel);
    if (wrong != NULL)
        TRACE("kernel_check: %s", wrong);
    PROPERTY(K13, "check", wrong == NULL);
}

static void check_pool(uint32_t index, uint32_t total, uint32_t frames, uint32_t budgeted,
                       uint32_t drawn)
{
    const struct untyped *pool = &kernel.untypeds[index];
    PROPERTY_EQUAL(K5, "pool-total", pool->total_pages, total);
    PROPERTY_EQUAL(K5, "pool-frames", pool->frame_pages, frames);
    PROPERTY_EQUAL(K5, "pool-budgets", pool->budgeted_pages, budgeted);
    PROPERTY_EQUAL(K5, "pool-drawn", pool->drawn_pages, drawn);
    PROPERTY_EQUAL(K5, "pool-free", pool->free_pages, total - frames - drawn);
    digest_u64(pool->free_pages);
}

/* --- a refusal -------------------------------------------------------------------------------- */

static void check_refusal(const struct kernel_boot_info *info)
{
    char line[80];
    size_t count;
    const char *log = host_log(&count);
    snprintf(line, sizeof line, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:%s\n",
             status_name(expected.status));
    PROPERTY(E1, "refusal-logged", strcmp(log, line) == 0 && count == strlen(line));
    PROPERTY(E4, "no-process",
             kernel.process_count == 0 && kernel.current == KERNEL_IDLE &&
                 kernel_process(&kernel, 0) == NULL);
    PROPERTY(E4, "not-halted", !kernel.halted && !host_halted(NULL));
    PROPERTY(K16, "not-reported", !kernel.lives_reported);
    PROPERTY_EQUAL(E4, "two-pools", kernel.untyped_count, 2);
    check_pool(0, expected.bulk_pages, 0, 0, 0);
    check_pool(1, expected.launch_pages, 0, 0, 0);
    for (uint32_t i = 0; i < info->range_count; i++) {
        const struct page_range *range = &info->ranges[i];
        for (uint32_t k = 0; k < range->page_count && k < 64; k++)
            PROPERTY_EQUAL(E4, "page-free", machine_page_record(range->first_page + k)->kind,
                           PAGE_FREE);
    }
}

/* --- rootd ------------------------------------------------------------------------------------ */

static void check_slots(void)
{
    for (uint32_t slot = 0; slot < SLOT_DYNAMIC_BASE; slot++) {
        const struct capability *cap = kernel_slot(&kernel, 0, slot);
        enum object_type type = boot_slot_type(slot);
        PROPERTY_EQUAL(K1, "type", cap->object_type, type);
        if (type == OBJECT_NONE)
            continue;
        uint32_t object = slot == SLOT_PROCD_DRIVER_ENDPOINT ? (uint32_t)KERNEL_DRIVER_ENDPOINT
                          : slot == SLOT_UNTYPED_BASE + 1    ? 1u
                                                             : 0u;
        uint16_t rights = object_type_rights(type);
        PROPERTY_EQUAL(K1, "rights", cap->rights, rights);
        PROPERTY_EQUAL(K1, "object", cap->object, object);
        PROPERTY_EQUAL(K1, "badge", cap->badge, 0);
        PROPERTY(K1, "live", kernel_capability_live(&kernel, cap));
    }
    const struct process *root = kernel_process(&kernel, 0);
    PROPERTY(K1, "no-more", root->leaf_high * CSPACE_LEAF_CAPS <= SLOT_DYNAMIC_BASE);
}

/* One page of a segment: whose it is, what may be done, and each byte. */
static void check_page(const struct kernel_boot_info *info, const struct elf_segment *segment,
                       uint64_t index)
{
    uint64_t va = segment->va + index * PAGE_BYTES;
    uint16_t rights;
    uint32_t page = kernel_translate(&kernel, 0, va, &rights);
    PROPERTY_EQUAL(V1, "rights", rights, segment->rights);
    PROPERTY(G4, "mapped", page != 0);
    if (boot_page_is_images(segment, index)) {
        uint32_t source = info->image_first_page + expected.program_page +
                          (uint32_t)(segment->file_offset / PAGE_BYTES + index);
        PROPERTY_EQUAL(G4, "image-page", page, source);
        return;
    }
    PROPERTY(G4, "own-page", page_in_ranges(info, page));
    uint8_t use = (segment->rights & RIGHT_EXECUTE) != 0 ? FRAME_CODE : FRAME_DATA;
    PROPERTY_EQUAL(V2, "use", machine_page_record(page)->use, use);
    const uint8_t *bytes = machine_page(page);
    static uint8_t wanted[PAGE_BYTES];
    boot_page_bytes(&expected, segment, index, wanted);
    PROPERTY(G4, "bytes", memcmp(bytes, wanted, PAGE_BYTES) == 0);
}

/* Of a long segment the first and the last pages; how many there are is counted. */
static void check_pages(const struct kernel_boot_info *info)
{
    enum { LOOKED_AT = 6 };
    for (uint32_t i = 0; i < expected.plan.segment_count; i++) {
        const struct elf_segment *segment = &expected.plan.segments[i];
        for (uint64_t k = 0; k < segment->pages; k++) {
            if (k < LOOKED_AT || segment->pages - k <= LOOKED_AT)
                check_page(info, segment, k);
        }
    }
    const struct process *root = kernel_process(&kernel, 0);
    PROPERTY_EQUAL(K4, "mapped-pages", root->mapped_pages, expected.mapped_pages);
}

static void check_modules(const struct handoff *handoff)
{
    PROPERTY_EQUAL(R2, "module-count", handoff->module_count, expected.image.section_count);
    for (uint32_t i = 0; i < handoff->module_count; i++) {
        const struct handoff_module *module = &handoff->modules[i];
        const struct boot_section *section = &expected.image.sections[i];
        PROPERTY(R2, "module-name", memcmp(module->name, section->name, sizeof module->name) == 0);
        PROPERTY_EQUAL(R2, "module-kind", module->kind, section->kind);
        PROPERTY_EQUAL(R2, "module-offset", module->offset_bytes, section->offset_bytes);
        PROPERTY_EQUAL(R2, "module-bytes", module->size_bytes, section->size_bytes);
    }
}

static void check_handoff(const struct kernel_boot_info *info)
{
    static struct handoff handoff;
    const struct process *root = kernel_process(&kernel, 0);
    uint16_t rights;
    uint32_t page = kernel_translate(&kernel, 0, HANDOFF_VA, &rights);
    PROPERTY(R2, "handoff-page", page_in_ranges(info, page) && rights == RIGHT_READ);
    PROPERTY_EQUAL(V2, "handoff-use", machine_page_record(page)->use, FRAME_DATA);
    uint64_t bytes = root->start.arguments[1];
    PROPERTY(R2, "handoff-parses",
             bytes <= PAGE_BYTES &&
                 handoff_parse(machine_page(page), bytes, &handoff) == STATUS_OK);
    uint32_t launch = expected.launch_pages - expected.budget_pages - expected.private_pages;
    uint32_t image_pages = (uint32_t)(image.size_bytes / PAGE_BYTES);
    PROPERTY(R2, "handoff-slots",
             handoff.root_endpoint_slot == SLOT_SERVICE_ENDPOINT &&
                 handoff.image_slot == SLOT_IMAGE && handoff.untyped_count == 2 &&
                 handoff.untyped[0].slot == SLOT_UNTYPED_BASE &&
                 handoff.untyped[1].slot == SLOT_UNTYPED_BASE + 1);
    PROPERTY_EQUAL(R2, "handoff-bulk", handoff.untyped[0].pages, expected.bulk_pages);
    PROPERTY_EQUAL(R2, "handoff-launch", handoff.untyped[1].pages, launch);
    PROPERTY_EQUAL(R2, "handoff-free", handoff.free_pages, expected.bulk_pages + launch);
    PROPERTY_EQUAL(R2, "handoff-pages", handoff.page_count,
                   expected.bulk_pages + expected.launch_pages + image_pages);
    PROPERTY_EQUAL(R2, "handoff-image", handoff.image_bytes, image.size_bytes);
    PROPERTY(R2, "handoff-digest",
             memcmp(handoff.image_digest, image.bytes + 32, sizeof handoff.image_digest) == 0);
    check_modules(&handoff);
    digest_bytes(machine_page(page), bytes);
}

static void check_root(const struct kernel_boot_info *info)
{
    const struct process *root = kernel_process(&kernel, 0);
    PROPERTY(K12, "root-exists", root != NULL && kernel.process_count == 1);
    PROPERTY(K12, "root-current",
             kernel.current == 0 && root->life == LIFE_CURRENT && root->resume == RESUME_START &&
                 kernel.payer == 0);
    PROPERTY_EQUAL(K12, "entry", root->start.entry_va, expected.plan.entry);
    PROPERTY_EQUAL(K12, "stack", root->start.stack_top_va, expected.plan.stack_top);
    PROPERTY(K12, "arguments",
             root->start.arguments[0] == HANDOFF_VA &&
                 root->start.arguments[2] == SLOT_SERVICE_ENDPOINT);
    PROPERTY_EQUAL(K5, "budget", root->budget_pages, expected.budget_pages);
    PROPERTY_EQUAL(K5, "drawn", root->drawn_pages, expected.drawn_pages);
    check_pool(0, expected.bulk_pages, 0, 0, 0);
    check_pool(1, expected.launch_pages, expected.private_pages, expected.budget_pages,
               expected.drawn_pages);
    PROPERTY_EQUAL(K16, "reported", kernel.lives_reported, expected.lives_reported);
    PROPERTY(E1, "nothing-logged", host_log(NULL)[0] == '\0');
    check_slots();
    check_pages(info);
    check_handoff(info);
}

/* --- one input -------------------------------------------------------------------------------- */

static void mark_boot(enum status status)
{
    const struct elf_plan *plan = &expected.plan;
    mark_triple("kernel boot", plan->segment_count, 0, (unsigned)status);
    for (uint32_t i = 0; i < plan->segment_count && status == STATUS_OK; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        bool whole = boot_page_is_images(segment, 0);
        bool copied = !boot_page_is_images(segment, segment->pages - 1);
        MARK_IF("kernel boot: a page of the image is rootd's", whole);
        MARK_IF("kernel boot: a segment is its own and the image's", whole && copied);
        MARK_IF("kernel boot: code that does not fill its page",
                copied && (segment->rights & RIGHT_EXECUTE) != 0);
        MARK_IF("kernel boot: a segment of nothing but zeros", segment->file_bytes == 0);
        MARK_IF("kernel boot: right before the handoff",
                segment->va + segment->pages * PAGE_BYTES == HANDOFF_VA);
        MARK_IF("kernel boot: right behind the handoff", segment->va == HANDOFF_VA + PAGE_BYTES);
    }
    bool booted = status == STATUS_OK;
    MARK_IF("kernel boot: the last page of the budget",
            booted && expected.drawn_pages == expected.budget_pages);
    MARK_IF("kernel boot: one page is left to launch from",
            booted && expected.launch_pages - expected.budget_pages == expected.private_pages + 1);
    MARK_IF("kernel boot: no page is left to launch from", !booted && expected.handoff_mapped);
    MARK_IF("kernel boot: data that name a profile", expected.data_names_phase0);
    MARK_IF("kernel boot: the launch pool has all it may have",
            booted && expected.launch_pages < expected.bulk_pages - 1);
    MARK_IF("kernel boot: lives are reported", expected.lives_reported);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    host_init((size_t)BOOT_ARENA_PAGES * PAGE_BYTES);
    boot_draw_image(&choices, &image);
    host_load_image(image.bytes, image.size_bytes);
    struct kernel_boot_info info = boot_draw_machine(&choices, &image);
    boot_predict(&image, &info, &expected);
    enum status status = kernel_boot(&kernel, &info);
    TRACE("image of %zu bytes, %u pages in %u ranges, budget %u: %s, predicted %s",
          image.size_bytes, expected.bulk_pages + expected.launch_pages, info.range_count,
          expected.budget_pages, status_name(status), status_name(expected.status));
    PROPERTY_EQUAL(E1, "verdict", status, expected.status);
    if (status == STATUS_OK)
        check_root(&info);
    else
        check_refusal(&info);
    check_machine(&info);
    mark_boot(status);
    digest_u64((uint64_t)status);
    return 0;
}
