# SPDX-License-Identifier: ISC
"""./basalt add: foreign files become inputs of the harness that reads their format, blessed as they
come. A file is added whole, with its digest and the marks that it reaches, or nothing of it is; what
was there before stays as it is."""

import argparse
import collections
import fcntl
import os
import re
import signal
import stat
import tempfile

import build
import campaign
import engines
import findings
import triage
from findings import read

TEXT_BYTES_MAX = 1 << 20  # FILE_BYTES_MAX of fuzz/engine/corpus.h
HEADER_BYTES, ROW_BYTES, ROWS_MAX, ROWS_AT = 64, 56, 16, 56  # of ELF files: abi/formats/elf_plan.h
CANARIES = "canary"  # how the names of harnesses begin that must fail
NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
TAKEN = ("DIGESTS", "FLOORS")  # of those that a corpus has for itself, and README


class Skip(Exception):
    """Why a file is not added."""


# A format by its first bytes: the harness, how its inputs begin that are to be read as they are, and what the
# harness says when it has read all `size` bytes.
Format = collections.namedtuple("Format", "what magic_at magic harness start said")
FORMATS = (
    Format("ELF file", 0, b"\x7fELF", "codec_elf_plan", b"\0\1", "ELF plan: {size} bytes: "),
    Format("archive", 257, b"ustar", "codec_archive", b"\0\0", "archive of {size} bytes: "),
    Format("boot config", 0, b"ERIXBCFG", "codec_boot_config", b"\0", "boot config: {size} bytes: "),
    Format("boot image", 0, b"BASALTBI", "codec_boot_image", b"\0\0\0\0", "boot image: {size} bytes: "),
    Format("handoff", 0, b"BASALTHO", "codec_handoff", b"\0", "handoff: {size} bytes: "),
    Format("start envelope", 0, b"BASALTSE", "codec_envelope", b"\0", "envelope: {size} bytes: "),
)

# What a file is to become: the input, and what the harness must say of it.
Input = collections.namedtuple("Input", "harness data end said")
# What passed: its bytes, those that the harness runs, which differ where it is text, its digest, and its marks.
Passed = collections.namedtuple("Passed", "data ran digest marks")


def input_name(text):
    """An argument that names an input."""
    if not NAME.fullmatch(text) or text in TAKEN or text.startswith("README"):
        raise argparse.ArgumentTypeError(f"'{text}' is no name for an input: those have letters, digits, '-' and '_'")
    return text


def shown(path):
    """A path on one line, whatever bytes it has."""
    return path if path.isprintable() else ascii(path)[1:-1]


