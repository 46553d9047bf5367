/* SPDX-License-Identifier: ISC */
/* `world`: boots an image in the host world, prints its serial log and the event digest. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/host/host.h"
#include "props/world/file.h"
#include "props/world/operations.h"
#include "props/world/world.h"

enum { EXIT_READY = 0, EXIT_NOT_READY = 1, EXIT_USAGE = 2, EXIT_PANIC = 3, EXIT_TIME_OUT = 4 };

static void panic(const char *what, const char *file, int line)
{
    printf("%s", host_log(NULL));
    printf("BASALT_WORLD:PANIC:%s (%s:%d)\n", what, file, line);
    fflush(stdout);
    _Exit(EXIT_PANIC);
}

static int usage(const char *problem)
{
    fprintf(
        stderr,
        "world: %s; use: world [--events FILE|-] [--operations FILE] [--memory MIB] [--repeat N] "
        "IMAGE\n",
        problem);
    return EXIT_USAGE;
}

/* Says how the run ended; the exit code. */
static int report(const struct world_result *result)
{
    printf("%s", result->log);
    if (result->end == WORLD_REFUSED)
        return EXIT_NOT_READY;
    printf("BASALT_WORLD:EVENTS:%llu:DIGEST:%016llx\n", (unsigned long long)result->event_count,
           (unsigned long long)result->event_digest);
    switch (result->end) {
    case WORLD_READY:
        return EXIT_READY;
    case WORLD_STUCK:
        printf("BASALT_WORLD:STUCK:%llu ticks\n", (unsigned long long)result->ticks);
        return EXIT_TIME_OUT;
    case WORLD_DIVERGED:
        printf("BASALT_WORLD:DIVERGED:after input %zu\n", result->inputs_used);
        return EXIT_NOT_READY;
    case WORLD_FAILED:
    case WORLD_REFUSED:
        break;
    }
    printf("BASALT_WORLD:HALTED:%u\n", result->halt_code);
    return EXIT_NOT_READY;
}

/* --- comparing with a record of the metal ---------------------------------------------------- */

/* Prints the first line in which the two texts differ, with the line before it; false when there is
 * none. */
static bool difference_print(const char *metal, const char *world)
{
    const char *before = "";
    int before_bytes = 0;
    for (unsigned long line = 1;; line++) {
        int metal_bytes = (int)strcspn(metal, "\n");
        int world_bytes = (int)strcspn(world, "\n");
        if (metal_bytes == 0 && world_bytes == 0)
            return false;
        if (metal_bytes != world_bytes || memcmp(metal, world, (size_t)metal_bytes) != 0) {
            printf("BASALT_COMPARE:DIFFERENT:event %lu\n  before  %.*s\n  metal   %.*s\n"
                   "  world   %.*s\n",
                   line, before_bytes, before, metal_bytes, metal, world_bytes, world);
            return true;
        }
        before = metal;
        before_bytes = metal_bytes;
        metal += metal_bytes + (metal[metal_bytes] == '\n');
        world += world_bytes + (world[world_bytes] == '\n');
    }
}

/* Feeds the record's inputs (or those of a file) to a run of the world, and compares the events. */
static int compare(struct world_options *options, const char *record_path, const char *inputs_path,
                   const char *write_path)
{
    char *metal_text = NULL, *world_text = NULL;
    size_t metal_bytes, world_bytes, record_bytes;
    struct events metal;
    struct inputs recorded, edited = {0};
    uint8_t *record = file_read(record_path, &record_bytes);
    if (record == NULL)
        return usage("cannot read the record");
    FILE *metal_file = open_memstream(&metal_text, &metal_bytes);
    FILE *world_file = open_memstream(&world_text, &world_bytes);
    if (metal_file == NULL || world_file == NULL)
        abort();
    events_start(&metal, metal_file);
    bool readable = record_read(record, record_bytes, &metal, &recorded);
    FILE *edited_file = inputs_path == NULL ? NULL : fopen(inputs_path, "r");
    if (inputs_path != NULL)
        readable = readable && edited_file != NULL && inputs_read(edited_file, &edited);
    FILE *written = write_path == NULL ? NULL : fopen(write_path, "w");
    if (written != NULL) {
        inputs_write(&recorded, written);
        fclose(written);
    }
    int code = EXIT_USAGE;
    if (readable) {
        options->inputs = inputs_path == NULL ? &recorded : &edited;
        options->events = world_file;
        struct world_result result = world_run(options);
        fflush(metal_file);
        fflush(world_file);
        code = report(&result);
        printf("BASALT_COMPARE:METAL:EVENTS:%llu:DIGEST:%016llx\n", (unsigned long long)metal.count,
               (unsigned long long)metal.digest.value);
        if (difference_print(metal_text, world_text) || metal.digest.value != result.event_digest)
            code = EXIT_NOT_READY;
        else
            printf("BASALT_COMPARE:EQUAL:%zu inputs\n", options->inputs->count);
    }
    if (edited_file != NULL)
        fclose(edited_file);
    fclose(metal_file);
    fclose(world_file);
    free(metal_text);
    free(world_text);
    free(record);
    inputs_release(&recorded);
    inputs_release(&edited);
    return code;
}

