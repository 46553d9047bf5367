# SPDX-License-Identifier: ISC
"""./basalt bench fuzz: what an execution of each harness costs, and whose it is. Rates are of CPU seconds, next to the
empty harness in the same run; instructions are counted by valgrind in the fast build, and repeat exactly."""

import hashlib
import json
import os
import re
import subprocess
import tempfile

import bench_share
import bench_table
import build
import campaign
import engines

TABLE = "fuzz/bench.expected"
PAGE = "fuzz/README.md"
TOLERANCE_PERCENT = 10
SAMPLE = 48 # inputs of a corpus that are counted
SECONDS = 1
ENGINE_SECONDS = 3
VARIANTS = ("fast", "asan")
ENGINES = ("libfuzzer_fast", "libfuzzer")
# Counted each day: what takes valgrind no second or two.
DAILY = ("codec_archive", "codec_boot_config", "codec_boot_image", "codec_elf_plan", "codec_envelope",
         "codec_handoff", "codec_messages", "memd_life", "named_life", "timed_life")
HEAD = f"""\
# Instructions per input of each harness in the fast build: the mean over {SAMPLE} inputs of its corpus, chosen by the hash of
# their names. `./basalt test bench-fuzz` and, for some, `./basalt test bench-fuzz-daily` fail when one has {TOLERANCE_PERCENT} % more.
# `./basalt bench fuzz --bless` writes this file anew, and the tables of {PAGE}.
"""
ROWS_HEAD = ("| harness | fast: inputs/s | of empty | asan: inputs/s | of empty | fast: steps/s | asan: steps/s "
             "| bytes per input | instructions per input |")
SHARES_HEAD = "| where they go, in % | " + " | ".join(bench_share.KINDS) + " | in libc | in resets |"
ENGINE_HEAD = "| under libFuzzer | fast: executions/s | of empty | asan: executions/s | of empty |"


# --- counting ---

def sample_of(name):
    """The inputs that are counted; one that is added changes one of them at most."""
    return sorted(campaign.inputs_of(name),
                  key=lambda path: hashlib.sha256(os.path.basename(path).encode()).digest())[:SAMPLE]


def counted(name):
    """(instructions per input, bench_share.Shares) of a harness in the fast build."""
    program, inputs = f"build/fast/{name}", sample_of(name)
    with tempfile.TemporaryDirectory() as home:
        os.mkdir(f"{home}/inputs")
        for path in inputs:
            os.symlink(os.path.abspath(path), f"{home}/inputs/{os.path.basename(path)}")
        # valgrind does not read this compiler's debug information, the symbolizer does.
        stripped = f"{home}/{name}"
        for command in (["objcopy", "-g", program, stripped],
                        ["valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-strings=no",
                         "--compress-pos=no", f"--callgrind-out-file={home}/out",
                         "--toggle-collect=LLVMFuzzerTestOneInput", stripped, "--bench", f"{home}/inputs", "0"]):
            status, output = build.run(command, env={"LD_BIND_NOW": "1"})
            if status != 0:
                raise build.Stop(f"{build.shorten(output, 20)}\n{' '.join(command)} ended with status {status}")
        with open(f"{home}/out", encoding="utf-8") as text:
            calls = bench_share.parsed(text, stripped)
    shares = bench_share.shares(calls, frames(program, calls.addresses()))
    return calls.total // len(inputs), shares


def frames(program, addresses):
    """{address: [(function, file), innermost first]}"""
    command = ["llvm-symbolizer-14", f"--obj={program}", "--inlines", "--output-style=JSON"]
    result = subprocess.run(command, input="".join(f"{at:#x}\n" for at in addresses), text=True,
                            capture_output=True, check=False)
    lines = result.stdout.splitlines()
    if result.returncode != 0 or len(lines) != len(addresses):
        raise build.Stop(f"{result.stderr}\nllvm-symbolizer-14 does not read {program}")
    return {at: [(frame["FunctionName"], os.path.relpath(frame["FileName"]) if frame["FileName"] else "")
                 for frame in json.loads(line).get("Symbol", [])] for at, line in zip(addresses, lines)}


# --- what is expected ---

def write(expected, tables):
    """Writes what was counted and the tables of the page, and says what changed."""
    for name, count in expected.items():
        before = bench_table.expected(TABLE).get(name)
        if before != count:
            print(f"{name}: {before or 'new'} -> {count}")
    with open(PAGE, encoding="utf-8") as file:
        page = bench_table.into_page(file.read(), tables, PAGE)
    bench_table.rewrite(TABLE, HEAD + "".join(f"{name} {count}\n" for name, count in expected.items()))
    bench_table.rewrite(PAGE, page)
    print(f"{TABLE}: {len(expected)} harnesses; {PAGE}: its tables")
    return 0


def slower(now, table):
    """A line for each harness that takes more instructions than the table says, or is in no table."""
    wrong = []
    for name, count in now.items():
        if name not in table:
            wrong.append(f"{name}: {count} instructions per input, and {TABLE} has no such row")
        elif count * 100 > (100 + TOLERANCE_PERCENT) * table[name]:
            wrong.append(f"{name}: {count} instructions per input, {table[name]} in {TABLE}: "
                         f"{100 * (count - table[name]) / table[name]:.1f} % more")
    return wrong + [f"`./basalt bench fuzz NAME` shows where they go; when this is meant, `./basalt bench fuzz --bless` "
                    f"writes {TABLE} anew"] if wrong else []


