/* SPDX-License-Identifier: ISC */
/* Tests of the kernel core: every operation in both verdicts, on a system booted bare. */
#include "props/tests/kernel/kernel_drive.h"

int main(int count, char **arguments)
{
    (void)count;
    kernel_test_boot();
    kernel_test_self();
    kernel_test_memory();
    kernel_test_vspace();
    kernel_test_ipc();
    kernel_test_reply_recv();
    kernel_test_short();
    kernel_test_transfer();
    kernel_test_life();
    kernel_test_fault();
    kernel_test_run();
    kernel_test_interrupts();
    kernel_test_limits();
    kernel_test_work();
    kernel_test_random(10, 400);
    return tests_end(arguments[0]);
}
