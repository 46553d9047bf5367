/* SPDX-License-Identifier: ISC */
/* The audit of authority, which must see what is wrong (R1, R4): one capability too many, one missing, one with
 * a right or a badge too many, in each slot that rootd fills and in those that a process has from its start;
 * an install of the plan that the table does not have; and a path that nobody stated. What is changed is the
 * kernel's own state, after a boot at whose READY nothing is found. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/roles.h"
#include "props/base/testing.h"
#include "props/tests/rootd/boot_variant.h"
#include "props/world/audit.h"
#include "services/deviced/deviced.h"
#include "services/procd/procd.h"
#include "services/rootd/rootd.h"

enum { FREE_SLOT = 60, SEEN_LIMIT = 32 };

static char *said; /* by the last audit */

static unsigned audit(void)
{
    size_t bytes;
    free(said);
    said = NULL;
    FILE *out = open_memstream(&said, &bytes);
    unsigned found = audit_findings(out);
    fclose(out);
    return found;
}

/* A capability of the kernel's, to be spoilt. */
static struct capability *cap_at(uint32_t index, uint32_t slot)
{
    return (struct capability *)kernel_slot(world_kernel(), index, slot);
}

/* So many findings; what is said of a failure is what this audit said. */
static void expect_findings(const char *subject, unsigned least, unsigned most)
{
    unsigned found = audit();
    expect_of(subject, said, found >= least && found <= most);
}

static void expect_line(const char *line)
{
    bool found = audit() != 0; /* it says something else then */
    expect_of(line, said, found && strstr(said, line) != NULL);
}

static void expect_named(uint32_t index, uint32_t slot, const char *what)
{
    char line[96];
    snprintf(line, sizeof line, "%s slot %u: %s", world_program(index), slot, what);
    expect_line(line);
}

static void expect_mould_named(uint32_t life, uint32_t slot, const char *what)
{
    char line[96];
    snprintf(line, sizeof line, "%s's mould slot %u: %s", world_program(life), slot, what);
    expect_line(line);
}

/* What a slot holds is missing, may do more, and is somebody else's. */
static void spoil_slot(uint32_t index, uint32_t slot)
{
    struct capability *cap = cap_at(index, slot);
    const struct capability kept = *cap;
    memset(cap, 0, sizeof *cap);
    expect_named(index, slot, "missing");
    *cap = kept;
    cap->rights ^= RIGHT_TRANSFER;
    expect_named(index, slot, "rights");
    *cap = kept;
    cap->badge ^= 1;
    expect_named(index, slot, "badge");
    *cap = kept;
}

/* One capability more than the table has, of memory; and one in a slot that the service uses at work. */
static void add_one(uint32_t index, uint32_t slot)
{
    struct capability *cap = cap_at(index, slot);
    const struct capability kept = *cap;
    *cap = *cap_at(KERNEL_ROOT_PROCESS, SLOT_KERNEL_LOG_ENDPOINT);
    expect_named(index, slot, "extra");
    *cap = kept;
}

static bool is_needed(const struct role *role, uint32_t slot)
{
    unsigned count;
    const struct intake *rows = role_intake(role->id, &count);
    for (unsigned i = 0; i < count; i++) {
        if (rows[i].slot == slot && slot != SLOT_BOOTSTRAP_UNTYPED)
            return true;
    }
    return slot == SLOT_SELF || slot == SLOT_SERVICE_ENDPOINT;
}

static void spoil_process(uint32_t index, const struct role *role)
{
    for (uint32_t slot = 1; slot <= SLOT_STARTUP_LAST; slot++) {
        if (is_needed(role, slot) && role->id != ROLE_ROOTD)
            spoil_slot(index, slot);
    }
    add_one(index, FREE_SLOT);
}

static const struct role *role_of(uint32_t index)
{
    const char *program = world_program(index);
    for (unsigned i = 0; program != NULL && i < role_count; i++) {
        if (strcmp(role_table[i].image, program) == 0)
            return &role_table[i];
    }
    return NULL;
}

/* The first process that runs a role. */
static uint32_t index_of(uint32_t role)
{
    uint32_t index = 0;
    while (role_of(index) == NULL || role_of(index)->id != role)
        index++;
    return index;
}

static void boot_sound(const char *path, struct boot_file *file)
{
    file_read(file, path);
    struct variant variant = variant_of(file);
    struct world_result result = boot(&variant);
    expect_of(path, result.log, result.end == WORLD_READY);
    expect_findings(path, 0, 0);
}

/* What a mould holds is what the next life starts with: it is looked into as its process is (P4). */
static unsigned spoil_mould(uint32_t index)
{
    const struct process *mould = kernel_process(world_kernel(), index);
    if (mould == NULL || mould->life != LIFE_STAGED)
        return 0;
    uint32_t life = 0;
    while (role_of(life) == NULL || kernel_process(world_kernel(), life)->event_token !=
                                        (mould->event_token & ~PROCD_MOULD_ID))
        life++;
    for (uint32_t slot = 1; slot <= SLOT_STARTUP_LAST; slot++) {
        struct capability *cap = cap_at(index, slot);
        const struct capability kept = *cap;
        if (!is_needed(role_of(life), slot))
            continue;
        memset(cap, 0, sizeof *cap);
        expect_mould_named(life, slot, "missing");
        *cap = kept;
        cap->badge ^= 1;
        expect_mould_named(life, slot, "badge");
        *cap = kept;
    }
    return 1;
}

