/* SPDX-License-Identifier: ISC */
/* See peers_of_vfsd.h. What vfsd could do wrong towards its peers is a property here; what an
 * environment may do to it is a result. */
#include "props/stand_ins/peers_of_vfsd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/formats/path.h"
#include "abi/messages/named.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "abi/text/generate.h"
#include "props/base/property.h"
#include "services/lib/discovery.h"
#include "services/vfsd/vfsd.h"

enum {
    TREE_ARCHIVE,
    TREE_FULL_OF_FILES,
    TREE_SMALL,
    SMALL_NODES = 8,
    SMALL_OPENS = 2,
    OWNER_A = ROLE_PHASE0_PROBE, /* the harness's clients, in order */
    OWNER_B
};

static struct model_ramfsd trees[MODEL_VFSD_TREES];
static uint32_t lives[MODEL_VFSD_TREES]; /* which process it is; 0: none */
static uint32_t life_count;

static struct model_vfsd_call calls[MODEL_VFSD_CALLS];
static uint32_t call_count;

static struct {
    uint64_t after;
    enum peers_lie lie; /* PEERS_LIE_COUNT: none is planned */
} plan;

/* --- trees ------------------------------------------------------------------------------------ */

#define DIRECTORY(path, mode)                                                                      \
    {                                                                                              \
        path, FILE_KIND_DIRECTORY, mode, NULL, 0                                                   \
    }
#define BYTES_OF(path, kind, mode, text)                                                           \
    {                                                                                              \
        path, kind, mode, (const uint8_t *)(text), sizeof(text) - 1                                \
    }

/* Of the links: where one leads, one to ".." above "/", one to itself, one that grows until the
 * walk is too long, one out of its mount, one to nothing, a chain. */
#define AA  "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/"
#define BIG "big/" AA AA AA AA AA AA AA AA AA AA
static const struct model_ramfsd_entry archive[] = {
    DIRECTORY("/", 0755),
    DIRECTORY("/bin", 0755),
    BYTES_OF("/bin/run", FILE_KIND_FILE, 0755,
             "\x7F"
             "ELF and so on"),
    BYTES_OF("/bin/one", FILE_KIND_FILE, 0644, "1"),
    DIRECTORY("/etc", 0755),
    BYTES_OF("/etc/secret", FILE_KIND_FILE, 0600, "nobody reads this"),
    DIRECTORY("/etc/shut", 0700),
    BYTES_OF("/etc/shut/f", FILE_KIND_FILE, 0644, "f"),
    BYTES_OF("/in", FILE_KIND_SYMLINK, 0777, "bin"),
    BYTES_OF("/up", FILE_KIND_SYMLINK, 0777, "../../bin/./run"),
    BYTES_OF("/loop", FILE_KIND_SYMLINK, 0777, "loop"),
    BYTES_OF("/big", FILE_KIND_SYMLINK, 0777, BIG),
    BYTES_OF("/out", FILE_KIND_SYMLINK, 0777, "tmp/f"),
    BYTES_OF("/nil", FILE_KIND_SYMLINK, 0777, "/tmp/nil"),
    BYTES_OF("/bin/dots", FILE_KIND_SYMLINK, 0777, "../etc/.."),
    BYTES_OF("/shut", FILE_KIND_SYMLINK, 0777, "etc/shut/../secret"),
};

static void ask_model(struct model_ramfsd *tree, const struct message_type *type, const void *body)
{
    struct message request;
    generate_delivered(type, body, &request);
    request.header.badge = ROLE_VFSD;
    HARNESS(model_ramfsd_step(tree, &request, 0).status == STATUS_OK);
}

static uint64_t node_at(struct model_ramfsd *tree, const char *path)
{
    uint64_t number = tree->nodes[1].number;
    size_t at = 0;
    struct path_part part;
    while (path_next((const uint8_t *)path, strlen(path), &at, &part)) {
        uint64_t found = 0;
        for (uint32_t place = 1; place <= tree->used; place++)
            if (tree->nodes[place].number != 0 && tree->nodes[place].directory == number &&
                tree->nodes[place].name_count == part.count &&
                memcmp(tree->nodes[place].name, path + part.from, part.count) == 0)
                found = tree->nodes[place].number;
        number = found;
    }
    return number;
}

