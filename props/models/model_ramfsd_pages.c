/* SPDX-License-Identifier: ISC */
/* What the model of ramfsd says of pages and accounts, all counted from their beginning. */
#include "props/models/model_ramfsd_inside.h"

#include <string.h>

#include "props/base/property.h"

/* --- accounts --- */

uint32_t model_ramfsd_pages_of(const struct model_ramfsd *model, uint64_t account, bool any)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->pages_used; i++)
        count += model->pages[i].node != 0 && (any || model->pages[i].account == account);
    return count;
}

uint32_t model_ramfsd_nodes_of(const struct model_ramfsd *model, uint64_t account, bool any)
{
    uint32_t count = 0;
    for (uint32_t place = 2; place <= model->used; place++)
        count += model->nodes[place].number != 0 && (any || model->nodes[place].account == account);
    return count;
}

static enum status share(uint32_t limit, uint32_t all, uint32_t own, uint32_t more)
{
    if (more == 0)
        return STATUS_OK;
    if (2 * (own + more) > limit)
        return STATUS_OVER_LIMIT;
    return own + more > limit - all - more || all + more > limit ? STATUS_EXHAUSTED : STATUS_OK;
}

enum status model_ramfsd_may_have(const struct model_ramfsd *model, uint64_t account,
                                  uint32_t pages, uint32_t nodes)
{
    enum status status =
        share(model->limit, 1 + model_ramfsd_nodes_of(model, 0, true), /* the root is one */
              model_ramfsd_nodes_of(model, account, false), nodes);
    if (status != STATUS_OK)
        return status;
    return share(model->limit, model_ramfsd_pages_of(model, 0, true),
                 model_ramfsd_pages_of(model, account, false), pages);
}

/* --- bytes --- */

static struct model_ramfsd_page *page_at(struct model_ramfsd *model,
                                         const struct model_ramfsd_node *node, uint64_t offset)
{
    for (uint32_t i = 0; i < model->pages_used; i++)
        if (model->pages[i].node == node->number && model->pages[i].begin <= offset &&
            offset - model->pages[i].begin < PAGE_BYTES)
            return &model->pages[i];
    return NULL;
}

/* How many of `count` bytes from an offset on lie in one page. */
static uint32_t piece_of(uint64_t offset, uint32_t count)
{
    uint32_t room = (uint32_t)(PAGE_BYTES - offset % PAGE_BYTES);
    return count < room ? count : room;
}

void model_ramfsd_read(struct model_ramfsd *model, const struct model_ramfsd_node *node,
                       uint64_t offset, uint8_t *bytes, uint32_t count)
{
    while (count != 0) {
        uint32_t piece = piece_of(offset, count);
        const struct model_ramfsd_page *page =
            node->data != NULL ? NULL : page_at(model, node, offset);
        if (node->data != NULL)
            memcpy(bytes, node->data + offset, piece);
        else if (page != NULL)
            memcpy(bytes, page->bytes + offset % PAGE_BYTES, piece);
        else
            memset(bytes, 0, piece);
        offset += piece;
        bytes += piece;
        count -= piece;
    }
}

static struct model_ramfsd_page *make_page(struct model_ramfsd *model,
                                           const struct model_ramfsd_node *node, uint64_t account,
                                           uint64_t offset)
{
    uint32_t i = 0;
    while (i < model->pages_used && model->pages[i].node != 0)
        i++;
    HARNESS(i < model->limit);
    model->pages_used += i == model->pages_used;
    model->pages[i] = (struct model_ramfsd_page){
        .node = node->number, .account = account, .begin = offset - offset % PAGE_BYTES};
    return &model->pages[i];
}

void model_ramfsd_write(struct model_ramfsd *model, const struct model_ramfsd_node *node,
                        uint64_t account, uint64_t offset, const uint8_t *bytes, uint32_t count)
{
    while (count != 0) {
        uint32_t piece = piece_of(offset, count);
        struct model_ramfsd_page *page = page_at(model, node, offset);
        if (page == NULL)
            page = make_page(model, node, account, offset);
        memcpy(page->bytes + offset % PAGE_BYTES, bytes, piece);
        offset += piece;
        bytes += piece;
        count -= piece;
    }
}

/* Nothing is left from an offset on: neither a byte nor a page that has none before it. */
void model_ramfsd_forget(struct model_ramfsd *model, const struct model_ramfsd_node *node,
                         uint64_t offset)
{
    for (uint32_t i = 0; i < model->pages_used; i++) {
        struct model_ramfsd_page *page = &model->pages[i];
        if (page->node != node->number)
            continue;
        for (uint32_t at = 0; at < PAGE_BYTES; at++)
            if (page->begin + at >= offset)
                page->bytes[at] = 0;
        if (page->begin >= offset)
            page->node = 0;
    }
}

uint32_t model_ramfsd_missing(struct model_ramfsd *model, const struct model_ramfsd_node *node,
                              uint64_t offset, uint32_t count)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || (offset + i) % PAGE_BYTES == 0)
            missing += page_at(model, node, offset + i) == NULL;
    return missing;
}
