/* SPDX-License-Identifier: ISC */
/* console: a shell on the serial line, of images of profile console. An ordinary program of the extension
 * roles with the rows of its role: what it may not do, it is refused by the services, and says so by the
 * name of the status.
 *
 * It checks its start envelope, takes rootd's offer of modules (those that it may run), finds seriald,
 * timed, logd, crashd and vfsd by named, and then does what is typed, one line after the other, until `exit`,
 * Ctrl-D, or the line is lost: EXIT(0), or the status with which the line was lost.
 *
 * The line (Y1): services/console/line.h. What it shows is printable, whatever the services say (Y2); a
 * number that a service must count up and does not ends a list with INTERNAL, and every list ends after
 * CONSOLE_ROWS_MAX rows. Every call has a deadline, by the kernel's clock, which it learns at its own
 * endpoint: a service that does not answer, timed included, costs CONSOLE_CALL_TICKS and its status is
 * shown (P12). A service that was started again is found again, once for each call.
 *
 *   run, start     SPAWN_SERVICE of an offered module; LAUNCH_PATH of a word that begins with '/'. run
 *                  waits for the end, looking at the line every CONSOLE_LOOK_TICKS: Ctrl-C stops the
 *                  process
 *   ls, cat        what vfsd lists of a directory, and reads of a file, CONSOLE_ROWS_MAX rows at most;
 *                  what was opened is closed
 *   uptime         the clock that timed tells
 *   stop           STOP_PROCESS, or STOP_PROGRAM: what it started itself; of everything else neither procd
 *                  nor loaderd knows, for it
 *   ps             procd's list, and memd's account of each process
 *   graph          slots of each process, as the kernel tells procd. Slots of a service's work that name
 *                  no process's endpoint are counted only: pages and processes by the thousand
 *   log, crashes   all that logd and crashd still have */
#ifndef BASALT_SERVICES_CONSOLE_CONSOLE_H
#define BASALT_SERVICES_CONSOLE_CONSOLE_H

#include "abi/messages/memd.h"
#include "abi/messages/procd.h"
#include "abi/messages/startup.h"
#include "services/console/command.h"
#include "services/console/line.h"
#include "services/console/text.h"
#include "services/lib/service.h"

enum {
    CONSOLE_CALL_TICKS = 60 * TICKS_PER_SECOND, /* what an answer may take; procd's may take long */
    CONSOLE_LOOK_TICKS = 200, /* between two looks at the line while something runs */
    CONSOLE_IDLE_TICKS = 60 * TICKS_PER_SECOND, /* one wait for a key */
    CONSOLE_PAUSE_TICKS = 20,                   /* before the line is tried again */
    CONSOLE_TRIES = 500,                        /* ... so often: ten seconds */
    CONSOLE_ROWS_MAX = 1 << 16,
    CONSOLE_SLOT_CHILD = SLOT_RECEIVE_BASE
};

/* All zero is a valid start. */
struct console {
    struct caller caller;
    struct envelope start;
    struct startup_offer_modules_request offer;
    struct console_line line;
    struct console_row row; /* in the making */
    bool leaves;
    enum status lost; /* why the line is; OK: it is not */
};

/* All but EXIT: the result is the exit code. */
enum status console_run(struct console *console);

/* Finds the services, greets, and does what is typed until it leaves; for harnesses, which have no
 * start-up. Result as there. */
enum status console_talk(struct console *console);

/* The program. */
uint32_t console_main(uint64_t argument);

/* A program that runs until it is stopped. */
uint32_t console_idle_main(uint64_t argument);

#endif
