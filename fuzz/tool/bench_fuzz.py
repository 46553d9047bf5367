# SPDX-License-Identifier: ISC
"""./basalt bench fuzz: what an execution of each harness costs, and whose it is. Rates are of CPU seconds, next to the
empty harness in the same run; instructions are counted by valgrind, and repeat exactly."""

import collections
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
PAGE = "fuzz/RATES.md"
TOLERANCE_PERCENT = 10
SAMPLE = 48 # inputs of a corpus that are counted
SECONDS = 1
ENGINE_SECONDS = 3
ENGINE_RUNS = 2000 # of libFuzzer, whose instructions are counted
# Counted in the build of which every check has the programs; where they go, in the one that campaigns mostly run.
COUNTED, SHARED = "shipped", "fast"
VARIANTS = ("fast", "asan")
ENGINES = ("libfuzzer_fast", "libfuzzer")
# Counted each day: what takes valgrind no second or two.
DAILY = ("codec_archive", "codec_boot_config", "codec_boot_image", "codec_elf_plan", "codec_envelope",
         "codec_handoff", "codec_messages", "memd_life", "timed_life")
HEAD = f"""\
# Instructions per input of each harness over the image's own units, those of libc apart: the mean of {SAMPLE} inputs of its
# corpus, chosen by the hash of their names. `./basalt test rates` (for some) and `rates-all` fail when a harness has more than
# {TOLERANCE_PERCENT} % more. `./basalt bench fuzz [NAME...] --bless` writes this file anew, and the tables of {PAGE}.
"""
ROWS_HEAD = ("| harness | fast: inputs/s | of empty | asan: inputs/s | of empty | fast: steps/s | asan: steps/s "
             "| bytes per input | instructions per input |")
SHARES_HEAD = "| where they go, in % | " + " | ".join(bench_share.KINDS) + " | in libc | in resets |"
ALONE_HEAD = "| of the empty harness | fast | units alone | asan |"
ENGINE_HEAD = ("| under libFuzzer | fast: executions/s | of empty | asan: executions/s | of empty | "
               + " | ".join(f"{kind}, %" for kind in bench_share.ENGINE_KINDS) + " |")
LIVES_HEAD = "| messages of lives | messages per step | fast: messages/s | with its calls | asan: messages/s | with its calls |"
HEADS = (ROWS_HEAD, SHARES_HEAD, ALONE_HEAD, ENGINE_HEAD, LIVES_HEAD)


# --- counting ---

def sample_of(name):
    """The inputs that are counted; one that is added changes one of them at most."""
    return sorted(campaign.inputs_of(name),
                  key=lambda path: hashlib.sha256(os.path.basename(path).encode()).digest())[:SAMPLE]


def counted(name, variant):
    """(instructions per input without libc's, bench_share.Shares) of a harness."""
    program, inputs = f"build/{variant}/{name}", sample_of(name)
    with tempfile.TemporaryDirectory() as home:
        os.mkdir(f"{home}/inputs")
        for path in inputs:
            os.symlink(os.path.abspath(path), f"{home}/inputs/{os.path.basename(path)}")
        calls = calls_of(program, ["--bench", f"{home}/inputs", "0"], "LLVMFuzzerTestOneInput", home)
    shares = bench_share.shares(calls, frames(program, calls.addresses()))
    return (calls.total - shares.libc) // len(inputs), shares


def calls_of(program, arguments, function, home):
    """bench_share.Calls of all that runs below a function of a program, by its mangled name."""
    # valgrind does not read this compiler's debug information, the symbolizer does.
    stripped = f"{home}/program"
    for command in (["objcopy", "-g", program, stripped],
                    ["valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-strings=no",
                     "--compress-pos=no", "--demangle=no", f"--callgrind-out-file={home}/out",
                     f"--toggle-collect={function}", stripped, *arguments]):
        status, output = build.run(command, env={"LD_BIND_NOW": "1"})
        if status != 0:
            raise build.Stop(f"{build.shorten(output, 20)}\n{' '.join(command)} ended with status {status}")
    with open(f"{home}/out", encoding="utf-8") as text:
        return bench_share.parsed(text, stripped)


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

def table_of(page, head):
    """{harness: its row} of the table of a page that begins with that line."""
    lines = page.splitlines()
    first = end = lines.index(head) + 2 if head in lines else len(lines)
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    return {line.split("|")[1].strip(): line for line in lines[first:end]}


def with_rows(page, tables, names):
    """The page with these rows, [{harness: row}] by table, in place of older ones; only of the harnesses named."""
    whole = []
    for head, rows in zip(HEADS, tables):
        merged = {**table_of(page, head), **rows}
        whole.append(empty_table(head) + [merged[name] for name in sorted(merged) if name in names])
    return bench_table.into_page(page, whole, PAGE)


