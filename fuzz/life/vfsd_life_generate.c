/* SPDX-License-Identifier: ISC */
/* Draws requests for vfsd's life. Decides nothing about what is right: the model does. */
#include <string.h>

#include "fuzz/life/vfsd_life.h"

/* --- paths --- */

static const char *const names[] = {"f", "d",  "g",   "a",   "b",   "l",    "p",   "tmp",
                                    "x", "in", "etc", "bin", "run", "shut", "out", "nil"};

static uint32_t put(uint8_t *path, uint32_t count, const char *text)
{
    uint32_t more = (uint32_t)strlen(text);
    if (count + 1 + more > FILE_PATH_BYTES_MAX)
        return count;
    path[count] = '/';
    memcpy(path + count + 1, text, more);
    return count + 1 + more;
}

/* Of what is there: a node's names from its mount on. */
static uint32_t path_of_node(struct choices *choices, uint8_t *path)
{
    uint32_t chain[MODEL_RAMFSD_LIMIT];
    uint32_t depth = 0;
    if (model.mount_count == 0)
        return 0;
    const struct model_vfsd_mount *mount = &model.mounts[choices_below(choices, model.mount_count)];
    struct model_ramfsd *tree = model.trees[mount->tree];
    uint64_t number = tree->nodes[1 + choices_below(choices, tree->used)].number;
    for (struct model_ramfsd_node *node = model_ramfsd_find(tree, number);
         node != NULL && node->directory != 0 && depth < MODEL_RAMFSD_LIMIT;
         node = model_ramfsd_find(tree, node->directory))
        chain[depth++] = (uint32_t)(node - tree->nodes);
    uint32_t count = mount->path_count;
    memcpy(path, mount->path, count);
    while (depth-- != 0) {
        const struct model_ramfsd_node *node = &tree->nodes[chain[depth]];
        if (count + 1 + node->name_count > FILE_PATH_BYTES_MAX)
            return count;
        path[count] = '/';
        memcpy(path + count + 1, node->name, node->name_count);
        count += 1 + node->name_count;
    }
    return count;
}

static uint32_t some_odd_path(struct choices *choices, uint8_t *path)
{
    static const char *const odd[] = {"a",     "/a/",   "//",    "/..",  "/./a",   "/a//b",
                                      "/\x01", "/\xFF", "/loop", "/big", "/loop/x"};
    uint64_t which = choices_below(choices, sizeof odd / sizeof odd[0] + 1);
    if (which < sizeof odd / sizeof odd[0]) {
        memcpy(path, odd[which], strlen(odd[which]));
        return (uint32_t)strlen(odd[which]);
    }
    memset(path, 'n', FILE_PATH_BYTES_MAX);
    path[0] = '/';
    return 2 + (uint32_t)choices_below(choices, FILE_PATH_BYTES_MAX - 1);
}

/* Mostly one that begins with what is there. */
static uint32_t some_path(struct choices *choices, uint8_t *path)
{
    uint64_t how = choices_below(choices, 16);
    if (how == 0)
        return some_odd_path(choices, path);
    uint32_t count = how < 12 ? path_of_node(choices, path) : 0;
    uint64_t more = how < 6 ? 0 : choices_below(choices, 3);
    for (uint64_t i = 0; i < more || (i == 0 && count == 0 && how != 11); i++)
        count = put(path, count, names[choices_below(choices, sizeof names / sizeof names[0])]);
    if (count == 0) {
        path[0] = '/';
        count = 1;
    }
    return count;
}

/* --- clients and handles --- */

static uint64_t some_badge(struct choices *choices)
{
    return life_some_client(choices, ROLE_PHASE0_PROBE, VFSD_LIFE_CLIENTS);
}

