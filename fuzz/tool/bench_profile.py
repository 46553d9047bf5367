# SPDX-License-Identifier: ISC
"""./basalt bench --profile ROW: where the instructions of one row of the bench go, by program and by
function. QEMU counts what runs between the program's own reads of the clock (fuzz/engine/qemu_profile.c);
what is counted must be what the row says."""

import collections
import json
import os
import re
import subprocess
import tempfile

import bench_files
import bench_metal
import build
import metal

PLUGIN = "build/fast/qemu_profile.so"
ROW_END = "bench_line_row"     # runs in the program that prints rows at the end of each
CLOCK_ALONE = "bench_overhead" # two reads with nothing between them; a program measures that first
# Exceptions after which the instruction runs again: no vector state, page fault.
RESTARTS = ("trap_stub_7", "trap_stub_14")
# image: what it boots with; root: the program that prints its rows, and measures those that no other one does.
Bench = collections.namedtuple("Bench", "image memory root")
SYSTEM = Bench(bench_metal.IMAGE, bench_metal.MEMORY, "bench-root")
FILES = Bench(bench_files.IMAGE, [], "bench-files")
# Rows that another program measures, in three runs; the second one tells the median.
MEASURED_BY = {"fault-one-handler": "bench-fault", "fault-anonymous": "bench-fault", "fault-walk": "bench-fault",
               "fault-image": "bench-fault"}
SHARED = ("fault-walk-each",) # a sample is a part of a window: the row before is the whole
MEDIAN_RUN = 1
PAIRED = ("map-unmap", "retype-destroy") # a sample is two windows, with one between that does not count
LEAST_SHARE = 0.004 # functions with less are summed up
SECONDS = 600

ROW = "\nrow\n" # how a row of the trace ends

Window = collections.namedtuple("Window", "va count shape")
Sample = collections.namedtuple("Sample", "count shapes") # the clock's own cost taken off


class Trace:
    """What the plugin wrote: .places [(program, address)], .shapes [{place: count}], .rows [[Window]]. QEMU is
    ended while it writes on, so that only what stands before the end of a row counts."""

    def __init__(self, text):
        self.places, self.shapes, self.rows = [], [], []
        windows = []
        whole, _, _ = text.rpartition(ROW)
        for line in (whole + ROW).splitlines() if whole else []:
            kind, _, rest = line.partition(" ")
            if kind == "place":
                program, va = rest.split()
                self.places.append((program, int(va, 16)))
            elif kind == "shape":
                self.shapes.append({int(place): int(count) for place, count in
                                    (pair.split(":") for pair in rest.split())})
            elif kind == "window":
                va, count, shape = rest.split()
                windows.append(Window(int(va, 16), int(count), int(shape)))
            else:
                self.rows.append(windows)
                windows = []


def function_range(elf, name):
    """(first, end) of a function's addresses."""
    found = re.search(rf"^(\w+) (\w+) \w {name}$", build.run(["nm", "--print-size", elf])[1], re.M)
    if not found:
        raise build.Stop(f"{elf} has no function {name}, by which the profile finds its way")
    first = int(found[1], 16)
    return first, first + int(found[2], 16)


def address(elf, name):
    found = re.search(rf"^(\w+) \w {name}$", build.run(["nm", elf])[1], re.M)
    if not found:
        raise build.Stop(f"{elf} has no {name}, by which the profile finds its way")
    return int(found[1], 16)


def runs_of(windows, alone):
    """The windows of each run of the measuring program, without those in which it measured the clock;
    and what that costs."""
    runs, cost = [[]], None
    for window in windows:
        if alone[0] <= window.va < alone[1]:
            cost = window.count if cost is None else min(cost, window.count)
            if runs[-1]:
                runs.append([])
        else:
            runs[-1].append(window)
    return runs, cost


def samples_of(windows, paired, cost):
    """Every other window is a sample; of a pair, the first and the third of four are one."""
    counted = windows[::2]
    if not paired:
        return [Sample(window.count - cost, (window.shape,)) for window in counted]
    return [Sample(first.count + second.count - 2 * cost, (first.shape, second.shape))
            for first, second in zip(counted[::2], counted[1::2])]


