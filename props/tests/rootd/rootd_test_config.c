/* SPDX-License-Identifier: ISC */
/* rootd's intake of the boot config (R2): each broken rule gives its own cause, and nothing is changed;
 * what the config does not name is not asked for. */
#include <stdio.h>
#include <string.h>

#include "props/tests/rootd/rootd_test.h"

static int entry_of(uint32_t role)
{
    return boot_config_find(&peers_machine.config, role);
}

static void add_entry(uint32_t role, uint32_t kind, uint32_t flags, const char *module)
{
    struct boot_config_entry *entry =
        &peers_machine.config.entries[peers_machine.config.entry_count++];
    *entry = (struct boot_config_entry){
        .role = role, .launch_kind = kind, .flags = flags, .ready_ticks = 1};
    for (unsigned i = 0; module[i] != 0; i++)
        entry->module[i] = module[i];
}

/* One broken rule a row; each must give its own cause. */
static void break_config(unsigned rule, enum status *cause)
{
    struct boot_config *config = &peers_machine.config;
    *cause = STATUS_INVALID_ARGUMENT;
    switch (rule) {
    case 0: /* no entry for a foundation role */
        config->entries[entry_of(ROLE_PAGERD)] = config->entries[--config->entry_count];
        memset(&config->entries[config->entry_count], 0, sizeof config->entries[0]);
        *cause = STATUS_MISSING_MODULE;
        return;
    case 1: /* a role that is not in the table */
        add_entry(200, BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT, BOOT_ENTRY_OPTIONAL, "ghost");
        return;
    case 2: /* rootd itself */
        add_entry(ROLE_ROOTD, BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT, BOOT_ENTRY_REQUIRED, "rootd");
        return;
    case 3: /* another module than the table names */
        config->entries[entry_of(ROLE_MEMD)].module[0] = 'n';
        return;
    case 4: /* a driver that rootd would start */
        add_entry(ROLE_DRV_ACPI, BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT, BOOT_ENTRY_OPTIONAL, "drv-acpi");
        return;
    case 5: /* an optional foundation */
        config->entries[entry_of(ROLE_PROCD)].flags = BOOT_ENTRY_OPTIONAL;
        return;
    case 6: /* a helper in a runtime image */
        add_entry(ROLE_PHASE0_EXIT, BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT, BOOT_ENTRY_REQUIRED,
                  "phase0-exit");
        return;
    case 7: /* a required role of a later version */
        add_entry(ROLE_FBCOND, BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT, BOOT_ENTRY_REQUIRED, "fbcond");
        *cause = STATUS_UNSUPPORTED;
        return;
    case 13: /* a driver that somebody must start, and nobody can */
        add_entry(ROLE_DRV_ACPI, BOOTCFG_LAUNCH_KIND_DEVICED_DRIVER, BOOT_ENTRY_REQUIRED,
                  "drv-acpi");
        *cause = STATUS_UNSUPPORTED;
        return;
    case 14: /* a foundation that waits for a service */
        add_entry(ROLE_FBCOND, BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT, BOOT_ENTRY_OPTIONAL, "fbcond");
        config->entries[entry_of(ROLE_PAGERD)].dependencies[0] = ROLE_FBCOND;
        config->entries[entry_of(ROLE_PAGERD)].dependency_count = 1;
        *cause = STATUS_BAD_ORDER;
        return;
    case 8: /* an order that cannot be honoured */
        config->entries[entry_of(ROLE_MEMD)].dependencies[0] = ROLE_PAGERD;
        config->entries[entry_of(ROLE_MEMD)].dependency_count = 1;
        *cause = STATUS_BAD_ORDER;
        return;
    case 9: /* the module is data */
        peers_machine.handoff.modules[1].kind = BOOT_CONFIG_BYTES_MAX == 0 ? 1 : 3;
        return;
    case 10: /* no config in the image */
        peers_machine.handoff.modules[0].name[0] = 'x';
        *cause = STATUS_MISSING_MODULE;
        return;
    case 11: /* a module that the config names is not there */
        peers_machine.handoff.modules[2].name[0] = 'x';
        *cause = STATUS_MISSING_MODULE;
        return;
    default: /* the module is no program */
        peers_machine.image[peers_machine.handoff.modules[1].offset_bytes] ^= 1;
        *cause = STATUS_BAD_MAGIC;
        return;
    }
}

