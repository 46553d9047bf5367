# SPDX-License-Identifier: ISC
"""./basalt test: every check on one line, and `N passed, M failed` as the last one."""

import collections
import concurrent.futures
import contextlib
import glob
import io
import os
import re
import shutil
import tempfile
import threading
import time

import add_checks
import attacks
import audit
import bad_input_checks
import bench_fuzz
import bench_table
import build
import campaign
import campaign_checks
import command_checks
import console
import cover_checks
import graph
import fuzzbench_checks
import growth
import hostile
import inject
import inputs_checks
import lines
import loader
import longest
import machines
import markdown
import metal
import mutate_checks
import negative
import pack_checks
import operations
import oss_fuzz
import provenance
import report_checks
import ring3
import same
import shares
import source_checks
import sync_checks
import tutorial
import unready

MANY_FAILURES = ("procd_life", "vspaced_life") # these are longest: their traces are failed in parts, side by side
RANDOM_INPUTS = 200
RANDOM_SEED = 20261


OVER = threading.Event() # nobody hears any more what a thread has to say


class Tally:
    def __init__(self, show=lambda line: print(line, flush=True)):
        self.passed = 0
        self.failed = 0
        self.started = time.monotonic()
        self.show = show

    def say(self, name, good, detail="", note=""):
        if OVER.is_set():
            raise build.Stop("interrupted")
        self.passed += bool(good)
        self.failed += not good
        tail = f": {note}" if note and good else ""
        self.show(f"{'ok    ' if good else 'FAILED'} {name}{tail}")
        if not good and detail:
            self.show("       " + detail.rstrip().replace("\n", "\n       "))

    def complaints(self, name, found):
        more = f"\nand {len(found) - 20} more" if len(found) > 20 else ""
        self.say(name, not found, "\n".join(found[:20]) + more)

    def passed_time(self):
        return time.monotonic() - self.started


def each(function, items):
    """Results of function(item) in the order of the items, as many at a time as there are cores. When the one that
    is waited for fails, or somebody interrupts, what runs still ends with the next thing that it has to say."""
    with concurrent.futures.ThreadPoolExecutor(int(build.jobs())) as pool:
        try:
            yield from zip(items, pool.map(function, items))
        except (Exception, KeyboardInterrupt):
            OVER.set()
            raise


def build_all(tally, variants=None):
    """Builds what the checks run, or some variants of it; each variant is a check of its own."""
    targets = build.all_targets()

    def made(variant, rules, *others):
        return [output for output, rule in targets.items()
                if output.startswith(f"build/{variant}/") and rule in rules] + [*others]

    images = [output for output in targets if re.fullmatch(r"build/[^/]+\.img", output)]
    for variant, wanted in (
            ("image", made("image", ("ar", "image", "kernel_link"), *images)),
            ("asan", made("asan", ("harness", "test"), "build/asan/world",
                          *[f"build/asan/world_{program}" for _, program, _ in graph.FAULTS])),
            ("shipped", made("shipped", ("harness", "test"), "build/shipped/world", "build/shipped/world_kill_on_stop",
                             "build/shipped/world_loader_cleanup", "build/shipped/world_loader_changed",
                             inject.PROGRAM, audit.PROGRAM)),
            ("libfuzzer", made("libfuzzer", ("harness",))),
            ("afl", [f"build/afl/{name}" for name in campaign_checks.AFL_HARNESSES] + ["build/afl/mutator.so"]),
            ("fast", ["build/fast/show", "build/fast/abi_tables"])):
        if variants is not None and variant not in variants:
            continue
        before = time.monotonic()
        worked, output = build.ninja(*wanted, keep_going=True)
        tally.say(f"build {variant}", worked, build.shorten(output, 40),
                  f"{len(wanted)} outputs in {time.monotonic() - before:.0f} s")


def check_gcc(tally):
    """gcc is a warning-only build: it reads every unit and writes nothing."""
    units = [path for path in source_checks.sources(".c") if source_checks.is_unit(path)]
    flags = "-std=c17 -Wall -Wextra -Wconversion -Wshadow -Wswitch-enum -Werror -I. -fsyntax-only"
    results = each(lambda path: build.run(["gcc", *flags.split(), path]), units)
    bad = [output for _, (status, output) in results if status != 0]
    tally.say(f"gcc has no warning on {len(units)} units", not bad, build.shorten("".join(bad), 30))