def chosen(samples, row, printed):
    """The first sample that is as long as the row says. Stops when none is: then the profile is wrong."""
    for sample in samples:
        if sample.count == printed:
            return sample
    lengths = ", ".join(str(count) for count in sorted({sample.count for sample in samples})[:10])
    raise build.Stop(f"the row {row} says {printed} instructions, and no sample of the trace has as many "
                     f"({lengths or 'there is none'}): the profile would be of something else")


def programs(image):
    """{name: ELF file} of the kernel and the programs of an image, from ninja's lists."""
    listing = build.run(["ninja", "-t", "query", image])[1]
    files = re.findall(r"^\s+\|? ?(\S+\.elf)$", listing, re.M)
    return {os.path.basename(path)[:-len(".elf")]: path for path in [metal.KERNEL, *files]}


def plugin_arguments(elves, watch, row_end, out):
    kernel = elves["kernel"]
    pairs = [f"{name}={path}" for name, path in elves.items()]
    pairs += [f"watch={watch}", f"row={row_end}", f"out={out}"]
    pairs += [f"restart={address(kernel, name):x}" for name in RESTARTS]
    return ["-plugin", ",".join([PLUGIN, *pairs])]


def frames_of(elves, places):
    """{(program, address): [function, innermost inlined frame first]}"""
    found = {}
    for program in {program for program, _ in places}:
        vas = sorted({va for name, va in places if name == program})
        if program not in elves:
            found.update({(program, va): ["?"] for va in vas})
            continue
        command = ["llvm-symbolizer-14", f"--obj={elves[program]}", "--inlines", "--output-style=JSON"]
        result = subprocess.run(command, input="".join(f"{va:#x}\n" for va in vas), text=True,
                                capture_output=True, check=False)
        lines = result.stdout.splitlines()
        if result.returncode != 0 or len(lines) != len(vas):
            raise build.Stop(f"{result.stderr}\nllvm-symbolizer-14 does not read {elves[program]}")
        for va, line in zip(vas, lines):
            names = [frame["FunctionName"] or "?" for frame in json.loads(line).get("Symbol", [])]
            found[program, va] = names or ["?"]
    return found


def print_table(title, counts, total, least=LEAST_SHARE):
    """The rows of a table, the largest first; those with less than the least share as one."""
    print(title)
    few = [key for key, count in counts.items() if count < least * total]
    shown = [key for key in counts if key not in few or len(few) == 1]
    for key in sorted(shown, key=lambda key: (-counts[key], key)):
        print(f"  {counts[key]:>9} {100 * counts[key] / total:5.1f} %  {key}")
    if len(few) > 1:
        rest = sum(counts[key] for key in few)
        print(f"  {rest:>9} {100 * rest / total:5.1f} %  {len(few)} with less than {100 * least:.1f} % each")


def print_profile(trace, sample, elves, cost):
    """The tables of one sample. Returns their total, the clock's own cost taken off."""
    counts = collections.Counter()
    for shape in sample.shapes:
        counts.update(trace.shapes[shape])
    frames = frames_of(elves, [trace.places[place] for place in counts])
    by_program, by_function, by_frame = collections.Counter(), collections.Counter(), collections.Counter()
    for place, count in counts.items():
        program, names = trace.places[place][0], frames[trace.places[place]]
        by_program[program] += count
        by_function[f"{program:<12} {names[-1]}"] += count
        by_frame[f"{program:<12} {names[0]}"] += count
    total = sum(counts.values())
    print_table("by program", by_program, total, 0)
    print_table("by function, with what is inlined into it", by_function, total)
    print_table("by function, each inlined one apart", by_frame, total)
    return total - len(sample.shapes) * cost


