# SPDX-License-Identifier: ISC
"""Checks on the Markdown pages: links and paths that exist, commands that exist, lines that fit."""

import glob
import os
import re

COLUMNS = 100
FOLDERS = ("abi/", "kernel/", "services/", "props/", "fuzz/", "corpus/", "linker/", ".ci/")
GENERATED = ("abi/REFERENCE.md", "props/PROPERTIES.md")  # their sentences are those of the tables
NOT_KEPT = ("build/", "findings/")  # made by commands, in no checkout


def pages():
    return sorted(path for path in glob.glob("**/*.md", recursive=True)
                  if not path.startswith(NOT_KEPT))


def lines_of(text):
    """(number, line, whether it is prose) of a page: not a table row, not a code block."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fence = line.startswith("```")
        fenced ^= fence
        yield number, line, not (fence or fenced or line.startswith(("    ", "|")))


def exists(path, page):
    """Whether a path (with * and <name>, or several ends as in name.{c,h}) names something, from the
    root or from the page's folder."""
    pattern = re.sub(r"<[^>]*>", "*", path)
    ends = re.search(r"\{([^}]*)\}", pattern)
    patterns = [pattern.replace(ends[0], end) for end in ends[1].split(",")] if ends else [pattern]
    return all(glob.glob(one) or glob.glob(os.path.join(os.path.dirname(page), one))
               for one in patterns)


def complaints_of(page, text, commands):
    """What is wrong on one page."""
    if not text.startswith("# ") or not text.endswith("\n"):
        yield f"{page}: starts with no `# title`, or ends without a newline"
    depth, cells = 0, None
    made = re.findall(r"^```\w+ (\S+)$", text, re.M)  # files whose text the page gives (tutorial.py)
    for number, line, is_prose in lines_of(text):
        where = f"{page}:{number}"
        if line != line.rstrip() or "\t" in line:
            yield f"{where}: white space at its end, or a tab"
        if is_prose and page not in GENERATED and len(line) > COLUMNS and " " in line[:COLUMNS]:
            yield f"{where}: {len(line)} columns of prose; {COLUMNS} at most"
        heading = re.match(r"(#+) \S", line) if is_prose else None
        if heading:
            if len(heading[1]) > depth + 1:
                yield f"{where}: a heading of level {len(heading[1])} under one of level {depth}"
            depth = len(heading[1])
        count = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        if count and cells and count != cells:
            yield f"{where}: {count - 1} cells in a table of {cells - 1}"
        cells = count
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line) if is_prose else ():
            if "://" not in target and not exists(target, page):
                yield f"{where}: the link {target} leads nowhere"
        for path in re.findall(r"`((?:%s)[^`\s:(]*)`" % "|".join(map(re.escape, FOLDERS)), line):
            if path not in made and not exists(path, page):
                yield f"{where}: there is no {path}"
        for command in re.findall(r"\./basalt ([a-z]+)", line):
            if command not in commands:
                yield f"{where}: there is no command ./basalt {command}"


def complaints(commands):
    found = []
    for page in pages():
        with open(page, encoding="utf-8") as file:
            found += complaints_of(page, file.read(), commands)
    return found


# A page with one mistake of each kind, and what must be said of each.
BAD_PAGE = """# Title
### Too deep
""" + "word " * 25 + """end
trailing 
| a | b |
| --- |
[nowhere](no/such/page.md)
`fuzz/no_such_file.c` and ./basalt frobnicate
"""
WANTED = ("level 3", "columns of prose", "white space", "1 cells in a table of 2", "leads nowhere",
          "there is no fuzz/no_such_file.c", "no command ./basalt frobnicate")


def missed():
    """What the checker does not see on a page that is wrong on purpose."""
    said = list(complaints_of("BAD.md", BAD_PAGE, ("test",)))
    return [f"a page that is wrong on purpose passes: {text}" for text in WANTED
            if sum(text in line for line in said) != 1] + \
           [f"nothing is wrong with: {line}" for line in said
            if not any(text in line for text in WANTED)]
