/* SPDX-License-Identifier: ISC */
/* See rootd_model.h. Written from rootd.h, intake.h and graph.h alone; asks the bytes of the machine,
 * not what rootd made of them. */
#include "fuzz/adversary/rootd_model.h"

#include <string.h>

#include "abi/formats/boot_image.h"
#include "abi/formats/boot_name.h"
#include "abi/formats/cursor.h"
#include "abi/roles.h"
#include "props/base/marks.h"
#include "props/stand_ins/peers_of_rootd.h"

struct rootd_model rootd_model;

static bool cspace_is_agreed(void)
{
    if (stand_in_slot_count() != boot_cap_count)
        return false;
    for (unsigned i = 0; i < boot_cap_count; i++) {
        struct stand_in_cap cap = stand_in_at(boot_caps[i].slot);
        if (cap.object_type != (uint32_t)boot_caps[i].object_type ||
            cap.rights != boot_caps[i].rights || cap.badge != 0)
            return false;
    }
    return true;
}

/* Pages that a segment needs besides the image's: all of a writable one, else those at its ends that
 * the file does not fill. */
static uint64_t own_pages(const struct elf_segment *segment)
{
    uint64_t begins_within = segment->first_bytes != 0;
    uint64_t ends_within = (segment->first_bytes + segment->memory_bytes) % PAGE_BYTES != 0;
    if ((segment->rights & RIGHT_WRITE) != 0 || segment->pages == 1)
        return (segment->rights & RIGHT_WRITE) != 0 ? segment->pages : begins_within | ends_within;
    return begins_within + ends_within;
}

/* Whether the module of a role can be started, and the pages of its own. */
static bool program_is_sound(const struct handoff *handoff, uint32_t role, uint64_t *pages)
{
    struct elf_plan plan;
    int index = handoff_find(handoff, role_find(role)->image);
    if (index < 0 || handoff->modules[index].kind != BOOT_SECTION_EXECUTABLE)
        return false;
    const struct handoff_module *module = &handoff->modules[index];
    size_t view = module->size_bytes < FRAME_TRANSFER_BYTES_MAX ? (size_t)module->size_bytes
                                                                : FRAME_TRANSFER_BYTES_MAX;
    if (!range_within(module->offset_bytes, view, sizeof peers_machine.image) ||
        elf_plan_parse(peers_machine.image + module->offset_bytes, view, module->size_bytes,
                       &plan) != STATUS_OK ||
        (role_find(role)->kind == ROLE_KIND_FOUNDATION && plan.stack_top == 0))
        return false;
    for (uint32_t i = 0; i < plan.segment_count; i++)
        *pages += own_pages(&plan.segments[i]);
    return true;
}

/* When a role is launched, as a number that grows; a helper never is. */
enum { STEP_SERVICES = 4, STEP_PROGRAMS = 5, STEP_NEVER = 1 << 20 };

static unsigned step_of(const struct role *role)
{
    static const uint32_t first[] = {ROLE_PROCD, ROLE_MEMD, ROLE_VSPACED, ROLE_PAGERD};
    unsigned row_count = 0;
    for (unsigned i = 0; i < STEP_SERVICES; i++) {
        if (first[i] == role->id)
            return i;
    }
    if (role->kind == ROLE_KIND_SERVICE || role->kind == ROLE_KIND_DRIVER)
        return STEP_SERVICES;
    bool holds = role_intake(role->id, &row_count) != NULL;
    return holds ? STEP_PROGRAMS + (unsigned)(role - role_table) : STEP_NEVER;
}

/* Where a role may be: said a second time. */
static bool belongs(const struct role *role, uint32_t profile)
{
    switch (role->presence) {
    case ROLE_PRESENCE_RUNTIME:
    case ROLE_PRESENCE_LATER:
        return true;
    case ROLE_PRESENCE_PHASE0:
        return profile != 0;
    case ROLE_PRESENCE_HOSTILE:
        return profile == 2;
    case ROLE_PRESENCE_ATTACKS:
        return profile == 3;
    case ROLE_PRESENCE_GRAPH:
        return profile == 4;
    case ROLE_PRESENCE_CONSOLE:
        return profile == 5;
    case ROLE_PRESENCE_FILES:
        return profile >= 6 && profile <= 11;
    case ROLE_PRESENCE_PHASE4:
        return profile >= 7 && profile <= 11;
    }
    return false;
}

