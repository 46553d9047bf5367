/* SPDX-License-Identifier: ISC */
/* A fault of procd (README.md): of its first six transfers each fails at another of the published points; of the
 * seventh a chunk is not taken, so that loaderd gives it up, and later ones fail at nothing. A call that fails so is
 * never made. */
#include <string.h>

#include "services/procd/internal.h"

#include "services/lib/call_kernel.h"
#include "services/lib/call_memd.h"
#include "services/lib/call_pagerd.h"

enum point {
    POINT_AFTER_TRANSFER = 1,
    POINT_CHILD_CREATION,
    POINT_FRAME_ALLOCATION,
    POINT_PARTIAL_MAPPING,
    POINT_PARTIAL_COPY,
    POINT_EVENT_REGISTRATION,
    POINT_CHUNK,
};

static const struct caller
    *procds;               /* whose calls these are; the world's processes share this code */
static uint32_t transfers; /* that procd was free to begin so far: the point of the last one */
static uint32_t seen;      /* its calls of the kind that the point is about */
static bool commits;

enum status __real_procd_begin_loader_image_transfer(struct procd *procd,
                                                     struct procd_request *request);
enum status __wrap_procd_begin_loader_image_transfer(struct procd *procd,
                                                     struct procd_request *request);
enum status __real_procd_send_loader_image_chunk(struct procd *procd,
                                                 struct procd_request *request);
enum status __wrap_procd_send_loader_image_chunk(struct procd *procd,
                                                 struct procd_request *request);
enum status __real_procd_commit_loader_image_transfer(struct procd *procd,
                                                      struct procd_request *request);
enum status __wrap_procd_commit_loader_image_transfer(struct procd *procd,
                                                      struct procd_request *request);
enum status __real_caller_call(struct caller *caller, uint32_t slot, struct window window,
                               uint64_t deadline_ticks, const struct message_type *type,
                               const void *request, void *reply);
enum status __wrap_caller_call(struct caller *caller, uint32_t slot, struct window window,
                               uint64_t deadline_ticks, const struct message_type *type,
                               const void *request, void *reply);
enum status __real_caller_call_message(struct caller *caller, uint32_t slot, struct window window,
                                       uint64_t deadline_ticks, const struct message_type *type,
                                       void *reply);
enum status __wrap_caller_call_message(struct caller *caller, uint32_t slot, struct window window,
                                       uint64_t deadline_ticks, const struct message_type *type,
                                       void *reply);

enum status __real_kernel_drop_local_cap(struct caller *caller, uint32_t dropped_slot);
enum status __wrap_kernel_drop_local_cap(struct caller *caller, uint32_t dropped_slot);
enum status __real_kernel_frame_write(struct caller *caller, uint32_t slot, uint32_t frame_slot,
                                      uint32_t offset_bytes, uint32_t count, const void *bytes);
enum status __wrap_kernel_frame_write(struct caller *caller, uint32_t slot, uint32_t frame_slot,
                                      uint32_t offset_bytes, uint32_t count, const void *bytes);

enum status __wrap_procd_begin_loader_image_transfer(struct procd *procd,
                                                     struct procd_request *request)
{
    if (procd->transfer.entry == 0) { /* it makes the child, and has it registered */
        procds = &procd->caller;
        transfers++;
        seen = 0;
    }
    return __real_procd_begin_loader_image_transfer(procd, request);
}

/* The second chunk is refused as one that comes out of order, which changes nothing: the transfer waits for
 * more, or for loaderd's ABORT. */
enum status __wrap_procd_send_loader_image_chunk(struct procd *procd, struct procd_request *request)
{
    if (transfers == POINT_CHUNK && ++seen == 2)
        return STATUS_BAD_ORDER;
    return __real_procd_send_loader_image_chunk(procd, request);
}

enum status __wrap_procd_commit_loader_image_transfer(struct procd *procd,
                                                      struct procd_request *request)
{
    commits = true;
    enum status status = __real_procd_commit_loader_image_transfer(procd, request);
    commits = false;
    return status;
}

/* The call that a message is, when it is the point's. */
static bool is_of_point(const struct message_type *type)
{
    switch (transfers) {
    case POINT_CHILD_CREATION:
        return type == &kernel_create_staged_process_request_type;
    case POINT_FRAME_ALLOCATION:
        return type == &memd_alloc_frames_request_type;
    case POINT_PARTIAL_MAPPING:
        return type == &pagerd_give_page_request_type;
    case POINT_EVENT_REGISTRATION:
        return type == &pagerd_register_process_request_type;
    default:
        return false;
    }
}

/* Whether procd's call is the one that fails: the first of its point, or the second one. */
static bool fails(const struct caller *caller, bool of_point, uint32_t which)
{
    return caller == procds && of_point && ++seen == which;
}

static bool message_fails(const struct caller *caller, const struct message_type *type)
{
    return fails(caller, is_of_point(type), transfers == POINT_PARTIAL_MAPPING ? 2 : 1);
}

enum status __wrap_kernel_drop_local_cap(struct caller *caller, uint32_t dropped_slot)
{
    if (fails(caller, transfers == POINT_AFTER_TRANSFER && commits, 1))
        return STATUS_EXHAUSTED;
    return __real_kernel_drop_local_cap(caller, dropped_slot);
}

enum status __wrap_kernel_frame_write(struct caller *caller, uint32_t slot, uint32_t frame_slot,
                                      uint32_t offset_bytes, uint32_t count, const void *bytes)
{
    if (fails(caller, transfers == POINT_PARTIAL_COPY, 2))
        return STATUS_EXHAUSTED;
    return __real_kernel_frame_write(caller, slot, frame_slot, offset_bytes, count, bytes);
}

enum status __wrap_caller_call(struct caller *caller, uint32_t slot, struct window window,
                               uint64_t deadline_ticks, const struct message_type *type,
                               const void *request, void *reply)
{
    if (!message_fails(caller, type))
        return __real_caller_call(caller, slot, window, deadline_ticks, type, request, reply);
    if (reply != NULL)
        memset(reply, 0, type->reply->max_bytes);
    return STATUS_EXHAUSTED;
}

enum status __wrap_caller_call_message(struct caller *caller, uint32_t slot, struct window window,
                                       uint64_t deadline_ticks, const struct message_type *type,
                                       void *reply)
{
    if (!message_fails(caller, type))
        return __real_caller_call_message(caller, slot, window, deadline_ticks, type, reply);
    if (reply != NULL)
        memset(reply, 0, type->reply->max_bytes);
    return STATUS_EXHAUSTED;
}
