/* SPDX-License-Identifier: ISC */
/* The console against services that answer by a script: for each command what is asked of whom, in which
 * order, what is shown of each answer, and what of each refusal (Y1, Y2). fuzz/console/console_talk.c says
 * the same of answers that nobody wrote down. */
#include "props/tests/console/console_test.h"

#include "props/base/testing.h"

int main(int count, char **arguments)
{
    (void)count;
    test_start();
    test_lists();
    test_programs();
    test_files();
    test_line();
    return tests_end(arguments[0]);
}
