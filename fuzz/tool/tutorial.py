# SPDX-License-Identifier: ISC
"""The tutorial, fuzz/README.md, is true: this reads the page, does in a copy of the tree what it says, in its order,
and compares what is printed with what the page shows. What the page marks by its fences alone:

    sh          a line that begins with `$ ` is a command, the lines below it are what it prints: `...` within a line
                stands for any text, on a line of its own for any lines; where there are none, anything may be printed.
                `(exit status N)` as the last of them: it ends with that status, otherwise with 0
    diff        a change, made with patch
    LANGUAGE PATH   a new file with that text, which the sentence above it names, too

A line that is none of these and looks like a command is a complaint: somebody would type it, and nobody has tried."""

import os
import re
import shutil
import subprocess
import tempfile

import build
import growth

PAGE = "fuzz/README.md"
LONG = "<!-- what follows takes minutes: ./basalt test tutorial-long -->"  # where the daily half of the page ends
HARNESS = "timed_life"  # whose builds the copy takes along, and the test program that knows its messages
PROGRAMS = [*(f"build/{variant}/{HARNESS}" for variant in ("asan", "shipped", "libfuzzer")),
            "build/asan/codec_envelope", "build/shipped/codec_envelope", "build/asan/codec_test", "build/shipped/codec_test",
            "build/fast/abi_tables"]
SECONDS = 900  # of one command
STATUS = re.compile(r"\(exit status (\d+)\)")
FENCE = re.compile(r"```(\w*) ?(\S*)$")


class Step:
    """One thing that a reader does: a command with what it prints, a change, a new file."""

    def __init__(self, kind, line, heading, text, path=""):
        self.kind, self.line, self.heading, self.text, self.path = kind, line, heading, text, path
        self.shown = []
        self.status = 0


def commands(lines, line, heading):
    """The steps of a block of commands."""
    steps = []
    for number, text in enumerate(lines, line):
        if text.startswith("$ "):
            steps.append(Step("sh", number, heading, text[2:]))
        elif steps and text.startswith("> ") and not steps[-1].shown:  # it goes on
            steps[-1].text += "\n" + text[2:]
        elif steps and STATUS.fullmatch(text):
            steps[-1].status = int(STATUS.fullmatch(text)[1])
        elif steps:
            steps[-1].shown.append(text)
        else:
            steps.append(Step("untried", number, heading, text))
    return steps


def steps_of(page):
    """Every step of a page, in its order."""
    steps, fence, block, heading, above = [], None, [], "", ""
    for number, line in enumerate(page.splitlines(), 1):
        found = FENCE.match(line)
        if fence is None and found:
            fence, block = found, []
        elif fence is not None and line == "```":
            steps += block_steps(fence, block, number - len(block), heading, above)
            fence, above = None, ""
        elif fence is not None:
            block.append(line)
        elif line.startswith("#"):
            heading, above = line.lstrip("# "), ""
        elif re.match(r"    (\$ |\./basalt )", line):
            steps.append(Step("untried", number, heading, line))
        elif line:
            above += line
    return steps


def block_steps(fence, block, line, heading, above):
    text = "\n".join(block) + "\n"
    if fence[2]:
        return [Step("file" if f"`{fence[2]}`" in above else "unnamed", line, heading, text, fence[2])]
    if fence[1] == "sh":
        return commands(block, line, heading)
    if fence[1] == "diff":
        return [Step("diff", line, heading, text)]
    return [Step("untried", number, heading, one) for number, one in enumerate(block, line) if re.match(r"\$ |\./basalt ", one)]


def pattern_of(shown):
    """What is shown, as a pattern of what may be printed."""
    lines = [r"(?:.*\n)*?" if line == "..." else ".*?".join(map(re.escape, line.split("..."))) + "\n" for line in shown]
    return re.compile("".join(lines))