/* A file or directory of an owner in a directory; a link when it has a target. */
static void plant_entry(struct model_ramfsd *tree, const char *directory, const char *name,
                        uint64_t owner, uint32_t kind, uint32_t mode)
{
    struct ramfsd_create_request create = {.directory_node = node_at(tree, directory),
                                           .account = owner,
                                           .kind = kind,
                                           .mode = mode,
                                           .count = (uint32_t)strlen(name)};
    memcpy(create.name, name, create.count);
    ask_model(tree, &ramfsd_create_request_type, &create);
}

static void plant_link(struct model_ramfsd *tree, const char *directory, const char *name,
                       const char *target)
{
    struct ramfsd_symlink_request symlink = {.directory_node = node_at(tree, directory),
                                             .account = OWNER_A,
                                             .name_count = (uint32_t)strlen(name)};
    symlink.count = symlink.name_count + (uint32_t)strlen(target);
    memcpy(symlink.name_and_target, name, symlink.name_count);
    memcpy(symlink.name_and_target + symlink.name_count, target, strlen(target));
    ask_model(tree, &ramfsd_symlink_request_type, &symlink);
}

static void plant_files(struct model_ramfsd *tree)
{
    static const char text[] = "some bytes";
    plant_entry(tree, "/", "f", OWNER_A, FILE_KIND_FILE, 0644);
    plant_entry(tree, "/", "d", OWNER_A, FILE_KIND_DIRECTORY, 0777);
    plant_entry(tree, "/d", "g", OWNER_B, FILE_KIND_FILE, 0606);
    plant_entry(tree, "/", "a", OWNER_A, FILE_KIND_DIRECTORY, 0755);
    plant_entry(tree, "/", "p", OWNER_A, FILE_KIND_DIRECTORY, 0700);
    plant_entry(tree, "/p", "f", OWNER_A, FILE_KIND_FILE, 0666);
    plant_link(tree, "/", "l", "d/g");
    plant_link(tree, "/d", "l", "../f");
    struct ramfsd_write_request write = {
        .node = node_at(tree, "/f"), .account = OWNER_A, .count = sizeof text - 1};
    memcpy(write.bytes, text, write.count);
    ask_model(tree, &ramfsd_write_request_type, &write);
}

static void plant(struct model_ramfsd *tree, uint32_t which)
{
    switch (which) {
    case TREE_ARCHIVE:
        model_ramfsd_reset_archive(tree, MODEL_RAMFSD_LIMIT, UINT16_MAX, archive,
                                   sizeof archive / sizeof archive[0]);
        return;
    case TREE_FULL_OF_FILES:
        model_ramfsd_reset(tree, MODEL_RAMFSD_LIMIT, UINT16_MAX);
        plant_files(tree);
        return;
    default:
        model_ramfsd_reset(tree, SMALL_NODES, SMALL_OPENS);
        plant_entry(tree, "/", "f", OWNER_A, FILE_KIND_FILE, 0666);
        return;
    }
}

/* As they are planted. Made before any input runs, so that no input is the one that reaches it. */
static struct model_ramfsd planted[MODEL_VFSD_TREES];

__attribute__((constructor)) static void plant_all(void)
{
    for (uint32_t which = 0; which < MODEL_VFSD_TREES; which++)
        plant(&planted[which], which);
}

void peers_vfsd_plant(struct model_ramfsd *tree, uint32_t which)
{
    model_ramfsd_copy(tree, &planted[which]);
}

const struct model_ramfsd *peers_vfsd_tree(uint32_t tree)
{
    return &trees[tree];
}

/* --- lives ------------------------------------------------------------------------------------ */

void peers_vfsd_end(uint32_t tree)
{
    lives[tree] = 0;
}

