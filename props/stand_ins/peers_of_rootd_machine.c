/* SPDX-License-Identifier: ISC */
/* What the machine that starts rootd consists of: an image of programs that are all the same, its config
 * as the image builder would make it, and the handoff. */
#include <string.h>

#include "abi/formats/boot_image.h"
#include "abi/formats/boot_name.h"
#include "abi/formats/cursor.h"
#include "abi/formats/elf_plan.h"
#include "props/base/property.h"
#include "props/stand_ins/peers_of_rootd_inside.h"

/* A program of one code page and PEERS_WRITABLE_PAGES writable ones. */
static void write_elf(uint8_t *bytes)
{
    enum { ENTRY_VA = 0x400080, CODE_VA = 0x400000, DATA_VA = 0x600000 };
    static const uint8_t ident[16] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    struct writer writer = writer_over(bytes, PAGE_BYTES);
    write_bytes(&writer, ident, sizeof ident);
    write_u16(&writer, 2);  /* ET_EXEC */
    write_u16(&writer, 62); /* x86-64 */
    write_u32(&writer, 1);
    write_u64(&writer, ENTRY_VA);
    write_u64(&writer, ELF_HEADER_BYTES);
    write_u64(&writer, 0);
    write_u32(&writer, 0);
    write_u16(&writer, ELF_HEADER_BYTES);
    write_u16(&writer, ELF_PROGRAM_HEADER_BYTES);
    write_u16(&writer, 3);
    write_zero(&writer, 6);
    for (unsigned i = 0; i < 3; i++) {
        write_u32(&writer, i < 2 ? 1 : 0x6474E551); /* PT_LOAD, PT_GNU_STACK: the last segment */
        write_u32(&writer, i == 0 ? 5 : 6);         /* R-X, RW- */
        write_u64(&writer, (i != 0) * PAGE_BYTES);
        write_u64(&writer, i == 0 ? CODE_VA : DATA_VA);
        write_u64(&writer, i == 0 ? CODE_VA : DATA_VA);
        write_u64(&writer, i == 0 ? PAGE_BYTES : 16);
        write_u64(&writer, i == 0 ? PAGE_BYTES : PEERS_WRITABLE_PAGES * PAGE_BYTES);
        write_u64(&writer, PAGE_BYTES);
    }
}

static void add_module(uint32_t role_id)
{
    const struct role *role = role_find(role_id);
    struct handoff_module *module =
        &peers_machine.handoff.modules[peers_machine.handoff.module_count];
    struct boot_config_entry *entry =
        &peers_machine.config.entries[peers_machine.config.entry_count];
    uint64_t page =
        PEERS_CONFIG_PAGES + PEERS_MODULE_PAGES * (peers_machine.handoff.module_count - 1);
    (void)boot_name_set(module->name, role->image);
    (void)boot_name_set(entry->module, role->image);
    module->kind = BOOT_SECTION_EXECUTABLE;
    module->offset_bytes = page * PAGE_BYTES;
    module->size_bytes = PAGE_BYTES + 16;
    write_elf(peers_machine.image + module->offset_bytes);
    entry->role = role_id;
    entry->launch_kind = role->kind == ROLE_KIND_DRIVER ? BOOTCFG_LAUNCH_KIND_DEVICED_DRIVER
                                                        : BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT;
    entry->flags = BOOT_ENTRY_REQUIRED;
    entry->ready_ticks = 100 + role_id;
    peers_machine.handoff.module_count++;
    peers_machine.config.entry_count++;
}

/* As the image builder writes them, but all of them. */
static void add_dependencies(struct boot_config *config)
{
    for (uint32_t i = 0; i < config->entry_count; i++) {
        struct boot_config_entry *entry = &config->entries[i];
        for (uint32_t j = 0; j < config->entry_count; j++) {
            if (role_needs(role_find(entry->role), config->entries[j].role))
                entry->dependencies[entry->dependency_count++] = config->entries[j].role;
        }
    }
}

/* What is in images of its own, and a helper that would show nothing of rootd. */
static bool is_left_out(const struct role *role)
{
    bool extension = role->kind == ROLE_KIND_EXTENSION && role->presence == ROLE_PRESENCE_GRAPH;
    return extension || role->id == ROLE_PHASE0_STOCK || role->id == ROLE_TEST_MORTAL ||
           role->id == ROLE_TEST_FRAIL;
}

