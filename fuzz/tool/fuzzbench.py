# SPDX-License-Identifier: ISC
"""./basalt fuzzbench: how good the fuzzing is. From an empty corpus, by engine and mutator: what is reached after so many
executions, and how many it takes until seeded bugs of props/mutants/ are found. Executions are the unit, so that a busy
machine changes nothing; results are kept, so that the same call after an interruption goes on."""

import collections
import concurrent.futures
import glob
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

import build
import campaign
import engines
import mutants
import mutate
import source_checks

HOME = "findings/fuzzbench"
TABLE = "fuzz/FUZZBENCH.md"
HARNESSES = ("memd_life", "vspaced_life", "pagerd_life", "named_life", "codec_messages")
# "entropic" is libFuzzer as it is by itself: it weighs inputs by how rare their features are, which campaigns do not.
BUILDS = {"libfuzzer": "build/libfuzzer_fast", "entropic": "build/libfuzzer_fast", "afl": "build/afl_fast", "replayer": "build/fast"}
# The mutators by the names that BASALT_MUTATOR has for them (props/life/steps.h); "usual" is what campaigns have.
PARTS = ("literals", "swarm", "hostile", "cross", "known")
MUTATORS = ("none", "steps", "usual")
SECONDS, SEEDS, MUTANTS = 60, 3, 4
RATE_EXECUTIONS = 10000
ANSWERS_OF = 40  # the largest inputs of a corpus, whose answers are counted
SEED_OF_AFL = b"\0" * 16  # AFL++ takes no empty corpus
SLOWEST = 50  # executions per second that end a run even where a machine is this busy
FOUND_SECONDS = 60

Contender = collections.namedtuple("Contender", "engine mutator")


class Results:
    """Rows of earlier calls over the same tree: {key: row}. A key is all that a row depends on."""

    def __init__(self):
        self.path = f"{HOME}/{mutate.tree_digest()[:12]}.jsonl"
        self.rows = {tuple(key): row for key, row in mutate.whole_rows(self.path)}  # what was cut off is measured again
        self.lock = threading.Lock()
        self.asked = set() # keys that this call is about

    def get(self, key, measure):
        """The row of a key, measured when there is none yet."""
        self.asked.add(key)
        if key not in self.rows:
            row = measure()
            with self.lock:
                os.makedirs(HOME, exist_ok=True)
                with open(self.path, "a", encoding="utf-8") as lines:
                    lines.write(json.dumps([key, row]) + "\n")
                self.rows[key] = row
        return self.rows[key]


def engines_of(options):
    return [*(["libfuzzer", "afl"] if options.engine == "both" else [options.engine]),
            *(["entropic"] if options.entropic else [])]


def contenders(name, options):
    """Engines and mutators that run on a harness: where inputs have no steps there is one mutator."""
    mutators = (options.mutator or MUTATORS) if engines.has_steps(name) else ("none",)
    return [Contender(engine, mutator) for engine in engines_of(options) for mutator in mutators]


def settings(name, mutator):
    """What the environment says of the mutator, for both engines."""
    env = {} if mutator == "usual" else {"BASALT_MUTATOR": mutator}
    if mutator != "none" and engines.has_steps(name):
        env["AFL_CUSTOM_MUTATOR_LIBRARY"] = os.path.abspath("build/afl/mutator.so")
    return env


