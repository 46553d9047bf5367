# SPDX-License-Identifier: ISC
"""Whose instructions callgrind counted: those of units, of oracles, of stand-ins. Reads its file as it is written
with --dump-instr=yes and without compression; a call into libc counts for who called."""

import collections
import re

ORACLE = re.compile(r"(codec_)?check(_|$)|model_|compare(_|$)|predict")
OURS = ("abi/", "fuzz/", "kernel/", "linker/", "props/", "services/")
RESET = re.compile(r"(^|_)reset(_|$)")
# The first that fits the file of a function; what fits none is the harness's.
PLACES = (("units", re.compile(r"(services|abi|linker|kernel/(?!host/))")),
          ("oracles", re.compile(r"props/models/|fuzz/.*_check\.c$|kernel/host/")),
          ("stand-ins", re.compile(r"props/(stand_ins|world)/")),
          ("digests, marks", re.compile(r"props/base/(digest|marks|property|trace)\.")))
KINDS = ("units", "oracles", "stand-ins", "digests, marks", "harness")
# Of a program of libFuzzer: what it looks for in comparisons, and the rest of the engine. What fits none runs the input.
WATCHED = re.compile(r"__sanitizer_cov_trace_|__sanitizer_weak_hook_|fuzzer::TracePC::(HandleCmp|AddValueFor)")
ENGINE = re.compile(r"fuzzer::|__sanitizer_|main$|operator (new|delete)|std::")
ENGINE_KINDS = ("the input", "comparisons", "libFuzzer")

# kinds: {kind: instructions}; libc and resets are parts of them once more.
Shares = collections.namedtuple("Shares", "total kinds libc resets")


class Calls:
    """total; own {address: instructions}; out {(address, callee's address or None when it is elsewhere): instructions
    of the calls}; back: of calls that libc makes into the program."""

    def __init__(self):
        self.total, self.back = 0, 0
        self.own, self.out = collections.Counter(), collections.Counter()

    def addresses(self):
        return sorted({*self.own, *(at for at, _ in self.out), *(to for _, to in self.out if to is not None)})


def parsed(lines, program):
    """Calls of what ran in the program. What has no instructions of its own called it from outside."""
    calls, here, there, callee, function = Calls(), None, None, None, None
    functions = collections.defaultdict(lambda: [collections.Counter(), collections.Counter()])
    for line in lines:
        key, _, value = line.rstrip("\n").partition("=")
        if key == "ob":
            here = there = value
        elif key == "fn":
            function = value
        elif key == "cob":
            there = value
        elif key == "calls":
            callee = int(value.split()[1], 16)
        elif line.startswith("0x"):
            at, _, count = line.split()
            own, out = functions[here, function]
            if callee is None:
                own[int(at, 16)] += int(count)
            else:
                out[int(at, 16), callee if there == program else None] += int(count)
            callee, there = None, here
        elif line.startswith("summary:"):
            calls.total = int(line.split()[1])
    for (where, _), (own, out) in functions.items():
        if sum(own.values()) == 0:
            continue
        if where == program:
            calls.own.update(own)
            calls.out.update(out)
        else:
            calls.back += sum(count for (_, to), count in out.items() if to is not None)
    return calls


def kind_of(chain):
    """Of the functions at an address, each inlined into the next one."""
    ours = [(name, file) for name, file in chain if file.startswith(("fuzz/", "props/"))]
    if any(ORACLE.match(name) for name, _ in ours):
        return "oracles"
    file = chain[-1][1] if chain else ""
    return next((kind for kind, place in PLACES if place.match(file)), "harness")


def engine_kind_of(chain):
    name = chain[-1][0] if chain else ""
    if WATCHED.search(name):
        return "comparisons"
    return "libFuzzer" if ENGINE.search(name) and not chain[-1][1].startswith(OURS) else "the input"


def is_reset(chain):
    return any(RESET.search(name) for name, _ in chain)


