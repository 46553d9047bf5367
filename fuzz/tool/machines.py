# SPDX-License-Identifier: ISC
"""Machines other than the usual one, and what happens to a machine from outside: no firmware that prepared it, no
local APIC, a serial line that nobody reads, a non-maskable interrupt, a machine check. And the clock, which none of
that may slow (K9). Each program here is a root task of its own, as in ring3.py."""

import fcntl
import os
import random
import re
import signal
import struct
import subprocess
import tempfile
import time

import build
import metal
import negative
import ring3

# Machines on which the phase-0 image must be READY: what is odd about it, its options.
MACHINES = (
    ("microvm, whose firmware prepares no interrupts", ["-M", "microvm", "-m", "128"]),
    ("microvm without an 8259", ["-M", "microvm,pic=off", "-m", "128"]),
    ("a processor without a local APIC", ["-M", "q35", "-m", "128", "-cpu", "qemu64,-apic"]),
    ("1 GiB of memory", ["-M", "q35", "-m", "1G", "-cpu", "max"]),
    ("4 GiB of memory", ["-M", "q35", "-m", "4G", "-cpu", "max"]),
    ("5 GiB of memory", ["-M", "q35", "-m", "5G", "-cpu", "max"]))

# `now` puts the kernel's clock, in ticks, into rax. `log` writes 256 bytes to the log in one call, the text of `line`.
MACROS = """
    .macro receive
    mov $0x00007FFFFFFFF000, %rbx
    movq $1, (%rbx)
    movq $0, 8(%rbx)
    mov $0x41, %eax
    mov $2, %edi
    syscall
    mov $0x00007FFFFFFFF000, %rbx
    .endm
    .macro now
    xor %esi, %esi
    receive
    mov 1032(%rbx), %rax
    .endm
    .macro log
    mov $0x00007FFFFFFFF000, %rbx
    movq $0x00180001, (%rbx)
    movq $0, 8(%rbx)
    movw $260, 4(%rbx)
    movq $0, 16(%rbx)
    movq $0, 24(%rbx)
    movl $256, 96(%rbx)
    lea 100(%rbx), %rdi
    mov $256, %ecx
    lea line(%rip), %rsi
    rep movsb
    mov $0x40, %eax
    mov $2272, %edi
    mov $-1, %rsi
    syscall
    .endm
    .macro cycles
    rdtsc
    shl $32, %rdx
    or %rdx, %rax
    .endm
    jmp begin
line: .fill 255, 1, 0x2E
    .byte 10
begin:
"""

# Under -icount shift=10 an instruction takes a microsecond, and the processor's counter counts nanoseconds: one entry
# that writes a line of the log takes some ticks. The clock must have gone on by what the counter says.
LONG_ENTRIES = """
    now
    mov %rax, %r12
    cycles
    mov %rax, %r13
    mov $200, %ebp
1:  log
    dec %ebp
    jnz 1b
    cycles
    sub %r13, %rax
    xor %edx, %edx
    mov $1000000, %ecx
    div %rcx
    mov %rax, %r13
    now
    sub %r12, %rax
    sub %r13, %rax
    add $3, %rax
    cmp $6, %rax
    ja 8f
    cmp $300, %r13
    jb 8f
    exit 7
8:  exit 8
"""

# Writes to the log for two seconds by the clock, whoever reads it, and then ends.
TALKS = """
    now
    lea 2000(%rax), %r12
1:  log
    now
    cmp %r12, %rax
    jb 1b
    exit 7
"""

# Sleeps for a second: the record of the run has a tick for the end of that, and few others.
SLEEPS = """
    now
    lea 1000(%rax), %rsi
    receive
    exit 7
"""

# Sleeps for two ticks until one time, of fifty, that takes no more than twenty.
NAPS = """
    mov $50, %ebp
1:  now
    mov %rax, %r12
    lea 2(%rax), %rsi
    receive
    now
    sub %r12, %rax
    cmp $20, %rax
    jbe 7f
    dec %ebp
    jnz 1b
    exit 8
7:  exit 7
"""

LINE = "." * 255
SMALL = ["-M", "q35", "-m", "32", "-cpu", "qemu64"]


