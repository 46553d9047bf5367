/* SPDX-License-Identifier: ISC */
/* Walks over pagerd's whole state: the check of every rule that its tables must keep, the digest,
 * and the reset. Only reset writes. */
#include <stddef.h>
#include <string.h>

#include "services/pagerd/internal.h"

/* --- lists ----------------------------------------------------------------------------------- */

/* Links, count and ends agree; entries lie in 1..used. The walk ends after `count` steps whatever
 * the links say. */
static bool list_sound(const struct pagerd *pagerd, enum pagerd_list_kind kind,
                       const struct pagerd_list *list, uint32_t used)
{
    uint32_t entry = list->first;
    uint32_t previous = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (entry == 0 || entry > used || pagerd_link(pagerd, kind, entry)->previous != previous)
            return false;
        previous = entry;
        entry = pagerd_link(pagerd, kind, entry)->next;
    }
    return entry == 0 && previous == list->last;
}

/* --- registrations --------------------------------------------------------------------------- */

static bool areas_sound(const struct pagerd_registration *registration)
{
    struct pagerd_register_process_request again = {
        .image_offset = registration->image_offset,
        .image_bytes = registration->image_bytes,
        .data_offset = registration->data_offset,
        .data_bytes = registration->data_bytes,
        .area_count = registration->area_count,
    };
    if (registration->area_count == 0 || registration->area_count > PAGERD_AREA_LIMIT)
        return false;
    for (uint32_t i = 0; i < registration->area_count; i++)
        again.areas[i] = pagerd_area_at(&registration->places[i]);
    return pagerd_judge_registration(&again) == STATUS_OK; /* G4, V2 */
}

/* Its open fills: in order of their ids (G6), one per page (G1), counted. */
static bool fills_of_sound(const struct pagerd *pagerd, uint32_t entry)
{
    const struct pagerd_registration *registration = &pagerd->registrations[entry];
    if (!list_sound(pagerd, LIST_FILLS, &registration->fills, pagerd->fill_used))
        return false;
    uint32_t queued = 0;
    uint64_t last_id = 0;
    for (uint32_t i = registration->fills.first; i != 0; i = pagerd->fills[i].sibling.next) {
        const struct pagerd_fill *fill = &pagerd->fills[i];
        bool first = pagerd_find_fill(pagerd, entry, fill->va) == i;
        if (fill->registration != entry || fill->id <= last_id || !first)
            return false;
        last_id = fill->id;
        queued += fill->state == FILL_QUEUED;
    }
    return queued == registration->queued_count && last_id <= pagerd->last_fault_id;
}

/* What is in doubt may be there: it was asked for within the limit. */
static bool doubt_sound(const struct pagerd_registration *registration)
{
    uint32_t pages = registration->doubt_pages;
    return (registration->doubt_va != 0) == (pages != 0) && pages <= PAGERD_WALK_PAGES &&
           pages <= registration->page_limit - registration->page_count;
}

static bool registration_sound(const struct pagerd *pagerd, uint32_t entry)
{
    const struct pagerd_registration *registration = &pagerd->registrations[entry];
    bool open = registration->doubt_va != 0 || registration->owed_frame != 0;
    bool owes_page = (registration->owes & PAGERD_OWES_PAGE) != 0;
    if (registration->state == REGISTRATION_LEAVING && (registration->owes == 0 || owes_page))
        return false;
    if (registration->state != REGISTRATION_LIVE)
        return registration->fills.count == 0 && registration->queued_count == 0;
    if (owes_page != open || (registration->owes & ~(uint32_t)PAGERD_OWES_PAGE) != 0)
        return false;
    return pagerd_find(pagerd, registration->token) == entry && areas_sound(registration) &&
           (registration->vspace_cap_slot != 0 || registration->fills.count == 0) &&
           registration->page_count <= registration->page_limit && doubt_sound(registration) &&
           registration->resolved_count <= registration->fault_count &&
           registration->last_fault_id <= pagerd->last_fault_id && fills_of_sound(pagerd, entry);
}

