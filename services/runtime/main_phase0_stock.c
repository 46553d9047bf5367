/* SPDX-License-Identifier: ISC */
/* The helper phase0-stock: its entry point, and what its data holds. Linked by clang alone, without
 * a script: where its segments lie it learns from its program headers, and its stack is the
 * loader's. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void phase0_stock_image_main(uint64_t argument);

STOCK_ENTRY("phase0-stock", phase0_stock_image_main);

/* STOCK_WORDS words (services/probes/layout.h), and zeros behind them. */
__asm__(".pushsection .data, \"aw\", @progbits\n"
        ".balign 16\n"
        "i = 0\n"
        ".rept 700\n"
        "    .quad 0x570C000000000000 + i\n"
        "    i = i + 1\n"
        ".endr\n"
        ".popsection\n"
        ".pushsection .bss, \"aw\", @nobits\n"
        "    .zero 5000\n"
        ".popsection\n");

void phase0_stock_image_main(uint64_t argument)
{
    helper_start(phase0_stock_main, argument);
}
