/* SPDX-License-Identifier: ISC */
/* What memory and slots hold: kinds of pages, capabilities, stocks of free pages and the pools that
 * share them. A part of kernel.h, which includes it. */
#ifndef BASALT_KERNEL_CORE_OBJECTS_H
#define BASALT_KERNEL_CORE_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

/* Kernel objects a page can be part of. */
enum page_kind {
    PAGE_FREE = 0, /* in a stock, or never given to the core */
    PAGE_FRAME,
    PAGE_IMAGE,   /* of the boot image: no pool owns it, never written, never freed */
    PAGE_PROCESS, /* kernel memory of a process, from its budget: */
    PAGE_CSPACE_ROOT,
    PAGE_CSPACE_DIRECTORY,
    PAGE_CSPACE_LEAF,
    PAGE_MESSAGE,
    PAGE_TABLE,      /* page table that is not a leaf */
    PAGE_LEAF_TABLE, /* paired with a links page */
    PAGE_LINKS
};

/* W^X over time (V2). */
enum frame_use { FRAME_FRESH = 0, FRAME_DATA = 1, FRAME_CODE = 2 };

/* In its place, of a free page that came back from a table all zero. */
enum { PAGE_ZEROED = 1 };

/* A slot of a cspace. Empty when object_type is OBJECT_NONE; then all of it is zero. It is dead,
 * but still occupies its slot, when its generation or its object's life has passed. object: UNTYPED
 * index; FRAME page number; VSPACE, PROCESS, GRANT, REPLY process index; ENDPOINT endpoint id;
 * IMAGE and KERNEL_* 0.  badge: ENDPOINT: the badge; REPLY: the caller's call_sequence; otherwise
 * 0. */
struct capability {
    uint8_t object_type; /* enum object_type */
    uint8_t reserved0;
    uint16_t rights;
    uint32_t object;
    uint64_t generation;
    uint64_t badge;
    uint64_t reserved1;
};
_Static_assert(sizeof(struct capability) == 32, "CSPACE_LEAF_CAPS of them fill a page");

/* Free pages: those given back, and those that were never used. */
struct page_stock {
    uint32_t first_page;  /* given back: a list through page records; 0: empty */
    uint32_t fresh_page;  /* never used: the next one, */
    uint32_t fresh_range; /* in this range of the kernel's */
    uint32_t fresh_pages; /* how many there are, in this range and those after it */
};

/* A pool of pages: a share of its stock. total = free + frames + drawn + children, always; drawn <=
 * budgeted, and what RETYPE and new budgets can have is free - (budgeted - drawn). */
struct untyped {
    uint64_t generation;
    uint32_t total_pages;
    uint32_t free_pages;     /* in the stock */
    uint32_t frame_pages;    /* out as frames */
    uint32_t budgeted_pages; /* budgets of processes that were created from it */
    uint32_t drawn_pages;    /* of the budgets: really out as kernel memory */
    uint32_t child_pages;    /* total of untypeds made from it */
    uint32_t cap_count;      /* live capabilities; with none, and nothing out, it goes back */
    uint16_t parent;         /* KERNEL_NONE: made at boot, never goes back */
    uint16_t stock;          /* where its pages are: the pool of boot that it is part of */
    uint16_t depth;          /* pools above it */
    uint16_t next_free;      /* free table entry: the next one; KERNEL_NONE: none */
    uint32_t check_caps;     /* kernel_check's own; 0 outside of it */
    uint32_t check_pages;
    uint32_t check_drawn;
    uint32_t check_budgeted;
    uint32_t check_children;
    bool live;
};

#endif
