/* SPDX-License-Identifier: ISC */
/* Properties of rootd's launch graph among peers that behave as they are told: who is launched, when,
 * and what becomes of a failure (R3, R5). A model of a few lines says what must come out of every
 * mixture of manners and flags. */
#include <stdio.h>
#include <string.h>

#include "abi/formats/boot_image.h"
#include "abi/process.h"
#include "props/tests/rootd/rootd_test.h"

/* The services of the image, in an order in which each comes after those that it needs. */
enum { SERVICES = 5, OTHERS = 4 /* named, logd, timed and deviced */ };
static const struct {
    uint32_t role;
    unsigned needs; /* bits of earlier ones */
} services[SERVICES] = {
    {ROLE_TEST_SERVICE, 0}, {ROLE_TEST_USER, 1u << 0},
    {ROLE_TEST_APART, 0},   {ROLE_TEST_LAST, 1u << 1 | 1u << 2},
    {ROLE_TEST_DRIVER, 0}, /* deviced launches it */
};

static struct boot_config_entry *entry_of(uint32_t role)
{
    return &peers_machine.config.entries[boot_config_find(&peers_machine.config, role)];
}

static const char *name_of(uint32_t role)
{
    return role_find(role)->image;
}

static bool log_has(const char *start, const char *name, const char *end)
{
    char line[96];
    snprintf(line, sizeof line, "%s%s%s\n", start, name, end);
    return peers_logged(line);
}

/* --- the model -------------------------------------------------------------------------------- */

/* What a way of being READY comes to. */
static enum status outcome(enum peers_ready ready)
{
    switch (ready) {
    case PEERS_READY_RIGHT:
    case PEERS_READY_SLOW:
        return STATUS_OK;
    case PEERS_READY_NEVER:
    case PEERS_READY_GIVES_UP:
    case PEERS_READY_UNSETTLED:
        return STATUS_TIMED_OUT;
    case PEERS_READY_OTHER_ROLE:
    case PEERS_READY_ONE_MORE:
    case PEERS_READY_ONE_LESS:
        return STATUS_INTERNAL;
    case PEERS_READY_REFUSED:
        return STATUS_INVALID_ARGUMENT;
    case PEERS_READY_LACKS:
        return STATUS_NOT_FOUND;
    case PEERS_READY_DIES:
    case PEERS_READY_DEAD:
        return STATUS_PEER_DIED;
    case PEERS_READY_COUNT:
        break;
    }
    return STATUS_COUNT;
}

struct mixture {
    enum peers_ready ready[SERVICES];
    unsigned required; /* bits */
};

/* What each service comes to: its own outcome, unless those that it needs have failed: then one of
 * their causes, whichever was known first. Bits of statuses; 0 for who is READY. */
static unsigned predict(const struct mixture *mixture, uint64_t causes[SERVICES])
{
    unsigned failed = 0;
    for (unsigned i = 0; i < SERVICES; i++) {
        enum status own = outcome(mixture->ready[i]);
        causes[i] = 0;
        for (unsigned j = 0; j < i; j++)
            causes[i] |= (services[i].needs >> j & 1) != 0 ? causes[j] : 0;
        if (causes[i] == 0 && own != STATUS_OK)
            causes[i] = UINT64_C(1) << own;
        failed |= (unsigned)(causes[i] != 0) << i;
    }
    return failed;
}

static bool passed_over(uint32_t role, uint64_t causes)
{
    for (unsigned status = 0; status < STATUS_COUNT; status++) {
        char cause[32];
        snprintf(cause, sizeof cause, ":%s", status_name(status));
        if ((causes >> status & 1) != 0 &&
            log_has("BASALT_ROOTD:PASSED_OVER:", name_of(role), cause))
            return true;
    }
    return false;
}

static void begin(const struct mixture *mixture)
{
    fresh_graph(VALIDATION_PROFILE_GRAPH, true);
    for (unsigned i = 0; i < SERVICES; i++) {
        if ((mixture->required >> i & 1) != 0)
            entry_of(services[i].role)->flags = BOOT_ENTRY_REQUIRED;
        peers_behave(services[i].role, mixture->ready[i], 4);
    }
    expect(peers_machine_encode(), "a config of services encodes");
}

