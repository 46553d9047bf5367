/* SPDX-License-Identifier: ISC */
/* The boot image builder: packs ELF files, a boot config made from the role table, and data files
 * into a boot image of version 1. The same arguments and files give the same bytes. Decides what the
 * boot config says of the modules that it is given; never what the formats are (abi/ does). */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/formats/boot_config.h"
#include "abi/formats/boot_image.h"
#include "abi/formats/boot_name.h"
#include "abi/capability.h"
#include "abi/formats/elf_plan.h"
#include "abi/roles.h"

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    READY_TICKS = 5000,
    PROGRAM_TICKS = 120000, /* of what runs others, or runs long */
    FILE_BYTES_MAX = 64 << 20
};

static const char usage[] =
    "usage: boot_image --output FILE [--profile PROFILE] [--config FILE | "
    "--no-config]\n"
    "                  [--data NAME=PATH]... [--limit NAME=LIMIT[,LIMIT...]]...\n"
    "                  [--mount NAME:SOURCE:PATH[:ro]]... NAME=PATH...\n"
    "Without --config or --no-config, the config starts every module that is given, as the role\n"
    "table says; the foundation must be among them. --limit: what the role of a module may have,\n"
    "below what the table says: a number of pages of its own, budget:PAGES of kernel memory,\n"
    "children:COUNT of processes below it, child-pages:PAGES of their memory. --mount: vfsd shows "
    "a\n"
    "source of the role of a module at a path, in this order; :ro, nothing is changed there.";

struct request {
    const char *output;
    const char *config_path; /* null: made from the role table */
    uint32_t profile;
    bool no_config;
    uint32_t count;
    struct boot_section_input sections[BOOT_MODULE_LIMIT + 1];
    const char *paths[BOOT_MODULE_LIMIT + 1];
    uint32_t limit_count;
    struct boot_config_limit limits[BOOT_CONFIG_ENTRY_LIMIT];
    uint32_t mount_count;
    struct boot_config_mount mounts[BOOT_CONFIG_MOUNT_LIMIT];
};