void peers_vfsd_again(uint32_t tree, bool read_only)
{
    lives[tree] = ++life_count;
    peers_vfsd_plant(&trees[tree], tree);
    trees[tree].read_only = read_only;
}

bool peers_vfsd_lives(uint32_t tree)
{
    return lives[tree] != 0;
}

static uint32_t tree_of_role(uint32_t role)
{
    uint32_t tree = 0;
    while (tree < MODEL_VFSD_TREES && model_vfsd_role(tree) != role)
        tree++;
    return tree;
}

/* --- lies ------------------------------------------------------------------------------------- */

void peers_vfsd_lie(uint64_t after, enum peers_lie lie)
{
    plan.after = after;
    plan.lie = lie;
}

static void put_u64(struct message *message, size_t at, uint64_t value)
{
    memcpy(message->body + at, &value, sizeof value);
}

static void put_u32(struct message *message, size_t at, uint32_t value)
{
    memcpy(message->body + at, &value, sizeof value);
}

static bool has_attributes(uint16_t operation)
{
    return operation == OP_RAMFSD_LOOKUP || operation == OP_RAMFSD_STAT ||
           operation == OP_RAMFSD_CREATE || operation == OP_RAMFSD_SYMLINK;
}

/* A symbolic link's attributes are nobody's business but their bytes'. */
static bool node_counts(uint16_t operation)
{
    return operation == OP_RAMFSD_ATTACH ||
           (has_attributes(operation) && operation != OP_RAMFSD_SYMLINK);
}

static bool lie_of_node(uint16_t operation, enum peers_lie lie, struct message *message)
{
    uint64_t node;
    memcpy(&node, message->body, sizeof node);
    bool entry = operation == OP_RAMFSD_READDIR && node != 0;
    if (!node_counts(operation) && !entry)
        return false;
    if (lie == PEERS_LIE_OTHER_NODE && operation != OP_RAMFSD_STAT)
        return false;
    if (lie == PEERS_LIE_NO_NODE)
        put_u64(message, 0, 0);
    else
        put_u64(message, 0, lie == PEERS_LIE_WIDE_NODE ? node | UINT64_C(1) << 56 : node + 1);
    return true;
}

static bool lie_of_kind(uint16_t operation, enum peers_lie lie, struct message *message)
{
    size_t at = offsetof(struct ramfsd_stat_reply, kind);
    bool fixed = operation == OP_RAMFSD_STAT || operation == OP_RAMFSD_CREATE;
    if (lie == PEERS_LIE_NO_KIND && has_attributes(operation)) {
        put_u32(message, at, FILE_KIND_LAST + 1);
        return true;
    }
    if (lie == PEERS_LIE_NO_KIND || !fixed)
        return false;
    put_u32(message, at, FILE_KIND_SYMLINK);
    return true;
}

/* Of READ: count is the second word, and the bytes follow. */
static bool lie_of_count(const struct stand_in_call *call, uint32_t asked)
{
    struct message *message = call->message;
    if (asked == FILE_TRANSFER_BYTES_MAX)
        return false;
    put_u32(message, 4, asked + 1);
    message->header.body_bytes = (uint16_t)(8 + asked + 1);
    return true;
}

static bool lie_of_entry(enum peers_lie lie, uint64_t cursor, struct message *message)
{
    uint64_t node;
    memcpy(&node, message->body, sizeof node);
    if (node == 0)
        return false;
    if (lie == PEERS_LIE_STILL_CURSOR)
        put_u64(message, 8, cursor);
    else
        message->body[offsetof(struct ramfsd_readdir_reply, name)] = '/';
    return true;
}

/* What the request said that a lie is measured by. */
struct asked {
    uint32_t count;
    uint64_t cursor;
    uint64_t end;
};

