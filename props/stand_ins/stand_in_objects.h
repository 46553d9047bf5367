/* SPDX-License-Identifier: ISC */
/* The stand-in's objects, for stand_in_kernel.c: each function is one kernel operation after its
 * capabilities were checked, whole or not at all. */
#ifndef BASALT_PROPS_STAND_INS_STAND_IN_OBJECTS_H
#define BASALT_PROPS_STAND_INS_STAND_IN_OBJECTS_H

#include "props/stand_ins/stand_in_kernel.h"

void stand_in_objects_begin(void);
uint64_t stand_in_objects_digest(void);

/* EXHAUSTED: fewer pages free, or no object left. */
enum status stand_in_untyped_split(uint32_t untyped, uint64_t pages, uint32_t *child);
/* BUSY: something made from it lives. */
enum status stand_in_untyped_join(uint32_t untyped);

/* BUSY: a page is present; WRITE_AND_EXECUTE; OUT_OF_RANGE: beyond the image; EXHAUSTED. */
enum status stand_in_map(uint32_t vspace, const struct stand_in_cap *frame,
                         const struct kernel_map_frame_request *request);
enum status stand_in_unmap(uint32_t vspace, uint64_t page, uint32_t count);
enum status stand_in_protect(uint32_t vspace, uint64_t page, uint32_t count, uint32_t rights);

#endif
