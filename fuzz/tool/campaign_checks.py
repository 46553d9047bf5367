# SPDX-License-Identifier: ISC
"""Checks of campaigns: with a scripted engine in libFuzzer's place for every way in which a failure
could be lost, and with the real engines on canaries and two harnesses."""

import concurrent.futures
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import build
import campaign
import engines
import fake_engine
import findings
import history
import minimise
import places
import report_data
import triage

ENGINE_SECONDS = 6
ENGINE_HARNESSES = ("codec_messages", "memd_life")  # one codec, one life
FLEET = ("codec_envelope", "canary")
AFL_HARNESSES = tuple(dict.fromkeys((*ENGINE_HARNESSES, *FLEET)))
FAKED = "canary_detectors"
HOME = f"findings/{FAKED}"
WAIT_SECONDS = 60
ENOUGH = "30"  # seconds for what the scripted engine does, which ends by itself
PLANTED_IN = "memd_life"
PLANTED = ("memd-dead-badge-works", "memd-open-book", "memd-parent-limit", "memd-repeated-id", "memd-undelivered-kept")


FAKE = "engines.libfuzzer_program = lambda name: 'fuzz/tool/fake_engine.py'"


class Place(places.Place):
    """With findings, inputs of its own, and the scripted engine in libFuzzer's place."""

    def __init__(self):
        super().__init__()
        self.make(HOME, f"corpus/{FAKED}")

    def start(self, case, *arguments):
        """./basalt fuzz."""
        return self.process(FAKE, "fuzz", FAKED, "--seed", "1000", "--seconds", ENOUGH, *arguments, env={"FAKE_ENGINE": case})

    def triage(self, *arguments):
        """./basalt triage: (status, output)."""
        return self.python("quiet", "", "triage", *arguments)

    def python(self, case, instead, *arguments):
        """A command of ./basalt in which something is otherwise: (status, output)."""
        return self.run(f"{FAKE}\n{instead}", *arguments, env={"FAKE_ENGINE": case}, seconds=WAIT_SECONDS)

    def fuzz(self, case, *arguments):
        return self.run(FAKE, "fuzz", FAKED, "--seed", "1000", "--seconds", ENOUGH, *arguments, env={"FAKE_ENGINE": case},
                        seconds=WAIT_SECONDS)

    def engine_pid(self):
        """Waits until the scripted engine hangs; its process id."""
        path = f"{self.path}/fake.pid"
        for _ in range(WAIT_SECONDS * 10):
            if os.path.exists(path) and campaign.text_of(path).endswith("\n"):
                return int(campaign.text_of(path))
            time.sleep(0.1)
        return None


def ended(pid):
    """Whether a process is gone within some seconds."""
    for _ in range(100):
        try:
            if " Z " in campaign.text_of(f"/proc/{pid}/stat"):
                return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


def crash_name(data):
    return f"{HOME}/crash-{hashlib.sha1(data).hexdigest()}"


PASSING = crash_name(fake_engine.PASSING)
FAILING = crash_name(fake_engine.GLOBAL_OVERFLOW)
FOUND = f"{HOME}/{triage.FOLDER}/global-buffer-overflow-write_global"
FOUND_FAILING = f"{FOUND}/inputs/{os.path.basename(FAILING)}"
UNREPRODUCED = f"{HOME}/{triage.FOLDER}/unreproduced/inputs/{os.path.basename(PASSING)}"
UNREPRODUCED_WORDS = "unreproduced: failed in the engine and passes when it is run alone"


def with_old(data, kind="crash-"):
    def prepare(place):
        place.put(crash_name(data).replace("crash-", kind), data)
    return prepare


# What the engine does, what lies there before, and how the campaign must end: status, texts that it
# prints, files that are there afterwards, files that are not.
CASES = {
    "a status without an input is an error": ("silent", None, 1, ["left no input"], [], []),
    "a killed engine, with an old input that passes, is an error":
        ("killed", with_old(fake_engine.PASSING), 1, ["ended with status -9", f"passes now: {PASSING}"],
         [PASSING.replace("crash-", "passing/crash-")], [PASSING]),
    "an input that passes alone is unreproduced and counts":
        ("slow", None, 1, [UNREPRODUCED_WORDS, "the engine: ERROR: libFuzzer: timeout after 26 seconds", "1 finding\n"],
         [UNREPRODUCED], [PASSING]),
    "an old input that the engine sees fail is not called passing":
        ("slow", with_old(fake_engine.PASSING), 1, [UNREPRODUCED_WORDS, "1 finding\n"], [UNREPRODUCED], [PASSING]),
    "an empty input means a full disk": ("full-artefact", None, 2, ["the disk is full", "deadly signal"], [], []),
    "an empty corpus file means a full disk and goes":
        ("full-corpus", None, 2, ["the disk is full"], [], [f"{HOME}/corpus/{'0' * 40}"]),
    "an input that could not be written is an error": ("unwritable", None, 1, ["could not be written"], [], []),
    "an old input that passes is moved aside":
        ("quiet", with_old(fake_engine.PASSING), 0, [f"passes now: {PASSING}", "0 findings"],
         [PASSING.replace("crash-", "passing/crash-")], [PASSING]),
    "an old input that passes alone and was changed by what ran before it is a finding":
        ("quiet", with_old(fake_engine.PASSING, "differs-"), 1, [UNREPRODUCED_WORDS, "1 finding\n"],
         [UNREPRODUCED.replace("crash-", "differs-")], [PASSING.replace("crash-", "differs-")]),
    "an old input that fails is a finding":
        ("quiet", with_old(fake_engine.GLOBAL_OVERFLOW), 1, ["1 finding\n", "global-buffer-overflow"],
         [FOUND_FAILING, f"{FOUND}/input", f"{FOUND}/report.txt"], [FAILING]),
    "two bugs are two findings, and a campaign goes on after the first":
        ("two", None, 1, ["2 findings", "global-buffer-overflow", "division by zero", "#0", "write_global", "keep:"],
         [], []),
    "two showings of one bug are one finding":
        ("same", None, 1, ["1 finding\n", "write_global: certain, ", " inputs\n"], [FOUND], []),
    "an engine that someone else ended is an error":
        ("aborted", None, 1, ["ended by someone else", "0 findings, 1 error of the engine"], [], []),
    "nothing found is no finding": ("quiet", None, 0, ["0 findings", "seed 1000"], [], []),
}

