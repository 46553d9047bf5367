/* SPDX-License-Identifier: ISC */
/* Whole-state invariants, second part: capabilities against counts, kernel memory against budgets,
 * mappings against page tables and frames, pages against pools. Counters of the check lie in page
 * records, pools and process records; every one is zero again when all holds. */
#include "kernel/core/check.h"

/* --- capabilities ----------------------------------------------------------------------------- */

static bool object_in_range(const struct kernel *kernel, const struct capability *cap)
{
    switch ((enum object_type)cap->object_type) {
    case OBJECT_UNTYPED:
        return cap->object < kernel->untyped_high;
    case OBJECT_FRAME:
        return cap->object != 0 && cap->object < KERNEL_PAGE_LIMIT;
    case OBJECT_VSPACE:
    case OBJECT_REPLY:
    case OBJECT_PROCESS:
    case OBJECT_GRANT:
        return cap->object < kernel->process_high;
    case OBJECT_ENDPOINT:
        return cap->object < kernel->process_high || cap->object == KERNEL_DRIVER_ENDPOINT;
    case OBJECT_IMAGE:
        return cap->object == 0 && kernel->image_pages != 0;
    case OBJECT_NONE:
    case OBJECT_TYPE_LIMIT:
        return false;
    case OBJECT_KERNEL_SELF:
    case OBJECT_KERNEL_MEMORY:
    case OBJECT_KERNEL_VSPACE:
    case OBJECT_KERNEL_PAGER:
    case OBJECT_KERNEL_PROCESS:
    case OBJECT_KERNEL_LOG:
    case OBJECT_KERNEL_TIME:
    case OBJECT_KERNEL_IRQ:
    case OBJECT_KERNEL_HOTPLUG:
    case OBJECT_KERNEL_PCI_CONFIG:
    case OBJECT_KERNEL_ACPI:
    case OBJECT_KERNEL_CONSOLE:
    case OBJECT_KERNEL_COM1:
    case OBJECT_KERNEL_I8042:
    case OBJECT_KERNEL_CHILD_POPULATE:
        return cap->object == 0;
    }
    return false;
}

static bool reply_slot_taken(const struct process *process, uint32_t slot)
{
    uint32_t index = slot - SLOT_REPLY_BASE;
    uint64_t word = process->reply_free[index / REPLY_WORD_SLOTS];
    return (word >> index % REPLY_WORD_SLOTS & 1) == 0;
}

static void capability_count(struct kernel *kernel, const struct capability *cap)
{
    if (!kernel_capability_live(kernel, cap))
        return;
    if (cap->object_type == OBJECT_FRAME)
        machine_page_record(cap->object)->check_count++;
    else if (cap->object_type == OBJECT_UNTYPED)
        kernel->untypeds[cap->object].check_caps++;
    else if (cap->object_type == OBJECT_PROCESS)
        process_at(kernel, cap->object)->check_caps++;
    else if (capability_receives_drivers(cap))
        kernel->check_receivers++;
}

static const char *slot_check(struct kernel *kernel, const struct process *process, uint32_t slot,
                              const struct capability *cap)
{
    bool reply_slot = slot - SLOT_REPLY_BASE < SLOT_REPLY_COUNT;
    CHECK(!reply_slot || reply_slot_taken(process, slot) == (cap->object_type == OBJECT_REPLY),
          "a reply slot and the map of taken ones disagree");
    if (cap->object_type == OBJECT_NONE) {
        CHECK(cap->rights == 0 && cap->object == 0 && cap->generation == 0 && cap->badge == 0,
              "an empty slot is not zero");
        return NULL;
    }
    CHECK(slot != SLOT_NULL, "slot 0 is not empty");
    CHECK(object_in_range(kernel, cap), "a capability names an object outside its table");
    CHECK(reply_slot == (cap->object_type == OBJECT_REPLY), "a reply capability out of its window");
    CHECK(cap->rights != 0 && (cap->rights & ~object_type_rights(cap->object_type)) == 0,
          "a capability has a right that its type does not"); /* K1 */
    const struct process *caller =
        cap->object_type == OBJECT_REPLY ? capability_caller(kernel, cap) : NULL;
    CHECK(cap->object_type != OBJECT_REPLY || caller != NULL,
          "a reply capability outlived the wait that it is for"); /* K10 */
    CHECK(caller == NULL || (caller->holder == process->index && caller->reply_slot == slot),
          "a reply capability is not where its caller waits for it");
    capability_count(kernel, cap);
    return NULL;
}