class Run:
    """One engine on one program until it finds something or has made so many executions."""

    def __init__(self, name, contender, program, home, seed, executions, start=None):
        self.name, self.contender, self.program, self.home = name, contender, program, home
        self.seed, self.executions, self.start = seed, executions, start
        self.found = None  # after so many executions
        self.done = 0

    def command(self):
        dictionary = campaign.dictionary(self.name, self.home)
        corpus = f"{self.home}/corpus"
        os.makedirs(corpus, exist_ok=True)
        if self.contender.engine != "afl":
            return [self.program, f"-runs={self.executions}", f"-seed={self.seed}",
                    f"-entropic={int(self.contender.engine == 'entropic')}", *engines.limits(), *engines.growth(self.name),
                    "-print_final_stats=1", f"-artifact_prefix={self.home}/", f"-dict={dictionary}", corpus,
                    *([self.start] if self.start else [])]
        campaign.store(corpus, SEED_OF_AFL)
        return [engines.afl_program(), "-E", str(self.executions), "-s", str(self.seed), "-i", self.start or corpus, "-o",
                f"{self.home}/afl", "-G", str(engines.INPUT_BYTES_MAX), "-t", str(engines.INPUT_SECONDS_MAX * 1000), "-x",
                dictionary, "--", self.program, "-"]

    def run(self):
        env = {**os.environ, **engines.AFL_SETTINGS, "AFL_BENCH_UNTIL_CRASH": "1", **settings(self.name, self.contender.mutator)}
        command = build.bound(self.command(), "TERM" if self.contender.engine == "afl" else "KILL")
        log = f"{self.home}/log"
        with open(log, "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env,
                                       start_new_session=True)
        status, usage = ended(process, 120 + self.executions / SLOWEST)
        said = campaign.text_of(log)
        (self.of_afl if self.contender.engine == "afl" else self.of_libfuzzer)(status, said)
        return round(usage.ru_utime + usage.ru_stime, 2)

    def of_libfuzzer(self, status, said):
        counted = re.search(r"stat::number_of_executed_units: (\d+)", said)
        if counted is None or status not in (0, 70, 71, 77):
            raise build.Stop(f"libFuzzer on {self.name} ended with status {status}: {build.shorten(said, 5)}")
        self.done = int(counted[1])
        self.found = self.done if status != 0 else None

    def of_afl(self, status, said):
        self.done = engines.afl_executions(self.home)
        crashes = glob.glob(f"{self.home}/afl/*/crashes/id:*") + glob.glob(f"{self.home}/afl/*/hangs/id:*")
        at = [int(found[1]) for found in (re.search(r"execs:(\d+)", path) for path in crashes) if found]
        if not at and (status != 0 or self.done == 0):
            if "program crashed with one of the test cases" in said or "initial" in said and "crash" in said:
                at = [1]  # of the seed
            else:
                raise build.Stop(f"AFL++ on {self.name} ended with status {status}: {build.shorten(said, 5)}")
        self.found = min(at) if at else None

    def inputs(self):
        """What it kept, as a folder that the replayer reads."""
        kept = f"{self.home}/kept"
        os.makedirs(kept)
        for path in glob.glob(f"{self.home}/afl/*/queue/id:*") or glob.glob(f"{self.home}/corpus/*"):
            campaign.store(kept, engines.bytes_of(path))
        return kept


def ended(process, seconds):
    """(status, resources) of a process that ends, or is ended after so long."""
    until = time.monotonic() + seconds
    try:
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid != 0:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode, usage
            if time.monotonic() > until:
                raise build.Stop(f"no end after {seconds:.0f} s: {process.args[4]}")
            time.sleep(0.05)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            os.wait4(process.pid, 0)


def program_of(engine, name):
    return f"{BUILDS[engine]}/{name}"


def programs_of(name, options):
    """What runs a harness; libFuzzer's program in any case, since it counts edges and says which inputs show a bug."""
    return {engine: program_of(engine, name) for engine in dict.fromkeys(["libfuzzer", *engines_of(options)])}


def rate(name):
    """Executions per CPU second of libFuzzer's fast build, from an empty corpus."""
    with tempfile.TemporaryDirectory() as home:
        run = Run(name, Contender("libfuzzer", "usual"), program_of("libfuzzer", name), home, 1, RATE_EXECUTIONS)
        cpu = run.run()
        must_not_find(run)
        return {"rate": round(run.done / max(cpu, 0.01))}