static bool entry_is_sound(const struct boot_config *config, const struct boot_config_entry *entry)
{
    const struct role *role = role_find(entry->role);
    if (role == NULL || entry->role == ROLE_ROOTD || !boot_name_is(entry->module, role->image) ||
        (role->kind == ROLE_KIND_DRIVER) !=
            (entry->launch_kind == BOOTCFG_LAUNCH_KIND_DEVICED_DRIVER) ||
        !belongs(role, config->validation_profile))
        return false;
    for (uint32_t i = 0; i < entry->dependency_count; i++) {
        const struct role *other = role_find(entry->dependencies[i]);
        if (other == NULL)
            return false;
        bool services = step_of(role) == STEP_SERVICES && step_of(other) == STEP_SERVICES;
        if (step_of(other) >= step_of(role) && !services)
            return false;
    }
    return role->kind != ROLE_KIND_FOUNDATION || entry->flags == BOOT_ENTRY_REQUIRED;
}

/* Whether the data of a role, if it has some, is there. */
static bool data_is_sound(const struct handoff *handoff, uint32_t role)
{
    int index = role == ROLE_IMAGEFSD ? handoff_find(handoff, "files") : -1;
    return role != ROLE_IMAGEFSD ||
           (index >= 0 && handoff->modules[index].kind == BOOT_SECTION_DATA);
}

/* Whether the module of an entry can be launched. */
static bool is_there(const struct handoff *handoff, const struct boot_config_entry *entry)
{
    uint64_t pages = 0;
    const struct role *role = role_find(entry->role);
    return role->presence != ROLE_PRESENCE_LATER &&
           program_is_sound(handoff, entry->role, &pages) && data_is_sound(handoff, entry->role);
}

/* Entries that an entry waits for, directly or not: bits by their index. */
static uint64_t waits_for(const struct boot_config *config, uint32_t entry)
{
    uint64_t waits = UINT64_C(1) << entry;
    for (uint32_t round = 0; round < config->entry_count; round++) {
        for (uint32_t i = 0; i < config->entry_count; i++) {
            const struct boot_config_entry *waiter = &config->entries[i];
            for (uint32_t j = 0; j < waiter->dependency_count && (waits >> i & 1) != 0; j++)
                waits |= UINT64_C(1) << boot_config_find(config, waiter->dependencies[j]);
        }
    }
    return waits & ~(UINT64_C(1) << entry);
}

/* Whoever holds the end of a service waits for it, and a driver for deviced. */
static bool peers_come_first(const struct boot_config *config, uint32_t entry)
{
    unsigned row_count = 0;
    const struct intake *rows = role_intake(config->entries[entry].role, &row_count);
    uint64_t waits = waits_for(config, entry);
    if (role_find(config->entries[entry].role)->kind == ROLE_KIND_DRIVER) {
        int deviced = boot_config_find(config, ROLE_DEVICED);
        return deviced >= 0 && (waits >> deviced & 1) != 0; /* which gives it its ends */
    }
    for (unsigned i = 0; i < row_count; i++) {
        const struct role *peer = role_find(slot_peer_role(rows[i].slot));
        if (peer == NULL || peer->kind == ROLE_KIND_FOUNDATION)
            continue;
        int at = boot_config_find(config, peer->id);
        if (at < 0 || (waits >> at & 1) == 0)
            return false;
    }
    return true;
}

static bool entries_are_sound(const struct boot_config *config, const struct handoff *handoff)
{
    for (uint32_t i = 0; i < config->entry_count; i++) {
        const struct boot_config_entry *entry = &config->entries[i];
        if (!entry_is_sound(config, entry))
            return false;
        bool there = is_there(handoff, entry);
        if (there ? !peers_come_first(config, i) : entry->flags == BOOT_ENTRY_REQUIRED)
            return false;
    }
    return true;
}

