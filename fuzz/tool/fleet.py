# SPDX-License-Identifier: ISC
"""A campaign over many harnesses on all cores: each core takes turns, each turn is one engine on one harness for
a minute. Time goes to what still grows. The first core runs sanitized builds, the others the fast ones; what any
engine keeps is replayed under the sanitizers, through the shipped objects and in reverse before the next turn.
Both engines of a harness share findings/TARGET/corpus; findings/history.jsonl has a line for each minute."""

import contextlib
import os
import random
import re
import shutil
import signal
import sys
import threading
import time

import build
import campaign
import engines
import findings
import history
import older
import sync
import triage
from findings import counted, read

TURN_SECONDS = 60
TURN_SECONDS_MIN = 2
LINE_SECONDS = 60  # between two lines where nobody watches, and of the history
REDRAW_SECONDS = 2
FAIR_TURN = 3  # every third turn goes to whoever waited longest
BATCH = 500  # inputs of one replay
MARK_WORTH = 5  # inputs
HELD_STARTS, HELD_SECONDS = 3, 10  # of an engine that is held up: it began so often, and ran no longer each time
HELD_SHARE = 4  # so much of a turn is left to it
NO_SPACE = "No space left"
MEASURE = "empty"  # the harness that only measures engines: named, or left out

# The builds that take turns on one core, by the core's place.
SANITIZED, FAST = ("libfuzzer", "afl"), ("libfuzzer_fast", "afl_fast")
ENGINES = {"both": lambda kinds: kinds, "libfuzzer": lambda kinds: kinds[:1], "afl": lambda kinds: kinds[1:]}


