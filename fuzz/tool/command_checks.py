# SPDX-License-Identifier: ISC
"""Checks of ./basalt itself, as a user calls it."""

import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import types

import build
import campaign
import campaign_checks
import metal
import mutants


def commands_answer(tally):
    """Commands that no other check calls: what they print names what they were asked about."""
    traces = [path for name in campaign.with_corpus() for path in glob.glob(f"corpus/{name}/*.trace")[:1]]
    for arguments, text in ((["show", build.RUNTIME_IMAGE], "rootd"), (["units"], "services/memd/memd"),
                            (["show", *traces[:1]], "digest "), (["replay", "codec_envelope"], " 0 lost"),
                            (["boot", "--world"], "ERIX_ROOTD:READY"), (["help"], "mutants"),
                            (["reference"], "PROPERTIES.md: as it was"), (["audit"], "0 findings")):
        status, output = build.run(["./basalt", *arguments], 300)
        tally.say(f"./basalt {' '.join(arguments)}", status == 0 and text in output, f"status {status}\n{output}")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree("corpus/codec_envelope", f"{folder}/corpus")
        kept = {name: campaign.text_of(f"{folder}/corpus/{name}") for name in ("DIGESTS", "FLOORS")}
        for name in kept:
            os.remove(f"{folder}/corpus/{name}")
        status, output = build.run(["build/asan/codec_envelope", "--bless", f"{folder}/corpus"])
        again = {name: campaign.text_of(f"{folder}/corpus/{name}") for name in kept if status == 0}
        tally.say("blessing a corpus from nothing gives the committed digests and floors", kept == again, output)
        os.makedirs(f"{folder}/nothing")
        status, output = build.run(["build/asan/codec_envelope", "--bless", f"{folder}/nothing"])
        tally.say("nothing cannot be blessed", status == 2 and not os.listdir(f"{folder}/nothing"), output)


def usage_errors(tally):
    """Wrong calls end with status 2 and one line that says what to do."""
    for arguments in (["nonsense"], ["boot", "--nonsense"], ["boot", "--world", "--image", "/nonexistent"],
                      ["fuzz", "--merge"], ["fuzz", "no_such_harness"], ["fuzz", "canary", "--engine", "x"],
                      ["replay", "no_such_harness"], ["bless", "no_such_harness"],
                      ["mutants", "no_such_mutant"], ["show"], ["show", "/nonexistent"],
                      ["boot", "--world", "--profile", "x"], ["test", "x"], ["test", "--quick", "no_such_check"], ["boot", "--gdb", "--world"],
                      ["new"], ["new", "operation", "memd", "open_account"],
                      ["new", "operation", "memd", "x", "--id", "0x402"], ["new", "operation", "event", "x"],
                      ["new", "service", "memd"], ["new", "harness", "memd_life"], ["new", "harness", "Life"], ["boot", "--repeat", "0"],
                      ["boot", "--timeout", "-1"], ["boot", "--world", "--compare"], ["show", "README.md"],
                      ["fuzz", "canary", "--seconds", "x"], ["fuzz", "canary", "--seconds", ""], ["fuzz", "canary", "--jobs", "x"],
                      ["fuzz", "canary", "--jobs", "-1"], ["fuzz", "canary", "--seed", "x"], ["fuzz", "canary", "no_such_harness"],
                      ["min", "no_such_harness"], ["triage", "no_such_finding"], ["shrink", "/nonexistent"], ["diff", "README.md", "/"],
                      ["fuzz", "canary", "--seconds", "0"], ["fuzz", "canary", "--seconds", "9999999h"],
                      ["fuzz", "canary", "--jobs", "100000"], ["replay", ""], ["bless", ""],
                      ["new", "operation", "memd", "x", "--id", "0x10000"]):
        status, output = build.run(["./basalt", *arguments], 120)
        lines = output.strip().splitlines()
        tally.say(f"./basalt {' '.join(arguments)} is a usage error",
                  status == 2 and len(lines) == 1, f"status {status}\n{output}")
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy("README.md", folder)
        status, output = build.run(["build/asan/world", "--events", path])
        tally.say("the world empties no file when its image is forgotten",
                  status == 2 and os.path.getsize(path) == os.path.getsize("README.md"), output)


