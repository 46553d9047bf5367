/* SPDX-License-Identifier: ISC */
/* Roles: what each holds at start, whom it finds, whom it waits for; roles.def is the one source. */
#ifndef BASALT_ABI_ROLES_H
#define BASALT_ABI_ROLES_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/capability.h"
#include "abi/limits.h"
#include "abi/slots.h"
#include "abi/status.h"

enum role_id {
    ROLE_NONE = 0,
#define ROLE(NAME, id, image, rank, primary, budget, pages, guarantee, makes, child_limit,         \
             child_pages, kind, presence, why)                                                     \
    ROLE_##NAME = (id),
#include "abi/role_rows.h"
    ROLE_EXTENSION_BASE = 256, /* SERVICE_ROLE_EXTENSION_BASE: the lowest extension or test role */
    ROLE_ID_MAX = 65535
};

/* SET_RESTART and terminal policy follow the kind: the death of a FOUNDATION role ends the
 * system. */
enum role_kind { ROLE_KIND_FOUNDATION, ROLE_KIND_SERVICE, ROLE_KIND_DRIVER, ROLE_KIND_EXTENSION };

/* Kinds of roles that a role may have procd create. */
enum { MAKES_DRIVERS = 1 << ROLE_KIND_DRIVER, MAKES_EXTENSIONS = 1 << ROLE_KIND_EXTENSION };

/* In which images a role may be: RUNTIME in all, PHASE0 in those that have a validation profile,
 * HOSTILE, ATTACKS, GRAPH and CONSOLE in those of that profile alone, FILES in those of profile files
 * and of programs from files, PHASE4 in the latter alone, LATER in none yet. */
enum role_presence {
    ROLE_PRESENCE_RUNTIME,
    ROLE_PRESENCE_PHASE0,
    ROLE_PRESENCE_LATER,
    ROLE_PRESENCE_HOSTILE,
    ROLE_PRESENCE_ATTACKS,
    ROLE_PRESENCE_GRAPH,
    ROLE_PRESENCE_CONSOLE,
    ROLE_PRESENCE_FILES,
    ROLE_PRESENCE_PHASE4
};

struct role {
    const char *image; /* module name and service name, NUL-terminated */
    uint32_t id;
    uint32_t rank;
    uint32_t primary_slot; /* 0: none */
    uint32_t budget_pages;
    uint32_t page_limit;
    uint32_t guarantee_pages; /* at most page_limit */
    uint32_t makes;           /* MAKES_..., one bit for each kind */
    uint32_t child_limit;     /* 0 exactly when makes is */
    uint32_t child_pages;
    enum role_kind kind;
    enum role_presence presence;
};

struct intake {
    uint32_t role;
    uint32_t slot;
    enum object_type object_type;
    uint16_t rights;      /* exactly these */
    uint32_t source_slot; /* of rootd's cspace; 0: the launcher supplies it */
};

extern const struct role role_table[];
extern const unsigned role_count;
extern const struct intake intake_table[]; /* grouped by role, slots ascending inside a role */
extern const unsigned intake_count;

/* Whom a role may find by named. */
struct look_up {
    uint32_t client;
    uint32_t service;
    bool late_bound; /* against the rank: never waited for */
};

/* Whom a role waits for besides those of whom it holds a peer capability. */
struct need {
    uint32_t role;
    uint32_t other;
};

/* What becomes of a process of a role that ended and nobody ordered it. */
struct restarts {
    uint32_t role;
    uint32_t policy; /* enum restart_policy */
    uint64_t base_delay_ticks;
    uint64_t delay_cap_ticks;
    uint64_t stable_after_ticks;
    uint64_t window_ticks;
    uint32_t budget_count;
    bool critical;
};

/* A line of interrupts that a role may have. */
struct interrupt_row {
    uint32_t role;
    uint32_t line;
};

extern const struct interrupt_row interrupt_table[];
extern const unsigned interrupt_count;
extern const struct restarts restarts_table[];
extern const unsigned restarts_count;
extern const struct look_up look_up_table[];
extern const unsigned look_up_count;
extern const struct need need_table[];
extern const unsigned need_count;

/* The row of a role; null when there is none. */
const struct role *role_find(uint32_t id);

/* The reason that a row of the tables states, for those who print it: no daemon carries them. */
const char *role_why(const struct role *role);
const char *intake_why(const struct intake *intake);
const char *look_up_why(const struct look_up *look_up);
const char *need_why(const struct need *need);
const char *interrupt_why(const struct interrupt_row *row);
const char *restarts_why(const struct restarts *restarts);

