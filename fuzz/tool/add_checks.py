# SPDX-License-Identifier: ISC
"""Checks of `./basalt add`: each format becomes the input that it should, each refusal is one line and
changes nothing, and whatever interrupts it leaves no half of an input."""

import glob
import os
import re
import shutil
import struct

import add
import build
import campaign
import engines
import growth
import places
from findings import read

COPIED = ("codec_elf_plan", "codec_archive", "codec_boot_config", "codec_messages", "memd_life")
NO_CAPABILITIES = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]  # so that modes count for root, too

# What is otherwise in a command: it ends before one more file takes its place, as a kill would end it; a harness that
# must fail is taken for one like any other.
KILLED = 99
KILL = """import os
left, rename = [%d], os.rename
def some(old, new):
    left[0] -= old.endswith(".new")
    if left[0] < 0:
        os._exit(""" + str(KILLED) + """)
    rename(old, new)
os.rename = some
"""
NO_CANARY = "import add; add.CANARIES, add.findings.SHRINK_SECONDS = 'none', 1"


class Place(places.Place):
    """With foreign files, and corpora that are looked at."""

    def __init__(self):
        super().__init__(*COPIED)
        self.make("foreign")

    def foreign(self, name, data):
        return self.put(f"foreign/{name}", data)

    def add(self, *arguments, before=(), patch=""):
        return self.run(patch, "add", *arguments, before=before)

    def files(self):
        """What lies in the corpora, but for what a killed write left under a hidden name."""
        return {f"{name}/{file}": read(f"{self.path}/corpus/{name}/{file}") for name in sorted(os.listdir(f"{self.path}/corpus"))
                for file in sorted(os.listdir(f"{self.path}/corpus/{name}")) if not file.endswith(".new")}

    def replays(self, *names):
        """What is not as blessed."""
        said = [build.run([f"build/asan/{name}", "--replay", f"{self.path}/corpus/{name}"]) for name in names]
        return [output for status, output in said if status != 0]


def elf(rows=1, more=0):
    """A program of one page of code, as a linker lays it out, with rows that are passed over."""
    size = 64 + 56 * rows + 100 + more
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0x400000 + size - 1, 64, 0, 0, 64, 56, rows, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, size, size, 4096)
    note = struct.pack("<IIQQQQQQ", 4, 4, 0, 0, 0, 0, 0, 8)
    return (header + load + note * (rows - 1)).ljust(size, b"\x90")


def elf_input(file, view):
    return b"\0\1" + len(file).to_bytes(8, "little") + file[:view]


ARCHIVE = b"name".ljust(257, b"\0") + b"ustar  \0".ljust(255, b"\0") + bytes(1024)
CONFIG = b"ERIXBCFG" + bytes(range(60))

# A file, the input that it becomes, and what the harness says of it.
FORMATS = {
    "one": (elf(), "codec_elf_plan", elf_input(elf(), 120), "ELF plan: 120 bytes: OK"),
    "most.rows": (elf(16), "codec_elf_plan", elf_input(elf(16), 960), "ELF plan: 960 bytes: OK"),
    "too.many.rows": (elf(17), "codec_elf_plan", elf_input(elf(17), 960), "ELF plan: 960 bytes: EXHAUSTED"),
    "cut": (elf()[:63], "codec_elf_plan", elf_input(elf()[:63], 63), "ELF plan: 63 bytes: TRUNCATED"),
    "large": (elf(2, 1 << 20), "codec_elf_plan", elf_input(elf(2, 1 << 20), 176), f"of a file of {276 + (1 << 20)} bytes"),
    "gnu.tar": (ARCHIVE, "codec_archive", b"\0\0" + ARCHIVE, "archive of 1536 bytes: 0 entries, then BAD_"),
    "config": (CONFIG, "codec_boot_config", b"\0" + CONFIG, "boot config: 68 bytes: BAD_VERSION"),
    "image": (b"BASALTBI" + bytes(100), "codec_boot_image", bytes(4) + b"BASALTBI" + bytes(100), "boot image: 108 bytes: "),
    "handoff": (b"BASALTHO" + bytes(90), "codec_handoff", b"\0BASALTHO" + bytes(90), "handoff: 98 bytes: "),
    "-envelope ä": (b"BASALTSE", "codec_envelope", b"\0BASALTSE", "envelope: 8 bytes: TRUNCATED"),
}


