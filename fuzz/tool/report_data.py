# SPDX-License-Identifier: ISC
"""What the report shows, as plain data: the history of campaigns, what each input reaches, findings, mutants, coverage. What
cannot be read is named and passed over: a report of the rest is worth more than none."""

import bisect
import collections
import datetime
import glob
import json
import math
import os
import re
import tempfile
import time

import build
import campaign
import checks
import cover
import engines
import mutate
import mutate_sites
import source_checks
import triage
from findings import counted, read

HISTORY = "findings/history.jsonl"
LINE_SECONDS = 60  # between two lines of history
GAP_SECONDS = 300  # without a line of history: the campaign was over
POINTS_MAX = 240  # of one series; more are no wider than a line of the chart
TIME_MAX = 1 << 34  # seconds
NUMBER_MAX = 1 << 53  # what a script counts exactly
TARGET_NAME_MAX = 100

# What a line of history may say besides time and target, and what is drawn of it.
NUMBERS = ("campaign", "seconds", "executions", "steps", "corpus", "edges", "afl_edges", "marks", "triples", "findings")
LEVELS = ("edges", "afl_edges", "marks", "triples", "corpus")
RATES = {"executions_per_second": "executions", "messages_per_second": "steps"}  # of what: what they count

TRIPLE = re.compile(r"(.+): state (\d+) operation (0x[0-9a-f]+) (\w+)")
OPERATION = re.compile(r"^OPERATION\(\w+, (\w+), (\w+), \w+,\s*(\w+),\s*.*?,\s*(\w+),\s*\"", re.M | re.S)
SYSCALL = re.compile(r"SYSCALL_(\w+) = (0x[0-9a-f]+)")
NO_OPERATIONS = ("procd says", "kernel boot")  # groups of a service whose number is not an operation's


# --- history -------------------------------------------------------------------------------------

def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= NUMBER_MAX


def read_line(line):
    """(row, None) of a line of history, or (None, what is wrong)."""
    try:
        row = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None, "is no line of JSON" + ("" if line.endswith(b"\n") else ": it was cut off")
    if not isinstance(row, dict) or not isinstance(row.get("target"), str) or not is_number(row.get("time")):
        return None, "has no time or no target"
    if not row["target"] or len(row["target"]) > TARGET_NAME_MAX or row["time"] > TIME_MAX:
        return None, "has a time or a target that cannot be"
    row = {name: value for name, value in row.items() if name in ("time", "target", *NUMBERS) and value is not None}
    wrong = [name for name in NUMBERS if name in row and not is_number(row[name])]
    return (None, f"{wrong[0]} is no number of anything") if wrong else (row, None)


def not_a_file(path, skipped):
    """Whether a path is a FIFO, for whose writer a reader would wait, or anything else than a file; says so."""
    if not os.path.exists(path) or os.path.isfile(path):
        return False
    skipped.append(f"{path}: not a file")
    return True


def read_history(path, skipped):
    """{time: its lines} of all campaigns, in the order of time. Of a target that did nothing since its last line there is
    none: most of the time most targets wait for their turn."""
    moments, last = {}, {}
    if not_a_file(path, skipped):
        return moments
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                row, wrong = read_line(line)
                if row:
                    rows = moments.setdefault(row["time"], [])
                    said = {name: value for name, value in row.items() if name != "time"}
                    if last.get(row["target"]) != said:
                        rows.append(row)
                    last[row["target"]] = said
                elif line.strip():
                    skipped.append(f"{path}, line {number}: {wrong}")
    except FileNotFoundError:
        pass
    except OSError as error:
        skipped.append(f"{path}: {error.strerror}")
    return dict(sorted(moments.items()))


def is_another(row, before):
    """Whether a line is of another campaign than the target's line before."""
    return before is not None and (row.get("campaign") != before.get("campaign") or
                                   row.get("executions", 0) < before.get("executions", 0))


class Clock:
    """Campaign time: the seconds of all campaigns, one behind the other, without the time between them. A campaign begins
    after a gap, where a target's line says so, or where its executions are fewer than before."""

    def __init__(self, moments):
        self.spans = []  # [begin, end, what campaigns before took]
        before = {}
        for moment, rows in moments.items():
            last = self.spans[-1] if self.spans else None
            if last is None or moment - last[1] > GAP_SECONDS or any(is_another(row, before.get(row["target"])) for row in rows):
                said = [row["campaign"] for row in rows if row.get("campaign", moment) < moment]
                begin = max(min(said, default=moment - LINE_SECONDS), last[1] + 0.5 if last else 0)
                self.spans.append([begin, moment, last[2] + last[1] - last[0] if last else 0])
                before = {}
            self.spans[-1][1] = moment
            before.update((row["target"], row) for row in rows)
        self.begins = [span[0] for span in self.spans]

    def total(self):
        return self.spans[-1][2] + self.spans[-1][1] - self.spans[-1][0] if self.spans else 0

    def place(self, moment):
        """(campaign, campaign time) of a moment, or None when no campaign ran then."""
        at = bisect.bisect_right(self.begins, moment) - 1
        if at < 0 or moment > self.spans[at][1] + 2 * LINE_SECONDS:
            return None
        begin, end, before = self.spans[at]
        return at, before + min(moment, end) - begin


