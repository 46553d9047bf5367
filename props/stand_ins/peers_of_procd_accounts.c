/* SPDX-License-Identifier: ISC */
/* The kernel, memd and pagerd of procd's life harness: books that add up, answers as their
 * contracts say. What procd must never ask is a PROPERTY. */
#include "props/stand_ins/peers_of_procd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/formats/cursor.h"
#include "abi/process.h"
#include "abi/roles.h"
#include "props/base/property.h"

struct standin standin;

/* --- capabilities --------------------------------------------------------------------------- */

bool standin_cap_empty(uint32_t slot)
{
    return slot < STANDIN_SLOTS && standin.caps[slot].type == OBJECT_NONE;
}

void standin_cap_put(uint32_t slot, struct standin_cap cap)
{
    PROPERTY(E10, "slot", slot != SLOT_NULL && standin_cap_empty(slot));
    standin.caps[slot] = cap;
    standin.slot_count++;
}

struct standin_cap standin_cap_take(uint32_t slot)
{
    struct standin_cap cap = standin.caps[slot];
    memset(&standin.caps[slot], 0, sizeof cap);
    standin.slot_count--;
    return cap;
}

/* The capability at a slot, when it has the type and the rights. */
const struct standin_cap *standin_cap_find(uint32_t slot, uint32_t type, uint16_t rights)
{
    if (slot >= STANDIN_SLOTS)
        return NULL;
    const struct standin_cap *cap = &standin.caps[slot];
    return cap->type == type && (cap->rights & rights) == rights ? cap : NULL;
}

static void give_frame_back(uint32_t frame)
{
    if (!standin.frames[frame].mapped)
        standin.bootstrap_free_pages++;
    standin.frames[frame].used = false;
}

enum status standin_cap_drop(uint32_t slot)
{
    if (slot >= STANDIN_SLOTS || standin_cap_empty(slot))
        return STATUS_NOT_FOUND;
    struct standin_cap cap = standin_cap_take(slot);
    if (cap.type == OBJECT_FRAME && cap.object != 0)
        give_frame_back(cap.object - 1);
    return STATUS_OK;
}

static void put_start(uint32_t slot, uint8_t type, uint16_t rights, uint32_t object)
{
    standin.caps[slot] = (struct standin_cap){.type = type, .rights = rights, .object = object};
}

void standin_reset(void)
{
    memset(&standin, 0,
           offsetof(struct standin, processes) + standin.process_top * sizeof standin.processes[0]);
    memset(standin.accounts, 0, sizeof standin.accounts);
    standin.bootstrap_free_pages = STANDIN_BOOTSTRAP_PAGES;
    standin.memory_free_pages = STANDIN_MEMORY_PAGES;
    put_start(SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL, 0);
    put_start(SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT, PEER_SELF_BOOTSTRAP);
    put_start(SLOT_IMAGE, OBJECT_IMAGE, RIGHT_READ | RIGHT_EXECUTE | RIGHT_MAP, 0);
    put_start(SLOT_BOOTSTRAP_UNTYPED, OBJECT_UNTYPED, RIGHT_CONTROL, 0);
    put_start(SLOT_PROCD_DRIVER_ENDPOINT, OBJECT_ENDPOINT, RIGHT_RECEIVE, PEER_DRIVER);
    put_start(SLOT_KERNEL_PROCESS_ENDPOINT, OBJECT_KERNEL_PROCESS, RIGHT_CONTROL, 0);
    standin.slot_count = 6;
}

void standin_begin_step(void)
{
    standin.reply_count = 0;
    standin.current_reply_slot = 0;
    standin.failed = false;
    standin.reply_failed = false;
}

/* --- sums ------------------------------------------------------------------------------------- */

uint64_t standin_mix(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t z = a * UINT64_C(0x9E3779B97F4A7C15) ^ b * UINT64_C(0xC2B2AE3D27D4EB4F) ^
                 c * UINT64_C(0x165667B19E3779F9);
    z = (z ^ z >> 29) * UINT64_C(0xBF58476D1CE4E5B9);
    return z ^ z >> 32;
}

uint64_t standin_private_page(uint64_t va, uint32_t rights, uint64_t content)
{
    return standin_mix(va, rights, content);
}

uint64_t standin_image_page(uint64_t va, uint32_t rights, uint64_t page)
{
    return standin_mix(va, rights | 1u << 16, page);
}

uint64_t standin_copied(uint64_t source_offset, uint32_t count)
{
    return standin_mix(source_offset + 1, count, 7);
}

/* --- processes -------------------------------------------------------------------------------- */