static void expect_failed(const char *what)
{
    uint32_t exit_code = 0;
    expect(stand_in_exited(&exit_code) && exit_code == ROOTD_EXIT_FAILED, what);
    expect(peers_logged("BASALT_ROOTD:FAILED:LAUNCH_SERVICE:"), what);
    expect_equal(peers_live_count(), 0, what);
    expect_equal(stand_in_slot_count(), 3, what);
    expect(!peers_bootstrap_lives(), what);
}

/* Every service that did not fail is there, every other one is named, and nothing of it is left. */
static void expect_ready(unsigned failed, const uint64_t causes[SERVICES], const char *what)
{
    unsigned lives = FOUNDATION_COUNT + OTHERS;
    for (unsigned i = 0; i < SERVICES; i++) {
        const struct peers_child *child = peers_child_of(services[i].role);
        bool ready = (failed >> i & 1) == 0;
        lives += ready;
        expect(peers_lives(services[i].role) == ready, what);
        expect(!ready || (child != NULL && child->ready), what);
        expect(log_has("ROOTD_STAGE:", name_of(services[i].role), ":READY") == ready, what);
        expect(ready != passed_over(services[i].role, causes[i]), what);
    }
    expect_equal(peers_live_count(), lives, what);
    expect(peers_machine.bindings_sealed, "R3: deviced is sealed");
    expect_equal(stand_in_slot_count(), 4, what);
}

static void try_mixture(const struct mixture *mixture)
{
    char what[96];
    uint64_t causes[SERVICES];
    unsigned failed = predict(mixture, causes);
    snprintf(what, sizeof what, "R5: services ready in ways %u %u %u %u, required 0x%x",
             mixture->ready[0], mixture->ready[1], mixture->ready[2], mixture->ready[3],
             mixture->required);
    begin(mixture);
    enum rootd_status status = run();
    bool fails = (failed & mixture->required) != 0;
    expect_equal(status, fails ? ROOTD_SERVICE_BOOTSTRAP_FAILED : ROOTD_READY, what);
    if (fails)
        expect_failed(what);
    else
        expect_ready(failed, causes, what);
}

/* All ways of two services at a time, optional and required; deviced settles every launch. */
static void test_mixtures(void)
{
    enum { WAYS = PEERS_READY_UNSETTLED };
    for (unsigned first = 0; first < SERVICES; first++) {
        for (unsigned second = first + 1; second < SERVICES; second++) {
            for (unsigned ways = 0; ways < WAYS * WAYS; ways++) {
                for (unsigned required = 0; required < 4; required++) {
                    struct mixture mixture = {.required = 0};
                    mixture.ready[first] = (enum peers_ready)(ways % WAYS);
                    mixture.ready[second] = (enum peers_ready)(ways / WAYS);
                    mixture.required |= (required & 1) << first | (required >> 1) << second;
                    try_mixture(&mixture);
                }
            }
        }
    }
    try_mixture(&(struct mixture){.required = (1u << SERVICES) - 1});
}

/* --- time --------------------------------------------------------------------------------------- */

/* Where a line stands in the log; its end when it is not there. */
static size_t place_of(const char *name)
{
    char line[64];
    uint32_t count;
    const char *log = stand_in_log(&count);
    snprintf(line, sizeof line, "ROOTD_STAGE:%s:READY\n", name);
    const char *found = strstr(log, line);
    return found == NULL ? strlen(log) : (size_t)(found - log);
}

/* A slow one does not hold up those that do not need it, whichever of the two comes first. */
static void test_slow(void)
{
    static const struct {
        uint32_t slow, quick;
    } rows[] = {{ROLE_TEST_SERVICE, ROLE_TEST_APART}, {ROLE_TEST_APART, ROLE_TEST_USER}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fresh(VALIDATION_PROFILE_GRAPH);
        entry_of(rows[i].slow)->ready_ticks = 5000;
        expect(peers_machine_encode(), "a longer deadline encodes");
        peers_behave(rows[i].slow, PEERS_READY_SLOW, 12);
        expect_equal(run(), ROOTD_READY, "R5: a slow service is READY in the end");
        expect(place_of(name_of(rows[i].quick)) < place_of(name_of(rows[i].slow)),
               "R5: and holds up nobody who does not need it");
        const struct peers_child *quick = peers_child_of(rows[i].quick);
        expect(quick != NULL && quick->asks == 1, "who is READY is asked once");
    }
}