def check(tally, names=None):
    """No harness takes more than the table says; the parts of each add up to the whole."""
    names = names or [name for name in campaign.with_corpus() if name != "empty"]
    build.must_build(*[f"build/fast/{name}" for name in names])
    now, parts = {}, []
    for name in names:
        now[name], found = counted(name)
        if abs(sum(found.kinds.values()) - found.total) * 1000 > found.total:
            parts.append(f"{name}: {found.total} instructions, and its parts have {sum(found.kinds.values())} together")
    table = bench_table.expected(TABLE)
    tally.complaints(f"{len(names)} harnesses take no more instructions than {TABLE} says", slower(now, table))
    tally.complaints("the parts of what they take add up", parts)
    known = campaign.with_corpus()
    tally.complaints(f"{TABLE} names harnesses", [f"there is no {name}" for name in table if name not in known])


def missed():
    """What made-up counts should give and do not."""
    wrong = [] if slower({"a": 1100}, {"a": 1000}) == [] else ["10 % more was refused"]
    for what, now, table in (("more than 10 %", {"a": 1101}, {"a": 1000}), ("a new harness", {"a": 1}, {})):
        wrong += [] if len(slower(now, table)) == 2 else [f"{what}: {slower(now, table)}"]
    return wrong + bench_share.missed()


# --- rates ---

def rate(name, variant, seconds):
    """(inputs, steps or 0) per CPU second of a corpus that is run again and again."""
    command = [f"build/{variant}/{name}", "--bench", f"corpus/{name}", str(seconds)]
    status, output = build.run(command)
    found = re.search(r"(\d+) per second", output)
    if status != 0 or not found:
        raise build.Stop(f"{build.shorten(output, 20)}\n{' '.join(command)} ended with status {status}")
    steps = re.search(r"(\d+) steps per second", output)
    return int(found[1]), int(steps[1]) if steps else 0


def beside_empty(name, variant):
    """(inputs per second, their ratio to the empty harness before and after, steps per second)"""
    before = rate("empty", variant, SECONDS / 3)[0]
    inputs, steps = rate(name, variant, SECONDS)
    after = rate("empty", variant, SECONDS / 3)[0]
    return inputs, 2 * inputs / (before + after), steps


def engine_rate(name, variant, seeds):
    """Executions per CPU second under libFuzzer from these seeds, all of which stay in its corpus."""
    with tempfile.TemporaryDirectory() as home:
        command = [f"build/{variant}/{name}", "-seed=1", f"-max_total_time={ENGINE_SECONDS}", "-keep_seed=1",
                   f"-max_len={engines.INPUT_BYTES_MAX}", "-reload=0", "-print_final_stats=1", home, seeds]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        output = process.stderr.read().decode(errors="replace")
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    found = re.search(r"number_of_executed_units: +(\d+)", output)
    if process.returncode != 0 or not found:
        raise build.Stop(f"{build.shorten(output, 20)}\nlibFuzzer on {name} ended with status {process.returncode}")
    return int(found[1]) / (used.ru_utime + used.ru_stime)


def engine_row(name):
    cells = []
    with tempfile.TemporaryDirectory() as home:
        campaign.seeds(name, f"{home}/seeds")
        for variant in ENGINES:
            found = engine_rate(name, variant, f"{home}/seeds")
            cells += [f"{found:,.0f}", f"{found / engine_rate('empty', variant, f'{home}/seeds'):.2f}"]
    return f"| {name} | {' | '.join(cells)} |"


# --- tables ---

def rows_of(name):
    """(row of rates, row of shares, instructions per input)"""
    instructions, shares = counted(name)
    inputs = campaign.inputs_of(name)
    size_bytes = sum(os.path.getsize(path) for path in inputs) / len(inputs)
    (fast, fast_ratio, fast_steps), (asan, asan_ratio, asan_steps) = (beside_empty(name, one) for one in VARIANTS)
    cells = [f"{fast:,}", f"{fast_ratio:.2f}", f"{asan:,}", f"{asan_ratio:.2f}",
             f"{fast_steps:,}" if fast_steps else "", f"{asan_steps:,}" if asan_steps else "",
             f"{size_bytes:,.0f}", f"{instructions:,}"]
    parts = [*shares.kinds.values(), shares.libc, shares.resets]
    whole = max(shares.total, 1)
    return (f"| {name} | {' | '.join(cells)} |",
            f"| {name} | {' | '.join(f'{100 * part / whole:.0f}' for part in parts)} |", instructions)


def empty_table(head):
    return [head, "|" + " --- |" * (head.count("|") - 1)]


def bench(names, bless):
    """Prints the tables; `bless` writes them, and what is expected."""
    known = campaign.with_corpus()
    wrong = [name for name in names if name not in known]
    if wrong:
        raise build.Stop(f"there is no harness '{wrong[0]}' with a corpus; there are: {' '.join(known)}", 2)
    if bless and names:
        raise build.Stop("`--bless` writes the table of all harnesses: name none", 2)
    names = [name for name in names or known if name != "empty"]
    codecs = [name for name in names if name.startswith("codec_")]
    build.must_build(*[f"build/{variant}/{name}" for variant in VARIANTS for name in [*names, "empty"]],
                     *[f"build/{variant}/{name}" for variant in ENGINES if codecs for name in [*codecs, "empty"]])
    rows, shares, engine = empty_table(ROWS_HEAD), empty_table(SHARES_HEAD), empty_table(ENGINE_HEAD)
    expected = {}
    print("\n".join(rows))
    for name in names:
        row, share, expected[name] = rows_of(name)
        print(row, flush=True)
        rows.append(row)
        shares.append(share)
    engine += [engine_row(name) for name in codecs]
    print("\n".join(["", *shares] + (["", *engine] if codecs else [])), flush=True)
    return write(expected, [rows, shares, engine]) if bless else 0