def check_shipped(tally):
    """The same-object variant compiles no unit: its links name the image's objects."""
    worked, listing = build.ninja("-t", "commands", *[f"build/shipped/{name}"
                                                      for name in build.harnesses()])
    wrong = [line for line in listing.splitlines() if " -c " in line
             and source_checks.is_unit(line.split(" -c ")[1].split()[0])
             and " -o build/image/" not in line]
    tally.say("the shipped variant compiles no unit", worked and not wrong, "\n".join(wrong[:5]))


def check_reproducible(tally):
    """The same tree in another folder gives the same bytes."""
    paths = [path for path in build.all_targets()
             if re.fullmatch(r"build/image/[^/]+\.(a|elf)|build/[^/]+\.img", path)]
    here = {path: open(path, "rb").read() for path in paths}
    with tempfile.TemporaryDirectory() as folder:
        copy_sources(folder)
        worked, output = build.ninja(*here, folder=folder)
        different = [path for path, data in here.items() if worked
                     and open(os.path.join(folder, path), "rb").read() != data]
        tally.say(f"{len(here)} image outputs are the same from another folder",
                  worked and here and not different, build.shorten(output, 10) if not worked
                  else "different: " + " ".join(different))


def copy_sources(folder):
    """The tree without build/, findings/ and .git."""
    shutil.copytree(".", folder, dirs_exist_ok=True, symlinks=True,
                    ignore=shutil.ignore_patterns("build", "findings", ".git"))


def run_tests(tally):
    """Test programs, sanitized and against the image's objects; both must count the same."""
    programs = [f"build/{variant}/{name}" for variant in ("asan", "shipped")
                for name in build.programs("test", variant)]
    said = {}
    for program, (status, output) in each(lambda path: build.run([path], 120), programs):
        last = output.strip().splitlines()[-1:] or ["nothing printed"]
        counted = re.fullmatch(r"\S+: (\d+) passed, 0 failed", last[0])
        said.setdefault(os.path.basename(program), set()).add(last[0])
        tally.say(program, status == 0 and counted and int(counted[1]) > 0,
                  build.shorten(output, 30), last[0])
    tally.complaints("sanitized and shipped tests count the same",
                     [" / ".join(sorted(lines)) for lines in said.values() if len(lines) != 1])


def replay_all(tally):
    """Every corpus, sanitized and shipped; returns the marks that were reached: a replay is refused when a floor is
    not reached, and when a mark that is reached is no floor."""
    names = campaign.with_corpus()
    missing = [name for name in build.harnesses() if name not in names and "canary" not in name]
    tally.complaints("every harness has a corpus", [f"corpus/{name} is missing" for name in missing])
    jobs = [(name, variant) for name in names for variant in ("asan", "shipped")]
    said = {}
    for (name, variant), (status, output) in each(
            lambda job: build.run([f"build/{job[1]}/{job[0]}", "--replay", f"corpus/{job[0]}"]), jobs):
        summary = (output.strip().splitlines() or [""])[-1]
        said.setdefault(name, set()).add(summary)
        tally.say(f"replay {variant} {name}", status == 0, build.shorten(output, 30),
                  summary.partition(": ")[2])
    tally.complaints("sanitized and shipped replays agree",
                     [f"{name}: {' / '.join(sorted(lines))}" for name, lines in said.items()
                      if len(lines) != 1])
    return {mark for name in names for mark in campaign.text_of(f"corpus/{name}/FLOORS").splitlines()[1:]}


def check_texts(tally):
    """Every binary input of a harness with steps prints as a .trace that does the same."""
    names = [name for name in campaign.with_corpus()
             if "harness_has_steps" in source_checks.symbols(f"build/asan/{name}")[0]]
    for name, (status, output) in each(
            lambda name: build.run([f"build/asan/{name}", "--texts", f"corpus/{name}"], 120), names):
        tally.say(f"texts of {name}", status == 0, build.shorten(output, 30),
                  output.strip().rpartition(": ")[2])
    wrong_lines(tally)


