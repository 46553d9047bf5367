# SPDX-License-Identifier: ISC
"""./basalt cover: which lines and branches of the units the corpus and the test programs reach together. Every unit counts,
one that nothing links with 0 %; check files, which only harnesses call, count apart. With --mcdc also which conditions decided
alone, in a build by a newer clang."""

import bisect
import collections
import json
import os
import re
import subprocess
import time

import build
import campaign
import checks
import findings
import mutate_sites
import source_checks
import triage

PLAIN, MCDC = ("build/cover", 14), ("build/cover_mcdc", 19)  # a build and the version of its LLVM
KEPT = "findings/cover.json"  # of the last call that named nothing
REASONS = "fuzz/variants/unreached.txt"
BOOTED = ("services/probes", "services/tester")  # programs that try the others: boots run them
NOT_SHOWN = r"^(\./)?(props|fuzz|linker|kernel/host)/"
CHECK_FILE = re.compile(r"(.*/)?(check|check_\w+|\w+_check)\.[ch]$")

# {line: how often}; [how often] of each way at each branch; {place of a decision: [whether each of its conditions was seen to
# decide alone]}, in the build that counts them.
Reach = collections.namedtuple("Reach", "lines branches decisions")


def read_reasons(text):
    """[(path or folder/, text of a line or *, reason)] from lines `PATH | TEXT | REASON`."""
    rows = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            parts = [part.strip() for part in line.split(" | ", 2)]
            if len(parts) != 3 or not all(parts):
                raise build.Stop(f"{REASONS}: not `PATH | TEXT | REASON`: {line}", 2)
            rows.append(tuple(parts))
    return rows


def reason_of(rows, path, text):
    for where, said, reason in rows:
        if (path == where or (where.endswith("/") and path.startswith(where))) and said in ("*", text):
            return reason
    return None


def stale_reasons(rows):
    """Rows whose file or line is not there any more."""
    def there(where, said):
        return os.path.isdir(where) if where.endswith("/") else os.path.isfile(where) and \
            (said == "*" or said in map(str.strip, source_checks.read(where).splitlines()))
    return [f"{REASONS}: {where} has no `{said}`" for where, said, _ in rows if not there(where, said)]


def line_counts(segments):
    """{line: how often} from llvm-cov's segments (line, column, count, has a count, begins a region, is a gap). As llvm-cov
    does it, but that a line behind an assertion, which begins in a gap, has the count of the code that stands there."""
    by_line = collections.defaultdict(list)
    for segment in segments:
        by_line[segment[0]].append(segment)
    counts, wrapped = {}, None
    for number in range(min(by_line, default=1), max(by_line, default=0) + 1):
        here = by_line.get(number, [])
        code = [segment for segment in here if segment[3] and not segment[5]]
        begun = [segment[2] for segment in code if segment[4]]
        if wrapped and wrapped[3] and not wrapped[5]:
            counts[number] = max([wrapped[2], *begun])
        elif begun or (code and wrapped and wrapped[5]):
            counts[number] = max(begun or [code[0][2]])
        wrapped = here[-1] if here else wrapped
    return counts


def asserted_spans(text):
    """[(line and column of begin, of end)] of assertions: the other way of a branch there would be a bug of ours."""
    tokens, closing = mutate_sites.tokens_of(text)
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def place(offset):
        line = bisect.bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1
    return [(place(token.start), place(tokens[closing[index + 1]].end)) for index, token in enumerate(tokens[:-1])
            if mutate_sites.ASSERTION.fullmatch(token.text) and index + 1 in closing]


def by_place(records, width, values, join):
    """{place: values} of records that begin with a place; a function of a header is in them once for each file that has it."""
    found = {}
    for record in records:
        place, said = tuple(record[:width]), values(record)
        found[place] = [join(pair) for pair in zip(found[place], said)] if place in found else said
    return found


