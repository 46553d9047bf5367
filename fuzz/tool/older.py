# SPDX-License-Identifier: ISC
"""What findings/TARGET holds that this build cannot use, since an older one, or a hand, left it so: it is named and
moves to findings/TARGET/aside/ before a campaign begins, or when AFL++ refuses it. Inputs in it are tried again."""

import glob
import os

import build
import engines
import findings
import triage

ASIDE = "aside"


def put_aside(home, path, why, next_step):
    """Moves a file or folder away, never over another."""
    os.makedirs(f"{home}/{ASIDE}", exist_ok=True)
    base = os.path.relpath(path, home).replace(os.sep, "-")
    target = next(name for name in (f"{home}/{ASIDE}/{base}" + (f"-{number}" if number else "") for number in range(1 << 16))
                  if not os.path.lexists(name))
    os.rename(path, target)
    print(f"{path}: {why}; put aside as {target}, {next_step}", flush=True)


def wrong_with(instance):
    """Why AFL++ could not go on in a folder of its own; None: as far as can be seen it can."""
    if os.path.islink(instance) or not os.path.isdir(instance):
        return "not a folder"
    resumes = os.path.exists(f"{instance}/fuzzer_setup")
    queue = f"{instance}/queue" if os.path.isdir(f"{instance}/queue") or not os.path.isdir(f"{instance}/_resume") else f"{instance}/_resume"
    entries = [entry for entry in os.scandir(queue) if not entry.name.startswith(".")] if os.path.isdir(queue) else []
    if resumes and not entries:
        return "a queue without inputs"
    for entry in entries:
        if not entry.is_file(follow_symlinks=False):
            return f"{entry.name} in its queue is not a regular file"
        if entry.stat().st_size > engines.INPUT_BYTES_MAX:
            return f"{entry.name} in its queue has {entry.stat().st_size} bytes; an input has at most {engines.INPUT_BYTES_MAX}"
    return None


def instances(home):
    """AFL++'s own folders."""
    return [path for path in sorted(glob.glob(f"{home}/engines/*/*")) if os.path.basename(path) != "others"]


def check_engines(home):
    for path in instances(home):
        why = wrong_with(path)
        if why is not None:
            put_aside(home, path, why, "AFL++ begins anew from the corpus")


def check_findings(home):
    """Findings that another version described: their inputs are artefacts again, which this one sorts."""
    for path in sorted(glob.glob(f"{home}/{triage.FOLDER}/*")):
        try:
            if os.path.isdir(path):
                triage.load(path)
        except build.Stop:
            for source in sorted(glob.glob(f"{path}/inputs/*")):
                target = f"{home}/{os.path.basename(source)}"
                if os.path.basename(source).startswith(findings.KINDS) and os.path.isfile(source) and not os.path.lexists(target):
                    os.rename(source, target)
            put_aside(home, path, "unreadable, or of another version", "its inputs are sorted again")
