/* SPDX-License-Identifier: ISC */
/* Kernel tests: boot from an image: rootd's pages, registers and handoff; typed refusals. */
#include <string.h>

#include "abi/formats/boot_image.h"
#include "abi/formats/handoff.h"
#include "abi/profile.h"
#include "props/tests/kernel/kernel_drive.h"

enum {
    TAIL_BYTES = 50, /* of code, on its second page */
    DATA_OFFSET = 3 * PAGE_BYTES,
    FILE_BYTES = DATA_OFFSET + 100,
    TEXT_VA = 0x400000,
    DATA_VA = 0x600000,
    DATA_PAGES = 4
};

static uint8_t elf[FILE_BYTES];
static uint8_t image[16 * PAGE_BYTES];
static size_t image_size;

static void put(uint32_t offset, uint64_t value, uint32_t width)
{
    memcpy(elf + offset, &value, width);
}

static void segment_write(uint32_t index, uint32_t flags, uint64_t va, uint64_t offset,
                          uint64_t file, uint64_t memory)
{
    uint32_t at = 64 + 56 * index;
    put(at, 1, 4);
    put(at + 4, flags, 4);
    put(at + 8, offset, 8);
    put(at + 16, va, 8);
    put(at + 24, va, 8);
    put(at + 32, file, 8);
    put(at + 40, memory, 8);
    put(at + 48, PAGE_BYTES, 8);
}

/* A page of code and some more, with bytes of somebody else behind it, 100 bytes of data, and a
 * stack: written by hand from the format's documentation. */
static void elf_write(uint64_t data_va)
{
    memset(elf, 0, sizeof elf);
    memcpy(elf,
           "\x7f"
           "ELF\2\1\1",
           7);
    put(16, 2, 2);
    put(18, 62, 2);
    put(20, 1, 4);
    put(24, TEXT_VA + 8, 8);
    put(32, 64, 8);
    put(52, 64, 2);
    put(54, 56, 2);
    put(56, 3, 2);
    segment_write(0, 5, TEXT_VA, PAGE_BYTES, PAGE_BYTES + TAIL_BYTES, PAGE_BYTES + TAIL_BYTES);
    segment_write(1, 6, data_va, DATA_OFFSET, 100, DATA_PAGES * PAGE_BYTES);
    segment_write(2, 6, data_va, 0, 0, DATA_PAGES * PAGE_BYTES);
    put(64 + 56 * 2, 0x6474E551, 4); /* PT_GNU_STACK: the last segment */
    memset(elf + PAGE_BYTES, 0x90, PAGE_BYTES + TAIL_BYTES);
    memset(elf + 2 * PAGE_BYTES + TAIL_BYTES, 0x77, PAGE_BYTES - TAIL_BYTES);
    memset(elf + DATA_OFFSET, 0xDA, 100);
}

static void image_encode(const char *name, const struct boot_section_input *other)
{
    struct boot_section_input sections[] = {
        *other,
        {name, BOOT_SECTION_EXECUTABLE, elf, sizeof elf},
    };
    enum status status = boot_image_encode(sections, 2, image, sizeof image, &image_size);
    expect_status(status, STATUS_OK, "the test's image encodes");
}

static void image_write(const char *name)
{
    image_encode(name, &(struct boot_section_input){"note", BOOT_SECTION_DATA, "some bytes", 10});
}

static enum status boot(uint32_t pages)
{
    host_init(8 << 20);
    host_load_image(image, image_size);
    struct kernel_boot_info info = host_boot_info_limited(pages);
    info.root_budget_pages = 64;
    return kernel_boot(&drive_kernel, &info);
}

static void sound(void)
{
    const char *wrong = kernel_check(&drive_kernel);
    expect(wrong == NULL, wrong == NULL ? "all sound" : wrong);
}

static const uint8_t *bytes_at(uint64_t va, enum fault_access access)
{
    return host_user_translate(&drive_kernel, 0, va, access);
}

