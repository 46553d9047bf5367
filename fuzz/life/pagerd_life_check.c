/* SPDX-License-Identifier: ISC */
/* What pagerd's life compares after each step. */
#include "fuzz/life/pagerd_life.h"

#include <string.h>

#include "props/models/model_pagerd_areas.h"
#include "props/stand_ins/peers_vspaced.h"
#include "props/stand_ins/stand_in_kernel.h"

/* Each private or demand-zero page that is there is counted, but for one in doubt (E4). */
static void check_counts(void)
{
    for (unsigned i = 0; i < model.process_count; i++) {
        const struct model_pagerd_process *process = &model.processes[i];
        uint32_t space = (uint32_t)process->space;
        if (space == 0 || !peers_vspaced_knows(space))
            continue;
        bool late = process->doubt_page != 0 && peers_vspaced_page(space, process->doubt_page);
        PROPERTY_EQUAL(E4, "pages", process->pages + (late ? process->doubt_pages : 0),
                       peers_vspaced_frame_count(space));
    }
}

/* Nobody names a space of vspaced's that is another's (G2). */
static void check_spaces(void)
{
    static uint32_t owners[SLOT_LIMIT];
    for (uint32_t i = 1; i <= pagerd.registration_used; i++) {
        uint32_t slot = pagerd.registrations[i].vspace_cap_slot;
        HARNESS(slot < SLOT_LIMIT);
        uint32_t owner = owners[slot];
        bool other = slot != 0 && owner != 0 && owner < i;
        PROPERTY(G2, "slot", !other || pagerd.registrations[owner].vspace_cap_slot != slot);
        owners[slot] = i;
    }
}

void pagerd_life_check(void)
{
    const char *broken = pagerd_check(&pagerd);
    if (broken != NULL)
        property_G1_fails("check", broken, __FILE__, __LINE__);
    PROPERTY_EQUAL(G6, pagerd.last_fault_id, model.last_id);
    PROPERTY_EQUAL(G5, "deadline", pagerd_next_deadline(&pagerd), model_pagerd_deadline(&model));
    peers_of_pagerd_check(&model);
    check_spaces();
    check_counts();
}

/* The bytes of a page, by the area alone: whole pages of the file that nobody can write to are the
 * image's, any other has a frame with the bytes of the file and zeros after them. */
static void check_content(const struct pagerd_area *area, uint64_t page,
                          const struct stand_in_mapping *mapping)
{
    uint64_t bytes = model_file_bytes_in(area, page);
    uint64_t offset = bytes == 0 ? 0 : model_file_offset_in(area, page);
    bool whole = bytes == PAGE_BYTES && (area->rights & RIGHT_WRITE) == 0;
    PROPERTY_EQUAL(G4, "shared", mapping->image, whole);
    if (whole)
        PROPERTY_EQUAL(G4, "page", mapping->object, offset / PAGE_BYTES);
    else
        PROPERTY_EQUAL(G4, "bytes", stand_in_frame(mapping->object)->content,
                       bytes == 0 ? 0
                                  : stand_in_content(offset, (uint32_t)bytes) +
                                        model_file_byte_first(area, page));
}

static void check_resolved(uint64_t reply_slot)
{
    uint64_t place = reply_slot - SLOT_REPLY_BASE;
    HARNESS(place < SLOT_REPLY_COUNT);
    const struct model_pagerd_process *process =
        model_pagerd_process(&model, life.asked[place].token);
    uint64_t page = life.asked[place].page;
    PROPERTY(G7, "process", process != NULL);
    const struct stand_in_mapping *mapping = peers_vspaced_page((uint32_t)process->space, page);
    PROPERTY(G7, "page", mapping != NULL);
    PROPERTY(G7, "right", (mapping->rights & life.asked[place].right) != 0);
    check_content(model_area_of(process, page), page, mapping);
}

void pagerd_life_check_resolved(void)
{
    struct pagerd_log log = peers_of_pagerd_log();
    for (unsigned i = 0; i < log.count; i++)
        if (log.events[i].act == ACT_ANSWER && log.events[i].what[2] == FAULT_RESOLVED)
            check_resolved(log.events[i].what[0]);
}

void pagerd_life_check_waiting(void)
{
    bool other = pagerd.scratch_full != 0 || pagerd.owing.count != 0; /* what they may wait for */
    if (stand_in_failures().count != 0 || pagerd_next_deadline(&pagerd) == DEADLINE_POLL || other)
        return;
    PROPERTY(G5, "waits", pagerd.parked.count == 0 || peers_pool_free_pages() == 0);
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
        state |= model.fills[i].wait == MODEL_PARKED ? 2u : 4u;
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
