/* SPDX-License-Identifier: ISC */
/* The one rule for names of boot modules. Decides what a name is; never what it means. */
#include "abi/formats/boot_name.h"

#include <string.h>

#include "abi/formats/cursor.h"

static bool in_alphabet(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
}

enum status boot_name_check(const char name[BOOT_MODULE_NAME_BYTES])
{
    return boot_text_check(name, BOOT_MODULE_NAME_BYTES);
}

enum status boot_text_check(const char *text, size_t size_bytes)
{
    size_t length = 0;
    while (length < size_bytes && in_alphabet(text[length]))
        length++;
    if (length == 0 || length == size_bytes || text[length] != 0)
        return STATUS_BAD_TEXT;
    return bytes_zero((const uint8_t *)text + length, size_bytes - length)
               ? STATUS_OK
               : STATUS_RESERVED_NOT_ZERO;
}

enum status boot_name_set(char name[BOOT_MODULE_NAME_BYTES], const char *text)
{
    memset(name, 0, BOOT_MODULE_NAME_BYTES);
    for (size_t i = 0; text[i] != 0; i++) {
        if (i == BOOT_MODULE_NAME_BYTES - 1) {
            memset(name, 0, BOOT_MODULE_NAME_BYTES);
            return STATUS_BAD_TEXT;
        }
        name[i] = text[i];
    }
    enum status status = boot_name_check(name);
    if (status != STATUS_OK)
        memset(name, 0, BOOT_MODULE_NAME_BYTES);
    return status;
}

bool boot_name_is(const char name[BOOT_MODULE_NAME_BYTES], const char *text)
{
    size_t i = 0;
    while (i < BOOT_MODULE_NAME_BYTES && name[i] == text[i]) {
        if (name[i] == 0)
            return true;
        i++;
    }
    return false;
}
