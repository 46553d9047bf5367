/* SPDX-License-Identifier: ISC */
/* The ELF load plans of files that compilers and linkers really made, without a linker script,
 * compared with what readelf says of each, and what cannot be loaded with the reason. What is not
 * installed here is skipped, and said so; clang, ld.lld and GNU's ld are what the checks themselves
 * need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/capability.h"
#include "abi/formats/elf_plan.h"
#include "props/tests/formats/formats_test.h"

/* Code, constants, pointers to them (read-only after relocation), variables, zeros. */
static const char all_source[] =
    "static const char constants[5000] = \"hello\"; static volatile int data[300] = {1};\n"
    "static volatile int zeros[5000]; const char *const volatile pointers[700] = {constants};\n"
    "void _start(void) { for (;;) data[1] = pointers[2][3] + zeros[4]; }\n";
static const char zeros_source[] =
    "static volatile char zeros[100000];\n"
    "void _start(void) { for (int i = 0;; i++) zeros[i % 100000] = 1; }\n";
static const char code_source[] = "void _start(void) { for (;;) { } }\n";
static const char local_source[] =
    "__thread volatile int local = 3; void _start(void) { for (;;) local++; }\n";
static const char own_source[] = "#include <stddef.h>\nvoid _start(void) { for (;;) { } }\n"
                                 "char stack[65536] __attribute__((section(\".stack\")));\n";

/* As the scripts of linker/ do it: the last segment is the stack. */
static const char own_script[] =
    "ENTRY(_start)\n"
    "PHDRS { text PT_LOAD FLAGS(5); stack PT_LOAD FLAGS(6); mark PT_GNU_STACK FLAGS(6); }\n"
    "SECTIONS { . = 0x400000; .text : { *(.text*) } :text\n"
    "  .stack ALIGN(4096) (NOLOAD) : { *(.stack) } :stack :mark\n"
    "  /DISCARD/ : { *(.eh_frame*) *(.comment) *(.note*) } }\n";

static const struct source {
    const char *name;
    const char *text;
} sources[] = {{"all.c", all_source},     {"zeros.c", zeros_source}, {"code.c", code_source},
               {"local.c", local_source}, {"own.c", own_source},     {"own.ld", own_script}};

/* A way to link, and what becomes of it. */
static const struct build {
    const char *command; /* with a source, and an output at the end */
    enum status status;
} builds[] = {
    {"clang-14 -O1 -fuse-ld=lld -static all.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=lld -static zeros.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=lld -static code.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=lld -static -Wl,-z,separate-code all.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=lld -static -Wl,-z,separate-loadable-segments all.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=lld -static -Wl,--no-rosegment all.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=lld -static -Wl,-z,max-page-size=0x200000 all.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=lld -static -Wl,-z,stack-size=60000 all.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=bfd -static all.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=bfd -static zeros.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=bfd -static code.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=bfd -static -Wl,-z,noseparate-code all.c", STATUS_OK},
    {"gcc -O1 -static -no-pie all.c", STATUS_OK},
    {"gcc -O1 -static -no-pie -fcf-protection=full -Wl,-z,noseparate-code all.c", STATUS_OK},
    {"gcc -O1 -static -no-pie -fuse-ld=gold code.c", STATUS_OK}, /* leaves an empty segment */
    {"clang-14 -O1 -fuse-ld=lld -static -Wl,-T,own.ld own.c", STATUS_OK},
    {"clang-14 -O1 -fuse-ld=lld -static -Wl,-n all.c", STATUS_OVERLAP},
    {"clang-14 -O1 -fuse-ld=lld -static -Wl,-N all.c", STATUS_WRITE_AND_EXECUTE},
    {"clang-14 -O1 -fuse-ld=lld -static -Wl,-z,execstack all.c", STATUS_WRITE_AND_EXECUTE},
    {"clang-14 -O1 -fuse-ld=lld -static -Wl,-z,stack-size=70000 all.c", STATUS_OVER_LIMIT},
    {"clang-14 -O1 -fuse-ld=lld -static local.c", STATUS_UNSUPPORTED},
    {"clang-14 -O1 -fuse-ld=lld -fpie -pie all.c", STATUS_REQUIRE_DYNAMIC},
    {"clang-14 -O1 -fuse-ld=lld -fpie -static-pie all.c", STATUS_REQUIRE_DYNAMIC},
    {"gcc -O1 all.c", STATUS_REQUIRE_DYNAMIC},
};

