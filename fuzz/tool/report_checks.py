# SPDX-License-Identifier: ISC
"""Checks of ./basalt report: a page of planted campaigns, findings, mutants and inputs, opened in a browser, where what is
drawn is compared with what was planted, in both themes and as wide as a phone."""

import datetime
import json
import os
import re
import tempfile
import urllib.parse

import browser
import build
import campaign
import cover
import mutate_sites
import places
import report
import report_data
import source_checks

OUTPUT = report.OUTPUT
ODD = "</script><script>hacked=1</script>&\"'"  # a target, and names of findings, that must stay text
TARGETS = ("memd_life", "codec_archive", ODD)
BEGIN = 1_790_000_000
SPANS = ((BEGIN, 90), (BEGIN + 5 * 3600, 60))  # campaigns: their begin, their minutes
WORKING = 20  # inputs of memd_life in its working corpus; a fifth of the others are committed
CHARTS = ("edges", "marks", "corpus", "executions_per_second", "messages_per_second")

DAMAGED = (b'{"time": 1790000000, "target": "memd_life", "exec', b"17", b'{"target": "memd_life"}',
           b'{"time": 1790000060, "target": "memd_life", "executions": "many"}', b'{"time": NaN, "target": "memd_life"}',
           b'{"time": 1790000060, "target": "memd_life", "marks": -1}', b'{"time": 1790000060, "target": "memd_life", "marks": 1e300}', b'\xff\xfe', b"[" * 100000)

FINDINGS = (("memd_life", "M6-free_untyped", BEGIN + 1800, "certain", f"property M6 does not hold: {ODD}"),
            ("codec_archive", ODD.replace("/", ""), SPANS[1][0] + 1200, "flaky", "hang: no end after 25 s"),
            ("memd_life", "elsewhere", BEGIN - 86400, "fixed", "SUMMARY: AddressSanitizer: stack-overflow"))


class Place(places.Place):
    """A copy of the tree with corpora and findings of its own."""

    def __init__(self, *names):
        super().__init__()
        self.make(*[f"corpus/{name}" for name in names])

    def put(self, path, data):
        self.make(os.path.dirname(path))
        return super().put(path, data)

    def link(self, path, target=None):
        """A committed input, or one that it becomes."""
        os.symlink(os.path.abspath(path), f"{self.path}/{target or path}")

    def report(self, *arguments):
        return self.run("", "report", *arguments)

    def url(self, path=OUTPUT):
        return f"file://{urllib.parse.quote(os.path.realpath(self.path))}/{path}"


# --- what is planted -----------------------------------------------------------------------------

def turns():
    """(campaign, minute, moment, campaign time, target's place) of each minute: one target has a turn in it."""
    before = 0
    for at, (begin, minutes) in enumerate(SPANS):
        for minute in range(1, minutes + 1):
            yield at, minute, begin + 60 * minute, before + 60 * minute, minute % len(TARGETS)
        before += 60 * minutes


def per_second(place, minute):
    return 1000 * (place + 1) + 10 * minute


def level(name, at, place, minute):
    """Of a target after its turn: it grows, and the next campaign begins where it was not yet."""
    return {"edges": 900, "marks": 300, "corpus": 50}[name] + 100 * place + min(minute, 40) + 7 * at


def history_lines():
    """Lines as campaigns write them: the first one of each target in each minute, the second one of those that ran."""
    lines, counters = [], {}
    for at, minute, moment, _, place in turns():
        mine = counters.setdefault((at, place), {"seconds": 0, "executions": 0, "steps": 0})
        mine["seconds"] += 60
        mine["executions"] += 60 * per_second(place, minute)
        mine["steps"] += 60 * 9 * per_second(place, minute) if place == 0 else 0
        mine.update({name: level(name, at, place, minute) for name in ("edges", "marks", "corpus")})
        for other in range(len(TARGETS)):
            if (at, other) in counters and (at == 0 or other == place):
                more = {"campaign": SPANS[1][0], "since_new": None, "executions_per_second": None} if at else {}
                lines.append(json.dumps({"time": moment, "target": TARGETS[other], **counters[at, other], **more}).encode())
    for number, line in enumerate(DAMAGED[1:]):
        lines.insert(3 + 5 * number, line)
    return b"\n".join([*lines, DAMAGED[0]])


