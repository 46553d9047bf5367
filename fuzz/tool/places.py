# SPDX-License-Identifier: ISC
"""For checks of commands: a folder that looks like the tree, so that corpora and findings in it are its own."""

import os
import shutil
import subprocess
import sys
import tempfile

import findings

# A command of ./basalt in which something is otherwise.
COMMAND = """import sys
sys.path.insert(0, "fuzz/tool")
import engines, main, triage
{instead}
sys.argv = ["basalt", *sys.argv[1:]]
sys.exit(main.main())
"""

# A campaign in turns ends after so many, however busy the machine is.
TURNS = """import fleet
may_begin = fleet.Fleet.may_begin
fleet.Fleet.may_begin = lambda self: self.turn_count < {turns} and may_begin(self)
"""


class Place:
    """The sources and builds are the tree's, by links; of corpora there are copies of those that are named."""

    def __init__(self, *corpora):
        self.folder = tempfile.TemporaryDirectory()
        self.path = self.folder.name
        for name in set(os.listdir(".")) - {"findings", ".git", "corpus"}:
            os.symlink(os.path.abspath(name), f"{self.path}/{name}")
        os.mkdir(f"{self.path}/corpus")
        for name in corpora:
            shutil.copytree(f"corpus/{name}", f"{self.path}/corpus/{name}")

    def make(self, *folders):
        for folder in folders:
            os.makedirs(f"{self.path}/{folder}", exist_ok=True)

    def put(self, path, data):
        """Writes a file; the path, as the commands take it."""
        with open(f"{self.path}/{path}", "wb") as file:
            file.write(data)
        return path

    def read(self, path):
        return findings.read(f"{self.path}/{path}")

    def process(self, instead, *arguments, before=(), env=None):
        """A command of ./basalt, as a process that runs."""
        return subprocess.Popen([*before, sys.executable, "-B", "-c", COMMAND.format(instead=instead), *arguments], cwd=self.path,
                                env={**os.environ, "BASALT_CWD": self.path, "PYTHONUNBUFFERED": "1", **(env or {})}, text=True,
                                errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, instead, *arguments, before=(), env=None, seconds=300):
        """The same, to its end: (status, output)."""
        process = self.process(instead, *arguments, before=before, env=env)
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            output = process.communicate()[0] + f"no end after {seconds} s"
        return process.returncode, output
