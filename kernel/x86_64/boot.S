/* SPDX-License-Identifier: ISC */
/* PVH entry: 32-bit protected mode, paging off, ebx = physical address of the start info. Refuses a
 * boot image that lies over the kernel, clears the variables, makes the page tables that
 * memory_map.c starts with (first GiB at 0, at the direct map and at the kernel's base), goes to
 * long mode and calls machine_start(start info) on the kernel's stack. A processor without long
 * mode or NX is refused here, because nothing after this line could run on it. */
#include "kernel/x86_64/layout.h"

#define PHYS(symbol) (symbol - KERNEL_BASE)
#define MSR_EFER     0xC0000080

#define START_INFO_MAGIC        0x336EC578
#define START_INFO_MODULE_COUNT 12
#define START_INFO_MODULES      16
#define SERIAL_READS_MAX        100000 /* for a byte: a line that nobody reads stops nothing */

    .section .note.pvh, "a", @note
    .align 4
    .long 4, 4, 18 /* name bytes, descriptor bytes, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long PHYS(pvh_entry)

    .section .boot.text, "ax"
    .code32
    .globl pvh_entry
pvh_entry:
    cld
    movl %ebx, %ebp

    /* With too little memory a loader has nowhere to put the image but over the kernel. That is
     * asked before a variable is touched, and the variables are cleared here, because whoever
     * loaded the kernel may have done that before. */
    cmpl $START_INFO_MAGIC, (%ebp)
    jne refuse_memory
    cmpl $0, START_INFO_MODULE_COUNT(%ebp)
    je 1f
    movl START_INFO_MODULES(%ebp), %esi
    cmpl $0, 4(%esi) /* address and length, 64 bits each */
    jne 1f
    movl (%esi), %eax
    cmpl $PHYS(kernel_end), %eax
    jae 1f
    cmpl $0, 12(%esi)
    jne refuse_memory
    addl 8(%esi), %eax
    jc refuse_memory
    cmpl $PHYS(kernel_text_start), %eax
    ja refuse_memory
1:  movl $PHYS(kernel_bss_start), %edi
    movl $PHYS(kernel_end), %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    xorl %eax, %eax
    rep stosl
    movl $PHYS(boot_stack_top), %esp

    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb refuse_long_mode
    movl $0x80000001, %eax
    cpuid
    btl $29, %edx
    jnc refuse_long_mode
    btl $20, %edx
    jnc refuse_nx

    /* One page directory of 512 large pages, entered in three places. */
    movl $PHYS(boot_directory), %edi
    movl $0x83, %eax
    movl $512, %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b
    movl $(PHYS(boot_directory) + 3), %eax
    movl %eax, PHYS(boot_low_pointers)
    movl %eax, PHYS(boot_high_pointers) + 8 * KERNEL_PDPT_ENTRY
    movl $(PHYS(boot_low_pointers) + 3), %eax
    movl %eax, PHYS(kernel_top_table)
    movl %eax, PHYS(kernel_top_table) + 8 * DIRECT_MAP_ENTRY
    movl $(PHYS(boot_high_pointers) + 3), %eax
    movl %eax, PHYS(kernel_top_table) + 8 * KERNEL_TOP_ENTRY

    movl %cr4, %eax
    orl $0x20, %eax /* PAE */
    movl %eax, %cr4
    movl $PHYS(kernel_top_table), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $0x901, %eax /* NXE, LME, SCE */
    wrmsr
    movl %cr0, %eax
    orl $0x80010005, %eax /* PG, WP, EM (no x87, no SSE), PE */
    andl $~2, %eax        /* MP */
    movl %eax, %cr0
    lgdt PHYS(boot_gdt_pointer)
    ljmp $SELECTOR_KERNEL_CODE, $PHYS(long_mode)

refuse_long_mode:
    movl $PHYS(text_no_long_mode), %esi
    jmp refuse
refuse_nx:
    movl $PHYS(text_no_nx), %esi
    jmp refuse
refuse_memory:
    movl $PHYS(text_no_memory), %esi
refuse:
    movw $0x3FD, %dx
2:  lodsb
    testb %al, %al
    jz 4f
    movb %al, %ah
    movl $SERIAL_READS_MAX, %ecx
3:  inb %dx, %al
    testb $0x20, %al
    loopz 3b
    movw $0x3F8, %dx
    movb %ah, %al
    outb %al, %dx
    movw $0x3FD, %dx
    jmp 2b
4:  movw $0xF4, %dx
    movl $STOP_REFUSED, %eax
    outl %eax, %dx
5:  hlt
    jmp 5b

text_no_long_mode:
    .asciz "BASALT_KERNEL:MACHINE_REFUSED:LONG_MODE\n"
text_no_nx:
    .asciz "BASALT_KERNEL:MACHINE_REFUSED:NX\n"
text_no_memory:
    .asciz "BASALT_KERNEL:MACHINE_REFUSED:MEMORY\n"

    .align 8
boot_gdt:
    .quad 0
    .quad 0x00AF9A000000FFFF /* 64-bit code */
    .quad 0x00CF92000000FFFF /* data */
boot_gdt_pointer:
    .word boot_gdt_pointer - boot_gdt - 1
    .long PHYS(boot_gdt)

    .code64
long_mode:
    movw $SELECTOR_KERNEL_DATA, %ax
    movw %ax, %ss
    xorl %eax, %eax /* the others have no meaning any more, and are as in a new process */
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movabsq $high_half, %rax
    jmp *%rax

    .text
high_half:
    movq $kernel_stack_top, %rsp
    xorl %ebx, %ebx
    movl %ebp, %edi
    xorl %ebp, %ebp
    call machine_start
    ud2

    .section .boot.bss, "aw", @nobits
    .align 4096
    .globl kernel_top_table
kernel_top_table:
    .skip 4096
    .globl boot_low_pointers
boot_low_pointers:
    .skip 4096
    .globl boot_high_pointers
boot_high_pointers:
    .skip 4096
boot_directory:
    .skip 4096
    .skip 256
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
