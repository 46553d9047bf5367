# SPDX-License-Identifier: ISC
"""./basalt triage: findings as folders. findings/TARGET/found/NAME is one bug: `input` (the smallest that
shows it), `input.trace` (the same as text, where it has one), `report.txt`, `finding.json`, and in inputs/ every
input that showed it, as the engines left it. Lists them, shows one, keeps one as a regression, names the commit
that began it. An input moves; it is never copied away or written over."""

import collections
import datetime
import glob
import json
import os
import re
import shutil
import subprocess
import sys

import build
import engines
import findings
from findings import counted, read

FOLDER = "found"
RUNS = 3  # of the input that shows a finding for the first time
NAME_MAX = 80  # characters of a finding's name
LIST_NAME_MAX = 56
OPEN = ("certain", "flaky", "unreproduced")  # "fixed": it passes now

FACTS = {"target": str, "key": list, "headline": str, "state": str, "found": str, "inputs": int, "said": str, "commit": str}

STATES = {
    "certain": f"failed in each of {RUNS} runs",
    "flaky": "failed in some runs and passed in others",
    "unreproduced": "failed in the engine and passes when it is run alone: what ran before it, or the load, counted",
    "fixed": "passes now",
}


# --- names ---------------------------------------------------------------------------------------

def name_of(verdict):
    """A short name of what a verdict says, for people: what is broken, then where. Different bugs may have
    the same; Folder.of tells those apart by their keys."""
    parts = []
    property_name = re.match(r"property (\S+) does not hold", verdict.headline)
    summary = re.match(r"SUMMARY: \w+: ([\w-]+)", verdict.headline)
    step = re.fullmatch(r"(?:\w+\.|@)(\w+)(?: predicted (\w+), got (\w+))?", verdict.key[-1])
    if property_name:
        parts.append(property_name[1])
    elif summary:
        parts += [summary[1], *verdict.key[1:2]]
    elif verdict.headline.startswith(findings.SHIPPED_DIFFER):
        parts.append("shipped-differs")
    else:
        parts.append(re.split(r"[ :]", verdict.headline)[0])
    if step:
        parts += [part for part in step.groups() if part]
    return re.sub(r"[^\w.-]+", "-", "-".join(parts)).strip("-.")[:NAME_MAX] or "finding"


# --- folders -------------------------------------------------------------------------------------

class Finding:
    """One folder. `facts` is what finding.json holds."""

    def __init__(self, path, facts):
        self.path = path
        self.facts = facts

    @property
    def target(self):
        return self.facts["target"]

    @property
    def identity(self):
        return f"{self.target}/{os.path.basename(self.path)}"

    @property
    def input(self):
        return f"{self.path}/input"

    def is_open(self):
        return self.facts["state"] in OPEN

    def save(self):
        findings.write(f"{self.path}/finding.json", (json.dumps(self.facts, indent=1) + "\n").encode())

    def is_described(self):
        """False until the last of its files is there: whoever took its first input was killed."""
        return os.path.exists(f"{self.path}/report.txt")

    def inputs(self):
        return sorted(glob.glob(f"{self.path}/inputs/*"))

    def text(self):
        """The path of its trace, or None."""
        path = f"{self.path}/input.trace"
        return path if os.path.exists(path) else None

    def take(self, path):
        """One more input that shows it. One that is there already goes: it is the same bytes."""
        os.makedirs(f"{self.path}/inputs", exist_ok=True)
        os.replace(path, f"{self.path}/inputs/{os.path.basename(path)}")
        self.facts["inputs"] = len(self.inputs())


def load(path):
    try:
        with open(f"{path}/finding.json", encoding="utf-8") as file:
            facts = json.load(file)
        if not isinstance(facts, dict) or not all(isinstance(facts.get(name), kind) for name, kind in FACTS.items()):
            raise ValueError
    except (OSError, ValueError):
        raise build.Stop(f"{path}/finding.json: unreadable, or of another version; move {path} away, and run its "
                         f"inputs again: ./basalt show FILE", 2) from None
    return Finding(path, facts)


def of_target(home):
    return [load(path) for path in sorted(glob.glob(f"{home}/{FOLDER}/*")) if os.path.isdir(path)]


def all_findings():
    return [finding for path in sorted(glob.glob(f"findings/*/{FOLDER}")) for finding in of_target(os.path.dirname(path))]


def commit():
    """The tree that was fuzzed, as git names it; "" outside a repository."""
    try:
        said = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return said.stdout.strip()