def adds_formats(tally, place):
    """Each format becomes an input that its harness reads as it is, and that replays as it was blessed."""
    paths = [place.foreign(name, file) for name, (file, *_) in FORMATS.items()]
    status, output = place.add(*paths)
    tally.say("files of each format are added", status == 0 and output.endswith(f"{len(paths)} added, 0 there already, "
                                                                               "0 skipped, 0 findings\n"), output)
    for name, (_, harness, data, said) in FORMATS.items():
        found = re.search(rf"^foreign/{name}: added as (corpus/{harness}/[\w-]+), \d+ new marks?$", output, re.M)
        path = f"{place.path}/{found[1]}" if found else "/dev/null"
        shown = build.run([f"build/asan/{harness}", "--trace", path])[1]
        tally.say(f"{name} is the input that it should be", read(path) == data and said in shown, f"{output}{shown}")
    harnesses = {harness for _, harness, _, _ in FORMATS.values()}
    tally.complaints("what was added replays as blessed", place.replays(*harnesses & set(COPIED)))
    before = place.files()
    status, output = place.add(*paths)
    tally.say("added once more, all are there already and nothing changes", status == 0 and place.files() == before and
              output.count("already there as corpus/") == len(paths), output)
    limits = campaign.text_of("abi/formats/elf_plan.h")
    numbers = [int(re.search(rf"{name} = (\d+)", limits)[1]) for name in
               ("ELF_HEADER_BYTES", "ELF_PROGRAM_HEADER_BYTES", "ELF_PROGRAM_HEADER_LIMIT")]
    tally.say("what is kept of an ELF file is what a plan is made from", numbers == [add.HEADER_BYTES, add.ROW_BYTES, add.ROWS_MAX])


def skips(tally, place):
    """What is no input is named, with the reason, and what lies beside it is added all the same."""
    huge = ARCHIVE + bytes(engines.INPUT_BYTES_MAX)
    os.mkdir(f"{place.path}/foreign/folder")
    os.mkfifo(f"{place.path}/foreign/pipe")
    os.symlink("nothing", f"{place.path}/foreign/link")
    locked = place.foreign("locked", elf())
    os.chmod(f"{place.path}/{locked}", 0)
    reasons = {"/proc/self/mem": "Input/output error", "foreign/none": "No such file or directory", locked: "Permission denied",
               "foreign/folder": "not a regular file", "foreign/pipe": "not a regular file", "/dev/zero": "not a regular file",
               "foreign/link": "No such file or directory", place.foreign("empty", b""): "empty",
               place.foreign("huge.tar", huge): f"{len(huge)} bytes; as an input it has 16382 at most",
               place.foreign("long.tar", ARCHIVE + bytes(10240)): "codec_archive does not read all of it",
               place.foreign("text", b"a text\n"): "no ELF file, archive, boot config, boot image, handoff or start envelope; "
                                               "for another input say whose it is: --harness NAME"}
    good = place.foreign("beside", elf(3))
    before = place.files()
    status, output = place.add(*reasons, good, before=NO_CAPABILITIES if os.geteuid() == 0 else ())
    for path, reason in reasons.items():
        tally.say(f"{path} is skipped: {reason[:40]}", f"{path}: skipped: {reason}\n" in output, output)
    tally.say("what lies beside is added", status == 1 and output.endswith(f"1 added, 0 there already, {len(reasons)} skipped, "
                                                                          "0 findings\n"), f"status {status}\n{output}")
    tally.say("and nothing else is", len(place.files()) == len(before) + 1)


