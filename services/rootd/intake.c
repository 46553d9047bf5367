/* SPDX-License-Identifier: ISC */
/* Decides whether what rootd was given is what was agreed. Makes no call that changes anything. */
#include "services/rootd/intake.h"

#include <string.h>

#include "abi/assert.h"
#include "abi/formats/boot_image.h"
#include "abi/formats/boot_name.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "services/lib/image_loader.h"

const uint32_t foundation_roles[FOUNDATION_COUNT] = {
    [FOUNDATION_MEMD] = ROLE_MEMD,
    [FOUNDATION_VSPACED] = ROLE_VSPACED,
    [FOUNDATION_PAGERD] = ROLE_PAGERD,
    [FOUNDATION_PROCD] = ROLE_PROCD,
};

#define KERNEL_RIGHTS (RIGHT_CONTROL | RIGHT_TRANSFER)

const struct boot_cap boot_caps[] = {
    {SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL},
    {SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT},
    {SLOT_IMAGE, OBJECT_IMAGE, RIGHT_READ | RIGHT_EXECUTE | RIGHT_MAP | RIGHT_TRANSFER},
    {SLOT_UNTYPED_BASE, OBJECT_UNTYPED, RIGHT_CONTROL | RIGHT_TRANSFER},
    {SLOT_UNTYPED_BASE + 1, OBJECT_UNTYPED, RIGHT_CONTROL | RIGHT_TRANSFER},
    {SLOT_PROCD_DRIVER_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT},
    {SLOT_KERNEL_TIME_ENDPOINT, OBJECT_KERNEL_TIME, KERNEL_RIGHTS},
    {SLOT_KERNEL_IRQ_ENDPOINT, OBJECT_KERNEL_IRQ, KERNEL_RIGHTS},
    {SLOT_KERNEL_HOTPLUG_ENDPOINT, OBJECT_KERNEL_HOTPLUG, KERNEL_RIGHTS},
    {SLOT_KERNEL_PCI_CONFIG_ENDPOINT, OBJECT_KERNEL_PCI_CONFIG, KERNEL_RIGHTS},
    {SLOT_KERNEL_CONSOLE_ENDPOINT, OBJECT_KERNEL_CONSOLE, KERNEL_RIGHTS},
    {SLOT_KERNEL_COM1_ENDPOINT, OBJECT_KERNEL_COM1, KERNEL_RIGHTS},
    {SLOT_KERNEL_MEM_ENDPOINT, OBJECT_KERNEL_MEMORY, KERNEL_RIGHTS},
    {SLOT_KERNEL_VSPACE_ENDPOINT, OBJECT_KERNEL_VSPACE, KERNEL_RIGHTS},
    {SLOT_KERNEL_PAGER_ENDPOINT, OBJECT_KERNEL_PAGER, KERNEL_RIGHTS},
    {SLOT_KERNEL_LOG_ENDPOINT, OBJECT_KERNEL_LOG, KERNEL_RIGHTS},
    {SLOT_KERNEL_PROCESS_ENDPOINT, OBJECT_KERNEL_PROCESS, KERNEL_RIGHTS},
    {SLOT_KERNEL_CHILD_POPULATE_ENDPOINT, OBJECT_KERNEL_CHILD_POPULATE, KERNEL_RIGHTS},
    {SLOT_KERNEL_ACPI_ENDPOINT, OBJECT_KERNEL_ACPI, KERNEL_RIGHTS},
    {SLOT_KERNEL_I8042_ENDPOINT, OBJECT_KERNEL_I8042, KERNEL_RIGHTS},
};
const unsigned boot_cap_count = sizeof boot_caps / sizeof boot_caps[0];

/* --- handoff ------------------------------------------------------------------------------ */

