/* SPDX-License-Identifier: ISC */
/* What the files of the console share. */
#ifndef BASALT_SERVICES_CONSOLE_INTERNAL_H
#define BASALT_SERVICES_CONSOLE_INTERNAL_H

#include "abi/codec.h"
#include "services/console/console.h"

/* --- console.c: the line and the services ------------------------------------------------------ */

/* A call to a peer by its role, with CONSOLE_CALL_TICKS and `wait_ticks` on top; when the transport
 * fails, a service that is found by name is found again and asked once more. */
enum status console_call(struct console *console, uint32_t role, uint64_t wait_ticks,
                         const struct message_type *type, const void *request, void *reply);

/* The kernel's clock. */
uint64_t console_now(struct console *console);

/* Looks at the line for so long; Ctrl-C: true. Other bytes are forgotten. */
bool console_is_stopped(struct console *console);

/* Writes the row and its end, and begins the next one. */
void console_row_end(struct console *console);

/* A row of "<what>: <status name>". */
void console_say(struct console *console, const char *what, enum status status);

/* --- commands.c, commands_files.c, commands_run.c ---------------------------------------------------------------- */

void console_do(struct console *console, const struct console_command *command);
void console_programs(struct console *console);
void console_start(struct console *console, const struct console_command *command, bool waits);
void console_stop(struct console *console, uint64_t process_id);
void console_ls(struct console *console, const struct console_command *command);
void console_cat(struct console *console, const struct console_command *command);

#endif
