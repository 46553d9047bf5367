# SPDX-License-Identifier: ISC
"""Campaigns: one harness under an engine for some time. Everything that is found stays under
findings/TARGET: corpus/ (what reached something new), crash-*, timeout-*, oom-*, leak-* (inputs that
failed and are not sorted yet), differs-* (that do something else in another build or order), found/ (findings, one
folder each: triage.py), passing/ (inputs of earlier campaigns that fail no more), afl/ and engines/ (AFL++'s own)."""

import glob
import hashlib
import os
import random
import re
import shutil
import signal
import threading

import build
import engines
import findings
import logbook
import older
import triage
from findings import counted, read

NOT_INPUTS = ("DIGESTS", "FLOORS", "README.md")
SEED_LIMIT = 1 << 31


class Interrupted(Exception):
    """A signal asks the campaign to end: what it found is reported first."""


def with_corpus():
    """The harnesses whose corpus is committed; the canaries' inputs must fail and are apart."""
    return [name for name in build.harnesses()
            if os.path.isdir(f"corpus/{name}") and not name.startswith("canary")]


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def inputs_of(name):
    return sorted(path for path in glob.glob(f"corpus/{name}/*")
                  if os.path.basename(path) not in NOT_INPUTS)


def regular(path):
    """Ends the command when a path of a folder's listing is not a file that can be read to its end."""
    why = unreadable(path)
    if why:
        raise build.Stop(f"{path}: {why}", 2)


def unreadable(path):
    """Why a path of a folder's listing is not a file that can be read to its end; None: it is one."""
    if not os.path.exists(path):
        return "a link to nothing"
    if not os.path.isfile(path):
        return "not a regular file"
    try:
        with open(path, "rb"):
            return None
    except OSError as error:
        return error.strerror


def no_input(path, committed=True):
    """Why a file among inputs is none; None: it is one. An engine would wait for it, cut it or take it for an input.
    Those of engines have names of their own."""
    name = os.path.basename(path)
    why = unreadable(path)
    if why:
        return why
    if committed and (name.startswith("README") or "." in name):
        return "not an input: those are called *.trace or have no dot in their name"
    size = os.path.getsize(path)
    if size == 0 and not committed and not truncated(path):
        return "empty"
    return f"{size} bytes; an input has at most {engines.INPUT_BYTES_MAX}" if size > engines.INPUT_BYTES_MAX else None


def hash_name(data):
    return hashlib.sha1(data).hexdigest()[:16]


def store(folder, data):
    """Writes bytes under their hash."""
    path = os.path.join(folder, hash_name(data))
    if not os.path.exists(path):
        findings.write(path, data)
    return path