def program(folder, name, text):
    """Path of an image of one of these programs."""
    path = ring3.image(folder, name, MACROS + text)
    if not os.path.exists(path):
        raise build.Stop(path)
    return path


def boots(tally):
    """Images that work on one machine work on another. Time follows instructions, as deadlines of programs would not
    hold on a busy host."""
    shown = re.findall(r"^    ((?:ROOTD_STAGE|ERIX_ROOTD):\S+)", open("README.md", encoding="utf-8").read(), re.M)
    for (what, machine), boot in negative.each(
            2, lambda row: metal.Boot(build.PHASE0_IMAGE, 120, machine=row[1], extra=metal.COUNTED), MACHINES):
        tally.say(f"QEMU boots the phase-0 image on {what}", boot.status == metal.READY and
                  metal.sorted_out(boot.log)[0] == shown, f"{boot.log}{boot.verdict}\n{' '.join(machine)}")


def clock(tally, folder):
    """K9: entries that take longer than a tick, and a second asleep."""
    status, log = build.run(metal.command(program(folder, "entries", LONG_ENTRIES), machine=SMALL, extra=[
        "-icount", "shift=10,sleep=off"]), 120)
    tally.say("QEMU: entries longer than a tick do not slow the clock (K9)", status == ring3.DONE and LINE in log,
              f"status {status}\n{log[-600:]}")
    record = f"{folder}/record"
    status, log = build.run(metal.command(program(folder, "sleeps", SLEEPS), machine=SMALL, extra=[
        *metal.COUNTED, "-append", "record", "-debugcon", f"file:{record}"]), 60)
    with open(record, "rb") as file:
        ticks = timer_rows(file.read())
    tally.say("QEMU: no tick comes while all are asleep but the one that ends it", status == ring3.DONE and not log and
              1 <= len(ticks) <= 4 and ticks[-1] >= 1000, f"status {status}, ticks at {ticks}\n{log}")


STOP_SEEDS = 100
STOPS_SECONDS = 2 # the clock is measured within that
STOPPED = 11 * [["-M", "q35", "-m", "32"]] + [["-M", "q35", "-m", "32", "-cpu", "qemu64,-apic"]]


def stopped_at_times(command, seed):
    """Exit status of QEMU when its host stops it again and again while it starts; None: no end in time. Now and then
    QEMU itself does not survive that; then it is started again."""
    for attempt in range(3):
        status = stopped_once(command, random.Random(STOP_SEEDS * attempt + seed))
        if status != -signal.SIGABRT:
            break
    return status


