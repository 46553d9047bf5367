/* SPDX-License-Identifier: ISC */
/* rootd on the real kernel core with the real services: what every process holds at READY (R1, R6),
 * each broken rule of config and image with its own typed refusal (R2), what is left after a
 * service that is no service (R5), and how the system ends when a service dies (P8). The images are
 * made from the built ones, by the encoders. */
#include <stdio.h>
#include <string.h>

#include "kernel/host/host.h"
#include "props/base/testing.h"
#include "props/tests/rootd/boot_variant.h"
#include "props/world/world.h"
#include "services/crashd/crashd.h"
#include "services/memd/memd.h"
#include "services/pagerd/pagerd.h"
#include "services/probes/ready.h"
#include "services/procd/procd.h"
#include "services/rootd/rootd.h"
#include "services/tester/tester.h"
#include "services/vspaced/vspaced.h"

static struct boot_file runtime_file;
static struct boot_file foundation_file; /* nothing else */
static struct boot_file phase0_file;
static struct boot_file hostile_file; /* has every program */

/* Section `name` gets the content of section `other`. */
static void exchange_program(struct variant *variant, const char *name, const char *other)
{
    struct variant source = variant_of(&hostile_file);
    variant->sections[section_of(variant, name)] = source.sections[section_of(&source, other)];
}

/* --- cspaces --------------------------------------------------------------------------------- */

/* The process that runs a role: in the order of launches, rootd first; expect_sound() too. */
static const uint32_t process_roles[] = {ROLE_ROOTD, ROLE_PROCD, ROLE_MEMD, ROLE_VSPACED,
                                         ROLE_PAGERD};
enum { PROCESS_COUNT = sizeof process_roles / sizeof process_roles[0] };

static void expect_slot(uint32_t index, uint32_t slot, uint32_t type, uint32_t rights,
                        uint64_t badge)
{
    char detail[96];
    const struct capability *cap = kernel_slot(world_kernel(), index, slot);
    snprintf(detail, sizeof detail, "process %u slot %u", index, slot);
    expect_of("R1: slot, type, rights and badge are the table's", detail,
              cap != NULL && cap->object_type == type && cap->rights == rights &&
                  cap->badge == badge);
}

static void expect_role(uint32_t index)
{
    unsigned count;
    unsigned expected = 2;
    const struct intake *rows = role_intake(process_roles[index], &count);
    expect_slot(index, SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL, 0);
    expect_slot(index, SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT, 0);
    for (unsigned i = 0; i < count; i++) {
        bool peer = rows[i].slot >= SLOT_PEER_MEMD && rows[i].slot <= SLOT_PEER_PROCD;
        if (rows[i].slot == SLOT_BOOTSTRAP_UNTYPED)
            continue; /* dropped at UPDATE_FOUNDATION_ENDPOINTS */
        expect_slot(index, rows[i].slot, rows[i].object_type, rows[i].rights,
                    peer ? process_roles[index] : 0);
        expected++;
    }
    if (process_roles[index] == ROLE_PROCD) {
        expect_slot(index, SLOT_PEER_MEMD, OBJECT_ENDPOINT, RIGHT_SEND, 0);
        expect_slot(index, SLOT_PEER_PAGERD, OBJECT_ENDPOINT, RIGHT_SEND, 0);
        expected += 2;
    }
    expect_of("R1: nothing else is held", role_find(process_roles[index])->image,
              occupied_count(index, SLOT_REPLY_BASE) == expected);
}

/* Every service walks its own state, as it does before READY in an integration image. */
static void expect_sound(void)
{
    const char *broken[PROCESS_COUNT] = {NULL, procd_check(world_state(1)),
                                         memd_check(world_state(2)), vspaced_check(world_state(3)),
                                         pagerd_check(world_state(4))};
    for (uint32_t i = 1; i < PROCESS_COUNT; i++)
        expect_of(role_find(process_roles[i])->image, broken[i] == NULL ? "" : broken[i],
                  broken[i] == NULL);
}

