/* SPDX-License-Identifier: ISC */
/* The part of the model of pagerd that knows areas. Pure. */
#ifndef BASALT_PROPS_MODELS_MODEL_PAGERD_AREAS_H
#define BASALT_PROPS_MODELS_MODEL_PAGERD_AREAS_H

#include "props/models/model_pagerd.h"

/* What REGISTER_PROCESS says of the areas and the image range. */
enum status model_areas_status(const struct pagerd_register_process_request *request);

/* The area that an address lies in; null: none. */
const struct pagerd_area *model_area_of(const struct model_pagerd_process *process, uint64_t va);

/* Where the file begins in the page, when it does there: in front of it is zero. */
uint64_t model_file_byte_first(const struct pagerd_area *area, uint64_t page);

/* Of a page with file bytes: where in the image the first one lies. */
uint64_t model_file_offset_in(const struct pagerd_area *area, uint64_t page);

/* Bytes of the file that lie in the page. */
uint64_t model_file_bytes_in(const struct pagerd_area *area, uint64_t page);

/* Whether the page is the image's own. */
bool model_is_shared(const struct pagerd_area *area, uint64_t page);

/* The right that an access needs. */
uint32_t model_right(uint32_t access);

/* The reason that the fault ends its process at once; NONE: it does not. */
enum end_reason model_forbidden(const struct model_pagerd_process *process,
                                const struct event_fault_request *fault);

#endif
