/* SPDX-License-Identifier: ISC */
/* The authority plan, computed from the role table and an accepted intake. Makes no call. Every
 * capability that a child gets passes plan_row, which gives no right that the row does not state
 * and none upwards (R4). */
#include "services/rootd/plan.h"

#include <string.h>

#include "abi/assert.h"
#include "abi/formats/cursor.h"
#include "services/lib/image_loader.h"
#include "services/lib/launch_envelope.h"
#include "services/lib/service.h"

/* What rootd has in a slot when it installs from there. The launcher's own slots are filled on the
 * way: aliases of what was launched, and the bootstrap untyped. */
static struct boot_cap source_at(uint32_t slot)
{
    if (slot != SLOT_NULL && role_peer_slot(slot_peer_role(slot)) == slot)
        return (struct boot_cap){slot, OBJECT_ENDPOINT, RIGHT_SEND | RIGHT_TRANSFER};
    if (slot == SLOT_BOOTSTRAP_UNTYPED)
        return (struct boot_cap){slot, OBJECT_UNTYPED, RIGHT_CONTROL | RIGHT_TRANSFER};
    for (unsigned i = 0; i < boot_cap_count; i++) {
        if (boot_caps[i].slot == slot)
            return boot_caps[i];
    }
    return (struct boot_cap){0, OBJECT_NONE, 0};
}

/* Calls only go down the rank: a process that can send to an equal or a higher one could wait for a
 * service that waits for it (E5). And none begins with the end of one that may be started again. */
static enum status check_peer(const struct role *role, const struct intake *row)
{
    if (row->object_type != OBJECT_ENDPOINT || (row->rights & RIGHT_SEND) == 0)
        return STATUS_OK;
    const struct role *peer_role = role_find(slot_peer_role(row->slot));
    if (peer_role == NULL || peer_role->rank >= role->rank)
        return STATUS_BAD_ORDER;
    return role_may_hold(role, peer_role->id) ? STATUS_OK : STATUS_BUSY;
}

