/* SPDX-License-Identifier: ISC */
/* The step mutator: what each of its changes leaves as it was, and that each is made. */
#include <stdlib.h>
#include <string.h>

#include "props/base/testing.h"
#include "props/life/life.h"
#include "props/life/life_bytes.h"
#include "props/life/steps.h"
#include "props/tests/harness_test.h"

static size_t flip_first(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, void *context)
{
    (void)limit_bytes;
    (void)context;
    if (size_bytes != 0)
        bytes[0] ^= 0xFF;
    return size_bytes;
}

/* The mutator never leaves its limit, repeats by its seed, and does every kind of change. */
static void test_steps(void)
{
    static const uint8_t life[] = {0, 1, 1, 1, 1, 1, 6, 0, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    bool grew = false;
    bool shrank = false;
    bool swapped = false;
    bool good = true;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        uint8_t once[40];
        uint8_t twice[40];
        struct steps_plan plan = {.features = seed % 2 == 0 ? 0 : STEPS_USUAL, .swarm = seed % 4};
        memcpy(once, life, sizeof life);
        memcpy(twice, life, sizeof life);
        size_t size = steps_mutate(once, sizeof life, sizeof once, plan, seed, flip_first, NULL);
        size_t again = steps_mutate(twice, sizeof life, sizeof twice, plan, seed, flip_first, NULL);
        good = good && size <= sizeof once && size == again && memcmp(once, twice, size) == 0;
        grew = grew || size > sizeof life;
        shrank = shrank || size < sizeof life;
        swapped = swapped || (size == sizeof life && once[0] == 6 && once[2] == 0);
    }
    EXPECT(good);
    EXPECT(grew);
    EXPECT(shrank);
    EXPECT(swapped);
    EXPECT(step_bytes(life, sizeof life, 0) == 6 && step_bytes(life, sizeof life, 6) == 2);
    EXPECT(step_bytes(life, sizeof life, 8) == 10 && step_bytes(life, sizeof life, 17) == 1);
    uint8_t none[8];
    size_t size = steps_mutate(none, 0, 1, (struct steps_plan){0}, 1, flip_first, NULL);
    EXPECT(size == 0);
}

/* A row of literals whose operation is 2, whose badge is 7 or 9 and whose body is one number. */
static size_t literals(uint8_t *bytes, size_t count)
{
    memset(bytes, 0, count * 26);
    for (size_t i = 0; i < count; i++) {
        uint8_t *step = bytes + i * 26;
        step[0] = 5;
        step[1] = 6;
        step[4] = 2;
        step[6] = i % 2 == 0 ? 7 : 9;
        step[14] = 8;
        step[18] = (uint8_t)(100 + i);
    }
    return count * 26;
}

/* Of a plan's own changes each is made, and none where the plan has it not. */
static void test_steps_plan(void)
{
    enum { COUNT = 4, LIMIT = 400 };
    for (unsigned features = 0; features <= STEPS_LITERALS; features++) {
        unsigned moved = 0;
        unsigned whole = 0;
        for (uint64_t seed = 0; seed < 2000; seed++) {
            uint8_t bytes[LIMIT];
            size_t size = literals(bytes, COUNT);
            struct steps_plan plan = {.features = features};
            size = steps_mutate(bytes, size, LIMIT, plan, seed, flip_first, NULL);
            whole += size % 26 == 0;
            for (size_t i = 0; i < COUNT && size == COUNT * 26; i++) /* the number of another */
                moved += bytes[i * 26 + 18] >= 100 && bytes[i * 26 + 18] < 104 &&
                         bytes[i * 26 + 18] != 100 + i && bytes[i * 26 + 6] == (i % 2 ? 9 : 7) &&
                         (i == 0 || bytes[i * 26 - 26 + 18] == 99 + i);
        }
        EXPECT(whole > 1000);
        EXPECT(features == 0 ? moved < 600 : moved > 30);
    }
}

/* The first steps stay as they were, and a few literals follow that are others. */
static void test_hostile(void)
{
    enum { COUNT = 12, LIMIT = 26 * (COUNT + 4) };
    unsigned cut = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        uint8_t before[LIMIT];
        uint8_t bytes[LIMIT];
        size_t size = literals(before, COUNT);
        memcpy(bytes, before, size);
        struct steps_plan plan = {.features = STEPS_HOSTILE};
        size = steps_mutate(bytes, size, LIMIT, plan, seed, flip_first, NULL);
        size_t same = 0;
        while (same * 26 < size && memcmp(bytes + same * 26, before + same * 26, 26) == 0)
            same++;
        cut += size <= 26 * 8 && size % 26 == 0 && size > same * 26;
    }
    EXPECT(cut > 20);
}

