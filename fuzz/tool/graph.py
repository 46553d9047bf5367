# SPDX-License-Identifier: ISC
"""Boots of the launch graph in QEMU (R3, R5): the image of profile graph as it is; with programs exchanged for
such as are not READY, optional and required; with configs that are wrong; and with a rootd that fails on
purpose (services/faults), which a world that is linked the same way must say of itself, too. The world boots
the same in every place (rootd_graph_test). What two more images of the profile must say is here as well; they are
booted where their operations are counted (operations.py)."""

import collections
import os
import re
import struct
import subprocess
import tempfile

import build
import metal
import negative
import same
import unready

NAMED, LOGD, TIMED, DEVICED, SERVICE, USER, APART, LAST, DRIVER = 6, 7, 9, 11, 288, 289, 290, 291, 292
PAGERD, PROFILE, UNKNOWN = negative.PAGERD, 4, 200
NAMES = {NAMED: "named", LOGD: "logd", TIMED: "timed", SERVICE: "test-service", USER: "test-user", APART: "test-apart", LAST: "test-last",
         DEVICED: "deviced", DRIVER: "test-driver"}
NEEDS = {NAMED: [PAGERD], LOGD: [NAMED], TIMED: [NAMED], SERVICE: [PAGERD], USER: [SERVICE], APART: [PAGERD], LAST: [USER, APART],
         DEVICED: [NAMED], DRIVER: [DEVICED]}
REQUIRED, OPTIONAL = 1, 2
ROOTD_DIRECT, DEVICED_DRIVER = 1, 2
BEGIN = [f"ROOTD_STAGE:{name}" for name in ("INTAKE_VALIDATED", "PLAN_MADE", "PROCD_READY", "MEMD_READY",
                                            "VSPACED_READY", "PAGERD_READY", "FOUNDATION_BOUND")]
END = ["ROOTD_STAGE:AUTHORITY_SHED", "ERIX_ROOTD:READY"]
FAILED = "ERIX_ROOTD:SERVICE_BOOTSTRAP_FAILED"
STATED_TICKS = 700

# what: in words; programs: {role: (program, its first data word)}; optional: roles; ticks: {role: time for READY};
# needs: {role: others} that differ; lost: roles whose module is not there; lines: the log after BEGIN (is_right)
Case = collections.namedtuple("Case", "what programs optional ticks needs lost lines", defaults=({}, (), {}, {}, (), ()))


def ready(*roles):
    return [f"ROOTD_STAGE:{NAMES[role]}:READY" for role in roles]


def passed(cause, *roles):
    return [f"BASALT_ROOTD:PASSED_OVER:{NAMES[role]}:{cause}" for role in roles]


def failed(cause, role):
    return [f"BASALT_ROOTD:FAILED:LAUNCH_SERVICE:{cause}:{NAMES[role]}", FAILED]


def refused(cause):
    return [f"BASALT_ROOTD:FAILED:INTAKE:{cause}", "ERIX_ROOTD:CONTRACT_INVALID"]


STAMP = "ERIX_DEVICED:READY:test-driver"
OTHERS = ready(NAMED, LOGD, TIMED, DEVICED)
DRIVEN = [STAMP] + ready(DRIVER)
UNREADY = ((unready.OTHER_ROLE, "READY for another role", "INTERNAL"),
           (unready.OTHER_COUNT, "READY with a capability too many", "INTERNAL"),
           (unready.LATE, "READY too late", "TIMED_OUT"), (unready.NEVER, "never READY", "TIMED_OUT"),
           (unready.FAULTS, "started, and faults", "PEER_DIED"))
CHAIN = (SERVICE, USER, LAST)


