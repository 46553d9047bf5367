/* SPDX-License-Identifier: ISC */
/* The stand-in for memd. Ids count up and never come back. */
#include "props/stand_ins/stand_in_memd.h"

#include <string.h>

#include "abi/codec.h"
#include "props/base/property.h"

static const uint32_t limits[STAND_IN_ACCOUNT_COUNT] = {300, 12, 0};
static uint32_t held[STAND_IN_ACCOUNT_COUNT];
static uint32_t pool; /* object of the untyped that frames come from */
static struct {
    bool live;
    uint32_t account;
    uint32_t object;
} ids[STAND_IN_ID_LIMIT];
static uint32_t id_count; /* ids given out, 1 to this */
static uint32_t id_by_object[STAND_IN_FRAME_LIMIT];

void stand_in_memd_begin(void)
{
    memset(ids, 0, (id_count + 1) * sizeof ids[0]);
    memset(id_by_object, 0, sizeof id_by_object);
    memset(held, 0, sizeof held);
    id_count = 0;
    pool = stand_in_untyped_add(STAND_IN_POOL_PAGES);
}

uint32_t stand_in_account_limit(uint32_t account)
{
    return limits[account];
}

uint32_t stand_in_account_held(uint32_t account)
{
    return held[account];
}

struct stand_in_cap stand_in_account_cap(uint32_t account)
{
    struct stand_in_cap cap = stand_in_cap_to(OBJECT_ENDPOINT, ROLE_MEMD);
    cap.rights = RIGHT_SEND | RIGHT_TRANSFER;
    cap.badge = account + 1;
    return cap;
}

bool stand_in_frame_take(uint32_t account, uint32_t *object, uint32_t *frame_id)
{
    bool made = account == STAND_IN_ACCOUNT_COUNT || held[account] < limits[account];
    *frame_id = 0;
    if (made)
        *object = stand_in_frame_add(pool, &made);
    if (!made)
        return false;
    id_by_object[*object] = 0;
    if (account == STAND_IN_ACCOUNT_COUNT)
        return true;
    HARNESS(id_count + 1 < STAND_IN_ID_LIMIT);
    *frame_id = ++id_count;
    ids[*frame_id].live = true;
    ids[*frame_id].account = account;
    ids[*frame_id].object = *object;
    id_by_object[*object] = *frame_id;
    held[account]++;
    return true;
}

uint32_t stand_in_id_of(uint32_t object, uint32_t *account)
{
    uint32_t id = id_by_object[object];
    *account = ids[id].account;
    return ids[id].live ? id : 0;
}

void stand_in_frame_revoke(uint32_t object)
{
    uint32_t id = id_by_object[object];
    if (ids[id].live) {
        ids[id].live = false;
        held[ids[id].account]--;
    }
    id_by_object[object] = 0;
    stand_in_frame_destroy(object);
}

static enum status alloc(uint32_t account, uint32_t count, struct memd_alloc_frames_reply *reply,
                         struct stand_in_cap *caps)
{
    uint32_t *out_ids[] = {&reply->frame_id_0, &reply->frame_id_1, &reply->frame_id_2,
                           &reply->frame_id_3};
    uint32_t *out_slots[] = {&reply->frame_slot_0, &reply->frame_slot_1, &reply->frame_slot_2,
                             &reply->frame_slot_3};
    uint32_t objects[MEMD_ALLOC_FRAMES_MAX];
    reply->count = count;
    for (uint32_t i = 0; i < count; i++) {
        if (!stand_in_frame_take(account, &objects[i], out_ids[i])) {
            while (i-- > 0)
                stand_in_frame_revoke(objects[i]);
            return STATUS_EXHAUSTED;
        }
        *out_slots[i] = SLOT_DYNAMIC_BASE + i; /* memd's own; delivery rewrites it */
        caps[i] = stand_in_cap_to(OBJECT_FRAME, objects[i]);
        caps[i].rights = RIGHTS_MAPPING | RIGHT_MAP | RIGHT_TRANSFER;
    }
    return STATUS_OK;
}

static enum status free_frames(uint32_t account, const struct memd_free_frames_request *request)
{
    for (uint32_t i = 0; i < request->count; i++) {
        uint32_t id = request->frame_ids[i].frame_id;
        if (id >= STAND_IN_ID_LIMIT || !ids[id].live || ids[id].account != account)
            return STATUS_NOT_FOUND;
        for (uint32_t j = 0; j < i; j++)
            if (request->frame_ids[j].frame_id == id)
                return STATUS_DUPLICATE;
    }
    for (uint32_t i = 0; i < request->count; i++)
        stand_in_frame_revoke(ids[request->frame_ids[i].frame_id].object);
    return STATUS_OK;
}

void stand_in_memd_answer(uint64_t badge, struct message *message, struct stand_in_cap *caps)
{
    union {
        struct memd_alloc_frames_request alloc;
        struct memd_free_frames_request free_frames;
    } request;
    struct memd_alloc_frames_reply reply;
    const struct operation *operation = operation_find(SERVICE_MEMD, message->header.operation);
    memset(&reply, 0, sizeof reply);
    HARNESS(badge != 0 && badge <= STAND_IN_ACCOUNT_COUNT);
    PROPERTY(E10, "operation",
             operation != NULL &&
                 (operation->id == OP_MEMD_ALLOC_FRAMES || operation->id == OP_MEMD_FREE_FRAMES));
    enum status status = message_decode(operation->request, message, &request);
    PROPERTY_EQUAL(E10, "decodes", status, STATUS_OK);
    if (operation->id == OP_MEMD_ALLOC_FRAMES)
        status = alloc((uint32_t)badge - 1, request.alloc.count, &reply, caps);
    else
        status = free_frames((uint32_t)badge - 1, &request.free_frames);
    if (status == STATUS_OK)
        status = message_encode(operation->reply, &reply, message);
    if (status != STATUS_OK)
        message_refuse(message, status);
}
