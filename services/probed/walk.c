/* SPDX-License-Identifier: ISC */
/* See walk.h. Decides what is there by what it is told, and believes no bridge that it would go in
 * circles for. */
#include "services/probed/walk.h"

#include "abi/assert.h"

enum { HEADER_BRIDGE = 1, HEADER_MULTIPLE = 0x80, CLASS_BRIDGE = 0x0604 };

static bool is_in(const uint64_t *set, uint32_t bus)
{
    return (set[bus / 64] >> bus % 64 & 1) != 0;
}

static void add(uint64_t *set, uint32_t bus)
{
    set[bus / 64] |= UINT64_C(1) << bus % 64;
}

/* Function 0 of device 0 of the lowest bus that is known and not begun. */
static void bus_begin(struct pci_walk *walk)
{
    uint32_t bus = 0;
    while (bus < PCI_BUS_COUNT && (!is_in(walk->known, bus) || is_in(walk->walked, bus)))
        bus++;
    walk->is_over = bus == PCI_BUS_COUNT;
    if (walk->is_over != 0)
        return;
    add(walk->walked, bus);
    walk->at = (struct pci_function){.bus = bus};
}

void pci_walk_begin(struct pci_walk *walk)
{
    *walk = (struct pci_walk){.offset_bytes = PCI_OFFSET_ID};
    add(walk->known, 0);
    bus_begin(walk);
}

bool pci_walk_goes_on(const struct pci_walk *walk)
{
    return walk->is_over == 0;
}

/* To the next function that may be there. */
static void advance(struct pci_walk *walk)
{
    struct pci_function *at = &walk->at;
    walk->offset_bytes = PCI_OFFSET_ID;
    if (walk->is_multiple != 0 && at->function + 1 < PCI_FUNCTION_COUNT) {
        at->function++;
        return;
    }
    walk->is_multiple = 0;
    at->function = 0;
    at->device++;
    if (at->device == PCI_DEVICE_COUNT)
        bus_begin(walk);
}

static bool is_there(uint32_t id)
{
    uint32_t vendor = id & UINT16_MAX;
    return vendor != 0 && vendor != UINT16_MAX;
}

static bool is_bridge(const struct pci_walk *walk)
{
    return walk->at.class >> 16 == CLASS_BRIDGE && (walk->header >> 16 & 0x7F) == HEADER_BRIDGE;
}

bool pci_walk_take(struct pci_walk *walk, uint32_t value, struct pci_function *found)
{
    UNIT_ASSERT(pci_walk_goes_on(walk));
    switch (walk->offset_bytes) {
    case PCI_OFFSET_ID:
        walk->at.id = value;
        if (is_there(value))
            walk->offset_bytes = PCI_OFFSET_CLASS;
        else
            advance(walk);
        return false;
    case PCI_OFFSET_CLASS:
        walk->at.class = value;
        walk->offset_bytes = PCI_OFFSET_HEADER;
        return false;
    case PCI_OFFSET_HEADER:
        walk->header = value;
        if (walk->at.function == 0)
            walk->is_multiple = (value >> 16 & HEADER_MULTIPLE) != 0;
        if (is_bridge(walk)) {
            walk->offset_bytes = PCI_OFFSET_BUSES;
            return false;
        }
        break;
    default:
        add(walk->known, value >> 8 & UINT8_MAX);
        break;
    }
    *found = walk->at;
    advance(walk);
    return true;
}