def write(counts, tables):
    """Writes what was counted and the tables of the page, and says what changed."""
    known = campaign.with_corpus()
    expected = bench_table.expected(TABLE)
    for name, count in counts.items():
        if expected.get(name) != count:
            print(f"{name}: {expected.get(name, 'new')} -> {count}")
    expected = {**expected, **counts}
    expected = {name: expected[name] for name in sorted(expected) if name in known}
    with open(PAGE, encoding="utf-8") as file:
        page = with_rows(file.read(), tables, known)
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
    return wrong + [f"`./basalt bench fuzz NAME` shows where they go; when this is meant, `./basalt bench fuzz NAME --bless` "
                    f"writes it into {TABLE}"] if wrong else []


def check(tally, names=DAILY):
    """No harness takes more than the table says; the parts of each add up to the whole."""
    now, parts = {}, []
    for name in names or [name for name in campaign.with_corpus() if name != "empty"]:
        now[name], found = counted(name, COUNTED)
        if abs(sum(found.kinds.values()) - found.total) * 1000 > found.total:
            parts.append(f"{name}: {found.total} instructions, and its parts have {sum(found.kinds.values())} together")
    tally.complaints(f"{len(now)} harnesses take no more instructions than {TABLE} says",
                     slower(now, bench_table.expected(TABLE)))
    tally.complaints("the parts of what they take add up", parts)
    tally.complaints("made-up counts are told apart", missed())


def page_complaints():
    """A line for each harness whose instructions on the page are not those of the table, or that is on one of both."""
    with open(PAGE, encoding="utf-8") as file:
        rows = table_of(file.read(), ROWS_HEAD)
    said = {name: row.split("|")[-2].strip().replace(",", "") for name, row in rows.items()}
    expected = bench_table.expected(TABLE)
    return [f"{name}: {said.get(name, 'no')} instructions in {PAGE}, {expected.get(name, 'no')} in {TABLE}; "
            f"`./basalt bench fuzz {name} --bless` writes both"
            for name in sorted({*said, *expected}) if said.get(name) != str(expected.get(name))]


def missed():
    """What made-up counts should give and do not."""
    wrong = [] if slower({"a": 1100, "b": 5}, {"a": 1000, "b": 1000}) == [] else ["10 % more, or fewer, was refused"]
    for what, now, table in (("more than 10 %", {"a": 1101}, {"a": 1000}), ("a new harness", {"a": 1}, {})):
        wrong += [] if len(slower(now, table)) == 2 else [f"{what}: {slower(now, table)}"]
    page = "\n".join(["x", *(line for head in HEADS for line in [*empty_table(head), "| b | 1 |", "| gone | 1 |", ""])]) + "\n"
    rows = with_rows(page, [{"a": "| a | 2 |"}, {}, {}, {}, {}], ("a", "b"))
    for head, wanted in ((ROWS_HEAD, ["| a | 2 |", "| b | 1 |"]), (SHARES_HEAD, ["| b | 1 |"]), (LIVES_HEAD, ["| b | 1 |"])):
        found = list(table_of(rows, head).values())
        wrong += [] if found == wanted else [f"rows of a page: {found}, not {wanted}"]
    for case, wanted in (((0.25, 1), 0.25), ((0.25, 0), 1), ((0.25, 1 / 3), 0.5), ((2, 0.5), 1)):
        wrong += [] if abs(alone(*case) - wanted) < 0.001 else [f"units alone of {case}: {alone(*case)}, not {wanted}"]
    return wrong + bench_share.missed()


# --- rates ---

# Per CPU second; steps and messages are those of lives, else 0; `exchanged`: messages to the service, and its calls.
Rate = collections.namedtuple("Rate", "inputs steps messages exchanged")


def rate(name, variant, seconds):
    """The Rate of a corpus that is run again and again."""
    command = [f"build/{variant}/{name}", "--bench", f"corpus/{name}", str(seconds)]
    status, output = build.run(command)
    found = re.search(r"(\d+) per second", output)
    if status != 0 or not found:
        raise build.Stop(f"{build.shorten(output, 20)}\n{' '.join(command)} ended with status {status}")
    steps = re.search(r"(\d+) steps per second", output)
    messages = re.search(r"(\d+) messages per second, (\d+) with calls", output)
    exchanged = [int(count) for count in messages.groups()] if messages else [0, 0]
    return Rate(int(found[1]), int(steps[1]) if steps else 0, *exchanged)


def beside_empty(name, variant):
    """(its Rate, the ratio of its inputs to those of the empty harness before and after)"""
    before = rate("empty", variant, SECONDS / 3).inputs
    found = rate(name, variant, SECONDS)
    after = rate("empty", variant, SECONDS / 3).inputs
    return found, 2 * found.inputs / (before + after)


