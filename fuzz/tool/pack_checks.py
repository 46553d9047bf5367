# SPDX-License-Identifier: ISC
"""Checks of `./basalt pack`, whose archives abi/formats/archive.h must read, and of what the image builder refuses of
mounts and data."""

import os
import re
import tempfile

import build
import pack

BUILDER = "build/fast/boot_image"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def folder_with(folder, entries):
    """Files by their names: bytes, a link's target as text, or None for a folder; an executable file as (bytes,)."""
    os.makedirs(folder)
    for name, what in entries.items():
        path = os.path.join(folder, name)
        if what is None:
            os.makedirs(path)
        elif isinstance(what, str):
            os.symlink(what, path)
        else:
            with open(path, "wb") as file:
                file.write(what[0] if isinstance(what, tuple) else what)
            os.chmod(path, 0o700 if isinstance(what, tuple) else 0o600)


def packed(folder, *more):
    """(exit status, what was said, the archive or None) of packing a folder."""
    path = f"{folder}.tar"
    status, output = build.run(["./basalt", "pack", folder, "--output", path, *more], 60)
    return status, output, read(path) if os.path.exists(path) else None


ENTRIES = {"b": b"x" * 513, "a": None, "a/empty": b"", "a.b": (b"runs",), "a/l": "../b", "ä": b"text"}
SHOWN = ["archive", "  d 0755        0 /a", "  - 0000        0 /a/empty", "  l 0755        0 /a/l -> ../b",
         "  - 0755        4 /a.b", "  - 0755        3 /added", "  - 0644      513 /b", "  - 0644        4 /ä"]


def packs(tally, home):
    folder_with(f"{home}/one", ENTRIES)
    folder_with(f"{home}/two", ENTRIES)
    folder_with(f"{home}/elsewhere", {"program": (b"run",)})
    os.utime(f"{home}/two/b", (1, 1))
    more = ("--mode", "a/empty=0", "--add", f"added={home}/elsewhere/program")
    status, output, one = packed(f"{home}/one", *more)
    tally.say("a folder is packed", status == 0 and output == "" and one, output)
    tally.say("and again, to the same bytes", packed(f"{home}/two", *more)[2] == one)
    _, shown = build.run(["./basalt", "show", f"{home}/one.tar"], 60)
    tally.say("the reader finds what was packed", shown.splitlines() == SHOWN, shown)


def refuses(tally, home):
    """(what, entries, what is said): nothing is written, or what was there before stays."""
    for number, (what, entries, said) in enumerate((
            ("a control character", {"a\1": b""}, "a\\x01: has a control character"),
            ("a name that is not UTF-8", {os.fsdecode(b"\xff"): b""}, "\\udcff: is not UTF-8"),
            ("a target that is too long", {"l": "x/" * 51}, "l: what it leads to is too long"),
            ("a path that is too long", {"d" * 101: b""}, "name is too long"))):
        folder = f"{home}/wrong{number}"
        folder_with(folder, entries)
        with open(f"{folder}.tar", "wb") as file:
            file.write(b"before")
        status, output, left = packed(folder)
        tally.say(f"pack refuses {what}, and leaves what was there",
                  status == 1 and output.startswith("basalt: ") and output.endswith(f"{said}\n") and left == b"before",
                  f"status {status}\n{output}")
    folder_with(f"{home}/pipe", {})
    os.mkfifo(f"{home}/pipe/p")
    status, output, left = packed(f"{home}/pipe")
    tally.say("pack refuses a pipe", status == 1 and "p: is no file" in output and left is None, output)
    for arguments in ((f"{home}/none",), (f"{home}/one", "--mode", "b=9"), (f"{home}/one", "--mode", "nothing=0"),
                      (f"{home}/one", "--add", f"b={home}/one/b"), (f"{home}/one", "--add", f"../b={home}/one/b"),
                      (f"{home}/one", "--add", "c"), *((f"{home}/unwritten", "--add", f"{name}={home}/one/b") for name in
                                                       (".", "..", "./b", "a/..", "a/.", "/b", "a//b", "b/"))):
        status, output, _ = packed(*arguments)
        tally.say(f"pack {' '.join(arguments[1:])} is a usage error",
                  status == 2 and len(output.splitlines()) == 1 and not os.path.exists(f"{home}/unwritten.tar"), output)