/* Each space that has a name is found by it, and nothing else is: no two have the same. */
static bool spaces_sound(const struct pagerd *pagerd)
{
    uint32_t named = 0;
    for (uint32_t i = 1; i <= pagerd->registration_used; i++) {
        uint32_t slot = pagerd->registrations[i].vspace_cap_slot;
        if (slot != 0 && index_find(pagerd->spaces_root, pagerd->space_nodes, slot) != i)
            return false;
        named += slot != 0;
    }
    return index_check(pagerd->spaces_root, pagerd->space_nodes, named, pagerd->registration_used);
}

/* The free list holds as many entries as are FREE, so that none leaks. */
static bool registrations_sound(const struct pagerd *pagerd)
{
    uint32_t live = 0;
    uint32_t free = 0;
    uint32_t ready = 0;
    uint32_t owing = 0;
    if (pagerd->registration_used > PAGERD_REGISTRATION_LIMIT ||
        !index_check(pagerd->tokens_root, pagerd->token_nodes, pagerd->registration_count,
                     pagerd->registration_used) ||
        !spaces_sound(pagerd))
        return false;
    for (uint32_t i = 1; i <= pagerd->registration_used; i++) {
        if (!registration_sound(pagerd, i))
            return false;
        live += pagerd->registrations[i].state == REGISTRATION_LIVE;
        free += pagerd->registrations[i].state == REGISTRATION_FREE;
        ready += pagerd->registrations[i].queued_count != 0;
        owing += pagerd->registrations[i].owes != 0;
    }
    for (uint32_t i = pagerd->registration_free; i != 0; i = pagerd->registrations[i].next_free)
        if (pagerd->registrations[i].state != REGISTRATION_FREE || free-- == 0)
            return false;
    for (uint32_t i = pagerd->ready.first; i != 0; i = pagerd->registrations[i].ready.next)
        if (pagerd->registrations[i].queued_count == 0)
            return false;
    for (uint32_t i = pagerd->owing.first; i != 0; i = pagerd->registrations[i].owing.next)
        if (pagerd->registrations[i].owes == 0)
            return false;
    return free == 0 && live == pagerd->registration_count && ready == pagerd->ready.count &&
           owing == pagerd->owing.count;
}

/* --- fills and waiters ----------------------------------------------------------------------- */

static bool waiters_of_sound(const struct pagerd *pagerd, uint32_t entry)
{
    const struct pagerd_fill *fill = &pagerd->fills[entry];
    if (fill->waiters.count == 0 ||
        !list_sound(pagerd, LIST_WAITERS, &fill->waiters, pagerd->waiter_used))
        return false;
    for (uint32_t i = fill->waiters.first; i != 0; i = pagerd->waiters[i].link.next)
        if (pagerd->waiters[i].fill != entry)
            return false;
    return true;
}

static bool fill_sound(const struct pagerd *pagerd, uint32_t entry)
{
    const struct pagerd_fill *fill = &pagerd->fills[entry];
    if (fill->registration == 0 || fill->registration > pagerd->registration_used)
        return false;
    const struct pagerd_registration *registration = &pagerd->registrations[fill->registration];
    if (registration->state != REGISTRATION_LIVE || fill->area >= registration->area_count)
        return false;
    const struct pagerd_place *place = &registration->places[fill->area];
    return place->kind != AREA_GUARD && fill->va % PAGE_BYTES == 0 && fill->va >= place->va &&
           (fill->va - place->va) >> PAGE_SHIFT < place->page_count && /* G3 */
           waiters_of_sound(pagerd, entry);
}

/* Between messages a fill is free, queued, parked or woken; those in the lists are all there
 * are. */
