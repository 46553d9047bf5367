/* SPDX-License-Identifier: ISC */
/* The limits of memd, vspaced and vfsd's mounts, at their real size (E6): the message after the last free entry is
 * refused, and after one release accepted again; names at the end of their generations (M3). A
 * kernel and a memd that always say yes stand behind the three functions; inputs of a fuzzer are
 * too short to get here. */
#include <stdio.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/kernel.h"
#include "abi/messages/memd.h"
#include "abi/messages/named.h"
#include "abi/messages/vspaced.h"
#include "abi/roles.h"
#include "props/base/testing.h"
#include "services/memd/internal.h"
#include "services/vfsd/vfsd.h"
#include "services/vspaced/vspaced.h"

enum { TABLES_FIXED_PAGES = 8 }; /* of memd's fixed budget, for the ends of its tables */
enum { FRAME_LIMIT = 65536 };    /* a table of whole pages */

static struct memd memd;
static struct memd_holding frame_table[FRAME_LIMIT];
static struct vspaced vspaced;
static struct vfsd vfsd;
static uint32_t next_frame_id;
static uint32_t next_object;
static uint32_t dead_slot; /* 0: every vspace lives */
static uint32_t call_count;

/* --- peers that always say yes --------------------------------------------------------------- */

union any_reply {
    struct kernel_query_local_cap_reply query;
    struct memd_alloc_frames_reply alloc;
    struct named_lookup_reply lookup;
    struct ramfsd_attach_reply attach;
};

/* A source of memd below the receive window, a new vspace in it, one of vspaced's above it. */
static void query_reply(const struct message *message, struct kernel_query_local_cap_reply *reply)
{
    struct kernel_query_local_cap_request request;
    (void)message_decode(&kernel_query_local_cap_request_type, message, &request);
    bool vspace = request.slot >= SLOT_RECEIVE_BASE;
    *reply = (struct kernel_query_local_cap_reply){
        .slot = request.slot,
        .object_type = vspace ? OBJECT_VSPACE : OBJECT_UNTYPED,
        .rights = !vspace                     ? RIGHT_CONTROL
                  : request.slot == dead_slot ? 0
                                              : RIGHT_MAP,
        .object = ++next_object,
        .size_pages = vspace ? 0 : UINT64_C(1) << 40,
    };
}

static void alloc_reply(const struct message *message, union any_reply *reply)
{
    struct memd_alloc_frames_request request;
    uint32_t window = message->header.window_slot;
    (void)message_decode(&memd_alloc_frames_request_type, message, &request);
    reply->alloc.count = request.count;
    for (uint32_t i = 0; i < request.count; i++) {
        reply->alloc.frame_ids[i] = ++next_frame_id;
        reply->alloc.frame_slots[i] = window + i;
    }
}

static const struct operation *row_of(uint16_t id)
{
    static const enum service_id services[] = {SERVICE_KERNEL, SERVICE_MEMD, SERVICE_NAMED,
                                               SERVICE_RAMFSD};
    const struct operation *row = NULL;
    for (unsigned i = 0; row == NULL && i < sizeof services / sizeof services[0]; i++)
        row = operation_find(services[i], id);
    return row;
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    uint16_t id = message->header.operation;
    const struct operation *operation = row_of(id);
    union any_reply reply;
    (void)slot;
    (void)deadline_ticks;
    call_count++;
    memset(&reply, 0, sizeof reply);
    if (id == OP_KERNEL_QUERY_LOCAL_CAP)
        query_reply(message, &reply.query);
    if (id == OP_MEMD_ALLOC_FRAMES)
        alloc_reply(message, &reply);
    if (id == OP_NAMED_LOOKUP)
        reply.lookup.service_slot = message->header.window_slot;
    if (id == OP_RAMFSD_ATTACH)
        reply.attach.root_node = 1;
    enum status status = message_encode(operation->reply, &reply, message);
    for (uint32_t i = 0; i < message->header.cap_count; i++)
        message->caps[i].object_type = id == OP_NAMED_LOOKUP ? OBJECT_ENDPOINT : OBJECT_FRAME;
    return status;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    (void)slot;
    (void)message;
    (void)deadline_ticks;
    (void)info;
    return STATUS_NOT_FOUND;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    (void)reply_slot;
    (void)message;
    return STATUS_OK;
}

