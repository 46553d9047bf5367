# SPDX-License-Identifier: ISC
"""Checks of what people do to campaigns by mistake: files that are no inputs among those that are, engines and tools
that are not there, disks that are full. Each is named on one line; nothing that was found is lost or written over."""

import concurrent.futures
import os
import re
import tempfile

import build
import campaign
import engines
import older
import places
from campaign_checks import FAKED, HOME, Place

FILLED = "codec_envelope"  # whose corpus fills a disk

def big(path):
    os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 3 << 20)


# What no engine could read, and how it is named.
NO_INPUTS = {
    "a folder": (os.mkdir, "not a regular file"),
    "a FIFO": (os.mkfifo, "not a regular file"),
    "a link to nothing": (lambda path: os.symlink("/nonexistent", path), "a link to nothing"),
    "3 MB": (big, f"{3 << 20} bytes; an input has at most {engines.INPUT_BYTES_MAX}"),
    "what may not be read": (os.mknod, "Permission denied"),
}
NOT_PERMITTED = """
import builtins
real = open
def refuse(path, *more, **others):
    if str(path).endswith("wrong") and os.path.isfile(path) and os.path.getsize(path) == 0:
        raise PermissionError(13, "Permission denied", path)
    return real(path, *more, **others)
builtins.open = refuse
"""  # who checks this may read everything


def check_no_input(tally, what, make, text):
    """What is no input is named: in a corpus it is passed over, in findings/ it is put aside. The campaign goes on."""
    left, said_of = f"{HOME}/{older.ASIDE}", "put aside as {}, since no engine could read it"
    wrong = {f"corpus/{FAKED}/wrong": "passed over", f"{HOME}/corpus/wrong": said_of.format(f"{left}/corpus-wrong-1"),
             f"{HOME}/crash-wrong": said_of.format(f"{left}/crash-wrong")}
    place = Place()
    os.makedirs(f"{place.path}/{HOME}/corpus")
    os.makedirs(f"{place.path}/{left}")
    place.put(f"corpus/{FAKED}/other", b"other")
    place.put(f"{left}/corpus-wrong", b"of an earlier day")
    for path in wrong:
        make(f"{place.path}/{path}")
    status, output = place.python("quiet", f"import os{NOT_PERMITTED if text == 'Permission denied' else ''}", "fuzz", FAKED,
                                  "--seed", "1000", "--seconds", "3")
    said = [line for line in output.splitlines() if "wrong" in line]
    there = [f"corpus/{FAKED}/wrong", f"{left}/corpus-wrong-1", f"{left}/crash-wrong", f"{HOME}/seeds/{campaign.hash_name(b'other')}"]
    tally.say(f"campaigns: {what} among inputs is named, and passed over or put aside", status == 0 and "0 findings" in output
              and sorted(said) == sorted(f"{path}: {text}; {done}" for path, done in wrong.items())
              and all(os.path.lexists(f"{place.path}/{path}") for path in there)
              and campaign.text_of(f"{place.path}/{left}/corpus-wrong") == "of an earlier day"
              and os.listdir(f"{place.path}/{HOME}/seeds") == [campaign.hash_name(b"other")], f"status {status}\n{output}")


def check_foreign_texts(tally):
    """Notes, and texts that say no input, are passed over where they lie among committed inputs."""
    place = Place()
    place.put(f"corpus/{FAKED}/README.txt", b"notes")
    place.put(f"corpus/{FAKED}/text.trace", b"no such step\n")
    place.put(f"corpus/{FAKED}/empty", b"")
    os.makedirs(f"{place.path}/{HOME}/corpus")
    place.put(f"{HOME}/corpus/nothing", b"")
    status, output = place.fuzz("quiet")
    wanted = ("README.txt: not an input: those are called *.trace or have no dot in their name; passed over\n",
              f"text.trace: harness {FAKED} takes no .trace files; passed over\n", "corpus/nothing: empty; put aside as ")
    tally.say("campaigns: notes and texts that are no input are named and passed over", status == 0
              and all(text in output for text in wanted) and "/empty" not in output, f"status {status}\n{output}")


