/* SPDX-License-Identifier: ISC */
/* Names, paths, targets of links and archives: any bytes give a status, or what a model says that
 * reads paths by Unicode's table of well-formed sequences and headers by their documented offsets
 * (F1). */
#include "abi/formats/archive.h"
#include "fuzz/codec/codec.h"

const char harness_name[] = "codec_archive";
MARKS(12, 1);

enum { BLOCK = 512, LIMIT_BYTES = 20 * BLOCK, TEXT_LIMIT = 450 };

/* --- a model of text -------------------------------------------------------------------------- */

/* Unicode, table 3-7: the ranges of each byte of a well-formed sequence. */
struct row {
    uint8_t ranges[4][2];
    unsigned width;
};

static const struct row well_formed[] = {
    {{{0x20, 0x7E}}, 1}, /* no control characters */
    {{{0xC2, 0xC2}, {0xA0, 0xBF}}, 2},
    {{{0xC3, 0xDF}, {0x80, 0xBF}}, 2},
    {{{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}}, 3},
    {{{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}}, 3},
    {{{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}}, 3},
    {{{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}}, 3},
    {{{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}}, 4},
    {{{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}}, 4},
    {{{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}}, 4},
};

static bool row_fits(const struct row *row, const uint8_t *bytes, size_t count)
{
    if (row->width > count)
        return false;
    for (unsigned i = 0; i < row->width; i++) {
        if (bytes[i] < row->ranges[i][0] || bytes[i] > row->ranges[i][1])
            return false;
    }
    return true;
}

static bool model_text(const uint8_t *bytes, size_t count)
{
    while (count != 0) {
        unsigned width = 0;
        for (unsigned i = 0; i < sizeof well_formed / sizeof well_formed[0] && width == 0; i++)
            width = row_fits(&well_formed[i], bytes, count) ? well_formed[i].width : 0;
        if (width == 0)
            return false;
        bytes += width;
        count -= width;
    }
    return true;
}

static bool model_name(const uint8_t *name, size_t count)
{
    bool dots =
        (count == 1 && memcmp(name, ".", 1) == 0) || (count == 2 && memcmp(name, "..", 2) == 0);
    return count >= 1 && count <= 255 && !dots && memchr(name, '/', count) == NULL &&
           model_text(name, count);
}

/* Cut at each '/': all pieces but the first are names. */
static bool model_path(const uint8_t *path, size_t count)
{
    if (count == 1 && path[0] == '/')
        return true;
    if (count < 2 || count > 420 || path[0] != '/')
        return false;
    for (size_t from = 1, to = 1; to <= count; to++) {
        if (to != count && path[to] != '/')
            continue;
        if (!model_name(path + from, to - from))
            return false;
        from = to + 1;
    }
    return true;
}

static bool model_target(const uint8_t *target, size_t count)
{
    if (count < 1 || count > 420 || !model_text(target, count))
        return false;
    for (size_t i = 0, length = 0; i < count; i++) {
        length = target[i] == '/' ? 0 : length + 1;
        if (length > 255)
            return false;
    }
    return true;
}

/* --- text ------------------------------------------------------------------------------------- */

enum text_kind { TEXT_NAME, TEXT_PATH, TEXT_TARGET, TEXT_KIND_COUNT };

/* The components that path_next finds are the bytes between '/', in order. */
static void check_parts(const uint8_t *path, size_t count)
{
    struct path_part part;
    size_t at = 0;
    size_t seen = 0;
    while (path_next(path, count, &at, &part)) {
        for (; seen < part.from; seen++)
            PROPERTY_EQUAL(F1, path[seen], '/');
        PROPERTY(F1, "part", part.count != 0 && memchr(path + part.from, '/', part.count) == NULL);
        PROPERTY_EQUAL(F1, "next", at, part.from + part.count);
        PROPERTY(F1, "whole", at == count || path[at] == '/');
        seen = at;
    }
    for (; seen < count; seen++)
        PROPERTY_EQUAL(F1, "rest", path[seen], '/');
}

