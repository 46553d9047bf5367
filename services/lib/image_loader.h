/* SPDX-License-Identifier: ISC */
/* Builds a staged child from an ELF file in the boot image, every page present from the start.
 * procd builds the foundation with it, rootd builds procd. Children that a pager backs need
 * image_plan alone.
 *
 * Nothing here starts, aborts or owns a process: on an error the caller aborts the child, and what
 * was mapped until then goes back with it. */
#ifndef BASALT_SERVICES_LIB_IMAGE_LOADER_H
#define BASALT_SERVICES_LIB_IMAGE_LOADER_H

#include <stdint.h>

#include "abi/formats/elf_plan.h"
#include "services/lib/kernel_calls.h"

/* So many private pages are made at a time. More would need more slots of whoever builds and save
 * little. As many as GIVE_FRAMES takes, so that a RETYPE and a GIVE_FRAMES make four pages. */
enum { IMAGE_SCRATCH_SLOTS = MESSAGE_CAP_LIMIT };

/* A module of the boot image: the ELF file in bytes [offset_bytes, offset_bytes + size_bytes). */
struct image_module {
    uint32_t kernel_slot; /* KERNEL_PROCESS of the caller */
    uint32_t image_slot;  /* IMAGE with READ, and MAP and EXECUTE for image_build */
    uint64_t offset_bytes;
    uint64_t size_bytes;
};

/* Where the pages go, and what pays for the private ones. */
struct image_target {
    uint32_t vspace_slot;  /* VSPACE of the staged child, with MAP */
    uint32_t untyped_slot; /* one page is drawn from it for each private one */
    uint32_t scratch_slot; /* the first of IMAGE_SCRATCH_SLOTS empty slots of the caller; they are
                              empty again afterwards, also on an error, but for one
                              whose drop was refused after it: that one the caller owes */
};

/* Reads the headers of the module (one FRAME_READ, or two where it has many) and plans it. Changes
 * nothing. *plan is all zero on an error: NOT_ALIGNED (offset), OUT_OF_RANGE (offset + size wraps),
 * INVALID_ARGUMENT (no bytes), those of FRAME_READ (the range leaves the image), those of
 * elf_plan_parse. */
enum status image_plan(struct caller *caller, const struct image_module *module,
                       struct elf_plan *plan);

/* How many pages of a segment are the image's own: none of a writable one, and of others those that
 * the segment fills. A first or last page that it does not fill is private, so that it never shows
 * what else is in the image, whoever packed it (G4). */
uint64_t image_shared_pages(const struct elf_segment *segment);

/* Maps every page of `plan`, which image_plan made of the same module: shared ones, and zeroed
 * frames with the file's bytes copied in. The frames live by their mapping alone: no capability to
 * them is left. Errors: those of RETYPE, FRAME_COPY, MAP_FRAME and GIVE_FRAMES; pages
 * mapped before the failing call stay mapped. */
enum status image_build(struct caller *caller, const struct image_module *module,
                        const struct image_target *target, const struct elf_plan *plan);

/* Maps `pages` zeroed pages, readable and writable, at `va`: the tables of a service. `module` says
 * through which KERNEL_PROCESS. Otherwise as image_build. */
enum status image_map_zeroed(struct caller *caller, const struct image_module *module,
                             const struct image_target *target, uint64_t va, uint64_t pages);

#endif
