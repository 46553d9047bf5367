# SPDX-License-Identifier: ISC
"""./basalt report: one page of what campaigns did and what inputs reach, with all of it inside: no network, nothing to
install. Tables and matrices are HTML as they stand here; page/report.js draws the charts from the data that lies in the page."""

import base64
import hashlib
import html
import json
import os
import re
import shlex
import time
import urllib.parse

import build
import findings
import mutate
import report_data
import source_checks
from findings import counted

OUTPUT = "findings/report.html"
GENERATOR = '<meta name="generator" content="./basalt report">'
HEAD_BYTES = 400  # in which a report says that it is one
SKIPPED_MAX = 40
SURVIVORS_MAX = 60
HEAT = (1, 2, 4, 10, 30)  # inputs from which on a cell has the next colour

# Quantity, title, unit of one value, what it is, whether the axis begins at 0, whether values are whole.
CHARTS = (
    ("edges", "Edges", "edges", "code covered, as libFuzzer counts it", False, True),
    ("afl_edges", "Edges of AFL++", "edges", "code covered, as AFL++ counts it", False, True),
    ("marks", "Marks", "marks", "state × operation × verdict, and named paths", False, True),
    ("triples", "Triples", "triples", "state × operation × verdict", False, True),
    ("corpus", "Working corpus", "inputs", "inputs that reached something new", False, True),
    ("executions_per_second", "Executions per second", "per second", "of a target: per second of its turns", True, False),
    ("messages_per_second", "Messages per second", "per second", "of a target: per second of its turns", True, False),
    ("found", "Time to each finding", "findings", "how many there were, and when each came", True, True),
)


# --- words ---------------------------------------------------------------------------------------

def text(value):
    return html.escape(str(value))


def number(value):
    return "" if value is None else f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"


def brief(value):
    """A large number for a small place."""
    for least, unit, name in ((10**9, 10**9, "G"), (10**6, 10**6, "M"), (10**4, 10**3, "k")):
        if value >= least:
            return f"{value / unit:,.1f} {name}"
    return number(value)


def size(count):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{count} B"


def duration(seconds):
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 72 * 60 else f"{minutes // 1440} d {minutes // 60 % 24} h"


def date(seconds):
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def share(part, whole):
    """A percentage that says 100 only of all."""
    return f"{min(round(100 * part / whole, 1), 100 if part == whole else 99.9):.1f} %" if whole else "none"


def command(*words):
    return f"<code>{text(shlex.join(['./basalt', *words]))}</code>"


# --- parts ---------------------------------------------------------------------------------------

def tag(name, inside, **attributes):
    said = "".join(f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items() if value is not None)
    return f"<{name}{said}>{inside}</{name}>"


def row(*cells):
    return f"<tr>{''.join(cells)}</tr>"


def figure(value):
    return tag("td", text(value), class_="n")


def count_and_size(pair):
    """How many inputs, and how large they are together."""
    if not pair[0]:
        return figure("")
    return tag("td", f'{number(pair[0])} <span class="soft">{size(pair[1])}</span>', class_="n", data_v=pair[0])


def table(heads, rows, wide=True):
    """In a box of its own that scrolls; heads: (words, whether numbers stand below)."""
    head = row(*[tag("th", text(words), scope="col", class_="n" if numbers else None) for words, numbers in heads])
    return f'<div class="box{"" if wide else " fit"}" tabindex="0" role="region" aria-label="{text(heads[0][0])}"><table{" class=wide" if wide else ""}><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'


def bar(part, whole, rest=False):
    """A share as a bar; rest: what is missing needs somebody."""
    width = 120 * part / whole if whole else 0
    return (f'<svg class="bar" viewBox="0 0 120 8" preserveAspectRatio="none" aria-hidden="true"><rect class="{"rest" if rest else "all"}" '
            f'width="120" height="8" rx="2"/><rect class="part" width="{width:.1f}" height="8" rx="2"/></svg>')


def spark(points):
    """[(x, y)] as a line without axes."""
    if len(points) < 2:
        return ""
    x0, x1 = points[0][0], points[-1][0]
    y0, y1 = min(y for _, y in points), max(y for _, y in points)
    placed = " ".join(f"{90 * (x - x0) / ((x1 - x0) or 1):.1f},{20 - 18 * (y - y0) / ((y1 - y0) or 1):.1f}" for x, y in points)
    return f'<svg class="spark" viewBox="0 0 90 22" preserveAspectRatio="none" aria-hidden="true"><polyline points="{placed}"/></svg>'