static void test_snapshot(void)
{
    struct variant variant = variant_of(&foundation_file);
    struct world_result result = boot(&variant);
    expect_of("the foundation boots", result.log, result.end == WORLD_READY);
    expect_of("READY is its only line", result.log, strcmp(result.log, "ERIX_ROOTD:READY\n") == 0);
    expect_of("the kernel is sound at READY", "", kernel_check(world_kernel()) == NULL);
    expect_of("rootd and the foundation run", "", world_kernel()->process_count == PROCESS_COUNT);
    for (uint32_t i = 1; i < PROCESS_COUNT; i++)
        expect_role(i);
    expect_slot(0, SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL, 0);
    expect_slot(0, SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT, 0);
    expect_slot(0, SLOT_KERNEL_LOG_ENDPOINT, OBJECT_KERNEL_LOG, RIGHT_CONTROL | RIGHT_TRANSFER, 0);
    expect_slot(0, ROOTD_SLOT_PROCD_PROCESS, OBJECT_PROCESS, RIGHT_CONTROL | RIGHT_TRANSFER, 0);
    expect_of("R6: rootd holds its post-boot set alone", "", occupied_count(0, SLOT_LIMIT) == 4);
    expect_sound();
}

/* --- refusals -------------------------------------------------------------------------------- */

static void test_config(void)
{
    struct variant variant = variant_of(&foundation_file);
    remove_section(&variant, BOOT_CONFIG_MODULE_NAME);
    struct world_result result = boot(&variant);
    expect_failure(&result, "CONTRACT_INVALID", "FAILED:INTAKE:MISSING_MODULE", "no config");

    for (unsigned i = 0; i < FOUNDATION_COUNT; i++) {
        const char *name = role_find(foundation_roles[i])->image;
        variant = variant_of(&foundation_file);
        remove_section(&variant, name);
        result = boot(&variant);
        expect_failure(&result, "CONTRACT_INVALID", "FAILED:INTAKE:MISSING_MODULE", name);
    }
    for (unsigned i = 0; i < role_count; i++) {
        const char *name = role_table[i].image;
        if (role_table[i].presence != ROLE_PRESENCE_PHASE0)
            continue;
        variant = variant_of(&phase0_file);
        remove_section(&variant, name);
        result = boot(&variant);
        expect_failure(&result, "CONTRACT_INVALID", "FAILED:INTAKE:MISSING_MODULE", name);
    }

    variant = variant_of(&phase0_file);
    variant.config.validation_profile = VALIDATION_PROFILE_NONE;
    encode_config(&variant);
    result = boot(&variant);
    expect_failure(&result, "CONTRACT_INVALID", "FAILED:INTAKE:INVALID_ARGUMENT",
                   "helpers in a runtime config");

    variant = variant_of(&foundation_file);
    variant.sections[section_of(&variant, BOOT_CONFIG_MODULE_NAME)].size_bytes -= 1;
    result = boot(&variant);
    expect_failure(&result, "CONTRACT_INVALID", "FAILED:INTAKE:BAD_LENGTH", "a cut config");
}

/* Every byte of the config changed once: refused with a typed status, or another sound config that
 * boots or fails by its own words. Never anything in between. */
static void test_config_bytes(void)
{
    for (unsigned at = 0; at < foundation_file.table.sections[0].size_bytes; at += 7) {
        struct variant variant = variant_of(&foundation_file);
        memcpy(variant.config_bytes,
               foundation_file.bytes + foundation_file.table.sections[0].offset_bytes,
               (size_t)foundation_file.table.sections[0].size_bytes);
        variant.config_bytes[at] ^= 0x11;
        variant.sections[section_of(&variant, BOOT_CONFIG_MODULE_NAME)].bytes =
            variant.config_bytes;
        struct world_result result = boot(&variant);
        bool typed = strstr(result.log, "ERIX_ROOTD:CONTRACT_INVALID\n") != NULL &&
                     strstr(result.log, "BASALT_ROOTD:FAILED:INTAKE:") != NULL &&
                     result.halt_code == ROOTD_EXIT_FAILED;
        expect_of("a changed config byte", result.log, typed || result.end == WORLD_READY);
    }
}

