/* SPDX-License-Identifier: ISC */
/* irqd's operations. Decides by the sealed seeds alone who may have a line, and has the kernel bind,
 * mask and acknowledge it; never sees an interrupt, and keeps nobody's endpoint. */
#include "services/irqd/irqd.h"

#include <stddef.h>
#include <string.h>

#include "services/irqd/internal.h"
#include "services/lib/discovery.h"

/* --- seeds ----------------------------------------------------------------------------------- */

uint32_t irqd_seed_place(const struct irqd *irqd, uint32_t line, uint64_t role)
{
    uint32_t low = 0;
    uint32_t high = irqd->seed_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct irqd_seed *seed = &irqd->seeds[middle];
        if (seed->line < line || (seed->line == line && seed->role < role))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct irqd *irqd, uint32_t place, uint32_t line, uint64_t role)
{
    return place < irqd->seed_count && irqd->seeds[place].line == line &&
           irqd->seeds[place].role == role;
}

bool irqd_is_seeded(const struct irqd *irqd, uint32_t line, uint64_t role)
{
    return is_at(irqd, irqd_seed_place(irqd, line, role), line, role);
}

enum status irqd_seed_handler(struct irqd *irqd, struct irqd_request *request)
{
    const struct irqd_seed_handler_request *body = &request->body.seed_handler;
    if (irqd->is_sealed != 0 || body->line == IRQD_LINE_CLOCK || body->line == IRQD_LINE_CASCADE)
        return STATUS_DENIED; /* D3 */
    uint32_t place = irqd_seed_place(irqd, body->line, body->role);
    if (is_at(irqd, place, body->line, body->role))
        return STATUS_DUPLICATE;
    if (irqd->seed_count == IRQD_SEED_LIMIT)
        return STATUS_EXHAUSTED;
    struct irqd_seed *seed = &irqd->seeds[place];
    memmove(seed + 1, seed, (irqd->seed_count - place) * sizeof *seed);
    *seed = (struct irqd_seed){.line = body->line, .role = body->role};
    irqd->seed_count++;
    return STATUS_OK;
}

enum status irqd_seal(struct irqd *irqd, struct irqd_request *request)
{
    irqd->is_sealed = 1;
    request->reply.seal.seed_count = irqd->seed_count;
    return STATUS_OK;
}

/* --- clients --------------------------------------------------------------------------------- */

/* Whether the sender may speak of the line at all. */
static enum status client_allowed(const struct irqd *irqd, uint32_t line, uint64_t role)
{
    if (irqd->is_sealed == 0)
        return STATUS_BUSY;
    return irqd_is_seeded(irqd, line, role) ? STATUS_OK : STATUS_DENIED; /* D3 */
}

/* What came is an end of the sender's and no more: only who receives there can set irqd's badge. */
static enum status register_examine(struct irqd *irqd, uint32_t slot)
{
    struct kernel_query_local_cap_reply came;
    enum status status = kernel_query_local_cap(&irqd->caller, slot, QUERY_EXACT, &came);
    if (status != STATUS_OK)
        return status;
    bool exact =
        came.object_type == OBJECT_ENDPOINT && came.rights == RIGHT_SEND && came.badge == ROLE_IRQD;
    return exact ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

/* BUSY: somebody else has the line. Masking it as it is masked changes nothing, and is refused when
 * the endpoint that it was bound to is gone. */
static enum status register_make_room(struct irqd *irqd, uint32_t number, uint64_t role)
{
    const struct irqd_line *line = &irqd->lines[number];
    if (line->handler_role == 0 || line->handler_role == role)
        return STATUS_OK;
    enum status status =
        kernel_mask_interrupt(&irqd->caller, SLOT_KERNEL_IRQ_ENDPOINT, number, line->is_masked);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return status == STATUS_OK ? STATUS_BUSY : status;
}

enum status irqd_register_handler(struct irqd *irqd, struct irqd_request *request)
{
    struct irqd_register_handler_request body = request->body.register_handler;
    uint64_t role = request->common.info->badge;
    enum status status = client_allowed(irqd, body.line, role);
    if (status == STATUS_OK)
        status = register_examine(irqd, body.endpoint_slot);
    if (status == STATUS_OK)
        status = register_make_room(irqd, body.line, role);
    if (status == STATUS_OK)
        status = kernel_bind_interrupt(&irqd->caller, SLOT_KERNEL_IRQ_ENDPOINT, body.line,
                                       body.endpoint_slot, body.token);
    if (status == STATUS_OK)
        irqd->lines[body.line] = (struct irqd_line){.handler_role = (uint32_t)role, .is_masked = 1};
    return status;
}

/* Whether the sender has the line. */
static enum status handler_allowed(const struct irqd *irqd, uint32_t line, uint64_t role)
{
    enum status status = client_allowed(irqd, line, role);
    if (status == STATUS_OK && irqd->lines[line].handler_role != role)
        status = STATUS_NOT_FOUND;
    return status;
}

enum status irqd_set_mask(struct irqd *irqd, struct irqd_request *request)
{
    struct irqd_set_mask_request body = request->body.set_mask;
    enum status status = handler_allowed(irqd, body.line, request->common.info->badge);
    if (status == STATUS_OK)
        status =
            kernel_mask_interrupt(&irqd->caller, SLOT_KERNEL_IRQ_ENDPOINT, body.line, body.masked);
    if (status == STATUS_OK)
        irqd->lines[body.line].is_masked = body.masked;
    return status;
}

enum status irqd_ack(struct irqd *irqd, struct irqd_request *request)
{
    uint32_t line = request->body.ack.line;
    enum status status = handler_allowed(irqd, line, request->common.info->badge);
    if (status != STATUS_OK)
        return status;
    return kernel_ack_interrupt(&irqd->caller, SLOT_KERNEL_IRQ_ENDPOINT, line);
}

/* --- one message ----------------------------------------------------------------------------- */

#define SERVICE       irqd
#define SERVICE_TABLE "abi/messages/irqd.def"
#include "services/lib/unfold_rows.h"

static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct irqd_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    if (badge == 0)
        return FROM_ADMIN;
    return badge <= ROLE_ID_MAX ? FROM_CLIENT : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled irqd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct irqd *irqd = state;
    struct irqd_request request; /* the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &irqd->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    return service_dispatch(&table, irqd, &request.common);
}

/* --- start ----------------------------------------------------------------------------------- */

/* What is ready can be found. */
static enum status irqd_prepare(void *state, const struct envelope *start)
{
    (void)start;
    struct irqd *irqd = state;
    return discovery_register(&irqd->caller, ROLE_IRQD);
}

static const char *unsound(const void *state)
{
    return irqd_check(state);
}

void irqd_run(struct irqd *irqd)
{
    struct envelope envelope;
    enum status status =
        service_start(&irqd->caller, ROLE_IRQD, &envelope, irqd_prepare, unsound, irqd);
    service_serve(&irqd->caller, status, irqd_handle, irqd);
}