enum status intake_handoff(struct rootd_intake *out, const void *bytes, size_t size_bytes,
                           uint32_t root_endpoint_slot)
{
    struct handoff *handoff = &out->handoff;
    enum status status = handoff_parse(bytes, size_bytes, handoff);
    if (status != STATUS_OK)
        return status;
    if (root_endpoint_slot == SLOT_SERVICE_ENDPOINT &&
        handoff->root_endpoint_slot == SLOT_SERVICE_ENDPOINT && handoff->image_slot == SLOT_IMAGE &&
        handoff->untyped_count == 2 && handoff->untyped[0].slot == SLOT_UNTYPED_BASE &&
        handoff->untyped[1].slot == SLOT_UNTYPED_BASE + 1)
        return STATUS_OK;
    memset(handoff, 0, sizeof *handoff);
    return STATUS_INVALID_ARGUMENT;
}

/* --- own cspace --------------------------------------------------------------------------- */

/* The next capability that is held, compared with the next that is expected (null: no more). Both
 * go up strictly, so the first difference says which side lacks the slot. */
static enum status compare(const struct kernel_query_local_cap_reply *held,
                           const struct boot_cap *expected)
{
    if (expected == NULL || held->slot < expected->slot)
        return STATUS_DENIED;
    if (held->slot > expected->slot)
        return STATUS_NOT_FOUND;
    bool equal = held->object_type == (uint32_t)expected->object_type &&
                 held->rights == expected->rights && held->badge == 0;
    return equal ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

enum status intake_inventory(struct caller *caller, bool *kernel_failed)
{
    uint32_t slot = SLOT_SELF;
    for (unsigned i = 0; i <= boot_cap_count; i++) {
        const struct boot_cap *expected = i < boot_cap_count ? &boot_caps[i] : NULL;
        struct kernel_query_local_cap_reply held;
        enum status status = kernel_query_local_cap(caller, slot, QUERY_NEXT, &held);
        if (status == STATUS_NOT_FOUND)
            return expected == NULL ? STATUS_OK : STATUS_NOT_FOUND;
        if (status == STATUS_OK && held.slot < slot)
            status = STATUS_INTERNAL;
        *kernel_failed = status != STATUS_OK;
        if (status == STATUS_OK)
            status = compare(&held, expected);
        if (status != STATUS_OK)
            return status;
        slot = held.slot + 1;
    }
    return STATUS_DENIED; /* compare() refused whatever follows the last expected one */
}

/* --- boot config -------------------------------------------------------------------------- */

static enum status read_config(struct caller *caller, struct rootd_intake *intake,
                               bool *kernel_failed)
{
    int index = handoff_find(&intake->handoff, BOOT_CONFIG_MODULE_NAME);
    if (index < 0 || intake->handoff.modules[index].kind != BOOT_SECTION_BOOT_CONFIG)
        return STATUS_MISSING_MODULE;
    const struct handoff_module *module = &intake->handoff.modules[index];
    if (module->size_bytes > sizeof intake->config_bytes)
        return STATUS_BAD_LENGTH;
    for (uint64_t done = 0; done < module->size_bytes;) {
        uint64_t left = module->size_bytes - done;
        uint32_t count =
            left < FRAME_TRANSFER_BYTES_MAX ? (uint32_t)left : (uint32_t)FRAME_TRANSFER_BYTES_MAX;
        UNIT_ASSERT(count != 0 && done + count <= sizeof intake->config_bytes);
        enum status status =
            kernel_frame_read(caller, SLOT_KERNEL_MEM_ENDPOINT, SLOT_IMAGE,
                              module->offset_bytes + done, count, intake->config_bytes + done);
        *kernel_failed = status != STATUS_OK;
        if (status != STATUS_OK)
            return status;
        done += count;
    }
    enum status status =
        boot_config_parse(intake->config_bytes, (size_t)module->size_bytes, &intake->config);
    intake->validation_profile = intake->config.validation_profile;
    return status;
}

/* --- entries and modules -------------------------------------------------------------------- */

static bool is_foundation(uint32_t role)
{
    for (unsigned i = 0; i < FOUNDATION_COUNT; i++) {
        if (foundation_roles[i] == role)
            return true;
    }
    return false;
}

enum entry_kind intake_entry_kind(const struct role *role)
{
    unsigned row_count = 0;
    if (role->kind == ROLE_KIND_DRIVER)
        return ENTRY_DRIVER;
    if (role->kind != ROLE_KIND_EXTENSION)
        return ENTRY_SERVICE;
    return role_intake(role->id, &row_count) != NULL ? ENTRY_PROGRAM : ENTRY_HELPER;
}

/* One entry against the role table. */
static enum status check_entry(const struct boot_config_entry *entry, uint32_t profile)
{
    const struct role *role = role_find(entry->role);
    if (role == NULL || role->id == ROLE_ROOTD || !boot_name_is(entry->module, role->image))
        return STATUS_INVALID_ARGUMENT;
    uint32_t kind = role->kind == ROLE_KIND_DRIVER ? BOOTCFG_LAUNCH_KIND_DEVICED_DRIVER
                                                   : BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT;
    if (entry->launch_kind != kind)
        return STATUS_INVALID_ARGUMENT;
    if (role->presence == ROLE_PRESENCE_LATER)
        return STATUS_OK; /* find_module() says what becomes of it */
    bool required = entry->flags == BOOT_ENTRY_REQUIRED;
    bool fits = role_in_profile(role, profile) && (required || role->kind != ROLE_KIND_FOUNDATION);
    return fits ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

/* When an entry is launched: the foundation first, procd before the others, which are in their
 * fixed order; then services and drivers; then programs, in the table's order; helpers never. */
enum { POSITION_SERVICES = FOUNDATION_COUNT, POSITION_PROGRAMS, POSITION_NEVER = ROLE_ID_MAX };

static unsigned launch_position(const struct role *role)
{
    for (unsigned i = 0; i < FOUNDATION_PROCD; i++) {
        if (foundation_roles[i] == role->id)
            return i + 1;
    }
    if (role->id == ROLE_PROCD)
        return 0;
    switch (intake_entry_kind(role)) {
    case ENTRY_SERVICE:
    case ENTRY_DRIVER:
        return POSITION_SERVICES;
    case ENTRY_PROGRAM:
        return POSITION_PROGRAMS + (unsigned)(role - role_table);
    case ENTRY_HELPER:
        break;
    }
    return POSITION_NEVER;
}

/* A dependency that this order cannot honour is a contradiction, not a wish. Services among
 * themselves have no circles: the config's own check sees to that. */
static enum status check_order(const struct boot_config_entry *entry)
{
    unsigned position = launch_position(role_find(entry->role));
    for (uint32_t i = 0; i < entry->dependency_count; i++) {
        const struct role *other = role_find(entry->dependencies[i]);
        if (other == NULL)
            return STATUS_INVALID_ARGUMENT;
        unsigned earlier = launch_position(other);
        if (earlier >= position && !(earlier == POSITION_SERVICES && position == POSITION_SERVICES))
            return STATUS_BAD_ORDER;
    }
    return STATUS_OK;
}

/* The config gives less than the role table, never more. How little is enough nobody knows: whoever
 * runs out ends, as an entry that fails. */
static enum status check_limit(const struct boot_config_limit *limit)
{
    const struct role *role = role_find(limit->role);
    UNIT_ASSERT(role != NULL); /* it is an entry's */
    return role_limits_check(role, &limit->limits);
}

static enum status check_entries(const struct rootd_intake *intake)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < intake->config.entry_count && status == STATUS_OK; i++)
        status = check_entry(&intake->config.entries[i], intake->validation_profile);
    for (uint32_t i = 0; i < intake->config.entry_count && status == STATUS_OK; i++)
        status = check_order(&intake->config.entries[i]);
    for (uint32_t i = 0; i < intake->config.limit_count && status == STATUS_OK; i++)
        status = check_limit(&intake->config.limits[i]);
    return status;
}