static void check_text(enum text_kind kind, const uint8_t *text, size_t count)
{
    static const struct {
        enum status (*check)(const uint8_t *text, size_t count);
        bool (*model)(const uint8_t *text, size_t count);
    } kinds[TEXT_KIND_COUNT] = {
        {path_check_name, model_name}, {path_check, model_path}, {path_check_target, model_target}};
    enum status status = kinds[kind].check(text, count);
    bool known = status == STATUS_OK || status == STATUS_BAD_TEXT || status == STATUS_OUT_OF_RANGE;
    mark_triple("path", (unsigned)kind, count > 255, (unsigned)status);
    digest_u64((uint64_t)status);
    TRACE("%s of %zu bytes: %s",
          kind == TEXT_NAME   ? "name"
          : kind == TEXT_PATH ? "path"
                              : "target",
          count, status_name(status));
    PROPERTY(F1, "status", known);
    PROPERTY_EQUAL(F1, "text", kinds[kind].model(text, count), status == STATUS_OK);
    PROPERTY(F1, "length", count > 255 || status != STATUS_OUT_OF_RANGE);
    check_parts(text, count);
}

/* Characters at the edges of what is text, with '/' and dots between them. */
static size_t draw_text(struct choices *choices, uint8_t *text)
{
    static const char *const pieces[] = {"/",
                                         "a",
                                         ".",
                                         "..",
                                         "//",
                                         "b-c",
                                         "\x1F",
                                         "\x7F",
                                         "\xC2\x9F",
                                         "\xC2\xA0",
                                         "\xC1\xBF",
                                         "\xDF\xBF",
                                         "\xE0\x9F\xBF",
                                         "\xE0\xA0\x80",
                                         "\xED\x9F\xBF",
                                         "\xED\xA0\x80",
                                         "\xEF\xBF\xBF",
                                         "\xF0\x8F\xBF\xBF",
                                         "\xF0\x90\x80\x80",
                                         "\xF4\x8F\xBF\xBF",
                                         "\xF4\x90\x80\x80",
                                         "\xF5\x80\x80\x80",
                                         "\x80",
                                         "\xC2",
                                         "\xE1\x80",
                                         "\xF1\x80\x80"};
    size_t count = 0;
    for (uint64_t left = choices_below(choices, 12); left > 0; left--) {
        const char *piece = pieces[choices_below(choices, sizeof pieces / sizeof pieces[0])];
        memcpy(text + count, piece, strlen(piece));
        count += strlen(piece);
    }
    if (choices_below(choices, 4) != 3)
        return count;
    size_t fill = (size_t)choices_between(choices, 250, 425) % (TEXT_LIMIT - count);
    memset(text + count, 'x', fill);
    if (choices_flag(choices) && fill > 200)
        text[count + 200] = '/';
    return count + fill;
}

static void run_text(struct choices *choices)
{
    uint8_t text[TEXT_LIMIT];
    enum text_kind kind = (enum text_kind)choices_below(choices, TEXT_KIND_COUNT);
    size_t count =
        choices_flag(choices) ? codec_raw(choices, text, TEXT_LIMIT) : draw_text(choices, text);
    uint8_t *exact = codec_copy(text, count);
    check_text(kind, exact, count);
    free(exact);
}

/* --- a model of archives ---------------------------------------------------------------------- */

struct model_entry {
    size_t header_at;
    uint64_t size;
    uint64_t mode;
    uint64_t seconds;
    uint8_t path[BLOCK];
    size_t path_count;
};

struct model {
    bool is_whole; /* nothing is wrong up to the end */
    uint32_t count;
    struct model_entry entries[LIMIT_BYTES / BLOCK];
};

static bool model_number(const uint8_t *field, size_t size_bytes, uint64_t *value)
{
    size_t spaces = 0;
    while (spaces < size_bytes && field[spaces] == ' ')
        spaces++;
    size_t end = spaces;
    *value = 0;
    for (; end < size_bytes && field[end] >= '0' && field[end] <= '7'; end++)
        *value = *value * 8 + (field[end] - '0');
    if (end == spaces || end == size_bytes)
        return false;
    for (size_t i = end; i < size_bytes; i++) {
        if (field[i] != ' ' && field[i] != 0)
            return false;
    }
    return true;
}

