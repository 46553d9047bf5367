/* SPDX-License-Identifier: ISC */
/* CALL, RECV, REPLY, REPLY_RECV, faults, the clock: who gets which message when, as kernel.h states it. */
#include "props/models/model_kernel.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/messages/event.h"

/* --- the shape of a message ------------------------------------------------------------------- */

static uint32_t named_slot(const struct message *message, uint32_t index)
{
    uint32_t slot;
    memcpy(&slot, message->body + message->caps[index].field_offset, sizeof slot);
    return slot;
}

static bool cap_well_formed(const struct message *message, uint32_t index)
{
    const struct message_cap *cap = &message->caps[index];
    if (cap->field_offset % 4 != 0 || cap->field_offset + 4 > message->header.body_bytes)
        return false;
    uint32_t slot = named_slot(message, index);
    bool badge_fits = cap->flags == 0 ? cap->badge == 0
                                      : cap->flags == TRANSFER_SET_BADGE && cap->badge != 0 &&
                                            cap->badge != BADGE_KERNEL;
    return slot != 0 && slot < SLOT_LIMIT && cap->mode <= TRANSFER_MOVE && badge_fits &&
           cap->rights <= RIGHTS_ALL && cap->object_type == 0 && cap->reserved == 0;
}

static bool well_formed(const struct message *message)
{
    const struct message_header *header = &message->header;
    if (header->version != MESSAGE_VERSION || header->body_bytes > MESSAGE_BODY_BYTES_MAX ||
        header->cap_count > MESSAGE_CAP_LIMIT)
        return false;
    for (uint32_t i = 0; i < header->cap_count; i++) {
        if (!cap_well_formed(message, i))
            return false;
    }
    for (uint32_t i = 0; i < header->cap_count; i++) {
        for (uint32_t k = i + 1; k < header->cap_count; k++) {
            const struct message_cap *a = &message->caps[i];
            const struct message_cap *b = &message->caps[k];
            bool moves = a->mode == TRANSFER_MOVE || b->mode == TRANSFER_MOVE;
            if (a->field_offset == b->field_offset ||
                (moves && named_slot(message, i) == named_slot(message, k)))
                return false;
        }
    }
    return true;
}

enum status model_window(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *owner = model_at(model, process);
    uint32_t first = owner->page.header.window_slot;
    uint32_t count = owner->page.header.window_count;
    if (count > MESSAGE_CAP_LIMIT || (count != 0 && !model_range_fillable(first, count)))
        return STATUS_INVALID_ARGUMENT;
    if (count != 0 && !model_range_empty(model, process, first, count))
        return STATUS_BUSY;
    if (count != 0 && model_tight(model, process, MODEL_LEAVES_MAX))
        return STATUS_OVER_BUDGET;
    owner->window_slot = first;
    owner->window_count = count;
    return STATUS_OK;
}

/* --- delivery --------------------------------------------------------------------------------- */

static enum status may_send(struct model_kernel *model, uint32_t sender, uint32_t index)
{
    const struct message *message = &model_at(model, sender)->page;
    const struct message_cap *sent = &message->caps[index];
    const struct model_cap *cap = model_cap_find(model, sender, named_slot(message, index));
    if (cap == NULL || !model_cap_live(model, cap))
        return STATUS_NOT_FOUND;
    bool travels = (cap->rights & RIGHT_TRANSFER) != 0 && cap->type != OBJECT_REPLY &&
                   cap->type != OBJECT_KERNEL_SELF &&
                   (cap->type != OBJECT_GRANT || sent->mode == TRANSFER_MOVE);
    bool may_badge =
        cap->type == OBJECT_ENDPOINT && (cap->rights & RIGHT_RECEIVE) != 0 && cap->badge == 0;
    if (!travels || (sent->flags != 0 && !may_badge) || (cap->rights & sent->rights) == 0)
        return STATUS_DENIED; /* K1 */
    return STATUS_OK;
}

