/* SPDX-License-Identifier: ISC */
/* The role table, unfolded from roles.def. Decides nothing. */
#include "abi/roles.h"

#include "abi/assert.h"
#include "abi/limits.h"

#include <stddef.h>

#include "abi/process.h"
#include "abi/profile.h"

const struct role role_table[] = {
#define ROLE(NAME, id_, image_, rank_, primary, budget, pages, guarantee, makes_, child_limit_,    \
             child_pages_, kind_, presence_, why_)                                                 \
    {                                                                                              \
        .image = (image_),                                                                         \
        .id = (id_),                                                                               \
        .rank = (rank_),                                                                           \
        .primary_slot = (primary),                                                                 \
        .budget_pages = (budget),                                                                  \
        .page_limit = (pages),                                                                     \
        .guarantee_pages = (guarantee),                                                            \
        .makes = (makes_),                                                                         \
        .child_limit = (child_limit_),                                                             \
        .child_pages = (child_pages_),                                                             \
        .kind = ROLE_KIND_##kind_,                                                                 \
        .presence = ROLE_PRESENCE_##presence_,                                                     \
    },
#include "abi/role_rows.h"
};
const unsigned role_count = sizeof role_table / sizeof role_table[0];

const struct intake intake_table[] = {
#define INTAKE(NAME, slot_, type_, rights_, source_, why_)                                         \
    {                                                                                              \
        .role = ROLE_##NAME,                                                                       \
        .slot = (slot_),                                                                           \
        .object_type = OBJECT_##type_,                                                             \
        .rights = (rights_),                                                                       \
        .source_slot = (source_),                                                                  \
    },
#include "abi/role_rows.h"
};
const unsigned intake_count = sizeof intake_table / sizeof intake_table[0];

const struct look_up look_up_table[] = {
#define LOOKS_UP(CLIENT, SERVICE, why)   {ROLE_##CLIENT, ROLE_##SERVICE, false},
#define LATE_BOUND(CLIENT, SERVICE, why) {ROLE_##CLIENT, ROLE_##SERVICE, true},
#include "abi/role_rows.h"
};
const unsigned look_up_count = sizeof look_up_table / sizeof look_up_table[0];

const struct need need_table[] = {
#define NEEDS(NAME, OTHER, why) {ROLE_##NAME, ROLE_##OTHER},
#include "abi/role_rows.h"
};
const unsigned need_count = sizeof need_table / sizeof need_table[0];

const struct interrupt_row interrupt_table[] = {
#define INTERRUPTS(NAME, line, why) {ROLE_##NAME, (line)},
#include "abi/role_rows.h"
};
const unsigned interrupt_count = sizeof interrupt_table / sizeof interrupt_table[0];

const struct restarts restarts_table[] = {
#define RESTARTS(NAME, policy_, base_delay, delay_cap, stable_after, budget, window, critical_,    \
                 why_)                                                                             \
    {                                                                                              \
        .role = ROLE_##NAME,                                                                       \
        .policy = RESTART_##policy_,                                                               \
        .base_delay_ticks = (base_delay),                                                          \
        .delay_cap_ticks = (delay_cap),                                                            \
        .stable_after_ticks = (stable_after),                                                      \
        .window_ticks = (window),                                                                  \
        .budget_count = (budget),                                                                  \
        .critical = (critical_),                                                                   \
    },
#include "abi/role_rows.h"
};
const unsigned restarts_count = sizeof restarts_table / sizeof restarts_table[0];

static const char *const role_whys[] = {
#define ROLE(NAME, id, image, rank, primary, budget, pages, guarantee, makes, child_limit,         \
             child_pages, kind, presence, why)                                                     \
    why,
#include "abi/role_rows.h"
};

static const char *const intake_whys[] = {
#define INTAKE(NAME, slot, type, rights, source, why) why,
#include "abi/role_rows.h"
};

static const char *const look_up_whys[] = {
#define LOOKS_UP(CLIENT, SERVICE, why)   why,
#define LATE_BOUND(CLIENT, SERVICE, why) why,
#include "abi/role_rows.h"
};

static const char *const need_whys[] = {
#define NEEDS(NAME, OTHER, why) why,
#include "abi/role_rows.h"
};

static const char *const interrupt_whys[] = {
#define INTERRUPTS(NAME, line, why) why,
#include "abi/role_rows.h"
};

