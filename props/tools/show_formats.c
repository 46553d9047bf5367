/* SPDX-License-Identifier: ISC */
/* Prints the binary formats readably, one field or row a line. Decides nothing: what is sound is
 * the parsers' verdict, which is printed when it is not OK. */
#include "props/tools/show_formats.h"

#include <inttypes.h>
#include <string.h>

#include "abi/formats/archive.h"
#include "abi/formats/boot_config.h"
#include "abi/formats/boot_image.h"
#include "abi/capability.h"
#include "abi/formats/cursor.h"
#include "abi/formats/elf_plan.h"
#include "abi/formats/envelope.h"
#include "abi/formats/handoff.h"
#include "abi/roles.h"

#define ELF_MAGIC_WORD UINT32_C(0x464C457F)

/* Role ids are printed with the name of their image, when the table has one. */
static void print_role(FILE *out, const char *label, uint32_t id)
{
    const struct role *role = role_find(id);
    fprintf(out, "%s%" PRIu32, label, id);
    if (role != NULL)
        fprintf(out, " (%s)", role->image);
}

static void print_rights(FILE *out, unsigned rights)
{
    static const char *const names[] = {"send",  "receive", "transfer", "read",
                                        "write", "execute", "map",      "control"};
    const char *separator = "";
    for (unsigned i = 0; i < 16; i++) {
        if ((rights >> i & 1) == 0)
            continue;
        if (i < sizeof names / sizeof names[0])
            fprintf(out, "%s%s", separator, names[i]);
        else
            fprintf(out, "%sbit%u", separator, i);
        separator = "+";
    }
}

static void print_digest(FILE *out, const uint8_t digest[SHA256_BYTES])
{
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        fprintf(out, "%02x", digest[i]);
}

static const char *profile_name(uint32_t profile)
{
    static const char *const names[] = {
        "none",
        "phase0",
        "hostile",
        "attacks",
        "graph",
        "console",
        "files",
        "phase4-loader-contract",
        "phase4-loader-fs-discovery",
        "phase4-loader-materialized-launch",
        "phase4-loader-cleanup-authority",
        "phase4-loader-closure",
    };
    _Static_assert(sizeof names / sizeof names[0] == VALIDATION_PROFILE_LAST + 1, "one name each");
    return validation_profile_known(profile) ? names[profile] : "unknown";
}

static const char *kind_name(uint32_t kind)
{
    switch (kind) {
    case BOOT_SECTION_EXECUTABLE:
        return "executable";
    case BOOT_SECTION_BOOT_CONFIG:
        return "boot-config";
    case BOOT_SECTION_DATA:
        return "data";
    }
    return "unknown";
}

/* False and one line when the bytes were refused. */
static bool accepted(FILE *out, const char *format, enum status status)
{
    if (status == STATUS_OK)
        return true;
    fprintf(out, "%s: refused: %s (%s)\n", format, status_name(status), status_meaning(status));
    return false;
}

static void show_envelope(FILE *out, const uint8_t *bytes, size_t size_bytes)
{
    struct envelope envelope;
    if (!accepted(out, "start envelope", envelope_parse(bytes, size_bytes, &envelope)))
        return;
    fprintf(out, "start envelope v%d.%d, %zu bytes\n", ENVELOPE_MAJOR, ENVELOPE_MINOR, size_bytes);
    print_role(out, "  role ", envelope.role);
    fprintf(out, "\n  service endpoint slot %" PRIu32 ", primary control slot %" PRIu32 "\n",
            envelope.service_endpoint_slot, envelope.primary_control_slot);
    fprintf(out, "  slot window %" PRIu32 " to %" PRIu32 "\n", envelope.slot_window_first,
            envelope.slot_window_last);
    fprintf(out, "  validation profile %s, ready deadline %" PRIu64 " ticks\n",
            profile_name(envelope.validation_profile), envelope.ready_ticks);
    for (uint32_t i = 0; i < envelope.entry_count; i++) {
        const struct envelope_entry *entry = &envelope.entries[i];
        fprintf(out, "  slot %5" PRIu32 "  %-20s ", entry->slot,
                object_type_name(entry->object_type));
        print_rights(out, entry->rights);
        if (entry->peer_role != 0)
            print_role(out, ", peer ", entry->peer_role);
        fputc('\n', out);
    }
}