/* Mostly one that is open, and mostly its client. */
static uint64_t some_handle(struct choices *choices, struct life_draft *draft)
{
    uint64_t how = choices_below(choices, 16);
    uint64_t at = choices_below(choices, 8);
    if (how == 0)
        return choices_u64(choices);
    for (uint64_t i = 0; i < VFSD_HANDLE_LIMIT; i++) {
        const struct model_vfsd_handle *handle = &model.handles[(at + i) % VFSD_HANDLE_LIMIT];
        if (handle->number == 0)
            continue;
        if (how != 1)
            draft->badge = handle->client;
        return handle->number;
    }
    return model.last_handle << VFSD_HANDLE_PLACE_BITS;
}

/* --- requests --- */

void draw_open(struct choices *choices, struct life_draft *draft)
{
    static const uint32_t some_flags[] = {
        VFSD_OPEN_READ,
        VFSD_OPEN_READ,
        VFSD_OPEN_READ | VFSD_OPEN_WRITE,
        VFSD_OPEN_WRITE | VFSD_OPEN_CREATE,
        VFSD_OPEN_READ | VFSD_OPEN_WRITE | VFSD_OPEN_CREATE,
        VFSD_OPEN_WRITE | VFSD_OPEN_CREATE | VFSD_OPEN_EXCLUSIVE,
        VFSD_OPEN_WRITE | VFSD_OPEN_TRUNCATE,
        VFSD_OPEN_READ | VFSD_OPEN_DIRECTORY,
        VFSD_OPEN_READ | VFSD_OPEN_DIRECTORY,
    };
    struct vfsd_open_request *request = (void *)draft->body;
    uint64_t which = choices_below(choices, 11);
    request->flags = which < 9 ? some_flags[which] : choices_u8(choices) & VFSD_OPEN_BITS;
    if (which == 9)
        request->flags |= VFSD_OPEN_READ | VFSD_NO_FOLLOW;
    request->mode = choices_flag(choices) ? 0644 : choices_u16(choices) & FILE_MODE_BITS;
    request->count = some_path(choices, request->path);
}

/* CLOSE, STAT_HANDLE. */
void draw_handle(struct choices *choices, struct life_draft *draft)
{
    struct vfsd_close_request *request = (void *)draft->body;
    request->handle = some_handle(choices, draft);
}

static uint64_t some_offset(struct choices *choices)
{
    static const uint64_t near[] = {0, 0, 3, 10, 4095, 5000, UINT64_C(1) << 40, UINT64_MAX};
    return near[choices_below(choices, sizeof near / sizeof near[0])];
}

void draw_read(struct choices *choices, struct life_draft *draft)
{
    struct vfsd_read_request *request = (void *)draft->body;
    request->handle = some_handle(choices, draft);
    request->offset_bytes = some_offset(choices);
    request->count =
        choices_flag(choices) ? FILE_TRANSFER_BYTES_MAX : (uint32_t)choices_below(choices, 20);
}

void draw_write(struct choices *choices, struct life_draft *draft)
{
    struct vfsd_write_request *request = (void *)draft->body;
    request->handle = some_handle(choices, draft);
    request->offset_bytes = some_offset(choices);
    request->count = choices_below(choices, 4) == 0 ? FILE_TRANSFER_BYTES_MAX
                                                    : (uint32_t)choices_below(choices, 9);
    memset(request->bytes, choices_u8(choices), request->count);
}

void draw_readdir(struct choices *choices, struct life_draft *draft)
{
    struct vfsd_readdir_request *request = (void *)draft->body;
    request->handle = some_handle(choices, draft);
    request->cursor =
        choices_below(choices, 8) == 0 ? choices_u64(choices) : choices_below(choices, 18);
}

void draw_truncate(struct choices *choices, struct life_draft *draft)
{
    struct vfsd_truncate_request *request = (void *)draft->body;
    request->handle = some_handle(choices, draft);
    request->size_bytes = some_offset(choices);
}

/* UNLINK, RMDIR, READLINK: the same fields. */
void draw_path(struct choices *choices, struct life_draft *draft)
{
    struct vfsd_unlink_request *request = (void *)draft->body;
    request->count = some_path(choices, request->path);
}

