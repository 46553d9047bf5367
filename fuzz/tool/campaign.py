# SPDX-License-Identifier: ISC
"""Drives libFuzzer and AFL++ on one harness. Everything that is found stays under findings/TARGET:
corpus/ (what reached something new), crash-* (one file a finding), afl/ (AFL++'s own folder)."""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys

import build
import source_checks

INPUT_BYTES_MAX = 16384
NOT_INPUTS = ("DIGESTS", "FLOORS", "README.md")
AFL_SETTINGS = {
    "AFL_NO_AFFINITY": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_UI": "1", "AFL_AUTORESUME": "1",
    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_FORKSRV_INIT_TMOUT": "30000",
}


def with_corpus():
    """The harnesses whose corpus is committed; the canaries' inputs must fail and are apart."""
    return [name for name in build.harnesses()
            if os.path.isdir(f"corpus/{name}") and not name.startswith("canary")]


def inputs_of(name):
    return sorted(path for path in glob.glob(f"corpus/{name}/*")
                  if os.path.basename(path) not in NOT_INPUTS)


def store(folder, data, prefix=""):
    """Writes bytes under their hash; a reader never sees half a file."""
    name = prefix + hashlib.sha1(data).hexdigest()[:16]
    path, part = os.path.join(folder, name), os.path.join(folder, f".{name}.part")
    if not os.path.exists(path):
        with open(part, "wb") as file:
            file.write(data)
        os.rename(part, path)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def seeds(name, folder):
    """Fills a folder with the committed inputs, traces assembled; at least one file."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for path in inputs_of(name):
        if path.endswith(".trace"):
            target = f"{folder}/assembled"
            status, output = build.run([f"build/asan/{name}", "--assemble", path, target])
            if status != 0:
                raise build.Stop(output.strip())
            path = target
        store(folder, read(path)[:INPUT_BYTES_MAX])
    if os.path.exists(f"{folder}/assembled"):
        os.remove(f"{folder}/assembled")
    if not os.listdir(folder):
        store(folder, b"\0" * 16)


def dictionary(home):
    """The words that no engine guesses, binary and text, from the tables themselves."""
    build.must_build("build/fast/abi_tables")
    path = f"{home}/dictionary"
    with open(path, "w", encoding="ascii") as file:
        for part, kind in (("b", "dictionary"), ("t", "text-dictionary")):
            status, words = build.run(["build/fast/abi_tables", kind])
            if status != 0:
                raise build.Stop(words.strip())
            file.write(re.sub("^w", part, words, flags=re.MULTILINE))
    return path


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def run_libfuzzer(name, seconds, home, quiet=False, program=None):
    """One libFuzzer process. Returns its exit status and output."""
    command = [program or f"build/libfuzzer/{name}", f"-max_total_time={seconds}",
               f"-max_len={INPUT_BYTES_MAX}", "-timeout=20", "-rss_limit_mb=3000",
               "-print_final_stats=1", f"-artifact_prefix={home}/",
               f"-dict={dictionary(home)}", f"{home}/corpus", f"{home}/seeds"]
    if quiet:
        return build.run(command, seconds + 120)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if re.match(r"#\d+\s+(INITED|pulse|DONE)|stat::|property|.*ERROR:", line):
                sys.stdout.write(line)
                sys.stdout.flush()
    except KeyboardInterrupt: # what it reached so far is in files already
        process.kill()
        process.wait()
        raise
    return process.wait(), "".join(lines)


def has_steps(name):
    """Whether a harness reads steps: then its object says so by a name that the mutators ask for."""
    return "harness_has_steps" in source_checks.symbols(f"build/afl/{name}")[0]


def run_afl(name, seconds, home, more=None):
    """One afl-fuzz process; its queue joins the corpus, its crashes become crash-*."""
    env = dict(AFL_SETTINGS)
    if has_steps(name):
        env["AFL_CUSTOM_MUTATOR_LIBRARY"] = os.path.abspath("build/afl/mutator.so")
    command = ["afl-fuzz", "-V", str(seconds), "-G", str(INPUT_BYTES_MAX), "-t", "2000",
               "-i", f"{home}/seeds", "-o", f"{home}/afl", "-x", dictionary(home), "--", f"build/afl/{name}", "-"]
    try:
        return build.run(command, seconds + 120, {**env, **(more or {})})
    finally: # also when it was interrupted
        harvest_afl(home)


def harvest_afl(home):
    """AFL++'s queue joins the corpus, its crashes become crash-*; those of earlier runs, which it moves
    to crashes.DATE when it goes on, too."""
    for path in glob.glob(f"{home}/afl/default/queue/id:*"):
        store(f"{home}/corpus", read(path))
    for kind in ("crashes", "hangs"):
        for path in glob.glob(f"{home}/afl/default/{kind}*/id:*"):
            store(home, read(path), "crash-")


def afl_executions(home):
    """Executions that AFL++ counted, 0 when it never came so far."""
    try:
        text = text_of(f"{home}/afl/default/fuzzer_stats")
    except OSError:
        return 0
    found = re.search(r"execs_done\s*:\s*(\d+)", text)
    return int(found.group(1)) if found else 0


def artefacts(home):
    return sorted(path for kind in ("crash-", "timeout-", "oom-", "leak-")
                  for path in glob.glob(f"{home}/{kind}*"))


def verdict_of(name, path):
    """What an artefact shows: a property id or the sanitizer's summary, and the whole output."""
    status, output = build.run([f"build/asan/{name}", "--trace", path], 90)
    found = re.search(r"^property .*|^SUMMARY: .*|^no end after .*", output, re.MULTILINE)
    if status == 0:
        return None, output
    return found.group(0) if found else f"ended with status {status}", output


