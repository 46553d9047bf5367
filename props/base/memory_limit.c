/* SPDX-License-Identifier: ISC */
/* Counts what is allocated. A limit of the address space is no use under ASan, whose shadow is
 * larger than any; without ASan it does. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "props/base/input_limits.h"

static bool held;

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
void __sanitizer_malloc_hook(const volatile void *at, size_t size_bytes);

/* ASan calls this after each allocation. */
void __sanitizer_malloc_hook(const volatile void *at, size_t size_bytes)
{
    (void)at;
    (void)size_bytes;
    if (!held || __sanitizer_get_current_allocated_bytes() >> 20 < INPUT_MEGABYTES_MAX)
        return;
    held = false;
    fprintf(stderr, "hunger: more than %d megabytes\n", INPUT_MEGABYTES_MAX);
    abort();
}

void memory_limit_hold(void)
{
    held = &__sanitizer_get_current_allocated_bytes != NULL;
    struct rlimit limit = {(rlim_t)INPUT_MEGABYTES_MAX << 20, (rlim_t)INPUT_MEGABYTES_MAX << 20};
    if (!held)
        setrlimit(RLIMIT_DATA, &limit);
}
