#!/usr/bin/python3 -B
# SPDX-License-Identifier: ISC
"""Plays libFuzzer for the checks of campaigns: takes its options, does what FAKE_ENGINE says, and
finds nothing by itself. Only campaign_checks.py puts it in the engine's place."""

import hashlib
import os
import re
import signal
import sys
import time

GLOBAL_OVERFLOW, DIVISION = b"b", b"k"  # inputs of canary_detectors that fail, each for its own reason
PASSING = b"passes"


def option(name):
    found = [value for argument in sys.argv for key, _, value in [argument.partition("=")] if key == f"-{name}"]
    return found[0]


def fail(data, words, status, written=None):
    """Leaves an artefact as libFuzzer does; `written` is what the disk took of it."""
    path = f"{option('artifact_prefix')}crash-{hashlib.sha1(data).hexdigest()}"
    print(f"==1== ERROR: libFuzzer: {words}")
    with open(path, "wb") as file:
        file.write(data if written is None else written)
    print(f"artifact_prefix='{option('artifact_prefix')}'; Test unit written to {path}", flush=True)
    return status


def main(case, first, corpus):
    if case == "silent":
        return 1
    if case == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if case == "aborted":
        print("+++ Testing aborted by user +++")
        return 0
    if case == "quiet":
        return 0
    if case == "resting":
        time.sleep(0.5)
        return 0
    if case == "counting":
        with open(f"{corpus}/{hashlib.sha1(PASSING).hexdigest()}", "wb") as file:
            file.write(PASSING)
        print("#2\tINITED cov: 7 ft: 9 corp: 1/6b exec/s: 0 rss: 30Mb", flush=True)
        time.sleep(1)
        print("stat::number_of_executed_units: 1234\nstat::steps: 55", flush=True)
        return 0
    if case == "held" and "canary_detectors" in corpus and not os.path.exists("mended"):
        return fail(GLOBAL_OVERFLOW + option("seed").encode(), "deadly signal", 77)
    if case == "held":
        return 0
    if case == "slow":
        return fail(PASSING, "timeout after 26 seconds", 70) if first else 0
    if case == "full-artefact":
        return fail(GLOBAL_OVERFLOW, "deadly signal", 77, b"") if first else 0
    if case == "full-artefacts":
        return fail(GLOBAL_OVERFLOW, "deadly signal", 77, b"")
    if case == "full-corpus":
        with open(f"{corpus}/{'0' * 40}", "wb"):
            pass
        return 0
    if case == "unwritable":
        print("artifact_prefix='x'; Test unit written to findings/canary_detectors/crash-nowhere")
        return 77 if first else 0
    if case in ("two", "same") and int(option("seed")) % 1000 > 2:
        return 0
    if case == "two":
        return fail(GLOBAL_OVERFLOW if first else DIVISION, "deadly signal", 77)
    if case == "same":
        return fail(GLOBAL_OVERFLOW + option("seed").encode(), "deadly signal", 77)
    if case == "hanging":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        fail(GLOBAL_OVERFLOW, "deadly signal", 77)
        with open("fake.pid", "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(60)
    return 99


if __name__ == "__main__":
    sys.exit(main(os.environ["FAKE_ENGINE"], int(option("seed")) % 1000 == 0,
                  [argument for argument in sys.argv[1:] if not re.match("-", argument)][0]))
