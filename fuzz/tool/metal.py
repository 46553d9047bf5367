# SPDX-License-Identifier: ISC
"""Boots an image on the emulated machine, QEMU, and says how it ended."""

import fcntl
import os
import re
import selectors
import shlex
import subprocess
import sys
import tempfile
import time

import build

KERNEL = "build/image/kernel.elf"

# What a boot that is compared or counted needs to be the same every time: one processor model, one
# memory size, time that follows instructions.
MACHINE = ["-M", "q35", "-m", "128", "-cpu", "qemu64,+smep,+smap"]
COUNTED = ["-icount", "shift=0,sleep=off"]

READY, NOT_READY, USAGE, PANIC, TIME_OUT = 0, 1, 2, 3, 4

FOREVER_SECONDS = 7 * 24 * 3600 # what a selector can wait for
END_SECONDS = 20 # READY is the last thing that an image does which ends by itself


def command(image, extra=(), machine=None):
    """The QEMU command that boots an image (None: no image) with the serial log on its standard output."""
    return ["qemu-system-x86_64", *(machine or MACHINE), "-accel", "tcg", "-display", "none", "-monitor",
            "none", "-serial", "stdio", "-no-reboot", "-nic", "none", "-device",
            "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", KERNEL, *(["-initrd", image] if image else []), *extra]


class Boot:
    """One boot: .status is the exit status of `basalt boot`, .log the serial log, .verdict one line
    on how it ended, .seconds how long QEMU ran until then. With stop_at_ready QEMU is ended at
    READY, with stop_at once the log has that pattern; with keep it goes on until it ends by itself or is
    interrupted (Ctrl-C). seconds=None: no limit."""

    def __init__(self, image, seconds=60, echo=False, extra=(), machine=None, stop_at_ready=False,
                 keep=False, stop_at=None):
        self.log = ""
        self.keep = keep
        started = time.monotonic()
        try:
            process = subprocess.Popen(build.bound(command(image, extra, machine)), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as missing:
            raise build.Stop(f"QEMU does not start: {missing}", USAGE) from missing
        try:
            stop_at = r"ERIX_ROOTD:READY\n" if stop_at_ready else stop_at
            late = self._read(process, started + (seconds or FOREVER_SECONDS), echo, stop_at)
        except KeyboardInterrupt:
            process.kill()
            if not keep: # with keep this is how a boot is meant to end
                raise
            late = False
        except BaseException: # QEMU does not outlive the command; of a signal it dies by itself
            process.kill()
            raise
        self.seconds = time.monotonic() - started
        process.kill() if late or process.poll() is None and stop_at else None
        problem = process.stderr.read().decode(errors="replace").strip()
        code = process.wait()
        self.status, self.verdict = judge(self.log, code, late, seconds, problem)

    def _read(self, process, deadline, echo, stop_at):
        """Collects the log until QEMU ends (False), it has what it is to stop at (False), or the
        deadline (True)."""
        selector = selectors.DefaultSelector()
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0, deadline - time.monotonic())):
                return True
            text = os.read(process.stdout.fileno(), 65536).decode(errors="replace")
            if not text:
                return False
            self.log += text.replace("\r", "")
            if echo:
                sys.stdout.write(text)
                sys.stdout.flush()
            if stop_at and re.search(stop_at, self.log, re.M):
                return False
            if "ERIX_ROOTD:READY\n" in self.log:
                deadline = time.monotonic() + FOREVER_SECONDS if self.keep else \
                    min(deadline, time.monotonic() + END_SECONDS)


REPORT = "ERIX_KERNEL:PROCD_DEBUG:" # of the kernel, in the image of profile phase0 alone


def sorted_out(log):
    """(the lines that are no report of the kernel's, {process: its reports in order}). Processes that run side by side
    may be told of in another order than in another boot."""
    lines, reports = [], {}
    for line in log.splitlines():
        if line.startswith(REPORT):
            what, process, *why = line[len(REPORT):].split(":")
            reports.setdefault(process, []).append(":".join([what, *why]))
        else:
            lines.append(line)
    return lines, reports


