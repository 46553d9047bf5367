# SPDX-License-Identifier: ISC
"""One input in hand: `trace` makes its text or its bytes, `diff` shows what two do differently, or one in two builds, `shrink` makes a
smaller one that still shows what it shows. The harness runs them; nothing here knows what an input means."""

import difflib
import os
import re
import subprocess
import sys
import tempfile
import time

import blessing
import build
import engines
import findings
import source_checks
from findings import counted, read

TEXT_BYTES_MAX = 1 << 20  # FILE_BYTES_MAX of fuzz/engine/corpus.h
OTHER_BUILDS = ("shipped", "fast")  # that diff compares with, other than commits
CONTEXT = 2  # events around those that differ
DIGEST = re.compile(r"^digest (\w+)\n\Z", re.MULTILINE)


class Ran:
    """What a harness did with an input: its events as text, the digest of its end, the verdict where it failed."""

    def __init__(self, status, output):
        self.verdict = findings.verdict(status, output)
        end = DIGEST.search(output)
        self.digest = end[1] if end else None
        ends = [match.start() for match in (DIGEST.search(output), findings.STEP.search(output) if self.verdict else None,
                                            findings.REPORT.search(output) if self.verdict else None,
                                            re.search(r"^property ", output, re.MULTILINE) if self.verdict else None) if match]
        self.text = output[:min(ends)] if ends else output

    def same_as(self, other):
        """Whether both did the same, as far as digests and findings tell things apart."""
        keys = [ran.verdict and ran.verdict.key for ran in (self, other)]
        return keys[0] == keys[1] and self.digest == other.digest

    def events(self):
        """A step with what came of it, or a message: a line, and those below it that are farther in."""
        found = []
        for line in self.text.splitlines():
            depth = len(line) - len(line.lstrip())
            if found and depth > found[-1][0]:
                found[-1][1].append(line)
            else:
                found.append((depth, [line]))
        if self.verdict:
            found.append((0, [f"fails: {self.verdict.headline}"]))
        return ["\n".join(lines) for _, lines in found]


class Input:
    """A file that holds an input as bytes or as text, whichever it looks like."""

    def __init__(self, given, name):
        self.given, self.name = given, name
        self.folder = tempfile.TemporaryDirectory()
        path = build.user_file(given)
        data = read(path)
        has_text = "harness_assemble" in source_checks.symbols(f"build/asan/{name}")[0]
        self.is_text = has_text and (path.endswith(".trace") or reads_as_text(data))
        self.has_text = has_text
        limit = TEXT_BYTES_MAX if self.is_text else engines.INPUT_BYTES_MAX
        if len(data) > limit:
            raise build.Stop(f"{given}: {len(data)} bytes; {'a text' if self.is_text else 'an input'} has {limit} at most", 2)
        self.path = self.put("given" + (".trace" if self.is_text else ""), data)
        self.bytes = self.assembled(self.path) if self.is_text else data

    def put(self, base, data):
        path = f"{self.folder.name}/{base}"
        findings.write(path, data)
        return path

    def assembled(self, path):
        target = f"{self.folder.name}/assembled"
        status, output = build.run([f"build/asan/{self.name}", "--assemble", path, target])
        if status != 0:
            raise build.Stop(f"{self.given}: {output.strip().removeprefix(f'{path}: ')}", 2)
        return read(target)

    def run(self, path=None, program=None):
        """What it does, as its file holds it: a text also states what is to come."""
        return Ran(*build.run([program or f"build/asan/{self.name}", "--trace", path or self.path]))

    def run_bytes(self, data=None, program=None):
        return self.run(self.put("bytes", self.bytes if data is None else data), program)

    def marks(self, data=None, program=None):
        """Those that its bytes reach, or others; None: they fail."""
        with tempfile.TemporaryDirectory() as folder:
            findings.write(f"{folder}/input", self.bytes if data is None else data)
            status, output = build.run([program or f"build/asan/{self.name}", "--marks", folder])
            return set(output.splitlines()) if status == 0 else None


