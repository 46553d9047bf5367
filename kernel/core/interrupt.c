/* SPDX-License-Identifier: ISC */
/* Lines of interrupts: to which endpoint each is bound, and where its interrupt is. A line that is
 * bound stands in one of the queues of events of its endpoint, so that whoever receives there finds
 * it among the ends of processes, and the end of the endpoint finds it as well. Decides when a line
 * is open; never who may have it, which irqd does. */
#include "kernel/core/control.h"

#include "abi/messages/event.h"
#include "kernel/core/ipc.h"

enum { LINE_CLOCK = 0, LINE_CASCADE = 2 };

static bool is_bound(const struct interrupt *interrupt)
{
    return interrupt->endpoint != KERNEL_NONE;
}

/* The queue of its endpoint that a bound line stands in, by its state. */
static struct process_queue *queue_of_line(struct kernel *kernel, uint32_t line)
{
    const struct interrupt *interrupt = &kernel->interrupts[line];
    struct endpoint *endpoint = endpoint_at(kernel, interrupt->endpoint);
    return interrupt->state == INTERRUPT_PENDING ? &endpoint->events : &endpoint->delivered;
}

static void line_join(struct kernel *kernel, uint32_t line)
{
    event_queue_append(kernel, queue_of_line(kernel, line),
                       (uint16_t)(KERNEL_INTERRUPT_NAME + line));
}

static void line_leave(struct kernel *kernel, uint32_t line)
{
    event_queue_remove(kernel, queue_of_line(kernel, line),
                       (uint16_t)(KERNEL_INTERRUPT_NAME + line));
}

/* After a change: tells the machine whether the line is open. */
static void line_settle(const struct kernel *kernel, uint32_t line)
{
    const struct interrupt *interrupt = &kernel->interrupts[line];
    machine_line_open(line, is_bound(interrupt) && !interrupt->masked &&
                                interrupt->state == INTERRUPT_IDLE);
}

void interrupt_unbind(struct kernel *kernel, uint32_t line)
{
    line_leave(kernel, line);
    struct interrupt *interrupt = &kernel->interrupts[line];
    interrupt->endpoint = KERNEL_NONE;
    interrupt->token = 0;
    interrupt->masked = true;
    interrupt->state = INTERRUPT_IDLE;
    line_settle(kernel, line);
}

/* --- delivery --------------------------------------------------------------------------------- */

void interrupt_deliver(struct kernel *kernel, uint32_t line, struct process *receiver)
{
    struct interrupt *interrupt = &kernel->interrupts[line];
    struct message *message = message_of(receiver);
    struct event_interrupt_request body = {.token = interrupt->token, .line = line};
    message->header = (struct message_header){
        .version = MESSAGE_VERSION,
        .operation = OP_EVENT_INTERRUPT,
        .body_bytes = sizeof body,
        .badge = BADGE_KERNEL,
    };
    memcpy(message->body, &body, sizeof body);
    receive_info_write(kernel, receiver, BADGE_KERNEL, 0, 0);
    interrupt->state = INTERRUPT_DELIVERED;
    line_join(kernel, line);
}

void kernel_interrupt(struct kernel *kernel, uint32_t line)
{
    if (kernel->halted)
        return;
    KERNEL_ASSERT(line < INTERRUPT_LINE_COUNT);
    work_begin(kernel);
    struct interrupt *interrupt = &kernel->interrupts[line];
    if (!is_bound(interrupt) || interrupt->masked || interrupt->state != INTERRUPT_IDLE)
        return;
    line_leave(kernel, line);
    struct endpoint *endpoint = endpoint_at(kernel, interrupt->endpoint);
    if (endpoint->receivers.first == KERNEL_NONE) {
        interrupt->state = INTERRUPT_PENDING;
        line_join(kernel, line);
        return;
    }
    struct process *receiver = receiver_take(kernel, endpoint);
    interrupt_deliver(kernel, line, receiver);
    process_wake(kernel, receiver, STATUS_OK);
    kernel_settle(kernel);
}

/* --- kernel control --------------------------------------------------------------------------- */

static enum status bind_allowed(const struct control *control,
                                const struct kernel_bind_interrupt_request *request,
                                struct capability **cap)
{
    *cap = NULL;
    if (request->line == LINE_CLOCK || request->line == LINE_CASCADE)
        return STATUS_DENIED;
    if (request->endpoint_slot == SLOT_NULL)
        return STATUS_OK;
    enum status status =
        control_get(control, request->endpoint_slot, OBJECT_ENDPOINT, RIGHT_SEND, cap);
    if (status == STATUS_OK && (*cap)->object == KERNEL_DRIVER_ENDPOINT)
        return STATUS_DENIED;
    return status;
}

enum status control_bind_interrupt(struct control *control)
{
    const struct kernel_bind_interrupt_request *request = &control->request->kernel_bind_interrupt;
    struct capability *cap;
    enum status status = bind_allowed(control, request, &cap);
    if (status != STATUS_OK)
        return status;
    uint32_t line = request->line;
    struct interrupt *interrupt = &control->kernel->interrupts[line];
    if (is_bound(interrupt))
        interrupt_unbind(control->kernel, line);
    if (cap == NULL)
        return STATUS_OK;
    interrupt->endpoint = cap->object; /* masked, as every line of nobody is */
    interrupt->token = request->token;
    line_join(control->kernel, line);
    return STATUS_OK;
}

enum status control_ack_interrupt(struct control *control)
{
    uint32_t line = control->request->kernel_ack_interrupt.line;
    struct interrupt *interrupt = &control->kernel->interrupts[line];
    if (interrupt->state != INTERRUPT_DELIVERED)
        return STATUS_NOT_FOUND;
    interrupt->state = INTERRUPT_IDLE; /* it stays where it stands */
    line_settle(control->kernel, line);
    return STATUS_OK;
}

enum status control_mask_interrupt(struct control *control)
{
    const struct kernel_mask_interrupt_request *request = &control->request->kernel_mask_interrupt;
    struct interrupt *interrupt = &control->kernel->interrupts[request->line];
    if (!is_bound(interrupt))
        return STATUS_NOT_FOUND;
    interrupt->masked = request->masked != 0;
    line_settle(control->kernel, request->line);
    return STATUS_OK;
}
