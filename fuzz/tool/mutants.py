# SPDX-License-Identifier: ISC
"""Seeded bugs: applies each patch of props/mutants/ to a copy of the tree and sees what catches it.
A patch starts with `Harness: NAME ...` (who should notice: harnesses, whose corpus and fuzzing are asked, test
programs, or a group of checks that boots the metal), `Property: ID ...` (what it breaks) and `Bug: ` (what is wrong)."""

import glob
import os
import re
import shutil
import tempfile
import time

import build
import campaign
import checks
import findings
import metal
import source_checks

RANDOM_INPUTS = 500
WORLD = "build/asan/world"
IMAGES = tuple(build.PROFILES.values())
GOLDEN_TEST = "tables_test"  # compares generated pages among others, unless told --no-golden


def witnesses_of(path):
    """The harnesses and the test programs that a patch names."""
    try:
        names = source_checks.mutant_header(path).get("Harness", "").split()
    except UnicodeDecodeError:
        raise build.Stop(f"{path}: not text, so no patch", 2) from None
    if not names:
        raise build.Stop(f"{path}: no line `Harness: NAME`", 2)
    for name in names:
        if name not in build.programs("test") and name not in source_checks.METAL_GROUPS:
            build.known_harness(name)
    return names


def in_copy(folder, command, seconds=300):
    """Runs a program of the copy, in the copy. A program that is not there has caught nothing."""
    status, output = build.run(["env", "-C", folder, *command], seconds)
    if status == 127:
        raise build.Stop(output.strip())
    return status, output


