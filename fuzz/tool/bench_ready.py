# SPDX-License-Identifier: ISC
"""The rows of the bench that are a boot: how many instructions run from kernel entry to READY, and, for
./basalt bench --profile, whose they are. QEMU counts what runs between the kernel's reads of its clock, from the
one that starts it to the one of the line READY. While nobody runs the clock goes on and nothing is counted."""

import collections
import re
import statistics
import tempfile

import bench_profile
import build
import metal

# (name of the row, image, meaning)
ROWS = (("ready", build.FOUNDATION_IMAGE, "kernel entry to READY, the foundation alone"),
        ("ready-runtime", build.RUNTIME_IMAGE, "kernel entry to READY, runtime image"))
KERNEL_START = "machine_start"
LINE_CLOCK = "record_log_clock" # of the kernel: reads the clock for each line of the log
TIMED_BOOTS = 5

# clock: what it said at READY; windows: those that count, of the trace.
Way = collections.namedtuple("Way", "clock trace windows")


def clock_read(elf, name):
    """The address of the one instruction of a function that reads the clock."""
    first, end = bench_profile.function_range(elf, name)
    text = build.run(["llvm-objdump-14", "-d", "--no-show-raw-insn", f"--start-address={first:#x}",
                      f"--stop-address={end:#x}", elf])[1]
    found = re.findall(r"^\s*(\w+):\s+rdtsc", text, re.M)
    if len(found) != 1:
        raise build.Stop(f"{elf}: {name} reads the clock {len(found)} times, not once")
    return int(found[0], 16)


def counted_of(windows, start):
    """The windows of a boot that its log counts. `start` is where the function's code lies that reads the clock
    three times: at kernel entry, and before and after it measures the timers, which the log leaves out."""
    reads = [index for index, window in enumerate(windows) if start[0] <= window.va < start[1]]
    if len(reads) != 3:
        raise build.Stop(f"{KERNEL_START} read the clock {len(reads)} times, not three times")
    return windows[reads[0]:reads[1]] + windows[reads[2]:]


def way_to_ready(image, elves):
    """One counted boot, as a Way; `elves`: the kernel that boots, and the programs to be told apart."""
    kernel = elves["kernel"]
    row_end = f"kernel:{clock_read(kernel, LINE_CLOCK):x}"
    with tempfile.TemporaryDirectory(dir="build") as folder:
        boot = metal.Boot(image, bench_profile.SECONDS, stop_at_ready=True, extra=[
            *metal.COUNTED, "-append", "clock", "-kernel", kernel,
            *bench_profile.plugin_arguments(elves, "kernel", row_end, f"{folder}/trace")])
        said = re.search(r"(?s)^.*?^\[ *(\d+)\] ERIX_ROOTD:READY\n", boot.log, re.M)
        if not said:
            raise build.Stop(f"{boot.log}\n{boot.verdict}\nthe boot of {image} never came to READY")
        with open(f"{folder}/trace", encoding="ascii") as text:
            trace = bench_profile.Trace(text.read())
    lines = len(re.findall(r"\[ *\d+\] ", said[0])) # each read the clock, whether it began a line or not
    if len(trace.rows) < lines:
        raise build.Stop(f"the trace ends before the line READY of {image}; the disk may be full")
    windows = counted_of([window for row in trace.rows[:lines] for window in row],
                         bench_profile.function_range(kernel, KERNEL_START))
    clock, count = int(said[1]), sum(window.count for window in windows)
    if count > clock:
        raise build.Stop(f"{count} instructions were counted in {image}, and its clock says {clock}")
    return Way(clock, trace, windows)


def instructions(image, elves=None):
    """How many run from kernel entry to READY. The programs are told apart, as an instruction that a page fault
    breaks off is seen twice, and each of them has its own; an image of another build says which ELF files."""
    build.must_build(bench_profile.PLUGIN)
    return sum(window.count for window in way_to_ready(image, elves or bench_profile.programs(image)).windows)


def profile(row):
    image = next(image for name, image, _ in ROWS if name == row)
    build.must_build(image, metal.KERNEL, bench_profile.PLUGIN)
    elves = bench_profile.programs(image)
    way = way_to_ready(image, elves)
    count = sum(window.count for window in way.windows)
    print(f"{row}: {count} instructions between {len(way.windows)} reads of the clock by the kernel")
    total = bench_profile.print_profile(
        way.trace, bench_profile.Sample(count, tuple(window.shape for window in way.windows)), elves, 0)
    print(f"sum: {total}, and {way.clock - total} of the clock's while nobody ran")
    if total != count:
        raise build.Stop(f"the functions have {total} instructions together, and their windows {count}")
    return 0


def print_boots():
    for image in (build.FOUNDATION_IMAGE, build.RUNTIME_IMAGE, build.PHASE0_IMAGE):
        times = []
        for _ in range(TIMED_BOOTS):
            boot = metal.Boot(image, 300, stop_at_ready=True)
            if boot.status != metal.READY:
                raise build.Stop(f"{boot.log}\n{image}: {boot.verdict}")
            times.append(boot.seconds)
        print(f"{image}: {instructions(image)} instructions from kernel entry to READY; "
              f"{statistics.median(times):.2f} s from starting QEMU to READY (median of {TIMED_BOOTS})")


# --- checks of this file ---

def missed():
    """What made-up windows (the kernel's start: 100 to 1ff) should give and do not."""
    wrong = []
    start, other = bench_profile.Window(0x100, 4, 0), bench_profile.Window(0x200, 9, 1)
    if counted_of([other, start, other, start, start, other], (0x100, 0x200)) != [start, other, start, other]:
        wrong.append("what runs before the kernel, or while it measures its timers, is counted")
    try:
        wrong.append(f"a boot whose kernel read the clock twice took {counted_of([start, start], (0x100, 0x200))}")
    except build.Stop:
        pass
    return wrong
