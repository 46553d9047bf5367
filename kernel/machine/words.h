/* SPDX-License-Identifier: ISC */
/* Words of the kernel's command line. */
#ifndef BASALT_KERNEL_MACHINE_WORDS_H
#define BASALT_KERNEL_MACHINE_WORDS_H

#include <stdbool.h>

/* Whether `word` is one of the words of `line`, which spaces separate. */
bool words_have(const char *line, const char *word);

#endif
