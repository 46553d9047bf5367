/* SPDX-License-Identifier: ISC */
/* What ramfsd's life compares after each message: replies and counts with the model, and what a
 * reader and whoever set IMMUTABLE were promised with what they see. */
#include <string.h>

#include "abi/codec.h"
#include "fuzz/life/ramfsd_life.h"

void compare_reply(void)
{
    static uint64_t reply[MESSAGE_BODY_BYTES_MAX / 8];
    const struct message_type *type = operation_find(SERVICE_RAMFSD, life.operation)->reply;
    memset(reply, 0, sizeof reply);
    PROPERTY_EQUAL(E5, reply_decode(type, stand_in_reply(), reply), STATUS_OK);
    bool same = memcmp(reply, &life.answer.reply, type->max_bytes) == 0;
    if (life.operation == OP_RAMFSD_READ)
        PROPERTY(F3, "reply", same);
    else if (life.operation == OP_RAMFSD_READDIR)
        PROPERTY(F5, "reply", same);
    else
        PROPERTY(F2, "reply", same);
}

/* --- everything --- */

void ramfsd_life_check(void)
{
    if (!oracle_due())
        return;
    life_check(ramfsd_check(&ramfsd));
    PROPERTY_EQUAL(F2, "nodes", ramfsd.nodes.count, model_ramfsd_nodes_of(&model, 0, true) + 1);
    PROPERTY_EQUAL(F4, "pages", ramfsd.pages.count, model_ramfsd_pages_of(&model, 0, true));
}

uint64_t ramfsd_life_digest(void)
{
    uint64_t sum = 0;
    ramfsd_visit_fields(&ramfsd, life_digest_visit, &sum);
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

static void ask(const struct message_type *type, const void *body)
{
    struct message request;
    life_request(type, body, ROLE_VFSD, &request);
    PROPERTY_EQUAL(F2, "asked", ramfsd_life_exchange(&request), STATUS_OK);
}

/* A page of a file from its begin on. */
static void ask_page(uint64_t node, uint64_t begin)
{
    struct ramfsd_read_request read = {.node = node, .count = FILE_TRANSFER_BYTES_MAX};
    for (uint32_t at = 0; at < PAGE_BYTES; at += FILE_TRANSFER_BYTES_MAX) {
        read.offset_bytes = begin + at;
        ask(&ramfsd_read_request_type, &read);
    }
}

static bool is_file(uint64_t number)
{
    const struct model_ramfsd_node *node = model_ramfsd_find(&model, number);
    return node != NULL && node->is.kind == FILE_KIND_FILE;
}

void ramfsd_life_ask_all(void)
{
    life_print_as_comments(true);
    for (uint32_t place = 1; place <= model.used; place++) {
        struct ramfsd_stat_request stat = {.node = model.nodes[place].number};
        if (stat.node != 0)
            ask(&ramfsd_stat_request_type, &stat);
        if (is_file(stat.node))
            ask_page(stat.node, 0);
    }
    for (uint32_t i = 0; i < model.limit; i++)
        if (model.pages[i].begin != 0 && is_file(model.pages[i].node))
            ask_page(model.pages[i].node, model.pages[i].begin);
    life_print_as_comments(false);
}

/* --- IMMUTABLE --- */

/* What may change of such a node: who has it open, and when it was read. */
static struct ramfsd_node without_use(uint32_t place)
{
    struct ramfsd_node node = ramfsd.node[place];
    node.open_count = 0;
    node.accessed_ticks = 0;
    return node;
}

void ramfsd_life_note_immutable(void)
{
    life.immutable_count = 0;
    for (uint32_t place = 1; model.has_immutable && place <= ramfsd.nodes.used; place++) {
        if ((ramfsd.node[place].flags & FILE_IMMUTABLE) == 0)
            continue;
        life.immutable_places[life.immutable_count] = place;
        life.immutable[life.immutable_count++] = without_use(place);
    }
}

void ramfsd_life_check_immutable(void)
{
    if (life.operation == OP_RAMFSD_SET_METADATA)
        return;
    for (uint32_t i = 0; i < life.immutable_count; i++) {
        const struct ramfsd_node *before = &life.immutable[i];
        struct ramfsd_node now = without_use(life.immutable_places[i]);
        bool was_unlinked = before->parent == 0 && life.immutable_places[i] != RAMFSD_ROOT_PLACE;
        if (was_unlinked && now.is_used == 0) { /* whoever had it open has not any more */
            MARK("ramfsd: an unlinked node that is IMMUTABLE goes");
            continue;
        }
        PROPERTY(F6, "node", memcmp(&now, before, sizeof now) == 0);
    }
}

/* --- a reader --- */

static void reader_begin(uint64_t n)
{
    const struct model_ramfsd_node *directory = &model.nodes[1 + n % model.used];
    memset(&life.reader, 0, sizeof life.reader);
    if (directory->number == 0 || directory->is.kind != FILE_KIND_DIRECTORY)
        return;
    life.reader.directory = directory->number;
    for (uint32_t place = 1; place <= model.used; place++)
        if (model.nodes[place].number != 0 && model.nodes[place].directory == directory->number)
            life.reader.stays[place] = model.nodes[place].number;
}

/* Nothing comes any more: each entry that was there all the while was given. */
static void reader_end(void)
{
    for (uint32_t place = 1; place <= model.used; place++)
        if (life.reader.stays[place] != 0)
            PROPERTY_EQUAL(F5, "given", life.reader.given[place], life.reader.stays[place]);
    life.reader.directory = 0;
}

void ramfsd_life_reader_step(uint64_t n)
{
    struct ramfsd_life_reader *reader = &life.reader;
    struct message request;
    if (reader->directory == 0) {
        reader_begin(n);
        return;
    }
    struct ramfsd_readdir_request body = {.directory_node = reader->directory,
                                          .cursor = reader->cursor};
    life_request(&ramfsd_readdir_request_type, &body, ROLE_VFSD, &request);
    life_print_as_comments(true);
    unsigned status = ramfsd_life_exchange(&request);
    life_print_as_comments(false);
    const struct ramfsd_readdir_reply *reply = &life.answer.reply.readdir;
    uint32_t place = (uint32_t)(reply->node & ((1u << RAMFSD_PLACE_BITS) - 1));
    if (status != STATUS_OK)
        reader->directory = 0; /* it is gone */
    else if (reply->node == 0)
        reader_end();
    else {
        PROPERTY(F5, "once", reader->given[place] != reply->node);
        reader->given[place] = reply->node;
        reader->cursor = reply->next_cursor;
    }
}

void ramfsd_life_reader_sees(void)
{
    for (uint32_t place = 1; life.reader.directory != 0 && place <= model.used; place++) {
        const struct model_ramfsd_node *node = &model.nodes[place];
        if (life.reader.stays[place] != node->number || node->directory != life.reader.directory)
            life.reader.stays[place] = 0;
    }
}

/* --- marks --- */

unsigned ramfsd_life_state(const struct message *request)
{
    uint64_t number = 0; /* nearly every body begins with one */
    if (request->header.body_bytes >= sizeof number)
        memcpy(&number, request->body, sizeof number);
    const struct model_ramfsd_node *node = model_ramfsd_find(&model, number);
    unsigned state = node == NULL ? 0 : 1 + node->is.kind;
    if (node == NULL)
        return state;
    state |= (node->is.flags & FILE_IMMUTABLE) != 0 ? 4u : 0;
    state |= node->opens != 0 ? 8u : 0;
    state |= node->directory == 0 ? 16u : 0; /* the root, or unlinked */
    state |= node->is.size_bytes != 0 ? 32u : 0;
    return state;
}
