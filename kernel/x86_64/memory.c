/* SPDX-License-Identifier: ISC */
/* The four functions that a freestanding compiler may call. Words first: a string
 * instruction costs by the iteration. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict target, const void *restrict source, size_t count)
{
    void *to = target;
    size_t words = count / 8;
    size_t rest = count % 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(source), "+c"(words) : : "memory");
    if (rest != 0)
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(source), "+c"(rest) : : "memory");
    return target;
}

void *memset(void *target, int value, size_t count)
{
    void *to = target;
    size_t words = count / 8;
    size_t rest = count % 8;
    uint64_t pattern = (uint8_t)value * UINT64_C(0x0101010101010101);
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
    if (rest != 0)
        __asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
    return target;
}

void *memmove(void *target, const void *source, size_t count)
{
    uint8_t *to = target;
    const uint8_t *from = source;
    if (to <= from || to >= from + count)
        return memcpy(target, source, count);
    for (size_t i = count; i > 0; i--)
        to[i - 1] = from[i - 1];
    return target;
}

int memcmp(const void *left, const void *right, size_t count)
{
    const uint8_t *a = left;
    const uint8_t *b = right;
    for (size_t i = 0; i < count; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}
