/* SPDX-License-Identifier: ISC */
/* The boot image builder as a program: its exit codes, what it packs, and that the same arguments
 * give the same bytes. Runs the builder that lies next to this program. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/formats/boot_config.h"
#include "abi/formats/boot_image.h"
#include "abi/formats/elf_plan.h"
#include "abi/roles.h"
#include "props/tests/formats/formats_test.h"

enum { IMAGE_BYTES_MAX = 1 << 20 };

static const char runtime_modules[] =
    "rootd=a.elf memd=a.elf vspaced=a.elf pagerd=a.elf procd=a.elf";
static const char phase0_modules[] =
    "phase0-probe=a.elf phase0-exit=a.elf phase0-fault-kill=a.elf phase0-isolation-a=a.elf "
    "phase0-isolation-b=a.elf phase0-stock=a.elf tester=a.elf";

/* Runs the builder in the folder; its exit code, or -1. */
static int run(const char *folder, const char *arguments, const char *more)
{
    char self[PATH_MAX] = "";
    char command[2 * PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *name = length > 0 ? strrchr(self, '/') : NULL;
    if (name == NULL)
        return -1;
    *name = 0;
    snprintf(command, sizeof command, "cd '%s' && '%s/boot_image' %s %s >/dev/null 2>&1", folder,
             self, arguments, more);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static size_t read_image(const char *folder, const char *name, uint8_t *bytes)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    size_t size_bytes = fread(bytes, 1, IMAGE_BYTES_MAX, file);
    fclose(file);
    remove(path);
    return size_bytes;
}

static void expect_exit(const char *folder, const char *what, int expected, const char *arguments,
                        const char *more)
{
    uint8_t byte[1];
    char path[PATH_MAX];
    int code = run(folder, arguments, more);
    snprintf(path, sizeof path, "%s/out.img", folder);
    if (code != expected)
        printf("       exit %d expected, %d found\n", expected, code);
    expect_of("builder", what, code == expected);
    FILE *left = fopen(path, "rb");
    expect_of("builder", "  leaves no image", left == NULL || fread(byte, 1, 1, left) == 0);
    if (left != NULL)
        fclose(left);
    remove(path);
}

static void test_refusals(const char *folder)
{
    expect_exit(folder, "no arguments", 2, "", "");
    expect_exit(folder, "no output", 2, runtime_modules, "");
    expect_exit(folder, "an unknown option", 2, "--output out.img --strip yes", runtime_modules);
    expect_exit(folder, "an option without its value", 2, runtime_modules, "--output");
    expect_exit(folder, "an unknown profile", 2, "--output out.img --profile phase9",
                runtime_modules);
    expect_exit(folder, "no path", 2, "--output out.img rootd=", "");
    expect_exit(folder, "no module name", 2, "--output out.img Rootd=a.elf", "");
    expect_exit(folder, "a module twice", 2, "--output out.img rootd=a.elf", runtime_modules);
    expect_exit(folder, "config and no config", 2, "--output out.img --no-config --config a.c",
                "rootd=a.elf");
    expect_exit(folder, "a missing file", 1, "--output out.img --no-config", "rootd=b.elf");
    expect_exit(folder, "no ELF file", 1, "--output out.img --no-config", "rootd=a.c");
    expect_exit(folder, "a position-independent file", 1, "--output out.img --no-config",
                "rootd=pie.elf");
    expect_exit(folder, "a foundation that is not whole", 1, "--output out.img",
                "rootd=a.elf memd=a.elf vspaced=a.elf procd=a.elf");
    expect_exit(folder, "a service without the one that it needs", 1,
                "--output out.img --profile graph test-user=a.elf", runtime_modules);
    expect_exit(folder, "a probe in the runtime image", 1, "--output out.img phase0-exit=a.elf",
                runtime_modules);
    expect_exit(folder, "the tester in the runtime image", 1, "--output out.img tester=a.elf",
                runtime_modules);
    expect_exit(folder, "a module without a role", 1, "--output out.img stranger=a.elf",
                runtime_modules);
    expect_exit(folder, "a limit above the role's", 2,
                "--output out.img --profile graph --limit test-mapper=193 test-mapper=a.elf",
                runtime_modules);
    expect_exit(folder, "a limit of no pages", 2, "--output out.img --limit named=0",
                runtime_modules);
    expect_exit(folder, "a limit that is no number", 2, "--output out.img --limit named=9x",
                runtime_modules);
    expect_exit(folder, "a limit of a stranger", 2, "--output out.img --limit stranger=9",
                runtime_modules);
    expect_exit(folder, "a limit of the foundation", 2, "--output out.img --limit memd=9",
                runtime_modules);
    expect_exit(folder, "a limit above a driver's", 2, "--output out.img --limit drv-serial=193",
                runtime_modules);
    expect_exit(folder, "a limit twice", 2, "--output out.img --limit logd=9 --limit logd=9",
                runtime_modules);
    expect_exit(folder, "a limit of a module that is not given", 1,
                "--output out.img --limit logd=9", runtime_modules);
    expect_exit(folder, "a limit of kernel memory above the role's", 2,
                "--output out.img --limit logd=budget:65", runtime_modules);
    expect_exit(folder, "a limit of kernel memory below that of a process", 2,
                "--output out.img --limit logd=9,budget:15", runtime_modules);
    expect_exit(folder, "processes below who makes none", 2,
                "--output out.img --limit logd=children:1", runtime_modules);
    expect_exit(folder, "processes below deviced above the role's", 2,
                "--output out.img --limit deviced=children:65", runtime_modules);
    expect_exit(folder, "their memory above the role's", 2,
                "--output out.img --limit deviced=child-pages:16385", runtime_modules);
    expect_exit(folder, "two limits of a kind", 2, "--output out.img --limit logd=9,8",
                runtime_modules);
    expect_exit(folder, "a limit of another kind", 2, "--output out.img --limit logd=slots:9",
                runtime_modules);
    expect_exit(folder, "nothing behind a comma", 2, "--output out.img --limit logd=9,",
                runtime_modules);
    expect_exit(folder, "an output that cannot be written", 1, "--output missing/out.img",
                runtime_modules);
}

/* Every executable of the image plans, and beyond its segments it is zero (G4). */
static bool executables_are_packed(const struct boot_image *image, const uint8_t *bytes)
{
    for (uint32_t i = 0; i < image->section_count; i++) {
        const struct boot_section *section = &image->sections[i];
        const uint8_t *file = bytes + section->offset_bytes;
        struct elf_plan plan;
        if (section->kind != BOOT_SECTION_EXECUTABLE)
            continue;
        if (elf_plan_parse(file, ELF_VIEW_BYTES, section->size_bytes, &plan) != STATUS_OK)
            return false;
        for (uint32_t j = 0; j < plan.segment_count; j++) {
            uint64_t end = plan.segments[j].file_offset + plan.segments[j].file_bytes;
            uint64_t tail = (PAGE_BYTES - end % PAGE_BYTES) % PAGE_BYTES;
            if (!all_zero(file + end, (size_t)tail))
                return false;
        }
    }
    return true;
}

static void test_packed(const char *folder, uint32_t profile, const char *arguments,
                        const char *more, uint32_t roles)
{
    static uint8_t first[IMAGE_BYTES_MAX];
    static uint8_t second[IMAGE_BYTES_MAX];
    static struct boot_image image;
    static struct boot_config config;
    expect_of("builder", profile == 0 ? "the runtime image" : "the phase-0 image",
              run(folder, arguments, more) == 0);
    size_t size_bytes = read_image(folder, "out.img", first);
    expect_of("builder", "  again",
              run(folder, arguments, more) == 0 &&
                  read_image(folder, "out.img", second) == size_bytes &&
                  memcmp(first, second, size_bytes) == 0);
    test_status("builder", "  opens", STATUS_OK, boot_image_open(first, size_bytes, &image));
    int at = boot_image_find(&image, BOOT_CONFIG_MODULE_NAME);
    enum status status = STATUS_NOT_FOUND;
    if (at >= 0)
        status = boot_config_parse(first + image.sections[at].offset_bytes,
                                   (size_t)image.sections[at].size_bytes, &config);
    test_status("builder", "  holds a config", STATUS_OK, status);
    bool all_there = config.entry_count == roles && config.validation_profile == profile &&
                     boot_image_find(&image, "rootd") >= 0 &&
                     boot_config_find(&config, ROLE_ROOTD) < 0;
    for (uint32_t i = 0; i < config.entry_count; i++)
        all_there = all_there && boot_image_find(&image, config.entries[i].module) >= 0;
    expect_of("builder", "  with every role's module", all_there);
    expect_of("builder", "  and nothing besides the segments (G4)",
              executables_are_packed(&image, first));
}

void test_builder(const char *folder)
{
    char phase0[512];
    snprintf(phase0, sizeof phase0, "%s %s", runtime_modules, phase0_modules);
    test_packed(folder, VALIDATION_PROFILE_NONE, "--output out.img", runtime_modules, 4);
    test_packed(folder, VALIDATION_PROFILE_PHASE0, "--output out.img --profile phase0", phase0, 11);
    test_refusals(folder);
}