static const char *cspace_check(struct kernel *kernel, const struct process *process)
{
    CHECK(process->first_leaf == cspace_leaf(process, 0) &&
              process->reply_leaf == cspace_leaf(process, CSPACE_REPLY_LEAF),
          "a record names another leaf than the root");
    for (uint32_t i = 0; i < SLOT_REPLY_COUNT / REPLY_WORD_SLOTS; i++)
        CHECK((process->reply_free_words >> i & 1) == (process->reply_free[i] != 0),
              "a word of free reply slots is not what its bit says");
    for (uint32_t leaf = cspace_leaf_next(process, 0); leaf < CSPACE_LEAF_COUNT;
         leaf = cspace_leaf_next(process, leaf + 1)) {
        const struct capability *caps = machine_page(cspace_leaf(process, leaf));
        for (uint32_t i = 0; i < CSPACE_LEAF_CAPS; i++) {
            const char *wrong = slot_check(kernel, process, leaf * CSPACE_LEAF_CAPS + i, &caps[i]);
            if (wrong != NULL)
                return wrong;
        }
    }
    return NULL;
}

const char *check_cspaces(struct kernel *kernel)
{
    const char *wrong = NULL;
    for (uint32_t i = 0; wrong == NULL && i < kernel->process_high; i++) {
        const struct process *process = kernel_process(kernel, i);
        if (process != NULL && process->cspace_page != 0)
            wrong = cspace_check(kernel, process);
    }
    CHECK(wrong != NULL || kernel->check_receivers == kernel->driver_receivers,
          "the count of the driver endpoint's receivers is off");
    kernel->check_receivers = 0;
    for (uint32_t i = 0; wrong == NULL && i < kernel->process_high; i++) {
        struct process *process = kernel_process(kernel, i);
        if (process == NULL)
            continue;
        CHECK(process->check_caps == process->cap_count,
              "the capability count of a process is off");
        CHECK(process->cap_count != 0 || i == KERNEL_ROOT_PROCESS || process->life != LIFE_STAGED,
              "a staged process that nobody controls was kept");
        process->check_caps = 0;
    }
    return wrong;
}

/* --- kernel memory and page tables --- */

/* What a walk over one process's pages found. */
struct owned {
    const struct process *process;
    uint32_t pages;  /* kernel memory */
    uint32_t mapped; /* present leaf entries */
};

static bool owns(struct owned *owned, uint32_t page, enum page_kind kind)
{
    const struct page_record *record = machine_page_record(page);
    owned->pages++;
    return record->kind == kind && record->process == owned->process->index &&
           record->untyped == owned->process->untyped;
}

static const char *entry_check(uint64_t entry)
{
    uint16_t rights = entry_rights(entry);
    const struct page_record *record = machine_page_record(entry_page(entry));
    uint16_t both = RIGHT_WRITE | RIGHT_EXECUTE;
    CHECK((rights & both) != both, "a page is writable and executable"); /* V2 */
    CHECK((rights & ~entry_rights_max(entry)) == 0, "a mapping exceeds its first rights");
    CHECK(record->kind == PAGE_FRAME || record->kind == PAGE_IMAGE || record->kind == PAGE_MESSAGE,
          "a page that is none of users' is mapped"); /* K2 */
    bool code = record->kind == PAGE_IMAGE || record->use == FRAME_CODE;
    bool data = record->kind == PAGE_MESSAGE || record->use == FRAME_DATA;
    CHECK((rights & RIGHT_WRITE) == 0 || (data && !code), "writable against the frame's use");
    CHECK((rights & RIGHT_EXECUTE) == 0 || (code && !data), "executable against the frame's use");
    return NULL;
}

