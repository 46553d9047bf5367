/* SPDX-License-Identifier: ISC */
/* What is started and stopped: programs of the image, by procd, and programs from files, by loaderd.
 * Decides which module a name means, and that a word with a '/' in front is a path; what may be made of
 * either, procd and loaderd decide. */
#include "services/console/internal.h"

#include <string.h>

#include "abi/messages/loaderd.h"
#include "abi/process.h"
#include "abi/roles.h"
#include "services/lib/kernel_calls.h"

void console_programs(struct console *console)
{
    for (uint32_t i = 0; i < console->offer.count; i++) {
        const struct role *role = role_find(console->offer.modules[i].role);
        row_text(&console->row, "  ");
        row_text(&console->row, role == NULL ? "?" : role->image);
        console_row_end(console);
    }
}

/* What the envelope of rootd offers under a name; null: nothing. */
static const struct startup_module *module_named(const struct console *console,
                                                 const struct console_command *command)
{
    for (uint32_t i = 0; i < console->offer.count; i++) {
        const struct role *role = role_find(console->offer.modules[i].role);
        if (role != NULL && console_is_name(role->image, command->word, command->word_count))
            return &console->offer.modules[i];
    }
    return NULL;
}

/* SPAWN_SERVICE gives an end of the process too, which nobody here calls. */
static enum status spawn(struct console *console, const struct startup_module *module,
                         uint64_t argument, uint64_t *process_id)
{
    struct procd_spawn_service_request request = {
        .role = module->role,
        .page_limit = module->page_limit,
        .budget_pages = module->budget_pages,
        .image_offset = module->image_offset,
        .image_bytes = module->image_bytes,
        .argument = argument,
    };
    struct procd_spawn_service_reply made;
    (void)kernel_drop_local_cap(&console->caller, CONSOLE_SLOT_CHILD); /* of one that was refused */
    uint64_t deadline_ticks = deadline_after(console_now(console), CONSOLE_CALL_TICKS);
    enum status status =
        caller_call(&console->caller, SLOT_PEER_PROCD, (struct window){CONSOLE_SLOT_CHILD, 1},
                    deadline_ticks, &procd_spawn_service_request_type, &request, &made);
    if (status != STATUS_OK)
        return status;
    *process_id = made.process_id;
    return kernel_drop_local_cap(&console->caller, CONSOLE_SLOT_CHILD);
}

static void say_process(struct console *console, const char *what, uint64_t process_id)
{
    row_text(&console->row, "process ");
    row_number(&console->row, process_id);
    row_text(&console->row, what);
}

static bool is_path(const struct console_command *command)
{
    return command->word_count != 0 && command->word[0] == '/';
}

/* A number behind a path would be an argument, for which there is no way yet. */
static enum status launch(struct console *console, const struct console_command *command,
                          uint64_t *process_id)
{
    struct loaderd_launch_path_request request = {.path_count = command->word_count,
                                                  .count = command->word_count};
    struct loaderd_launch_path_reply made;
    _Static_assert((int)CONSOLE_LINE_BYTES_MAX <= (int)FILE_PATH_BYTES_MAX, "a line is no longer");
    if (command->number != 0)
        return STATUS_UNSUPPORTED;
    memcpy(request.bytes, command->word, command->word_count);
    enum status status =
        console_call(console, ROLE_LOADERD, 0, &loaderd_launch_path_request_type, &request, &made);
    *process_id = made.process_id;
    return status;
}

/* By whoever has it made: ROLE_PROCD or ROLE_LOADERD. */
static enum status stop(struct console *console, uint32_t maker, uint64_t process_id)
{
    struct procd_stop_process_request process = {.process_id = process_id};
    struct loaderd_stop_program_request program = {.process_id = process_id};
    if (maker == ROLE_LOADERD)
        return console_call(console, maker, 0, &loaderd_stop_program_request_type, &program, NULL);
    return console_call(console, maker, 0, &procd_stop_process_request_type, &process, NULL);
}

/* What procd does not know as the console's may be a program that loaderd has for it. */
void console_stop(struct console *console, uint64_t process_id)
{
    enum status status =
        process_id == 0 ? STATUS_INVALID_ARGUMENT : stop(console, ROLE_PROCD, process_id);
    if (status == STATUS_NOT_FOUND)
        status = stop(console, ROLE_LOADERD, process_id);
    console_say(console, "stop", status);
}

/* How it ended, when it does in CONSOLE_LOOK_TICKS. */
static enum status wait_once(struct console *console, uint32_t maker, uint64_t process_id,
                             struct loaderd_wait_program_reply *ended)
{
    uint64_t deadline_ticks = deadline_after(console_now(console), CONSOLE_LOOK_TICKS);
    struct loaderd_wait_program_request program = {process_id, deadline_ticks};
    struct procd_wait_process_event_request process = {process_id, deadline_ticks};
    struct procd_wait_process_event_reply event;
    if (maker == ROLE_LOADERD)
        return console_call(console, maker, CONSOLE_LOOK_TICKS, &loaderd_wait_program_request_type,
                            &program, ended);
    enum status status = console_call(console, maker, CONSOLE_LOOK_TICKS,
                                      &procd_wait_process_event_request_type, &process, &event);
    *ended = (struct loaderd_wait_program_reply){
        .reason = event.reason, .code = event.code, .fault_va = event.fault_va};
    return status;
}

static void say_end(struct console *console, uint64_t process_id,
                    const struct loaderd_wait_program_reply *ended)
{
    say_process(console, ": ", process_id);
    row_text(&console->row, end_reason_name(ended->reason));
    row_text(&console->row, ", code ");
    row_hex(&console->row, ended->code);
    if (ended->fault_va != 0) {
        row_text(&console->row, ", at ");
        row_hex(&console->row, ended->fault_va);
    }
    console_row_end(console);
}

/* Until it has ended, or nobody can tell. Whoever types is heard in between: Ctrl-C, once. */
static void wait_for(struct console *console, uint32_t maker, uint64_t process_id)
{
    struct loaderd_wait_program_reply ended;
    enum status status = STATUS_TIMED_OUT;
    bool stopped = false;
    while (status == STATUS_TIMED_OUT && console->lost == STATUS_OK) {
        status = wait_once(console, maker, process_id, &ended);
        if (status == STATUS_TIMED_OUT && !caller_was_answered(&console->caller))
            break; /* there is no answer at all */
        if (status == STATUS_TIMED_OUT && !stopped && console_is_stopped(console)) {
            stopped = true;
            enum status refused = stop(console, maker, process_id);
            if (refused != STATUS_OK)
                console_say(console, "stop", refused);
        }
    }
    if (status == STATUS_OK)
        say_end(console, process_id, &ended);
    else
        console_say(console, "wait", status);
}

void console_start(struct console *console, const struct console_command *command, bool waits)
{
    const struct startup_module *module = module_named(console, command);
    uint32_t maker = is_path(command) ? ROLE_LOADERD : ROLE_PROCD;
    uint64_t process_id = 0;
    enum status status = STATUS_NOT_FOUND;
    if (maker == ROLE_LOADERD)
        status = launch(console, command, &process_id);
    else if (module != NULL)
        status = spawn(console, module, command->number, &process_id);
    if (status != STATUS_OK) {
        console_say(console, waits ? "run" : "start", status);
        return;
    }
    say_process(console, " runs", process_id);
    console_row_end(console);
    if (waits)
        wait_for(console, maker, process_id);
}
