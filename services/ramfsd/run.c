/* SPDX-License-Identifier: ISC */
/* The two daemons that this unit is: ramfsd, whose tree is empty at first and lies in its heap window,
 * and imagefsd, whose tree is that of an archive in the boot image. Decides only what memory they
 * have; touches all of it before anybody is served, so that no client waits for a page, and none
 * comes in an order that a client decides (E3). */
#include "abi/address_space.h"
#include "abi/user_memory.h"
#include "services/lib/discovery.h"
#include "services/ramfsd/internal.h"

_Static_assert(RAMFSD_MEMORY_BYTES <= HEAP_WINDOW_BYTES, "its memory lies in the heap window");

_Static_assert((RAMFSD_MEMORY_BYTES - RAMFSD_BYTES_ONCE) / RAMFSD_BYTES_PER_PAGE ==
                   RAMFSD_ARCHIVE_ENTRIES_MAX + 1,
               "an archive has as many entries as there are nodes, and the root is one");

/* What a daemon is made of. */
struct making {
    struct ramfsd *ramfsd;
    uint32_t role;
    void *memory;
    const uint8_t *archive; /* null: none */
    uint64_t archive_bytes;
};

static enum status make(const struct making *making)
{
    if (making->archive != NULL)
        return ramfsd_init_archive(making->ramfsd, making->memory, RAMFSD_MEMORY_BYTES,
                                   RAMFSD_OPEN_LIMIT, making->archive, making->archive_bytes);
    ramfsd_init(making->ramfsd, making->memory, RAMFSD_MEMORY_BYTES, RAMFSD_OPEN_LIMIT);
    return STATUS_OK;
}

/* What is ready can be found. */
static enum status prepare(void *state, const struct envelope *start)
{
    (void)start;
    const struct making *making = state;
    enum status status = make(making);
    if (status == STATUS_OK)
        status = discovery_register(&making->ramfsd->caller, making->role);
    return status;
}

static const char *unsound(const void *state)
{
    const struct making *making = state;
    return ramfsd_check(making->ramfsd);
}

static void run(struct making *making)
{
    struct ramfsd *ramfsd = making->ramfsd;
    struct envelope envelope;
    enum status status =
        service_start(&ramfsd->caller, making->role, &envelope, prepare, unsound, making);
    service_serve(&ramfsd->caller, status, ramfsd_handle, ramfsd);
}

void ramfsd_run(struct ramfsd *ramfsd, void *memory)
{
    struct making making = {.ramfsd = ramfsd, .role = ROLE_RAMFSD, .memory = memory};
    for (uint64_t at = 0; at < RAMFSD_MEMORY_BYTES; at += PAGE_BYTES)
        user_store64(HEAP_WINDOW_VA + at, 0);
    run(&making);
}

/* An archive's files need no pages of the memory, but the tables behind them. */
void imagefsd_run(struct ramfsd *ramfsd, void *memory, const uint8_t *archive,
                  uint64_t archive_bytes)
{
    struct making making = {ramfsd, ROLE_IMAGEFSD, memory, archive, archive_bytes};
    uint64_t tables_at = (uint64_t)ramfsd_page_count(RAMFSD_MEMORY_BYTES) * PAGE_BYTES;
    for (uint64_t at = 0; at < archive_bytes; at += PAGE_BYTES)
        (void)user_load64(DATA_VA + at);
    for (uint64_t at = tables_at; at < RAMFSD_MEMORY_BYTES; at += PAGE_BYTES)
        user_store64(HEAP_WINDOW_VA + at, 0);
    run(&making);
}