/* Also of an input whose last step is cut short, or with more steps than are looked at: what comes
 * behind is taken in by that step, or is none. No change drops more than four steps. */
static void test_hostile_ends(void)
{
    enum { COUNT = 9, FEW = 26 * COUNT, MANY = FEW + 2 * 600, LIMIT = MANY + 26 * 4 };
    bool good = true;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        bool is_cut = seed % 4 == 0;
        uint8_t bytes[LIMIT] = {0};
        literals(bytes, COUNT);
        bytes[FEW + 1] = is_cut ? 200 : 0; /* words, of which one follows */
        struct steps_plan plan = {.features = STEPS_HOSTILE};
        size_t size =
            steps_mutate(bytes, is_cut ? FEW + 6 : MANY, LIMIT, plan, seed, flip_first, NULL);
        good = good && size <= LIMIT && size != 0;
    }
    EXPECT(good);
}

/* In a swarm new steps are of a few kinds; without one of many. */
static void test_swarm(void)
{
    unsigned kinds[2] = {0, 0};
    for (unsigned round = 0; round < 2; round++) {
        static bool seen[1 << 16];
        memset(seen, 0, sizeof seen);
        for (uint64_t seed = 0; seed < 500; seed++) {
            uint8_t bytes[64];
            struct steps_plan plan = {.features = STEPS_SWARM, .swarm = round};
            if (steps_mutate(bytes, 0, sizeof bytes, plan, seed, flip_first, NULL) < 4)
                continue;
            bool *kind = &seen[bytes[0] << 8 | bytes[2]];
            kinds[round] += !*kind;
            *kind = true;
        }
    }
    EXPECT(kinds[0] > 400);
    EXPECT(kinds[1] >= 2 && kinds[1] <= 6);
}

/* New steps that are drawn ask for whoever is there, seven of eight, when the plan says so and not else;
 * and a step is asked by its tag alone whether it does. */
static void test_known(void)
{
    static const struct life_language language;
    unsigned known[2] = {0, 0}, drawn[2] = {0, 0};
    for (unsigned round = 0; round < 2; round++) {
        for (uint64_t seed = 0; seed < 2000; seed++) {
            uint8_t bytes[64];
            struct steps_plan plan = {.features = round * STEPS_KNOWN};
            if (steps_mutate(bytes, 0, sizeof bytes, plan, seed, flip_first, NULL) < 4 ||
                bytes[0] % LIFE_TAG_COUNT >= LIFE_TAG_LITERAL)
                continue;
            drawn[round]++;
            known[round] += bytes[0] >= LIFE_TAG_KNOWN;
        }
    }
    EXPECT(known[0] * 8 < drawn[0] && known[1] * 10 > drawn[1] * 8 && known[1] < drawn[1]);
    unsigned avoided[2] = {0, 0};
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t bytes[] = {round == 0 ? LIFE_TAG_KNOWN - 8 : LIFE_TAG_KNOWN, 1, 0, 0, 0, 0};
            bytes[2] = (uint8_t)byte;
            struct choices input = choices_over(bytes, sizeof bytes);
            struct life_step step;
            EXPECT(life_next(&input, &language, &step) && step.kind == LIFE_GENERATED);
            avoided[round] += life_avoids_strangers(&step.choices);
        }
    }
    EXPECT(avoided[0] == 0 && avoided[1] == 256 / 8 * 7);
}

/* A kind that is left out leaves the one that it was chosen by, and all that is of another kind. */
static void test_omit(void)
{
    enum { COUNT = 8, SIZE = 26 * COUNT, OPERATION = 4, NUMBER = 18 };
    unsigned omitted = 0;
    bool good = true;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        uint8_t bytes[2 * SIZE];
        (void)literals(bytes, COUNT);
        for (size_t i = 0; i < COUNT; i++) /* of two kinds, in turns */
            bytes[i * 26 + OPERATION] = i % 2 == 0 ? 2 : 3;
        struct steps_plan plan = {.features = STEPS_SWARM};
        size_t size = steps_mutate(bytes, SIZE, sizeof bytes, plan, seed, flip_first, NULL);
        unsigned kinds[2] = {0, 0}, last = 0;
        bool in_order = true;
        for (size_t at = 0; at + 26 <= size; at += 26) {
            kinds[bytes[at + OPERATION] % 2]++;
            in_order = in_order && bytes[at + NUMBER] > last;
            last = bytes[at + NUMBER];
        }
        omitted += size == 26 * (COUNT / 2 + 1) && in_order &&
                   (kinds[0] == COUNT / 2 || kinds[1] == COUNT / 2);
        good = good && size >= 26 * (COUNT - 4); /* nothing drops more than four steps */
    }
    EXPECT(good);
    EXPECT(omitted > 100);
}

