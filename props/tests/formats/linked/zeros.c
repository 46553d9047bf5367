/* SPDX-License-Identifier: ISC */
/* Code, and zeros that take nothing of the file. */
static volatile char zeros[100000];

void _start(void);

void _start(void)
{
    for (unsigned i = 0;; i++)
        zeros[i % sizeof zeros] = 1;
}
