# SPDX-License-Identifier: ISC
"""Damaged boot images, each with the line that the boot must end with. The layout is abi/formats/boot_image.h's
and abi/formats/boot_config.h's, written down a second time on purpose."""

import hashlib
import struct

HEADER, ROW = 64, 80
CONFIG = "boot-config"
FIRST_ENTRY = 32  # of the config
REFUSED = "^BASALT_KERNEL:BOOT_IMAGE_REFUSED:"
INTAKE = "^BASALT_ROOTD:FAILED:INTAKE:"


def rows(image):
    """{name: (offset of its row, offset of the section, its size)}"""
    found = {}
    for index in range(struct.unpack_from("<I", image, 24)[0]):
        at = HEADER + ROW * index
        name = image[at:at + 24].rstrip(b"\0").decode()
        found[name] = (at, *struct.unpack_from("<QQ", image, at + 32))
    return found


def sealed(image):
    """The image with all digests computed anew: damage that only the rules can find."""
    image = bytearray(image)
    for at, offset, size in rows(image).values():
        image[at + 48:at + 80] = hashlib.sha256(image[offset:offset + size]).digest()
    count = struct.unpack_from("<I", image, 24)[0]
    image[32:64] = hashlib.sha256(image[HEADER:HEADER + ROW * count]).digest()
    return bytes(image)


def patched(image, offset, data):
    return image[:offset] + data + image[offset + len(data):]


def flipped(image, offset):
    return patched(image, offset, bytes([image[offset] ^ 0x10]))


def damaged(image):
    """Yields (what is wrong, the image, a pattern that a line of the log must match whole)."""
    table = rows(image)
    config_row, config, _ = table[CONFIG]
    memd_row, memd, memd_size = table["memd"]
    for size in (0, 1, HEADER - 1, HEADER, len(image) // 2, len(image) - 4096, len(image) - 1):
        yield f"an image cut to {size} bytes", image[:size], REFUSED + "TRUNCATED"
    yield "an image longer than it says", image + bytes(4096), REFUSED + "BAD_LENGTH"
    yield "an image of another magic", flipped(image, 0), REFUSED + "BAD_MAGIC"
    yield "an image of an unknown version", patched(image, 8, b"\2\0"), REFUSED + "BAD_VERSION"
    yield "a bit of a section row flipped", flipped(image, memd_row + 3), REFUSED + "BAD_DIGEST"
    for name, (_, offset, size) in table.items():
        yield f"a bit of {name} flipped", flipped(image, offset + size // 2), REFUSED + "BAD_DIGEST"
    yield "a bit behind a section flipped", flipped(image, memd + memd_size + 1), \
        REFUSED + "RESERVED_NOT_ZERO"
    yield "overlapping sections", sealed_table(patched(image, memd_row + 32, struct.pack("<Q", config))), \
        REFUSED + "BAD_ORDER"
    yield "a section outside the image", \
        sealed_table(patched(image, memd_row + 40, struct.pack("<Q", 1 << 40))), \
        REFUSED + "OUT_OF_RANGE"
    yield "an image without rootd", sealed(patched(image, table["rootd"][0], b"other")), REFUSED + "MISSING_MODULE"
    yield "an image without memd", sealed(patched(image, memd_row, b"mema")), INTAKE + "MISSING_MODULE"
    yield "an image without boot config", sealed(patched(image, config_row, b"xoot")), INTAKE + "MISSING_MODULE"
    for wrong, offset, data, status in (
            ("of another magic", 0, b"X", "BAD_MAGIC"),
            ("of an unknown version", 8, b"\2\0", "BAD_VERSION"),
            ("of another length", 12, struct.pack("<I", 289), "BAD_LENGTH"),
            ("without rows", 16, struct.pack("<I", 0), "BAD_LENGTH"),
            ("with an unknown profile", 24, b"\xff\xff", "INVALID_ARGUMENT"),
            ("that counts a limit which it has not", 28, b"\1", "BAD_LENGTH"),
            ("with a role twice", FIRST_ENTRY + 64, image[config + 32:config + 96], "DUPLICATE"),
            ("with role 0", FIRST_ENTRY, bytes(4), "INVALID_ARGUMENT"),
            ("with an unknown launch kind", FIRST_ENTRY + 4, b"\7", "INVALID_ARGUMENT"),
            ("with no time to be ready in", FIRST_ENTRY + 32, bytes(8), "INVALID_ARGUMENT"),
            ("with a name outside the alphabet", FIRST_ENTRY + 40, b"M", "BAD_TEXT"),
            ("with a dependency on nobody", FIRST_ENTRY + 64 + 12,
             struct.pack("<5I", 1, 0xEEEE, 0, 0, 0), "NOT_FOUND"),
            ("that names another module", FIRST_ENTRY + 40, b"zzzz", "INVALID_ARGUMENT")):
        yield f"a config {wrong}", sealed(patched(image, config + offset, data)), INTAKE + status


def sealed_table(image):
    """As sealed(), but the table alone: its rows may point anywhere."""
    count = struct.unpack_from("<I", image, 24)[0]
    return patched(image, 32, hashlib.sha256(image[HEADER:HEADER + ROW * count]).digest())
