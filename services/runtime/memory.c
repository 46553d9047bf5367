/* SPDX-License-Identifier: ISC */
/* memcpy, memmove, memset and memcmp: the only functions of a C library that units use. String
 * instructions, because the image is built without vector registers. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict target, const void *restrict source, size_t count)
{
    void *at = target;
    size_t words = count / 8;
    size_t rest = count % 8;
    __asm__ volatile("rep movsq" : "+D"(at), "+S"(source), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(source), "+c"(rest) : : "memory");
    return target;
}

void *memmove(void *target, const void *source, size_t count)
{
    if ((uintptr_t)target - (uintptr_t)source >= count)
        return memcpy(target, source, count);
    /* The target starts inside the source: from the end down, or the source would be overwritten
     * before it is read. */
    uint8_t *to = target;
    const uint8_t *from = source;
    while (count > 0) {
        count--;
        *(volatile uint8_t *)(to + count) = from[count];
    }
    return target;
}

void *memset(void *target, int value, size_t count)
{
    void *at = target;
    size_t words = count / 8;
    size_t rest = count % 8;
    uint64_t pattern = (uint8_t)value * UINT64_C(0x0101010101010101);
    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(pattern) : "memory");
    return target;
}

int memcmp(const void *left, const void *right, size_t count)
{
    const volatile uint8_t *a = left;
    const volatile uint8_t *b = right;
    for (size_t i = 0; i < count; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}
