# SPDX-License-Identifier: ISC
"""The hostile image on the metal: programs that send nonsense, spin and take memory, and all of phase 0
with them and after them (K5). The world boots the same image with the others (checks.boot_worlds)."""

import re
import tempfile

import build
import metal
import same

# Stage lines, in this order; between them all of phase 0 runs twice. Before them rootd ran test-hostile, of whose
# EXIT(0) it says nothing: with any other end there is none of these lines (rootd_world_test, rootd_test).
STAGES = ("test-spin:FAULT_PAGE_LIMIT", "test-vectors:EXITED:0x5e", "test-vectors:EXITED:0x5e", "test-spin:KILLED:0x5919", "SPINNER_STOPPED", "HELPERS_DONE",
          "RESOURCES_BACK", "AUTHORITY_SHED")


# Bugs that the hostile image must not survive: file, text, its replacement, what it is (T3).
SEEDED = (
    ("kernel/core/schedule.c", "    if (kernel->halted || kernel->current == KERNEL_IDLE)\n        return;\n",
     "    if (!kernel->halted || kernel->current == KERNEL_IDLE)\n        return;\n", "nobody is preempted"),
    ("services/procd/ending.c", "memd_close_account_request request = {.key = key};",
     "memd_close_account_request request = {.key = UINT64_MAX - key};", "what an ended process had stays charged"),
    ("services/tester/tester.c", "    return tester_run(&tester, ROLE_TESTER);\n",
     "    (void)service_start(&tester.caller, ROLE_TESTER, &tester.start, NULL, NULL, NULL);\n"
     "    (void)service_take_offer(&tester.caller, &tester.offer);\n"
     "    (void)kernel_log_write(&tester.caller, SLOT_KERNEL_LOG_ENDPOINT, \"ERIX_ROOTD:READY\\n\", 17);\n"
     "    uint64_t now_ticks;\n    return look_up(&tester, DEADLINE_NEVER, &now_ticks);\n",
     "the tester says READY in rootd's place and never ends"))


def seeded(tally):
    """The image notices what it is there for: each bug, built into a copy of the world, fails its boot."""
    with tempfile.TemporaryDirectory() as folder:
        same.copy_tree(folder)
        for path, old, new, what in SEEDED:
            worked, output = same.rebuilt(folder, path, old, new)
            status, said = build.run([f"{folder}/{same.PROGRAM}", build.HOSTILE_IMAGE], 120) if worked else (2, output)
            verdicts = re.findall("^ERIX_ROOTD:(.*)", said, re.M)
            tally.say(f"the hostile image notices that {what}", status in (1, 4) and verdicts[-1:] != ["READY"],
                      f"status {status}\n{build.shorten(said, 15)}")


def hostile(tally):
    seeded(tally)
    result = metal.Boot(build.HOSTILE_IMAGE, seconds=120)
    lines = [line.partition("ROOTD_STAGE:")[2] for line in result.log.splitlines() if "ROOTD_STAGE:" in line]
    ordered = [line for line in lines if line in STAGES]
    proofs = [line for line in lines if line.startswith("phase0-")]
    good = result.status == metal.READY and ordered == list(STAGES) and \
        all(re.fullmatch("phase0-[a-z-]+:(EXITED:0x[0-9a-f]+|FAULT_[A-Z_]+)", line) for line in proofs)
    tally.say("QEMU: a spinner and 10,000 hostile messages to each endpoint leave the system serving", good,
              f"status {result.status}, {result.verdict}\n{result.log}", f"{result.seconds:.0f} s")
    before = lines.index("SPINNER_STOPPED") if "SPINNER_STOPPED" in lines else 0
    beside = [line for line in lines[:before] if line.startswith("phase0-")]
    tally.say("QEMU: all of phase 0 runs after the attack, alongside the spinner and again without it",
              good and len(beside) > 10 and proofs == beside * 2, "\n".join(lines))
