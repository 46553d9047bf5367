/* SPDX-License-Identifier: ISC */
/* Code, constants, pointers to them (read-only after relocation), variables, zeros. */
static const char constants[5000] = "hello";
static volatile int data[300] = {1};
static volatile int zeros[5000];
static const char *const volatile pointers[700] = {constants};

void _start(void);

void _start(void)
{
    for (;;)
        data[1] = pointers[2][3] + zeros[4];
}
