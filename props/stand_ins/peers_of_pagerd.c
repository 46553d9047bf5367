/* SPDX-License-Identifier: ISC */
/* See peers_of_pagerd.h. What pagerd itself could do wrong towards its peers is stated here as a
 * property; what an environment may do to it is a result. */
#include "props/stand_ins/peers_of_pagerd.h"

#include <stddef.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/memd.h"
#include "abi/messages/vspaced.h"
#include "abi/roles.h"
#include "props/base/digest.h"
#include "props/base/marks.h"
#include "props/base/property.h"
#include "props/base/trace.h"
#include "props/stand_ins/peers_vspaced.h"
#include "services/pagerd/pagerd.h"

enum { EVENT_LIMIT = 4096, ACCOUNTS = 8, MEMORY_PAGES = 64 };

static struct pagerd_event events[EVENT_LIMIT];
static unsigned event_count;
static struct pagerd_event event; /* of the call in hand */
static bool was_there;            /* the page that it asks for */
/* Frames of which pagerd did not hear what became of them, or was told wrong. */
static bool out_of_sight[PEERS_FRAME_ID_LIMIT];
static bool clock_lies;

/* --- the log ---------------------------------------------------------------------------------- */

struct pagerd_log peers_of_pagerd_log(void)
{
    return (struct pagerd_log){.events = events, .count = event_count};
}

void peers_of_pagerd_step_begin(void)
{
    event_count = 0;
    stand_in_message_begin();
}

/* Comments of the trace: what pagerd did. */
static void show(const struct pagerd_event *shown)
{
    static const char *const names[] = {
        [ACT_REGISTER_VSPACE] = "register_vspace",
        [ACT_UNREGISTER_VSPACE] = "unregister_vspace",
        [ACT_GUARD] = "guard",
        [ACT_QUERY_REGION] = "query_region",
        [ACT_MAP_ANONYMOUS] = "map_anonymous",
        [ACT_MAP_IMAGE] = "map_image",
        [ACT_MAP_FRAME] = "map_frame",
        [ACT_ALLOC_FRAMES] = "alloc_frames",
        [ACT_FREE_FRAMES] = "free_frames",
        [ACT_FRAME_COPY] = "frame_copy",
        [ACT_KEEP_ACCOUNT] = "keep_account",
        [ACT_DROP_ACCOUNT] = "drop_account",
        [ACT_DROP_FRAME] = "drop_frame",
        [ACT_ANSWER] = "answer",
    };
    if (shown->act == ACT_ANSWER)
        TRACE("#   answers slot %u: %s %s", (unsigned)shown->what[0],
              shown->what[2] == FAULT_RESOLVED ? "RESOLVED" : "END",
              end_reason_name((unsigned)shown->what[3]));
    else
        TRACE("#   %s 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx: %s", names[shown->act],
              (unsigned long long)shown->what[0], (unsigned long long)shown->what[1],
              (unsigned long long)shown->what[2], (unsigned long long)shown->what[3],
              (unsigned long long)shown->what[4], status_name(shown->result));
}

static void note(const struct pagerd_event *noted)
{
    show(noted);
    PROPERTY(E8, "log", event_count < EVENT_LIMIT);
    events[event_count++] = *noted;
    digest_u64(noted->act);
    for (unsigned i = 0; i < 5; i++)
        digest_u64(noted->what[i]);
    digest_u64((uint64_t)noted->result << 32 | noted->out);
}

static void says(enum pagerd_act act, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    event = (struct pagerd_event){.act = act, .what = {a, b, c, d, e}};
}

/* --- what a call means ------------------------------------------------------------------------ */

uint32_t peers_of_pagerd_number(uint32_t slot)
{
    return (uint32_t)stand_in_at(slot).badge;
}

static void describe_kernel(const struct stand_in_call *call)
{
    const struct kernel_drop_local_cap_request *drop = call->request;
    const struct kernel_move_local_cap_request *move = call->request;
    const struct kernel_frame_copy_request *copy = call->request;
    struct stand_in_cap dropped = stand_in_at(drop->slot);
    struct stand_in_cap target = stand_in_at(copy->target_slot);
    switch (call->operation->id) {
    case OP_KERNEL_DROP_LOCAL_CAP:
        says(dropped.object_type == OBJECT_ENDPOINT ? ACT_DROP_ACCOUNT : ACT_DROP_FRAME,
             dropped.badge, 0, 0, 0, 0);
        break;
    case OP_KERNEL_MOVE_LOCAL_CAP:
        says(ACT_KEEP_ACCOUNT, peers_of_pagerd_number(move->source_slot), 0, 0, 0, 0);
        break;
    case OP_KERNEL_FRAME_COPY:
        PROPERTY(G4, "source", stand_in_at(copy->source_slot).object_type == OBJECT_IMAGE);
        PROPERTY(G4, "target",
                 target.object_type == OBJECT_FRAME && stand_in_cap_live(&target) &&
                     stand_in_frame(target.object)->mapping_count == 0);
        PROPERTY(G4, "copy", copy->target_offset_bytes + copy->count <= PAGE_BYTES);
        says(ACT_FRAME_COPY, copy->source_offset_bytes, target.badge, copy->target_offset_bytes,
             copy->count, 0);
        break;
    default:
        PROPERTY(E5, "operation", false);
    }
}

