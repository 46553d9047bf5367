# SPDX-License-Identifier: ISC
"""What engines left: runs an artefact again, says what it shows and what tells it from another, shrinks it.
What becomes of it then: triage.py."""

import collections
import fcntl
import glob
import os
import re
import tempfile
import time

import build
import engines

KINDS = ("crash-", "timeout-", "oom-", "leak-", "differs-")
ALONE_PASSES = "differs-"  # what another input before them changed passes when run alone, and is no less a finding
ASIDE = "passing"  # artefacts of earlier campaigns that fail no more
SHIPPED_DIFFER = "the shipped objects do something else"
FRAMES_KEYED, FRAMES_SHOWN, LINES_SHOWN = 3, 9, 40
SHRINK_SECONDS = 20
NUMBER = re.compile(r"(?<![\w.-])(0x[0-9a-f]+|\d+)\b")

# How an output says what is wrong, the most telling first. Above a property's line, life harnesses print
# `step: memd.close_account predicted DENIED, got OK` (props/life/life.h): the key relies on it.
HEADLINES = (r"^property \S+ does not hold.*", r"^harness does not hold.*", r"^assertion does not hold.*", r"^SUMMARY: .*", r"^hang: .*",
             r"^hunger: .*", r"^no end after .*")
STEP = re.compile(r"^step: (\S+) predicted (.+), got (.+)$", re.MULTILINE)
FRAME = re.compile(r"^ +#\d+ 0x\w+ in (\S+) (\./\S+)", re.MULTILINE)
MESSAGE = re.compile(r"^(?:on=\d+ )?([a-z_]+\.[a-z_]+|@\w+)(?= |$)", re.MULTILINE)
ERROR = re.compile(r"runtime error: (.*)")
REPORT = re.compile(r"^=+$|^==\d+==|.*runtime error: ", re.MULTILINE)

Verdict = collections.namedtuple("Verdict", "headline key output")