static const char *const restarts_whys[] = {
#define RESTARTS(NAME, policy, base_delay, delay_cap, stable_after, budget, window, critical, why) \
    why,
#include "abi/role_rows.h"
};

const char *role_why(const struct role *role)
{
    return role_whys[role - role_table];
}

const char *intake_why(const struct intake *intake)
{
    return intake_whys[intake - intake_table];
}

const char *look_up_why(const struct look_up *look_up)
{
    return look_up_whys[look_up - look_up_table];
}

const char *need_why(const struct need *need)
{
    return need_whys[need - need_table];
}

const char *interrupt_why(const struct interrupt_row *row)
{
    return interrupt_whys[row - interrupt_table];
}

const char *restarts_why(const struct restarts *restarts)
{
    return restarts_whys[restarts - restarts_table];
}

const struct role *role_find(uint32_t id)
{
    for (unsigned i = 0; i < role_count; i++) {
        if (role_table[i].id == id)
            return &role_table[i];
    }
    return NULL;
}

/* --- peers ------------------------------------------------------------------------------------ */

static const struct {
    uint32_t slot;
    uint32_t role;
    bool administrators;
} peer_slots[] = {
    {SLOT_PEER_MEMD, ROLE_MEMD, false},
    {SLOT_PEER_VSPACED, ROLE_VSPACED, false},
    {SLOT_PEER_PAGERD, ROLE_PAGERD, false},
    {SLOT_PEER_PROCD, ROLE_PROCD, false},
    {SLOT_PROCD_ADMINISTRATOR, ROLE_PROCD, true},
    {SLOT_PEER_NAMED, ROLE_NAMED, false},
    {SLOT_PEER_LOGD, ROLE_LOGD, false},
    {SLOT_PEER_CRASHD, ROLE_CRASHD, false},
    {SLOT_PEER_TIMED, ROLE_TIMED, false},
    {SLOT_PEER_IRQD, ROLE_IRQD, false},
    {SLOT_PEER_DEVICED, ROLE_DEVICED, false},
    {SLOT_PEER_DRV_SERIAL, ROLE_DRV_SERIAL, false},
    {SLOT_PEER_SERIALD, ROLE_SERIALD, false},
    {SLOT_PEER_VFSD, ROLE_VFSD, false},
    {SLOT_PEER_LOADERD, ROLE_LOADERD, false},
    {SLOT_PEER_TEST_SERVICE, ROLE_TEST_SERVICE, false},
    {SLOT_MEMD_ADMINISTRATOR, ROLE_MEMD, true},
    {SLOT_VSPACED_ADMINISTRATOR, ROLE_VSPACED, true},
    {SLOT_PAGERD_ADMINISTRATOR, ROLE_PAGERD, true},
    {SLOT_PEER_TEST_MORTAL, ROLE_TEST_MORTAL, false},
    {SLOT_DEVICED_ADMINISTRATOR, ROLE_DEVICED, true},
    {SLOT_PROCD_DRIVER_ENDPOINT, ROLE_PROCD, false},
};
enum { PEER_SLOT_COUNT = sizeof peer_slots / sizeof peer_slots[0] };

uint32_t slot_peer_role(uint32_t slot)
{
    for (unsigned i = 0; i < PEER_SLOT_COUNT; i++) {
        if (peer_slots[i].slot == slot)
            return peer_slots[i].role;
    }
    return ROLE_NONE;
}

bool slot_is_administrators(uint32_t slot)
{
    for (unsigned i = 0; i < PEER_SLOT_COUNT; i++) {
        if (peer_slots[i].slot == slot)
            return peer_slots[i].administrators;
    }
    return false;
}

uint32_t role_peer_slot(uint32_t id)
{
    for (unsigned i = 0; i < PEER_SLOT_COUNT; i++) {
        if (peer_slots[i].role == id && !peer_slots[i].administrators)
            return peer_slots[i].slot; /* the driver endpoint comes after procd's own */
    }
    return SLOT_NULL;
}

bool role_holds_peer(const struct role *role, uint32_t other)
{
    unsigned count;
    const struct intake *rows = role_intake(role->id, &count);
    for (unsigned i = 0; i < count; i++) {
        if (rows[i].object_type == OBJECT_ENDPOINT && (rows[i].rights & RIGHT_SEND) != 0 &&
            slot_peer_role(rows[i].slot) == other)
            return true;
    }
    return false;
}