def make(home, name, verdict, state, said):
    """A new folder for a finding that no other has. It is there with its facts or not at all, whenever this is killed."""
    base = name_of(verdict) if verdict else "unreproduced"
    for number in range(1, 1 << 16):
        path = f"{home}/{FOLDER}/{base}" + (f"-{number}" if number > 1 else "")
        if not os.path.exists(path):
            break
    part = f"{home}/{FOLDER}/.part"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(f"{part}/inputs")
    made = Finding(part, {
        "target": name, "headline": verdict.headline if verdict else said, "key": list(verdict.key) if verdict else [said],
        "state": state, "said": said, "inputs": 0, "commit": commit(),
        "found": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    })
    made.save()
    os.rename(part, path)
    made.path = path
    return made


# --- taking in -----------------------------------------------------------------------------------

def certainty(name, path, verdict):
    """How sure a failure is, after RUNS runs of which the first gave the verdict (None: it passed)."""
    if verdict is not None and verdict.headline.startswith(("hang", "no end")):
        return "certain", verdict  # each run more takes the whole time limit
    verdicts = [verdict] + [findings.verdict_of(name, path) for _ in range(RUNS - 1)]
    failed = [one for one in verdicts if one is not None]
    if not failed:
        return "unreproduced", None
    return "certain" if len(failed) == RUNS else "flaky", failed[0]


def expectation(output):
    """What should have happened and what did, of a failing step; "" where no model predicted."""
    step = findings.STEP.findall(output)
    return "{}: the model says {}, the service {}\n".format(*step[-1]) if step else ""


def describe(finding, verdict, shrink):
    """Writes the folder's input, its text and its report."""
    smallest = min(finding.inputs(), key=lambda path: (os.path.getsize(path), path))
    small, notes = read(smallest), []
    if verdict is not None and shrink:
        try:
            small, verdict = findings.shrunk(finding.target, smallest, verdict)
        except OSError as error:
            notes.append(f"not shrunk: {error.strerror}")
    findings.write(finding.input, small)
    text = findings.as_trace(finding.target, finding.input, verdict) if verdict is not None else None
    size = os.path.getsize(smallest)
    if len(small) < size:
        notes.append(f"shrunk: {size} bytes to {len(small)}" + (
            f", {len(findings.frames(read(smallest)))} steps to {len(findings.frames(small))}"
            if engines.has_steps(finding.target) else ""))
    shown = text or finding.input
    report = "\n".join([
        finding.facts["headline"], f"{finding.facts['state']}: {STATES[finding.facts['state']]}",
        f"found {finding.facts['found']} at {finding.facts['commit'] or 'an unknown commit'}", "",
        *([expectation(verdict.output) + findings.excerpt(verdict.output)] if verdict else [f"the engine: {finding.facts['said']}"]),
        *notes,
        f"again:  ./basalt show {shown}",
        f"keep:   ./basalt triage {finding.identity} --keep NAME",
        f"since:  ./basalt triage --bisect {finding.identity}",
    ]) + "\n"
    findings.write(f"{finding.path}/report.txt", report.encode())
    finding.facts.update(bytes=len(small), shrunk=verdict is not None and shrink)


def tell(finding, verdict, shrink):
    describe(finding, verdict, shrink)
    print(f"\nfinding {finding.identity}\n{read(f'{finding.path}/report.txt').decode(errors='replace')}", end="", flush=True)


def complete(finding, shrink):
    """A finding that nobody was told of, because whoever took its first input was killed then. False: before that,
    so that it has none, and the folder goes."""
    if not finding.inputs():
        if not os.path.exists(finding.input):
            shutil.rmtree(finding.path)
        return False
    verdict = findings.verdict_of(finding.target, finding.inputs()[0])
    if verdict is None and finding.facts["state"] == "certain":
        finding.facts["state"] = "fixed"
    finding.facts["inputs"] = len(finding.inputs())
    tell(finding, verdict, shrink)
    finding.save()
    return True


