/* SPDX-License-Identifier: ISC */
/* `world`: boots an image in the host world, prints its serial log and the event digest. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/host/host.h"
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
    fprintf(stderr, "world: %s; use: world [--events FILE|-] [--memory MIB] [--repeat N] IMAGE\n",
            problem);
    return EXIT_USAGE;
}

static void *file_read(const char *path, size_t *size_bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *bytes = NULL;
    size_t size = 0, room = 0;
    do {
        if (size == room) {
            room = room == 0 ? 1 << 20 : 2 * room;
            bytes = realloc(bytes, room);
            if (bytes == NULL)
                abort();
        }
        size += fread(bytes + size, 1, room - size, file);
    } while (size == room);
    fclose(file);
    *size_bytes = size;
    return bytes;
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
    case WORLD_FAILED:
    case WORLD_REFUSED:
        break;
    }
    printf("BASALT_WORLD:HALTED:%u\n", result->halt_code);
    return EXIT_NOT_READY;
}

int main(int argc, char **argv)
{
    static const struct option table[] = {{"events", required_argument, NULL, 'e'},
                                          {"memory", required_argument, NULL, 'm'},
                                          {"repeat", required_argument, NULL, 'r'},
                                          {0}};
    struct world_options options = {0};
    long repeat = 1;
    for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        if (c == 'e') {
            options.events = strcmp(optarg, "-") == 0 ? stdout : fopen(optarg, "w");
            if (options.events == NULL)
                return usage("cannot write the event file");
        } else if (c == 'm') {
            options.memory_bytes = strtoul(optarg, NULL, 10) << 20;
        } else if (c == 'r') {
            repeat = strtol(optarg, NULL, 10);
        } else {
            return usage("unknown option");
        }
    }
    if (optind + 1 != argc || repeat < 1)
        return usage("one image is needed");
    options.image = file_read(argv[optind], &options.image_bytes);
    if (options.image == NULL)
        return usage("cannot read the image");
    host_on_panic(panic);
    struct world_result result = world_run(&options);
    uint64_t digest = result.event_digest;
    for (long i = 1; i < repeat; i++) {
        result = world_run(&options);
        if (result.event_digest != digest) {
            printf("BASALT_WORLD:NOT_DETERMINISTIC:run %ld\n", i + 1);
            return EXIT_NOT_READY;
        }
    }
    int code = report(&result);
    world_release();
    free((void *)(uintptr_t)options.image);
    return code;
}