def read_export(text):
    """{path: Reach} of the units in what llvm-cov exports."""
    found = {}
    for file in json.loads(text)["data"][0]["files"]:
        path = os.path.relpath(file["filename"]) if os.path.isabs(file["filename"]) else os.path.normpath(file["filename"])
        if source_checks.is_unit(path):
            spans = asserted_spans(source_checks.read(path))

            def asked(records):
                return [one for one in records if not any(begin <= (one[0], one[1]) < end for begin, end in spans)]
            branches = by_place(asked(file["branches"]), 4, lambda branch: branch[4:6], sum)
            decisions = by_place(asked(file.get("mcdc_records", [])), 4, lambda decision: decision[-1], any)
            found[path] = Reach(line_counts(file["segments"]), [count for both in branches.values() for count in both], decisions)
    return found


def ranges(reach):
    """(first, last) of neighbouring lines of code that nothing reached."""
    found, open_range = [], None
    for number, count in sorted(reach.lines.items()):
        if count == 0 and open_range:
            open_range[1] = number
        elif count == 0:
            open_range = [number, number]
            found.append(open_range)
        else:
            open_range = None
    return [tuple(one) for one in found]


def unreached(found, rows):
    """Lines of the list: what nothing reaches, with its reason; a file that nothing reaches at all is one line. What a
    check file would say of a bug is not in it."""
    for path, reach in sorted(found.items()):
        if CHECK_FILE.match(path):
            continue
        text = source_checks.read(path).splitlines()
        if reach.lines and not any(reach.lines.values()):
            reason = reason_of(rows, path, "*")
            yield f"{path}: all {len(reach.lines)} lines" + (f" ({reason})" if reason else "")
            continue
        for first, last in ranges(reach):
            said = text[first - 1].strip()
            reason = reason_of(rows, path, said)
            yield f"{path}:{first}{f'-{last}' if last > first else ''}: {said}" + (f" ({reason})" if reason else "")


def share(counts):
    reached, there = sum(count > 0 for count in counts), len(counts)
    return f"{reached:6} of {there:6} {100 * reached / there:5.1f} %" if there else f"{'none':>25}"


def undecided(found):
    """Lines of the list of decisions: those with a condition that never decided alone, and which of them, counted from 1."""
    for path, reach in sorted(found.items()):
        text = source_checks.read(path).splitlines() if reach.decisions else []
        for (line, _, _, _), shown in sorted(reach.decisions.items()):
            if not all(shown) and not CHECK_FILE.match(path):
                missing = ", ".join(str(number) for number, seen in enumerate(shown, 1) if not seen)
                yield f"{path}:{line}: condition {missing} of {len(shown)}: {text[line - 1].strip()}"


def rows_of(found):
    """[(name, reaches)]: each unit, what checks alone apart, a sum."""
    groups = collections.defaultdict(list)
    for path, reach in found.items():
        groups["check files" if CHECK_FILE.match(path) else os.path.dirname(path)].append(reach)
    checked = groups.pop("check files", [])
    return [*sorted(groups.items()), ("all units", sum(groups.values(), [])),
            ("all but probes and tester", sum((reaches for name, reaches in groups.items() if name not in BOOTED), [])), ("check files, apart", checked)]


def counts_of(reaches, decided):
    """[of lines, of branches, of conditions when those were looked at]: how often each was reached, or whether it decided."""
    columns = [[count for reach in reaches for count in reach.lines.values()], [count for reach in reaches for count in reach.branches]]
    if decided:
        columns.append([shown for reach in reaches for decision in reach.decisions.values() for shown in decision])
    return columns


def summary(found):
    """Lines of the table."""
    rows = rows_of(found)
    width = max(len(name) for name, _ in rows)
    decided = any(reach.decisions for reach in found.values())
    yield f"{'':{width}}  {'lines':>25}  {'branches':>25}" + (f"  {'conditions':>25}" if decided else "")
    for name, reaches in rows:
        yield "  ".join([f"{name:{width}}", *map(share, counts_of(reaches, decided))])


def keep(found):
    """Writes what was measured for the report."""
    decided = any(reach.decisions for reach in found.values())
    units = [{"name": name, **{what: [sum(count > 0 for count in counts), len(counts)] for what, counts in
                               zip(("lines", "branches", "conditions"), counts_of(reaches, decided))}} for name, reaches in rows_of(found)]
    os.makedirs(os.path.dirname(KEPT), exist_ok=True)
    findings.write(KEPT, (json.dumps({"commit": triage.commit(), "time": round(time.time()), "units": units}) + "\n").encode())


