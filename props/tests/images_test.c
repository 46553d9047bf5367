/* SPDX-License-Identifier: ISC */
/* The boot images as they are linked: what each program carries at its entry, its segments, its
 * stack, what helpers test themselves by; and the image's memory functions. Runs at the root of the
 * tree. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/formats/boot_image.h"
#include "abi/capability.h"
#include "abi/formats/elf_plan.h"
#include "abi/limits.h"
#include "abi/roles.h"
#include "props/base/testing.h"
#include "services/probes/layout.h"
#include "services/runtime/entry.h"

void *image_memcpy(void *restrict target, const void *restrict source, size_t count);
void *image_memmove(void *target, const void *source, size_t count);
void *image_memset(void *target, int value, size_t count);
int image_memcmp(const void *left, const void *right, size_t count);

struct program {
    const char *name;
    const uint8_t *bytes;
    uint64_t data_bytes; /* that its role's DATA row gives it */
    struct elf_plan plan;
};

/* The file's byte at an address; null past the file's bytes of a segment. */
static const uint8_t *byte_at(const struct program *program, uint64_t va)
{
    for (uint32_t i = 0; i < program->plan.segment_count; i++) {
        const struct elf_segment *segment = &program->plan.segments[i];
        uint64_t first = segment->va + segment->first_bytes;
        if (va >= first && va - first < segment->file_bytes)
            return program->bytes + segment->file_offset + (va - first);
    }
    return NULL;
}

static int has_word(const struct program *program, uint64_t va, uint64_t expected)
{
    const uint8_t *first = byte_at(program, va);
    uint64_t word = 0;
    if (first == NULL || byte_at(program, va + 7) != first + 7)
        return 0;
    memcpy(&word, first, sizeof word);
    return word == expected;
}

/* Of the two segments that are not writable, the code: the second one of a daemon, the first one of
 * a helper. */
static uint32_t code_index(const struct elf_plan *plan)
{
    return (plan->segments[0].rights & RIGHT_EXECUTE) != 0 ? 0 : 1;
}

/* The name behind the entry point is the module's: the host world finds the unit by it. */
static void check_entry(const struct program *program)
{
    uint8_t expected[ENTRY_TAG_BYTES + ENTRY_NAME_BYTES] = ENTRY_TAG;
    const uint8_t *tag = byte_at(program, program->plan.entry + ENTRY_TAG_OFFSET);
    strncpy((char *)expected + ENTRY_TAG_BYTES, program->name, ENTRY_NAME_BYTES - 1);
    expect_of(program->name, "carries its name behind the entry point",
              tag != NULL && memcmp(tag, expected, sizeof expected) == 0);
    const struct elf_segment *code = &program->plan.segments[code_index(&program->plan)];
    expect_of(program->name, "entry is the first byte of the code",
              program->plan.entry == code->va + code->first_bytes);
}

/* V2, and what lets read-only pages be the image's own. */
static void check_segments(const struct program *program)
{
    uint16_t rights[] = {RIGHT_READ, RIGHT_READ, RIGHT_READ | RIGHT_WRITE,
                         RIGHT_READ | RIGHT_WRITE};
    const struct elf_plan *plan = &program->plan;
    rights[code_index(plan)] |= RIGHT_EXECUTE;
    expect_of(program->name, "has four segments", plan->segment_count == 4);
    for (uint32_t i = 0; i < plan->segment_count && i < 4; i++) {
        expect_of(program->name, "segment rights", plan->segments[i].rights == rights[i]);
        expect_of(program->name, "a read-only segment is all file",
                  i >= 2 || plan->segments[i].file_bytes == plan->segments[i].memory_bytes);
    }
    const struct elf_segment *stack = &plan->segments[plan->segment_count - 1];
    const struct elf_segment *below = &plan->segments[plan->segment_count - 2];
    expect_of(program->name, "the last segment is the stack reserve",
              stack->memory_bytes == STACK_RESERVE_BYTES && stack->file_bytes == 0 &&
                  plan->stack_top == stack->va + STACK_RESERVE_BYTES);
    expect_of(program->name, "a page is free below the stack",
              below->va + below->pages * PAGE_BYTES + PAGE_BYTES <= stack->va);
}

