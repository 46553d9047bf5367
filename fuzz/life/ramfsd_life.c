/* SPDX-License-Identifier: ISC */
/* A life of ramfsd: a client and strangers make, write, move and remove what they know and what is
 * gone, on several accounts, in memories of different size, or read an archive; somebody lists a
 * directory meanwhile. After every message: status, reply and effects are the model's (F2, F3, F4),
 * a refusal changed nothing (E1), and what is IMMUTABLE or of an archive is as it was (F6). Who
 * lists a directory is given each entry that stays exactly once (F5). At the end every node and
 * every page is asked for. */
#include "fuzz/life/ramfsd_life.h"

#include <stdio.h>
#include <string.h>

const char harness_name[] = "ramfsd_life";
MARKS(15, 1);

enum action { ACTION_BOOT, ACTION_TIME, ACTION_GONE, ACTION_READER, ACTION_FILL, ACTION_COUNT };
static const struct life_action actions[] = {
    [ACTION_BOOT] = {"boot", 1},     /* n: which size the memory has; first step only */
    [ACTION_TIME] = {"time", 1},     /* n: the clock says n, be it less than before */
    [ACTION_GONE] = {"gone", 0},     /* the next client gives up before it is answered */
    [ACTION_READER] = {"reader", 1}, /* n: who lists a directory goes on, or begins at the n-th */
    [ACTION_FILL] = {"fill", 2}, /* account pages: it makes files of so many until it is refused */
    [ACTION_COUNT] = {NULL, 0},
};

static const struct life_operation operations[] = {
    {OP_RAMFSD_ATTACH, 1, draw_attach, NULL, compare_reply},
    {OP_RAMFSD_LOOKUP, 4, draw_name, NULL, compare_reply},
    {OP_RAMFSD_STAT, 2, draw_node, NULL, compare_reply},
    {OP_RAMFSD_READ, 5, draw_read, NULL, compare_reply},
    {OP_RAMFSD_WRITE, 8, draw_write, NULL, compare_reply},
    {OP_RAMFSD_CREATE, 10, draw_create, NULL, compare_reply},
    {OP_RAMFSD_SYMLINK, 3, draw_symlink, NULL, compare_reply},
    {OP_RAMFSD_READLINK, 2, draw_node, NULL, compare_reply},
    {OP_RAMFSD_UNLINK, 4, draw_name, NULL, NULL},
    {OP_RAMFSD_RMDIR, 3, draw_name, NULL, NULL},
    {OP_RAMFSD_RENAME, 8, draw_rename, NULL, NULL},
    {OP_RAMFSD_TRUNCATE, 5, draw_truncate, NULL, NULL},
    {OP_RAMFSD_READDIR, 3, draw_readdir, NULL, compare_reply},
    {OP_RAMFSD_SET_METADATA, 3, draw_set_metadata, NULL, NULL},
    {OP_RAMFSD_OPEN, 3, draw_open, NULL, NULL},
    {OP_RAMFSD_CLOSE, 3, draw_open, NULL, NULL},
    {0, 0, NULL, NULL, NULL},
};

const struct life_language ramfsd_life_language = {SERVICE_RAMFSD, actions, operations};

struct ramfsd ramfsd;
struct model_ramfsd model;
struct ramfsd_life life;

/* ramfsd calls nobody (E5). */
static const struct stand_in_peers nobody = {.strict = true};

static _Alignas(
    PAGE_BYTES) uint8_t memory[RAMFSD_BYTES_ONCE + MODEL_RAMFSD_LIMIT * RAMFSD_BYTES_PER_PAGE];
static size_t memory_used;

/* --- start --- */

enum { ARCHIVE_NODES = 12 };

/* Small memories, so that their end is near; and an archive. */
static void boot(uint64_t which)
{
    static const uint32_t limits[] = {24, 2, 3, 8, 64, MODEL_RAMFSD_LIMIT, ARCHIVE_NODES};
    uint32_t limit = limits[which % (sizeof limits / sizeof limits[0])];
    uint32_t open_limit = limit == MODEL_RAMFSD_LIMIT ? RAMFSD_OPEN_LIMIT : 3;
    memory_used = RAMFSD_BYTES_ONCE + limit * RAMFSD_BYTES_PER_PAGE;
    if (limit == ARCHIVE_NODES) {
        ramfsd_life_boot_archive(memory, memory_used, limit, open_limit);
        return;
    }
    ramfsd_init(&ramfsd, memory, memory_used, open_limit);
    model_ramfsd_reset(&model, limit, open_limit);
    PROPERTY_EQUAL(F4, ramfsd.pages.limit, limit);
}

static void reset(void)
{
    size_t pages_bytes = (size_t)(ramfsd.page == NULL ? 0 : (uint8_t *)ramfsd.page - memory);
    memset(memory, 0, ramfsd.pages.used * (size_t)PAGE_BYTES);
    memset(memory + pages_bytes, 0, memory_used - pages_bytes);
    harness_check_zero(memory, sizeof memory);
    memset(&ramfsd, 0, sizeof ramfsd);
    memset(&life, 0, sizeof life);
    life_begin(&nobody, ROLE_RAMFSD);
}

/* --- one message --- */