/* --- services that are none ---------------------------------------------------------------- */

/* One module of an image is another program: the boot fails where that shows, and nothing is
 * left. */
static void expect_undone(const struct boot_file *file, const char *name, const char *other,
                          const char *stage, uint32_t rootd_pages)
{
    char what[64];
    snprintf(what, sizeof what, "R5: %s is %s", name, other);
    struct variant variant = variant_of(file);
    exchange_program(&variant, name, other);
    struct world_result result = boot(&variant);
    expect_nothing_left(&result, what, stage, rootd_pages);
}

/* Boots with test-ready in somebody's place: nothing is left, in time. */
static void expect_unready(const struct boot_file *file, const char *name, const char *stage,
                           enum ready_mode mode, uint32_t rootd_pages)
{
    enum { STATED_TICKS = 700, OTHER_TICKS = 100 };
    static const char *const causes[] = {[READY_OTHER_ROLE] = "INTERNAL",
                                         [READY_OTHER_COUNT] = "INTERNAL",
                                         [READY_LATE] = "TIMED_OUT",
                                         [READY_NEVER] = "TIMED_OUT",
                                         [READY_FAULTS] = "PEER_DIED"};
    char what[64], cause[64];
    struct variant variant = variant_of(file);
    variant.sections[section_of(&variant, name)] = built_program("test-ready", mode);
    set_ready_ticks(&variant, name, STATED_TICKS);
    snprintf(what, sizeof what, "R5: %s is ready in way %u", name, mode);
    snprintf(cause, sizeof cause, "FAILED:%s:%s\n", stage, causes[mode]);
    struct world_result result = boot(&variant);
    expect_nothing_left(&result, what, cause, rootd_pages);
    bool waits = mode == READY_LATE || mode == READY_NEVER;
    uint64_t least = waits ? STATED_TICKS : 0;
    expect_of(what, "in its stated time",
              result.ticks >= least && result.ticks <= least + OTHER_TICKS);
}

static void test_unready(uint32_t rootd_pages)
{
    for (enum ready_mode mode = READY_OTHER_ROLE; mode <= READY_FAULTS; mode++) {
        expect_unready(&foundation_file, "procd", "LAUNCH_PROCD", mode, rootd_pages);
        expect_unready(&foundation_file, "memd", "LAUNCH_MEMD", mode, rootd_pages);
        expect_unready(&foundation_file, "vspaced", "LAUNCH_VSPACED", mode, rootd_pages);
        expect_unready(&foundation_file, "pagerd", "LAUNCH_PAGERD", mode, rootd_pages);
        expect_unready(&hostile_file, "test-hostile", "LAUNCH_PROGRAM", mode, rootd_pages);
        expect_unready(&phase0_file, "tester", "LAUNCH_PROGRAM", mode, rootd_pages);
    }
}

/* Programs that are none, or others; and a helper that is. */
static void test_programs(uint32_t rootd_pages)
{
    expect_undone(&phase0_file, "tester", "phase0-exit", "FAILED:LAUNCH_PROGRAM:", rootd_pages);
    expect_undone(&phase0_file, "tester", "memd", "FAILED:LAUNCH_PROGRAM:INVALID_ARGUMENT",
                  rootd_pages);
    expect_undone(&hostile_file, "test-hostile", "phase0-exit",
                  "FAILED:LAUNCH_PROGRAM:", rootd_pages);
    expect_undone(&hostile_file, "test-hostile", "tester", "FAILED:LAUNCH_PROGRAM:INVALID_ARGUMENT",
                  rootd_pages);
    expect_undone(&hostile_file, "phase0-exit", "phase0-probe", "FAILED:PROGRAM:INTERNAL",
                  rootd_pages);
    expect_undone(&hostile_file, "test-spin", "phase0-exit", "FAILED:PROGRAM:INTERNAL",
                  rootd_pages);
}