def expected(quantity, place):
    """[(campaign time, value)] of a chart of one target, or of all (None)."""
    rate = quantity.endswith("per_second")
    factor = 9 if quantity == "messages_per_second" else 1
    points, now = [], {}
    if not rate:  # a target that has had no turn counts as after its first one
        for at, minute, _, _, its in reversed(list(turns())):
            now[its] = level(quantity, at, its, minute)
    for at, minute, _, x, its in turns():
        counted = quantity != "messages_per_second" or its == 0
        if not rate:
            now[its] = level(quantity, at, its, minute)
            if place in (None, its):
                points.append((x, sum(now.values()) if place is None else now[its]))
        elif place in (None, its) and counted:
            points.append((x, factor * per_second(its, minute)))
    if not rate and points[-1][0] < x:  # it stays as it is
        points.append((x, points[-1][1]))
    return points


def plant(place):
    place.put(report_data.HISTORY, history_lines())
    inputs = sorted(path for path in campaign.inputs_of("memd_life") if path.endswith(".trace") or hash_of(path) < 40)
    for number, path in enumerate(inputs):
        if number % 5 == 0:
            place.link(path)
    place.make("findings/memd_life/corpus")
    for path in [path for path in inputs if not path.endswith(".trace") and not os.path.exists(f"{place.path}/{path}")][:WORKING]:
        place.link(path, f"findings/memd_life/corpus/{os.path.basename(path)}")
    for path in campaign.inputs_of("codec_archive")[:5]:
        place.link(path)
    for name in ("memd_life", "codec_archive"):
        place.link(f"corpus/{name}/FLOORS")
    place.put("findings/memd_life/corpus/notes.txt", b"x")
    place.put("findings/memd_life/corpus/empty", b"")
    place.put("findings/memd_life/corpus/huge", b"x" * 20000)
    os.mkfifo(f"{place.path}/findings/memd_life/corpus/a pipe")
    for target, name, moment, state, headline in FINDINGS:
        folder = f"findings/{target}/found/{name}"
        facts = {"target": target, "key": ["x"], "headline": headline, "state": state, "inputs": 2, "said": "", "commit": "abc",
                 "found": datetime.datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")}
        place.put(f"{folder}/finding.json", json.dumps(facts).encode())
        place.put(f"{folder}/input", b"\0" * 16)
        place.put(f"{folder}/report.txt", b"x")
    place.put("findings/memd_life/found/damaged/finding.json", b"{")
    verdicts = [[["services/memd/books.c", "bound", 10 + number, 11 + number, "<"], [outcome, ODD]]
                for number, outcome in enumerate(["properties"] * 17 + ["golden", "fuzzing", "survived", "same code"])]
    site = mutate_sites.Site(*verdicts[19][0])
    place.put(f"findings/mutate/services-memd-books-c-{site.lines(campaign.text_of(site.path))[0]}-bound-abcdef.patch", b"x")
    place.put("findings/mutate/7-00000000.jsonl", "\n".join(map(json.dumps, verdicts)).encode() + b'\n[["services/memd')
    place.put(cover.KEPT, json.dumps({"commit": "abc", "time": BEGIN, "units": [
        {"name": "services/memd", "lines": [97, 100], "branches": [1, 2]}, {"name": "all but probes and tester", "lines": [9999, 10000], "branches": [1, 2]}, {"name": "all units", "lines": [9, 10], "branches": [1, 2]}]}).encode())


def hash_of(path):
    """A draw of inputs that is the same each time: a share of the binary ones, by the first digits of their names."""
    return int(os.path.basename(path)[:2], 16) if re.match(r"[0-9a-f]{2}", os.path.basename(path)) else 255


def marks_by_input(place):
    """{path: marks} of memd_life's planted inputs, each replayed alone by --marks, which the report does not use."""
    found = {}
    for folder in ("corpus/memd_life", "findings/memd_life/corpus"):
        for base in os.listdir(f"{place.path}/{folder}"):
            if base not in ("FLOORS", "notes.txt", "huge", "a pipe"):
                with tempfile.TemporaryDirectory() as alone:
                    os.symlink(os.path.realpath(f"{place.path}/{folder}/{base}"), f"{alone}/{base}")
                    found[f"{folder}/{base}"] = set(build.run(["build/shipped/memd_life", "--marks", alone])[1].splitlines())
    return found


# --- what is drawn -------------------------------------------------------------------------------

DRAWN = """((target) => {
  const select = document.getElementById('target'), numbers = (one, ...names) => names.map((name) => Number(one.getAttribute(name)));
  select.value = target;
  select.dispatchEvent(new Event('change'));
  return Object.fromEntries([...document.querySelectorAll('svg.chart')].map((svg) => [svg.dataset.quantity, {
    points: [...svg.querySelectorAll('polyline.line')].flatMap((line) => line.getAttribute('points').split(' ').map((pair) => pair.split(',').map(Number))),
    circles: [...svg.querySelectorAll('circle')].map((one) => numbers(one, 'cx', 'cy')),
    x: [...svg.querySelectorAll('text.x')].map((one) => [...numbers(one, 'data-value', 'x'), one.textContent]),
    y: [...svg.querySelectorAll('text.y')].map((one) => [...numbers(one, 'data-value', 'y'), one.textContent]),
    begins: [...svg.querySelectorAll('.begin')].map((one) => numbers(one, 'x1')[0]),
    labels: [...svg.querySelectorAll('text')].map((one) => one.getBBox()).reduce((all, box) => [Math.min(all[0], box.x), Math.max(all[1], box.x + box.width)], [0, 0]),
    label: svg.getAttribute('aria-label'), box: [svg.viewBox.baseVal.width, svg.getBoundingClientRect().width] }]));
})"""

CELLS = """[...document.querySelectorAll('table.heat')].map((table) => ({ of: table.dataset.of, states: 'states' in table.dataset,
  heads: [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent),
  rows: [...table.tBodies[0].rows].map((row) => [row.cells[0].firstChild.textContent, [...row.cells].slice(1).map((cell) =>
    cell.firstChild ? [Number(cell.textContent), cell.firstChild.getAttribute('href')] : cell.className)]) }))"""

# Texts on what they lie on: the least contrast of each kind.
CONTRAST = """(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number), light = (color) => color.slice(0, 3).map((part) => part / 255).map(
    (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const below = (one) => { for (let at = one; at; at = at.parentElement) { const color = rgb(getComputedStyle(at).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color; } return [255, 255, 255]; };
  const found = {};
  for (const kind of ['.heat a.h1', '.heat a.h2', '.heat a.h3', '.heat a.h4', '.heat a.h5', '.soft', '.alert', '.good', 'td', 'th', 'a', 'p', 'nav a'])
    for (const one of document.querySelectorAll(kind)) {
      const pair = [light(rgb(getComputedStyle(one).color)), light(below(one))].sort((a, b) => b - a), ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
      found[kind] = Math.min(found[kind] ?? 99, ratio);
    }
  return found;
})()"""

CONTRAST_MIN = 4.5
UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "k": 1e3, "M": 1e6, "G": 1e9, "": 1}