def shares(calls, frames):
    """Shares of all that ran, the calls into libc with who called; frames: {address: [(function, file)]}."""
    kinds = collections.Counter({kind: 0 for kind in KINDS})
    libc, resets = -calls.back, 0
    for at, count in calls.own.items():
        kinds[kind_of(frames[at])] += count
        resets += count if is_reset(frames[at]) else 0
    for (at, to), count in calls.out.items():
        if to is None:
            kinds[kind_of(frames[at])] += count
            libc += count
        if is_reset(frames[at]) and (to is None or not is_reset(frames[to])):
            resets += count
    return Shares(calls.total, {kind: kinds[kind] for kind in KINDS}, libc, resets)


def engine_shares(calls, frames):
    """{kind: instructions} of a program of libFuzzer; a call into libc counts for who called."""
    kinds = collections.Counter({kind: 0 for kind in ENGINE_KINDS})
    for at, count in [*calls.own.items(), *((at, count) for (at, to), count in calls.out.items() if to is None)]:
        kinds[engine_kind_of(frames[at])] += count
    return kinds


# --- checks of this file ---

WRITTEN = """\
summary: 60
ob=program
fl=?
fn=main
0x08 1 0
calls=1 0x10
0x0a 1 60
fn=LLVMFuzzerTestOneInput
0x10 1 20
cob=libc
cfn=memset
calls=1 0x900 1
0x12 1 15
calls=1 0x20 1
0x14 1 25
fn=memd_reset
0x20 1 5
cob=libc
calls=1 0x900 1
0x22 1 20
ob=libc
fn=memset
0x900 1 35
"""
FRAMES = {0x10: [("LLVMFuzzerTestOneInput", "fuzz/codec/a.c")], 0x12: [("check", "fuzz/codec/a.c")],
          0x14: [("LLVMFuzzerTestOneInput", "fuzz/codec/a.c")], 0x20: [("memd_reset", "services/memd/a.c")],
          0x22: [("copy", "abi/a.h"), ("memd_reset", "services/memd/a.c")]}
ENGINE_KIND_OF = (([("memd_reset", "services/memd/a.c")], "the input"), ([("__sanitizer_cov_trace_cmp8", "")], "comparisons"),
                  ([("fuzzer::Fuzzer::RunOne(unsigned char const*)", "")], "libFuzzer"), ([], "the input"),
                  ([("x", "a.h"), ("main_loop", "fuzz/life/a.c")], "the input"),
                  ([("fuzzer::TracePC::HandleCmp<unsigned long>(unsigned long)", "")], "comparisons"))
KIND_OF = (([("check", "services/memd/a.c")], "units"), ([("load", "a.h"), ("model_row", "fuzz/codec/a.c")], "oracles"),
           ([("x", "fuzz/life/a_check.c")], "oracles"), ([("x", "props/stand_ins/a.c")], "stand-ins"), ([], "harness"),
           ([("x", "kernel/core/a.c")], "units"), ([("x", "props/base/marks.c")], "digests, marks"))


def missed():
    """What a made-up file of callgrind should give and does not."""
    found = shares(parsed(WRITTEN.splitlines(), "program"), FRAMES)
    wanted = Shares(60, {"units": 25, "oracles": 15, "stand-ins": 0, "digests, marks": 0, "harness": 20}, 35, 25)
    of_engine = engine_shares(parsed(WRITTEN.splitlines(), "program"), {**FRAMES, 0x20: [("__sanitizer_cov_trace_cmp4", "")]})
    parts = {"the input": 55, "comparisons": 5, "libFuzzer": 0}
    return ([] if found == wanted else [f"{found}, not {wanted}"]) + ([] if of_engine == parts else [f"{of_engine}, not {parts}"]) + [
        f"{chain}: {kind(chain)}, not {wanted}" for kind, table in ((kind_of, KIND_OF), (engine_kind_of, ENGINE_KIND_OF))
        for chain, wanted in table if kind(chain) != wanted]
