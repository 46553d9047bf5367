/* SPDX-License-Identifier: ISC */
/* A fault of ramfsd (README.md): a file changes while loaderd reads it, as if somebody else had written to
 * it. Each time that a client writes bytes, one change comes, at another point of what is read next; after
 * the last point there is none. */
#include <stdbool.h>

#include "services/ramfsd/internal.h"

enum point {
    POINT_FIRST_BYTES, /* the first read: headers */
    POINT_FIRST_PASS,  /* the one after it */
    POINT_SECOND_PASS, /* the first one that goes back in the file: there is a transfer */
    POINT_UNSAID,      /* the same, but ramfsd only tells other bytes, and of no other version */
    POINT_COUNT
};

static enum point point;
static bool armed;       /* the change is still to come */
static uint32_t reads;   /* since it was armed */
static uint64_t last_at; /* where the one before began */

void __real_ramfsd_pages_read(const struct ramfsd *ramfsd, uint32_t place, uint64_t offset_bytes,
                              uint8_t *bytes, uint32_t count);
void __wrap_ramfsd_pages_read(const struct ramfsd *ramfsd, uint32_t place, uint64_t offset_bytes,
                              uint8_t *bytes, uint32_t count);
void __real_ramfsd_pages_write(struct ramfsd *ramfsd, uint32_t place, uint64_t account,
                               uint64_t offset_bytes, const uint8_t *bytes, uint32_t count);
void __wrap_ramfsd_pages_write(struct ramfsd *ramfsd, uint32_t place, uint64_t account,
                               uint64_t offset_bytes, const uint8_t *bytes, uint32_t count);

void __wrap_ramfsd_pages_write(struct ramfsd *ramfsd, uint32_t place, uint64_t account,
                               uint64_t offset_bytes, const uint8_t *bytes, uint32_t count)
{
    armed = point < POINT_COUNT;
    reads = 0;
    __real_ramfsd_pages_write(ramfsd, place, account, offset_bytes, bytes, count);
}

static bool comes_now(uint64_t offset_bytes)
{
    bool back = reads > 0 && offset_bytes < last_at;
    last_at = offset_bytes;
    reads++;
    return point < POINT_SECOND_PASS ? reads == (uint32_t)point + 1 : back;
}

/* The last byte, which no segment has. */
static void change(struct ramfsd *ramfsd, uint32_t place)
{
    const struct ramfsd_node *node = &ramfsd->node[place];
    uint8_t byte;
    __real_ramfsd_pages_read(ramfsd, place, node->size_bytes - 1, &byte, 1);
    byte = (uint8_t)~byte;
    __real_ramfsd_pages_write(ramfsd, place, 0, node->size_bytes - 1, &byte,
                              1); /* there is a page */
    ramfsd_changed(ramfsd, place);
}

void __wrap_ramfsd_pages_read(const struct ramfsd *ramfsd, uint32_t place, uint64_t offset_bytes,
                              uint8_t *bytes, uint32_t count)
{
    __real_ramfsd_pages_read(ramfsd, place, offset_bytes, bytes, count);
    bool of_file = ramfsd->archive == NULL && ramfsd->node[place].kind == FILE_KIND_FILE;
    if (!of_file || !armed || !comes_now(offset_bytes))
        return;
    armed = false;
    if (point == POINT_UNSAID)
        bytes[0] = (uint8_t)~bytes[0];
    else
        change((struct ramfsd *)ramfsd, place); /* who reads has it to change, too */
    point++;
}