/* Hands one request to a service; its reply's struct goes to `reply` when it is OK. */
static enum status ask(service_handler *handler, void *state, uint64_t badge,
                       const struct operation *operation, const void *request, void *reply)
{
    struct message message;
    struct receive_info info = {.badge = badge, .reply_slot = SLOT_REPLY_BASE};
    memset(&message, 0, sizeof message);
    (void)message_encode(operation->request, request, &message);
    for (uint32_t i = 0; i < message.header.cap_count; i++)
        message.caps[i].object_type = i == 0 ? OBJECT_VSPACE : OBJECT_ENDPOINT; /* REGISTER's */
    message.header.badge = badge;
    (void)handler(state, &message, &info);
    for (uint32_t i = 0; i < message.header.cap_count; i++)
        message.caps[i].object_type = operation->id == OP_MEMD_OPEN_ACCOUNT    ? OBJECT_ENDPOINT
                                      : operation->id == OP_MEMD_ALLOC_UNTYPED ? OBJECT_UNTYPED
                                                                               : OBJECT_FRAME;
    return reply_decode(operation->reply, &message, reply);
}

/* --- memd ------------------------------------------------------------------------------------ */

static enum status memd_ask(uint64_t badge, uint16_t id, const void *request, void *reply)
{
    return ask(memd_handle, &memd, badge, operation_find(SERVICE_MEMD, id), request, reply);
}

static void memd_boot(void)
{
    static struct envelope envelope;
    memset(&memd, 0, sizeof memd);
    memset(&envelope, 0, sizeof envelope);
    envelope.entry_count = 1;
    envelope.entries[0] = (struct envelope_entry){
        .slot = SLOT_UNTYPED_BASE, .object_type = OBJECT_UNTYPED, .rights = RIGHT_CONTROL};
    envelope.memory_pages = FRAME_LIMIT;
    memset(frame_table, 0, sizeof frame_table);
    expect(memd_init(&memd, &envelope, frame_table) == STATUS_OK, "memd starts");
    expect(memd.frame_limit == FRAME_LIMIT, "with a record for each page");
}

static enum status account_open(uint64_t key, uint64_t parent_key)
{
    struct memd_open_account_request request = {
        .key = key, .parent_key = parent_key, .limit_pages = UINT64_MAX};
    struct memd_open_account_reply reply;
    return memd_ask(0, OP_MEMD_OPEN_ACCOUNT, &request, &reply);
}

/* Closes until nothing is left; *rounds says how many messages that took. */
static enum status account_close(uint64_t key, uint32_t *rounds)
{
    struct memd_close_account_request request = {.key = key};
    struct memd_close_account_reply reply = {.left_accounts = 1};
    enum status status = STATUS_OK;
    for (*rounds = 0; status == STATUS_OK && reply.left_accounts != 0; *rounds += 1)
        status = memd_ask(0, OP_MEMD_CLOSE_ACCOUNT, &request, &reply);
    return status;
}

static enum status frame_alloc(uint64_t badge, uint32_t *id)
{
    struct memd_alloc_frames_request request = {.count = 1};
    struct memd_alloc_frames_reply reply;
    enum status status = memd_ask(badge, OP_MEMD_ALLOC_FRAMES, &request, &reply);
    *id = reply.frame_ids[0];
    return status;
}

static enum status frame_free(uint64_t badge, uint32_t id)
{
    struct memd_free_frames_request request = {.count = 1, .frame_ids = {{id}}};
    uint64_t nothing;
    return memd_ask(badge, OP_MEMD_FREE_FRAMES, &request, &nothing);
}

static enum status untyped_alloc(uint64_t badge, uint32_t *id)
{
    struct memd_alloc_untyped_request request = {.pages = 1};
    struct memd_alloc_untyped_reply reply;
    enum status status = memd_ask(badge, OP_MEMD_ALLOC_UNTYPED, &request, &reply);
    *id = reply.untyped_id;
    return status;
}

