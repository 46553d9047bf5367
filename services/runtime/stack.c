/* SPDX-License-Identifier: ISC */
/* The stack of an image, and what -fstack-protector-strong asks for. The reserve is the last thing
 * of the last segment (linker/service.ld, linker/helper.ld), so that stack_top is its end. */
#include <stdint.h>

#include "abi/limits.h"

/* Kept by the linker script; nothing names it. */
static uint8_t stack_reserve[STACK_RESERVE_BYTES]
    __attribute__((used, section(".bss.stack_reserve"), aligned(PAGE_BYTES)));

/* A constant, because an image and its run must repeat (E3): it finds our overflows, it does not
 * hide from an attacker. Its zero byte stops a run-away string copy. */
extern const uintptr_t __stack_chk_guard;
const uintptr_t __stack_chk_guard = UINT64_C(0xB5A17F00C0DE5EED);

__attribute__((noreturn)) void __stack_chk_fail(void);

/* The process ends with FAULT_INSTRUCTION. */
void __stack_chk_fail(void)
{
    __builtin_trap();
}
