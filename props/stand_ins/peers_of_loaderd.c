/* SPDX-License-Identifier: ISC */
/* See peers_of_loaderd.h. What loaderd could do wrong towards its peers is a property here; what an
 * environment may do to it is a result. */
#include "props/stand_ins/peers_of_loaderd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/formats/sha256.h"
#include "abi/message_type.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "props/base/property.h"
#include "props/stand_ins/peers_of_loaderd_inside.h"

enum { CALL_LIMIT = 64, PROCESS_COUNT_LIMIT = 4096, FIRST_PROCESS = 7, LOADERDS_PROCESS = 9 };

static struct model_loaderd_call calls[CALL_LIMIT];
static uint32_t call_count;

static struct peers_file_state files[PEERS_FILE_COUNT];

/* A process that procd made of a transfer: its number is FIRST_PROCESS + index. */
static struct process {
    bool there; /* it runs, or there is a record of it */
    uint32_t reason;
    uint32_t code;
    uint64_t fault_va;
} processes[PROCESS_COUNT_LIMIT];

static struct {
    uint64_t rewrites;
    uint64_t youngest;
    uint32_t number_count; /* given out by procd, each once */

    bool takes_notices; /* procd knows where to */

    uint64_t handle_count;
    uint64_t handle; /* the open one; 0: none */
    uint32_t handle_file;

    /* What loaderd was told of the file since it opened it: the first bytes of each place, and whether
     * it was told that somebody rewrote it. */
    uint8_t head[PEERS_HEAD_BYTES];
    uint32_t head_bytes;
    uint64_t told_version;
    bool told_other;

    uint64_t transfer; /* the open one; 0: none */
    struct procd_begin_loader_image_transfer_request begun;
    uint64_t received_bytes;
    struct sha256 sha256;

    struct {
        enum peers_lie lie;
        uint64_t after_calls;
    } lies[2]; /* vfsd's, procd's */
} around;

/* --- answers ---------------------------------------------------------------------------------- */

static enum status answer_with(struct stand_in_call *call, struct model_loaderd_call *noted,
                               const struct message_type *type, const void *body)
{
    static const uint64_t nothing = 0;
    if (body != NULL)
        memcpy(&noted->told, body, type->max_bytes);
    HARNESS(message_encode(type, body == NULL ? &nothing : body, call->message) == STATUS_OK);
    return STATUS_OK;
}

static enum status refuse(struct stand_in_call *call, struct model_loaderd_call *noted,
                          enum status status)
{
    noted->status = status;
    message_refuse(call->message, status);
    return STATUS_OK;
}

/* Nobody answers before the caller gives up. */
static enum status hang(const struct stand_in_call *call)
{
    if (call->deadline_ticks > stand_in_now())
        stand_in_clock_set(call->deadline_ticks);
    return STATUS_TIMED_OUT;
}

static enum status babble(struct stand_in_call *call, struct model_loaderd_call *noted)
{
    noted->status = STATUS_INTERNAL;
    call->message->header.status = STATUS_OK;
    call->message->header.body_bytes = 4;
    call->message->header.cap_count = 0;
    return STATUS_OK;
}

/* The lie that this call meets. */
static enum peers_lie lie_now(bool of_procd)
{
    enum peers_lie lie = around.lies[of_procd].lie;
    if (lie == PEERS_HONEST || around.lies[of_procd].after_calls-- != 0)
        return PEERS_HONEST;
    around.lies[of_procd].lie = PEERS_HONEST;
    return lie;
}

/* --- vfsd ------------------------------------------------------------------------------------- */

static void attributes_of(const struct peers_file_state *file, struct vfsd_stat_handle_reply *reply)
{
    *reply = (struct vfsd_stat_handle_reply){
        .file_id = file->file_id,
        .size_bytes = file->size_bytes,
        .version = file->version,
        .owner = file->owner,
        .kind = file->kind,
        .mode = file->mode,
    };
}

static void rewrite(struct peers_file_state *file)
{
    file->seed = ++around.rewrites;
    file->version++;
}

