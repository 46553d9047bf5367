/* SPDX-License-Identifier: ISC */
/* Seeding, registering and finding by named: a call for each row of the role table, with the badge of
 * its client; what an answer means; what lay in the slot before. */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/named.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "props/base/testing.h"
#include "props/tests/service/service_test.h"
#include "services/lib/discovery.h"

/* What named heard. */
static struct {
    unsigned count;
    uint32_t clients[64];
    bool right; /* each request was as it should be */
    uint32_t minted_count;
    uint32_t minted[2];      /* for whom */
    uint32_t minted_slot[2]; /* and where to */
    enum status answers;
} heard;

static uint32_t entries_said; /* by SEAL */

static void reply_seeded(struct message *message)
{
    struct named_seed_entry_request request;
    struct named_seal_reply sealed = {.entry_count = entries_said};
    struct named_mint_end_request mint;
    struct named_mint_end_reply minted = {.end_slot = 44};
    if (message->header.operation == OP_NAMED_MINT_END) {
        heard.right &= message_decode(&named_mint_end_request_type, message, &mint) == STATUS_OK &&
                       heard.count == look_up_count && heard.minted_count < 2;
        heard.minted[heard.minted_count % 2] = mint.role;
        heard.minted_slot[heard.minted_count++ % 2] = message->header.window_slot;
        (void)message_encode(&named_mint_end_reply_type, &minted, message);
        message->caps[0].object_type = OBJECT_ENDPOINT;
        return;
    }
    if (message->header.operation == OP_NAMED_SEAL) {
        (void)message_encode(&named_seal_reply_type, &sealed, message);
        return;
    }
    const struct look_up *row = &look_up_table[heard.count++ % look_up_count];
    const char *name = role_find(row->service)->image;
    heard.right &= message_decode(&named_seed_entry_request_type, message, &request) == STATUS_OK &&
                   request.service_role == row->service && request.client_role == row->client &&
                   request.rights == RIGHT_SEND && request.count == strlen(name) &&
                   memcmp(request.name, name, request.count) == 0;
    message_refuse(message, heard.answers);
}

static void test_seed(void)
{
    static const struct discovery_end ends[] = {{ROLE_PROCD, 44}, {ROLE_DRV_SERIAL, 45}};
    struct caller caller = {0};
    fresh();
    memset(&heard, 0, sizeof heard);
    heard.right = true;
    seam.make_reply = reply_seeded;
    entries_said = look_up_count;
    expect(discovery_seed(&caller, 33, ends, 2, 1234) == STATUS_OK, "named is seeded and sealed");
    expect(heard.minted_count == 2 && heard.minted[0] == ROLE_PROCD &&
               heard.minted[1] == ROLE_DRV_SERIAL,
           "each end is minted, after the entries and before SEAL");
    expect(heard.minted_slot[0] == 44 && heard.minted_slot[1] == 45, "and comes to its slot");
    expect(heard.count == look_up_count && heard.right, "N1 with exactly the rows of the table");
    expect(seam.sent.header.operation == OP_NAMED_SEAL, "N1 the last thing is SEAL");
    expect(seam.slot == 33 && seam.deadline_ticks == 1234, "slot and deadline are passed on");
    entries_said++;
    heard.count = heard.minted_count = 0;
    expect(discovery_seed(&caller, 33, ends, 2, 1234) == STATUS_INTERNAL,
           "N1 a named that knows more is refused");
    heard.answers = STATUS_DENIED;
    heard.count = 0;
    expect(discovery_seed(&caller, 33, ends, 2, 1234) == STATUS_DENIED && heard.count == 1,
           "an entry that is refused ends it");
    expect(seam.sent.header.operation == OP_NAMED_SEED_ENTRY, "and nothing is sealed then");
}

static void reply_registered(struct message *message)
{
    struct named_register_service_request request;
    struct message_cap cap = message->caps[0];
    message->caps[0] = (struct message_cap){
        .field_offset = cap.field_offset, .rights = cap.rights, .object_type = OBJECT_ENDPOINT};
    bool decodes =
        message_decode(&named_register_service_request_type, message, &request) == STATUS_OK;
    heard.right &= decodes && request.service_slot == SLOT_SERVICE_ENDPOINT &&
                   request.count == strlen("logd") && memcmp(request.name, "logd", 4) == 0 &&
                   cap.flags == TRANSFER_SET_BADGE && cap.badge == request.client_role &&
                   cap.rights == (RIGHT_SEND | RIGHT_TRANSFER) && cap.mode == TRANSFER_COPY;
    heard.clients[heard.count++ % 64] = request.client_role;
    message_refuse(message, heard.answers);
}

static void test_register(void)
{
    struct caller caller = {.now_ticks = 100};
    unsigned expected = 0;
    fresh();
    memset(&heard, 0, sizeof heard);
    heard.right = true;
    seam.make_reply = reply_registered;
    expect(discovery_register(&caller, ROLE_LOGD) == STATUS_OK, "a service registers");
    for (unsigned i = 0; i < look_up_count; i++) {
        if (look_up_table[i].service != ROLE_LOGD)
            continue;
        expect(heard.clients[expected % 64] == look_up_table[i].client,
               "N1 it registers for whom a row names");
        expected++;
    }
    expect(expected > 2 && heard.count == expected, "N1 once for each of them");
    expect(heard.right, "N2 its own endpoint, by its name, with SEND, TRANSFER and that badge");
    expect(seam.slot == SLOT_PEER_NAMED && seam.deadline_ticks == 100 + DISCOVERY_CALL_TICKS,
           "named is called with a deadline");
    heard.answers = STATUS_NOT_FOUND;
    expect(discovery_register(&caller, ROLE_LOGD) == STATUS_OK && heard.count == 2 * expected,
           "a client without an entry is none");
    heard.answers = STATUS_BUSY;
    expect(discovery_register(&caller, ROLE_LOGD) == STATUS_BUSY && heard.count == 2 * expected + 1,
           "another process that is registered ends it");
}

static void reply_found(struct message *message)
{
    struct named_lookup_request request;
    struct named_lookup_reply reply = {.service_slot = SLOT_PEER_LOGD};
    heard.right &= message_decode(&named_lookup_request_type, message, &request) == STATUS_OK &&
                   request.count == strlen("logd") && memcmp(request.name, "logd", 4) == 0;
    (void)message_encode(&named_lookup_reply_type, &reply, message);
    message->caps[0].object_type = OBJECT_ENDPOINT;
}

static void reply_not_found(struct message *message)
{
    message_refuse(message, STATUS_NOT_FOUND);
}

static void test_find(void)
{
    struct caller caller = {0};
    fresh();
    heard.right = true;
    seam.make_reply = reply_found;
    expect(discovery_find(&caller, ROLE_LOGD, SLOT_PEER_LOGD) == STATUS_OK, "a service is found");
    expect(heard.right && seam.slot == SLOT_PEER_NAMED, "it is asked for by its name");
    expect(seam.sent.header.window_slot == SLOT_PEER_LOGD && seam.sent.header.window_count == 1,
           "it comes to the slot that was named");
    expect(seam.drop_count == 1 && seam.dropped[0] == SLOT_PEER_LOGD,
           "what lay there was dropped before");
    seam.make_reply = reply_not_found;
    expect(discovery_find(&caller, ROLE_LOGD, SLOT_PEER_LOGD) == STATUS_NOT_FOUND,
           "one that is not there is not found");
}

void test_discovery(void)
{
    test_seed();
    test_register();
    test_find();
}