/* Two regions for each page that is set aside are enough for the pages that it may have. */
static bool has_regions(const struct role *role, uint32_t page_limit, uint32_t budget_pages)
{
    uint32_t pages = page_limit == 0 ? role->page_limit : page_limit;
    uint32_t budget = budget_pages == 0 ? role->budget_pages : budget_pages;
    uint32_t guarantee = pages < role->guarantee_pages ? pages : role->guarantee_pages;
    return pages <= 2 * (guarantee + budget);
}

/* Mounts are of what vfsd finds, there is a vfsd, and none of their providers waits for it. */
static bool mounts_are_sound(const struct boot_config *config)
{
    int vfsd = boot_config_find(config, ROLE_VFSD);
    for (uint32_t i = 0; i < config->mount_count; i++) {
        uint32_t role = config->mounts[i].provider_role;
        bool found =
            role == ROLE_RAMFSD || role == ROLE_IMAGEFSD || role == ROLE_E2FSD || role == ROLE_FATD;
        if (vfsd < 0 || !found ||
            (waits_for(config, (uint32_t)boot_config_find(config, role)) >> vfsd & 1) != 0)
            return false;
    }
    return true;
}

/* No more than the role's own. */
static bool limits_are_sound(const struct boot_config *config)
{
    for (uint32_t i = 0; i < config->limit_count; i++) {
        const struct role *role = role_find(config->limits[i].role);
        struct process_limits own = config->limits[i].limits;
        if (own.page_limit > role->page_limit || own.budget_pages > role->budget_pages ||
            own.child_limit > role->child_limit || own.child_pages > role->child_pages ||
            (own.budget_pages > 0 && own.budget_pages < 16))
            return false;
        if (role->kind == ROLE_KIND_FOUNDATION ||
            !has_regions(role, own.page_limit, own.budget_pages))
            return false;
    }
    return true;
}

bool rootd_model_accepts(uint32_t root_endpoint_slot)
{
    memset(&rootd_model, 0, sizeof rootd_model);
    struct handoff *handoff = &rootd_model.handoff;
    struct boot_config *config = &rootd_model.config;
    if (handoff_parse(peers_machine.handoff_bytes, peers_machine.handoff_size, handoff) !=
            STATUS_OK ||
        root_endpoint_slot != 2 || handoff->root_endpoint_slot != 2 || handoff->image_slot != 5 ||
        handoff->untyped_count != 2 || handoff->untyped[0].slot != 32 ||
        handoff->untyped[1].slot != 33 || !cspace_is_agreed())
        return false;
    int index = handoff_find(handoff, "boot-config");
    if (index < 0 || handoff->modules[index].kind != BOOT_SECTION_BOOT_CONFIG ||
        !range_within(handoff->modules[index].offset_bytes, handoff->modules[index].size_bytes,
                      sizeof peers_machine.image) ||
        boot_config_parse(peers_machine.image + handoff->modules[index].offset_bytes,
                          (size_t)handoff->modules[index].size_bytes, config) != STATUS_OK)
        return false;
    uint64_t pages = role_tables_total_pages(handoff->untyped[0].pages); /* their tables */
    for (unsigned i = 0; i < FOUNDATION_COUNT; i++) {
        pages += role_find(foundation_roles[i])->budget_pages;
        if (boot_config_find(config, foundation_roles[i]) < 0 ||
            !program_is_sound(handoff, foundation_roles[i], &pages))
            return false;
    }
    return entries_are_sound(config, handoff) && limits_are_sound(config) &&
           mounts_are_sound(config) && pages <= handoff->untyped[1].pages;
}

/* Who is READY at a later ask has failed when it was not asked so often before its time was over. As
 * long as it is not over rootd owes it another ask: whoever was given up before that is READY here. */
static enum status outcome_of_asks(const struct peers_manners *manners)
{
    const struct peers_child *child = peers_child_of(manners->role);
    if (role_find(manners->role)->kind == ROLE_KIND_DRIVER)
        return manners->ready == PEERS_READY_SLOW ? STATUS_OK : STATUS_TIMED_OUT;
    if (child == NULL || child->asks == 0 || !peers_time_is_over(child))
        return STATUS_OK;
    bool late = manners->ready == PEERS_READY_SLOW && child->asks < manners->asks;
    bool never = manners->ready == PEERS_READY_NEVER;
    return never || MARK_IF("rootd: a slow service was too late", late) ? STATUS_TIMED_OUT
                                                                        : STATUS_OK;
}

