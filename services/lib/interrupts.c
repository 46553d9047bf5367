/* SPDX-License-Identifier: ISC */
/* Seeding irqd and registering at it. Decides nothing: the role table does, and irqd by what was
 * seeded from it. */
#include "services/lib/interrupts.h"

#include "abi/codec.h"
#include "abi/messages/event.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "services/lib/call_irqd.h"

enum status interrupts_seed(struct caller *caller, uint32_t irqd_slot, uint64_t deadline_ticks)
{
    static const struct irqd_seal_request nothing;
    struct irqd_seal_reply sealed;
    for (unsigned i = 0; i < interrupt_count; i++) {
        struct irqd_seed_handler_request request = {
            .line = interrupt_table[i].line,
            .role = interrupt_table[i].role,
        };
        enum status status =
            irqd_call_seed_handler(caller, irqd_slot, NO_WINDOW, deadline_ticks, &request, NULL);
        if (status != STATUS_OK)
            return status;
    }
    enum status status =
        irqd_call_seal(caller, irqd_slot, NO_WINDOW, deadline_ticks, &nothing, &sealed);
    if (status == STATUS_OK && sealed.seed_count != interrupt_count)
        return STATUS_INTERNAL;
    return status;
}

/* The endpoint travels with irqd's badge: only who receives there can set one (N2). */
enum status interrupts_register(struct caller *caller, uint32_t irqd_slot, uint32_t line,
                                uint64_t token, uint64_t deadline_ticks)
{
    const struct message_type *type = &irqd_register_handler_request_type;
    struct message *message = caller_message(caller);
    struct irqd_register_handler_request request = {
        .line = line,
        .endpoint_slot = SLOT_SERVICE_ENDPOINT,
        .token = token,
    };
    enum status status = message_encode(type, &request, message);
    if (status != STATUS_OK)
        return status;
    message->caps[0].flags = TRANSFER_SET_BADGE;
    message->caps[0].badge = ROLE_IRQD;
    return caller_call_message(caller, irqd_slot, NO_WINDOW, deadline_ticks, type, NULL);
}

bool interrupts_is(const struct message *message, uint32_t line, uint64_t token)
{
    struct event_interrupt_request event;
    return message->header.badge == BADGE_KERNEL &&
           message->header.operation == OP_EVENT_INTERRUPT &&
           message_decode(&event_interrupt_request_type, message, &event) == STATUS_OK &&
           event.line == line && event.token == token;
}
