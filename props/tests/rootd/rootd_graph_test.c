/* SPDX-License-Identifier: ISC */
/* rootd's launch graph on the real kernel core with the real services (R3, R5): programs of the image of
 * profile graph are exchanged for others, optional and required, and the whole log is compared with what
 * must come out. */
#include <stdio.h>
#include <string.h>

#include "abi/roles.h"
#include "props/base/testing.h"
#include "props/tests/rootd/boot_variant.h"
#include "services/probes/ready.h"
#include "services/rootd/rootd.h"

static struct boot_file graph_file;
static uint32_t rootd_pages;

static struct boot_config_entry *entry_of(struct variant *variant, const char *name)
{
    for (uint32_t i = 0; i < variant->config.entry_count; i++) {
        if (strcmp(role_find(variant->config.entries[i].role)->image, name) == 0)
            return &variant->config.entries[i];
    }
    return NULL;
}

static void make_optional(struct variant *variant, const char *name)
{
    entry_of(variant, name)->flags = BOOT_ENTRY_OPTIONAL;
    encode_config(variant);
}

static void put_program(struct variant *variant, const char *name, const char *program,
                        uint64_t mode)
{
    variant->sections[section_of(variant, name)] = built_program(program, mode);
}

/* --- logs -------------------------------------------------------------------------------------- */

/* What a boot says from FOUNDATION_BOUND to AUTHORITY_SHED: the lines of the graph, each once. */
static void expect_lines(const struct world_result *result, const char *const *lines,
                         const char *what)
{
    size_t length = 0;
    const char *first = strstr(result->log, "ROOTD_STAGE:FOUNDATION_BOUND\n");
    const char *last = strstr(result->log, "ROOTD_STAGE:AUTHORITY_SHED\nERIX_ROOTD:READY\n");
    expect_of(what, result->log, result->end == WORLD_READY && first != NULL && last != NULL);
    if (first == NULL || last == NULL)
        return;
    first += strlen("ROOTD_STAGE:FOUNDATION_BOUND\n");
    for (unsigned i = 0; lines[i] != NULL; i++) {
        const char *found = strstr(first, lines[i]);
        expect_of(what, lines[i], found != NULL && found < last);
        length += strlen(lines[i]);
    }
    expect_of(what, result->log, (size_t)(last - first) == length);
    expect_of(what, "kernel_check", kernel_check(world_kernel()) == NULL);
}

static void expect_running(unsigned services, const char *what)
{
    enum { ROOTD_AND_FOUNDATION = 5, OTHERS = 5, THEIR_MOULDS = 2 }; /* named has none */
    expect_of(what, "who failed is gone, and nobody else",
              world_kernel()->process_count ==
                  ROOTD_AND_FOUNDATION + OTHERS + THEIR_MOULDS + services);
}

#define OTHERS_READY             SERVICES_READY, IS_READY("test-driver"), "ERIX_DEVICED:READY:test-driver\n"
#define SERVICES_READY           IS_READY("named"), IS_READY("logd"), IS_READY("timed"), IS_READY("deviced")
#define IS_READY(name)           "ROOTD_STAGE:" name ":READY\n"
#define IS_PASSED(name, because) "BASALT_ROOTD:PASSED_OVER:" name ":" because "\n"

static void test_ready(void)
{
    static const char *const lines[] = {
        IS_READY("test-service"), IS_READY("test-user"), IS_READY("test-apart"),
        IS_READY("test-last"),    OTHERS_READY,          NULL};
    struct variant variant = variant_of(&graph_file);
    struct world_result result = boot(&variant);
    expect_lines(&result, lines, "all services are READY");
    expect_running(4, "all services are READY");
}

/* --- the handshake ------------------------------------------------------------------------------ */

static const struct {
    enum ready_mode mode;
    const char *cause;
} unready[] = {
    {READY_OTHER_ROLE, "INTERNAL"}, {READY_OTHER_COUNT, "INTERNAL"}, {READY_LATE, "TIMED_OUT"},
    {READY_NEVER, "TIMED_OUT"},     {READY_FAULTS, "PEER_DIED"},
};
enum { UNREADY_COUNT = sizeof unready / sizeof unready[0], STATED_TICKS = 700, OTHER_TICKS = 200 };

