# SPDX-License-Identifier: ISC
"""Every LIVE operation of the abi's tables is accepted at least once and refused at least once on a boot, by the
service whose table it is: in the world, and in QEMU, whose records the world repeats event by event. One that is
in a table is asked for; nobody lists it here."""

import os
import tempfile

import build
import metal
import same

# The integration images that end by themselves and whose programs ask typed questions; the clients of profiles
# hostile and attacks send nonsense or ask for all they can get, and show nothing of this.
IMAGES = (build.PHASE0_IMAGE, build.GRAPH_IMAGE, build.SERVICES_IMAGE, build.OPERATIONS_IMAGE,
          build.RESTARTS_IMAGE)

# Operation, verdict: why no boot shows it. An entry that is not needed any more fails the test.
UNSHOWN = {
    ("kernel.read_pci_config_dword", "refused"): "probed alone asks, and nothing wrong",
    ("deviced.seed_binding", "refused"): "rootd alone asks deviced, and nothing wrong",
    ("deviced.start_driver", "refused"): "rootd alone asks deviced, and nothing wrong",
    ("deviced.read_driver", "refused"): "rootd alone asks deviced, and nothing wrong",
    ("deviced.seal", "refused"): "rootd alone asks deviced, and nothing wrong",
    ("deviced.stop_driver", "accepted"): "nobody of an image stops a driver yet",
    ("deviced.stop_driver", "refused"): "nobody of an image stops a driver yet",
    ("drv_serial.read", "accepted"): "no image of these has a line that is read",
    ("drv_serial.read", "refused"): "no image of these has a line that is read",
    ("drv_serial.write", "accepted"): "no image of these has a line that is read",
    ("drv_serial.write", "refused"): "no image of these has a line that is read",
    ("seriald.read", "accepted"): "no image of these has a line that is read",
    ("seriald.read", "refused"): "no image of these has a line that is read",
    ("seriald.write", "accepted"): "no image of these has a line that is read",
    ("seriald.write", "refused"): "no image of these has a line that is read",
}


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


def complaints(total):
    """What is never accepted or never refused without being excused, and what is excused and need not be."""
    missing = {(name, verdict) for name, counts in total.items()
               for verdict, count in zip(("accepted", "refused"), counts) if count == 0}
    return [f"{name} is never {verdict}" for name, verdict in sorted(missing - set(UNSHOWN))] + \
        [f"{name} is {verdict}, or is no live operation: take it out of UNSHOWN" for name, verdict in sorted(set(UNSHOWN) - missing)]


def run(command, image, folder):
    """(what went wrong or None, the counts) of one run of the world."""
    path = os.path.join(folder, "operations")
    status, output = build.run([same.PROGRAM, "--operations", path, *command, image], 120)
    return (None, read(path)) if status == 0 else (f"{image}: {build.shorten(output, 15)}", {})


def in_world(image, folder):
    return run([], image, folder)


def in_qemu(image, folder):
    """The counts of the world's run are the machine's when both have the same events."""
    result, record = metal.record(image)
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
    excused = not UNSHOWN or len(complaints({**total, next(iter(UNSHOWN))[0]: [1, 1]})) >= 1
    return unasked and granted and excused


def operations(tally):
    total = {}
    for where, boot in (("the world", in_world), ("QEMU", in_qemu)):
        with tempfile.TemporaryDirectory() as folder:
            runs = [boot(image, folder) for image in IMAGES]
        broken = [problem for problem, _ in runs if problem]
        total = added(counts for _, counts in runs)
        tally.say(f"{where}: {len(total)} live operations, each accepted and refused on a boot",
                  not broken and total and not complaints(total), "\n".join(broken + complaints(total)),
                  f"{len(UNSHOWN)} verdicts are excused")
    tally.say("an operation that is not is named", total and misses(total))
