/* SPDX-License-Identifier: ISC */
/* What rootd was given: handoff, own cspace, boot config, modules. Reads only: no call of this unit
 * changes anything, so that a refused intake leaves the machine as it was (R2). */
#ifndef BASALT_SERVICES_ROOTD_INTAKE_H
#define BASALT_SERVICES_ROOTD_INTAKE_H

#include "abi/formats/boot_config.h"
#include "abi/formats/elf_plan.h"
#include "abi/formats/handoff.h"
#include "abi/roles.h"
#include "services/lib/kernel_calls.h"

/* Foundation roles in the order in which rootd synthesises their envelopes (published). */
enum { FOUNDATION_MEMD, FOUNDATION_VSPACED, FOUNDATION_PAGERD, FOUNDATION_PROCD, FOUNDATION_COUNT };
extern const uint32_t foundation_roles[FOUNDATION_COUNT];

/* One capability of rootd's cspace at boot. */
struct boot_cap {
    uint32_t slot;
    enum object_type object_type;
    uint16_t rights; /* exactly these */
};

/* All that rootd holds at boot, slots ascending. */
extern const struct boot_cap boot_caps[];
extern const unsigned boot_cap_count;

/* A module of the foundation. */
struct rootd_module {
    uint32_t role;
    uint64_t offset_bytes; /* in the image; page aligned */
    uint64_t size_bytes;
    uint64_t ready_ticks; /* how long READY may take */
    struct elf_plan elf;
};

/* What becomes of an entry of the boot config. */
enum entry_kind {
    ENTRY_SERVICE, /* rootd launches it, and it stays */
    ENTRY_DRIVER,  /* deviced launches it */
    ENTRY_PROGRAM, /* of an extension role that holds something at start: rootd launches it after all
                    * services, and waits for its end */
    ENTRY_HELPER   /* of one that holds nothing: programs may have it started */
};

/* An entry besides those of the foundation. */
struct rootd_entry {
    uint32_t role;
    enum entry_kind kind;
    bool required;
    enum status found; /* OK, or why an optional entry cannot be launched */
    uint64_t offset_bytes;
    uint64_t size_bytes;
    uint64_t data_offset;         /* the module that its role has besides its program (role_data) */
    uint64_t data_bytes;          /* 0: it has none */
    uint64_t ready_ticks;         /* how long READY may take, and the end of a program */
    struct process_limits limits; /* lower than its role's */
    uint64_t needs;               /* which must be READY before it, bit i for entries[i] */
    uint64_t awaits; /* of vfsd: which must be READY or passed over, because they are mounted */
};

struct rootd_intake {
    uint64_t launch_pool_pages;
    uint32_t validation_profile;
    struct rootd_module foundation[FOUNDATION_COUNT];
    uint32_t entry_count;
    /* Services and drivers by boot_config_order, then extension roles in the role table's order. */
    struct rootd_entry entries[BOOT_CONFIG_ENTRY_LIMIT];
    struct handoff handoff;
    struct boot_config config;
    uint8_t config_bytes[BOOT_CONFIG_BYTES_MAX];
};

/* The kind of a role's entry; not of the foundation. */
enum entry_kind intake_entry_kind(const struct role *role);

/* Parses the handoff and checks what it and rdx agree on: root endpoint in slot 2, the image in
 * slot 5, untyped memory in exactly the two slots of rootd.h. Pure. On any error out->handoff is
 * all zero. Errors: handoff_parse's; INVALID_ARGUMENT (other slots). */
enum status intake_handoff(struct rootd_intake *out, const void *bytes, size_t size_bytes,
                           uint32_t root_endpoint_slot);

/* Walks rootd's own cspace: exactly boot_caps, nothing else (R6). NOT_FOUND (one is missing),
 * INVALID_ARGUMENT (type, rights or badge differ), DENIED (something else is held, slot 4 above
 * all); *kernel_failed says that the kernel did not answer as it must. */
enum status intake_inventory(struct caller *caller, bool *kernel_failed);

/* Reads boot config and module headers through the image capability and checks them against the
 * role table. intake_handoff came before. On any error the record is all zero except
 * validation_profile, which stays known once the config was parsed.
 * MISSING_MODULE    boot config, an entry of the foundation, or the module of the foundation or of a
 *                   required entry is not there, or the one that its DATA row names
 * BAD_LENGTH        a config longer than BOOT_CONFIG_BYTES_MAX
 * INVALID_ARGUMENT  an entry of a role that is not in the table, is rootd's, belongs to another
 *                   profile, has another module name or launch kind than the table says, or is an
 *                   optional foundation role; mounts without vfsd, or of what vfsd does not look up; a
 *                   module that is not an executable, or that of a DATA
 *                   row not data
 * OVER_LIMIT        a limit above the role's own; the foundation's is 0
 * UNSUPPORTED       a required entry of a role that has no program yet
 * BAD_ORDER         an entry that depends on one that is launched after it: the foundation comes first,
 *                   in its own order, then services and drivers by their dependencies, then programs in
 *                   the role table's order; nobody can depend on a helper
 * and those of boot_config_parse and image_plan; *kernel_failed as above. What refuses a required
 * entry for its role or its module is `found` of an optional one. */
enum status intake_modules(struct caller *caller, struct rootd_intake *out, bool *kernel_failed);

#endif
