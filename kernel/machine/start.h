/* SPDX-License-Identifier: ISC */
/* What a loader of the PVH kind says of the machine: memory, the boot image, a command line. It says
 * it in tables that may lie anywhere in physical memory, each of which is looked up in a view of
 * that memory and never outside of it. */
#ifndef BASALT_KERNEL_MACHINE_START_H
#define BASALT_KERNEL_MACHINE_START_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/machine/span.h"

#define START_INFO_MAGIC UINT32_C(0x336EC578)

enum {
    START_LINE_BYTES = 256,
    START_RESERVED_BYTES = 1 << 20 /* at address 0: page 0, and what firmware keeps */
};

/* Physical memory from address 0 on, as far as it is mapped. */
struct start_view {
    const uint8_t *memory;
    uint64_t bytes;
};

struct start {
    struct span_list free; /* nobody's memory: not reserved, nor the kernel's or the image's */
    uint64_t image_addr;   /* whole pages */
    uint64_t image_bytes;  /* 0: there is no image */
    uint64_t memory_end;   /* whole pages: no span, nor the image, goes on behind it */
    char line
        [START_LINE_BYTES]; /* zero-terminated; what is longer is cut; "" when it is not in view */
};

/* Reads the start info at `addr`. The kernel itself lies in `kernel` (whole pages); memory from `limit`
 * (whole pages) on is not used. False, and nothing in *out means anything: it is no start info, a
 * table of it is not in view, or the image does not begin on a page, or begins with page 0, goes
 * beyond the limit, lies over the kernel, or touches a page that is not RAM as a whole, or of which a
 * row says besides that it is something else. A span may be nowhere: that there is memory enough is
 * not asked here. */
bool start_read(const struct start_view *view, uint64_t addr, const struct span *kernel,
                uint64_t limit, struct start *out);

#endif
