# SPDX-License-Identifier: ISC
"""./basalt inject: one call of one program of a booting system fails, for every call and in every way
(props/world/inject.c). `test` makes every n-th of these boots."""

import collections
import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time

import build
import same

PROGRAM = "build/shipped/inject"  # the very objects of the image, as fast as the fast build
FOUNDATION = ("rootd", "procd", "memd", "vspaced", "pagerd")
PROGRAMS = (*FOUNDATION, "tester")
GRAPH = (*FOUNDATION, "named", "logd", "crashd", "timed", "irqd", "deviced", "drv-serial", "seriald")  # of the runtime image
FILES = (*FOUNDATION, "named", "logd", "ramfsd", "imagefsd", "vfsd", "phase4-files")
LOADER = (*FILES[:-1], "loaderd", "phase4-loader")
STATUSES = ("EXHAUSTED", "OVER_LIMIT", "OVER_BUDGET", "BUSY", "NOT_FOUND", "DENIED", "INTERNAL")
FATES = ("refused", "timed-out", "lost", "late", "unheard", "kills")
KEPT = "findings/inject"
LAST = (1 << 31) - 1
BREAKS = ("the kernel panicked", "an assertion does not hold", "the boot does not come back")  # props/world/inject.c
BROKE = 3  # the program ended in the middle: a panic, an assertion, a run that does not come back
STRIDE = 53  # of the boots that `test` makes
GRAPH_STRIDE = 29  # of those of the runtime image, in one way for each program
FILES_STRIDES = {"files": 29, "phase4-loader-closure": 97}  # the same of images with files

# Findings that are known, by program, fate and operation of the call: what is left then and how much of it, whatever else
# would be another bug; and why it stays. One that is not found any more fails the whole run, so that the list is never
# longer than the truth.
Leak = collections.namedtuple("Leak", "left why")
UNMAPPED = r"[\w-]+: pages of frames that are not mapped, \+[1-4]"  # of one answer, which has four at most
OWED = "pagerd: something is owed, 0"  # no frame, but the slot is full
LEAKS = {
    # No kernel loses an answer without telling the sender; rootd's EXIT ends what it does not know of.
    ("rootd", "lost", "procd.create_staged_process"):
        Leak("processes are left, [14]", "procd cannot know that rootd did not hear: the staged process stays and, once "
             "it builds on memd and pagerd, they and vspaced, who are not stopped before it"),
}
GRAPH_LEAKS = {
    **LEAKS,
    ("deviced", "refused", "kernel.drop_local_cap"):
        Leak("deviced slot 4096: extra, ENDPOINT with rights 0x5", "it is tried again DEVICED_RETRY_TICKS later, which is "
             "after READY (D2)"),
    ("pagerd", "refused", "kernel.drop_local_cap"):
        Leak("pagerd slot 68: extra, FRAME with rights 0x7c", "its scratch slot is emptied before the next page that it fills"),
    # A service that died of a call is started again after READY; its client finds it when it calls the next time.
    ("deviced", "kills", "logd.append"):
        Leak("deviced slot 22: end of role 0x0, stated 0x7", "its end of logd is dead until its next line"),
    ("seriald", "kills", "logd.read"):
        Leak("deviced slot 22: end of role 0x0, stated 0x7", "deviced's end of logd is dead until its next line"),
    ("seriald", "kills", "drv_serial.write"):
        Leak("seriald slot 27: end of role 0x0, stated 0x19", "its end of the driver is dead until it writes again"),
}

FILES_LEAKS = {
    **LEAKS,
    ("vspaced", "lost", "memd.alloc_frames"):
        Leak(UNMAPPED, "memd cannot know that vspaced did not hear; they go with the account"),
    ("pagerd", "lost", "memd.alloc_frames"): Leak(UNMAPPED, "nor that pagerd did not"),
    ("pagerd", "refused", "kernel.drop_local_cap"):
        Leak(OWED, "its scratch slot is emptied before the next page that it fills"),
}

LOADER_LEAKS = {
    **FILES_LEAKS,
    ("pagerd", "lost", "vspaced.register_vspace"):
        Leak("vspaced: spaces without registrations, 1", "vspaced cannot know that pagerd did not, and forgets a space that is gone when it needs a place"),
    ("loaderd", "lost", "procd.commit_loader_image_transfer"):
        Leak(r"memd: UNTYPED, \+1", "procd cannot know that loaderd did not hear"),
    ("procd", "refused", "event.process_ended"):
        Leak("loaderd: takes for running, of one client, ([1-9]|[12][0-9]|3[0-2])", "loaderd is told of no end any more after one "
             "that was refused, and asks of a program when somebody wants to know of it, or wants its place"),
}

