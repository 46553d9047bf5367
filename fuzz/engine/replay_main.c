/* SPDX-License-Identifier: ISC */
/* Runs a harness as a normal program: replays its corpus against the stored digests and floors,
 * prints the trace of one input, draws random inputs. Holds no engine and judges nothing itself: an
 * input's verdict is its digest, its marks, and the properties that the harness states. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuzz/engine/corpus.h"
#include "fuzz/engine/counters.h"
#include "fuzz/engine/deferred.h"
#include "fuzz/engine/fail_each.h"
#include "fuzz/engine/marks_each.h"
#include "fuzz/engine/texts.h"
#include "fuzz/engine/watch.h"
#include "props/base/input_limits.h"
#include "props/base/rates.h"
#include "props/life/steps.h"
#include "fuzz/harness.h"

enum { RANDOM_BYTES_MAX = 4096 };

/* This program keeps what it read until it ends; libFuzzer looks for the leaks of harnesses. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "print_stacktrace=1";
}

/* The copy that is running, and the input that the ids are written into; null: they are counted. */
static struct {
    const uint8_t *copy;
    size_t size_bytes;
    unsigned inexact;
    uint8_t *target;
} naming;

/* A row was named by these bytes of the copy. */
static void on_named(const uint8_t *at, size_t width_bytes, uint64_t exact)
{
    uint8_t wanted[8];
    for (unsigned i = 0; i < sizeof wanted; i++)
        wanted[i] = (uint8_t)(exact >> (8 * i));
    bool inside = at >= naming.copy && at + width_bytes <= naming.copy + naming.size_bytes;
    bool fits = width_bytes == 8 || (width_bytes < 8 && exact >> (8 * width_bytes) == 0);
    if (!inside || !fits || memcmp(at, wanted, width_bytes) == 0)
        return;
    naming.inexact++;
    if (naming.target != NULL)
        memcpy(naming.target + (at - naming.copy), wanted, width_bytes);
}

/* Runs one input from a heap copy of exactly its size, so that ASan sees a read past its end. */
static uint64_t run(const struct input *input)
{
    uint8_t *copy = malloc(input->size_bytes == 0 ? 1 : input->size_bytes);
    if (copy == NULL)
        fail("out of memory");
    if (input->size_bytes != 0)
        memcpy(copy, input->bytes, input->size_bytes);
    naming.copy = copy;
    naming.size_bytes = input->size_bytes;
    naming.inexact = 0;
    choices_listen(on_named);
    trace_expects = input->is_trace;
    watch_begin(input);
    LLVMFuzzerTestOneInput(copy, input->size_bytes);
    watch_end();
    trace_expects = false;
    free(copy);
    return digest_value();
}

/* Of props/life/life.c, when the harness links it. */
uint64_t life_step_count(void) __attribute__((weak));

/* The same. */
__attribute__((weak)) struct rates_counts rates_counts(void);

/* Every line of a trace states something: a harness that stops before the last one checks less than
 * it seems to. */
static void check_whole_trace(const struct input *input, uint64_t steps_before)
{
    uint64_t lines = 0;
    if (!input->is_trace || life_step_count == NULL)
        return;
    for (size_t at = 0; at < input->size_bytes; lines++)
        at += step_bytes(input->bytes, input->size_bytes, at);
    if (life_step_count() - steps_before != lines)
        fail("%s: %" PRIu64 " of its %" PRIu64 " steps were taken", input->path,
             life_step_count() - steps_before, lines);
}

static void run_both_ways(struct corpus *corpus)
{
    marks_record(true);
    for (size_t i = 0; i < corpus->count; i++) {
        uint64_t before = life_step_count == NULL ? 0 : life_step_count();
        corpus->inputs[i].forward = run(&corpus->inputs[i]);
        corpus->inputs[i].inexact = corpus->inputs[i].is_trace ? 0 : naming.inexact;
        check_whole_trace(&corpus->inputs[i], before);
    }
    marks_record(false);
    for (size_t i = corpus->count; i-- > 0;)
        corpus->inputs[i].reverse = run(&corpus->inputs[i]);
}