/* Two inputs are joined between steps: what comes out is steps of both, in their order. */
static void test_cross(void)
{
    uint8_t first[26 * 3];
    uint8_t second[26 * 3];
    literals(first, 3);
    literals(second, 3);
    for (size_t i = 0; i < 3; i++)
        second[i * 26 + 18] = (uint8_t)(200 + i);
    bool good = true;
    unsigned both = 0;
    for (uint64_t seed = 0; seed < 500; seed++) {
        size_t limit = seed % 160;
        uint8_t *target = malloc(limit + 1); /* of the heap: the sanitizer sees one byte too far */
        size_t size = steps_cross(first, sizeof first, second, sizeof second, target, limit, seed);
        unsigned from[2] = {0, 0};
        good = good && size <= limit && size % 26 == 0;
        for (size_t at = 0; at + 26 <= size; at += 26) {
            good = good && target[at] == 5 && target[at + 1] == 6;
            from[target[at + 18] >= 200]++;
        }
        both += from[0] != 0 && from[1] != 0;
        free(target);
    }
    EXPECT(good);
    EXPECT(both > 100);
    EXPECT(steps_features(NULL) == STEPS_USUAL && steps_features("steps") == 0);
    EXPECT(steps_features("steps+swarm+cross") == (STEPS_SWARM | STEPS_CROSS));
}

/* With room for all of it, what comes out is the first steps of one, then steps of the other that follow
 * each other, and then either these go on to their end, or the first one goes on where it was cut. */
static void test_cross_ends(void)
{
    enum { COUNT = 12, ROOM = 26 * (2 * COUNT + 1), NUMBER = 18 };
    unsigned joined = 0, put_between = 0;
    bool good = true;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        uint8_t first[26 * COUNT], second[26 * COUNT], target[ROOM];
        literals(first, COUNT);
        literals(second, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            second[i * 26 + NUMBER] = (uint8_t)(200 + i);
        size_t size = steps_cross(first, sizeof first, second, sizeof second, target, ROOM, seed);
        size_t count = size / 26, at = 0, from = 0, to = 0;
        while (at < count && target[at * 26 + NUMBER] == 100 + at)
            at++;
        size_t cut = at;
        if (at < count)
            from = to = target[at * 26 + NUMBER] - 200u;
        while (at < count && target[at * 26 + NUMBER] == 200 + to) {
            at++;
            to++;
        }
        bool ends = at == count && (cut == COUNT || to == COUNT || from == to);
        bool goes_on = count - at == COUNT - cut;
        for (size_t i = 0; at + i < count; i++)
            goes_on = goes_on && target[(at + i) * 26 + NUMBER] == 100 + cut + i;
        good = good && size % 26 == 0 && (ends || goes_on);
        joined += ends && cut != 0 && cut != COUNT && from != to;
        put_between += !ends && cut != 0 && from != to;
    }
    EXPECT(good);
    EXPECT(joined > 400);
    EXPECT(put_between > 400);
}

/* An engine that shrinks an input gives less room than the input fills: what lies behind the limit
 * is not the mutator's. */
static void test_steps_over_limit(void)
{
    bool good = true;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        size_t limit = seed % 40;
        uint8_t *bytes = malloc(40); /* of the heap, where the sanitizer sees one byte too far */
        for (size_t i = 0; i < 40; i++)
            bytes[i] = i % 10 == 1 ? 2 : 7; /* four steps of two words */
        struct steps_plan plan = {.features = STEPS_USUAL, .swarm = seed % 3};
        size_t size = steps_mutate(bytes, 40, limit, plan, seed, flip_first, NULL);
        good = good && size <= limit;
        for (size_t i = limit; i < 40; i++)
            good = good && bytes[i] == (i % 10 == 1 ? 2 : 7);
        free(bytes);
    }
    EXPECT(good);
}

void harness_test_steps(void)
{
    test_steps();
    test_steps_plan();
    test_hostile();
    test_hostile_ends();
    test_swarm();
    test_known();
    test_omit();
    test_cross();
    test_cross_ends();
    test_steps_over_limit();
}