void peers_describe(uint32_t profile)
{
    /* The last two of profile graph alone. */
    static const uint32_t others[] = {ROLE_NAMED, ROLE_LOGD, ROLE_TIMED, ROLE_DEVICED,
                                      ROLE_TEST_DRIVER};
    unsigned other_count = profile == VALIDATION_PROFILE_GRAPH     ? 5
                           : profile == VALIDATION_PROFILE_HOSTILE ? 3
                                                                   : 0;
    struct handoff *handoff = &peers_machine.handoff;
    *handoff = (struct handoff){.root_endpoint_slot = SLOT_SERVICE_ENDPOINT,
                                .image_slot = SLOT_IMAGE,
                                .image_bytes = sizeof peers_machine.image,
                                .page_count = 1 << 20,
                                .untyped_count = 2};
    handoff->untyped[0] = (struct handoff_untyped){SLOT_UNTYPED_BASE, 10000};
    handoff->untyped[1] = (struct handoff_untyped){SLOT_UNTYPED_BASE + 1, PEERS_POOL_PAGES};
    handoff->free_pages = 10000 + PEERS_POOL_PAGES;
    handoff->module_count = 1;
    (void)boot_name_set(handoff->modules[0].name, BOOT_CONFIG_MODULE_NAME);
    handoff->modules[0].kind = BOOT_SECTION_BOOT_CONFIG;
    peers_machine.config.validation_profile = profile;
    for (unsigned i = 0; i < FOUNDATION_COUNT; i++)
        add_module(foundation_roles[i]);
    for (unsigned i = 0; i < role_count; i++) {
        if (role_table[i].presence != ROLE_PRESENCE_RUNTIME &&
            role_table[i].kind != ROLE_KIND_DRIVER && role_in_profile(&role_table[i], profile) &&
            !is_left_out(&role_table[i]))
            add_module(role_table[i].id);
    }
    for (unsigned i = 0; i < other_count; i++)
        add_module(others[i]);
    add_dependencies(&peers_machine.config);
}

static void add_data(const char *name)
{
    struct handoff_module *module =
        &peers_machine.handoff.modules[peers_machine.handoff.module_count];
    uint64_t page =
        PEERS_CONFIG_PAGES + PEERS_MODULE_PAGES * (peers_machine.handoff.module_count++ - 1);
    (void)boot_name_set(module->name, name);
    module->kind = BOOT_SECTION_DATA;
    module->offset_bytes = page * PAGE_BYTES;
    module->size_bytes = 100;
}

void peers_mount(uint32_t provider_role, const char *source, const char *path, uint32_t flags)
{
    struct boot_config *config = &peers_machine.config;
    HARNESS(config->mount_count < BOOT_CONFIG_MOUNT_LIMIT);
    struct boot_config_mount *mount = &config->mounts[config->mount_count++];
    mount->provider_role = provider_role;
    mount->flags = flags;
    memcpy(mount->source, source, strlen(source));
    memcpy(mount->path, path, strlen(path));
}

void peers_add(uint32_t role)
{
    add_module(role);
    if (role_data(role) != NULL)
        add_data(role_data(role));
    for (uint32_t i = 0; i < peers_machine.config.entry_count; i++)
        peers_machine.config.entries[i].dependency_count = 0;
    add_dependencies(&peers_machine.config);
}

bool peers_machine_encode(void)
{
    static uint8_t config[BOOT_CONFIG_BYTES_MAX];
    static uint8_t handoff[HANDOFF_BYTES_MAX];
    size_t config_size;
    size_t handoff_size;
    if (boot_config_encode(&peers_machine.config, config, sizeof config, &config_size) != STATUS_OK)
        return false;
    peers_machine.handoff.modules[0].size_bytes = config_size;
    if (handoff_encode(&peers_machine.handoff, handoff, sizeof handoff, &handoff_size) != STATUS_OK)
        return false;
    memset(peers_machine.image, 0, PEERS_CONFIG_PAGES * PAGE_BYTES);
    memcpy(peers_machine.image, config, config_size);
    memcpy(peers_machine.handoff_bytes, handoff, handoff_size);
    peers_machine.handoff_size = handoff_size;
    return true;
}