/* Digest differences between the passes; each is printed. */
static unsigned compare_orders(const struct corpus *corpus)
{
    unsigned different = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct input *input = &corpus->inputs[i];
        if (input->forward == input->reverse)
            continue;
        printf("%s: order matters: %016" PRIx64 " forward, %016" PRIx64
               " in reverse: state leaks from one input into another\n",
               input->path, input->forward, input->reverse);
        different++;
    }
    return different;
}

/* Differences from the stored digests; each is printed. */
static unsigned compare_digests(const struct corpus *corpus)
{
    unsigned different = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct input *input = &corpus->inputs[i];
        if (input->forward != input->reverse)
            continue; /* compare_orders said so */
        if (!input->has_stored) {
            printf("%s: no stored digest; after a review: ./basalt bless %s\n", input->path,
                   harness_name);
            different++;
        } else if (input->forward != input->stored) {
            printf("%s: digest %016" PRIx64 ", stored %016" PRIx64
                   "; see ./basalt show %s; if the change is right: ./basalt bless %s\n",
                   input->path, input->forward, input->stored, input->path, harness_name);
            different++;
        }
    }
    if (corpus->gone_count != 0) {
        printf("%s/DIGESTS: %zu stored for inputs that are gone; ./basalt bless %s\n",
               corpus->folder, corpus->gone_count, harness_name);
        different++;
    }
    return different;
}

/* An input that names rows by other numbers than their ids would change with the tables (T4). */
static unsigned compare_names(const struct corpus *corpus)
{
    unsigned inexact = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        if (corpus->inputs[i].inexact == 0)
            continue;
        printf("%s: numbers that mean a row and are not its id: %u; ./basalt bless %s writes ids\n",
               corpus->inputs[i].path, corpus->inputs[i].inexact, harness_name);
        inexact++;
    }
    return inexact;
}

static unsigned compare_floors(const struct corpus *corpus)
{
    unsigned lost = 0;
    for (size_t i = 0; i < corpus->floor_count; i++) {
        if (marks_reached(corpus->floors[i]))
            continue;
        printf("%s/FLOORS: no input reaches \"%s\" any more\n", corpus->folder, corpus->floors[i]);
        lost++;
    }
    return lost;
}

struct names {
    char **names;
    size_t count;
};