static void test_accounts(void)
{
    uint64_t count = 0;
    uint32_t rounds = 0;
    memd_boot();
    while (account_open(count + 1, 0) == STATUS_OK)
        count++;
    expect(count == MEMD_ACCOUNT_LIMIT, "E6 as many accounts as stated");
    expect(account_open(count + 1, 0) == STATUS_EXHAUSTED, "E6 one account more is refused");
    expect(account_open(count, 0) == STATUS_OK, "E6 one that is there is not one more");
    expect(account_close(78, &rounds) == STATUS_OK && rounds == 1, "E6 one account is closed");
    expect(account_open(count + 1, 0) == STATUS_OK, "E6 and one is opened");
    expect(account_open(count + 2, 0) == STATUS_EXHAUSTED, "E6 and that was the last");
    expect(memd_check(&memd) == NULL, "memd_check with all accounts");
}

/* The deepest tree, and one with as many accounts as there can be. */
static void test_tree(void)
{
    uint64_t count = 0;
    uint32_t rounds = 0;
    memd_boot();
    while (account_open(count + 1, count) == STATUS_OK)
        count++;
    expect(count == MEMD_DEPTH_LIMIT, "E6 as deep as stated");
    expect(account_open(count + 1, count) == STATUS_OVER_LIMIT, "E6 one deeper is refused");
    while (account_open(count + 1, 1 + count % MEMD_DEPTH_LIMIT % 8) == STATUS_OK)
        count++;
    expect(count == MEMD_ACCOUNT_LIMIT, "E6 as many accounts as stated, in a tree");
    expect(memd_check(&memd) == NULL, "memd_check with a whole tree");
    uint64_t badge = memd_account_badge(&memd, (uint32_t)count - 1);
    expect(account_close(1, &rounds) == STATUS_OK, "M8 one close takes all of it");
    expect(rounds == MEMD_ACCOUNT_LIMIT / MEMD_CLOSE_STEPS, "in messages of bounded length");
    expect(memd.account_places.held_count == 0 && memd_check(&memd) == NULL, "M8 to the last");
    uint32_t id;
    expect(frame_alloc(badge, &id) == STATUS_DENIED, "M8 badges below are dead");
}

static void test_frames(void)
{
    uint32_t id = 0;
    uint32_t count = 0;
    uint32_t rounds = 0;
    memd_boot();
    (void)account_open(1, 0);
    uint64_t badge = memd_account_badge(&memd, 0);
    while (frame_alloc(badge, &id) == STATUS_OK)
        count++;
    expect(count == FRAME_LIMIT, "E6 as many frames as stated");
    expect(frame_alloc(badge, &id) == STATUS_EXHAUSTED, "E6 one frame more is refused");
    expect(frame_free(badge, memd_frame_id(&memd, 5)) == STATUS_OK, "E6 one frame is freed");
    expect(frame_alloc(badge, &id) == STATUS_OK, "E6 and taken again");
    expect(memd_check(&memd) == NULL, "memd_check with all frames");
    expect(account_close(1, &rounds) == STATUS_OK, "M5 closing gives all back");
    expect(rounds == FRAME_LIMIT / MEMD_CLOSE_STEPS + 1, "M5 in bounded messages");
    expect(memd_pages_left(&memd) == FRAME_LIMIT, "M5 exactly");
    expect(memd_check(&memd) == NULL, "memd_check after the close");
}

static void test_untypeds(void)
{
    uint32_t id = 0;
    uint32_t count = 0;
    memd_boot();
    (void)account_open(1, 0);
    uint64_t badge = memd_account_badge(&memd, 0);
    while (untyped_alloc(badge, &id) == STATUS_OK)
        count++;
    struct memd_free_untyped_request request = {.untyped_id = memd_untyped_id(&memd, 9)};
    uint64_t nothing;
    expect(count == MEMD_UNTYPED_LIMIT, "E6 as many untypeds as stated");
    expect(memd_ask(badge, OP_MEMD_FREE_UNTYPED, &request, &nothing) == STATUS_OK,
           "E6 one untyped is freed");
    expect(untyped_alloc(badge, &id) == STATUS_OK, "E6 and taken again");
    expect(untyped_alloc(badge, &id) == STATUS_EXHAUSTED, "E6 and that was the last");
    expect(memd_check(&memd) == NULL, "memd_check with all untypeds");
}