CLOSURE = "phase4-loader-closure"  # all of the questions of its like: each of these leaks is in it

Target = collections.namedtuple("Target", "image programs judge leaks")
TARGETS = {  # who says at the end that everything was given back, of those who have no tester
    "none": Target(build.RUNTIME_IMAGE, GRAPH, ["--audit"], GRAPH_LEAKS),
    "phase0": Target(build.PHASE0_IMAGE, PROGRAMS, [], LEAKS),
    "hostile": Target(build.HOSTILE_IMAGE, PROGRAMS, [], LEAKS),
    "attacks": Target(build.ATTACKS_IMAGE, PROGRAMS, [], LEAKS),
    "files": Target(build.FILES_IMAGE, FILES, ["--client", "phase4-files"], FILES_LEAKS),
    **{profile: Target(image, LOADER, ["--client", "phase4-loader"], LOADER_LEAKS)
       for profile, image in build.PHASE4_IMAGES.items()},
}

Job = collections.namedtuple("Job", "program fate status")
Finding = collections.namedtuple("Finding", "program fate status number operation complaint")
LINE = re.compile(r"finding (\S+) (\S+) (\S+) (\d+) (\S+): (.*)")
SUMMARY = re.compile(r"\S+ \S+ \S+: (\d+) injections, (\d+) boots went on to READY, (\d+) findings")


def jobs_of(programs, fates, statuses):
    return [Job(program, fate, status) for program in programs for fate in fates
            for status in (statuses if fate == "refused" else ("-",))]


def command_of(job, target, first, last, stride):
    status = ["--status", job.status] if job.fate == "refused" else []
    return [PROGRAM, "--program", job.program, "--fate", job.fate, *status, *target.judge, "--first", str(first),
            "--last", str(last), "--stride", str(stride), target.image]


def read(output):
    """(injections, boots that became READY, findings) of what a run printed."""
    findings = [Finding(*found.groups()) for found in map(LINE.fullmatch, output.splitlines()) if found]
    sums = [tuple(map(int, found.groups())) for found in map(SUMMARY.fullmatch, output.splitlines()) if found]
    return sum(row[0] for row in sums), sum(row[1] for row in sums), findings


def run(job, target, first, last, stride):
    """All boots of a job: what they printed. Where the program broke it begins anew after that call."""
    said = ""
    while True:
        status, output = build.run(command_of(job, target, first, last, stride), 24 * 3600)
        said += output
        if status in (0, 1):
            return said
        found = [row for row in map(LINE.fullmatch, output.splitlines()) if row]
        if status != BROKE or not found:
            raise build.Stop(f"{' '.join(command_of(job, target, first, last, stride))}\n{output}"
                             f"ended with status {status}", 2)
        first = int(found[-1][4]) + stride


def stamp(image, first, last, stride):
    """Says what a kept result is a result of."""
    digest = hashlib.sha256()
    for path in (PROGRAM, image):
        with open(path, "rb") as file:
            digest.update(file.read())
    return f"{digest.hexdigest()} {first} {last} {stride}"


