# SPDX-License-Identifier: ISC
"""Checks of ./basalt mutate: what each kind of mutation makes of a small file, draws that repeat, verdicts that are right,
runs that go on."""

import argparse
import contextlib
import glob
import itertools
import os
import re
import tempfile
import threading
import time

import build
import campaign
import mutants
import mutate
import mutate_sites
import source_checks

SMALL = """/* if (a < 1) */
#define LIMIT 5
struct pair { uint32_t first, x; uint32_t left; uint32_t right; uint64_t sum; };
static uint32_t join(struct pair *pair, uint32_t a, uint32_t b)
{
    UNIT_ASSERT(a < 3);
    uint32_t made = 0x0f;
    if (a < LIMIT)
        pair->left = made;
    else
        drop(a, b);
    while (b != 0)
        b--;
    return join(pair, a, b);
}
static void pair_visit(const struct pair *pair, void (*visit)(void *, uint64_t), void *context)
{
    if (pair->left != 0)
        visit(context, pair->left + 1);
}
"""
# What every kind makes of it: the line before, the line after.
MADE = {
    "negated": {("if (a < LIMIT)", "if (!(a < LIMIT))"), ("while (b != 0)", "while (!(b != 0))")},
    "bound": {("if (a < LIMIT)", "if (a <= LIMIT)"), ("while (b != 0)", "while (b == 0)")},
    "constant": {("uint32_t made = 0x0f;", "uint32_t made = 0x10;"), ("uint32_t made = 0x0f;", "uint32_t made = 0xe;"),
                 ("while (b != 0)", "while (b != 1)")},
    "deleted": {("pair->left = made;", "{}"), ("drop(a, b);", "{}"), ("b--;", "{}")},
    "swapped": {("drop(a, b);", "drop(b, a);"), ("return join(pair, a, b);", "return join(a, pair, b);"),
                ("return join(pair, a, b);", "return join(pair, b, a);")},
    "member": {("pair->left = made;", "pair->right = made;")},
}
ROWS = """OPERATION(X, x, a, A, 1, FROM_ADMIN, LIVE, "FROM_NOBODY may")
OPERATION(X, x, b, B, 2, FROM_CLIENT | FROM_ADMIN, LIVE, "")
CAP(slot, TYPE(FRAME), RIGHT_SEND) /* RIGHT_READ */
"""
WIDENED = {("OPERATION(X, x, a, A, 1, FROM_ADMIN, LIVE, \"FROM_NOBODY may\")",
            "OPERATION(X, x, a, A, 1, FROM_ADMIN | FROM_CLIENT, LIVE, \"FROM_NOBODY may\")"),
           ("CAP(slot, TYPE(FRAME), RIGHT_SEND) /* RIGHT_READ */", "CAP(slot, TYPE(FRAME), RIGHT_SEND | RIGHT_READ) /* RIGHT_READ */")}
BOOKS, HARNESS = "services/memd/books.c", "memd_life"


def makes(tally):
    """Each kind gives the stated texts and no others, outside of comments, strings, macros, assertions and
    what visits fields for a digest."""
    sites = list(mutate_sites.code_sites("small.c", SMALL, mutate_sites.members_of([SMALL])))
    for kind, wanted in MADE.items():
        made = {site.lines(SMALL)[1:] for site in sites if site.kind == kind}
        tally.say(f"{kind}: what it makes of a small file", made == wanted, f"{sorted(made ^ wanted)}")
    made = {site.lines(ROWS)[1:] for site in mutate_sites.table_sites("x.def", ROWS, ["RIGHT_READ", "RIGHT_SEND"])}
    tally.say("widened: what it makes of rows", made == WIDENED, f"{sorted(made ^ WIDENED)}")
    deleted = next(site for site in sites if site.lines(SMALL)[1] == "drop(a, b);")
    tally.say("a mutant says where it is", deleted.lines(SMALL)[0] == 11 and deleted.function(SMALL) == "join" and
              "-        drop(a, b);\n+        {}\n" in deleted.diff(SMALL), deleted.diff(SMALL))