/* A record for each page, and kernel memory for its slot and for what maps the table: whatever the
 * size of the machine, pages run out first. The sums of the row, written out: 128 slots a leaf, 512
 * pages a table, each table with a page of links, 1,024 leaves in a page of their numbers. */
static void test_tables(void)
{
    for (uint64_t pages = 1; pages <= MEMORY_PAGES_LIMIT; pages += 1 + pages / 3) {
        uint64_t table_pages = role_table_pages(ROLE_MEMD, pages);
        uint64_t leaves = pages / 128 + 1;
        uint64_t needed = leaves + leaves / 1024 + 2 * (table_pages / 512 + 1) + 2;
        expect(table_pages * PAGE_BYTES / sizeof(struct memd_holding) >= pages,
               "E6 a record for each page");
        expect(role_table_budget_pages(ROLE_MEMD, pages) + TABLES_FIXED_PAGES >= needed,
               "E6 kernel memory for each slot");
    }
    expect(TABLES_FIXED_PAGES < role_find(ROLE_MEMD)->budget_pages / 4,
           "most of the fixed budget is for the rest");
    expect(role_table_pages(ROLE_MEMD, UINT64_MAX) == role_table_pages(ROLE_MEMD, 1 << 20),
           "tables stop growing at their limit");
    expect(role_table_pages(ROLE_PROCD, 1000) == 0, "a role without a row has none");
}

/* The last generation of an account's place, and the first frame after the last one. */
static void test_generations(void)
{
    uint32_t id = 0;
    uint32_t rounds;
    memd_boot();
    (void)account_open(1, 0);
    (void)account_close(1, &rounds);
    memd.accounts[0].generation = MEMD_ACCOUNT_GENERATION_LAST - 1;
    (void)account_open(1, 0);
    expect(memd_account_badge(&memd, 0) >> 32 == MEMD_ACCOUNT_GENERATION_LAST,
           "the last badge of a place");
    expect(memd_account_badge(&memd, 0) < BADGE_KERNEL, "is not the kernel's");
    expect(account_close(1, &rounds) == STATUS_OK && memd_check(&memd) == NULL, "is closed");
    (void)account_open(1, 0);
    expect(memd.accounts[0].key == 0 && memd.accounts[1].key == 1,
           "M3 its place is never used again");
    uint64_t badge = memd_account_badge(&memd, 1);
    (void)frame_alloc(badge, &id);
    (void)frame_free(badge, id);
    memd.frames[0].generation = MEMD_FRAME_GENERATION_LAST;
    expect(frame_alloc(badge, &id) == STATUS_OK && id == 1u << MEMD_FRAME_INDEX_BITS,
           "frame generations start over at 1");
    expect(memd_check(&memd) == NULL, "memd_check after the last generations");
}

/* --- vspaced --------------------------------------------------------------------------------- */

static enum status vspaced_ask(uint16_t id, const void *request, void *reply)
{
    return ask(vspaced_handle, &vspaced, ROLE_PAGERD, operation_find(SERVICE_VSPACED, id), request,
               reply);
}

/* A machine of 1,024 pages. */
static void vspaced_boot(void)
{
    enum { PAGES = 1024 };
    static uint64_t
        table[(ROLE_TABLE_FIXED_VSPACED + PAGES * ROLE_TABLE_BYTES_VSPACED) / sizeof(uint64_t)];
    memset(table, 0, sizeof table);
    memset(&vspaced, 0, sizeof vspaced);
    vspaced_init(&vspaced, PAGES, table);
}

static enum status space_register(uint32_t *slot, uint32_t region_limit)
{
    struct vspaced_register_vspace_request request = {.vspace_slot = SLOT_RECEIVE_BASE,
                                                      .account_slot = SLOT_RECEIVE_BASE + 1,
                                                      .region_limit = region_limit};
    struct vspaced_register_vspace_reply reply;
    enum status status = vspaced_ask(OP_VSPACED_REGISTER_VSPACE, &request, &reply);
    *slot = reply.vspace_cap_slot;
    return status;
}

static enum status space_unregister(uint32_t slot)
{
    struct vspaced_unregister_vspace_request request = {.vspace_cap_slot = slot};
    uint64_t nothing;
    return vspaced_ask(OP_VSPACED_UNREGISTER_VSPACE, &request, &nothing);
}

