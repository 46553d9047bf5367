/* SPDX-License-Identifier: ISC */
/* The two programs from their start: the console takes an envelope and an offer, talks, and ends with what
 * the talk ended with; idle does nothing until it is ended. */
#include <stdlib.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/kernel.h"
#include "props/stand_ins/startup_rows.h"
#include "props/base/testing.h"
#include "props/tests/console/console_test.h"
#include "services/console/console.h"

static const struct startup_module modules[] = {
    {.role = ROLE_PHASE0_EXIT,
     .page_limit = 32,
     .budget_pages = 40,
     .image_offset = 8192,
     .image_bytes = 5000},
    {.role = ROLE_CONSOLE_IDLE,
     .page_limit = 16,
     .budget_pages = 24,
     .image_offset = 16384,
     .image_bytes = 700},
    {.role = 999, .image_bytes = 1}, /* which the table does not know */
};

void start_offer(struct startup_offer_modules_request *offer)
{
    offer->count = sizeof modules / sizeof modules[0];
    memcpy(offer->modules, modules, sizeof modules);
}

/* --- who starts them -------------------------------------------------------------------------- */

static struct {
    struct startup_rows rows;
    unsigned
        messages; /* START_SERVICE, OFFER_MODULES, ...: so many come, then the endpoint is gone */
    unsigned received;
    unsigned replied;
    uint32_t answers[4];
} start;

static void send_offer(struct message *message)
{
    struct startup_offer_modules_request offer = {0};
    start_offer(&offer);
    if (message_encode(&startup_offer_modules_request_type, &offer, message) != STATUS_OK)
        abort();
}

enum status start_receive(struct message *message, struct receive_info *info)
{
    if (start.received == start.messages)
        return STATUS_NOT_FOUND;
    info->reply_slot = SLOT_REPLY_BASE;
    if (start.received++ == 0)
        startup_rows_send(&start.rows, message);
    else
        send_offer(message);
    return STATUS_OK;
}

bool start_answer(struct message *message)
{
    return start.messages != 0 && startup_rows_answer(&start.rows, message);
}

bool start_replied(const struct message *message)
{
    if (start.replied == start.received || start.replied == 4)
        return false;
    start.answers[start.replied++] = message->header.status;
    return true;
}

static void start_as(uint32_t role, unsigned messages)
{
    memset(&start, 0, sizeof start);
    startup_rows_make(&start.rows, role_find(role));
    start.messages = messages;
}

/* --- the tests -------------------------------------------------------------------------------- */

static const char *const talked[] = {"$ programs", "|   phase0-exit", "|   idle", "|   ?", NULL};
static const char *const lost[] = {"seriald.read wait_ticks=60000 -> bytes='ls\x03'",
                                   "| basalt> ls^C",
                                   "$ uptime",
                                   "timed.now_monotonic -> OK",
                                   "seriald.write bytes='0.000 s\r\n' -> taken_count=10",
                                   "ends INTERNAL",
                                   NULL};

void test_start(void)
{
    static struct console console;
    start_as(ROLE_CONSOLE, 2);
    talk_begin("from its start", talked);
    talk_end(console_run(&console));
    expect(start.answers[0] == STATUS_OK && start.answers[1] == STATUS_OK && start.replied == 2,
           "READY, and the offer is taken");
    start_as(ROLE_CONSOLE, 2);
    talk_begin("the program", talked);
    talk_end((enum status)console_main(0));
    start_as(ROLE_CONSOLE, 2);
    talk_begin("the program's exit code", lost);
    talk_end((enum status)console_main(0));
    uint32_t line_calls = talk_line_calls();
    for (unsigned messages = 0; messages < 2; messages++) {
        memset(&console, 0, sizeof console);
        start_as(ROLE_CONSOLE, messages);
        expect(console_run(&console) == STATUS_NOT_FOUND,
               "without a start or an offer there is no talk");
        expect_equal(talk_line_calls(), line_calls, "and nothing is shown");
    }
    start_as(ROLE_CONSOLE_IDLE, 3);
    expect(console_idle_main(0) == STATUS_NOT_FOUND, "idle ends when its endpoint is gone");
    expect(start.replied == 3 && start.answers[0] == STATUS_DENIED &&
               start.answers[2] == STATUS_DENIED,
           "and serves nobody before");
    start_as(ROLE_CONSOLE, 0);
}