/* The module of a role, and what a loader makes of it. */
static enum status find_module(struct caller *caller, const struct rootd_intake *intake,
                               const struct role *role, const struct handoff_module **module,
                               struct elf_plan *elf, bool *kernel_failed)
{
    int index = handoff_find(&intake->handoff, role->image);
    if (role->presence == ROLE_PRESENCE_LATER)
        return STATUS_UNSUPPORTED;
    if (index < 0)
        return STATUS_MISSING_MODULE;
    *module = &intake->handoff.modules[index];
    if ((*module)->kind != BOOT_SECTION_EXECUTABLE)
        return STATUS_INVALID_ARGUMENT;
    struct image_module image = {
        .kernel_slot = SLOT_KERNEL_MEM_ENDPOINT,
        .image_slot = SLOT_IMAGE,
        .offset_bytes = (*module)->offset_bytes,
        .size_bytes = (*module)->size_bytes,
    };
    /* The handoff was validated: a range that the kernel refuses now is its contradiction. */
    enum status status = image_plan(caller, &image, elf);
    *kernel_failed = status == STATUS_DENIED || status == STATUS_NOT_FOUND ||
                     status == STATUS_INTERNAL || status == STATUS_PEER_DIED;
    return status;
}

static enum status take_foundation(struct caller *caller, struct rootd_intake *intake,
                                   bool *kernel_failed)
{
    for (unsigned i = 0; i < FOUNDATION_COUNT; i++) {
        struct rootd_module *out = &intake->foundation[i];
        const struct handoff_module *module = NULL;
        int entry = boot_config_find(&intake->config, foundation_roles[i]);
        if (entry < 0)
            return STATUS_MISSING_MODULE;
        enum status status = find_module(caller, intake, role_find(foundation_roles[i]), &module,
                                         &out->elf, kernel_failed);
        if (status == STATUS_OK && out->elf.stack_top == 0)
            status = STATUS_INVALID_ARGUMENT; /* it is loaded as its file says */
        if (status != STATUS_OK)
            return status;
        out->role = foundation_roles[i];
        out->offset_bytes = module->offset_bytes;
        out->size_bytes = module->size_bytes;
        out->ready_ticks = intake->config.entries[entry].ready_ticks;
    }
    return STATUS_OK;
}