static bool lie_to(const struct stand_in_call *call, uint16_t operation, enum peers_lie lie,
                   const struct asked *asked)
{
    struct message *message = call->message;
    switch (lie) {
    case PEERS_LIE_NO_NODE:
    case PEERS_LIE_WIDE_NODE:
    case PEERS_LIE_OTHER_NODE:
        return lie_of_node(operation, lie, message);
    case PEERS_LIE_KIND:
    case PEERS_LIE_NO_KIND:
        return lie_of_kind(operation, lie, message);
    case PEERS_LIE_MANY_BYTES:
        return operation == OP_RAMFSD_READ && lie_of_count(call, asked->count);
    case PEERS_LIE_SHORT_FILE:
        if (operation != OP_RAMFSD_WRITE || asked->count == 0)
            return false;
        put_u64(message, 0, asked->end - 1);
        return true;
    case PEERS_LIE_STILL_CURSOR:
    case PEERS_LIE_NAME:
        return operation == OP_RAMFSD_READDIR && lie_of_entry(lie, asked->cursor, message);
    case PEERS_LIE_TARGET:
        if (operation != OP_RAMFSD_READLINK)
            return false;
        message->body[8] = 1;
        return true;
    case PEERS_LIE_SHORT_BODY:
        if (message->header.body_bytes == 0)
            return false;
        message->header.body_bytes--;
        return true;
    case PEERS_LIE_COUNT:
        break;
    }
    return false;
}

/* The lie that is planned, when this is the call. */
static bool lie(const struct stand_in_call *call, uint16_t operation, const struct asked *asked)
{
    if (plan.lie == PEERS_LIE_COUNT || plan.after-- != 0)
        return false;
    enum peers_lie told = plan.lie;
    plan.lie = PEERS_LIE_COUNT;
    return lie_to(call, operation, told, asked);
}

static struct asked asked_of(const struct message *message)
{
    struct asked asked = {0};
    union {
        struct ramfsd_read_request read;
        struct ramfsd_write_request write;
        struct ramfsd_readdir_request readdir;
    } body;
    uint16_t operation = message->header.operation;
    if (operation == OP_RAMFSD_READ &&
        message_decode(&ramfsd_read_request_type, message, &body) == STATUS_OK)
        asked.count = body.read.count;
    if (operation == OP_RAMFSD_READDIR &&
        message_decode(&ramfsd_readdir_request_type, message, &body) == STATUS_OK)
        asked.cursor = body.readdir.cursor;
    if (operation == OP_RAMFSD_WRITE &&
        message_decode(&ramfsd_write_request_type, message, &body) == STATUS_OK) {
        asked.count = body.write.count;
        asked.end = body.write.offset_bytes + body.write.count;
    }
    return asked;
}

/* --- calls ------------------------------------------------------------------------------------ */

/* What the loop does with what a message brought is no call of vfsd's. */
static bool empties_window(const struct stand_in_call *call)
{
    const struct kernel_drop_local_cap_request *drop = call->request;
    return call->operation != NULL && call->operation->service == SERVICE_KERNEL &&
           call->operation->id == OP_KERNEL_DROP_LOCAL_CAP && drop->slot < SLOT_DYNAMIC_BASE;
}

/* Whom it asks named for. */
static uint32_t tree_sought(const struct message *message)
{
    struct named_lookup_request request;
    uint32_t tree = 0;
    PROPERTY_EQUAL(E10, message_decode(&named_lookup_request_type, message, &request), STATUS_OK);
    for (; tree < MODEL_VFSD_TREES; tree++) {
        const char *name = role_find(model_vfsd_role(tree))->image;
        if (strlen(name) == request.count && memcmp(name, request.name, request.count) == 0)
            break;
    }
    return tree;
}