def said(words):
    """What the label of a tick says, as a number."""
    return sum(float(amount.replace(",", "")) * UNITS[unit] for amount, unit in re.findall(r"([\d.,]+) ?([a-zA-Z]*)", words))


def scale(ticks):
    """The line through the first and the last tick; the ticks between must lie on it, and say what they stand for."""
    (low, start, _), (high, end, _) = ticks[0], ticks[-1]
    def place(value):
        return start + (end - start) * (value - low) / (high - low)
    assert len(ticks) >= 3 and all(abs(place(value) - at) < 0.1 and abs(said(words) - value) <= 0.001 * abs(value) for value, at, words in ticks), ticks
    return place


def chart_complaints(name, chart, points):
    """What of a chart does not lie where its axes say."""
    if len(chart["points"]) != len(points):
        return [f"{name}: {len(chart['points'])} points instead of {len(points)}"]
    if not points:
        return [] if chart["label"].endswith(": nothing") else [f"{name}: nothing to draw, and called {chart['label']}"]
    try:
        x, y = scale(chart["x"]), scale(chart["y"])
    except AssertionError as wrong:
        return [f"{name}: ticks that contradict each other: {wrong}"]
    return [f"{name}: {point[1]} lies beyond its axis" for point in points if not chart["y"][0][0] <= point[1] <= chart["y"][-1][0]] + \
           [f"{name}: {point} lies at {at}, not at {x(point[0]):.1f}, {y(point[1]):.1f}" for point, at in zip(points, chart["points"])
            if abs(at[0] - x(point[0])) > 0.3 or abs(at[1] - y(point[1])) > 0.3]


