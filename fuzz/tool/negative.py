# SPDX-License-Identifier: ISC
"""Boots that must be refused, in the host world and in QEMU. Each states its whole log: nothing may start in
part. damage.py breaks the bytes of an image; here an image is taken apart and packed anew around one thing
that is wrong, so that digests are right and the rule itself is reached."""

import collections
import concurrent.futures
import hashlib
import os
import re
import struct
import tempfile

import build
import damage
import metal

EXECUTABLE, BOOT_CONFIG, DATA = 1, 2, 3  # kinds of sections
PAGE = 4096
MEMD, VSPACED, PAGERD, PROCD, FBCOND, PROBE, TESTER, DRV_ACPI, VFSD = 2, 3, 4, 5, 15, 256, 274, 24, 22  # roles
KERNEL, INTAKE = damage.REFUSED, damage.INTAKE
PLAN = INTAKE.replace("INTAKE", "PLAN")
KEPT = "findings/negative"  # images of failed cases

# wrong: what; image: its bytes; pattern: the line that says why; metal: also boot it in QEMU
Case = collections.namedtuple("Case", "wrong image pattern metal")


def sections(image):
    """[(name, kind, bytes)] of a sound image."""
    found = []
    for at, offset, size in damage.rows(image).values():
        name = image[at:at + 24].rstrip(b"\0").decode()
        found.append((name, struct.unpack_from("<I", image, at + 24)[0], image[offset:offset + size]))
    return found


def padded(data):
    return data + bytes(-len(data) % PAGE)


def packed(listed):
    """The image of these sections; nothing is checked."""
    table, body = b"", b""
    first = len(padded(bytes(damage.HEADER + damage.ROW * len(listed))))
    for name, kind, data in listed:
        table += struct.pack("<24sIIQQ", name.encode(), kind, 0, first + len(body), len(data))
        table += hashlib.sha256(data).digest()
        body += padded(data)
    header = b"BASALTBI" + struct.pack("<HHIQII", 1, 0, damage.HEADER, first + len(body), len(listed), 0)
    return padded(header + hashlib.sha256(table).digest() + table) + body


def entry(role, module, kind=1, flags=1, needs=(), ticks=5000):
    """A config row; `needs` longer than four gives the count alone."""
    return struct.pack("<4I4IQ24s", role, kind, flags, len(needs), *(list(needs) + [0] * 4)[:4], ticks, module)


def mount(tag=b"MNT1", role=PROCD, flags=1, reserved=0, source=b"ramfsd", path=b"/boot"):
    return struct.pack("<4s3I16s32s", tag, role, flags, reserved, source, path)


FOUNDATION = (entry(MEMD, b"memd", needs=[PROCD]), entry(VSPACED, b"vspaced", needs=[MEMD]),
              entry(PAGERD, b"pagerd", needs=[VSPACED]), entry(PROCD, b"procd"))


def limit(role, pages=1, budget=0, children=0, child_pages=0, tag=b"LIM1", reserved=0):
    return struct.pack("<4s5IQ", tag, role, pages, budget, children, child_pages, reserved)


def config(entries=FOUNDATION, mounts=(), profile=0, minor=0, counts=None, limits=(), more=b""):
    body = b"".join(entries) + b"".join(mounts) + b"".join(limits) + more
    counts = counts or (len(entries), len(mounts))
    return b"ERIXBCFG" + struct.pack("<HHI4I", 1, minor, 32 + len(body), *counts, profile, len(limits)) + body