static uint32_t file_of(const struct vfsd_open_request *request)
{
    bool known = request->count == 3 && memcmp(request->path, "/p", 2) == 0 &&
                 request->path[2] >= '0' && request->path[2] < '0' + PEERS_FILE_COUNT;
    return known ? (uint32_t)(request->path[2] - '0') : PEERS_FILE_COUNT;
}

static enum status vfsd_open(struct stand_in_call *call, struct model_loaderd_call *noted)
{
    struct vfsd_open_reply reply;
    struct vfsd_stat_handle_reply attributes;
    uint32_t index = file_of(&noted->asked.open);
    PROPERTY(X2, "one-handle", around.handle == 0);
    if (index == PEERS_FILE_COUNT)
        return refuse(call, noted, STATUS_NOT_FOUND);
    const struct peers_file_state *file = &files[index];
    if (file->refused != STATUS_OK)
        return refuse(call, noted, file->refused);
    attributes_of(file, &attributes);
    reply = (struct vfsd_open_reply){
        .handle = ++around.handle_count,
        .file_id = attributes.file_id,
        .size_bytes = attributes.size_bytes,
        .version = attributes.version,
        .owner = attributes.owner,
        .kind = attributes.kind,
        .mode = attributes.mode,
    };
    around.handle = reply.handle;
    around.handle_file = index;
    around.head_bytes = 0;
    around.told_version = file->version;
    around.told_other = false;
    return answer_with(call, noted, &vfsd_open_reply_type, &reply);
}

/* What was said of the file's beginning first is what its headers are to loaderd. */
static void remember(uint64_t offset, uint32_t count, const uint8_t *bytes)
{
    if (offset != around.head_bytes || offset + count > PEERS_HEAD_BYTES)
        return;
    memcpy(around.head + offset, bytes, count);
    around.head_bytes += count;
}

static enum status vfsd_read(struct stand_in_call *call, struct model_loaderd_call *noted,
                             enum peers_lie lie)
{
    const struct vfsd_read_request *request = &noted->asked.read;
    struct vfsd_read_reply reply;
    struct peers_file_state *file = &files[around.handle_file];
    memset(&reply, 0, sizeof reply);
    if (lie == PEERS_REWRITES)
        rewrite(file);
    if (lie == PEERS_FORGES)
        file->seed = ++around.rewrites;
    reply.count = peers_file_read(file, request->offset_bytes, request->count, reply.bytes);
    reply.count -= lie == PEERS_LESS && reply.count != 0;
    reply.count += lie == PEERS_MORE && reply.count < FILE_TRANSFER_BYTES_MAX;
    remember(request->offset_bytes, reply.count, reply.bytes);
    return answer_with(call, noted, &vfsd_read_reply_type, &reply);
}

static enum status vfsd_stat(struct stand_in_call *call, struct model_loaderd_call *noted,
                             enum peers_lie lie)
{
    struct vfsd_stat_handle_reply reply;
    struct peers_file_state *file = &files[around.handle_file];
    if (lie == PEERS_REWRITES)
        rewrite(file);
    attributes_of(file, &reply);
    reply.size_bytes += lie == PEERS_SIZE;
    reply.file_id += lie == PEERS_NUMBER;
    if (lie == PEERS_MORE)
        reply.kind = FILE_KIND_DIRECTORY;
    around.told_other = around.told_other || reply.version != around.told_version ||
                        lie == PEERS_SIZE || lie == PEERS_NUMBER || lie == PEERS_MORE;
    return answer_with(call, noted, &vfsd_stat_handle_reply_type, &reply);
}

