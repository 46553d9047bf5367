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
#define INTAKE(NAME, slot, type, rights, source, why)
#define USES_SSE(NAME, why)
#define FAULT_AROUND(NAME, why)
#include "abi/roles.def"
#undef ROLE
#undef INTAKE
#undef USES_SSE
#undef FAULT_AROUND
};
const unsigned role_count = sizeof role_table / sizeof role_table[0];

const struct intake intake_table[] = {
#define ROLE(NAME, id, image, rank, primary, budget, pages, guarantee, makes, child_limit,         \
             child_pages, kind, presence, why)
#define INTAKE(NAME, slot_, type_, rights_, source_, why_)                                         \
    {                                                                                              \
        .role = ROLE_##NAME,                                                                       \
        .slot = (slot_),                                                                           \
        .object_type = OBJECT_##type_,                                                             \
        .rights = (rights_),                                                                       \
        .source_slot = (source_),                                                                  \
    },
#define USES_SSE(NAME, why)
#define FAULT_AROUND(NAME, why)
#include "abi/roles.def"
#undef ROLE
#undef INTAKE
#undef USES_SSE
#undef FAULT_AROUND
};
const unsigned intake_count = sizeof intake_table / sizeof intake_table[0];

static const char *const role_whys[] = {
#define ROLE(NAME, id, image, rank, primary, budget, pages, guarantee, makes, child_limit,         \
             child_pages, kind, presence, why)                                                     \
    why,
#define INTAKE(NAME, slot, type, rights, source, why)
#define USES_SSE(NAME, why)
#define FAULT_AROUND(NAME, why)
#include "abi/roles.def"
#undef ROLE
#undef INTAKE
#undef USES_SSE
#undef FAULT_AROUND
};

static const char *const intake_whys[] = {
#define ROLE(NAME, id, image, rank, primary, budget, pages, guarantee, makes, child_limit,         \
             child_pages, kind, presence, why)
#define INTAKE(NAME, slot, type, rights, source, why) why,
#define USES_SSE(NAME, why)
#define FAULT_AROUND(NAME, why)
#include "abi/roles.def"
#undef ROLE
#undef INTAKE
#undef USES_SSE
#undef FAULT_AROUND
};

const char *role_why(const struct role *role)
{
    return role_whys[role - role_table];
}

const char *intake_why(const struct intake *intake)
{
    return intake_whys[intake - intake_table];
}

const struct role *role_find(uint32_t id)
{
    for (unsigned i = 0; i < role_count; i++) {
        if (role_table[i].id == id)
            return &role_table[i];
    }
    return NULL;
}

uint64_t role_account_guarantee(const struct role *role)
{
    return (uint64_t)role->budget_pages + role->guarantee_pages;
}

uint64_t role_account_limit(const struct role *role)
{
    return (uint64_t)role->budget_pages + role->page_limit + role->child_pages;
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
#define ROLE(NAME, id, image, rank, primary, budget, pages, guarantee, makes, child_limit,         \
             child_pages, kind, presence, why)
#define INTAKE(NAME, slot, type, rights, source, why)
#define USES_SSE(NAME, why) ROLE_##NAME,
#define FAULT_AROUND(NAME, why)
#include "abi/roles.def"
#undef ROLE
#undef INTAKE
#undef USES_SSE
#undef FAULT_AROUND
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
#define ROLE(NAME, id, image, rank, primary, budget, pages, guarantee, makes, child_limit,         \
             child_pages, kind, presence, why)
#define INTAKE(NAME, slot, type, rights, source, why)
#define USES_SSE(NAME, why)
#define FAULT_AROUND(NAME, why) ROLE_##NAME,
#include "abi/roles.def"
#undef ROLE
#undef INTAKE
#undef USES_SSE
#undef FAULT_AROUND
    };
    for (unsigned i = 0; i < sizeof around / sizeof around[0]; i++) {
        if (around[i] == role->id)
            return true;
    }
    return false;
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
