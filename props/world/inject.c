/* SPDX-License-Identifier: ISC */
/* `inject`: boots an image in the host world again and again, and each time one call of one program
 * fails: the first, then the next, to the last. After each the boot must have ended in one of the
 * stated ways, in bounded virtual time, and everything must have been given back. Prints one line
 * for each call after which that is not so. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "abi/messages/kernel.h"
#include "abi/messages/memd.h"
#include "kernel/host/host.h"
#include "props/world/audit.h"
#include "props/world/books.h"
#include "props/world/file.h"
#include "props/world/world.h"

enum { EXIT_NONE_FOUND = 0, EXIT_FOUND = 1, EXIT_USAGE = 2, EXIT_BROKE = 3 };
enum { RUN_SECONDS = 60 }; /* of this process's own time, that one boot may take */
/* A client that is late has so many times so long: more than a call of loaderd's may take. */
enum { CLIENT_TRIES = 6, CLIENT_TICKS = 30 * TICKS_PER_SECOND };

struct arguments {
    struct world_options options;
    const char *program;
    enum fate fate;
    enum status status;
    unsigned long first, last, stride;
    bool audit;         /* no tester says at READY that everything is back: the audit does */
    const char *client; /* so do the books when this program has ended; null: they are not asked */
    bool log;           /* print the log of each run */
};

static struct arguments arguments = {.last = UINT32_MAX, .stride = 1};
static struct injection injection;
static uint32_t rootd_pages; /* of the launch pool, that rootd takes before it launches anything */
static unsigned long run_count, ready_count, finding_count;

/* Of the client's end. */
static struct {
    struct books before; /* of a boot in which nothing fails */
    struct books now;
    unsigned looks;    /* so far */
    unsigned patience; /* times that it is waited for */
    bool hangs;        /* it does not end */
    char complaint[128];
} settled;

/* --- one line for each finding --------------------------------------------------------------- */

static void finding_print(const char *complaint)
{
    const struct operation *operation = injection.operation;
    printf("finding %s %s %s %lu %s.%s: %s\n", arguments.program, fate_name(arguments.fate),
           arguments.fate == FATE_REFUSED ? status_name(arguments.status) : "-",
           (unsigned long)injection.happened_at, operation == NULL ? "no" : operation->service_name,
           operation == NULL ? "call" : operation->name, complaint);
    fflush(stdout);
}

static void panic(const char *what, const char *file, int line)
{
    char complaint[256];
    snprintf(complaint, sizeof complaint, "the kernel panicked: %s (%s:%d)", what, file, line);
    finding_print(complaint);
    _exit(EXIT_BROKE);
}

/* A failed assertion of a unit, or a run that does not come back. Nothing is safe here but to say
 * so: the program ends. */
static void broke(int signal_number)
{
    finding_print(signal_number == SIGPROF ? "the boot does not come back"
                                           : "an assertion does not hold");
    _exit(EXIT_BROKE);
}

/* --- what a run must have come to --------------------------------------------------------------- */

/* Pages that are out of the launch pool. */
static uint32_t taken_pages(void)
{
    const struct untyped *pool = &world_kernel()->untypeds[1];
    return pool->total_pages - kernel_untyped_available(pool);
}

static bool logged(const struct world_result *result, const char *text)
{
    return strstr(result->log, text) != NULL;
}

/* What failed was a line of the log or the question that a line answers: its absence says
 * nothing. */
static bool is_unsaid(void)
{
    uint16_t id = injection.operation->id;
    return id == OP_KERNEL_LOG_WRITE ||
           (id == OP_MEMD_QUERY_MEMORY && strcmp(arguments.program, "tester") == 0);
}

/* Whether nobody could end what is left but the end of the machine itself, which rootd's EXIT is:
 * procd, who ends processes, hangs or is dead; or rootd's own last drops were refused, or it was READY,
 * and it holds nothing any more that it could do it with (services/rootd/teardown.h); its line that
 * says so may be the call that fails. */
