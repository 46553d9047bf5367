/* SPDX-License-Identifier: ISC */
/* The source "archive": the tree of an archive in memory, whose files' bytes stay where they lie.
 * Decides whether its entries make a tree; nothing changes it afterwards. */
#include <stddef.h>
#include <string.h>

#include "abi/formats/archive.h"
#include "services/ramfsd/internal.h"

enum { LINK_TARGET_OFFSET = 157 }; /* of a header: abi/formats/archive.h */

/* The directory in which an entry lies, and its name there: every part of the path but the last one
 * is there already. */
static enum status find_place(const struct ramfsd *ramfsd, const struct archive_entry *entry,
                              uint32_t *directory, struct ramfsd_name *name)
{
    struct path_part part;
    size_t at = 0;
    *directory = RAMFSD_ROOT_PLACE;
    *name = (struct ramfsd_name){NULL, 0};
    while (path_next(entry->path, entry->path_count, &at, &part)) {
        if (name->count != 0)
            *directory = ramfsd_entry(ramfsd, *directory, *name);
        if (*directory == 0)
            return STATUS_NOT_FOUND;
        if (ramfsd->node[*directory].kind != FILE_KIND_DIRECTORY)
            return STATUS_NOT_DIRECTORY;
        *name = (struct ramfsd_name){entry->path + part.from, (uint32_t)part.count};
    }
    return STATUS_OK;
}

static enum file_kind kind_of(const struct archive_entry *entry)
{
    switch (entry->kind) {
    case ARCHIVE_FILE:
        return FILE_KIND_FILE;
    case ARCHIVE_DIRECTORY:
        return FILE_KIND_DIRECTORY;
    case ARCHIVE_SYMLINK:
        return FILE_KIND_SYMLINK;
    }
    UNIT_ASSERT(false);
}

/* `header_at` is where the entry's header lies. */
static enum status take_entry(struct ramfsd *ramfsd, const struct archive_entry *entry,
                              size_t header_at)
{
    struct ramfsd_name name;
    uint32_t directory;
    enum status status = find_place(ramfsd, entry, &directory, &name);
    if (status != STATUS_OK)
        return status;
    if (name.count == 0) { /* the archive's own folder */
        ramfsd->node[RAMFSD_ROOT_PLACE].mode = entry->mode;
        return entry->kind == ARCHIVE_DIRECTORY ? STATUS_OK : STATUS_NOT_DIRECTORY;
    }
    if (ramfsd_entry(ramfsd, directory, name) != 0)
        return STATUS_DUPLICATE;
    if (ramfsd->nodes.count == ramfsd->nodes.limit)
        return STATUS_EXHAUSTED;
    uint32_t place = ramfsd_node_add(ramfsd, 0, kind_of(entry), entry->mode);
    struct ramfsd_node *node = &ramfsd->node[place];
    ramfsd_link(ramfsd, place, directory, name);
    if (entry->kind == ARCHIVE_DIRECTORY)
        return STATUS_OK;
    bool link = entry->kind == ARCHIVE_SYMLINK;
    node->data_at = link ? header_at + LINK_TARGET_OFFSET : entry->data_at;
    node->size_bytes = link ? entry->target_count : entry->data_bytes;
    return STATUS_OK;
}

enum status ramfsd_init_archive(struct ramfsd *ramfsd, void *memory, uint64_t memory_bytes,
                                uint32_t open_limit, const uint8_t *archive, size_t archive_bytes)
{
    struct archive_entry entry;
    size_t at = 0;
    ramfsd->archive = archive;
    ramfsd->archive_bytes = archive_bytes;
    ramfsd_init(ramfsd, memory, memory_bytes, open_limit);
    ramfsd->node[RAMFSD_ROOT_PLACE].mode = 0755; /* unless it has an entry of its own */
    for (;;) {
        size_t header_at = at;
        enum status status = archive_next(archive, archive_bytes, &at, &entry);
        if (status == STATUS_NOT_FOUND)
            return STATUS_OK;
        if (status == STATUS_OK)
            status = take_entry(ramfsd, &entry, header_at);
        if (status != STATUS_OK)
            return status;
    }
}