def cases():
    """Every case but those of a rootd that fails on purpose."""
    found = [Case("all are READY", lines=ready(SERVICE, USER, APART, LAST) + END),
             Case("one that is never READY, and has one tick", {APART: ("test-ready", unready.NEVER)},
                  ticks={APART: 1}, lines=ready(SERVICE, USER) + failed("TIMED_OUT", APART)),
             Case("ten minutes each", ticks=dict.fromkeys(NAMES, 600000),
                  lines=ready(SERVICE, USER, APART, LAST) + END),
             Case("a slow one", {SERVICE: ("test-service", STATED_TICKS)},
                  lines=ready(APART, SERVICE, USER, LAST) + END),
             Case("a slow one that is optional and too slow", {SERVICE: ("test-service", 2 * STATED_TICKS)}, CHAIN,
                  {SERVICE: STATED_TICKS}, lines=ready(APART) + passed("TIMED_OUT", *CHAIN) + END)]
    for mode, what, cause in UNREADY:
        program = ("test-ready", mode)
        found += [Case(f"an optional one that is {what}", {SERVICE: program}, CHAIN, {SERVICE: STATED_TICKS},
                       lines=ready(APART) + passed(cause, *CHAIN) + END),
                  Case(f"a required one that is {what}", {APART: program}, (), {APART: STATED_TICKS},
                       lines=ready(SERVICE, USER) + failed(cause, APART)),
                  Case(f"an optional driver that is {what}", {DRIVER: program}, (DRIVER,), {DRIVER: STATED_TICKS},
                       lines=ready(SERVICE, USER, APART, LAST) + passed(cause, DRIVER) + END),
                  Case(f"a required driver that is {what}", {DRIVER: program}, (), {DRIVER: STATED_TICKS},
                       lines=ready(SERVICE, USER, APART, LAST) + failed(cause, DRIVER))]
    return found + [
        Case("a circle", needs={SERVICE: [LAST]}, lines=refused("BAD_ORDER")),
        Case("who waits for nobody known", needs={APART: [UNKNOWN]}, lines=refused("NOT_FOUND")),
        Case("no time", ticks={APART: 0}, lines=refused("INVALID_ARGUMENT")),
        Case("all the time there is", ticks={APART: 2 ** 64 - 1}, lines=refused("INVALID_ARGUMENT")),
        Case("a driver that does not wait for deviced", needs={DRIVER: [PAGERD]},
             lines=["BASALT_ROOTD:FAILED:PLAN:BAD_ORDER", "ERIX_ROOTD:CONTRACT_INVALID"]),
        Case("a driver whose deviced is passed over", {DEVICED: ("test-ready", unready.NEVER)}, (DEVICED, DRIVER),
             {DEVICED: STATED_TICKS}, lines=ready(SERVICE, USER, APART, LAST) + passed("TIMED_OUT", DEVICED, DRIVER) + END),
        Case("a required one without a module", lost=(APART,), lines=refused("MISSING_MODULE")),
        Case("an optional one without a module", lost=(APART,), optional=(APART, LAST),
             lines=ready(SERVICE, USER) + passed("MISSING_MODULE", APART, LAST) + END)]


def config(case):
    entries = [negative.entry(role, name.encode(), kind=DEVICED_DRIVER if role == DRIVER else ROOTD_DIRECT,
                              flags=OPTIONAL if role in case.optional else REQUIRED, needs=case.needs.get(role, NEEDS[role]),
                              ticks=case.ticks.get(role, 5000))
               for role, name in NAMES.items()]
    return negative.config((*negative.FOUNDATION, *entries), profile=PROFILE)


def packed(parts, case):
    """The graph image, changed as the case says."""
    programs = {NAMES[role]: unready.program(*program) for role, program in case.programs.items()}
    lost = [NAMES[role] for role in case.lost]
    return negative.packed([(name, kind, config(case) if kind == negative.BOOT_CONFIG else programs.get(name, data))
                            for name, kind, data in parts if name not in lost])


def said_of(line):
    """Whom a line is about, as lines of a failure name it: those that name it replace this one."""
    name = line.removeprefix("ROOTD_STAGE:").removesuffix(":READY").removeprefix("ERIX_DEVICED:READY:")
    return f":{name}"


def is_right(lines, wanted):
    """The last two lines in this order; who is READY before which other one, time decides, and of a boot that
    fails, who is."""
    if wanted[-1] == "ERIX_ROOTD:CONTRACT_INVALID":
        return lines[-2:] == wanted and len(lines) <= 3
    others = [line for line in OTHERS + DRIVEN if not any(said_of(line) in other for other in wanted)]
    missing = set(BEGIN + others + wanted) - set(lines)
    more = set(lines) - set(BEGIN + others + wanted)
    return lines[:len(BEGIN)] == BEGIN and lines[-2:] == wanted[-2:] and len(lines) == len(set(lines)) and \
        not more and (not missing or wanted[-1] == FAILED and missing <= set(ALL))


ALL = ready(*NAMES) + [STAMP]

# fault: its image's name and its world's; the lines that must come, the last two at the end
FAULTS = (("force-fail", "force_fail", ALL + ["BASALT_ROOTD:FAILED:SHED:INTERNAL", FAILED]),
          ("force-service-fail", "force_service_fail", ready(APART) + failed("INTERNAL", SERVICE)),
          ("force-spawn-fail", "force_spawn_fail", ready(APART) + failed("TRUNCATED", SERVICE)),
          ("probed-omit-primary-control", "omit_primary_control", ready(SERVICE, USER) + failed("NOT_FOUND", APART)),
          ("probed-misroute-primary-control", "misroute_primary_control", ready(SERVICE, USER) + failed("INVALID_ARGUMENT", APART)))


def boot_faults(tally):
    """Each fault ends its boot as stated, on the metal and in the world; no other image has its code."""
    def boot(fault):
        return metal.Boot(f"build/boot-graph-{fault[0]}.img", seconds=60)

    for (name, program, wanted), result in negative.each(2, boot, FAULTS):
        lines = result.log.splitlines()
        tally.say(f"QEMU: {name} fails the boot", result.status == metal.NOT_READY and is_right(lines, wanted),
                  f"status {result.status}, {result.verdict}\n{result.log}", wanted[-2])
        status, log = build.run([f"build/asan/world_{program}", build.GRAPH_IMAGE], 120)
        said = [line for line in log.splitlines() if not line.startswith("BASALT_WORLD:")]
        tally.say(f"world: {name} fails the boot", status != 0 and is_right(said, wanted), f"status {status}\n{log}")
    with open("build/image/rootd.elf.map", encoding="utf-8", errors="replace") as text:
        tally.say("the rootd of every other image has no fault in it", "services/faults" not in text.read())


