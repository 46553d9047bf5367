/* SPDX-License-Identifier: ISC */
/* The table of registered processes: who is in it, found by token, and the two operations that
 * change it. Decides no fault; undoes its own effects when a later one fails (E4). */
#include "services/pagerd/internal.h"

#include <string.h>

_Static_assert((uint32_t)SLOT_DYNAMIC_BASE + PAGERD_REGISTRATION_LIMIT <= SLOT_LIMIT, "slots fit");

uint32_t pagerd_find(const struct pagerd *pagerd, uint64_t token)
{
    return index_find(pagerd->tokens_root, pagerd->token_nodes, token);
}

uint32_t pagerd_account_slot(uint32_t registration)
{
    UNIT_ASSERT(registration != 0 && registration <= PAGERD_REGISTRATION_LIMIT);
    return SLOT_DYNAMIC_BASE + registration - 1;
}

/* The entry that the next registration would get; 0 when the table is full. */
static uint32_t next_entry(const struct pagerd *pagerd)
{
    if (pagerd->registration_free != 0)
        return pagerd->registration_free;
    return pagerd->registration_used < PAGERD_REGISTRATION_LIMIT ? pagerd->registration_used + 1
                                                                 : 0;
}

/* Cannot fail: `entry` is what next_entry said. */
static void commit(struct pagerd *pagerd, uint32_t entry, uint32_t vspace_cap_slot,
                   const struct pagerd_register_process_request *request)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    UNIT_ASSERT(entry != 0 && entry <= PAGERD_REGISTRATION_LIMIT);
    UNIT_ASSERT(registration->state == REGISTRATION_FREE);
    UNIT_ASSERT(request->area_count <= PAGERD_AREA_LIMIT);
    if (entry == pagerd->registration_free)
        pagerd->registration_free = registration->next_free;
    else
        pagerd->registration_used = entry;
    *registration = (struct pagerd_registration){
        .token = request->token,
        .image_offset = request->image_offset,
        .image_bytes = request->image_bytes,
        .state = REGISTRATION_LIVE,
        .vspace_cap_slot = vspace_cap_slot,
        .page_limit = request->page_limit,
        .area_count = request->area_count,
    };
    memcpy(registration->areas, request->areas, request->area_count * sizeof request->areas[0]);
    index_add(&pagerd->tokens_root, pagerd->token_nodes, entry, request->token);
    pagerd->registration_count++;
}

enum status pagerd_register_process(struct pagerd *pagerd, struct pagerd_request *request)
{
    const struct pagerd_register_process_request *body = &request->body.register_process;
    if (pagerd_find(pagerd, body->token) != 0)
        return STATUS_BUSY;
    enum status status = pagerd_judge_registration(body);
    if (status != STATUS_OK)
        return status;
    uint32_t entry = next_entry(pagerd);
    if (entry == 0)
        return STATUS_EXHAUSTED; /* E6 */
    uint32_t vspace_cap_slot = 0;
    status = pagerd_adopt_vspace(pagerd, body, pagerd_account_slot(entry), &vspace_cap_slot);
    if (status == STATUS_OK)
        commit(pagerd, entry, vspace_cap_slot, body);
    return status;
}

/* Empties the account slot and gives the entry back, or sets both aside. */
static void release(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    enum status status = kernel_drop_local_cap(&pagerd->caller, pagerd_account_slot(entry));
    UNIT_ASSERT(registration->state == REGISTRATION_LIVE && pagerd->registration_count != 0);
    UNIT_ASSERT(registration->fills.count == 0 && registration->queued_count == 0);
    index_remove(&pagerd->tokens_root, pagerd->token_nodes, entry);
    *registration = (struct pagerd_registration){.state = REGISTRATION_LOST};
    pagerd->registration_count--;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return;
    registration->state = REGISTRATION_FREE;
    registration->next_free = pagerd->registration_free;
    pagerd->registration_free = entry;
}

enum status pagerd_unregister_process(struct pagerd *pagerd, struct pagerd_request *request)
{
    uint32_t entry = pagerd_find(pagerd, request->body.unregister_process.token);
    if (entry == 0)
        return STATUS_NOT_FOUND;
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    while (registration->fills.first != 0) { /* G2: fails the waiters, resolves nothing */
        pagerd_cancel(pagerd, registration->fills.first, END_FAULT_BACKING);
        request->reply.unregister_process.cancelled_count++;
    }
    (void)pagerd_release_vspace(pagerd, registration->vspace_cap_slot);
    release(pagerd, entry);
    return STATUS_OK;
}