/* Nobody can wait for what is launched later, or never. */
static void test_config_order(void)
{
    static const struct {
        uint32_t role, other;
        enum status cause;
    } rows[] = {
        {ROLE_TEST_SERVICE, ROLE_TESTER, STATUS_BAD_ORDER},      /* a service for a program */
        {ROLE_TEST_SERVICE, ROLE_PHASE0_EXIT, STATUS_BAD_ORDER}, /* for a helper */
        {ROLE_TESTER, ROLE_PHASE0_EXIT, STATUS_BAD_ORDER},       /* a program for a helper */
        {ROLE_PHASE0_EXIT, ROLE_PHASE0_PROBE, STATUS_BAD_ORDER}, /* helpers for each other */
        {ROLE_TESTER, ROLE_TEST_LAST, STATUS_OK},
        {ROLE_TEST_APART, ROLE_PAGERD, STATUS_OK},
        {ROLE_PHASE0_EXIT, ROLE_TESTER, STATUS_OK}, /* which starts it */
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fresh(VALIDATION_PROFILE_GRAPH);
        struct boot_config_entry *entry = &peers_machine.config.entries[entry_of(rows[i].role)];
        entry->dependencies[entry->dependency_count++] = rows[i].other;
        expect(peers_machine_encode(), "a config with one dependency more encodes");
        expect_prepare(rows[i].cause == STATUS_OK ? ROOTD_READY : ROOTD_CONTRACT_INVALID,
                       rows[i].cause, role_find(rows[i].role)->image);
    }
    fresh(VALIDATION_PROFILE_GRAPH);
    peers_machine.config.entries[entry_of(ROLE_TEST_USER)].dependency_count = 0;
    peers_machine.config.entries[entry_of(ROLE_TEST_USER)].dependencies[0] = 0;
    expect(peers_machine_encode(), "a config without a dependency encodes");
    expect_prepare(ROOTD_CONTRACT_INVALID, STATUS_BAD_ORDER,
                   "who holds the end of a service waits for it");
}