def boot_services(tally):
    """Services that are found by name, and clients that end the boot unless they are granted and refused what is
    stated. What waits for named alone is READY in any order."""
    wanted = [*BEGIN, *(f"ROOTD_STAGE:{name}:READY" for name in ("named", "logd", "timed", "crashd", "irqd", "probed")), *END]
    result, record = metal.record(build.SERVICES_IMAGE)
    lines = result.log.splitlines()
    right = sorted(lines) == sorted(wanted) and lines.index(wanted[len(BEGIN)]) == len(BEGIN)
    tally.say("QEMU: services are found by name, and ask and refuse as stated", result.status == metal.READY and right,
              f"status {result.status}, {result.verdict}\n{result.log}wanted:\n" + "\n".join(wanted))
    tally.say("QEMU: probed reads each function that the machine has, and no other", *probed_reads(record))
    os.unlink(record)


def functions_read(rows):
    """The functions that somebody is there for, of the inputs of a record: {(bus, device, function): vendor and device}."""
    words = [row.split() for row in rows if " pci " in row]
    read = [(int(where), int(value)) for *_, where, value in words]
    return {(where >> 16, where >> 11 & 31, where >> 8 & 7): f"{value & 0xFFFF:04x}:{value >> 16:04x}"
            for where, value in read if where & 0xFF == 0 and value & 0xFFFF not in (0, 0xFFFF)}


def functions_there(text):
    """The same, as QEMU's monitor says it."""
    form = r"Bus +(\d+), device +(\d+), function (\d+):\s+[^\n]*PCI device (\w{4}:\w{4})"
    return {tuple(map(int, found[:3])): found[3] for found in re.findall(form, text)}


def probed_reads(record):
    """(whether it does, what differs)."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "inputs")
        status, said = same.compared(record, build.SERVICES_IMAGE, "--write-inputs", path)
        with open(path, encoding="ascii") as rows:
            read = functions_read(rows)
    machine = list(metal.command(None))
    machine[machine.index("-monitor") + 1] = "stdio"
    machine[machine.index("-serial") + 1] = "null"
    there = functions_there(subprocess.run([*machine, "-S"], input="info pci\nquit\n", capture_output=True, text=True,
                                           timeout=60).stdout)
    return status == 0 and there and read == there, f"{said}read: {read}\nthere: {there}"


def restarts(result):
    """Of a boot of the image of restarts, in words and whether: a driver that is stopped is started anew; a service and it
    die in every life, procd starts each again until its restarts are used up, their client finds each successor by name,
    and nobody else notices; test-survivor ends the boot unless it sees all of that (P4)."""
    wanted = [*BEGIN, "ROOTD_STAGE:named:READY", "ROOTD_STAGE:timed:READY", "ROOTD_STAGE:test-mortal:READY",
              "ROOTD_STAGE:deviced:READY", *["ERIX_DEVICED:READY:test-frail"] * 2, "ROOTD_STAGE:test-frail:READY", *END]
    return ("a service and a driver that die are started again until they are parked",
            sorted(result.log.splitlines()) == sorted(wanted), wanted)


def kills(result):
    """The same of the services of the runtime image and of file services, which a procd with a fault in it kills one after the other: each has a
    second life that answers, and the others go on; test-reaper ends the boot unless it sees that (P4)."""
    wanted = [*BEGIN, *(f"ROOTD_STAGE:{name}:READY" for name in ("named", "logd", "crashd", "timed", "irqd", "deviced",
                                                                "drv-serial", "seriald", "ramfsd", "imagefsd", "vfsd")),
              "ERIX_DEVICED:READY:drv-serial", *END]
    killed = [f"procd:warning:killed {number}: {name}:FAULT_OUTSIDE"
              for number, name in enumerate(("logd", "crashd", "timed", "seriald"), 1)]
    lines = result.log.splitlines()
    others = [line for line in lines if line not in wanted]
    whole = all(line == "on the line" or line.startswith("LOG:") for line in others)
    return ("each service that is killed is started again, the rest goes on, and lines stay whole",
            whole and set(wanted) <= set(lines) and all(any(line.endswith(end) for line in others) for end in killed),
            wanted + killed)


def graph(tally):
    with open(build.GRAPH_IMAGE, "rb") as file:
        parts = negative.sections(file.read())
    with tempfile.TemporaryDirectory() as folder:
        def boot(numbered):
            number, case = numbered
            path = os.path.join(folder, f"{number}.img")
            with open(path, "wb") as file:
                file.write(packed(parts, case))
            return metal.Boot(path, seconds=60)

        for (_, case), result in negative.each(2, boot, list(enumerate(cases()))):
            wanted = metal.READY if case.lines[-1] == END[-1] else metal.NOT_READY
            tally.say(f"QEMU: {case.what}", result.status == wanted and is_right(result.log.splitlines(), case.lines),
                      f"status {result.status}, {result.verdict}\n{result.log}wanted:\n" + "\n".join(case.lines),
                      case.lines[-2])
    boot_services(tally)
    boot_faults(tally)
