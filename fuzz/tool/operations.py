# SPDX-License-Identifier: ISC
"""Every LIVE operation of the abi's tables is accepted at least once and refused at least once on a boot, by the
service whose table it is: in the world, and in QEMU, whose records the world repeats event by event. One that is
in a table is asked for; nobody lists it here."""

import os
import tempfile

import build
import graph
import loader
import metal
import same

# The integration images that end by themselves and whose programs ask typed questions, each with the world that
# is linked as it is, and with what else its log must say; the clients of profiles hostile and attacks send nonsense or
# ask for all they can get, and show nothing of this.
IMAGES = {
    build.PHASE0_IMAGE: (same.PROGRAM, None),
    build.GRAPH_IMAGE: (same.PROGRAM, None),
    build.SERVICES_IMAGE: (same.PROGRAM, None),
    build.OPERATIONS_IMAGE: (same.PROGRAM, None),
    build.RESTARTS_IMAGE: (same.PROGRAM, graph.restarts),
    build.FILES_IMAGE: (same.PROGRAM, None),
    build.PHASE4_IMAGES[loader.CLOSURE]: (same.PROGRAM, loader.closure),
    loader.CHANGED_IMAGE: ("build/shipped/world_loader_changed", loader.changed),
    loader.CLEANUP_IMAGE: ("build/shipped/world_loader_cleanup", loader.cleanup),
    "build/boot-graph-kill-on-stop.img": ("build/shipped/world_kill_on_stop", graph.kills),
}

# Operation, verdict: why no boot shows it. An entry that is not needed any more fails the test.
UNSHOWN = {("vfsd.link", "accepted"): "never granted: a file has one name"}


def read(path):
    """{operation: [times accepted, times refused]} of one run."""
    with open(path, encoding="ascii") as text:
        rows = [line.split() for line in text]
    return {row[0]: [int(row[1]), int(row[2])] for row in rows}


def added(runs):
    total = {}
    for run in runs:
        for name, counts in run.items():
            total[name] = [a + b for a, b in zip(total.get(name, [0, 0]), counts)]
    return total


def complaints(total, unshown=None):
    """What is never accepted or never refused without being excused, and what is excused and need not be."""
    unshown = set(UNSHOWN if unshown is None else unshown)
    missing = {(name, verdict) for name, counts in total.items()
               for verdict, count in zip(("accepted", "refused"), counts) if count == 0}
    return [f"{name} is never {verdict}" for name, verdict in sorted(missing - unshown)] + \
        [f"{name} is {verdict}, or is no live operation: take it out of UNSHOWN" for name, verdict in sorted(unshown - missing)]


def run(command, image, folder):
    """(what went wrong or None, the counts) of one run of the world."""
    path = os.path.join(folder, "operations")
    status, output = build.run([IMAGES[image][0], "--operations", path, *command, image], 120)
    return (None, read(path)) if status == 0 else (f"{image}: {build.shorten(output, 15)}", {})


def in_world(tally, image, folder):
    return run([], image, folder)


def in_qemu(tally, image, folder):
    """The counts of the world's run are the machine's when both have the same events."""
    result, record = metal.record(image)
    judge = IMAGES[image][1]
    if judge:
        what, right, wanted = judge(result)
        tally.say(f"QEMU: {what}", result.status == metal.READY and right,
                  f"status {result.status}, {result.verdict}\n{result.log}wanted:\n" + "\n".join(wanted))
    try:
        if result.status != metal.READY:
            return f"{image}: {result.verdict}\n{result.log}", {}
        return run(["--compare", record], image, folder)
    finally:
        os.unlink(record)


def misses(total):
    """Whether one operation that is not accepted, one that is not refused, and one that is needlessly excused are
    each told."""
    name = next(name for name, counts in total.items() if all(counts))
    unasked = complaints({**total, name: [0, total[name][1]]}) == [f"{name} is never accepted"]
    granted = complaints({**total, name: [total[name][0], 0]}) == [f"{name} is never refused"]
    excused = complaints(total, [*UNSHOWN, (name, "accepted")]) == \
        [f"{name} is accepted, or is no live operation: take it out of UNSHOWN"]
    return unasked and granted and excused


def operations(tally):
    total = {}
    for where, boot in (("the world", in_world), ("QEMU", in_qemu)):
        with tempfile.TemporaryDirectory() as folder:
            runs = [boot(tally, image, folder) for image in IMAGES]
        broken = [problem for problem, _ in runs if problem]
        total = added(counts for _, counts in runs)
        tally.say(f"{where}: {len(total)} live operations, each accepted and refused on a boot",
                  not broken and total and not complaints(total), "\n".join(broken + complaints(total)),
                  f"{len(UNSHOWN)} verdicts are excused" if UNSHOWN else "")
    tally.say("an operation that is not is named", total and misses(total))