def run_kept(job, target, mark, bounds):
    """As run(); a job that was done is not done again."""
    name = os.path.basename(target.image).removesuffix(".img")
    path = os.path.join(KEPT, "-".join(part for part in (name, *job) if part != "-") + ".txt")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            kept = file.read()
        if kept.startswith(mark + "\n"):
            return kept, True
    said = run(job, target, *bounds)
    os.makedirs(KEPT, exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(f"{mark}\n{said}")
    os.replace(path + ".new", path)
    return said, False


def left_of(complaint):
    """What is left and how much: of a book that is not as before how much more, however much there was."""
    return re.sub(r"(\d+) instead of (\d+)$", lambda found: f"{int(found[1]) - int(found[2]):+}", complaint)


def known(finding, profile="phase0"):
    """Which of its profile's leaks it is, of just that; None: of none. What ends the world in the middle is no leak."""
    key = (finding.program, finding.fate, finding.operation)
    leak = TARGETS[profile].leaks.get(key)
    return key if leak is not None and re.fullmatch(leak.left, left_of(finding.complaint)) else None


def grouped(findings, profile="phase0"):
    """A line for each operation and complaint: how often, and the command that shows the first."""
    groups = collections.defaultdict(list)
    for finding in findings:
        groups[finding[:3] + finding[4:]].append(finding.number)
    for (program, fate, status, operation, complaint), numbers in groups.items():
        ways = f"--fate {fate}" + (f" --status {status}" if fate == "refused" else "")
        yield (f"{program}: {operation} {fate}{'' if status == '-' else ' ' + status}, {len(numbers)} times: {complaint}\n"
               f"  ./basalt inject {program} {ways} --from {numbers[0]} --to {numbers[0]}"
               + (f" --profile {profile}" if profile != "phase0" else ""))


def inject(options):
    """The command."""
    target = TARGETS[options.profile]
    build.must_build(PROGRAM, target.image)
    unknown = [name for name in options.programs if name not in target.programs]
    if unknown:
        raise build.Stop(f"there is no program '{unknown[0]}'; there are: {' '.join(target.programs)}", 2)
    if options.first > options.last:
        raise build.Stop(f"--from {options.first} lies behind --to {options.last}", 2)
    todo = jobs_of(options.programs or target.programs, options.fate or FATES, options.status or STATUSES)
    if options.first == options.last:
        return show(todo, target, options.first)
    bounds = (options.first, options.last, options.stride)
    mark = stamp(target.image, *bounds)
    total = collections.Counter()
    findings = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs or int(build.jobs())) as pool:
        for job, (said, kept) in zip(todo, pool.map(lambda job: run_kept(job, target, mark, bounds), todo)):
            injections, ready, found = read(said)
            total.update(injections=injections, ready=ready)
            findings += found
            print(f"{job.program} {job.fate}{'' if job.status == '-' else ' ' + job.status}: {injections} "
                  f"injections, {ready} boots READY, {len(found)} findings{', from before' if kept else ''}", flush=True)
    return report(options.profile, findings, total, not options.programs and not options.fate and not options.status
                  and bounds == (0, LAST, 1))


def show(todo, target, number):
    """One call: the whole log of each boot."""
    worst = 0
    for job in todo:
        sys.stdout.flush()
        command = command_of(job, target, number, number, 1)
        worst = max(worst, subprocess.run(command[:-1] + ["--log", target.image], stdin=subprocess.DEVNULL).returncode)
    return worst


def report(profile, findings, total, whole):
    new = [finding for finding in findings if not known(finding, profile)]
    for line in grouped(new, profile):
        print(line)
    whole = whole and (TARGETS[profile].leaks is not LOADER_LEAKS or profile == CLOSURE)
    gone = [leak for leak in TARGETS[profile].leaks
            if whole and not any(known(finding, profile) == leak for finding in findings)]
    for leak in gone:
        print(f"{' '.join(leak)} leaks no longer: take it out of LEAKS in fuzz/tool/inject.py")
    print(f"{total['injections']} injections, {total['ready']} boots went on to READY, {len(findings) - len(new)} known "
          f"leaks, {len(new)} findings")
    return 1 if new or gone else 0


# Bugs that these boots must not survive (T3): file, text, its replacement, what it is, whose call fails, in which profile and
# every how many calls, and how a complaint begins.
SEEDED = (
    ("services/rootd/teardown.c", "i = rootd->plan.launch_count; i-- > 0;", "i = rootd->plan.launch_count; i-- > 1;",
     "a failed boot leaves memd running", Job("pagerd", "refused", "EXHAUSTED"), "phase0", 20 * STRIDE, "processes are left"),
    ("services/vfsd/handles.c", "    memset(handle, 0, sizeof *handle);",
     "    if (is_of_session(vfsd, handle))\n        memset(handle, 0, sizeof *handle);",
     "vfsd keeps a handle whose session is over", Job("vfsd", "refused", "INTERNAL"), "phase4-loader-contract", 37,
     "loaderd: a handle at vfsd"),
)


def seeded(tally):
    with tempfile.TemporaryDirectory() as folder:
        same.copy_tree(folder)
        for path, old, new, what, job, profile, stride, complaint in SEEDED:
            worked, output = same.rebuilt(folder, path, old, new, PROGRAM)
            if worked:
                command = command_of(job, TARGETS[profile], 0, LAST, stride)
                _, output = build.run([f"{folder}/{command[0]}", *command[1:]], 120)
            found = worked and any(finding.complaint.startswith(complaint) for finding in read(output)[2])
            tally.say(f"boots in which a call fails notice that {what}", found, build.shorten(output, 10))