def wrong_lines(tally):
    """A line of text that says no entry of the kernel is refused by its number, and nothing is written."""
    wrong = ("call slot=1", "call slot=x deadline=0 kernel.exit code=0", "recv slot=2 deadline=soon kernel.#0x0 .body=",
             "call slot=0x100000000 deadline=0 kernel.exit code=0", "call slot=1 deadline=0 kernel.exit",
             "reply slot=2560 deadline=0 .page=0g", "reply slot=2560 deadline=0 .page=" + "00" * 1025, "clock",
             "clock 1 2", "@time", "call slot=1 deadline=0 .page=" + "ff" * 1024, "-> OK")
    accepted = []
    with tempfile.TemporaryDirectory() as folder:
        for line in wrong:
            with open(f"{folder}/wrong.trace", "w", encoding="utf-8") as text:
                text.write(f"# two lines that are right\n@preempt\n{line}\nclock 9\n")
            status, output = build.run(["build/asan/kernel_core", "--assemble", f"{folder}/wrong.trace", f"{folder}/out"])
            if status != 2 or "line 3" not in output or os.path.exists(f"{folder}/out"):
                accepted.append(f"{line[:60]}: status {status}, {output}")
    tally.complaints(f"{len(wrong)} lines that are no entries of the kernel are refused", accepted)


def check_failures(tally):
    """Every call of every .trace of a life fails once, and the life goes as its model says."""
    names = [name for name in campaign.with_corpus()
             if "harness_plan_failure" in source_checks.symbols(f"build/shipped/{name}")[0]]
    parts = {name: 8 if name in MANY_FAILURES else 1 for name in names}
    jobs = [(name, part) for name in sorted(names, key=lambda name: -parts[name]) for part in range(parts[name])]
    for (name, part), (status, output) in each(
            lambda job: build.run([f"build/shipped/{job[0]}", "--fail-each", f"corpus/{job[0]}", str(job[1]),
                                   str(parts[job[0]])], 300), jobs):
        which = f", part {part + 1} of {parts[name]}" if parts[name] > 1 else ""
        tally.say(f"each call of {name} fails once{which}", status == 0, build.shorten(output, 30),
                  output.strip().rpartition(": ")[2])


def check_canaries(tally):
    """T1: what must fail fails, and says what it should."""
    def must_fail(name, command, text):
        status, output = build.run(command, 60)
        tally.say(name, status != 0 and text in output, f"status {status}; " +
                  build.shorten(output, 5))

    for variant in ("asan", "shipped"):
        must_fail(f"canary input fails in {variant}",
                  [f"build/{variant}/canary", "--trace", "corpus/canary/bird"],
                  "property T1-canary does not hold")
        must_fail(f"canary property fails in {variant}",
                  [f"build/{variant}/canary_property", "--random", "1000", str(RANDOM_SEED)],
                  "property T1-canary-property does not hold")
    for path in sorted(glob.glob("corpus/canary_detectors/*")):
        wanted = open(path, encoding="ascii").readline().strip()
        must_fail(f"planted {os.path.basename(path)} is detected",
                  ["build/asan/canary_detectors", "--trace", path], wanted.partition(" ")[2])
    with tempfile.NamedTemporaryFile("w", suffix=".trace") as wrong:
        wrong.write("memd.query_memory -> DENIED\n")
        wrong.flush()
        must_fail("a trace that states another status is refused (T5)",
                  ["build/asan/memd_life", "--trace", wrong.name], "property T5 does not hold")
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/many", "w", encoding="ascii") as file:
            file.write("o")
        must_fail("a record of marks that is full is said", ["build/asan/canary_detectors", "--marks", folder],
                  "canary_detectors: more than 8192 marks, and none of the others is known")
        status, output = build.run(["build/asan/canary_detectors", "--check", folder], 60)
        tally.say("and no reason for a campaign to stop", status == 0 and re.search("^left_out 1$", output, re.MULTILINE)
                  and len(re.findall("^marks: the record is full", output, re.MULTILINE)) == 1, build.shorten(output, 5))
    status, output = build.run(["build/asan/canary_leak", "--replay", "corpus/canary_leak"])
    tally.say("state that leaks between inputs is detected", status == 1 and "order matters" in output,
              output)
    remove("findings/canary*random*")


