/* SPDX-License-Identifier: ISC */
/* The model of vspaced, its pages: each on its own; regions are counted. */
#include "props/models/model_vspaced_inside.h"

#include <string.h>

#include "props/base/marks.h"
#include "props/base/property.h"

/* --- pages --- */

static uint32_t bucket_of(uint32_t vspace, uint64_t page)
{
    uint64_t key = (page + vspace * UINT64_C(0x100000001B3)) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(key >> 48);
}

struct model_vspaced_page *model_vspaced_page(struct model_vspaced *model, uint32_t vspace,
                                              uint64_t page)
{
    uint32_t link = model->buckets[bucket_of(vspace, page)];
    while (link != 0) {
        struct model_vspaced_page *found = &model->pages[link - 1];
        if (found->vspace == vspace && found->page == page)
            return found;
        link = found->next;
    }
    return NULL;
}

struct model_vspaced_page *model_vspaced_page_make(struct model_vspaced *model, uint32_t vspace,
                                                   uint64_t page)
{
    struct model_vspaced_page *found = model_vspaced_page(model, vspace, page);
    if (found != NULL)
        return found;
    HARNESS(model->page_high < MODEL_VSPACED_PAGE_LIMIT);
    uint32_t *bucket = &model->buckets[bucket_of(vspace, page)];
    found = &model->pages[model->page_high++];
    *found =
        (struct model_vspaced_page){.used = true, .vspace = vspace, .page = page, .next = *bucket};
    *bucket = model->page_high;
    return found;
}

bool model_vspaced_in_books(struct model_vspaced *model, uint32_t vspace, uint64_t page)
{
    const struct model_vspaced_page *found = model_vspaced_page(model, vspace, page);
    return found != NULL && found->in_books;
}

bool model_vspaced_in_kernel(struct model_vspaced *model, uint32_t vspace, uint64_t page)
{
    const struct model_vspaced_page *found = model_vspaced_page(model, vspace, page);
    return found != NULL && found->in_kernel;
}

/* --- what the harness tells --- */

void model_vspaced_reset(struct model_vspaced *model)
{
    memset(model->vspaces, 0, sizeof model->vspaces);
    memset(model->frames, 0, sizeof model->frames);
    memset(model->account_held, 0, sizeof model->account_held);
    memset(model->ids, 0, model->id_high * sizeof model->ids[0]);
    for (uint32_t i = 0; i < model->page_high; i++)
        model->buckets[bucket_of(model->pages[i].vspace, model->pages[i].page)] = 0;
    model->page_high = 0;
    model->id_high = 0;
    model->vspace_count = 0;
    model->owed_count = 0;
    model->window_filled = 0;
    model->swept_slot = 0;
}

uint32_t model_vspaced_vspace(struct model_vspaced *model)
{
    HARNESS(model->vspace_count < MODEL_VSPACED_VSPACE_LIMIT);
    model->vspaces[model->vspace_count] = (struct model_vspaced_vspace){.alive = true};
    return model->vspace_count++;
}

void model_vspaced_vspace_died(struct model_vspaced *model, uint32_t vspace)
{
    model->vspaces[vspace].alive = false;
    for (uint32_t i = 0; i < model->page_high; i++)
        if (model->pages[i].vspace == vspace)
            model->pages[i].in_kernel = false;
}

void model_vspaced_frame_made(struct model_vspaced *model, uint32_t object, uint32_t frame_id,
                              uint32_t account)
{
    model->frames[object] = (struct model_vspaced_frame){0};
    model->pool_left--;
    if (frame_id == 0)
        return;
    model->ids[frame_id] = (struct model_vspaced_id){true, account, object};
    model->account_held[account]++;
    if (frame_id >= model->id_high)
        model->id_high = frame_id + 1;
}

void model_vspaced_frame_destroyed(struct model_vspaced *model, uint32_t object)
{
    for (uint32_t i = 0; i < model->page_high; i++) {
        struct model_vspaced_page *page = &model->pages[i];
        if (page->in_kernel && !page->kernel_image && page->kernel_object == object)
            page->in_kernel = false;
    }
    for (uint32_t i = 1; i < model->id_high; i++) {
        if (!model->ids[i].live || model->ids[i].object != object)
            continue;
        model->ids[i].live = false;
        model->account_held[model->ids[i].account]--;
        break; /* a frame has one id */
    }
    model->pool_left++;
}

/* --- regions --- */

/* A page as it is, or as it would be; false: there is none. */
static bool page_as(struct model_vspaced *model, uint32_t vspace, uint64_t number,
                    const struct model_vspaced_change *change, struct model_vspaced_page *page)
{
    const struct model_vspaced_page *now = model_vspaced_page(model, vspace, number);
    bool is_in = now != NULL && now->in_books;
    *page = is_in ? *now : (struct model_vspaced_page){0};
    if (change == NULL || number < change->first_page ||
        number - change->first_page >= change->page_count)
        return is_in;
    if (change->only_rights) {
        page->rights = change->to.rights;
        return is_in;
    }
    *page = change->to;
    page->image_page += page->kind == REGION_IMAGE ? number - change->first_page : 0;
    return page->in_books;
}

/* Whether two neighbouring pages are of one region. */
static bool alike(const struct model_vspaced_page *left, const struct model_vspaced_page *right)
{
    return left->kind == right->kind && left->rights == right->rights &&
           left->rights_mapped == right->rights_mapped &&
           (left->kind != REGION_IMAGE || left->image_page + 1 == right->image_page);
}

bool model_vspaced_begins_region(struct model_vspaced *model, uint32_t vspace, uint64_t number,
                                 const struct model_vspaced_change *change)
{
    struct model_vspaced_page before;
    struct model_vspaced_page page;
    if (!page_as(model, vspace, number, change, &page))
        return false;
    return !page_as(model, vspace, number - 1, change, &before) || !alike(&before, &page);
}

uint32_t model_vspaced_regions(struct model_vspaced *model, uint32_t vspace)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->page_high; i++)
        if (model->pages[i].vspace == vspace && model->pages[i].in_books)
            count += model_vspaced_begins_region(model, vspace, model->pages[i].page, NULL);
    return count;
}

/* Whether a vspace may have the regions that it has after the change. */
bool model_vspaced_regions_fit(struct model_vspaced *model,
                               const struct model_vspaced_answer *answer,
                               struct model_vspaced_change change)
{
    uint32_t vspace = answer->vspace;
    int64_t count = model_vspaced_regions(model, vspace);
    change.first_page = answer->first_page;
    change.page_count = answer->page_count;
    for (uint64_t i = 0; i <= answer->page_count; i++) {
        count -= model_vspaced_begins_region(model, vspace, answer->first_page + i, NULL);
        count += model_vspaced_begins_region(model, vspace, answer->first_page + i, &change);
    }
    return !MARK_IF("vspaced: no more regions for the space",
                    count > (int64_t)model->vspaces[vspace].region_limit);
}

struct model_vspaced_change model_vspaced_change_to(uint32_t kind, uint32_t rights,
                                                    uint64_t image_page)
{
    return (struct model_vspaced_change){.to = {.in_books = true,
                                                .kind = kind,
                                                .rights = rights,
                                                .rights_mapped = rights,
                                                .image_page = image_page}};
}
