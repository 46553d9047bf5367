/* SPDX-License-Identifier: ISC */
/* Pages that are given: those of a program that is no module of the image, which its maker has
 * filled. Decides whether a page may be one of the process's; never sees its bytes, and never gives
 * back a frame that it did not fetch. */
#include "services/pagerd/internal.h"

/* The area that a page may be given to; OUT_OF_RANGE: it lies in none of those. */
static enum status find_area(const struct pagerd_registration *registration, uint64_t va,
                             uint32_t *rights)
{
    for (uint32_t i = 0; i < registration->area_count; i++) {
        const struct pagerd_place *place = &registration->places[i];
        if (place->kind != AREA_LOADED || va < place->va ||
            (va - place->va) >> PAGE_SHIFT >= place->page_count)
            continue;
        *rights = place->rights;
        return STATUS_OK;
    }
    return STATUS_OUT_OF_RANGE; /* G3 */
}

/* Asked when nothing is open any more of the page before: one request at most is in doubt. Whether
 * vspaced has the page or not, the frame is its giver's to take back. */
static enum status give(struct pagerd *pagerd, uint32_t entry, uint32_t rights,
                        const struct pagerd_give_page_request *request)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    if (registration->page_count >= registration->page_limit)
        return STATUS_OVER_LIMIT; /* M9 */
    enum status status = pagerd_map_given(pagerd, registration->vspace_cap_slot, rights, request);
    if (status == STATUS_OK)
        pagerd_count_pages(pagerd, entry, request->va, 1);
    if (status == STATUS_TIMED_OUT) {
        registration->doubt_va = request->va;
        registration->doubt_pages = 1;
    }
    return status;
}

enum status pagerd_give_page(struct pagerd *pagerd, struct pagerd_request *request)
{
    const struct pagerd_give_page_request *body = &request->body.give_page;
    uint32_t entry = pagerd_find(pagerd, body->token);
    uint32_t rights = 0;
    if (entry == 0)
        return STATUS_NOT_FOUND;
    enum status status = find_area(&pagerd->registrations[entry], body->va, &rights);
    if (status != STATUS_OK)
        return status;
    if (pagerd->registrations[entry].vspace_cap_slot == 0) /* its space is lost (G2) */
        return STATUS_NOT_FOUND;
    status = pagerd_settle_page(pagerd, entry);
    if (status == STATUS_OK)
        status = give(pagerd, entry, rights, body);
    pagerd_note_open_page(pagerd, entry);
    return status;
}