static enum status vfsd_answer(struct stand_in_call *call, struct model_loaderd_call *noted,
                               enum peers_lie lie)
{
    uint64_t handle = noted->asked.close.handle; /* they begin with it */
    switch (noted->operation) {
    case OP_VFSD_ATTACH:
        around.handle = 0;
        return answer_with(call, noted, &vfsd_attach_reply_type, NULL);
    case OP_VFSD_OPEN:
        return vfsd_open(call, noted);
    case OP_VFSD_READ:
        PROPERTY_EQUAL(X2, "handle", handle, around.handle);
        return vfsd_read(call, noted, lie);
    case OP_VFSD_STAT_HANDLE:
        PROPERTY_EQUAL(X2, "handle", handle, around.handle);
        return vfsd_stat(call, noted, lie);
    case OP_VFSD_CLOSE:
        if (handle != around.handle)
            return refuse(call, noted, STATUS_NOT_FOUND);
        around.handle = 0;
        return answer_with(call, noted, &vfsd_close_reply_type, NULL);
    default:
        break;
    }
    PROPERTY(E10, "needless", false);
    return STATUS_DENIED;
}

/* --- procd ------------------------------------------------------------------------------------ */

static struct process *process_of(uint64_t id)
{
    bool known = id >= FIRST_PROCESS && id < FIRST_PROCESS + around.number_count;
    struct process *process = known ? &processes[id - FIRST_PROCESS] : NULL;
    return process != NULL && process->there ? process : NULL;
}

static void end(uint64_t id, uint32_t reason, uint32_t code)
{
    struct process *process = process_of(id);
    process->reason = reason;
    process->code = code;
    process->fault_va = reason >= END_FAULT_OUTSIDE ? 0x1000 * id : 0;
    around.youngest = id;
}

/* X1: the segments are those of the headers that loaderd was shown, in the words of procd's row. */
static void check_segments(const struct procd_begin_loader_image_transfer_request *begun)
{
    struct procd_loader_segment rows[ELF_SEGMENT_LIMIT];
    uint64_t entry;
    uint64_t bytes = 0;
    uint32_t count = peers_file_segments(around.head, around.head_bytes, rows, &entry);
    PROPERTY_EQUAL(X1, "segments", begun->segment_count, count);
    PROPERTY_EQUAL(X1, "entry", begun->entry_va, entry);
    for (uint32_t i = 0; i < count; i++) {
        PROPERTY_EQUAL(X1, "va", begun->segments[i].va, rows[i].va);
        PROPERTY_EQUAL(X1, "memory", begun->segments[i].memory_bytes, rows[i].memory_bytes);
        PROPERTY_EQUAL(X1, "file", begun->segments[i].file_bytes, rows[i].file_bytes);
        PROPERTY_EQUAL(X1, "rights", begun->segments[i].rights, rows[i].rights);
        bytes += rows[i].file_bytes;
    }
    PROPERTY_EQUAL(X1, "bytes", begun->image_bytes, bytes);
}

static enum status procd_begin(struct stand_in_call *call, struct model_loaderd_call *noted)
{
    struct procd_begin_loader_image_transfer_reply reply;
    PROPERTY(X2, "one-transfer", around.transfer == 0);
    PROPERTY(X1, "changed", !around.told_other);
    check_segments(&noted->asked.begin);
    HARNESS(around.number_count < PROCESS_COUNT_LIMIT);
    around.begun = noted->asked.begin;
    around.received_bytes = 0;
    sha256_init(&around.sha256);
    memset(&processes[around.number_count], 0, sizeof processes[0]);
    around.transfer = FIRST_PROCESS + around.number_count++;
    reply.transfer_id = around.transfer;
    return answer_with(call, noted, &procd_begin_loader_image_transfer_reply_type, &reply);
}

static enum status procd_chunk(struct stand_in_call *call, struct model_loaderd_call *noted,
                               enum peers_lie lie)
{
    const struct procd_send_loader_image_chunk_request *request = &noted->asked.chunk;
    struct procd_send_loader_image_chunk_reply reply;
    PROPERTY_EQUAL(X1, "order", request->offset_bytes, around.received_bytes);
    PROPERTY(X1, "bytes", request->count <= around.begun.image_bytes - around.received_bytes);
    sha256_update(&around.sha256, request->bytes, request->count);
    around.received_bytes += request->count;
    reply.received_bytes = around.received_bytes - (lie == PEERS_LESS);
    return answer_with(call, noted, &procd_send_loader_image_chunk_reply_type, &reply);
}

