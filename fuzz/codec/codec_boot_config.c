/* SPDX-License-Identifier: ISC */
/* Boot configs: any bytes give a status or a config that encodes back to the same bytes (E2); the
 * verdict is the one of a model that reads the documented offsets (R2); the launch order respects
 * every dependency and does not change with the order of rows (R3). */
#include "abi/formats/boot_config.h"
#include "fuzz/codec/codec_format.h"
#include "props/base/rows.h"

const char harness_name[] = "codec_boot_config";
MARKS(12, 0);

enum { LIMIT_BYTES = BOOT_CONFIG_BYTES_MAX + 128, FEW = 12 };

static bool model_entry(const uint8_t *entry)
{
    uint32_t role = codec_u32(entry);
    uint32_t count = codec_u32(entry + 12);
    uint32_t kind = codec_u32(entry + 4);
    uint32_t flags = codec_u32(entry + 8);
    uint64_t ready = codec_u64(entry + 32);
    if (role == 0 || kind < 1 || kind > 2 || flags < 1 || flags > 2 || count > 4 || ready == 0 ||
        ready > 600000 || !codec_name_ok(entry + 40, 24))
        return false;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t dependency = codec_u32(entry + 16 + 4 * i);
        if ((i < count) != (dependency != 0) || dependency == role)
            return false;
        for (uint32_t j = 0; j < i && dependency != 0; j++) {
            if (codec_u32(entry + 16 + 4 * j) == dependency)
                return false;
        }
    }
    return true;
}

static int model_find(const uint8_t *entries, uint32_t count, uint32_t role)
{
    for (uint32_t i = 0; i < count; i++) {
        if (codec_u32(entries + 64 * i) == role)
            return (int)i;
    }
    return -1;
}

/* Removes entries whose needs are all removed, as sets of up to 64, until nothing changes. */
static bool model_acyclic(const uint8_t *entries, uint32_t count)
{
    uint64_t needs[64] = {0};
    uint64_t removed = 0;
    uint64_t all = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < codec_u32(entries + 64 * i + 12); j++) {
            int at = model_find(entries, count, codec_u32(entries + 64 * i + 16 + 4 * j));
            if (at < 0)
                return false;
            needs[i] |= UINT64_C(1) << at;
        }
    }
    for (uint64_t before = UINT64_MAX; before != removed;) {
        before = removed;
        for (uint32_t i = 0; i < count; i++)
            removed |= (needs[i] & ~removed) == 0 ? UINT64_C(1) << i : 0;
    }
    return removed == all;
}

static bool model_path(const uint8_t *path)
{
    char text[33] = {0};
    memcpy(text, path, 32);
    size_t length = strlen(text);
    if (length == 0 || length == 32 || !codec_zero(path + length, 32 - length))
        return false;
    if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-._/") != length || text[0] != '/')
        return false;
    if (length == 1)
        return true;
    text[length] = '/'; /* so that every component stands between two slashes */
    return strstr(text, "//") == NULL && strstr(text, "/./") == NULL &&
           strstr(text, "/../") == NULL;
}

static bool model_mounts(const uint8_t *mounts, uint32_t count, const uint8_t *entries,
                         uint32_t entry_count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *mount = mounts + 64 * i;
        if (memcmp(mount, "MNT1", 4) != 0 || codec_u32(mount + 8) > 1 ||
            !codec_zero(mount + 12, 4) || !codec_name_ok(mount + 16, 16) || !model_path(mount + 32))
            return false;
        if (model_find(entries, entry_count, codec_u32(mount + 4)) < 0)
            return false;
    }
    return !codec_repeats(mounts + 32, count, 64, 32);
}

static bool model_limits(const uint8_t *limits, uint32_t count, const uint8_t *entries,
                         uint32_t entry_count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *limit = limits + 32 * i;
        if (memcmp(limit, "LIM1", 4) != 0 || codec_zero(limit + 8, 16) ||
            !codec_zero(limit + 24, 8) ||
            model_find(entries, entry_count, codec_u32(limit + 4)) < 0)
            return false;
    }
    return !codec_repeats(limits + 4, count, 32, 4);
}

