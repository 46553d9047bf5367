/* SPDX-License-Identifier: ISC */
/* What memory there is: has the start info read (machine/start.h), maps all memory at the direct map
 * (writable, never executable), maps the kernel's image by the rights of its sections, takes the low identity map
 * away, and places the page records. Runs once, before the core. */
#include "kernel/x86_64/x86.h"

#include <string.h>

#include "kernel/machine/start.h"

enum {
    LARGE_PAGE_BYTES = 2 << 20,
    DIRECTORY_BYTES = 1 << 30, /* that one page directory maps */
    APIC_DIRECTORY_ENTRY = 2   /* of the kernel's own; the image is in 0 and 1 */
};
_Static_assert(APIC_VA == KERNEL_BASE + APIC_DIRECTORY_ENTRY * LARGE_PAGE_BYTES, "entry 2");
_Static_assert(APIC_PHYSICAL % LARGE_PAGE_BYTES == 0, "one large page");
#define BOOT_MAPPED_BYTES UINT64_C(0x40000000)                       /* boot.S maps the first GiB */
#define MEMORY_LIMIT      ((uint64_t)KERNEL_PAGE_LIMIT * PAGE_BYTES) /* more is left unused */
_Static_assert(MEMORY_LIMIT <= UINT64_C(512) * DIRECTORY_BYTES, "one table of directories maps it");

#define TABLE_PRESENT UINT64_C(1)
#define TABLE_WRITE   UINT64_C(2)
#define TABLE_DEVICE  UINT64_C(0x18) /* not cached */
#define TABLE_LARGE   UINT64_C(0x80)
#define TABLE_NX      (UINT64_C(1) << 63)

extern uint64_t kernel_top_table[512], boot_low_pointers[512], boot_high_pointers[512];
extern uint8_t kernel_text_start[], kernel_rodata_start[], kernel_data_start[], kernel_end[];
extern uint8_t kernel_stack_guard[], fault_stack_guard[], nmi_stack_guard[], check_stack_guard[];

static struct start start;
static uint64_t kernel_directory[512] __attribute__((aligned(PAGE_BYTES)));
static uint64_t kernel_pages[2][512] __attribute__((aligned(PAGE_BYTES)));
static uint64_t direct_pages[2][512] __attribute__((aligned(PAGE_BYTES)));

static uint64_t image_physical(const void *symbol)
{
    return (uintptr_t)symbol - KERNEL_BASE;
}

/* Pages for the kernel's own tables, zeroed; 0: there are none. */
static uint64_t pages_take(uint64_t bytes, uint64_t limit)
{
    uint64_t first = span_take(&start.free, bytes, limit);
    if (first != 0)
        memset(physical(first), 0, bytes);
    return first;
}

/* --- mappings --- */

static uint64_t image_rights(const uint8_t *page)
{
    if (page == kernel_stack_guard || page == fault_stack_guard || page == nmi_stack_guard ||
        page == check_stack_guard)
        return 0;
    if (page < kernel_rodata_start)
        return TABLE_PRESENT;
    if (page < kernel_data_start)
        return TABLE_PRESENT | TABLE_NX;
    return TABLE_PRESENT | TABLE_WRITE | TABLE_NX;
}

/* The direct map of the first 4 MiB page by page, because the kernel's image lies there: what is
 * not writable in the one place is not writable in the other, either. Page 0 is nobody's: a page
 * number that was never set faults. */
static void direct_pages_fill(uint64_t directory[512])
{
    for (uint64_t i = 0; i < 2 * 512; i++) {
        const uint8_t *page = (const uint8_t *)(KERNEL_BASE + i * PAGE_BYTES);
        uint64_t rights = TABLE_PRESENT | TABLE_WRITE | TABLE_NX;
        if (page >= kernel_text_start && page < kernel_end)
            rights = image_rights(page);
        direct_pages[i / 512][i % 512] =
            i == 0 || rights == 0 ? 0 : i * PAGE_BYTES | rights | TABLE_NX;
    }
    for (int i = 0; i < 2; i++)
        directory[i] = image_physical(direct_pages[i]) | TABLE_PRESENT | TABLE_WRITE;
}