def reads_as_text(data):
    """Whether bytes are lines that people can read. An input of steps has zeros from its second word on."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and all(letter.isprintable() or letter in "\n\t" for letter in text)


def owner(options, *given):
    """The harness whose inputs these files are."""
    paths = [build.user_file(file) for file in given]
    names = {options.harness} if options.harness else {build.harness_of(path) for path in paths} - {None}
    if not names:
        raise build.Stop(f"whose input is {given[0]}? --harness NAME says it", 2)
    if len(names) > 1:
        raise build.Stop(f"{' and '.join(given)} are inputs of two harnesses: {' '.join(sorted(names))}", 2)
    return build.known_harness(names.pop())


def built(name, *variants):
    build.must_build(*[f"build/{variant}/{name}" for variant in ("asan", *variants)])
    return name


def other_form(source):
    """(the other form of an input, what it does)."""
    if source.is_text:
        return source.bytes, source.run_bytes()
    text = source.run().text.encode()
    if not text:
        raise build.Stop(f"{source.given}: it does nothing, so that it has no text", 1)
    path = source.put("other.trace", text)
    source.assembled(path)
    return text, source.run(path)


def trace(options):
    """Text becomes an input and an input text. Status 1: the other form does something else."""
    source = Input(options.file, built(owner(options, options.file)))
    if not source.has_text:
        raise build.Stop(f"inputs of {source.name} have no text; ./basalt show {options.file} prints what this one does", 2)
    if source.is_text and options.output is None and sys.stdout.isatty():
        raise build.Stop("an input is no text to look at: say with --output where it goes", 2)
    if options.output is not None and os.path.lexists(build.user_path(options.output)):
        raise build.Stop(f"{options.output} is there already; --output names another place", 2)
    made, does = other_form(source)
    if options.output is not None:
        findings.write(build.user_path(options.output), made)
    else:
        sys.stdout.buffer.write(made)
        sys.stdout.flush()
    did = source.run()
    if did.same_as(does):
        return 0
    raise build.Stop(f"{options.file}: it does something else as {'bytes' if source.is_text else 'text'}: " +
                     " and ".join(ran.verdict.headline if ran.verdict else f"digest {ran.digest}" for ran in (did, does)))


def differences(before, after):
    """Lines of a difference: runs of events with those around them, under the numbers of their first."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        yield f"@@ event {group[0][1] + 1} of the first, {group[0][3] + 1} of the second @@"
        for kind, first, end, other, other_end in group:
            for mark, events in ((" ", before[first:end] if kind == "equal" else []),
                                 ("-", before[first:end] if kind != "equal" else []),
                                 ("+", after[other:other_end] if kind != "equal" else [])):
                for event in events:
                    yield from (f"{mark}{line}" for line in event.splitlines())


def program_of(name, where):
    """The harness as another build has it: a variant, or the sanitized one of a commit."""
    if where in OTHER_BUILDS:
        built(name, where)
        return f"build/{where}/{name}"
    found = subprocess.run(["git", "rev-parse", "--verify", "--quiet", f"{where}^{{commit}}"], capture_output=True, text=True)
    if found.returncode != 0:
        raise build.Stop(f"--build is {', '.join(OTHER_BUILDS)} or a commit; '{where}' is none", 2)
    if not blessing.build_before(name, found.stdout.strip()):
        raise build.Stop(f"{name} does not build as of {where}", 2)
    return f"{blessing.BEFORE}/build/asan/{name}"


def sides(options):
    """Of both: what it is called, the input, the program that runs it."""
    if (options.second is None) == (options.build is None):
        raise build.Stop("diff is of two inputs, or of one and another build: A B, or A --build BUILD", 2)
    given = [options.first] if options.second is None else [options.first, options.second]
    name = built(owner(options, *given))
    inputs = [Input(file, name) for file in given]
    if options.build is None:
        return [(file, one, None) for file, one in zip(given, inputs)]
    return [(given[0], inputs[0], None), (f"{given[0]} by {options.build}", inputs[0], program_of(name, options.build))]