def wrong_configs():
    """(what is wrong, config, status), for each rule of abi/formats/boot_config.h and of rootd's policy."""
    memd, vspaced, pagerd, procd = FOUNDATION

    def memd_is(**changes):
        return config((entry(**{"role": MEMD, "module": b"memd", "needs": [PROCD], **changes}),
                       vspaced, pagerd, procd))

    yield "of an unknown minor version", config(minor=1), "BAD_VERSION"
    yield "cut to half a header", config()[:16], "TRUNCATED"
    yield "cut inside a row", config()[:-8], "BAD_LENGTH"
    yield "longer than it says", config() + bytes(8), "BAD_LENGTH"
    yield "as long as any can be", config(FOUNDATION * 16, mounts=(mount(),) * 16), "DUPLICATE"
    yield "longer than any", config(more=bytes(8192)), "BAD_LENGTH"
    yield "with more rows than the limit", config(counts=(65, 0)), "EXHAUSTED"
    yield "with more mounts than the limit", config(counts=(4, 17)), "EXHAUSTED"
    yield "without rows, but whole", config(()), "INVALID_ARGUMENT"
    yield "with a module twice", config((memd, entry(VSPACED, b"memd"), pagerd, procd)), "DUPLICATE"
    yield "with an unknown flag", memd_is(flags=4), "INVALID_ARGUMENT"
    yield "with a row both required and optional", memd_is(flags=3), "INVALID_ARGUMENT"
    yield "with a row that waits too long", memd_is(ticks=600001), "INVALID_ARGUMENT"
    yield "with too many dependencies", memd_is(needs=[PROCD] * 5), "EXHAUSTED"
    yield "with a dependency twice", memd_is(needs=[PROCD, PROCD]), "DUPLICATE"
    yield "with a dependency on itself", memd_is(needs=[MEMD]), "INVALID_ARGUMENT"
    yield "with an unused dependency that is not zero", config(
        (damage.patched(memd, 28, b"\5"), vspaced, pagerd, procd)), "RESERVED_NOT_ZERO"
    yield "with a cycle", config((memd, vspaced, pagerd, entry(PROCD, b"procd", needs=[PAGERD]))), "BAD_ORDER"
    yield "with an empty name", memd_is(module=b""), "BAD_TEXT"
    yield "with bytes after a name", memd_is(module=b"memd\0d"), "RESERVED_NOT_ZERO"
    for wrong, row, status in (
            ("and no vfsd", mount(), "INVALID_ARGUMENT"),
            ("of an unknown tag", mount(tag=b"MNT2"), "BAD_MAGIC"),
            ("with a reserved bit", mount(reserved=1), "RESERVED_NOT_ZERO"),
            ("with an unknown flag", mount(flags=2), "INVALID_ARGUMENT"),
            ("from a bad source", mount(source=b"Ram"), "BAD_TEXT"),
            ("from nobody in the config", mount(role=18), "NOT_FOUND"),
            ("at a relative path", mount(path=b"boot"), "BAD_TEXT"),
            ("at a path that goes up", mount(path=b"/a/../b"), "BAD_TEXT"),
            ("with bytes after the path", mount(path=b"/a\0b"), "RESERVED_NOT_ZERO")):
        yield f"with a mount {wrong}", config(mounts=(row,)), status
    for wrong, rows, status in (
            ("above the role's", (limit(MEMD),), "OVER_LIMIT"),
            ("of nobody in the config", (limit(18),), "NOT_FOUND"),
            ("of nothing", (limit(MEMD, 0),), "INVALID_ARGUMENT"),
            ("of kernel memory, above the role's", (limit(MEMD, 0, budget=4096),), "OVER_LIMIT"),
            ("of kernel memory that no process can live in", (limit(MEMD, 0, budget=15),), "INVALID_ARGUMENT"),
            ("of processes, above the role's", (limit(MEMD, 0, children=1),), "OVER_LIMIT"),
            ("of their memory, above the role's", (limit(MEMD, 0, child_pages=1),), "OVER_LIMIT"),
            ("of another tag", (limit(MEMD, tag=b"LIM2"),), "BAD_MAGIC"),
            ("with a reserved bit", (limit(MEMD, reserved=1),), "RESERVED_NOT_ZERO"),
            ("twice", (limit(MEMD), limit(MEMD)), "DUPLICATE"),
            ("more than the limit", tuple(limit(role) for role in range(65)), "EXHAUSTED")):
        yield f"with a limit {wrong}", config(limits=rows), status
    yield "with a mount of what vfsd does not find", config((*FOUNDATION, entry(VFSD, b"vfsd")), mounts=(mount(),)), \
        "INVALID_ARGUMENT"
    yield "with two mounts at a path", config(mounts=(mount(), mount())), "DUPLICATE"
    for wrong, row, status in (
            ("an unknown role", entry(200, b"nobody"), "INVALID_ARGUMENT"),
            ("rootd itself", entry(1, b"rootd"), "INVALID_ARGUMENT"),
            ("a probe, but no probes' profile", entry(PROBE, b"phase0-probe"), "INVALID_ARGUMENT"),
            ("the tester, but no probes' profile", entry(TESTER, b"tester"), "INVALID_ARGUMENT"),
            ("a required service of a later version", entry(FBCOND, b"fbcond"), "UNSUPPORTED"),
            ("a driver that rootd starts", entry(DRV_ACPI, b"drv-acpi", flags=2), "INVALID_ARGUMENT")):
        yield f"with {wrong}", config((*FOUNDATION, row)), status
    yield "with an optional foundation", memd_is(flags=2), "INVALID_ARGUMENT"
    yield "with a foundation out of order", config(
        (entry(MEMD, b"memd", needs=[PAGERD]), vspaced, entry(PAGERD, b"pagerd"), procd)), "BAD_ORDER"
    yield "without memd's row", config((entry(VSPACED, b"vspaced"), entry(PAGERD, b"pagerd"), procd)), \
        "MISSING_MODULE"
    yield "with a probe that the image lacks", \
        config((*FOUNDATION, entry(PROBE, b"phase0-probe")), profile=1), "MISSING_MODULE"
    yield "with a tester that the image lacks", \
        config((*FOUNDATION, entry(TESTER, b"tester")), profile=2), "MISSING_MODULE"


