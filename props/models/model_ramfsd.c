/* SPDX-License-Identifier: ISC */
/* The model of ramfsd. Clear rather than quick: every question is a search from the beginning. */
#include "props/models/model_ramfsd_inside.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/roles.h"

static const uint64_t longest_file = UINT64_C(1) << 40; /* of the contract */
enum { ROOT = 1, PLACE_BITS = 20 };

struct model_ramfsd_node *model_ramfsd_find(struct model_ramfsd *model, uint64_t number)
{
    for (uint32_t place = 1; place <= model->used; place++)
        if (number != 0 && model->nodes[place].number == number)
            return &model->nodes[place];
    return NULL;
}

static uint32_t place_of(const struct model_ramfsd_node *node)
{
    return (uint32_t)(node->number & ((1 << PLACE_BITS) - 1));
}

static bool linked(const struct model_ramfsd_node *node)
{
    return node->directory != 0 || place_of(node) == ROOT;
}

/* --- nodes --- */

static void changed(struct model_ramfsd *model, struct model_ramfsd_node *node)
{
    node->is.version++;
    node->is.modified_ticks = model->now_ticks;
}

struct model_ramfsd_node *model_ramfsd_make(struct model_ramfsd *model, uint64_t account,
                                            uint32_t kind, uint32_t mode)
{
    uint32_t place = model->free_count != 0 ? model->free[--model->free_count] : ++model->used;
    struct model_ramfsd_node *node = &model->nodes[place];
    *node = (struct model_ramfsd_node){.number = ++model->lives[place] << PLACE_BITS | place,
                                       .account = account};
    node->is = (struct ramfsd_stat_reply){
        .owner = account,
        .version = 1,
        .created_ticks = model->now_ticks,
        .accessed_ticks = model->now_ticks,
        .modified_ticks = model->now_ticks,
        .kind = kind,
        .mode = mode,
    };
    return node;
}

/* A node that neither a name nor an open keeps is gone. */
static void end_unless_kept(struct model_ramfsd *model, struct model_ramfsd_node *node)
{
    if (linked(node) || node->opens != 0)
        return;
    model_ramfsd_forget(model, node, 0);
    model->free[model->free_count++] = place_of(node);
    node->number = 0;
}

static struct ramfsd_stat_reply attributes(const struct model_ramfsd_node *node)
{
    struct ramfsd_stat_reply is = node->is;
    is.node = node->number;
    is.link_count = linked(node);
    return is;
}

static bool immutable(const struct model_ramfsd_node *node)
{
    return (node->is.flags & FILE_IMMUTABLE) != 0;
}

static bool is_directory(const struct model_ramfsd_node *node)
{
    return node->is.kind == FILE_KIND_DIRECTORY;
}

/* --- names --- */

static struct model_ramfsd_node *entry_of(struct model_ramfsd *model,
                                          const struct model_ramfsd_node *directory,
                                          struct model_ramfsd_text name)
{
    for (uint32_t place = 1; place <= model->used; place++) {
        struct model_ramfsd_node *node = &model->nodes[place];
        if (node->number != 0 && node->directory == directory->number &&
            node->name_count == name.count && memcmp(node->name, name.bytes, name.count) == 0)
            return node;
    }
    return NULL;
}

void model_ramfsd_give_name(struct model_ramfsd_node *node, struct model_ramfsd_node *directory,
                            struct model_ramfsd_text name)
{
    node->directory = directory->number;
    node->name_count = name.count;
    memcpy(node->name, name.bytes, name.count);
    directory->is.size_bytes++;
}

static void take_name_away(struct model_ramfsd *model, struct model_ramfsd_node *node)
{
    model_ramfsd_find(model, node->directory)->is.size_bytes--;
    node->directory = 0;
}

static enum status directory_and_name(struct model_ramfsd *model, uint64_t number,
                                      struct model_ramfsd_text name,
                                      struct model_ramfsd_node **directory)
{
    *directory = model_ramfsd_find(model, number);
    if (*directory == NULL)
        return STATUS_NOT_FOUND;
    if (!is_directory(*directory))
        return STATUS_NOT_DIRECTORY;
    return path_check_name(name.bytes, name.count);
}