static void mark(const struct message *request, unsigned state, unsigned status)
{
    uint16_t id = request->header.operation;
    mark_triple("ramfsd", state, operation_find(SERVICE_RAMFSD, id) != NULL ? id : 0, status);
    MARK_IF("ramfsd: an unlinked file is gone at its last close",
            id == OP_RAMFSD_CLOSE && life.answer.changed && (state & 16u) != 0);
    MARK_IF("ramfsd: all pages but one share are taken",
            3 * model_ramfsd_pages_of(&model, 0, true) > 2 * model.limit);
}

static bool is_of(unsigned status, enum status one, enum status other)
{
    return status == one || status == other;
}

/* Which property a wrong status breaks: shares, what is IMMUTABLE, or the tree. */
static void check_status(unsigned status, unsigned predicted)
{
    if (is_of(status, STATUS_OVER_LIMIT, STATUS_EXHAUSTED) ||
        is_of(predicted, STATUS_OVER_LIMIT, STATUS_EXHAUSTED))
        PROPERTY_EQUAL(F4, status, predicted);
    if (is_of(status, STATUS_DENIED, STATUS_READ_ONLY) ||
        is_of(predicted, STATUS_DENIED, STATUS_READ_ONLY))
        PROPERTY_EQUAL(F6, status, predicted);
    PROPERTY_EQUAL(F2, status, predicted);
}

unsigned ramfsd_life_exchange(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    life_any_caps(request, caps);
    life.operation = request->header.operation;
    ramfsd_life_note_immutable();
    unsigned status = life_deliver(&life_service, request, caps);
    life.answer = model_ramfsd_step(&model, request, stand_in_now());
    unsigned predicted = life_now.loses != STATUS_OK ? (unsigned)LIFE_LOST : life.answer.status;
    life_predicted(predicted, status);
    check_status(status, predicted);
    life_compare(&life_service, request, status);
    PROPERTY_EQUAL(K1, stand_in_slot_count(), life_now.startup_slots); /* it keeps no capability */
    ramfsd_life_check_immutable();
    ramfsd_life_reader_sees();
    return status;
}

static enum status send(struct message *request)
{
    unsigned state = ramfsd_life_state(request);
    uint64_t digest = oracle_due() ? ramfsd_life_digest() : 0;
    uint64_t told_ticks = ramfsd.caller.now_ticks;
    unsigned status = ramfsd_life_exchange(request);
    if (oracle_due() && !life.answer.changed && ramfsd.caller.now_ticks == told_ticks)
        PROPERTY_EQUAL(E1, ramfsd_life_digest(), digest);
    life_digest_answer(status);
    ramfsd_life_check();
    mark(request, state, status);
    life_now.loses = STATUS_OK;
    return status == LIFE_LOST ? life.answer.status : (enum status)status;
}

/* --- actions --- */

/* A file of an account in the root; whether it was made. */
static bool fill_file(uint64_t account, uint32_t n, uint32_t pages)
{
    struct ramfsd_create_request create = {.directory_node = model.nodes[1].number,
                                           .account = account};
    struct ramfsd_write_request write = {.account = account, .count = 1, .bytes = {(uint8_t)n}};
    struct message request;
    create.count =
        (uint32_t)snprintf((char *)create.name, sizeof create.name, "%u-%u", (unsigned)account, n);
    life_request(&ramfsd_create_request_type, &create, ROLE_VFSD, &request);
    if (ramfsd_life_exchange(&request) != STATUS_OK)
        return false;
    write.node = life.answer.reply.attributes.node;
    for (uint32_t page = 0; page < pages; page++) {
        write.offset_bytes = (uint64_t)page * PAGE_BYTES;
        life_request(&ramfsd_write_request_type, &write, ROLE_VFSD, &request);
        if (ramfsd_life_exchange(&request) != STATUS_OK)
            return false;
    }
    return true;
}

static void fill(uint64_t account, uint64_t pages)
{
    life_now.loses = STATUS_OK;
    life_print_as_comments(true);
    for (uint32_t n = 0; n < model.limit && fill_file(account, n, (uint32_t)(pages % 8)); n++)
        ;
    life_print_as_comments(false);
    ramfsd_life_check();
}

static void act(const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    switch ((enum action)step->action) {
    case ACTION_BOOT:
        return;
    case ACTION_TIME:
        stand_in_clock_set(argument);
        return;
    case ACTION_GONE:
        life_now.loses = STATUS_NOT_FOUND;
        return;
    case ACTION_READER:
        life_now.loses = STATUS_OK;
        ramfsd_life_reader_step(argument);
        return;
    case ACTION_FILL:
        fill(argument, step->arguments[1]);
        return;
    case ACTION_COUNT:
        return;
    }
}

static void finish(void)
{
    life_now.loses = STATUS_OK;
    if (life_now.booted)
        ramfsd_life_ask_all();
}

/* ramfsd calls nobody (E8). */
const struct life_service life_service = {
    .language = &ramfsd_life_language,
    .caller = &ramfsd.caller,
    .state = &ramfsd,
    .handle = ramfsd_handle,
    .calls_max = 0,
    .reset = reset,
    .boot = boot,
    .generate = ramfsd_life_generate,
    .send = send,
    .act = act,
    .finish = finish,
    .look = ramfsd_life_check,
    .digest = ramfsd_life_digest,
};