def check_charts(tally, page, width):
    complaints, drawn = [], {}
    for place, target in ((None, ""), *enumerate(TARGETS)):
        drawn = page.value(f"{DRAWN}({json.dumps(target)})")
        for quantity in CHARTS:
            points = expected(quantity, place) if quantity != "messages_per_second" or place in (None, 0) else []
            complaints += chart_complaints(f"{quantity} of {target or 'all'}", drawn[quantity], points)
        found = [(x, moment) for name, _, moment, _, _ in FINDINGS[:2] if target in ("", name)
                 for x in [moment - BEGIN if moment < SPANS[1][0] else 5400 + moment - SPANS[1][0]]]
        chart = drawn["found"]
        if len(chart["circles"]) != len(found):
            complaints.append(f"{len(chart['circles'])} findings of {target or 'all'}, not {len(found)}")
        elif found:
            x = scale(chart["x"])
            complaints += [f"a finding at {at}, not at {x(when)}" for (when, _), at in zip(found, chart["circles"]) if abs(at[0] - x(when)) > 0.3]
            y = {value: at for value, at, _ in chart["y"]}
            complaints += [f"finding {number} at {at}" for number, at in enumerate(chart["circles"], 1) if abs(at[1] - y.get(number, -9)) > 0.3]
    begin = drawn["marks"]["begins"]
    complaints += [f"campaigns begin at {begin}"] if len(begin) != 1 or abs(begin[0] - scale(drawn["marks"]["x"])(5400)) > 0.3 else []
    complaints += [f"{name}: a label at {chart['labels']} of {chart['box'][0]}" for name, chart in drawn.items()
                   if chart["labels"][0] < 0 or chart["labels"][1] > chart["box"][0] + 1]
    complaints += [f"{name} is drawn {chart['box']} wide" for name, chart in drawn.items() if abs(chart["box"][0] - chart["box"][1]) > 1]
    page.value(f"{DRAWN}('')")
    tally.complaints(f"report: charts {width} wide are what was planted, of each target and of all", complaints)


def check_hover(tally, page):
    """What pointing at a point says, and going to the one before."""
    middle = page.value("(() => { const svg = document.querySelector('svg.chart[data-quantity=marks]'); svg.scrollIntoView({block: 'center'});"
                        "const box = svg.getBoundingClientRect(), point = svg.points[70]; return [box.x + point.px, box.y + 40]; })()")
    page.mouse(*middle)
    tip = page.value("document.querySelector('.tip')?.textContent")
    points = expected("marks", None)
    tally.say("report: pointing at a chart says the value", tip is not None and tip.startswith(f"{points[70][1]:,} marksafter {said_time(points[70][0])} of"),
              f"{tip}; {points[70]}")
    page.value("document.querySelector('svg.chart[data-quantity=marks]').focus()")
    page.key("ArrowLeft")
    tip = page.value("document.querySelector('.tip')?.textContent")
    tally.say("report: and so do the arrow keys", tip is not None and tip.startswith(f"{points[-2][1]:,} marks"), f"{tip}; {points[-2]}")


def said_time(seconds):
    return report.duration(seconds)