/* The levels of tables, from the root down to the one above the leaves. */
enum { LEVEL_COUNT = 3 };

/* A table that the walk is in. */
struct walked_table {
    uint32_t page;
    uint32_t next;    /* the entry to look at */
    uint32_t present; /* of those before it */
    uint64_t base_va;
};

static bool line_is_noted(uint32_t table, uint32_t index)
{
    return (machine_page_record(table)->entry_lines & entry_line(index)) != 0;
}

static const char *leaf_check(struct owned *owned, uint32_t leaf, uint64_t base_va)
{
    const uint64_t *entries = machine_page(leaf);
    const struct page_record *record = machine_page_record(leaf);
    uint32_t present = 0;
    CHECK(owns(owned, leaf, PAGE_LEAF_TABLE) && owns(owned, record->link, PAGE_LINKS),
          "a leaf table or its links are not the process's");
    CHECK((uint64_t)record->leaf_number * LEAF_BYTES == base_va,
          "a leaf table lies at another address");
    for (uint32_t i = table_entry_next(entries, 0, TABLE_ENTRIES); i < TABLE_ENTRIES;
         i = table_entry_next(entries, i + 1, TABLE_ENTRIES)) {
        CHECK(line_is_noted(leaf, i), "a leaf table's lines miss an entry");
        present++;
        const char *wrong = entry_check(entries[i]);
        if (wrong != NULL)
            return wrong;
    }
    owned->mapped += present;
    CHECK(present == record->mapping_count && present != 0,
          "a leaf table's count of entries is off, or it is empty");
    return NULL;
}

/* Goes on to the next entry of a table that is not empty; false at its end. */
static bool table_next(struct walked_table *table, uint32_t entry_count)
{
    table->next = table_entry_next(machine_page(table->page), table->next, entry_count);
    return table->next < entry_count;
}

/* Walks all tables above the leaves: `path` holds the root and where the walk went from there. */
static const char *vspace_check(struct owned *owned)
{
    static const uint64_t covered_bytes[LEVEL_COUNT] = {
        (uint64_t)LEAF_BYTES * TABLE_ENTRIES * TABLE_ENTRIES, (uint64_t)LEAF_BYTES * TABLE_ENTRIES,
        LEAF_BYTES};
    struct walked_table path[LEVEL_COUNT] = {{.page = owned->process->vspace_page}};
    unsigned level = 0;
    CHECK(owns(owned, path[0].page, PAGE_TABLE), "a root table is not the process's");
    for (;;) {
        struct walked_table *table = &path[level];
        if (!table_next(table, level == 0 ? TABLE_USER_ENTRIES : TABLE_ENTRIES)) {
            CHECK(table->present == machine_page_record(table->page)->mapping_count &&
                      (table->present != 0 || level == 0),
                  "a page table's count of entries is off, or it is empty");
            if (level-- == 0)
                return NULL;
            continue;
        }
        CHECK(line_is_noted(table->page, table->next), "a page table's lines miss an entry");
        const uint64_t *entries = machine_page(table->page);
        uint32_t below = entry_page(entries[table->next]);
        uint64_t base_va = table->base_va + table->next * covered_bytes[level];
        table->next++;
        table->present++;
        if (level + 1 == LEVEL_COUNT) {
            const char *wrong = leaf_check(owned, below, base_va);
            if (wrong != NULL)
                return wrong;
            continue;
        }
        path[++level] = (struct walked_table){.page = below, .base_va = base_va};
        CHECK(owns(owned, below, PAGE_TABLE), "a page table is not the process's");
    }
}

static const char *leaves_check(struct owned *owned)
{
    const uint32_t *root = machine_page(owned->process->cspace_page);
    CHECK(owns(owned, owned->process->cspace_page, PAGE_CSPACE_ROOT),
          "a cspace root is not the process's");
    for (uint32_t i = CSPACE_DIRECT_LEAVES; i < PAGE_BYTES / sizeof root[0]; i++)
        CHECK(root[i] == 0 || owns(owned, root[i], PAGE_CSPACE_DIRECTORY),
              "a cspace directory is not the process's");
    for (uint32_t leaf = cspace_leaf_next(owned->process, 0); leaf < CSPACE_LEAF_COUNT;
         leaf = cspace_leaf_next(owned->process, leaf + 1))
        CHECK(owns(owned, cspace_leaf(owned->process, leaf), PAGE_CSPACE_LEAF),
              "a cspace leaf is not the process's");
    return NULL;
}

