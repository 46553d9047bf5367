# SPDX-License-Identifier: ISC
"""Boots in QEMU in which a service takes its start envelope and is not ready (R5), or is and dies (P8):
test-ready (services/probes/ready.h) stands in its place. The world does the same in every place
(rootd_world_test)."""

import os
import struct
import tempfile

import build
import metal
import negative

MARK = struct.pack("<2Q", 0xDA7A000000000000, 0xDA7A000000000001)  # its data words begin so (services/probes/layout.h)
OTHER_ROLE, OTHER_COUNT, LATE, NEVER, FAULTS, DIES = range(1, 7)
FAILED = "ERIX_ROOTD:SERVICE_BOOTSTRAP_FAILED"

# whose place, how it is unready, the whole log
CASES = (
    ("memd", "READY for another role", OTHER_ROLE, ["BASALT_ROOTD:FAILED:LAUNCH_MEMD:INTERNAL", FAILED]),
    ("pagerd", "READY with a capability too many", OTHER_COUNT, ["BASALT_ROOTD:FAILED:LAUNCH_PAGERD:INTERNAL", FAILED]),
    ("vspaced", "READY too late", LATE, ["BASALT_ROOTD:FAILED:LAUNCH_VSPACED:TIMED_OUT", FAILED]),
    ("procd", "never READY", NEVER, ["BASALT_ROOTD:FAILED:LAUNCH_PROCD:TIMED_OUT", FAILED]),
    ("memd", "never READY", NEVER, ["BASALT_ROOTD:FAILED:LAUNCH_MEMD:TIMED_OUT", FAILED]),
    ("pagerd", "started, and faults", FAULTS, ["BASALT_ROOTD:FAILED:LAUNCH_PAGERD:PEER_DIED", FAILED]),
    ("vspaced", "READY, and dies in the system that runs", DIES,
     ["ERIX_ROOTD:READY", "BASALT_ROOTD:FAILED:RUN:PEER_DIED:EXITED:0x70726300", "ERIX_ROOTD:INTERNAL_ERROR"]),
)


def program(name, word):
    """A built program with another first data word, which says what it does."""
    path = f"build/image/{name}.elf"
    with open(path, "rb") as file:
        data = file.read()
    if data.count(MARK) != 1:
        raise build.Stop(f"{path} has {data.count(MARK)} places that say what it does")
    return data.replace(MARK, struct.pack("<Q", word) + MARK[8:])


def packed(parts, place, mode):
    """The foundation with test-ready in a service's place."""
    other = program("test-ready", mode)
    return negative.packed([(name, kind, other if name == place else data) for name, kind, data in parts])


def unready(tally):
    with open(build.FOUNDATION_IMAGE, "rb") as file:
        parts = negative.sections(file.read())
    with tempfile.TemporaryDirectory() as folder:
        def boot(case):
            place, _, mode, _ = case
            path = os.path.join(folder, f"{place}-{mode}.img")
            with open(path, "wb") as file:
                file.write(packed(parts, place, mode))
            return metal.Boot(path, seconds=60)

        for (place, what, _, lines), result in negative.each(2, boot, CASES):
            good = result.status == metal.NOT_READY and result.log.splitlines() == lines
            tally.say(f"QEMU: {place} that is {what} fails the boot", good,
                      f"status {result.status}, {result.verdict}\n{result.log}", lines[-2])