def stopped_once(command, draw):
    process = subprocess.Popen(build.bound(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    try:
        while process.poll() is None and time.monotonic() < began + STOPS_SECONDS:
            time.sleep(draw.uniform(0, 0.006))
            process.send_signal(signal.SIGSTOP)
            time.sleep(draw.uniform(0.02, 0.06))
            process.send_signal(signal.SIGCONT)
        return process.wait(60)
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def stops(tally, folder):
    """K9: the host stands still at any moment while the clock is measured, and sleep is as long as ever. When one
    round of measurement in which it did was believed, one boot in ten had a timer a hundred times too slow; all of
    what is believed is asked by kernel_machine."""
    image = program(folder, "naps", NAPS)
    boots_of = [(seed, metal.command(image, machine=machine)) for seed, machine in enumerate(STOPPED)]
    ends = negative.each(4, lambda boot: stopped_at_times(boot[1], boot[0]), boots_of)
    tally.complaints("QEMU: a host that stands still does not make the clock wrong", [
        f"boot {seed}: status {end}, {ring3.DONE} expected" for (seed, _), end in ends if end != ring3.DONE])


def timer_rows(record):
    """Values of the timer's rows (abi/machine_record.h) of a record in which no message comes before the last."""
    found = []
    for at in range(0, len(record) - 23, 24):
        kind, value = record[at], struct.unpack_from("<Q", record, at + 16)[0]
        if kind not in (1, 2, 3, 5):
            break
        if kind == 1:
            found.append(value)
    return found


def whole_lines(log):
    """(whether all that was read is whole lines or what they cost, lines that were lost)"""
    lost = [int(number) for number in re.findall("^BASALT_KERNEL:LOG_LOST:(\\d+)$", log, re.M)]
    odd = [line for line in log.splitlines() if line != LINE and not line.startswith("BASALT_KERNEL:LOG_LOST:")]
    cut = [line for line in odd if line and not line.strip(".")]
    return len(cut) == len(odd) <= len(lost), sum(lost)


def unread(tally, folder):
    """A serial line that nobody reads for a while, or ever: the program that writes to it ends by its clock."""
    command = metal.command(program(folder, "talks", TALKS), machine=SMALL)
    for ever in (False, True):
        process = subprocess.Popen(build.bound(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        fcntl.fcntl(process.stdout.fileno(), fcntl.F_SETPIPE_SZ, 4096)
        began = time.monotonic()
        try:
            if ever:
                code = process.wait(30)
                tally.say("QEMU: a log that nobody ever reads keeps nobody from its end", code == ring3.DONE,
                          f"status {code}", f"{time.monotonic() - began:.1f} s")
                continue
            time.sleep(1)
            log = process.communicate(timeout=30)[0].decode(errors="replace")
            sound, lost = whole_lines(log)
            tally.say("QEMU: a log that nobody reads for a second loses whole lines and says how many",
                      process.returncode == ring3.DONE and sound and lost > 0,
                      f"status {process.returncode}, {lost} lost\n{log[-1500:]}", f"{lost} lines")
        except subprocess.TimeoutExpired:
            tally.say("QEMU: a log that nobody reads stops nobody", False, "no end after 30 s")
        finally:
            process.kill()
            process.wait()


def told(folder, *questions):
    """(exit status of QEMU, the log) when its monitor is told these lines one after the other, at READY."""
    log = f"{folder}/serial.log"
    command = metal.command(build.FOUNDATION_IMAGE)
    for option, value in (("-monitor", "stdio"), ("-serial", f"file:{log}")):
        command[command.index(option) + 1] = value
    open(log, "w", encoding="utf-8").close()
    process = subprocess.Popen(build.bound(command), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def wait(holds, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None:
            with open(log, encoding="utf-8", errors="replace") as file:
                if holds(file.read()):
                    return
            time.sleep(0.05)

    wait(lambda text: "ERIX_ROOTD:READY" in text)
    try:
        for number, question in enumerate(questions, 2):
            process.stdin.write(f"{question}\n".encode())
            process.stdin.flush()
            wait(lambda text: text.count("\n") >= number, 5)
        process.stdin.close()
    except BrokenPipeError: # QEMU has ended
        pass
    try:
        code = process.wait(2)
    except subprocess.TimeoutExpired:
        code = None
        process.kill()
        process.wait()
    with open(log, encoding="utf-8", errors="replace") as file:
        return code, file.read()


# An uncorrected error in bank 1, with an address.
MACHINE_CHECK = "mce 0 1 0xb400000000000000 0x0 0x1234000 0x0"
NUMBER = "0x0{15}"


def events(tally, folder):
    """What comes from outside at any time."""
    code, log = told(folder, "nmi", "nmi")
    tally.say("QEMU: non-maskable interrupts are told and survived", code is None and re.fullmatch(
        f"ERIX_ROOTD:READY\n(BASALT_KERNEL:NMI:of unknown cause, until now {NUMBER}[12]\n){{2}}", log), f"{code}\n{log}")
    code, log = told(folder, MACHINE_CHECK)
    tally.say("QEMU: a machine check says where and ends the machine", code == 2 * 64 + 1 and re.fullmatch(
        f"ERIX_ROOTD:READY\nBASALT_KERNEL:MACHINE_CHECK:bank {NUMBER}1 status 0xb400000000000000 address "
        "0x0000000001234000\nBASALT_KERNEL:PANIC:machine check at .*\n", log), f"{code}\n{log}")


def machines(tally):
    boots(tally)
    with tempfile.TemporaryDirectory() as folder:
        clock(tally, folder)
        stops(tally, folder)
        unread(tally, folder)
        events(tally, folder)