static bool asks_for_own_page(void)
{
    return event.act == ACT_MAP_ANONYMOUS || event.act == ACT_MAP_FRAME;
}

static void describe_vspaced(const struct stand_in_call *call)
{
    const struct vspaced_unregister_vspace_request *release = call->request;
    const struct vspaced_guard_request *guard = call->request;
    const struct vspaced_map_anonymous_request *anonymous = call->request;
    const struct vspaced_map_frames_request *map = call->request;
    const struct vspaced_query_region_request *query = call->request;
    const struct vspaced_register_vspace_request *adopt = call->request;
    switch (call->operation->id) {
    case OP_VSPACED_REGISTER_VSPACE:
        says(ACT_REGISTER_VSPACE, call->sent[0].badge, call->sent[1].badge, adopt->region_limit, 0,
             0);
        break;
    case OP_VSPACED_UNREGISTER_VSPACE:
        says(ACT_UNREGISTER_VSPACE, release->vspace_cap_slot, 0, 0, 0, 0);
        break;
    case OP_VSPACED_QUERY_REGION:
        says(ACT_QUERY_REGION, query->vspace_cap_slot, query->va, 0, 0, 0);
        break;
    case OP_VSPACED_GUARD:
        says(ACT_GUARD, guard->vspace_cap_slot, guard->va, guard->page_count, 0, 0);
        break;
    case OP_VSPACED_MAP_ANONYMOUS:
        says(ACT_MAP_ANONYMOUS, anonymous->vspace_cap_slot, anonymous->va, anonymous->rights,
             anonymous->page_count, 0);
        break;
    case OP_VSPACED_MAP_FRAMES: {
        bool image = call->sent[0].object_type == OBJECT_IMAGE;
        PROPERTY_EQUAL(K1, "least", call->sent[0].rights, RIGHT_MAP | map->rights);
        says(image ? ACT_MAP_IMAGE : ACT_MAP_FRAME, map->vspace_cap_slot, map->va, map->rights,
             map->page_count, image ? map->frame_page : map->frame_id);
        break;
    }
    default:
        PROPERTY(E5, "operation", false);
    }
    was_there =
        asks_for_own_page() && peers_vspaced_page((uint32_t)event.what[0], event.what[1]) != NULL;
}

/* Nobody gives back a frame that is mapped (K2): vspaced would go on taking it for a page. */
static void describe_free(const struct stand_in_call *call)
{
    const struct memd_free_frames_request *given = call->request;
    uint32_t object;
    uint32_t owner;
    PROPERTY(K2, "freed",
             !peers_frame_find(given->frame_ids[0].frame_id, &object, &owner) ||
                 stand_in_frame(object)->mapping_count == 0);
    says(ACT_FREE_FRAMES, call->through.badge, given->count, given->frame_ids[0].frame_id, 0, 0);
}

/* Says with numbers what is asked. Nothing has happened yet. */
static void asked(const struct stand_in_call *call)
{
    const struct memd_alloc_frames_request *alloc = call->request;
    bool kernel = call->operation->service == SERVICE_KERNEL;
    PROPERTY(E5, "deadline", kernel || call->deadline_ticks - 1 < DEADLINE_NEVER - 1);
    PROPERTY(P12, "deadline", kernel || clock_lies || call->deadline_ticks > stand_in_now());
    if (kernel)
        describe_kernel(call);
    else if (call->operation->service == SERVICE_VSPACED)
        describe_vspaced(call);
    else if (call->operation->id == OP_MEMD_ALLOC_FRAMES)
        says(ACT_ALLOC_FRAMES, call->through.badge, alloc->count, 0, 0, 0);
    else
        describe_free(call);
}

