# SPDX-License-Identifier: ISC
"""Checks of ./basalt cover that need no measured build: what it reads from llvm-cov, what it lists, how it refuses."""

import json
import os
import tempfile

import build
import cover

PATH = "services/memd/memd.h"
# Line, column, count, has a count, begins a region, is a gap. An assertion in line 2 leaves a gap up to the code of line 3;
# lines 4 and 5, behind an if in line 3, were never run; 6 ends the function.
SEGMENTS = [[1, 1, 9, True, True, False], [2, 5, 9, True, True, False], [2, 16, 9, True, False, False],
            [2, 64, 0, True, False, True], [3, 5, 9, True, False, False], [3, 20, 0, True, False, True], [4, 9, 0, True, True, False],
            [5, 20, 9, True, False, False], [6, 2, 0, False, False, False]]
TEXT = "{\n    UNIT_ASSERT(a && b);\n    c = a;\n}\n"


# A branch and a decision of a header, as two files have them; each reached another way of it, and another condition.
EXPORTED = {"data": [{"files": [{"filename": PATH, "segments": SEGMENTS,
                                 "branches": [[1, 5, 1, 9, 3, 0, 0, 0, 4], [1, 5, 1, 9, 0, 2, 0, 0, 4], [3, 5, 3, 9, 0, 2, 0, 0, 4]],
                                 "mcdc_records": [[1, 5, 1, 30, 0, 5, [True, False, False]], [1, 5, 1, 30, 0, 5, [False, True, False]]]}]}]}


def check_places(tally):
    """Functions of headers count once, not once for each file that has them."""
    reach = cover.read_export(json.dumps(EXPORTED))[PATH]
    tally.say("what several files have of one header counts once", reach.branches == [3, 2, 0, 2] and
              reach.decisions == {(1, 5, 1, 30): [True, True, False]}, f"{reach}")
    first = open(PATH, encoding="utf-8").read().splitlines()[0].strip()
    tally.say("conditions that never decided alone are listed", list(cover.undecided({PATH: reach})) ==
              [f"{PATH}:1: condition 3 of 3: {first}"])
    tally.say("the summary counts conditions", [row.split()[-5:] for row in cover.summary({PATH: reach})][1] == "2 of 3 66.7 %".split())


def cover_checks(tally):
    counts = cover.line_counts(SEGMENTS)
    tally.say("lines are counted, behind assertions too", counts == {1: 9, 2: 9, 3: 9, 4: 0, 5: 0, 6: 9}, f"{counts}")
    spans = cover.asserted_spans(TEXT)
    tally.say("branches in assertions are left out", spans == [((2, 5), (2, 24))], f"{spans}")
    check_places(tally)
    reach, none = cover.Reach(counts, [3, 0], {}), cover.Reach({7: 0}, [], {})
    first = open(PATH, encoding="utf-8").read().splitlines()[3].strip()
    listed = list(cover.unreached({PATH: reach, "services/memd/books.c": none, "services/memd/check.c": none},
                                  [(PATH, first, "why not"), ("services/memd/", "*", "all of it")]))
    tally.say("what nothing reaches is listed with its reason", listed ==
              ["services/memd/books.c: all 1 lines (all of it)", f"{PATH}:4-5: {first} (why not)"], f"{listed}")
    rows = list(cover.summary({PATH: reach, "services/tester/x.c": none, "services/memd/check.c": none}))
    tally.say("the summary counts check files apart", [row.split() for row in rows[1:]] == [
        "services/memd 4 of 6 66.7 % 1 of 2 50.0 %".split(), "services/tester 0 of 1 0.0 % none".split(),
        "all units 4 of 7 57.1 % 1 of 2 50.0 %".split(), "all but probes and tester 4 of 6 66.7 % 1 of 2 50.0 %".split(),
        "check files, apart 0 of 1 0.0 % none".split()], "\n".join(rows))
    with open(cover.REASONS, encoding="utf-8") as reasons:
        tally.complaints(f"{cover.REASONS} names what is there", cover.stale_reasons(cover.read_reasons(reasons.read())))
    try:
        cover.read_reasons("a.c | x\n")
        tally.say("a row without a reason is refused", False)
    except build.Stop as stop:
        tally.say("a row without a reason is refused", stop.status == 2 and "\n" not in str(stop), str(stop))
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/there")
        for arguments in (["nonsense"], ["canary"], ["--html", folder], ["--html", "README.md"]):
            status, output = build.run(["./basalt", "cover", *arguments], 60)
            tally.say(f"./basalt cover {' '.join(arguments)} is a usage error".replace(folder, "FOLDER"),
                      status == 2 and output.count("\n") == 1, output)
        tally.say("a folder that is there stays as it is", os.listdir(folder) == ["there"])