static bool is_left_to_the_end(const struct world_result *result)
{
    bool procd = injection.operation->service == SERVICE_PROCD;
    return (procd && (arguments.fate == FATE_UNHEARD || arguments.fate == FATE_KILLS)) ||
           logged(result, "FAILED:RUN:") ||
           (strcmp(arguments.program, "rootd") == 0 &&
            (logged(result, "FAILED:SHED:") || injection.operation->id == OP_KERNEL_LOG_WRITE));
}

/* --- what the client must have left ----------------------------------------------------------- */

/* Who hangs since the injected call. */
static const char *hung(void)
{
    return arguments.fate == FATE_UNHEARD ? injection.victim : NULL;
}

static const char *books_judge(void)
{
    const char *found = books_left(hung());
    books_take(&settled.now);
    return found != NULL ? found
                         : books_changed(&settled.now, &settled.before, injection.victim, false);
}

/* Whether the client, which rootd has waited for in vain, may end of itself in another while. When somebody
 * hangs it may be at it for hours: each of its calls has a deadline of its own. */
static bool client_is_awaited(void)
{
    return arguments.fate != FATE_UNHEARD && settled.patience != 0 && books_has(arguments.client);
}

/* What is given back late, is: releases that were refused are offered again, a transfer that nobody goes
 * on with is dropped in half a minute, and procd waits for a peer before it takes that for dead. */
static uint64_t look(void)
{
    static const uint64_t waits[] = {TICKS_PER_SECOND, 10 * TICKS_PER_SECOND, 2 * PROCD_CALL_TICKS,
                                     0};
    settled.complaint[0] = '\0';
    if (!books_has_procd(hung()))
        return 0;
    if (client_is_awaited()) {
        settled.patience--;
        return CLIENT_TICKS;
    }
    settled.hangs |= arguments.fate != FATE_UNHEARD && books_has(arguments.client);
    uint64_t wait_ticks = waits[settled.looks++];
    if ((books_end(arguments.client) || books_end_programs()) && wait_ticks != 0)
        return wait_ticks;
    const char *found = books_judge();
    if (found == NULL)
        return 0;
    snprintf(settled.complaint, sizeof settled.complaint, "%s", found);
    return wait_ticks;
}

static uint64_t look_before(void)
{
    books_take(&settled.before);
    return settled.looks++ == 0 ? 60 * TICKS_PER_SECOND : 0;
}

/* rootd's line: the client's own ones have a name in between. */
static bool logged_end(const struct world_result *result)
{
    char line[64];
    snprintf(line, sizeof line, "ROOTD_STAGE:%s:UNEXPECTED:", arguments.client);
    bool found = logged(result, line);
    for (unsigned status = 1; status < STATUS_COUNT && !found; status++) {
        snprintf(line, sizeof line, "ROOTD_STAGE:%s:%s\n", arguments.client,
                 status_name((enum status)status));
        found = logged(result, line);
    }
    return found;
}

/* It ends, and its end and what rootd makes of it are stated. */
static const char *client_judge(const struct world_result *result)
{
    if (settled.complaint[0] != '\0')
        return settled.complaint;
    bool asks =
        strcmp(arguments.program, "rootd") != 0; /* it goes on after a good end, and fails */
    if (asks && logged(result, "FAILED:PROGRAM:") && !logged_end(result) && !is_unsaid())
        return "nobody says how the client ended";
    if (settled.hangs)
        return "the client does not end";
    if (result->end == WORLD_READY)
        return books_changed(&settled.now, &settled.before, injection.victim, true);
    return NULL;
}

/* How much of what. */
static const char *left(const char *what, uint32_t count)
{
    static char complaint[64];
    snprintf(complaint, sizeof complaint, "%s, %u", what, (unsigned)count);
    return complaint;
}

