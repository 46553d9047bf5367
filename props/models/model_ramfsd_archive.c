/* SPDX-License-Identifier: ISC */
/* What the model of ramfsd says of an archive: the tree that its entries make, and what is
 * refused there. */
#include <stddef.h>
#include <string.h>

#include "props/base/property.h"
#include "props/models/model_ramfsd_inside.h"

/* What only a source that can be changed is asked for. */
bool model_ramfsd_would_change(uint16_t operation)
{
    static const uint16_t operations[] = {
        OP_RAMFSD_WRITE, OP_RAMFSD_CREATE, OP_RAMFSD_SYMLINK,  OP_RAMFSD_UNLINK,
        OP_RAMFSD_RMDIR, OP_RAMFSD_RENAME, OP_RAMFSD_TRUNCATE, OP_RAMFSD_SET_METADATA};
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (operations[i] == operation)
            return true;
    return false;
}

void model_ramfsd_reset(struct model_ramfsd *model, uint32_t limit, uint32_t open_limit)
{
    HARNESS(limit <= MODEL_RAMFSD_LIMIT);
    uint32_t used = model->used;
    memset(model, 0, offsetof(struct model_ramfsd, free));
    memset(model->lives, 0, (used + 1) * sizeof model->lives[0]);
    memset(model->nodes, 0, (used + 1) * sizeof model->nodes[0]);
    for (uint32_t i = 0; i < model->pages_used; i++)
        model->pages[i].node = 0;
    model->pages_used = 0;
    model->limit = limit;
    model->open_limit = open_limit;
    model_ramfsd_make(model, 0, FILE_KIND_DIRECTORY, 01777);
}

void model_ramfsd_copy(struct model_ramfsd *model, const struct model_ramfsd *from)
{
    uint32_t used = from->used + 1;
    uint32_t more = model->used > from->used ? model->used - from->used : 0;
    memcpy(model, from, offsetof(struct model_ramfsd, free));
    memcpy(model->free, from->free, from->free_count * sizeof from->free[0]);
    memcpy(model->lives, from->lives, used * sizeof from->lives[0]);
    memset(model->lives + used, 0, more * sizeof model->lives[0]);
    memcpy(model->nodes, from->nodes, used * sizeof from->nodes[0]);
    memset(model->nodes + used, 0, more * sizeof model->nodes[0]);
    for (uint32_t i = from->pages_used; i < model->pages_used; i++)
        model->pages[i].node = 0;
    model->pages_used = from->pages_used;
    memcpy(model->pages, from->pages, from->pages_used * sizeof from->pages[0]);
}

/* An entry lies in the one whose path is its own up to the last '/'. */
void model_ramfsd_reset_archive(struct model_ramfsd *model, uint32_t limit, uint32_t open_limit,
                                const struct model_ramfsd_entry *entries, uint32_t count)
{
    model_ramfsd_reset(model, limit, open_limit);
    model->archive = true;
    model->nodes[1].is.mode = entries[0].mode;
    for (uint32_t i = 1; i < count; i++) {
        const char *name = strrchr(entries[i].path, '/') + 1;
        size_t above = (size_t)(name - 1 - entries[i].path);
        struct model_ramfsd_node *directory = &model->nodes[1];
        for (uint32_t j = 1; j < i; j++)
            if (strlen(entries[j].path) == above &&
                memcmp(entries[j].path, entries[i].path, above) == 0)
                directory = &model->nodes[1 + j]; /* places in the order of the entries */
        struct model_ramfsd_node *node =
            model_ramfsd_make(model, 0, entries[i].kind, entries[i].mode);
        node->data = entries[i].bytes;
        node->is.size_bytes = entries[i].count;
        model_ramfsd_give_name(
            node, directory,
            (struct model_ramfsd_text){(const uint8_t *)name, (uint32_t)strlen(name)});
    }
}
