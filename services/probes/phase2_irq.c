/* SPDX-License-Identifier: ISC */
/* phase2-irq-client: registers for COM1's line, makes COM1 interrupt, and sees when it hears of that
 * and when not; asks irqd for what it refuses, too. Ends with the number of the first answer that was
 * not the stated one; 0 when all were. */
#include <stddef.h>
#include <string.h>

#include "abi/roles.h"
#include "services/lib/call_irqd.h"
#include "services/lib/call_kernel.h"
#include "services/lib/discovery.h"
#include "services/lib/interrupts.h"
#include "services/lib/service.h"
#include "services/probes/probes.h"

enum {
    CALL_TICKS = 10 * TICKS_PER_SECOND,
    HEARD_TICKS = 10 * TICKS_PER_SECOND, /* it comes at once, be the machine slow */
    UNHEARD_TICKS = 20,
    LINE = 4,
    LINE_OTHERS = 1,
    TOKEN = 0x77,
    PORT_ENABLE = 0x3F9,
    ENABLE_SENT = 2 /* the port can take a byte, which is so whenever it is asked anew */
};

struct client {
    struct caller caller;
    struct envelope envelope;
    struct startup_offer_modules_request offer;
    uint32_t asked;  /* questions so far */
    uint32_t failed; /* the first one with a wrong answer; 0: none */
};

static void expect(struct client *client, bool as_stated)
{
    client->asked++;
    if (!as_stated && client->failed == 0)
        client->failed = client->asked;
}

static uint64_t soon(const struct client *client)
{
    return caller_deadline(&client->caller, CALL_TICKS);
}

static enum status register_for(struct client *client, uint32_t line, uint64_t token)
{
    return interrupts_register(&client->caller, SLOT_PEER_IRQD, line, token, soon(client));
}

static enum status set_mask(struct client *client, uint32_t line, uint32_t masked)
{
    struct irqd_set_mask_request request = {.line = line, .masked = masked};
    return irqd_call_set_mask(&client->caller, SLOT_PEER_IRQD, NO_WINDOW, soon(client), &request,
                              NULL);
}

static enum status ack(struct client *client, uint32_t line)
{
    struct irqd_ack_request request = {.line = line};
    return irqd_call_ack(&client->caller, SLOT_PEER_IRQD, NO_WINDOW, soon(client), &request, NULL);
}

static enum status enable(struct client *client, uint32_t what)
{
    struct kernel_ioport_write8_request request = {.port = PORT_ENABLE, .value = what};
    return kernel_call_ioport_write8(&client->caller, SLOT_KERNEL_COM1_ENDPOINT, NO_WINDOW,
                                     DEADLINE_NEVER, &request, NULL);
}

/* COM1 interrupts when it is asked anew to say that it can take a byte. */
static void make_interrupt(struct client *client)
{
    expect(client, enable(client, 0) == STATUS_OK && enable(client, ENABLE_SENT) == STATUS_OK);
}

/* Whether the interrupt comes within so many ticks. */
static bool hears(struct client *client, uint64_t ticks, uint64_t token)
{
    struct message *message = caller_message(&client->caller);
    struct receive_info info;
    memset(&info, 0, sizeof info);
    message->header = (struct message_header){.version = MESSAGE_VERSION};
    enum status status =
        sys_recv(SLOT_SERVICE_ENDPOINT, message, caller_deadline(&client->caller, ticks), &info);
    caller_see_clock(&client->caller, info.now_ticks);
    return status == STATUS_OK && interrupts_is(message, LINE, token);
}

/* What is the administrator's alone, and what no row of the role table states (D3). */
static void ask_for_too_much(struct client *client)
{
    static const struct irqd_seal_request nothing;
    struct irqd_seal_reply sealed;
    struct irqd_seed_handler_request seed = {.line = LINE_OTHERS, .role = ROLE_PHASE2_IRQ_CLIENT};
    expect(client, irqd_call_seed_handler(&client->caller, SLOT_PEER_IRQD, NO_WINDOW, soon(client),
                                          &seed, NULL) == STATUS_DENIED);
    expect(client, irqd_call_seal(&client->caller, SLOT_PEER_IRQD, NO_WINDOW, soon(client),
                                  &nothing, &sealed) == STATUS_DENIED);
    expect(client, register_for(client, LINE_OTHERS, TOKEN) == STATUS_DENIED);
    expect(client, set_mask(client, LINE_OTHERS, 0) == STATUS_DENIED);
    expect(client, ack(client, LINE_OTHERS) == STATUS_DENIED);
    expect(client, ack(client, LINE) == STATUS_NOT_FOUND);
    expect(client, set_mask(client, LINE, 0) == STATUS_NOT_FOUND);
}