def check_unwritable_place(tally):
    """Findings that cannot be written are one line."""
    place = Place()
    os.mknod(f"{place.path}/{HOME}/corpus")
    status, output = place.fuzz("quiet")
    tally.say("campaigns: findings that cannot be written is one line", status == 2 and output.count("\n") == 1
              and "corpus: " in output, f"status {status}\n{output}")


def path_without(folder, *names):
    """A PATH on which all is as it is but some programs, which are not there."""
    os.mkdir(f"{folder}/bin")
    for place in reversed(os.environ["PATH"].split(":")):
        for name in os.listdir(place) if os.path.isdir(place) else ():
            if name not in names:
                if os.path.lexists(f"{folder}/bin/{name}"):
                    os.remove(f"{folder}/bin/{name}")
                os.symlink(f"{place}/{name}", f"{folder}/bin/{name}")
    return f"{folder}/bin"


def check_missing(tally):
    """Tools that are not on the PATH."""
    for arguments in ((FAKED, "--engine", "afl"), (FAKED, "--engine", "both"), (FAKED, "empty"), ()):
        place = places.Place()
        status, output = place.run("", "fuzz", *arguments, "--seconds", "2", env={"PATH": path_without(place.path, "afl-fuzz")})
        tally.say(f"fuzz {' '.join(arguments)} without afl-fuzz is one line", status == 2 and output ==
                  "basalt: afl-fuzz is nowhere in PATH\n", f"status {status}\n{output}")
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/build.ninja", "w", encoding="ascii") as file:
            file.write("rule cc\n  command = no-such-clang $in\nbuild out: cc build.ninja\n")
        try:
            build.must_build("out", folder=folder)
            said = "it built"
        except build.Stop as stop:
            said = f"{stop}, status {stop.status}"
        tally.say("a compiler that is not there is one line", said == "no-such-clang is nowhere in PATH, status 2", said)


# Kilobytes of a disk that is full before a campaign begins, and one that is when it has found a few inputs.
SMALL_DISK, LARGER_DISK = 8, 4 * (len(campaign.inputs_of(FILLED)) + 12)
DISKS = {"without room for the committed inputs": (SMALL_DISK, ()), "with room for a few inputs more": (LARGER_DISK, ()),
         "with room for a few inputs more, in turns": (LARGER_DISK, ("empty", "--engine", "libfuzzer", "--jobs", "1"))}


def with_mounts():
    """What runs a command with mounts of its own; None: nobody may mount anything here."""
    with tempfile.TemporaryDirectory() as folder:
        return next((way for way in (["unshare", "-Urm"], ["unshare", "-m"])
                     if build.run([*way, "mount", "-t", "tmpfs", "none", folder])[0] == 0), None)


def check_full_disk(tally, what, kilobytes, arguments):
    """A real disk, and the real engine: status 2, and the last line says what is full."""
    alone = with_mounts()
    if alone is None:
        tally.say(f"a campaign on a disk {what}", True, note="not tried: nobody may mount one here")
        return
    place = places.Place(FILLED)
    place.make("findings")
    before = [*alone, "sh", "-c", f'mount -t tmpfs -o size={kilobytes}k none findings && exec "$@"', "sh"]
    status, output = place.run("", "fuzz", FILLED, *arguments, "--seconds", "4", "--seed", "1", before=before)
    last = output.strip().splitlines()[-1:]
    tally.say(f"a campaign on a disk {what} ends with status 2 and says that it is full", status == 2 and "Traceback" not in output
              and len(last) == 1 and re.match(r"basalt: findings.*: (.*the disk is full|No space left on device)$", last[0]),
              f"status {status}\n{output}")


def bad_input(tally):
    build.must_build(*[f"build/{variant}/{name}" for variant in ("asan", "libfuzzer", "shipped")
                       for name in (FAKED, FILLED, "empty")], "build/fast/abi_tables")
    with concurrent.futures.ThreadPoolExecutor(2 * int(build.jobs())) as pool:  # most of it is waiting
        jobs = [pool.submit(check_no_input, tally, what, *case) for what, case in NO_INPUTS.items()]
        jobs += [pool.submit(check, tally) for check in (check_foreign_texts, check_unwritable_place)]
        jobs += [pool.submit(check_full_disk, tally, what, *case) for what, case in DISKS.items()]
        for job in jobs:
            job.result()
    check_missing(tally)
