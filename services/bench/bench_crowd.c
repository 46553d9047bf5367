/* SPDX-License-Identifier: ISC */
/* bench-crowd. A region is a guard page: vspaced keeps it as any other, and it costs no memory. */
#include "services/bench/bench_crowd.h"

#include <string.h>

#include "services/bench/bench_run.h"
#include "services/lib/call_vspaced.h"

enum { FAR_TICKS = 1 << 30, LAST = 8 /* regions whose cost is told */ };
#define FIRST_VA UINT64_C(0x100000000)

static _Noreturn void wait_for_ever(void)
{
    for (;;)
        (void)bench_receive(bench_receive(DEADLINE_POLL) + FAR_TICKS);
}

/* Every other page, so that none becomes one with its neighbour. */
static void make_regions(struct caller *caller, uint32_t vspace_slot, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        struct vspaced_guard_request request = {
            .vspace_cap_slot = vspace_slot, .page_count = 1, .va = FIRST_VA + 2 * i * PAGE_BYTES};
        if (vspaced_call_guard(caller, CROWD_SLOT_VSPACED, NO_WINDOW, DEADLINE_NEVER, &request,
                               NULL) != STATUS_OK)
            __builtin_trap();
    }
}

static _Noreturn void keep_regions(void)
{
    const struct receive_info *info =
        (const struct receive_info *)(MESSAGE_PAGE_VA + MESSAGE_PAGE_INFO_OFFSET);
    struct caller caller = {0};
    struct vspaced_register_vspace_request request = {.vspace_slot = CROWD_SLOT_VSPACE,
                                                      .account_slot = CROWD_SLOT_ACCOUNT,
                                                      .region_limit = CROWD_REGIONS_MAX};
    struct vspaced_register_vspace_reply space;
    if (vspaced_call_register_vspace(&caller, CROWD_SLOT_VSPACED, NO_WINDOW, DEADLINE_NEVER,
                                     &request, &space) != STATUS_OK)
        __builtin_trap();
    for (uint64_t made = 0;;) {
        struct crowd_message message;
        (void)bench_receive(DEADLINE_NEVER);
        uint32_t reply_slot = info->reply_slot;
        memcpy(&message, bench_page()->body, sizeof message);
        make_regions(&caller, space.vspace_cap_slot, made, message.count - LAST);
        uint64_t before = bench_cycles();
        make_regions(&caller, space.vspace_cap_slot, message.count - LAST, message.count);
        made = message.count;
        message.count = (bench_cycles() - before) / LAST;
        bench_page()->header =
            (struct message_header){.version = MESSAGE_VERSION, .body_bytes = sizeof message};
        memcpy(bench_page()->body, &message, sizeof message);
        if (bench_enter(SYSCALL_REPLY, reply_slot, 0) != STATUS_OK)
            __builtin_trap();
    }
}

uint32_t bench_crowd_main(uint64_t argument)
{
    if (argument == CROWD_REGIONS)
        keep_regions();
    wait_for_ever();
}
