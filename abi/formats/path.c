/* SPDX-License-Identifier: ISC */
/* What is a name, a path and a link's target. Decides nothing about what they lead to. */
#include "abi/formats/path.h"

#include "abi/assert.h"

/* --- text ------------------------------------------------------------------------------------- */

/* A byte that continues a character: two bits that say so, and six more of its number. */
enum { CONTINUES = 0x80, CONTINUES_MASK = 0xC0, PAYLOAD_MASK = 0x3F, PAYLOAD_BITS = 6 };

/* How many bytes the character takes whose first byte this is; 0: it is none. */
static size_t width_of(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2) /* a byte that continues one, or an overlong form */
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

/* The number of a character of `width` bytes, all of which are there; UINT32_MAX: it is none. */
static uint32_t number_of(const uint8_t *bytes, size_t width)
{
    static const uint8_t masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t number = bytes[0] & masks[width];
    for (size_t i = 1; i < width; i++) {
        if ((bytes[i] & CONTINUES_MASK) != CONTINUES)
            return UINT32_MAX;
        number = number << PAYLOAD_BITS | (bytes[i] & PAYLOAD_MASK);
    }
    return number;
}

static bool is_allowed(uint32_t number, size_t width)
{
    static const uint32_t firsts[] = {0, 0, 0x80, 0x800, 0x10000};
    if (number < firsts[width] || number > 0x10FFFF) /* another form is shorter, or there is none */
        return false;
    if (number >= 0xD800 && number <= 0xDFFF) /* surrogates */
        return false;
    return number >= 0x20 && (number < 0x7F || number > 0x9F);
}

static bool is_text(const uint8_t *bytes, size_t count)
{
    for (size_t at = 0; at < count;) {
        size_t width = width_of(bytes[at]);
        if (width == 0 || width > count - at)
            return false;
        if (!is_allowed(number_of(bytes + at, width), width))
            return false;
        at += width;
    }
    return true;
}

/* --- components ------------------------------------------------------------------------------- */

static bool is_dots(const uint8_t *name, size_t count)
{
    return name[0] == '.' && (count == 1 || (count == 2 && name[1] == '.'));
}

enum status path_check_name(const uint8_t *name, size_t count)
{
    if (count > FILE_NAME_BYTES_MAX)
        return STATUS_OUT_OF_RANGE;
    if (count == 0 || is_dots(name, count) || !is_text(name, count))
        return STATUS_BAD_TEXT;
    for (size_t i = 0; i < count; i++) {
        if (name[i] == '/')
            return STATUS_BAD_TEXT;
    }
    return STATUS_OK;
}

bool path_next(const uint8_t *path, size_t count, size_t *at, struct path_part *part)
{
    UNIT_ASSERT(*at <= count);
    while (*at < count && path[*at] == '/')
        ++*at;
    part->from = *at;
    while (*at < count && path[*at] != '/')
        ++*at;
    part->count = *at - part->from;
    return part->count != 0;
}

/* --- wholes ----------------------------------------------------------------------------------- */

enum status path_check(const uint8_t *path, size_t count)
{
    struct path_part part;
    size_t at = 0;
    size_t seen = 0; /* bytes of components and of one '/' before each */
    if (count > FILE_PATH_BYTES_MAX)
        return STATUS_OUT_OF_RANGE;
    if (count == 0 || path[0] != '/')
        return STATUS_BAD_TEXT;
    while (path_next(path, count, &at, &part)) {
        enum status status = path_check_name(path + part.from, part.count);
        if (status != STATUS_OK)
            return status;
        seen += 1 + part.count;
    }
    return seen == count || count == 1 ? STATUS_OK : STATUS_BAD_TEXT;
}

enum status path_check_target(const uint8_t *target, size_t count)
{
    struct path_part part;
    size_t at = 0;
    if (count > FILE_PATH_BYTES_MAX)
        return STATUS_OUT_OF_RANGE;
    if (count == 0 || !is_text(target, count))
        return STATUS_BAD_TEXT;
    while (path_next(target, count, &at, &part)) {
        if (part.count > FILE_NAME_BYTES_MAX)
            return STATUS_OUT_OF_RANGE;
    }
    return STATUS_OK;
}
