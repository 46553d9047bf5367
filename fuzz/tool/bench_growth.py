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
# {row: (what it is, whether it uses a tree or a heap)}. Regions, tokens and accounts are kept in trees:
# what uses them may grow with the logarithm. The first step from one size to the next tells how much
# that is; what takes more time for each process or region grows by far more in all steps than in the
# first. The other rows are the same whatever is beside them, but for what the compiler aligns.
# Deadlines are kept in a heap, but not the recent ones, which are those of calls (kernel/core/deadline.c).
ALIKE_PERCENT = 110 # of the least that a row takes: still the same
STEPS_MAX = 6       # all steps together, in the first one
FLAT, LOGARITHMIC = False, True
ROWS = {
    "trip-0": ("round trip", FLAT),
    "trip-deadline": ("round trip with the nearest deadline of all", FLAT),
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
            grown, first_step = counts[-1] - counts[0], max(0, counts[1] - counts[0])
            if 100 * counts[-1] <= ALIKE_PERCENT * min(counts) or (ROWS[row][1] and grown <= STEPS_MAX * first_step):
                continue
            wrong.append(f"{row}: {counts[-1]} instructions beside {sizes[-1]} {what}, {counts[0]} beside {sizes[0]}: "
                         + (f"{grown} more, and {first_step} in the first step" if ROWS[row][1] else "it should not grow"))
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
    regions = "".join(f"GROWTH:regions:{size}\n" + "".join(f"BENCH:{row}:1:1000:3\n" for row in ROWS)
                      for size in SIZES["regions"])
    wrong = []
    flat = [row for row in ROWS if not ROWS[row][1]]
    for what, counts, wanted in (("flat", (1000, 1000, 1000, 1100), 0),
                                 ("logarithmic", (1000, 1200, 1400, 1600), len(flat)),
                                 ("almost logarithmic", (1000, 1200, 1600, 2200), len(flat)),
                                 ("linear", (1000, 1009, 1099, 1999), len(ROWS) - len(OF_REGIONS)),
                                 ("late", (1000, 1000, 1000, 1101), len(ROWS) - len(OF_REGIONS))):
        log = "".join(LOG.format(size, count) for size, count in zip(SIZES["processes"], counts))
        found = complaints(parsed(log + regions))
        if len(found) != wanted:
            wrong.append(f"rows that are {what}: {found}, not {wanted} lines")
    few = "".join(LOG.format(size, 1000) for size in SIZES["processes"][:-1])
    if len(missing(parsed(few + regions))) != len(ROWS) - len(OF_REGIONS) or missing(parsed(LOG.format(1, 1)))[:1] != ["trip-0 beside 10 processes"]:
        wrong.append("rows that are missing are not missed")
    return wrong