class Jury:
    """What may notice a mutant, in this order: its groups of checks, the corpora of its harnesses, all
    test programs, the boots of the images in the world, random inputs, fuzzing. With golden=False nothing that a
    command writes (digests, floors, generated pages) counts."""

    def __init__(self, folder, golden, seconds):
        self.folder = folder
        self.golden = golden
        self.seconds = seconds # of fuzzing; 0: none
        self.tests = build.programs("test")
        self.harnesses = build.harnesses()

    def caught_by(self, names):
        """What notices the mutant that is applied now, or None."""
        for what, command in self.commands(names):
            worked, output = build.ninja(*self.needed_by(command), folder=self.folder)
            if not worked:
                raise build.Stop("does not build:\n" + build.shorten(output, 20))
            status, output = in_copy(self.folder, command)
            if status != 0:
                return f"{what}: {reason(output)}"
        fuzzers = [name for name in names if name in self.harnesses] if self.seconds else []
        for name in fuzzers:
            build.must_build(f"build/libfuzzer/{name}", folder=self.folder)
            found = fuzzed(self.folder, name, max(1, self.seconds // len(fuzzers)))
            if found:
                return found
        return None

    def needed_by(self, command):
        """What to build before a command: its program; for a test or a boot, which may read them, the
        images as well. Most mutants go no further than one harness."""
        program = os.path.basename(command[0])
        if command[0] == "./basalt":
            return [metal.KERNEL, *IMAGES]
        return [command[0]] if program in self.harnesses else [command[0], *IMAGES]

    def commands(self, names):
        """(what it is called, command) of each check that ends with a status."""
        no_golden = [] if self.golden else ["--no-golden"]
        harnesses = [name for name in names if name in self.harnesses]
        for name in names:
            if name in source_checks.METAL_GROUPS:
                yield f"test {name}", ["./basalt", "test", name]
        for name in harnesses:
            yield f"replay of {name}", [f"build/asan/{name}", "--replay", f"corpus/{name}", *no_golden]
        for name in sorted(self.tests, key=lambda test: test not in names):
            yield name, [f"build/asan/{name}", *(no_golden if name == GOLDEN_TEST else [])]
        for image in IMAGES:
            yield f"world boot of {image}", [WORLD, image]
        for name in harnesses:
            yield f"random {name}", [f"build/asan/{name}", "--random", str(RANDOM_INPUTS),
                                     str(checks.RANDOM_SEED)]


def fuzzed(folder, name, seconds):
    with tempfile.TemporaryDirectory() as home:
        os.makedirs(f"{home}/corpus")
        campaign.seeds(name, f"{home}/seeds")
        before = time.monotonic()
        status, output = campaign.run_libfuzzer(name, seconds, home,
                                                program=f"{folder}/build/libfuzzer/{name}")
        if status == 0:
            return None
        if not findings.artefacts(home):
            raise build.Stop(f"libFuzzer on {name}:\n{build.shorten(output, 10)}")
        return f"fuzzing {name}, {time.monotonic() - before:.0f} s: {reason(output)}"


# How an output says what is wrong, the most telling first. Lines of checks that passed say nothing.
REASONS = (r"^hang: .*", r"^no end after .*", r"^property \S+ does not hold.*", r"^harness does not hold.*",
           r"^assertion does not hold.*",
           r"^SUMMARY: .*", r"^kernel panic: .*",
           r"^.*FAILED.*", r"^.*order matters.*", r"^.*: digest .*", r"^.*/FLOORS: .*",
           r"^.*: [1-9]\d* failed.*", r"^failing input: .*")


def reason(output):
    said = "\n".join(line for line in output.splitlines() if not re.match(r"(\S+: )?ok\b", line))
    for pattern in REASONS:
        found = re.search(pattern, said, re.MULTILINE)
        if found:
            return found[0].strip()[:110]
    return "ended otherwise"


def one(jury, path):
    """Applies, judges and takes back one patch. Returns what caught it, or None."""
    names = witnesses_of(path)
    apply = ["patch", "-p1", "--force", "--no-backup-if-mismatch", "-i", os.path.abspath(path)]
    for command in ([*apply, "--dry-run"], apply): # one that fits in part must not stay in part
        status, output = in_copy(jury.folder, command)
        if status != 0:
            raise build.Stop("does not apply:\n" + output)
    try:
        return jury.caught_by(names)
    finally:
        in_copy(jury.folder, [*apply, "-R"])


def chosen(names):
    """Paths of the patches that were asked for: all, some by name, or files of the user's own."""
    known = {os.path.basename(path)[:-len(".patch")]: path for path in sorted(glob.glob("props/mutants/*.patch"))}
    paths = []
    for name in names or known:
        path = known.get(name, build.user_path(name))
        if not os.path.isfile(path):
            raise build.Stop(f"there is no mutant '{name}'; props/mutants/ holds them, and any patch file will do", 2)
        paths.append(path)
    return paths


def mutants(options):
    paths = chosen(options.names)
    wanted = sorted({name for path in paths for name in witnesses_of(path)})
    build.must_build(*IMAGES, WORLD,
                     *[f"build/asan/{name}" for name in build.harnesses() + build.programs("test")])
    survived, broken = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        checks.copy_sources(folder)
        shutil.copytree("build", f"{folder}/build", symlinks=True,
                        ignore=shutil.ignore_patterns("afl", "shipped", "cover", "libfuzzer", "before", "gdb.*"))
        jury = Jury(folder, not options.no_golden, 0)
        wrong = jury.caught_by(wanted)
        if wrong:
            raise build.Stop(f"without any seeded bug the checks fail already: {wrong}")
        jury.seconds = options.seconds
        for path in paths:
            name = os.path.basename(path).removesuffix(".patch")
            try:
                caught = one(jury, path)
            except build.Stop as stop:
                broken += 1
                print(f"BROKEN   {name}: {stop}", flush=True)
                continue
            survived += caught is None
            told = caught or source_checks.mutant_header(path).get("Bug", "")
            print(f"{'caught  ' if caught else 'SURVIVED'} {name}: {told}", flush=True)
    print(f"{len(paths) - survived - broken} of {len(paths)} mutants caught, {survived} survived, "
          f"{broken} broken")
    return 1 if survived or broken else 0