static bool fills_sound(const struct pagerd *pagerd)
{
    uint32_t free = 0;
    uint32_t parked = 0;
    uint32_t waiting = 0;
    uint32_t listed = 0;
    if (pagerd->fill_used > PAGERD_FILL_LIMIT || pagerd->waiter_used > PAGERD_WAITER_LIMIT)
        return false;
    for (uint32_t i = 1; i <= pagerd->fill_used; i++) {
        uint32_t state = pagerd->fills[i].state;
        if (state >= FILL_MAPPING)
            return false;
        if (state != FILL_FREE && !fill_sound(pagerd, i))
            return false;
        free += state == FILL_FREE;
        parked += state == FILL_WAITING_FRAME || state == FILL_WOKEN;
        waiting += pagerd->fills[i].waiters.count;
    }
    for (uint32_t i = 1; i <= pagerd->registration_used; i++)
        listed += pagerd->registrations[i].fills.count;
    for (uint32_t i = 1; i <= pagerd->waiter_used; i++)
        waiting -= pagerd->waiters[i].fill != 0;
    if (waiting != 0 || parked != pagerd->parked.count + pagerd->woken.count ||
        listed + free != pagerd->fill_used)
        return false;
    for (uint32_t i = pagerd->fill_free; i != 0; i = pagerd->fills[i].sibling.next)
        if (pagerd->fills[i].state != FILL_FREE || free-- == 0)
            return false;
    return free == 0;
}

/* In order of their first parking (G5), each in the list of its state. */
static bool parked_sound(const struct pagerd *pagerd, const struct pagerd_list *list,
                         enum pagerd_fill_state state)
{
    uint64_t last_id = 0;
    if (!list_sound(pagerd, LIST_PARKED, list, pagerd->fill_used))
        return false;
    for (uint32_t i = list->first; i != 0; i = pagerd->fills[i].parked.next) {
        if (pagerd->fills[i].state != (uint32_t)state || pagerd->fills[i].park_id <= last_id)
            return false;
        last_id = pagerd->fills[i].park_id;
    }
    return last_id <= pagerd->last_park_id;
}

static bool lists_sound(const struct pagerd *pagerd)
{
    return parked_sound(pagerd, &pagerd->parked, FILL_WAITING_FRAME) &&
           parked_sound(pagerd, &pagerd->woken, FILL_WOKEN) &&
           list_sound(pagerd, LIST_READY, &pagerd->ready, pagerd->registration_used) &&
           list_sound(pagerd, LIST_OWING, &pagerd->owing, pagerd->registration_used);
}

const char *pagerd_check(const struct pagerd *pagerd)
{
    if (!lists_sound(pagerd))
        return "a list of parked or woken fills, or of processes, is broken";
    if (!registrations_sound(pagerd))
        return "a registration, its index or the list of free ones is broken";
    if (!fills_sound(pagerd))
        return "a fill, its faulters or the list of free ones is broken";
    return pagerd->scratch_full <= 1 ? NULL : "the scratch slot is neither full nor empty";
}

/* --- fields --- */

struct visitor {
    void (*visit)(void *context, uint64_t value);
    void *context;
};

static void add(const struct visitor *visitor, uint64_t value)
{
    visitor->visit(visitor->context, value);
}

static void add_list(const struct visitor *visitor, const struct pagerd_list *list,
                     const struct pagerd_link *link)
{
    add(visitor, (uint64_t)list->first << 32 | list->last);
    add(visitor, (uint64_t)link->next << 32 | link->previous);
}

