/* SPDX-License-Identifier: ISC */
/* A variable of each thread, for which a loader would have to make a place. */
static __thread volatile int local = 3;

void _start(void);

void _start(void)
{
    for (;;)
        local++;
}