static void collect(const char *name, uint64_t hash, void *context)
{
    (void)hash;
    struct names *names = context;
    names->names = realloc(names->names, (names->count + 1) * sizeof names->names[0]);
    if (names->names == NULL)
        fail("out of memory");
    names->names[names->count++] = (char *)(uintptr_t)name;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static struct names sorted_marks(void)
{
    struct names marks = {0};
    marks_visit(collect, &marks);
    if (marks.count != 0)
        qsort(marks.names, marks.count, sizeof marks.names[0], compare_texts);
    size_t kept = 0;
    for (size_t i = 0; i < marks.count; i++) /* a few share a name */
        if (kept == 0 || strcmp(marks.names[kept - 1], marks.names[i]) != 0)
            marks.names[kept++] = marks.names[i];
    marks.count = kept;
    return marks;
}

/* Marks that are no floor; each is printed. Both lists ascend, as bless wrote them. */
static unsigned compare_marks(const struct corpus *corpus)
{
    struct names marks = sorted_marks();
    unsigned loose = 0;
    for (size_t i = 0, at = 0; i < marks.count; i++) {
        while (at < corpus->floor_count && strcmp(corpus->floors[at], marks.names[i]) < 0)
            at++;
        if (at < corpus->floor_count && strcmp(corpus->floors[at], marks.names[i]) == 0)
            continue;
        printf("%s/FLOORS: no floor for \"%s\"; ./basalt bless %s\n", corpus->folder,
               marks.names[i], harness_name);
        loose++;
    }
    free(marks.names);
    return loose;
}

/* Whether the record of marks has all of them; else it says what to do. */
static bool marks_whole(void)
{
    if (marks_left_out() == 0)
        return true;
    printf("%s: more than %u marks, and none of the others is known: raise MARKS_RECORDED_MAX "
           "(props/base/marks.h)\n",
           harness_name, (unsigned)MARKS_RECORDED_MAX);
    return false;
}

/* golden: compares with DIGESTS and FLOORS too, which a command writes; without them only models,
 * properties, stated results and sanitizers judge. */
static int replay(const char *folder, bool golden)
{
    struct corpus corpus = corpus_read(folder);
    if (corpus.count == 0)
        fail("%s: no inputs", folder);
    run_both_ways(&corpus);
    unsigned different = compare_orders(&corpus) + !marks_whole();
    if (!golden) {
        printf("%s: %zu inputs both ways, %u different, %u marks, no digest or floor compared\n",
               harness_name, corpus.count, different, marks_count());
        return different == 0 ? 0 : 1;
    }
    different += compare_digests(&corpus);
    different += compare_names(&corpus);
    unsigned lost = compare_floors(&corpus);
    unsigned loose = compare_marks(&corpus);
    unsigned shared = counters_compare();
    printf("%s: %zu inputs both ways, %u different, %u marks, %zu floors, %u lost\n", harness_name,
           corpus.count, different, marks_count(), corpus.floor_count, lost);
    return different == 0 && lost == 0 && loose == 0 && shared == 0 ? 0 : 1;
}

/* Writes the ids of rows into the inputs that name them by other numbers. What they do stays. */
static void name_exactly(struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++) {
        struct input *input = &corpus->inputs[i];
        if (input->is_trace)
            continue;
        naming.target = input->bytes;
        uint64_t before = run(input);
        unsigned written = naming.inexact;
        naming.target = NULL;
        if (written == 0)
            continue;
        if (run(input) != before || naming.inexact != 0)
            fail("%s: does something else with the ids of its rows: nothing is blessed",
                 input->path);
        input_write(corpus, input);
        printf("%s: %u ids of rows written\n", input->path, written);
    }
}

/* Says what of the inputs is new or different, with the traces of new ones; how many there are. */
static unsigned show_blessed(struct corpus *corpus)
{
    unsigned changed = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        struct input *input = &corpus->inputs[i];
        if (input->forward != input->reverse)
            fail("%s: order matters: nothing is blessed", input->path);
        if (input->has_stored && input->stored == input->forward)
            continue;
        changed++;
        if (input->has_stored) {
            printf("== %s: %016" PRIx64 " -> %016" PRIx64 "\n", input->path, input->stored,
                   input->forward);
            continue;
        }
        printf("== %s: new, %016" PRIx64 "\n", input->path, input->forward);
        trace_enable(true);
        run(input);
        trace_enable(false);
    }
    return changed;
}

/* Stores digests and floors. (./basalt bless shows first what changed in inputs that were there.)
 * Floors are lost only when the caller says so: otherwise nothing is changed and the status is
 * 1. */
static int bless(const char *folder, bool may_lose)
{
    struct corpus corpus = corpus_read(folder);
    if (corpus.count == 0)
        fail("%s: no inputs", folder);
    run_both_ways(&corpus);
    if (!marks_whole())
        return 1;
    unsigned lost = compare_floors(&corpus);
    struct names marks = sorted_marks();
    size_t gained = marks.count + lost - corpus.floor_count;
    if (lost != 0 && !may_lose) {
        printf(
            "%s: nothing is blessed: %u floors lost, %zu gained; if they may go: --lose-floors\n",
            harness_name, lost, gained);
        return 1;
    }
    unsigned changed = show_blessed(&corpus);
    name_exactly(&corpus);
    corpus_write_blessing(&corpus, marks.names, marks.count);
    printf("%s: %zu inputs, %u blessed anew, %zu gone; %u floors lost, %zu gained\n", harness_name,
           corpus.count, changed, corpus.gone_count, lost, gained);
    return 0;
}

/* Part `part` of `parts` of the traces. */
static int replay_failing(const char *folder, uint64_t part, uint64_t parts)
{
    struct corpus corpus = corpus_read(folder);
    watch_keep("findings/%s-fail-each", harness_name);
    return fail_each(&corpus, part, parts, run);
}

