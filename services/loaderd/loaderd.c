/* SPDX-License-Identifier: ISC */
/* loaderd's messages: admits launches, and finds who sent what. Decides which launch may be made at
 * all, by what its request says; what comes of it is decided in launch.c. */
#include "services/loaderd/loaderd.h"

#include <stddef.h>
#include <string.h>

#include "abi/messages/event.h"
#include "services/lib/call_procd.h"
#include "services/loaderd/internal.h"

/* --- launches --------------------------------------------------------------------------------- */

/* What the request itself says (X4: and whether its client has a place). */
static enum status judge(struct loaderd *loaderd, const struct loaderd_launch_path_request *body,
                         uint32_t role)
{
    uint32_t blocks = body->argument_bytes + body->environment_bytes;
    if (body->path_count + blocks != body->count)
        return STATUS_INVALID_ARGUMENT;
    enum status status = path_check(body->bytes, body->path_count);
    if (status != STATUS_OK)
        return status;
    if (blocks != 0)
        return STATUS_UNSUPPORTED;
    if ((body->flags & LAUNCH_REQUIRE_DYNAMIC) != 0)
        return STATUS_REQUIRE_DYNAMIC;
    const struct loaderd_client *client = loaderd_client_find(loaderd, role);
    if (client != NULL && client->launch.path_count != 0)
        return STATUS_BUSY;
    return loaderd_client_judge(loaderd, role);
}

enum status loaderd_launch_path(struct loaderd *loaderd, struct loaderd_request *request)
{
    struct service_request *common = &request->common;
    const struct loaderd_launch_path_request *body = &request->body.launch_path;
    uint32_t role = (uint32_t)common->info->badge;
    enum status status = judge(loaderd, body, role);
    if (status != STATUS_OK)
        return status;
    struct loaderd_launch *launch = &loaderd_client_take(loaderd, role)->launch;
    launch->request_id = common->request_id;
    launch->reply_slot = common->info->reply_slot;
    launch->path_count = body->path_count;
    memcpy(launch->path, body->bytes, body->path_count);
    common->handled = HANDLED_LATER;
    return STATUS_OK;
}

/* --- one message ------------------------------------------------------------------------------ */

#define SERVICE       loaderd
#define SERVICE_TABLE "abi/messages/loaderd.def"
#include "services/lib/unfold_rows.h"

/* procd has an end as well, for its notices alone. */
static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct loaderd_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    return badge != 0 && badge <= ROLE_ID_MAX && badge != ROLE_PROCD ? FROM_CLIENT : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

/* A reply slot that comes with a call has nobody behind it who waits (K10). */
static void forget(struct loaderd *loaderd, uint32_t reply_slot)
{
    if (reply_slot == SLOT_NULL)
        return;
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        struct loaderd_client *client = &loaderd->clients[i];
        if (client->launch.reply_slot == reply_slot)
            client->launch.reply_slot = SLOT_NULL;
        if (client->wait.reply_slot == reply_slot)
            client->wait = (struct loaderd_wait){0};
    }
}

static bool is_notice(const struct message *message, const struct receive_info *info)
{
    return info->badge == ROLE_PROCD && info->reply_slot != SLOT_NULL &&
           message->header.operation == OP_EVENT_PROCESS_ENDED;
}

/* It tells the youngest end alone. procd is asked when it has its answer: it waits for it now. */
static enum handled notice(struct loaderd *loaderd, struct message *message)
{
    static const uint64_t nothing = 0;
    struct event_process_ended_request event;
    enum status status = message_decode(&event_process_ended_request_type, message, &event);
    if (status == STATUS_OK) {
        loaderd_ask_all(loaderd);
        status = message_encode(&event_process_ended_reply_type, &nothing, message);
    }
    if (status != STATUS_OK)
        message_refuse(message, status);
    return HANDLED_REPLY;
}

enum handled loaderd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct loaderd *loaderd = state;
    struct loaderd_request request; /* the dispatch clears what is used */
    forget(loaderd, info->reply_slot);
    if (is_notice(message, info))
        return notice(loaderd, message);
    request.common = (struct service_request){
        .caller = &loaderd->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    return service_dispatch(&table, loaderd, &request.common);
}

/* --- turns ------------------------------------------------------------------------------------ */

void loaderd_tick(struct loaderd *loaderd, uint64_t now_ticks)
{
    caller_see_clock(&loaderd->caller, now_ticks);
    loaderd_waits_tick(loaderd);
    loaderd_launch_tick(loaderd);
}

uint64_t loaderd_next_ticks(const struct loaderd *loaderd)
{
    uint64_t launch_ticks = loaderd_launch_next_ticks(loaderd);
    uint64_t waits_ticks = loaderd_waits_next_ticks(loaderd);
    return launch_ticks < waits_ticks ? launch_ticks : waits_ticks;
}

/* --- start ------------------------------------------------------------------------------------ */

void loaderd_init(struct loaderd *loaderd)
{
    loaderd->work.owes = LOADERD_OWES_ATTACH;
}

/* procd's end of this endpoint carries procd's role: only who receives here can set it. */
static enum status take_notices(struct loaderd *loaderd)
{
    const struct message_type *type = &procd_set_notice_request_type;
    struct procd_set_notice_request request = {.endpoint_slot = SLOT_SERVICE_ENDPOINT};
    struct message *message = caller_message(&loaderd->caller);
    enum status status = message_encode(type, &request, message);
    if (status != STATUS_OK)
        return status;
    message->caps[0].flags = TRANSFER_SET_BADGE;
    message->caps[0].badge = ROLE_PROCD;
    return caller_call_message(&loaderd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                               caller_deadline(&loaderd->caller, PROCD_CALL_TICKS), type, NULL);
}

enum status loaderd_begin(struct loaderd *loaderd)
{
    loaderd_init(loaderd);
    return take_notices(loaderd);
}

static enum status loaderd_prepare(void *state, const struct envelope *start)
{
    (void)start;
    struct loaderd *loaderd = state;
    return loaderd_begin(loaderd);
}

static const char *unsound(const void *state)
{
    return loaderd_check(state);
}

void loaderd_run(struct loaderd *loaderd)
{
    struct envelope envelope;
    struct receive_info info;
    memset(&info, 0, sizeof info);
    enum status status =
        service_start(&loaderd->caller, ROLE_LOADERD, &envelope, loaderd_prepare, unsound, loaderd);
    while (service_goes_on(status)) {
        status = service_turn(&loaderd->caller, SLOT_SERVICE_ENDPOINT, loaderd_next_ticks(loaderd),
                              loaderd_handle, loaderd, &info);
        if (service_goes_on(status))
            loaderd_tick(loaderd, info.now_ticks);
    }
    kernel_exit(&loaderd->caller, status);
}
