/* SPDX-License-Identifier: ISC */
/* See files.h. */
#include "fuzz/adversary/files.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/formats/archive.h"
#include "abi/messages/procd.h"
#include "abi/messages/ramfsd.h"
#include "abi/messages/vfsd.h"

enum { NODE_LIMIT = 8 };

void adversary_path_briefly(struct choices *choices, uint16_t operation, void *body)
{
    static const char *const paths[] = {"/", "/a", "/b", "/a/b"};
    const char *path = paths[choices_below(choices, 4)];
    uint32_t count = (uint32_t)strlen(path);
    struct vfsd_open_request *open = body;
    struct vfsd_stat_request *stat = body;
    struct vfsd_rename_request *two = body;
    if (operation == OP_VFSD_OPEN) {
        open->count = count;
        memcpy(open->path, path, count);
    } else if (operation == OP_VFSD_RENAME || operation == OP_VFSD_SYMLINK) {
        two->from_count = 2;
        two->count = 2 + count;
        memcpy(two->paths, "/c", 2);
        memcpy(two->paths + 2, path, count);
    } else if (operation == OP_VFSD_STAT || operation == OP_VFSD_MKDIR ||
               operation == OP_VFSD_UNLINK || operation == OP_VFSD_RMDIR ||
               operation == OP_VFSD_READLINK) {
        stat->count = count;
        memcpy(stat->path, path, count);
    }
}

void adversary_node_briefly(struct choices *choices, uint16_t operation, uint64_t node,
                            uint64_t other, void *body)
{
    uint8_t name = (uint8_t)('a' + choices_below(choices, 4));
    struct ramfsd_attach_request *attach = body;
    struct ramfsd_lookup_request *named = body;
    struct ramfsd_create_request *create = body;
    struct ramfsd_symlink_request *link = body;
    struct ramfsd_rename_request *rename = body;
    struct ramfsd_write_request *write = body;
    struct ramfsd_read_request *read = body;
    struct ramfsd_truncate_request *truncate = body;
    switch (operation) {
    case OP_RAMFSD_ATTACH:
        attach->count = choices_flag(choices) ? 3 : 7;
        memcpy(attach->source, attach->count == 3 ? "ram\0\0\0\0" : "archive", 7);
        return;
    case OP_RAMFSD_LOOKUP:
    case OP_RAMFSD_UNLINK:
    case OP_RAMFSD_RMDIR:
        named->count = 1;
        named->name[0] = name;
        break;
    case OP_RAMFSD_CREATE:
        create->account &= 3;
        create->count = 1;
        create->name[0] = name;
        break;
    case OP_RAMFSD_SYMLINK:
        link->account &= 3;
        link->name_count = 1;
        link->count = 3;
        memcpy(link->name_and_target, (uint8_t[]){name, '/', 'a'}, 3);
        break;
    case OP_RAMFSD_RENAME:
        rename->to_directory = other;
        rename->from_count = 1;
        rename->count = 2;
        rename->names[0] = name;
        rename->names[1] = (uint8_t)('a' + choices_below(choices, 4));
        break;
    case OP_RAMFSD_WRITE:
        write->account &= 3;
        write->offset_bytes %= 4 * PAGE_BYTES;
        break;
    case OP_RAMFSD_READ:
        read->offset_bytes %= 4 * PAGE_BYTES;
        break;
    case OP_RAMFSD_TRUNCATE:
        truncate->size_bytes %= 4 * PAGE_BYTES;
        break;
    default:
        break;
    }
    memcpy(body, &node, sizeof node); /* every other request begins with one */
}

/* --- an archive --- */

static void octal(uint8_t *field, unsigned width, uint64_t value)
{
    for (unsigned i = width - 1; i-- > 0; value /= 8)
        field[i] = (uint8_t)('0' + value % 8);
}

static void header_put(uint8_t *header, const char *path, char type, uint64_t bytes,
                       const char *target)
{
    uint64_t sum = 0;
    strcpy((char *)header, path);
    octal(header + 100, 8, 0755);
    octal(header + 124, 12, bytes);
    octal(header + 136, 12, 0);
    header[156] = (uint8_t)type;
    strcpy((char *)header + 157, target);
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    memset(header + 148, ' ', 8);
    for (unsigned i = 0; i < ARCHIVE_BLOCK_BYTES; i++)
        sum += header[i];
    header[154] = 0;
    octal(header + 148, 7, sum);
}