def take_in(name, home, paths, old, said, shrink=True):
    """Sorts artefacts into findings; prints what is new. `old`: those that no engine saw fail in this campaign;
    `said`: the engines' words for the others. Returns the findings that have one input more."""
    known = {tuple(finding.facts["key"]): finding for finding in of_target(home)}
    touched = []
    for path in paths:
        verdict = findings.verdict_of(name, path)
        finding = known.get(tuple(verdict.key)) if verdict else None
        state = "certain"
        if finding is None:
            state, verdict = certainty(name, path, verdict)
            if state == "unreproduced" and path in old and not os.path.basename(path).startswith(findings.ALONE_PASSES):
                findings.set_aside(home, path)
                continue
            words = re.sub(r"^==\d+==\s*", "", said.get(path, "an engine of an earlier campaign did not say why"))
            key = tuple(verdict.key) if verdict else (words,)
            finding = known.get(key)
        is_new = finding is None
        if is_new:
            finding = known[key] = make(home, name, verdict, state, words)
        elif finding.facts["state"] == "fixed":
            finding.facts["state"] = state
        finding.take(path)
        if is_new:
            tell(finding, verdict, shrink)
        finding.save()
        if finding not in touched:
            touched.append(finding)
    for finding in known.values():
        if not finding.is_described() and complete(finding, shrink) and finding not in touched:
            touched.append(finding)
    for finding in touched:
        print(f"{finding.identity}: {finding.facts['state']}, {counted(finding.facts['inputs'], 'input')}", flush=True)
    return touched


# --- the command ---------------------------------------------------------------------------------

def chosen(identity):
    """The finding of that name: TARGET/NAME, or as much of its end or its path as no other has."""
    wanted = identity.removeprefix("findings/").replace(f"/{FOLDER}/", "/").rstrip("/")
    known = all_findings()
    exact = [finding for finding in known if finding.identity == wanted]
    fitting = exact or [finding for finding in known if wanted in finding.identity]
    if not fitting:
        raise build.Stop(f"there is no finding '{identity}'; ./basalt triage lists them", 2)
    if len(fitting) > 1:
        raise build.Stop(f"'{identity}' is {', '.join(finding.identity for finding in fitting)}: name one", 2)
    return fitting[0]


def run_again(finding):
    """Runs a finding's input as the tree is now, and writes its state down. What it shows, or None."""
    build.must_build(*[f"build/{variant}/{build.known_harness(finding.target)}" for variant in ("asan", "libfuzzer", "shipped")])
    if not finding.is_described() and not complete(finding, True):
        raise build.Stop(f"{finding.identity} had no input, since a campaign was killed when it made it: the next one does", 2)
    verdict = findings.verdict_of(finding.target, finding.input)
    state = finding.facts["state"]
    if verdict is None and state == "certain":
        finding.facts["state"] = "fixed"
    elif verdict is not None and state != "flaky":
        finding.facts["state"] = "certain"
    finding.save()
    return verdict


def listing(known):
    if not known:
        print("no findings; ./basalt fuzz looks for some")
        return 0
    width = min(LIST_NAME_MAX, max(len(finding.identity) for finding in known))
    print(f"{'finding':{width}}  {'state':12}  inputs  bytes  found")
    for finding in known:
        facts = finding.facts
        print(f"{finding.identity:{width}}  {facts['state']:12}  {facts['inputs']:6}  {facts.get('bytes', 0):5}  "
              f"{facts['found'][:16].replace('T', ' ')}" + (f"  kept as {facts['kept']}" if facts.get("kept") else ""))
    states = collections.Counter(finding.facts["state"] for finding in known)
    print(f"{counted(len(known), 'finding')}: " + ", ".join(f"{states[state]} {state}" for state in STATES if states[state]))
    return 1 if any(finding.is_open() for finding in known) else 0


