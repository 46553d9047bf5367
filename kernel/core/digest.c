/* SPDX-License-Identifier: ISC */
/* The digest of the logical state, by a field walker, never by bytes with padding. FNV-1a, 64 bits:
 * a difference detector. What a refusal may leave behind is left out (kernel.h). */
#include "kernel/core/cspace.h"
#include "kernel/core/vspace.h"

static void add(uint64_t *digest, uint64_t value)
{
    *digest = (*digest ^ value) * UINT64_C(0x100000001B3);
    *digest ^= *digest >> 29;
}

static void add_queue(const struct kernel *kernel, uint64_t *digest, struct process_queue queue)
{
    for (uint32_t i = queue.first; i != KERNEL_NONE;
         i = process_at(kernel, i)->links[QUEUE_WAITING].next)
        add(digest, i);
    add(digest, KERNEL_NONE);
}

static void add_event_queue(const struct kernel *kernel, uint64_t *digest,
                            struct process_queue queue)
{
    for (uint32_t i = queue.first; i != KERNEL_NONE; i = event_next(kernel, i))
        add(digest, i);
    add(digest, KERNEL_NONE);
}

static void add_endpoint(const struct kernel *kernel, uint64_t *digest,
                         const struct endpoint *endpoint)
{
    add(digest, endpoint->live);
    add(digest, endpoint->generation);
    add_queue(kernel, digest, endpoint->senders);
    add_queue(kernel, digest, endpoint->receivers);
    add_event_queue(kernel, digest, endpoint->events);
    add_event_queue(kernel, digest, endpoint->delivered);
}

static void add_cspace(const struct process *process, uint64_t *digest)
{
    for (uint32_t leaf = cspace_leaf_next(process, 0); leaf < CSPACE_LEAF_COUNT;
         leaf = cspace_leaf_next(process, leaf + 1)) {
        const struct capability *caps = machine_page(cspace_leaf(process, leaf));
        for (uint32_t i = 0; i < CSPACE_LEAF_CAPS; i++) {
            if (caps[i].object_type == OBJECT_NONE)
                continue;
            add(digest, leaf * CSPACE_LEAF_CAPS + i);
            add(digest, (uint64_t)caps[i].object_type << 16 | caps[i].rights);
            add(digest, caps[i].object);
            add(digest, caps[i].generation);
            add(digest, caps[i].badge);
        }
    }
}

static void add_leaf(uint64_t *digest, uint32_t leaf)
{
    const uint64_t *entries = machine_page(leaf);
    add(digest, machine_page_record(leaf)->leaf_number);
    for (uint32_t i = table_noted_next(leaf, 0, TABLE_ENTRIES); i < TABLE_ENTRIES;
         i = table_noted_next(leaf, i + 1, TABLE_ENTRIES)) {
        uint32_t page = entry_page(entries[i]);
        add(digest, (uint64_t)i << 32 | page);
        add(digest, (uint64_t)entry_rights(entries[i]) << 16 | entry_rights_max(entries[i]));
        add(digest, machine_page_record(page)->use);
    }
}

static void add_directory(uint64_t *digest, uint32_t directory)
{
    const uint64_t *entries = machine_page(directory);
    for (uint32_t i = table_noted_next(directory, 0, TABLE_ENTRIES); i < TABLE_ENTRIES;
         i = table_noted_next(directory, i + 1, TABLE_ENTRIES))
        add_leaf(digest, entry_page(entries[i]));
}

static void add_vspace(const struct process *process, uint64_t *digest)
{
    const uint64_t *root = machine_page(process->vspace_page);
    for (uint32_t i = 0; i < TABLE_USER_ENTRIES; i++) {
        if (root[i] == 0)
            continue;
        uint32_t below = entry_page(root[i]);
        const uint64_t *entries = machine_page(below);
        for (uint32_t k = table_noted_next(below, 0, TABLE_ENTRIES); k < TABLE_ENTRIES;
             k = table_noted_next(below, k + 1, TABLE_ENTRIES))
            add_directory(digest, entry_page(entries[k]));
    }
}

static void add_wait(const struct process *process, uint64_t *digest)
{
    bool waits = process->life == LIFE_SENDING || process->life == LIFE_RECEIVING ||
                 process->life == LIFE_CALLING;
    if (!waits)
        return;
    add(digest, process->deadline_position != 0 ? process->deadline_ticks : DEADLINE_NEVER);
    add(digest, process->fault_pending);
    add(digest, process->life == LIFE_CALLING ? process->holder : process->endpoint);
    add(digest, process->window_count);
    add(digest, process->window_count != 0 ? process->window_slot : 0);
    if (process->life == LIFE_CALLING)
        add(digest, process->call_sequence);
}

static void add_process(const struct kernel *kernel, const struct process *process,
                        uint64_t *digest)
{
    add(digest, process->index);
    add(digest, kernel->processes[process->index].generation);
    add(digest, process->life);
    add(digest, process->ending);
    add(digest, process->untyped);
    add(digest, process->budget_pages);
    add(digest, process->band);
    add(digest, process->band_claims);
    add(digest, process->client);
    add(digest, process->lends_to);
    add(digest, process->flags);
    add(digest, process->cap_count);
    add(digest, process->event_endpoint);
    add(digest, process->event_token);
    add(digest, process->pager_declared);
    add(digest, process->pager_present ? process->pager_endpoint : KERNEL_NONE);
    add(digest, process->pager_token);
    add(digest, process->end_reason);
    add(digest, process->end_code);
    add(digest, process->end_fault_va);
    add_wait(process, digest);
    add_queue(kernel, digest, process->callers);
    add_endpoint(kernel, digest, &process->service);
    if (process->cspace_page != 0)
        add_cspace(process, digest);
    if (process->vspace_page != 0)
        add_vspace(process, digest);
}

/* Those that are bound: of the others there is nothing to tell. */
static void add_lines(const struct kernel *kernel, uint64_t *digest)
{
    for (uint32_t line = 0; line < INTERRUPT_LINE_COUNT; line++) {
        const struct interrupt *interrupt = &kernel->interrupts[line];
        if (interrupt->endpoint == KERNEL_NONE)
            continue;
        add(digest, line);
        add(digest, interrupt->endpoint);
        add(digest, interrupt->token);
        add(digest, (uint64_t)interrupt->masked << 8 | interrupt->state);
    }
}

uint64_t kernel_digest(const struct kernel *kernel)
{
    uint64_t digest = UINT64_C(0xCBF29CE484222325);
    add(&digest, kernel->current);
    add(&digest, kernel->halted);
    add(&digest, kernel->now_ticks);
    add(&digest, kernel->payer);
    for (uint32_t band = 0; band < BAND_COUNT; band++)
        add_queue(kernel, &digest, kernel->ready[band]);
    add_endpoint(kernel, &digest, &kernel->driver_endpoint);
    add_lines(kernel, &digest);
    for (uint32_t i = 0; i < kernel->process_high; i++) {
        if (kernel->processes[i].record_page != 0)
            add_process(kernel, process_at(kernel, i), &digest);
    }
    for (uint32_t i = 0; i < kernel->untyped_high; i++) {
        const struct untyped *untyped = &kernel->untypeds[i];
        add(&digest, untyped->live);
        add(&digest, untyped->generation);
        if (!untyped->live)
            continue;
        add(&digest, untyped->total_pages);
        add(&digest, untyped->frame_pages);
        add(&digest, untyped->budgeted_pages);
        add(&digest, untyped->child_pages);
        add(&digest, untyped->cap_count);
        add(&digest, untyped->parent);
    }
    return digest;
}