const uint8_t *adversary_archive(size_t *size_bytes)
{
    enum { HEADERS = 3, FILE_BLOCKS = 9, END = 2, BLOCKS = HEADERS + FILE_BLOCKS + END };
    static uint8_t bytes[BLOCKS * ARCHIVE_BLOCK_BYTES];
    uint8_t *at = bytes;
    *size_bytes = sizeof bytes;
    if (bytes[0] != 0)
        return bytes;
    header_put(at, "./a/", '5', 0, "");
    header_put(at += ARCHIVE_BLOCK_BYTES, "./a/b", '0', FILE_BLOCKS * ARCHIVE_BLOCK_BYTES, "");
    memset(at + ARCHIVE_BLOCK_BYTES, 'x', FILE_BLOCKS * (size_t)ARCHIVE_BLOCK_BYTES);
    at += (1 + FILE_BLOCKS) * (size_t)ARCHIVE_BLOCK_BYTES;
    header_put(at, "./c", '2', 0, "a/b");
    return bytes;
}

/* A file for loaderd: one segment of code, which begins with the file. */
enum { PROGRAM_BYTES = 1000 };

/* A procd that takes all of it: one piece, and then the rest. */
static bool answer_transfer(struct message *message)
{
    static const struct procd_begin_loader_image_transfer_reply begun = {5};
    static const struct procd_commit_loader_image_transfer_reply made = {5};
    bool is_piece = message->header.body_bytes > FILE_TRANSFER_BYTES_MAX;
    struct procd_send_loader_image_chunk_reply received = {is_piece ? FILE_TRANSFER_BYTES_MAX
                                                                    : PROGRAM_BYTES};
    switch (message->header.operation) {
    case OP_PROCD_BEGIN_LOADER_IMAGE_TRANSFER:
        return message_encode(&procd_begin_loader_image_transfer_reply_type, &begun, message) ==
               STATUS_OK;
    case OP_PROCD_SEND_LOADER_IMAGE_CHUNK:
        return message_encode(&procd_send_loader_image_chunk_reply_type, &received, message) ==
               STATUS_OK;
    case OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER:
        return message_encode(&procd_commit_loader_image_transfer_reply_type, &made, message) ==
               STATUS_OK;
    default:
        return false;
    }
}

bool adversary_answer_file(struct message *message)
{
    static const uint8_t ident[] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    static const uint64_t words[] = {[2] = UINT64_C(0x1003E0002), /* type, machine, version */
                                     [3] = 0x400200,              /* entry */
                                     [4] = 64,
                                     [6] = UINT64_C(0x38004000000000),
                                     [7] = 1,
                                     [8] = UINT64_C(0x500000001), /* LOAD, read and execute */
                                     [10] = 0x400000,
                                     [11] = 0x400000,
                                     [12] = PROGRAM_BYTES,
                                     [13] = PROGRAM_BYTES,
                                     [14] = 1};
    static const struct vfsd_open_reply opened = {.size_bytes = PROGRAM_BYTES, .mode = 0755};
    static const struct vfsd_stat_handle_reply same = {.size_bytes = PROGRAM_BYTES};
    static struct vfsd_read_reply reply;
    struct vfsd_read_request request;
    if (answer_transfer(message))
        return true;
    if (message->header.operation == OP_VFSD_OPEN)
        return message_encode(&vfsd_open_reply_type, &opened, message) == STATUS_OK;
    if (message->header.operation == OP_VFSD_STAT_HANDLE)
        return message_encode(&vfsd_stat_handle_reply_type, &same, message) == STATUS_OK;
    if (message->header.operation != OP_VFSD_READ ||
        message_decode(&vfsd_read_request_type, message, &request) != STATUS_OK)
        return false;
    memset(&reply, 0, sizeof reply);
    reply.count = request.count;
    if (request.offset_bytes == 0 && request.count >= sizeof words) {
        memcpy(reply.bytes, words, sizeof words);
        memcpy(reply.bytes, ident, sizeof ident);
    }
    return message_encode(&vfsd_read_reply_type, &reply, message) == STATUS_OK;
}

/* A provider whose nodes are few, and are what they were asked as. */
bool adversary_answer_provider(struct choices *choices, struct message *message)
{
    uint16_t operation = message->header.operation;
    struct ramfsd_stat_reply node = {.node = 1 + choices_below(choices, NODE_LIMIT),
                                     .mode = 0777,
                                     .kind = (uint32_t)choices_below(choices, FILE_KIND_LAST + 1)};
    struct ramfsd_readlink_reply link = {.count = 2, .target = "/a"};
    struct ramfsd_attach_reply attach = {.root_node = 1};
    if (operation == OP_RAMFSD_ATTACH)
        return message_encode(&ramfsd_attach_reply_type, &attach, message) == STATUS_OK;
    if (operation == OP_RAMFSD_READLINK)
        return message_encode(&ramfsd_readlink_reply_type, &link, message) == STATUS_OK;
    if (operation == OP_RAMFSD_STAT) {
        memcpy(&node.node, message->body, sizeof node.node);
        node.kind = choices_below(choices, 4) == 0 ? FILE_KIND_FILE : FILE_KIND_DIRECTORY;
    } else if (operation != OP_RAMFSD_LOOKUP) {
        return false;
    }
    return message_encode(&ramfsd_stat_reply_type, &node, message) == STATUS_OK;
}
