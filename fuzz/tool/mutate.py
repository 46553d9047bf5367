# SPDX-License-Identifier: ISC
"""./basalt mutate: single-site mutants of the units, drawn from a seed, and what notices each. Made and compiled in a copy
of the tree; one that does not compile, or that the image's compiler turns into the same code, is drawn again. Each of
--jobs processes judges one at a time in a copy of its own."""

import collections
import concurrent.futures
import contextlib
import hashlib
import itertools
import json
import multiprocessing
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading

import build
import checks
import mutants
import mutate_sites
import provenance
import source_checks

EQUIVALENT = "props/mutants/EQUIVALENT"
HOME = "findings/mutate"
WORDS = {"negated": "condition negated", "bound": "bound off by one", "constant": "constant off by one",
         "deleted": "statement deleted", "swapped": "arguments swapped", "member": "wrong member", "widened": "row widened"}
SEED_BELOW = 1 << 31
AHEAD = 16  # mutants per judge that are begun while the first of them waits for its verdict: survivors take minutes

Verdict = collections.namedtuple("Verdict", "outcome what")  # outcome: one of OUTCOMES; what: who noticed, or why not counted
NOTICED = ("properties", "golden", "fuzzing")
OUTCOMES = (*NOTICED, "survived", "does not compile", "same code", "equivalent")


class Equivalents:
    """Mutants that are no bugs, each with its reason: `FILE FUNCTION`, `- before`, `+ after`, `why: ...`, an empty line."""

    def __init__(self, text):
        self.reasons = {}
        for block in re.split(r"\n\s*\n", re.sub(r"^#.*\n?", "", text, flags=re.M).strip()):
            found = re.fullmatch(r"(\S+) (\S+)\n- (.*)\n\+ (.*)\nwhy: (\S.*)", block.strip(), re.S)
            if block.strip() and not found:
                raise build.Stop(f"{EQUIVALENT}: not FILE FUNCTION, `- before`, `+ after`, `why: reason`: {block.splitlines()[0]}", 2)
            if found:
                self.reasons[found.groups()[:4]] = " ".join(found[5].split())

    def of(self, site, text):
        return self.reasons.get((site.path, site.function(text), *site.lines(text)[1:]))

    def stale(self):
        """Entries whose file or line is not there any more."""
        def there(path, before):
            return os.path.isfile(path) and before in " ".join(source_checks.read(path).split())
        return [f"{EQUIVALENT}: {path} has no `{before}` any more" for path, _, before, _ in self.reasons if not there(path, before)]


def equivalents():
    return Equivalents(source_checks.read(EQUIVALENT) if os.path.exists(EQUIVALENT) else "")


def copy_with(folder, targets):
    """A copy of the tree in which these targets are built."""
    build.must_build(*targets)
    checks.copy_sources(folder)
    _, listing = build.run(["ninja", "-t", "inputs", *targets])
    for path in [*listing.splitlines(), *targets, "build/.ninja_log", "build/.ninja_deps"]:
        if path.startswith("build/") and os.path.isfile(path):
            os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
            shutil.copy2(path, f"{folder}/{path}")


def linked_into(tests):
    """{test program: every file that it is made from}."""
    return {name: set(build.run(["ninja", "-t", "inputs", f"build/asan/{name}"])[1].splitlines()) for name in tests}


class Compiler:
    """The image's objects, compiled in the copy without debug data, so that they are the same when the code is."""

    def __init__(self, folder):
        self.folder = folder
        self.before = {}
        self.dependents = collections.defaultdict(list)
        name = None
        for line in build.run(["ninja", "-C", folder, "-t", "deps"])[1].splitlines():
            if not line.startswith(" "):
                name = line.split(":")[0]
            elif name.startswith("build/image/"):
                self.dependents[line.strip()].append(name)

    def objects_of(self, path):
        """The objects that read a source, those of abi/ first: tables are there."""
        return sorted(self.dependents[path], key=lambda name: (not name.startswith("build/image/abi/"), name))

    def code(self, name, tree):
        """The bytes of an object's code in a tree, as a hash; None when it does not compile."""
        _, command = build.run(["ninja", "-C", self.folder, "-t", "commands", "-s", name])
        command = re.sub(r" -MMD -MF \S+", "", command.strip().splitlines()[-1]).replace(f" -o {name}", f" -g0 -o {self.folder}/mutant.o")
        result = subprocess.run(command, shell=True, cwd=tree, stdin=subprocess.DEVNULL, capture_output=True)
        if result.returncode != 0:
            return None
        with open(f"{self.folder}/mutant.o", "rb") as data:
            return hashlib.sha256(data.read()).hexdigest()

    def code_before(self, name):
        """That of the tree that the copy was made from."""
        if name not in self.before:
            self.before[name] = self.code(name, ".")
        return self.before[name]

    def verdict(self, names):
        """Why the mutant that is applied now does not count, or None."""
        for name in names:
            after = self.code(name, self.folder)
            if after is None:
                return "does not compile"
            if after != self.code_before(name):
                return None
        return "same code"


