# SPDX-License-Identifier: ISC
"""./basalt compdb: compile_commands.json for editors and clang tools, one entry per source file."""

import json
import os

import build

# Whose flags an editor is shown: the sanitized build; for what only the image has, the image.
VARIANTS = ("asan", "image")
DATABASE = "compile_commands.json"


def compdb(_options):
    worked, listing = build.ninja("-t", "compdb", "cc", "hostcc")
    if not worked:
        raise build.Stop(listing + "ninja cannot list its commands")
    entries = {}
    for entry in json.loads(listing[listing.index("["):]):
        variant = entry["output"].split("/")[1]
        if variant in VARIANTS and (entry["file"] not in entries or variant == VARIANTS[0]):
            entries[entry["file"]] = entry
    with open(DATABASE + ".part", "w", encoding="utf-8") as file:
        json.dump([entries[path] for path in sorted(entries)], file, indent=1)
    os.replace(DATABASE + ".part", DATABASE)
    print(f"{DATABASE}: {len(entries)} files")
    return 0
