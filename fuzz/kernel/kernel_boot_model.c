/* SPDX-License-Identifier: ISC */
/* What kernel_boot makes of an image and a machine, by the words of kernel.h. Whether the image is
 * sound, and which segments an ELF file has, is asked of the formats, which have harnesses of their
 * own; the rest is computed here: which module, whose pages, what they cost, and who pays. */
#include <string.h>

#include "abi/formats/handoff.h"
#include "abi/profile.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "fuzz/codec/codec.h"
#include "fuzz/kernel/kernel_boot.h"

/* --- the module ------------------------------------------------------------------------------- */

static const struct boot_section *module_find(const struct boot_image *image, const char *name,
                                              uint32_t kind)
{
    for (uint32_t i = 0; i < image->section_count; i++) {
        const struct boot_section *section = &image->sections[i];
        if (strncmp(section->name, name, sizeof section->name) == 0 && section->kind == kind)
            return section;
    }
    return NULL;
}

static enum status program_verdict(const struct elf_plan *plan)
{
    if (plan->stack_top == 0)
        return STATUS_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        uint64_t handoff = HANDOFF_VA / PAGE_BYTES, first = segment->va / PAGE_BYTES;
        if (segment->first_bytes != 0)
            return STATUS_NOT_ALIGNED;
        if (handoff >= first && handoff - first < segment->pages)
            return STATUS_OVERLAP;
    }
    return STATUS_OK;
}

static enum status image_verdict(const struct boot_bytes *image, struct boot_expected *out)
{
    if (image->size_bytes == 0)
        return STATUS_TRUNCATED;
    enum status status = boot_image_parse(image->bytes, image->size_bytes, &out->image);
    if (status == STATUS_OK && !image->digests_fit)
        status = boot_image_verify(&out->image, image->bytes, image->size_bytes);
    if (status != STATUS_OK)
        return status;
    const struct boot_section *module = module_find(&out->image, "rootd", BOOT_SECTION_EXECUTABLE);
    if (module == NULL)
        return STATUS_MISSING_MODULE;
    out->program = image->bytes + module->offset_bytes;
    out->program_page = (uint32_t)(module->offset_bytes / PAGE_BYTES);
    status = elf_plan_parse(out->program, module->size_bytes, module->size_bytes, &out->plan);
    return status == STATUS_OK ? program_verdict(&out->plan) : status;
}

/* A config of the published header says that lives are reported when it names phase 0. */
static bool reports(const struct boot_bytes *image, const struct boot_image *parsed, uint32_t kind)
{
    const struct boot_section *config = module_find(parsed, "boot-config", kind);
    if (config == NULL || config->size_bytes < 32)
        return false;
    const uint8_t *bytes = image->bytes + config->offset_bytes;
    return memcmp(bytes, "ERIXBCFG\1\0\0\0", 12) == 0 &&
           codec_u32(bytes + 24) == VALIDATION_PROFILE_PHASE0;
}

/* --- capabilities ----------------------------------------------------------------------------- */

enum object_type boot_slot_type(uint32_t slot)
{
    static const uint8_t types[SLOT_STARTUP_LAST + 1] = {
        [SLOT_SELF] = OBJECT_KERNEL_SELF,
        [SLOT_SERVICE_ENDPOINT] = OBJECT_ENDPOINT,
        [SLOT_IMAGE] = OBJECT_IMAGE,
        [SLOT_UNTYPED_BASE] = OBJECT_UNTYPED,
        [SLOT_UNTYPED_BASE + 1] = OBJECT_UNTYPED,
        [SLOT_PROCD_DRIVER_ENDPOINT] = OBJECT_ENDPOINT,
        [SLOT_KERNEL_TIME_ENDPOINT] = OBJECT_KERNEL_TIME,
        [SLOT_KERNEL_IRQ_ENDPOINT] = OBJECT_KERNEL_IRQ,
        [SLOT_KERNEL_HOTPLUG_ENDPOINT] = OBJECT_KERNEL_HOTPLUG,
        [SLOT_KERNEL_PCI_CONFIG_ENDPOINT] = OBJECT_KERNEL_PCI_CONFIG,
        [SLOT_KERNEL_CONSOLE_ENDPOINT] = OBJECT_KERNEL_CONSOLE,
        [SLOT_KERNEL_COM1_ENDPOINT] = OBJECT_KERNEL_COM1,
        [SLOT_KERNEL_MEM_ENDPOINT] = OBJECT_KERNEL_MEMORY,
        [SLOT_KERNEL_VSPACE_ENDPOINT] = OBJECT_KERNEL_VSPACE,
        [SLOT_KERNEL_PAGER_ENDPOINT] = OBJECT_KERNEL_PAGER,
        [SLOT_KERNEL_LOG_ENDPOINT] = OBJECT_KERNEL_LOG,
        [SLOT_KERNEL_PROCESS_ENDPOINT] = OBJECT_KERNEL_PROCESS,
        [SLOT_KERNEL_CHILD_POPULATE_ENDPOINT] = OBJECT_KERNEL_CHILD_POPULATE,
        [SLOT_KERNEL_ACPI_ENDPOINT] = OBJECT_KERNEL_ACPI,
        [SLOT_KERNEL_I8042_ENDPOINT] = OBJECT_KERNEL_I8042,
    };
    return slot <= SLOT_STARTUP_LAST ? (enum object_type)types[slot] : OBJECT_NONE;
}

/* Slots are kept in leaves, which begin with the first that one of them holds. */
static uint32_t leaves_of_slots(void)
{
    uint32_t leaves = 0, last = UINT32_MAX;
    for (uint32_t slot = 0; slot <= SLOT_STARTUP_LAST; slot++) {
        if (boot_slot_type(slot) == OBJECT_NONE || slot / CSPACE_LEAF_CAPS == last)
            continue;
        last = slot / CSPACE_LEAF_CAPS;
        leaves++;
    }
    return leaves;
}

