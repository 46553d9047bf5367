/* SPDX-License-Identifier: ISC */
/* tester's life, as the list on top of tester.h says. Decides whether memd's book is as it was;
 * asks memd for nothing else. */
#include "services/tester/tester.h"

#include <string.h>

#include "abi/formats/cursor.h"
#include "services/lib/log_line.h"
#include "services/tester/internal.h"

/* --- time -------------------------------------------------------------------------------------- */

static enum handled deny(void *context, struct message *message, const struct receive_info *info)
{
    (void)context;
    (void)info;
    message_refuse(message, STATUS_DENIED);
    return HANDLED_REPLY;
}

/* Receives on its own endpoint until the deadline; *now_ticks is the clock then. */
static enum status look_up(struct tester *tester, uint64_t deadline_ticks, uint64_t *now_ticks)
{
    struct receive_info info;
    memset(&info, 0, sizeof info);
    enum status status =
        service_turn(&tester->caller, SLOT_SERVICE_ENDPOINT, deadline_ticks, deny, tester, &info);
    *now_ticks = info.now_ticks;
    return status == STATUS_TIMED_OUT || status == STATUS_RETRY ? STATUS_OK : status;
}

enum status tester_deadline(struct tester *tester, uint64_t ticks, uint64_t *deadline_ticks)
{
    uint64_t now_ticks = 0;
    enum status status = look_up(tester, DEADLINE_POLL, &now_ticks);
    if (status == STATUS_OK && !range_within(now_ticks, ticks, DEADLINE_NEVER - 1))
        status = STATUS_INTERNAL;
    *deadline_ticks = status == STATUS_OK ? deadline_after(now_ticks, ticks) : 0;
    return status;
}

enum status tester_pause(struct tester *tester, uint64_t ticks)
{
    uint64_t deadline_ticks;
    enum status status = tester_deadline(tester, ticks, &deadline_ticks);
    return status == STATUS_OK ? look_up(tester, deadline_ticks, &deadline_ticks) : status;
}

/* --- saying --- */

void tester_report(struct tester *tester, const char *name, const char *detail)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "ROOTD_STAGE:");
    log_line_add(&line, name);
    if (detail[0] != 0)
        log_line_add(&line, ":");
    log_line_add(&line, detail);
    log_line_send(&line, &tester->caller, SLOT_KERNEL_LOG_ENDPOINT);
}

/* --- the book ------------------------------------------------------------------------------------ */

/* A service has one, and one more for its mould when it would be started again. */
static uint32_t accounts_of(uint32_t role)
{
    const struct restarts *row = role_restarts(role);
    return row != NULL && row->policy != RESTART_NEVER ? 2 : 1;
}

/* Accounts that stay: the tester's, and those of the services that the hostile image has as targets. */
static uint32_t lasting_accounts(uint32_t profile)
{
    uint32_t count = 1;
    for (unsigned i = 0; i < role_count && profile == VALIDATION_PROFILE_HOSTILE; i++) {
        const struct role *role = &role_table[i];
        if (role->kind == ROLE_KIND_SERVICE && role_needs(role_find(ROLE_TEST_HOSTILE), role->id))
            count += accounts_of(role->id);
    }
    return count;
}

/* Whether the book is the one before; without one before, whether nobody has an account but those
 * who stay (M1: what accounts hold is all that is handed out). */
static bool is_settled(const struct tester *tester, const struct memd_query_memory_reply *book,
                       const struct memd_query_memory_reply *before)
{
    if (before == NULL)
        return book->account_count == lasting_accounts(tester->start.validation_profile);
    return book->total_pages == before->total_pages && book->free_pages == before->free_pages &&
           book->reserve_pages == before->reserve_pages &&
           book->handed_out_pages == before->handed_out_pages &&
           book->account_count == before->account_count;
}