__attribute__((noreturn, format(printf, 2, 3))) static void stop(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("boot_image: ", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(code);
}

static void *take_memory(size_t size_bytes)
{
    void *bytes = calloc(1, size_bytes != 0 ? size_bytes : 1);
    if (bytes == NULL)
        stop(EXIT_FAILED, "out of memory (%zu bytes)", size_bytes);
    return bytes;
}

/* The whole file, and its size. */
static uint8_t *read_file(const char *path, size_t *size_bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        stop(EXIT_FAILED, "%s: %s", path, strerror(errno));
    long end = ftell(file);
    if (end < 0 || end > FILE_BYTES_MAX)
        stop(EXIT_FAILED, "%s: not a file of at most %d bytes", path, (int)FILE_BYTES_MAX);
    rewind(file);
    uint8_t *bytes = take_memory((size_t)end);
    *size_bytes = fread(bytes, 1, (size_t)end, file);
    if (*size_bytes != (size_t)end)
        stop(EXIT_FAILED, "%s: cannot be read", path);
    fclose(file);
    return bytes;
}

/* Copies [first, first + count) of an ELF file into the packed one, and says where that ends. */
static uint64_t keep(uint8_t *packed, const uint8_t *file, uint64_t first, uint64_t count,
                     uint64_t end)
{
    memcpy(packed + first, file + first, (size_t)count);
    return first + count > end ? first + count : end;
}

/* The ELF file without what no loader reads: every byte outside the headers and the segments is
 * zero, and the file ends with its last segment, so that the image is smaller. Nobody who loads it
 * relies on it (G4). */
static void pack_elf(struct boot_section_input *section, const char *path)
{
    enum { HEADER_SECTION_OFFSET = 40, HEADER_PROGRAM_COUNT = 56, HEADER_SECTION_COUNT = 60 };
    struct elf_plan plan;
    struct elf_plan packed_plan;
    size_t size_bytes;
    uint8_t *file = read_file(path, &size_bytes);
    size_t view = size_bytes < ELF_VIEW_BYTES ? size_bytes : ELF_VIEW_BYTES;
    enum status status = elf_plan_parse(file, view, size_bytes, &plan);
    if (status != STATUS_OK)
        stop(EXIT_FAILED, "%s: not a loadable program: %s (%s)", path, status_name(status),
             status_meaning(status));
    uint8_t *packed = take_memory(size_bytes);
    uint64_t end = keep(packed, file, 0, ELF_HEADER_BYTES, 0);
    memset(packed + HEADER_SECTION_OFFSET, 0, 8);
    memset(packed + HEADER_SECTION_COUNT, 0, 4);
    uint64_t headers = (uint64_t)file[HEADER_PROGRAM_COUNT] * ELF_PROGRAM_HEADER_BYTES;
    end = keep(packed, file, ELF_HEADER_BYTES, headers, end);
    for (uint32_t i = 0; i < plan.segment_count; i++) {
        const struct elf_segment *segment = &plan.segments[i];
        if (segment->file_bytes != 0)
            end = keep(packed, file, segment->file_offset, segment->file_bytes, end);
    }
    view = end < ELF_VIEW_BYTES ? (size_t)end : ELF_VIEW_BYTES;
    if (elf_plan_parse(packed, view, end, &packed_plan) != STATUS_OK ||
        packed_plan.entry != plan.entry || packed_plan.stack_top != plan.stack_top)
        stop(EXIT_FAILED, "%s: does not survive packing", path);
    free(file);
    section->bytes = packed;
    section->size_bytes = (size_t)end;
}

static bool is_given(const struct request *request, const char *name)
{
    for (uint32_t i = 1; i < request->count; i++) {
        if (strcmp(request->sections[i].name, name) == 0)
            return true;
    }
    return false;
}

/* --- dependencies --- */

/* Whom every entry waits for: bit j of needs[i] is set when entry i waits for entry j. */
struct needs {
    uint64_t direct[BOOT_CONFIG_ENTRY_LIMIT];
    uint64_t all[BOOT_CONFIG_ENTRY_LIMIT]; /* and those that these wait for */
};

_Static_assert(BOOT_CONFIG_ENTRY_LIMIT <= 64, "a set of entries fits 64 bits");

/* The foundation starts one after the other, procd first, which stages the others; everybody else
 * waits for the last of them, and for whom its rows name. */
static bool waits_for(uint32_t role, uint32_t other)
{
    static const uint32_t order[] = {ROLE_PROCD, ROLE_MEMD, ROLE_VSPACED, ROLE_PAGERD};
    for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (order[i] == role)
            return i != 0 && order[i - 1] == other;
    }
    return other == ROLE_PAGERD || role_needs(role_find(role), other);
}

static struct needs find_needs(const struct boot_config *config)
{
    struct needs needs = {{0}, {0}};
    for (uint32_t i = 0; i < config->entry_count; i++) {
        for (uint32_t j = 0; j < config->entry_count; j++) {
            if (waits_for(config->entries[i].role, config->entries[j].role))
                needs.direct[i] |= UINT64_C(1) << j;
        }
        needs.all[i] = needs.direct[i];
    }
    for (uint32_t round = 0; round < config->entry_count; round++) {
        for (uint32_t i = 0; i < config->entry_count; i++) {
            for (uint32_t j = 0; j < config->entry_count; j++) {
                if ((needs.all[i] >> j & 1) != 0)
                    needs.all[i] |= needs.all[j];
            }
        }
    }
    return needs;
}

/* Whether entry i waits for entry j through another one. */
static bool is_implied(const struct needs *needs, uint32_t i, uint32_t j)
{
    for (uint32_t k = 0; k < BOOT_CONFIG_ENTRY_LIMIT; k++) {
        if ((needs->direct[i] >> k & 1) != 0 && (needs->all[k] >> j & 1) != 0)
            return true;
    }
    return false;
}

/* What is implied by the others is not written: an entry has room for a few. */
static void fill_dependencies(struct boot_config *config)
{
    struct needs needs = find_needs(config);
    for (uint32_t i = 0; i < config->entry_count; i++) {
        struct boot_config_entry *entry = &config->entries[i];
        for (uint32_t j = 0; j < config->entry_count; j++) {
            if ((needs.direct[i] >> j & 1) == 0 || is_implied(&needs, i, j))
                continue;
            if (entry->dependency_count == BOOT_CONFIG_DEPENDENCY_LIMIT)
                stop(EXIT_FAILED, "role %u waits for more than %d others", entry->role,
                     BOOT_CONFIG_DEPENDENCY_LIMIT);
            entry->dependencies[entry->dependency_count++] = config->entries[j].role;
        }
    }
}

