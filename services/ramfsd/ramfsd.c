/* SPDX-License-Identifier: ISC */
/* ramfsd's operations on nodes, and its start. Decides who may ask, and what may become of a file's
 * bytes and metadata; makes no call. */
#include "services/ramfsd/ramfsd.h"

#include <stddef.h>
#include <string.h>

#include "services/ramfsd/internal.h"

/* --- what a node is --------------------------------------------------------------------------- */

_Static_assert(sizeof(struct ramfsd_lookup_reply) == sizeof(struct ramfsd_stat_reply) &&
                   sizeof(struct ramfsd_create_reply) == sizeof(struct ramfsd_stat_reply) &&
                   sizeof(struct ramfsd_symlink_reply) == sizeof(struct ramfsd_stat_reply),
               "all four are the attributes");

void ramfsd_attributes(const struct ramfsd *ramfsd, uint32_t place, union ramfsd_reply *reply)
{
    const struct ramfsd_node *node = &ramfsd->node[place];
    reply->stat = (struct ramfsd_stat_reply){
        .node = ramfsd_number(ramfsd, place),
        .size_bytes = node->size_bytes,
        .version = node->version,
        .owner = node->owner,
        .created_ticks = node->created_ticks,
        .accessed_ticks = node->accessed_ticks,
        .modified_ticks = node->modified_ticks,
        .kind = node->kind,
        .mode = node->mode,
        .flags = node->flags,
        .link_count = ramfsd_is_linked(ramfsd, place) ? 1 : 0,
    };
}

enum status ramfsd_stat(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    uint32_t place;
    enum status status = ramfsd_find(ramfsd, request->body.stat.node, &place);
    if (status == STATUS_OK)
        ramfsd_attributes(ramfsd, place, &request->reply);
    return status;
}

