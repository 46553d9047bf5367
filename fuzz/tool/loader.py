# SPDX-License-Identifier: ISC
"""The profiles of programs from files: each question that phase4-loader asks leaves a line on the log, and these
lines are the rows of its table, on the metal and in the world; a question that is answered otherwise is named."""

import os
import re
import tempfile

import build
import metal
import negative
import same

TABLE = "services/probes/phase4_loader.def"
CODES = "services/probes/expectations.h"
LINE = "ROOTD_STAGE:phase4-loader:"
CLEANUP_IMAGE = "build/boot-phase4-loader-cleanup.img"
CHANGED_IMAGE = "build/boot-phase4-loader-changed.img"
CLOSURE = "phase4-loader-closure"
GROUPS = {"phase4-loader-contract": ("CONTRACT",), "phase4-loader-fs-discovery": ("FS_DISCOVERY",),
          "phase4-loader-materialized-launch": ("MATERIALIZED_LAUNCH",),
          "phase4-loader-cleanup-authority": ("CLEANUP_AUTHORITY",),
          CLOSURE: ("CONTRACT", "FS_DISCOVERY", "MATERIALIZED_LAUNCH", "CLEANUP_AUTHORITY")}
COUNTED = ("CLEANUP_AUTHORITY", "POINTS", "CHANGES") # after their launches everything must be back

OTHER_TREE = "build/image/files.tar" # without programs
END = ["ROOTD_STAGE:AUTHORITY_SHED", "ERIX_ROOTD:READY"]
FAILED = ["ROOTD_STAGE:phase4-loader:UNEXPECTED:EXITED:0x6", "BASALT_ROOTD:FAILED:PROGRAM:INTERNAL",
          "ERIX_ROOTD:SERVICE_BOOTSTRAP_FAILED"]


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rows():
    """Yields (group, line) of each row of the table: what is said when the answer is the stated one."""
    codes = dict(re.findall(r"\b(LOADED_\w+) = (\w+)", text_of(CODES)))
    for kind, arguments in re.findall(r"^([A-Z]+)\((.*)\)$", text_of(TABLE), re.M):
        group, name, *others = [argument.strip('"') for argument in arguments.split(", ")]
        answer = others[-1] # of REFUSED, ASK and POINT: the status
        if kind == "ENDS":
            reason, code = others
            answer = f"EXITED:{int(codes.get(code, code), 0):#x}" if reason == "EXITED" else reason
        back = ":RESOURCES_BACK" if group in COUNTED and kind != "ASK" else ""
        yield group, f"{LINE}{name}:{answer}{back}"


def lines(groups):
    return [line for group, line in rows() if group in groups]


def is_right(log, wanted, end):
    """The lines of phase4-loader are these, and with nothing between them and `end` the log ends."""
    found = [line for line in log.splitlines() if not line.startswith("BASALT_WORLD:")]
    ends = [*wanted, *end]
    return len(wanted) > 0 and found[-len(ends):] == ends and not any(line.startswith(LINE) for line in found[:-len(ends)])


def closure(result):
    """Of a boot of profile closure: (what it shows, whether it does, what the log should end with)."""
    wanted = lines(GROUPS[CLOSURE])
    return "every question of every profile of phase 4 is answered as stated", is_right(result.log, wanted, END), wanted + END


def cleanup(result):
    """The same of the image whose procd fails at each published point."""
    wanted = lines(("POINTS",))
    return "a transfer fails at each published point, and leaves nothing", is_right(result.log, wanted, END), wanted + END


def changed(result):
    """The same of the image whose files change while they are read."""
    wanted = lines(("CHANGES",))
    return "a program that changes while it is launched is refused, and leaves nothing", \
        is_right(result.log, wanted, END), wanted + END


def compared(tally, profile):
    """A boot in QEMU has the lines, and the world, which repeats it event by event, too."""
    image, wanted = build.PROFILES[profile], lines(GROUPS[profile])
    result, record = metal.record(image)
    tally.say(f"QEMU: profile {profile} says what its {len(wanted)} questions were answered",
              result.status == metal.READY and is_right(result.log, wanted, END),
              f"status {result.status}, {result.verdict}\n{result.log}wanted:\n" + "\n".join(wanted))
    status, output = build.run([same.PROGRAM, "--compare", record, image], 120)
    os.unlink(record)
    log, _, said = output.partition("BASALT_WORLD:")
    tally.say(f"the world repeats profile {profile} event by event, and says the same",
              status == 0 and "COMPARE:EQUAL" in said and is_right(log, wanted, END), output, same.digest_of(said))


def unexpected(tally, folder):
    """Beside a tree without programs the first one that is launched is named, and the boot fails."""
    profile = "phase4-loader-contract"
    before = lines(GROUPS[profile])
    before = before[:before.index(f"{LINE}/bin/hello:EXITED:0x2a")]
    wanted = [*before, f"{LINE}/bin/hello:UNEXPECTED:NOT_FOUND"]
    path = os.path.join(folder, "other.img")
    with open(build.PROFILES[profile], "rb") as file:
        parts = negative.sections(file.read())
    with open(OTHER_TREE, "rb") as tree, open(path, "wb") as file:
        data = tree.read()
        file.write(negative.packed([(name, kind, data if kind == negative.DATA else old) for name, kind, old in parts]))
    boot = metal.Boot(path)
    status, log = build.run([same.PROGRAM, path], 120)
    tally.say("QEMU: a question that is answered otherwise is named, and fails the boot",
              boot.status == metal.NOT_READY and is_right(boot.log, wanted, FAILED), f"{boot.verdict}\n{boot.log}")
    tally.say("world: the same", status == 1 and is_right(log, wanted, FAILED), f"status {status}\n{log}")


def loader(tally):
    for profile in GROUPS:
        if profile != CLOSURE: # which `operations` boots and compares
            compared(tally, profile)
    status, log = build.run([same.PROGRAM, build.PROFILES[CLOSURE]], 120)
    tally.say(f"world: profile {CLOSURE} says what each question was answered",
              status == 0 and is_right(log, lines(GROUPS[CLOSURE]), END), log)
    with tempfile.TemporaryDirectory() as folder:
        unexpected(tally, folder)