def check_cells(tally, place, page):
    """Every cell of the matrices: how many inputs, and the link leads to one of them."""
    alone = marks_by_input(place)
    rows, services, _ = report_data.tables()
    names = {f"{row.service}.{row.name}": hex(number) for number, row in rows.items()}
    tables = page.value(CELLS)
    complaints, seen = [], set()
    here = os.path.dirname(f"{place.path}/{OUTPUT}")
    for table in tables:
        for row, cells in table["rows"]:
            for verdict, cell in zip(table["heads"], cells):
                if isinstance(cell, str):
                    continue
                path = os.path.normpath(os.path.join(here, urllib.parse.unquote(cell[1])))
                if not os.path.isfile(path):
                    complaints.append(f"{table['of']}: {row}, {verdict} leads to {cell[1]}, which is not there")
                elif table["of"].startswith("memd.") and table["states"]:
                    mark = f"memd: state {row} operation {names.get(table['of'], '0x0')} {verdict}"
                    reaching = {one for one, marks in alone.items() if mark in marks}
                    seen.add(mark)
                    if cell[0] != len(reaching) or os.path.relpath(path, os.path.realpath(place.path)) not in reaching | {None}:
                        complaints.append(f"{mark}: {cell}, reached by {len(reaching)} inputs")
                    if any(one.startswith("corpus/") for one in reaching) and "/corpus/memd_life/" not in path:
                        complaints.append(f"{mark}: {cell[1]} is no committed input")
    wanted = {mark for marks in alone.values() for mark in marks if mark.startswith("memd: state")}
    complaints += [f"{mark}: {'no cell' if mark in wanted else 'nothing reaches it'}" for mark in seen ^ wanted]
    tally.complaints(f"report: {len(wanted)} triples of memd are cells with their inputs, and every link leads to a file", complaints)
    shown = {table["of"]: {row: cells for row, cells in table["rows"]} for table in tables if not table["states"]}
    missing = [name for service in services for name in (row.name for row in rows.values() if row.service == service)
               if name not in shown.get(service, {})]
    tally.complaints("report: each operation of each table has its row", missing)
    tally.complaints("report: one that nothing reaches is a row of empty cells", [
        name for name, cells in shown["procd"].items() if not cells == [] and not all(isinstance(cell, str) for cell in cells)])
    working = [mark for mark in wanted if not any(mark in marks for path, marks in alone.items() if path.startswith("corpus/"))]
    tally.say("report: working inputs reach what no committed one does", working and len(alone) > WORKING, f"{len(working)} of {len(wanted)}")


def check_panel(tally, page):
    said_of = page.value("(() => { document.querySelector('#matrix-memd').open = true; const link = document.querySelector('#matrix-memd td a'); link.focus();"
                         "return [document.querySelector('#chosen').hidden, document.querySelector('#chosen code').textContent,"
                         "document.querySelector('#chosen .words').textContent, link.getAttribute('href')]; })()")
    tally.say("report: a cell says which command shows its input", not said_of[0] and said_of[1] == f"./basalt show {said_of[3].removeprefix('../')}"
              and said_of[2].startswith("memd.open_account: OK, "), str(said_of))
    page.key("Escape")
    tally.say("report: and goes away", page.value("document.querySelector('#chosen').hidden"))


def check_texts(tally, page, output):
    """What the page says in words, and that it is words."""
    words = page.value("document.body.innerText")
    tally.say("report: names stay text", page.value("[document.scripts.length, typeof hacked, document.querySelectorAll('main script').length]") ==
              [2, "undefined", 0] and words.count("<script>hacked=1") >= 3, words[:2000])
    wanted = ("19 of 20 mutants caught (95.0 %)", "services/memd/books.c:1: bound", "99.9 %", "90.0 % with them", "in no campaign of the history", "after 30 min", "./basalt triage memd_life/M6-free_untyped",
              "of 3 findings", "interrupt is never accepted or refused: nobody answers it")
    page.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    words = page.value("document.body.innerText")
    tally.complaints("report: it says what was planted", [one for one in wanted if one not in words])
    tally.say("report: a survivor leads to its patch", page.value("document.querySelector('#mutants li a')?.getAttribute('href')") ==
              "../findings/mutate/services-memd-books-c-1-bound-abcdef.patch", page.value("document.querySelector('#mutants').innerHTML"))
    skipped = (*(f"findings/history.jsonl, line {3 + 5 * number + 1}: " for number in range(len(DAMAGED) - 1)), "cut off",
               "findings/memd_life/corpus/notes.txt: not an input", "findings/memd_life/corpus/huge: ", "findings/memd_life/corpus/a pipe: ",
               "findings/memd_life/found/damaged/finding.json: unreadable", "7-00000000.jsonl, line 22: is no verdict")
    tally.complaints("report: what cannot be read is named, on the page and on the terminal",
                     [line for line in skipped if line not in words or line not in output] +
                     [line for line in output.splitlines()[:-1] if not line.startswith("passed over: ")] +
                     [f"{output.count('passed over')} instead of {len(skipped)}"] * (output.count("passed over") != len(skipped)))


