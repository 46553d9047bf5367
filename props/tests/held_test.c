/* SPDX-License-Identifier: ISC */
/* The book of what a process holds whose peers deliver too much (props/stand_ins/adversary_held.h): each
 * thing that it forbids is done once, in a process that must end with its property, and what comes
 * nearest to it and is allowed, in one that must not. Harnesses rely on this book alone, and a property
 * that cannot fail would be noticed by none of them. */
#include "props/stand_ins/adversary_held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/messages/kernel.h"
#include "abi/slots.h"
#include "props/base/testing.h"

enum { WINDOW = SLOT_RECEIVE_BASE, WINDOW_COUNT = 4, KEPT = SLOT_DYNAMIC_BASE };

/* --- what a process does ------------------------------------------------------------------------ */

static void call(uint16_t operation, uint32_t slot, uint32_t window_slot, uint8_t window_count)
{
    struct message message;
    memset(&message, 0, sizeof message);
    message.header.operation = operation;
    message.header.window_slot = window_slot;
    message.header.window_count = window_count;
    memcpy(message.body, &slot, sizeof slot);
    (void)adversary_held_call(&message);
}

/* The answer to it, which delivers so many capabilities; `taken`: it is one. */
static void answered(enum status status, uint8_t cap_count, bool taken)
{
    struct message message;
    memset(&message, 0, sizeof message);
    message.header.status = (uint16_t)status;
    message.header.cap_count = cap_count;
    adversary_held_answered(STATUS_OK, &message, taken);
}

static void dropped(uint32_t slot, enum status status)
{
    call(OP_KERNEL_DROP_LOCAL_CAP, slot, 0, 0);
    answered(status, 0, status == STATUS_OK);
}

static void asks_with_window(uint32_t window_slot)
{
    call(OP_KERNEL_RETIRE_PROCESS, 0, window_slot, WINDOW_COUNT);
}

static void receives(void)
{
    (void)adversary_held_receive(WINDOW, WINDOW_COUNT);
}

/* A message whose capability number `at` stays where it was delivered. */
static void receives_and_keeps(uint32_t at)
{
    receives();
    adversary_held_delivered(WINDOW + at, 1);
}

/* --- what is allowed, and what is not -------------------------------------------------------------- */

static void window_empty(void)
{
    receives_and_keeps(0);
    dropped(WINDOW, STATUS_OK);
    receives();
    asks_with_window(KEPT);
    answered(STATUS_OK, 1, true);
    asks_with_window(KEPT + WINDOW_COUNT);
}

static void window_stuck(void)
{
    receives_and_keeps(0);
    dropped(WINDOW, STATUS_INTERNAL); /* the kernel's fault */
    receives();
}

static void window_filled_first(void)
{
    receives_and_keeps(0);
    receives();
}

static void window_filled_last(void)
{
    receives_and_keeps(WINDOW_COUNT - 1);
    receives();
}

static void window_filled_call(void)
{
    asks_with_window(KEPT);
    answered(STATUS_OK, 1, true);
    asks_with_window(KEPT);
}

static void window_known(void)
{
    asks_with_window(KEPT);
    answered(STATUS_OK, 1, true);
    dropped(KEPT, STATUS_INTERNAL);
    asks_with_window(KEPT);
}

static void due_dropped(void)
{
    asks_with_window(KEPT);
    answered(STATUS_OK, 1, false);
    dropped(KEPT, STATUS_OK);
    receives();
}

static void due_call(void)
{
    asks_with_window(KEPT);
    answered(STATUS_OK, 1, false);
    asks_with_window(WINDOW);
}

static void due_other_dropped(void)
{
    asks_with_window(KEPT);
    answered(STATUS_OK, 1, false);
    dropped(KEPT + 1, STATUS_OK);
}

static void due_receive(void)
{
    asks_with_window(KEPT);
    answered(STATUS_OK, 1, false);
    receives();
}

static const struct trial {
    const char *what;
    void (*does)(void);
    const char *property; /* that must fail; null: none */
} trials[] = {
    {"windows that are empty", window_empty, NULL},
    {"a window that the kernel would not empty", window_stuck, NULL},
    {"a receive into a window whose first slot is filled", window_filled_first, "E10-window-empty"},
    {"a receive into a window whose last slot is filled", window_filled_last, "E10-window-empty"},
    {"a call with a window that is filled", window_filled_call, "E10-window-empty"},
    {"a call with a window of which it knows that it is filled", window_known, "E10-window-known"},
    {"what came with no answer is dropped", due_dropped, NULL},
    {"a call before that is dropped", due_call, "E4-dropped-first"},
    {"another slot is dropped before", due_other_dropped, "E4-dropped-first"},
    {"a receive before that is dropped", due_receive, "E4-dropped-first"},
};

/* What it says on stderr before it ends. */
static bool ends_well(const struct trial *trial, char *said, size_t limit)
{
    int ends[2], status = -1;
    size_t count = 0;
    ssize_t more;
    if (pipe(ends) != 0)
        abort();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        adversary_held_begin();
        trial->does();
        _exit(0);
    }
    close(ends[1]);
    while ((more = read(ends[0], said + count, limit - 1 - count)) > 0)
        count += (size_t)more;
    said[count] = 0;
    close(ends[0]);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(int count, char **arguments)
{
    (void)count;
    for (unsigned i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        char said[4096], wanted[96] = "";
        bool well = ends_well(&trials[i], said, sizeof said);
        if (trials[i].property != NULL)
            snprintf(wanted, sizeof wanted, "property %s does not hold", trials[i].property);
        expect_of(trials[i].what, trials[i].property == NULL ? "allowed" : wanted,
                  well == (trials[i].property == NULL) &&
                      strncmp(said, wanted, strlen(wanted)) == 0);
    }
    return tests_end(arguments[0]);
}