static int find_entry(const struct rootd_intake *intake, uint32_t role)
{
    for (uint32_t i = 0; i < intake->entry_count; i++) {
        if (intake->entries[i].role == role)
            return (int)i;
    }
    return -1;
}

/* Of dependencies those of the foundation are met before any entry is launched; helpers are started
 * by others. */
static uint64_t needs_of(const struct rootd_intake *intake, const struct boot_config_entry *entry)
{
    uint64_t needs = 0;
    if (intake_entry_kind(role_find(entry->role)) == ENTRY_HELPER)
        return 0;
    for (uint32_t i = 0; i < entry->dependency_count; i++) {
        int other = find_entry(intake, entry->dependencies[i]);
        if (other < 0)
            UNIT_ASSERT(is_foundation(entry->dependencies[i])); /* check_order(); taken in order */
        else
            needs |= UINT64_C(1) << other;
    }
    return needs;
}

/* The data of a role that has some. */
static enum status find_data(const struct rootd_intake *intake, struct rootd_entry *entry)
{
    const char *name = role_data(entry->role);
    if (name == NULL)
        return STATUS_OK;
    int index = handoff_find(&intake->handoff, name);
    if (index < 0)
        return STATUS_MISSING_MODULE;
    const struct handoff_module *module = &intake->handoff.modules[index];
    if (module->kind != BOOT_SECTION_DATA)
        return STATUS_INVALID_ARGUMENT;
    entry->data_offset = module->offset_bytes;
    entry->data_bytes = module->size_bytes;
    return STATUS_OK;
}