bool role_needs(const struct role *role, uint32_t other)
{
    const struct role *needed = role_find(other);
    if (needed == NULL || needed == role || needed->kind == ROLE_KIND_FOUNDATION)
        return false;
    for (unsigned i = 0; i < need_count; i++) {
        if (need_table[i].role == role->id && need_table[i].other == other)
            return true;
    }
    return (role->kind == ROLE_KIND_DRIVER && other == ROLE_DEVICED) ||
           role_holds_peer(role, other);
}

bool role_may_hold(const struct role *role, uint32_t other)
{
    static const struct need rows[] = {
#define HOLDS(NAME, OTHER, why) {ROLE_##NAME, ROLE_##OTHER},
#include "abi/role_rows.h"
    };
    const struct role *peer = role_find(other);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].role == role->id && rows[i].other == other)
            return true;
    }
    return peer != NULL && (peer->kind == ROLE_KIND_FOUNDATION || other == ROLE_NAMED);
}

const struct restarts *role_restarts(uint32_t id)
{
    for (unsigned i = 0; i < restarts_count; i++) {
        if (restarts_table[i].role == id)
            return &restarts_table[i];
    }
    return NULL;
}

static bool is_in(uint32_t id, const uint32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

bool role_reads_log(uint32_t id)
{
    static const uint32_t readers[] = {
#define READS_LOG(NAME, why) ROLE_##NAME,
#include "abi/role_rows.h"
    };
    return is_in(id, readers, sizeof readers / sizeof readers[0]);
}

bool role_reads_crashes(uint32_t id)
{
    static const uint32_t readers[] = {
#define READS_CRASHES(NAME, why) ROLE_##NAME,
#include "abi/role_rows.h"
    };
    return is_in(id, readers, sizeof readers / sizeof readers[0]);
}

bool role_inspects(uint32_t id)
{
    static const uint32_t inspectors[] = {
#define INSPECTS(NAME, why) ROLE_##NAME,
#include "abi/role_rows.h"
    };
    return is_in(id, inspectors, sizeof inspectors / sizeof inspectors[0]);
}

bool role_is_resident(uint32_t id)
{
    static const uint32_t residents[] = {
#define RESIDENT(NAME, why) ROLE_##NAME,
#include "abi/role_rows.h"
    };
    return is_in(id, residents, sizeof residents / sizeof residents[0]);
}

/* --- budgets and bands ------------------------------------------------------------------------ */

uint64_t role_account_guarantee(const struct role *role)
{
    return (uint64_t)role->budget_pages + role->guarantee_pages;
}

uint64_t role_account_limit(const struct role *role)
{
    return (uint64_t)role->budget_pages + role->page_limit + role->child_pages;
}

static void lower(uint32_t *value, uint32_t limit)
{
    if (limit != 0 && limit < *value)
        *value = limit;
}

struct role role_lowered(const struct role *role, const struct process_limits *limits)
{
    struct role lowered = *role;
    lower(&lowered.page_limit, limits->page_limit);
    lower(&lowered.guarantee_pages, limits->page_limit);
    lower(&lowered.budget_pages, limits->budget_pages);
    lower(&lowered.child_limit, limits->child_limit);
    lower(&lowered.child_pages, limits->child_pages);
    return lowered;
}

enum status role_limits_check(const struct role *role, const struct process_limits *limits)
{
    const struct role lowered = role_lowered(role, limits);
    if (limits->budget_pages != 0 && limits->budget_pages < PROCESS_BUDGET_PAGES_MIN)
        return STATUS_INVALID_ARGUMENT;
    if (limits->page_limit > role->page_limit || limits->budget_pages > role->budget_pages ||
        limits->child_limit > role->child_limit || limits->child_pages > role->child_pages)
        return STATUS_OVER_LIMIT;
    if (role->kind == ROLE_KIND_FOUNDATION) {
        bool is_limited = (limits->page_limit | limits->budget_pages | limits->child_limit |
                           limits->child_pages) != 0;
        return is_limited ? STATUS_OVER_LIMIT : STATUS_OK;
    }
    if ((uint64_t)lowered.page_limit + PROCESS_SHARED_REGIONS > role_region_limit(&lowered))
        return STATUS_OVER_LIMIT;
    return STATUS_OK;
}

uint64_t role_region_limit(const struct role *role)
{
    return PROCESS_PAGE_REGIONS * role_account_guarantee(role) + PROCESS_SHARED_REGIONS;
}

struct tables {
    uint32_t role;
    uint32_t table_bytes;
    uint32_t table_bytes_per_page;
    uint32_t budget_bytes_per_page;
};

static const struct tables tables[] = {
#define TABLES(NAME, fixed, table_bytes, budget_bytes, why)                                        \
    {ROLE_##NAME, (fixed), (table_bytes), (budget_bytes)},
#include "abi/tables.def"
#undef TABLES
};

enum { TABLES_COUNT = sizeof tables / sizeof tables[0] };

/* Whole pages for so many bytes, and so many a page of the memory. */
static uint64_t pages_for(uint32_t bytes, uint32_t bytes_per_page, uint64_t memory_pages)
{
    uint64_t counted = memory_pages < MEMORY_PAGES_LIMIT ? memory_pages : MEMORY_PAGES_LIMIT;
    return (bytes + counted * bytes_per_page + PAGE_BYTES - 1) / PAGE_BYTES;
}

uint64_t role_table_pages(uint32_t id, uint64_t memory_pages)
{
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        if (tables[i].role == id)
            return pages_for(tables[i].table_bytes, tables[i].table_bytes_per_page, memory_pages);
    }
    return 0;
}

uint64_t role_table_budget_pages(uint32_t id, uint64_t memory_pages)
{
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        if (tables[i].role == id)
            return pages_for(0, tables[i].budget_bytes_per_page, memory_pages);
    }
    return 0;
}

