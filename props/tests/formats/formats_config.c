/* SPDX-License-Identifier: ISC */
/* Fixtures of the boot config ERIXBCFG v1, and of the launch order it fixes (R3). */
#include <string.h>

#include "abi/formats/boot_config.h"
#include "props/tests/formats/formats_test.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* procd (role 5) needs nothing; memd (role 2) needs procd; one mount by memd. Offsets:
 * 20 role, 24 kind, 28 flags, 2c count, 30 dependencies, 40 ready, 48 module; the second entry
 * 40 further on; the mount at a0: a4 role, a8 flags, ac reserved, b0 source, c0 path. */
/* One limit row behind the fixture's rows, and bytes of it. */
#define LIMIT_AT "@c 00010000 @1c 01000000 @e0 "
#define ZEROS_8  "0000000000000000"
#define ZEROS_12 "000000000000000000000000"
#define ZEROS_19 "00000000000000000000000000000000000000"
#define ZEROS_20 "0000000000000000000000000000000000000000"

static const char config_hex[] =
    "45524958 42434647 0100 0000 e0000000 02000000 01000000 01000000 00000000"
    "05000000 01000000 01000000 00000000 00000000 00000000 00000000 00000000"
    "8813000000000000 70726f6364 00000000000000000000000000000000000000"
    "02000000 01000000 02000000 01000000 05000000 00000000 00000000 00000000"
    "0100000000000000 6d656d64 0000000000000000000000000000000000000000"
    "4d4e5431 02000000 01000000 00000000 72616d30 000000000000000000000000"
    "2f626f6f742f612e62 0000000000000000000000000000000000000000000000";