static void show_handoff(FILE *out, const uint8_t *bytes, size_t size_bytes)
{
    struct handoff handoff;
    if (!accepted(out, "handoff", handoff_parse(bytes, size_bytes, &handoff)))
        return;
    fprintf(out, "handoff v%d.%d, %zu bytes\n", HANDOFF_MAJOR, HANDOFF_MINOR, size_bytes);
    fprintf(out, "  root endpoint slot %" PRIu32 ", image slot %" PRIu32 "\n",
            handoff.root_endpoint_slot, handoff.image_slot);
    fprintf(out, "  image %" PRIu64 " bytes, table digest ", handoff.image_bytes);
    print_digest(out, handoff.image_digest);
    fprintf(out, "\n  %" PRIu64 " pages, %" PRIu64 " of them free\n", handoff.page_count,
            handoff.free_pages);
    for (uint32_t i = 0; i < handoff.untyped_count; i++)
        fprintf(out, "  untyped slot %" PRIu32 ": %" PRIu64 " pages\n", handoff.untyped[i].slot,
                handoff.untyped[i].pages);
    for (uint32_t i = 0; i < handoff.module_count; i++) {
        const struct handoff_module *row = &handoff.modules[i];
        fprintf(out, "  module %-23s %-11s offset 0x%06" PRIx64 ", %" PRIu64 " bytes\n", row->name,
                kind_name(row->kind), row->offset_bytes, row->size_bytes);
    }
}

static void print_limit(FILE *out, uint32_t limit, const char *of_what)
{
    if (limit != 0)
        fprintf(out, ", %u %s", limit, of_what);
}

static void show_boot_config(FILE *out, const uint8_t *bytes, size_t size_bytes)
{
    struct boot_config config;
    if (!accepted(out, "boot config", boot_config_parse(bytes, size_bytes, &config)))
        return;
    fprintf(out, "boot config v%d.%d, %zu bytes, validation profile %s\n", BOOT_CONFIG_MAJOR,
            BOOT_CONFIG_MINOR, size_bytes, profile_name(config.validation_profile));
    for (uint32_t i = 0; i < config.entry_count; i++) {
        const struct boot_config_entry *entry = &config.entries[i];
        fprintf(out, "  %-23s", entry->module);
        print_role(out, " role ", entry->role);
        fprintf(out, ", %s, %s, ready within %" PRIu64 " ticks, after",
                entry->launch_kind == BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT ? "rootd starts it"
                                                                       : "deviced driver",
                entry->flags == BOOT_ENTRY_REQUIRED ? "required" : "optional", entry->ready_ticks);
        for (uint32_t j = 0; j < entry->dependency_count; j++)
            print_role(out, j == 0 ? " " : ", ", entry->dependencies[j]);
        fprintf(out, "%s\n", entry->dependency_count == 0 ? " nothing" : "");
    }
    for (uint32_t i = 0; i < config.mount_count; i++) {
        const struct boot_config_mount *mount = &config.mounts[i];
        fprintf(out, "  mount %s on %s", mount->source, mount->path);
        print_role(out, " by role ", mount->provider_role);
        fprintf(out, "%s\n", (mount->flags & BOOT_MOUNT_READ_ONLY) != 0 ? ", read-only" : "");
    }
    for (uint32_t i = 0; i < config.limit_count; i++) {
        print_role(out, "  limit of role ", config.limits[i].role);
        const struct process_limits *limits = &config.limits[i].limits;
        print_limit(out, limits->page_limit, "pages of its own");
        print_limit(out, limits->budget_pages, "pages of kernel memory");
        print_limit(out, limits->child_limit, "processes below it");
        print_limit(out, limits->child_pages, "pages of those");
        fputc('\n', out);
    }
}