def wrong_programs(elf):
    """(what is wrong, an ELF file, status): rules of abi/formats/elf_plan.h, one of each group."""
    first = 64  # the first program header
    yield "no ELF file", damage.patched(elf, 0, b"\x7fELG"), "BAD_MAGIC"
    yield "an ELF file of another machine", damage.patched(elf, 18, b"\xb7"), "UNSUPPORTED"
    yield "an ELF file of another version", damage.patched(elf, 20, b"\2"), "BAD_VERSION"
    yield "an ELF header cut off", elf[:63], "TRUNCATED"
    yield "an ELF file without program headers", damage.patched(elf, 56, b"\0"), "INVALID_ARGUMENT"
    yield "a segment both writable and executable", damage.patched(elf, first + 4, b"\7"), "WRITE_AND_EXECUTE"
    yield "a segment in the kernel's half", damage.patched(elf, first + 16, b"\0" * 7 + b"\xff"), "OUT_OF_RANGE"
    yield "an entry outside its code", damage.patched(elf, 24, struct.pack("<Q", 16)), "INVALID_ARGUMENT"


def layout_cases(image):
    """Headers and rows that only the structure's own rules can refuse."""
    row, offset, _ = damage.rows(image)["memd"]
    last, last_offset, _ = list(damage.rows(image).values())[-1]

    def header(wrong, at, data, status, in_qemu=False):
        return Case(wrong, damage.patched(image, at, data), KERNEL + status, in_qemu)

    def table(wrong, at, data, status, in_qemu=False):
        return Case(wrong, damage.sealed_table(damage.patched(image, at, data)), KERNEL + status, in_qemu)

    yield header("an image of an unknown minor version", 10, b"\1", "BAD_VERSION", True)
    yield header("an image with a longer header", 12, b"\x48", "BAD_LENGTH")
    yield header("an image that says it is longer", 17, b"\xff", "TRUNCATED")
    yield header("an image of no sections", 24, bytes(4), "INVALID_ARGUMENT")
    yield header("an image of too many sections", 24, b"\xff\xff\xff\xff", "EXHAUSTED")
    yield header("an image with a reserved bit in its header", 28, b"\1", "RESERVED_NOT_ZERO")
    yield header("a bit of the table's digest flipped", 32, bytes([image[32] ^ 1]), "BAD_DIGEST", True)
    yield table("a section's digest flipped", row + 48, bytes([image[row + 48] ^ 1]), "BAD_DIGEST", True)
    yield table("a section of an unknown kind", row + 24, b"\7", "INVALID_ARGUMENT")
    yield table("a section with a reserved bit", row + 28, b"\1", "RESERVED_NOT_ZERO")
    yield table("an empty section", row + 40, bytes(8), "INVALID_ARGUMENT")
    yield table("a section name outside the alphabet", row, b"M", "BAD_TEXT")
    yield table("two sections of a name", row, image[last:last + 24], "DUPLICATE")
    yield table("a section off its page", row + 32, struct.pack("<Q", offset + 16), "NOT_ALIGNED")
    yield table("a section whose end wraps", row + 40, b"\xff" * 8, "OUT_OF_RANGE", True)
    yield table("a hole before a section", last + 32, struct.pack("<QQ", last_offset + PAGE, 1),
                "INVALID_ARGUMENT")
    yield table("a section over the one before", last + 32, struct.pack("<Q", last_offset - PAGE), "OVERLAP", True)
    yield table("a section over the table", damage.rows(image)[damage.CONFIG][0] + 32, bytes(8), "OVERLAP")


