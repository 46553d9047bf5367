# SPDX-License-Identifier: ISC
"""Checks of `./basalt fuzz --sync DIR`: three campaigns on one machine, of three copies of the tree, one of them killed;
what lies in the folder that is no input; and what can become of the folder."""

import concurrent.futures
import contextlib
import glob
import json
import os
import signal
import time

import build
import campaign
import engines
import fake_engine
import findings
import places
import sync

PLANTED_IN, FAKED = "codec_envelope", "canary_detectors"
ENGINE = """engines.libfuzzer_program = lambda name: 'fuzz/tool/fake_engine.py'
engines.turn_programs = lambda *_: ['build/asan/empty']
"""
QUIET = {"FAKE_ENGINE": "resting"}
FINDING = f"{FAKED}/global-buffer-overflow-write_global"
WAIT_SECONDS = 300
LONG_SECONDS = 300
TURN_SECONDS = 5
LONG_TARGETS = ("memd_life", "codec_envelope", "canary")


class Place(places.Place):
    """A copy of the tree with a campaign of its own name in a shared folder. Its committed inputs are few, so that what
    another one has been given is missed."""

    def __init__(self, name, shared):
        super().__init__()
        self.name, self.shared = name, shared
        for target in (PLANTED_IN, FAKED):
            self.make(f"corpus/{target}", f"findings/{target}/corpus")
        self.put(f"corpus/{PLANTED_IN}/few", b"few")

    def arguments(self, *more):
        return ("fuzz", PLANTED_IN, FAKED, "--engine", "libfuzzer", "--jobs", "1", "--sync", self.shared, "--name", self.name, *more)

    def start(self, *more, instead=""):
        """A campaign whose engine finds nothing by itself."""
        return self.process(ENGINE + instead, *self.arguments(*more), env=QUIET)

    def campaign(self, *more, instead="", turns=2):
        return self.run(ENGINE + places.TURNS.format(turns=turns) + instead, *self.arguments(*more), env=QUIET)

    def give_input(self, data, target=PLANTED_IN):
        """Puts an input into the working corpus, as an engine does."""
        return self.put(f"findings/{target}/corpus/{campaign.hash_name(data)}", data)

    def has(self, data, target=PLANTED_IN):
        return os.path.exists(f"{self.path}/findings/{target}/corpus/{campaign.hash_name(data)}")

    def listed(self):
        return self.run("", "triage")[1]

    def marks(self):
        return marks_in(f"{self.path}/findings/{PLANTED_IN}/corpus")


def marks_in(folder):
    return set(build.run([f"build/asan/{PLANTED_IN}", "--marks", folder])[1].splitlines())


