# SPDX-License-Identifier: ISC
"""Which units each daemon is linked from, the hash of each object, and the harnesses that run that very
object. Read from the linkers' maps: nothing is listed by hand."""

import glob
import hashlib
import os
import re
import subprocess

import build

# A piece of an archive member or a single object that is loaded: lld writes address, load address and
# size before it. What was collected has none of the three.
MEMBER = re.compile(r"^ *([1-9a-f][0-9a-f]*) +[0-9a-f]+ +([1-9a-f][0-9a-f]*) +\d+ +"
                    r"(?:(build/image/[\w./-]+\.a)\(([\w.-]+\.o)\)|(build/image/[\w./-]+\.o)):\((?!\.debug|\.comment)")


def members(map_path):
    """The image's objects in a linked program, as (archive or None, object's name or path)."""
    found = set()
    with open(map_path, encoding="utf-8", errors="replace") as text:
        for line in text:
            match = MEMBER.match(line)
            if match:
                found.add((match[3], match[4]) if match[3] else (None, match[5]))
    return found


def object_paths():
    """{(archive, member): path of the object}, from the build files."""
    paths = {}
    for archive, rule in build.all_targets().items():
        if rule != "ar" or not archive.startswith("build/image/"):
            continue
        _, listing = build.run(["ninja", "-t", "query", archive])
        for name in re.findall(r"^    (build/image/\S+\.o)$", listing, re.M):
            paths[archive, os.path.basename(name)] = name
    return paths


def short_hash(path):
    with open(path, "rb") as data:
        return hashlib.sha256(data.read()).hexdigest()[:16]


def archived_hash(archive, member):
    data = subprocess.run(["ar", "p", archive, member], stdout=subprocess.PIPE, check=True).stdout
    return hashlib.sha256(data).hexdigest()[:16]


def maps(prefix, rules):
    """The linkers' maps of the programs that these rules make today; older ones may lie around."""
    return sorted(f"{output}.map" for output, rule in build.all_targets().items()
                  if rule in rules and output.startswith(prefix))


def reached_by(map_paths):
    """{(archive, member): names of the programs, of those with these maps, that it is linked into}."""
    reached = {}
    for map_path in map_paths:
        for key in members(map_path):
            reached.setdefault(key, []).append(os.path.basename(map_path)[:-len(".map")])
    return reached


def harnesses_of_objects():
    """{path of an object of the image: harnesses that link it}; the shipped harnesses must be built."""
    paths = object_paths()
    return {paths.get(key, key[1]): names for key, names in reached_by(maps("build/shipped/", ("harness",))).items()}


def table():
    """(lines of the table, complaints)."""
    paths = object_paths()
    reached = reached_by([*maps("build/shipped/", ("harness",)), "build/shipped/world.map"])
    lines, complaints = [], []
    for map_path in maps("build/image/", ("image", "kernel_link")):
        daemon = os.path.basename(map_path)[:-len(".elf.map")]
        lines.append(daemon)
        for archive, name in sorted(members(map_path), key=lambda key: paths.get(key, key[1])):
            path = paths.get((archive, name), name)
            digest = short_hash(path)
            if archive and archived_hash(archive, name) != digest:
                complaints.append(f"{path}: the archive {archive} holds another object")
            unit = path[len("build/image/"):-2]
            by = reached.get((archive, name), [])
            machine_only = unit.startswith(("services/runtime/", "services/bench/", "services/faults/",
                                            "kernel/x86_64/"))
            if not by and not machine_only:
                complaints.append(f"{unit}: linked into {daemon}, reached by no harness")
            lines.append(f"  {digest}  {unit:40} {' '.join(by) if by else 'the machine alone'}")
    return lines, complaints


def units(_options):
    """`basalt units`: the table."""
    build.must_build(build.HOSTILE_IMAGE, build.BENCH_IMAGE, "build/image/kernel.elf", "build/shipped/world",
                     *[f"build/shipped/{name}" for name in build.programs("harness", "shipped")])
    lines, complaints = table()
    print("\n".join(lines + complaints))
    return 1 if complaints else 0