/* Each interrupt once, and the next one after the acknowledgement of the first (D3). */
static void hear_rounds(struct client *client)
{
    expect(client, register_for(client, LINE, TOKEN) == STATUS_OK);
    make_interrupt(client);
    expect(client, !hears(client, UNHEARD_TICKS, TOKEN)); /* the line is closed at first */
    expect(client, set_mask(client, LINE, 0) == STATUS_OK);
    expect(client, hears(client, HEARD_TICKS, TOKEN));
    make_interrupt(client);
    expect(client, !hears(client, UNHEARD_TICKS, TOKEN));
    expect(client, ack(client, LINE) == STATUS_OK);
    expect(client, hears(client, HEARD_TICKS, TOKEN));
    expect(client, enable(client, 0) == STATUS_OK);
    expect(client, ack(client, LINE) == STATUS_OK);
    expect(client, ack(client, LINE) == STATUS_NOT_FOUND);
}

/* A line that is masked tells nothing until it is opened; one that is registered anew is closed, and
 * tells with the new token. */
static void hear_masked(struct client *client)
{
    expect(client, set_mask(client, LINE, 1) == STATUS_OK);
    make_interrupt(client);
    expect(client, !hears(client, UNHEARD_TICKS, TOKEN));
    expect(client, register_for(client, LINE, TOKEN + 1) == STATUS_OK);
    expect(client, !hears(client, UNHEARD_TICKS, TOKEN + 1));
    expect(client, set_mask(client, LINE, 0) == STATUS_OK);
    expect(client, hears(client, HEARD_TICKS, TOKEN + 1));
    expect(client, enable(client, 0) == STATUS_OK);
    expect(client, ack(client, LINE) == STATUS_OK);
    expect(client, set_mask(client, LINE, 1) == STATUS_OK);
}

/* What its authority over COM1 does not reach. */
static void ask_for_other_ports(struct client *client)
{
    struct kernel_ioport_read8_request read = {.port = 0x3FD};
    struct kernel_ioport_write8_request write = {.port = 0x60, .value = 0};
    struct kernel_ioport_read8_reply reply;
    expect(client, kernel_call_ioport_read8(&client->caller, SLOT_KERNEL_COM1_ENDPOINT, NO_WINDOW,
                                            DEADLINE_NEVER, &read, &reply) == STATUS_OK);
    read.port = 0x64;
    expect(client, kernel_call_ioport_read8(&client->caller, SLOT_KERNEL_COM1_ENDPOINT, NO_WINDOW,
                                            DEADLINE_NEVER, &read, &reply) == STATUS_DENIED);
    expect(client, kernel_call_ioport_write8(&client->caller, SLOT_KERNEL_COM1_ENDPOINT, NO_WINDOW,
                                             DEADLINE_NEVER, &write, NULL) == STATUS_DENIED);
}

uint32_t phase2_irq_client_main(uint64_t argument)
{
    struct client client;
    (void)argument;
    memset(&client, 0, sizeof client);
    expect(&client, service_start(&client.caller, ROLE_PHASE2_IRQ_CLIENT, &client.envelope, NULL,
                                  NULL, NULL) == STATUS_OK);
    expect(&client, service_take_offer(&client.caller, &client.offer) == STATUS_OK);
    expect(&client, discovery_find(&client.caller, ROLE_IRQD, SLOT_PEER_IRQD) == STATUS_OK);
    ask_for_too_much(&client);
    hear_rounds(&client);
    hear_masked(&client);
    ask_for_other_ports(&client);
    return client.failed;
}
