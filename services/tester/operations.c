/* SPDX-License-Identifier: ISC */
/* test-operator: asks each operation of the foundation that no other program asks for what it grants and
 * for what it refuses, as the administrator and the client that its role's rows make it. Decides only
 * that an answer is the stated one; gives back all that it was given. This file asks memd. */
#include "services/tester/operations.h"

#include "services/lib/call_memd.h"
#include "services/lib/log_line.h"
#include "services/probes/mapper.h"

enum {
    GUARANTEE_PAGES = 4,
    LIMIT_PAGES = 16,
    UNTYPED_PAGES = 4,
    OTHER_ID = 0x7FF00001 /* of nothing */
};

void operations_expect(struct operations *operations, const char *name, enum status answer,
                       enum status stated)
{
    if (answer == stated)
        return;
    struct log_line line = {.count = 0};
    log_line_add(&line, "ROOTD_STAGE:operation ");
    log_line_add(&line, name);
    log_line_add(&line, ":UNEXPECTED:");
    log_line_add(&line, status_name(answer));
    log_line_send(&line, &operations->tester->caller, SLOT_KERNEL_LOG_ENDPOINT);
    if (operations->failed == STATUS_OK)
        operations->failed = STATUS_INTERNAL;
}

void operations_check(struct operations *operations, const char *name, bool holds)
{
    operations_expect(operations, name, holds ? STATUS_OK : STATUS_INTERNAL, STATUS_OK);
}

uint64_t operations_soon(struct operations *operations)
{
    uint64_t deadline_ticks;
    operations_expect(operations, "clock",
                      tester_deadline(operations->tester, TESTER_CALL_TICKS, &deadline_ticks),
                      STATUS_OK);
    return deadline_ticks;
}

/* --- accounts ------------------------------------------------------------------------------------ */

enum status operations_open(struct operations *operations, uint64_t key, uint64_t guarantee_pages,
                            uint64_t limit_pages, uint32_t slot)
{
    struct memd_open_account_request request = {
        .key = key, .guarantee_pages = guarantee_pages, .limit_pages = limit_pages};
    struct memd_open_account_reply reply;
    return memd_call_open_account(&operations->tester->caller, SLOT_MEMD_ADMINISTRATOR,
                                  (struct window){slot, 1}, operations_soon(operations), &request,
                                  &reply);
}

enum status operations_close(struct operations *operations, uint64_t key)
{
    struct memd_close_account_request request = {.key = key};
    struct memd_close_account_reply reply = {.left_accounts = 1};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && reply.left_accounts != 0)
        status = memd_call_close_account(&operations->tester->caller, SLOT_MEMD_ADMINISTRATOR,
                                         NO_WINDOW, operations_soon(operations), &request, &reply);
    return status;
}

static enum status alloc(struct operations *operations, struct memd_alloc_frames_reply *frames)
{
    struct memd_alloc_frames_request request = {.count = MEMD_ALLOC_FRAMES_MAX};
    return memd_call_alloc_frames(&operations->tester->caller, OPERATIONS_SLOT_ACCOUNT,
                                  (struct window){OPERATIONS_SLOT_FRAMES, MEMD_ALLOC_FRAMES_MAX},
                                  operations_soon(operations), &request, frames);
}

enum status operations_alloc_frame(struct operations *operations, uint32_t *id)
{
    struct memd_alloc_frames_request request = {.count = 1};
    struct memd_alloc_frames_reply frames;
    enum status status = memd_call_alloc_frames(
        &operations->tester->caller, OPERATIONS_SLOT_ACCOUNT,
        (struct window){OPERATIONS_SLOT_FRAMES, 1}, operations_soon(operations), &request, &frames);
    *id = frames.frame_ids[0];
    return status;
}

/* FREE_FRAMES of these two ids. */
static enum status free_two(struct operations *operations, uint32_t first, uint32_t second)
{
    struct memd_free_frames_request request = {.count = 2, .frame_ids = {{first}, {second}}};
    return memd_call_free_frames(&operations->tester->caller, OPERATIONS_SLOT_ACCOUNT, NO_WINDOW,
                                 operations_soon(operations), &request, NULL);
}