def check_layout(tally, page, url):
    """Both themes, a screen and a phone: no error, no request, nothing wider than the window, texts that can be read."""
    for dark in (False, True):
        for width in (1280, 360):
            page.open(url, width, 800, dark)
            which = f"{'dark' if dark else 'light'}, {width} wide"
            wide = "[document.documentElement.scrollWidth, ...[...document.querySelectorAll('main > *, section > *')].map((one) => " \
                   "Math.ceil(one.getBoundingClientRect().right))]"
            before = page.value(wide)
            page.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            widest = max(before + page.value(wide))
            tally.say(f"report: {which}: nothing is wider than the window", widest <= width, f"{widest}")
            twice = page.value("[...document.querySelectorAll('[id]')].map((one) => one.id).filter((id, at, all) => all.indexOf(id) !== at)")
            tally.say(f"report: {which}: no two parts have the same name", not twice, str(twice))
            cut = page.value("[...document.querySelectorAll('.tiles b, .charts output, h1, h2, h3')].filter((one) => one.scrollWidth > one.clientWidth + 1 &&"
                             " getComputedStyle(one).display !== 'inline').map((one) => one.textContent)")
            tally.say(f"report: {which}: no figure or heading is wider than its place", not cut, str(cut))
            low = {kind: round(ratio, 2) for kind, ratio in page.value(CONTRAST).items() if ratio < CONTRAST_MIN}
            tally.say(f"report: {which}: texts have a contrast of {CONTRAST_MIN} at least", not low, str(low))
            tally.complaints(f"report: {which}: the console is silent, and nothing is asked of a network", page.complaints() + page.requests())


def check_without(tally, page):
    """A tree in which nobody has fuzzed yet."""
    place = Place("codec_archive")
    for path in campaign.inputs_of("codec_archive")[:5]:
        place.link(path)
    status, output = place.report()
    page.open(place.url(), 360)
    words = page.value("document.body.innerText")
    wanted = ("./basalt fuzz --seconds 1h", "./basalt mutate --count", "./basalt cover", "No campaign has written")
    tally.say("report: without campaigns it says how there are some", status == 0 and all(one in words for one in wanted)
              and page.value("document.documentElement.scrollWidth") <= 360 and not page.complaints()
              and page.value("document.querySelectorAll('.heat td a').length") > 5, output + words[:1500])
    place.put(report_data.HISTORY, b"".join(json.dumps({"time": BEGIN + 36 * minute, "target": "codec_archive", "seconds": 36 * minute, "marks": minute,
                                                        "executions": 50000 * minute}).encode() + b"\n" for minute in range(1, 4)))
    status, output = place.report()
    page.open(place.url())
    drawn = page.value(f"{DRAWN}('')")
    complaints = chart_complaints("marks", drawn["marks"], [(24 + 36 * minute, minute) for minute in range(1, 4)])
    tally.say("report: after its first minutes a campaign is drawn in seconds", status == 0 and not complaints and "found" not in drawn
              and not page.complaints() and drawn["marks"]["x"][1][2].endswith(" s"), f"{output}{complaints}{drawn['marks']}")


