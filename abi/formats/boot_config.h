/* SPDX-License-Identifier: ISC */
/* The boot config: tag ERIXBCFG, version 1 (published); which roles start from which module, in
 * which dependency, what is mounted (MNT1 rows; read and checked, used by a later version), and who
 * has less than its role may have (LIM1 rows).
 *
 *   BootConfigHeaderV1, 32 bytes       BootConfigEntryV1, 64 bytes     mount row, 64 bytes
 *   0  magic u64 "ERIXBCFG"            0  role u32                     0  tag u32 "MNT1"
 *   8  major u16 = 1, minor u16 = 0    4  launch_kind u32              4  provider_role u32
 *   12 total_bytes u32                 8  flags u32                    8  flags u32
 *   16 entry_count u32                 12 dependency_count u32         12 reserved u32 = 0
 *   20 mount_count u32                 16 dependencies u32[4]          16 source[16]
 *   24 validation_profile u32          32 ready_ticks u64              32 path[32]
 *   28 limit_count u32                 40 module name[24]
 *
 *   limit row, 32 bytes
 *   0  tag u32 "LIM1", role u32
 *   8  page_limit u32, budget_pages u32, child_limit u32, child_pages u32
 *   24 reserved u64 = 0
 *
 * Entries follow the header, mounts the entries, limits the mounts; nothing follows them. A config
 * without limits has the bytes that it had before there were any. All numbers
 * little-endian; there is no other version and no negotiation. Which roles must be there, and what
 * they may hold, is the reader's policy. */
#ifndef BASALT_ABI_FORMATS_BOOT_CONFIG_H
#define BASALT_ABI_FORMATS_BOOT_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/profile.h"
#include "abi/status.h"

#define BOOT_CONFIG_MAGIC UINT64_C(0x4746434258495245) /* "ERIXBCFG" */

enum {
    BOOT_CONFIG_MAJOR = 1,
    BOOT_CONFIG_MINOR = 0,
    BOOT_CONFIG_HEADER_BYTES = 32,
    BOOT_CONFIG_ENTRY_BYTES = 64,
    BOOT_CONFIG_MOUNT_BYTES = 64,
    BOOT_CONFIG_MOUNT_LIMIT = 16,
    BOOT_CONFIG_LIMIT_BYTES = 32,
    BOOT_CONFIG_DEPENDENCY_LIMIT = 4,
    BOOT_CONFIG_SOURCE_BYTES = 16, /* a service name: at most 15 bytes and a zero */
    BOOT_CONFIG_PATH_BYTES = 32,
    BOOT_CONFIG_READY_TICKS_MAX = 600000, /* ten minutes */
    BOOT_CONFIG_BYTES_MAX = BOOT_CONFIG_HEADER_BYTES +
                            BOOT_CONFIG_ENTRY_LIMIT * BOOT_CONFIG_ENTRY_BYTES +
                            BOOT_CONFIG_MOUNT_LIMIT * BOOT_CONFIG_MOUNT_BYTES +
                            BOOT_CONFIG_ENTRY_LIMIT * BOOT_CONFIG_LIMIT_BYTES,
    BOOT_CONFIG_MOUNT_TAG = 0x31544E4D, /* "MNT1" */
    BOOT_CONFIG_LIMIT_TAG = 0x314D494C  /* "LIM1" */
};

_Static_assert(BOOT_CONFIG_BYTES_MAX <= 8192, "a boot config is at most 8 KiB");
_Static_assert(BOOT_CONFIG_SOURCE_BYTES == SERVICE_NAME_BYTES_MAX + 1, "published name length");

/* Name of the boot image section that holds the config. */
#define BOOT_CONFIG_MODULE_NAME "boot-config"

enum boot_launch_kind {
    BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT = 1,
    BOOTCFG_LAUNCH_KIND_DEVICED_DRIVER = 2
};

/* Flags of an entry: exactly one of the two. Flags of a mount: READ_ONLY or 0. */
enum { BOOT_ENTRY_REQUIRED = 1u << 0, BOOT_ENTRY_OPTIONAL = 1u << 1 };
enum { BOOT_MOUNT_READ_ONLY = 1u << 0 };