def cases(image):
    """Every boot that must be refused."""
    in_qemu = re.compile(
        "cut to (1|[0-9]{6,}) bytes|a bit of|image of an unknown version|overlapping|outside the image|image longer")
    for wrong, data, pattern in damage.damaged(image):
        yield Case(wrong, data, pattern, bool(in_qemu.search(wrong)))
    yield from layout_cases(image)
    parts = sections(image)
    by_name = {name: data for name, _, data in parts}

    def with_part(name, kind, data):
        return packed([(name, kind, data) if part[0] == name else part for part in parts])

    for name in by_name:
        left = packed([part for part in parts if part[0] != name])
        pattern = KERNEL + "MISSING_MODULE" if name == "rootd" else INTAKE + "MISSING_MODULE"
        yield Case(f"an image with {name} left out", left, pattern, True)
    yield Case("rootd as data", with_part("rootd", DATA, by_name["rootd"]), KERNEL + "MISSING_MODULE", False)
    yield Case("memd as data", with_part("memd", DATA, by_name["memd"]), INTAKE + "INVALID_ARGUMENT", False)
    yield Case("the config as data", with_part(damage.CONFIG, DATA, by_name[damage.CONFIG]),
               INTAKE + "MISSING_MODULE", False)
    seen = set()  # one config a status in QEMU
    for wrong, data, status in wrong_configs():
        yield Case(f"a config {wrong}", with_part(damage.CONFIG, BOOT_CONFIG, data), INTAKE + status,
                   status not in seen)
        seen.add(status)
    for name, reason in (("rootd", KERNEL), ("memd", INTAKE), ("procd", INTAKE)):
        for wrong, data, status in wrong_programs(by_name[name]):
            yield Case(f"{name} with {wrong}", with_part(name, EXECUTABLE, data), reason + status,
                       name == "memd" and status in ("BAD_MAGIC", "WRITE_AND_EXECUTE"))


def data_cases():
    """Of the image files: data that a role needs, and is not there or is no data."""
    with open(build.FILES_IMAGE, "rb") as file:
        parts = sections(file.read())
    yield Case("an image with imagefsd's data left out", packed([part for part in parts if part[0] != "files"]),
               INTAKE + "MISSING_MODULE", True)
    yield Case("an image with imagefsd's data as a program", packed(
        [(name, EXECUTABLE if name == "files" else kind, data) for name, kind, data in parts]),
               INTAKE + "INVALID_ARGUMENT", False)


