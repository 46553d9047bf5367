# SPDX-License-Identifier: ISC
"""Checks of `./basalt trace`, `diff` and `shrink`: forms that do the same, differences that are shown and no others,
smaller inputs that keep what they should, and calls that are refused with nothing written."""

import os
import shutil
import sys
import tempfile

import build
import campaign
from findings import read

LIFE, CODEC = "corpus/memd_life", "corpus/codec_elf_plan"
TEXT = f"{LIFE}/accounts.trace"
CHANGED = "memd.free_frames .badge=0x100000001 count=1 frame_ids=[{frame_id=1}]\n"


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def basalt(*arguments):
    return build.run([sys.executable, "-B", "fuzz/tool/main.py", *arguments], 120)


def digest(path):
    return build.run(["build/asan/memd_life", "--trace", path])[1].splitlines()[-1]


def turns_forms(tally, home):
    """Bytes to text to bytes, and text to bytes, and all do the same; what has no other form says so."""
    first = next(path for path in campaign.inputs_of("memd_life") if not path.endswith(".trace") and os.path.getsize(path) > 100)
    for number, given in enumerate((first, TEXT)):
        there, back = f"{home}/there{number}", f"{home}/back{number}"
        said = [basalt("trace", given, "--output", there), basalt("trace", "--harness", "memd_life", there, "--output", back)]
        tally.say(f"the two forms of {given} do the same", [status for status, _ in said] == [0, 0] and
                  digest(back if given == TEXT else first) is not None and b"memd." in read(there if given == first else back)
                  and basalt("diff", "--harness", "memd_life", given, there)[0] == 0, f"{said}")
    status, output = basalt("trace", TEXT)
    tally.say("without --output it goes to the standard output", status == 0 and "\x01" in output, ascii(output[:200]))
    wrong = put(f"{home}/wrong", b"memd.query_memory -> DENIED\n")
    status, output = basalt("trace", "--harness", "memd_life", wrong, "--output", f"{home}/made")
    tally.say("a text that states what does not come is told", status == 1 and output.count("\n") == 1 and
              "does something else as bytes: property T5 does not hold" in output, output)


def shows_differences(tally, home):
    """One event that differs is the difference; a text and its bytes do the same."""
    lines = campaign.text_of(TEXT).splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if line.startswith("memd.alloc_untyped"))
    other = put(f"{home}/other.trace", "".join([*lines[:at], CHANGED, *lines[at + 1:]]).encode())
    status, output = basalt("diff", "--harness", "memd_life", TEXT, other)
    shown = output.splitlines()
    tally.say("diff shows the event that differs", status == 1 and shown[0] == f"--- {TEXT}" and
              any(line.startswith("-memd.alloc_untyped") for line in shown) and f"+{CHANGED.strip()}" in shown and
              any(line.startswith(f"only {TEXT} reaches: memd: state") for line in shown)
              and sum(line.startswith("@@ event ") for line in shown) < 4, output)
    status, output = basalt("diff", TEXT, TEXT)
    tally.say("an input does what it does", status == 0 and output.startswith("both do the same: ") and output.count("\n") == 1, output)
    said = put(f"{home}/said.trace", "".join(lines).replace("-> NOT_FOUND", "-> OK").encode())
    status, output = basalt("diff", "--harness", "memd_life", TEXT, said)
    tally.say("what a text states is no difference", status == 0, output)
    status, output = basalt("diff", "corpus/canary/bird", put(f"{home}/fish", b"fish"))
    tally.say("one that fails and one that passes differ", status == 1 and "-fails: property T1-canary" in output, output)


def compares_builds(tally):
    """The shipped objects do what the sanitized ones do; a canary that misbehaves in one build is told."""
    status, output = basalt("diff", TEXT, "--build", "shipped")
    tally.say("the shipped objects do the same", status == 0 and output.startswith("both do the same: "), output)
    status, output = basalt("diff", "corpus/canary_detectors/shift", "--build", "shipped")
    tally.say("what one build alone notices is shown", status == 1 and "-fails: " in output and
              "+++ corpus/canary_detectors/shift by shipped" in output, output)