static bool model_accepts(const uint8_t *bytes, size_t size_bytes)
{
    if (size_bytes < 32 || memcmp(bytes, "ERIXBCFG\1\0\0\0", 12) != 0 ||
        codec_u32(bytes + 12) != size_bytes)
        return false;
    uint32_t entry_count = codec_u32(bytes + 16);
    uint32_t mount_count = codec_u32(bytes + 20);
    uint32_t limit_count = codec_u32(bytes + 28);
    if (entry_count == 0 || entry_count > 64 || mount_count > 16 || limit_count > 64 ||
        size_bytes != 32 + 64 * (entry_count + mount_count) + 32 * limit_count ||
        codec_u32(bytes + 24) > 11)
        return false;
    const uint8_t *entries = bytes + 32;
    for (uint32_t i = 0; i < entry_count; i++) {
        if (!model_entry(entries + 64 * i))
            return false;
    }
    return !codec_repeats(entries, entry_count, 64, 4) &&
           !codec_repeats(entries + 40, entry_count, 64, 24) &&
           model_acyclic(entries, entry_count) &&
           model_mounts(entries + 64 * entry_count, mount_count, entries, entry_count) &&
           model_limits(entries + 64 * (entry_count + mount_count), limit_count, entries,
                        entry_count);
}

/* Of the header alone. */
static uint32_t model_profile(const uint8_t *bytes, size_t size_bytes)
{
    if (size_bytes < 32 || memcmp(bytes, "ERIXBCFG\1\0\0\0", 12) != 0 || codec_u32(bytes + 24) > 11)
        return 0;
    return codec_u32(bytes + 24);
}

static void draw_mounts(struct choices *choices, struct boot_config *config)
{
    config->mount_count = codec_draw_count(choices, 0, BOOT_CONFIG_MOUNT_LIMIT);
    for (uint32_t i = 0; i < config->mount_count; i++) {
        struct boot_config_mount *mount = &config->mounts[i];
        mount->provider_role = config->entries[choices_below(choices, config->entry_count)].role;
        mount->flags = (uint32_t)choices_below(choices, 2);
        codec_draw_name(choices, mount->source, sizeof mount->source, i);
        mount->path[0] = '/';
        codec_draw_name(choices, mount->path + 1, 15, i);
        if (choices_flag(choices)) {
            size_t length = strlen(mount->path);
            mount->path[length] = '/';
            codec_draw_name(choices, mount->path + length + 1, 15, i);
        }
    }
}

/* Of some of the entries, the last ones first. */
static void draw_limits(struct choices *choices, struct boot_config *config)
{
    uint32_t count = codec_draw_count(choices, 0, config->entry_count);
    config->limit_count = MARK_IF("codec_boot_config: limits drawn", count != 0) ? count : 0;
    for (uint32_t i = 0; i < config->limit_count; i++) {
        config->limits[i].role = config->entries[config->entry_count - 1 - i].role;
        struct process_limits *limits = &config->limits[i].limits;
        limits->page_limit = (uint32_t)choices_between(choices, 1, UINT32_MAX);
        if (MARK_IF("codec_boot_config: other limits drawn", choices_flag(choices))) {
            limits->budget_pages = choices_u8(choices);
            limits->child_limit = choices_u8(choices);
            limits->child_pages = choices_u8(choices);
            limits->page_limit = limits->budget_pages != 0 ? 0 : limits->page_limit;
        }
    }
}

/* Sound by construction: an entry depends on earlier ones only; then the rows are rotated. Returns
 * the distance of the roles. */
static uint32_t draw_config(struct choices *choices, struct boot_config *config)
{
    memset(config, 0, sizeof *config);
    config->validation_profile = (uint32_t)choose_up_to(choices, VALIDATION_PROFILE_LAST);
    config->entry_count = codec_draw_count(choices, 1, BOOT_CONFIG_ENTRY_LIMIT);
    uint32_t stride = 2 * (uint32_t)choices_below(choices, 1000) + 1;
    for (uint32_t i = 0; i < config->entry_count; i++) {
        struct boot_config_entry *entry = &config->entries[i];
        entry->role = (i * stride) % 1024 + 1; /* an odd stride visits each of 1024 once */
        entry->launch_kind = (uint32_t)choices_between(choices, 1, 2);
        entry->flags = (uint32_t)choices_between(choices, 1, 2);
        entry->ready_ticks = choices_between(choices, 1, BOOT_CONFIG_READY_TICKS_MAX);
        codec_draw_name(choices, entry->module, sizeof entry->module, i);
        uint64_t wanted = choices_below(choices, BOOT_CONFIG_DEPENDENCY_LIMIT + 1);
        for (uint32_t j = 0; j < wanted && j < i; j++)
            entry->dependencies[entry->dependency_count++] = config->entries[i - 1 - j].role;
    }
    draw_mounts(choices, config);
    return stride;
}

static bool is_rotated(struct choices *choices, struct boot_config *config)
{
    uint32_t by = (uint32_t)choices_below(choices, config->entry_count);
    static struct boot_config_entry rotated[BOOT_CONFIG_ENTRY_LIMIT];
    for (uint32_t i = 0; i < config->entry_count; i++)
        rotated[(i + by) % config->entry_count] = config->entries[i];
    memcpy(config->entries, rotated, config->entry_count * sizeof rotated[0]);
    return by != 0;
}