def keep(finding, name):
    """The input becomes corpus/TARGET/regress-NAME, as text where it has one."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise build.Stop(f"'{name}' is no name of a regression: lower-case letters, digits and hyphens", 2)
    source = finding.text() or finding.input
    target = f"corpus/{finding.target}/regress-{name}" + (".trace" if finding.text() else "")
    taken = glob.glob(f"corpus/{finding.target}/regress-{name}") + glob.glob(f"corpus/{finding.target}/regress-{name}.trace")
    if taken:
        raise build.Stop(f"{taken[0]} is there already: another name, or remove it first", 2)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    findings.write(target, read(source))
    finding.facts["kept"] = target
    finding.save()
    print(f"{target}: commit it with what mends the bug; then ./basalt bless {finding.target}")
    return 0


# --- bisection -----------------------------------------------------------------------------------

class Past:
    """The tree as it was at any commit, in a folder of its own."""

    def __init__(self, finding):
        self.finding = finding
        self.folder = os.path.abspath(f"findings/{finding.target}/bisect")
        self.seen = {}

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        git("worktree", "prune")
        git("worktree", "add", "--detach", "--force", self.folder, "HEAD")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)
        git("worktree", "prune")

    def shows(self, name):
        """Whether the finding shows at a commit; None: nobody can say, since it does not build or reads the input
        as something else."""
        if name not in self.seen:
            self.seen[name] = self.look(name)
            print(f"{name[:12]} {subject(name)}: " +
                  {True: "fails", False: "passes", None: "cannot say"}[self.seen[name]], flush=True)
        return self.seen[name]

    def look(self, name):
        target = self.finding.target
        git("-C", self.folder, "checkout", "--detach", "--force", name)
        worked, _ = build.ninja(f"build/asan/{target}", folder=self.folder)
        if not worked:
            return None
        source = os.path.abspath(self.finding.text() or self.finding.input)
        status, output = build.run(build.bound([f"{self.folder}/build/asan/{target}", "--trace", source]),
                                   2 * engines.INPUT_SECONDS_MAX)
        verdict = findings.verdict(status, output)
        if verdict is None:
            return False
        same = verdict.headline.split(" does not hold")[0] == self.finding.facts["headline"].split(" does not hold")[0]
        return True if same or tuple(self.finding.facts["key"]) == verdict.key else None


def git(*arguments):
    said = subprocess.run(["git", *arguments], capture_output=True, text=True)
    if said.returncode != 0:
        raise build.Stop(f"git {' '.join(arguments)}: {said.stderr.strip()}", 2)
    return said.stdout.strip()


def subject(name):
    return git("show", "--no-patch", "--format=%s", name)


def bisect(finding):
    """Names the commit that began it: first back in ever longer steps until one passes, then by halves."""
    commits = git("rev-list", "--first-parent", "HEAD").splitlines()
    with Past(finding) as past:
        if past.shows(commits[0]) is not True:
            raise build.Stop(f"{finding.identity} does not show at HEAD: nothing to look for; is what began it committed?", 1)
        bad, step, good = 0, 1, None
        while good is None:
            at = min(bad + step, len(commits) - 1)
            said = past.shows(commits[at])
            if said is False:
                good = at
            elif at == len(commits) - 1:
                raise build.Stop(f"it shows at {commits[bad][:12]} already, and nobody can say before: no commit began it", 1)
            else:
                bad, step = (at, 2 * step) if said else (bad, 2 * step)
        while True:
            between = [at for at in range(bad + 1, good) if past.seen.get(commits[at], True) is not None]
            if not between:
                break
            at = between[len(between) // 2]
            said = past.shows(commits[at])
            if said is not None:
                bad, good = (at, good) if said else (bad, at)
    first = commits[bad]
    unsure = [name[:12] for name in commits[bad + 1:good]]
    print(f"{finding.identity} began with {first[:12]} {subject(first)}" +
          (f", or with one of {' '.join(unsure)}, which cannot say" if unsure else ""))
    finding.facts["began"] = first
    finding.save()
    return 0


def triage(options):
    if options.finding is None and (options.keep or options.bisect) or options.keep and options.bisect:
        raise build.Stop("--keep NAME and --bisect are for one finding, one of them at a time: ./basalt triage FINDING --keep NAME", 2)
    if options.finding is None:
        return listing(all_findings())
    finding = chosen(options.finding)
    held, busy = None, None
    try:
        held = findings.lock(finding.target, "triage")
    except build.Stop as stop:
        if options.bisect or options.keep:
            raise
        busy = stop
    if busy:
        return show_only(finding, f"not run again, since {busy}")
    with held:
        if options.bisect:
            return bisect(finding)
        if options.keep:
            return keep(finding, options.keep)
        return show_again(finding)


def show_only(finding, why):
    """What is known of a finding that a campaign may be changing."""
    path = f"{finding.path}/report.txt"
    sys.stdout.write(read(path).decode(errors="replace") if os.path.exists(path) else f"{finding.facts['headline']}\n")
    print(f"now:    {why}")
    return 1 if finding.is_open() else 0


def show_again(finding):
    verdict = run_again(finding)
    if verdict is not None and not finding.facts.get("shrunk"):
        describe(finding, verdict, True)  # the campaign was interrupted before it came to that
        finding.save()
    sys.stdout.write(read(f"{finding.path}/report.txt").decode(errors="replace"))
    print(f"now:    {'passes' if verdict is None else verdict.headline}")
    return 1 if finding.is_open() else 0
