/* SPDX-License-Identifier: ISC */
/* The boot config ERIXBCFG v1: decides whether bytes are a well-formed config, and the launch order
 * its dependencies fix. Never decides which roles exist or what a role may hold. */
#include "abi/formats/boot_config.h"

#include <stdbool.h>
#include <string.h>

#include "abi/formats/boot_name.h"
#include "abi/assert.h"
#include "abi/formats/cursor.h"

int boot_config_find(const struct boot_config *config, uint32_t role)
{
    for (uint32_t i = 0; i < config->entry_count && i < BOOT_CONFIG_ENTRY_LIMIT; i++) {
        if (config->entries[i].role == role)
            return (int)i;
    }
    return -1;
}

struct process_limits boot_config_limits(const struct boot_config *config, uint32_t role)
{
    for (uint32_t i = 0; i < config->limit_count && i < BOOT_CONFIG_ENTRY_LIMIT; i++) {
        if (config->limits[i].role == role)
            return config->limits[i].limits;
    }
    return (struct process_limits){0};
}

static enum status check_dependencies(const struct boot_config_entry *entry)
{
    if (entry->dependency_count > BOOT_CONFIG_DEPENDENCY_LIMIT)
        return STATUS_EXHAUSTED;
    for (uint32_t i = 0; i < BOOT_CONFIG_DEPENDENCY_LIMIT; i++) {
        uint32_t role = entry->dependencies[i];
        if (i >= entry->dependency_count) {
            if (role != 0)
                return STATUS_RESERVED_NOT_ZERO;
            continue;
        }
        if (role == 0 || role == entry->role)
            return STATUS_INVALID_ARGUMENT;
        for (uint32_t j = 0; j < i; j++) {
            if (entry->dependencies[j] == role)
                return STATUS_DUPLICATE;
        }
    }
    return STATUS_OK;
}

/* One entry alone. */
static enum status check_entry(const struct boot_config_entry *entry)
{
    if (entry->role == 0)
        return STATUS_INVALID_ARGUMENT;
    if (entry->launch_kind != BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT &&
        entry->launch_kind != BOOTCFG_LAUNCH_KIND_DEVICED_DRIVER)
        return STATUS_INVALID_ARGUMENT;
    if (entry->flags != BOOT_ENTRY_REQUIRED && entry->flags != BOOT_ENTRY_OPTIONAL)
        return STATUS_INVALID_ARGUMENT;
    if (entry->ready_ticks == 0 || entry->ready_ticks > BOOT_CONFIG_READY_TICKS_MAX)
        return STATUS_INVALID_ARGUMENT;
    enum status status = check_dependencies(entry);
    return status == STATUS_OK ? boot_name_check(entry->module) : status;
}

/* Where the entry of each role is: open addressing, the entry's index and one; 0: no entry's place.
 * A search through all entries for each role that a config names was most of what it cost. */
enum { PLACE_COUNT = 2 * BOOT_CONFIG_ENTRY_LIMIT };
struct role_places {
    uint8_t places[PLACE_COUNT];
};

_Static_assert((PLACE_COUNT & (PLACE_COUNT - 1)) == 0, "a place is taken by a mask");
_Static_assert(BOOT_CONFIG_ENTRY_LIMIT < UINT8_MAX, "an index and one fits a place");

/* The place of a role: its entry's, or the free one where that would be. There is one: at most half
 * are taken. */
static uint8_t *place_of(const struct boot_config *config, struct role_places *roles, uint32_t role)
{
    uint32_t at = role * UINT32_C(0x9E3779B1) >> 16;
    for (;; at++) {
        uint8_t *place = &roles->places[at & (PLACE_COUNT - 1)];
        if (*place == 0 || config->entries[*place - 1].role == role)
            return place;
    }
}