enum status plan_row(const struct role *role, const struct intake *row, struct plan_install *out)
{
    memset(out, 0, sizeof *out);
    if (row->slot == SLOT_NULL || row->slot == SLOT_SELF || row->slot == SLOT_SERVICE_ENDPOINT ||
        row->slot == SLOT_LEGACY || row->rights == 0)
        return STATUS_INVALID_ARGUMENT;
    uint32_t peer = service_peer_role(row->slot, row->object_type, row->rights);
    enum status status = check_peer(role, row);
    if (status != STATUS_OK)
        return status;
    struct boot_cap source = source_at(row->source_slot != 0 ? row->source_slot : row->slot);
    if (source.object_type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    /* Rights only shrink, and only what may be given is given (K1). */
    if (source.object_type != row->object_type || (source.rights & row->rights) != row->rights ||
        (source.rights & RIGHT_TRANSFER) == 0)
        return STATUS_DENIED;
    *out = (struct plan_install){
        .source_slot = source.slot,
        .target_slot = row->slot,
        .rights = row->rights,
        .badge = peer == ROLE_NONE ? 0 : role->id,
    };
    return STATUS_OK;
}

/* What memd will have: shared tables are made for as many pages. */
static uint32_t memory_pages(const struct rootd_intake *intake)
{
    uint64_t pages = intake->handoff.untyped[0].pages;
    return pages < MEMORY_PAGES_LIMIT ? (uint32_t)pages : MEMORY_PAGES_LIMIT;
}

/* Envelope and installs of one role; rows come in ascending slots, above the endpoint's. */
static enum status plan_launch_make(const struct rootd_intake *intake, uint32_t role_id,
                                    uint64_t ready_ticks, struct plan_launch *out)
{
    const struct role *role = role_find(role_id);
    unsigned row_count = 0;
    const struct intake *rows = role_intake(role_id, &row_count);
    const struct launch_terms terms = {
        .validation_profile = intake->validation_profile,
        .memory_pages = memory_pages(intake),
        .ready_ticks = ready_ticks,
    };
    if (role == NULL)
        return STATUS_NOT_FOUND;
    out->role = role->id;
    out->budget_pages =
        role->budget_pages + (uint32_t)role_table_budget_pages(role->id, memory_pages(intake));
    enum status status = launch_envelope_make(role, &terms, &out->envelope);
    for (unsigned i = 0; i < row_count && status == STATUS_OK; i++) {
        UNIT_ASSERT(out->install_count == i);
        status = plan_row(role, &rows[i], &out->installs[out->install_count++]);
    }
    return status;
}

static enum status plan_foundation(const struct rootd_intake *intake, struct rootd_plan *out)
{
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < FOUNDATION_COUNT && status == STATUS_OK; i++) {
        const struct rootd_module *module = &intake->foundation[i];
        status = module->role == foundation_roles[i]
                     ? plan_launch_make(intake, module->role, module->ready_ticks,
                                        &out->launches[out->launch_count++])
                     : STATUS_NOT_FOUND;
    }
    return status;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* Whether a role is launched before an entry, because the entry waits for it or for one that does. */
static bool is_before(const struct rootd_intake *intake, uint32_t entry, uint32_t role)
{
    uint64_t waits = intake->entries[entry].needs;
    for (uint32_t i = entry; i-- > 0;) { /* who is waited for comes earlier */
        if ((waits >> i & 1) == 0)
            continue;
        if (intake->entries[i].role == role)
            return true;
        waits |= intake->entries[i].needs;
    }
    return false;
}

/* deviced, which launches a driver, is there by then. */
static enum status check_driver(const struct rootd_intake *intake, uint32_t entry)
{
    return is_before(intake, entry, ROLE_DEVICED) ? STATUS_OK : STATUS_BAD_ORDER;
}

/* Every end that the role holds is there by then: the foundation's, or that of who comes before. */
static enum status check_peers(const struct rootd_intake *intake, uint32_t entry)
{
    unsigned row_count = 0;
    const struct intake *rows = role_intake(intake->entries[entry].role, &row_count);
    for (unsigned i = 0; i < row_count; i++) {
        const struct role *peer = role_find(slot_peer_role(rows[i].slot));
        if (peer != NULL && peer->kind != ROLE_KIND_FOUNDATION &&
            !is_before(intake, entry, peer->id))
            return STATUS_BAD_ORDER;
    }
    return STATUS_OK;
}

/* What vfsd awaits does not wait for vfsd. */
static enum status check_awaited(const struct rootd_intake *intake, uint32_t entry)
{
    uint64_t awaits = intake->entries[entry].awaits;
    for (uint32_t i = 0; i < intake->entry_count; i++) {
        if ((awaits >> i & 1) != 0 && is_before(intake, i, intake->entries[entry].role))
            return STATUS_BAD_ORDER;
    }
    return STATUS_OK;
}

static enum status plan_entries(const struct rootd_intake *intake, struct rootd_plan *out)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < intake->entry_count && status == STATUS_OK; i++) {
        const struct rootd_entry *entry = &intake->entries[i];
        status = check_awaited(intake, i);
        if (status != STATUS_OK)
            return status;
        if (entry->found != STATUS_OK || entry->kind == ENTRY_HELPER)
            continue;
        if (entry->kind == ENTRY_DRIVER) {
            status = check_driver(intake, i);
            continue;
        }
        if (out->launch_count == PLAN_LAUNCH_LIMIT)
            return STATUS_EXHAUSTED;
        struct plan_launch *launch = &out->launches[out->launch_count++];
        launch->entry = i;
        status = plan_launch_make(intake, entry->role, entry->ready_ticks, launch);
        if (status == STATUS_OK)
            status = check_peers(intake, i);
    }
    return status;
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Pages that a foundation service takes: its kernel budget, one for each page of its segments that
 * is not the image's own, and its tables. */
static uint64_t service_pages(const struct rootd_intake *intake, const struct role *role,
                              const struct elf_plan *elf)
{
    uint64_t pages = role->budget_pages + role_table_pages(role->id, memory_pages(intake)) +
                     role_table_budget_pages(role->id, memory_pages(intake));
    for (uint32_t i = 0; i < elf->segment_count && i < ELF_SEGMENT_LIMIT; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        pages += segment->pages - image_shared_pages(segment); /* below 2^36 each (USER_VA_END) */
    }
    return pages;
}

/* procd's untyped holds all of memd, vspaced and pagerd; procd itself and that untyped come from
 * the launch pool. Page tables are part of the budgets. */
static enum status plan_memory(const struct rootd_intake *intake, struct rootd_plan *out)
{
    for (unsigned i = 0; i < FOUNDATION_PROCD; i++) {
        const struct role *role = role_find(foundation_roles[i]);
        if (role == NULL)
            return STATUS_NOT_FOUND;
        out->bootstrap_pages += service_pages(intake, role, &intake->foundation[i].elf);
    }
    const struct role *procd = role_find(ROLE_PROCD);
    if (procd == NULL)
        return STATUS_NOT_FOUND;
    uint64_t procd_pages = service_pages(intake, procd, &intake->foundation[FOUNDATION_PROCD].elf);
    if (!range_within(procd_pages, out->bootstrap_pages, intake->launch_pool_pages) ||
        out->bootstrap_pages > RETYPE_COUNT_MAX)
        return STATUS_EXHAUSTED;
    return STATUS_OK;
}

