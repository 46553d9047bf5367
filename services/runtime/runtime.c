/* SPDX-License-Identifier: ISC */
/* The end of a process of the image, and the call of a helper's main. Decides nothing. */
#include "services/runtime/runtime.h"

#include "abi/assert.h"
#include "abi/limits.h"
#include "services/lib/kernel_calls.h"
#include "services/runtime/entry_code.h"

_Static_assert(HELPER_STACK_PAGES *PAGE_BYTES <= STACK_RESERVE_BYTES, "pages of the stack");

/* Ends the process by EXIT on its SELF capability. Should the kernel refuse that, an invalid
 * instruction ends it. */
__attribute__((noreturn)) static void runtime_exit(uint32_t code)
{
    struct caller caller = {0};
    kernel_exit(&caller, code);
    __builtin_trap();
}

/* The line is in the terminal event; condition and file are what a debugger sees here. */
void unit_assert_failed(const char *condition, const char *file, int line)
{
    (void)condition;
    (void)file;
    runtime_exit(ASSERT_EXIT_BASE + (uint32_t)line);
}

void helper_start(uint32_t (*helper)(uint64_t argument), uint64_t argument)
{
    runtime_exit(helper(argument));
}