/* A boot that failed is torn down: rootd is alone, and what it launched from is whole again. */
static const char *failed_judge(const struct world_result *result)
{
    static const char *const verdicts[] = {
        "ERIX_ROOTD:HANDOFF_INVALID\n", "ERIX_ROOTD:CONTRACT_INVALID\n",
        "ERIX_ROOTD:SERVICE_BOOTSTRAP_FAILED\n", "ERIX_ROOTD:INTERNAL_ERROR\n"};
    bool stated = is_unsaid();
    for (unsigned i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        stated |= logged(result, verdicts[i]);
    if (!world_kernel()->halted || !stated)
        return "the boot ends in no stated way";
    if (is_left_to_the_end(result))
        return NULL;
    if (world_kernel()->process_count != 1)
        return left("processes are left", world_kernel()->process_count - 1);
    if (taken_pages() != rootd_pages)
        return left("pages are missing in the launch pool", taken_pages() - rootd_pages);
    return NULL;
}

/* A boot that became READY though a call of it failed is as every other one: nobody holds or reaches
 * anything else than the table states, and what a launch needed on the way has gone back (R1, R4). */
static const char *audited(void)
{
    static char complaint[256];
    memset(complaint, 0, sizeof complaint);
    FILE *out = fmemopen(complaint, sizeof complaint - 1, "w");
    unsigned findings = audit_findings(out);
    fclose(out);
    complaint[strcspn(complaint, "\n")] = '\0';
    return findings == 0 ? NULL : complaint;
}

static const char *ready_judge(const struct world_result *result)
{
    if (arguments.audit || arguments.client != NULL)
        return audited();
    return logged(result, "RESOURCES_BACK\n") || is_unsaid()
               ? NULL
               : "READY, but nobody says that the resources are back";
}

/* READY is the only line of a boot without tests, and it is the one that failed: the system goes on,
 * until the world has seen enough of it. */
static bool is_ready_unsaid(const struct world_result *result)
{
    return arguments.audit && result->log[0] == '\0' && is_unsaid() && !world_kernel()->halted;
}

static const char *judge(const struct world_result *result)
{
    bool unsaid = is_ready_unsaid(result);
    if (result->end == WORLD_STUCK && !unsaid)
        return "the boot does not end";
    const char *broken = kernel_check(world_kernel());
    if (broken != NULL)
        return broken;
    if (unsaid)
        return audited();
    if (logged(result, "RESOURCES_LEFT") && !is_left_to_the_end(result))
        return "memd's book is not what it was";
    const char *client = arguments.client != NULL ? client_judge(result) : NULL;
    if (client != NULL)
        return client;
    if (result->end == WORLD_FAILED)
        return failed_judge(result);
    return result->end == WORLD_READY ? ready_judge(result) : "the boot ends in no known way";
}

/* --- running ---------------------------------------------------------------------------------- */

static void allow_seconds(unsigned seconds)
{
    struct itimerval own = {.it_value.tv_sec = seconds};
    setitimer(ITIMER_PROF, &own, NULL);
}

/* *number: of the call that failed. False when there is no such call any more. */
static bool run(unsigned long *number)
{
    injection = (struct injection){.program = arguments.program,
                                   .number = *number,
                                   .fate = arguments.fate,
                                   .status = arguments.status};
    arguments.options.injection = &injection;
    settled.looks = 0;
    settled.patience = CLIENT_TRIES;
    settled.hangs = false;
    settled.complaint[0] = '\0';
    allow_seconds(RUN_SECONDS);
    struct world_result result = world_run(&arguments.options);
    allow_seconds(0);
    *number = (unsigned long)injection.happened_at;
    if (injection.operation == NULL || *number > arguments.last)
        return false;
    if (arguments.log)
        printf("%s", result.log);
    const char *complaint = judge(&result);
    run_count++;
    ready_count += complaint == NULL && result.end == WORLD_READY;
    finding_count += complaint != NULL;
    if (complaint != NULL)
        finding_print(complaint);
    return true;
}

/* rootd's first question of the kernel is refused: nothing was launched. */
static void look_at_pool(void)
{
    struct injection none = {.program = "rootd", .fate = FATE_REFUSED, .status = STATUS_INTERNAL};
    arguments.options.injection = &none;
    (void)world_run(&arguments.options);
    rootd_pages = taken_pages();
}

/* Nothing fails. */
static void look_at_books(void)
{
    struct world_pause pause = {arguments.client, look_before};
    arguments.options.injection = NULL;
    arguments.options.pause = &pause;
    (void)world_run(&arguments.options);
    arguments.options.pause = NULL;
}

static int run_all(void)
{
    struct world_pause pause = {arguments.client, look};
    host_on_panic(panic);
    signal(SIGPROF, broke);
    signal(SIGABRT, broke);
    look_at_pool();
    if (arguments.client != NULL) {
        look_at_books();
        arguments.options.pause = &pause;
    }
    unsigned long number = arguments.first;
    while (number <= arguments.last && run(&number))
        number += arguments.stride;
    printf("%s %s %s: %lu injections, %lu boots went on to READY, %lu findings\n",
           arguments.program, fate_name(arguments.fate),
           arguments.fate == FATE_REFUSED ? status_name(arguments.status) : "-", run_count,
           ready_count, finding_count);
    return finding_count == 0 ? EXIT_NONE_FOUND : EXIT_FOUND;
}

/* --- arguments ---------------------------------------------------------------------------------- */

static int usage(const char *problem)
{
    fprintf(stderr,
            "inject: %s; use: inject --program NAME --fate NAME [--status NAME] [--first K] "
            "[--last K] [--stride N] [--audit | --client NAME] [--log] IMAGE\n",
            problem);
    return EXIT_USAGE;
}

static bool fate_read(const char *name)
{
    for (enum fate fate = FATE_REFUSED; fate < FATE_COUNT; fate++) {
        if (strcmp(fate_name(fate), name) == 0)
            arguments.fate = fate;
    }
    return arguments.fate != FATE_MADE;
}

static bool status_read(const char *name)
{
    for (unsigned status = 1; status < STATUS_COUNT; status++) {
        if (strcmp(status_name((enum status)status), name) == 0)
            arguments.status = (enum status)status;
    }
    return arguments.status != STATUS_OK;
}

static int arguments_read(int argc, char **argv)
{
    static const struct option table[] = {
        {"program", required_argument, NULL, 'p'}, {"fate", required_argument, NULL, 'f'},
        {"status", required_argument, NULL, 's'},  {"first", required_argument, NULL, 'a'},
        {"last", required_argument, NULL, 'z'},    {"stride", required_argument, NULL, 'n'},
        {"audit", no_argument, NULL, 'u'},         {"client", required_argument, NULL, 'c'},
        {"log", no_argument, NULL, 'l'},           {0}};
    for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        if (c == 'p')
            arguments.program = optarg;
        else if (c == 'f' && !fate_read(optarg))
            return usage("no such fate");
        else if (c == 's' && !status_read(optarg))
            return usage("no such status");
        else if (c == 'a')
            arguments.first = strtoul(optarg, NULL, 10);
        else if (c == 'z')
            arguments.last = strtoul(optarg, NULL, 10);
        else if (c == 'n')
            arguments.stride = strtoul(optarg, NULL, 10);
        else if (c == 'u')
            arguments.audit = true;
        else if (c == 'c')
            arguments.client = optarg;
        else if (c == 'l')
            arguments.log = true;
        else if (c == '?')
            return usage("unknown option");
    }
    if (arguments.program == NULL || arguments.fate == FATE_MADE || arguments.stride == 0)
        return usage("a program, a fate and a stride above 0 are needed");
    if ((arguments.fate == FATE_REFUSED) != (arguments.status != STATUS_OK))
        return usage("a refusal, and nothing else, has a status");
    return optind + 1 == argc ? EXIT_NONE_FOUND : usage("one image is needed");
}

int main(int argc, char **argv)
{
    int code = arguments_read(argc, argv);
    if (code != EXIT_NONE_FOUND)
        return code;
    void *image = file_read(argv[optind], &arguments.options.image_bytes);
    if (image == NULL)
        return usage("cannot read the image");
    arguments.options.image = image;
    code = run_all();
    world_release();
    free(image);
    return code;
}