def check_deferred(tally):
    """An engine that looks now and then reports the step that is wrong; who replays looks always; no input does anything else."""
    cases = (("damaged", b"." * 4 + b"d" + b"." * 90, 1, 1), ("damaged last", b"." * 94 + b"d", 1, 1),
             ("damaged and mended between two looks", b"." * 4 + b"d...m" + b"." * 90, 0, 1),
             ("damaged in the first life of the process", b"." * 4 + b"o" + b"." * 90, 1, 1))
    with tempfile.TemporaryDirectory() as folder:
        for name, steps, *fails in cases:
            with open(f"{folder}/input", "wb") as file:
                file.write(steps)
            for fail, command in zip(fails, (["build/libfuzzer/canary_deferred"], ["build/asan/canary_deferred", "--trace"])):
                status, output = build.run([*command, f"{folder}/input"], 60)
                wanted = {"T1-deferred": fail, "nothing fails; what failed before": int(b"o" in steps and len(command) == 1),
                          "runs again with every check on": int(fail and len(command) == 1)}
                step = len(steps.split(b"d")[0]) if b"d" in steps else len(steps) if len(command) == 1 else 4
                good = (status != 0) == fail and all((text in output) == there for text, there in wanted.items()) and \
                    re.findall(r"^at step (\d+)$", output, re.MULTILINE) == [str(step)] * fail
                tally.say(f"{name}: {command[0]} says {f'step {step}' if fail else 'nothing'}", good, f"status {status}; {build.shorten(output, 8)}")
    names = campaign.with_corpus()
    for name, (status, output) in each(lambda name: build.run([f"build/shipped/{name}", "--deferred", f"corpus/{name}"], 300), names):
        tally.say(f"{name} does the same when its oracles are deferred", status == 0, build.shorten(output, 15), output.strip().rpartition(": ")[2])


def remove(pattern):
    for path in glob.glob(pattern):
        os.remove(path)


def run_random(tally):
    """The same random inputs, sanitized and shipped: no property fails and the digests agree."""
    names = campaign.with_corpus()
    jobs = [(name, variant) for name in names for variant in ("asan", "shipped")]
    command = ["--random", str(RANDOM_INPUTS), str(RANDOM_SEED)]
    said = {}
    for (name, variant), (status, output) in each(
            lambda job: build.run([f"build/{job[1]}/{job[0]}", *command], 120), jobs):
        said.setdefault(name, []).append((status, output))
    for name, results in said.items():
        good = all(status == 0 for status, _ in results) and len({text for _, text in results}) == 1
        tally.say(f"random {name}", good, "\n".join(build.shorten(text, 15) for _, text in results),
                  results[0][1].strip().partition(": ")[2])


def boot_worlds(tally):
    """The images, sanitized and shipped; the logs and digests must be the same."""
    for image in build.PROFILES.values():
        said = {}
        for variant in ("asan", "shipped"):
            status, output = build.run([f"build/{variant}/world", image], 120)
            said[variant] = output
            digest = re.search(r"^.*DIGEST.*$", output, re.MULTILINE)
            tally.say(f"world boot {variant} {image}", status == 0 and digest
                      and "ERIX_ROOTD:READY" in output, build.shorten(output, 30),
                      digest and digest[0])
        tally.say(f"sanitized and shipped boots of {image} print the same",
                  len(set(said.values())) == 1)


def boot_metal(tally):
    """Images reach READY in QEMU: those that stay with nothing else on the kernel's log, the one with probes with the
    very lines that README.md shows, and between them what becomes of each process, as in the world."""
    shown = re.findall(r"^    ((?:ROOTD_STAGE|ERIX_ROOTD):\S+)", campaign.text_of("README.md"), re.M)
    for image, lines in ((build.RUNTIME_IMAGE, ["ERIX_ROOTD:READY"]), (build.FOUNDATION_IMAGE, ["ERIX_ROOTD:READY"]),
                         (build.PHASE0_IMAGE, shown)):
        boot = metal.Boot(image, 120, stop_at_ready=image != build.PHASE0_IMAGE)
        said = [line for line in boot.log.splitlines() if not line.startswith("LOG:")] # of services, which run on
        if image == build.PHASE0_IMAGE:
            said, reports = metal.sorted_out(boot.log)
        tally.say(f"QEMU boots {image}", boot.status == metal.READY and said == lines,
                  f"{boot.log}{boot.verdict}; wanted:\n" + "\n".join(lines))
    lives = collections.Counter(" ".join(word.split(":")[0] for word in life) for life in reports.values())
    ended = 1 + sum(line.startswith("ROOTD_STAGE:phase0-") for line in shown) # the tester, and its helpers
    tally.say("QEMU: the kernel reports the lives of the foundation, the tester and its helpers",
              lives == {"STAGED STARTED": 4, "STAGED STARTED ENDED GONE": ended}, f"{lives}\n{boot.log}")
    _, log = build.run(["build/shipped/world", build.PHASE0_IMAGE])
    tally.say("world: and reports the same", metal.sorted_out(log)[1] == reports, log + boot.log)


