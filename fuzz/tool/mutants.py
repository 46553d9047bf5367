# SPDX-License-Identifier: ISC
"""Seeded bugs: applies each patch of props/mutants/ to a copy of the tree and sees what catches it.
A patch starts with `Harness: NAME ...` (which corpus and which fuzzing) and says what the bug is."""

import glob
import os
import re
import shutil
import tempfile
import time

import build
import campaign
import checks

RANDOM_INPUTS = 500


def header(path):
    """(harnesses, what the bug is) from the lines before the diff."""
    text = open(path, encoding="utf-8").read()
    named = re.search(r"^Harness: (.+)$", text, re.MULTILINE)
    bug = re.search(r"^Bug: (.+)$", text, re.MULTILINE)
    if not named:
        raise build.Stop(f"{path}: no line `Harness: NAME`")
    return named[1].split(), bug[1] if bug else ""


def in_copy(folder, command, seconds=300):
    """Runs a program of the copy, in the copy. A program that is not there has caught nothing."""
    status, output = build.run(["env", "-C", folder, *command], seconds)
    if status == 127:
        raise build.Stop(output.strip())
    return status, output


def caught_by(folder, names, seconds):
    """What catches the mutant that is applied in `folder`, or None. No fuzzing for 0 seconds."""
    tests = build.programs("test")
    wanted = [f"build/asan/{name}" for name in names + tests]
    worked, output = build.ninja(*wanted, folder=folder)
    if not worked:
        raise build.Stop("does not build:\n" + build.shorten(output, 20))
    for name in names:
        status, output = in_copy(folder, [f"build/asan/{name}", "--replay", f"corpus/{name}"])
        if status != 0:
            return f"replay of {name}: {reason(output)}"
    for name in tests:
        status, output = in_copy(folder, [f"build/asan/{name}"])
        if status != 0:
            return f"{name}: {reason(output)}"
    for name in names:
        status, output = in_copy(folder, [f"build/asan/{name}", "--random", str(RANDOM_INPUTS),
                                          str(checks.RANDOM_SEED)])
        if status != 0:
            return f"random {name}: {reason(output)}"
    for name in names if seconds else []:
        build.must_build(f"build/libfuzzer/{name}", folder=folder)
        found = fuzzed(folder, name, max(1, seconds // len(names)))
        if found:
            return found
    return None


def fuzzed(folder, name, seconds):
    with tempfile.TemporaryDirectory() as home:
        os.makedirs(f"{home}/corpus")
        campaign.seeds(name, f"{home}/seeds")
        before = time.monotonic()
        status, output = campaign.run_libfuzzer(name, seconds, home, quiet=True,
                                                program=f"{folder}/build/libfuzzer/{name}")
        if status == 0:
            return None
        if not campaign.artefacts(home):
            raise build.Stop(f"libFuzzer on {name}:\n{build.shorten(output, 10)}")
        return f"fuzzing {name}, {time.monotonic() - before:.0f} s: {reason(output)}"


def reason(output):
    found = re.search(r"^property \S+ does not hold|^SUMMARY: .*|.*(digest|FLOORS|order matters).*"
                      r"|^.*FAILED.*|^.*: [1-9]\d* failed.*|^failing input: .*|^kernel panic: .*|^no end after .*",
                      output, re.MULTILINE)
    return found[0].strip()[:110] if found else "ended otherwise"


def one(folder, path, seconds):
    """Applies, judges and takes back one patch. Returns what caught it, or None."""
    names, _ = header(path)
    for name in names:
        build.known_harness(name)
    status, output = in_copy(folder, ["patch", "-p1", "--no-backup-if-mismatch", "-i",
                                      os.path.abspath(path)])
    if status != 0:
        raise build.Stop("does not apply:\n" + output)
    try:
        return caught_by(folder, names, seconds)
    finally:
        in_copy(folder, ["patch", "-R", "-p1", "--no-backup-if-mismatch", "-i",
                         os.path.abspath(path)])


def mutants(options):
    paths = sorted(glob.glob("props/mutants/*.patch"))
    if options.name:
        paths = [path for path in paths if os.path.basename(path)[:-6] == options.name]
    if not paths:
        raise build.Stop(f"there is no mutant '{options.name}'; props/mutants/ holds them", 2)
    build.must_build(build.RUNTIME_IMAGE, build.PHASE0_IMAGE, build.HOSTILE_IMAGE,
                     *[f"build/asan/{name}" for name in build.harnesses() + build.programs("test")])
    survived, broken = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        checks.copy_sources(folder)
        shutil.copytree("build", f"{folder}/build", symlinks=True,
                        ignore=shutil.ignore_patterns("afl", "shipped", "cover", "libfuzzer", "before"))
        wanted = sorted({name for path in paths for name in header(path)[0]})
        wrong = caught_by(folder, wanted, 0)
        if wrong:
            raise build.Stop(f"without any seeded bug the checks fail already: {wrong}")
        for path in paths:
            name = os.path.basename(path)[:-6]
            try:
                caught = one(folder, path, options.seconds)
            except build.Stop as stop:
                broken += 1
                print(f"BROKEN   {name}: {stop}", flush=True)
                continue
            survived += caught is None
            print(f"{'caught  ' if caught else 'SURVIVED'} {name}: {caught or header(path)[1]}",
                  flush=True)
    print(f"{len(paths) - survived - broken} of {len(paths)} mutants caught, {survived} survived, "
          f"{broken} broken")
    return 1 if survived or broken else 0