/* The tester's time is over while helpers run: they are given back before what they rest on (R5). */
static void test_time_over(uint32_t rootd_pages)
{
    static const uint64_t ticks[] = {10, 15, 20, 40};
    for (unsigned i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        struct variant variant = variant_of(i % 2 == 0 ? &phase0_file : &hostile_file);
        char what[64];
        snprintf(what, sizeof what, "R5: the tester has %u ticks", (unsigned)ticks[i]);
        set_ready_ticks(&variant, "tester", ticks[i]);
        struct world_result result = boot(&variant);
        expect_nothing_left(&result, what, "FAILED:PROGRAM:TIMED_OUT\n", rootd_pages);
    }
}

/* What the config gives the tester below itself reaches procd (R3): two helpers side by side need two
 * places, and their memory; with a little more than that phase 0 is what it is. */
static void test_child_limits(uint32_t rootd_pages)
{
    static const struct {
        struct process_limits limits;
        bool suffices;
    } rows[] = {
        {{.child_limit = 1}, false},
        {{.child_limit = 2}, true},
        {{.child_pages = 1}, false},
        {{.child_pages = 600}, true},
        {{.page_limit = 64, .budget_pages = 48, .child_limit = 4, .child_pages = 800}, true},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct variant variant = variant_of(&phase0_file);
        variant.config.limits[variant.config.limit_count++] =
            (struct boot_config_limit){.role = ROLE_TESTER, .limits = rows[i].limits};
        encode_config(&variant);
        struct world_result result = boot(&variant);
        if (rows[i].suffices)
            expect_of("R3: the tester's limits", result.log, result.end == WORLD_READY);
        else
            expect_nothing_left(&result, "R3: limits that are too low", "FAILED:", rootd_pages);
    }
}

static void test_failures(void)
{
    static const struct {
        const char *name;
        const char *other;
        const char *stage;
    } rows[] = {
        {"procd", "phase0-exit", "FAILED:LAUNCH_PROCD:"},       /* ends at once */
        {"procd", "phase0-fault-kill", "FAILED:LAUNCH_PROCD:"}, /* faults at once */
        {"procd", "memd", "FAILED:LAUNCH_PROCD:INVALID_ARGUMENT"},
        {"memd", "vspaced", "FAILED:LAUNCH_MEMD:INVALID_ARGUMENT"},
        {"memd", "phase0-isolation-a", "FAILED:LAUNCH_MEMD:"}, /* silent for a while, then ends */
        {"memd", "phase0-exit", "FAILED:LAUNCH_MEMD:"},
        {"vspaced", "phase0-exit", "FAILED:LAUNCH_VSPACED:"},
        {"vspaced", "pagerd", "FAILED:LAUNCH_VSPACED:INVALID_ARGUMENT"},
        {"vspaced", "rootd", "FAILED:LAUNCH_VSPACED:"},
        {"pagerd", "phase0-fault-kill", "FAILED:LAUNCH_PAGERD:"},
        {"pagerd", "memd", "FAILED:LAUNCH_PAGERD:INVALID_ARGUMENT"},
        {"pagerd", "procd", "FAILED:LAUNCH_PAGERD:INVALID_ARGUMENT"},
    };
    uint32_t rootd_pages = taken_by_rootd(&foundation_file);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_undone(&foundation_file, rows[i].name, rows[i].other, rows[i].stage, rootd_pages);
    test_programs(rootd_pages);
    test_unready(rootd_pages);
    test_time_over(rootd_pages);
    test_child_limits(rootd_pages);
}

/* P8: a service dies in a system that runs. procd ends the others and itself, rootd says so, and
 * the system ends with procd's own code; when procd itself dies of a fault, with rootd's. */
static void test_deaths(void)
{
    struct variant variant = variant_of(&foundation_file);
    for (uint32_t index = 1; index < PROCESS_COUNT; index++) {
        bool procd = process_roles[index] == ROLE_PROCD;
        const char *what = role_find(process_roles[index])->image;
        const char *line = procd ? "FAILED:RUN:PEER_DIED:FAULT_INSTRUCTION\n"
                                 : "FAILED:RUN:PEER_DIED:EXITED:0x70726300\n";
        expect_of(what, "boots", boot(&variant).end == WORLD_READY);
        struct world_result result = world_end_process(index);
        expect_of(what, result.log, result.end == WORLD_FAILED);
        expect_of(what, "the exit code",
                  result.halt_code == (procd ? ROOTD_EXIT_FAILED : PROCD_EXIT_CRITICAL));
        expect_of(what, result.log, strstr(result.log, line) != NULL);
        expect_of(what, result.log, strstr(result.log, "ERIX_ROOTD:INTERNAL_ERROR\n") != NULL);
        expect_of(what, "kernel_check", kernel_check(world_kernel()) == NULL);
        if (!procd)
            expect_of(what, "rootd and the record of procd", world_kernel()->process_count == 2);
    }
}

