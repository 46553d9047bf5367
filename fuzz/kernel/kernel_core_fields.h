/* SPDX-License-Identifier: ISC */
/* Slots, addresses and whole requests for the current process, drawn from choices. */
#ifndef BASALT_FUZZ_KERNEL_KERNEL_CORE_FIELDS_H
#define BASALT_FUZZ_KERNEL_KERNEL_CORE_FIELDS_H

#include "abi/message_type.h"
#include "props/base/choices.h"

/* Types that a message may carry as copies. */
#define CORE_TRANSFERABLE (~(1u << OBJECT_REPLY | 1u << OBJECT_KERNEL_SELF | 1u << OBJECT_GRANT))

/* Mostly a slot that fits, sometimes any occupied one, seldom nonsense. */
uint32_t core_pick_slot(struct choices *choices, uint32_t type_mask, uint16_t rights);
uint32_t core_hostile_slot(struct choices *choices);

/* Mostly the first of `count` empty slots. */
uint32_t core_pick_empty(struct choices *choices, uint32_t count);

/* Any address worth naming; one that some process has mapped. */
uint64_t core_pick_va(struct choices *choices);
uint64_t core_pick_mapped(struct choices *choices);

/* Fills a request of the row: valid by its constraints but for one in 24. */
void core_request_fill(struct choices *choices, const struct operation *row, uint8_t *body);

#endif
