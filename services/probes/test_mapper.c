/* SPDX-License-Identifier: ISC */
/* test-mapper (services/probes/mapper.h). For MAPPER_MAPS it makes a process that never maps a page
 * itself, and asks vspaced, as pagerd does, and the kernel, as procd does, each operation for what it
 * grants and for what it refuses; everything that it made is given back. */
#include <string.h>

#include "abi/address_space.h"
#include "abi/roles.h"
#include "abi/user_memory.h"
#include "services/lib/call_kernel.h"
#include "services/lib/call_memd.h"
#include "services/lib/call_vspaced.h"
#include "services/lib/kernel_calls.h"
#include "services/lib/service.h"
#include "services/probes/mapper.h"
#include "services/probes/probes.h"

enum {
    CALL_TICKS = 10 * TICKS_PER_SECOND,
    SLOT_PROCESS = SLOT_RECEIVE_BASE, /* what CREATE gives: these four in a row */
    SLOT_VSPACE,
    SLOT_ENDPOINT,
    SLOT_GRANT,
    SLOT_FRAMES,                                     /* from memd */
    SLOT_MADE = SLOT_FRAMES + MEMD_ALLOC_FRAMES_MAX, /* by RETYPE */
    REGION_LIMIT = 16,
    MADE_COUNT = 2,
    END_CODE = 7
};

#define MAPPED_VA UINT64_C(0x10000000)
#define GUARD_VA  (MAPPED_VA + 16 * PAGE_BYTES)
#define FRAME_VA  (MAPPED_VA + 32 * PAGE_BYTES)
#define OWN_VA    (MAPPED_VA + 48 * PAGE_BYTES)

struct mapper {
    struct caller caller;
    uint32_t space;  /* vspaced's name for the address space */
    uint32_t asked;  /* questions so far */
    uint32_t failed; /* the first one with another answer; 0: none */
};

static void expect(struct mapper *mapper, bool as_stated)
{
    mapper->asked++;
    if (!as_stated && mapper->failed == 0)
        mapper->failed = mapper->asked;
}

static uint64_t soon(const struct mapper *mapper)
{
    return caller_deadline(&mapper->caller, CALL_TICKS);
}

/* Deadlines are counted from the clock that a receive tells. */
static void see_clock(struct mapper *mapper)
{
    struct receive_info info = {0};
    sys_message()->header = (struct message_header){.version = MESSAGE_VERSION};
    (void)sys_recv(SLOT_SERVICE_ENDPOINT, sys_message(), DEADLINE_POLL, &info);
    caller_see_clock(&mapper->caller, info.now_ticks);
}

/* --- kernel control ---------------------------------------------------------------------------- */

static enum status create(struct mapper *mapper, uint32_t untyped_slot)
{
    struct kernel_create_staged_process_request request = {
        .untyped_slot = untyped_slot,
        .budget_pages = MAPPER_BUDGET_PAGES,
        .event_slot = SLOT_SERVICE_ENDPOINT,
        .band = BAND_LAST,
    };
    struct kernel_create_staged_process_reply reply;
    return kernel_create_staged_process(&mapper->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request,
                                        (struct window){SLOT_PROCESS, 4}, &reply);
}

static enum status start(struct mapper *mapper)
{
    struct kernel_start_process_request request = {
        .process_slot = SLOT_PROCESS, .entry_va = MAPPED_VA, .stack_top_va = MAPPED_VA};
    return kernel_start_process(&mapper->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request);
}

static enum status abort_process(struct mapper *mapper, uint32_t slot)
{
    return kernel_abort_staged_process(&mapper->caller, SLOT_KERNEL_PROCESS_ENDPOINT, slot);
}

static enum status kill_process(struct mapper *mapper)
{
    return kernel_kill_process(&mapper->caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_PROCESS,
                               END_CODE);
}

static enum status retire(struct mapper *mapper, struct kernel_retire_process_reply *reply)
{
    return kernel_retire_process(&mapper->caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_PROCESS,
                                 reply);
}