static struct standin_process *process_at(uint32_t slot, uint16_t rights)
{
    const struct standin_cap *cap = standin_cap_find(slot, OBJECT_PROCESS, rights);
    return cap == NULL ? NULL : &standin.processes[cap->object - 1];
}

const struct standin_process *standin_find(uint64_t token)
{
    for (uint32_t i = 0; i < standin.process_top; i++) {
        if (standin.processes[i].life != KERNEL_FREE && standin.processes[i].token == token)
            return &standin.processes[i];
    }
    return NULL;
}

bool standin_end(uint64_t token, uint32_t reason, uint32_t code, uint64_t fault_va)
{
    struct standin_process *process = (struct standin_process *)(uintptr_t)standin_find(token);
    if (process == NULL || process->life != KERNEL_RUNNING)
        return false;
    process->life = KERNEL_ENDED;
    process->event_pending = true;
    process->reason = reason;
    process->code = code;
    process->fault_va = fault_va;
    return true;
}

/* The record goes, and everything it was made of goes back. A registration outlives it: pagerd
 * learns of the end from procd. */
static void process_free(struct standin_process *process)
{
    if (process->from_bootstrap)
        standin.bootstrap_free_pages += process->budget_pages + process->private_pages;
    else
        standin.accounts[process->account - 1].untyped_used = false;
    process->life = KERNEL_FREE;
    process->event_pending = false;
    standin.process_count--;
}

/* The lowest free record, whose registration is gone too. */
static struct standin_process *process_new(void)
{
    uint32_t i = 0;
    while (i < STANDIN_PROCESSES &&
           (standin.processes[i].life != KERNEL_FREE || standin.processes[i].registered))
        i++;
    if (i == STANDIN_PROCESSES)
        return NULL;
    if (i >= standin.process_top)
        standin.process_top = i + 1;
    memset(&standin.processes[i], 0, sizeof standin.processes[i]);
    return &standin.processes[i];
}

static bool pay_budget(const struct standin_cap *untyped, uint32_t pages,
                       struct standin_process *process)
{
    process->budget_pages = pages;
    process->from_bootstrap = untyped->object == 0;
    if (process->from_bootstrap) {
        if (standin.bootstrap_free_pages < pages)
            return false;
        standin.bootstrap_free_pages -= pages;
        return true;
    }
    struct standin_account *account = &standin.accounts[untyped->object - 1];
    if (!account->open || account->untyped_used || account->untyped_pages < pages)
        return false;
    account->untyped_used = true;
    process->account = untyped->object;
    return true;
}

enum status books_create(const struct kernel_create_staged_process_request *request,
                         const struct message_header *header,
                         struct kernel_create_staged_process_reply *reply)
{
    const struct standin_cap *untyped =
        standin_cap_find(request->untyped_slot, OBJECT_UNTYPED, RIGHT_CONTROL);
    uint32_t first = header->window_slot;
    PROPERTY(E10, "create", untyped != NULL && header->window_count == 4);
    PROPERTY(E10, "create", standin_cap_find(request->event_slot, OBJECT_ENDPOINT, RIGHT_RECEIVE));
    for (uint32_t i = 0; i < 4; i++)
        PROPERTY(E10, "window", standin_cap_empty(first + i));
    PROPERTY(K3, "token", standin_find(request->token) == NULL);
    struct standin_process *process = process_new();
    if (process == NULL || !pay_budget(untyped, request->budget_pages, process))
        return STATUS_EXHAUSTED;
    process->life = KERNEL_STAGED;
    process->token = request->token;
    standin.process_count++;
    uint32_t object = (uint32_t)(process - standin.processes) + 1;
    standin_cap_put(
        first, (struct standin_cap){OBJECT_PROCESS, RIGHT_CONTROL | RIGHT_TRANSFER, object, 0});
    standin_cap_put(first + 1,
                    (struct standin_cap){OBJECT_VSPACE, RIGHT_MAP | RIGHT_TRANSFER, object, 0});
    standin_cap_put(first + 2, (struct standin_cap){OBJECT_ENDPOINT, RIGHT_SEND | RIGHT_TRANSFER,
                                                    100 + object, 0});
    standin_cap_put(first + 3,
                    (struct standin_cap){OBJECT_GRANT, RIGHT_CONTROL | RIGHT_TRANSFER, object, 0});
    *reply = (struct kernel_create_staged_process_reply){first, first + 1, first + 2, first + 3};
    return STATUS_OK;
}