def makes_smaller(tally, home):
    """A smaller input reaches the marks, or shows the finding; a text stays a text."""
    def marks(name, path):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(path, folder)
            return set(build.run([f"build/asan/{name}", "--marks", folder])[1].splitlines())

    status, output = basalt("shrink", TEXT, "--output", f"{home}/small.trace")
    tally.say("shrink keeps the marks of a text", status == 0 and marks("memd_life", TEXT) <= marks("memd_life", f"{home}/small.trace")
              and os.path.getsize(f"{home}/small.trace") < os.path.getsize(TEXT), output)
    mark = "memd: state 1 operation 0x207 OK"
    status, output = basalt("shrink", "--harness", "memd_life", f"{home}/small.trace", "--mark", mark, "--output", f"{home}/least.trace")
    tally.say("and of one mark no more than it takes", status == 0 and mark in marks("memd_life", f"{home}/least.trace") and
              len(campaign.text_of(f"{home}/least.trace").splitlines()) < 8, output)
    longer = put(f"{home}/longer", read(f"{CODEC}/raw-accepted")[:30] + b"more")
    status, output = basalt("shrink", "--harness", "codec_elf_plan", longer, "--output", f"{home}/shorter", "--seconds", "5")
    tally.say("bytes without steps become fewer", status == 0 and os.path.getsize(f"{home}/shorter") < 34 and
              marks("codec_elf_plan", longer) <= marks("codec_elf_plan", f"{home}/shorter"), output)
    bird = put(f"{home}/birds", b"bird of many feathers")
    status, output = basalt("shrink", "--harness", "canary", bird, "--output", f"{home}/bird", "--seconds", "2")
    tally.say("a failing input goes on failing", status == 0 and "keeps property T1-canary" in output and
              read(f"{home}/bird").startswith(b"bird"), output)


def refuses(tally, home):
    nonsense = put(f"{home}/nonsense.trace", b"memd.query_memory\nnonsense\n")
    huge = put(f"{home}/huge", b"\1" * 16385)
    taken = put(f"{home}/taken", b"")
    for arguments, said in (
            (["trace", f"{CODEC}/raw-accepted"], "have no text; ./basalt show"), (["trace", "README.md"], "whose input is README.md?"),
            (["trace", "/nonexistent"], "no such file"), (["trace", LIFE], "not a file"),
            (["trace", "--harness", "memd_life", nonsense], "line 2"), (["trace", "--harness", "memd_life", huge], "16385 bytes"),
            (["trace", TEXT, "--output", f"{home}/no/folder"], "No such file"),
            (["diff", TEXT, f"{CODEC}/raw-accepted"], "inputs of two harnesses"),
            (["diff", TEXT], "A B, or A --build"), (["diff", TEXT, TEXT, "--build", "fast"], "A B, or A --build"),
            (["diff", TEXT, "--build", "nonsense"], "'nonsense' is none"),
            (["shrink", TEXT, "--output", taken], "is there already"), (["trace", TEXT, "--output", taken], "is there already"),
            (["shrink", TEXT, "--output", f"{home}/x", "--mark", "no such mark"], "does not reach \"no such mark\"")):
        status, output = basalt(*arguments)
        tally.say(f"{' '.join(arguments[:3])} is refused: {said}", status == 2 and output.count("\n") == 1 and said in output,
                  f"status {status}\n{output}")
    tally.say("and nothing is written", read(taken) == b"" and not os.path.exists(f"{home}/x"))


def forms(tally):
    with tempfile.TemporaryDirectory() as home:
        compares_builds(tally)
        for check in (turns_forms, shows_differences, makes_smaller, refuses):
            check(tally, home)
