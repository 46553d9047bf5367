# SPDX-License-Identifier: ISC
"""What a program can do to the processor from ring 3, on the metal: each line of CASES is a root task of its own.
A case must end as an unresolved fault of the root task does, and in no other way: a kernel that panics, hangs, or
lets the program reach privilege 0 (where it would end QEMU with a number of its own) fails. Run on a processor
without SMEP and SMAP, because what holds only with them does not hold; what programs may do, and iret, on others, too.
Some of them start others and call those: what the processor holds of one is not seen by another, and comes back."""

import os
import re
import subprocess
import tempfile
import time

import build
import metal
import negative

PLAIN, OTHERS = "qemu64", ("qemu64,+smep,+smap", "max")
FAULTED, DONE, PRIVILEGED = 2 * 63 + 1, 2 * 7 + 1, 2 * 42 + 1  # QEMU's exit status for the kernel's codes

# The whole log of a program that ended by a fault; of any other it is empty.
ENDED = "BASALT_KERNEL:ROOTD_ENDED:FAULT_[A-Z_]+ code 0x[0-9a-f]{16} va 0x[0-9a-f]{16} rip 0x[0-9a-f]{16}\n"

# The text lies at the first user address, where the local descriptor table of a processor after reset reaches:
# selector 0x1007 is a call gate of privilege 3 to `ring0`, 0x1017 a data segment.
PROGRAM = """
    .text
    .word ring0 - . + 0x1000, 0x08, 0xEC00, 0, 0, 0, 0, 0
    .quad 0x00CFF2000000FFFF
    .quad 0
ring0:
    mov $42, %eax
    out %eax, $0xF4
1:  jmp 1b
    .macro exit code
    mov $0x00007FFFFFFFF000, %rbx
    movq $0x000E0001, (%rbx)
    movw $4, 4(%rbx)
    movb $0, 6(%rbx)
    movl $\\code, 96(%rbx)
    mov $0x40, %eax
    mov $1, %edi
    xor %esi, %esi
    syscall
    .endm
    .macro spin
    mov $30000000, %ecx
9:  dec %ecx
    jnz 9b
    .endm
    .globl _start
_start:
    mov $0xFFFF800000001000, %r15
    mov $0xFFFFFFFF80114000, %r14
"""
SCRIPT = """
ENTRY(_start)
PHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); stack PT_GNU_STACK FLAGS(6); }
SECTIONS
{
    .text 0x1000 : { *(.text) } :text
    .data 0x200000 : { QUAD(0) . += 8192; } :data :stack
    /DISCARD/ : { *(.note*) *(.data) *(.bss) }
}
"""



# What a root task needs that starts programs of its own, from its own text: `child` makes one that begins at a label
# with an argument in rdi, its capabilities from a slot on; `call_child` calls it; `served` answers with the status
# in r12d, and goes on with the next message. Whatever goes wrong ends with EXIT(8). The text is a page of the image.
IMAGE_TEXT_PAGE = 2
PROGRAMS = f"""
    .macro message operation, body_bytes, window_slot=0, window_count=0
    .word 1, \\operation, \\body_bytes, \\window_count << 8
    .long \\window_slot, 0
    .quad 0, 0
    .endm
    .macro sent                      # the result, and what the answer says
    or 12(%rbx), %eax
    jnz failed
    .endm
    .macro request slot, at
    lea \\at(%rip), %rsi
    mov %rbx, %rdi
    mov $4, %ecx
    rep movsq
    add $64, %rdi
    mov $4, %ecx
    rep movsq
    mov $0x40, %eax
    mov $\\slot, %edi
    xor %esi, %esi
    syscall
    sent
    .endm
    .macro child slot, flags, entry, argument
    mov $0x00007FFFFFFFF000, %rbx
    jmp 5f
1:  message 1, 32, \\slot, 4           # CREATE_STAGED_PROCESS
    .long 33, 32, 2, 0, \\flags, 0
    .quad 0
2:  message 7, 32                    # MAP_FRAME
    .long \\slot + 1, 5
    .quad 0x1000, {IMAGE_TEXT_PAGE}
    .long 1, 0x28
3:  message 6, 16                    # REGISTER_PAGER
    .long \\slot, 0
    .quad 0, 0, 0
4:  message 2, 32                    # START_PROCESS
    .long \\slot, 0
    .quad \\entry, 0x200000, \\argument
5:  request 2288, 1b
    request 2240, 2b
    request 2288, 3b
    request 2288, 4b
    .endm
    .macro call_child slot
    movq $0x00010001, (%rbx)
    movq $0, 8(%rbx)
    mov $0x40, %eax
    mov $\\slot + 2, %edi
    mov $-1, %rsi
    syscall
    sent
    .endm
    .macro served
    movq $0x00010001, (%rbx)
    movl $0, 8(%rbx)
    movl %r12d, 12(%rbx)
    mov $0x43, %eax
    mov $2, %edi
    mov $-1, %rsi
    mov %r13d, %edx
    syscall
    test %eax, %eax
    jnz failed
    mov 1044(%rbx), %r13d
    .endm
    .macro sleep ticks               # until the end of so many; nobody calls meanwhile
    movq $1, (%rbx)
    movq $0, 8(%rbx)
    mov $0x41, %eax
    mov $2, %edi
    xor %esi, %esi
    syscall
    mov $0x41, %eax
    mov $2, %edi
    mov 1032(%rbx), %rsi
    add $\\ticks, %rsi
    syscall
    .endm
"""