def wait_for(condition, seconds=WAIT_SECONDS):
    """Whether something becomes true in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def given(shared, name, data, target=PLANTED_IN):
    return f"{shared}/{name}/{target}/corpus/{campaign.hash_name(data)}"


def planted_inputs():
    """Committed inputs, the largest first: they reach what the few do not."""
    with_seeds = places.Place(PLANTED_IN)
    with_seeds.make("seeds")
    campaign.seeds(PLANTED_IN, f"{with_seeds.path}/seeds")
    return sorted((findings.read(path) for path in glob.glob(f"{with_seeds.path}/seeds/*")), key=lambda data: (-len(data), data))


def three_campaigns(tally):
    """Of three campaigns one is killed. What each had been given is with all, a bug that one found is listed by all, and the
    killed one goes on."""
    root = places.Place()
    shared = f"{root.path}/shared"
    first, second, late = planted_inputs()[:3]
    one, two, three = (Place(name, shared) for name in ("one", "two", "three"))
    one.give_input(first)
    three.give_input(second)
    three.put(f"findings/{FAKED}/crash-{campaign.hash_name(fake_engine.GLOBAL_OVERFLOW)}", fake_engine.GLOBAL_OVERFLOW)
    running = [place.start() for place in (one, two, three)]
    met = wait_for(lambda: two.has(first) and two.has(second) and three.has(first) and
                   glob.glob(f"{shared}/three/{FAKED}/found/crash-*"))
    running[2].kill()
    running[2].communicate()
    held = [first, second]
    three.give_input(late)  # as an engine does at the last moment
    heard = wait_for(lambda: glob.glob(f"{one.path}/findings/{FAKED}/found/*/report.txt") and
                     glob.glob(f"{two.path}/findings/{FAKED}/found/*/report.txt"))
    for process in running[:2]:
        process.send_signal(signal.SIGINT)
    said = [process.communicate()[0] for process in running[:2]]
    tally.say("what one campaign was given is with the others, one of which is killed", met and one.has(second),
              "\n".join(said))
    tally.say("the marks that it reaches are theirs", marks_in(f"{three.path}/findings/{PLANTED_IN}/corpus") - two.marks() <=
              marks_of(late) and marks_of(second) <= one.marks(), "\n".join(said))
    tally.say("a bug that one found is listed by the others", heard and all(FINDING in place.listed() for place in (one, two)) and
              all("ended by SIGINT" in output and "Traceback" not in output for output in said), "\n".join(said))
    status, output = three.campaign()
    tally.say("the killed one has all that it had, goes on and gives what came last", status in (0, 1) and all(
        three.has(data) for data in [*held, late]) and os.path.exists(given(shared, "three", late)) and FINDING in three.listed(),
        f"status {status}\n{output}")
    counted = [base for path in glob.glob(f"{shared}/*/{PLANTED_IN}/corpus") for base in os.listdir(path)]
    tally.say("each input is in the folder once", len(counted) == len(set(counted)) and {campaign.hash_name(first),
              campaign.hash_name(second), campaign.hash_name(late)} <= set(counted), str(counted))


def marks_of(data):
    place = places.Place()
    place.make("one")
    place.put("one/input", data)
    return marks_in(f"{place.path}/one")


def strangers(tally):
    """What is no input, or half of one, is passed over and named; what fails is a finding and reaches no corpus."""
    root = places.Place()
    shared, place = f"{root.path}/shared", None
    theirs = f"shared/evil/{PLANTED_IN}/corpus"
    root.make(theirs, f"shared/evil/{FAKED}/corpus", "shared/.hidden/codec_envelope/corpus", "shared/linked")
    root.put(f"shared/{sync.LAYOUT}", f"{sync.VERSION}\n".encode())
    good = planted_inputs()[0]
    names = [f"{number:016x}" for number in range(5)]
    os.mkfifo(f"{root.path}/{theirs}/{names[0]}")
    os.symlink("/etc/passwd", f"{root.path}/{theirs}/{names[1]}")
    os.mkdir(f"{root.path}/{theirs}/{names[2]}")
    root.put(f"{theirs}/{campaign.hash_name(good)}", good[:-1])  # half written
    root.put(f"{theirs}/.{campaign.hash_name(b'part')}.part", b"part")
    huge = bytes(engines.INPUT_BYTES_MAX + 1)
    root.put(f"{theirs}/{campaign.hash_name(huge)}", huge)
    root.put(f"{theirs}/whatever", b"whatever")
    os.symlink(f"{root.path}/shared/evil", f"{root.path}/shared/link")
    failing = fake_engine.GLOBAL_OVERFLOW
    root.put(f"shared/evil/{FAKED}/corpus/{campaign.hash_name(failing)}", failing)
    root.put(f"shared/evil/{FAKED}/corpus/{campaign.hash_name(fake_engine.PASSING)}", fake_engine.PASSING)
    place = Place("mine", shared)
    status, output = place.campaign()
    corpus = set(os.listdir(f"{place.path}/findings/{PLANTED_IN}/corpus"))
    tally.say("what is no whole input is passed over, and said once", not corpus and
              output.count("passed over: ") == 1 and "Traceback" not in output, f"{corpus}\n{output}")
    tally.say("an input of another one that fails is a finding, and in no corpus", status == 1 and f"1 finding: {FINDING};" in
              output and not place.has(failing, FAKED) and place.has(fake_engine.PASSING, FAKED), f"status {status}\n{output}")
    root.put(f"{theirs}/{campaign.hash_name(good)}", good)
    place.campaign()
    tally.say("and is taken when it is whole", place.has(good))


def refused(tally):
    """A folder that is none for campaigns, is of another layout or cannot be written, and a name that is taken: one line."""
    root = places.Place()
    place = Place("mine", f"{root.path}/shared")
    root.make("foreign", "other", "taken")
    root.put("foreign/letter.txt", b"dear")
    root.put(f"other/{sync.LAYOUT}", b"0\n")
    root.put("file", b"")
    root.put("taken/mine", b"")
    root.make("fifo", "endless", "linked")
    os.mkfifo(f"{root.path}/fifo/{sync.LAYOUT}")
    os.symlink("/dev/zero", f"{root.path}/endless/{sync.LAYOUT}")
    os.symlink(f"{root.path}/foreign", f"{root.path}/linked/mine")
    for folder in ("taken", "linked"):
        root.put(f"{folder}/{sync.LAYOUT}", f"{sync.VERSION}\n".encode())
    for what, folder, text in (("a foreign folder", "foreign", "there is letter.txt; give an empty folder"),
                               ("another layout", "other", "of another layout, '0' and not '1'"),
                               ("a FIFO for a layout", "fifo", "of another layout, None and not '1'"),
                               ("a link to an endless file for a layout", "endless", "of another layout, None and not '1'"),
                               ("a link where a campaign's folder would be", "linked", "mine leads elsewhere"),
                               ("a file", "file", "File exists"), ("a file where a campaign's folder would be", "taken", "File exists"),
                               ("a folder that cannot be made", "file/below", "Not a directory")):
        place.shared = f"{root.path}/{folder}"
        status, output = place.campaign()
        tally.say(f"--sync with {what} is one line", status == 2 and output.count("\n") == 1 and text in output,
                  f"status {status}\n{output}")
    tally.say("nothing is written to a foreign folder", os.listdir(f"{root.path}/foreign") == ["letter.txt"] and
              os.listdir(f"{root.path}/other") == [sync.LAYOUT])
    place.shared = f"{root.path}/shared"
    running = place.start()
    wait_for(lambda: os.path.exists(f"{place.shared}/mine/about.json"))
    status, output = Place("mine", place.shared).campaign()
    running.kill()
    running.communicate()
    tally.say("a name that a campaign has is one line", status == 2 and output.count("\n") == 1 and
              "a campaign called mine runs already" in output, f"status {status}\n{output}")
    for arguments, text in ((("fuzz", "--name", "x"), "--name is of a campaign that shares"),
                            (("fuzz", "--sync", "x", "--name", "a/b"), "'a/b' is no name for a campaign"),
                            (("fuzz", "empty", "--sync", "x", "--merge"), "without --sync")):
        status, output = place.run("", *arguments)
        tally.say(f"{' '.join(arguments)} is a usage error", status == 2 and text in output, f"status {status}\n{output}")


# What becomes of the folder after the first turn, what is said of it, and whether it can be used at the end. There is no file
# system here that hangs: a FIFO that nobody writes to plays one, which the helper opens as it would a file.
LOSSES = {
    "vanishes": ("os.rename(shared, shared + '.away')", "it is gone, or not what it was", False),
    "is a mount point without its disk": ("os.rename(shared, shared + '.away'); os.mkdir(shared)", "it is gone, or not what it was", False),
    "is full": ("becomes('full')", "No space left on device", False),
    "is full for a while": ("becomes('full' if turns[0] == 2 else 'well')", "No space left on device", True),
    "hangs": ("becomes('hung')", "it has not answered for 1 s", False),
    "hangs so that its helper cannot be ended": ("becomes('hung'); sync.Helper.leave = lambda self: None",
                                                 "it has not answered for 1 s", False),
    "is cut off since its helper was stopped": ("stop()", "it has not answered for 1 s", True),
    "is cut off since its helper was ended": ("end()", "its helper is gone: ", True),
}
PLAYED = """import os, sys
sys.path.insert(0, "fuzz/tool")
import sync_folder
put, listing = sync_folder.Folder.put, sync_folder.listing