static void show_elf(FILE *out, const char *indent, const uint8_t *bytes, size_t size_bytes)
{
    struct elf_plan plan;
    size_t view = size_bytes < ELF_VIEW_BYTES ? size_bytes : ELF_VIEW_BYTES;
    if (!accepted(out, "ELF file", elf_plan_parse(bytes, view, size_bytes, &plan)))
        return;
    fprintf(out,
            "%sELF load plan: entry 0x%" PRIx64 ", stack top 0x%" PRIx64 ", %" PRIu64 " pages\n",
            indent, plan.entry, plan.stack_top, elf_plan_pages(&plan));
    for (uint32_t i = 0; i < plan.segment_count; i++) {
        const struct elf_segment *segment = &plan.segments[i];
        fprintf(out,
                "%s  0x%08" PRIx64 " %3" PRIu64 " pages, %" PRIu64 " bytes, %" PRIu64
                " of them from offset 0x%" PRIx64 ", ",
                indent, segment->va, segment->pages, segment->memory_bytes, segment->file_bytes,
                segment->file_offset);
        print_rights(out, segment->rights);
        fputc('\n', out);
    }
}

static void show_boot_image(FILE *out, const uint8_t *bytes, size_t size_bytes)
{
    struct boot_image image;
    if (!accepted(out, "boot image", boot_image_open(bytes, size_bytes, &image)))
        return;
    fprintf(out, "boot image v%d.%d, %" PRIu64 " bytes, verified\n  table digest ",
            BOOT_IMAGE_MAJOR, BOOT_IMAGE_MINOR, image.total_bytes);
    print_digest(out, image.table_sha256);
    fputc('\n', out);
    for (uint32_t i = 0; i < image.section_count; i++) {
        const struct boot_section *section = &image.sections[i];
        const uint8_t *content = bytes + section->offset_bytes;
        fprintf(out, "  section %-23s %-11s offset 0x%06" PRIx64 ", %" PRIu64 " bytes, ",
                section->name, kind_name(section->kind), section->offset_bytes,
                section->size_bytes);
        print_digest(out, section->sha256);
        fputc('\n', out);
        if (section->kind == BOOT_SECTION_EXECUTABLE)
            show_elf(out, "    ", content, (size_t)section->size_bytes);
        if (section->kind == BOOT_SECTION_BOOT_CONFIG)
            show_boot_config(out, content, (size_t)section->size_bytes);
    }
}

/* Whether the bytes begin as a ustar archive does, which has its magic elsewhere. */
static bool is_archive(const uint8_t *bytes, size_t size_bytes)
{
    enum { MAGIC_AT = 257 };
    return size_bytes >= ARCHIVE_BLOCK_BYTES && memcmp(bytes + MAGIC_AT, "ustar", 6) == 0;
}

/* One line an entry; of a path the bytes as they are: they are text. */
static void show_archive(FILE *out, const uint8_t *bytes, size_t size_bytes)
{
    static const char kinds[] = {
        [ARCHIVE_FILE] = '-', [ARCHIVE_DIRECTORY] = 'd', [ARCHIVE_SYMLINK] = 'l'};
    struct archive_entry entry;
    size_t at = 0;
    enum status status = STATUS_OK;
    fprintf(out, "archive\n");
    while ((status = archive_next(bytes, size_bytes, &at, &entry)) == STATUS_OK) {
        fprintf(out, "  %c %04o %8zu %.*s", kinds[entry.kind], entry.mode, entry.data_bytes,
                (int)entry.path_count, (const char *)entry.path);
        if (entry.kind == ARCHIVE_SYMLINK)
            fprintf(out, " -> %.*s", (int)entry.target_count, (const char *)entry.target);
        fputc('\n', out);
    }
    if (status != STATUS_NOT_FOUND)
        fprintf(out, "  at byte %zu: %s\n", at, status_name(status));
}

bool show_format(FILE *out, const uint8_t *bytes, size_t size_bytes)
{
    struct reader reader = reader_over(bytes, size_bytes);
    uint64_t magic = read_u64(&reader);
    struct reader short_reader = reader_over(bytes, size_bytes);
    if (read_u32(&short_reader) == ELF_MAGIC_WORD) {
        show_elf(out, "", bytes, size_bytes);
        return true;
    }
    if (is_archive(bytes, size_bytes)) {
        show_archive(out, bytes, size_bytes);
        return true;
    }
    switch (magic) {
    case ENVELOPE_MAGIC:
        show_envelope(out, bytes, size_bytes);
        return true;
    case HANDOFF_MAGIC:
        show_handoff(out, bytes, size_bytes);
        return true;
    case BOOT_CONFIG_MAGIC:
        show_boot_config(out, bytes, size_bytes);
        return true;
    case BOOT_IMAGE_MAGIC:
        show_boot_image(out, bytes, size_bytes);
        return true;
    }
    return false;
}