static enum status may_deliver(struct model_kernel *model, uint32_t sender, uint32_t receiver)
{
    uint32_t count = model_at(model, sender)->page.header.cap_count;
    if (count > model_at(model, receiver)->window_count)
        return STATUS_BUSY;
    for (uint32_t i = 0; i < count; i++) {
        enum status status = may_send(model, sender, i);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* Header, declared body bytes, and the capabilities in the receiver's window. */
static void deliver(struct model_kernel *model, uint32_t sender, uint32_t receiver, uint64_t badge)
{
    const struct message *from = &model_at(model, sender)->page;
    struct model_kernel_process *to = model_at(model, receiver);
    to->page.header = from->header;
    to->page.header.window_slot = 0;
    to->page.header.window_count = 0;
    to->page.header.badge = badge;
    memcpy(to->page.body, from->body, from->header.body_bytes);
    for (uint32_t i = 0; i < from->header.cap_count; i++) {
        const struct message_cap *sent = &from->caps[i];
        struct model_cap *source = model_cap_find(model, sender, named_slot(from, i));
        struct model_cap given = *source;
        given.slot = to->window_slot + i;
        given.rights &= sent->rights;
        given.badge = sent->flags != 0 ? sent->badge : given.badge;
        model_cap_put(model, receiver, given);
        if (sent->mode == TRANSFER_MOVE)
            model_cap_remove(model, sender, source);
        memcpy(to->page.body + sent->field_offset, &given.slot, sizeof given.slot);
        to->page.caps[i] = (struct message_cap){
            .field_offset = sent->field_offset,
            .rights = given.rights,
            .object_type = given.type,
        };
    }
}

static uint32_t free_reply_slot(struct model_kernel *model, uint32_t process)
{
    uint32_t slot = SLOT_REPLY_BASE;
    while (!model_range_empty(model, process, slot, 1))
        slot++;
    return slot;
}

void model_info(struct model_kernel *model, uint32_t process, uint64_t badge, bool reply,
                uint32_t cap_count)
{
    struct model_kernel_process *receiver = model_at(model, process);
    receiver->info = (struct receive_info){
        .badge = badge,
        .now_ticks = model->now,
        .endpoint_slot = receiver->receive_slot,
        .reply_slot = reply ? receiver->next_reply_slot : 0,
        .cap_count = cap_count,
        .window_slot = cap_count != 0 ? receiver->window_slot : 0,
    };
    receiver->info_open = false;
}

/* The receiver owes the sender a reply. */
static void owe_reply(struct model_kernel *model, uint32_t caller, uint32_t receiver)
{
    struct model_kernel_process *waiter = model_at(model, caller);
    waiter->call_number = ++model->call_count; /* K3 */
    waiter->life = MODEL_LIFE_CALLS;
    waiter->holder = receiver;
    model_client_leave(model, receiver);
    model_at(model, receiver)->client = caller;
    model_bands_settle(model);
    model_cap_put(model, receiver,
                  (struct model_cap){model_at(model, receiver)->next_reply_slot, OBJECT_REPLY,
                                     RIGHT_SEND, caller, waiter->call_number});
    model_queue_add(&model_at(model, receiver)->callers, caller);
}

void model_fault_deliver(struct model_kernel *model, uint32_t process, uint32_t receiver)
{
    const struct model_kernel_process *faulter = model_at(model, process);
    struct message *page = &model_at(model, receiver)->page;
    struct event_fault_request body = {faulter->pager_token, faulter->fault_va,
                                       faulter->fault_instruction, faulter->fault_access,
                                       faulter->fault_present};
    page->header = (struct message_header){.version = MESSAGE_VERSION,
                                           .operation = OP_EVENT_FAULT,
                                           .body_bytes = sizeof body,
                                           .badge = BADGE_KERNEL};
    memcpy(page->body, &body, sizeof body);
    model_info(model, receiver, BADGE_KERNEL, true, 0);
    owe_reply(model, process, receiver);
}

void model_event_deliver(struct model_kernel *model, uint32_t process, uint32_t receiver)
{
    struct model_kernel_process *ended = model_at(model, process);
    struct message *page = &model_at(model, receiver)->page;
    struct event_process_terminated_request body = {ended->event_token, ended->end_reason,
                                                    ended->end_code, ended->end_va};
    page->header = (struct message_header){.version = MESSAGE_VERSION,
                                           .operation = OP_EVENT_PROCESS_TERMINATED,
                                           .body_bytes = sizeof body,
                                           .badge = BADGE_KERNEL};
    memcpy(page->body, &body, sizeof body);
    model_info(model, receiver, BADGE_KERNEL, false, 0);
    ended->event_delivered = true;
    model_queue_add(&model->endpoints[ended->event_endpoint].delivered, process);
    model->events_delivered++;
    model->changed = true;
    for (uint32_t p = 0; p < model->process_count; p++) {
        for (uint32_t i = 0; i < model->processes[p].cap_count; i++) {
            if (model->processes[p].caps[i].type == OBJECT_PROCESS &&
                model->processes[p].caps[i].object == process)
                return;
        }
    }
    model_process_free(model, process); /* nobody could */
}

uint32_t model_receiver_take(struct model_kernel *model, uint32_t endpoint)
{
    uint32_t receiver = model->endpoints[endpoint].receivers.items[0];
    model_queue_drop(&model->endpoints[endpoint].receivers, receiver);
    return receiver;
}

/* The processor goes to a process that waited. */
void model_switch(struct model_kernel *model, uint32_t process, bool result)
{
    struct model_kernel_process *next = model_at(model, process);
    next->life = MODEL_LIFE_RUNS;
    next->result = STATUS_OK;
    next->result_known = result;
    model->current = process;
    model->changed = true;
}

/* --- CALL ------------------------------------------------------------------------------------- */

static enum status call_endpoint(struct model_kernel *model, const struct model_cap *cap,
                                 uint64_t deadline)
{
    uint32_t caller = model->current;
    struct model_kernel_process *process = model_at(model, caller);
    struct model_endpoint *endpoint = &model->endpoints[cap->object];
    uint64_t badge = cap->badge;
    if (deadline <= model->now)
        return deadline == DEADLINE_POLL ? STATUS_RETRY : STATUS_TIMED_OUT;
    if (endpoint->receivers.count != 0) {
        uint32_t receiver = endpoint->receivers.items[0];
        enum status status = may_deliver(model, caller, receiver);
        if (status != STATUS_OK)
            return status;
        model_receiver_take(model, cap->object);
        process->faults = false;
        process->deadline = deadline;
        uint32_t count = process->page.header.cap_count;
        deliver(model, caller, receiver, badge);
        model_at(model, receiver)->page.header.status = STATUS_OK;
        model_info(model, receiver, badge, true, count);
        owe_reply(model, caller, receiver);
        model_switch(model, receiver, true);
        return STATUS_OK;
    }
    process->faults = false;
    process->deadline = deadline;
    process->badge = badge;
    process->waits_on = cap->object;
    process->life = MODEL_LIFE_SENDS;
    model_queue_add(&endpoint->senders, caller);
    model->current = MODEL_NONE;
    model_bands_settle(model);
    model->changed = true;
    return STATUS_OK;
}

enum status model_call(struct model_kernel *model, uint32_t slot, uint64_t deadline)
{
    uint32_t caller = model->current;
    const struct model_cap *cap = model_cap_find(model, caller, slot);
    if (cap == NULL || !model_cap_live(model, cap))
        return STATUS_NOT_FOUND;
    bool kernel = cap->type >= OBJECT_KERNEL_SELF;
    if (!kernel && cap->type != OBJECT_ENDPOINT)
        return STATUS_INVALID_ARGUMENT;
    if ((cap->rights & (kernel ? RIGHT_CONTROL : RIGHT_SEND)) == 0)
        return STATUS_DENIED;
    if (!well_formed(&model_at(model, caller)->page))
        return STATUS_INVALID_ARGUMENT;
    enum status status = model_window(model, caller);
    if (status != STATUS_OK)
        return status;
    if (!kernel)
        return call_endpoint(model, cap, deadline);
    model->control = true;
    model_control(model, (enum object_type)cap->type);
    return STATUS_OK;
}

/* --- RECV ------------------------------------------------------------------------------------- */

/* Takes queued calls until one can be delivered, or as many as are told in one entry. */
static bool receive_queued(struct model_kernel *model, uint32_t receiver, uint32_t endpoint)
{
    struct model_queue *senders = &model->endpoints[endpoint].senders;
    bool again = model->luck.work[receiver] == MODEL_WORK_RECEIVE;
    while (senders->count > (again ? model->luck.senders[receiver] : 0)) {
        uint32_t sender = senders->items[0];
        struct model_kernel_process *process = model_at(model, sender);
        model_queue_drop(senders, sender);
        model->changed = true;
        if (process->faults) {
            model_fault_deliver(model, sender, receiver);
            return true;
        }
        enum status status = may_deliver(model, sender, receiver);
        if (status == STATUS_OK) {
            uint32_t count = process->page.header.cap_count;
            deliver(model, sender, receiver, process->badge);
            model_at(model, receiver)->page.header.status = STATUS_OK;
            model_info(model, receiver, process->badge, true, count);
            owe_reply(model, sender, receiver);
            return true;
        }
        model->refused_at_delivery++;
        process->life = MODEL_LIFE_RUNS;
        model_bands_settle(model);
        model_wake(model, sender, status);
    }
    return false;
}

enum status model_receive(struct model_kernel *model, uint32_t slot, uint64_t deadline)
{
    uint32_t receiver = model->current;
    struct model_kernel_process *process = model_at(model, receiver);
    struct model_cap *cap;
    enum status status = model_need(model, slot, OBJECT_ENDPOINT, RIGHT_RECEIVE, &cap);
    if (status == STATUS_OK)
        status = model_window(model, receiver);
    if (status != STATUS_OK)
        return status;
    uint32_t number = cap->object;
    struct model_endpoint *endpoint = &model->endpoints[number];
    process->receive_slot = slot;
    process->next_reply_slot = free_reply_slot(model, receiver);
    if (endpoint->events.count != 0) {
        uint32_t event = endpoint->events.items[0];
        model_queue_drop(&endpoint->events, event);
        model_client_leave(model, receiver);
        if (event >= MODEL_LINE)
            model_line_deliver(model, event - MODEL_LINE, receiver);
        else
            model_event_deliver(model, event, receiver);
        return STATUS_OK;
    }
    if (model_tight(model, receiver, MODEL_LEAVES_MAX))
        return STATUS_OVER_BUDGET;
    if (receive_queued(model, receiver, number))
        return STATUS_OK;
    if (endpoint->senders.count != 0) {
        process->work = MODEL_WORK_RECEIVE;
        process->work_on = slot;
        process->work_at = deadline;
        return STATUS_OK;
    }
    if (deadline <= model->now) {
        process->info.now_ticks = model->now;
        process->info_open = true;
        return deadline == DEADLINE_POLL ? STATUS_RETRY : STATUS_TIMED_OUT;
    }
    model_client_leave(model, receiver);
    process->faults = false;
    process->deadline = deadline;
    process->waits_on = number;
    process->life = MODEL_LIFE_RECEIVES;
    model_queue_add(&endpoint->receivers, receiver);
    model->current = MODEL_NONE;
    model->changed = true;
    return STATUS_OK;
}

/* --- REPLY ------------------------------------------------------------------------------------ */

static void reply_use(struct model_kernel *model, uint32_t caller, struct model_cap *cap)
{
    uint32_t replier = model->current;
    model_cap_remove(model, replier, cap);
    model_detach(model, caller);
}

/* The caller can go on, and the replier does. */
static void answered_first(struct model_kernel *model, uint32_t caller, bool result)
{
    struct model_kernel_process *answered = model_at(model, caller);
    answered->result = STATUS_OK;
    answered->result_known = result;
    model->changed = true;
    model_run_first(model, caller);
}

/* The caller goes on, and the replier is next; or, when that one's own band is higher, the
 * other way round. */
static void reply_switch(struct model_kernel *model, uint32_t caller, bool result)
{
    uint32_t replier = model->current;
    if (model_band(model, caller) > model_band(model, replier)) {
        answered_first(model, caller, result);
        return;
    }
    model_run_first(model, replier);
    model_switch(model, caller, result);
}

static bool verdict_given(const struct message *message, struct event_fault_reply *reply)
{
    const struct message_header *header = &message->header;
    if (header->operation == OP_EVENT_FAULT && header->status != STATUS_OK &&
        header->status < STATUS_COUNT && header->body_bytes == 0 && header->cap_count == 0) {
        *reply = (struct event_fault_reply){FAULT_END, END_FAULT_NO_PAGER}; /* a refusal */
        return true;
    }
    if (reply_decode(&event_fault_reply_type, message, reply) != STATUS_OK)
        return false;
    return reply->verdict == FAULT_RESOLVED ? reply->reason == END_NONE
                                            : reply->reason >= END_FAULT_OUTSIDE;
}

/* Neither half of this asks who goes on: *goes_on is who can, MODEL_NONE: nobody. */
static enum status answer_fault(struct model_kernel *model, uint32_t faulter, struct model_cap *cap,
                                uint32_t *goes_on)
{
    struct event_fault_reply reply;
    if (!verdict_given(&model_at(model, model->current)->page, &reply))
        return STATUS_INVALID_ARGUMENT;
    reply_use(model, faulter, cap);
    model_at(model, faulter)->faults = false;
    if (reply.verdict == FAULT_RESOLVED)
        *goes_on = faulter;
    else
        model_end(model, faulter, reply.reason, 0, model_at(model, faulter)->fault_va);
    return STATUS_OK;
}

static enum status answer(struct model_kernel *model, uint32_t slot, uint32_t *goes_on,
                          bool *result)
{
    uint32_t replier = model->current;
    struct model_cap *cap = model_cap_find(model, replier, slot);
    *goes_on = MODEL_NONE;
    if (cap->type != OBJECT_REPLY)
        return STATUS_INVALID_ARGUMENT;
    uint32_t caller = cap->object;
    if (!well_formed(&model_at(model, replier)->page))
        return STATUS_INVALID_ARGUMENT;
    *result = !model_at(model, caller)->faults;
    if (!*result)
        return answer_fault(model, caller, cap, goes_on);
    enum status status = may_deliver(model, replier, caller);
    if (status != STATUS_OK)
        return status;
    deliver(model, replier, caller, 0);
    reply_use(model, caller, model_cap_find(model, replier, slot));
    *goes_on = caller;
    return STATUS_OK;
}

/* Whether there is something to answer with; a capability whose caller is gone is taken away. */
static bool answerable(struct model_kernel *model, uint32_t slot)
{
    struct model_cap *cap = model_cap_find(model, model->current, slot);
    if (cap == NULL || cap->type != OBJECT_REPLY || model_cap_live(model, cap))
        return cap != NULL;
    model_cap_remove(model, model->current, cap);
    return false;
}

enum status model_reply(struct model_kernel *model, uint32_t slot)
{
    uint32_t goes_on;
    bool result;
    if (!answerable(model, slot))
        return STATUS_NOT_FOUND;
    enum status status = answer(model, slot, &goes_on, &result);
    if (status == STATUS_OK && goes_on != MODEL_NONE)
        reply_switch(model, goes_on, result);
    return status;
}

/* --- REPLY_RECV ------------------------------------------------------------------------------- */

enum status model_reply_receive(struct model_kernel *model, uint32_t reply_slot, uint32_t slot,
                                uint64_t deadline)
{
    uint32_t goes_on;
    bool result;
    if (!answerable(model, reply_slot))
        return model_receive(model, slot, deadline);
    enum status status = answer(model, reply_slot, &goes_on, &result);
    if (status != STATUS_OK)
        return status;
    if (goes_on != MODEL_NONE)
        answered_first(model, goes_on, result);
    return model_receive(model, slot, deadline);
}