/* The slots of a process that is gone. */
static void drop_process(struct mapper *mapper)
{
    for (uint32_t slot = SLOT_PROCESS; slot <= SLOT_GRANT; slot++)
        expect(mapper, kernel_drop_local_cap(&mapper->caller, slot) == STATUS_OK);
}

/* A process that is aborted; one that runs, without a page and without a pager, and is killed: it faults
 * as soon as it runs, if it does before. */
static void ask_processes(struct mapper *mapper)
{
    struct kernel_retire_process_reply ended;
    expect(mapper, create(mapper, SLOT_NULL + 3) == STATUS_NOT_FOUND);
    expect(mapper, create(mapper, MAPPER_SLOT_UNTYPED) == STATUS_OK);
    expect(mapper, create(mapper, MAPPER_SLOT_UNTYPED) != STATUS_OK); /* the window is full */
    expect(mapper, abort_process(mapper, SLOT_VSPACE) == STATUS_INVALID_ARGUMENT);
    expect(mapper, kill_process(mapper) == STATUS_INVALID_ARGUMENT);
    expect(mapper, retire(mapper, &ended) == STATUS_BUSY);
    expect(mapper, abort_process(mapper, SLOT_PROCESS) == STATUS_OK);
    drop_process(mapper);

    expect(mapper, create(mapper, MAPPER_SLOT_UNTYPED) == STATUS_OK);
    expect(mapper, start(mapper) == STATUS_INVALID_ARGUMENT); /* its pager was not declared */
    expect(mapper, kernel_register_pager(&mapper->caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_VSPACE,
                                         SLOT_NULL, 0) == STATUS_INVALID_ARGUMENT);
    expect(mapper, kernel_register_pager(&mapper->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                         SLOT_PROCESS, SLOT_NULL, 0) == STATUS_OK);
    expect(mapper, start(mapper) == STATUS_OK);
    enum status killed = kill_process(mapper);
    expect(mapper, killed == STATUS_OK || killed == STATUS_NOT_FOUND);
    expect(mapper,
           retire(mapper, &ended) == STATUS_OK && (killed != STATUS_OK || ended.code == END_CODE));
    drop_process(mapper);
}

/* Frames that it makes of its untyped, maps and destroys. */
static void ask_frames(struct mapper *mapper)
{
    struct caller *caller = &mapper->caller;
    struct kernel_map_frame_request map = {.vspace_slot = SLOT_VSPACE,
                                           .frame_slot = SLOT_MADE,
                                           .va = OWN_VA,
                                           .page_count = 1,
                                           .rights = RIGHT_READ | RIGHT_WRITE};
    struct kernel_give_frames_request give = {.vspace_slot = SLOT_VSPACE,
                                              .frame_slot = SLOT_MADE + 1,
                                              .va = OWN_VA + PAGE_BYTES,
                                              .count = 1,
                                              .rights = RIGHT_READ};
    expect(mapper, kernel_retype(caller, SLOT_KERNEL_PROCESS_ENDPOINT, MAPPER_SLOT_UNTYPED,
                                 OBJECT_FRAME, MADE_COUNT, SLOT_MADE) == STATUS_OK);
    expect(mapper, kernel_retype(caller, SLOT_KERNEL_PROCESS_ENDPOINT, MAPPER_SLOT_UNTYPED,
                                 OBJECT_FRAME, MADE_COUNT, SLOT_MADE) == STATUS_BUSY);
    expect(mapper, kernel_map_frame(caller, SLOT_KERNEL_PROCESS_ENDPOINT, &map) == STATUS_OK);
    expect(mapper, kernel_map_frame(caller, SLOT_KERNEL_PROCESS_ENDPOINT, &map) == STATUS_BUSY);
    expect(mapper, kernel_give_frames(caller, SLOT_KERNEL_PROCESS_ENDPOINT, &give) == STATUS_OK);
    expect(mapper,
           kernel_give_frames(caller, SLOT_KERNEL_PROCESS_ENDPOINT, &give) == STATUS_NOT_FOUND);
    expect(mapper, kernel_destroy(caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_MADE) == STATUS_OK);
    expect(mapper,
           kernel_destroy(caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_MADE) == STATUS_NOT_FOUND);
}