/* The role behind the send capability that a start-up slot is for, ROLE_NONE for every other slot.
 * Those of administrators carry no badge (slot_is_administrators), all others that of their
 * holder. */
uint32_t slot_peer_role(uint32_t slot);
bool slot_is_administrators(uint32_t slot);

/* The slot for a role's peer capability, where who launched the role keeps its own end as well; 0
 * when nobody holds one at start. */
uint32_t role_peer_slot(uint32_t id);

/* Whether the rows of a role have a send capability to the other one. */
bool role_holds_peer(const struct role *role, uint32_t other);

/* Whether a role is started only when the other one is READY: it holds a send capability to it,
 * NEEDS it, or is a driver, and the other is deviced. Not of the foundation, which starts in a fixed
 * order before everybody else. */
bool role_needs(const struct role *role, uint32_t other);

/* Whether a role may hold a send capability to another one at start: to those that are never started
 * again (the foundation and named), and where a HOLDS row says so. */
bool role_may_hold(const struct role *role, uint32_t other);

/* The row of a role that has one; null: its end is the end. */
const struct restarts *role_restarts(uint32_t id);

/* Whether a role may READ the log of all others. */
bool role_reads_log(uint32_t id);

/* Whether a role may READ what crashd recorded. */
bool role_reads_crashes(uint32_t id);

/* Whether a role may see what it did not make: processes and their slots at procd, accounts at memd. */
bool role_inspects(uint32_t id);

/* Whether rootd does not wait for the end of a program of the role. */
bool role_is_resident(uint32_t id);

/* The guarantee and the limit of the memd account of a process of the role, in pages: its kernel
 * memory and its own pages, and in the limit what it makes. */
uint64_t role_account_guarantee(const struct role *role);
uint64_t role_account_limit(const struct role *role);

/* Whether a process of the role can have these limits:
 * INVALID_ARGUMENT  fewer pages of kernel memory than a process needs
 * OVER_LIMIT        more than the role has; any limit of a foundation role, which has what rootd's
 *                   plan gives it; or so little kernel memory that what is set aside for
 *                   the process has too few regions for its pages (role_region_limit) */
enum status role_limits_check(const struct role *role, const struct process_limits *limits);

/* The role of a process with limits of its own, which role_limits_check accepts: no more is set
 * aside for it than it may have. */
struct role role_lowered(const struct role *role, const struct process_limits *limits);

/* The most regions that a process of the role may need at vspaced: what vspaced's tables have for
 * the pages that are set aside for it, and its part of the shared ones. */
uint64_t role_region_limit(const struct role *role);

/* Bytes of a service's tables for each page of memory, ROLE_TABLE_BYTES_<NAME>: what a record is;
 * and those that do not depend on it, ROLE_TABLE_FIXED_<NAME>. */
enum {
#define TABLES(NAME, fixed, table_bytes, budget_bytes, why)                                        \
    ROLE_TABLE_BYTES_##NAME = (table_bytes), ROLE_TABLE_FIXED_##NAME = (fixed),
#include "abi/tables.def"
#undef TABLES
};

/* Of a service whose tables grow with the machine's memory (abi/tables.def): pages of the tables at
 * SERVICE_TABLE_VA, and pages of kernel memory besides budget_pages, on a machine with so many pages
 * of memory. Both 0 for every other role. At most MEMORY_PAGES_LIMIT pages count. */
uint64_t role_table_pages(uint32_t id, uint64_t memory_pages);
uint64_t role_table_budget_pages(uint32_t id, uint64_t memory_pages);

/* Both, of all services together. */
uint64_t role_tables_total_pages(uint64_t memory_pages);

/* The scheduling band of a process of the role: 0, the highest, for the foundation, to
 * BAND_LAST (abi/process.h). */
uint32_t role_band(const struct role *role);

/* Flags of CREATE_STAGED_PROCESS for a process of the role: PROCESS_USES_SSE or 0. */
uint32_t role_flags(const struct role *role);

/* Whether pagerd may give a process of the role neighbours of a page that it touches. */
bool role_faults_around(const struct role *role);

/* The module of the boot image whose bytes a process of the role has at DATA_VA; null: none. */
const char *role_data(uint32_t id);

/* Whether an image of a validation profile may hold the role's module. */
bool role_in_profile(const struct role *role, uint32_t profile);

/* The first intake row of a role and, in *count, how many follow each other; null and 0 for a role
 * that holds nothing except SELF and its endpoint. */
const struct intake *role_intake(uint32_t id, unsigned *count);

#endif