static struct variant unready_variant(const char *name, enum ready_mode mode)
{
    struct variant variant = variant_of(&graph_file);
    put_program(&variant, name, "test-ready", mode);
    set_ready_ticks(&variant, name, STATED_TICKS);
    return variant;
}

/* R5: a required one fails the boot, in its stated time, and nothing is left. */
static void test_required(void)
{
    static const char *const names[] = {"test-service", "test-user", "test-apart", "test-last"};
    for (unsigned i = 0; i < UNREADY_COUNT; i++) {
        for (unsigned j = 0; j < sizeof names / sizeof names[0]; j++) {
            char what[64], cause[64];
            struct variant variant = unready_variant(names[j], unready[i].mode);
            snprintf(what, sizeof what, "R5: %s required, ready in way %u", names[j],
                     unready[i].mode);
            snprintf(cause, sizeof cause, "FAILED:LAUNCH_SERVICE:%s:%s\n", unready[i].cause,
                     names[j]);
            struct world_result result = boot(&variant);
            expect_nothing_left(&result, what, cause, rootd_pages);
            bool waits = unready[i].mode == READY_LATE || unready[i].mode == READY_NEVER;
            uint64_t least = waits ? STATED_TICKS : 0;
            expect_of(what, "in its stated time",
                      result.ticks >= least && result.ticks <= least + OTHER_TICKS);
        }
    }
}

static const char *passed_line(const char *name, const char *cause)
{
    static char lines[3][96];
    static unsigned next;
    char *line = lines[next++ % 3];
    snprintf(line, sizeof lines[0], "BASALT_ROOTD:PASSED_OVER:%s:%s\n", name, cause);
    return line;
}

/* R5: an optional one is passed over, and so are those that need it; the rest is READY. */
static void test_optional(void)
{
    for (unsigned i = 0; i < UNREADY_COUNT; i++) {
        char what[64];
        const char *cause = unready[i].cause;
        struct variant variant = unready_variant("test-service", unready[i].mode);
        const char *const lines[] = {passed_line("test-service", cause),
                                     passed_line("test-user", cause),
                                     passed_line("test-last", cause),
                                     IS_READY("test-apart"),
                                     OTHERS_READY,
                                     NULL};
        make_optional(&variant, "test-service");
        make_optional(&variant, "test-user");
        make_optional(&variant, "test-last");
        snprintf(what, sizeof what, "R5: a chain that is optional, ready in way %u",
                 unready[i].mode);
        struct world_result result = boot(&variant);
        expect_lines(&result, lines, what);
        expect_running(1, what);
        make_optional(&variant, "test-apart");
        put_program(&variant, "test-apart", "test-ready", READY_NEVER);
        const char *const none[] = {passed_line("test-service", cause), NULL};
        result = boot(&variant);
        expect_of(what, result.log, strstr(result.log, none[0]) != NULL);
        expect_of(what, result.log,
                  strstr(result.log, IS_PASSED("test-apart", "TIMED_OUT")) != NULL);
        expect_running(0, what);
    }
}

/* R5: the same of a driver, which deviced launches: its failure comes to rootd as deviced says it. */
static void test_driver(void)
{
    for (unsigned i = 0; i < UNREADY_COUNT; i++) {
        char what[64], cause[64];
        struct variant variant = unready_variant("test-driver", unready[i].mode);
        const char *const lines[] = {passed_line("test-driver", unready[i].cause),
                                     IS_READY("test-service"),
                                     IS_READY("test-user"),
                                     IS_READY("test-apart"),
                                     IS_READY("test-last"),
                                     SERVICES_READY,
                                     NULL};
        snprintf(what, sizeof what, "R5: a driver, ready in way %u", unready[i].mode);
        snprintf(cause, sizeof cause, "FAILED:LAUNCH_SERVICE:%s:test-driver\n", unready[i].cause);
        struct world_result result = boot(&variant);
        expect_nothing_left(&result, what, cause, rootd_pages);
        bool waits = unready[i].mode == READY_LATE || unready[i].mode == READY_NEVER;
        expect_of(what, "it had its whole time, which deviced counts",
                  result.ticks >= (waits ? STATED_TICKS : 0) &&
                      result.ticks <= STATED_TICKS + OTHER_TICKS);
        make_optional(&variant, "test-driver");
        result = boot(&variant);
        expect_lines(&result, lines, what);
        expect_running(3, what); /* four services, and the driver is gone */
    }
}