static int replay_texts(const char *folder)
{
    struct corpus corpus = corpus_read(folder);
    return texts_replay(&corpus, run);
}

static int replay_deferred(const char *folder)
{
    struct corpus corpus = corpus_read(folder);
    return deferred_replay(&corpus, run);
}

static int show_marks(const char *folder)
{
    struct corpus corpus = corpus_read(folder);
    run_both_ways(&corpus);
    struct names marks = sorted_marks();
    for (size_t i = 0; i < marks.count; i++)
        puts(marks.names[i]);
    return marks_whole() ? 0 : 1;
}

static int show_marks_of_each(const char *folder)
{
    struct corpus corpus = corpus_read(folder);
    return marks_each(&corpus, run);
}

/* What the inputs of a folder do, for a campaign that compares builds: a line for each digest, for
 * each input whose digest depends on the others, and for each mark, and how often one that has no room
 * was reached. The first that fails ends it. */
static int check(const char *folder)
{
    struct corpus corpus = corpus_read(folder);
    run_both_ways(&corpus);
    for (size_t i = 0; i < corpus.count; i++)
        printf("digest %016" PRIx64 " %s\n", corpus.inputs[i].forward, corpus.inputs[i].name);
    unsigned different = compare_orders(&corpus);
    struct names marks = sorted_marks();
    for (size_t i = 0; i < marks.count; i++)
        printf("mark %s\n", marks.names[i]);
    if (marks_left_out() != 0)
        printf("left_out %" PRIu64 "\n", marks_left_out());
    if (life_step_count != NULL)
        printf("steps %" PRIu64 "\n", life_step_count() / 2); /* both ways */
    return different == 0 ? 0 : 1;
}

static int show_trace(const char *path)
{
    const char *name = strrchr(path, '/');
    struct input input = input_read(path, name == NULL ? path : name + 1);
    trace_enable(true);
    uint64_t digest = run(&input);
    printf("digest %016" PRIx64 "\n", digest);
    return 0;
}

static int assemble(const char *path, const char *target)
{
    struct input input = input_read(path, path);
    FILE *file = fopen(target, "wb");
    if (file == NULL || fwrite(input.bytes, 1, input.size_bytes, file) != input.size_bytes ||
        fclose(file) != 0)
        fail("%s: cannot be written", target);
    return 0;
}

/* splitmix64: the random runner's only source, so that a seed reproduces a run. */
static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static size_t random_bytes(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, void *context)
{
    (void)limit_bytes;
    for (size_t i = 0; i < size_bytes; i++)
        bytes[i] = (uint8_t)next_random(context);
    return size_bytes;
}

static size_t random_input(uint8_t *bytes, uint64_t *state)
{
    if (&harness_has_steps == NULL)
        return random_bytes(bytes,
                            next_random(state) % (RANDOM_BYTES_MAX >> next_random(state) % 8),
                            RANDOM_BYTES_MAX, state);
    size_t size_bytes = 0;
    uint64_t changes = 8 + next_random(state) % 256;
    struct steps_plan plan = {.features = STEPS_USUAL, .swarm = next_random(state)};
    if (plan.swarm % 2 == 0)
        plan.swarm = 0;
    for (uint64_t i = 0; i < changes; i++)
        size_bytes = steps_mutate(bytes, size_bytes, RANDOM_BYTES_MAX, plan, next_random(state),
                                  random_bytes, state);
    return size_bytes;
}

/* N random inputs. The digest of them all lets two builds be compared on the same seed. */
static int run_random(uint64_t count, uint64_t seed)
{
    uint8_t *bytes = malloc(RANDOM_BYTES_MAX);
    struct digest all = digest_start();
    watch_keep("findings/%s-random-%" PRIu64, harness_name, seed);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t state = seed + (i << 32);
        struct input input = {.bytes = bytes, .size_bytes = random_input(bytes, &state)};
        digest_add_u64(&all, run(&input));
    }
    free(bytes);
    printf("%s: %" PRIu64 " random inputs, seed %" PRIu64 ", digest %016" PRIx64 "\n", harness_name,
           count, seed, all.value);
    return 0;
}

