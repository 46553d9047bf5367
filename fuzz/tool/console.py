# SPDX-License-Identifier: ISC
"""A boot that one talks to: `./basalt boot --profile console` on a terminal, and the test that drives one through a
pseudo-terminal. The terminal is raw meanwhile, so that every key is the console's, and is put back whatever ends
the boot."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
import tty

import build
import metal

ESCAPE = b"\x1d"  # Ctrl-]: QEMU is ended
LAST_ROW = b"the console ends\r\n"


class Ended(Exception):
    """A signal that ends this command came."""


def end(number, _frame):
    raise Ended(number)


def pass_on(process, out):
    """Keys to QEMU and its line to the terminal, until one of both ends. Returns how."""
    shown = b""
    while True:
        ready, _, _ = select.select([0, process.stdout], [], [])
        if process.stdout in ready:
            line = os.read(process.stdout.fileno(), 65536)
            if not line:
                return "QEMU ended"
            os.write(out, line)
            shown = (shown + line)[-4096:]
            if LAST_ROW in shown:
                return None
        if 0 in ready:
            keys = os.read(0, 4096)
            if not keys or ESCAPE in keys:
                return "ended by Ctrl-]" if keys else "the terminal is gone"
            os.write(process.stdin.fileno(), keys)


def talk(image):
    """Boots an image whose line is this terminal. Exit status: 0, left or ended by whoever typed; 1, QEMU ended."""
    build.must_build(metal.KERNEL)
    print("basalt: Ctrl-] ends QEMU", flush=True)
    before = termios.tcgetattr(0)
    handlers = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    process, how = None, None
    try:
        process = subprocess.Popen(build.bound(metal.command(image)), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, bufsize=0)
        tty.setraw(0)
        how = pass_on(process, 1)
    except (Ended, KeyboardInterrupt, BrokenPipeError) as ended:
        how = f"ended by {type(ended).__name__} {ended}"
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if process is not None:
            process.kill()
            process.wait()
    print(f"basalt: {how}" if how else "", flush=True)
    return 1 if how == "QEMU ended" else 0


# --- the test ---------------------------------------------------------------------------------------------------

PROMPT = "basalt> "
PATIENCE_SECONDS = 60  # for one answer, on a machine that does other things


class Session:
    """`./basalt boot --profile console` on a pseudo-terminal of its own."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.text = ""
        self.process = subprocess.Popen([sys.executable, "fuzz/tool/main.py", "boot", "--profile", "console"],
                                        stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True)

    def wait_for(self, pattern):
        """Everything up to the first place that matches; None: it did not come."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = re.search(pattern, self.text)
            if found:
                seen, self.text = self.text[:found.end()], self.text[found.end():]
                return seen
            if not select.select([self.master], [], [], max(0, until - time.monotonic()))[0]:
                return None
            try:
                self.text += os.read(self.master, 65536).decode(errors="replace").replace("\r\n", "\n")
            except OSError:  # nobody has the other end any more
                return None

    def send(self, keys):
        os.write(self.master, keys.encode())

    def ask(self, line):
        """The rows up to the next prompt, without lines of the log, which may come between any two of them and between
        two keys of what was typed; None: no prompt came."""
        self.send(line + "\r")
        rows = self.wait_for(PROMPT)
        return None if rows is None else [row for row in rows.splitlines()[:-1] if not row.startswith("LOG:")]

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def end(self):
        """The exit status; the process is gone afterwards."""
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            os.close(self.slave)
            os.close(self.master)


def edges_of(rows):
    """{(process, slot, rights, what)} of an answer to `graph`, as the audit's graph has them: no process itself, and of
    its work the ends of services alone."""
    edges, holder = set(), None
    for row in rows:
        named = re.match(r"(\S+), process \d+$", row)
        held = re.match(r"\s+(\d+)\s+(\S+)\s+(0x[0-9a-f]+)(?: -> (\S+))?", row)
        if named:
            holder = named[1]
        elif held and int(held[1]) > 2 and held[2] != "REPLY":
            edges.add((holder, int(held[1]), held[3], held[4] if held[2] == "ENDPOINT" and held[4] else held[2]))
    return edges


def edges_of_audit(dot):
    found = re.findall(r'"(\S+)" -> "(\S+)" \[label="(\d+) (0x[0-9a-f]+)"\];', dot)
    return {(holder, int(slot), rights, what) for holder, what, slot, rights in found
            if what != "REPLY" and holder not in ("rootd", "procd")} # whom procd does not control


def is_graph_right(rows):
    """What differs from the audit's graph at READY: nothing may be missing; more is what was looked up since."""
    status, dot = build.run(["build/shipped/audit", "--dot", build.CONSOLE_IMAGE], 120)
    if status != 0:
        return [dot]
    here, there = edges_of(rows), edges_of_audit(dot)
    later = {edge for edge in here - there if 21 <= edge[1] <= 31} # peers' slots, which named fills
    return [f"audit alone: {edge}" for edge in sorted(there - here)] + \
        [f"kernel alone: {edge}" for edge in sorted(here - there - later)]