/* Length of a text field; SIZE_MAX when something follows its end. */
static size_t model_field(const uint8_t *field, size_t size_bytes)
{
    const uint8_t *zero = memchr(field, 0, size_bytes);
    if (zero == NULL)
        return size_bytes;
    size_t length = (size_t)(zero - field);
    return codec_zero(zero, size_bytes - length) ? length : SIZE_MAX;
}

/* The path that a header states, as everybody else writes it; 0: none. */
static size_t model_path_of(const uint8_t *header, uint8_t path[BLOCK])
{
    size_t name = model_field(header, 100);
    size_t prefix = model_field(header + 345, 155);
    bool directory = header[156] == '5';
    char text[BLOCK];
    size_t count = 0;
    if (name == SIZE_MAX || prefix == SIZE_MAX || name == 0)
        return 0;
    memcpy(text, header + 345, prefix);
    if (prefix != 0)
        text[prefix] = '/';
    count = prefix != 0 ? prefix + 1 : 0;
    memcpy(text + count, header, name);
    count += name;
    if (directory && count > 1 && text[count - 1] == '/')
        count--;
    text[count] = 0;
    const char *rest = strcmp(text, ".") == 0 ? "" : strncmp(text, "./", 2) == 0 ? text + 2 : text;
    if (*rest == 0 && !directory)
        return 0;
    if (*rest == 0 && count > 1)
        return 0; /* "./" once the '/' behind a directory is gone is "." */
    size_t length = 1 + strlen(rest);
    path[0] = '/';
    memcpy(path + 1, rest, length);
    return model_path(path, length) ? length : 0;
}

static bool model_link(const uint8_t *header)
{
    size_t length = model_field(header + 157, 100);
    if (header[156] != '2')
        return length == 0;
    return length != SIZE_MAX && model_target(header + 157, length);
}

/* Of all bytes of a block, every other one in a lane of two of a word's eight bytes. */
static uint64_t sum_of(const uint8_t *block)
{
    uint64_t lanes = 0; /* at most 64 * 2 * 255 in each */
    for (size_t i = 0; i < BLOCK; i += sizeof(uint64_t)) {
        uint64_t word = codec_u64(block + i);
        lanes += (word & UINT64_C(0x00FF00FF00FF00FF)) + (word >> 8 & UINT64_C(0x00FF00FF00FF00FF));
    }
    return (lanes & 0xFFFF) + (lanes >> 16 & 0xFFFF) + (lanes >> 32 & 0xFFFF) + (lanes >> 48);
}

static bool model_sum(const uint8_t *header)
{
    uint64_t stated;
    uint64_t sum = sum_of(header) + 8 * ' ';
    for (size_t i = 148; i < 156; i++)
        sum -= header[i];
    return model_number(header + 148, 8, &stated) && stated == sum;
}

static bool model_header(const uint8_t *header, struct model_entry *entry)
{
    uint8_t type = header[156];
    bool file = type == '0' || type == 0;
    return memcmp(header + 257,
                  "ustar\0"
                  "00",
                  8) == 0 &&
           codec_zero(header + 500, 12) && model_sum(header) &&
           (file || type == '2' || type == '5') &&
           (entry->path_count = model_path_of(header, entry->path)) != 0 && model_link(header) &&
           model_number(header + 100, 8, &entry->mode) && entry->mode <= 07777 &&
           model_number(header + 136, 12, &entry->seconds) &&
           model_number(header + 124, 12, &entry->size) && (file || entry->size == 0);
}

static void model_of(const uint8_t *bytes, size_t size_bytes, struct model *model)
{
    size_t at = 0;
    model->is_whole = false;
    model->count = 0;
    while (size_bytes - at >= BLOCK && !codec_zero(bytes + at, BLOCK)) {
        struct model_entry *entry = &model->entries[model->count];
        if (!model_header(bytes + at, entry))
            return;
        uint64_t room = size_bytes - at - BLOCK;
        uint64_t padded = (entry->size + 511) / 512 * 512;
        if (padded > room || !codec_zero(bytes + at + BLOCK + entry->size, padded - entry->size))
            return;
        entry->header_at = at;
        model->count++;
        at += BLOCK + padded;
    }
    model->is_whole = size_bytes - at >= 1024 && codec_zero(bytes + at, size_bytes - at);
}