static void add_registration(const struct visitor *visitor,
                             const struct pagerd_registration *registration)
{
    add(visitor, registration->token);
    add(visitor, registration->image_offset);
    add(visitor, registration->image_bytes);
    if (registration->data_bytes != 0) {
        add(visitor, registration->data_offset);
        add(visitor, registration->data_bytes);
    }
    add(visitor, registration->last_fault_id);
    add(visitor, registration->fault_count);
    add(visitor, registration->resolved_count);
    add(visitor, (uint64_t)registration->state << 32 | registration->vspace_cap_slot);
    add(visitor, (uint64_t)registration->page_limit << 32 | registration->page_count);
    bool is_free = registration->state == REGISTRATION_FREE; /* else: the index's business */
    add(visitor,
        (uint64_t)registration->queued_count << 32 | (is_free ? registration->next_free : 0));
    add(visitor,
        (uint64_t)registration->owes << 32 | registration->flags << 16 | registration->area_count);
    add(visitor, (uint64_t)registration->owed_frame << 32 | registration->unproved_rights);
    add(visitor, registration->unproved_va);
    add(visitor, registration->walk_va);
    if (registration->doubt_va != 0)
        add(visitor, registration->doubt_va + registration->doubt_pages); /* of a page: below it */
    add_list(visitor, &registration->fills, &registration->ready);
    add(visitor, (uint64_t)registration->owing.next << 32 | registration->owing.previous);
    for (uint32_t i = 0; i < registration->area_count; i++) {
        const struct pagerd_area area = pagerd_area_at(&registration->places[i]);
        add(visitor, (uint64_t)area.kind << 32 | area.rights);
        add(visitor, area.va);
        add(visitor, area.memory_bytes);
        add(visitor, area.file_offset);
        add(visitor, area.file_bytes);
    }
}

static void add_fill(const struct visitor *visitor, const struct pagerd_fill *fill)
{
    add(visitor, fill->id);
    add(visitor, fill->va);
    add(visitor, fill->parked_ticks);
    add(visitor, fill->park_id);
    add(visitor, (uint64_t)(fill->books_late << 2 | fill->timed_out << 1 | fill->is_there) << 48 |
                     (uint64_t)fill->rights_asked << 32 | fill->state);
    add(visitor, (uint64_t)fill->registration << 32 | fill->area);
    add_list(visitor, &fill->waiters, &fill->sibling);
    add(visitor, (uint64_t)fill->parked.next << 32 | fill->parked.previous);
}

void pagerd_visit_fields(const struct pagerd *pagerd, void (*visit)(void *context, uint64_t value),
                         void *context)
{
    static const struct pagerd_link none = {0, 0};
    const struct visitor visitor = {visit, context};
    add(&visitor, pagerd->last_fault_id);
    add(&visitor, (uint64_t)pagerd->registration_count << 32 | pagerd->registration_used);
    add(&visitor, (uint64_t)pagerd->registration_free << 32 | pagerd->fill_free);
    add(&visitor, (uint64_t)pagerd->fill_used << 32 | pagerd->scratch_full);
    add(&visitor, (uint64_t)pagerd->wake_pending << 32 | pagerd->new_turns);
    add(&visitor, pagerd->last_park_id);
    add_list(&visitor, &pagerd->ready, &none);
    add_list(&visitor, &pagerd->parked, &none);
    add_list(&visitor, &pagerd->woken, &none);
    add_list(&visitor, &pagerd->owing, &none);
    for (uint32_t i = 1; i <= pagerd->registration_used; i++)
        add_registration(&visitor, &pagerd->registrations[i]); /* the indexes follow from these */
    for (uint32_t i = 1; i <= pagerd->fill_used; i++)
        add_fill(&visitor, &pagerd->fills[i]);
    for (uint32_t i = 1; i <= pagerd->waiter_used; i++) {
        add(&visitor, pagerd->waiters[i].request_id);
        add(&visitor, (uint64_t)pagerd->waiters[i].fill << 32 | pagerd->waiters[i].link.next);
    }
}

/* --- reset ----------------------------------------------------------------------------------- */

void pagerd_reset(struct pagerd *pagerd)
{
    size_t registrations = pagerd->registration_used;
    size_t fills = pagerd->fill_used;
    size_t waiters = pagerd->waiter_used;
    memset(pagerd, 0, offsetof(struct pagerd, registrations));
    memset(&pagerd->registrations[1], 0, registrations * sizeof pagerd->registrations[0]);
    memset(pagerd->token_nodes, 0, (registrations + 1) * sizeof pagerd->token_nodes[0]);
    memset(pagerd->space_nodes, 0, (registrations + 1) * sizeof pagerd->space_nodes[0]);
    memset(&pagerd->fills[1], 0, fills * sizeof pagerd->fills[0]);
    memset(&pagerd->waiters[1], 0, waiters * sizeof pagerd->waiters[0]);
}
