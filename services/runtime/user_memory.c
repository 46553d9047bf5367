/* SPDX-License-Identifier: ISC */
/* abi/user_memory.h on the metal: plain accesses, one instruction each, by assembly so that the
 * compiler neither moves, splits nor judges them. */
#include "abi/user_memory.h"

uint64_t user_load64(uint64_t addr)
{
    uint64_t value;
    __asm__ volatile("movq (%1), %0" : "=r"(value) : "r"(addr) : "memory");
    return value;
}

void user_store64(uint64_t addr, uint64_t value)
{
    __asm__ volatile("movq %1, (%0)" : : "r"(addr), "r"(value) : "memory");
}

void user_exec(uint64_t addr)
{
    __asm__ volatile("call *%0"
                     : "+r"(addr)
                     :
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
}

void user_spin(void)
{
    __asm__ volatile("pause" : : : "memory");
}