def draws(tally):
    """The same seed draws the same, another one others; all sites come in the end; every kind has sites in the tree."""
    sites = mutate_sites.sites_of(mutate_sites.sources_of(["memd", "abi/roles.def"]))
    first, again, other = (list(mutate_sites.draw(sites, seed)) for seed in (7, 7, 8))
    tally.say("a seed draws the same mutants again", first == again and first[:50] != other[:50] and sorted(first) == sorted(sites))
    missing = set(mutate_sites.KINDS) - {site.kind for site in first[:100]}
    tally.say("a draw has mutants of every kind", not missing, f"none: {missing}")
    paths = mutate_sites.sources_of([])
    wrong = [path for path in paths if "check" in path or path.startswith("services/runtime/")]
    tally.say("oracles are not mutated, tables are", not wrong and "abi/roles.def" in paths and BOOKS in paths, f"{wrong}")


def site_of(before, after, kind="deleted"):
    text = source_checks.read(BOOKS)
    return mutate_sites.Site(BOOKS, kind, text.index(before), text.index(before) + len(before), after)


def judges(tally):
    """In a copy: an easy one is caught by the model, one of the same code and one that does not compile do not count,
    what nothing can see survives, and the copy is as before."""
    with tempfile.TemporaryDirectory() as folder:
        mutate.copy_with(folder, [f"build/asan/{HARNESS}", f"build/image/{BOOKS[:-2]}.o"])
        judge = mutate.Judge(folder, [], True, 0)
        judge.reached = {made: [name for name in names if name == HARNESS] for made, names in judge.reached.items()}
        tally.say("the harness of memd links its books", judge.harnesses_of(BOOKS) == [HARNESS], f"{judge.harnesses_of(BOOKS)}")
        for name, site, outcome in (
                ("one that the model sees", site_of("places->held_count++;", "{}"), "properties"),
                ("the same code", site_of("places->held_count++;", "places->held_count += 1;"), "same code"),
                ("one that does not compile", site_of("places->held_count++;", "places->nothing++;"), "does not compile"),
                ("one that nothing can see", site_of("generation << MEMD_UNTYPED_INDEX_BITS | untyped_index",
                                                     "(generation << MEMD_UNTYPED_INDEX_BITS) + untyped_index"), "survived")):
            verdict = judge.verdict(site)
            tally.say(f"mutate, {name}: {outcome}", verdict.outcome == outcome, f"{verdict}")
        mutate.write(f"{folder}/services/memd/memd.c", "#error as on a full disk\n")
        try:
            said = judge.verdict(site_of("places->held_count++;", "places->held_count += 2;"))
        except build.Stop as stop:
            said = str(stop)
        tally.say("what is not built without the mutant either has not caught it", "without any mutant" in said, f"{said}")
        tally.say("a judged mutant is taken back", source_checks.read(f"{folder}/{BOOKS}") == source_checks.read(BOOKS))


class Fake:
    """A judge that is interrupted after a few verdicts."""

    def __init__(self, patience):
        self.patience = patience

    def verdict(self, site):
        self.patience -= 1
        if self.patience < 0:
            raise KeyboardInterrupt
        return mutate.Verdict("survived", site.kind)


def goes_on(tally):
    """What was judged before an interruption is not judged again; equivalents are passed over with their reason; a
    survivor is a patch that `./basalt mutants` takes."""
    sites = mutate_sites.sites_of([BOOKS])
    options = argparse.Namespace(seed=5, unit=[BOOKS], no_golden=False, seconds=0)
    text, first = source_checks.read(BOOKS), next(mutate_sites.draw(sites, 5))
    line = "{} {}\n- {}\n+ {}\nwhy: it is\n  the same\n".format(BOOKS, first.function(text), *first.lines(text)[1:])
    known, none, home = mutate.Equivalents(f"# Above.\n\n{line}"), mutate.Equivalents(""), mutate.HOME
    with tempfile.TemporaryDirectory() as mutate.HOME:
        try:
            seen = []
            seen += mutate.judged([Fake(3)], mutate.Log(options), sites, 5, none)
            stopped = False
        except KeyboardInterrupt:
            stopped = True
        with open(mutate.Log(options).path, "a", encoding="ascii") as log:
            log.write('[["services/memd/bo')
        again = list(itertools.islice(mutate.judged([Fake(0)], mutate.Log(options), sites, 5, none), 3))
        tally.say("an interrupted run goes on where it was", stopped and len(again) == 3 and
                  all(verdict.outcome == "survived" for _, _, verdict in again), f"{stopped} {again}"[:300])
        verdict = next(mutate.judged([Fake(0)], mutate.Log(options), sites, 5, known))[2]
        tally.say("an equivalent mutant is passed over", verdict == mutate.Verdict("equivalent", "it is the same"), f"{verdict}")
        path = mutate.keep(first, text, [HARNESS])
        status, output = build.run(["patch", "-p1", "--dry-run", "--force", "-i", path])
        tally.say("a survivor is a patch for ./basalt mutants", status == 0 and mutants.witnesses_of(path) == [HARNESS] and
                  mutants.chosen([path]) == [path], output + campaign.text_of(path))
    mutate.HOME = home


