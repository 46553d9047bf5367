/* SPDX-License-Identifier: ISC */
/* The parts of the harness kernel_boot: an image and a machine are drawn (kernel_boot_draw.c), what
 * becomes of them is predicted (kernel_boot_model.c), and the kernel is compared (kernel_boot.c). */
#ifndef BASALT_FUZZ_KERNEL_KERNEL_BOOT_H
#define BASALT_FUZZ_KERNEL_KERNEL_BOOT_H

#include "abi/formats/boot_image.h"
#include "abi/formats/elf_plan.h"
#include "fuzz/harness.h"
#include "kernel/host/host.h"

enum {
    BOOT_ARENA_PAGES = 12500, /* more than what lets the launch pool be as large as it gets */
    BOOT_IMAGE_LIMIT = 16 * PAGE_BYTES,
    BOOT_RANGE_LIMIT = 4,
    BOOT_GAP_PAGES = 3 /* that nobody has, before each range */
};

/* A boot image that may be any bytes, and how many they are. */
struct boot_bytes {
    uint8_t bytes[BOOT_IMAGE_LIMIT];
    size_t size_bytes;
    bool digests_fit; /* those of its sections were computed after the last edit */
};

/* What comes of it. Of a refusal the status, the image's pages and the pools alone mean anything. */
struct boot_expected {
    enum status status;
    struct boot_image image;
    struct elf_plan plan;
    const uint8_t *program; /* of the module, in the bytes */
    uint32_t program_page;  /* the first of it, in the image */
    uint32_t image_pages;   /* booked, of a refused image, too: each that it has a byte on */
    uint32_t launch_pages;
    uint32_t bulk_pages;
    uint32_t budget_pages;
    uint32_t drawn_pages;   /* of the budget */
    uint32_t private_pages; /* of rootd's own, the handoff's among them */
    uint32_t mapped_pages;  /* all that it sees, its message page among them */
    bool handoff_mapped;    /* all pages have room, whether one is left to launch from or not */
    bool lives_reported;
    bool data_names_phase0; /* a section that looks like the config that would report them */
};

void boot_draw_image(struct choices *choices, struct boot_bytes *image);

/* The machine: free pages, in ranges, rootd's budget, and how much an entry may work. Some draws are
 * just enough for the program, or one page less. */
struct kernel_boot_info boot_draw_machine(struct choices *choices, const struct boot_bytes *image);

void boot_predict(const struct boot_bytes *image, const struct kernel_boot_info *info,
                  struct boot_expected *out);

/* Whether a page of a segment is the image's own; and what a process finds on it. */
bool boot_page_is_images(const struct elf_segment *segment, uint64_t index);
void boot_page_bytes(const struct boot_expected *expected, const struct elf_segment *segment,
                     uint64_t index, uint8_t page[PAGE_BYTES]);

/* Whether rootd has a capability in a slot at its start, and of which type. */
enum object_type boot_slot_type(uint32_t slot);

#endif