static enum status free_untyped(struct operations *operations, uint32_t id)
{
    struct memd_free_untyped_request request = {.untyped_id = id};
    return memd_call_free_untyped(&operations->tester->caller, OPERATIONS_SLOT_ACCOUNT, NO_WINDOW,
                                  operations_soon(operations), &request, NULL);
}

static enum status query_account(struct operations *operations, uint32_t slot,
                                 struct memd_query_account_reply *reply)
{
    struct memd_query_account_request request;
    return memd_call_query_account(&operations->tester->caller, slot, NO_WINDOW,
                                   operations_soon(operations), &request, reply);
}

static enum status query_memory(struct operations *operations, uint32_t slot)
{
    struct memd_query_memory_request request;
    struct memd_query_memory_reply reply;
    return memd_call_query_memory(&operations->tester->caller, slot, NO_WINDOW,
                                  operations_soon(operations), &request, &reply);
}

static enum status list_accounts(struct operations *operations, uint32_t slot, uint64_t key)
{
    struct memd_list_accounts_request request = {.key = key};
    struct memd_list_accounts_reply reply;
    return memd_call_list_accounts(&operations->tester->caller, slot, NO_WINDOW,
                                   operations_soon(operations), &request, &reply);
}

static enum status alloc_untyped(struct operations *operations, uint32_t pages, uint32_t slot,
                                 uint32_t *id)
{
    struct memd_alloc_untyped_request request = {.pages = pages};
    struct memd_alloc_untyped_reply reply;
    enum status status = memd_call_alloc_untyped(&operations->tester->caller,
                                                 OPERATIONS_SLOT_ACCOUNT, (struct window){slot, 1},
                                                 operations_soon(operations), &request, &reply);
    *id = reply.untyped_id;
    return status;
}

void operations_drop(struct operations *operations, uint32_t slot)
{
    operations_expect(operations, "drop", kernel_drop_local_cap(&operations->tester->caller, slot),
                      STATUS_OK);
}

void operations_open_with_untyped(struct operations *operations)
{
    uint32_t untyped;
    operations_expect(operations, "open an account",
                      operations_open(operations, OPERATIONS_KEY, 0,
                                      MAPPER_UNTYPED_PAGES + MAPPER_LIMIT_PAGES,
                                      OPERATIONS_SLOT_ACCOUNT),
                      STATUS_OK);
    operations_expect(
        operations, "its untyped",
        alloc_untyped(operations, MAPPER_UNTYPED_PAGES, OPERATIONS_SLOT_UNTYPED, &untyped),
        STATUS_OK);
}

void operations_close_with_untyped(struct operations *operations)
{
    operations_drop(operations, OPERATIONS_SLOT_UNTYPED);
    operations_expect(operations, "close the account", operations_close(operations, OPERATIONS_KEY),
                      STATUS_OK);
    operations_drop(operations, OPERATIONS_SLOT_ACCOUNT);
}

static void drop_frames(struct operations *operations)
{
    for (uint32_t i = 0; i < MEMD_ALLOC_FRAMES_MAX; i++)
        operations_drop(operations, OPERATIONS_SLOT_FRAMES + i);
}

/* Frames up to the limit; those of one message are freed again, and no other way than whole. */
static void ask_frames(struct operations *operations)
{
    struct memd_alloc_frames_reply frames, last = {0};
    uint32_t count = 0;
    enum status status = alloc(operations, &frames);
    for (; status == STATUS_OK && count < LIMIT_PAGES; count++) {
        last = frames;
        drop_frames(operations);
        status = alloc(operations, &frames);
    }
    operations_expect(operations, "frames beyond the limit", status, STATUS_OVER_LIMIT); /* M4 */
    operations_check(operations, "frames up to the limit",
                     (count + 1) * MEMD_ALLOC_FRAMES_MAX + UNTYPED_PAGES ==
                         LIMIT_PAGES + MEMD_ALLOC_FRAMES_MAX);
    operations_expect(operations, "one frame twice",
                      free_two(operations, last.frame_ids[0], last.frame_ids[0]), STATUS_DUPLICATE);
    operations_expect(operations, "free frames",
                      free_two(operations, last.frame_ids[0], last.frame_ids[1]), STATUS_OK);
    operations_expect(operations, "free frames again",
                      free_two(operations, last.frame_ids[2], last.frame_ids[1]),
                      STATUS_NOT_FOUND); /* M3 */
}

