/* SPDX-License-Identifier: ISC */
/* What is shown: lists that services tell one by one. Decides what a row says; who may see it, the
 * services decide. */
#include "services/console/internal.h"

#include "abi/capability.h"
#include "abi/messages/crashd.h"
#include "abi/messages/logd.h"
#include "abi/messages/timed.h"
#include "abi/process.h"
#include "abi/roles.h"

/* --- names ------------------------------------------------------------------------------------ */

static void row_role(struct console_row *row, uint32_t role)
{
    const struct role *known = role_find(role);
    if (known != NULL)
        row_text(row, known->image);
    else
        row_number(row, role);
}

static const char *state_name(uint32_t state)
{
    static const char *const names[] = {"staged", "running", "ended", "restarting", "parked"};
    _Static_assert(sizeof names / sizeof names[0] == PROCESS_STATE_LAST + 1, "one name each");
    return state <= PROCESS_STATE_LAST ? names[state] : "?";
}

/* --- processes -------------------------------------------------------------------------------- */

/* The next process from a place on, and where to go on; false: there is none. */
static bool next_process(struct console *console, uint32_t *place,
                         struct procd_list_processes_reply *process)
{
    struct procd_list_processes_request request = {.place = *place};
    enum status status = *place > PROCESS_LIMIT
                             ? STATUS_NOT_FOUND
                             : console_call(console, ROLE_PROCD, 0,
                                            &procd_list_processes_request_type, &request, process);
    if (status == STATUS_OK && process->place < *place)
        status = STATUS_INTERNAL; /* the list would have no end */
    if (status == STATUS_OK)
        *place = process->place + 1;
    else if (status != STATUS_NOT_FOUND)
        console_say(console, "processes", status);
    return status == STATUS_OK && console->lost == STATUS_OK;
}

/* Pages that the account of a process holds, of how many. */
static void row_memory(struct console *console, uint64_t key)
{
    struct memd_list_accounts_request request = {.key = key};
    struct memd_list_accounts_reply account;
    enum status status =
        console_call(console, ROLE_MEMD, 0, &memd_list_accounts_request_type, &request, &account);
    if (status != STATUS_OK || account.key != key) {
        row_text(&console->row, status == STATUS_OK || status == STATUS_NOT_FOUND
                                    ? "-" /* the foundation has no accounts */
                                    : status_name(status));
        return;
    }
    row_number(&console->row, account.tree_pages);
    row_text(&console->row, "/");
    row_number(&console->row, account.limit_pages);
}

static void processes(struct console *console)
{
    struct procd_list_processes_reply process;
    uint32_t place = 0;
    row_text(&console->row,
             "     id  program               state       lives  pages        owner  end");
    console_row_end(console);
    while (next_process(console, &place, &process)) {
        struct console_row *row = &console->row;
        row_column(row, 4);
        row_number(row, process.process_id);
        row_column(row, 9);
        row_role(row, process.role);
        row_column(row, 31);
        row_text(row, state_name(process.state));
        row_column(row, 43);
        row_number(row, process.life_count);
        row_column(row, 50);
        row_memory(console, process.process_id);
        row_column(row, 63);
        row_number(row, process.owner_id);
        if (process.reason != END_NONE) {
            row_column(row, 70);
            row_text(row, end_reason_name(process.reason));
            row_text(row, " ");
            row_hex(row, process.code);
        }
        console_row_end(console);
    }
}

/* --- memory ----------------------------------------------------------------------------------- */

static void row_of(struct console *console, const char *what, uint64_t pages)
{
    row_text(&console->row, what);
    row_number(&console->row, pages);
}