static void test_boot(void)
{
    elf_write(DATA_VA);
    image_write("rootd");
    expect_status(boot(1000), STATUS_OK, "an image boots");
    sound();
    const struct process *root = kernel_process(&drive_kernel, 0);
    expect(drive_current() == 0 && root->resume == RESUME_START, "rootd is to start");
    expect(root->start.entry_va == TEXT_VA + 8 &&
               root->start.stack_top_va == DATA_VA + DATA_PAGES * PAGE_BYTES,
           "at its entry, with its stack");
    uint16_t rights;
    uint32_t page = kernel_translate(&drive_kernel, 0, TEXT_VA, &rights);
    expect(rights == (RIGHT_READ | RIGHT_EXECUTE) && page >= drive_kernel.image_first_page,
           "code is the image's own page");
    expect(bytes_at(TEXT_VA, FAULT_WRITE) == NULL, "V2: and never writable");
    page = kernel_translate(&drive_kernel, 0, TEXT_VA + PAGE_BYTES, &rights);
    expect(rights == (RIGHT_READ | RIGHT_EXECUTE) && page < drive_kernel.image_first_page,
           "where code ends inside a page, that page is a copy");
    const uint8_t *tail = bytes_at(TEXT_VA + PAGE_BYTES, FAULT_EXECUTE);
    expect(tail != NULL && tail[TAIL_BYTES - 1] == 0x90 && tail[TAIL_BYTES] == 0 &&
               tail[PAGE_BYTES - 1] == 0,
           "G4: of its code, then zero, whatever the image has there");
    expect(bytes_at(TEXT_VA + PAGE_BYTES, FAULT_WRITE) == NULL, "V2: and never writable either");
    page = kernel_translate(&drive_kernel, 0, DATA_VA, &rights);
    expect(rights == (RIGHT_READ | RIGHT_WRITE) && page < drive_kernel.image_first_page,
           "data is a copy");
    const uint8_t *data = bytes_at(DATA_VA, FAULT_WRITE);
    expect(data != NULL && data[99] == 0xDA && data[100] == 0, "G4: of the file, then zero");
    expect(bytes_at(DATA_VA + 3 * PAGE_BYTES, FAULT_WRITE) != NULL, "the stack is there");
    struct handoff handoff;
    expect(root->start.arguments[0] == HANDOFF_VA &&
               root->start.arguments[2] == SLOT_SERVICE_ENDPOINT,
           "rootd is told where");
    expect_status(
        handoff_parse(bytes_at(HANDOFF_VA, FAULT_READ), root->start.arguments[1], &handoff),
        STATUS_OK, "the handoff parses");
    expect(bytes_at(HANDOFF_VA, FAULT_WRITE) == NULL, "and is read-only");
    expect(handoff.module_count == 2 && handoff_find(&handoff, "rootd") == 1 &&
               handoff.untyped_count == 2 && handoff.untyped[0].slot == BULK &&
               handoff.untyped[0].pages == 500 && handoff.untyped[1].pages == 500 - 64 - 6 &&
               handoff.free_pages == 1000 - 64 - 6 && handoff.image_slot == SLOT_IMAGE,
           "and tells the truth");
}

static void refuse(enum status wanted, const char *line, uint32_t pages, const char *what)
{
    expect_status(boot(pages), wanted, what);
    expect(strcmp(host_log(NULL), line) == 0, "the refusal is logged");
    expect(drive_current() == KERNEL_IDLE && !drive_kernel.halted &&
               drive_kernel.process_count == 0,
           "no process exists");
    expect(kernel_untyped_available(&drive_kernel.untypeds[1]) ==
               drive_kernel.untypeds[1].total_pages,
           "E4: and nothing was used");
    sound();
}