class Series:
    """One target's points, or those of all together. Of more than POINTS_MAX the last of each stretch of time stays."""

    def __init__(self, name, step):
        self.name, self.step = name, step
        self.points = []
        self.sums = {}

    def add(self, x, moment, levels, grown):
        """A point; `grown`: {rate: (how much, in how many seconds)} since the last."""
        stretch = math.floor(x / self.step) if self.step else x
        if self.points and self.points[-1]["stretch"] == stretch:
            self.points.pop()
        else:
            self.sums = {}
        for name, (amount, seconds) in grown.items():
            before = self.sums.get(name, (0, 0))
            self.sums[name] = (before[0] + amount, before[1] + seconds)
        self.points.append({"stretch": stretch, "x": x, "t": moment, **levels,
                            **{name: amount / seconds for name, (amount, seconds) in self.sums.items() if seconds > 0}})

    def columns(self):
        """As the page reads it: {"name", "x", "t", one list for each quantity that has a value}."""
        found = {name: [shortened(point.get(name)) for point in self.points] for name in ("x", "t", *LEVELS, *RATES)}
        return {"name": self.name, **{name: values for name, values in found.items() if any(one is not None for one in values)}}


def shortened(value):
    return value if value is None or isinstance(value, int) else round(value, 3 if value < 100 else 1)


def grown_since(row, before, rate):
    """(how much, in how many seconds of turns) a target did since its last line; none where nobody counted."""
    amount, seconds = (row.get(name, 0) - before.get(name, 0) for name in (RATES[rate], "seconds"))
    return (amount, seconds) if amount > 0 and seconds > 0 else (0, 0)


class History:
    """What is drawn of the history, and where findings lie in it."""

    def __init__(self, moments):
        self.clock = Clock(moments)
        step = self.clock.total() / POINTS_MAX if len(moments) > POINTS_MAX else 0
        self.every = Series("", step)
        self.single = {}
        self.lines = collections.defaultdict(list)  # target: [(campaign, line)]
        self.grew = {}  # target: when it last had a new input or mark
        self.levels = {}  # of each target; before its first turn what it had after it, since it had most of that from its corpus
        for rows in moments.values():
            for row in rows:
                known = self.levels.setdefault(row["target"], {})
                known.update({level: row[level] for level in LEVELS if row.get(level) and level not in known})
        previous = 0
        for moment, rows in moments.items():
            at, x = self.clock.place(moment)
            total = collections.Counter()
            for row in rows:
                total.update(self.take(at, x, moment, row, self.single.setdefault(row["target"], Series(row["target"], step))))
            sums = {level: sum(known.get(level, 0) for known in self.levels.values()) or None for level in LEVELS}
            self.every.add(x, moment, sums, {rate: (total[rate], x - previous) for rate in RATES if total[rate]})
            previous = x
        for name, one in self.single.items():
            if one.points[-1]["x"] < previous:
                one.add(previous, moment, self.levels[name], {})

    def take(self, at, x, moment, row, one):
        """One line of a target; how much it did since the last, by rate."""
        lines = self.lines[row["target"]]
        before = lines[-1][1] if lines and lines[-1][0] == at else {}
        lines.append((at, row))
        if any(row.get(name, 0) > before.get(name, math.inf) for name in ("marks", "corpus")):
            self.grew[row["target"]] = x
        known = self.levels[row["target"]]
        known.update({level: row[level] for level in LEVELS if row.get(level)})
        one.add(x, moment, known, {rate: grown_since(row, before, rate) for rate in RATES})
        return {rate: max(0, row.get(counter, 0) - before.get(counter, 0)) for rate, counter in RATES.items()}

    def all_series(self):
        return [self.every, *(self.single[name] for name in sorted(self.single))]

    def last(self, name):
        """The last line of a target, or {}."""
        return self.lines[name][-1][1] if name in self.lines else {}

    def executions(self, name=None):
        """Of all campaigns together, of one target or of all."""
        last = {(target, at): row.get("executions", 0) for target, lines in self.lines.items() for at, row in lines
                if name in (None, target)}
        return sum(last.values())

    def executions_at(self, name, moment):
        """What a target had done in the campaign that ran then; None: the history does not say."""
        place = self.clock.place(moment)
        rows = [row for at, row in self.lines.get(name, ()) if place and at == place[0]]
        later = [row for row in rows if row["time"] >= moment] or rows[-1:]
        return later[0].get("executions") if later else None


