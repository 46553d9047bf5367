# SPDX-License-Identifier: ISC
"""Runs libFuzzer and AFL++: their commands, the limits they hold, and processes that end when this
one does, however it ends. Judges nothing: what an engine said and left is handed on."""

import collections
import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import build
import source_checks

LIMITS = {name: int(number) for name, number in
          re.findall(r"(INPUT_\w+_MAX) = (\d+)", source_checks.read("props/base/input_limits.h"))}
INPUT_BYTES_MAX = LIMITS["INPUT_BYTES_MAX"]
INPUT_SECONDS_MAX = LIMITS["INPUT_SECONDS_MAX"]
AFL_SETTINGS = {
    "AFL_NO_AFFINITY": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_UI": "1", "AFL_NO_CRASH_README": "1", "AFL_NO_COLOR": "1",
    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_FORKSRV_INIT_TMOUT": "30000",
}
STEPS, STEPS_BYTES = "BASALT_STEPS", 8
FAILING_INPUTS_MAX = 100  # of one worker; then it is time to mend, not to collect
GRACE_SECONDS = 3  # between the request to end and the end
PROGRESS_SECONDS = 10
SHOWN = re.compile(r"#\d+\s+(INITED|pulse|DONE)")
TELLING = re.compile(r"property \S+ does not hold.*|harness does not hold.*|.*(ERROR|SUMMARY): .*|.*PROGRAM ABORT.*")
ABORTED = "Testing aborted by user"  # AFL++, of a signal; its status is 0
WRITTEN = re.compile(r".*Test unit written to (\S+)")


def libfuzzer_program(name):
    return f"build/libfuzzer/{name}"


def afl_program():
    return "afl-fuzz"


def need_afl():
    """Ends the command where AFL++ cannot be run at all, before anything is built for it."""
    if shutil.which(afl_program()) is None:
        raise build.Stop(f"{afl_program()} is nowhere in PATH", 2)


def has_steps(name, folder="build/asan"):
    """Whether a harness reads steps: then its object says so by a name that the mutators ask for."""
    return "harness_has_steps" in source_checks.symbols(f"{folder}/{name}")[0]


def reads_text(name, folder="build/asan"):
    """Whether an input of a harness may be the text of messages. Lives link the parser for their traces."""
    return not has_steps(name, folder) and "trace_parse" in source_checks.symbols(f"{folder}/{name}")[0]


# What words a harness gets besides those of the services that it links: parts of abi_tables. A life hears of events,
# too.
PARTS = {
    "codec_archive": ("archive",), "codec_boot_config": ("boot_config", "roles"), "codec_boot_image": ("boot_image",),
    "codec_elf_plan": ("elf", "addresses"), "codec_envelope": ("envelope", "intakes", "rights"),
    "codec_handoff": ("handoff", "addresses"), "codec_messages": ("rights", "badges"), "console_talk": ("commands", "event"),
    "kernel_core": ("rights", "addresses", "badges"), "kernel_machine": ("addresses",),
    "rootd_intake": ("handoff", "boot_config", "roles", "rights"), "service_adversary": ("operations", "event", "rights", "badges"),
    "startup_adversary": ("startup", "envelope", "intakes", "rights", "event"),
}
LIFE_PARTS = ("event", "badges")
WORDS_MAX = 256  # with more AFL++ takes turns
WITHOUT_SERVICES = ("service_adversary",)  # they link so many that all words of each were too many


def parts(name):
    """The parts of abi_tables whose words a harness gets, from what fuzz/harnesses.ninja has it link."""
    link = re.search(rf"^build \$o/{name}: harness ((?:.*\$\n)*.*)", source_checks.read("fuzz/harnesses.ninja"), re.MULTILINE)
    linked = re.findall(r"\$u/(\w+)\.a", link[1]) if link else []
    there = {os.path.basename(path)[:-len(".def")] for path in glob.glob("abi/messages/*.def")}
    services = [each for each in linked if each in there and name not in WITHOUT_SERVICES]
    return list(dict.fromkeys([*services, *PARTS.get(name, LIFE_PARTS if services else ("badges",))]))