def judge(log, code, late, seconds, problem):
    """(exit status of `basalt boot`, one line on how it ended)"""
    lines = log.splitlines()
    refused = [line for line in lines if "_REFUSED:" in line]
    ended = [line for line in lines if line.startswith("ERIX_ROOTD:")]
    if any(line.startswith("BASALT_KERNEL:PANIC:") for line in lines):
        return PANIC, "the kernel panicked"
    if late and ended and ended[-1] == "ERIX_ROOTD:READY":
        return TIME_OUT, "READY, but it goes on running, which only the runtime image and the foundation alone do"
    if late:
        return TIME_OUT, f"no end after {seconds} s"
    if ended and ended[-1] == "ERIX_ROOTD:READY":
        # Whoever holds KERNEL_LOG can write that line, but not choose the code that rootd's EXIT ends QEMU with.
        return (READY, "READY") if code <= 1 else (NOT_READY, f"READY was said, but QEMU ended with {code}")
    if refused:
        return NOT_READY, refused[-1]
    if ended:
        return NOT_READY, ended[-1]
    if lines and lines[-1].startswith("BASALT_KERNEL:ROOTD_ENDED:"):
        return NOT_READY, lines[-1]
    if code not in (0, 1) and not lines:
        return USAGE, f"QEMU did not start: {problem or code}"
    return NOT_READY, f"QEMU ended with {code} and no verdict {problem}"


GDB_SOCKET = "build/gdb.sock"
GDB_LOCK = "build/gdb.lock"
GDB_SCRIPT = "linker/basalt.gdb"


def gdb_lock():
    """The open lock of the one boot that may wait for a debugger: a second would take its socket away."""
    lock = open(GDB_LOCK, "a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise build.Stop(f"a boot --gdb of this tree runs already, pid {lock.read().strip()}; end it first",
                         USAGE) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def boot(image, options):
    """`basalt boot`: the serial log on standard output, the verdict on the last line."""
    build.must_build(KERNEL)
    extra, seconds, keep = [], options.timeout, options.keep or options.gdb
    lock = gdb_lock() if options.gdb else None # held until this returns
    if options.gdb: # stands before the first instruction until a debugger says go
        if os.path.exists(GDB_SOCKET):
            os.unlink(GDB_SOCKET)
        extra, seconds = ["-S", "-gdb", f"unix:{GDB_SOCKET},server=on,wait=off"], None
        print(f"basalt: QEMU waits for a debugger; in another terminal, at the root of the tree:\n"
              f"    gdb -q -x {GDB_SCRIPT}", flush=True)
    if options.verbose:
        print("basalt: " + shlex.join(command(image, extra)), flush=True)
    stays = options.profile in build.STAYING # the others end by themselves, and how they do says more than a line
    result = Boot(image, seconds, echo=True, extra=extra, stop_at_ready=stays and not keep, keep=keep)
    if result.log and not result.log.endswith("\n"):
        print()
    if options.verbose:
        print(f"basalt: QEMU ran for {result.seconds:.2f} s")
    if result.status != READY:
        print(f"basalt: {result.verdict}")
    if lock:
        lock.close()
    return result.status


def record(image, seconds=300):
    """Boots with everything fixed and the run written down: (Boot, path of the record)."""
    handle, path = tempfile.mkstemp(prefix="record-", suffix=".bin", dir="build")
    os.close(handle)
    extra = [*COUNTED, "-append", "record", "-debugcon", f"file:{path}"]
    try:
        return Boot(image, seconds, extra=extra), path
    except BaseException:
        os.unlink(path)
        raise


def compare(image, program):
    """`basalt boot --compare`: the same image on the metal and in the world, event by event."""
    build.must_build(KERNEL, program)
    result, path = record(image)
    try:
        sys.stdout.write(result.log)
        if result.status != READY:
            print(f"basalt: {result.verdict}")
            return result.status
        sys.stdout.flush()
        status, output = build.run([program, "--compare", path, image], 120)
        print("".join(line + "\n" for line in output.splitlines() if line.startswith("BASALT_")), end="")
        return status
    finally:
        os.unlink(path)