# --- what inputs reach ---------------------------------------------------------------------------

class Harness:
    """One row of the table: its inputs and what they reach."""

    def __init__(self, name):
        self.name = name
        self.counts = {"corpus": [0, 0], "findings": [0, 0]}  # inputs, bytes
        self.marks = {"corpus": set(), "findings": set()}
        self.reaching = collections.defaultdict(list)  # mark: [path]
        self.floors = 0


def marks_of_each(name, folder, skipped):
    """{path: its marks} of the inputs in a folder, each by itself. One that fails or is no input is named."""
    found, left_out, here = {}, set(), folder
    with tempfile.TemporaryDirectory() as rest:
        for attempt in range(engines.FAILING_INPUTS_MAX):
            status, output = build.run(build.bound([f"build/shipped/{name}", "--marks-each", here]), 3600)
            base = None
            for line in output.splitlines():
                if line.startswith("input "):
                    base = line[len("input "):]
                    found[f"{folder}/{base}"] = set()
                elif line.startswith("mark ") and base:
                    found[f"{folder}/{base}"].add(line[len("mark "):])
            if status == 0:
                return found
            wrong = re.search(rf"^(?:failing input: )?{re.escape(here)}/(.+?)(?:: (.*)| \(\w+\))$", output, re.M)
            if wrong is None or wrong[1] in left_out:
                skipped.append(f"{folder}: {build.shorten(output, 1) or 'cannot be replayed'}")
                return found
            left_out.add(wrong[1])
            if os.path.lexists(f"{folder}/{wrong[1]}"):  # else the campaign that runs now took it away
                skipped.append(f"{folder}/{wrong[1]}: {wrong[2] or 'fails, so that it has no marks; ./basalt show FILE shows how'}")
            here = f"{rest}/{attempt}"
            os.mkdir(here)
            for entry in os.listdir(folder):
                if entry not in left_out and f"{folder}/{entry}" not in found:
                    os.symlink(os.path.abspath(f"{folder}/{entry}"), f"{here}/{entry}")
            if not os.listdir(here):
                return found
    return found


def read_harness(name, skipped):
    """The harness with its committed inputs and the working ones."""
    harness = Harness(name)
    for parent, folder in (("corpus", f"corpus/{name}"), ("findings", f"findings/{name}/corpus")):
        if not os.path.isdir(folder):
            continue
        for path, marks in marks_of_each(name, folder, skipped).items():
            if not os.path.exists(path):
                continue
            harness.counts[parent][0] += 1
            harness.counts[parent][1] += os.path.getsize(path)
            harness.marks[parent] |= marks
            for mark in marks:
                harness.reaching[mark].append(path)
    try:
        harness.floors = sum(bool(line) and not line.startswith("#") for line in campaign.text_of(f"corpus/{name}/FLOORS").splitlines())
    except (OSError, ValueError) as error:
        skipped.append(f"corpus/{name}/FLOORS: {getattr(error, 'strerror', None) or 'is no text'}")
    return harness


def read_harnesses(skipped):
    names = campaign.with_corpus()
    build.must_build(*[f"build/shipped/{name}" for name in names])
    said = {name: [] for name in names}
    found = [harness for _, harness in checks.each(lambda name: read_harness(name, said[name]), names)]
    skipped += [line for name in names for line in said[name]]
    return found


def best(paths):
    """The input to look at: committed before working, text before bytes, then the smallest."""
    return min(paths, key=lambda path: (not path.startswith("corpus/"), not path.endswith(".trace"),
                                        os.path.getsize(path) if os.path.exists(path) else math.inf, path))


# --- state x operation x verdict -----------------------------------------------------------------

Row = collections.namedtuple("Row", "service name state")  # of a table; state: LIVE, or declared only


def tables():
    """({id: Row} of every operation, services in the order of their tables, verdicts in the order of theirs)."""
    rows, services = {}, []
    for path in sorted(glob.glob("abi/messages/*.def")):
        for service, name, number, state in OPERATION.findall(source_checks.read(path)):
            rows[int(number, 0)] = Row(service, name, state)
            if service not in services:
                services.append(service)
    return rows, services, re.findall(r"^STATUS\((\w+),", source_checks.read("abi/status.def"), re.M)


