# SPDX-License-Identifier: ISC
"""./basalt fuzz --sync DIR: campaigns, of one machine or of many, share what they reach and find through a folder.
DIR/basalt-sync holds the number of this layout. DIR/CAMPAIGN/TARGET/corpus/ and found/ are written by that campaign
alone; a file there has the hash of its bytes as its name, and is written under a hidden name first. All read all of
it, and trust none of it: what comes from there is replayed before it counts. Nothing in DIR is ever removed."""

import collections
import contextlib
import errno
import fcntl
import json
import os
import re
import socket
import stat
import time

import build
import campaign
import engines
import findings
import triage
from findings import counted

LAYOUT, VERSION = "basalt-sync", "1"
LAYOUT_BYTES = 64
OPENED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # what somebody else may have put there
CAMPAIGN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
INPUT = re.compile(r"[0-9a-f]{16}")  # campaign.hash_name
FAILING = re.compile(rf"({'|'.join(findings.KINDS)})([0-9a-f]{{16}})")
TAKEN_MAX = 500  # inputs at a time: whoever waits for them plays no turn
FAILING_TAKEN_MAX = 10
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)  # of a file system: names are then the users' care
OWN = {errno.ELOOP, errno.ENOENT, errno.EACCES, errno.ENXIO}  # of one file: the folder is none the worse for it
KNOWN = "known"  # in findings/TARGET: what was given or taken once, so that what `min` drops stays away


class Lost(Exception):
    """The shared folder cannot be used now; writing: that it can be read says nothing."""

    def __init__(self, text, writing=False):
        super().__init__(text)
        self.writing = writing


def hash_of(base):
    """The hash that a file of a local corpus has in its name, libFuzzer's whole or ours; None: it has another name."""
    return base[:16] if re.fullmatch(r"[0-9a-f]{16}([0-9a-f]{24})?", base) else None


