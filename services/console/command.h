/* SPDX-License-Identifier: ISC */
/* What a line asks for: a pure unit. */
#ifndef BASALT_SERVICES_CONSOLE_COMMAND_H
#define BASALT_SERVICES_CONSOLE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/limits.h"

/* COMMAND(NAME, "name", word, number, "arguments", "what it does")
 *   word    it takes the name of a role: NEVER, MAY, MUST; number: a number after that, the same */
#define CONSOLE_COMMANDS(COMMAND)                                                                  \
    COMMAND(HELP, "help", NEVER, NEVER, "", "what can be asked for")                               \
    COMMAND(PS, "ps", NEVER, NEVER, "", "processes: state, lives, memory, owner")                  \
    COMMAND(MEMORY, "memory", NEVER, NEVER, "", "memory by account")                               \
    COMMAND(LOG, "log", NEVER, NEVER, "", "the log")                                               \
    COMMAND(CRASHES, "crashes", NEVER, NEVER, "", "records of killed processes")                   \
    COMMAND(PROGRAMS, "programs", NEVER, NEVER, "", "what can be run")                             \
    COMMAND(RUN, "run", MUST, MAY, "NAME [NUMBER]", "runs a program to its end; Ctrl-C stops it")  \
    COMMAND(START, "start", MUST, MAY, "NAME [NUMBER]", "starts a program; of a file: /PATH")      \
    COMMAND(STOP, "stop", NEVER, MUST, "ID", "stops a process")                                    \
    COMMAND(GRAPH, "graph", MAY, NEVER, "[NAME]", "who holds what, as the kernel says it")         \
    COMMAND(UPTIME, "uptime", NEVER, NEVER, "", "time since the machine booted")                   \
    COMMAND(LS, "ls", MAY, NEVER, "[PATH]", "what is in a directory")                              \
    COMMAND(CAT, "cat", MUST, NEVER, "PATH", "the text of a file")                                 \
    COMMAND(EXIT, "exit", NEVER, NEVER, "", "ends the console; the system goes on")

enum console_command_id {
    CONSOLE_COMMAND_NONE = 0, /* an empty line */
#define COMMAND(NAME, name, word, number, arguments, why) CONSOLE_COMMAND_##NAME,
    CONSOLE_COMMANDS(COMMAND)
#undef COMMAND
        CONSOLE_COMMAND_COUNT
};

enum console_mistake {
    CONSOLE_FINE,
    CONSOLE_UNKNOWN,  /* no such command */
    CONSOLE_MISSING,  /* an argument */
    CONSOLE_TOO_MANY, /* arguments */
    CONSOLE_NO_NUMBER /* decimal, or hexadecimal after 0x; below 2^64 */
};

struct console_command {
    enum console_command_id id;
    uint32_t word_count; /* bytes of `word`; 0: none was given */
    const char *word;    /* in the line */
    uint64_t number;     /* 0 when none was given */
};

/* Words are separated by spaces. On a mistake only `id` means something: the command that was meant. */
enum console_mistake console_command_parse(const char *text, uint32_t count,
                                           struct console_command *command);

/* Whether so many bytes are this name. */
bool console_is_name(const char *name, const char *bytes, uint32_t count);

/* Name, arguments and purpose of a command, for help. */
struct console_command_text {
    const char *name;
    const char *arguments;
    const char *why;
};
extern const struct console_command_text console_command_texts[CONSOLE_COMMAND_COUNT];

#endif