def named_marks(harness):
    """[(mark, paths)] of what a harness marks besides triples, in order."""
    return sorted((mark, paths) for mark, paths in harness.reaching.items() if not TRIPLE.fullmatch(mark))


class Matrix:
    """What one service, or one group of marks of no service, answered: cells[operation][verdict][state] = paths."""

    def __init__(self, name, operations):
        self.name = name
        self.cells = {operation: {} for operation in operations}
        self.live = dict(operations)

    def add(self, operation, verdict, state, paths):
        cell = self.cells.setdefault(operation, {}).setdefault(verdict, {})
        cell.setdefault(state, set()).update(paths)

    def verdicts(self, order):
        found = {verdict for row in self.cells.values() for verdict in row}
        return sorted(found, key=lambda verdict: (order.index(verdict) if verdict in order else len(order), verdict))

    def triples(self):
        return sum(len(states) for row in self.cells.values() for states in row.values())

    def missing(self):
        """[(operation, verdict)] that the tables ask for (T2) and no input reaches."""
        return [(operation, wanted) for operation, state in self.live.items()
                for wanted, there in (("accepted", "OK" in self.cells[operation]),
                                      ("refused", any(verdict != "OK" for verdict in self.cells[operation])))
                if not there and (wanted == "refused" or state == "LIVE")]


def state_key(state):
    """States in the order of what qualifies them, then of their numbers."""
    words, _, number = state.rpartition(" ")
    return words, int(number)


def matrices(harnesses):
    """(those of services, those of other groups, verdicts in order). A triple belongs to the service of its operation."""
    rows, services, order = tables()
    found = {service: Matrix(service, {row.name: row.state for row in rows.values() if row.service == service})
             for service in services}
    names = {("kernel", int(number, 0)): f"syscall {name.lower()}" for name, number in SYSCALL.findall(source_checks.read("abi/system.h"))}
    names.update({(service, 0): "no row" for service in services})  # what harnesses mark of numbers without one
    others = {}
    for harness in harnesses:
        for mark, paths in sorted(harness.reaching.items()):
            triple = TRIPLE.fullmatch(mark)
            if not triple:
                continue
            group, state, number, verdict = triple.groups()
            row = rows.get(int(number, 0))
            owner = group.split(" ")[0].replace("-", "")
            if not group.startswith(source_checks.SERVICE_MARKS) or group in NO_OPERATIONS or not (row or owner in found):
                label = f"{row.service}.{row.name}" if row and group not in NO_OPERATIONS and row.name != "" else number
                others.setdefault(group, Matrix(group, {})).add(label, verdict, state, paths)
                continue
            service = row.service if row else owner
            qualifier = group.removeprefix(service).replace("start-up", "").strip()
            found[service].add(row.name if row else names.get((service, int(number, 0)), number), verdict, f"{qualifier} {state}".strip(), paths)
    return list(found.values()), [others[group] for group in sorted(others)], order


# --- findings, mutants, coverage -----------------------------------------------------------------

def read_findings(history, skipped):
    """Every finding with its place in the history, the last one first."""
    found = []
    for path in sorted(glob.glob(f"findings/*/{triage.FOLDER}/*")):
        try:
            if os.path.isdir(path):
                found.append(told(triage.load(path), history))
        except (build.Stop, OSError, ValueError, OverflowError) as wrong:
            skipped.append(str(wrong).split(";")[0] if isinstance(wrong, build.Stop) else f"{path}: is no finding: {wrong}")
    return sorted(found, key=lambda one: one["t"], reverse=True)


def told(finding, history):
    moment = datetime.datetime.fromisoformat(finding.facts["found"]).timestamp()
    place = history.clock.place(moment)
    return {"identity": finding.identity, "target": finding.target, "headline": finding.facts["headline"],
            "state": finding.facts["state"], "open": finding.is_open(), "t": moment, "inputs": finding.facts["inputs"],
            "x": place and place[1], "after": place and place[1] - history.clock.spans[place[0]][2],
            "executions": history.executions_at(finding.target, moment),
            "input": finding.text() or (finding.input if os.path.exists(finding.input) else None),
            "path": finding.path, "kept": finding.facts.get("kept")}