/* --- digest --------------------------------------------------------------------------------- */

static void digest_number(struct sha256 *hash, uint64_t value)
{
    uint8_t bytes[8];
    struct writer writer = writer_over(bytes, sizeof bytes);
    write_u64(&writer, value);
    sha256_update(hash, bytes, sizeof bytes);
}

static void digest_module(struct sha256 *hash, uint32_t role, uint64_t offset_bytes,
                          uint64_t size_bytes, uint64_t ready_ticks)
{
    digest_number(hash, role);
    digest_number(hash, offset_bytes);
    digest_number(hash, size_bytes);
    digest_number(hash, ready_ticks);
}

static void digest_entry(struct sha256 *hash, const struct rootd_entry *entry)
{
    digest_module(hash, entry->role, entry->offset_bytes, entry->size_bytes, entry->ready_ticks);
    digest_number(hash, entry->required);
    digest_number(hash, entry->found);
    digest_number(hash, entry->data_offset);
    digest_number(hash, entry->data_bytes);
    digest_number(hash, entry->limits.page_limit);
    digest_number(hash, entry->limits.budget_pages);
    digest_number(hash, entry->limits.child_limit);
    digest_number(hash, entry->limits.child_pages);
    digest_number(hash, entry->needs);
}

static void digest_mount(struct sha256 *hash, const struct boot_config_mount *mount)
{
    digest_number(hash, mount->provider_role);
    digest_number(hash, mount->flags);
    sha256_update(hash, mount->source, sizeof mount->source);
    sha256_update(hash, mount->path, sizeof mount->path);
}

static void digest_launch(struct sha256 *hash, const struct plan_launch *launch)
{
    uint8_t bytes[ENVELOPE_BYTES_MAX];
    size_t written = 0;
    enum status status = envelope_encode(&launch->envelope, bytes, sizeof bytes, &written);
    UNIT_ASSERT(status == STATUS_OK); /* it validated */
    digest_number(hash, written);
    sha256_update(hash, bytes, written);
    digest_number(hash, launch->budget_pages);
    digest_number(hash, launch->install_count);
    for (uint32_t i = 0; i < launch->install_count; i++) {
        digest_number(hash, launch->installs[i].source_slot);
        digest_number(hash, launch->installs[i].target_slot);
        digest_number(hash, launch->installs[i].rights);
        digest_number(hash, launch->installs[i].badge);
    }
}

/* Fixed order, fixed widths and stated counts, so that equal plans have equal digests and no two
 * others do. */
static void plan_digest(const struct rootd_intake *intake, struct rootd_plan *out)
{
    struct sha256 hash;
    sha256_init(&hash);
    digest_number(&hash, intake->validation_profile);
    digest_number(&hash, out->bootstrap_pages);
    for (unsigned i = 0; i < FOUNDATION_COUNT; i++) {
        const struct rootd_module *module = &intake->foundation[i];
        digest_module(&hash, module->role, module->offset_bytes, module->size_bytes,
                      module->ready_ticks);
    }
    digest_number(&hash, intake->entry_count);
    for (uint32_t i = 0; i < intake->entry_count; i++)
        digest_entry(&hash, &intake->entries[i]);
    digest_number(&hash, intake->config.mount_count);
    for (uint32_t i = 0; i < intake->config.mount_count; i++)
        digest_mount(&hash, &intake->config.mounts[i]);
    digest_number(&hash, out->launch_count);
    for (uint32_t i = 0; i < out->launch_count; i++)
        digest_launch(&hash, &out->launches[i]);
    sha256_final(&hash, out->digest);
}

enum status plan_make(const struct rootd_intake *intake, struct rootd_plan *out)
{
    memset(out, 0, sizeof *out);
    enum status status = plan_foundation(intake, out);
    if (status == STATUS_OK)
        status = plan_entries(intake, out);
    if (status == STATUS_OK)
        status = plan_memory(intake, out);
    if (status != STATUS_OK) {
        memset(out, 0, sizeof *out);
        return status;
    }
    plan_digest(intake, out);
    return STATUS_OK;
}