def of_graph():
    """(job, its first call, stride) of the sample of the runtime image: of each program one way, another one for each; and
    deviced whole in one of them, so that what the audit sees of it is seen each time."""
    yield from of_files("none", GRAPH_STRIDE, 1, 0)
    yield Job("deviced", "refused", "INTERNAL"), 0, 1


def of_files(profile, stride, count, shift):
    """The same of any image: of each program so many ways."""
    for number, program in enumerate(TARGETS[profile].programs):
        ways = jobs_of((program,), FATES, STATUSES)
        for turn in range(count):
            yield ways[(5 * number + 7 * turn + shift) % len(ways)], 3 * number % 11, stride


def sampled(profile, rows):
    """(injections, findings) of (job, first call, stride) of the boots of a profile's image."""
    total, findings = 0, []
    with concurrent.futures.ThreadPoolExecutor(int(build.jobs())) as pool:
        for said in pool.map(lambda row: run(row[0], TARGETS[profile], row[1], LAST, row[2]), rows):
            injections, _, found = read(said)
            total += injections
            findings += found
    return total, findings


def tell(tally, what, before, total, findings, profile):
    new = [finding for finding in findings if not known(finding, profile)]
    tally.say(what, total > 0 and not new, "\n".join(grouped(new, profile)),
              f"{total} injections in {time.monotonic() - before:.0f} s"
              + (f", {len(findings) - len(new)} known leaks" if findings else ""))


def short_of_graph(tally):
    """A sample of the boots of the runtime image, which the audit judges at READY."""
    before = time.monotonic()
    total, findings = sampled("none", of_graph())
    tell(tally, "so does a boot of the runtime image, and if it is READY the audit finds nothing", before, total, findings, "none")
    tally.say("what is not given back yet at READY is named", any(found.program == "deviced" for found in findings))


def short_of_files(tally):
    """A sample of the boots of two images with files: how the books are when their client has ended."""
    for shift, (profile, stride) in enumerate(FILES_STRIDES.items()):
        before = time.monotonic()
        total, findings = sampled(profile, of_files(profile, stride, 2, 3 * shift))
        tell(tally, f"so does a boot of profile {profile}, and everybody's books are what they were when its client has ended",
             before, total, findings, profile)


def check_known(tally):
    """A leak that is known excuses itself and nothing else: not more of it, nothing that others keep, no panic."""
    def excused(profile, key, said):
        program, fate, operation = key
        return known(Finding(program, fate, "-", "1", operation, said), profile) is not None

    lost = ("rootd", "lost", "procd.create_staged_process")
    frames = ("vspaced", "lost", "memd.alloc_frames")
    drops = ("pagerd", "refused", "kernel.drop_local_cap")
    wrong = [f"{profile}: {' '.join(key)}, {said}: {'passed over' if not wanted else 'taken for new'}" for profile, key, said, wanted in (
        ("phase0", lost, "processes are left, 1", True), ("phase0", lost, "processes are left, 2", False),
        ("phase0", lost, "processes are left, 14", False), ("phase0", lost, "pages are missing in the launch pool, 1", False),
        ("phase0", ("rootd", "lost", "procd.stop_process"), "processes are left, 1", False), ("phase0", frames, "x", False),
        ("files", frames, "logd: pages of frames that are not mapped, 4 instead of 0", True),
        ("files", frames, "logd: pages of frames that are not mapped, 5 instead of 0", False),
        ("files", frames, "logd: pages of frames that are not mapped, 0 instead of 1", False),
        ("files", frames, "logd: pages of kernel memory, 1 instead of 0", False),
        ("none", drops, "pagerd slot 68: extra, FRAME with rights 0x7c", True),
        ("none", drops, "pagerd slot 69: extra, FRAME with rights 0x7c", False),
        ("files", drops, "pagerd: something is owed, 0", True), ("files", drops, "pagerd: something is owed, 1", False),
        *(("phase0", lost, said, False) for said in BREAKS)) if excused(profile, key, said) != wanted]
    tally.complaints("a leak that is known excuses itself and nothing else", wrong)


def short(tally):
    """Every n-th boot of them all, each with its own call."""
    check_known(tally)
    seeded(tally)
    short_of_graph(tally)
    short_of_files(tally)
    before = time.monotonic()
    # Each job begins with another call, so that the jobs of a program try different ones.
    rows = [(job, 7 * number % STRIDE, STRIDE) for number, job in enumerate(jobs_of(PROGRAMS, FATES, STATUSES))]
    total, findings = sampled("phase0", rows)
    tell(tally, "a boot in which a call fails ends in a stated way and gives everything back", before, total, findings, "phase0")