enum status tester_read_book(struct tester *tester, struct memd_query_memory_reply *book)
{
    struct memd_query_memory_request request;
    uint64_t deadline_ticks;
    enum status status = tester_deadline(tester, TESTER_CALL_TICKS, &deadline_ticks);
    if (status != STATUS_OK)
        return status;
    uint32_t slot =
        tester->start.role == ROLE_TEST_OPERATOR ? SLOT_MEMD_ADMINISTRATOR : SLOT_PEER_MEMD;
    return memd_call_query_memory(&tester->caller, slot, NO_WINDOW, deadline_ticks, &request, book);
}

enum status tester_settle(struct tester *tester, const struct memd_query_memory_reply *before,
                          struct memd_query_memory_reply *book, bool *settled)
{
    enum { STEP_TICKS = 20 };
    *settled = false;
    for (uint32_t waited = 0; waited <= TESTER_SETTLE_TICKS; waited += STEP_TICKS) {
        enum status status = tester_read_book(tester, book);
        if (status != STATUS_OK)
            return status;
        *settled = is_settled(tester, book, before);
        if (*settled)
            return STATUS_OK;
        status = tester_pause(tester, STEP_TICKS);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* --- the run --------------------------------------------------------------------------------------- */

static void stop_all(struct tester *tester, enum status why)
{
    for (unsigned i = 0; i < TESTER_RUN_LIMIT; i++) {
        if (tester->helper_ids[i] != 0)
            (void)tester_stop(tester, i, why);
    }
    for (unsigned i = 0; i < TESTER_CLIENT_LIMIT; i++) {
        if (tester->client_ids[i] != 0)
            (void)tester_stop_client(tester, i);
    }
}

/* Says whether the book is what it was before the first helper, however the helpers ended. */
static enum status compare_books(struct tester *tester,
                                 const struct memd_query_memory_reply *before)
{
    struct memd_query_memory_reply after;
    bool settled;
    enum status status = tester_settle(tester, before, &after, &settled);
    if (status != STATUS_OK)
        return status;
    tester_report(tester, settled ? "RESOURCES_BACK" : "RESOURCES_LEFT", "");
    return settled ? STATUS_OK : STATUS_EXHAUSTED;
}

static enum status run_all(struct tester *tester)
{
    struct memd_query_memory_reply before;
    bool settled;
    enum status status = tester_settle(tester, NULL, &before, &settled);
    if (status != STATUS_OK)
        return status;
    if (!settled)
        return STATUS_EXHAUSTED;
    const char *done = "HELPERS_DONE";
    if (tester->start.role == ROLE_ATTACKS) {
        done = "ATTACKS_DONE";
        status = tester_run_attacks(tester, &before);
    } else if (tester->start.role == ROLE_TEST_OPERATOR) {
        done = "OPERATIONS_DONE";
        status = tester_run_operations(tester);
    } else if (tester->start.validation_profile == VALIDATION_PROFILE_HOSTILE) {
        status = tester_run_hostile(tester);
    } else {
        status = tester_run_helpers(tester);
    }
    if (status == STATUS_OK)
        tester_report(tester, done, "");
    else
        stop_all(tester, status);
    enum status books = compare_books(tester, &before);
    return status == STATUS_OK ? books : status;
}

enum status tester_run(struct tester *tester, uint32_t role)
{
    enum status status = service_start(&tester->caller, role, &tester->start, NULL, NULL, NULL);
    if (status == STATUS_OK)
        status = service_take_offer(&tester->caller, &tester->offer);
    return status == STATUS_OK ? run_all(tester) : status;
}

uint32_t tester_main(uint64_t argument)
{
    struct tester tester;
    (void)argument;
    memset(&tester, 0, sizeof tester);
    return tester_run(&tester, ROLE_TESTER);
}

uint32_t attacks_main(uint64_t argument)
{
    struct tester tester;
    (void)argument;
    memset(&tester, 0, sizeof tester);
    return tester_run(&tester, ROLE_ATTACKS);
}

uint32_t test_operator_main(uint64_t argument)
{
    struct tester tester;
    (void)argument;
    memset(&tester, 0, sizeof tester);
    return tester_run(&tester, ROLE_TEST_OPERATOR);
}
