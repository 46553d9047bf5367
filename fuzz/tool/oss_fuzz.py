# SPDX-License-Identifier: ISC
"""Builds the harnesses as OSS-Fuzz does, and asks of the result what its builder asks (bad_build_check of its
base-runner) and what ClusterFuzz makes of a crash. `test oss-fuzz` takes three harnesses under ASan and libFuzzer,
`test oss-fuzz-all` all of them in every build that OSS-Fuzz makes; engines that are no Debian packages have a
stand-in (fuzz/oss-fuzz/stand_in_engine.c)."""

import collections
import glob
import os
import re
import shutil
import subprocess
import tempfile
import zipfile

import build
import engines
import source_checks

# What the builder sets, by its own documentation and images; $LIB_FUZZING_ENGINE is libFuzzer where nothing else is said.
ALWAYS = "-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"
UNDEFINED = ("bool,array-bounds,float-divide-by-zero,function,integer-divide-by-zero,return,shift,signed-integer-overflow,"
             "{}vla-bound,vptr")
SANITIZE = {
    "address": "-fsanitize=address -fsanitize-address-use-after-scope",
    "undefined": f"-fsanitize={UNDEFINED.format('unsigned-integer-overflow,')} "
                 f"-fno-sanitize-recover={UNDEFINED.format('')}",
    "memory": "-fsanitize=memory -fsanitize-memory-track-origins",
    "coverage": "",
    "none": "",
}
WATCH = {"libfuzzer": "-fsanitize=fuzzer-no-link", "afl": "",
         "honggfuzz": "-fsanitize-coverage=trace-pc-guard,indirect-calls,trace-cmp",
         "centipede": "-fsanitize-coverage=trace-pc-guard,pc-table", "none": ""}
WATCH_OF_COVERAGE = ("-fprofile-instr-generate -fcoverage-mapping -pthread -Wl,--no-as-needed -Wl,-ldl -Wl,-lm "
                     "-Wno-unused-command-line-argument")
OPTIONS = {"UBSAN_OPTIONS": "silence_unsigned_overflow=1", "ASAN_OPTIONS": "handle_abort=1"}

# What the builder refuses: calls of a sanitizer's functions, counted in the disassembly.
RUNS, EDGES_MIN = 4, 100
CALLS = {"address": {"asan": (1000, None), "msan": (0, 0), "ubsan": (0, 200)},
         "undefined": {"asan": (0, 0), "msan": (0, 0), "ubsan": (168, None)},
         "memory": {"asan": (0, 0), "msan": (1000, None), "ubsan": (0, 200)},
         "coverage": {"asan": (0, 0), "msan": (0, 0)}, "none": {"asan": (0, 0), "msan": (0, 0)}}
RUNTIME = {"__asan_init": ("address",), "__msan_init": ("memory",)}
LIBRARIES = re.compile(r"(lib(c|m|dl|rt|pthread|resolv|gcc_s|stdc\+\+)|ld-linux-x86-64)\.so\.\d+")  # of the runner's image

Build = collections.namedtuple("Build", "sanitizer engine linker harnesses", defaults=("ld", ""))
SHORT = (Build("address", "libfuzzer", "ld", "memd_life codec_messages"),)
ALL = (Build("address", "libfuzzer"), Build("undefined", "libfuzzer"), Build("memory", "libfuzzer"),
       Build("coverage", "libfuzzer"), Build("address", "libfuzzer", "lld"), Build("address", "afl"),
       Build("address", "honggfuzz"), Build("none", "centipede"), Build("address", "none"))
AFL_LIBRARY = "/usr/lib/afl/libAFLDriver.a"
AFL_SECONDS = 5


