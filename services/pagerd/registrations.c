/* SPDX-License-Identifier: ISC */
/* The table of registered processes: who is in it, found by token, the two operations that change
 * it, and what is owed for one after a refusal. Decides no fault; undoes its own effects when a
 * later one fails, and repeats an undo that was refused (E4). */
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

/* Takes the entry that next_entry said. */
static struct pagerd_registration *take_entry(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    UNIT_ASSERT(entry != 0 && entry <= PAGERD_REGISTRATION_LIMIT);
    UNIT_ASSERT(registration->state == REGISTRATION_FREE);
    if (entry == pagerd->registration_free)
        pagerd->registration_free = registration->next_free;
    else
        pagerd->registration_used = entry;
    return registration;
}

/* Writes down vspaced's name for the space of an entry, by which it is found; 0: it has none. */
static void name_space(struct pagerd *pagerd, uint32_t entry, uint32_t vspace_cap_slot)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    if (registration->vspace_cap_slot != 0)
        index_remove(&pagerd->spaces_root, pagerd->space_nodes, entry);
    if (vspace_cap_slot != 0)
        index_add(&pagerd->spaces_root, pagerd->space_nodes, entry, vspace_cap_slot);
    registration->vspace_cap_slot = vspace_cap_slot;
}

/* The name of its space comes after that: another may have it still. */
static void commit(struct pagerd *pagerd, uint32_t entry,
                   const struct pagerd_register_process_request *request)
{
    struct pagerd_registration *registration = take_entry(pagerd, entry);
    UNIT_ASSERT(request->area_count <= PAGERD_AREA_LIMIT);
    *registration = (struct pagerd_registration){
        .token = request->token,
        .image_offset = request->image_offset,
        .image_bytes = request->image_bytes,
        .data_offset = request->data_offset,
        .data_bytes = request->data_bytes,
        .state = REGISTRATION_LIVE,
        .page_limit = request->page_limit,
        .flags = request->flags,
        .area_count = request->area_count,
    };
    for (uint32_t i = 0; i < request->area_count; i++)
        registration->places[i] = pagerd_place_of(&request->areas[i]);
    index_add(&pagerd->tokens_root, pagerd->token_nodes, entry, request->token);
    pagerd->registration_count++;
}

/* --- what is owed ---------------------------------------------------------------------------- */

void pagerd_owe(struct pagerd *pagerd, uint32_t entry, uint32_t what)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    UNIT_ASSERT(what != 0);
    if (registration->owes == 0) {
        if (pagerd->owing.count == 0)
            pagerd->settle_ticks = caller_deadline(&pagerd->caller, PAGERD_RETRY_TICKS);
        pagerd_list_append(pagerd, LIST_OWING, &pagerd->owing, entry);
    }
    registration->owes |= what;
}

/* Something that was owed is not any more. An entry that is left and owes nothing is free. */
static void forgive(struct pagerd *pagerd, uint32_t entry, uint32_t what)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    if (registration->owes != 0 && (registration->owes & ~what) == 0)
        pagerd_list_remove(pagerd, LIST_OWING, &pagerd->owing, entry);
    registration->owes &= ~what;
    if (registration->state != REGISTRATION_LEAVING || registration->owes != 0)
        return;
    name_space(pagerd, entry, 0);
    *registration = (struct pagerd_registration){.next_free = pagerd->registration_free};
    pagerd->registration_free = entry;
}

void pagerd_note_open_page(struct pagerd *pagerd, uint32_t entry)
{
    const struct pagerd_registration *registration = &pagerd->registrations[entry];
    if (registration->doubt_va != 0 || registration->owed_frame != 0)
        pagerd_owe(pagerd, entry, PAGERD_OWES_PAGE);
    else
        forgive(pagerd, entry, PAGERD_OWES_PAGE);
}

/* vspaced does one request after the other, so that its answer now is about all that it was asked
 * before, and does each whole or not at all. A page that is there counts, as its neighbours do, and
 * the frame is where it belongs (E4). */
static enum status resolve_doubt(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    uint32_t rights;
    enum status status =
        pagerd_ask_page(pagerd, registration->vspace_cap_slot, registration->doubt_va, &rights);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status == STATUS_TIMED_OUT ? STATUS_TIMED_OUT : STATUS_INTERNAL;
    if (status == STATUS_OK) {
        pagerd_count_pages(pagerd, entry, registration->doubt_va, registration->doubt_pages);
        registration->owed_frame = 0;
    }
    registration->doubt_va = 0;
    registration->doubt_pages = 0;
    return STATUS_OK;
}

enum status pagerd_settle_page(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    enum status status = registration->doubt_va != 0 ? resolve_doubt(pagerd, entry) : STATUS_OK;
    if (status != STATUS_OK || registration->owed_frame == 0)
        return status;
    if (!pagerd_return_frame(pagerd, pagerd_account_slot(entry), registration->owed_frame))
        return STATUS_EXHAUSTED;
    registration->owed_frame = 0;
    return STATUS_OK;
}

/* Ends every open fill of a process (G2): fails the waiters, resolves nothing. How many. */
static uint32_t cancel_all(struct pagerd *pagerd, uint32_t entry)
{
    const struct pagerd_registration *registration = &pagerd->registrations[entry];
    uint32_t count = 0;
    for (; registration->fills.first != 0; count++)
        pagerd_cancel(pagerd, registration->fills.first, END_FAULT_BACKING);
    return count;
}