/* --- pages ------------------------------------------------------------------------------------ */

bool boot_page_is_images(const struct elf_segment *segment, uint64_t index)
{
    return (segment->rights & RIGHT_WRITE) == 0 && (index + 1) * PAGE_BYTES <= segment->file_bytes;
}

void boot_page_bytes(const struct boot_expected *expected, const struct elf_segment *segment,
                     uint64_t index, uint8_t page[PAGE_BYTES])
{
    uint64_t first = index * PAGE_BYTES, left = 0;
    if (first < segment->file_bytes)
        left = segment->file_bytes - first;
    if (left > PAGE_BYTES)
        left = PAGE_BYTES;
    memset(page, 0, PAGE_BYTES);
    memcpy(page, expected->program + segment->file_offset + first, left);
}

/* What is mapped so far, as ranges of addresses. */
struct mapped {
    struct {
        uint64_t first, end;
    } ranges[ELF_SEGMENT_LIMIT + 2];
    uint32_t count;
};

static bool mapped_meets(const struct mapped *mapped, uint64_t first, uint64_t last)
{
    for (uint32_t i = 0; i < mapped->count; i++) {
        uint64_t begin = mapped->ranges[i].first, end = mapped->ranges[i].end;
        if (begin != end && begin <= last && first < end)
            return true;
    }
    return false;
}

/* Tables that a page at va needs and that no page before it needed: one for 512 GiB, for 1 GiB, and
 * two for 2 MiB, of entries and of links. */
static uint32_t tables_for(const struct mapped *mapped, uint64_t va)
{
    static const struct {
        unsigned shift;
        uint32_t pages;
    } levels[] = {{39, 1}, {30, 1}, {21, 2}};
    uint32_t pages = 0;
    for (unsigned i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        uint64_t covered = (UINT64_C(1) << levels[i].shift) - 1;
        if (!mapped_meets(mapped, va & ~covered, va | covered))
            pages += levels[i].pages;
    }
    return pages;
}

/* Maps one page; false: the budget or the pool has no room. */
static bool page_add(struct boot_expected *out, struct mapped *mapped, uint64_t va, bool is_private)
{
    uint32_t tables = tables_for(mapped, va);
    if (is_private && out->private_pages == out->launch_pages - out->budget_pages)
        return false;
    if (tables > out->budget_pages - out->drawn_pages)
        return false;
    out->drawn_pages += tables;
    out->private_pages += is_private;
    out->mapped_pages++;
    mapped->ranges[mapped->count - 1].end = va + PAGE_BYTES;
    return true;
}

static void range_begin(struct mapped *mapped, uint64_t va)
{
    mapped->ranges[mapped->count].first = va;
    mapped->ranges[mapped->count++].end = va;
}

/* All pages in their order, the handoff's last, which needs a page left over in both pools. */
static bool pages_fit(struct boot_expected *out)
{
    struct mapped mapped = {.count = 0};
    out->drawn_pages = 4 + leaves_of_slots(); /* record, root of slots, message page, root table */
    range_begin(&mapped, MESSAGE_PAGE_VA);
    if (!page_add(out, &mapped, MESSAGE_PAGE_VA, false))
        return false;
    for (uint32_t i = 0; i < out->plan.segment_count; i++) {
        const struct elf_segment *segment = &out->plan.segments[i];
        range_begin(&mapped, segment->va);
        for (uint64_t k = 0; k < segment->pages; k++) {
            if (!page_add(out, &mapped, segment->va + k * PAGE_BYTES,
                          !boot_page_is_images(segment, k)))
                return false;
        }
    }
    range_begin(&mapped, HANDOFF_VA);
    out->handoff_mapped = page_add(out, &mapped, HANDOFF_VA, true);
    return out->handoff_mapped && out->private_pages < out->launch_pages - out->budget_pages &&
           out->bulk_pages != 0;
}

static enum status memory_verdict(const struct kernel_boot_info *info, struct boot_expected *out)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < info->range_count; i++)
        pages += info->ranges[i].page_count;
    uint64_t launch = KERNEL_LAUNCH_PAGES + role_tables_total_pages(pages);
    if (launch > pages / 2)
        launch = pages / 2;
    out->launch_pages = (uint32_t)launch;
    out->bulk_pages = (uint32_t)(pages - launch);
    out->budget_pages = info->root_budget_pages;
    if (out->budget_pages == 0)
        out->budget_pages = role_find(ROLE_ROOTD)->budget_pages;
    if (out->budget_pages < PROCESS_BUDGET_PAGES_MIN || out->budget_pages > out->launch_pages)
        return STATUS_EXHAUSTED;
    return STATUS_OK;
}

void boot_predict(const struct boot_bytes *image, const struct kernel_boot_info *info,
                  struct boot_expected *out)
{
    memset(out, 0, sizeof *out);
    out->image_pages =
        (uint32_t)(image->size_bytes / PAGE_BYTES) + (image->size_bytes % PAGE_BYTES != 0);
    enum status memory = memory_verdict(info, out);
    out->status = image_verdict(image, out);
    if (out->status == STATUS_OK)
        out->status = memory;
    if (out->status == STATUS_OK && !pages_fit(out))
        out->status = STATUS_EXHAUSTED;
    if (out->status != STATUS_OK)
        return;
    out->lives_reported = reports(image, &out->image, BOOT_SECTION_BOOT_CONFIG);
    out->data_names_phase0 = reports(image, &out->image, BOOT_SECTION_DATA);
}
