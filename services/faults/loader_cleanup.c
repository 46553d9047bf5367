/* SPDX-License-Identifier: ISC */
/* A fault of procd (README.md): of its first six transfers each fails at another of the published points, and later
 * ones at none. A call that fails so is never made. */
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

enum status __wrap_procd_commit_loader_image_transfer(struct procd *procd,
                                                      struct procd_request *request)
{
    commits = true;
    enum status status = __real_procd_commit_loader_image_transfer(procd, request);
    commits = false;
    return status;
}

static bool is_of_point(const struct message_type *type)
{
    switch (transfers) {
    case POINT_AFTER_TRANSFER:
        return commits;
    case POINT_CHILD_CREATION:
        return type == &kernel_create_staged_process_request_type;
    case POINT_FRAME_ALLOCATION:
        return type == &memd_alloc_frames_request_type;
    case POINT_PARTIAL_MAPPING:
        return type == &pagerd_give_page_request_type;
    case POINT_PARTIAL_COPY:
        return type == &kernel_frame_write_request_type;
    case POINT_EVENT_REGISTRATION:
        return type == &pagerd_register_process_request_type;
    default:
        return false;
    }
}

static bool fails(const struct caller *caller, const struct message_type *type)
{
    bool partial = transfers == POINT_PARTIAL_MAPPING || transfers == POINT_PARTIAL_COPY;
    if (caller != procds || !is_of_point(type))
        return false;
    return ++seen == (partial ? 2 : 1);
}

enum status __wrap_caller_call(struct caller *caller, uint32_t slot, struct window window,
                               uint64_t deadline_ticks, const struct message_type *type,
                               const void *request, void *reply)
{
    if (!fails(caller, type))
        return __real_caller_call(caller, slot, window, deadline_ticks, type, request, reply);
    if (reply != NULL)
        memset(reply, 0, type->reply->max_bytes);
    return STATUS_EXHAUSTED;
}

enum status __wrap_caller_call_message(struct caller *caller, uint32_t slot, struct window window,
                                       uint64_t deadline_ticks, const struct message_type *type,
                                       void *reply)
{
    if (!fails(caller, type))
        return __real_caller_call_message(caller, slot, window, deadline_ticks, type, reply);
    if (reply != NULL)
        memset(reply, 0, type->reply->max_bytes);
    return STATUS_EXHAUSTED;
}