def refused_as_stated(log, pattern):
    """Whether these lines are the whole of a refusal: one line of the kernel, or two of rootd."""
    lines = [line for line in log.splitlines() if not line.startswith("BASALT_WORLD:EVENTS:")]
    if pattern.startswith(KERNEL):
        return len(lines) == 1 and re.fullmatch(pattern, lines[0])
    ends = ("ERIX_ROOTD:CONTRACT_INVALID", "BASALT_WORLD:HALTED:1")
    return len(lines) in (2, 3) and re.fullmatch(pattern, lines[0]) and tuple(lines[1:]) == ends[:len(lines) - 1]


def keep(case, how):
    """Writes the image down and says how to see the failure again."""
    os.makedirs(KEPT, exist_ok=True)
    path = f"{KEPT}/{re.sub('[^a-z0-9]+', '-', case.wrong.lower()).strip('-')}.img"
    with open(path, "wb") as file:
        file.write(case.image)
    return f"wanted {case.pattern}; again: ./basalt boot {how}--image {path}"


def judge(tally, case, where, status, log, how):
    good = status == 1 and refused_as_stated(log, case.pattern)
    tally.say(f"{where} refuses {case.wrong}", good,
              "" if good else f"status {status}\n{log}{keep(case, how)}")


def each(jobs, function, items):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from zip(items, pool.map(function, items))


def passes_on(tally, folder, case, *how):
    """The command itself ends as what it runs does, and its last line names the verdict."""
    path = f"{folder}/refused.img"
    with open(path, "wb") as file:
        file.write(case.image)
    status, log = build.run(["./basalt", "boot", *how, "--image", path], 60)
    last = log.splitlines()[-1] if log else ""
    tally.say(" ".join(["./basalt boot", *how, "passes a refusal on"]),
              status == 1 and ("REFUSED:" in last or "CONTRACT_INVALID" in last), f"status {status}\n{log}")


def in_world(tally, listed):
    """Every case, sanitized: one line for all that are refused as stated."""
    with tempfile.TemporaryDirectory() as folder:
        def boot(numbered):
            path = f"{folder}/{numbered[0]}.img"
            with open(path, "wb") as file:
                file.write(numbered[1].image)
            result = build.run(["build/asan/world", path], 60)
            os.unlink(path)
            return result

        bad = 0
        for (_, case), (status, log) in each(int(build.jobs()), boot, list(enumerate(listed))):
            if status != 1 or not refused_as_stated(log, case.pattern):
                bad += 1
                judge(tally, case, "the world", status, log, "--world ")
        tally.say(f"the world refuses {len(listed)} damaged images, each with its status", listed and not bad)
        passes_on(tally, folder, listed[0], "--world")


def little_memory(tally):
    """Any memory gives READY or a typed refusal, never half a system."""
    ends = {}
    for mebibytes in (1, 2, 3, 4, 8, 16, 20, 22, 23, 24, 25, 28, 32):
        image = build.FOUNDATION_IMAGE if mebibytes in (1, 2, 24) else build.PHASE0_IMAGE
        status, log = build.run(["build/asan/world", "--memory", str(mebibytes), image], 60)
        lines = [line for line in log.splitlines() if re.match("ERIX_ROOTD|BASALT_[KR].*(FAILED|REFUSED)", line)]
        ends.setdefault((status, *lines), []).append(mebibytes)
    allowed = ((0, "ERIX_ROOTD:READY"), (1, KERNEL[1:] + "EXHAUSTED"),
               (1, PLAN[1:] + "EXHAUSTED", "ERIX_ROOTD:CONTRACT_INVALID"))
    tally.say("the world with little memory is READY or says what it lacks",
              set(ends) == set(allowed), "\n".join(f"{end}: {sizes} MiB" for end, sizes in ends.items()))