def words(name, folder="build/asan", tables="build/fast/abi_tables"):
    """The words that no engine guesses, from the tables themselves: of the services and formats that a harness is
    about. Where its input may be text, names of operations instead of their ids, which are made to fit."""
    texts = []
    for letter, arguments in (("b", ["dictionary", *parts(name)]), ("t", ["text-dictionary", "names"])):
        if letter == "t" and not reads_text(name, folder):
            continue
        status, text = build.run([tables, *arguments])
        if status != 0:
            raise build.Stop(text.strip())
        texts.append(re.sub("^w", letter, text, flags=re.MULTILINE))
    return "".join(texts)


def limits():
    """The one limit of each kind, as libFuzzer takes them."""
    return [f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_SECONDS_MAX}",
            f"-rss_limit_mb={LIMITS['INPUT_MEGABYTES_MAX']}"]


def growth(name, folder="build/asan"):
    """Where inputs have no steps, libFuzzer grows them slowly, as it does by itself without a mutator."""
    return [] if has_steps(name, folder) else ["-len_control=100"]


def libfuzzer_command(name, seconds, home, dictionary, seed, program=None):
    """-entropic=0: to weigh inputs by how rare their features are takes time, and with thousands of marks nearly all are
    rare (figures: fuzz/FUZZBENCH-ENTROPIC.md)."""
    return build.bound([program or libfuzzer_program(name), f"-max_total_time={seconds}", "-entropic=0", *limits(), *growth(name),
                  f"-seed={seed}", "-print_final_stats=1", f"-artifact_prefix={home}/", f"-dict={dictionary}",
                  f"{home}/corpus", f"{home}/seeds"])


def afl_command(name, seconds, home, dictionary, seed, number=0):
    """(command, environment) of one instance; those with a number share what they reach."""
    role = ["-S", f"worker-{number}"] if number else []
    mutator = {"AFL_CUSTOM_MUTATOR_LIBRARY": os.path.abspath("build/afl/mutator.so")} if has_steps(name) else {}
    return (build.bound([afl_program(), *role, "-V", str(seconds), "-G", str(INPUT_BYTES_MAX), "-t",
                   str(INPUT_SECONDS_MAX * 1000), "-s", str(seed), "-i", f"{home}/afl-seeds", "-o", f"{home}/afl",
                   "-x", dictionary, "--", f"build/afl/{name}", "-"], "TERM"),
            {**AFL_SETTINGS, **mutator, STEPS: steps_file(f"{home}/afl", number)})


def turn_program(kind, name):
    """The program of a kind of turn (fleet.py): a build by its folder."""
    return libfuzzer_program(name) if kind == "libfuzzer" else f"build/{kind}/{name}"


def turn_programs(kind, name):
    """All that a turn runs."""
    mutator = ["build/afl/mutator.so"] if kind.startswith("afl") else []
    return [turn_program(kind, name), *mutator, *([f"build/afl_cmplog/{name}"] if kind == "afl_fast" else [])]


def afl_turn_command(name, kind, seconds, home, afl_home, dictionary, seed, instance="main"):
    """(command, environment) of AFL++ for one turn: it goes on where its last one ended, and reads first what
    others found meanwhile, which lies in afl_home/others."""
    resumes = os.path.exists(f"{afl_home}/{instance}/fuzzer_setup")
    role = "-M" if instance == "main" else "-S"
    mutator = {"AFL_CUSTOM_MUTATOR_LIBRARY": os.path.abspath("build/afl/mutator.so")} if has_steps(name) else {}
    compares = ["-c", f"build/afl_cmplog/{name}"] if kind == "afl_fast" else []
    return (build.bound([afl_program(), role, instance, *compares, "-V", str(seconds), "-G", str(INPUT_BYTES_MAX), "-t",
                         str(INPUT_SECONDS_MAX * 1000), "-s", str(seed), "-i", "-" if resumes else f"{home}/seeds",
                         "-o", afl_home, "-x", dictionary, "--", turn_program(kind, name), "-"], "TERM"),
            {**AFL_SETTINGS, **mutator, "AFL_IMPORT_FIRST": "1", "AFL_CMPLOG_ONLY_NEW": "1", "AFL_FAST_CAL": "1",
             "AFL_NO_STARTUP_CALIBRATION": "1", STEPS: steps_file(afl_home, instance)})