/* What a way of being READY comes to. A driver of which deviced says so in the end was READY in its
 * time. */
static enum status outcome_of(const struct peers_manners *manners)
{
    switch (manners->ready) {
    case PEERS_READY_RIGHT:
        return STATUS_OK;
    case PEERS_READY_SLOW:
    case PEERS_READY_NEVER:
        return outcome_of_asks(manners);
    case PEERS_READY_UNSETTLED:
        return manners->asks != 0 ? STATUS_OK : STATUS_TIMED_OUT;
    case PEERS_READY_GIVES_UP:
        return STATUS_TIMED_OUT;
    case PEERS_READY_REFUSED:
        return STATUS_INVALID_ARGUMENT;
    case PEERS_READY_DIES:
    case PEERS_READY_DEAD:
        return STATUS_PEER_DIED;
    case PEERS_READY_LACKS:
        return STATUS_NOT_FOUND;
    case PEERS_READY_OTHER_ROLE:
    case PEERS_READY_ONE_MORE:
    case PEERS_READY_ONE_LESS:
    case PEERS_READY_COUNT:
        break;
    }
    return STATUS_INTERNAL;
}

/* Whether what stands in an entry's place does what it should: OK, or what it fails with. */
static enum status outcome(uint32_t role)
{
    for (unsigned i = 0; i < PEERS_MANNERS_LIMIT; i++) {
        if (peers_machine.manners[i].role == role)
            return outcome_of(&peers_machine.manners[i]);
    }
    return STATUS_OK;
}

/* procd does not answer for named once it is READY: that is the end of the boot. */
static bool is_unbound(void)
{
    int named = boot_config_find(&rootd_model.config, ROLE_NAMED);
    return peers_machine.bind_unanswered && named >= 0 && (rootd_model.failed >> named & 1) == 0;
}

/* vfsd is READY by its own doing, and is told of what is mounted: which is not there then, and
 * whether there is something at "/". */
static void predict_mounts(uint64_t *failed)
{
    const struct boot_config *config = &rootd_model.config;
    int vfsd = boot_config_find(config, ROLE_VFSD);
    if (vfsd < 0 || (*failed >> vfsd & 1) != 0 ||
        (waits_for(config, (uint32_t)vfsd) & *failed) != 0)
        return;
    bool has_root = false;
    rootd_model.vfsd_is_told = true;
    for (uint32_t i = 0; i < config->mount_count; i++) {
        int provider = boot_config_find(config, config->mounts[i].provider_role);
        uint64_t needed = waits_for(config, (uint32_t)provider) | UINT64_C(1) << provider;
        bool is_there = (needed & *failed) == 0;
        has_root |= is_there && strcmp(config->mounts[i].path, "/") == 0;
        rootd_model.not_mounted |= (uint64_t)!is_there << i;
    }
    if (has_root)
        return;
    *failed |= UINT64_C(1) << vfsd;
    rootd_model.causes[vfsd] = STATUS_NOT_FOUND;
}

void rootd_model_predict(void)
{
    const struct boot_config *config = &rootd_model.config;
    uint64_t failed = 0;
    for (uint32_t i = 0; i < config->entry_count; i++) {
        enum status own = outcome(config->entries[i].role);
        bool there = is_there(&rootd_model.handoff, &config->entries[i]);
        if (!there || own != STATUS_OK)
            failed |= UINT64_C(1) << i;
        rootd_model.causes[i] = there ? own : STATUS_OK;
    }
    predict_mounts(&failed);
    rootd_model.failed = failed;
    rootd_model.ready = true;
    for (uint32_t i = 0; i < config->entry_count; i++) {
        bool waits = step_of(role_find(config->entries[i].role)) != STEP_NEVER;
        if (waits && (waits_for(config, i) & failed) != 0) {
            rootd_model.failed |= UINT64_C(1) << i;
            rootd_model.causes[i] = STATUS_OK; /* one of theirs, or its own, whichever came first */
        }
        if ((rootd_model.failed >> i & 1) != 0 && config->entries[i].flags == BOOT_ENTRY_REQUIRED)
            rootd_model.ready = false;
    }
    rootd_model.ready = rootd_model.ready && !is_unbound();
}