enum status books_start(const struct kernel_start_process_request *request)
{
    struct standin_process *process = process_at(request->process_slot, RIGHT_CONTROL);
    PROPERTY(P1, "start", process != NULL && process->life == KERNEL_STAGED);
    PROPERTY(P2, "pager", process->pager_declared);
    process->life = KERNEL_RUNNING;
    process->entry_va = request->entry_va;
    process->stack_top_va = request->stack_top_va;
    process->argument = request->argument;
    return STATUS_OK;
}

enum status books_abort(uint32_t slot)
{
    struct standin_process *process = process_at(slot, RIGHT_CONTROL);
    PROPERTY(P1, "abort", process != NULL && process->life == KERNEL_STAGED);
    process_free(process);
    return STATUS_OK;
}

enum status books_kill(const struct kernel_kill_process_request *request)
{
    struct standin_process *process = process_at(request->process_slot, RIGHT_CONTROL);
    PROPERTY(P1, "kill", process != NULL && process->life != KERNEL_STAGED);
    if (process->life != KERNEL_RUNNING)
        return STATUS_NOT_FOUND;
    process->life = KERNEL_ENDED;
    process->event_pending = true;
    process->reason = END_KILLED;
    process->code = request->code;
    process->fault_va = 0;
    return STATUS_OK;
}

enum status books_retire(uint32_t slot, struct kernel_retire_process_reply *reply)
{
    struct standin_process *process = process_at(slot, RIGHT_CONTROL);
    PROPERTY(P1, "retire", process != NULL && process->life != KERNEL_STAGED);
    if (process->life != KERNEL_ENDED)
        return STATUS_BUSY;
    *reply = (struct kernel_retire_process_reply){
        .reason = process->reason, .code = process->code, .fault_va = process->fault_va};
    process_free(process);
    return STATUS_OK;
}

enum status books_pager(const struct kernel_register_pager_request *request)
{
    struct standin_process *process = process_at(request->process_slot, RIGHT_CONTROL);
    PROPERTY(P1, "pager", process != NULL && process->life == KERNEL_STAGED);
    PROPERTY_EQUAL(P1, "pager", request->token, process->token);
    if (request->pager_slot != SLOT_NULL) {
        const struct standin_cap *pager =
            standin_cap_find(request->pager_slot, OBJECT_ENDPOINT, RIGHT_SEND);
        PROPERTY(P1, "pager", pager != NULL && pager->object == PEER_PAGERD);
    }
    process->pager_declared = true;
    process->has_pager = request->pager_slot != SLOT_NULL;
    return STATUS_OK;
}

/* --- pages ------------------------------------------------------------------------------------ */

enum status books_make_frame(const struct kernel_retype_request *request)
{
    const struct standin_cap *untyped =
        standin_cap_find(request->untyped_slot, OBJECT_UNTYPED, RIGHT_CONTROL);
    PROPERTY(E10, "retype",
             untyped != NULL && untyped->object == 0 && request->count == 1 &&
                 request->object_type == OBJECT_FRAME);
    PROPERTY(E10, "retype", standin_cap_empty(request->target_slot));
    if (standin.bootstrap_free_pages == 0)
        return STATUS_EXHAUSTED;
    uint32_t frame = 0;
    while (standin.frames[frame].used)
        HARNESS(++frame < STANDIN_FRAMES);
    standin.bootstrap_free_pages--;
    standin.frames[frame].used = true;
    standin.frames[frame].mapped = false;
    standin.frames[frame].content = 0;
    standin_cap_put(request->target_slot, (struct standin_cap){OBJECT_FRAME, 0xFF, frame + 1, 0});
    return STATUS_OK;
}

enum status books_copy(const struct kernel_frame_copy_request *request)
{
    const struct standin_cap *source =
        standin_cap_find(request->source_slot, OBJECT_IMAGE, RIGHT_READ);
    const struct standin_cap *target =
        standin_cap_find(request->target_slot, OBJECT_FRAME, RIGHT_WRITE);
    PROPERTY(E10, "copy", source != NULL && target != NULL && request->target_offset_bytes == 0);
    standin.frames[target->object - 1].content +=
        standin_copied(request->source_offset_bytes, request->count);
    return STATUS_OK;
}

