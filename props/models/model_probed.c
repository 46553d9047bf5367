/* SPDX-License-Identifier: ISC */
/* The model of probed. Clear rather than quick. */
#include "props/models/model_probed.h"

#include <stdio.h>
#include <string.h>

struct space {
    struct model_probed *model;
    uint32_t (*read)(uint32_t bus, uint32_t device, uint32_t function, uint32_t offset_bytes);
    bool known[256];
};

/* False: the kernel grants no more. */
static bool get(struct space *space, const uint32_t place[3], uint32_t offset_bytes,
                uint32_t *value)
{
    if (space->model->reads_left == 0) {
        space->model->unreadable = true;
        return false;
    }
    space->model->reads_left--;
    *value = space->read(place[0], place[1], place[2], offset_bytes);
    return true;
}

static void list(struct model_probed *model, const uint32_t place[3], uint32_t id, uint32_t class)
{
    model->function_count++;
    if (model->function_count > 256)
        return;
    snprintf(model->lines[model->line_count++], MODEL_PROBED_LINE_BYTES,
             "pci %02x:%02x.%x %04x:%04x class %06x", place[0], place[1], place[2], id % 65536,
             id / 65536, class / 256);
}

/* One place. *more: the device has functions other than this one, which is its first. */
static bool look(struct space *space, const uint32_t place[3], bool *more)
{
    uint32_t id;
    uint32_t class;
    uint32_t header;
    uint32_t buses;
    *more = false;
    if (!get(space, place, 0, &id))
        return false;
    if (id % 65536 == 0 || id % 65536 == 65535)
        return true;
    if (!get(space, place, 8, &class) || !get(space, place, 12, &header))
        return false;
    uint32_t type = header / 65536 % 256;
    *more = type >= 128;
    if (class / 65536 == 0x0604 && type % 128 == 1) {
        if (!get(space, place, 24, &buses))
            return false;
        space->known[buses / 256 % 256] = true;
    }
    list(space->model, place, id, class);
    return true;
}

static bool walk_bus(struct space *space, uint32_t bus)
{
    for (uint32_t device = 0; device < 32; device++) {
        bool more = true;
        bool other;
        for (uint32_t function = 0; function < 8 && more; function++) {
            const uint32_t place[3] = {bus, device, function};
            if (!look(space, place, function == 0 ? &more : &other))
                return false;
        }
    }
    return true;
}

void model_probed_walk(struct model_probed *model, uint64_t reads_granted,
                       uint32_t (*read)(uint32_t bus, uint32_t device, uint32_t function,
                                        uint32_t offset_bytes))
{
    static struct space space;
    bool walked[256] = {false};
    memset(&space, 0, sizeof space);
    memset(model, 0, sizeof *model);
    space.model = model;
    space.read = read;
    space.known[0] = true;
    model->reads_left = reads_granted;
    bool goes_on = true;
    for (uint32_t bus = 0; bus < 256 && goes_on; bus++) {
        if (!space.known[bus] || walked[bus])
            continue;
        walked[bus] = true;
        goes_on = walk_bus(&space, bus);
        bus = UINT32_MAX; /* a lower one may be known by now */
    }
    char *end = model->lines[model->line_count++];
    int length = snprintf(end, MODEL_PROBED_LINE_BYTES, "pci: %s%u functions",
                          model->unreadable ? "unreadable after " : "", model->function_count);
    if (model->function_count > 256)
        snprintf(end + length, MODEL_PROBED_LINE_BYTES - (size_t)length, ", %u not listed",
                 model->function_count - 256);
}
