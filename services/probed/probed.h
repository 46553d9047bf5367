/* SPDX-License-Identifier: ISC */
/* probed: what is on the PCI buses. The contract of the service, readable alone.
 *
 * After READY it walks configuration space once (walk.h), by READ_PCI_CONFIG_DWORD, and has logd write
 * a line for each function, in the order of the walk:
 *
 *     pci 00:1f.2 8086:2922 class 010601
 *
 * bus, device and function, vendor and device, class, subclass and interface, all hexadecimal; and a
 * line at the end, `pci: 7 functions`. What comes after PROBED_LINES_MAX lines is counted and not
 * listed, so that a bus that lies does not fill the log: `pci: 300 functions, 44 not listed`. When the
 * kernel refuses a read, the walk ends there: `pci: unreadable after 3 functions`. The numbers are
 * decimal.
 *
 * A line that logd does not take is lost, and so are those after it until logd is found again: before
 * each line it is looked up when the last one was refused. Nobody may find probed (there is no LOOKS_UP
 * row), and it serves nothing: every message is refused with INVALID_ARGUMENT, having no operation. It
 * keeps no capability but logd's. */
#ifndef BASALT_SERVICES_PROBED_PROBED_H
#define BASALT_SERVICES_PROBED_PROBED_H

#include "services/lib/service.h"
#include "services/probed/walk.h"

enum {
    PROBED_LINES_MAX = 256,
    PROBED_CALL_TICKS = 1000 /* for logd, which calls nobody */
};

struct probed {
    struct caller caller;
    struct pci_walk walk;
    uint32_t function_count;
    uint32_t has_log; /* its last line was taken, or logd was found since */
};

/* Walks and tells. OK, or why the kernel refused a read. */
enum status probed_list(struct probed *probed);

/* A service_handler: there is nothing to ask. */
enum handled probed_handle(void *state, struct message *message, const struct receive_info *info);

/* The daemon: start-up, the list, then the receive loop; exits when its endpoint is gone. `probed` is
 * zero. */
void probed_run(struct probed *probed);

#endif