def report(name, home):
    """Prints each different finding once, with its trace and how to see it again."""
    seen = {}
    for path in artefacts(home):
        verdict, output = verdict_of(name, path)
        if verdict is not None:
            seen.setdefault(re.sub(r"0x[0-9a-f]+|\d+", "N", verdict), []).append(
                (os.path.getsize(path), path, verdict, output))
    for group in seen.values():
        _, path, verdict, output = min(group)
        print(f"\nfinding: {verdict} ({len(group)} inputs)")
        print(build.shorten(output, 40))
        print(f"again: ./basalt show {path}")
    return len(seen)


def merge(name, home):
    """Adds the smallest set of inputs that covers what corpus/TARGET does not."""
    target = f"corpus/{name}"
    os.makedirs(target, exist_ok=True)
    extra = f"{home}/merged"
    shutil.rmtree(extra, ignore_errors=True)
    os.makedirs(extra)
    # Edges and marks count, how often does not: a few dozen inputs instead of thousands.
    status, output = build.run([f"build/libfuzzer/{name}", "-set_cover_merge=1", "-use_counters=0", extra, f"{home}/seeds",
                                f"{home}/corpus"])
    if status != 0:
        raise build.Stop(build.shorten(output, 20) + "\nthe merge failed")
    committed = {read(path) for path in glob.glob(f"{home}/seeds/*")}
    new = [data for data in map(read, glob.glob(f"{extra}/*")) if data not in committed]
    for data in new:
        store(target, data)
    print(f"{name}: {len(new)} inputs added to {target}; next: ./basalt bless {name}")


def fuzz(options):
    name = build.known_harness(options.target)
    home = f"findings/{name}"
    os.makedirs(f"{home}/corpus", exist_ok=True)
    build.must_build(f"build/asan/{name}", f"build/{options.engine}/{name}", f"build/libfuzzer/{name}",
                     *(["build/afl/mutator.so"] if options.engine == "afl" else []))
    seeds(name, f"{home}/seeds")
    before = len(os.listdir(f"{home}/corpus"))
    broken, interrupted = False, False
    try:
        if options.engine == "libfuzzer":
            status, output = run_libfuzzer(name, options.seconds, home)
            broken = status != 0 and not artefacts(home)
        else:
            status, output = run_afl(name, options.seconds, home)
            broken = status != 0 or afl_executions(home) == 0
            print(f"{afl_executions(home)} executions in all runs of AFL++")
    except KeyboardInterrupt: # ends the engine, not the report
        interrupted = True
    if broken:
        raise build.Stop(build.shorten(output, 20) + f"\n{options.engine} ended with status {status}")
    print(f"{home}/corpus: {before} inputs before, {len(os.listdir(f'{home}/corpus'))} now")
    if options.merge and not interrupted:
        merge(name, home)
    found = report(name, home)
    print(f"{name}: {found} findings" + (", interrupted" if interrupted else ""))
    return 1 if found else 130 if interrupted else 0