/* R5: how long one that never is READY is waited for: its stated time, and no more than the turns of
 * the others that are under way. */
static void test_deadlines(void)
{
    static const uint64_t ticks[] = {1, 9, 10, 11, 700, BOOT_CONFIG_READY_TICKS_MAX};
    enum { UNDER_WAY = 3, SLICE_LAST = 10, SLICE_MAX = 80, CALLS = 64 };
    for (unsigned i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        for (unsigned both = 0; both < 2; both++) {
            fresh_graph(VALIDATION_PROFILE_GRAPH, true);
            entry_of(ROLE_TEST_SERVICE)->ready_ticks = ticks[i];
            entry_of(ROLE_TEST_APART)->ready_ticks = ticks[i];
            expect(peers_machine_encode(), "any deadline encodes");
            peers_behave(ROLE_TEST_SERVICE, PEERS_READY_NEVER, 0);
            if (both != 0)
                peers_behave(ROLE_TEST_APART, PEERS_READY_NEVER, 0);
            uint64_t began = stand_in_now();
            expect_equal(run(), ROOTD_READY, "optional services are passed over");
            expect(log_has("BASALT_ROOTD:PASSED_OVER:", "test-service", ":TIMED_OUT"),
                   "R5: never READY");
            uint64_t latest = peers_child_of(ROLE_TEST_SERVICE)->deadline_ticks;
            expect(latest >= began + ticks[i], "R5: it has its whole time");
            expect(latest <= began + ticks[i] + UNDER_WAY * SLICE_MAX + SLICE_LAST + CALLS,
                   "R5: and the turns of the others");
        }
    }
}

/* R5: a driver has, beyond its stated time, what deviced may need to find out what became of it; one of
 * which deviced never says that is given up by then, as one that was not READY in time. */
static void test_slack(void)
{
    static const uint64_t ticks[] = {1, 700, BOOT_CONFIG_READY_TICKS_MAX};
    enum { SLICE_MAX = 80, CALLS = 64, OTHERS_TICKS = 1000 };
    for (unsigned i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        for (unsigned settles = 0; settles < 2; settles++) {
            uint64_t late_asks = (ticks[i] + OTHERS_TICKS) / SLICE_MAX + 1;
            fresh_graph(VALIDATION_PROFILE_GRAPH, true);
            entry_of(ROLE_TEST_DRIVER)->ready_ticks = ticks[i];
            expect(peers_machine_encode(), "any deadline encodes");
            peers_behave(ROLE_TEST_DRIVER, PEERS_READY_UNSETTLED,
                         settles != 0 ? (unsigned)late_asks : 0);
            uint64_t began = stand_in_now();
            expect_equal(run(), ROOTD_READY, "R5: an optional driver");
            expect(log_has("ROOTD_STAGE:", "test-driver", ":READY") == (settles != 0),
                   "R5: READY in time, and deviced said so later");
            expect(log_has("BASALT_ROOTD:PASSED_OVER:", "test-driver", ":TIMED_OUT") ==
                       (settles == 0),
                   "R5: what is never settled is not READY in time");
            uint64_t stated = ticks[i] + ROOTD_CALL_TICKS;
            uint64_t took = stand_in_now() - began;
            expect(took <= stated + SLICE_MAX + OTHERS_TICKS + CALLS, "R5: nor waited for longer");
            expect(settles != 0 || took >= stated, "R5: nor given up before");
        }
    }
}

/* --- entries that cannot be launched ----------------------------------------------------------- */

static void add_entry(uint32_t role, uint32_t flags)
{
    const struct role *row = role_find(role);
    struct boot_config_entry *entry =
        &peers_machine.config.entries[peers_machine.config.entry_count++];
    *entry = (struct boot_config_entry){.role = role, .flags = flags, .ready_ticks = 1};
    entry->launch_kind = row->kind == ROLE_KIND_DRIVER ? BOOTCFG_LAUNCH_KIND_DEVICED_DRIVER
                                                       : BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT;
    memcpy(entry->module, row->image, strlen(row->image));
}

