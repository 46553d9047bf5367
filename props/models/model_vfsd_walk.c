/* SPDX-License-Identifier: ISC */
/* What a path means, in the model of vfsd: where one stands is a path of its own, without links,
 * and what is there is looked up from the mount's root each time. */
#include <string.h>

#include "abi/formats/path.h"
#include "props/models/model_vfsd_inside.h"

static const enum status no_refusal[] = {STATUS_OK};
static const enum status not_found[] = {STATUS_NOT_FOUND, STATUS_OK};

bool model_vfsd_permits(uint32_t client, const struct ramfsd_stat_reply *node, uint32_t bits)
{
    uint32_t shift = node->owner == client ? 6 : 0;
    return (node->mode >> shift & bits) == bits;
}

bool model_vfsd_read_only(const struct model_vfsd *model, uint32_t mount)
{
    return model->mounts[mount].seeded_read_only || model->mounts[mount].source_read_only;
}

/* --- where a path lies ------------------------------------------------------------------------ */

/* The mount whose path is exactly that; MODEL_VFSD_MOUNTS: none. */
static uint32_t mount_at(const struct model_vfsd *model, const uint8_t *path, uint32_t count)
{
    for (uint32_t i = 0; i < model->mount_count; i++)
        if (model->mounts[i].path_count == count && memcmp(model->mounts[i].path, path, count) == 0)
            return i;
    return MODEL_VFSD_MOUNTS;
}

/* The mount with the longest path on the way. */
uint32_t model_vfsd_mount_of(const struct model_vfsd *model, const uint8_t *path, uint32_t count)
{
    uint32_t best = MODEL_VFSD_MOUNTS;
    for (uint32_t i = 0; i < model->mount_count; i++) {
        uint32_t own = model->mounts[i].path_count;
        bool on_the_way = own <= count && memcmp(model->mounts[i].path, path, own) == 0 &&
                          (own == count || path[own] == '/');
        if (on_the_way && (best == MODEL_VFSD_MOUNTS || own > model->mounts[best].path_count))
            best = i;
    }
    return best;
}