class Pair:
    """A judge that gives no verdict until another is asked as well."""

    both = threading.Barrier(2)

    def verdict(self, site):
        self.both.wait(10)
        return mutate.Verdict("survived", str(site.start))


class Odd:
    """A judge that says where it runs, refuses, or does not come to an end."""

    def verdict(self, site):
        if site.kind == "refused":
            raise build.Stop("no", 2)
        if site.kind == "endless":
            build.run(["sleep", "600"])
        return mutate.Verdict("survived", str(os.getpid()))


def running_in(session):
    """The names of what runs in a session."""
    names = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            name, rest = re.fullmatch(r"\d+ \((.*)\) (.*)\n", source_checks.read(path)).groups()
            state, _, _, its_session = rest.split()[:4]
            names += [name] if int(its_session) == session and state != "Z" else []
    return names


def side_by_side(tally):
    """Several are judged at a time and told in the order of the seed, each in a process that takes along what it runs."""
    sites = mutate_sites.sites_of([BOOKS])
    options = argparse.Namespace(seed=5, unit=[BOOKS], no_golden=False, seconds=0)
    home = mutate.HOME
    with tempfile.TemporaryDirectory() as mutate.HOME:
        got = list(itertools.islice(mutate.judged([Pair(), Pair()], mutate.Log(options), sites, 5, mutate.Equivalents("")), 4))
        wanted = [(site, str(site.start)) for site in itertools.islice(mutate_sites.draw(sites, 5), 4)]
        tally.say("two are judged at a time, in the order of the seed", [(site, verdict.what) for site, _, verdict in got] == wanted,
                  f"{got}"[:300])
    mutate.HOME = home
    worker, of_kind = mutate.Worker(Odd(), 1), sites[0]._replace
    said = worker.verdict(of_kind(kind="usual")).what
    try:
        refused = worker.verdict(of_kind(kind="refused"))
    except build.Stop as stop:
        refused = str(stop), stop.status
    worker.pipe.send(of_kind(kind="endless"))
    while "sleep" not in running_in(worker.process.pid):
        time.sleep(0.05)
    worker.end()
    until = time.monotonic() + 10  # what is killed takes a moment
    while running_in(worker.process.pid) and time.monotonic() < until:
        time.sleep(0.05)
    tally.say("a judge in a process of its own: its verdict, its refusal, its end", said == str(worker.process.pid) and
              refused == ("no", 2) and not running_in(worker.process.pid), f"{said} {refused} {running_in(worker.process.pid)}")


def records(tally):
    """The committed equivalents are well written, and of lines that are there."""
    tally.complaints(f"{mutate.EQUIVALENT} names lines that are there", mutate.equivalents().stale())
    try:
        mutate.Equivalents("a.c f\n- x\n+ y\n")
        tally.say("an equivalent without a reason is refused", False)
    except build.Stop as stop:
        tally.say("an equivalent without a reason is refused", stop.status == 2 and "\n" not in str(stop), str(stop))
    for arguments in (["--unit", "nonsense"], ["--unit", "services/runtime"], ["--count", "0"], ["--seed", "x"]):
        status, output = build.run(["./basalt", "mutate", *arguments], 60)
        tally.say(f"./basalt mutate {' '.join(arguments)} is a usage error", status == 2 and output.count("\n") == 1, output)


def mutate_checks(tally):
    for check in (makes, draws, judges, goes_on, side_by_side, records):
        check(tally)