static void memory(struct console *console)
{
    struct memd_query_memory_request ask; /* without fields */
    struct memd_query_memory_reply book;
    enum status status =
        console_call(console, ROLE_MEMD, 0, &memd_query_memory_request_type, &ask, &book);
    if (status != STATUS_OK) {
        console_say(console, "memory", status);
        return;
    }
    row_of(console, "pages: ", book.total_pages);
    row_of(console, ", free ", book.free_pages);
    row_of(console, ", handed out ", book.handed_out_pages);
    row_of(console, ", reserved ", book.reserve_pages);
    row_of(console, "; accounts: ", book.account_count);
    console_row_end(console);
    struct memd_list_accounts_request request = {.key = 0};
    struct memd_list_accounts_reply account;
    for (uint32_t rows = 0; rows < CONSOLE_ROWS_MAX && console->lost == STATUS_OK; rows++) {
        status = console_call(console, ROLE_MEMD, 0, &memd_list_accounts_request_type, &request,
                              &account);
        if (status == STATUS_OK && account.key < request.key)
            status = STATUS_INTERNAL;
        if (status != STATUS_OK)
            break;
        row_text(&console->row, "  account ");
        row_hex(&console->row, account.key);
        row_column(&console->row, 32);
        row_of(console, "holds ", account.frame_pages + account.untyped_pages);
        row_of(console, ", with those below ", account.tree_pages);
        row_of(console, ", guaranteed ", account.guarantee_pages);
        row_of(console, ", limit ", account.limit_pages);
        console_row_end(console);
        if (account.key == UINT64_MAX)
            return;
        request.key = account.key + 1;
    }
    if (status != STATUS_NOT_FOUND && status != STATUS_OK)
        console_say(console, "accounts", status);
}

/* --- the log and crashes ---------------------------------------------------------------------- */

/* One record; false: that was the last. */
static bool log_row(struct console *console, uint64_t *cursor)
{
    struct logd_read_request request = {.cursor = *cursor};
    struct logd_read_reply record;
    struct console_row *row = &console->row;
    enum status status =
        console_call(console, ROLE_LOGD, 0, &logd_read_request_type, &request, &record);
    if (status == STATUS_OK && (record.record_id < *cursor || record.record_id == UINT64_MAX))
        status = STATUS_INTERNAL;
    if (status != STATUS_OK) {
        if (status != STATUS_NOT_FOUND)
            console_say(console, "log", status);
        return false;
    }
    *cursor = record.record_id + 1;
    row_seconds(row, record.ticks);
    row_column(row, 10);
    row_role(row, record.role);
    row_text(row, ": ");
    row_bytes(row, record.text, record.count);
    console_row_end(console);
    return console->lost == STATUS_OK;
}

static void show_log(struct console *console)
{
    uint64_t cursor = 1;
    for (uint32_t rows = 0; rows < CONSOLE_ROWS_MAX && log_row(console, &cursor); rows++) {
    }
}

static bool crash_row(struct console *console, uint64_t *cursor)
{
    struct crashd_read_request request = {.cursor = *cursor};
    struct crashd_read_reply record;
    struct console_row *row = &console->row;
    enum status status =
        console_call(console, ROLE_CRASHD, 0, &crashd_read_request_type, &request, &record);
    if (status == STATUS_OK && (record.report_id < *cursor || record.report_id == UINT64_MAX))
        status = STATUS_INTERNAL;
    if (status != STATUS_OK) {
        if (status != STATUS_NOT_FOUND)
            console_say(console, "crashes", status);
        return false;
    }
    *cursor = record.report_id + 1;
    row_seconds(row, record.ended_ticks);
    row_column(row, 10);
    row_role(row, record.role);
    row_text(row, ", process ");
    row_number(row, record.process_id);
    row_text(row, ": ");
    row_text(row, end_reason_name(record.reason));
    row_text(row, " at ");
    row_hex(row, record.fault_va);
    row_text(row, ", code ");
    row_hex(row, record.code);
    console_row_end(console);
    return console->lost == STATUS_OK;
}

static void crashes(struct console *console)
{
    uint64_t cursor = 1;
    for (uint32_t rows = 0; rows < CONSOLE_ROWS_MAX && crash_row(console, &cursor); rows++) {
    }
}

/* --- who holds what --------------------------------------------------------------------------- */

static bool read_slot(struct console *console, uint64_t process_id, uint32_t slot,
                      struct procd_read_slot_reply *held)
{
    struct procd_read_slot_request request = {.process_id = process_id, .slot = slot};
    enum status status =
        console_call(console, ROLE_PROCD, 0, &procd_read_slot_request_type, &request, held);
    if (status == STATUS_OK &&
        (held->object_type != OBJECT_NONE ? held->slot < slot : held->slot <= slot))
        status = STATUS_INTERNAL; /* it would have no end */
    if (status != STATUS_OK)
        console_say(console, "graph", status);
    return status == STATUS_OK && console->lost == STATUS_OK;
}

