/* SPDX-License-Identifier: ISC */
/* What the fixtures of the binary formats share. A fixture is literal hex written from the
 * documentation in the format's header, never output of an encoder; a refused one is the accepted
 * one with literal edits. */
#ifndef BASALT_PROPS_TESTS_FORMATS_FORMATS_TEST_H
#define BASALT_PROPS_TESTS_FORMATS_FORMATS_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "props/base/testing.h"

enum { FIXTURE_BYTES_MAX = 4 * 4096, WHOLE = -1 };

struct fixture {
    uint8_t bytes[FIXTURE_BYTES_MAX];
    size_t size_bytes;
};

/* One edited fixture: edits is a list of "@offset bytes", all hexadecimal; size_bytes cuts or
 * extends with zeros (WHOLE: neither). */
struct variation {
    const char *what;
    const char *edits;
    long size_bytes;
    enum status status;
};

/* Bytes of a hex text; blanks are passed over. A malformed text ends the program. */
struct fixture fixture_of(const char *hex);

/* The base with a variation's edits and size. */
struct fixture fixture_vary(const struct fixture *base, const struct variation *variation);

/* expect_of() for two statuses; both are printed when they differ. */
void test_status(const char *format, const char *what, enum status expected, enum status got);

/* Whether all bytes are zero: what a refused parse leaves behind. */
bool all_zero(const void *bytes, size_t size_bytes);

/* The fixtures of each format. */
void test_envelope(void);
void test_handoff(void);
void test_boot_config(void);
void test_boot_image(void);
void test_elf_plan(void);
void test_elf_linked(void);

/* The boot image builder, on the files a.elf, pie.elf and a.c of a folder. */
void test_builder(const char *folder);

#endif
