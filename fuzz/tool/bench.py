# SPDX-License-Identifier: ISC
"""./basalt bench: figures, as ratios or counts of one run on one machine."""

import os
import re
import sys
import tempfile
import time

import bench_checks
import bench_files
import bench_fuzz
import bench_growth
import bench_metal
import bench_profile
import bench_ready
import bench_table
import build
import campaign
import longest
import metal

SECONDS = 5
BOOTS = 20


def engine_rate(name):
    """Executions per second of a harness under libFuzzer, from its seeds."""
    with tempfile.TemporaryDirectory() as home:
        os.makedirs(f"{home}/corpus")
        campaign.seeds(name, f"{home}/seeds")
        status, output = campaign.run_libfuzzer(name, SECONDS, home)
    found = re.search(r"average_exec_per_sec: +(\d+)", output)
    if status != 0 or not found:
        raise build.Stop(f"{build.shorten(output, 20)}\nlibFuzzer on {name} ended with status {status}")
    return int(found[1])


def must_run(*command):
    """The program's output; a figure of one that failed would be none."""
    status, output = build.run(command)
    if status != 0:
        raise build.Stop(f"{build.shorten(output, 20)}\n{' '.join(command)} ended with status {status}")
    return output


def replay_rate(name, variant):
    """(runs per second, steps per second) of a corpus replayed for some seconds."""
    output = must_run(f"build/{variant}/{name}", "--bench", f"corpus/{name}", str(SECONDS))
    runs = re.search(r"(\d+) per second", output)
    steps = re.search(r"(\d+) steps per second", output)
    return int(runs[1]) if runs else 0, int(steps[1]) if steps else 0


def boot_rate(variant, image):
    before = time.monotonic()
    must_run(f"build/{variant}/world", "--repeat", str(BOOTS), image)
    return BOOTS / (time.monotonic() - before)


def profile(row):
    boots = [name for name, _, _ in bench_ready.ROWS]
    known = [name for name, _, _ in bench_metal.ROWS] + [name for name, _ in bench_files.ROWS] + boots
    if row not in known:
        raise build.Stop(f"there is no row '{row}'; there are: {' '.join(known)}", 2)
    return bench_ready.profile(row) if row in boots else bench_profile.profile(row)


def bench(options):
    if options.what:
        if options.what[0] != "fuzz":
            raise build.Stop(f"`bench {options.what[0]}`: there is only `bench fuzz`, and `bench` alone", 2)
        if options.profile is not None or options.checks:
            raise build.Stop("`bench fuzz` takes names of harnesses, and --bless", 2)
        return bench_fuzz.bench(options.what[1:], options.bless)
    if options.profile is not None:
        return profile(options.profile)
    if options.bless:
        return bench_table.bless()
    if options.checks:
        return bench_checks.print_checks()
    names = campaign.with_corpus()
    codecs = [name for name in names if name.startswith("codec_")]
    images = [build.FOUNDATION_IMAGE, build.RUNTIME_IMAGE, build.PHASE0_IMAGE]
    build.must_build(*images, *[f"build/{variant}/{name}" for variant in ("asan", "fast")
                                for name in [*names, "world"]],
                     *[f"build/libfuzzer/{name}" for name in [*codecs, "empty"]],
                     "build/fast/state_bytes")
    empty = engine_rate("empty")
    print(f"codec harnesses under libFuzzer, ASan + UBSan, {SECONDS} s each")
    print(f"  empty: {empty} executions per second")
    for name in codecs:
        rate = engine_rate(name)
        print(f"  {name}: {rate} executions per second, {rate / max(empty, 1):.2f} of the empty harness")
    print("life harnesses, messages per second over the corpus (sanitized, fast)")
    for name in names:
        steps = replay_rate(name, "asan")[1] if name not in codecs else 0
        if steps:
            print(f"  {name}: {steps}, {replay_rate(name, 'fast')[1]}", flush=True)
    print(f"world boots per second, {BOOTS} boots in one process (sanitized, fast)")
    for image in images:
        print(f"  {os.path.basename(image)}: {boot_rate('asan', image):.1f}, "
              f"{boot_rate('fast', image):.1f}")
    before = time.monotonic()
    for name in names:
        must_run(f"build/asan/{name}", "--replay", f"corpus/{name}")
    print(f"replay of the whole corpus, sanitized, both ways: {time.monotonic() - before:.2f} s, "
          f"{sum(len(campaign.inputs_of(name)) for name in names)} inputs")
    print("state bytes per service")
    print(must_run("build/fast/state_bytes").rstrip())
    sys.stdout.flush()
    build.must_build(*images, metal.KERNEL, bench_metal.IMAGE, bench_growth.IMAGE, bench_files.IMAGE)
    rows = bench_metal.measure(bench_metal.IMAGE)
    bench_metal.print_rows(rows)
    bench_metal.print_shares(rows)
    longest.print_longest()
    bench_files.print_rows()
    print("\n".join(bench_growth.markdown(bench_growth.table())))
    bench_ready.print_boots()
    bench_metal.print_sizes()
    bench_metal.print_memory(rows)
    return 0