def unwritable(tally):
    """What cannot be written is one line that names it."""
    with tempfile.TemporaryDirectory() as folder:
        for name in set(os.listdir(".")) - {"compile_commands.json", ".git"}:
            os.symlink(os.path.abspath(name), f"{folder}/{name}")
        os.mkdir(f"{folder}/compile_commands.json")
        status, output = build.run(["env", "-C", folder, "python3", "-B", "fuzz/tool/main.py", "compdb"])
        tally.say("a page that cannot be written is one line",
                  status == 2 and output == "basalt: compile_commands.json: Is a directory\n", output)


def new_names_places(tally):
    """`new` prints places that exist, or says that they are to be made."""
    for arguments in (["operation", "memd", "trial"], ["operation", "timed", "trial"], ["operation", "kernel", "trial"],
                      ["service", "triald"], ["harness", "trial"]):
        status, output = build.run(["./basalt", "new", *arguments])
        places = re.findall(r"^ ?\d+\. (\S+)\n    (New:)?", output, re.M)
        missing = [path for path, made in places if not made and not glob.glob(path)
                   and "trial" not in path]
        tally.say(f"./basalt new {' '.join(arguments)} names {len(places)} places",
                  status == 0 and len(places) > 5 and not missing, output + " ".join(missing))


FAKE_APT = """#!/bin/sh
echo "$@" >>"$FAKE_HOME/calls"
[ "$(wc -l <"$FAKE_HOME/calls")" -gt "$FAKE_LOCKED" ] && touch "$FAKE_HOME/installed" && exit 0
echo "E: $FAKE_ERROR"
exit 100
"""
FAKE_DPKG_QUERY = """#!/bin/sh
[ -e "$FAKE_HOME/installed" ] && echo installed || echo not-installed
"""


def package_lock(tally):
    """A package lock that another program holds is waited for; any other failure is told at once."""
    lock = "Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt-get)"
    for what, locked, error, wanted in (("a busy package lock is waited for", 2, lock, 0),
                                        ("a package that is not there is an error", 2,
                                         "Unable to locate package no-such-package", 2)):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("apt-get", FAKE_APT), ("dpkg-query", FAKE_DPKG_QUERY),
                               ("sleep", "#!/bin/sh\n"), ("sudo", "#!/bin/sh\nexec \"$@\"\n")):
                with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                    file.write(text)
                os.chmod(f"{folder}/{name}", 0o755)
            shutil.copytree(".", f"{folder}/tree", symlinks=True, ignore=shutil.ignore_patterns("build", "findings", ".git", "corpus"))
            status, output = build.run([f"{folder}/tree/basalt", "help"], 30, {
                "PATH": f"{folder}:{os.environ['PATH']}", "FAKE_HOME": folder,
                "FAKE_LOCKED": str(locked), "FAKE_ERROR": error})
            waited = "waiting for it" in output
            tally.say(what, status == wanted and waited == (wanted == 0), f"status {status}\n{output}")


HALF_PATCH = """Harness: memd_life
--- a/one
+++ b/one
@@ -1 +1 @@
-one
+two
--- a/two
+++ b/two
@@ -1 +1 @@
-what is not there
+two
"""