static const char *process_memory_check(struct kernel *kernel, const struct process *process)
{
    struct owned owned = {.process = process};
    const char *wrong = NULL;
    struct untyped *pool = &kernel->untypeds[process->untyped];
    CHECK(owns(&owned, kernel->processes[process->index].record_page, PAGE_PROCESS),
          "a record page is not the process's");
    CHECK(process->message_page == 0 || owns(&owned, process->message_page, PAGE_MESSAGE),
          "a message page is not the process's");
    if (process->cspace_page != 0)
        wrong = leaves_check(&owned);
    if (wrong == NULL && process->vspace_page != 0)
        wrong = vspace_check(&owned);
    if (wrong != NULL)
        return wrong;
    CHECK(owned.pages == process->drawn_pages, "kernel memory and drawn budget differ"); /* K5 */
    CHECK(owned.mapped == process->mapped_pages, "mapped pages and page tables differ"); /* K4 */
    pool->check_drawn += process->drawn_pages;
    pool->check_budgeted += process->budget_pages;
    return NULL;
}

/* --- pages against pools --- */

/* Every mapping in the list of a page shows that page, and there are as many as the record says. */
static const char *mapping_list_check(uint32_t page)
{
    const struct page_record *record = machine_page_record(page);
    uint32_t count = 0;
    for (uint32_t mapping = record->link; mapping != 0; mapping = mapping_next(mapping)) {
        const uint64_t *entries = machine_page(mapping / TABLE_ENTRIES);
        CHECK(machine_page_record(mapping / TABLE_ENTRIES)->kind == PAGE_LEAF_TABLE,
              "a mapping lies in no page table");
        CHECK(entry_page(entries[mapping % TABLE_ENTRIES]) == page, "a mapping shows another page");
        CHECK(++count <= record->mapping_count, "a mapping list is longer than its count");
    }
    CHECK(count == record->mapping_count, "a mapping list is shorter than its count"); /* K4 */
    return NULL;
}

static bool page_is_zero(uint32_t page)
{
    const uint8_t *bytes = machine_page(page);
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, PAGE_BYTES - 1) == 0;
}

/* One page of the pools; free ones are counted. */
static const char *page_check(struct kernel *kernel, uint32_t page, uint32_t *free_pages)
{
    struct page_record *record = machine_page_record(page);
    if (record->kind == PAGE_FREE) {
        CHECK(record->use != PAGE_ZEROED || page_is_zero(page),
              "a page of a stock is said to be zero and is not"); /* K2 */
        ++*free_pages;
        return NULL;
    }
    struct untyped *pool = &kernel->untypeds[record->untyped];
    CHECK(pool->live, "a page belongs to a pool that is gone");
    if (record->kind != PAGE_FRAME)
        return record->kind == PAGE_MESSAGE ? mapping_list_check(page) : NULL;
    CHECK((uint16_t)record->cap_count == record->check_count ||
              (record->cap_count == FRAME_DYING && record->check_count == 0),
          "a frame's capability count is off");
    CHECK(record->cap_count != 0 || record->mapping_count != 0,
          "a frame that nobody can reach was kept");
    record->check_count = 0;
    pool->check_pages++;
    return mapping_list_check(page);
}

/* What the pools of a stock have free lies in it. */
static const char *stock_check(const struct kernel *kernel, uint32_t index, uint32_t *free_pages)
{
    const struct page_stock *stock = &kernel->stocks[index];
    uint32_t pages = stock->fresh_pages;
    for (uint32_t page = stock->first_page; page != 0; page = machine_page_record(page)->link) {
        CHECK(machine_page_record(page)->kind == PAGE_FREE, "a page of a stock is not free");
        CHECK(++pages <= kernel->page_count, "a stock is a ring");
    }
    uint32_t owed = 0;
    for (uint32_t i = 0; i < kernel->untyped_high; i++) {
        if (kernel->untypeds[i].live && kernel->untypeds[i].stock == index)
            owed += kernel->untypeds[i].free_pages;
    }
    CHECK(pages == owed, "free pages of pools and their stock differ");
    *free_pages += owed;
    return NULL;
}