static enum status range_ask(uint16_t id, uint32_t slot, uint64_t page, uint32_t count)
{
    struct vspaced_unmap_request unmap = {
        .vspace_cap_slot = slot, .page_count = count, .va = page << PAGE_SHIFT};
    struct vspaced_protect_request protect = {.vspace_cap_slot = slot,
                                              .page_count = count,
                                              .va = page << PAGE_SHIFT,
                                              .rights = RIGHT_READ};
    struct vspaced_map_anonymous_request map = {.vspace_cap_slot = slot,
                                                .rights = RIGHT_READ | RIGHT_WRITE,
                                                .va = page << PAGE_SHIFT,
                                                .page_count = count};
    uint64_t nothing;
    if (id == OP_VSPACED_PROTECT)
        return vspaced_ask(id, &protect, &nothing);
    if (id == OP_VSPACED_MAP_ANONYMOUS)
        return vspaced_ask(id, &map, &nothing);
    return vspaced_ask(id, &unmap, &nothing); /* UNMAP and GUARD: one layout */
}

static enum status frame_map(uint32_t slot, uint64_t page, uint32_t frame_id)
{
    struct vspaced_map_frames_request request = {.vspace_cap_slot = slot,
                                                 .rights = RIGHT_READ,
                                                 .va = page << PAGE_SHIFT,
                                                 .page_count = 1,
                                                 .frame_id = frame_id,
                                                 .frame_slot = SLOT_RECEIVE_BASE};
    struct message message;
    struct receive_info info = {.badge = ROLE_PAGERD, .reply_slot = SLOT_REPLY_BASE};
    memset(&message, 0, sizeof message);
    (void)message_encode(&vspaced_map_frames_request_type, &request, &message);
    message.caps[0].object_type = OBJECT_FRAME;
    message.caps[0].rights = RIGHT_READ | RIGHT_MAP;
    message.header.badge = ROLE_PAGERD;
    (void)vspaced_handle(&vspaced, &message, &info);
    return (enum status)message.header.status;
}

static void test_spaces(void)
{
    uint32_t slot = 0;
    uint32_t count = 0;
    vspaced_boot();
    while (space_register(&slot, 34) == STATUS_OK)
        count++;
    expect(count == VSPACED_VSPACE_LIMIT, "E6 as many spaces as stated");
    expect(space_register(&slot, 34) == STATUS_EXHAUSTED, "E6 one space more is refused");
    expect(space_unregister(VSPACED_SLOT_BASE + 2 * 300) == STATUS_OK, "E6 one is unregistered");
    expect(space_register(&slot, 34) == STATUS_OK && slot == VSPACED_SLOT_BASE + 2 * 300,
           "E6 and one registered");
    expect(vspaced_check(&vspaced) == NULL, "vspaced_check with all spaces");
    expect(space_unregister(VSPACED_SLOT_BASE) == STATUS_OK, "E6 one is unregistered");
    expect(space_register(&slot, 35) == STATUS_EXHAUSTED, "E6 one region too many to set aside");
    expect(space_register(&slot, 34) == STATUS_OK, "E6 the last regions are");
}

/* All spaces are taken and the last one that is asked about is dead: no message is long for it, and
 * in the end there is room (E8). */
static void test_sweep(void)
{
    uint32_t slot = 0;
    uint32_t refused = 0;
    uint32_t most = 0;
    enum status status;
    vspaced_boot();
    while (space_register(&slot, 1) == STATUS_OK)
        dead_slot = slot; /* and the one that was refused began the sweep */
    expect(vspaced.sweep_next == VSPACED_SWEEP_SPACES, "E8 a sweep asks about its part");
    dead_slot = VSPACED_SLOT_BASE + 2 * (VSPACED_SWEEP_SPACES - 1);
    do {
        call_count = 0;
        status = space_register(&slot, 1);
        refused += status == STATUS_EXHAUSTED;
        most = call_count > most ? call_count : most;
    } while (status == STATUS_EXHAUSTED && refused < VSPACED_VSPACE_LIMIT);
    expect(status == STATUS_OK && slot == dead_slot, "E6 the dead one's place is used again");
    expect(refused + 1 == VSPACED_VSPACE_LIMIT / VSPACED_SWEEP_SPACES, "E8 after so many requests");
    expect(most <= VSPACED_REGISTER_CALLS_MAX, "E8 calls of one message");
    expect(vspaced_check(&vspaced) == NULL, "vspaced_check after a sweep");
    dead_slot = 0;
}

