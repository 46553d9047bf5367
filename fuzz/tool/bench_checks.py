# SPDX-License-Identifier: ISC
"""./basalt bench --checks: what each check of the images costs. Builds the metal's variant again with one
check less or more, counts some rows of the bench and prints them as a table for ARCHITECTURE.md."""

import os
import re

import bench_metal
import bench_ready
import build
import metal

FOLDER = "build/checks"
VARIANT = "fuzz/variants/image.ninja"
ROWS = ["trip-0", "map-unmap", "fault-anonymous", "spawn-exit"] # the last one ends the boot
PROTECTOR = "-fstack-protector-strong -mstack-protector-guard=global"
RARE = "unreachable,return,builtin,integer-divide-by-zero,nonnull-attribute,returns-nonnull-attribute,vla-bound"
# Headers in which an assertion asks nothing stand before the tree's.
ASSERTING = ["abi/assert.h", "kernel/core/internal.h"]
ASKS, ASKS_NOT = "((condition) ? (void)0", "((1 || (condition)) ? (void)0"
SILENT = f"{FOLDER}/silent"

# (case, flags after the image's own). `shipped` comes first: the others are told as what they differ from it.
CASES = [
    ("shipped", ""),
    ("without bounds", "-fno-sanitize=bounds"),
    ("without object-size", "-fno-sanitize=object-size"),
    ("without signed-integer-overflow", "-fno-sanitize=signed-integer-overflow"),
    ("without shift", "-fno-sanitize=shift"),
    ("without bool and enum", "-fno-sanitize=bool,enum"),
    ("without the rare ones", f"-fno-sanitize={RARE}"),
    ("without any of these traps", "-fno-sanitize=all"),
    ("without stack protection", "-fno-stack-protector"),
    ("without assertions", f"-iquote {SILENT}"),
    ("without all of these", f"-fno-sanitize=all -fno-stack-protector -iquote {SILENT}"),
    ("with alignment too", "-fsanitize=alignment -fsanitize-trap=alignment"),
    ("with null too", "-fsanitize=null -fsanitize-trap=null"),
    ("with pointer-overflow too", "-fsanitize=pointer-overflow -fsanitize-trap=pointer-overflow"),
]


def silence():
    """Writes the headers whose assertions ask nothing."""
    for path in ASSERTING:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if text.count(ASKS) != 1:
            raise build.Stop(f"{path} does not have '{ASKS}' once, by which assertions are taken out")
        os.makedirs(f"{SILENT}/{os.path.dirname(path)}", exist_ok=True)
        with open(f"{SILENT}/{path}", "w", encoding="utf-8") as file:
            file.write(text.replace(ASKS, ASKS_NOT))


def variant(folder, flags):
    """Writes a ninja file that builds the images into a folder with further flags, and returns its path."""
    with open("build.ninja", encoding="utf-8") as file:
        rules = re.sub(r"^(subninja|builddir) .*\n", "", file.read(), flags=re.M)
    with open(VARIANT, encoding="utf-8") as file:
        text = file.read()
    text = text.replace("= build/image", f"= {folder}").replace("= build/boot", f"= {folder}/boot")
    text, count = re.subn(r"^(checks = (?:.*\$\n)*.*)$", rf"\1 {flags}", text, flags=re.M)
    if count != 1:
        raise build.Stop(f"{VARIANT} does not say once which checks there are")
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/build.ninja", "w", encoding="utf-8") as file:
        file.write(f"{rules}builddir = {folder}\n{text}")
    return f"{folder}/build.ninja"


def figures(name, flags):
    """[instructions of each of ROWS, of the way to READY, bytes of the kernel's text] of a case."""
    folder = f"{FOLDER}/{re.sub('[^a-z]+', '-', name)}"
    kernel, bench, foundation = f"{folder}/kernel.elf", f"{folder}/boot-bench.img", f"{folder}/boot-foundation.img"
    build.must_build("-f", variant(folder, flags), kernel, bench, foundation)
    boot = metal.Boot(bench, 300, extra=[*metal.COUNTED, *bench_metal.MEMORY, "-kernel", kernel],
                      stop_at=rf"^BENCH:({ROWS[-1]}:.*|FAILED.*)\n")
    rows = {row: int(median) for row, median in re.findall(r"^BENCH:([a-z0-9-]+):\d+:(\d+):\d+$", boot.log, re.M)}
    if any(row not in rows for row in ROWS):
        raise build.Stop(f"{boot.log}\n{name}: {boot.verdict}")
    return [*(rows[row] for row in ROWS), bench_ready.instructions(foundation, {"kernel": kernel}),
            bench_metal.sizes(kernel)[0]]


def cell(count, shipped):
    percent = 100 * (count - shipped) / shipped
    return f"{count:,} ({percent:+.1f} %)" if abs(percent) >= 0.05 else f"{count:,}"


def print_checks():
    """The table, as markdown; each row when it is known."""
    build.must_build("build/fast/boot_image", "build/fast/qemu_profile.so")
    silence()
    print(f"| build | {' | '.join(ROWS)} | entry to READY | kernel text, bytes |")
    print("| --- |" + " --- |" * (len(ROWS) + 2))
    shipped = None
    for name, flags in CASES:
        found = figures(name, flags)
        shipped = shipped or found
        cells = (cell(count, first) for count, first in zip(found, shipped))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    return 0
