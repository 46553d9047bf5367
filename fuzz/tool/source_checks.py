# SPDX-License-Identifier: ISC
"""Checks on sources and objects that no compiler makes: lists, includes, names, state. Each check
returns a list of complaints."""

import ast
import glob
import os
import re
import subprocess

import build

# Where units live; services/runtime is the image's own and may touch the machine, services/bench
# measures it.
UNIT_FOLDERS = ("abi", "kernel/core", "kernel/machine", "services")
NOT_UNITS = ("services/runtime", "services/bench", "services/faults")

MEMORY_NAMES = {"memcpy", "memmove", "memset", "memcmp"}
PROTECTOR_NAMES = {"__stack_chk_guard", "__stack_chk_fail"}
ASSERT_NAMES = {"unit_assert_failed"}
SYSTEM_NAMES = {"sys_call", "sys_message", "sys_recv", "sys_reply", "sys_reply_recv"}
USER_NAMES = {"user_load64", "user_store64", "user_exec", "user_spin"}

# A folder may include itself and these.
MAY_INCLUDE = {
    "abi": {"abi"},
    "kernel": {"abi", "kernel"},
    "services": {"abi", "services"},
    "linker": {"abi", "kernel", "linker"},
    "props": {"abi", "kernel", "services", "props", "linker"},
    "fuzz": {"abi", "kernel", "services", "props", "linker", "fuzz"},
}

# Groups of marks (mark_triple) that say what a service or the kernel itself answered.
SERVICE_MARKS = ("kernel", "start-up", "memd", "vspaced", "pagerd", "procd", "named",
                 "logd", "timed", "crashd", "deviced", "irqd", "drv_serial", "seriald",
                 "ramfsd", "vfsd", "loaderd")

NOT_REPEATABLE = {"clock", "clock_gettime", "gettimeofday", "time", "rand", "random", "srand",
                  "srandom", "arc4random", "getrandom", "getenv", "drand48", "rand_r", "getpid"}


def sources(*suffixes):
    found = []
    for folder in MAY_INCLUDE:
        for root, _, files in os.walk(folder):
            found += [os.path.join(root, name) for name in files if name.endswith(suffixes)]
    return sorted(found)


def is_unit(path):
    return path.startswith(tuple(folder + "/" for folder in UNIT_FOLDERS)) and \
        not path.startswith(NOT_UNITS)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def lists_are_complete():
    """Every source is in a list, and no list names one that is not there."""
    listed = set()
    for path in glob.glob("**/*.ninja", recursive=True) + ["build.ninja"]:
        if not path.startswith("build/"):
            listed |= set(re.findall(r"[\w./-]+\.[cS]\b", re.sub(r"#.*", "", read(path))))
    there = set(sources(".c", ".S"))
    return [f"{path}: in no units.ninja" for path in sorted(there - listed)] + \
           [f"{path}: listed, but there is no such file" for path in sorted(listed - there)
            if not os.path.exists(path)]


def nothing_is_left_over():
    """What an editor or a patch that did not fit leaves behind."""
    return [f"{path}: left over" for path in sources(".orig", ".rej", ".part", "~")]


def includes_point_one_way():
    """abi <- kernel, abi <- services, all <- props, all <- fuzz; units have no #if."""
    complaints = []
    for path in sources(".c", ".h", ".def", ".S"):
        text = read(path)
        folder = path.split("/")[0]
        for included in re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.MULTILINE):
            if included.split("/")[0] not in MAY_INCLUDE[folder]:
                complaints.append(f"{path}: includes {included}")
        if is_unit(path) and path.endswith(".c") and re.search(r"^\s*#\s*if", text, re.MULTILINE):
            complaints.append(f"{path}: a unit has no #if: whoever builds it gets the same code")
    return complaints


def sources_are_small():
    """No source has more than 600 lines, and each says its licence first."""
    complaints = []
    for path in sources(".c", ".h", ".def", ".S"):
        lines = read(path).splitlines()
        if len(lines) > 600:
            complaints.append(f"{path}: {len(lines)} lines")
        if not lines or "SPDX-License-Identifier: ISC" not in lines[0]:
            complaints.append(f"{path}: the first line is not the licence")
    return complaints