/* Each entry, and that it repeats no earlier one. Afterwards each role has its place. */
static enum status check_entries(const struct boot_config *config, struct role_places *roles)
{
    struct boot_names_met met = {{0}};
    for (uint32_t i = 0; i < config->entry_count; i++) {
        const struct boot_config_entry *entry = &config->entries[i];
        enum status status = check_entry(entry);
        if (status != STATUS_OK)
            return status;
        uint8_t *place = place_of(config, roles, entry->role);
        if (*place != 0)
            return STATUS_DUPLICATE;
        *place = (uint8_t)(i + 1);
        bool may_repeat = boot_name_may_repeat(&met, entry->module);
        for (uint32_t j = 0; may_repeat && j < i; j++) {
            if (boot_name_equal(config->entries[j].module, entry->module))
                return STATUS_DUPLICATE;
        }
    }
    return STATUS_OK;
}

static bool path_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
           byte == '.' || byte == '_';
}

/* Whether a component of `length` bytes is a name: not empty, not "." and not "..". */
static bool component_ok(const char *component, size_t length)
{
    if (length == 0)
        return false;
    if (component[0] == '.' && (length == 1 || (length == 2 && component[1] == '.')))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!path_byte(component[i]))
            return false;
    }
    return true;
}

/* "/" alone, or components that each follow one slash. */
static enum status check_path(const char path[BOOT_CONFIG_PATH_BYTES])
{
    size_t length = 0;
    while (length < BOOT_CONFIG_PATH_BYTES && path[length] != 0)
        length++;
    if (length == BOOT_CONFIG_PATH_BYTES || length == 0 || path[0] != '/')
        return STATUS_BAD_TEXT;
    for (size_t start = 1; length > 1 && start <= length;) {
        size_t end = start;
        while (end < length && path[end] != '/')
            end++;
        if (!component_ok(path + start, end - start))
            return STATUS_BAD_TEXT;
        start = end + 1;
    }
    return bytes_zero((const uint8_t *)path + length, BOOT_CONFIG_PATH_BYTES - length)
               ? STATUS_OK
               : STATUS_RESERVED_NOT_ZERO;
}

static enum status check_mounts(const struct boot_config *config, struct role_places *roles)
{
    for (uint32_t i = 0; i < config->mount_count; i++) {
        const struct boot_config_mount *mount = &config->mounts[i];
        if ((mount->flags & ~(uint32_t)BOOT_MOUNT_READ_ONLY) != 0)
            return STATUS_INVALID_ARGUMENT;
        enum status status = boot_text_check(mount->source, sizeof mount->source);
        if (status == STATUS_OK)
            status = check_path(mount->path);
        if (status != STATUS_OK)
            return status;
        if (*place_of(config, roles, mount->provider_role) == 0)
            return STATUS_NOT_FOUND;
        for (uint32_t j = 0; j < i; j++) {
            if (memcmp(config->mounts[j].path, mount->path, sizeof mount->path) == 0)
                return STATUS_DUPLICATE;
        }
    }
    return STATUS_OK;
}

static enum status check_limits(const struct boot_config *config, struct role_places *roles)
{
    uint64_t limited = 0; /* entries that have a row */
    for (uint32_t i = 0; i < config->limit_count; i++) {
        const struct boot_config_limit *limit = &config->limits[i];
        const struct process_limits *limits = &limit->limits;
        if ((limits->page_limit | limits->budget_pages | limits->child_limit |
             limits->child_pages) == 0)
            return STATUS_INVALID_ARGUMENT;
        uint8_t place = *place_of(config, roles, limit->role);
        if (place == 0)
            return STATUS_NOT_FOUND;
        if ((limited >> (place - 1) & 1) != 0)
            return STATUS_DUPLICATE;
        limited |= UINT64_C(1) << (place - 1);
    }
    return STATUS_OK;
}

/* Who waits for whom, as sets of entry indices. */
struct waits {
    uint64_t ready;                            /* wait for nobody, or for nobody any more */
    uint64_t waiting[BOOT_CONFIG_ENTRY_LIMIT]; /* for this entry, and maybe for others */
    uint8_t counts[BOOT_CONFIG_ENTRY_LIMIT];   /* how many this entry waits for */
};