/* An untyped is given back when nothing made from it lives. */
static void ask_untyped(struct operations *operations, uint32_t id)
{
    struct caller *caller = &operations->tester->caller;
    uint32_t other;
    operations_expect(operations, "untyped beyond the limit",
                      alloc_untyped(operations, LIMIT_PAGES, OPERATIONS_SLOT_HOARD, &other),
                      STATUS_OVER_LIMIT);
    operations_expect(operations, "a frame of an untyped",
                      kernel_retype(caller, SLOT_KERNEL_PROCESS_ENDPOINT, OPERATIONS_SLOT_UNTYPED,
                                    OBJECT_FRAME, 1, OPERATIONS_SLOT_MADE),
                      STATUS_OK);
    operations_expect(operations, "an untyped in use", free_untyped(operations, id), STATUS_BUSY);
    operations_drop(operations, OPERATIONS_SLOT_MADE);
    operations_expect(operations, "free an untyped", free_untyped(operations, id), STATUS_OK);
    operations_expect(operations, "free an untyped again", free_untyped(operations, id),
                      STATUS_NOT_FOUND);
    operations_drop(operations, OPERATIONS_SLOT_UNTYPED);
}

/* What the account says of itself, to its holder alone (M1). */
static void ask_books(struct operations *operations)
{
    struct memd_query_account_reply book;
    operations_expect(operations, "query account",
                      query_account(operations, OPERATIONS_SLOT_ACCOUNT, &book), STATUS_OK);
    operations_check(operations, "the account's book",
                     book.guarantee_pages == GUARANTEE_PAGES && book.limit_pages == LIMIT_PAGES &&
                         book.untyped_pages == UNTYPED_PAGES && book.frame_pages == 0 &&
                         book.claim_pages == book.tree_pages);
    operations_expect(operations, "query no account",
                      query_account(operations, SLOT_MEMD_ADMINISTRATOR, &book), STATUS_DENIED);
    operations_expect(operations, "query memory", query_memory(operations, SLOT_MEMD_ADMINISTRATOR),
                      STATUS_OK);
    operations_expect(operations, "query memory by a holder",
                      query_memory(operations, OPERATIONS_SLOT_ACCOUNT), STATUS_DENIED);
    operations_expect(operations, "list accounts",
                      list_accounts(operations, SLOT_MEMD_ADMINISTRATOR, 0), STATUS_OK);
    operations_expect(operations, "list accounts by a holder",
                      list_accounts(operations, OPERATIONS_SLOT_ACCOUNT, 0), STATUS_DENIED);
}

void operations_ask_memory(struct operations *operations)
{
    uint32_t untyped = OTHER_ID;
    operations_expect(operations, "a guarantee above the limit",
                      operations_open(operations, OPERATIONS_KEY, LIMIT_PAGES, GUARANTEE_PAGES,
                                      OPERATIONS_SLOT_ACCOUNT),
                      STATUS_INVALID_ARGUMENT);
    operations_expect(operations, "open account",
                      operations_open(operations, OPERATIONS_KEY, GUARANTEE_PAGES, LIMIT_PAGES,
                                      OPERATIONS_SLOT_ACCOUNT),
                      STATUS_OK);
    operations_expect(operations, "alloc untyped",
                      alloc_untyped(operations, UNTYPED_PAGES, OPERATIONS_SLOT_UNTYPED, &untyped),
                      STATUS_OK);
    ask_books(operations);
    ask_frames(operations);
    ask_untyped(operations, untyped);
    operations_expect(operations, "close account", operations_close(operations, OPERATIONS_KEY),
                      STATUS_OK);
    operations_expect(operations, "close account again",
                      operations_close(operations, OPERATIONS_KEY), STATUS_NOT_FOUND);
    operations_drop(operations, OPERATIONS_SLOT_ACCOUNT);
}

enum status tester_run_operations(struct tester *tester)
{
    struct operations operations = {.tester = tester};
    operations_ask_memory(&operations);
    operations_ask_kernel(&operations);
    operations_ask_processes(&operations);
    operations_ask_mapper(&operations);
    operations_ask_faults(&operations);
    return operations.failed;
}
