/* SPDX-License-Identifier: ISC */
/* See rootd_machines.h. Decides how often services fail and how, and which images there are; never what
 * rootd must make of them. */
#include "fuzz/adversary/rootd_machines.h"

#include "abi/roles.h"
#include "props/stand_ins/peers_of_rootd.h"

/* All manners that there are; what is above is as it should be, but for these: of named, a procd that
 * does not answer when it gets its end of it; of a driver, one that is READY and of which deviced says so
 * later than the driver's time. */
enum { MANNERS_DRAWN = 16, MANNER_UNBOUND = MANNERS_DRAWN - 1, MANNER_LATE = MANNERS_DRAWN - 2 };
_Static_assert((int)MANNER_LATE > (int)PEERS_READY_COUNT, "some behave");
enum { PROFILE_FILES = 52, PROFILE_GRAPH = 64 };

/* What becomes of the driver, and whether it may fail: said by bits that say nothing else. */
static void begin_driver(unsigned bits)
{
    enum { LATE_ASKS = 64, OPTIONAL = MANNERS_DRAWN };
    unsigned manner = bits % MANNERS_DRAWN;
    int entry = boot_config_find(&peers_machine.config, ROLE_TEST_DRIVER);
    if ((bits & OPTIONAL) != 0)
        peers_machine.config.entries[entry].flags = BOOT_ENTRY_OPTIONAL;
    if (manner == MANNER_LATE)
        peers_behave(ROLE_TEST_DRIVER, PEERS_READY_UNSETTLED, LATE_ASKS);
    else if (manner < PEERS_READY_COUNT)
        peers_behave(ROLE_TEST_DRIVER, (enum peers_ready)manner,
                     manner == PEERS_READY_UNSETTLED ? 0 : 1);
}

/* Services that may fail, some of which do. */
static void begin_graph(struct choices *choices, unsigned driver_bits)
{
    peers_of_rootd_begin(VALIDATION_PROFILE_GRAPH);
    begin_driver(driver_bits);
    for (uint32_t i = 0; i < peers_machine.config.entry_count; i++) {
        struct boot_config_entry *entry = &peers_machine.config.entries[i];
        if (role_find(entry->role)->kind != ROLE_KIND_SERVICE)
            continue;
        unsigned manner = (unsigned)choices_below(choices, MANNERS_DRAWN);
        if (manner < PEERS_READY_UNSETTLED)
            peers_behave(entry->role, (enum peers_ready)manner,
                         (unsigned)choices_below(choices, 3));
        peers_machine.bind_unanswered |= entry->role == ROLE_NAMED && manner == MANNER_UNBOUND;
        entry->flags = choices_flag(choices) ? BOOT_ENTRY_OPTIONAL : BOOT_ENTRY_REQUIRED;
    }
}

/* A service may fail, and does now and then. */
static void draw_manner(struct choices *choices, uint32_t role)
{
    int entry = boot_config_find(&peers_machine.config, role);
    unsigned manner = (unsigned)choices_below(choices, MANNERS_DRAWN);
    if (manner < PEERS_READY_UNSETTLED)
        peers_behave(role, (enum peers_ready)manner, (unsigned)choices_below(choices, 3));
    peers_machine.config.entries[entry].flags =
        choices_flag(choices) ? BOOT_ENTRY_OPTIONAL : BOOT_ENTRY_REQUIRED;
}

/* A row that means something, or does not: of a role that vfsd does not find, or of none that is
 * there. */
static void draw_mount(struct choices *choices)
{
    static const uint32_t roles[] = {ROLE_IMAGEFSD, ROLE_RAMFSD, ROLE_NAMED, ROLE_FATD};
    static const char *const paths[] = {"/", "/tmp", "/a/b", "//"};
    peers_mount(roles[choices_below(choices, 4)], "archive", paths[choices_below(choices, 4)],
                choices_flag(choices) ? BOOT_MOUNT_READ_ONLY : 0);
}

/* File services, of which one waits for another now and then, or is not there. */
static void begin_files(struct choices *choices, unsigned bits)
{
    enum { WITHOUT_VFSD = 1, DRAWN_MOUNTS = 2, AWAITS = 4 };
    peers_of_rootd_begin(VALIDATION_PROFILE_NONE);
    peers_add(ROLE_NAMED);
    peers_add(ROLE_IMAGEFSD);
    peers_add(ROLE_RAMFSD);
    if (bits != WITHOUT_VFSD)
        peers_add(ROLE_VFSD);
    for (uint32_t i = 0; i < peers_machine.config.entry_count; i++) {
        uint32_t role = peers_machine.config.entries[i].role;
        if (role_find(role)->kind == ROLE_KIND_SERVICE)
            draw_manner(choices, role);
    }
    if ((bits & DRAWN_MOUNTS) != 0)
        draw_mount(choices);
    peers_mount(ROLE_IMAGEFSD, "archive", "/", BOOT_MOUNT_READ_ONLY);
    peers_mount(ROLE_RAMFSD, "ram", "/tmp", 0);
    if ((bits & AWAITS) != 0) {
        int entry = boot_config_find(&peers_machine.config, ROLE_RAMFSD);
        peers_machine.config.entries[entry].dependency_count = 1;
        peers_machine.config.entries[entry].dependencies[0] =
            choices_flag(choices) ? ROLE_VFSD : ROLE_IMAGEFSD;
    }
}

void rootd_machine_draw(struct choices *choices, uint8_t which)
{
    if ((which & 1) != 0)
        peers_of_rootd_begin(VALIDATION_PROFILE_PHASE0);
    else if (which >= PROFILE_GRAPH && which < 128)
        begin_graph(choices, (unsigned)(which - PROFILE_GRAPH) / 2);
    else if (which >= PROFILE_FILES && which < PROFILE_GRAPH)
        begin_files(choices, (unsigned)(which - PROFILE_FILES) / 2);
    else
        peers_of_rootd_begin(which >= 128 ? VALIDATION_PROFILE_HOSTILE : VALIDATION_PROFILE_NONE);
}
