/* SPDX-License-Identifier: ISC */
/* See boot_variant.h. */
#include "props/tests/rootd/boot_variant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/formats/boot_name.h"
#include "abi/roles.h"
#include "props/base/testing.h"
#include "services/probes/layout.h"
#include "services/rootd/rootd.h"

enum { IMAGE_BYTES_MAX = 8 << 20, PROGRAM_BYTES_MAX = 1 << 20 };

static uint8_t *image; /* the one that is booted */
size_t boot_memory_bytes;

/* --- images ------------------------------------------------------------------------------------ */

void file_read(struct boot_file *file, const char *path)
{
    FILE *stream = fopen(path, "rb");
    file->bytes = malloc(IMAGE_BYTES_MAX);
    if (stream == NULL || file->bytes == NULL) {
        fprintf(stderr, "boot_variant: %s cannot be read\n", path);
        exit(2);
    }
    file->size_bytes = fread(file->bytes, 1, IMAGE_BYTES_MAX, stream);
    fclose(stream);
    if (boot_image_open(file->bytes, file->size_bytes, &file->table) != STATUS_OK ||
        boot_config_parse(file->bytes + file->table.sections[0].offset_bytes,
                          (size_t)file->table.sections[0].size_bytes, &file->config) != STATUS_OK) {
        fprintf(stderr, "boot_variant: %s is no boot image\n", path);
        exit(2);
    }
}

struct variant variant_of(const struct boot_file *file)
{
    struct variant variant;
    memset(&variant, 0, sizeof variant);
    variant.file = file;
    variant.count = file->table.section_count;
    variant.config = file->config;
    for (uint32_t i = 0; i < file->table.section_count; i++) {
        const struct boot_section *section = &file->table.sections[i];
        memcpy(variant.names[i], section->name, sizeof variant.names[i]);
        variant.sections[i] = (struct boot_section_input){
            .kind = section->kind,
            .bytes = file->bytes + section->offset_bytes,
            .size_bytes = (size_t)section->size_bytes,
        };
    }
    return variant;
}

unsigned section_of(const struct variant *variant, const char *name)
{
    for (unsigned i = 0; i < variant->count; i++) {
        if (strcmp(variant->names[i], name) == 0)
            return i;
    }
    abort();
}

void remove_section(struct variant *variant, const char *name)
{
    unsigned at = section_of(variant, name);
    variant->count--;
    for (unsigned i = at; i < variant->count; i++) {
        variant->sections[i] = variant->sections[i + 1];
        memcpy(variant->names[i], variant->names[i + 1], sizeof variant->names[i]);
    }
}

void encode_config(struct variant *variant)
{
    size_t written;
    if (boot_config_encode(&variant->config, variant->config_bytes, sizeof variant->config_bytes,
                           &written) != STATUS_OK)
        abort();
    unsigned at = section_of(variant, BOOT_CONFIG_MODULE_NAME);
    variant->sections[at].bytes = variant->config_bytes;
    variant->sections[at].size_bytes = written;
}

struct world_result boot(struct variant *variant)
{
    size_t written;
    if (image == NULL)
        image = malloc(IMAGE_BYTES_MAX);
    if (image == NULL)
        abort();
    for (unsigned i = 0; i < variant->count; i++)
        variant->sections[i].name = variant->names[i];
    if (boot_image_encode(variant->sections, variant->count, image, IMAGE_BYTES_MAX, &written) !=
        STATUS_OK)
        abort();
    return world_run(&(struct world_options){
        .image = image, .image_bytes = written, .memory_bytes = boot_memory_bytes});
}

void file_free(struct boot_file *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

void boot_end(void)
{
    world_release();
    free(image);
    image = NULL;
}

struct boot_section_input built_program(const char *name, uint64_t mode)
{
    enum { PROGRAMS = 4 };
    static uint8_t bytes[PROGRAMS][PROGRAM_BYTES_MAX];
    static unsigned next;
    uint8_t *program = bytes[next++ % PROGRAMS];
    const uint64_t words[] = {PROBE_DATA_WORD(0), PROBE_DATA_WORD(1)};
    char path[64];
    snprintf(path, sizeof path, "build/image/%s.elf", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "boot_variant: %s cannot be read\n", path);
        exit(2);
    }
    size_t size_bytes = fread(program, 1, PROGRAM_BYTES_MAX, file);
    fclose(file);
    size_t at = 0;
    while (memcmp(program + at, words, sizeof words) != 0) {
        at += sizeof words[0];
        if (at + sizeof words > size_bytes)
            abort();
    }
    memcpy(program + at, &mode, sizeof mode);
    return (struct boot_section_input){
        .kind = BOOT_SECTION_EXECUTABLE, .bytes = program, .size_bytes = size_bytes};
}

void set_ready_ticks(struct variant *variant, const char *name, uint64_t ticks)
{
    for (uint32_t i = 0; i < variant->config.entry_count; i++) {
        if (strcmp(role_find(variant->config.entries[i].role)->image, name) == 0)
            variant->config.entries[i].ready_ticks = ticks;
    }
    encode_config(variant);
}

/* --- what a boot leaves ------------------------------------------------------------------------ */

unsigned occupied_count(uint32_t index, uint32_t end)
{
    unsigned count = 0;
    for (uint32_t slot = 1; slot < end; slot++)
        count += kernel_slot(world_kernel(), index, slot)->object_type != OBJECT_NONE;
    return count;
}

void expect_failure(const struct world_result *result, const char *status, const char *cause,
                    const char *what)
{
    char line[96];
    snprintf(line, sizeof line, "ERIX_ROOTD:%s\n", status);
    expect_of(what, result->log,
              result->end == WORLD_FAILED && result->halt_code == ROOTD_EXIT_FAILED);
    expect_of(what, result->log, strstr(result->log, line) != NULL);
    expect_of(what, result->log, strstr(result->log, cause) != NULL);
    expect_of(what, result->log, strstr(result->log, "ERIX_ROOTD:READY") == NULL);
    expect_of(what, "kernel_check", kernel_check(world_kernel()) == NULL);
}

/* Pages that are out of the launch pool; how many it has, depends on the image as well. */
static uint32_t taken_pages(void)
{
    const struct untyped *pool = &world_kernel()->untypeds[1];
    return pool->total_pages - kernel_untyped_available(pool);
}

uint32_t taken_by_rootd(const struct boot_file *file)
{
    struct variant variant = variant_of(file);
    remove_section(&variant, BOOT_CONFIG_MODULE_NAME);
    (void)boot(&variant);
    return taken_pages();
}

void expect_nothing_left(const struct world_result *result, const char *what, const char *stage,
                         uint32_t rootd_pages)
{
    expect_failure(result, "SERVICE_BOOTSTRAP_FAILED", stage, what);
    expect_of(what, "the system has ended", world_kernel()->halted);
    expect_of(what, "no held slot", occupied_count(0, SLOT_LIMIT) == 3);
    expect_of(what, "no live child", world_kernel()->process_count == 1);
    expect_of(what, "the launch pool is what it was", taken_pages() == rootd_pages);
}
