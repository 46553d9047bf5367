/* SPDX-License-Identifier: ISC */
/* Images made from built ones by the encoders, with one thing changed, booted in the world; and what a
 * boot leaves. Shared by rootd's tests on the real core. */
#ifndef BASALT_PROPS_TESTS_ROOTD_BOOT_VARIANT_H
#define BASALT_PROPS_TESTS_ROOTD_BOOT_VARIANT_H

#include "abi/formats/boot_config.h"
#include "abi/formats/boot_image.h"
#include "kernel/host/host.h"
#include "props/world/world.h"

struct boot_file {
    uint8_t *bytes;
    size_t size_bytes;
    struct boot_image table;
    struct boot_config config;
};

/* What a test makes of an image before it is booted. */
struct variant {
    const struct boot_file *file;
    struct boot_section_input sections[BOOT_MODULE_LIMIT];
    char names[BOOT_MODULE_LIMIT][BOOT_MODULE_NAME_BYTES];
    size_t count;
    struct boot_config config;
    uint8_t config_bytes[BOOT_CONFIG_BYTES_MAX];
};

/* A built image; whoever asks for one that is not there ends with status 2. */
void file_read(struct boot_file *file, const char *path);
void file_free(struct boot_file *file);

struct variant variant_of(const struct boot_file *file);

/* The place of a section; it must be there. */
unsigned section_of(const struct variant *variant, const char *name);
void remove_section(struct variant *variant, const char *name);

/* Encodes the config of the variant into its section; then with another time for a role's READY. */
void encode_config(struct variant *variant);
void set_ready_ticks(struct variant *variant, const char *name, uint64_t ticks);

/* build/image/<name>.elf with its first data word changed, which says what the program does
 * (services/probes/layout.h). The latest four stay valid. */
struct boot_section_input built_program(const char *name, uint64_t mode);

/* Boots it; 0 bytes of memory: as many as usual. boot_end() gives everything back. */
extern size_t boot_memory_bytes;
struct world_result boot(struct variant *variant);
void boot_end(void);

/* Occupied slots in [1, end) of a process; what a service allocates while it runs lies above. */
unsigned occupied_count(uint32_t index, uint32_t end);

/* Pages of the launch pool that rootd itself takes before anything is launched. */
uint32_t taken_by_rootd(const struct boot_file *file);

/* The boot ended with the status, for the cause, and never said READY. */
void expect_failure(const struct world_result *result, const char *status, const char *cause,
                    const char *what);

/* SERVICE_BOOTSTRAP_FAILED at the stage, with everything torn down (R5). */
void expect_nothing_left(const struct world_result *result, const char *what, const char *stage,
                         uint32_t rootd_pages);

#endif
