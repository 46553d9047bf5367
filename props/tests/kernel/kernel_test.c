/* SPDX-License-Identifier: ISC */
/* Tests of the kernel core: every operation in both verdicts, on a system booted bare. */
#include <stdio.h>

#include "props/tests/kernel/kernel_drive.h"

int main(void)
{
    kernel_test_boot();
    kernel_test_self();
    kernel_test_memory();
    kernel_test_vspace();
    kernel_test_ipc();
    kernel_test_transfer();
    kernel_test_life();
    kernel_test_fault();
    kernel_test_limits();
    kernel_test_random(10, 400);
    printf("kernel: %u passed, %u failed\n", drive_passed, drive_failed);
    return drive_failed == 0 ? 0 : 1;
}