def check_case(tally, what, case, prepare, status, texts, there, gone):
    place = Place()
    if prepare:
        prepare(place)
    got, output = place.fuzz(case)
    wrong = [f"not printed: {text}" for text in texts if text not in output]
    wrong += [f"not there: {path}" for path in there if not os.path.exists(f"{place.path}/{path}")]
    wrong += [f"still there: {path}" for path in gone if os.path.exists(f"{place.path}/{path}")]
    wrong += ["a traceback"] if "Traceback" in output else []
    tally.say(f"campaigns: {what}", got == status and not wrong, "\n".join([f"status {got}", *wrong, output]))


def check_signal(tally, number):
    """A signal ends the engine, which does not want to, then what it found is reported."""
    place = Place()
    process = place.start("hanging", "--merge", "--seconds", "50")
    pid = place.engine_pid()
    process.send_signal(number)
    output, _ = process.communicate(timeout=WAIT_SECONDS)
    wanted = ["global-buffer-overflow", "1 finding", "nothing is merged"]
    tally.say(f"campaigns: {signal.Signals(number).name} ends the engine and is reported",
              ended(pid) and process.returncode == 128 + number and all(text in output for text in wanted),
              f"status {process.returncode}\n{output}")


def check_short(tally):
    """The shortest campaign runs the engine as well."""
    status, output = Place().fuzz("slow", "--seconds", "1")
    tally.say("campaigns: a second is enough to run the engine", status == 1 and UNREPRODUCED_WORDS in output,
              f"status {status}\n{output}")


def check_kill(tally):
    """One campaign a target; and kill -9 ends the engine as well."""
    place = Place()
    process = place.start("hanging", "--seconds", "50")
    pid = place.engine_pid()
    status, output = place.fuzz("quiet")
    tally.say("campaigns: a second one of the same target is one line",
              status == 2 and output == f"basalt: a campaign of {FAKED} runs already, pid {process.pid}\n",
              f"status {status}\n{output}")
    process.kill()
    process.communicate()
    tally.say("campaigns: kill -9 ends the engine", ended(pid))


def check_kill_triage(tally):
    """A campaign that is killed while it sorts its findings leaves them to the next one, which tells of them."""
    for what, instead in (("makes a finding", "triage.Finding.save"), ("takes its input", "triage.Finding.take"),
                          ("describes it", "triage.describe")):
        place = Place()
        place.put(FAILING, fake_engine.GLOBAL_OVERFLOW)
        killed, _ = place.python("quiet", f"import os; {instead} = lambda *_: os.kill(os.getpid(), 9)", "fuzz", FAKED,
                                 "--seconds", "1")
        status, output = place.fuzz("quiet")
        listed = place.triage()
        tally.say(f"triage: a campaign that is killed when it {what} loses none", killed == -9 and status == 1
                  and "1 finding\n" in output and os.path.exists(f"{place.path}/{FOUND_FAILING}")
                  and os.listdir(f"{place.path}/{HOME}/{triage.FOLDER}") == [os.path.basename(FOUND)]
                  and "1 certain" in listed[1], f"status {killed}, then {status}\n{output}{listed[1]}")


LEAK = "canary_leak"
SHIPPED_DIFFERS = """
by = fleet.Target.checked_by
fleet.Target.checked_by = lambda self, variant, folder: {name: digest + variant for name, digest in by(self, variant, folder).items()}
"""

# A campaign over two targets: what the engine does, the first target, its committed inputs, what is otherwise, and how
# it must end.
TURNS = {
    "an input that the disk cut short is an error":
        ("full-artefacts", FAKED, (), "", 2, "could not be written whole; the engine said: ==1== ERROR"),
    "what nobody foresaw is an error":
        ("quiet", FAKED, (), "triage.take_in = None", 1, "ERROR: canary_detectors: TypeError"),
    "a committed input that fails is a finding":
        ("quiet", FAKED, (fake_engine.GLOBAL_OVERFLOW,), "", 1, "1 finding: canary_detectors/global-buffer-overflow-write_global;"),
    "an input that does something else in the shipped build is a finding":
        ("quiet", FAKED, (fake_engine.PASSING,), SHIPPED_DIFFERS, 1, "the engine: the shipped objects do something else\n"),
    "inputs that change what others do are a finding":
        ("quiet", LEAK, (b"a", b"b"), "", 1, "the engine: order matters: another input changes what this one does\n"),
}


def check_turns(tally, what, case, target, inputs, instead, wanted, text):
    place = Place()
    os.makedirs(f"{place.path}/corpus/{target}", exist_ok=True)
    for data in inputs:
        place.put(f"corpus/{target}/{campaign.hash_name(data)}", data)
    status, output = place.python(case, f"import fleet; engines.turn_programs = lambda *_: ['build/asan/empty']; {instead}",
                                  "fuzz", target, "empty", "--engine", "libfuzzer", "--jobs", "1", "--seconds", "2")
    left = [path for path in glob.glob(f"{place.path}/findings/{target}/seeds/*") if findings.read(path) in inputs]
    tally.say(f"campaigns: in turns {what}", status == wanted and text in output and "Traceback" not in output and not left,
              f"status {status}, engines would still read {left}\n{output}")


def check_one_second(tally):
    """However long it took to begin: a campaign in which nothing ran must not say that nothing was found."""
    place = Place()
    place.make("corpus/empty")
    place.put("corpus/empty/input", b"input")
    status, output = place.python("quiet", "import fleet; engines.turn_programs = lambda *_: ['build/asan/empty']; "
                                  "import time; opened = fleet.Target.open; "
                                  "fleet.Target.open = lambda self: (time.sleep(2), opened(self))[1]", "fuzz", "empty", FAKED, "--engine", "libfuzzer", "--jobs", "1", "--seconds", "1")
    tally.say("campaigns: one that is over before it begins takes a turn all the same", status == 0 and "1 of 2 targets begun" in output,
              f"status {status}\n{output}")