/* --- entries --- */

/* One entry per module that rootd starts, in the table's order. */
static struct boot_config make_config(const struct request *request)
{
    struct boot_config config = {.validation_profile = request->profile};
    for (unsigned i = 0; i < role_count; i++) {
        const struct role *role = &role_table[i];
        if (role->id == ROLE_ROOTD || !is_given(request, role->image))
            continue;
        if (config.entry_count == BOOT_CONFIG_ENTRY_LIMIT)
            stop(EXIT_FAILED, "more than %d roles", (int)BOOT_CONFIG_ENTRY_LIMIT);
        struct boot_config_entry *entry = &config.entries[config.entry_count++];
        entry->role = role->id;
        entry->launch_kind = role->kind == ROLE_KIND_DRIVER ? BOOTCFG_LAUNCH_KIND_DEVICED_DRIVER
                                                            : BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT;
        entry->flags = BOOT_ENTRY_REQUIRED;
        unsigned row_count = 0;
        bool runs_long = role->presence == ROLE_PRESENCE_HOSTILE ||
                         role->presence == ROLE_PRESENCE_ATTACKS ||
                         (role->kind == ROLE_KIND_EXTENSION && role_intake(role->id, &row_count));
        entry->ready_ticks = runs_long ? PROGRAM_TICKS : READY_TICKS;
        if (boot_name_set(entry->module, role->image) != STATUS_OK)
            stop(EXIT_FAILED, "role %s: not a module name", role->image);
    }
    config.limit_count = request->limit_count;
    memcpy(config.limits, request->limits, sizeof config.limits);
    config.mount_count = request->mount_count;
    memcpy(config.mounts, request->mounts, sizeof config.mounts);
    fill_dependencies(&config);
    return config;
}

/* Each module is one that the profile allows, and whom it cannot do without is given, too. */
static void check_module(const struct request *request, const struct role *role)
{
    if (!role_in_profile(role, request->profile))
        stop(EXIT_FAILED, "module %s does not belong to this profile", role->image);
    for (unsigned i = 0; i < role_count; i++) {
        if (role_needs(role, role_table[i].id) && !is_given(request, role_table[i].image))
            stop(EXIT_FAILED, "module %s is missing (%s needs it)", role_table[i].image,
                 role->image);
    }
}

static void check_limits(const struct request *request)
{
    for (uint32_t i = 0; i < request->limit_count; i++) {
        const struct role *role = role_find(request->limits[i].role);
        if (!is_given(request, role->image))
            stop(EXIT_FAILED, "--limit: module %s is not given", role->image);
    }
}

/* What rootd would refuse is not written, nor what would leave vfsd without a root. */
static void check_mounts(const struct request *request)
{
    bool has_root = false;
    bool has_vfsd = is_given(request, role_find(ROLE_VFSD)->image);
    for (uint32_t i = 0; i < request->mount_count; i++) {
        const struct boot_config_mount *mount = &request->mounts[i];
        const char *image = role_find(mount->provider_role)->image;
        bool looks_up = false;
        for (unsigned row = 0; row < look_up_count; row++)
            looks_up = looks_up || (look_up_table[row].client == ROLE_VFSD &&
                                    look_up_table[row].service == mount->provider_role);
        if (!is_given(request, image))
            stop(EXIT_FAILED, "--mount: module %s is not given", image);
        if (!looks_up)
            stop(EXIT_FAILED, "--mount: vfsd does not find %s", image);
        has_root = has_root || strcmp(mount->path, "/") == 0;
    }
    if (has_vfsd && !has_root)
        stop(EXIT_FAILED, "--mount: nothing lies at / for vfsd");
    if (request->mount_count != 0 && !has_vfsd)
        stop(EXIT_FAILED, "--mount: module vfsd is not given");
}

/* The data of a role that has some is given, too. */
static void check_data(const struct request *request)
{
    for (unsigned i = 0; i < role_count; i++) {
        const char *name = role_data(role_table[i].id);
        bool is_there = false;
        for (uint32_t j = 1; j < request->count; j++)
            is_there = is_there || (request->sections[j].kind == BOOT_SECTION_DATA &&
                                    name != NULL && strcmp(request->sections[j].name, name) == 0);
        if (name != NULL && is_given(request, role_table[i].image) && !is_there)
            stop(EXIT_FAILED, "data %s is missing (%s needs it)", name, role_table[i].image);
    }
}

