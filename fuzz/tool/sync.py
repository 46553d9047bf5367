# SPDX-License-Identifier: ISC
"""./basalt fuzz --sync DIR: campaigns, of one machine or of many, share what they reach and find through a folder.
DIR/basalt-sync holds the number of this layout. DIR/CAMPAIGN/TARGET/corpus/ and found/ are written by that campaign
alone; a file there has the hash of its bytes as its name, and is written under a hidden name first. All read all of
it, and trust none of it: what comes from there is replayed before it counts. Nothing in DIR is ever removed. A process
of its own does the reading and writing (sync_folder.py), and is left behind when it says nothing for too long."""

import collections
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time

import build
import campaign
import findings
import triage
from findings import counted
from sync_folder import CAMPAIGN, LAYOUT, VERSION, Lost

HELPER = [sys.executable, "-B", "fuzz/tool/sync_folder.py"]
SILENT_SECONDS = 30  # without a word from the helper: each file that it reads or writes is one
AGAIN_SECONDS = 300  # between two attempts at a folder that hung: each takes SILENT_SECONDS of a turn
PIPE_BYTES = 65536
KNOWN = "known"  # in findings/TARGET: what was given or taken once, so that what `min` drops stays away


def hash_of(base):
    """The hash that a file of a local corpus has in its name, libFuzzer's whole or ours; None: it has another name."""
    return base[:16] if re.fullmatch(r"[0-9a-f]{16}([0-9a-f]{24})?", base) else None


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


class Helper:
    """sync_folder.py, asked by one at a time. It has a session of its own, so that Ctrl-C does not end it before what the
    campaign found last is given, and holds no pipe that somebody reads to its end."""

    def __init__(self):
        self.process = subprocess.Popen(HELPER, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        self.written, self.read = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self.written, False)
        self.rest = b""

    def ask(self, question):
        """The answer. Lost when nothing is heard for too long, or it has ended."""
        data = (json.dumps(question) + "\n").encode()
        while True:
            readable, writable, _ = select.select([self.read], [self.written] if data else [], [], SILENT_SECONDS)
            if not readable and not writable:
                raise Lost(f"it has not answered for {SILENT_SECONDS} s")
            try:
                if writable:
                    data = data[os.write(self.written, data[:PIPE_BYTES]):]
                answer = self.hear() if readable else None
            except OSError as error:
                raise Lost(f"its helper is gone: {error.strerror}") from None
            if answer is not None:
                return answer

    def hear(self):
        """Reads what it says; the answer once that is whole."""
        heard = os.read(self.read, PIPE_BYTES)
        if not heard:
            raise OSError(0, "it was ended")
        *lines, self.rest = (self.rest + heard).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "say" in said:
                print(said["say"], flush=True)
            if "done" in said:
                return said["done"]
        return None

    def leave(self):
        """Ends it, without waiting for what cannot be ended while its file system hangs."""
        self.process.kill()
        self.process.stdin.close()
        self.process.stdout.close()

    def lives(self):
        return self.process.poll() is None


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
        self.one = threading.Lock()  # of the helper
        self.helper = self.left_behind = None
        self.again_at, self.why = 0, ""

    # --- the helper ---

    def open(self):
        """Ends the command where the folder is none for this, or another campaign of this name runs."""
        about = {"host": socket.gethostname(), "pid": os.getpid(), "began": round(time.time()), "commit": triage.commit()}
        self.helper = Helper()
        try:
            self.ask("open", **self.place(), about=about)
        except Lost as lost:
            raise build.Stop(f"--sync {self.shown}: {lost}", 2) from None

    def place(self):
        return {"shown": self.shown, "path": self.path, "name": self.name}

    def ask(self, do, **more):
        """What the helper says; what it could do before the folder was lost is in there, too."""
        with self.one:
            if self.helper is None:
                self.begin_again()
            answer = self.try_to(do, **more)
        if "stop" in answer:
            raise build.Stop(answer["stop"], 2)
        if "own" in answer:
            raise OSError(*answer["own"])
        return answer

    def try_to(self, do, **more):
        try:
            return self.helper.ask({"do": do, **more})
        except Lost as lost:
            self.helper.leave()
            self.left_behind, self.helper = self.helper, None
            self.why = str(lost)
            self.again_at = time.monotonic() + AGAIN_SECONDS
            raise

    def begin_again(self):
        """A new helper, when the last one is gone and the folder had time to come back. One that nothing can end while its
        file system hangs has the campaign's name still."""
        if time.monotonic() < self.again_at or self.left_behind.lives():
            raise Lost(self.why)
        self.helper = Helper()
        answer = self.try_to("again", **self.place())
        if answer:
            self.helper.leave()
            self.left_behind, self.helper = self.helper, None
            raise Lost(*answer.get("lost", [answer.get("stop")]))

    def exchange(self, function, target):
        """Does something with the folder; when it is lost, says so once and goes on without."""
        before = self.written
        try:
            function(target)
        except Lost as lost:
            if self.lost is None:
                print(f"--sync {self.shown}: {lost}; the campaign goes on alone, and tries it again {self.when()}", flush=True)
            self.lost, self.full = str(lost), lost.writing
            return
        if self.lost is not None and (self.written > before or not self.full):
            print(f"--sync {self.shown}: can be used again", flush=True)
            self.lost = None

    def when(self):
        return "at each turn" if self.helper is not None else f"in {AGAIN_SECONDS} s"

    def known_of(self, target):
        if target.name not in self.known:
            self.known[target.name] = Known(target.home)
        return self.known[target.name]

    # --- what others found ---

    def take(self, target):
        """Fills the target's shared/ with inputs that it does not have, and its artefacts with failing ones."""
        known = self.known_of(target)
        have = known.hashes | {hash_of(base) for base in target.corpus()} - {None}
        answer = self.ask("take", target=target.name, home=target.home, have=sorted(have),
                          have_failing=sorted(known.hashes | seen_failing(target.home)))
        for base, whose in answer.get("failing", {}).items():
            path = f"{target.home}/{base}"
            target.said[path] = f"the campaign {whose} saw it fail"
            target.old.add(path)  # whether it fails here, nobody has seen
        known.add(base[-16:] for base in answer.get("failing", {}))
        if "lost" in answer:
            raise Lost(*answer["lost"])

    # --- what this campaign found ---

    def give(self, target):
        """Writes what no campaign has: inputs that passed, and the smallest of each open finding that came from here."""
        known = self.known_of(target)
        inputs = {hash_of(base): f"{target.home}/corpus/{base}" for base in target.corpus() & target.checked if hash_of(base)}
        failing = list(failing_of(target.home, known.hashes))
        have = [("corpus", base, path) for base, path in sorted(inputs.items())]
        have += [(triage.FOLDER, base, path) for base, path in failing]
        self.waiting[target.name] = len(have)  # until it is seen to be less
        answer = self.ask("give", target=target.name, have=have)
        self.waiting[target.name] = answer.get("left", len(have))
        self.written += answer.get("written", 0)
        if "lost" in answer:
            raise Lost(*answer["lost"])
        known.add([*inputs, *(base[-16:] for base in answer["given"])])

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