static enum status frame_write(struct mapper *mapper, uint32_t slot, uint64_t value)
{
    struct kernel_frame_write_request request = {.frame_slot = slot, .count = sizeof value};
    memcpy(request.bytes, &value, sizeof value);
    return kernel_call_frame_write(&mapper->caller, SLOT_KERNEL_PROCESS_ENDPOINT, NO_WINDOW,
                                   DEADLINE_NEVER, &request, NULL);
}

/* Bytes go into a frame, from there into another one, and come out of that (K2: zero before). */
static void ask_bytes(struct mapper *mapper)
{
    const uint64_t value = UINT64_C(0x0123456789ABCDEF);
    struct caller *caller = &mapper->caller;
    uint64_t read = 1;
    expect(mapper, kernel_frame_read(caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_FRAMES + 1, 0,
                                     sizeof read, &read) == STATUS_OK &&
                       read == 0);
    expect(mapper, frame_write(mapper, SLOT_FRAMES, value) == STATUS_OK);
    expect(mapper, frame_write(mapper, SLOT_VSPACE, value) == STATUS_INVALID_ARGUMENT);
    expect(mapper, kernel_frame_copy(caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_FRAMES, 0,
                                     SLOT_FRAMES + 1, 8, sizeof read) == STATUS_OK);
    expect(mapper, kernel_frame_copy(caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_FRAMES, PAGE_BYTES,
                                     SLOT_FRAMES + 1, 8, sizeof read) == STATUS_OUT_OF_RANGE);
    expect(mapper, kernel_frame_read(caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_FRAMES + 1, 8,
                                     sizeof read, &read) == STATUS_OK &&
                       read == value);
    expect(mapper, kernel_frame_read(caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_FRAMES, PAGE_BYTES,
                                     sizeof read, &read) == STATUS_OUT_OF_RANGE);
}

/* --- vspaced ------------------------------------------------------------------------------------- */

static enum status register_space(struct mapper *mapper, uint32_t *space)
{
    struct vspaced_register_vspace_request request = {.vspace_slot = SLOT_VSPACE,
                                                      .account_slot = MAPPER_SLOT_ACCOUNT,
                                                      .region_limit = REGION_LIMIT};
    struct vspaced_register_vspace_reply reply;
    enum status status = vspaced_call_register_vspace(&mapper->caller, SLOT_PEER_VSPACED, NO_WINDOW,
                                                      soon(mapper), &request, &reply);
    *space = reply.vspace_cap_slot;
    return status;
}

static enum status map_anonymous(struct mapper *mapper, uint64_t va, uint32_t page_count)
{
    struct vspaced_map_anonymous_request request = {.vspace_cap_slot = mapper->space,
                                                    .rights = RIGHT_READ | RIGHT_WRITE,
                                                    .va = va,
                                                    .page_count = page_count};
    return vspaced_call_map_anonymous(&mapper->caller, SLOT_PEER_VSPACED, NO_WINDOW, soon(mapper),
                                      &request, NULL);
}

static enum status map_frame(struct mapper *mapper, uint32_t frame_id)
{
    struct vspaced_map_frames_request request = {.vspace_cap_slot = mapper->space,
                                                 .rights = RIGHT_READ,
                                                 .va = FRAME_VA,
                                                 .page_count = 1,
                                                 .frame_id = frame_id,
                                                 .frame_slot = SLOT_FRAMES};
    struct message *message = caller_message(&mapper->caller);
    enum status status = message_encode(&vspaced_map_frames_request_type, &request, message);
    if (status != STATUS_OK)
        return status;
    message->caps[0].rights = RIGHT_MAP | RIGHT_READ; /* no more than are mapped */
    return caller_call_message(&mapper->caller, SLOT_PEER_VSPACED, NO_WINDOW, soon(mapper),
                               &vspaced_map_frames_request_type, NULL);
}