def steps_file(afl_home, instance):
    """Where the programs of an AFL++ instance add up the steps that they take (fuzz/engine/afl_glue.c)."""
    path = os.path.abspath(f"{afl_home}/.steps-{instance}")
    os.makedirs(afl_home, exist_ok=True)
    if not os.path.exists(path) or os.path.getsize(path) != STEPS_BYTES:
        with open(path, "wb") as file:
            file.write(bytes(STEPS_BYTES))
    return path


def end_left_over(env):
    """Programs that AFL++ started and that outlived it: one that it had stopped holds the lock of its folder, and the
    next AFL++ would refuse that. They are known by the path of their steps, which no other campaign has."""
    if STEPS not in env:
        return
    wanted = f"{STEPS}={env[STEPS]}".encode()
    for path in glob.glob("/proc/[0-9]*/environ"):
        with contextlib.suppress(OSError):
            with open(path, "rb") as file:
                ours = wanted in file.read().split(b"\0")
            if ours:
                os.kill(int(path.split("/")[2]), signal.SIGKILL)


class Worker(threading.Thread):
    """One engine process after another until the time is over. What it said of each artefact and
    what went wrong is there when it has ended."""

    def __init__(self, label, make_command, seconds, say, again):
        super().__init__(daemon=True)
        self.label = label
        self.make_command = make_command  # (seconds left, how many before) -> command, environment
        self.until = time.monotonic() + seconds
        self.say = say
        self.again = again  # (path of an artefact) -> whether to go on after it
        self.said = {}  # artefact: the engine's words
        self.errors = []
        self.executions = self.process_executions = self.steps = self.edges = 0  # as libFuzzer counts them
        self.failed = 0  # processes that ended with an input that fails
        self.cpu_seconds = 0  # of libFuzzer's processes; AFL++ does not wait for its programs
        self.process = None
        self.stopping = False
        self.lines = collections.deque(maxlen=40)

    def run(self):
        try:
            self.repeat()
        except Exception as error: # a thread's exception reaches nobody
            self.errors.append(f"{self.label}: {error}")

    def repeat(self):
        count = 0
        while not self.stopping and (count == 0 or self.until - time.monotonic() >= 1):
            seconds = max(1, round(self.until - time.monotonic()))
            status, written = self.once(*self.make_command(seconds, count))
            count += 1
            if status == 0 and not self.stopping and any(ABORTED in line for line in self.lines):
                self.errors.append(f"{self.label} was ended by someone else before its time: {ABORTED}")
            if status == 0 or self.stopping:
                return
            self.failed += bool(written)
            if not written:
                self.errors.append(f"{self.label} ended with status {status} and left no input: {self.words()}")
                return
            self.errors += [f"{path} could not be written: {self.said[path]}" for path in written
                            if not os.path.exists(path)]
            if count == FAILING_INPUTS_MAX or not all([self.again(path) for path in written]):
                self.say(f"{self.label} stops: mend what the failing inputs show first")
                return

    def words(self):
        """The last thing an engine said that tells what happened."""
        telling = [line for line in self.lines if TELLING.match(line)]
        return ((telling or list(self.lines) or ["nothing"])[-1]).strip()

    def once(self, command, env):
        """One process to its end. Returns its status and the artefacts that it wrote."""
        written, told = [], None
        self.lines.clear()
        self.process_executions = 0
        end_left_over(env)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        start_new_session=True, env={**os.environ, **env})
        for line in self.process.stdout:
            line = line.rstrip()
            self.lines.append(line)
            if told is None and TELLING.match(line):
                told = line.strip()
                self.say(f"{self.label}: {told}")
            found = WRITTEN.match(line)
            if found:
                written.append(found[1])
                self.said[found[1]] = told or self.words()
                told = None
            if SHOWN.match(line):
                self.say(f"{self.label}: {line}")
            self.count(line)
        _, status, usage = os.wait4(self.process.pid, 0)
        status = self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds += usage.ru_utime + usage.ru_stime
        end_left_over(env)
        self.executions += self.process_executions
        self.process_executions = 0
        return status, written

    def count(self, line):
        """Keeps libFuzzer's figures: of a process that a failure ended only those of its last line are known."""
        progress = re.match(r"#(\d+)\s.* cov: (\d+) ", line)
        if progress:
            self.process_executions = int(progress[1])
            self.edges = max(self.edges, int(progress[2]))
        total = re.match(r"stat::(number_of_executed_units|steps): (\d+)", line)
        if total and total[1] == "steps":
            self.steps += int(total[2])
        elif total:
            self.process_executions = int(total[2])

    def end(self):
        """Asks the process to end, then makes it."""
        self.stopping = True
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process is not None:
                try:
                    os.killpg(self.process.pid, number)
                except ProcessLookupError:
                    pass
            self.join(GRACE_SECONDS)
            if not self.is_alive():
                return