def boot_verdicts(tally):
    """Each exit status of `boot`, from the end of a boot that gives it."""
    ready, ended = "ERIX_ROOTD:READY\n", "ERIX_ROOTD:SERVICE_BOOTSTRAP_FAILED\n"
    for log, code, late, status in (
            (ready, 1, False, metal.READY), (ended, 1, False, metal.NOT_READY), (ready + ended, 1, False, metal.NOT_READY),
            (ready, 3, False, metal.NOT_READY), (ready, -9, False, metal.READY), (ready, -9, True, metal.TIME_OUT),
            ("BASALT_KERNEL:BOOT_IMAGE_REFUSED:TRUNCATED\n", 1, False, metal.NOT_READY), ("", 0, False, metal.NOT_READY),
            ("", 2, False, metal.USAGE), (ready + "BASALT_KERNEL:PANIC:x\n", 1, False, metal.PANIC), ("", 0, True, metal.TIME_OUT),
            ("ROOTD_STAGE:PLAN_MADE\n", 0, True, metal.TIME_OUT), ("ROOTD_STAGE:PLAN_MADE\n", 0, False, metal.NOT_READY)):
        said = metal.judge(log, code, late, 1, "")
        tally.say(f"a boot that ends with {log.split()[-1:] or 'nothing'}, {code}{', late' if late else ''} is status {status}",
                  said[0] == status, str(said))
    late = metal.Boot(build.RUNTIME_IMAGE, 0.01)
    tally.say("a boot that takes too long is ended, status 4", late.status == metal.TIME_OUT, late.log + late.verdict)


def check_provenance(tally):
    """Every object of a daemon, except the machine's own, is one that a harness or the world runs."""
    lines, complaints = provenance.table()
    with open("build/units.txt", "w", encoding="utf-8") as table:
        table.write("\n".join(lines) + "\n")
    tally.complaints("harnesses run the daemons' own objects (build/units.txt)", complaints)


def check_sources(tally):
    """What no compiler says of sources and objects."""
    tally.complaints("every source is in a list", source_checks.lists_are_complete())
    tally.complaints("nothing is left over among the sources", source_checks.nothing_is_left_over())
    tally.complaints("includes point one way", source_checks.includes_point_one_way())
    tally.complaints("sources are small and licensed", source_checks.sources_are_small())
    tally.complaints("sources are formatted", source_checks.sources_are_formatted())
    tally.complaints("the tool names what is there", source_checks.tools_name_what_is_there())
    tally.complaints("mutants apply", source_checks.mutants_apply())
    tally.complaints("properties are checked and broken on purpose", source_checks.properties_are_kept())


def check_docs(tally):
    """Links, paths and commands that pages name exist; lines fit."""
    known = re.findall(r"^    (\w+)(?: |$)", build.run(["./basalt", "help"])[1], re.MULTILINE)
    tally.complaints("pages name what exists", markdown.complaints(known))
    tally.complaints(f"{bench_table.PAGE} has the figures of {bench_table.TABLE}", bench_table.page_complaints())
    tally.complaints(f"{bench_fuzz.PAGE} has the figures of {bench_fuzz.TABLE}", bench_fuzz.page_complaints())
    tally.complaints("a page that is wrong on purpose is refused", markdown.missed())


def check_objects(tally):
    tally.complaints("units need nothing but the seam", source_checks.units_need_nothing_else())
    tally.complaints("units keep no variables", source_checks.units_keep_no_state())
    tally.complaints("vector registers stay in one unit", source_checks.vectors_stay_in_one_unit())
    tally.complaints("harnesses read no clock and no chance", source_checks.harnesses_repeat())