class Judged:
    """The verdicts of one call of ./basalt mutate."""

    def __init__(self, path):
        self.path = path
        self.seed = os.path.basename(path).split("-")[0]
        self.time = os.path.getmtime(path)
        self.tally = collections.Counter()
        self.kinds = collections.defaultdict(collections.Counter)
        self.survivors = []

    def add(self, site, outcome):
        self.tally[outcome] += 1
        self.kinds[site.kind][outcome] += 1
        if outcome == "survived":
            self.survivors.append((site.path, site.kind, *patch_of(site)))


def caught(tally):
    """(caught, counted) of a tally of outcomes."""
    there = sum(tally[outcome] for outcome in (*mutate.NOTICED, "survived"))
    return there - tally["survived"], there


def patch_of(site):
    """(line, the patch that was written of a survivor); without a patch when that is gone, or the source is another now."""
    try:
        line = site.lines(source_checks.read(site.path))[0]
    except (OSError, ValueError):
        return None, None
    name = re.sub(r"[/.]", "-", site.path)
    found = glob.glob(f"{mutate.HOME}/{glob.escape(name)}-{line}-{glob.escape(site.kind)}-*.patch")
    return line, found[0] if len(found) == 1 else None


def read_verdict(line):
    """(site, outcome) of a line that mutate wrote; ValueError for any other."""
    try:
        site, verdict = json.loads(line.decode())
        site, verdict = mutate_sites.Site(*site), mutate.Verdict(*verdict)
    except (TypeError, RecursionError):
        raise ValueError from None
    if verdict.outcome not in mutate.OUTCOMES or site.kind not in mutate_sites.KINDS or not isinstance(site.path, str) or \
            not isinstance(site.start, int) or not isinstance(site.end, int) or not isinstance(site.new, str):
        raise ValueError
    return site, verdict.outcome


def is_equivalent(known, site):
    try:
        return known.of(site, source_checks.read(site.path)) is not None
    except (OSError, ValueError):
        return False


def read_mutants(skipped):
    """The calls of mutate whose verdicts are kept, the last one first. What is recorded as no bug by now does not count."""
    found, known = [], mutate.equivalents()
    for path in glob.glob(f"{mutate.HOME}/*.jsonl"):
        if not_a_file(path, skipped):
            continue
        try:
            judged = Judged(path)
            for number, line in enumerate(read(path).splitlines(keepends=True), 1):
                try:
                    site, outcome = read_verdict(line)
                    judged.add(site, "equivalent" if outcome == "survived" and is_equivalent(known, site) else outcome)
                except ValueError:
                    skipped.append(f"{path}, line {number}: is no verdict of ./basalt mutate")
            found.append(judged)
        except OSError as error:
            skipped.append(f"{path}: {error.strerror}")
    return sorted(found, key=lambda one: one.time, reverse=True)


def read_cover(skipped):
    """What ./basalt cover measured last, or None."""
    if not_a_file(cover.KEPT, skipped):
        return None
    try:
        kept = json.loads(read(cover.KEPT).decode())
        columns = [name for name in ("lines", "branches", "conditions") if all(name in unit for unit in kept["units"])]
        units = [(str(unit["name"]), {name: [int(part) for part in unit[name]] for name in columns}) for unit in kept["units"]]
        if not {"lines", "branches"} <= set(columns) or not is_number(kept["time"]) or \
                any(len(pair) != 2 or not 0 <= pair[0] <= pair[1] for _, pairs in units for pair in pairs.values()):
            raise ValueError
        return {"commit": str(kept["commit"]), "time": min(kept["time"], TIME_MAX), "units": units, "columns": columns}
    except FileNotFoundError:
        return None
    except OSError as error:
        skipped.append(f"{cover.KEPT}: {error.strerror}")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        skipped.append(f"{cover.KEPT}: is nothing that ./basalt cover wrote")
    return None


class Report:
    """Everything, read once."""

    def __init__(self):
        self.skipped = []
        self.time = time.time()
        self.commit = triage.commit()
        self.history = History(read_history(HISTORY, self.skipped))
        self.harnesses = read_harnesses(self.skipped)
        self.services, self.groups, self.order = matrices(self.harnesses)
        self.findings = read_findings(self.history, self.skipped)
        self.mutants = read_mutants(self.skipped)
        self.cover = read_cover(self.skipped)

    def words(self):
        """One line of what is in it."""
        inputs = sum(count for harness in self.harnesses for count, _ in harness.counts.values())
        return (f"{counted(len(self.harnesses), 'harness').replace('harnesss', 'harnesses')}, {counted(inputs, 'input')}, "
                f"{counted(sum(matrix.triples() for matrix in self.services), 'triple')} of services, "
                f"{counted(len(self.history.every.points), 'point')} of history, {counted(len(self.findings), 'finding')}")