def keeps_names(tally, place):
    """What is there keeps its name and its content; what is the same is there once."""
    place.add(place.foreign("taken", elf(4)))
    before = place.files()
    status, output = place.add(place.foreign("other-name", elf(4)))
    tally.say("the same content under another name is there already", status == 0 and place.files() == before and
              "already there as corpus/codec_elf_plan/taken\n" in output, output)
    status, output = place.add("--name", "taken", place.foreign("a", elf(5)))
    tally.say("a name that another input has is not given", status == 1 and place.files() == before and
              "skipped: corpus/codec_elf_plan/taken is another input" in output, output)
    status, output = place.add(place.foreign("taken", elf(5)), place.foreign("DIGESTS", elf(6)), place.foreign("README", elf(7)))
    after = place.files()
    tally.say("a file of that name gets an end", status == 0 and re.search("added as corpus/codec_elf_plan/taken-[0-9a-f]{16},", output)
              and len(after) == len(before) + 3 and all(after[path] == before[path] for path in before if not
                                                        path.endswith(("/DIGESTS", "/FLOORS"))), output)
    status, output = place.add("--name", "mine", "--harness", "codec_elf_plan", place.foreign("raw.bytes", b"anything"))
    tally.say("with --harness a file is an input as it is, and --name names it",
              status == 0 and place.files().get("codec_elf_plan/mine") == b"anything", output)


def refuses_calls(tally, place):
    """Usage and environment: status 2, one line, nothing changed."""
    file, other = place.foreign("first", elf(8)), place.foreign("second", elf(9))
    before = place.files()
    for arguments, said in (
            (("--harness", "no_such_harness", file), "there is no harness 'no_such_harness'"),
            (("--harness", "canary", file), "canary has no corpus"), (("--name", "x", file, other), "--name is for one file"),
            (("--name", "../a", file), "no name for an input"), (("--name", "FLOORS", file), "no name for an input")):
        status, output = place.add(*arguments)
        tally.say(f"add {' '.join(arguments)} is a usage error", status == 2 and output.count("\n") == 1 and said in output,
                  f"status {status}\n{output}")
    home = f"{place.path}/corpus/codec_elf_plan"
    os.chmod(home, 0o555)
    status, output = place.add(file, before=NO_CAPABILITIES if os.geteuid() == 0 else ())
    os.chmod(home, 0o755)
    tally.say("a corpus that cannot be written is one line", status == 2 and output.count("\n") == 1 and
              "Permission denied; nothing was changed" in output, f"status {status}\n{output}")
    for name in ("first", "FLOORS", "DIGESTS"):
        os.symlink("/dev/full", f"{home}/.{name}.new")
        status, output = place.add(file)
        tally.say(f"a disk that is full before {name} is one line", status == 2 and output.count("\n") == 1 and
                  "No space left on device; nothing was changed" in output, f"status {status}\n{output}")
    tally.say("none of them changes anything", place.files() == before and not
              [name for name in os.listdir(home) if name.endswith(".new")])


def reads_texts(tally, place):
    """Texts are texts, and are read before they are added."""
    status, output = place.add("--harness", "memd_life", place.foreign("right.trace", b"memd.query_memory\n"))
    tally.say("a text is added as one", status == 0 and place.files().get("memd_life/right.trace") == b"memd.query_memory\n"
              and not place.replays("memd_life"), output)
    before = place.files()
    status, output = place.add("--harness", "memd_life", place.foreign("none.trace", b"nonsense\n"),
                               place.foreign("wrong.trace", b"memd.query_memory -> DENIED\n"))
    tally.say("texts that are none, or state what does not come, are skipped", status == 1 and place.files() == before and
              "none.trace: skipped: line 1" in output and "wrong.trace: skipped: it states what does not come: property T5" in output,
              output)