def beginning(path, limit):
    """The first bytes of a file, and how many it has."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # asked first: to open a FIFO is to wait for its writer
            raise Skip("not a regular file")
        with open(path, "rb") as file:
            data = file.read(limit)
            return data, max(len(data), os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise Skip(error.strerror) from None


def elf_view(data):
    """What loaderd and rootd read of a file before they judge it: elf_plan_view_bytes."""
    rows = int.from_bytes(data[ROWS_AT:ROWS_AT + 2], "little") if len(data) >= HEADER_BYTES else 0
    return data[:HEADER_BYTES + ROW_BYTES * min(rows, ROWS_MAX)]


def within(size, limit, what):
    if size > limit:
        raise Skip(f"{size} bytes; {what} has {limit} at most")


def recognised(data, size):
    """A file as an input of the harness of its format."""
    for row in FORMATS:
        if not data.startswith(row.magic, row.magic_at):
            continue
        if row.harness == "codec_elf_plan":
            view = elf_view(data)
            return Input(row.harness, row.start + size.to_bytes(8, "little") + view, "",
                         (row.said.format(size=len(view)), f"of a file of {size} bytes"))
        within(size, engines.INPUT_BYTES_MAX - len(row.start), "as an input it")
        return Input(row.harness, row.start + data, "", (row.said.format(size=size),))
    *known, last = (row.what for row in FORMATS)
    raise Skip(f"no {', '.join(known)} or {last}; for another input say whose it is: --harness NAME")


def converted(path, harness):
    """A file as an input: as it is, where it is said whose."""
    text = harness is not None and path.endswith(".trace")
    limit = TEXT_BYTES_MAX if text else engines.INPUT_BYTES_MAX
    data, size = beginning(path, limit + 1)
    if not data:
        raise Skip("empty")
    if harness is None:
        return recognised(data, size)
    within(size, limit, "a text" if text else "an input")
    return Input(harness, data, ".trace" if text else "", ())


class Corpus:
    """The inputs of one harness, which nobody else adds to until this process ends."""

    def __init__(self, name, covering):
        self.name = name
        self.folder = f"corpus/{name}"
        build.must_build(*[f"build/{variant}/{name}" for variant in ("asan", "libfuzzer", "shipped")])
        os.makedirs(self.folder, exist_ok=True)
        self.lock = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.inputs = {}  # path by content
        for path in campaign.inputs_of(name):
            campaign.regular(path)
            self.inputs.setdefault(read(path), path)
        self.digests = dict(line.rsplit(" ", 1) for line in self.lines("DIGESTS"))
        self.floors = set(self.lines("FLOORS"))
        self.covered = tempfile.TemporaryDirectory() if covering else None
        if covering:
            campaign.seeds(name, self.covered.name)

    def lines(self, name):
        path = f"{self.folder}/{name}"
        return campaign.text_of(path).splitlines()[1:] if os.path.exists(path) else []

    def path_for(self, wanted, base, new):
        """Where an input comes to lie. A name that was asked for is taken or not; others get an end."""
        end = campaign.hash_name(new.data)
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", base.removesuffix(".trace")).strip("-")[:80]
        if not NAME.fullmatch(stem) or stem in TAKEN or stem.startswith("README"):
            stem = "foreign"
        for name in [wanted] if wanted else [stem, f"{stem}-{end}"]:
            path = f"{self.folder}/{name}{new.end}"
            if not os.path.lexists(path):
                return path
        raise Skip(f"{path} is another input")

    def covers_more(self, data):
        """Whether libFuzzer sees an input do what no other does, of the corpus or added before."""
        before = len(os.listdir(self.covered.name))
        with tempfile.TemporaryDirectory() as folder:
            findings.write(f"{folder}/input", data)
            engines.merge(self.name, folder, self.covered.name, folder)
        return len(os.listdir(self.covered.name)) > before

    def commit(self, path, data, passed):
        """The input, its floors, its digest: nothing, when one of them cannot be written, and signals
        come before or after. Killed between two of them, the next call of the same goes on."""
        digests = {**self.digests, os.path.basename(path): passed.digest}
        floors = self.floors | passed.marks
        pages = {path: data} if data is not None else {}
        pages[f"{self.folder}/FLOORS"] = page("Marks that replay must reach: written by `./basalt bless "
                                              f"{self.name}`.", sorted(floors, key=os.fsencode))
        pages[f"{self.folder}/DIGESTS"] = page(f"What each input did: written by `./basalt bless {self.name}` after a "
                                               "review.", [f"{name} {digests[name]}" for name in
                                                           sorted(digests, key=os.fsencode)])
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
        try:
            replace(pages)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        gained = len(passed.marks - self.floors)
        self.digests, self.floors = digests, floors
        return gained


def page(title, lines):
    return "".join(f"{line}\n" for line in [f"# {title}", *lines]).encode()


def replace(pages):
    """Writes files, all or none of them, as far as the disk can fail."""
    parts = {path: os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.new") for path in pages}
    try:
        for path, data in pages.items():
            with open(parts[path], "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        for part in parts.values():
            if os.path.lexists(part) and not os.path.isdir(part):
                os.remove(part)
        raise build.Stop(f"{error.filename or path}: {error.strerror}; nothing was changed", 2) from None
    for path, part in parts.items():
        os.rename(part, path)


def judged(new, name):
    """Runs an input: (what passed, None, None), or (None, its verdict, the bytes that fail)."""
    with tempfile.TemporaryDirectory() as folder:
        path = ran = f"{folder}/{name}"
        findings.write(path, new.data)
        if new.end:
            ran = f"{folder}/.assembled"
            refused(path, *build.run([f"build/asan/{new.harness}", "--assemble", path, ran]))
        found = findings.verdict_of(new.harness, ran)
        if found is not None:
            return None, found, read(ran)
        found = findings.replayed(new.harness, path)
        if found is not None:
            raise Skip(f"it states what does not come: {found.headline}")
        said = build.run([f"build/asan/{new.harness}", "--trace", path])[1]
        if not all(text in said for text in new.said):
            raise Skip(f"{new.harness} does not read all of it")
        refused(path, *build.run([f"build/asan/{new.harness}", "--bless", folder]))
        digest = campaign.text_of(f"{folder}/DIGESTS").splitlines()[1].rpartition(" ")[2]
        marks = set(campaign.text_of(f"{folder}/FLOORS").splitlines()[1:])
        return Passed(read(path), read(ran), digest, marks), None, None


def refused(path, status, output):
    """What the replayer says of a text that is none, or of one whose steps are not all taken."""
    if status != 0:
        line = (output.strip().splitlines() or [f"ended with status {status}"])[-1].removeprefix(f"{path}: ")
        raise build.Stop(line, 2) if "No space left" in line else Skip(line)


def report(corpus, data, found):
    """An input that fails is kept as a campaign's are, and shown in the same way."""
    home = f"findings/{corpus.name}"
    os.makedirs(home, exist_ok=True)
    path = f"{home}/crash-{campaign.hash_name(data)}"
    findings.write(path, data)
    triage.take_in(corpus.name, home, [path], set(), {path: found.headline})


