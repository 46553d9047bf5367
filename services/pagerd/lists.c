/* SPDX-License-Identifier: ISC */
/* Doubly linked lists of entry numbers. Decides nothing: who is in which list, and when, is decided
 * where the entries live. */
#include "services/pagerd/internal.h"

const struct pagerd_link *pagerd_link(const struct pagerd *pagerd, enum pagerd_list_kind kind,
                                      uint32_t entry)
{
    switch (kind) {
    case LIST_FILLS:
        return &pagerd->fills[entry].sibling;
    case LIST_WAITERS:
        return &pagerd->waiters[entry].link;
    case LIST_READY:
        return &pagerd->registrations[entry].ready;
    case LIST_PARKED:
        return &pagerd->fills[entry].parked;
    }
    return &pagerd->fills[0].sibling;
}

static struct pagerd_link *link_of(struct pagerd *pagerd, enum pagerd_list_kind kind,
                                   uint32_t entry)
{
    return (struct pagerd_link *)(uintptr_t)pagerd_link(pagerd, kind, entry);
}

void pagerd_list_append(struct pagerd *pagerd, enum pagerd_list_kind kind, struct pagerd_list *list,
                        uint32_t entry)
{
    UNIT_ASSERT(entry != 0 && list->last != entry);
    UNIT_ASSERT((list->count == 0) == (list->first == 0) &&
                (list->count == 0) == (list->last == 0));
    *link_of(pagerd, kind, entry) = (struct pagerd_link){.next = 0, .previous = list->last};
    if (list->last != 0)
        link_of(pagerd, kind, list->last)->next = entry;
    else
        list->first = entry;
    list->last = entry;
    list->count++;
}

void pagerd_list_remove(struct pagerd *pagerd, enum pagerd_list_kind kind, struct pagerd_list *list,
                        uint32_t entry)
{
    struct pagerd_link link = *link_of(pagerd, kind, entry);
    UNIT_ASSERT(entry != 0 && list->count != 0);
    UNIT_ASSERT(link.previous != 0 || list->first == entry);
    UNIT_ASSERT(link.next != 0 || list->last == entry);
    if (link.previous != 0)
        link_of(pagerd, kind, link.previous)->next = link.next;
    else
        list->first = link.next;
    if (link.next != 0)
        link_of(pagerd, kind, link.next)->previous = link.previous;
    else
        list->last = link.previous;
    *link_of(pagerd, kind, entry) = (struct pagerd_link){0, 0};
    list->count--;
}