static void lookup(struct model_ramfsd *model, const struct ramfsd_lookup_request *request,
                   struct model_ramfsd_answer *answer)
{
    struct model_ramfsd_text name = {request->name, request->count};
    struct model_ramfsd_node *directory;
    answer->status = directory_and_name(model, request->directory_node, name, &directory);
    if (answer->status != STATUS_OK)
        return;
    const struct model_ramfsd_node *node = entry_of(model, directory, name);
    if (node == NULL)
        answer->status = STATUS_NOT_FOUND;
    else
        answer->reply.attributes = attributes(node);
}

static struct model_ramfsd_node *make_entry(struct model_ramfsd *model, uint64_t number,
                                            struct model_ramfsd_text name, uint64_t account,
                                            uint32_t kind, uint32_t mode,
                                            struct model_ramfsd_answer *answer)
{
    struct model_ramfsd_node *directory;
    answer->status = directory_and_name(model, number, name, &directory);
    if (answer->status != STATUS_OK)
        return NULL;
    if (!linked(directory))
        answer->status = STATUS_NOT_FOUND;
    else if (immutable(directory))
        answer->status = STATUS_DENIED;
    else if (entry_of(model, directory, name) != NULL)
        answer->status = STATUS_DUPLICATE;
    else
        answer->status = model_ramfsd_may_have(model, account, kind == FILE_KIND_SYMLINK, 1);
    if (answer->status != STATUS_OK)
        return NULL;
    struct model_ramfsd_node *node = model_ramfsd_make(model, account, kind, mode);
    model_ramfsd_give_name(node, directory, name);
    changed(model, directory);
    answer->changed = true;
    answer->reply.attributes = attributes(node);
    return node;
}

static void create(struct model_ramfsd *model, const struct ramfsd_create_request *request,
                   struct model_ramfsd_answer *answer)
{
    struct model_ramfsd_text name = {request->name, request->count};
    make_entry(model, request->directory_node, name, request->account, request->kind, request->mode,
               answer);
}

static void symlink_to(struct model_ramfsd *model, const struct ramfsd_symlink_request *request,
                       struct model_ramfsd_answer *answer)
{
    struct model_ramfsd_text name = {request->name_and_target, request->name_count};
    const uint8_t *target = request->name_and_target + request->name_count;
    answer->status = STATUS_INVALID_ARGUMENT;
    if (request->count <= request->name_count)
        return;
    uint32_t count = request->count - request->name_count;
    answer->status = path_check_target(target, count);
    if (answer->status != STATUS_OK)
        return;
    struct model_ramfsd_node *node = make_entry(model, request->directory_node, name,
                                                request->account, FILE_KIND_SYMLINK, 0777, answer);
    if (node == NULL)
        return;
    model_ramfsd_write(model, node, request->account, 0, target, count);
    node->is.size_bytes = count;
    answer->reply.attributes = attributes(node);
}

/* Whether an entry may go from where it is. */
static enum status may_go(const struct model_ramfsd_node *node, bool directory)
{
    if (immutable(node))
        return STATUS_DENIED;
    if (directory && !is_directory(node))
        return STATUS_NOT_DIRECTORY;
    if (!directory && is_directory(node))
        return STATUS_IS_DIRECTORY;
    return directory && node->is.size_bytes != 0 ? STATUS_NOT_EMPTY : STATUS_OK;
}

static void drop(struct model_ramfsd *model, struct model_ramfsd_node *node)
{
    take_name_away(model, node);
    end_unless_kept(model, node);
}

static void remove_entry(struct model_ramfsd *model, uint64_t number, struct model_ramfsd_text name,
                         bool of_directory, struct model_ramfsd_answer *answer)
{
    struct model_ramfsd_node *directory;
    answer->status = directory_and_name(model, number, name, &directory);
    if (answer->status != STATUS_OK)
        return;
    struct model_ramfsd_node *node = entry_of(model, directory, name);
    if (node == NULL)
        answer->status = STATUS_NOT_FOUND;
    else if (immutable(directory))
        answer->status = STATUS_DENIED;
    else
        answer->status = may_go(node, of_directory);
    if (answer->status != STATUS_OK)
        return;
    drop(model, node);
    changed(model, directory);
    answer->changed = true;
}

static bool lies_in(struct model_ramfsd *model, const struct model_ramfsd_node *node,
                    const struct model_ramfsd_node *other)
{
    for (; node != NULL; node = model_ramfsd_find(model, node->directory))
        if (node == other)
            return true;
    return false;
}

