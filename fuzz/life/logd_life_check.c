/* SPDX-License-Identifier: ISC */
/* What logd's life compares after each message: replies and ring with the model, and what readers
 * and clients were promised with what the ring holds. */
#include "fuzz/life/logd_life.h"

#include <string.h>

#include "abi/codec.h"

void compare_append(void)
{
    struct logd_append_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&logd_append_reply_type, stand_in_reply(), &reply), STATUS_OK);
    PROPERTY_EQUAL(L1, reply.record_id, life.answer.record.id);
    PROPERTY_EQUAL(L1, reply.ticks, life.answer.record.ticks);
    PROPERTY(L1, reply.record_id > life.appended && reply.ticks >= life.ticks);
    life.appended = reply.record_id;
    life.ticks = reply.ticks;
}

static void is_record(const struct logd_read_reply *reply, const struct model_logd_record *record)
{
    PROPERTY_EQUAL(L1, reply->record_id, record->id);
    PROPERTY_EQUAL(L1, reply->ticks, record->ticks);
    PROPERTY_EQUAL(L3, reply->role, record->role);
    PROPERTY_EQUAL(L3, reply->severity, record->severity);
    PROPERTY_EQUAL(L3, reply->count, record->count);
    PROPERTY(L3, memcmp(reply->text, record->text, record->count) == 0);
    for (uint32_t i = 0; i < reply->count; i++)
        PROPERTY(L3, reply->text[i] >= ' ' && reply->text[i] <= '~');
}

void compare_read(void)
{
    struct logd_read_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&logd_read_reply_type, stand_in_reply(), &reply), STATUS_OK);
    is_record(&reply, &life.answer.record);
    PROPERTY_EQUAL(L1, reply.missed_count, life.answer.missed_count);
}

/* --- everything --- */

void logd_life_check(void)
{
    if (!oracle_due())
        return;
    life_check(logd_check(&logd));
    PROPERTY_EQUAL(L1, logd.last_id, model.last_id);
    PROPERTY_EQUAL(L2, logd.record_count, model.count);
}

uint64_t logd_life_digest(void)
{
    uint64_t sum = 0;
    logd_visit_fields(&logd, life_digest_visit, &sum);
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

/* --- shares --- */

void logd_life_shares(struct logd_life_shares *shares)
{
    shares->count = logd.record_count;
    for (uint32_t i = 0; i < logd.record_count; i++) {
        shares->ids[i] = logd.records[i].id;
        shares->roles[i] = logd.clients[logd.records[i].client].role;
    }
}

static uint32_t share_of(const struct logd_life_shares *shares, uint64_t role)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < shares->count; i++)
        count += shares->roles[i] == role;
    return count;
}

/* Places stay where they are: whose id changed made room. */
void logd_life_check_shares(const struct logd_life_shares *before, uint64_t sender)
{
    uint32_t own = share_of(before, sender);
    uint32_t gone = 0;
    for (uint32_t i = 0; i < before->count; i++) {
        uint32_t role = before->roles[i];
        if (logd.records[i].id == before->ids[i])
            continue;
        gone++;
        PROPERTY(L2, sender != 0);
        PROPERTY(L2, "share", role == sender || own == 0 || share_of(before, role) > own + 1);
        for (uint32_t j = 0; j < before->count; j++)
            PROPERTY(L2, "oldest", before->roles[j] != role || before->ids[j] >= before->ids[i]);
    }
    PROPERTY_EQUAL(L2, "room", gone, sender != 0 && before->count == logd.record_limit);
}

/* --- a reader --- */

void logd_life_read_all(void)
{
    struct message request;
    struct logd_read_reply reply;
    struct logd_read_request body = {.cursor = 1};
    uint64_t heard_of = 0;
    for (uint32_t i = 0; i <= model.count; i++) {
        life_request(&logd_read_request_type, &body, ROLE_SERIALD, &request);
        unsigned status = logd_life_deliver(&request);
        (void)model_logd_step(&model, &request, stand_in_now());
        if (i == model.count) {
            PROPERTY_EQUAL(L1, status, STATUS_NOT_FOUND);
            break;
        }
        PROPERTY_EQUAL(L1, status, STATUS_OK);
        PROPERTY_EQUAL(E5, reply_decode(&logd_read_reply_type, stand_in_reply(), &reply),
                       STATUS_OK);
        is_record(&reply, &model.records[i]);
        heard_of += reply.missed_count + 1;
        body.cursor = reply.record_id + 1;
    }
    uint64_t last_id = model.count == 0 ? 0 : body.cursor - 1;
    PROPERTY_EQUAL(L1, "all", heard_of, last_id);
    PROPERTY_EQUAL(L1, "last", last_id, model.last_id);
}

/* --- marks --- */

unsigned logd_life_state(const struct message *request)
{
    uint64_t badge = request->header.badge;
    bool client = badge <= ROLE_ID_MAX && role_find((uint32_t)badge) != NULL;
    unsigned state = badge == 0 ? 0 : !client ? 1 : role_reads_log((uint32_t)badge) ? 3 : 2;
    uint32_t own = model_logd_count(&model, badge);
    uint32_t roles = model_logd_roles(&model);
    state |= model.count == model.limit ? 4u : 0;
    state |= own != 0 ? 8u : 0;
    state |= own * roles > model.limit ? 16u : 0; /* more than its share */
    return state;
}