/* NOT_FOUND: for a role that is no entry. */
static enum status find_waits(const struct boot_config *config, struct role_places *roles,
                              struct waits *waits)
{
    memset(waits, 0, sizeof *waits);
    for (uint32_t i = 0; i < config->entry_count; i++) {
        const struct boot_config_entry *entry = &config->entries[i];
        waits->counts[i] = (uint8_t)entry->dependency_count;
        if (entry->dependency_count == 0)
            waits->ready |= UINT64_C(1) << i;
        for (uint32_t j = 0; j < entry->dependency_count; j++) {
            uint8_t place = *place_of(config, roles, entry->dependencies[j]);
            if (place == 0)
                return STATUS_NOT_FOUND;
            waits->waiting[place - 1] |= UINT64_C(1) << i;
        }
    }
    return STATUS_OK;
}

/* One of those that are ready starts, and nobody waits for it any more. */
static void start(struct waits *waits, uint32_t index)
{
    UNIT_ASSERT((waits->ready >> index & 1) == 1);
    waits->ready &= ~(UINT64_C(1) << index);
    for (uint64_t rest = waits->waiting[index]; rest != 0; rest &= rest - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(rest);
        waits->counts[i]--;
        if (waits->counts[i] == 0)
            waits->ready |= UINT64_C(1) << i;
    }
}

/* Whether all can start, one after the other, in whatever order. */
static enum status check_dependencies_end(const struct boot_config *config,
                                          struct role_places *roles)
{
    struct waits waits;
    uint32_t count = 0;
    enum status status = find_waits(config, roles, &waits);
    for (; status == STATUS_OK && waits.ready != 0; count++)
        start(&waits, (uint32_t)__builtin_ctzll(waits.ready));
    return status == STATUS_OK && count != config->entry_count ? STATUS_BAD_ORDER : status;
}

/* Of those that are ready the one with the lowest role. */
static uint32_t lowest_role(const struct boot_config *config, uint64_t ready)
{
    _Static_assert(BOOT_CONFIG_ENTRY_LIMIT <= 64, "a set of entries fits 64 bits");
    uint32_t best = (uint32_t)__builtin_ctzll(ready);
    for (uint64_t rest = ready & (ready - 1); rest != 0; rest &= rest - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(rest);
        if (config->entries[i].role < config->entries[best].role)
            best = i;
    }
    return best;
}

enum status boot_config_order(const struct boot_config *config,
                              uint32_t order[BOOT_CONFIG_ENTRY_LIMIT])
{
    struct role_places roles = {{0}};
    struct waits waits;
    for (uint32_t i = 0; i < config->entry_count; i++)
        *place_of(config, &roles, config->entries[i].role) = (uint8_t)(i + 1);
    enum status status = find_waits(config, &roles, &waits);
    for (uint32_t count = 0; status == STATUS_OK && count < config->entry_count; count++) {
        if (waits.ready == 0)
            return STATUS_BAD_ORDER;
        order[count] = lowest_role(config, waits.ready);
        start(&waits, order[count]);
    }
    return status;
}

enum status boot_config_validate(const struct boot_config *config)
{
    struct role_places roles = {{0}};
    if (config->entry_count > BOOT_CONFIG_ENTRY_LIMIT ||
        config->mount_count > BOOT_CONFIG_MOUNT_LIMIT ||
        config->limit_count > BOOT_CONFIG_ENTRY_LIMIT)
        return STATUS_EXHAUSTED;
    if (config->entry_count == 0 || !validation_profile_known(config->validation_profile))
        return STATUS_INVALID_ARGUMENT;
    enum status status = check_entries(config, &roles);
    if (status == STATUS_OK)
        status = check_dependencies_end(config, &roles);
    if (status == STATUS_OK)
        status = check_mounts(config, &roles);
    return status == STATUS_OK ? check_limits(config, &roles) : status;
}