def machine(memory="128", cpu="qemu64,+smep,+smap"):
    return ["-M", "q35", "-m", memory, "-cpu", cpu]


# what is wrong, machine, its image, the whole log
MACHINES = (
    ("a machine of 2 MiB, where the image lies over the kernel", machine(memory="2"), build.PHASE0_IMAGE,
     "^BASALT_KERNEL:MACHINE_REFUSED:MEMORY"),
    ("a machine without a counter to measure by", ["-M", "microvm,pit=off", "-m", "128"], build.FOUNDATION_IMAGE,
     "^BASALT_KERNEL:MACHINE_REFUSED:TIMER"),
    ("a machine whose timer interrupts nobody", ["-M", "microvm,pic=off", "-m", "128", "-cpu", "qemu64,-apic"],
     build.FOUNDATION_IMAGE, "^BASALT_KERNEL:MACHINE_REFUSED:TIMER"),
    ("a machine of 8 MiB", machine(memory="8"), build.FOUNDATION_IMAGE, PLAN + "EXHAUSTED"),
    ("a machine of 3 MiB", machine(memory="3"), build.FOUNDATION_IMAGE, PLAN + "EXHAUSTED"),
    ("a processor without NX", machine(cpu="qemu64,-nx"), build.FOUNDATION_IMAGE,
     "^BASALT_KERNEL:MACHINE_REFUSED:NX"),
    ("a processor without long mode", machine(cpu="qemu64,-lm"), build.FOUNDATION_IMAGE,
     "^BASALT_KERNEL:MACHINE_REFUSED:LONG_MODE"),
    ("a machine without an image", machine(), None, KERNEL + "TRUNCATED"))


def machine_ends(row):
    _, hardware, image, _ = row
    return metal.Boot(image, seconds=30, machine=hardware)


def in_qemu(tally, listed):
    """One case a class on the metal, two at a time."""
    with tempfile.TemporaryDirectory() as folder:
        def boot(numbered):
            path = f"{folder}/{numbered[0]}.img"
            with open(path, "wb") as file:
                file.write(numbered[1].image)
            return metal.Boot(path, seconds=30)

        chosen = [case for case in listed if case.metal]
        bad = 0
        for (_, case), result in each(2, boot, list(enumerate(chosen))):
            if result.status != 1 or not refused_as_stated(result.log, case.pattern):
                bad += 1
                judge(tally, case, "QEMU", result.status, result.log, "")
        tally.say(f"QEMU refuses {len(chosen)} damaged images, each with its status", chosen and not bad)
        passes_on(tally, folder, chosen[-1])
    for row, result in each(2, machine_ends, MACHINES):
        wrong, hardware, image, pattern = row
        lines = result.log.splitlines()
        rest = ["ERIX_ROOTD:CONTRACT_INVALID"] if pattern.startswith(PLAN) else []
        good = result.status == 1 and lines[1:] == rest and lines and re.fullmatch(pattern, lines[0])
        tally.say(f"QEMU refuses {wrong}", good, f"status {result.status}\n{result.log}again: " + " ".join(
            metal.command(image, machine=hardware)))


def negative(tally):
    """All boots that must be refused."""
    if not os.path.exists(build.FOUNDATION_IMAGE):
        tally.say("there is an image to damage", False)
        return
    with open(build.FOUNDATION_IMAGE, "rb") as file:
        image = file.read()
    parts = sections(image)
    tally.say("the tests' packer makes the image itself", packed(parts) == image)
    tally.say("the tests' config is the image's own", (damage.CONFIG, BOOT_CONFIG, config()) in parts)
    listed = [*cases(image), *data_cases()]
    in_world(tally, listed)
    little_memory(tally)
    in_qemu(tally, listed)
