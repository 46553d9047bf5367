/* SPDX-License-Identifier: ISC */
/* Addresses, selectors and offsets that assembly and C of the x86-64 machine share. Macros only.
 *
 *   0xFFFF800000000000  direct map: all physical memory, writable, never executable
 *   0xFFFFFFFF80000000  the kernel's image, physical 0 on: text r-x, rodata r--, data rw-
 *   0xFFFFFFFF80400000  the local APIC, rw-, not cached
 *
 * Every address space has both in its upper half (entries 256 to 511 of the top table). */
#ifndef BASALT_KERNEL_X86_64_LAYOUT_H
#define BASALT_KERNEL_X86_64_LAYOUT_H

#define DIRECT_MAP_BASE   0xFFFF800000000000
#define KERNEL_BASE       0xFFFFFFFF80000000
#define DIRECT_MAP_ENTRY  256 /* of the top table */
#define KERNEL_TOP_ENTRY  511
#define KERNEL_PDPT_ENTRY 510
#define APIC_PHYSICAL     0xFEE00000
#define APIC_VA           0xFFFFFFFF80400000 /* entry 2 of the kernel's own directory */

/* Segment selectors. SYSRET wants user data directly before user code. */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA   0x1B /* 0x18 with privilege 3 */
#define SELECTOR_USER_CODE   0x23 /* 0x20 with privilege 3 */
#define SELECTOR_TASK        0x28

/* The deepest that is called needs some 15 KB: the boot image's digests. */
#define KERNEL_STACK_BYTES 24576

/* Stacks of the task segment for what may come at any time, one page each: a double fault, a
 * non-maskable interrupt (which returns) and a machine check. */
#define STACK_TABLE_FAULT 1
#define STACK_TABLE_NMI   2
#define STACK_TABLE_CHECK 3

/* What machine_stop is given besides rootd's exit code (0 to 63). QEMU's exit status is 2 * code
 * + 1. */
#define STOP_PANIC   64
#define STOP_REFUSED 65

/* What entry.S reads of a record page and of struct kernel, and two numbers of abi/system.h; asserted
 * in C. */
#define RECORD_REGISTERS   2048
#define RECORD_RESULT      20
#define RECORD_VSPACE_PAGE 228
#define KERNEL_PAYER       6
#define NUMBER_CALL        0x40
#define NUMBER_REPLY_RECV  0x43

/* struct registers (machine.h of this folder): offsets for assembly, asserted in C. */
#define REGISTERS_RAX    0
#define REGISTERS_RBX    8
#define REGISTERS_RCX    16
#define REGISTERS_RDX    24
#define REGISTERS_RSI    32
#define REGISTERS_RDI    40
#define REGISTERS_RBP    48
#define REGISTERS_R8     56
#define REGISTERS_R9     64
#define REGISTERS_R10    72
#define REGISTERS_R11    80
#define REGISTERS_R12    88
#define REGISTERS_R13    96
#define REGISTERS_R14    104
#define REGISTERS_R15    112
#define REGISTERS_RIP    120
#define REGISTERS_RSP    128
#define REGISTERS_RFLAGS 136

/* The same from the beginning of the record page on. */
#define RECORD_RAX    (RECORD_REGISTERS + REGISTERS_RAX)
#define RECORD_RBX    (RECORD_REGISTERS + REGISTERS_RBX)
#define RECORD_RCX    (RECORD_REGISTERS + REGISTERS_RCX)
#define RECORD_RDX    (RECORD_REGISTERS + REGISTERS_RDX)
#define RECORD_RSI    (RECORD_REGISTERS + REGISTERS_RSI)
#define RECORD_RDI    (RECORD_REGISTERS + REGISTERS_RDI)
#define RECORD_RBP    (RECORD_REGISTERS + REGISTERS_RBP)
#define RECORD_R8     (RECORD_REGISTERS + REGISTERS_R8)
#define RECORD_R9     (RECORD_REGISTERS + REGISTERS_R9)
#define RECORD_R10    (RECORD_REGISTERS + REGISTERS_R10)
#define RECORD_R11    (RECORD_REGISTERS + REGISTERS_R11)
#define RECORD_R12    (RECORD_REGISTERS + REGISTERS_R12)
#define RECORD_R13    (RECORD_REGISTERS + REGISTERS_R13)
#define RECORD_R14    (RECORD_REGISTERS + REGISTERS_R14)
#define RECORD_R15    (RECORD_REGISTERS + REGISTERS_R15)
#define RECORD_RIP    (RECORD_REGISTERS + REGISTERS_RIP)
#define RECORD_RSP    (RECORD_REGISTERS + REGISTERS_RSP)
#define RECORD_RFLAGS (RECORD_REGISTERS + REGISTERS_RFLAGS)

#endif
