# SPDX-License-Identifier: ISC
"""./basalt bless: stores new digests and floors. What an input did before is asked of the tree that
was blessed last: that commit is built next to this one, and both traces are compared."""

import difflib
import os
import re
import subprocess
import sys

import build
import campaign

BEFORE = "build/before"
CHANGED = re.compile(r"^corpus/[^/]+/(\S+): digest \w+, stored \w+", re.MULTILINE)


def blessed_commit(name):
    """The commit that wrote the stored digests, or None."""
    result = subprocess.run(["git", "log", "-1", "--format=%H", "--", f"corpus/{name}/DIGESTS"],
                            capture_output=True, text=True)
    return result.stdout.strip() or None


def build_before(name, commit):
    """Builds the harness as it was at the commit. Returns whether that worked."""
    os.makedirs(BEFORE, exist_ok=True)
    subprocess.run(f"git archive {commit} | tar -x -C {BEFORE}", shell=True, check=True)
    worked, _ = build.ninja(f"build/asan/{name}", folder=BEFORE)
    return worked


def trace(folder, name, path):
    _, output = build.run([f"{folder}/build/asan/{name}", "--trace", path], 90)
    return output.splitlines()


def show_changes(name):
    """Prints the traces of the inputs whose digest changed, as a difference from before."""
    _, output = build.run([f"build/asan/{name}", "--replay", f"corpus/{name}"])
    changed = CHANGED.findall(output)
    commit = blessed_commit(name)
    if not changed or commit is None:
        return
    if not build_before(name, commit):
        print(f"{name}: the commit blessed last, {commit[:10]}, does not build here: no old traces")
        return
    for file in changed:
        path = f"corpus/{name}/{file}"
        before, now = trace(BEFORE, name, path), trace(".", name, path)
        print("\n".join(difflib.unified_diff(before, now, f"{path} as of {commit[:10]}",
                                             f"{path} now", n=2, lineterm="")) or
              f"{path}: the same trace as before; only the digest of its state differs")


def floors_of(name):
    """How many floors of a corpus are lost and how many marks are none yet, by what its inputs reach."""
    status, output = build.run([f"build/asan/{name}", "--marks", f"corpus/{name}"])
    if status != 0:
        raise build.Stop(f"{build.shorten(output, 20)}\nnothing is blessed: mend or remove that input of {name} first")
    reached = set(output.splitlines())
    path = f"corpus/{name}/FLOORS"
    floors = set(campaign.text_of(path).splitlines()[1:]) if os.path.exists(path) else set()
    return len(floors - reached), len(reached - floors)


def bless(options):
    """All or, when floors would be lost and nobody said that they may be, nothing."""
    names = [build.known_harness(options.harness)] if options.harness is not None else campaign.with_corpus()
    build.must_build(*[f"build/asan/{name}" for name in names])
    floors = {name: floors_of(name) for name in names}
    lost, gained = (sum(counts) for counts in zip(*floors.values()))
    said = f"{lost} floors lost, {gained} gained"
    for name in names:
        show_changes(name)
    if lost and not options.lose_floors:
        print("\n".join(f"{name}: {counts[0]} floors lost; ./basalt replay {name} names them"
                        for name, counts in floors.items() if counts[0]))
        print(f"nothing is blessed: {said}; if they may go: --lose-floors")
        return 1
    failed = 0
    for name in names:
        sys.stdout.flush()
        command = [f"build/asan/{name}", "--bless", f"corpus/{name}"]
        command += ["--lose-floors"] if options.lose_floors else []
        failed += subprocess.run(command, stdin=subprocess.DEVNULL).returncode != 0
    print(f"{failed} of {len(names)} not blessed: see above" if failed else said)
    return 1 if failed else 0
