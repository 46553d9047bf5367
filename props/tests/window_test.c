/* SPDX-License-Identifier: ISC */
/* The window of services/lib/service.c over a few slots that the kernel fills: what nobody took is
 * dropped, and a DROP that the kernel refused does not end the service, since RECV finds no room
 * until the window is empty. And what comes of an answer that passes on what is not there any more. */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/kernel.h"
#include "props/base/testing.h"
#include "services/lib/service.h"

static struct {
    bool full[MESSAGE_CAP_LIMIT]; /* the slots of the window */
    unsigned refuses;             /* so many DROPs of a full slot */
    unsigned brings;              /* capabilities of each message */
    unsigned reply_count;         /* answers that went out */
    bool passes_on;               /* the answer sends a capability, */
    bool is_gone;                 /* whose slot is empty by then */
    bool has_left;                /* nobody waits for the answer any more */
    bool denies;                  /* the next answer, whose caller gives up then */
    struct message_header answer; /* the last that went out */
} kernel;

static unsigned full_count(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < MESSAGE_CAP_LIMIT; i++)
        count += kernel.full[i];
    return count;
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    struct kernel_drop_local_cap_request drop;
    (void)deadline_ticks;
    EXPECT(slot == SLOT_SELF && message->header.operation == OP_KERNEL_DROP_LOCAL_CAP);
    EXPECT(message_decode(&kernel_drop_local_cap_request_type, message, &drop) == STATUS_OK);
    bool *full = &kernel.full[(drop.slot - SLOT_RECEIVE_BASE) % MESSAGE_CAP_LIMIT];
    enum status status = !*full ? STATUS_NOT_FOUND : STATUS_OK;
    if (*full && kernel.refuses != 0) {
        kernel.refuses--;
        status = STATUS_INTERNAL;
    }
    *full &= status != STATUS_OK;
    message_refuse(message, status);
    return STATUS_OK;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    (void)slot;
    (void)deadline_ticks;
    if (full_count() != 0)
        return STATUS_BUSY;
    for (unsigned i = 0; i < kernel.brings; i++)
        kernel.full[i] = true;
    message->header = (struct message_header){.version = MESSAGE_VERSION};
    kernel.has_left = false;
    *info = (struct receive_info){.reply_slot = SLOT_REPLY_BASE, .cap_count = kernel.brings};
    return STATUS_OK;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    (void)reply_slot;
    if (kernel.denies && !kernel.has_left) {
        kernel.denies = false;
        kernel.has_left = true;
        return STATUS_DENIED;
    }
    if (kernel.has_left || (message->header.cap_count != 0 && kernel.is_gone))
        return STATUS_NOT_FOUND;
    kernel.answer = message->header;
    kernel.reply_count++;
    kernel.has_left = true;
    return STATUS_OK;
}

static enum handled handle(void *state, struct message *message, const struct receive_info *info)
{
    (void)state;
    (void)info;
    message_refuse(message, kernel.passes_on ? STATUS_OK : STATUS_DENIED);
    message->header.cap_count = kernel.passes_on;
    return HANDLED_REPLY;
}

static enum status turn(void)
{
    struct caller caller = {0};
    struct receive_info info;
    enum status status =
        service_turn(&caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, handle, NULL, &info);
    caller_flush(&caller);
    return status;
}

static void begin(unsigned brings, unsigned refuses)
{
    memset(&kernel, 0, sizeof kernel);
    kernel.brings = brings;
    kernel.refuses = refuses;
}

/* NOT_FOUND says of an answer that its caller is gone, or that the capability which it sends is. */
static void test_passed_on(void)
{
    begin(0, 0);
    kernel.passes_on = kernel.is_gone = true;
    expect_equal(turn(), STATUS_OK, "an answer whose capability is gone");
    expect_equal(kernel.reply_count, 1, "is answered all the same (E5)");
    expect(kernel.answer.status == STATUS_INTERNAL && kernel.answer.cap_count == 0,
           "by a refusal that sends nothing");
    begin(0, 0);
    kernel.passes_on = true;
    expect_equal(turn(), STATUS_OK, "an answer that passes something on");
    expect(kernel.reply_count == 1 && kernel.answer.status == STATUS_OK, "goes out as it is");
}

/* The answer is refused, and then there is nobody to tell: the service goes on to receive. */
static void test_gone_since(void)
{
    struct caller caller = {0};
    struct receive_info info;
    begin(0, 0);
    (void)service_turn(&caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, handle, NULL, &info);
    kernel.denies = true;
    enum status status =
        service_turn(&caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, handle, NULL, &info);
    expect_equal(status, STATUS_OK, "a refused answer is no refused receive");
    expect(!kernel.denies && kernel.reply_count == 0, "and nobody was told");
    caller_flush(&caller);
    expect_equal(kernel.reply_count, 1, "but the one who came after");
}

int main(int count, char **arguments)
{
    (void)count;
    begin(3, 0);
    expect(turn() == STATUS_OK && full_count() == 0, "what nobody took is dropped");
    for (unsigned refuses = 1; refuses <= MESSAGE_CAP_LIMIT; refuses++) {
        begin(MESSAGE_CAP_LIMIT, refuses);
        expect_equal(turn(), STATUS_OK, "a refused DROP is no error of the turn");
        expect_equal(full_count(), refuses, "it leaves its slot full");
        expect_equal(turn(), STATUS_OK, "the next message finds room");
        expect_equal(kernel.reply_count, 2, "each call gets one reply (E5)");
        expect_equal(full_count(), 0, "nothing is left");
    }
    begin(1, 2);
    expect_equal(turn(), STATUS_OK, "a slot that stays full is left");
    expect_equal(turn(), STATUS_BUSY, "but nothing can be received then");
    expect_equal(kernel.reply_count, 1, "and nobody is answered");
    test_passed_on();
    test_gone_since();
    return tests_end(arguments[0]);
}