def seeds(name, folder):
    """Fills a folder with the committed inputs, traces assembled; at least one file. What is no input is named and
    passed over: replay and test, which judge what is committed, refuse it."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for path in inputs_of(name):
        is_trace = path.endswith(".trace")
        why = unreadable(path) if is_trace else no_input(path)
        if why is None and is_trace:
            why = assemble(name, path, folder)
        elif why is None:
            store(folder, read(path))
        if why:
            print(f"{path}: {why}; passed over", flush=True)
    if not os.listdir(folder):
        store(folder, b"\0" * 16)


def assemble(name, path, folder):
    """Stores the input that a text says. None, or why it says none."""
    assembled = f"{folder}/.assembled"
    status, output = build.run([f"build/asan/{name}", "--assemble", path, assembled])
    if status != 0:
        return output.strip().removeprefix(f"{path}: ") or f"ended with status {status}"
    store(folder, read(assembled))
    os.remove(assembled)
    return None


def dictionary(name, home):
    """Writes the words for a harness into a folder; the path of the file."""
    build.must_build("build/fast/abi_tables")
    path = f"{home}/dictionary"
    findings.write(path, engines.words(name).encode())  # whole: another turn may be reading it
    return path


def run_libfuzzer(name, seconds, home, program=None):
    """One libFuzzer process, for checks and figures. Returns its status and output."""
    return build.run(engines.libfuzzer_command(name, seconds, home, dictionary(name, home), 0, program), seconds + 120)


def run_afl(name, seconds, home, more=None):
    """One afl-fuzz process from the seeds, for checks. Its queue joins the corpus."""
    shutil.rmtree(f"{home}/afl-seeds", ignore_errors=True)
    shutil.copytree(f"{home}/seeds", f"{home}/afl-seeds")
    command, env = engines.afl_command(name, seconds, home, dictionary(name, home), 1)
    try:
        return build.run(command, seconds + 120, {**env, **(more or {})})
    finally:
        harvest_afl(home)


def move(path, folder, prefix=""):
    """Gives a file the name of its hash in another folder; takes no room on a full disk."""
    target = os.path.join(folder, prefix + hash_name(read(path)))
    os.rename(path, target)
    return target


def harvest_afl(home):
    """AFL++'s queue moves to the corpus, its crashes and hangs to the artefacts. Returns AFL++'s words for
    those, and how many empty files went: AFL++ has no empty inputs, a full disk makes them."""
    said, empty = {}, 0
    for kind, folder, prefix in (("queue", f"{home}/corpus", ""), ("crashes", home, "crash-"), ("hangs", home, "timeout-")):
        for path in glob.glob(f"{home}/afl/*/{kind}/id:*"):
            if os.path.getsize(path) == 0:
                empty += 1
                os.remove(path)
                continue
            moved = move(path, folder, prefix)
            if prefix:
                said[moved] = f"AFL++: {kind}, {os.path.basename(path)}"
    return said, empty


def truncated(path):
    """Whether a file of libFuzzer, whose name is the hash of what it should hold, holds something else."""
    wanted = re.fullmatch(r"(?:\w+-)?([0-9a-f]{40})", os.path.basename(path))
    return wanted is not None and hashlib.sha1(read(path)).hexdigest() != wanted[1]


class Home:
    """findings/NAME, which one campaign at a time holds locked."""

    def __init__(self, name):
        self.name = name
        self.home = f"findings/{name}"
        self.said = {}  # artefact: the engine's words
        self.cut = 0  # inputs that a full disk cut short
        self.running = 0  # turns of a campaign over several (fleet.py)

    def lock(self):
        """One campaign a target: two would share folders and each spoil the other's."""
        os.makedirs(f"{self.home}/corpus", exist_ok=True)
        self.lock_file = findings.lock(self.name)

    def remove_truncated(self):
        """Corpus files that a full disk cut short go; artefacts that it cut short stay and are named."""
        for path in glob.glob(f"{self.home}/corpus/*"):
            if os.path.isfile(path) and truncated(path):
                os.remove(path)
                self.cut += 1

    def leave_out(self, path):
        """An input that failed is read no more by an engine that starts again. False: it would."""
        if not os.path.exists(path) or truncated(path):
            return False
        data = read(path)
        for other in glob.glob(f"{self.home}/corpus/*") + glob.glob(f"{self.home}/seeds/*"):
            try:
                if os.path.getsize(other) == len(data) and read(other) == data:
                    os.remove(other)
            except FileNotFoundError: # another worker was here first
                pass
        return True

    def open(self):
        """Locks it, and takes in what a campaign that was killed left. Returns the artefacts that nobody has seen
        fail since."""
        self.lock()
        if os.path.isdir(f"{self.home}/corpus.large"):  # ./basalt min was killed
            for base in os.listdir(f"{self.home}/corpus.large"):  # takes no room on a full disk
                os.replace(f"{self.home}/corpus.large/{base}", f"{self.home}/corpus/{base}")
            os.rmdir(f"{self.home}/corpus.large")
        older.check_findings(self.home)
        self.put_foreign_aside()
        old = set(findings.artefacts(self.home))
        self.harvest()
        older.check_engines(self.home)
        self.remove_truncated()
        self.cut = 0 # that was another campaign's disk
        seeds(self.name, f"{self.home}/seeds")
        return old

    def put_foreign_aside(self):
        """What somebody else put among the inputs, and no engine could read."""
        for path in sorted(glob.glob(f"{self.home}/corpus/*")) + findings.artefacts(self.home):
            why = no_input(path, committed=False)
            if why:
                older.put_aside(self.home, path, why, "since no engine could read it")

    def afl_home(self, kind):
        return f"{self.home}/engines/{kind}"

    def harvest(self):
        """What AFL++ left, of whichever kind of campaign: what it found by itself joins the corpus, of turns as a link
        that takes no room; what failed becomes an artefact."""
        said, empty = harvest_afl(self.home)
        self.said.update(said)
        self.cut += empty
        for instance in older.instances(self.home):
            for part, folder, prefix in (("queue", f"{self.home}/corpus", ""), ("crashes", self.home, "crash-"),
                                         ("hangs", self.home, "timeout-")):
                self.take_from(f"{instance}/{part}", folder, prefix)

    def take_from(self, source, folder, prefix):
        for entry in os.scandir(source) if os.path.isdir(source) else ():
            if not entry.name.startswith("id:") or "sync:" in entry.name or "orig:" in entry.name:
                continue
            if not entry.is_file(follow_symlinks=False) or entry.stat().st_size > engines.INPUT_BYTES_MAX:
                continue  # older.py names it
            try:
                data = read(entry.path)
            except FileNotFoundError:  # AFL++ of another turn writes it anew
                continue
            if not data:
                if self.running <= 1:  # else it may be on the way
                    os.remove(entry.path)
                    self.cut += 1
                continue
            path = f"{folder}/{prefix}{hash_name(data)}"
            if not os.path.exists(path):
                os.link(entry.path, path)
            if prefix:
                os.remove(entry.path)
                self.said[path] = f"AFL++: {os.path.basename(source)}, {entry.name}"