/* X1: never of a file of which it was said that it is another one. */
static enum status procd_commit(struct stand_in_call *call, struct model_loaderd_call *noted,
                                enum peers_lie lie)
{
    struct procd_commit_loader_image_transfer_reply reply = {.process_id = around.transfer};
    uint64_t digest[4];
    PROPERTY(X1, "changed", !around.told_other);
    PROPERTY_EQUAL(X1, "received", around.received_bytes, around.begun.image_bytes);
    sha256_final(&around.sha256, (uint8_t *)digest);
    around.transfer = 0;
    if (memcmp(digest, around.begun.digest, sizeof digest) != 0)
        return refuse(call, noted, STATUS_BAD_DIGEST);
    if (lie == PEERS_MORE) /* it has more than one */
        reply.process_id = FIRST_PROCESS + around.number_count++;
    if (lie == PEERS_FORGES)
        for (uint32_t i = 0; i < around.number_count; i++)
            if (processes[i].there && processes[i].reason == END_NONE)
                reply.process_id = FIRST_PROCESS + i;
    processes[reply.process_id - FIRST_PROCESS] = (struct process){.there = true};
    return answer_with(call, noted, &procd_commit_loader_image_transfer_reply_type, &reply);
}

static enum status procd_wait(struct stand_in_call *call, struct model_loaderd_call *noted,
                              enum peers_lie lie)
{
    uint64_t id = noted->asked.wait.process_id;
    const struct process *process = process_of(id);
    PROPERTY(X3, "waits", noted->asked.wait.deadline_ticks == 0);
    if (process == NULL)
        return refuse(call, noted, STATUS_NOT_FOUND);
    if (process->reason == END_NONE && lie != PEERS_LESS)
        return refuse(call, noted, STATUS_TIMED_OUT);
    struct procd_wait_process_event_reply reply = {
        .process_id = id + (lie == PEERS_MORE),
        .reason = process->reason,
        .code = process->code,
        .fault_va = process->fault_va,
        .state = PROCESS_ENDED,
        .life_count = 1,
    };
    return answer_with(call, noted, &procd_wait_process_event_reply_type, &reply);
}

static enum status procd_stop(struct stand_in_call *call, struct model_loaderd_call *noted)
{
    const struct procd_stop_process_request *request = &noted->asked.stop;
    const struct process *process = process_of(request->process_id);
    if (process == NULL)
        return refuse(call, noted, STATUS_NOT_FOUND);
    if (process->reason == END_NONE)
        end(request->process_id, END_KILLED, request->code);
    return answer_with(call, noted, &procd_stop_process_reply_type, NULL);
}

/* Of an open transfer. One that procd gave up, or that ended with a COMMIT, it does not know. */
static enum status procd_transfer(struct stand_in_call *call, struct model_loaderd_call *noted,
                                  enum peers_lie lie)
{
    uint64_t id = noted->asked.abort.transfer_id; /* they begin with it */
    if (lie == PEERS_REWRITES)
        around.transfer = 0;
    if (around.transfer == 0 || id != around.transfer)
        return refuse(call, noted, STATUS_NOT_FOUND);
    if (noted->operation == OP_PROCD_SEND_LOADER_IMAGE_CHUNK)
        return procd_chunk(call, noted, lie);
    if (noted->operation == OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER)
        return procd_commit(call, noted, lie);
    around.transfer = 0;
    return answer_with(call, noted, &procd_abort_loader_image_transfer_reply_type, NULL);
}

/* X3: an end of loaderd's own endpoint, by which procd alone can call. */
static enum status procd_set_notice(struct stand_in_call *call, struct model_loaderd_call *noted)
{
    const struct stand_in_cap *end = &call->sent[0];
    PROPERTY_EQUAL(X3, "endpoint", end->object, ROLE_LOADERD);
    PROPERTY_EQUAL(X3, "badge", end->badge, ROLE_PROCD);
    PROPERTY_EQUAL(X3, "rights", end->rights, RIGHT_SEND);
    around.takes_notices = true;
    return answer_with(call, noted, &procd_set_notice_reply_type, NULL);
}