enum status books_map_pages(const struct kernel_map_frame_request *request)
{
    const struct standin_cap *vspace =
        standin_cap_find(request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP);
    const struct standin_cap *frame =
        standin_cap_find(request->frame_slot, OBJECT_FRAME, RIGHT_MAP);
    const struct standin_cap *image =
        standin_cap_find(request->frame_slot, OBJECT_IMAGE, RIGHT_MAP);
    PROPERTY(E10, "map", vspace != NULL && (frame != NULL || image != NULL));
    struct standin_process *process = &standin.processes[vspace->object - 1];
    PROPERTY(P2, "map", process->life == KERNEL_STAGED);
    if (frame != NULL) {
        PROPERTY(E10, "map", request->page_count == 1 && request->frame_page == 0);
        standin.frames[frame->object - 1].mapped = true;
        process->private_pages++;
        process->map_sum += standin_private_page(request->va, request->rights,
                                                 standin.frames[frame->object - 1].content);
        return STATUS_OK;
    }
    PROPERTY(V2, "image", (request->rights & RIGHT_WRITE) == 0);
    for (uint32_t i = 0; i < request->page_count; i++)
        process->map_sum += standin_image_page(request->va + (uint64_t)i * PAGE_BYTES,
                                               request->rights, request->frame_page + i);
    return STATUS_OK;
}

/* --- memd ---------------------------------------------------------------------------------------
 */

enum status books_open(const struct memd_open_account_request *request,
                       const struct message_header *header, struct memd_open_account_reply *reply)
{
    uint32_t i = 0;
    PROPERTY(E10, "open",
             header->window_count == 1 && standin_cap_empty(header->window_slot) &&
                 request->account_class == ACCOUNT_NORMAL);
    while (standin.accounts[i].open)
        HARNESS(++i < STANDIN_PROCESSES);
    standin.accounts[i] =
        (struct standin_account){.open = true, .limit_pages = request->limit_pages};
    standin.account_count++;
    standin_cap_put(
        header->window_slot,
        (struct standin_cap){OBJECT_ENDPOINT, RIGHT_SEND | RIGHT_TRANSFER, PEER_MEMD, i + 1});
    *reply = (struct memd_open_account_reply){i + 1, header->window_slot};
    return STATUS_OK;
}

enum status books_close(const struct memd_close_account_request *request,
                        struct memd_close_account_reply *reply)
{
    PROPERTY(E10, "close", request->account_id <= STANDIN_PROCESSES);
    struct standin_account *account = &standin.accounts[request->account_id - 1];
    PROPERTY(M5, "close", account->open);
    PROPERTY(M5, "close", !account->untyped_used); /* the process is gone before its memory */
    standin.memory_free_pages += account->untyped_pages;
    reply->released_pages = account->untyped_pages;
    *account = (struct standin_account){0};
    standin.account_count--;
    return STATUS_OK;
}

enum status books_alloc(uint64_t badge, const struct memd_alloc_untyped_request *request,
                        const struct message_header *header, struct memd_alloc_untyped_reply *reply)
{
    struct standin_account *account = &standin.accounts[badge - 1];
    PROPERTY(E10, "alloc",
             account->open && header->window_count == 1 && standin_cap_empty(header->window_slot));
    if (request->pages > account->limit_pages || request->pages > standin.memory_free_pages)
        return STATUS_EXHAUSTED;
    PROPERTY(E10, "alloc", account->untyped_pages == 0);
    account->untyped_pages = request->pages;
    standin.memory_free_pages -= request->pages;
    standin_cap_put(
        header->window_slot,
        (struct standin_cap){OBJECT_UNTYPED, RIGHT_CONTROL | RIGHT_TRANSFER, (uint32_t)badge, 0});
    *reply = (struct memd_alloc_untyped_reply){(uint32_t)badge, header->window_slot};
    return STATUS_OK;
}

/* --- pagerd --- */

enum status books_take(const struct pagerd_register_process_request *request)
{
    const struct standin_cap *vspace =
        standin_cap_find(request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP);
    const struct standin_cap *account =
        standin_cap_find(request->account_slot, OBJECT_ENDPOINT, RIGHT_SEND);
    PROPERTY(E10, "register", vspace != NULL && account != NULL && account->object == PEER_MEMD);
    struct standin_process *process = &standin.processes[vspace->object - 1];
    PROPERTY(P2, "register", process->life == KERNEL_STAGED && !process->registered);
    PROPERTY_EQUAL(P2, "register", process->token, request->token);
    PROPERTY_EQUAL(P2, "account", process->account, account->badge);
    process->registered = true;
    process->registered_account = account->badge;
    process->backing = *request;
    standin.registration_count++;
    return STATUS_OK;
}

enum status books_leave(uint64_t token)
{
    for (uint32_t i = 0; i < standin.process_top; i++) {
        struct standin_process *process = &standin.processes[i];
        if (!process->registered || process->token != token)
            continue;
        PROPERTY(G2, "unregister", process->life == KERNEL_FREE);
        process->registered = false;
        standin.registration_count--;
        return STATUS_OK;
    }
    PROPERTY(E10, "unregister", false);
    return STATUS_NOT_FOUND;
}