def check_replays(tally):
    """Each corpus gives its digests and floors; each operation is reached (T2)."""
    marks = replay_all(tally)
    tally.complaints("every operation is reached in both verdicts",
                     source_checks.operations_are_reached(marks))


def check_threads(tally):
    """Of checks side by side: what one has said before it ends too early is printed, and the others end as well."""
    def early(inner):
        inner.say("said before", True)
        begun.wait(2) # in vain where there is one thread alone
        raise build.Stop("early")

    def endless(inner):
        begun.set()
        for _ in range(1000):
            time.sleep(0.02)
            inner.say("said again", True)

    begun = threading.Event()
    CHECKS.update({"early": (early, ""), "endless": (endless, "")})
    printed = io.StringIO()
    before = time.monotonic()
    try:
        with contextlib.redirect_stdout(printed):
            run_side_by_side(["early", "endless"], Tally())
        stopped = False
    except build.Stop:
        stopped = True
    seconds = time.monotonic() - before
    OVER.clear()
    del CHECKS["early"], CHECKS["endless"]
    tally.say("checks side by side end together, and lose nothing that was said",
              stopped and seconds < 15 and "said before" in printed.getvalue(),
              f"{stopped}, {seconds:.0f} s: {printed.getvalue()}")


# Every check by the name that `./basalt test NAME` takes, in the order in which `test` makes them,
# with the variants that it needs built. QUICK are those that need neither QEMU nor an engine.
CHECKS = {
    "build": (build_all, ""),
    "sources": (check_sources, ""),
    "docs": (check_docs, ""),
    "objects": (check_objects, "image asan"),
    "gcc": (check_gcc, ""),
    "shipped": (check_shipped, "image shipped"),
    "tests": (run_tests, "image asan shipped"),
    "replays": (check_replays, "image asan shipped"),
    "texts": (check_texts, "asan"),
    "failures": (check_failures, "shipped"),
    "canaries": (check_canaries, "asan shipped"),
    "deferred": (check_deferred, "asan shipped libfuzzer"),
    "random": (run_random, "asan shipped"),
    "worlds": (boot_worlds, "image asan shipped"),
    "audit": (audit.every_profile, "image shipped"),
    "inject": (inject.short, "image shipped"),
    "metal": (boot_metal, "image shipped"),
    "verdicts": (boot_verdicts, "image"),
    "provenance": (check_provenance, "image asan shipped"),
    "negative": (negative.negative, "image asan shipped"),
    "unready": (unready.unready, "image"),
    "graph": (graph.graph, "image asan shipped"),
    "console": (console.console, "image shipped"),
    "loader": (loader.loader, "image shipped"),
    "operations": (operations.operations, "image shipped"),
    "same": (same.same, "image shipped"),
    "ring3": (ring3.ring3, "image"),
    "lines": (lines.lines, "image"),
    "machines": (machines.machines, "image"),
    "shares": (shares.shares, "image"),
    "bench": (bench_table.check, "image"),
    "rates": (bench_fuzz.check, "shipped"),
    "rates-all": (lambda tally: bench_fuzz.check(tally, None), "shipped"),
    "longest": (longest.longest, "image"),
    "hostile": (hostile.hostile, "image asan shipped"),
    "attacks": (attacks.attacks, "image shipped"),
    "reproducible": (check_reproducible, "image"),
    "growth": (growth.growth, ""),
    "bless": (growth.bless, "asan shipped"),
    "commands": (command_checks.commands_answer, "image asan shipped fast"),
    "usage": (command_checks.usage_errors, "asan fast"),
    "new": (command_checks.new_names_places, ""),
    "unwritable": (command_checks.unwritable, ""),
    "threads": (check_threads, ""),
    "packing": (pack_checks.packing, "image fast"),
    "adds": (add_checks.adds, "asan libfuzzer"),
    "forms": (inputs_checks.forms, "asan shipped"),
    "cover": (cover_checks.cover_checks, ""),
    "mutate": (mutate_checks.mutate_checks, "image asan shipped"),
    "report": (report_checks.report_checks, ""),
    "fuzzbench": (fuzzbench_checks.fuzzbench_checks, ""),
    "pages": (fuzzbench_checks.pages_stay, ""),
    "packages": (command_checks.package_lock, ""),
    "patches": (command_checks.half_a_patch, ""),
    "debugger": (command_checks.debugger, "image"),
    "words": (campaign_checks.check_words, "asan fast"),
    "campaigns": (campaign_checks.campaigns, ""),
    "bad-input": (bad_input_checks.bad_input, ""),
    "engines": (campaign_checks.run_engines, "asan libfuzzer afl fast"),
    "fleet": (campaign_checks.run_fleet, "asan shipped libfuzzer afl fast"),
    "fleet-sync": (sync_checks.fleet_sync, "asan shipped libfuzzer fast"),
    "fleet-sync-long": (sync_checks.fleet_sync_long, "asan shipped libfuzzer afl fast"),
    "fleet-fast": (lambda tally: campaign_checks.run_fleet(tally, 2), "asan shipped libfuzzer afl fast"),
    "tutorial": (tutorial.short, ""),
    "tutorial-long": (tutorial.whole, ""),
    "oss-fuzz": (lambda tally: oss_fuzz.short(tally, each), "libfuzzer"),
    "oss-fuzz-all": (lambda tally: oss_fuzz.every(tally, each), "libfuzzer"),
}
BY_NAME = ("oss-fuzz-all", "fleet-fast", "fleet-sync-long", "tutorial-long", "rates-all", "fuzzbench") # too long for every day