/* A driver's limit of the config reaches procd by deviced: with a page it comes to nothing, and that is its
 * own failure; with enough it does what it does. */
static void test_driver_limit(void)
{
    static const uint32_t pages[] = {1, 64};
    for (unsigned i = 0; i < 2; i++) {
        struct variant variant = variant_of(&graph_file);
        variant.config.limits[variant.config.limit_count++] = (struct boot_config_limit){
            .role = ROLE_TEST_DRIVER, .limits = {.page_limit = pages[i]}};
        make_optional(&variant, "test-driver");
        struct world_result result = boot(&variant);
        expect_of("test-driver", result.log, result.end == WORLD_READY);
        expect_of("R3: a driver's limit", result.log,
                  (strstr(result.log, IS_PASSED("test-driver", "PEER_DIED")) == NULL) == (i == 1));
        expect_running(i == 1 ? 4 : 3, "R3: a driver's limit");
    }
}

/* --- time --------------------------------------------------------------------------------------- */

/* A slow service is READY all the same, and whoever does not need it was so long before. */
static void test_slow(void)
{
    static const char *const names[] = {"test-service", "test-apart"};
    for (unsigned i = 0; i < 2; i++) {
        const char *other = names[1 - i];
        char own_line[64], other_line[64];
        struct variant variant = variant_of(&graph_file);
        put_program(&variant, names[i], names[i], STATED_TICKS);
        snprintf(own_line, sizeof own_line, "ROOTD_STAGE:%s:READY\n", names[i]);
        snprintf(other_line, sizeof other_line, "ROOTD_STAGE:%s:READY\n", other);
        struct world_result result = boot(&variant);
        expect_of(names[i], result.log, result.end == WORLD_READY);
        const char *own_place = strstr(result.log, own_line);
        const char *other_place = strstr(result.log, other_line);
        expect_of(names[i], "slow, and the other one first",
                  own_place != NULL && other_place != NULL && other_place < own_place);
        expect_of(names[i], "as slow as it is, and no slower",
                  result.ticks >= STATED_TICKS && result.ticks <= STATED_TICKS + OTHER_TICKS);
        set_ready_ticks(&variant, names[i], STATED_TICKS / 2);
        result = boot(&variant);
        expect_failure(&result, "SERVICE_BOOTSTRAP_FAILED",
                       "FAILED:LAUNCH_SERVICE:TIMED_OUT:", "slower than it may be");
    }
}

/* R5: the same of a driver, which may be READY in its last ticks: rootd hears it from deviced later. */
static void test_slow_driver(void)
{
    enum { MAKING_TICKS = 24 };
    struct variant variant = variant_of(&graph_file);
    put_program(&variant, "test-driver", "test-driver", STATED_TICKS);
    set_ready_ticks(&variant, "test-driver", STATED_TICKS + MAKING_TICKS);
    struct world_result result = boot(&variant);
    expect_of("test-driver", result.log, result.end == WORLD_READY);
    expect_of("test-driver", "as slow as it is",
              result.ticks >= STATED_TICKS && result.ticks <= STATED_TICKS + OTHER_TICKS);
}