def must_not_find(run):
    if run.found is not None:
        shutil.copytree(run.home, f"{HOME}/found-{run.name}-{run.seed}", dirs_exist_ok=True)
        raise build.Stop(f"{run.name} as it is fails, after {run.found} executions: {HOME}/found-{run.name}-{run.seed}; "
                         f"see ./basalt fuzz {run.name}")


def reach(name, contender, seed, executions):
    """What a run reaches: marks and edges as one program counts them, and what the largest inputs are answered."""
    with tempfile.TemporaryDirectory() as home:
        run = Run(name, contender, program_of(contender.engine, name), home, seed, executions)
        cpu = run.run()
        must_not_find(run)
        kept = run.inputs()
        _, marks = build.run([program_of("replayer", name), "--marks", kept])
        _, said = build.run([program_of("libfuzzer", name), "-runs=0", *engines.limits(), kept])
        edges = re.search(r"INITED cov: (\d+)", said)
        return {"executions": run.done, "cpu": cpu, "inputs": len(os.listdir(kept)), "marks": len(marks.splitlines()),
                "edges": int(edges[1]) if edges else 0, "answers": answers(name, kept)}


def answers(name, folder):
    """{status: how often} of the largest inputs of a folder."""
    paths = sorted(glob.glob(f"{folder}/*"), key=lambda path: (-os.path.getsize(path), path))[:ANSWERS_OF]
    counted = collections.Counter()
    for path in paths if engines.has_steps(name) else []:
        _, said = build.run([program_of("replayer", name), "--trace", path])
        counted.update(re.findall(r"^  -> (\w+)$", said, re.MULTILINE))
    return counted


# --- seeded bugs ---

def sample(name, count):
    """Seeded bugs that a harness should notice, the same each time: those of one are a part of those of two. 0: all."""
    paths = [path for path in glob.glob("props/mutants/*.patch")
             if name in source_checks.mutant_header(path).get("Harness", "").split()]
    paths.sort(key=lambda path: hashlib.sha256(os.path.basename(path).encode()).hexdigest())
    return [os.path.basename(path)[:-len(".patch")] for path in paths][:count or len(paths)]


def patched(folder, bug, back=False):
    path = bug if os.path.isfile(bug) else f"props/mutants/{bug}.patch"
    command = ["patch", "-p1", "--force", "--no-backup-if-mismatch", "-i", os.path.abspath(path), *(["-R"] if back else [])]
    status, output = mutants.in_copy(folder, command)
    if status != 0:
        raise build.Stop(f"{bug} does not apply:\n{output}")


def mutant_programs(folder, name, bug, home, options):
    """{engine: program} with a seeded bug, kept in `home`; none when it is in nothing that the harness links."""
    patched(folder, bug)
    try:
        build.must_build(*programs_of(name, options).values(), folder=folder)
        made = {}
        for engine, path in programs_of(name, options).items():
            made[engine] = f"{home}/{engine}"
            shutil.copy2(f"{folder}/{path}", made[engine])
    finally:
        patched(folder, bug, back=True)
    same = engines.bytes_of(made["libfuzzer"]) == engines.bytes_of(program_of("libfuzzer", name))
    return None if same else made


def catching(program, paths):
    """Those of the inputs that fail by themselves in a program."""
    status, _ = build.run([program, *engines.limits(), *paths])
    if status == 0:
        return []
    if len(paths) == 1:
        return paths
    half = len(paths) // 2
    return catching(program, paths[:half]) + catching(program, paths[half:])


def corpus_without(name, program, folder):
    """The committed inputs without those that show the bug; how many those are."""
    campaign.seeds(name, folder)
    caught = catching(program, sorted(glob.glob(f"{folder}/*")))
    for path in caught:
        os.remove(path)
    if not os.listdir(folder):
        campaign.store(folder, SEED_OF_AFL)
    return len(caught)


