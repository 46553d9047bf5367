# SPDX-License-Identifier: ISC
"""Where one edit makes a mutant of a unit: a tokeniser that knows C well enough, the sites of each kind, and the draw.
Comments, strings, preprocessor lines, assertions and what visits fields for a digest are left alone."""

import collections
import difflib
import glob
import os
import random
import re

import build
import source_checks

FOLDERS = ("abi/", "kernel/core/", "services/")
TABLES = re.compile(r"abi/(roles|messages/(?!all)\w+)\.def")
# Programs that attack or try the others, and what checks or digests the whole state: oracles, not product.
ORACLES = re.compile(r"services/(runtime|bench|faults|probes|tester)/|.*/(\w*check(_\w+)?|digest)\.[ch]$")

TOKEN = re.compile(r"(?P<skip>/\*.*?\*/|//[^\n]*|^[ \t]*#(?:\\\n|[^\n])*|\s+)"
                   r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')|(?P<word>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)"
                   r"|(?P<sign>->|\+\+|--|<<=|>>=|[-+*/%&|^!=<>]=|<<|>>|&&|\|\||.)", re.M | re.S)
# Functions that hand all fields to a digest, wherever they stand: they feed golden files and no decision.
VISITOR = re.compile(r"(\w+_)?visit(_\w+)?")
ASSERTION = re.compile(r"\w+_ASSERT|_Static_assert|sizeof")
KEYWORDS = {"if", "while", "for", "switch", "do", "else", "return", "goto", "break", "continue", "case", "default", "sizeof",
            "struct", "enum", "union", "static", "const", "extern", "inline", "void", "typedef", "unsigned"}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "++", "--"}
BOUNDS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
PAIRS = {"(": ")", "[": "]", "{": "}"}
KINDS = ("negated", "bound", "constant", "deleted", "swapped", "member", "widened")

Token = collections.namedtuple("Token", "kind text start end")


class Site(collections.namedtuple("Site", "path kind start end new")):
    """One edit: the characters from start to end become `new`."""

    def applied(self, text):
        return text[:self.start] + self.new + text[self.end:]

    def lines(self, text):
        """(line number, the lines before, the lines after), each without what indents it."""
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", self.end)
        last = len(text) if last < 0 else last
        changed = text[first:self.start] + self.new + text[self.end:last]
        return (text.count("\n", 0, self.start) + 1, *(" ".join(part.split()) for part in (text[first:last], changed)))

    def function(self, text):
        """The function, table or type that the edit lies in: the last line that begins one, or nothing."""
        heads = re.findall(r"^(?![ \t}{#/\n*)])[^\n;]*?(\w+) *(?:\(|\{|\[|=)", text[:self.start], re.M)
        return heads[-1] if heads else "-"

    def diff(self, text):
        lines = (part.splitlines(keepends=True) for part in (text, self.applied(text)))
        return "".join(difflib.unified_diff(*lines, f"a/{self.path}", f"b/{self.path}"))


def tokens_of(text):
    """The tokens that may be mutated, and for each bracket the index of the one that closes it."""
    tokens = [Token(found.lastgroup, found[0], *found.span()) for found in TOKEN.finditer(text) if found.lastgroup != "skip"]
    closing, stack = {}, []
    for index, token in enumerate(tokens):
        if token.kind == "sign" and token.text in PAIRS:
            stack.append(index)
        elif stack and token.kind == "sign" and token.text == PAIRS[tokens[stack[-1]].text]:
            closing[stack.pop()] = index
    return tokens, closing


def asserted(tokens, closing):
    """Indices of tokens in assertions and sizes."""
    return {inside for index, token in enumerate(tokens[:-1]) if ASSERTION.fullmatch(token.text) and index + 1 in closing
            for inside in range(index, closing[index + 1] + 1)}


def visiting(tokens, closing):
    """Indices of tokens in the bodies of functions that visit a state's fields."""
    bodies = (closing[index + 1] + 1 for index, token in enumerate(tokens) if VISITOR.fullmatch(token.text)
              and index + 1 in closing)
    return {inside for body in bodies if body in closing and tokens[body].text == "{"
            for inside in range(body, closing[body] + 1)}


def constants(token):
    """The numbers next to one, written as it is."""
    found = re.fullmatch(r"(0[xX][0-9a-fA-F]+|0|[1-9]\d*)([uUlL]*)", token.text)
    if not found:
        return []
    value = int(found[1], 0)
    return [(hex(near) if found[1][1:2] in ("x", "X") else str(near)) + found[2] for near in (value + 1, value - 1) if near >= 0]


def statement_end(tokens, closing, index):
    """Index of the semicolon that ends the assignment or the call that begins here, or None."""
    first, second = tokens[index], tokens[index + 1] if index + 1 < len(tokens) else None
    if second is None or first.text in KEYWORDS or not (first.kind == "word" or first.text in ("*", "++", "--")):
        return None
    if first.kind == "word" and (second.kind == "word" or second.text in ("*", ":")): # a declaration, a label
        return None
    assigns, at = first.text in ("++", "--"), index
    while at < len(tokens) and tokens[at].text not in (";", "}", ")", "]"):
        if tokens[at].text == "{":
            return None
        assigns |= tokens[at].kind == "sign" and tokens[at].text in ASSIGNMENTS
        at = closing.get(at, at) + 1
    calls = second.text == "(" and closing.get(index + 1) == at - 1
    return at if at < len(tokens) and tokens[at].text == ";" and (assigns or calls) else None


def begins_statement(tokens, heads, index):
    """Whether a statement may begin here: behind one, in a block, or behind if (...)."""
    return index > 0 and (tokens[index - 1].text in (";", "{", "}", "else", "do") or index - 1 in heads)