def half_a_patch(tally):
    """Of a seeded bug that fits in part nothing stays: the next one would be judged on top of it."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/tree")
        for path, text in (("tree/one", "one\n"), ("tree/two", "two\n"), ("half.patch", HALF_PATCH)):
            with open(f"{folder}/{path}", "w", encoding="ascii") as file:
                file.write(text)
        try:
            mutants.one(types.SimpleNamespace(folder=f"{folder}/tree", caught_by=lambda names: None), f"{folder}/half.patch")
            told = "it was taken for one that applies"
        except build.Stop as stop:
            told = str(stop)
        left = sorted(os.listdir(f"{folder}/tree")) + [campaign.text_of(f"{folder}/tree/one")]
        tally.say("of a patch that fits in part nothing stays", left == ["one", "two", "one\n"] and
                  told.startswith("does not apply"), f"{told}\n{left}")
        with open(f"{folder}/bytes.patch", "wb") as file:
            file.write(b"Harness: memd_life\n\xff")
        status, output = build.run(["./basalt", "mutants", f"{folder}/bytes.patch"])
        tally.say("a patch that is not text is one line", status == 2 and output.count("\n") == 1, output)


def packet(stub, text):
    """Sends one packet of the debugger's protocol and returns the answer's text."""
    stub.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())
    answer = b""
    while not re.search(rb"\$[^#]*#..", answer):
        answer += stub.recv(4096)
    stub.sendall(b"+")
    return re.search(rb"\$([^#]*)#", answer)[1].decode()


def debugger(tally):
    """`boot --gdb` stands before the first instruction until a debugger lets it go; `--keep` goes on
    after READY until it is interrupted; both then end with the boot's own verdict."""
    if os.path.exists(metal.GDB_SOCKET):
        os.unlink(metal.GDB_SOCKET)
    process = interruptible(["./basalt", "boot", "--gdb"])
    try:
        until = time.monotonic() + 30
        while not os.path.exists(metal.GDB_SOCKET) and time.monotonic() < until:
            time.sleep(0.1)
        with socket.socket(socket.AF_UNIX) as stub:
            stub.settimeout(30)
            stub.connect(metal.GDB_SOCKET)
            status, output = build.run(["./basalt", "boot", "--gdb"], 30)
            tally.say("a second boot --gdb leaves the first its socket", status == metal.USAGE
                      and f"pid {process.pid};" in output and os.path.exists(metal.GDB_SOCKET), output)
            stopped, where = packet(stub, "?"), packet(stub, "g")
            tally.say("boot --gdb stands before the first instruction",
                      stopped.startswith("T05") and len(where) > 100, stopped)
            stub.sendall(b"$c#63")
            log = read_until(process, "ERIX_ROOTD:READY", 30)
            tally.say("boot --gdb goes on when the debugger says so", "ERIX_ROOTD:READY" in log, log)
            tally.say("boot --gdb says how to connect", metal.GDB_SCRIPT in log, log)
    except OSError as problem:
        tally.say("a debugger can connect", False, str(problem))
    finally:
        process.send_signal(signal.SIGINT)
        tally.say("an interrupted boot --gdb ends with its verdict", process.wait(30) == metal.READY)
    tally.complaints(f"every name in {metal.GDB_SCRIPT} is the kernel's", names_unknown())
    process = interruptible(["./basalt", "boot", "--keep", "--verbose"])
    log = read_until(process, "ERIX_ROOTD:READY", 60)
    time.sleep(1)
    running = process.poll() is None
    process.send_signal(signal.SIGINT)
    tally.say("boot --keep goes on after READY", running and process.wait(30) == metal.READY
              and "qemu-system-x86_64" in log, log)
    for number in (signal.SIGTERM, signal.SIGKILL):
        process = subprocess.Popen(["./basalt", "boot", "--keep"], stdout=subprocess.PIPE, text=True)
        read_until(process, "ERIX_ROOTD:READY", 60)
        machines = campaign.text_of(f"/proc/{process.pid}/task/{process.pid}/children").split()
        process.send_signal(number)
        process.wait(30)
        left = [pid for pid in machines if not campaign_checks.ended(pid)]
        tally.say(f"{signal.Signals(number).name} ends QEMU as well", len(machines) == 1 and not left, f"{machines} {left}")


def interruptible(command):
    """A process that SIGINT interrupts, also where this one was started with SIGINT ignored, as a
    shell without job control does to what it starts in the background."""
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stderr=subprocess.STDOUT,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def read_until(process, text, seconds):
    """What a process prints until a line holds `text`, it ends, or the time is over."""
    log, until = "", time.monotonic() + seconds
    for line in process.stdout:
        log += line
        if text in line or time.monotonic() > until:
            break
    return log


def names_unknown():
    """Members, constants and functions that the debugger's script names and no header defines."""
    script = re.sub(r'#.*|^\s*(echo|file|add-symbol-file).*|"[^"]*"', "", campaign.text_of(metal.GDB_SCRIPT), flags=re.M)
    headers = "".join(campaign.text_of(path) for path in glob.glob("kernel/*/*.h") + glob.glob("abi/*.h"))
    named = re.findall(r"(?:->|kernel\.|entry\.|\]\.)(\w+)|\b([A-Z][A-Z_]{5,})\b|\((?:struct|enum) (\w+)", script)
    return [f"{name}: no header of kernel/ or abi/ has it"
            for name in sorted({next(filter(None, found)) for found in named})
            if not re.search(rf"\b{name}\b", headers)]