def named_input(path):
    """The bytes of a file that somebody wrote: a regular one, within the limit, of the hash that its name says. Or
    (None, why not)."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None, "not a regular file"
        with os.fdopen(os.open(path, OPENED), "rb") as file:
            data = file.read(engines.INPUT_BYTES_MAX + 1)
    except OSError as error:
        if error.errno in OWN:
            return None, error.strerror
        raise
    if len(data) > engines.INPUT_BYTES_MAX:
        return None, f"more than {engines.INPUT_BYTES_MAX} bytes"
    if campaign.hash_name(data) != os.path.basename(path)[-16:]:
        return None, "other bytes than its name says"
    return data, ""


def listing(path):
    """Names in a folder of somebody; none where there is no such folder, or a link."""
    try:
        return [] if os.path.islink(path) else os.listdir(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


class Known:
    """What one target gave or took, by hash. A file, since it holds for later campaigns, too."""

    def __init__(self, home):
        self.path = f"{home}/{KNOWN}"
        try:
            self.hashes = set(campaign.text_of(self.path).split())
        except (FileNotFoundError, UnicodeDecodeError):
            self.hashes = set()

    def add(self, hashes):
        new = sorted(set(hashes) - self.hashes)
        if new:
            with open(self.path, "a", encoding="ascii") as file:
                file.write("".join(f"{each}\n" for each in new))
            self.hashes |= set(new)


class Shared:
    """The folder, as one campaign sees it."""

    def __init__(self, folder, name=None):
        self.shown = folder
        self.path = os.path.abspath(build.user_path(folder))
        self.name = name or re.sub(r"[^A-Za-z0-9._-]", "-", f"{socket.gethostname()}-{os.getpid()}").lstrip("._-")[-64:]
        self.known = {}
        self.lost = None  # why it cannot be used now
        self.full = False  # it is lost since something could not be written
        self.written = 0
        self.waiting = collections.Counter()  # target: what could not be given
        self.told = set()

    # --- the folder itself ---

    def layout(self):
        """None: there is none, or something that is no file of ours."""
        try:
            with os.fdopen(os.open(f"{self.path}/{LAYOUT}", OPENED), "rb") as file:
                is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
                return file.read(LAYOUT_BYTES).decode().strip() if is_file else None
        except UnicodeDecodeError:
            return None
        except OSError as error:
            if error.errno in OWN:
                return None
            raise

    def open(self):
        """Ends the command where the folder is none for this, or another campaign of this name runs."""
        try:
            os.makedirs(self.path, exist_ok=True)
            there = [base for base in os.listdir(self.path) if not base.startswith(".")]
            if self.layout() is None and there and LAYOUT not in os.listdir(self.path):
                raise build.Stop(f"--sync {self.shown}: no folder of campaigns: it has no file '{LAYOUT}', and there is "
                                 f"{sorted(there)[0]}; give an empty folder", 2)
            if not there:
                self.begin()
            if self.layout() != VERSION:
                raise build.Stop(f"--sync {self.shown}: of another layout, {self.layout()!r} and not {VERSION!r}: it is for an "
                                 "older or newer tree; give another folder", 2)
            self.make(f"{self.path}/{self.name}")
            self.lock()
            about = {"host": socket.gethostname(), "pid": os.getpid(), "began": round(time.time()), "commit": triage.commit()}
            findings.write(f"{self.path}/{self.name}/about.json", (json.dumps(about) + "\n").encode())
        except OSError as error:
            raise build.Stop(f"--sync {self.shown}: {error.strerror}", 2) from None

    def begin(self):
        """Of two campaigns that begin an empty folder at once either may come first."""
        try:
            findings.write(f"{self.path}/{LAYOUT}", f"{VERSION}\n".encode())
        except OSError:
            if self.layout() != VERSION:
                raise

    def make(self, folder):
        """A folder below the shared one, and not where a link that somebody made there leads to."""
        if os.path.realpath(folder) != os.path.realpath(self.path) + folder[len(self.path):]:
            raise OSError(errno.ELOOP, f"{folder[len(self.path) + 1:]} leads elsewhere")
        os.makedirs(folder, exist_ok=True)

    def lock(self):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        self.lock_file = os.open(f"{self.path}/{self.name}/lock", flags, 0o666)
        try:
            fcntl.flock(self.lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise build.Stop(f"--sync {self.shown}: a campaign called {self.name} runs already; --name gives this one another "
                             "name", 2) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise

    @contextlib.contextmanager
    def access(self, writing=False):
        """Whatever the system refuses in here means that the folder is lost, for now."""
        try:
            if self.layout() != VERSION:  # where a file system was, its empty mount point may be
                raise Lost("it is gone, or not what it was")
            yield
        except OSError as error:
            raise Lost(error.strerror or str(error), writing) from None

    def exchange(self, function, target):
        """Does something with the folder; when it is lost, says so once and goes on without."""
        before = self.written
        try:
            function(target)
        except Lost as lost:
            if self.lost is None:
                print(f"--sync {self.shown}: {lost}; the campaign goes on alone, and tries it again at each turn", flush=True)
            self.lost, self.full = str(lost), lost.writing
            return
        if self.lost is not None and (self.written > before or not self.full):
            print(f"--sync {self.shown}: can be used again", flush=True)
            self.lost = None

    def others(self, target, part):
        """(path, names) of every campaign's part of a target, one's own included: it may have lost what it gave."""
        for base in sorted(os.listdir(self.path)):
            if CAMPAIGN.fullmatch(base) and base != LAYOUT and not os.path.islink(f"{self.path}/{base}"):
                path = f"{self.path}/{base}/{target.name}"
                if not os.path.islink(path):
                    yield base, f"{path}/{part}", listing(f"{path}/{part}")

    def known_of(self, target):
        if target.name not in self.known:
            self.known[target.name] = Known(target.home)
        return self.known[target.name]

    # --- what others found ---

    def take(self, target):
        """Fills the target's shared/ with inputs that it does not have, and its artefacts with failing ones."""
        known = self.known_of(target)
        have = known.hashes | {hash_of(base) for base in target.corpus()}
        os.makedirs(f"{target.home}/shared", exist_ok=True)
        taken = self.fetch(target, "corpus", INPUT, have, TAKEN_MAX)
        for base, (data, _) in taken.items():
            findings.write(f"{target.home}/shared/{base}", data)
        failing = self.fetch(target, triage.FOLDER, FAILING, known.hashes | seen_failing(target.home), FAILING_TAKEN_MAX)
        for base, (data, whose) in failing.items():
            path = f"{target.home}/{base}"
            if not os.path.exists(path):
                findings.write(path, data)
                target.said[path] = f"the campaign {whose} saw it fail"
                target.old.add(path)  # whether it fails here, nobody has seen
        known.add(base[-16:] for base in failing)

    def fetch(self, target, part, pattern, have, limit):
        """{name: (bytes, campaign)} of what is there and not at hand."""
        found = {}
        with self.access():
            for whose, folder, names in self.others(target, part):
                for base in sorted(names):
                    if len(found) == limit:
                        return found
                    if not pattern.fullmatch(base) or base[-16:] in have or base in found:
                        continue
                    data, why = named_input(f"{folder}/{base}")
                    if data is not None:
                        found[base] = data, whose
                    elif why != "No such file or directory" and folder not in self.told:
                        self.told.add(folder)
                        print(f"--sync {self.shown}: {folder}/{base}: passed over: {why}; of others there no more is said",
                              flush=True)
        return found

    # --- what this campaign found ---

    def give(self, target):
        """Writes what no campaign has: inputs that passed, and the smallest of each open finding that came from here."""
        known = self.known_of(target)
        self.waiting[target.name] = 1  # until it is seen to be less
        with self.access():
            there = {base for part in ("corpus", triage.FOLDER) for _, _, names in self.others(target, part) for base in names}
        there = {base[-16:] for base in there}
        inputs = {hash_of(base): f"{target.home}/corpus/{base}" for base in target.corpus() & target.checked if hash_of(base)}
        wanted = [("corpus", base, path) for base, path in sorted(inputs.items()) if base not in there]
        wanted += [(triage.FOLDER, base, path) for base, path in failing_of(target.home, known.hashes) if base[-16:] not in there]
        self.waiting[target.name] = len(wanted)
        for part, base, path in wanted:
            self.put(f"{self.path}/{self.name}/{target.name}/{part}", base, path)
            self.waiting[target.name] -= 1
        known.add([*inputs, *(base[-16:] for part, base, _ in wanted if part != "corpus")])

    def put(self, folder, base, path):
        try:
            data = findings.read(path)
        except FileNotFoundError:  # an engine has a smaller one
            return
        if campaign.hash_name(data) != base[-16:]:
            return  # the disk cut it short; remove_truncated knows
        with self.access(writing=True):
            self.make(folder)
            findings.write(f"{folder}/{base}", data)
        self.written += 1

    def left(self):
        """What to say at the end, where something could not be given; None: all was."""
        count = sum(self.waiting.values())
        if self.lost is None or not count:
            return None
        return f"--sync {self.shown}: {self.lost}; {counted(count, 'input')} of this campaign or more are in findings/ alone: " \
               "the next one gives them"


def seen_failing(home):
    """Hashes of inputs that lie among the local findings already."""
    folders = [home, f"{home}/{findings.ASIDE}", *(finding.path + "/inputs" for finding in triage.of_target(home))]
    names = [base for folder in folders if os.path.isdir(folder) for base in os.listdir(folder)]
    return {match[1] for match in (re.fullmatch(r"[a-z]+-([0-9a-f]{16})(?:[0-9a-f]{24})?", base) for base in names) if match}


def failing_of(home, known):
    """(name, path) of an input for each open finding of which none came from another campaign."""
    for finding in triage.of_target(home):
        names = [os.path.basename(path) for path in finding.inputs()]
        if finding.is_open() and finding.is_described() and names and os.path.exists(finding.input) \
                and not any(base.partition("-")[2][:16] in known for base in names):
            kind = next((kind for kind in findings.KINDS if names[0].startswith(kind)), findings.KINDS[0])
            yield f"{kind}{campaign.hash_name(findings.read(finding.input))}", finding.input
