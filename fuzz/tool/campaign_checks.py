# SPDX-License-Identifier: ISC
"""Checks of campaigns: with a scripted engine in libFuzzer's place for every way in which a failure
could be lost, and with the real engines on canaries and two harnesses."""

import concurrent.futures
import glob
import hashlib
import os
import re
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

ENGINE_SECONDS = 6
ENGINE_HARNESSES = ("codec_messages", "memd_life")  # one codec, one life
FAKED = "canary_detectors"
HOME = f"findings/{FAKED}"
WAIT_SECONDS = 60


class Place:
    """A folder that looks like the tree, with findings and, if wanted, inputs of its own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = self.folder.name
        for name in set(os.listdir(".")) - {"findings", ".git", "corpus"}:
            os.symlink(os.path.abspath(name), f"{self.path}/{name}")
        os.makedirs(f"{self.path}/{HOME}")
        os.makedirs(f"{self.path}/corpus/{FAKED}")

    def put(self, path, data):
        with open(f"{self.path}/{path}", "wb") as file:
            file.write(data)

    def start(self, case, *arguments):
        """./basalt fuzz with the scripted engine, as a process."""
        return subprocess.Popen(
            [sys.executable, "-B", "fuzz/tool/campaign_checks.py", "fuzz", FAKED, "--seed", "1000", "--seconds", "3",
             *arguments], cwd=self.path, env={**os.environ, "FAKE_ENGINE": case, "PYTHONUNBUFFERED": "1"}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, case, *arguments):
        process = self.start(case, *arguments)
        try:
            output, _ = process.communicate(timeout=WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            output = process.communicate()[0] + f"no end after {WAIT_SECONDS} s"
        return process.returncode, output

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


def with_old(data):
    def prepare(place):
        place.put(crash_name(data), data)
    return prepare


# What the engine does, what lies there before, and how the campaign must end: status, texts that it
# prints, files that are there afterwards, files that are not.
CASES = {
    "a status without an input is an error": ("silent", None, 1, ["left no input"], [], []),
    "a killed engine, with an old input that passes, is an error":
        ("killed", with_old(fake_engine.PASSING), 1, ["ended with status -9", f"passes now: {PASSING}"],
         [PASSING.replace("crash-", "passing/crash-")], [PASSING]),
    "an input that passes alone is unreproduced and counts":
        ("slow", None, 1, [f"UNREPRODUCED: ==1== ERROR: libFuzzer: timeout after 26 seconds: {PASSING}", "1 finding"],
         [PASSING], []),
    "an old input that the engine sees fail is not called passing":
        ("slow", with_old(fake_engine.PASSING), 1, ["UNREPRODUCED", "1 finding"], [PASSING], []),
    "an empty input means a full disk": ("full-artefact", None, 2, ["the disk is full", "deadly signal"], [], []),
    "an empty corpus file means a full disk and goes":
        ("full-corpus", None, 2, ["the disk is full"], [], [f"{HOME}/corpus/{'0' * 40}"]),
    "an input that could not be written is an error": ("unwritable", None, 1, ["could not be written"], [], []),
    "an old input that passes is moved aside":
        ("quiet", with_old(fake_engine.PASSING), 0, [f"passes now: {PASSING}", "0 findings"],
         [PASSING.replace("crash-", "passing/crash-")], [PASSING]),
    "an old input that fails is a finding":
        ("quiet", with_old(fake_engine.GLOBAL_OVERFLOW), 1, ["1 finding\n", "global-buffer-overflow"], [FAILING], []),
    "two bugs are two findings, and a campaign goes on after the first":
        ("two", None, 1, ["2 findings", "global-buffer-overflow", "division by zero", "#0", "write_global", "keep:"],
         [], []),
    "two showings of one bug are one finding": ("same", None, 1, ["1 finding\n", "inputs)"], [], []),
    "an engine that someone else ended is an error":
        ("aborted", None, 1, ["ended by someone else", "0 findings, 1 error of the engine"], [], []),
    "nothing found is no finding": ("quiet", None, 0, ["0 findings", "seed 1000"], [], []),
}

# What is wrong in a corpus or with findings/, and what the one line says.
WRONG_PLACES = {
    "a folder in a corpus": (lambda path: os.mkdir(f"{path}/corpus/{FAKED}/folder"), "folder: not a regular file"),
    "a FIFO in a corpus": (lambda path: os.mkfifo(f"{path}/corpus/{FAKED}/fifo"), "fifo: not a regular file"),
    "a link to nothing in a corpus":
        (lambda path: os.symlink("/nonexistent", f"{path}/corpus/{FAKED}/link"), "link: a link to nothing"),
    "notes in a corpus": (lambda path: os.mknod(f"{path}/corpus/{FAKED}/README.txt"), "README.txt: not an input"),
    "too large an input":
        (lambda path: os.truncate(os.open(f"{path}/corpus/{FAKED}/big", os.O_CREAT | os.O_WRONLY), 3 << 20),
         f"big: {3 << 20} bytes; an input has at most {engines.INPUT_BYTES_MAX}"),
    "a FIFO in findings": (lambda path: (os.mkdir(f"{path}/{HOME}/corpus"), os.mkfifo(f"{path}/{HOME}/corpus/fifo")),
                           "fifo: not a regular file"),
    "a FIFO among the failing inputs": (lambda path: os.mkfifo(f"{path}/{HOME}/crash-fifo"), "crash-fifo: not a regular file"),
    "a link to nothing among the failing inputs":
        (lambda path: os.symlink("/nonexistent", f"{path}/{HOME}/crash-link"), "crash-link: a link to nothing"),
    "findings that cannot be written": (lambda path: os.mknod(f"{path}/{HOME}/corpus"), "corpus: "),
}


def check_case(tally, what, case, prepare, status, texts, there, gone):
    place = Place()
    if prepare:
        prepare(place)
    got, output = place.run(case)
    wrong = [f"not printed: {text}" for text in texts if text not in output]
    wrong += [f"not there: {path}" for path in there if not os.path.exists(f"{place.path}/{path}")]
    wrong += [f"still there: {path}" for path in gone if os.path.exists(f"{place.path}/{path}")]
    wrong += ["a traceback"] if "Traceback" in output else []
    tally.say(f"campaigns: {what}", got == status and not wrong, "\n".join([f"status {got}", *wrong, output]))


def check_wrong_place(tally, what, spoil, text):
    place = Place()
    spoil(place.path)
    status, output = place.run("quiet")
    lines = output.strip().splitlines()
    tally.say(f"campaigns: {what} is one line", status == 2 and len(lines) == 1 and text in output,
              f"status {status}\n{output}")


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
    status, output = Place().run("slow", "--seconds", "1")
    tally.say("campaigns: a second is enough to run the engine", status == 1 and "UNREPRODUCED" in output,
              f"status {status}\n{output}")


def check_kill(tally):
    """One campaign a target; and kill -9 ends the engine as well."""
    place = Place()
    process = place.start("hanging", "--seconds", "50")
    pid = place.engine_pid()
    status, output = place.run("quiet")
    tally.say("campaigns: a second one of the same target is one line",
              status == 2 and output == f"basalt: a campaign of {FAKED} runs already, pid {process.pid}\n",
              f"status {status}\n{output}")
    process.kill()
    process.communicate()
    tally.say("campaigns: kill -9 ends the engine", ended(pid))


def check_keys(tally):
    """What tells findings apart, and what does not."""
    report = "step: memd.{} predicted {}, got {}\nproperty M6 does not hold: a = {}, b = {} (memd_life.c:195)\n"

    def key(*words):
        return findings.verdict(-6, report.format(*words)).key

    base = key("open_account", "OK", "DENIED", 1, 2)
    for what, other in (("operation", key("free_untyped", "OK", "DENIED", 1, 2)),
                        ("prediction", key("open_account", "BUSY", "DENIED", 1, 2)),
                        ("answer", key("open_account", "OK", "BUSY", 1, 2)),
                        ("status in the property's line", key("open_account", "OK", "DENIED", 1, 3))):
        tally.say(f"campaigns: another {what} is another finding", other != base, f"{base}\n{other}")
    tally.say("campaigns: large numbers do not tell findings apart",
              key("x", "OK", "OK", 70000, 4096) == key("x", "OK", "OK", 80000, 8192))


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


def campaigns(tally):
    """No failure that an engine saw is lost, whatever happens to engine, disk and campaign."""
    build.must_build(f"build/asan/{FAKED}", f"build/libfuzzer/{FAKED}", "build/fast/abi_tables")
    check_keys(tally)
    check_excerpt(tally)
    check_shrinking(tally)
    check_merge(tally)
    with concurrent.futures.ThreadPoolExecutor(4 * int(build.jobs())) as pool:  # most of it is waiting
        jobs = [pool.submit(check_case, tally, what, *case) for what, case in CASES.items()]
        jobs += [pool.submit(check_wrong_place, tally, what, *case) for what, case in WRONG_PLACES.items()]
        jobs += [pool.submit(check_signal, tally, number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
        jobs += [pool.submit(check, tally) for check in (check_kill, check_short)]
        for job in jobs:
            job.result()


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
            return [*results, ("AFL++", status == 0 and ran > 100 and not found,
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
        _, output = campaign.run_afl("canary", 30, home, {"AFL_BENCH_UNTIL_CRASH": "1"})
        tally.say("AFL++ finds the canary", any("T1-canary" in headline for headline in headlines("canary", home)),
                  build.shorten(output, 10))


if __name__ == "__main__":  # a process of the checks above: ./basalt with the scripted engine
    import main
    engines.libfuzzer_program = lambda name: "fuzz/tool/fake_engine.py"
    sys.exit(main.main())