static const struct variation config_variations[] = {
    {"no mounts", "@c a0000000 @14 00000000", 160, STATUS_OK},
    {"profile none", "@18 00000000", WHOLE, STATUS_OK},
    {"a driver of deviced", "@64 02000000", WHOLE, STATUS_OK},
    {"the longest time for READY", "@40 c027090000000000", WHOLE, STATUS_OK},
    {"a mount that may be written", "@a8 00000000", WHOLE, STATUS_OK},
    {"a mount on /", "@c0 2f0000000000000000", WHOLE, STATUS_OK},
    {"a path of 31 bytes", "@c9 63636363636363636363636363636363636363636363", WHOLE, STATUS_OK},
    {"a component that starts with two dots", "@c6 2e2e61", WHOLE, STATUS_OK},
    {"a component of three dots", "@c6 2e2e2e", WHOLE, STATUS_OK},
    {"a source name of 15 bytes", "@b4 2d612d612d612d612d6130", WHOLE, STATUS_OK},
    {"a path of every kind of byte", "@c0 2f617a2f30392f2d2e5f", WHOLE, STATUS_OK},
    {"a mount by the first entry", "@a4 05000000", WHOLE, STATUS_OK},
    {"a path byte below a", "@c1 60", WHOLE, STATUS_BAD_TEXT},
    {"a path byte above z", "@c1 7b", WHOLE, STATUS_BAD_TEXT},
    {"a path byte above 9", "@c1 3a", WHOLE, STATUS_BAD_TEXT},
    {"no bytes", "", 0, STATUS_TRUNCATED},
    {"one byte short of a header", "", 31, STATUS_TRUNCATED},
    {"another magic", "@0 65", WHOLE, STATUS_BAD_MAGIC},
    {"major 2", "@8 0200", WHOLE, STATUS_BAD_VERSION},
    {"minor 1", "@a 0100", WHOLE, STATUS_BAD_VERSION},
    {"total_bytes one more", "@c e1", WHOLE, STATUS_BAD_LENGTH},
    {"one byte too many", "", 225, STATUS_BAD_LENGTH},
    {"one byte missing", "", 223, STATUS_BAD_LENGTH},
    {"a mount less than counted", "@c a0000000", 160, STATUS_BAD_LENGTH},
    {"no entries", "@c 20000000 @10 00000000 @14 00000000", 32, STATUS_INVALID_ARGUMENT},
    {"65 entries", "@10 41000000", WHOLE, STATUS_EXHAUSTED},
    {"17 mounts", "@14 11000000", WHOLE, STATUS_EXHAUSTED},
    {"profile hostile", "@18 02000000", WHOLE, STATUS_OK},
    {"profile attacks", "@18 03000000", WHOLE, STATUS_OK},
    {"profile graph", "@18 04000000", WHOLE, STATUS_OK},
    {"profile console", "@18 05000000", WHOLE, STATUS_OK},
    {"profile 12", "@18 0c000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"role 0", "@60 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"launch kind 0", "@24 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"launch kind 3", "@24 03000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"neither required nor optional", "@28 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"required and optional", "@28 03000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"an unknown flag", "@28 05000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"five dependencies", "@6c 05000000", WHOLE, STATUS_EXHAUSTED},
    {"a dependency that is not counted", "@6c 00000000", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"the last unused dependency is not zero", "@7c 05000000", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"dependency on role 0", "@70 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"dependency on itself", "@70 02000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"a dependency twice", "@6c 02000000 @74 05000000", WHOLE, STATUS_DUPLICATE},
    {"dependency on no entry", "@70 06000000", WHOLE, STATUS_NOT_FOUND},
    {"a cycle of two", "@2c 01000000 @30 02000000", WHOLE, STATUS_BAD_ORDER},
    {"no time for READY", "@40 0000000000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"a tick too many for READY", "@40 c127090000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"READY after 2^63 ticks", "@47 80", WHOLE, STATUS_INVALID_ARGUMENT},
    {"a role twice", "@60 05000000 @6c 00000000 @70 00000000", WHOLE, STATUS_DUPLICATE},
    {"a module twice", "@88 70726f6364", WHOLE, STATUS_DUPLICATE},
    {"an empty module name", "@48 0000000000", WHOLE, STATUS_BAD_TEXT},
    {"a module name outside the alphabet", "@48 50", WHOLE, STATUS_BAD_TEXT},
    {"a letter after a module name's end", "@5f 61", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"another mount tag", "@a3 32", WHOLE, STATUS_BAD_MAGIC},
    {"reserved of the mount", "@ac 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"mount by no entry", "@a4 07000000", WHOLE, STATUS_NOT_FOUND},
    {"mount by role 0", "@a4 00000000", WHOLE, STATUS_NOT_FOUND},
    {"an unknown mount flag", "@a8 02000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"an empty source name", "@b0 00000000", WHOLE, STATUS_BAD_TEXT},
    {"a source name of 16 bytes", "@b4 2d612d612d612d612d612d61", WHOLE, STATUS_BAD_TEXT},
    {"a letter after a source name's end", "@bf 61", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"an empty path", "@c0 000000000000000000", WHOLE, STATUS_BAD_TEXT},
    {"a relative path", "@c0 62", WHOLE, STATUS_BAD_TEXT},
    {"an unterminated path", "@c9 6363636363636363636363636363636363636363636363", WHOLE,
     STATUS_BAD_TEXT},
    {"a trailing slash", "@c8 2f", WHOLE, STATUS_BAD_TEXT},
    {"an empty component", "@c6 2f", WHOLE, STATUS_BAD_TEXT},
    {"two slashes", "@c0 2f2f00000000000000", WHOLE, STATUS_BAD_TEXT},
    {"a component .", "@c6 2e2f", WHOLE, STATUS_BAD_TEXT},
    {"a component .. at the end", "@c6 2e2e00", WHOLE, STATUS_BAD_TEXT},
    {"a path byte outside the alphabet", "@c1 42", WHOLE, STATUS_BAD_TEXT},
    {"65 limits", "@1c 41000000", WHOLE, STATUS_EXHAUSTED},
    {"a limit more than there is", "@1c 01000000", WHOLE, STATUS_BAD_LENGTH},
    {"a limit", LIMIT_AT "4c494d31 02000000 01000000" ZEROS_20, 256, STATUS_OK},
    {"a limit of kernel memory", LIMIT_AT "4c494d31 02000000 00000000 01" ZEROS_19, 256, STATUS_OK},
    {"a limit of processes", LIMIT_AT "4c494d31 02000000" ZEROS_8 "00000001" ZEROS_12, 256,
     STATUS_OK},
    {"a limit of their memory", LIMIT_AT "4c494d31 02000000" ZEROS_12 "00000001" ZEROS_8, 256,
     STATUS_OK},
    {"another limit tag", LIMIT_AT "4c494d32 02000000 01000000" ZEROS_20, 256, STATUS_BAD_MAGIC},
    {"reserved of the limit", LIMIT_AT "4c494d31 02000000 01000000" ZEROS_19 "01", 256,
     STATUS_RESERVED_NOT_ZERO},
    {"reserved of the limit, its first byte", LIMIT_AT "4c494d31 02000000 01000000" ZEROS_12 "01",
     256, STATUS_RESERVED_NOT_ZERO},
    {"a limit of nothing", LIMIT_AT "4c494d31 02000000 00000000" ZEROS_20, 256,
     STATUS_INVALID_ARGUMENT},
    {"a limit of no entry", LIMIT_AT "4c494d31 03000000 01000000" ZEROS_20, 256, STATUS_NOT_FOUND},
    {"two limits of an entry",
     "@c 20010000 @1c 02000000 @e0 4c494d31 02000000 01000000" ZEROS_20
     "4c494d31 02000000 02000000" ZEROS_20,
     288, STATUS_DUPLICATE},
    {"two limits",
     "@c 20010000 @1c 02000000 @e0 4c494d31 02000000 01000000" ZEROS_20
     "4c494d31 05000000 02000000" ZEROS_20,
     288, STATUS_OK},
    {"a letter after a path's end", "@df 61", WHOLE, STATUS_RESERVED_NOT_ZERO},
};

static void try_config(const struct fixture *fixture, const char *what, enum status expected)
{
    static struct boot_config parsed;
    static uint8_t again[BOOT_CONFIG_BYTES_MAX];
    size_t written;
    memset(&parsed, 0xA5, sizeof parsed);
    enum status status = boot_config_parse(fixture->bytes, fixture->size_bytes, &parsed);
    test_status("boot config", what, expected, status);
    if (status != STATUS_OK) {
        expect_of("boot config", "  leaves zeros", all_zero(&parsed, sizeof parsed));
        return;
    }
    status = boot_config_encode(&parsed, again, fixture->size_bytes, &written);
    expect_of("boot config", "  encodes back (E2)",
              status == STATUS_OK && written == fixture->size_bytes &&
                  memcmp(again, fixture->bytes, written) == 0);
}

/* A config of `count` entries with roles 1 to count and no dependencies. */
static struct boot_config plain_config(uint32_t count)
{
    struct boot_config config = {.entry_count = count};
    for (uint32_t i = 0; i < count; i++) {
        struct boot_config_entry *entry = &config.entries[i];
        entry->role = i + 1;
        entry->launch_kind = BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT;
        entry->flags = BOOT_ENTRY_REQUIRED;
        entry->ready_ticks = 1;
        entry->module[0] = 'm';
        entry->module[1] = (char)('a' + i / 26);
        entry->module[2] = (char)('a' + i % 26);
    }
    return config;
}

/* The longest chain there is, listed last to first: every entry waits for the next one. */
static void test_chain(void)
{
    static struct boot_config config;
    uint32_t order[BOOT_CONFIG_ENTRY_LIMIT];
    bool ordered = true;
    config = plain_config(BOOT_CONFIG_ENTRY_LIMIT);
    for (uint32_t i = 0; i + 1 < BOOT_CONFIG_ENTRY_LIMIT; i++) {
        config.entries[i].dependency_count = 1;
        config.entries[i].dependencies[0] = i + 2;
    }
    test_status("boot config", "a chain of 64", STATUS_OK, boot_config_validate(&config));
    test_status("boot config", "  has an order", STATUS_OK, boot_config_order(&config, order));
    for (uint32_t i = 0; i < BOOT_CONFIG_ENTRY_LIMIT; i++)
        ordered = ordered && order[i] == BOOT_CONFIG_ENTRY_LIMIT - 1 - i;
    expect_of("boot config", "  which is the chain's", ordered);
    config.entries[BOOT_CONFIG_ENTRY_LIMIT - 1].dependency_count = 1;
    config.entries[BOOT_CONFIG_ENTRY_LIMIT - 1].dependencies[0] = 1;
    test_status("boot config", "a cycle of 64", STATUS_BAD_ORDER, boot_config_validate(&config));
    test_status("boot config", "  has no order", STATUS_BAD_ORDER,
                boot_config_order(&config, order));
    config.entries[BOOT_CONFIG_ENTRY_LIMIT - 1].dependencies[0] = BOOT_CONFIG_ENTRY_LIMIT + 1;
    test_status("boot config", "a chain that ends nowhere has none", STATUS_NOT_FOUND,
                boot_config_order(&config, order));
    config.entry_count = BOOT_CONFIG_ENTRY_LIMIT + 1;
    uint8_t byte[1];
    size_t written = 1;
    test_status("boot config", "a struct of 65 entries", STATUS_EXHAUSTED,
                boot_config_validate(&config));
    test_status("boot config", "encode 65 entries", STATUS_EXHAUSTED,
                boot_config_encode(&config, byte, sizeof byte, &written));
    expect_of("boot config", "  writes nothing", written == 0);
}

/* Every table full, entry 0 with as many dependencies as there can be. */
static void test_full_config(void)
{
    static struct boot_config config;
    static struct fixture fixture;
    size_t written;
    config = plain_config(BOOT_CONFIG_ENTRY_LIMIT);
    config.entries[0].dependency_count = BOOT_CONFIG_DEPENDENCY_LIMIT;
    for (uint32_t i = 0; i < BOOT_CONFIG_DEPENDENCY_LIMIT; i++)
        config.entries[0].dependencies[i] = BOOT_CONFIG_ENTRY_LIMIT - i;
    config.mount_count = BOOT_CONFIG_MOUNT_LIMIT;
    for (uint32_t i = 0; i < BOOT_CONFIG_MOUNT_LIMIT; i++)
        config.mounts[i] = (struct boot_config_mount){
            .provider_role = 1, .source = "ram0", .path = {'/', (char)('a' + i)}};
    config.limit_count = BOOT_CONFIG_ENTRY_LIMIT;
    for (uint32_t i = 0; i < BOOT_CONFIG_ENTRY_LIMIT; i++)
        config.limits[i] = (struct boot_config_limit){.role = i + 1, .limits = {.page_limit = 1}};
    test_status("boot config", "encode with every table full", STATUS_OK,
                boot_config_encode(&config, fixture.bytes, BOOT_CONFIG_BYTES_MAX, &written));
    fixture.size_bytes = written;
    expect_of("boot config", "  fills BOOT_CONFIG_BYTES_MAX", written == BOOT_CONFIG_BYTES_MAX);
    try_config(&fixture, "  and is accepted", STATUS_OK);
}

/* R3: the order of roles is the same however the rows are permuted. */
static void test_permutation(void)
{
    static struct boot_config config;
    uint32_t order[BOOT_CONFIG_ENTRY_LIMIT];
    static const uint32_t expected_roles[] = {5, 1, 2, 3, 4};
    bool same = true;
    config = plain_config(5);
    for (uint32_t i = 0; i < 4; i++) { /* procd's place: role 5 comes first */
        config.entries[i].dependency_count = 1;
        config.entries[i].dependencies[0] = 5;
    }
    for (uint32_t turn = 0; turn < 5; turn++) {
        struct boot_config_entry first = config.entries[0];
        memmove(&config.entries[0], &config.entries[1], 4 * sizeof first);
        config.entries[4] = first;
        same = same && boot_config_order(&config, order) == STATUS_OK;
        for (uint32_t i = 0; i < 5; i++)
            same = same && config.entries[order[i]].role == expected_roles[i];
    }
    expect_of("boot config", "rotated rows keep the order of roles (R3)", same);
}

void test_boot_config(void)
{
    struct fixture base = fixture_of(config_hex);
    static struct boot_config parsed;
    static uint8_t bytes[BOOT_CONFIG_BYTES_MAX];
    size_t written = 1;
    try_config(&base, "accepted", STATUS_OK);
    boot_config_parse(base.bytes, base.size_bytes, &parsed);
    expect_of("boot config", "header fields",
              parsed.validation_profile == 1 && parsed.entry_count == 2 && parsed.mount_count == 1);
    expect_of("boot config", "entry fields",
              parsed.entries[1].role == 2 && parsed.entries[1].launch_kind == 1 &&
                  parsed.entries[1].flags == BOOT_ENTRY_OPTIONAL &&
                  parsed.entries[1].dependency_count == 1 &&
                  parsed.entries[1].dependencies[0] == 5 && parsed.entries[1].ready_ticks == 1 &&
                  strcmp(parsed.entries[1].module, "memd") == 0);
    expect_of("boot config", "mount fields",
              parsed.mounts[0].provider_role == 2 && parsed.mounts[0].flags == 1 &&
                  strcmp(parsed.mounts[0].source, "ram0") == 0 &&
                  strcmp(parsed.mounts[0].path, "/boot/a.b") == 0);
    expect_of("boot config", "find",
              boot_config_find(&parsed, 2) == 1 && boot_config_find(&parsed, 3) == -1);
    bytes[0] = 0xA5;
    test_status("boot config", "encode into too few bytes", STATUS_EXHAUSTED,
                boot_config_encode(&parsed, bytes, base.size_bytes - 1, &written));
    expect_of("boot config", "  writes nothing", written == 0 && bytes[0] == 0xA5);
    for (size_t i = 0; i < COUNT(config_variations); i++) {
        struct fixture varied = fixture_vary(&base, &config_variations[i]);
        try_config(&varied, config_variations[i].what, config_variations[i].status);
    }
    parsed.mount_count = 2;
    parsed.mounts[1] = parsed.mounts[0];
    test_status("boot config", "a mount path twice", STATUS_DUPLICATE,
                boot_config_validate(&parsed));
    test_chain();
    test_full_config();
    test_permutation();
}
