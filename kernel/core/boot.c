/* SPDX-License-Identifier: ISC */
/* The first state: pools of all free memory, and rootd with the authority that everything else is
 * derived from (K1). Decides how memory is split and what rootd holds; boot_image.c loads its
 * program. */
#include "kernel/core/cspace.h"

#include "abi/roles.h"

/* --- memory ----------------------------------------------------------------------------------- */

/* Clears only what an earlier life of this state has used. */
static void tables_clear(struct kernel *kernel)
{
    uint32_t processes = kernel->process_high;
    uint32_t untypeds = kernel->untyped_high;
    KERNEL_ASSERT(processes <= PROCESS_LIMIT && untypeds <= KERNEL_UNTYPED_LIMIT);
    memset(kernel->processes, 0, processes * sizeof kernel->processes[0]);
    memset(kernel->untypeds, 0, untypeds * sizeof kernel->untypeds[0]);
    kernel->process_high = 0;
    kernel->process_count = 0;
    kernel->process_free = KERNEL_NONE;
    kernel->untyped_high = 0;
    kernel->untyped_count = 0;
    kernel->untyped_free = KERNEL_NONE;
}

/* What the foundation is built from: a fixed part, and the tables that grow with the memory. Never
 * more than half of it. */
static uint32_t launch_pages(uint32_t page_count)
{
    uint64_t pages = KERNEL_LAUNCH_PAGES + role_tables_total_pages(page_count);
    return pages < page_count / 2 ? (uint32_t)pages : page_count / 2;
}

static void pools_make(struct kernel *kernel, const struct kernel_boot_info *info)
{
    kernel->page_count = 0;
    kernel->range_count = info->range_count;
    for (uint32_t i = 0; i < info->range_count; i++) {
        kernel->ranges[i] = info->ranges[i];
        kernel->page_count += info->ranges[i].page_count;
    }
    uint32_t launch = launch_pages(kernel->page_count);
    uint32_t bulk = kernel->page_count - launch;
    uint32_t bulk_index = untyped_create(kernel, KERNEL_NONE, bulk);
    uint32_t launch_index = untyped_create(kernel, KERNEL_NONE, launch);
    KERNEL_ASSERT(bulk_index == POOL_BULK && launch_index == POOL_LAUNCH);
    stock_init(kernel, &kernel->stocks[POOL_LAUNCH], 0, launch);
    stock_init(kernel, &kernel->stocks[POOL_BULK], launch, bulk);
}

static void lines_clear(struct kernel *kernel)
{
    kernel->check_lines = 0;
    for (uint32_t line = 0; line < INTERRUPT_LINE_COUNT; line++)
        kernel->interrupts[line] = (struct interrupt){
            .links = {KERNEL_NONE, KERNEL_NONE}, .endpoint = KERNEL_NONE, .masked = true};
}

void kernel_clear(struct kernel *kernel, const struct kernel_boot_info *info)
{
    KERNEL_ASSERT(info->range_count != 0 && info->range_count <= KERNEL_PAGE_RANGE_LIMIT);
    tables_clear(kernel);
    kernel->current = KERNEL_IDLE;
    kernel->halted = false;
    kernel->wakes_due = false;
    kernel->lives_reported = false;
    kernel->halt_code = 0;
    kernel->now_ticks = 0;
    kernel->unsettled = false;
    kernel->payer = KERNEL_IDLE;
    for (uint32_t band = 0; band < BAND_COUNT; band++)
        kernel->ready[band] = queue_empty();
    kernel->work_done = 0;
    kernel->work_max = info->work_max == 0 ? KERNEL_WORK_MAX : info->work_max;
    KERNEL_ASSERT(kernel->work_max >= KERNEL_WORK_MIN);
    kernel->driver_receivers = 0;
    kernel->driver_drainer = KERNEL_NONE;
    kernel->driver_claims = 0;
    kernel->deadline_count = 0;
    kernel->recent_count = 0;
    endpoint_init(&kernel->driver_endpoint, 0);
    lines_clear(kernel);
    kernel->image_first_page = info->image_first_page;
    kernel->image_pages = (uint32_t)((info->image_bytes + PAGE_BYTES - 1) / PAGE_BYTES);
    for (uint32_t i = 0; i < kernel->image_pages; i++) {
        machine_page_begin(kernel->image_first_page + i);
        machine_page_record(kernel->image_first_page + i)->kind = PAGE_IMAGE;
    }
    pools_make(kernel, info);
}

/* --- rootd's authority ------------------------------------------------------------------------ */