static void test_refusals(void)
{
    elf_write(DATA_VA);
    image_write("rooted");
    refuse(STATUS_MISSING_MODULE, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:MISSING_MODULE\n", 1000,
           "without rootd");
    image_write("rootd");
    refuse(STATUS_EXHAUSTED, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:EXHAUSTED\n", 100, "without budget");
    refuse(STATUS_EXHAUSTED, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:EXHAUSTED\n", 138,
           "without a page for the handoff");
    image[image_size - PAGE_BYTES] ^= 1;
    refuse(STATUS_BAD_DIGEST, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:BAD_DIGEST\n", 1000, "a bad byte");
    image[0] ^= 1;
    refuse(STATUS_BAD_MAGIC, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:BAD_MAGIC\n", 1000, "no image");
    elf_write(HANDOFF_VA);
    image_write("rootd");
    refuse(STATUS_OVERLAP, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:OVERLAP\n", 1000,
           "linked over the handoff");
    elf_write(DATA_VA);
    put(64 + 56 * 2 + 16, 0, 8); /* PT_GNU_STACK without an address */
    image_write("rootd");
    refuse(STATUS_INVALID_ARGUMENT, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:INVALID_ARGUMENT\n", 1000,
           "a rootd without a stack");
    elf_write(DATA_VA + 8);
    segment_write(1, 6, DATA_VA + 8, DATA_OFFSET + 8, 92, DATA_PAGES * PAGE_BYTES);
    image_write("rootd");
    refuse(STATUS_NOT_ALIGNED, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:NOT_ALIGNED\n", 1000,
           "a rootd with a segment that begins inside a page");
    elf_write(DATA_VA);
    elf[18] = 3;
    image_write("rootd");
    refuse(STATUS_UNSUPPORTED, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:UNSUPPORTED\n", 1000,
           "another machine");
    image_size = 0;
    refuse(STATUS_TRUNCATED, "BASALT_KERNEL:BOOT_IMAGE_REFUSED:TRUNCATED\n", 1000, "nothing");
}

/* What the log says after a process was staged and aborted in an image with such a config. */
static const char *log_with_config(const char *name, uint32_t kind, const char *config,
                                   uint32_t count)
{
    image_encode("rootd", &(struct boot_section_input){name, kind, config, count});
    expect_status(boot(1000), STATUS_OK, "an image with a config boots");
    struct drive_child child = drive_stage(FREE_SLOT, 16);
    unsigned aborted =
        CONTROL(PRO, ABORT_STAGED_PROCESS,
                (struct kernel_abort_staged_process_request){.process_slot = child.process});
    expect_status(aborted, STATUS_OK, "a process is staged and aborted");
    sound();
    return host_log(NULL);
}

/* The header of a config: the kernel reads nothing else of it. */
static void test_reports(void)
{
    static const char reports[] = "ERIX_KERNEL:PROCD_DEBUG:STAGED:0x1388\n"
                                  "ERIX_KERNEL:PROCD_DEBUG:GONE:0x1388\n";
    char config[33] = "ERIXBCFG\1\0\0\0    \377\377\377\377    \0\0\0\0    ";
    for (uint32_t profile = 0; profile <= VALIDATION_PROFILE_LAST + 1; profile++) {
        config[24] = (char)profile;
        const char *log = log_with_config("boot-config", BOOT_SECTION_BOOT_CONFIG, config, 32);
        expect(strcmp(log, profile == VALIDATION_PROFILE_PHASE0 ? reports : "") == 0,
               "K16: lives are reported in the image of profile phase0 alone");
    }
    config[24] = VALIDATION_PROFILE_PHASE0;
    expect(*log_with_config("boot-config", BOOT_SECTION_BOOT_CONFIG, config, 31) == '\0',
           "K16: half a header names no profile");
    expect(*log_with_config("boot-config", BOOT_SECTION_DATA, config, 32) == '\0',
           "K16: data are no config");
    expect(*log_with_config("boot-confit", BOOT_SECTION_BOOT_CONFIG, config, 32) == '\0',
           "K16: nor is a section of another name");
    config[8] = 2;
    expect(*log_with_config("boot-config", BOOT_SECTION_BOOT_CONFIG, config, 32) == '\0',
           "K16: another version is not read");
}

void kernel_test_boot(void)
{
    test_boot();
    test_reports();
    test_refusals();
}
