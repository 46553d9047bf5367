/* SPDX-License-Identifier: ISC */
/* Walks named's whole table: is it in order, and could each entry have been seeded. Decides nothing
 * and changes nothing. */
#include "services/named/internal.h"

#include <stddef.h>
#include <string.h>

static uint32_t name_length(const char *name)
{
    uint32_t length = 0;
    while (length < NAMED_NAME_BYTES && name[length] != '\0')
        length++;
    return length;
}

static bool name_agrees(const char *name)
{
    uint32_t length = name_length(name);
    for (uint32_t i = length; i < NAMED_NAME_BYTES; i++)
        if (name[i] != '\0')
            return false;
    return named_name_valid(name, length);
}

static bool entry_agrees(const struct named *named, uint32_t index)
{
    const struct named_entry *entry = &named->entries[index];
    const struct named_entry *next = entry + 1;
    bool roles = entry->client_role != 0 && entry->client_role <= ROLE_ID_MAX &&
                 entry->service_role != 0 && entry->service_role <= ROLE_ID_MAX;
    bool rights = (entry->rights & RIGHT_SEND) != 0 && (entry->rights & ~NAMED_RIGHTS) == 0;
    bool ordered =
        index + 1 == named->entry_count || named_compare(entry, next->client_role, next->name) < 0;
    bool early = named->is_sealed == 0 && entry->is_registered != 0;
    return roles && rights && ordered && !early && name_agrees(entry->name);
}

const char *named_check(const struct named *named)
{
    if (named->entry_count > NAMED_ENTRY_LIMIT)
        return "E6";
    for (uint32_t i = 0; i < named->entry_count; i++)
        if (!entry_agrees(named, i))
            return "N1";
    return NULL;
}

void named_visit_fields(const struct named *named, void (*visit)(void *context, uint64_t value),
                        void *context)
{
    visit(context, (uint64_t)named->is_sealed << 32 | named->entry_count);
    for (uint32_t i = 0; i < named->entry_count; i++) {
        const struct named_entry *entry = &named->entries[i];
        uint64_t words[NAMED_NAME_BYTES / sizeof(uint64_t)];
        memcpy(words, entry->name, sizeof words);
        visit(context, (uint64_t)entry->client_role << 32 | entry->service_role);
        visit(context, (uint64_t)entry->rights << 32 | entry->is_registered);
        visit(context, words[0]);
        visit(context, words[1]);
    }
}