static enum status may_move(struct model_ramfsd *model, const struct model_ramfsd_node *node,
                            const struct model_ramfsd_node *to,
                            const struct model_ramfsd_node *over)
{
    if (immutable(node) || (over != NULL && immutable(over)))
        return STATUS_DENIED;
    if (is_directory(node) && lies_in(model, to, node))
        return STATUS_INVALID_ARGUMENT;
    return over == NULL ? STATUS_OK : may_go(over, is_directory(node));
}

static void rename_to(struct model_ramfsd *model, const struct ramfsd_rename_request *request,
                      struct model_ramfsd_answer *answer)
{
    struct model_ramfsd_text old = {request->names, request->from_count};
    struct model_ramfsd_text new = {request->names + request->from_count,
                                    request->count - request->from_count};
    struct model_ramfsd_node *from;
    struct model_ramfsd_node *to = NULL;
    answer->status = STATUS_INVALID_ARGUMENT;
    if (request->count <= request->from_count)
        return;
    answer->status = directory_and_name(model, request->from_directory, old, &from);
    if (answer->status == STATUS_OK)
        answer->status = directory_and_name(model, request->to_directory, new, &to);
    if (answer->status != STATUS_OK)
        return;
    struct model_ramfsd_node *node = entry_of(model, from, old);
    struct model_ramfsd_node *over = entry_of(model, to, new);
    if (!linked(to))
        answer->status = STATUS_NOT_FOUND;
    else if (immutable(from) || immutable(to))
        answer->status = STATUS_DENIED;
    else if (node == NULL)
        answer->status = STATUS_NOT_FOUND;
    else if (node != over)
        answer->status = may_move(model, node, to, over);
    if (answer->status != STATUS_OK || node == over)
        return;
    if (over != NULL)
        drop(model, over);
    take_name_away(model, node);
    model_ramfsd_give_name(node, to, new);
    changed(model, from);
    if (to != from)
        changed(model, to);
    answer->changed = true;
}

static void readdir_from(struct model_ramfsd *model, const struct ramfsd_readdir_request *request,
                         struct model_ramfsd_answer *answer)
{
    const struct model_ramfsd_node *directory = model_ramfsd_find(model, request->directory_node);
    if (directory == NULL || !is_directory(directory)) {
        answer->status = directory == NULL ? STATUS_NOT_FOUND : STATUS_NOT_DIRECTORY;
        return;
    }
    for (uint32_t place = 1; place <= model->used; place++) {
        const struct model_ramfsd_node *node = &model->nodes[place];
        if (place < request->cursor || node->number == 0 || node->directory != directory->number)
            continue;
        answer->reply.readdir = (struct ramfsd_readdir_reply){
            .node = node->number,
            .next_cursor = (uint64_t)place + 1,
            .kind = node->is.kind,
            .count = node->name_count,
        };
        memcpy(answer->reply.readdir.name, node->name, node->name_count);
        return;
    }
}

/* --- files --- */

static void seen(const struct model_ramfsd *model, struct model_ramfsd_node *node,
                 struct model_ramfsd_answer *answer)
{
    if (model->archive)
        return;
    node->is.accessed_ticks = model->now_ticks;
    answer->changed = true;
}

static enum status file_of(struct model_ramfsd *model, uint64_t number,
                           struct model_ramfsd_node **node)
{
    *node = model_ramfsd_find(model, number);
    if (*node == NULL)
        return STATUS_NOT_FOUND;
    if (is_directory(*node))
        return STATUS_IS_DIRECTORY;
    return (*node)->is.kind == FILE_KIND_SYMLINK ? STATUS_INVALID_ARGUMENT : STATUS_OK;
}

static void read_from(struct model_ramfsd *model, const struct ramfsd_read_request *request,
                      struct model_ramfsd_answer *answer)
{
    struct ramfsd_read_reply *reply = &answer->reply.read;
    struct model_ramfsd_node *node;
    answer->status = file_of(model, request->node, &node);
    if (answer->status != STATUS_OK)
        return;
    uint64_t offset = request->offset_bytes;
    uint64_t left = offset < node->is.size_bytes ? node->is.size_bytes - offset : 0;
    reply->count = left < request->count ? (uint32_t)left : request->count;
    model_ramfsd_read(model, node, offset, reply->bytes, reply->count);
    if (reply->count != 0)
        seen(model, node, answer);
}

