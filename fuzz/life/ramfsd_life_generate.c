/* SPDX-License-Identifier: ISC */
/* Draws requests for ramfsd's life. Decides nothing about what is right: the model does. */
#include <string.h>

#include "fuzz/life/ramfsd_life.h"

/* Mostly a node that is there; of `kind` when one is found soon. */
static uint64_t some_node(struct choices *choices, uint32_t kind)
{
    uint64_t how = choices_below(choices, 24);
    uint64_t at = choices_below(choices, model.used);
    if (how == 0)
        return choices_u64(choices);
    if (how == 1)
        return model.lives[1 + at] << RAMFSD_PLACE_BITS | (1 + at); /* be it gone */
    for (uint64_t i = 0; how != 2 && i < model.used; i++) {
        const struct model_ramfsd_node *node = &model.nodes[1 + (at + i) % model.used];
        if (node->number != 0 && node->is.kind == kind)
            return node->number;
    }
    return model.nodes[1 + at].number;
}

static uint64_t some_account(struct choices *choices)
{
    uint64_t which = choices_below(choices, 8);
    return which == 7 ? choices_u64(choices) : which / 2;
}

/* Few names, so that they meet; some that are none. */
static uint32_t some_name(struct choices *choices, uint8_t *name)
{
    static const char *const names[] = {"a",    "b", "c",  "aa",  "\xC3\xA9",
                                        "name", ".", "..", "x/y", "\x7F"};
    uint64_t which = choices_below(choices, 24);
    if (which == 23) {
        memset(name, 'n', FILE_NAME_BYTES_MAX);
        return FILE_NAME_BYTES_MAX;
    }
    const char *text = names[which < 18 ? which % 6 : which < 20 ? 6 + which % 4 : 0];
    if (which == 22)
        text = names[6 + choices_below(choices, 4)];
    memcpy(name, text, strlen(text));
    return (uint32_t)strlen(text);
}

/* Near the ends of pages, of what there is, and of what there may be. */
static uint64_t some_offset(struct choices *choices)
{
    static const uint64_t near[] = {0,    1,        832,   4095,       4096,       8191,
                                    8192, 5 * 4096, 70000, 1ull << 32, 1ull << 39, FILE_BYTES_MAX};
    uint64_t which = choices_below(choices, 16);
    if (which == 15)
        return choices_u64(choices);
    if (which >= 12)
        return choices_below(choices, 3 * PAGE_BYTES);
    return near[which] - (near[which] == 0 ? 0 : choices_below(choices, 2));
}

void draw_attach(struct choices *choices, struct life_draft *draft)
{
    static const char *const sources[] = {"ram", "ram", "archive", "ra", "rams", "RAM"};
    struct ramfsd_attach_request *request = (void *)draft->body;
    const char *source = sources[choices_below(choices, 6)];
    request->count = (uint32_t)strlen(source);
    memcpy(request->source, source, request->count);
}

/* LOOKUP, UNLINK, RMDIR: the same fields. */
void draw_name(struct choices *choices, struct life_draft *draft)
{
    struct ramfsd_lookup_request *request = (void *)draft->body;
    request->directory_node = some_node(choices, FILE_KIND_DIRECTORY);
    request->count = some_name(choices, request->name);
}

/* STAT, READLINK. */
void draw_node(struct choices *choices, struct life_draft *draft)
{
    struct ramfsd_stat_request *request = (void *)draft->body;
    request->node = some_node(choices, FILE_KIND_SYMLINK);
}

/* OPEN, CLOSE. */
void draw_open(struct choices *choices, struct life_draft *draft)
{
    struct ramfsd_open_request *request = (void *)draft->body;
    request->node = some_node(choices, (uint32_t)choices_below(choices, FILE_KIND_LAST + 1));
}

void draw_read(struct choices *choices, struct life_draft *draft)
{
    struct ramfsd_read_request *request = (void *)draft->body;
    request->node = some_node(choices, FILE_KIND_FILE);
    request->offset_bytes = some_offset(choices);
    request->count = choices_below(choices, 3) == 0
                         ? (uint32_t)choices_below(choices, FILE_TRANSFER_BYTES_MAX + 1)
                         : FILE_TRANSFER_BYTES_MAX;
}

