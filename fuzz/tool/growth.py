# SPDX-License-Identifier: ISC
"""Checks that the corpus outlives the tables (T4): rows added in a copy of the tree move no digest and
no floor; and that bless loses nothing without being told to, and nothing when it is stopped."""

import os
import random
import re
import resource
import shutil
import subprocess
import tempfile
import time

import build
import campaign
import negative

STOPPED = 99 # exit status of a bless that was stopped on purpose

# One row for each table that decides what input bytes mean. The operation is declared only, so that
# it needs no code.
TRIAL_ROWS = {
    "abi/messages/memd.def": """
OPERATION(MEMD, memd, ping, PING, 0x{operation:x}, FROM_ACCOUNT, UNSUPPORTED, "a row of a trial")
REQUEST(memd_ping)
U64(number)
END_REQUEST(memd_ping)
REPLY(memd_ping)
U64(number)
END_REPLY(memd_ping)
""",
    "abi/roles.def": 'ROLE(TRIAL, {role}, "trial", 100, 0, 64, 192, 192, 0, 0, 0, SERVICE, LATER, "a row of a trial")\n',
    "abi/status.def": 'STATUS(TRIAL, {status}, "a row of a trial")\n',
    "abi/end_reasons.def": 'END_REASON(TRIAL, {reason}, "a row of a trial")\n',
}


def next_number(path, pattern, below=1 << 16):
    """One more than the highest number that the rows of a table have."""
    return 1 + max(number for number in (int(found, 0) for found in re.findall(pattern, campaign.text_of(path)))
                   if number < below)


def add_rows(folder):
    """Adds the trial rows in a copy of the tree. Returns the id of the operation."""
    numbers = {"operation": next_number("abi/messages/memd.def", r"OPERATION\(MEMD, \w+, \w+, \w+, (\w+)"),
               "role": next_number("abi/roles.def", r"ROLE\(\w+, (\d+)", below=256),
               "status": next_number("abi/status.def", r"STATUS\(\w+, (\d+)"),
               "reason": next_number("abi/end_reasons.def", r"END_REASON\(\w+, (\d+)")}
    for path, row in TRIAL_ROWS.items():
        with open(f"{folder}/{path}", "a", encoding="utf-8") as table:
            table.write(row.format(**numbers))
    return numbers["operation"]


def build_plainly(folder, names):
    """Builds harnesses of a copy as fast as it goes: digests are the same in every build (E3)."""
    path = f"{folder}/fuzz/variants/fast.ninja"
    text = re.sub(r"^(unit|host|engine)_flags = .*$", r"\1_flags = -O0", campaign.text_of(path), flags=re.M)
    with open(path, "w", encoding="utf-8") as variant:
        variant.write(text)
    return build.ninja(*[f"build/fast/{name}" for name in names], folder=folder)


def copy_tree(folder, kept=()):
    """The tree without build/, findings/, .git and what stands in `kept`."""
    shutil.copytree(".", folder, dirs_exist_ok=True, symlinks=True,
                    ignore=shutil.ignore_patterns("build", "findings", ".git", ".ninja_*", *kept))


def growth(tally):
    """T4: an operation, a role, a status and an end reason more, and every input does what it did."""
    names = campaign.with_corpus()
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(folder)
        operation = add_rows(folder)
        worked, output = build_plainly(folder, names)
        tally.say("a copy of the tree with one row more in each table builds", worked,
                  build.shorten(output, 20))
        if not worked:
            return
        with open(f"{folder}/ping", "wb") as file:
            file.write(bytes([1]) + operation.to_bytes(2, "little"))
        status, output = build.run([f"{folder}/build/fast/codec_messages", "--trace", f"{folder}/ping"])
        tally.say("the operation of the trial can be named", status == 0 and "memd.ping number=" in output, output)
        for name, (status, output) in negative.each(
                int(build.jobs()),
                lambda name: build.run([f"{folder}/build/fast/{name}", "--replay", f"corpus/{name}"]), names):
            summary = (output.strip().splitlines() or ["nothing printed"])[-1]
            tally.say(f"new rows move nothing of {name}", status == 0, build.shorten(output, 12),
                      summary.partition(": ")[2])


def files_of(folder):
    """Every file of a corpus folder but what a stopped bless leaves under a hidden name."""
    return {name: open(f"{folder}/{name}", "rb").read() for name in sorted(os.listdir(folder))
            if not name.startswith(".")}


def put_back(folder, files):
    for name, data in files.items():
        with open(f"{folder}/{name}", "wb") as file:
            file.write(data)


def harness_bless(folder, program="build/asan/codec_envelope", **options):
    return subprocess.run([program, "--bless", folder], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)


def stopper(folder, renames):
    """A library that ends its process, as a crash would, instead of one more rename."""
    path = f"{folder}/stop{renames}"
    with open(f"{path}.c", "w", encoding="utf-8") as source:
        source.write("#include <stdio.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n"
                     "static int count;\nint rename(const char *from, const char *to) {\n"
                     f"    if (count++ == {renames}) _exit({STOPPED});\n"
                     "    return (int)syscall(SYS_rename, from, to);\n}\n")
    subprocess.run(["clang-14", "-shared", "-fPIC", f"{path}.c", "-o", f"{path}.so"], check=True)
    return f"{path}.so"


