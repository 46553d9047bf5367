/* SPDX-License-Identifier: ISC */
/* Fixtures of the binary formats: at least one accepted and one refused per rule, each with its
 * exact status (R2, E2). Prints one line per test; exit 1 when one failed. */
#include "props/tests/formats/formats_test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/formats/boot_name.h"
#include "abi/formats/cursor.h"
#include "abi/formats/sha256.h"
#include "abi/formats/sha256_lanes.h"

void test_status(const char *format, const char *what, enum status expected, enum status got)
{
    if (expected != got)
        printf("       %s expected, %s found\n", status_name(expected), status_name(got));
    expect_of(format, what, expected == got);
}

bool all_zero(const void *bytes, size_t size_bytes)
{
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < size_bytes; i++) {
        if (byte[i] != 0)
            return false;
    }
    return true;
}

static unsigned digit_of(char digit)
{
    const char *digits = "0123456789abcdef";
    const char *found = digit == 0 ? NULL : strchr(digits, tolower((unsigned char)digit));
    if (found == NULL) {
        fprintf(stderr, "formats_test: \"%c\" in a fixture is no hex digit\n", digit);
        exit(2);
    }
    return (unsigned)(found - digits);
}

/* Writes the hex bytes of `hex` from `offset` on, up to its end or an '@'. */
static const char *put_hex(struct fixture *fixture, size_t offset, const char *hex)
{
    while (*hex != 0 && *hex != '@') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        unsigned high = digit_of(hex[0]);
        fixture->bytes[offset++] = (uint8_t)(high << 4 | digit_of(hex[1]));
        hex += 2;
        if (offset > fixture->size_bytes)
            fixture->size_bytes = offset;
    }
    return hex;
}

struct fixture fixture_of(const char *hex)
{
    struct fixture fixture = {.size_bytes = 0};
    put_hex(&fixture, 0, hex);
    return fixture;
}

struct fixture fixture_vary(const struct fixture *base, const struct variation *variation)
{
    struct fixture varied = *base;
    const char *edits = variation->edits;
    while (*edits == '@') {
        char *rest;
        size_t offset = strtoul(edits + 1, &rest, 16);
        edits = put_hex(&varied, offset, rest);
    }
    if (variation->size_bytes != WHOLE)
        varied.size_bytes = (size_t)variation->size_bytes;
    return varied;
}

static bool digest_is(const uint8_t digest[SHA256_BYTES], const char *hex)
{
    struct fixture expected = fixture_of(hex);
    return expected.size_bytes == SHA256_BYTES && memcmp(digest, expected.bytes, SHA256_BYTES) == 0;
}

