/* SPDX-License-Identifier: ISC */
/* Figures of the kernel alone: entry, kernel control, mappings, frames, staged processes; and round
 * trips to another address space. Messages are encoded once; what a reply overwrote, the header and
 * the reply's own body, is written again inside the measured time. */
#include <string.h>

#include "abi/address_space.h"
#include "abi/slots.h"
#include "services/bench/bench_root.h"

/* --- prepared messages ------------------------------------------------------------------------ */

static bool prepare(struct bench *bench, struct prepared *prepared, uint32_t slot, uint16_t id,
                    const void *request)
{
    const struct operation *operation = operation_find(SERVICE_KERNEL, id);
    memset(prepared, 0, sizeof *prepared);
    prepared->slot = slot;
    prepared->deadline_ticks = DEADLINE_NEVER;
    if (operation == NULL)
        return bench_fail(bench, "prepare", STATUS_NOT_FOUND);
    enum status status = message_encode(operation->request, request, &prepared->message);
    return status == STATUS_OK || bench_fail(bench, operation->name, status);
}

/* The whole message into the page; outside the measured time. */
static void load(const struct prepared *prepared)
{
    memcpy(bench_page(), &prepared->message, sizeof prepared->message);
}

/* One call with the page's body; the verdict of transport and peer. */
static inline enum status call(const struct prepared *prepared)
{
    bench_page()->header = prepared->message.header;
    enum status status = bench_enter(SYSCALL_CALL, prepared->slot, prepared->deadline_ticks);
    return status != STATUS_OK ? status : (enum status)bench_page()->header.status;
}

/* A call outside the measured time. */
static enum status call_whole(const struct prepared *prepared)
{
    load(prepared);
    return call(prepared);
}

/* The same message again and again. */
static bool measure_call(struct bench *bench, const char *name, const struct prepared *prepared,
                         enum status expected)
{
    load(prepared);
    for (uint32_t i = 0; i < BENCH_WARM + BENCH_SAMPLES; i++) {
        uint64_t before = bench_cycles();
        enum status status = call(prepared);
        uint64_t after = bench_cycles();
        if (status != expected)
            return bench_fail(bench, name, status);
        bench_add(bench, i, before, after);
    }
    bench_flush(bench, name);
    return true;
}

/* Two messages in turn, measured together. Both bodies are written anew outside the time: a reply
 * without a body leaves them, but they share the page. */
static bool measure_pair(struct bench *bench, const char *name, const struct prepared *first,
                         const struct prepared *second)
{
    for (uint32_t i = 0; i < BENCH_WARM + BENCH_SAMPLES; i++) {
        load(first);
        uint64_t before = bench_cycles();
        enum status status = call(first);
        uint64_t middle = bench_cycles();
        if (status != STATUS_OK)
            return bench_fail(bench, name, status);
        load(second);
        uint64_t again = bench_cycles();
        status = call(second);
        uint64_t after = bench_cycles();
        if (status != STATUS_OK)
            return bench_fail(bench, name, status);
        bench_add(bench, i, before, middle + (after - again) - bench->overhead);
    }
    bench_flush(bench, name);
    return true;
}

/* --- entries ---------------------------------------------------------------------------------- */

static bool measure_entries(struct bench *bench)
{
    enum { NO_SYSCALL = 1, EMPTY_SLOT = SLOT_LEGACY };
    struct prepared clock;
    uint64_t nothing = 0;
    for (uint32_t i = 0; i < BENCH_WARM + BENCH_SAMPLES; i++) {
        uint64_t before = bench_cycles();
        enum status status = bench_enter(NO_SYSCALL, 0, 0);
        uint64_t after = bench_cycles();
        if (status != STATUS_INVALID_ARGUMENT)
            return bench_fail(bench, "unknown-syscall", status);
        bench_add(bench, i, before, after);
    }
    bench_flush(bench, "unknown-syscall");
    if (!prepare(bench, &clock, SLOT_KERNEL_TIME_ENDPOINT, OP_KERNEL_READ_MONOTONIC_CLOCK,
                 &nothing) ||
        !measure_call(bench, "read-clock", &clock, STATUS_OK))
        return false;
    clock.slot = EMPTY_SLOT;
    return measure_call(bench, "call-empty-slot", &clock, STATUS_NOT_FOUND);
}

/* --- memory ----------------------------------------------------------------------------------- */

static bool make_frames(struct bench *bench)
{
    enum { BATCH = 64 };
    for (uint32_t i = 0; i < BENCH_SAMPLES; i += BATCH) {
        enum status status =
            kernel_retype(&bench->rootd.caller, SLOT_KERNEL_MEM_ENDPOINT, ROOTD_SLOT_LAUNCH_POOL,
                          OBJECT_FRAME, BATCH, BENCH_SLOT_FRAMES + i);
        if (status != STATUS_OK)
            return bench_fail(bench, "frames", status);
    }
    return true;
}