static uint64_t image_pages(const struct elf_segment *segment)
{
    uint64_t first;
    uint64_t count;
    elf_segment_whole(segment, &first, &count);
    return count;
}

/* However a process touches its pages, its page limit is what ends it, and not the regions that are
 * set aside for it: each page of its own is one at most, each guard one, and of the image's own
 * pages every other one (E6). */
static void check_regions(const struct program *program)
{
    enum { GUARDS_MAX = 3 }; /* of the stack and of both ends of the heap */
    const struct role *role = NULL;
    uint64_t regions = GUARDS_MAX + (program->data_bytes / PAGE_BYTES + 1) / 2;
    for (unsigned i = 0; i < role_count; i++)
        if (strcmp(role_table[i].image, program->name) == 0)
            role = &role_table[i];
    for (uint32_t i = 0; i < program->plan.segment_count; i++) {
        const struct elf_segment *segment = &program->plan.segments[i];
        bool shared = (segment->rights & RIGHT_WRITE) == 0;
        regions += shared ? (image_pages(segment) + 1) / 2 : 0;
    }
    expect_of(program->name, "needs no more regions than its role's guarantee has",
              role != NULL && role->page_limit + regions <= role_region_limit(role));
}

/* services/probes/layout.h is what linker/helper.ld does. */
static void check_helper(const struct program *program)
{
    const struct elf_segment *data = &program->plan.segments[2];
    int right = 1;
    expect_of(program->name, "code, data and stack lie where the layout says",
              program->plan.entry == HELPER_TEXT_VA &&
                  program->plan.segments[1].va == HELPER_RODATA_VA && data->va == HELPER_DATA_VA &&
                  program->plan.stack_top == HELPER_STACK_TOP);
    for (uint64_t i = 0; i < PROBE_DATA_WORDS; i++)
        right &= has_word(program, PROBE_DATA_VA + i * 8, PROBE_DATA_WORD(i));
    expect_of(program->name, "data words", right);
    right = 1;
    for (uint64_t i = 0; i < PROBE_RODATA_WORDS; i++)
        right &= has_word(program, HELPER_RODATA_VA + i * 8, PROBE_RODATA_WORD(i));
    expect_of(program->name, "read-only words", right);
    expect_of(program->name, "the file ends in the middle of a page, with the data words",
              data->file_bytes == PROBE_BSS_VA - HELPER_DATA_VA &&
                  data->file_bytes % PAGE_BYTES != 0 &&
                  data->memory_bytes >= data->file_bytes + PROBE_BSS_BYTES);
}

/* What phase0-stock is there for: its linker placed it as it does everybody's. */
static void check_stock(const struct program *program)
{
    const struct elf_plan *plan = &program->plan;
    unsigned inside = 0;
    unsigned neighbours = 0;
    for (uint32_t i = 1; i < plan->segment_count; i++) {
        uint64_t end = plan->segments[i - 1].file_offset + plan->segments[i - 1].file_bytes;
        inside += plan->segments[i].first_bytes != 0;
        neighbours += (end - 1) / PAGE_BYTES == plan->segments[i].file_offset / PAGE_BYTES;
    }
    expect_of(program->name, "brings no stack", plan->stack_top == 0);
    expect_of(program->name, "all segments but the first begin inside a page",
              plan->segment_count >= 3 && inside == plan->segment_count - 1);
    expect_of(program->name, "segments share pages of the file", neighbours == inside);
    expect_of(program->name, "lies where its headers are looked for",
              plan->va_first == STOCK_IMAGE_VA);
}