static void check_modules(const struct request *request)
{
    for (unsigned i = 0; i < role_count; i++) {
        const struct role *role = &role_table[i];
        if (is_given(request, role->image))
            check_module(request, role);
        else if (role->kind == ROLE_KIND_FOUNDATION)
            stop(EXIT_FAILED, "module %s is missing (the foundation needs it)", role->image);
    }
    for (uint32_t i = 1; i < request->count; i++) {
        bool known = request->sections[i].kind != BOOT_SECTION_EXECUTABLE;
        for (unsigned j = 0; j < role_count; j++)
            known = known || strcmp(role_table[j].image, request->sections[i].name) == 0;
        if (!known)
            stop(EXIT_FAILED, "module %s has no role", request->sections[i].name);
    }
}

/* Section 0. A given config is packed as it is, so that images with a bad one can be made. */
static void fill_config(struct request *request)
{
    struct boot_section_input *section = &request->sections[0];
    section->name = BOOT_CONFIG_MODULE_NAME;
    section->kind = BOOT_SECTION_BOOT_CONFIG;
    if (request->config_path != NULL) {
        section->bytes = read_file(request->config_path, &section->size_bytes);
        return;
    }
    check_modules(request);
    check_limits(request);
    check_mounts(request);
    check_data(request);
    struct boot_config config = make_config(request);
    uint8_t *bytes = take_memory(BOOT_CONFIG_BYTES_MAX);
    enum status status =
        boot_config_encode(&config, bytes, BOOT_CONFIG_BYTES_MAX, &section->size_bytes);
    if (status != STATUS_OK)
        stop(EXIT_FAILED, "the role table gives no valid config: %s", status_name(status));
    section->bytes = bytes;
}

static void add_section(struct request *request, char *argument, uint32_t kind)
{
    char *equals = strchr(argument, '=');
    char checked[BOOT_MODULE_NAME_BYTES];
    if (equals == NULL || equals[1] == 0)
        stop(EXIT_USAGE, "\"%s\" is not NAME=PATH\n%s", argument, usage);
    *equals = 0;
    if (boot_name_set(checked, argument) != STATUS_OK)
        stop(EXIT_USAGE, "\"%s\" is no module name: 1 to %d bytes of a-z, 0-9 and -", argument,
             BOOT_MODULE_NAME_BYTES - 1);
    if (is_given(request, argument) || strcmp(argument, BOOT_CONFIG_MODULE_NAME) == 0)
        stop(EXIT_USAGE, "module %s is given twice", argument);
    if (request->count == BOOT_MODULE_LIMIT)
        stop(EXIT_USAGE, "more than %d modules", BOOT_MODULE_LIMIT - 1);
    request->sections[request->count].name = argument;
    request->sections[request->count].kind = kind;
    request->paths[request->count++] = equals + 1;
}

static const struct role *role_named(const char *name, const char *option)
{
    for (unsigned i = 0; i < role_count; i++) {
        if (strcmp(role_table[i].image, name) == 0)
            return &role_table[i];
    }
    stop(EXIT_USAGE, "%s: no role has the name \"%s\"", option, name);
}

/* One of the limits, behind its name and a colon; without these it is pages of its own. */
static void take_limit(const struct role *role, const char *text, struct process_limits *limits)
{
    const struct {
        const char *name;
        uint32_t most;
        uint32_t *limit;
    } kinds[] = {{"", role->page_limit, &limits->page_limit},
                 {"budget:", role->budget_pages, &limits->budget_pages},
                 {"children:", role->child_limit, &limits->child_limit},
                 {"child-pages:", role->child_pages, &limits->child_pages}};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t count = strlen(kinds[i].name);
        const char *number = text + count;
        char *end = NULL;
        if (strncmp(text, kinds[i].name, count) != 0 || *number < '1' || *number > '9')
            continue;
        unsigned long value = strtoul(number, &end, 10);
        if (*end != 0)
            stop(EXIT_USAGE, "--limit: \"%s\" is no number", number);
        if (value > kinds[i].most)
            stop(EXIT_USAGE, "--limit: %s may have %s%u, not %lu", role->image, kinds[i].name,
                 kinds[i].most, value);
        if (*kinds[i].limit != 0)
            stop(EXIT_USAGE, "--limit: %s has two limits of one kind", role->image);
        *kinds[i].limit = (uint32_t)value;
        return;
    }
    stop(EXIT_USAGE, "--limit: \"%s\" is no limit\n%s", text, usage);
}

