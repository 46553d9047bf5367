/* SPDX-License-Identifier: ISC */
/* A talk with the console as a script: what is typed, what the console then asks of whom and what it is
 * told, and what it shows, in this order and nothing between. One string is one step:
 *
 *   "$ stop 7"                  the line that is typed at the prompt, which echoes it
 *   "| stop: OK"                a row that is shown
 *   "procd.stop_process process_id=7 -> NOT_FOUND"
 *                               a call, with every field of its request that is not zero, then the answer
 *   "* 9 next_cursor"           the call before comes so often again, whatever it asks then, and is
 *                               answered as before with this field larger by one each time; with "|"
 *                               behind, a row is shown for each
 *   "ends TIMED_OUT"            last: what the talk returns; without it `exit` is typed at the end
 *
 * Fields stand in wire order, numbers in decimal, bytes between quotes (the count before them is not
 * shown), `window=64` behind when the reply may bring capabilities there, `deadline_ticks` from now on.
 * An answer is the fields of the reply that are not zero, or OK when there are none; the name of a status:
 * a refusal; with "!" in front: the kernel's, nobody answered; "nonsense": a reply that does not decode.
 * Reads and writes of the line are calls like any other where the script has them; else what is written is
 * taken and becomes rows, and what is read is what is typed. Nobody types a line that no step has.
 *
 * Every call is checked besides: that it goes to the slot of its service, with the deadline that the
 * console promises (P12). */
#ifndef BASALT_PROPS_TESTS_CONSOLE_CONSOLE_TEST_H
#define BASALT_PROPS_TESTS_CONSOLE_CONSOLE_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/startup.h"
#include "abi/system.h"

#define TALK(name, ...) talk(name, (const char *const[]){__VA_ARGS__, 0})
void talk(const char *name, const char *const *steps);

/* The two halves of a talk, for who has the console begin elsewhere. */
void talk_begin(const char *name, const char *const *steps);
void talk_end(enum status status);

/* Calls of the line that the last talk made: reads and writes that its script did not have. */
uint32_t talk_line_calls(void);

/* From now on all of those get this answer ("" as before), as in a step. */
void talk_line_answer(const char *answer);

/* Of console_test_start.c: what every talk has on offer; whoever starts the console, what is said
 * of what it holds, and whether anybody still waited for the reply. */
void start_offer(struct startup_offer_modules_request *offer);
enum status start_receive(struct message *message, struct receive_info *info);
bool start_answer(struct message *message);
bool start_replied(const struct message *message);

void test_start(void);
void test_lists(void);
void test_programs(void);
void test_files(void);
void test_line(void);

#endif