def check_keys(tally):
    """What tells findings apart, and what does not."""
    def key(name="M6", operation="open_account", predicted="OK", got="DENIED", number=1):
        return findings.verdict(-6, f"step: memd.{operation} predicted {predicted}, got {got}\n"
                                f"property {name} does not hold: a = {number}, b = 2 (memd_life.c:195)\n").key

    def unpredicted(line, number=1):
        return findings.verdict(-6, f"memd.alloc_frames count=1\n  -> OK\n{line}\nproperty M1 does not hold: "
                                f"a = {number} (memd_life.c:7)\n").key

    base = key()
    for what, other in (("property", key(name="M1")), ("operation", key(operation="free_untyped")),
                        ("prediction", key(predicted="BUSY")), ("answer", key(got="BUSY"))):
        tally.say(f"campaigns: another {what} is another finding", other != base, f"{base}\n{other}")
    tally.say("campaigns: numbers do not tell findings apart", key(number=3) == base)
    tally.say("campaigns: where no model predicted, the last line of the trace tells findings apart",
              len({unpredicted(line, number) for line in ("memd.open_account key=5", "@time 7", "@time 9")
                   for number in (1, 2)}) == 2)


def check_excerpt(tally):
    """Of a sanitizer's report the cause and the stack are shown, and the trace; not the legend."""
    trace = [f"memd.step number={index}" for index in range(60)]
    report = ["=" * 65, "==7==ERROR: AddressSanitizer: SEGV", "    #0 0x1 in open_account ./services/memd/memd.c:9:1",
              "    #1 0x2 in LLVMFuzzerTestOneInput ./fuzz/life/memd_life.c:3:1", "    #2 0x3 in main ./main.c:1:1",
              "SUMMARY: AddressSanitizer: SEGV ./services/memd/memd.c:9:1 in open_account", "Shadow byte legend"] + ["  fa"] * 40
    shown = findings.excerpt("\n".join(trace + report)).splitlines()
    wanted = trace[-findings.LINES_SHOWN:] + [report[1], report[5], report[2], report[3]]
    tally.say("campaigns: a sanitizer's report keeps its cause, its stack and the trace", shown[1:] == wanted,
              "\n".join(shown))


def check_shrinking(tally):
    """Of twenty steps two matter, and of their words one."""
    def step(tag, *words):
        return bytes([tag, len(words)]) + b"".join(word.to_bytes(4, "little") for word in words)

    def fails(data):
        tags = [frame[0] for frame in findings.frames(data)]
        return 7 in tags and 9 in tags[tags.index(7):] and (5).to_bytes(4, "little") in data

    life = b"".join(step(index, index, 3) for index in range(7)) + step(7, 5, 8) + \
        b"".join(step(8, 1) for _ in range(11)) + step(9, 1, 2) + b"\x01"
    small = findings.shrink_steps(life, fails)
    tally.say("campaigns: an input is shrunk by step and word", small == step(7, 5, 0) + step(9, 0, 0), small.hex(" "))


def check_merge(tally):
    """An input that fails while a corpus is merged, which is how AFL++ gets its seeds, is an artefact."""
    with tempfile.TemporaryDirectory() as home:
        os.makedirs(f"{home}/seeds")
        os.makedirs(f"{home}/into")
        campaign.store(f"{home}/seeds", fake_engine.GLOBAL_OVERFLOW)
        campaign.store(f"{home}/seeds", fake_engine.PASSING)
        said = engines.merge(FAKED, home, f"{home}/into", f"{home}/seeds")
        tally.say("campaigns: an input that fails in a merge is kept, with its words",
                  list(said) == findings.artefacts(home) == [f"{home}/{os.path.basename(FAILING)}"]
                  and "global-buffer-overflow" in said.get(f"{home}/{os.path.basename(FAILING)}", ""), str(said))


def planted_tree(folder, bugs):
    """A copy of the tree with bugs, in which objects that stay are links to ours."""
    shutil.copytree(".", folder, dirs_exist_ok=True, symlinks=True,
                    ignore=shutil.ignore_patterns("build", "findings", ".git", "corpus"))
    shutil.copytree("build/asan", f"{folder}/build/asan",
                    copy_function=lambda source, target: os.symlink(os.path.abspath(source), target))
    for path in ("build/.ninja_log", "build/.ninja_deps"):
        shutil.copy2(path, f"{folder}/{path}")
    shutil.copytree("build/libfuzzer", f"{folder}/build/libfuzzer")
    for name in bugs:
        subprocess.run(["patch", "-s", "-p1", "-d", folder, "-i", os.path.abspath(f"props/mutants/{name}.patch")], check=True)