def iret(code, stack):
    """An iret to the next instruction with these segments."""
    return f"""
    mov $0x201000, %esp
    mov {stack}, %eax
    push %rax
    mov $0x201000, %eax
    push %rax
    mov $0x202, %eax
    push %rax
    mov {code}, %eax
    push %rax
    lea 1f(%rip), %rax
    push %rax
    iretq
1:"""


# what it tries; its instructions
CASES = (
    ("a call gate at address 0x1000", "lcall *1f(%rip)\n2: jmp 2b\n1: .long 0\n.word 0x1007"),
    ("a data segment at address 0x1010", "mov $0x1017, %eax\nmov %eax, %fs"),
    ("a local table without a selector", "mov $0x0007, %eax\nmov %eax, %fs"),
    ("a jump off the canonical addresses", "mov $0x800000000000, %rax\njmp *%rax"),
    ("a return off the canonical addresses", "mov $0x201000, %esp\nmov $0x800000000000, %rax\npush %rax\nret"),
    ("to read the direct map", "mov (%r15), %rax"),
    ("to write the direct map", "mov %rax, (%r15)"),
    ("to read the kernel", "mov (%r14), %rax"),
    ("to write the kernel", "mov %rax, (%r14)"),
    ("to call the kernel", "jmp *%r14"),
    ("to run its message page", "mov $0x00007FFFFFFFF000, %rax\nmovb $0xF4, (%rax)\njmp *%rax"),
    ("to run its data", "mov $0x200000, %eax\njmp *%rax"),
    ("to write its text", "mov $0x1000, %eax\nmov %eax, (%rax)"),
    ("a single step over a system call", "mov $0x201000, %esp\npushq $0x100\npopfq\nsyscall\n"),
    ("a breakpoint", "int3"),
    ("the trap instruction", ".byte 0xF1"),
    ("the timer's interrupt", "int $32"),
    ("the non-maskable interrupt", "int $2"),
    ("the interrupt of double faults", "int $8"),
    ("an interrupt past the table", "int $0x80"),
    ("sysenter", "sysenter"),
    ("sysret", "sysretq"),
    ("iret with the nested task flag", "mov $0x201000, %esp\npushq $0x4002\npopfq\niretq"),
    ("an iret to the kernel's code", iret("$0x08", "$0x1B")),
    ("an iret to the kernel's code with privilege 3", iret("$0x0B", "$0x1B")),
    ("an iret to the kernel's stack segment", iret("$0x23", "$0x10")),
    ("to halt", "hlt"),
    ("to mask interrupts", "cli"),
    ("a port", "mov $42, %eax\nout %eax, $0xF4"),
    ("a port by string", "mov $0xE9, %edx\nmov $0x1000, %esi\noutsb"),
    ("to read a register of the processor's model", "mov $0xC0000082, %ecx\nrdmsr"),
    ("to write one", "mov $0xC0000082, %ecx\nwrmsr"),
    ("to read cr3", "mov %cr3, %rax"),
    ("to write cr0", "mov %rax, %cr0"),
    ("a debug register", "mov %rax, %dr7"),
    ("to load a task", "mov $0x28, %eax\nltr %ax"),
    ("to load a table", "mov $0x201000, %esp\nlidt (%rsp)"),
    ("swapgs", "swapgs"),
    ("a base of a segment", "wrfsbase %rax"),
    ("the x87", "fld1"),
    ("a vector register", "movaps %xmm0, %xmm1"),
    ("a number of a vector register", "cvtsi2sd %eax, %xmm0"),
    ("to save vector registers", "mov $0x201000, %esp\nfxsave (%rsp)"),
    ("the rounding of vector registers", "mov $0x201000, %esp\nldmxcsr (%rsp)"),
    ("an extended state", "xor %ecx, %ecx\nxgetbv"),
    ("a performance counter", "xor %ecx, %ecx\nrdpmc"),
    ("an alignment flag on the kernel's accesses", "stac"),
)