static void test_slots(const char *path)
{
    struct boot_file file;
    unsigned seen = 0;
    boot_sound(path, &file);
    for (uint32_t index = 0; index < SEEN_LIMIT; index++) {
        seen += spoil_mould(index);
        if (kernel_process(world_kernel(), index) == NULL || role_of(index) == NULL)
            continue;
        spoil_process(index, role_of(index));
        seen++;
    }
    expect_of(path, "every process was looked at", seen == world_kernel()->process_count);
    expect_findings(path, 0, 0);
    file_free(&file);
}

/* What rootd keeps, procd was bound to, and named has registered. */
static void test_others(void)
{
    struct boot_file file;
    boot_sound("build/boot-services.img", &file);
    spoil_slot(KERNEL_ROOT_PROCESS, ROOTD_SLOT_PROCD_PROCESS);
    spoil_slot(KERNEL_ROOT_PROCESS, SLOT_KERNEL_LOG_ENDPOINT);
    spoil_slot(index_of(ROLE_PROCD), SLOT_PEER_MEMD);
    spoil_slot(index_of(ROLE_PROCD), SLOT_PEER_PAGERD);
    uint32_t named = index_of(ROLE_NAMED);
    struct capability *registered = cap_at(named, SLOT_DYNAMIC_BASE);
    for (uint32_t slot = SLOT_DYNAMIC_BASE; registered->object_type == OBJECT_NONE; slot++)
        registered = cap_at(named, slot);
    const struct capability kept = *registered;
    registered->badge = 0; /* its administrator's */
    expect_findings("named keeps an administrator's end", 1, UINT_MAX);
    *registered = kept;
    registered->rights |= RIGHT_RECEIVE;
    expect_findings("named receives for another", 1, UINT_MAX);
    *registered = kept;
    file_free(&file);
}

/* deviced keeps a driver's end of named, under the driver's badge and no other; and nothing for a driver
 * that it was not told of. */
static void spoil_driver(void)
{
    uint32_t deviced = index_of(ROLE_DEVICED);
    uint32_t slot = DEVICED_SLOT_BASE + DEVICED_SLOT_NAMED;
    expect_equal(cap_at(deviced, slot)->badge, ROLE_DRV_SERIAL, "the driver's own badge");
    spoil_slot(deviced, slot);
    add_one(deviced, slot + DEVICED_SLOTS_OF_DRIVER);
}

/* A line that goes to whom no row names, one that a driver lacks, and one that goes to another. */
static void spoil_lines(void)
{
    uint32_t line = 4; /* COM1's */
    struct interrupt *interrupts = (struct interrupt *)world_kernel()->interrupts;
    uint32_t kept = interrupts[line].endpoint;
    expect_equal(kept, index_of(ROLE_DRV_SERIAL), "the line of COM1 is its driver's");
    interrupts[line].endpoint = KERNEL_NONE;
    expect_line("drv-serial line 4: missing");
    interrupts[line].endpoint = index_of(ROLE_SERIALD);
    expect_line("seriald line 4: extra");
    expect_line("drv-serial line 4: missing");
    interrupts[line].endpoint = kept;
    interrupts[line + 1].endpoint = kept;
    expect_line("drv-serial line 5: extra");
    interrupts[line + 1].endpoint = KERNEL_NONE;
    expect_findings("all is as before", 0, 0);
}

/* vspaced gets control over processes, where its spaces lie: pagerd, which asks vspaced, reaches it, too. */
static void test_paths(void)
{
    struct boot_file file;
    boot_sound("build/boot.img", &file);
    spoil_driver();
    spoil_lines();
    struct capability *cap = cap_at(index_of(ROLE_VSPACED), FREE_SLOT);
    *cap = *cap_at(index_of(ROLE_PROCD), SLOT_KERNEL_PROCESS_ENDPOINT);
    expect_named(index_of(ROLE_VSPACED), FREE_SLOT, "extra");
    expect_of("who asks", said, strstr(said, "pagerd reaches KERNEL_PROCESS") != NULL);
    expect_of("who does not", said, strstr(said, "memd reaches") == NULL);
    cap->rights |= RIGHT_TRANSFER; /* now vspaced can hand it on, down to memd and up to who asks */
    expect_findings("a finding more", 1, UINT_MAX);
    memset(cap, 0, sizeof *cap);
    struct rootd *rootd = (struct rootd *)world_state(KERNEL_ROOT_PROCESS);
    rootd->plan.launches[0].installs[0].rights |= RIGHT_TRANSFER;
    expect_findings("a plan with a right more", 1, 1);
    expect_of("a plan with a right more", said, strstr(said, "the plan installs") != NULL);
    rootd->plan.launches[0].installs[0].rights &= (uint16_t)~RIGHT_TRANSFER;
    rootd->plan.launches[0].install_count--;
    expect_findings("a plan with an install less", 1, 1);
    file_free(&file);
}

int main(int count, char **arguments)
{
    (void)count;
    test_slots("build/boot.img");
    test_slots("build/boot-services.img");
    test_slots("build/boot-graph.img");
    test_others();
    test_paths();
    boot_end();
    free(said);
    return tests_end(arguments[0]);
}