/* Replays the folder, as an engine would, for about `seconds` of this process's own time, or once when
 * that is 0, and prints executions per second. The clock is this program's, never the harness's; it
 * is read after whole passes of some inputs, since reading it costs as much as a small one. */
static int bench(const char *folder, double seconds)
{
    enum { INPUTS_BETWEEN = 128, TIMES_SLOWER = 50 };
    watch_allow(INPUT_SECONDS_MAX * TIMES_SLOWER); /* valgrind counts what it does */
    oracle_defer(ORACLE_STRIDE);
    struct corpus corpus = corpus_read(folder);
    struct timespec start;
    struct timespec now;
    uint64_t runs = 0;
    double passed;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    do {
        uint64_t before = runs;
        do {
            for (size_t i = 0; i < corpus.count; i++)
                run(&corpus.inputs[i]);
            runs += corpus.count;
        } while (seconds > 0 && corpus.count != 0 && runs - before < INPUTS_BETWEEN);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        passed = (double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9;
    } while (corpus.count != 0 && passed < seconds);
    printf("%s: %" PRIu64 " runs in %.3f s of CPU time, %.0f per second\n", harness_name, runs,
           passed, (double)runs / passed);
    if (life_step_count != NULL)
        printf("%s: %.0f steps per second\n", harness_name, (double)life_step_count() / passed);
    struct rates_counts counts = {0};
    if (rates_counts != NULL)
        counts = rates_counts();
    if (counts.given != 0)
        printf("%s: %.0f messages per second, %.0f with calls\n", harness_name,
               (double)counts.given / passed, (double)(counts.given + counts.called) / passed);
    return 0;
}

static int usage(const char *program)
{
    fprintf(stderr,
            "usage: %s --replay FOLDER [--no-golden] | --bless FOLDER [--lose-floors] |\n"
            "       --deferred FOLDER | --texts FOLDER | --fail-each FOLDER [PART PARTS] |\n"
            "       --marks FOLDER | --marks-each FOLDER | --check FOLDER | --trace FILE | "
            "--assemble FILE.trace OUTPUT | "
            "--random COUNT SEED |\n"
            "       --bench FOLDER SECONDS\n",
            program);
    return 2;
}

static bool is(const char *argument, const char *name)
{
    return strcmp(argument, name) == 0;
}

int main(int argc, char **argv)
{
    watch_for_death();
    memory_limit_hold();
    if (argc == 3 && is(argv[1], "--replay"))
        return replay(argv[2], true);
    if (argc == 4 && is(argv[1], "--replay") && is(argv[3], "--no-golden"))
        return replay(argv[2], false);
    if (argc == 3 && is(argv[1], "--bless"))
        return bless(argv[2], false);
    if (argc == 4 && is(argv[1], "--bless") && is(argv[3], "--lose-floors"))
        return bless(argv[2], true);
    if (argc == 3 && is(argv[1], "--check"))
        return check(argv[2]);
    if (argc == 3 && is(argv[1], "--texts"))
        return replay_texts(argv[2]);
    if (argc == 3 && is(argv[1], "--fail-each"))
        return replay_failing(argv[2], 0, 1);
    if (argc == 5 && is(argv[1], "--fail-each"))
        return replay_failing(argv[2], strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
    if (argc == 3 && is(argv[1], "--deferred"))
        return replay_deferred(argv[2]);
    if (argc == 3 && is(argv[1], "--marks"))
        return show_marks(argv[2]);
    if (argc == 3 && is(argv[1], "--marks-each"))
        return show_marks_of_each(argv[2]);
    if (argc == 3 && is(argv[1], "--trace"))
        return show_trace(argv[2]);
    if (argc == 4 && is(argv[1], "--assemble"))
        return assemble(argv[2], argv[3]);
    if (argc == 4 && is(argv[1], "--random"))
        return run_random(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
    if (argc == 4 && is(argv[1], "--bench"))
        return bench(argv[2], strtod(argv[3], NULL));
    return usage(argv[0]);
}