static bool may_start(const struct boot_config *config, const struct boot_config_entry *entry,
                      uint64_t started)
{
    for (uint32_t i = 0; i < entry->dependency_count; i++) {
        int at = boot_config_find(config, entry->dependencies[i]);
        if (at < 0 || (started >> at & 1) == 0)
            return false;
    }
    return true;
}

/* No entry of a lower role than `role` waits and might start. */
static bool is_lowest(const struct boot_config *config, uint32_t role, uint64_t started)
{
    for (uint32_t i = 0; i < config->entry_count; i++) {
        const struct boot_config_entry *entry = &config->entries[i];
        if (entry->role < role && (started >> i & 1) == 0 && may_start(config, entry, started))
            return false;
    }
    return true;
}

/* The roles in launch order: every dependency earlier, each entry once; of a few entries also the
 * lowest role first of those that might start. */
static void check_order(const struct boot_config *config, uint32_t roles[BOOT_CONFIG_ENTRY_LIMIT])
{
    uint32_t order[BOOT_CONFIG_ENTRY_LIMIT];
    uint64_t started = 0;
    PROPERTY_EQUAL(R3, boot_config_order(config, order), STATUS_OK);
    for (uint32_t i = 0; i < config->entry_count; i++) {
        PROPERTY(R3, order[i] < config->entry_count && (started >> order[i] & 1) == 0);
        const struct boot_config_entry *entry = &config->entries[order[i]];
        PROPERTY(R3, may_start(config, entry, started));
        PROPERTY(R3, "lowest-first",
                 config->entry_count > FEW || is_lowest(config, entry->role, started));
        started |= UINT64_C(1) << order[i];
        roles[i] = entry->role;
    }
}

static void digest_roles(const struct boot_config *config,
                         const uint32_t roles[BOOT_CONFIG_ENTRY_LIMIT])
{
    for (uint32_t i = 0; i < config->entry_count; i++)
        digest_u64(roles[i]);
}

CODEC_FORMAT_CALLS(boot_config)

static struct boot_config parsed;
static uint8_t again[BOOT_CONFIG_BYTES_MAX];
static const struct codec_format format = {
    .name = "boot config",
    .profile_mark = "codec_boot_config profile",
    .parse = parse,
    .encode = encode,
    .model_accepts = model_accepts,
    .value = &parsed,
    .value_bytes = sizeof parsed,
    .again = again,
    .again_bytes = sizeof again,
    .profile_at = offsetof(struct boot_config, validation_profile),
    .profile_offset = 24,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    enum codec_mode mode = codec_mode(&choices);
    static uint8_t built[LIMIT_BYTES];
    size_t built_bytes = 0;
    static struct boot_config config;
    uint32_t before[BOOT_CONFIG_ENTRY_LIMIT];
    uint32_t after[BOOT_CONFIG_ENTRY_LIMIT];
    if (mode == CODEC_RAW) {
        built_bytes = codec_raw(&choices, built, LIMIT_BYTES);
    } else {
        bool digested = draw_config(&choices, &config) % 3 == 0 || config.entry_count <= FEW;
        bool asked = digested || !oracle_deferred();
        if (asked)
            check_order(&config, before);
        MARK_IF("codec_boot_config: rows rotated", is_rotated(&choices, &config));
        if (asked)
            check_order(&config, after);
        PROPERTY(R3, !asked || memcmp(before, after, config.entry_count * sizeof before[0]) == 0);
        for (int order = 0; digested && order < 2; order++) /* both are the same */
            digest_roles(&config, before);
        draw_limits(&choices, &config);
        PROPERTY_EQUAL(E2, boot_config_encode(&config, built, sizeof built, &built_bytes),
                       STATUS_OK);
    }
    if (mode == CODEC_EDITED)
        codec_edit(&choices, built, &built_bytes, LIMIT_BYTES);
    enum status status =
        codec_check_copy(&format, mode, built, built_bytes, mode == CODEC_BUILT ? &config : NULL);
    PROPERTY_EQUAL(K16, "profile", boot_config_profile(built, built_bytes),
                   model_profile(built, built_bytes));
    if (status == STATUS_OK && mode != CODEC_BUILT) {
        check_order(&parsed, after);
        digest_roles(&parsed, after);
    }
    if (mode == CODEC_BUILT)
        codec_check_profile(&format, &choices, &config, built, built_bytes, status);
    return 0;
}