def hunt(name, contender, program, seed, executions, start=None):
    with tempfile.TemporaryDirectory() as home:
        run = Run(name, contender, program, home, seed, executions, start)
        cpu = run.run()
        return {"found": run.found, "executions": run.done, "cpu": cpu}


class Bench:
    """All that is measured of some harnesses, side by side where it can be."""

    def __init__(self, options):
        self.options = options
        self.results = Results()

    def executions(self, name):
        return self.results.get(("rate", name), lambda: rate(name))["rate"] * self.options.seconds

    def side_by_side(self, jobs):
        """Runs (what it is, key, measure) of each that is not known on the cores; a failure ends the rest."""
        self.results.asked.update(key for _, key, _ in jobs)
        jobs = [job for job in jobs if job[1] not in self.results.rows]
        with concurrent.futures.ThreadPoolExecutor(int(build.jobs())) as pool:
            pending = {pool.submit(self.results.get, key, measure): what for what, key, measure in jobs}
            try:
                for done in concurrent.futures.as_completed(pending):
                    done.result()
                    print(f"{time.strftime('%H:%M:%S')} {pending[done]}", flush=True)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def seeds(self):
        return range(1, self.options.seeds + 1)

    def reaches(self, name):
        executions = self.executions(name)
        self.side_by_side([
            (f"{name} {contender.engine} {contender.mutator}, seed {seed}", ("reach", name, *contender, seed, executions),
             lambda contender=contender, seed=seed: reach(name, contender, seed, executions))
            for seed in self.seeds() for contender in contenders(name, self.options)])

    def hunts(self, name, bug, folder):
        """All runs on one seeded bug."""
        executions = self.executions(name)
        keys = [(("hunt", name, bug, *contender, seed, executions, start), contender, seed, start)
                for seed in self.seeds() for contender in contenders(name, self.options) for start in ("empty", "corpus")
                if start == "empty" or contender == starter(name, self.options)]
        if all(key in self.results.rows for key, *_ in keys):
            self.results.asked.update([("caught", name, bug), *(key for key, *_ in keys)])
            return
        with tempfile.TemporaryDirectory() as home:
            programs = mutant_programs(folder, name, bug, home, self.options)
            if programs is None:
                print(f"{name} links nothing that {bug} changes", flush=True)
                return
            self.results.get(("caught", name, bug), lambda: corpus_without(name, programs["libfuzzer"], f"{home}/start"))
            if not os.path.isdir(f"{home}/start"):  # known from an earlier call
                corpus_without(name, programs["libfuzzer"], f"{home}/start")
            self.side_by_side([
                (f"{name} {bug} {contender.engine} {contender.mutator}, seed {seed}, from {start}", key,
                 lambda contender=contender, seed=seed, start=start: hunt(
                     name, contender, programs[contender.engine], seed, executions, f"{home}/start" if start == "corpus" else None))
                for key, contender, seed, start in keys])

    def run(self, names):
        for name in names:
            self.reaches(name)
        if self.options.reached:
            return
        with tempfile.TemporaryDirectory() as folder:
            mutate.copy_with(folder, [path for name in names for path in programs_of(name, self.options).values()])
            for name in names:
                for bug in self.options.bugs.get(name) or sample(name, self.options.mutants):
                    self.hunts(name, bug, folder)


def starter(name, options):
    """Who starts from the committed corpus as well: the usual mutator, or the only one."""
    wanted = "usual" if engines.has_steps(name) else "none"
    return next((each for each in contenders(name, options) if each.mutator == wanted), None)


# --- the table ---

ENGINE_WORDS = {"libfuzzer": "libFuzzer", "entropic": "libFuzzer -entropic=1", "afl": "AFL++"}


def middle(numbers):
    return round(statistics.median(numbers))


def share(rows, status):
    total = sum(sum(row["answers"].values()) for row in rows)
    return f"{100 * sum(row['answers'].get(status, 0) for row in rows) / total:.0f} %" if total else ""