/* The module of a role is not in the image any more. */
static void lose_module(uint32_t role)
{
    int at = handoff_find(&peers_machine.handoff, name_of(role));
    peers_machine.handoff.modules[at].name[0] = 'x';
}

/* irqd is told the INTERRUPTS rows, and sealed, before a driver that needs it is started; one that
 * refuses fails the boot, as it is required. */
static void test_lines(void)
{
    for (unsigned refuses = 0; refuses < 2; refuses++) {
        fresh(VALIDATION_PROFILE_GRAPH);
        peers_add(ROLE_IRQD);
        expect(peers_machine_encode(), "a machine with irqd encodes");
        peers_machine.lines_sealed = refuses != 0;
        expect_equal(run(), refuses ? ROOTD_SERVICE_BOOTSTRAP_FAILED : ROOTD_READY,
                     "R3: rootd seeds irqd");
        expect(peers_machine.lines_sealed, "R3: irqd is sealed");
        expect_equal(peers_machine.lines_seeded, refuses ? 0 : interrupt_count,
                     "D3: with each row of the table");
    }
    fresh(VALIDATION_PROFILE_GRAPH);
    peers_add(ROLE_IRQD);
    peers_machine.lines_of_others = 1;
    expect(peers_machine_encode(), "a machine with irqd encodes");
    expect_equal(run(), ROOTD_SERVICE_BOOTSTRAP_FAILED, "D3: and with no other");
}

/* The archive, which is data of imagefsd, at "/", and memory below it. */
static void fresh_files(void)
{
    fresh(VALIDATION_PROFILE_GRAPH);
    peers_add(ROLE_IMAGEFSD);
    peers_add(ROLE_RAMFSD);
    peers_add(ROLE_VFSD);
    peers_mount(ROLE_IMAGEFSD, "archive", "/", BOOT_MOUNT_READ_ONLY);
    peers_mount(ROLE_RAMFSD, "ram", "/tmp", 0);
}

/* vfsd is told the config's mounts, in their order, and sealed; what is told it refuses fails the
 * boot, and so does a mount that rootd did not bring. */
static void test_mounts(void)
{
    for (unsigned refuses = 0; refuses < 2; refuses++) {
        fresh_files();
        expect(peers_machine_encode(), "a machine with files encodes");
        peers_machine.mounts_sealed = refuses != 0;
        expect_equal(run(), refuses ? ROOTD_SERVICE_BOOTSTRAP_FAILED : ROOTD_READY,
                     "R3: rootd seeds vfsd");
        expect_equal(peers_machine.mount_count, refuses ? 0 : 2, "R3: with each mount");
    }
    static const uint32_t others[] = {1, UINT32_MAX}; /* one more; one fewer */
    for (unsigned i = 0; i < 2; i++) {
        fresh_files();
        peers_machine.mounts_of_others = others[i];
        expect(peers_machine_encode(), "a machine with files encodes");
        expect_equal(run(), ROOTD_SERVICE_BOOTSTRAP_FAILED, "R3: and with no other");
    }
    fresh_files();
    peers_mount(ROLE_LOGD, "log", "/log", 0);
    expect(peers_machine_encode(), "a machine whose log is mounted encodes");
    expect_equal(run(), ROOTD_CONTRACT_INVALID, "R2: vfsd finds a provider, whoever else finds it");
}

/* A role with a DATA row is not launched without it, nor with another kind of module. */
static void test_data(void)
{
    for (unsigned kind = 0; kind <= BOOT_SECTION_DATA; kind++) {
        fresh_files();
        int at = handoff_find(&peers_machine.handoff, role_data(ROLE_IMAGEFSD));
        peers_machine.handoff.modules[at].kind = kind != 0 ? kind : BOOT_SECTION_DATA;
        peers_machine.handoff.modules[at].name[0] = kind != 0 ? 'f' : 'x';
        expect(peers_machine_encode(), "a machine with files encodes");
        expect_equal(run(), kind == BOOT_SECTION_DATA ? ROOTD_READY : ROOTD_CONTRACT_INVALID,
                     "R2: data is there, and is data");
    }
}

