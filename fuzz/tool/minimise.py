# SPDX-License-Identifier: ISC
"""./basalt min: a working corpus without what covers nothing that the rest, with the committed inputs, does not. The
old one goes only when the new one is proved to lose no edge and no mark."""

import os
import shutil

import build
import campaign
import engines
import findings
import fleet
import triage
from findings import counted


def bytes_of(folder):
    return sum(entry.stat().st_size for entry in os.scandir(folder))


def marks_of(name, *folders):
    """All marks that the inputs of folders reach."""
    marks = set()
    for folder in folders:
        if os.listdir(folder):
            status, output = build.run([f"build/asan/{name}", "--marks", folder], 3600)
            if status != 0:
                raise build.Stop(f"{build.shorten(output, 10)}\n{name}: nothing is minimised")
            marks |= set(output.splitlines())
    return marks


class Minimiser(fleet.Target):
    def run(self):
        """Returns how many findings came of it: inputs that failed while they were looked at."""
        old = self.open()
        corpus, small = f"{self.home}/corpus", f"{self.home}/corpus.small"
        before = len(os.listdir(corpus))
        shutil.rmtree(small, ignore_errors=True)
        shutil.copytree(f"{self.home}/seeds", small)
        self.said.update(engines.merge(self.name, self.home, small, corpus))
        for base in os.listdir(f"{self.home}/seeds"):
            os.remove(f"{small}/{base}")
        for path in self.said:
            self.leave_out(path)
        self.add_marks(corpus, small)
        self.prove(corpus, small)
        size = bytes_of(corpus)
        os.rename(corpus, f"{self.home}/corpus.large")
        os.rename(small, corpus)  # killed before the large one is gone, the next campaign takes it back (Home.open)
        shutil.rmtree(f"{self.home}/corpus.large")
        for kind in ("afl", "afl_fast"):
            shutil.rmtree(f"{self.afl_home(kind)}/others", ignore_errors=True)
        print(f"{self.name}: {counted(before, 'input')} before, {len(os.listdir(corpus))} now, {size} bytes before, "
              f"{bytes_of(corpus)} now; no edge and no mark lost", flush=True)
        return len(triage.take_in(self.name, self.home, sorted(self.said), old, self.said))

    def add_marks(self, corpus, small):
        """Inputs for the marks that a merge missed: where two share a counter (props/base/marks.h) it sees one."""
        seeds = f"{self.home}/seeds"
        lost = marks_of(self.name, corpus, seeds) - marks_of(self.name, small, seeds)
        while lost:
            names = sorted(set(os.listdir(corpus)) - set(os.listdir(small)))
            while len(names) > 1:
                half = names[:len(names) // 2]
                names = half if lost & self.marks_of_some(corpus, half) else names[len(names) // 2:]
            os.link(f"{corpus}/{names[0]}", f"{small}/{names[0]}")
            found = lost & self.marks_of_some(corpus, names)
            if not found:
                return  # prove() says which are lost
            lost -= found

    def marks_of_some(self, corpus, names):
        folder = f"{self.home}/trial"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for base in names:
            os.link(f"{corpus}/{base}", f"{folder}/{base}")
        marks = marks_of(self.name, folder)
        shutil.rmtree(folder)
        return marks

    def prove(self, corpus, small):
        """Ends the command when the large corpus reaches an edge or a mark that the small one does not: libFuzzer, asked
        to add what is missing, must add nothing, and the marks must have the same names."""
        trial = f"{self.home}/trial"
        shutil.rmtree(trial, ignore_errors=True)
        shutil.copytree(small, trial)
        shutil.copytree(f"{self.home}/seeds", trial, dirs_exist_ok=True)
        kept = len(os.listdir(trial))
        engines.merge(self.name, self.home, trial, corpus)
        missing = len(os.listdir(trial)) - kept
        shutil.rmtree(trial)
        seeds = f"{self.home}/seeds"
        lost = marks_of(self.name, corpus, seeds) - marks_of(self.name, small, seeds)
        if missing or lost:
            shutil.rmtree(small)
            raise build.Stop(f"{self.name}: the small corpus misses {counted(missing, 'input')} of new edges and "
                             f"{counted(len(lost), 'mark')}: {'; '.join(sorted(lost)[:3])}; the corpus stays as it is")


def has_corpus(home):
    """Also where a call that was killed left the large one alone."""
    return any(os.path.isdir(f"{home}/{folder}") for folder in ("corpus", "corpus.large"))


def minimise(options):
    names = [build.known_harness(name) for name in dict.fromkeys(options.targets)] or \
        [name for name in campaign.with_corpus() if has_corpus(f"findings/{name}")]
    if not names:
        print("no corpus of a campaign; ./basalt fuzz makes one")
        return 0
    build.must_build(*[f"build/{variant}/{name}" for variant in ("asan", "libfuzzer", "shipped") for name in names])
    try:
        return 1 if sum([Minimiser(name).run() for name in names]) else 0
    except OSError as error:
        raise build.Stop(campaign.words(error, "findings"), 2) from None
