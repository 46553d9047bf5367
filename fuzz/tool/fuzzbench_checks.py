# SPDX-License-Identifier: ISC
"""Checks of ./basalt fuzzbench: a planted bug is found and shown, what is known is not measured again, a table is there whole."""

import argparse
import contextlib
import ctypes
import io
import json
import os
import re
import tempfile

import build
import campaign
import fuzzbench

HARNESS = "timed_life"
# Who waits for a time that is over waits on.
PLANTED = """Harness: timed_life
Bug: planted

--- a/services/timed/timed.c
+++ b/services/timed/timed.c
@@ -63,4 +63,4 @@
     request->reply.wait_until.now_ticks = timed->caller.now_ticks;
-    if (deadline_ticks <= timed->caller.now_ticks)
+    if (deadline_ticks >= timed->caller.now_ticks)
         return STATUS_OK;
     timed_wait_add(timed, place_of(common->info->reply_slot), deadline_ticks, common->request_id);
"""


def run(home, patch):
    """One call in the sanitized build, which is there anyway. (status, what it printed)"""
    options = argparse.Namespace(harnesses=[HARNESS], seconds=1, seeds=1, mutants=1, engine="libfuzzer", mutator=["usual"],
                                 entropic=True, reached=False, output=f"{home}/table.md", bugs={HARNESS: [patch]})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = fuzzbench.fuzzbench(options)
    return status, printed.getvalue()


def planted(tally, home):
    patch = f"{home}/planted.patch"
    with open(patch, "w", encoding="utf-8") as file:
        file.write(PLANTED)
    status, printed = run(home, patch)
    table = campaign.text_of(f"{home}/table.md") if os.path.exists(f"{home}/table.md") else ""
    line = re.search(rf"\| {HARNESS} \| planted.patch \| (\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|\n", table)
    tally.say("fuzzbench finds a planted bug from nothing and beside the corpus, and says which inputs show it",
              status == 0 and line and int(line[1]) > 0, printed + table)
    for words in fuzzbench.ENGINE_WORDS["libfuzzer"], fuzzbench.ENGINE_WORDS["entropic"]:
        reached = re.search(rf"\| {HARNESS} \| [\d,]+ \| {words} \| usual \| [\d.]+ \| (\d+) \([^|]*\| (\d+) \| \d+ \| (\d+) % \|", table)
        tally.say(f"... and what {words} reaches: marks, edges, answers", reached and int(reached[1]) > 5 and int(reached[2]) > 50, table)
    tally.say("... and leaves no half table", not os.path.exists(f"{home}/table.md.part"))
    again, printed = run(home, patch)
    tally.say("fuzzbench measures nothing twice", again == 0 and not re.search(r"^\d\d:\d\d:\d\d ", printed, re.M) and
              campaign.text_of(f"{home}/table.md") == table, printed)


def cut_off(tally):
    """A line that a kill cut is measured again; those before it are kept."""
    path = fuzzbench.Results().path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as lines:
        lines.write(json.dumps([["rate", "x"], {"rate": 7}]) + "\n" + '[["rate", "y"], {"ra')
    results = fuzzbench.Results()
    tally.say("fuzzbench: a line that was cut off is not believed", results.rows == {("rate", "x"): {"rate": 7}}, f"{results.rows}")
    results.get(("rate", "y"), lambda: {"rate": 8})
    rows = fuzzbench.Results().rows
    tally.say("... and costs none of those that come behind it", sorted(row["rate"] for row in rows.values()) == [7, 8], f"{rows}")
    os.remove(path)


