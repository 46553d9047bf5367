/* SPDX-License-Identifier: ISC */
/* attack-child: a program that holds nothing and uses what everybody may use: pages, regions, the
 * kernel memory of its own budget. It is the attacker's tool, and also the one who must not
 * notice. */
#include "abi/address_space.h"
#include "abi/slots.h"
#include "abi/system.h"
#include "abi/user_memory.h"
#include "services/probes/attacks.h"
#include "services/probes/probes.h"

enum { WINDOW_COUNT = 64, WINDOW_STEP = 128 }; /* slots of one leaf of a cspace */

static void receive(uint64_t deadline_ticks, uint32_t window_slot, uint8_t window_count)
{
    struct message message = {.header = {.version = MESSAGE_VERSION,
                                         .window_slot = window_slot,
                                         .window_count = window_count}};
    struct receive_info info = {0};
    (void)sys_recv(SLOT_SERVICE_ENDPOINT, &message, deadline_ticks, &info);
}

static uint32_t sleep_for_ever(void)
{
    for (;;)
        receive(DEADLINE_NEVER, SLOT_NULL, 0);
    return CHILD_OK; /* gcc wants it said */
}

static void touch(uint64_t count, uint64_t step_pages)
{
    for (uint64_t i = 0; i < count; i++)
        user_store64(HEAP_WINDOW_VA + i * step_pages * PAGE_BYTES, i + 1);
}

/* Two pages, one behind the other, and then every fourth: to one that goes on like this nobody gives
 * the pages between, since its guarantee is about the pages that it touches (M9). */
static void touch_apart(uint64_t count)
{
    user_store64(HEAP_WINDOW_VA, 1);
    for (uint64_t i = 1; i < count; i++)
        user_store64(HEAP_WINDOW_VA + (4 * i - 3) * PAGE_BYTES, i + 1);
}

/* Each window is in a part of the cspace that has no page yet. */
static uint32_t use_up_budget(void)
{
    for (uint32_t i = 0; i < WINDOW_COUNT; i++)
        receive(DEADLINE_POLL, SLOT_DYNAMIC_BASE + i * WINDOW_STEP, 1);
    user_store64(HEAP_WINDOW_VA + HEAP_WINDOW_BYTES - PAGE_BYTES, 1);
    return CHILD_SURVIVED;
}

uint32_t attack_child_main(uint64_t argument)
{
    switch ((enum attack_child)argument) {
    case CHILD_EXITS:
        return CHILD_OK;
    case CHILD_SPARSE:
        touch(CHILD_PAGES, 2);
        break;
    case CHILD_DENSE:
        touch(CHILD_PAGES, 1);
        break;
    case CHILD_TOUCHES:
        touch_apart(CHILD_FEW_PAGES);
        return CHILD_OK;
    case CHILD_WINDOWS:
        return use_up_budget();
    case CHILD_SLEEPS:
        break;
    }
    return sleep_for_ever();
}