static const char *pages_check(struct kernel *kernel)
{
    const char *wrong = NULL;
    uint32_t in_stocks = 0;
    uint32_t free_pages = 0;
    for (uint32_t i = 0; wrong == NULL && i < KERNEL_STOCK_COUNT; i++)
        wrong = stock_check(kernel, i, &in_stocks);
    for (uint32_t i = 0; wrong == NULL && i < kernel->range_count; i++) {
        uint32_t end = kernel->ranges[i].first_page + kernel->ranges[i].page_count;
        for (uint32_t page = kernel->ranges[i].first_page; wrong == NULL && page < end; page++)
            wrong = page_check(kernel, page, &free_pages);
    }
    if (wrong != NULL)
        return wrong;
    CHECK(free_pages == in_stocks, "a page is lost: neither free nor in use");
    for (uint32_t i = 0; i < kernel->image_pages; i++) {
        CHECK(machine_page_record(kernel->image_first_page + i)->kind == PAGE_IMAGE,
              "a page of the image is used for something else");
        wrong = mapping_list_check(kernel->image_first_page + i);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static const char *pool_check(struct untyped *pool)
{
    CHECK(pool->total_pages ==
              pool->free_pages + pool->frame_pages + pool->drawn_pages + pool->child_pages,
          "pages of a pool do not add up");
    CHECK(pool->drawn_pages <= pool->budgeted_pages &&
              pool->budgeted_pages - pool->drawn_pages <= pool->free_pages,
          "a pool cannot honour its budgets"); /* K5 */
    CHECK(pool->check_caps == pool->cap_count, "the capability count of an untyped is off");
    CHECK(pool->check_pages == pool->frame_pages, "frames of a pool and their count differ");
    CHECK(pool->check_drawn == pool->drawn_pages && pool->check_budgeted == pool->budgeted_pages,
          "budgets of processes and of their pool differ");
    CHECK(pool->check_children == pool->child_pages, "children of a pool and their sum differ");
    CHECK(pool->cap_count != 0 || pool->parent == KERNEL_NONE || untyped_in_use(pool),
          "an untyped that nobody can name was kept");
    pool->check_caps = 0;
    pool->check_pages = 0;
    pool->check_drawn = 0;
    pool->check_budgeted = 0;
    pool->check_children = 0;
    return NULL;
}

static const char *pools_check(struct kernel *kernel)
{
    uint32_t live = 0;
    uint32_t roots = 0;
    const char *wrong = NULL;
    for (uint32_t i = 0; i < kernel->untyped_high; i++) {
        const struct untyped *pool = &kernel->untypeds[i];
        if (!pool->live)
            continue;
        live++;
        if (pool->parent == KERNEL_NONE)
            roots += pool->total_pages;
        else
            kernel->untypeds[pool->parent].check_children += pool->total_pages;
    }
    CHECK(live == kernel->untyped_count, "the count of untypeds is wrong");
    CHECK(roots == kernel->page_count, "pages of all pools are not all pages");
    for (uint32_t i = 0; wrong == NULL && i < kernel->untyped_high; i++) {
        if (kernel->untypeds[i].live)
            wrong = pool_check(&kernel->untypeds[i]);
    }
    return wrong;
}

const char *check_memory(struct kernel *kernel)
{
    const char *wrong = NULL;
    for (uint32_t i = 0; wrong == NULL && i < kernel->process_high; i++) {
        const struct process *process = kernel_process(kernel, i);
        if (process != NULL)
            wrong = process_memory_check(kernel, process);
    }
    if (wrong == NULL)
        wrong = pages_check(kernel);
    if (wrong == NULL)
        wrong = pools_check(kernel);
    return wrong;
}