/* What it says is taken whole, or the mask names nothing of it. */
enum status ramfsd_set_metadata(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_set_metadata_request *body = &request->body.set_metadata;
    uint32_t place;
    if (ramfsd->archive != NULL)
        return STATUS_READ_ONLY; /* F6 */
    enum status status = ramfsd_find(ramfsd, body->node, &place);
    if (status != STATUS_OK)
        return status;
    struct ramfsd_node *node = &ramfsd->node[place];
    bool clears = body->mask == FILE_METADATA_FLAGS && (body->flags & FILE_IMMUTABLE) == 0;
    if ((node->flags & FILE_IMMUTABLE) != 0 && !clears)
        return STATUS_DENIED; /* F6 */
    if ((body->mask & FILE_METADATA_MODE) != 0)
        node->mode = body->mode;
    if ((body->mask & FILE_METADATA_OWNER) != 0)
        node->owner = body->owner;
    if ((body->mask & FILE_METADATA_ACCESSED) != 0)
        node->accessed_ticks = body->accessed_ticks;
    if ((body->mask & FILE_METADATA_MODIFIED) != 0)
        node->modified_ticks = body->modified_ticks;
    if ((body->mask & FILE_METADATA_FLAGS) != 0)
        node->flags = body->flags;
    return STATUS_OK;
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* A node that must be a file. */
static enum status find_file(const struct ramfsd *ramfsd, uint64_t number, uint32_t *place)
{
    enum status status = ramfsd_find(ramfsd, number, place);
    if (status != STATUS_OK)
        return status;
    switch ((enum file_kind)ramfsd->node[*place].kind) {
    case FILE_KIND_FILE:
        return STATUS_OK;
    case FILE_KIND_DIRECTORY:
        return STATUS_IS_DIRECTORY;
    case FILE_KIND_SYMLINK:
        return STATUS_INVALID_ARGUMENT;
    }
    return STATUS_INTERNAL;
}

/* And whose bytes [0, end) may change. */
static enum status find_mutable_file(const struct ramfsd *ramfsd, uint64_t number,
                                     uint64_t size_bytes, uint32_t *place)
{
    enum status status = find_file(ramfsd, number, place);
    if (status != STATUS_OK)
        return status;
    if ((ramfsd->node[*place].flags & FILE_IMMUTABLE) != 0)
        return STATUS_DENIED; /* F6 */
    return size_bytes <= FILE_BYTES_MAX ? STATUS_OK : STATUS_OUT_OF_RANGE;
}

/* Its bytes were read. */
static void seen(struct ramfsd *ramfsd, uint32_t place)
{
    if (ramfsd->archive == NULL)
        ramfsd->node[place].accessed_ticks = ramfsd->caller.now_ticks;
}

enum status ramfsd_read(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_read_request *body = &request->body.read;
    struct ramfsd_read_reply *reply = &request->reply.read;
    uint32_t place;
    enum status status = find_file(ramfsd, body->node, &place);
    if (status != STATUS_OK)
        return status;
    const struct ramfsd_node *node = &ramfsd->node[place];
    if (body->offset_bytes >= node->size_bytes || body->count == 0)
        return STATUS_OK;
    uint64_t left = node->size_bytes - body->offset_bytes;
    reply->count = body->count < left ? body->count : (uint32_t)left;
    ramfsd_pages_read(ramfsd, place, body->offset_bytes, reply->bytes, reply->count);
    seen(ramfsd, place);
    return STATUS_OK;
}

enum status ramfsd_write(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_write_request *body = &request->body.write;
    uint32_t place;
    uint64_t end;
    bool wraps = __builtin_add_overflow(body->offset_bytes, body->count, &end);
    if (ramfsd->archive != NULL)
        return STATUS_READ_ONLY; /* F6 */
    enum status status = find_mutable_file(ramfsd, body->node, wraps ? UINT64_MAX : end, &place);
    if (status != STATUS_OK)
        return status;
    struct ramfsd_node *node = &ramfsd->node[place];
    request->reply.write.size_bytes = node->size_bytes;
    if (body->count == 0)
        return STATUS_OK;
    uint32_t missing = ramfsd_pages_missing(ramfsd, place, body->offset_bytes, body->count);
    status = ramfsd_account_admits(ramfsd, body->account, missing, 0);
    if (status != STATUS_OK)
        return status;
    ramfsd_pages_write(ramfsd, place, body->account, body->offset_bytes, body->bytes, body->count);
    node->size_bytes = end > node->size_bytes ? end : node->size_bytes;
    ramfsd_changed(ramfsd, place);
    request->reply.write.size_bytes = node->size_bytes;
    return STATUS_OK;
}

enum status ramfsd_truncate(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_truncate_request *body = &request->body.truncate;
    uint32_t place;
    if (ramfsd->archive != NULL)
        return STATUS_READ_ONLY; /* F6 */
    enum status status = find_mutable_file(ramfsd, body->node, body->size_bytes, &place);
    if (status != STATUS_OK)
        return status;
    struct ramfsd_node *node = &ramfsd->node[place];
    if (body->size_bytes == node->size_bytes)
        return STATUS_OK;
    if (body->size_bytes < node->size_bytes)
        ramfsd_pages_cut(ramfsd, place, body->size_bytes);
    node->size_bytes = body->size_bytes;
    ramfsd_changed(ramfsd, place);
    return STATUS_OK;
}

enum status ramfsd_readlink(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    struct ramfsd_readlink_reply *reply = &request->reply.readlink;
    uint32_t place;
    enum status status = ramfsd_find(ramfsd, request->body.readlink.node, &place);
    if (status != STATUS_OK)
        return status;
    const struct ramfsd_node *node = &ramfsd->node[place];
    if (node->kind != FILE_KIND_SYMLINK)
        return STATUS_INVALID_ARGUMENT;
    reply->count = (uint32_t)node->size_bytes;
    ramfsd_pages_read(ramfsd, place, 0, reply->target, reply->count);
    seen(ramfsd, place);
    return STATUS_OK;
}

/* --- opens ------------------------------------------------------------------------------------ */

enum status ramfsd_open(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    uint32_t place;
    enum status status = ramfsd_find(ramfsd, request->body.open.node, &place);
    if (status != STATUS_OK)
        return status;
    if (ramfsd->node[place].open_count == ramfsd->open_limit)
        return STATUS_EXHAUSTED;
    ramfsd->node[place].open_count++;
    return STATUS_OK;
}

/* The last one of a node without a name ends it. */
static void closed(struct ramfsd *ramfsd, uint32_t place)
{
    if (ramfsd->node[place].open_count == 0 && !ramfsd_is_linked(ramfsd, place))
        ramfsd_node_release(ramfsd, place);
}

enum status ramfsd_close(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    uint32_t place;
    enum status status = ramfsd_find(ramfsd, request->body.close.node, &place);
    if (status != STATUS_OK)
        return status;
    if (ramfsd->node[place].open_count == 0)
        return STATUS_NOT_FOUND;
    ramfsd->node[place].open_count--;
    closed(ramfsd, place);
    return STATUS_OK;
}

static bool is_source(const struct ramfsd_attach_request *body, const char *name, uint32_t count)
{
    return body->count == count && memcmp(body->source, name, count) == 0;
}

enum status ramfsd_attach(struct ramfsd *ramfsd, struct ramfsd_request *request)
{
    const struct ramfsd_attach_request *body = &request->body.attach;
    bool found = ramfsd->archive != NULL ? is_source(body, "archive", sizeof "archive" - 1)
                                         : is_source(body, "ram", sizeof "ram" - 1);
    if (!found)
        return STATUS_NOT_FOUND;
    for (uint32_t place = 1; place <= ramfsd->nodes.used; place++) {
        if (ramfsd->node[place].open_count == 0)
            continue;
        ramfsd->node[place].open_count = 0;
        closed(ramfsd, place);
    }
    request->reply.attach.root_node = ramfsd_number(ramfsd, RAMFSD_ROOT_PLACE);
    request->reply.attach.read_only = ramfsd->archive != NULL;
    return STATUS_OK;
}

/* --- one message ------------------------------------------------------------------------------ */

#define SERVICE       ramfsd
#define SERVICE_TABLE "abi/messages/ramfsd.def"
#include "services/lib/unfold_rows.h"

static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct ramfsd_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    return badge != 0 && badge <= ROLE_ID_MAX ? FROM_CLIENT : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled ramfsd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct ramfsd *ramfsd = state;
    struct ramfsd_request request; /* body and reply are large: the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &ramfsd->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    return service_dispatch(&table, ramfsd, &request.common);
}

/* --- start ------------------------------------------------------------------------------------ */

/* The next part of the memory, so many records and the unused one at 0. */
static void *cut(uint8_t **at, uint64_t count, size_t record_bytes)
{
    uint8_t *part = *at;
    uint64_t bytes = (count + 1) * record_bytes;
    *at = part + (bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
    return part;
}

uint32_t ramfsd_page_count(uint64_t memory_bytes)
{
    UNIT_ASSERT(memory_bytes >= RAMFSD_BYTES_ONCE + 2 * RAMFSD_BYTES_PER_PAGE);
    uint64_t fits = (memory_bytes - RAMFSD_BYTES_ONCE) / RAMFSD_BYTES_PER_PAGE;
    return fits < RAMFSD_PAGE_LIMIT ? (uint32_t)fits : RAMFSD_PAGE_LIMIT;
}

void ramfsd_init(struct ramfsd *ramfsd, void *memory, uint64_t memory_bytes, uint32_t open_limit)
{
    uint32_t count = ramfsd_page_count(memory_bytes);
    uint8_t *at = memory;
    ramfsd->page_bytes = at;
    at += (uint64_t)count * PAGE_BYTES;
    ramfsd->page = cut(&at, count, sizeof ramfsd->page[0]);
    ramfsd->page_index = cut(&at, count, sizeof ramfsd->page_index[0]);
    ramfsd->node = cut(&at, count, sizeof ramfsd->node[0]);
    ramfsd->child_index = cut(&at, count, sizeof ramfsd->child_index[0]);
    ramfsd->account = cut(&at, 2 * (uint64_t)count, sizeof ramfsd->account[0]);
    ramfsd->account_index = cut(&at, 2 * (uint64_t)count, sizeof ramfsd->account_index[0]);
    ramfsd->order = cut(&at, count, sizeof ramfsd->order[0]);
    UNIT_ASSERT((uint64_t)(at - (uint8_t *)memory) <= memory_bytes);
    ramfsd->pages.limit = count;
    ramfsd->nodes.limit = count;
    ramfsd->accounts.limit = 2 * count;
    ramfsd->open_limit = open_limit;
    /* The root, at RAMFSD_ROOT_PLACE. It is nobody's: everybody may make entries there, and removes
     * none of another's. */
    ramfsd_node_add(ramfsd, 0, FILE_KIND_DIRECTORY, 01777);
}
