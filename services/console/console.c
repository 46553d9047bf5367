/* SPDX-License-Identifier: ISC */
/* The shell's loop: the line, the services behind it, and what is lost when. Decides nothing about what a
 * command does. */
#include "services/console/console.h"

#include <string.h>

#include "abi/messages/seriald.h"
#include "abi/roles.h"
#include "services/console/internal.h"
#include "services/lib/discovery.h"

static const char prompt[] = "basalt> ";

/* --- time ------------------------------------------------------------------------------------- */

/* Whoever calls one of these programs is refused: they serve nobody. */
static enum handled deny_handle(void *state, struct message *message,
                                const struct receive_info *info)
{
    (void)state;
    (void)info;
    message_refuse(message, STATUS_DENIED);
    return HANDLED_REPLY;
}

/* Listens at its own endpoint, where nobody has anything to say, until then: the kernel tells the clock
 * whatever comes of it. No service does that, which might not answer. */
static void listen(struct console *console, uint64_t deadline_ticks)
{
    struct receive_info info;
    memset(&info, 0, sizeof info);
    (void)service_turn(&console->caller, SLOT_SERVICE_ENDPOINT, deadline_ticks, deny_handle, NULL,
                       &info);
    caller_see_clock(&console->caller, info.now_ticks);
}

uint64_t console_now(struct console *console)
{
    listen(console, DEADLINE_POLL);
    return console->caller.now_ticks;
}

static void pause(struct console *console)
{
    listen(console, deadline_after(console_now(console), CONSOLE_PAUSE_TICKS));
}

/* --- services --------------------------------------------------------------------------------- */

static bool is_found_by_name(uint32_t role)
{
    return role != ROLE_MEMD && role != ROLE_PROCD && role != ROLE_LOADERD;
}

enum status console_call(struct console *console, uint32_t role, uint64_t wait_ticks,
                         const struct message_type *type, const void *request, void *reply)
{
    uint32_t slot = role_peer_slot(role);
    enum status status = STATUS_INTERNAL;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t deadline_ticks =
            deadline_after(console_now(console), wait_ticks + CONSOLE_CALL_TICKS);
        status =
            caller_call(&console->caller, slot, NO_WINDOW, deadline_ticks, type, request, reply);
        bool is_gone = !caller_was_answered(&console->caller) &&
                       (status == STATUS_NOT_FOUND || status == STATUS_PEER_DIED);
        if (!is_gone || !is_found_by_name(role) ||
            discovery_find(&console->caller, role, slot) != STATUS_OK)
            return status;
    }
    return status;
}

/* --- the line --------------------------------------------------------------------------------- */

/* All of it, however long that takes, while some of it is taken at least once in CONSOLE_TRIES. */
static void write(struct console *console, const char *bytes, uint32_t count)
{
    struct seriald_write_request request;
    struct seriald_write_reply reply;
    enum status status = STATUS_OK;
    for (unsigned tries = 0; count != 0 && console->lost == STATUS_OK;) {
        request.count = count < SERIAL_BYTES_MAX ? count : SERIAL_BYTES_MAX;
        memcpy(request.bytes, bytes, request.count);
        status =
            console_call(console, ROLE_SERIALD, 0, &seriald_write_request_type, &request, &reply);
        uint32_t taken = status == STATUS_OK ? reply.taken_count : 0;
        if (taken > request.count) { /* nothing can be made of that */
            console->lost = STATUS_INTERNAL;
            return;
        }
        bytes += taken;
        count -= taken;
        if (taken != 0)
            tries = 0;
        else if (tries++ == CONSOLE_TRIES)
            console->lost = status == STATUS_OK ? STATUS_TIMED_OUT : status;
        else
            pause(console);
    }
}

/* What was typed, in at most so many ticks. */
static void read(struct console *console, uint64_t wait_ticks, struct seriald_read_reply *reply)
{
    struct seriald_read_request request = {.wait_ticks = wait_ticks};
    for (unsigned tries = 0; console->lost == STATUS_OK; tries++) {
        enum status status = console_call(console, ROLE_SERIALD, wait_ticks,
                                          &seriald_read_request_type, &request, reply);
        if (status == STATUS_OK)
            return;
        if (tries == CONSOLE_TRIES)
            console->lost = status;
        else
            pause(console);
    }
    memset(reply, 0, sizeof *reply);
}