def sources_are_formatted():
    """clang-format changes nothing."""
    result = subprocess.run(["clang-format-14", "--dry-run", *sources(".c", ".h")],
                            capture_output=True, text=True)
    found = re.findall(r"^(\S+?:\d+):\d+: (?:warning|error): code should be clang-formatted",
                       result.stderr, re.MULTILINE)
    if result.returncode != 0:
        return result.stderr.splitlines()[:5]
    return [f"{place}: not as clang-format-14 lays it out" for place in sorted(set(found))]


def symbols(path):
    """(defined, undefined) names of an object."""
    listing = subprocess.run(["nm", "-g", path], capture_output=True, text=True, check=True).stdout
    defined, undefined = set(), set()
    for line in listing.splitlines():
        kind, name = line.split()[-2:]
        (undefined if kind in "Uw" else defined).add(name)
    return defined, undefined


def unit_objects(variant="image"):
    return objects(variant, UNIT_FOLDERS, NOT_UNITS)


def objects(variant, folders, but=()):
    """A variant's built objects of some folders, by ninja's lists: what an older build left does not count."""
    home = f"build/{variant}/"
    return sorted(path for path in build.all_targets() if path.startswith(home) and path.endswith(".o")
                  and path[len(home):].startswith(tuple(f"{folder}/" for folder in folders))
                  and not path[len(home):].startswith(but) and os.path.exists(path))


TOUCHING_UNIT = "build/image/services/ramfsd/run.o" # has its pages come before anybody is served


def units_need_nothing_else():
    """Undefined names of the image's units: their own folders' and the few that the seam has."""
    found = {path: symbols(path) for path in unit_objects()}
    home = {}
    for path, (defined, _) in found.items():
        for name in defined:
            home.setdefault(name, set()).add(path.split("/")[2])
    complaints = []
    for path, (_, undefined) in found.items():
        folder = path.split("/")[2]
        allowed = MEMORY_NAMES | PROTECTOR_NAMES | ASSERT_NAMES
        if folder == "services":
            allowed |= SYSTEM_NAMES
        if path.split("/")[2:4] == ["services", "probes"] or path == TOUCHING_UNIT:
            allowed |= USER_NAMES
        for name in sorted(undefined - allowed):
            if home.get(name, set()) & MAY_INCLUDE[folder]:
                continue
            if folder == "kernel" and name.startswith("machine_"):
                continue
            complaints.append(f"{path}: needs {name}, which a unit of {folder}/ may not")
    return complaints if found else ["no unit objects in build/image"]


VECTOR_UNIT = "build/image/abi/formats/sha256_lanes.o"
VECTOR_FUNCTION = "sha256_of_each"


def vectors_stay_in_one_unit():
    """Vector registers belong to processes that ask for them, such as some probes: one other unit of the image uses
    them, and the kernel alone links it."""
    complaints = []
    for path in unit_objects():
        if path.startswith("build/image/services/probes/"):
            continue
        listing = subprocess.run(["objdump", "-d", path], capture_output=True, text=True, check=True).stdout
        if (re.search(r"%[xyz]?mm\d", listing) is not None) != (path == VECTOR_UNIT):
            complaints.append(f"{path}: {'uses no' if path == VECTOR_UNIT else 'uses'} vector registers")
    for path in sorted(glob.glob("build/image/*.elf")):
        names = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
        if VECTOR_FUNCTION in names and not os.path.basename(path).startswith("kernel"):
            complaints.append(f"{path}: has {VECTOR_FUNCTION}, which the kernel alone may call")
    return complaints


