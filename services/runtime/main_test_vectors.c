/* SPDX-License-Identifier: ISC */
/* The helper test-vectors: its entry point, and what only the metal can show: at its start its
 * registers are those of a new process, whoever ran before, and a segment selector is its own. */
#include "services/probes/expectations.h"
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

/* What FXSAVE writes: control word at 0, MXCSR and its mask at 24; the last 96 bytes are
 * nobody's. */
struct saved {
    uint16_t words[256];
} __attribute__((aligned(16)));

__attribute__((noreturn, used)) void test_vectors_image_main(uint64_t argument);

HELPER_ENTRY("test-vectors", test_vectors_image_main);

static bool is_new(const struct saved *saved)
{
    enum { CONTROL = 0, MXCSR = 12, MASK_LOW = 14, MASK_HIGH = 15, COUNT = 208 };
    if (saved->words[CONTROL] != 0x37F || saved->words[MXCSR] != 0x1F80)
        return false;
    for (unsigned i = 1; i < COUNT; i++) {
        if (i != MXCSR && i != MASK_LOW && i != MASK_HIGH && saved->words[i] != 0)
            return false;
    }
    return true;
}

/* Loads a selector that is not the one of a new process, computes, and looks whether it is
 * there. */
static uint32_t with_selector(uint64_t argument)
{
    enum { USER_DATA = 0x1B };
    uint32_t selector = USER_DATA;
    __asm__ volatile("movl %0, %%fs" : : "r"(selector));
    uint32_t code = test_vectors_main(argument);
    __asm__ volatile("movl %%fs, %0" : "=r"(selector));
    return selector == USER_DATA ? code : VECTORS_INTERRUPTED;
}

static uint32_t not_new(uint64_t argument)
{
    (void)argument;
    return VECTORS_SEEN;
}

void test_vectors_image_main(uint64_t argument)
{
    static struct saved saved;
    __asm__ volatile("fxsave64 %0" : "=m"(saved));
    helper_start(is_new(&saved) ? with_selector : not_new, argument);
}