/* NAME=LIMIT[,LIMIT...]; what rootd would refuse is not written. */
static void add_limit(struct request *request, char *argument)
{
    struct process_limits limits = {0};
    char *equals = strchr(argument, '=');
    if (equals == NULL)
        stop(EXIT_USAGE, "--limit: \"%s\" is not NAME=LIMIT[,LIMIT...]\n%s", argument, usage);
    *equals = 0;
    const struct role *role = role_named(argument, "--limit");
    if (role->page_limit == 0)
        stop(EXIT_USAGE, "--limit: %s has none that rootd could lower", role->image);
    for (char *text = equals + 1, *next; text != NULL; text = next) {
        next = strchr(text, ',');
        if (next != NULL)
            *next++ = 0;
        take_limit(role, text, &limits);
    }
    if (role_limits_check(role, &limits) != STATUS_OK)
        stop(EXIT_USAGE,
             "--limit: so little kernel memory is too little for the pages that %s may have",
             role->image);
    for (uint32_t i = 0; i < request->limit_count; i++) {
        if (request->limits[i].role == role->id)
            stop(EXIT_USAGE, "--limit: %s has one already", role->image);
    }
    if (request->limit_count == BOOT_CONFIG_ENTRY_LIMIT)
        stop(EXIT_USAGE, "--limit: more than %d", (int)BOOT_CONFIG_ENTRY_LIMIT);
    request->limits[request->limit_count++] =
        (struct boot_config_limit){.role = role->id, .limits = limits};
}

/* The part of an argument in front of a colon, which ends it; null: there is none. */
static char *split(char *text)
{
    char *colon = strchr(text, ':');
    if (colon != NULL)
        *colon++ = 0;
    return colon;
}

/* NAME:SOURCE:PATH[:ro]; what the format refuses of it the encoder says. */
static void add_mount(struct request *request, char *argument)
{
    char *source = split(argument);
    char *path = source == NULL ? NULL : split(source);
    char *flags = path == NULL ? NULL : split(path);
    if (path == NULL || (flags != NULL && strcmp(flags, "ro") != 0))
        stop(EXIT_USAGE, "--mount: \"%s\" is not followed by :SOURCE:PATH[:ro]\n%s", argument,
             usage);
    if (request->mount_count == BOOT_CONFIG_MOUNT_LIMIT)
        stop(EXIT_USAGE, "--mount: more than %d", (int)BOOT_CONFIG_MOUNT_LIMIT);
    struct boot_config_mount *mount = &request->mounts[request->mount_count++];
    mount->provider_role = role_named(argument, "--mount")->id;
    mount->flags = flags != NULL ? BOOT_MOUNT_READ_ONLY : 0;
    if (strlen(source) >= sizeof mount->source || strlen(path) >= sizeof mount->path)
        stop(EXIT_USAGE, "--mount: the source or path of %s is too long", argument);
    memcpy(mount->source, source, strlen(source));
    memcpy(mount->path, path, strlen(path));
}

static uint32_t profile_of(const char *name)
{
    static const char *const names[] = {
        [VALIDATION_PROFILE_NONE] = "none",
        [VALIDATION_PROFILE_PHASE0] = "phase0",
        [VALIDATION_PROFILE_HOSTILE] = "hostile",
        [VALIDATION_PROFILE_ATTACKS] = "attacks",
        [VALIDATION_PROFILE_GRAPH] = "graph",
        [VALIDATION_PROFILE_CONSOLE] = "console",
        [VALIDATION_PROFILE_FILES] = "files",
        [VALIDATION_PROFILE_PHASE4_LOADER_CONTRACT] = "phase4-loader-contract",
        [VALIDATION_PROFILE_PHASE4_LOADER_FS_DISCOVERY] = "phase4-loader-fs-discovery",
        [VALIDATION_PROFILE_PHASE4_LOADER_MATERIALIZED_LAUNCH] =
            "phase4-loader-materialized-launch",
        [VALIDATION_PROFILE_PHASE4_LOADER_CLEANUP_AUTHORITY] = "phase4-loader-cleanup-authority",
        [VALIDATION_PROFILE_PHASE4_LOADER_CLOSURE] = "phase4-loader-closure",
    };
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    stop(
        EXIT_USAGE,
        "\"%s\" is no profile: none, phase0, hostile, attacks, graph, console, files or phase4-...",
        name);
}

