/* SPDX-License-Identifier: ISC */
/* The walk: from a path to what it means. Decides which node that is, and whether the client may go
 * there; changes nothing but the walk itself and sessions of providers. */
#include <stddef.h>
#include <string.h>

#include "services/vfsd/internal.h"

bool vfsd_may(uint32_t client, uint64_t owner, uint32_t mode, uint32_t bits)
{
    uint32_t granted = client == owner ? mode >> 6 : mode;
    return (granted & bits) == bits; /* F7 */
}

/* --- directories on the way ------------------------------------------------------------------- */

static struct vfsd_step *top(struct vfsd_walk *walk)
{
    UNIT_ASSERT(walk->depth != 0);
    return &walk->steps[walk->depth - 1];
}

static void push(struct vfsd_walk *walk, const struct vfsd_node *node, uint32_t path_count)
{
    UNIT_ASSERT(walk->depth < VFSD_DEPTH_LIMIT); /* each but the first has two bytes of the path */
    walk->steps[walk->depth++] = (struct vfsd_step){
        .node = node->is.node,
        .owner = node->is.owner,
        .mount = node->mount,
        .mode = node->is.mode,
        .path_count = path_count,
    };
}

/* The root of a mount. */
static enum status enter_mount(struct vfsd *vfsd, uint32_t mount, struct vfsd_node *node)
{
    enum status status = vfsd_mount_use(vfsd, mount);
    if (status == STATUS_OK)
        status = vfsd_provider_stat(vfsd, mount, vfsd->mounts[mount].root_node, FILE_KIND_DIRECTORY,
                                    node);
    return status;
}

/* --- one name --------------------------------------------------------------------------------- */

/* A name of the walk, and what is under it. */
struct entry {
    struct vfsd_text name;
    struct vfsd_text path; /* up to it, without links */
    bool is_last;
    bool exists;
    struct vfsd_node node;
};

/* Puts the name behind the path of the directory; there it stays while the rest changes. */
static enum status entry_name(struct vfsd_walk *walk, struct vfsd_text name, struct entry *entry)
{
    uint32_t before = top(walk)->path_count;
    uint32_t count = before + 1 + name.count;
    if (count > FILE_PATH_BYTES_MAX)
        return STATUS_OUT_OF_RANGE;
    walk->path[before] = '/';
    memcpy(walk->path + before + 1, name.bytes, name.count);
    entry->name = (struct vfsd_text){walk->path + before + 1, name.count};
    entry->path = (struct vfsd_text){walk->path, count};
    return STATUS_OK;
}

/* What the path means: a mount's root, or what the provider has there (F7). */
static enum status entry_find(struct vfsd *vfsd, struct entry *entry)
{
    const struct vfsd_step *directory = top(&vfsd->walk);
    uint32_t mount = vfsd_mount_at(vfsd, entry->path);
    enum status status = mount != VFSD_MOUNT_LIMIT
                             ? enter_mount(vfsd, mount, &entry->node)
                             : vfsd_provider_lookup(vfsd, directory->mount, directory->node,
                                                    entry->name, &entry->node);
    entry->exists = status == STATUS_OK;
    return status == STATUS_NOT_FOUND && entry->is_last ? STATUS_OK : status;
}

/* Goes on with what a link says, and then with the rest. */
static enum status link_follow(struct vfsd *vfsd, const struct vfsd_node *link)
{
    struct vfsd_walk *walk = &vfsd->walk;
    uint8_t target[RAMFSD_TARGET_BYTES];
    uint32_t count;
    if (walk->link_count == VFSD_LINK_LIMIT)
        return STATUS_LINK_LOOP;
    walk->link_count++;
    enum status status = vfsd_provider_readlink(vfsd, link->mount, link->is.node, target, &count);
    if (status != STATUS_OK)
        return status;
    uint32_t left = walk->rest_count - walk->rest_at;
    if (count + 1 + left > VFSD_WALK_BYTES_MAX)
        return STATUS_OUT_OF_RANGE;
    memmove(walk->rest + count + 1, walk->rest + walk->rest_at, left);
    memcpy(walk->rest, target, count);
    walk->rest[count] = '/';
    walk->rest_count = count + 1 + left;
    walk->rest_at = 0;
    if (target[0] == '/')
        walk->depth = 1;
    return STATUS_OK;
}

static bool rest_has_part(const struct vfsd_walk *walk)
{
    size_t at = walk->rest_at;
    struct path_part part;
    return path_next(walk->rest, walk->rest_count, &at, &part);
}