def add_floor(folder):
    with open(f"{folder}/FLOORS", "a", encoding="utf-8") as floors:
        floors.write("a mark that nothing reaches\n")


def bless_keeps_floors(tally, folder):
    """A floor goes only when it may; the command counts over all, and changes nothing otherwise."""
    os.makedirs(f"{folder}/corpus")
    for name in os.listdir("."):
        if name not in ("corpus", "findings"):
            os.symlink(os.path.abspath(name), f"{folder}/{name}")
    kept = f"{folder}/corpus/codec_envelope"
    shutil.copytree("corpus/codec_envelope", kept)
    add_floor(kept)
    before = files_of(kept)
    command = ["env", "-C", folder, "python3", "-B", "fuzz/tool/main.py", "bless", "codec_envelope"]
    status, output = build.run(command)
    tally.say("bless refuses to lose a floor and changes nothing",
              status == 1 and files_of(kept) == before and output.strip().splitlines()[-1] ==
              "nothing is blessed: 1 floors lost, 0 gained; if they may go: --lose-floors", output)
    result = harness_bless(kept)
    tally.say("so does the harness itself", result.returncode == 1 and files_of(kept) == before,
              result.stdout.decode())
    status, output = build.run([*command, "--lose-floors"])
    tally.say("bless --lose-floors loses it and says so",
              status == 0 and files_of(kept) == files_of("corpus/codec_envelope")
              and output.strip().splitlines()[-1] == "1 floors lost, 0 gained", output)


def bless_names_what_fails(tally, folder):
    """An input that cannot be run is what stops it: no floor is lost by it."""
    kept = f"{folder}/corpus/codec_envelope"
    before = files_of(kept)
    os.symlink("/nonexistent", f"{kept}/link")
    for more in ([], ["--lose-floors"]):
        status, output = build.run(["env", "-C", folder, "python3", "-B", "fuzz/tool/main.py", "bless", "codec_envelope", *more])
        tally.say(f"bless {' '.join(more)} names an input that cannot be read", status == 1 and "codec_envelope/link" in output
                  and "floors lost" not in output, output)
    os.remove(f"{kept}/link")
    tally.say("bless changes nothing then", files_of(kept) == before)


def bless_is_whole(tally, folder):
    """Stopped while it writes or at any moment, bless leaves what was there, or what shall be there."""
    shutil.copytree("corpus/codec_envelope", folder)
    new = files_of(folder)
    old = {**new, "DIGESTS": b"# none\n", "FLOORS": b"# none\n"}
    put_back(folder, old)
    result = harness_bless(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)))
    tally.say("a bless that cannot write leaves all as it was",
              result.returncode != 0 and files_of(folder) == old, result.stdout.decode())
    pairs = {(new["DIGESTS"], new["FLOORS"]), (old["DIGESTS"], old["FLOORS"]), (old["DIGESTS"], new["FLOORS"])}
    wrong, chance = [], random.Random(4)
    for _ in range(6):
        process = subprocess.Popen(["build/asan/codec_envelope", "--bless", folder], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.02, 0.3))
        process.kill()
        process.wait()
        left = files_of(folder)
        if (left["DIGESTS"], left["FLOORS"]) not in pairs:
            wrong.append("half a file, or digests without their floors")
        put_back(folder, old)
    tally.complaints("a bless that is killed leaves old or new files", wrong)
    left = []
    for renames in (0, 1):
        put_back(folder, old)
        stopped = harness_bless(folder, program="build/shipped/codec_envelope",
                                env={**os.environ, "LD_PRELOAD": stopper(os.path.dirname(folder), renames)})
        left.append((stopped.returncode, files_of(folder)))
    tally.say("a bless stopped before it replaces a file has replaced none", left[0] == (STOPPED, old))
    tally.say("a bless stopped between two files has replaced the floors",
              left[1] == (STOPPED, {**old, "FLOORS": new["FLOORS"]}))
    status, output = build.run(["build/asan/codec_envelope", "--replay", folder])
    tally.say("new floors with old digests are refused", status == 1 and "no stored digest" in output, output)


def bless_writes_ids(tally, folder):
    """A number that is no id is told by replay, and replaced by the id that it means."""
    os.makedirs(folder)
    between = next_number("abi/messages/memd.def", r"OPERATION\(MEMD, \w+, \w+, \w+, (\w+)") + 1
    with open(f"{folder}/input", "wb") as file:
        file.write(bytes([1]) + between.to_bytes(2, "little"))
    program = "build/asan/codec_messages"
    _, before = build.run([program, "--trace", f"{folder}/input"])
    told = build.run([program, "--replay", folder])
    build.run([program, "--bless", folder])
    status, after = build.run([program, "--replay", folder])
    named = int.from_bytes(files_of(folder)["input"][1:], "little")
    tally.say("replay reports a number that is no id", told[0] == 1 and "are not its id" in told[1],
              told[1])
    tally.say("bless writes the id, and the input does the same", status == 0 and named != between
              and build.run([program, "--trace", f"{folder}/input"])[1] == before, after)


def bless(tally):
    with tempfile.TemporaryDirectory() as folder:
        bless_keeps_floors(tally, f"{folder}/tree")
        bless_names_what_fails(tally, f"{folder}/tree")
        bless_is_whole(tally, f"{folder}/whole")
        bless_writes_ids(tally, f"{folder}/ids")
