# SPDX-License-Identifier: ISC
"""Packs a folder into an archive that the image's readers accept (abi/formats/archive.h), the same bytes for the
same files: sorted, without times and owners, modes 0755 for folders and what may be executed, else 0644. What the reader
would refuse is refused here, with its name."""

import io
import os
import stat
import tarfile
import unicodedata

import build
import findings

NAME_BYTES = 255   # FILE_NAME_BYTES_MAX
PATH_BYTES = 420   # FILE_PATH_BYTES_MAX
TARGET_BYTES = 100 # ARCHIVE_LINK_BYTES_MAX
ENTRIES = 897      # RAMFSD_ARCHIVE_ENTRIES_MAX: the nodes of RAMFSD_MEMORY_BYTES without the root
BLOCK = 512


def text_problem(text, limit):
    """Why a path or the target of a link is none, or None."""
    try:
        data = os.fsencode(text)
        data.decode("utf-8")
    except UnicodeError:
        return "is not UTF-8"
    if any(unicodedata.category(letter) == "Cc" for letter in text):
        return "has a control character"
    if len(data) > limit or any(len(os.fsencode(part)) > NAME_BYTES for part in text.split("/")):
        return "is too long"
    return None


def refuse(path, why):
    raise build.Stop(f"{ascii(path)[1:-1]}: {why}")


def entry(name, path, mode):
    """The header of one entry, and the bytes behind it."""
    found = os.lstat(path)
    info = tarfile.TarInfo(name)
    data = b""
    if stat.S_ISDIR(found.st_mode):
        info.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(found.st_mode):
        info.type = tarfile.SYMTYPE
        info.linkname = os.readlink(path)
        problem = text_problem(info.linkname, TARGET_BYTES)
        if problem is not None:
            refuse(path, f"what it leads to {problem}")
    elif stat.S_ISREG(found.st_mode):
        with open(path, "rb") as file:
            data = file.read()
    else:
        refuse(path, "is no file, folder or symbolic link")
    info.size = len(data)
    runs = stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode) or found.st_mode & 0o111 != 0
    info.mode = mode if mode is not None else 0o755 if runs else 0o644
    problem = text_problem("/" + name, PATH_BYTES)
    if problem is not None:
        refuse(path, problem)
    return info, data


def header(info, path):
    try:
        return info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")
    except ValueError as error: # a path that no place in the header has room for, or a file of 8 GiB
        refuse(path, str(error))


def below(folder):
    """Paths of all that lies in a folder, by their names in the archive."""
    found = {}
    for parent, folders, files in os.walk(folder, onerror=walk_failed):
        for name in folders + files:
            path = os.path.join(parent, name)
            found[os.path.relpath(path, folder)] = path
    return found


def walk_failed(error):
    raise error


def archive(found, modes):
    """The bytes of an archive of files by their names: each comes behind the folder that it lies in."""
    for name in sorted(set(modes) - set(found)):
        raise build.Stop(f"--mode: nothing is called {name}", 2)
    if len(found) > ENTRIES:
        raise build.Stop(f"{len(found)} files, folders and symbolic links are more than imagefsd has room for: {ENTRIES}")
    for name in found:
        parent = os.path.dirname(name)
        if parent and (parent not in found or not os.path.isdir(found[parent]) or os.path.islink(found[parent])):
            refuse(name, "lies in no folder of the archive")
    out = io.BytesIO()
    for name in sorted(found, key=lambda name: name.split("/")):
        info, data = entry(name, found[name], modes.get(name))
        out.write(header(info, found[name]))
        out.write(data + bytes(-len(data) % BLOCK))
    return out.getvalue() + bytes(2 * BLOCK)


def is_path(name):
    """Whether it names something below the archive's folder, in the one way in which that is said."""
    return not name.startswith("/") and os.path.normpath(name) == name and name.split("/")[0] not in (".", "..")


def pairs(texts, option, convert):
    """NAME=VALUE, each name once."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals or not value or name in found:
            raise build.Stop(f"{option}: \"{text}\" is not one more NAME=VALUE", 2)
        found[name] = convert(value)
    return found


def octal(text):
    if not text or len(text) > 4 or text.strip("01234567"):
        raise build.Stop(f"--mode: \"{text}\" is no mode", 2)
    return int(text, 8)


def pack(options):
    folder = build.user_path(options.folder)
    if not os.path.isdir(folder):
        raise build.Stop(f"not a folder: {options.folder}", 2)
    found = below(folder)
    for name, path in pairs(options.add, "--add", build.user_path).items():
        if name in found or not is_path(name):
            raise build.Stop(f"--add: \"{name}\" is taken, or no path in the archive", 2)
        found[name] = path
    findings.write(build.user_path(options.output), archive(found, pairs(options.mode, "--mode", octal)))
    return 0