static struct kernel_map_frame_request map_of(uint32_t index)
{
    return (struct kernel_map_frame_request){
        .vspace_slot = BENCH_SLOT_STAGED + BENCH_SLOT_VSPACE,
        .frame_slot = BENCH_SLOT_FRAMES + index,
        .va = HEAP_WINDOW_VA + (uint64_t)index * PAGE_BYTES,
        .page_count = 1,
        .rights = RIGHT_READ | RIGHT_WRITE,
    };
}

static struct kernel_unmap_frame_request unmap_of(uint32_t index)
{
    return (struct kernel_unmap_frame_request){
        .vspace_slot = BENCH_SLOT_STAGED + BENCH_SLOT_VSPACE,
        .page_count = 1,
        .va = HEAP_WINDOW_VA + (uint64_t)index * PAGE_BYTES,
    };
}

/* Each of a run of pages once, mapped or unmapped. */
static bool measure_each(struct bench *bench, const char *name, bool mapping)
{
    for (uint32_t i = 0; i < BENCH_SAMPLES; i++) {
        struct kernel_map_frame_request map = map_of(i);
        struct kernel_unmap_frame_request unmap = unmap_of(i);
        struct prepared prepared;
        if (!prepare(bench, &prepared, SLOT_KERNEL_VSPACE_ENDPOINT,
                     mapping ? OP_KERNEL_MAP_FRAME : OP_KERNEL_UNMAP_FRAME,
                     mapping ? (const void *)&map : (const void *)&unmap))
            return false;
        load(&prepared);
        uint64_t before = bench_cycles();
        enum status status = call(&prepared);
        uint64_t after = bench_cycles();
        if (status != STATUS_OK)
            return bench_fail(bench, name, status);
        bench_add(bench, BENCH_WARM, before, after);
    }
    bench_flush(bench, name);
    return true;
}

static bool stage_held(struct bench *bench)
{
    enum status status = bench_stage(bench, BENCH_SLOT_STAGED, 0);
    return status == STATUS_OK || bench_fail(bench, "stage", status);
}

/* One page is mapped next to the one that comes and goes, so that its tables stay. */
static bool measure_map_unmap(struct bench *bench)
{
    struct prepared map;
    struct prepared unmap;
    struct kernel_map_frame_request neighbour = map_of(1);
    struct kernel_map_frame_request map_request = map_of(0);
    struct kernel_unmap_frame_request unmap_request = unmap_of(0);
    struct kernel_unmap_frame_request away = unmap_of(1);
    if (!prepare(bench, &map, SLOT_KERNEL_VSPACE_ENDPOINT, OP_KERNEL_MAP_FRAME, &neighbour))
        return false;
    enum status status = call_whole(&map);
    if (status != STATUS_OK)
        return bench_fail(bench, "neighbour", status);
    if (!prepare(bench, &map, SLOT_KERNEL_VSPACE_ENDPOINT, OP_KERNEL_MAP_FRAME, &map_request) ||
        !prepare(bench, &unmap, SLOT_KERNEL_VSPACE_ENDPOINT, OP_KERNEL_UNMAP_FRAME,
                 &unmap_request) ||
        !measure_pair(bench, "map-unmap", &map, &unmap) ||
        !prepare(bench, &unmap, SLOT_KERNEL_VSPACE_ENDPOINT, OP_KERNEL_UNMAP_FRAME, &away))
        return false;
    status = call_whole(&unmap);
    return status == STATUS_OK || bench_fail(bench, "neighbour", status);
}

static bool measure_mappings(struct bench *bench)
{
    return stage_held(bench) && measure_map_unmap(bench) && measure_each(bench, "map-each", true) &&
           measure_each(bench, "unmap-each", false);
}

static bool measure_retype(struct bench *bench)
{
    struct prepared retype;
    struct prepared destroy;
    struct kernel_retype_request retype_request = {.untyped_slot = ROOTD_SLOT_LAUNCH_POOL,
                                                   .object_type = OBJECT_FRAME,
                                                   .count = 1,
                                                   .target_slot = BENCH_SLOT_SCRATCH};
    struct kernel_destroy_request destroy_request = {.slot = BENCH_SLOT_SCRATCH};
    return prepare(bench, &retype, SLOT_KERNEL_MEM_ENDPOINT, OP_KERNEL_RETYPE, &retype_request) &&
           prepare(bench, &destroy, SLOT_KERNEL_MEM_ENDPOINT, OP_KERNEL_DESTROY,
                   &destroy_request) &&
           measure_pair(bench, "retype-destroy", &retype, &destroy);
}

bool bench_measure_kernel(struct bench *bench)
{
    return measure_entries(bench) && make_frames(bench) && measure_mappings(bench) &&
           measure_retype(bench);
}

/* --- round trips ------------------------------------------------------------------------------ */

static struct prepared trip_of(uint16_t operation)
{
    return (struct prepared){
        .slot = BENCH_SLOT_ECHO + BENCH_SLOT_ENDPOINT,
        .deadline_ticks = DEADLINE_NEVER,
        .message.header = {.version = MESSAGE_VERSION, .operation = operation},
    };
}

static bool measure_trip(struct bench *bench, const char *name, uint16_t body_bytes)
{
    struct prepared trip = trip_of(ECHO_PLAIN);
    trip.message.header.body_bytes = body_bytes;
    return measure_call(bench, name, &trip, STATUS_OK);
}