def check_output(tally, place, page):
    """--output: elsewhere the links still lead to the inputs; what is no report stays."""
    place.put("else where/x", b"")
    place.put("else where/below/y", b"")
    status, output = place.report("--output", "else where/below/page #1.html")
    page.open(place.url("else%20where/below/page%20%231.html"))
    href = page.value("document.querySelector('.heat td a').href")
    path = urllib.parse.unquote(urllib.parse.urlparse(href).path)
    tally.say("report: its links hold wherever it is written", status == 0 and os.path.isfile(path) and "/corpus/" in path
              and sorted(os.listdir(f"{place.path}/else where/below")) == ["page #1.html", "y"], output + href)
    for arguments, words in ((("--output", "else where/x"), "is there and no report"), (("--output", "none/page.html"), "no such folder"),
                             (("--output", "else where"), "is a folder")):
        status, output = place.report(*arguments)
        tally.say(f"report {' '.join(arguments)} is refused", status == 2 and words in output and output.count("\n") == 1
                  and os.path.getsize(f"{place.path}/else where/x") == 0, f"status {status}\n{output}")


def check_full_disk(tally, place):
    """A page that cannot be written leaves the one before it."""
    path = f"{place.path}/{OUTPUT}"
    before = campaign.text_of(path)
    os.symlink("/dev/full", f"{place.path}/findings/.report.html.part")
    status, output = place.report()
    tally.say("report: a full disk is one line, and the page before stays", status == 2 and campaign.text_of(path) == before
              and output == f"basalt: {OUTPUT}: No space left on device\n", f"status {status}\n{output}")


def check_sorting(tally, page):
    """A column's head sorts the targets by it, the largest first, then the other way; what has no value comes last."""
    click = "(() => { const head = [...document.querySelectorAll('#targets thead th')].find((one) => one.textContent.startsWith('%s'));" \
            "head.querySelector('button').click();" \
            "return [...document.querySelectorAll('#targets tbody tr')].map((row) => row.cells[0].textContent + ' ' + row.cells[head.cellIndex].textContent); })()"
    down, up = page.value(click % "Executions"), page.value(click % "Executions")
    totals = {name: sum(60 * per_second(place, minute) for _, minute, _, _, its in turns() if its == place) for place, name in enumerate(TARGETS)}
    wanted = [f"{name} {total:,}" for name, total in sorted(totals.items(), key=lambda pair: -pair[1])]
    since = page.value(click % "Since")
    last = {name: f"{name} {report.duration(9000 - max(5400 + 60 * minute for at, minute, _, _, its in turns() if at and its == place and minute < 40 + len(TARGETS)))}"
            for place, name in enumerate(TARGETS)}
    tally.say("report: the table of targets sorts by its columns", down == wanted and up == wanted[::-1] and set(since) == set(last.values()),
              f"{down}\n{up}\n{wanted}\n{since}\n{last}")


def check_clock(tally):
    """Campaigns that follow each other without a gap are told apart, by their names or by executions that begin anew."""
    for what, more in (("by executions", ({}, {})), ("by names", ({"campaign": BEGIN}, {"campaign": BEGIN + 200}))):
        counts = (500, 1000, 400 if not more[0] else 3000)
        moments = {BEGIN + 60: [{"target": "x", "time": BEGIN + 60, "seconds": 50, "executions": counts[0], **more[0]}],
                   BEGIN + 120: [{"target": "x", "time": BEGIN + 120, "seconds": 100, "executions": counts[1], **more[0]}],
                   BEGIN + 260: [{"target": "x", "time": BEGIN + 260, "seconds": 40, "executions": counts[2], **more[1]}]}
        drawn = report_data.History(moments)
        rates = drawn.all_series()[1].columns()["executions_per_second"]
        tally.say(f"report: campaigns without a gap are told apart {what}", [span[:2] for span in drawn.clock.spans] == [
            [BEGIN, BEGIN + 120], [BEGIN + 200, BEGIN + 260]] and rates == [10, 10, counts[2] / 40] and drawn.executions() == counts[1] + counts[2],
                  f"{drawn.clock.spans} {rates}")


