/* SPDX-License-Identifier: ISC */
/* Code and a stack that own.ld makes the last segment. */
__attribute__((used, section(".stack"))) static char stack[65536];

void _start(void);

void _start(void)
{
    for (;;) {
    }
}