def counts(tally, home):
    """An archive has no more entries than imagefsd takes."""
    limit = re.search(r"RAMFSD_ARCHIVE_ENTRIES_MAX = (\d+)", read("services/ramfsd/ramfsd.h").decode())
    tally.say("pack's bound is imagefsd's", limit is not None and int(limit[1]) == pack.ENTRIES)
    folder_with(f"{home}/most", {str(number): b"" for number in range(pack.ENTRIES)})
    status, output, one = packed(f"{home}/most")
    tally.say("pack packs as many entries as imagefsd takes", status == 0 and one, output)
    os.unlink(f"{home}/most.tar")
    status, output, one = packed(f"{home}/most", "--add", f"more={home}/most/0")
    tally.say("pack refuses one more, and writes nothing", status == 1 and "898 files" in output and one is None, output)


def dots(tally, home):
    """A name that begins with dots is one like any other."""
    folder_with(f"{home}/dots", {"..a": b"", "...": b""})
    status, output, one = packed(f"{home}/dots", "--add", f"..foo={home}/dots/..a", "--add", f".b={home}/dots/..a")
    _, shown = build.run(["./basalt", "show", f"{home}/dots.tar"], 60)
    names = [line.split()[-1] for line in shown.splitlines()[1:]]
    tally.say("names that begin with dots are packed", status == 0 and one and names == ["/...", "/..a", "/..foo", "/.b"],
              output + shown)


def builds(tally, home):
    """What the builder is given besides the foundation, and why it refuses."""
    foundation = [f"{name}=build/image/{name}.elf" for name in ("rootd", "memd", "vspaced", "pagerd", "procd", "named")]
    archive = ["--data", "files=build/image/files.tar"]
    both = [f"{name}=build/image/{name}.elf" for name in ("imagefsd", "vfsd")]
    for what, arguments, status, said in (
            ("a mount without vfsd", ["--mount", "imagefsd:archive:/", *archive, both[0]], 1, "module vfsd is not given"),
            ("vfsd without a root", [*both, *archive, "--mount", "imagefsd:archive:/a"], 1, "nothing lies at / for vfsd"),
            ("a mount of what is not given", [*both, *archive, "--mount", "imagefsd:archive:/", "--mount", "ramfsd:ram:/t"],
             1, "module ramfsd is not given"),
            ("a mount of what vfsd does not find", [*both, *archive, "--mount", "named:ram:/"], 1, "vfsd does not find named"),
            ("a mount of nobody", ["--mount", "nobody:ram:/"], 2, 'no role has the name "nobody"'),
            ("a mount that is none", ["--mount", "ramfsd:ram"], 2, '"ramfsd" is not followed by :SOURCE:PATH[:ro]'),
            ("a mount with an unknown flag", ["--mount", "ramfsd:ram:/:rw"], 2, "is not followed by"),
            ("two mounts at a path", [*both, *archive, "ramfsd=build/image/ramfsd.elf", "--mount", "imagefsd:archive:/",
                                      "--mount", "ramfsd:ram:/"], 1, "no valid config: DUPLICATE"),
            ("imagefsd without its data", [*both, "--mount", "imagefsd:archive:/"], 1, "data files is missing"),
            ("mounts beside a config of one's own", ["--no-config", "--mount", "ramfsd:ram:/"], 2, "is not made here")):
        path = f"{home}/refused.img"
        found, output = build.run([BUILDER, "--output", path, *foundation, *arguments], 60)
        tally.say(f"the builder refuses {what}", found == status and said in output and not os.path.exists(path),
                  f"status {found}\n{output}")


def packing(tally):
    with tempfile.TemporaryDirectory() as home:
        packs(tally, home)
        folder_with(f"{home}/unwritten", {"a": None})
        refuses(tally, home)
        counts(tally, home)
        dots(tally, home)
        builds(tally, home)