def traced(row, bench, elves, watch):
    """(Trace, median that the row says, which row of the trace it is)"""
    with tempfile.TemporaryDirectory(dir="build") as folder:
        row_end = f"{bench.root}:{address(elves[bench.root], ROW_END):x}"
        boot = metal.Boot(bench.image, SECONDS, stop_at=rf"^BENCH:{row}:.*\n", extra=[
            *metal.COUNTED, *bench.memory, *plugin_arguments(elves, watch, row_end, f"{folder}/trace")])
        names = re.findall(r"^BENCH:([a-z0-9-]+):\d+:(\d+):\d+$", boot.log, re.M)
        if row not in dict(names):
            raise build.Stop(f"{boot.log}\n{boot.verdict}\nthe boot of {bench.image} never came to {row}")
        with open(f"{folder}/trace", encoding="ascii") as lines:
            trace = Trace(lines.read())
    index = [name for name, _ in names].index(row)
    if len(trace.rows) <= index:
        raise build.Stop(f"the trace ends before the row {row}; the disk may be full")
    return trace, int(dict(names)[row]), index


def profile(row):
    if row in SHARED:
        known = [name for name, _, _ in bench_metal.ROWS]
        raise build.Stop(f"a sample of {row} is a part of what runs; {known[known.index(row) - 1]} is all of it", 2)
    bench = FILES if row in dict(bench_files.ROWS) else SYSTEM
    build.must_build(bench.image, metal.KERNEL, PLUGIN)
    elves, watch = programs(bench.image), MEASURED_BY.get(row, bench.root)
    alone = function_range(elves[watch], CLOCK_ALONE)
    trace, printed, index = traced(row, bench, elves, watch)
    own = watch == bench.root
    windows = [window for rows in trace.rows[:index + 1] for window in rows] if own else trace.rows[index]
    cost = runs_of(windows, alone)[1]
    runs = runs_of(trace.rows[index], alone)[0]
    samples = samples_of(runs[-1 if own else MEDIAN_RUN], row in PAIRED, cost)
    sample = chosen(samples, row, printed)
    alike = sum(other == sample for other in samples)
    print(f"{row}: {printed} instructions, the median of {len(samples)} samples; {alike} of them went this way")
    total = print_profile(trace, sample, elves, cost)
    print(f"sum: {total}, and {len(sample.shapes) * cost} of the clock's own, which the row leaves out")
    if total != printed:
        raise build.Stop(f"the functions have {total} instructions together, and the row says {printed}")
    return 0


# --- checks of this file ---

def totals(output):
    """The sum of each table of a profile's text."""
    tables = []
    for line in output.splitlines():
        found = re.match(r" +(\d+) +[\d.]+ %", line)
        if line.startswith("by "):
            tables.append(0)
        elif found and tables:
            tables[-1] += int(found[1])
    return tables


TRACE = """\
place bench-root 400000
place kernel ffffffff80100000
shape 0:4
window 100 4 0
shape 0:10 1:100
window 100 110 1
shape 0:5 1:90
window 200 95 2
window 300 4 0
window 400 97 2
row
window 300 110 1
row
shape 0:5 1
"""


def missed():
    """What a made-up trace (the clock alone: 100 to 1ff) should give and does not."""
    wrong = []
    trace = Trace(TRACE)
    runs, cost = runs_of(trace.rows[0], (0x100, 0x200))
    single, pair = samples_of(runs[-1], False, cost), samples_of([*runs[-1], *trace.rows[1]], True, cost)
    for what, found, wanted in (
            ("rows", [len(row) for row in trace.rows], [5, 1]), ("rows of nothing", Trace("place").rows, []), ("the clock's cost", cost, 4),
            ("samples", single, [Sample(91, (2,)), Sample(93, (2,))]), ("pairs", pair, [Sample(184, (2, 2))]),
            ("the sample of a row", chosen(single, "row", 93), single[1]),
            ("runs", [len(run) for run in runs_of([*trace.rows[0], *trace.rows[0]], (0x100, 0x200))[0]], [3, 3])):
        if found != wanted:
            wrong.append(f"{what}: {found}, not {wanted}")
    try:
        wrong.append(f"a row of 92 took {chosen(single, 'row', 92)}")
    except build.Stop:
        pass
    return wrong
