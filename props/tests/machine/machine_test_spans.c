/* SPDX-License-Identifier: ISC */
/* Lists of free memory against one flag for each page of a small machine. */
#include <string.h>

#include "abi/limits.h"
#include "kernel/machine/span.h"
#include "props/base/testing.h"
#include "props/tests/machine/machine_test.h"

enum { MODEL_PAGES = 4096, LIMIT_PAGES = 3500, STEPS = 400, ROUNDS = 60, RANGES = 16 };

static struct {
    struct span_list list;
    bool free[MODEL_PAGES];
} state;

static void start(void)
{
    memset(state.free, 0, sizeof state.free);
    span_list_init(&state.list, (uint64_t)LIMIT_PAGES * PAGE_BYTES);
}

/* Only whole pages below the limit are free; every page that a cut touches is not. */
static void model_set(uint64_t first, uint64_t bytes, bool is_free)
{
    uint64_t end = first + bytes < first ? UINT64_MAX : first + bytes;
    for (uint64_t page = 0; page < MODEL_PAGES; page++) {
        uint64_t from = page * PAGE_BYTES, to = from + PAGE_BYTES;
        bool inside = from >= first && to <= end;
        bool touched = bytes != 0 && from < end && to > first;
        if (is_free && inside && page < LIMIT_PAGES)
            state.free[page] = true;
        if (!is_free && touched)
            state.free[page] = false;
    }
}

static uint64_t model_pages(void)
{
    uint64_t count = 0;
    for (uint64_t page = 0; page < MODEL_PAGES; page++)
        count += state.free[page];
    return count;
}

/* Each span is made of free pages, none is named twice. */
static bool is_sound(uint64_t *pages)
{
    static bool named[MODEL_PAGES];
    memset(named, 0, sizeof named);
    *pages = 0;
    for (uint32_t i = 0; i < state.list.count; i++) {
        struct span span = state.list.spans[i];
        if (span.first >= span.end || (span.first | span.end) % PAGE_BYTES != 0)
            return false;
        for (uint64_t page = span.first / PAGE_BYTES; page < span.end / PAGE_BYTES; page++) {
            if (page >= MODEL_PAGES || named[page] || !state.free[page])
                return false;
            named[page] = true;
            ++*pages;
        }
    }
    return true;
}

static uint64_t random_bytes(void)
{
    uint64_t pages = random_below(MODEL_PAGES / (1 + random_below(200)));
    return pages * PAGE_BYTES + (random_below(3) == 0 ? random_below(PAGE_BYTES) : 0);
}

static bool random_step(void)
{
    uint64_t first = random_below(MODEL_PAGES) * PAGE_BYTES + random_below(2) * random_below(5000);
    uint64_t bytes = random_bytes();
    if (random_below(40) == 0)
        bytes = UINT64_MAX - random_below(2) * first; /* wraps, or ends with the last address */
    uint64_t kind = random_below(8);
    if (kind < 3) {
        span_add(&state.list, first, bytes);
        model_set(first, bytes, true);
    } else if (kind < 7) {
        span_remove(&state.list, first, bytes);
        model_set(first, bytes, false);
    } else {
        uint64_t wanted = (1 + random_below(8)) * PAGE_BYTES;
        uint64_t limit = random_below(MODEL_PAGES) * PAGE_BYTES;
        uint64_t taken = span_take(&state.list, wanted, limit);
        if (taken != 0 && taken + wanted > limit)
            return false;
        if (taken != 0)
            model_set(taken, wanted, false);
    }
    uint64_t pages;
    return is_sound(&pages) && pages == model_pages();
}

/* Few ranges keep the most memory, in order, joined; the rest is counted. */
static bool settle(uint32_t count)
{
    uint64_t pages, left_out = state.list.left_out_bytes;
    span_settle(&state.list, count);
    if (!is_sound(&pages) || state.list.count > count ||
        pages * PAGE_BYTES + state.list.left_out_bytes - left_out != model_pages() * PAGE_BYTES)
        return false;
    for (uint32_t i = 1; i < state.list.count; i++) {
        if (state.list.spans[i - 1].end >= state.list.spans[i].first)
            return false;
    }
    return true;
}

static void test_random(void)
{
    bool steps = true, settled = true;
    for (unsigned round = 0; round < ROUNDS; round++) {
        start();
        for (unsigned i = 0; i < STEPS && steps; i++)
            steps = random_step();
        settled = settled && settle((uint32_t)(1 + random_below(RANGES)));
    }
    expect(steps, "spans are the free pages, after each of many steps");
    expect(settled, "what is left out when few spans are wanted is counted");
}

/* 128 MiB with a reserved page in each 2 MiB, as a firmware may leave it. */
static void test_many(void)
{
    span_list_init(&state.list, UINT64_MAX - PAGE_BYTES + 1);
    span_add(&state.list, 16 << 20, 128 << 20);
    for (uint64_t i = 0; i < 60; i++)
        span_remove(&state.list, (16 << 20) + i * (2 << 20), 1);
    span_settle(&state.list, 64);
    expect_equal(state.list.count, 60, "60 reserved pages make 60 spans");
    expect_equal(state.list.left_out_bytes, 0, "and none is left out of 64");
    span_settle(&state.list, 10);
    expect_equal(state.list.left_out_bytes, 50 * ((UINT64_C(2) << 20) - PAGE_BYTES),
                 "what 10 ranges do not hold is counted");
    expect_equal(state.list.spans[9].end, 144 << 20, "the largest is kept");
}

static void test_ends(void)
{
    start();
    span_add(&state.list, 0, UINT64_MAX);
    expect_equal(span_end(&state.list), (uint64_t)LIMIT_PAGES * PAGE_BYTES, "the limit holds");
    EXPECT(state.list.left_out_bytes > UINT64_MAX / 2);
    span_remove(&state.list, (uint64_t)2000 * PAGE_BYTES, UINT64_MAX);
    expect_equal(span_end(&state.list), (uint64_t)2000 * PAGE_BYTES, "a row that wraps is cut");
    span_remove(&state.list, (uint64_t)1000 * PAGE_BYTES, 0);
    expect_equal(state.list.count, 1, "a row of no bytes takes nothing");
    span_remove(&state.list, 0, UINT64_MAX);
    expect_equal(state.list.count, 0, "all can be reserved");
    expect_equal(span_take(&state.list, PAGE_BYTES, UINT64_MAX), 0, "and then nothing is taken");
    start();
    for (uint64_t i = 0; i < SPAN_LIMIT + 7; i++)
        span_add(&state.list, 2 * i * PAGE_BYTES, PAGE_BYTES);
    expect_equal(state.list.count, SPAN_LIMIT, "a list that is full");
    expect_equal(state.list.left_out_bytes, 7 * PAGE_BYTES, "counts what has no room in it");
    span_remove(&state.list, 0, PAGE_BYTES);
    span_add(&state.list, 2000 * PAGE_BYTES, 9 * PAGE_BYTES);
    span_add(&state.list, 2004 * PAGE_BYTES, PAGE_BYTES);
    expect_equal(state.list.left_out_bytes, 7 * PAGE_BYTES,
                 "and loses no page that is named again");
}

void machine_test_spans(void)
{
    test_random();
    test_many();
    test_ends();
}
