/* SPDX-License-Identifier: ISC */
/* The ELF load plan of a file that the compiler and the linker really made, compared with what
 * readelf says of it. Skipped, and said so, where one of the three is not installed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/capability.h"
#include "abi/formats/elf_plan.h"
#include "props/tests/formats/formats_test.h"

static const char source[] =
    "static const char constants[5000] = \"hello\"; int data[300] = {1}; int zeros[5000];\n"
    "__attribute__((section(\".text.first\"))) void _start(void) { for (;;) { } }\n"
    "int use(int i) { return constants[i] + data[i] + zeros[i]; }\n";

static const char script[] =
    "ENTRY(_start)\n"
    "PHDRS { text PT_LOAD FLAGS(5); constants PT_LOAD FLAGS(4); data PT_LOAD FLAGS(6);\n"
    "        stack PT_GNU_STACK FLAGS(6); }\n"
    "SECTIONS {\n"
    "  . = 0x400000; .text : { *(.text.first) *(.text*) } :text\n"
    "  . = ALIGN(4096); .rodata : { *(.rodata*) } :constants\n"
    "  . = ALIGN(4096); .data : { *(.data*) } :data\n"
    "  .bss : { *(.bss*) . = ALIGN(4096); . += 65536; } :data\n"
    "  /DISCARD/ : { *(.eh_frame*) *(.comment) *(.note*) } }\n";

static const char build[] =
    "cd '%s' && command -v readelf ld.lld-14 >/dev/null && clang-14 -O1 -ffreestanding -fpie -c "
    "a.c -o a.o && ld.lld-14 -static -z norelro -T a.ld a.o -o a.elf && clang-14 -O1 -fpie "
    "-nostdlib -fuse-ld=lld-14 -pie a.c -o pie.elf && readelf -lW a.elf > a.txt 2>/dev/null";

static bool write_text(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    return file != NULL && fputs(text, file) >= 0 && fclose(file) == 0;
}

/* The first bytes of a file, and its whole size. */
static struct fixture read_view(const char *folder, const char *name, uint64_t *file_bytes)
{
    struct fixture view = {.size_bytes = 0};
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    *file_bytes = 0;
    if (file == NULL)
        return view;
    view.size_bytes = fread(view.bytes, 1, FRAME_TRANSFER_BYTES_MAX, file);
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

/* Each LOAD line of readelf against the plan's next segment; the entry line against its entry. */
static void compare(const struct elf_plan *plan, const char *folder)
{
    char path[256];
    char line[256];
    unsigned loads = 0;
    bool same = true;
    snprintf(path, sizeof path, "%s/a.txt", folder);
    FILE *text = fopen(path, "r");
    while (text != NULL && fgets(line, sizeof line, text) != NULL) {
        unsigned long long entry, offset, va, file_bytes, memory_bytes;
        char flags[8] = "";
        if (sscanf(line, "Entry point %llx", &entry) == 1)
            same = same && entry == plan->entry;
        if (sscanf(line, " LOAD %llx %llx %*x %llx %llx %7[RWE ]", &offset, &va, &file_bytes,
                   &memory_bytes, flags) != 5)
            continue;
        const struct elf_segment *segment = &plan->segments[loads++];
        same = same && loads <= plan->segment_count && segment->va == va &&
               segment->file_offset == offset && segment->file_bytes == file_bytes &&
               segment->memory_bytes == memory_bytes && segment->rights == rights_of(flags);
    }
    if (text != NULL)
        fclose(text);
    expect_of("ELF plan", "linked file: as readelf says",
              same && loads == plan->segment_count && loads == 3);
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {"a.c", "a.ld", "a.o", "a.elf", "pie.elf", "a.txt"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    rmdir(folder);
}

void test_elf_linked(void)
{
    char folder[] = "/tmp/basalt-formats-XXXXXX";
    char command[1024];
    struct elf_plan plan;
    uint64_t file_bytes;
    if (mkdtemp(folder) == NULL || !write_text(folder, "a.c", source) ||
        !write_text(folder, "a.ld", script)) {
        expect_of("ELF plan", "a temporary folder", false);
        return;
    }
    snprintf(command, sizeof command, build, folder);
    if (system(command) != 0) {
        printf("skipped ELF plan: linked file: no clang-14, lld-14 or readelf\n");
        remove_folder(folder);
        return;
    }
    struct fixture view = read_view(folder, "a.elf", &file_bytes);
    test_status("ELF plan", "linked file", STATUS_OK,
                elf_plan_parse(view.bytes, view.size_bytes, file_bytes, &plan));
    compare(&plan, folder);
    view = read_view(folder, "pie.elf", &file_bytes);
    test_status("ELF plan", "linked position-independent file", STATUS_UNSUPPORTED,
                elf_plan_parse(view.bytes, view.size_bytes, file_bytes, &plan));
    test_builder(folder);
    remove_folder(folder);
}