/* Of the encoded form of a config that validates. */
static size_t boot_config_bytes(const struct boot_config *config)
{
    return BOOT_CONFIG_HEADER_BYTES + (size_t)config->entry_count * BOOT_CONFIG_ENTRY_BYTES +
           (size_t)config->mount_count * BOOT_CONFIG_MOUNT_BYTES +
           (size_t)config->limit_count * BOOT_CONFIG_LIMIT_BYTES;
}

static enum status read_header(struct reader *reader, size_t size_bytes, struct boot_config *out)
{
    uint32_t total_bytes = read_u32(reader);
    out->entry_count = read_u32(reader);
    out->mount_count = read_u32(reader);
    out->validation_profile = read_u32(reader);
    out->limit_count = read_u32(reader);
    if (out->entry_count > BOOT_CONFIG_ENTRY_LIMIT || out->mount_count > BOOT_CONFIG_MOUNT_LIMIT ||
        out->limit_count > BOOT_CONFIG_ENTRY_LIMIT)
        return STATUS_EXHAUSTED;
    if (total_bytes != size_bytes || total_bytes != boot_config_bytes(out))
        return STATUS_BAD_LENGTH;
    return STATUS_OK;
}

static void read_entry(struct reader *reader, struct boot_config_entry *entry)
{
    entry->role = read_u32(reader);
    entry->launch_kind = read_u32(reader);
    entry->flags = read_u32(reader);
    entry->dependency_count = read_u32(reader);
    for (uint32_t i = 0; i < BOOT_CONFIG_DEPENDENCY_LIMIT; i++)
        entry->dependencies[i] = read_u32(reader);
    entry->ready_ticks = read_u64(reader);
    read_bytes(reader, entry->module, sizeof entry->module);
}

static enum status read_mount(struct reader *reader, struct boot_config_mount *mount)
{
    if (read_u32(reader) != BOOT_CONFIG_MOUNT_TAG)
        return STATUS_BAD_MAGIC;
    mount->provider_role = read_u32(reader);
    mount->flags = read_u32(reader);
    bool reserved_zero = read_zero(reader, 4);
    read_bytes(reader, mount->source, sizeof mount->source);
    read_bytes(reader, mount->path, sizeof mount->path);
    return reserved_zero ? STATUS_OK : STATUS_RESERVED_NOT_ZERO;
}

static enum status read_limit(struct reader *reader, struct boot_config_limit *limit)
{
    if (read_u32(reader) != BOOT_CONFIG_LIMIT_TAG)
        return STATUS_BAD_MAGIC;
    limit->role = read_u32(reader);
    limit->limits.page_limit = read_u32(reader);
    limit->limits.budget_pages = read_u32(reader);
    limit->limits.child_limit = read_u32(reader);
    limit->limits.child_pages = read_u32(reader);
    return read_zero(reader, 8) ? STATUS_OK : STATUS_RESERVED_NOT_ZERO;
}

static enum status parse(struct reader *reader, size_t size_bytes, struct boot_config *out)
{
    if (size_bytes < BOOT_CONFIG_HEADER_BYTES)
        return STATUS_TRUNCATED;
    if (read_u64(reader) != BOOT_CONFIG_MAGIC)
        return STATUS_BAD_MAGIC;
    if (read_u16(reader) != BOOT_CONFIG_MAJOR || read_u16(reader) != BOOT_CONFIG_MINOR)
        return STATUS_BAD_VERSION;
    enum status status = read_header(reader, size_bytes, out);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < out->entry_count; i++)
        read_entry(reader, &out->entries[i]);
    for (uint32_t i = 0; i < out->mount_count; i++) {
        status = read_mount(reader, &out->mounts[i]);
        if (status != STATUS_OK)
            return status;
    }
    for (uint32_t i = 0; i < out->limit_count; i++) {
        status = read_limit(reader, &out->limits[i]);
        if (status != STATUS_OK)
            return status;
    }
    return boot_config_validate(out);
}

