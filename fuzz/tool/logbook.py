# SPDX-License-Identifier: ISC
"""What a campaign of one engine on one harness writes to findings/history.jsonl: the same lines as one in turns, each
minute and at its end, as if all of it were one turn that goes on."""

import os
import re
import shutil
import time

import build
import engines
import history

LINE_SECONDS = 60


class Logbook:
    """A target as history.row() takes it: its figures, and the marks that its inputs reach."""

    def __init__(self, campaign, engine):
        self.home, self.name, self.engine = campaign.home, campaign.name, engine
        self.say = campaign.say
        self.figures = history.Figures()
        self.running, self.last_new = 1, None
        self.marks, self.found = set(), []
        self.began, self.started = round(time.time()), time.monotonic()
        self.written = self.started
        self.seen = set()  # paths whose marks are known

    def inputs(self):
        """Paths of what lies in the working corpus."""
        return {f"{self.home}/corpus/{base}" for base in os.listdir(f"{self.home}/corpus") if not base.startswith(".")}

    def begin(self):
        """What there is before the engine runs is not new."""
        seeds = {f"{self.home}/seeds/{base}" for base in os.listdir(f"{self.home}/seeds")}
        try:
            self.see(seeds | self.inputs())
        except OSError:  # the campaign says soon enough that the disk is full
            pass

    def see(self, paths):
        """Adds the marks of inputs that nobody has looked at. One that fails is the engine's to tell of."""
        folder = f"{self.home}/checking"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for path in paths - self.seen:
            try:
                os.link(path, f"{folder}/{os.path.basename(path)}")
            except OSError:  # the engine has a smaller one, or no input at all
                continue
        self.seen |= paths
        for _ in range(engines.FAILING_INPUTS_MAX):
            status, output = build.run([f"build/shipped/{self.name}", "--marks", folder]) if os.listdir(folder) else (0, "")
            if status == 0:
                self.marks |= set(output.splitlines())
                break
            failing = re.search(r"^failing input: (\S+) ", output, re.MULTILINE)
            if failing is None or not os.path.exists(failing[1]):
                break
            os.remove(failing[1])
        shutil.rmtree(folder)

    def told(self, workers):
        """What the engines counted so far."""
        row = self.figures.builds.setdefault(self.engine, {})
        executions, steps, edges = counted_by(workers, self.home) if self.engine == "afl" else (
            sum(worker.executions + worker.process_executions for worker in workers), sum(worker.steps for worker in workers),
            max((worker.edges for worker in workers), default=0))
        row.update(seconds=(time.monotonic() - self.started) * max(1, len(workers)), executions=executions, steps=steps, edges=edges,
                   cpu_seconds=0 if self.engine == "afl" else sum(worker.cpu_seconds for worker in workers))

    def minute(self, workers):
        if time.monotonic() - self.written >= LINE_SECONDS:
            self.write(workers)

    def end(self, found):
        """The last line, once it is known what the inputs that failed show."""
        self.running, self.found = 0, found
        self.write()

    def write(self, workers=None):
        """One line; a disk that is full costs the line and not the campaign."""
        self.written = time.monotonic()
        try:
            now = self.inputs()
            new = [os.path.getmtime(path) for path in now - self.seen if os.path.exists(path)]
            self.last_new = max([*new, *([self.last_new] if self.last_new else [])], default=None)
            self.see(now)
            if workers is not None:
                self.told(workers)
            history.append([history.row(self.began, time.time(), self, len(now))])
        except OSError as error:
            self.say(f"{history.PATH}: {error.strerror}")


def counted_by(workers, home):
    """(executions, steps, edges) of AFL++'s instances, which count for themselves."""
    folder = f"{home}/afl"
    return (engines.afl_executions(home), engines.afl_steps(folder),
            max(engines.afl_statistics(folder, "edges_found"), default=0)) if workers else (0, 0, 0)  # else an earlier one's
