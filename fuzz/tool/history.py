# SPDX-License-Identifier: ISC
"""What campaigns counted: the figures of a target by build, the lines of findings/history.jsonl, the table at the end
of a campaign, and which rates fell by half since an earlier one."""

import json
import time

PATH = "findings/history.jsonl"
KINDS = ("libfuzzer", "afl", "libfuzzer_fast", "afl_fast")  # builds, in the order of the tables
COMPARED_SECONDS_MIN = 30  # of processor time, in both campaigns: a shorter one says nothing of a rate
ROT = 2  # how many times slower is said


class Figures:
    """What the turns of one target came to, by build. Edges are those of the build: the same code has others in each."""

    def __init__(self):
        self.builds = {}
        self.told = {}  # totals of the line before

    def add(self, kind, seconds, executions, steps, edges, cpu_seconds=0):
        row = self.builds.setdefault(kind, {"seconds": 0, "cpu_seconds": 0, "executions": 0, "steps": 0, "edges": 0})
        row["seconds"] += seconds
        row["cpu_seconds"] += cpu_seconds
        row["executions"] += executions
        row["steps"] += steps
        row["edges"] = max(row["edges"], edges)

    def total(self, name):
        return sum(row[name] for row in self.builds.values())

    def edges(self, engine):
        return max((row["edges"] for kind, row in self.builds.items() if kind.startswith(engine)), default=0)

    def per_second(self, name, kind=None):
        """A rate of one build, or of the one that has the highest; 0 where nothing ran."""
        rows = [row for each, row in self.builds.items() if kind in (None, each)]
        return max((row[name] / row["seconds"] for row in rows if row["seconds"]), default=0)

    def minute(self):
        """What came since this was asked last: (seconds, executions, steps). A turn comes when it ends."""
        now = {name: self.total(name) for name in ("seconds", "executions", "steps")}
        since = tuple(now[name] - self.told.get(name, 0) for name in now)
        self.told = now
        return since


def rate(count, seconds):
    return round(count / seconds, 1) if seconds else None


def row(campaign, now, target, corpus):
    """One line: what one target came to in a campaign, and in what passed since its line before."""
    figures = target.figures
    seconds, executions, steps = figures.minute()
    return {
        "time": round(now), "campaign": campaign, "target": target.name, "engine": target.engine, "running": target.running,
        "seconds": round(figures.total("seconds"), 1), "executions": figures.total("executions"), "steps": figures.total("steps"),
        "minute_seconds": round(seconds, 1), "minute_executions": executions, "minute_steps": steps,
        "executions_per_second": rate(executions, seconds), "steps_per_second": rate(steps, seconds),
        "corpus": corpus, "edges": figures.edges("libfuzzer"), "afl_edges": figures.edges("afl"), "marks": len(target.marks),
        "since_new": None if target.last_new is None else round(now - target.last_new), "findings": len(target.found),
        "builds": {kind: {name: round(value, 1) for name, value in row.items()} for kind, row in figures.builds.items()},
    }


def append(rows):
    """Adds lines; those that a full disk cut short are passed over by whoever reads."""
    with open(PATH, "a", encoding="ascii") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))


def read():
    """All rows that are whole."""
    rows = []
    try:
        with open(PATH, encoding="ascii", errors="replace") as file:
            for line in file:
                try:
                    row = json.loads(line)
                except ValueError:
                    continue
                if isinstance(row, dict) and isinstance(row.get("target"), str):
                    rows.append(row)
    except OSError:
        pass
    return rows


# --- the end of a campaign -----------------------------------------------------------------------

def summary(targets):
    """The table at the end: a row per target that had a turn, and their sum."""
    kinds = [kind for kind in KINDS if any(kind in target.figures.builds for target in targets)]
    widths = {kind: max(9, len(kind)) for kind in kinds}
    lines = [f"{'':20} {'':>12}  {'executions per second by build'}" if kinds else "",
             f"{'target':20} {'executions':>12} " + " ".join(f"{kind:>{widths[kind]}}" for kind in kinds) +
             f" {'msgs/s':>8} {'corpus':>7} {'gained':>7} {'edges':>6} {'marks':>6} {'gained':>6} {'findings':>8}"]
    totals = [0] * 6
    for target in sorted(targets, key=lambda target: target.name):
        figures, inputs = target.figures, len(target.corpus())
        if not figures.builds:
            continue
        rates = [f"{figures.per_second('executions', kind):{widths[kind]}.0f}" if kind in figures.builds else
                 f"{'-':>{widths[kind]}}" for kind in kinds]
        numbers = [figures.total("executions"), inputs, inputs - target.inputs_before, len(target.marks),
                   len(target.marks) - target.marks_before, len(target.found)]
        totals = [total + number for total, number in zip(totals, numbers)]
        lines.append(f"{target.name:20} {numbers[0]:12} {' '.join(rates)} {figures.per_second('steps'):8.0f} {numbers[1]:7} "
                     f"{numbers[2]:+7} {figures.edges('libfuzzer') or figures.edges('afl'):6} {numbers[3]:6} {numbers[4]:+6} "
                     f"{numbers[5]:8}  {target.held_up()}".rstrip())
    blank = " ".join(" " * widths[kind] for kind in kinds)
    lines.append(f"{'all':20} {totals[0]:12} {blank} {'':8} {totals[1]:7} {totals[2]:+7} {'':6} {totals[3]:6} {totals[4]:+6} "
                 f"{totals[5]:8}")
    lines += [f"{target.name}: the record of marks was full {target.marks_left_out} times: raise MARKS_RECORDED_MAX "
              "(props/base/marks.h)" for target in targets if target.marks_left_out]
    return "\n".join(line for line in lines if line)


def cpu_rate(figures):
    """Executions of a build per second of processor time, which other load does not change; None: nobody can say."""
    if not isinstance(figures, dict) or figures.get("cpu_seconds", 0) < COMPARED_SECONDS_MIN:
        return None
    return figures.get("executions", 0) / figures["cpu_seconds"]


def earlier(rows, campaign):
    """{target: {build: (executions per processor second, time)}} of the last campaign before this one in which each ran."""
    rates = {}
    for row in rows:
        if row.get("campaign") == campaign or not isinstance(row.get("builds"), dict):
            continue
        for kind, figures in row["builds"].items():
            rate = cpu_rate(figures)
            if rate is not None:
                rates.setdefault(row["target"], {})[kind] = rate, row.get("time", 0)
    return rates


def rotten(targets, rates):
    """A line for each of libFuzzer's builds that runs less than half as often per second as in an earlier campaign."""
    for target in targets:
        for kind, (before, when) in rates.get(target.name, {}).items():
            now = cpu_rate(target.figures.builds.get(kind))
            if now is not None and now * ROT < before:
                yield (f"{target.name} {kind}: {now:.0f} executions per second of processor time, {before:.0f} in the campaign of "
                       f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(when))}")