static void test_ready_ticks(void)
{
    static const uint64_t ticks[] = {1, 2, BOOT_CONFIG_READY_TICKS_MAX};
    for (unsigned i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        struct variant variant = variant_of(&graph_file);
        for (uint32_t j = 0; j < variant.config.entry_count; j++)
            variant.config.entries[j].ready_ticks = ticks[i];
        encode_config(&variant);
        struct world_result result = boot(&variant);
        expect_of("any stated time", result.log, result.end == WORLD_READY);
    }
}

/* --- configs ------------------------------------------------------------------------------------ */

/* The encoder refuses these: its bytes are changed where an entry has its numbers. */
static void test_wrong_bytes(void)
{
    enum { ROLE = 0, DEPENDENCY_COUNT = 12, DEPENDENCY = 16, TICKS = 32 };
    static const struct {
        const char *what, *name, *cause;
        unsigned at;
        uint64_t value;
        unsigned bytes;
    } rows[] = {
        {"a circle", "test-service", "BAD_ORDER", DEPENDENCY, ROLE_TEST_LAST, 4},
        {"who waits for itself", "test-service", "INVALID_ARGUMENT", DEPENDENCY, ROLE_TEST_SERVICE,
         4},
        {"who waits for nobody known", "test-service", "NOT_FOUND", DEPENDENCY, 200, 4},
        {"a role that is unknown", "test-last", "INVALID_ARGUMENT", ROLE, 200, 4},
        {"no time", "test-apart", "INVALID_ARGUMENT", TICKS, 0, 8},
        {"all the time there is", "test-apart", "INVALID_ARGUMENT", TICKS, UINT64_MAX, 8},
        {"a tick too many", "test-apart", "INVALID_ARGUMENT", TICKS,
         BOOT_CONFIG_READY_TICKS_MAX + 1, 8},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char cause[64];
        struct variant variant = variant_of(&graph_file);
        struct boot_config_entry *entry = entry_of(&variant, rows[i].name);
        entry->dependency_count = rows[i].at == DEPENDENCY ? 1 : entry->dependency_count;
        entry->dependencies[0] = rows[i].at == DEPENDENCY ? ROLE_PAGERD : entry->dependencies[0];
        encode_config(&variant);
        size_t at = BOOT_CONFIG_HEADER_BYTES +
                    BOOT_CONFIG_ENTRY_BYTES * (size_t)(entry - variant.config.entries);
        memcpy(variant.config_bytes + at + rows[i].at, &rows[i].value, rows[i].bytes);
        snprintf(cause, sizeof cause, "FAILED:INTAKE:%s\n", rows[i].cause);
        struct world_result result = boot(&variant);
        expect_failure(&result, "CONTRACT_INVALID", cause, rows[i].what);
    }
}

static void test_missing(void)
{
    static const char *const lines[] = {IS_PASSED("test-apart", "MISSING_MODULE"),
                                        IS_PASSED("test-last", "MISSING_MODULE"),
                                        IS_READY("test-service"),
                                        IS_READY("test-user"),
                                        OTHERS_READY,
                                        NULL};
    struct variant variant = variant_of(&graph_file);
    remove_section(&variant, "test-apart");
    struct world_result result = boot(&variant);
    expect_failure(&result, "CONTRACT_INVALID", "FAILED:INTAKE:MISSING_MODULE", "a required one");
    make_optional(&variant, "test-apart");
    result = boot(&variant);
    expect_nothing_left(&result, "a required one that needs an optional one",
                        "FAILED:LAUNCH_SERVICE:MISSING_MODULE:test-last\n", rootd_pages);
    make_optional(&variant, "test-last");
    result = boot(&variant);
    expect_lines(&result, lines, "optional ones without a module");
    expect_running(2, "optional ones without a module");
}

int main(int count, char **arguments)
{
    (void)count;
    file_read(&graph_file, "build/boot-graph.img");
    rootd_pages = taken_by_rootd(&graph_file);
    test_ready();
    test_required();
    test_optional();
    test_driver();
    test_driver_limit();
    test_slow();
    test_slow_driver();
    test_ready_ticks();
    test_wrong_bytes();
    test_missing();
    file_free(&graph_file);
    boot_end();
    return tests_end(arguments[0]);
}