void draw_mkdir(struct choices *choices, struct life_draft *draft)
{
    struct vfsd_mkdir_request *request = (void *)draft->body;
    request->mode = choices_flag(choices) ? 0777 : choices_u16(choices) & FILE_MODE_BITS;
    request->count = some_path(choices, request->path);
}

void draw_stat(struct choices *choices, struct life_draft *draft)
{
    struct vfsd_stat_request *request = (void *)draft->body;
    request->flags = choices_below(choices, 3) == 0 ? VFSD_NO_FOLLOW : 0;
    request->count = some_path(choices, request->path);
}

/* RENAME, LINK: the same fields. */
void draw_two(struct choices *choices, struct life_draft *draft)
{
    struct vfsd_rename_request *request = (void *)draft->body;
    request->from_count = some_path(choices, request->paths);
    request->count = request->from_count + some_path(choices, request->paths + request->from_count);
    if (choices_below(choices, 30) == 0)
        request->from_count = FILE_PATH_BYTES_MAX;
}

void draw_symlink(struct choices *choices, struct life_draft *draft)
{
    static const char *const targets[] = {"/f",       "../f",      "f",       ".",
                                          "/tmp/d/g", "/",         "../../d", "l",
                                          "\xFF",     "a//./../d", "/a/b/f",  "/etc"};
    struct vfsd_symlink_request *request = (void *)draft->body;
    request->path_count = some_path(choices, request->path_and_target);
    const char *target = targets[choices_below(choices, 12)];
    request->count = request->path_count + (uint32_t)strlen(target);
    memcpy(request->path_and_target + request->path_count, target, strlen(target));
    if (choices_below(choices, 30) == 0)
        request->path_count = FILE_PATH_BYTES_MAX;
}

void draw_set_metadata(struct choices *choices, struct life_draft *draft)
{
    struct vfsd_set_metadata_request *request = (void *)draft->body;
    request->mask = choices_below(choices, 3) == 0 ? choices_u8(choices) & FILE_METADATA_BITS
                                                   : FILE_METADATA_MODE;
    request->mode = choices_u16(choices) & FILE_MODE_BITS;
    request->file_flags = choices_flag(choices) ? FILE_IMMUTABLE : 0;
    request->flags = choices_below(choices, 3) == 0 ? VFSD_NO_FOLLOW : 0;
    request->owner = choices_below(choices, 4) == 0
                         ? choices_u64(choices)
                         : ROLE_PHASE0_PROBE + choices_below(choices, VFSD_LIFE_CLIENTS);
    request->accessed_ticks = choices_u8(choices);
    request->modified_ticks = choices_u64(choices);
    request->count = some_path(choices, request->path);
}

void draw_seed_mount(struct choices *choices, struct life_draft *draft)
{
    static const char *const sources[] = {"ram", "ram", "archive", "rum"};
    static const char *const paths[] = {"/", "/", "/tmp", "/a/b", "/a", "x", ""};
    struct vfsd_seed_mount_request *request = (void *)draft->body;
    uint64_t tree = choices_below(choices, MODEL_VFSD_TREES + 1);
    const char *source = sources[choices_below(choices, 4)];
    const char *path = paths[choices_below(choices, 7)];
    request->provider_role =
        tree < MODEL_VFSD_TREES ? model_vfsd_role((uint32_t)tree) : 1u + choices_u8(choices);
    request->flags = (uint32_t)choices_below(choices, 2);
    request->source_count = (uint32_t)strlen(source);
    request->count = request->source_count + (uint32_t)strlen(path);
    memcpy(request->source_and_path, source, request->source_count);
    memcpy(request->source_and_path + request->source_count, path, strlen(path));
    draft->badge = 0;
}

void draw_seal(struct choices *choices, struct life_draft *draft)
{
    (void)choices;
    draft->badge = 0;
}

void vfsd_life_generate(struct choices *choices, struct message *request)
{
    life_generate(&vfsd_life_language, choices, some_badge, request);
}