def has(rows, *patterns):
    return rows is not None and all(any(re.search(pattern, row) for row in rows) for pattern in patterns)


def check_commands(tally, session):
    def say(what, rows, *patterns):
        tally.say(f"console: {what}", has(rows, *patterns), "\n".join(rows or ["no prompt"]))

    graph = session.ask("graph")
    wrong = is_graph_right(graph or [])
    tally.say("console: the graph of the kernel is that of the audit", graph is not None and not wrong,
              "\n".join(wrong), f"{len(edges_of(graph or []))} edges")
    say("help lists the commands", session.ask("help"), r"^  run NAME", r"^  cat PATH", r"^  exit")
    say("a mistake is told", session.ask("rnu x"), "no such command")
    say("the line can be mended", session.ask("upx\x7ftimexx\x7f\x7f"), r"^\d+\.\d{3} s$")
    say("processes", session.ask("ps"), r"memd +running", r"seriald +running +1", r"console +running")
    say("memory by account", session.ask("memory"), r"^pages: \d+", r"account 0x[0-9a-f]+ +holds")
    say("programs", session.ask("programs"), "phase0-exit", "idle")
    say("a program runs to its end", session.ask("run phase0-exit 42"), r"process \d+: EXITED, code 0x2a")
    say("one that faults", session.ask("run phase0-fault-kill 3"), r"process \d+: FAULT_")
    say("its record", session.ask("crashes"), "phase0-fault-kill, process")
    say("the log", session.ask("log"), "phase0-fault-kill")
    started = session.ask("start idle")
    say("a program goes on", started, r"process \d+ runs")
    number = re.search(r"process (\d+) runs", "\n".join(started or [])) or [0, "0"]
    say("it is listed", session.ask("ps"), f" {number[1]} +idle +running")
    say("it is stopped", session.ask(f"stop {number[1]}"), "stop: OK")
    say("nobody else is, by procd", session.ask("stop 1"), "stop: NOT_FOUND")
    for name in ("idle", "/bin/linger"):
        session.send(f"run {name}\r")
        session.wait_for(r"process \d+ runs\n") # or Ctrl-C would end the line that is typed
        session.send("\x03")
        stopped = session.wait_for(PROMPT)
        say(f"Ctrl-C stops what runs: {name}", stopped and stopped.splitlines(), r"process \d+: KILLED")


def check_files(tally, session):
    """Files, and programs of them: each ends as services/probes/expectations.h says, or is refused."""
    def say(what, line, *patterns):
        rows = session.ask(line)
        tally.say(f"console: {what}", has(rows, *patterns), "\n".join(rows or ["no prompt"]))
        return rows

    say("a directory", "ls /bin", "^  hello$", "^  stock$")
    say("the root", "ls", "^  bin/$", "^  link@$")
    say("a file's text", "cat /motd", "^Files of the boot image")
    say("what may not be read", "cat /secret", "^cat: DENIED")
    for name, how in (("hello", "EXITED, code 0x2a"), ("look", "EXITED, code 0x10ad0"), ("stock", "EXITED, code 0x0"),
                      ("fault", "FAULT_OUTSIDE, code 0x0, at 0x500000000000")):
        say(f"a program of a file: {name}", f"run /bin/{name}", rf"process \d+: {how}")
    for path, why in (("/bin/dynamic", "REQUIRE_DYNAMIC"), ("/nobody", "NOT_FOUND"), ("/docs", "IS_DIRECTORY"),
                      ("/secret", "DENIED"), ("/motd", "DENIED"), ("/empty", "TRUNCATED"), ("/long", "BAD_MAGIC"),
                      ("/loop", "LINK_LOOP"), ("/bin/hello 7", "UNSUPPORTED")):
        say(f"what is none: {why}", f"run {path}", f"^run: {why}$")
    started = say("one that goes on", "start /bin/linger", r"process \d+ runs")
    number = re.search(r"process (\d+) runs", "\n".join(started or [])) or [0, "0"]
    say("it is loaderd's", "ps", f" {number[1]} +loaded-program +running")
    say("and stopped by it", f"stop {number[1]}", "stop: OK")


def console(tally):
    session = Session()
    tally.say("console: a prompt", session.wait_for(PROMPT) is not None, session.text)
    tally.say("console: the terminal is raw", not session.is_restored())
    check_commands(tally, session)
    check_files(tally, session)
    session.send("exit\r")
    left = session.wait_for(LAST_ROW.decode().strip())
    restored = session.process.wait(PATIENCE_SECONDS) == 0 and session.is_restored()
    tally.say("console: exit ends it, and the terminal is as it was", session.end() == 0 and left and restored)
    killed = Session()
    killed.wait_for(PROMPT)
    killed.process.send_signal(signal.SIGTERM)
    killed.process.wait(PATIENCE_SECONDS)
    tally.say("console: so it is after a signal", killed.is_restored())
    killed.end()