QUICK = ("sources", "docs", "objects", "gcc", "tests", "replays", "texts", "canaries", "worlds")
# One machine after another, so that each keeps one core busy: these run side by side. Those of `machines` are held up
# for stated times of the host's clock, and run alone.
ONE_CORE = ("fleet", "fleet-sync", "tutorial", "report", "bad-input", "adds", "forms", "unready", "graph", "console",
            "loader", "operations", "ring3", "lines", "shares", "longest", "hostile", "attacks", "bench", "rates")


def test_programs(tally, names):
    """Test programs and harnesses by name: their tests, or the replays of their corpora."""
    for name, variant in ((name, variant) for name in names for variant in ("asan", "shipped")):
        program = f"build/{variant}/{name}"
        worked, output = build.ninja(program)
        if not worked:
            tally.say(f"build {program}", False, build.shorten(output, 40))
            continue
        replays = name in build.harnesses()
        status, output = build.run([program, "--replay", f"corpus/{name}"] if replays else [program])
        last = (output.strip().splitlines() or ["nothing printed"])[-1]
        tally.say(f"replay {variant} {name}" if replays else program, status == 0,
                  build.shorten(output, 30), last.partition(": ")[2])


def run_check(name, tally):
    before = time.monotonic()
    CHECKS[name][0](tally)
    tally.show(f"       {name}: {time.monotonic() - before:.0f} s")


def run_alone(name):
    """(tally, lines, error): what a check says, kept together until it is over, and what ended it too early."""
    lines_said = []
    tally = Tally(lines_said.append)
    try:
        run_check(name, tally)
    except Exception as error: # it is raised when what was said before it has been printed
        return tally, lines_said, error
    return tally, lines_said, None


def run_side_by_side(names, tally):
    for _, (said, lines_said, error) in each(run_alone, names):
        for line in lines_said:
            print(line, flush=True)
        if error is not None:
            OVER.set()
            raise error
        tally.passed += said.passed
        tally.failed += said.failed


def test(options):
    programs = build.programs("test") + campaign.with_corpus()
    known = list(CHECKS) + programs
    unknown = [name for name in options.names if name not in known]
    if unknown:
        raise build.Stop(f"there is no check '{unknown[0]}'; there are: {' '.join(known)}", 2)
    tally = Tally()
    if options.names:
        chosen = [name for name in CHECKS if name in options.names]
        test_programs(tally, [name for name in programs if name in options.names])
    else:
        chosen = list(QUICK) if options.quick else [name for name in CHECKS if name not in BY_NAME]
    if chosen and chosen[0] != "build":
        build_all(tally, {variant for name in chosen for variant in CHECKS[name][1].split()})
    for name in chosen:
        if name not in ONE_CORE:
            run_check(name, tally)
    run_side_by_side([name for name in chosen if name in ONE_CORE], tally)
    print(f"in {tally.passed_time():.0f} s")
    print(f"{tally.passed} passed, {tally.failed} failed", flush=True)
    return 1 if tally.failed else 0
