/* SPDX-License-Identifier: ISC */
/* In the place of an engine that is not here (fuzz/tool/oss_fuzz.py): has what such an engine gives to a
 * program and asks of it, runs the files that it is called with, and says what it was told of them. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "props/base/input_limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);
int LLVMFuzzerInitialize(int *argument_count, char ***arguments) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, unsigned seed)
    __attribute__((weak));
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size_bytes, size_t limit_bytes);
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);
void __sanitizer_cov_trace_pc_guard(uint32_t *guard);
extern uint64_t features_start __asm__("__start___centipede_extra_features") __attribute__((weak));
extern uint64_t features_stop __asm__("__stop___centipede_extra_features") __attribute__((weak));

static uint32_t guards;
static unsigned guards_met;
static unsigned mutations;

/* Called by each object that has guards, with the whole section of the program. */
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop)
{
    bool numbered = start == stop || *start != 0;
    for (uint32_t *guard = start; !numbered && guard < stop; guard++)
        *guard = (uint32_t)(guard - start) + 1;
    guards = start == stop ? 0 : stop[-1];
}

void __sanitizer_cov_trace_pc_guard(uint32_t *guard)
{
    guards_met += *guard != 0;
    *guard = 0;
}

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size_bytes, size_t limit_bytes)
{
    mutations++;
    return size_bytes < limit_bytes ? (bytes[size_bytes] = 1, size_bytes + 1) : size_bytes;
}

static unsigned features(void)
{
    unsigned count = 0;
    for (const uint64_t *at = &features_start; at != &features_stop; at++)
        count += *at != 0;
    return count;
}

static void mutate(uint8_t *bytes, size_t size_bytes)
{
    for (unsigned seed = 0; &LLVMFuzzerCustomMutator != NULL && seed < 100; seed++)
        size_bytes = LLVMFuzzerCustomMutator(bytes, size_bytes, INPUT_BYTES_MAX, seed);
    LLVMFuzzerTestOneInput(bytes, size_bytes);
}

int main(int argc, char **argv)
{
    static uint8_t bytes[INPUT_BYTES_MAX];
    if (&LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL)
            return 2;
        size_t size_bytes = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, size_bytes);
        mutate(bytes, size_bytes);
    }
    printf("%d inputs, %u guards, %u met, %u features, %u mutations\n", argc - 1, guards,
           guards_met, features(), mutations);
    return 0;
}
