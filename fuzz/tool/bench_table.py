# SPDX-License-Identifier: ISC
"""props/bench.expected: how many instructions each row of the bench has, committed. `./basalt test bench`
compares, `./basalt bench --bless` writes the table anew, and those of ARCHITECTURE.md. Under -icount every row repeats exactly, so that
one that is off means that the tree changed."""

import os
import re

import bench_files
import bench_growth
import bench_metal
import bench_profile
import bench_ready
import build

TABLE = "props/bench.expected"
PAGE = "ARCHITECTURE.md"
TOLERANCE_PERCENT = 2
# From kernel entry to READY: no rows of the bench image, but boots of the foundation alone and of all.
HEAD = f"""\
# Instructions of each row of `./basalt bench` on the counted machine (the median), of the foundation alone
# and of the runtime image from kernel entry to READY, of files, and of rows beside so many processes or regions. `./basalt test bench` fails when one is more than {TOLERANCE_PERCENT} % off, in whichever direction;
# `./basalt bench --bless` writes this file anew, and the tables of ARCHITECTURE.md, for the commit that changed the figures.
"""
ADVICE = f"`./basalt bench --profile ROW` shows where they go; when this is meant, `./basalt bench --bless` writes {TABLE} anew"


def measured():
    """{row: instructions}, in the order in which the bench prints them."""
    rows = bench_metal.measure(bench_metal.IMAGE)
    return {**{name: rows[name][1] for name, _, _ in bench_metal.ROWS},
            **{name: bench_ready.instructions(image) for name, image, _ in bench_ready.ROWS},
            **bench_files.measure(), **bench_growth.table()}


def parsed(text, path=TABLE):
    """{row: instructions} of a table's text. Stops at a line that is none."""
    table = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line:
            continue
        name, _, count = line.partition(" ")
        if not count.isdecimal() or int(count) == 0 or name in table:
            raise build.Stop(f"{path}, line {number}: '{line}' is no row and its number, or a second one of that row")
        table[name] = int(count)
    return table


def expected(path=TABLE):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return parsed(file.read(), path)


def written(table):
    return HEAD + "".join(f"{name} {count}\n" for name, count in table.items())


def differences(now, table):
    """What is off, a line each."""
    wrong = [f"{name}: {TABLE} has it, and the bench prints no such row" for name in table if name not in now]
    for name, count in now.items():
        if name not in table:
            wrong.append(f"{name}: {count} instructions, and {TABLE} has no such row")
        elif abs(count - table[name]) * 100 > TOLERANCE_PERCENT * table[name]:
            change = 100 * (count - table[name]) / table[name]
            wrong.append(f"{name}: {count} instructions, {table[name]} in {TABLE}: {abs(change):.1f} % "
                         f"{'more' if change > 0 else 'fewer'}")
    return wrong + [ADVICE] if wrong else []


def bless():
    """Writes the table and those of the page, and says what changed."""
    build.must_build(bench_metal.IMAGE, bench_growth.IMAGE, bench_files.IMAGE, *[image for _, image, _ in bench_ready.ROWS], bench_metal.metal.KERNEL)
    now, table = measured(), expected()
    for name in [*now, *(name for name in table if name not in now)]:
        if now.get(name) != table.get(name):
            print(f"{name}: {table.get(name, 'new')} -> {now.get(name, 'gone')}")
    with open(PAGE, encoding="utf-8") as file:
        page = into_page(file.read(), markdown(now))
    rewrite(TABLE, written(now))
    rewrite(PAGE, page)
    print(f"{TABLE}: {len(now)} rows; {PAGE}: its tables")
    return 0


def markdown(table):
    """What the table says, as two tables of markdown: the rows next to seL4's, and how they grow."""
    rows = ["| row | instructions | seL4 |", "| --- | --- | --- |"]
    for name, meaning, other in [*bench_metal.ROWS, *[(name, meaning, None) for name, _, meaning in bench_ready.ROWS],
                                 *[(name, meaning, None) for name, meaning in bench_files.ROWS]]:
        rows.append(f"| {meaning} | {table[name]:,} | {f'{other:,}' if other else ''} |")
    return [rows, bench_growth.markdown(table)]


def into_page(page, tables, path=PAGE):
    """The page with these tables in place of those that begin with the same line."""
    lines = page.splitlines()
    for table in tables:
        if lines.count(table[0]) != 1:
            raise build.Stop(f"{path} has no table that begins '{table[0]}', or two: add that line where it shall stand")
        first = end = lines.index(table[0])
        while end < len(lines) and lines[end].startswith("|"):
            end += 1
        lines[first:end] = table
    return "\n".join(lines) + "\n"


def page_complaints():
    """A line when the page's tables are not those of the committed figures."""
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    return [] if page == into_page(page, markdown(expected())) else [
        f"{PAGE} has other figures than {TABLE}; `./basalt bench --bless` writes both"]


def rewrite(path, text):
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".part", path)


def check(tally):
    """The rows are what the table says, the table notices what is off, and a profile adds up."""
    now = measured()
    tally.complaints(f"{len(now)} rows of the bench are as in {TABLE}", differences(now, expected()))
    tally.complaints("no row grows with what is beside it", bench_growth.complaints(bench_growth.measure()))
    tally.complaints("rows that grow are noticed", bench_growth.missed())
    blind(tally)
    profiles(tally, now)


def blind(tally):
    """Tables that are off on purpose, and those that are only just not."""
    for what, now, said in (
            ("as it was", {"row": 1000}, None), ("2 % more", {"row": 1020}, None), ("2 % fewer", {"row": 980}, None),
            ("a little more than that", {"row": 1021}, "2.1 % more"), ("a little fewer", {"row": 979}, "2.1 % fewer"),
            ("a row that is new", {"row": 1000, "other": 5}, "no such row"), ("a row that is gone", {}, "no such row")):
        found = differences(now, {"row": 1000})
        tally.say(f"a table of the bench, {what}", found == [] if said is None else len(found) == 2 and said in found[0],
                  "\n".join(found))
    page = into_page("a\n| x |\n| old |\n\nb\n", [["| x |", "| new |", "| more |"]])
    tally.say("tables of a page are replaced", page == "a\n| x |\n| new |\n| more |\n\nb\n", page)
    table = {"row": 1000, "other": 7}
    tally.say("what is blessed reads back", parsed(written(table)) == table, written(table))
    for text in ("row\n", "row x\n", "row 0\n", "row 5\nrow 5\n", "row 5 6\n"):
        try:
            tally.say(f"a table with {text!r} is refused", False, str(parsed(text)))
        except build.Stop as stop:
            tally.say(f"a table with {text!r} is refused", f"line {text.count(chr(10))}" in str(stop), str(stop))


def profiles(tally, now):
    """A profile has as many instructions as its row; a trace of something else is refused."""
    for row in ("trip-0", "fault-anonymous", "ready"):
        status, output = build.run(["./basalt", "bench", "--profile", row], 300)
        tables = bench_profile.totals(output)
        tally.say(f"the profile of {row} adds up", status == 0 and len(tables) == 3 and len(set(tables)) == 1
                  and re.search(rf"^sum: {now[row]}, and {'0 of' if row == 'ready' else ''}", output, re.M), f"{tables}, {now[row]} in the row\n{output}")
    status, output = build.run(["./basalt", "bench", "--profile", "no-such-row"])
    tally.say("a profile of no row names the rows", status == 2 and "trip-0" in output and output.count("\n") == 1, output)
    tally.complaints("traces that are not the row's are refused", bench_profile.missed() + bench_ready.missed())
