/* SPDX-License-Identifier: ISC */
/* Doubly linked lists of entry numbers. Decides nothing: who is in which list, and when, is decided
 * where the entries live. Always in line, because the kind is a constant wherever a list is changed:
 * what is left then is a few words of the entries. */
#ifndef BASALT_SERVICES_PAGERD_LISTS_H
#define BASALT_SERVICES_PAGERD_LISTS_H

#include "abi/assert.h"
#include "services/pagerd/pagerd.h"

#define PAGERD_IN_LINE static inline __attribute__((always_inline))

enum pagerd_list_kind {
    LIST_FILLS,   /* of a registration: fills by `sibling` */
    LIST_WAITERS, /* of a fill: waiters by `link` */
    LIST_READY,   /* registrations by `ready` */
    LIST_PARKED,  /* fills by `parked`: the parked and the woken */
    LIST_OWING    /* registrations by `owing` */
};

/* The link of an entry in a kind of list. */
PAGERD_IN_LINE const struct pagerd_link *pagerd_link(const struct pagerd *pagerd,
                                                     enum pagerd_list_kind kind, uint32_t entry)
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
    case LIST_OWING:
        return &pagerd->registrations[entry].owing;
    }
    return &pagerd->fills[0].sibling;
}

PAGERD_IN_LINE struct pagerd_link *pagerd_link_of(struct pagerd *pagerd, enum pagerd_list_kind kind,
                                                  uint32_t entry)
{
    return (struct pagerd_link *)(uintptr_t)pagerd_link(pagerd, kind, entry);
}

/* Puts the entry behind `previous`; 0: in front of all. */
PAGERD_IN_LINE void pagerd_list_insert(struct pagerd *pagerd, enum pagerd_list_kind kind,
                                       struct pagerd_list *list, uint32_t previous, uint32_t entry)
{
    UNIT_ASSERT(entry != 0 && previous != entry);
    UNIT_ASSERT((list->count == 0) == (list->first == 0) &&
                (list->count == 0) == (list->last == 0));
    uint32_t next = previous != 0 ? pagerd_link_of(pagerd, kind, previous)->next : list->first;
    *pagerd_link_of(pagerd, kind, entry) = (struct pagerd_link){.next = next, .previous = previous};
    if (previous != 0)
        pagerd_link_of(pagerd, kind, previous)->next = entry;
    else
        list->first = entry;
    if (next != 0)
        pagerd_link_of(pagerd, kind, next)->previous = entry;
    else
        list->last = entry;
    list->count++;
}

PAGERD_IN_LINE void pagerd_list_append(struct pagerd *pagerd, enum pagerd_list_kind kind,
                                       struct pagerd_list *list, uint32_t entry)
{
    pagerd_list_insert(pagerd, kind, list, list->last, entry);
}

/* From the end: most that come are the latest; who was tried in vain and is parked again comes
 * behind those that were tried before it. */
static inline void pagerd_list_insert_parked(struct pagerd *pagerd, struct pagerd_list *list,
                                             uint32_t fill)
{
    uint32_t previous = list->last;
    while (previous != 0 && pagerd->fills[previous].park_id > pagerd->fills[fill].park_id)
        previous = pagerd->fills[previous].parked.previous;
    pagerd_list_insert(pagerd, LIST_PARKED, list, previous, fill);
}

/* The entry must be in the list. */
PAGERD_IN_LINE void pagerd_list_remove(struct pagerd *pagerd, enum pagerd_list_kind kind,
                                       struct pagerd_list *list, uint32_t entry)
{
    struct pagerd_link link = *pagerd_link_of(pagerd, kind, entry);
    UNIT_ASSERT(entry != 0 && list->count != 0);
    UNIT_ASSERT(link.previous != 0 || list->first == entry);
    UNIT_ASSERT(link.next != 0 || list->last == entry);
    if (link.previous != 0)
        pagerd_link_of(pagerd, kind, link.previous)->next = link.next;
    else
        list->first = link.next;
    if (link.next != 0)
        pagerd_link_of(pagerd, kind, link.next)->previous = link.previous;
    else
        list->last = link.previous;
    *pagerd_link_of(pagerd, kind, entry) = (struct pagerd_link){0, 0};
    list->count--;
}

#endif
