/* SPDX-License-Identifier: ISC */
/* The operations on a name in a directory. Decides what may come, go and move in the tree; nothing
 * here touches the bytes of a file. */
#include <stddef.h>
#include <string.h>

#include "services/ramfsd/internal.h"

/* A directory and a name that a message says. */
static enum status take_name(const struct ramfsd *ramfsd, uint64_t directory_node,
                             struct ramfsd_name name, uint32_t *directory)
{
    enum status status = ramfsd_find_directory(ramfsd, directory_node, directory);
    return status != STATUS_OK ? status : path_check_name(name.bytes, name.count);
}

/* The entry that they mean. */
static enum status take_entry(const struct ramfsd *ramfsd, uint64_t directory_node,
                              struct ramfsd_name name, uint32_t *directory, uint32_t *entry)
{
    enum status status = take_name(ramfsd, directory_node, name, directory);
    if (status != STATUS_OK)
        return status;
    *entry = ramfsd_entry(ramfsd, *directory, name);
    return *entry != 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

static bool is_immutable(const struct ramfsd *ramfsd, uint32_t place)
{
    return (ramfsd->node[place].flags & FILE_IMMUTABLE) != 0;
}

static bool is_directory(const struct ramfsd *ramfsd, uint32_t place)
{
    return ramfsd->node[place].kind == FILE_KIND_DIRECTORY;
}

enum status ramfsd_lookup(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_lookup_request *body = &request->body.lookup;
    struct ramfsd_name name = {body->name, body->count};
    uint32_t directory;
    uint32_t entry;
    enum status status = take_entry(ramfsd, body->directory_node, name, &directory, &entry);
    if (status == STATUS_OK)
        ramfsd_attributes(ramfsd, entry, &request->reply);
    return status;
}

enum status ramfsd_readdir(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_readdir_request *body = &request->body.readdir;
    struct ramfsd_readdir_reply *reply = &request->reply.readdir;
    uint32_t directory;
    enum status status = ramfsd_find_directory(ramfsd, body->directory_node, &directory);
    if (status != STATUS_OK)
        return status;
    uint32_t entry = ramfsd_entry_from(ramfsd, directory, body->cursor);
    if (entry == 0)
        return STATUS_OK; /* node 0: the end */
    const struct ramfsd_node *node = &ramfsd->node[entry];
    reply->node = ramfsd_number(ramfsd, entry);
    reply->next_cursor = (uint64_t)entry + 1; /* F5 */
    reply->kind = node->kind;
    reply->count = node->name_count;
    memcpy(reply->name, node->name, node->name_count);
    return STATUS_OK;
}

/* --- what comes ------------------------------------------------------------------------------- */

/* Whether a directory may get an entry with that name, and an account pay for it. */
static enum status decide_new(const struct ramfsd *ramfsd, uint64_t directory_node,
                              struct ramfsd_name name, uint64_t account, uint32_t pages,
                              uint32_t *directory)
{
    enum status status = take_name(ramfsd, directory_node, name, directory);
    if (status != STATUS_OK)
        return status;
    if (!ramfsd_is_linked(ramfsd, *directory))
        return STATUS_NOT_FOUND;
    if (is_immutable(ramfsd, *directory))
        return STATUS_DENIED; /* F6 */
    if (ramfsd_entry(ramfsd, *directory, name) != 0)
        return STATUS_DUPLICATE;
    return ramfsd_account_admits(ramfsd, account, pages, 1);
}

enum status ramfsd_create(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_create_request *body = &request->body.create;
    struct ramfsd_name name = {body->name, body->count};
    uint32_t directory;
    if (ramfsd->archive != NULL)
        return STATUS_READ_ONLY; /* F6 */
    enum status status =
        decide_new(ramfsd, body->directory_node, name, body->account, 0, &directory);
    if (status != STATUS_OK)
        return status;
    uint32_t place = ramfsd_node_add(ramfsd, body->account, body->kind, body->mode);
    ramfsd_link(ramfsd, place, directory, name);
    ramfsd_changed(ramfsd, directory);
    ramfsd_attributes(ramfsd, place, &request->reply);
    return STATUS_OK;
}

/* A link can be read by everybody, as its mode says: what counts is what it leads to. */
enum status ramfsd_symlink(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_symlink_request *body = &request->body.symlink;
    struct ramfsd_name name = {body->name_and_target, body->name_count};
    if (ramfsd->archive != NULL)
        return STATUS_READ_ONLY; /* F6 */
    if (body->count <= body->name_count)
        return STATUS_INVALID_ARGUMENT;
    const uint8_t *target = body->name_and_target + body->name_count;
    uint32_t count = body->count - body->name_count;
    uint32_t directory;
    enum status status = path_check_target(target, count);
    if (status == STATUS_OK)
        status = decide_new(ramfsd, body->directory_node, name, body->account, 1, &directory);
    if (status != STATUS_OK)
        return status;
    uint32_t place = ramfsd_node_add(ramfsd, body->account, FILE_KIND_SYMLINK, 0777);
    ramfsd_pages_write(ramfsd, place, body->account, 0, target, count);
    ramfsd->node[place].size_bytes = count;
    ramfsd_link(ramfsd, place, directory, name);
    ramfsd_changed(ramfsd, directory);
    ramfsd_attributes(ramfsd, place, &request->reply);
    return STATUS_OK;
}

/* --- what goes -------------------------------------------------------------------------------- */

/* Whether an entry may be taken out of its directory, being a directory or not. */
static enum status decide_gone(const struct ramfsd *ramfsd, uint32_t entry, bool directory)
{
    if (is_immutable(ramfsd, entry))
        return STATUS_DENIED; /* F6 */
    if (is_directory(ramfsd, entry) != directory)
        return directory ? STATUS_NOT_DIRECTORY : STATUS_IS_DIRECTORY;
    return directory && ramfsd->node[entry].size_bytes != 0 ? STATUS_NOT_EMPTY : STATUS_OK;
}

/* What is open stays without a name. */
static void take_away(struct ramfsd *ramfsd, uint32_t entry)
{
    ramfsd_unlink_node(ramfsd, entry);
    if (ramfsd->node[entry].open_count == 0)
        ramfsd_node_release(ramfsd, entry);
}

static enum status remove_entry(struct ramfsd *ramfsd, uint64_t directory_node,
                                struct ramfsd_name name, bool of_directory)
{
    uint32_t directory;
    uint32_t entry;
    enum status status = take_entry(ramfsd, directory_node, name, &directory, &entry);
    if (status != STATUS_OK)
        return status;
    if (is_immutable(ramfsd, directory))
        return STATUS_DENIED; /* F6 */
    status = decide_gone(ramfsd, entry, of_directory);
    if (status != STATUS_OK)
        return status;
    take_away(ramfsd, entry);
    ramfsd_changed(ramfsd, directory);
    return STATUS_OK;
}

enum status ramfsd_unlink(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_unlink_request *body = &request->body.unlink;
    struct ramfsd_name name = {body->name, body->count};
    if (ramfsd->archive != NULL)
        return STATUS_READ_ONLY; /* F6 */
    return remove_entry(ramfsd, body->directory_node, name, false);
}

enum status ramfsd_rmdir(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_rmdir_request *body = &request->body.rmdir;
    struct ramfsd_name name = {body->name, body->count};
    if (ramfsd->archive != NULL)
        return STATUS_READ_ONLY; /* F6 */
    return remove_entry(ramfsd, body->directory_node, name, true);
}

/* --- what moves ------------------------------------------------------------------------------- */

/* A RENAME, found: `over` is the entry that it would replace, 0 for none. */
struct move {
    struct ramfsd_name from_name;
    struct ramfsd_name to_name;
    uint32_t from_directory;
    uint32_t to_directory;
    uint32_t entry;
    uint32_t over;
};

/* The directories and the names. */
static enum status move_take(const struct ramfsd *ramfsd, const struct ramfsd_rename_request *body,
                             struct move *move)
{
    if (body->count <= body->from_count)
        return STATUS_INVALID_ARGUMENT;
    move->from_name = (struct ramfsd_name){body->names, body->from_count};
    move->to_name =
        (struct ramfsd_name){body->names + body->from_count, body->count - body->from_count};
    enum status status =
        take_name(ramfsd, body->from_directory, move->from_name, &move->from_directory);
    if (status == STATUS_OK)
        status = take_name(ramfsd, body->to_directory, move->to_name, &move->to_directory);
    if (status != STATUS_OK)
        return status;
    if (!ramfsd_is_linked(ramfsd, move->to_directory))
        return STATUS_NOT_FOUND;
    if (is_immutable(ramfsd, move->from_directory) || is_immutable(ramfsd, move->to_directory))
        return STATUS_DENIED; /* F6 */
    move->entry = ramfsd_entry(ramfsd, move->from_directory, move->from_name);
    move->over = ramfsd_entry(ramfsd, move->to_directory, move->to_name);
    return move->entry != 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

/* As POSIX has it: a directory over an empty one, anything else over what is no directory. */
static enum status move_decide(const struct ramfsd *ramfsd, const struct move *move)
{
    bool directory = is_directory(ramfsd, move->entry);
    if (is_immutable(ramfsd, move->entry))
        return STATUS_DENIED; /* F6 */
    if (move->over != 0 && is_immutable(ramfsd, move->over))
        return STATUS_DENIED;
    if (directory && ramfsd_is_below(ramfsd, move->to_directory, move->entry))
        return STATUS_INVALID_ARGUMENT; /* F2 */
    return move->over != 0 ? decide_gone(ramfsd, move->over, directory) : STATUS_OK;
}

enum status ramfsd_rename(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    struct move move;
    if (ramfsd->archive != NULL)
        return STATUS_READ_ONLY; /* F6 */
    enum status status = move_take(ramfsd, &request->body.rename, &move);
    if (status != STATUS_OK || move.over == move.entry)
        return status;
    status = move_decide(ramfsd, &move);
    if (status != STATUS_OK)
        return status;
    if (move.over != 0)
        take_away(ramfsd, move.over);
    ramfsd_unlink_node(ramfsd, move.entry);
    ramfsd_link(ramfsd, move.entry, move.to_directory, move.to_name);
    ramfsd_changed(ramfsd, move.from_directory);
    if (move.to_directory != move.from_directory)
        ramfsd_changed(ramfsd, move.to_directory);
    return STATUS_OK;
}