static void slot_row(struct console *console, const struct procd_read_slot_reply *held)
{
    struct console_row *row = &console->row;
    row_column(row, 2);
    row_number(row, held->slot);
    row_column(row, 11);
    row_text(row, object_type_name(held->object_type));
    row_column(row, 34);
    row_hex(row, held->rights);
    if (held->object_role != ROLE_NONE) {
        row_text(row, " -> ");
        row_role(row, held->object_role);
    }
    if (held->badge != 0) {
        row_text(row, " badge ");
        row_hex(row, held->badge);
    }
    console_row_end(console);
}

static void slots_of(struct console *console, const struct procd_list_processes_reply *process)
{
    struct procd_read_slot_reply held;
    uint32_t slot = 0;
    uint64_t work_count = 0;
    row_role(&console->row, process->role);
    row_text(&console->row, ", process ");
    row_number(&console->row, process->process_id);
    console_row_end(console);
    for (uint32_t i = 0; slot < SLOT_LIMIT && i < CONSOLE_ROWS_MAX; i++) {
        if (!read_slot(console, process->process_id, slot, &held))
            return;
        bool is_there = held.object_type != OBJECT_NONE;
        bool is_work = held.slot >= SLOT_DYNAMIC_BASE && held.object_type != OBJECT_ENDPOINT;
        if (is_there && !is_work)
            slot_row(console, &held);
        work_count += is_there && is_work;
        slot = is_there ? held.slot + 1 : held.slot;
    }
    if (work_count == 0)
        return;
    row_of(console, "  and objects of its work: ", work_count);
    console_row_end(console);
}

static void graph(struct console *console, const struct console_command *command)
{
    struct procd_list_processes_reply process;
    uint32_t place = 0;
    bool found = false;
    while (next_process(console, &place, &process)) {
        const struct role *role = role_find(process.role);
        bool is_meant =
            command->word_count == 0 ||
            (role != NULL && console_is_name(role->image, command->word, command->word_count));
        bool lives = process.state == PROCESS_STAGED || process.state == PROCESS_RUNNING;
        if (is_meant && lives)
            slots_of(console, &process);
        found |= is_meant && lives;
    }
    if (!found)
        console_say(console, "graph", STATUS_NOT_FOUND);
}

/* --- all of them ------------------------------------------------------------------------------ */

static void help(struct console *console)
{
    for (unsigned i = CONSOLE_COMMAND_NONE + 1; i < CONSOLE_COMMAND_COUNT; i++) {
        const struct console_command_text *text = &console_command_texts[i];
        row_text(&console->row, "  ");
        row_text(&console->row, text->name);
        row_text(&console->row, " ");
        row_text(&console->row, text->arguments);
        row_column(&console->row, 26);
        row_text(&console->row, text->why);
        console_row_end(console);
    }
}

static void uptime(struct console *console)
{
    static const struct timed_now_monotonic_request nothing;
    struct timed_now_monotonic_reply reply;
    enum status status =
        console_call(console, ROLE_TIMED, 0, &timed_now_monotonic_request_type, &nothing, &reply);
    if (status != STATUS_OK) {
        console_say(console, "uptime", status);
        return;
    }
    row_seconds(&console->row, reply.now_ticks);
    row_text(&console->row, " s");
    console_row_end(console);
}

void console_do(struct console *console, const struct console_command *command)
{
    switch (command->id) {
    case CONSOLE_COMMAND_NONE:
    case CONSOLE_COMMAND_COUNT:
        return;
    case CONSOLE_COMMAND_HELP:
        help(console);
        return;
    case CONSOLE_COMMAND_PS:
        processes(console);
        return;
    case CONSOLE_COMMAND_MEMORY:
        memory(console);
        return;
    case CONSOLE_COMMAND_LOG:
        show_log(console);
        return;
    case CONSOLE_COMMAND_CRASHES:
        crashes(console);
        return;
    case CONSOLE_COMMAND_PROGRAMS:
        console_programs(console);
        return;
    case CONSOLE_COMMAND_RUN:
        console_start(console, command, true);
        return;
    case CONSOLE_COMMAND_START:
        console_start(console, command, false);
        return;
    case CONSOLE_COMMAND_STOP:
        console_stop(console, command->number);
        return;
    case CONSOLE_COMMAND_GRAPH:
        graph(console, command);
        return;
    case CONSOLE_COMMAND_LS:
        console_ls(console, command);
        return;
    case CONSOLE_COMMAND_CAT:
        console_cat(console, command);
        return;
    case CONSOLE_COMMAND_UPTIME:
        uptime(console);
        return;
    case CONSOLE_COMMAND_EXIT:
        console->leaves = true;
        return;
    }
}