static enum status take_entry(struct caller *caller, struct rootd_intake *intake,
                              const struct boot_config_entry *entry, bool *kernel_failed)
{
    const struct role *role = role_find(entry->role);
    const struct handoff_module *module = NULL;
    struct elf_plan elf;
    struct rootd_entry taken = {
        .role = role->id,
        .kind = intake_entry_kind(role),
        .required = entry->flags == BOOT_ENTRY_REQUIRED,
        .ready_ticks = entry->ready_ticks,
        .limits = boot_config_limits(&intake->config, entry->role),
        .needs = needs_of(intake, entry),
    };
    UNIT_ASSERT(intake->entry_count < BOOT_CONFIG_ENTRY_LIMIT);
    taken.found = find_module(caller, intake, role, &module, &elf, kernel_failed);
    if (taken.found == STATUS_OK)
        taken.found = find_data(intake, &taken);
    if (taken.found != STATUS_OK && (taken.required || *kernel_failed))
        return taken.found;
    if (module != NULL) {
        taken.offset_bytes = module->offset_bytes;
        taken.size_bytes = module->size_bytes;
    }
    intake->entries[intake->entry_count++] = taken;
    return STATUS_OK;
}

static bool is_extension(uint32_t role)
{
    return role_find(role)->kind == ROLE_KIND_EXTENSION;
}

/* What the config starts besides the foundation. */
static enum status take_entries(struct caller *caller, struct rootd_intake *intake,
                                bool *kernel_failed)
{
    uint32_t order[BOOT_CONFIG_ENTRY_LIMIT];
    const struct boot_config *config = &intake->config;
    enum status status = boot_config_order(config, order);
    for (uint32_t i = 0; i < config->entry_count && status == STATUS_OK; i++) {
        const struct boot_config_entry *entry = &config->entries[order[i]];
        if (!is_foundation(entry->role) && !is_extension(entry->role))
            status = take_entry(caller, intake, entry, kernel_failed);
    }
    for (unsigned i = 0; i < role_count && status == STATUS_OK; i++) {
        int entry = boot_config_find(config, role_table[i].id);
        if (entry >= 0 && is_extension(role_table[i].id))
            status = take_entry(caller, intake, &config->entries[entry], kernel_failed);
    }
    return status;
}

/* Mounts are vfsd's, of what it may find. */
static enum status check_mounts(const struct boot_config *config)
{
    for (uint32_t i = 0; i < config->mount_count; i++) {
        bool looks_up = false;
        for (unsigned row = 0; row < look_up_count; row++)
            looks_up |= look_up_table[row].client == ROLE_VFSD &&
                        look_up_table[row].service == config->mounts[i].provider_role;
        if (!looks_up || boot_config_find(config, ROLE_VFSD) < 0)
            return STATUS_INVALID_ARGUMENT;
    }
    return STATUS_OK;
}

static void take_mounts(struct rootd_intake *intake)
{
    int vfsd = find_entry(intake, ROLE_VFSD);
    for (uint32_t i = 0; i < intake->config.mount_count; i++) {
        int provider = find_entry(intake, intake->config.mounts[i].provider_role);
        UNIT_ASSERT(vfsd >= 0 && provider >= 0); /* check_mounts(); the config's own check */
        intake->entries[vfsd].awaits |= UINT64_C(1) << provider;
    }
}

static enum status take_modules(struct caller *caller, struct rootd_intake *intake,
                                bool *kernel_failed)
{
    enum status status = check_entries(intake);
    if (status == STATUS_OK)
        status = check_mounts(&intake->config);
    if (status == STATUS_OK)
        status = take_foundation(caller, intake, kernel_failed);
    if (status == STATUS_OK)
        status = take_entries(caller, intake, kernel_failed);
    if (status == STATUS_OK)
        take_mounts(intake);
    return status;
}

enum status intake_modules(struct caller *caller, struct rootd_intake *out, bool *kernel_failed)
{
    enum status status = read_config(caller, out, kernel_failed);
    if (status == STATUS_OK)
        status = take_modules(caller, out, kernel_failed);
    if (status == STATUS_OK) {
        out->launch_pool_pages = out->handoff.untyped[1].pages;
        return STATUS_OK;
    }
    uint32_t profile = out->validation_profile;
    memset(out, 0, sizeof *out); /* R2: a status or a whole intake */
    out->validation_profile = profile;
    return status;
}
