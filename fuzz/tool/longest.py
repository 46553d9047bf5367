# SPDX-License-Identifier: ISC
"""How long the kernel lets no interrupt in, in instructions, whatever processes built before (K8): the
cases of services/bench/longest.h under the kernel that measures, on the counted machine."""

import re

import build
import metal

IMAGE = "build/boot-longest.img"
KERNEL = "build/image/kernel-longest.elf"
MEMORY = ["-m", "1024"] # for a thousand processes
MAX = 100_000
CASES = [
    ("map-512", "map 512 pages of the image, with their tables"),
    ("protect-512", "protect them"),
    ("unmap-512", "unmap them"),
    ("fill", "the same calls until a budget of 4,096 pages is full of tables"),
    ("end-full", "end that process, with a million mappings"),
    ("end-sparse", "end one in which each mapping has tables of its own"),
    ("destroy-frame", "destroy a frame with 4,096 mappings"),
    ("destroy-frame-sparse", "one in which each mapping has tables of its own"),
    ("retype-64", "retype 64 frames"),
    ("drop-chain", "drop the last capability of who holds those of 16 full processes"),
    ("drop-pools", "that of who holds the last frames of 64 nests of 30 pools"),
    ("wake-1000", "a tick at which 1,000 deadlines pass"),
    ("end-endpoint", "end an endpoint at which 1,000 processes wait"),
    ("lend-1000", "the first of a chain of 1,000 that wait for each other begins to wait"),
    ("loans-back", "and ends"),
    ("loans-late", "a tick at which three that lend different bands to that chain stop waiting"),
    ("retype-all", "retype all memory, after all that, as one untyped"),
    ("scan", "search an occupied slot behind empty leaves"),
]


def measure():
    """{case: instructions} of one boot; of cases with one name the longest. Stops when one is missing."""
    build.must_build(IMAGE, KERNEL)
    boot = metal.Boot(IMAGE, 300, extra=[*metal.COUNTED, *MEMORY, "-kernel", KERNEL])
    cases = {}
    for count, name in re.findall(r"^\[longest (\d+)\] CASE:([a-z0-9-]+)$", boot.log, re.M):
        cases[name] = max(cases.get(name, 0), int(count))
    missing = [name for name, _ in CASES if name not in cases]
    if missing or "] BENCH:END\n" not in boot.log:
        raise build.Stop(f"{boot.log}\n{IMAGE}: no figure for {' '.join(missing) or 'the end'}")
    return cases


def print_longest():
    cases = measure()
    print("longest entry: instructions for which no interrupt is possible")
    print(f"  {max(cases.values()):>9}  of all that was done (at most {MAX})")
    for name, meaning in CASES:
        print(f"  {cases[name]:>9}  {meaning}")


def longest(tally):
    cases = measure()
    tally.complaints("no interrupt waits for long, whatever processes built", [
        f"{name}: {count} instructions without an interrupt, at most {MAX} are allowed"
        for name, count in cases.items() if count > MAX])
