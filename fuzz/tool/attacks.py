# SPDX-License-Identifier: ISC
"""The image of profile attacks, in the world and in QEMU: legal clients that take all they can get harm nobody,
and what they took comes back to the page (services/tester/attacks.c)."""

import re

import build
import metal

NAMES = ("orphans", "records", "regions", "memory", "frames", "bury", "identity", "budget")


def complaint(log, ready):
    """What is wrong with a boot's log, or None."""
    found = re.findall(r"^ROOTD_STAGE:attack-(\w+):(HELD|HARMED):free (\d+) (\d+)$", log, re.M)
    held = [name for name, verdict, before, after in found if verdict == "HELD" and before == after]
    if not ready or held != list(NAMES) or log.count("RESOURCES_BACK\n") != 2:
        return "each attack is held, then phase 0 runs"
    return None


def free_pages(log):
    return ", ".join(re.findall(r"attack-(\w+:\w+:free \d+ \d+)$", log, re.M))


def attacks(tally):
    status, log = build.run(["build/shipped/world", build.ATTACKS_IMAGE], 120)
    wrong = complaint(log, status == 0)
    tally.say("world: attacks of legal clients", wrong is None, f"{wrong}\n{log}", free_pages(log))
    result = metal.Boot(build.ATTACKS_IMAGE, seconds=180)
    wrong = complaint(result.log, result.status == metal.READY)
    tally.say("QEMU: attacks of legal clients", wrong is None, f"{wrong}\n{result.verdict}\n{result.log}",
              f"{result.seconds:.0f} s, {free_pages(result.log)}")
