# SPDX-License-Identifier: ISC
"""Lines of interrupts on the metal: root tasks that bind the line of COM1 and make it interrupt, on a machine whose
clock is the local APIC's timer and on one whose clock is a line of the 8259 itself."""

import os
import tempfile

import build
import metal
import negative
import ring3

MACHINES = (("q35", "qemu64"), ("q35", "qemu64,-apic"), ("pc", "qemu64"))

# `heard` receives, for as long as it takes, and wants the interrupt; `unheard` wants nothing for some ticks.
MACROS = """
    .macro begin
    mov $0x00007FFFFFFFF000, %rbx
    jmp 5f
1:  message 30, 16                   # BIND_INTERRUPT
    .long 4, 2
    .quad 0x77, 0, 0
2:  message 35, 8                    # MASK_INTERRUPT
    .quad 4, 0, 0, 0
5:  request 2144, 1b
    request 2144, 2b
    .endm
    .macro acknowledge
    jmp 5f
1:  message 31, 4                    # ACK_INTERRUPT
    .quad 4, 0, 0, 0
5:  request 2144, 1b
    .endm
    .macro port number, value
    jmp 5f
1:  message 23, 8                    # IOPORT_WRITE8
    .long \\number, \\value
    .quad 0, 0, 0
5:  request 2208, 1b
    .endm
    .macro receive                   # until the time in rsi
    movq $1, (%rbx)
    movq $0, 8(%rbx)
    mov $0x41, %eax
    mov $2, %edi
    syscall
    .endm
    .macro heard
    mov $-1, %rsi
    receive
    test %eax, %eax
    jnz failed
    cmpw $34, 2(%rbx)
    jne failed
    cmpq $0x77, 96(%rbx)
    jne failed
    cmpl $4, 104(%rbx)
    jne failed
    .endm
    .macro unheard
    xor %esi, %esi
    receive
    test %eax, %eax
    jz failed
    mov 1032(%rbx), %rsi
    add $10, %rsi
    receive
    test %eax, %eax
    jz failed
    .endm
    .macro empty                     # the line's device can send: it interrupts each time this is asked for anew
    port 0x3F9, 0
    port 0x3F9, 2
    .endm
    .macro finish
    exit 7
failed:
    exit 8
    .endm
"""

PROGRAMS = (
    ("each interrupt once, and after its acknowledgement alone", """
    begin
    empty
    heard
    unheard
    empty
    unheard
    acknowledge
    heard
    acknowledge
    unheard
    finish"""),
    ("while nobody runs, and again", """
    begin
    port 0x3FA, 0xC1                 # the device tells of one byte after a while, of fourteen at once,
    port 0x3FC, 0x18                 # and hears what it sends
    port 0x3F9, 1
    port 0x3F8, 0x41
    heard
    port 0x3FA, 0xC7
    acknowledge
    port 0x3F8, 0x42
    heard
    finish"""),
    ("while it runs", """
    begin
    port 0x3FA, 0xC1
    port 0x3FC, 0x18
    port 0x3F9, 1
    port 0x3F8, 0x41
    spin
    heard
    finish"""),
    ("not of a line that is masked, and then all the same", """
    begin
    jmp 7f
3:  message 35, 8
    .quad 0x100000004, 0, 0, 0
4:  message 35, 8
    .quad 4, 0, 0, 0
7:  request 2144, 3b
    empty
    unheard
    request 2144, 4b
    heard
    finish"""),
)


def lines(tally):
    with tempfile.TemporaryDirectory() as folder:
        images = [ring3.image(folder, f"line{i}", MACROS + text) for i, (_, text) in enumerate(PROGRAMS)]
        jobs = [(what, path, machine) for (what, _), path in zip(PROGRAMS, images) for machine in MACHINES]

        def boot(job):
            _, path, (machine, cpu) = job
            if not os.path.exists(path):
                return 2, path
            return build.run(metal.command(path, machine=["-M", machine, "-m", "32", "-cpu", cpu]), 20)

        wrong = [f"{what}, -M {machine} -cpu {cpu}: status {status}, not {ring3.DONE}\n{log}"
                 for (what, _, (machine, cpu)), (status, log) in negative.each(2, boot, jobs) if status != ring3.DONE]
        tally.say(f"QEMU: {len(PROGRAMS)} programs hear of the interrupts of a line, on {len(MACHINES)} machines",
                  jobs and not wrong, "".join(wrong))
