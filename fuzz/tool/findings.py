# SPDX-License-Identifier: ISC
"""What engines left: runs each artefact again, tells findings apart, shrinks them, and says how to go
on. Nothing that failed once is dropped in silence."""

import collections
import glob
import os
import re
import tempfile
import time

import build
import engines

KINDS = ("crash-", "timeout-", "oom-", "leak-")
ASIDE = "passing"  # artefacts of earlier campaigns that fail no more
FRAMES_KEYED, FRAMES_SHOWN, LINES_SHOWN = 3, 9, 40
SHRINK_SECONDS = 20
NUMBER_KEPT = 255  # statuses, kinds and counts tell bugs apart; addresses and ids do not

# How an output says what is wrong, the most telling first. Above a property's line, life harnesses print
# `step: memd.close_account predicted DENIED, got OK` (props/life/life.h): the key relies on it.
HEADLINES = (r"^property \S+ does not hold.*", r"^harness does not hold.*", r"^SUMMARY: .*", r"^hang: .*",
             r"^hunger: .*", r"^no end after .*")
STEP = re.compile(r"^step: .*$", re.MULTILINE)
FRAME = re.compile(r"^ +#\d+ 0x\w+ in (\S+) (\./\S+)", re.MULTILINE)
REPORT = re.compile(r"^=+$|^==\d+==|.*runtime error: ", re.MULTILINE)

Verdict = collections.namedtuple("Verdict", "headline key output")


def counted(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


def artefacts(home):
    return sorted(path for kind in KINDS for path in glob.glob(f"{home}/{kind}*"))


def fold(line):
    """A line without what differs between two showings of one bug: large numbers."""
    return re.sub(r"(?<![\w:.-])(0x[0-9a-f]+|\d+)\b",
                  lambda found: found[0] if int(found[0], 0) <= NUMBER_KEPT else "N", line)


def verdict(status, output):
    """What an ended program says of its input; None when it passed. The key is the headline, and the step
    that was being taken with its prediction, or a sanitizer's top frames of our own code."""
    if status == 0:
        return None
    found = [match for match in (re.search(line, output, re.MULTILINE) for line in HEADLINES) if match]
    headline = found[0][0] if found else f"ended with status {status}"
    key = [fold(re.sub(r" \([^)]*\+0x[^)]*\)( \(BuildId[^)]*\))?", "", headline))]
    if headline.startswith("SUMMARY"):
        key += [name for name, _ in FRAME.findall(output)[:FRAMES_KEYED]]
    else:
        key += STEP.findall(output)[-1:]
    return Verdict(headline, tuple(key), output)


def run_again(command):
    return verdict(*build.run(build.bound(command), 2 * engines.INPUT_SECONDS_MAX))


def replayed(name, path):
    """What an artefact shows in the replayer; None when it passes."""
    return run_again([f"build/asan/{name}", "--trace", path])


def verdict_of(name, path):
    """What an artefact shows in the replayer or, when it passes there, alone in libFuzzer's program
    (which also looks for leaks). None: it fails in neither."""
    return replayed(name, path) or run_again([f"build/libfuzzer/{name}", *engines.limits(), path])


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


def shrunk(name, path, found):
    """(path, verdict) of the smallest input with the same key; made once, next to the artefact."""
    home, base = os.path.split(path)
    target = f"{home}/shrunk-{base}"
    if not os.path.exists(target):
        with tempfile.TemporaryDirectory() as folder:
            trial = f"{folder}/trial"
            if engines.has_steps(name):
                judge = replayed if replayed(name, path) else verdict_of

                def still_fails(data):
                    write(trial, data)
                    again = judge(name, trial)
                    return again is not None and again.key == found.key
                write(target, shrink_steps(read(path), still_fails))
            else:
                engines.minimise_crash(name, path, trial, SHRINK_SECONDS)
                write(target, read(trial) if os.path.exists(trial) else read(path))
    again = verdict_of(name, target)
    if again is None or again.key != found.key:  # libFuzzer takes any crash for the same
        os.remove(target)
        return path, found
    return target, again


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


def show(name, group, shrink):
    """Prints one finding: what it is, its trace, and the commands to go on with."""
    _, path, found = min(group, key=lambda item: item[:2])
    print(f"\nfinding: {found.headline} ({counted(len(group), 'input')})")
    size, small, trace = os.path.getsize(path), path, None
    try:
        if shrink:
            small, found = shrunk(name, path, found)
            trace = as_trace(name, small, found)
    except OSError as error:
        print(f"not shrunk: {error.strerror}")
    print(excerpt(found.output))
    if os.path.getsize(small) < size:
        print(f"shrunk: {size} bytes to {os.path.getsize(small)}" +
              (f", {len(frames(read(path)))} steps to {len(frames(read(small)))}" if engines.has_steps(name) else ""))
    print(f"again:  ./basalt show {small}")
    print(f"keep:   cp {trace or small} corpus/{name}/regress-BUG{'.trace' if trace else ''}\n"
          f"        (named after the bug; when that is mended: ./basalt bless {name})", flush=True)


def set_aside(home, path):
    """An artefact of an earlier campaign that fails no more is kept, but not run again."""
    os.makedirs(f"{home}/{ASIDE}", exist_ok=True)
    for old in [path, *glob.glob(f"{home}/shrunk-{os.path.basename(path)}*")]:
        os.rename(old, f"{home}/{ASIDE}/{os.path.basename(old)}")
    print(f"passes now: {path}, of an earlier campaign; moved to {home}/{ASIDE}/")


def report(name, home, paths, old, said, shrink=True):
    """Prints each different finding of these artefacts once. `old`: those that no engine saw fail in this
    campaign; `said`: the engines' words for the others. Returns how many findings there are,
    unreproduced ones included."""
    groups, unreproduced = {}, 0
    for path in paths:
        found = verdict_of(name, path)
        if found is not None:
            groups.setdefault(found.key, []).append((os.path.getsize(path), path, found))
        elif path in old:
            set_aside(home, path)
        else:
            unreproduced += 1
            print(f"\nUNREPRODUCED: {said.get(path, 'the engine did not say why')}: {path}\n"
                  "it failed in the engine and passes when it is run alone: what ran before it, or the load, counted")
    for group in groups.values():
        show(name, group, shrink)
    return len(groups) + unreproduced
