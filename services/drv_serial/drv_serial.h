/* SPDX-License-Identifier: ISC */
/* drv-serial: the driver of COM1. The contract of the service, readable alone; the messages are in
 * abi/messages/drv_serial.def.
 *
 * Bytes of a WRITE go to the line in order, of one WRITE at a time (S1). The kernel takes a byte when
 * the transmitter has room and no line of its own log is under way (IOPORT_WRITE8, K15), and BUSY is
 * asked again a tick later: at most DRV_SERIAL_TURN_BYTES in a turn, for DRV_SERIAL_WRITE_TICKS. Then
 * the WRITE is answered, with how many bytes were taken: fewer than it brought from a line that takes
 * none. Bytes of a client that has gone go all the same: nobody else's come between them.
 *
 * What the line receives is kept in a ring of DRV_SERIAL_RING_BYTES and read once, in order (S2). A
 * byte for which there is no room is lost, the ring's older ones stay; so is what the UART says that
 * it lost itself. lost_count says how many, since the driver started. A READ takes what there is, and
 * when there is nothing it waits: it is answered when something comes, or empty when its wait is over
 * (S3). Bytes leave the ring when their reader has taken the answer, and not before.
 *
 * The line is looked at in each turn: the line status is read, and as long as it says that a byte is
 * there, the byte; at most DRV_SERIAL_TURN_BYTES of them. A status of all ones is no UART's, and what
 * is read behind it nobody's bytes. Interrupt 4 makes a turn; it is acknowledged at irqd when the
 * line has nothing more, in a later turn if need be, so that the next byte makes a new edge; an
 * acknowledgement whose answer was lost is found to be done (NOT_FOUND) and not asked again. Whatever
 * the UART says, a turn is bounded and the next one hears the next message first (E8).
 *
 * It starts by finding the UART (its scratch register keeps what is written there; NOT_FOUND
 * otherwise), registering for line 4 at irqd, and having the UART interrupt for received bytes alone.
 * It leaves divisor and FIFOs as the kernel has set them up.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - an interrupt of its line, which only the kernel sends, has no answer
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender whose badge cannot be a role id
 *
 * WRITE:
 * - BUSY: bytes of another WRITE are under way
 *
 * READ:
 * - BUSY: another role waits. A role that waits already has lost its process, or gave up: its earlier
 *   READ is answered empty. */
#ifndef BASALT_SERVICES_DRV_SERIAL_DRV_SERIAL_H
#define BASALT_SERVICES_DRV_SERIAL_DRV_SERIAL_H

#include "abi/limits.h"
#include "abi/messages/drv_serial.h"
#include "services/lib/service.h"

enum {
    DRV_SERIAL_RING_BYTES = 4096, /* a third of a second at 115,200 baud */
    DRV_SERIAL_TURN_BYTES = 64,   /* sent, and received: more than come in a tick */
    DRV_SERIAL_WRITE_TICKS = 2000,
    DRV_SERIAL_CALL_TICKS = 1000, /* of a call to irqd, which calls nobody but the kernel */
    DRV_SERIAL_LINE = 4,
    DRV_SERIAL_TOKEN = 0x3F8
};

/* What is under way. */
struct drv_serial_write {
    uint64_t deadline_ticks;
    uint64_t request_id;
    uint32_t reply_slot; /* SLOT_NULL: its client has gone */
    uint32_t count;      /* 0: nothing is under way */
    uint32_t taken_count;
    uint32_t reserved0;
    uint8_t bytes[SERIAL_BYTES_MAX];
};

/* Who waits for bytes. */
struct drv_serial_read {
    uint64_t deadline_ticks;
    uint64_t request_id;
    uint32_t reply_slot; /* SLOT_NULL: nobody */
    uint32_t role;
};

struct drv_serial {
    struct caller caller;
    uint64_t lost_count;
    uint32_t ring_first;
    uint32_t ring_count;
    bool owes_ack; /* an interrupt was told, and irqd does not know yet that it is done with */
    bool has_more; /* the line had more than a turn takes */
    struct drv_serial_write write;
    struct drv_serial_read read;
    uint8_t ring[DRV_SERIAL_RING_BYTES];
};

/* A service_handler; `state` is a struct drv_serial. Turns the message into its reply, or keeps it. */
enum handled drv_serial_handle(void *state, struct message *message,
                               const struct receive_info *info);

/* After each turn, with the clock that it told: receives, sends, answers. */
void drv_serial_tick(struct drv_serial *driver, uint64_t now_ticks);

/* When drv_serial_tick has something to do; DEADLINE_NEVER: not before the next message. */
uint64_t drv_serial_next_ticks(const struct drv_serial *driver);

/* The first property of the state that does not hold ("S1", ...), or null when all do. */
const char *drv_serial_check(const struct drv_serial *driver);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void drv_serial_visit_fields(const struct drv_serial *driver,
                             void (*visit)(void *context, uint64_t value), void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `driver` is zero. */
void drv_serial_run(struct drv_serial *driver);

#endif
