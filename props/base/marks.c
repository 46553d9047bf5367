/* SPDX-License-Identifier: ISC */
/* Hashes marks into counters and keeps their names when recording. Never changes what a harness
 * does. */
#include "props/base/marks.h"

#include <stdio.h>
#include <string.h>

#include "abi/message_type.h"
#include "abi/status.h"
#include "props/base/digest.h"

enum { RECORD_LIMIT = 8192, NAME_BYTES = 96 };

/* libFuzzer clears and reads this section around every input. */
__attribute__((section("__libfuzzer_extra_counters"))) uint8_t mark_counters[MARK_LIMIT];

static bool recording;
static unsigned recorded;
static char names[RECORD_LIMIT][NAME_BYTES];
static uint16_t places[2 * RECORD_LIMIT]; /* open addressing: index into names, plus one */

/* What every engine but AFL++ wants: nothing. */
__attribute__((weak)) void mark_engine(unsigned index)
{
    (void)index;
}

static void count(uint64_t hash)
{
    unsigned index = (unsigned)((hash ^ hash >> 32) % MARK_LIMIT);
    if (mark_counters[index] != UINT8_MAX)
        mark_counters[index]++;
    mark_engine(index);
}

/* Where the name stands or would stand in `places`. */
static unsigned place_of(const char *name)
{
    struct digest hash = digest_start();
    digest_add_bytes(&hash, name, strlen(name));
    unsigned at = (unsigned)(hash.value % (2 * RECORD_LIMIT));
    while (places[at] != 0 && strcmp(names[places[at] - 1], name) != 0)
        at = (at + 1) % (2 * RECORD_LIMIT);
    return at;
}

static void record(const char *name)
{
    unsigned at = place_of(name);
    if (places[at] != 0 || recorded == RECORD_LIMIT)
        return;
    snprintf(names[recorded], NAME_BYTES, "%s", name);
    places[at] = (uint16_t)++recorded;
}

void mark_name(const char *name)
{
    struct digest hash = digest_start();
    digest_add_bytes(&hash, name, strlen(name));
    count(hash.value);
    if (recording)
        record(name);
}

void mark_triple(const char *group, unsigned state, unsigned operation, unsigned result)
{
    struct digest hash = digest_start();
    digest_add_u64(&hash, (uint64_t)state << 32 | operation);
    digest_add_u64(&hash, result);
    count(hash.value);
    if (!recording)
        return;
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s: state %u operation 0x%x %s", group, state, operation,
             status_name(result));
    record(name);
}

/* "memd.alloc_frames"; ids are unique over all services. */
static const struct operation *row_of(unsigned operation)
{
    for (unsigned i = 0; i < operation_count; i++)
        if (operation_table[i].id == operation)
            return &operation_table[i];
    return NULL;
}

void mark_operation(const char *what, unsigned operation, unsigned result)
{
    struct digest hash = digest_start();
    digest_add_bytes(&hash, what, strlen(what));
    digest_add_u64(&hash, (uint64_t)operation << 32 | result);
    count(hash.value);
    const struct operation *row = row_of(operation);
    if (!recording || row == NULL)
        return;
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s %s.%s %s", what, row->service_name, row->name,
             status_name(result));
    record(name);
}

void marks_record(bool on)
{
    recording = on;
}

void marks_forget(void)
{
    recorded = 0;
    memset(places, 0, sizeof places);
}

void marks_visit(void (*visit)(const char *name, void *context), void *context)
{
    for (unsigned i = 0; i < recorded; i++)
        visit(names[i], context);
}

bool marks_reached(const char *name)
{
    return places[place_of(name)] != 0;
}

unsigned marks_count(void)
{
    return recorded;
}