static struct request read_arguments(int count, char **arguments)
{
    struct request request = {.count = 1}; /* place 0 is the config's */
    for (int i = 1; i < count; i++) {
        const char *argument = arguments[i];
        if (strcmp(argument, "--no-config") == 0) {
            request.no_config = true;
            continue;
        }
        if (strncmp(argument, "--", 2) != 0) {
            add_section(&request, arguments[i], BOOT_SECTION_EXECUTABLE);
            continue;
        }
        if (i + 1 == count)
            stop(EXIT_USAGE, "%s: unknown, or its value is missing\n%s", argument, usage);
        char *value = arguments[++i];
        if (strcmp(argument, "--output") == 0)
            request.output = value;
        else if (strcmp(argument, "--profile") == 0)
            request.profile = profile_of(value);
        else if (strcmp(argument, "--config") == 0)
            request.config_path = value;
        else if (strcmp(argument, "--data") == 0)
            add_section(&request, value, BOOT_SECTION_DATA);
        else if (strcmp(argument, "--limit") == 0)
            add_limit(&request, value);
        else if (strcmp(argument, "--mount") == 0)
            add_mount(&request, value);
        else
            stop(EXIT_USAGE, "%s: unknown\n%s", argument, usage);
    }
    bool makes_config = !request.no_config && request.config_path == NULL;
    if ((request.limit_count != 0 || request.mount_count != 0) && !makes_config)
        stop(EXIT_USAGE, "--limit, --mount: the config is not made here\n%s", usage);
    if (request.output == NULL || (request.no_config && request.config_path != NULL))
        stop(EXIT_USAGE, "%s\n%s",
             request.output == NULL ? "--output is missing"
                                    : "--config and --no-config contradict each other",
             usage);
    return request;
}

/* Writes under a temporary name first, so that a half-written image never has the final one. */
static void write_file(const char *path, const uint8_t *bytes, size_t size_bytes)
{
    char *temporary = take_memory(strlen(path) + sizeof ".new");
    strcpy(temporary, path);
    strcat(temporary, ".new");
    FILE *file = fopen(temporary, "wb");
    if (file == NULL)
        stop(EXIT_FAILED, "%s: %s", temporary, strerror(errno));
    bool written = fwrite(bytes, 1, size_bytes, file) == size_bytes;
    written = fclose(file) == 0 && written;
    if (!written || rename(temporary, path) != 0) {
        int problem = errno;
        remove(temporary);
        stop(EXIT_FAILED, "%s: %s", path, strerror(problem));
    }
    free(temporary);
}

int main(int argument_count, char **arguments)
{
    static struct boot_image checked;
    static struct request request; /* holds every section until the end */
    request = read_arguments(argument_count, arguments);
    uint32_t first = request.no_config ? 1 : 0;
    if (!request.no_config)
        fill_config(&request);
    for (uint32_t i = 1; i < request.count; i++) {
        if (request.sections[i].kind == BOOT_SECTION_EXECUTABLE)
            pack_elf(&request.sections[i], request.paths[i]);
        else
            request.sections[i].bytes =
                read_file(request.paths[i], &request.sections[i].size_bytes);
    }
    const struct boot_section_input *sections = &request.sections[first];
    uint32_t count = request.count - first;
    size_t size_bytes = boot_image_encoded_bytes(sections, count);
    size_t written;
    uint8_t *bytes = take_memory(size_bytes);
    enum status status = boot_image_encode(sections, count, bytes, size_bytes, &written);
    if (status == STATUS_OK)
        status = boot_image_open(bytes, written, &checked);
    if (status != STATUS_OK)
        stop(EXIT_FAILED, "no image of these sections: %s (%s)", status_name(status),
             status_meaning(status));
    write_file(request.output, bytes, written);
    free(bytes);
    printf("%s: %u sections, %zu bytes\n", request.output, checked.section_count, written);
    return 0;
}