/* D1: a driver whose rows have an end of named gets one that says its role, by deviced. */
static void test_named_ends(void)
{
    fresh(VALIDATION_PROFILE_GRAPH);
    peers_add(ROLE_IRQD);
    peers_add(ROLE_DRV_SERIAL);
    expect(peers_machine_encode(), "a machine with drv-serial encodes");
    expect_equal(run(), ROOTD_READY, "rootd has an end minted for a driver");
    expect_equal(peers_machine.named_end_count, 1, "D1: and gives it to deviced");
}

/* R5: a procd that does not answer when it gets its end of named is not named's failure: the boot fails,
 * whether named is optional or not, and no service is blamed. */
static void test_unbound(void)
{
    for (unsigned optional = 0; optional < 2; optional++) {
        fresh_graph(VALIDATION_PROFILE_GRAPH, optional != 0);
        peers_machine.bind_unanswered = true;
        expect_equal(run(), ROOTD_SERVICE_BOOTSTRAP_FAILED, "R5: procd does not answer");
        expect(peers_logged("BASALT_ROOTD:FAILED:LAUNCH_SERVICE:TIMED_OUT\n"), "R5: nobody else");
        expect_failed("R5: procd does not answer, and nothing is left");
    }
}

static void test_missing(void)
{
    static const char *const lines[] = {
        "BASALT_ROOTD:PASSED_OVER:test-driver:MISSING_MODULE\n",
        "BASALT_ROOTD:PASSED_OVER:test-service:MISSING_MODULE\n",
        "BASALT_ROOTD:PASSED_OVER:test-user:MISSING_MODULE\n",
        "BASALT_ROOTD:PASSED_OVER:phase0-exit:MISSING_MODULE\n",
        "ROOTD_STAGE:test-apart:READY\n",
    };
    fresh_graph(VALIDATION_PROFILE_GRAPH, true);
    add_entry(ROLE_FBCOND, BOOT_ENTRY_OPTIONAL);
    lose_module(ROLE_TEST_DRIVER);
    entry_of(ROLE_PHASE0_EXIT)->flags = BOOT_ENTRY_OPTIONAL;
    lose_module(ROLE_TEST_SERVICE);
    lose_module(ROLE_PHASE0_EXIT);
    expect(peers_machine_encode(), "entries without modules encode");
    expect_equal(run(), ROOTD_READY, "optional ones are passed over");
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect(peers_logged(lines[i]), lines[i]);
    expect(peers_logged("BASALT_ROOTD:PASSED_OVER:fbcond:UNSUPPORTED\n"), "one without a program");
    fresh_graph(VALIDATION_PROFILE_GRAPH, true);
    lose_module(ROLE_TEST_SERVICE);
    entry_of(ROLE_TEST_USER)->flags = BOOT_ENTRY_REQUIRED;
    expect(peers_machine_encode(), "a required one that needs it encodes");
    expect_equal(run(), ROOTD_SERVICE_BOOTSTRAP_FAILED, "a required one fails with it");
    expect(peers_logged("BASALT_ROOTD:FAILED:LAUNCH_SERVICE:MISSING_MODULE:test-user\n"),
           "and the log says which, and why");
}

/* An optional program that fails is passed over like a service, and one that needs it. */
static void test_optional_program(void)
{
    fresh(VALIDATION_PROFILE_PHASE0);
    entry_of(ROLE_TESTER)->flags = BOOT_ENTRY_OPTIONAL;
    expect(peers_machine_encode(), "an optional program encodes");
    peers_machine.end_code = STATUS_EXHAUSTED;
    expect_equal(run(), ROOTD_READY, "an optional program may fail");
    expect(peers_logged("BASALT_ROOTD:PASSED_OVER:tester:EXHAUSTED\n"), "and is named");
    expect_equal(peers_live_count(), FOUNDATION_COUNT, "nothing of it is left");
    expect_equal(stand_in_slot_count(), 4, "and no capability to it");
}

void test_graph(void)
{
    test_lines();
    test_mounts();
    test_data();
    test_named_ends();
    test_mixtures();
    test_slow();
    test_deadlines();
    test_slack();
    test_unbound();
    test_missing();
    test_optional_program();
}