/* The data of a program's role; it is there, and is data. */
static uint64_t data_of(const struct boot_image *image, const char *name)
{
    const char *data = NULL;
    for (unsigned i = 0; i < role_count; i++) {
        if (strcmp(role_table[i].image, name) == 0)
            data = role_data(role_table[i].id);
    }
    if (data == NULL)
        return 0;
    int index = boot_image_find(image, data);
    bool found = index >= 0 && image->sections[index].kind == BOOT_SECTION_DATA;
    expect_of(name, "has its data", found);
    return found ? image->sections[index].size_bytes : 0;
}

static void check_module(const uint8_t *bytes, const struct boot_image *image,
                         const struct boot_section *section)
{
    struct program program = {.name = section->name,
                              .bytes = bytes + section->offset_bytes,
                              .data_bytes = data_of(image, section->name)};
    size_t view = section->size_bytes < ELF_VIEW_BYTES ? section->size_bytes : ELF_VIEW_BYTES;
    enum status status = elf_plan_parse(program.bytes, view, section->size_bytes, &program.plan);
    expect_of(section->name, "can be planned", status == STATUS_OK);
    if (status != STATUS_OK)
        return;
    check_entry(&program);
    check_regions(&program);
    if (strcmp(section->name, "phase0-stock") == 0) {
        check_stock(&program);
        return;
    }
    check_segments(&program);
    if (strncmp(section->name, "phase0-", 7) == 0)
        check_helper(&program);
}

/* The modules of an image, and no others. */
struct contents {
    const char *path;
    const char *const *lists[3]; /* each ends with a null */
};

static const char *const foundation[] = {"rootd", "memd", "vspaced", "pagerd", "procd", NULL};
static const char *const runtime[] = {"named",   "logd",       "crashd",  "timed", "irqd",
                                      "deviced", "drv-serial", "seriald", NULL};
static const char *const phase0[] = {"phase0-probe",
                                     "phase0-exit",
                                     "phase0-fault-kill",
                                     "phase0-isolation-a",
                                     "phase0-isolation-b",
                                     "phase0-stock",
                                     "tester",
                                     NULL};
static const char *const hostile[] = {"named",        "logd",         "timed", "test-spin",
                                      "test-hostile", "test-vectors", NULL};
static const char *const attacks[] = {"attacks", "attack-client", "attack-heir", "attack-child",
                                      NULL};
static const char *const graph[] = {"named",       "logd",       "timed",     "test-service",
                                    "test-user",   "test-apart", "test-last", "deviced",
                                    "test-driver", NULL};
static const char *const services[] = {"named",
                                       "logd",
                                       "timed",
                                       "crashd",
                                       "phase1-lookup-client",
                                       "phase1-time-client",
                                       "phase1-crash-client",
                                       "phase0-fault-kill",
                                       "irqd",
                                       "phase2-irq-client",
                                       "probed",
                                       NULL};
static const char *const operations[] = {"test-operator", "test-mapper", NULL};
static const char *const restarts[] = {"named",      "timed",         "test-mortal", "deviced",
                                       "test-frail", "test-survivor", NULL};
static const char *const console[] = {
    "named",      "logd",     "crashd",  "timed",   "irqd",        "deviced",
    "drv-serial", "seriald",  "console", "idle",    "phase0-exit", "phase0-fault-kill",
    "ramfsd",     "imagefsd", "vfsd",    "loaderd", NULL};
static const char *const phase4[] = {"named", "logd",    "ramfsd",        "imagefsd",
                                     "vfsd",  "loaderd", "phase4-loader", NULL};
static const char *const files[] = {"named", "logd",         "ramfsd", "imagefsd",
                                    "vfsd",  "phase4-files", NULL};