static void write_to(struct model_ramfsd *model, const struct ramfsd_write_request *request,
                     struct model_ramfsd_answer *answer)
{
    uint64_t offset = request->offset_bytes;
    struct model_ramfsd_node *node;
    answer->status = file_of(model, request->node, &node);
    if (answer->status != STATUS_OK)
        return;
    if (immutable(node))
        answer->status = STATUS_DENIED;
    else if (offset > longest_file || request->count > longest_file - offset)
        answer->status = STATUS_OUT_OF_RANGE;
    else
        answer->status = model_ramfsd_may_have(
            model, request->account, model_ramfsd_missing(model, node, offset, request->count), 0);
    if (answer->status != STATUS_OK)
        return;
    model_ramfsd_write(model, node, request->account, offset, request->bytes, request->count);
    if (request->count != 0) {
        if (node->is.size_bytes < offset + request->count)
            node->is.size_bytes = offset + request->count;
        changed(model, node);
        answer->changed = true;
    }
    answer->reply.write.size_bytes = node->is.size_bytes;
}

static void truncate_to(struct model_ramfsd *model, const struct ramfsd_truncate_request *request,
                        struct model_ramfsd_answer *answer)
{
    struct model_ramfsd_node *node;
    answer->status = file_of(model, request->node, &node);
    if (answer->status != STATUS_OK)
        return;
    if (immutable(node))
        answer->status = STATUS_DENIED;
    else if (request->size_bytes > longest_file)
        answer->status = STATUS_OUT_OF_RANGE;
    if (answer->status != STATUS_OK || request->size_bytes == node->is.size_bytes)
        return;
    model_ramfsd_forget(model, node, request->size_bytes);
    node->is.size_bytes = request->size_bytes;
    changed(model, node);
    answer->changed = true;
}

/* --- nodes of any kind --- */

static void readlink_of(struct model_ramfsd *model, struct model_ramfsd_node *node,
                        struct model_ramfsd_answer *answer)
{
    struct ramfsd_readlink_reply *reply = &answer->reply.readlink;
    if (node->is.kind != FILE_KIND_SYMLINK) {
        answer->status = STATUS_INVALID_ARGUMENT;
        return;
    }
    reply->count = (uint32_t)node->is.size_bytes;
    model_ramfsd_read(model, node, 0, reply->target, reply->count);
    seen(model, node, answer);
}

static void set_metadata(struct model_ramfsd *model, struct model_ramfsd_node *node,
                         const struct ramfsd_set_metadata_request *request,
                         struct model_ramfsd_answer *answer)
{
    uint32_t mask = request->mask;
    if (immutable(node) && (mask != FILE_METADATA_FLAGS || request->flags != 0)) {
        answer->status = STATUS_DENIED;
        return;
    }
    if (mask & FILE_METADATA_MODE)
        node->is.mode = request->mode;
    if (mask & FILE_METADATA_OWNER)
        node->is.owner = request->owner;
    if (mask & FILE_METADATA_ACCESSED)
        node->is.accessed_ticks = request->accessed_ticks;
    if (mask & FILE_METADATA_MODIFIED)
        node->is.modified_ticks = request->modified_ticks;
    if (mask & FILE_METADATA_FLAGS)
        node->is.flags = request->flags;
    model->has_immutable |= immutable(node);
    answer->changed = mask != 0;
}

static void open_node(const struct model_ramfsd *model, struct model_ramfsd_node *node,
                      struct model_ramfsd_answer *answer)
{
    answer->status = node->opens == model->open_limit ? STATUS_EXHAUSTED : STATUS_OK;
    answer->changed = answer->status == STATUS_OK;
    node->opens += answer->changed;
}

static void close_node(struct model_ramfsd *model, struct model_ramfsd_node *node,
                       struct model_ramfsd_answer *answer)
{
    answer->status = node->opens == 0 ? STATUS_NOT_FOUND : STATUS_OK;
    if (answer->status != STATUS_OK)
        return;
    node->opens--;
    end_unless_kept(model, node);
    answer->changed = true;
}

static void attach(struct model_ramfsd *model, const struct ramfsd_attach_request *request,
                   struct model_ramfsd_answer *answer)
{
    answer->status = STATUS_NOT_FOUND;
    const char *source = model->archive ? "archive" : "ram";
    if (request->count != strlen(source) || memcmp(request->source, source, request->count) != 0)
        return;
    answer->status = STATUS_OK;
    for (uint32_t place = 1; place <= model->used; place++) {
        struct model_ramfsd_node *node = &model->nodes[place];
        if (node->number == 0 || node->opens == 0)
            continue;
        node->opens = 0;
        end_unless_kept(model, node);
        answer->changed = true;
    }
    answer->reply.attach.read_only = model->archive || model->read_only;
    answer->reply.attach.root_node = model->nodes[ROOT].number;
}