/* A config gives less memory than the role table, to those whom rootd launches or offers, and to drivers. */
static void test_config_limits(void)
{
    static const struct {
        uint32_t role;
        struct process_limits limits;
        enum status cause;
    } rows[] = {
        {ROLE_TEST_SERVICE, {.page_limit = 192}, STATUS_OK},
        {ROLE_TEST_SERVICE, {.page_limit = 193}, STATUS_OVER_LIMIT},
        {ROLE_TESTER, {.page_limit = 1}, STATUS_OK},
        {ROLE_PHASE0_EXIT, {.page_limit = 191}, STATUS_OK},
        {ROLE_PHASE0_EXIT, {.page_limit = 500}, STATUS_OVER_LIMIT},
        {ROLE_TEST_DRIVER, {.page_limit = 192}, STATUS_OK},
        {ROLE_TEST_DRIVER, {.page_limit = 193}, STATUS_OVER_LIMIT},
        {ROLE_MEMD, {.page_limit = 1}, STATUS_OVER_LIMIT},
        {ROLE_TESTER, {.budget_pages = 64}, STATUS_OK},
        {ROLE_TESTER, {.budget_pages = 65}, STATUS_OVER_LIMIT},
        {ROLE_TESTER, {.page_limit = 64, .budget_pages = 16}, STATUS_OK},
        {ROLE_TESTER, {.page_limit = 64, .budget_pages = 15}, STATUS_INVALID_ARGUMENT},
        {ROLE_TESTER, {.child_limit = 64}, STATUS_OK},
        {ROLE_TESTER, {.child_limit = 65}, STATUS_OVER_LIMIT},
        {ROLE_TESTER, {.child_pages = 16384}, STATUS_OK},
        {ROLE_TESTER, {.child_pages = 16385}, STATUS_OVER_LIMIT},
        {ROLE_TEST_SERVICE, {.child_limit = 1}, STATUS_OVER_LIMIT},
        /* 192 pages of its own need two regions for each of 96 that are set aside: 64 and 32. */
        {ROLE_PHASE0_EXIT, {.budget_pages = 63}, STATUS_OVER_LIMIT},
        {ROLE_PHASE0_EXIT, {.page_limit = 190, .budget_pages = 63}, STATUS_OK},
        {ROLE_MEMD, {.budget_pages = 129}, STATUS_OVER_LIMIT},
        {ROLE_MEMD, {.budget_pages = 128}, STATUS_OVER_LIMIT},
        {ROLE_PROCD, {.budget_pages = 64}, STATUS_OVER_LIMIT},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fresh(VALIDATION_PROFILE_GRAPH);
        peers_machine.config.limit_count = 1;
        peers_machine.config.limits[0] =
            (struct boot_config_limit){.role = rows[i].role, .limits = rows[i].limits};
        expect(peers_machine_encode(), "a config with a limit encodes");
        expect_prepare(rows[i].cause == STATUS_OK ? ROOTD_READY : ROOTD_CONTRACT_INVALID,
                       rows[i].cause, "a limit of a role");
    }
    fresh(VALIDATION_PROFILE_GRAPH);
    peers_machine.config.limit_count = 1;
    peers_machine.config.limits[0] = (struct boot_config_limit){
        .role = ROLE_TEST_DRIVER, .limits = {.page_limit = 7, .budget_pages = 60}};
    expect(peers_machine_encode(), "a config with a driver's limit encodes");
    expect_equal(run(), ROOTD_READY, "a boot with a driver's limit");
    expect_equal(peers_machine.limited_count, 1, "R3: deviced is told of it");
}

void test_config(void)
{
    test_config_limits();
    for (unsigned rule = 0; rule < 15; rule++) {
        char what[40];
        enum status cause;
        snprintf(what, sizeof what, "config rule %u", rule);
        fresh(VALIDATION_PROFILE_NONE);
        break_config(rule, &cause);
        expect(peers_machine_encode(), what);
        expect_prepare(ROOTD_CONTRACT_INVALID, cause, what);
    }
    fresh(VALIDATION_PROFILE_NONE);
    add_entry(ROLE_FBCOND, BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT, BOOT_ENTRY_OPTIONAL, "fbcond");
    expect(peers_machine_encode(), "an optional later role encodes");
    expect_prepare(ROOTD_READY, STATUS_OK, "an optional role of a later version is passed over");
    fresh(VALIDATION_PROFILE_PHASE0);
    peers_machine.config.entries[entry_of(ROLE_PHASE0_EXIT)] =
        peers_machine.config.entries[--peers_machine.config.entry_count];
    memset(&peers_machine.config.entries[peers_machine.config.entry_count], 0,
           sizeof peers_machine.config.entries[0]);
    expect(peers_machine_encode(), "a phase-0 config without a helper encodes");
    expect_prepare(ROOTD_READY, STATUS_OK, "an image holds what its config says");
    test_config_order();
    fresh(VALIDATION_PROFILE_HOSTILE);
    peers_machine.config.validation_profile = VALIDATION_PROFILE_PHASE0;
    expect(peers_machine_encode(), "a phase-0 config with a spinner encodes");
    expect_prepare(ROOTD_CONTRACT_INVALID, STATUS_INVALID_ARGUMENT, "phase0 has no spinner");
    fresh(VALIDATION_PROFILE_NONE);
    memset(peers_machine.image, 0, PAGE_BYTES);
    expect_prepare(ROOTD_CONTRACT_INVALID, STATUS_BAD_MAGIC, "a config of zeros");
}