def now():
    try:
        return open({state!r}).read()
    except FileNotFoundError:
        return "well"

def full(self, *arguments):
    if now() != "full":
        return put(self, *arguments)
    with self.access(writing=True):
        raise OSError(28, "No space left on device")

def hung(path):
    if now() == "hung":
        open({state!r} + ".fifo").read()
    return listing(path)

sync_folder.Folder.put, sync_folder.listing = full, hung
sync_folder.serve()
"""
LOSE = """import fleet, os, signal, sync, sys
settle, turns, shared, state = fleet.Turn.settle, [0], {shared!r}, {state!r}
sync.HELPER, sync.SILENT_SECONDS, sync.AGAIN_SECONDS = [sys.executable, "-B", "-c", {played!r}], 1, 0

def becomes(what):
    with open(state, "w") as file:
        file.write(what)

def stop():
    if turns[0] == 2:
        os.kill(helpers[0].process.pid, signal.SIGSTOP)

def end():
    if turns[0] == 2:
        os.kill(helpers[0].process.pid, signal.SIGKILL)

helpers, begin = [], sync.Helper.__init__

def begun(self):
    begin(self)
    helpers.append(self)
sync.Helper.__init__ = begun

def lose(self, *arguments):
    turns[0] += 1
    if turns[0] == 2 or {again}:
        {loss}
    settle(self, *arguments)