def link(source, target):
    """Whether there was something to link: libFuzzer of another turn removes what it has a smaller input for."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    return True


# --- one harness ---------------------------------------------------------------------------------

class Target(campaign.Home):
    """What is known of one harness's folder, and what its turns brought."""

    def __init__(self, name):
        super().__init__(name)
        self.busy = threading.Lock()  # of what is changed after a turn
        self.turns = {SANITIZED: 0, FAST: 0}
        self.last_turn = 0
        self.rate = None  # what a second of the last turns brought; None: no turn yet
        self.figures = history.Figures()
        self.inputs_before = self.marks_before = 0  # of earlier campaigns
        self.marks = set()
        self.marks_left_out = 0  # how often one was reached that had no room in the record
        self.checked = set()  # names of corpus/ that were replayed
        self.seeds_checked = False
        self.ran = False  # since the last lines of the history
        self.held = {}  # build: the finding that held its last turn up
        self.failed = False  # an error of its engines: it gets no turn more
        self.last_new = None
        self.found = {}  # identity: finding
        self.engine = ""
        self.old = set()

    def corpus(self):
        return {base for base in os.listdir(f"{self.home}/corpus") if not base.startswith(".")}

    def remove_truncated(self):
        """Not while another turn's engine writes."""
        if self.running <= 1:
            super().remove_truncated()

    def lose_truncated(self):
        """At the end: failing inputs that a full disk cut short go, and the engines' words for them are errors."""
        for path in filter(campaign.truncated, findings.artefacts(self.home)):
            os.remove(path)  # what it showed cannot be seen again
            self.cut += 1
            yield f"{path} could not be written whole; the engine said: {self.said.get(path, 'nothing')}"

    def give_to_afl(self, kind):
        """The corpus as AFL++ reads it of another instance while it runs."""
        if not os.listdir(f"{self.home}/seeds"):
            campaign.store(f"{self.home}/seeds", b"\0" * 16)
        queue = f"{self.afl_home(kind)}/others/queue"
        os.makedirs(queue, exist_ok=True)
        there = {name.partition(",")[2] for name in os.listdir(queue)}
        number = len(there)
        for folder in ("seeds", "corpus"):
            for base in sorted(os.listdir(f"{self.home}/{folder}")):
                if base not in there and not base.startswith("."):
                    number += link(f"{self.home}/{folder}/{base}", f"{queue}/id:{number:06},{base}")

    def take_shared(self, shared):
        """What other campaigns reached joins the corpus once it is replayed; what fails is an artefact."""
        shared.exchange(shared.take, self)
        folder = f"{self.home}/shared"
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []  # of a campaign that was killed, too
        if names:
            self.check("shared", names)
        for base in names:
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{folder}/{base}", f"{self.home}/corpus/{base}")
        self.checked |= set(names)
        shared.known_of(self).add(names)

    # --- what engines kept, replayed ---

    def check_new(self):
        """Replays what nobody has replayed yet: under the sanitizers, through the shipped objects, in both orders. At
        first the committed inputs, too: AFL++ passes over those that fail."""
        if not self.seeds_checked:
            self.seeds_checked = True
            self.check("seeds", sorted(os.listdir(f"{self.home}/seeds")))
        new = sorted(self.corpus() - self.checked)
        for at in range(0, len(new), BATCH):
            self.check("corpus", new[at:at + BATCH])
        self.checked |= set(new)

    def check(self, source, names):
        folder = f"{self.home}/checking"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for base in names:
            link(f"{self.home}/{source}/{base}", f"{folder}/{base}")
        said = {variant: self.checked_by(variant, folder) for variant in ("asan", "shipped")}
        for base, digest in said["asan"].items():
            if said["shipped"].get(base, digest) != digest and os.path.exists(f"{folder}/{base}"):  # else it is apart already
                self.set_apart(f"{folder}/{base}", "differs-", "the shipped objects do something else")
        shutil.rmtree(folder)

    def checked_by(self, variant, folder):
        """{input: digest} of a folder; what fails leaves it, and the corpus, on the way."""
        for _ in range(engines.FAILING_INPUTS_MAX):
            if not os.listdir(folder):
                return {}
            status, output = build.run(build.bound([f"build/{variant}/{self.name}", "--check", folder]), 3600)
            self.marks |= set(re.findall(r"^mark (.*)$", output, re.MULTILINE))
            self.marks_left_out += sum(map(int, re.findall(r"^left_out (\d+)$", output, re.MULTILINE)))
            apart = re.findall(r"^(\S+): order matters", output, re.MULTILINE)
            for path in apart:
                self.set_apart(path, "differs-", "order matters: another input changes what this one does")
            if status == 0 or apart:
                return {name: digest for digest, name in re.findall(r"^digest (\w+) (\S+)$", output, re.MULTILINE)}
            failing = re.search(r"^failing input: (\S+) ", output, re.MULTILINE)
            if failing is None:
                raise build.Stop(f"build/{variant}/{self.name} --check {folder}: {build.shorten(output, 10)}")
            telling = [line.strip() for line in output.splitlines() if engines.TELLING.match(line)]
            self.set_apart(failing[1], "crash-", f"{variant}: {(telling or ['failed'])[0]}")
        return {}

    def set_apart(self, path, prefix, words):
        """An input that failed becomes an artefact."""
        target = f"{self.home}/{prefix}{campaign.hash_name(read(path))}"
        os.replace(path, target)
        for source in ("corpus", "seeds", "shared"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(f"{self.home}/{source}/{os.path.basename(path)}")
        self.said[target] = words

    def sort(self, shrink):
        """Artefacts become findings. Returns those that have one input more."""
        paths = [path for path in findings.artefacts(self.home) if not campaign.truncated(path)]
        touched = triage.take_in(self.name, self.home, paths, self.old, self.said, shrink)
        self.found.update((finding.identity, finding) for finding in touched)
        self.old = set()
        return touched

    def held_up(self):
        """What holds it up, in words; nothing does: no words."""
        names = sorted(set(self.held.values()))
        return f"held up by {' and '.join(names)}" if names else ""


# --- one turn ------------------------------------------------------------------------------------

class Turn(threading.Thread):
    """One engine on one target, from the build of its program to what it brought."""

    def __init__(self, fleet, target, kind, instance, seconds):
        super().__init__(daemon=True)
        self.fleet, self.target, self.kind, self.seconds = fleet, target, kind, seconds
        self.instance = instance  # of AFL++
        self.worker = None
        self.stopping = False
        self.errors = []

    def run(self):
        try:
            self.play()
        except Exception as error:  # a thread's exception reaches nobody
            if not self.stopping or not isinstance(error, build.Stop):
                self.errors.append(f"{self.target.name}: {error if isinstance(error, (build.Stop, OSError)) else repr(error)}")

    def command(self, words):
        name, home, seed = self.target.name, self.target.home, self.fleet.random.randrange(1, campaign.SEED_LIMIT)
        if self.kind.startswith("libfuzzer"):
            return lambda seconds, count: (engines.libfuzzer_command(
                name, seconds, home, words, seed + count, engines.turn_program(self.kind, name)), {})
        return lambda seconds, count: engines.afl_turn_command(name, self.kind, seconds, home, self.target.afl_home(self.kind),
                                                               words, seed + count, self.instance)

    def play(self):
        target = self.target
        build.must_build(*engines.turn_programs(self.kind, target.name))
        if self.stopping:
            return
        words = campaign.dictionary(target.name, target.home)
        with target.busy:
            if not target.seeds_checked:
                target.check_new()
            before = len(target.corpus()), len(target.marks)
            if self.fleet.shared is not None:
                target.take_shared(self.fleet.shared)
            if self.kind.startswith("afl"):
                target.give_to_afl(self.kind)
            self.afl_before = engines.afl_figures(target.afl_home(self.kind), self.instance)
            inputs, marks, started = len(target.corpus()), len(target.marks), time.monotonic()
            if target.rate is None:
                target.inputs_before, target.marks_before = before
        self.work(words)
        if self.worker.errors and not self.stopping and self.kind.startswith("afl") and self.begins_anew():
            self.work(words)
        self.errors += self.worker.errors
        with target.busy:
            target.said.update(self.worker.said)
            self.settle(inputs, marks, time.monotonic() - started)

    def work(self, words):
        self.worker = engines.Worker(f"{self.target.name} {self.kind}", self.command(words), self.seconds, self.fleet.note,
                                     self.target.leave_out)
        self.worker.stopping = self.stopping  # since end() was called when there was none
        self.worker.start()
        self.worker.join()

    def begins_anew(self):
        """Whether AFL++ refused its folder, of an older build or another version of itself, and gets an empty one."""
        path = f"{self.target.afl_home(self.kind)}/{self.instance}"
        with self.target.busy:
            if any(self.figures()[:2]) or not os.path.lexists(path):
                return False
            self.target.harvest()
            older.put_aside(self.target.home, path, self.worker.errors[0], "AFL++ begins anew from the corpus")
            self.afl_before = 0, self.afl_before[1], 0
            return True

    def figures(self):
        """(executions, steps, edges) of this turn."""
        if not self.kind.startswith("afl"):
            return self.worker.executions, self.worker.steps, self.worker.edges
        now = engines.afl_figures(self.target.afl_home(self.kind), self.instance)
        return max(0, now[0] - self.afl_before[0]), max(0, now[1] - self.afl_before[1]), now[2]

    def settle(self, inputs, marks, seconds):
        target = self.target
        target.figures.add(self.kind, seconds, *self.figures(), 0 if self.kind.startswith("afl") else self.worker.cpu_seconds)
        target.harvest()
        target.remove_truncated()
        if not self.stopping:
            target.check_new()
        known = {finding.identity for finding in triage.of_target(target.home)}
        touched = target.sort(not self.stopping)
        if not self.stopping:
            starts = 1 if target.held.pop(self.kind, None) else HELD_STARTS  # a shorter turn has no time for as many
            if self.was_held(touched, known, seconds, starts):
                target.held[self.kind] = max(touched, key=lambda finding: finding.facts["inputs"]).identity
        if self.fleet.shared is not None:
            self.fleet.shared.exchange(self.fleet.shared.give, target)
        gained = len(target.corpus()) - inputs + MARK_WORTH * (len(target.marks) - marks)
        if gained > 0:
            target.last_new = time.time()
        rate = max(0, gained) / max(1, seconds)
        target.rate = rate if target.rate is None else (target.rate + rate) / 2

    def was_held(self, touched, known, seconds, starts):
        """Whether the engine began again every few seconds since it met nothing but what is known and not mended."""
        failed = self.worker.failed
        return failed >= starts and seconds <= HELD_SECONDS * failed and touched and all(
            finding.identity in known for finding in touched)

    def end(self):
        self.stopping = True
        if self.worker is not None:
            self.worker.end()


# --- all of them ---------------------------------------------------------------------------------

class Fleet:
    """The targets, the cores and the clock."""

    def __init__(self, names, options):
        self.options = options
        self.jobs = options.jobs or int(build.jobs())
        self.seed = options.seed if options.seed is not None else random.randrange(1, campaign.SEED_LIMIT)
        self.random = random.Random(self.seed)
        self.targets = [Target(name) for name in names]
        self.shared = sync.Shared(options.sync, options.name) if options.sync else None
        self.began = round(time.time())
        self.started = time.monotonic()
        self.until = self.started + options.seconds if options.seconds else None
        self.turns = [None] * self.jobs
        self.turn_count = 0
        self.errors = []
        self.interrupted = 0
        self.notes = []
        self.live = sys.stdout.isatty()

    def note(self, line):
        """What an engine says of a failure; its progress is in the table."""
        if engines.TELLING.match(line.partition(": ")[2]):
            print(line, flush=True)

    def left(self):
        return float("inf") if self.until is None else self.until - time.monotonic()

    def turn_seconds(self):
        """A minute, or less in a campaign so short that some would get no turn."""
        if self.until is None:
            return TURN_SECONDS
        each = (self.until - self.started) * self.jobs / (2 * len(self.targets))
        return max(1, round(min(self.left(), max(TURN_SECONDS_MIN, min(TURN_SECONDS, each)))))

    def seconds_for(self, target, kind):
        """A part of a turn for an engine that a known finding holds up, as long as others can use the rest."""
        seconds = self.turn_seconds()
        others = any(other is not target and not other.failed and not other.held for other in self.targets)
        return max(1, seconds // HELD_SHARE) if kind in target.held and others else seconds

    def next_target(self):
        """Whoever grew most per second of its last turns, unless a known finding holds it up; every third time, and at first,
        whoever waited longest."""
        able = [target for target in self.targets if not target.failed]
        idle = [target for target in able if not target.running] or able
        waiting = min(idle, key=lambda target: (target.running, target.last_turn))
        if waiting.rate is None or self.turn_count % FAIR_TURN == 0:
            return waiting
        free = [target for target in idle if not target.held] or idle
        return max(free, key=lambda target: (target.rate or 0, -target.last_turn))

    def begin_turn(self, place):
        target = self.next_target()
        kinds = SANITIZED if place == 0 else FAST
        allowed = ENGINES[self.options.engine or "both"](kinds)
        kind = allowed[target.turns[kinds] % len(allowed)]
        self.turn_count += 1
        target.turns[kinds] += 1
        target.last_turn = self.turn_count
        target.running += 1
        target.engine = kind
        beside = [turn for turn in self.turns if turn is not None and (turn.target, turn.kind) == (target, kind)]
        self.turns[place] = Turn(self, target, kind, f"core-{place}" if beside else "main",
                                 self.seconds_for(target, kind))
        self.turns[place].start()

    def end_turn(self, place):
        turn = self.turns[place]
        for error in turn.errors:
            print(f"ERROR: {error}", flush=True)
        self.errors += turn.errors
        turn.target.failed |= bool(turn.errors)
        turn.target.running -= 1
        turn.target.ran = True
        self.turns[place] = None

    def may_begin(self):
        """Whether one more turn makes sense: not without disk or a target whose engines run, nor without time but for the first,
        or a campaign of a second would have found nothing since nothing ran."""
        full = any(NO_SPACE in error for error in self.errors) or any(target.cut for target in self.targets)
        return (self.left() >= 1 or self.turn_count == 0) and not full and not all(target.failed for target in self.targets)

    def play(self):
        """Turns until the time is over, or a signal ends it, or nothing can go on."""
        shown = time.monotonic() if not self.live else 0
        logged = time.monotonic()
        while True:
            for place, turn in enumerate(self.turns):
                if turn is not None and not turn.is_alive():
                    self.end_turn(place)
                if self.turns[place] is None and self.may_begin():
                    self.begin_turn(place)
            if not any(self.turns):
                return
            time.sleep(0.1)
            now = time.monotonic()
            if now - shown >= (REDRAW_SECONDS if self.live else LINE_SECONDS):
                shown = now
                print("\033[H\033[2J" + self.table() if self.live else self.line(), flush=True)
            if now - logged >= LINE_SECONDS:
                logged = now
                self.log([target for target in self.targets if target.running or target.ran])
                for target in self.targets:
                    target.ran = False

    def run(self):
        def on_signal(number, _frame):
            for other in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(other, signal.SIG_DFL)  # a second one ends the report, too
            self.interrupted = number
            raise campaign.Interrupted

        if self.shared is not None:
            self.shared.open()
        for target in self.targets:
            target.old = target.open()
        if self.shared is not None:
            print(f"--sync {self.shared.shown}: this campaign is called {self.shared.name}", flush=True)
        print(f"{counted(len(self.targets), 'target')}, {counted(self.jobs, 'core')}, seed {self.seed}", flush=True)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, on_signal)
        try:
            self.play()
        except campaign.Interrupted:
            for turn in filter(None, self.turns):
                turn.end()
            for place, turn in enumerate(self.turns):
                if turn is not None:
                    turn.join()
                    self.end_turn(place)
        self.log(self.targets)
        return self.report()

    # --- what is told ---

    def log(self, targets):
        """One line for each target; a disk that is full costs the line and not the campaign."""
        now = time.time()
        try:
            history.append([history.row(self.began, now, target, len(target.corpus())) for target in targets
                            if target.rate is not None])
        except OSError as error:
            print(f"{history.PATH}: {error.strerror}", flush=True)

    def line(self):
        started = [target for target in self.targets if target.rate is not None]
        passed = time.monotonic() - self.started
        return (f"{time.strftime('%H:%M:%S')} {', '.join(f'{turn.target.name} {turn.kind}' for turn in self.turns if turn)}: "
                f"{len(started)} of {counted(len(self.targets), 'target')} begun, "
                f"{sum(target.figures.total('executions') for target in self.targets)} executions in {passed:.0f} s, "
                f"{sum(len(target.corpus()) for target in self.targets)} inputs, "
                f"{sum(len(target.marks) for target in self.targets)} marks, "
                f"{counted(sum(len(target.found) for target in self.targets), 'finding')}" +
                "".join(f"; {target.name} is {target.held_up()}" for target in self.targets if target.held))

    def table(self):
        """One row per target, those that run first."""
        rows = [f"{'target':20} {'engine':15} {'exec/s':>8} {'msgs/s':>8} {'corpus':>7} {'edges':>6} {'marks':>6} "
                f"{'last new':>9} {'findings':>8}"]
        for target in sorted(self.targets, key=lambda target: (-target.running, target.name)):
            figures = target.figures
            ago = "" if target.last_new is None else short_time(time.time() - target.last_new)
            rows.append(f"{target.name:20} {target.engine if target.running else '':15} {figures.per_second('executions'):8.0f} "
                        f"{figures.per_second('steps'):8.0f} {len(target.corpus()):7} "
                        f"{figures.edges('libfuzzer') or figures.edges('afl'):6} {len(target.marks):6} {ago:>9} {len(target.found):8}  {target.held_up()}".rstrip())
        return "\n".join(rows) + f"\n{self.line()}"

    def report(self):
        """The last words and the exit status, by the rules of a campaign on one harness."""
        print(f"{self.line()}\n{history.summary(self.targets)}")
        for line in history.rotten(self.targets, history.earlier(history.read(), self.began)):
            print(f"slower by half: {line}")
        for target in self.targets:
            self.errors += target.lose_truncated()
        found = [identity for target in self.targets for identity in target.found]
        for error in self.errors:
            print(f"ERROR: {error}")
        print(f"{counted(len(found), 'finding')}" + (f": {' '.join(sorted(found))}; ./basalt triage shows them" if found else "") +
              (f", {counted(len(self.errors), 'error')} of the engines" if self.errors else "") +
              (f", ended by {signal.Signals(self.interrupted).name}" if self.interrupted else ""))
        if any(NO_SPACE in error for error in self.errors) or any(target.cut for target in self.targets):
            raise build.Stop("findings: the disk is full", 2)
        if self.shared is not None and self.shared.left():
            raise build.Stop(self.shared.left(), 2)
        return 128 + self.interrupted if self.interrupted else 1 if found or self.errors else 0


def short_time(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"


def fuzz(options):
    """./basalt fuzz: one engine on one harness or, when several are named, or none, or both engines, turns."""
    names = [build.known_harness(name) for name in dict.fromkeys(options.targets + options.more_targets)]
    if options.name is not None and options.sync is None:
        raise build.Stop("--name is of a campaign that shares: ./basalt fuzz --sync DIR --name NAME", 2)
    if len(names) == 1 and options.engine != "both" and options.sync is None:
        return campaign.fuzz(names[0], options)
    if options.merge:
        raise build.Stop("--merge is for one target and one engine, without --sync: ./basalt fuzz TARGET --engine ENGINE --merge", 2)
    if options.engine != "libfuzzer":
        engines.need_afl()
    names = names or [name for name in campaign.with_corpus() if name != MEASURE]
    build.must_build(*[f"build/{variant}/{name}" for name in names for variant in ("asan", "shipped", "libfuzzer")])
    try:
        return Fleet(names, options).run()
    except OSError as error:
        raise build.Stop(campaign.words(error, "findings"), 2) from None
