/* SPDX-License-Identifier: ISC */
/* Stack switching for x86-64 SysV. Knows nothing of processes. An abandoned stack is unpoisoned
 * before it is used again: AddressSanitizer would otherwise report frames that never returned. */
#include "props/world/fiber.h"

#include <stdint.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef WITH_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum { GUARD_BYTES = 4096 };

/* Pushes the callee-saved registers, stores the stack pointer, loads the other one. */
void fiber_swap(void **save, void *load);
__asm__(".text\n"
        ".globl fiber_swap\n"
        ".type fiber_swap, @function\n"
        "fiber_swap:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size fiber_swap, . - fiber_swap\n");

static void switch_begin(struct fiber *from, const struct fiber *to)
{
#ifdef WITH_ADDRESS_SANITIZER
    const void *bottom = to->stack_bottom != NULL ? to->stack_bottom : to->seen_bottom;
    size_t bytes = to->stack_bottom != NULL ? FIBER_STACK_BYTES : to->seen_bytes;
    __sanitizer_start_switch_fiber(&from->sanitizer_fake, bottom, bytes);
#else
    (void)from;
    (void)to;
#endif
}

static void switch_end(struct fiber *self)
{
#ifdef WITH_ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(self->sanitizer_fake, NULL, NULL);
#else
    (void)self;
#endif
}

int fiber_prepare(struct fiber *fiber, void (*entry)(void))
{
    if (fiber->stack_bottom == NULL) {
        uint8_t *base = mmap(NULL, FIBER_STACK_BYTES + GUARD_BYTES, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED)
            return -1;
        mprotect(base, GUARD_BYTES, PROT_NONE);
        fiber->stack_bottom = base + GUARD_BYTES;
    }
#ifdef WITH_ADDRESS_SANITIZER
    __asan_unpoison_memory_region(fiber->stack_bottom, FIBER_STACK_BYTES);
#endif
    fiber->sanitizer_fake = NULL;
    /* The stack as fiber_swap left it: six registers, the return address, one slot so that the
     * entry sees the alignment of a called function. */
    uint64_t *top = (uint64_t *)((uint8_t *)fiber->stack_bottom + FIBER_STACK_BYTES);
    *--top = 0;
    *--top = (uint64_t)(uintptr_t)entry;
    for (int i = 0; i < 6; i++)
        *--top = 0;
    fiber->stack_pointer = top;
    return 0;
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
    switch_begin(from, to);
    fiber_swap(&from->stack_pointer, to->stack_pointer);
    switch_end(from);
}

void fiber_started(struct fiber *from)
{
#ifdef WITH_ADDRESS_SANITIZER
    const void *bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(NULL, &bottom, &bytes);
    if (from->stack_bottom == NULL) {
        from->seen_bottom = bottom;
        from->seen_bytes = bytes;
    }
#else
    (void)from;
#endif
}

void fiber_release(struct fiber *fiber)
{
    if (fiber->stack_bottom != NULL)
        munmap((uint8_t *)fiber->stack_bottom - GUARD_BYTES, FIBER_STACK_BYTES + GUARD_BYTES);
    *fiber = (struct fiber){0};
}