/* --- the runtime image ----------------------------------------------------------------------- */

/* What it has beside the foundation. */
static const uint32_t graph_roles[] = {ROLE_NAMED, ROLE_LOGD,    ROLE_CRASHD,     ROLE_TIMED,
                                       ROLE_IRQD,  ROLE_DEVICED, ROLE_DRV_SERIAL, ROLE_SERIALD};
enum { GRAPH_COUNT = sizeof graph_roles / sizeof graph_roles[0] };

/* Who is started again has a mould. */
static uint32_t mould_count(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < GRAPH_COUNT; i++) {
        const struct restarts *policy = role_restarts(graph_roles[i]);
        count += policy != NULL && policy->policy != RESTART_NEVER;
    }
    return count;
}

/* The process that runs a role of the graph; 0: none. */
static uint32_t graph_index(uint32_t role)
{
    uint32_t end = PROCESS_COUNT + GRAPH_COUNT + mould_count();
    for (uint32_t index = PROCESS_COUNT; index < end; index++) {
        const char *name = world_program(index);
        if (name != NULL && strcmp(name, role_find(role)->image) == 0)
            return index;
    }
    return 0;
}

static void test_runtime(void)
{
    struct variant variant = variant_of(&runtime_file);
    struct world_result result = boot(&variant);
    expect_of("the runtime image boots", result.log, result.end == WORLD_READY);
    expect_of("READY is its only line", result.log, strcmp(result.log, "ERIX_ROOTD:READY\n") == 0);
    expect_of("the kernel is sound at READY", "", kernel_check(world_kernel()) == NULL);
    expect_of("the foundation and the graph run", "",
              world_kernel()->process_count == PROCESS_COUNT + GRAPH_COUNT + mould_count());
    for (uint32_t i = 0; i < GRAPH_COUNT; i++)
        expect_of("runs at READY", role_find(graph_roles[i])->image,
                  graph_index(graph_roles[i]) != 0);
    expect_of("R6: rootd holds its post-boot set alone", "", occupied_count(0, SLOT_LIMIT) == 4);
    expect_sound();
}

/* P9: procd has found nobody until there is something to tell; then crashd has its record, and procd
 * an end of each of the two. */
static void test_evidence(void)
{
    struct variant variant = variant_of(&runtime_file);
    expect_of("the runtime image", "boots", boot(&variant).end == WORLD_READY);
    expect_of("procd has not looked for crashd", "",
              kernel_slot(world_kernel(), 1, SLOT_PEER_CRASHD)->object_type == OBJECT_NONE);
    const struct crashd *crashd = world_state(graph_index(ROLE_CRASHD));
    uint32_t timed = graph_index(ROLE_TIMED);
    struct world_result result = world_end_process(timed);
    expect_of("timed ends and the rest goes on", result.log, result.end == WORLD_READY);
    expect_of("crashd is told of one end", "", crashd->last_id == 1);
    expect_of("and of whose", "", crashd->records[0].report.role == ROLE_TIMED);
    expect_slot(1, SLOT_PEER_CRASHD, OBJECT_ENDPOINT, RIGHT_SEND, ROLE_PROCD);
    expect_slot(1, SLOT_PEER_LOGD, OBJECT_ENDPOINT, RIGHT_SEND, ROLE_PROCD);
    expect_of("crashd is sound", "", crashd_check(crashd) == NULL);
    expect_sound();
}