static void test_regions(void)
{
    uint32_t slot = 0;
    vspaced_boot();
    (void)space_register(&slot, vspaced.region_limit);
    /* Five pages first, then guards on every second page, far away, until the table is full. */
    expect(range_ask(OP_VSPACED_MAP_ANONYMOUS, slot, 16, 5) == STATUS_OK, "a region of five pages");
    uint32_t count = 1;
    while (range_ask(OP_VSPACED_GUARD, slot, 0x10000 + 2 * (uint64_t)count, 1) == STATUS_OK)
        count++;
    expect(count == vspaced.region_limit, "E6 as many regions as stated");
    expect(range_ask(OP_VSPACED_MAP_ANONYMOUS, slot, 64, 1) == STATUS_OVER_LIMIT, "E6 MAP refused");
    expect(range_ask(OP_VSPACED_MAP_ANONYMOUS, slot, 21, 1) == STATUS_OK,
           "E6 a MAP that continues a region needs none");
    expect(frame_map(slot, 64, 0) == STATUS_OVER_LIMIT, "E6 MAP_FRAMES too");
    expect(range_ask(OP_VSPACED_UNMAP, slot, 18, 1) == STATUS_OVER_LIMIT, "E6 a split is refused");
    expect(range_ask(OP_VSPACED_PROTECT, slot, 18, 1) == STATUS_OVER_LIMIT, "E6 and two of them");
    expect(range_ask(OP_VSPACED_PROTECT, slot, 16, 2) == STATUS_OVER_LIMIT, "E6 one by PROTECT");
    expect(range_ask(OP_VSPACED_PROTECT, slot, 16, 6) == STATUS_OK, "E6 a whole region needs none");
    expect(range_ask(OP_VSPACED_UNMAP, slot, 21, 1) == STATUS_OK, "E6 nor does its end");
    expect(vspaced_check(&vspaced) == NULL, "vspaced_check with all regions");
    expect(range_ask(OP_VSPACED_GUARD, slot, 0x10003, 1) == STATUS_OK, "E6 three become one");
    expect(range_ask(OP_VSPACED_UNMAP, slot, 18, 1) == STATUS_OK, "E6 now a split is accepted");
    expect(range_ask(OP_VSPACED_MAP_ANONYMOUS, slot, 64, 1) == STATUS_OVER_LIMIT, "E6 but one");
    expect(range_ask(OP_VSPACED_GUARD, slot, 0x10005, 1) == STATUS_OK, "E6 one less again");
    expect(range_ask(OP_VSPACED_MAP_ANONYMOUS, slot, 64, 1) == STATUS_OK, "E6 and a region");
    expect(range_ask(OP_VSPACED_MAP_ANONYMOUS, slot, 66, 1) == STATUS_OVER_LIMIT, "E6 the last");
    expect(vspaced_check(&vspaced) == NULL, "vspaced_check after that");
    expect(space_unregister(slot) == STATUS_OK && vspaced.region_places.held_count == 0 &&
               vspaced.page_places.held_count == 0,
           "M5 UNREGISTER forgets all of it");
    expect(vspaced_check(&vspaced) == NULL, "vspaced_check after UNREGISTER");
}

/* E6: a PROTECT at a full table whose range ends where a region begins, one that it becomes part of
 * or one of another kind: it needs no region more, so it is not refused. */
