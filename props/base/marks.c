/* SPDX-License-Identifier: ISC */
/* Hashes marks into counters and keeps their names when recording. Never changes what a harness
 * does. */
#include "props/base/marks.h"

#include <stdio.h>
#include <string.h>

#include "abi/message_type.h"
#include "abi/status.h"
#include "props/base/digest.h"

enum { RECORD_LIMIT = MARKS_RECORDED_MAX, NAME_BYTES = 96 };

struct record {
    uint64_t hash;
    char name[NAME_BYTES];
};

__attribute__((section("__libfuzzer_extra_counters"))) uint8_t mark_input;

static bool recording;
static unsigned recorded;
static uint64_t left_out;
static struct record records[RECORD_LIMIT];
/* Open addressing by hash: index into records, plus one. */
static uint16_t places[2 * RECORD_LIMIT];

/* What every engine but AFL++ wants: nothing. */
__attribute__((weak)) void mark_engine(unsigned index)
{
    (void)index;
}

UNWATCHED unsigned mark_counter(uint64_t hash, struct mark_table table)
{
    uint64_t mixed = hash ^ table.salt * UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 29) * UINT64_C(0xBF58476D1CE4E5B9);
    return (unsigned)(mixed >> (64 - table.bits));
}

UNWATCHED static void count(uint64_t hash)
{
    unsigned index = mark_counter(hash, mark_table);
    if (mark_counters[index] != UINT8_MAX)
        mark_counters[index]++;
    mark_engine(index);
}

/* Said where whoever reads the record looks at last, once: what it lacks would look unreached. */
static void leave_out(const char *name)
{
    static bool said;
    left_out++;
    if (!said)
        fprintf(stderr, "marks: the record is full with %u; \"%s\" is the first that is left out\n",
                (unsigned)RECORD_LIMIT, name);
    said = true;
}

static void record(uint64_t hash, const char *name)
{
    unsigned at = (unsigned)(hash % (2 * RECORD_LIMIT));
    while (places[at] != 0 && records[places[at] - 1].hash != hash)
        at = (at + 1) % (2 * RECORD_LIMIT);
    if (places[at] != 0)
        return;
    if (recorded == RECORD_LIMIT) {
        leave_out(name);
        return;
    }
    records[recorded].hash = hash;
    snprintf(records[recorded].name, NAME_BYTES, "%s", name);
    places[at] = (uint16_t)++recorded;
}

UNWATCHED static struct digest hash_of(const char *text)
{
    struct digest hash = digest_start();
    digest_add_bytes(&hash, text, strlen(text));
    return hash;
}

UNWATCHED void mark_named(uint64_t *hash, const char *name)
{
    if (*hash == 0)
        *hash = hash_of(name).value;
    count(*hash);
    if (recording)
        record(*hash, name);
}

void mark_name(const char *name)
{
    uint64_t hash = 0;
    mark_named(&hash, name);
}

UNWATCHED void mark_triple(const char *group, unsigned state, unsigned operation, unsigned result)
{
    struct digest hash = hash_of(group);
    digest_add_u64(&hash, (uint64_t)state << 32 | operation);
    digest_add_u64(&hash, result);
    count(hash.value);
    if (!recording)
        return;
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s: state %u operation 0x%x %s", group, state, operation,
             status_name(result));
    record(hash.value, name);
}

/* "memd.alloc_frames"; ids are unique over all services. */
static const struct operation *row_of(unsigned operation)
{
    for (unsigned i = 0; i < operation_count; i++)
        if (operation_table[i].id == operation)
            return &operation_table[i];
    return NULL;
}

UNWATCHED void mark_operation(const char *what, unsigned operation, unsigned result)
{
    struct digest hash = hash_of(what);
    digest_add_u64(&hash, (uint64_t)operation << 32 | result);
    count(hash.value);
    const struct operation *row = recording ? row_of(operation) : NULL;
    if (row == NULL)
        return;
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s %s.%s %s", what, row->service_name, row->name,
             status_name(result));
    record(hash.value, name);
}

void marks_record(bool on)
{
    recording = on;
}

void marks_forget(void)
{
    recorded = 0;
    left_out = 0;
    memset(places, 0, sizeof places);
}

void marks_visit(void (*visit)(const char *name, uint64_t hash, void *context), void *context)
{
    for (unsigned i = 0; i < recorded; i++)
        visit(records[i].name, records[i].hash, context);
}

bool marks_reached(const char *name)
{
    for (unsigned i = 0; i < recorded; i++)
        if (strcmp(records[i].name, name) == 0)
            return true;
    return false;
}

unsigned marks_count(void)
{
    return recorded;
}

uint64_t marks_left_out(void)
{
    return left_out;
}
