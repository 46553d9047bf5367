# SPDX-License-Identifier: ISC
"""The files' part of ./basalt bench: bytes through vfsd and ramfsd, and programs from files, as a client of both waits for
them."""

import functools
import os
import re

import build
import metal

IMAGE = "build/boot-bench-files.img"
PROGRAM = "build/image/bench-big.elf"
CALL_BYTES = 832 # FILE_TRANSFER_BYTES_MAX of abi/messages/ramfsd.h
# (name of the row in the image's log, what it is)
ROWS = [
    ("file-write", f"{CALL_BYTES} bytes to a volatile file, through vfsd and ramfsd"),
    ("file-read", f"{CALL_BYTES} bytes from it"),
    ("archive-read", f"{CALL_BYTES} bytes from the archive, through vfsd and imagefsd"),
    ("launch", "LAUNCH_PATH of a program with 64 KiB of constants, until it is answered"),
    ("launch-exit", "the same, until the program has ended"),
]


@functools.cache
def measure():
    """{row: instructions, the median} of one counted boot, which repeats exactly. Stops when a row is missing."""
    boot = metal.Boot(IMAGE, 120, extra=[*metal.COUNTED])
    rows = {name: int(median) for name, median in re.findall(r"^BENCH:([a-z-]+):\d+:(\d+):\d+$", boot.log, re.M)}
    missing = [name for name, _ in ROWS if name not in rows]
    if missing or "\nBENCH:END\n" not in boot.log:
        raise build.Stop(f"{boot.log}\n{IMAGE}: no figure for {' '.join(missing) or 'the end'}")
    return rows


def print_rows():
    rows = measure()
    print("files, instructions that a client waits for, and bytes for each thousand of them")
    for name, meaning in ROWS:
        count = os.path.getsize(PROGRAM) if name.startswith("launch") else CALL_BYTES
        print(f"  {rows[name]:>9} {1000 * count / rows[name]:7.1f}  {meaning}")