def engine_arguments(end, home, seeds):
    """libFuzzer, from these seeds, all of which stay in its corpus, until `end`."""
    return ["-seed=1", end, "-entropic=0", "-keep_seed=1", f"-max_len={engines.INPUT_BYTES_MAX}", "-reload=0",
            "-print_final_stats=1", home, seeds]


def engine_parts(name, seeds):
    """Of the instructions of some executions under libFuzzer, in %: those that run the input, those of what libFuzzer
    is told of comparisons, and its own."""
    program = f"build/{ENGINES[0]}/{name}"
    with tempfile.TemporaryDirectory() as home:
        os.mkdir(f"{home}/corpus")
        calls = calls_of(program, ["-rss_limit_mb=0", *engine_arguments(f"-runs={ENGINE_RUNS}", f"{home}/corpus", seeds)],
                         "_ZN6fuzzer6Fuzzer4Loop*", home)
    parts = bench_share.engine_shares(calls, frames(program, calls.addresses()))
    whole = max(sum(parts.values()), 1)
    return [f"{100 * parts[kind] / whole:.0f}" for kind in bench_share.ENGINE_KINDS]


def engine_rate(name, variant, seeds):
    """Executions per CPU second under libFuzzer."""
    with tempfile.TemporaryDirectory() as home:
        command = [f"build/{variant}/{name}", *engine_arguments(f"-max_total_time={ENGINE_SECONDS}", home, seeds)]
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
        cells += engine_parts(name, f"{home}/seeds")
    return f"| {name} | {' | '.join(cells)} |"


# --- tables ---

def alone(ratio, share):
    """What a harness would be to the empty one if only a share of what it does besides were left."""
    return 1 / (1 + max(1 / ratio - 1, 0) * share)


def rows_of(name):
    """({head of a table: row}, instructions per input); what is no life has no row of messages, what is no codec none of
    what its units leave."""
    instructions, shares = counted(name, COUNTED)[0], counted(name, SHARED)[1]
    inputs = campaign.inputs_of(name)
    size_bytes = sum(os.path.getsize(path) for path in inputs) / len(inputs)
    (fast, fast_ratio), (asan, asan_ratio) = (beside_empty(name, one) for one in VARIANTS)
    cells = [f"{fast.inputs:,}", f"{fast_ratio:.2f}", f"{asan.inputs:,}", f"{asan_ratio:.2f}",
             f"{fast.steps:,}" if fast.steps else "", f"{asan.steps:,}" if asan.steps else "",
             f"{size_bytes:,.0f}", f"{instructions:,}"]
    messages = [f"{one:,}" for found in (fast, asan) for one in (found.messages, found.exchanged)]
    parts = [*shares.kinds.values(), shares.libc, shares.resets]
    whole = max(shares.total, 1)
    rows = {ROWS_HEAD: cells, SHARES_HEAD: [f"{100 * part / whole:.0f}" for part in parts]}
    if fast.steps and fast.messages:
        rows[LIVES_HEAD] = [f"{fast.messages / fast.steps:.1f}", *messages]
    if name.startswith("codec_"):
        rows[ALONE_HEAD] = [f"{fast_ratio:.2f}", f"{alone(fast_ratio, shares.kinds['units'] / whole):.2f}", f"{asan_ratio:.2f}"]
    return {head: f"| {name} | {' | '.join(row)} |" for head, row in rows.items()}, instructions


def empty_table(head):
    return [head, "|" + " --- |" * (head.count("|") - 1)]


def bench(names, bless):
    """Prints the tables, of all harnesses or of some; `bless` writes them, and what is expected."""
    known = campaign.with_corpus()
    wrong = [name for name in names if name not in known]
    if wrong:
        raise build.Stop(f"there is no harness '{wrong[0]}' with a corpus; there are: {' '.join(known)}", 2)
    names = [name for name in names or known if name != "empty"]
    codecs = [name for name in names if name.startswith("codec_")]
    build.must_build(*[f"build/{variant}/{name}" for variant in {*VARIANTS, COUNTED, SHARED} for name in [*names, "empty"]],
                     *[f"build/{variant}/{name}" for variant in ENGINES if codecs for name in [*codecs, "empty"]])
    tables, counts = {head: {} for head in HEADS}, {}
    print("\n".join(empty_table(ROWS_HEAD)))
    for name in names:
        rows, counts[name] = rows_of(name)
        for head, row in rows.items():
            tables[head][name] = row
        print(rows[ROWS_HEAD], flush=True)
    tables[ENGINE_HEAD] = {name: engine_row(name) for name in codecs}
    for head in HEADS[1:]:
        if tables[head]:
            print("\n".join(["", *empty_table(head), *tables[head].values()]), flush=True)
    return write(counts, [tables[head] for head in HEADS]) if bless else 0
