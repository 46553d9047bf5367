# SPDX-License-Identifier: ISC
"""Asks ninja what there is, and has it built. Ninja's files are the only list of anything."""

import contextlib
import fcntl
import os
import re
import subprocess
import sys

RUNTIME_IMAGE = "build/boot.img"
FOUNDATION_IMAGE = "build/boot-foundation.img"
PHASE0_IMAGE = "build/boot-phase0.img"
HOSTILE_IMAGE = "build/boot-hostile.img"
ATTACKS_IMAGE = "build/boot-attacks.img"
GRAPH_IMAGE = "build/boot-graph.img"
SERVICES_IMAGE = "build/boot-services.img"
OPERATIONS_IMAGE = "build/boot-operations.img"
RESTARTS_IMAGE = "build/boot-restarts.img"
CONSOLE_IMAGE = "build/boot-console.img"
FILES_IMAGE = "build/boot-files.img"
PHASE4_IMAGES = {f"phase4-loader-{name}": f"build/boot-phase4-loader-{name}.img" for name in (
    "contract", "fs-discovery", "materialized-launch", "cleanup-authority", "closure")}
BENCH_IMAGE = "build/boot-bench.img"

# What `--profile` chooses from.
PROFILES = {"none": RUNTIME_IMAGE, "foundation": FOUNDATION_IMAGE, "phase0": PHASE0_IMAGE, "hostile": HOSTILE_IMAGE,
            "attacks": ATTACKS_IMAGE, "graph": GRAPH_IMAGE, "services": SERVICES_IMAGE, "operations": OPERATIONS_IMAGE,
            "restarts": RESTARTS_IMAGE, "console": CONSOLE_IMAGE, "files": FILES_IMAGE, **PHASE4_IMAGES}
STAYING = ("none", "foundation", "console")  # they go on running after READY


class Stop(Exception):
    """Ends the command: the text is what the user is told, the status is the exit status."""

    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status


def jobs():
    return os.environ.get("BASALT_JOBS") or str(os.cpu_count() or 1)


@contextlib.contextmanager
def one_ninja(folder):
    """Held while ninja runs in a folder: two at a time, of threads or of commands, would both write its log. Ninja is to
    inherit it: it goes on for a while when whoever asked is killed."""
    os.makedirs(f"{folder}/build", exist_ok=True)
    with open(f"{folder}/build/.lock", "w", encoding="ascii") as file:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def ninja(*targets, keep_going=False, quiet=True, folder="."):
    """Builds targets. Returns (worked, output)."""
    command = ["ninja", "-C", folder, "-j", jobs()] + (["-k", "0"] if keep_going else [])
    with one_ninja(folder) as lock:
        result = subprocess.run(command + list(targets), stdin=subprocess.DEVNULL, text=True, pass_fds=[lock],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if not quiet:
        sys.stdout.write(result.stdout)
    return result.returncode == 0, result.stdout


def must_build(*targets, folder="."):
    worked, output = ninja(*targets, folder=folder)
    missing = None if worked else re.search(r"^/bin/sh: \d+: (\S+): not found$", output, re.MULTILINE)
    if missing:
        raise Stop(f"{missing[1]} is nowhere in PATH", 2)
    if not worked:
        raise Stop(shorten(output, 60) + "\nthe build failed: see above", 2)


def shorten(text, lines):
    """The last lines of a text, without ninja's progress."""
    kept = [line for line in text.splitlines() if not line.startswith("[")]
    return "\n".join(kept[-lines:])


def all_targets(folder="."):
    """Every output that ninja knows with the rule that makes it, as {output: rule}."""
    listing = subprocess.run(["ninja", "-C", folder, "-t", "targets", "all"], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if listing.returncode != 0:
        raise Stop(listing.stdout + "ninja cannot read the build files")
    return dict(line.rsplit(": ", 1) for line in listing.stdout.splitlines() if ": " in line)


def programs(rule, variant="asan", folder="."):
    """Names of the programs that a rule (harness, test, program) makes in a variant."""
    prefix = f"build/{variant}/"
    return sorted(output[len(prefix):] for output, made_by in all_targets(folder).items()
                  if made_by == rule and output.startswith(prefix))


def harnesses():
    return programs("harness")


def known_harness(name):
    if name not in harnesses():
        raise Stop(f"there is no harness '{name}'; there are: {' '.join(harnesses())}", 2)
    return name


def harness_of(path):
    """The harness whose folder of corpus/ or findings/ the file lies in, or None."""
    parts = os.path.abspath(path).split(os.sep)
    known = harnesses()
    for parent in ("corpus", "findings"):
        if parent in parts:
            rest = parts[len(parts) - parts[::-1].index(parent):]
            for name in sorted(known, key=len, reverse=True):
                if rest and (rest[0] == name or rest[0].startswith(name + "-random-")):
                    return name
    return None


def user_path(path):
    """A path that the user gave, relative to where the command was called."""
    return os.path.join(os.environ.get("BASALT_CWD", "."), path)


def user_file(given):
    """The path of a file that the user gave and that is there."""
    path = user_path(given)
    if not os.path.isfile(path):
        raise Stop(f"not a file: {given}" if os.path.exists(path) else f"no such file: {given}", 2)
    return path


def bound(command, number="KILL"):
    """A command whose process gets a signal when this process dies, of kill -9 too."""
    return ["setpriv", "--pdeathsig", number, "--", *command]


def run(command, seconds=600, env=None):
    """Runs a program: (exit status, its output, both streams). 124: it took too long; 127: it is
    not there."""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=seconds,
                                env={**os.environ, **(env or {})})
        return result.returncode, result.stdout.decode(errors="replace")
    except FileNotFoundError:
        return 127, f"{command[0]} was not built\n"
    except subprocess.TimeoutExpired as late:
        return 124, (late.stdout or b"").decode(errors="replace") + f"\nno end after {seconds} s\n"