/* By a slot beyond the first ones: there a service keeps what belongs to its clients. */
static bool measure_trip_far(struct bench *bench, const char *name)
{
    struct prepared trip = trip_of(ECHO_PLAIN);
    trip.slot = BENCH_SLOT_FAR;
    uint32_t near = BENCH_SLOT_ECHO + BENCH_SLOT_ENDPOINT;
    enum status status = kernel_move_local_cap(&bench->rootd.caller, near, BENCH_SLOT_FAR);
    if (status != STATUS_OK)
        return bench_fail(bench, name, status);
    if (!measure_call(bench, name, &trip, STATUS_OK))
        return false;
    status = kernel_move_local_cap(&bench->rootd.caller, BENCH_SLOT_FAR, near);
    return status == STATUS_OK || bench_fail(bench, name, status);
}

/* A frame's capability goes there by MOVE and comes back by MOVE, into the other of two slots. */
static bool measure_trip_cap(struct bench *bench, const char *name)
{
    struct prepared trip = trip_of(ECHO_CAPS);
    enum status status = call_whole(&trip); /* opens the window at the other side */
    if (status == STATUS_OK)
        status = kernel_move_local_cap(&bench->rootd.caller, BENCH_SLOT_FRAMES, BENCH_SLOT_TRAVEL);
    trip.message.header.body_bytes = 8;
    trip.message.header.cap_count = 1;
    trip.message.header.window_count = 1;
    trip.message.caps[0] = (struct message_cap){.rights = RIGHTS_ALL, .mode = TRANSFER_MOVE};
    for (uint32_t i = 0; i < BENCH_WARM + BENCH_SAMPLES && status == STATUS_OK; i++) {
        uint32_t from = BENCH_SLOT_TRAVEL + i % 2;
        trip.message.header.window_slot = BENCH_SLOT_TRAVEL + (i + 1) % 2;
        memcpy(trip.message.body, &from, sizeof from);
        load(&trip);
        uint64_t before = bench_cycles();
        status = call(&trip);
        uint64_t after = bench_cycles();
        bench_add(bench, i, before, after);
    }
    if (status == STATUS_OK)
        status = kernel_move_local_cap(&bench->rootd.caller,
                                       BENCH_SLOT_TRAVEL + (BENCH_WARM + BENCH_SAMPLES) % 2,
                                       BENCH_SLOT_FRAMES);
    if (status != STATUS_OK)
        return bench_fail(bench, name, status);
    bench_flush(bench, name);
    return true;
}

/* As services call each other: in the transport's buffer, by the functions of the runtime. */
static bool measure_trip_library(struct bench *bench, const char *name, uint16_t body_bytes)
{
    struct message *message = sys_message();
    for (uint32_t i = 0; i < BENCH_WARM + BENCH_SAMPLES; i++) {
        message->header = (struct message_header){
            .version = MESSAGE_VERSION, .operation = ECHO_LIBRARY, .body_bytes = body_bytes};
        uint64_t before = bench_cycles();
        enum status status =
            sys_call(BENCH_SLOT_ECHO + BENCH_SLOT_ENDPOINT, message, DEADLINE_NEVER);
        uint64_t after = bench_cycles();
        if (status != STATUS_OK)
            return bench_fail(bench, name, status);
        bench_add(bench, i, before, after);
    }
    bench_flush(bench, name);
    return true;
}

static bool start_echo(struct bench *bench)
{
    enum status status = bench_start(bench, ROLE_PHASE0_ISOLATION_A, BENCH_SLOT_ECHO, SLOT_NULL, 0);
    return status == STATUS_OK || bench_fail(bench, "echo", status);
}

bool bench_measure_trips(struct bench *bench)
{
    return start_echo(bench) && measure_trip(bench, "trip-0", 0) &&
           measure_trip(bench, "trip-32", 32) && measure_trip(bench, "trip-80", 80) &&
           measure_trip(bench, "trip-928", 928) && measure_trip_far(bench, "trip-far") &&
           measure_trip_cap(bench, "trip-cap") &&
           measure_trip_library(bench, "trip-library-0", 0) &&
           measure_trip_library(bench, "trip-library-80", 80);
}

/* --- again and again -------------------------------------------------------------------------- */

bool bench_prepare_short(struct bench *bench)
{
    return make_frames(bench) && stage_held(bench) && start_echo(bench);
}

/* With the nearest deadline of all, which never passes. */
static bool measure_trip_deadline(struct bench *bench, const char *name)
{
    enum { AHEAD_TICKS = 1 << 20 };
    struct prepared trip = trip_of(ECHO_PLAIN);
    trip.deadline_ticks = bench->rootd.caller.now_ticks + AHEAD_TICKS;
    return measure_call(bench, name, &trip, STATUS_OK);
}

bool bench_measure_short(struct bench *bench)
{
    return measure_trip(bench, "trip-0", 0) && measure_trip_deadline(bench, "trip-deadline") &&
           measure_map_unmap(bench) && measure_retype(bench);
}