def units_keep_no_state():
    """No section of variables in the image's units: state is a struct that the caller owns."""
    complaints = []
    for path in unit_objects():
        listing = subprocess.run(["size", "-A", path], capture_output=True, text=True,
                                 check=True).stdout
        for line in listing.splitlines():
            section = re.match(r"(\.(?:data|bss|tdata|tbss)\S*)\s+([1-9]\d*)\s", line)
            if section and not section[1].startswith(".data.rel.ro"):
                complaints.append(f"{path}: {section[2]} bytes of variables in {section[1]}")
    return complaints


def harnesses_repeat():
    """Nothing that a harness links reads a clock, the environment or a random source."""
    complaints = []
    for path in objects("asan", ("fuzz", "props", "kernel/host"), ("fuzz/engine",)):
        if path.endswith(("_test.o", "_main.o")):
            continue
        for name in sorted(symbols(path)[1] & NOT_REPEATABLE):
            complaints.append(f"{path}: uses {name}: the same input would not do the same again")
    return complaints


# Operation: why no corpus reaches it. An entry that is not needed any more is a complaint.
UNREACHED = {"EVENT.interrupt": "nobody answers it: drv_serial_life delivers it, and a boot shows it (operations)",
             "VFSD.link": "hard links are refused, once both paths are judged"}


def operations_are_reached(marks):
    """T2: each operation of each table in both verdicts, by the marks that replay reached. Those
    that are always refused need only the refusal. A codec's verdict and a lied-to unit's do not
    count: the operation must meet the kernel or the service itself."""
    reached = {}
    for mark in marks:
        if not mark.startswith(SERVICE_MARKS):
            continue
        found = re.search(r"operation (0x[0-9a-f]+) (\w+)$", mark)
        if found:
            verdict = "accepted" if found[2] == "OK" else "refused"
            reached.setdefault(int(found[1], 16), set()).add(verdict)
    complaints = []
    row = re.compile(r"^OPERATION\((\w+), \w+, (\w+), \w+,\s*(\w+),\s*(.*?),\s*(\w+),\s*\"", re.M | re.S)
    for path in sorted(glob.glob("abi/messages/*.def")):
        for service, name, number, _, state in row.findall(read(path)):
            wanted = {"accepted", "refused"} if state == "LIVE" else {"refused"}
            missing = wanted - reached.get(int(number, 0), set())
            if f"{service}.{name}" in UNREACHED:
                if not missing:
                    complaints.append(f"{service}.{name} is reached: it goes from UNREACHED")
                continue
            for verdict in sorted(missing):
                complaints.append(f"{service}.{name} ({number}) is never {verdict} by any corpus")
    return complaints


def mutant_header(path):
    """What the lines before the diff of a seeded bug say, as {"Harness": text, ...}."""
    return dict(re.findall(r"^(Harness|Property|Bug): *(\S.*)$", read(path).split("\n--- ")[0], re.MULTILINE))


# Groups of checks that a mutant of what only the metal has may name.
METAL_GROUPS = ("machines", "ring3", "lines", "shares", "hostile", "longest", "graph")


def mutants_apply():
    """Each seeded bug fits the code that it is a bug of, says what it is and who notices, and is
    seeded once."""
    witnesses = [*build.harnesses(), *build.programs("test"), *METAL_GROUPS]
    complaints, seen = [], {}
    for path in sorted(glob.glob("props/mutants/*.patch")):
        header = mutant_header(path)
        complaints += [f"{path}: needs a line `{line}: ...` before the diff"
                       for line in ("Harness", "Property", "Bug") if line not in header]
        complaints += [f"{path}: there is no harness, test or group of the metal '{name}'; there are: {' '.join(witnesses)}"
                       for name in header.get("Harness", "").split() if name not in witnesses]
        command = ["patch", "-p1", "--dry-run", "--force", "-s", "-i", path]
        if subprocess.run(command, capture_output=True).returncode != 0:
            complaints.append(f"{path}: does not apply any more: seed the same bug in today's code")
        change = re.sub(r"^@@.*", "@@", read(path).partition("\n+++ ")[2], flags=re.MULTILINE)
        if change in seen:
            complaints.append(f"{path}: the same change as {seen[change]}")
        seen[change] = path
    return complaints