uint64_t role_tables_total_pages(uint64_t memory_pages)
{
    uint64_t pages = 0;
    for (unsigned i = 0; i < TABLES_COUNT; i++)
        pages += role_table_pages(tables[i].role, memory_pages) +
                 role_table_budget_pages(tables[i].role, memory_pages);
    return pages;
}

uint32_t role_band(const struct role *role)
{
    if (role->kind == ROLE_KIND_FOUNDATION || role->rank < 50)
        return 0;
    if (role->rank < 100)
        return 1;
    return role->rank < 200 ? 2 : BAND_LAST;
}

uint32_t role_flags(const struct role *role)
{
    static const uint32_t uses_sse[] = {
#define USES_SSE(NAME, why) ROLE_##NAME,
#include "abi/role_rows.h"
    };
    for (unsigned i = 0; i < sizeof uses_sse / sizeof uses_sse[0]; i++) {
        if (uses_sse[i] == role->id)
            return PROCESS_USES_SSE;
    }
    return 0;
}

bool role_faults_around(const struct role *role)
{
    static const uint32_t around[] = {
#define FAULT_AROUND(NAME, why) ROLE_##NAME,
#include "abi/role_rows.h"
    };
    for (unsigned i = 0; i < sizeof around / sizeof around[0]; i++) {
        if (around[i] == role->id)
            return true;
    }
    return false;
}

const char *role_data(uint32_t id)
{
    static const struct {
        uint32_t role;
        const char *module;
    } rows[] = {
#define DATA(NAME, module, why) {ROLE_##NAME, (module)},
#include "abi/role_rows.h"
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].role == id)
            return rows[i].module;
    }
    return NULL;
}

bool role_in_profile(const struct role *role, uint32_t profile)
{
    switch (role->presence) {
    case ROLE_PRESENCE_RUNTIME:
        return true;
    case ROLE_PRESENCE_PHASE0:
        return profile != VALIDATION_PROFILE_NONE;
    case ROLE_PRESENCE_HOSTILE:
        return profile == VALIDATION_PROFILE_HOSTILE;
    case ROLE_PRESENCE_ATTACKS:
        return profile == VALIDATION_PROFILE_ATTACKS;
    case ROLE_PRESENCE_GRAPH:
        return profile == VALIDATION_PROFILE_GRAPH;
    case ROLE_PRESENCE_CONSOLE:
        return profile == VALIDATION_PROFILE_CONSOLE;
    case ROLE_PRESENCE_FILES:
        return profile == VALIDATION_PROFILE_FILES || validation_profile_loads(profile);
    case ROLE_PRESENCE_PHASE4:
        return validation_profile_loads(profile);
    case ROLE_PRESENCE_LATER:
        break;
    }
    return false;
}

const struct intake *role_intake(uint32_t id, unsigned *count)
{
    const struct intake *first = NULL;
    *count = 0;
    for (unsigned i = 0; i < intake_count; i++) {
        if (intake_table[i].role != id)
            continue;
        if (first == NULL)
            first = &intake_table[i];
        UNIT_ASSERT(&intake_table[i] == first + *count); /* a role's rows follow each other */
        (*count)++;
    }
    return first;
}