fleet.Turn.settle = lose
"""


def release(fifo):
    """Lets a helper that hangs go on, and end, since its campaign has."""
    with contextlib.suppress(OSError):  # none does
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        time.sleep(0.5)


def lost(tally, what, loss, text, back):
    root = places.Place()
    place = Place("mine", f"{root.path}/shared")
    data = planted_inputs()[0]
    place.give_input(data)
    place.give_input(fake_engine.PASSING, FAKED)
    state = f"{root.path}/state"
    os.mkfifo(f"{state}.fifo")
    patch = LOSE.format(shared=place.shared, again=back, loss=loss, state=state, played=PLAYED.format(state=state))
    status, output = place.campaign(instead=patch, turns=4)
    said = [line for line in output.splitlines() if line.startswith("--sync ") and "goes on alone" in line]
    end = "can be used again" in output and status == 0 if back else status == 2 and " in findings/ alone: the next one gives them" in output
    tally.say(f"a folder that {what} costs a line and nothing that was found", len(said) == 1 and output.count("used again") == back and text in said[0] and end and
              place.has(data) and "Traceback" not in output, f"status {status}\n{output}")
    if not back and text.startswith("it is gone"):
        return
    if "hangs" in what:
        release(f"{state}.fifo")
    status, output = place.campaign()
    tally.say(f"what could not be given when it {what} is given later", os.path.exists(given(place.shared, "mine", data)) and
              os.path.exists(given(place.shared, "mine", fake_engine.PASSING, FAKED)), f"status {status}\n{output}")


def min_stays(tally):
    """What a campaign gave and `min` dropped does not come back to it."""
    root = places.Place()
    place = Place("mine", f"{root.path}/shared")
    data = planted_inputs()[0]
    place.give_input(data)
    place.campaign()
    os.remove(f"{place.path}/findings/{PLANTED_IN}/corpus/{campaign.hash_name(data)}")
    place.campaign()
    tally.say("what was dropped from a corpus does not come back", os.path.exists(given(place.shared, "mine", data)) and not place.has(data))


def fleet_sync(tally):
    build.must_build(*[f"build/{variant}/{name}" for variant in ("asan", "libfuzzer", "shipped") for name in (PLANTED_IN, FAKED)],
                     "build/asan/empty", "build/fast/abi_tables")
    jobs = [lambda: three_campaigns(tally), lambda: strangers(tally), lambda: refused(tally), lambda: min_stays(tally)]
    jobs += [lambda what=what, row=row: lost(tally, what, *row) for what, row in LOSSES.items()]
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:  # most of it is waiting
        for job in [pool.submit(job) for job in jobs]:
            job.result()


def fleet_sync_long(tally):
    """Three campaigns with the real engines; one is killed in the middle and goes on."""
    build.must_build(*[f"build/{variant}/{name}" for variant in ("asan", "shipped", "libfuzzer", "afl")
                       for name in LONG_TARGETS], "build/afl/mutator.so")
    root = places.Place()
    trees = {name: places.Place(*LONG_TARGETS) for name in ("one", "two", "three")}

    def start(name, instead=""):
        return trees[name].process(f"import fleet; fleet.Fleet.turn_seconds = lambda self: {TURN_SECONDS}\n{instead}", "fuzz",
                                   *LONG_TARGETS, "--jobs", "1", "--sync", f"{root.path}/shared", "--name", name)

    def held(name):
        return {campaign.hash_name(findings.read(path)) for path in glob.glob(f"{trees[name].path}/findings/*/corpus/*")}

    def gave(name):
        return {base for path in glob.glob(f"{root.path}/shared/{name}/*/corpus") for base in os.listdir(path)}

    def found(name):
        return glob.glob(f"{trees[name].path}/findings/canary/found/T1-canary/report.txt")
    running = {name: start(name) for name in trees}
    met = wait_for(lambda: all(gave(name) for name in trees), LONG_SECONDS)
    running["three"].kill()
    running["three"].communicate()
    before = held("three")
    met = met and wait_for(lambda: all(found(name) and held(name) & gave(other) - gave(name) for name, other in
                                       (("one", "two"), ("two", "one"))), LONG_SECONDS)
    for name in ("one", "two"):
        running[name].send_signal(signal.SIGINT)
    said = {name: running[name].communicate()[0] for name in ("one", "two")}
    tally.say("campaigns beside one that is killed go on, and share what they reach and find", met and all(
        running[name].returncode == 128 + signal.SIGINT and "1 finding: canary/T1-canary;" in said[name] for name in said),
        "\n".join(said.values()), json.dumps({name: len(gave(name)) for name in trees}))
    torn = [path for path in glob.glob(f"{root.path}/shared/*/*/corpus/*") if campaign.hash_name(findings.read(path)) != os.path.basename(path)]
    tally.complaints("all that is in the folder is whole", torn)
    process = start("three", places.TURNS.format(turns=2 * len(LONG_TARGETS)))
    output, _ = process.communicate()
    tally.say("the killed one has all that it had and goes on", before <= held("three") and process.returncode == 1 and
              before - {campaign.hash_name(data) for data in planted_inputs()} <= gave("three") | gave("one") | gave("two"),
              f"status {process.returncode}, lost {len(before - held('three'))} of {len(before)}\n{output}")
    listed = {name: tree.run("", "triage")[1] for name, tree in trees.items()}
    tally.say("all list what was found", all("canary/T1-canary" in text for text in listed.values()), "\n".join(listed.values()))