static void answered(const struct stand_in_call *call, enum status status)
{
    const struct memd_alloc_frames_reply *alloc = call->reply;
    const struct vspaced_register_vspace_reply *adopted = call->reply;
    const struct memd_free_frames_request *given = call->request;
    const struct vspaced_query_region_reply *region = call->reply;
    const struct vspaced_unregister_vspace_request *released = call->request;
    if (call->operation->id == OP_MEMD_ALLOC_FRAMES && call->lost)
        peers_frames_undelivered(call);
    if (call->operation->id == OP_MEMD_FREE_FRAMES && (call->lost || status == STATUS_NOT_FOUND))
        out_of_sight[given->frame_ids[0].frame_id] = true;
    if (asks_for_own_page() && was_there && status == STATUS_TIMED_OUT) {
        peers_vspaced_asked_again((uint32_t)event.what[0], (uint32_t)event.what[3]);
        out_of_sight[event.act == ACT_MAP_FRAME ? event.what[4] : 0] = true;
    }
    if (call->operation->id == OP_VSPACED_QUERY_REGION && status == STATUS_OK)
        event.out = region->rights;
    if (call->operation->id == OP_VSPACED_REGISTER_VSPACE && call->lost)
        peers_vspaced_unheard(adopted->vspace_cap_slot);
    /* A vspaced that says so has forgotten the space: nobody may count on what is there. */
    if (call->operation->id == OP_VSPACED_UNREGISTER_VSPACE && status == STATUS_NOT_FOUND)
        peers_vspaced_unheard(released->vspace_cap_slot);
    event.result = status;
    if (call->operation->id == OP_MEMD_ALLOC_FRAMES && status == STATUS_OK)
        event.out = alloc->frame_ids[0];
    if (call->operation->id == OP_VSPACED_REGISTER_VSPACE && status == STATUS_OK)
        event.out = adopted->vspace_cap_slot;
    note(&event);
}

/* --- answers ---------------------------------------------------------------------------------- */

static uint32_t account_of(const struct stand_in_cap *endpoint)
{
    return (uint32_t)(endpoint->badge % ACCOUNTS);
}

static enum status answer(struct stand_in_call *call)
{
    if (call->through.object == ROLE_VSPACED)
        return peers_vspaced_answer(call, account_of);
    PROPERTY_EQUAL(E5, "rank", call->through.object, ROLE_MEMD);
    enum status status = peers_memd_answer(account_of(&call->through), call);
    const struct memd_alloc_frames_reply *alloc = call->reply;
    const struct memd_free_frames_request *given = call->request;
    PROPERTY(M3, call->operation->id != OP_MEMD_FREE_FRAMES || status == STATUS_OK ||
                     out_of_sight[given->frame_ids[0].frame_id]);
    if (call->operation->id == OP_MEMD_ALLOC_FRAMES && status == STATUS_OK)
        call->caps[0].badge = alloc->frame_ids[0];
    return status;
}

/* An answer to a faulter. */
static void replied(uint32_t reply_slot, const struct message *message, enum status status)
{
    struct event_fault_reply reply;
    PROPERTY_EQUAL(E2, reply_decode(&event_fault_reply_type, message, &reply), STATUS_OK);
    MARK_IF("pagerd: answer to one who is gone", status != STATUS_OK);
    says(ACT_ANSWER, reply_slot, message->header.request_id, reply.verdict, reply.reason, 0);
    note(&event);
}

/* --- the environment -------------------------------------------------------------------------- */

static const struct stand_in_peers peers = {
    .strict = true,
    .timed = true,
    .asked = asked,
    .answered = answered,
    .answer = answer,
    .replied = replied,
};

static void hold(uint32_t slot, uint32_t type, uint32_t object, uint64_t badge)
{
    struct stand_in_cap cap = stand_in_cap_to(type, object);
    cap.badge = badge;
    stand_in_put(slot, cap);
}

void peers_of_pagerd_begin(void)
{
    memset(out_of_sight, 0, peers_frame_id_last() + 1);
    clock_lies = false;
    event_count = 0;
    stand_in_begin(&peers);
    peers_memd_begin(8);
    peers_vspaced_begin();
    for (uint32_t i = 0; i < ACCOUNTS; i++)
        (void)peers_account_open(5);
    hold(SLOT_SELF, OBJECT_KERNEL_SELF, 0, 0);
    hold(SLOT_KERNEL_PAGER_ENDPOINT, OBJECT_KERNEL_PAGER, 0, 0);
    hold(SLOT_PEER_VSPACED, OBJECT_ENDPOINT, ROLE_VSPACED, 0);
    hold(SLOT_IMAGE, OBJECT_IMAGE, STAND_IN_ELSEWHERE, 1);
}

void peers_of_pagerd_memory(uint64_t pages)
{
    peers_pool_free_pages_set(pages % (MEMORY_PAGES + 1));
}

void peers_of_pagerd_limit(uint64_t account, uint64_t pages)
{
    peers_account_limit_set((uint32_t)(account % ACCOUNTS), pages % (MEMORY_PAGES + 1));
}