struct boot_config_entry {
    uint32_t role;        /* unique, never 0 */
    uint32_t launch_kind; /* enum boot_launch_kind */
    uint32_t flags;       /* BOOT_ENTRY_REQUIRED or BOOT_ENTRY_OPTIONAL */
    uint32_t dependency_count;
    uint32_t dependencies[BOOT_CONFIG_DEPENDENCY_LIMIT]; /* roles of other entries, no cycle */
    uint64_t ready_ticks; /* 1 to BOOT_CONFIG_READY_TICKS_MAX: how long READY may take */
    char module[BOOT_MODULE_NAME_BYTES]; /* unique; abi/formats/boot_name.h */
};

struct boot_config_mount {
    uint32_t provider_role; /* role of an entry */
    uint32_t flags;
    char source[BOOT_CONFIG_SOURCE_BYTES]; /* 1 to 15 bytes of [a-z0-9-], zero padded */
    char path[BOOT_CONFIG_PATH_BYTES];     /* canonical absolute path, unique; zero padded */
};

/* What an entry's process may have. Without a row: as much as its role. */
struct boot_config_limit {
    uint32_t role;                /* of an entry; at most one row for each */
    struct process_limits limits; /* not all of them 0 */
};

struct boot_config {
    uint32_t validation_profile; /* enum validation_profile */
    uint32_t entry_count;        /* 1 to BOOT_CONFIG_ENTRY_LIMIT */
    uint32_t mount_count;
    uint32_t limit_count; /* at most one for each entry */
    struct boot_config_entry entries[BOOT_CONFIG_ENTRY_LIMIT];
    struct boot_config_mount mounts[BOOT_CONFIG_MOUNT_LIMIT];
    struct boot_config_limit limits[BOOT_CONFIG_ENTRY_LIMIT];
};

/* Whether the struct keeps every rule of the format:
 * EXHAUSTED         more entries, mounts, limits or dependencies than the limits
 * INVALID_ARGUMENT  no entries; unknown profile, launch kind or flag; role 0; ready_ticks outside
 *                   its range; an entry that depends on itself; a limit row that limits nothing
 * RESERVED_NOT_ZERO unused dependencies, or bytes after a name's end, are not zero
 * BAD_TEXT          a module or source name outside [a-z0-9-]; a path that is not absolute and
 *                   canonical ([a-z0-9._-] components, no "." or "..", no trailing slash)
 * DUPLICATE         a role, module, dependency of one entry, mount path, or role of a limit occurs
 *                   twice
 * NOT_FOUND         a dependency, provider role or role of a limit is no entry
 * BAD_ORDER         the dependencies form a cycle */
enum status boot_config_validate(const struct boot_config *config);

/* Reads exactly `size` bytes. On OK *out is the whole config; on any error *out is all zero.
 * TRUNCATED, BAD_MAGIC (header, or the tag of a mount or limit row), BAD_VERSION, BAD_LENGTH, RESERVED_NOT_ZERO
 * and boot_config_validate's. */
enum status boot_config_parse(const void *bytes, size_t size_bytes, struct boot_config *out);

/* Writes the encoded form; *written says how many bytes. Errors: boot_config_validate's; EXHAUSTED
 * (buffer too small). On an error nothing is written and *written is 0. */
enum status boot_config_encode(const struct boot_config *config, void *bytes, size_t size_bytes,
                               size_t *written);

/* The profile that the header of a config names, for who reads nothing else of it: whether the rest
 * is sound is not asked. NONE without a whole header of this magic and version, and for a number
 * that is no profile. */
uint32_t boot_config_profile(const void *bytes, size_t size_bytes);

/* Index of the entry of a role, or -1. */
int boot_config_find(const struct boot_config *config, uint32_t role);

/* What an entry's process is limited to: all 0 without a row. */
struct process_limits boot_config_limits(const struct boot_config *config, uint32_t role);

/* The launch order of a config that validates: indices into entries, every entry after all that it
 * depends on; among those that are free to start, the lowest role first, so that permuting rows
 * does not change the order of roles (R3). Writes entry_count indices. NOT_FOUND: a
 * dependency is no entry; BAD_ORDER: there is a cycle (order[] is then unspecified). */
enum status boot_config_order(const struct boot_config *config,
                              uint32_t order[BOOT_CONFIG_ENTRY_LIMIT]);

#endif