/* --- one message --- */

union body {
    struct ramfsd_attach_request attach;
    struct ramfsd_lookup_request lookup;
    struct ramfsd_stat_request node; /* of all that is asked of a node alone */
    struct ramfsd_read_request read;
    struct ramfsd_write_request write;
    struct ramfsd_create_request create;
    struct ramfsd_symlink_request symlink;
    struct ramfsd_unlink_request unlink;
    struct ramfsd_rename_request rename;
    struct ramfsd_truncate_request truncate;
    struct ramfsd_readdir_request readdir;
    struct ramfsd_set_metadata_request set_metadata;
};

static void on_node(struct model_ramfsd *model, uint16_t operation, const union body *body,
                    struct model_ramfsd_answer *answer)
{
    struct model_ramfsd_node *node = model_ramfsd_find(model, body->node.node);
    if (node == NULL)
        answer->status = STATUS_NOT_FOUND;
    else if (operation == OP_RAMFSD_STAT)
        answer->reply.attributes = attributes(node);
    else if (operation == OP_RAMFSD_READLINK)
        readlink_of(model, node, answer);
    else if (operation == OP_RAMFSD_SET_METADATA)
        set_metadata(model, node, &body->set_metadata, answer);
    else if (operation == OP_RAMFSD_OPEN)
        open_node(model, node, answer);
    else
        close_node(model, node, answer);
}

static void perform(struct model_ramfsd *model, uint16_t operation, const union body *body,
                    struct model_ramfsd_answer *answer)
{
    struct model_ramfsd_text name = {body->unlink.name, body->unlink.count};
    switch (operation) {
    case OP_RAMFSD_ATTACH:
        attach(model, &body->attach, answer);
        return;
    case OP_RAMFSD_LOOKUP:
        lookup(model, &body->lookup, answer);
        return;
    case OP_RAMFSD_READ:
        read_from(model, &body->read, answer);
        return;
    case OP_RAMFSD_WRITE:
        write_to(model, &body->write, answer);
        return;
    case OP_RAMFSD_CREATE:
        create(model, &body->create, answer);
        return;
    case OP_RAMFSD_SYMLINK:
        symlink_to(model, &body->symlink, answer);
        return;
    case OP_RAMFSD_UNLINK:
    case OP_RAMFSD_RMDIR:
        remove_entry(model, body->unlink.directory_node, name, operation == OP_RAMFSD_RMDIR,
                     answer);
        return;
    case OP_RAMFSD_RENAME:
        rename_to(model, &body->rename, answer);
        return;
    case OP_RAMFSD_TRUNCATE:
        truncate_to(model, &body->truncate, answer);
        return;
    case OP_RAMFSD_READDIR:
        readdir_from(model, &body->readdir, answer);
        return;
    case OP_RAMFSD_STAT:
    case OP_RAMFSD_READLINK:
    case OP_RAMFSD_SET_METADATA:
    case OP_RAMFSD_OPEN:
    case OP_RAMFSD_CLOSE:
        on_node(model, operation, body, answer);
        return;
    default:
        break;
    }
    MODEL_KNOWS_NOT(operation);
}

struct model_ramfsd_answer model_ramfsd_step(struct model_ramfsd *model,
                                             const struct message *request, uint64_t now_ticks)
{
    static union body body;
    const struct operation *row = operation_find(SERVICE_RAMFSD, request->header.operation);
    uint64_t badge = request->header.badge;
    struct model_ramfsd_answer answer;
    memset(&answer, 0, sizeof answer);
    if (now_ticks > model->now_ticks)
        model->now_ticks = now_ticks;
    if (row == NULL)
        answer.status = STATUS_INVALID_ARGUMENT;
    else
        answer.status = message_decode(row->request, request, &body);
    if (answer.status == STATUS_OK && (badge == 0 || badge > ROLE_ID_MAX))
        answer.status = STATUS_DENIED;
    if (answer.status == STATUS_OK && model->archive && model_ramfsd_would_change(row->id))
        answer.status = STATUS_READ_ONLY;
    if (answer.status == STATUS_OK)
        perform(model, row->id, &body, &answer);
    return answer;
}
