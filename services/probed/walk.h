/* SPDX-License-Identifier: ISC */
/* The walk over PCI configuration space: which register to read next, and which function that was. It
 * calls nobody. What it is told may be anything: every walk ends, each register is read at most once,
 * and what is listed depends on the values alone.
 *
 * A function is there when its vendor is neither 0 nor 0xFFFF. Of each device function 0 is asked; the
 * other seven when function 0 is there and says that it has several (header type, bit 7). Bus 0 is
 * walked, and each bus that a bridge names as the one behind it: class 06.04, header type 1, secondary
 * bus. A bus is walked once however many name it, the lowest of those that are known first. */
#ifndef BASALT_SERVICES_PROBED_WALK_H
#define BASALT_SERVICES_PROBED_WALK_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PCI_BUS_COUNT = 256,
    PCI_DEVICE_COUNT = 32,
    PCI_FUNCTION_COUNT = 8,
    PCI_OFFSET_ID = 0x00, /* vendor, device << 16 */
    PCI_OFFSET_CLASS = 0x08,
    PCI_OFFSET_HEADER = 0x0C,
    PCI_OFFSET_BUSES = 0x18
};

struct pci_function {
    uint32_t bus;
    uint32_t device;
    uint32_t function;
    uint32_t id;    /* vendor, device << 16 */
    uint32_t class; /* revision, interface << 8, subclass << 16, class << 24 */
};

/* All zero but `known`: see pci_walk_begin. */
struct pci_walk {
    struct pci_function at; /* that is asked */
    uint32_t offset_bytes;  /* the register that is read next */
    uint32_t header;        /* of `at`, once it was read */
    uint32_t is_multiple;   /* the device says that it has more than function 0 */
    uint32_t is_over;
    uint32_t reserved0;
    uint64_t known[PCI_BUS_COUNT / 64];  /* buses to walk, or walked */
    uint64_t walked[PCI_BUS_COUNT / 64]; /* of these, begun */
};

void pci_walk_begin(struct pci_walk *walk);

/* Whether there is a register to read: that of walk->at at walk->offset_bytes. */
bool pci_walk_goes_on(const struct pci_walk *walk);

/* What it reads as. True: *found is a function. pci_walk_goes_on said true. */
bool pci_walk_take(struct pci_walk *walk, uint32_t value, struct pci_function *found);

#endif