static bool write_text(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    return file != NULL && fputs(text, file) >= 0 && fclose(file) == 0;
}

/* The first bytes of a file, and its whole size. */
static struct fixture read_view(const char *folder, uint64_t *file_bytes)
{
    struct fixture view = {.size_bytes = 0};
    char path[256];
    snprintf(path, sizeof path, "%s/out.elf", folder);
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
static bool is_as_readelf_says(const struct elf_plan *plan, const char *folder)
{
    char line[256];
    char command[512];
    unsigned loads = 0;
    unsigned long long entry = 0;
    unsigned long long stack_va = 0;
    bool same = true;
    snprintf(command, sizeof command, "readelf -lW '%s/out.elf' 2>/dev/null", folder);
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

/* Whether the command, which begins with its compiler's name, can be run here at all. */
static bool is_installed(const char *command)
{
    char test[512];
    bool needs_gold = strstr(command, "gold") != NULL;
    bool needs_bfd = strstr(command, "bfd") != NULL;
    snprintf(test, sizeof test, "command -v %.*s ld.%s readelf >/dev/null",
             (int)strcspn(command, " "), command,
             needs_gold  ? "gold"
             : needs_bfd ? "bfd"
                         : "lld-14");
    return system(test) == 0;
}

static void test_build(const char *folder, const struct build *build)
{
    char command[1024];
    struct elf_plan plan;
    uint64_t file_bytes;
    if (!is_installed(build->command)) {
        printf("skipped ELF plan: %s: not installed\n", build->command);
        return;
    }
    snprintf(command, sizeof command,
             "cd '%s' && rm -f out.elf && %s -ffreestanding -nostdlib -o out.elf", folder,
             build->command);
    expect_of("ELF plan", build->command, system(command) == 0);
    struct fixture view = read_view(folder, &file_bytes);
    test_status("ELF plan", build->command, build->status,
                elf_plan_parse(view.bytes, view.size_bytes, file_bytes, &plan));
    if (build->status == STATUS_OK)
        expect_of("ELF plan", "  as readelf says", is_as_readelf_says(&plan, folder));
}

static void remove_folder(const char *folder)
{
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    expect_of("ELF plan", "the temporary folder goes", system(command) == 0);
}

/* What the image builder's tests pack. */
static bool build_for_builder(const char *folder)
{
    char command[1024];
    snprintf(
        command, sizeof command,
        "cd '%s' && cp all.c a.c && clang-14 -O1 -ffreestanding -nostdlib -fuse-ld=lld "
        "-static -Wl,-T,own.ld own.c -o a.elf && clang-14 -O1 -fpie -nostdlib -fuse-ld=lld -pie "
        "all.c -o pie.elf",
        folder);
    return system(command) == 0;
}

void test_elf_linked(void)
{
    char folder[] = "/tmp/basalt-formats-XXXXXX";
    bool written = mkdtemp(folder) != NULL;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        written = written && write_text(folder, sources[i].name, sources[i].text);
    expect_of("ELF plan", "a temporary folder", written);
    if (!written)
        return;
    for (size_t i = 0; i < sizeof builds / sizeof builds[0]; i++)
        test_build(folder, &builds[i]);
    if (is_installed("clang-14")) {
        expect_of("ELF plan", "files for the builder", build_for_builder(folder));
        test_builder(folder);
    }
    remove_folder(folder);
}