class Judge:
    """Asks what may notice a mutant in a copy of the tree: properties and models, golden files, engines."""

    def __init__(self, folder, tests, golden, seconds):
        self.folder, self.golden, self.seconds = folder, golden, seconds
        self.jury = mutants.Jury(folder, False, 0)
        self.compiler = Compiler(folder)
        self.reached = provenance.harnesses_of_objects()
        self.linked = linked_into(tests)
        self.passed = set()  # commands that are known to pass as the tree is

    def harnesses_of(self, path):
        """Those that link the unit's objects, the unit's own first, then from small corpora to large ones."""
        unit = os.path.basename(os.path.dirname(path))
        names = {name for made in self.compiler.objects_of(path) for name in self.reached.get(made, ())
                 if os.path.isdir(f"corpus/{name}") and not name.startswith("canary")}
        size = {name: sum(file.stat().st_size for file in os.scandir(f"corpus/{name}")) for name in names}
        return sorted(names, key=lambda name: (unit not in name, size[name], name))

    def tests_of(self, path):
        objects = {made.replace("build/image/", "build/asan/") for made in self.compiler.objects_of(path)}
        return [name for name, inputs in sorted(self.linked.items()) if inputs & objects]

    def of_properties(self, path):
        for name in self.harnesses_of(path):
            yield f"replay of {name}", [f"build/asan/{name}", "--replay", f"corpus/{name}", "--no-golden"]
        for name in self.tests_of(path):
            yield name, [f"build/asan/{name}", *(["--no-golden"] if name == mutants.GOLDEN_TEST else [])]
        for image in mutants.IMAGES if self.linked else ():
            yield f"world boot of {image}", [mutants.WORLD, image]

    def of_golden(self, path):
        for name in self.harnesses_of(path):
            yield f"replay of {name}", [f"build/asan/{name}", "--replay", f"corpus/{name}"]
        if mutants.GOLDEN_TEST in self.linked:
            yield mutants.GOLDEN_TEST, [f"build/asan/{mutants.GOLDEN_TEST}"]

    def asked(self, commands):
        """(who, command, what it says, whether it ran) of the first that fails, or None."""
        for who, command in commands:
            worked, output = build.ninja(*self.jury.needed_by(command), folder=self.folder)
            if not worked:
                error = re.search(r"^.*(?:error:|refused|FAILED).*", output, re.M)
                return who, command, f"is not built: {error[0].strip()[:110] if error else build.shorten(output, 1)}", False
            status, output = mutants.in_copy(self.folder, command)
            if status != 0:
                return who, command, mutants.reason(output), True
            self.passed.add(tuple(command))
        return None

    def confirm(self, noticed):
        """What noticed a mutant must pass without it; what was not built may want room on the disk alone, each time."""
        who, command, said, ran = noticed
        if not (ran and tuple(command) in self.passed) and self.asked([(who, command)]):
            raise build.Stop(f"without any mutant a check fails already: {who}: {said}")

    def verdict(self, site):
        path = f"{self.folder}/{site.path}"
        objects = self.compiler.objects_of(site.path)
        text, noticed = source_checks.read(path), None
        try:
            write(path, site.applied(text))
            not_counted = self.compiler.verdict(objects)
            if not_counted:
                return Verdict(not_counted, "")
            for outcome, commands in (("properties", self.of_properties), *([("golden", self.of_golden)] if self.golden else [])):
                noticed = self.asked(commands(site.path))
                if noticed:
                    return Verdict(outcome, f"{noticed[0]}: {noticed[2]}")
            found = self.fuzzed(site.path)
            return Verdict("fuzzing", found) if found else Verdict("survived", "")
        finally:
            write(path, text)
            if noticed:
                self.confirm(noticed)

    def fuzzed(self, path):
        names = self.harnesses_of(path) if self.seconds else []
        for name in names:
            build.must_build(f"build/libfuzzer/{name}", folder=self.folder)
            found = mutants.fuzzed(self.folder, name, max(1, self.seconds // len(names)))
            if found:
                return found
        return None


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def tree_digest():
    """Of all that a verdict depends on: sources and corpora. What is recorded as equivalent changes none."""
    digest = hashlib.sha256()
    for folder in ("abi", "kernel", "services", "linker", "props", "fuzz", "corpus"):
        for root, folders, files in os.walk(folder):
            folders.sort()
            for path in sorted(os.path.join(root, name) for name in files):
                if path != EQUIVALENT and os.path.isfile(path) and not path.endswith((".md", ".py", ".pyc")):
                    with open(path, "rb") as file:
                        digest.update(path.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


def whole_rows(path):
    """Pairs of a file with one in each line. A line that a kill or a full disk has cut off goes, or the next would be joined
    to it."""
    if not os.path.exists(path):
        return []
    with open(path, "rb+") as file:
        data = file.read()
        whole = data[:data.rfind(b"\n") + 1]
        if whole != data:
            file.truncate(len(whole))
    return [json.loads(line) for line in whole.decode().splitlines()]


class Log:
    """Verdicts of an earlier, interrupted run with the same seed over the same tree."""

    def __init__(self, options):
        asked = json.dumps([tree_digest(), sorted(options.unit), options.no_golden, options.seconds])
        self.path = f"{HOME}/{options.seed}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}.jsonl"
        self.known = {tuple(site): Verdict(*verdict) for site, verdict in whole_rows(self.path)}  # the others are judged again
        self.writing = threading.Lock()

    def add(self, site, verdict):
        with self.writing:
            self.known[tuple(site)] = verdict
            os.makedirs(HOME, exist_ok=True)
            with open(self.path, "a", encoding="utf-8") as lines:
                lines.write(json.dumps([site, verdict]) + "\n")


def keep(site, text, names):
    """Writes a survivor as a patch that `./basalt mutants` takes. Returns its path."""
    line, before, after = site.lines(text)
    diff = site.diff(text)
    name = re.sub(r"[/.]", "-", site.path)
    path = f"{HOME}/{name}-{line}-{site.kind}-{hashlib.sha256(diff.encode()).hexdigest()[:6]}.patch"
    os.makedirs(HOME, exist_ok=True)
    write(path, f"Harness: {' '.join(names)}\nBug: {WORDS[site.kind]}, line {line}\n\n"
                f"Nothing noticed it. If nothing can, it goes into {EQUIVALENT}:\n\n"
                f"    {site.path} {site.function(text)}\n    - {before}\n    + {after}\n    why: ...\n\n{diff}")
    return path


def told(site, text, verdict, names):
    """Prints the line of one mutant; of a survivor the diff as well."""
    place = f"{site.path}:{site.lines(text)[0]}, {WORDS[site.kind]}"
    if verdict.outcome == "equivalent":
        print(f"equivalent {place}: {verdict.what}", flush=True)
    elif verdict.outcome != "survived":
        how = {"properties": "", "golden": "golden files alone, ", "fuzzing": ""}[verdict.outcome]
        print(f"caught     {place}: {how}{verdict.what}", flush=True)
    else:
        path = keep(site, text, names)
        shown = "\n".join(line for line in site.diff(text).splitlines()[3:])
        print(f"SURVIVED   {place}: {path}\n{shown}", flush=True)


def score(tally, count, drawn_all):
    counted = sum(tally[outcome] for outcome in (*NOTICED, "survived"))
    caught = counted - tally["survived"]
    print(f"{caught} of {counted} mutants caught, {100 * caught / max(1, counted):.0f} %: {tally['properties']} by properties and "
          f"models, {tally['golden']} by golden files alone, {tally['fuzzing']} by fuzzing; {tally['survived']} survived")
    print("not counted: " + ", ".join(f"{tally[outcome]} {outcome}" for outcome in OUTCOMES[4:]) +
          (f"; no more to draw, {count} were asked for" if drawn_all else ""))


class Worker:
    """A process that judges, in the judge's copy of the tree. It has a session of its own: Ctrl-C would end what it runs,
    and that would count as noticed."""

    def __init__(self, judge, cores):
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=self.serve, args=(judge, cores, other), daemon=True)
        self.process.start()
        other.close()

    def serve(self, judge, cores, pipe):
        os.setsid()
        os.environ["BASALT_JOBS"] = str(cores)
        self.pipe.close()
        with contextlib.suppress(EOFError, ConnectionError):  # whoever asks is gone
            while True:
                site = pipe.recv()
                try:
                    answer = judge.verdict(site)
                except build.Stop as stop:
                    answer = str(stop), stop.status
                except OSError as error:  # a full disk
                    answer = f"{error.filename or site.path}: {error.strerror}", 2
                pipe.send(answer)

    def verdict(self, site):
        try:
            self.pipe.send(site)
            answer = self.pipe.recv()
        except (EOFError, OSError):
            raise build.Stop(f"the process that judged {site.path} has ended") from None
        if not isinstance(answer, Verdict):
            raise build.Stop(*answer)
        return answer

    def end(self):
        """With whatever it runs."""
        with contextlib.suppress(ProcessLookupError):  # it has no session yet
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()


def judged(judges, log, sites, seed, known):
    """(site, text, verdict) of each mutant in the order of the seed, for as long as somebody asks. As many are judged at a
    time as there are judges; what is judged ahead of its turn is in the log by then."""
    free = list(judges)

    def verdict_of(site):
        judge = free.pop()
        try:
            verdict = judge.verdict(site)
        finally:
            free.append(judge)
        log.add(site, verdict)
        return verdict

    def begun(site):
        text = source_checks.read(site.path)
        reason = known.of(site, text)
        verdict = Verdict("equivalent", reason) if reason else log.known.get(tuple(site))
        return site, text, (lambda: verdict) if verdict else threads.submit(verdict_of, site).result

    threads = concurrent.futures.ThreadPoolExecutor(len(judges))
    try:
        drawn = mutate_sites.draw(sites, seed)
        ahead = collections.deque(map(begun, itertools.islice(drawn, AHEAD * len(judges))))
        while ahead:
            site, text, verdict = ahead.popleft()
            ahead.extend(map(begun, itertools.islice(drawn, 1)))
            yield site, text, verdict()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def end_by(number, _frame):
    """Of a signal: judges and their copies go, as they do when somebody interrupts."""
    raise SystemExit(128 + number)


def mutate(options):
    """`basalt mutate`."""
    sites = mutate_sites.sites_of(mutate_sites.sources_of(options.unit))
    known = equivalents()
    if options.seed is None:
        options.seed = secrets.randbelow(SEED_BELOW)
    log = Log(options)
    print(f"seed {options.seed}, {len(sites)} sites" + (f", {len(log.known)} judged before" if log.known else ""), flush=True)
    tests = build.programs("test")
    build.must_build(*[f"build/shipped/{name}" for name in build.programs("harness", "shipped")])
    tally, drawn_all = collections.Counter(), False
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # which is what nohup wants
            signal.signal(number, end_by)
    with contextlib.ExitStack() as ended:
        judges, count = [], min(options.jobs or int(build.jobs()), options.count)
        for _ in range(count):
            folder = ended.enter_context(tempfile.TemporaryDirectory())
            copy_with(folder, [f"build/asan/{name}" for name in build.harnesses() + tests] + [mutants.WORLD, *mutants.IMAGES])
            judges.append(Judge(folder, tests, not options.no_golden, options.seconds))
        workers = [Worker(judge, max(1, int(build.jobs()) // count)) for judge in judges]
        for worker in workers:
            ended.callback(worker.end)
        try:
            for site, text, verdict in judged(workers, log, sites, options.seed, known):
                tally[verdict.outcome] += 1
                if verdict.outcome in (*NOTICED, "survived", "equivalent"):
                    told(site, text, verdict, judges[0].harnesses_of(site.path) or judges[0].tests_of(site.path))
                if sum(tally[outcome] for outcome in (*NOTICED, "survived")) == options.count:
                    break
            else:
                drawn_all = True
        except KeyboardInterrupt:
            print(f"interrupted; to go on: ./basalt mutate --seed {options.seed} and the rest as before", flush=True)
            raise
        finally:
            score(tally, options.count, drawn_all)
    return 1 if tally["survived"] else 0
