/* SPDX-License-Identifier: ISC */
/* The entry point of an image, written once for services and once for helpers. A main_<name>.c
 * invokes one of the macros; nothing else in the image starts anything.
 *
 * Registers at the entry point: rsp = stack_top (the end of the last segment, a page boundary; the
 * words below it are ours), rdi, rsi, rdx = the arguments of START_PROCESS (rootd: handoff address,
 * its bytes, root endpoint slot; everybody else: the argument in rdi). All others are undefined.
 * The function is called with rsp 16-byte aligned as SysV wants it and a zero frame pointer, and
 * ends the process itself; when it returns, an invalid instruction does. */
#ifndef BASALT_SERVICES_RUNTIME_ENTRY_CODE_H
#define BASALT_SERVICES_RUNTIME_ENTRY_CODE_H

#include "abi/limits.h"
#include "services/runtime/entry.h"

#define ENTRY_TEXT_OF(value) #value
#define ENTRY_TEXT(value)    ENTRY_TEXT_OF(value)

/* The jump, the tag and the zero-padded name (services/runtime/entry.h). */
/* clang-format off */
#define ENTRY_HEAD(name)                                                                           \
    ".pushsection .text.service_entry, \"ax\", @progbits\n"                                        \
    ".globl service_entry\n"                                                                       \
    ".type service_entry, @function\n"                                                             \
    "service_entry:\n"                                                                             \
    "    jmp 2f\n"                                                                                 \
    "    .org service_entry + " ENTRY_TEXT(ENTRY_TAG_OFFSET) ", 0xCC\n"                            \
    "    .ascii \"" ENTRY_TAG "\"\n"                                                               \
    "    .asciz \"" name "\"\n"                                                                    \
    "    .org service_entry + " ENTRY_TEXT(ENTRY_TAG_OFFSET) " + " ENTRY_TEXT(ENTRY_TAG_BYTES)     \
    " + " ENTRY_TEXT(ENTRY_NAME_BYTES) ", 0\n"                                                     \
    "2:\n"
/* clang-format on */

/* Calls the function and stops what returns all the same. */
#define ENTRY_CALL(function)                                                                       \
    "    xorl %ebp, %ebp\n"                                                                        \
    "    andq $-16, %rsp\n"                                                                        \
    "    cld\n"                                                                                    \
    "    call " #function "\n"                                                                     \
    "    ud2\n"                                                                                    \
    ".size service_entry, . - service_entry\n"                                                     \
    ".popsection\n"

/* A foundation service: all its pages are there from the start. */
#define SERVICE_ENTRY(name, function) __asm__(ENTRY_HEAD(name) ENTRY_CALL(function))

/* Reads a byte of each page of [first, end), upwards. Both are symbols of the linker's script. */
#define HELPER_TOUCH(first, end)                                                                   \
    "    movq $" first ", %rax\n"                                                                  \
    "1:  movb (%rax), %dl\n"                                                                       \
    "    addq $4096, %rax\n"                                                                       \
    "    cmpq $" end ", %rax\n"                                                                    \
    "    jb 1b\n"

/* Stores a zero at the start of each of the first pages of the stack, from the top down. */
#define ENTRY_STACK_TOUCH                                                                          \
    "    movq %rsp, %rax\n"                                                                        \
    "    movl $" ENTRY_TEXT(HELPER_STACK_PAGES) ", %ecx\n"                                         \
                                                "1:  subq $4096, %rax\n"                           \
                                                "    movq $0, (%rax)\n"                            \
                                                "    decl %ecx\n"                                  \
                                                "    jnz 1b\n"

/* A helper, and a service that procd starts later than the foundation: its pages come by faults.
 * Reads a byte of each page of its code, constants and variables, upwards, and stores a zero at the
 * start of each of the first HELPER_STACK_PAGES pages of the stack, from the top down, before any C
 * runs. So the faults of its own image come in one fixed order, whatever the compiler does (E3), and
 * a service waits for no page while others wait for it; the host world touches the same pages. */
#define HELPER_ENTRY(name, function)                                                               \
    __asm__(ENTRY_HEAD(name) HELPER_TOUCH("helper_text_start", "helper_text_end")                  \
                HELPER_TOUCH("helper_rodata_start", "helper_rodata_end")                           \
                    HELPER_TOUCH("helper_data_start", "helper_data_end")                           \
                        ENTRY_STACK_TOUCH ENTRY_CALL(function))

/* A helper that is linked without a script, by whatever linker: its code ends at etext, and its
 * program headers, at __ehdr_start, say where everything else lies. Touches its pages in the order
 * in which a HELPER_ENTRY does. It is _start that linkers look for. */
#define STOCK_ENTRY(name, function)                                                                \
    __asm__(ENTRY_HEAD(name) ".hidden __ehdr_start\n"                                              \
                             ".globl _start\n"                                                     \
                             ".set _start, service_entry\n"                                        \
                             "    movq $service_entry, %rax\n"                                     \
                             "    andq $-4096, %rax\n"                                             \
                             "1:  movb (%rax), %dl\n"                                              \
                             "    addq $4096, %rax\n"                                              \
                             "    cmpq $etext, %rax\n"                                             \
                             "    jb 1b\n"                                                         \
                             "    movq $__ehdr_start, %rdx\n"                                      \
                             "    movb (%rdx), %r8b\n"                                             \
                             "    movzwl 56(%rdx), %ecx\n" /* e_phnum */                           \
                             "    addq 32(%rdx), %rdx\n"   /* e_phoff */                           \
                             "1:  cmpl $1, (%rdx)\n"       /* PT_LOAD, */                          \
                             "    jne 3f\n"                                                        \
                             "    testl $1, 4(%rdx)\n" /* which is not code */                     \
                             "    jnz 3f\n"                                                        \
                             "    movq 16(%rdx), %rax\n"                                           \
                             "    movq 40(%rdx), %rsi\n"                                           \
                             "    addq %rax, %rsi\n"                                               \
                             "    andq $-4096, %rax\n"                                             \
                             "2:  cmpq %rsi, %rax\n"                                               \
                             "    jae 3f\n"                                                        \
                             "    movb (%rax), %r8b\n"                                             \
                             "    addq $4096, %rax\n"                                              \
                             "    jmp 2b\n"                                                        \
                             "3:  addq $56, %rdx\n"                                                \
                             "    decl %ecx\n"                                                     \
                             "    jnz 1b\n" ENTRY_STACK_TOUCH ENTRY_CALL(function))

#endif
