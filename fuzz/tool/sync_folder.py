# SPDX-License-Identifier: ISC
"""The process that alone touches the folder of `./basalt fuzz --sync DIR` (sync.py): a file system that hangs keeps it, and
not the campaign. It is asked in lines of JSON on its input and answers so; while it works it says now and then that it
does. It ends when its input does."""

import contextlib
import errno
import fcntl
import json
import os
import re
import stat
import sys

import build
import campaign
import engines
import findings

LAYOUT, VERSION = "basalt-sync", "1"
LAYOUT_BYTES = 64
OPENED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # what somebody else may have put there
CAMPAIGN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
INPUT = re.compile(r"[0-9a-f]{16}")  # campaign.hash_name
FAILING = re.compile(rf"({'|'.join(findings.KINDS)})([0-9a-f]{{16}})")
TAKEN_MAX = 500  # inputs at a time: whoever waits for them plays no turn
FAILING_TAKEN_MAX = 10
PARTS = ("corpus", "found")
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)  # of a file system: names are then the users' care
OWN = {errno.ELOOP, errno.ENOENT, errno.EACCES, errno.ENXIO}  # of one file: the folder is none the worse for it


class Lost(Exception):
    """The shared folder cannot be used now; writing: that it can be read says nothing."""

    def __init__(self, text, writing=False):
        super().__init__(text)
        self.writing = writing


def tell(**what):
    """One line for the campaign; an empty one: there is progress."""
    os.write(sys.stdout.fileno(), (json.dumps(what) + "\n").encode())


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
    tell()
    try:
        return [] if os.path.islink(path) else os.listdir(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


class Folder:
    """The folder, as one campaign sees it."""

    def __init__(self):
        self.shown = self.path = self.name = ""
        self.said = {}  # of the answer in the making
        self.told = set()

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

    def open(self, shown, path, name, about):
        """Refused where the folder is none for this, or another campaign of this name runs."""
        self.shown, self.path, self.name = shown, path, name
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
            findings.write(f"{self.path}/{self.name}/about.json", (json.dumps(about) + "\n").encode())
        except OSError as error:
            raise build.Stop(f"--sync {self.shown}: {error.strerror}", 2) from None

    def again(self, shown, path, name):
        """The same of a folder that this campaign had before; begins nothing where it is gone."""
        self.shown, self.path, self.name = shown, path, name
        with self.access():
            self.lock()

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

    def others(self, target, part):
        """(campaign, path, names) of every campaign's part of a target, one's own included: it may have lost what it gave."""
        for base in sorted(os.listdir(self.path)):
            if CAMPAIGN.fullmatch(base) and base != LAYOUT and not os.path.islink(f"{self.path}/{base}"):
                path = f"{self.path}/{base}/{target}"
                if not os.path.islink(path):
                    yield base, f"{path}/{part}", listing(f"{path}/{part}")

    # --- what others found ---

    def take(self, target, home, have, have_failing):
        """Fills the target's shared/ with inputs that it does not have, and its artefacts with failing ones, whose
        campaigns are the answer."""
        os.makedirs(f"{home}/shared", exist_ok=True)
        for base, (data, _) in self.fetch(target, "corpus", INPUT, set(have), TAKEN_MAX).items():
            findings.write(f"{home}/shared/{base}", data)
        self.said["failing"] = {}
        for base, (data, whose) in self.fetch(target, "found", FAILING, set(have_failing), FAILING_TAKEN_MAX).items():
            if not os.path.exists(f"{home}/{base}"):
                findings.write(f"{home}/{base}", data)
            self.said["failing"][base] = whose

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
                    tell()
                    data, why = named_input(f"{folder}/{base}")
                    if data is not None:
                        found[base] = data, whose
                    elif why != "No such file or directory" and folder not in self.told:
                        self.told.add(folder)
                        tell(say=f"--sync {self.shown}: {folder}/{base}: passed over: {why}; of others there no more is said")
        return found

    # --- what this campaign found ---

    def give(self, target, have):
        """Writes what no campaign has of (part, name, local path)."""
        self.said["written"] = 0
        with self.access():
            there = {base[-16:] for part in PARTS for _, _, names in self.others(target, part) for base in names}
        wanted = [row for row in have if row[1][-16:] not in there]
        self.said["left"] = len(wanted)
        for part, base, path in wanted:
            tell()
            self.put(f"{self.path}/{self.name}/{target}/{part}", base, path)
            self.said["left"] -= 1
        self.said["given"] = [base for part, base, _ in wanted if part != "corpus"]

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
        self.said["written"] += 1


def serve():
    """One question after the other; each is answered once, by a line that says that it is done."""
    folder = Folder()
    for line in sys.stdin:
        question = json.loads(line)
        folder.said = {}
        try:
            getattr(folder, question.pop("do"))(**question)
        except Lost as lost:
            folder.said["lost"] = [str(lost), lost.writing]
        except build.Stop as stop:
            folder.said["stop"] = str(stop)
        except OSError as error:  # of this campaign's own folders
            folder.said["own"] = [error.errno, error.strerror, error.filename]
        except Exception as error:  # nobody reads what this process says elsewhere
            folder.said["own"] = [0, repr(error), None]
        tell(done=folder.said)


if __name__ == "__main__":
    serve()