static void test_protect_borders(void)
{
    static const struct {
        uint16_t neighbour; /* what makes the region behind */
        uint64_t at;        /* its page; pages 16 to 20 are one region before it */
        uint64_t first;     /* the PROTECT */
        uint32_t count;
        const char *what;
    } rows[] = {
        {OP_VSPACED_PROTECT, 20, 19, 1, "E6 a page that joins the region behind it"},
        {OP_VSPACED_GUARD, 21, 16, 5, "E6 a whole region before one of another kind"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t slot = 0;
        vspaced_boot();
        (void)space_register(&slot, vspaced.region_limit);
        (void)range_ask(OP_VSPACED_MAP_ANONYMOUS, slot, 16, 5);
        expect(range_ask(rows[i].neighbour, slot, rows[i].at, 1) == STATUS_OK, rows[i].what);
        uint64_t page = 0x10000;
        while (range_ask(OP_VSPACED_GUARD, slot, page, 1) == STATUS_OK)
            page += 2;
        uint32_t before = vspaced.region_places.held_count;
        expect(before == vspaced.region_limit, "E6 the table is full");
        expect(range_ask(OP_VSPACED_PROTECT, slot, rows[i].first, rows[i].count) == STATUS_OK,
               rows[i].what);
        expect(vspaced.region_places.held_count <= before, "E6 and takes no region more");
        expect(vspaced_check(&vspaced) == NULL, "vspaced_check after it");
    }
}

static void test_pages(void)
{
    uint32_t slot = 0;
    uint64_t count = 0;
    vspaced_boot();
    (void)space_register(&slot, vspaced.region_limit);
    while (range_ask(OP_VSPACED_MAP_ANONYMOUS, slot, 16 + count, 64) == STATUS_OK)
        count += 64;
    expect(count == vspaced.page_limit, "E6 as many pages with frames as stated");
    expect(range_ask(OP_VSPACED_MAP_ANONYMOUS, slot, 16 + count, 1) == STATUS_EXHAUSTED,
           "E6 one page more is refused");
    expect(frame_map(slot, 16 + count, UINT32_MAX) == STATUS_EXHAUSTED, "E6 one frame more too");
    expect(frame_map(slot, 20 + count, 0) == STATUS_OK, "E6 a frame without an id needs no record");
    expect(range_ask(OP_VSPACED_UNMAP, slot, 20 + (uint64_t)count, 1) == STATUS_OK, "and goes");
    expect(range_ask(OP_VSPACED_UNMAP, slot, 16, 1) == STATUS_OK, "E6 one is unmapped");
    expect(range_ask(OP_VSPACED_MAP_ANONYMOUS, slot, 16 + count, 1) == STATUS_OK,
           "E6 and one mapped");
    expect(vspaced.region_places.held_count == 1, "V4 all of it is one region");
    expect(vspaced_check(&vspaced) == NULL, "vspaced_check with all pages");
}

/* --- vfsd ------------------------------------------------------------------------------------ */

/* A provider at a path of one letter, or at "/". */
static enum status mount_seed(uint32_t role, uint32_t n)
{
    struct vfsd_seed_mount_request request = {.provider_role = role, .source_count = 3};
    uint64_t nothing;
    request.count = n == 0 ? 4 : 5;
    memcpy(request.source_and_path, "ram/", 4);
    request.source_and_path[4] = (uint8_t)('a' + n);
    return ask(vfsd_handle, &vfsd, 0, operation_find(SERVICE_VFSD, OP_VFSD_SEED_MOUNT), &request,
               &nothing);
}

static void test_mounts(void)
{
    uint64_t nothing = 0;
    struct vfsd_seal_reply sealed;
    uint32_t count = 0;
    while (mount_seed(role_table[count].id, count) == STATUS_OK)
        count++;
    expect(count == VFSD_MOUNT_LIMIT, "E6 as many mounts as stated");
    expect(mount_seed(role_table[count].id, count) == STATUS_EXHAUSTED,
           "E6 one mount more is refused");
    expect(vfsd_check(&vfsd) == NULL, "vfsd_check with all mounts");
    expect(ask(vfsd_handle, &vfsd, 0, operation_find(SERVICE_VFSD, OP_VFSD_SEAL), &nothing,
               &sealed) == STATUS_OK &&
               sealed.mount_count == VFSD_MOUNT_LIMIT,
           "E6 and all are sealed");
}

int main(int count, char **arguments)
{
    (void)count;
    test_accounts();
    test_tree();
    test_tables();
    test_frames();
    test_untypeds();
    test_generations();
    test_spaces();
    test_sweep();
    test_regions();
    test_mounts();
    test_protect_borders();
    test_pages();
    return tests_end(arguments[0]);
}