/* The direct map of [0, end): large pages, one directory a GiB. */
static bool direct_map_fill(uint64_t end)
{
    uint64_t pointers = pages_take(PAGE_BYTES, BOOT_MAPPED_BYTES);
    if (pointers == 0)
        return false;
    for (uint64_t base = 0; base < end; base += DIRECTORY_BYTES) {
        uint64_t directory = pages_take(PAGE_BYTES, BOOT_MAPPED_BYTES);
        if (directory == 0)
            return false;
        uint64_t *entries = physical(directory);
        for (uint64_t i = 0; i < 512; i++)
            entries[i] = (base + i * LARGE_PAGE_BYTES) | TABLE_PRESENT | TABLE_WRITE | TABLE_LARGE |
                         TABLE_NX;
        ((uint64_t *)physical(pointers))[base / DIRECTORY_BYTES] =
            directory | TABLE_PRESENT | TABLE_WRITE;
        if (base == 0)
            direct_pages_fill(entries);
    }
    kernel_top_table[DIRECT_MAP_ENTRY] = pointers | TABLE_PRESENT | TABLE_WRITE;
    return true;
}

/* The kernel's image page by page (V2 holds for the kernel, too), and the local APIC; nothing else
 * at its base. */
static bool image_map_fill(void)
{
    if (image_physical(kernel_end) > 2 * LARGE_PAGE_BYTES)
        return false;
    for (uint8_t *page = kernel_text_start; page < kernel_end; page += PAGE_BYTES) {
        uint64_t number = image_physical(page) / PAGE_BYTES;
        uint64_t rights = image_rights(page);
        kernel_pages[number / 512][number % 512] = rights == 0 ? 0 : image_physical(page) | rights;
    }
    for (int i = 0; i < 2; i++)
        kernel_directory[i] = image_physical(kernel_pages[i]) | TABLE_PRESENT | TABLE_WRITE;
    kernel_directory[APIC_DIRECTORY_ENTRY] =
        APIC_PHYSICAL | TABLE_PRESENT | TABLE_WRITE | TABLE_DEVICE | TABLE_LARGE | TABLE_NX;
    boot_high_pointers[KERNEL_PDPT_ENTRY] =
        image_physical(kernel_directory) | TABLE_PRESENT | TABLE_WRITE;
    return true;
}

static void tables_load(void)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(image_physical(kernel_top_table)) : "memory");
}

/* --- the whole ------------------------------------------------------------------------------- */

static void boot_info_fill(struct kernel_boot_info *info)
{
    span_settle(&start.free, KERNEL_PAGE_RANGE_LIMIT);
    for (uint32_t i = 0; i < start.free.count; i++) {
        const struct span *span = &start.free.spans[i];
        info->ranges[info->range_count++] = (struct page_range){
            .first_page = (uint32_t)(span->first / PAGE_BYTES),
            .page_count = (uint32_t)((span->end - span->first) / PAGE_BYTES),
        };
    }
}

bool memory_map_init(uint64_t start_info_addr, struct machine_memory *memory)
{
    const struct start_view view = {physical(0), BOOT_MAPPED_BYTES};
    const struct span kernel_span = {image_physical(kernel_text_start), image_physical(kernel_end)};
    if (!start_read(&view, start_info_addr, &kernel_span, MEMORY_LIMIT, &start) ||
        !direct_map_fill(start.memory_end) || !image_map_fill())
        return false;
    tables_load();
    uint64_t pages = start.memory_end / PAGE_BYTES;
    uint64_t record_pages = (pages * sizeof(struct page_record) + PAGE_BYTES - 1) / PAGE_BYTES;
    uint64_t records = pages_take(record_pages * PAGE_BYTES, start.memory_end);
    if (records == 0)
        return false;
    machine_page_records = physical(records);
    memory->boot_info.image_first_page = (uint32_t)(start.image_addr / PAGE_BYTES);
    memory->boot_info.image_bytes = start.image_bytes;
    boot_info_fill(&memory->boot_info);
    memory->command_line = start.line;
    memory->left_out_pages = start.free.left_out_bytes / PAGE_BYTES;
    kernel_top_table[0] = 0; /* the identity map of the first GiB: nobody is below any more */
    tables_load();
    return memory->boot_info.range_count != 0;
}
