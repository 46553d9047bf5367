/* SPDX-License-Identifier: ISC */
/* Boot with an image:
 *   1. parse and verify the boot image, all of it (nobody else ever does);
 *   2. plan rootd's ELF file;
 *   3. make rootd, map pages that its read-only segments fill straight from the image and copy all
 *      others: around a segment is zero, whoever packed the image (G4);
 *   4. write the handoff and map it read-only at HANDOFF_VA;
 *   5. make rootd current; in an image whose profile asks for it, lives are reported from here on.
 * A refusal at any step is logged and leaves no process. */
#include "abi/formats/boot_config.h"
#include "abi/formats/boot_image.h"
#include "abi/formats/elf_plan.h"
#include "abi/formats/handoff.h"
#include "kernel/core/vspace.h"

struct root_program {
    uint32_t first_page; /* of the module */
    struct elf_plan plan;
};

/* --- questions -------------------------------------------------------------------------------- */

static enum status program_find(const struct kernel *kernel, const struct boot_image *image,
                                struct root_program *out)
{
    int index = boot_image_find(image, "rootd");
    if (index < 0 || image->sections[index].kind != BOOT_SECTION_EXECUTABLE)
        return STATUS_MISSING_MODULE;
    const struct boot_section *section = &image->sections[index];
    out->first_page = kernel->image_first_page + (uint32_t)(section->offset_bytes / PAGE_BYTES);
    return elf_plan_parse(machine_page(out->first_page), section->size_bytes, section->size_bytes,
                          &out->plan);
}

/* rootd is linked by linker/service.ld: each segment begins on a page, and it has a stack. */
static enum status program_judge(const struct elf_plan *plan)
{
    if (plan->stack_top == 0)
        return STATUS_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        uint64_t end = segment->va + segment->pages * PAGE_BYTES;
        if (segment->first_bytes != 0)
            return STATUS_NOT_ALIGNED;
        if (segment->va < HANDOFF_VA + PAGE_BYTES && end > HANDOFF_VA)
            return STATUS_OVERLAP;
    }
    return STATUS_OK;
}

static enum status boot_decide(const struct kernel *kernel, uint64_t image_bytes,
                               struct boot_image *image, struct root_program *program)
{
    enum status status =
        boot_image_open(machine_page(kernel->image_first_page), image_bytes, image);
    if (status == STATUS_OK)
        status = program_find(kernel, image, program);
    return status == STATUS_OK ? program_judge(&program->plan) : status;
}

/* --- loading ---------------------------------------------------------------------------------- */

/* A page of rootd's own, mapped; 0: no budget for tables or no page. */
static uint32_t private_page(struct kernel *kernel, struct process *root, uint64_t va,
                             uint16_t rights)
{
    struct vspace_range range = vspace_range_find(root, va, 1);
    if (kernel_untyped_available(&kernel->untypeds[POOL_LAUNCH]) == 0 ||
        vspace_reserve(kernel, root, &range) != STATUS_OK)
        return 0;
    uint32_t page = frame_create(kernel, POOL_LAUNCH);
    machine_page_record(page)->use = (rights & RIGHT_EXECUTE) != 0 ? FRAME_CODE : FRAME_DATA;
    mapping_add(root, &range, page, rights);
    return page;
}

static enum status page_load(struct kernel *kernel, struct process *root,
                             const struct root_program *program, const struct elf_segment *segment,
                             uint64_t index)
{
    uint64_t va = segment->va + index * PAGE_BYTES;
    struct elf_piece piece = elf_segment_piece(segment, index);
    uint32_t source = program->first_page + (uint32_t)(piece.file_offset / PAGE_BYTES);
    if ((segment->rights & RIGHT_WRITE) == 0 && piece.bytes == PAGE_BYTES) {
        struct vspace_range range = vspace_range_find(root, va, 1);
        if (vspace_reserve(kernel, root, &range) != STATUS_OK)
            return STATUS_EXHAUSTED;
        mapping_add(root, &range, source, segment->rights);
        return STATUS_OK;
    }
    uint32_t page = private_page(kernel, root, va, segment->rights);
    if (page == 0)
        return STATUS_EXHAUSTED;
    memcpy((uint8_t *)machine_page(page) + piece.at,
           (const uint8_t *)machine_page(source) + piece.at, piece.bytes);
    return STATUS_OK;
}