static enum status unmap(struct mapper *mapper, uint64_t va, uint32_t page_count)
{
    struct vspaced_unmap_request request = {
        .vspace_cap_slot = mapper->space, .page_count = page_count, .va = va};
    return vspaced_call_unmap(&mapper->caller, SLOT_PEER_VSPACED, NO_WINDOW, soon(mapper), &request,
                              NULL);
}

static enum status protect(struct mapper *mapper, uint64_t va, uint32_t page_count, uint32_t rights)
{
    struct vspaced_protect_request request = {
        .vspace_cap_slot = mapper->space, .page_count = page_count, .va = va, .rights = rights};
    return vspaced_call_protect(&mapper->caller, SLOT_PEER_VSPACED, NO_WINDOW, soon(mapper),
                                &request, NULL);
}

static enum status guard(struct mapper *mapper, uint64_t va)
{
    struct vspaced_guard_request request = {
        .vspace_cap_slot = mapper->space, .page_count = 1, .va = va};
    return vspaced_call_guard(&mapper->caller, SLOT_PEER_VSPACED, NO_WINDOW, soon(mapper), &request,
                              NULL);
}

/* Whether the region that holds `va` begins there, with so many pages and these rights; no pages: whether
 * there is none. */
static bool region_is(struct mapper *mapper, uint64_t va, uint64_t page_count, uint32_t rights)
{
    struct vspaced_query_region_request request = {.vspace_cap_slot = mapper->space, .va = va};
    struct vspaced_query_region_reply region;
    enum status status = vspaced_call_query_region(&mapper->caller, SLOT_PEER_VSPACED, NO_WINDOW,
                                                   soon(mapper), &request, &region);
    if (page_count == 0)
        return status == STATUS_NOT_FOUND;
    return status == STATUS_OK && region.va == va && region.page_count == page_count &&
           region.rights == rights;
}

static enum status unregister_space(struct mapper *mapper)
{
    struct vspaced_unregister_vspace_request request = {.vspace_cap_slot = mapper->space};
    return vspaced_call_unregister_vspace(&mapper->caller, SLOT_PEER_VSPACED, NO_WINDOW,
                                          soon(mapper), &request, NULL);
}

/* A part that is protected or unmapped leaves the rest as it was (V4). */
static void ask_pages(struct mapper *mapper)
{
    const uint32_t both = RIGHT_READ | RIGHT_WRITE;
    expect(mapper, map_anonymous(mapper, MAPPED_VA, 4) == STATUS_OK);
    expect(mapper, map_anonymous(mapper, MAPPED_VA + 3 * PAGE_BYTES, 1) == STATUS_BUSY);
    expect(mapper, region_is(mapper, MAPPED_VA, 4, both));
    expect(mapper, protect(mapper, MAPPED_VA, 1, RIGHT_READ) == STATUS_OK);
    expect(mapper, protect(mapper, MAPPED_VA, 1, RIGHT_READ | RIGHT_EXECUTE) == STATUS_DENIED);
    expect(mapper, protect(mapper, GUARD_VA, 1, RIGHT_READ) == STATUS_NOT_FOUND);
    expect(mapper, region_is(mapper, MAPPED_VA, 1, RIGHT_READ));
    expect(mapper, unmap(mapper, MAPPED_VA + 2 * PAGE_BYTES, 1) == STATUS_OK);
    expect(mapper, unmap(mapper, MAPPED_VA, 4) == STATUS_NOT_FOUND);
    expect(mapper, region_is(mapper, MAPPED_VA + PAGE_BYTES, 1, both));
    expect(mapper, region_is(mapper, MAPPED_VA + 2 * PAGE_BYTES, 0, 0));
    expect(mapper, region_is(mapper, MAPPED_VA + 3 * PAGE_BYTES, 1, both));
    expect(mapper, guard(mapper, GUARD_VA) == STATUS_OK);
    expect(mapper, guard(mapper, GUARD_VA) == STATUS_BUSY);
    expect(mapper, map_anonymous(mapper, GUARD_VA, 1) == STATUS_BUSY); /* V5 */
}

