/* SPDX-License-Identifier: ISC */
/* One planted bug a class: the first byte of the input picks it. Each file of
 * corpus/canary_detectors is `letter text`, and replaying it under the sanitizers must die with
 * that text. A detector that is off, or was optimised away, is found here and not after a year. */
#include "fuzz/harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "props/base/input_limits.h"

const char harness_name[] = "canary_detectors";

enum { MEGABYTES_TAKEN = INPUT_MEGABYTES_MAX + 1 };

struct trailing {
    uint8_t count;
    uint8_t bytes[4];
    uint8_t last[4];
};

static uint8_t global_bytes[4];
static struct trailing global_trailing;

/* Values the compiler cannot see through. */
static volatile int zero = 0;
static volatile int four = 4;
static volatile unsigned sixty_four = 64;
static volatile int largest = INT32_MAX;
static volatile uint8_t sink;

static void write_stack(void)
{
    volatile uint8_t bytes[4] = {0};
    volatile uint8_t *at = bytes;
    at[four] = 1;
    sink = bytes[0];
}

static void write_global(void)
{
    volatile uint8_t *at = global_bytes;
    at[four] = 1;
}

static void read_behind_input(const uint8_t *bytes, size_t size_bytes)
{
    sink = bytes[size_bytes + (size_t)zero];
}

/* The neighbour behind is part of the same array's object as far as the allocator knows. */
static void write_trailing(void)
{
    global_trailing.last[four] = 1;
}

static void write_inner(void)
{
    global_trailing.bytes[four] = 1;
}

static void read_dead_scope(void)
{
    volatile uint8_t *kept;
    {
        volatile uint8_t gone[4] = {1};
        kept = gone;
        sink = gone[four - 4];
    }
    sink = *kept;
}

static void read_misaligned(const uint8_t *bytes)
{
    const uint32_t *at = (const uint32_t *)(uintptr_t)(bytes + 1 + zero);
    sink = (uint8_t)*at;
}

static void load_bad_bool(void)
{
    uint8_t raw = (uint8_t)(four + 1);
    bool truth;
    memcpy(&truth, &raw, 1);
    volatile bool read = truth;
    sink = read;
}

/* Kept where no leak check calls it lost, and written nowhere: only the limit is to see it. */
static void take_memory(void)
{
    static void *kept[MEGABYTES_TAKEN];
    for (unsigned i = 0; i < MEGABYTES_TAKEN; i++)
        kept[i] = malloc(1 << 20);
    sink = kept[0] != NULL;
}

/* Never comes back. What is left of its time is made a little, so that nobody waits for the end of it, and
 * then slept over: a process that gets no turn does not hang. */
static void hang(void)
{
    struct itimerval left, little = {.it_value.tv_usec = 50000};
    for (unsigned i = 0; i < 15; i++) /* until its own time is looked at */
        usleep(100000);
    getitimer(ITIMER_PROF, &left);
    if (left.it_value.tv_sec < INPUT_SECONDS_MAX - 3 || left.it_value.tv_sec >= INPUT_SECONDS_MAX)
        return; /* nobody watches, or for how long? */
    setitimer(ITIMER_PROF, &little, NULL);
    usleep(200000);
    getitimer(ITIMER_PROF, &left);
    while (left.it_value.tv_usec > 0)
        sink = (uint8_t)(sink + four);
}

/* More than a record has room for. */
static void mark_many(void)
{
    for (unsigned i = 0; i <= MARKS_RECORDED_MAX; i++)
        mark_triple("canary", i, 0, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    uint8_t letter = choices_u8(&choices);
    digest_u64(letter);
    switch (letter) {
    case 'a':
        write_stack();
        break;
    case 'b':
        write_global();
        break;
    case 'c':
        read_behind_input(bytes, size_bytes);
        break;
    case 'd':
        write_trailing();
        break;
    case 'e':
        sink = (uint8_t)(largest + four);
        break;
    case 'f':
        sink = (uint8_t)(UINT64_C(1) << sixty_four);
        break;
    case 'g':
        read_dead_scope();
        break;
    case 'h':
        sink = *(uint8_t *)(uintptr_t)zero;
        break;
    case 'i':
        read_misaligned(bytes);
        break;
    case 'j':
        load_bad_bool();
        break;
    case 'k':
        sink = (uint8_t)(four / zero);
        break;
    case 'l':
        write_inner();
        break;
    case 'm':
        take_memory();
        break;
    case 'n':
        hang();
        break;
    case 'o':
        mark_many();
        break;
    }
    return 0;
}