static enum status program_load(struct kernel *kernel, struct process *root,
                                const struct root_program *program)
{
    for (uint32_t i = 0; i < program->plan.segment_count; i++) {
        const struct elf_segment *segment = &program->plan.segments[i];
        for (uint64_t k = 0; k < segment->pages; k++) {
            enum status status = page_load(kernel, root, program, segment, k);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

/* --- handoff ---------------------------------------------------------------------------------- */

static void handoff_untyped_add(const struct kernel *kernel, struct handoff *handoff, uint32_t slot,
                                uint32_t pool)
{
    uint32_t pages = kernel_untyped_available(&kernel->untypeds[pool]);
    handoff->untyped[handoff->untyped_count++] = (struct handoff_untyped){slot, pages};
    handoff->free_pages += pages;
}

static void handoff_fill(const struct kernel *kernel, const struct boot_image *image,
                         struct handoff *handoff)
{
    memset(handoff, 0, sizeof *handoff);
    handoff->root_endpoint_slot = SLOT_SERVICE_ENDPOINT;
    handoff->image_slot = SLOT_IMAGE;
    handoff->image_bytes = image->total_bytes;
    memcpy(handoff->image_digest, image->table_sha256, sizeof handoff->image_digest);
    handoff->page_count = (uint64_t)kernel->page_count + kernel->image_pages;
    handoff_untyped_add(kernel, handoff, SLOT_UNTYPED_BASE, POOL_BULK);
    handoff_untyped_add(kernel, handoff, SLOT_UNTYPED_BASE + 1, POOL_LAUNCH);
    handoff->module_count = image->section_count;
    for (uint32_t i = 0; i < image->section_count; i++) {
        struct handoff_module *module = &handoff->modules[i];
        const struct boot_section *section = &image->sections[i];
        memcpy(module->name, section->name, sizeof module->name);
        module->kind = section->kind;
        module->offset_bytes = section->offset_bytes;
        module->size_bytes = section->size_bytes;
    }
}

static enum status handoff_place(struct kernel *kernel, struct process *root,
                                 const struct boot_image *image, size_t *bytes)
{
    struct handoff handoff;
    uint32_t page = private_page(kernel, root, HANDOFF_VA, RIGHT_READ);
    if (page == 0 || kernel_untyped_available(&kernel->untypeds[POOL_BULK]) == 0 ||
        kernel_untyped_available(&kernel->untypeds[POOL_LAUNCH]) == 0)
        return STATUS_EXHAUSTED; /* rootd would have nothing to launch from */
    handoff_fill(kernel, image, &handoff);
    return handoff_encode(&handoff, machine_page(page), PAGE_BYTES, bytes);
}

/* --- reports ---------------------------------------------------------------------------------- */

/* The one thing that the kernel reads in a boot config: all else, whether it is sound above all, is
 * rootd's to judge. */
static uint32_t profile_of(const struct kernel *kernel, const struct boot_image *image)
{
    int index = boot_image_find(image, BOOT_CONFIG_MODULE_NAME);
    if (index < 0 || image->sections[index].kind != BOOT_SECTION_BOOT_CONFIG)
        return VALIDATION_PROFILE_NONE;
    const struct boot_section *section = &image->sections[index];
    uint32_t page = kernel->image_first_page + (uint32_t)(section->offset_bytes / PAGE_BYTES);
    return boot_config_profile(machine_page(page), section->size_bytes);
}

/* --- boot ------------------------------------------------------------------------------------- */

static enum status boot_perform(struct kernel *kernel, const struct kernel_boot_info *info,
                                const struct boot_image *image, const struct root_program *program)
{
    size_t handoff_size = 0;
    struct process *root = root_create(kernel, info);
    if (root == NULL)
        return STATUS_EXHAUSTED;
    enum status status = program_load(kernel, root, program);
    if (status == STATUS_OK)
        status = handoff_place(kernel, root, image, &handoff_size);
    if (status != STATUS_OK) {
        root_destroy(kernel, root);
        return status;
    }
    root->start = (struct start_context){
        .entry_va = program->plan.entry,
        .stack_top_va = program->plan.stack_top,
        .arguments = {HANDOFF_VA, handoff_size, SLOT_SERVICE_ENDPOINT},
    };
    process_enter(kernel, root);
    kernel->payer = root->index;
    return STATUS_OK;
}

static void refusal_log(enum status status)
{
    static const char prefix[] = "BASALT_KERNEL:BOOT_IMAGE_REFUSED:";
    const char *name = status_name(status);
    size_t count = 0;
    while (name[count] != '\0')
        count++;
    machine_log(prefix, sizeof prefix - 1);
    machine_log(name, count);
    machine_log("\n", 1);
}

enum status kernel_boot(struct kernel *kernel, const struct kernel_boot_info *info)
{
    struct boot_image image;
    struct root_program program;
    kernel_clear(kernel, info);
    enum status status = STATUS_TRUNCATED; /* no image at all */
    if (kernel->image_pages != 0)
        status = boot_decide(kernel, info->image_bytes, &image, &program);
    if (status == STATUS_OK)
        status = boot_perform(kernel, info, &image, &program);
    if (status != STATUS_OK)
        refusal_log(status);
    else
        kernel->lives_reported = validation_profile_reports_lives(profile_of(kernel, &image));
    return status;
}