def finds(tally, place):
    """An input that fails is reported and kept as those of a campaign are, and is in no corpus."""
    before = place.files()
    bird = place.foreign("bird", read("corpus/canary/bird"))
    status, output = place.add("--harness", "canary", bird, patch=NO_CANARY)
    tally.say("an input that fails is a finding and not added", status == 1 and place.files() == before and
              "bird: not added, it is a finding: property T1-canary does not hold" in output and
              "\nfinding canary/T1-canary" in output and output.endswith("0 added, 0 there already, 0 skipped, 1 finding\n"),
              f"status {status}\n{output}")
    kept = glob.glob(f"{place.path}/findings/canary/found/T1-canary*/inputs/crash-*")
    tally.say("and kept as those of a campaign are", len(kept) == 1, str(kept))
    os.makedirs(f"{place.path}/findings/codec_messages/corpus")
    os.rename(f"{place.path}/{place.foreign('of-findings', bytes(7))}", f"{place.path}/findings/codec_messages/corpus/reached")
    status, output = place.add("findings/codec_messages/corpus/reached")
    tally.say("a file of findings/ is its harness's", status == 0 and "added as corpus/codec_messages/reached" in output, output)


def writes_ids(tally, place):
    """An input that names rows by other numbers than their ids is added with those, once."""
    between = growth.next_number("abi/messages/memd.def", r"OPERATION\(MEMD, \w+, \w+, \w+, (\w+)") + 1
    file = place.foreign("near", bytes([1]) + between.to_bytes(2, "little"))
    said = [place.add("--harness", "codec_messages", file) for _ in range(2)]
    tally.say("ids of rows are written, and the same file is there already", said[0][0] == said[1][0] == 0 and
              "added as corpus/codec_messages/near" in said[0][1] and "already there as corpus/codec_messages/near" in said[1][1]
              and not place.replays("codec_messages"), f"{said}")


def is_whole(tally, place):
    """Killed before any of its steps, it leaves whole files; the same call again brings the rest."""
    before = place.files()
    for renames in range(3):
        name = f"stopped{renames}"
        file = place.foreign(name, elf(10 + renames))
        old = place.files()
        status, output = place.add(file, patch=KILL % renames)
        left, path = place.files(), f"codec_elf_plan/{name}"
        changed = {key for key in left if left[key] != old.get(key)}
        tally.say(f"killed after {renames} files of three, it leaves whole ones", status == KILLED and len(changed) <= renames
                  and left.get(path, b"") in (b"", elf_input(elf(10 + renames), 64 + 56 * (10 + renames))), f"{changed}\n{output}")
        status, output = place.add(file)
        tally.say("the same call again adds the rest", status == 0 and f"added as corpus/{path}" in output and
                  not place.replays("codec_elf_plan"), output)
    tally.say("three inputs came of it", len(place.files()) == len(before) + 3)
    file = place.foreign("two-at-once", elf(13))
    calls = [place.process("", "add", file) for _ in range(2)]
    said = [call.communicate()[0] for call in calls]
    tally.say("of two calls at once one adds and one finds it there", ["added as" in one for one in said] ==
              ["already there" not in one for one in said] and "added as" in said[0] + said[1] and
              not place.replays("codec_elf_plan"), f"{said}")


def covers(tally, place):
    """--covering adds what libFuzzer sees do something new, and nothing else."""
    shutil.rmtree(f"{place.path}/corpus/codec_elf_plan")
    status, output = place.add("--covering", place.foreign("new", elf(2)), place.foreign("like-it", elf(2, 64)))
    tally.say("--covering adds one of two that are alike", status == 0 and "/new: added as" in output and
              "/like-it: covers nothing more" in output and not place.replays("codec_elf_plan"), output)


def adds(tally):
    place = Place()
    for check in (adds_formats, skips, keeps_names, refuses_calls, reads_texts, finds, writes_ids, is_whole, covers):
        check(tally, place)
