# SPDX-License-Identifier: ISC
"""`./basalt audit`: at READY of an image's boot in the world, the role table, rootd's plan and the kernel's cspaces
are the same slot by slot, and nobody reaches what the table does not state (props/world/audit.c). The machine's
boot has the same events (`boot --compare`), and so the same capabilities."""

import subprocess
import sys

import build

PROGRAM = "build/shipped/audit"


def audit(options):
    image = build.PROFILES[options.profile]
    build.must_build(PROGRAM, image)
    if not options.dot:
        print(f"authority at READY of {image}, booted in the world\n", flush=True)
    sys.stdout.flush()
    return subprocess.run([PROGRAM, *(["--dot"] if options.dot else []), image], stdin=subprocess.DEVNULL).returncode


def every_profile(tally):
    for profile, image in build.PROFILES.items():
        status, output = build.run([PROGRAM, image], 120)
        last = (output.strip().splitlines() or [""])[-1]
        tally.say(f"audit of profile {profile}", status == 0 and last == "0 findings", build.shorten(output, 30), last)
    status, output = build.run([PROGRAM, "--dot", build.SERVICES_IMAGE], 120)
    edge = '"pagerd" -> "vspaced" [label="17 0x1"];'
    tally.say("the graph has an edge that is known", status == 0 and edge in output, build.shorten(output, 30))