def arguments(tokens, closing, index):
    """(first, last) token of each argument of the call whose bracket this is; no declarations."""
    parts, begin, at = [], index + 1, index + 1
    while at <= closing[index]:
        if tokens[at].text == "," or at == closing[index]:
            parts.append((begin, at - 1))
            begin = at + 1
        elif any(a.kind == b.kind == "word" for a, b in (tokens[at:at + 2],) if at + 1 < closing[index]):
            return []
        at = closing[at] + 1 if at in closing else at + 1
    return [part for part in parts if part[0] <= part[1]]


def members_of(texts):
    """{member: others of one struct that have its type}, over all structs."""
    others = collections.defaultdict(set)
    for text in texts:
        plain = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
        for body in re.findall(r"struct \w+\s*\{([^{}]*)\}", plain):
            by_type = collections.defaultdict(list)
            for kind, name, size in re.findall(r"([\w ]+[\w*][ *])(\w+)((?:\[[^\]]*\])?)\s*;", body):
                by_type[" ".join(kind.split()), size].append(name)
            for names in by_type.values():
                for name in names:
                    others[name] |= set(names) - {name}
    return {name: sorted(found) for name, found in others.items()}


def code_sites(path, text, members):
    """All sites of a C source or header."""
    tokens, closing = tokens_of(text)
    left_alone = asserted(tokens, closing) | visiting(tokens, closing)
    heads = {closing[index + 1] for index, token in enumerate(tokens) if token.text in ("if", "for", "while")
             and index + 1 in closing}
    span = lambda first, last: text[tokens[first].start:tokens[last].end]
    for index, token in enumerate(tokens):
        if index in left_alone:
            continue
        before = tokens[index - 1].text if index else ""
        if token.text in ("if", "while") and index + 1 in closing and token.kind == "word":
            inner = (index + 2, closing[index + 1] - 1)
            yield Site(path, "negated", tokens[inner[0]].start, tokens[inner[1]].end, f"!({span(*inner)})")
        if token.kind == "sign" and token.text in BOUNDS:
            yield Site(path, "bound", token.start, token.end, BOUNDS[token.text])
        if token.kind == "number":
            for near in constants(token):
                yield Site(path, "constant", token.start, token.end, near)
        if begins_statement(tokens, heads, index):
            end = statement_end(tokens, closing, index)
            if end is not None:
                yield Site(path, "deleted", token.start, tokens[end].end, "{}")
        if token.text == "(" and index and tokens[index - 1].kind == "word" and before not in KEYWORDS and index in closing:
            parts = arguments(tokens, closing, index)
            for (a, b), (c, d) in zip(parts, parts[1:]):
                if span(a, b) != span(c, d) and not (index > 1 and tokens[index - 2].kind == "word" and
                                                     tokens[index - 2].text not in ("return", "else")):
                    yield Site(path, "swapped", tokens[a].start, tokens[d].end,
                               span(c, d) + text[tokens[b].end:tokens[c].start] + span(a, b))
        if token.kind == "word" and before in ("->", "."):
            for other in members.get(token.text, ()):
                yield Site(path, "member", token.start, token.end, other)


def table_sites(path, text, rights):
    """Rows that let more senders in, or more rights out, than they do."""
    plain = re.sub(r"/\*.*?\*/|\"[^\"\n]*\"", lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.S)
    for one in (r"FROM_\w+", r"KIND\(\w+\)", r"RIGHTS?_\w+"):
        names = sorted(set(re.findall(one, plain))) if "RIGHT" not in one else rights
        for found in re.finditer(rf"{one}(?: *\| *{one})*", plain):
            for name in names:
                if name not in re.findall(one, found[0]):
                    yield Site(path, "widened", *found.span(), f"{found[0]} | {name}")


def sources_of(units):
    """The files that the named units are: a folder by its path or its last part, or one file; all without a name."""
    known = [path for path in source_checks.sources(".c", ".h", ".def") if path.startswith(FOLDERS) and not ORACLES.match(path)
             and (TABLES.fullmatch(path) or path.endswith(".c") or (path.endswith(".h") and not path.startswith("abi/")))]
    chosen = set()
    for unit in units:
        name = os.path.normpath(unit)
        found = {path for path in known if path == name or path.startswith(f"{name}/")} or \
                {path for path in known if path.startswith((f"services/{name}/", f"kernel/{name}/"))}
        if not found:
            raise build.Stop(f"there is no unit '{unit}' to mutate: a folder or a file of services/, abi/ or kernel/core, "
                             "and neither an oracle nor a program that tries the others", 2)
        chosen |= found
    return sorted(chosen) if units else known


def sites_of(paths):
    """All sites of these files. Members are sought in the structs that a unit may use: those of its folder and shared."""
    read, all_code = source_checks.read, source_checks.sources(".h", ".c")
    rights = sorted(set(re.findall(r"\bRIGHT_[A-Z]+\b", "".join(map(read, sorted(glob.glob("abi/*.h")))))))
    members, found = {}, []
    for path in paths:
        folder = os.path.dirname(path) + "/"
        if folder not in members:
            members[folder] = members_of(read(near) for near in all_code if near.startswith((folder, "abi/", "services/lib/")))
        found += table_sites(path, read(path), rights) if path.endswith(".def") else code_sites(path, read(path), members[folder])
    return found


def draw(sites, seed):
    """All sites in the order that a seed gives: first a kind, then one of its sites."""
    chance = random.Random(seed)
    left = {kind: [site for site in sites if site.kind == kind] for kind in KINDS}
    while any(left.values()):
        of_kind = left[chance.choice([kind for kind in KINDS if left[kind]])]
        at = chance.randrange(len(of_kind))
        of_kind[at], of_kind[-1] = of_kind[-1], of_kind[at]
        yield of_kind.pop()