/* Its account has MAPPER_LIMIT_PAGES, most of which are taken already. */
static void run_out(struct mapper *mapper)
{
    enum status status = STATUS_OK;
    uint32_t count = 0;
    for (; status == STATUS_OK && count <= MAPPER_LIMIT_PAGES; count++)
        status = map_anonymous(mapper, OWN_VA + (8 + count) * PAGE_BYTES, 1);
    expect(mapper, status == STATUS_OVER_LIMIT && count > 1);
}

static void ask_vspaced(struct mapper *mapper)
{
    uint32_t other;
    struct memd_alloc_frames_request alloc = {.count = 2};
    struct memd_alloc_frames_reply frames;
    expect(mapper, create(mapper, MAPPER_SLOT_UNTYPED) == STATUS_OK);
    expect(mapper, register_space(mapper, &mapper->space) == STATUS_OK);
    expect(mapper, register_space(mapper, &other) == STATUS_BUSY);
    ask_pages(mapper);
    expect(mapper, memd_call_alloc_frames(&mapper->caller, MAPPER_SLOT_ACCOUNT,
                                          (struct window){SLOT_FRAMES, MEMD_ALLOC_FRAMES_MAX},
                                          soon(mapper), &alloc, &frames) == STATUS_OK);
    ask_bytes(mapper);
    expect(mapper, map_frame(mapper, frames.frame_ids[0]) == STATUS_OK);
    expect(mapper, map_frame(mapper, frames.frame_ids[0]) == STATUS_BUSY);
    ask_frames(mapper);
    run_out(mapper);
    expect(mapper, unmap(mapper, FRAME_VA, 1) == STATUS_OK); /* gives the frame back */
    expect(mapper, unregister_space(mapper) == STATUS_OK);
    expect(mapper, unregister_space(mapper) == STATUS_NOT_FOUND);
    expect(mapper, abort_process(mapper, SLOT_PROCESS) == STATUS_OK);
    drop_process(mapper);
}

/* --- the other tasks -------------------------------------------------------------------------------- */

static uint32_t sleep_for_ever(void)
{
    struct receive_info info = {0};
    for (;;) {
        sys_message()->header = (struct message_header){.version = MESSAGE_VERSION};
        (void)sys_recv(SLOT_SERVICE_ENDPOINT, sys_message(), DEADLINE_NEVER, &info);
    }
    return MAPPER_OK; /* gcc wants it said */
}

static uint32_t touch(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        user_store64(HEAP_WINDOW_VA + i * PAGE_BYTES, i + 1);
    return MAPPER_OK;
}

static uint32_t wait_for_envelope(void)
{
    struct caller caller = {0};
    struct envelope envelope;
    (void)service_start(&caller, ROLE_TEST_MAPPER, &envelope, NULL, NULL, NULL);
    return sleep_for_ever();
}

uint32_t test_mapper_main(uint64_t argument)
{
    struct mapper mapper;
    memset(&mapper, 0, sizeof mapper);
    switch ((enum mapper_does)argument) {
    case MAPPER_EXITS:
        return MAPPER_OK;
    case MAPPER_SLEEPS:
        return sleep_for_ever();
    case MAPPER_STARTS:
        return wait_for_envelope();
    case MAPPER_TOUCHES:
        return touch(MAPPER_PAGES);
    case MAPPER_RUNS_OUT:
        return touch(MAPPER_LOWERED_PAGES);
    case MAPPER_MAPS:
        see_clock(&mapper);
        ask_processes(&mapper);
        ask_vspaced(&mapper);
        return mapper.failed == 0 ? MAPPER_OK : mapper.failed;
    }
    return 0;
}