/* --- running ---------------------------------------------------------------------------------- */

static int run(const struct world_options *options, long repeat)
{
    struct world_result result = world_run(options);
    uint64_t digest = result.event_digest;
    for (long i = 1; i < repeat; i++) {
        result = world_run(options);
        if (result.event_digest != digest) {
            printf("BASALT_WORLD:NOT_DETERMINISTIC:run %ld\n", i + 1);
            return EXIT_NOT_READY;
        }
    }
    return report(&result);
}

struct arguments {
    struct world_options options;
    long repeat;
    const char *operations_path; /* null: nor how often each operation was accepted and refused */
    const char *events_path;     /* null: no events are written; "-": to standard output */
    const char *compare_path;
    const char *inputs_path;
    const char *write_path;
};

static int arguments_read(int argc, char **argv, struct arguments *arguments)
{
    static const struct option table[] = {{"events", required_argument, NULL, 'e'},
                                          {"operations", required_argument, NULL, 'o'},
                                          {"memory", required_argument, NULL, 'm'},
                                          {"repeat", required_argument, NULL, 'r'},
                                          {"compare", required_argument, NULL, 'c'},
                                          {"inputs", required_argument, NULL, 'i'},
                                          {"write-inputs", required_argument, NULL, 'w'},
                                          {0}};
    *arguments = (struct arguments){.repeat = 1};
    for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        if (c == 'e') {
            arguments->events_path = optarg;
        } else if (c == 'o') {
            arguments->operations_path = optarg;
        } else if (c == 'm') {
            arguments->options.memory_bytes = strtoul(optarg, NULL, 10) << 20;
        } else if (c == 'r') {
            arguments->repeat = strtol(optarg, NULL, 10);
        } else if (c == 'c') {
            arguments->compare_path = optarg;
        } else if (c == 'i') {
            arguments->inputs_path = optarg;
        } else if (c == 'w') {
            arguments->write_path = optarg;
        } else {
            return usage("unknown option");
        }
    }
    if (optind + 1 != argc || arguments->repeat < 1)
        return usage("one image is needed");
    if (arguments->compare_path == NULL &&
        (arguments->inputs_path != NULL || arguments->write_path != NULL))
        return usage("inputs belong to a record: use --compare");
    return EXIT_READY;
}

/* Opened only when all arguments are right: a forgotten one must not empty a file. */
static bool events_open(struct world_options *options, const char *path)
{
    if (path != NULL)
        options->events = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    return path == NULL || options->events != NULL;
}

/* After the run. */
static int operations_write(const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return usage("cannot write the file of operations");
    operations_print(file);
    return fclose(file) == 0 ? EXIT_READY : usage("cannot write the file of operations");
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    int code = arguments_read(argc, argv, &arguments);
    if (code != EXIT_READY)
        return code;
    struct world_options *options = &arguments.options;
    void *image = file_read(argv[optind], &options->image_bytes);
    if (image == NULL)
        return usage("cannot read the image");
    size_t memory_bytes =
        options->memory_bytes != 0 ? options->memory_bytes : WORLD_MEMORY_BYTES_DEFAULT;
    if (options->image_bytes > memory_bytes / 2) {
        free(image);
        return usage("the image is larger than half of the memory");
    }
    options->image = image;
    if (!events_open(options, arguments.events_path)) {
        free(image);
        return usage("cannot write the event file");
    }
    host_on_panic(panic);
    code = arguments.compare_path == NULL ? run(options, arguments.repeat)
                                          : compare(options, arguments.compare_path,
                                                    arguments.inputs_path, arguments.write_path);
    if (arguments.operations_path != NULL && code == EXIT_READY)
        code = operations_write(arguments.operations_path);
    world_release();
    free(image);
    return code;
}