static void asked(const struct stand_in_call *call)
{
    const struct message *message = call->message;
    if (empties_window(call))
        return;
    HARNESS(call_count < MODEL_VFSD_CALLS);
    struct model_vfsd_call *noted = &calls[call_count];
    *noted = (struct model_vfsd_call){.tree = tree_of_role(call->through.object),
                                      .now_ticks = stand_in_now()};
    if (call->through.object_type != OBJECT_ENDPOINT) {
        PROPERTY_EQUAL(E10, call->operation->id, OP_KERNEL_DROP_LOCAL_CAP);
        noted->what = CALL_DROP;
        noted->slot = ((const struct kernel_drop_local_cap_request *)call->request)->slot;
        return;
    }
    bool finds = call->through.object == ROLE_NAMED;
    PROPERTY(F10, "deadline", call->deadline_ticks != DEADLINE_NEVER);
    if (finds)
        PROPERTY(F10, "deadline",
                 call->deadline_ticks <= stand_in_now() + (uint64_t)DISCOVERY_CALL_TICKS);
    noted->deadline_ticks = call->deadline_ticks; /* of ASK the model says which it must be */
    noted->what = finds ? CALL_FIND : CALL_ASK;
    if (finds)
        noted->tree = tree_sought(message);
    noted->operation = message->header.operation;
    if (!finds && noted->operation != OP_RAMFSD_ATTACH)
        memcpy(&noted->node, message->body, sizeof noted->node);
}

static void answered(const struct stand_in_call *call, enum status status)
{
    if (empties_window(call))
        return;
    struct model_vfsd_call *noted = &calls[call_count++];
    noted->status = status;
    noted->answered = !call->unheard && status != STATUS_TIMED_OUT && status != STATUS_PEER_DIED;
    noted->lied = noted->lied && noted->answered; /* nobody heard it */
}

static enum status say_nothing(struct stand_in_call *call)
{
    call->unheard = true;
    return STATUS_NOT_FOUND;
}

static enum status named(struct stand_in_call *call, const struct model_vfsd_call *noted)
{
    struct named_lookup_reply reply = {.service_slot = 1};
    if (noted->tree == MODEL_VFSD_TREES || lives[noted->tree] == 0)
        return STATUS_NOT_FOUND;
    call->caps[0] = stand_in_cap_to(OBJECT_ENDPOINT, model_vfsd_role(noted->tree));
    call->caps[0].rights = RIGHT_SEND;
    call->caps[0].badge = lives[noted->tree]; /* so that it is known later which one it was */
    HARNESS(message_encode(&named_lookup_reply_type, &reply, call->message) == STATUS_OK);
    return STATUS_OK;
}

static enum status answer(struct stand_in_call *call)
{
    struct model_vfsd_call *noted = &calls[call_count];
    if (call->through.object == ROLE_NAMED)
        return named(call, noted);
    uint32_t tree = tree_of_role(call->through.object);
    HARNESS(tree < MODEL_VFSD_TREES);
    if (call->through.badge != lives[tree])
        return say_nothing(call);
    const struct operation *row = operation_find(SERVICE_RAMFSD, call->message->header.operation);
    struct message request = *call->message;
    struct asked by = asked_of(&request);
    request.header.badge = ROLE_VFSD;
    PROPERTY(E10, row != NULL);
    struct model_ramfsd_answer said = model_ramfsd_step(&trees[tree], &request, stand_in_now());
    PROPERTY(E10, said.status != STATUS_READ_ONLY); /* vfsd knew it */
    noted->did = true;
    if (said.status == STATUS_OK) {
        HARNESS(message_encode(row->reply, &said.reply, call->message) == STATUS_OK);
        noted->lied = lie(call, row->id, &by);
    }
    return said.status;
}

uint32_t peers_vfsd_calls(const struct model_vfsd_call **made)
{
    *made = calls;
    return call_count;
}

void peers_vfsd_message_begin(void)
{
    call_count = 0;
}

/* --- begin ------------------------------------------------------------------------------------ */

static const struct stand_in_peers peers = {
    .strict = true,
    .timed = true,
    .asked = asked,
    .answered = answered,
    .answer = answer,
};

void peers_of_vfsd_begin(struct model_ramfsd *const copies[MODEL_VFSD_TREES])
{
    stand_in_begin(&peers);
    call_count = life_count = 0;
    plan.lie = PEERS_LIE_COUNT;
    for (uint32_t tree = 0; tree < MODEL_VFSD_TREES; tree++) {
        peers_vfsd_again(tree, false);
        peers_vfsd_plant(copies[tree], tree);
    }
}
