/* SPDX-License-Identifier: ISC */
/* Fixtures of the two intakes: start envelope and kernel -> root handoff. */
#include <string.h>

#include "abi/capability.h"
#include "abi/formats/envelope.h"
#include "abi/formats/handoff.h"
#include "abi/slots.h"
#include "props/tests/formats/formats_test.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* vspaced's: SELF, its endpoint, a peer (memd) at slot 16, its primary control slot 2240. */
static const char envelope_hex[] =
    "42415341 4c545345 0100 0000 78000000 03000000 04000000 02000000 c0080000"
    "01000000 20090000 01000000 00000000 88130000 00000000"
    "01000000 1000 8000 00000000 00000000"
    "02000000 0500 0200 00000000 00000000"
    "10000000 0500 0100 02000000 00000000"
    "c0080000 1200 8000 00000000 00000000";

static const struct variation envelope_variations[] = {
    {"a window of one slot",
     "@c 48000000 @14 01000000 @1c 00000000 @20 02000000 @24 02000000 @38 02000000 0500 0200", 72,
     STATUS_OK},
    {"SELF as primary control slot", "@1c 01000000", WHOLE, STATUS_OK},
    {"no rows", "@c 38000000 @14 00000000", 56, STATUS_INVALID_ARGUMENT},
    {"no primary control slot", "@1c 00000000", WHOLE, STATUS_OK},
    {"window ends with the last slot named", "@24 c0080000", WHOLE, STATUS_OK},
    {"window ends with the last slot there is", "@24 ffff0100", WHOLE, STATUS_OK},
    {"profile none", "@28 00000000", WHOLE, STATUS_OK},
    {"any deadline", "@30 ffffffffffffffff", WHOLE, STATUS_OK},
    {"no bytes", "", 0, STATUS_TRUNCATED},
    {"one byte short of a header", "", 55, STATUS_TRUNCATED},
    {"another magic", "@7 46", WHOLE, STATUS_BAD_MAGIC},
    {"major 2", "@8 0200", WHOLE, STATUS_BAD_VERSION},
    {"major 0", "@8 0000", WHOLE, STATUS_BAD_VERSION},
    {"minor 1", "@a 0100", WHOLE, STATUS_BAD_VERSION},
    {"total_bytes one more", "@c 79", WHOLE, STATUS_BAD_LENGTH},
    {"one byte too many", "", 121, STATUS_BAD_LENGTH},
    {"one byte missing", "", 119, STATUS_BAD_LENGTH},
    {"a row more than counted", "@14 03000000", WHOLE, STATUS_BAD_LENGTH},
    {"a row less than counted", "@c 68000000", 104, STATUS_BAD_LENGTH},
    {"49 rows", "@14 31000000", WHOLE, STATUS_EXHAUSTED},
    {"2^32-1 rows", "@14 ffffffff", WHOLE, STATUS_EXHAUSTED},
    {"memory of 4 GiB", "@2c 00001000", WHOLE, STATUS_OK},
    {"a page more than tables grow with", "@2c 01001000", WHOLE, STATUS_OUT_OF_RANGE},
    {"reserved of the first row", "@44 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"reserved of the last row", "@77 80", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"role 0", "@10 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"profile hostile", "@28 02000000", WHOLE, STATUS_OK},
    {"profile attacks", "@28 03000000", WHOLE, STATUS_OK},
    {"profile graph", "@28 04000000", WHOLE, STATUS_OK},
    {"profile console", "@28 05000000", WHOLE, STATUS_OK},
    {"profile 12", "@28 0c000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"window with slot 0", "@20 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"empty window", "@20 21090000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"window past the last slot", "@24 00004000", WHOLE, STATUS_OUT_OF_RANGE},
    {"slot below the window", "@20 02000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"slot above the window", "@24 bf080000", WHOLE, STATUS_OUT_OF_RANGE},
    {"legacy slot 4", "@58 04000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"type NONE", "@5c 0000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"type REPLY", "@5c 0600", WHOLE, STATUS_INVALID_ARGUMENT},
    {"type between the tables", "@5c 0900", WHOLE, STATUS_INVALID_ARGUMENT},
    {"type past the table", "@5c ffff", WHOLE, STATUS_INVALID_ARGUMENT},
    {"no rights", "@5e 0000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"a right the type lacks", "@5e 0900", WHOLE, STATUS_INVALID_ARGUMENT},
    {"an unknown right", "@5e 0180", WHOLE, STATUS_INVALID_ARGUMENT},
    {"a slot twice", "@58 02000000", WHOLE, STATUS_DUPLICATE},
    {"slots descend", "@48 11000000", WHOLE, STATUS_BAD_ORDER},
    {"service endpoint is no row", "@18 03000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"service endpoint is no endpoint", "@18 01000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"service endpoint without receive", "@18 10000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"primary control slot is no row", "@1c d0080000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"primary control slot is an endpoint", "@1c 10000000", WHOLE, STATUS_INVALID_ARGUMENT},
};

/* Every accepted fixture must come back byte for byte; every refused one must leave zeros. */
static void try_envelope(const struct fixture *fixture, const char *what, enum status expected)
{
    static struct envelope parsed;
    uint8_t again[ENVELOPE_BYTES_MAX];
    size_t written;
    memset(&parsed, 0xA5, sizeof parsed);
    enum status status = envelope_parse(fixture->bytes, fixture->size_bytes, &parsed);
    test_status("envelope", what, expected, status);
    if (status != STATUS_OK) {
        expect_of("envelope", "  leaves zeros", all_zero(&parsed, sizeof parsed));
        return;
    }
    status = envelope_encode(&parsed, again, fixture->size_bytes, &written);
    expect_of("envelope", "  encodes back (E2)",
              status == STATUS_OK && written == fixture->size_bytes &&
                  memcmp(again, fixture->bytes, written) == 0);
}

/* As many rows as there can be: endpoints after the sound ones. */
static void test_full_envelope(const struct envelope *sound)
{
    static struct envelope full;
    static struct fixture fixture;
    size_t written;
    full = *sound;
    full.slot_window_last = SLOT_LIMIT - 1;
    while (full.entry_count < ENVELOPE_ENTRY_LIMIT) {
        full.entries[full.entry_count] = (struct envelope_entry){
            .slot = 4096 + full.entry_count, .object_type = OBJECT_ENDPOINT, .rights = RIGHT_SEND};
        full.entry_count++;
    }
    test_status("envelope", "encode 48 rows", STATUS_OK,
                envelope_encode(&full, fixture.bytes, ENVELOPE_BYTES_MAX, &written));
    fixture.size_bytes = written;
    expect_of("envelope", "  fill ENVELOPE_BYTES_MAX", written == ENVELOPE_BYTES_MAX);
    try_envelope(&fixture, "  and are accepted", STATUS_OK);
}

void test_envelope(void)
{
    struct fixture base = fixture_of(envelope_hex);
    struct envelope parsed;
    uint8_t bytes[ENVELOPE_BYTES_MAX];
    size_t written = 1;
    try_envelope(&base, "accepted", STATUS_OK);
    envelope_parse(base.bytes, base.size_bytes, &parsed);
    expect_of("envelope", "header fields",
              parsed.role == 3 && parsed.entry_count == 4 && parsed.service_endpoint_slot == 2 &&
                  parsed.primary_control_slot == 2240 && parsed.slot_window_first == 1 &&
                  parsed.slot_window_last == 2336 && parsed.validation_profile == 1 &&
                  parsed.ready_ticks == 5000);
    expect_of("envelope", "row fields",
              parsed.entries[2].slot == 16 && parsed.entries[2].object_type == OBJECT_ENDPOINT &&
                  parsed.entries[2].rights == RIGHT_SEND && parsed.entries[2].peer_role == 2);
    expect_of("envelope", "find",
              envelope_find(&parsed, 2240) == &parsed.entries[3] &&
                  envelope_find(&parsed, 4) == NULL && envelope_find(&parsed, 0) == NULL);
    memset(bytes, 0xA5, sizeof bytes);
    test_status("envelope", "encode into too few bytes", STATUS_EXHAUSTED,
                envelope_encode(&parsed, bytes, base.size_bytes - 1, &written));
    expect_of("envelope", "  writes nothing", written == 0 && bytes[0] == 0xA5);
    test_full_envelope(&parsed);
    parsed.entry_count = ENVELOPE_ENTRY_LIMIT + 1;
    test_status("envelope", "49 rows", STATUS_EXHAUSTED, envelope_validate(&parsed));
    test_status("envelope", "encode 49 rows", STATUS_EXHAUSTED,
                envelope_encode(&parsed, bytes, sizeof bytes, &written));
    for (size_t i = 0; i < COUNT(envelope_variations); i++) {
        struct fixture varied = fixture_vary(&base, &envelope_variations[i]);
        try_envelope(&varied, envelope_variations[i].what, envelope_variations[i].status);
    }
}

/* 65,536 pages, 1,024 of them free in two untyped objects; modules rootd and boot-config. */
static const char handoff_hex[] =
    "42415341 4c54484f 0100 0000 d8000000 02000000 05000000 0070000000000000"
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    "0000010000000000 0004000000000000 02000000 02000000"
    "20000000 00000000 0001000000000000"
    "21000000 00000000 0003000000000000"
    "726f6f7464 00000000000000000000000000000000000000 01000000 00000000"
    "0020000000000000 0118000000000000"
    "626f6f742d636f6e666967 00000000000000000000000000 02000000 00000000"
    "0040000000000000 6000000000000000";

static const struct variation handoff_variations[] = {
    {"nothing but an image", "@c 58000000 @48 0000000000000000 @50 00000000 @54 00000000", 88,
     STATUS_OK},
    {"no modules", "@c 78000000 @54 00000000", 120, STATUS_OK},
    {"every page is free", "@40 0004000000000000", WHOLE, STATUS_OK},
    {"a module that ends with the image", "@d0 0030000000000000", WHOLE, STATUS_OK},
    {"modules on neighbouring pages", "@a0 0020000000000000", WHOLE, STATUS_OK},
    {"no bytes", "", 0, STATUS_TRUNCATED},
    {"one byte short of a header", "", 87, STATUS_TRUNCATED},
    {"another magic", "@0 43", WHOLE, STATUS_BAD_MAGIC},
    {"major 2", "@8 0200", WHOLE, STATUS_BAD_VERSION},
    {"minor 1", "@a 0100", WHOLE, STATUS_BAD_VERSION},
    {"total_bytes one less", "@c d7", WHOLE, STATUS_BAD_LENGTH},
    {"one byte too many", "", 217, STATUS_BAD_LENGTH},
    {"one byte missing", "", 215, STATUS_BAD_LENGTH},
    {"a module less than counted", "@c a8000000", 168, STATUS_BAD_LENGTH},
    {"17 untyped rows", "@50 11000000", WHOLE, STATUS_EXHAUSTED},
    {"65 modules", "@54 41000000", WHOLE, STATUS_EXHAUSTED},
    {"reserved of an untyped row", "@5c 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"reserved of a module row", "@97 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"a letter after a name's end", "@7e 61", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"a name outside the alphabet", "@78 52", WHOLE, STATUS_BAD_TEXT},
    {"an empty name", "@78 0000000000", WHOLE, STATUS_BAD_TEXT},
    {"root endpoint slot 0", "@10 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"root endpoint in the legacy slot", "@10 04000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"root endpoint past the last slot", "@10 00004000", WHOLE, STATUS_OUT_OF_RANGE},
    {"image slot 0", "@14 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"image in the legacy slot", "@14 04000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"image past the last slot", "@14 ffffffff", WHOLE, STATUS_OUT_OF_RANGE},
    {"one slot for endpoint and image", "@14 02000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"one slot for endpoint and untyped", "@10 21000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"one slot for image and untyped", "@14 20000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"no image", "@18 0000000000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"image of broken pages", "@18 0170000000000000", WHOLE, STATUS_NOT_ALIGNED},
    {"more free pages than pages", "@40 ff03000000000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"a free page in no untyped", "@48 0104000000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"an untyped page not free", "@48 ff03000000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"untyped pages wrap", "@60 ffffffffffffffff", WHOLE, STATUS_INVALID_ARGUMENT},
    {"untyped below its window", "@58 1f000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"untyped above its window", "@68 30000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"untyped without pages", "@60 0000000000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"an untyped slot twice", "@68 20000000", WHOLE, STATUS_DUPLICATE},
    {"untyped slots descend", "@58 22000000", WHOLE, STATUS_BAD_ORDER},
    {"module kind 0", "@90 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"module kind 4", "@90 04000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"module without bytes", "@a0 0000000000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"module offset inside a page", "@98 0120000000000000", WHOLE, STATUS_NOT_ALIGNED},
    {"module past the image's end", "@d0 0130000000000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"module range wraps", "@c8 00f0ffffffffffff @d0 0020000000000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"modules share a page", "@a0 0120000000000000", WHOLE, STATUS_OVERLAP},
    {"modules at one offset", "@c8 0020000000000000", WHOLE, STATUS_OVERLAP},
    {"modules descend", "@c8 0010000000000000", WHOLE, STATUS_BAD_ORDER},
    {"a module name twice", "@a8 726f6f7464000000000000", WHOLE, STATUS_DUPLICATE},
};

static void try_handoff(const struct fixture *fixture, const char *what, enum status expected);

/* Every table full: sixteen untyped objects, sixty-four modules, one page each. */
static void test_full_handoff(void)
{
    static struct handoff full;
    static struct fixture fixture;
    size_t written;
    full = (struct handoff){.root_endpoint_slot = 2,
                            .image_slot = 5,
                            .image_bytes = (uint64_t)BOOT_MODULE_LIMIT * PAGE_BYTES,
                            .page_count = HANDOFF_UNTYPED_LIMIT,
                            .free_pages = HANDOFF_UNTYPED_LIMIT,
                            .untyped_count = HANDOFF_UNTYPED_LIMIT,
                            .module_count = BOOT_MODULE_LIMIT};
    for (uint32_t i = 0; i < HANDOFF_UNTYPED_LIMIT; i++)
        full.untyped[i] = (struct handoff_untyped){.slot = 32 + i, .pages = 1};
    for (uint32_t i = 0; i < BOOT_MODULE_LIMIT; i++)
        full.modules[i] =
            (struct handoff_module){.name = {(char)('a' + i / 26), (char)('a' + i % 26)},
                                    .kind = 3,
                                    .offset_bytes = (uint64_t)i * PAGE_BYTES,
                                    .size_bytes = PAGE_BYTES};
    test_status("handoff", "encode with every table full", STATUS_OK,
                handoff_encode(&full, fixture.bytes, HANDOFF_BYTES_MAX, &written));
    fixture.size_bytes = written;
    expect_of("handoff", "  fills HANDOFF_BYTES_MAX", written == HANDOFF_BYTES_MAX);
    try_handoff(&fixture, "  and is accepted", STATUS_OK);
}

static void try_handoff(const struct fixture *fixture, const char *what, enum status expected)
{
    static struct handoff parsed;
    static uint8_t again[HANDOFF_BYTES_MAX];
    size_t written;
    memset(&parsed, 0xA5, sizeof parsed);
    enum status status = handoff_parse(fixture->bytes, fixture->size_bytes, &parsed);
    test_status("handoff", what, expected, status);
    if (status != STATUS_OK) {
        expect_of("handoff", "  leaves zeros", all_zero(&parsed, sizeof parsed));
        return;
    }
    status = handoff_encode(&parsed, again, fixture->size_bytes, &written);
    expect_of("handoff", "  encodes back (E2)",
              status == STATUS_OK && written == fixture->size_bytes &&
                  memcmp(again, fixture->bytes, written) == 0);
}

void test_handoff(void)
{
    struct fixture base = fixture_of(handoff_hex);
    static struct handoff parsed;
    static uint8_t bytes[HANDOFF_BYTES_MAX];
    size_t written = 1;
    try_handoff(&base, "accepted", STATUS_OK);
    handoff_parse(base.bytes, base.size_bytes, &parsed);
    expect_of("handoff", "header fields",
              parsed.root_endpoint_slot == 2 && parsed.image_slot == 5 &&
                  parsed.image_bytes == 0x7000 && parsed.image_digest[31] == 0x1F &&
                  parsed.page_count == 65536 && parsed.free_pages == 1024 &&
                  parsed.untyped_count == 2 && parsed.module_count == 2);
    expect_of("handoff", "row fields",
              parsed.untyped[1].slot == 33 && parsed.untyped[1].pages == 768 &&
                  parsed.modules[0].kind == 1 && parsed.modules[0].offset_bytes == 0x2000 &&
                  parsed.modules[0].size_bytes == 0x1801 &&
                  strcmp(parsed.modules[1].name, "boot-config") == 0);
    expect_of("handoff", "find",
              handoff_find(&parsed, "boot-config") == 1 && handoff_find(&parsed, "memd") == -1 &&
                  handoff_find(&parsed, "") == -1);
    bytes[0] = 0xA5;
    test_status("handoff", "encode into too few bytes", STATUS_EXHAUSTED,
                handoff_encode(&parsed, bytes, base.size_bytes - 1, &written));
    expect_of("handoff", "  writes nothing", written == 0 && bytes[0] == 0xA5);
    test_full_handoff();
    parsed.module_count = BOOT_MODULE_LIMIT + 1;
    test_status("handoff", "encode 65 modules", STATUS_EXHAUSTED,
                handoff_encode(&parsed, bytes, sizeof bytes, &written));
    for (size_t i = 0; i < COUNT(handoff_variations); i++) {
        struct fixture varied = fixture_vary(&base, &handoff_variations[i]);
        try_handoff(&varied, handoff_variations[i].what, handoff_variations[i].status);
    }
}
