/* SPDX-License-Identifier: ISC */
/* Roles and what each holds at start; roles.def is the one source. */
#ifndef BASALT_ABI_ROLES_H
#define BASALT_ABI_ROLES_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/capability.h"
#include "abi/slots.h"

enum role_id {
    ROLE_NONE = 0,
#define ROLE(NAME, id, image, rank, primary, budget, account, kind, presence, why)                 \
    ROLE_##NAME = (id),
#define INTAKE(NAME, slot, type, rights, source, why)
#include "abi/roles.def"
#undef ROLE
#undef INTAKE
    ROLE_EXTENSION_BASE = 256, /* SERVICE_ROLE_EXTENSION_BASE: the lowest extension or test role */
    ROLE_ID_MAX = 65535
};

/* SET_RESTART and terminal policy follow the kind: the death of a FOUNDATION role ends the
 * system. */
enum role_kind { ROLE_KIND_FOUNDATION, ROLE_KIND_SERVICE, ROLE_KIND_DRIVER, ROLE_KIND_EXTENSION };

/* In which images a role is: RUNTIME in all, PHASE0 in those that have a validation profile,
 * HOSTILE in those of profile hostile alone, LATER in none yet. */
enum role_presence {
    ROLE_PRESENCE_RUNTIME,
    ROLE_PRESENCE_PHASE0,
    ROLE_PRESENCE_LATER,
    ROLE_PRESENCE_HOSTILE
};

/* Roles that are not in every image but in some. */
#define ROLE(NAME, id, image, rank, primary, budget, account, kind, presence, why)                 \
    +(ROLE_PRESENCE_##presence == ROLE_PRESENCE_PHASE0 ||                                          \
      ROLE_PRESENCE_##presence == ROLE_PRESENCE_HOSTILE)
#define INTAKE(NAME, slot, type, rights, source, why)
enum {
    ROLE_PROGRAM_COUNT = 0
#include "abi/roles.def"
};
#undef ROLE
#undef INTAKE

struct role {
    const char *image; /* module name and service name, NUL-terminated */
    const char *why;
    uint32_t id;
    uint32_t rank;
    uint32_t primary_slot; /* 0: none */
    uint32_t budget_pages;
    uint32_t account_pages;
    enum role_kind kind;
    enum role_presence presence;
};

struct intake {
    const char *why;
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

/* The row of a role; null when there is none. */
const struct role *role_find(uint32_t id);

/* Whether an image of a validation profile holds the role's module. */
bool role_in_profile(const struct role *role, uint32_t profile);

/* The first intake row of a role and, in *count, how many follow each other; null and 0 for a role
 * that holds nothing except SELF and its endpoint. */
const struct intake *role_intake(uint32_t id, unsigned *count);

#endif