def counted(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


def artefacts(home):
    return sorted(path for kind in KINDS for path in glob.glob(f"{home}/{kind}*"))


def lock(name, what="a campaign"):
    """The file that whoever changes findings/NAME holds: one at a time, since two would each spoil the other's. Ends the
    command when another does."""
    os.makedirs(f"findings/{name}", exist_ok=True)
    file = open(f"findings/{name}/lock", "a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        number, _, other = file.read().strip().partition(" ")
        file.close()
        raise build.Stop(f"{other or 'a campaign'} of {name} runs already, pid {number}", 2) from None
    file.truncate(0)
    file.write(f"{os.getpid()} {what}\n")
    file.flush()
    return file


def fold(line):
    """A line without what differs between two showings of one bug: numbers, and where a program was loaded."""
    return NUMBER.sub("N", re.sub(r" \([^)]*\+0x[^)]*\)( \(BuildId[^)]*\))?", "", line))


def operation_of(output):
    """The step that was being taken, with what the model said where that was another thing; of the trace's last line,
    be it message or action, where the model had not come to say something."""
    predicted = STEP.findall(output)
    if predicted:
        operation, wanted, got = predicted[-1]
        return operation if wanted == got else f"{operation} predicted {wanted}, got {got}"
    report = REPORT.search(output)
    lines = MESSAGE.findall(output[:report.start()] if report else output)
    return lines[-1] if lines else ""


def verdict(status, output):
    """What an ended program says of its input; None when it passed. The key is the headline without numbers, and
    the step that was being taken with its prediction, or a sanitizer's error and the top frames of our own code."""
    if status == 0:
        return None
    found = [match for match in (re.search(line, output, re.MULTILINE) for line in HEADLINES) if match]
    headline = found[0][0] if found else f"ended with status {status}"
    key = [fold(headline)]
    if headline.startswith("SUMMARY"):
        key += [name for name, _ in FRAME.findall(output)[:FRAMES_KEYED]]
        key += [fold(error) for error in ERROR.findall(output)[:1]]
    else:
        key += [operation_of(output)]
    return Verdict(headline, tuple(key), output)


def run_again(command):
    return verdict(*build.run(build.bound(command), 2 * engines.INPUT_SECONDS_MAX))


def replayed(name, path):
    """What an artefact shows in the replayer; None when it passes."""
    return run_again([f"build/asan/{name}", "--trace", path])


def verdict_of(name, path):
    """What an artefact shows in the replayer or, when it passes there, alone in libFuzzer's program
    (which also looks for leaks), or in the replayer of the shipped objects. None: it fails nowhere."""
    return replayed(name, path) or run_again([f"build/libfuzzer/{name}", *engines.limits(), path]) or shipped(name, path)


def shipped(name, path):
    """What an input shows through the shipped objects, where they are built, that it does not show under the
    sanitizers: a failure or another digest."""
    if not os.path.exists(f"build/shipped/{name}"):
        return None
    outputs = []
    for variant in ("asan", "shipped"):
        status, output = build.run(build.bound([f"build/{variant}/{name}", "--trace", path]), 2 * engines.INPUT_SECONDS_MAX)
        if status != 0:
            return verdict(status, output)
        outputs.append(output)
    digests = [(re.findall(r"^digest (\w+)$", output, re.MULTILINE) or ["none"])[-1] for output in outputs]
    if digests[0] == digests[1]:
        return None
    pairs = zip(outputs[0].splitlines(), outputs[1].splitlines())
    first = next((line for line, other in pairs if line != other), "")
    return Verdict(f"{SHIPPED_DIFFER}: digest {digests[1]}, sanitized {digests[0]}",
                   (SHIPPED_DIFFER, fold(first)), outputs[1])


def excerpt(output):
    """What a reader needs first: a sanitizer's summary and top frames, and the end of the trace."""
    report = REPORT.search(output)
    trace = output[:report.start()] if report else output
    lines = trace.rstrip().splitlines()
    cut = [f"({len(lines) - LINES_SHOWN} lines before)"] if len(lines) > LINES_SHOWN else []
    shown = cut + lines[-LINES_SHOWN:]
    if report:
        said = [line for line in output.splitlines() if "runtime error: " in line or "SUMMARY: " in line
                or "ERROR: " in line]
        stack = re.search(r"(^ +#\d+ .*\n?)+", output[report.start():], re.MULTILINE)
        stack = stack[0].splitlines()[:FRAMES_SHOWN] if stack else []
        entry = [index for index, line in enumerate(stack) if " in LLVMFuzzerTestOneInput " in line]
        shown += said + (stack[:entry[0] + 1] if entry else stack) # below it is the runner
    return "\n".join(shown)


def frames(data):
    """The steps of an input (props/life/steps.h): tag, count of words, words."""
    found, at = [], 0
    while at < len(data):
        size = 2 + 4 * data[at + 1] if at + 1 < len(data) else 1
        found.append(data[at:at + size])
        at += size
    return found


def shrink_steps(data, still_fails, seconds=SHRINK_SECONDS):
    """The same finding in fewer steps: drops ever smaller ranges of frames, then zeroes words."""
    until = time.monotonic() + seconds
    steps = frames(data)

    def kept(candidate):
        return time.monotonic() < until and candidate and still_fails(b"".join(candidate))

    size = max(1, len(steps) // 2)
    while size:
        at, dropped = 0, False
        while at < len(steps):
            candidate = steps[:at] + steps[at + size:]
            if kept(candidate):
                steps, dropped = candidate, True
            else:
                at += size
        size = size if size == 1 and dropped else size // 2
    for index, step in enumerate(steps):
        for at in range(2, len(step), 4):
            word = steps[index][at:at + 4]
            zeroed = steps[index][:at] + bytes(len(word)) + steps[index][at + 4:]
            if any(word) and kept(steps[:index] + [zeroed] + steps[index + 1:]):
                steps[index] = zeroed
    return b"".join(steps)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    """A whole file or none."""
    part = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.part")
    try:
        with open(part, "wb") as file:
            file.write(data)
        os.rename(part, path)
    except OSError as error:
        if os.path.exists(part):
            os.remove(part)
        raise OSError(error.errno, error.strerror, path) from None


def shrunk(name, path, found, seconds=None):
    """(bytes, verdict) of the smallest input that could be found with the same key."""
    seconds = SHRINK_SECONDS if seconds is None else seconds
    with tempfile.TemporaryDirectory() as folder:
        trial = f"{folder}/trial"
        if engines.has_steps(name):
            judge = replayed if replayed(name, path) else verdict_of

            def still_fails(data):
                write(trial, data)
                again = judge(name, trial)
                return again is not None and again.key == found.key
            write(trial, shrink_steps(read(path), still_fails, seconds))
        else:
            engines.minimise_crash(name, path, trial, seconds)
        if not os.path.exists(trial):
            return read(path), found
        again = verdict_of(name, trial)
        if again is None or again.key != found.key:  # libFuzzer takes any crash for the same
            return read(path), found
        return read(trial), again


def as_trace(name, path, found):
    """Where the input lies as text that shows the same, which reviewers can read; None: it has no text."""
    ends = [match.start() for match in (line.search(found.output) for line in (STEP, REPORT)) if match]
    if not ends or not engines.has_steps(name):
        return None
    target = f"{path}.trace"
    write(target, found.output[:min(ends)].encode())
    again = replayed(name, target)
    if again is not None and again.key == found.key:
        return target
    os.remove(target)
    return None


def set_aside(home, path):
    """An artefact of an earlier campaign, or another one's, that fails no more is kept, but not run again."""
    os.makedirs(f"{home}/{ASIDE}", exist_ok=True)
    os.rename(path, f"{home}/{ASIDE}/{os.path.basename(path)}")
    print(f"passes now: {path}, of an earlier campaign or another one; moved to {home}/{ASIDE}/")
