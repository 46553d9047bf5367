/* SPDX-License-Identifier: ISC */
/* What is started and stopped: programs of the image, by procd. Decides which module a name means; what
 * may be made of it, procd decides. */
#include "services/console/internal.h"

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

static enum status stop(struct console *console, uint64_t process_id)
{
    struct procd_stop_process_request request = {.process_id = process_id};
    return console_call(console, ROLE_PROCD, 0, &procd_stop_process_request_type, &request, NULL);
}

void console_stop(struct console *console, uint64_t process_id)
{
    enum status status = process_id == 0 ? STATUS_INVALID_ARGUMENT : stop(console, process_id);
    console_say(console, "stop", status);
}

/* Until it has ended, or procd cannot tell. Whoever types is heard in between: Ctrl-C, once. */
static void wait_for(struct console *console, uint64_t process_id)
{
    struct procd_wait_process_event_request request = {.process_id = process_id};
    struct procd_wait_process_event_reply ended;
    enum status status = STATUS_TIMED_OUT;
    bool stopped = false;
    while (status == STATUS_TIMED_OUT && console->lost == STATUS_OK) {
        request.deadline_ticks = deadline_after(console_now(console), CONSOLE_LOOK_TICKS);
        status = console_call(console, ROLE_PROCD, CONSOLE_LOOK_TICKS,
                              &procd_wait_process_event_request_type, &request, &ended);
        if (status == STATUS_TIMED_OUT && !caller_was_answered(&console->caller))
            break; /* procd does not answer at all */
        if (status == STATUS_TIMED_OUT && !stopped && console_is_stopped(console)) {
            stopped = true;
            enum status refused = stop(console, process_id);
            if (refused != STATUS_OK)
                console_say(console, "stop", refused);
        }
    }
    if (status != STATUS_OK) {
        console_say(console, "wait", status);
        return;
    }
    say_process(console, ": ", process_id);
    row_text(&console->row, end_reason_name(ended.reason));
    row_text(&console->row, ", code ");
    row_hex(&console->row, ended.code);
    if (ended.fault_va != 0) {
        row_text(&console->row, ", at ");
        row_hex(&console->row, ended.fault_va);
    }
    console_row_end(console);
}

void console_start(struct console *console, const struct console_command *command, bool waits)
{
    const struct startup_module *module = module_named(console, command);
    uint64_t process_id = 0;
    enum status status =
        module == NULL ? STATUS_NOT_FOUND : spawn(console, module, command->number, &process_id);
    if (status != STATUS_OK) {
        console_say(console, waits ? "run" : "start", status);
        return;
    }
    say_process(console, " runs", process_id);
    console_row_end(console);
    if (waits)
        wait_for(console, process_id);
}