static const struct contents contents[] = {
    {"build/boot-foundation.img", {foundation}},
    {"build/boot.img", {foundation, runtime}},
    {"build/boot-phase0.img", {foundation, phase0}},
    {"build/boot-hostile.img", {foundation, phase0, hostile}},
    {"build/boot-attacks.img", {foundation, phase0, attacks}},
    {"build/boot-graph.img", {foundation, graph}},
    {"build/boot-services.img", {foundation, services}},
    {"build/boot-operations.img", {foundation, phase0, operations}},
    {"build/boot-restarts.img", {foundation, restarts}},
    {"build/boot-console.img", {foundation, console}},
    {"build/boot-files.img", {foundation, files}},
    {"build/boot-phase4-loader-closure.img", {foundation, phase4}},
};

static unsigned module_count(const struct contents *image)
{
    unsigned count = 0;
    for (unsigned i = 0; i < 3 && image->lists[i] != NULL; i++) {
        for (unsigned j = 0; image->lists[i][j] != NULL; j++)
            count++;
    }
    return count;
}

static bool is_listed(const struct contents *image, const char *name)
{
    for (unsigned i = 0; i < 3 && image->lists[i] != NULL; i++) {
        for (unsigned j = 0; image->lists[i][j] != NULL; j++) {
            if (strcmp(image->lists[i][j], name) == 0)
                return true;
        }
    }
    return false;
}

static void check_image(const struct contents *contents_of)
{
    static uint8_t bytes[16 << 20];
    struct boot_image image;
    unsigned found = 0;
    const char *path = contents_of->path;
    FILE *file = fopen(path, "rb");
    size_t size = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
    if (file != NULL)
        fclose(file);
    expect_of(path, "can be opened", boot_image_open(bytes, size, &image) == STATUS_OK);
    for (uint32_t i = 0; i < image.section_count; i++) {
        if (image.sections[i].kind != BOOT_SECTION_EXECUTABLE)
            continue;
        check_module(bytes, &image, &image.sections[i]);
        expect_of(path, image.sections[i].name, is_listed(contents_of, image.sections[i].name));
        found++;
    }
    expect_of(path, "holds all programs", found == module_count(contents_of));
}

/* Every offset and length up to two words, overlapping both ways, against the host's functions. */
static void check_memory(void)
{
    enum { SIZE = 64, LENGTHS = 20 };
    uint8_t ours[SIZE];
    uint8_t theirs[SIZE];
    int right = 1;
    for (size_t from = 0; from < LENGTHS; from++) {
        for (size_t to = 0; to < LENGTHS; to++) {
            for (size_t count = 0; count < LENGTHS; count++) {
                for (size_t i = 0; i < SIZE; i++)
                    ours[i] = theirs[i] = (uint8_t)(i * 7 + 1);
                right &= image_memmove(ours + to, ours + from, count) == ours + to;
                memmove(theirs + to, theirs + from, count);
                right &= memcmp(ours, theirs, SIZE) == 0;
                right &= image_memset(ours + to, (int)from - 3, count) == ours + to;
                memset(theirs + to, (int)from - 3, count);
                right &= image_memcmp(ours, theirs, SIZE) == 0;
                uint8_t copy[SIZE] = {0};
                uint8_t expected[SIZE] = {0};
                right &= image_memcpy(copy + to, ours + from, count) == copy + to;
                memcpy(expected + to, ours + from, count);
                right &= memcmp(copy, expected, SIZE) == 0;
            }
        }
    }
    expect_of("memory", "copy, move and set as the host does", right);
    expect_of("memory", "compare orders bytes as unsigned",
              image_memcmp("a\x80", "a\x7f", 2) > 0 && image_memcmp("a", "b", 1) < 0 &&
                  image_memcmp("a", "b", 0) == 0 && image_memcmp("ab", "ac", 1) == 0);
}

int main(int count, char **arguments)
{
    (void)count;
    check_memory();
    for (unsigned i = 0; i < sizeof contents / sizeof contents[0]; i++)
        check_image(&contents[i]);
    return tests_end(arguments[0]);
}