static enum status procd_answer(struct stand_in_call *call, struct model_loaderd_call *noted,
                                enum peers_lie lie)
{
    switch (noted->operation) {
    case OP_PROCD_BEGIN_LOADER_IMAGE_TRANSFER:
        return procd_begin(call, noted);
    case OP_PROCD_SEND_LOADER_IMAGE_CHUNK:
    case OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER:
    case OP_PROCD_ABORT_LOADER_IMAGE_TRANSFER:
        return procd_transfer(call, noted, lie);
    case OP_PROCD_WAIT_PROCESS_EVENT:
        return procd_wait(call, noted, lie);
    case OP_PROCD_STOP_PROCESS:
        return procd_stop(call, noted);
    case OP_PROCD_SET_NOTICE:
        return procd_set_notice(call, noted);
    default:
        break;
    }
    PROPERTY(E10, "needless", false);
    return STATUS_DENIED;
}

/* --- calls ------------------------------------------------------------------------------------ */

static bool is_procds(const struct stand_in_call *call)
{
    return call->through.object == ROLE_PROCD;
}

/* Not so the loop's own, which empties the window. */
static bool is_loaderds(const struct stand_in_call *call)
{
    return call->through.object_type == OBJECT_ENDPOINT;
}

static void asked(const struct stand_in_call *call)
{
    if (!is_loaderds(call))
        return;
    HARNESS(call_count < CALL_LIMIT);
    struct model_loaderd_call *noted = &calls[call_count];
    uint16_t id = call->message->header.operation;
    const struct operation *row =
        operation_find(is_procds(call) ? SERVICE_PROCD : SERVICE_VFSD, id);
    PROPERTY(E10, "operation", row != NULL && row->request->max_bytes <= sizeof noted->asked);
    memset(&noted->told, 0, sizeof noted->told);
    noted->operation = id;
    noted->status = STATUS_OK;
    noted->deadline_ticks = call->deadline_ticks;
    PROPERTY_EQUAL(E10, "body", message_decode(row->request, call->message, &noted->asked),
                   STATUS_OK);
    PROPERTY(X2, "deadline", call->deadline_ticks != DEADLINE_NEVER);
    PROPERTY_EQUAL(K1, "badge", call->through.badge,
                   is_procds(call) ? (uint64_t)LOADERDS_PROCESS << 16 | ROLE_LOADERD
                                   : ROLE_LOADERD);
}

/* What nobody was told of is undone: a transfer, a process (procd.h). */
static void undo(const struct model_loaderd_call *noted)
{
    if (noted->operation == OP_PROCD_BEGIN_LOADER_IMAGE_TRANSFER)
        around.transfer = 0;
    if (noted->operation == OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER &&
        noted->told.commit.process_id != 0)
        processes[noted->told.commit.process_id - FIRST_PROCESS].there = false;
}

static void answered(const struct stand_in_call *call, enum status status)
{
    if (!is_loaderds(call))
        return;
    struct model_loaderd_call *noted = &calls[call_count++];
    if (status != STATUS_OK)
        noted->status = status;
    noted->answered = !call->unheard && status != STATUS_TIMED_OUT && status != STATUS_PEER_DIED;
    if (call->lost || noted->status == STATUS_INTERNAL)
        undo(noted);
}

/* What it says instead of the answer. Of what is there nobody says that it is not, where that is
 * believed. */
static enum status says(const struct model_loaderd_call *noted, enum peers_lie lie)
{
    enum status status = (enum status)(1 + (lie - PEERS_SAYS) % STATUS_CHANGED);
    bool believed = noted->operation == OP_VFSD_CLOSE ||
                    noted->operation == OP_PROCD_STOP_PROCESS ||
                    noted->operation == OP_PROCD_WAIT_PROCESS_EVENT ||
                    noted->operation == OP_PROCD_ABORT_LOADER_IMAGE_TRANSFER;
    return believed && status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
}

