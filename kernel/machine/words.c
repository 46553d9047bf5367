/* SPDX-License-Identifier: ISC */
/* Words of the kernel's command line. A word counts as a whole: "clocksource" is no "clock". */
#include "kernel/machine/words.h"

bool words_have(const char *line, const char *word)
{
    for (;;) {
        while (*line == ' ')
            line++;
        if (*line == '\0')
            return false;
        const char *left = word;
        while (*left != '\0' && *line == *left) {
            line++;
            left++;
        }
        if (*left == '\0' && (*line == ' ' || *line == '\0'))
            return true;
        while (*line != ' ' && *line != '\0')
            line++;
    }
}
