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

/* A module that will be started. */
struct rootd_module {
    uint32_t role;
    uint64_t offset_bytes; /* in the image; page aligned */
    uint64_t size_bytes;
    uint64_t ready_ticks; /* how long READY may take, and the end of a program */
    struct elf_plan elf;
};

struct rootd_intake {
    uint64_t launch_pool_pages;
    uint32_t validation_profile;
    struct rootd_module foundation[FOUNDATION_COUNT];
    uint32_t
        program_count; /* what the profile has besides the foundation, in the role table's order */
    struct rootd_module programs[ROLE_PROGRAM_COUNT];
    struct handoff handoff;
    struct boot_config config;
    uint8_t config_bytes[BOOT_CONFIG_BYTES_MAX];
};

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
 * MISSING_MODULE    boot config, an entry of the foundation or of the profile's programs or its
 *                   module is not there
 * BAD_LENGTH        a config longer than BOOT_CONFIG_BYTES_MAX
 * INVALID_ARGUMENT  an entry of a role that is not in the table, is rootd's, belongs to another
 *                   profile, has another module name or launch kind than the table says, or is an
 *                   optional foundation role; a module that is not an executable
 * UNSUPPORTED       a required entry of a role that this version does not launch
 * BAD_ORDER         a foundation role that depends on one that is launched after it
 * and those of boot_config_parse and image_plan; *kernel_failed as above. */
enum status intake_modules(struct caller *caller, struct rootd_intake *out, bool *kernel_failed);

#endif