static void test_phase0(void)
{
    struct variant variant = variant_of(&phase0_file);
    struct world_result result = boot(&variant);
    expect_of("the phase-0 image boots and halts with 0", result.log,
              result.end == WORLD_READY && result.halt_code == ROOTD_EXIT_READY);
    expect_of("all resources are back", result.log,
              strstr(result.log, "ROOTD_STAGE:RESOURCES_BACK\n") != NULL);
    variant = variant_of(&phase0_file);
    exchange_program(&variant, "phase0-isolation-a", "phase0-fault-kill");
    result = boot(&variant);
    expect_failure(&result, "SERVICE_BOOTSTRAP_FAILED", "FAILED:PROGRAM:INTERNAL",
                   "a helper that ends otherwise than stated");
    expect_of("and how it ended", result.log,
              strstr(result.log, "ROOTD_STAGE:phase0-isolation-a:UNEXPECTED:EXITED:0xbad\n") !=
                  NULL);
    expect_of("a failed phase0", "no live child", world_kernel()->process_count == 1);
}

/* How long services wait for each other, stated a second time. A service that asks waits longer
 * than the one it asks waits for others: otherwise it gives up on a peer that is still at work. */
static void test_patience(void)
{
    static const uint64_t PATIENCE = 30000;
    expect_equal(VSPACED_MEMD_TICKS, 5000, "vspaced gives memd five seconds");
    expect_equal(PAGERD_PEER_TICKS, 20000, "pagerd gives vspaced twenty");
    expect((uint64_t)PAGERD_PEER_TICKS > (uint64_t)VSPACED_MEMD_TICKS,
           "E5: pagerd waits longer for vspaced than vspaced for memd");
    expect((uint64_t)PROCD_PEER_TICKS > (uint64_t)PAGERD_PEER_TICKS,
           "E5: procd waits longer for pagerd than pagerd for vspaced");
    expect_equal(PROCD_PEER_TICKS, PATIENCE, "procd gives memd and pagerd thirty for a message");
    expect_equal(PROCD_TURN_TICKS, 3 * PATIENCE, "and as much for a step, and a second message");
    expect((uint64_t)ROOTD_CALL_TICKS > 4 * PATIENCE,
           "P12: rootd waits longer for procd than a turn and its own message take");
    expect((uint64_t)TESTER_CALL_TICKS > 4 * PATIENCE, "P12: so does the tester");
}

/* --- machines of every size ------------------------------------------------------------------ */

/* memd has a record and a slot for each page of its pool, so that memory alone runs out (E6). */
static void test_memory_sizes(const struct boot_file *file)
{
    static const size_t mebibytes[] = {24, 40, 129, 1024};
    for (size_t i = 0; i < sizeof mebibytes / sizeof mebibytes[0]; i++) {
        char what[32];
        snprintf(what, sizeof what, "%zu MiB", mebibytes[i]);
        boot_memory_bytes = mebibytes[i] << 20;
        struct variant variant = variant_of(file);
        struct world_result result = boot(&variant);
        expect_of(what, result.log, result.end == WORLD_READY);
        if (result.end != WORLD_READY)
            continue;
        const struct memd *memd = world_state(2);
        expect_of(what, "all of the pool is memd's to hand out",
                  memd->total_pages == world_kernel()->untypeds[0].total_pages);
        expect_of(what, "and has records", memd->total_pages <= memd->frame_limit);
        expect_sound();
    }
    boot_memory_bytes = 0;
}

int main(int count, char **arguments)
{
    (void)count;
    test_patience();
    file_read(&runtime_file, "build/boot.img");
    file_read(&foundation_file, "build/boot-foundation.img");
    file_read(&phase0_file, "build/boot-phase0.img");
    file_read(&hostile_file, "build/boot-hostile.img");
    test_snapshot();
    test_config();
    test_config_bytes();
    test_failures();
    test_deaths();
    test_runtime();
    test_evidence();
    test_phase0();
    test_memory_sizes(&foundation_file);
    test_memory_sizes(&runtime_file);
    file_free(&runtime_file);
    file_free(&foundation_file);
    file_free(&phase0_file);
    file_free(&hostile_file);
    boot_end();
    return tests_end(arguments[0]);
}