void draw_write(struct choices *choices, struct life_draft *draft)
{
    struct ramfsd_write_request *request = (void *)draft->body;
    uint8_t first = choices_u8(choices);
    request->node = some_node(choices, FILE_KIND_FILE);
    request->account = some_account(choices);
    request->offset_bytes = some_offset(choices);
    request->count = choices_below(choices, 3) == 0 ? FILE_TRANSFER_BYTES_MAX
                                                    : (uint32_t)choices_below(choices, 9);
    for (uint32_t i = 0; i < request->count; i++)
        request->bytes[i] = (uint8_t)(first + i);
}

void draw_create(struct choices *choices, struct life_draft *draft)
{
    struct ramfsd_create_request *request = (void *)draft->body;
    request->directory_node = some_node(choices, FILE_KIND_DIRECTORY);
    request->account = some_account(choices);
    request->kind = (uint32_t)choices_below(choices, 2);
    request->mode = choices_u16(choices) & FILE_MODE_BITS;
    request->count = some_name(choices, request->name);
}

void draw_symlink(struct choices *choices, struct life_draft *draft)
{
    static const char *const targets[] = {"/a", "../b", "a", "", "\xFF", "/a/b/c/d"};
    struct ramfsd_symlink_request *request = (void *)draft->body;
    request->directory_node = some_node(choices, FILE_KIND_DIRECTORY);
    request->account = some_account(choices);
    request->name_count = some_name(choices, request->name_and_target);
    const char *target = targets[choices_below(choices, 6)];
    request->count = request->name_count + (uint32_t)strlen(target);
    memcpy(request->name_and_target + request->name_count, target, strlen(target));
    if (request->count < 2)
        request->count = 2;
}

void draw_rename(struct choices *choices, struct life_draft *draft)
{
    struct ramfsd_rename_request *request = (void *)draft->body;
    request->from_directory = some_node(choices, FILE_KIND_DIRECTORY);
    request->to_directory = some_node(choices, FILE_KIND_DIRECTORY);
    request->from_count = some_name(choices, request->names);
    request->count = request->from_count + some_name(choices, request->names + request->from_count);
    if (choices_below(choices, 30) == 0)
        request->from_count = FILE_NAME_BYTES_MAX;
}

void draw_truncate(struct choices *choices, struct life_draft *draft)
{
    struct ramfsd_truncate_request *request = (void *)draft->body;
    request->node = some_node(choices, FILE_KIND_FILE);
    request->size_bytes = some_offset(choices);
}

void draw_readdir(struct choices *choices, struct life_draft *draft)
{
    struct ramfsd_readdir_request *request = (void *)draft->body;
    request->directory_node = some_node(choices, FILE_KIND_DIRECTORY);
    request->cursor = choices_below(choices, 8) == 0 ? choices_u64(choices)
                                                     : choices_below(choices, model.used + 2);
}

void draw_set_metadata(struct choices *choices, struct life_draft *draft)
{
    struct ramfsd_set_metadata_request *request = (void *)draft->body;
    uint64_t how = choices_below(choices, 3);
    request->node = some_node(choices, (uint32_t)choices_below(choices, FILE_KIND_LAST + 1));
    request->mask = how == 0 ? choices_u8(choices) & FILE_METADATA_BITS : FILE_METADATA_FLAGS;
    request->mode = choices_u16(choices) & FILE_MODE_BITS;
    request->flags = how == 2 ? FILE_IMMUTABLE : 0;
    request->owner = choices_u8(choices);
    request->accessed_ticks = choices_u8(choices);
    request->modified_ticks = choices_u64(choices);
}

static uint64_t some_badge(struct choices *choices)
{
    return choices_below(choices, 24) != 0 ? ROLE_VFSD
                                           : choices_below(choices, 2) * choices_u64(choices);
}

void ramfsd_life_generate(struct choices *choices, struct message *request)
{
    life_generate(&ramfsd_life_language, choices, some_badge, request);
}