# It answers how many calls it has had too many or too few of the vector registers that it left, in r12d.
VECTORS_SERVER = """
vectors_server:
    mov $0x00007FFFFFFFF000, %rbx
    mov %rdi, %rbp
    movq %rbp, %xmm0
    movq %rbp, %xmm15
    xor %r12d, %r12d
    xor %r13d, %r13d
1:  served
    movq %xmm0, %rax
    movq %xmm15, %rcx
    cmp %rbp, %rax
    setne %al
    cmp %rbp, %rcx
    setne %cl
    or %cl, %al
    movzbl %al, %r12d
    inc %rbp
    movq %rbp, %xmm0
    movq %rbp, %xmm15
    jmp 1b
failed:
    exit 8
"""


def selector(register):
    """A program with a selector of its own calls one without, which sees none, and has it again."""
    return f"""
    child 40, 0, selector_server, 0
    call_child 40
    mov $4, %ebp
2:  mov $0x1B, %eax
    mov %eax, %{register}
    call_child 40
    mov %{register}, %eax
    cmp $0x1B, %eax
    jne failed
    dec %ebp
    jnz 2b
    exit 7
selector_server:
    mov $0x00007FFFFFFFF000, %rbx
    xor %r12d, %r12d
    xor %r13d, %r13d
1:  served
    mov %{register}, %r12d
    jmp 1b
failed:
    exit 8
"""


def sleepers(flags, begin, look, end):
    """Two sleep again and again, and so does who made them: between them the processor is nobody's. What they see wrong
    when they wake they answer when they are called."""
    return f"""
    child 40, {flags}, sleeper, 0x1234
    child 44, {flags}, sleeper, 0x5678
    mov $4, %ebp
2:  {begin}
    sleep 8
    {end}
    dec %ebp
    jnz 2b
    call_child 40
    call_child 44
    exit 7
sleeper:
    mov $0x00007FFFFFFFF000, %rbx
    mov %rdi, %rbp
    xor %r12d, %r12d
    xor %r14d, %r14d
3:  {look}
    movq $1, (%rbx)
    movq $0, 8(%rbx)
    mov $0x41, %eax
    mov $2, %edi
    mov %r14, %rsi
    syscall
    mov 1032(%rbx), %r14
    add $2, %r14
    test %eax, %eax
    jnz 3b
    movl $0, 8(%rbx)
    movl %r12d, 12(%rbx)
    mov $0x42, %eax
    mov 1044(%rbx), %edi
    syscall
    jmp 3b
failed:
    exit 8
"""


# What a sleeper with vector registers sees wrong in them; at first nothing is in them.
VECTORS_LOOK = """
    movq %xmm0, %rax
    mov %rbp, %rcx
    test %r15, %r15
    cmovz %r15, %rcx
    or %rbp, %r15
    cmp %rcx, %rax
    setne %al
    movzbl %al, %eax
    or %eax, %r12d
    inc %rbp
    movq %rbp, %xmm0
"""

# The same with other programs: these end by a fault, the others with EXIT(7).
OTHERS_LEFT = (
    ("a vector register after a call to who has them", f"""
    child 40, 1, vectors_server, 0x1234
    call_child 40
    call_child 40
    movaps %xmm0, %xmm1
    exit 8
{VECTORS_SERVER}"""),
    ("a vector register after a sleep of those that have them",
     sleepers(1, "", VECTORS_LOOK, "movaps %xmm0, %xmm1")),
)
OTHERS_KEPT = (
    *((f"{register} over calls to one without it", selector(register)) for register in ("ds", "es", "fs", "gs")),
    ("vector registers of two over calls to both", f"""
    child 40, 1, vectors_server, 0x1234
    child 44, 1, vectors_server, 0x5678
    mov $6, %ebp
2:  call_child 40
    call_child 44
    dec %ebp
    jnz 2b
    exit 7
{VECTORS_SERVER}"""),
    *((f"{register} over sleeps of those without it", sleepers(
        0, f"lea 0x17(%rbp), %eax\n    mov %eax, %{register}", f"mov %{register}, %eax\n    or %eax, %r12d",
        f"mov %{register}, %eax\n    sub $0x17, %eax\n    cmp %ebp, %eax\n    jne failed")) for register in ("fs", "gs")),
    ("vector registers of two over their sleeps", sleepers(1, "", VECTORS_LOOK, "")),
)

