/* SPDX-License-Identifier: ISC */
/* Every way into the kernel and the one way out. There is one kernel stack: an entry runs to its
 * end with interrupts off, then machine_resume picks who goes on. Registers of the process that
 * entered go to its record page, which is switch_loaded. */
#include "kernel/x86_64/layout.h"

/* For debuggers alone: the two ways in are where a backtrace ends. */
    .cfi_sections .debug_frame
    .text

/* SYSCALL: rax number, rdi slot, rsi deadline, rdx reply slot; rcx and r11 hold rip and rflags. Only
 * what a function call preserves is kept: the result comes back in rax and all else is cleared. */
    .macro syscall_save
    movq switch_loaded(%rip), %r8
    movq %rsp, RECORD_RSP(%r8)
    leaq kernel_stack_top(%rip), %rsp
    movq %rbx, RECORD_RBX(%r8)
    movq %rbp, RECORD_RBP(%r8)
    movq %r12, RECORD_R12(%r8)
    movq %r13, RECORD_R13(%r8)
    movq %r14, RECORD_R14(%r8)
    movq %r15, RECORD_R15(%r8)
    movq %rcx, RECORD_RIP(%r8)
    movq %r11, RECORD_RFLAGS(%r8)
    .endm

/* Back to the process whose record is at rax, with the result of its system call. */
    .macro syscall_return
    movq RECORD_RBX(%rax), %rbx
    movq RECORD_RBP(%rax), %rbp
    movq RECORD_R12(%rax), %r12
    movq RECORD_R13(%rax), %r13
    movq RECORD_R14(%rax), %r14
    movq RECORD_R15(%rax), %r15
    movq RECORD_RIP(%rax), %rcx
    movq RECORD_RFLAGS(%rax), %r11
    movq RECORD_RSP(%rax), %rsp
    movl RECORD_RESULT(%rax), %eax
    xorl %edx, %edx
    xorl %esi, %esi
    xorl %edi, %edi
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    sysretq
    .endm

/* The core's entry for each says who goes on, back from its system call, in rax; 0: machine_resume
 * finds out what is to be done. What it needs of the process lies where that left it. */
    .globl syscall_entry
    .align 16
syscall_entry:
    .cfi_startproc
    .cfi_undefined rip
    syscall_save
    cmpl $NUMBER_CALL, %eax
    je syscall_call
    movq $kernel, %rcx
    cmpl $NUMBER_REPLY_RECV, %eax
    jne syscall_other
    call kernel_reply_receive

/* The usual way out: nobody's turn is over, and neither who left nor anybody else has more than
 * registers and an address space (switch.c). */
syscall_exit:
    testq %rax, %rax
    jz machine_resume
    movzwl slice_asked(%rip), %ecx
    cmpw %cx, kernel + KERNEL_PAYER(%rip)
    jne machine_resume
    cmpq %rax, switch_loaded(%rip)
    je syscall_same
    movl %ds, %ecx
    movl %es, %edx
    orl %edx, %ecx
    movl %fs, %edx
    orl %edx, %ecx
    movl %gs, %edx
    orl %edx, %ecx
    orb switch_kept(%rip), %cl
    jnz machine_resume
    movl RECORD_VSPACE_PAGE(%rax), %ecx
    shlq $12, %rcx
    movq %rax, switch_loaded(%rip)
    movq %rcx, %cr3
syscall_same:
    syscall_return

syscall_call:
    movq %r8, %rcx
    movq $kernel, %rdx
    call kernel_call
    jmp syscall_exit

syscall_other:
    movl %eax, %r9d
    call kernel_syscall_long
    jmp syscall_exit
    .cfi_endproc

/* The same where every entry is written down or measured. */
    .globl syscall_entry_watched
    .align 16
syscall_entry_watched:
    .cfi_startproc
    .cfi_undefined rip
    syscall_save
    movl %edx, %ecx
    movq %rsi, %rdx
    movl %edi, %esi
    movl %eax, %edi
    call machine_syscall
    jmp machine_resume
    .cfi_endproc

/* void resume_result(const struct process *): back from a system call. */
    .globl resume_result
    .align 16
resume_result:
    movq %rdi, %rax
    syscall_return

/* void resume_exact(const struct registers *): every register as it says. */
    .globl resume_exact
    .align 16
resume_exact:
    pushq $SELECTOR_USER_DATA
    pushq REGISTERS_RSP(%rdi)
    pushq REGISTERS_RFLAGS(%rdi)
    pushq $SELECTOR_USER_CODE
    pushq REGISTERS_RIP(%rdi)
    movq REGISTERS_RAX(%rdi), %rax
    movq REGISTERS_RBX(%rdi), %rbx
    movq REGISTERS_RCX(%rdi), %rcx
    movq REGISTERS_RDX(%rdi), %rdx
    movq REGISTERS_RSI(%rdi), %rsi
    movq REGISTERS_RBP(%rdi), %rbp
    movq REGISTERS_R8(%rdi), %r8
    movq REGISTERS_R9(%rdi), %r9
    movq REGISTERS_R10(%rdi), %r10
    movq REGISTERS_R11(%rdi), %r11
    movq REGISTERS_R12(%rdi), %r12
    movq REGISTERS_R13(%rdi), %r13
    movq REGISTERS_R14(%rdi), %r14
    movq REGISTERS_R15(%rdi), %r15
    movq REGISTERS_RDI(%rdi), %rdi
    iretq