def tool(*command):
    """What a tool of LLVM prints; its warnings are nobody's."""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        raise build.Stop(f"{command[0]} is not there: it is in Debian's package llvm-{command[0].rpartition('-')[2]}", 2) from None
    if result.returncode != 0:
        raise build.Stop(f"{command[0]}: {(result.stderr.strip().splitlines() or ['no word'])[-1]}", 2)
    return result.stdout


def measured(folder, name):
    """Runs one program for its profile."""
    path = f"{folder}/{name}.profraw"
    replays = os.path.isdir(f"corpus/{name}")
    status, output = build.run([f"{folder}/{name}", *(["--replay", f"corpus/{name}", "--no-golden"] if replays else [])],
                               env={"LLVM_PROFILE_FILE": path})
    if status != 0:
        last = (output.strip().splitlines() or ["no word"])[-1]
        raise build.Stop(f"{'the replay of ' if replays else ''}{name} fails, so it measures nothing: {last}")
    return path


def unit_objects(folder):
    """{source: its object} of every unit of the variant."""
    prefix = f"{folder}/"
    return {f"{path[len(prefix):-2]}.c": path for path, rule in build.all_targets().items()
            if rule == "cc" and path.startswith(prefix) and path.endswith(".o") and source_checks.is_unit(path[len(prefix):])}


class Measured:
    """What programs of a build have reached."""

    def __init__(self, build_of, names):
        self.folder, self.version = build_of
        self.profile = f"{self.folder}/all.profdata"
        self.objects = [f"{self.folder}/{name}" for name in names]
        profiles = [path for _, path in checks.each(lambda name: measured(self.folder, name), names)]
        tool(f"llvm-profdata-{self.version}", "merge", "-sparse", "-o", self.profile, *profiles)

    def arguments(self):
        return [f"-instr-profile={self.profile}", self.objects[0], *[part for path in self.objects[1:] for part in ("-object", path)]]

    def found(self):
        return read_export(tool(f"llvm-cov-{self.version}", "export", "-skip-functions", "-skip-expansions", *self.arguments()))

    def found_of_all(self, units):
        """With the units that no program links."""
        found = self.found()
        unlinked = [path for source, path in sorted(units.items()) if source not in found]
        self.objects += unlinked
        return self.found() if unlinked else found

    def write_pages(self, folder):
        tool(f"llvm-cov-{self.version}", "show", "-format=html", "-show-branches=count", f"-output-dir={folder}",
             f"-ignore-filename-regex={NOT_SHOWN}", *(["-show-mcdc"] if self.version == MCDC[1] else []), *self.arguments())


def empty_folder(given):
    """The path of a folder for pages: nothing that is there is overwritten."""
    path = build.user_path(given)
    if os.path.exists(path) and (not os.path.isdir(path) or os.listdir(path)):
        raise build.Stop(f"{given} is there and not an empty folder", 2)
    return path


def cover(options):
    """`basalt cover`."""
    known = campaign.with_corpus() + build.programs("test")
    unknown = [name for name in options.names if name not in known]
    if unknown:
        raise build.Stop(f"there is no harness with a corpus and no test program '{unknown[0]}'; there are: {' '.join(known)}", 2)
    pages = empty_folder(options.html) if options.html is not None else None
    rows = read_reasons(source_checks.read(REASONS))
    build_of = MCDC if options.mcdc else PLAIN
    names, units = options.names or known, unit_objects(build_of[0])
    build.must_build(*[f"{build_of[0]}/{name}" for name in names], *([] if options.names else units.values()))
    reached = Measured(build_of, names)
    found = reached.found() if options.names else reached.found_of_all(units)
    for line in [*unreached(found, rows), *undecided(found), "", *summary(found)]:
        print(line)
    if not options.names:
        keep(found)
    if pages:
        reached.write_pages(pages)
        print(f"{options.html}/index.html has each line")
    return 0