def order(mutator):
    """Those that all calls have come first, then those with fewer parts."""
    return MUTATORS.index(mutator) if mutator in MUTATORS else len(MUTATORS), mutator.count("+"), mutator


def reach_table(rows):
    """Lines of what was reached, and of the CPU time that the executions took; of each contender the median of its seeds."""
    grouped = collections.defaultdict(list)
    for (_, name, engine, mutator, _, executions), row in rows:
        grouped[name, executions, engine, mutator].append(row)
    lines = ["| harness | executions | engine | mutator | CPU s | marks | edges | inputs | answers OK | DENIED |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for (name, executions, engine, mutator), those in sorted(
            grouped.items(), key=lambda item: (item[0][0], item[0][1], item[0][2] != "libfuzzer", order(item[0][3]))):
        marks = sorted(row["marks"] for row in those)
        lines.append(f"| {name} | {executions:,} | {ENGINE_WORDS[engine]} | {mutator} | "
                     f"{statistics.median(row['cpu'] for row in those):.1f} | {middle(marks)} ({marks[0]} to {marks[-1]}) | "
                     f"{middle([row['edges'] for row in those])} | {middle([row['inputs'] for row in those])} | {share(those, 'OK')} | "
                     f"{share(those, 'DENIED')} |")
    return lines


def until(those):
    """The median of the executions until a bug was found; where that is of runs that found none, how many did."""
    found = sorted(row["found"] if row["found"] is not None else float("inf") for row in those)
    median = statistics.median_low(found)
    count = sum(row["found"] is not None for row in those)
    limit = max(row["executions"] for row in those)
    return f"{median:,}" if median != float("inf") else f"> {limit:,}" + (f" ({count} of {len(those)})" if count else "")


def hunt_table(rows, caught):
    """A line for each seeded bug, a column for each contender."""
    cells, columns = collections.defaultdict(list), []
    for (_, name, bug, engine, mutator, _, _, start), row in rows:
        column = f"{ENGINE_WORDS[engine]} {mutator}" + (", from the corpus" if start == "corpus" else "")
        columns += [column] if column not in columns else []
        cells[name, bug, column].append(row)
    columns.sort(key=lambda column: (column.endswith("corpus"), not column.startswith("lib"), order(column.split(",")[0].split()[-1])))
    lines = ["| harness | seeded bug | inputs that show it | " + " | ".join(columns) + " |", "| --- | --- | --- |" + " --- |" * len(columns)]
    for name, bug in dict.fromkeys((name, bug) for name, bug, _ in cells):
        told = [until(cells[name, bug, column]) if cells.get((name, bug, column)) else "" for column in columns]
        lines.append(f"| {name} | {os.path.basename(bug)} | {caught.get((name, bug), '')} | " + " | ".join(told) + " |")
    return lines


def score_lines(rows, rates):
    """How many bugs each contender finds within what libFuzzer executes in a minute of CPU, in at least half of its runs."""
    grouped = collections.defaultdict(lambda: collections.defaultdict(list))
    for (_, name, bug, engine, mutator, _, _, start), row in rows:
        where = "an empty corpus" if start == "empty" else "the committed corpus without the inputs that show the bug"
        grouped[f"{ENGINE_WORDS[engine]}, {mutator}, from {where}"][name, bug].append(row)
    lines = []
    for who, bugs in sorted(grouped.items(), key=lambda item: ("empty" not in item[0], not item[0].startswith("lib"), item[0])):
        within = [sum(row["found"] is not None and row["found"] <= FOUND_SECONDS * rates[name] for row in those) * 2 >= len(those)
                  for (name, _), those in bugs.items()]
        lines.append(f"- {who}: {sum(within)} of {len(bugs)}")
    return lines


def first_line(command):
    return (build.run(command)[1].strip().splitlines() or ["?"])[0]


