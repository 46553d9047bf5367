/* SPDX-License-Identifier: ISC */
/* What pagerd's life compares after each step. */
#include "fuzz/life/pagerd_life.h"

#include <string.h>

void pagerd_life_check(void)
{
    const char *broken = pagerd_check(&pagerd);
    if (broken != NULL)
        property_failed(PROPERTY_G1, "check", broken, __FILE__, __LINE__);
    PROPERTY_EQUAL(G6, pagerd.last_fault_id, model.last_id);
    PROPERTY_EQUAL(G5, "deadline", pagerd_next_deadline(&pagerd), model_pagerd_deadline(&model));
    peers_of_pagerd_check(&model);
}

uint64_t pagerd_life_digest(void)
{
    uint64_t sum = 0;
    pagerd_visit_fields(&pagerd, digest_fold, &sum);
    return sum;
}

unsigned pagerd_life_state(void)
{
    unsigned state = model.process_count != 0;
    for (unsigned i = 0; i < model.fill_count; i++)
        state |= model.fills[i].parked ? 2u : 4u;
    return state | (model.process_count == MODEL_PAGERD_PROCESSES ? 8u : 0u);
}

static void mark_ending(uint32_t reason)
{
    static const char *const names[] = {
        [END_FAULT_OUTSIDE] = "pagerd: ended outside",
        [END_FAULT_NULL_PAGE] = "pagerd: ended on the null page",
        [END_FAULT_GUARD] = "pagerd: ended on a guard",
        [END_FAULT_READ_DENIED] = "pagerd: ended reading",
        [END_FAULT_WRITE_DENIED] = "pagerd: ended writing",
        [END_FAULT_EXECUTE_DENIED] = "pagerd: ended executing",
        [END_FAULT_PAGE_LIMIT] = "pagerd: ended at the page limit",
        [END_FAULT_BACKING] = "pagerd: ended without backing",
        [END_FAULT_BUDGET] = "pagerd: ended without kernel memory",
        [END_FAULT_MEMORY] = "pagerd: ended above its guarantee",
    };
    if (reason >= END_FAULT_OUTSIDE && reason <= END_REASON_LAST)
        mark_name(names[reason]);
}

void pagerd_life_mark_answers(void)
{
    struct pagerd_log log = peers_of_pagerd_log();
    for (unsigned i = 0; i < log.count; i++)
        if (log.events[i].act == ACT_ANSWER)
            mark_ending((uint32_t)log.events[i].what[3]);
}

enum status pagerd_life_fault_result(uint32_t reply_slot)
{
    struct pagerd_log log = peers_of_pagerd_log();
    for (unsigned i = 0; i < log.count; i++)
        if (log.events[i].act == ACT_ANSWER && log.events[i].what[0] == reply_slot)
            return log.events[i].what[2] == FAULT_RESOLVED ? STATUS_OK : STATUS_PAGE_FAULT;
    return STATUS_RETRY;
}

/* What is forbidden ends the process, with its reason. */
static void check_verdict(const struct message *message, const struct event_fault_reply *want)
{
    struct event_fault_reply got;
    PROPERTY_EQUAL(E5, "verdict", reply_decode(&event_fault_reply_type, message, &got), STATUS_OK);
    PROPERTY_EQUAL(G3, "verdict", got.verdict, want->verdict);
    PROPERTY_EQUAL(G3, "reason", got.reason, want->reason);
}

enum status pagerd_life_check_reply(const struct message *message)
{
    const struct model_pagerd_answer *want = &life.answer;
    const struct operation *operation =
        life_row_of(&pagerd_life_language, message->header.operation);
    PROPERTY_EQUAL(G1, "status", message->header.status, want->status);
    PROPERTY_EQUAL(E5, "request-id", message->header.request_id, life.request_id);
    PROPERTY(E5, "caps", message->header.cap_count == 0);
    if (want->status != STATUS_OK) {
        PROPERTY_EQUAL(E1, "bare", message->header.body_bytes, 0);
        return want->status;
    }
    PROPERTY(E5, "row", operation != NULL);
    PROPERTY_EQUAL(E5, "length", message->header.body_bytes, operation->reply->max_bytes);
    if (message->header.operation == OP_EVENT_FAULT)
        check_verdict(message, &want->body.fault);
    PROPERTY(G1, "body", memcmp(message->body, &want->body, message->header.body_bytes) == 0);
    digest_bytes(message->body, message->header.body_bytes);
    if (message->header.operation != OP_EVENT_FAULT)
        return STATUS_OK;
    mark_ending(want->body.fault.reason);
    return want->body.fault.verdict == FAULT_RESOLVED ? STATUS_OK : STATUS_PAGE_FAULT;
}