IRET = "an iret to itself"

# What a program may do, and what the kernel must keep for it and clear for it: these end with EXIT(7).
SURVIVED = (
    ("flags of its own over system calls and interrupts", """
    mov $0x201000, %esp
    pushq $0x244602                  # AC, ID, NT, DF, IF
    popfq
    mov $0x99, %eax
    mov $-1, %rdx
    mov $-1, %r8
    mov $-1, %r9
    mov $-1, %r10
    syscall
    cmp $2, %rax                     # INVALID_ARGUMENT
    jne 8f
    or %rdx, %r8
    or %r9, %r8
    or %r10, %r8
    or %rdi, %r8
    or %rsi, %r8
    jne 8f
    pushq $0x244602
    popfq
    spin
    pushfq
    pop %rax
    and $0x247700, %eax
    cmp $0x244600, %eax
    jne 8f
    cld
    exit 7
8:  exit 8"""),
    ("a stack pointer off the canonical addresses", """
    mov $0x800000000000, %rsp
    mov $0x99, %eax
    syscall
    spin
    exit 7"""),
    ("segments of its own", """
    mov $0x1B, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ds
    mov %eax, %es
    mov $0x99, %eax
    syscall
    spin
    exit 7"""),
    ("selectors of its own over interrupts", """
    mov $0x1B, %eax
    mov %eax, %fs
    spin
    mov %fs, %eax
    cmp $0x1B, %eax
    jne 8f
    exit 7
8:  exit 8"""),
    # Under SMAP, QEMU pops with the kernel's rights and refuses them to itself: there it may fault, once.
    (IRET, iret("$0x23", "$0x1B") + "\n    exit 7"),
    ("numbers that are no system calls", """
    mov $-1, %rax
    mov $-1, %rdi
    mov $-1, %rsi
    syscall
    cmp $2, %rax
    jne 8f
    mov $0x42, %eax
    mov $-1, %rdi
    syscall
    cmp $0, %rax
    je 8f
    mov $0x43, %eax
    mov $-1, %rdi
    mov $-1, %rsi
    mov $-1, %rdx
    syscall
    cmp $3, %rax                     # NOT_FOUND: nobody to answer, nothing to receive on
    jne 8f
    or %rdx, %rdi
    or %rsi, %rdi
    jne 8f
    mov $0x43, %eax
    mov $-1, %rdi
    mov $1, %edx                     # SELF is no reply
    syscall
    cmp $2, %rax                     # INVALID_ARGUMENT
    jne 8f
    exit 7
8:  exit 8"""),
)


def image(folder, name, text):
    """Path of a boot image whose root task is this program; or what the tools said, with a newline."""
    base = f"{folder}/{name}"
    with open(f"{base}.s", "w") as file:
        file.write(PROGRAMS + PROGRAM + text + "\n2:  jmp 2b\n")
    with open(f"{base}.ld", "w") as file:
        file.write(SCRIPT)
    for command in (("clang-14", "-c", f"{base}.s", "-o", f"{base}.o"),
                    ("ld.lld-14", "-static", "-nostdlib", "-z", "max-page-size=4096", "-z", "norelro", "-T",
                     f"{base}.ld", f"{base}.o", "-o", f"{base}.elf"),
                    ("build/fast/boot_image", "--output", f"{base}.img", "--no-config", f"rootd={base}.elf")):
        status, output = build.run(command)
        if status != 0:
            return f"{' '.join(command)}: {status}\n{output}"
    return f"{base}.img"


def asked(folder, questions):
    """What QEMU's monitor answers about the running system, once that idles."""
    log = f"{folder}/serial.log"
    command = metal.command(build.FOUNDATION_IMAGE)
    for option, value in (("-monitor", "stdio"), ("-serial", f"file:{log}")):
        command[command.index(option) + 1] = value
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with open(log, "a+") as file:
            file.seek(0)
            if "ERIX_ROOTD:READY" in file.read():
                break
        time.sleep(0.1)
    time.sleep(0.5)
    try:
        return process.communicate("".join(f"{line}\n" for line in (*questions, "quit")).encode(), 10)[0].decode()
    except subprocess.TimeoutExpired:
        process.kill()
        return "no answer"