struct boot_slot {
    uint32_t slot;
    enum object_type type;
};

static const struct boot_slot control_slots[] = {
    {SLOT_KERNEL_TIME_ENDPOINT, OBJECT_KERNEL_TIME},
    {SLOT_KERNEL_IRQ_ENDPOINT, OBJECT_KERNEL_IRQ},
    {SLOT_KERNEL_HOTPLUG_ENDPOINT, OBJECT_KERNEL_HOTPLUG},
    {SLOT_KERNEL_PCI_CONFIG_ENDPOINT, OBJECT_KERNEL_PCI_CONFIG},
    {SLOT_KERNEL_CONSOLE_ENDPOINT, OBJECT_KERNEL_CONSOLE},
    {SLOT_KERNEL_COM1_ENDPOINT, OBJECT_KERNEL_COM1},
    {SLOT_KERNEL_MEM_ENDPOINT, OBJECT_KERNEL_MEMORY},
    {SLOT_KERNEL_VSPACE_ENDPOINT, OBJECT_KERNEL_VSPACE},
    {SLOT_KERNEL_PAGER_ENDPOINT, OBJECT_KERNEL_PAGER},
    {SLOT_KERNEL_LOG_ENDPOINT, OBJECT_KERNEL_LOG},
    {SLOT_KERNEL_PROCESS_ENDPOINT, OBJECT_KERNEL_PROCESS},
    {SLOT_KERNEL_CHILD_POPULATE_ENDPOINT, OBJECT_KERNEL_CHILD_POPULATE},
    {SLOT_KERNEL_ACPI_ENDPOINT, OBJECT_KERNEL_ACPI},
    {SLOT_KERNEL_I8042_ENDPOINT, OBJECT_KERNEL_I8042},
};

static void boot_put(struct kernel *kernel, struct process *root, uint32_t slot,
                     enum object_type type, uint32_t object)
{
    struct capability cap = {
        .object_type = (uint8_t)type,
        .rights = object_type_rights(type),
        .object = object,
    };
    enum status status = cspace_reserve(kernel, root, slot, 1);
    KERNEL_ASSERT(status == STATUS_OK); /* PROCESS_BUDGET_PAGES_MIN pays for these leaves */
    cspace_put(kernel, root, slot, cap);
}

static void root_slots_fill(struct kernel *kernel, struct process *root)
{
    if (kernel->image_pages != 0)
        boot_put(kernel, root, SLOT_IMAGE, OBJECT_IMAGE, 0);
    boot_put(kernel, root, SLOT_UNTYPED_BASE, OBJECT_UNTYPED, POOL_BULK);
    boot_put(kernel, root, SLOT_UNTYPED_BASE + 1, OBJECT_UNTYPED, POOL_LAUNCH);
    boot_put(kernel, root, SLOT_PROCD_DRIVER_ENDPOINT, OBJECT_ENDPOINT, KERNEL_DRIVER_ENDPOINT);
    for (uint32_t i = 0; i < sizeof control_slots / sizeof control_slots[0]; i++)
        boot_put(kernel, root, control_slots[i].slot, control_slots[i].type, 0);
}

struct process *root_create(struct kernel *kernel, const struct kernel_boot_info *info)
{
    uint32_t budget = info->root_budget_pages;
    if (budget == 0)
        budget = role_find(ROLE_ROOTD)->budget_pages;
    if (budget < PROCESS_BUDGET_PAGES_MIN ||
        budget > kernel_untyped_available(&kernel->untypeds[POOL_LAUNCH]))
        return NULL;
    struct process_plan plan = {
        .untyped = POOL_LAUNCH,
        .budget_pages = budget,
        .event_generation = EVENT_UNWANTED, /* nobody is told of its end: there is nobody left */
    };
    struct process *root = process_create(kernel, &plan);
    KERNEL_ASSERT(root->index == KERNEL_ROOT_PROCESS);
    root_slots_fill(kernel, root);
    return root;
}

void root_destroy(struct kernel *kernel, struct process *root)
{
    process_abort_by_caller(root);
    do
        work_begin(kernel);
    while (!process_tear_down(kernel, root));
    process_finish_ending(kernel, root);
}

enum status kernel_boot_bare(struct kernel *kernel, const struct kernel_boot_info *info)
{
    kernel_clear(kernel, info);
    struct process *root = root_create(kernel, info);
    if (root == NULL)
        return STATUS_EXHAUSTED;
    process_enter(kernel, root);
    kernel->payer = root->index;
    return STATUS_OK;
}
