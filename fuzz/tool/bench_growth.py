# SPDX-License-Identifier: ISC
"""How the rows of the bench grow with the number of processes, of open waits and of regions: the image of
services/bench/growth.h on the counted machine."""

import functools
import re

import build
import metal

IMAGE = "build/boot-growth.img"
MEMORY = ["-m", "1024"] # for a thousand processes
SIZES = {"processes": [1, 10, 100, 1000], "regions": [10, 1000, 60000]}
# {row: (what it is, how many times its least the row may be at the largest size)}. Deadlines are kept in a
# heap, and regions in a tree: what uses them may grow with the logarithm. What takes more time for each
# process or region would be many times its least.
FLAT, LOGARITHMIC = 1.1, 1.6
ROWS = {
    "trip-0": ("round trip", FLAT),
    "trip-deadline": ("round trip with the nearest deadline of all", LOGARITHMIC),
    "map-unmap": ("map + unmap of a page", FLAT),
    "retype-destroy": ("retype a frame + destroy it", FLAT),
    "fault-one-handler": ("page fault, one handler maps and replies", FLAT),
    "fault-anonymous": ("anonymous fault through pagerd, vspaced, memd", LOGARITHMIC),
    "fault-image": ("read-only image page through pagerd, vspaced", LOGARITHMIC),
    "spawn-exit": ("spawn to exit of a helper through procd", LOGARITHMIC),
    "region": ("one more region of a space, through vspaced", LOGARITHMIC),
}
OF_REGIONS = ("region",)


def parsed(log):
    """{(what grows, size): {row: median}} of a log."""
    stages, rows = {}, None
    for line in log.splitlines():
        stage = re.fullmatch(r"GROWTH:([a-z]+):(\d+)", line)
        row = re.fullmatch(r"BENCH:([a-z0-9-]+):\d+:(\d+):\d+", line)
        if stage:
            rows = stages.setdefault((stage[1], int(stage[2])), {})
        elif row and rows is not None:
            rows[row[1]] = int(row[2])
    return stages


def rows_of(what):
    return [row for row in ROWS if what == "regions" or row not in OF_REGIONS]


def missing(stages):
    return [f"{row} beside {size} {what}" for what, sizes in SIZES.items() for size in sizes
            for row in rows_of(what) if row not in stages.get((what, size), {})]


@functools.cache
def measure():
    """What parsed() says of one boot, which repeats exactly. Stops when a figure is missing."""
    boot = metal.Boot(IMAGE, 600, extra=[*metal.COUNTED, *MEMORY])
    stages = parsed(boot.log)
    lost = missing(stages)
    if lost or "\nBENCH:END\n" not in boot.log:
        raise build.Stop(f"{boot.log}\n{IMAGE}: no figure for {'; '.join(lost) or 'the end'}")
    return stages


def name_of(row, what, size):
    """What the row beside so many is called in props/bench.expected."""
    return f"{row}/{what}-{size}"


def table():
    """{name: instructions} for props/bench.expected."""
    stages = measure()
    return {name_of(row, what, size): stages[what, size][row]
            for what, sizes in SIZES.items() for size in sizes for row in rows_of(what)}


def complaints(stages):
    """Rows that grow more than they may, a line each."""
    wrong = []
    for what, sizes in SIZES.items():
        for row in rows_of(what):
            counts = [stages[what, size][row] for size in sizes]
            if counts[-1] > ROWS[row][1] * min(counts):
                wrong.append(f"{row}: {counts[-1]} instructions beside {sizes[-1]} {what}, {min(counts)} beside fewer: "
                             f"more than {ROWS[row][1]} times as many")
    return wrong


def markdown(counts):
    """The lines of the table of what table() returns."""
    columns = [(what, size) for what, sizes in SIZES.items() for size in sizes]
    lines = ["| instructions beside | " + " | ".join(f"{size:,} {what}" for what, size in columns) + " |",
             "| --- |" + " --- |" * len(columns)]
    for row, (meaning, _) in ROWS.items():
        found = [counts.get(name_of(row, what, size)) for what, size in columns]
        lines.append(f"| {meaning} | " + " | ".join(f"{count:,}" if count else "" for count in found) + " |")
    return lines


# --- checks of this file ---

LOG = "GROWTH:processes:{0}\n" + "".join(f"BENCH:{row}:1:{{1}}:3\n" for row in ROWS if row not in OF_REGIONS)


def missed():
    """What made-up logs should give and do not."""
    few = "".join(LOG.format(size, 1000) for size in SIZES["processes"][:-1])
    regions = "".join(f"GROWTH:regions:{size}\n" + "".join(f"BENCH:{row}:1:1000:3\n" for row in ROWS)
                      for size in SIZES["regions"])
    wrong = []
    flat = [row for row in ROWS if ROWS[row][1] == FLAT]
    for what, last, wanted in (("flat", 1100, 0), ("logarithmic", 1600, len(flat)),
                               ("growing", 1601, len(ROWS) - len(OF_REGIONS))):
        found = complaints(parsed(few + LOG.format(SIZES["processes"][-1], last) + regions))
        if len(found) != wanted:
            wrong.append(f"rows that are {what}: {found}, not {wanted} lines")
    if len(missing(parsed(few + regions))) != len(ROWS) - len(OF_REGIONS) or missing(parsed(LOG.format(1, 1)))[:1] != ["trip-0 beside 10 processes"]:
        wrong.append("rows that are missing are not missed")
    return wrong