enum status boot_config_parse(const void *bytes, size_t size_bytes, struct boot_config *out)
{
    struct reader reader = reader_over(bytes, size_bytes);
    memset(out, 0, sizeof *out);
    enum status status = parse(&reader, size_bytes, out);
    if (status != STATUS_OK)
        memset(out, 0, sizeof *out); /* R2: a status or a whole intake */
    return status;
}

uint32_t boot_config_profile(const void *bytes, size_t size_bytes)
{
    struct reader reader = reader_over(bytes, size_bytes);
    if (size_bytes < BOOT_CONFIG_HEADER_BYTES || read_u64(&reader) != BOOT_CONFIG_MAGIC ||
        read_u16(&reader) != BOOT_CONFIG_MAJOR || read_u16(&reader) != BOOT_CONFIG_MINOR)
        return VALIDATION_PROFILE_NONE;
    for (uint32_t i = 0; i < 3; i++)
        (void)read_u32(&reader); /* total_bytes, entry_count, mount_count */
    uint32_t profile = read_u32(&reader);
    return validation_profile_known(profile) ? profile : (uint32_t)VALIDATION_PROFILE_NONE;
}

static void write_entry(struct writer *writer, const struct boot_config_entry *entry)
{
    write_u32(writer, entry->role);
    write_u32(writer, entry->launch_kind);
    write_u32(writer, entry->flags);
    write_u32(writer, entry->dependency_count);
    for (uint32_t i = 0; i < BOOT_CONFIG_DEPENDENCY_LIMIT; i++)
        write_u32(writer, entry->dependencies[i]);
    write_u64(writer, entry->ready_ticks);
    write_bytes(writer, entry->module, sizeof entry->module);
}

static void write_mount(struct writer *writer, const struct boot_config_mount *mount)
{
    write_u32(writer, BOOT_CONFIG_MOUNT_TAG);
    write_u32(writer, mount->provider_role);
    write_u32(writer, mount->flags);
    write_u32(writer, 0);
    write_bytes(writer, mount->source, sizeof mount->source);
    write_bytes(writer, mount->path, sizeof mount->path);
}

static void write_limit(struct writer *writer, const struct boot_config_limit *limit)
{
    write_u32(writer, BOOT_CONFIG_LIMIT_TAG);
    write_u32(writer, limit->role);
    write_u32(writer, limit->limits.page_limit);
    write_u32(writer, limit->limits.budget_pages);
    write_u32(writer, limit->limits.child_limit);
    write_u32(writer, limit->limits.child_pages);
    write_u64(writer, 0);
}

enum status boot_config_encode(const struct boot_config *config, void *bytes, size_t size_bytes,
                               size_t *written)
{
    *written = 0;
    enum status status = boot_config_validate(config);
    if (status != STATUS_OK)
        return status;
    if (size_bytes < boot_config_bytes(config))
        return STATUS_EXHAUSTED;
    struct writer writer = writer_over(bytes, size_bytes);
    write_u64(&writer, BOOT_CONFIG_MAGIC);
    write_u16(&writer, BOOT_CONFIG_MAJOR);
    write_u16(&writer, BOOT_CONFIG_MINOR);
    write_u32(&writer, (uint32_t)boot_config_bytes(config));
    write_u32(&writer, config->entry_count);
    write_u32(&writer, config->mount_count);
    write_u32(&writer, config->validation_profile);
    write_u32(&writer, config->limit_count);
    for (uint32_t i = 0; i < config->entry_count; i++)
        write_entry(&writer, &config->entries[i]);
    for (uint32_t i = 0; i < config->mount_count; i++)
        write_mount(&writer, &config->mounts[i]);
    for (uint32_t i = 0; i < config->limit_count; i++)
        write_limit(&writer, &config->limits[i]);
    UNIT_ASSERT(!writer.failed && writer.offset_bytes == boot_config_bytes(config));
    *written = writer.offset_bytes;
    return STATUS_OK;
}