static enum status answer(struct stand_in_call *call)
{
    struct model_loaderd_call *noted = &calls[call_count];
    bool of_procd = is_procds(call);
    enum peers_lie lie = lie_now(of_procd);
    if (lie == PEERS_HANGS)
        return hang(call);
    if (lie == PEERS_IS_DEAD) {
        call->unheard = true;
        return STATUS_NOT_FOUND;
    }
    if (lie >= PEERS_SAYS)
        return refuse(call, noted, says(noted, lie));
    enum status status = of_procd ? procd_answer(call, noted, lie) : vfsd_answer(call, noted, lie);
    return lie == PEERS_BABBLES && status == STATUS_OK ? babble(call, noted) : status;
}

/* --- what the harness does -------------------------------------------------------------------- */

static struct stand_in_peers peers = {
    .strict = true,
    .timed = true,
    .may_fail = is_loaderds,
    .asked = asked,
    .answered = answered,
    .answer = answer,
};

static void put_peer(uint32_t slot, uint32_t role, uint64_t badge)
{
    struct stand_in_cap cap = stand_in_cap_to(OBJECT_ENDPOINT, role);
    cap.rights = RIGHT_SEND;
    cap.badge = badge;
    stand_in_put(slot, cap);
}

void peers_of_loaderd_begin(void)
{
    memset(&around, 0, sizeof around);
    memset(files, 0, sizeof files);
    call_count = 0;
    stand_in_begin(&peers);
    put_peer(SLOT_PEER_PROCD, ROLE_PROCD, (uint64_t)LOADERDS_PROCESS << 16 | ROLE_LOADERD);
    put_peer(SLOT_PEER_VFSD, ROLE_VFSD, ROLE_LOADERD);
    for (uint32_t i = 0; i < PEERS_FILE_COUNT; i++) {
        files[i].file_id = 100 + i;
        files[i].version = 1;
        peers_file_make(&files[i], (enum peers_file)i, ++around.rewrites);
    }
}

void peers_loaderd_file(uint64_t n, uint64_t what)
{
    struct peers_file_state *file = &files[n % PEERS_FILE_COUNT];
    peers_file_make(file, (enum peers_file)(what % PEERS_FILE_LIMIT), ++around.rewrites);
    file->version++;
}

void peers_loaderd_lie(bool of_procd, uint64_t lie, uint64_t after_calls)
{
    around.lies[of_procd].lie = (enum peers_lie)(lie % PEERS_LIE_LIMIT);
    around.lies[of_procd].after_calls = after_calls;
}

uint64_t peers_loaderd_end(uint64_t n, uint32_t reason, uint32_t code)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < around.number_count; i++)
        running += processes[i].there && processes[i].reason == END_NONE;
    for (uint32_t i = 0, at = 0; i < around.number_count; i++) {
        if (!processes[i].there || processes[i].reason != END_NONE || at++ != n % running)
            continue;
        end(FIRST_PROCESS + i, reason, code);
        return FIRST_PROCESS + i;
    }
    return 0;
}

uint64_t peers_loaderd_number(uint64_t n)
{
    return FIRST_PROCESS + n % (around.number_count + 1);
}

void peers_loaderd_forget(void)
{
    for (uint32_t i = 0; i < around.number_count; i++)
        processes[i].there = processes[i].there && processes[i].reason == END_NONE;
}

bool peers_loaderd_starts(bool starts)
{
    peers.strict = !starts;
    call_count = 0;
    return around.takes_notices;
}

uint64_t peers_loaderd_youngest(void)
{
    return around.youngest;
}

uint32_t peers_loaderd_strays(const struct model_loaderd *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < around.number_count; i++)
        count += processes[i].there && processes[i].reason == END_NONE &&
                 !model_loaderd_runs(model, FIRST_PROCESS + i);
    return count;
}

bool peers_loaderd_has_handle(void)
{
    return around.handle != 0;
}

bool peers_loaderd_has_transfer(void)
{
    return around.transfer != 0;
}

struct model_loaderd_calls peers_loaderd_calls(void)
{
    struct model_loaderd_calls made = {.calls = calls, .count = call_count};
    call_count = 0;
    return made;
}