/* The walk is over at a name. */
static void end_at(struct vfsd *vfsd, const struct entry *entry, struct vfsd_place *place)
{
    place->directory = *top(&vfsd->walk);
    place->has_name = true;
    place->is_mount_point = vfsd_mount_is_below(vfsd, entry->path);
    place->exists = entry->exists;
    place->name_count = entry->name.count;
    memcpy(place->name, entry->name.bytes, entry->name.count);
    place->node = entry->node;
}

static enum status walk_name(struct vfsd *vfsd, struct vfsd_text name, bool follows,
                             struct vfsd_place *place)
{
    struct vfsd_walk *walk = &vfsd->walk;
    struct entry entry = {.is_last = !rest_has_part(walk)};
    enum status status = entry_name(walk, name, &entry);
    if (status == STATUS_OK)
        status = entry_find(vfsd, &entry);
    if (status != STATUS_OK)
        return status;
    bool is_link = entry.exists && entry.node.is.kind == FILE_KIND_SYMLINK;
    if (is_link && (follows || !entry.is_last))
        return link_follow(vfsd, &entry.node);
    if (entry.is_last)
        end_at(vfsd, &entry, place);
    else if (entry.node.is.kind != FILE_KIND_DIRECTORY)
        return STATUS_NOT_DIRECTORY;
    else
        push(walk, &entry.node, entry.path.count);
    return STATUS_OK;
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool is_dots(struct vfsd_text name, uint32_t count)
{
    return name.count == count && memcmp(name.bytes, "..", count) == 0;
}

/* One component, which may be "." or ".." in a link's target. */
static enum status walk_part(struct vfsd *vfsd, struct vfsd_text name, bool follows,
                             struct vfsd_place *place)
{
    struct vfsd_walk *walk = &vfsd->walk;
    const struct vfsd_step *directory = top(walk);
    if (!vfsd_may(walk->client, directory->owner, directory->mode, VFSD_MODE_ENTER))
        return STATUS_DENIED; /* F7 */
    if (is_dots(name, 2) && walk->depth > 1)
        walk->depth--;
    if (is_dots(name, 1) || is_dots(name, 2))
        return STATUS_OK;
    return walk_name(vfsd, name, follows, place);
}

static enum status walk_begin(struct vfsd *vfsd, uint32_t client, struct vfsd_text path)
{
    static const struct vfsd_text root = {NULL, 0};
    struct vfsd_walk *walk = &vfsd->walk;
    struct vfsd_node node;
    uint32_t mount = vfsd_mount_at(vfsd, root);
    enum status status = path_check(path.bytes, path.count);
    if (status != STATUS_OK)
        return status;
    UNIT_ASSERT(mount != VFSD_MOUNT_LIMIT); /* it is sealed */
    walk->client = client;
    walk->link_count = 0;
    walk->depth = 0;
    walk->rest_at = 0;
    walk->rest_count = path.count;
    memcpy(walk->rest, path.bytes, path.count);
    status = enter_mount(vfsd, mount, &node);
    if (status == STATUS_OK)
        push(walk, &node, 0);
    return status;
}

/* It ended in a directory that has no name here. */
static enum status end_in(struct vfsd *vfsd, struct vfsd_place *place)
{
    place->directory = *top(&vfsd->walk);
    place->is_mount_point = true;
    place->exists = true;
    return vfsd_provider_stat(vfsd, place->directory.mount, place->directory.node,
                              FILE_KIND_DIRECTORY, &place->node);
}

enum status vfsd_walk_path(struct vfsd *vfsd, uint32_t client, struct vfsd_text path, bool follows,
                           struct vfsd_place *place)
{
    struct vfsd_walk *walk = &vfsd->walk;
    struct path_part part;
    place->has_name = false;
    enum status status = walk_begin(vfsd, client, path);
    size_t at = 0;
    while (status == STATUS_OK && path_next(walk->rest, walk->rest_count, &at, &part)) {
        struct vfsd_text name = {walk->rest + part.from, (uint32_t)part.count};
        walk->rest_at = (uint32_t)at;
        status = walk_part(vfsd, name, follows, place);
        at = walk->rest_at; /* 0 again behind a link */
    }
    if (status == STATUS_OK && !place->has_name)
        status = end_in(vfsd, place);
    return status;
}

enum status vfsd_walk_existing(struct vfsd *vfsd, uint32_t client, struct vfsd_text path,
                               bool follows, struct vfsd_place *place)
{
    enum status status = vfsd_walk_path(vfsd, client, path, follows, place);
    return status == STATUS_OK && !place->exists ? STATUS_NOT_FOUND : status;
}