/* --- archives --------------------------------------------------------------------------------- */

static void check_entry(const uint8_t *bytes, const struct archive_entry *entry,
                        const struct model_entry *model)
{
    const uint8_t *header = bytes + model->header_at;
    size_t path_count = model->path_count;
    PROPERTY(F1, "path",
             entry->path_count == path_count && memcmp(entry->path, model->path, path_count) == 0);
    PROPERTY(F1, "behind",
             codec_zero(entry->path + path_count, sizeof entry->path - path_count) &&
                 codec_zero(entry->target + entry->target_count,
                            sizeof entry->target - entry->target_count));
    PROPERTY_EQUAL(F1, "data", entry->data_bytes, model->size);
    PROPERTY_EQUAL(F1, "place", entry->data_at, model->header_at + BLOCK);
    PROPERTY_EQUAL(F1, "kind", entry->kind,
                   header[156] == '2'   ? ARCHIVE_SYMLINK
                   : header[156] == '5' ? ARCHIVE_DIRECTORY
                                        : ARCHIVE_FILE);
    PROPERTY_EQUAL(F1, "mode", entry->mode, model->mode);
    PROPERTY_EQUAL(F1, "time", entry->modified_seconds, model->seconds);
    PROPERTY_EQUAL(F1, "target", entry->target_count,
                   entry->kind == ARCHIVE_SYMLINK ? model_field(header + 157, 100) : 0);
    PROPERTY(F1, "says", memcmp(entry->target, header + 157, entry->target_count) == 0);
    mark_triple("entry", (unsigned)entry->kind, header[345] != 0, path_count == 1);
    digest_bytes(entry->path, entry->path_count);
    digest_u64(entry->data_bytes);
    TRACE("%.*s: kind %u, mode %o, %zu bytes", (int)entry->path_count, (const char *)entry->path,
          (unsigned)entry->kind, (unsigned)entry->mode, entry->data_bytes);
}

static void check_archive(const uint8_t *bytes, size_t size_bytes, enum codec_mode mode)
{
    static struct model model;
    struct archive_entry entry;
    model_of(bytes, size_bytes, &model);
    enum status status = STATUS_OK;
    uint32_t count = 0;
    for (size_t at = 0, before = 0; status == STATUS_OK; before = at) {
        memset(&entry, 0x5A, sizeof entry);
        status = archive_next(bytes, size_bytes, &at, &entry);
        if (status != STATUS_OK) {
            PROPERTY(F1, "nothing",
                     at == before && codec_zero((const uint8_t *)&entry, sizeof entry));
            break;
        }
        PROPERTY(F1, "more", count < model.count && at > before && at <= size_bytes);
        check_entry(bytes, &entry, &model.entries[count++]);
    }
    mark_triple("archive", (unsigned)mode, count < 3 ? count : 3, (unsigned)status);
    digest_u64((uint64_t)status);
    TRACE("archive of %zu bytes: %u entries, then %s", size_bytes, (unsigned)count,
          status_name(status));
    PROPERTY_EQUAL(F1, "entries", count, model.count);
    PROPERTY_EQUAL(F1, "whole", status == STATUS_NOT_FOUND, model.is_whole);
    PROPERTY(F1, "built", mode != CODEC_BUILT || status == STATUS_NOT_FOUND);
}

/* --- building one ----------------------------------------------------------------------------- */

static void put_octal(uint8_t *field, size_t size_bytes, uint64_t value)
{
    for (size_t i = size_bytes - 1; i > 0; i--, value /= 8)
        field[i - 1] = (uint8_t)('0' + value % 8);
}

static void put_sum(uint8_t *header)
{
    memset(header + 148, ' ', 8);
    put_octal(header + 148, 7, sum_of(header));
    header[154] = 0;
}