class Player:
    """A reader with a folder, who goes wherever the page goes."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.place = f"{self.folder}.place"  # where the last command left off

    def run(self, command):
        status, output = build.run(["bash", "-c", f'cd "$PLAYED"\n{command}\nended=$?\npwd >"$PLACE"\nexit $ended'], SECONDS,
                                   {"PLAYED": self.folder, "PLACE": self.place, "BASALT_JOBS": "1"})
        if os.path.exists(self.place):  # else the command took too long
            with open(self.place, encoding="utf-8") as file:
                self.folder = file.read().strip()
            os.remove(self.place)
        return status, output

    def play(self, step):
        """Does a step. None, or what is not as the page says."""
        if step.kind == "sh":
            return self.compare(step, *self.run(step.text))
        if step.kind == "file":
            path = os.path.join(self.folder, step.path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(step.text)
            return None
        if step.kind == "diff":
            done = subprocess.run(["patch", "-p1", "-F0", "--no-backup-if-mismatch"], cwd=self.folder, input=step.text, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return f"the change does not apply: {done.stdout}" if done.returncode else None
        if step.kind == "unnamed":
            return f"what stands above the block does not name `{step.path}`"
        return f"a command that nobody tries: {step.text}"

    def compare(self, step, status, output):
        output = "".join(f"{line.rstrip()}\n" for line in output.replace("\t", " ").splitlines())
        if status != step.status:
            return f"$ {step.text}\nends with status {status} and not {step.status}; it prints\n{build.shorten(output, 25)}"
        if step.shown and not pattern_of(step.shown).fullmatch(output):
            return f"$ {step.text}\nprints\n{build.shorten(output, 40)}\nand not\n" + "\n".join(step.shown)
        return None


def play(tally, page, text, folder):
    """Plays a page to its end or to the first thing that is not as it says; one line for each heading."""
    player, steps = Player(folder), steps_of(text)
    for heading in dict.fromkeys(step.heading for step in steps):
        own = [step for step in steps if step.heading == heading]
        for step in own:
            wrong = player.play(step)
            if wrong:
                tally.say(f"{page}, {heading}", False, f"line {step.line}: {wrong}")
                return
        tally.say(f"{page}, {heading}", True, note=f"{sum(step.kind == 'sh' for step in own)} commands")


def copy_with_builds(folder, programs):
    """The sources, and what some programs are linked from: what does not change is not built again."""
    growth.copy_tree(folder)
    build.must_build(*programs)
    listed = build.run(["ninja", "-t", "inputs", *programs])[1].split()
    for path in [*programs, *filter(lambda path: path.startswith("build/"), listed), "build/.ninja_log", "build/.ninja_deps"]:
        if os.path.isfile(path):
            os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
            shutil.copy2(path, f"{folder}/{path}")


# A page that is wrong on purpose in one place each, and what must be said of it.
WRONG = (
    ("```sh\n$ echo one\ntwo\n```\n", "and not\ntwo"),
    ("```sh\n$ echo one; echo two\none\n```\n", "and not\none"),
    ("```sh\n$ false\n```\n", "ends with status 1 and not 0"),
    ("```sh\n$ true\n(exit status 1)\n```\n", "ends with status 0 and not 1"),
    ("```diff\n--- a/file\n+++ b/file\n@@ -1 +1 @@\n-ono\n+two\n```\n", "does not apply"),
    ("Somewhere.\n```text other\nx\n```\n", "does not name `other`"),
    ("    ./basalt fuzz\n", "nobody tries:     ./basalt fuzz"),
    ("```\n./basalt fuzz\n```\n", "nobody tries: ./basalt fuzz"),
)
RIGHT = ("In `other/file`:\n```text other/file\none\n```\n```diff\n--- a/other/file\n+++ b/other/file\n@@ -1 +1 @@\n-one\n+two\n```\n"
         "```sh\n$ cd other\n$ cat file; echo three 3; echo; echo four\ntwo\n...\nth... 3\n...\nfour\n$ cat file |\n> grep one\n"
         "(exit status 1)\n```\n")


def rot_is_seen(tally):
    """What the player says of pages that are wrong, and that it says nothing of one that is right."""
    missed = []
    for text, wanted in ((RIGHT, None), *WRONG):
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/file", "w", encoding="utf-8") as file:
                file.write("one\n")
            player = Player(folder)
            said = next(filter(None, map(player.play, steps_of(text))), None)
        if (wanted is None) != (said is None) or (wanted and wanted not in said):
            missed.append(f"{text}: {said}")
    tally.complaints("a tutorial that is wrong on purpose is told from one that is right", missed)


def played(tally, text):
    with tempfile.TemporaryDirectory() as folder:
        tree = f"{folder}/basalt"
        copy_with_builds(tree, PROGRAMS)
        play(tally, PAGE, text, tree)


def short(tally):
    """The daily half."""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    rot_is_seen(tally)
    tally.say(f"{PAGE} says where its longer half begins", text.count(LONG) == 1)
    played(tally, text.partition(LONG)[0])


def whole(tally):
    with open(PAGE, encoding="utf-8") as file:
        played(tally, file.read())