void console_row_end(struct console *console)
{
    char bytes[CONSOLE_ROW_BYTES_MAX + 2];
    memcpy(bytes, console->row.bytes, console->row.count);
    memcpy(&bytes[console->row.count], "\r\n", 2);
    write(console, bytes, console->row.count + 2);
    console->row.count = 0;
}

void console_say(struct console *console, const char *what, enum status status)
{
    row_text(&console->row, what);
    row_text(&console->row, ": ");
    row_text(&console->row, status_name(status));
    console_row_end(console);
}

bool console_is_stopped(struct console *console)
{
    struct seriald_read_reply typed;
    struct console_echo echo;
    bool stopped = false;
    read(console, 0, &typed);
    for (uint32_t i = 0; i < typed.count; i++)
        stopped |= console_line_take(&console->line, typed.bytes[i], &echo) == CONSOLE_STOPPED;
    console_line_clear(&console->line);
    return stopped || console->lost != STATUS_OK;
}

/* --- what is typed ----------------------------------------------------------------------------- */

static void show_prompt(struct console *console)
{
    write(console, prompt, sizeof prompt - 1);
}

static void do_line(struct console *console)
{
    static const char *const mistakes[] = {
        [CONSOLE_FINE] = "",
        [CONSOLE_UNKNOWN] = "no such command; help lists them",
        [CONSOLE_MISSING] = "an argument is missing: ",
        [CONSOLE_TOO_MANY] = "too many arguments: ",
        [CONSOLE_NO_NUMBER] = "not a number: ",
    };
    struct console_command command;
    enum console_mistake mistake =
        console_command_parse(console->line.text, console->line.count, &command);
    if (mistake == CONSOLE_FINE) {
        console_do(console, &command);
    } else {
        const struct console_command_text *text = &console_command_texts[command.id];
        row_text(&console->row, mistakes[mistake]);
        row_text(&console->row, text->name);
        row_text(&console->row, " ");
        row_text(&console->row, text->arguments);
        console_row_end(console);
    }
    console_line_clear(&console->line);
}

static void take(struct console *console, uint8_t byte)
{
    struct console_echo echo;
    enum console_event event = console_line_take(&console->line, byte, &echo);
    write(console, echo.bytes, echo.count);
    switch (event) {
    case CONSOLE_TYPING:
        return;
    case CONSOLE_DONE:
        do_line(console);
        break;
    case CONSOLE_STOPPED:
        break;
    case CONSOLE_LEFT:
        console_row_end(console);
        console->leaves = true;
        break;
    }
    if (!console->leaves)
        show_prompt(console);
}

enum status console_talk(struct console *console)
{
    static const uint32_t found[] = {ROLE_SERIALD, ROLE_TIMED, ROLE_LOGD, ROLE_CRASHD, ROLE_VFSD};
    struct seriald_read_reply typed;
    for (unsigned i = 0; i < sizeof found / sizeof found[0]; i++)
        (void)discovery_find(&console->caller, found[i], role_peer_slot(found[i]));
    row_text(&console->row, "Basalt; help lists what can be asked for");
    console_row_end(console);
    show_prompt(console);
    while (!console->leaves && console->lost == STATUS_OK) {
        read(console, CONSOLE_IDLE_TICKS, &typed);
        for (uint32_t i = 0; i < typed.count && !console->leaves; i++)
            take(console, typed.bytes[i]);
    }
    if (console->lost == STATUS_OK) {
        row_text(&console->row, "the console ends");
        console_row_end(console);
    }
    return console->lost;
}

enum status console_run(struct console *console)
{
    enum status status =
        service_start(&console->caller, ROLE_CONSOLE, &console->start, NULL, NULL, NULL);
    if (status == STATUS_OK)
        status = service_take_offer(&console->caller, &console->offer);
    return status == STATUS_OK ? console_talk(console) : status;
}

uint32_t console_main(uint64_t argument)
{
    struct console console;
    (void)argument;
    memset(&console, 0, sizeof console);
    return console_run(&console);
}

uint32_t console_idle_main(uint64_t argument)
{
    struct caller caller;
    struct receive_info info;
    enum status status = STATUS_OK;
    (void)argument;
    memset(&caller, 0, sizeof caller);
    while (status == STATUS_OK)
        status =
            service_turn(&caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, deny_handle, NULL, &info);
    return status;
}