class Adding:
    """One call of the command: the corpora that it adds to, and what became of the files."""

    def __init__(self, options):
        self.options = options
        self.corpora = {}
        self.count = collections.Counter()

    def say(self, path, became, what):
        self.count[became] += 1
        print(f"{shown(path)}: {what}", flush=True)

    def one(self, given):
        path = build.user_path(given)
        new = converted(path, self.options.harness or build.harness_of(path))
        corpus = self.corpora.get(new.harness)
        if corpus is None:
            corpus = self.corpora[new.harness] = Corpus(new.harness, self.options.covering)
        there = corpus.inputs.get(new.data)
        if there is not None and os.path.basename(there) in corpus.digests:
            return self.say(given, "there", f"already there as {there}")
        target = there or corpus.path_for(self.options.name, os.path.basename(path), new)
        passed, found, failing = judged(new, os.path.basename(target))
        if found is not None:
            return self.finding(given, corpus, failing, found)
        there = there or corpus.inputs.get(passed.data)  # with the ids of its rows written
        if there is not None and os.path.basename(there) in corpus.digests:
            return self.say(given, "there", f"already there as {there}")
        if there is None and corpus.covered and not corpus.covers_more(passed.ran):
            return self.say(given, "there", "covers nothing more")
        gained = corpus.commit(target, None if there else passed.data, passed)
        corpus.inputs[passed.data] = corpus.inputs[new.data] = target
        return self.say(given, "added", f"added as {target}, {findings.counted(gained, 'new mark')}")

    def finding(self, given, corpus, failing, found):
        try:
            held = findings.lock(corpus.name, "add")
        except build.Stop as stop:
            raise build.Stop(f"{shown(given)}: not added, it is a finding ({found.headline}), and {stop}: add it again then", 2) from None
        with held:
            self.say(given, "finding", f"not added, it is a finding: {found.headline}")
            report(corpus, failing, found)

    def all(self):
        for given in self.options.files:
            try:
                self.one(given)
            except Skip as skip:
                self.say(given, "skipped", f"skipped: {skip}")
        print(f"{self.count['added']} added, {self.count['there']} there already, {self.count['skipped']} skipped, "
              f"{findings.counted(self.count['finding'], 'finding')}")
        return 1 if self.count["skipped"] or self.count["finding"] else 0


def add(options):
    if options.name is not None and len(options.files) > 1:
        raise build.Stop("--name is for one file", 2)
    if options.harness is not None and build.known_harness(options.harness).startswith(CANARIES):
        raise build.Stop(f"{options.harness} has no corpus: what a canary is given must fail", 2)
    return Adding(options).all()