def versions():
    afl = re.search(r"afl-fuzz\+\+([\w.]+)", build.run([engines.afl_program(), "-h"])[1])
    return f"libFuzzer of {first_line(['clang-14', '--version'])}, AFL++ {afl[1] if afl else '?'}"


def command_line(options):
    """The call that writes the page, and any part of it that is not known, again."""
    return " ".join(["./basalt fuzzbench", *options.harnesses, f"--seconds {options.seconds} --seeds {options.seeds}",
                     *([] if options.reached else [f"--mutants {options.mutants}"]),
                     *([] if options.engine == "both" else [f"--engine {options.engine}"]),
                     *[f"--mutator {mutator}" for mutator in options.mutator or ()],
                     *(["--entropic"] if options.entropic else []), *(["--reached"] if options.reached else []),
                     *([] if options.output == TABLE else [f"--output {options.output}"])])


def page(results, options):
    """The text of the table: what the call asks for, in this tree, whether this call or an earlier one measured it."""
    rows = [(key, row) for key, row in results.rows.items() if key in results.asked]
    reached = [(key, row) for key, row in rows if key[0] == "reach"]
    hunted = [(key, row) for key, row in rows if key[0] == "hunt"]
    caught = {(key[1], key[2]): row for key, row in rows if key[0] == "caught"}
    rates = {key[1]: row["rate"] for key, row in rows if key[0] == "rate"}
    commit = first_line(["git", "describe", "--always", "--dirty=, edited"])
    seeds = max((key[4] for key, _ in reached), default=options.seeds)
    found = [] if options.reached else [
        "## Executions until a seeded bug is found", "", *hunt_table(hunted, caught), "",
        "From the corpus: from the committed inputs without those that show the bug.", "",
        f"## Found within {min(FOUND_SECONDS, options.seconds)} CPU seconds, in half of the runs", "", *score_lines(hunted, rates), ""]
    return "\n".join([
        "# How good the fuzzing is", "",
        "This call wrote this page; fuzz/CAMPAIGNS.md says what it measures.", "",
        f"    {command_line(options)}", "",
        f"- commit {commit}", f"- {versions()}; the fast builds", f"- {os.cpu_count()} cores",
        f"- each run has the executions that libFuzzer makes in {options.seconds} CPU seconds at the rate of its first",
        f"  {RATE_EXECUTIONS:,}; seeds 1 to {seeds}; medians", "",
        "## Reached from an empty corpus", "", *reach_table(reached), "",
        f"Answers: of the {ANSWERS_OF} largest inputs of each corpus.", "", *found])


def write_page(path, text):
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{path}.part", path)


def fuzzbench(options):
    """`basalt fuzzbench`."""
    names = [build.known_harness(name) for name in options.harnesses] or list(HARNESSES)
    for mutator in options.mutator or ():
        unknown = set(mutator.split("+")) - {*PARTS, *MUTATORS}
        if unknown:
            raise build.Stop(f"there is no mutator '{min(unknown)}'; there are: {' '.join(MUTATORS)}, and steps+PART of: "
                             f"{' '.join(PARTS)}", 2)
    path = build.user_path(options.output) if options.output != TABLE else TABLE
    if not os.path.isdir(os.path.dirname(path) or ".") or os.path.isdir(path):
        raise build.Stop(f"{options.output} is a folder, or there is none for it", 2)  # before hours are spent
    options.bugs = getattr(options, "bugs", {})
    build.must_build("build/afl/mutator.so", "build/fast/abi_tables",
                     *[path for name in names for path in (*programs_of(name, options).values(), f"build/asan/{name}",
                                                       program_of("replayer", name))])
    bench = Bench(options)
    try:
        bench.run(names)
    except BaseException:
        print(f"{options.output} {'stays as it was' if os.path.exists(path) else 'is not written'}: the same call goes on; "
              f"what is measured so far is in {bench.results.path}", flush=True)
        raise
    write_page(path, page(bench.results, options))
    print(page(bench.results, options), end="")
    print(f"written to {options.output}")
    return 0
