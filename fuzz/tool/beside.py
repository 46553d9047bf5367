# SPDX-License-Identifier: ISC
"""What lies beside a harness for OSS-Fuzz: its seeds, its dictionary, its options. Called by
fuzz/oss-fuzz/build.sh for each: NAME, the folder of the tools that it built, $OUT."""

import os
import sys
import tempfile
import zipfile

import build
import engines

NO_INPUTS = ("DIGESTS", "FLOORS", "README.md")


def seed(name, entry, tools):
    """The bytes of an input of the corpus, of a text those that it means."""
    path = f"corpus/{name}/{entry}"
    with tempfile.TemporaryDirectory() as folder:
        if entry.endswith(".trace"):
            status, said = build.run([f"{tools}/{name}", "--assemble", path, f"{folder}/seed"])
            if status != 0:
                raise build.Stop(said.strip() or f"{path} cannot be assembled: status {status}", 2)
            path = f"{folder}/seed"
        with open(path, "rb") as file:
            return file.read()


def write_seeds(name, tools, out):
    """The committed corpus; the same bytes for the same corpus."""
    entries = sorted(entry for entry in os.listdir(f"corpus/{name}") if entry not in NO_INPUTS and entry[0] != ".")
    with zipfile.ZipFile(f"{out}/{name}_seed_corpus.zip", "w", zipfile.ZIP_DEFLATED) as seeds:
        for entry in entries:
            seeds.writestr(zipfile.ZipInfo(entry), seed(name, entry, tools), zipfile.ZIP_DEFLATED)


def options(name, out):
    """The limits of props/base/input_limits.h, as a section of libFuzzer's flags."""
    flags = engines.limits() + engines.growth(name, out)
    return "[libfuzzer]\n" + "".join(flag.lstrip("-").replace("=", " = ") + "\n" for flag in flags)


def main(name, tools, out):
    write_seeds(name, tools, out)
    for path, text in ((f"{out}/{name}.dict", engines.words(name, out, f"{tools}/abi_tables")),
                       (f"{out}/{name}.options", options(name, out))):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except build.Stop as stop:
        print(f"basalt: {stop}", file=sys.stderr)
        sys.exit(stop.status)