/* The examples of FIPS 180-4 and its one-million-letter message. */
static void test_sha256(void)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const char million[] =
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    static const char long_message[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                                       "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    uint8_t digest[SHA256_BYTES];
    sha256_of(NULL, 0, digest);
    expect_of(
        "sha256", "the empty message",
        digest_is(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    sha256_of("abc", 3, digest);
    expect_of(
        "sha256", "one block",
        digest_is(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    sha256_of(two_blocks, sizeof two_blocks - 1, digest);
    expect_of(
        "sha256", "padding that needs a second block",
        digest_is(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    sha256_of(long_message, sizeof long_message - 1, digest);
    expect_of(
        "sha256", "two blocks",
        digest_is(digest, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"));
    uint8_t letters[1000];
    struct sha256 state;
    memset(letters, 'a', sizeof letters);
    sha256_init(&state);
    for (unsigned left = 1000000, step = 1; left > 0; left -= step) {
        step = step % 997 + 1; /* every phase of a block is met */
        step = step < left ? step : left;
        sha256_update(&state, letters, step);
    }
    sha256_final(&state, digest);
    expect_of("sha256", "a million letters in uneven pieces", digest_is(digest, million));
}

/* Messages side by side, against each by itself: each number of them up to one more than there are
 * lanes, and each length around the ends of blocks, next to others of all those lengths. */
static void test_sha256_lanes(void)
{
    enum { LENGTHS = 200, TOGETHER = 5, STEP = 61 };
    static uint8_t bytes[LENGTHS + TOGETHER];
    uint8_t digests[TOGETHER][SHA256_BYTES];
    uint8_t alone[SHA256_BYTES];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i + 7 * i);
    bool same = true;
    for (unsigned count = 0; count <= TOGETHER; count++) {
        for (unsigned first = 0; first < LENGTHS; first++) {
            struct sha256_message messages[TOGETHER];
            for (unsigned i = 0; i < count; i++)
                messages[i] = (struct sha256_message){bytes + i, (first + i * STEP) % LENGTHS};
            memset(digests, 0xA5, sizeof digests);
            sha256_of_each(messages, count, digests);
            for (unsigned i = 0; i < count; i++) {
                sha256_of(messages[i].bytes, messages[i].size_bytes, alone);
                same = same && memcmp(digests[i], alone, sizeof alone) == 0;
            }
            for (unsigned i = count; i < TOGETHER; i++)
                same = same && digests[i][0] == 0xA5 && digests[i][SHA256_BYTES - 1] == 0xA5;
        }
    }
    expect_of("sha256", "messages side by side have the digests that they have alone", same);
}

/* A reader that ran over its end stays failed and gives zeros; so does a writer. */
static void test_cursor(void)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 9};
    uint8_t copy[4] = {7, 7, 7, 7};
    struct reader reader = reader_over(bytes, sizeof bytes);
    expect_of("cursor", "little-endian",
              read_u8(&reader) == 1 && read_u16(&reader) == 0x0302 &&
                  read_u32(&reader) == 0x07060504 && reader_left(&reader) == 4);
    reader_seek(&reader, 0);
    expect_of("cursor", "eight bytes", read_u64(&reader) == UINT64_C(0x0807060504030201));
    expect_of("cursor", "zeros are zero", read_zero(&reader, 2) && !reader.failed);
    expect_of("cursor", "a nine is not", !read_zero(&reader, 1) && !reader.failed);
    expect_of("cursor", "the end may be read to", reader_left(&reader) == 0 && !reader.failed);
    expect_of("cursor", "and not past", read_u8(&reader) == 0 && reader.failed);
    reader_seek(&reader, 0);
    read_bytes(&reader, copy, sizeof copy);
    expect_of("cursor", "failed stays failed",
              all_zero(copy, sizeof copy) && reader.failed && reader_left(&reader) == 0 &&
                  !read_zero(&reader, 1));
    reader = reader_over(bytes, 3);
    expect_of("cursor", "no part of a number", read_u32(&reader) == 0 && reader.failed);
    reader = reader_over(bytes, 3);
    reader_seek(&reader, 4);
    expect_of("cursor", "no seek past the end", reader.failed);
    reader = reader_over(NULL, 0);
    read_bytes(&reader, copy, 0);
    expect_of("cursor", "nothing of nothing", !reader.failed);
    struct writer writer = writer_over(copy, sizeof copy);
    write_u16(&writer, 0x0201);
    write_u32(&writer, 0xFFFFFFFF);
    write_u8(&writer, 3);
    expect_of("cursor", "a failed writer writes nothing",
              writer.failed && writer.offset_bytes == 2 && copy[0] == 1 && copy[1] == 2 &&
                  copy[2] == 0 && copy[3] == 0);
}

static void test_ranges(void)
{
    expect_of("range", "up to the limit", range_within(3, 5, 8) && range_within(8, 0, 8));
    expect_of("range", "one past it", !range_within(3, 6, 8) && !range_within(9, 0, 8));
    expect_of("range", "up to 2^64-1", range_within(1, UINT64_MAX - 1, UINT64_MAX));
    expect_of("range", "wrapping",
              !range_within(1, UINT64_MAX, UINT64_MAX) &&
                  !range_within(UINT64_MAX, UINT64_MAX, UINT64_MAX));
    expect_of("range", "neighbours do not overlap",
              !range_overlaps(0, 4, 4, 4) && !range_overlaps(4, 4, 0, 4));
    expect_of("range", "a shared element does",
              range_overlaps(0, 5, 4, 4) && range_overlaps(4, 4, 0, 5) &&
                  range_overlaps(0, 9, 4, 1) && range_overlaps(4, 1, 0, 9));
    expect_of("range", "an empty one overlaps nothing",
              !range_overlaps(2, 0, 0, 9) && !range_overlaps(0, 9, 2, 0));
}

static void name_status(const char *what, const char *bytes, size_t count, enum status expected)
{
    char name[BOOT_MODULE_NAME_BYTES] = {0};
    memcpy(name, bytes, count);
    test_status("name", what, expected, boot_name_check(name));
}

static void test_names(void)
{
    name_status("one byte", "a", 1, STATUS_OK);
    name_status("ends of the alphabet", "az09-", 5, STATUS_OK);
    name_status("23 bytes", "abcdefghijklmnopqrstuvw", 23, STATUS_OK);
    name_status("empty", "", 0, STATUS_BAD_TEXT);
    name_status("24 bytes, unterminated", "abcdefghijklmnopqrstuvwx", 24, STATUS_BAD_TEXT);
    name_status("below a", "`", 1, STATUS_BAD_TEXT);
    name_status("above z", "{", 1, STATUS_BAD_TEXT);
    name_status("below 0", "/", 1, STATUS_BAD_TEXT);
    name_status("above 9", ":", 1, STATUS_BAD_TEXT);
    name_status("upper case", "A", 1, STATUS_BAD_TEXT);
    name_status("next to the dash", ".", 1, STATUS_BAD_TEXT);
    name_status("blank inside", "a b", 3, STATUS_BAD_TEXT);
    name_status("a letter after the end", "a\0b", 3, STATUS_RESERVED_NOT_ZERO);
    char name[BOOT_MODULE_NAME_BYTES];
    test_status("name", "set", STATUS_OK, boot_name_set(name, "memd"));
    expect_of("name", "is", boot_name_is(name, "memd"));
    expect_of("name", "is not a longer one", !boot_name_is(name, "memdx"));
    expect_of("name", "is not a shorter one", !boot_name_is(name, "mem"));
    test_status("name", "set the longest", STATUS_OK,
                boot_name_set(name, "abcdefghijklmnopqrstuvw"));
    expect_of("name", "is the longest", boot_name_is(name, "abcdefghijklmnopqrstuvw"));
    test_status("name", "set too long", STATUS_BAD_TEXT,
                boot_name_set(name, "abcdefghijklmnopqrstuvwx"));
    expect_of("name", "a refused set leaves zeros", all_zero(name, sizeof name));
    test_status("name", "set outside the alphabet", STATUS_BAD_TEXT, boot_name_set(name, "Memd"));
    expect_of("name", "a refused set leaves zeros again", all_zero(name, sizeof name));
}

/* Two names are equal when no byte differs, wherever it stands. */
static void test_names_equal(void)
{
    static const char longest[BOOT_MODULE_NAME_BYTES] = "abcdefghijklmnopqrstuvw";
    char other[BOOT_MODULE_NAME_BYTES];
    memcpy(other, longest, sizeof other);
    expect_of("name", "equal to the same bytes", boot_name_equal(longest, other));
    for (size_t i = 0; i < sizeof other - 1; i++) {
        other[i] = 'z';
        bool differs = !boot_name_equal(longest, other) && !boot_name_equal(other, longest);
        expect_of("name", "one byte makes another name", differs);
        other[i] = longest[i];
    }
    other[sizeof other - 2] = 0;
    expect_of("name", "so does a last byte that is missing", !boot_name_equal(longest, other));
}

int main(int count, char **arguments)
{
    (void)count;
    test_cursor();
    test_ranges();
    test_sha256();
    test_sha256_lanes();
    test_names();
    test_names_equal();
    test_envelope();
    test_handoff();
    test_boot_config();
    test_boot_image();
    test_elf_plan();
    test_elf_linked();
    return tests_end(arguments[0]);
}
