/* SPDX-License-Identifier: ISC */
/* The words that helper images hold at fixed places (services/probes/layout.h). By assembly,
 * because C has no way to write 768 different words in one line. */
__asm__(".pushsection .rodata.probe, \"a\", @progbits\n"
        "i = 0\n"
        ".rept 640\n"
        "    .quad 0x20DA7A0000000000 + i\n"
        "    i = i + 1\n"
        ".endr\n"
        ".popsection\n"
        ".pushsection .data.probe, \"aw\", @progbits\n"
        "i = 0\n"
        ".rept 768\n"
        "    .quad 0xDA7A000000000000 + i\n"
        "    i = i + 1\n"
        ".endr\n"
        ".popsection\n"
        ".pushsection .bss.probe, \"aw\", @nobits\n"
        "    .zero 0x1800\n"
        ".popsection\n");