/* vspaced gave the slot to a new space. Whoever named it before has left it already, or lost it
 * since its process is dead (G2). The frame that it may owe is its account's, as in leave(). */
static void lose_space(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    name_space(pagerd, entry, 0);
    if (registration->state == REGISTRATION_LEAVING) {
        forgive(pagerd, entry, PAGERD_OWES_SPACE);
        return;
    }
    (void)cancel_all(pagerd, entry);
    registration->doubt_va = 0;
    registration->doubt_pages = 0;
    registration->owed_frame = 0;
    pagerd_note_open_page(pagerd, entry);
}

/* Names a space that vspaced has just made. */
static void name_new_space(struct pagerd *pagerd, uint32_t entry, uint32_t vspace_cap_slot)
{
    uint32_t before = index_find(pagerd->spaces_root, pagerd->space_nodes, vspace_cap_slot);
    if (before != 0)
        lose_space(pagerd, before);
    name_space(pagerd, entry, vspace_cap_slot);
}

/* A space that was made for a process that is not registered, and that vspaced did not take back.
 * Owed after its slot is lost by whoever had it, whose debt may have been the last one: the new one
 * is not due at the time of that. */
static void commit_leaving(struct pagerd *pagerd, uint32_t entry, uint32_t vspace_cap_slot)
{
    *take_entry(pagerd, entry) = (struct pagerd_registration){.state = REGISTRATION_LEAVING};
    name_new_space(pagerd, entry, vspace_cap_slot);
    pagerd_owe(pagerd, entry, PAGERD_OWES_SPACE);
}

static bool drop_account(struct pagerd *pagerd, uint32_t entry)
{
    enum status status = kernel_drop_local_cap(&pagerd->caller, pagerd_account_slot(entry));
    return status == STATUS_OK || status == STATUS_NOT_FOUND;
}

/* Tries to settle all that an entry owes. */
static void settle(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    uint32_t owes = registration->owes;
    uint32_t done = 0;
    if ((owes & PAGERD_OWES_SPACE) != 0 &&
        pagerd_release_vspace(pagerd, registration->vspace_cap_slot))
        done |= PAGERD_OWES_SPACE;
    if ((owes & PAGERD_OWES_ACCOUNT) != 0 && drop_account(pagerd, entry))
        done |= PAGERD_OWES_ACCOUNT;
    if ((owes & PAGERD_OWES_PAGE) != 0 && pagerd_settle_page(pagerd, entry) == STATUS_OK)
        done |= PAGERD_OWES_PAGE;
    forgive(pagerd, entry, done);
}

void pagerd_settle_due(struct pagerd *pagerd)
{
    if (pagerd->owing.count == 0 || pagerd->settle_ticks > pagerd->caller.now_ticks)
        return;
    uint32_t turns =
        pagerd->owing.count < PAGERD_RUN_FILLS ? pagerd->owing.count : (uint32_t)PAGERD_RUN_FILLS;
    for (uint32_t turn = 0; turn < turns; turn++) {
        uint32_t entry = pagerd->owing.first; /* to the end of the row: others are not held up */
        pagerd_list_remove(pagerd, LIST_OWING, &pagerd->owing, entry);
        pagerd_list_append(pagerd, LIST_OWING, &pagerd->owing, entry);
        settle(pagerd, entry);
    }
    pagerd->settle_ticks = caller_deadline(&pagerd->caller, PAGERD_RETRY_TICKS);
}

/* --- the operations -------------------------------------------------------------------------- */

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
    if (status == STATUS_OK) {
        commit(pagerd, entry, body);
        name_new_space(pagerd, entry, vspace_cap_slot);
    } else if (vspace_cap_slot != 0) { /* E4: the undo was refused */
        commit_leaving(pagerd, entry, vspace_cap_slot);
    }
    return status;
}

/* Forgets a process without open fills, and gives up what is held for it. The frame that it may owe
 * is its account's, which is closed with it, wherever it is. */
static void leave(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    uint32_t vspace_cap_slot = registration->vspace_cap_slot;
    UNIT_ASSERT(registration->state == REGISTRATION_LIVE && pagerd->registration_count != 0);
    UNIT_ASSERT(registration->fills.count == 0 && registration->queued_count == 0);
    forgive(pagerd, entry, PAGERD_OWES_PAGE);
    index_remove(&pagerd->tokens_root, pagerd->token_nodes, entry);
    pagerd->registration_count--;
    *registration = (struct pagerd_registration){.state = REGISTRATION_LEAVING,
                                                 .vspace_cap_slot = vspace_cap_slot};
    bool left = vspace_cap_slot == 0 || pagerd_release_vspace(pagerd, vspace_cap_slot);
    uint32_t owes = left ? 0 : PAGERD_OWES_SPACE;
    owes |= drop_account(pagerd, entry) ? 0 : PAGERD_OWES_ACCOUNT;
    if (owes != 0)
        pagerd_owe(pagerd, entry, owes);
    else
        forgive(pagerd, entry, 0);
}

enum status pagerd_unregister_process(struct pagerd *pagerd, struct pagerd_request *request)
{
    uint32_t entry = pagerd_find(pagerd, request->body.unregister_process.token);
    struct pagerd_unregister_process_reply *reply = &request->reply.unregister_process;
    if (entry == 0)
        return STATUS_NOT_FOUND;
    reply->cancelled_count = cancel_all(pagerd, entry);
    leave(pagerd, entry);
    pagerd_wake(pagerd);
    reply->parked_count = pagerd->parked.count + pagerd->woken.count;
    return STATUS_OK;
}
