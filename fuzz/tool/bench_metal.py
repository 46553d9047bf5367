# SPDX-License-Identifier: ISC
"""The metal's part of ./basalt bench: instructions of the bench image's rows next to seL4's, sizes,
and the way to READY."""

import functools
import re
import struct

import build
import metal

IMAGE = "build/boot-bench.img"
DAEMONS = ["rootd", "memd", "vspaced", "pagerd", "procd"]

# (name of the row in the bench image's log, what it is, seL4's instructions on the same emulator or
# None). seL4: pc99, fastpath, release, its root task measured the same way.
ROWS = [
    ("unknown-syscall", "unknown system call, straight back", 95),
    ("call-empty-slot", "CALL on an empty slot", 296),
    ("read-clock", "kernel control that reads one value", 454),
    ("trip-0", "CALL + REPLY between two address spaces, no payload", 444),
    ("trip-32", "the same, 32 bytes there and back", 486),
    ("trip-80", "the same, 80 bytes", 1609),
    ("trip-928", "the same, 928 bytes", 2709),
    ("trip-far", "no payload, by a slot beyond the first 128", None),
    ("trip-cap", "the same, a capability moved there and back", None),
    ("trip-library-0", "no payload, by the runtime's sys_* with a window of 4", None),
    ("trip-library-80", "80 bytes, by the runtime's sys_* with a window of 4", None),
    ("map-unmap", "map + unmap of a page", 1264),
    ("map-each", "map, each of 256 pages", 699),
    ("unmap-each", "unmap, each of 256 pages", 571),
    ("retype-destroy", "retype a frame + destroy it", 1525),
    ("fault-one-handler", "page fault, one handler maps and replies", 1959),
    ("fault-anonymous", "anonymous fault through pagerd, vspaced, memd", None),
    ("fault-walk", "4 anonymous pages of a walk upwards, by one fault", None),
    ("fault-walk-each", "the same, for each page touched", None),
    ("fault-image", "16 read-only image pages through pagerd, vspaced, by one fault", None),
    ("create-abort", "create + abort a staged process", None),
    ("spawn-exit", "spawn to exit of a helper through procd", None),
    ("spawn-exit-10", "the same beside 10 processes that spin", None),
    ("spawn-exit-100", "the same beside 100", None),
    ("spawn-exit-900", "the same beside 900", None),
]
# (name of the row, whom it is of, the equal share): the least, the middle and the most that those who are
# measured get of the processor, in thousandths.
SHARE_ROWS = [
    ("share-thief", "one beside a thief, who sleeps just before its slice ends", 500),
    ("share-relay", "one beside a client whose helper asks a server for little, always when the tick comes", 500),
    ("share-lent", "four beside one of a lower band that their equal calls for a tick, again and again", 200),
    ("share-long", "one beside a client that asks a server for 25 ticks at a time", 500),
    ("share-absent", "one beside a client that waits while the tick comes, and is woken after it", 500),
    ("share-watched", "two, while the tick always belongs to one of a higher band", 500),
]
MEMORY = ["-m", "1024"] # for 900 processes
PAGE_ROWS = ["pages-3-leaves", "pages-4-leaves"]
# The program that faults tells one number by its exit code: three runs make the row.
RUN_EACH = ("fault-anonymous", "fault-walk", "fault-walk-each", "fault-image")


@functools.cache
def measure(image):
    """{row: (minimum, median, p90)} of one counted boot of a bench image, which repeats exactly, so that one
    is enough for whoever asks. Stops when a row is missing."""
    boot = metal.Boot(image, 300, extra=[*metal.COUNTED, *MEMORY])
    rows = {name: tuple(map(int, values)) for name, *values in
            re.findall(r"^BENCH:([a-z0-9-]+):(\d+):(\d+):(\d+)$", boot.log, re.M)}
    missing = [name for name in [*[row[0] for row in ROWS], *PAGE_ROWS, *[row[0] for row in SHARE_ROWS]] if name not in rows]
    if missing or "\nBENCH:END\n" not in boot.log:
        raise build.Stop(f"{boot.log}\n{image}: no figure for {' '.join(missing) or 'the end'}")
    return rows


def sizes(path):
    """(text, read-only data, data, bss) in bytes of an ELF file's loaded segments."""
    with open(path, "rb") as file:
        data = file.read()
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    text = constant = variable = zero = 0
    for at in range(offset, offset + size * count, size):
        kind, flags = struct.unpack_from("<II", data, at)
        in_file, in_memory = struct.unpack_from("<QQ", data, at + 32)
        if kind != 1:
            continue
        if flags & 1:
            text += in_memory
        elif flags & 2:
            variable += in_file
            zero += in_memory - in_file
        else:
            constant += in_memory
    return text, constant, variable, zero


def print_rows(rows):
    print("instructions on the metal (QEMU TCG, -icount shift=0), seL4 on the same emulator, ratio")
    for name, meaning, other in ROWS:
        least, median, p90 = rows[name]
        own = ", each of a run of its own" if name in RUN_EACH else ""
        spread = "" if least == median == p90 else f"  (minimum {least}, 90 % {p90}{own})"
        beside = f"{other:>7} {median / other:6.2f}" if other else " " * 14
        print(f"  {median:>9} {beside}  {meaning}{spread}")


def print_shares(rows):
    print("shares of honest processes of one band: the least, the most, an equal one, in %")
    for name, meaning, equal in SHARE_ROWS:
        least, _, most = rows[name]
        print(f"  {least / 10:5.1f} {most / 10:5.1f} {equal / 10:5.1f}  {meaning}")


def print_sizes():
    print("bytes: text, constants, data, zero data (daemons: 65536 of it are stack)")
    for name in ["kernel", *DAEMONS]:
        print(f"  {name}: " + ", ".join(map(str, sizes(f"build/image/{name}.elf"))))
    for image in [build.FOUNDATION_IMAGE, build.RUNTIME_IMAGE, build.PHASE0_IMAGE]:
        with open(image, "rb") as file:
            print(f"  {image}: {len(file.read())}")


def print_memory(rows):
    """The smallest budget with which a process has a page in 3 and in 4 areas of 2 MiB."""
    three, four = (rows[name][1] for name in PAGE_ROWS)
    found = re.search(r"KERNEL_PROCESS_PAGES = (\d+)", open("kernel/core/kernel.h").read())
    made, leaf = int(found[1]), four - three
    print(f"kernel memory of a process: {made} pages when it is made; its first page elsewhere draws "
          f"{three - made - 2 * leaf} more (upper tables, leaf table, links), each further 2 MiB {leaf}")
