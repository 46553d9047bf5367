/* SPDX-License-Identifier: ISC */
/* Lists of free memory. Decides what is left out when the list is full: what came last, and at the
 * end the smallest. */
#include "kernel/machine/span.h"

#include "abi/limits.h"

static uint64_t page_down(uint64_t value)
{
    return value & ~(uint64_t)(PAGE_BYTES - 1);
}

/* The last page of the address space is nobody's, so that every end fits. */
static uint64_t page_up(uint64_t value)
{
    uint64_t last = page_down(UINT64_MAX);
    return value > last ? last : page_down(value + PAGE_BYTES - 1);
}

static uint64_t range_end(uint64_t first, uint64_t bytes)
{
    uint64_t end;
    return __builtin_add_overflow(first, bytes, &end) ? UINT64_MAX : end;
}

void span_list_init(struct span_list *list, uint64_t limit)
{
    list->count = 0;
    list->limit = limit;
    list->left_out_bytes = 0;
}

static void place_remove(struct span_list *list, uint32_t place)
{
    list->spans[place] = list->spans[--list->count];
}

static void put(struct span_list *list, uint64_t first, uint64_t end)
{
    if (first >= end)
        return;
    if (list->count == SPAN_LIMIT)
        list->left_out_bytes += end - first;
    else
        list->spans[list->count++] = (struct span){first, end};
}

static void cut(struct span_list *list, uint64_t first, uint64_t end)
{
    for (uint32_t i = list->count; i > 0; i--) { /* downwards: what is put is not met again */
        struct span span = list->spans[i - 1];
        if (end <= span.first || first >= span.end)
            continue;
        place_remove(list, i - 1);
        put(list, span.first, first);
        put(list, end, span.end);
    }
}

/* A row that meets spans becomes one with them, so that no page of theirs can be left out. No two
 * spans touch, so that none but these can meet what they become. */
void span_add(struct span_list *list, uint64_t first, uint64_t bytes)
{
    uint64_t end = page_down(range_end(first, bytes));
    first = page_up(first);
    if (first >= end)
        return;
    if (end > list->limit) {
        uint64_t from = first > list->limit ? first : list->limit;
        list->left_out_bytes += end - from;
        end = list->limit;
    }
    if (first >= end)
        return;
    for (uint32_t i = list->count; i > 0; i--) {
        struct span span = list->spans[i - 1];
        if (end < span.first || first > span.end)
            continue;
        place_remove(list, i - 1);
        first = span.first < first ? span.first : first;
        end = span.end > end ? span.end : end;
    }
    put(list, first, end);
}

void span_remove(struct span_list *list, uint64_t first, uint64_t bytes)
{
    if (bytes != 0)
        cut(list, page_down(first), page_up(range_end(first, bytes)));
}

uint64_t span_take(struct span_list *list, uint64_t bytes, uint64_t limit)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct span *span = &list->spans[i];
        if (span->end - span->first < bytes || range_end(span->first, bytes) > limit)
            continue;
        uint64_t first = span->first;
        span->first += bytes;
        if (span->first == span->end)
            place_remove(list, i);
        return first;
    }
    return 0;
}

static void sort(struct span_list *list)
{
    for (uint32_t i = 1; i < list->count; i++) {
        struct span span = list->spans[i];
        uint32_t place = i;
        for (; place > 0 && list->spans[place - 1].first > span.first; place--)
            list->spans[place] = list->spans[place - 1];
        list->spans[place] = span;
    }
}

static uint32_t smallest(const struct span_list *list)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < list->count; i++) {
        const struct span *span = &list->spans[i], *best = &list->spans[found];
        if (span->end - span->first < best->end - best->first)
            found = i;
    }
    return found;
}

void span_settle(struct span_list *list, uint32_t count)
{
    sort(list);
    while (list->count > count) {
        uint32_t place = smallest(list);
        list->left_out_bytes += list->spans[place].end - list->spans[place].first;
        for (; place + 1 < list->count; place++)
            list->spans[place] = list->spans[place + 1];
        list->count--;
    }
}

uint64_t span_end(const struct span_list *list)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < list->count; i++)
        end = list->spans[i].end > end ? list->spans[i].end : end;
    return end;
}