def run_all(workers, tick=lambda: None):
    """Runs workers to their end, or ends them when this is interrupted."""
    for worker in workers:
        worker.start()
    shown = time.monotonic()
    try:
        while any(worker.is_alive() for worker in workers):
            time.sleep(0.1)
            if time.monotonic() - shown >= PROGRESS_SECONDS:
                shown = time.monotonic()
                tick()
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.end()


def afl_progress(home):
    """How far AFL++ is: what lies in its folders, and the executions of its last minute's statistics."""
    inputs, crashes, hangs = (len(glob.glob(f"{home}/afl/*/{kind}/id:*"))
                              for kind in ("queue", "crashes", "hangs"))
    executions = afl_executions(home)
    return f"{inputs} inputs, failing: {crashes + hangs}" + (f", {executions} executions" if executions else "")


def afl_statistics(afl_home, name, instance="*"):
    """The numbers of that name in the statistics of an AFL++ folder, as it writes them at its end and now and then."""
    texts = [source_checks.read(path) for path in glob.glob(f"{afl_home}/{instance}/fuzzer_stats")]
    return [int(number) for text in texts for number in re.findall(rf"^{name} *: (\d+)$", text, re.MULTILINE)]


def afl_executions(home, folder="afl"):
    """Executions that AFL++ counted, 0 when it never came so far."""
    return sum(afl_statistics(f"{home}/{folder}", "execs_done"))


def afl_steps(afl_home):
    """Steps that the programs of all instances took."""
    return sum(int.from_bytes(bytes_of(path), "little") for path in glob.glob(f"{afl_home}/.steps-*"))


def afl_figures(afl_home, instance):
    """(executions, steps, edges) of one instance ever since its folder was made. Marks count among AFL++'s edges."""
    steps = bytes_of(f"{afl_home}/.steps-{instance}")
    return (sum(afl_statistics(afl_home, "execs_done", instance)), int.from_bytes(steps, "little"),
            sum(afl_statistics(afl_home, "edges_found", instance)))


def bytes_of(path):
    """The bytes of a file, none when it is not there."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def merge(name, home, into, *folders):
    """libFuzzer's merge: adds to `into` the inputs of the folders that cover more. Edges and marks
    count, how often does not: a few dozen inputs instead of thousands. An input that fails is left out;
    returns the artefacts of those, with libFuzzer's words."""
    status, output = build.run(build.bound([libfuzzer_program(name), "-merge=1", "-use_counters=0", *limits(),
                                      f"-artifact_prefix={home}/", into, *folders]), 3600)
    if status != 0:
        raise build.Stop(build.shorten(output, 20) + "\nthe merge failed; nothing was added")
    said, told = {}, None
    for line in output.splitlines():
        told = told or (line.strip() if TELLING.match(line) else None)
        found = WRITTEN.match(line)
        if found:
            said[found[1]], told = told or "libFuzzer's merge left it out", None
    return said


def minimise_crash(name, path, target, seconds):
    """libFuzzer's shrinker, for inputs without steps."""
    build.run(build.bound([libfuzzer_program(name), "-minimize_crash=1", f"-max_total_time={seconds}", *limits(),
                     f"-exact_artifact_path={target}", path]), seconds + 2 * INPUT_SECONDS_MAX,
              {"ASAN_OPTIONS": "dedup_token_length=3"})
