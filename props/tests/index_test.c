/* SPDX-License-Identifier: ISC */
/* services/lib/index against a plain array: the same keys, whatever their order and no matter who
 * chose them, give the same answers, and index_check sees each kind of damage. */
#include <string.h>

#include "props/base/testing.h"
#include "services/lib/index.h"

enum { PLACE_LAST = 300, STEP_COUNT = 40000 };

static struct {
    uint32_t root;
    struct index_node nodes[PLACE_LAST + 1];
    /* the model: one row per place, in no order */
    bool held[PLACE_LAST + 1];
    uint64_t keys[PLACE_LAST + 1];
    uint32_t count;
} state;

static uint64_t random_state;

/* xorshift64: the same keys in every run. */
static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* --- keys that somebody chose --------------------------------------------------------------- */

static uint64_t key_anything(uint64_t random)
{
    return random;
}

/* Pages one after the other, as a process touches its heap. */
static uint64_t key_neighbours(uint64_t random)
{
    return 0x400 + random % 400;
}

/* One bit each, the longest way down that there is. */
static uint64_t key_bits(uint64_t random)
{
    return UINT64_C(1) << random % 64;
}

static uint64_t key_ones(uint64_t random)
{
    return UINT64_MAX >> random % 64;
}

/* All in one bucket of any table that looks at the low bits. */
static uint64_t key_low_bits_alike(uint64_t random)
{
    return random << 20 | 0xABCDE;
}

/* All in one bucket of any table that takes the upper bits of a product with 2^64 over the golden
 * ratio: multiplied by that factor's inverse. */
static uint64_t key_mixer_undone(uint64_t random)
{
    return (random % 4096) * UINT64_C(0xF1DE83E19937733D);
}

static const struct {
    const char *name;
    uint64_t (*make)(uint64_t random);
} patterns[] = {
    {"anything", key_anything},
    {"neighbours", key_neighbours},
    {"one bit each", key_bits},
    {"ones", key_ones},
    {"the same low bits", key_low_bits_alike},
    {"a mixer undone", key_mixer_undone},
};

/* --- one step --------------------------------------------------------------------------------- */

static uint32_t model_find(uint64_t key)
{
    for (uint32_t place = 1; place <= PLACE_LAST; place++)
        if (state.held[place] && state.keys[place] == key)
            return place;
    return 0;
}

static uint32_t model_floor(uint64_t key)
{
    uint32_t best = 0;
    for (uint32_t place = 1; place <= PLACE_LAST; place++)
        if (state.held[place] && state.keys[place] <= key &&
            (best == 0 || state.keys[place] > state.keys[best]))
            best = place;
    return best;
}

static bool step(uint32_t place, uint64_t key)
{
    if (index_find(state.root, state.nodes, key) != model_find(key) ||
        index_floor(state.root, state.nodes, key) != model_floor(key))
        return false;
    if (state.held[place]) {
        index_remove(&state.root, state.nodes, place);
        state.held[place] = false;
        state.count--;
    } else if (model_find(key) == 0) {
        index_add(&state.root, state.nodes, place, key);
        state.held[place] = true;
        state.keys[place] = key;
        state.count++;
    }
    return true;
}

static bool sound(uint32_t count)
{
    return index_check(state.root, state.nodes, count, PLACE_LAST);
}

static void test_pattern(unsigned pattern)
{
    static const struct index_node zero[PLACE_LAST + 1];
    bool agrees = true;
    bool checks = true;
    memset(&state, 0, sizeof state);
    random_state = 0x9E3779B97F4A7C15;
    for (uint32_t i = 0; i < STEP_COUNT && agrees && checks; i++) {
        uint32_t place = 1 + (uint32_t)(random_next() % PLACE_LAST);
        agrees = step(place, patterns[pattern].make(random_next()));
        checks = i % 16 != 0 || (sound(state.count) && !sound(state.count + 1) &&
                                 (state.count == 0 || !sound(state.count - 1)));
    }
    expect_of(patterns[pattern].name, "finds what the array finds", agrees);
    expect_of(patterns[pattern].name, "is a tree of as many keys as there are", checks);
    for (uint32_t place = 1; place <= PLACE_LAST; place++)
        if (state.held[place])
            index_remove(&state.root, state.nodes, place);
    expect_of(patterns[pattern].name, "is all zero when nothing is left",
              state.root == 0 && memcmp(state.nodes, zero, sizeof zero) == 0);
}

/* --- damage ----------------------------------------------------------------------------------- */

static void fill(void)
{
    memset(&state, 0, sizeof state);
    for (uint32_t place = 1; place <= 8; place++)
        index_add(&state.root, state.nodes, place, place * 3);
    state.count = 8;
}

static void test_damage(void)
{
    fill();
    expect_of("before the damage", "is sound", sound(8));
    state.nodes[3].key = 5; /* it is below the one in front of it */
    expect_of("damage", "a key that changed", !sound(8));
    fill();
    state.root = (PLACE_LAST + 1) << 8;
    expect_of("damage", "a place that cannot be", !sound(1));
    for (uint32_t place = 1; place <= 8; place++) {
        for (unsigned side = 0; side < 2; side++) {
            fill();
            if (state.nodes[place].below[side] == 0)
                continue; /* the one without a branch */
            state.nodes[place].below[side] = state.root;
            expect_of("damage", "a branch that leads back up", !sound(8));
            state.nodes[place].below[side] = 0;
            expect_of("damage", "a branch that leads nowhere", !sound(8));
        }
    }
}

int main(int count, char **arguments)
{
    (void)count;
    for (unsigned i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        test_pattern(i);
    test_damage();
    return tests_end(arguments[0]);
}