/* An exception or interrupt. Stack: vector, error code, rip, cs, rflags, rsp, ss. From user mode:
 * the registers are saved and machine_trap(vector, error) is called; from the idle loop's hlt an
 * interrupt is the same with nobody to save; anything else from kernel mode is a panic. */
    .align 16
trap_common:
    .cfi_startproc
    .cfi_undefined rip
    testb $3, 24(%rsp)
    jz trap_from_kernel
    pushq %rax
    movq switch_loaded(%rip), %rax
    movq %rbx, RECORD_RBX(%rax)
    movq %rcx, RECORD_RCX(%rax)
    movq %rdx, RECORD_RDX(%rax)
    movq %rsi, RECORD_RSI(%rax)
    movq %rdi, RECORD_RDI(%rax)
    movq %rbp, RECORD_RBP(%rax)
    movq %r8, RECORD_R8(%rax)
    movq %r9, RECORD_R9(%rax)
    movq %r10, RECORD_R10(%rax)
    movq %r11, RECORD_R11(%rax)
    movq %r12, RECORD_R12(%rax)
    movq %r13, RECORD_R13(%rax)
    movq %r14, RECORD_R14(%rax)
    movq %r15, RECORD_R15(%rax)
    popq RECORD_RAX(%rax)
    movq 16(%rsp), %rcx
    movq %rcx, RECORD_RIP(%rax)
    movq 32(%rsp), %rcx
    movq %rcx, RECORD_RFLAGS(%rax)
    movq 40(%rsp), %rcx
    movq %rcx, RECORD_RSP(%rax)
    movq 0(%rsp), %rdi
    movq 8(%rsp), %rsi
    leaq kernel_stack_top(%rip), %rsp
    pushq $2 /* all flags off: a gate leaves the process's direction and AC, which switches SMAP off */
    popfq
    call machine_trap
    jmp syscall_exit
    .cfi_endproc

trap_from_kernel:
    movq 0(%rsp), %rdi
    movq 8(%rsp), %rsi
    movq 16(%rsp), %rdx
    leaq kernel_stack_top(%rip), %rsp
    cld
    call machine_kernel_trap
    jmp machine_resume

/* Non-maskable: may come between any two instructions of a process and of the kernel, and goes back
 * there. Its stack is its own, and it touches nothing else but a count. */
    .globl nmi_entry
    .align 16
nmi_entry:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    cld
    call machine_nmi
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    iretq

/* A machine check: nothing is to be trusted any more, and nothing goes on. */
    .globl check_entry
    .align 16
check_entry:
    cld
    call machine_check
    ud2

/* The timer's gate until the clock is measured. */
    .globl timer_seen_entry
    .align 16
timer_seen_entry:
    incl timer_seen(%rip)
    iretq

/* One stub a vector; those for which the processor pushes no error code push a zero. */
    .macro trap_stub vector
    .align 16
trap_stub_\vector:
    .if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21 || \vector == 29 || \vector == 30)
    pushq $0
    .endif
    pushq $\vector
    jmp trap_common
    .endm

    .altmacro
    .macro trap_stub_number n
    trap_stub \n
    .endm
    .set vector_number, 0
    .rept 64
    trap_stub_number %vector_number
    .set vector_number, vector_number + 1
    .endr

    .macro trap_address n
    .quad trap_stub_\n
    .endm
    .section .rodata
    .globl trap_stubs
    .align 8
trap_stubs:
    .set vector_number, 0
    .rept 64
    trap_address %vector_number
    .set vector_number, vector_number + 1
    .endr

    .bss
    .globl timer_seen
timer_seen:
    .skip 4

/* The kernel stack, with a page below it that memory_map.c leaves unmapped, and one each for double
 * faults, non-maskable interrupts and machine checks. */
    .section .kernel_stack, "aw", @nobits
    .align 4096
    .globl kernel_stack_guard
kernel_stack_guard:
    .skip 4096
    .skip KERNEL_STACK_BYTES
    .globl kernel_stack_top
kernel_stack_top:
    .globl fault_stack_guard
fault_stack_guard:
    .skip 4096
    .skip 4096
    .globl fault_stack_top
fault_stack_top:
    .globl nmi_stack_guard
nmi_stack_guard:
    .skip 4096
    .skip 4096
    .globl nmi_stack_top
nmi_stack_top:
    .globl check_stack_guard
check_stack_guard:
    .skip 4096
    .skip 4096
    .globl check_stack_top
check_stack_top:

    .section .note.GNU-stack, "", @progbits
