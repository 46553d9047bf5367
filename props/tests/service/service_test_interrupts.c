/* SPDX-License-Identifier: ISC */
/* Seeding irqd and registering at it: a call for each row of the role table, the caller's own endpoint
 * with irqd's badge; and which messages are interrupts of a line. */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/event.h"
#include "abi/messages/irqd.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "props/base/testing.h"
#include "props/tests/service/service_test.h"
#include "services/lib/interrupts.h"

enum { IRQD_SLOT = 33, LINE = 4, TOKEN = 0x3F8, DEADLINE = 1234 };

/* What irqd heard. */
static struct {
    unsigned count;
    bool right; /* each request was as it should be */
    enum status answers;
    uint32_t seeds_said; /* by SEAL */
} heard;

static void reply_seeded(struct message *message)
{
    struct irqd_seed_handler_request request;
    struct irqd_seal_reply sealed = {.seed_count = heard.seeds_said};
    if (message->header.operation == OP_IRQD_SEAL) {
        heard.right &= heard.count == interrupt_count;
        (void)message_encode(&irqd_seal_reply_type, &sealed, message);
        return;
    }
    const struct interrupt_row *row = &interrupt_table[heard.count++ % interrupt_count];
    heard.right &=
        message_decode(&irqd_seed_handler_request_type, message, &request) == STATUS_OK &&
        request.line == row->line && request.role == row->role;
    message_refuse(message, heard.answers);
}

static enum status seed(uint32_t seeds_said, enum status answers)
{
    struct caller caller = {0};
    fresh();
    memset(&heard, 0, sizeof heard);
    heard.right = true;
    heard.seeds_said = seeds_said;
    heard.answers = answers;
    seam.make_reply = reply_seeded;
    return interrupts_seed(&caller, IRQD_SLOT, DEADLINE);
}

static void test_seed(void)
{
    expect(seed(interrupt_count, STATUS_OK) == STATUS_OK, "irqd is seeded and sealed");
    expect(heard.count == interrupt_count && heard.right, "D3 with exactly the rows of the table");
    expect(seam.sent.header.operation == OP_IRQD_SEAL, "D3 the last thing is SEAL");
    expect(seam.slot == IRQD_SLOT && seam.deadline_ticks == DEADLINE,
           "slot and deadline are passed on");
    expect(seed(interrupt_count + 1, STATUS_OK) == STATUS_INTERNAL,
           "D3 an irqd that knows more is refused");
    expect(seed(interrupt_count - 1, STATUS_OK) == STATUS_INTERNAL, "D3 and one that knows less");
    expect(seed(interrupt_count, STATUS_DENIED) == STATUS_DENIED && heard.count == 1,
           "a seed that is refused ends it");
    expect(seam.sent.header.operation == OP_IRQD_SEED_HANDLER, "and nothing is sealed then");
}

static void reply_registered(struct message *message)
{
    struct irqd_register_handler_request request;
    struct message_cap cap = message->caps[0];
    message->caps[0] = (struct message_cap){
        .field_offset = cap.field_offset, .rights = cap.rights, .object_type = OBJECT_ENDPOINT};
    bool decodes =
        message->header.cap_count == 1 &&
        message_decode(&irqd_register_handler_request_type, message, &request) == STATUS_OK;
    heard.right &= decodes && request.line == LINE && request.token == TOKEN &&
                   request.endpoint_slot == SLOT_SERVICE_ENDPOINT &&
                   cap.flags == TRANSFER_SET_BADGE && cap.badge == ROLE_IRQD &&
                   cap.rights == RIGHT_SEND && cap.mode == TRANSFER_COPY;
    heard.count++;
    message_refuse(message, heard.answers);
}

static void test_register(void)
{
    static const enum status answers[] = {STATUS_OK, STATUS_DENIED, STATUS_BUSY};
    struct caller caller = {0};
    for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fresh();
        memset(&heard, 0, sizeof heard);
        heard.right = true;
        heard.answers = answers[i];
        seam.make_reply = reply_registered;
        expect(interrupts_register(&caller, IRQD_SLOT, LINE, TOKEN, DEADLINE) == answers[i],
               "irqd's answer is the result");
        expect(heard.count == 1 && heard.right,
               "N2 the own endpoint, with SEND alone and irqd's badge, for this line and token");
        expect(seam.slot == IRQD_SLOT && seam.deadline_ticks == DEADLINE,
               "slot and deadline are passed on");
    }
}

static bool is_interrupt(uint64_t badge, uint32_t line, uint64_t token)
{
    const struct event_interrupt_request event = {.line = line, .token = token};
    static struct message message;
    (void)message_encode(&event_interrupt_request_type, &event, &message);
    message.header.badge = badge;
    return interrupts_is(&message, LINE, TOKEN);
}

/* Only the kernel tells of an interrupt, and only that of the line and the registration is meant. */
static void test_is(void)
{
    static struct message message;
    const struct event_process_terminated_request ended = {.reason = END_EXITED};
    expect(is_interrupt(BADGE_KERNEL, LINE, TOKEN), "an interrupt of the line");
    expect(!is_interrupt(BADGE_KERNEL, LINE + 1, TOKEN), "another line's is not");
    expect(!is_interrupt(BADGE_KERNEL, LINE, TOKEN + 1), "nor one of an earlier registration");
    expect(!is_interrupt(0, LINE, TOKEN), "nor what an administrator sends");
    expect(!is_interrupt(ROLE_IRQD, LINE, TOKEN), "nor what irqd does");
    (void)message_encode(&event_process_terminated_request_type, &ended, &message);
    message.header.badge = BADGE_KERNEL;
    expect(!interrupts_is(&message, LINE, TOKEN), "nor another event of the kernel's");
    const struct event_interrupt_request event = {.line = LINE, .token = TOKEN};
    (void)message_encode(&event_interrupt_request_type, &event, &message);
    message.header.badge = BADGE_KERNEL;
    message.header.body_bytes--;
    expect(!interrupts_is(&message, LINE, TOKEN), "nor one that is cut off");
}

void test_interrupts(void)
{
    test_seed();
    test_register();
    test_is();
}