void peers_of_pagerd_close(uint64_t account)
{
    peers_vspaced_end_left((uint32_t)(account % ACCOUNTS));
}

void peers_of_pagerd_sweep(uint64_t space, uint64_t owed_frame)
{
    out_of_sight[owed_frame] = true;
    peers_vspaced_sweep((uint32_t)space);
}

void peers_of_pagerd_clock_lies(bool lies)
{
    clock_lies = lies;
}

void peers_of_pagerd_calm(void)
{
    stand_in_fail_never();
    peers_pool_free_pages_set(1000);
    for (uint32_t i = 0; i < ACCOUNTS; i++)
        peers_account_limit_set(i, 1000);
}

/* --- messages to pagerd ----------------------------------------------------------------------- */

bool peers_of_pagerd_gives(const struct message *message)
{
    return message->header.operation == OP_PAGERD_GIVE_PAGE && message->header.cap_count == 1 &&
           message->caps[0].object_type == OBJECT_FRAME &&
           message->caps[0].field_offset == offsetof(struct pagerd_give_page_request, frame_slot) &&
           message->header.body_bytes == sizeof(struct pagerd_give_page_request);
}

/* A frame that peers_of_pagerd_give has named, with the rights of its giver. */
static struct stand_in_cap given_frame(const struct message *message, uint32_t number,
                                       uint32_t rights)
{
    struct stand_in_cap cap = stand_in_cap_to(OBJECT_FRAME, number - 1);
    struct pagerd_give_page_request request;
    memcpy(&request, message->body, sizeof request);
    cap.rights = rights | RIGHTS_MAPPING;
    cap.badge = request.frame_id;
    return cap;
}

void peers_of_pagerd_deliver(struct message *message)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        struct message_cap *descriptor = &message->caps[i];
        bool account = descriptor->object_type == OBJECT_ENDPOINT;
        uint32_t number;
        memcpy(&number, message->body + descriptor->field_offset, sizeof number);
        caps[i] = (struct stand_in_cap){
            .object_type = descriptor->object_type,
            .rights = descriptor->rights,
            .object = account ? (uint32_t)ROLE_MEMD : (uint32_t)STAND_IN_ELSEWHERE,
            .badge = number != 0 ? number : 1,
        };
        if (i == 0 && peers_of_pagerd_gives(message))
            caps[i] = given_frame(message, number, descriptor->rights);
        descriptor->badge = 0;
    }
    stand_in_window_fill(message, caps, SLOT_RECEIVE_BASE);
}

bool peers_of_pagerd_give(struct message *message, uint64_t account)
{
    struct pagerd_give_page_request request;
    uint32_t object;
    uint32_t owner;
    memcpy(&request, message->body, sizeof request);
    bool known = peers_frame_find(request.frame_id, &object, &owner) &&
                 owner == account % ACCOUNTS && peers_frame_is_given(request.frame_id);
    if (!known && !peers_frame_take((uint32_t)(account % ACCOUNTS), &object, &request.frame_id))
        return false;
    peers_frame_give(request.frame_id);
    out_of_sight[request.frame_id] = true;
    request.frame_slot = object + 1;
    memcpy(message->body, &request, sizeof request);
    return true;
}

void peers_of_pagerd_window_drop(void)
{
    stand_in_slots_drop(SLOT_RECEIVE_BASE, MESSAGE_CAP_LIMIT);
}

/* --- the check -------------------------------------------------------------------------------- */

void peers_of_pagerd_check(const struct model_pagerd *model)
{
    uint32_t owner;
    uint32_t accounts = stand_in_slot_count() - stand_in_slot_count_below(SLOT_DYNAMIC_BASE);
    unsigned left;
    (void)model_pagerd_left(model, &left);
    PROPERTY_EQUAL(E4, "accounts", accounts, model->process_count + left);
    for (uint32_t i = 0; i < stand_in_frame_high(); i++) {
        uint32_t id = stand_in_frame(i)->live ? peers_frame_id(i, &owner) : 0;
        PROPERTY(E4, "frame",
                 id == 0 || stand_in_frame(i)->mapping_count != 0 ||
                     model_pagerd_owes_frame(model, id) || out_of_sight[id]);
    }
    bool stuck = model->stuck_frame != 0;
    uint32_t before = PAGERD_SCRATCH_SLOT - SLOT_RECEIVE_BASE;
    PROPERTY(E4, "scratch", stand_in_slot_empty(PAGERD_SCRATCH_SLOT) != stuck);
    PROPERTY(E4, "window", stand_in_slots_empty(SLOT_RECEIVE_BASE, before));
    PROPERTY(E4, "window",
             stand_in_slots_empty(PAGERD_SCRATCH_SLOT + 1, SLOT_RECEIVE_COUNT - before - 1));
}