def protections(tally, folder):
    """The processor's protections are on, and nothing of the kernel is mapped with more rights than it needs, in
    either of the two places where it is mapped."""
    said = asked(folder, ("info registers", "info mem"))
    status, names = build.run(["nm", metal.KERNEL])
    symbol = {name: int(value, 16) for value, name in re.findall(r"^(\w{16}) \w (\w+)$", names, re.M)}
    ranges = [(int(first, 16), int(end, 16), rights)
              for first, end, rights in re.findall(r"^(\w{16})-(\w{16}) \w{16} (\S+)", said, re.M)]

    def mapped(address):
        return [rights for first, end, rights in ranges if first <= address < end]

    def number(name):
        found = re.search(rf"\b{name} *=(\w+)", said)
        return int(found.group(1), 16) if found else 0

    text, data = symbol.get("kernel_text_start", 0), symbol.get("kernel_data_start", 0)
    alias = 0xFFFF800000000000 - 0xFFFFFFFF80000000
    vectors = re.findall(r"\bXMM\d+=(\w+)", said)
    facts = {
        "no vector instructions": number("CR4") & 0x200 == 0,
        "nothing in vector registers": len(vectors) == 16 and all(int(value, 16) == 0 for value in vectors),
        "write protection, no x87": number("CR0") & 0x10004 == 0x10004,
        "SMEP, SMAP": number("CR4") & 0x300000 == 0x300000,
        "machine checks": number("CR4") & 0x40 != 0,
        "no execution of data": number("EFER") & 0x800 != 0,
        "no local table": re.search(r"LDT=0000 0{16} 0{8}", said) is not None,
        "nothing below the kernel": ranges and all(first >= 0xFFFF800000001000 for first, _, _ in ranges),
        "no page of users": all("u" not in rights for _, _, rights in ranges),
        "text and constants read-only, twice": all(mapped(page + shift) == ["-r-"] for shift in (0, alias)
                                                   for page in range(text, data, 4096)) and text < data,
        "guards below all stacks": all(symbol.get(name) and not mapped(symbol[name] + shift) for shift in (0, alias)
                                       for name in ("kernel_stack_guard", "fault_stack_guard", "nmi_stack_guard",
                                                    "check_stack_guard")),
    }
    wrong = [fact for fact, holds in facts.items() if not holds]
    tally.say("QEMU: the kernel's own protections are on", not wrong, ", ".join(wrong) + "\n" + said[-3000:])


def ring3(tally):
    """Every case, two at a time."""
    with tempfile.TemporaryDirectory() as folder:
        protections(tally, folder)
        rows = [(what, text, FAULTED) for what, text in (*CASES, *OTHERS_LEFT)] + \
            [(what, text, DONE) for what, text in (*SURVIVED, *OTHERS_KEPT)]
        images = [image(folder, f"case{i}", row[1]) for i, row in enumerate(rows)]
        jobs = [(row, path, cpu) for row, path in zip(rows, images)
                for cpu in (PLAIN, *(OTHERS if row[2] == DONE or "iret" in row[1] else ()))]

        def boot(job):
            _, path, cpu = job
            if not os.path.exists(path):
                return 2, path
            return build.run(metal.command(path, machine=["-M", "q35", "-m", "32", "-cpu", cpu]), 20)

        wrong = []
        for (row, _, cpu), (status, log) in negative.each(2, boot, jobs):
            what, _, wanted = row
            if what == IRET and cpu != PLAIN and status == FAULTED:
                wanted = FAULTED
            if status != wanted or not re.fullmatch(ENDED if wanted == FAULTED else "", log):
                reached = " (it reached privilege 0)" if status == PRIVILEGED else ""
                wrong.append(f"{what}, -cpu {cpu}: status {status}, not {wanted}{reached}\n{log}")
        tally.say(f"QEMU: {len(CASES) + len(OTHERS_LEFT)} attacks from ring 3 end the attacker as a fault "
                  f"does, {len(SURVIVED) + len(OTHERS_KEPT)} odd programs run on", jobs and not wrong, "".join(wrong))
