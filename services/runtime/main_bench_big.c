/* SPDX-License-Identifier: ISC */
/* The program big of the archive of the image that measures files: 64 KiB of it are in its file, and it
 * ends at once. Linked by clang alone, without a script; it touches what it needs and nothing else. */
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

enum { FILL_BYTES = 60 << 10 };

/* In the file because it is not zero; read by nobody but the loader. */
__attribute__((used)) static const uint8_t fill[FILL_BYTES] = {1, [FILL_BYTES - 1] = 2};

__attribute__((noreturn, used)) void bench_big_image_main(uint64_t argument);

__asm__(".globl _start\n"
        ".set _start, service_entry\n");
SERVICE_ENTRY("bench-big", bench_big_image_main);

static uint32_t end_at_once(uint64_t argument)
{
    (void)argument;
    return 0;
}

void bench_big_image_main(uint64_t argument)
{
    helper_start(end_at_once, argument);
}