def crossed(features, partner, folder):
    """How many of 2000 changes by the mutator that AFL++ loads have a whole step of another input of the queue."""
    before = os.environ.get("BASALT_MUTATOR")
    os.environ["BASALT_MUTATOR"] = features
    try:
        library = ctypes.CDLL(os.path.abspath("build/afl/mutator.so"))
        library.afl_custom_init.restype = ctypes.c_void_p
        library.afl_custom_havoc_mutation.restype = ctypes.c_size_t
        mutator = ctypes.c_void_p(library.afl_custom_init(None, 1))
    finally:
        os.environ.pop("BASALT_MUTATOR") if before is None else os.environ.update(BASALT_MUTATOR=before)
    step, other = b"\0\2" + b"\x11" * 8, b"\0\2" + b"\xee" * 8
    if partner:
        with open(f"{folder}/partner", "wb") as file:
            file.write(other * 5)
        library.afl_custom_queue_new_entry(mutator, f"{folder}/partner".encode(), None)
    count, result = 0, ctypes.POINTER(ctypes.c_uint8)()
    for _ in range(2000):
        size = library.afl_custom_havoc_mutation(mutator, step * 5, ctypes.c_size_t(50), ctypes.byref(result), ctypes.c_size_t(4096))
        count += other in ctypes.string_at(result, size)
    library.afl_custom_deinit(mutator)
    return count


def crossover(tally, folder):
    build.must_build("build/afl/mutator.so")
    counts = [crossed(*case, folder) for case in (("steps+cross", True), ("steps+cross", False), ("steps", True))]
    tally.say("AFL++'s mutator joins inputs of the queue between steps, when it is asked to", counts[0] > 50 and counts[1:] == [0, 0],
              f"{counts}")


def pages_stay(tally):
    """What is interrupted, or cannot go on, leaves the page of an earlier call as it was, says so and fails."""
    def ends(error):
        def run_some(bench, _):
            bench.results.get(("rate", HARNESS), lambda: {"rate": 7})
            raise error
        return run_some

    before, must_build, home = fuzzbench.Bench.run, build.must_build, fuzzbench.HOME
    with tempfile.TemporaryDirectory() as folder:
        for old in ("the page of a night\n", None):
            for error in (KeyboardInterrupt(), build.Stop("the engine is gone", 2)):
                page = f"{folder}/{type(error).__name__}-{old is None}.md"
                options = argparse.Namespace(harnesses=[HARNESS], seconds=1, seeds=1, mutants=1, engine="libfuzzer", mutator=["usual"],
                                             entropic=False, reached=False, output=page)
                if old is not None:
                    fuzzbench.write_page(page, old)
                printed, ended = io.StringIO(), None
                fuzzbench.Bench.run, build.must_build, fuzzbench.HOME = ends(error), lambda *_: None, f"{folder}/results"
                try:
                    with contextlib.redirect_stdout(printed):
                        fuzzbench.fuzzbench(options)
                except (KeyboardInterrupt, build.Stop) as caught:
                    ended = caught
                finally:
                    fuzzbench.Bench.run, build.must_build, fuzzbench.HOME = before, must_build, home
                now = campaign.text_of(page) if os.path.exists(page) else None
                wanted = f"{page} {'is not written' if old is None else 'stays as it was'}"
                tally.say(f"fuzzbench, ended by {type(error).__name__}, leaves {'no page' if old is None else 'the page'} and says so",
                          ended is error and now == old and wanted in printed.getvalue(), f"{ended!r}\n{now}\n{printed.getvalue()}")


def refusals(tally):
    for command, wanted in ((["no_life"], "there is no harness 'no_life'"), (["memd_life", "--mutator", "magic"], "there is no mutator 'magic'"),
                            (["memd_life", "--output", "/nowhere/page.md"], "/nowhere/page.md is a folder, or there is none for it"),
                            (["memd_life", "--seeds", "0"], "'0' is not a positive number")):
        status, output = build.run(["./basalt", "fuzzbench", *command])
        tally.say(f"fuzzbench {' '.join(command)}: one line, status 2", status == 2 and wanted in output and len(output.splitlines()) == 1,
                  output)


def fuzzbench_checks(tally):
    builds, home, executions = dict(fuzzbench.BUILDS), fuzzbench.HOME, fuzzbench.RATE_EXECUTIONS
    with tempfile.TemporaryDirectory() as folder:
        fuzzbench.BUILDS.update(libfuzzer="build/libfuzzer", replayer="build/asan")
        fuzzbench.HOME, fuzzbench.RATE_EXECUTIONS = f"{folder}/results", 2000
        try:
            crossover(tally, folder)
            cut_off(tally)
            planted(tally, folder)
        finally:
            fuzzbench.BUILDS.update(builds)
            fuzzbench.HOME, fuzzbench.RATE_EXECUTIONS = home, executions
    refusals(tally)