PROPERTY_ID = r"[EKRPMVGTNLWDSFXY][1-9][0-9]?"

# No patch can break these: they say what the tests themselves do, and the checks named here break them.
NO_MUTANT = {"E3": "same.py builds units with one other constant", "T1": "the canaries fail already",
             "T2": "operations_are_reached()", "T3": "./basalt mutants itself",
             "T4": "rows are added in a copy of the tree",
             "T5": "check_canaries() states a wrong status"}


def names_of(tree):
    """What a module of the tool defines or imports."""
    return {name for node in tree.body for name in
            ([node.name] if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else
             [alias.asname or alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else
             [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)])}


def tools_name_what_is_there(folder="fuzz/tool"):
    """Uses `module.name` of one of the tool's own modules that has no such name: Python says so only when it
    comes there, and some commands take long to come there, and no check runs them."""
    trees = {os.path.basename(path)[:-len(".py")]: ast.parse(read(path)) for path in sorted(glob.glob(f"{folder}/*.py"))}
    defined = {module: names_of(tree) for module, tree in trees.items()}
    return [f"{folder}/{module}.py, line {node.lineno}: {node.value.id} has no '{node.attr}'"
            for module, tree in trees.items() for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and
            node.value.id in trees and node.value.id in defined[module] and node.attr not in defined[node.value.id]]


def property_ids():
    return set(re.findall(r"^PROPERTY_ROW\((\w+),", read("props/properties.def"), re.MULTILINE))


def comments(path):
    """The comments of a source, or all of a page or tool."""
    text = read(path)
    if path.endswith((".py", ".md", ".trace")):
        return text
    return "\n".join(re.findall(r"/\*.*?\*/|//[^\n]*|^\s*#[^\n]*", text, re.MULTILINE | re.DOTALL))


def properties_are_kept():
    """Each property is checked by a harness, a test or the tool, and broken by a mutant; ids that
    comments, pages and mutants name are in props/properties.def."""
    known = property_ids()
    pages = glob.glob("*.md") + glob.glob("*/**/*.md", recursive=True)
    tool = glob.glob("fuzz/tool/*.py")
    complaints = [f"{path}: names {name}, which is not in props/properties.def"
                  for path in sources(".c", ".h", ".def", ".S") + sorted(pages + tool)
                  if not path.startswith(("build/", "findings/"))
                  for name in sorted(set(re.findall(rf"\b{PROPERTY_ID}\b", comments(path))) - known)]
    broken = set()
    for path in sorted(glob.glob("props/mutants/*.patch")):
        names = set(mutant_header(path).get("Property", "").split())
        if not names or names - known:
            complaints.append(f"{path}: needs a line `Property: <ids of props/properties.def>`")
        broken |= names
    checked = set(re.findall(rf"\bPROPERTY(?:_EQUAL)?\(\s*({PROPERTY_ID})\b|\bproperty_({PROPERTY_ID})_(?:fails|differs)\b"
                             rf"|\bPROPERTY_({PROPERTY_ID})\b", "\n".join(map(read, sources(".c")))))
    checked = {name for ways in checked for name in ways}
    # Engines, findings and mutants take the name of a property that fails for one word.
    complaints += [f"{path}: PROPERTY({found}: the detail is one word"
                   for path in sources(".c", ".h")
                   for found in re.findall(rf'\bPROPERTY(?:_EQUAL)?\(\s*({PROPERTY_ID},\s*"[^"\n]*\s[^"\n]*")', read(path))]
    tests = [path for path in sources(".c") if path.startswith(("props/tests/", "fuzz/engine/"))] + \
            [path for path in tool if path != "fuzz/tool/source_checks.py"]
    checked |= set(re.findall(rf"\b{PROPERTY_ID}\b", "\n".join(map(read, tests))))
    complaints += [f"{name}: no harness, test or tool checks it" for name in sorted(known - checked)]
    return complaints + [f"{name}: no patch of props/mutants/ breaks it"
                         for name in sorted(known - broken - set(NO_MUTANT))]