/* A header; how many bytes follow it. */
static size_t put_header(struct choices *choices, uint8_t *header, unsigned index)
{
    static const char types[] = {'0', '5', '2', 0};
    static const char *const starts[] = {"", "./", "d/", "\xC3\xA4/"};
    static const uint32_t modes[] = {0644, 0755, 0, 07777};
    char type = types[choices_below(choices, sizeof types)];
    bool file = type == '0' || type == 0;
    size_t size = file ? (size_t)choices_below(choices, 1100) : 0;
    memset(header, 0, BLOCK);
    const char *start = starts[choices_below(choices, 4)];
    if (choices_below(choices, 4) == 3 && *start != '.')
        memset(header + 345, 'p', (size_t)choices_between(choices, 1, 155));
    size_t length = strlen(start);
    memcpy(header, start, length);
    header[length] = 'f';
    header[length + 1] = (uint8_t)('0' + index);
    if (type == '5' && choices_flag(choices))
        header[length + 2] = '/';
    put_octal(header + 100, 8, modes[choices_below(choices, 4)]);
    put_octal(header + 124, 12, size);
    put_octal(header + 136, 12, choices_u8(choices));
    header[156] = (uint8_t)type;
    if (type == '2')
        memcpy(header + 157, (uint8_t[]){'.', '.', '/', 't', (uint8_t)('0' + index)}, 5);
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    put_sum(header);
    return size;
}

/* Its end is two blocks, or all that is left. */
static size_t build(struct choices *choices, uint8_t *bytes)
{
    size_t at = 0;
    for (unsigned left = (unsigned)choices_below(choices, 5); left > 0; left--) {
        size_t size = put_header(choices, bytes + at, left);
        size_t padded = (size + 511) / 512 * 512;
        memset(bytes + at + BLOCK, 'd', size);
        memset(bytes + at + BLOCK + size, 0, padded - size);
        at += BLOCK + padded;
    }
    size_t end = choices_flag(choices) ? LIMIT_BYTES : at + 1024;
    memset(bytes + at, 0, end - at);
    return end;
}

/* Names at the edges of what a path can be made of. */
static void put_odd_name(struct choices *choices, uint8_t *header)
{
    static const char *const names[] = {"",    ".",    "./",  ".//",  "/",     "//", "./.",  "..",
                                        "./a", "./a/", "a//", "a//b", "././a", "/a", "a/..", ".a"};
    memset(header, 0, 100);
    strcpy((char *)header, names[choices_below(choices, sizeof names / sizeof names[0])]);
    if (choices_flag(choices))
        header[156] = '5';
    put_sum(header);
}

/* An edit; where one is made in a header its sum is made right again, mostly. */
static void edit(struct choices *choices, uint8_t *bytes, size_t *size_bytes)
{
    static const uint16_t places[] = {0,   1,   2,   99,  100, 107, 124, 135, 136, 156,
                                      157, 256, 257, 262, 263, 264, 345, 499, 500, 511};
    static const uint8_t values[] = {0, '/', '.', ' ', '0', '7', '8', '1', '5', 'x', 0x80, 0xFF};
    for (uint64_t left = choices_between(choices, 1, 4); left > 0; left--) {
        size_t block = (size_t)choices_below(choices, *size_bytes / BLOCK + 1) * BLOCK;
        if (choices_below(choices, 4) == 0 || block + BLOCK > *size_bytes) {
            codec_edit_once(choices, bytes, size_bytes, LIMIT_BYTES);
            continue;
        }
        if (choices_below(choices, 4) == 0) {
            put_odd_name(choices, bytes + block);
            continue;
        }
        bytes[block + places[choices_below(choices, sizeof places / sizeof places[0])]] =
            values[choices_below(choices, sizeof values)];
        if (choices_below(choices, 8) != 7)
            put_sum(bytes + block);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    uint8_t built[LIMIT_BYTES];
    size_t built_bytes;
    if (choices_below(&choices, 3) == 2) {
        run_text(&choices);
        return 0;
    }
    enum codec_mode mode = codec_mode(&choices);
    if (mode == CODEC_RAW)
        built_bytes = codec_raw(&choices, built, LIMIT_BYTES);
    else
        built_bytes = build(&choices, built);
    if (mode == CODEC_EDITED)
        edit(&choices, built, &built_bytes);
    uint8_t *exact = codec_copy(built, built_bytes);
    check_archive(exact, built_bytes, mode);
    free(exact);
    return 0;
}