/* The node of a path that is there, by names from the mount's root on. */
static struct ramfsd_stat_reply stand_at(struct model_vfsd *model, const uint8_t *path,
                                         uint32_t count)
{
    uint32_t mount = model_vfsd_mount_of(model, path, count);
    struct model_ramfsd *tree = model->trees[model->mounts[mount].tree];
    uint64_t number = model->mounts[mount].root;
    size_t at = model->mounts[mount].path_count;
    struct path_part part;
    while (path_next(path, count, &at, &part)) {
        uint64_t found = 0;
        for (uint32_t place = 1; place <= tree->used; place++) {
            const struct model_ramfsd_node *node = &tree->nodes[place];
            if (node->number != 0 && node->directory == number && node->name_count == part.count &&
                memcmp(node->name, path + part.from, part.count) == 0)
                found = node->number;
        }
        number = found;
    }
    const struct model_ramfsd_node *node = model_ramfsd_find(tree, number);
    HARNESS(node != NULL);
    struct ramfsd_stat_reply is = node->is;
    is.node = node->number;
    return is;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* What is still to be walked. */
struct rest {
    uint8_t bytes[MODEL_VFSD_WALK_BYTES];
    uint32_t count;
    uint32_t links;
};

/* The first component of the rest, which is taken off. False: there is none. */
static bool take_part(struct rest *rest, uint8_t *name, uint32_t *count)
{
    size_t at = 0;
    struct path_part part;
    if (!path_next(rest->bytes, rest->count, &at, &part))
        return false;
    memcpy(name, rest->bytes + part.from, part.count);
    *count = (uint32_t)part.count;
    rest->count -= (uint32_t)at;
    memmove(rest->bytes, rest->bytes + at, rest->count);
    return true;
}

static bool has_part(const struct rest *rest)
{
    size_t at = 0;
    struct path_part part;
    return path_next(rest->bytes, rest->count, &at, &part);
}

/* The root of a mount, with a session. */
static enum status root_of(struct model_vfsd *model, uint32_t mount, struct ramfsd_stat_reply *node)
{
    struct model_ramfsd_answer answer;
    if (model_vfsd_is_let_be(model, mount))
        return STATUS_TIMED_OUT;
    enum status status = model_vfsd_begin(model, mount);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_PEER_DIED : status;
    struct ramfsd_stat_request stat = {.node = model->mounts[mount].root};
    status = model_vfsd_ask(model, mount, &ramfsd_stat_request_type, &stat, no_refusal, &answer);
    *node = answer.reply.attributes;
    return status;
}

/* What a name means where one stands; place->path is that of the entry. */
static enum status entry_at(struct model_vfsd *model, const struct ramfsd_stat_reply *directory,
                            uint32_t mount, const uint8_t *name, uint32_t count,
                            struct model_vfsd_place *place)
{
    struct model_ramfsd_answer answer;
    struct ramfsd_lookup_request lookup = {.directory_node = directory->node, .count = count};
    uint32_t covers = mount_at(model, place->path, place->path_count);
    if (covers != MODEL_VFSD_MOUNTS) {
        place->node_mount = covers;
        return root_of(model, covers, &place->node);
    }
    memcpy(lookup.name, name, count);
    enum status status =
        model_vfsd_ask(model, mount, &ramfsd_lookup_request_type, &lookup, not_found, &answer);
    place->node_mount = mount;
    place->node = answer.reply.attributes;
    return status;
}

/* A link is followed: its target comes before the rest, from where it lies or from "/". */
static enum status follow(struct model_vfsd *model, struct rest *rest,
                          struct model_vfsd_place *place)
{
    struct model_ramfsd_answer answer;
    struct ramfsd_readlink_request readlink = {.node = place->node.node};
    if (rest->links == MODEL_VFSD_LINKS)
        return STATUS_LINK_LOOP;
    rest->links++;
    enum status status = model_vfsd_ask(model, place->node_mount, &ramfsd_readlink_request_type,
                                        &readlink, no_refusal, &answer);
    if (status != STATUS_OK)
        return status;
    const struct ramfsd_readlink_reply *target = &answer.reply.readlink;
    if (target->count + 1 + rest->count > MODEL_VFSD_WALK_BYTES)
        return STATUS_OUT_OF_RANGE;
    memmove(rest->bytes + target->count + 1, rest->bytes, rest->count);
    memcpy(rest->bytes, target->target, target->count);
    rest->bytes[target->count] = '/';
    rest->count += target->count + 1;
    place->path_count = target->target[0] == '/' ? 0 : place->name_from - 1;
    return STATUS_OK;
}

/* A component where one stands. */
static enum status step(struct model_vfsd *model, uint32_t client, struct rest *rest,
                        const uint8_t *name, uint32_t count, bool follows,
                        struct model_vfsd_place *place)
{
    uint32_t mount = model_vfsd_mount_of(model, place->path, place->path_count);
    struct ramfsd_stat_reply directory = stand_at(model, place->path, place->path_count);
    if (!model_vfsd_permits(client, &directory, 1))
        return STATUS_DENIED;
    if (count == 1 && name[0] == '.')
        return STATUS_OK;
    if (count == 2 && name[0] == '.' && name[1] == '.') {
        while (place->path_count != 0 && place->path[--place->path_count] != '/')
            ;
        return STATUS_OK;
    }
    if (place->path_count + 1 + count > FILE_PATH_BYTES_MAX)
        return STATUS_OUT_OF_RANGE;
    place->path[place->path_count] = '/';
    memcpy(place->path + place->path_count + 1, name, count);
    place->name_from = place->path_count + 1;
    place->path_count += 1 + count;
    enum status status = entry_at(model, &directory, mount, name, count, place);
    bool last = !has_part(rest);
    place->exists = status == STATUS_OK;
    if (status != STATUS_OK && !(status == STATUS_NOT_FOUND && last))
        return status;
    if (place->exists && place->node.kind == FILE_KIND_SYMLINK && (follows || !last))
        return follow(model, rest, place);
    if (!last)
        return place->node.kind == FILE_KIND_DIRECTORY ? STATUS_OK : STATUS_NOT_DIRECTORY;
    place->ends_at_name = true;
    place->mount = mount;
    place->directory = directory;
    return STATUS_OK;
}

enum status model_vfsd_walk(struct model_vfsd *model, uint32_t client, struct model_vfsd_text path,
                            bool follows, struct model_vfsd_place *place)
{
    static struct rest rest;
    uint8_t name[RAMFSD_NAME_BYTES];
    uint32_t count;
    struct model_ramfsd_answer answer;
    memset(place, 0, sizeof *place);
    enum status status = path_check(path.bytes, path.count);
    if (status != STATUS_OK)
        return status;
    rest.links = 0;
    rest.count = path.count;
    memcpy(rest.bytes, path.bytes, path.count);
    uint32_t top = mount_at(model, path.bytes, 0);
    status = root_of(model, top, &place->node);
    while (status == STATUS_OK && take_part(&rest, name, &count))
        status = step(model, client, &rest, name, count, follows, place);
    if (status != STATUS_OK || place->ends_at_name)
        return status;
    /* A directory that has no name here. */
    struct ramfsd_stat_reply stands = stand_at(model, place->path, place->path_count);
    struct ramfsd_stat_request stat = {.node = stands.node};
    place->exists = true;
    place->mount = place->node_mount = model_vfsd_mount_of(model, place->path, place->path_count);
    place->directory = stands;
    status =
        model_vfsd_ask(model, place->mount, &ramfsd_stat_request_type, &stat, no_refusal, &answer);
    place->node = answer.reply.attributes;
    return status;
}