def check_fifos(tally):
    """Nobody waits for the writer of a FIFO."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/fifo"
        os.mkfifo(path)
        kept, cover.KEPT, skipped = cover.KEPT, path, []
        try:
            found = [report_data.read_history(path, skipped), report_data.read_cover(skipped)]
        finally:
            cover.KEPT = kept
    tally.say("report: a FIFO is named and passed over", found == [{}, None] and skipped == [f"{path}: not a file"] * 2, f"{skipped}")


def check_cover(tally):
    """What ./basalt cover keeps is what the report reads."""
    with tempfile.TemporaryDirectory() as folder:
        kept, cover.KEPT = cover.KEPT, f"{folder}/cover.json"
        try:
            reach = cover.Reach({1: 1, 2: 0, 3: 5}, [1, 0], {})
            cover.keep({"services/memd/memd.c": reach})
            skipped = []
            found = report_data.read_cover(skipped)
            with open(cover.KEPT, "w", encoding="ascii") as file:
                file.write('{"commit": "", "time": 1, "units": [{"name": "x", "lines": [3, 2], "branches": [0, 0]}]}')
            report_data.read_cover(skipped)
        finally:
            cover.KEPT = kept
    tally.say("report: coverage is read as cover keeps it, and a wrong one is named", found["units"][0] == (
        "services/memd", {"lines": [2, 3], "branches": [1, 2]}) and len(skipped) == 1, f"{found} {skipped}")


def check_tables(tally):
    """What the matrices of all committed corpora call never reached is what `test replays` has a reason for."""
    harnesses = []
    for name in campaign.with_corpus():
        harness = report_data.Harness(name)
        for mark in campaign.text_of(f"corpus/{name}/FLOORS").splitlines()[1:]:
            harness.reaching[mark].append(name)
        harnesses.append(harness)
    services, groups, _ = report_data.matrices(harnesses)
    missing = {f"{matrix.name.upper()}.{operation}" for matrix in services for operation, _ in matrix.missing()}
    tally.say("report: operations that no corpus reaches are those that have a reason", missing == set(source_checks.UNREACHED), str(missing))
    shown = sum(matrix.triples() for matrix in services + groups)
    marks = {mark for harness in harnesses for mark in harness.reaching if report_data.TRIPLE.fullmatch(mark)}
    tally.say(f"report: {len(marks)} triples of all corpora have a cell each", shown == len(marks) and len(marks) > 4000, f"{shown}")


def check_reading(tally):
    """What is read and needs no page: an input that fails, and a month of lines."""
    build.must_build("build/shipped/canary")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("a", b"b"), ("bird", b"bird"), ("z", b"x")):
            with open(f"{folder}/{name}", "wb") as file:
                file.write(data)
        skipped = []
        found = report_data.marks_of_each("canary", folder, skipped)
        tally.say("report: an input that fails is named, and the others have their marks", set(found) == {f"{folder}/a", f"{folder}/z"} and
                  len(skipped) == 1 and skipped[0].startswith(f"{folder}/bird: fails"), f"{found} {skipped}")
        path = f"{folder}/history"
        with open(path, "w", encoding="ascii") as file:
            for minute in range(1, 20001):
                print(json.dumps({"time": BEGIN + 60 * minute, "target": "x", "seconds": 60 * minute, "executions": 600 * minute, "marks": minute}), file=file)
        series = report_data.History(report_data.read_history(path, skipped)).all_series()[1].columns()
    count = len(series["x"])
    tally.say(f"report: of 20,000 lines {count} points are drawn, the last and the mean among them", report_data.POINTS_MAX <= count <= report_data.POINTS_MAX + 1
              and series["marks"][-1] == 20000 and set(series["executions_per_second"]) == {10}, f"{count} {series['marks'][-1]}")


def report_checks(tally):
    check_reading(tally)
    check_tables(tally)
    check_clock(tally)
    check_fifos(tally)
    check_cover(tally)
    place = Place("memd_life", "codec_archive")
    plant(place)
    status, output = place.report()
    tally.say("report: a page is made of what was planted", status == 0 and os.path.isfile(f"{place.path}/{OUTPUT}")
              and not [name for name in os.listdir(f"{place.path}/findings") if name.endswith(".part")], output[-3000:])
    if status != 0:
        return
    with browser.Browser() as page:
        check_layout(tally, page, place.url())
        page.open(place.url(), 360)
        check_charts(tally, page, 360)
        page.open(place.url(), 1280)
        check_charts(tally, page, 1280)
        check_hover(tally, page)
        check_sorting(tally, page)
        check_cells(tally, place, page)
        check_panel(tally, page)
        check_texts(tally, page, output)
        check_output(tally, place, page)
        check_full_disk(tally, place)
        check_without(tally, page)
