/* SPDX-License-Identifier: ISC */
/* Code alone. */
void _start(void);

void _start(void)
{
    for (;;) {
    }
}