def planted_artefacts(folder):
    """A hundred inputs that fail in the copy: those of the corpus that show one of its bugs, with steps of others
    behind them. {path: what each shows}."""
    home, seeds = f"{folder}/findings/{PLANTED_IN}", f"{folder}/seeds"
    os.makedirs(home)
    campaign.seeds(PLANTED_IN, seeds)
    lives = [findings.read(f"{seeds}/{base}") for base in sorted(os.listdir(seeds))]
    program = f"{folder}/build/asan/{PLANTED_IN}"

    def shows(data):
        path = f"{home}/crash-{hashlib.sha1(data).hexdigest()}"
        findings.write(path, data)
        verdict = findings.verdict(*build.run([program, "--trace", path]))
        if verdict is None:
            os.remove(path)
        return path, verdict.key if verdict else None

    bugs = {}
    for data in lives:
        path, key = shows(data)
        if key is not None and key not in bugs:
            bugs[key] = data
        if key is not None:
            os.remove(path)
        if len(bugs) == len(PLANTED):
            break
    return dict(shows(data + lives[number]) for data in bugs.values() for number in range(100 // len(PLANTED)))


SORTS = f"""import json, sys
sys.path.insert(0, "fuzz/tool")
import triage
found = triage.take_in("{PLANTED_IN}", "findings/{PLANTED_IN}", sys.argv[1:], set(), {{}}, shrink=False)
print(json.dumps({{finding.identity: finding.facts for finding in found}}))
"""


def check_planted(tally):
    """A hundred inputs that show five bugs are five findings."""
    with tempfile.TemporaryDirectory() as folder:
        planted_tree(folder, PLANTED)
        build.must_build(f"build/asan/{PLANTED_IN}", folder=folder)
        artefacts = planted_artefacts(folder)
        said = subprocess.run([sys.executable, "-B", "-c", SORTS, *sorted(os.path.relpath(path, folder) for path in artefacts)],
                              cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        found = json.loads(said.splitlines()[-1])
        sorted_into = {name: facts["inputs"] for name, facts in found.items()}
        tally.say("campaigns: a hundred inputs that show five bugs are five findings",
                  len(artefacts) == 100 and len(set(artefacts.values())) == len(found) == len(PLANTED)
                  and sum(sorted_into.values()) == 100 and all(facts["state"] == "certain" for facts in found.values()),
                  f"{len(artefacts)} inputs, {sorted_into}\n{said}", " ".join(sorted_into))


def check_triage(tally):
    """Findings are listed, shown, run again and kept; what nobody can mean is one line."""
    place = Place()
    tally.say("triage: nothing is listed where nothing was found", place.triage() == (
        0, "no findings; ./basalt fuzz looks for some\n"))
    for data in (fake_engine.GLOBAL_OVERFLOW, fake_engine.DIVISION):
        place.put(crash_name(data), data)
    place.fuzz("slow")
    name = f"{FAKED}/global-buffer-overflow-write_global"
    status, output = place.triage()
    tally.say("triage: each finding is listed with its state",
              status == 1 and name in output and "3 findings: 2 certain, 1 unreproduced" in output, output)
    status, output = place.triage("write_global")
    wanted = ["certain: failed in each of 3 runs", "#0", f"keep:   ./basalt triage {name} --keep NAME",
              "now:    SUMMARY: AddressSanitizer: global-buffer-overflow"]
    tally.say("triage: a finding is shown and run again by a part of its name",
              status == 1 and all(text in output for text in wanted), output)
    kept = f"corpus/{FAKED}/regress-far-write"
    status, output = place.triage(name, "--keep", "far-write")
    tally.say("triage: a finding becomes a regression",
              status == 0 and kept in output and findings.read(f"{place.path}/{kept}")[:1] == fake_engine.GLOBAL_OVERFLOW[:1],
              output)
    place.put(f"{HOME}/{triage.FOLDER}/global-buffer-overflow-write_global/input", fake_engine.PASSING)
    status, output = place.triage("write_global")
    tally.say("triage: one that passes is fixed", status == 0 and "now:    passes" in output, output)
    place.put(crash_name(fake_engine.GLOBAL_OVERFLOW), fake_engine.GLOBAL_OVERFLOW)
    status, output = place.fuzz("quiet")
    tally.say("triage: one that was fixed and fails again is open again",
              status == 1 and f"{name}: certain" in output and "1 certain" not in place.triage()[1], output)
    for what, arguments, text in (
            ("a name that is taken", (name, "--keep", "far-write"), f"{kept} is there already"),
            ("a name with other characters", (name, "--keep", "../x"), "'../x' is no name of a regression"),
            ("a finding that is none", ("nothing",), "there is no finding 'nothing'"),
            ("a name of several", (FAKED,), "name one"),
            ("--keep without a finding", ("--keep", "x"), "are for one finding")):
        status, output = place.triage(*arguments)
        tally.say(f"triage: {what} is one line", status == 2 and output.startswith("basalt: ")
                  and output.count("\n") == 1 and text in output, output)
    place.put(f"{FOUND}/finding.json", b"{}")
    status, output = place.triage()
    tally.say("triage: a folder of another version is one line", status == 2 and output.count("\n") == 1
              and "unreadable, or of another version" in output, output)


# What takes the place of libFuzzer's merge, and what `min` must then end with.
MERGES = {
    "a merge leaves what covers nothing more": ("pass", 0, "no edge and no mark lost\n"),
    "marks that a merge forgets are looked for": ("engines.merge = lambda *_: {}", 0, "no edge and no mark lost\n"),
    "a merge that forgets edges changes nothing": (
        "merge = engines.merge; engines.merge = lambda name, home, into, *rest: "
        "merge(name, home, into, *rest) if 'trial' in into else {}", 1, "the corpus stays as it is\n"),
    "marks that nobody looked for change nothing": (
        "import minimise; engines.merge = lambda *_: {}; minimise.Minimiser.add_marks = lambda *_: None", 1,
        "the corpus stays as it is\n"),
}
MIN_INPUTS = 60  # of fewer, which change with their hashes, marks alone may keep all edges


# An engine that gets its signal before it begins: a turn is still replaying what there is.
SIGNAL_EARLY = """
import os, signal, time
fleet.Target.check_new = lambda self: (os.kill(os.getpid(), signal.SIGINT), time.sleep(1))
"""


def check_signal_early(tally):
    began = time.monotonic()
    status, output = Place().python("hanging", f"import fleet; engines.turn_programs = lambda *_: ['build/asan/empty']; {SIGNAL_EARLY}",
                                    "fuzz", FAKED, "empty", "--engine", "libfuzzer", "--jobs", "1")
    tally.say("campaigns: a signal before a turn's engine begins is no turn to wait for", status == 128 + signal.SIGINT
              and "ended by SIGINT" in output and time.monotonic() - began < 30, f"status {status}\n{output}")


def check_afl_left(tally):
    """What AFL++ left in a campaign that took turns and was killed is taken in by one that does not."""
    place = Place()
    left = f"{HOME}/engines/afl_fast/main"
    for part, data in (("crashes", fake_engine.GLOBAL_OVERFLOW), ("hangs", fake_engine.DIVISION), ("queue", fake_engine.PASSING)):
        os.makedirs(f"{place.path}/{left}/{part}")
        place.put(f"{left}/{part}/id:000001,src:000000", data)
    status, output = place.fuzz("quiet")
    tally.say("campaigns: what a campaign in turns left is taken in by another", status == 1 and "2 findings\n" in output
              and os.path.exists(f"{place.path}/{HOME}/corpus/{campaign.hash_name(fake_engine.PASSING)}"), output)


# What an older build, or a hand, may have left of AFL++, and what is said of it.
OLDER = {
    "no queue": (lambda path: os.mknod(f"{path}/fuzzer_setup"), "a queue without inputs"),
    "a file in the place of its folder": (lambda path: (os.rmdir(f"{path}/queue"), os.rmdir(path), os.mknod(path)), "not a folder"),
    "a FIFO in its queue": (lambda path: os.mkfifo(f"{path}/queue/id:000001"), "id:000001 in its queue is not a regular file"),
    "too large an input": (lambda path: os.truncate(os.open(f"{path}/queue/id:000002", os.O_CREAT | os.O_WRONLY), 3 << 20),
                           f"id:000002 in its queue has {3 << 20} bytes"),
}


def check_older(tally, what, spoil, text):
    """What an older build left of AFL++ is named and put aside; what it reached is kept."""
    place = Place()
    main = f"{HOME}/engines/afl/main"
    place.make(f"{main}/queue", f"{HOME}/aside/engines-afl-main")
    if "place of" not in what and what != "no queue":
        place.put(f"{main}/queue/id:000000,src:000000", fake_engine.PASSING)
    spoil(f"{place.path}/{main}")
    status, output = place.fuzz("quiet")
    aside = f"{HOME}/aside/engines-afl-main-1"
    kept = os.path.exists(f"{place.path}/{HOME}/corpus/{campaign.hash_name(fake_engine.PASSING)}")
    tally.say(f"campaigns: {what} of an older build is put aside", status == 0 and f"{main}: {text}" in output
              and output.count("put aside as ") == 1 and os.path.lexists(f"{place.path}/{aside}")
              and not os.path.lexists(f"{place.path}/{main}") and kept == ("queue" in what and what != "no queue" or "large" in what),
              f"status {status}\n{output}")


def check_older_findings(tally):
    """A finding that another version described is put aside, and its inputs are sorted again."""
    place = Place()
    place.put(FAILING, fake_engine.GLOBAL_OVERFLOW)
    place.fuzz("quiet")
    place.put(f"{FOUND}/finding.json", b'{"version": 0}')
    place.put(f"{FOUND}/notes", b"by hand")
    status, output = place.fuzz("quiet")
    old = f"{HOME}/aside/found-{os.path.basename(FOUND)}"
    tally.say("campaigns: a finding of another version is put aside, and found again", status == 1 and
              f"{FOUND}: unreadable, or of another version; put aside as {old}" in output and "1 finding\n" in output
              and os.path.exists(f"{place.path}/{old}/notes") and os.path.exists(f"{place.path}/{FOUND_FAILING}"), output)


def check_busy(tally):
    """While a campaign runs, what would change its findings is one line; what it has found is shown."""
    place = Place()
    place.put(FAILING, fake_engine.GLOBAL_OVERFLOW)
    place.put("bad", fake_engine.DIVISION)
    place.fuzz("quiet")
    facts = place.read(f"{FOUND}/finding.json")
    process = place.start("hanging", "--seconds", "50")
    place.engine_pid()
    before = sorted(os.listdir(f"{place.path}/{HOME}"))
    runs = f"a campaign of {FAKED} runs already, pid {process.pid}"
    for what, arguments in (("--keep", ("triage", "write_global", "--keep", "x")), ("--bisect", ("triage", "write_global", "--bisect")),
                            ("min", ("min", FAKED))):
        status, output = place.python("quiet", "", *arguments)
        tally.say(f"campaigns: {what} while one runs is one line", status == 2 and output == f"basalt: {runs}\n", output)
    status, output = place.python("quiet", "import add; add.CANARIES = 'none'", "add", "--harness", FAKED, "bad")
    tally.say("campaigns: a finding of add while one runs is one line, and waits", status == 2 and output.count("\n") == 1 and
              output.startswith("basalt: bad: not added, it is a finding (") and runs in output, output)
    status, output = place.triage("write_global")
    tally.say("campaigns: a finding is shown while one runs", status == 1 and "certain: failed in each of 3 runs" in output
              and f"now:    not run again, since {runs}\n" in output, output)
    tally.say("campaigns: and none of it changes anything", place.read(f"{FOUND}/finding.json") == facts and
              sorted(os.listdir(f"{place.path}/{HOME}")) == before)
    process.kill()
    process.communicate()


SHIPPED_SAYS = """
import build
run = build.run
build.run = lambda command, *others: (0, "digest 1\\n") if f"build/shipped/{NAME}" in command else run(command, *others)
"""


def check_shipped(tally):
    """An old input that passes under the sanitizers and does something else in the shipped build is no passing one."""
    place = Place()
    place.put(PASSING, fake_engine.PASSING)
    status, output = place.python("quiet", SHIPPED_SAYS.replace("{NAME}", FAKED), "fuzz", FAKED, "--seconds", "1")
    tally.say("campaigns: what the shipped objects alone show is a finding", status == 1 and "1 finding\n" in output
              and "finding canary_detectors/shipped-differs\nthe shipped objects do something else: digest 1, sanitized " in output and "passes now" not in output, output)


def check_min(tally, what, instead, wanted, text):
    """A working corpus becomes smaller and reaches the same, or stays as it is."""
    place = Place()
    home = f"{place.path}/findings/{PLANTED_IN}"
    corpus, seeds = f"{home}/corpus", f"{home}/seeds"
    campaign.seeds(PLANTED_IN, corpus)
    for base in sorted(os.listdir(corpus))[MIN_INPUTS:]:
        os.remove(f"{corpus}/{base}")
    for base in os.listdir(corpus):  # another input that does the same
        findings.write(f"{corpus}/{base}-again", findings.read(f"{corpus}/{base}") + bytes(1))

    def contents():  # libFuzzer gives what it keeps names of its own
        return {findings.read(f"{corpus}/{base}") for base in os.listdir(corpus)}
    before, marks = contents(), minimise.marks_of(PLANTED_IN, corpus)
    said = subprocess.run([sys.executable, "-B", "-c", "import sys; sys.path.insert(0, 'fuzz/tool'); import engines; "
                           f"{instead}; import main; sys.argv = ['basalt', 'min', '{PLANTED_IN}']; sys.exit(main.main())"],
                          cwd=place.path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    after = contents()
    tally.say(f"min: {what}", said.returncode == wanted and said.stdout.endswith(text)
              and marks <= minimise.marks_of(PLANTED_IN, corpus, seeds)
              and (after == before if wanted else after < before),
              f"{len(before)} inputs, then {len(after)}\n{said.stdout}")


def check_min_killed(tally):
    """Killed between its two folders it leaves the large corpus, and the next call goes on with that."""
    place = Place()
    home = f"{place.path}/findings/empty"
    os.makedirs(f"{home}/corpus")
    os.makedirs(f"{place.path}/corpus/empty")
    findings.write(f"{home}/corpus/{campaign.hash_name(b'a')}", b"a")
    killed, _ = place.python("quiet", "import os, build; rename = os.rename; os.rename = lambda source, target: "
                             "os.kill(os.getpid(), 9) if source.endswith('small') else rename(source, target)\n"
                             "engines.libfuzzer_program = lambda name: f'build/libfuzzer/{name}'", "min", "empty")
    left = sorted(os.listdir(home))
    status, output = place.python("quiet", "engines.libfuzzer_program = lambda name: f'build/libfuzzer/{name}'", "min")
    tally.say("min: one that is killed between its folders loses none", killed == -9 and "corpus.large" in left
              and "corpus" not in left and status == 0 and output.startswith("empty: 1 input before")
              and os.listdir(home).count("corpus.large") == 0, f"status {killed}, {left}, then {status}\n{output}")


PAST = ("int LLVMFuzzerTestOneInput", "    PROPERTY(T1, \"planted\", size_bytes == 0);\n")


def check_bisect(tally):
    """Of five commits the third plants a bug and the fourth does not build: the third is named."""
    with tempfile.TemporaryDirectory() as folder:
        planted_tree(folder, ())
        path = f"{folder}/fuzz/canary/empty.c"
        sound = campaign.text_of(path)
        broken = sound.replace("    digest_u64", PAST[1] + "    digest_u64")

        def commit(text, subject):
            findings.write(path, text.encode())
            subprocess.run(["git", "-C", folder, "add", "-A"], check=True)
            subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a", "commit", "-q", "-m", subject],
                           check=True)

        subprocess.run(["git", "-C", folder, "init", "-q"], check=True)
        for text, subject in ((sound, "first"), (sound + "\n", "second"), (broken, "plants it"), (broken + "(", "does not build"),
                              (broken + "\n", "fifth")):
            commit(text, subject)
        build.must_build("build/asan/empty", "build/libfuzzer/empty", folder=folder)
        home = "findings/empty"
        os.makedirs(f"{folder}/{home}")
        findings.write(f"{folder}/{home}/crash-1", b"abc")
        said = subprocess.run([sys.executable, "-B", "-c", "import sys; sys.path.insert(0, 'fuzz/tool'); import triage; "
                               f"triage.take_in('empty', '{home}', ['{home}/crash-1'], set(), {{}}); "
                               "sys.exit(triage.bisect(triage.all_findings()[0]))"], cwd=folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        tally.say("triage: the commit that began a finding is named, across one that does not build",
                  said.returncode == 0 and re.search(r"began with \w+ plants it$", said.stdout, re.MULTILINE)
                  and not os.path.exists(f"{folder}/{home}/bisect"), said.stdout)


def check_words(tally):
    """Each harness has a dictionary of its own that AFL++ reads whole, and a life has its service's operations in it."""
    wrong = []
    for name in build.harnesses():
        texts = engines.words(name)
        words = re.findall(r'^\w+="(.+)"$', texts, re.MULTILINE)
        if not 0 < len(words) <= engines.WORDS_MAX or len(words) != len(re.findall("^[^#]", texts, re.MULTILINE)):
            wrong.append(f"{name}: {len(words)} words")
        table = f"abi/messages/{name.removesuffix('_life')}.def"
        ids = re.findall(r"^OPERATION\(\w+, \w+, \w+, \w+, 0x(\w+)", campaign.text_of(table), re.MULTILINE) if os.path.exists(table) else []
        wrong += [f"{name} has not 0x{number}" for number in ids if
                  "".join(f"\\x{byte:02x}" for byte in int(number, 16).to_bytes(2, "little")) not in words]
        if name.endswith("_life") and not ids:
            wrong.append(f"{name}: {table} has no operations")
    tally.complaints(f"each harness has a dictionary of at most {engines.WORDS_MAX} words, a life that of its service", wrong)


class Ran:
    """A target as history.py sees it."""

    def __init__(self, name, *turns):
        self.name, self.engine, self.running, self.marks, self.found, self.last_new = name, "afl", 0, {"m"}, {}, 90
        self.inputs_before = self.marks_before = self.marks_left_out = 0
        self.figures = history.Figures()
        for turn in turns:
            self.figures.add(*turn)

    @staticmethod
    def corpus():
        return {"a"}

    @staticmethod
    def held_up():
        return ""


def check_history(tally):
    """Lines of the history hold totals and what came since the line before; a rate that fell by half is said."""
    target = Ran("memd_life", ("afl", 60, 6000, 50, 9, 60))
    first = history.row(7, 100, target, 3)
    target.figures.add("afl", 30, 900, 10, 8)
    target.figures.add("libfuzzer", 10, 100, 20, 7)
    second = history.row(7, 160, target, 3)
    wanted = {"executions": 7000, "steps": 80, "minute_executions": 1000, "minute_steps": 30, "minute_seconds": 40,
              "executions_per_second": 25.0, "edges": 7, "afl_edges": 9, "since_new": 70, "marks": 1, "corpus": 3}
    tally.complaints("a line of the history holds totals and what is new", [
        f"{name}: {second[name]}, not {value}" for name, value in wanted.items() if second[name] != value] +
        ([] if first["minute_executions"] == first["executions"] == 6000 else [str(first)]))
    said = history.summary([target])
    target.marks_left_out = 3
    tally.say("marks that had no room in the record are said below the table", [line for line in history.summary(
        [target]).splitlines() if line not in said.splitlines()] == [
            "memd_life: the record of marks was full 3 times: raise MARKS_RECORDED_MAX (props/base/marks.h)"])
    rates = history.earlier([first, {"target": "x", "builds": [1]}, {"target": "memd_life"}], 8)
    slow, same = Ran("memd_life", ("afl", 60, 2900, 0, 9, 60)), Ran("memd_life", ("afl", 600, 3100, 0, 9, 60))
    short, own = Ran("memd_life", ("afl", 200, 100, 0, 9, 20)), history.earlier([first], 7)
    tally.say("a rate that fell by half since an earlier campaign is said", len(list(history.rotten([slow], rates))) == 1
              and not [*history.rotten([same, short], rates), *history.rotten([slow], own)], str(rates))


COUNTS = "import logbook; logbook.LINE_SECONDS = engines.PROGRESS_SECONDS = 0.2"


def check_one_history(tally):
    """A campaign of one engine on one harness writes the same lines, while it runs and at its end, and the report has them."""
    place = Place()
    place.put(FAILING, fake_engine.GLOBAL_OVERFLOW)
    place.put(f"corpus/{FAKED}/seed", b"seed")
    status, output = place.python("counting", COUNTS, "fuzz", FAKED, "--seconds", "2")
    path = f"{place.path}/{history.PATH}"
    rows = [json.loads(line) for line in campaign.text_of(path).splitlines()] if os.path.exists(path) else []
    wanted = {"target": FAKED, "engine": "libfuzzer", "running": 0, "executions": 1234, "steps": 55, "edges": 7, "corpus": 1,
              "findings": 1}
    last = rows[-1] if rows else {}
    wrong = [f"{name}: {last.get(name)}, not {value}" for name, value in wanted.items() if last.get(name) != value]
    wrong += [] if rows and 0 <= last["since_new"] <= WAIT_SECONDS else [f"since_new: {last}"]
    wrong += [] if len(rows) > 2 and rows[0]["running"] and rows[0]["executions"] <= 2 else [f"{len(rows)} lines"]
    wrong += [] if sum(row["minute_executions"] for row in rows) == 1234 else ["minutes that are not the sum"]
    skipped = []
    series = report_data.History(report_data.read_history(path, skipped)).single.get(FAKED)
    wrong += [] if series and not skipped else [f"the report has no such target: {skipped}"]
    campaign.seeds(PLANTED_IN, f"{place.path}/corpus/{PLANTED_IN}")
    marks = len(minimise.marks_of(PLANTED_IN, f"{place.path}/corpus/{PLANTED_IN}"))
    place.python("counting", "", "fuzz", PLANTED_IN, "--seconds", "1")
    last = json.loads(campaign.text_of(path).splitlines()[-1])
    wrong += [] if last["target"] == PLANTED_IN and last["marks"] >= marks > 0 else [f"marks: {last}, not {marks}"]
    tally.say("campaigns: one engine on one harness has a history, too", status == 1 and not wrong, "\n".join([*wrong, output]))


HELD = """
import fleet
fleet.TURN_SECONDS, engines.FAILING_INPUTS_MAX = 8, 4
begin = fleet.Turn.__init__

def told(self, *rest):
    begin(self, *rest)
    print("turn", self.target.name, self.seconds, flush=True)
    if {mended} and self.fleet.turn_count == 7:
        open("mended", "w").close()
fleet.Turn.__init__ = told
engines.turn_programs = lambda *_: ["build/asan/empty"]
"""


def check_held_up(tally, mended):
    """A target whose engine meets a known finding again and again gets less time, and the table says why; while the finding
    is new it does not, and once it is mended it does no more."""
    place = Place()
    place.make("corpus/empty")
    place.put("corpus/empty/input", b"input")
    instead = f"{FAKE}\n" + places.TURNS.format(turns=14 if mended else 8) + HELD.format(mended=mended)
    status, output = place.run(instead, "fuzz", FAKED, "empty", "--engine", "libfuzzer", "--jobs", "1", env={"FAKE_ENGINE": "held"})
    told = [(name, int(seconds)) for name, seconds in re.findall(r"^turn (\S+) (\d+)$", output, re.MULTILINE)]
    faked = [seconds for name, seconds in told if name == FAKED]
    free = {seconds for name, seconds in told if name == "empty"}
    words = f"held up by {FAKED}/global-buffer-overflow-write_global"
    said = re.search(rf"^{FAKED} .*  {words}$", output, re.MULTILINE) and f"; {FAKED} is {words}" in output
    if mended:
        tally.say("campaigns: what holds nobody up any more costs nobody time", status == 1 and faked[:2] == [8, 8]
                  and 2 in faked and faked[-1] == 8 and free == {8} and not said, f"status {status}, {told}\n{output}")
        return
    tally.say("campaigns: a target that a known finding holds up gets less time, and the table says so", status == 1
              and faked[:2] == [8, 8] and set(faked[2:]) == {2} and len(faked) < len(told) / 2 and free == {8} and said
              and not re.search(r"^empty .*held up", output, re.MULTILINE), f"status {status}, {told}\n{output}")


def check_left_over(tally):
    """A program that outlived its AFL++, stopped as that leaves it, is ended by the path of its steps; others are not."""
    with tempfile.TemporaryDirectory() as folder:
        env = {engines.STEPS: engines.steps_file(folder, "main")}
        left = subprocess.Popen(["sleep", "60"], env={**os.environ, **env})
        other = subprocess.Popen(["sleep", "60"], env={**os.environ, engines.STEPS: f"{folder}/.steps-main2"})
        left.send_signal(signal.SIGSTOP)
        engines.end_left_over(env)
        status = left.wait(WAIT_SECONDS)
        lives = other.poll() is None
        other.kill()
        other.wait()
        tally.say("campaigns: a program that outlived its AFL++ is ended, and no other", status == -signal.SIGKILL and lives)


def campaigns(tally):
    """No failure that an engine saw is lost, whatever happens to engine, disk and campaign."""
    build.must_build(*[f"build/{variant}/{name}" for variant in ("asan", "libfuzzer", "shipped")
                       for name in (FAKED, PLANTED_IN, LEAK, "empty")],
                     "build/fast/abi_tables")
    check_keys(tally)
    check_excerpt(tally)
    check_shrinking(tally)
    check_merge(tally)
    check_history(tally)
    check_left_over(tally)
    check_planted(tally)
    check_bisect(tally)
    with concurrent.futures.ThreadPoolExecutor(4 * int(build.jobs())) as pool:  # most of it is waiting
        jobs = [pool.submit(check_case, tally, what, *case) for what, case in CASES.items()]
        jobs += [pool.submit(check_min, tally, what, *case) for what, case in MERGES.items()]
        jobs += [pool.submit(check_signal, tally, number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
        jobs += [pool.submit(check, tally) for check in (check_kill, check_kill_triage, check_signal_early, check_shipped, check_afl_left, check_min_killed, check_short, check_triage,
                                                   check_older_findings, check_busy)]
        jobs += [pool.submit(check_older, tally, what, *case) for what, case in OLDER.items()]
        jobs += [pool.submit(check_turns, tally, what, *case) for what, case in TURNS.items()]
        jobs += [pool.submit(check, tally) for check in (check_one_second, check_one_history)]
        jobs += [pool.submit(check_held_up, tally, mended) for mended in (False, True)]
        for job in jobs:
            job.result()


FLEET_SECONDS = 8


class RealPlace(places.Place):
    """A place in which ./basalt runs the real engines."""

    def fuzz(self, *arguments):
        return self.process("", "fuzz", *arguments)

    def kept(self, name):
        """What a target's folder holds, by content: no input that an engine kept may be missing later."""
        folders = ("corpus", "engines/afl/main/queue", "engines/afl_fast/main/queue", "aside/engines-afl-main/queue")
        return {findings.read(path) for folder in folders for path in glob.glob(f"{self.path}/findings/{name}/{folder}/*")
                if os.path.isfile(path) and "orig:" not in path and "sync:" not in path}


def run_fleet(tally, jobs=1):
    """A campaign over two targets with both engines; one that a signal ends, and one that is killed and goes on. On one
    core it runs the sanitized builds; on two, which is asked for by name, the fast ones as well."""
    fast = ("libfuzzer_fast", "afl_fast", "afl_cmplog") if jobs > 1 else ()
    build.must_build(*[f"build/{variant}/{name}" for variant in ("asan", "shipped", "libfuzzer", "afl", *fast)
                       for name in FLEET])
    place = RealPlace(*FLEET)
    output, _ = (process := place.fuzz(*FLEET, "--jobs", str(jobs), "--seconds", str(FLEET_SECONDS))).communicate()
    last = re.findall(r"^(\S+) +(\d+) [\d -]* (\d+) +[+]\d+ +(\d+) +\d+ +[+]\d+ +\d+(?:  held up by canary/T1-canary)?$",
                      output, re.MULTILINE)
    tally.say("a campaign over two targets finds the canary and nothing else", process.returncode == 1
              and "\n1 finding: canary/T1-canary; ./basalt triage shows them\n" in output
              and {row[0] for row in last} == set(FLEET) and all(int(number) for row in last for number in row[1:]), output)
    rows = [json.loads(line) for line in campaign.text_of(f"{place.path}/{history.PATH}").splitlines()]
    final = {row["target"]: row for row in rows}
    tally.complaints("and writes its history down", [str(row) for name, row in final.items() if not (
        row["executions"] == sum(figures["executions"] for figures in row["builds"].values())
        == sum(each["minute_executions"] for each in rows if each["target"] == name) > 0
        and row["corpus"] and (row["edges"] or row["afl_edges"]) and row["executions_per_second"]
        and row["findings"] == (name == "canary") and 0 <= row["since_new"] <= FLEET_SECONDS + 30)]
        + [name for name in FLEET if name not in final])
    process = place.fuzz(FLEET[0], "--engine", "both", "--jobs", str(jobs))
    time.sleep(FLEET_SECONDS)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=WAIT_SECONDS)
    tally.say("a campaign without an end is ended by a signal", process.returncode == 128 + signal.SIGINT
              and "ended by SIGINT" in output and "0 findings" in output, f"status {process.returncode}\n{output}")
    process = place.fuzz(FLEET[0], "--engine", "both", "--jobs", str(jobs))
    time.sleep(FLEET_SECONDS)
    running = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    process.kill()
    process.communicate()
    gone = all([ended(int(pid)) for pid in running])
    kept = place.kept(FLEET[0])
    turns = places.TURNS.format(turns=2 * jobs) + "fleet.Fleet.turn_seconds = lambda self: 2"
    call = ("fuzz", FLEET[0], "--engine", "both", "--jobs", str(jobs))
    stats = f"findings/{FLEET[0]}/engines/afl/main/fuzzer_stats"
    if not os.path.exists(f"{place.path}/{stats}"):
        place.run(turns, *call)
    place.put(stats, b"x\n")
    status, output = place.run(turns, *call)
    lost = kept - place.kept(FLEET[0])
    aside = "engines/afl/main: codec_envelope afl ended with status 1 and left no input: "
    tally.say("a folder that AFL++ refuses is put aside, and it begins anew", aside in output and
              re.search(r"^codec_envelope +\d+ +[1-9]\d* +[1-9]\d* ", output, re.MULTILINE), output)
    tally.say("one that is killed leaves no engine, and the next one has all that was kept",
              running and gone and kept and not lost and status == 0,
              f"engines {running} gone: {gone}; kept {len(kept)}, lost {len(lost)}\n{output}")


def run_engines(tally):
    """One codec and one life under both engines, and both engines on the canary."""
    with tempfile.TemporaryDirectory() as folder:
        def prepare(name, engine):
            home = f"{folder}/{name}-{engine}"
            os.makedirs(f"{home}/corpus")
            campaign.seeds(name, f"{home}/seeds")
            return home

        def headlines(name, home):
            found = [findings.verdict_of(name, path) for path in findings.artefacts(home)]
            return [verdict.headline for verdict in found if verdict]

        def run_both(name):
            """[(engine, whether it worked, what it said, executions)]"""
            if name not in build.harnesses():
                return [("engines on", False, "there is no such harness", 0)]
            home = prepare(name, "libfuzzer")
            status, output = campaign.run_libfuzzer(name, ENGINE_SECONDS, home)
            ran = re.search(r"number_of_executed_units: (\d+)", output)
            ran = int(ran[1]) if ran else 0
            results = [("libFuzzer", status == 0 and ran > 100, build.shorten(output, 30), ran)]
            home = prepare(name, "afl")
            status, output = campaign.run_afl(name, ENGINE_SECONDS, home)
            ran = engines.afl_executions(home)
            found = headlines(name, home)  # what hung on a busy machine alone has none
            counts = engines.afl_steps(f"{home}/afl") > ran or not engines.has_steps(name)
            return [*results, ("AFL++", status == 0 and ran > 100 and not found and counts,
                               build.shorten(output, 30) + " ".join(found), ran)]

        with concurrent.futures.ThreadPoolExecutor(len(ENGINE_HARNESSES)) as pool:
            for name, results in zip(ENGINE_HARNESSES, pool.map(run_both, ENGINE_HARNESSES)):
                for engine, worked, output, ran in results:
                    tally.say(f"{engine} {name}", worked, output, f"{ran} inputs")
        home = prepare("canary_seedless", "libfuzzer")
        status, output = campaign.run_libfuzzer("canary", 30, home)
        tally.say("libFuzzer finds the canary", "property T1-canary does not hold" in output,
                  build.shorten(output, 10))
        home = prepare("canary_seedless", "afl")
        _, output = campaign.run_afl("canary", 120, home, {"AFL_BENCH_UNTIL_CRASH": "1"})
        tally.say("AFL++ finds the canary", any("T1-canary" in headline for headline in headlines("canary", home)),
                  build.shorten(output, 10))