class Campaign(Home):
    """One engine on one harness for some time."""

    def __init__(self, name, options):
        super().__init__(name)
        self.options = options
        self.seed = options.seed if options.seed is not None else random.randrange(1, SEED_LIMIT)
        self.errors = []
        self.interrupted = 0
        self.output = threading.Lock()
        self.workers = []
        self.book = logbook.Logbook(self, options.engine)

    def say(self, line):
        with self.output:
            print(line, flush=True)

    def libfuzzer_workers(self):
        words = dictionary(self.name, self.home)

        def command(number):
            return lambda seconds, count: (engines.libfuzzer_command(
                self.name, seconds, self.home, words, self.seed + 1000 * number + count), {})
        return [engines.Worker(self.label("libFuzzer", number), command(number), self.options.seconds, self.say,
                               self.leave_out) for number in range(self.options.jobs)]

    def afl_workers(self):
        """AFL++ starts anew from the smallest set that covers what everyone found: its own queue of
        earlier runs and libFuzzer's corpus are in corpus/, committed inputs in seeds/."""
        for folder in ("afl", "afl-seeds"):
            shutil.rmtree(f"{self.home}/{folder}", ignore_errors=True)
        os.makedirs(f"{self.home}/afl-seeds")
        self.said.update(engines.merge(self.name, self.home, f"{self.home}/afl-seeds", f"{self.home}/seeds",
                                       f"{self.home}/corpus"))
        for path in self.said:
            self.leave_out(path)
        if not os.listdir(f"{self.home}/afl-seeds"):
            store(f"{self.home}/afl-seeds", b"\0" * 16)
        self.say(f"AFL++ starts from {counted(len(os.listdir(f'{self.home}/afl-seeds')), 'input')}")
        words = dictionary(self.name, self.home)

        def command(number):
            return lambda seconds, count: engines.afl_command(
                self.name, seconds, self.home, words, self.seed + number, number + (self.options.jobs > 1))
        return [engines.Worker(self.label("AFL++", number), command(number), self.options.seconds, self.say,
                               self.leave_out) for number in range(self.options.jobs)]

    def label(self, engine, number):
        return engine if self.options.jobs == 1 else f"{engine} {number + 1}"

    def progress(self):
        """A line of the history each minute; AFL++ prints nothing by itself."""
        self.book.minute(self.workers)
        if self.options.engine == "afl":
            self.say(f"AFL++: {engines.afl_progress(self.home)}")

    def engine(self):
        """Runs the engine until its time is over or a signal comes."""
        def on_signal(number, _frame):
            for other in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(other, signal.SIG_DFL)  # a second one ends the report, too
            self.interrupted = number
            raise Interrupted

        before = [(number, signal.signal(number, on_signal)) for number in
                  (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
        try:
            self.workers = self.afl_workers() if self.options.engine == "afl" else self.libfuzzer_workers()
            engines.run_all(self.workers, self.progress)
            for number, handler in before:
                signal.signal(number, handler)
        except Interrupted:
            pass
        self.book.told(self.workers)
        for worker in self.workers:
            self.said.update(worker.said)
            self.errors += worker.errors
        if self.options.engine == "afl":
            self.harvest()
            executions = engines.afl_executions(self.home)
            self.say(f"AFL++: {executions} executions, {engines.afl_steps(f'{self.home}/afl')} steps")
            if not executions and not self.errors and not self.interrupted:
                self.errors.append("AFL++ executed nothing")

    def merge(self):
        """Adds to corpus/TARGET what covers more than the committed inputs do, and nothing else. Returns
        how many findings that no engine had seen before came of it."""
        target, extra = f"corpus/{self.name}", f"{self.home}/merged"
        seeds(self.name, f"{self.home}/seeds")
        shutil.rmtree(extra, ignore_errors=True)
        shutil.copytree(f"{self.home}/seeds", extra)
        known = set(findings.artefacts(self.home))
        said = engines.merge(self.name, self.home, extra, f"{self.home}/corpus")
        committed = set(os.listdir(f"{self.home}/seeds"))
        new = [read(f"{extra}/{base}") for base in sorted(set(os.listdir(extra)) - committed)]
        os.makedirs(target, exist_ok=True)
        for data in new:
            store(target, data)
        print(f"{self.name}: {counted(len(new), 'input')} added to {target}" +
              (f"; next: ./basalt bless {self.name}" if new else ": nothing covers more"))
        return len(triage.take_in(self.name, self.home, sorted(set(said) - known), set(), said))

    def run(self):
        old = self.open()
        before = len(os.listdir(f"{self.home}/corpus"))
        self.book.begin()
        print(f"{self.name}: seed {self.seed}, {before} inputs of earlier campaigns", flush=True)
        self.engine()
        self.remove_truncated()
        old -= set(self.said)
        print(f"{self.home}/corpus: {before} inputs before, {len(os.listdir(f'{self.home}/corpus'))} now")
        paths = findings.artefacts(self.home)
        lost = [path for path in paths if truncated(path)]
        taken = triage.take_in(self.name, self.home, [path for path in paths if path not in lost], old, self.said,
                               not self.interrupted)
        self.book.end(taken)
        found = len(taken)
        if self.options.merge and (self.interrupted or self.cut):
            print(f"{self.name}: nothing is merged, because the campaign did not end by itself")
        elif self.options.merge:
            found += self.merge()
        return self.end(found, lost)

    def end(self, found, lost):
        """The last lines and the exit status."""
        for error in self.errors:
            print(f"\nERROR: {error}")
        print(f"{self.name}: {counted(found, 'finding')}" +
              (f", {counted(len(self.errors), 'error')} of the engine" if self.errors else "") +
              (f", ended by {signal.Signals(self.interrupted).name}" if self.interrupted else ""))
        for path in lost:
            os.remove(path) # what it showed cannot be seen again
        if lost:
            raise build.Stop(f"{lost[0]}: {counted(len(lost), 'failing input')} could not be written whole: the disk "
                             f"is full; the engine said: {self.said.get(lost[0], 'nothing')}", 2)
        if any("No space left" in error for error in self.errors):
            raise build.Stop(f"{self.home}: the disk is full", 2)
        if self.cut:
            raise build.Stop(f"{self.home}: {counted(self.cut, 'input')} could not be written whole and went: "
                             "the disk is full", 2)
        return 128 + self.interrupted if self.interrupted else 1 if found or self.errors else 0


def words(error, place):
    """What the system refused, on one line; of a folder that was copied the first such."""
    if isinstance(error, shutil.Error):
        _, path, why = error.args[0][0]
        return f"{path}: {re.sub(r'^.Errno [0-9]+. |: .*', '', why)}"
    return f"{error.filename or place}: {error.strerror}"


def fuzz(name, options):
    """One engine on one harness."""
    options.engine, options.seconds, options.jobs = options.engine or "libfuzzer", options.seconds or 60, options.jobs or 1
    if options.engine == "afl":
        engines.need_afl()
    build.must_build(f"build/asan/{name}", f"build/{options.engine}/{name}", f"build/libfuzzer/{name}", f"build/shipped/{name}",
                     *(["build/afl/mutator.so"] if options.engine == "afl" else []))
    try:
        return Campaign(name, options).run()
    except OSError as error:
        raise build.Stop(words(error, f"findings/{name}"), 2) from None
