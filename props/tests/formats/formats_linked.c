/* SPDX-License-Identifier: ISC */
/* The ELF load plans of files that compilers and linkers really made, compared with what readelf
 * says of each, and what cannot be loaded with the reason. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/capability.h"
#include "abi/formats/elf_plan.h"
#include "props/tests/formats/formats_test.h"

/* A program of linked/linked.ninja, and what becomes of it. */
static const struct linked {
    const char *name;
    enum status status;
} programs[] = {
    {"lld", STATUS_OK},
    {"lld-zeros", STATUS_OK},
    {"lld-code", STATUS_OK},
    {"lld-separate-code", STATUS_OK},
    {"lld-separate-segments", STATUS_OK},
    {"lld-no-rosegment", STATUS_OK},
    {"lld-page-2m", STATUS_OK},
    {"lld-stack-60000", STATUS_OK},
    {"bfd", STATUS_OK},
    {"bfd-zeros", STATUS_OK},
    {"bfd-code", STATUS_OK},
    {"bfd-noseparate-code", STATUS_OK},
    {"gcc", STATUS_OK},
    {"gcc-cf", STATUS_OK},
    {"gold-code", STATUS_OK}, /* leaves an empty segment */
    {"own", STATUS_OK},
    {"lld-nmagic", STATUS_OVERLAP},
    {"lld-omagic", STATUS_WRITE_AND_EXECUTE},
    {"lld-execstack", STATUS_WRITE_AND_EXECUTE},
    {"lld-stack-70000", STATUS_OVER_LIMIT},
    {"lld-local", STATUS_UNSUPPORTED},
    {"lld-pie", STATUS_REQUIRE_DYNAMIC},
    {"lld-static-pie", STATUS_REQUIRE_DYNAMIC},
    {"gcc-pie", STATUS_REQUIRE_DYNAMIC},
};

/* The first bytes of a file, and its whole size. */
static struct fixture read_view(const char *path, uint64_t *file_bytes)
{
    struct fixture view = {.size_bytes = 0};
    FILE *file = fopen(path, "rb");
    *file_bytes = 0;
    if (file == NULL)
        return view;
    view.size_bytes = fread(view.bytes, 1, ELF_VIEW_BYTES, file);
    if (fseek(file, 0, SEEK_END) == 0)
        *file_bytes = (uint64_t)ftell(file);
    fclose(file);
    return view;
}

static uint16_t rights_of(const char *flags)
{
    uint16_t rights = 0;
    rights |= strchr(flags, 'R') != NULL ? RIGHT_READ : 0;
    rights |= strchr(flags, 'W') != NULL ? RIGHT_WRITE : 0;
    rights |= strchr(flags, 'E') != NULL ? RIGHT_EXECUTE : 0;
    return rights;
}

/* One LOAD line of readelf: the segment's place, rights, bytes, and the pages from the one that it
 * begins on to the one that it ends on. */
static bool segment_is(const struct elf_segment *segment, const char *line, bool *is_load)
{
    unsigned long long offset, va, file_bytes, memory_bytes;
    char flags[8] = "";
    *is_load = sscanf(line, " LOAD %llx %llx %*x %llx %llx %7[RWE ]", &offset, &va, &file_bytes,
                      &memory_bytes, flags) == 5 &&
               memory_bytes != 0;
    return *is_load && segment->va == va / PAGE_BYTES * PAGE_BYTES &&
           segment->first_bytes == va % PAGE_BYTES &&
           segment->file_offset == (file_bytes != 0 ? offset : 0) &&
           segment->file_bytes == file_bytes && segment->memory_bytes == memory_bytes &&
           segment->pages == (va + memory_bytes - 1) / PAGE_BYTES - va / PAGE_BYTES + 1 &&
           segment->rights == rights_of(flags);
}

/* Each LOAD line of readelf against the plan's next segment; the entry line against its entry; the
 * stack has the last segment where GNU_STACK has an address. */
static bool is_as_readelf_says(const struct elf_plan *plan, const char *path)
{
    char line[256];
    char command[PATH_MAX + 64];
    unsigned loads = 0;
    unsigned long long entry = 0;
    unsigned long long stack_va = 0;
    bool same = true;
    snprintf(command, sizeof command, "readelf -lW '%s' 2>/dev/null", path);
    FILE *text = popen(command, "r");
    while (text != NULL && fgets(line, sizeof line, text) != NULL) {
        bool is_load = false;
        bool equal = segment_is(&plan->segments[loads % ELF_SEGMENT_LIMIT], line, &is_load);
        (void)sscanf(line, "Entry point %llx", &entry);
        (void)sscanf(line, " GNU_STACK %*x %llx", &stack_va);
        same = same && (equal || !is_load);
        loads += is_load;
    }
    if (text != NULL)
        pclose(text);
    return same && loads != 0 && loads == plan->segment_count && entry == plan->entry &&
           plan->stack_top == (stack_va != 0 ? plan->va_end : 0);
}

/* The path of a program, from that of this one: build/<variant>/formats_test. */
static void path_of(const char *name, char path[PATH_MAX])
{
    char self[PATH_MAX] = "";
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    *path = 0;
    for (unsigned i = 0; i < 2 && length > 0; i++)
        *strrchr(self, '/') = 0;
    if (snprintf(path, PATH_MAX, "%s/linked/%s.elf", self, name) >= PATH_MAX)
        *path = 0;
}

static void test_program(const struct linked *program)
{
    char path[PATH_MAX];
    struct elf_plan plan;
    uint64_t file_bytes;
    path_of(program->name, path);
    struct fixture view = read_view(path, &file_bytes);
    test_status("ELF plan", program->name, program->status,
                elf_plan_parse(view.bytes, view.size_bytes, file_bytes, &plan));
    if (program->status == STATUS_OK)
        expect_of("ELF plan", "  as readelf says", is_as_readelf_says(&plan, path));
}

/* What the image builder's tests pack. */
static bool link_for_builder(const char *folder)
{
    static const char *const links[][2] = {{"own", "a.elf"}, {"lld-pie", "pie.elf"}};
    char target[PATH_MAX];
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        path_of(links[i][0], target);
        snprintf(path, sizeof path, "%s/%s", folder, links[i][1]);
        if (symlink(target, path) != 0)
            return false;
    }
    snprintf(path, sizeof path, "%s/a.c", folder);
    FILE *file = fopen(path, "w");
    return file != NULL && fputs("int no_program;\n", file) >= 0 && fclose(file) == 0;
}

static void remove_folder(const char *folder)
{
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    expect_of("builder", "the temporary folder goes", system(command) == 0);
}

void test_elf_linked(void)
{
    char folder[] = "/tmp/basalt-formats-XXXXXX";
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        test_program(&programs[i]);
    bool made = mkdtemp(folder) != NULL;
    expect_of("builder", "a temporary folder with its files", made && link_for_builder(folder));
    if (!made)
        return;
    test_builder(folder);
    remove_folder(folder);
}