def diff(options):
    """Status 0: both do the same, whatever a text states; 1: they do not."""
    both = sides(options)
    ran = [one.run_bytes(program=program) for _, one, program in both]
    lines = list(differences(*[one.events() for one in ran]))
    if lines:
        print("\n".join([f"--- {both[0][0]}", f"+++ {both[1][0]}", *lines]))
    marks = [one.marks(program=program) or set() for _, one, program in both]
    for called, alone in ((both[0][0], marks[0] - marks[1]), (both[1][0], marks[1] - marks[0])):
        for mark in sorted(alone):
            print(f"only {called} reaches: {mark}")
    if lines or not ran[0].same_as(ran[1]):
        if not lines:
            print(f"the same {counted(len(ran[0].events()), 'event')}, but another end: digests {ran[0].digest} and {ran[1].digest}")
        return 1
    print(f"both do the same: {counted(len(ran[0].events()), 'event')}, digest {ran[0].digest}")
    return 0


def shrink_bytes(data, still, seconds):
    """The same in fewer bytes, where an input has no steps: drops ever smaller ranges, the last ones first because
    what is past the end is 0, then makes bytes 0."""
    until = time.monotonic() + seconds

    def kept(candidate):
        return time.monotonic() < until and still(candidate)

    size = max(1, len(data) // 2)
    while size and time.monotonic() < until:
        at, dropped = len(data) - size, False
        while at >= 0:
            candidate = data[:at] + data[at + size:]
            if kept(candidate):
                data, dropped = candidate, True
            at -= size
        size = size if size == 1 and dropped else size // 2
    for at, byte in enumerate(data):
        if byte and kept(data[:at] + b"\0" + data[at + 1:]):
            data = data[:at] + b"\0" + data[at + 1:]
    return data


def smaller(source, wanted, seconds):
    """The bytes of a smaller input that reaches the same marks, or fails in the same way where wanted is None."""
    if wanted is None:
        built(source.name, "libfuzzer")
        path = source.put("failing", source.bytes)
        found = findings.verdict_of(source.name, path)
        if found is None:
            raise build.Stop(f"{source.given}: it failed once and passes now")
        return findings.shrunk(source.name, path, found, seconds)[0], found.headline

    def still(data):
        reached = source.marks(data)
        return reached is not None and wanted <= reached
    shrunk = findings.shrink_steps if engines.has_steps(source.name) else shrink_bytes
    return shrunk(source.bytes, still, seconds), counted(len(wanted), "mark")


def shrink(options):
    """Writes a smaller input that reaches what this one reaches, or shows the same finding."""
    name = built(owner(options, options.file))
    source = Input(options.file, name)
    target = options.output or f"shrunk-{os.path.basename(options.file)}"
    if os.path.lexists(build.user_path(target)):
        raise build.Stop(f"{target} is there already; --output names another place", 2)
    reached = source.marks()
    unknown = [mark for mark in options.mark if reached is not None and mark not in reached]
    if unknown or (options.mark and reached is None):
        raise build.Stop(f"{options.file} does not reach \"{(unknown or options.mark)[0]}\"", 2)
    if reached is not None and not reached:
        raise build.Stop(f"{options.file} reaches no mark: there is nothing to keep")
    small, kept = smaller(source, reached if reached is None else set(options.mark) or reached, options.seconds)
    findings.write(build.user_path(target), source.run_bytes(small).text.encode() if source.is_text else small)
    steps = f", {counted(len(findings.frames(source.bytes)), 'step')} to {len(findings.frames(small))}"
    print(f"{target}: {len(source.bytes)} bytes to {len(small)}{steps if engines.has_steps(name) else ''}; keeps {kept}")
    return 0
