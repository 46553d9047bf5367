# SPDX-License-Identifier: ISC
"""./basalt reference: writes the pages that follow from tables."""

import os

import build

PROGRAM = "build/fast/abi_tables"
PAGES = {"abi/REFERENCE.md": "reference", "props/PROPERTIES.md": "properties"}


def reference(options):
    build.must_build(PROGRAM)
    for path, name in PAGES.items():
        status, text = build.run([PROGRAM, name])
        if status != 0:
            raise build.Stop(f"{PROGRAM} {name} failed:\n{text}")
        before = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        if before != text:
            with open(f"{path}.new", "w", encoding="utf-8") as page:
                page.write(text)
            os.replace(f"{path}.new", path)
        print(f"{path}: {'as it was' if before == text else 'written anew'}")
    return 0