def part(identity, title, *inside, aside=""):
    return (f'<section class="part" id="{identity}" aria-labelledby="{identity}-title"><header><h2 id="{identity}-title">{title}</h2>{aside}'
            f'</header>{"".join(inside)}</section>')


def card(*inside):
    return tag("div", "".join(inside), class_="card")


class Page:
    """The page of one Report, for a file in a given folder."""

    def __init__(self, made, folder):
        self.made = made
        relative = os.path.relpath(os.path.realpath("."), os.path.realpath(folder))
        self.root = urllib.parse.quote(os.fsencode(relative)) + "/"

    def href(self, path):
        return self.root + urllib.parse.quote(os.fsencode(path))

    def link(self, path, words, **attributes):
        return tag("a", text(words), href=self.href(path), **attributes)

    # --- at a glance ---

    def tiles(self):
        made, history = self.made, self.made.history
        reached = {harness.name: harness.marks["corpus"] for harness in made.harnesses}
        more = sum(len(harness.marks["findings"] - reached[harness.name]) for harness in made.harnesses)
        opened = sum(one["open"] for one in made.findings)
        operations = [(matrix, matrix.missing(), len(matrix.live)) for matrix in made.services]
        whole = sum(count for _, _, count in operations) - sum(len({name for name, _ in missing}) for _, missing, _ in operations)
        judged = next((one for one in made.mutants if report_data.caught(one.tally)[1]), None)
        covered = {name: pairs["lines"] for name, pairs in made.cover["units"]} if made.cover else {}
        own, whole_tree = covered.get("all but probes and tester"), covered.get("all units")
        inputs = [sum(harness.counts[parent][0] for harness in made.harnesses) for parent in ("corpus", "findings")]
        tiles = [
            ("Open findings", opened, f"of {counted(len(made.findings), 'finding')}"),
            ("Marks reached", number(sum(map(len, reached.values()))), f"by committed inputs; {number(more)} more by working ones"),
            ("Operations", f"{whole} of {sum(count for *_, count in operations)}", "accepted and refused, as their tables ask"),
            ("Inputs", number(inputs[0]), f"committed; {number(inputs[1])} working"),
            ("Executions", brief(history.executions()) if history.clock.spans else "none yet",
             f"in {duration(history.clock.total())} of {counted(len(history.clock.spans), 'campaign')}" if history.clock.spans else
             "no campaign has written history"),
            ("Mutants caught", share(*report_data.caught(judged.tally)) if judged else "none yet",
             f"of {report_data.caught(judged.tally)[1]}, seed {judged.seed}" if judged else "./basalt mutate"),
            ("Lines covered", share(*own) if own else "none yet", "but for probes and tester, which boots run" +
             (f"; {share(*whole_tree)} with them" if whole_tree else "") if own else "./basalt cover"),
        ]
        return tag("ul", "".join(tag("li", f'<span class="label">{text(label)}</span><b>{text(value)}</b><span>{text(words)}</span>')
                                 for label, value, words in tiles), class_="tiles")

    # --- history ---

    def data(self):
        history = self.made.history
        return {"root": self.root, "total": history.clock.total(), "begins": [span[2] for span in history.clock.spans],
                "series": [one.columns() for one in history.all_series()],
                "findings": [{"x": one["x"], "t": one["t"], "target": one["target"], "identity": one["identity"]}
                             for one in self.made.findings]}

    def history(self):
        history = self.made.history
        if not history.every.points:
            return part("history", "History", card(
                f"<p>No campaign has written <code>{text(report_data.HISTORY)}</code> yet. This one runs for an hour, over all targets: "
                f"{command('fuzz', '--seconds', '1h')}</p><p class=soft>What follows is of the inputs that lie in the tree.</p>"))
        known = {name for one in history.all_series() for name in one.columns()}
        found = any(one["x"] is not None for one in self.made.findings)
        known |= {"found"} if found else set()
        charts = [tag("div", f'<header><h3>{text(title)}</h3><output></output></header><p class="unit">{text(what)}</p>' +
                      tag("svg", "", class_="chart", role="img", tabindex=0, data_quantity=name, data_unit=unit, data_zero="yes" if zero else None,
                          data_whole="yes" if whole else None, aria_label=title), class_="card whole" if name == "found" else "card")
                  for name, title, unit, what, zero, whole in CHARTS if name in known]
        options = "".join(tag("option", text(one.name or "all targets"), value=one.name) for one in history.all_series())
        spans = history.clock.spans
        words = f"{counted(len(spans), 'campaign')} from {date(spans[0][0])} to {date(spans[-1][1])}: {duration(history.clock.total())}"
        words += ", without the time between them, where dashed lines stand." if len(spans) > 1 else "."
        words += " Of all targets, sums: one that has had no turn yet counts as after its first."
        words += "" if found else " No finding is of this time."
        return part("history", "History", f"<p class=soft>{text(words)}</p>", f'<div class="charts">{"".join(charts)}</div>'
                    "<noscript><p>The charts are drawn by a script in this page; the tables below need none.</p></noscript>",
                    aside=f'<label>Target <select id="target">{options}</select></label>')

    def targets(self):
        history = self.made.history
        with_history = bool(history.every.points)
        harnesses = {harness.name: harness for harness in self.made.harnesses}
        names = sorted({*harnesses, *history.single})
        heads = [("Target", False), *([("Marks in time", False), ("Executions", True), ("per second", True), ("Messages per second", True),
                                       ("Since the last new", True), ("Edges", True)] if with_history else []),
                 ("Marks", True), ("Floors", True), ("Committed inputs", True), ("Working inputs", True)]
        return part("targets", "Targets and corpora", "<p class=soft>Marks are those that committed inputs reach today, and what working ones add; "
                    f"floors are those that {command('replay')} asks for. Rates are of each target's last turn; since its last new input or mark, in "
                    "campaign time.</p>" if with_history else f"<p class=soft>Marks are those that committed inputs reach today; floors are those that "
                    f"{command('replay')} asks for.</p>",
                    table(heads, [self.target(name, harnesses.get(name), with_history) for name in names]))

    def target(self, name, harness, with_history):
        history = self.made.history
        one = history.single.get(name)
        cells = [tag("th", tag("button", text(name), type="button", data_target=name) if one else text(name), scope="row")]
        if with_history:
            columns = one.columns() if one else {}
            marks = [(x, y) for x, y in zip(columns.get("x", ()), columns.get("marks", ())) if y is not None]
            rates = [next((value for value in reversed(columns.get(rate, ())) if value is not None), None) for rate in report_data.RATES]
            since = history.clock.total() - history.grew[name] if name in history.grew else None
            cells += [tag("td", spark(marks)), figure(number(history.executions(name)) if one else ""), *[figure(number(rate)) for rate in rates],
                      tag("td", "" if since is None else duration(since), class_="n", data_v=since), figure(number(history.last(name).get("edges") or None))]
        if harness is None:
            return row(*cells, *[figure("")] * 4)
        more = len(harness.marks["findings"] - harness.marks["corpus"])
        marks = number(len(harness.marks["corpus"])) + (f'<span class="good"> +{number(more)}</span>' if more else "")
        return row(*cells, tag("td", marks, class_="n"), figure(number(harness.floors)), count_and_size(harness.counts["corpus"]),
                   count_and_size(harness.counts["findings"]))

    # --- findings ---

    def findings(self):
        found = self.made.findings
        if not found:
            return part("findings", "Findings", card(f"<p>None. {command('fuzz')} looks for some; what it finds lies in "
                                                     "<code>findings/TARGET/found/</code> and is listed here.</p>"))
        heads = [("Finding, and the command that runs it again", False), ("State", False), ("What it shows", False), ("First seen", False), ("Inputs", True)]
        return part("findings", "Findings", table(heads, [self.finding(one) for one in found]),
                    f"<p class=soft>Times are those of the campaign that found it, executions those of the target until then. {command('triage')} lists "
                    "findings as well.</p>")

    def finding(self, one):
        name = self.link(one["input"], one["identity"]) if one["input"] else text(one["identity"])
        after = "" if one["after"] is None else duration(one["after"])
        after += "" if one["executions"] is None else f", {number(one['executions'])} executions"
        kept = f"<br>kept as {self.link(one['kept'], one['kept'])}" if isinstance(one["kept"], str) else ""
        state = tag("span", text(one["state"]), class_=f"state {'alert' if one['open'] else 'good'}")
        after = f"after {after}" if after else "in no campaign of the history"
        return row(tag("th", f"{name}{kept}<br>{command('triage', one['identity'])}", scope="row", class_="free"), tag("td", state),
                   tag("td", text(one["headline"]), class_="long"), tag("td", f"{date(one['t'])}<br><span class=soft>{text(after)}</span>"),
                   figure(number(one["inputs"])))

    # --- state x operation x verdict ---

    def matrices(self):
        made = self.made
        services = [self.matrix(matrix, True) for matrix in made.services if matrix.cells]
        groups = [self.matrix(matrix, False) for matrix in made.groups]
        swatches = "".join(f'<li><i class="h{level}"></i>{words}</li>' for level, words in enumerate(
            ["none", *[str(low) if low + 1 == high else f"{low} to {high - 1}" for low, high in zip(HEAT, HEAT[1:])], f"{HEAT[-1]} and more"]))
        key = (f'<ul class="key"><li>Inputs that reach it:</li>{swatches}<li><i class="gap"></i>asked for by the table, and never reached</li></ul>')
        return part(
            "matrices", "State × operation × verdict",
            "<p>How many inputs make a service give each answer to each operation, and below each matrix, in which state it met them. "
            "A cell leads to the input that is easiest to read; <code>./basalt show FILE</code> prints what it does. "
            "A state is the number by which its harness tells apart what the answer depends on (<code>mark_triple</code> in <code>fuzz/</code>).</p>",
            key, *services, self.more("Of no service: formats, peers that lie, the console", groups),
            self.more("Named paths, by harness", list(filter(None, map(self.named, made.harnesses)))))

    @staticmethod
    def more(title, inside):
        return f'<details class="more"><summary><h3>{title}</h3></summary>{"".join(inside)}</details>' if inside else ""

    def named(self, harness):
        """Marks that are no triples: what a harness calls worth reaching, with an input for each."""
        marks = report_data.named_marks(harness)
        if not marks:
            return ""
        items = "".join(f"<li>{self.link(report_data.best(paths), mark)} <span class=soft>{len(paths)}</span></li>" for mark, paths in marks)
        return (f'<details class="matrix"><summary><h3>{text(harness.name)}</h3><span class="soft">{counted(len(marks), "mark")}</span></summary>'
                f'<div class="inside"><ul class="names">{items}</ul></div></details>')

    def matrix(self, matrix, of_service):
        order = matrix.verdicts(self.made.order)
        missing = {}
        for operation, wanted in matrix.missing():
            missing.setdefault(operation, []).append(wanted)
        reasons = {operation: source_checks.UNREACHED.get(f"{matrix.name.upper()}.{operation}") for operation in missing}
        identity = re.sub(r"\W", "-", matrix.name)
        head = row('<th scope="col"></th>', *[tag("th", tag("span", text(verdict)), scope="col") for verdict in order])
        rows = []
        for operation, verdicts in matrix.cells.items():
            declared = "" if matrix.live.get(operation, "LIVE") == "LIVE" else "<small class=soft>declared only</small>"
            name = tag("a", text(operation), href=f"#{identity}-{self.identity(operation)}") if verdicts else tag("span", text(operation))
            gap = "accepted" in missing.get(operation, ()) and ("gap known" if reasons[operation] else "gap")
            cells = [self.cell({path for paths in verdicts.get(verdict, {}).values() for path in paths}, verdict == "OK" and gap)
                     for verdict in order]
            rows.append(row(tag("th", name + declared, scope="row"), *cells))
        never = [verdict for verdict in self.made.order if verdict not in order]
        notes = [f"<p><b>{text(operation)}</b> is never {' or '.join(wanted)}" + (f": {text(reasons[operation])}" if reasons[operation] else "") + ".</p>"
                 for operation, wanted in missing.items()]
        said = f"{counted(matrix.triples(), 'triple')}, {counted(len(matrix.cells), 'operation')}" if of_service else counted(matrix.triples(), "cell")
        unknown = sum(reason is None for reason in reasons.values())
        gaps = f'<span class="alert">{counted(unknown, "operation")} not reached in both verdicts</span>' if unknown else ""
        return (f'<details class="matrix" id="matrix-{identity}"><summary><h3>{text(matrix.name)}</h3><span class="soft">{said}</span>{gaps}</summary>'
                f'<div class="inside"><div class="box plain" tabindex="0" role="region" aria-label="{text(matrix.name)}"><table class="heat" data-of="{text(matrix.name)}"><thead>{head}</thead>'
                f'<tbody>{"".join(rows)}</tbody></table></div>{"".join(notes)}' +
                (f'<p class="soft small">Never answered: {", ".join(map(text, never))}.</p>' if of_service and never else "") +
                self.states(matrix, identity) + "</div></details>")

    @staticmethod
    def identity(operation):
        return re.sub(r"\W", "-", operation)

    def states(self, matrix, identity):
        """The same operation by operation: which verdict in which state."""
        parts = []
        for operation, verdicts in matrix.cells.items():
            if not verdicts:
                continue
            order = [verdict for verdict in matrix.verdicts(self.made.order) if verdict in verdicts]
            states = sorted({state for cells in verdicts.values() for state in cells}, key=report_data.state_key)
            head = row('<th scope="col" class="soft">state</th>', *[tag("th", tag("span", text(verdict)), scope="col") for verdict in order])
            rows = [row(tag("th", text(state), scope="row"), *[self.cell(verdicts[verdict].get(state, ()), False) for verdict in order])
                    for state in states]
            name = f"{matrix.name}.{operation}" if matrix.live else f"{matrix.name}: {operation}"
            parts.append(f'<div id="{identity}-{self.identity(operation)}"><div class="box plain" tabindex="0" role="region" aria-label="{text(name)} by state"><table class="heat" data-states="yes" '
                         f'data-of="{text(name)}"><caption>{text(name)}</caption><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div></div>')
        return f'<details class="states"><summary>By state</summary><div class="operations">{"".join(parts)}</div></details>'

    def cell(self, paths, gap):
        if not paths:
            return f'<td class="none {gap}" title="never accepted"></td>' if gap else '<td class="none"></td>'
        level = sum(len(paths) >= low for low in HEAT)
        return f'<td><a class="h{level}" href="{text(self.href(report_data.best(paths)))}">{len(paths)}</a></td>'

    # --- mutants, coverage, the rest ---

    def mutants(self):
        judged = self.made.mutants
        if not judged:
            return part("mutants", "Mutation score", card(f"<p>Not measured. This draws 40 mutants from seed 1 and judges them: "
                                                          f"{command('mutate', '--count', '40', '--seed', '1')}</p>"))
        last = judged[0]
        caught, there = report_data.caught(last.tally)
        words = (f"{caught} of {there} mutants caught ({share(caught, there)}): {last.tally['properties']} by properties and models, "
                 f"{last.tally['golden']} by golden files alone, {last.tally['fuzzing']} by fuzzing. Seed {last.seed}, judged last on {date(last.time)}.")
        kinds = [row(tag("th", text(mutate.WORDS[kind]), scope="row"), tag("td", bar(*report_data.caught(tally), rest=True)),
                     figure(f"{report_data.caught(tally)[0]} of {report_data.caught(tally)[1]}"))
                 for kind, tally in sorted(last.kinds.items()) if report_data.caught(tally)[1]]
        inside = [table([("Kind", False), ("", False), ("Caught", True)], kinds, wide=False)]
        if last.survivors:
            shown = [f"<li>{self.link(patch, f'{path}:{line}') if patch else text(path)}: {text(mutate.WORDS[kind])}</li>"
                     for path, kind, line, patch in last.survivors[:SURVIVORS_MAX]]
            left = f"<li>and {len(last.survivors) - SURVIVORS_MAX} more</li>" if len(last.survivors) > SURVIVORS_MAX else ""
            inside.append(f"<div><h3>Survivors</h3><ul class=plain>{''.join(shown)}{left}</ul></div>")
        if len(judged) > 1:
            rows = [row(tag("th", text(one.seed), scope="row"), tag("td", date(one.time)), figure("{} of {}".format(*report_data.caught(one.tally))),
                        figure(share(*report_data.caught(one.tally)))) for one in judged]
            inside.append("<div><h3>All draws</h3>" + table([("Seed", False), ("Judged", False), ("Caught", True), ("", True)], rows, wide=False) +
                          "</div>")
        return part("mutants", "Mutation score", card(f"<p>{text(words)}</p>", tag("div", "".join(inside), class_="side")))

    def cover(self):
        kept = self.made.cover
        if kept is None:
            return part("cover", "Coverage by unit", card(f"<p>Not measured. This builds for it and takes some minutes: {command('cover')}</p>"))
        rows = []
        for name, pairs in kept["units"]:
            cells = [cell for pair in pairs.values() for cell in (tag("td", bar(*pair)), figure(share(*pair)), figure("{:,} of {:,}".format(*pair) if pair[1] else ""))]
            rows.append(row(tag("th", f"<b>{text(name)}</b>" if " " in name else text(name), scope="row"), *cells))  # a sum, or a folder
        return part("cover", "Coverage by unit", f"<p class=soft>By corpora and test programs, measured {date(kept['time'])} at "
                    f"{text(kept['commit'] or 'an unknown commit')}; {command('cover')} measures it again and lists what nothing reaches.</p>",
                    table([("Unit", False), *[head for name in kept["columns"] for head in ((name.capitalize(), False), ("", True), ("", True))]],
                          rows, wide=False))

    def skipped(self):
        lines = self.made.skipped
        if not lines:
            return ""
        left = f"<li>and {len(lines) - SKIPPED_MAX} more</li>" if len(lines) > SKIPPED_MAX else ""
        return part("skipped", "Passed over", card(f"<p>{counted(len(lines), 'thing')} could not be read, and nothing here counts what it says.</p><ul class=plain>" +
                                                   "".join(f"<li>{text(line)}</li>" for line in lines[:SKIPPED_MAX]) + left + "</ul>"))

    def whole(self):
        made = self.made
        folder = f"{os.path.dirname(os.path.abspath(__file__))}/page"
        style, script = (source_checks.read(f"{folder}/report.{kind}") for kind in ("css", "js"))
        parts = [("history", "History", self.history()), ("targets", "Targets", self.targets()), ("findings", "Findings", self.findings()),
                 ("matrices", "Matrices", self.matrices()), ("mutants", "Mutants", self.mutants()), ("cover", "Coverage", self.cover()),
                 ("skipped", "Passed over", self.skipped())]
        links = "".join(f'<li><a href="#{identity}">{title}</a></li>' for identity, title, inside in parts if inside)
        data = json.dumps(self.data(), allow_nan=False).replace("<", "\\u003c")
        policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src '{digest(style)}'; script-src '{digest(script)}'"
        commit = f"at {text(made.commit)}, " if made.commit else ""
        return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{GENERATOR}
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Basalt: fuzzing report</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<div class="wrap"><header class="top"><h1>Basalt: fuzzing report</h1>
<p>What campaigns did and what the inputs reach, {commit}written {date(made.time)}.</p></header></div>
<nav aria-label="Parts of this page"><div class="wrap"><ul>{links}</ul></div></nav>
<main class="wrap" id="main">
{self.tiles()}
{"".join(inside for *_, inside in parts)}
</main>
<div class="wrap"><footer>Made by {command('report')} from the corpora of the tree and what lies in <code>findings/</code>. The page asks no network for anything.</footer></div>
<aside id="chosen" aria-label="The chosen cell" hidden><div><div class="what"><span class="words"></span><code></code></div>
<a href="#">Open the input</a><button class="copy" type="button">Copy</button><button class="close" type="button" aria-label="Close">Close</button></div></aside>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def digest(source):
    """By which the page allows this style or script and no other, whatever the data say."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def output_path(given):
    """Where the page goes: a report that is there gives way to the new one, another file does not."""
    if given is None:
        os.makedirs(os.path.dirname(OUTPUT), exist_ok=True)
        return OUTPUT
    path = build.user_path(given)
    if os.path.isdir(path):
        raise build.Stop(f"{given} is a folder", 2)
    if not os.path.isdir(os.path.dirname(path) or "."):
        raise build.Stop(f"{given}: there is no such folder", 2)
    if os.path.exists(path):
        with open(path, "rb") as file:
            if GENERATOR.encode() not in file.read(HEAD_BYTES):
                raise build.Stop(f"{given} is there and no report: another name, or remove it first", 2)
    return path


def report(options):
    """`basalt report`."""
    path = output_path(options.output)
    made = report_data.Report()
    findings.write(path, Page(made, os.path.dirname(path) or ".").whole().encode(errors="backslashreplace"))
    for line in made.skipped:
        print(f"passed over: {line}".encode(errors="backslashreplace").decode())
    print(f"{options.output or OUTPUT}: {made.words()}")
    return 0
