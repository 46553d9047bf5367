/* SPDX-License-Identifier: ISC */
/* pagerd's books as procd sees them: which processes are registered, and with what. */
#include <string.h>

#include "props/base/property.h"
#include "props/stand_ins/key_index.h"
#include "props/stand_ins/peers_of_procd.h"

static struct peers_registration registrations[STAND_IN_PROCESS_LIMIT];
static struct key_index by_token;
static uint32_t registration_high;
static uint32_t registration_low; /* no place below is free */
static uint32_t registration_count;

void peers_registrations_begin(void)
{
    key_index_clear(&by_token, registration_high);
    memset(registrations, 0, registration_high * sizeof registrations[0]);
    registration_high = registration_low = registration_count = 0;
}

const struct peers_registration *peers_registration_find(uint64_t token)
{
    uint32_t place = key_index_find(&by_token, token);
    return place == KEY_INDEX_PLACES ? NULL : &registrations[place];
}

uint32_t peers_registration_count(void)
{
    return registration_count;
}

enum status peers_register_process(const struct stand_in_call *call)
{
    const struct pagerd_register_process_request *request = call->request;
    uint32_t object = stand_in_process_of(call->sent[0].object);
    uint32_t account = (uint32_t)call->sent[1].badge - 1;
    const struct stand_in_process *process = stand_in_process(object);
    PROPERTY_EQUAL(E10, "register", call->sent[1].object, ROLE_MEMD);
    PROPERTY(P2, "register", process->life == STAND_IN_STAGED && request->token != 0);
    PROPERTY_EQUAL(P2, "register", process->token, request->token);
    PROPERTY(P2, "account", peers_account_pays_by(account, process->untyped));
    while (registration_low < registration_high && registrations[registration_low].token != 0)
        registration_low++;
    HARNESS(registration_low < STAND_IN_PROCESS_LIMIT);
    registration_high += registration_low == registration_high;
    registrations[registration_low] = (struct peers_registration){
        .token = request->token, .process = object, .account = account, .backing = *request};
    key_index_add(&by_token, request->token, registration_low);
    registration_count++;
    return STATUS_OK;
}

enum status peers_unregister_process(uint64_t token)
{
    const struct peers_registration *found = peers_registration_find(token);
    PROPERTY(E10, "unregister", token != 0);
    if (found == NULL)
        return STATUS_NOT_FOUND;
    uint32_t place = (uint32_t)(found - registrations);
    const struct stand_in_process *process = stand_in_process(found->process);
    PROPERTY(G2, "unregister", process->life == STAND_IN_FREE || process->token != token);
    key_index_remove(&by_token, place);
    registrations[place].token = 0;
    registration_low = place < registration_low ? place : registration_low;
    registration_count--;
    return STATUS_OK;
}

/* A page of an area LOADED, once, by a frame of the process's account, with the area's rights and no
 * others (K1, V2). */
enum status peers_give_page(const struct stand_in_call *call)
{
    const struct pagerd_give_page_request *request = call->request;
    const struct stand_in_cap *frame = &call->sent[0];
    const struct peers_registration *found = peers_registration_find(request->token);
    PROPERTY(E10, "give", found != NULL);
    const struct pagerd_area *area = found->backing.areas;
    while (area < found->backing.areas + found->backing.area_count &&
           (request->va < area->va || request->va - area->va >= area->memory_bytes))
        area++;
    PROPERTY(P6, "area", area < found->backing.areas + found->backing.area_count);
    PROPERTY_EQUAL(P6, "area", area->kind, AREA_LOADED);
    PROPERTY(P6, "frame",
             peers_account_has_frame(found->account, request->frame_id, frame->object));
    PROPERTY_EQUAL(K1, "least", frame->rights, RIGHT_MAP | RIGHT_TRANSFER | area->rights);
    struct kernel_map_frame_request map = {
        .va = request->va, .page_count = 1, .rights = area->rights};
    uint32_t vspace = stand_in_process(found->process)->vspace;
    PROPERTY_EQUAL(P2, "give", stand_in_process(found->process)->life, STAND_IN_STAGED);
    PROPERTY_EQUAL(P6, "once", stand_in_map(vspace, frame, 0, &map), STATUS_OK);
    return STATUS_OK;
}
