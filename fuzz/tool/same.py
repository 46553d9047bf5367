# SPDX-License-Identifier: ISC
"""The metal and the world are the same system (E3): boots repeat to the byte, the world repeats them, and what is
not the same is told apart: an edited list of inputs, a unit with one changed constant."""

import concurrent.futures
import os
import re
import shutil
import tempfile

import build
import metal

PROGRAM = "build/shipped/world"
PROCESSES = 10 # of a boot of phase 0

# A constant in a header, its other value, and what of the run it changes.
CONSTANTS = (
    ("services/memd/memd.c", "= memd->claimed_pages - memd->taken_pages,", "= memd->claimed_pages - memd->taken_pages + 1,",
     "a field of a reply"),
    ("services/procd/procd.h", "PROCD_POLL_TICKS = 10,", "PROCD_POLL_TICKS = 11,", "when procd looks up"))


def boots(image, times):
    """Yields (metal.Boot, the bytes of its record) of counted boots, two at a time."""
    def one(_):
        result, path = metal.record(image)
        with open(path, "rb") as file:
            record = file.read()
        os.unlink(path)
        return result, record

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield from pool.map(one, range(times))


def compared(record, image, *more, program=PROGRAM):
    """Runs the world on a record: (exit status, its BASALT_ lines and what differs)."""
    status, output = build.run([program, "--compare", record, *more, image], 120)
    at = output.find("BASALT_WORLD:")
    return status, output[at:] if at >= 0 else output


def digest_of(said):
    found = re.search(r"METAL:EVENTS:(\d+):DIGEST:([0-9a-f]+)", said)
    return found and f"{found[1]} events, digest {found[2]}"


def differences(image, times):
    """Boots `times` times: (the record of the first, None or what went wrong). Every record, inputs and
    events alike, must be the same to the byte."""
    first = None
    for number, (result, record) in enumerate(boots(image, times), 1):
        if result.status != metal.READY:
            return first, f"boot {number}: {result.verdict}\n{result.log}"
        if not record:
            return first, f"boot {number} recorded nothing"
        if first is not None and record != first:
            at = next((i for i, (a, b) in enumerate(zip(first, record)) if a != b), min(len(first), len(record)))
            return first, f"boot {number} differs from the first at byte {at} of the record"
        first = record
    return first, None


def repeat(image, times):
    """`basalt boot --repeat N`: N counted boots with one digest."""
    build.must_build(metal.KERNEL, PROGRAM)
    record, problem = differences(image, times)
    if problem:
        print(f"basalt: {problem}")
        return metal.NOT_READY
    with tempfile.NamedTemporaryFile(dir="build") as file:
        file.write(record)
        file.flush()
        _, said = compared(file.name, image)
    print(f"{times} boots, each with {digest_of(said)}")
    return 0


def edits(lines):
    """(what was done, the edited list) of one that the world was told apart by, whatever the boot is. The
    first line says how much memory there was; a tick that nobody waits for can be taken away unseen, a
    preemption can only where its process was alone."""
    yield "cut in half", lines[:len(lines) // 2]
    yield "with a thousand pages less", [f"memory {int(lines[0].split()[1]) - 1000}\n", *lines[1:]]
    yield "with an input of a process that is not there", [*lines[:5], "p900 1 timer 5\n", *lines[5:]]


def preemptions(lines):
    """The list without one of its preemptions, with one more where the clock ticked, and with one more at the
    first entry of a process, whenever that is. One of a process that was alone changes nothing, and one of a
    process that is not there is never taken."""
    for at, line in enumerate(lines):
        if line.endswith("preempt\n"):
            yield lines[:at] + lines[at + 1:]
    for at, line in enumerate(lines):
        if line.startswith("p") and " timer " in line:
            yield [*lines[:at + 1], line.partition(" timer ")[0] + " preempt\n", *lines[at + 1:]]
    for at in range(len(lines), 0, -1):
        for process in range(PROCESSES):
            yield [*lines[:at], f"p{process} 1 preempt\n", *lines[at:]]


def edited(tally, record, image, folder):
    written, path = f"{folder}/inputs", f"{folder}/edited"
    compared(record, image, "--write-inputs", written)
    with open(written, encoding="ascii") as file:
        lines = file.readlines()

    def run(listed):
        with open(path, "w", encoding="ascii") as file:
            file.writelines(listed)
        return compared(record, image, "--inputs", path)

    status, said = run(lines)
    tally.say("the recorded inputs, read from text, give the same run", status == 0, said)
    for what, listed in edits(lines):
        status, said = run(listed)
        tally.say(f"an input list {what} is told apart", status == 1 and
                  ("COMPARE:DIFFERENT" in said or "DIVERGED" in said), f"status {status}\n{said}")
    tried, told = 0, False
    for listed in preemptions(lines):
        status, said = run(listed)
        tried += 1
        told = status == 1 and "COMPARE:DIFFERENT" in said and "DIVERGED" not in said
        if told:
            break
    tally.say("a list with one preemption less or more is told apart", told, f"none of {tried} was")


def copy_tree(folder):
    """The sources, and the objects that PROGRAM is linked from: what does not change is not built again."""
    def skipped(path, names):
        wanted = ("image", "shipped", ".ninja_log", ".ninja_deps")
        if path == "./build":
            return [name for name in names if name not in wanted]
        return [name for name in names if path == "." and name in (".git", "findings")]

    shutil.copytree(".", folder, dirs_exist_ok=True, symlinks=True, ignore=skipped)


def rebuilt(folder, path, old, new, program=PROGRAM):
    """Builds a program in a copy with `old` in a file become `new`, then takes that back: (built, output)."""
    source = f"{folder}/{path}"
    with open(source, encoding="utf-8") as file:
        text = file.read()
    if text.count(old) != 1:
        return False, f"{path} does not say once: {old}"
    with open(source, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
    result = build.ninja(program, folder=folder)
    shutil.copy2(path, source)
    os.utime(source)
    return result


def changed(tally, record, image, folder):
    """Units with one other constant."""
    copy_tree(folder)
    for path, old, new, what in CONSTANTS:
        worked, output = rebuilt(folder, path, old, new)
        status, said = compared(record, image, program=f"{folder}/{PROGRAM}") if worked else (2, output)
        tally.say(f"{new.strip(',')} is told apart: {what}",
                  status == 1 and "COMPARE:DIFFERENT" in said, f"status {status}\n{build.shorten(said, 15)}")


def same(tally, times=3):
    """The metal against itself, the world, and what must not be taken for it."""
    image = build.PHASE0_IMAGE
    record, problem = differences(image, times)
    tally.say(f"{times} boots in QEMU leave one record", not problem, problem)
    if not record:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/record"
        with open(path, "wb") as file:
            file.write(record)
        status, said = compared(path, image)
        tally.say("the world repeats a boot of the metal event by event", status == 0 and "COMPARE:EQUAL" in said,
                  said, digest_of(said))
        edited(tally, path, image, folder)
        changed(tally, path, image, f"{folder}/tree")