class Place:
    """The folders of one build: a checkout, an empty $WORK, an empty $OUT."""

    def __init__(self, folder, what):
        self.what = what
        self.name = f"{what.sanitizer} {what.engine}" + (f" {what.linker}" if what.linker != "ld" else "")
        self.source, self.work, self.out = (f"{folder}/{name}" for name in ("src", "work", "out"))
        shutil.copytree(".", f"{self.source}/basalt", symlinks=True,
                        ignore=shutil.ignore_patterns("build", "findings", ".git", ".ninja_*"))
        os.makedirs(self.work)
        os.makedirs(self.out)

    def flags(self):
        watch = WATCH_OF_COVERAGE if self.what.sanitizer == "coverage" else WATCH[self.what.engine]
        return f"{ALWAYS} {SANITIZE[self.what.sanitizer]} {watch}"

    def engine(self):
        """$LIB_FUZZING_ENGINE; stand-ins are compiled first."""
        if self.what.engine == "libfuzzer":
            return "-fsanitize=fuzzer"
        if self.what.engine == "afl":
            return AFL_LIBRARY
        path = f"{self.work}/engine"
        command = f"clang-14 -c -I. {ALWAYS} {SANITIZE[self.what.sanitizer]} fuzz/oss-fuzz/stand_in_engine.c -o {path}.o"
        for one in (command.split(), ["ar", "rcs", f"{path}.a", f"{path}.o"]):
            status, said = build.run(one)
            if status != 0:
                raise build.Stop(said)
        return f"{path}.a"

    def environment(self):
        afl = self.what.engine == "afl"
        cc, cxx = ("afl-clang-fast", "afl-clang-fast++") if afl else ("clang-14", "clang++-14")
        linker = {"ld": "", "lld": " -fuse-ld=lld-14"}[self.what.linker]
        kept = {name: os.environ[name] for name in os.environ if name == "PATH" or name.startswith("CCACHE_")}
        wanted = {"HARNESSES": self.what.harnesses} if self.what.harnesses else {}
        return {**kept, "SRC": self.source, "WORK": self.work, "OUT": self.out, "SANITIZER": self.what.sanitizer,
                "FUZZING_ENGINE": self.what.engine, "ARCHITECTURE": "x86_64", "FUZZING_LANGUAGE": "c", "CC": cc, "CXX": cxx,
                "CFLAGS": self.flags(), "CXXFLAGS": self.flags() + linker, "LIB_FUZZING_ENGINE": self.engine(),
                "BASALT_JOBS": build.jobs(), "AFL_QUIET": "1", "AFL_CC": "clang-14", "AFL_CXX": "clang++-14", **wanted}

    def made(self):
        """(status, output) of build.sh, from elsewhere than the checkout, as an image's copy of it is run."""
        result = subprocess.run(["bash", "-eu", f"{self.source}/basalt/.clusterfuzzlite/build.sh"], cwd="/",
                                env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
        return result.returncode, result.stdout

    def leave(self):
        """What runs a harness has no checkout and no $WORK, and $OUT is elsewhere."""
        shutil.rmtree(self.source)
        shutil.rmtree(self.work)
        os.rename(self.out, f"{self.out}-moved")
        self.out += "-moved"


def harnesses(what):
    return what.harnesses.split() or [name for name in build.harnesses() if "canary" not in name and name != "empty"]


def run_in(place, folder, *command, seconds=120, env=None):
    """A program of $OUT, started from another folder."""
    program = [f"{place.out}/{command[0]}", *command[1:]]
    return build.run(["env", "-C", folder, *build.bound(program)], seconds, {**OPTIONS, **(env or {})})


def unpacked(place, name, folder):
    """The seeds of a harness as files; how many there are."""
    os.makedirs(f"{folder}/seeds", exist_ok=True)
    with zipfile.ZipFile(f"{place.out}/{name}_seed_corpus.zip") as seeds:
        seeds.extractall(f"{folder}/seeds")
    return len(os.listdir(f"{folder}/seeds"))


def count_calls(path):
    """How often a program calls each sanitizer's functions."""
    counts = collections.Counter()
    with subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", path], stdout=subprocess.PIPE, text=True) as listing:
        for line in listing.stdout:
            found = re.search(r"\bcallq?\s+[0-9a-f]+ <__(asan|msan|ubsan)", line)
            if found:
                counts[found[1]] += 1
    return counts


def wrong_calls(place, name):
    """Complaints of instrumentation that is missing, or is another sanitizer's."""
    path = f"{place.out}/{name}"
    counts = count_calls(path)
    complaints = [f"{counts[kind]} calls of {kind}, wanted {low} to {high or 'any'}"
                  for kind, (low, high) in CALLS[place.what.sanitizer].items()
                  if counts[kind] < low or (high is not None and counts[kind] > high)]
    defined = source_checks.symbols(path)[0]
    complaints += [f"{symbol} is {'' if symbol in defined else 'not '}there" for symbol, sanitizers in RUNTIME.items()
                   if (symbol in defined) != (place.what.sanitizer in sanitizers)]
    dynamic = build.run(["readelf", "-d", path])[1]
    complaints += [f"needs {library}" for library in re.findall(r"NEEDED.*\[(.*)\]", dynamic)
                   if not LIBRARIES.fullmatch(library)]
    if re.search(r"RPATH|RUNPATH", dynamic):
        complaints.append("says where libraries are")
    return complaints, ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def beside(place, name, count):
    """Complaints of what lies beside a program."""
    inputs = [entry for entry in os.listdir(f"corpus/{name}") if entry not in ("DIGESTS", "FLOORS", "README.md")]
    options = source_checks.read(f"{place.out}/{name}.options")
    complaints = [] if count == len(inputs) else [f"{count} seeds of {len(inputs)} inputs"]
    return complaints + [f"{name}.options has no {flag}" for flag in
                         (f"max_len = {engines.INPUT_BYTES_MAX}", f"timeout = {engines.INPUT_SECONDS_MAX}", "rss_limit_mb = ")
                         if flag not in options]


def libfuzzer_complaints(place, name, folder):
    """Runs without seeds, then the seeds, with the dictionary."""
    status, said = run_in(place, folder, name, "-seed=1337", f"-runs={RUNS}")
    edges = re.search(r"INFO: Loaded \d+ modules? .*\((\d+) (?:inline 8-bit )?(?:counters|guards)\)", said)
    edges = int(edges[1]) if edges else 0
    complaints = [] if status == 0 and f"Done {RUNS} runs" in said else [f"status {status}: {build.shorten(said, 10)}"]
    if edges < EDGES_MIN and place.what.sanitizer != "coverage":
        complaints.append(f"{edges} edges: {build.shorten(said, 3)}")
    status, said = run_in(place, folder, name, "-runs=0", *engines.limits(), f"-dict={place.out}/{name}.dict", "seeds",
                          env={"LLVM_PROFILE_FILE": f"{folder}/seeds.profraw"})
    if status != 0:
        complaints.append(f"seeds: status {status}: {build.shorten(said, 10)}")
    return complaints, f"{edges} edges"


def coverage_complaints(place, name, folder):
    """A report by line can be made of what the seeds reach, with the paths that the builder knows."""
    status, said = build.run(["llvm-profdata-14", "merge", "-o", f"{folder}/all", f"{folder}/seeds.profraw"])
    report = subprocess.run(["llvm-cov-14", "export", "-summary-only", f"-instr-profile={folder}/all",
                             f"{place.out}/{name}"], stdout=subprocess.PIPE, text=True, stderr=subprocess.STDOUT).stdout
    return [] if status == 0 and f'"{place.source}/basalt/abi/' in report else [f"no report: {said}{report[:300]}"]


def afl_complaints(place, name, folder):
    """AFL++ takes the program and begins, from a few seeds."""
    for path in sorted(glob.glob(f"{folder}/seeds/*"))[5:]:
        os.remove(path)
    status, said = build.run(build.bound(["afl-fuzz", "-V", str(AFL_SECONDS), "-i", f"{folder}/seeds", "-o", f"{folder}/afl",
                                          "-x", f"{place.out}/{name}.dict", "--", f"{place.out}/{name}"]), 120,
                             engines.AFL_SETTINGS)
    good = "All set and ready to roll" in said and not re.search("target binary (crashed|terminated)", said)
    return ([] if good else [f"status {status}: {build.shorten(said, 10)}"]), ""


def marks_of(name):
    """The counters of marks that a harness has."""
    paths = [*glob.glob(f"fuzz/*/{name}.c"), "props/base/marks_default.c"]
    return 1 << int(next(filter(None, (re.search(r"^MARKS\((\d+), ", source_checks.read(path), re.M) for path in paths)))[1])


def stand_in_complaints(place, name, folder):
    """The stand-in of an engine runs the seeds and is told what the engine would be."""
    seeds = sorted(glob.glob(f"{folder}/seeds/*"))
    status, said = run_in(place, folder, name, *seeds)
    found = re.search(r"^(\d+) inputs, (\d+) guards, (\d+) met, (\d+) features, (\d+) mutations$", said, re.M)
    if status != 0 or not found:
        return [f"status {status}: {build.shorten(said, 10)}"], ""
    inputs, guards, met, features, mutations = map(int, found.groups())
    wanted = {"honggfuzz": (guards > marks_of(name) + EDGES_MIN and met > 0 and features == 0, "guards of edges and of marks"),
              "centipede": (guards > EDGES_MIN and features > 0 and mutations > 0, "features and mutations"),
              "none": (guards == features == mutations == 0, "nothing")}[place.what.engine]
    complaints = [] if inputs == len(seeds) and wanted[0] else [f"wanted {wanted[1]}: {found[0]}"]
    return complaints, found[0]


def judge(place, name):
    """(complaints, figures) of one harness of a build."""
    with tempfile.TemporaryDirectory() as folder:
        complaints = beside(place, name, unpacked(place, name, folder))
        wrong, figures = wrong_calls(place, name)
        runs = {"libfuzzer": libfuzzer_complaints, "afl": afl_complaints}.get(place.what.engine, stand_in_complaints)
        more, told = runs(place, name, folder)
        if place.what.sanitizer == "coverage":
            more = more + coverage_complaints(place, name, folder)
        return complaints + wrong + more, ", ".join(part for part in (told, figures) if part)


def check_build(tally, what, each):
    with tempfile.TemporaryDirectory(prefix="basalt-oss-fuzz-") as folder:
        place = Place(folder, what)
        status, said = place.made()
        names = harnesses(what)
        left = {entry for entry in os.listdir(place.out)}
        wanted = {name + end for name in names for end in ("", ".dict", ".options", "_seed_corpus.zip")}
        tally.say(f"oss-fuzz {place.name}: build.sh makes {len(names)} harnesses and what lies beside them",
                  status == 0 and left == wanted, build.shorten(said, 20) + f"\n{sorted(left ^ wanted)}")
        if status != 0:
            return
        if what.sanitizer != "coverage": # whose report shows sources
            place.leave()
        for name, (complaints, figures) in each(lambda name: judge(place, name), names):
            tally.say(f"oss-fuzz {place.name}: {name} is no bad build", not complaints, "\n".join(complaints), figures)


# --- stacks

STACKS = "build/libfuzzer/canary_stack"
FRAMES = 3 # of a stack are the name of a bug
PASSED_OVER = re.compile(r"abort|raise$|gsignal|.*pthread_kill|__sanitizer|__asan|__interceptor|fuzzer::|.*assert|"
                         r"LLVMFuzzerTestOneInput|main$|__libc|_start")


def state_of(output):
    """The name that ClusterFuzz gives a crash: the first frames that are not machinery."""
    frames = re.findall(r"^\s+#\d+ 0x\w+ in (\S+)", output, re.MULTILINE)
    return tuple(frame for frame in frames if not PASSED_OVER.match(frame))[:FRAMES]


def check_stacks(tally):
    """Each way to fail, in two operations and in none: what the stack says."""
    alloc, leave = (int(re.search(rf", {name}, (\w+),", source_checks.read(f"abi/messages/{service}.def"))[1], 0)
                         for service, name in (("memd", "ALLOC_FRAMES"), ("kernel", "EXIT")))
    during = {alloc: ("during_memd_alloc_frames",), leave: ("during_kernel_exit",), 0xFFFF: ()}
    ways = ("property_T1_fails", "property_T1_differs", "property_T2_fails", "property_COUNT_differs", "harness_failed", "")
    wrong, states = [], set()
    with tempfile.TemporaryDirectory() as folder:
        for operation, first in during.items():
            for way, frame in enumerate(ways):
                with open(f"{folder}/input", "wb") as file:
                    file.write(operation.to_bytes(2, "little") + bytes([way]))
                status, said = build.run([STACKS, f"{folder}/input"], 60)
                state = state_of(said)
                states.add(state)
                if status == 0 or state != (*first, *([frame] if frame else []), "fail"):
                    wrong.append(f"operation 0x{operation:x}, way {way}: status {status}, {state}")
    tally.complaints(f"{len(during) * len(ways)} failures have stacks of their own",
                     wrong + ([] if len(states) == len(during) * len(ways) else [f"{len(states)} stacks"]))
    there = "\n".join(source_checks.read(path) for path in glob.glob("abi/messages/*.def"))
    operations = {f"during_{prefix}_{name}" for prefix, name in re.findall(r"^OPERATION\(\w+, (\w+), (\w+),", there, re.M)}
    symbols = build.run(["nm", STACKS])[1]
    frames = operations | {f"property_{name}_{way}" for name in source_checks.property_ids() for way in ("fails", "differs")}
    tally.complaints("each operation and property has a frame", [name for name in sorted(frames)
                                                                 if not re.search(rf" {name}$", symbols, re.M)])


def short(tally, each):
    check_stacks(tally)
    for what in SHORT:
        check_build(tally, what, each)


def every(tally, each):
    """All builds; $HARNESSES: of these harnesses only, as build.sh has it."""
    check_stacks(tally)
    for what in ALL:
        check_build(tally, what._replace(harnesses=os.environ.get("HARNESSES", "")), each)
